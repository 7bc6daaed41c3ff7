#include "plugins/postgresql/postgresql_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "plugins/postgresql/postgresql_bytes.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/utf8.h"

namespace sluice::postgresql {
namespace {

constexpr std::string_view signature("PGCOPY\n\377\r\n\0", 11);
constexpr std::size_t signature_bytes = signature.size() + 4 + 4;  // flags, length of the extension
constexpr std::uint32_t flag_oids = 1U << 16;
constexpr std::size_t uuid_bytes = 16;
constexpr std::size_t uuid_chars = 36;

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int32_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t int32_min = std::numeric_limits<std::int32_t>::min();

template <class Signed>
Signed signed_at(std::string_view bytes) {
  return static_cast<Signed>(read_big<std::make_unsigned_t<Signed>>(bytes.data()));
}

void write_uuid(std::string_view bytes, char* to) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (std::size_t i = 0; i < uuid_bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      *to++ = '-';
    }
    const auto b = static_cast<unsigned char>(bytes[i]);
    *to++ = hex[b >> 4];
    *to++ = hex[b & 15];
  }
}

}  // namespace

std::size_t fixed_bytes(wire_form form) {
  switch (form) {
    case wire_form::boolean:
      return 1;
    case wire_form::int2:
      return 2;
    case wire_form::int4:
    case wire_form::oid:
    case wire_form::float4:
    case wire_form::date:
      return 4;
    case wire_form::int8:
    case wire_form::float8:
    case wire_form::time:
    case wire_form::timestamp:
    case wire_form::money:
      return 8;
    case wire_form::uuid:
      return uuid_bytes;
    case wire_form::numeric:
    case wire_form::text:
    case wire_form::jsonb:
    case wire_form::bytes:
    case wire_form::as_text:
      break;
  }
  return 0;
}

bool tuple_reader::walk(std::size_t count) {
  const char* at = starts_[0];
  for (std::size_t i = 0; i < count; ++i) {
    starts_[i] = at;
    if (end_ - at < static_cast<std::ptrdiff_t>(sizeof(std::int32_t))) {
      return false;
    }
    const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(at));
    at += sizeof length;
    lengths_[i] = length;
    if (const std::int32_t usual = usual_[i]; length == usual && end_ - at >= usual) {
      at += usual;
      continue;
    }
    if (length < -1 || end_ - at < length) {
      return false;
    }
    at += std::max(length, 0);
  }
  if (count != 0) {
    starts_[count] = at;
  }
  return true;
}

tuple_reader::answer tuple_reader::next() {
  if (ended_) {
    return rest_.empty() ? answer::end : answer::damaged;
  }
  if (rest_.empty()) {
    return answer::more;
  }
  if (!signature_seen_) {
    if (rest_.size() < signature_bytes || !rest_.starts_with(signature)) {
      return answer::damaged;
    }
    const auto flags = read_big<std::uint32_t>(rest_.data() + signature.size());
    const auto extension = read_big<std::uint32_t>(rest_.data() + signature.size() + 4);
    if ((flags & flag_oids) != 0 || rest_.size() - signature_bytes < extension) {
      return answer::damaged;
    }
    rest_.remove_prefix(signature_bytes + extension);
    signature_seen_ = true;
    if (rest_.empty()) {
      return answer::more;
    }
  }
  if (rest_.size() < sizeof(std::int16_t)) {
    return answer::damaged;
  }
  const auto count = signed_at<std::int16_t>(rest_);
  rest_.remove_prefix(sizeof count);
  if (count == -1) {
    ended_ = true;
    return rest_.empty() ? answer::end : answer::damaged;
  }
  if (count < 0 || static_cast<std::size_t>(count) != fields()) {
    return answer::damaged;
  }
  starts_[0] = rest_.data();
  end_ = rest_.data() + rest_.size();
  const bool whole = looked_at_ == fields();
  // Every field has a length at least.
  if ((!whole && rest_.size() < fields() * sizeof(std::int32_t)) || !walk(looked_at_)) {
    return answer::damaged;
  }
  starts_.back() = whole ? starts_.back() : end_;
  rest_.remove_prefix(static_cast<std::size_t>(starts_.back() - rest_.data()));
  return answer::tuple;
}

