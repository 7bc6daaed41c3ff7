#include "transport/record/canonical.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <bit>
#include <fstream>
#include <limits>
#include <sstream>

#include "tests/support/source_dir.h"
#include "tests/unit/record/random_batch.h"

namespace sluice {
namespace {

using test::raw_value;

std::string stored(auto value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

row_sum hash_of(std::string_view form) {
  const XXH128_hash_t h = XXH3_128bits(form.data(), form.size());
  return {uint128{h.high64} << 64 | h.low64};
}

/// A row of any columns, given with their types.
row_sum sum_of(const std::vector<std::pair<data_type, raw_value>>& values) {
  const auto pool = buffer_pool::make(1 << 20);
  schema s;
  std::vector<column> columns;
  for (const auto& [type, value] : values) {
    column_builder builder(type, pool);
    test::append(builder, value);
    columns.push_back(builder.seal());
    s.push_back({.name = "", .type = type});
  }
  return canonical_sum(columns, s, 0, 1);
}

row_sum sum_of(const data_type& type, const raw_value& value) {
  return sum_of(std::vector<std::pair<data_type, raw_value>>{{type, value}});
}

// ---- the golden values of docs/canonical.md --------------------------------------------------------------

int128 int128_from(std::string_view text) {
  const bool negative = text.starts_with('-');
  int128 value = 0;
  for (const char c : text.substr(negative ? 1 : 0)) {
    value = value * 10 + (c - '0');
  }
  return negative ? -value : value;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

/// `decimal/2 500` and so on, as the page writes it.
std::pair<data_type, raw_value> golden_value(const std::string& text) {
  const auto space = std::min(text.find(' '), text.size());
  const std::string value = space < text.size() ? text.substr(space + 1) : "";
  const auto slash = std::min(text.find('/'), space);
  const std::string name = text.substr(0, slash);
  const auto modifier =
      slash < space ? static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1, space))) : std::uint8_t{0};
  if (name == "null") {
    return {type_of(type_id::int64), std::nullopt};
  }
  for (std::uint8_t i = 1; i <= 14; ++i) {
    const auto id = static_cast<type_id>(i);
    if (to_string(id) != name) {
      continue;
    }
    switch (id) {
      case type_id::boolean:
        return {type_of(id), std::string(1, value == "true" ? '\1' : '\0')};
      case type_id::float32:
        return {type_of(id), stored(std::stof(value))};
      case type_id::float64:
        return {type_of(id), stored(std::stod(value))};
      case type_id::decimal:
        return {decimal_type(38, modifier), stored(int128_from(value))};
      case type_id::date:
        return {type_of(id), stored(static_cast<std::int32_t>(int128_from(value)))};
      case type_id::binary:
        return {type_of(id), from_hex(value)};
      case type_id::utf8:
      case type_id::decimal_text:
        return {type_of(id), value};
      default:
        return {has_unit(id) ? time_type(id, static_cast<time_unit>(modifier)) : type_of(id),
                stored(static_cast<std::int64_t>(int128_from(value)))};
    }
  }
  ADD_FAILURE() << "the page has no such type: " << text;
  return {};
}

TEST(canonical, gives_the_golden_values_of_its_page) {
  std::ifstream page(testing::in_source_tree("docs/canonical.md"));
  std::string line;
  while (std::getline(page, line) && line != "```golden") {
  }
  std::size_t lines = 0;
  while (std::getline(page, line) && line != "```") {
    SCOPED_TRACE(line);
    const auto hash_at = line.rfind(" | ");
    const auto form_at = line.rfind(" | ", hash_at - 1);
    ASSERT_NE(form_at, std::string::npos);
    const std::string row = line.substr(0, form_at);
    const std::string form = from_hex(line.substr(form_at + 3, hash_at - form_at - 3));
    const std::string hash = line.substr(hash_at + 3);
    EXPECT_EQ(to_string(hash_of(form)), hash) << "the page's form and hash disagree";
    ++lines;
    if (row.starts_with("raw ")) {
      EXPECT_EQ(to_string(canonical_raw(row.substr(4))), hash);
      continue;
    }
    std::vector<std::pair<data_type, raw_value>> values;
    std::istringstream parts(row);
    for (std::string part; std::getline(parts, part, ';');) {
      values.push_back(golden_value(part.substr(part.starts_with(' ') ? 1 : 0)));
    }
    EXPECT_EQ(to_string(sum_of(values)), hash);
  }
  EXPECT_GE(lines, 50U);
}

// ---- what is equal and what is not -----------------------------------------------------------------------

TEST(canonical, tells_values_apart_that_only_look_alike) {
  const auto text = [](std::string t) { return std::pair{type_of(type_id::utf8), raw_value(std::move(t))}; };
  const std::vector<std::vector<std::pair<data_type, raw_value>>> rows = {
      {text("")},
      {{type_of(type_id::utf8), std::nullopt}},
      {{type_of(type_id::binary), ""}},
      {text("5")},
      {{type_of(type_id::int64), stored(std::int64_t{5})}},
      {{type_of(type_id::float64), stored(5.0)}},
      {{type_of(type_id::boolean), std::string(1, '\1')}},
      {{type_of(type_id::int64), stored(std::int64_t{1})}},
      {{type_of(type_id::date), stored(std::int32_t{1})}},
      {{time_type(type_id::timestamp, time_unit::second), stored(std::int64_t{1})}},
      {{time_type(type_id::instant, time_unit::second), stored(std::int64_t{1})}},
      {{time_type(type_id::duration, time_unit::second), stored(std::int64_t{1})}},
      {{time_type(type_id::time_of_day, time_unit::second), stored(std::int64_t{1})}},
      {{time_type(type_id::timestamp, time_unit::milli), stored(std::int64_t{1})}},
      {text("ab"), text("c")},
      {text("a"), text("bc")},
      {text("abc"), text("")},
      {text("abc"), {type_of(type_id::utf8), std::nullopt}},
      {{type_of(type_id::utf8), std::nullopt}, text("abc")},
      {text("abc")},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_FALSE(sum_of(rows[i]) == sum_of(rows[k])) << i << " and " << k;
    }
  }
}

