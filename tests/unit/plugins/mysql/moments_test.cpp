#include "plugins/mysql/mysql_moments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/mysql/mysql_options.h"

namespace sluice::mysql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names(std::string_view sql, moment_text what) {
  return moments_in(sql, what, {"ts", "made", "date"});
}

TEST(mysql_moments_test, names_what_a_condition_computes_with) {
  const auto in = [](std::string_view sql) { return names(sql, moment_text::condition); };
  EXPECT_THAT(in("made > '2024-07-01' and `TS` < now()"), ElementsAre("ts", "made"));
  EXPECT_THAT(in("t.ts is not null"), ElementsAre("ts"));
  EXPECT_THAT(in("ts.id = 5 and date(d) = '2024-01-01' and v = 'ts'"), IsEmpty());
  EXPECT_THAT(in("id > 5 -- not by ts"), IsEmpty());
  EXPECT_THAT(in(""), IsEmpty());
  EXPECT_THAT(in("ts > convert_tz('2024-07-01', '+08:00', '+00:00')"), IsEmpty());
  EXPECT_THAT(in("UNIX_TIMESTAMP(ts) > 5"), IsEmpty());
}

TEST(mysql_moments_test, leaves_alone_what_is_only_an_item_of_a_list) {
  const auto in = [](std::string_view sql) { return names(sql, moment_text::list); };
  EXPECT_THAT(in("ts"), IsEmpty());
  EXPECT_THAT(in("coalesce(a, ts, b)"), ElementsAre("ts"));
  EXPECT_THAT(in("ts + interval 1 day"), ElementsAre("ts"));
  EXPECT_THAT(in("SELECT id, t.ts, made AS m FROM t ORDER BY ts, `made` DESC"), IsEmpty());
  EXPECT_THAT(in("SELECT * FROM (SELECT id, ts FROM t) AS x"), IsEmpty());
  EXPECT_THAT(in("SELECT id, ts FROM t WHERE `t`.`made` >= '2024-07-01'"), ElementsAre("made"));
  EXPECT_THAT(in("SELECT id FROM t WHERE id IN (SELECT id FROM u WHERE ts > '2024')"), ElementsAre("ts"));
  EXPECT_THAT(in("SELECT if(a, ts, made) FROM t"), ElementsAre("ts", "made"));
}

TEST(mysql_moments_test, finds_the_tables_of_a_query) {
  const auto in = [](std::string_view sql) {
    std::vector<std::string> out;
    for (const relational::named_table& t : relational::tables_in(sql, sql_rules())) {
      out.push_back(t.schema + "/" + t.table);
    }
    return out;
  };
  EXPECT_THAT(in("SELECT a, b FROM t WHERE a IN (1, 2)"), ElementsAre("/t"));
  EXPECT_THAT(in("SELECT a FROM shop.t x, `u` LEFT JOIN `s`.`v` ON x.a = v.a, w ORDER BY a, b"),
              ElementsAre("shop/t", "/u", "s/v", "/w"));
  EXPECT_THAT(
      in("SELECT a FROM (SELECT b, c FROM t) AS x JOIN (u, v) ON a = f(x, y) WHERE EXISTS (SELECT 1 FROM w)"),
      ElementsAre("/t", "/u", "/v", "/w"));
  EXPECT_THAT(in("SELECT a FROM t UNION SELECT a FROM t"), ElementsAre("/t"));
  EXPECT_THAT(in("SELECT"), IsEmpty());
  EXPECT_THAT(in("SELECT 1 FROM"), IsEmpty());
}

}  // namespace
}  // namespace sluice::mysql
