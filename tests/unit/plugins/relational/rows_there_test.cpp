#include "plugins/common/relational/rows_there.h"

#include <gtest/gtest.h>

#include "plugins/api/source.h"

namespace sluice::relational {
namespace {

/// A server that keeps the one text of the run's row.
class kept_session : public sql_session {
 public:
  result<std::vector<sql_row>> ask(const std::string& sql, const std::vector<sql_text>&) override {
    EXPECT_NE(sql.find("SELECT \"storage\" FROM"), std::string::npos) << sql;
    return std::vector<sql_row>{{kept}};
  }
  result<std::uint64_t> run(const std::string& sql, const std::vector<sql_text>& values) override {
    EXPECT_NE(sql.find("UPDATE sluice_run SET \"storage\" = ?"), std::string::npos) << sql;
    kept = values.at(0);
    ++updates;
    return std::uint64_t{1};
  }
  result<void> begin() override { return {}; }
  result<void> commit() override { return {}; }
  void rollback() override {}

  sql_text kept;
  int updates = 0;
};

class rows_there : public ::testing::Test {
 protected:
  rows_there() {
    session.kept = "file 1";
    table.name = "table dst";
    table.storage = "file 1";
    table.count = [this](std::uint64_t rows_max) -> result<std::optional<std::uint64_t>> {
      asked.push_back(rows_max);
      if (failure) {
        return fail(*failure);
      }
      return found ? std::optional(std::min(*found, rows_max)) : std::nullopt;
    };
  }

  /// What the check says; empty where all is well.
  std::string said(const committed_rows& rows, bool at_end) {
    const progress_dialect dialect;
    const claim_state claim;
    asked.clear();
    const auto done = check_rows_there(session, dialect, claim, rows, at_end, table);
    code = done ? "" : done.error().code;
    return done ? "" : done.error().message;
  }

  kept_session session;
  table_there table;
  std::optional<std::uint64_t> found = 0;
  std::optional<error> failure;
  std::vector<std::uint64_t> asked;  ///< How many rows each count was for.
  std::string code;
};

using numbers = std::vector<std::uint64_t>;

TEST_F(rows_there, are_not_counted_at_the_end_where_the_table_is_kept_in_the_same) {
  EXPECT_EQ(said({1000}, true), "");
  EXPECT_EQ(asked, numbers());
  EXPECT_EQ(session.updates, 0);
}

TEST_F(rows_there, are_looked_for_when_a_run_is_continued_and_one_is_enough) {
  EXPECT_NE(said({1000}, false).find("table dst: the table is empty, though this run has committed 1,000"),
            std::string::npos);
  EXPECT_EQ(code, begin_anew_code);
  found = 1;
  EXPECT_EQ(said({1000}, false), "");
  EXPECT_EQ(asked, numbers{1});
  EXPECT_EQ(session.updates, 0);
}

TEST_F(rows_there, are_none_before_the_first_commit_and_the_storage_is_noted) {
  session.kept = std::nullopt;
  EXPECT_EQ(said({}, false), "");
  EXPECT_EQ(asked, numbers());
  EXPECT_EQ(session.kept, "file 1");
  session.kept = "file 0";
  EXPECT_EQ(said({}, true), "");
  EXPECT_EQ(session.kept, "file 1");
}

TEST_F(rows_there, must_all_be_in_a_table_that_was_made_anew) {
  session.kept = "file 0";
  found = 999;
  for (const write_mode mode : {write_mode::insert, write_mode::copy}) {
    table.mode = mode;
    table.remark = " (a crash)";
    const std::string text = said({1000}, true);
    EXPECT_NE(text.find("the table holds 999 rows, though this run has committed 1,000 into it"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("meanwhile (a crash)."), std::string::npos) << text;
    EXPECT_EQ(session.kept, "file 0") << "what is gone is not noted as if it were there";
  }
  found = 1000;
  EXPECT_EQ(said({1000}, true), "");
  EXPECT_EQ(asked, numbers{1000});
  EXPECT_EQ(session.kept, "file 1");
}

TEST_F(rows_there, are_as_many_as_were_new_where_others_were_changed) {
  for (const auto& [mode, least] : {std::pair(write_mode::update, 400U), std::pair(write_mode::ignore, 400U),
                                    std::pair(write_mode::replace, 1U)}) {
    session.kept = "file 0";
    table.mode = mode;
    found = least - 1;
    EXPECT_NE(said({1000, {400, 600}}, true), "") << to_string(mode);
    found = least;
    EXPECT_EQ(said({1000, {400, 600}}, true), "") << to_string(mode);
    EXPECT_EQ(asked, numbers{least});
  }
  // Not told apart: one row at least.
  session.kept = "file 0";
  table.mode = write_mode::update;
  found = 1;
  EXPECT_EQ(said({1000}, true), "");
}

TEST_F(rows_there, are_gone_with_the_table_without_a_count) {
  table.storage.clear();
  EXPECT_NE(said({1000}, true).find("the table is gone"), std::string::npos);
  EXPECT_EQ(asked, numbers());
}

TEST_F(rows_there, of_a_run_that_noted_no_storage_are_looked_for_only) {
  session.kept = std::nullopt;  // an older program's
  found = 1;
  EXPECT_EQ(said({1000}, true), "");
  EXPECT_EQ(asked, numbers{1});
  EXPECT_EQ(session.kept, "file 1");
}

TEST_F(rows_there, are_believed_where_the_account_may_not_read_them) {
  session.kept = "file 0";
  found = std::nullopt;
  EXPECT_EQ(said({1000}, true), "");
  EXPECT_EQ(session.kept, "file 1");
}

TEST_F(rows_there, that_cannot_be_counted_fail_as_the_server_says) {
  session.kept = "file 0";
  failure = error{error_kind::not_connected, "the connection is lost", "57P01", false};
  EXPECT_EQ(said({1000}, true), "the connection is lost");
  EXPECT_EQ(code, "57P01");
  EXPECT_EQ(session.kept, "file 0");
}

}  // namespace
}  // namespace sluice::relational
