// Any bytes as scheduling parameters: the first line is a text of a job, each further line a parameter. A
// value or messages, never a crash; each date expression of the text is evaluated a second time by a slow
// reader of its own, which prints through the C library, and both must agree.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "jobspec/date_expression.h"
#include "jobspec/parameter_file.h"
#include "jobspec/parameters.h"

namespace {

using namespace sluice;

// 2024-02-29 12:34:56, as a number of seconds and as the planned time.
constexpr std::time_t planned_s = 1709210096;

/// A product such as 15/24/60, as a part of a day in seconds; walks at most the text once.
double product(std::string_view& rest) {
  double value = 0;
  char operation = 0;
  for (;;) {
    double n = 0;
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
      n = n * 10 + (rest[0] - '0');
      rest.remove_prefix(1);
    }
    value = operation == '*' ? value * n : operation == '/' ? value / n : n;
    if (rest.empty() || (rest[0] != '*' && rest[0] != '/')) {
      return value;
    }
    operation = rest[0];
    rest.remove_prefix(1);
  }
}

/// strftime's pattern for a format; its end is left in `rest`.
std::string pattern(std::string_view& rest) {
  static constexpr std::pair<const char*, const char*> codes[] = {
      {"yyyy", "%Y"}, {"yy", "%y"},   {"mm", "%m"}, {"mi", "%M"}, {"dd", "%d"},
      {"hh24", "%H"}, {"hh12", "%I"}, {"hh", "%H"}, {"ss", "%S"}};
  std::string out;
  while (!rest.empty() && rest[0] != ',') {
    bool found = false;
    for (const auto& [code, format] : codes) {
      if (rest.starts_with(code)) {
        out += format;
        rest.remove_prefix(std::string_view(code).size());
        found = true;
        break;
      }
    }
    if (!found &&
        (rest[0] == '+' || (rest[0] == '-' && rest.size() > 1 && rest[1] >= '0' && rest[1] <= '9'))) {
      break;
    }
    if (!found) {
      out += rest[0];
      rest.remove_prefix(1);
    }
  }
  return out;
}

void add_months(std::tm& t, double count) {
  const int day = t.tm_mday;
  t.tm_mday = 1;
  t.tm_mon += static_cast<int>(count);
  timegm(&t);
  // The first of the next month, a day back, is the last of this one.
  std::tm end = t;
  end.tm_mon += 1;
  end.tm_mday = 0;
  timegm(&end);
  t.tm_mday = day < end.tm_mday ? day : end.tm_mday;
}

/// What an expression that was accepted must come to; nothing for DolphinScheduler's letters.
std::optional<std::string> slowly(std::string_view written) {
  const bool business = written[1] == '{';
  std::string_view rest = written.substr(2, written.size() - 3);
  if (rest.find('M') != std::string_view::npos || rest.find('H') != std::string_view::npos) {
    return std::nullopt;
  }
  std::time_t at = planned_s - (business ? 86400 : 0);
  std::tm t{};
  gmtime_r(&at, &t);
  std::string format;
  if (rest.starts_with("add_months(")) {
    rest.remove_prefix(11);
    format = pattern(rest);
    rest.remove_prefix(1);
    const bool minus = rest.starts_with('-');
    rest.remove_prefix(minus || rest.starts_with('+') ? 1 : 0);
    const double count = product(rest);
    add_months(t, minus ? -count : count);
    rest.remove_prefix(1);
  } else {
    format = pattern(rest);
  }
  while (!rest.empty()) {
    const double sign = rest[0] == '-' ? -1 : 1;
    rest.remove_prefix(1);
    const double count = sign * product(rest);
    if (!business) {
      const std::time_t then = timegm(&t) + static_cast<std::time_t>(std::llround(count * 86400));
      gmtime_r(&then, &t);
    } else if (format.find("%d") != std::string::npos) {
      const std::time_t then = timegm(&t) + static_cast<std::time_t>(count) * 86400;
      gmtime_r(&then, &t);
    } else {
      add_months(t, format.find("%m") != std::string::npos ? count : 12 * count);
    }
  }
  timegm(&t);
  // strftime does not fill a year up to four digits.
  const std::string year = std::to_string(10000 + t.tm_year + 1900).substr(1);
  for (std::size_t i = format.find("%Y"); i != std::string::npos; i = format.find("%Y", i + 4)) {
    format.replace(i, 2, year);
  }
  std::string out(format.size() * 4 + 16, '\0');
  out.resize(std::strftime(out.data(), out.size(), format.c_str(), &t));
  return out;
}

void compare(std::string_view text, const planned_time& planned) {
  replace_variables(text, [&](const written_variable& found, std::string&) {
    using form = written_variable::form;
    if (found.kind != form::braces && found.kind != form::brackets) {
      return;
    }
    const auto parsed = date_expression::parse(found.whole);
    const auto value = parsed ? parsed->value(planned) : result<std::string>(std::string());
    if (!parsed || !value) {
      return;
    }
    const auto expected = slowly(found.whole);
    if (expected && *expected != *value) {
      std::abort();
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = input.substr(0, input.find('\n'));
  const std::string_view rest = input.substr(std::min(text.size() + 1, input.size()));
  given_parameters given;
  if (auto read = read_parameter_file("p", rest)) {
    given = std::move(*read);
  }
  const auto asked = planned_times({.cyctime = "2024-02-29 12:34:56"});
  const planned_time planned = planned_for(asked.value().front(), {}, "UTC");
  compare(text, planned);
  for (const auto& [name, one] : given) {
    compare(one.text, planned);
  }
  for (const dialect form : {dialect::script2, dialect::datax}) {
    nlohmann::json document = {{"x", std::string(text)}};
    findings out("j", nullptr, false);
    const substitution done = substitute(document, form, {given, &planned}, out);
    // Nothing to put in, nothing said: the text stays as it is.
    if (done.uses.empty() && !out.any_error() && document["x"].get_ref<const std::string&>() != text) {
      std::abort();
    }
  }
  // DataX's own form goes into the file before that is JSON.
  for (auto& [name, one] : given) {
    one.literal = true;
  }
  for (const bare_paths& bare : {bare_paths{}, bare_paths{"x[1]", "x[2].y"}}) {
    const std::string word(text);
    nlohmann::json document = {{"x", {word, word, {{"y", word}}}}};
    findings out("j", nullptr, false);
    const substitution done = substitute(document, dialect::datax, {given, &planned}, out, bare);
    json_places places = {{"x[0]", {1, 1}}, {"x[1]", {1, 2}}, {"x[2]", {1, 3}}, {"x[2].y", {1, 4}}};
    move_places(places, done.growths);
    if (!document.is_object() || !document.contains("x") || places.size() > document["x"].size() + 1) {
      std::abort();
    }
  }
  return 0;
}
