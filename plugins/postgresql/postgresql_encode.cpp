#include "plugins/postgresql/postgresql_encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_decode.h"
#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/own_columns.h"
#include "transport/record/utf8.h"

namespace sluice::postgresql {
namespace {

constexpr std::string_view binary_begin("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view binary_end("\377\377", 2);
constexpr std::uint32_t null_length = 0xFFFFFFFF;
constexpr std::size_t length_bytes = 4;
constexpr char jsonb_version = 1;
constexpr std::size_t uuid_bytes = 16;

std::byte* put_bytes(std::string_view bytes, std::byte* to) {
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to + bytes.size();
}

template <std::unsigned_integral T>
void put_number(T v, send_buffer& to) {
  std::byte* at = to.room(length_bytes + sizeof v);
  at = write_big(std::uint32_t{sizeof v}, at);
  to.end_at(write_big(v, at));
}

void put_field(std::string_view bytes, send_buffer& to) {
  std::byte* at = to.room(length_bytes + bytes.size());
  at = write_big(static_cast<std::uint32_t>(bytes.size()), at);
  to.end_at(put_bytes(bytes, at));
}

int hex_value(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/// `01234567-89ab-cdef-0123-456789abcdef` in any case, the form that reads back.
bool read_uuid(std::string_view text, std::array<char, uuid_bytes>& to) {
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
    to[n++] = static_cast<char>(high << 4 | low);
    i += 2;
  }
  return true;
}

/// Significant digits behind the last point of a text that ends in a time.
std::size_t fraction_digits_in(std::string_view text) {
  std::size_t most = 0;
  for (std::size_t at = text.find('.'); at != std::string_view::npos; at = text.find('.', at + 1)) {
    std::size_t digits = 0;
    for (std::size_t i = at + 1; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
      digits = text[i] == '0' ? digits : i - at;
    }
    most = std::max(most, digits);
  }
  return most;
}

/// A day or a microsecond of ours since 2000, or why the server has none.
parsed<std::int32_t> server_date(std::int32_t days) {
  if (days == date_infinity || days == date_minus_infinity) {
    return {days};
  }
  const std::int64_t since_2000 = std::int64_t{days} - epoch_days;
  if (since_2000 < date_least || since_2000 >= date_end) {
    return refuse(dirty_code::out_of_range);
  }
  return {static_cast<std::int32_t>(since_2000)};
}
parsed<std::int64_t> server_timestamp(std::int64_t micros) {
  if (micros == time_infinity || micros == time_minus_infinity) {
    return {micros};
  }
  if (micros < timestamp_least + epoch_micros) {
    return refuse(dirty_code::out_of_range);
  }
  return {micros - epoch_micros};
}

/// The text form of COPY: what would end a field or a row, and what stands for such, is escaped.
void put_escaped(std::string_view text, send_buffer& to) {
  std::byte* at = to.room(2 * text.size());
  for (const char c : text) {
    char letter = 0;
    switch (c) {
      case '\\':
        letter = '\\';
        break;
      case '\t':
        letter = 't';
        break;
      case '\n':
        letter = 'n';
        break;
      case '\r':
        letter = 'r';
        break;
      default:
        *at++ = static_cast<std::byte>(c);
        continue;
    }
    *at++ = static_cast<std::byte>('\\');
    *at++ = static_cast<std::byte>(letter);
  }
  to.end_at(at);
}

void put_hex(std::string_view bytes, send_buffer& to) {
  constexpr std::string_view hex = "0123456789abcdef";
  constexpr std::string_view prefix = "\\\\x";  // the backslash of bytea's hex form, escaped for COPY
  std::byte* at = put_bytes(prefix, to.room(prefix.size() + 2 * bytes.size()));
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    *at++ = static_cast<std::byte>(hex[b >> 4]);
    *at++ = static_cast<std::byte>(hex[b & 15]);
  }
  to.end_at(at);
}

template <class Write, class... Args>
void put_written(send_buffer& to, Write write, Args... args) {
  char* at = reinterpret_cast<char*>(to.room(value_chars_max));
  to.end_at(reinterpret_cast<const std::byte*>(write(args..., at)));
}

}  // namespace

void send_buffer::grow(std::size_t bytes) {
  constexpr std::size_t least = std::size_t{64} << 10;
  const std::size_t wanted = std::max({least, capacity_ * 2, size_ + bytes});
  std::unique_ptr<std::byte[]> wider(new std::byte[wanted]);
  if (size_ != 0) {
    std::memcpy(wider.get(), data_.get(), size_);
  }
  data_ = std::move(wider);
  capacity_ = wanted;
}

void send_buffer::append(std::string_view bytes) {
  end_at(put_bytes(bytes, room(bytes.size())));
}

copy_form form_for(const std::vector<column_type>& columns) {
  return std::any_of(columns.begin(), columns.end(),
                     [](const column_type& c) { return c.form == wire_form::as_text; })
             ? copy_form::text
             : copy_form::binary;
}

row_encoder::row_encoder(const schema& columns, std::vector<column_type> kinds, copy_form form,
                         relational::text_rule nul)
    : fields_(kinds.size()), form_(form), nul_(nul) {
  std::size_t kind = 0;
  for (const field& f : columns) {
    plans_.push_back({kinds[kind], f.type, f.own != nullptr, static_cast<std::uint32_t>(kind)});
    kind += f.own == nullptr ? 1 : f.own->columns.size();
  }
}

void row_encoder::begin(send_buffer& to) const {
  if (form_ == copy_form::binary) {
    to.append(binary_begin);
  }
}

void row_encoder::end(send_buffer& to) const {
  if (form_ == copy_form::binary) {
    to.append(binary_end);
  }
}

bool row_encoder::refuse(std::size_t at, dirty_code code, std::string message) {
  problem_ = {at, sluice::to_string(code), std::move(message)};
  return false;
}

bool row_encoder::append(const batch& b, std::uint32_t row, send_buffer& to,
                         const std::optional<std::int32_t>& number) {
  const std::size_t before = to.size();
  changes_.clear();
  if (form_ == copy_form::binary) {
    to.end_at(write_big(static_cast<std::uint16_t>(fields_ + (number ? 1 : 0)), to.room(2)));
    if (number) {
      put_number(static_cast<std::uint32_t>(*number), to);
    }
  } else if (number) {
    put_written(to, write_int64, std::int64_t{*number});
    to.append("\t");
  }
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const column& from = b.columns[i];
    bool fits = true;
    if (form_ == copy_form::binary) {
      if (plans_[i].own) {
        to.append(from.get_bytes(row));
      } else if (from.is_null(row)) {
        to.end_at(write_big(null_length, to.room(length_bytes)));
      } else {
        fits = append_binary(plans_[i], from, row, i, to);
      }
    } else {
      if (i != 0) {
        to.append("\t");
      }
      if (from.is_null(row)) {
        to.append("\\N");
      } else {
        fits = append_text(plans_[i], from, row, i, to);
      }
    }
    if (!fits) {
      to.resize(before);
      return false;
    }
  }
  if (form_ == copy_form::text) {
    to.append("\n");
  }
  return true;
}

