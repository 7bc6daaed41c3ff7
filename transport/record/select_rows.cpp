#include <algorithm>

#include "transport/record/batch_builder.h"
#include "transport/record/bits.h"

namespace sluice {
namespace {

using row_list = std::vector<std::uint32_t>;

row_list rows_kept(std::uint32_t rows, const std::vector<std::uint8_t>& keep) {
  row_list kept;
  kept.reserve(count_set(keep.data(), 0, rows));
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (get_bit(keep.data(), row)) {
      kept.push_back(row);
    }
  }
  return kept;
}

template <std::size_t Width>
void gather_fixed(const buffer& from, const row_list& rows, growing_buffer& to) {
  to.resize(rows.size() * Width);
  std::byte* out = to.data();
  for (const std::uint32_t row : rows) {
    std::memcpy(out, from.data() + row * Width, Width);
    out += Width;
  }
}

/// Returns how many of the rows' bits are 0.
std::uint32_t gather_bits(const buffer& from, const row_list& rows, growing_buffer& to) {
  to.resize(bitmap_bytes(rows.size()));
  std::uint32_t zeros = 0;
  unsigned byte = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool set = get_bit(from.as<std::uint8_t>(), rows[i]);
    zeros += set ? 0 : 1;
    byte |= (set ? 1U : 0U) << (i % 8);
    if (i % 8 == 7 || i + 1 == rows.size()) {
      to.as<std::uint8_t>()[i / 8] = static_cast<std::uint8_t>(byte);
      byte = 0;
    }
  }
  return zeros;
}

void gather_bytes(const column& from, const row_list& rows, column_builder& to) {
  to.offsets().resize((rows.size() + 1) * sizeof(std::int32_t));
  auto* end = to.offsets().as<std::int32_t>();
  std::int32_t total = 0;
  *end++ = 0;
  for (const std::uint32_t row : rows) {
    total += static_cast<std::int32_t>(from.get_bytes(row).size());
    *end++ = total;
  }
  to.values().reserve(static_cast<std::size_t>(total));
  for (const std::uint32_t row : rows) {
    const std::string_view value = from.get_bytes(row);
    to.values().append(value.data(), value.size());
  }
}

column gather(const column& from, const data_type& type, const row_list& rows,
              const std::shared_ptr<buffer_pool>& pool) {
  column_builder to(type, pool);
  if (!rows.empty()) {
    switch (fixed_width(type.id)) {
      case 4:
        gather_fixed<4>(from.values, rows, to.values());
        break;
      case 8:
        gather_fixed<8>(from.values, rows, to.values());
        break;
      case 16:
        gather_fixed<16>(from.values, rows, to.values());
        break;
      default:
        if (type.id == type_id::boolean) {
          gather_bits(from.values, rows, to.values());
        } else {
          gather_bytes(from, rows, to);
        }
    }
  }
  const std::uint32_t nulls = from.validity.empty() ? 0 : gather_bits(from.validity, rows, to.validity());
  to.set_filled(static_cast<std::uint32_t>(rows.size()), nulls);
  return to.seal();
}

/// The deltas of the rows kept; `from` empty stands for the row's own index.
buffer gather_deltas(const buffer& from, const row_list& rows, const std::shared_ptr<buffer_pool>& pool) {
  growing_buffer to(pool);
  if (from.empty()) {
    to.append(rows.data(), rows.size() * sizeof(std::uint32_t));
  } else if (!rows.empty()) {
    gather_fixed<sizeof(std::uint32_t)>(from, rows, to);
  }
  return to.seal();
}

}  // namespace

std::shared_ptr<batch> select_rows(const batch& b, const std::vector<std::uint8_t>& keep,
                                   const std::shared_ptr<buffer_pool>& pool) {
  const row_list rows = rows_kept(b.rows, keep);
  auto out = std::make_shared<batch>(b);
  out->rows = static_cast<std::uint32_t>(rows.size());
  for (std::size_t i = 0; i < b.columns.size(); ++i) {
    out->columns[i] = gather(b.columns[i], (*b.columns_schema)[i].type, rows, pool);
  }
  out->position_deltas = gather_deltas(b.position_deltas, rows, pool);
  if (out->places) {
    if (!b.places->byte_deltas.empty()) {
      out->places->byte_deltas = gather_deltas(b.places->byte_deltas, rows, pool);
    }
    if (b.places->keys.empty()) {
      out->places->line_deltas = gather_deltas(b.places->line_deltas, rows, pool);
    }
  }
  if (out->places && !b.places->keys.empty()) {
    growing_buffer keys(pool);
    if (!rows.empty()) {
      gather_fixed<sizeof(std::int64_t)>(b.places->keys, rows, keys);
    }
    out->places->keys = keys.seal();
  }
  out->changed_as_read.clear();
  for (changed_value change : b.changed_as_read) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), change.row);
    if (at != rows.end() && *at == change.row) {
      change.row = static_cast<std::uint32_t>(at - rows.begin());
      out->changed_as_read.push_back(change);
    }
  }
  out->rows_sum = {};
  return out;
}

}  // namespace sluice
