#include <fmt/format.h>

#include <set>

#include "tests/unit/plugins/sqlite/sqlite_fixture.h"

namespace sluice::testing {
namespace {

const batch_builder::limits small = {.bytes_target = 200, .bytes_max = 4096, .rows_max = 3};

class sqlite_reader_test : public sqlite_test {
 protected:
  opened_source open(const std::string& more, std::uint32_t advice = 1) {
    return open_source(sqlite_plugin(), parameter(more), advice);
  }
  static std::vector<std::shared_ptr<batch>> all(opened_source& from,
                                                 const batch_builder::limits& limits = {}) {
    std::vector<std::shared_ptr<batch>> batches;
    auto r = from.object->make_reader();
    EXPECT_TRUE(r);
    for (const split& s : from.splits) {
      for (auto& b : read_split(**r, from.description, s, limits)) {
        batches.push_back(std::move(b));
      }
    }
    return batches;
  }
  std::vector<std::string> read(const std::string& more, std::uint32_t advice = 1) {
    auto from = open(more, advice);
    return rows_of(all(from));
  }
};

TEST_F(sqlite_reader_test, delivers_columns_and_expressions_in_the_types_of_their_affinity) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n DECIMAL(10,2), r REAL, x TEXT, b BLOB, ok BOOLEAN, d DATE, "
      "\"order\" INT);"
      "INSERT INTO t VALUES(1, '1.50', 2, 'ä', x'00ff', 1, '2024-02-29', 7), (2, NULL, NULL, '', NULL, NULL, "
      "5, NULL)");
  auto from = open(R"("table": "t", "column": ["*"])");
  std::string types;
  for (const field& f : *from.description.columns) {
    types += fmt::format("{} {}, ", f.name, sluice::to_string(f.type));
  }
  EXPECT_EQ(types,
            "id int64, n decimal_text, r float64, x utf8, b binary, ok boolean, d utf8, order int64, ");
  EXPECT_EQ(rows_of(all(from)), (std::vector<std::string>{"1|1.5|2|ä|AP8=|true|2024-02-29|7",
                                                          "2|<null>|<null>||<null>|<null>|5|<null>"}));
  EXPECT_EQ(
      read(
          R"j("table": "t", "column": ["order", "id + 1", "'it''s'", "null", "1.5", "upper(x)"], "where": "id = 1 OR id = 0;")j"),
      std::vector<std::string>{"7|2|it's|<null>|1.5|ä"});
}

TEST_F(sqlite_reader_test, finds_values_of_another_type_dirty_with_table_key_and_column) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, r REAL, x TEXT, ok BOOLEAN, m DECIMAL, b BLOB);"
      "INSERT INTO t(id, n) VALUES(1, 'abc'), (2, 1.5), (3, 7), (4, x'01');"
      "INSERT INTO t(id, r) VALUES(5, 'abc'); INSERT INTO t(id, x) VALUES(6, x'01'), (7, CAST(x'ff' AS "
      "TEXT));"
      "INSERT INTO t(id, ok) VALUES(8, 2), (9, 'true'); INSERT INTO t(id, m) VALUES(10, 'abc'); INSERT INTO "
      "t(id, b) VALUES(11, 'text')");
  auto from = open(R"("table": "t", "column": ["*"])");
  const auto batches = all(from);
  ASSERT_EQ(batches.size(), 1u);
  std::vector<std::string> found;
  for (const dirty_record& d : batches[0]->dirty) {
    found.push_back(
        fmt::format("{} {} {} {} {}", d.position, d.key, d.column, d.code, d.value.value_or("<null>")));
    EXPECT_EQ(d.source, "t");
    EXPECT_EQ(d.side, dirty_side::reader);
    EXPECT_EQ(d.record.size(), 7u);
    EXPECT_NE(d.sum, row_sum{});
  }
  EXPECT_EQ(found, (std::vector<std::string>{"0 id=1 n wrong_type abc", "1 id=2 n wrong_type 1.5",
                                             "3 id=4 n wrong_type x'01'", "4 id=5 r wrong_type abc",
                                             "5 id=6 x wrong_type x'01'", "6 id=7 x invalid_utf8 x'ff'",
                                             "7 id=8 ok not_a_boolean 2", "8 id=9 ok wrong_type true",
                                             "9 id=10 m not_a_number abc", "10 id=11 b wrong_type text"}));
  EXPECT_EQ(rows_of(batches).size(), 1u);
  EXPECT_EQ(batches[0]->records_read, 11u);
}

