#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/plan/column_pairs.h"
#include "actors/plan/mapping.h"
#include "actors/supervise/beginnings.h"
#include "actors/supervise/continuation.h"
#include "transport/flow/budget.h"

namespace sluice {

struct look_settings {
  std::string time_zone;  ///< Resolved name.
  std::uint64_t memory_bytes = std::uint64_t{160} << 20;
  run_settings::unfinished on_unfinished = run_settings::unfinished::automatic;
  std::chrono::seconds resume_window{3600};
  bool same_ends = false;  ///< `run_settings::same_ends`.
  decltype(plugin_context::resolve_secret) resolve_secret = plain_secret;
  decltype(plugin_context::guard) guard = nullptr;
  bool open_ends = true;     ///< False: only what the job's text shows is checked, nothing is opened.
  bool makes_table = false;  ///< `plugin_context::makes_table`.
  bool plan_splits = true;   ///< False: what may take a pass over the source is left out.
};

/// One kind of split: all that are read by the same statement.
struct split_kind {
  std::string statement;  ///< Empty where the source is not read by statements.
  std::string resumed;    ///< The same behind a cursor; empty where that is not possible.
  std::size_t splits = 0;
  std::string first_label;
};

/// What a run of the job would find and do, as far as can be told without a change anywhere.
struct job_look {
  std::optional<error> failure;  ///< What would end the run before data move; the rest is as far as it came.
  bool wrong_job = false;        ///< The job's text alone shows it: exit code 2.
  std::vector<std::string> warnings;  ///< Of the plugins and of the mapping.

  source_description source;
  target_opened target;
  std::vector<column_pair> pairs;  ///< Empty where the destination takes what comes, or is made by preSql.
  std::shared_ptr<const mapping> map;  ///< nullptr where nothing is compared.
  continuation next = begin_fresh{};
  std::vector<split> splits;    ///< Empty without `plan_splits`. Of a run to be continued: its own.
  std::size_t splits_done = 0;  ///< Of a run to be continued.
  std::vector<split_kind> kinds;
  delivery_choice delivery;
  concurrency_choice concurrency;
  memory_plan memory;
};

/// Opens both ends the way a run does, in a run's order and with its code, and stops before the first change:
/// no table, file, claim or mark is made. Blocks.
job_look look_at(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                 const look_settings& settings, const stop_signal& stop);

}  // namespace sluice
