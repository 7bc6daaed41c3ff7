#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/planned_time.h"
#include "transport/base/result.h"

namespace sluice {

/// One piece of a printed date.
enum class date_code : std::uint8_t { literal, year4, year2, month, day, hour24, hour12, minute, second };

/// A date expression of scheduling parameters (job-formats 4.3 to 4.5), read once and printed for any planned
/// time. `${...}` prints the business date, `$[...]` the planned time. Immutable.
///
///     expression = "${" format offsets "}" | "$[" ( format | "add_months(" format "," count ")" ) offsets
///     "]" format     = ( code | "-" | ":" | "." | "/" )+          at least one code; "-" before a digit is
///     an offset code       = "yyyy" "yy" "mm" "dd", and in $[...] "hh24" "hh12" "hh" (as hh24) "mi" "ss"
///                  | where a $[...] holds MM or HH: DolphinScheduler's "yyyy" "yy" "MM" "dd" "HH" "hh" "mm"
///                  "ss"
///     offsets    = ( ("+" | "-") number ( ("*" | "/") number )* )*
///     count      = [ "+" | "-" ] number ( "*" number )*
///
/// In `${...}` an offset counts the smallest unit of the format (years, months or days) and has no "/"; in
/// `$[...]` it counts days, and a part of a day must come to whole seconds. Months are added first, a day
/// beyond the month's end becomes its last.
class date_expression {
 public:
  /// `written` with its brackets. `bad_option` says what is wrong and what to write, without the expression
  /// itself.
  static result<date_expression> parse(std::string_view written);

  /// `bad_option` where the date leaves the years 0001 to 9999.
  [[nodiscard]] result<std::string> value(const planned_time& planned) const;

  /// A sentence where the expression is likely to mean something else than it does (`$[yyyy-1]` goes back a
  /// day); else empty.
  [[nodiscard]] const std::string& doubt() const { return doubt_; }

 private:
  friend class date_expression_parser;
  struct piece {
    date_code code = date_code::literal;
    char literal = 0;
  };
  struct offset {
    std::int64_t numerator = 0;  ///< With its sign.
    std::int64_t denominator = 1;
  };
  [[nodiscard]] bool prints(date_code code) const;
  [[nodiscard]] result<std::chrono::local_seconds> moved(const planned_time& planned) const;

  bool business_ = false;
  std::vector<piece> pieces_;
  std::int64_t months_ = 0;
  std::vector<offset> offsets_;
  std::string doubt_;
};

/// The value of `$bizdate`, `$cyctime`, `$gmtdate` or `$bizmonth` (`name` without `$`); nothing for other
/// names. The "current" date and month of the facts are those of the planned time, so that a run that is
/// repeated gets the same values.
std::optional<std::string> built_in_value(std::string_view name, const planned_time& planned);

/// `$jobid`, `$nodeid`, `$taskid`: names that only a scheduler can fill.
bool is_scheduler_name(std::string_view name);

/// A name that means a date without being assigned.
struct predefined_name {
  std::string_view name;        ///< Without `${` and `}`.
  std::string_view expression;  ///< What it stands for.
  std::string_view origin;      ///< Who defines it, for people.
};
/// Nothing where there is no such name (job-formats 4.2, 4.10).
const predefined_name* find_predefined(std::string_view name);

}  // namespace sluice
