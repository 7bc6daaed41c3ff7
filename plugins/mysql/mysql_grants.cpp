#include "plugins/mysql/mysql_grants.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/words.h"
#include "plugins/common/relational/moments.h"
#include "plugins/mysql/mysql_options.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// A database's name, in small letters, against a pattern of grants: `%` any text, `_` any character, `\`
/// before either.
bool fits(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) {
    return name.empty();
  }
  if (pattern[0] == '%') {
    return fits(pattern.substr(1), name) || (!name.empty() && fits(pattern, name.substr(1)));
  }
  if (name.empty()) {
    return false;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) {
    return pattern[1] == name[0] && fits(pattern.substr(2), name.substr(1));
  }
  return (pattern[0] == '_' || pattern[0] == name[0]) && fits(pattern.substr(1), name.substr(1));
}

}  // namespace

void account_rights::add(std::string_view text) {
  constexpr std::string_view begins = "GRANT ";
  constexpr std::string_view on = " ON ";
  const std::size_t at = text.find(on);
  if (!text.starts_with(begins) || at == std::string_view::npos) {
    return;  // a role
  }
  line out;
  std::string right;
  int depth = 0;  // inside of a list of columns
  for (const char c : std::string(text.substr(begins.size(), at - begins.size())) + ",") {
    depth += c == '(' ? 1 : 0;
    if (c == ',' && depth == 0) {
      out.rights.emplace_back(trimmed(right));
      right.clear();
    } else if (depth == 0) {
      right += c;
    }
    depth -= c == ')' ? 1 : 0;
  }
  std::string_view object = text.substr(at + on.size());
  if (const char quote = object.empty() ? '\0' : object[0]; object.starts_with("*.*")) {
    out.database = "*";
    out.whole = true;
  } else if (quote == '`' || quote == '"') {
    std::size_t i = 1;
    for (; i < object.size() && !(object[i] == quote && !object.substr(i + 1).starts_with(quote)); ++i) {
      out.database += object[i];
      i += object[i] == quote ? 1 : 0;
    }
    out.whole = object.substr(std::min(i + 1, object.size())).starts_with(".*");
  } else if (const std::size_t point = object.substr(0, object.find(' ')).find('.');
             point != std::string_view::npos) {  // as servers that speak the protocol may write it
    out.database = object.substr(0, point);
    out.whole = object.substr(point).starts_with(".*");
  } else {
    return;  // PROXY, or a function
  }
  lines_.push_back(std::move(out));
}

bool account_rights::found(std::string_view right, std::string_view database, bool in_parts) const {
  return std::any_of(lines_.begin(), lines_.end(), [&](const line& l) {
    const std::string name = lower(database);  // servers may keep it so
    const bool there =
        l.database == "*" || (l.whole ? fits(lower(l.database), name) : lower(l.database) == name);
    return there && (l.whole || in_parts) &&
           std::any_of(l.rights.begin(), l.rights.end(), [&](const std::string& r) {
             return same_word(r, right) || same_word(r, "ALL PRIVILEGES") || same_word(r, "ALL");
           });
  });
}

bool account_rights::has(std::string_view right, std::string_view database) const {
  return found(right, database, false);
}

bool account_rights::has_some(std::string_view right, std::string_view database) const {
  return found(right, database, true);
}

result<account_rights> rights_of(connection& c, const stop_signal& stop) {
  account_rights out;
  const auto take = [&](const std::vector<relational::sql_row>& rows) {
    for (const relational::sql_row& row : rows) {
      out.add(row.empty() ? "" : row[0].value_or(""));
    }
  };
  SLUICE_TRY(const auto rows, c.ask("SHOW GRANTS", stop));
  take(rows);
  constexpr std::uint32_t grants_to_public = 101'100;
  if (c.server().product == server_product::mariadb && c.server().version >= grants_to_public) {
    auto of_all = c.ask("SHOW GRANTS FOR PUBLIC", stop);
    if (!of_all && is_lost(of_all.error())) {
      return fail(std::move(of_all).error());
    }
    take(of_all ? *of_all : std::vector<relational::sql_row>());
  }
  return out;
}

