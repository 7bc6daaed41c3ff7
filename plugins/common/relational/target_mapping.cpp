#include "plugins/common/relational/target_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "jobspec/words.h"
#include "plugins/common/relational/columns.h"
#include "transport/base/text.h"

namespace sluice::relational {
namespace {

std::vector<std::string> names_of(const target_table& table) {
  std::vector<std::string> names;
  for (const target_column& c : table.columns) {
    names.push_back(c.name);
  }
  return names;
}

/// What a column without its like may have meant: one that none of the others has.
std::string left_for(const std::string& name, const std::vector<std::string>& names,
                     const schema& source_columns, const sql_rules& rules) {
  std::vector<std::string> left = names;
  for (const field& f : source_columns) {
    if (const auto taken = named_in(f.name, names, rules)) {
      left.erase(std::remove(left.begin(), left.end(), names[*taken]), left.end());
    }
  }
  if (left.empty()) {
    return ", which all have theirs; leave it out of the reader's";
  }
  if (const std::string_view near = nearest(name, left); !near.empty()) {
    return fmt::format("; did you mean {}?", in_quotes(near));
  }
  constexpr std::size_t shown_max = 10;
  std::string list;
  for (std::size_t i = 0; i < left.size() && i < shown_max; ++i) {
    list += (i == 0 ? "" : ", ") + in_quotes(left[i]);
  }
  return fmt::format("; without one of the reader's {} {}{}", left.size() == 1 ? "is" : "are", list,
                     left.size() > shown_max ? fmt::format(" and {} more", left.size() - shown_max) : "");
}

/// `mapping: "name"`: for each of the source's columns the index in `names`, which are those of the job's
/// `column` or, with `*`, all.
result<std::vector<std::size_t>> paired_by_name(const std::vector<std::string>& names,
                                                const end_options& options, const sql_rules& rules,
                                                const schema& source_columns, const option_values& values) {
  std::vector<std::size_t> pairs;
  for (std::size_t i = 0; i < source_columns.size(); ++i) {
    const std::string& name = source_columns[i].name;
    if (name.empty()) {
      return values.bad("mapping",
                        fmt::format("the reader's column {} has no name; read it by a querySql that gives it "
                                    "one (AS), or map by position",
                                    i));
    }
    const auto found = named_in(name, names, rules);
    if (!found) {
      return values.bad("mapping",
                        fmt::format("the reader's column {} is none of the writer's{}", in_quotes(name),
                                    left_for(name, names, source_columns, rules)));
    }
    if (std::find(pairs.begin(), pairs.end(), *found) != pairs.end()) {
      return values.bad("mapping",
                        fmt::format("two of the reader's columns are the writer's column {}; leave "
                                    "one out",
                                    in_quotes(names[*found])));
    }
    pairs.push_back(*found);
  }
  for (std::size_t i = 0; !options.all_columns && i < names.size(); ++i) {
    if (std::find(pairs.begin(), pairs.end(), i) == pairs.end()) {
      return fail(error_kind::bad_option, "{}: the reader has no column {}; leave it out, or read it",
                  options.columns[i].place, in_quotes(names[i]));
    }
  }
  return pairs;
}

bool holds(const std::vector<std::size_t>& mapped, std::size_t index) {
  return std::find(mapped.begin(), mapped.end(), index) != mapped.end();
}

}  // namespace

incoming_columns without_computed(const target_table& table, const end_options& options,
                                  const sql_rules& rules, const schema& source_columns) {
  incoming_columns out;
  const std::vector<std::string> names = names_of(table);
  for (std::size_t i = 0; i < source_columns.size(); ++i) {
    const auto found = named_in(source_columns[i].name, names, rules);
    if (found && table.columns[*found].generated) {
      out.left_out.push_back(i);
    } else {
      out.columns.push_back(source_columns[i]);
    }
  }
  const auto taken = static_cast<std::size_t>(
      std::count_if(table.columns.begin(), table.columns.end(),
                    [](const target_column& c) { return !c.generated && !c.invisible; }));
  const bool fits = options.by_name || (source_columns.size() != taken && out.columns.size() == taken);
  return options.all_columns && fits ? out : incoming_columns{source_columns, {}};
}

result<std::vector<std::size_t>> mapped_columns(const target_table& table, const end_options& options,
                                                const sql_rules& rules, const schema& source_columns,
                                                const option_values& values) {
  std::vector<std::size_t> mapped;
  for (std::size_t i = 0; options.all_columns && i < table.columns.size(); ++i) {
    // One that is hidden from * may be the one of a column's name.
    if (!table.columns[i].generated && (options.by_name || !table.columns[i].invisible)) {
      mapped.push_back(i);
    }
  }
  if (!options.all_columns) {
    SLUICE_TRY(mapped, target_columns(options.columns, names_of(table), table.name, rules));
  }
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const target_column& c = table.columns[mapped[i]];
    if (c.generated) {
      return fail(error_kind::bad_option,
                  "{}: column {} of table {} is computed and cannot be written; leave it out",
                  options.columns[i].place, in_quotes(c.name), in_quotes(table.name));
    }
  }
  if (options.by_name) {
    std::vector<std::string> names;
    for (const std::size_t index : mapped) {
      names.push_back(table.columns[index].name);
    }
    SLUICE_TRY(const auto pairs, paired_by_name(names, options, rules, source_columns, values));
    std::vector<std::size_t> in_order;
    for (const std::size_t index : pairs) {
      in_order.push_back(mapped[index]);
    }
    mapped = std::move(in_order);
  }
  if (mapped.size() != source_columns.size()) {
    const bool computes = std::any_of(table.columns.begin(), table.columns.end(),
                                      [](const target_column& c) { return c.generated; });
    return values.bad(
        "column",
        fmt::format("the reader delivers {} columns and the writer takes {}{}; columns are "
                    "mapped by position, give both the same number",
                    source_columns.size(), mapped.size(),
                    options.all_columns ? fmt::format(" (all of table {}{})", in_quotes(table.name),
                                                      computes ? " that it does not compute itself" : "")
                                        : ""));
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const target_column& c = table.columns[i];
    if (c.not_null && !c.has_default && !c.generated && !holds(mapped, i)) {
      return values.bad("column",
                        fmt::format("column {} of table {} is NOT NULL without a default and is not "
                                    "mapped, so that every row would be refused; map it",
                                    in_quotes(c.name), in_quotes(table.name)));
    }
  }
  return mapped;
}

