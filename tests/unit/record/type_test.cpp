#include "transport/record/type.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(type, the_text_of_a_type_shows_the_limits_it_has) {
  EXPECT_EQ(to_string(type_of(type_id::int64)), "int64");
  EXPECT_EQ(to_string(data_type{.id = type_id::int64, .integer_bits = 32}), "int64(32 bits)");
  EXPECT_EQ(to_string(decimal_type(10, 2)), "decimal(10,2)");
  EXPECT_EQ(to_string(type_of(type_id::decimal_text)), "decimal_text");
  EXPECT_EQ(to_string(time_type(type_id::timestamp, time_unit::milli)), "timestamp(3)");
  EXPECT_EQ(to_string(type_of(type_id::date)), "date");
  EXPECT_EQ(to_string(data_type{.id = type_id::utf8, .length_unit = length_in::characters, .length_max = 20}),
            "utf8(20 characters)");
  EXPECT_EQ(to_string(data_type{.id = type_id::utf8, .characters = charset::latin1}), "utf8(Latin-1)");
  EXPECT_EQ(to_string(data_type{.id = type_id::binary, .length_max = 16}), "binary(16 bytes)");
}

TEST(type, every_type_has_a_layout) {
  for (int id = 1; id <= 14; ++id) {
    const auto type = static_cast<type_id>(id);
    EXPECT_NE(to_string(type), "?");
    EXPECT_EQ(fixed_width(type) == 0, has_offsets(type) || type == type_id::boolean) << to_string(type);
    EXPECT_TRUE(!has_unit(type) || fixed_width(type) == 8) << to_string(type);
  }
}

}  // namespace
}  // namespace sluice
