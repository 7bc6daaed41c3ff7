#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/plan/column_pairs.h"
#include "tools/cli/command_line.h"
#include "tools/cli/program.h"

namespace sluice {

/// What a check found of one job, best first.
enum class verdict {
  runs,
  runs_with_differences,  ///< As DataX would change values, asked for by `compat`.
  not_supported,          ///< It asks for what Sluice does not have yet, and nothing else is wrong.
  does_not_fit,           ///< Its text is right; an end refuses it.
  broken,                 ///< Its text is wrong.
};
/// `runs`, `runs with differences`, `not supported`, `does not fit`, `broken`.
std::string_view to_string(verdict v);

/// One job's row; secrets are masked already.
struct checked_job {
  std::string file;
  verdict found = verdict::runs;
  std::vector<std::string> problems;  ///< Why it does not run, a line each.
  std::vector<std::string> warnings;
  std::vector<std::string> differences;    ///< What `compat` changes, a line each.
  std::vector<std::string> not_supported;  ///< `reader mongodb`.
  std::vector<std::string> notes;          ///< What the ends say, and what is not compared.
  std::vector<column_pair> pairs;
};

/// Checks one job as `arguments` say. Changes nothing.
checked_job check_job(const std::string& file, const check_arguments& arguments, const program& parts);

/// What is shown of the jobs: one with its columns, several as a table with the counts at its end.
std::string check_text(const std::vector<checked_job>& jobs, bool offline);
/// The same as JSON (docs/plan.md).
std::string check_json(const std::vector<checked_job>& jobs);

/// 0 where all run, 2 where the text of one is broken, else 1.
int exit_code_of(const std::vector<checked_job>& jobs);

/// `sluice check`: returns the exit code.
int check_command(const check_arguments& arguments, const program& parts);

}  // namespace sluice
