#include "plugins/mysql/mysql_json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number in parts, without its sign: `12.50e3` is the digits 1250, of which 2 stand behind the point, and
/// the exponent 3.
struct number_parts {
  std::string digits;
  int behind_point = 0;
  int exponent = 0;
};

number_parts parts_of(std::string_view number) {
  number_parts out;
  std::size_t at = number.starts_with('-') ? 1 : 0;
  bool behind = false;
  for (; at < number.size() && number[at] != 'e' && number[at] != 'E'; ++at) {
    if (!is_digit(number[at])) {
      behind = true;
      continue;
    }
    out.digits += number[at];
    out.behind_point += behind ? 1 : 0;
  }
  if (at < number.size()) {
    at += number[at + 1] == '+' ? 2 : 1;
    const auto [end, failure] =
        std::from_chars(number.data() + at, number.data() + number.size(), out.exponent);
    if (failure != std::errc()) {  // a number that is zero, or is refused for its size
      out.exponent = number[at] == '-' ? std::numeric_limits<int>::min() / 2 : 0;
    }
  }
  return out;
}

/// The digits without zeros at either end, and the power of ten of the last one: equal numbers have equal
/// ones.
std::pair<std::string, std::int64_t> plain(const number_parts& n) {
  const std::size_t first = n.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    return {"", 0};
  }
  const std::size_t last = n.digits.find_last_not_of('0');
  return {n.digits.substr(first, last + 1 - first),
          std::int64_t{n.exponent} - n.behind_point + static_cast<std::int64_t>(n.digits.size() - 1 - last)};
}

double scaled(double d, int power) {
  const auto ten_to = [](int n) { return std::strtod(fmt::format("1e{}", n).c_str(), nullptr); };
  constexpr int power_max = 308;
  if (power >= 0) {
    return power > power_max ? HUGE_VAL : d * ten_to(power);
  }
  if (power >= -power_max) {
    return d / ten_to(-power);
  }
  return power < -2 * power_max ? 0.0 : d / ten_to(power_max) / ten_to(-power - power_max);
}

/// The double that MySQL makes of a number: RapidJSON's `ParseNumber` without kParseFullPrecisionFlag, which
/// is up to three units off in the last place where there are more than 15 digits or large exponents. MySQL 8
/// was seen to change one in six of random doubles written with 17 digits. `fused`: multiplied and added in
/// one step, as compilers do it for ARM.
double as_mysql_reads(std::string_view number, const number_parts& n, bool fused) {
  constexpr std::uint64_t exact_max = (std::uint64_t{1} << 53) - 1;
  constexpr int digits_max = 17;
  const std::uint64_t integer_max = number.starts_with('-') ? std::uint64_t{1} << 63 : ~std::uint64_t{0};
  const std::size_t whole = n.digits.size() - static_cast<std::size_t>(n.behind_point);
  std::uint64_t integer = 0;
  double d = 0;
  bool is_double = false;
  int counted = 0;
  int power = 0;
  const auto add = [&](unsigned digit) { d = fused ? std::fma(d, 10.0, digit) : d * 10.0 + digit; };
  for (std::size_t i = 0; i < n.digits.size(); ++i) {
    const auto digit = static_cast<unsigned>(n.digits[i] - '0');
    if (i < whole) {
      if (!is_double && (integer > integer_max / 10 || integer * 10 > integer_max - digit)) {
        is_double = true;
        d = static_cast<double>(integer);
      }
      if (is_double) {
        add(digit);
        continue;
      }
      integer = integer * 10 + digit;
      counted += i == 0 ? 0 : 1;
      continue;
    }
    if (!is_double && integer <= exact_max) {
      integer = integer * 10 + digit;
      --power;
      counted += integer != 0 ? 1 : 0;
      continue;
    }
    if (!is_double) {
      is_double = true;
      d = static_cast<double>(integer);
    }
    if (counted < digits_max) {
      add(digit);
      --power;
      counted += d > 0 ? 1 : 0;
    }
  }
  if (!is_double) {
    d = static_cast<double>(integer);
  }
  return scaled(d, n.exponent + power);
}

/// Follows the parser through a document, and stops it at the first thing that would not stay.
class document_check {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return true; }
  bool boolean(bool /*value*/) { return true; }
  bool number_integer(number_integer_t /*value*/) { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) { return true; }
  bool number_float(number_float_t /*value*/, const string_t& text) {
    if (stays_equal(text)) {
      return true;
    }
    found_.code = dirty_code::not_exact;
    found_.message = fmt::format(
        "MySQL's JSON would round the number {}; write it as a text, or into a column "
        "LONGTEXT",
        escaped(text));
    return false;
  }
  bool string(const string_t& /*value*/) { return true; }
  bool binary(const binary_t& /*value*/) { return true; }
  bool start_object(std::size_t /*elements*/) {
    keys_.emplace_back();
    return true;
  }
  bool key(const string_t& name) {
    if (keys_.back().insert(name).second) {
      return true;
    }
    found_.code = dirty_code::duplicate_key;
    found_.message =
        fmt::format("an object has the key {} twice, of which MySQL's JSON would keep the last one only",
                    in_quotes(name));
    return false;
  }
  bool end_object() {
    keys_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*elements*/) { return true; }
  bool end_array() { return true; }
  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::json::exception& e) {
    constexpr int number_too_big = 406;
    found_.is_json = false;
    found_.message = e.id == number_too_big ? "a number of the text is beyond what JSON of MySQL holds"
                                            : "the text is no valid JSON";
    return false;
  }

  [[nodiscard]] const json_problem& found() const { return found_; }

 private:
  json_problem found_;
  std::vector<std::unordered_set<std::string>> keys_;  ///< Of the objects that are open.
};

}  // namespace

bool stays_equal(std::string_view number) {
  const number_parts n = parts_of(number);
  const auto value = plain(n);
  // With so few digits the double is the nearest one by any way to read it, and gives the digits back.
  constexpr std::size_t digits_safe = 15;
  constexpr int power_safe = 22;
  if (value.first.empty() ||
      (n.digits.size() <= digits_safe && std::abs(n.exponent - n.behind_point) <= power_safe)) {
    return true;
  }
  const double nearest = std::abs(std::strtod(std::string(number).c_str(), nullptr));
  if (!std::isfinite(nearest) || as_mysql_reads(number, n, false) != nearest ||
      as_mysql_reads(number, n, true) != nearest) {
    return false;
  }
  return plain(parts_of(fmt::format("{}", nearest))) == value;
}

json_problem check_json(std::string_view document) {
  document_check check;
  nlohmann::json::sax_parse(document, &check);
  return check.found();
}

}  // namespace sluice::mysql
