#include "jobspec/date_expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "jobspec/words.h"
#include "transport/base/text.h"

namespace sluice {

using namespace std::chrono;

namespace {

struct code_row {
  std::string_view text;
  date_code code;
};
// Longer ones before their beginnings. `hh` is documented nowhere; the one sample there is looks like hh24.
constexpr std::array<code_row, 9> dataworks_codes = {{{"yyyy", date_code::year4},
                                                      {"yy", date_code::year2},
                                                      {"mm", date_code::month},
                                                      {"dd", date_code::day},
                                                      {"hh24", date_code::hour24},
                                                      {"hh12", date_code::hour12},
                                                      {"hh", date_code::hour24},
                                                      {"mi", date_code::minute},
                                                      {"ss", date_code::second}}};
constexpr std::array<code_row, 8> dolphin_codes = {{{"yyyy", date_code::year4},
                                                    {"yy", date_code::year2},
                                                    {"MM", date_code::month},
                                                    {"dd", date_code::day},
                                                    {"HH", date_code::hour24},
                                                    {"hh", date_code::hour12},
                                                    {"mm", date_code::minute},
                                                    {"ss", date_code::second}}};
constexpr std::string_view literals = "-:./";
constexpr std::string_view add_months_begin = "add_months(";

/// Far more than the calendar has, and far from what would overflow.
constexpr std::int64_t number_max = 100'000'000;
constexpr std::int64_t product_max = 1'000'000'000'000;
constexpr std::int64_t months_max = 12 * 10'000;
constexpr std::int64_t days_max = 366 * 10'000;
constexpr std::int64_t day_seconds = 86'400;

constexpr std::array<predefined_name, 9> predefined_names = {{
    {"bdp.system.bizdate", "${yyyymmdd}", "DataWorks"},
    {"bdp.system.cyctime", "$[yyyymmddhh24miss]", "DataWorks"},
    {"system.biz.date", "${yyyymmdd}", "DolphinScheduler"},
    {"system.biz.curdate", "$[yyyymmdd]", "DolphinScheduler"},
    {"system.datetime", "$[yyyymmddhh24miss]", "DolphinScheduler"},
    {"biz_date_short", "${yyyymmdd}", "Addax"},
    {"biz_date_dash", "${yyyy-mm-dd}", "Addax"},
    {"curr_date_short", "$[yyyymmdd]", "Addax"},
    {"curr_date_dash", "$[yyyy-mm-dd]", "Addax"},
}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string no_function(std::string_view function) {
  return fmt::format("there is no function {}; there is add_months, as in $[add_months(yyyymmdd,-1)]",
                     in_quotes(function));
}

tl::unexpected<error> wrong(std::string message) {
  return fail(error{error_kind::bad_option, std::move(message), {}, false});
}

}  // namespace

/// Reads one expression from left to right.
class date_expression_parser {
 public:
  explicit date_expression_parser(std::string_view written)
      : business_(written.starts_with("${")), rest_(written.substr(2, written.size() - 3)), body_(rest_) {}

