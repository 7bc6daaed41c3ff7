#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "transport/base/secret.h"
#include "transport/base/stop.h"

namespace sluice {

/// How long a `${cmd:…}` may take.
inline constexpr std::chrono::seconds secret_command_timeout{30};
/// No password, token or key is longer.
inline constexpr std::size_t secret_bytes_max = std::size_t{64} << 10;

/// Looks the references of secrets up, anew at each call: what was rotated since the last connection is
/// found. One a process or run; thread-safe.
class secret_resolver {
 public:
  struct surroundings {
    /// Reads one environment variable; nothing where it is not set.
    std::function<std::optional<std::string>(const char* name)> variable;
    /// Told each value found, so that it can be taken out of whatever is shown from then on. May be empty.
    std::function<void(std::string_view)> found;
    /// Takes what must not be shown out of a text; for what a command says on its standard error. May be
    /// empty.
    std::function<std::string(std::string)> mask;
    /// One line for log and summary: a file with a secret that others may read, told once. May be empty.
    std::function<void(std::string)> warn;
    std::chrono::milliseconds command_timeout = secret_command_timeout;
  };
  explicit secret_resolver(surroundings around) : around_(std::move(around)) {}

  /// The secret in clear. `denied` where a variable is not set, or a file cannot be read or is too large;
  /// `not_connected` where a command fails, prints nothing or does not end in time, because who issues tokens
  /// may be back soon; `cancelled`. A message names the reference and its place, never a value. One line end
  /// behind the value of a file or a command is not part of it.
  result<secret> resolve(const secret_text& written, const stop_signal& stop);

 private:
  result<secret> look_up(const secret_part& part, const secret_text& whole, const stop_signal& stop);
  result<secret> read_file(const secret_part& part, const secret_text& whole);
  result<secret> run_command(const secret_part& part, const secret_text& whole, const stop_signal& stop);

  surroundings around_;
  std::mutex mutex_;
  std::set<std::string> warned_;  ///< Files told to be open to others.
};

}  // namespace sluice
