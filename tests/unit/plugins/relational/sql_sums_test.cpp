#include "plugins/common/relational/sql_sums.h"

#include <gtest/gtest.h>

namespace sluice::relational {
namespace {

TEST(sql_sums, are_the_same_modulo_2_64_whether_a_database_sums_signed_numbers_or_not) {
  EXPECT_EQ(modulo_64("18446744073709551615").value(), modulo_64("-1").value());
  EXPECT_EQ(modulo_64("-18446744073709551615").value(), 1u);
  EXPECT_EQ(modulo_64("18446744073709551616000000000000000000001").value(), 1u);
  EXPECT_EQ(modulo_64("0").value(), 0u);
  EXPECT_FALSE(modulo_64("1.5"));
  EXPECT_FALSE(modulo_64("-"));
  EXPECT_FALSE(modulo_64(""));
}

TEST(sql_sums, of_a_table_without_records_are_null_and_zero) {
  const auto sums = sums_of({"0", "0", std::nullopt, std::nullopt}, "db");
  ASSERT_TRUE(sums);
  EXPECT_EQ(sums->records, 0u);
  EXPECT_EQ(sums->sum, row_sum{});
}

TEST(sql_sums, have_the_first_half_of_the_hashes_above_the_second) {
  EXPECT_EQ(to_string(sums_of({"2", "2", "-1", "258"}, "db")->sum), "ffffffffffffffff0000000000000102");
}

TEST(sql_sums, of_a_record_without_a_hash_tell_nothing) {
  const auto sums = sums_of({"3", "2", "1", "1"}, "db1:5432/shop");
  ASSERT_FALSE(sums);
  EXPECT_EQ(sums.error().kind, error_kind::not_supported);
  EXPECT_NE(sums.error().message.find("1 of 3 records"), std::string::npos);
}

}  // namespace
}  // namespace sluice::relational
