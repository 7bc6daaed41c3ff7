#include "transport/record/compat.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>

#include "transport/record/calendar.h"
#include "transport/record/conversion_table.h"
#include "transport/record/convert_steps.h"
#include "transport/record/datax_time.h"
#include "transport/record/parse.h"

namespace sluice {
namespace {

/// What a java.util.Date keeps of a second.
constexpr unsigned java_digits = 3;

bool is_integer(type_id id) {
  return id == type_id::int64 || id == type_id::uint64;
}
bool is_float(type_id id) {
  return id == type_id::float32 || id == type_id::float64;
}
bool is_decimal(type_id id) {
  return id == type_id::decimal || id == type_id::decimal_text;
}
/// Points in time, and the times of day that may be cut like them.
bool is_point(type_id id) {
  return id == type_id::date || id == type_id::timestamp || id == type_id::instant;
}
bool has_second(type_id id) {
  return id == type_id::timestamp || id == type_id::instant || id == type_id::time_of_day;
}
bool is_infinite(std::int64_t v) {
  return v == time_infinity || v == time_minus_infinity;
}

/// Digits behind the second that are left of a time on its way into the type.
unsigned digits_kept(const data_type& to) {
  return to.id == type_id::utf8 ? 0 : std::min<unsigned>(java_digits, to.fraction_digits);
}

bool fits(int128 v, const data_type& type) {
  const unsigned bits = type.integer_bits == 0 ? 64 : type.integer_bits;
  if (type.id == type_id::uint64) {
    return v >= 0 && v < (int128{1} << bits);
  }
  return v >= -(int128{1} << (bits - 1)) && v < (int128{1} << (bits - 1));
}

/// Copies a column where the exact conversion has nothing to do.
void convert_exactly(const column_converter* exact, const column& from, std::uint32_t first,
                     std::uint32_t last, column_builder& to, std::vector<conversion_failure>& failures) {
  if (exact == nullptr) {
    to.append_range(from, first, last - first);
  } else {
    exact->convert(from, first, last, to, failures);
  }
}

/// Changes what the exact conversion refuses.
class mending_converter final : public changing_converter {
 public:
  /// What times in text are read with again.
  struct time_readers {
    std::vector<std::unique_ptr<const column_converter>> finer = {};  ///< To micro- and nanoseconds.
    std::vector<date_pattern> patterns = {};                          ///< Of points in time.
    time_zone_ptr zone = nullptr;                                     ///< Where they become instants.
  };
  mending_converter(field from, field to, std::unique_ptr<const column_converter> exact, time_readers times,
                    bool empty_is_null)
      : from_(std::move(from)),
        to_(std::move(to)),
        exact_(std::move(exact)),
        times_(std::move(times)),
        empty_is_null_(empty_is_null),
        pool_(buffer_pool::make(0)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures, std::vector<value_change>& changes) const override {
    const std::uint32_t size = to.size();
    std::vector<conversion_failure> found;
    convert_exactly(exact_.get(), from, first, last, to, found);
    if (found.empty()) {
      return;
    }
    // A builder only grows at its end: from the first refusal on the rows are converted once more.
    to.truncate(size + (found.front().row - first));
    std::uint32_t at = found.front().row;
    for (conversion_failure& f : found) {
      std::vector<conversion_failure> none;
      convert_exactly(exact_.get(), from, at, f.row, to, none);
      at = f.row + 1;
      if (const auto rule = mend(from, f.row, f.code, to)) {
        changes.push_back({f.row, *rule});
      } else {
        to.append_null();
        failures.push_back(std::move(f));
      }
    }
    std::vector<conversion_failure> none;
    convert_exactly(exact_.get(), from, at, last, to, none);
  }

 private:
  /// Appends the changed value; nothing where DataX refuses it too.
  std::optional<change_rule> mend(const column& from, std::uint32_t row, std::string_view code,
                                  column_builder& to) const {
    const auto is = [&](dirty_code c) { return code == to_string(c); };
    if (is(dirty_code::empty) && empty_is_null_ && to_.nullable) {
      to.append_null();
      return change_rule::empty_is_null;
    }
    if (is(dirty_code::has_fraction) && is_integer(to_.type.id)) {
      return cut_fraction(from, row, to);
    }
    if (is(dirty_code::not_exact) && is_float(to_.type.id)) {
      return round(from, row, to);
    }
    if (is(dirty_code::not_a_boolean) && is_integer(from_.type.id)) {
      to.append_bool(true);
      return change_rule::nonzero_is_true;
    }
    if (is(dirty_code::too_precise) || is(dirty_code::has_time)) {
      return cut_time(from, row, to);
    }
    if (is(dirty_code::not_a_date) && from_.type.id == type_id::utf8) {
      return read_loosely(from.get_bytes(row), to);
    }
    return std::nullopt;
  }

