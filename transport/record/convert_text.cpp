#include "transport/record/convert_steps.h"
#include "transport/record/utf8.h"

namespace sluice::convert {
namespace {

using made = std::unique_ptr<const column_converter>;

/// Whether text or bytes are within the limits of a utf8 or binary column.
struct text_limits {
  explicit text_limits(const data_type& type)
      : length_max(type.length_max),
        unit(type.id == type_id::binary ? length_in::bytes : type.length_unit),
        characters(type.id == type_id::binary ? charset::unicode : type.characters) {}
  std::uint64_t length_max;
  length_in unit;
  charset characters;

  [[nodiscard]] dirty_code check(std::string_view text) const {
    // No unit counts more than the bytes are.
    if (length_max != 0 && text.size() > length_max && text_length(text, unit) > length_max) {
      return dirty_code::too_long;
    }
    return is_in_charset(text, characters) ? dirty_code::none : dirty_code::not_in_charset;
  }
};

made copy_within(const field& from, const field& to) {
  return by_copy(from, to, [limits = text_limits(to.type)](const column& c, std::uint32_t row) {
    return limits.check(c.get_bytes(row));
  });
}

made boolean_to_words(const field& from, const field& to) {
  return by_step(from, to,
                 [length_max = to.type.length_max](const column& c, std::uint32_t row, column_builder& out) {
                   return append_ascii(c.get_bool(row) ? "true" : "false", length_max, out);
                 });
}

made binary_to_utf8(const field& from, const field& to) {
  return by_copy(from, to, [limits = text_limits(to.type)](const column& c, std::uint32_t row) {
    const std::string_view bytes = c.get_bytes(row);
    return is_utf8(bytes) ? limits.check(bytes) : dirty_code::invalid_utf8;
  });
}

template <class Integer>
made to_integer(const field& from, const field& to, bool empty_as_null,
                parsed<Integer> (*parse)(std::string_view)) {
  const unsigned unused_bits = to.type.integer_bits == 0 ? 0 : 64 - to.type.integer_bits;
  return by_text(from, to, empty_as_null, [parse, unused_bits](std::string_view text) {
    parsed<Integer> value = parse(text);
    // Shifted out and in again, a number that needs more bits comes back as another one.
    if (value && unused_bits != 0 &&
        static_cast<Integer>(static_cast<Integer>(static_cast<std::uint64_t>(value.value) << unused_bits) >>
                             unused_bits) != value.value) {
      value.code = dirty_code::out_of_range;
    }
    return value;
  });
}

/// Most numbers are small, and go from the text to the column without a 128-bit number in memory between.
made to_decimal(const field& from, const field& to, bool empty_as_null) {
  const bool to_null = empty_as_null && from.type.id == type_id::utf8;
  return by_step(from, to,
                 [to_null, nullable = to.nullable, type = to.type](const column& c, std::uint32_t row,
                                                                   column_builder& out) {
                   const std::string_view text = c.get_bytes(row);
                   if (std::int64_t small = 0; parse_small_decimal(text, type.precision, type.scale, small)) {
                     out.append(int128{small});
                     return dirty_code::none;
                   }
                   if (to_null && text.empty()) {
                     if (!nullable) {
                       return dirty_code::null_not_allowed;
                     }
                     out.append_null();
                     return dirty_code::none;
                   }
                   const parsed<int128> value = parse_decimal(text, type.precision, type.scale);
                   if (value) {
                     out.append(value.value);
                   }
                   return value.code;
                 });
}

made to_decimal_text(const field& from, const field& to, bool empty_as_null) {
  const bool to_null = empty_as_null && from.type.id == type_id::utf8;
  return by_step(from, to,
                 [to_null, nullable = to.nullable, type = to.type](const column& c, std::uint32_t row,
                                                                   column_builder& out) {
                   const std::string_view text = c.get_bytes(row);
                   if (to_null && text.empty()) {
                     if (!nullable) {
                       return dirty_code::null_not_allowed;
                     }
                     out.append_null();
                     return dirty_code::none;
                   }
                   std::string scratch;
                   const parsed<std::string_view> number = parse_decimal_text(text, scratch);
                   if (!number) {
                     return number.code;
                   }
                   if (type.precision != 0) {
                     if (const dirty_code code = check_decimal_text(type, split_number(number.value).value);
                         code != dirty_code::none) {
                       return code;
                     }
                   }
                   out.append_bytes(number.value);
                   return dirty_code::none;
                 });
}

/// From utf8 and decimal_text, which are read alike.
made from_text(const field& from, const field& to, bool empty_as_null) {
  switch (to.type.id) {
    case type_id::boolean:
      return by_text(from, to, empty_as_null, parse_bool);
    case type_id::int64:
      return to_integer<std::int64_t>(from, to, empty_as_null, parse_int64);
    case type_id::uint64:
      return to_integer<std::uint64_t>(from, to, empty_as_null, parse_uint64);
    case type_id::float32:
      return by_text(from, to, empty_as_null, parse_float32_exact);
    case type_id::float64:
      return by_text(from, to, empty_as_null, parse_float64_exact);
    case type_id::decimal:
      return to_decimal(from, to, empty_as_null);
    case type_id::decimal_text:
      return to_decimal_text(from, to, empty_as_null);
    case type_id::utf8:
    case type_id::binary:
      return copy_within(from, to);
    default:
      return nullptr;
  }
}

}  // namespace

made make_text_converter(const field& from, const field& to, bool empty_as_null) {
  switch (from.type.id) {
    case type_id::utf8:
    case type_id::decimal_text:
      return from_text(from, to, empty_as_null);
    case type_id::binary:
      return to.type.id == type_id::utf8 ? binary_to_utf8(from, to) : copy_within(from, to);
    case type_id::boolean:
      return to.type.id == type_id::utf8 ? boolean_to_words(from, to) : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace sluice::convert
