#pragma once

#include <string>
#include <string_view>

#include "transport/base/error.h"

/// What the numbers of MariaDB and MySQL mean to the engine
/// (https://mariadb.com/kb/en/mariadb-error-codes/, https://dev.mysql.com/doc/mysql-errors/8.0/en/).
namespace sluice::mysql {

/// `kind` is `bad_row` where the row at hand can be blamed.
struct code_meaning {
  unsigned code = 0;
  std::string name;  ///< `ER_DUP_ENTRY`; `ER_1234` for one that the table does not have.
  error_kind kind = error_kind::not_supported;
  std::string_view advice = {};  ///< What to do, a clause without a full stop; may be empty.
};

/// The meaning of an error number; of its SQLSTATE's class where the number has no row of its own.
/// `message` tells a full disk from another failure of the storage engine.
code_meaning meaning_of(unsigned code, std::string_view sql_state, std::string_view message);

/// Warnings that say nothing about the values of a row: of syntax that will go, of the server's settings.
bool is_harmless_warning(unsigned code);
/// Whether a statement was ended because it took longer than its session lets it.
bool is_time_limit(unsigned code);

/// The column that the message of a refused row names; empty where it names none.
std::string column_in_message(std::string_view message);
/// The key that the message of a duplicate names, without its table: `PRIMARY`; empty where it names none.
std::string key_in_message(std::string_view message);
/// The constraint that the message of a CHECK names, of MariaDB's columns `t.column`; empty where it names
/// none.
std::string check_in_message(std::string_view message);
/// The columns of the foreign key that refused a row, `shop, id`; empty where the message is another.
std::string foreign_key_in_message(std::string_view message);

}  // namespace sluice::mysql
