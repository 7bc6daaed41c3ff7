#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "tests/unit/plugins/mysql/mysql_fixture.h"

namespace sluice::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using namespace std::chrono_literals;

using mysql_reader_server_test = mysql_test;

std::string series(int n) {
  std::string values;
  for (int i = 1; i <= n; ++i) {
    values += fmt::format("{}({}, 'n{}')", i == 1 ? "" : ",", i, i);
  }
  return values;
}

std::string ids(int n) {
  std::string values;
  for (int i = 1; i <= n; ++i) {
    values += fmt::format("{}({})", i == 1 ? "" : ",", i);
  }
  return values;
}

TEST_P(mysql_reader_server_test, reads_columns_expressions_and_constants_in_the_jobs_order) {
  sql({"CREATE TABLE `o rders` (id INT PRIMARY KEY, `Na``me` VARCHAR(10), `order` INT)",
       "INSERT INTO `o rders` VALUES (1, 'a', 10), (2, NULL, 20), (3, 'c', 30)"});
  EXPECT_THAT(
      read(
          R"("table": "`o rders`", "column": ["order", "`na``me`", "id * 2", "'x'", "null"], "where": "id < 3 or id < 2;")"),
      ElementsAre("10|a|2|x|<null>", "20|<null>|4|x|<null>"));
  EXPECT_THAT(read(R"("querySql": "SELECT MAX(id) AS m FROM `o rders`")"), ElementsAre("3"));
  EXPECT_THAT(read(R"j("table": "`o rders`", "column": ["max(id)", "count(*)"], "splitPk": "id")j"),
              ElementsAre("3|3"));
}

TEST_P(mysql_reader_server_test, splits_by_ranges_that_hold_every_row_once) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(10), k BIGINT UNSIGNED, KEY(k))",
       "INSERT INTO t (id, name) VALUES " + series(500),
       "UPDATE t SET k = 18446744073709551615 - id * 1000000 WHERE id % 10 <> 0"});
  for (const std::string_view key : {"id", "k"}) {
    SCOPED_TRACE(key);
    const auto opened = open_source(
        mysql_plugin(), parameter(fmt::format(R"("table": "t", "column": ["id"], "splitPk": "{}")", key)), 4);
    EXPECT_EQ(opened.splits.size(), key == "id" ? 20U : 21U);
    EXPECT_TRUE(opened.description.resumable);
    std::vector<std::string> all;
    auto reader = opened.object->make_reader();
    for (const split& s : opened.splits) {
      for (std::string& row : rows_of(read_split(**reader, opened.description, s, {}))) {
        all.push_back(std::move(row));
      }
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all.size(), 500U);
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  }
}

TEST_P(mysql_reader_server_test, splits_by_every_kind_of_key_whatever_its_collation) {
  sql(
      {"CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(20,3), da DATE, ts DATETIME(6), ti TIMESTAMP NULL, s "
       "VARCHAR(20) "
       "COLLATE utf8mb4_general_ci, l VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci, u CHAR(36) "
       "CHARACTER SET "
       "ascii, KEY(d), KEY(da), KEY(ts), KEY(ti), KEY(s), KEY(l), KEY(u))",
       "INSERT INTO t (id) VALUES " + ids(400),
       "UPDATE t SET d = (id - 200) * 1234.567, da = DATE '2000-01-01' + INTERVAL id * 7 DAY, ts = "
       "TIMESTAMP'1999-01-01 00:00:00' + "
       "INTERVAL id * 123456789 MICROSECOND, ti = TIMESTAMP'2001-01-01 00:00:00' + INTERVAL id HOUR, s = "
       "CONCAT(CHAR(65 + id % 26 + "
       "32 * (id % 2)), id), l = CONCAT(CHAR(65 + id % 26 + 32 * (id % 2)), '''', id), u = LEFT(SHA1(id), "
       "36) WHERE id % "
       "7 <> 0"});
  for (const std::string_view key : {"d", "da", "ts", "ti", "s", "l", "u"}) {
    SCOPED_TRACE(key);
    const auto opened = open_source(
        mysql_plugin(), parameter(fmt::format(R"("table": "t", "column": ["id"], "splitPk": "{}")", key)), 2);
    EXPECT_GE(opened.splits.size(), 5U);
    std::vector<std::string> all;
    std::size_t most = 0;
    auto reader = opened.object->make_reader();
    for (const split& s : opened.splits) {
      const auto part = rows_of(read_split(**reader, opened.description, s, {}));
      most = std::max(most, part.size());
      all.insert(all.end(), part.begin(), part.end());
    }
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all.size(), 400U);
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
    EXPECT_LT(most, 200U) << "one split reads nearly all";
  }
}

