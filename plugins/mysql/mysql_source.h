#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jobspec/option_mistakes.h"
#include "plugins/api/plugin.h"
#include "plugins/api/sums_in_database.h"
#include "plugins/common/relational/columns.h"
#include "plugins/mysql/mysql_options.h"
#include "plugins/mysql/mysql_read_plan.h"
#include "plugins/mysql/mysql_splits.h"

namespace sluice::mysql {

/// Tables, views and queries of MariaDB or MySQL databases as a source. Threads and call order as `source`.
class mysql_source : public source, public sums_in_database {
 public:
  mysql_source(source_options options, option_values values, const plugin_context& context);

  result<source_description> open(const stop_signal& stop) override;
  result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) override;
  result<void> take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) override;
  [[nodiscard]] std::string statement_of(const scalar_list& split_description, bool resumed) const override;
  result<std::unique_ptr<reader>> make_reader() override;
  /// Ends the shared snapshot: a step behind the data may want a lock that it holds (ALTER TABLE).
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
  [[nodiscard]] table_use tables_used() const override { return use_; }
  void interrupt() override;

 private:
  /// The columns of one part as its server describes them.
  struct described_part {
    read_part part;
    schema columns;
    std::vector<column_kind> kinds;
    std::vector<std::string> read;      ///< Of each entry the table's column that it is; empty: none.
    std::vector<std::string> computed;  ///< Entries that are no columns, as the job writes them.
  };

  result<connection*> connect(std::size_t end, const stop_signal& stop);
  result<void> describe_end(std::size_t end, read_plan& plan, option_mistakes& wrong,
                            const stop_signal& stop);
  result<void> describe_shard(connection& c, std::size_t end, const placed_text& text, read_plan& plan,
                              const stop_signal& stop);
  /// `before`: what is read before it.
  result<described_part> describe_table(connection& c, const table_info& table, const read_plan& before,
                                        const stop_signal& stop);
  result<described_part> describe_query(connection& c, const placed_text& query, const stop_signal& stop);
  /// What of the job's columns and condition forbids reading by parts; nothing where nothing does.
  result<std::optional<std::string>> what_forbids_parts(connection& c, const described_part& part,
                                                        const stop_signal& stop) const;
  result<void> add_columns(connection& c, const table_info& table, const read_plan& before,
                           described_part& out, const stop_signal& stop);
  /// Tells of columns TIMESTAMP with which the condition or an expression computes.
  result<void> warn_of_moments(connection& c, const table_info& table, const stop_signal& stop);
  result<void> name_bad_entry(connection& c, const described_part& part,
                              const std::vector<relational::column_entry>& entries, error why,
                              const stop_signal& stop);
  result<void> choose_order(connection& c, const table_info& table, described_part& out,
                            const stop_signal& stop);
  /// What all readers will read under; `bad_option` where a table has no snapshots.
  result<void> share_snapshot(read_plan& plan, source_description& out, const stop_signal& stop);
  /// Takes a part into the plan: its columns must be those of the parts before.
  result<void> take_part(described_part described, read_plan& plan);

  source_options options_;
  option_values values_;
  plugin_context context_;
  split_planner planner_;
  std::vector<connection_plan> connections_;
  std::unique_ptr<connection> connection_;
  std::size_t connected_to_ = 0;
  std::shared_ptr<const read_plan> plan_;
  std::shared_ptr<const table_facts> facts_;  ///< Of the last table described.
  table_use use_;
  std::string untold_;        ///< Why a table that is emptied may go unnoticed; empty: it does not.
  std::string_view product_;  ///< Of the last database, as `table_facts` has it.
  std::vector<std::string> notes_;
  relational::once_warner warn_;
  std::optional<error> no_snapshot_;  ///< Where several readers will find none to share.

  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.
};

/// `sluice <job> <run>`: what a connection calls itself.
std::string session_title(const plugin_context& context);

/// The plan of a connection: what the run and its role say of it.
connection_plan plan_connection(const relational::connect_options& connect, session_role role,
                                const std::vector<placed_text>& session, const plugin_context& context);

}  // namespace sluice::mysql
