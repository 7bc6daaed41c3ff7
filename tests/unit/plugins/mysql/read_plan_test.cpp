#include "plugins/mysql/mysql_read_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/mysql/mysql_session_sql.h"
#include "plugins/mysql/mysql_writer.h"

namespace sluice::mysql {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

read_part orders_part() {
  read_part part;
  part.name = "shop.orders";
  part.table = "`shop`.`orders`";
  part.where = "(a = 1 OR b = 2)";
  part.expressions = {"`id`", "(price * 2)"};
  part.order = {{"`id`", "id", {}, 0}, {"`line`", "line", {}, std::nullopt}};
  part.split_key = {{"`id`", "id", relational::key_kind::whole_number, "", ""}};
  return part;
}

TEST(mysql_read_plan_test, reads_a_range_behind_a_cursor_in_key_order) {
  read_plan plan;
  plan.name = "sluice my*/job 0190";
  const scalar_list range = {{"part", {std::int64_t{0}}},
                             {"name", {std::string("shop.orders")}},
                             {"from", {std::int64_t{-5}}},
                             {"to", {~std::uint64_t{0}}}};
  EXPECT_EQ(
      reading_sql(plan, orders_part(), range, std::vector<std::string>{"7", "'x'"}),
      "SELECT /* sluice my__job 0190 shop.orders from -5 below 18446744073709551615 */ `id`, (price * 2), "
      "`line` FROM `shop`.`orders` WHERE (a = 1 OR "
      "b = 2) "
      "AND `id` >= -5 AND `id` < 18446744073709551615 AND `id` >= 7 AND ((`id` > 7) OR (`id` = 7 AND "
      "`line` > "
      "'x')) ORDER BY `id`, `line`");
}

TEST(mysql_read_plan_test, knows_a_split_of_another_plan) {
  read_plan plan;
  plan.parts.push_back(orders_part());
  EXPECT_TRUE(part_of(plan, {{"part", {std::int64_t{0}}}, {"name", {std::string("shop.orders")}}}));
  for (const scalar_list& wrong :
       {scalar_list{}, scalar_list{{"part", {std::int64_t{1}}}, {"name", {std::string("shop.orders")}}},
        scalar_list{{"part", {std::int64_t{0}}}, {"name", {std::string("shop.other")}}}}) {
    const auto part = part_of(plan, wrong);
    ASSERT_FALSE(part);
    EXPECT_EQ(part.error().kind, error_kind::source_changed);
  }
}

TEST(mysql_read_plan_test, writes_statements_of_each_mode) {
  writer_plan plan;
  plan.table = "`shop`.`orders`";
  plan.columns = {{"id", {}, true}, {"na`me", {}, false}};
  plan.update_columns = {"na`me"};
  EXPECT_EQ(insert_sql(plan).before, "INSERT INTO `shop`.`orders` (`id`, `na``me`) VALUES ");
  EXPECT_EQ(insert_sql(plan).behind, "");
  plan.mode = write_mode::replace;
  EXPECT_EQ(insert_sql(plan).before, "REPLACE INTO `shop`.`orders` (`id`, `na``me`) VALUES ");
  plan.mode = write_mode::update;
  EXPECT_EQ(insert_sql(plan).behind, " ON DUPLICATE KEY UPDATE `na``me` = VALUES(`na``me`)");
  plan.names_rows = true;
  EXPECT_EQ(insert_sql(plan).behind, " AS sluice_row ON DUPLICATE KEY UPDATE `na``me` = sluice_row.`na``me`");
  plan.mode = write_mode::ignore;
  EXPECT_EQ(insert_sql(plan).behind, " ON DUPLICATE KEY UPDATE `id` = `shop`.`orders`.`id`");
}

TEST(mysql_read_plan_test, sets_sessions_by_their_role) {
  const session_facts facts{
      {server_product::mariadb, 101119, ""}, "ANSI,PAD_CHAR_TO_FULL_LENGTH,STRICT_ALL_TABLES", false, {}, {}};
  const auto value = [&](session_role role, std::string_view name) {
    for (const session_setting& s : session_settings(role, facts)) {
      if (s.name == name) {
        return s.value;
      }
    }
    return std::string();
  };
  EXPECT_EQ(value(session_role::read, "sql_mode"), "'ANSI,STRICT_ALL_TABLES'");
  EXPECT_EQ(value(session_role::read, "net_write_timeout"), "86400");
  EXPECT_EQ(value(session_role::write, "sql_mode"),
            "'NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'");
  EXPECT_EQ(value(session_role::write, "tx_isolation"), "'READ-COMMITTED'");
  EXPECT_EQ(value(session_role::read, "tx_isolation"), "");
  EXPECT_EQ(value(session_role::write, "net_read_timeout"), "3600") << "a dead machine's locks";
  EXPECT_EQ(value(session_role::write, "tx_read_only"), "0");
  EXPECT_EQ(value(session_role::read, "tx_read_only"), "1");
  EXPECT_EQ(value(session_role::write, "unique_checks"), "1") << "else MariaDB may insert in bulk";
  const session_setting mode{"sql_mode", "", "A,B", false};
  EXPECT_TRUE(holds(mode, "B,A"));
  EXPECT_FALSE(holds(mode, "A"));
}

TEST(mysql_read_plan_test, limits_of_time_that_the_job_sets_hold_and_what_does_not_is_told) {
  const session_facts facts{{server_product::mariadb, 101119, ""}, "ANSI", false, {}, "utf8mb4_bin"};
  jobs_settings job{
      {{"net_write_timeout", "60"}, {"wait_timeout", "9"}, {"time_zone", "SYSTEM"}, {"sql_mode", ""}},
      {{"net_write_timeout", "60"}, {"wait_timeout", "8"}, {"time_zone", "+05:00"}, {"sql_mode", "ANSI"}},
      "SET @@SESSION.Net_Write_Timeout = 60, my_net_read_timeout = 1"};
  std::vector<std::string> set;
  for (const session_setting& s : without_yielding(session_settings(session_role::read, facts), job)) {
    set.push_back(s.name);
  }
  EXPECT_THAT(set, Not(Contains("net_write_timeout")));
  EXPECT_THAT(set, Not(Contains("wait_timeout")));
  EXPECT_THAT(set, Contains("net_read_timeout"));
  EXPECT_THAT(set, Contains("collation_connection"));
  EXPECT_THAT(overruled(session_role::look, facts, job),
              ElementsAre(HasSubstr("time_zone is set to \"+05:00\"")));
  EXPECT_THAT(overruled(session_role::manage, facts, job),
              Contains(HasSubstr("the sessions that write rows have "
                                 "\"NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES\"")));
}

}  // namespace
}  // namespace sluice::mysql
