#include "plugins/sqlite/sqlite_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jobspec/words.h"
#include "plugins/common/sqlite/sqlite_session.h"
#include "plugins/sqlite/sqlite_options.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

constexpr std::size_t names_shown_max = 10;

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < names_shown_max; ++i) {
    out += fmt::format("{}{}", i == 0 ? "" : ", ", in_quotes(names[i]));
  }
  return names.size() > names_shown_max ? out + ", …" : out;
}

/// A primary key of a rowid table is the rowid itself where it has no index of its own
/// (lang_createtable.html).
result<bool> has_primary_key_index(database& db, const std::string& table) {
  SLUICE_TRY(const auto found,
             db.ask("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", {std::string_view(table)}));
  return found.has_value();
}

result<std::vector<unique_key>> look_up_keys(database& db, const table_info& table) {
  std::vector<unique_key> keys;
  for (const table_column& c : table.columns) {
    if (c.is_rowid) {
      keys.push_back({{c.name}});  // no index stands for it
    }
  }
  SLUICE_TRY(statement list,
             db.prepare("SELECT l.seq, i.name FROM pragma_index_list(?) l, pragma_index_info(l.name) i "
                        "WHERE l.\"unique\" ORDER BY l.seq DESC, i.seqno"));
  list.bind_text(1, table.name);
  std::int64_t last = -1;
  step_answer answer = list.step();
  for (; answer == step_answer::row; answer = list.step()) {
    if (const std::int64_t index = list.int64_at(0); index != last) {
      keys.emplace_back();
      last = index;
    }
    keys.back().columns.emplace_back(list.storage_at(1) == storage::null ? "" : list.text_at(1));
  }
  if (answer == step_answer::failed) {
    return fail(db.failure("list the keys of the table"));
  }
  return keys;
}

/// Those that a person means: not SQLite's own, not Sluice's, and not the shadow tables in which a virtual
/// table (such as one of FTS5) keeps what it holds.
result<std::vector<std::string>> list_tables(database& db) {
  std::vector<std::string> names;
  SLUICE_TRY(statement list,
             db.prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', "
                        "'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                        "AND name NOT LIKE 'sluice\\_%' ESCAPE '\\' ORDER BY name LIMIT 1000"));
  step_answer answer = list.step();
  for (; answer == step_answer::row; answer = list.step()) {
    names.emplace_back(list.text_at(0));
  }
  if (answer == step_answer::failed) {
    return fail(db.failure("list the tables"));
  }
  return names;
}

void choose_key(table_info& table, const std::vector<std::pair<std::int64_t, std::string>>& primary_key) {
  if (table.type != table_type::table) {
    return;
  }
  if (table.without_rowid) {
    for (const auto& [order, name] : primary_key) {
      table.key.push_back(name);
    }
    return;
  }
  for (const table_column& c : table.columns) {
    if (c.is_rowid) {
      table.key = {c.name};
      return;
    }
  }
  constexpr std::array<std::string_view, 3> rowid_names = {"rowid", "_rowid_", "oid"};
  for (const std::string_view name : rowid_names) {
    if (table.find(name) == nullptr) {
      table.key = {std::string(name)};
      return;
    }
  }
}

}  // namespace

const table_column* table_info::find(std::string_view column) const {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [&](const table_column& c) { return same_word(c.name, column); });
  return at == columns.end() ? nullptr : &*at;
}

std::vector<std::string> table_info::column_names() const {
  std::vector<std::string> names;
  for (const table_column& c : columns) {
    names.push_back(c.name);
  }
  return names;
}

std::optional<std::string> table_name_of(std::string_view text) {
  const auto parts = relational::name_parts(text, sql_rules);
  if (!parts || parts->size() > 2 || (parts->size() == 2 && !same_word((*parts)[0].name, "main"))) {
    return std::nullopt;
  }
  return parts->back().name;
}

