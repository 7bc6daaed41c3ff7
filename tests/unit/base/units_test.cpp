#include "transport/base/units.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(units, times_are_read_in_every_documented_spelling) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"90", 90'000},    {"90s", 90'000},     {"500ms", 500},      {"2min", 120'000}, {"2m", 120'000},
      {"1h", 3'600'000}, {"7d", 604'800'000}, {"1.5h", 5'400'000}, {"10 s", 10'000},  {"0", 0}};
  for (const auto& [text, milliseconds] : cases) {
    const auto time = parse_duration(text);
    ASSERT_TRUE(time.has_value()) << text;
    EXPECT_EQ(time->count(), milliseconds) << text;
  }
}

TEST(units, what_is_no_time_is_refused_with_the_text_found) {
  for (const char* text : {"", "s", "ten", "-5", "5 parsecs", "1e300", "99999d", "nan", "inf", "1,5s"}) {
    const auto time = parse_duration(text);
    ASSERT_FALSE(time.has_value()) << text;
    EXPECT_EQ(time.error().kind, error_kind::bad_option);
    EXPECT_NE(time.error().message.find('"' + std::string(text) + '"'), std::string::npos)
        << time.error().message;
  }
}

TEST(units, sizes_are_binary_in_every_spelling) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"1048576", 1048576}, {"160M", 167772160}, {"160MB", 167772160}, {"160MiB", 167772160},
      {"1.5G", 1610612736}, {"64k", 65536},      {"2 gb", 2147483648}, {"0", 0}};
  for (const auto& [text, bytes] : cases) {
    const auto size = parse_size(text);
    ASSERT_TRUE(size.has_value()) << text;
    EXPECT_EQ(*size, bytes) << text;
  }
  for (const char* text : {"", "M", "-1M", "160X", "99999999T", "1e3"}) {
    EXPECT_FALSE(parse_size(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace sluice
