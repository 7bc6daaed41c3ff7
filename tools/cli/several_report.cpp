#include "tools/cli/several_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "actors/supervise/continuation.h"
#include "tools/cli/program.h"
#include "tools/cli/shell_word.h"
#include "tools/cli/summary_json.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

/// More names in one sentence nobody reads; the table has them all.
constexpr std::size_t names_max = 10;

bool is_success(run_end end) {
  return end == run_end::succeeded || end == run_end::succeeded_with_dirty || end == run_end::done_before;
}

struct tally {
  std::size_t succeeded = 0, with_dirty = 0, failed = 0, wrong = 0, stopped = 0, not_begun = 0,
              done_before = 0, skipped = 0;
  record_counts counts;
};

tally tally_of(const runs_outcome& all) {
  tally t;
  for (const run_outcome& run : all.runs) {
    t.succeeded += is_success(run.end) ? 1 : 0;
    t.with_dirty += run.end == run_end::succeeded_with_dirty ? 1 : 0;
    t.failed += run.end == run_end::failed ? 1 : 0;
    t.wrong += run.end == run_end::wrong ? 1 : 0;
    t.stopped += run.end == run_end::stopped ? 1 : 0;
    t.not_begun += run.end == run_end::not_begun ? 1 : 0;
    t.done_before += run.end == run_end::done_before ? 1 : 0;
    t.skipped += run.end == run_end::skipped ? 1 : 0;
    t.counts += run.counts;
  }
  return t;
}

/// In one line; of several mistakes their number and the first, because the run's own lines have all.
std::string short_reason(const std::string& text) {
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  return lines == 1
             ? text
             : fmt::format("{} mistakes, told above, the first: {}", lines, text.substr(0, text.find('\n')));
}

std::string words_of(run_end end) {
  switch (end) {
    case run_end::succeeded_with_dirty:
      return "succeeded, dirty records";
    case run_end::wrong:
      return "wrong job";
    case run_end::not_begun:
      return "not begun";
    case run_end::done_before:
      return "done before";
    default:
      return std::string(to_string(end));
  }
}

std::vector<std::string> table_of(const runs_outcome& all) {
  std::vector<std::vector<std::string>> rows = {{"job", "result", "read", "written", "dirty", "time"}};
  for (const run_outcome& run : all.runs) {
    const bool began = run.end != run_end::not_begun;
    rows.push_back({escaped(run.label), words_of(run.end), began ? with_thousands(run.counts.read) : "",
                    began ? with_thousands(run.counts.written) : "",
                    began ? with_thousands(run.counts.dirty) : "", began ? duration_text(run.seconds) : ""});
  }
  return aligned(rows, {false, false, true, true, true, true});
}

std::string runs_text(std::size_t n) {
  return fmt::format("{} {}", with_thousands(n), n == 1 ? "run" : "runs");
}

