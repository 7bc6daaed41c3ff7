#include "plugins/common/relational/sql_text.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

constexpr sql_rules standard = {.dollar_texts = true, .nested_comments = true};
constexpr sql_rules backticks = {.name_quote = '`',
                                 .double_quoted_texts = true,
                                 .backslash_escapes = true,
                                 .hash_comments = true,
                                 .dashes_need_blank = true,
                                 .version_comments = true,
                                 .counts_rows = true};

constexpr sql_rules all_quotes = {.backtick_names = true, .bracket_names = true};
const std::vector<name_part> main_orders = {{"main", false}, {"orders", false}};

std::string joined(std::string_view sql, const sql_rules& rules) {
  std::string out;
  for (const sql_token& t : tokens_of(sql, rules)) {
    out += (out.empty() ? "" : "|") + std::string(t.text);
  }
  return out;
}

std::string listed(std::string_view text, const sql_rules& rules = standard, std::size_t most = 1000) {
  const auto tables = tables_named_by(text, rules, most);
  std::string out;
  for (const std::string& t : tables.value_or(std::vector<std::string>{"(none)"})) {
    out += (out.empty() ? "" : "|") + t;
  }
  return out;
}

TEST(sql_tokens, are_words_numbers_texts_names_and_symbols_without_comments) {
  EXPECT_EQ(joined("SELECT a.\"b\"\"c\" -- no\n, 1.5e3/*x*/+'it''s'", standard),
            "SELECT|a|.|\"b\"\"c\"|,|1.5e3|+|'it''s'");
  EXPECT_EQ(joined("`a``b`=\"x\\\"y\"#no\n;b", backticks), "`a``b`|=|\"x\\\"y\"|;|b");
  EXPECT_EQ(joined("größe+1", standard), "größe|+|1");
}

TEST(a_statement, loses_the_semicolons_at_its_end_and_the_comments_behind_them) {
  const std::string wide = "\xEF\xBC\x9B";
  for (const std::string& end : {std::string(";"), std::string(" ; ;\n"), std::string("; -- x;"),
                                 std::string("/* ; */;/* y */ ;"), wide, wide + wide + " -- x", ";" + wide}) {
    const std::string left = end.starts_with("/*") ? "SELECT a1 /* ; */" : "SELECT a1";
    EXPECT_EQ(without_semicolons((end.starts_with("/*") ? "SELECT a1 " : "SELECT a1") + end, standard), left)
        << end;
  }
  EXPECT_EQ(without_semicolons(" SELECT ';' -- ;", standard), "SELECT ';' -- ;");
  EXPECT_EQ(without_semicolons("SELECT 1; # x", backticks), "SELECT 1");
  EXPECT_EQ(without_semicolons("SELECT 1; SELECT 2;", standard), "SELECT 1; SELECT 2");
  EXPECT_EQ(without_semicolons("; ;", standard), "");
  EXPECT_EQ(without_semicolons("'" + wide + "'", standard), "'" + wide + "'");
}

TEST(sql_tokens, follow_the_products_rules_of_texts_and_comments) {
  EXPECT_EQ(joined("$$a;'b$$ $x$ $$ $x$", standard), "$$a;'b$$|$x$ $$ $x$");
  EXPECT_EQ(joined("/* a /* b */ c */ d", standard), "d");
  EXPECT_EQ(joined("/* a /* b */ c", backticks), "c");
  EXPECT_EQ(joined("a--1", standard), "a");
  EXPECT_EQ(joined("a--1", backticks), "a|-|-|1");
  EXPECT_EQ(joined("a -- 1", backticks), "a");
  EXPECT_EQ(joined("'a\\' b'", backticks), "'a\\' b'");
  EXPECT_EQ(joined("'a\\' b", standard), "'a\\'|b");
  EXPECT_EQ(joined("E'a\\' b'", standard), "E'a\\' b'");
  EXPECT_EQ(joined("/*!40101 SET x=1 */", backticks), "SET|x|=|1|*|/");
}

TEST(sql_tokens, of_a_text_that_breaks_off_reach_to_its_end) {
  for (const sql_rules& rules : {standard, backticks}) {
    const std::string sql = "SELECT 'a', \"b\", `c` /* d */ $$ e $$ -- f\n(g) # h";
    for (std::size_t n = 0; n <= sql.size(); ++n) {
      std::size_t bytes = 0;
      for (const sql_token& t : tokens_of(std::string_view(sql).substr(0, n), rules)) {
        EXPECT_FALSE(t.text.empty());
        bytes += t.text.size();
      }
      EXPECT_LE(bytes, n);
    }
  }
}

