#include "plugins/postgresql/postgresql_splits.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

using blocks = std::vector<std::uint64_t>;

TEST(postgresql_splits, by_blocks_are_of_the_same_size_whatever_partitions_have) {
  EXPECT_EQ(block_bounds({1000}, 4), (blocks{250, 500, 750}));
  EXPECT_EQ(block_bounds({3}, 10), (blocks{1, 2}));
  EXPECT_EQ(block_bounds({1}, 10), blocks{});
  EXPECT_EQ(block_bounds({}, 10), blocks{});
  EXPECT_EQ(block_bounds({0, 0}, 10), blocks{});
  // 100 blocks of each up to there, and then of the large one alone.
  EXPECT_EQ(block_bounds({100, 100, 1000}, 4), (blocks{100, 400, 700}));
  EXPECT_EQ(block_bounds({4'000'000'000, 4'000'000'000}, 2), (blocks{2'000'000'000}));
}

TEST(postgresql_splits, by_blocks_meet_without_a_gap_and_the_last_is_open) {
  read_plan plan;
  plan.relations.emplace_back();
  plan.relations[0].from = "t";
  plan.relations[0].expressions = {"a"};
  std::vector<std::string> statements;
  for (const split& s : splits_of_blocks({10, 20}, {}, "t")) {
    EXPECT_TRUE(is_of_blocks(s.description));
    statements.push_back(reading_sql(plan, plan.relations[0], s.description, nullptr));
  }
  EXPECT_EQ(statements, (std::vector<std::string>{
                            "SELECT a FROM t WHERE ctid < '(10,0)'::tid",
                            "SELECT a FROM t WHERE ctid >= '(10,0)'::tid AND ctid < '(20,0)'::tid",
                            "SELECT a FROM t WHERE ctid >= '(20,0)'::tid",
                        }));
}

std::vector<frozen_split> frozen(const std::string& table, std::vector<bool> done) {
  std::vector<frozen_split> out;
  std::vector<std::uint64_t> bounds;
  for (std::size_t i = 1; i < done.size(); ++i) {
    bounds.push_back(i);
  }
  for (split& s : splits_of_blocks(bounds, {{"table", {table}}}, table)) {
    out.push_back({std::move(s.description), std::nullopt, done[out.size()]});
  }
  return out;
}

TEST(postgresql_splits, by_blocks_are_taken_up_for_all_of_a_table_or_for_none) {
  auto splits = frozen("a", {true, true, true});
  for (const frozen_split& s : frozen("b", {false, false})) {
    splits.push_back(s);
  }
  EXPECT_TRUE(check_blocks_are_whole(splits));
  EXPECT_TRUE(check_blocks_are_whole({}));
  splits.back().done = true;
  const auto refused = check_blocks_are_whole(splits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, error_kind::source_changed);
  EXPECT_NE(refused.error().message.find("1 of 2 splits"), std::string::npos) << refused.error().message;
  splits.back().done = false;
  splits.back().after = cursor{{"k", {std::int64_t{5}}}};
  EXPECT_FALSE(check_blocks_are_whole(splits));
}

TEST(postgresql_splits, that_the_plan_does_not_know_are_refused) {
  read_plan plan;
  plan.parts.emplace_back();
  plan.relations.emplace_back();
  relation_plan& r = plan.relations[0];
  r.split_key = {{"a", "a", "bigint"}, {"b", "b", "text"}};
  r.split_by = "a, b";
  const scalar one{std::int64_t{1}};
  const scalar by{std::string("a, b")};
  EXPECT_TRUE(relation_to_read(plan, {}));
  EXPECT_TRUE(relation_to_read(plan, {{"by", by}, {"from", one}, {"from_2", one}, {"to", one}}));
  EXPECT_FALSE(relation_to_read(plan, {{"by", {std::string("a")}}, {"from", one}})) << "the key is another";
  EXPECT_FALSE(relation_to_read(plan, {{"by", by}, {"from", one}, {"from_2", scalar{}}})) << "no bound";
  EXPECT_FALSE(relation_to_read(plan, {{"from", one}, {"from_2", one}, {"from_3", one}}))
      << "too many columns";
  EXPECT_FALSE(relation_to_read(plan, {{from_block, one}})) << "not split by blocks";
  r.pages = {8};
  EXPECT_TRUE(relation_to_read(plan, {{from_block, one}}));
  EXPECT_FALSE(relation_to_read(plan, {{from_block, {std::string("1")}}}));
  r.split_key.clear();
  EXPECT_FALSE(relation_to_read(plan, {{"to", one}}));
  EXPECT_FALSE(relation_to_read(plan, {{"null", {true}}}));
}

}  // namespace
}  // namespace sluice::postgresql
