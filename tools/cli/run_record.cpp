#include "tools/cli/run_record.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tools/cli/files.h"
#include "tools/cli/run_folder.h"
#include "tools/cli/summary_json.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

/// A summary lists at most 10,000 splits.
constexpr std::size_t summary_bytes_max = std::size_t{64} << 20;

constexpr std::pair<recorded_state, std::string_view> state_words[] = {
    {recorded_state::running, "running"},
    {recorded_state::succeeded, "succeeded"},
    {recorded_state::succeeded_with_dirty, "succeeded_with_dirty"},
    {recorded_state::failed, "failed"},
    {recorded_state::stopped, "stopped"},
    {recorded_state::killed, "killed"},
    {recorded_state::unreadable, "unreadable"}};

constexpr std::string_view done_word = "done";
constexpr std::string_view resumable_word = "resumable";

/// When a file was written last; 0 where it is not there.
std::uint64_t written_unix_ms(const std::string& path) {
  struct stat seen {};
  return ::stat(path.c_str(), &seen) != 0 ? 0
                                          : static_cast<std::uint64_t>(seen.st_mtim.tv_sec) * 1000 +
                                                static_cast<std::uint64_t>(seen.st_mtim.tv_nsec) / 1'000'000;
}

std::string text_in(const json& j, const char* name) {
  const auto at = j.find(name);
  return at != j.end() && at->is_string() ? at->get<std::string>() : "";
}

