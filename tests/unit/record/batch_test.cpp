#include "transport/record/batch.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/record/random_batch.h"
#include "transport/record/batch_builder.h"
#include "transport/record/bits.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

using test::raw_row;
using test::raw_value;

schema_ptr one_column(data_type type) {
  return std::make_shared<const schema>(schema{{.name = "c", .type = type}});
}

// ---- bitmaps ---------------------------------------------------------------------------------------------

TEST(bits, are_copied_set_and_counted_at_any_place) {
  test::random_source random(1);
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::uint8_t> from(40);
    std::vector<std::uint8_t> to(40);
    for (std::size_t i = 0; i < from.size(); ++i) {
      from[i] = static_cast<std::uint8_t>(random.below(256));
      to[i] = static_cast<std::uint8_t>(random.below(256));
    }
    const std::size_t n = random.below(150);
    const std::size_t from_first = random.below(150);
    const std::size_t to_first = random.below(150);
    const bool copy = random.chance(70);
    std::vector<bool> expected;
    for (std::size_t i = 0; i < to_first; ++i) {
      expected.push_back(get_bit(to.data(), i));
    }
    for (std::size_t i = 0; i < n; ++i) {
      expected.push_back(!copy || get_bit(from.data(), from_first + i));
    }
    const std::vector<std::uint8_t> before = to;
    copy ? copy_bits(to.data(), to_first, from.data(), from_first, n) : set_bits(to.data(), to_first, n);
    std::size_t set = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(get_bit(to.data(), i), expected[i]) << "round " << round << " bit " << i;
      set += expected[i] ? 1 : 0;
    }
    ASSERT_EQ(count_set(to.data(), 0, expected.size()), set);
    for (std::size_t i = expected.size(); n != 0 && i < bitmap_bytes(expected.size()) * 8; ++i) {
      ASSERT_FALSE(get_bit(to.data(), i)) << "a bit behind the end";
    }
    for (std::size_t i = bitmap_bytes(expected.size()); i < to.size(); ++i) {
      ASSERT_EQ(to[i], before[i]) << "a byte behind the end";
    }
  }
}

// ---- builders against a model ----------------------------------------------------------------------------

void expect_column(const column& c, const data_type& type, const std::vector<raw_value>& model) {
  std::uint32_t nulls = 0;
  for (std::uint32_t row = 0; row < model.size(); ++row) {
    ASSERT_EQ(test::read(c, type, row), model[row]) << to_string(type) << " row " << row;
    nulls += model[row] ? 0 : 1;
  }
  EXPECT_EQ(c.null_count, nulls);
  EXPECT_EQ(c.validity.empty(), nulls == 0);
}

TEST(column_builder, holds_what_was_appended_and_not_taken_back) {
  const auto pool = buffer_pool::make(1 << 20);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const data_type& type : test::every_type()) {
      test::random_source random(seed);
      column_builder builder(type, pool);
      std::vector<raw_value> model;
      // An earlier column to take ranges from; its builder is used again afterwards, as in a steady flow.
      std::vector<raw_value> other;
      for (int i = 0; i < 200; ++i) {
        other.push_back(random.value_or_null(type, seed % 2 == 0 ? 20 : 0));
        test::append(builder, other.back());
      }
      const column from = builder.seal();
      expect_column(from, type, other);
      for (int step = 0; step < 60; ++step) {
        const auto what = random.below(10);
        if (what < 6) {
          model.push_back(random.value_or_null(type, seed % 3 == 0 ? 30 : 0));
          test::append(builder, model.back());
        } else if (what < 8) {
          const auto first = static_cast<std::uint32_t>(random.below(200));
          const auto count = static_cast<std::uint32_t>(random.below(200 - first + 1));
          builder.append_range(from, first, count);
          model.insert(model.end(), other.begin() + first, other.begin() + first + count);
        } else {
          model.resize(model.size() - random.below(std::min<std::size_t>(model.size(), 20) + 1));
          builder.truncate(static_cast<std::uint32_t>(model.size()));
        }
        ASSERT_EQ(builder.size(), model.size());
      }
      expect_column(builder.seal(), type, model);
      EXPECT_EQ(builder.size(), 0U);
    }
  }
}

