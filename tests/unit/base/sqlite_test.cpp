#include "transport/base/sqlite.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace sluice::sqlite {
namespace {

using namespace std::chrono_literals;

class sqlite_wrapper : public testing::Test {
 protected:
  void SetUp() override {
    std::string made = (std::filesystem::temp_directory_path() / "sluice sqlite ä XXXXXX").string();
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

struct code_case {
  int code;
  int system_error;
  std::string_view name;
  error_kind kind;
};

TEST(sqlite_codes, mean_what_the_engine_does_about_them) {
  const code_case cases[] = {
      {SQLITE_CONSTRAINT_UNIQUE, 0, "SQLITE_CONSTRAINT_UNIQUE", error_kind::bad_row},
      {SQLITE_CONSTRAINT_TRIGGER, 0, "SQLITE_CONSTRAINT_TRIGGER", error_kind::bad_row},
      {SQLITE_CONSTRAINT | (99 << 8), 0, "SQLITE_CONSTRAINT", error_kind::bad_row},
      {SQLITE_TOOBIG, 0, "SQLITE_TOOBIG", error_kind::bad_row},
      {SQLITE_MISMATCH, 0, "SQLITE_MISMATCH", error_kind::bad_row},
      {SQLITE_BUSY, 0, "SQLITE_BUSY", error_kind::busy},
      {SQLITE_LOCKED, 0, "SQLITE_LOCKED", error_kind::busy},
      {SQLITE_READONLY, 0, "SQLITE_READONLY", error_kind::denied},
      {SQLITE_CANTOPEN, 0, "SQLITE_CANTOPEN", error_kind::denied},
      {SQLITE_CANTOPEN, ENOSPC, "SQLITE_CANTOPEN", error_kind::no_room},
      {SQLITE_FULL, 0, "SQLITE_FULL", error_kind::no_room},
      {SQLITE_IOERR_WRITE, ENOSPC, "SQLITE_IOERR_WRITE", error_kind::no_room},
      {SQLITE_IOERR_WRITE, EDQUOT, "SQLITE_IOERR_WRITE", error_kind::no_room},
      {SQLITE_IOERR_WRITE, EIO, "SQLITE_IOERR_WRITE", error_kind::source_changed},
      {SQLITE_CORRUPT, 0, "SQLITE_CORRUPT", error_kind::source_changed},
      {SQLITE_NOTADB, 0, "SQLITE_NOTADB", error_kind::source_changed},
      {SQLITE_SCHEMA, 0, "SQLITE_SCHEMA", error_kind::source_changed},
      {SQLITE_INTERRUPT, 0, "SQLITE_INTERRUPT", error_kind::cancelled},
      {12345, 0, "SQLITE_UNKNOWN", error_kind::internal},
  };
  for (const auto& c : cases) {
    const code_meaning m = meaning_of(c.code, c.system_error);
    EXPECT_EQ(m.name, c.name) << c.code;
    EXPECT_EQ(m.kind, c.kind) << c.name << " errno " << c.system_error;
  }
}

TEST_F(sqlite_wrapper, gives_back_what_was_bound) {
  auto db = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(db) << db.error().message;
  ASSERT_TRUE(db->run("CREATE TABLE t(a, b, c, d, e); CREATE INDEX i ON t(a);"));
  const std::string blob("\0\x01", 2);
  {
    auto insert = db->prepare("INSERT INTO t VALUES(?, ?, ?, ?, ?)");
    ASSERT_TRUE(insert) << insert.error().message;
    insert->bind(1, std::int64_t{-9223372036854775807 - 1});
    insert->bind(2, 0.1);
    insert->bind_text(3, std::string_view());
    insert->bind_blob(4, blob);
    insert->bind_null(5);
    EXPECT_EQ(insert->step(), step_answer::done);
    EXPECT_EQ(db->changes(), 1);
  }
  auto select = db->prepare("SELECT a, b, c, d, e FROM t");
  ASSERT_TRUE(select) << select.error().message;
  ASSERT_EQ(select->step(), step_answer::row);
  EXPECT_EQ(select->int64_at(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(select->float64_at(1), 0.1);
  EXPECT_EQ(select->storage_at(2), storage::text) << "an empty text is not NULL";
  EXPECT_EQ(select->bytes_at(2), "");
  EXPECT_EQ(select->storage_at(3), storage::blob);
  EXPECT_EQ(select->bytes_at(3), blob);
  EXPECT_EQ(select->storage_at(4), storage::null);
  EXPECT_EQ(select->step(), step_answer::done);
}

TEST_F(sqlite_wrapper, names_the_file_that_cannot_be_opened_and_why) {
  auto missing = database::open(file("none.db"), open_mode::read_write, 0ms);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, error_kind::bad_option);
  EXPECT_NE(missing.error().message.find("none.db\": there is no such file"), std::string::npos)
      << missing.error().message;
  EXPECT_FALSE(std::filesystem::exists(file("none.db")));

  auto is_folder = database::open(folder_.string(), open_mode::create, 0ms);
  ASSERT_FALSE(is_folder);
  EXPECT_NE(is_folder.error().message.find("this is a folder"), std::string::npos)
      << is_folder.error().message;

  std::ofstream(file("x.csv")) << "id,name\n1,a\n" << std::string(2000, 'x');
  auto csv = database::open(file("x.csv"), open_mode::read_write, 0ms);
  ASSERT_FALSE(csv);
  EXPECT_EQ(csv.error().kind, error_kind::bad_option);
  EXPECT_EQ(csv.error().code, "SQLITE_NOTADB");
}

TEST_F(sqlite_wrapper, takes_a_double_quoted_name_that_is_missing_for_an_error_and_not_for_a_text) {
  auto db = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(db && db->run("CREATE TABLE t(a)"));
  auto s = db->prepare("SELECT \"b\" FROM t");
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().kind, error_kind::bad_option);
  EXPECT_NE(s.error().message.find("no such column: b"), std::string::npos) << s.error().message;
}

TEST_F(sqlite_wrapper, refuses_two_statements_where_one_is_wanted) {
  auto db = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(db);
  EXPECT_FALSE(db->prepare("SELECT 1; SELECT 2"));
  EXPECT_FALSE(db->prepare("  "));
  EXPECT_TRUE(db->prepare("SELECT 1 ; "));
}

TEST_F(sqlite_wrapper, says_busy_when_a_lock_outlasts_the_timeout) {
  auto holder = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(holder && holder->run("CREATE TABLE t(a); BEGIN EXCLUSIVE"));
  auto db = database::open(file("a.db"), open_mode::read_write, 20ms);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().kind, error_kind::busy);
  EXPECT_TRUE(db.error().final);
  EXPECT_NE(db.error().message.find("busyTimeout"), std::string::npos) << db.error().message;
}

TEST_F(sqlite_wrapper, stops_waiting_for_a_lock_when_the_stop_fires) {
  auto db = database::open(file("a.db"), open_mode::create, 1h);
  ASSERT_TRUE(db && db->run("CREATE TABLE t(a)"));
  auto holder = database::open(file("a.db"), open_mode::read_write, 0ms);
  ASSERT_TRUE(holder && holder->run("BEGIN EXCLUSIVE"));
  const stop_source stop;
  db->use_stop(stop.signal());
  std::thread firing([&] { stop.fire(); });
  const auto answer = db->run("BEGIN IMMEDIATE");
  firing.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, error_kind::cancelled) << answer.error().message;
}

TEST_F(sqlite_wrapper, ends_a_running_statement_on_interrupt) {
  auto db = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(db);
  auto endless =
      db->prepare("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c");
  ASSERT_TRUE(endless) << endless.error().message;
  std::atomic<bool> ended = false;
  std::thread other([&] {
    while (!ended) {  // an interrupt before the statement runs is lost in SQLite, so it is repeated
      db->interrupt();
      std::this_thread::yield();
    }
  });
  const step_answer answer = endless->step();
  ended = true;
  other.join();
  ASSERT_EQ(answer, step_answer::failed);
  EXPECT_EQ(db->failure("count").kind, error_kind::cancelled);
  EXPECT_TRUE(db->interrupted());
}

TEST_F(sqlite_wrapper, tells_a_file_without_room) {
  auto db = database::open(file("a.db"), open_mode::create, 0ms);
  ASSERT_TRUE(db && db->run("CREATE TABLE t(a); PRAGMA max_page_count = 4"));
  auto filled = db->run("INSERT INTO t VALUES(zeroblob(100000))");
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error().kind, error_kind::no_room);
  EXPECT_EQ(filled.error().code, "SQLITE_FULL");
}

TEST(sqlite_names, are_quoted_for_sql) {
  EXPECT_EQ(quote_name("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(quote_text("it's"), "'it''s'");
}

}  // namespace
}  // namespace sluice::sqlite