  result<date_expression> run() {
    out_.business_ = business_;
    SLUICE_CHECK(refuse_blanks());
    if (rest_.starts_with(add_months_begin)) {
      SLUICE_CHECK(read_add_months());
    } else if (const std::size_t open = rest_.find('('); open != std::string_view::npos) {
      return wrong(no_function(rest_.substr(0, open)));
    } else {
      SLUICE_CHECK(read_format());
    }
    while (!rest_.empty()) {
      SLUICE_CHECK(read_offset());
    }
    doubt();
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string bracketed(std::string_view body) const {
    return business_ ? fmt::format("${{{}}}", body) : fmt::format("$[{}]", body);
  }

  result<void> refuse_blanks() {
    const std::size_t blank = body_.find_first_of(" \t\r\n");
    if (blank == std::string_view::npos) {
      return {};
    }
    const auto first = trimmed(body_.substr(0, blank));
    const auto second = trimmed(body_.substr(blank));
    const bool two = date_expression::parse(bracketed(first)) && date_expression::parse(bracketed(second));
    return wrong(fmt::format(
        "an expression holds no blanks; {}",
        two ? fmt::format("write two with the blank between them: {} {}", bracketed(first), bracketed(second))
            : "leave them out"));
  }

  result<void> read_format() {
    // Only DolphinScheduler's letters are capitals, and its lower-case mm is a minute.
    const bool capitals =
        rest_.find('M') != std::string_view::npos || rest_.find('H') != std::string_view::npos;
    const bool dolphin = capitals && !business_;
    const std::span<const code_row> codes =
        dolphin ? std::span<const code_row>(dolphin_codes) : std::span<const code_row>(dataworks_codes);
    bool any = false;
    while (!rest_.empty()) {
      const auto row = std::find_if(codes.begin(), codes.end(),
                                    [&](const code_row& one) { return rest_.starts_with(one.text); });
      if (row != codes.end()) {
        out_.pieces_.push_back({row->code, 0});
        rest_.remove_prefix(row->text.size());
        any = true;
      } else if (at_offset()) {
        break;
      } else if (literals.find(rest_.front()) != std::string_view::npos) {
        out_.pieces_.push_back({date_code::literal, rest_.front()});
        rest_.remove_prefix(1);
      } else {
        return wrong(fmt::format("{} is no part of a format; {}", in_quotes(rest_), codes_text(dolphin)));
      }
    }
    if (!any) {
      return wrong(fmt::format("a format is missing; {}", codes_text(dolphin)));
    }
    if (business_ && (out_.prints(date_code::hour24) || out_.prints(date_code::hour12) ||
                      out_.prints(date_code::minute) || out_.prints(date_code::second))) {
      return wrong(
          fmt::format("the business date has no time of day; for the planned time write $[{}]", body_));
    }
    return {};
  }

  [[nodiscard]] std::string codes_text(bool dolphin) const {
    if (dolphin) {
      const std::string small = fmt::format("$[{}]", lower(body_));
      return fmt::format("with capitals (DolphinScheduler) there are yyyy, yy, MM, dd, HH, hh, mm and ss{}",
                         date_expression::parse(small) ? "; or write " + small : "");
    }
    const std::string small = lower(body_);
    const std::string_view names =
        business_ ? "yyyy, yy, mm and dd" : "yyyy, yy, mm, dd, hh24, hh12, mi and ss";
    return small == body_ ? fmt::format("there are {}", names)
                          : fmt::format("there are {}, in small letters: {}", names, bracketed(small));
  }

  [[nodiscard]] bool at_offset() const {
    return rest_.size() > 1 && (rest_[0] == '+' || rest_[0] == '-') && is_digit(rest_[1]);
  }

  /// A number without sign, behind an operator.
  result<std::int64_t> read_number() {
    std::int64_t n = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      n = n * 10 + (rest_[digits] - '0');
      if (n > number_max) {
        return wrong(fmt::format("{} is beyond the calendar", in_quotes(rest_)));
      }
    }
    if (digits == 0) {
      return wrong(rest_.empty() ? std::string("a number is missing at its end")
                                 : fmt::format("{} stands where a number should be", in_quotes(rest_)));
    }
    rest_.remove_prefix(digits);
    return n;
  }

  /// `7*1`, `15/24/60`.
  result<date_expression::offset> read_product(bool divides) {
    date_expression::offset out;
    SLUICE_TRY(out.numerator, read_number());
    while (!rest_.empty() && (rest_[0] == '*' || rest_[0] == '/')) {
      const bool divide = rest_[0] == '/';
      if (divide && !divides) {
        return wrong(business_
                         ? fmt::format("${{...}} counts whole days, months or years, so there is no /; for "
                                       "parts of a day write $[{}]",
                                       body_)
                         : std::string("months are counted whole, so there is no /"));
      }
      rest_.remove_prefix(1);
      SLUICE_TRY(const std::int64_t n, read_number());
      if (divide && n == 0) {
        return wrong("it divides by 0");
      }
      auto& side = divide ? out.denominator : out.numerator;
      if (n != 0 && side > product_max / n) {
        return wrong("its numbers are beyond the calendar");
      }
      side *= n;
    }
    return out;
  }