  std::optional<change_rule> cut_fraction(const column& from, std::uint32_t row, column_builder& to) const {
    const auto whole = whole_part(value_text(from, from_.type, row).value_or(""));
    if (!whole || !fits(*whole, to_.type)) {
      return std::nullopt;
    }
    if (to_.type.id == type_id::int64) {
      to.append(static_cast<std::int64_t>(*whole));
    } else {
      to.append(static_cast<std::uint64_t>(*whole));
    }
    return change_rule::fraction_cut;
  }

  std::optional<change_rule> round(const column& from, std::uint32_t row, column_builder& to) const {
    const auto nearest = parse_float64(value_text(from, from_.type, row).value_or(""));
    if (!nearest) {
      return std::nullopt;
    }
    if (to_.type.id == type_id::float64) {
      to.append(nearest.value);
    } else if (std::abs(nearest.value) <= std::numeric_limits<float>::max()) {
      to.append(static_cast<float>(nearest.value));
    } else {
      return std::nullopt;
    }
    return change_rule::rounded;
  }

  /// Reads the text with all its digits, then cuts them.
  std::optional<change_rule> cut_time(const column& from, std::uint32_t row, column_builder& to) const {
    for (std::size_t i = 0; i < times_.finer.size(); ++i) {
      const time_unit unit = i == 0 ? time_unit::micro : time_unit::nano;
      const type_id id = to_.type.id == type_id::date ? type_id::timestamp : to_.type.id;
      column_builder builder(time_type(id, unit), pool_);
      std::vector<conversion_failure> refused;
      times_.finer[i]->convert(from, row, row + 1, builder, refused);
      if (!refused.empty()) {
        continue;
      }
      const auto value = builder.seal().get<std::int64_t>(0);
      const floor_parts second = floor_divide(value, units_per_second(unit));
      if (to_.type.id == type_id::date) {
        to.append(static_cast<std::int32_t>(floor_divide(second.quotient, seconds_per_day).quotient));
        return change_rule::time_cut;
      }
      const auto power = [](unsigned n) { return static_cast<std::int64_t>(power_of_ten(n)); };
      const unsigned unit_digits = static_cast<unsigned>(unit);
      const unsigned kept = std::min(digits_kept(to_.type), static_cast<unsigned>(to_.type.unit));
      const std::int64_t fraction = second.remainder / power(unit_digits - kept);
      to.append(second.quotient * units_per_second(to_.type.unit) +
                fraction * power(static_cast<unsigned>(to_.type.unit) - kept));
      return change_rule::second_fraction_cut;
    }
    return std::nullopt;
  }

  /// The text as Java's lenient parsers read it.
  std::optional<change_rule> read_loosely(std::string_view text, column_builder& to) const {
    const auto read = read_as_datax(times_.patterns, text);
    if (!read) {
      return std::nullopt;
    }
    if (to_.type.id == type_id::date) {
      to.append(read->at.days);
      const bool cut = read->at.nanos_of_day != 0 && read->rule != change_rule::carried_over;
      return cut ? change_rule::time_cut : read->rule;
    }
    std::int64_t seconds = std::int64_t{read->at.days} * seconds_per_day +
                           read->at.nanos_of_day / nanos_per_second - read->at.offset_s;
    if (times_.zone != nullptr && !read->at.has_offset) {
      const time_zone::wall_answer utc = times_.zone->to_utc(seconds);
      if (utc.kind != time_zone::wall_kind::unique) {
        return std::nullopt;
      }
      seconds = utc.utc_seconds;
    }
    const std::int64_t per = units_per_second(to_.type.unit);
    const auto step = static_cast<std::int64_t>(power_of_ten(9 - digits_kept(to_.type)));
    const std::int64_t nanos = read->at.nanos_of_day % nanos_per_second;
    const int128 value =
        static_cast<int128>(seconds) * per + (nanos - nanos % step) / (nanos_per_second / per);
    if (value <= time_minus_infinity || value >= time_infinity) {
      return std::nullopt;
    }
    to.append(static_cast<std::int64_t>(value));
    return read->rule;
  }