std::optional<std::string_view> row_encoder::text_to_send(const column_plan& plan, std::string_view text,
                                                          std::uint32_t row, std::size_t at) {
  if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
    const auto changed = relational::mend_nul(text, nul_, scratch_);
    if (!changed) {
      refuse(
          at, dirty_code::not_in_charset,
          "the text holds a NUL character, which no text of PostgreSQL can; \"nulCharacter\" leaves it out "
          "or replaces it");
      return std::nullopt;
    }
    changes_.push_back({row, plan.table_column, *changed});
    text = scratch_;
  }
  if (plan.kind.fraction_digits >= 0 &&
      fraction_digits_in(text) > static_cast<std::size_t>(plan.kind.fraction_digits)) {
    refuse(at, dirty_code::too_precise,
           fmt::format("{} has more digits behind the point than the column's {}, PostgreSQL would round it",
                       in_quotes(text), plan.kind.fraction_digits));
    return std::nullopt;
  }
  if (plan.kind.needs_offset && text.find_last_of("+-Zz") == std::string_view::npos) {
    refuse(at, dirty_code::not_representable,
           fmt::format("{} has no offset, and PostgreSQL would add that of its session's time zone; "
                       "write one behind it, such as +01:00",
                       in_quotes(text)));
    return std::nullopt;
  }
  if (plan.kind.padded != 0 && text.ends_with(' ') &&
      text_length(text, length_in::characters) < static_cast<std::uint64_t>(plan.kind.padded)) {
    refuse(
        at, dirty_code::not_representable,
        fmt::format("{} ends with a blank, which the column's character({}) does not tell from those that it "
                    "is filled up with; use varchar, or trim the value",
                    in_quotes(text), plan.kind.padded));
    return std::nullopt;
  }
  return text;
}

