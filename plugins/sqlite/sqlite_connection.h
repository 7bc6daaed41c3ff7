#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace sluice::sqlite
