#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "plugins/sqlite/sqlite_writer.h"
#include "tests/unit/plugins/sqlite/sqlite_fixture.h"
#include "transport/record/batch_builder.h"
#include "transport/record/canonical.h"
#include "transport/record/convert.h"

namespace sluice::testing {
namespace {

const epoch_number first_epoch = epoch_number::make(1, 1, 0);

class sqlite_writer_test : public sqlite_test {
 protected:
  /// Begins a run with these columns of text, writes the rows and commits what was taken.
  write_answer write_texts(const std::string& more, const std::vector<std::string>& names,
                           const std::vector<text_row>& values) {
    schema columns;
    for (const std::string& n : names) {
      columns.push_back(column_of(n, type_of(type_id::utf8)));
    }
    auto run = begin(more, columns);
    return write(run, *text_batch(names, values));
  }
  static write_answer write(begun_run& run, const batch& b) {
    const auto m = run.out->open({0}, first_epoch, {});
    EXPECT_TRUE(m) << m.error().message;
    auto answer = run.out->write(b, {});
    EXPECT_TRUE(answer) << answer.error().message;
    const auto done = run.out->commit(mark_of(*m, 1, 0, true), {});
    EXPECT_TRUE(done) << done.error().message;
    return answer.value_or(write_answer{});
  }
};

struct mode_case {
  std::string_view mode;
  std::uint64_t written;
  std::uint64_t ignored;
  std::vector<std::string> refused;  ///< `row code column`
  std::vector<std::string> rows;
};

TEST_F(sqlite_writer_test, does_with_a_key_that_is_there_what_the_write_mode_says) {
  const std::string unique_1 = "1 SQLITE_CONSTRAINT_PRIMARYKEY k";
  const std::string check_2 = "2 SQLITE_CONSTRAINT_CHECK ";
  const mode_case cases[] = {
      {"insert",
       2,
       0,
       {"1 SQLITE_CONSTRAINT_PRIMARYKEY k", check_2},
       {"a|old|kept", "b|new|<null>", "d|new|<null>"}},
      {"INSERT INTO",
       2,
       0,
       {"1 SQLITE_CONSTRAINT_PRIMARYKEY k", check_2},
       {"a|old|kept", "b|new|<null>", "d|new|<null>"}},
      {"ignore", 2, 1, {check_2}, {"a|old|kept", "b|new|<null>", "d|new|<null>"}},
      {"insert ignore", 2, 1, {check_2}, {"a|old|kept", "b|new|<null>", "d|new|<null>"}},
      {"replace", 3, 0, {check_2}, {"a|new|<null>", "b|new|<null>", "d|new|<null>"}},
      {"Update", 3, 0, {check_2}, {"a|new|kept", "b|new|<null>", "d|new|<null>"}},
  };
  for (const mode_case& c : cases) {
    sql("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS sluice_run; DROP TABLE IF EXISTS sluice_progress;"
        "CREATE TABLE t(k TEXT PRIMARY KEY, v TEXT CHECK(v <> 'bad'), other TEXT); INSERT INTO t VALUES('a', "
        "'old', 'kept')");
    const auto answer =
        write_texts(fmt::format(R"("table": "t", "column": ["k", "v"], "writeMode": "{}")", c.mode),
                    {"k", "v"}, {{"b", "new"}, {"a", "new"}, {"c", "bad"}, {"d", "new"}});
    EXPECT_EQ(answer.written, c.written) << c.mode;
    EXPECT_EQ(answer.ignored, c.ignored) << c.mode;
    std::vector<std::string> refused;
    for (const refused_row& r : answer.refused) {
      refused.push_back(fmt::format("{} {} {}", r.row, r.code, r.column));
    }
    EXPECT_EQ(refused, c.refused) << c.mode;
    EXPECT_EQ(rows("SELECT * FROM t ORDER BY k"), c.rows) << c.mode;
  }
}

TEST_F(sqlite_writer_test, sums_only_the_rows_that_were_written) {
  sql("CREATE TABLE t(k TEXT PRIMARY KEY)");
  const auto b = text_batch({"k"}, {{"a"}, {"b"}, {"a"}, {"c"}, {"c"}});
  auto run = begin(R"("table": "t", "column": ["k"])", *b->columns_schema);
  const auto answer = write(run, *b);
  ASSERT_EQ(answer.refused.size(), 2u);
  const row_sum expected = canonical_sum(b->columns, *b->columns_schema, 0, 2) +
                           canonical_sum(b->columns, *b->columns_schema, 3, 4);
  EXPECT_EQ(answer.written_sum, expected);
}

TEST_F(sqlite_writer_test, overrules_a_tables_own_conflict_clause) {
  sql("CREATE TABLE t(k TEXT UNIQUE ON CONFLICT ROLLBACK, v TEXT); INSERT INTO t VALUES('a', 'old')");
  const auto answer =
      write_texts(R"("table": "t", "column": ["k", "v"])", {"k", "v"}, {{"b", "1"}, {"a", "2"}, {"c", "3"}});
  EXPECT_EQ(answer.written, 2u);
  ASSERT_EQ(answer.refused.size(), 1u);
  EXPECT_EQ(answer.refused[0].code, "SQLITE_CONSTRAINT_UNIQUE");
  EXPECT_EQ(rows("SELECT k, v FROM t ORDER BY k"), (std::vector<std::string>{"a|old", "b|1", "c|3"}));
}

TEST_F(sqlite_writer_test, takes_a_triggers_refusal_for_a_bad_row_and_its_ignore_for_ignored) {
  sql("CREATE TABLE t(k TEXT); CREATE TRIGGER no BEFORE INSERT ON t BEGIN"
      " SELECT RAISE(ABORT, 'not on Sundays') WHERE NEW.k = 'sunday'; SELECT RAISE(IGNORE) WHERE NEW.k = "
      "'skip'; END");
  const auto answer =
      write_texts(R"("table": "t", "column": ["k"])", {"k"}, {{"monday"}, {"sunday"}, {"skip"}});
  EXPECT_EQ(answer.written, 1u);
  EXPECT_EQ(answer.ignored, 1u);
  ASSERT_EQ(answer.refused.size(), 1u);
  EXPECT_EQ(answer.refused[0].code, "SQLITE_CONSTRAINT_TRIGGER");
  EXPECT_EQ(answer.refused[0].message, "not on Sundays");
}

TEST_F(sqlite_writer_test, says_what_is_wrong_when_a_trigger_undoes_the_whole_transaction) {
  sql("CREATE TABLE t(k TEXT); CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'no') WHERE "
      "NEW.k = 'b'; END");
  auto run = begin(R"("table": "t", "column": ["k"])", {column_of("k", type_of(type_id::utf8))});
  ASSERT_TRUE(run.out->open({0}, first_epoch, {}));
  const auto answer = run.out->write(*text_batch({"k"}, {{"a"}, {"b"}}), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::not_supported);
  EXPECT_NE(answer.error().message.find("RAISE(ABORT)"), std::string::npos) << answer.error().message;
}

TEST_F(sqlite_writer_test, blames_the_row_for_an_error_in_an_expression_over_its_values) {
  sql("CREATE TABLE t(j TEXT, a TEXT AS (json_extract(j, '$.a')) STORED)");
  const auto answer = write_texts(R"("table": "t", "column": ["j"])", {"j"}, {{R"({"a": 1})"}, {"{broken"}});
  EXPECT_EQ(answer.written, 1u);
  ASSERT_EQ(answer.refused.size(), 1u);
  EXPECT_EQ(answer.refused[0].message, "malformed JSON");
}

TEST_F(sqlite_writer_test, fails_the_run_when_the_table_is_gone_in_the_middle) {
  sql("CREATE TABLE t(k TEXT)");
  auto run = begin(R"("table": "t", "column": ["k"])", {column_of("k", type_of(type_id::utf8))});
  ASSERT_TRUE(run.out->open({0}, first_epoch, {}));
  sql("DROP TABLE t");
  const auto answer = run.out->write(*text_batch({"k"}, {{"a"}}), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::source_changed) << answer.error().message;
}

TEST_F(sqlite_writer_test, calls_a_deferred_foreign_key_nobodys_fault_and_fails) {
  sql("CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE t(k TEXT, p INTEGER REFERENCES p DEFERRABLE "
      "INITIALLY DEFERRED)");
  const schema columns = {column_of("p", type_of(type_id::utf8))};
  auto run = begin(R"("table": "t", "column": ["k"], "session": ["PRAGMA foreign_keys = ON"])", columns);
  sql("CREATE TRIGGER orphan AFTER INSERT ON t WHEN NEW.p IS NULL BEGIN UPDATE t SET p = 5 WHERE rowid = "
      "NEW.rowid; END");
  const auto m = run.out->open({0}, first_epoch, {});
  ASSERT_TRUE(m && run.out->write(*text_batch({"p"}, {{"a"}}), {}));
  const auto committed = run.out->commit(mark_of(*m, 1, 1, true), {});
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind, error_kind::not_supported) << committed.error().message;
  run.out->rollback();
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"});
}

TEST_F(sqlite_writer_test, fails_without_room_and_goes_on_once_there_is_some) {
  sql("CREATE TABLE t(k TEXT)");
  const std::string more = R"("table": "t", "column": ["k"])";
  const schema columns = {column_of("k", type_of(type_id::utf8))};
  const std::string large(300'000, 'x');
  {
    auto run = begin(more + R"(, "session": ["PRAGMA max_page_count = 40"])", columns);
    ASSERT_TRUE(run.out->open({0}, first_epoch, {}));
    const auto answer = run.out->write(*text_batch({"k"}, {{large.c_str()}}), {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, error_kind::no_room) << answer.error().message;
    EXPECT_EQ(answer.error().code, "SQLITE_FULL");
    ASSERT_TRUE((run.out->rollback(), run.object->progress()->discard(run.row.run)));
  }
  auto run = begin(more, columns);
  EXPECT_EQ(write(run, *text_batch({"k"}, {{large.c_str()}})).written, 1u);
}

TEST_F(sqlite_writer_test, fails_as_busy_when_the_file_stays_locked) {
  sql("CREATE TABLE t(k TEXT)");
  auto run =
      begin(R"("table": "t", "column": ["k"], "busyTimeout": 10)", {column_of("k", type_of(type_id::utf8))});
  ASSERT_TRUE(run.out->open({0}, first_epoch, {}));
  auto other = sqlite::database::open(file(), sqlite::open_mode::read_write, std::chrono::milliseconds(0));
  ASSERT_TRUE(other && other->run("BEGIN IMMEDIATE"));
  const auto answer = run.out->write(*text_batch({"k"}, {{"a"}}), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::busy);
  EXPECT_TRUE(answer.error().final);
}

TEST_F(sqlite_writer_test, stops_between_rows_when_interrupted_and_works_again_after_open) {
  sql("CREATE TABLE t(k TEXT)");
  auto run = begin(R"("table": "t", "column": ["k"])", {column_of("k", type_of(type_id::utf8))});
  ASSERT_TRUE(run.out->open({0}, first_epoch, {}));
  run.out->interrupt();
  const auto answer = run.out->write(*text_batch({"k"}, {{"a"}}), {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::cancelled);
  run.out->rollback();
  ASSERT_TRUE(run.out->open({0}, first_epoch.next(), {}));
  EXPECT_TRUE(run.out->write(*text_batch({"k"}, {{"a"}}), {}));
}

struct text_case {
  std::string_view declared;
  const char* value;
  std::string stored;  ///< `quote()` and `typeof()` of what is there; empty = refused.
};

TEST_F(sqlite_writer_test, stores_a_text_only_where_it_reads_back_as_it_came) {
  const text_case cases[] = {
      {"TEXT", "007", "'007' text"},
      {"STRING", "007", ""},
      {"STRING", "7", "7 integer"},
      {"STRING", "1.50", ""},
      {"STRING", "1.5", "1.5 real"},
      {"STRING", " 7", ""},
      {"STRING", "+7", ""},
      {"STRING", "1e3", ""},
      {"STRING", "abc", "'abc' text"},
      {"STRING", "Infinity", "'Infinity' text"},
      {"STRING", "", "'' text"},
      {"STRING", "1-2", "'1-2' text"},
      {"DATE", "2024-02-30", "'2024-02-30' text"},
      {"DATE", "20240105", "20240105 integer"},
      {"", "007", "'007' text"},
      {"BLOB", "007", "'007' text"},
      {"STRING", "9223372036854775808", ""},
      {"STRING", "9007199254740993", "9007199254740993 integer"},
  };
  for (const text_case& c : cases) {
    sql(
        fmt::format("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS sluice_run; DROP TABLE IF EXISTS "
                    "sluice_progress; CREATE TABLE t(v {})",
                    c.declared));
    const auto answer = write_texts(R"("table": "t", "column": ["v"])", {"v"}, {{c.value}});
    const auto found = rows("SELECT quote(v) || ' ' || typeof(v) FROM t");
    if (c.stored.empty()) {
      EXPECT_EQ(answer.refused.size(), 1u) << c.declared << " " << c.value;
      EXPECT_TRUE(found.empty()) << c.declared << " " << c.value << " is " << found[0];
      EXPECT_TRUE(answer.refused.empty() || answer.refused[0].column == "v");
    } else {
      EXPECT_EQ(found, std::vector<std::string>{c.stored}) << c.declared << " " << c.value;
    }
  }
}

/// One column of a type, one value, and what becomes of it in columns of a declared type.
struct value_case {
  std::string_view declared;
  data_type type;
  std::function<void(column_builder&)> append;
  std::string stored;     ///< As above.
  std::string code = "";  ///< Of the refusal.
};

TEST_F(sqlite_writer_test, stores_each_type_exactly_or_refuses_the_row) {
  const auto i64 = [](std::int64_t v) { return [v](column_builder& c) { c.append(v); }; };
  const auto f64 = [](double v) { return [v](column_builder& c) { c.append(v); }; };
  const auto dec = [](std::int64_t v) { return [v](column_builder& c) { c.append(int128{v}); }; };
  const auto txt = [](std::string v) { return [v](column_builder& c) { c.append_bytes(v); }; };
  const auto time_us = time_type(type_id::timestamp, time_unit::micro);
  const value_case cases[] = {
      {"INTEGER", type_of(type_id::int64), i64(std::numeric_limits<std::int64_t>::min()),
       "-9223372036854775808 integer"},
      {"REAL", type_of(type_id::float64), f64(0.1), "0.1 real"},
      {"REAL", type_of(type_id::float64), f64(std::nan("")), "", "not_finite"},
      {"REAL", type_of(type_id::float64), f64(HUGE_VAL), "Inf real"},
      {"", type_of(type_id::float32), [](column_builder& c) { c.append(0.5F); }, "0.5 real"},
      {"", type_of(type_id::uint64), [](column_builder& c) { c.append(std::uint64_t{1} << 63); }, "",
       "out_of_range"},
      {"", type_of(type_id::uint64), [](column_builder& c) { c.append(std::uint64_t{5}); }, "5 integer"},
      {"BOOLEAN", type_of(type_id::boolean), [](column_builder& c) { c.append_bool(true); }, "1 integer"},
      {"", decimal_type(10, 2), dec(150), "'1.50' text"},
      {"DECIMAL(10,2)", decimal_type(10, 2), dec(150), "1.5 real"},
      {"DECIMAL(10,2)", decimal_type(10, 2), dec(500), "5 integer"},
      {"DECIMAL", decimal_type(38, 1), dec(90071992547409931), "", "not_exact"},
      {"DECIMAL", type_of(type_id::decimal_text), txt("123456789012345678901234567890"), "", "not_exact"},
      {"DECIMAL", type_of(type_id::decimal_text), txt("1e3"), "1000 integer"},
      {"DECIMAL", type_of(type_id::decimal_text), txt("NaN"), "", "not_finite"},
      {"", type_of(type_id::binary), txt(std::string("\0\xff", 2)), "X'00FF' blob"},
      {"", type_of(type_id::binary), txt(""), "X'' blob"},
      {"DATE", type_of(type_id::date), [](column_builder& c) { c.append(std::int32_t{19782}); },
       "'2024-02-29' text"},
      {"DATETIME", time_us, i64(1'709'164'800'000'000), "'2024-02-29 00:00:00' text"},
      {"DATETIME", time_us, i64(1'709'164'800'250'000), "'2024-02-29 00:00:00.250' text"},
      {"DATETIME", time_us, i64(-1), "'1969-12-31 23:59:59.999999' text"},
      {"TIMESTAMPTZ", time_type(type_id::instant, time_unit::milli), i64(1'709'164'800'001),
       "'2024-02-29 00:00:00.001+00:00' text"},
      {"TIME", time_type(type_id::time_of_day, time_unit::milli), i64(3'600'500), "'01:00:00.500' text"},
      {"DATETIME", time_us, i64(std::numeric_limits<std::int64_t>::max()), "'infinity' text"},
  };
  for (const value_case& c : cases) {
    sql(
        fmt::format("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS sluice_run; DROP TABLE IF EXISTS "
                    "sluice_progress; CREATE TABLE t(v {})",
                    c.declared));
    const schema columns = {column_of("v", c.type)};
    auto run = begin(R"("table": "t", "column": ["v"])", columns);
    ASSERT_EQ(run.description.columns->size(), 1u);
    batch_builder builder(std::make_shared<const schema>(columns), buffer_pool::make(1 << 20), {});
    c.append(builder.at(0));
    builder.commit_row();
    auto out = run.object->make_writer(std::make_shared<const schema>(columns));
    ASSERT_TRUE(out);
    run.out = std::move(*out);
    const auto answer = write(run, *builder.seal(0));
    const auto found = rows("SELECT quote(v) || ' ' || typeof(v) FROM t");
    const std::string what = fmt::format("{} into {}", sluice::to_string(c.type), c.declared);
    if (c.stored.empty()) {
      ASSERT_EQ(answer.refused.size(), 1u) << what;
      EXPECT_EQ(answer.refused[0].code, c.code) << what << ": " << answer.refused[0].message;
      EXPECT_TRUE(found.empty()) << what;
    } else {
      ASSERT_EQ(found.size(), 1u) << what << (answer.refused.empty() ? "" : answer.refused[0].message);
      EXPECT_EQ(found[0], c.stored) << what;
    }
  }
}

TEST_F(sqlite_writer_test, refuses_null_where_sqlite_would_store_something_else) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT NOT NULL DEFAULT 'made up')");
  const schema columns = {column_of("id", type_of(type_id::int64)), column_of("v", type_of(type_id::utf8))};
  auto run = begin(R"("table": "t", "column": ["id", "v"], "writeMode": "replace")", columns);
  EXPECT_FALSE((*run.description.columns)[0].nullable);
  EXPECT_FALSE((*run.description.columns)[1].nullable);
  batch_builder builder(std::make_shared<const schema>(columns), buffer_pool::make(1 << 20), {});
  builder.at(0).append_null();
  builder.at(1).append_bytes("x");
  builder.commit_row();
  builder.at(0).append(std::int64_t{5});
  builder.at(1).append_null();
  builder.commit_row();
  const auto answer = write(run, *builder.seal(0));
  EXPECT_EQ(answer.written, 0u);
  ASSERT_EQ(answer.refused.size(), 2u);
  EXPECT_EQ(answer.refused[0].column, "id");
  EXPECT_EQ(answer.refused[1].column, "v");
  EXPECT_EQ(answer.refused[1].code, "SQLITE_CONSTRAINT_NOTNULL");
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"});
}

TEST_F(sqlite_writer_test, names_the_columns_of_a_strict_tables_refusal) {
  sql("CREATE TABLE t(n INTEGER, v TEXT) STRICT");
  const schema columns = {column_of("n", type_of(type_id::utf8)), column_of("v", type_of(type_id::utf8))};
  auto run = begin(R"("table": "t", "column": ["n", "v"])", columns);
  EXPECT_EQ((*run.description.columns)[0].type, type_of(type_id::int64)) << "the channel converts";
  auto out = run.object->make_writer(std::make_shared<const schema>(columns));
  ASSERT_TRUE(out);
  run.out = std::move(*out);
  const auto answer = write(run, *text_batch({"n", "v"}, {{"abc", "x"}}));
  ASSERT_EQ(answer.refused.size(), 1u);
  EXPECT_EQ(answer.refused[0].code, "SQLITE_CONSTRAINT_DATATYPE");
  EXPECT_EQ(answer.refused[0].column, "n");
}

TEST_F(sqlite_writer_test, makes_file_and_table_when_asked_to) {
  const schema columns = {column_of("id", type_of(type_id::int64)),
                          column_of("Preis \"neu\"", decimal_type(10, 2)),
                          column_of("at", type_of(type_id::date))};
  auto object = make_target(R"("table": "new one", "column": ["*"], "createTable": true)");
  const auto opened = object->open(columns, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE(std::filesystem::exists(file())) << "open changes nothing";
  ASSERT_EQ(opened->changes.size(), 2u);
  EXPECT_NE(opened->changes[1].find("CREATE TABLE"), std::string::npos) << opened->changes[1];
  EXPECT_EQ((*opened->columns)[1].type, type_of(type_id::utf8));
  auto run = begin(R"("table": "new one", "column": ["*"], "createTable": true)", columns);
  EXPECT_EQ(rows("SELECT name, type FROM pragma_table_info('new one')"),
            (std::vector<std::string>{"id|INTEGER", "Preis \"neu\"|TEXT", "at|DATE"}));
}

TEST_F(sqlite_writer_test, makes_the_key_and_not_null_of_the_sources_table_so_that_rows_are_found_by_it) {
  const schema columns = {{"a", type_of(type_id::utf8), true}, {"b", type_of(type_id::utf8), false}};
  auto facts = std::make_shared<table_facts>();
  facts->key = {1};
  facts->columns = {{"of a"}, {}};
  facts->others = {"the trigger x"};
  auto object = make_target(R"("table": "t", "column": ["*"], "createTable": true, "writeMode": "update")");
  object->know_source(facts);
  const auto opened = object->open(columns, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->ddl, std::vector<std::string>{"CREATE TABLE IF NOT EXISTS \"t\" (\n\"a\" TEXT,\n\"b\" "
                                                  "TEXT NOT NULL,\nPRIMARY KEY (\"b\")\n)"});
  EXPECT_EQ(opened->not_made, (std::vector<std::string>{"the trigger x", "the comment of column a"}));
  EXPECT_EQ(opened->changes.back(),
            "Not made of the source's table: the trigger x; the comment of column a.");
  EXPECT_FALSE((*opened->columns)[1].nullable);
  EXPECT_NE(opened->run_again.find("the table is the same afterwards"), std::string::npos);
  sql(opened->ddl[0]);
  EXPECT_TRUE(make_target(R"("table": "t", "column": ["*"], "writeMode": "update")")->open(columns, {}));
}

TEST_F(sqlite_writer_test, maps_by_name_when_asked_to) {
  sql("CREATE TABLE t(a TEXT, more TEXT, B TEXT)");
  const schema columns = {column_of("b", type_of(type_id::utf8)), column_of("a", type_of(type_id::utf8))};
  auto run = begin(R"("table": "t", "column": ["*"], "mapping": "name")", columns);
  EXPECT_EQ(write(run, *text_batch({"b", "a"}, {{"1", "2"}})).written, 1u);
  EXPECT_EQ(rows("SELECT a, more, b FROM t"), std::vector<std::string>{"2|<null>|1"});
  const error e = target_refused(R"("table": "t", "column": ["a", "more"], "mapping": "name")", columns);
  EXPECT_NE(e.message.find("the reader's column \"b\" is none of the writer's"), std::string::npos)
      << e.message;
}

TEST_F(sqlite_writer_test, makes_a_missing_table_before_the_statements_that_need_it) {
  const schema columns = {column_of("id", type_of(type_id::int64))};
  struct {
    const char* pre_sql;
    std::vector<std::string> steps;
  } const cases[] = {
      {"DELETE FROM t", {"CREATE", "DELETE"}},
      {"CREATE UNIQUE INDEX i ON t(id)", {"CREATE", "CREATE UNIQUE INDEX"}},
      {"DROP TABLE t", {"CREATE", "DROP", "CREATE TABLE IF"}},
      {"CREATE TABLE t(id INTEGER PRIMARY KEY, more)", {"CREATE TABLE t(id", "CREATE TABLE IF"}},
  };
  for (const auto& c : cases) {
    std::filesystem::remove(file());
    const std::string more =
        fmt::format(R"("table": "t", "column": ["id"], "createTable": true, "preSql": ["{}"])", c.pre_sql);
    const auto steps = [&](bool none_has_run) {
      auto object = make_target(more);
      EXPECT_TRUE(object->open(columns, {}));
      EXPECT_TRUE(!none_has_run || object->check_steps({})) << c.pre_sql;
      return object->steps_before();
    };
    const auto found = steps(true);
    ASSERT_EQ(found.size(), c.steps.size()) << c.pre_sql;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(found[i].text.starts_with(c.steps[i])) << found[i].text;
    }
    auto run = begin(more, columns);
    EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"0"}) << c.pre_sql;
    // A resume counts the steps as the run did that began.
    EXPECT_EQ(steps(false).size(), c.steps.size()) << c.pre_sql;
  }
}

TEST_F(sqlite_writer_test, finds_mistakes_in_statements_without_running_one) {
  const schema columns = {column_of("id", type_of(type_id::int64))};
  sql("CREATE TABLE t(id); INSERT INTO t VALUES(1)");
  struct {
    const char* steps;
    const char* place;  // Empty: sound, or not to be told.
  } const cases[] = {
      {R"j("preSql": ["delete from t"], "postSql": ["analyze t"])j", ""},
      {R"j("preSql": ["delet from t"])j", "preSql[0]"},
      {R"j("preSql": ["create table x(a)", "select '"])j", "preSql[1]"},
      {R"j("postSql": ["anlyze x"])j", "postSql[0]"},
      {R"j("preSql": ["delete from other"])j", "preSql[0]"},
      {R"j("preSql": ["delete from t where nothing = 1"])j", "preSql[0]"},
      {R"j("preSql": ["create table other(a)", "delete from other"])j", ""},
      {R"j("preSql": ["/* x */ create table other(a); insert into other values(1)"])j", ""},
      {R"j("preSql": ["create table other(a)"], "postSql": ["insert into other values(1)"])j", ""},
      {R"j("postSql": ["delete from sluice_run where stage = 'x'"])j", ""},
      {R"j("preSql": ["attach 'x.db' as x", "delete from x.t"])j", ""},
      {R"j("preSql": ["pragma foreign_keys = on"])j", ""},
  };
  for (const auto& c : cases) {
    auto object = make_target(fmt::format(R"("table": "t", "column": ["id"], {})", c.steps));
    ASSERT_TRUE(object->open(columns, {})) << c.steps;
    const auto sound = object->check_steps({});
    const std::string why = sound ? "" : sound.error().message;
    EXPECT_EQ(!sound, *c.place != '\0') << c.steps << ": " << why;
    EXPECT_NE(why.find(c.place), std::string::npos) << why;
  }
  EXPECT_EQ(rows("SELECT count(*) FROM t"), std::vector<std::string>{"1"});
}

TEST_F(sqlite_writer_test, says_what_a_second_run_does_as_far_as_it_is_known) {
  const schema columns = {column_of("id", type_of(type_id::int64))};
  sql("CREATE TABLE t(id); CREATE TABLE k(id INTEGER PRIMARY KEY)");
  struct {
    const char* more;
    const char* text;
  } const cases[] = {
      {R"("table": "t")", "all rows are inserted once more: doubled"},
      {R"("table": "k")", "all rows are inserted once more, and those whose key is there already are dirty"},
      {R"("table": "k", "writeMode": "update")",
       "rows with the same key are updated with the same values, others are inserted: the table is the same "
       "afterwards, unless several splits have records of the same key"},
      {R"("table": "t", "preSql": ["DELETE FROM t"])",
       "preSql runs again first and empties the table, then all rows are written anew"},
      {R"("table": "t", "preSql": ["DELETE FROM t WHERE id > 4"])",
       "preSql runs again first and takes rows away; beside those that it leaves all rows are inserted once "
       "more: doubled"},
      {R"("table": "t", "preSql": ["DELETE FROM k"])",
       "preSql runs again first and takes rows away; beside those that it leaves all rows are inserted once "
       "more: doubled"},
      {R"("table": "new", "createTable": true)", "all rows are inserted once more: doubled"},
  };
  for (const auto& c : cases) {
    auto object = make_target(fmt::format(R"("column": ["id"], {})", c.more));
    const auto found = object->open(columns, {});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->run_again, c.text) << c.more;
  }
}

TEST_F(sqlite_writer_test, wants_what_has_no_unit_of_time_as_a_time_so_that_it_is_refused) {
  for (const char* declared : {"DATE", "TIME", "DATETIME", "TIMESTAMPTZ"}) {
    for (const type_id from : {type_id::boolean, type_id::int64, type_id::uint64, type_id::float64}) {
      const auto to = sqlite::write_type(sqlite::kind_of(declared, false), type_of(from));
      EXPECT_EQ(lookup_conversion(type_of(from), to).kind, conversion_kind::refused) << declared;
    }
    EXPECT_EQ(sqlite::write_type(sqlite::kind_of(declared, false), type_of(type_id::utf8)),
              type_of(type_id::utf8));
    EXPECT_FALSE(sqlite::holds_text(sqlite::kind_of(declared, false)));
  }
  EXPECT_TRUE(sqlite::holds_text(sqlite::kind_of("VARCHAR(20)", false)));
}

TEST_F(sqlite_writer_test, waits_with_the_comparison_for_a_table_that_presql_makes) {
  auto run = begin(R"j("table": "t", "column": ["k"], "preSql": ["CREATE TABLE @table(k TEXT)"])j",
                   {column_of("k", type_of(type_id::utf8))});
  EXPECT_TRUE(run.description.compared);
  EXPECT_EQ(write(run, *text_batch({"k"}, {{"a"}})).written, 1u);

  auto object = make_target(R"j("table": "other", "column": ["k"], "preSql": ["CREATE TABLE other(k)"])j");
  const auto opened = object->open({column_of("k", type_of(type_id::utf8))}, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE(opened->compared);
  EXPECT_EQ(opened->columns, nullptr);
  EXPECT_FALSE(object->make_writer(opened->columns));
}

TEST_F(sqlite_writer_test, takes_both_forms_of_the_connection_and_quoted_names) {
  sql("CREATE TABLE \"a b\"(\"x y\" TEXT, g TEXT AS (\"x y\")) ; CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT "
      "ROWID");
  const schema one = {column_of("v", type_of(type_id::utf8))};
  const std::string url = nlohmann::json("jdbc:sqlite:" + file()).dump();
  const plugin p = sqlite_plugin();
  for (
      const std::string& parameter :
      {fmt::format(
           R"({{"connection": {{"jdbcUrl": {}, "table": ["a b"]}}, "column": ["*"], "username": "", "password": ""}})",
           url),
       fmt::format(R"({{"connection": [{{"jdbcUrl": {}, "table": ["[a b]"]}}], "column": ["`x y`"]}})", url),
       fmt::format(R"({{"jdbcUrl": {}, "table": "main.\"A B\"", "column": ["X Y"]}})", url),
       fmt::format(R"({{"jdbcUrl": {}, "table": "w", "column": ["k"]}})", url)}) {
    auto made = p.make_target(options_of(*p.writes, parameter, dialect::datax), context_for_test());
    ASSERT_TRUE(made) << made.error().message;
    const auto opened = (*made)->open(one, {});
    EXPECT_TRUE(opened) << parameter << opened.error().message;
  }
}

TEST(sqlite_messages, give_the_column_where_they_name_it) {
  using sqlite::column_in_message;
  EXPECT_EQ(column_in_message("UNIQUE constraint failed: t.a, t.b", "t"), "a, b");
  EXPECT_EQ(column_in_message("UNIQUE constraint failed: my t.a", "my t"), "a");
  EXPECT_EQ(column_in_message("NOT NULL constraint failed: t.c", "t"), "c");
  EXPECT_EQ(column_in_message("cannot store TEXT value in INTEGER column t.n", "t"), "n");
  EXPECT_EQ(column_in_message("CHECK constraint failed: v <> 'bad'", "t"), "");
  EXPECT_EQ(column_in_message("UNIQUE constraint failed: index 'i'", "t"), "");
}

struct wrong_case {
  std::string parameter;
  error_kind kind;
  std::vector<std::string> said;
};

TEST_F(sqlite_writer_test, refuses_wrong_jobs_with_place_value_and_way_out) {
  sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, must TEXT NOT NULL, made TEXT AS "
      "(customer)); CREATE VIEW v AS SELECT 1 AS id");
  const schema two = {column_of("a", type_of(type_id::utf8)), column_of("b", type_of(type_id::utf8))};
  const auto bad = error_kind::bad_option;
  const wrong_case cases[] = {
      {R"("table": "ordres", "column": ["id", "must"])",
       bad,
       {"parameter.table", "no table \"ordres\"", "did you mean \"orders\"?"}},
      {R"("table": "orders", "column": ["id", "mustt"])",
       bad,
       {"column[1]", "no column \"mustt\"", "did you mean \"must\"?"}},
      {R"("table": "orders", "column": ["must"])",
       bad,
       {"parameter.column", "delivers 2 columns", "takes 1"}},
      {R"("table": "orders", "column": ["*"])", bad, {"delivers 2 columns", "takes 3", "all of table"}},
      {R"("table": "orders", "column": ["id", "customer"])", bad, {"\"must\"", "NOT NULL", "map it"}},
      {R"("table": "orders", "column": ["must", "Must"])", bad, {"column[1]", "mapped twice"}},
      {R"("table": "orders", "column": ["must", "made"])",
       bad,
       {"column[1]", "is computed and cannot be written"}},
      {R"("table": "orders", "column": ["*", "id"])", bad, {"\"*\" beside other columns"}},
      {R"("table": "v", "column": ["id", "x"])", error_kind::not_supported, {"\"v\" is a view"}},
      {R"("table": "other.orders", "column": ["id", "must"])", bad, {"other.orders", "main.<table>"}},
      {R"("table": ["orders", "b"], "column": ["id", "must"])", bad, {"found 2 tables", "one job a table"}},
      {R"("column": ["id", "must"])", bad, {"no table is named"}},
      {R"("table": "orders")", bad, {"no column is named"}},
      {R"("table": "orders", "column": ["id", "must"], "writeMode": "upsert")",
       bad,
       {"writeMode", "\"upsert\"", "\"insert\", \"replace\", \"update\", \"ignore\""}},
      {R"("table": "orders", "column": ["id", "must"], "preSql": ["BEGIN"])",
       bad,
       {"preSql[0]", "leave BEGIN out"}},
      {R"("table": "orders", "column": ["id", "must"], "session": ["PRAGMA journal_mode = WAL"])",
       bad,
       {"session[0]", "cache_size"}},
      {R"("table": "orders", "column": ["id", "must"], "session": ["PRAGMA cache_size = 5; DROP TABLE orders"])",
       bad,
       {"session[0]"}},
  };
  for (const wrong_case& c : cases) {
    const error e = target_refused(c.parameter, two);
    EXPECT_EQ(e.kind, c.kind) << c.parameter << ": " << e.message;
    for (const std::string& part : c.said) {
      EXPECT_NE(e.message.find(part), std::string::npos)
          << c.parameter << ": " << e.message << " lacks " << part;
    }
  }
}

TEST_F(sqlite_writer_test, goes_by_a_key_only_where_one_can_meet_the_mapped_columns) {
  struct key_case {
    std::string table;
    std::string columns;
    std::string said;  ///< Empty: the job is taken.
  };
  const key_case cases[] = {
      {"CREATE TABLE t(a TEXT, b TEXT)", R"(["a", "b"])",
       "table \"t\" has no primary key and no unique index"},
      {"CREATE TABLE t(a TEXT, b TEXT); CREATE INDEX i ON t(a)", R"(["a", "b"])", "no unique index"},
      {"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT)", R"(["a", "b"])", "whose keys are (id)"},
      {"CREATE TABLE t(a TEXT, b TEXT, c TEXT, UNIQUE(a, c))", R"(["a", "b"])", "whose keys are (a, c)"},
      {"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT UNIQUE)", R"(["a", "b"])", ""},
      {"CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)", R"(["a", "b"])", ""},
      {"CREATE TABLE t(a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID", R"(["a", "b"])", ""},
      {"CREATE TABLE t(a TEXT, b TEXT); CREATE UNIQUE INDEX i ON t(B)", R"(["a", "b"])", ""},
      {"CREATE TABLE t(a TEXT, b TEXT); CREATE UNIQUE INDEX i ON t(lower(a))", R"(["a", "b"])", ""},
      {"CREATE TABLE t(a TEXT, b TEXT, c TEXT DEFAULT 'x', UNIQUE(a, c))", R"(["a", "b"])", ""},
  };
  const schema two = {column_of("a", type_of(type_id::utf8)), column_of("b", type_of(type_id::utf8))};
  for (const key_case& c : cases) {
    sql("DROP TABLE IF EXISTS t; " + c.table);
    for (const std::string_view mode : {"update", "replace", "ignore"}) {
      const std::string parameter =
          fmt::format(R"("table": "t", "column": {}, "writeMode": "{}")", c.columns, mode);
      auto opened = make_target(parameter)->open(two, {});
      if (c.said.empty()) {
        EXPECT_TRUE(opened) << c.table << ": " << opened.error().message;
        continue;
      }
      ASSERT_FALSE(opened) << c.table;
      EXPECT_EQ(opened.error().kind, error_kind::bad_option);
      for (const std::string_view part : {std::string_view(c.said), mode, std::string_view("writeMode"),
                                          std::string_view("every row would be added")}) {
        EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
      }
    }
    EXPECT_TRUE(make_target(fmt::format(R"("table": "t", "column": {})", c.columns))->open(two, {}))
        << c.table;
  }
}

TEST_F(sqlite_writer_test, goes_by_the_key_that_a_step_before_makes) {
  const schema two = {column_of("a", type_of(type_id::utf8)), column_of("b", type_of(type_id::utf8))};
  const error e = target_refused(
      R"("table": "t", "column": ["a", "b"], "writeMode": "update", "createTable": true)", two);
  EXPECT_NE(e.message.find("the table that createTable makes has none"), std::string::npos) << e.message;
  sql("CREATE TABLE t(a TEXT, b TEXT)");
  auto run = begin(
      R"j("table": "t", "column": ["a", "b"], "writeMode": "update", "preSql": ["CREATE UNIQUE INDEX i ON t(a)"])j",
      two);
  const auto answer = write(run, *text_batch({"a", "b"}, {{"1", "x"}, {"1", "y"}}));
  EXPECT_EQ(answer.written, 2u);
  EXPECT_EQ(rows("SELECT a, b FROM t"), std::vector<std::string>{"1|y"});
}

TEST_F(sqlite_writer_test, refuses_wrong_files_with_their_path) {
  const schema one = {column_of("a", type_of(type_id::utf8))};
  const plugin p = sqlite_plugin();
  const auto refused = [&](const std::string& url) {
    const std::string parameter =
        fmt::format(R"({{"jdbcUrl": {}, "table": "t", "column": ["a"]}})", nlohmann::json(url).dump());
    auto made = p.make_target(options_of(*p.writes, parameter), context_for_test());
    if (!made) {
      return made.error();
    }
    auto opened = (*made)->open(one, {});
    return opened ? error{} : opened.error();
  };
  write_file(folder_.file("x.csv"), std::string(3000, 'x'));
  for (const auto& [url, part] : std::vector<std::pair<std::string, std::string>>{
           {"", "the SQLite file is not named"},
           {"jdbc:mysql://h/d", "expected \"jdbc:sqlite:<path>\""},
           {"jdbc:sqlite:", "expected the path of a file"},
           {"jdbc:sqlite::memory:", "expected the path of a file"},
           {"jdbc:sqlite:a.db?nolock=1", "without locks"},
           {"jdbc:sqlite:a.db?mode=ro", "read-only"},
           {"jdbc:sqlite:" + folder_.file("none.db") + "?mode=rw", "with mode=rw it is not made"},
           {"jdbc:sqlite:" + folder_.file("none.db"), "\"createTable\": true"},
           {"jdbc:sqlite:" + folder_.path(), "this is a folder"},
           {"jdbc:sqlite:" + folder_.file("x.csv"), "no SQLite database"},
       }) {
    const error e = refused(url);
    EXPECT_EQ(e.kind, error_kind::bad_option) << url;
    EXPECT_NE(e.message.find(part), std::string::npos) << url << ": " << e.message;
    EXPECT_TRUE(e.message.starts_with("job.json")) << e.message;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.file("none.db")));
}

TEST_F(sqlite_writer_test, is_denied_a_file_that_this_user_may_not_write) {
  sql("CREATE TABLE t(k TEXT)");
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(file().c_str(), 0444), 0);
  const pid_t child = ::fork();  // root may write everything, so a child becomes somebody else
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && ::seteuid(nobody) != 0) {
      ::_exit(2);
    }
    const error e =
        target_refused(R"("table": "t", "column": ["k"])", {column_of("k", type_of(type_id::utf8))});
    const bool told =
        e.kind == error_kind::denied && e.message.find("read-only for this process") != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace sluice::testing
