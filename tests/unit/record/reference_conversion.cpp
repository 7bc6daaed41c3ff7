#include "tests/unit/record/reference_conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>

#include "transport/base/int128.h"

namespace sluice::test {
namespace {

bool is_number(type_id id) {
  return id == type_id::int64 || id == type_id::uint64 || id == type_id::float32 || id == type_id::float64 ||
         id == type_id::decimal || id == type_id::decimal_text;
}

// --- numbers, as `[-]whole.fraction` ---

struct plain_parts {
  bool negative;
  std::string whole, fraction;
};
plain_parts parts_of(const std::string& plain) {
  const bool negative = plain[0] == '-';
  const std::size_t point = plain.find('.');
  return {negative, plain.substr(negative ? 1 : 0, point - (negative ? 1 : 0)), plain.substr(point + 1)};
}

int128 power(unsigned n) {
  return n == 0 ? 1 : 10 * power(n - 1);
}

/// The digits of `plain` times 10^scale as a number, nothing where it is too long.
std::optional<int128> scaled(const plain_parts& p, unsigned scale) {
  std::string digits = p.whole + p.fraction;
  if (p.fraction.size() > scale || digits.size() > 36) {
    return std::nullopt;
  }
  int128 value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
  }
  value *= power(scale - static_cast<unsigned>(p.fraction.size()));
  return p.negative ? -value : value;
}

reference_answer to_integer(const std::string& plain, const data_type& to) {
  const plain_parts p = parts_of(plain);
  if (!p.fraction.empty() || p.whole.size() > 30) {
    return {};
  }
  const int128 value = *scaled(p, 0);
  const int bits = to.integer_bits == 0 ? 64 : to.integer_bits;
  const int128 one = 1;
  const bool fits = to.id == type_id::uint64 ? value >= 0 && value < (one << bits)
                                             : value >= -(one << (bits - 1)) && value < (one << (bits - 1));
  return {fits, plain};
}

template <class Float>
reference_answer to_floating(const std::string& text, const std::string& plain) {
  // glibc reads with correct rounding; the program never leaves the C locale.
  const Float nearest = sizeof(Float) == 8 ? static_cast<Float>(std::strtod(text.c_str(), nullptr))
                                           : static_cast<Float>(std::strtof(text.c_str(), nullptr));
  if (std::isinf(nearest)) {
    return {};
  }
  const std::string back = plain_number(fmt::format("{}", nearest));
  const bool zero = back == "0." && (plain == "0." || plain == "-0.");
  return {zero || back == plain || (back == "-0." && plain == "0."), back};
}

/// Precision and scale of decimal and decimal_text, by counting digits.
bool fits_decimal(const std::string& plain, const data_type& to) {
  const plain_parts p = parts_of(plain);
  const std::size_t whole = p.whole == "0" ? 0 : p.whole.size();
  return p.fraction.size() <= to.scale && whole + to.scale <= to.precision;
}

reference_answer number_to(const data_type& from, const std::string& text, const data_type& to) {
  const std::string plain = plain_number(text);
  if (plain.empty()) {
    return {};
  }
  const bool finite = std::isdigit(static_cast<unsigned char>(plain.back())) != 0 || plain.back() == '.';
  switch (to.id) {
    case type_id::boolean:
      return {plain == "0." || plain == "1.", plain == "1." ? "true" : "false"};
    case type_id::int64:
    case type_id::uint64: {
      if (!finite) {
        return {};
      }
      reference_answer answer = to_integer(plain == "-0." ? "0." : plain, to);
      // A double and its shortest digits must be the same whole number.
      if (from.id == type_id::float64 || from.id == type_id::float32) {
        const double value = std::strtod(text.c_str(), nullptr);
        const double kept = from.id == type_id::float32 ? std::strtof(text.c_str(), nullptr) : value;
        answer.fits = answer.fits && plain_number(fmt::format("{:.0f}", kept)) == plain;
      }
      return answer;
    }
    case type_id::float32:
    case type_id::float64: {
      if (!finite) {
        return {true, plain};
      }
      if (from.id == type_id::float32 && to.id == type_id::float64) {
        return {true, fmt::format("{}", static_cast<double>(std::strtof(text.c_str(), nullptr)))};
      }
      if (from.id == type_id::float64 && to.id == type_id::float32) {
        const double value = std::strtod(text.c_str(), nullptr);
        const auto narrow = static_cast<float>(value);
        return {!std::isinf(narrow) && static_cast<double>(narrow) == value, fmt::format("{}", narrow)};
      }
      reference_answer answer =
          to.id == type_id::float64 ? to_floating<double>(text, plain) : to_floating<float>(text, plain);
      if (from.id == type_id::int64 || from.id == type_id::uint64) {
        const double value = to.id == type_id::float64 ? std::strtod(text.c_str(), nullptr)
                                                       : std::strtof(text.c_str(), nullptr);
        answer.fits = answer.fits && plain_number(fmt::format("{:.0f}", value)) == plain;
      }
      return answer;
    }
    case type_id::decimal:
      return {finite && fits_decimal(plain, to), plain};
    case type_id::decimal_text:
      return {to.precision == 0 || (finite && fits_decimal(plain, to)), text};
    default:
      return {true, text};
  }
}

// --- times, as nanoseconds ---

constexpr int128 second_ns = 1'000'000'000;
constexpr int128 day_ns = 86'400 * second_ns;
constexpr int128 shift_ns = 8 * 3600 * second_ns;

std::optional<int128> days_of(const std::string& text) {
  static const std::regex form(R"(([+-]?\d{4,8})-(\d\d)-(\d\d))");
  std::smatch m;
  if (!std::regex_match(text, m, form)) {
    return std::nullopt;
  }
  // The library's years have 16 bits: years are moved by whole cycles of 400, which have 146097 days.
  const int year = std::stoi(m[1]);
  const int cycles = year / 400;
  const std::chrono::year_month_day date(std::chrono::year(year - cycles * 400),
                                         std::chrono::month(static_cast<unsigned>(std::stoi(m[2]))),
                                         std::chrono::day(static_cast<unsigned>(std::stoi(m[3]))));
  if (!date.ok()) {
    return std::nullopt;
  }
  return static_cast<int128>(std::chrono::sys_days(date).time_since_epoch().count()) +
         static_cast<int128>(cycles) * 146097;
}

std::optional<int128> clock_of(const std::string& text) {
  static const std::regex form(R"((-?)(\d{2,}):(\d\d):(\d\d)(?:\.(\d+))?)");
  std::smatch m;
  if (!std::regex_match(text, m, form) || m[3] > "59" || m[4] > "59") {
    return std::nullopt;
  }
  std::string fraction = m[5];
  if (fraction.find_last_not_of('0') >= 9 && fraction.find_last_not_of('0') != std::string::npos) {
    return std::nullopt;
  }
  fraction.resize(9, '0');
  const int128 value =
      (static_cast<int128>(std::stoll(m[2])) * 3600 + std::stoi(m[3]) * 60 + std::stoi(m[4])) * second_ns +
      std::stoll(fraction);
  return m[1].length() != 0 ? -value : value;
}

/// Nanoseconds since 1970, of the clock or of midnight, as the text is.
std::optional<int128> nanos_of(const std::string& text, type_id id) {
  if (id == type_id::time_of_day || id == type_id::duration) {
    return clock_of(text);
  }
  std::string rest = text;
  int128 offset_ns = 0;
  static const std::regex zoned(R"((.*:.*?)(?:Z|([+-])(\d\d)(?::?(\d\d))?))");
  if (std::smatch m; std::regex_match(text, m, zoned)) {
    rest = m[1];
    const int minutes = m[4].length() != 0 ? std::stoi(m[4]) : 0;
    const int hours = m[3].length() != 0 ? std::stoi(m[3]) : 0;
    if (minutes > 59 || hours > 18) {
      return std::nullopt;
    }
    offset_ns = int128{(hours * 60 + minutes) * 60} * second_ns * (m[2] == "-" ? -1 : 1);
  }
  const std::size_t border = rest.find_first_of("T ");
  const auto days = days_of(rest.substr(0, border));
  const auto clock =
      border == std::string::npos ? std::optional<int128>(0) : clock_of(rest.substr(border + 1));
  if (!days || !clock || *clock < 0 || *clock >= day_ns) {
    return std::nullopt;
  }
  return *days * day_ns + *clock - offset_ns;
}

bool is_iso_with_offset(const std::string& text) {
  static const std::regex form(
      R"((\d{4}|[+-]\d{4,8})-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?))");
  return std::regex_match(text, form);
}

/// A point in time with an offset, or with a year that has a sign or is 0000: read whatever the formats.
bool is_iso(const std::string& text, type_id to) {
  static const std::regex date(R"(([+-]\d{4,8}|0000)-\d\d-\d\d)");
  static const std::regex stamp(R"(([+-]\d{4,8}|0000)-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?)");
  return std::regex_match(text, to == type_id::date ? date : stamp) ||
         (to == type_id::instant && is_iso_with_offset(text));
}

int128 floor_of(int128 a, int128 b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::string date_text(int128 days) {
  const int128 cycles = floor_of(days, 146097);
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days - cycles * 146097)))};
  const auto year = static_cast<std::int64_t>(int{date.year()} + 400 * cycles);
  const std::string_view sign = year < 0 ? "-" : (year > 9999 ? "+" : "");
  return fmt::format("{}{:04}-{:02}-{:02}", sign, year < 0 ? -year : year, unsigned{date.month()},
                     unsigned{date.day()});
}

