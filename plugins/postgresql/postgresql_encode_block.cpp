#include <array>
#include <bit>
#include <cstring>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_decode.h"
#include "plugins/postgresql/postgresql_encode.h"
#include "transport/record/bits.h"
#include "transport/record/row_block.h"
#include "transport/record/utf8.h"

// Blocks of rows, column by column: a decision and a bound are taken once a column and block, not per value.

namespace sluice::postgresql {
namespace {

/// Calls `put(to, row)` for each row; it writes a field and returns its end.
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
    at[i] = get_bit(valid, first + i) ? put(at[i], first + i) : write_big(null_field, at[i]);
  }
}

template <class Wire, class Value>
void put_numbers(const column& c, std::uint32_t first, std::uint32_t count, std::byte** at) {
  put_all(c, first, count, at, [&c](std::byte* to, std::uint32_t row) {
    return write_field(static_cast<Wire>(c.get<Value>(row)), to);
  });
}

/// `to_server` gives what the server has for a value, or refuses it.
template <class Wire, class Value, class ToServer>
bool put_checked(const column& c, std::uint32_t first, std::uint32_t count, std::byte** at,
                 ToServer to_server) {
  bool fits = true;
  put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
    const auto v = to_server(c.get<Value>(row));
    fits &= v.ok();
    return write_field(static_cast<Wire>(v.value), to);
  });
  return fits;
}

constexpr std::size_t uuid_bytes = 16;

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// `01234567-89ab-cdef-0123-456789abcdef` in any case, the form that reads back.
bool read_uuid(std::string_view text, std::byte* to) {
  constexpr std::size_t chars = 36;
  if (text.size() != chars) {
    return false;
  }
  std::size_t n = 0;
  for (std::size_t i = 0; i < chars;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') {
        return false;
      }
      continue;
    }
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    to[n++] = static_cast<std::byte>(high << 4 | low);
    i += 2;
  }
  return true;
}

parsed<std::int64_t> server_amount(int128 v) {
  const auto amount = static_cast<std::int64_t>(v);
  return v == amount ? parsed<std::int64_t>{amount} : parsed<std::int64_t>(refuse(dirty_code::out_of_range));
}

bool put_number_texts(const numeric_limits& limits, const column& c, std::uint32_t first, std::uint32_t count,
                      std::byte** at) {
  bool fits = true;
  std::string number;
  put_all(c, first, count, at, [&](std::byte* to, std::uint32_t row) {
    number.clear();
    fits &= append_numeric(c.get_bytes(row), limits, number) == dirty_code::none;
    to = write_big(static_cast<std::uint32_t>(number.size()), to);
    std::memcpy(to, number.data(), number.size());
    return to + number.size();
  });
  return fits;
}

}  // namespace

std::size_t row_encoder::field_bytes_max(wire_form form) {
  constexpr std::size_t version = 1;
  switch (form) {
    case wire_form::numeric:
      return field_length_bytes + numeric_bytes_max;
    case wire_form::uuid:
    case wire_form::bytes:
    case wire_form::text:
    case wire_form::as_text:
      return field_length_bytes;
    case wire_form::jsonb:
      return field_length_bytes + version;
    default:
      return field_length_bytes + sizeof(std::uint64_t);
  }
}

bool row_encoder::loses_blanks(const column_type& kind, std::string_view text) {
  return kind.padded != 0 && text.ends_with(' ') &&
         text_length(text, length_in::characters) < static_cast<std::uint64_t>(kind.padded);
}

bool row_encoder::put_texts(const column_plan& plan, const column& from, std::uint32_t first,
                            std::uint32_t count, std::byte** at) {
  const auto* offsets = from.offsets.as<std::int32_t>();
  const std::byte* const values = from.values.data();
  const std::byte* const end = values + from.values.size();
  const auto bytes = static_cast<std::size_t>(offsets[first + count] - offsets[first]);
  if (plan.kind.form != wire_form::bytes && bytes != 0 &&
      std::memchr(values + offsets[first], 0, bytes) != nullptr) {
    return false;
  }
  bool fits = true;
  const auto put = [&](std::byte* to, std::uint32_t row) {
    const auto size = static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]);
    return row_block::put_text(write_big(size, to), values + offsets[row], size, end);
  };
  if (plan.kind.form == wire_form::jsonb) {
    put_all(from, first, count, at, [&](std::byte* to, std::uint32_t row) {
      const auto size = static_cast<std::uint32_t>(offsets[row + 1] - offsets[row]);
      to = write_big(size + 1, to);
      *to++ = std::byte{jsonb_version};
      return row_block::put_text(to, values + offsets[row], size, end);
    });
  } else if (plan.kind.padded == 0) {
    put_all(from, first, count, at, put);
  } else {
    put_all(from, first, count, at, [&](std::byte* to, std::uint32_t row) {
      fits &= !loses_blanks(plan.kind, from.get_bytes(row));
      return put(to, row);
    });
  }
  return fits;
}