  bool read_sign() {
    const bool minus = !rest_.empty() && rest_[0] == '-';
    if (minus || rest_.starts_with('+')) {
      rest_.remove_prefix(1);
    }
    return minus;
  }

  result<void> read_offset() {
    if (!at_offset()) {
      return wrong(fmt::format("{} follows where an offset such as -1{} could stand", in_quotes(rest_),
                               business_ ? "" : " or -15/24/60"));
    }
    const bool minus = read_sign();
    SLUICE_TRY(auto offset, read_product(!business_));
    offset.numerator *= minus ? -1 : 1;
    if (offset.numerator * day_seconds % offset.denominator != 0) {
      return wrong("an offset does not come to whole seconds");
    }
    out_.offsets_.push_back(offset);
    return {};
  }

  result<void> read_add_months() {
    if (business_) {
      return wrong(fmt::format("add_months stands in $[...]: write $[{}]", body_));
    }
    const std::size_t close = rest_.find(')');
    if (close == std::string_view::npos) {
      return wrong("add_months( is without its closing )");
    }
    const std::string_view behind = rest_.substr(close + 1);
    const std::string_view inside = rest_.substr(add_months_begin.size(), close - add_months_begin.size());
    const std::size_t comma = inside.rfind(',');
    if (comma == std::string_view::npos) {
      return wrong("add_months needs a format and a number of months, as in add_months(yyyymmdd,-1)");
    }
    rest_ = inside.substr(0, comma);
    SLUICE_CHECK(read_format());
    if (!rest_.empty()) {
      return wrong("an offset in days stands behind add_months(...), not in it");
    }
    rest_ = inside.substr(comma + 1);
    const bool minus = read_sign();
    SLUICE_TRY(const auto count, read_product(false));
    if (!rest_.empty()) {
      return wrong(fmt::format("{} follows the number of months", in_quotes(rest_)));
    }
    if (count.numerator > months_max) {
      return wrong("its months are beyond the calendar");
    }
    out_.months_ = minus ? -count.numerator : count.numerator;
    rest_ = behind;
    months_given_ = true;
    return {};
  }

  [[nodiscard]] bool prints_any(std::initializer_list<date_code> codes) const {
    return std::any_of(codes.begin(), codes.end(), [&](date_code code) { return out_.prints(code); });
  }

  /// `$[yyyy-1]` is read as last year, and `$[hh24-1]` as the last hour, by everybody but the rules.
  void doubt() {
    if (business_ || months_given_ || out_.offsets_.size() != 1 || out_.offsets_[0].denominator != 1 ||
        out_.prints(date_code::day)) {
      return;
    }
    const std::int64_t n = out_.offsets_[0].numerator;
    const std::string_view format = body_.substr(0, body_.find_last_of("+-"));
    const std::string moves = fmt::format("offsets in $[...] count days, so this moves by {} {}", n,
                                          n == 1 || n == -1 ? "day" : "days");
    if (out_.prints(date_code::month)) {
      out_.doubt_ = fmt::format("{}; for months write $[add_months({},{})]", moves, format, n);
    } else if (prints_any({date_code::year4, date_code::year2})) {
      out_.doubt_ = fmt::format("{}; for years write $[add_months({},{}12*{})]", moves, format,
                                n < 0 ? "-" : "", n < 0 ? -n : n);
    } else {
      out_.doubt_ = fmt::format("{}, which changes nothing here; for hours write $[{}{}{}/24]", moves, format,
                                n < 0 ? "" : "+", n);
    }
  }