std::uint64_t number_in(const json& j, const char* name) {
  const auto at = j.find(name);
  return at != j.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

/// Takes over what the summary says; false where it is none.
bool put_summary(run_record& to, std::string text) {
  const json j = json::parse(text, nullptr, false);
  if (!j.is_object()) {
    return false;
  }
  to.read = number_in(j, "read");
  to.written = number_in(j, "written");
  to.ignored = number_in(j, "ignored");
  to.dirty = number_in(j, "dirty");
  to.filtered = number_in(j, "filtered");
  to.how_to_go_on = text_in(j, "how_to_go_on");
  to.asks = j.value("resumable", json()) == json(false);
  if (const auto at = j.find("error"); at != j.end() && at->is_object()) {
    to.error = text_in(*at, "message");
  }
  if (const auto at = j.find("seconds"); at != j.end() && at->is_number()) {
    to.seconds = at->get<double>();
  }
  to.job = text_in(j, "job");
  const std::string state = text_in(j, "state");
  for (const auto& [value, word] : state_words) {
    to.state = word == state ? value : to.state;
  }
  to.summary = std::move(text);
  to.has_summary = true;
  return true;
}

run_record read_run(const fs::path& folder, const run_id& run) {
  run_record one;
  one.run = run;
  one.folder = folder.string();
  one.begun_unix_ms = begun_unix_ms(run);
  if (::access((one.folder + "/lock").c_str(), R_OK) != 0 && errno == EACCES) {
    one.state = recorded_state::unreadable;
    one.worked_unix_ms = one.begun_unix_ms;
    one.job = folder.parent_path().filename().string();
    return one;
  }
  // First: what ends while it is looked at is shown as it was.
  const bool alive = run_is_alive(one.folder);
  const std::string lock = one.folder + "/lock";
  one.worked_unix_ms = std::max(one.begun_unix_ms, written_unix_ms(lock));
  auto now = read_file(one.folder + "/summary.json", summary_bytes_max);
  const bool ended = now && put_summary(one, std::move(*now)) && !alive;
  if (!ended) {
    auto before = read_file(one.folder + "/summary.before.json", summary_bytes_max);
    one.summary_is_earlier = before && put_summary(one, std::move(*before));
    one.state = alive ? recorded_state::running : recorded_state::killed;
    one.error.clear();
    one.how_to_go_on.clear();
    one.asks = false;
    one.seconds.reset();
  }
  if (auto kept = read_stored_command(one.folder)) {
    one.job = kept->job;
    if (const auto taken_over = run_id::parse(kept->run)) {
      one.run = *taken_over;
    }
    one.command = std::move(*kept);
  }
  if (one.job.empty()) {
    one.job = folder.parent_path().filename().string();
  }
  if (alive) {
    if (auto text = read_file(lock, 512)) {
      one.process = text->substr(0, text->find('\n'));
    }
  }
  std::error_code ignored;
  one.resumable = !alive && !is_done(one.state) && fs::exists(folder / "unfinished", ignored);
  one.asks = one.asks && one.resumable;
  one.began_anew = !alive && !is_done(one.state) && fs::exists(folder / "begun", ignored);
  return one;
}

bool has_state(const run_record& one, const std::vector<std::string>& states) {
  return states.empty() || std::any_of(states.begin(), states.end(), [&one](const std::string& word) {
           return word == to_string(one.state) || (word == done_word && is_done(one.state)) ||
                  (word == resumable_word && one.resumable && !one.asks);
         });
}

/// With `*` and `?` alone: a job's name may have brackets.
bool fits_name(const std::string& pattern, const std::string& name) {
  std::string escaped;
  for (const char c : pattern) {
    escaped += c == '[' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
  }
  return ::fnmatch(escaped.c_str(), name.c_str(), 0) == 0;
}

bool fits(const run_record& one, const run_filter& filter) {
  return has_state(one, filter.states) && (!filter.job || fits_name(*filter.job, one.job));
}

/// Calls `see` for each folder that is named like a run; nothing where there is no state yet. `closed`: as in
/// `runs_in_state`.
template <class See>
result<void> each_folder(const std::string& state_directory, const See& see,
                         std::vector<std::string>* closed = nullptr) {
  const std::string all = runs_folder(state_directory);
  std::error_code problem;
  fs::directory_iterator at(all, problem);
  if (problem == std::errc::no_such_file_or_directory) {
    return {};
  }
  if (problem) {
    return fail(error_kind::denied, "the run folders in {} cannot be read: {}", in_quotes(all),
                problem.message());
  }
  for (const fs::directory_iterator end; !problem && at != end; at.increment(problem)) {
    std::error_code inner;
    for (fs::directory_iterator run_at(at->path(), inner); !inner && run_at != fs::directory_iterator();
         run_at.increment(inner)) {
      if (const auto run = run_id::parse(run_at->path().filename().string())) {
        see(run_at->path(), *run);
      }
    }
    if (inner == std::errc::permission_denied && closed != nullptr) {
      closed->push_back(at->path().string());
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(recorded_state state) {
  for (const auto& [value, word] : state_words) {
    if (value == state) {
      return word;
    }
  }
  return "";
}

std::vector<std::string_view> run_state_words() {
  std::vector<std::string_view> words;
  for (const auto& [value, word] : state_words) {
    words.push_back(word);
  }
  words.push_back(done_word);
  words.push_back(resumable_word);
  return words;
}

result<void> check_runs_folder(const std::string& state_directory) {
  return each_folder(state_directory, [](const fs::path&, const run_id&) {});
}

result<std::vector<run_record>> runs_in_state(const std::string& state_directory, const run_filter& filter,
                                              std::vector<std::string>* closed) {
  std::vector<run_record> runs;
  SLUICE_CHECK(each_folder(
      state_directory,
      [&](const fs::path& folder, const run_id& run) {
        if (begun_unix_ms(run) < filter.since_unix_ms || taken_over_to(folder)) {
          return;
        }
        run_record one = read_run(folder, run);
        one.summary = {};  // many megabytes in all
        if (fits(one, filter)) {
          runs.push_back(std::move(one));
        }
      },
      closed));
  std::sort(runs.begin(), runs.end(), [](const run_record& a, const run_record& b) { return b.run < a.run; });
  return runs;
}

result<run_record> find_run(const std::string& state_directory, const std::string& named, bool resumable) {
  std::vector<std::pair<fs::path, run_id>> fitting;
  std::optional<run_record> whole;
  SLUICE_CHECK(each_folder(state_directory, [&](const fs::path& folder, const run_id& run) {
    const std::string id = run.text();
    if (id == named) {
      whole = read_run(run_folder::find(state_directory, run).value_or(folder), run);
    } else if (!named.empty() && (id.starts_with(named) || id.ends_with(named))) {
      fitting.emplace_back(folder, run);
    }
  }));
  if (whole) {
    return std::move(*whole);
  }
  SLUICE_TRY(const auto runs, runs_in_state(state_directory));
  const auto of_job = [&](bool only_resumable) {
    return std::find_if(runs.begin(), runs.end(), [&](const run_record& one) {
      return one.job == named && (!only_resumable || one.resumable);
    });
  };
  auto newest = of_job(resumable);
  newest = newest == runs.end() ? of_job(false) : newest;
  if (newest != runs.end()) {
    return read_run(newest->folder, newest->run);
  }
  if (fitting.empty()) {
    return fail(
        error_kind::bad_option,
        "there is no run {} in {}, neither by its id nor as a job's name; sluice runs list shows what "
        "there is",
        in_quotes(named), in_quotes(runs_folder(state_directory)));
  }
  if (fitting.size() > 1) {
    return fail(error_kind::bad_option, "{} is part of {} ids, {} and {} among them: give more of it",
                in_quotes(named), fitting.size(), fitting[0].second.text(), fitting[1].second.text());
  }
  return read_run(fitting.front().first, fitting.front().second);
}

std::string time_text(std::uint64_t unix_ms) {
  std::string text = utc_text(unix_ms);
  text[text.find('T')] = ' ';
  return text.substr(0, text.find('.')) + "Z";
}

}  // namespace sluice