TEST(canonical, takes_every_nan_for_one_and_both_zeros_for_one) {
  const auto f64 = type_of(type_id::float64);
  EXPECT_TRUE(sum_of(f64, stored(std::bit_cast<double>(0xfff8000000000123ULL))) ==
              sum_of(f64, stored(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(sum_of(f64, stored(-0.0)) == sum_of(f64, stored(0.0)));
  EXPECT_TRUE(sum_of(type_of(type_id::float32), stored(-0.0F)) == sum_of(f64, stored(0.0)));
}

TEST(canonical, of_a_refused_record_differs_from_the_row_it_would_have_been) {
  EXPECT_FALSE(canonical_raw("5") == sum_of(type_of(type_id::utf8), "5"));
  EXPECT_FALSE(canonical_raw("") == row_sum{});
  EXPECT_TRUE(canonical_fields({{"a", "utf8", "5"}, {"b", "utf8", std::nullopt}}) ==
              sum_of({{type_of(type_id::utf8), "5"}, {type_of(type_id::utf8), std::nullopt}}));
}

// ---- the fast way against the slow one ------------------------------------------------------------------

/// Numbers by schoolbook arithmetic on digits.
std::string number_form(bool negative, std::string digits, std::int64_t exponent) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  if (digits.empty()) {
    return "\x03" + stored(std::int64_t{0});
  }
  while (digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  const auto within_int64 = [&](const std::string& d) {
    const std::string limit = negative ? "9223372036854775808" : "9223372036854775807";
    return d.size() < limit.size() || (d.size() == limit.size() && d <= limit);
  };
  const auto signed_value = [&](const std::string& d) { return int128_from((negative ? "-" : "") + d); };
  if (exponent >= 0 && exponent < 20 &&
      within_int64(digits + std::string(static_cast<std::size_t>(exponent), '0'))) {
    return "\x03" + stored(static_cast<std::int64_t>(
                        signed_value(digits + std::string(static_cast<std::size_t>(exponent), '0'))));
  }
  const bool short_exponent = exponent >= -128 && exponent <= 127;
  if (short_exponent && within_int64(digits)) {
    return "\x04" + stored(static_cast<std::int8_t>(exponent)) +
           stored(static_cast<std::int64_t>(signed_value(digits)));
  }
  if (short_exponent && digits.size() <= 38) {
    return "\x05" + stored(static_cast<std::int8_t>(exponent)) + stored(signed_value(digits));
  }
  return "\x06" + stored(exponent) + stored(static_cast<std::uint8_t>(negative)) +
         stored(static_cast<std::uint32_t>(digits.size())) + digits;
}

std::string decimal_text_form(const std::string& text) {
  if (text == "NaN") {
    return std::string("\x07\x00", 2);
  }
  if (text.ends_with("Infinity")) {
    return text.starts_with('-') ? "\x07\x02" : "\x07\x01";
  }
  const bool negative = text.starts_with('-');
  const auto e = std::min(text.find('e'), text.size());
  std::int64_t exponent = e < text.size() ? std::stoll(text.substr(e + 1)) : 0;
  std::string digits;
  bool behind_point = false;
  for (const char c : text.substr(0, e)) {
    behind_point = behind_point || c == '.';
    if (c >= '0' && c <= '9') {
      digits += c;
      exponent -= behind_point ? 1 : 0;
    }
  }
  return number_form(negative, digits, exponent);
}

std::string value_form(const column& c, const data_type& type, std::uint32_t row) {
  const auto value = value_text(c, type, row);
  if (!value) {
    return std::string(1, '\0');
  }
  const auto with_length = [&](char tag) {
    const std::string bytes(c.get_bytes(row));
    return tag + stored(static_cast<std::uint32_t>(bytes.size())) + bytes;
  };
  const auto float_form = [](double d) {
    return "\x08" + stored(d != d ? std::numeric_limits<double>::quiet_NaN() : d == 0 ? 0.0 : d);
  };
  switch (type.id) {
    case type_id::boolean:
      return *value == "true" ? "\x02" : "\x01";
    case type_id::int64:
    case type_id::uint64:
    case type_id::decimal:
    case type_id::decimal_text:
      return decimal_text_form(*value);
    case type_id::float32:
      return float_form(double{c.get<float>(row)});
    case type_id::float64:
      return float_form(c.get<double>(row));
    case type_id::utf8:
      return with_length('\x09');
    case type_id::binary:
      return with_length('\x0a');
    case type_id::date:
      return "\x0b" + stored(c.get<std::int32_t>(row));
    default: {
      const auto units = c.get<std::int64_t>(row);
      int128 nanos = int128{units} * (1'000'000'000 / per_second(type.unit));
      const bool open_ended = type.id == type_id::timestamp || type.id == type_id::instant;
      constexpr auto most = static_cast<int128>(~uint128{0} >> 1);
      if (open_ended && units == std::numeric_limits<std::int64_t>::max()) {
        nanos = most;
      } else if (open_ended && units == std::numeric_limits<std::int64_t>::min()) {
        nanos = -most - 1;
      }
      return static_cast<char>(static_cast<int>(type.id) + 1) + stored(nanos);
    }
  }
}

row_sum slow_sum(const batch& b, std::uint32_t first, std::uint32_t last) {
  row_sum sum;
  for (std::uint32_t row = first; row < last; ++row) {
    std::string form;
    for (std::size_t i = 0; i < b.columns.size(); ++i) {
      form += value_form(b.columns[i], (*b.columns_schema)[i].type, row);
    }
    sum += hash_of(form);
  }
  return sum;
}

TEST(canonical, of_random_rows_equals_a_slow_reference) {
  const auto pool = buffer_pool::make(1 << 20);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    test::random_source random(seed);
    const auto b = test::random_batch(random, random.columns(1 + seed % 12),
                                      1 + static_cast<std::uint32_t>(random.below(700)), pool);
    ASSERT_EQ(to_string(b->rows_sum), to_string(slow_sum(*b, 0, b->rows)));
    const auto middle = b->rows / 3;
    ASSERT_EQ(to_string(canonical_sum(b->columns, *b->columns_schema, middle, b->rows)),
              to_string(slow_sum(*b, middle, b->rows)));
  }
}

TEST(canonical, of_each_type_alone_equals_a_slow_reference) {
  const auto pool = buffer_pool::make(1 << 20);
  test::random_source random(4711);
  for (const data_type& type : test::every_type()) {
    const auto columns = std::make_shared<const schema>(schema{{.name = "c", .type = type}});
    const auto b = test::random_batch(random, columns, 1000, pool);
    EXPECT_EQ(to_string(b->rows_sum), to_string(slow_sum(*b, 0, b->rows))) << to_string(type);
  }
}

TEST(canonical, of_long_rows_among_short_ones_equals_a_slow_reference) {
  const auto pool = buffer_pool::make(1 << 20);
  const auto columns =
      std::make_shared<const schema>(schema{{.name = "a", .type = type_of(type_id::utf8)},
                                            {.name = "b", .type = type_of(type_id::decimal_text)},
                                            {.name = "c", .type = type_of(type_id::int64)},
                                            {.name = "d", .type = type_of(type_id::binary)}});
  batch_builder builder(columns, pool, {});
  const std::vector<std::size_t> sizes = {3, 200'000, 5, 40'000, 48 << 10, (48 << 10) - 40, 1, 1 << 20, 0};
  for (const std::size_t size : sizes) {
    for (const bool with_null : {false, true}) {
      builder.at(0).append_bytes(std::string(size, 'x'));
      builder.at(1).append_bytes("1" + std::string(size % 1000, '0') + ".5");
      with_null ? builder.at(2).append_null() : builder.at(2).append(std::int64_t{7});
      with_null ? builder.at(3).append_null() : builder.at(3).append_bytes(std::string(size / 2, '\0'));
      builder.commit_row();
    }
  }
  const auto b = builder.seal(0);
  EXPECT_EQ(to_string(b->rows_sum), to_string(slow_sum(*b, 0, b->rows)));
}

TEST(canonical, does_not_depend_on_the_order_of_rows_and_adds_up_over_ranges) {
  const auto pool = buffer_pool::make(1 << 20);
  test::random_source random(3);
  const auto columns = random.columns(6);
  std::vector<test::raw_row> rows;
  for (int i = 0; i < 300; ++i) {
    rows.push_back(random.row(*columns));
  }
  const auto sealed = [&] {
    batch_builder builder(columns, pool, {});
    for (const auto& row : rows) {
      for (std::size_t c = 0; c < row.size(); ++c) {
        test::append(builder.at(c), row[c]);
      }
      builder.commit_row();
    }
    return builder.seal(0);
  };
  const auto b = sealed();
  std::reverse(rows.begin(), rows.end());
  EXPECT_TRUE(b->rows_sum == sealed()->rows_sum);
  rows.back() = rows.front();
  EXPECT_FALSE(b->rows_sum == sealed()->rows_sum);
  EXPECT_TRUE(b->rows_sum ==
              canonical_sum(b->columns, *columns, 0, 77) + canonical_sum(b->columns, *columns, 77, 300));
  EXPECT_TRUE(canonical_sum(b->columns, *columns, 5, 5) == row_sum{});
}

TEST(row_sum, has_a_text_of_32_digits_and_nothing_else_is_one) {
  const row_sum sum{uint128{0x0123456789abcdefULL} << 64 | 0xfedcba9876543210ULL};
  EXPECT_EQ(to_string(sum), "0123456789abcdeffedcba9876543210");
  EXPECT_TRUE(row_sum_from(to_string(sum)).value() == sum);
  for (const std::string_view wrong :
       {"", "0123", "0123456789ABCDEFfedcba9876543210", "0123456789abcdeffedcba987654321g",
        "0123456789abcdeffedcba98765432100"}) {
    const auto answer = row_sum_from(wrong);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, error_kind::internal);
  }
  row_sum wraps{~uint128{0}};
  wraps += row_sum{2};
  EXPECT_TRUE(wraps == row_sum{1});
}

}  // namespace
}  // namespace sluice
