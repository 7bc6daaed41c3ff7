#pragma once

#include "actors/supervise/run.h"
#include "tools/cli/run_context.h"

namespace sluice::testing {

/// A run with something in every field, so that a golden file shows them all.
inline run_summary sample_summary() {
  run_summary s;
  s.run = run_id::make(1769847300123, 1, 2);
  s.job_name = "orders";
  s.job_key = "0123456789abcdef0123456789abcdef";
  s.state = run_state::failed;
  s.failure = error{error_kind::no_room, "the disk under \"shop.db\" is full; make room", "SQLITE_FULL"};
  s.retryable = true;
  s.how_to_go_on = "Make room, then run the same command again: it continues.";
  s.resumed = true;
  s.resumable = true;
  s.promise = "exactly once";
  s.counts = {1000, 960, 1, 37, 2, 123456};
  s.parts = {900, 40, 7, 3};
  s.sums.read = {uint128{1} << 100};
  s.sums.written = {15};
  s.sums.dirty = {16};
  s.sums.changed = true;
  s.sums_form = "canonical/1";
  s.changes = {{"amount", "fraction_cut", 12}};
  s.dirty_by_code = {{"not_a_number", 30}, {"too_long", 7}};
  s.dirty_taken_back = {{"not_a_number", 5}};
  s.committed_by_table = {{"sqlite shop.db table orders", 960}};
  s.dirty_missing = 3;
  s.phases = {{"open", 0.0121}, {"data", 1.5}};
  split_summary split;
  split.index = 0;
  split.label = "orders.csv bytes 0 to 67108864";
  split.counts = s.counts;
  split.sums = s.sums;
  s.splits = {split};
  s.splits_total = 2;
  s.splits_done = 1;
  s.concurrency_asked = 4;
  s.concurrency_peak = 2;
  s.concurrency_mean = 1.5;
  s.pipeline_seconds = 2.25;
  s.concurrency_reason = "sqlite takes one writer";
  s.repeated = {12, true};
  s.waits = {0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7};
  s.slowest = "The destination was slowest: the source waited for it 80 % of the time";
  s.rewinds = 1;
  s.retries = 2;
  s.bytes_held_peak = 4194304;
  s.read_statements = {"orders.csv"};
  s.reader_columns = "id int64, name utf8";
  s.writer_columns = "id int64, name utf8";
  return s;
}

inline run_context sample_context() {
  run_context c;
  c.job_file = "jobs/orders.json";
  c.parameters = {{"bizdate", "20260130"}, {"password", "***"}};
  c.planned_for =
      planned_time{std::chrono::local_days{std::chrono::year{2026} / 1 / 31} + std::chrono::minutes{150},
                   "Europe/Berlin", true, "--bizdate 20260130 --at 02:30", true};
  c.datasources = {{"reader", {"shop", datasource_env::production, "default", "sqlite", "datasources.json"}},
                   {"writer", {"dw", datasource_env::development, "envType", "sqlite", "datasources.json"}}};
  c.zone = "Europe/Berlin";
  c.zone_origin = "--timezone";
  c.memory = {167772160, "default"};
  c.run_folder = "/var/lib/sluice/runs/orders/x";
  c.dirty_file = c.run_folder + "/dirty.jsonl";
  c.dirty_pending = c.run_folder + "/dirty.pending";
  c.started_unix_ms = 1769847300123;
  c.seconds = 1.6;
  c.exit_code = 1;
  c.stopped_by = "SIGTERM";
  c.planned = true;
  c.first_dirty = {"orders.csv line 17, column amount, value \"abc\": not a number (not_a_number)"};
  c.instance = "fedcba9876543210fedcba9876543210";
  c.verified.emplace();
  c.verified->what = verify_report::verdict::different;
  c.verified->proves = "The whole table.";
  c.verified->destination.records = 959;
  c.verified->destination.sum = {31};
  c.verified->form = "canonical/1";
  c.verified->missing = 1;
  c.warnings = {"jobs/orders.json:3:5 steps[0].parameter.colour: unknown key"};
  return c;
}

}  // namespace sluice::testing
