#include "plugins/common/relational/created_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/relational/target_mapping.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

/// The index in `read` of each of the names; empty where one is not read, or read twice.
std::vector<std::size_t> all_read(const std::vector<std::string>& names,
                                  const std::vector<std::string>& read) {
  std::vector<std::size_t> found;
  for (const std::string& name : names) {
    if (std::count(read.begin(), read.end(), name) != 1) {
      return {};
    }
    found.push_back(static_cast<std::size_t>(std::find(read.begin(), read.end(), name) - read.begin()));
  }
  return found;
}

/// `the unique index by_name (name)`
std::string key_text(const read_table::key& key) {
  const std::string columns = fmt::format("({})", fmt::join(key.columns, ", "));
  return key.primary ? fmt::format("the primary key {}", columns)
                     : fmt::format("the {}index {} {}", key.unique ? "unique " : "", key.name, columns);
}

std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace

std::shared_ptr<const table_facts> facts_of(const read_table& table, const std::vector<std::string>& read) {
  table_facts facts;
  facts.product = table.product;
  facts.comment = table.comment;
  for (const std::string& name : read) {
    const auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                     [&](const read_table::column& c) { return c.name == name; });
    facts.columns.push_back(column == table.columns.end()
                                ? table_facts::column()
                                : table_facts::column{column->comment, column->type});
  }
  for (const read_table::column& c : table.columns) {
    if (std::find(read.begin(), read.end(), c.name) != read.end() && (c.generated || c.has_default)) {
      facts.others.push_back(
          fmt::format("{} of column {}", c.generated ? "the computation" : "the default", c.name));
    }
  }
  for (const read_table::key& key : table.keys) {
    if (key.primary) {
      facts.key = all_read(key.columns, read);
    }
    if (!key.primary) {
      facts.others.push_back(key_text(key));
    } else if (facts.key.empty()) {
      facts.others.push_back(key_text(key) + ", of which the job does not read each column once");
    }
  }
  facts.others.insert(facts.others.end(), table.others.begin(), table.others.end());
  return std::make_shared<const table_facts>(std::move(facts));
}

std::vector<std::string> created_table::key_names() const {
  std::vector<std::string> names;
  for (const std::size_t index : key) {
    names.push_back(columns[index].name);
  }
  return names;
}

void created_table::keep_null_out_of_key() {
  for (const std::size_t index : key) {
    columns[index].not_null = true;
  }
}

void created_table::leave_key_out(const std::string& why) {
  not_made.push_back(fmt::format("the primary key ({}): {}", fmt::join(key_names(), ", "), why));
  key.clear();
}

void created_table::leave_comments_out(std::size_t column_characters_max, std::size_t table_characters_max) {
  const auto leave_out = [&](std::string& text, const std::string& of, std::size_t characters_max) {
    if (characters_in(text) > characters_max) {
      not_made.push_back(characters_max == 0 ? fmt::format("the comment of {}", of)
                                             : fmt::format("the comment of {}, longer than {} characters", of,
                                                           characters_max));
      text.clear();
    }
  };
  leave_out(comment, "the table", table_characters_max);
  for (column& c : columns) {
    leave_out(c.comment, "column " + c.name, column_characters_max);
  }
}

namespace {

/// The collations of MySQL's own types that the made ones do not have, each with its columns.
std::vector<std::string> collations_left(const schema& source_columns, const table_facts* facts,
                                         const std::vector<made_type>& types,
                                         const std::vector<std::string>& names) {
  constexpr std::string_view word = " COLLATE ";
  std::vector<std::pair<std::string, std::string>> found;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view own = type_at(source_columns, facts, i).name();
    const std::size_t at = own.find(word);
    if (at == std::string_view::npos || !types[i].lost.empty() ||
        types[i].sql.find(word) != std::string::npos) {
      continue;
    }
    const std::string collation(own.substr(at + word.size()));
    const auto same =
        std::find_if(found.begin(), found.end(), [&](const auto& one) { return one.first == collation; });
    if (same == found.end()) {
      found.emplace_back(collation, names[i]);
    } else {
      same->second += ", " + names[i];
    }
  }
  std::vector<std::string> texts;
  for (const auto& [collation, columns] : found) {
    texts.push_back(
        fmt::format("the collation {} of {}: texts are compared as the database does", collation, columns));
  }
  return texts;
}

}  // namespace

result<created_table> created_table_of(const end_options& options, const sql_rules& rules,
                                       const schema& source_columns, const table_facts* facts,
                                       const option_values& values, const std::vector<made_type>& types) {
  SLUICE_TRY(const auto names, created_names(options, rules, source_columns, values));
  created_table table;
  const table_facts none;
  const table_facts& known = facts == nullptr ? none : *facts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    table.columns.push_back({names[i], types[i].sql, !source_columns[i].nullable,
                             i < known.columns.size() ? known.columns[i].comment : std::string()});
    if (!types[i].lost.empty()) {
      table.not_made.push_back(fmt::format("the type {} of column {}, made {}: {}",
                                           type_at(source_columns, facts, i).name(), names[i], types[i].sql,
                                           types[i].lost));
    }
  }
  std::vector<std::string> unlike = collations_left(source_columns, facts, types, names);
  table.not_made.insert(table.not_made.end(), unlike.begin(), unlike.end());
  table.key = known.key;
  table.comment = known.comment;
  table.not_made.insert(table.not_made.end(), known.others.begin(), known.others.end());
  return table;
}

std::string create_table_sql(const created_table& table, const std::string& quoted_table,
                             const std::function<std::string(std::string_view)>& quote_name,
                             const std::function<std::string(const created_table::column&)>& behind_column) {
  std::string list;
  for (const created_table::column& c : table.columns) {
    list += fmt::format("{}\n{} {}{}{}", list.empty() ? "" : ",", quote_name(c.name), c.type,
                        c.not_null ? " NOT NULL" : "", behind_column ? behind_column(c) : std::string());
  }
  std::string key;
  for (const std::string& name : table.key_names()) {
    key += (key.empty() ? "" : ", ") + quote_name(name);
  }
  return fmt::format("CREATE TABLE IF NOT EXISTS {} ({}{}\n)", quoted_table, list,
                     key.empty() ? "" : fmt::format(",\nPRIMARY KEY ({})", key));
}

void announce_created(const created_table& table, const std::string& create_sql, bool there,
                      target_description& out) {
  out.changes.push_back(fmt::format(
      "{}: {}", there ? "Where preSql leaves no table, it will be made" : "The table will be made",
      statement_text(create_sql)));
  if (!table.not_made.empty()) {
    out.changes.push_back(
        fmt::format("Not made of the source's table: {}.", fmt::join(table.not_made, "; ")));
  }
}

std::string keyless_text(std::string_view mode) {
  return fmt::format(
      "{} finds rows by a key, and the table that createTable makes has none, as the source has none or not "
      "all of it is read; make it with its key in \"preSql\", or set \"writeMode\" to \"insert\"",
      mode);
}

}  // namespace sluice::relational
