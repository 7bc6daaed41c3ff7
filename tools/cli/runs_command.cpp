#include "tools/cli/runs_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "jobspec/planned_time.h"
#include "tools/cli/end_report.h"
#include "tools/cli/retention.h"
#include "tools/cli/run_folder.h"
#include "tools/cli/run_record.h"
#include "tools/cli/state_directory.h"
#include "tools/cli/summary_json.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

std::string state_directory_of(const std::optional<std::string>& flag, const program& parts) {
  return choose_state_directory(flag, parts.configured, parts.variable).path;
}

int complain(const program& parts, const std::string& message, int code) {
  write_out(parts.err_fd, "sluice: " + message + "\n");
  return code;
}

double seconds_of(const run_record& one, std::uint64_t now_unix_ms) {
  return one.seconds.value_or(one.state == recorded_state::running && now_unix_ms > one.worked_unix_ms
                                  ? static_cast<double>(now_unix_ms - one.worked_unix_ms) / 1000
                                  : 0);
}

bool is_known(const run_record& one, std::uint64_t now_unix_ms) {
  return one.seconds || (one.state == recorded_state::running && now_unix_ms > one.worked_unix_ms);
}

/// `failed, resumable`.
std::string state_text(const run_record& one) {
  return std::string(to_string(one.state)) + (one.asks ? ", asks" : one.resumable ? ", resumable" : "");
}

json record_json(const run_record& one, std::uint64_t now_unix_ms) {
  json j = {{"run", one.run.text()},
            {"job", one.job},
            {"state", to_string(one.state)},
            {"resumable", one.resumable && !one.asks},
            {"asks", one.asks},
            {"process", one.process.empty() ? json() : json(one.process)},
            {"began", utc_text(one.begun_unix_ms)},
            {"worked_on", utc_text(one.worked_unix_ms)},
            {"seconds", json()},
            {"counts_are_earlier", one.summary_is_earlier},
            {"read", json()},
            {"written", json()},
            {"ignored", json()},
            {"dirty", json()},
            {"filtered", json()},
            {"error", one.error.empty() ? json() : json(one.error)},
            {"planned", json()},
            {"folder", one.folder}};
  if (is_known(one, now_unix_ms)) {
    j["seconds"] = seconds_of(one, now_unix_ms);
  }
  if (one.has_summary) {
    j["read"] = one.read;
    j["written"] = one.written;
    j["ignored"] = one.ignored;
    j["dirty"] = one.dirty;
    j["filtered"] = one.filtered;
  }
  if (one.command && !one.command->planned.empty()) {
    j["planned"] = one.command->planned;
  }
  return j;
}

