#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/lock_watch.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/common/relational/replica.h"
#include "plugins/common/relational/url_properties.h"
#include "plugins/postgresql/postgresql_connection.h"

namespace sluice::postgresql {

/// What a connection is for; its session is set by it.
enum class session_role : std::uint8_t {
  source,  ///< The run's own at the source: it looks, and holds the snapshot.
  reader,
  target,  ///< The run's own at the destination: claim, steps.
  writer,
};

/// A setting of sessions; docs and code read the same table.
struct session_setting {
  std::string_view name;
  std::string_view value;
  bool reads = false;   ///< Of `source` and `reader`.
  bool writes = false;  ///< Of `target` and `writer`.
  int version_min = 0;  ///< As `connection::version` counts.
  std::string_view why;
  bool may_fail = false;  ///< Not every server can: what it says is not heard.
  bool yields = false;    ///< What the job itself says in its stead counts (`session`, the address).
  bool needed = false;    ///< Without it values would be others; each product must take it.
};
const std::vector<session_setting>& session_settings();

/// How an end connects, the same for each of its connections.
struct session_plan {
  relational::connect_options options;
  std::vector<relational::placed_text> statements;  ///< The job's `session`.
  std::string job;
  std::string run;
  secret_lookup look_up;
  std::shared_ptr<relational::lock_watch> locks = nullptr;  ///< Of the end; nullptr: waits are not told.
  /// Told by `source` and `target`: settings that the job says in vain; nullptr: nobody is.
  std::shared_ptr<relational::once_warner> warn = nullptr;
  /// What the end's own session found, for its readers and writers; nothing: it is asked for.
  std::optional<server_product> product = std::nullopt;
};

/// Connects and sets the session: the engine's settings that yield, what URL and job ask for, then the
/// engine's others, which overrule them; it is told where that takes something from the job.
/// `part`: what the name of the connection ends with, such as `split 3`. `not_supported` where the server is
/// PostgreSQL before version 10, or another product with the catalogue of one before 9.1. Another product may
/// lack settings that change no value; they stand in its `server_product`.
result<std::unique_ptr<connection>> open_session(const session_plan& plan, session_role role,
                                                 const std::string& part, const stop_signal& stop);

/// How the server stands to its primary; nothing where it is one itself. `not_supported` of another product.
result<std::optional<relational::replica_state>> replica_state_of(connection& c);

/// The session as the server knows it, told apart from a later one of the same process number:
/// `4711/2025-07-20 10:30:00.25+00`. Empty where another product does not tell.
result<std::string> session_name_of(connection& c);
/// Whether that session is still on the server; nothing where this user may not see it.
result<std::optional<bool>> session_lives(connection& c, const std::string& name);
/// Whether that session runs a statement now.
result<bool> session_works(connection& c, const std::string& name);
/// Ends it where it is still there.
result<void> end_session(connection& c, const std::string& name);

/// A connection as marks and claims want it. Does not own it.
class statement_session : public relational::sql_session {
 public:
  explicit statement_session(connection& c) : connection_(c) {}
  result<std::vector<relational::sql_row>> ask(const std::string& sql,
                                               const std::vector<relational::sql_text>& values) override {
    return connection_.ask(sql, values);
  }
  result<std::uint64_t> run(const std::string& sql,
                            const std::vector<relational::sql_text>& values) override {
    return connection_.run(sql, values);
  }
  result<void> begin() override { return connection_.begin(); }
  result<void> commit() override { return connection_.commit(); }
  void rollback() override { connection_.rollback(); }

 private:
  connection& connection_;
};

}  // namespace sluice::postgresql
