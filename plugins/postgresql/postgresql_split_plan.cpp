#include "plugins/postgresql/postgresql_split_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>

#include "jobspec/dialect_rules.h"
#include "jobspec/words.h"
#include "plugins/common/relational/columns.h"
#include "plugins/postgresql/postgresql_splits.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// In front of a split's description, where there are several relations.
void name_relation(const relation_plan& relation, scalar_list& description) {
  description.insert(description.begin(), {"table", {relation.name}});
  if (relation.part != 0) {
    description.insert(description.begin() + 1, {"part", {static_cast<std::int64_t>(relation.part)}});
  }
}

/// Reading in key order may cost so much more than without, by the server's own estimate.
constexpr double order_cost_factor = 1.1;
constexpr double order_cost_free = 1000;
/// Where rows lie in the key's order, reading them in it was seen to take 1.05 times as long, while the
/// estimate is 1.6 times the scan's for a key of one column and 2.6 for one of several, whose correlation
/// PostgreSQL does not know (docs/decisions/104-order-of-a-key.md).
constexpr double lying_order_cost_factor = 4;
constexpr double correlation_in_order = 0.9;
/// What is not worth a split of its own: some 2 MiB, which a pipeline reads within hundredths of a second.
constexpr double split_cost_min = 500;
/// About what PostgreSQL estimates for a row of 100 bytes.
constexpr double cost_of_row = 0.02;
/// The readings of all ranges of a key may cost so many times one reading of the whole: twice is usual where
/// rows are small and lie in the key's order.
constexpr double split_cost_factor = 5;
constexpr std::uint32_t ranges_tried = 20;
/// A split by blocks is committed whole, so that it is about 64 MiB of pages of 8 KiB, as long as there are
/// not too many.
constexpr std::uint64_t split_pages = 8192;
constexpr std::uint64_t block_splits_max = 4000;

bool is_whole_number(wire_form form) {
  return form == wire_form::int2 || form == wire_form::int4 || form == wire_form::int8;
}

/// Not worth two splits.
bool is_small(const relation_plan& relation) {
  return relation.cost < 2 * split_cost_min;
}

}  // namespace

result<explained> explain(connection& c, const std::string& sql) {
  auto asked = c.ask("EXPLAIN " + sql);
  if (!asked && c.is_plain() && !c.is_lost()) {
    return explained();
  }
  SLUICE_TRY(const auto lines, std::move(asked));
  const std::string first = lines.empty() ? "" : lines[0].at(0).value_or("");
  const auto at = first.find("..");
  explained out;
  out.cost = at == std::string::npos ? 0.0 : std::strtod(first.c_str() + at + 2, nullptr);
  if (const auto rows = first.find("rows=", at == std::string::npos ? 0 : at); rows != std::string::npos) {
    out.rows = std::strtod(first.c_str() + rows + 5, nullptr);
  }
  const auto says = [&](std::string_view word) {
    return std::any_of(lines.begin(), lines.end(), [&](const relational::sql_row& line) {
      return line.at(0).value_or("").find(word) != std::string::npos;
    });
  };
  out.multiplies = says("ProjectSet");
  out.sorts = says("Sort");
  if (c.is_plain()) {
    out.cost = out.rows * cost_of_row;
  }
  return out;
}