result<std::optional<table_info>> look_up_table(database& db, const std::string& name) {
  table_info table;
  bool strict = false;
  {
    SLUICE_TRY(statement find, db.prepare("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema "
                                          "= 'main' AND name = ? COLLATE NOCASE"));
    find.bind_text(1, name);
    const step_answer found = find.step();
    if (found == step_answer::failed) {
      return fail(db.failure("look for the table"));
    }
    if (found == step_answer::done) {
      return std::optional<table_info>();
    }
    table.name = find.text_at(0);
    const std::string type = find.text_at(1);
    table.type = type == "view"      ? table_type::view
                 : type == "virtual" ? table_type::virtual_table
                                     : table_type::table;
    table.without_rowid = find.int64_at(2) != 0;
    strict = find.int64_at(3) != 0;
  }
  std::vector<std::pair<std::int64_t, std::string>> primary_key;
  {
    SLUICE_TRY(
        statement columns,
        db.prepare("SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?)"));
    columns.bind_text(1, table.name);
    step_answer answer = columns.step();
    for (; answer == step_answer::row; answer = columns.step()) {
      const std::int64_t hidden = columns.int64_at(5);
      if (hidden == 1) {
        continue;  // a virtual table's hidden column
      }
      table_column c;
      c.name = columns.text_at(0);
      c.declared_type = columns.text_at(1);
      c.kind = kind_of(c.declared_type, strict);
      c.not_null = columns.int64_at(2) != 0;
      c.has_default = columns.storage_at(3) != storage::null;
      c.generated = hidden == 2 || hidden == 3;
      if (const std::int64_t order = columns.int64_at(4); order > 0) {
        primary_key.emplace_back(order, c.name);
        c.not_null = c.not_null || table.without_rowid;
      }
      table.columns.push_back(std::move(c));
    }
    if (answer == step_answer::failed) {
      return fail(db.failure("describe the table"));
    }
  }
  std::sort(primary_key.begin(), primary_key.end());
  if (!table.without_rowid && primary_key.size() == 1) {
    SLUICE_TRY(const bool indexed, has_primary_key_index(db, table.name));
    for (table_column& c : table.columns) {
      c.is_rowid = !indexed && c.name == primary_key[0].second && same_word(c.declared_type, "INTEGER");
    }
  }
  choose_key(table, primary_key);
  SLUICE_TRY(table.unique_keys, look_up_keys(db, table));
  return std::optional(std::move(table));
}

result<std::vector<relational::referring_key>> referring_keys(database& db, const std::string& table) {
  std::vector<relational::referring_key> keys;
  SLUICE_TRY(const auto enforced, db.ask("PRAGMA foreign_keys"));
  if (enforced.value_or("0") != "1") {
    return keys;
  }
  sqlite_session session(db);
  SLUICE_TRY(const auto rows,
             session.ask("SELECT t.name, group_concat(f.\"from\", ', '), f.on_delete FROM sqlite_schema t, "
                         "pragma_foreign_key_list(t.name) f WHERE t.type = 'table' AND f.\"table\" = ?1 "
                         "COLLATE NOCASE AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT') GROUP BY "
                         "t.name, f.id ORDER BY 1, f.id",
                         {table}));
  for (const relational::sql_row& row : rows) {
    keys.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "CASCADE"});
  }
  return keys;
}

result<relational::read_table> read_table_of(database& db, const table_info& table) {
  sqlite_session session(db);
  relational::read_table out;
  out.product = "sqlite";
  for (const table_column& c : table.columns) {
    out.columns.push_back({c.name, "", c.has_default, c.generated, c.declared_type});
  }
  SLUICE_TRY(const auto primary,
             session.ask("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", {table.name}));
  if (!primary.empty()) {
    auto& key = out.keys.emplace_back(relational::read_table::key{"", {}, true, true});
    for (const relational::sql_row& row : primary) {
      key.columns.push_back(row[0].value_or(""));
    }
  }
  SLUICE_TRY(const auto indexes,
             session.ask("SELECT l.name, l.\"unique\", i.name FROM pragma_index_list(?) l, "
                         "pragma_index_info(l.name) i WHERE l.origin <> 'pk' ORDER BY l.seq DESC, i.seqno",
                         {table.name}));
  for (const relational::sql_row& row : indexes) {
    if (out.keys.empty() || out.keys.back().name != row[0]) {
      out.keys.push_back({row[0].value_or(""), {}, false, row[1] == "1"});
    }
    out.keys.back().columns.push_back(row[2].value_or("an expression"));
  }
  SLUICE_TRY(
      const auto others,
      session.ask("SELECT DISTINCT 'the foreign key to ' || \"table\" FROM pragma_foreign_key_list(?1) "
                  "UNION ALL SELECT 'the trigger ' || name FROM sqlite_schema WHERE type = 'trigger' "
                  "AND tbl_name = ?1 COLLATE NOCASE",
                  {table.name}));
  for (const relational::sql_row& row : others) {
    out.others.push_back(row[0].value_or(""));
  }
  return out;
}

result<std::string> describe_tables(database& db) {
  SLUICE_TRY(const auto names, list_tables(db));
  return names.empty() ? "it has no tables at all" : fmt::format("it has {}", list_of(names));
}

result<std::string> describe_missing_table(database& db, const std::string& name) {
  SLUICE_TRY(const auto names, list_tables(db));
  const std::string begin = fmt::format("{} has no table {}", in_quotes(db.path()), in_quotes(name));
  if (const std::string_view near = nearest(name, names); !near.empty()) {
    return fmt::format("{}; did you mean {}?", begin, in_quotes(near));
  }
  SLUICE_TRY(const std::string there, describe_tables(db));
  return fmt::format("{}; {}", begin, there);
}

}  // namespace sluice::sqlite