TEST(splitting, is_forbidden_by_what_looks_at_more_than_one_row) {
  struct expectation {
    std::string_view sql, why;
  };
  for (const expectation& e : std::initializer_list<expectation>{
           {"max(id)", "the aggregate max"},
           {"COUNT (*)", "the aggregate count"},
           {"\"max\"(id)", "the aggregate max"},
           {"@sum(a)", "the aggregate sum"},
           {"string_agg(a, ',')", "the aggregate string_agg"},
           {"coalesce(sum(a), 0)", "the aggregate sum"},
           {"row_number() OVER (ORDER BY a)", "a window (OVER)"},
           {"DISTINCT a", "DISTINCT"},
           {"a > 1 GROUP BY b", "GROUP BY"},
           {"a > 1 group\n by b", "GROUP BY"},
           {"1 = 1 LIMIT 5", "LIMIT"},
           {"1 = 1 ORDER BY a", "ORDER BY"},
           {"1 = 1 OFFSET 3", "OFFSET"},
           {"1 = 1 FETCH FIRST 5 ROWS ONLY", "FETCH FIRST"},
           {"a = 1 UNION SELECT 2", "UNION"},
       }) {
    EXPECT_EQ(what_forbids_splitting(e.sql, standard), e.why) << e.sql;
  }
}

TEST(tables_altered, are_those_whose_definition_or_whole_content_a_statement_changes) {
  const auto altered = [](std::string_view sql) {
    std::string all;
    for (const auto& name : tables_altered_by(sql, backticks)) {
      all += all.empty() ? "" : " ";
      for (std::size_t i = 0; i < name.size(); ++i) {
        all += (i == 0 ? "" : ".") + name[i].name;
      }
    }
    return all;
  };
  struct example {
    std::string_view sql, names;
  };
  for (const auto& e : std::initializer_list<example>{
           {"ALTER TABLE shop.`a b` ADD COLUMN src INT", "shop.a b"},
           {"alter online ignore table t comment 'x'", "t"},
           {"DROP TABLE IF EXISTS a, b.c", "a b.c"},
           {"DROP TEMPORARY TABLE t", ""},
           {"RENAME TABLE a TO b, c TO d", "a c"},
           {"TRUNCATE t", "t"},
           {"OPTIMIZE NO_WRITE_TO_BINLOG TABLE a, b", "a b"},
           {"FLUSH TABLES a, b FOR EXPORT", "a b"},
           {"CREATE UNIQUE INDEX i ON t (a)", "t"},
           {"DROP INDEX i ON t", "t"},
           {"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW INSERT INTO u VALUES (1)", "t"},
           {"SET @x = 1; ALTER TABLE t ENGINE=InnoDB", "t"},
           {"CREATE TABLE t LIKE u", ""},
           {"CREATE TABLE t AS SELECT * FROM u FORCE INDEX (i) JOIN v ON v.id = u.id", ""},
           {"ANALYZE TABLE t", ""},
           {"INSERT INTO t SELECT * FROM u", ""},
           {"DELETE FROM t", ""},
           {"ALTER DATABASE d CHARACTER SET utf8mb4", ""}}) {
    EXPECT_EQ(altered(e.sql), e.names) << e.sql;
  }
}

TEST(splitting, is_forbidden_by_what_counts_the_rows_of_a_statement) {
  sql_rules mysql = standard;
  mysql.counts_rows = true;
  EXPECT_EQ(what_forbids_splitting("rownum()", mysql), "ROWNUM");
  EXPECT_EQ(what_forbids_splitting("ROWNUM <= 10", mysql), std::nullopt) << "a column";
  EXPECT_EQ(what_forbids_splitting("rownum()", standard), std::nullopt) << "somebody's own function";
  EXPECT_EQ(what_forbids_splitting("@x := @x + 1", mysql), "a variable that is set (:=)");
  EXPECT_EQ(what_forbids_splitting("(SELECT @x := 1)", mysql), "a variable that is set (:=)");
  for (const std::string_view sql : {"t.rownum", "\"rownum\"", "a > @x", "'x := 1'"}) {
    EXPECT_EQ(what_forbids_splitting(sql, mysql), std::nullopt) << sql;
  }
  EXPECT_EQ(what_forbids_splitting("f(a := 1)", standard), std::nullopt);
  mysql.bare_rownum = true;
  EXPECT_EQ(what_forbids_splitting("a AND ROWNUM <= 10", mysql), "ROWNUM");
  EXPECT_EQ(what_forbids_splitting("t.rownum + \"rownum\"", mysql), std::nullopt);
}

