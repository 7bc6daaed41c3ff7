#include "plugins/sqlite/sqlite_statement.h"

#include <gtest/gtest.h>

namespace sluice::sqlite {
namespace {

struct statement_case {
  const char* sql;
  bool empties;
};

TEST(sqlite_statement, a_text_empties_the_table_where_one_of_its_statements_removes_all_its_rows) {
  const statement_case cases[] = {
      {"DELETE FROM orders", true},
      {"delete from \"Orders\";", true},
      {" /* all */ DELETE -- of it\n FROM main.[ORDERS] ; ", true},
      {"SELECT ';'; DELETE FROM `orders`", true},
      {"DROP TABLE orders", true},
      {"drop table if exists \"main\".\"orders\"; CREATE TABLE orders(a)", true},
      {"DELETE FROM orders WHERE day = '2026-01-01'", false},
      {"DELETE FROM orders2", false},
      {"DELETE FROM other.orders", false},
      {"SELECT 'DELETE FROM orders'", false},
      {"-- DELETE FROM orders", false},
      {"/* DELETE FROM orders", false},
      {"DELETE FROM 'it''s; DELETE FROM orders", false},
      {"DROP INDEX orders", false},
      {"UPDATE orders SET a = 1", false},
      {"DELETE FROM", false},
      {"DROP TABLE IF EXISTS", false},
      {"", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(empties_table(c.sql, "orders"), c.empties) << c.sql;
  }
}

TEST(sqlite_statement, a_text_makes_or_drops_the_table_where_one_of_its_statements_does) {
  struct {
    const char* sql;
    bool makes;
    bool drops;
  } const cases[] = {
      {"CREATE TABLE orders(a)", true, false},
      {"create table if not exists main.\"Orders\"(a)", true, false},
      {"ALTER TABLE staging RENAME TO [orders]", true, false},
      {"ALTER TABLE orders RENAME TO old", false, true},
      {"DROP TABLE orders; CREATE TABLE orders(a)", true, true},
      {"DROP TABLE IF EXISTS orders", false, true},
      {"ALTER TABLE orders RENAME COLUMN a TO orders", false, false},
      {"CREATE TABLE orders2(a)", false, false},
      {"CREATE TABLE other.orders(a)", false, false},
      {"CREATE INDEX orders ON x(a)", false, false},
      {"DROP INDEX orders", false, false},
      {"DELETE FROM orders", false, false},
      {"CREATE TABLE", false, false},
      {"", false, false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(makes_table(c.sql, "orders"), c.makes) << c.sql;
    EXPECT_EQ(drops_table(c.sql, "orders"), c.drops) << c.sql;
  }
}

TEST(sqlite_statement, tokens_keep_their_quotes_and_comments_are_gone) {
  const auto found = statements_of("a.\"b;\"\"c\" -- x\n;; 'd''e'=[f g] /* h */ ü");
  const std::vector<std::vector<std::string>> expected = {{"a", ".", "\"b;\"\"c\""},
                                                          {"'d''e'", "=", "[f g]", "ü"}};
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace sluice::sqlite
