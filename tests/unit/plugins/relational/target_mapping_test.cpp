#include "plugins/common/relational/target_mapping.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

/// The key that these columns name in a table (a, b, c, d) whose keys are (a) and (b, c); all are mapped but
/// those left out.
std::string named(const std::vector<std::string>& columns,
                  const std::vector<std::size_t>& mapped = {0, 1, 2, 3}) {
  target_table table;
  table.name = "t";
  for (const char* name : {"a", "b", "c", "D"}) {
    table.columns.push_back({name, true, false, false});
  }
  table.keys = {{"a"}, {"b", "c"}};
  table.unusable_keys = {"\"some\" (d) WHERE (a > 1), which is partial"};
  std::vector<placed_text> entries;
  for (const std::string& column : columns) {
    entries.push_back({column, "uniqueIndexColumns", {}});
  }
  const auto found = key_named(table, mapped, entries, {}, {});
  return found ? key_list({*found}) : found.error().message;
}

TEST(key_named_by_its_columns, is_found_in_any_order_and_comes_in_the_tables) {
  EXPECT_EQ(named({"a"}), "(a)");
  EXPECT_EQ(named({"C", "\"b\""}), "(b, c)");
}

TEST(key_named_by_its_columns, must_be_one_of_the_tables_whole_and_mapped) {
  for (const std::vector<std::string>& columns :
       std::vector<std::vector<std::string>>{{"b"}, {"a", "b"}, {"a", "b", "c"}, {"d"}}) {
    const std::string text = named(columns);
    EXPECT_NE(text.find("which is no key of table \"t\": its keys are (a), (b, c) (no row can be found by "
                        "\"some\" (d) WHERE (a > 1), which is partial)"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(named({"d"}).find("found (D)"), std::string::npos);
  EXPECT_NE(named({"b", "c"}, {0, 1, 3}).find("found (b, c), whose columns the job does not map all"),
            std::string::npos);
  EXPECT_NE(named({"e"}).find("has no column \"e\""), std::string::npos);
  EXPECT_NE(named({"b", "B"}).find("twice"), std::string::npos);
}

TEST(keys_that_are_met, are_those_with_all_columns_mapped_in_the_tables_order) {
  target_table table;
  for (const char* name : {"a", "b", "c"}) {
    table.columns.push_back({name, true, false, false});
  }
  table.keys = {{"c"}, {"a", "b"}, {"a"}};
  EXPECT_EQ(key_list(met_keys(table, {0, 1})), "(a, b), (a)");
  EXPECT_EQ(key_list(met_keys(table, {1})), "");
  EXPECT_FALSE(meets_key(table, {1}));
}

}  // namespace
}  // namespace sluice::relational
