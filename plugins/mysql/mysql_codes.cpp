#include "plugins/mysql/mysql_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::mysql {
namespace {

struct row {
  unsigned code;
  std::string_view name;
  error_kind kind;
  std::string_view advice = {};
};

constexpr std::string_view free_disk = "free room on the server's disk, then start the job again: it resumes";
constexpr std::string_view ask_rights = "ask for the right with GRANT, or name another account";
constexpr std::string_view is_server_up =
    "check that the server runs, host and port, and the network between";
constexpr std::string_view larger_packet =
    "raise max_allowed_packet on the server (SET GLOBAL max_allowed_packet = 1073741824)";

/// In order of number.
constexpr auto rows = std::to_array<row>({
    {3, "EE_WRITE", error_kind::no_room, free_disk},
    {1016, "ER_CANT_OPEN_FILE", error_kind::source_changed},
    {1020, "ER_CHECKREAD", error_kind::busy},
    {1021, "ER_DISK_FULL", error_kind::no_room, free_disk},
    {1022, "ER_DUP_KEY", error_kind::bad_row},
    {1026, "ER_ERROR_ON_WRITE", error_kind::no_room, free_disk},
    {1030, "ER_GET_ERRNO", error_kind::not_supported},
    {1032, "ER_KEY_NOT_FOUND", error_kind::source_changed},
    {1034, "ER_NOT_KEYFILE", error_kind::source_changed, "repair the table"},
    {1037, "ER_OUTOFMEMORY", error_kind::no_room},
    {1038, "ER_OUT_OF_SORTMEMORY", error_kind::no_room, "raise sort_buffer_size on the server"},
    {1040, "ER_CON_COUNT_ERROR", error_kind::busy,
     "the server takes no more connections: use fewer pipelines (\"concurrent\"), or raise max_connections"},
    {1041, "ER_OUT_OF_RESOURCES", error_kind::no_room},
    {1042, "ER_BAD_HOST_ERROR", error_kind::not_connected, is_server_up},
    {1043, "ER_HANDSHAKE_ERROR", error_kind::not_connected},
    {1044, "ER_DBACCESS_DENIED_ERROR", error_kind::denied, ask_rights},
    {1045, "ER_ACCESS_DENIED_ERROR", error_kind::denied,
     "check \"username\" and \"password\", and from which hosts the account may come"},
    {1046, "ER_NO_DB_ERROR", error_kind::bad_option, "name the database in \"jdbcUrl\", or before the table"},
    {1048, "ER_BAD_NULL_ERROR", error_kind::bad_row},
    {1049, "ER_BAD_DB_ERROR", error_kind::bad_option, "check the name behind host and port in \"jdbcUrl\""},
    {1050, "ER_TABLE_EXISTS_ERROR", error_kind::bad_option},
    {1051, "ER_BAD_TABLE_ERROR", error_kind::bad_option},
    {1052, "ER_NON_UNIQ_ERROR", error_kind::bad_option},
    {1053, "ER_SERVER_SHUTDOWN", error_kind::not_connected},
    {1054, "ER_BAD_FIELD_ERROR", error_kind::bad_option},
    {1055, "ER_WRONG_FIELD_WITH_GROUP", error_kind::bad_option},
    {1062, "ER_DUP_ENTRY", error_kind::bad_row},
    {1064, "ER_PARSE_ERROR", error_kind::bad_option},
    {1077, "ER_NORMAL_SHUTDOWN", error_kind::not_connected},
    {1079, "ER_SHUTDOWN_COMPLETE", error_kind::not_connected},
    {1080, "ER_FORCING_CLOSE", error_kind::not_connected},
    {1104, "ER_TOO_BIG_SELECT", error_kind::bad_option},
    {1109, "ER_UNKNOWN_TABLE", error_kind::bad_option},
    {1114, "ER_RECORD_FILE_FULL", error_kind::no_room, free_disk},
    {1118, "ER_TOO_BIG_ROWSIZE", error_kind::bad_row},
    {1129, "ER_HOST_IS_BLOCKED", error_kind::denied, "unblock this host with FLUSH HOSTS on the server"},
    {1130, "ER_HOST_NOT_PRIVILEGED", error_kind::denied, "let accounts of the server come from this host"},
    {1131, "ER_PASSWORD_ANONYMOUS_USER", error_kind::denied},
    {1136, "ER_WRONG_VALUE_COUNT_ON_ROW", error_kind::source_changed},
    {1142, "ER_TABLEACCESS_DENIED_ERROR", error_kind::denied, ask_rights},
    {1143, "ER_COLUMNACCESS_DENIED_ERROR", error_kind::denied, ask_rights},
    {1146, "ER_NO_SUCH_TABLE", error_kind::bad_option},
    {1152, "ER_ABORTING_CONNECTION", error_kind::not_connected},
    {1153, "ER_NET_PACKET_TOO_LARGE", error_kind::bad_row, larger_packet},
    {1158, "ER_NET_READ_ERROR", error_kind::not_connected},
    {1159, "ER_NET_READ_INTERRUPTED", error_kind::not_connected},
    {1160, "ER_NET_ERROR_ON_WRITE", error_kind::not_connected},
    {1161, "ER_NET_WRITE_INTERRUPTED", error_kind::not_connected},
    {1184, "ER_NEW_ABORTING_CONNECTION", error_kind::not_connected},
    {1194, "ER_CRASHED_ON_USAGE", error_kind::source_changed, "repair the table"},
    {1195, "ER_CRASHED_ON_REPAIR", error_kind::source_changed, "repair the table"},
    {1203, "ER_TOO_MANY_USER_CONNECTIONS", error_kind::busy, "use fewer pipelines (\"concurrent\")"},
    {1205, "ER_LOCK_WAIT_TIMEOUT", error_kind::busy,
     "another transaction holds the rows or the table; innodb_lock_wait_timeout (rows) and "
     "lock_wait_timeout (tables) say how long they are waited for, and \"session\" sets them"},
    {1206, "ER_LOCK_TABLE_FULL", error_kind::no_room, "raise innodb_buffer_pool_size on the server"},
    {1213, "ER_LOCK_DEADLOCK", error_kind::busy, "it is tried again"},
    {1216, "ER_NO_REFERENCED_ROW", error_kind::bad_row},
    {1217, "ER_ROW_IS_REFERENCED", error_kind::bad_row},
    {1226, "ER_USER_LIMIT_REACHED", error_kind::busy},
    {1227, "ER_SPECIFIC_ACCESS_DENIED_ERROR", error_kind::denied, ask_rights},
    {1231, "ER_WRONG_VALUE_FOR_VAR", error_kind::bad_option},
    {1235, "ER_NOT_SUPPORTED_YET", error_kind::bad_option},
    {1251, "ER_NOT_SUPPORTED_AUTH_MODE", error_kind::denied},
    {1264, "ER_WARN_DATA_OUT_OF_RANGE", error_kind::bad_row},
    {1265, "WARN_DATA_TRUNCATED", error_kind::bad_row},
    {1290, "ER_OPTION_PREVENTS_STATEMENT", error_kind::denied,
     "the server is read-only, or started with an option that forbids this; name its primary"},
    {1292, "ER_TRUNCATED_WRONG_VALUE", error_kind::bad_row},
    {1300, "ER_INVALID_CHARACTER_STRING", error_kind::bad_row},
    {1301, "ER_WARN_ALLOWED_PACKET_OVERFLOWED", error_kind::bad_row, larger_packet},
    {1305, "ER_SP_DOES_NOT_EXIST", error_kind::bad_option},
    {1317, "ER_QUERY_INTERRUPTED", error_kind::busy, "somebody ended the statement with KILL QUERY"},
    {1364, "ER_NO_DEFAULT_FOR_FIELD", error_kind::bad_row},
    {1366, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", error_kind::bad_row},
    {1367, "ER_ILLEGAL_VALUE_FOR_TYPE", error_kind::bad_row},
    {1370, "ER_PROCACCESS_DENIED_ERROR", error_kind::denied, ask_rights},
    {1406, "ER_DATA_TOO_LONG", error_kind::bad_row},
    {1411, "ER_WRONG_VALUE_FOR_TYPE", error_kind::bad_row},
    {1412, "ER_TABLE_DEF_CHANGED", error_kind::source_changed, "the table was altered during the run"},
    {1416, "ER_CANT_CREATE_GEOMETRY_OBJECT", error_kind::bad_row},
    {1441, "ER_DATETIME_FUNCTION_OVERFLOW", error_kind::bad_row},
    {1451, "ER_ROW_IS_REFERENCED_2", error_kind::bad_row},
    {1452, "ER_NO_REFERENCED_ROW_2", error_kind::bad_row},
    {1526, "ER_NO_PARTITION_FOR_GIVEN_VALUE", error_kind::bad_row},
    {1568, "ER_CANT_CHANGE_TX_CHARACTERISTICS", error_kind::internal},
    {1586, "ER_DUP_ENTRY_WITH_KEY_NAME", error_kind::bad_row},
    {1637, "ER_TOO_MANY_CONCURRENT_TRXS", error_kind::busy},
    {1643, "ER_SIGNAL_NOT_FOUND", error_kind::bad_row},
    {1644, "ER_SIGNAL_EXCEPTION", error_kind::bad_row},
    {1690, "ER_DATA_OUT_OF_RANGE", error_kind::bad_row},
    {1698, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR", error_kind::denied,
     "the account has no login with a password; name another account"},
    {1748, "ER_ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET", error_kind::bad_row},
    {1761, "ER_FOREIGN_DUPLICATE_KEY_WITH_CHILD_INFO", error_kind::bad_row},
    {1762, "ER_FOREIGN_DUPLICATE_KEY_WITHOUT_CHILD_INFO", error_kind::bad_row},
    {1792, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION", error_kind::denied,
     "a source only reads: what changes data belongs to the writer; where this is the writer, SQL of the job "
     "or "
     "of a trigger made its transaction READ ONLY: take that out"},
    {1820, "ER_MUST_CHANGE_PASSWORD", error_kind::denied, "give the account a new password"},
    {1836, "ER_READ_ONLY_MODE", error_kind::denied, "the server is read-only; name its primary"},
    {1862, "ER_MUST_CHANGE_PASSWORD_LOGIN", error_kind::denied, "give the account a new password"},
    {1927, "ER_CONNECTION_KILLED", error_kind::not_connected},
    {1969, "ER_STATEMENT_TIMEOUT", error_kind::busy, "raise max_statement_time"},
    {2002, "CR_CONNECTION_ERROR", error_kind::not_connected, is_server_up},
    {2003, "CR_CONN_HOST_ERROR", error_kind::not_connected, is_server_up},
    {2005, "CR_UNKNOWN_HOST", error_kind::not_connected, "check the host's name"},
    {2006, "CR_SERVER_GONE_ERROR", error_kind::not_connected},
    {2008, "CR_OUT_OF_MEMORY", error_kind::no_room},
    {2012, "CR_SERVER_HANDSHAKE_ERR", error_kind::not_connected},
    {2013, "CR_SERVER_LOST", error_kind::not_connected},
    {2020, "CR_NET_PACKET_TOO_LARGE", error_kind::bad_row, larger_packet},
    {2026, "CR_SSL_CONNECTION_ERROR", error_kind::denied,
     "check that the server offers TLS 1.2 or later, that its certificate's authority is trusted here "
     "(\"truststoreFile\", or serverSslCert in the address, names the authority's PEM file), and that the "
     "certificate is made out to this host"},
    {2027, "CR_MALFORMED_PACKET", error_kind::not_connected},
    {2054, "CR_AUTH_PLUGIN_CANNOT_LOAD_OLD", error_kind::denied},
    {2055, "CR_SERVER_LOST_EXTENDED", error_kind::not_connected},
    {2059, "CR_AUTH_PLUGIN_CANNOT_LOAD", error_kind::denied,
     "the account logs in by a way that this program does not have; give it a password"},
    {2061, "CR_AUTH_PLUGIN_ERR", error_kind::denied},
    {3024, "ER_QUERY_TIMEOUT", error_kind::busy, "raise max_execution_time"},
    {3118, "ER_ACCOUNT_HAS_BEEN_LOCKED", error_kind::denied, "ask for the account to be unlocked"},
    {3140, "ER_INVALID_JSON_TEXT", error_kind::bad_row},
    {3156, "ER_INVALID_JSON_VALUE_FOR_CAST", error_kind::bad_row},
    {3157, "ER_JSON_DOCUMENT_TOO_DEEP", error_kind::bad_row},
    {3159, "ER_SECURE_TRANSPORT_REQUIRED", error_kind::denied,
     "the server takes TLS only: set \"sslMode=VERIFY_IDENTITY\" in \"jdbcUrl\""},
    {3169, "ER_SESSION_WAS_KILLED", error_kind::not_connected},
    {3572, "ER_LOCK_NOWAIT", error_kind::busy},
    {3643, "ER_WRONG_SRID_FOR_COLUMN", error_kind::bad_row},
    {3819, "ER_CHECK_CONSTRAINT_VIOLATED", error_kind::bad_row},
    {4025, "ER_CONSTRAINT_FAILED", error_kind::bad_row},
    {4031, "ER_CLIENT_INTERACTION_TIMEOUT", error_kind::not_connected},
});

struct state_row {
  std::string_view begins;
  error_kind kind;
};
/// For numbers without a row: SQLSTATEs and classes, the first that fits.
constexpr auto states = std::to_array<state_row>({
    {"08", error_kind::not_connected},
    {"22", error_kind::bad_row},
    {"23", error_kind::bad_row},
    {"25006", error_kind::denied},
    {"28", error_kind::denied},
    {"3D", error_kind::bad_option},
    {"40", error_kind::busy},
    {"42", error_kind::bad_option},
    {"45", error_kind::bad_row},  // SIGNAL of a trigger
    {"70100", error_kind::busy},
});

/// 1287: deprecated syntax; 1592: unsafe for statement-based logging; 1681 and 3719: names that will go.
constexpr auto harmless_warnings = std::to_array<unsigned>({1287, 1592, 1681, 3719});

constexpr std::string_view refused_child = "Cannot add or update a child row";

/// The name in backticks at `at`, which is moved behind it: doubled ones inside count once. Empty where none
/// stands there.
std::string name_at(std::string_view message, std::size_t& at) {
  std::string name;
  if (at >= message.size() || message[at] != '`') {
    return name;
  }
  for (++at; at < message.size(); ++at) {
    if (message[at] == '`') {
      if (at + 1 >= message.size() || message[at + 1] != '`') {
        ++at;
        return name;
      }
      ++at;
    }
    name += message[at];
  }
  return "";
}

/// What stands from `at` to the last `end`: most messages have names as they are, with whatever quotes are in
/// them. Empty where there is none.
std::string text_until(std::string_view message, std::size_t at, std::string_view end) {
  const std::size_t found = message.rfind(end);
  return found == std::string_view::npos || found < at ? "" : std::string(message.substr(at, found - at));
}

}  // namespace

code_meaning meaning_of(unsigned code, std::string_view sql_state, std::string_view message) {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), code, [](const row& r, unsigned c) { return r.code < c; });
  if (found != rows.end() && found->code == code) {
    code_meaning m{code, std::string(found->name), found->kind, found->advice};
    const bool full = message.find("errno: 28") != std::string_view::npos ||
                      message.find("error 28 ") != std::string_view::npos ||
                      message.find("No space left") != std::string_view::npos;
    if (code == 1030 && full) {
      m.kind = error_kind::no_room;
      m.advice = free_disk;
    }
    if (code == 1235 && message.find("racle tenant") != std::string_view::npos) {
      m.kind = error_kind::not_supported;
      m.advice =
          "it is a tenant of OceanBase in Oracle mode, whose SQL and types are Oracle's and which only "
          "OceanBase's own driver may use; name a tenant in MySQL mode";
    }
    // A trigger or a CHECK signals what it likes under a state of its own.
    if (sql_state.starts_with("45")) {
      m.kind = error_kind::bad_row;
    }
    return m;
  }
  code_meaning m{code, fmt::format("ER_{}", code)};
  for (const state_row& s : states) {
    if (sql_state.starts_with(s.begins)) {
      m.kind = s.kind;
      break;
    }
  }
  return m;
}

