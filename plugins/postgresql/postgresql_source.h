#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "jobspec/option_mistakes.h"
#include "plugins/api/plugin.h"
#include "plugins/api/sums_in_database.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_moments.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_read_plan.h"
#include "plugins/postgresql/postgresql_split_plan.h"
#include "plugins/postgresql/postgresql_splits.h"

namespace sluice::postgresql {

/// Tables, views or queries of a PostgreSQL database as a source. Its own connection looks at the catalogue
/// and then holds the snapshot under which all readers read, where the server is PostgreSQL itself. Threads
/// and call order as `source`.
class postgresql_source : public source, public sums_in_database {
 public:
  postgresql_source(source_options options, option_values values, const plugin_context& context);

  result<source_description> open(const stop_signal& stop) override;
  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) override;
  result<void> take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) override;
  [[nodiscard]] std::string statement_of(const scalar_list& split_description, bool resumed) const override;
  [[nodiscard]] std::string bound_by(const scalar_list& split_description) const override {
    return is_of_blocks(split_description) ? table_of_blocks(split_description) : std::string();
  }
  result<schema_ptr> carry_own(const std::vector<bool>& marked) override;
  result<std::unique_ptr<reader>> make_reader() override;
  [[nodiscard]] table_use tables_used() const override { return use_; }
  /// Ends the snapshots: a step behind the data may wait for all that are older (CREATE INDEX CONCURRENTLY).
  result<void> check_unchanged(const stop_signal& stop) override;
  [[nodiscard]] result<std::vector<sql_column>> summable_columns() const override;
  result<database_sums> sum_records(const std::vector<summed_column>& columns,
                                    const stop_signal& stop) override;
  result<key_span> span_of(std::size_t column, const stop_signal& stop) override;
  result<std::vector<range_sums>> sum_ranges(const std::vector<summed_column>& columns, std::size_t column,
                                             const std::vector<key_range>& ranges,
                                             const stop_signal& stop) override;
  [[nodiscard]] std::string condition_of(std::size_t column,
                                         const std::vector<key_range>& ranges) const override;
  void interrupt() override;

 private:
  result<void> connect_once(std::size_t part, const stop_signal& stop);
  [[nodiscard]] connection& of(const relation_plan& relation) const { return *connections_[relation.part]; }
  /// Of the databases that are there; adds what is wrong with their tables to what is wrong already.
  result<void> describe_relations(const std::vector<bool>& connected, option_mistakes& wrong,
                                  read_plan& plan);
  result<void> describe_table(const relational::placed_text& table, std::size_t part, read_plan& plan);
  result<void> describe_query(const relational::placed_text& query, std::size_t part, read_plan& plan);
  /// An expression of the job's column as SQL writes it.
  struct column_sql {
    std::string sql;
    std::string name;  ///< That the job's column gets; empty: none.
    std::string place;
    bool never_null = false;
    std::string own = {};   ///< The name of the table's column that it is; else empty.
    std::string text = {};  ///< Of what is no column: as the job writes it, without its alias.
  };
  /// Of the first table, with its notes.
  result<std::vector<column_sql>> column_expressions(const table_info& table, const relation_plan& relation,
                                                     const read_plan& plan);
  /// The types of the first relation are the job's; those of the others must be the same, or differ in length
  /// or digits alone, of which the job then has the greater.
  result<void> describe_columns(const std::string& place, const std::vector<column_sql>& expressions,
                                relation_plan& relation, read_plan& plan);
  /// Makes `types_` have room for those of one more relation.
  result<void> widen_types(connection& c, const std::string& place, const std::vector<server_type>& types,
                           const relation_plan& relation, const read_plan& plan);
  /// What the server says of the first expression that it does not take.
  error wrong_column(const std::vector<column_sql>& expressions, const relation_plan& relation, error whole);
  /// What of the job joins rows, so that reading by parts would change the result.
  result<std::optional<std::string>> what_joins_rows(const std::vector<column_sql>& expressions,
                                                     const relation_plan& relation);
  /// Says in which zone the job's own SQL is read: a warning, or a note of the plan.
  void tell_of_moments(const std::string& place, const moment_remark& said, std::size_t part);
  result<void> look_at_moments(const table_info& table, std::size_t part);
  void choose_key(const table_info& table, const std::vector<column_sql>& expressions,
                  relation_plan& relation, const read_plan& plan) const;
  result<void> begin_snapshot(std::size_t part, read_plan& plan);
  /// Whether the connections of that database read under one snapshot.
  [[nodiscard]] bool shares_snapshot(std::size_t part) const {
    return options_.snapshot == snapshot_mode::shared && !connections_[part]->is_plain();
  }
  /// `not_supported` where the job asks a product that is not PostgreSQL for what only that has.
  result<void> check_product(const connection& c) const;

  option_values values_;
  source_options options_;
  split_planner planner_;
  time_zone_ptr zone_;              ///< The run's.
  std::vector<server_type> types_;  ///< Of the job's columns.
  table_use use_;
  std::vector<std::string> notes_;      ///< Of the tables, as `open` has seen them.
  std::vector<session_plan> sessions_;  ///< One a database.
  std::vector<std::unique_ptr<connection>> connections_;
  std::chrono::steady_clock::time_point snapshot_since_;  ///< The first of them.
  std::mutex interrupting_;
  std::shared_ptr<const read_plan> plan_;
  std::shared_ptr<const table_facts> facts_;  ///< Of the first table.
};

}  // namespace sluice::postgresql