  bool business_;
  std::string_view rest_;
  std::string_view body_;
  bool months_given_ = false;
  date_expression out_;
};

result<date_expression> date_expression::parse(std::string_view written) {
  const bool braces = written.size() > 2 && written.starts_with("${") && written.ends_with('}');
  const bool brackets = written.size() > 2 && written.starts_with("$[") && written.ends_with(']');
  if (!braces && !brackets) {
    return wrong("an expression is written as ${yyyymmdd-1} or $[yyyymmdd-1]");
  }
  return date_expression_parser(written).run();
}

bool date_expression::prints(date_code code) const {
  return std::any_of(pieces_.begin(), pieces_.end(), [&](const piece& p) { return p.code == code; });
}

namespace {

tl::unexpected<error> beyond_calendar() {
  return fail(error_kind::bad_option, "its value leaves the years 0001 to 9999");
}

/// `day` moved by months; one beyond the month's end becomes its last.
local_days with_months(local_days day, std::int64_t count) {
  year_month_day moved = year_month_day{day} + months{static_cast<int>(count)};
  if (!moved.ok()) {
    moved = moved.year() / moved.month() / last;
  }
  return local_days(moved);
}

}  // namespace

result<local_seconds> date_expression::moved(const planned_time& planned) const {
  const local_seconds from = business_ ? local_seconds(planned.business_date()) : planned.at;
  local_days day = floor<days>(from);
  seconds clock = from - day;
  day = with_months(day, months_);
  for (const offset& o : offsets_) {
    if (std::abs(o.numerator / o.denominator) > days_max) {
      return beyond_calendar();
    }
    if (!business_) {
      const local_seconds then = day + clock + seconds{o.numerator * day_seconds / o.denominator};
      day = floor<days>(then);
      clock = then - day;
    } else if (prints(date_code::day)) {
      day += days{o.numerator};
    } else {
      const std::int64_t count = o.numerator * (prints(date_code::month) ? 1 : 12);
      if (std::abs(count) > months_max) {
        return beyond_calendar();
      }
      day = with_months(day, count);
    }
    const year y = year_month_day{day}.year();
    if (y < year{1} || y > year{9999}) {
      return beyond_calendar();
    }
  }
  const year y = year_month_day{day}.year();
  if (y < year{1} || y > year{9999}) {
    return beyond_calendar();
  }
  return day + clock;
}

result<std::string> date_expression::value(const planned_time& planned) const {
  SLUICE_TRY(const local_seconds at, moved(planned));
  const local_days day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  const int y = static_cast<int>(date.year());
  std::string out;
  for (const piece& p : pieces_) {
    switch (p.code) {
      case date_code::literal:
        out += p.literal;
        break;
      case date_code::year4:
        out += fmt::format("{:04}", y);
        break;
      case date_code::year2:
        out += fmt::format("{:02}", y % 100);
        break;
      case date_code::month:
        out += fmt::format("{:02}", static_cast<unsigned>(date.month()));
        break;
      case date_code::day:
        out += fmt::format("{:02}", static_cast<unsigned>(date.day()));
        break;
      case date_code::hour24:
        out += fmt::format("{:02}", clock.hours().count());
        break;
      case date_code::hour12:
        out += fmt::format("{:02}", make12(clock.hours()).count());
        break;
      case date_code::minute:
        out += fmt::format("{:02}", clock.minutes().count());
        break;
      case date_code::second:
        out += fmt::format("{:02}", clock.seconds().count());
        break;
    }
  }
  return out;
}

namespace {

std::string value_of(std::string_view expression, const planned_time& planned) {
  const auto parsed = date_expression::parse(expression);
  const auto value = parsed ? parsed->value(planned) : result<std::string>(std::string());
  return value.value_or(std::string());
}

}  // namespace

std::optional<std::string> built_in_value(std::string_view name, const planned_time& planned) {
  if (name == "bizdate") {
    return value_of("${yyyymmdd}", planned);
  }
  if (name == "cyctime") {
    return value_of("$[yyyymmddhh24miss]", planned);
  }
  if (name == "gmtdate") {
    return value_of("$[yyyymmdd]", planned);
  }
  if (name == "bizmonth") {
    const std::string month = value_of("${yyyymm}", planned);
    return month == value_of("$[yyyymm]", planned) ? value_of("${yyyymm-1}", planned) : month;
  }
  return std::nullopt;
}

bool is_scheduler_name(std::string_view name) {
  return name == "jobid" || name == "nodeid" || name == "taskid";
}

const predefined_name* find_predefined(std::string_view name) {
  const auto found = std::find_if(predefined_names.begin(), predefined_names.end(),
                                  [&](const predefined_name& one) { return one.name == name; });
  return found == predefined_names.end() ? nullptr : &*found;
}

}  // namespace sluice
