#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/supervise/look.h"
#include "actors/supervise/run.h"
#include "jobspec/job.h"
#include "plugins/api/plugin.h"
#include "tools/cli/configuration.h"
#include "tools/cli/environment.h"

namespace sluice {

/// Exit codes of the program (DESIGN section 8).
inline constexpr int exit_success = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong_use = 2;
inline constexpr int exit_stopped = 143;
/// The run was taken over by another process (`--if-running takeover`), which goes on with it.
inline constexpr int exit_taken_over = 98;
/// `--if-running skip`. Airflow takes this code of a shell command for "skipped".
inline constexpr int exit_skipped = 99;

/// What the program needs of the world. `main` puts the real parts in, tests put in theirs. Outlives the call
/// it is given to.
struct program {
  environment variable;
  configuration configured;  ///< Read with `variable` before any command but help and version.
  std::string system_root;   ///< Put before /etc, /proc and /sys; empty but in tests.
  const std::vector<plugin>* plugins = nullptr;
  std::function<tl::expected<job, job_errors>(const std::string& file, const load_options& options,
                                              const plugin_lookup& plugins)>
      load;
  std::function<run_summary(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                            const run_settings& settings, run_observer& observer, const stop_signal& stop)>
      execute;
  std::function<job_look(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                         const look_settings& settings, const stop_signal& stop)>
      look;
  std::function<std::uint64_t()> unix_ms;
  std::function<void()> exit_now;  ///< Ends the process with `exit_stopped`, from any thread.
  int in_fd = 0;
  int out_fd = 1;
  /// Set where something could not be written to `out_fd`: the program does not end with 0 then, unless it
  /// has run a job.
  std::shared_ptr<std::atomic<bool>> out_failed = std::make_shared<std::atomic<bool>>(false);
  int err_fd = 2;
  bool in_is_terminal = false;
  bool err_is_terminal = false;
};

/// All of `text` to the descriptor. The `errno` of the write that failed, or 0.
int write_out(int fd, std::string_view text);

/// What a command is asked for, to standard output. Where that fails, standard error says why, and
/// `out_failed` is set; a reader that has gone (`| head`) needs no word. Thread-safe.
void print_out(const program& parts, std::string_view text);

}  // namespace sluice
