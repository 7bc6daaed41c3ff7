#define XXH_INLINE_ALL
#include <xxhash.h>

#include "transport/record/canonical.h"

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

#include "transport/record/bits.h"
#include "transport/record/decimal_form.h"
#include "transport/record/row_block.h"

// docs/canonical.md defines the form. A row is written as one string of bytes, value after value, and hashed.
//
// Rows are written column by column, a block of rows at a time; the hash then runs over rows that lie in the
// first level cache. A row too long for a block is hashed in pieces where it lies, so that no copy of a large
// record is held.

namespace sluice {
namespace {

using form_tag = canonical_tag;

constexpr std::size_t length_bytes = sizeof(std::uint32_t);

uint128 hashed(const std::byte* data, std::size_t size) {
  const XXH128_hash_t h = XXH3_128bits(data, size);
  return uint128{h.high64} << 64 | h.low64;
}

/// XXH3 fed in pieces: for what is too long to be copied.
class hash_stream {
 public:
  hash_stream() { XXH3_128bits_reset(&state_); }
  void add(const void* data, std::size_t size) {
    if (size != 0) {
      XXH3_128bits_update(&state_, data, size);
    }
  }
  [[nodiscard]] row_sum sum() const {
    const XXH128_hash_t h = XXH3_128bits_digest(&state_);
    return {uint128{h.high64} << 64 | h.low64};
  }

 private:
  XXH3_state_t state_;
};

template <class T>
T load(const column& c, std::uint32_t row) {
  T value;
  std::memcpy(&value, c.values.data() + std::size_t{row} * sizeof(T), sizeof value);
  return value;
}

template <class T>
std::byte* store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

std::byte* store_tag(std::byte* to, form_tag tag) {
  *to = static_cast<std::byte>(tag);
  return to + 1;
}

/// Calls `put(to, row)` for each row; it writes a value and returns its end. A NULL is written over with its
/// tag, which costs less than a branch that is guessed wrong.
template <class Put>
void put_all(const column& c, std::uint32_t first, std::uint32_t count, std::byte** at, Put put) {
  if (c.validity.empty()) {
    for (std::uint32_t i = 0; i < count; ++i) {
      at[i] = put(at[i], first + i);
    }
    return;
  }
  const auto* valid = c.validity.as<std::uint8_t>();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::byte* const end = put(at[i], first + i);
    const bool is_valid = get_bit(valid, first + i);
    *at[i] = is_valid ? *at[i] : static_cast<std::byte>(form_tag::null);
    at[i] = is_valid ? end : at[i] + 1;
  }
}

std::uint64_t float_bits(double value) {
  constexpr std::uint64_t nan_bits = 0x7ff8000000000000;
  // All NaNs are one value, and so are the two zeros.
  const std::uint64_t bits = value == 0 ? 0 : std::bit_cast<std::uint64_t>(value);
  return value != value ? nan_bits : bits;
}

int128 nanoseconds(std::int64_t value, std::int64_t nanos_per_unit, bool has_infinity) {
  constexpr int128 infinity = static_cast<int128>(~uint128{0} >> 1);
  if (has_infinity && value == std::numeric_limits<std::int64_t>::max()) {
    return infinity;
  }
  if (has_infinity && value == std::numeric_limits<std::int64_t>::min()) {
    return -infinity - 1;
  }
  return int128{value} * nanos_per_unit;
}

form_tag time_tag(type_id id) {
  switch (id) {
    case type_id::time_of_day:
      return form_tag::time_of_day;
    case type_id::duration:
      return form_tag::duration;
    case type_id::timestamp:
      return form_tag::timestamp;
    default:
      return form_tag::instant;
  }
}

void put_times(const column& c, const data_type& type, std::uint32_t first, std::uint32_t count,
               std::byte** at) {
  const form_tag tag = time_tag(type.id);
  const bool has_infinity = type.id == type_id::timestamp || type.id == type_id::instant;
  const std::int64_t nanos_per_unit = 1'000'000'000 / per_second(type.unit);
  put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
    return store(store_tag(to, tag), nanoseconds(load<std::int64_t>(c, row), nanos_per_unit, has_infinity));
  });
}

void put_bytes(const column& c, form_tag tag, std::uint32_t first, std::uint32_t count, std::byte** at) {
  const auto* offsets = c.offsets.as<std::int32_t>();
  const std::byte* const values = c.values.data();
  const std::byte* const end = values + c.values.size();
  put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
    const std::byte* const from = values + offsets[row];
    const auto size = static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]);
    return row_block::put_text(store(store_tag(to, tag), size), from, size, end);
  });
}

