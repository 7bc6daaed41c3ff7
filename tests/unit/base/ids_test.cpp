#include "transport/base/ids.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ids, a_run_id_is_a_uuid_of_version_7_that_reads_back) {
  const run_id id = run_id::make(0x0190B3C45D6E, 0xFFF, 0xFFFFFFFFFFFFFFFF);
  EXPECT_EQ(id.text(), "0190b3c4-5d6e-7fff-bfff-ffffffffffff");
  EXPECT_EQ(run_id::parse(id.text()).value(), id);
  EXPECT_EQ(run_id::parse("0190b3c4-5d6e-7fff-bfff-fffffffffff").error().kind, error_kind::bad_option);
  EXPECT_EQ(run_id::parse("0190b3c4x5d6e-7fff-bfff-ffffffffffff").error().kind, error_kind::bad_option);
}

TEST(ids, run_ids_sort_by_the_time_they_were_made) {
  EXPECT_LT(run_id::make(1000, 0xFFF, ~0ull), run_id::make(1001, 0, 0));
}

TEST(ids, an_epoch_of_a_later_term_is_greater_whatever_else_it_holds) {
  EXPECT_LT(epoch_number::make(1, 0xFFFFFFFF, 0xFFFF), epoch_number::make(2, 0, 0));
  EXPECT_EQ(epoch_number::make(3, 70000, 9).assignment(), 70000u);
  EXPECT_EQ(epoch_number::make(3, 70000, 9).next().reconnect(), 10);
  EXPECT_TRUE(epoch_number::make(1, 1, 0xFFFF).exhausted());
}

}  // namespace
}  // namespace sluice
