#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/progress.h"
#include "transport/base/sqlite.h"

namespace sluice::sqlite {

/// A connection opened when it is first needed: a file that does not exist is only made by a
/// call that changes something.
struct file_connection {
  std::string file;
  std::chrono::milliseconds busy_timeout{0};
  std::vector<std::string> session;
  stop_signal stop;
  std::optional<database> db;

  /// The connection; `mode` counts where there is none yet.
  result<database*> get(open_mode mode);
  /// Thread-safe.
  void interrupt();

  std::mutex interrupting;  ///< Guards `db` against `interrupt` while it is being made.
};

/// Opens a connection as the job wants it. `memory_bytes` is what its page cache may take; 0 = SQLite's 2 MB.
result<database> connect(const std::string& file, open_mode mode, std::chrono::milliseconds busy_timeout,
                         const std::vector<std::string>& session, std::uint64_t memory_bytes,
                         const stop_signal& stop);

/// What target and writers share of the run's claim. Written by the target's thread before writers are made.
struct claim_state {
  run_id run;
  std::uint16_t term = 0;  ///< 0 = no claim.
  std::optional<claim_owner> owner;
  /// Writers in a data transaction, which renews the claim itself: the target's renewal would wait for its
  /// lock.
  std::atomic<int> transactions = 0;
};

/// Runs `work` in one transaction: what it fails with is returned after a rollback.
template <class Work>
result<void> in_transaction(database& db, const Work& work) {
  SLUICE_CHECK(db.run("BEGIN IMMEDIATE"));
  result<void> done = work();
  if (done) {
    done = db.run("COMMIT");
  }
  if (!done) {
    db.rollback();
  }
  return done;
}

/// Renews the claim inside the caller's transaction; `conflict` where it was taken over.
result<void> renew_claim(database& db, const claim_state& claim);
/// Sets the stage inside the caller's transaction, likewise.
result<void> set_stage_of(database& db, const claim_state& claim, const std::string& stage);

/// `open` of delivery.md for one split, a transaction of its own.
result<mark> open_split(database& db, const claim_state& claim, split_index split, epoch_number epoch);
/// The first statement of a data transaction; `conflict` where the epoch is not the owner's any more.
result<void> begin_mark(database& db, const claim_state& claim, split_index split, epoch_number epoch,
                        std::uint64_t transaction);
/// The last but the claim's renewal; `conflict` likewise.
result<void> end_mark(database& db, const claim_state& claim, const mark& m);

/// The tables `sluice_run` and `sluice_progress` in the destination file (docs/delivery.md).
class sqlite_progress : public progress_store {
 public:
  sqlite_progress(file_connection& connection, claim_state& claim) : connection_(connection), claim_(claim) {}

  [[nodiscard]] std::string tables() const override;
  result<std::vector<run_row>> runs_of(const run_query& query) override;
  result<void> make_tables() override;
  result<void> claim_new(const run_row& run) override;
  result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) override;
  result<void> freeze(const run_id& run, const std::vector<progress_row>& splits) override;
  result<std::vector<progress_row>> load(const run_id& run) override;
  result<void> set_stage(const run_id& run, const std::string& stage) override;
  result<void> renew(const run_id& run) override;
  result<run_totals> finish(const run_id& run, const dirty_totals& dirty) override;
  result<void> release(const run_id& run) override;
  result<void> discard(const run_id& run) override;

  /// Whether both tables are there.
  result<bool> has_tables();
  /// How many columns `make_tables` will add, because they were made by an older program; 0 also where there
  /// are none.
  result<std::size_t> columns_to_add();

 private:
  /// `conflict` where a process that lives holds the run's claim, and it is not this target's own.
  result<void> check_not_held_elsewhere(database& db, const run_id& run) const;
  result<database*> existing() { return connection_.get(open_mode::read_write); }

  file_connection& connection_;
  claim_state& claim_;
};

}  // namespace sluice::sqlite