struct order_case {
  std::string name;
  std::string table;
  std::string more;
  bool resumable;
};

TEST_F(sqlite_reader_test, gives_every_row_its_key_for_those_who_refuse_it_later) {
  sql("CREATE TABLE t(x TEXT, n INTEGER, r INTEGER); CREATE INDEX i ON t(r);"
      "INSERT INTO t(rowid, x, n, r) VALUES(-3, 'a', 1, 30), (7, 'b', 'bad', 20), (9, 'c', 3, 10);"
      "CREATE TABLE u(name TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID; INSERT INTO u VALUES('k', 1)");
  const auto places = [&](const std::string& more, std::uint32_t advice) {
    auto from = open(more, advice);
    std::vector<std::string> found;
    for (const auto& b : all(from)) {
      for (std::uint32_t row = 0; row < b->rows; ++row) {
        const dirty_record d = dirty_from_row(*b, row, dirty_side::writer);
        found.push_back(d.source + " " + d.key);
      }
    }
    return found;
  };
  EXPECT_EQ(places(R"("table": "t", "column": ["x", "n"])", 1),
            (std::vector<std::string>{"t rowid=-3", "t rowid=9"}));
  EXPECT_EQ(places(R"("table": "t", "column": ["x"], "splitPk": "r", "splitFactor": 1)", 2),
            (std::vector<std::string>{"t rowid=9", "t rowid=7", "t rowid=-3"}));
  EXPECT_EQ(places(R"("table": "u", "column": ["*"])", 1), std::vector<std::string>{"u "});
  EXPECT_EQ(places(R"("querySql": "SELECT x FROM t WHERE n = 1")", 1), std::vector<std::string>{"querySql "});
}

TEST_F(sqlite_reader_test, resumes_behind_any_cursor_with_exactly_the_rest) {
  const order_case cases[] = {
      {"rowid", "t(k TEXT, n INT)", R"("table": "t", "column": ["k"])", true},
      {"column called rowid", "t(rowid TEXT, k TEXT, n INT)", R"("table": "t", "column": ["k"])", true},
      {"alias", "t(id INTEGER PRIMARY KEY, k TEXT, n INT)", R"("table": "t", "column": ["k"])", true},
      {"without rowid", "t(k TEXT, n INT, PRIMARY KEY(n, k)) WITHOUT ROWID",
       R"("table": "t", "column": ["k"])", true},
      {"where", "t(k TEXT, n INT)", R"("table": "t", "column": ["k"], "where": "n > 1 OR n < 5")", true},
      {"aggregate", "t(k TEXT, n INT)", R"j("table": "t", "column": ["group_concat(k)"])j", false},
      {"query", "t(k TEXT, n INT)", R"("querySql": "SELECT k FROM t ORDER BY 1")", false},
  };
  for (const order_case& c : cases) {
    sql("DROP TABLE IF EXISTS t; CREATE TABLE " + c.table +
        ";"
        "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 20) INSERT INTO t(k, n) "
        "SELECT 'k' || i, i % 5 FROM s");
    auto from = open(c.more);
    ASSERT_EQ(from.splits.size(), 1u) << c.name;
    EXPECT_EQ(from.description.resumable, c.resumable) << c.name;
    auto r = from.object->make_reader();
    const auto whole = read_split(**r, from.description, from.splits[0], small);
    const auto expected = rows_of(whole);
    if (!c.resumable) {
      EXPECT_FALSE(whole[0]->after) << c.name;
      continue;
    }
    EXPECT_EQ(expected.size(), 20u) << c.name;
    std::size_t seen = 0;
    for (const auto& b : whole) {
      seen += b->rows;
      if (b->rows == 0) {
        continue;
      }
      ASSERT_TRUE(b->after) << c.name;
      // A cursor goes through its text in the destination and comes back in another process.
      const auto stored = scalars_from_json(to_json(*b->after));
      ASSERT_TRUE(stored);
      auto other = from.object->make_reader();
      const auto rest = rows_of(read_split(**other, from.description, from.splits[0], small, *stored));
      EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(seen),
                                               expected.end()))
          << c.name;
    }
  }
}

