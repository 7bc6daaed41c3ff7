#include "plugins/common/relational/columns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

constexpr sql_rules standard = {};

std::string shown(const std::vector<std::string>& entries, const std::vector<std::string>& names) {
  std::vector<placed_text> placed;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    placed.push_back({entries[i], fmt::format("column[{}]", i), {}});
  }
  const auto found = column_entries(placed, names, standard);
  if (!found) {
    return found.error().message;
  }
  std::string out;
  for (const column_entry& e : *found) {
    out += (out.empty() ? "" : "|") + (e.column ? fmt::format("#{}", *e.column) : e.text) +
           (e.alias.empty() ? "" : "=" + e.alias);
  }
  return out;
}

std::string mapped(const std::vector<std::string>& entries, const std::vector<std::string>& names) {
  std::vector<placed_text> placed;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    placed.push_back({entries[i], fmt::format("column[{}]", i), {}});
  }
  const auto found = target_columns(placed, names, "orders", standard);
  return found ? fmt::format("{}", fmt::join(*found, ",")) : found.error().message;
}

TEST(column_entries_of_a_reader, are_columns_where_they_name_one_and_expressions_else) {
  EXPECT_EQ(shown({"id", "NAME", "\"Mixed\"", "mixed", "1", "'id'", "upper(name)", "null", " name "},
                  {"id", "name", "Mixed"}),
            "#0|#1|#2|#2|1|'id'|upper(name)|null|#1");
}

TEST(column_entries_of_a_reader, are_a_star_where_the_only_one_is_all_of_the_table_itself) {
  const auto is_own = [](const char* entry) {
    const auto made = with_own_star({{entry, "column[0]", {}}}, "shop", "Orders", standard);
    return is_star(made) && made[0].place == "column[0]";
  };
  for (const char* entry : {"*", "orders.*", " \"Orders\".* ", "SHOP.ORDERS.*"}) {
    EXPECT_TRUE(is_own(entry)) << entry;
  }
  for (const char* entry : {"\"orders\".*", "other.orders.*", "a.shop.orders.*", "order.*", "(orders).*",
                            ".*", "f().*", "orders"}) {
    EXPECT_FALSE(is_own(entry)) << entry;
  }
  EXPECT_FALSE(is_star(with_own_star({{"orders.*", "", {}}, {"a", "", {}}}, "shop", "orders", standard)));
}

TEST(column_entries_of_a_reader, take_the_exact_name_before_the_one_of_another_case) {
  EXPECT_EQ(shown({"a", "A", "\"A\""}, {"A", "a"}), "#1|#0|#0");
  EXPECT_EQ(shown({"AB"}, {"Ab", "aB"}),
            "column[0]: several columns of the table are called \"AB\" when case does not count; write the "
            "one that "
            "is meant as the table spells it");
}

TEST(column_entries_of_a_reader, take_a_name_with_its_own_blanks_before_the_one_without) {
  EXPECT_EQ(shown({" a", "a", " a ", "\" a\"", " b c", " B"}, {" a", "a", " b c", "b"}), "#0|#1|#1|#0|#2|#3");
  EXPECT_EQ(mapped({" a", "b "}, {"b", "a", " a"}), "2,0");
}

TEST(column_entries_of_a_reader, take_names_with_odd_characters) {
  EXPECT_EQ(shown({"unit price", "\"unit price\"", "a\"b", "\"a\"\"b\"", "max(x)"},
                  {"unit price", "a\"b", "max(x)"}),
            "#0|#0|#1|#1|#2");
}

TEST(column_entries_of_a_reader, may_end_in_a_name_of_their_own) {
  EXPECT_EQ(
      shown({"b*2 as x", "id AS \"a\"\"b\"", "Id a", "'x' as 'c'", "count(*) as n -- so many"}, {"id", "b"}),
      "b*2=x|#0=a\"b|#0=a|'x'=c|count(*)=n");
  EXPECT_EQ(
      shown({"cast(b as int)", "b::int", "b ISNULL", "b + id", "'a as b'", "as", "a as b", "count(*) n"},
            {"id", "b", "as", "a as b"}),
      "cast(b as int)|b::int|b ISNULL|b + id|'a as b'|#2|#3|count(*) n");
}

TEST(column_entries_of_a_reader, are_all_columns_for_a_star) {
  EXPECT_EQ(shown({"*"}, {"a", "b"}), "#0|#1");
}

TEST(column_entries_of_a_reader, are_for_a_star_the_first_tables_columns_by_name_in_every_other) {
  const auto behind = [](const std::string& entry, const std::vector<std::string>& first,
                         const std::vector<std::string>& names) {
    const auto found = column_entries_behind({{entry, "column[0]", {}}}, {"\"t_0\"", first},
                                             {"\"t_1\" in shard_2", names}, standard);
    std::string out = found ? "" : found.error().message;
    for (std::size_t i = 0; found && i < found->size(); ++i) {
      out += fmt::format("#{}", (*found)[i].column.value_or(names.size()));
    }
    return out;
  };
  constexpr std::string_view rule =
      "column[0]: \"*\" reads from each table the columns of the first one by name; table \"t_1\" in shard_2 "
      "{}; name in \"column\" what all tables have";
  EXPECT_EQ(behind("*", {"a", "b"}, {"a", "b"}), "#0#1");
  EXPECT_EQ(behind("*", {"a", "b", "C"}, {"c", "b", "a"}), "#2#1#0");
  EXPECT_EQ(behind("*", {"a", "A"}, {"A", "a"}), "#1#0");
  EXPECT_EQ(behind("*", {"a", "b"}, {"a"}), fmt::format(rule, "lacks \"b\", which \"t_0\" has"));
  EXPECT_EQ(behind("*", {"a"}, {"c", "a", "b"}), fmt::format(rule, "has \"c\", \"b\", which \"t_0\" lacks"));
  EXPECT_EQ(behind("*", {"a", "A"}, {"a", "b"}),
            fmt::format(rule, "lacks \"A\", which \"t_0\" has, and has \"b\", which \"t_0\" lacks"));
  EXPECT_EQ(behind("b", {"a", "b"}, {"b", "x"}), "#0");
}

TEST(columns_of_a_writer, are_found_as_a_readers_and_must_be_there_once) {
  EXPECT_EQ(mapped({"b", "\"A\""}, {"a", "b"}), "1,0");
  EXPECT_EQ(mapped({"nmae"}, {"id", "name"}),
            "column[0]: table \"orders\" has no column \"nmae\"; did you mean \"name\"?");
  EXPECT_EQ(mapped({"x"}, {"one", "two"}),
            "column[0]: table \"orders\" has no column \"x\"; the table has \"one\", \"two\"");
  EXPECT_EQ(mapped({"a", "A"}, {"a"}), "column[1]: column \"a\" is mapped twice; leave one out");
}

}  // namespace
}  // namespace sluice::relational
