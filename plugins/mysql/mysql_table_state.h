#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/mysql/mysql_connection.h"

namespace sluice::mysql {

/// What shows that a table was altered or emptied meanwhile, as far as the server tells this account. A
/// value.
struct table_state {
  std::string altered;  ///< When it was made or last altered, in whole seconds; empty: it is gone.
  std::string columns;  ///< A sum of its columns' names, order and types.
  /// The files of its rows, which TRUNCATE and an ALTER that copies make anew. MySQL from 8.0 on tells them
  /// to all, older ones and MariaDB to those with the right PROCESS. Empty: not told, or in a shared
  /// tablespace.
  std::string storage;
  std::optional<std::uint64_t> next_number;  ///< Of AUTO_INCREMENT, which nothing else takes back.
};

/// By the names as the server spells them. `storage`: look for it; a server or account that does not tell it
/// is asked in vain once, when the run begins. What was not looked for has not changed.
result<table_state> state_of(connection& c, const std::string& database, const std::string& table,
                             bool storage, const stop_signal& stop);

/// The table on its server, in one spelling; another server has another. Empty where the server does not tell
/// when it was started.
result<std::string> table_identity(connection& c, const std::string& database, const std::string& table,
                                   const stop_signal& stop);

/// `was altered`, `was emptied`; empty where nothing shows, or the table is gone.
std::string_view what_changed(const table_state& before, const table_state& now);

/// The plan's line where `storage` is not told: a table that is emptied between two splits may go unnoticed.
result<std::string> note_of_untold_storage(connection& c, const std::string& table, const stop_signal& stop);

}  // namespace sluice::mysql
