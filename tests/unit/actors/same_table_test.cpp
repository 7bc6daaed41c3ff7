#include "actors/supervise/same_table.h"

#include <gtest/gtest.h>

#include "tests/unit/actors/idle_ends.h"

namespace sluice {
namespace {

template <class End>
class of_tables : public End {
 public:
  explicit of_tables(table_use use) : use_(std::move(use)) {}
  [[nodiscard]] table_use tables_used() const override { return use_; }

 private:
  table_use use_;
};
using table_source = of_tables<idle_source>;
using table_target = of_tables<idle_target>;

std::string said(const source& from, const target& to, std::size_t splits) {
  const auto failure = same_table_failure(from, to, splits);
  if (!failure) {
    return "";
  }
  EXPECT_EQ(failure->kind, error_kind::bad_option);
  EXPECT_EQ(failure->code, "same_table");
  return failure->message;
}

TEST(same_table, is_one_that_both_ends_name) {
  const table_target to({{"server 1 t"}, true});
  EXPECT_TRUE(writes_what_it_reads(table_source({{"server 1 s", "server 1 t"}, false}), to));
  EXPECT_FALSE(writes_what_it_reads(table_source({{"server 2 t"}, false}), to));
  EXPECT_FALSE(writes_what_it_reads(table_source({{}, false}), table_target({{}, false})));
  EXPECT_FALSE(writes_what_it_reads(idle_source(), to));
  EXPECT_FALSE(writes_what_it_reads(table_source({{"server 1 t"}, false}), idle_target()));
}

TEST(same_table, is_refused_behind_statements_that_may_change_its_rows) {
  const table_source from({{"t"}, false});
  EXPECT_NE(said(from, table_target({{"t"}, true}), 1).find("preSql runs before all of it is read"),
            std::string::npos);
  EXPECT_EQ(said(from, table_target({{"t"}, false}), 1), "");
  EXPECT_EQ(said(from, table_target({{"u"}, true}), 1), "");
}

TEST(same_table, is_refused_in_several_splits_without_one_snapshot) {
  const table_target to({{"t"}, false});
  const table_source moving({{"t"}, true});
  EXPECT_NE(said(moving, to, 3).find("its 3 splits are read one after another"), std::string::npos);
  EXPECT_EQ(said(moving, to, 1), "");
  EXPECT_EQ(said(table_source({{"t"}, false}), to, 3), "");
  EXPECT_EQ(said(table_source({{"s"}, true}), to, 3), "");
}

}  // namespace
}  // namespace sluice