TEST(column_builder, takes_ranges_of_a_column_whose_offsets_do_not_begin_at_0) {
  const auto pool = buffer_pool::make(1 << 20);
  const auto type = type_of(type_id::utf8);
  column_builder builder(type, pool);
  for (const char* text : {"one", "two", "three", "four"}) {
    builder.append_bytes(text);
  }
  column c = builder.seal();
  c.offsets = c.offsets.slice(2 * sizeof(std::int32_t), 3 * sizeof(std::int32_t));
  builder.append_bytes("zero");
  builder.append_range(c, 0, 2);
  expect_column(builder.seal(), type, {"zero", "three", "four"});
}

TEST(column_builder, can_be_filled_in_bulk) {
  const auto pool = buffer_pool::make(1 << 20);
  column_builder builder(type_of(type_id::int64), pool);
  builder.append(std::int64_t{1});
  EXPECT_FALSE(builder.has_validity());
  builder.values().append(std::array<std::int64_t, 3>{2, 3, 4}.data(), 24);
  builder.set_filled(4, 0);
  builder.append_null();
  builder.append(std::int64_t{6});
  growing_buffer& validity = builder.validity();
  EXPECT_TRUE(builder.has_validity());
  builder.values().append(std::array<std::int64_t, 2>{7, 8}.data(), 16);
  validity.as<std::uint8_t>()[0] |= 0x80;  // row 7; row 6 is NULL
  builder.set_filled(8, 2);
  const column c = builder.seal();
  EXPECT_EQ(c.null_count, 2U);
  std::vector<std::int64_t> valid;
  for (std::uint32_t row = 0; row < 8; ++row) {
    if (!c.is_null(row)) {
      valid.push_back(c.get<std::int64_t>(row));
    }
  }
  EXPECT_EQ(valid, (std::vector<std::int64_t>{1, 2, 3, 4, 6, 8}));
}

/// Row, position and the record's bytes, as a reader might meet them.
struct model_record {
  raw_row row;
  bool refused = false;
};

TEST(batch_builder, keeps_rows_positions_bytes_and_sums_of_whatever_a_reader_does) {
  const auto pool = buffer_pool::make(1 << 20);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    test::random_source random(seed);
    const auto columns = random.columns(1 + random.below(6));
    batch_builder builder(columns, pool, {});
    std::uint64_t position = random.below(1000);
    for (int round = 0; round < 3; ++round) {
      std::vector<model_record> model;
      const std::uint64_t records = random.below(120);
      for (std::uint64_t i = 0; i < records; ++i) {
        model.push_back({random.row(*columns), random.chance(seed % 2 == 0 ? 15 : 0)});
        for (int attempt = random.chance(10) ? 0 : 1; attempt < 2; ++attempt) {
          const std::size_t half =
              attempt == 0 || model.back().refused ? random.below(columns->size() + 1) : columns->size();
          for (std::size_t c = 0; c < half; ++c) {
            test::append(builder.at(c), model.back().row[c]);
          }
          if (attempt == 0) {
            builder.discard_row();
          }
        }
        if (model.back().refused) {
          dirty_record d;
          d.record_bytes = 1000;
          builder.refuse(std::move(d), "raw");
        } else {
          builder.commit_row();
        }
      }
      if (random.chance(30) && !columns->empty()) {
        builder.at(0).append_null();  // half a record at the end
      }
      const auto b = builder.seal(position);
      std::uint32_t row = 0;
      std::size_t dirty = 0;
      row_sum expected;
      for (std::size_t i = 0; i < model.size(); ++i) {
        if (model[i].refused) {
          ASSERT_LT(dirty, b->dirty.size());
          EXPECT_EQ(b->dirty[dirty++].position, position + i);
          expected += canonical_raw("raw");
          continue;
        }
        ASSERT_LT(row, b->rows);
        EXPECT_EQ(b->position_of(row), position + i);
        for (std::size_t c = 0; c < columns->size(); ++c) {
          ASSERT_EQ(test::read(b->columns[c], (*columns)[c].type, row), model[i].row[c]) << i << ' ' << c;
        }
        ++row;
      }
      EXPECT_EQ(b->rows, row);
      EXPECT_EQ(b->dirty.size(), dirty);
      EXPECT_EQ(b->records_read, records);
      EXPECT_EQ(b->record_bytes, b->row_bytes(0, b->rows) + 1000 * dirty);
      EXPECT_TRUE(b->read_sum == b->rows_sum + expected);
      EXPECT_TRUE(b->rows_sum == canonical_sum(b->columns, *columns, 0, b->rows));
      position += records;
      EXPECT_EQ(builder.rows(), 0U);
      EXPECT_EQ(builder.records(), 0U);
    }
  }
}

