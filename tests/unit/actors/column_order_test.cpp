#include "actors/plan/column_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "actors/plan/mapping.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Text columns of these names; `-` is a column without a name.
schema_ptr columns(const std::string& names) {
  schema s;
  std::istringstream in(names);
  for (std::string name; in >> name;) {
    s.push_back({name == "-" ? "" : name, type_of(type_id::utf8), true, "text"});
  }
  return std::make_shared<const schema>(std::move(s));
}

struct order_case {
  const char* what;
  const char* source;
  const char* target;
  std::vector<std::string> parts;  ///< Of the sentence; none: nothing is odd.
};

class ColumnOrder : public ::testing::TestWithParam<order_case> {};

TEST_P(ColumnOrder, NamesBothPositionsOfWhatStandsElsewhere) {
  const auto& one = GetParam();
  const std::string found = other_order(names_of(*columns(one.source)), names_of(*columns(one.target)));
  if (one.parts.empty()) {
    EXPECT_THAT(found, IsEmpty());
  }
  for (const std::string& part : one.parts) {
    EXPECT_THAT(found, HasSubstr(part));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, ColumnOrder,
    ::testing::Values(
        order_case{"SameOrder", "id name", "id name", {}}, order_case{"OtherNames", "a b", "c d", {}},
        order_case{"CaseDoesNotCount", "ID name", "id NAME", {}}, order_case{"NoNames", "- -", "b a", {}},
        order_case{"NoNamesAtTheWriter", "a b", "- -", {}},
        order_case{"OneRenamed", "id full_name", "id name", {}},
        order_case{"TwiceAndHereToo", "id id", "id x", {}},
        order_case{"TwiceAtTheWriter", "x id", "id id", {}},
        order_case{"Swapped",
                   "id name",
                   "name id",
                   {"both sides have the same names in another order",
                    "\"id\" is column 0 of the reader and column 1 of the writer",
                    "\"name\" is column 1 of the reader and column 0 of the writer",
                    "write both lists in the same order"}},
        order_case{"OneAtAnotherPosition",
                   "id price city",
                   "id city other",
                   {"but some names stand at other positions",
                    "\"city\" is column 2 of the reader and column 1 of the writer"}},
        order_case{"SpelledAsTheReaderHasIt", "A b", "x a", {"\"A\" is column 0 of the reader and column 1"}},
        order_case{"Many",
                   "a b c d e f g",
                   "b c d e f g a",
                   {"\"e\" is column 4 of the reader and column 3 of the writer and 2 more"}}),
    [](const auto& one) { return one.param.what; });

job strict_job(bool strict) {
  static const std::vector<option> none;
  job what;
  what.strict = strict;
  what.writer.parameter = option_values("a.json", "steps[1].parameter", {}, nullptr, none, dialect::script2);
  return what;
}

TEST(ColumnOrder, WarnsInAMappingAndIsRefusedByAStrictJob) {
  const conversion_context context;
  const auto warned = make_mapping(strict_job(false), columns("id name"), columns("name id"), context);
  ASSERT_TRUE(warned);
  EXPECT_THAT((*warned)->warnings,
              ElementsAre(AllOf(HasSubstr("a.json steps[1].parameter.column: "), HasSubstr("by position"))));
  const auto refused = make_mapping(strict_job(true), columns("id name"), columns("name id"), context);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::bad_option);
  EXPECT_THAT(refused.error().message, HasSubstr("another order"));
  const auto same = make_mapping(strict_job(true), columns("id name"), columns("id name"), context);
  ASSERT_TRUE(same);
  EXPECT_THAT((*same)->warnings, IsEmpty());
  EXPECT_TRUE(make_mapping(strict_job(true), columns("id name"), nullptr, context))
      << "a destination that takes what comes has no order of its own";
}

}  // namespace
}  // namespace sluice
