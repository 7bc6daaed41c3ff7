#include "actors/verify/bisection.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace sluice {
namespace {

constexpr std::int64_t least_64 = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest_64 = std::numeric_limits<std::int64_t>::max();

/// Two tables of keys and what their records hash to, asked as databases are.
struct tables {
  using table = std::multimap<std::optional<int128>, std::uint64_t>;
  table source, destination;
  std::vector<std::size_t> asked;  ///< How many ranges, of each question.
  std::function<void()> behind_first = [] {};

  static std::vector<range_sums> sums(const table& of, const std::vector<key_range>& ranges) {
    std::vector<range_sums> out;
    for (const key_range& r : ranges) {
      range_sums one;
      auto at = r.null ? of.begin() : r.low ? of.lower_bound(r.low) : of.upper_bound(std::nullopt);
      const auto end = r.null ? of.upper_bound(std::nullopt) : r.high ? of.lower_bound(r.high) : of.end();
      for (; at != end; ++at) {
        ++one.sums.records;
        one.sums.sum += row_sum{static_cast<uint128>(at->second)};
        one.span = both_spans(one.span, {at->first, at->first});
      }
      out.push_back(one);
    }
    return out;
  }
  bisection compare() {
    const auto span = [](const table& of) { return sums(of, {{}}).front().span; };
    const auto found = bisect(both_spans(span(source), span(destination)),
                              [&](const std::vector<key_range>& ranges) -> result<sums_of_both> {
                                asked.push_back(ranges.size());
                                sums_of_both both{sums(source, ranges), sums(destination, ranges)};
                                if (asked.size() == 1) {
                                  behind_first();
                                }
                                return both;
                              });
    return *found;
  }
};

tables of_keys(std::int64_t from, std::int64_t to) {
  tables out;
  for (std::int64_t key = from; key < to; ++key) {
    out.source.emplace(key, static_cast<std::uint64_t>(key) * 7);
  }
  out.destination = out.source;
  return out;
}

bool covers(const bisection& b, std::optional<int128> key) {
  return std::any_of(b.differ.begin(), b.differ.end(), [&](const differing_range& d) {
    const key_range& r = d.range;
    return r.null ? !key : key && (!r.low || *key >= *r.low) && (!r.high || *key < *r.high);
  });
}

std::uint64_t to_read(const bisection& b) {
  std::uint64_t n = 0;
  for (const differing_range& r : b.differ) {
    n += std::max(r.source, r.destination);
  }
  return n;
}

TEST(bisection, of_equal_tables_asks_once_and_has_nothing_to_read) {
  tables t = of_keys(-500, 500);
  const bisection found = t.compare();
  EXPECT_TRUE(found.equal);
  EXPECT_TRUE(found.differ.empty());
  EXPECT_EQ(found.source.records, 1000u);
  EXPECT_EQ(t.asked, std::vector<std::size_t>{ranges_first});
}

TEST(bisection, finds_the_one_range_of_a_record_that_is_another) {
  tables t = of_keys(0, 20'000);
  t.destination.find(4711)->second = 1;
  const bisection found = t.compare();
  EXPECT_FALSE(found.equal);
  ASSERT_EQ(found.differ.size(), 1u);
  EXPECT_TRUE(covers(found, 4711));
  EXPECT_LE(to_read(found), 20'000u / (ranges_first - 1) + 1);
  EXPECT_EQ(found.destination.records, 20'000u);
}

TEST(bisection, finds_records_beyond_both_ends_and_without_a_key) {
  tables t = of_keys(0, 20'000);
  t.destination.emplace(least_64, 1);
  t.destination.emplace(static_cast<int128>(std::numeric_limits<std::uint64_t>::max()), 1);
  t.source.emplace(std::nullopt, 3);
  const bisection found = t.compare();
  EXPECT_TRUE(covers(found, least_64));
  EXPECT_TRUE(covers(found, static_cast<int128>(std::numeric_limits<std::uint64_t>::max())));
  EXPECT_TRUE(covers(found, std::nullopt));
  EXPECT_FALSE(covers(found, 10'000));
  EXPECT_LE(to_read(found), 3u);
}

TEST(bisection, divides_a_range_of_many_records_by_what_it_holds) {
  // All but one stand in a billionth of the span.
  tables t = of_keys(0, 30'000);
  t.source.emplace(greatest_64, 1);
  t.destination.emplace(greatest_64, 1);
  t.destination.erase(12'345);
  const bisection found = t.compare();
  EXPECT_EQ(t.asked.size(), 2u);
  ASSERT_EQ(found.differ.size(), 1u);
  EXPECT_TRUE(covers(found, 12'345));
  EXPECT_LE(to_read(found), 30'000u / ranges_first + 1);
  EXPECT_EQ(found.compared, t.asked[0] + t.asked[1]);
}

TEST(bisection, reads_all_where_most_differs) {
  tables t = of_keys(0, 20'000);
  for (auto& [key, hash] : t.destination) {
    ++hash;
  }
  const bisection found = t.compare();
  EXPECT_FALSE(found.equal);
  EXPECT_TRUE(found.differ.empty());
  EXPECT_EQ(t.asked.size(), 1u);  // no range holds enough to ask again
}

TEST(bisection, does_not_divide_a_single_key_however_many_records_it_has) {
  tables t = of_keys(0, 40'000);
  for (int i = 0; i < 15'000; ++i) {
    t.source.emplace(40'000, 5);
    t.destination.emplace(40'000, 5);
  }
  t.destination.emplace(40'000, 5);
  const bisection found = t.compare();
  EXPECT_TRUE(covers(found, 40'000));
  EXPECT_LE(t.asked.size(), questions_max);
  EXPECT_LT(to_read(found), 20'000u);
}

TEST(bisection, never_calls_equal_what_was_not_when_it_was_asked_first) {
  tables t = of_keys(0, 200'000);
  t.destination.erase(100);
  t.behind_first = [&] { t.destination = t.source; };
  t.source.emplace(-1'000'000'000'000, 1);  // so that one range holds all others and is asked again
  t.destination.emplace(-1'000'000'000'000, 1);
  const bisection found = t.compare();
  EXPECT_EQ(t.asked.size(), 2u);
  EXPECT_FALSE(found.equal);
  EXPECT_TRUE(found.differ.empty());
}

TEST(bisection, of_nothing_at_either_end_is_equal) {
  tables t;
  EXPECT_TRUE(t.compare().equal);
  t.source.emplace(5, 1);
  const bisection found = t.compare();
  EXPECT_FALSE(found.equal);
}

TEST(bisection, fails_as_a_database_does) {
  const auto found =
      bisect({}, [](const auto&) -> result<sums_of_both> { return fail(error_kind::denied, "no right"); });
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message, "no right");
}

TEST(bisection, divides_without_gaps_over_all_of_64_bits) {
  const key_range all;
  const key_span whole{static_cast<int128>(least_64),
                       static_cast<int128>(std::numeric_limits<std::uint64_t>::max())};
  const auto parts = divided(all, whole, 100);
  ASSERT_EQ(parts.size(), 100u);
  EXPECT_FALSE(parts.front().low);
  EXPECT_FALSE(parts.back().high);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    EXPECT_EQ(parts[i].low, parts[i - 1].high);
    EXPECT_TRUE(i + 1 == parts.size() || *parts[i].high > *parts[i].low);
  }
  EXPECT_EQ(divided({10, 20}, {10, 11}, 100), (std::vector<key_range>{{10, 11}, {11, 20}}));
  EXPECT_EQ(divided({10, 20}, {12, 12}, 100), (std::vector<key_range>{{10, 20}}));
  EXPECT_EQ(divided({.null = true}, {}, 100), (std::vector<key_range>{{.null = true}}));
}

}  // namespace
}  // namespace sluice
