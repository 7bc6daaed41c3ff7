#include "tools/cli/run_record.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
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
  to.written_again = number_in(j, "written_again");
  to.written_again_at_most = j.value("written_again_at_most", json()) == json(true);
  to.how_to_go_on = text_in(j, "how_to_go_on");
  to.asks = j.value("resumable", json()) == json(false);
  if (const auto at = j.find("error"); at != j.end() && at->is_object()) {
    to.error = text_in(*at, "message");
    to.conflicts = text_in(*at, "kind") == to_string(error_kind::conflict);
  }
  if (const auto at = j.find("seconds"); at != j.end() && at->is_number()) {
    to.seconds = at->get<double>();
  }
  to.job = text_in(j, "job");
  const std::string state = text_in(j, "state");
  for (const auto& [value, word] : state_words) {
    to.state = word == state ? value : to.state;
  }
  const auto phases = j.find("phases");
  to.refused = to.state == recorded_state::failed && phases != j.end() && phases->is_array() &&
               std::all_of(phases->begin(), phases->end(), [](const json& phase) {
                 const std::string name = phase.is_object() ? text_in(phase, "name") : "";
                 return name == "open" || name == "finish";
               });
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
    one.refused = false;
    one.seconds.reset();
  }
  if (auto kept = read_stored_command(one.folder)) {
    one.job = kept->job;
    if (const auto taken_over = run_id::parse(kept->run)) {
      one.run = *taken_over;
      one.begun_unix_ms = begun_unix_ms(one.run);
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

namespace {

bool is_unfinished(const run_record& one) {
  return one.resumable || one.began_anew || one.state == recorded_state::running;
}

/// `runs` are those of one job, newest first.
found_run choose(const std::vector<run_record>& runs, run_of_job which) {
  const run_record& newest = runs.front();
  if (which == run_of_job::resumable) {
    const auto first =
        std::find_if(runs.begin(), runs.end(), [](const run_record& one) { return one.resumable; });
    if (first != runs.end()) {
      return {*first, std::nullopt};
    }
  }
  const auto worked =
      std::find_if(runs.begin(), runs.end(), [](const run_record& one) { return !one.refused; });
  const bool passes = which != run_of_job::newest && newest.refused && worked != runs.end() &&
                      (newest.conflicts || is_unfinished(*worked));
  return passes ? found_run{*worked, newest} : found_run{newest, std::nullopt};
}

}  // namespace

result<found_run> find_run(const std::string& state_directory, const std::string& named, run_of_job which) {
  // By folder: each is the one in which its run goes on.
  std::map<std::string, run_id> whole;
  std::map<std::string, run_id> part;
  const auto see = [&](const std::string& folder, const run_id& run) {
    const std::string id = run.text();
    if (id == named) {
      whole.emplace(folder, run);
    } else if (!named.empty() && (id.starts_with(named) || id.ends_with(named))) {
      part.emplace(folder, run);
    }
  };
  SLUICE_CHECK(each_folder(state_directory, [&](const fs::path& folder, const run_id& run) {
    see(run_folder::find(state_directory, run).value_or(folder.string()), run);
  }));
  SLUICE_TRY(auto runs, runs_in_state(state_directory));
  for (const run_record& one : runs) {
    see(one.folder, one.run);  // its folder may have another id
  }
  const auto as_found = [](const std::pair<const std::string, run_id>& one) {
    return found_run{read_run(one.first, one.second), std::nullopt};
  };
  if (!whole.empty()) {
    return as_found(*whole.begin());
  }
  std::erase_if(runs, [&](const run_record& one) { return one.job != named; });
  if (!runs.empty()) {
    found_run found = choose(runs, which);
    found.run = read_run(found.run.folder, found.run.run);
    return found;
  }
  if (part.empty()) {
    return fail(
        error_kind::bad_option,
        "there is no run {} in {}, neither by its id nor as a job's name; sluice runs list shows what "
        "there is",
        in_quotes(named), in_quotes(runs_folder(state_directory)));
  }
  if (part.size() > 1) {
    return fail(error_kind::bad_option, "{} is part of {} ids, {} and {} among them: give more of it",
                in_quotes(named), part.size(), part.begin()->second.text(),
                std::next(part.begin())->second.text());
  }
  return as_found(*part.begin());
}

std::string time_text(std::uint64_t unix_ms) {
  std::string text = utc_text(unix_ms);
  text[text.find('T')] = ' ';
  return text.substr(0, text.find('.')) + "Z";
}

}  // namespace sluice
