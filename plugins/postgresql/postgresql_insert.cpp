#include "plugins/postgresql/postgresql_insert.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/postgresql/postgresql_bytes.h"

namespace sluice::postgresql {
namespace {

/// As many as a message of the protocol can count (Bind has 16 bits for it).
constexpr std::size_t values_max = 65535;

/// `($1, $2), ($3, $4)`
std::string places(std::size_t rows, std::size_t columns) {
  std::string out;
  std::size_t n = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    out += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < columns; ++i) {
      out += fmt::format("{}${}", i == 0 ? "" : ", ", ++n);
    }
    out += ')';
  }
  return out;
}

std::string name_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    out += (out.empty() ? "" : ", ") + quote_name(name);
  }
  return out;
}

}  // namespace

std::string insert_sql(const insert_plan& plan, std::size_t rows) {
  return fmt::format("INSERT INTO {} ({}){} VALUES {}{}", plan.rows.table, name_list(plan.rows.columns),
                     plan.overrules_identity ? " OVERRIDING SYSTEM VALUE" : "",
                     places(rows, plan.rows.columns.size()), on_conflict(plan.rows));
}

row_inserter::row_inserter(insert_plan plan) : plan_(std::move(plan)) {
  const auto most = static_cast<std::uint32_t>(values_max / std::max<std::size_t>(1, plan_.type_oids.size()));
  plan_.rows_max = std::max<std::uint32_t>(1, std::min(plan_.rows_max, most));
  full_sql_ = insert_sql(plan_, plan_.rows_max);
  if (plan_.rows.mode == relational::write_mode::replace) {
    for (const std::string& name : plan_.rows.key) {
      key_.push_back(
          static_cast<std::size_t>(std::find(plan_.rows.columns.begin(), plan_.rows.columns.end(), name) -
                                   plan_.rows.columns.begin()));
    }
  }
}

std::size_t row_inserter::take_rows(std::string_view& rows) {
  values_.clear();
  const std::size_t columns = plan_.type_oids.size();
  const std::size_t all = rows.size();
  std::size_t count = 0;
  for (; count < plan_.rows_max && !rows.empty() && (count == 0 || all - rows.size() < plan_.bytes_max);
       ++count) {
    rows.remove_prefix(sizeof(std::uint16_t));
    for (std::size_t i = 0; i < columns; ++i) {
      const auto bytes = read_big<std::uint32_t>(rows.data());
      rows.remove_prefix(sizeof bytes);
      statement_value& value = values_.emplace_back();
      value.type = plan_.type_oids[i];
      value.is_text = plan_.as_text[i];
      if (bytes != null_field) {
        value.bytes = rows.substr(0, bytes);
        rows.remove_prefix(bytes);
      }
    }
  }
  return count;
}

result<void> row_inserter::delete_keys(connection& c, std::size_t rows) {
  std::vector<statement_value> keys;
  for (std::size_t row = 0; row < rows; ++row) {
    for (const std::size_t i : key_) {
      keys.push_back(values_[row * plan_.type_oids.size() + i]);
    }
  }
  const std::string sql = fmt::format("DELETE FROM {} WHERE ({}) IN ({})", plan_.rows.table,
                                      name_list(plan_.rows.key), places(rows, key_.size()));
  SLUICE_CHECK(c.run_with(sql, keys));
  return {};
}

result<std::uint64_t> row_inserter::insert(connection& c, std::string_view rows) {
  std::uint64_t taken = 0;
  while (!rows.empty()) {
    const std::size_t count = take_rows(rows);
    if (!key_.empty()) {
      SLUICE_CHECK(delete_keys(c, count));
    }
    SLUICE_TRY(const std::uint64_t met,
               c.run_with(count == plan_.rows_max ? full_sql_ : insert_sql(plan_, count), values_));
    taken += met;
  }
  return taken;
}

}  // namespace sluice::postgresql
