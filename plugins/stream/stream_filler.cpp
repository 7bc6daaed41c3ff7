#include "plugins/stream/stream_filler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "plugins/stream/stream_random.h"
#include "transport/base/text.h"
#include "transport/record/dirty_codes.h"

namespace sluice {
namespace {

/// Repeats the `unit_bytes` at `to` until `total_bytes` are filled: doubling, so that memcpy does the work.
void repeat(std::byte* to, std::size_t unit_bytes, std::size_t total_bytes) {
  // Blocks of up to 4 KiB stay in the nearest cache while they are copied on.
  std::size_t done = unit_bytes;
  while (done < total_bytes) {
    const std::size_t block = std::min({done, total_bytes - done, std::max<std::size_t>(4096, unit_bytes)});
    const std::size_t whole = block < total_bytes - done ? block / unit_bytes * unit_bytes : block;
    std::memcpy(to + done, to, whole);
    done += whole;
  }
}

template <class T>
void append_repeated(column_builder& to, T value, std::uint32_t count) {
  growing_buffer& values = to.values();
  const std::size_t before = values.size();
  values.resize(before + count * sizeof(T));
  std::fill_n(reinterpret_cast<T*>(values.data() + before), count, value);
  to.set_filled(to.size() + count, 0);
}

/// The offsets buffer with its leading 0, resized for `count` more rows; returns the first new one.
std::int32_t* more_offsets(column_builder& to, std::uint32_t count) {
  growing_buffer& offsets = to.offsets();
  if (offsets.size() == 0) {
    offsets.push(std::int32_t{0});
  }
  const std::size_t rows = offsets.size() / sizeof(std::int32_t);
  offsets.resize((rows + count) * sizeof(std::int32_t));
  return offsets.as<std::int32_t>() + rows;
}

void append_repeated_text(column_builder& to, std::string_view text, std::uint32_t count) {
  growing_buffer& values = to.values();
  const std::size_t before = values.size();
  values.resize(before + count * text.size());
  if (!text.empty()) {
    std::memcpy(values.data() + before, text.data(), text.size());
    repeat(values.data() + before, text.size(), count * text.size());
  }
  std::int32_t* offsets = more_offsets(to, count);
  const auto length = static_cast<std::int32_t>(text.size());
  auto end = static_cast<std::int32_t>(before);
  for (std::uint32_t i = 0; i < count; ++i) {
    end += length;
    offsets[i] = end;
  }
  to.set_filled(to.size() + count, 0);
}

}  // namespace

stream_filler::stream_filler(const std::vector<stream_column>& columns, std::uint64_t seed,
                             std::uint64_t slice)
    : columns_(columns) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    keys_.push_back(stream_random::key(seed, slice, i));
    const stream_column& column = columns[i];
    row_overhead_ += column.has_length() ? sizeof(std::int32_t) : 0;
    if (column.holds == stream_column::content::null) {
      row_overhead_ += 9;  // a slot and its bit, rounded up
    } else if (column.holds == stream_column::content::random && column.has_length()) {
      record_bytes_max_ += static_cast<std::uint64_t>(column.high);
    } else if (column.has_length()) {
      record_bytes_fixed_ += column.text.size();
    } else {
      record_bytes_fixed_ += column.type.id == type_id::boolean ? 1 : 8;
    }
  }
  record_bytes_max_ += record_bytes_fixed_;
}

std::uint64_t stream_filler::length_of(std::size_t index, std::uint64_t n) const {
  const stream_column& column = columns_[index];
  return static_cast<std::uint64_t>(column.low) +
         stream_random::below(stream_random::bits_of(keys_[index], n),
                              static_cast<std::uint64_t>(column.high - column.low) + 1);
}

std::uint64_t stream_filler::record_bytes(std::uint64_t n) const {
  std::uint64_t bytes = record_bytes_fixed_;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].has_length() && columns_[i].holds == stream_column::content::random) {
      bytes += length_of(i, n);
    }
  }
  return bytes;
}

void stream_filler::append(batch_builder& builder, std::uint64_t first, std::uint32_t count) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    column_builder& to = builder.at(i);
    switch (columns_[i].holds) {
      case stream_column::content::null:
        for (std::uint32_t n = 0; n < count; ++n) {
          to.append_null();
        }
        break;
      case stream_column::content::constant:
        append_constant(columns_[i], to, count);
        break;
      case stream_column::content::random:
        append_random(i, to, first, count);
        break;
    }
  }
  builder.commit_rows(count);
}

void stream_filler::append_constant(const stream_column& column, column_builder& to,
                                    std::uint32_t count) const {
  switch (column.type.id) {
    case type_id::boolean:
      for (std::uint32_t i = 0; i < count; ++i) {
        to.append_bool(column.integer != 0);
      }
      return;
    case type_id::float64:
      return append_repeated(to, column.number, count);
    case type_id::utf8:
    case type_id::binary:
      return append_repeated_text(to, column.text, count);
    default:
      return append_repeated(to, column.integer, count);
  }
}

