#include "plugins/common/relational/key_ranges.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

namespace sluice::relational {
namespace {

std::string text_of(const scalar& s) {
  if (const auto* n = std::get_if<std::int64_t>(&s.value)) {
    return std::to_string(*n);
  }
  if (const auto* n = std::get_if<std::uint64_t>(&s.value)) {
    return std::to_string(*n);
  }
  return std::get<std::string>(s.value);
}

std::string bounds(key_kind kind, std::string_view least, std::string_view most, std::uint32_t ranges) {
  std::string out;
  for (const scalar& s : bounds_between(kind, least, most, ranges)) {
    out += (out.empty() ? "" : "|") + text_of(s);
  }
  return out;
}

TEST(key_ranges, are_as_many_as_job_formats_says) {
  EXPECT_EQ(ranges_wanted(1, 1, 5), 1u);
  EXPECT_EQ(ranges_wanted(4, 1, 5), 20u);
  EXPECT_EQ(ranges_wanted(4, 2, 5), 2u);
  EXPECT_EQ(ranges_wanted(5, 2, 5), 3u);
  EXPECT_EQ(ranges_wanted(4, 4, 5), 1u);
  EXPECT_EQ(ranges_wanted(4, 30, 5), 1u);
}

TEST(key_ranges, of_whole_numbers_are_equally_wide) {
  EXPECT_EQ(bounds(key_kind::whole_number, "1", "1001", 4), "251|501|751");
  EXPECT_EQ(bounds(key_kind::whole_number, "-5", "7", 5), "-3|0|2|5");
  EXPECT_EQ(bounds(key_kind::whole_number, "1", "3", 20), "2|3");
  EXPECT_EQ(bounds(key_kind::whole_number, "7", "7", 20), "");
  EXPECT_EQ(bounds(key_kind::whole_number, "7", "8", 1), "");
  EXPECT_EQ(bounds(key_kind::whole_number, "-9223372036854775808", "18446744073709551615", 3),
            "0|9223372036854775808");
}

TEST(key_ranges, of_the_largest_numbers_are_right_too) {
  EXPECT_EQ(bounds(key_kind::whole_number, "0", "18446744073709551615", 2), "9223372036854775808");
  EXPECT_EQ(bounds(key_kind::whole_number, "18446744073709551613", "18446744073709551615", 2),
            "18446744073709551614");
  EXPECT_EQ(bounds(key_kind::decimal, "-99999999999999999999999999999999999999",
                   "99999999999999999999999999999999999999", 2),
            "0");
}

TEST(key_ranges, of_decimals_keep_the_digits_that_are_there) {
  EXPECT_EQ(bounds(key_kind::decimal, "0", "1.00", 4), "0.25|0.50|0.75");
  EXPECT_EQ(bounds(key_kind::decimal, "-1.5", "1.5", 3), "-0.5|0.5");
  EXPECT_EQ(bounds(key_kind::decimal, "NaN", "1", 3), "");
  EXPECT_EQ(bounds(key_kind::decimal, "0", "Infinity", 3), "");
  EXPECT_EQ(bounds(key_kind::decimal, "0", "1e5", 3), "");
  EXPECT_EQ(bounds(key_kind::decimal, "0", std::string(60, '9'), 3), "");
}

TEST(key_ranges, of_dates_and_times_are_dates_and_times) {
  EXPECT_EQ(bounds(key_kind::date, "2024-02-27", "2024-03-02", 4), "2024-02-28|2024-02-29|2024-03-01");
  EXPECT_EQ(bounds(key_kind::date, "2024-02-27", "infinity", 4), "");
  EXPECT_EQ(bounds(key_kind::date, "0044-03-15 BC", "2024-01-01", 4), "");
  EXPECT_EQ(bounds(key_kind::timestamp, "2024-01-01 00:00:00", "2024-01-01 00:00:02", 4),
            "2024-01-01 00:00:01|2024-01-01 00:00:02");
  EXPECT_EQ(bounds(key_kind::timestamp, "2024-01-01 00:00:00", "2024-01-01 00:00:00.000004", 2),
            "2024-01-01 00:00:00.000002");
  EXPECT_EQ(bounds(key_kind::timestamp, "-infinity", "2024-01-01 00:00:00", 2), "");
}

TEST(key_ranges, of_texts_are_candidates_between_that_need_no_care_in_sql) {
  const auto found = bounds_between(key_kind::text, "order-aaa", "order-zzz", 10);
  EXPECT_GE(found.size(), 5u);
  for (const scalar& s : found) {
    const std::string text = text_of(s);
    EXPECT_TRUE(text.starts_with("order-")) << text;
    EXPECT_TRUE(std::all_of(text.begin() + 6, text.end(), [](unsigned char c) {
      return std::isalnum(c) != 0;
    })) << text;
  }
  EXPECT_EQ(bounds(key_kind::text, "a", "a", 10), "");
  EXPECT_EQ(bounds(key_kind::text, "\u00e4", "z", 3),
            "I0I0I0I0|b0b0b0b0|\u009dU000000|\u00c1"
            "0000000");
  EXPECT_TRUE(bounds(key_kind::text, "no \u00e4", "no \u00f6", 3).starts_with("no I"));
  EXPECT_TRUE(bounds(key_kind::text, "no \u00e4", "no \u00f6", 3).find("|no \u00ea") != std::string::npos);
  EXPECT_EQ(bounds(key_kind::text, "\u00e4\u00f61", "\u00e4\u00f69", 2).substr(0, 5), "\u00e4\u00f65");
  EXPECT_EQ(bounds(key_kind::text, "\ud7ff", "\U0001f600", 2), "UUUUUUUU|\U00016700AzAA000");
  EXPECT_EQ(bounds(key_kind::text, "a\xff", "b", 2), "") << "no text";
  EXPECT_FALSE(bounds(key_kind::text, "z", "A", 4).empty())
      << "a collation may have them the other way round";
  EXPECT_FALSE(bounds(key_kind::text, "", "z", 4).empty());
}

TEST(key_ranges, of_bytes_are_bytes_and_shown_in_hexadecimal) {
  const auto found = bounds_between(key_kind::bytes, std::string_view("\x00\x10", 2), "\xff", 2);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(std::get<scalar::bytes>(found[0].value).value.substr(0, 2), std::string("\x7f\x88"));
  EXPECT_TRUE(splits_between(one_column(found), false, {}, "t k")[1].label.starts_with("t k from 7f88"));
  EXPECT_TRUE(bounds_between(key_kind::bytes, "a", "a", 2).empty());
}

TEST(key_ranges, cover_every_value_once_and_null_too) {
  const auto splits = splits_between(one_column(bounds_between(key_kind::whole_number, "1", "100", 4)), true,
                                     {{"table", {std::string("t")}}}, "t id");
  ASSERT_EQ(splits.size(), 5u);
  std::vector<std::string> conditions;
  const auto literal = [](std::size_t, const scalar& s) { return text_of(s); };
  for (const split& s : splits) {
    EXPECT_NE(find(s.description, "table"), nullptr);
    conditions.push_back(range_condition(s.description, {"\"id\""}, key_comparison::rows, literal));
  }
  EXPECT_EQ(conditions,
            (std::vector<std::string>{"\"id\" < 26", "\"id\" >= 26 AND \"id\" < 51",
                                      "\"id\" >= 51 AND \"id\" < 76", "\"id\" >= 76", "\"id\" IS NULL"}));
  EXPECT_EQ(splits[1].label, "t id from 26 below 51");
  EXPECT_EQ(splits[4].label, "t id NULL");
  const auto one = splits_between({}, false, {}, "t id");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(range_condition(one[0].description, {"id"}, key_comparison::columns, literal), "id IS NOT NULL");
}

TEST(key_ranges, of_several_columns_meet_without_a_gap) {
  const std::vector<key_bound> bounds = {{scalar{std::int64_t{3}}, scalar{std::string("b")}},
                                         {scalar{std::int64_t{4}}}};
  const auto splits = splits_between(bounds, false, {}, "t");
  ASSERT_EQ(splits.size(), 3u);
  EXPECT_EQ(splits[1].label, "t from (3, b) below 4");
  EXPECT_EQ(bound_in(splits[1].description, "from"), bounds[0]);
  EXPECT_EQ(bound_in(splits[1].description, "to"), bounds[1]);
  EXPECT_TRUE(bound_in(splits[2].description, "to").empty());
  const auto literal = [](std::size_t column, const scalar& s) {
    return column == 0 ? text_of(s) : "'" + text_of(s) + "'";
  };
  const auto condition = [&](std::size_t i, key_comparison how) {
    return range_condition(splits[i].description, {"a", "b", "c"}, how, literal);
  };
  EXPECT_EQ(condition(0, key_comparison::rows), "(a, b) < (3, 'b')");
  EXPECT_EQ(condition(1, key_comparison::rows), "(a, b) >= (3, 'b') AND a < 4");
  EXPECT_EQ(condition(2, key_comparison::rows), "a >= 4");
  EXPECT_EQ(condition(0, key_comparison::columns), "(a < 3 OR (a = 3 AND b < 'b'))");
  EXPECT_EQ(condition(1, key_comparison::columns), "(a > 3 OR (a = 3 AND b >= 'b')) AND a < 4");
}

std::vector<key_bound> keys(std::vector<std::int64_t> of) {
  std::vector<key_bound> out;
  for (const std::int64_t n : of) {
    out.push_back({scalar{n}});
  }
  return out;
}

TEST(key_ranges, among_keys_of_rows_are_as_many_as_there_are_different_ones) {
  EXPECT_EQ(bounds_among(keys({1, 2, 3, 4, 5, 6, 7, 8}), 4), keys({3, 5, 7}));
  EXPECT_EQ(bounds_among(keys({1, 2, 3}), 10), keys({2, 3}));
  EXPECT_EQ(bounds_among(keys({5, 5, 5, 5, 5, 5, 6, 6}), 4), keys({6}));
  EXPECT_EQ(bounds_among(keys({1, 5, 5, 5, 5, 5, 5, 6, 7, 8}), 4), keys({5, 6, 7}));
  EXPECT_EQ(bounds_among(keys({5, 5, 5}), 3), keys({}));
  EXPECT_EQ(bounds_among(keys({1, 2, 3}), 1), keys({}));
  EXPECT_EQ(bounds_among(keys({1}), 4), keys({}));
  EXPECT_EQ(bounds_among({}, 4), keys({}));
}

TEST(key_ranges, go_to_tables_by_what_these_have) {
  using shares = std::vector<std::uint32_t>;
  EXPECT_EQ(shares_of({1000}, 20, 10), (shares{20}));
  EXPECT_EQ(shares_of({1000}, 20, 250), (shares{4}));
  EXPECT_EQ(shares_of({1000, 10, 0, 490}, 15, 10), (shares{10, 1, 1, 5}));
  EXPECT_EQ(shares_of({0, 0}, 15, 10), (shares{1, 1}));
  EXPECT_EQ(shares_of({}, 15, 10), (shares{}));
}

}  // namespace
}  // namespace sluice::relational
