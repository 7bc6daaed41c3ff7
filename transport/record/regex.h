#pragma once

#include <memory>
#include <string_view>

#include "transport/base/result.h"

namespace re2 {
class RE2;
}

namespace sluice {

/// A regular expression that a whole text must match, in the part of Java's syntax that means the same to
/// RE2, which never takes more than linear time. Immutable, for any thread. Wraps RE2.
class whole_regex {
 public:
  /// `bad_option` with the place in the pattern where it uses what RE2 lacks (look-around, back references,
  /// possessive quantifiers, classes inside classes, named groups) or is no regular expression.
  static result<whole_regex> make(std::string_view pattern);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  explicit whole_regex(std::shared_ptr<const re2::RE2> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace sluice
