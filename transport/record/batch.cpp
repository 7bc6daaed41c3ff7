#include "transport/record/batch.h"

#include "transport/base/base64.h"
#include "transport/record/bits.h"
#include "transport/record/format.h"
#include "transport/record/own_columns.h"

namespace sluice {
namespace {

std::uint64_t column_row_bytes(const column& c, type_id id, std::uint32_t first, std::uint32_t last) {
  if (has_offsets(id)) {
    // NULLs hold empty text, so they need no look.
    const auto* offsets = c.offsets.as<std::int32_t>();
    return static_cast<std::uint64_t>(offsets[last] - offsets[first]);
  }
  const std::uint64_t valid =
      c.validity.empty() ? last - first : count_set(c.validity.as<std::uint8_t>(), first, last);
  return valid * (id == type_id::boolean ? 1 : fixed_width(id));
}

/// The digits that show the value exactly: the type's, or all of the unit's where the value has more.
unsigned shown_digits(std::int64_t value, const data_type& type) {
  std::int64_t below = 1;
  for (unsigned i = type.fraction_digits; i < static_cast<unsigned>(type.unit); ++i) {
    below *= 10;
  }
  return value % below == 0 ? std::min<unsigned>(type.fraction_digits, static_cast<unsigned>(type.unit))
                            : static_cast<unsigned>(type.unit);
}

std::string timestamp_text(std::int64_t value, const data_type& type) {
  std::string text = text_of(write_iso_timestamp, value, type.unit, shown_digits(value, type), 'T');
  const bool finite = text.find("infinity") == std::string::npos;
  return type.id == type_id::instant && finite ? text + 'Z' : text;
}

}  // namespace

std::uint64_t batch::bytes_held() const {
  std::uint64_t bytes = sizeof(batch) + position_deltas.size();
  for (const column& c : columns) {
    bytes += sizeof(column) + c.validity.size() + c.offsets.size() + c.values.size();
  }
  if (places) {
    bytes += places->source.size() + places->byte_deltas.size() + places->line_deltas.size() +
             places->key_name.size() + places->keys.size();
  }
  for (const dirty_record& d : dirty) {
    bytes += d.bytes_held();
  }
  return bytes + changed_as_read.size() * sizeof(changed_value);
}

std::uint64_t batch::row_bytes(std::uint32_t first, std::uint32_t last) const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < columns.size() && first < last; ++i) {
    const field& f = (*columns_schema)[i];
    bytes += f.own == nullptr ? column_row_bytes(columns[i], f.type.id, first, last)
                              : f.own->codec->record_bytes(columns[i], first, last);
  }
  return bytes;
}

std::optional<std::string> value_text(const column& c, const data_type& type, std::uint32_t row) {
  if (c.is_null(row)) {
    return std::nullopt;
  }
  switch (type.id) {
    case type_id::boolean:
      return c.get_bool(row) ? "true" : "false";
    case type_id::int64:
      return text_of(write_int64, c.get<std::int64_t>(row));
    case type_id::uint64:
      return text_of(write_uint64, c.get<std::uint64_t>(row));
    case type_id::float32:
      return text_of(write_float32, c.get<float>(row));
    case type_id::float64:
      return text_of(write_float64, c.get<double>(row));
    case type_id::decimal:
      return text_of(write_decimal, c.get<int128>(row), type.scale);
    case type_id::decimal_text:
    case type_id::utf8:
      return std::string(c.get_bytes(row));
    case type_id::binary:
      return base64(c.get_bytes(row));
    case type_id::date:
      return text_of(write_iso_date, c.get<std::int32_t>(row));
    case type_id::time_of_day: {
      const auto value = c.get<std::int64_t>(row);
      return text_of(write_iso_time, value, type.unit, shown_digits(value, type));
    }
    case type_id::duration: {
      const auto value = c.get<std::int64_t>(row);
      return text_of(write_duration, value, type.unit, shown_digits(value, type));
    }
    case type_id::timestamp:
    case type_id::instant:
      return timestamp_text(c.get<std::int64_t>(row), type);
  }
  return std::nullopt;
}

}  // namespace sluice
