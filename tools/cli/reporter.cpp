#include "tools/cli/reporter.h"

#include <fmt/format.h>

#include "tools/cli/progress_text.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// So many first reasons stand in the end report; the log has the rest of those told.
constexpr std::size_t first_dirty_max = 3;
/// A plugin that notes more than this before the plan is not held back any longer.
constexpr std::size_t early_max = 100;
/// What the engine calls the plugins where they warn; so many of their warnings go into the summary.
constexpr std::string_view plugin_actor = "plugin";
constexpr std::size_t warnings_max = 100;

log_level level_of(notice_level level) {
  switch (level) {
    case notice_level::info:
      return log_level::info;
    case notice_level::warning:
      return log_level::warning;
    case notice_level::error:
      break;
  }
  return log_level::error;
}

}  // namespace

std::string ends_text(const job_step& reader, const job_step& writer) {
  std::string out;
  for (const auto& [step, word] : {std::pair{&reader, "from"}, {&writer, "to"}}) {
    for (const named_datasource& source : step->datasources) {
      out += fmt::format("{}{} data source {} ({}, {})", out.empty() ? "" : ", ", word,
                         in_quotes(source.name), to_string(source.env), source.env_origin);
    }
  }
  return out;
}

std::string dirty_text(const dirty_record& record) {
  std::string place = record.source.empty() ? "" : escaped(record.source);
  const auto add = [&](const std::string& part, const char* between) {
    place += (place.empty() ? "" : between) + part;
  };
  if (record.line) {
    add(fmt::format("line {}", *record.line), " ");
  } else if (!record.key.empty()) {
    add(escaped(record.key), " ");
  } else {
    add(fmt::format("record {}", record.position), " ");
  }
  // Many messages name the column or the value themselves.
  const auto in_message = [&](const std::string& text) {
    return record.message.find(text) != std::string::npos;
  };
  const std::string value = record.value ? in_quotes(*record.value) : "NULL";
  if (!record.column.empty() && !in_message("column " + in_quotes(record.column))) {
    add(fmt::format("column {}", escaped(record.column)), ", ");
  }
  if (!record.column.empty() && !(record.value && in_message(value))) {
    add("value " + value, ", ");
  }
  return fmt::format("{}: {} ({})", place, record.message, escaped(record.code));
}

std::string plan_text(const run_plan& plan, const std::string& job_name, const std::string& ends_text,
                      const std::string& zone_text, const std::string& memory_text) {
  return fmt::format("Run {} of {}{}: {}{}time zone {}; {}; memory {}; {} {}{}", plan.run.text(),
                     escaped(job_name), plan.resumed ? " continues" : "", ends_text,
                     ends_text.empty() ? "" : "; ", zone_text, plan.promise, memory_text, plan.concurrency,
                     plan.concurrency == 1 ? "pipeline" : "pipelines",
                     plan.concurrency_reason.empty() ? "" : " (" + plan.concurrency_reason + ")");
}

reporter::reporter(console& screen, log& lines, const secret_filter& secrets, settings s)
    : screen_(screen), log_(lines), secrets_(secrets), settings_(std::move(s)) {
  for (const std::string& line : settings_.warnings) {
    early_.push_back({notice_level::warning, {}, -1, line});
    warnings_.push_back(line);
  }
  for (const std::string& line : settings_.notes) {
    early_.push_back({notice_level::info, {}, -1, line});
  }
}

void reporter::tell(const early_notice& n) {
  log_.write(level_of(n.level), {n.actor, n.split}, secrets_.apply(n.line));
}

void reporter::tell_early() {
  for (const early_notice& n : early_) {
    tell(n);
  }
  early_.clear();
}

void reporter::notice(notice_level level, const std::string& actor, std::int64_t split,
                      const std::string& line) {
  const std::lock_guard lock(mutex_);
  if (level == notice_level::warning && actor == plugin_actor && warnings_.size() < warnings_max) {
    warnings_.push_back(secrets_.apply(line));
  }
  early_notice n{level, actor, split, line};
  if (!planned_ && level == notice_level::info && early_.size() < early_max) {
    early_.push_back(std::move(n));
    return;
  }
  tell(n);
}

void reporter::waiting(const std::string& what, double seconds) {
  const std::lock_guard lock(mutex_);
  const bool begins = seconds < 1;
  const std::string line =
      secrets_.apply(begins ? what : fmt::format("{}; {} so far", what, duration_text(seconds)));
  if (settings_.show_live) {
    screen_.show_live({line});
  }
  const double interval = std::chrono::duration<double>(settings_.report_interval).count();
  if (!begins && seconds < told_waiting_seconds_ + interval * 0.9) {
    return;
  }
  told_waiting_seconds_ = seconds;
  // That it waits is no progress: the first line comes in any case.
  if (begins || (settings_.show_progress && !settings_.show_live)) {
    log_.write(log_level::info, {}, line);
  } else {
    log_.write_file_only(log_level::info, line);
  }
}

void reporter::planned(const run_plan& plan) {
  const std::lock_guard lock(mutex_);
  // First, because the lines belong into the log of the run that is continued.
  if (settings_.on_plan) {
    settings_.on_plan(plan);
  }
  log_.set_run(plan.run);
  log_.write(log_level::info, {},
             secrets_.apply(plan_text(plan, settings_.job_name, settings_.ends_text, settings_.zone_text,
                                      settings_.memory_text)));
  planned_ = true;
  tell_early();
}

// Not under the mutex, as for the end: what is called may warn.
void reporter::forgot(const std::vector<run_id>& runs) {
  if (settings_.on_forgot) {
    settings_.on_forgot(runs);
  }
}

void reporter::committed(std::uint64_t rows, const repeated_rows& beside) {
  if (settings_.on_committed) {
    settings_.on_committed(rows, beside);
  }
}

void reporter::progress(const progress_snapshot& now) {
  const std::lock_guard lock(mutex_);
  if (settings_.show_live) {
    screen_.show_live(live_lines(settings_.job_name, now, screen_.columns()));
  }
  // The engine may tell oftener than is reported, for the live area.
  const double interval = std::chrono::duration<double>(settings_.report_interval).count();
  if (now.seconds < reported_seconds_ + interval * 0.9) {
    return;
  }
  reported_seconds_ = now.seconds;
  if (settings_.on_report) {
    settings_.on_report(now);
  }
  if (!settings_.show_progress || settings_.show_live) {
    log_.write_file_only(log_level::info, progress_line(now));
  } else {
    log_.write(log_level::info, {}, progress_line(now));
  }
}

void reporter::dirty(const dirty_record& record, std::uint32_t split) {
  const std::lock_guard lock(mutex_);
  const std::string text = secrets_.apply(dirty_text(record));
  if (first_dirty_.size() < first_dirty_max) {
    first_dirty_.push_back(text);
  }
  log_.write(log_level::warning, {to_string(record.side), split}, "dirty record: " + text);
}

void reporter::ended(const run_summary& summary) {
  // Not under the mutex: what is called asks this object for what it knows.
  if (settings_.on_ended) {
    settings_.on_ended(summary);
  }
}

void reporter::finish() {
  const std::lock_guard lock(mutex_);
  screen_.clear_live();
  tell_early();
}

bool reporter::was_planned() const {
  const std::lock_guard lock(mutex_);
  return planned_;
}

std::vector<std::string> reporter::warnings() const {
  const std::lock_guard lock(mutex_);
  return warnings_;
}

std::vector<std::string> reporter::first_dirty() const {
  const std::lock_guard lock(mutex_);
  return first_dirty_;
}

}  // namespace sluice
