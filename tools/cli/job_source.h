#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jobspec/job.h"

namespace sluice {

/// How a command line names standard input in place of a job file.
inline constexpr std::string_view standard_input = "-";

/// What a job is called whose file has this name: the name without `.json`; `stdin` for standard input.
std::string job_name_of_file(const std::string& file);

/// Loads jobs from files and from standard input. That is read once and kept, so that a second load, or one
/// of a process forked later, has the same text. Used by one thread at a time.
class job_source {
 public:
  /// `input_fd` is standard input's; not owned.
  explicit job_source(int input_fd) : input_fd_(input_fd) {}

  /// As `load_job`; messages about standard input name it so.
  tl::expected<job, job_errors> load(const std::string& file, const load_options& options,
                                     const plugin_lookup& plugins);

 private:
  int input_fd_;
  std::optional<std::string> input_;
};

}  // namespace sluice