  field from_;
  field to_;
  std::unique_ptr<const column_converter> exact_;
  time_readers times_;
  bool empty_is_null_;
  std::shared_ptr<buffer_pool> pool_;
};

/// Cuts times before they are converted.
class cutting_converter final : public changing_converter {
 public:
  cutting_converter(field from, field to, std::unique_ptr<const column_converter> exact, time_zone_ptr zone)
      : from_(std::move(from)),
        to_(std::move(to)),
        exact_(std::move(exact)),
        zone_(std::move(zone)),
        pool_(buffer_pool::make(0)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures, std::vector<value_change>& changes) const override {
    std::vector<std::uint32_t> cut;
    for (std::uint32_t row = first; row < last; ++row) {
      if (!from.is_null(row) && cut_value(from.get<std::int64_t>(row)) != from.get<std::int64_t>(row)) {
        cut.push_back(row);
      }
    }
    if (cut.empty()) {
      convert_exactly(exact_.get(), from, first, last, to, failures);
      return;
    }
    column_builder builder(from_.type, pool_);
    for (std::uint32_t row = first; row < last; ++row) {
      if (from.is_null(row)) {
        builder.append_null();
      } else {
        builder.append(cut_value(from.get<std::int64_t>(row)));
      }
    }
    std::vector<conversion_failure> refused;
    convert_exactly(exact_.get(), builder.seal(), 0, last - first, to, refused);
    for (conversion_failure& f : refused) {
      f.row += first;
      cut.erase(std::remove(cut.begin(), cut.end(), f.row), cut.end());
      failures.push_back(std::move(f));
    }
    const change_rule rule =
        to_.type.id == type_id::date ? change_rule::time_cut : change_rule::second_fraction_cut;
    for (const std::uint32_t row : cut) {
      changes.push_back({row, rule});
    }
  }

 private:
  [[nodiscard]] std::int64_t cut_value(std::int64_t v) const {
    if (is_infinite(v)) {
      return v;
    }
    const std::int64_t per = units_per_second(from_.type.unit);
    if (to_.type.id == type_id::date) {
      const floor_parts second = floor_divide(v, per);
      const std::int64_t wall = zone_ ? zone_->to_wall(second.quotient) : second.quotient;
      return (second.quotient - floor_divide(wall, seconds_per_day).remainder) * per;
    }
    const unsigned digits = static_cast<unsigned>(from_.type.unit);
    const unsigned kept = std::min(digits_kept(to_.type), digits);
    const auto step = static_cast<std::int64_t>(power_of_ten(digits - kept));
    return v - floor_divide(v, step).remainder;
  }

  field from_;
  field to_;
  std::unique_ptr<const column_converter> exact_;
  time_zone_ptr zone_;  ///< Of an instant that becomes a date; else nullptr.
  std::shared_ptr<buffer_pool> pool_;
};

/// Whole numbers to points in time and back: milliseconds since 1970 UTC.
class millisecond_converter final : public changing_converter {
 public:
  millisecond_converter(field from, field to, time_zone_ptr zone)
      : from_(std::move(from)), to_(std::move(to)), zone_(std::move(zone)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures, std::vector<value_change>& changes) const override {
    for (std::uint32_t row = first; row < last; ++row) {
      dirty_code code = dirty_code::none;
      if (from.is_null(row)) {
        code = to_.nullable ? dirty_code::none : dirty_code::null_not_allowed;
        to.append_null();
      } else {
        code = is_integer(from_.type.id) ? to_time(from, row, to) : to_number(from, row, to);
        if (code == dirty_code::none) {
          changes.push_back({row, change_rule::milliseconds});
        } else {
          to.append_null();
        }
      }
      if (code != dirty_code::none) {
        failures.push_back(convert::failure_of(from, from_, to_, row, code));
      }
    }
  }

 private:
  dirty_code to_time(const column& from, std::uint32_t row, column_builder& to) const {
    const auto ms = from.get<std::int64_t>(row);
    if (from_.type.id == type_id::uint64 && ms < 0) {
      return dirty_code::out_of_range;
    }
    const floor_parts parts = floor_divide(ms, 1000);
    const std::int64_t seconds =
        to_.type.id == type_id::instant ? parts.quotient : zone_->to_wall(parts.quotient);
    if (to_.type.id == type_id::date) {
      const std::int64_t day = floor_divide(seconds, seconds_per_day).quotient;
      if (day <= date_minus_infinity || day >= date_infinity) {
        return dirty_code::out_of_range;
      }
      to.append(static_cast<std::int32_t>(day));
      return dirty_code::none;
    }
    const std::int64_t per = units_per_second(to_.type.unit);
    const unsigned kept = std::min(digits_kept(to_.type), static_cast<unsigned>(to_.type.unit));
    const auto step = static_cast<std::int64_t>(power_of_ten(java_digits - kept));
    const std::int64_t fraction = parts.remainder - parts.remainder % step;  // in milliseconds
    const int128 value = static_cast<int128>(seconds) * per + static_cast<int128>(fraction) * per / 1000;
    if (value <= time_minus_infinity || value >= time_infinity) {
      return dirty_code::out_of_range;
    }
    to.append(static_cast<std::int64_t>(value));
    return dirty_code::none;
  }

