#include "plugins/postgresql/postgresql_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <numeric>

#include "plugins/postgresql/postgresql_options.h"
#include "transport/base/text.h"
#include "transport/base/utf8.h"

namespace sluice::postgresql {
namespace {

/// A type with an order whose text, under the settings of our sessions, is the same value again.
struct split_type {
  std::uint32_t oid;
  std::string_view literal;  ///< Without a length or a precision, which would cut a bound.
  /// A value between the smallest `a` and the greatest `b`, the i-th of n; empty: it cannot be divided.
  std::string_view between = {};
  /// Whether `{}` is a value with which that can be computed; empty: each is.
  std::string_view countable = {};
};
constexpr std::string_view between_numbers = "a::numeric + floor((b::numeric - a::numeric) * i / n)";
// The fraction before the product: a thousand times the years from 1 to 9999 is more than there may be.
constexpr std::string_view between_days = "a + ((b - a)::bigint * i / n)::int";
constexpr std::string_view between_others = "a + (b - a) * (i::float8 / n)";
constexpr std::string_view between_decimals = "a + (b - a) * i / n";
constexpr std::string_view is_finite = "pg_catalog.isfinite({})";
// Neither NaN nor infinity, and no difference of two is infinite.
constexpr std::string_view is_number = "{} BETWEEN -1e300 AND 1e300";
constexpr auto split_types = std::to_array<split_type>({
    {16, "boolean"},
    {17, "bytea"},
    {19, "name"},
    {20, "bigint", between_numbers},
    {21, "bigint", between_numbers},
    {23, "bigint", between_numbers},
    {25, "text"},
    {26, "oid"},
    {700, "real"},
    {701, "double precision", between_others, is_number},
    {829, "macaddr"},
    {869, "inet"},
    {1042, "bpchar"},
    {1043, "text"},
    {1082, "date", between_days, is_finite},
    {1083, "time", between_others},
    {1114, "timestamp", between_others, is_finite},
    {1184, "timestamptz", between_others, is_finite},
    {1186, "interval", between_others, is_finite},
    {1266, "timetz"},
    {1700, "numeric", between_decimals, is_number},
    {2950, "uuid"},
});

/// A bound stands in every description of a split.
constexpr std::size_t bound_bytes_max = 1000;

/// $1: a table with all that inherits from it, its partitions too; what holds rows.
constexpr const char* leaves_sql = R"(
WITH RECURSIVE leaves(oid) AS (SELECT $1::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN leaves l ON l.oid = h.inhparent)
SELECT {} FROM leaves JOIN pg_catalog.pg_class c ON c.oid = leaves.oid LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
WHERE c.relkind <> 'p' ORDER BY c.oid)";

constexpr int version_with_tid_ranges = 140'000;

bool has_subquery(const std::string& sql) {
  const auto tokens = relational::tokens_of(sql, sql_rules());
  return std::any_of(tokens.begin(), tokens.end(),
                     [](const relational::sql_token& t) { return relational::is_word(t, "SELECT"); });
}

/// Nothing where it cannot be a bound.
std::optional<scalar> bound_of(const split_column& column, const relational::sql_text& text) {
  if (!text || text->size() > bound_bytes_max || !is_utf8(*text)) {
    return std::nullopt;
  }
  if (column.type_name == "bigint") {
    return scalar{static_cast<std::int64_t>(std::strtoll(text->c_str(), nullptr, 10))};
  }
  return scalar{*text};
}

std::vector<relational::key_bound> keys_of(const std::vector<relational::sql_row>& rows,
                                           const relation_plan& relation) {
  std::vector<relational::key_bound> keys;
  for (const relational::sql_row& row : rows) {
    relational::key_bound key;
    for (std::size_t i = 0; i < relation.split_key.size(); ++i) {
      if (auto value = bound_of(relation.split_key[i], row.at(i))) {
        key.push_back(std::move(*value));
      }
    }
    if (key.size() == relation.split_key.size()) {
      keys.push_back(std::move(key));
    }
  }
  return keys;
}

/// `sample_keys` in plain SQL, of a key of one column.
result<std::vector<relational::key_bound>> plain_keys(connection& c, const relation_plan& relation,
                                                      const std::string& condition) {
  const split_column& column = relation.split_key.at(0);
  constexpr int rows_looked_at = 10'000;
  std::string counted = condition;
  if (!column.countable.empty()) {
    counted += " AND " + fmt::format(fmt::runtime(column.countable), column.sql);
  }
  const std::string some =
      column.between.empty()
          ? fmt::format("SELECT {} AS k FROM {} WHERE {} LIMIT {}", column.sql, relation.from, condition,
                        rows_looked_at)
          : fmt::format(
                "SELECT {0} AS k FROM (SELECT min({1}) AS a, max({1}) AS b, {2} AS n FROM {3} WHERE {4}) "
                "AS ends, pg_catalog.generate_series(0, {2} - 1) AS steps(i)",
                column.between, column.sql, sample_keys_max, relation.from, counted);
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT k::text FROM (SELECT DISTINCT k FROM ({}) AS found WHERE "
                               "k IS NOT NULL) AS keys ORDER BY keys.k",
                               some)));
  return keys_of(rows, relation);
}

}  // namespace

std::optional<split_column> split_column_of(const table_column& column) {
  const auto* type = std::find_if(split_types.begin(), split_types.end(),
                                  [&](const split_type& t) { return t.oid == column.type.oid; });
  if (type == split_types.end() || column.type.is_enum) {
    return std::nullopt;
  }
  return split_column{column.name, quote_name(column.name), std::string(type->literal), type->between,
                      type->countable};
}