result<std::optional<std::string>> volatile_call(connection& c, const std::vector<std::string>& texts,
                                                 const std::vector<relational::placed_text>& session) {
  std::string any;
  std::vector<relational::sql_text> values;
  const auto value = [&](std::string text) {
    values.emplace_back(std::move(text));
    return fmt::format("${}", values.size());
  };
  for (const std::string& text : texts) {
    const auto tokens = relational::tokens_of(text, sql_rules());
    const auto is_symbol = [&](std::size_t at, std::string_view symbol) {
      return at < tokens.size() && tokens[at].text == symbol;
    };
    const auto name_at = [&](std::size_t at) {
      return tokens[at].kind == relational::token_kind::word
                 ? lower(tokens[at].text)
                 : relational::bare_name(tokens[at].text, sql_rules());
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const relational::token_kind kind = tokens[i].kind;
      if (is_symbol(i + 1, "(") &&
          (kind == relational::token_kind::word || kind == relational::token_kind::quoted_name)) {
        const bool qualified = i >= 2 && is_symbol(i - 1, ".");
        any += fmt::format(
            "{}(p.proname = {} AND {})", any.empty() ? "" : " OR ", value(name_at(i)),
            qualified ? "n.nspname = " + value(name_at(i - 2)) : "pg_catalog.pg_function_is_visible(p.oid)");
      }
    }
  }
  if (any.empty()) {
    return std::optional<std::string>();
  }
  const bool seeds = std::any_of(session.begin(), session.end(), [](const relational::placed_text& s) {
    return lower(s.text).find("seed") != std::string::npos;
  });
  auto asked = c.ask(
      fmt::format(
          "SELECT p.proname FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = "
          "p.pronamespace "
          "WHERE p.provolatile = 'v' AND ({}) AND NOT (n.nspname = 'pg_catalog' AND p.proname IN "
          "('clock_timestamp', 'timeofday', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'pg_sleep'{})) AND NOT "
          "EXISTS (SELECT 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid "
          "WHERE d.objid = p.oid AND d.deptype = 'e' AND e.extname IN ('uuid-ossp', 'pgcrypto')) ORDER BY 1 "
          "LIMIT 1",
          any, seeds ? "" : ", 'random', 'random_normal'"),
      values);
  if (!asked && c.is_plain() && !c.is_lost()) {
    return std::optional<std::string>();
  }
  SLUICE_TRY(const auto rows, std::move(asked));
  return rows.empty() ? std::optional<std::string>()
                      : std::optional(fmt::format("the function {} is VOLATILE, and may answer otherwise "
                                                  "where each split calls it in a session of its own",
                                                  in_quotes(rows[0].at(0).value_or(""))));
}

result<void> split_planner::choose_split_pk(connection& c, const table_info& table,
                                            relation_plan& relation) const {
  const auto names = table.column_names();
  const auto index = relational::named_in(options_.split_pk, names, sql_rules());
  if (!index) {
    return fail(error_kind::bad_option, "{}: table {} has no column {}{}", options_.split_pk_place,
                in_quotes(table.name), in_quotes(options_.split_pk),
                relational::near_column(options_.split_pk, names));
  }
  const table_column& pk = table.columns[*index];
  auto column = split_column_of(pk);
  const bool in_manual = is_whole_number(pk.kind.form) || !strict_ || values_.job_dialect() == dialect::datax;
  if (!column || !in_manual) {
    const std::string what =
        fmt::format("column {} of table {} is {}, {}; name another column, or leave splitPk out",
                    in_quotes(pk.name), in_quotes(table.name), pk.type.name,
                    column ? "and with --strict only integers split" : "whose ranges cannot be told");
    if (rules_of(values_.job_dialect()).unfit_split_key_fails) {
      return fail(error_kind::bad_option, "{}: {}", options_.split_pk_place, what);
    }
    if (warn_) {
      warn_(fmt::format("{}: {}; the table is read as one split", options_.split_pk_place, what));
    }
    return {};
  }
  if (table.type == table_type::view || table.type == table_type::foreign) {
    if (warn_) {
      warn_(fmt::format("{}: {} is {}, which is read as one split; name a table, or leave splitPk out",
                        options_.split_pk_place, in_quotes(table.name),
                        table.type == table_type::view ? "a view" : "a foreign table"));
    }
    return {};
  }
  relation.split_key = {std::move(*column)};
  relation.split_nullable = !pk.never_null;
  relation.split_scans = table.type == table_type::table && !pk.leads_index;
  relation.split_evenly = c.is_plain() && !relation.split_key[0].between.empty();
  if (c.is_plain()) {
    return {};
  }
  SLUICE_TRY(const auto statistics,
             c.ask("SELECT 1 FROM pg_catalog.pg_stats WHERE schemaname = $1 AND tablename = $2 AND "
                   "attname = $3",
                   {table.schema, table.name, pk.name}));
  relation.split_has_statistics = !statistics.empty();
  return {};
}

