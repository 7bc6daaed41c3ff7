#include "plugins/mysql/mysql_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace sluice::mysql {
namespace {

/// What is kept free of the heavy pieces that show themselves.
constexpr std::size_t first_dives = range_finder::dives_max * 2 / 3;
/// Pieces are not cut because of an estimate that is a little off.
constexpr double heavy = 1.5;
constexpr std::size_t bound_bytes_max = 1000;

/// Where EXPLAIN has the rows: behind ten columns, or with `partitions` and `filtered` twelve.
std::optional<std::size_t> rows_column(const relational::sql_row& row) {
  constexpr std::size_t plain = 10;
  constexpr std::size_t with_partitions = 12;
  return row.size() == plain             ? std::optional<std::size_t>(8)
         : row.size() == with_partitions ? std::optional<std::size_t>(9)
                                         : std::nullopt;
}

std::string value_literal(const split_column& column, const std::string& text) {
  const bool bare =
      column.kind == relational::key_kind::whole_number || column.kind == relational::key_kind::decimal;
  return bare ? text : column.kind == relational::key_kind::bytes ? bytes_literal(text) : text_literal(text);
}

scalar value_of(const split_column& column, const std::string& text) {
  if (column.kind == relational::key_kind::bytes) {
    return {scalar::bytes{text}};
  }
  if (column.kind != relational::key_kind::whole_number) {
    return {text};
  }
  if (text.starts_with('-')) {
    return {static_cast<std::int64_t>(std::strtoll(text.c_str(), nullptr, 10))};
  }
  const std::uint64_t n = std::strtoull(text.c_str(), nullptr, 10);
  return n > INT64_MAX ? scalar{n} : scalar{static_cast<std::int64_t>(n)};
}

/// A date as the calendar has it: one with a zero month or day as the first of them. Bounds are looked for
/// between two values and need not be values themselves.
std::string with_days(const split_column& column, std::string text) {
  const bool dated =
      column.kind == relational::key_kind::date || column.kind == relational::key_kind::timestamp;
  for (const std::size_t at : {std::size_t{5}, std::size_t{8}}) {
    if (dated && text.size() >= 10 && text.compare(at, 2, "00") == 0) {
      text[at + 1] = '1';
    }
  }
  return text;
}

/// `0000-00-00`, which says nothing of where the others are.
bool is_zero_date(const split_column& column, const std::string& text) {
  const bool dated =
      column.kind == relational::key_kind::date || column.kind == relational::key_kind::timestamp;
  return dated && text.starts_with("0000-00-00");
}

}  // namespace

std::string range_finder::condition(const piece& p) const {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < p.equal.size(); ++i) {
    parts.push_back(fmt::format("{} = {}", key_[i].name, p.equal[i]));
  }
  const std::string& column = key_[p.equal.size()].name;
  if (!p.least.empty()) {
    parts.push_back(fmt::format("{} >= {}", column, p.least));
  }
  if (!p.below.empty()) {
    parts.push_back(fmt::format("{} < {}", column, p.below));
  }
  return parts.empty() ? "" : fmt::format(" WHERE {}", fmt::join(parts, " AND "));
}

result<std::vector<scalar>> range_finder::bounds_inside(const split_column& column, const std::string& least,
                                                        const std::string& most, std::uint32_t parts) {
  auto bounds = relational::bounds_between(column.kind, least, most, parts);
  if (column.kind != relational::key_kind::text || bounds.empty()) {
    return bounds;
  }
  std::string values;
  for (const scalar& candidate : bounds) {
    values +=
        fmt::format("{}SELECT {}{}", values.empty() ? "" : " UNION ALL ",
                    text_literal(std::get<std::string>(candidate.value)), values.empty() ? " AS b" : "");
  }
  const auto as_key = [&](const std::string& sql) {
    return fmt::format("CONVERT({} USING {}) COLLATE {}", sql, column.charset, column.collation);
  };
  // One that the column's character set does not have would be compared in another one, without the index.
  SLUICE_TRY(const auto rows,
             c_.ask(fmt::format(
                        "SELECT v.b FROM ({0}) AS v WHERE {1} > {2} AND {1} < {3} AND CAST(CONVERT({1} USING "
                        "utf8mb4) AS BINARY) = CAST(v.b AS BINARY) ORDER BY {1}",
                        values, as_key("v.b"), as_key(text_literal(least)), as_key(text_literal(most))),
                    stop_));
  bounds.clear();
  const std::size_t kept = std::min<std::size_t>(rows.size(), parts - 1);
  for (std::size_t i = 0; i < kept; ++i) {
    bounds.push_back({rows[i * rows.size() / kept][0].value_or("")});
  }
  return bounds;
}