field_decoder::field_decoder(std::vector<column_type> columns, bool check_utf8, relational::text_rule invalid)
    : columns_(std::move(columns)), check_utf8_(check_utf8), invalid_(invalid) {
  for (const column_type& c : columns_) {
    forms_.push_back({c.form, c.type.id == type_id::decimal, c.type.scale,
                      static_cast<std::uint8_t>(fixed_bytes(c.form))});
  }
}

std::size_t field_decoder::bytes_in_batch(std::size_t column, std::string_view bytes) const {
  const column_type& c = columns_[column];
  constexpr std::size_t widest = 16 + sizeof(std::int32_t);
  if (c.form == wire_form::uuid) {
    return uuid_chars + sizeof(std::int32_t);
  }
  if (c.form == wire_form::numeric && c.type.id == type_id::decimal_text) {
    // Four digits for each two bytes, and zeros up to the weight and the digits shown.
    if (bytes.size() < 8) {
      return widest;
    }
    const auto weight = static_cast<std::int16_t>(read_big<std::uint16_t>(bytes.data() + 2));
    const std::size_t before = weight < 0 ? 1 : 4 * (static_cast<std::size_t>(weight) + 1);
    return before + read_big<std::uint16_t>(bytes.data() + 6) + 16;
  }
  constexpr std::size_t replacement_bytes = 3;
  const bool replaces = check_utf8_ && invalid_ == relational::text_rule::replace;
  return has_offsets(c.type.id) ? bytes.size() * (replaces ? replacement_bytes : 1) + sizeof(std::int32_t)
                                : widest;
}

dirty_code field_decoder::append_text(std::string_view bytes, column_builder& to) {
  if (check_utf8_) {
    changed_ = relational::mend_utf8(bytes, invalid_, scratch_);
    if (!changed_ && invalid_ == relational::text_rule::dirty && !is_utf8(bytes)) {
      return dirty_code::invalid_utf8;
    }
  }
  to.append_bytes(changed_ ? std::string_view(scratch_) : bytes);
  return dirty_code::none;
}

dirty_code field_decoder::append_number(const column_type& column, std::string_view bytes,
                                        column_builder& to) {
  if (column.type.id == type_id::decimal) {
    const auto v = read_numeric(bytes, column.type.scale);
    if (v.ok()) {
      to.append(v.value);
    }
    return v.code;
  }
  scratch_.clear();
  if (!append_numeric_text(bytes, scratch_)) {
    return dirty_code::wrong_type;
  }
  to.append_bytes(scratch_);
  return dirty_code::none;
}

dirty_code field_decoder::append_other(const column_type& c, std::string_view bytes, column_builder& to) {
  switch (c.form) {
    case wire_form::boolean:
      to.append_bool(bytes[0] != 0);
      return dirty_code::none;
    case wire_form::int2:
      to.append(std::int64_t{signed_at<std::int16_t>(bytes)});
      return dirty_code::none;
    case wire_form::int4:
    case wire_form::int8:
      break;  // `append` has them all
    case wire_form::oid:
      to.append(std::uint64_t{read_big<std::uint32_t>(bytes.data())});
      return dirty_code::none;
    case wire_form::float4:
      to.append(std::bit_cast<float>(read_big<std::uint32_t>(bytes.data())));
      return dirty_code::none;
    case wire_form::float8:
      to.append(std::bit_cast<double>(read_big<std::uint64_t>(bytes.data())));
      return dirty_code::none;
    case wire_form::numeric:
      return append_number(c, bytes, to);
    case wire_form::money:
      to.append(static_cast<int128>(signed_at<std::int64_t>(bytes)));
      return dirty_code::none;
    case wire_form::date: {
      const auto days = date_in_batch(signed_at<std::int32_t>(bytes));
      if (days.ok()) {
        to.append(days.value);
      }
      return days.code;
    }
    case wire_form::time:
      to.append(signed_at<std::int64_t>(bytes));
      return dirty_code::none;
    case wire_form::timestamp: {
      const auto micros = timestamp_in_batch(signed_at<std::int64_t>(bytes));
      if (micros.ok()) {
        to.append(micros.value);
      }
      return micros.code;
    }
    case wire_form::uuid: {
      std::array<char, uuid_chars> text;
      write_uuid(bytes, text.data());
      to.append_bytes({text.data(), text.size()});
      return dirty_code::none;
    }
    case wire_form::bytes:
      to.append_bytes(bytes);
      return dirty_code::none;
    case wire_form::jsonb:
      if (bytes.empty() || bytes[0] != jsonb_version) {
        return dirty_code::wrong_type;
      }
      return append_text(bytes.substr(1), to);
    case wire_form::text:
    case wire_form::as_text:
      return append_text(bytes, to);
  }
  return dirty_code::wrong_type;
}