std::string clock_text(int128 nanos, unsigned digits) {
  const bool negative = nanos < 0;
  const int128 magnitude = negative ? -nanos : nanos;
  const auto seconds = static_cast<std::int64_t>(magnitude / second_ns);
  std::string text = fmt::format("{}{:02}:{:02}:{:02}", negative ? "-" : "", seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  if (digits != 0) {
    text += "." + fmt::format("{:09}", static_cast<std::int64_t>(magnitude % second_ns)).substr(0, digits);
  }
  return text;
}

reference_answer time_to_utf8(const data_type& from, const std::string& text, int128 nanos) {
  if (from.id == type_id::duration) {
    return {true, text};
  }
  const unsigned digits = nanos % second_ns == 0 ? 0 : from.fraction_digits;
  if (from.id == type_id::time_of_day) {
    return {true, clock_text(nanos, digits)};
  }
  const int128 days = floor_of(nanos, day_ns);
  const std::string date = date_text(days);
  const bool plain_year = date.size() == 10 && date.substr(0, 4) != "0000";
  return {plain_year,
          from.id == type_id::date ? date : date + " " + clock_text(nanos - days * day_ns, digits)};
}

reference_answer time_to(const data_type& from, const std::string& text, const data_type& to) {
  const bool points = to.id == type_id::date || to.id == type_id::timestamp || to.id == type_id::instant;
  if ((text == "infinity" || text == "-infinity") && (points || to.id == type_id::utf8) &&
      from.id != type_id::time_of_day) {
    return {true, text};
  }
  std::optional<int128> nanos = nanos_of(text, from.id == type_id::utf8 ? to.id : from.id);
  if (!nanos) {
    return {};
  }
  const bool has_offset = from.id == type_id::utf8 && to.id == type_id::instant && is_iso_with_offset(text);
  const bool from_wall = from.id != type_id::instant && !has_offset;
  const bool to_wall = to.id != type_id::instant;
  *nanos += from_wall && !to_wall ? -shift_ns : (!from_wall && to_wall ? shift_ns : int128{0});
  if (to.id == type_id::utf8) {
    return time_to_utf8(from, text, *nanos);
  }
  if (to.id == type_id::date) {
    const int128 days = floor_of(*nanos, day_ns);
    return {*nanos % day_ns == 0 && days > INT32_MIN && days < INT32_MAX, date_text(days)};
  }
  const int128 unit_ns = power(9 - static_cast<unsigned>(to.unit));
  if (*nanos % power(9U - to.fraction_digits) != 0) {
    return {};
  }
  const int128 units = *nanos / unit_ns;
  if (to.id == type_id::time_of_day || to.id == type_id::duration) {
    const bool fits = to.id == type_id::duration ? units >= INT64_MIN && units <= INT64_MAX
                                                 : *nanos >= 0 && *nanos <= day_ns;
    return {fits, clock_text(*nanos, to.fraction_digits)};
  }
  const int128 days = floor_of(*nanos, day_ns);
  return {
      units > INT64_MIN && units < INT64_MAX && days > INT32_MIN && days < INT32_MAX,
      date_text(days) + "T" + clock_text(*nanos - days * day_ns, to.fraction_digits) + (to_wall ? "" : "Z")};
}

/// Whether the text is in one of the default formats that serve the type, with any fraction.
bool is_in_format(const std::string& text, type_id to) {
  static const std::regex datetime(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?)");
  static const std::regex date(R"(\d{4}-\d\d-\d\d|\d{8})");
  static const std::regex clock(R"(\d\d:\d\d:\d\d(\.\d+)?)");
  if (to == type_id::duration) {
    return true;
  }
  if (to == type_id::time_of_day) {
    return std::regex_match(text, clock);
  }
  if (text == "infinity" || text == "-infinity") {
    return true;
  }
  return is_iso(text, to) ||
         ((std::regex_match(text, datetime) || std::regex_match(text, date)) && text.substr(0, 4) != "0000");
}

std::uint64_t count_characters(const std::string& text) {
  std::uint64_t n = 0;
  for (const char c : text) {
    n += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }
  return n;
}

}  // namespace

