#pragma once

#include <optional>
#include <string>
#include <utility>

#include "transport/base/result.h"

namespace sluice {

/// Collects what is wrong with options that do not depend on each other, so that a user is told of all in one
/// go. One thread.
class option_mistakes {
 public:
  /// Puts the value into `to`, or notes the mistake and leaves `to` as it is. Whether there was a value.
  template <class T, class U>
  bool take(result<T> answer, U& to) {
    if (!answer) {
      note(answer.error());
      return false;
    }
    to = std::move(*answer);
    return true;
  }
  /// Notes the mistake where there is one. Whether there was none.
  template <class T>
  bool check(const result<T>& answer) {
    if (!answer) {
      note(answer.error());
    }
    return answer.has_value();
  }

  [[nodiscard]] bool any() const { return first_.has_value(); }
  /// A failure with a line for each mistake, in the order they were noted and of the first one's kind.
  [[nodiscard]] result<void> all() const { return first_ ? result<void>(fail(*first_)) : result<void>(); }

 private:
  void note(const error& why) {
    if (!first_) {
      first_ = why;
    } else if (("\n" + first_->message + "\n").find("\n" + why.message + "\n") == std::string::npos) {
      first_->message += "\n" + why.message;
    }
  }

  std::optional<error> first_;
};

}  // namespace sluice
