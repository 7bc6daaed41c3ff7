#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>

#include "plugins/api/read_again.h"
#include "tests/unit/plugins/mysql/mysql_fixture.h"
#include "transport/record/canonical.h"

namespace sluice::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

schema texts(std::size_t n) {
  return schema(n, field{"", type_of(type_id::utf8), true, ""});
}

std::vector<std::string> refusals(const write_answer& answer) {
  std::vector<std::string> out;
  for (const refused_row& r : answer.refused) {
    out.push_back(fmt::format("{} {} {}", r.row, r.code, r.column));
  }
  return out;
}

class mysql_writer_server_test : public mysql_test {
 protected:
  write_answer write_texts(const std::string& more, const std::vector<std::string>& names,
                           const std::vector<text_row>& values) {
    auto run = begin(more, texts(names.size()));
    return write(run, {text_batch(names, values)});
  }
};

struct mode_case {
  std::string_view mode;
  std::uint64_t written;
  std::uint64_t ignored;
  std::vector<std::string> refused;  ///< `row code column`
  std::vector<std::string> rows;
};

TEST_P(mysql_writer_server_test, does_with_a_key_that_is_there_what_the_write_mode_says) {
  const std::string check = is_mariadb() ? "2 ER_CONSTRAINT_FAILED v" : "2 ER_CHECK_CONSTRAINT_VIOLATED v";
  const mode_case cases[] = {
      {"insert", 2, 0, {"1 ER_DUP_ENTRY k", check}, {"a|old|kept", "b|new|<null>", "d|last|<null>"}},
      {"replace", 3, 0, {check}, {"a|new|<null>", "b|new|<null>", "d|last|<null>"}},
      {"update", 3, 0, {check}, {"a|new|kept", "b|new|<null>", "d|last|<null>"}},
      {"ignore", 2, 1, {check}, {"a|old|kept", "b|new|<null>", "d|last|<null>"}},
  };
  for (const mode_case& c : cases) {
    SCOPED_TRACE(c.mode);
    sql({"DROP TABLE IF EXISTS t, sluice_run, sluice_progress",
         "CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v VARCHAR(10), w VARCHAR(10), CHECK (v <> 'bad'))",
         "INSERT INTO t VALUES ('a', 'old', 'kept')"});
    const auto answer =
        write_texts(fmt::format(R"("table": "t", "column": ["k", "v"], "writeMode": "{}")", c.mode),
                    {"k", "v"}, {{"b", "new"}, {"a", "new"}, {"c", "bad"}, {"d", "last"}});
    EXPECT_EQ(answer.written, c.written);
    EXPECT_EQ(answer.ignored, c.ignored);
    EXPECT_EQ(refusals(answer), c.refused);
    EXPECT_EQ(rows("SELECT * FROM t ORDER BY k"), c.rows);
  }
}

TEST_P(mysql_writer_server_test, updates_only_the_columns_of_updateColumn) {
  sql({"CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v VARCHAR(10), w VARCHAR(10))",
       "INSERT INTO t VALUES ('a', 'old', 'old')"});
  const auto answer =
      write_texts(R"("table": "t", "column": ["k", "v", "w"], "writeMode": "update", "updateColumn": ["w"])",
                  {"k", "v", "w"}, {{"a", "new", "new"}, {"b", "new", "new"}});
  EXPECT_EQ(answer.written, 2U);
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY k"), ElementsAre("a|old|new", "b|new|new"));
}

TEST_P(mysql_writer_server_test, leaves_nulls_out_where_it_is_asked_to) {
  sql(
      {"CREATE TABLE t (id VARCHAR(10) PRIMARY KEY, a VARCHAR(10) NOT NULL DEFAULT 'none', b VARCHAR(10) "
       "DEFAULT 'x')"});
  const auto answer =
      write_texts(R"("table": "t", "column": ["*"], "nullMode": "skipNull", "skipNullColumn": ["A"])",
                  {"id", "a", "b"}, {{"1", nullptr, nullptr}, {"2", "set", "set"}});
  EXPECT_EQ(answer.written, 2U);
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY id"), ElementsAre("1|none|<null>", "2|set|set"));
  EXPECT_THAT(target_refused(
                  R"("table": "t", "column": ["*"], "writeMode": "update", "nullMode": "skipNull")", texts(3))
                  .message,
              HasSubstr("nullMode"));
}