result<std::vector<range_finder::piece>> range_finder::cut(piece p, std::uint32_t parts) {
  for (;;) {
    const split_column& column = key_[p.equal.size()];
    SLUICE_TRY(const auto ends,
               c_.ask(fmt::format("SELECT MIN({0}), MAX({0}) FROM {1}{2}", column.name, table_, condition(p)),
                      stop_));
    if (ends.empty() || !ends[0][0] || !ends[0][1] || ends[0][0]->size() > bound_bytes_max ||
        ends[0][1]->size() > bound_bytes_max) {
      p.whole = true;
      return std::vector<piece>{std::move(p)};
    }
    std::string least = *ends[0][0];
    const std::string& most = *ends[0][1];
    const bool is_one_value = least == most;
    if (is_zero_date(column, least) && !is_one_value) {
      const std::string before = condition(p);
      SLUICE_TRY(const auto others, c_.ask(fmt::format("SELECT MIN({0}) FROM {1}{2}{0} > 0", column.name,
                                                       table_, before.empty() ? " WHERE " : before + " AND "),
                                           stop_));
      least = others.at(0).at(0).value_or(most);
    }
    if (is_one_value && p.equal.size() + 1 < key_.size()) {
      // One value: its rows differ in the next column.
      p.equal.push_back(value_literal(column, least));
      p.equal_key.push_back(value_of(column, least));
      p.least.clear();
      p.below.clear();
      continue;
    }
    SLUICE_TRY(const auto bounds,
               bounds_inside(column, with_days(column, least), with_days(column, most), parts));
    std::vector<piece> pieces = {p};
    for (const scalar& bound : bounds) {
      const auto* text = std::get_if<std::string>(&bound.value);
      const std::string literal = text != nullptr ? value_literal(column, *text) : bound_literal(bound);
      piece next = p;
      next.least = literal;
      next.from = p.equal_key;
      next.from.push_back(bound);
      pieces.back().below = literal;
      pieces.push_back(std::move(next));
    }
    for (piece& one : pieces) {
      one.rows = p.rows / static_cast<double>(pieces.size());
      one.whole = pieces.size() == 1;
    }
    return pieces;
  }
}

result<bool> range_finder::weigh(std::vector<piece>& pieces) {
  std::string sql;
  for (const piece& p : pieces) {
    sql += fmt::format("{}SELECT {} FROM {} FORCE INDEX ({}){}", sql.empty() ? "EXPLAIN " : " UNION ALL ",
                       key_[0].name, table_, index_, condition(p));
  }
  auto rows = c_.ask(sql, stop_);
  if (!rows) {
    // Not every server that speaks this protocol explains such a statement.
    return c_.alive() ? result<bool>(false) : tl::unexpected(std::move(rows).error());
  }
  std::size_t at = 0;
  for (const relational::sql_row& row : *rows) {
    const auto column = rows_column(row);
    if (!column) {
      return false;
    }
    if (row[1] != "UNION RESULT" && at < pieces.size()) {
      pieces[at++].rows = row[*column] ? std::strtod(row[*column]->c_str(), nullptr) : 0;
    }
  }
  return at == pieces.size();
}