bool row_encoder::put_column(const column_plan& plan, const column& from, std::uint32_t first,
                             std::uint32_t count, std::byte** at) const {
  if (plan.own) {
    const auto* offsets = from.offsets.as<std::int32_t>();
    const std::byte* const values = from.values.data();
    const std::byte* const end = values + from.values.size();
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::int32_t begin = offsets[first + i];
      at[i] = row_block::put_text(at[i], values + begin,
                                  static_cast<std::uint32_t>(offsets[first + i + 1] - begin), end);
    }
    return true;
  }
  bool fits = true;
  switch (plan.kind.form) {
    case wire_form::boolean:
      put_all(from, first, count, at, [&from](std::byte* to, std::uint32_t row) {
        return write_field(static_cast<std::uint8_t>(from.get_bool(row)), to);
      });
      return true;
    case wire_form::int2:  // the converter has seen to the range of these
      put_numbers<std::uint16_t, std::int64_t>(from, first, count, at);
      return true;
    case wire_form::int4:
      put_numbers<std::uint32_t, std::int64_t>(from, first, count, at);
      return true;
    case wire_form::int8:
      put_numbers<std::uint64_t, std::int64_t>(from, first, count, at);
      return true;
    case wire_form::oid:
      put_numbers<std::uint32_t, std::uint64_t>(from, first, count, at);
      return true;
    case wire_form::float4:
      put_all(from, first, count, at, [&from](std::byte* to, std::uint32_t row) {
        return write_field(std::bit_cast<std::uint32_t>(from.get<float>(row)), to);
      });
      return true;
    case wire_form::float8:
      put_all(from, first, count, at, [&from](std::byte* to, std::uint32_t row) {
        return write_field(std::bit_cast<std::uint64_t>(from.get<double>(row)), to);
      });
      return true;
    case wire_form::numeric:
      if (plan.type.id != type_id::decimal) {
        return put_number_texts(plan.kind.limits, from, first, count, at);
      }
      put_all(from, first, count, at, [&from, scale = plan.type.scale](std::byte* to, std::uint32_t row) {
        std::byte* const end = write_numeric(from.get<int128>(row), scale, to + field_length_bytes);
        write_big(static_cast<std::uint32_t>(end - to) - std::uint32_t{field_length_bytes}, to);
        return end;
      });
      return true;
    case wire_form::date:
      return put_checked<std::uint32_t, std::int32_t>(from, first, count, at, server_date);
    case wire_form::time:
      put_numbers<std::uint64_t, std::int64_t>(from, first, count, at);
      return true;
    case wire_form::timestamp:
      return put_checked<std::uint64_t, std::int64_t>(from, first, count, at, server_timestamp);
    case wire_form::bytes:
    case wire_form::text:
    case wire_form::jsonb:
      return put_texts(plan, from, first, count, at);
    case wire_form::money:
      return put_checked<std::uint64_t, int128>(from, first, count, at, server_amount);
    case wire_form::uuid:
      put_all(from, first, count, at, [&](std::byte* to, std::uint32_t row) {
        to = write_big(std::uint32_t{uuid_bytes}, to);
        fits &= read_uuid(from.get_bytes(row), to);
        return to + uuid_bytes;
      });
      return fits;
    case wire_form::as_text:
      return false;
  }
  return false;
}

row_encoder::block row_encoder::append_own_rows(const column& from, std::uint32_t first, std::uint32_t last,
                                                send_buffer& to) const {
  const auto* offsets = from.offsets.as<std::int32_t>();
  const std::byte* text = from.values.data() + offsets[first];
  std::uint32_t end = first + 1;
  while (end < last && static_cast<std::size_t>(offsets[end + 1] - offsets[first]) <= row_block::bytes_max) {
    ++end;
  }
  std::byte* at = to.room(static_cast<std::size_t>(offsets[end] - offsets[first]) +
                          (end - first) * sizeof(std::uint16_t));
  for (std::uint32_t row = first; row < end; ++row) {
    const auto size = static_cast<std::size_t>(offsets[row + 1] - offsets[row]);
    at = write_big(static_cast<std::uint16_t>(fields_), at);
    std::memcpy(at, text, size);
    at += size;
    text += size;
  }
  to.end_at(at);
  return {end - first, true};
}

row_encoder::block row_encoder::append_block(const batch& b, std::uint32_t first, send_buffer& to) const {
  if (form_ != copy_form::binary) {
    return {b.rows - first, false};
  }
  if (plans_.size() == 1 && plans_.front().own) {
    return append_own_rows(b.columns.front(), first, b.rows, to);
  }
  row_block rows(b.columns, *b.columns_schema, sizeof(std::uint16_t) + fields_bytes_max_ + row_block::slack);
  const std::uint32_t count = rows.take(first, b.rows);
  if (count == 0) {
    return {1, false};
  }
  rows.lay(to.room(rows.bytes()));
  for (std::uint32_t i = 0; i < count; ++i) {
    rows.ends()[i] = write_big(static_cast<std::uint16_t>(fields_), rows.ends()[i]);
  }
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (!put_column(plans_[i], b.columns[i], first, count, rows.ends())) {
      return {count, false};
    }
  }
  to.end_at(rows.join());
  return {count, true};
}

}  // namespace sluice::postgresql
