#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugins/common/relational/sql_session.h"
#include "transport/base/sqlite.h"
#include "transport/record/mark.h"

namespace sluice::sim {

struct world;

/// What a data transaction brings beside its statements.
struct data_change {
  mark next;
  bool is_first = false;  ///< Since its writer opened the split.
  std::uint32_t process = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows;  ///< Split and position.
};

/// What a step around the data does.
struct step_change {
  std::uint32_t process = 0;
  bool behind_data = false;
  std::size_t index = 0;
};

/// The destination's server: the tables of marks in an SQL database in memory, and the sessions of all
/// processes with their locks. A transaction is the list of its statements, which see the database with the
/// earlier ones applied, and stands once it is committed; so several are open at once, one of them may be on
/// its way when its process is killed, and nobody sees what is not committed. Whoever needs a row that
/// another transaction has written waits: until a commit on its way has come or is lost, until the server
/// misses a client, or in vain (`busy`). Part of the world, one thread.
class server {
 public:
  explicit server(world& w);

  std::uint32_t connect(std::uint32_t process);
  /// `S7`; told apart from all later ones.
  static std::string name_of(std::uint32_t session) { return "S" + std::to_string(session); }
  [[nodiscard]] bool lives(const std::string& name) const;
  [[nodiscard]] bool works(const std::string& name) const;
  /// Ends it with its transaction; what was being committed has come or is lost.
  void end(const std::string& name);

  // For `client`: nothing where the session has ended.
  [[nodiscard]] bool is_there(std::uint32_t session) const { return sessions_.contains(session); }
  void begin(std::uint32_t session);
  result<std::vector<relational::sql_row>> ask(std::uint32_t session, const std::string& sql,
                                               const std::vector<relational::sql_text>& values);
  result<std::uint64_t> run(std::uint32_t session, const std::string& sql,
                            const std::vector<relational::sql_text>& values);
  /// In the open transaction.
  void add(std::uint32_t session, const step_change& step) { sessions_[session].open->steps.push_back(step); }
  [[nodiscard]] bool in_transaction(std::uint32_t session) const {
    return is_there(session) && sessions_.at(session).open.has_value();
  }
  void commit(std::uint32_t session, std::optional<data_change> data);
  /// The COMMIT is sent, and its client will not hear of it.
  void commit_later(std::uint32_t session, std::optional<data_change> data);
  void rollback(std::uint32_t session);
  /// The server itself undoes what the transaction has done, and its client does not see it.
  void undo_unseen(std::uint32_t session);
  /// The client is gone; the server may see that at once or later.
  void lose(std::uint32_t session);
  void lose_all_of(std::uint32_t process);
  /// The client closes it in order.
  void close(std::uint32_t session) { drop(session); }

  /// Something that is late may happen now.
  void pass_time();
  /// All that is late happens now.
  void settle_all();

  /// The first column of the first row, of what is committed; empty where there is none.
  std::string look(const std::string& sql);
  /// The columns of a table.
  std::vector<std::string> columns_of(const std::string& table);

 private:
  struct lock {
    bool of_run = false;  ///< A row of the table of runs; else of marks.
    std::string run;
    std::int64_t split = -1;  ///< All of the run.
    [[nodiscard]] bool meets(const lock& other) const {
      return of_run == other.of_run && run == other.run &&
             (split == other.split || split < 0 || other.split < 0);
    }
  };
  struct change {
    std::string sql;
    std::vector<relational::sql_text> values;
  };
  struct transaction {
    std::vector<change> changes;
    std::vector<lock> locks;
    std::optional<data_change> data;
    std::vector<step_change> steps;
    bool is_sent = false;
  };
  struct session_state {
    std::uint32_t process = 0;
    bool is_lost = false;
    std::optional<transaction> open;
  };

  static std::optional<lock> lock_of(const std::string& sql, const std::vector<relational::sql_text>& values);
  [[nodiscard]] std::string at_clock(const std::string& sql) const;
  result<std::uint64_t> execute(const std::string& sql, const std::vector<relational::sql_text>& values);
  void put_aside();
  void take_up(std::uint32_t session);
  void apply(std::uint32_t session);
  void drop(std::uint32_t session);
  void settle(std::uint32_t session);
  result<void> wait_for(std::uint32_t session, const lock& wanted);

  world& world_;
  sqlite::database db_;
  std::map<std::uint32_t, session_state> sessions_;
  std::uint32_t last_ = 0;
  std::uint32_t lost_ = 0;
  std::optional<std::uint32_t> active_;  ///< Whose changes the database has applied and not committed.
};

/// A process's end of a session, for the code of relational marks. Fails as the world's dice say.
class client : public relational::sql_session {
 public:
  client(world& w, std::uint32_t process) : world_(w), process_(process) {}
  ~client() override;
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Where there is no connection.
  result<void> connect();
  [[nodiscard]] bool is_connected() const { return session_ != 0; }
  [[nodiscard]] std::string name() const { return server::name_of(session_); }

  result<std::vector<relational::sql_row>> ask(const std::string& sql,
                                               const std::vector<relational::sql_text>& values) override;
  result<std::uint64_t> run(const std::string& sql, const std::vector<relational::sql_text>& values) override;
  result<void> begin() override;
  result<void> commit() override { return commit_with(std::nullopt); }
  result<void> commit_with(std::optional<data_change> data);
  /// A statement of the job's, in the open transaction or by itself.
  result<void> act(const step_change& step);
  void rollback() override;
  void undo_unseen();

 private:
  result<void> check();
  result<void> commit_now(std::optional<data_change> data);
  tl::unexpected<error> lost(std::string_view what);

  world& world_;
  std::uint32_t process_;
  std::uint32_t session_ = 0;
};

}  // namespace sluice::sim