result<void> split_planner::choose_automatic(connection& c, const table_info& table,
                                             const std::string& one_split, relation_plan& relation) const {
  const auto mode = options_.split;
  std::vector<split_column> key = automatic_split_key(table);
  if (!one_split.empty()) {
    relation.one_split_because = one_split;
  } else if (table.type == table_type::view || table.type == table_type::foreign) {
    relation.one_split_because = table.type == table_type::view ? "it is a view" : "it is a foreign table";
  } else if (!key.empty() && mode != relational::split_mode::blocks) {
    if (c.is_plain()) {
      key.resize(1);  // whose values can be divided
      relation.split_evenly = !key[0].between.empty();
    }
    std::vector<std::string> names;
    for (const split_column& column : key) {
      names.push_back(column.name);
    }
    relation.split_by = fmt::format("{}", fmt::join(names, ", "));
    relation.split_key = std::move(key);
  } else if (mode == relational::split_mode::automatic && !values_.has("splitMode")) {
    // A default does not take from a job that it can be continued.
    relation.one_split_because =
        "it has no unique key of NOT NULL columns that have ranges, and ranges of blocks (\"splitMode\": "
        "\"ctid\"), with which a killed run cannot go on, are for the job to ask for";
  } else if (c.is_plain()) {
    relation.one_split_because = "it has no unique key of NOT NULL columns that have ranges";
  } else if (options_.snapshot == snapshot_mode::none) {
    relation.one_split_because =
        "it has no unique key of NOT NULL columns that have ranges, and blocks (ctid) need \"snapshot\": "
        "\"shared\"";
  } else {
    SLUICE_TRY(table_pages pages, look_at_pages(c, table.oid));
    if (pages.by_ctid) {
      relation.pages = std::move(pages.of_each);
    } else {
      relation.one_split_because =
          "it has no unique key of NOT NULL columns that have ranges, and blocks (ctid) need PostgreSQL 14 "
          "and "
          "ordinary tables";
    }
  }
  if (mode == relational::split_mode::none) {
    // Only an offer of the plan's.
    relation.one_split_because = !relation.split_key.empty()
                                     ? fmt::format("ranges of ({})", relation.split_by)
                                 : !relation.pages.empty() ? "its blocks (ctid)"
                                                           : "";
    relation.split_key.clear();
    relation.split_by.clear();
    relation.pages.clear();
  }
  return {};
}

result<void> split_planner::choose_key(connection& c, const table_info& table,
                                       const std::optional<std::string>& joins,
                                       const std::optional<std::string>& calls,
                                       relation_plan& relation) const {
  relation.oid = table.oid;
  if (options_.split_pk.empty()) {
    return choose_automatic(c, table, joins ? *joins + " joins rows" : calls.value_or(""), relation);
  }
  if (joins && warn_) {
    warn_(
        fmt::format("{}: {} joins rows, so that each split gives rows of its own; leave splitPk out for one "
                    "result",
                    options_.split_pk_place, *joins));
  } else if (calls && warn_) {
    warn_(fmt::format("{}: {}; leave splitPk out for one result", options_.split_pk_place, *calls));
  }
  return choose_split_pk(c, table, relation);
}

std::string split_planner::how_split(const relation_plan& r) const {
  if (options_.split == relational::split_mode::none) {
    return !several_pipelines_ || is_small(r) || r.one_split_because.empty()
               ? ""
               : fmt::format("one split; \"splitMode\": \"auto\" would let several pipelines read it, by {}.",
                             r.one_split_because);
  }
  if (!r.one_split_because.empty()) {
    return fmt::format("one split, because {}.", r.one_split_because);
  }
  if (is_small(r)) {
    return "one split, because it is small.";
  }
  if (!r.pages.empty()) {
    return "split by its blocks (ctid) where several pipelines run. They hold under this run's snapshot "
           "only: a run that is interrupted behind its first split cannot be gone on with and must be begun "
           "anew.";
  }
  return fmt::format(
      "split by ranges of ({}) where several pipelines run; the bounds {}.{}", r.split_by,
      r.split_evenly ? "lie evenly between its least and its greatest value" : "come of a sample",
      r.split_dear ? " Its rows lie in another order, so that each range costs the server about as "
                     "much as all, and there is one for each pipeline only; \"splitMode\": "
                     "\"ctid\" reads it once, in splits that end with the run's snapshot."
                   : "");
}

