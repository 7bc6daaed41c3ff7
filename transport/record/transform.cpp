#include "transport/record/transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <compare>
#include <optional>

#include "transport/base/text.h"
#include "transport/record/bits.h"
#include "transport/record/calendar.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"
#include "transport/record/regex.h"
#include "transport/record/transform_text.h"

namespace sluice {
namespace {

using made = result<std::unique_ptr<const record_filter>>;

/// Outcomes of comparing a record's value with the filter's: a record is dropped where its bit is in the set.
enum outcome : std::uint8_t { less = 1, equal = 2, greater = 4, unordered = 8 };

struct filter_operator {
  std::string_view text;
  std::uint8_t drops;  ///< Outcomes; for `like` equal means that the text matches.
  bool is_match;
  bool drops_null;  ///< Where the value is not the word null.
};

// NULL is not above, below, equal to or like anything; it differs from everything and matches nothing.
constexpr std::array operators = std::to_array<filter_operator>({
    {"like", equal, true, false},
    {"not like", less | greater, true, true},
    {">", greater, false, false},
    {"<", less, false, false},
    {">=", greater | equal, false, false},
    {"<=", less | equal, false, false},
    {"=", equal, false, false},
    {"==", equal, false, false},
    {"!=", less | greater | unordered, false, true},
});

std::uint8_t bit_of(std::partial_ordering order) {
  if (order == std::partial_ordering::unordered) {
    return unordered;
  }
  return order < 0 ? less : (order > 0 ? greater : equal);
}

/// ASCII letters only, whatever the locale.
std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// `compare(column, row)` orders a value that is not NULL against the filter's.
template <class Compare>
class filter final : public record_filter {
 public:
  filter(std::uint8_t drops, bool drops_null, Compare compare)
      : drops_(drops), drops_null_(drops_null), compare_(std::move(compare)) {}

  void apply(const column& c, std::uint32_t first, std::uint32_t last,
             std::vector<std::uint8_t>& keep) const override {
    for (std::uint32_t row = first; row < last; ++row) {
      const std::uint32_t bit = row - first;
      if (!get_bit(keep.data(), bit)) {
        continue;
      }
      const bool drop = c.is_null(row) ? drops_null_ : (bit_of(compare_(c, row)) & drops_) != 0;
      if (drop) {
        keep[bit / 8] &= static_cast<std::uint8_t>(~(1U << (bit % 8)));
      }
    }
  }

 private:
  std::uint8_t drops_;
  bool drops_null_;
  Compare compare_;
};

/// What the makers below share.
struct filter_request {
  std::uint32_t column_index;
  const filter_operator& op;
  std::string value;
  const field& column_field;
  std::string place;
  time_zone_ptr zone;
  bool drops_null;

  template <class Compare>
  [[nodiscard]] made make(Compare compare) const {
    return std::make_unique<const filter<Compare>>(op.drops, drops_null, std::move(compare));
  }
  [[nodiscard]] tl::unexpected<error> wrong_value(std::string_view expected) const {
    return fail(error_kind::bad_option, "{}: dx_filter compares column {} ({} {}) with {}; give {}.", place,
                column_index, in_quotes(column_field.name), to_string(column_field.type), in_quotes(value),
                expected);
  }
};

/// A number of arbitrary digits as the whole number below it and whether there is more: enough to order it
/// among whole numbers of 64 bits.
struct threshold {
  int128 floor = 0;
  bool has_more = false;

