#include "plugins/mysql/mysql_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>

#include "jobspec/dialect_rules.h"
#include "plugins/common/relational/columns.h"
#include "plugins/mysql/mysql_ranges.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// What is not worth a split of its own: a pipeline reads them within a tenth of a second.
constexpr double split_rows_min = 20'000;

/// How ranges of a column of this type are found; nothing where its order and its text do not go together.
std::optional<relational::key_kind> split_kind_of(const table_column& column) {
  switch (column.kind.holds) {
    case held_as::integer:
    case held_as::year:
      return relational::key_kind::whole_number;
    case held_as::decimal:
      return relational::key_kind::decimal;
    case held_as::date:
      return relational::key_kind::date;
    case held_as::timestamp:
    case held_as::instant:
      return relational::key_kind::timestamp;
    case held_as::text:
      return column.collation.empty() ? std::nullopt : std::optional(relational::key_kind::text);
    case held_as::bytes:
      return column.kind.name.starts_with("binary") || column.kind.name.starts_with("varbinary")
                 ? std::optional(relational::key_kind::bytes)
                 : std::nullopt;
    case held_as::bits:
    case held_as::real:
    case held_as::members:
    case held_as::duration:
      break;
  }
  return std::nullopt;
}

split_column split_column_of(const table_column& column, relational::key_kind kind) {
  return {quote_name(column.name), column.name, kind, column.charset, column.collation};
}

/// The columns of a key, as far as ranges of them can be found.
std::vector<split_column> split_columns_of(const table_info& table, const table_key& key) {
  std::vector<split_column> columns;
  for (const std::string& name : key.columns) {
    const table_column* column = table.find(name);
    const auto kind = column == nullptr ? std::nullopt : split_kind_of(*column);
    if (!kind) {
      break;
    }
    columns.push_back(split_column_of(*column, *kind));
  }
  return columns;
}

bool is_small(const read_part& part) {
  return part.rows < 2 * split_rows_min;
}

}  // namespace

result<void> split_planner::choose_key(connection& c, const table_info& table,
                                       const std::optional<std::string>& joins, read_part& part,
                                       const stop_signal& stop) const {
  return options_.split_pk.empty() ? choose_automatic(c, table, joins, part, stop)
                                   : choose_split_pk(table, joins, part);
}

result<void> split_planner::refuse_split_pk(std::string_view what) const {
  if (rules_of(values_.job_dialect()).unfit_split_key_fails) {
    return values_.bad("splitPk", what);
  }
  if (context_.warn) {
    context_.warn(fmt::format("{}: {}; it is read as one split", options_.split_pk_place, what));
  }
  return {};
}

result<void> split_planner::choose_split_pk(const table_info& table, const std::optional<std::string>& joins,
                                            read_part& part) const {
  const table_column* pk = table.find(options_.split_pk);
  if (pk == nullptr) {
    return values_.bad(
        "splitPk",
        fmt::format("table {} has no column {}{}", in_quotes(table.name), in_quotes(options_.split_pk),
                    relational::near_column(options_.split_pk, table.column_names())));
  }
  const auto kind = split_kind_of(*pk);
  if (!kind) {
    return refuse_split_pk(
        fmt::format("column {} of table {} is {}, of which no ranges are made; name a column that is an "
                    "integer, decimal, "
                    "DATE, DATETIME, TIMESTAMP, CHAR, VARCHAR, TEXT or BINARY, or leave \"splitPk\" out and "
                    "set \"splitMode\": "
                    "\"auto\"",
                    in_quotes(pk->name), in_quotes(table.name), pk->kind.name));
  }
  if (context_.strict && values_.job_dialect() == dialect::script2 &&
      *kind != relational::key_kind::whole_number) {
    return refuse_split_pk(fmt::format("column {} of table {} is {}, and with --strict only integers split",
                                       in_quotes(pk->name), in_quotes(table.name), pk->kind.name));
  }
  if (table.type != table_type::table || joins) {
    if (context_.warn) {
      context_.warn(
          joins
              ? fmt::format("{}: what is read has {}, so that reading by ranges would change the result; it "
                            "is read as one split",
                            options_.split_pk_place, *joins)
              : fmt::format(
                    "{}: {} is a view, which is read as one split; name a table, or leave splitPk out",
                    options_.split_pk_place, in_quotes(table.name)));
    }
    return {};
  }
  part.split_key = {split_column_of(*pk, *kind)};
  part.split_nullable = !pk->not_null;
  if (const table_key* index = table.index_on(pk->name)) {
    part.split_index = quote_name(index->name);
    return {};
  }
  // Where to look for values of it.
  if (const table_key* key = table.total_order()) {
    part.sample_index = quote_name(key->name);
    part.sample_key = split_columns_of(table, *key);
  }
  if (context_.warn) {
    context_.warn(
        fmt::format("{}: no index of table {} begins with column {}, so that each split reads the "
                    "whole table; name an indexed column",
                    options_.split_pk_place, in_quotes(table.name), in_quotes(pk->name)));
  }
  return {};
}

