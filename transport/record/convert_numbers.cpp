#include <cmath>
#include <limits>

#include "transport/record/convert_steps.h"
#include "transport/record/format.h"

namespace sluice::convert {
namespace {

using made = std::unique_ptr<const column_converter>;

/// Smallest and largest value of an integer column of so many bits.
struct integer_range {
  int128 least;
  int128 most;
};
integer_range range_of(const data_type& type) {
  const unsigned bits = type.integer_bits == 0 ? 64 : type.integer_bits;
  const int128 one = 1;
  if (type.id == type_id::uint64) {
    return {0, (one << bits) - 1};
  }
  return {-(one << (bits - 1)), (one << (bits - 1)) - 1};
}

/// Appends a whole number to an integer column.
struct integer_target {
  explicit integer_target(const data_type& type)
      : range(range_of(type)), is_signed(type.id == type_id::int64) {}
  integer_range range;
  bool is_signed;

  dirty_code operator()(int128 value, column_builder& out) const {
    if (value < range.least || value > range.most) {
      return dirty_code::out_of_range;
    }
    if (is_signed) {
      out.append(static_cast<std::int64_t>(value));
    } else {
      out.append(static_cast<std::uint64_t>(value));
    }
    return dirty_code::none;
  }
};

char* write_integer(std::int64_t value, char* to) {
  return write_int64(value, to);
}
char* write_integer(std::uint64_t value, char* to) {
  return write_uint64(value, to);
}

/// Appends the text of a number, made by `write(value, room)`, to a utf8 or decimal_text column.
template <class Get, class Write>
made number_to_text(const field& from, const field& to, Get get, Write write) {
  if (to.type.id == type_id::utf8) {
    return by_step(from, to,
                   [get, write, length_max = to.type.length_max](const column& c, std::uint32_t row,
                                                                 column_builder& out) {
                     char room[value_chars_max];
                     const char* const end = write(get(c, row), room);
                     return append_ascii({room, static_cast<std::size_t>(end - room)}, length_max, out);
                   });
  }
  return by_step(from, to,
                 [get, write, type = to.type](const column& c, std::uint32_t row, column_builder& out) {
                   char room[value_chars_max];
                   const char* const end = write(get(c, row), room);
                   const std::string_view text(room, static_cast<std::size_t>(end - room));
                   if (type.precision != 0) {
                     if (const dirty_code code = check_decimal_text(type, split_number(text).value);
                         code != dirty_code::none) {
                       return code;
                     }
                   }
                   out.append_bytes(text);
                   return dirty_code::none;
                 });
}

char* write_float(double value, char* to) {
  return write_float64(value, to);
}
char* write_float(float value, char* to) {
  return write_float32(value, to);
}

/// Whether a whole floating-point number and its shortest digits are the same number. Up to 2^53 (2^24) they
/// always are; beyond, 2^62 would be written as 4611686018427388000, so that neither of the two is exact.
template <class Float>
bool is_plain_whole(Float value, int128 exact) {
  constexpr auto always = static_cast<Float>(std::int64_t{1} << std::numeric_limits<Float>::digits);
  if (std::abs(value) <= always) {
    return true;
  }
  char room[value_chars_max];
  const char* const end = write_float(value, room);
  const parsed<int128> shortest = parse_decimal({room, static_cast<std::size_t>(end - room)}, 38, 0);
  return shortest && shortest.value == exact;
}

template <class Float, class Integer>
dirty_code append_float(Integer value, column_builder& out) {
  const auto number = static_cast<Float>(value);
  // The nearest number of a large one may be 2^63 or 2^64, which fits an int128 but not the type it came
  // from.
  if (static_cast<int128>(number) != static_cast<int128>(value) || !is_plain_whole(number, value)) {
    return dirty_code::not_exact;
  }
  out.append(number);
  return dirty_code::none;
}

/// From boolean (as int64), int64 and uint64.
template <class Get>
made from_integer(const field& from, const field& to, Get get) {
  switch (to.type.id) {
    case type_id::boolean:
      return by_step(from, to, [get](const column& c, std::uint32_t row, column_builder& out) {
        const auto value = get(c, row);
        if (value != 0 && value != 1) {
          return dirty_code::not_a_boolean;
        }
        out.append_bool(value == 1);
        return dirty_code::none;
      });
    case type_id::int64:
    case type_id::uint64:
      return by_step(
          from, to,
          [get, target = integer_target(to.type)](const column& c, std::uint32_t row, column_builder& out) {
            return target(get(c, row), out);
          });
    case type_id::float32:
      return by_step(from, to, [get](const column& c, std::uint32_t row, column_builder& out) {
        return append_float<float>(get(c, row), out);
      });
    case type_id::float64:
      return by_step(from, to, [get](const column& c, std::uint32_t row, column_builder& out) {
        return append_float<double>(get(c, row), out);
      });
    case type_id::decimal: {
      const int128 limit = power_of_ten(to.type.precision - to.type.scale);
      return by_step(from, to,
                     [get, limit, unit = power_of_ten(to.type.scale)](const column& c, std::uint32_t row,
                                                                      column_builder& out) {
                       const int128 value = get(c, row);
                       if (value >= limit || value <= -limit) {
                         return dirty_code::out_of_range;
                       }
                       out.append<int128>(value * unit);
                       return dirty_code::none;
                     });
    }
    case type_id::decimal_text:
    case type_id::utf8:
      return number_to_text(from, to, get, [](auto value, char* room) { return write_integer(value, room); });
    default:
      return nullptr;
  }
}

template <class Float>
made from_float(const field& from, const field& to) {
  const auto get = [](const column& c, std::uint32_t row) { return c.get<Float>(row); };
  const auto write = [](Float value, char* room) { return write_float(value, room); };
  switch (to.type.id) {
    case type_id::int64:
    case type_id::uint64:
      return by_step(
          from, to,
          [target = integer_target(to.type)](const column& c, std::uint32_t row, column_builder& out) {
            const auto value = c.get<Float>(row);
            if (!std::isfinite(value)) {
              return dirty_code::not_finite;
            }
            if (std::abs(value) >= Float{0x1p65F}) {
              return dirty_code::out_of_range;
            }
            if (std::trunc(value) != value) {
              return dirty_code::has_fraction;
            }
            const auto exact = static_cast<int128>(value);
            return is_plain_whole(value, exact) ? target(exact, out) : dirty_code::not_exact;
          });
    case type_id::float32:
      return by_step(from, to, [](const column& c, std::uint32_t row, column_builder& out) {
        const auto value = c.get<Float>(row);
        if (std::isfinite(value) && std::abs(value) > Float{std::numeric_limits<float>::max()}) {
          return dirty_code::out_of_range;
        }
        const auto narrow = static_cast<float>(value);
        if (static_cast<Float>(narrow) != value && !std::isnan(value)) {
          return dirty_code::not_exact;
        }
        out.append(narrow);
        return dirty_code::none;
      });
    case type_id::float64:
      return by_step(from, to, [](const column& c, std::uint32_t row, column_builder& out) {
        out.append(static_cast<double>(c.get<Float>(row)));
        return dirty_code::none;
      });
    case type_id::decimal:
      return by_step(
          from, to, [write, type = to.type](const column& c, std::uint32_t row, column_builder& out) {
            char room[value_chars_max];
            const char* const end = write(c.get<Float>(row), room);
            const auto value =
                parse_decimal({room, static_cast<std::size_t>(end - room)}, type.precision, type.scale);
            if (value) {
              out.append(value.value);
            }
            return value.code;
          });
    case type_id::decimal_text:
    case type_id::utf8:
      return number_to_text(from, to, get, write);
    default:
      return nullptr;
  }
}

made from_decimal(const field& from, const field& to) {
  const unsigned scale = from.type.scale;
  const auto get = [](const column& c, std::uint32_t row) { return c.get<int128>(row); };
  const auto write = [scale](int128 value, char* room) { return write_decimal(value, scale, room); };
  switch (to.type.id) {
    case type_id::int64:
    case type_id::uint64:
      return by_step(from, to,
                     [unit = power_of_ten(scale), target = integer_target(to.type)](
                         const column& c, std::uint32_t row, column_builder& out) {
                       const auto value = c.get<int128>(row);
                       return value % unit != 0 ? dirty_code::has_fraction : target(value / unit, out);
                     });
    case type_id::float32:
    case type_id::float64:
      return by_step(from, to,
                     [write, is_double = to.type.id == type_id::float64](const column& c, std::uint32_t row,
                                                                         column_builder& out) {
                       char room[value_chars_max];
                       const char* const end = write(c.get<int128>(row), room);
                       const std::string_view text(room, static_cast<std::size_t>(end - room));
                       if (is_double) {
                         const auto value = parse_float64_exact(text);
                         if (value) {
                           out.append(value.value);
                         }
                         return value.code;
                       }
                       const auto value = parse_float32_exact(text);
                       if (value) {
                         out.append(value.value);
                       }
                       return value.code;
                     });
    case type_id::decimal: {
      const bool up = to.type.scale >= scale;
      const int128 step = power_of_ten(up ? to.type.scale - scale : scale - to.type.scale);
      const int128 limit = power_of_ten(to.type.precision);
      return by_step(from, to, [up, step, limit](const column& c, std::uint32_t row, column_builder& out) {
        const auto value = c.get<int128>(row);
        if (!up && value % step != 0) {
          return dirty_code::too_precise;
        }
        // Compared before it is multiplied, so that nothing overflows.
        const int128 largest = up ? (limit - 1) / step : limit - 1;
        const int128 scaled = up ? value : value / step;
        if (scaled > largest || scaled < -largest) {
          return dirty_code::out_of_range;
        }
        out.append<int128>(up ? value * step : scaled);
        return dirty_code::none;
      });
    }
    case type_id::decimal_text:
    case type_id::utf8:
      return number_to_text(from, to, get, write);
    default:
      return nullptr;
  }
}

}  // namespace

dirty_code check_decimal_text(const data_type& type, const number_parts& number) {
  if (type.precision == 0) {
    return dirty_code::none;
  }
  if (number.what != number_parts::form::finite) {
    return dirty_code::not_finite;
  }
  if (number.digits() != 0 && number.point > std::int64_t{type.precision} - std::int64_t{type.scale}) {
    return dirty_code::out_of_range;
  }
  return static_cast<std::int64_t>(number.digits()) - number.point > std::int64_t{type.scale}
             ? dirty_code::too_precise
             : dirty_code::none;
}

made make_number_converter(const field& from, const field& to) {
  switch (from.type.id) {
    case type_id::boolean:
      return from_integer(from, to,
                          [](const column& c, std::uint32_t row) { return std::int64_t{c.get_bool(row)}; });
    case type_id::int64:
      return from_integer(from, to,
                          [](const column& c, std::uint32_t row) { return c.get<std::int64_t>(row); });
    case type_id::uint64:
      return from_integer(from, to,
                          [](const column& c, std::uint32_t row) { return c.get<std::uint64_t>(row); });
    case type_id::float32:
      return from_float<float>(from, to);
    case type_id::float64:
      return from_float<double>(from, to);
    case type_id::decimal:
      return from_decimal(from, to);
    default:
      return nullptr;
  }
}

}  // namespace sluice::convert