bool is_harmless_warning(unsigned code) {
  return std::find(harmless_warnings.begin(), harmless_warnings.end(), code) != harmless_warnings.end();
}

bool is_time_limit(unsigned code) {
  return code == 1969 || code == 3024;
}

std::string column_in_message(std::string_view message) {
  // `Data too long for column 'a' at row 1`, `Incorrect integer value: 'x' for column `d`.`t`.`a` at row 1`,
  // `Column 'a' cannot be null`, `Field 'a' doesn't have a default value`. A value may hold any of it, so the
  // last place counts.
  if (message.starts_with("Duplicate entry ") || message.starts_with(refused_child)) {
    return "";  // they name keys, and what stands before may hold anything
  }
  for (const auto& [before, behind] :
       {std::pair<std::string_view, std::string_view>{"Column '", "' cannot be null"},
        {"Field '", "' doesn't have a default value"}}) {
    if (message.starts_with(before)) {
      return text_until(message, before.size(), behind);
    }
  }
  constexpr std::string_view before = " for column ";
  std::size_t at = message.rfind(before);
  if (at == std::string_view::npos) {
    return "";
  }
  at += before.size();
  if (message.substr(at).starts_with('\'')) {
    std::string name = text_until(message, at + 1, "' at row ");
    return name.empty() ? text_until(message, at + 1, "'") : name;  // of MySQL's JSON `for column 't.a'.`
  }
  std::string name = message.substr(at).starts_with('`') ? text_until(message, at + 1, "` at row ") : "";
  for (int i = 0; i < 2; ++i) {  // behind database and table
    const std::size_t point = name.find("`.`");
    name.erase(0, point == std::string::npos ? 0 : point + 3);
  }
  return name;
}