struct refused_case {
  std::string_view column;
  const char* value;
  std::string_view code;
};

TEST_P(mysql_writer_server_test, makes_a_bad_row_dirty_with_its_column_and_the_servers_reason) {
  const refused_case cases[] = {
      {"v VARCHAR(3) NOT NULL", nullptr, "ER_BAD_NULL_ERROR"},
      {"v VARCHAR(3) CHARACTER SET latin1", "\xE4\xBD\xA0", "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"},
      {"v VARCHAR(3) UNIQUE", "old", "ER_DUP_ENTRY"},
      {"v CHAR(3)", "a ", "not_representable"},
      {"v ENUM('a','b')", "1", "not_representable"},
      {"v JSON", "{", ""},
  };
  for (const refused_case& c : cases) {
    SCOPED_TRACE(c.column);
    sql({"DROP TABLE IF EXISTS t, sluice_run, sluice_progress",
         fmt::format("CREATE TABLE t (id VARCHAR(10) PRIMARY KEY, {})", c.column)});
    const bool is_json = std::string_view(c.column).find("JSON") != std::string_view::npos;
    const bool is_enum = std::string_view(c.column).find("ENUM") != std::string_view::npos;
    const char* good = is_json ? "[]" : is_enum ? "a" : "x";
    if (c.code == "ER_DUP_ENTRY") {
      sql({"INSERT INTO t VALUES ('0', 'old')"});
    }
    std::vector<text_row> values;
    for (const char* id : {"1", "2", "3", "4", "5"}) {
      values.push_back({id, std::string_view(id) == "3" ? c.value : c.code == "ER_DUP_ENTRY" ? id : good});
    }
    const auto answer = write_texts(R"("table": "t", "column": ["id", "v"])", {"id", "v"}, values);
    EXPECT_EQ(answer.written, 4U);
    ASSERT_EQ(answer.refused.size(), 1U);
    EXPECT_EQ(answer.refused[0].row, 2U);
    if (!c.code.empty()) {
      EXPECT_EQ(answer.refused[0].code, c.code) << answer.refused[0].message;
      EXPECT_EQ(answer.refused[0].column, "v") << answer.refused[0].message;
    }
    EXPECT_THAT(answer.refused[0].message, ::testing::Not(IsEmpty()));
    EXPECT_THAT(rows("SELECT id FROM t WHERE id > 0 ORDER BY id"), ElementsAre("1", "2", "4", "5"));
  }
}

TEST_P(mysql_writer_server_test, keeps_every_good_row_whatever_the_pattern_of_bad_ones) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10) UNIQUE)"});
  const schema columns = {{"id", type_of(type_id::int64), true, ""}, {"v", type_of(type_id::utf8), true, ""}};
  const auto is_bad = [](int pattern, std::uint32_t i) {
    switch (pattern) {
      case 0:
        return false;
      case 1:
        return i % 100 == 17;
      case 2:
        return i % 2 == 0;
      case 3:
        return true;
      case 4:
        return i == 0 || i == 4999;
      default:
        return i >= 100 && i < 400;
    }
  };
  for (int pattern = 0; pattern < 6; ++pattern) {
    SCOPED_TRACE(pattern);
    sql({"DROP TABLE IF EXISTS sluice_run, sluice_progress", "DELETE FROM t",
         "INSERT INTO t VALUES (-1, 'taken')"});
    auto run = begin(R"("table": "t", "column": ["id", "v"], "batchSize": 1000)", columns);
    batch_builder builder(run.description.columns, buffer_pool::make(1 << 24), {});
    constexpr std::uint32_t n = 5000;
    std::vector<std::uint32_t> bad;
    for (std::uint32_t i = 0; i < n; ++i) {
      builder.at(0).append(std::int64_t{i});
      builder.at(1).append_bytes(is_bad(pattern, i) ? "taken" : fmt::format("{}", i));
      builder.commit_row();
      if (is_bad(pattern, i)) {
        bad.push_back(i);
      }
    }
    const auto b = builder.seal(0);
    const auto answer = write(run, {b});
    EXPECT_EQ(answer.written, n - bad.size());
    std::vector<std::uint32_t> refused;
    for (const refused_row& r : answer.refused) {
      refused.push_back(r.row);
      EXPECT_EQ(r.code, "ER_DUP_ENTRY");
      EXPECT_EQ(r.column, "v");
    }
    EXPECT_EQ(refused, bad);
    EXPECT_THAT(rows("SELECT COUNT(*) - 1 FROM t"), ElementsAre(std::to_string(n - bad.size())));
  }
}

