#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/mysql/mysql_connection.h"

namespace sluice::mysql {

/// What the session's account may do, by SHOW GRANTS: its own rights and those of its active roles. A value.
class account_rights {
 public:
  /// One line is enough for it: `GRANT SELECT, INSERT ON `shop`.* TO …`. What is no such line adds nothing.
  void add(std::string_view line);
  /// Whether it has a right (`LOCK TABLES`) on all of a database; rights on single tables do not count.
  [[nodiscard]] bool has(std::string_view right, std::string_view database) const;
  /// Whether it has it on the database, or on any of its tables or columns.
  [[nodiscard]] bool has_some(std::string_view right, std::string_view database) const;

 private:
  struct line {
    std::vector<std::string> rights;  ///< Columns left out.
    std::string database;             ///< A pattern as in LIKE, or `*`.
    bool whole = false;               ///< All of it, not one table.
  };
  [[nodiscard]] bool found(std::string_view right, std::string_view database, bool in_parts) const;
  std::vector<line> lines_;
};

/// Its own, those of its active roles and, of MariaDB, those of everybody.
result<account_rights> rights_of(connection& c, const stop_signal& stop);

/// `GRANT CREATE ON `shop`.* TO 'writer'@'%'`, to whoever is logged in.
result<std::string> grant_text(connection& c, std::string_view rights, std::string_view database,
                               const stop_signal& stop);

/// Where an account that sees no such table, or no such column of it (empty: the table itself, or all of its
/// columns), has not the right SELECT on it: what it lacks, with the statement that grants it. The server
/// does not tell such an account whether there is one. Nothing where it may read it, or the server says
/// otherwise.
result<std::optional<std::string>> missing_select(connection& c, const std::string& database,
                                                  const std::string& table, const std::string& column,
                                                  const stop_signal& stop);

/// The same of all tables that a query names which the server has refused: those of which the account may
/// read nothing, else those of which it may not read all. Empty where there are none.
result<std::string> missing_selects(connection& c, std::string_view query, const stop_signal& stop);

/// Whether the database is there and, on MariaDB and MySQL, the account has each of these rights on some of
/// it; `bad_option` or `denied`, with the statement that grants what is missing.
result<void> check_rights(connection& c, const std::string& database,
                          const std::vector<std::string_view>& rights, const stop_signal& stop);

}  // namespace sluice::mysql