std::string printed(const json& j) {
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

std::string list_text(const std::vector<run_record>& runs, std::size_t in_all, const std::string& state,
                      std::uint64_t now_unix_ms) {
  if (runs.empty()) {
    return fmt::format("No such runs in {}\n", runs_folder(state));
  }
  std::vector<std::vector<std::string>> rows = {
      {"run", "job", "state", "began", "worked for", "read", "written", "dirty"}};
  std::size_t resumable = 0;
  for (const run_record& one : runs) {
    const bool counted = one.has_summary;
    rows.push_back({one.run.text(), escaped(one.job), state_text(one), time_text(one.begun_unix_ms),
                    is_known(one, now_unix_ms) ? duration_text(seconds_of(one, now_unix_ms)) : "-",
                    counted ? with_thousands(one.read) : "-", counted ? with_thousands(one.written) : "-",
                    counted ? with_thousands(one.dirty) : "-"});
    resumable += one.resumable && !one.asks ? 1 : 0;
  }
  std::string out;
  for (std::string& line : aligned(rows, {false, false, false, false, true, true, true, true})) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  if (runs.size() < in_all) {
    out += fmt::format("The newest {} of {}; --limit 0 shows all\n", runs.size(), in_all);
  }
  if (resumable > 0) {
    out += fmt::format("sluice runs resume RUN continues {}\n",
                       resumable == 1 ? "the resumable one" : "a resumable one");
  }
  return out;
}

/// What becomes of the run, for people.
std::string outlook_text(const run_record& one) {
  const std::string id = one.run.text();
  if (one.asks) {
    return "it is unfinished, and its command asks how to go on";
  }
  if (one.resumable) {
    return fmt::format("sluice runs resume {} continues it, as its command does", id);
  }
  if (one.state == recorded_state::running) {
    return one.process.empty() ? "its process is at work" : fmt::format("process {} is at work", one.process);
  }
  if (is_done(one.state)) {
    return "";
  }
  if (one.state == recorded_state::unreadable) {
    return "its folder is another user's and cannot be read: ask as that user";
  }
  return one.began_anew ? "its destination keeps no marks: its command begins it from its beginning"
                        : "nothing is left to go on with: its command begins a run of its own";
}

/// `2026-11-27 10:30:00 Europe/Berlin`.
std::string planned_text(const std::string& kept) {
  const auto planned = read_kept_time(kept);
  return !planned ? escaped(kept)
                  : fmt::format("{} {}{}", planned->text(), escaped(planned->zone),
                                planned->given ? "" : " (when it began: none was given)");
}

std::string show_text(const found_run& found, std::uint64_t now_unix_ms) {
  const run_record& one = found.run;
  std::vector<std::vector<std::string>> rows = {
      {"Run", one.run.text()}, {"Job", escaped(one.job)}, {"State", state_text(one)}};
  const auto add = [&rows](const char* name, std::string text) {
    if (!text.empty()) {
      rows.push_back({name, std::move(text)});
    }
  };
  add("", outlook_text(one));
  add("Began", time_text(one.begun_unix_ms));
  if (one.worked_unix_ms / 1000 != one.begun_unix_ms / 1000) {
    add("Worked on", fmt::format("since {}", time_text(one.worked_unix_ms)));
  }
  if (is_known(one, now_unix_ms)) {
    add("Worked for", duration_text(seconds_of(one, now_unix_ms)));
  }
  if (one.command) {
    add("Planned for", one.command->planned.empty() ? "" : planned_text(one.command->planned));
    add("Command", command_text(*one.command));
    add("In", escaped(one.command->folder));
  }
  const json summary = json::parse(one.summary, nullptr, false);
  if (summary.is_object()) {
    const auto text = [&summary](const char* name) {
      const auto at = summary.find(name);
      return at != summary.end() && at->is_string() ? at->get<std::string>() : "";
    };
    add("Promise", text("promise"));
    add("Records",
        fmt::format("read {}, written {}, ignored {}, dirty {}, filtered {}{}", with_thousands(one.read),
                    with_thousands(one.written), with_thousands(one.ignored), with_thousands(one.dirty),
                    with_thousands(one.filtered),
                    one.summary_is_earlier ? " (when an earlier process ended)" : ""));
    if (one.written_again != 0) {
      add("", fmt::format("beside them, written once more: {}{} rows",
                          one.written_again_at_most ? "at most " : "", with_thousands(one.written_again)));
    }
    add("Dirty file", text("dirty_file"));
  }
  add("Why", one.error);
  add("Then", one.how_to_go_on);
  if (const auto& start = found.refused_start) {
    add("Refused since", fmt::format("a start at {}: {} ({})", time_text(start->begun_unix_ms), start->error,
                                     start->run.text()));
  }
  add("Folder", fmt::format("{} ({})", one.folder, bytes_text(bytes_in_folder(one.folder))));
  std::string out;
  for (std::string& line : aligned(rows, {false, false})) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

/// Of a folder of runs: `orders 0197…`.
std::string named_run(const std::string& folder) {
  const std::filesystem::path path(folder);
  return fmt::format("{} {}", escaped(path.parent_path().filename().string()), path.filename().string());
}

json cleaned_json(const retention_report& report, bool dry_run) {
  json j = {{"version", 1},
            {"dry_run", dry_run},
            {"removed", json::array()},
            {"bytes", report.bytes_removed()},
            {"kept_running", json(report.kept_alive)},
            {"kept_resumable", json(report.kept_unfinished)},
            {"not_removed", json(report.not_removed)}};
  for (const removed_run& run : report.removed) {
    j["removed"].push_back({{"folder", run.folder}, {"why", run.why}, {"bytes", run.bytes}});
  }
  return j;
}

std::string cleaned_text(const retention_report& report, bool dry_run) {
  std::string out;
  for (const removed_run& run : report.removed) {
    out += fmt::format("{} {} ({}; {})\n", dry_run ? "would remove" : "removed", named_run(run.folder),
                       run.why, bytes_text(run.bytes));
  }
  for (const std::string& folder : report.kept_alive) {
    out += fmt::format("kept {}: its process is at work\n", named_run(folder));
  }
  for (const std::string& folder : report.kept_unfinished) {
    out += fmt::format("kept {}: it can be continued; --unfinished removes it all the same\n",
                       named_run(folder));
  }
  const std::size_t n = report.removed.size();
  out += n == 0 ? std::string("Nothing to remove\n")
                : fmt::format("{} run{} {}, {}\n", with_thousands(n), n == 1 ? "" : "s",
                              dry_run ? "would be removed" : "removed", bytes_text(report.bytes_removed()));
  return out;
}

/// The folders that are named; nothing where none is.
result<std::set<std::string>> folders_named(const std::vector<std::string>& runs, const std::string& state) {
  std::set<std::string> folders;
  for (const std::string& named : runs) {
    SLUICE_TRY(const found_run one, find_run(state, named, run_of_job::newest));
    folders.insert(one.run.folder);
  }
  return folders;
}

}  // namespace

int runs_list(const runs_list_arguments& arguments, const program& parts) {
  const std::string state = state_directory_of(arguments.state_dir, parts);
  const std::uint64_t now = parts.unix_ms();
  run_filter filter;
  filter.job = arguments.job;
  filter.states = arguments.states;
  if (arguments.age_max) {
    const auto age = static_cast<std::uint64_t>(arguments.age_max->count());
    filter.since_unix_ms = now > age ? now - age : 0;
  }
  filter.since_unix_ms = arguments.since_unix_ms.value_or(filter.since_unix_ms);
  std::vector<std::string> closed;
  auto runs = runs_in_state(state, filter, &closed);
  if (!runs) {
    return complain(parts, runs.error().message, exit_failed);
  }
  for (const std::string& folder : closed) {
    write_out(parts.err_fd, fmt::format("sluice: the runs in {} are another user's and cannot be read\n",
                                        in_quotes(folder)));
  }
  const std::size_t in_all = runs->size();
  if (arguments.limit != 0 && in_all > arguments.limit) {
    runs->erase(runs->begin() + static_cast<std::ptrdiff_t>(arguments.limit), runs->end());
  }
  if (!arguments.json) {
    print_out(parts, list_text(*runs, in_all, state, now));
    return exit_success;
  }
  json j = {{"version", 1}, {"runs_folder", runs_folder(state)}, {"in_all", in_all}, {"runs", json::array()}};
  for (const run_record& one : *runs) {
    j["runs"].push_back(record_json(one, now));
  }
  print_out(parts, printed(j));
  return exit_success;
}

int runs_show(const runs_show_arguments& arguments, const program& parts) {
  const auto found =
      find_run(state_directory_of(arguments.state_dir, parts), arguments.run, run_of_job::telling);
  if (!found) {
    return complain(parts, found.error().message, exit_failed);
  }
  const run_record* const one = &found->run;
  const std::uint64_t now = parts.unix_ms();
  if (!arguments.json) {
    print_out(parts, show_text(*found, now));
    return exit_success;
  }
  json j = {{"version", 1}};
  j.update(record_json(*one, now));
  j["outlook"] = outlook_text(*one);
  j["bytes"] = bytes_in_folder(one->folder);
  j["command"] = json();
  if (one->command) {
    j["command"] = {{"text", command_text(*one->command)},
                    {"words", one->command->words},
                    {"folder", one->command->folder}};
  }
  j["refused_start"] = json();
  if (const auto& start = found->refused_start) {
    j["refused_start"] = {{"run", start->run.text()},
                          {"began", utc_text(start->begun_unix_ms)},
                          {"error", start->error},
                          {"folder", start->folder}};
  }
  j["summary"] = one->summary.empty() ? json() : json::parse(one->summary, nullptr, false);
  print_out(parts, printed(j));
  return exit_success;
}

int runs_clean(const runs_clean_arguments& arguments, const program& parts) {
  const std::string state = state_directory_of(arguments.state_dir, parts);
  if (const auto readable = check_runs_folder(state); !readable) {
    return complain(parts, readable.error().message, exit_failed);
  }
  retention_policy policy;
  cleaning how;
  how.unfinished_too = arguments.unfinished;
  how.dry_run = arguments.dry_run;
  if (arguments.age_max) {
    policy.age_ms_max = static_cast<std::uint64_t>(arguments.age_max->count());
  }
  policy.runs_per_job_max = arguments.runs_per_job_max.value_or(policy.runs_per_job_max);
  policy.bytes_max = arguments.bytes_max.value_or(policy.bytes_max);
  if (!arguments.runs.empty()) {
    auto folders = folders_named(arguments.runs, state);
    if (!folders) {
      return complain(parts, folders.error().message, exit_failed);
    }
    how.wanted = [named = std::move(*folders)](const std::string& folder) {
      return named.count(folder) != 0;
    };
    policy.runs_per_job_max = 0;
  } else if (arguments.job) {
    run_filter filter;
    filter.job = arguments.job;
    const auto runs = runs_in_state(state, filter);
    if (!runs) {
      return complain(parts, runs.error().message, exit_failed);
    }
    std::set<std::string> folders;
    for (const run_record& one : *runs) {
      folders.insert(one.folder);
    }
    how.wanted = [named = std::move(folders)](const std::string& folder) { return named.count(folder) != 0; };
  }
  retention_report report = clean_run_folders(state, parts.unix_ms(), policy, how);
  for (removed_run& run : report.removed) {
    run.why = arguments.runs.empty() ? std::move(run.why) : "named";
  }
  print_out(parts, arguments.json ? printed(cleaned_json(report, arguments.dry_run))
                                  : cleaned_text(report, arguments.dry_run));
  for (const std::string& folder : report.not_removed) {
    complain(parts, fmt::format("{} could not be removed; look at its owner and rights", in_quotes(folder)),
             exit_failed);
  }
  // What was named and stays was not done.
  const bool named_stays =
      !arguments.runs.empty() && (!report.kept_alive.empty() || !report.kept_unfinished.empty());
  return report.not_removed.empty() && !named_stays ? exit_success : exit_failed;
}

}  // namespace sluice
