#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "actors/pipeline/dirty_store.h"
#include "actors/pipeline/error_core.h"
#include "actors/protocol/dirty.h"
#include "actors/protocol/report.h"

namespace sluice {

/// The shell of an `error_core`: one a run. Counts, judges, and passes records on to the dirty file in the
/// order they came. Returns at once.
class error_actor : public actor_base {
 public:
  error_actor(caf::actor_config& cfg, error_core core, std::uint32_t told_max, actor_ref file,
              actor_ref supervisor);
  caf::behavior make_behavior() override;
  void on_exit() override;

 private:
  void seal_when_published();
  void tell_sealed(dirty_sealed m);

  error_core core_;
  std::uint32_t told_left_;
  actor_ref file_;
  actor_ref supervisor_;
  std::uint64_t records_read_ = 0;
  std::optional<std::uint64_t> dirty_complete_;  // the seal waits until marks cover this many
  std::unordered_map<std::uint32_t, std::uint64_t>
      told_below_;  // split to position: a rewind does not tell again
};

/// Opens the store on its first message.
using open_store = std::function<result<std::unique_ptr<dirty_store>>()>;

/// The shell of the dirty file. Blocks on the disk; the wiring gives it a thread of its own. Once a call has
/// failed it answers every writer with that failure.
class dirty_file_actor : public actor_base {
 public:
  dirty_file_actor(caf::actor_config& cfg, open_store open);
  caf::behavior make_behavior() override;

 private:
  /// The store, or nullptr after a failure; `failed_` says why.
  dirty_store* store();
  bool check(result<void> r);
  /// What the store knows, for the end of the run.
  dirty_sealed known();

  open_store open_;
  std::unique_ptr<dirty_store> store_;
  std::optional<error> failed_;
  bool told_ = false;
  actor_ref error_actor_;
  std::unordered_map<std::uint32_t, std::uint64_t> dirty_totals_;  // by split, of its mark
};

}  // namespace sluice
