#include "plugins/common/relational/target_steps.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

bool may_change(std::vector<std::string> statements, const sql_rules& rules = {}) {
  std::vector<placed_text> pre_sql;
  for (std::string& sql : statements) {
    pre_sql.push_back({std::move(sql), "preSql", {}});
  }
  return target_steps(std::move(pre_sql), {}, {{"t", false}}, rules, [](std::string_view) { return false; })
      .may_change_rows();
}

TEST(steps_before_the_data, change_no_row_where_that_can_be_seen) {
  EXPECT_FALSE(may_change({}));
  EXPECT_FALSE(may_change({"SET lock_timeout = '1s'", "set local x to y; SELECT 1;", "SHOW search_path"}));
  EXPECT_FALSE(may_change({"/* why */ SET a = 1 -- so\n", "ANALYZE t (a, b)", "ANALYZE TABLE t"}));
  EXPECT_FALSE(may_change({"SELECT 'DELETE FROM t (x)', \"from\""}));
}

TEST(steps_before_the_data, may_change_rows_where_anything_else_is_in_them) {
  for (const char* sql : {"DELETE FROM t", "UPDATE t SET a = 1", "TRUNCATE t", "CALL p", "DO 1", "SELECT f()",
                          "SELECT * FROM v", "SELECT 1 INTO u", "SET @a = f(1)",
                          "SET STATEMENT max_statement_time = 1 FOR DELETE FROM t", "ANALYZE DELETE FROM t",
                          "ANALYZE FORMAT=JSON UPDATE t SET a = 1", "SET a = 1; INSERT INTO t VALUES (1)",
                          "WITH gone AS (DELETE FROM t) SELECT 1", "EXPLAIN ANALYZE DELETE FROM t"}) {
    EXPECT_TRUE(may_change({"SELECT 1", sql})) << sql;
  }
  EXPECT_TRUE(may_change({"SELECT 1 /*! INTO u */"}, {.version_comments = true}));
}

}  // namespace
}  // namespace sluice::relational
