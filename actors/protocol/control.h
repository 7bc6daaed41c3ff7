#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/protocol/caf.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"

namespace sluice {

// ---- supervisor to the ends: one command at a time, each answered once
// -------------------------------------

struct source_open {};
struct source_plan {
  std::uint32_t advice = 1;
};
/// In place of `source_plan` where a run is continued.
struct source_take_up {
  std::vector<frozen_split> splits;
};
struct source_make_readers {
  std::uint32_t count = 1;
  std::vector<bool> own = {};  ///< Columns that travel in their product's own bytes; empty: none.
};
struct source_check {};
using source_command =
    std::variant<source_open, source_plan, source_take_up, source_make_readers, source_check>;

/// Connect, describe, and list the runs of the job that the destination knows.
struct target_open {
  schema_ptr source_columns;
  std::string job_key;
  std::string job_name;
  std::shared_ptr<const table_facts> table = nullptr;  ///< Of the source.
};
/// `progress_store::take`, and the runs that are found then.
struct target_take {
  run_row from;
  run_query query;
};
struct target_load {
  run_id run;
};
/// Make the tables, take the claim, freeze the plan. `seen`: the unfinished run that is continued; `discard`:
/// runs of the same instance to be forgotten first. A stage of `mine` that is not the one of `seen` is
/// recorded.
struct target_claim {
  run_row mine;
  std::optional<run_row> seen;
  std::vector<progress_row> splits;
  std::vector<run_id> discard;
  std::vector<run_id> known = {};  ///< The runs that the start was decided by.
};
/// prepare, the steps from `first_step` on, describe again, stage `loading`.
struct target_before {
  run_id run;
  std::size_t first_step = 0;
  bool loading = false;  ///< The run is past its steps: only describe.
  schema_ptr source_columns;
  std::size_t splits = 1;  ///< Of the whole run.
};
struct target_make_writers {
  std::uint32_t count = 1;
  schema_ptr columns;
};
/// Keep the claim; sent from time to time while nothing else is asked of the destination.
struct target_renew {
  run_id run;
};
/// Make the output appear, run the steps after from `first_step` on, mark the run done. Without one, none of
/// them has been come to.
struct target_after {
  run_id run;
  std::optional<std::size_t> first_step;
  dirty_totals dirty;  ///< For the totals that stay with the run.
  bool again = false;  ///< It has failed in passing: what of it is done is seen at the destination first.
  /// Looks at what is written before the steps after; may be empty.
  std::function<result<void>(const stop_signal& stop)> verify = {};
};
/// The run's end at the destination. `abandon`: it failed. `forget`: nothing was moved, no trace is to stay.
struct target_release {
  run_id run;
  bool claimed = false;
  bool abandon = false;
  bool forget = false;
};
using target_command = std::variant<target_open, target_take, target_load, target_claim, target_before,
                                    target_make_writers, target_after, target_release, target_renew>;

// ---- supervisor to a pipeline's actors --------------------------------------------------------------------

/// The actors beside one; sent once, before anything else.
struct neighbours_msg {
  actor_ref up;    ///< Towards the source.
  actor_ref down;  ///< Towards the destination.
  actor_ref error;
  actor_ref supervisor;
  actor_ref throttle;  ///< Only where the job is throttled.
  actor_ref overdraft;
};
struct assign_msg {
  split_index split;
  scalar_list description;
  epoch_number epoch;
  bool repeats = false;  ///< What stands of it may be written once more (`writer_core::assign`).
};
/// Come to rest and say so.
struct stop_msg {};
/// The reader of this pipeline failed in this epoch with an error that a new epoch may mend.
struct reopen_msg {
  epoch_number of;
  error why;
};
/// Nothing more will come: drop all handles and end.
struct bye_msg {};

// ---- overdraft and throttle
// ---------------------------------------------------------------------------------

struct overdraft_ask {
  std::uint32_t pipeline = 0;
  actor_ref reader;
};
struct overdraft_grant {
  std::shared_ptr<const void> lease;
};
struct overdraft_returned {};
struct throttle_ask {
  actor_ref channel;
  std::uint64_t ticket = 0;
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
};
struct throttle_pass {
  std::uint64_t ticket = 0;
};

// ---- an actor to itself ----------------------------------------------------------------------------------

struct step_msg {};
struct tick_msg {};
struct commit_timer_msg {};
struct retry_timer_msg {};

}  // namespace sluice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::source_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::target_command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::neighbours_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::assign_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::stop_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::reopen_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::bye_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::overdraft_ask)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::overdraft_grant)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::overdraft_returned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::throttle_ask)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::throttle_pass)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::step_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::tick_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::commit_timer_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::retry_timer_msg)
