#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <random>

#include "tests/unit/record/column_texts.h"
#include "tests/unit/record/reference_conversion.h"
#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/conversion_table.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

using test::texts;

std::uint64_t chosen_seed() {
  std::uint64_t seed = std::random_device{}();
  if (const char* given = std::getenv("SLUICE_SEED")) {
    std::from_chars(given, given + std::char_traits<char>::length(given), seed);
  }
  return seed;
}

/// Random values of a type as the texts that `value_text` shows: small, extreme and arbitrary ones mixed.
class value_source {
 public:
  explicit value_source(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  std::string of(const data_type& t) {
    switch (t.id) {
      case type_id::boolean:
        return below(2) != 0 ? "true" : "false";
      case type_id::int64:
        return text_of(write_int64, cut(static_cast<std::int64_t>(bits()), t.integer_bits));
      case type_id::uint64:
        return text_of(write_uint64,
                       t.integer_bits == 0 ? bits() : bits() & ((std::uint64_t{1} << t.integer_bits) - 1));
      case type_id::float32:
        return text_of(write_float32, below(2) != 0
                                          ? static_cast<float>(static_cast<std::int32_t>(bits())) / 8
                                          : std::bit_cast<float>(static_cast<std::uint32_t>(random_())));
      case type_id::float64:
        return text_of(write_float64, below(2) != 0
                                          ? static_cast<double>(static_cast<std::int64_t>(bits())) / 64
                                          : std::bit_cast<double>(random_()));
      case type_id::decimal: {
        const int128 wide = (static_cast<int128>(bits()) << 64) | bits();
        const int128 value = wide % power_of_ten(1 + static_cast<unsigned>(below(t.precision)));
        return text_of(write_decimal, below(2) != 0 ? value : -value, unsigned{t.scale});
      }
      case type_id::decimal_text:
        if (t.precision != 0) {
          return of(decimal_type(t.precision, t.scale));
        }
        return below(8) == 0 ? std::string(specials[below(3)]) : number_text();
      case type_id::utf8:
      case type_id::binary:
        return any_text(t.length_max == 0 ? 60 : t.length_max);
      case type_id::date:
        return text_of(write_iso_date, days());
      case type_id::time_of_day:
        return text_of(
            write_iso_time,
            whole(static_cast<std::int64_t>(below(86401)), t) % (86400 * units_per_second(t.unit) + 1),
            t.unit, unsigned{t.fraction_digits});
      case type_id::duration:
        return text_of(write_duration, whole(static_cast<std::int64_t>(bits() >> 32) - (1 << 20), t), t.unit,
                       unsigned{t.fraction_digits});
      case type_id::timestamp:
      case type_id::instant:
        return with_zone(point(t), t);
    }
    return "";
  }

  /// A text that may or may not be a value of the type.
  std::string text_for(const data_type& t) {
    std::string text;
    if (t.id == type_id::timestamp || t.id == type_id::instant) {
      text = point(t);
      std::replace(text.begin(), text.end(), 'T', ' ');
      if (t.id == type_id::instant && below(3) == 0) {
        text += std::array<std::string_view, 5>{"Z", "+08", "-0330", "+05:45", "+1"}[below(5)];
      }
    } else if (t.id == type_id::float64 || t.id == type_id::float32 || t.id == type_id::decimal) {
      text = number_text();
    } else {
      text = of(t);
    }
    if (t.id == type_id::date && below(2) != 0 && text.size() == 10) {
      text = text.substr(0, 4) + text.substr(5, 2) + text.substr(8);
    }
    if (below(3) == 0 && !text.empty()) {
      text[below(text.size())] = "0123456789+-.e: TZ"[below(18)];
    }
    return text;
  }

 private:
  static std::string with_zone(std::string text, const data_type& t) {
    return t.id == type_id::instant && !text.ends_with("infinity") ? text + "Z" : text;
  }
  static constexpr std::array<std::string_view, 3> specials = {"NaN", "Infinity", "-Infinity"};

  /// Of random length, so that small values are as frequent as large ones, and the extremes occur.
  std::uint64_t bits() {
    const std::uint64_t value = below(16) == 0 ? ~std::uint64_t{0} : random_();
    const std::uint64_t shorter = value >> below(64);
    return below(2) != 0 ? shorter : ~shorter;
  }
  static std::int64_t cut(std::int64_t value, std::uint8_t width) {
    const unsigned unused = width == 0 ? 0 : 64U - width;
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << unused) >> unused;
  }
  std::int32_t days() {
    return below(8) == 0 ? static_cast<std::int32_t>(random_())
                         : static_cast<std::int32_t>(below(4'000'000)) - 800'000;
  }
  /// Seconds and a random fraction of the type's digits, as units.
  std::int64_t whole(std::int64_t seconds, const data_type& t) {
    const std::int64_t per = units_per_second(t.unit);
    const auto step =
        static_cast<std::int64_t>(power_of_ten(static_cast<unsigned>(t.unit) - t.fraction_digits));
    const std::int64_t fraction =
        below(2) != 0 ? static_cast<std::int64_t>(below(static_cast<std::uint64_t>(per))) / step * step : 0;
    return seconds * per + fraction;
  }
  std::string point(const data_type& t) {
    if (below(16) == 0) {
      return below(2) != 0 ? "infinity" : "-infinity";
    }
    // Nanoseconds reach from 1677 to 2262 only.
    const std::int64_t day = t.unit == time_unit::nano
                                 ? static_cast<std::int64_t>(below(180'000)) - 90'000
                                 : static_cast<std::int64_t>(below(4'000'000)) - 800'000;
    const std::int64_t second = below(3) == 0 ? 0 : static_cast<std::int64_t>(below(86400));
    const std::int64_t zone = below(3) == 0 ? 16 * 3600 : 0;  // midnight in GMT+8
    return text_of(write_iso_timestamp, whole(day * 86400 + (second + zone) % 86400, t), t.unit,
                   unsigned{t.fraction_digits}, 'T');
  }
  std::string number_text() {
    std::string text = below(2) != 0 ? "-" : "";
    text += std::to_string(bits() %
                           static_cast<std::uint64_t>(power_of_ten(1 + static_cast<unsigned>(below(18)))));
    if (below(2) != 0) {
      text += "." + std::to_string(bits() % static_cast<std::uint64_t>(
                                                power_of_ten(1 + static_cast<unsigned>(below(12)))));
    }
    if (below(4) == 0) {
      text += (below(2) != 0 ? "e-" : "e") + std::to_string(below(40));
    }
    return text;
  }
  std::string any_text(std::size_t bytes_max) {
    static constexpr std::array<std::string_view, 8> pieces = {"a", "ü", "中", "😀", " ", "0", "\n", "Grüße"};
    std::string text;
    for (std::uint64_t n = below(12); n > 0; --n) {
      const std::string_view piece = pieces[below(pieces.size())];
      text += text.size() + piece.size() <= bytes_max ? piece : "";
    }
    return text;
  }

  std::mt19937_64 random_;
};

/// Each type with wide and with narrow modifiers.
std::vector<data_type> types() {
  using enum type_id;
  std::vector<data_type> out;
  for (const type_id id : all_types) {
    if (id != decimal && !has_unit(id)) {
      out.push_back(type_of(id));
    }
  }
  out.push_back({.id = int64, .integer_bits = 16});
  out.push_back({.id = uint64, .integer_bits = 24});
  out.push_back(decimal_type(38, 10));
  out.push_back(decimal_type(9, 2));
  out.push_back({.id = decimal_text, .precision = 12, .scale = 4});
  out.push_back({.id = utf8, .length_unit = length_in::characters, .length_max = 12});
  for (const type_id id : {time_of_day, duration, timestamp, instant}) {
    for (const time_unit unit : {time_unit::second, time_unit::milli, time_unit::micro, time_unit::nano}) {
      out.push_back(time_type(id, unit));
    }
    out.push_back({.id = id, .unit = time_unit::micro, .fraction_digits = 2});
  }
  return out;
}

bool is_number(type_id id) {
  return id >= type_id::int64 && id <= type_id::decimal_text;
}

/// Whether two shown values of a type are the same value.
bool is_same_value(const std::string& a, const std::string& b, type_id id) {
  if (!is_number(id)) {
    return a == b;
  }
  std::string x = test::plain_number(a);
  std::string y = test::plain_number(b);
  x = x == "-0." ? "0." : x;
  y = y == "-0." ? "0." : y;
  return x == y;
}

TEST(convert_property, fast_conversion_equals_the_slow_reference_on_random_values) {
  const std::uint64_t seed = chosen_seed();
  SCOPED_TRACE("repeat with SLUICE_SEED=" + std::to_string(seed));
  value_source source(seed);
  const conversion_context context{.zone = *time_zone::find("GMT+8")};
  const std::vector<data_type> all = types();
  std::size_t fitted = 0;
  std::size_t refused = 0;
  for (const data_type& from : all) {
    for (const data_type& to : all) {
      if (lookup_conversion(from, to).kind == conversion_kind::refused) {
        continue;
      }
      texts values;
      for (int i = 0; i < 150; ++i) {
        const bool reads_text =
            from.id == type_id::utf8 && to.id != type_id::utf8 && to.id != type_id::binary;
        values.emplace_back(reads_text ? source.text_for(to) : source.of(from));
      }
      const std::vector<std::string> seen = test::converted(from, values, to, context);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const test::reference_answer expected = test::reference_conversion(from, *values[i], to);
        const bool fits = !seen[i].starts_with("! ");
        ASSERT_EQ(fits, expected.fits) << in_quotes(*values[i]) << " of " << to_string(from) << " to "
                                       << to_string(to) << " gave " << in_quotes(seen[i]);
        if (fits) {
          ASSERT_TRUE(is_same_value(seen[i], expected.text, to.id))
              << in_quotes(*values[i]) << " of " << to_string(from) << " to " << to_string(to) << " gave "
              << in_quotes(seen[i]) << ", expected " << in_quotes(expected.text);
        }
        ++(fits ? fitted : refused);
      }
    }
  }
  // Both outcomes must have been met often, or the test says nothing.
  EXPECT_GT(fitted, 10000U);
  EXPECT_GT(refused, 3000U);
}

TEST(convert_property, random_values_come_back_through_every_pair_that_took_them) {
  const std::uint64_t seed = chosen_seed();
  SCOPED_TRACE("repeat with SLUICE_SEED=" + std::to_string(seed));
  value_source source(seed);
  const conversion_context context{.zone = *time_zone::find("Europe/Berlin")};
  const std::vector<data_type> all = types();
  std::size_t exact_pairs = 0;
  for (const data_type& from : all) {
    for (const data_type& to : all) {
      const conversion_kind there = lookup_conversion(from, to).kind;
      // Text is not one spelling of a value: only what a value was written as must come back.
      if (there == conversion_kind::refused || lookup_conversion(to, from).kind == conversion_kind::refused ||
          (from.id == type_id::utf8 && to.id != type_id::binary && to.id != type_id::utf8)) {
        continue;
      }
      texts values;
      for (int i = 0; i < 150; ++i) {
        values.emplace_back(source.of(from));
      }
      const std::vector<std::string> over = test::converted(from, values, to, context);
      texts sent;
      texts arrived;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool fits = !over[i].starts_with("! ");
        ASSERT_TRUE(fits || there != conversion_kind::exact)
            << in_quotes(*values[i]) << " of " << to_string(from) << " to " << to_string(to) << " gave "
            << over[i];
        if (fits) {
          sent.push_back(values[i]);
          arrived.emplace_back(over[i]);
        }
      }
      const std::vector<std::string> back = test::converted(to, arrived, from, context);
      for (std::size_t i = 0; i < sent.size(); ++i) {
        ASSERT_TRUE(is_same_value(back[i], *sent[i], from.id))
            << in_quotes(*sent[i]) << " of " << to_string(from) << " went as " << to_string(to) << ' '
            << in_quotes(*arrived[i]) << " and came back as " << in_quotes(back[i]);
      }
      exact_pairs += there == conversion_kind::exact ? 1 : 0;
    }
  }
  EXPECT_GT(exact_pairs, 60U);
}

}  // namespace
}  // namespace sluice
