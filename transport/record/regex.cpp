#include "transport/record/regex.h"

#include <re2/re2.h>

#include <optional>

#include "transport/base/text.h"

namespace sluice {
namespace {

struct finding {
  std::size_t at;
  std::string_view what;
};

/// What both understand, but not alike: Java joins and intersects classes inside classes, where RE2 sees
/// plain characters, and its flag U is another one.
std::optional<finding> find_other_meaning(std::string_view pattern) {
  bool in_class = false;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const std::string_view rest = pattern.substr(at);
    if (rest.starts_with("\\Q") && !in_class) {
      const std::size_t end = pattern.find("\\E", at);
      if (end == std::string_view::npos) {
        return std::nullopt;
      }
      at = end + 1;
    } else if (rest.starts_with("\\C")) {
      return finding{at, "\\C is not supported"};
    } else if (rest.starts_with('\\')) {
      ++at;
    } else if (in_class) {
      if (rest.starts_with('[') || rest.starts_with("&&")) {
        return finding{at, "classes inside classes are not supported; write one class"};
      }
      in_class = !rest.starts_with(']');
    } else if (rest.starts_with('[')) {
      in_class = true;
      at += rest.starts_with("[^") ? 1 : 0;
      at += pattern.substr(at + 1).starts_with(']') ? 1 : 0;  // a bracket that comes first is a character
    } else if (rest.starts_with("(?")) {
      const std::size_t end = rest.find_first_not_of("imsUx-", 2);
      if (rest.substr(0, end).find('U') != std::string_view::npos) {
        return finding{at, "the flag U is not supported"};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

result<whole_regex> whole_regex::make(std::string_view pattern) {
  const auto wrong = [pattern](std::size_t at, std::string_view what) {
    return fail(error_kind::bad_option, "regular expression {}, character {}: {}", in_quotes(pattern), at + 1,
                what);
  };
  if (const auto other = find_other_meaning(pattern)) {
    return wrong(other->at, other->what);
  }
  RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_shared<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) {
    // RE2 names the piece it stumbled over; the first such piece in the pattern is the place.
    const std::size_t at = pattern.find(compiled->error_arg());
    return wrong(at == std::string_view::npos ? 0 : at,
                 compiled->error() +
                     " (look-around, back references, possessive quantifiers and named groups are not "
                     "supported)");
  }
  return whole_regex(std::move(compiled));
}

bool whole_regex::matches(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace sluice
