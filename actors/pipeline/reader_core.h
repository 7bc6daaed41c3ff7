#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "plugins/api/source.h"
#include "transport/flow/budget.h"
#include "transport/flow/credit.h"
#include "transport/wire/messages.h"

namespace sluice {

/// What one step of a reader came to.
struct reader_step {
  enum class kind {
    idle,    ///< Nothing to do until a message comes.
    again,   ///< Something was done; there is more.
    batch,   ///< `out` is to be sent downstream; there may be more.
    primed,  ///< The first batch (or the end) is in hand; a `rewind` will send it.
    needs,   ///< The overdraft is needed before the record at hand can be read.
    failed,  ///< `failure` ended the epoch.
  };
  kind what = kind::idle;
  batch_ptr out;
  error failure;
};

/// Decides what a reader actor does: seeks on `rewind`, reads while there is credit, holds at most one batch
/// that has none. Owned by its actor, used by that thread; the plugin's calls in `step` block.
class reader_core {
 public:
  struct config {
    run_id run;
    schema_ptr columns;
    std::shared_ptr<buffer_pool> pool;
    memory_plan memory;
  };
  reader_core(config c, std::shared_ptr<reader> plugin);

  /// An epoch of 0 primes: the first batch is read and kept until a real `rewind` to the same place.
  void rewind(const rewind_msg& to);
  void credit(const credit_msg& m);
  /// The overdraft is ours until the last copy of the lease is gone.
  void lease(std::shared_ptr<const void> l);

  /// At most one blocking call of the plugin.
  reader_step step(const stop_signal& stop);

  /// What to repeat to the channel while waiting; nothing outside an epoch.
  [[nodiscard]] std::optional<sent_msg> sent() const;
  /// True when the split is being read but the batch in hand has no credit: the rest is slower.
  [[nodiscard]] bool waits_for_credit() const { return pending_ && at_ && at_->epoch.value != 0; }
  /// What the plugin has read since it opened the split, in its own measure (0: not told) and in record
  /// bytes.
  struct amount_read {
    std::uint64_t source_bytes = 0;
    std::uint64_t record_bytes = 0;
  };
  [[nodiscard]] const amount_read& read_so_far() const { return read_so_far_; }
  /// The batch that priming has read, until it is sent; else nullptr.
  [[nodiscard]] const batch* in_hand() const { return pending_.get(); }

 private:
  reader_step read(const stop_signal& stop);
  reader_step hand_over();
  reader_step failed(error e);

  config config_;
  std::shared_ptr<reader> plugin_;
  batch_builder builder_;
  batch_builder::limits limits_;
  credit_sender credit_;
  std::optional<rewind_msg> at_;
  bool opened_ = false;
  bool ended_ = false;  // the plugin has said so
  bool sent_end_ = false;
  bool lease_wanted_ = false;
  bool primed_told_ = false;
  std::uint64_t bytes_needed_ = 0;
  amount_read read_so_far_;
  std::uint64_t position_ = 0;
  std::uint64_t sequence_ = 0;
  std::shared_ptr<batch> pending_;
  std::shared_ptr<const void> lease_;
};

}  // namespace sluice
