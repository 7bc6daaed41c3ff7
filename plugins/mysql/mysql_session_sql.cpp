#include "plugins/mysql/mysql_session_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// The modes without one of them.
std::string without_mode(std::string_view modes, std::string_view mode) {
  std::string out;
  while (!modes.empty()) {
    const std::string_view one = modes.substr(0, modes.find(','));
    modes.remove_prefix(one.size() == modes.size() ? modes.size() : one.size() + 1);
    if (!one.empty() && one != mode) {
      out += (out.empty() ? "" : ",") + std::string(one);
    }
  }
  return out;
}

std::string with_mode(std::string modes, std::string_view mode) {
  modes = without_mode(modes, mode);
  return modes + (modes.empty() ? "" : ",") + std::string(mode);
}

/// The names of a list in order.
std::vector<std::string_view> sorted_names(std::string_view list) {
  std::vector<std::string_view> names;
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    list.remove_prefix(one.size() == list.size() ? list.size() : one.size() + 1);
    names.push_back(one);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// Whether the name stands in the text as a word of its own, ignoring case.
bool has_word(std::string_view text, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto in_word = [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const auto same = [&](char a, char b) { return lower(a) == b; };
  auto from = text.begin();
  while (true) {
    const auto at = std::search(from, text.end(), name.begin(), name.end(), same);
    if (at == text.end()) {
      return false;
    }
    const auto end = at + static_cast<std::ptrdiff_t>(name.size());
    if ((at == text.begin() || !in_word(*(at - 1))) && (end == text.end() || !in_word(*end))) {
      return true;
    }
    from = end;
  }
}

session_setting number(std::string name, std::uint64_t value, bool may_lack = false) {
  return {std::move(name), std::to_string(value), std::to_string(value), may_lack};
}

session_setting limit(std::string name, std::uint64_t value, bool may_lack = false) {
  return {std::move(name), std::to_string(value), std::to_string(value), may_lack, true};
}

session_setting text(std::string name, const std::string& value) {
  return {std::move(name), "'" + value + "'", value, false};
}

/// What servers that only speak the protocol may lack.
session_setting of_products(session_setting s, const session_facts& facts, std::string_view reason) {
  s.may_lack = s.may_lack || facts.server.product == server_product::other;
  s.reason = reason;
  return s;
}

constexpr std::uint64_t day_s = 86'400;
constexpr std::uint64_t hour_s = 3'600;
constexpr std::size_t job_bytes_max = 64;
/// Of each half of a comment: a key's bounds may be long texts.
constexpr std::size_t comment_bytes_max = 120;

/// Its beginning, cut between characters.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80) {
    --bytes_max;
  }
  return text.substr(0, bytes_max);
}

/// What stands in a comment: it must not end it, nor begin one that is run.
std::string comment_text(std::string_view text) {
  std::string out(cut(text, comment_bytes_max));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '*' || c == '/' || c == '!' || c == '\\';
      },
      '_');
  return out;
}

/// A day: a throttled read is no reason for the server to hang up.
void add_patience(std::vector<session_setting>& to, bool idles) {
  to.push_back(limit("net_write_timeout", day_s));
  // An end of a run that died with its machine gives its locks back within the hour.
  to.push_back(limit("net_read_timeout", hour_s));
  to.push_back(limit("wait_timeout", idles ? 7 * day_s : hour_s));
}

void add_time_limit(std::vector<session_setting>& to, const session_facts& facts) {
  const auto ms = facts.statement_timeout.count();
  if (facts.server.product == server_product::mariadb) {
    to.push_back({"max_statement_time", fmt::format("{}.{:03}", ms / 1000, ms % 1000), "", true, true});
  } else if (facts.server.version >= 50708) {
    to.push_back({"max_execution_time", std::to_string(ms), std::to_string(ms), true, true});
  }
}

}  // namespace