std::vector<std::string> split_planner::notes(const read_plan& plan) const {
  std::vector<std::string> notes;
  if (!options_.split_pk.empty() || options_.queries) {
    return notes;
  }
  std::map<std::string, std::vector<std::string>> tables;
  for (const relation_plan& r : plan.relations) {
    std::string how = how_split(r);
    if (!how.empty()) {
      tables[how].push_back(r.shown);
    }
  }
  for (const auto& [how, names] : tables) {
    notes.push_back(fmt::format("{}: {}", relational::some_of(names), how));
  }
  return notes;
}

/// Whether the table's rows lie in the order of the key's first column, by the server's statistics.
static result<bool> lies_in_order(connection& c, const relation_plan& r) {
  if (r.key.empty() || c.is_plain() || is_small(r)) {
    return false;
  }
  SLUICE_TRY(
      const auto rows,
      c.ask("SELECT s.correlation >= $3::float4 FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n "
            "ON n.oid = t.relnamespace JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND "
            "s.tablename = t.relname WHERE t.oid = $1::oid AND s.attname = $2 AND NOT s.inherited",
            {fmt::to_string(r.oid), r.key[0].name, fmt::to_string(correlation_in_order)}));
  return !rows.empty() && rows[0].at(0) == "t";
}

result<void> split_planner::look(connection& c, const read_plan& plan, relation_plan& r) const {
  if (r.key.empty() && r.split_key.empty() && r.pages.empty() && r.one_split_because.empty()) {
    return {};
  }
  SLUICE_TRY(const explained whole, explain(c, reading_sql(plan, r, {}, nullptr)));
  r.cost = whole.cost;
  if (whole.multiplies) {
    r.key.clear();  // of several rows with one key only the first would be read behind it
  }
  // Of a table that is split, one range of about as many as there will be decides for all.
  std::vector<relational::key_bound> bounds;
  if (!r.split_key.empty() && (!options_.split_pk.empty() || !is_small(r))) {
    table_pages pages;
    if (!c.is_plain()) {
      SLUICE_TRY(pages, look_at_pages(c, r.oid));
    }
    if (pages.has_foreign) {
      if (warn_) {
        warn_(fmt::format(
            "{}: {} has parts that are foreign tables, of which no sample is taken; it is read as one "
            "split",
            options_.split_pk_place, in_quotes(r.shown)));
      }
    } else {
      SLUICE_TRY(r.sample, sample_keys(c, r, pages.all(), plan.where));
    }
    bounds = relational::bounds_among(r.sample, ranges_tried);
  }
  const scalar_list range = !several_pipelines_ || bounds.size() < 2
                                ? scalar_list()
                                : relational::splits_between(bounds, false, {}, "")[1].description;
  if (r.key.empty() && range.empty()) {
    return {};
  }
  SLUICE_TRY(const explained unordered, explain(c, reading_sql(plan, r, range, nullptr)));
  SLUICE_TRY(bool in_order, lies_in_order(c, r));
  in_order = in_order && (range.empty() || r.split_key[0].name == r.key[0].name);
  const double all_ranges = unordered.cost * static_cast<double>(bounds.size() + 1);
  r.split_dear = !range.empty() && !in_order && all_ranges > r.cost * split_cost_factor + order_cost_free;
  if (r.key.empty() || !r.pages.empty()) {
    return {};
  }
  r.ordered = true;
  auto ordered = explain(c, reading_sql(plan, r, range, nullptr));
  // An aggregate among the columns has no order of rows.
  const double factor = in_order && ordered && !ordered->sorts ? lying_order_cost_factor : order_cost_factor;
  r.ordered = ordered && (c.is_plain() ? ordered->cost > 0 && (!ordered->sorts || is_small(r))
                                       : ordered->cost <= unordered.cost * factor + order_cost_free);
  return {};
}

