#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "jobspec/words.h"
#include "plugins/common/relational/sql_text.h"

namespace sluice::relational {
namespace {

/// What ALTER TABLE renames besides the table.
constexpr auto renamed_parts =
    std::to_array<std::string_view>({"COLUMN", "INDEX", "KEY", "CONSTRAINT", "PARTITION"});

/// Drops the words from the beginning where they are these.
bool take(std::span<const sql_token>& tokens, std::initializer_list<std::string_view> words) {
  if (tokens.size() < words.size() ||
      !std::equal(words.begin(), words.end(), tokens.begin(),
                  [](std::string_view w, const sql_token& t) { return is_word(t, w); })) {
    return false;
  }
  tokens = tokens.subspan(words.size());
  return true;
}

/// The name at the beginning, dropped; empty where none stands there.
std::vector<name_part> take_name(std::span<const sql_token>& tokens, const sql_rules& rules) {
  std::vector<name_part> parts;
  while (!tokens.empty() &&
         (tokens[0].kind == token_kind::word || tokens[0].kind == token_kind::quoted_name)) {
    parts.push_back({bare_name(tokens[0].text, rules), tokens[0].kind == token_kind::quoted_name});
    tokens = tokens.subspan(1);
    if (tokens.empty() || tokens[0].text != ".") {
      break;
    }
    tokens = tokens.subspan(1);
  }
  return parts;
}

bool same_table(const std::vector<name_part>& a, const std::vector<name_part>& b) {
  const std::size_t parts = std::min(a.size(), b.size());
  for (std::size_t i = 1; i <= parts; ++i) {
    if (!same_word(a[a.size() - i].name, b[b.size() - i].name)) {
      return false;
    }
  }
  return parts != 0;
}

bool take_table(std::span<const sql_token>& tokens, const std::vector<name_part>& table,
                const sql_rules& rules) {
  return same_table(take_name(tokens, rules), table);
}

struct renamed_table {
  std::vector<name_part> from, to;
};

/// Of `ALTER TABLE a RENAME [TO|AS] b` and MySQL's `RENAME TABLE a TO b, c TO d`, in their order; empty where
/// the statement is neither.
std::vector<renamed_table> renames_of(std::span<const sql_token> tokens, const sql_rules& rules) {
  std::vector<renamed_table> all;
  if (take(tokens, {"RENAME", "TABLE"}) || take(tokens, {"RENAME", "TABLES"})) {
    for (;;) {
      take(tokens, {"IF", "EXISTS"});
      renamed_table one{take_name(tokens, rules), {}};
      while (!tokens.empty() && tokens[0].text != "," && !is_word(tokens[0], "TO")) {
        tokens = tokens.subspan(1);  // MariaDB's WAIT and NOWAIT
      }
      if (!take(tokens, {"TO"})) {
        return all;
      }
      one.to = take_name(tokens, rules);
      all.push_back(std::move(one));
      if (tokens.empty() || tokens[0].text != ",") {
        return all;
      }
      tokens = tokens.subspan(1);
    }
  }
  if (!take(tokens, {"ALTER", "TABLE"})) {
    return all;
  }
  take(tokens, {"IF", "EXISTS"});
  take(tokens, {"ONLY"});
  renamed_table one{take_name(tokens, rules), {}};
  for (; tokens.size() > 1; tokens = tokens.subspan(1)) {
    std::span<const sql_token> rest = tokens;
    if (!take(rest, {"RENAME"})) {
      continue;
    }
    const bool named = take(rest, {"TO"}) || take(rest, {"AS"});
    const bool other = !rest.empty() && std::any_of(renamed_parts.begin(), renamed_parts.end(),
                                                    [&](std::string_view w) { return is_word(rest[0], w); });
    one.to = take_name(rest, rules);
    // `RENAME a TO b` is a column's.
    if (named || (!other && !one.to.empty() && (rest.empty() || !is_word(rest[0], "TO")))) {
      all.push_back(std::move(one));
      return all;
    }
  }
  return all;
}

/// The names at the beginning, parted by commas.
void add_names(std::span<const sql_token> tokens, const sql_rules& rules,
               std::vector<std::vector<name_part>>& to) {
  for (;;) {
    std::vector<name_part> name = take_name(tokens, rules);
    if (name.empty()) {
      return;
    }
    to.push_back(std::move(name));
    if (tokens.empty() || tokens[0].text != ",") {
      return;
    }
    tokens = tokens.subspan(1);
  }
}

/// Drops what stands before one of the words, and that; false where none does before the first bracket.
bool skip_behind(std::span<const sql_token>& tokens, std::initializer_list<std::string_view> words) {
  while (!tokens.empty() && tokens[0].text != "(") {
    const bool is =
        std::any_of(words.begin(), words.end(), [&](std::string_view w) { return is_word(tokens[0], w); });
    tokens = tokens.subspan(1);
    if (is) {
      return true;
    }
  }
  return false;
}

/// Whether the first of the tables that a DROP or TRUNCATE names, or one behind a comma, is this one.
bool lists_table(std::span<const sql_token> tokens, const std::vector<name_part>& table,
                 const sql_rules& rules) {
  for (;;) {
    if (take_table(tokens, table, rules)) {
      return true;
    }
    if (tokens.empty() || tokens[0].text != ",") {
      return false;
    }
    tokens = tokens.subspan(1);
  }
}

}  // namespace

bool empties_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules) {
  for (const std::vector<sql_token>& statement : statements_of(sql, rules)) {
    std::span<const sql_token> tokens = statement;
    if (take(tokens, {"DELETE", "FROM"})) {
      take(tokens, {"ONLY"});
      if (take_table(tokens, table, rules) && tokens.empty()) {
        return true;
      }
    } else if (take(tokens, {"TRUNCATE"})) {
      take(tokens, {"TABLE"});
      take(tokens, {"ONLY"});
      if (lists_table(tokens, table, rules)) {
        return true;
      }
    }
  }
  return drops_table(sql, table, rules);
}