std::vector<session_setting> session_settings(session_role role, const session_facts& facts) {
  std::vector<session_setting> out;
  out.push_back(text("time_zone", "+00:00"));
  out.push_back(text("character_set_client", "utf8mb4"));
  out.push_back(text("character_set_connection", "utf8mb4"));
  if (!facts.collation.empty()) {
    out.push_back(text("collation_connection", facts.collation));
  }
  out.push_back(text("character_set_results", "utf8mb4"));
  // Of statements that are sent together none must commit by itself where one before it made the server roll
  // back (a deadlock).
  out.push_back(number("autocommit", role == session_role::write ? 0 : 1));
  out.push_back(
      of_products(text("lc_messages", "en_US"), facts, "so that what the server refuses is understood"));
  out.push_back(of_products(text("completion_type", "NO_CHAIN"), facts,
                            "so that a transaction's end is neither the session's nor another's beginning"));
  out.push_back(number("sql_safe_updates", 0));
  out.push_back(number("sql_select_limit", ~std::uint64_t{0}));
  add_time_limit(out, facts);
  const bool writes = role == session_role::write || role == session_role::manage;
  const bool old_name = facts.server.product == server_product::mariadb ? facts.server.version < 110100
                                                                        : facts.server.version < 50720;
  const std::string modes = without_mode(facts.sql_mode, "EMPTY_STRING_IS_NULL");
  add_patience(out, role == session_role::read || role == session_role::snapshot);
  switch (role) {
    case session_role::look:
    case session_role::read:
    case session_role::snapshot:
      // Conditions and expressions of the job mean what they mean to the server's other users; but CHAR
      // columns are read without the blanks that this mode would add, and '' is no NULL.
      out.push_back(text("sql_mode", without_mode(modes, "PAD_CHAR_TO_FULL_LENGTH")));
      // A function that a query calls changes nothing either. Servers that only speak the protocol refuse it.
      out.push_back(number(old_name ? "tx_read_only" : "transaction_read_only", 1, true));
      if (role == session_role::snapshot && facts.server.product == server_product::mariadb) {
        // What is read under the snapshot may come long after it began. Older servers have no such limits.
        out.push_back(number("idle_transaction_timeout", 0, true));
        out.push_back(number("idle_readonly_transaction_timeout", 0, true));
      }
      break;
    case session_role::write:
      // Literals are ours: no backslash in them means anything.
      out.push_back(text("sql_mode", "NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES"));
      break;
    case session_role::manage:
      out.push_back(
          text("sql_mode", with_mode(with_mode(modes, "STRICT_ALL_TABLES"), "NO_AUTO_VALUE_ON_ZERO")));
      // The servers' own limits are a day and a year: a statement of preSql that alters what the run itself
      // reads waits for the run.
      out.push_back(limit("lock_wait_timeout", hour_s, true));
      break;
  }
  if (writes) {
    // Without both of unique_checks and foreign_key_checks MariaDB loads an empty table in bulk: there a
    // refused statement takes back what its transaction wrote before, and duplicates fail the commit.
    out.push_back(of_products(number("unique_checks", 1), facts,
                              "so that a refused row takes no other with it (MariaDB's bulk insert)"));
    out.push_back(number(old_name ? "tx_read_only" : "transaction_read_only", 0, true));
    out.push_back(number("sql_notes", 1));
    // What a warning says decides whether its row is refused. MySQL lets few accounts set it.
    out.push_back(number("max_error_count", 1024, true));
    // Other sessions' inserts are not held up by gap locks; the server refuses it with statement logging.
    out.push_back(text(old_name ? "tx_isolation" : "transaction_isolation",
                       facts.logs_statements ? "REPEATABLE-READ" : "READ-COMMITTED"));
  }
  return out;
}

std::string_view word_of(session_role role) {
  switch (role) {
    case session_role::look:
      return "look";
    case session_role::read:
      return "reader";
    case session_role::snapshot:
      return "snapshot";
    case session_role::write:
      return "writer";
    case session_role::manage:
      return "claim";
  }
  return "";
}

std::string session_title(std::string_view job, std::string_view run) {
  return fmt::format("sluice {}{}{}", cut(job, job_bytes_max), run.empty() ? "" : " ", run);
}

std::string statement_comment(std::string_view title, std::string_view part) {
  return fmt::format("/* {} {} */", comment_text(title), comment_text(part));
}

