#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/common/relational/target_steps.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_sequences.h"
#include "plugins/postgresql/postgresql_writer.h"

namespace sluice::postgresql {

/// A table of a PostgreSQL database as a destination. Its own connection holds the claim and runs the steps.
/// Threads and call order as `target`.
class postgresql_target : public target, private relational::progress_home {
 public:
  postgresql_target(target_options options, option_values values, relational::mark_names names,
                    const plugin_context& context);

  result<void> connect_early(const stop_signal& stop) override;
  result<target_description> open(const schema& source_columns, const stop_signal& stop) override;
  void know_source(std::shared_ptr<const table_facts> table) override { facts_ = std::move(table); }
  progress_store* progress() override { return dialect_.kept ? &progress_ : nullptr; }
  result<void> check_steps(const stop_signal& stop) override;
  [[nodiscard]] std::vector<target_step> steps_before() const override;
  [[nodiscard]] std::vector<target_step> steps_after() const override;
  result<void> run_step_before(std::size_t index, const stop_signal& stop) override;
  result<void> run_step_after(std::size_t index, const stop_signal& stop) override;
  result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) override;
  [[nodiscard]] table_use tables_used() const override { return use_; }
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override;
  void interrupt() override;

 private:
  // progress_home
  result<relational::sql_session*> session(bool makes) override;
  result<std::vector<std::string>> columns_of(const std::string& table) override;
  result<std::string> session_name() override;
  result<std::optional<bool>> session_lives(const std::string& name) override;
  result<bool> session_works(const std::string& name) override;
  result<void> end_session(const std::string& name) override;

  /// Once the table's spelling is known.
  void make_steps_once();
  result<connection*> connect_once();
  /// Names the tables of marks: in the schema of the destination's table, unless the job names another.
  void name_progress_tables(const std::string& of_table);
  result<void> describe_table(const std::optional<table_info>& table, const schema& source_columns,
                              target_description& out);
  result<void> use_table(const table_info& table, const schema& source_columns, target_description& out);
  /// The statement that makes the table, with the names of its columns.
  // postgresql_created.cpp
  /// Asks the server which of the source's own types it has.
  result<relational::created_table> table_to_make(const schema& source_columns);
  void describe_created(const relational::created_table& table, target_description& out) const;
  result<void> plan_created_table(const schema& source_columns, target_description& out);
  result<void> use_columns(const std::vector<std::string>& names, const std::vector<column_type>& kinds,
                           const std::vector<bool>& not_null, const std::vector<server_type>& types,
                           const schema& source_columns, target_description& out);
  /// `not_supported` where the server would change values on their way without a word.
  result<void> check_texts(const std::vector<std::string>& names, const std::vector<column_type>& kinds,
                           const std::vector<server_type>& types, const schema& source_columns);
  /// Of a view or foreign table: as it is when rows are inserted; `not_supported` where none can be.
  result<table_info> as_inserted_into(const table_info& table, target_description& out);
  /// In a mode that finds rows by a key: chooses it, and says what follows.
  result<void> use_key(const table_info& table, relational::target_table& asked,
                       const std::vector<std::size_t>& mapped, target_description& out);
  /// Of another product than PostgreSQL: says what follows; `not_supported` where it lacks what the mode
  /// takes.
  result<void> write_plainly(const writer_plan& plan, target_description& out);
  /// Which sequences give the columns values: what will move, or what is left behind.
  result<void> describe_sequences(const table_info& table, const std::vector<std::string>& columns,
                                  target_description& out);
  /// It cannot run in a transaction, and may run twice.
  static bool may_repeat(std::string_view sql);
  /// `bad_option` where a statement of preSql would wait for the snapshot that the run's own source holds.
  result<void> check_own_snapshot(const std::string& sql, const std::string& place);
  result<void> check_step(const std::string& sql, const std::string& place, bool& statements_change);
  result<void> run_step(const relational::target_steps::step& step, const step_stages& stages);
  /// One that cannot run in a transaction.
  result<void> run_step_alone(const relational::target_steps::step& step, const step_stages& stages);

  target_options options_;
  option_values values_;
  session_plan session_;
  table_name table_;
  std::string quoted_table_;  ///< As the catalogue has it, else as the job does.
  std::shared_ptr<const table_facts> facts_;
  std::string create_sql_;
  bool table_there_ = false;
  table_use use_;
  bool unlogged_ = false;
  std::optional<bool> has_key_;
  std::vector<unique_key> keys_;
  bool has_other_keys_ = false;
  std::vector<table_constraint> constraints_;
  bool changes_rows_first_ = false;  ///< As `table_info` has it.
  bool has_children_ = false;        ///< Likewise.
  bool passes_rows_on_ = false;      ///< Likewise.
  key_comparisons compared_;         ///< Of its keys.
  bool overrules_identity_ = false;  ///< A column that is written is GENERATED ALWAYS AS IDENTITY.
  std::vector<std::string> key_;     ///< By which rows are found; empty where it is by any (`ignore`).
  std::optional<relational::target_steps> steps_;
  std::vector<column_sequence> sequences_;  ///< Of the columns that are written.
  relational::once_warner warn_;
  std::string ran_;  ///< The stage of a step that has run alone; it may not be recorded.

  stop_signal stop_;
  std::unique_ptr<connection> connection_;
  std::optional<statement_session> statements_;
  std::mutex interrupting_;
  relational::mark_names names_;
  marks_wish wish_;
  relational::progress_dialect dialect_;
  std::shared_ptr<relational::claim_state> claim_ = std::make_shared<relational::claim_state>();
  relational::relational_progress progress_;
  std::shared_ptr<const writer_plan> plan_;
};

}  // namespace sluice::postgresql