TEST_P(mysql_reader_server_test, goes_on_behind_every_cursor) {
  sql(
      {"CREATE TABLE t (a VARCHAR(10) COLLATE utf8mb4_general_ci NOT NULL, b DATETIME(6) NOT NULL, v INT, "
       "PRIMARY KEY "
       "(a, b))",
       "INSERT INTO t VALUES ('a''\\\\', '2024-01-01 00:00:00.000001', 1), ('A''\\\\', '2024-01-01 "
       "00:00:00.000002', 2), "
       "('b', '2024-01-01', 3), ('\xC3\xA4', '0001-01-01', 4), ('z', '2024-01-01', 5)"});
  const auto opened = open_source(mysql_plugin(), parameter(R"("table": "t", "column": ["v"])"));
  ASSERT_TRUE(opened.description.resumable);
  auto reader = opened.object->make_reader();
  batch_builder::limits one;
  one.rows_max = 1;
  const auto batches = read_split(**reader, opened.description, opened.splits[0], one);
  const auto all = rows_of(batches);
  ASSERT_EQ(all.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(batches[i]->after) << i;
    const auto rest =
        rows_of(read_split(**reader, opened.description, opened.splits[0], {}, batches[i]->after));
    EXPECT_EQ(rest, std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()))
        << i;
  }
}

TEST_P(mysql_reader_server_test, reads_shards_as_one_and_names_all_that_are_missing) {
  sql({"CREATE TABLE t_0 (id INT PRIMARY KEY, name VARCHAR(10))",
       "CREATE TABLE t_1 (id INT PRIMARY KEY, name VARCHAR(30))", "INSERT INTO t_0 VALUES (1, 'a')",
       "INSERT INTO t_1 VALUES (1, 'b')"});
  EXPECT_THAT(read(R"("table": "t_[0-1]", "column": ["*"])"), UnorderedElementsAre("1|a", "1|b"));
  const error e = source_refused(R"("table": ["t_[0-1]", "u_[0-1]"], "column": ["*"])");
  EXPECT_THAT(e.message, HasSubstr("u_0"));
  EXPECT_THAT(e.message, HasSubstr("u_1"));
  sql({"CREATE TABLE t_2 (id VARCHAR(3) PRIMARY KEY, name VARCHAR(30))"});
  EXPECT_THAT(source_refused(R"("table": "t_[0-2]", "column": ["*"])").message, HasSubstr("varchar(3)"));
}

TEST_P(mysql_reader_server_test, names_the_entry_that_is_wrong) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(10))"});
  EXPECT_THAT(source_refused(R"("table": "t", "column": ["id", "nmae"])").message,
              HasSubstr("did you mean \"name\""));
  const error expression = source_refused(R"("table": "t", "column": ["id", "nmae + 1"])");
  EXPECT_THAT(expression.message, HasSubstr("column[1]"));
  EXPECT_THAT(expression.message, HasSubstr("nmae"));
  EXPECT_THAT(source_refused(R"("table": "t", "column": ["id"], "where": "nmae = 1")").message,
              HasSubstr("where"));
  EXPECT_THAT(source_refused(R"("table": "tt", "column": ["id"])").message, HasSubstr("did you mean \"t\""));
  EXPECT_EQ(source_refused(R"("querySql": "SELEC 1")").kind, error_kind::bad_option);
}

TEST_P(mysql_reader_server_test, takes_a_table_by_another_case_only_where_it_is_the_only_one) {
  sql({"CREATE TABLE Orders (id INT PRIMARY KEY)", "INSERT INTO Orders VALUES (1)"});
  EXPECT_THAT(read(R"("table": "orders", "column": ["id"])"), ElementsAre("1"));
  const schema id = {{"id", type_of(type_id::int64), true, ""}};
  const error target = target_refused(R"("table": "orders", "column": ["id"])", id);
  EXPECT_THAT(target.message, HasSubstr("did you mean \"Orders\"")) << "preSql names it as the job does";
  sql({"CREATE TABLE ORDERS (id INT PRIMARY KEY)", "INSERT INTO ORDERS VALUES (2)"});
  EXPECT_THAT(source_refused(R"("table": "orders", "column": ["id"])").message, HasSubstr("orders"));
  EXPECT_THAT(read(R"("table": "ORDERS", "column": ["id"])"), ElementsAre("2"));
}

