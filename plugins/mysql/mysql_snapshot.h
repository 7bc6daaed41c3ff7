#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "plugins/mysql/mysql_connection.h"

namespace sluice::mysql {

/// Where one snapshot is taken, and of what.
struct snapshot_end {
  connection_plan connect;
  std::vector<std::string> tables;  ///< In SQL: what is locked where it does not go without.
  std::string no_lock;              ///< Why they cannot be locked: `a querySql`; empty: they can.
};

/// Whether one can be begun for several connections, by what is seen beforehand.
struct snapshot_prospect {
  std::string why_locked;   ///< Why it does not go without a lock; empty: it may.
  std::string why_no_lock;  ///< Why the tables cannot be locked; empty: they may.
};
result<snapshot_prospect> prospect_of(const snapshot_end& end, connection& c, const stop_signal& stop);
/// `not_supported`, with what to do.
error no_snapshot(const connection& c, const std::string& why);

/// How one came about: `began without a lock`, for the log.
using snapshot_note = std::function<void(std::string)>;

/// `snapshot: shared`: the connections of all readers of a run, one for each reader and end, each in a
/// transaction that sees the same rows. They begin together, when the first is asked for. Without a lock at
/// first: they see the same where the server shows that nothing was committed while they began (MariaDB: the
/// place in its binary log that each has begun at; MySQL: its executed GTIDs before and after). Then with
/// LOCK TABLES … READ of the job's tables alone, waited for `lock_wait` at most and let go of as soon as all
/// have begun. All tables of the server are never locked. Else it is refused. Owned by the plan that its
/// readers share; thread-safe.
class shared_snapshot {
 public:
  static constexpr std::chrono::milliseconds lock_wait{2000};

  shared_snapshot(std::vector<snapshot_end> ends, snapshot_note note);

  /// One reader more, before the first `take`.
  void expect_reader();
  /// A connection in the snapshot's transaction, with the savepoint `between_splits`. `not_supported` with
  /// the reason where there can be no such snapshot, `source_changed` where a connection of it was lost.
  result<std::unique_ptr<connection>> take(std::size_t end, const stop_signal& stop);
  void give_back(std::size_t end, std::unique_ptr<connection> c);
  /// Closes all connections, behind the last split: locks on the definitions of tables go with them
  /// (MariaDB). Those that were not given back are ended on the server.
  void end(const stop_signal& stop);

  /// Rolled back to after each split: MySQL then lets go of its lock on the table's definition. MariaDB does
  /// not.
  static constexpr std::string_view between_splits = "sluice_split";

 private:
  struct begun_end {
    bool begun = false;
    std::vector<std::unique_ptr<connection>> free;
    std::set<std::string> sessions;  ///< Of all connections that began, by `connection::session_name`.
  };
  result<void> begin(std::size_t end, const stop_signal& stop);
  result<void> begin_together(const snapshot_end& what, connection& watch,
                              const std::vector<std::unique_ptr<connection>>& all, const stop_signal& stop);
  result<void> begin_locked(const snapshot_end& what, connection& watch,
                            const std::vector<std::unique_ptr<connection>>& all,
                            const std::string& why_locked, const stop_signal& stop);

  std::vector<snapshot_end> ends_;
  snapshot_note note_;
  std::mutex mutex_;  ///< Guards all below; held while connections begin.
  std::size_t readers_ = 0;
  std::vector<begun_end> begun_;
};

}  // namespace sluice::mysql