TEST(batch_builder, sums_a_refused_record_by_what_is_known_of_it) {
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_column(type_of(type_id::int64)), pool, {});
  dirty_record with_sum;
  with_sum.sum = {77};
  dirty_record with_fields;
  with_fields.record = {{"c", "utf8", "x"}};
  builder.refuse(with_sum, "raw");
  builder.refuse(dirty_record{}, "raw");
  builder.refuse(with_fields);
  const auto b = builder.seal(5);
  EXPECT_TRUE(b->dirty[0].sum == row_sum{77});
  EXPECT_TRUE(b->dirty[1].sum == canonical_raw("raw"));
  EXPECT_TRUE(b->dirty[2].sum == canonical_fields(with_fields.record));
  EXPECT_EQ(b->dirty[2].position, 7U);
  EXPECT_EQ(b->rows, 0U);
}

TEST(batch_builder, keeps_places_of_the_rows_that_stay) {
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_column(type_of(type_id::int64)), pool, {});
  builder.begin_places("a.csv", 1000, 10);
  builder.at(0).append(std::int64_t{1});
  builder.place_row(0, 0);
  builder.commit_row();
  builder.at(0).append(std::int64_t{2});
  builder.place_row(20, 1);
  builder.discard_row();
  builder.at(0).append(std::int64_t{3});
  builder.place_row(40, 5);
  builder.commit_row();
  builder.refuse({});
  builder.at(0).append(std::int64_t{4});
  builder.place_row(60, 7);
  builder.commit_row();
  const auto b = builder.seal(0);
  EXPECT_EQ(dirty_from_row(*b, 0, dirty_side::writer).line, 10U);
  const auto d = dirty_from_row(*b, 1, dirty_side::writer);
  EXPECT_EQ(d.source, "a.csv");
  EXPECT_EQ(d.line, 15U);
  EXPECT_EQ(d.byte_offset, 1040U);
  EXPECT_EQ(d.position, 1U);
  const auto last = select_rows(*b, {0b100}, pool);
  EXPECT_EQ(dirty_from_row(*last, 0, dirty_side::writer).line, 17U);
  EXPECT_EQ(dirty_from_row(*last, 0, dirty_side::writer).position, 3U);
  EXPECT_FALSE(builder.has_places());
}

TEST(batch_builder, needs_no_line_deltas_where_each_record_is_a_line) {
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_column(type_of(type_id::int64)), pool, {});
  builder.begin_places("a.csv", 0, 10);
  for (std::uint32_t i = 0; i < 3; ++i) {
    builder.at(0).append(std::int64_t{i});
    builder.place_row(4 * i, i);
    builder.commit_row();
  }
  const auto b = builder.seal(0);
  EXPECT_TRUE(b->places->line_deltas.empty());
  EXPECT_EQ(dirty_from_row(*b, 2, dirty_side::writer).line, 12U);
  EXPECT_EQ(dirty_from_row(*select_rows(*b, {0b100}, pool), 0, dirty_side::writer).line, 12U);
}

