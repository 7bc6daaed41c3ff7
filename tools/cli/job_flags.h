#pragma once

#include <string>
#include <vector>

#include "tools/cli/command_syntax.h"
#include "tools/cli/job_arguments.h"

namespace sluice {

/// `--datasources` and, where a variant is chosen, `--env`.
class registry_flags {
 public:
  /// Tells CLI11 the flags. `app` keeps references into this object.
  void describe(CLI::App& app);
  [[nodiscard]] result<registry_arguments> given() const;

 private:
  std::string file_, env_;
};

/// `--header` and `--no-header` of the commands that look at a source.
class heading_flags {
 public:
  /// Tells CLI11 the flags. `app` keeps references into this object.
  void describe(CLI::App& app);
  /// Nothing where neither was given.
  [[nodiscard]] result<std::optional<bool>> given() const;

 private:
  bool with_ = false, without_ = false;
};

/// The flags of `job_arguments`. A member of the syntax of each command that takes a job, and gone with it.
class job_flags {
 public:
  /// Tells CLI11 the flags. `app` keeps references into this object.
  void describe(CLI::App& app);
  /// Fills `to` with what was given; `bad_option` where a value is wrong.
  /// With `range` a range of business dates is taken: `range` gets its days, and `to` the first. Else it is
  /// refused.
  result<void> put_into(job_arguments& to, std::vector<planned_request>* range = nullptr) const;

 private:
  std::vector<std::string> parameters_, parameter_files_, set_;
  planned_flags planned_;
  std::string name_, time_zone_, compat_;
  registry_flags datasources_;
  bool strict_ = false;
};

}  // namespace sluice