  dirty_code to_number(const column& from, std::uint32_t row, column_builder& to) const {
    std::int64_t seconds = 0;
    std::int64_t ms = 0;
    if (from_.type.id == type_id::date) {
      const auto day = from.get<std::int32_t>(row);
      if (day == date_infinity || day == date_minus_infinity) {
        return dirty_code::out_of_range;
      }
      seconds = std::int64_t{day} * seconds_per_day;
    } else {
      const auto value = from.get<std::int64_t>(row);
      if (is_infinite(value)) {
        return dirty_code::out_of_range;
      }
      const std::int64_t per = units_per_second(from_.type.unit);
      const floor_parts parts = floor_divide(value, per);
      seconds = parts.quotient;
      ms = per >= 1000 ? parts.remainder / (per / 1000) : 0;
    }
    if (from_.type.id != type_id::instant) {
      const time_zone::wall_answer utc = zone_->to_utc(seconds);
      if (utc.kind != time_zone::wall_kind::unique) {
        return utc.kind == time_zone::wall_kind::twice ? dirty_code::wall_time_twice
                                                       : dirty_code::wall_time_missing;
      }
      seconds = utc.utc_seconds;
    }
    const int128 value = static_cast<int128>(seconds) * 1000 + ms;
    if (!fits(value, to_.type)) {
      return dirty_code::out_of_range;
    }
    to.append(static_cast<std::int64_t>(value));
    return dirty_code::none;
  }

  field from_;
  field to_;
  time_zone_ptr zone_;
};

/// Counts the values that the zone is applied to and nothing else changes.
class zone_converter final : public changing_converter {
 public:
  /// `patterns`: of texts, which may have an offset of their own.
  zone_converter(type_id from, std::unique_ptr<const changing_converter> inner,
                 std::vector<date_pattern> patterns)
      : from_(from), inner_(std::move(inner)), patterns_(std::move(patterns)) {}

  void convert(const column& from, std::uint32_t first, std::uint32_t last, column_builder& to,
               std::vector<conversion_failure>& failures, std::vector<value_change>& changes) const override {
    std::vector<conversion_failure> refused;
    std::vector<value_change> changed;
    inner_->convert(from, first, last, to, refused, changed);
    auto next_refused = refused.begin();
    auto next_changed = changed.begin();
    for (std::uint32_t row = first; row < last; ++row) {
      if (next_refused != refused.end() && next_refused->row == row) {
        ++next_refused;
      } else if (next_changed != changed.end() && next_changed->row == row) {
        changes.push_back(*next_changed++);
      } else if (!from.is_null(row) && is_applied_to(from, row)) {
        changes.push_back({row, change_rule::zone_applied});
      }
    }
    std::move(refused.begin(), refused.end(), std::back_inserter(failures));
  }

 private:
  [[nodiscard]] bool is_applied_to(const column& from, std::uint32_t row) const {
    if (from_ == type_id::utf8) {
      for (const date_pattern& pattern : patterns_) {
        if (const auto read = pattern.parse(from.get_bytes(row), {.fraction = true})) {
          return !read.value.has_offset;
        }
      }
      return false;  // infinity
    }
    if (from_ == type_id::date) {
      const auto day = from.get<std::int32_t>(row);
      return day != date_infinity && day != date_minus_infinity;
    }
    return !is_infinite(from.get<std::int64_t>(row));
  }