result<found_ranges> range_finder::find(std::uint32_t ranges, std::size_t dives) {
  const bool weighs = dives >= std::min<std::size_t>(ranges, first_dives);
  // More pieces than ranges show where the rows are.
  constexpr std::size_t pieces_min = 8;
  const std::size_t first = weighs ? std::min({std::max<std::size_t>(ranges, pieces_min), first_dives, dives})
                                   : std::size_t{ranges};
  SLUICE_TRY(std::vector<piece> pieces, cut({}, static_cast<std::uint32_t>(first)));
  bool weighed = weighs;
  if (weighs) {
    SLUICE_TRY(weighed, weigh(pieces));
  }
  std::size_t left = dives - std::min(dives, pieces.size());
  while (weighed && left >= 2) {
    const double all = std::accumulate(pieces.begin(), pieces.end(), 0.0,
                                       [](double sum, const piece& p) { return sum + p.rows; });
    const double each = all / ranges;
    const auto heaviest = std::max_element(pieces.begin(), pieces.end(), [](const piece& a, const piece& b) {
      return (a.whole ? -1 : a.rows) < (b.whole ? -1 : b.rows);
    });
    if (heaviest->whole || heaviest->rows <= each * heavy) {
      break;
    }
    const auto parts = static_cast<std::size_t>(std::ceil(heaviest->rows / std::max(each, 1.0)));
    SLUICE_TRY(auto cut_up,
               cut(*heaviest, static_cast<std::uint32_t>(std::clamp<std::size_t>(parts, 2, left))));
    if (cut_up.size() > 1) {
      left -= std::min(left, cut_up.size());
      SLUICE_TRY(weighed, weigh(cut_up));
    }
    const auto behind = pieces.erase(heaviest);
    pieces.insert(behind, cut_up.begin(), cut_up.end());
  }
  found_ranges found;
  const double all = std::accumulate(pieces.begin(), pieces.end(), 0.0,
                                     [](double sum, const piece& p) { return sum + p.rows; });
  double before = 0;
  double here = 0;
  for (const piece& p : pieces) {
    const double wanted = all / ranges * static_cast<double>(found.bounds.size() + 1);
    if (&p != pieces.data() && (!weighed || before + p.rows / 2 >= wanted)) {
      found.bounds.push_back(p.from);
      found.rows.push_back(here);
      here = 0;
    }
    before += p.rows;
    here += p.rows;
  }
  found.rows.push_back(here);
  if (!weighed) {
    found.rows.clear();
  }
  return found;
}

result<std::optional<double>> estimate_rows(connection& c, const std::string& sql, const stop_signal& stop) {
  auto rows = c.ask("EXPLAIN " + sql, stop);
  if (!rows) {
    return c.alive() ? result<std::optional<double>>(std::nullopt) : tl::unexpected(std::move(rows).error());
  }
  const auto column = rows->size() == 1 ? rows_column(rows->front()) : std::nullopt;
  if (!column) {
    return std::optional<double>();
  }
  const auto& text = rows->front()[*column];
  return std::optional<double>(text ? std::strtod(text->c_str(), nullptr) : 0);
}

result<std::vector<relational::key_bound>> sample_column(connection& c, const std::string& table,
                                                         const split_column& column, const std::string& index,
                                                         const std::vector<split_column>& key,
                                                         const stop_signal& stop) {
  constexpr std::uint32_t places = 10;
  constexpr std::uint32_t rows_of_each = 50;
  std::string sql = fmt::format("(SELECT {} AS k FROM {} LIMIT {})", column.name, table, rows_of_each);
  if (!index.empty() && !key.empty()) {
    // By the first column alone, whose order and whose bounds' order are the index's.
    SLUICE_TRY(const auto found, range_finder(c, table, index, {key[0]}, stop).find(places, places));
    for (const relational::key_bound& bound : found.bounds) {
      const auto* text = std::get_if<std::string>(&bound[0].value);
      sql += fmt::format(
          " UNION ALL (SELECT {0} FROM {1} FORCE INDEX ({2}) WHERE {3} >= {4} ORDER BY {3} LIMIT {5})",
          column.name, table, index, key[0].name,
          text != nullptr ? value_literal(key[0], *text) : bound_literal(bound[0]), rows_of_each);
    }
  }
  SLUICE_TRY(const auto rows,
             c.ask(fmt::format("SELECT s.k FROM ({}) AS s WHERE s.k IS NOT NULL ORDER BY s.k", sql), stop));
  std::vector<relational::key_bound> keys;
  for (const relational::sql_row& row : rows) {
    if (row[0] && row[0]->size() <= bound_bytes_max) {
      keys.push_back({value_of(column, *row[0])});
    }
  }
  return keys;
}

}  // namespace sluice::mysql