TEST_P(mysql_writer_server_test, takes_a_warning_for_a_refusal) {
  // Blanks beyond the length are cut with a note; the channel, which would refuse them, is not here.
  sql({"CREATE TABLE t (k VARCHAR(2))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  const auto rows_of_test = text_batch({"k"}, {{"a"}, {"b"}, {"ab  "}, {"c"}, {"d"}});
  ASSERT_TRUE(run.out->open({0}, epoch_number::make(1, 1, 0), {}));
  const auto first = run.out->write(*rows_of_test, {});
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code, read_again_code) << first.error().message;
  run.out->rollback();
  const auto m = run.out->open({0}, epoch_number::make(1, 1, 1), {});
  ASSERT_TRUE(m) << m.error().message;
  const auto again = run.out->write(*rows_of_test, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->written, 4U);
  ASSERT_EQ(again->refused.size(), 1U);
  EXPECT_EQ(again->refused[0].row, 2U);
  EXPECT_EQ(again->refused[0].code, "WARN_DATA_TRUNCATED");
  EXPECT_EQ(again->refused[0].column, "k");
  mark done = *m;
  done.transaction = 1;
  ASSERT_TRUE(run.out->commit(done, {}));
  EXPECT_THAT(rows("SELECT k FROM t"), ::testing::UnorderedElementsAre("a", "b", "c", "d"));
}

TEST_P(mysql_writer_server_test, writes_without_savepoints_again_after_ten_clean_batches_and_a_commit) {
  sql({"CREATE TABLE t (k VARCHAR(2))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  const auto bad = text_batch({"k"}, {{"a"}, {"ab  "}});
  const auto clean = text_batch({"k"}, {{"b"}});
  ASSERT_TRUE(run.out->open({0}, epoch_number::make(1, 1, 0), {}));
  ASSERT_FALSE(run.out->write(*bad, {}));
  run.out->rollback();
  mark done = *run.out->open({0}, epoch_number::make(1, 1, 1), {});
  const auto write_and_commit = [&](std::size_t clean_batches) {
    const auto refused = run.out->write(*bad, {});
    EXPECT_EQ(refused ? refused->refused.size() : 0U, 1U);
    for (std::size_t i = 0; i < clean_batches; ++i) {
      EXPECT_TRUE(run.out->write(*clean, {}));
    }
    ++done.transaction;
    ++done.sequence;
    EXPECT_TRUE(run.out->commit(done, {}));
  };
  write_and_commit(9);
  write_and_commit(10);
  const auto again = run.out->write(*bad, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, read_again_code) << again.error().message;
  run.out->rollback();
}

TEST_P(mysql_writer_server_test, has_nothing_read_again_once_that_is_forbidden) {
  sql({"CREATE TABLE t (k VARCHAR(2))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  mark done = *run.out->open({0}, epoch_number::make(1, 1, 0), {});
  const auto commit = [&] {
    ++done.transaction;
    return run.out->commit(done, {}).has_value();
  };
  ASSERT_TRUE(commit());
  run.out->forbid_reading_again();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(run.out->write(*text_batch({"k"}, {{"b"}}), {}));
    ASSERT_TRUE(commit());
  }
  const auto answer = run.out->write(*text_batch({"k"}, {{"a"}, {"ab  "}}), {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->refused.size(), 1U);
  ASSERT_TRUE(commit());
}

struct blame_case {
  std::string_view what;
  std::vector<std::string> made;
  std::string_view bad;
  std::string_view refused;  ///< `row code column`
};

TEST_P(mysql_writer_server_test, refuses_the_row_that_is_bad_by_itself_whatever_row_a_message_names) {
  const std::string table = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60))";
  const std::string unique = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(60) UNIQUE)";
  const std::string audits =
      "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO audit VALUES (NEW.v)";
  const blame_case cases[] = {
      {"a duplicate value that names a row",
       {unique, "INSERT INTO t VALUES (0, 'wrong at row 1')"},
       "wrong at row 1",
       "11 ER_DUP_ENTRY v"},
      {"a duplicate value that names a column",
       {unique, "INSERT INTO t VALUES (0, 'x for column `id` at row 1')"},
       "x for column `id` at row 1",
       "11 ER_DUP_ENTRY v"},
      {"a row of a trigger's statement",
       {table, "CREATE TABLE audit (v VARCHAR(5))", audits},
       "much too long",
       is_mariadb() ? "11 ER_DATA_TOO_LONG v" : "11 WARN_DATA_TRUNCATED v"},
      {"a duplicate of a trigger's statement",
       {table, "CREATE TABLE audit (v VARCHAR(5) PRIMARY KEY)", audits, "INSERT INTO audit VALUES ('taken')"},
       "taken",
       "11 ER_DUP_ENTRY "},
  };
  const schema columns = {{"id", type_of(type_id::int64), true, ""}, {"v", type_of(type_id::utf8), true, ""}};
  for (const blame_case& c : cases) {
    SCOPED_TRACE(c.what);
    sql({"DROP TABLE IF EXISTS t, audit, sluice_run, sluice_progress"});
    sql(c.made);
    auto run = begin(R"("table": "t", "column": ["id", "v"])", columns);
    batch_builder builder(run.description.columns, buffer_pool::make(1 << 20), {});
    std::vector<std::string> good;
    for (std::int64_t id = 1; id <= 20; ++id) {
      builder.at(0).append(id);
      builder.at(1).append_bytes(id == 12 ? std::string(c.bad) : fmt::format("v{}", id));
      builder.commit_row();
      if (id != 12) {
        good.push_back(std::to_string(id));
      }
    }
    const auto answer = write(run, {builder.seal(0)});
    EXPECT_THAT(refusals(answer), ElementsAre(c.refused));
    EXPECT_EQ(answer.written, good.size());
    EXPECT_EQ(rows("SELECT id FROM t WHERE id > 0 ORDER BY id"), good);
  }
}

TEST_P(mysql_writer_server_test, refuses_a_table_whose_engine_takes_nothing_back) {
  std::vector<std::string> engines = {"MyISAM"};
  if (is_mariadb()) {
    engines.emplace_back("Aria");
  }
  for (const std::string& engine : engines) {
    sql({"DROP TABLE IF EXISTS t", "CREATE TABLE t (k VARCHAR(10)) ENGINE=" + engine});
    const error e = target_refused(R"("table": "t", "column": ["k"])", texts(1));
    EXPECT_EQ(e.kind, error_kind::not_supported);
    EXPECT_THAT(e.message, HasSubstr(engine));
    EXPECT_THAT(e.message, HasSubstr("ENGINE=InnoDB"));
  }
}

TEST_P(mysql_writer_server_test, refuses_to_ignore_where_a_trigger_would_act_on_rows_that_are_there) {
  sql({"CREATE TABLE t (k VARCHAR(10) PRIMARY KEY, v VARCHAR(10), m INT DEFAULT 0)",
       "INSERT INTO t (k, v) VALUES ('a', 'old')",
       "CREATE TRIGGER inserts BEFORE INSERT ON t FOR EACH ROW SET NEW.m = 1"});
  const std::string ignore = R"("table": "t", "column": ["k", "v"], "writeMode": "ignore")";
  const auto answer = write_texts(ignore, {"k", "v"}, {{"a", "new"}, {"b", "new"}});
  EXPECT_EQ(answer.written, 1U);
  EXPECT_EQ(answer.ignored, 1U);
  EXPECT_THAT(rows("SELECT * FROM t ORDER BY k"), ElementsAre("a|old|0", "b|new|1"));
  sql({"CREATE TRIGGER updates BEFORE UPDATE ON t FOR EACH ROW SET NEW.m = OLD.m + 1"});
  const error e = target_refused(ignore, texts(2));
  EXPECT_EQ(e.kind, error_kind::bad_option);
  EXPECT_THAT(e.message, HasSubstr("writeMode"));
  EXPECT_THAT(e.message, HasSubstr("UPDATE trigger"));
}

TEST_P(mysql_writer_server_test, takes_a_warning_that_the_server_does_not_list_for_a_refusal) {
  // A blank beyond the length is cut with a note.
  const std::string longer = std::string(65'535, 'x') + " ";
  struct hiding_case {
    std::string_view more;
    std::vector<std::string> made;
  };
  const hiding_case cases[] = {
      {R"(, "session": ["SET max_error_count = 0"])", {}},
      {"", {"CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET SESSION max_error_count = 0"}},
  };
  for (const hiding_case& c : cases) {
    SCOPED_TRACE(c.more);
    sql({"DROP TABLE IF EXISTS t, sluice_run, sluice_progress",
         "CREATE TABLE t (k TEXT CHARACTER SET latin1)"});
    sql(c.made);
    auto run = begin(fmt::format(R"("table": "t", "column": ["k"]{})", c.more), texts(1));
    ASSERT_TRUE(run.out->open({0}, epoch_number::make(1, 1, 0), {}));
    const auto answer = run.out->write(*text_batch({"k"}, {{"a"}, {longer.c_str()}}), {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, read_again_code) << answer.error().message;
    run.out->rollback();
  }
}

TEST_P(mysql_writer_server_test, runs_procedures_that_select_as_steps) {
  sql({"CREATE TABLE t (k VARCHAR(10))", "CREATE TABLE called (n INT)",
       "CREATE PROCEDURE p() BEGIN INSERT INTO called VALUES (1); SELECT 1; SELECT 2; END"});
  auto run =
      begin(R"j("table": "t", "column": ["k"], "preSql": "CALL p()", "postSql": "CALL p()")j", texts(1));
  write(run, {text_batch({"k"}, {{"a"}})});
  const auto after = run.object->run_step_after(0, {});
  EXPECT_TRUE(after) << after.error().message;
  EXPECT_THAT(rows("SELECT COUNT(*) FROM called"), ElementsAre("2"));
}

TEST_P(mysql_writer_server_test, fences_an_older_epoch_and_gives_the_mark_back) {
  sql({"CREATE TABLE t (k VARCHAR(10))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  auto second = *run.object->make_writer(run.description.columns);
  const auto m = run.out->open({0}, epoch_number::make(1, 1, 0), {});
  ASSERT_TRUE(m) << m.error().message;
  ASSERT_TRUE(run.out->write(*text_batch({"k"}, {{"a"}}), {}));
  mark done = *m;
  done.transaction = 1;
  done.sequence = 1;
  done.position = 1;
  done.after = cursor{{"k", {std::string("\xC3\xA4'\\")}}};
  ASSERT_TRUE(run.out->commit(done, {}));
  const auto again = second->open({0}, epoch_number::make(1, 2, 0), {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->after, done.after);
  EXPECT_EQ(again->sequence, 1U);
  const auto late = run.out->write(*text_batch({"k"}, {{"b"}}), {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, error_kind::conflict) << late.error().message;
  run.out->rollback();
  EXPECT_THAT(rows("SELECT k FROM t"), ElementsAre("a"));
}

TEST_P(mysql_writer_server_test, leaves_nothing_of_a_transaction_that_is_taken_back) {
  sql({"CREATE TABLE t (k VARCHAR(10))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  ASSERT_TRUE(run.out->open({0}, epoch_number::make(1, 1, 0), {}));
  ASSERT_TRUE(run.out->write(*text_batch({"k"}, {{"a"}}), {}));
  run.out->rollback();
  EXPECT_THAT(rows("SELECT k FROM t"), IsEmpty());
}

TEST_P(mysql_writer_server_test, reports_a_killed_connection_as_lost_and_goes_on_after_open) {
  sql({"CREATE TABLE t (k VARCHAR(10))"});
  auto run = begin(R"("table": "t", "column": ["k"])", texts(1));
  ASSERT_TRUE(run.out->open({0}, epoch_number::make(1, 1, 0), {}));
  ASSERT_TRUE(run.out->write(*text_batch({"k"}, {{"a"}}), {}));
  for (const std::string& id :
       rows("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> "
            "CONNECTION_ID()")) {
    (void)admin_->run("KILL " + id, {});
  }
  const auto lost = run.out->write(*text_batch({"k"}, {{"b"}}), {});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind, error_kind::not_connected) << lost.error().message;
  run.out->rollback();
  const auto m = run.out->open({0}, epoch_number::make(1, 1, 1), {});
  ASSERT_TRUE(m) << m.error().message;
  ASSERT_TRUE(run.out->write(*text_batch({"k"}, {{"c"}}), {}));
  mark done = *m;
  done.transaction = 1;
  ASSERT_TRUE(run.out->commit(done, {}));
  EXPECT_THAT(rows("SELECT k FROM t"), ElementsAre("c"));
}

TEST_P(mysql_writer_server_test, makes_the_table_it_is_asked_for) {
  schema columns = {{"id", type_of(type_id::int64), false, ""},
                    {"name", type_of(type_id::utf8), true, ""},
                    {"price", decimal_type(12, 2), true, ""},
                    {"at", time_type(type_id::timestamp, time_unit::milli), true, ""}};
  columns[1].type.length_max = 20;
  auto run = begin(R"("table": "made", "column": ["*"], "createTable": true)", columns);
  EXPECT_THAT(
      rows("SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = "
           "DATABASE() AND TABLE_NAME = 'made' ORDER BY ORDINAL_POSITION"),
      ElementsAre("id|bigint|NO", "name|varchar|YES", "price|decimal|YES", "at|datetime|YES"));
  EXPECT_EQ((*run.description.columns)[2].type, columns[2].type);
  EXPECT_EQ((*run.description.columns)[3].type, columns[3].type);
}

TEST_P(mysql_writer_server_test, runs_preSql_and_postSql_with_the_tables_name) {
  sql({"CREATE TABLE t (k VARCHAR(10))", "INSERT INTO t VALUES ('old')"});
  auto run = begin(
      R"j("table": "t", "column": ["k"], "preSql": ["TRUNCATE TABLE @table", "INSERT INTO @table VALUES ('pre')"], "postSql": "INSERT INTO @table VALUES ('post')")j",
      texts(1));
  EXPECT_TRUE(run.description.empties);
  write(run, {text_batch({"k"}, {{"a"}})});
  ASSERT_TRUE(run.object->run_step_after(0, {}));
  EXPECT_THAT(rows("SELECT k FROM t ORDER BY k"), ElementsAre("a", "post", "pre"));
}

TEST_P(mysql_writer_server_test, names_what_does_not_fit_before_data_moves) {
  sql({"CREATE TABLE t (id INT NOT NULL, name VARCHAR(10))", "CREATE VIEW v AS SELECT * FROM t"});
  struct wrong_case {
    std::string_view more;
    std::size_t columns;
    std::string_view said;
  };
  const wrong_case cases[] = {
      {R"("table": "tt", "column": ["*"])", 2, "did you mean \"t\""},
      {R"("table": "v", "column": ["*"])", 2, "a view"},
      {R"("table": "t", "column": ["id", "nam"])", 2, "did you mean \"name\""},
      {R"("table": "t", "column": ["*"])", 3, "3 columns"},
      {R"("table": "t", "column": ["name"])", 1, "NOT NULL without a default"},
      {R"("table": "t", "column": ["*"], "writeMode": "update")", 2, "no unique index"},
      {R"("table": "t", "column": ["*"], "writeMode": "upsert")", 2, "writeMode"},
  };
  for (const wrong_case& c : cases) {
    const error e = target_refused(std::string(c.more), texts(c.columns));
    EXPECT_THAT(e.message, HasSubstr(c.said));
  }
}

TEST_P(mysql_writer_server_test, takes_a_row_larger_than_a_statement_whole_by_LOAD_DATA_and_else_as_dirty) {
  const schema columns = {{"id", type_of(type_id::int64), true, ""}, {"v", type_of(type_id::utf8), true, ""}};
  const auto packet = std::stoull(rows("SELECT @@max_allowed_packet")[0]);
  for (const bool loads : {true, false}) {
    SCOPED_TRACE(loads);
    sql({"DROP TABLE IF EXISTS t, sluice_run, sluice_progress", "CREATE TABLE t (id INT, v LONGTEXT)"});
    auto run = begin(
        fmt::format(R"("table": "t", "column": ["*"], "nullMode": "{}")", loads ? "writeNull" : "skipNull"),
        columns);
    batch_builder builder(run.description.columns, buffer_pool::make(std::size_t{1} << 28), {});
    for (const std::size_t size : {std::size_t{10}, static_cast<std::size_t>(packet), std::size_t{20}}) {
      builder.at(0).append(static_cast<std::int64_t>(size));
      builder.at(1).append_bytes(std::string(size, 'x'));
      builder.commit_row();
    }
    const auto answer = write(run, {builder.seal(0)});
    EXPECT_EQ(answer.written, loads ? 3U : 2U);
    EXPECT_EQ(refusals(answer),
              loads ? std::vector<std::string>() : std::vector<std::string>{"1 ER_NET_PACKET_TOO_LARGE "});
  }
}

SLUICE_ON_ALL_SERVERS(mysql_writer_server_test);

}  // namespace
}  // namespace sluice::testing
