#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"

namespace sluice {

// The stages of a run around its data, as they stand in `run_row::stage`: `pre:N`, `post:N` and, behind the
// number of steps that have run, a digest of their texts: `post:2 9c1185a5c5e9fc54`. By it a start whose
// postSql was edited sees whether what has run is still what the job says. Without a digest (nothing has run,
// or somebody set the stage by hand) that is not told.
//
// A step that commits by itself and may not run twice (`target_step::repeatable`) is recorded before it runs:
// `pre:1 begun 0c75e1a2b45d77f0`, where one step has run and the second was begun, with a digest of its text.
// Whoever finds that stage cannot know whether it has run.

/// The stage of a run whose first `done` of `steps` behind the data have run; `post:0` where none has.
std::string stage_behind(const std::vector<target_step>& steps, std::size_t done);

/// N of the stage `<prefix>N`.
std::optional<std::size_t> stage_step(std::string_view stage, std::string_view prefix);

/// False where the steps that `stage` says have run are not the first of `steps`. True for stages that are
/// not behind the data, and where it is not told.
bool ran_of(const std::vector<target_step>& steps, std::string_view stage);

/// What stands in the run's row before a step, while it may have run, and behind it.
struct step_stages {
  bool behind_data = false;
  std::string before;
  std::string begun;
  std::string behind;
};
/// Of the step of that index before the data, which has this text.
step_stages stages_before_data(std::size_t index, std::string_view text);
/// Of one of `steps`, behind the data.
step_stages stages_behind_data(const std::vector<target_step>& steps, std::size_t index);

/// A step of which a stage says that it was begun.
struct begun_step {
  bool behind_data = false;
  std::size_t index = 0;
  std::string before;  ///< The stage as it was.
  std::string digest;
  /// Whether it was this one.
  [[nodiscard]] bool is(const target_step& step) const;
};
std::optional<begun_step> begun_in(std::string_view stage);

/// `step 2 before the data (CREATE INDEX …)`.
std::string step_name(bool behind_data, std::size_t index, std::string_view text);
/// Where to see whether a statement has run, as an order: `look whether what it creates is there`.
std::string what_to_look_at(std::string_view text);
/// `--skip-presql`, or the one of steps behind the data.
std::string_view skip_flag(bool behind_data);
/// `--rerun-presql`, likewise.
std::string_view rerun_flag(bool behind_data);

}  // namespace sluice
