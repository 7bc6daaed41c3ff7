#pragma once

#include <optional>
#include <string>

#include "transport/base/secret.h"

namespace sluice {

/// Asks a person at a terminal, line by line. One thread.
class terminal {
 public:
  /// `in_fd` is a terminal; questions go to `out_fd`.
  terminal(int in_fd, int out_fd) : in_fd_(in_fd), out_fd_(out_fd) {}

  /// The answer without its line end; nothing at the end of the input.
  std::optional<std::string> ask(const std::string& question);
  /// The same without showing what is typed. The terminal's echo comes back in any case, also after Ctrl-C;
  /// then there is no answer.
  std::optional<secret> ask_hidden(const std::string& question);

 private:
  std::optional<std::string> read_line() const;

  int in_fd_;
  int out_fd_;
};

}  // namespace sluice