bool makes_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules) {
  for (const std::vector<sql_token>& statement : statements_of(sql, rules)) {
    std::span<const sql_token> tokens = statement;
    if (take(tokens, {"CREATE"})) {
      take(tokens, {"UNLOGGED"});
      if (take(tokens, {"TABLE"})) {
        take(tokens, {"IF", "NOT", "EXISTS"});
        if (take_table(tokens, table, rules)) {
          return true;
        }
      }
    } else {
      const auto renames = renames_of(statement, rules);
      if (std::any_of(renames.begin(), renames.end(),
                      [&](const renamed_table& r) { return same_table(r.to, table); })) {
        return true;
      }
    }
  }
  return false;
}

bool drops_table(std::string_view sql, const std::vector<name_part>& table, const sql_rules& rules) {
  for (const std::vector<sql_token>& statement : statements_of(sql, rules)) {
    std::span<const sql_token> tokens = statement;
    const auto renames = renames_of(tokens, rules);
    if (std::any_of(renames.begin(), renames.end(),
                    [&](const renamed_table& r) { return same_table(r.from, table); })) {
      return true;
    }
    if (take(tokens, {"DROP", "TABLE"})) {
      take(tokens, {"IF", "EXISTS"});
      if (lists_table(tokens, table, rules)) {
        return true;
      }
    }
  }
  return false;
}

std::vector<std::vector<name_part>> tables_altered_by(std::string_view sql, const sql_rules& rules) {
  std::vector<std::vector<name_part>> found;
  for (const std::vector<sql_token>& statement : statements_of(sql, rules)) {
    std::span<const sql_token> tokens = statement;
    if (take(tokens, {"RENAME"})) {
      for (renamed_table& one : renames_of(statement, rules)) {
        found.push_back(std::move(one.from));
      }
      continue;
    }
    if (take(tokens, {"TRUNCATE"})) {
      take(tokens, {"TABLE"});
      take(tokens, {"ONLY"});
      add_names(tokens, rules, found);
      continue;
    }
    const bool drops = take(tokens, {"DROP"});
    const bool creates = !drops && take(tokens, {"CREATE"});
    std::span<const sql_token> rest = tokens;
    if ((drops || creates) && skip_behind(rest, {"INDEX", "TRIGGER"})) {
      if (skip_behind(rest, {"ON"})) {
        take(rest, {"ONLY"});
        add_names(rest, rules, found);
      }
      continue;
    }
    // Between the two words stand others: ONLINE, IGNORE, LOCAL.
    const bool alters = take(tokens, {"ALTER"}) || take(tokens, {"OPTIMIZE"}) || take(tokens, {"REPAIR"}) ||
                        take(tokens, {"FLUSH"});
    if (drops ? take(tokens, {"TABLE"}) : alters && skip_behind(tokens, {"TABLE", "TABLES"})) {
      take(tokens, {"IF", "EXISTS"});
      take(tokens, {"ONLY"});
      add_names(tokens, rules, found);
    }
  }
  return found;
}

}  // namespace sluice::relational