std::vector<split_column> automatic_split_key(const table_info& table) {
  std::vector<split_column> columns;
  if (const unique_key* key = table.order_key()) {
    for (const std::string& name : key->columns) {
      auto column = split_column_of(*table.named(name));
      if (!column) {
        break;
      }
      columns.push_back(std::move(*column));
    }
  }
  return columns;
}

result<std::vector<relational::key_bound>> sample_keys(connection& c, const relation_plan& relation,
                                                       std::uint64_t pages, const std::string& where) {
  std::string list;
  std::string order;
  std::string texts;
  for (std::size_t i = 0; i < relation.split_key.size(); ++i) {
    const char* comma = i == 0 ? "" : ", ";
    list += fmt::format("{}{} AS k{}", comma, relation.split_key[i].sql, i);
    order += fmt::format("{}k{}", comma, i);
    texts += fmt::format("{}k{}::text", comma, i);
  }
  std::string condition = relation.split_key[0].sql + " IS NOT NULL";
  // A subquery would read more than the sample.
  if (!where.empty() && !has_subquery(where)) {
    condition += fmt::format(" AND ({}\n)", where);
  }
  if (c.is_plain()) {
    return plain_keys(c, relation, condition);
  }
  constexpr double all = 100;
  const double percent =
      pages <= sample_pages ? all : all * static_cast<double>(sample_pages) / static_cast<double>(pages);
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT {0} FROM (SELECT {1}, row_number() OVER (ORDER BY {1}) AS n, count(*) "
                               "OVER () AS c FROM (SELECT "
                               "{2} FROM {3} TABLESAMPLE SYSTEM ({4}) REPEATABLE (0) WHERE {5}) AS sampled) "
                               "AS numbered WHERE n * {6} / c "
                               "> (n - 1) * {6} / c ORDER BY n",
                               texts, order, list, relation.from, percent, condition, sample_keys_max)));
  return keys_of(rows, relation);
}

std::uint64_t table_pages::all() const {
  return std::accumulate(of_each.begin(), of_each.end(), std::uint64_t{0});
}

result<table_pages> look_at_pages(connection& c, std::uint32_t table) {
  SLUICE_TRY(
      const auto rows,
      c.ask(fmt::format(fmt::runtime(leaves_sql),
                        "coalesce(pg_catalog.pg_relation_size(c.oid), 0) / "
                        "pg_catalog.current_setting('block_size')::bigint, c.relkind IN ('r', 'm') AND "
                        "a.amname = 'heap', c.relkind = 'f'"),
            {fmt::to_string(table)}));
  table_pages pages;
  pages.by_ctid = c.version() >= version_with_tid_ranges && !rows.empty();
  for (const relational::sql_row& row : rows) {
    pages.of_each.push_back(std::strtoull(row.at(0).value_or("0").c_str(), nullptr, 10));
    pages.by_ctid = pages.by_ctid && row.at(1) == "t";
    pages.has_foreign = pages.has_foreign || row.at(2) == "t";
  }
  return pages;
}

std::vector<std::uint64_t> block_bounds(const std::vector<std::uint64_t>& pages, std::uint32_t ranges) {
  // Of each table the blocks below `bound` come before: so many in all.
  const auto below = [&](std::uint64_t bound) {
    return std::accumulate(
        pages.begin(), pages.end(), std::uint64_t{0},
        [&](std::uint64_t sum, std::uint64_t blocks) { return sum + std::min(blocks, bound); });
  };
  const std::uint64_t most = pages.empty() ? 0 : *std::max_element(pages.begin(), pages.end());
  const std::uint64_t all = below(most);
  std::vector<std::uint64_t> bounds;
  for (std::uint64_t i = 1; i < ranges; ++i) {
    const std::uint64_t wanted = all / ranges * i + all % ranges * i / ranges;
    std::uint64_t low = 0;
    std::uint64_t high = most;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (below(middle) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low > (bounds.empty() ? 0 : bounds.back()) && low < most) {
      bounds.push_back(low);
    }
  }
  return bounds;
}

std::vector<split> splits_of_blocks(const std::vector<std::uint64_t>& bounds, const scalar_list& about,
                                    const std::string& label) {
  std::vector<split> splits;
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    split s{about, label, std::nullopt, std::nullopt};
    if (i > 0) {
      s.description.push_back({from_block, {static_cast<std::int64_t>(bounds[i - 1])}});
    }
    if (i < bounds.size()) {
      s.description.push_back({to_block, {static_cast<std::int64_t>(bounds[i])}});
    }
    s.label += block_text(s.description);
    splits.push_back(std::move(s));
  }
  return splits;
}

std::string table_of_blocks(scalar_list split) {
  split.erase(
      std::remove_if(split.begin(), split.end(),
                     [](const named_scalar& n) { return n.name == from_block || n.name == to_block; }),
      split.end());
  return to_json(split);
}

result<void> check_blocks_are_whole(const std::vector<frozen_split>& splits) {
  struct count {
    std::size_t all = 0;
    std::size_t touched = 0;
    std::size_t done = 0;
  };
  std::map<std::string, count> tables;
  for (const frozen_split& s : splits) {
    if (!is_of_blocks(s.description)) {
      continue;
    }
    count& of = tables[table_of_blocks(s.description)];
    of.all += 1;
    of.done += s.done ? 1 : 0;
    of.touched += s.done || s.after ? 1 : 0;
  }
  for (const auto& [table, n] : tables) {
    if (n.touched != 0 && n.done != n.all) {
      return fail(
          {error_kind::source_changed,
           fmt::format(
               "{} of {} splits by blocks (ctid) were delivered under a snapshot that is gone, and a row may "
               "lie elsewhere by now, so that the others would miss rows or bring some twice; give the table "
               "a unique key of NOT NULL columns, by which a run can be continued",
               n.done, n.all),
           begin_anew_code, false});
    }
  }
  return {};
}

}  // namespace sluice::postgresql
