#include "plugins/postgresql/postgresql_reader.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

// As SQL a bound that is NULL would make every row outside of the range.
TEST(postgresql_reader, a_bound_that_is_no_number_and_no_text_opens_nothing) {
  auto plan = std::make_shared<read_plan>();
  plan->parts.emplace_back();
  plan->relations.emplace_back();
  postgresql_reader reader(plan);
  plan->relations[0].split_key = {{"k", "\"k\"", "text"}};
  for (const char* bound : {"from", "to"}) {
    const auto opened = reader.open({{bound, scalar{}}}, std::nullopt, stop_signal());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, error_kind::source_changed);
    EXPECT_NE(opened.error().message.find("no number and no text"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::postgresql