result<void> split_planner::choose_automatic(connection& c, const table_info& table,
                                             const std::optional<std::string>& joins, read_part& part,
                                             const stop_signal& stop) const {
  const table_key* key = table.type == table_type::table ? table.total_order() : nullptr;
  std::vector<split_column> columns =
      key == nullptr ? std::vector<split_column>() : split_columns_of(table, *key);
  if (table.type != table_type::table) {
    part.one_split_because = "it is a view";
  } else if (joins) {
    part.one_split_because = fmt::format("what is read has {}", *joins);
  } else if (columns.empty()) {
    part.one_split_because =
        "it has no unique key of NOT NULL columns that begins with an integer, decimal, date, time, text or "
        "binary";
  }
  if (!part.one_split_because.empty()) {
    return {};
  }
  const std::string index = quote_name(key->name);
  SLUICE_TRY(
      const auto rows,
      estimate_rows(c, fmt::format("SELECT {} FROM {} FORCE INDEX ({})", columns[0].name, part.table, index),
                    stop));
  part.rows = rows.value_or(static_cast<double>(table.rows_estimate));
  std::vector<std::string> names;
  for (const split_column& column : columns) {
    names.push_back(column.bare);
  }
  part.split_by = fmt::format("{}", fmt::join(names, ", "));
  if (options_.split == relational::split_mode::automatic) {
    part.split_key = std::move(columns);
    part.split_index = index;
  }
  return {};
}

std::string split_planner::how_split(const read_part& part) const {
  if (options_.split == relational::split_mode::none) {
    return context_.pipelines == 1 || is_small(part) || part.split_by.empty()
               ? ""
               : fmt::format(
                     "one split; \"splitMode\": \"auto\" would let several pipelines read it, by ranges of "
                     "({}).",
                     part.split_by);
  }
  if (!part.one_split_because.empty()) {
    return fmt::format("one split, because {}.", part.one_split_because);
  }
  return is_small(part) ? "one split, because it is small."
                        : fmt::format(
                              "split by ranges of ({}) where several pipelines run; the bounds come of the "
                              "server's estimates.{}",
                              part.split_by,
                              options_.shares_snapshot
                                  ? ""
                                  : " Ranges are not read at the same moment: a row whose key is changed "
                                    "meanwhile may be met twice or not at all; \"snapshot\": \"shared\" "
                                    "excludes it.");
}

std::vector<std::string> split_planner::notes(const read_plan& plan) const {
  std::vector<std::string> notes;
  if (!options_.split_pk.empty() || options_.queries) {
    return notes;
  }
  std::map<std::string, std::vector<std::string>> tables;
  for (const read_part& part : plan.parts) {
    if (std::string how = how_split(part); !how.empty()) {
      tables[how].push_back(part.name);
    }
  }
  for (const auto& [how, names] : tables) {
    notes.push_back(fmt::format("{}: {}", relational::some_of(names), how));
  }
  return notes;
}

std::vector<std::uint32_t> split_planner::ranges_of_each(const read_plan& plan,
                                                         std::uint32_t pipelines) const {
  if (!options_.split_pk.empty() || pipelines <= 1) {
    return std::vector<std::uint32_t>(
        plan.parts.size(), relational::ranges_wanted(pipelines, plan.parts.size(), options_.split_factor));
  }
  std::vector<double> rows;
  for (const read_part& part : plan.parts) {
    rows.push_back(part.rows);
  }
  return relational::shares_of(rows, pipelines * options_.split_factor, split_rows_min);
}

result<std::vector<split>> split_planner::splits_of(connection& c, const read_part& part, scalar_list about,
                                                    std::uint32_t ranges, const stop_signal& stop) const {
  found_ranges found;
  if (part.split_index.empty()) {
    SLUICE_TRY(const auto keys,
               sample_column(c, part.table, part.split_key[0], part.sample_index, part.sample_key, stop));
    found.bounds = relational::bounds_among(keys, ranges);
  } else {
    // Of each partition the server makes an estimate of its own.
    SLUICE_TRY(const std::size_t partitions, count_partitions(c, part.database, part.table_bare, stop));
    const std::size_t dives = range_finder::dives_max / std::max<std::size_t>(partitions, 1);
    SLUICE_TRY(found,
               range_finder(c, part.table, part.split_index, part.split_key, stop).find(ranges, dives));
  }
  const bool named = !options_.split_pk.empty();
  if (!named) {
    about.push_back({"by", {part.split_by}});
  } else {
    SLUICE_CHECK(check_ranges(c, part, found.rows, stop));
  }
  return relational::splits_between(
      found.bounds, part.split_nullable, about,
      fmt::format("{} {}", part.name, named ? part.split_key[0].bare : part.split_by));
}

result<void> split_planner::check_ranges(connection& c, const read_part& part,
                                         const std::vector<double>& rows, const stop_signal& stop) const {
  if (!context_.warn || rows.empty()) {
    return {};
  }
  const double least = *std::min_element(rows.begin(), rows.end());
  double most = *std::max_element(rows.begin(), rows.end());
  if (part.split_nullable) {
    SLUICE_TRY(const auto nulls,
               estimate_rows(c,
                             fmt::format("SELECT {0} FROM {1} FORCE INDEX ({2}) WHERE {0} IS NULL",
                                         part.split_key[0].name, part.table, part.split_index),
                             stop));
    most = std::max(most, nulls.value_or(0));
  }
  constexpr double uneven = 10;
  constexpr double rows_worth_a_word = 10'000;
  if (rows.size() == 1 && most >= rows_worth_a_word) {
    context_.warn(
        fmt::format("{}: no values were found by which column {} of {} could be cut, and one split reads its "
                    "{:.0f} rows (the server's estimate); name a column with more values",
                    options_.split_pk_place, in_quotes(part.split_key[0].bare), in_quotes(part.name), most));
    return {};
  }
  if (most >= rows_worth_a_word && most > uneven * least) {
    context_.warn(fmt::format(
        "{}: by the server's estimates the ranges of column {} of {} hold between {:.0f} and {:.0f} rows, so "
        "that "
        "pipelines wait for the largest; name a column whose values are spread evenly",
        options_.split_pk_place, in_quotes(part.split_key[0].bare), in_quotes(part.name), least, most));
  }
  return {};
}

}  // namespace sluice::mysql
