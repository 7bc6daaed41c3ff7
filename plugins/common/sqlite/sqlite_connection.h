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

}  // namespace sluice::sqlite
