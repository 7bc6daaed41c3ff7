#pragma once

#include <string>
#include <vector>

#include "transport/base/result.h"

namespace sluice {

/// A job as a command line of several names it.
struct listed_job {
  std::string file;  ///< As given, or found in a folder; `-` for standard input.
  /// Short, and unlike that of every other: the file's name without `.json`, with as many of its folders as
  /// it takes.
  std::string label;
  friend bool operator==(const listed_job&, const listed_job&) = default;
};

struct job_list {
  std::vector<listed_job> jobs;
  std::vector<std::string> notices;  ///< What is left out and why, a line each.
};

/// Whether the arguments ask for several jobs: more than one, or a folder.
bool names_several(const std::vector<std::string>& given);

/// The jobs that `given` names, in its order. A folder stands for its files that end in `.json`, those of its
/// folders included, by name; hidden ones are left out. A file named twice is in the list once. `bad_option`
/// for a folder without such a file, for one that cannot be read, and above 10,000 jobs. A file that is not
/// there is listed: loading it tells.
result<job_list> list_jobs(const std::vector<std::string>& given);

}  // namespace sluice
