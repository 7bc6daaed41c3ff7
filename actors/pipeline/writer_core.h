#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/plan/delivery.h"
#include "actors/protocol/rows_beside.h"
#include "plugins/api/target.h"
#include "transport/flow/backoff.h"
#include "transport/flow/budget.h"
#include "transport/flow/credit.h"
#include "transport/record/dirty.h"
#include "transport/wire/messages.h"

namespace sluice {

/// `error::code` where a split cannot be read again because rows of it stand that no mark covers.
inline constexpr const char* rows_stand_code = "rows_stand";

/// Where a writer's messages go.
class writer_out {
 public:
  virtual ~writer_out() = default;
  // Upstream.
  virtual void to_channel(const rewind_msg& m) = 0;
  virtual void to_channel(const credit_msg& m) = 0;
  // To the error actor.
  virtual void to_error(dirty_report m) = 0;
  virtual void to_error(const dirty_sync& m) = 0;
  virtual void to_error(const dirty_commit& m) = 0;
  virtual void to_error(const dirty_drop& m) = 0;
  // To the supervisor.
  /// The split is open at this mark: what was counted of it beyond is void. `more`: what is known since the
  /// last call of this or `committed` to stand beside the mark.
  virtual void opened(const mark& m, const rows_beside& more) = 0;
  /// Records handed to the destination since the last call; not durable yet.
  virtual void wrote(split_index split, const record_counts& delta) = 0;
  /// The mark is durable. `more` as for `opened`.
  virtual void committed(const mark& m, const rows_beside& more) = 0;
  /// A transaction was lost, or the link: the split goes on from its mark after the wait of `next`. `end`:
  /// whose failure it is; nothing: the link's.
  virtual void rewound(split_index split, const error& why, std::optional<dirty_side> end,
                       const retry_try& next) = 0;
  /// The pipeline cannot go on with this split.
  virtual void failed(split_index split, const error& why, std::optional<dirty_side> end) = 0;
  /// The writer has come to rest after `stop`.
  virtual void stopped() = 0;
  // Timers: `commit_timer` and `retry` are to be called after this long.
  virtual void start_commit_timer(std::chrono::milliseconds after) = 0;
  virtual void start_retry_timer(std::chrono::milliseconds after) = 0;
};

/// Decides what a writer actor does (delivery.md): opens a split, takes batches in sequence, commits marks
/// with the rows, waits for the dirty file before a commit that covers dirty records, rewinds. Owned by its
/// actor, used by that thread; calls of the plugin block.
class writer_core {
 public:
  struct config {
    run_id run;
    memory_plan memory;
    whole_splits whole = whole_splits::one_transaction;  ///< Of a split whose reader makes no cursors.
    transaction_bound whole_max = {};                    ///< With `up_to_bound`.
    /// What stands of a split that was committed in parts may be written once more.
    bool may_repeat = false;
    /// The destination holds no marks, and what is committed stays: where the split is lost, it goes on from
    /// what this process has committed of it.
    bool remembers = false;
    std::uint64_t commit_bytes = std::uint64_t{64} << 20;
    std::uint64_t commit_rows = 100'000;
    std::chrono::milliseconds commit_interval{2000};
    std::uint32_t retries_max = retries_max_default;  ///< In a row without a commit between.
    /// The line of a record whose place in a file is known only by its byte; may block. Empty: none is known.
    std::function<std::optional<std::uint64_t>(const std::string& file, std::uint64_t byte_offset,
                                               const stop_signal& stop)>
        line_at = {};
  };
  writer_core(config c, std::shared_ptr<writer> plugin, writer_out& out)
      : config_(std::move(c)), plugin_(std::move(plugin)), out_(out) {}