TEST(splitting, is_not_forbidden_by_what_looks_at_one_row) {
  for (const std::string_view sql :
       {"id", "upper(name)", "a + 1", "'max(id)'", "\"max\"", "max", "t.limit", "t.distinct", "count",
        "limits(1)", "(SELECT max(b) FROM u)", "a > (SELECT avg(b) FROM u ORDER BY 1 LIMIT 1)",
        "a IN (WITH x AS (SELECT 1) TABLE x)", "/* max(id) */ a", "least(a, b)", "a > 5 -- LIMIT 1",
        "order_by", "fetch_count"}) {
    EXPECT_EQ(what_forbids_splitting(sql, standard), std::nullopt) << sql;
  }
  EXPECT_EQ(what_forbids_splitting("(SELECT max(b) FROM u) + max(a)", standard), "the aggregate max");
  EXPECT_EQ(aggregate_probe({"1", "a + (2)", "'f(x)'"}, "t", standard), std::nullopt);
  const std::vector<std::string> some = {"a", "my_agg(a) -- b", "(SELECT \"own\" (t.a))"};
  EXPECT_EQ(aggregate_probe(some, "t", standard),
            "SELECT (my_agg(a) -- b\n), ((SELECT \"own\" (t.a))\n) FROM t WHERE 1 = 0");
  EXPECT_EQ(probed_aggregate({"a", "my_agg(a)"}, standard), "an aggregate in \"my_agg(a)\"");
  EXPECT_EQ(aggregate_in("DISTINCT a", standard), std::nullopt);
  EXPECT_EQ(aggregate_in("min(a)", standard), "the aggregate min");
}

TEST(names, are_quoted_and_unquoted) {
  EXPECT_EQ(quoted_name("a\"b", standard), "\"a\"\"b\"");
  EXPECT_EQ(quoted_name("a`b", backticks), "`a``b`");
  EXPECT_EQ(bare_name("\"a\"\"b\"", standard), "a\"b");
  EXPECT_EQ(bare_name(" `a``b` ", backticks), "a`b");
  EXPECT_EQ(bare_name("a", standard), "a");
  EXPECT_EQ(bare_name("\"a\".\"b\"", standard), "\"a\".\"b\"");
}

TEST(names, come_apart_at_points_outside_quotes) {
  const auto shown = [](std::string_view text, const sql_rules& rules) {
    std::string out;
    const auto parts = name_parts(text, rules);
    if (!parts) {
      return std::string("(none)");
    }
    for (const name_part& p : *parts) {
      out += (out.empty() ? "" : "|") + p.name + (p.quoted ? "!" : "");
    }
    return out;
  };
  EXPECT_EQ(shown("orders", standard), "orders");
  EXPECT_EQ(shown(" shop.orders ", standard), "shop|orders");
  EXPECT_EQ(shown("\"my.shop\".\"Or\"\"ders\"", standard), "my.shop!|Or\"ders!");
  EXPECT_EQ(shown("`a`.b", backticks), "a!|b");
  EXPECT_EQ(shown("123Test", standard), "123Test");
  EXPECT_EQ(shown("my table", standard), "my table");
  for (const std::string_view broken : {"", ".", "a.", ".a", "a..b", "\"a", "\"\"", "\"a\"b", "\"a\" b"}) {
    EXPECT_EQ(shown(broken, standard), "(none)") << broken;
  }
}

TEST(tables, of_ranges_and_lists_are_named_one_by_one) {
  EXPECT_EQ(listed("t"), "t");
  EXPECT_EQ(listed("t_[0-3]"), "t_0|t_1|t_2|t_3");
  EXPECT_EQ(listed("t_[3-0]"), "t_0|t_1|t_2|t_3");
  EXPECT_EQ(listed("t_[08-11]"), "t_08|t_09|t_10|t_11");
  EXPECT_EQ(listed("t_[11-08]"), "t_08|t_09|t_10|t_11");
  EXPECT_EQ(listed("t_00[9-9]"), "t_009");
  EXPECT_EQ(listed("db.t[0-1]_x"), "db.t0_x|db.t1_x");
  EXPECT_EQ(listed("a, b ,c"), "a|b|c");
  EXPECT_EQ(listed("a[1-2],b"), "a1|a2|b");
  EXPECT_EQ(listed("t_[0-0]"), "t_0");
  EXPECT_EQ(listed("\"t_[0-3]\""), "\"t_[0-3]\"");
  EXPECT_EQ(listed("\"a,b\",c"), "\"a,b\"|c");
  EXPECT_EQ(listed(""), "");
}

TEST(tables, of_broken_or_too_long_ranges_are_none) {
  for (const std::string_view broken :
       {"t_[0-3", "t_[]", "t_[0]", "t_[a-b]", "t_[0-]", "t_[-3]", "t_[0-99999999999]"}) {
    EXPECT_EQ(listed(broken), "(none)") << broken;
  }
  EXPECT_EQ(listed("t[1-4]", standard, 3), "(none)");
  EXPECT_EQ(listed("t[1-2],u[1-2]", standard, 3), "(none)");
  EXPECT_EQ(listed("t[1-3]", standard, 3), "t1|t2|t3");
}

