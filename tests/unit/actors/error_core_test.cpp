#include "actors/pipeline/error_core.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

error_limit at_most(std::uint64_t records) {
  return {records, std::nullopt};
}
error_limit share(double ratio) {
  return {std::nullopt, ratio};
}

dirty_report report(std::uint32_t split, std::vector<std::uint64_t> positions,
                    const std::string& code = "not_a_number") {
  dirty_report m;
  m.split = {split};
  m.records_read = 100;
  for (const std::uint64_t p : positions) {
    dirty_record d;
    d.position = p;
    d.source = "orders.csv";
    d.line = p + 2;
    d.column = "qty";
    d.code = code;
    d.message = "\"x\" is not a number";
    m.records.push_back(d);
  }
  return m;
}

TEST(error_core, the_record_after_the_limit_fails_the_run_and_is_named) {
  error_core core(at_most(2), std::nullopt);
  EXPECT_FALSE(core.report(report(0, {1, 5})));
  const auto e = core.report(report(0, {7, 9}));
  ASSERT_TRUE(e);
  EXPECT_EQ(e->kind, error_kind::over_limit);
  EXPECT_EQ(e->message,
            "errorLimit.record is 2; dirty record 3 crossed it: orders.csv line 9 column qty: \"x\" is not a "
            "number");
  EXPECT_EQ(core.total(), 4u) << "records in flight are still counted";
  EXPECT_FALSE(core.report(report(0, {11}))) << "told once";
}

TEST(error_core, no_limit_bears_any_number_and_zero_bears_none) {
  error_core none({}, std::nullopt);
  EXPECT_FALSE(none.report(report(0, std::vector<std::uint64_t>(1000, 3))));
  error_core zero(at_most(0), std::nullopt);
  EXPECT_TRUE(zero.report(report(0, {0})));
}

TEST(error_core, what_stood_above_a_mark_is_forgotten_when_the_split_is_opened_again) {
  error_core core(at_most(3), std::nullopt);
  EXPECT_FALSE(core.report(report(4, {1, 2})));
  core.commit({{4}, {}, 3, 2});
  EXPECT_FALSE(core.report(report(4, {5})));
  record_counts at_mark;
  at_mark.dirty = 2;
  core.drop({{4}, {}, 3, at_mark});
  EXPECT_EQ(core.total(), 2u);
  EXPECT_FALSE(core.report(report(4, {5})));
  EXPECT_TRUE(core.report(report(4, {8})));
}

TEST(error_core, a_resumed_run_counts_what_the_process_before_has_counted) {
  error_core core(at_most(3), std::nullopt);
  record_counts at_mark;
  at_mark.dirty = 3;
  core.drop({{0}, {}, 50, at_mark});
  EXPECT_TRUE(core.report(report(0, {60})));
  EXPECT_EQ(core.by_code().at("counted_before_resume"), 3u);
}

struct ratio_case {
  double ratio;
  std::uint64_t read;
  std::uint64_t dirty;
  bool fails;
};

TEST(error_core, percentage_is_judged_at_the_end_as_datax_does) {
  for (const ratio_case& c :
       {ratio_case{0.02, 100, 2, false}, ratio_case{0.02, 100, 3, true}, ratio_case{0, 100, 0, false},
        ratio_case{0, 100, 1, true}, ratio_case{0.5, 0, 0, false}, ratio_case{1, 10, 10, false}}) {
    error_core core(share(c.ratio), std::nullopt);
    EXPECT_FALSE(core.report(report(0, std::vector<std::uint64_t>(c.dirty, 1))));
    EXPECT_EQ(core.judge_at_end(c.read).has_value(), c.fails) << c.ratio << " " << c.read << " " << c.dirty;
  }
}

TEST(error_core, percentage_fails_early_only_when_the_exact_number_says_it_cannot_be_met) {
  error_core core(share(0.5), 10);
  EXPECT_FALSE(core.report(report(0, {0, 1, 2, 3, 4})));
  EXPECT_TRUE(core.report(report(0, {5})));
}

TEST(error_core, a_record_limit_makes_percentage_void) {
  error_core core(error_limit{100, 0.0}, 10);
  EXPECT_FALSE(core.report(report(0, {0, 1, 2})));
  EXPECT_FALSE(core.judge_at_end(10));
}

TEST(error_core, one_reason_shared_by_all_is_known_and_two_are_not) {
  error_core core({}, std::nullopt);
  core.report(report(0, {1, 2}));
  EXPECT_EQ(core.only_reason(), "column qty: \"x\" is not a number");
  auto other = report(0, {3}, "too_long");
  other.records[0].message = "too long";
  core.report(other);
  EXPECT_EQ(core.only_reason(), "");
  EXPECT_EQ(core.by_code(), (std::map<std::string, std::uint64_t>{{"not_a_number", 2}, {"too_long", 1}}));
}

}  // namespace
}  // namespace sluice
