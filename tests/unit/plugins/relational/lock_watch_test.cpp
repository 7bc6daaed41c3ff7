#include "plugins/common/relational/lock_watch.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

TEST(statement_head, leaves_out_values_and_whose_the_statement_is) {
  EXPECT_EQ(statement_head("INSERT INTO `t` (`id`) VALUES (1)"), "\"INSERT INTO `t`\"");
  EXPECT_EQ(statement_head("INSERT /* sluice nightly (x) 0190 split 3 */ INTO `t` (`id`) VALUES (1)"),
            "\"INSERT INTO `t`\"");
  EXPECT_EQ(statement_head("LOAD /* cut before its e"), "\"LOAD\"");
  EXPECT_EQ(statement_head("UPDATE t SET v = ' /* ' */"), "\"UPDATE t SET v = ' /* ' */\"");
}

}  // namespace
}  // namespace sluice::relational