void stream_filler::append_random(std::size_t index, column_builder& to, std::uint64_t first,
                                  std::uint32_t count) const {
  const stream_column& column = columns_[index];
  if (column.has_length()) {
    return append_random_text(index, to, first, count);
  }
  if (column.type.id == type_id::boolean) {
    return append_random_bools(index, to, first, count);
  }
  const std::uint64_t key = keys_[index];
  growing_buffer& values = to.values();
  const std::size_t before = values.size();
  values.resize(before + std::size_t{count} * 8);
  std::byte* at = values.data() + before;
  if (column.type.id == type_id::float64) {
    const auto low = static_cast<double>(column.low);
    const double span = static_cast<double>(column.high) + 1 - low;
    for (std::uint32_t i = 0; i < count; ++i, at += 8) {
      const double value = low + span * stream_random::unit(stream_random::bits_of(key, first + i));
      std::memcpy(at, &value, 8);
    }
  } else {
    const std::uint64_t span =
        static_cast<std::uint64_t>(column.high) - static_cast<std::uint64_t>(column.low) + 1;
    for (std::uint32_t i = 0; i < count; ++i, at += 8) {
      const std::uint64_t value = static_cast<std::uint64_t>(column.low) +
                                  stream_random::below(stream_random::bits_of(key, first + i), span);
      std::memcpy(at, &value, 8);
    }
  }
  to.set_filled(to.size() + count, 0);
}

void stream_filler::append_random_text(std::size_t index, column_builder& to, std::uint64_t first,
                                       std::uint32_t count) const {
  const stream_column& column = columns_[index];
  growing_buffer& values = to.values();
  // One record is made to measure, because its column may be as large as a record may be.
  const std::uint64_t room =
      count == 1 ? length_of(index, first) : static_cast<std::uint64_t>(column.high) * count;
  values.reserve(values.size() + room);
  std::int32_t* offsets = more_offsets(to, count);
  char* const begin = values.as<char>();
  std::size_t end = values.size();
  const auto low = static_cast<std::uint64_t>(column.low);
  const std::uint64_t span = static_cast<std::uint64_t>(column.high - column.low) + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t random = stream_random::bits_of(keys_[index], first + i);
    const std::size_t length = low + stream_random::below(random, span);
    // The buffer's slack takes what the last word writes too far.
    stream_random::write_alphanumerics(random, begin + end, length);
    end += length;
    offsets[i] = static_cast<std::int32_t>(end);
  }
  values.resize(end);
  to.set_filled(to.size() + count, 0);
}

void stream_filler::append_random_bools(std::size_t index, column_builder& to, std::uint64_t first,
                                        std::uint32_t count) const {
  const stream_column& column = columns_[index];
  const auto falses = static_cast<std::uint64_t>(column.low);
  const std::uint64_t span = falses + static_cast<std::uint64_t>(column.high);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t random = stream_random::bits_of(keys_[index], first + i);
    to.append_bool(span == 0 || stream_random::below(random, span) >= falses);
  }
}

dirty_record stream_filler::too_large(const batch_builder& like, std::uint64_t n) const {
  constexpr std::size_t kept_bytes_max = std::size_t{64} << 10;
  batch_builder one(std::make_shared<const schema>(like.columns_schema()), like.pool(), {});
  std::size_t room = kept_bytes_max;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const stream_column& column = columns_[i];
    if (!column.has_length() || column.holds == stream_column::content::null) {
      column.holds == stream_column::content::random ? append_random(i, one.at(i), n, 1)
      : column.holds == stream_column::content::null ? one.at(i).append_null()
                                                     : append_constant(column, one.at(i), 1);
      continue;
    }
    std::string text = column.text.substr(0, room);
    if (column.holds == stream_column::content::random) {
      const std::size_t length = std::min<std::size_t>(length_of(i, n), room);
      text.resize(length + 8);
      stream_random::write_alphanumerics(stream_random::bits_of(keys_[i], n), text.data(), length);
      text.resize(length);
    }
    one.at(i).append_bytes(text);
    room -= text.size();
  }
  one.commit_row();
  dirty_record record = dirty_from_row(*one.seal(0), 0, dirty_side::reader);
  record.code = to_string(dirty_code::record_too_large);
  record.record_bytes = record_bytes(n);
  record.cut = true;
  record.message =
      fmt::format("The record has {}, more than the {} that a record may have; make `random` shorter.",
                  bytes_text(record.record_bytes), bytes_text(like.limit().record_bytes_max));
  return record;
}

}  // namespace sluice