std::string key_in_message(std::string_view message) {
  // `Duplicate entry '1' for key 'PRIMARY'`, of MySQL 8 `for key 't.PRIMARY'`.
  constexpr std::string_view before = " for key '";
  const std::size_t found = message.rfind(before);
  if (found == std::string_view::npos) {
    return "";
  }
  std::string key = text_until(message, found + before.size(), "'");
  const std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? key : key.substr(dot + 1);
}

std::string check_in_message(std::string_view message) {
  // `CONSTRAINT `c` failed for `d`.`t``; of MySQL `Check constraint 'c' is violated.`
  constexpr std::string_view of_mariadb = "CONSTRAINT ";
  constexpr std::string_view of_mysql = "Check constraint '";
  if (message.starts_with(of_mysql)) {
    return text_until(message, of_mysql.size(), "' is violated");
  }
  std::size_t at = of_mariadb.size();
  return message.starts_with(of_mariadb) ? name_at(message, at) : "";
}

std::string foreign_key_in_message(std::string_view message) {
  // `Cannot add or update a child row: … (`d`.`t`, CONSTRAINT `f` FOREIGN KEY (`a`, `b`) REFERENCES `p` …`.
  std::size_t at = message.find('`');
  if (!message.starts_with(refused_child) || at == std::string_view::npos) {
    return "";
  }
  for (const std::string_view behind : {".", ", CONSTRAINT ", " FOREIGN KEY ("}) {
    if (name_at(message, at).empty() || !message.substr(at).starts_with(behind)) {
      return "";
    }
    at += behind.size();
  }
  std::string columns;
  while (true) {
    const std::string name = name_at(message, at);
    const std::string_view rest = message.substr(std::min(at, message.size()));
    if (name.empty() || (!rest.starts_with(", ") && !rest.starts_with(")"))) {
      return "";  // cut off
    }
    columns += (columns.empty() ? "" : ", ") + name;
    if (rest.starts_with(")")) {
      return columns;
    }
    at += 2;
  }
}

}  // namespace sluice::mysql
