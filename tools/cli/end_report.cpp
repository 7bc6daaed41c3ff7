#include "tools/cli/end_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/cli/progress_text.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// More statements than these say nothing new to a reader; the summary has them all.
constexpr std::size_t statements_shown_max = 5;
/// Likewise in the last line; the account above it lists all.
constexpr std::size_t changes_shown_max = 5;

struct report {
  std::vector<report_line> lines;
  void info(std::string text) { lines.push_back({notice_level::info, std::move(text)}); }
  void warn(std::string text) { lines.push_back({notice_level::warning, std::move(text)}); }
  void fail(std::string text) { lines.push_back({notice_level::error, std::move(text)}); }
};

std::size_t characters_in(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view state_words(run_state state) {
  switch (state) {
    case run_state::succeeded:
      return "succeeded";
    case run_state::succeeded_with_dirty:
      return "succeeded with dirty records";
    case run_state::stopped:
      return "was stopped";
    case run_state::failed:
      break;
  }
  return "failed";
}

/// `inserted 1,500, updated 1,501, 3 not told apart`; empty where all are new rows, or nothing is known.
std::string parts_text(const run_summary& s) {
  const std::uint64_t told = s.parts.told();
  if (told == s.parts.inserted && (told == 0 || told == s.counts.written)) {
    return {};
  }
  std::vector<std::string> parts;
  for (const written_part& part : written_part_list) {
    if (const std::uint64_t count = s.parts.*part.count; count != 0) {
      parts.push_back(fmt::format("{} {}", part.name, with_thousands(count)));
    }
  }
  if (told < s.counts.written) {
    parts.push_back(fmt::format("{} not told apart", with_thousands(s.counts.written - told)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string_view at_most_text(const repeated_rows& rows) {
  return rows.at_most ? "at most " : "";
}

void put_account(report& r, const run_summary& s) {
  const record_counts& c = s.counts;
  const std::vector<std::vector<std::string>> rows = {
      {"  read", with_thousands(c.read), bytes_text(c.bytes)},
      {"= written", with_thousands(c.written), parts_text(s)},
      {"+ ignored", with_thousands(c.ignored), c.ignored > 0 ? "left out by the write mode" : ""},
      {"+ dirty", with_thousands(c.dirty), ""},
      {"+ filtered", with_thousands(c.filtered), ""}};
  for (std::string& line : aligned(rows, {false, true, false})) {
    r.info("  " + std::move(line));
  }
  if (s.repeated.count != 0) {
    r.info(
        fmt::format("  Beside this account, written once more: {}{} rows of splits that were committed in "
                    "parts and begun again.",
                    at_most_text(s.repeated), with_thousands(s.repeated.count)));
  }
  if (!c.closes()) {
    r.info(
        "  The account does not close: records on their way when the run ended are in none of the lower "
        "lines.");
  }
}

void put_tables(report& r, const run_summary& s) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [table, records] : s.committed_by_table) {
    rows.push_back({"committed to " + table, with_thousands(records)});
  }
  for (std::string& line : aligned(rows, {false, true})) {
    r.info("  " + std::move(line));
  }
}

double seconds_of_data(const run_summary& s, const run_context& c) {
  const auto data =
      std::find_if(s.phases.begin(), s.phases.end(), [](const phase_time& p) { return p.name == "data"; });
  return data != s.phases.end() && data->seconds > 0 ? data->seconds : c.seconds;
}

void put_speed(report& r, const run_summary& s, const run_context& c) {
  const double seconds = seconds_of_data(s, c);
  record_counts here = s.counts;
  here -= s.counts_before;
  if (here.read > 0 && seconds > 0) {
    r.info(
        fmt::format("  Speed: {} rows/s, {}{}.", rate_text(static_cast<double>(here.read) / seconds),
                    bytes_rate_text(static_cast<double>(here.bytes) / seconds),
                    s.resumed ? fmt::format(" ({} rows of this process)", with_thousands(here.read)) : ""));
  }
  if (!s.slowest.empty()) {
    r.info("  " + s.slowest + (s.slowest.ends_with('.') ? "" : "."));
  }
  if (s.concurrency_peak > 0) {
    r.info(fmt::format("  Concurrency: {} asked, {} at the peak, {:.1f} on average{}.", s.concurrency_asked,
                       s.concurrency_peak, s.concurrency_mean,
                       s.concurrency_reason.empty() ? "" : " (" + s.concurrency_reason + ")"));
  }
  if (s.splits_done < s.splits_total) {
    r.info(fmt::format("  Splits done: {} of {}.", with_thousands(s.splits_done),
                       with_thousands(s.splits_total)));
  }
  if (s.rewinds > 0) {
    r.info(fmt::format("  Read again from a mark: {} {}.", with_thousands(s.rewinds),
                       s.rewinds == 1 ? "time" : "times"));
  }
  if (s.retries > 0) {
    r.info(fmt::format("  Tried again after a lost connection, or because an end was busy: {} {}.",
                       with_thousands(s.retries), s.retries == 1 ? "time" : "times"));
  }
}

/// Those of a failed run that the account cannot have: they tell why it failed all the same.
void put_taken_back(report& r, const run_summary& s, const run_context& c) {
  std::uint64_t all = 0;
  std::vector<std::string> parts;
  for (const auto& [code, records] : s.dirty_taken_back) {
    all += records;
    parts.push_back(fmt::format("{} {}", escaped(code), with_thousands(records)));
  }
  if (all == 0) {
    return;
  }
  r.info(fmt::format("  Dirty records of batches that were taken back: {} ({}){}{}", with_thousands(all),
                     fmt::join(parts, ", "), c.dirty_pending.empty() ? "" : ", until the run goes on in ",
                     c.dirty_pending));
  if (s.counts.dirty == 0) {
    for (const std::string& line : c.first_dirty) {
      r.info("    " + line);
    }
    if (all > c.first_dirty.size() && !c.first_dirty.empty()) {
      r.info("    …");
    }
  }
}

void put_dirty(report& r, const run_summary& s, const run_context& c) {
  put_taken_back(r, s, c);
  if (s.counts.dirty == 0) {
    return;
  }
  if (!c.dirty_file.empty()) {
    r.info("  Dirty records: " + c.dirty_file);
  }
  for (const std::string& line : c.first_dirty) {
    r.info("    " + line);
  }
  if (s.counts.dirty > c.first_dirty.size() && !c.first_dirty.empty()) {
    r.info("    …");
  }
}

std::string_view who_changes(bool datax) {
  return datax ? "as DataX changes them" : "as the job asks";
}

/// What was changed, by column and rule.
void put_changes(report& r, const run_summary& s) {
  for (const bool datax : {true, false}) {
    std::vector<std::vector<std::string>> rows;
    for (const change_summary& c : s.changes) {
      if (is_of_datax(c.rule) == datax) {
        rows.push_back({"column " + escaped(c.column), c.rule, with_thousands(c.count)});
      }
    }
    if (!rows.empty()) {
      r.info(fmt::format("  Values changed {}:", who_changes(datax)));
    }
    for (std::string& line : aligned(rows, {false, false, true})) {
      r.info("    " + std::move(line));
    }
  }
}

/// At most so many bytes of a line, cut at a character's border.
std::string beginning_of(const std::string& line, std::size_t bytes_max) {
  if (line.size() <= bytes_max) {
    return line;
  }
  std::size_t end = bytes_max;
  while (end != 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return line.substr(0, end) + "…";
}

/// Nothing is wrong, but whoever expected records must see it.
void put_nothing_read(report& r, const run_summary& s, const run_context& c) {
  if (s.counts.read > 0 || s.state != run_state::succeeded) {
    return;
  }
  constexpr std::size_t statement_bytes_max = 120;
  std::string text = "No records were read";
  text += c.reader_place.empty() ? "" : fmt::format(" ({})", c.reader_place);
  for (std::size_t i = 0; i < std::min(s.read_statements.size(), statements_shown_max); ++i) {
    text +=
        (i == 0 ? " from: " : "; ") + beginning_of(statement_text(s.read_statements[i]), statement_bytes_max);
  }
  if (s.read_statements.size() > statements_shown_max) {
    text += fmt::format("; and {} more", s.read_statements.size() - statements_shown_max);
  }
  r.warn(std::move(text));
}

std::string dirty_sentence(const run_summary& s) {
  std::vector<std::pair<std::string, std::uint64_t>> codes(s.dirty_by_code.begin(), s.dirty_by_code.end());
  std::stable_sort(codes.begin(), codes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  parts.reserve(codes.size());
  for (const auto& [code, number] : codes) {
    parts.push_back(fmt::format("{} {}", escaped(code), with_thousands(number)));
  }
  const bool all = s.counts.dirty == s.counts.read;
  std::string text;
  if (all && codes.size() == 1) {
    text = fmt::format("all {} records are dirty, and all for one reason: {}", with_thousands(s.counts.dirty),
                       escaped(codes.front().first));
    if (!s.only_reason.empty()) {
      text += " (" + s.only_reason + ")";
    }
  } else {
    // A run that is not taken up knows how many an earlier process counted, and not of which codes.
    text = fmt::format("{} of {} records are dirty and were not written{}{}", with_thousands(s.counts.dirty),
                       with_thousands(s.counts.read), parts.empty() ? "" : ": ", fmt::join(parts, ", "));
  }
  if (s.dirty_missing > 0) {
    text += fmt::format("; the text of {} of them was lost with an earlier state folder (dirty_missing)",
                        with_thousands(s.dirty_missing));
  }
  return text;
}

std::string changes_sentence(const run_summary& s, bool datax) {
  std::uint64_t all = 0;
  std::vector<std::string> parts;
  for (const change_summary& c : s.changes) {
    if (is_of_datax(c.rule) == datax) {
      all += c.count;
      parts.push_back(fmt::format("{} {} {}", escaped(c.column), c.rule, with_thousands(c.count)));
    }
  }
  if (parts.empty()) {
    return {};
  }
  if (parts.size() > changes_shown_max) {
    const std::size_t more = parts.size() - changes_shown_max;
    parts.resize(changes_shown_max);
    parts.push_back(fmt::format("and {} more", more));
  }
  return fmt::format("{} {} changed {}: {}", with_thousands(all), all == 1 ? "value was" : "values were",
                     who_changes(datax), fmt::join(parts, ", "));
}

/// `12 values were changed as DataX changes them: amount fraction_cut 10, day time_cut 2`.
std::string changes_sentence(const run_summary& s) {
  const std::string datax = changes_sentence(s, true);
  const std::string asked = changes_sentence(s, false);
  return datax + (datax.empty() || asked.empty() ? "" : "; ") + asked;
}

std::string repeated_sentence(const run_summary& s) {
  return s.repeated.count == 0
             ? ""
             : fmt::format(
                   "{}{} rows that stood already were written once more, of splits that were committed "
                   "in parts and begun again",
                   at_most_text(s.repeated), with_thousands(s.repeated.count));
}

/// A job may have many mistakes, a line each: all of them are what failed, and not the first alone.
std::string failure_text(const run_summary& s) {
  if (!s.failure) {
    return fmt::format("Failed ({}): the engine gave no reason; please report this",
                       to_string(error_kind::internal));
  }
  const std::string& message = s.failure->message;
  const auto lines = 1 + std::count(message.begin(), message.end(), '\n');
  if (lines == 1) {
    return fmt::format("Failed ({}): {}", to_string(s.failure->kind), message);
  }
  std::string text = fmt::format("Failed ({}): {} {}", to_string(s.failure->kind), lines,
                                 s.wrong_job ? "mistakes in the job" : "reasons");
  for (std::size_t begin = 0; begin <= message.size();) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    text += "\n  " + message.substr(begin, end - begin);
    begin = end + 1;
  }
  return text;
}

void put_last(report& r, const run_summary& s, const run_context& c) {
  const std::string again = repeated_sentence(s);
  std::string besides = s.changes.empty() ? "" : "; " + changes_sentence(s);
  besides += again.empty() ? "" : "; " + again;
  const std::string go_on = s.how_to_go_on.empty() ? "" : " " + s.how_to_go_on;
  if (!c.nothing_done.empty()) {
    r.info(c.nothing_done);
    return;
  }
  switch (s.state) {
    case run_state::succeeded:
      if (!besides.empty()) {
        r.warn("Warning: " + besides.substr(2) + ".");
      }
      return;
    case run_state::succeeded_with_dirty:
      if (c.fail_on_dirty) {
        r.fail("Failed because of --fail-on-dirty: " + dirty_sentence(s) + besides + ".");
      } else {
        r.warn("Warning: " + dirty_sentence(s) + besides + ".");
      }
      return;
    case run_state::stopped:
      if (!again.empty()) {
        r.warn("Warning: " + again + ".");
      }
      r.warn(fmt::format("Stopped{}.{}", c.stopped_by.empty() ? "" : " by " + c.stopped_by, go_on));
      return;
    case run_state::failed:
      if (s.counts.dirty > 0) {
        r.warn("Warning: " + dirty_sentence(s) + ".");
      }
      if (!again.empty()) {
        r.warn("Warning: " + again + ".");
      }
      r.fail(failure_text(s));
      if (!s.how_to_go_on.empty()) {
        r.fail(s.how_to_go_on);
      }
  }
}

}  // namespace

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows,
                                 const std::vector<bool>& right) {
  std::vector<std::size_t> widths(right.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], characters_in(row[i]));
    }
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string room(widths[i] - characters_in(row[i]), ' ');
      line += (i == 0 ? "" : "  ") + (right[i] ? room + row[i] : row[i] + room);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<report_line> end_report(const run_summary& s, const run_context& c) {
  report r;
  if (c.planned) {
    r.info(fmt::format("Run {} of {} {} after {}.", s.run.text(), escaped(s.job_name), state_words(s.state),
                       duration_text(c.seconds)));
    put_account(r, s);
    put_tables(r, s);
    put_speed(r, s, c);
    put_changes(r, s);
    put_dirty(r, s, c);
    put_nothing_read(r, s, c);
  }
  const bool failed = s.state == run_state::failed || s.state == run_state::stopped;
  const std::string no_summary =
      c.summary_trouble.empty() ? "" : fmt::format("--summary was not written: {}", c.summary_trouble);
  if (failed && !no_summary.empty()) {
    r.warn(no_summary);
  }
  put_last(r, s, c);
  if (!failed && !no_summary.empty()) {
    r.warn(no_summary);
  }
  return r.lines;
}

}  // namespace sluice