std::string with_comment(std::string sql, std::string_view comment) {
  if (!comment.empty()) {
    sql.insert(std::min(sql.find_first_of(" \n"), sql.size()), fmt::format(" {}", comment));
  }
  return sql;
}

bool holds(const session_setting& setting, std::string_view read) {
  return setting.name == "sql_mode" ? sorted_names(setting.reads_as) == sorted_names(read)
                                    : setting.reads_as == read;
}

std::string session_variables_sql() {
  return "SHOW SESSION VARIABLES WHERE Variable_name IN ('time_zone', 'character_set_client', "
         "'character_set_connection', 'character_set_results', 'collation_connection', 'autocommit', "
         "'sql_safe_updates', 'sql_select_limit', 'max_statement_time', 'max_execution_time', "
         "'net_write_timeout', 'net_read_timeout', 'wait_timeout', 'sql_mode', 'sql_notes', 'tx_isolation', "
         "'transaction_isolation', 'tx_read_only', 'transaction_read_only', 'max_error_count', "
         "'unique_checks', 'completion_type', 'lc_messages', 'binlog_format', 'lock_wait_timeout')";
}

bool jobs_settings::sets(const std::string& name) const {
  const auto was = before.find(name);
  const auto is = after.find(name);
  return is != after.end() && (was == before.end() || was->second != is->second || has_word(text, name));
}

std::vector<session_setting> without_yielding(std::vector<session_setting> settings,
                                              const jobs_settings& job) {
  std::erase_if(settings, [&](const session_setting& s) { return s.yields && job.sets(s.name); });
  return settings;
}

std::vector<std::string> overruled(session_role role, const session_facts& facts, const jobs_settings& job) {
  const bool reads =
      role == session_role::look || role == session_role::read || role == session_role::snapshot;
  std::vector<std::string> out;
  for (const session_setting& s : session_settings(reads ? session_role::read : session_role::write, facts)) {
    if (s.yields || s.reads_as.empty() || !job.sets(s.name)) {
      continue;
    }
    const std::string& found = job.after.at(s.name);
    if (!holds(s, found == "ON" ? "1" : found == "OFF" ? "0" : found)) {
      out.push_back(fmt::format(
          "{} is set to {} and does not hold: the sessions that {} have {}, {}; take it out", s.name,
          in_quotes(found), reads ? "read" : "write rows", in_quotes(s.reads_as), s.reason));
    }
  }
  return out;
}

std::vector<std::string> session_page_lines() {
  struct role_name {
    session_role role;
    std::string_view name;
  };
  constexpr role_name roles[] = {
      {session_role::look, "what only looks (catalogue, bounds, locks that are waited for, KILL)"},
      {session_role::read, "a reader"},
      {session_role::snapshot, "a reader that holds the shared snapshot"},
      {session_role::write, "a writer"},
      {session_role::manage, "claims, preSql and postSql"}};
  const session_facts facts = {{server_product::mariadb, 101100, ""}, "<the server's>", false, {}, {}};
  std::vector<std::string> lines;
  for (const role_name& r : roles) {
    std::string line = fmt::format("The session of {}, `{}`: ", r.name, word_of(r.role));
    bool first = true;
    for (const session_setting& s : session_settings(r.role, facts)) {
      line += fmt::format("{}`{} = {}`", first ? "" : ", ", s.name, s.value);
      first = false;
    }
    lines.push_back(line + ".");
  }
  lines.emplace_back(
      "These are set after the job's `session` and its properties. USE is refused in `session`: tables "
      "without "
      "a database are those of the address. A limit of time that those set holds: "
      "`max_statement_time`, `max_execution_time` (MySQL), `net_write_timeout`, `net_read_timeout`, "
      "`wait_timeout`, `lock_wait_timeout` (a statement that the job's limit ends is not tried again); so "
      "does "
      "`collation_connection` of utf8mb4, and `sql_mode` where the line above says "
      "`<the server's>`, but for EMPTY_STRING_IS_NULL. Another value of what else stands here is told, and "
      "the one here counts.");
  return lines;
}

}  // namespace sluice::mysql