void put_column(const column& c, const data_type& type, std::uint32_t first, std::uint32_t count,
                std::byte** at) {
  switch (type.id) {
    case type_id::boolean:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return store_tag(to, c.get_bool(row) ? form_tag::boolean_true : form_tag::boolean_false);
      });
    case type_id::int64:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return store(store_tag(to, form_tag::integer), load<std::int64_t>(c, row));
      });
    case type_id::uint64:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return put_decimal(to, static_cast<int128>(load<std::uint64_t>(c, row)), 0);
      });
    case type_id::float32:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return store(store_tag(to, form_tag::floating), float_bits(load<float>(c, row)));
      });
    case type_id::float64:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return store(store_tag(to, form_tag::floating), float_bits(load<double>(c, row)));
      });
    case type_id::decimal:
      return put_all(c, first, count, at, [&, scale = type.scale](std::byte* to, std::uint32_t row) {
        return put_decimal(to, load<int128>(c, row), scale);
      });
    case type_id::decimal_text:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return put_decimal_text(to, c.get_bytes(row));
      });
    case type_id::utf8:
      return put_bytes(c, form_tag::text, first, count, at);
    case type_id::binary:
      return put_bytes(c, form_tag::bytes, first, count, at);
    case type_id::date:
      return put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
        return store(store_tag(to, form_tag::date), load<std::int32_t>(c, row));
      });
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      return put_times(c, type, first, count, at);
  }
}

/// The most bytes a value of the type takes beside its text.
std::size_t form_bytes_max(type_id id) {
  switch (id) {
    case type_id::utf8:
    case type_id::binary:
      return 1 + length_bytes;
    case type_id::decimal_text:
    case type_id::decimal:
    case type_id::uint64:
      return decimal_form_bytes_max;
    case type_id::boolean:
      return 1;
    case type_id::date:
      return 1 + sizeof(std::int32_t);
    default:
      return 1 + sizeof(int128);
  }
}

std::size_t text_bytes(const column& c, std::uint32_t row) {
  const auto* offsets = c.offsets.as<std::int32_t>();
  return static_cast<std::size_t>(offsets[row + 1] - offsets[row]);
}

/// A row that is too long for a block: short values through a small room, text where it lies.
row_sum long_row_sum(const std::vector<column>& columns, const schema& s, std::uint32_t row) {
  hash_stream stream;
  std::vector<std::byte> room;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const column& c = columns[i];
    const type_id id = s[i].type.id;
    if ((id == type_id::utf8 || id == type_id::binary) && !c.is_null(row)) {
      const std::string_view value = c.get_bytes(row);
      const auto tag = static_cast<std::uint8_t>(id == type_id::utf8 ? form_tag::text : form_tag::bytes);
      const auto size = static_cast<std::uint32_t>(value.size());
      stream.add(&tag, 1);
      stream.add(&size, sizeof size);
      stream.add(value.data(), value.size());
      continue;
    }
    room.resize(form_bytes_max(id) + (has_offsets(id) ? text_bytes(c, row) : 0) + row_block::slack);
    std::byte* end = room.data();
    put_column(c, s[i].type, row, 1, &end);
    stream.add(room.data(), static_cast<std::size_t>(end - room.data()));
  }
  return stream.sum();
}

std::size_t form_bytes_max(const schema& s) {
  return std::accumulate(s.begin(), s.end(), row_block::slack,
                         [](std::size_t sum, const field& f) { return sum + form_bytes_max(f.type.id); });
}

/// Calls `take(hash)` for each of these rows, in their order.
template <class Take>
void hash_rows(const std::vector<column>& columns, const schema& s, std::uint32_t first, std::uint32_t last,
               Take take) {
  if (first >= last) {
    return;
  }
  row_block block(columns, s, form_bytes_max(s));
  std::unique_ptr<std::byte[]> scratch;
  std::size_t scratch_bytes = 0;
  while (first < last) {
    const std::uint32_t count = block.take(first, last);
    if (count == 0) {
      take(long_row_sum(columns, s, first++).value);
      continue;
    }
    if (block.bytes() > scratch_bytes) {
      // A single row takes what it needs; more of them take the block's limit at once.
      scratch_bytes = last - first == 1 ? block.bytes() : row_block::bytes_max;
      scratch.reset(new std::byte[scratch_bytes]);
    }
    block.lay(scratch.get());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      put_column(columns[i], s[i].type, first, count, block.ends());
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      take(hashed(block.begin(i), block.size(i)));
    }
    first += count;
  }
}

}  // namespace

row_sum canonical_sum(const std::vector<column>& columns, const schema& s, std::uint32_t first,
                      std::uint32_t last) {
  row_sum sum;
  hash_rows(columns, s, first, last, [&](uint128 hash) { sum.value += hash; });
  return sum;
}

std::vector<row_sum> canonical_hashes(const std::vector<column>& columns, const schema& s,
                                      std::uint32_t first, std::uint32_t last) {
  std::vector<row_sum> hashes;
  hashes.reserve(last > first ? last - first : 0);
  hash_rows(columns, s, first, last, [&](uint128 hash) { hashes.push_back({hash}); });
  return hashes;
}

row_sum canonical_raw(std::string_view raw) {
  hash_stream stream;
  constexpr auto tag = static_cast<std::uint8_t>(form_tag::raw);
  stream.add(&tag, 1);
  stream.add(raw.data(), raw.size());
  return stream.sum();
}

row_sum canonical_fields(const std::vector<dirty_field>& fields) {
  hash_stream stream;
  for (const dirty_field& f : fields) {
    const auto tag = static_cast<std::uint8_t>(f.text ? form_tag::text : form_tag::null);
    stream.add(&tag, 1);
    if (f.text) {
      const auto size = static_cast<std::uint32_t>(f.text->size());
      stream.add(&size, sizeof size);
      stream.add(f.text->data(), f.text->size());
    }
  }
  return stream.sum();
}

}  // namespace sluice