/// `a, b and 3 more`.
std::string names_of(const runs_outcome& all, bool (*counts)(run_end)) {
  std::vector<std::string> names;
  std::size_t more = 0;
  for (const run_outcome& run : all.runs) {
    if (!counts(run.end)) {
      continue;
    }
    if (names.size() < names_max) {
      names.push_back(escaped(run.label));
    } else {
      ++more;
    }
  }
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

/// How the rest is run again; empty where nobody types so much, or standard input is gone.
std::string again_text(const runs_outcome& all, const std::string& command) {
  if (!all.go_on.empty()) {
    return " " + all.go_on;
  }
  std::vector<std::string> files;
  for (const run_outcome& run : all.runs) {
    if (!is_success(run.end)) {
      files.push_back(shell_word(run.file));
    }
  }
  const bool has_input = std::find(files.begin(), files.end(), "-") != files.end();
  return command.empty() || has_input || files.size() > names_max
             ? ""
             : fmt::format(" Those that did not succeed: {} {}", command, fmt::join(files, " "));
}

std::string dirty_text(const tally& t) {
  return t.with_dirty == 0 ? ""
                           : fmt::format("; {} of them with dirty records, {} in all",
                                         with_thousands(t.with_dirty), with_thousands(t.counts.dirty));
}

report_line last_line(const runs_outcome& all, const std::string& command) {
  const tally t = tally_of(all);
  const std::string total = runs_text(all.runs.size());
  if (!all.stopped_by.empty()) {
    return {notice_level::warning,
            fmt::format("Stopped by {} after {}: of {}, {} succeeded, {} failed, {} were stopped, {} did not "
                        "begin.{}",
                        all.stopped_by, duration_text(all.seconds), total, t.succeeded, t.failed + t.wrong,
                        t.stopped, t.not_begun, again_text(all, command))};
  }
  if (t.failed + t.wrong + t.stopped > 0) {
    const std::string names = names_of(all, [](run_end end) {
      return end == run_end::failed || end == run_end::wrong || end == run_end::stopped;
    });
    return {
        notice_level::error,
        fmt::format("Failed: {} of {} after {}: {}{}.{}", with_thousands(t.failed + t.wrong + t.stopped),
                    total, duration_text(all.seconds), names,
                    t.not_begun > 0 ? fmt::format("; {} did not begin (--stop-on-failure)", t.not_begun) : "",
                    again_text(all, command))};
  }
  if (t.skipped > 0) {
    return {notice_level::warning,
            fmt::format(
                "Skipped: {} of {}, because another process works on the job (--if-running skip): {}. The "
                "others succeeded{}.",
                with_thousands(t.skipped), total,
                names_of(all, [](run_end end) { return end == run_end::skipped; }), dirty_text(t))};
  }
  return {t.with_dirty > 0 ? notice_level::warning : notice_level::info,
          fmt::format("{} succeeded after {}{}{}.", all.runs.size() == 1 ? "The run" : "All " + total,
                      duration_text(all.seconds), dirty_text(t),
                      t.done_before > 0 ? fmt::format("; {} of them were done before", t.done_before) : "")};
}

std::uint64_t number_at(const json& object, const char* name) {
  const auto at = object.find(name);
  return at != object.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string_view state_of(const runs_outcome& all) {
  const tally t = tally_of(all);
  return !all.stopped_by.empty()              ? "stopped"
         : t.failed + t.wrong + t.stopped > 0 ? "failed"
         : t.with_dirty > 0                   ? "succeeded_with_dirty"
                                              : "succeeded";
}

}  // namespace

std::string_view to_string(run_end end) {
  switch (end) {
    case run_end::succeeded:
      return "succeeded";
    case run_end::succeeded_with_dirty:
      return "succeeded_with_dirty";
    case run_end::failed:
      return "failed";
    case run_end::wrong:
      return "wrong";
    case run_end::stopped:
      return "stopped";
    case run_end::done_before:
      return "done_before";
    case run_end::skipped:
      return "skipped";
    case run_end::not_begun:
      break;
  }
  return "not_begun";
}

void put_summary(run_outcome& outcome, const std::string& summary_text, int exit_code) {
  outcome.exit_code = exit_code;
  json summary = json::parse(summary_text, nullptr, false);
  if (summary.is_discarded() || !summary.is_object()) {
    put_crash(outcome, fmt::format("its process ended with exit code {} and without a summary", exit_code));
    outcome.exit_code = exit_code;
    return;
  }
  if (const auto splits = summary.find("splits"); splits != summary.end() && splits->is_object()) {
    splits->erase("listed");  // Ten thousand of them a run; the run's own summary has them.
  }
  outcome.counts = {number_at(summary, "read"),     number_at(summary, "written"),
                    number_at(summary, "ignored"),  number_at(summary, "dirty"),
                    number_at(summary, "filtered"), number_at(summary, "bytes")};
  outcome.end = exit_code == exit_success     ? run_end::succeeded
                : exit_code == exit_wrong_use ? run_end::wrong
                : exit_code == exit_stopped   ? run_end::stopped
                : exit_code == exit_skipped   ? run_end::skipped
                                              : run_end::failed;
  if (outcome.end == run_end::succeeded && outcome.counts.dirty > 0) {
    outcome.end = run_end::succeeded_with_dirty;
  }
  if (const auto& error = summary["error"]; error.is_object()) {
    outcome.reason = fmt::format("{} ({})", error.value("message", ""), error.value("kind", ""));
    if (error["code"] == done_code) {
      outcome.end = run_end::done_before;
    }
  } else if (outcome.end == run_end::failed) {
    outcome.reason = outcome.counts.dirty > 0 ? "dirty records, and --fail-on-dirty" : "";
  }
  outcome.summary = std::move(summary);
}

void put_crash(run_outcome& outcome, std::string reason) {
  outcome.end = run_end::failed;
  outcome.exit_code.reset();
  outcome.reason = std::move(reason);
}

int exit_code_of(const runs_outcome& all) {
  const tally t = tally_of(all);
  if (!all.stopped_by.empty()) {
    return exit_stopped;
  }
  // One that was stopped by somebody else's signal has not done its work either.
  return t.failed + t.stopped > 0                        ? exit_failed
         : t.wrong > 0                                   ? exit_wrong_use
         : t.skipped > 0 && t.skipped == all.runs.size() ? exit_skipped
                                                         : exit_success;
}

std::vector<report_line> several_report(const runs_outcome& all, const std::string& command) {
  std::vector<report_line> lines;
  for (std::string& line : table_of(all)) {
    lines.push_back({notice_level::info, std::move(line)});
  }
  for (const run_outcome& run : all.runs) {
    if (!run.reason.empty() && !is_success(run.end)) {
      lines.push_back(
          {notice_level::error, fmt::format("{}: {}", escaped(run.label), short_reason(run.reason))});
    }
  }
  lines.push_back(last_line(all, command));
  return lines;
}

std::string several_json(const runs_outcome& all) {
  const tally t = tally_of(all);
  json j;
  j["version"] = summary_version;
  j["state"] = state_of(all);
  j["exit_code"] = exit_code_of(all);
  j["stopped_by"] = all.stopped_by.empty() ? json() : json(all.stopped_by);
  j["started"] = utc_text(all.started_unix_ms);
  j["seconds"] = static_cast<double>(static_cast<std::int64_t>(all.seconds * 1000 + 0.5)) / 1000;
  j["at_once"] = all.at_once;
  j["ends"] = {{"succeeded", t.succeeded - t.with_dirty - t.done_before},
               {"succeeded_with_dirty", t.with_dirty},
               {"failed", t.failed},
               {"wrong", t.wrong},
               {"stopped", t.stopped},
               {"done_before", t.done_before},
               {"skipped", t.skipped},
               {"not_begun", t.not_begun}};
  j["read"] = t.counts.read;
  j["written"] = t.counts.written;
  j["ignored"] = t.counts.ignored;
  j["dirty"] = t.counts.dirty;
  j["filtered"] = t.counts.filtered;
  j["bytes"] = t.counts.bytes;
  j["runs"] = json::array();
  for (const run_outcome& run : all.runs) {
    j["runs"].push_back({{"label", run.label},
                         {"job_file", run.file},
                         {"end", to_string(run.end)},
                         {"exit_code", run.exit_code ? json(*run.exit_code) : json()},
                         {"reason", run.reason.empty() ? json() : json(run.reason)},
                         {"summary", run.summary}});
  }
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace sluice
