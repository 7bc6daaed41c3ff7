#include "plugins/postgresql/postgresql_types.h"

#include <gtest/gtest.h>

namespace sluice::postgresql {
namespace {

column_type kind(std::uint32_t oid, std::int32_t modifier = -1) {
  return kind_of({oid, modifier, "", false}, 2);
}

TEST(types, modifiers_are_limits_of_the_type) {
  EXPECT_EQ(to_string(kind(1700, (10 << 16 | 2) + 4).type), "decimal(10,2)");
  EXPECT_EQ(to_string(kind(1700, (50 << 16 | 20) + 4).type), "decimal_text(50,20)");
  EXPECT_EQ(to_string(kind(1700).type), "decimal_text");
  EXPECT_EQ(to_string(kind(1043, 24).type), "utf8(20 characters)");
  EXPECT_EQ(kind(1042, 9).padded, 5);
  EXPECT_EQ(to_string(kind(1114, 3).type), "timestamp(3)");
  EXPECT_EQ(to_string(kind(1184).type), "instant(6)");
  EXPECT_EQ(to_string(kind(21).type), "int64(16 bits)");
  EXPECT_EQ(to_string(kind(790).type), "decimal(19,2)");
  EXPECT_EQ(to_string(kind(18).type), "utf8(1 bytes)");
}

TEST(types, a_numeric_whose_scale_is_beyond_its_digits_is_exact_text_with_its_limits) {
  // numeric(3,-2) and numeric(2,5), as version 15 has them.
  const column_type negative = kind(1700, (3 << 16 | (-2 & 0x7FF)) + 4);
  EXPECT_EQ(negative.limits.precision, 3);
  EXPECT_EQ(negative.limits.scale, -2);
  EXPECT_EQ(to_string(negative.type), "decimal_text");
  const column_type wide = kind(1700, (2 << 16 | 5) + 4);
  EXPECT_EQ(wide.limits.scale, 5);
  EXPECT_EQ(to_string(wide.type), "decimal_text");
}

TEST(types, seconds_that_travel_as_text_keep_their_digits) {
  EXPECT_EQ(kind(1266, 2).fraction_digits, 2);
  EXPECT_EQ(kind(1266).fraction_digits, 6);
  EXPECT_EQ(kind(1186, (0x7FFF << 16) | 3).fraction_digits, 3);
  EXPECT_EQ(kind(1186).fraction_digits, 6);
}

TEST(types, arrays_and_ranges_of_dates_and_times_are_known_as_such) {
  EXPECT_EQ(kind(1182).times, times_inside::plain);  // date[]
  EXPECT_EQ(kind(1182).fraction_digits, -1);
  EXPECT_EQ(kind(1115).times, times_inside::plain);  // timestamp[]
  EXPECT_EQ(kind(1115).fraction_digits, 6);
  EXPECT_EQ(kind(3910).times, times_inside::with_offset);  // tstzrange
  EXPECT_EQ(kind(1187).times, times_inside::none);         // interval[]
  EXPECT_EQ(kind(1187).fraction_digits, 6);
  EXPECT_EQ(kind(1007).times, times_inside::none);  // int[]
}

TEST(types, dates_and_times_inside_of_a_text_are_taken_only_as_the_server_writes_them) {
  for (const std::string_view taken :
       {"{}", "{NULL,2025-07-20}", "[2025-07-20,infinity)", "{\"0044-03-15 BC\",-infinity}", "empty",
        "{\"2025-07-20 10:30:00\",20250720}", "[2:3]={2025-07-20,2025-07-21}",
        "{[,2025-07-21),[12025-01-01,)}", "{10:30:00.5,24:00:00}",
        "{{2025-07-20T10:30:00},{\"2025-07-20 10:30:00+02\"}}"}) {
    EXPECT_EQ(what_is_guessed(taken, times_inside::plain), "") << taken;
  }
  for (const std::string_view guessed :
       {"{today}", "{\"NOW\"}", "[2025-07-20,tomorrow)", "{\"Jan 5 2025\"}", "{\"10:30 PM\"}", "{01/02/2003}",
        "{2003/01/02}", "{01-02-2003}", "{1.2.2003}", "{epoch}", "{\"2025-07-20 10:30:00 CET\"}",
        "[0:0]={now}"}) {
    EXPECT_NE(what_is_guessed(guessed, times_inside::plain), "") << guessed;
    EXPECT_EQ(what_is_guessed(guessed, times_inside::none), "") << guessed;
  }
  for (const std::string_view taken :
       {"{\"2025-07-20 10:30:00+02\",NULL,infinity}", "[\"2025-07-20 10:30:00-03:30\",)", "{10:30:00Z}",
        "(,)", "[1:1]={\"0044-03-15 10:30:00+00 BC\"}"}) {
    EXPECT_EQ(what_is_guessed(taken, times_inside::with_offset), "") << taken;
  }
  for (const std::string_view guessed : {"{\"2025-07-20 10:30:00\"}", "[2025-07-20,)",
                                         "{\"2025-07-20 10:30:00+02\",\"2025-07-20 10:30:00\"}"}) {
    EXPECT_NE(what_is_guessed(guessed, times_inside::with_offset), "") << guessed;
  }
}

TEST(types, numbers_that_travel_as_text_have_their_limit) {
  EXPECT_EQ(kind(28).number_max, 4'294'967'295U);  // xid
  EXPECT_EQ(kind(5069).number_max, 18'446'744'073'709'551'615U);
  EXPECT_EQ(kind(869).number_max, 0U);
}

TEST(types, what_has_no_row_is_the_servers_text) {
  EXPECT_EQ(kind(869).form, wire_form::as_text);  // inet
  EXPECT_EQ(to_string(kind(869).type), "utf8");
  EXPECT_EQ(kind_of({100'000, -1, "mood", true}, 2).form, wire_form::text);
}

TEST(types, a_numeric_without_limits_takes_decimals_and_integers_as_they_come) {
  const column_type any = kind(1700);
  EXPECT_EQ(to_string(write_type(any, decimal_type(10, 2))), "decimal(10,2)");
  EXPECT_EQ(to_string(write_type(any, type_of(type_id::int64))), "decimal(19,0)");
  EXPECT_EQ(to_string(write_type(any, type_of(type_id::uint64))), "decimal(20,0)");
  EXPECT_EQ(to_string(write_type(any, type_of(type_id::utf8))), "decimal_text");
}

TEST(types, a_table_that_is_made_holds_every_value) {
  EXPECT_EQ(created_type(type_of(type_id::uint64)), "numeric(20)");
  EXPECT_EQ(created_type(decimal_type(10, 2)), "numeric(10,2)");
  EXPECT_EQ(created_type(time_type(type_id::timestamp, time_unit::milli)), "timestamp(3)");
  EXPECT_EQ(created_type(time_type(type_id::instant, time_unit::micro)), "timestamptz");
  data_type text = type_of(type_id::utf8);
  text.length_unit = length_in::characters;
  text.length_max = 20;
  EXPECT_EQ(created_type(text), "varchar(20)");
}

}  // namespace
}  // namespace sluice::postgresql
