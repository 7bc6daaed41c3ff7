#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/unit/plugins/mysql/mysql_fixture.h"

namespace sluice::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t rows_there = 16'384;

class mysql_snapshot_server_test : public mysql_test {
 protected:
  /// More than fits the buffers between server and reader.
  void fill() {
    sql({"CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT, filler CHAR(250) NOT NULL)",
         "INSERT INTO t VALUES (NULL, 0, REPEAT('x', 250))"});
    for (std::size_t n = 1; n < rows_there; n *= 2) {
      sql({"INSERT INTO t SELECT NULL, v, filler FROM t"});
    }
  }
  static std::unique_ptr<reader> reader_of(const opened_source& opened) {
    auto made = opened.object->make_reader();
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  std::string shared() const { return parameter(R"("table": "t", "column": ["*"], "snapshot": "shared")"); }
};

TEST_P(mysql_snapshot_server_test, reads_a_split_again_as_it_was_when_the_connections_began) {
  fill();
  const auto opened = open_source(mysql_plugin(), shared());
  auto first = reader_of(opened);
  auto second = reader_of(opened);
  batch_builder builder(opened.description.columns, buffer_pool::make(1 << 20), {});
  ASSERT_TRUE(first->open(opened.splits[0].description, std::nullopt, {}));
  const auto some = first->read(builder, {});
  ASSERT_TRUE(some) << some.error().message;
  ASSERT_EQ(some->what, read_answer::kind::full) << "the statement is at its end already";
  sql({"UPDATE t SET v = 1", "DELETE FROM t WHERE id < 1000"});
  for (reader* r : {first.get(), second.get(), first.get()}) {
    const auto all = rows_of(read_split(*r, opened.description, opened.splits[0], {}));
    EXPECT_EQ(all.size(), rows_there);
    EXPECT_TRUE(std::all_of(all.begin(), all.end(),
                            [](const std::string& row) { return row.find("|0|") != std::string::npos; }));
  }
}

TEST_P(mysql_snapshot_server_test, says_that_the_snapshot_is_gone_where_a_connection_is_lost) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)"});
  const auto opened = open_source(mysql_plugin(), shared());
  auto r = reader_of(opened);
  ASSERT_TRUE(r->open(opened.splits[0].description, std::nullopt, {}));
  for (const std::string& id : rows(fmt::format(
           "SELECT id FROM information_schema.processlist WHERE db = '{}' AND id <> CONNECTION_ID()",
           database_))) {
    (void)admin_->run("KILL " + id, {});
  }
  std::vector<error_kind> kinds;
  std::string last;
  for (int i = 0; i < 2; ++i) {
    auto done = r->open(opened.splits[0].description, std::nullopt, {});
    ASSERT_FALSE(done);
    kinds.push_back(done.error().kind);
    last = done.error().message;
  }
  EXPECT_EQ(kinds.back(), error_kind::not_connected);
  EXPECT_THAT(last, HasSubstr("snapshot is gone"));
}

TEST_P(mysql_snapshot_server_test, refuses_a_table_that_has_no_snapshots) {
  sql({"CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM"});
  const error e = source_refused(R"("table": "t", "column": ["*"], "snapshot": "shared")");
  EXPECT_EQ(e.kind, error_kind::bad_option);
  EXPECT_THAT(e.message, HasSubstr("snapshot"));
  EXPECT_THAT(e.message, HasSubstr("MyISAM"));
}

SLUICE_ON_ALL_SERVERS(mysql_snapshot_server_test);

}  // namespace
}  // namespace sluice::testing
