#include <cstring>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_decode.h"

// Tuples that wait together, column by column: a decision and a bound are taken once a column and block, not
// per value.

namespace sluice::postgresql {
namespace {

/// Puts down what `read(tuple, value)` makes of each field; false: it has refused one.
template <class Value, class Read>
bool put_values(const tuple_block& tuples, column_builder& to, Read read) {
  growing_buffer& values = to.values();
  const std::size_t before = values.size();
  const std::size_t count = tuples.count();
  values.resize(before + count * sizeof(Value));
  std::byte* at = values.data() + before;
  bool good = true;
  for (std::size_t i = 0; i < count; ++i, at += sizeof(Value)) {
    Value value{};
    good &= read(i, value);
    std::memcpy(at, &value, sizeof value);
  }
  to.set_filled(to.size() + static_cast<std::uint32_t>(count), to.null_count());
  return good;
}

/// Big-endian numbers of `Wire`'s size.
template <class Wire, class Value>
bool put_numbers(const tuple_block& tuples, column_builder& to) {
  return put_values<Value>(tuples, to, [&tuples](std::size_t i, Value& value) {
    value = static_cast<std::make_signed_t<Wire>>(read_big<Wire>(tuples.bytes<sizeof(Wire)>(i)));
    return true;
  });
}

/// The same, as `in_batch` has them, which may refuse one.
template <class Wire, class Value, class InBatch>
bool put_checked(const tuple_block& tuples, column_builder& to, InBatch in_batch) {
  return put_values<Value>(tuples, to, [&tuples, in_batch](std::size_t i, Value& value) {
    const parsed<Value> read = in_batch(static_cast<Value>(read_big<Wire>(tuples.bytes<sizeof(Wire)>(i))));
    value = read.value;
    return read.ok();
  });
}

bool put_decimals(const tuple_block& tuples, unsigned scale, column_builder& to) {
  return put_values<int128>(tuples, to, [&tuples, scale](std::size_t i, int128& value) {
    if (std::int64_t small = 0; read_small_numeric(tuples.value(i), scale, small)) {
      value = small;
      return true;
    }
    const parsed<int128> read = read_numeric(tuples.value(i), scale);
    value = read.value;
    return read.ok();
  });
}

bool put_texts(const tuple_block& tuples, column_builder& to) {
  const std::size_t count = tuples.count();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bytes += tuples.value(i).size();
  }
  growing_buffer& values = to.values();
  growing_buffer& offsets = to.offsets();
  std::size_t used = values.size();
  const std::size_t offsets_before = offsets.size();
  values.reserve(used + bytes + 1);  // at least the room behind, where all are empty
  offsets.resize(offsets_before + count * sizeof(std::int32_t));
  std::byte* const text = values.data();
  std::byte* at = offsets.data() + offsets_before;
  for (std::size_t i = 0; i < count; ++i, at += sizeof(std::int32_t)) {
    const std::string_view value = tuples.value(i);
    // Short ones all take the same loads and stores, which need no guess of their length.
    static_assert(tuple_block::slack <= growing_buffer::slack_bytes);
    if (value.size() <= tuple_block::slack) {
      std::memcpy(text + used, value.data(), tuple_block::slack);
    } else {
      std::memcpy(text + used, value.data(), value.size());
    }
    used += value.size();
    const auto end = static_cast<std::int32_t>(used);
    std::memcpy(at, &end, sizeof end);
  }
  values.resize(used);
  to.set_filled(to.size() + static_cast<std::uint32_t>(count), to.null_count());
  return true;
}

}  // namespace

/// Over a field that has so many bytes in each tuple; false: in one it has not, and all stay where they are.
bool tuple_block::all_go_on(std::size_t bytes) {
  const auto step = static_cast<std::ptrdiff_t>(sizeof(std::int32_t) + bytes);
  std::uint32_t other = 0;
  bool is_short = false;
  for (std::size_t i = 0; i < count_; ++i) {
    other |= read_big<std::uint32_t>(next_[i]) ^ static_cast<std::uint32_t>(bytes);
    is_short |= ends_[i] - next_[i] < step;
  }
  if (other != 0 || is_short) {
    return false;
  }
  for (std::size_t i = 0; i < count_; ++i) {
    next_[i] += step;
  }
  std::fill_n(lengths_.begin(), count_, static_cast<std::int32_t>(bytes));
  any_is_null_ = false;
  same_length_ = true;
  return true;
}

bool tuple_block::next(std::size_t usual) {
  if (usual != 0 && all_go_on(usual)) {
    return true;
  }
  std::int32_t all = 0;
  std::int32_t differing = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const char* const at = next_[i];
    const std::ptrdiff_t left = ends_[i] - at - static_cast<std::ptrdiff_t>(sizeof(std::int32_t));
    if (left < 0) {
      return false;
    }
    const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(at));
    if (length < -1 || length > left) {
      return false;
    }
    lengths_[i] = length;
    next_[i] = at + sizeof length + std::max(length, 0);
    all |= length;
    differing |= length ^ lengths_[0];
  }
  any_is_null_ = all < 0;
  same_length_ = differing == 0;
  return true;
}

bool field_decoder::append_block(std::size_t column, const tuple_block& tuples, column_builder& to) {
  const form& f = forms_[column];
  // NULLs, and what is not of the type's length, are looked at one by one.
  if (!to.has_validity() && (f.bytes != 0 ? tuples.all_have(f.bytes) : !tuples.any_is_null())) {
    switch (f.wire) {
      case wire_form::int2:
        return put_numbers<std::uint16_t, std::int64_t>(tuples, to);
      case wire_form::int4:
        return put_numbers<std::uint32_t, std::int64_t>(tuples, to);
      case wire_form::int8:
      case wire_form::time:
        return put_numbers<std::uint64_t, std::int64_t>(tuples, to);
      case wire_form::date:
        return put_checked<std::uint32_t, std::int32_t>(tuples, to, date_in_batch);
      case wire_form::timestamp:
        return put_checked<std::uint64_t, std::int64_t>(tuples, to, timestamp_in_batch);
      case wire_form::numeric:
        if (f.is_decimal) {
          return put_decimals(tuples, f.scale, to);
        }
        break;
      case wire_form::text:
      case wire_form::as_text:
      case wire_form::bytes:
        return put_texts(tuples, to);
      default:
        break;
    }
  }
  for (std::size_t i = 0; i < tuples.count(); ++i) {
    if (tuples.is_null(i)) {
      to.append_null();
    } else if (append(column, tuples.value(i), to) != dirty_code::none) {
      return false;
    }
  }
  return true;
}

}  // namespace sluice::postgresql
