#include "tests/unit/record/random_batch.h"

#include <gtest/gtest.h>

#include <limits>

namespace sluice::test {
namespace {

template <class T>
std::string stored(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
void append_stored(column_builder& to, const std::string& bytes) {
  T value;
  ASSERT_EQ(bytes.size(), sizeof value);
  std::memcpy(&value, bytes.data(), sizeof value);
  to.append(value);
}

}  // namespace

const std::vector<data_type>& every_type() {
  static const std::vector<data_type> types = [] {
    std::vector<data_type> all;
    for (const auto id :
         {type_id::boolean, type_id::int64, type_id::uint64, type_id::float32, type_id::float64,
          type_id::decimal_text, type_id::utf8, type_id::binary, type_id::date}) {
      all.push_back(type_of(id));
    }
    for (const std::uint8_t scale : std::initializer_list<std::uint8_t>{0, 2, 19, 38}) {
      all.push_back(decimal_type(38, scale));
    }
    for (const auto id : {type_id::time_of_day, type_id::duration, type_id::timestamp, type_id::instant}) {
      for (const auto unit : {time_unit::second, time_unit::milli, time_unit::micro, time_unit::nano}) {
        all.push_back(time_type(id, unit));
      }
    }
    return all;
  }();
  return types;
}

std::string random_source::digits(std::size_t count_max) {
  std::string text(1 + below(count_max), '0');
  for (char& c : text) {
    c = static_cast<char>('0' + (chance(30) ? 0 : below(10)));
  }
  return text;
}

std::string random_source::value(const data_type& type) {
  static const std::vector<std::int64_t> edges = {
      0, 1, -1, 10, 100, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
  const std::int64_t wide = chance(30)   ? edges[below(edges.size())]
                            : chance(50) ? static_cast<std::int64_t>(below(100000)) * 100
                                         : static_cast<std::int64_t>(engine_());
  switch (type.id) {
    case type_id::boolean:
      return std::string(1, chance(50) ? '\1' : '\0');
    case type_id::float32:
      return stored(chance(10) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(wide) / 3);
    case type_id::float64:
      return stored(chance(10) ? -0.0 : static_cast<double>(wide) / 3);
    case type_id::date:
      return stored(static_cast<std::int32_t>(wide));
    case type_id::decimal: {
      const int128 value =
          chance(50) ? int128{wide} : int128{wide} * static_cast<std::int64_t>(below(1U << 30));
      return stored(value);
    }
    case type_id::time_of_day:
      return stored(static_cast<std::int64_t>(below(86401)) * per_second(type.unit));
    case type_id::decimal_text: {
      static const std::vector<std::string> special = {"NaN",  "Infinity", "-Infinity",
                                                       "-0.0", "1e-999",   "0e5"};
      if (chance(10)) {
        return special[below(special.size())];
      }
      std::string text = chance(30) ? "-" : "";
      text += digits(chance(20) ? 60 : 12);
      text += chance(50) ? "." + digits(chance(20) ? 50 : 6) : "";
      return text + (chance(20) ? "e" + std::string(chance(50) ? "-" : "") + digits(3) : "");
    }
    case type_id::utf8:
    case type_id::binary: {
      static const std::vector<std::string> pieces = {
          "a", "ü", "\n", "東", "😀", "\"", "0123456789abcdefghijklmnop"};
      std::string text;
      for (std::uint64_t left = below(chance(5) ? 200 : 8); left > 0; --left) {
        text += type.id == type_id::utf8 ? pieces[below(pieces.size())]
                                         : std::string(1, static_cast<char>(below(256)));
      }
      return text;
    }
    default:
      return stored(wide);
  }
}

raw_value random_source::value_or_null(const data_type& type, unsigned null_percent) {
  return chance(null_percent) ? raw_value() : raw_value(value(type));
}

schema_ptr random_source::columns(std::size_t columns) {
  schema s;
  for (std::size_t i = 0; i < columns; ++i) {
    s.push_back({.name = fmt::format("c{}", i),
                 .type = every_type()[below(every_type().size())],
                 .nullable = i % 3 != 0});
  }
  return std::make_shared<const schema>(std::move(s));
}

raw_row random_source::row(const schema& s) {
  raw_row row;
  for (const field& f : s) {
    row.push_back(value_or_null(f.type, f.nullable ? 20 : 0));
  }
  return row;
}

void append(column_builder& to, const raw_value& value) {
  if (!value) {
    return to.append_null();
  }
  if (to.type().id == type_id::boolean) {
    return to.append_bool(value->front() != '\0');
  }
  switch (fixed_width(to.type().id)) {
    case 4:
      return append_stored<std::int32_t>(to, *value);
    case 8:
      return append_stored<std::int64_t>(to, *value);
    case 16:
      return append_stored<int128>(to, *value);
    default:
      return to.append_bytes(*value);
  }
}

raw_value read(const column& c, const data_type& type, std::uint32_t row) {
  if (c.is_null(row)) {
    return std::nullopt;
  }
  if (type.id == type_id::boolean) {
    return std::string(1, c.get_bool(row) ? '\1' : '\0');
  }
  if (has_offsets(type.id)) {
    return std::string(c.get_bytes(row));
  }
  const std::size_t width = fixed_width(type.id);
  return std::string(c.values.as<char>() + row * width, width);
}

std::shared_ptr<batch> random_batch(random_source& random, const schema_ptr& columns, std::uint32_t records,
                                    const std::shared_ptr<buffer_pool>& pool) {
  batch_builder builder(columns, pool, {});
  const bool has_places = random.chance(50);
  if (has_places) {
    builder.begin_places("/data/größe 1.csv", random.below(1U << 30),
                         random.chance(80) ? 1 + random.below(1000) : 0);
  }
  const bool has_keys = !has_places && random.chance(50);
  if (has_keys) {
    builder.begin_keys("größen", "id");
  }
  const unsigned bad_percent = random.chance(50) ? 10 : 0;
  std::uint32_t line = 0;
  for (std::uint32_t i = 0; i < records; ++i) {
    const raw_row row = random.row(*columns);
    const bool bad = random.chance(bad_percent);
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (!bad || random.chance(50)) {
        append(builder.at(c), row[c]);
      }
    }
    line += random.chance(10) ? 2 : 1;
    if (bad) {
      dirty_record d;
      d.source = "file";
      d.line = random.chance(50) ? std::optional<std::uint64_t>(i) : std::nullopt;
      d.key = "id=5";
      d.code = "not_a_number";
      d.message = "It is not a number.";
      d.value = random.chance(50) ? std::optional<std::string>("\xff raw") : std::nullopt;
      d.record = {{"a", "utf8", "x"}, {"b", "int64", std::nullopt}};
      d.record_bytes = 7;
      d.cut = random.chance(20);
      builder.refuse(std::move(d), "raw " + std::to_string(i));
      continue;
    }
    if (has_places) {
      builder.place_row(i * 40, line);
    }
    if (has_keys) {
      builder.place_key(std::int64_t{7} * i - 3);
    }
    builder.commit_row();
  }
  if (random.chance(50)) {
    builder.set_cursor({{"at", {std::int64_t{5}}},
                        {"id", {std::uint64_t{6}}},
                        {"x", {scalar::bytes{std::string("\0\xff", 2)}}},
                        {"text", {std::string("ü")}},
                        {"no", {std::monostate{}}},
                        {"f", {1.5}},
                        {"b", {true}}});
  }
  auto b = builder.seal(random.below(1U << 20));
  b->run = run_id::make(1700000000000, random.below(~0ULL), 7);
  b->split = {static_cast<std::uint32_t>(random.below(100))};
  b->epoch = epoch_number::make(1, static_cast<std::uint32_t>(random.below(1000)), 2);
  b->sequence = 1 + random.below(1000);
  b->split_end = random.chance(20);
  b->changed = random.chance(50);
  b->filtered = random.below(3);
  b->filtered_bytes = random.below(1000);
  if (random.chance(30)) {
    b->changes[{0, change_rule::fraction_cut}] = 1 + random.below(1000);
    b->changes[{static_cast<std::uint32_t>(random.below(60000)), change_rule::other_digits}] = ~0ULL;
  }
  b->records_read += b->filtered;
  return b;
}

void expect_equal(const batch& a, const batch& b) {
  EXPECT_EQ(a.run, b.run);
  EXPECT_EQ(a.split, b.split);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.position_first, b.position_first);
  EXPECT_EQ(a.dirty, b.dirty);
  EXPECT_EQ(a.records_read, b.records_read);
  EXPECT_EQ(a.filtered, b.filtered);
  EXPECT_EQ(a.filtered_bytes, b.filtered_bytes);
  EXPECT_EQ(a.changes, b.changes);
  EXPECT_EQ(a.record_bytes, b.record_bytes);
  EXPECT_TRUE(a.read_sum == b.read_sum);
  EXPECT_TRUE(a.rows_sum == b.rows_sum);
  EXPECT_EQ(a.changed, b.changed);
  EXPECT_EQ(a.after, b.after);
  EXPECT_EQ(a.split_end, b.split_end);
  EXPECT_EQ(a.places.has_value(), b.places.has_value());
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.columns.size(), b.columns.size());
  if (a.places && b.places) {
    EXPECT_EQ(a.places->source, b.places->source);
    EXPECT_EQ(a.places->byte_offset_first, b.places->byte_offset_first);
    EXPECT_EQ(a.places->line_first, b.places->line_first);
    const auto bytes = [](const buffer& x) { return std::string(x.as<char>(), x.size()); };
    EXPECT_EQ(bytes(a.places->byte_deltas), bytes(b.places->byte_deltas));
    EXPECT_EQ(bytes(a.places->line_deltas), bytes(b.places->line_deltas));
    EXPECT_EQ(a.places->key_name, b.places->key_name);
    EXPECT_EQ(bytes(a.places->keys), bytes(b.places->keys));
  }
  for (std::uint32_t row = 0; row < a.rows; ++row) {
    ASSERT_EQ(a.position_of(row), b.position_of(row)) << row;
    for (std::size_t c = 0; c < a.columns.size(); ++c) {
      const data_type& type = (*a.columns_schema)[c].type;
      ASSERT_EQ(read(a.columns[c], type, row), read(b.columns[c], type, row))
          << "row " << row << " column " << c;
    }
  }
}

}  // namespace sluice::test