TEST(batch_builder, is_full_by_rows_and_by_bytes_of_columns_and_refused_records) {
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_column(type_of(type_id::utf8)), pool, {.bytes_target = 10'000, .rows_max = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(builder.full());
    builder.at(0).append_bytes("x");
    builder.commit_row();
  }
  EXPECT_TRUE(builder.full());
  (void)builder.seal(0);
  EXPECT_FALSE(builder.full());
  dirty_record d;
  d.message.assign(10'000, 'x');
  builder.refuse(std::move(d));
  EXPECT_TRUE(builder.full());
}

// ---- memory ----------------------------------------------------------------------------------------------

TEST(batch_builder, holds_the_same_memory_after_10_000_batches_as_after_10) {
  const auto pool = buffer_pool::make(4 << 20);
  test::random_source random(9);
  const auto columns = std::make_shared<const schema>(schema{{.name = "a", .type = type_of(type_id::utf8)},
                                                             {.name = "b", .type = type_of(type_id::int64)},
                                                             {.name = "c", .type = decimal_type(38, 2)}});
  batch_builder builder(columns, pool, {});
  std::size_t peak_early = 0;
  for (int i = 0; i < 10'000; ++i) {
    for (int row = 0; row < 40; ++row) {
      builder.at(0).append_bytes("some text of a usual length");
      row % 7 == 0 ? builder.at(1).append_null() : builder.at(1).append(std::int64_t{row});
      builder.at(2).append(int128{row});
      builder.commit_row();
    }
    const auto b = builder.seal(0);
    const auto half = select_rows(*b, {0x55, 0x55, 0x55, 0x55, 0x55}, pool);
    ASSERT_EQ(half->rows, 20U);
    if (i == 9) {
      peak_early = pool->bytes_held_peak();
    }
  }
  EXPECT_EQ(pool->bytes_held_peak(), peak_early);
  EXPECT_GT(peak_early, 0U);
}

TEST(batch_builder, gives_all_memory_back_with_the_last_batch) {
  const auto pool = buffer_pool::make(1 << 20);
  {
    test::random_source random(2);
    const auto b = test::random_batch(random, random.columns(5), 500, pool);
    EXPECT_GE(pool->bytes_in_use(), b->bytes_held() / 2);
  }
  EXPECT_EQ(pool->bytes_in_use(), 0U);
}

TEST(batch_builder, holds_a_record_of_64_mb_without_doubling_it) {
  constexpr std::size_t size = std::size_t{64} << 20;
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_column(type_of(type_id::utf8)), pool, {});
  builder.at(0).values().reserve(size);
  const std::string part(1 << 20, 'x');
  for (std::size_t i = 0; i < size; i += part.size()) {
    builder.at(0).values().append(part.data(), part.size());
  }
  builder.at(0).offsets().push(static_cast<std::int32_t>(size));
  builder.at(0).set_filled(1, 0);
  builder.commit_row();
  const auto b = builder.seal(0);
  EXPECT_EQ(b->record_bytes, size);
  EXPECT_EQ(b->columns[0].get_bytes(0).size(), size);
  EXPECT_LT(pool->bytes_held_peak(), size + (std::size_t{3} << 20));
}

TEST(batch_builder, keeps_the_changes_of_rows_that_are_complete) {
  const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(
      std::make_shared<const schema>(schema{{.name = "n", .type = type_of(type_id::int64)}}), pool, {});
  const std::size_t empty = builder.bytes();
  for (std::uint32_t row = 0; row < 3; ++row) {
    builder.at(0).append(std::int64_t{row});
    builder.note_change({row, 0, change_rule::fraction_cut});
    row == 1 ? builder.refuse({}, "raw") : builder.commit_row();
    if (row == 1) {
      builder.at(0).append(std::int64_t{7});
      builder.commit_row();
    }
  }
  EXPECT_GE(builder.bytes(), empty + 2 * sizeof(changed_value));
  builder.note_change({3, 0, change_rule::time_cut});  // of a row that never comes
  const auto b = builder.seal(0);
  const std::vector<changed_value> expected = {{0, 0, change_rule::fraction_cut},
                                               {2, 0, change_rule::fraction_cut}};
  EXPECT_EQ(b->changed_as_read, expected);
  const std::vector<changed_value> behind = {{1, 0, change_rule::fraction_cut}};
  EXPECT_EQ(select_rows(*b, {0b110}, pool)->changed_as_read, behind);
  EXPECT_TRUE(builder.seal(0)->changed_as_read.empty());
}

// ---- selecting rows --------------------------------------------------------------------------------------

TEST(select_rows, keeps_values_positions_and_what_was_read) {
  const auto pool = buffer_pool::make(1 << 20);
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    test::random_source random(seed);
    const auto columns = random.columns(1 + random.below(8));
    const auto b = test::random_batch(random, columns, static_cast<std::uint32_t>(random.below(300)), pool);
    std::vector<std::uint8_t> keep(b->rows / 8 + 1);
    const unsigned percent = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 50 : 100;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < b->rows; ++row) {
      if (random.chance(percent)) {
        keep[row / 8] |= static_cast<std::uint8_t>(1U << (row % 8));
        kept.push_back(row);
      }
    }
    const auto out = select_rows(*b, keep, pool);
    ASSERT_EQ(out->rows, kept.size());
    for (std::uint32_t row = 0; row < out->rows; ++row) {
      EXPECT_EQ(out->position_of(row), b->position_of(kept[row]));
      const auto was = dirty_from_row(*b, kept[row], dirty_side::channel);
      ASSERT_EQ(dirty_from_row(*out, row, dirty_side::channel), was) << row;
    }
    EXPECT_TRUE(out->read_sum == b->read_sum);
    EXPECT_EQ(out->records_read, b->records_read);
    EXPECT_EQ(out->record_bytes, b->record_bytes);
    EXPECT_EQ(out->dirty, b->dirty);
    EXPECT_EQ(out->after, b->after);
    EXPECT_TRUE(out->rows_sum == row_sum{});
  }
}

