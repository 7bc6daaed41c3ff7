#include "tools/cli/job_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "tools/cli/job_source.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

/// More are a mistake, such as a folder of data.
constexpr std::size_t jobs_max = 10'000;

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

result<std::vector<std::string>> files_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code trouble;
  fs::recursive_directory_iterator at(folder, trouble);
  for (const fs::recursive_directory_iterator end; !trouble && at != end; at.increment(trouble)) {
    std::error_code ignored;
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
    } else if (at->path().extension() == ".json" && at->is_regular_file(ignored)) {
      found.push_back(at->path().string());
      if (found.size() > jobs_max) {
        return fail(error_kind::bad_option, "{}: more than {} files end in .json; name a smaller folder",
                    escaped(folder), with_thousands(jobs_max));
      }
    }
  }
  if (trouble) {
    return fail(error_kind::bad_option, "{}: the folder cannot be read: {}", escaped(folder),
                trouble.message());
  }
  if (found.empty()) {
    return fail(error_kind::bad_option, "{}: no file in this folder ends in .json", escaped(folder));
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// One name for a file however it is written.
std::string identity(const std::string& file) {
  std::error_code trouble;
  const fs::path whole = fs::weakly_canonical(file, trouble);
  return trouble || file == standard_input ? file : whole.string();
}

/// The last `parts` parts of the path, without `.json`.
std::string label_of(const std::string& file, std::size_t parts) {
  if (file == standard_input) {
    return job_name_of_file(file);
  }
  const fs::path path = fs::path(file).lexically_normal();
  std::vector<std::string> pieces;
  for (const auto& piece : path) {
    pieces.push_back(piece.string());
  }
  std::string label = path.extension() == ".json" ? path.stem().string() : path.filename().string();
  for (std::size_t i = 1; i < parts && i < pieces.size(); ++i) {
    const std::string& piece = pieces[pieces.size() - 1 - i];
    label = piece == "/" ? "/" + label : piece + "/" + label;
  }
  return label;
}

/// Lengthens the labels of those that share one until each has its own; at last the file's name as given.
void put_labels(std::vector<listed_job>& jobs) {
  constexpr std::size_t parts_max = 32;
  for (std::size_t parts = 1; parts <= parts_max; ++parts) {
    std::map<std::string, std::vector<listed_job*>> by_label;
    for (listed_job& job : jobs) {
      if (job.label.empty()) {
        by_label[label_of(job.file, parts)].push_back(&job);
      }
    }
    for (const auto& [label, those] : by_label) {
      if (those.size() == 1) {
        those.front()->label = label;
      }
    }
  }
  std::set<std::string> taken;
  for (listed_job& job : jobs) {
    std::string label = job.label.empty() ? job.file : job.label;
    for (int n = 2; !taken.insert(label).second; ++n) {
      label = fmt::format("{} ({})", job.label.empty() ? job.file : job.label, n);
    }
    job.label = label;
  }
}

}  // namespace

bool names_several(const std::vector<std::string>& given) {
  std::error_code ignored;
  return given.size() > 1 || (given.size() == 1 && fs::is_directory(given.front(), ignored));
}

result<job_list> list_jobs(const std::vector<std::string>& given) {
  job_list list;
  std::set<std::string> seen;
  for (const std::string& name : given) {
    std::vector<std::string> files{name};
    std::error_code ignored;
    if (name != standard_input && fs::is_directory(name, ignored)) {
      SLUICE_TRY(files, files_in(name));
    }
    for (const std::string& file : files) {
      if (!seen.insert(identity(file)).second) {
        list.notices.push_back(fmt::format("{} is named twice; it counts once",
                                           file == standard_input ? "standard input" : escaped(file)));
        continue;
      }
      list.jobs.push_back({file, {}});
    }
  }
  if (list.jobs.size() > jobs_max) {
    return fail(error_kind::bad_option, "{} jobs are too many; at most {} at once",
                with_thousands(list.jobs.size()), with_thousands(jobs_max));
  }
  put_labels(list.jobs);
  return list;
}

}  // namespace sluice