bool row_encoder::append_number(const column_plan& plan, const column& from, std::uint32_t row,
                                std::size_t at, send_buffer& to) {
  if (plan.type.id == type_id::decimal) {
    std::byte* begin = to.room(length_bytes + numeric_bytes_max);
    const std::byte* end = write_numeric(from.get<int128>(row), plan.type.scale, begin + length_bytes);
    write_big(static_cast<std::uint32_t>(end - begin) - std::uint32_t{length_bytes}, begin);
    to.end_at(end);
    return true;
  }
  scratch_.clear();
  const std::string_view text = from.get_bytes(row);
  if (const dirty_code code = append_numeric(text, plan.kind.limits, scratch_); code != dirty_code::none) {
    return refuse(at, code, fmt::format("{} does not fit the column's numeric", in_quotes(text)));
  }
  put_field(scratch_, to);
  return true;
}

bool row_encoder::append_binary(const column_plan& plan, const column& from, std::uint32_t row,
                                std::size_t at, send_buffer& to) {
  switch (plan.kind.form) {
    case wire_form::boolean:
      put_number(static_cast<std::uint8_t>(from.get_bool(row)), to);
      return true;
    case wire_form::int2:  // the converter has seen to the range of these
      put_number(static_cast<std::uint16_t>(from.get<std::int64_t>(row)), to);
      return true;
    case wire_form::int4:
      put_number(static_cast<std::uint32_t>(from.get<std::int64_t>(row)), to);
      return true;
    case wire_form::int8:
      put_number(static_cast<std::uint64_t>(from.get<std::int64_t>(row)), to);
      return true;
    case wire_form::oid:
      put_number(static_cast<std::uint32_t>(from.get<std::uint64_t>(row)), to);
      return true;
    case wire_form::float4:
      put_number(std::bit_cast<std::uint32_t>(from.get<float>(row)), to);
      return true;
    case wire_form::float8:
      put_number(std::bit_cast<std::uint64_t>(from.get<double>(row)), to);
      return true;
    case wire_form::numeric:
      return append_number(plan, from, row, at, to);
    case wire_form::money: {
      const auto v = from.get<int128>(row);
      if (v != static_cast<std::int64_t>(v)) {
        return refuse(at, dirty_code::out_of_range, "the amount is beyond PostgreSQL's money");
      }
      put_number(static_cast<std::uint64_t>(static_cast<std::int64_t>(v)), to);
      return true;
    }
    case wire_form::date: {
      const auto days = server_date(from.get<std::int32_t>(row));
      if (!days) {
        return refuse(at, days.code, "the date is outside of 4713 BC to 5874897, PostgreSQL's years");
      }
      put_number(static_cast<std::uint32_t>(days.value), to);
      return true;
    }
    case wire_form::time:
      put_number(static_cast<std::uint64_t>(from.get<std::int64_t>(row)), to);
      return true;
    case wire_form::timestamp: {
      const auto micros = server_timestamp(from.get<std::int64_t>(row));
      if (!micros) {
        return refuse(at, micros.code, "the time is before 4713 BC, PostgreSQL's first year");
      }
      put_number(static_cast<std::uint64_t>(micros.value), to);
      return true;
    }
    case wire_form::uuid: {
      std::array<char, uuid_bytes> bytes;
      const std::string_view text = from.get_bytes(row);
      if (!read_uuid(text, bytes)) {
        return refuse(
            at, dirty_code::not_representable,
            fmt::format("{} is no UUID of the form 01234567-89ab-cdef-0123-456789abcdef", in_quotes(text)));
      }
      put_field({bytes.data(), bytes.size()}, to);
      return true;
    }
    case wire_form::bytes:
      put_field(from.get_bytes(row), to);
      return true;
    case wire_form::jsonb: {
      const auto text = text_to_send(plan, from.get_bytes(row), row, at);
      if (!text) {
        return false;
      }
      std::byte* to_at = to.room(length_bytes + 1 + text->size());
      to_at = write_big(static_cast<std::uint32_t>(text->size() + 1), to_at);
      *to_at++ = static_cast<std::byte>(jsonb_version);
      to.end_at(put_bytes(*text, to_at));
      return true;
    }
    case wire_form::text:
    case wire_form::as_text: {
      const auto text = text_to_send(plan, from.get_bytes(row), row, at);
      if (!text) {
        return false;
      }
      put_field(*text, to);
      return true;
    }
  }
  return refuse(at, dirty_code::wrong_type, "a type that the plugin does not write");
}