struct split_case {
  std::string create;
  std::string more;
  std::size_t splits;
};

TEST_F(sqlite_reader_test, reads_each_row_once_over_all_splits) {
  const std::string fill =
      ";WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 100) INSERT INTO t(k, n) "
      "SELECT 'k' || i, "
      "CASE WHEN i % 10 = 0 THEN NULL ELSE i * i * 1000003 - 500000 END FROM s";
  const split_case cases[] = {
      {"t(k TEXT, n INT)" + fill, R"("table": "t", "column": ["k"])", 10},
      {"t(k TEXT, n INT)" + fill, R"("table": "t", "column": ["k"], "splitFactor": 1)", 2},
      {"t(k TEXT, n INT)" + fill, R"("table": "t", "column": ["k"], "splitPk": "n")", 11},
      {"t(k TEXT, n INT)" + fill + "; CREATE INDEX i ON t(n)",
       R"("table": "t", "column": ["k"], "splitPk": "N")", 11},
      {"t(k TEXT PRIMARY KEY, n INT) WITHOUT ROWID" + fill,
       R"("table": "t", "column": ["k"], "splitPk": "n")", 11},
      {"t(k TEXT PRIMARY KEY, n INT) WITHOUT ROWID" + fill, R"("table": "t", "column": ["k"])", 1},
      {"t(k TEXT, n INT); INSERT INTO t VALUES('k1', -9223372036854775807 - 1), ('k2', 9223372036854775807)",
       R"("table": "t", "column": ["k"], "splitPk": "n")", 11},
      {"t(k TEXT, n INT)", R"("table": "t", "column": ["k"], "splitPk": "n")", 1},
  };
  for (const split_case& c : cases) {
    sql("DROP TABLE IF EXISTS t; CREATE TABLE " + c.create);
    const auto expected = rows("SELECT k FROM t");
    auto from = open(c.more, 2);
    EXPECT_EQ(from.splits.size(), c.splits) << c.create << c.more;
    const auto found = rows_of(all(from, small));
    EXPECT_EQ(found.size(), expected.size()) << c.create << c.more;
    EXPECT_EQ(std::multiset<std::string>(found.begin(), found.end()),
              std::multiset<std::string>(expected.begin(), expected.end()))
        << c.more;
  }
}

TEST_F(sqlite_reader_test, resumes_inside_a_range_of_a_split_key_that_is_not_unique) {
  sql("CREATE TABLE t(k TEXT, n INT); CREATE INDEX i ON t(n);"
      "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 30) INSERT INTO t SELECT 'k' "
      "|| i, i % 3 FROM s");
  auto from = open(R"("table": "t", "column": ["k", "n"], "splitPk": "n", "splitFactor": 1)", 2);
  ASSERT_EQ(from.splits.size(), 3u);
  auto r = from.object->make_reader();
  for (const split& s : from.splits) {
    const auto whole = read_split(**r, from.description, s, small);
    const auto expected = rows_of(whole);
    std::size_t seen = 0;
    for (const auto& b : whole) {
      seen += b->rows;
      if (b->after) {
        EXPECT_EQ(b->after->size(), 2u) << "split key and rowid";
        const auto rest = rows_of(read_split(**r, from.description, s, small, b->after));
        EXPECT_EQ(rest, std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(seen),
                                                 expected.end()));
      }
    }
  }
}

TEST_F(sqlite_reader_test, asks_for_room_before_it_takes_a_large_record) {
  sql("CREATE TABLE t(k TEXT); INSERT INTO t VALUES('small'), (printf('%.100000c', 'x')), ('last')");
  auto from = open(R"("table": "t", "column": ["k"])");
  auto r = from.object->make_reader();
  const auto found = rows_of(read_split(**r, from.description, from.splits[0], small));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].size(), 100'000u);
}

