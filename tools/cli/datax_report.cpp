#include "tools/cli/datax_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "transport/base/text.h"
#include "transport/record/dirty_codes.h"

namespace sluice {
namespace {

/// DataX's framework errors for our kinds (job-formats 6.8): number and description.
struct framework_error {
  error_kind kind;
  int number;
  const char* description;
};
constexpr framework_error framework_errors[] = {
    {error_kind::bad_option, 3, "The configuration of the job is wrong."},
    {error_kind::denied, 2, "A system refused the access."},
    {error_kind::not_supported, 3, "The configuration asks for what is not supported."},
    {error_kind::over_limit, 14, "A limit of the job is exceeded, such as the one of dirty records."},
    {error_kind::cancelled, 143, "The job was killed."},
};
constexpr framework_error runtime_error{error_kind::internal, 2, "The job failed while it ran."};

const framework_error& framework_error_of(const run_summary& s) {
  const error_kind kind = s.state == run_state::stopped ? error_kind::cancelled
                          : s.failure                   ? s.failure->kind
                                                        : error_kind::internal;
  const auto at = std::find_if(std::begin(framework_errors), std::end(framework_errors),
                               [&](const framework_error& e) { return e.kind == kind; });
  return at == std::end(framework_errors) ? runtime_error : *at;
}

/// `14,270.001s`: seconds with three digits and separators of thousands, rounded half up.
std::string seconds_text(double seconds) {
  const auto ms = static_cast<std::uint64_t>(std::floor(std::max(seconds, 0.0) * 1000 + 0.5));
  return fmt::format("{}.{:03}s", with_thousands(ms / 1000), ms % 1000);
}

/// A label flush left and a value flush right (or left) in DataX's widths. Java counts characters: each of
/// the labels' Chinese ones is one.
std::string item(std::string_view label, std::size_t label_characters, std::string_view value, bool right) {
  const std::string room(26 - label_characters, ' ');
  return right ? fmt::format("{}{}: {:>19}\n", label, room, value)
               : fmt::format("{}{}: {:<18}\n", label, room, value);
}

std::uint64_t data_seconds(const run_summary& s, const run_context& c) {
  const auto data =
      std::find_if(s.phases.begin(), s.phases.end(), [](const phase_time& p) { return p.name == "data"; });
  const double seconds = data != s.phases.end() ? data->seconds : c.seconds;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds));
}

}  // namespace

struct datax_report::numbers {
  record_counts counts;  ///< What a transformer filtered was never read, by DataX's count.
  std::uint64_t filtered = 0;
  std::uint64_t records_per_second = 0;
  std::uint64_t bytes_per_second = 0;
  std::uint64_t transformed = 0;
  std::uint64_t transform_errors = 0;
  wait_times waits;
  std::uint64_t splits_done = 0;
  std::uint64_t splits_total = 0;

  explicit numbers(const record_counts& c) : counts(c), filtered(c.filtered) {
    counts.read -= std::min(c.read, c.filtered);
    counts.bytes -= std::min(c.bytes, c.filtered_bytes);
  }
};

datax_report::datax_report(std::uint64_t started_unix_ms, bool transforms,
                           std::function<std::string(std::uint64_t)> clock_text)
    : started_unix_ms_(started_unix_ms),
      transforms_(transforms),
      clock_text_(std::move(clock_text)),
      last_unix_ms_(started_unix_ms) {}

std::string datax_report::head(std::uint64_t unix_ms, std::string_view level, std::string_view logger) const {
  return fmt::format("{}.{:03} [job-0] {:<5} {} - ", clock_text_(unix_ms), unix_ms % 1000, level, logger);
}

std::string datax_report::line(const numbers& n, std::uint64_t unix_ms) const {
  std::string transformers;
  if (transforms_ && n.transformed + n.transform_errors > 0) {
    // A record that is filtered counts as a success, too, as DataX has it.
    transformers = fmt::format(
        "Transfermor Success {} records | Transformer Error {} records | Transformer Filter {} records | "
        "Transformer usedTime {} | ",
        n.transformed, n.transform_errors, n.filtered, seconds_text(n.waits.transforming));
  }
  const double part =
      n.splits_total == 0 ? 0 : static_cast<double>(n.splits_done) / static_cast<double>(n.splits_total);
  return head(unix_ms, "INFO", "StandAloneJobContainerCommunicator") +
         fmt::format(
             "Total {} records, {} bytes | Speed {}/s, {} records/s | Error {} records, {} bytes |  All Task "
             "WaitWriterTime {} |  All Task WaitReaderTime {} | {}Percentage {:.2f}%\n",
             n.counts.read, n.counts.bytes, datax_bytes_text(n.bytes_per_second), n.records_per_second,
             n.counts.dirty, n.counts.dirty_bytes, seconds_text(n.waits.reader_waiting),
             seconds_text(n.waits.writer_waiting), transformers, part * 100);
}