TEST_P(mysql_reader_server_test, names_what_the_server_cannot_compute_as_the_jobs_mistake) {
  sql({"CREATE TABLE t (a INT UNSIGNED PRIMARY KEY, b INT UNSIGNED)", "INSERT INTO t VALUES (1, 2)"});
  for (const auto& [job, place] : {std::pair(R"("table": "t", "column": ["a - b"])", "column"),
                                   {R"("querySql": "SELECT a - b FROM t")", "querySql"}}) {
    const auto opened = open_source(mysql_plugin(), parameter(job));
    auto reader = std::move(*opened.object->make_reader());
    batch_builder builder(opened.description.columns, buffer_pool::make(1 << 20), {});
    const auto done = reader->open(opened.splits[0].description, std::nullopt, {});
    const auto answer = done ? reader->read(builder, {}) : result<read_answer>(fail(done.error()));
    ASSERT_FALSE(answer) << job;
    EXPECT_EQ(answer.error().kind, error_kind::bad_option);
    EXPECT_THAT(answer.error().message, HasSubstr(place));
  }
}

TEST_P(mysql_reader_server_test, changes_nothing_whatever_a_query_calls) {
  sql({"CREATE TABLE t (a INT)",
       "CREATE FUNCTION f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (1); "
       "RETURN 1; END"});
  EXPECT_EQ(source_refused(R"j("querySql": "SELECT f()")j").kind, error_kind::denied);
  EXPECT_THAT(rows("SELECT * FROM t"), ::testing::IsEmpty());
}

TEST_P(mysql_reader_server_test, reads_a_view_as_one_split_without_cursors) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (2), (1)",
       "CREATE VIEW v AS SELECT id FROM t ORDER BY id LIMIT 1"});
  const auto opened =
      open_source(mysql_plugin(), parameter(R"("table": "v", "column": ["id"], "splitPk": "id")"), 4);
  EXPECT_EQ(opened.splits.size(), 1U);
  EXPECT_FALSE(opened.description.resumable);
  EXPECT_THAT(read(R"("table": "v", "column": ["id"])"), ElementsAre("1"));
}

TEST_P(mysql_reader_server_test, asks_for_room_where_a_row_needs_it) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)",
       "INSERT INTO t VALUES (1, 'a'), (2, REPEAT('x', 3000000)), (3, 'c')"});
  const auto opened = open_source(mysql_plugin(), parameter(R"("table": "t", "column": ["*"])"));
  std::size_t needs = 0;
  const auto batches = read_split(**opened.object->make_reader(), opened.description, opened.splits[0], {},
                                  std::nullopt, &needs);
  EXPECT_EQ(rows_of(batches).size(), 3U);
  EXPECT_GE(needs, 1U);
}

TEST_P(mysql_reader_server_test, ends_its_statement_on_the_server_when_it_is_stopped) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)"});
  for (const bool by_interrupt : {true, false}) {
    SCOPED_TRACE(by_interrupt);
    const auto opened =
        open_source(mysql_plugin(), parameter(R"j("table": "t", "column": ["SLEEP(30)", "id"])j"));
    auto reader = std::move(*opened.object->make_reader());
    stop_source stop;
    const auto begun = std::chrono::steady_clock::now();
    std::thread stopper([&] {
      // Only once the statement is seen on the server is there something to end.
      while (admin_
                 ->ask("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT%SLEEP(30)%' AND "
                       "id <> "
                       "CONNECTION_ID()",
                       {})
                 ->empty()) {
        std::this_thread::sleep_for(5ms);
      }
      by_interrupt ? reader->interrupt() : stop.fire();
    });
    batch_builder builder(opened.description.columns, buffer_pool::make(1 << 20), {});
    auto done = reader->open(opened.splits[0].description, std::nullopt, stop.signal());
    if (done) {
      const auto answer = reader->read(builder, stop.signal());
      EXPECT_FALSE(answer);
      if (!answer) {
        EXPECT_EQ(answer.error().kind, error_kind::cancelled) << answer.error().message;
      }
    } else {
      EXPECT_EQ(done.error().kind, error_kind::cancelled) << done.error().message;
    }
    stopper.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 10s);
    for (int tries = 0; tries < 200; ++tries) {
      if (rows("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT%SLEEP(30)%' AND id <> "
               "CONNECTION_ID()")
              .empty()) {
        break;
      }
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_THAT(
        rows("SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT%SLEEP(30)%' AND id <> "
             "CONNECTION_ID()"),
        ::testing::IsEmpty());
  }
}

SLUICE_ON_ALL_SERVERS(mysql_reader_server_test);

}  // namespace
}  // namespace sluice::testing
