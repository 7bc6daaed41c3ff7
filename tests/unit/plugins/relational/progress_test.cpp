#include "plugins/common/relational/progress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "plugins/common/relational/progress_sql.h"

namespace sluice::relational {
namespace {

/// A server without tables that writes down what it is told, or fails at once.
class recorded_home : public progress_home, public sql_session {
 public:
  result<sql_session*> session(bool) override { return this; }
  result<std::vector<std::string>> columns_of(const std::string&) override { return columns; }
  result<std::vector<sql_row>> ask(const std::string&, const std::vector<sql_text>&) override {
    return std::vector<sql_row>();
  }
  result<std::uint64_t> run(const std::string& sql, const std::vector<sql_text>&) override {
    said.push_back(sql);
    return std::uint64_t{1};
  }
  result<void> begin() override {
    ++begun;
    return failure ? fail(*failure) : result<void>();
  }
  result<void> commit() override { return {}; }
  void rollback() override {}

  std::vector<std::string> columns;
  std::vector<std::string> said;
  std::optional<error> failure;
  int begun = 0;
};

int tries_with(const error& why) {
  recorded_home home;
  home.failure = why;
  const progress_dialect dialect;
  claim_state claim;
  EXPECT_FALSE(relational_progress(home, dialect, claim).make_tables());
  return home.begun;
}

TEST(progress_tables, are_tried_again_where_starts_collide_but_not_where_a_wait_has_timed_out) {
  EXPECT_EQ(tries_with({error_kind::busy, "locked", "SQLITE_BUSY", true}), 1);
  EXPECT_EQ(tries_with({error_kind::busy, "lock wait", "ER_LOCK_WAIT_TIMEOUT", false}), 1);
  EXPECT_EQ(tries_with({error_kind::busy, "lock_timeout", "55P03", false}), 1);
  EXPECT_EQ(tries_with({error_kind::bad_row, "pg_type_typname_nsp_index", "23505", false}), 5);
  EXPECT_EQ(tries_with({error_kind::busy, "deadlock", "40P01", false}), 5);
  EXPECT_EQ(tries_with({error_kind::busy, "deadlock", "ER_LOCK_DEADLOCK", false}), 5);
}

TEST(progress_tables, keep_the_name_of_a_schema_that_has_brackets_and_question_marks) {
  progress_dialect dialect;
  dialect.placeholders = progress_dialect::placeholder::dollar_number;
  dialect.run_table = R"("we[ird?@now".sluice_run)";
  dialect.progress_table = R"("we[ird?@now".sluice_progress)";
  // Those that tables of the first version have, of both.
  std::vector<std::string> of_first_version = columns_lacking(true, {});
  for (std::string& name : columns_lacking(false, {})) {
    of_first_version.push_back(std::move(name));
  }
  for (const std::vector<std::string>& there : {std::vector<std::string>(), of_first_version}) {
    recorded_home home;
    home.columns = there;
    claim_state claim;
    const auto made = relational_progress(home, dialect, claim).make_tables();
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_GE(home.said.size(), 4u);
    for (const std::string& sql : home.said) {
      EXPECT_NE(sql.find(R"("we[ird?@now".sluice_)"), std::string::npos) << sql;
    }
  }
}

}  // namespace
}  // namespace sluice::relational