std::string date_text(std::int32_t days) {
  if (days == int32_max || days == int32_min) {
    return days == int32_max ? "infinity" : "-infinity";
  }
  const civil_date d = civil_from_days(
      static_cast<std::int32_t>(std::min<std::int64_t>(int32_max, std::int64_t{days} + epoch_days)));
  // Year 0 is 1 BC.
  const std::int32_t year = d.year > 0 ? d.year : 1 - d.year;
  return fmt::format("{:04}-{:02}-{:02}{}", year, d.month, d.day, d.year > 0 ? "" : " BC");
}

std::string timestamp_text(std::int64_t micros, bool is_instant) {
  if (micros == int64_max || micros == int64_min) {
    return micros == int64_max ? "infinity" : "-infinity";
  }
  constexpr std::int64_t micros_per_day = seconds_per_day * 1'000'000;
  const floor_parts parts = floor_divide(micros, micros_per_day);
  std::string date = date_text(static_cast<std::int32_t>(parts.quotient));
  const bool before_christ = date.ends_with(" BC");
  if (before_christ) {
    date.resize(date.size() - 3);
  }
  const unsigned digits = parts.remainder % 1'000'000 == 0 ? 0 : 6;
  return fmt::format("{} {}{}{}", date,
                     sluice::text_of(write_iso_time, parts.remainder, time_unit::micro, digits),
                     is_instant ? "+00" : "", before_christ ? " BC" : "");
}

std::string field_decoder::text_of(std::size_t column, std::string_view bytes) const {
  const column_type& c = columns_[column];
  const std::size_t fixed = fixed_bytes(c.form);
  if (fixed == 0 || fixed == bytes.size()) {
    switch (c.form) {
      case wire_form::boolean:
        return bytes[0] != 0 ? "true" : "false";
      case wire_form::int2:
        return fmt::to_string(signed_at<std::int16_t>(bytes));
      case wire_form::int4:
        return fmt::to_string(signed_at<std::int32_t>(bytes));
      case wire_form::int8:
        return fmt::to_string(signed_at<std::int64_t>(bytes));
      case wire_form::oid:
        return fmt::to_string(read_big<std::uint32_t>(bytes.data()));
      case wire_form::float4:
        return sluice::text_of(write_float32, std::bit_cast<float>(read_big<std::uint32_t>(bytes.data())));
      case wire_form::float8:
        return sluice::text_of(write_float64, std::bit_cast<double>(read_big<std::uint64_t>(bytes.data())));
      case wire_form::money:
        return sluice::text_of(write_decimal, static_cast<int128>(signed_at<std::int64_t>(bytes)),
                               unsigned{c.type.scale});
      case wire_form::numeric: {
        std::string text;
        append_numeric_text(bytes, text);
        return text;
      }
      case wire_form::date:
        return date_text(signed_at<std::int32_t>(bytes));
      case wire_form::time:
        return sluice::text_of(write_iso_time, signed_at<std::int64_t>(bytes), time_unit::micro, 6U);
      case wire_form::timestamp:
        return timestamp_text(signed_at<std::int64_t>(bytes), c.type.id == type_id::instant);
      case wire_form::uuid: {
        std::string text(uuid_chars, '\0');
        write_uuid(bytes, text.data());
        return text;
      }
      case wire_form::jsonb:
      case wire_form::text:
      case wire_form::as_text: {
        const std::string_view text = c.form == wire_form::jsonb && !bytes.empty() ? bytes.substr(1) : bytes;
        if (is_utf8(text)) {
          return std::string(text);
        }
        break;
      }
      case wire_form::bytes:
        break;
    }
  }
  std::string hex = "\\x";  // as bytea_output has it
  for (const char b : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(b));
  }
  return hex;
}

}  // namespace sluice::postgresql