result<void> split_planner::check_ranges(connection& c, const read_plan& plan, const relation_plan& relation,
                                         const std::vector<split>& ranges) const {
  if (!warn_ || options_.split_pk.empty()) {
    return {};
  }
  if (relation.split_scans) {
    warn_(fmt::format(
        "{}: no index of {} begins with column {}, so that each split reads the whole table; name a "
        "column that has one, or leave splitPk out",
        options_.split_pk_place, in_quotes(relation.shown), in_quotes(relation.split_key[0].name)));
  }
  if (!relation.split_has_statistics) {
    return {};
  }
  double least = std::numeric_limits<double>::max();
  double most = 0;
  SLUICE_CHECK(looking(c, [&]() -> result<void> {
    for (const split& s : ranges) {
      SLUICE_TRY(const explained range, explain(c, reading_sql(plan, relation, s.description, nullptr)));
      most = std::max(most, range.rows);
      // Few rows with NULL are as it should be.
      least = find(s.description, "null") != nullptr ? least : std::min(least, range.rows);
    }
    return {};
  }));
  constexpr double uneven = 10;
  constexpr double rows_worth_a_word = 10'000;
  if (most >= rows_worth_a_word && most > uneven * least) {
    warn_(fmt::format(
        "{}: by the server's statistics the ranges of column {} of {} hold between {:.0f} and {:.0f} "
        "rows, so that pipelines wait for the largest; name a column whose values are spread "
        "evenly, or raise splitFactor",
        options_.split_pk_place, in_quotes(relation.split_key[0].name), in_quotes(relation.shown), least,
        most));
  }
  return {};
}

std::vector<std::uint32_t> split_planner::ranges_of_each(const read_plan& plan,
                                                         std::uint32_t pipelines) const {
  const auto& relations = plan.relations;
  if (!options_.split_pk.empty()) {
    return std::vector<std::uint32_t>(
        relations.size(), relational::ranges_wanted(pipelines, relations.size(), options_.split_factor));
  }
  if (pipelines <= 1) {
    return std::vector<std::uint32_t>(relations.size(), 1);
  }
  std::vector<double> costs;
  for (const relation_plan& r : relations) {
    costs.push_back(r.cost);
  }
  auto ranges = relational::shares_of(costs, pipelines * options_.split_factor, split_cost_min);
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const relation_plan& r = relations[i];
    if (r.split_dear) {
      ranges[i] = std::min(ranges[i], pipelines);
    }
    if (ranges[i] > 1 && !r.pages.empty()) {
      const std::uint64_t pages = std::accumulate(r.pages.begin(), r.pages.end(), std::uint64_t{0});
      const std::uint64_t most = std::max<std::uint64_t>(1, block_splits_max / relations.size());
      ranges[i] = std::max(ranges[i], static_cast<std::uint32_t>(std::min(pages / split_pages, most)));
    }
  }
  return ranges;
}

result<std::vector<split>> split_planner::splits_of(connection& c, const read_plan& plan,
                                                    const relation_plan& r, std::uint32_t ranges) const {
  scalar_list about;
  if (plan.relations.size() > 1) {
    name_relation(r, about);
  }
  if (ranges > 1 && !r.pages.empty()) {
    return splits_of_blocks(block_bounds(r.pages, ranges), about, r.shown);
  }
  if (ranges <= 1 || r.split_key.empty()) {
    return std::vector<split>{{about, r.shown, std::nullopt, std::nullopt}};
  }
  if (!r.split_by.empty()) {
    about.push_back({"by", {r.split_by}});
  }
  auto splits = relational::splits_between(
      relational::bounds_among(r.sample, ranges), r.split_nullable, about,
      fmt::format("{} {}", r.shown, r.split_by.empty() ? r.split_key[0].name : r.split_by));
  SLUICE_CHECK(check_ranges(c, plan, r, splits));
  return splits;
}

}  // namespace sluice::postgresql
