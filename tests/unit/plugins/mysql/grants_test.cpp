#include "plugins/mysql/mysql_grants.h"

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

account_rights rights_in(std::initializer_list<const char*> lines) {
  account_rights out;
  for (const char* line : lines) {
    out.add(line);
  }
  return out;
}

TEST(account_rights, are_those_of_the_lines) {
  const account_rights r = rights_in({"GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*1'",
                                      "GRANT SELECT, LOCK TABLES ON `shop`.* TO `reader`@`%`"});
  EXPECT_TRUE(r.has("SELECT", "shop"));
  EXPECT_TRUE(r.has("LOCK TABLES", "shop"));
  EXPECT_FALSE(r.has("INSERT", "shop"));
  EXPECT_FALSE(r.has("SELECT", "shop2"));
  EXPECT_FALSE(r.has("LOCK", "shop"));
}

TEST(account_rights, are_read_however_the_server_quotes_names) {
  const account_rights r = rights_in({"GRANT Select,Insert ON shop.* TO 'writer'@'%'",
                                      "GRANT DELETE ON \"odd\"\"one\".* TO \"writer\"@\"%\"",
                                      "GRANT UPDATE ON shop.orders TO 'writer'@'%'"});
  EXPECT_TRUE(r.has("SELECT", "shop"));
  EXPECT_TRUE(r.has("INSERT", "shop"));
  EXPECT_TRUE(r.has("DELETE", "odd\"one"));
  EXPECT_TRUE(r.has_some("UPDATE", "shop"));
  EXPECT_FALSE(r.has("UPDATE", "shop"));
  EXPECT_FALSE(r.has_some("DELETE", "shop"));
}

TEST(account_rights, count_for_all_databases_or_by_a_pattern) {
  const account_rights r =
      rights_in({"GRANT BINLOG MONITOR ON *.* TO `a`@`%`", "GRANT ALL PRIVILEGES ON `sh\\_%`.* TO `a`@`%`",
                 "GRANT SELECT ON `od``d`.* TO `a`@`%` WITH GRANT OPTION"});
  EXPECT_TRUE(r.has("BINLOG MONITOR", "any"));
  EXPECT_TRUE(r.has("CREATE", "sh_1"));
  EXPECT_FALSE(r.has("CREATE", "shop"));
  EXPECT_TRUE(r.has("SELECT", "od`d"));
}

TEST(account_rights, on_tables_and_columns_are_some_of_it) {
  const account_rights r = rights_in(
      {"GRANT SELECT (`a`, `b`), INSERT ON `shop`.`orders` TO `a`@`%`", "GRANT `role` TO `a`@`%`",
       "GRANT PROXY ON ''@'%' TO 'root'@'localhost'", "GRANT EXECUTE ON FUNCTION `shop`.`f` TO `a`@`%`", ""});
  EXPECT_FALSE(r.has("SELECT", "shop"));
  EXPECT_TRUE(r.has_some("SELECT", "shop"));
  EXPECT_TRUE(r.has_some("INSERT", "shop"));
  EXPECT_FALSE(r.has_some("SELECT", "other"));
  EXPECT_FALSE(r.has_some("EXECUTE", "shop"));
}

}  // namespace
}  // namespace sluice::mysql