TEST_F(sqlite_reader_test, finds_a_record_over_the_limit_dirty_and_cut) {
  sql("CREATE TABLE t(k TEXT); INSERT INTO t VALUES('small'), (printf('%.200000c', 'x')), ('last')");
  auto from = open(R"("table": "t", "column": ["k"])");
  auto r = from.object->make_reader();
  batch_builder::limits limits;
  limits.record_bytes_max = 100'000;
  const auto batches = read_split(**r, from.description, from.splits[0], limits);
  ASSERT_EQ(batches[0]->dirty.size(), 1u);
  const dirty_record& d = batches[0]->dirty[0];
  EXPECT_EQ(d.code, "record_too_large");
  EXPECT_TRUE(d.cut);
  EXPECT_EQ(d.record_bytes, 200'000u);
  EXPECT_EQ(d.record[0].text->size(), std::size_t{64} << 10);
  EXPECT_EQ(rows_of(batches), (std::vector<std::string>{"small", "last"}));
}

TEST_F(sqlite_reader_test, keeps_its_snapshot_when_a_split_is_opened_again) {
  sql("PRAGMA journal_mode = WAL; CREATE TABLE t(k TEXT); INSERT INTO t VALUES('a')");
  auto from = open(R"("table": "t", "column": ["k"])");
  ASSERT_EQ(from.description.files_read.size(), 1u);
  EXPECT_EQ(from.description.files_read[0].as, file_use::kind::shared_database) << "in WAL mode nobody waits";
  auto r = from.object->make_reader();
  EXPECT_EQ(rows_of(read_split(**r, from.description, from.splits[0], {})).size(), 1u);
  sql("INSERT INTO t VALUES('b')");
  EXPECT_EQ(rows_of(read_split(**r, from.description, from.splits[0], {})).size(), 1u);
  auto fresh = from.object->make_reader();
  EXPECT_EQ(rows_of(read_split(**fresh, from.description, from.splits[0], {})).size(), 2u);
}

TEST_F(sqlite_reader_test, names_the_file_it_locks_outside_wal_mode_as_the_target_does) {
  sql("CREATE TABLE t(k TEXT)");
  auto from = open(R"("table": "t", "column": ["k"])");
  ASSERT_EQ(from.description.files_read.size(), 1u);
  EXPECT_EQ(from.description.files_read[0].as, file_use::kind::locked_database);
  auto to = make_target(R"("table": "t", "column": ["k"])");
  const auto opened = to->open({column_of("k", type_of(type_id::utf8))}, {});
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->files_changed.size(), 1u);
  EXPECT_TRUE(opened->files_changed[0].same_file(from.description.files_read[0]));
}

TEST_F(sqlite_reader_test, takes_a_query_with_the_declared_types_of_its_columns) {
  sql("CREATE TABLE t(id INTEGER, x TEXT); INSERT INTO t VALUES(1, 'a'), (2, 'b')");
  auto from = open(
      R"("connection": {"querySql": ["SELECT x, id, count(*) OVER () AS all_rows FROM t ORDER BY id DESC"]})",
      4);
  EXPECT_EQ(from.splits.size(), 1u);
  EXPECT_FALSE(from.description.repeatable);
  EXPECT_EQ((*from.description.columns)[1].type, type_of(type_id::int64));
  EXPECT_EQ((*from.description.columns)[2].type, type_of(type_id::utf8));
  EXPECT_EQ((*from.description.columns)[2].name, "all_rows");
  EXPECT_EQ(rows_of(all(from)), (std::vector<std::string>{"b|2|2", "a|1|2"}));
}

TEST_F(sqlite_reader_test, reads_a_view_as_one_split) {
  sql("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1), (2); CREATE VIEW v AS SELECT id, id "
      "* 2 AS twice FROM t");
  auto from = open(R"("table": "v", "column": ["twice", "id"])", 4);
  EXPECT_EQ(from.splits.size(), 1u);
  EXPECT_FALSE(from.description.resumable);
  EXPECT_EQ(rows_of(all(from)), (std::vector<std::string>{"2|1", "4|2"}));
}

