#include "tools/cli/summary_json.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "tools/cli/verify_text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

json nothing_if_empty(const std::string& text) {
  return text.empty() ? json() : json(text);
}

/// Milliseconds are what a reader can use, and what a golden file can hold.
double rounded(double seconds) {
  return static_cast<double>(static_cast<std::int64_t>(seconds * 1000 + 0.5)) / 1000;
}

void put_counts(json& to, const record_counts& counts) {
  to["read"] = counts.read;
  to["written"] = counts.written;
  to["ignored"] = counts.ignored;
  to["dirty"] = counts.dirty;
  to["filtered"] = counts.filtered;
  to["bytes"] = counts.bytes;
}

json parts_of(const run_summary& s) {
  json parts;
  for (const written_part& part : written_part_list) {
    parts[std::string(part.name)] = s.parts.*part.count;
  }
  parts["not_told"] = s.counts.written - std::min(s.counts.written, s.parts.told());
  return parts;
}

json sums_of(const record_sums& sums, const std::string& form) {
  return {{"form", nothing_if_empty(form)},
          {"read", to_string(sums.read)},
          {"written", to_string(sums.written)},
          {"dirty", to_string(sums.dirty)},
          {"compared", !sums.changed}};
}

json splits_of(const run_summary& s) {
  json listed = json::array();
  for (const split_summary& split : s.splits) {
    json one = {{"index", split.index}, {"label", split.label}, {"done", split.done}};
    put_counts(one, split.counts);
    one["sums"] = sums_of(split.sums, s.sums_form);
    listed.push_back(std::move(one));
  }
  return {{"total", s.splits_total}, {"done", s.splits_done}, {"listed", std::move(listed)}};
}

void put_end(json& j, const run_summary& s, const run_context& c) {
  j["state"] = c.skipped ? "skipped" : to_string(s.state);
  j["exit_code"] = c.exit_code;
  j["stopped_by"] = nothing_if_empty(c.stopped_by);
  j["error"] = json();
  if (s.failure) {
    j["error"] = {{"kind", to_string(s.failure->kind)},
                  {"message", s.failure->message},
                  {"code", nothing_if_empty(s.failure->code)}};
  }
  j["retryable"] = s.retryable;
  j["resumable"] = s.resumable;
  j["resumed"] = s.resumed;
  j["how_to_go_on"] = nothing_if_empty(s.how_to_go_on);
}

void put_work(json& j, const run_summary& s, const run_context& c) {
  j["concurrency"] = {{"asked", s.concurrency_asked},
                      {"peak", s.concurrency_peak},
                      {"mean", rounded(s.concurrency_mean)},
                      {"pipeline_seconds", rounded(s.pipeline_seconds)},
                      {"reason", nothing_if_empty(s.concurrency_reason)}};
  j["waits"] = {{"reader_working", rounded(s.waits.reader_working)},
                {"reader_waiting", rounded(s.waits.reader_waiting)},
                {"channel_throttled", rounded(s.waits.channel_throttled)},
                {"writer_working", rounded(s.waits.writer_working)},
                {"writer_waiting", rounded(s.waits.writer_waiting)},
                {"writer_retrying", rounded(s.waits.writer_retrying)},
                {"dirty_waiting", rounded(s.waits.dirty_waiting)},
                {"transforming", rounded(s.waits.transforming)}};
  j["slowest"] = nothing_if_empty(s.slowest);
  j["transformed"] = s.records_transformed;
  j["rewinds"] = s.rewinds;
  j["retries"] = s.retries;
  j["memory"] = {{"budget_bytes", c.memory.bytes},
                 {"origin", nothing_if_empty(c.memory.origin)},
                 {"held_bytes_peak", s.bytes_held_peak}};
}

/// Takes secrets out of every text of the document.
void mask(json& j, const secret_filter& secrets) {
  if (j.is_string()) {
    j = secrets.apply(j.get<std::string>());
  } else if (j.is_structured()) {
    for (auto& element : j) {
      mask(element, secrets);
    }
  }
}

}  // namespace

std::string utc_text(std::uint64_t unix_ms) {
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_ms / 1000)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(), unix_ms % 1000);
}

std::string summary_json(const run_summary& s, const run_context& c, const secret_filter& secrets) {
  json j;
  j["version"] = summary_version;
  j["job"] = s.job_name;
  j["job_file"] = c.job_file;
  j["job_key"] = nothing_if_empty(s.job_key);
  j["instance"] = nothing_if_empty(c.instance);
  j["run"] = s.run.text();
  put_end(j, s, c);
  j["promise"] = nothing_if_empty(s.promise);
  j["parameters"] = json(c.parameters);
  j["planned"] = json();
  if (c.planned_for) {
    j["planned"] = {{"time", c.planned_for->text()},
                    {"business_date", c.planned_for->business_date_text()},
                    {"origin", c.planned_for->origin},
                    {"given", c.planned_for->given}};
  }
  j["datasources"] = json::array();
  for (const auto& [side, used] : c.datasources) {
    j["datasources"].push_back({{"side", side},
                                {"name", used.name},
                                {"type", used.type},
                                {"environment", to_string(used.env)},
                                {"environment_origin", used.env_origin},
                                {"registry", used.file}});
  }
  j["zone"] = {{"name", nothing_if_empty(c.zone)}, {"origin", nothing_if_empty(c.zone_origin)}};
  j["started"] = utc_text(c.started_unix_ms);
  j["seconds"] = rounded(c.seconds);
  j["phases"] = json::array();
  for (const phase_time& phase : s.phases) {
    j["phases"].push_back({{"name", phase.name}, {"seconds", rounded(phase.seconds)}});
  }
  put_counts(j, s.counts);
  j["written_as"] = parts_of(s);
  j["written_again"] = s.repeated.count;
  j["written_again_at_most"] = s.repeated.at_most;
  j["dirty_by_code"] = json(s.dirty_by_code);
  j["changes"] = json::array();
  for (const change_summary& change : s.changes) {
    j["changes"].push_back({{"column", change.column}, {"rule", change.rule}, {"count", change.count}});
  }
  j["dirty_missing"] = s.dirty_missing;
  j["dirty_file"] = nothing_if_empty(c.dirty_file);
  j["dirty_taken_back"] = json(s.dirty_taken_back);
  j["dirty_pending"] = s.dirty_taken_back.empty() ? json() : nothing_if_empty(c.dirty_pending);
  j["committed"] = json::array();
  for (const auto& [table, records] : s.committed_by_table) {
    j["committed"].push_back({{"table", table}, {"records", records}});
  }
  j["sums"] = sums_of(s.sums, s.sums_form);
  j["verify"] = json();
  if (c.verified) {
    j["verify"] = {{"verdict", to_string(c.verified->what)},
                   {"proves", nothing_if_empty(c.verified->proves)},
                   {"records", c.verified->destination.records},
                   {"sum", to_string(c.verified->destination.sum)},
                   {"form", nothing_if_empty(c.verified->form)},
                   {"different", c.verified->different},
                   {"missing", c.verified->missing},
                   {"extra", c.verified->extra},
                   {"changed_since", c.verified->changed_since}};
  }
  j["splits"] = splits_of(s);
  put_work(j, s, c);
  j["read_statements"] = s.read_statements;
  j["reader_columns"] = nothing_if_empty(s.reader_columns);
  j["writer_columns"] = nothing_if_empty(s.writer_columns);
  j["run_folder"] = nothing_if_empty(c.run_folder);
  j["warnings"] = c.warnings;
  mask(j, secrets);
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace sluice
