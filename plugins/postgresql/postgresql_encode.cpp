#include "plugins/postgresql/postgresql_encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_decode.h"
#include "transport/base/text.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/own_columns.h"
#include "transport/record/row_block.h"
#include "transport/record/utf8.h"

namespace sluice::postgresql {
namespace {

constexpr std::string_view date_beyond = "the date is outside of 4713 BC to 5874897, PostgreSQL's years";
constexpr std::string_view time_beyond = "the time is before 4713 BC, PostgreSQL's first year";

std::byte* put_bytes(std::string_view bytes, std::byte* to) {
  if (!bytes.empty()) {
    std::memcpy(to, bytes.data(), bytes.size());
  }
  return to + bytes.size();
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
  for (const column_type& c : kinds) {
    fields_bytes_max_ += field_bytes_max(c.form);
  }
  std::size_t kind = 0;
  for (const field& f : columns) {
    const std::size_t stands_for = f.own == nullptr ? 1 : f.own->columns.size();
    plans_.push_back({kinds[kind], f.type, f.own != nullptr, static_cast<std::uint32_t>(kind),
                      static_cast<std::uint32_t>(stands_for)});
    kind += stands_for;
  }
}

void row_encoder::begin(send_buffer& to) const {
  if (form_ == copy_form::binary) {
    to.append(copy_signature);
  }
}

void row_encoder::end(send_buffer& to) const {
  if (form_ == copy_form::binary) {
    to.append(copy_trailer);
  }
}

bool row_encoder::refuse(std::size_t at, dirty_code code, std::string message) {
  problem_ = {at, sluice::to_string(code), std::move(message)};
  return false;
}

bool row_encoder::append(const batch& b, std::uint32_t row, send_buffer& to,
                         const std::optional<std::int32_t>& number, const std::vector<bool>* wanted) {
  const std::size_t before = to.size();
  changes_.clear();
  if (form_ == copy_form::binary) {
    const auto fields = wanted == nullptr
                            ? fields_
                            : static_cast<std::size_t>(std::count(wanted->begin(), wanted->end(), true));
    to.end_at(write_big(static_cast<std::uint16_t>(fields + (number ? 1 : 0)), to.room(2)));
    if (number) {
      std::byte* const at = to.room(field_length_bytes + sizeof(std::uint32_t));
      to.end_at(write_field(static_cast<std::uint32_t>(*number), at));
    }
  } else if (number) {
    put_written(to, write_int64, std::int64_t{*number});
  }
  bool is_first = !number;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const column& from = b.columns[i];
    bool fits = true;
    if (wanted != nullptr && plans_[i].own) {
      fits = append_own(plans_[i], from.get_bytes(row), *wanted, i, to);
    } else if (wanted != nullptr && !(*wanted)[plans_[i].table_column]) {
      continue;
    } else if (form_ == copy_form::binary) {
      fits = append_binary(plans_[i], from, row, i, to);
    } else {
      if (!is_first) {
        to.append("\t");
      }
      is_first = false;
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

bool row_encoder::append_own(const column_plan& plan, std::string_view fields,
                             const std::vector<bool>& wanted, std::size_t at, send_buffer& to) {
  for (std::uint32_t i = 0; i < plan.table_columns; ++i) {
    std::size_t bytes = field_length_bytes;
    if (fields.size() >= bytes) {
      const auto length = static_cast<std::int32_t>(read_big<std::uint32_t>(fields.data()));
      bytes += static_cast<std::size_t>(std::max(length, 0));
    }
    if (fields.size() < bytes) {
      return refuse(at, dirty_code::wrong_type, "a row of the source's own bytes ends too early");
    }
    if (wanted[plan.table_column + i]) {
      to.append(fields.substr(0, bytes));
    }
    fields.remove_prefix(bytes);
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
  if (const std::string_view why = what_is_guessed(text, plan.kind.times); !why.empty()) {
    refuse(at, dirty_code::not_representable, fmt::format("{}: {}", in_quotes(text), why));
    return std::nullopt;
  }
  if (plan.kind.number_max != 0) {
    const auto number = parse_uint64(text);
    if (!number || number.value > plan.kind.number_max) {
      refuse(at, dirty_code::out_of_range,
             fmt::format("{} is not a number from 0 to {}, and PostgreSQL would make one of it",
                         in_quotes(text), plan.kind.number_max));
      return std::nullopt;
    }
  }
  if (loses_blanks(plan.kind, text)) {
    refuse(
        at, dirty_code::not_representable,
        fmt::format("{} ends with a blank, which the column's character({}) does not tell from those that it "
                    "is filled up with; use varchar, or trim the value",
                    in_quotes(text), plan.kind.padded));
    return std::nullopt;
  }
  return text;
}

bool row_encoder::append_binary(const column_plan& plan, const column& from, std::uint32_t row,
                                std::size_t at, send_buffer& to) {
  const std::size_t text_bytes =
      has_offsets(plan.own ? type_id::binary : plan.type.id) ? from.get_bytes(row).size() : 0;
  std::byte* end = to.room(field_bytes_max(plan.kind.form) + text_bytes + row_block::slack);
  if (put_column(plan, from, row, 1, &end)) {
    to.end_at(end);
    return true;
  }
  switch (plan.kind.form) {
    case wire_form::numeric: {
      std::string unused;
      const std::string_view text = from.get_bytes(row);
      return refuse(at, append_numeric(text, plan.kind.limits, unused),
                    fmt::format("{} does not fit the column's numeric", in_quotes(text)));
    }
    case wire_form::money:
      return refuse(at, dirty_code::out_of_range, "the amount is beyond PostgreSQL's money");
    case wire_form::date:
      return refuse(at, dirty_code::out_of_range, std::string(date_beyond));
    case wire_form::timestamp:
      return refuse(at, dirty_code::out_of_range, std::string(time_beyond));
    case wire_form::uuid:
      return refuse(at, dirty_code::not_representable,
                    fmt::format("{} is no UUID of the form 01234567-89ab-cdef-0123-456789abcdef",
                                in_quotes(from.get_bytes(row))));
    case wire_form::jsonb:
    case wire_form::text:
    case wire_form::as_text: {
      if (from.is_null(row)) {
        to.end_at(write_big(null_field, to.room(field_length_bytes)));
        return true;
      }
      if (!has_offsets(plan.type.id)) {  // a time of a server that has another binary form for it
        text_.resize(0);
        if (!append_text(plan, from, row, at, text_)) {
          return false;
        }
        to.end_at(write_big(static_cast<std::uint32_t>(text_.size()), to.room(field_length_bytes)));
        to.append(text_.view());
        return true;
      }
      const auto text = text_to_send(plan, from.get_bytes(row), row, at);
      if (!text) {
        return false;
      }
      const bool is_jsonb = plan.kind.form == wire_form::jsonb;
      std::byte* to_at = to.room(field_length_bytes + 1 + text->size());
      to_at = write_big(static_cast<std::uint32_t>(text->size() + (is_jsonb ? 1 : 0)), to_at);
      if (is_jsonb) {
        *to_at++ = std::byte{jsonb_version};
      }
      to.end_at(put_bytes(*text, to_at));
      return true;
    }
    default:
      return refuse(at, dirty_code::wrong_type, "a type that the plugin does not write");
  }
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
        return refuse(at, days.code, std::string(date_beyond));
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
        return refuse(at, micros.code, std::string(time_beyond));
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
