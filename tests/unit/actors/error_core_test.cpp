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
            "errorLimit: the limit is 2 dirty records; dirty record 3 crossed it: orders.csv line 9 column "
            "qty: \"x\" is not a "
            "number");
  EXPECT_EQ(core.total(), 4u) << "records in flight are still counted";
  EXPECT_FALSE(core.report(report(0, {11}))) << "told once";
}

TEST(error_core, what_no_mark_covers_is_told_by_code_and_only_until_it_is_covered_or_read_again) {
  error_core core(at_most(9), std::nullopt);
  core.report(report(0, {1, 5}));
  core.report(report(1, {2}, "too_long"));
  core.report(report(2, {3}));
  EXPECT_EQ(core.above_marks(), (std::map<std::string, std::uint64_t>{{"not_a_number", 3}, {"too_long", 1}}));
  dirty_commit covered;
  covered.split = {0};
  covered.dirty_total = 2;
  core.commit(covered);
  dirty_drop again;
  again.split = {2};
  core.drop(again);
  EXPECT_EQ(core.above_marks(), (std::map<std::string, std::uint64_t>{{"too_long", 1}}));
}

TEST(error_core, a_limit_is_named_with_its_place_in_the_job_file) {
  error_limit limit = at_most(0);
  limit.place = "orders.json:30:9 setting.errorLimit.record";
  const auto e = error_core(limit, std::nullopt).report(report(0, {7}));
  ASSERT_TRUE(e);
  EXPECT_TRUE(
      e->message.starts_with("orders.json:30:9 setting.errorLimit.record: the limit is 0 dirty records; "
                             "dirty record 1 crossed it: "))
      << e->message;
  limit = share(0.5);
  limit.place = "here";
  error_core at_end(limit, std::nullopt);
  EXPECT_FALSE(at_end.report(report(0, {7})));
  EXPECT_EQ(at_end.judge_at_end(1)->message, "here: the limit is 0.5, but 1 of 1 records are dirty");
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

TEST(error_core, what_an_earlier_process_counted_has_the_codes_that_the_dirty_file_holds) {
  error_core core({}, std::nullopt);
  EXPECT_TRUE(core.knows_all_codes());
  record_counts at_mark;
  at_mark.dirty = 5;
  core.drop({{0}, {}, 50, at_mark});
  EXPECT_FALSE(core.knows_all_codes());
  core.report(report(0, {60}, "too_long"));
  const std::map<std::string, std::uint64_t> published = {{"not_a_number", 3}, {"too_long", 1}};
  EXPECT_EQ(core.by_code(published), (std::map<std::string, std::uint64_t>{
                                         {"not_a_number", 3}, {"too_long", 1}, {"counted_before_resume", 1}}))
      << "what no mark covers is read again";
  core.commit({{0}, {}, 61, 6});
  const std::map<std::string, std::uint64_t> later = {{"not_a_number", 3}, {"too_long", 2}};
  EXPECT_EQ(core.by_code(later).at("too_long"), 2u) << "what is published counts once";
  EXPECT_EQ(core.only_reason(), "") << "the reasons of the others are not known";
}

TEST(error_core, a_commit_whose_answer_was_lost_takes_its_codes_from_the_dirty_file) {
  error_core core({}, std::nullopt);
  core.report(report(0, {1, 2}));
  record_counts at_mark;
  at_mark.dirty = 2;
  core.drop({{0}, {}, 3, at_mark});
  EXPECT_FALSE(core.knows_all_codes());
  EXPECT_EQ(core.by_code({{"not_a_number", 2}}), (std::map<std::string, std::uint64_t>{{"not_a_number", 2}}));
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
  EXPECT_EQ(core.by_code(), (std::map<std::string, std::uint64_t>{})) << "no mark covers them yet";
  core.commit({{0}, {}, 4, 3});
  EXPECT_EQ(core.by_code(), (std::map<std::string, std::uint64_t>{{"not_a_number", 2}, {"too_long", 1}}));
}

TEST(error_core, the_codes_of_rolled_back_records_are_not_counted) {
  error_core core({}, std::nullopt);
  core.report(report(0, {1, 2}));
  core.commit({{0}, {}, 3, 2});
  core.report(report(0, {5}, "too_long"));
  EXPECT_EQ(core.by_code(), (std::map<std::string, std::uint64_t>{{"not_a_number", 2}}));
}

}  // namespace
}  // namespace sluice