namespace {

/// `GRANT SELECT ON `shop`.`orders` TO 'reader'@'%'`
result<std::string> grant_on(connection& c, std::string_view rights, const std::string& object,
                             const stop_signal& stop) {
  SLUICE_TRY(const auto rows, c.ask("SELECT CURRENT_USER()", stop));
  const std::string account = rows.at(0).at(0).value_or("");
  const std::size_t at = account.rfind('@');
  return fmt::format("GRANT {} ON {} TO '{}'@'{}'", rights, object, account.substr(0, at),
                     at == std::string::npos ? "%" : account.substr(at + 1));
}

}  // namespace

result<std::string> grant_text(connection& c, std::string_view rights, std::string_view database,
                               const stop_signal& stop) {
  return grant_on(c, rights, (database == "*" ? "*" : quote_name(database)) + ".*", stop);
}

result<std::optional<std::string>> missing_select(connection& c, const std::string& database,
                                                  const std::string& table, const std::string& column,
                                                  const stop_signal& stop) {
  std::string in = database;
  if (in.empty()) {
    SLUICE_TRY(const auto rows, c.ask("SELECT DATABASE()", stop));
    in = rows.at(0).at(0).value_or("");
  }
  if (in.empty()) {
    return std::optional<std::string>();
  }
  const std::string object = quote_name(in) + "." + quote_name(table);
  const auto seen =
      c.describe(fmt::format("SELECT {} FROM {}", column.empty() ? "*" : quote_name(column), object), stop);
  if (seen || seen.error().kind != error_kind::denied) {
    return seen || !is_lost(seen.error()) ? std::optional<std::string>()
                                          : result<std::optional<std::string>>(fail(seen.error()));
  }
  SLUICE_TRY(const std::string grant, grant_on(c, "SELECT", object, stop));
  return std::optional(fmt::format(
      "this account has not the right SELECT on {} {} ({}); {}",
      column.empty() ? "all columns of table" : fmt::format("the column {} of table", in_quotes(column)),
      in_quotes(in + "." + table), seen.error().code, grant));
}

result<std::string> missing_selects(connection& c, std::string_view query, const stop_signal& stop) {
  std::string of_all;
  std::string of_some;
  for (const relational::named_table& t : relational::tables_in(query, sql_rules())) {
    SLUICE_TRY(const auto lacks, missing_select(c, t.schema, t.table, "", stop));
    if (!lacks) {
      continue;
    }
    const std::string object =
        (t.schema.empty() ? std::string() : quote_name(t.schema) + ".") + quote_name(t.table);
    const auto any = c.describe(fmt::format("SELECT 1 FROM {}", object), stop);
    if (!any && is_lost(any.error())) {
      return fail(any.error());
    }
    std::string& to = any ? of_some : of_all;
    to += (to.empty() ? "" : "; ") + *lacks;
  }
  return of_all.empty() ? of_some : of_all;
}

result<void> check_rights(connection& c, const std::string& database,
                          const std::vector<std::string_view>& rights, const stop_signal& stop) {
  SLUICE_TRY(const auto there,
             c.ask(fmt::format("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
                               c.literal(database)),
                   stop));
  if (there.empty()) {
    return fail(error_kind::bad_option,
                "{}: there is no database {} that this account sees; correct the name, make it (CREATE "
                "DATABASE), or ask for rights on it",
                c.place(), in_quotes(database));
  }
  if (c.server().product == server_product::other) {
    return {};  // its rights may be others, and it says itself what is missing
  }
  SLUICE_TRY(const account_rights has, rights_of(c, stop));
  for (const std::string_view right : rights) {
    if (!has.has_some(right, database)) {
      SLUICE_TRY(const std::string grant, grant_text(c, right, database, stop));
      return fail(error{error_kind::denied,
                        fmt::format("{}: this account has not the right {} on database {}; {}", c.place(),
                                    right, in_quotes(database), grant),
                        "ER_DBACCESS_DENIED_ERROR", false});
    }
  }
  return {};
}

}  // namespace sluice::mysql