TEST(statements, are_known_that_empty_make_or_drop_a_table) {
  const auto table = *name_parts("shop.orders", standard);
  for (const std::string_view sql :
       {"DELETE FROM orders", "delete from shop.\"orders\";", "TRUNCATE orders",
        "TRUNCATE TABLE ONLY a, shop.orders RESTART IDENTITY",
        "SELECT 1; DROP TABLE IF EXISTS orders CASCADE", "ALTER TABLE orders RENAME TO old"}) {
    EXPECT_TRUE(empties_table(sql, table, standard)) << sql;
  }
  for (const std::string_view sql :
       {"DELETE FROM orders WHERE a = 1", "DELETE FROM other.orders", "TRUNCATE other", "-- TRUNCATE orders",
        "DELETE FROM orders_old", "SELECT 'DROP TABLE orders'"}) {
    EXPECT_FALSE(empties_table(sql, table, standard)) << sql;
  }
  EXPECT_TRUE(makes_table("CREATE TABLE IF NOT EXISTS orders(a int)", table, standard));
  EXPECT_TRUE(makes_table("CREATE UNLOGGED TABLE shop.orders AS SELECT 1", table, standard));
  EXPECT_TRUE(makes_table("ALTER TABLE tmp RENAME TO orders", table, standard));
  EXPECT_FALSE(makes_table("CREATE TABLE other.orders(a int)", table, standard));
  EXPECT_FALSE(makes_table("CREATE TEMP TABLE orders(a int)", table, standard));
  EXPECT_TRUE(drops_table("DROP TABLE a, orders", table, standard));
  EXPECT_FALSE(drops_table("ALTER TABLE orders RENAME COLUMN a TO b", table, standard));
}

struct statement_case {
  const char* sql;
  bool empties;
};

TEST(statements, that_empty_a_table_are_known_by_all_quotes) {
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
    EXPECT_EQ(empties_table(c.sql, main_orders, all_quotes), c.empties) << c.sql;
  }
}

TEST(statements, that_make_or_drop_a_table_are_known_by_all_quotes) {
  struct {
    const char* sql;
    bool makes;
    bool drops;
  } const cases[] = {
      {"CREATE TABLE orders(a)", true, false},
      {"create table if not exists main.\"Orders\"(a)", true, false},
      {"ALTER TABLE staging RENAME TO [orders]", true, false},
      {"ALTER TABLE orders RENAME TO old", false, true},
      {"ALTER TABLE staging RENAME orders", true, false},
      {"ALTER TABLE staging RENAME AS orders", true, false},
      {"ALTER TABLE orders ADD b INT, RENAME old", false, true},
      {"ALTER TABLE x RENAME a TO orders", false, false},
      {"ALTER TABLE orders RENAME a TO b", false, false},
      {"ALTER TABLE orders RENAME INDEX a TO b", false, false},
      {"ALTER TABLE orders RENAME KEY a TO b", false, false},
      {"ALTER TABLE orders RENAME CONSTRAINT a TO b", false, false},
      {"RENAME TABLE orders TO old, staging TO orders", true, true},
      {"RENAME TABLE main.staging NOWAIT TO main.orders", true, false},
      {"RENAME TABLES IF EXISTS staging TO x, `orders` TO y", false, true},
      {"RENAME TABLE staging TO old", false, false},
      {"RENAME TABLE", false, false},
      {"RENAME TABLE orders", false, false},
      {"RENAME USER orders TO other", false, false},
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
    EXPECT_EQ(makes_table(c.sql, main_orders, all_quotes), c.makes) << c.sql;
    EXPECT_EQ(drops_table(c.sql, main_orders, all_quotes), c.drops) << c.sql;
  }
}

TEST(sql_tokens, keep_their_quotes_also_in_brackets) {
  EXPECT_EQ(joined("a.\"b;\"\"c\" -- x\n;; 'd''e'=[f g] /* h */ ü", all_quotes),
            "a|.|\"b;\"\"c\"|;|;|'d''e'|=|[f g]|ü");
  EXPECT_EQ(bare_name("[f g]", all_quotes), "f g");
}

TEST(statements, begin_with_a_word_behind_comments_and_brackets) {
  EXPECT_TRUE(begins_with_word("/* a */ ( begin", "BEGIN", standard));
  EXPECT_FALSE(begins_with_word("beginning", "BEGIN", standard));
  EXPECT_FALSE(begins_with_word("", "BEGIN", standard));
}

}  // namespace
}  // namespace sluice::relational
