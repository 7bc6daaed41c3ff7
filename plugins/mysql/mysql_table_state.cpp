#include "plugins/mysql/mysql_table_state.h"

#include <fmt/format.h>

#include <cstdlib>

#include "plugins/mysql/mysql_grants.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

constexpr std::uint32_t tells_storage_to_all = 80'000;

bool is_mysql8(const connection& c) {
  return c.server().product == server_product::mysql && c.server().version >= tells_storage_to_all;
}

/// The numbers of the table's files, of its partitions too. One that is made anew has a greater number than
/// all before it.
std::string storage_sql(const connection& c, const std::string& database, const std::string& table) {
  constexpr std::string_view numbers = "SELECT CONCAT_WS(' ', COUNT(*), SUM(SPACE), MAX(SPACE))";
  if (is_mysql8(c)) {
    // Ranges of names, which an index has: `shop/orders#p#p0`.
    const auto named = [&](std::string_view behind) {
      return c.literal(fmt::format("{}/{}{}", database, table, behind));
    };
    return fmt::format(
        "{} FROM information_schema.INNODB_TABLESPACES_BRIEF WHERE NAME = {} OR (NAME >= {} AND NAME < {}) "
        "OR "
        "(NAME >= {} AND NAME < {}) HAVING COUNT(*) <> 0",
        numbers, named(""), named("#p#"), named("#p$"), named("#P#"), named("#P$"));
  }
  // Names as in the file system, `a@002db`; number 0 is the tablespace that all share.
  const auto in_files = [&](const std::string& name) {
    return fmt::format("CAST(CONVERT({} USING filename) AS BINARY)", c.literal(name));
  };
  const std::string name = fmt::format("CONCAT({}, '/', {})", in_files(database), in_files(table));
  return fmt::format(
      "{0} FROM information_schema.INNODB_SYS_TABLES WHERE SPACE <> 0 AND (NAME = {1} OR LEFT(NAME, "
      "LENGTH({1}) + 3) = CONCAT({1}, '#P#')) HAVING COUNT(*) <> 0",
      numbers, name);
}

}  // namespace

result<table_state> state_of(connection& c, const std::string& database, const std::string& table,
                             bool storage, const stop_signal& stop) {
  const std::string in_table =
      fmt::format("TABLE_SCHEMA = {} AND TABLE_NAME = {}", c.literal(database), c.literal(table));
  // MySQL 8 keeps the number for a day in a cache, from which an older one may come.
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT CREATE_TIME, (SELECT SUM(CRC32(CONCAT_WS(' ', ORDINAL_POSITION, "
                               "COLUMN_NAME, COLUMN_TYPE))) FROM information_schema.COLUMNS WHERE {0}), {1} "
                               "FROM information_schema.TABLES WHERE {0}",
                               in_table, is_mysql8(c) ? "NULL" : "AUTO_INCREMENT"),
                   stop));
  table_state out;
  if (rows.empty()) {
    return out;
  }
  const relational::sql_row& row = rows[0];
  out.altered = row.at(0).value_or("");
  out.columns = row.at(1).value_or("");
  if (row.at(2)) {
    out.next_number = std::strtoull(row[2]->c_str(), nullptr, 10);
  }
  if (storage && c.server().product != server_product::other) {
    const auto told = c.ask(storage_sql(c, database, table), stop);
    if (!told && is_lost(told.error())) {
      return fail(told.error());
    }
    out.storage = told && !told->empty() ? (*told)[0].at(0).value_or("") : std::string();
  }
  return out;
}

result<std::string> table_identity(connection& c, const std::string& database, const std::string& table,
                                   const stop_signal& stop) {
  // Both are of the statement's second, so that the difference is the same each time. Names alone are those
  // of a copy's, too.
  const bool of_mysql = c.server().product == server_product::mysql;
  const auto rows =
      c.ask(fmt::format("SELECT CONCAT_WS(' ', UNIX_TIMESTAMP() - VARIABLE_VALUE, @@server_id, @@hostname, "
                        "@@port) FROM {} WHERE VARIABLE_NAME = 'Uptime'",
                        of_mysql ? "performance_schema.global_status" : "information_schema.GLOBAL_STATUS"),
            stop);
  if (!rows && is_lost(rows.error())) {
    return fail(rows.error());
  }
  if (!rows || rows->empty()) {
    return std::string();
  }
  return fmt::format("mysql {} {}.{}", (*rows)[0].at(0).value_or(""), in_quotes(database), in_quotes(table));
}

std::string_view what_changed(const table_state& before, const table_state& now) {
  if (before.altered.empty() || now.altered.empty()) {
    return {};
  }
  if (before.altered != now.altered || before.columns != now.columns) {
    return "was altered";
  }
  const bool anew = !before.storage.empty() && !now.storage.empty() && before.storage != now.storage;
  return anew || (before.next_number && now.next_number && *now.next_number < *before.next_number)
             ? "was emptied or written anew (TRUNCATE, ALTER TABLE, OPTIMIZE TABLE)"
             : "";
}

result<std::string> note_of_untold_storage(connection& c, const std::string& table, const stop_signal& stop) {
  std::string why = fmt::format("of {}, which has no file of its own there", table);
  if (c.server().product == server_product::other) {
    why = "of this server";
  } else if (!is_mysql8(c)) {
    SLUICE_TRY(const account_rights has, rights_of(c, stop));
    if (!has.has("PROCESS", "*")) {
      SLUICE_TRY(const std::string grant, grant_text(c, "PROCESS", "*", stop));
      why = fmt::format("without the right PROCESS ({})", grant);
    }
  }
  return fmt::format(
      "A table that is emptied (TRUNCATE) between two splits gives fewer rows, and that is noticed only "
      "where "
      "its AUTO_INCREMENT falls: more is not told {}; \"snapshot\": \"shared\" notices it too.",
      why);
}

}  // namespace sluice::mysql
