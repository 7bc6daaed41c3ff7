#include "plugins/postgresql/postgresql_numeric.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/plugins/postgresql/hex.h"
#include "transport/record/format.h"

namespace sluice::postgresql {
namespace {

struct numeric_case {
  const char* text;   ///< As a decimal_text that is written.
  const char* shown;  ///< As PostgreSQL 15 shows it.
  const char* hex;    ///< numeric_send of PostgreSQL 15.
};
constexpr numeric_case cases[] = {
    {"0", "0", "0000000000000000"},
    {"0.00", "0.00", "0000000000000002"},
    {"1", "1", "00010000000000000001"},
    {"-1", "-1", "00010000400000000001"},
    {"9999", "9999", "0001000000000000270f"},
    {"10000", "10000", "00010001000000000001"},
    {"10001", "10001", "000200010000000000010001"},
    {"0.0001", "0.0001", "0001ffff000000040001"},
    {"0.00001", "0.00001", "0001fffe0000000503e8"},
    {"0.5", "0.5", "0001ffff000000011388"},
    {"1.50", "1.50", "000200000000000200011388"},
    {"-123.45", "-123.45", "0002000040000002007b1194"},
    {"100000000", "100000000", "00010002000000000001"},
    {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678",
     "000a000900000000000c0d801ed204d2162e23340d801ed204d2162e"},
    {"-0.00000000000000000000000000000000000001", "-0.00000000000000000000000000000000000001",
     "0001fff6400000260064"},
    {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
     "000a0009000000000063270f270f270f270f270f270f270f270f270f"},
    {"1e20", "100000000000000000000", "00010005000000000001"},
    {"1234.5678", "1234.5678", "000200000000000404d2162e"},
    {"1234.56789", "1234.56789", "000300000000000504d2162e2328"},
    {"0.1200", "0.1200", "0001ffff0000000404b0"},
    {"NaN", "NaN", "00000000c0000000"},
    {"120000.00", "120000.00", "0001000100000002000c"},
    {"3.14159265358979323846264338327950288419716939937510",
     "3.14159265358979323846264338327950288419716939937510",
     "000e0000000000320003058724310e051efc0f060a530ef81f0e0b4407b31b1b249f03e8"},
};

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string written(int128 unscaled, unsigned scale) {
  std::array<std::byte, numeric_bytes_max> room;
  const std::byte* end = write_numeric(unscaled, scale, room.data());
  return {reinterpret_cast<const char*>(room.data()), static_cast<std::size_t>(end - room.data())};
}

TEST(numeric, texts_become_the_bytes_that_the_server_sends) {
  for (const numeric_case& c : cases) {
    std::string bytes;
    EXPECT_EQ(append_numeric(c.text, {}, bytes), dirty_code::none) << c.text;
    EXPECT_EQ(hex_of(bytes), c.hex) << c.text;
  }
}

TEST(numeric, the_servers_bytes_become_its_text) {
  for (const numeric_case& c : cases) {
    std::string text;
    EXPECT_TRUE(append_numeric_text(bytes_of(c.hex), text)) << c.text;
    EXPECT_EQ(text, c.shown);
  }
  std::string text;
  EXPECT_TRUE(append_numeric_text(bytes_of("00000000d0000020"), text));
  EXPECT_TRUE(append_numeric_text(bytes_of("00000000f0000020"), text));
  EXPECT_EQ(text, "Infinity-Infinity");
}

TEST(numeric, decimals_become_the_same_bytes_and_back) {
  for (const numeric_case& c : cases) {
    const std::string_view shown = c.shown;
    const auto point = shown.find('.');
    const auto scale = static_cast<unsigned>(point == std::string_view::npos ? 0 : shown.size() - point - 1);
    if (scale > 38 || shown == "NaN") {
      continue;
    }
    const auto v = parse_decimal(shown, 38, scale);
    ASSERT_TRUE(v.ok()) << c.text;
    EXPECT_EQ(hex_of(written(v.value, scale)), c.hex) << c.text;
    const auto back = read_numeric(bytes_of(c.hex), scale);
    ASSERT_TRUE(back.ok()) << c.text;
    EXPECT_EQ(back.value, v.value) << c.text;
  }
}

TEST(numeric, every_power_of_ten_at_every_scale_reads_back) {
  unsigned small_ones = 0;
  for (unsigned digits = 0; digits < 38; ++digits) {
    for (unsigned scale = 0; scale <= 38; ++scale) {
      for (const int128 v : {power_of_ten(digits), power_of_ten(digits) - 1, power_of_ten(digits) * 7 + 5}) {
        if (v >= power_of_ten(38)) {
          continue;
        }
        for (const int128 signed_v : {v, -v}) {
          const std::string bytes = written(signed_v, scale);
          const auto back = read_numeric(bytes, scale);
          ASSERT_TRUE(back.ok()) << digits << " " << scale;
          EXPECT_EQ(back.value, signed_v) << digits << " " << scale;
          if (std::int64_t small = 0; read_small_numeric(bytes, scale, small)) {
            ++small_ones;
            EXPECT_EQ(int128{small}, signed_v) << digits << " " << scale;
          }
          std::string text;
          ASSERT_TRUE(append_numeric_text(bytes, text));
          EXPECT_EQ(text, sluice::text_of(write_decimal, signed_v, scale));
          std::string again;
          EXPECT_EQ(append_numeric(text, {}, again), dirty_code::none);
          EXPECT_EQ(hex_of(again), hex_of(bytes)) << text;
        }
      }
    }
  }
  EXPECT_GT(small_ones, 1000U);
}

TEST(numeric, what_does_not_fit_a_decimal_is_refused) {
  EXPECT_EQ(read_numeric(bytes_of("0001ffff000000040001"), 2).code, dirty_code::too_precise);   // 0.0001
  EXPECT_EQ(read_numeric(bytes_of("0001fffe0000000503e8"), 4).code, dirty_code::too_precise);   // 0.00001
  EXPECT_EQ(read_numeric(bytes_of("00010009000000000063"), 1).code, dirty_code::out_of_range);  // 99e36
  EXPECT_EQ(read_numeric(bytes_of("00000000c0000000"), 2).code, dirty_code::not_finite);
  std::int64_t small = 0;
  for (const char* hex :
       {"0001ffff000000040001", "0001fffe0000000503e8", "00010009000000000063", "00000000c0000000",
        "00010000000000002710", "0001000000000000", "0002000000000000"}) {
    EXPECT_FALSE(read_small_numeric(bytes_of(hex), 2, small)) << hex;
  }
}

TEST(numeric, what_the_server_would_round_or_refuse_is_not_written) {
  std::string bytes;
  EXPECT_EQ(append_numeric("1.23", {5, 1}, bytes), dirty_code::too_precise);
  EXPECT_EQ(append_numeric("1.20", {5, 1}, bytes), dirty_code::none);
  bytes.clear();
  EXPECT_EQ(append_numeric("12345", {5, 1}, bytes), dirty_code::out_of_range);
  EXPECT_EQ(append_numeric("1234", {3, -1}, bytes), dirty_code::too_precise);
  EXPECT_EQ(append_numeric("Infinity", {5, 1}, bytes), dirty_code::not_finite);
  EXPECT_EQ(append_numeric("1e131072", {}, bytes), dirty_code::out_of_range);
  EXPECT_EQ(append_numeric("1e-16384", {}, bytes), dirty_code::too_precise);
  EXPECT_EQ(append_numeric("12x", {}, bytes), dirty_code::not_a_number);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(append_numeric("1230", {3, -1}, bytes), dirty_code::none);
}

TEST(numeric, bytes_cut_short_anywhere_are_refused) {
  for (const numeric_case& c : cases) {
    const std::string whole = bytes_of(c.hex);
    for (std::size_t n = 0; n < whole.size(); ++n) {
      std::string text;
      EXPECT_FALSE(append_numeric_text(std::string_view(whole).substr(0, n), text)) << c.text << " " << n;
      EXPECT_EQ(text, "");
      EXPECT_EQ(read_numeric(std::string_view(whole).substr(0, n), 0).code, dirty_code::wrong_type);
    }
  }
  std::string text;
  EXPECT_FALSE(append_numeric_text(bytes_of("00010000000000002710"), text)) << "a digit of 10000";
  EXPECT_FALSE(append_numeric_text(bytes_of("00010000123400000001"), text)) << "an unknown sign";
}

}  // namespace
}  // namespace sluice::postgresql
