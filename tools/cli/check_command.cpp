#include "tools/cli/check_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/column_table.h"
#include "tools/cli/end_report.h"
#include "tools/cli/job_list.h"
#include "tools/cli/job_loading.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// A run now would be refused, and once another process has ended it would not.
bool passes_by_itself(const error& failure) {
  return failure.kind == error_kind::conflict && (failure.code == "claimed" || failure.code == "emptied");
}

/// `column 2 "id" to "key"`; a name that an end does not give is left out.
std::string pair_text(const column_pair& pair) {
  const auto named = [](const char* before, const field& f) {
    return f.name.empty() ? std::string() : fmt::format("{} {}", before, in_quotes(f.name));
  };
  return fmt::format("column {}{}{}", pair.index, named("", pair.from), named(" to", pair.to));
}

/// Everything of one job's check.
class job_check {
 public:
  job_check(const std::string& file, const check_arguments& arguments, const program& parts)
      : arguments_(arguments), parts_(parts), secrets_(arguments.parameters) {
    row_.file = file;
  }

  checked_job run() {
    auto loaded = load_for_command(row_.file, arguments_, parts_, secrets_);
    if (loaded) {
      for (const std::string& line : loaded->what.warnings) {
        row_.warnings.push_back(secrets_.apply(line));
      }
      look(*loaded);
    } else {
      const job_errors& errors = loaded.error();
      row_.not_supported = errors.not_supported;
      row_.found = errors.broken ? verdict::broken : verdict::not_supported;
      for (const std::string& line : errors.warnings) {
        row_.warnings.push_back(secrets_.apply(line));
      }
      for (const std::string& line : errors.lines) {
        row_.problems.push_back(secrets_.apply(line));
      }
    }
    return std::move(row_);
  }