bool row_encoder::append_text(const column_plan& plan, const column& from, std::uint32_t row, std::size_t at,
                              send_buffer& to) {
  switch (plan.type.id) {
    case type_id::boolean:
      to.append(from.get_bool(row) ? "t" : "f");
      return true;
    case type_id::int64:
      put_written(to, write_int64, from.get<std::int64_t>(row));
      return true;
    case type_id::uint64:
      put_written(to, write_uint64, from.get<std::uint64_t>(row));
      return true;
    case type_id::float32:
      put_written(to, write_float32, from.get<float>(row));
      return true;
    case type_id::float64:
      put_written(to, write_float64, from.get<double>(row));
      return true;
    case type_id::decimal:
      put_written(to, write_decimal, from.get<int128>(row), unsigned{plan.type.scale});
      return true;
    case type_id::decimal_text: {
      scratch_.clear();
      const std::string_view text = from.get_bytes(row);
      if (const dirty_code code = append_numeric(text, plan.kind.limits, scratch_);
          code != dirty_code::none) {
        return refuse(at, code, fmt::format("{} does not fit the column's numeric", in_quotes(text)));
      }
      to.append(text);
      return true;
    }
    case type_id::binary:
      put_hex(from.get_bytes(row), to);
      return true;
    case type_id::date: {
      const auto days = server_date(from.get<std::int32_t>(row));
      if (!days) {
        return refuse(at, days.code, "the date is outside of 4713 BC to 5874897, PostgreSQL's years");
      }
      to.append(date_text(days.value));
      return true;
    }
    case type_id::time_of_day:
      put_written(to, write_iso_time, from.get<std::int64_t>(row), time_unit::micro, 6U);
      return true;
    case type_id::timestamp:
    case type_id::instant: {
      const auto micros = server_timestamp(from.get<std::int64_t>(row));
      if (!micros) {
        return refuse(at, micros.code, "the time is before 4713 BC, PostgreSQL's first year");
      }
      to.append(timestamp_text(micros.value, plan.type.id == type_id::instant));
      return true;
    }
    case type_id::utf8: {
      const auto text = text_to_send(plan, from.get_bytes(row), row, at);
      if (!text) {
        return false;
      }
      put_escaped(*text, to);
      return true;
    }
    case type_id::duration:
      break;
  }
  return refuse(at, dirty_code::wrong_type, "a type that the plugin does not write");
}

}  // namespace sluice::postgresql