namespace {

bool is_mapped(const std::vector<std::string>& key, const target_table& table,
               const std::vector<std::size_t>& mapped) {
  return std::all_of(key.begin(), key.end(), [&](const std::string& name) {
    return std::any_of(mapped.begin(), mapped.end(),
                       [&](std::size_t index) { return table.columns[index].name == name; });
  });
}

/// The key's columns that take NULL, by which no row is found.
std::vector<std::string> null_columns(const std::vector<std::string>& key, const target_table& table) {
  std::vector<std::string> found;
  for (const target_column& c : table.columns) {
    if (!c.not_null && std::find(key.begin(), key.end(), c.name) != key.end()) {
      found.push_back(c.name);
    }
  }
  return found;
}

/// ` (no row can be found by "a" (id) WHERE open, which is partial)`
std::string unusable_text(const target_table& table) {
  return table.unusable_keys.empty()
             ? ""
             : fmt::format(" (no row can be found by {})", fmt::join(table.unusable_keys, ", "));
}

}  // namespace

std::string key_list(const std::vector<std::vector<std::string>>& keys) {
  std::string list;
  for (const auto& key : keys) {
    list += fmt::format("{}({})", list.empty() ? "" : ", ", fmt::join(key, ", "));
  }
  return list;
}

std::vector<std::vector<std::string>> met_keys(const target_table& table,
                                               const std::vector<std::size_t>& mapped) {
  std::vector<std::vector<std::string>> met;
  std::copy_if(table.keys.begin(), table.keys.end(), std::back_inserter(met),
               [&](const auto& key) { return is_mapped(key, table, mapped); });
  return met;
}

bool meets_key(const target_table& table, const std::vector<std::size_t>& mapped) {
  return !met_keys(table, mapped).empty();
}

result<std::vector<std::string>> key_named(const target_table& table, const std::vector<std::size_t>& mapped,
                                           const std::vector<placed_text>& named, const sql_rules& rules,
                                           const option_values& values) {
  const std::vector<std::string> names = names_of(table);
  SLUICE_TRY(const auto indexes, target_columns(named, names, table.name, rules));
  const auto found = std::find_if(table.keys.begin(), table.keys.end(), [&](const auto& key) {
    return key.size() == indexes.size() &&
           std::all_of(indexes.begin(), indexes.end(), [&](std::size_t index) {
             return std::find(key.begin(), key.end(), names[index]) != key.end();
           });
  });
  if (found == table.keys.end()) {
    std::vector<std::string> wanted;
    for (const std::size_t index : indexes) {
      wanted.push_back(names[index]);
    }
    return values.bad(
        "uniqueIndexColumns",
        fmt::format("found {}, which is no key of table {}: {}{}; name all columns of one key, or make it "
                    "(CREATE UNIQUE INDEX)",
                    key_list({wanted}), in_quotes(table.name),
                    table.keys.empty() ? "it has none" : "its keys are " + key_list(table.keys),
                    unusable_text(table)));
  }
  if (!is_mapped(*found, table, mapped)) {
    return values.bad("uniqueIndexColumns",
                      fmt::format("found {}, whose columns the job does not map all; map them in \"column\"",
                                  key_list({*found})));
  }
  return *found;
}

bool meets_key_without_null(const target_table& table, const std::vector<std::size_t>& mapped) {
  return std::any_of(table.keys.begin(), table.keys.end(), [&](const auto& key) {
    return is_mapped(key, table, mapped) && null_columns(key, table).empty();
  });
}