 private:
  void refuse(verdict v, const std::string& why) {
    row_.found = v;
    // A message may have several lines: a mistake each.
    std::string_view rest = why;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      row_.problems.push_back(secrets_.apply(std::string(rest.substr(0, end))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }

  void look(const loaded_job& loaded) {
    zone_choice zone;
    if (auto chosen = choose_zone_for(loaded.what, arguments_, parts_, zone); !chosen) {
      refuse(zone.text_only ? verdict::broken : verdict::does_not_fit, chosen.error().message);
      return;
    }
    look_settings settings;
    settings.time_zone = zone.name;
    settings.open_ends = !arguments_.offline;
    settings.plan_splits = false;
    const job_look found = look_at_job(loaded, settings, parts_, secrets_);
    for (const std::string& line : found.warnings) {
      row_.warnings.push_back(secrets_.apply(line));
    }
    row_.pairs = found.pairs;
    take_notes(found);
    for (const column_pair& pair : found.pairs) {
      if (!pair.changes.empty()) {
        row_.found = verdict::runs_with_differences;
        row_.differences.push_back(fmt::format("{}: {}", pair_text(pair), pair.changes));
      }
    }
    if (!found.failure) {
      return;
    }
    if (passes_by_itself(*found.failure)) {
      // The job is right; only its moment is not: another process is at work on the destination.
      row_.warnings.push_back(secrets_.apply(found.failure->message));
      return;
    }
    refuse(found.wrong_job ? verdict::broken : verdict::does_not_fit, found.failure->message);
    for (const column_pair& pair : found.pairs) {
      if (pair.kind == conversion_kind::refused &&
          found.failure->message.find(pair.problem) == std::string::npos) {
        refuse(row_.found, fmt::format("{}: {}", pair_text(pair), pair.problem));
      }
    }
  }

  void take_notes(const job_look& found) {
    for (const auto* notes : {&found.source.notes, &found.target.what.notes}) {
      for (const std::string& line : *notes) {
        row_.notes.push_back(secrets_.apply(line));
      }
    }
    if (const auto* unfinished = std::get_if<go_on_with>(&found.next)) {
      row_.notes.push_back(fmt::format("An unfinished run {} is there: the next run continues it.",
                                       unfinished->run.run.text()));
    }
  }

  const check_arguments& arguments_;
  const program& parts_;
  secret_filter secrets_;
  checked_job row_;
};

using json = nlohmann::ordered_json;

std::map<std::string, std::size_t> missing_of(const std::vector<checked_job>& jobs) {
  std::map<std::string, std::size_t> missing;
  for (const checked_job& job : jobs) {
    for (const std::string& what : job.not_supported) {
      ++missing[what];
    }
  }
  return missing;
}

std::size_t count_of(const std::vector<checked_job>& jobs, verdict v) {
  return static_cast<std::size_t>(
      std::count_if(jobs.begin(), jobs.end(), [v](const checked_job& j) { return j.found == v; }));
}

constexpr verdict all_verdicts[] = {verdict::runs, verdict::runs_with_differences, verdict::not_supported,
                                    verdict::does_not_fit, verdict::broken};

std::string details_of(const checked_job& job, bool with_notes) {
  std::string out;
  const auto put = [&out](std::string_view kind, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      out += fmt::format("  {}{}\n", kind, line);
    }
  };
  put("", job.problems);
  put("warning: ", job.warnings);
  put("differs: ", job.differences);
  if (with_notes) {
    put("note: ", job.notes);
  }
  return out;
}

/// `not supported (reader mongodb)`.
std::string state_of(const checked_job& job) {
  const std::string_view word = to_string(job.found);
  return job.found == verdict::not_supported && !job.not_supported.empty()
             ? fmt::format("{} ({})", word, escaped(fmt::format("{}", fmt::join(job.not_supported, ", "))))
             : std::string(word);
}

std::string table_of(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  return fmt::format("{}\n", fmt::join(aligned(rows, right), "\n"));
}

/// A row for each job.
std::string jobs_table(const std::vector<checked_job>& jobs) {
  const auto number = [](std::size_t n) { return n == 0 ? "" : std::to_string(n); };
  std::vector<std::vector<std::string>> rows = {{"job", "state", "problems", "warnings"}};
  for (const checked_job& job : jobs) {
    rows.push_back(
        {escaped(job.file), state_of(job), number(job.problems.size()), number(job.warnings.size())});
  }
  return table_of(rows, {false, false, true, true});
}

/// What is asked for and not there, most asked first.
std::string missing_table(const std::vector<checked_job>& jobs) {
  const auto missing = missing_of(jobs);
  if (missing.empty()) {
    return {};
  }
  std::vector<std::pair<std::string, std::size_t>> sorted(missing.begin(), missing.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::vector<std::string>> rows = {{"not supported", "jobs"}};
  for (const auto& [what, n] : sorted) {
    rows.push_back({escaped(what), std::to_string(n)});
  }
  return "\n" + table_of(rows, {false, true});
}

std::string counts_line(const std::vector<checked_job>& jobs) {
  std::string out = fmt::format("{} job{}:", jobs.size(), jobs.size() == 1 ? "" : "s");
  std::string_view join = " ";
  for (const verdict v : all_verdicts) {
    if (const std::size_t n = count_of(jobs, v); n != 0) {
      out += fmt::format("{}{} {}", join, n, to_string(v));
      join = ", ";
    }
  }
  return out + "\n";
}

std::string text_of_one(const checked_job& job) {
  std::string out = fmt::format("{:<22} {}\n{}", state_of(job), escaped(job.file), details_of(job, true));
  return job.pairs.empty() ? out : out + "\n" + column_table(job.pairs);
}

/// What is to be said of each, then the table, because the end is what is seen.
std::string text_of_several(const std::vector<checked_job>& jobs) {
  std::string out;
  for (const checked_job& job : jobs) {
    if (const std::string details = details_of(job, false); !details.empty()) {
      out += fmt::format("{}\n{}\n", escaped(job.file), details);
    }
  }
  return out + jobs_table(jobs) + missing_table(jobs) + "\n" + counts_line(jobs);
}

}  // namespace

std::string_view to_string(verdict v) {
  switch (v) {
    case verdict::runs:
      return "runs";
    case verdict::runs_with_differences:
      return "runs with differences";
    case verdict::not_supported:
      return "not supported";
    case verdict::does_not_fit:
      return "does not fit";
    case verdict::broken:
      break;
  }
  return "broken";
}

checked_job check_job(const std::string& file, const check_arguments& arguments, const program& parts) {
  return job_check(file, arguments, parts).run();
}

std::string check_text(const std::vector<checked_job>& jobs, bool offline) {
  std::string out = jobs.size() == 1 ? text_of_one(jobs[0]) : text_of_several(jobs);
  if (offline) {
    out += "Neither end was opened (--offline): files, tables and columns are not checked.\n";
  }
  return out;
}

std::string check_json(const std::vector<checked_job>& jobs) {
  json all = json::array();
  for (const checked_job& job : jobs) {
    all.push_back({{"file", job.file},
                   {"verdict", to_string(job.found)},
                   {"problems", job.problems},
                   {"warnings", job.warnings},
                   {"differences", job.differences},
                   {"not_supported", job.not_supported},
                   {"notes", job.notes},
                   {"columns", columns_json(job.pairs)}});
  }
  json counts = json::object();
  for (const verdict v : all_verdicts) {
    counts[std::string(to_string(v))] = count_of(jobs, v);
  }
  const json whole = {{"version", 1}, {"jobs", all}, {"counts", counts}, {"not_supported", missing_of(jobs)}};
  return whole.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

int exit_code_of(const std::vector<checked_job>& jobs) {
  int code = exit_success;
  for (const checked_job& job : jobs) {
    const int its = job.found == verdict::broken ? exit_wrong_use
                    : job.found == verdict::not_supported || job.found == verdict::does_not_fit
                        ? exit_failed
                        : exit_success;
    code = std::max(code, its);
  }
  return code;
}

int check_command(const check_arguments& arguments, const program& parts) {
  const auto listed = list_jobs(arguments.jobs);
  if (!listed) {
    write_out(parts.err_fd, fmt::format("sluice: {}\n", listed.error().message));
    return exit_wrong_use;
  }
  for (const std::string& line : listed->notices) {
    write_out(parts.err_fd, fmt::format("sluice: {}\n", line));
  }
  std::vector<checked_job> jobs;
  for (const listed_job& one : listed->jobs) {
    jobs.push_back(check_job(one.file, arguments, parts));
  }
  print_out(parts, arguments.json ? check_json(jobs) : check_text(jobs, arguments.offline));
  return exit_code_of(jobs);
}

}  // namespace sluice