std::string plain_number(const std::string& text) {
  if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
    return text;
  }
  if (text == "nan" || text == "inf" || text == "-inf") {  // as fmt writes them
    return text == "nan" ? "NaN" : (text == "inf" ? "Infinity" : "-Infinity");
  }
  static const std::regex form(R"(([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?)");
  std::smatch m;
  if (!std::regex_match(text, m, form) || (m[2].length() == 0 && m[3].length() == 0)) {
    return "";
  }
  std::string whole = m[2];
  std::string fraction = m[3];
  const long exponent =
      m[4].length() == 0 ? 0 : std::clamp<long>(std::strtol(m[4].str().c_str(), nullptr, 10), -3000, 3000);
  for (int i = 0; i < exponent; ++i) {
    whole += fraction.empty() ? '0' : fraction[0];
    fraction.erase(0, 1);
  }
  for (int i = 0; i > exponent; --i) {
    fraction.insert(0, 1, whole.empty() ? '0' : whole.back());
    whole.resize(whole.empty() ? 0 : whole.size() - 1);
  }
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return (m[1] == "-" ? "-" : "") + (whole.empty() ? "0" : whole) + "." + fraction;
}

reference_answer reference_conversion(const data_type& from, const std::string& text, const data_type& to) {
  reference_answer answer;
  const bool to_time = to.id >= type_id::date;
  if (from.id >= type_id::date) {
    answer = time_to(from, text, to);
  } else if (from.id == type_id::boolean) {
    const std::string number = text == "true" ? "1" : "0";
    answer = to.id == type_id::utf8 || to.id == type_id::boolean
                 ? reference_answer{true, text}
                 : number_to(type_of(type_id::int64), number, to);
  } else if (is_number(from.id)) {
    answer = number_to(from, text, to);
  } else if (from.id == type_id::binary || to.id == type_id::binary || to.id == type_id::utf8) {
    answer = {true, text};
  } else if (to.id == type_id::boolean) {
    std::string word = text;
    for (char& c : word) {
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    answer = {word == "true" || word == "false", word};
  } else if (to_time) {
    std::string form = text;
    if (std::regex_match(text, std::regex(R"(\d{8})"))) {
      form = text.substr(0, 4) + "-" + text.substr(4, 2) + "-" + text.substr(6);
    }
    answer = is_in_format(text, to.id) ? time_to(from, form, to) : reference_answer{};
  } else {
    answer = number_to(from, text, to);
  }
  if (answer.fits && to.id == type_id::utf8 && to.length_max != 0) {
    answer.fits = (to.length_unit == length_in::bytes ? answer.text.size() : count_characters(answer.text)) <=
                  to.length_max;
  }
  return answer;
}

}  // namespace sluice::test