  [[nodiscard]] std::partial_ordering order(int128 v) const {
    if (v != floor) {
      return v < floor ? std::partial_ordering::less : std::partial_ordering::greater;
    }
    return has_more ? std::partial_ordering::less : std::partial_ordering::equivalent;
  }
};

threshold threshold_of(const number_parts& n) {
  constexpr int digits_max = 30;  // beyond every 64-bit number
  if (n.what == number_parts::form::infinity || n.point > digits_max) {
    return {n.negative ? -power_of_ten(digits_max) : power_of_ten(digits_max), false};
  }
  threshold t;
  std::int64_t place = n.point;
  for (const std::string_view part : {n.head, n.tail}) {
    for (const char c : part) {
      if (place-- > 0) {
        t.floor = t.floor * 10 + (c - '0');
      } else {
        t.has_more = true;
      }
    }
  }
  while (place-- > 0) {
    t.floor *= 10;
  }
  if (n.negative) {
    t.floor = -t.floor - (t.has_more ? 1 : 0);
  }
  return t;
}

/// The word null compared with values that are numbers or times: equal to none.
made make_never(const filter_request& r) {
  return r.make([](const column&, std::uint32_t) { return std::partial_ordering::unordered; });
}

/// A number taken apart together with its text, which stays where it is.
struct kept_number {
  explicit kept_number(const std::string& number)
      : text(std::make_shared<const std::string>(number)), parts(split_number(*text).value) {}
  std::shared_ptr<const std::string> text;
  number_parts parts;
};

made make_number_filter(const filter_request& r) {
  const parsed<number_parts> n = split_number(r.value);
  if (!n || n.value.what == number_parts::form::nan) {
    return r.wrong_value("a number");
  }
  switch (r.column_field.type.id) {
    case type_id::int64:
      return r.make([t = threshold_of(n.value)](const column& c, std::uint32_t row) {
        return t.order(c.get<std::int64_t>(row));
      });
    case type_id::uint64:
      return r.make([t = threshold_of(n.value)](const column& c, std::uint32_t row) {
        return t.order(c.get<std::uint64_t>(row));
      });
    case type_id::float32:
    case type_id::float64: {
      const parsed<double> nearest = parse_float64(r.value);
      if (!nearest) {
        return r.wrong_value("a number that a double reaches");
      }
      const bool is_double = r.column_field.type.id == type_id::float64;
      return r.make([v = nearest.value, is_double](const column& c, std::uint32_t row) {
        return (is_double ? c.get<double>(row) : double{c.get<float>(row)}) <=> v;
      });
    }
    case type_id::decimal:
      return r.make([value = kept_number(r.value), scale = r.column_field.type.scale](const column& c,
                                                                                      std::uint32_t row) {
        char room[value_chars_max];
        const char* const end = write_decimal(c.get<int128>(row), scale, room);
        return compare_numbers(split_number({room, static_cast<std::size_t>(end - room)}).value, value.parts);
      });
    default:
      return r.make([value = kept_number(r.value)](const column& c, std::uint32_t row) {
        return compare_numbers(split_number(c.get_bytes(row)).value, value.parts);
      });
  }
}

/// The filter's point in time as nanoseconds since 1970, on the wall clock or UTC as the column is.
std::optional<int128> point_in_time(const filter_request& r) {
  const bool is_instant = r.column_field.type.id == type_id::instant;
  const parsed<std::int64_t> ms = parse_int64(r.value);
  if (ms) {
    if (is_instant) {
      return static_cast<int128>(ms.value) * 1'000'000;
    }
    if (r.zone == nullptr) {
      return std::nullopt;
    }
    const floor_parts parts = floor_divide(ms.value, 1000);
    return (static_cast<int128>(r.zone->to_wall(parts.quotient)) * 1000 + parts.remainder) * 1'000'000;
  }
  const std::string text = r.value.size() == 10 ? r.value + " 00:00:00" : r.value;
  constexpr unsigned digits = 6;
  const parsed<std::int64_t> wall = parse_iso_timestamp(text, time_unit::micro, digits);
  if (!wall || wall.value == time_infinity || wall.value == time_minus_infinity) {
    return std::nullopt;
  }
  if (!is_instant) {
    return static_cast<int128>(wall.value) * 1000;
  }
  if (r.zone == nullptr) {
    return std::nullopt;
  }
  const floor_parts parts = floor_divide(wall.value, 1'000'000);
  const time_zone::wall_answer utc = r.zone->to_utc(parts.quotient);
  if (utc.kind != time_zone::wall_kind::unique) {
    return std::nullopt;
  }
  return (static_cast<int128>(utc.utc_seconds) * 1'000'000 + parts.remainder) * 1000;
}

threshold in_units(int128 nanos, int128 nanos_per_unit) {
  int128 floor = nanos / nanos_per_unit;
  const int128 rest = nanos % nanos_per_unit;
  floor -= rest < 0 ? 1 : 0;
  return {floor, rest != 0};
}

made make_time_filter(const filter_request& r) {
  const data_type& type = r.column_field.type;
  if (type.id == type_id::time_of_day || type.id == type_id::duration) {
    const parsed<std::int64_t> v = type.id == type_id::duration ? parse_duration(r.value, time_unit::nano, 9)
                                                                : parse_iso_time(r.value, time_unit::nano, 9);
    if (!v) {
      return r.wrong_value("a time such as 10:00:00");
    }
    return r.make([t = in_units(v.value, nanos_per_second / units_per_second(type.unit))](
                      const column& c, std::uint32_t row) { return t.order(c.get<std::int64_t>(row)); });
  }
  const std::optional<int128> nanos = point_in_time(r);
  if (!nanos) {
    return r.wrong_value(
        "a date such as 2024-01-31 or 2024-01-31 10:00:00 (existing once in the run's time zone), or "
        "milliseconds since 1970");
  }
  if (type.id == type_id::date) {
    return r.make([t = in_units(*nanos, static_cast<int128>(seconds_per_day) * nanos_per_second)](
                      const column& c, std::uint32_t row) { return t.order(c.get<std::int32_t>(row)); });
  }
  return r.make([t = in_units(*nanos, nanos_per_second / units_per_second(type.unit))](
                    const column& c, std::uint32_t row) { return t.order(c.get<std::int64_t>(row)); });
}

std::partial_ordering order_texts(std::string_view a, std::string_view b) {
  return a.compare(b) <=> 0;
}

made make_text_filter(const filter_request& r) {
  if (r.column_field.type.id == type_id::boolean) {
    return r.make([value = r.value](const column& c, std::uint32_t row) {
      return order_texts(c.get_bool(row) ? "true" : "false", value);
    });
  }
  return r.make(
      [value = r.value](const column& c, std::uint32_t row) { return order_texts(c.get_bytes(row), value); });
}

made make_match_filter(const filter_request& r) {
  const data_type type = r.column_field.type;
  if (type.id == type_id::binary) {
    return fail(error_kind::bad_option,
                "{}: dx_filter cannot match column {} ({}), which is binary; read it as text.", r.place,
                r.column_index, in_quotes(r.column_field.name));
  }
  auto regex = whole_regex::make(r.value);
  if (!regex) {
    return fail(error_kind::bad_option, "{}: {}.", r.place, regex.error().message);
  }
  const auto answer = [](bool matches) {
    return matches ? std::partial_ordering::equivalent : std::partial_ordering::less;
  };
  if (type.id == type_id::utf8 || type.id == type_id::decimal_text) {
    return r.make([regex = *regex, answer](const column& c, std::uint32_t row) {
      return answer(regex.matches(c.get_bytes(row)));
    });
  }
  if (type.id == type_id::timestamp || type.id == type_id::instant) {
    // As people see it: on the wall clock, a space before the time, no empty fraction.
    const time_zone_ptr zone = type.id == type_id::instant ? r.zone : nullptr;
    return r.make([regex = *regex, answer, type, zone](const column& c, std::uint32_t row) {
      const std::int64_t per = units_per_second(type.unit);
      auto value = c.get<std::int64_t>(row);
      if (zone != nullptr && value != time_infinity && value != time_minus_infinity) {
        const floor_parts parts = floor_divide(value, per);
        value = zone->to_wall(parts.quotient) * per + parts.remainder;
      }
      char room[value_chars_max];
      const unsigned digits = value % per == 0 ? 0 : static_cast<unsigned>(type.unit);
      const char* const end = write_iso_timestamp(value, type.unit, digits, ' ', room);
      return answer(regex.matches({room, static_cast<std::size_t>(end - room)}));
    });
  }
  return r.make([regex = *regex, answer, type](const column& c, std::uint32_t row) {
    return answer(regex.matches(value_text(c, type, row).value_or("")));
  });
}

made make_filter(std::uint32_t column_index, const std::vector<std::string>& paras, const std::string& place,
                 const field& column_field, const time_zone_ptr& zone) {
  if (paras.size() != 2 || paras[1].empty()) {
    return fail(error_kind::bad_option,
                "{}: dx_filter has {} paras; give two, an operator and a value that is not empty, such as "
                "[\">\", \"10\"].",
                place, paras.size());
  }
  const std::string name = lower(paras[0]);
  const auto* const op = std::find_if(operators.begin(), operators.end(),
                                      [&name](const filter_operator& o) { return o.text == name; });
  if (op == operators.end()) {
    return fail(error_kind::bad_option,
                "{}: dx_filter has the operator {}; it must be like, not like, >, <, >=, <=, =, == or !=.",
                place, in_quotes(paras[0]));
  }
  std::string value = paras[1];
  const bool is_null_word = lower(value) == "null";
  const bool tests_null = is_null_word && !op->is_match && (op->drops == equal || op->drops_null);
  const bool drops_null = tests_null ? op->drops == equal : op->drops_null;
  const filter_request r{column_index, *op, std::move(value), column_field, place, zone, drops_null};
  if (op->is_match) {
    return make_match_filter(r);
  }
  switch (column_field.type.id) {
    case type_id::boolean:
    case type_id::utf8:
    case type_id::binary:
      return make_text_filter(r);
    case type_id::date:
    case type_id::time_of_day:
    case type_id::duration:
    case type_id::timestamp:
    case type_id::instant:
      return tests_null ? make_never(r) : make_time_filter(r);
    default:
      return tests_null ? make_never(r) : make_number_filter(r);
  }
}

}  // namespace

result<transform_step> make_step(const std::string& name, std::uint32_t column_index,
                                 const std::vector<std::string>& paras, const std::string& place,
                                 const schema& s, const conversion_context& context) {
  if (column_index >= s.size()) {
    return fail(error_kind::bad_option,
                "{}: columnIndex is {}, but the reader has {} columns, counted from 0.", place, column_index,
                s.size());
  }
  if (name == "dx_filter") {
    transform_step step;
    step.column_index = column_index;
    SLUICE_TRY(step.filter, make_filter(column_index, paras, place, s[column_index], context.zone));
    return step;
  }
  SLUICE_TRY(auto step, make_text_step(name, column_index, paras, place, s[column_index], context));
  if (!step) {
    return fail(error_kind::bad_option, "{}: there is no transformer {}.", place, in_quotes(name));
  }
  return std::move(*step);
}

}  // namespace sluice