  type_id from_;
  std::unique_ptr<const changing_converter> inner_;
  std::vector<date_pattern> patterns_;
};

bool by_zone(const data_type& from, const data_type& to) {
  return lookup_conversion(from, to).needs_zone;
}

bool by_milliseconds(const data_type& from, const data_type& to) {
  return (is_integer(from.id) && is_point(to.id)) || (is_point(from.id) && to.id == type_id::int64);
}

bool by_cutting(const data_type& from, const data_type& to) {
  if (!has_second(from.id)) {
    return false;
  }
  return to.id == type_id::date
             ? from.id != type_id::time_of_day
             : (to.id == type_id::utf8 ||
                (has_second(to.id) && lookup_conversion(from, to).kind != conversion_kind::refused)) &&
                   static_cast<unsigned>(from.unit) > digits_kept(to);
}

/// What a text is read with again on its way to a time; nothing for other pairs.
result<mending_converter::time_readers> time_readers_for(const field& from, const field& to,
                                                         const conversion_context& context) {
  mending_converter::time_readers times;
  if (from.type.id != type_id::utf8 || (!has_second(to.type.id) && to.type.id != type_id::date)) {
    return times;
  }
  for (const time_unit unit : {time_unit::micro, time_unit::nano}) {
    field fine = to;
    fine.type = time_type(to.type.id == type_id::date ? type_id::timestamp : to.type.id, unit);
    SLUICE_TRY(auto made, make_converter(from, fine, context));
    times.finer.push_back(std::move(made));
  }
  if (is_point(to.type.id)) {
    SLUICE_TRY(times.patterns, convert::patterns_for(to.type.id, context));
    times.zone = to.type.id == type_id::instant ? context.zone : nullptr;
  }
  return times;
}

}  // namespace

std::optional<int128> whole_part(std::string_view text) {
  const parsed<number_parts> n = split_number(text);
  constexpr std::int64_t digits_max = 20;
  if (!n || n.value.what != number_parts::form::finite || n.value.point > digits_max) {
    return std::nullopt;
  }
  int128 whole = 0;
  std::int64_t place = n.value.point;
  for (const std::string_view part : {n.value.head, n.value.tail}) {
    for (const char c : part) {
      if (place-- > 0) {
        whole = whole * 10 + (c - '0');
      }
    }
  }
  return n.value.negative ? -whole : whole;
}

std::vector<change_rule> possible_changes(const data_type& from, const data_type& to) {
  std::vector<change_rule> rules;
  const bool text = from.id == type_id::utf8;
  if (by_milliseconds(from, to)) {
    return {change_rule::milliseconds};
  }
  if (by_cutting(from, to)) {
    rules.push_back(to.id == type_id::date ? change_rule::time_cut : change_rule::second_fraction_cut);
    if (by_zone(from, to)) {
      rules.push_back(change_rule::zone_applied);
    }
    return rules;
  }
  if (text && to.id != type_id::utf8 && to.id != type_id::binary) {
    rules.push_back(change_rule::empty_is_null);
  }
  const bool with_fraction = text || is_float(from.id) || from.id == type_id::decimal_text ||
                             (from.id == type_id::decimal && from.scale != 0);
  if (is_integer(to.id) && with_fraction) {
    rules.push_back(change_rule::fraction_cut);
  }
  if (is_float(to.id) && (text || is_integer(from.id) || is_decimal(from.id) ||
                          (from.id == type_id::float64 && to.id == type_id::float32))) {
    rules.push_back(change_rule::rounded);
  }
  if (to.id == type_id::boolean && is_integer(from.id)) {
    rules.push_back(change_rule::nonzero_is_true);
  }
  if (text && has_second(to.id)) {
    rules.push_back(change_rule::second_fraction_cut);
  }
  if (text && is_point(to.id)) {
    rules.insert(rules.end(), {change_rule::time_cut, change_rule::text_cut, change_rule::carried_over,
                               change_rule::other_digits});
  }
  if (by_zone(from, to)) {
    rules.push_back(change_rule::zone_applied);
  }
  return rules;
}

result<std::unique_ptr<const changing_converter>> make_changing_converter(const field& from, const field& to,
                                                                          const conversion_context& context) {
  if (by_milliseconds(from.type, to.type)) {
    return std::make_unique<const millisecond_converter>(from, to, context.zone);
  }
  conversion_context counted = context;
  counted.empty_as_null = false;  // here it is a change that is counted
  counted.as_datax = true;
  SLUICE_TRY(auto exact, make_converter(from, to, counted));
  std::unique_ptr<const changing_converter> made;
  std::vector<date_pattern> patterns;
  if (by_cutting(from.type, to.type)) {
    const bool needs_zone = from.type.id == type_id::instant && to.type.id == type_id::date;
    made = std::make_unique<const cutting_converter>(from, to, std::move(exact),
                                                     needs_zone ? context.zone : nullptr);
  } else {
    SLUICE_TRY(auto times, time_readers_for(from, to, counted));
    patterns = times.patterns;
    made = std::make_unique<const mending_converter>(from, to, std::move(exact), std::move(times),
                                                     context.empty_as_null);
  }
  if (!by_zone(from.type, to.type)) {
    return made;
  }
  return std::make_unique<const zone_converter>(from.type.id, std::move(made), std::move(patterns));
}

}  // namespace sluice