  /// Begin a split. Only when idle. `repeats`: what an earlier process has committed of it in parts may be
  /// written once more.
  void assign(split_index split, scalar_list description, epoch_number epoch, bool repeats,
              const stop_signal& stop);
  /// The reader's end was lost: go on from the mark under the next epoch. Late ones (older epoch) change
  /// nothing.
  void reopen(epoch_number of, const error& why);
  void take(const batch_ptr& b, const stop_signal& stop);
  void sent(const sent_msg& m);
  void dropped(const dirty_dropped& m);
  void synced(const dirty_synced& m, const stop_signal& stop);
  /// Dirty records cannot be kept any more: what is not committed is given up.
  void dirty_file_failed(epoch_number epoch, const error& why);
  void commit_timer(const stop_signal& stop);
  void retry(const stop_signal& stop);
  /// Finish the batch in hand, commit the mark where one may fall here, come to rest; then `stopped`.
  void stop(const stop_signal& stop);

  [[nodiscard]] bool idle() const { return state_ == state::idle || state_ == state::stopped; }
  [[nodiscard]] bool waits_for_dirty_file() const {
    return state_ == state::syncing || state_ == state::dropping;
  }
  /// Until its next try, because the destination failed.
  [[nodiscard]] bool waits_for_destination() const { return state_ == state::waiting && destination_failed_; }

 private:
  enum class state { idle, dropping, loading, syncing, waiting, stopped };

  void open(epoch_number epoch, const stop_signal& stop);
  void process(const batch_ptr& b, const stop_signal& stop);
  void count_lines(std::vector<dirty_record>& records, const stop_signal& stop) const;
  void drain(const stop_signal& stop);
  void begin_commit(const stop_signal& stop);
  void commit(const stop_signal& stop);
  /// `open_settles`: whether the last commit stands is seen when the split is opened again.
  void lost(const error& why, std::optional<dirty_side> end, bool open_settles = false);
  void rest();
  /// A stop commits nothing more in parts: it would be written once more.
  [[nodiscard]] bool may_commit() const { return uncommitted_ && (at_border_ || (in_parts_ && !stopping_)); }
  [[nodiscard]] bool is_above_bound() const;
  /// Rows stand that no mark covers, and must not be written once more.
  [[nodiscard]] bool would_double() const;
  [[nodiscard]] error doubling(error why) const;

  config config_;
  std::shared_ptr<writer> plugin_;
  writer_out& out_;
  state state_ = state::idle;
  bool stopping_ = false;

  split_index split_;
  scalar_list description_;
  epoch_number epoch_;
  mark durable_;  // as last committed or opened
  mark current_;  // with what was written since
  credit_receiver from_channel_;
  std::uint64_t expected_ = 1;
  std::deque<batch_ptr> queue_;  // arrived while waiting for the dirty file; bounded by the window
  bool uncommitted_ = false;
  bool at_border_ = false;           // a mark may fall behind the last batch written
  bool in_parts_ = false;            // the split is committed at each interval, wherever that falls
  std::optional<error> lost_by_;     // why the split is opened again
  bool unsure_ = false;              // of the last commit nobody knows whether it stands (`remembers`)
  bool repeats_ = false;             // as `assign` was told, until this process has committed something
  std::optional<mark> unanswered_;   // its commit may have come; `open` sees that
  std::uint64_t unsure_rows_ = 0;    // of that commit, with `unsure_`
  std::uint64_t superseded_ = 0;     // rows in parts that the destination's mark counts until the next commit
  bool destination_failed_ = false;  // why it is `waiting`
  std::uint64_t dirty_kept_ = 0;     // of the split, promoted with marks that cover them
  bool due_ = false;                 // a commit is due at the next border
  bool commit_after_sync_ = false;
  std::uint64_t bytes_since_commit_ = 0;
  std::uint64_t rows_since_commit_ = 0;
  std::uint64_t dirty_unsynced_bytes_ = 0;
  bool dirty_unsynced_ = false;
  bool timer_running_ = false;
  std::uint32_t retries_ = 0;
  unsigned short_commits_ = 0;  ///< So many more marks are committed as soon as a batch allows it.
};

}  // namespace sluice