// ---- texts and bytes of values ---------------------------------------------------------------------------

std::string stored(auto value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

TEST(value_text, shows_each_value_exactly) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  const data_type coarse = {.id = type_id::timestamp, .unit = time_unit::micro, .fraction_digits = 3};
  const std::vector<std::tuple<data_type, raw_value, std::optional<std::string>>> cases = {
      {type_of(type_id::utf8), std::nullopt, std::nullopt},
      {type_of(type_id::utf8), "", ""},
      {type_of(type_id::utf8), "Grüße", "Grüße"},
      {type_of(type_id::binary), std::string("\x00\xff", 2), "AP8="},
      {type_of(type_id::boolean), std::string(1, '\1'), "true"},
      {type_of(type_id::int64), stored(least), "-9223372036854775808"},
      {type_of(type_id::uint64), stored(~std::uint64_t{0}), "18446744073709551615"},
      {type_of(type_id::float64), stored(0.1), "0.1"},
      {type_of(type_id::float32), stored(0.1F), "0.1"},
      {decimal_type(10, 2), stored(int128{-5}), "-0.05"},
      {type_of(type_id::decimal_text), "1e500", "1e500"},
      {type_of(type_id::date), stored(std::int32_t{0}), "1970-01-01"},
      {type_of(type_id::date), stored(std::numeric_limits<std::int32_t>::max()), "infinity"},
      {time_type(type_id::timestamp, time_unit::milli), stored(std::int64_t{-1}), "1969-12-31T23:59:59.999"},
      {time_type(type_id::instant, time_unit::second), stored(std::int64_t{0}), "1970-01-01T00:00:00Z"},
      {time_type(type_id::instant, time_unit::second), stored(most), "infinity"},
      {time_type(type_id::timestamp, time_unit::nano), stored(least), "-infinity"},
      {time_type(type_id::time_of_day, time_unit::second), stored(std::int64_t{86400}), "24:00:00"},
      {coarse, stored(std::int64_t{1'500'000}), "1970-01-01T00:00:01.500"},
      {coarse, stored(std::int64_t{1'500'001}), "1970-01-01T00:00:01.500001"},
  };
  const auto pool = buffer_pool::make(1 << 20);
  for (const auto& [type, value, text] : cases) {
    column_builder builder(type, pool);
    test::append(builder, value);
    EXPECT_EQ(value_text(builder.seal(), type, 0), text) << to_string(type);
  }
}

TEST(row_bytes, are_widths_and_lengths_and_nothing_for_null) {
  const auto pool = buffer_pool::make(1 << 20);
  const auto columns = std::make_shared<const schema>(schema{{.name = "a", .type = type_of(type_id::utf8)},
                                                             {.name = "b", .type = type_of(type_id::boolean)},
                                                             {.name = "c", .type = decimal_type(38, 0)},
                                                             {.name = "d", .type = type_of(type_id::date)}});
  batch_builder builder(columns, pool, {});
  for (int i = 0; i < 3; ++i) {
    i == 1 ? builder.at(0).append_null() : builder.at(0).append_bytes("Grüße");
    i == 1 ? builder.at(1).append_null() : builder.at(1).append_bool(true);
    i == 1 ? builder.at(2).append_null() : builder.at(2).append(int128{1});
    i == 2 ? builder.at(3).append_null() : builder.at(3).append(std::int32_t{1});
    builder.commit_row();
  }
  const auto b = builder.seal(0);
  EXPECT_EQ(b->row_bytes(0, 1), 7U + 1 + 16 + 4);
  EXPECT_EQ(b->row_bytes(1, 2), 4U);
  EXPECT_EQ(b->row_bytes(2, 3), 7U + 1 + 16);
  EXPECT_EQ(b->row_bytes(0, 3), b->record_bytes);
  EXPECT_EQ(b->row_bytes(2, 2), 0U);
  EXPECT_EQ(dirty_from_row(*b, 1, dirty_side::writer).record_bytes, 4U);
}

}  // namespace
}  // namespace sluice
