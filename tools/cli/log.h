#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "transport/base/ids.h"
#include "transport/base/result.h"

namespace sluice {

enum class log_format { text, json };
enum class log_level { debug, info, warning, error };

/// What a log line knows beside its text.
struct log_place {
  std::string_view actor = {};  ///< Such as `reader 2`; empty = the program.
  std::int64_t split = -1;      ///< -1 = none.
};

/// The log of one run: to a function that shows lines to the user, and to the run folder's `run.log`. Texts
/// come with their values already escaped; a line break in one is escaped here, so that a line stays a line.
/// Thread-safe. The only home of spdlog.
class log {
 public:
  /// `show` gets each line of at least `level` with its line end, on the thread that logs; it must not log.
  static result<std::unique_ptr<log>> make(log_format format, log_level level, const run_id& run,
                                           std::function<void(std::string_view)> show);
  ~log();

  /// Appends to `path` (made with mode 0600) from now on, whatever the level shown; what was logged before is
  /// written there first. A former file is closed. `no_room` or `denied` with the path where it cannot be
  /// opened.
  result<void> open_file(const std::string& path);
  /// The run all later lines name.
  void set_run(const run_id& run);

  void write(log_level level, const log_place& place, std::string_view text);
  /// To the run folder's file only: for what the user sees in another form.
  void write_file_only(log_level level, std::string_view text);
  /// Why the file lacks lines, such as a full disk; empty where it lacks none.
  [[nodiscard]] std::string file_trouble() const;

 private:
  struct state;
  explicit log(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace sluice
