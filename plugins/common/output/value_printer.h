#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "transport/base/int128.h"
#include "transport/record/batch.h"
#include "transport/record/date_pattern.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/format.h"
#include "transport/record/zone.h"

namespace sluice {

/// How a destination of text wants its dates.
struct value_printer_options {
  time_zone_ptr zone;  ///< Of instants; must be set where there are any.
  std::optional<std::string>
      date_format;  ///< Java pattern of date, timestamp and instant; nothing: ISO with a space.
};

/// The text of fixed-width values of one type as a file or a terminal shows it: numbers as in format.h,
/// `true` and `false`, dates by a pattern. Exact unless the job's own pattern leaves something out.
/// Immutable, for any thread.
class value_printer {
 public:
  /// For types without offsets. `bad_option` where the pattern is wrong.
  static result<value_printer> make(const data_type& type, const value_printer_options& options);

  /// Room that `write` may need.
  [[nodiscard]] std::size_t chars_max() const { return chars_max_; }
  /// The end of what was written, or why there is no text. Small enough for two registers: whoever goes on
  /// behind it does not wait for memory.
  struct written {
    char* end = nullptr;
    dirty_code code = dirty_code::none;
  };
  /// Why `write` has no text, as a clause without an end: further remedies may follow.
  static std::string_view reason(dirty_code code);
  /// Writes a value that is not NULL at `to`. `wall_time_twice` where an instant's wall clock time is not the
  /// only one of its zone; `out_of_range` where the pattern has no room for the year.
  [[nodiscard]] written write(const column& c, std::uint32_t row, char* to) const {
    // What most columns are, here; the others behind a call.
    switch (type_.id) {
      case type_id::int64:
        return {write_int64(c.get<std::int64_t>(row), to), dirty_code::none};
      case type_id::decimal:
        return {write_decimal(c.get<int128>(row), type_.scale, to), dirty_code::none};
      case type_id::date:
        if (!pattern_) {
          return {write_iso_date(c.get<std::int32_t>(row), to), dirty_code::none};
        }
        break;
      default:
        break;
    }
    char* end = to;
    const dirty_code code = write_other(c, row, end);
    return {end, code};
  }

 private:
  value_printer() = default;
  [[nodiscard]] dirty_code write_other(const column& c, std::uint32_t row, char*& to) const;
  [[nodiscard]] dirty_code write_date(std::int32_t days, char*& to) const;
  [[nodiscard]] dirty_code write_wall(std::int64_t units, std::int64_t shift_seconds, char*& to) const;
  [[nodiscard]] dirty_code write_instant(std::int64_t units, char*& to) const;

  data_type type_;
  time_zone_ptr zone_;
  std::optional<date_pattern> pattern_;
  std::size_t chars_max_ = 0;
};

}  // namespace sluice