std::vector<std::string> key_warnings(const target_table& table, const std::vector<std::size_t>& mapped,
                                      found_by how) {
  std::vector<std::string> out;
  const auto found = std::find_if(table.keys.begin(), table.keys.end(),
                                  [&](const auto& key) { return is_mapped(key, table, mapped); });
  if (found != table.keys.end() && (how == found_by::one_key || !meets_key_without_null(table, mapped))) {
    if (const auto columns = null_columns(*found, table); !columns.empty()) {
      out.push_back(fmt::format(
          "rows with NULL in {} are found by no key: each run inserts them once more; make the column NOT "
          "NULL, or leave such rows out with \"where\"",
          fmt::join(columns, " or ")));
    }
  }
  if (how == found_by::each_key && table.keys.size() > 1) {
    out.push_back(
        fmt::format("rows are found by each of the keys {}: a row that is another's in one of them takes the "
                    "other's place, whatever the rest of it is",
                    key_list(table.keys)));
  }
  return out;
}

std::vector<std::string> referring_warnings(const std::vector<referring_key>& keys) {
  std::vector<std::string> out;
  for (const referring_key& key : keys) {
    out.push_back(fmt::format(
        "rows are deleted before they are put in again, and the foreign key {} of {} then {} the rows "
        "there that refer to them; \"update\" leaves them as they are",
        in_quotes(key.name), in_quotes(key.table), key.deletes ? "deletes" : "takes the reference from"));
  }
  return out;
}

result<void> check_key(const target_table& table, const std::vector<std::size_t>& mapped,
                       std::string_view mode, const option_values& values) {
  if (meets_key(table, mapped)) {
    return {};
  }
  const std::string keys = key_list(table.keys);
  const std::string found =
      keys.empty() ? fmt::format("table {} has no primary key and no unique index", in_quotes(table.name))
                   : fmt::format("the job maps all columns of no key of table {}, whose keys are {}",
                                 in_quotes(table.name), keys);
  // A default may be another row's, as may what the server computes.
  const auto filled = [&](const std::string& name) {
    return std::any_of(table.columns.begin(), table.columns.end(), [&](const target_column& c) {
      return c.name == name && (c.generated || c.has_default);
    });
  };
  const bool may_meet = std::any_of(table.keys.begin(), table.keys.end(), [&](const auto& key) {
    return std::any_of(key.begin(), key.end(), filled);
  });
  return values.bad(
      "writeMode", fmt::format("{} finds rows by a key, and {}{}: {}; {}, or set \"writeMode\" to \"insert\"",
                               mode, found, unusable_text(table),
                               may_meet ? "no record would say which row it is, but what the server fills in"
                                        : "every row would be added",
                               keys.empty() ? "make a key (CREATE UNIQUE INDEX)" : "map a key's columns"));
}

result<std::vector<std::string>> created_names(const end_options& options, const sql_rules& rules,
                                               const schema& source_columns, const option_values& values) {
  std::vector<std::string> names;
  for (std::size_t i = 0; options.all_columns && i < source_columns.size(); ++i) {
    names.push_back(source_columns[i].name);
    if (names.back().empty()) {
      return values.bad(
          "column",
          fmt::format("the reader's column {} has no name to make a table column of; list the names", i));
    }
  }
  for (std::size_t i = 0; !options.all_columns && i < options.columns.size(); ++i) {
    names.push_back(bare_name(options.columns[i].text, rules));
  }
  if (options.by_name) {
    SLUICE_TRY(const auto pairs, paired_by_name(names, options, rules, source_columns, values));
    std::vector<std::string> in_order;
    for (const std::size_t index : pairs) {
      in_order.push_back(names[index]);
    }
    names = std::move(in_order);
  }
  if (names.size() != source_columns.size()) {
    return values.bad("column",
                      fmt::format("the reader delivers {} columns and the writer names {} for the table to "
                                  "be made; give both the same number",
                                  source_columns.size(), names.size()));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (same_word(names[i], names[j])) {
        return values.bad("column",
                          fmt::format("two columns of the table to be made are called {}; list different "
                                      "names",
                                      in_quotes(names[i])));
      }
    }
  }
  return names;
}

result<void> check_bit_strings(const schema& source_columns, const schema& columns, std::string_view place) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const field& from = source_columns[i];
    const type_id to = columns[i].type.id;
    const bool text = to == type_id::utf8 || to == type_id::binary;
    if (!text && from.type.id == type_id::utf8 && from.source_type_name.starts_with("bit")) {
      return fail(error_kind::not_supported,
                  "{}: column {} is read as a string of bits ({}), whose digits would be taken for a decimal "
                  "number in {}; read it as a number, such as column::bigint",
                  place, in_quotes(columns[i].name), from.source_type_name, columns[i].source_type_name);
    }
  }
  return {};
}

}  // namespace sluice::relational
