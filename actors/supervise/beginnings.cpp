#include "actors/supervise/beginnings.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <utility>

#include "transport/base/text.h"
#include "transport/base/utf8_names.h"

namespace sluice {

std::optional<error> same_file_failure(const job& what, const source_description& from,
                                       const target_description& to) {
  using kind = file_use::kind;
  std::map<std::pair<std::uint64_t, std::uint64_t>, const file_use*> read;
  for (const file_use& file : from.files_read) {
    read.emplace(std::pair(file.device, file.inode), &file);
  }
  for (const file_use& changed : to.files_changed) {
    const auto found = read.find({changed.device, changed.inode});
    if (found == read.end() ||
        (found->second->as == kind::shared_database && changed.as == kind::shared_database)) {
      continue;
    }
    const file_use& file = *found->second;
    const std::string also =
        changed.path == file.path ? "" : fmt::format(" (there {})", in_quotes(changed.path));
    const bool databases = file.as != kind::plain && changed.as != kind::plain;
    return error{
        error_kind::bad_option,
        databases
            ? fmt::format("{}: reader and writer use the same file {}{}, and one would lock the other out: "
                          "write to another file, or switch this one to WAL mode (PRAGMA journal_mode=WAL)",
                          what.writer.place, in_quotes(file.path), also)
            : fmt::format("{}: the file {} is read by this job ({}) and would be {} by its writer{}: write "
                          "to another place or under another name",
                          what.writer.place, in_quotes(file.path), what.reader.place, changed.change, also),
        "same_file", true};
  }
  return std::nullopt;
}

std::string own_output_warning(const job& what, const source_description& from,
                               const target_description& to) {
  const utf8_names names;
  for (const file_pattern& pattern : from.patterns) {
    for (const made_file& made : to.files_made) {
      const bool same_folder = std::any_of(pattern.folders.begin(), pattern.folders.end(),
                                           [&](const file_use& f) { return f.same_file(made.folder); });
      if (same_folder && ::fnmatch(pattern.name.c_str(), made.name.c_str(), FNM_PERIOD) == 0) {
        return fmt::format(
            "{}: the pattern {} of the reader also meets what the writer makes, such as {}: run again, the "
            "job would read its own output. Write into another folder, or under a name that the pattern does "
            "not meet",
            what.writer.place, in_quotes(pattern.text), in_quotes(made.path));
      }
    }
  }
  return {};
}

error placed(error why, const job& what, const std::string& place) {
  const std::string in_file = what.file + ":";
  const std::size_t at = why.message.find(in_file);
  const std::size_t line = at + in_file.size();
  const bool in_job = at != std::string::npos && line < why.message.size() && why.message[line] >= '0' &&
                      why.message[line] <= '9';
  const bool has_one = in_job || why.message.starts_with("--set ");
  if (!has_one && !place.empty() && why.kind != error_kind::cancelled) {
    why.message = fmt::format("{}: {}", place, why.message);
  }
  return why;
}

start_facts start_facts_of(const job& what, const target_opened& to, run_settings::unfinished on_unfinished,
                           std::chrono::seconds resume_window) {
  start_facts mine;
  mine.job_key = what.key;
  mine.instance = what.instance;
  mine.planned = what.planned;
  mine.uses_date = !what.date_place.empty();
  mine.job_name = what.name;
  mine.output = to.what.output;
  mine.output_name = to.what.name;
  mine.empties = to.what.empties;
  mine.appears_whole = to.what.appears_whole;
  mine.keeps_marks = to.has_store;
  mine.tables = to.tables;
  mine.is_new = to.is_new;
  mine.rows_stand = to.what.rows_stand;
  mine.same_again = to.what.same_again;
  mine.steps_before = to.before;
  mine.steps_after = to.after;
  for (const auto& [name, digest] : what.key_parts) {
    mine.key_parts.push_back({name, {digest}});
  }
  mine.ends = what.ends;
  mine.may_resume = to.what.exactly_once;
  mine.may_repeat = may_repeat(what.delivery, to.what);
  mine.on_unfinished = on_unfinished;
  mine.resume_window = resume_window;
  return mine;
}

concurrency_choice choose_concurrency(const speed_limit& speed, std::uint32_t writers_max,
                                      std::size_t splits_undone) {
  const auto asked = std::max<std::uint32_t>(speed.concurrent, 1);
  concurrency_choice choice{asked, speed.concurrent_reason};
  if (writers_max != 0 && writers_max < choice.pipelines) {
    choice.pipelines = writers_max;
    choice.reason = fmt::format("{} of {} asked for: the destination takes {} writer{}", choice.pipelines,
                                asked, choice.pipelines, choice.pipelines == 1 ? "" : "s");
  }
  if (splits_undone < choice.pipelines) {
    choice.pipelines = static_cast<std::uint32_t>(std::max<std::size_t>(splits_undone, 1));
    choice.reason =
        splits_undone == 0
            ? "all splits are done, nothing is left to read"
            : fmt::format("{} of {} asked for: there {} {} split{} to read", choice.pipelines, asked,
                          splits_undone == 1 ? "is" : "are", splits_undone, splits_undone == 1 ? "" : "s");
  }
  return choice;
}

}  // namespace sluice