std::string datax_report::progress(const progress_snapshot& now, std::uint64_t unix_ms) {
  const std::uint64_t seconds =
      std::max<std::uint64_t>(1, (unix_ms - std::min(unix_ms, last_unix_ms_)) / 1000);
  numbers n(now.counts);
  // What was in hand when a split was opened again is read once more: the total may go back.
  n.records_per_second = (n.counts.read - std::min(n.counts.read, last_records_)) / seconds;
  n.bytes_per_second = (n.counts.bytes - std::min(n.counts.bytes, last_bytes_)) / seconds;
  n.waits = now.waits;
  n.transformed = now.records_transformed;
  n.splits_done = now.splits_done;
  n.splits_total = now.splits_total;
  last_unix_ms_ = unix_ms;
  last_records_ = n.counts.read;
  last_bytes_ = n.counts.bytes;
  return line(n, unix_ms);
}

std::string datax_report::ended(const run_summary& s, const run_context& c) {
  const auto took_ms = static_cast<std::uint64_t>(c.seconds * 1000 + 0.5);
  const std::uint64_t ended_unix_ms = started_unix_ms_ + took_ms;
  const std::uint64_t seconds = data_seconds(s, c);
  record_counts of_this_process = s.counts;
  of_this_process -= s.counts_before;
  const numbers here(of_this_process);
  numbers n(s.counts);
  n.records_per_second = here.counts.read / seconds;
  n.bytes_per_second = here.counts.bytes / seconds;
  const auto refused = s.dirty_by_code.find(std::string(to_string(dirty_code::bad_parameter)));
  n.transform_errors = refused == s.dirty_by_code.end() ? 0 : refused->second;
  n.waits = s.waits;
  n.transformed = s.records_transformed;
  const bool succeeded = c.exit_code == 0;
  n.splits_done = succeeded ? 1 : s.splits_done;
  n.splits_total = succeeded ? 1 : s.splits_total;
  // Of a job that cannot be read DataX counts nothing: its container never begins.
  std::string text = s.wrong_job ? std::string() : line(n, ended_unix_ms);
  if (!succeeded) {
    const framework_error& e = framework_error_of(s);
    return text + head(ended_unix_ms, "ERROR", "Engine") +
           fmt::format(
               "\n\n经DataX智能分析,该任务最可能的错误原因是:\nCode:[Framework-{:02}], Description:[{}].  - "
               "{}\n\n",
               e.number, e.description, s.failure ? s.failure->message : "Stopped.");
  }
  text += head(ended_unix_ms, "INFO", "JobContainer") + "\n";
  text += item("任务启动时刻", 6, clock_text_(started_unix_ms_), false);
  text += item("任务结束时刻", 6, clock_text_(ended_unix_ms), false);
  text += item("任务总计耗时", 6, fmt::format("{}s", took_ms / 1000), true);
  text += item("任务平均流量", 6, datax_bytes_text(n.bytes_per_second) + "/s", true);
  text += item("记录写入速度", 6, fmt::format("{}rec/s", n.records_per_second), true);
  text += item("读出记录总数", 6, fmt::format("{}", n.counts.read), true);
  text += item("读写失败总数", 6, fmt::format("{}", s.counts.dirty), true);
  text += "\n";
  if (transforms_ && n.transformed + n.transform_errors > 0) {
    text += head(ended_unix_ms, "INFO", "JobContainer") + "\n";
    text += item("Transformer成功记录总数", 17, fmt::format("{}", n.transformed), true);
    text += item("Transformer失败记录总数", 17, fmt::format("{}", n.transform_errors), true);
    text += item("Transformer过滤记录总数", 17, fmt::format("{}", n.filtered), true);
    text += "\n";
  }
  return text;
}

std::string local_clock_text(std::uint64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string datax_bytes_text(std::uint64_t bytes) {
  static constexpr std::pair<int, const char*> units[] = {{40, "TB"}, {30, "GB"}, {20, "MB"}, {10, "KB"}};
  for (const auto& [bits, name] : units) {
    if (bytes >> bits > 0) {
      return fmt::format("{:.2f}{}",
                         static_cast<double>(bytes) / static_cast<double>(std::uint64_t{1} << bits), name);
    }
  }
  return fmt::format("{}B", bytes);
}

}  // namespace sluice