TEST_F(sqlite_reader_test, stops_when_interrupted_and_reads_again_after_open) {
  sql("CREATE TABLE t(k TEXT); INSERT INTO t VALUES('a')");
  auto from = open(R"("table": "t", "column": ["k"])");
  auto r = from.object->make_reader();
  ASSERT_TRUE((*r)->open(from.splits[0].description, std::nullopt, {}));
  (*r)->interrupt();
  batch_builder builder(from.description.columns, buffer_pool::make(1 << 20), {});
  const auto answer = (*r)->read(builder, {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::cancelled);
  EXPECT_EQ(rows_of(read_split(**r, from.description, from.splits[0], {})), std::vector<std::string>{"a"});
}

TEST_F(sqlite_reader_test, refuses_a_cursor_of_another_order) {
  sql("CREATE TABLE t(k TEXT)");
  auto from = open(R"("table": "t", "column": ["k"])");
  auto r = from.object->make_reader();
  const auto opened = (*r)->open({}, cursor{{"\"id\"", {std::int64_t{5}}}}, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, error_kind::source_changed) << opened.error().message;
}

TEST_F(sqlite_reader_test, refuses_wrong_jobs_with_place_value_and_way_out) {
  sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT); INSERT INTO orders VALUES(1, 'a')");
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {R"("table": "ordres", "column": ["id"])", {"parameter.table", "did you mean \"orders\"?"}},
      {R"("table": "orders", "column": ["id", "custmer"])",
       {"column[1]", "no column \"custmer\"", "did you mean \"customer\"?"}},
      {R"("table": "orders", "column": ["\"nope\""])", {"column[0]", "no such column: nope"}},
      {R"("table": "orders", "column": ["id, customer"])", {"column[0]"}},
      {R"("table": "orders", "column": ["id"], "where": "idd = 1")",
       {"parameter.where", "no such column: idd"}},
      {R"("table": "orders", "column": ["id"], "splitPk": "idd")",
       {"parameter.splitPk", "did you mean \"id\"?"}},
      {R"("table": ["orders", "b"], "column": ["id"])", {"found 2 tables"}},
      {R"("column": ["id"])", {"no table is named", "querySql"}},
      {R"("querySql": "SELEC 1")", {"parameter.querySql", "syntax error"}},
      {R"("querySql": "SELECT 1; SELECT 2")", {"exactly one SQL statement"}},
      {R"("querySql": ["SELECT 1", "SELECT 2"])", {"found 2 queries"}},
      {R"("table": "orders")", {"no column is named"}},
  };
  for (const auto& [wrong, said] : cases) {
    const error e = source_refused(wrong);
    EXPECT_EQ(e.kind, error_kind::bad_option) << wrong << ": " << e.message;
    for (const std::string& part : said) {
      EXPECT_NE(e.message.find(part), std::string::npos) << wrong << ": " << e.message << " lacks " << part;
    }
  }
}

TEST_F(sqlite_reader_test, takes_one_split_with_a_warning_where_2_0_says_so_and_refuses_where_datax_does) {
  sql("CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT);"
      "INSERT INTO orders(customer) VALUES('a'),('b'),('c')");
  std::vector<std::string> warnings;
  plugin_context context = context_for_test();
  context.warn = [&](std::string line) { warnings.push_back(std::move(line)); };
  const auto planned = [&](dialect form) {
    auto from = sqlite_plugin().make_source(
        options_of(*sqlite_plugin().reads,
                   parameter(R"("table": "orders", "column": ["id"], "splitPk": "customer")"), form),
        context);
    EXPECT_TRUE(from && (*from)->open({}));
    return (*from)->plan_splits(4, {});
  };
  const auto one = planned(dialect::script2);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->size(), 1u);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("parameter.splitPk: column \"customer\" holds TEXT values"), std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[0].find("the table is read as one split"), std::string::npos) << warnings[0];
  const auto refused = planned(dialect::datax);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::bad_option);
  EXPECT_NE(refused.error().message.find("holds TEXT values, expected integers only"), std::string::npos)
      << refused.error().message;
}

TEST_F(sqlite_reader_test, changes_nothing_and_refuses_a_statement_that_would) {
  sql("CREATE TABLE t(k TEXT); INSERT INTO t VALUES('a')");
  auto from = sqlite_plugin().make_source(
      options_of(*sqlite_plugin().reads, parameter(R"("querySql": "DELETE FROM t RETURNING k")")),
      context_for_test());
  ASSERT_TRUE(from);
  auto opened = (*from)->open({});
  if (opened) {
    auto r = (*from)->make_reader();
    batch_builder builder(opened->columns, buffer_pool::make(1 << 20), {});
    ASSERT_TRUE(r && (*r)->open({}, std::nullopt, {}));
    const auto answer = (*r)->read(builder, {});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, error_kind::denied) << answer.error().message;
  }
  EXPECT_EQ(rows("SELECT k FROM t"), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace sluice::testing
