#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/relational/target_steps.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_options.h"
#include "plugins/mysql/mysql_writer.h"

namespace sluice::mysql {

/// A table of a MariaDB or MySQL database as a destination. Threads and call order as `target`.
class mysql_target : public target, private relational::progress_home {
 public:
  mysql_target(target_options options, option_values values, relational::mark_names names,
               const plugin_context& context);

  result<void> connect_early(const stop_signal& stop) override;
  result<target_description> open(const schema& source_columns, const stop_signal& stop) override;
  void know_source(std::shared_ptr<const table_facts> table) override { facts_ = std::move(table); }
  progress_store* progress() override { return marks_.kept ? &progress_ : nullptr; }
  result<void> check_steps(const stop_signal& stop) override;
  [[nodiscard]] std::vector<target_step> steps_before() const override {
    return steps_.shown_before(create_sql_, table_there_);
  }
  [[nodiscard]] std::vector<target_step> steps_after() const override { return steps_.shown_after(); }
  result<void> run_step_before(std::size_t index, const stop_signal& stop) override;
  result<void> run_step_after(std::size_t index, const stop_signal& stop) override;
  result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) override;
  [[nodiscard]] table_use tables_used() const override { return use_.value_or(table_use{}); }
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

  result<connection*> connect();
  /// Of the account, on what the job writes and on the tables of marks.
  result<void> check_all_rights();
  /// `table`: nothing where it is not there.
  result<void> describe_table(const std::optional<table_info>& table, const schema& source_columns,
                              target_description& out);
  result<void> describe_there(const table_info& table, const schema& source_columns, target_description& out);
  /// Tells of keys that take for the same what the source may tell apart.
  result<void> describe_collations(const table_info& table, const std::vector<std::size_t>& mapped,
                                   const schema& source_columns, target_description& out);
  result<void> check_ignore(const table_info& table, target_description& out) const;
  /// Each of `updateColumn` and `skipNullColumn` must be mapped.
  result<void> check_listed(const std::vector<std::string>& names,
                            const std::vector<std::size_t>& mapped) const;
  /// The destination, where it is there, and the tables that statements of preSql alter.
  result<table_use> look_up_use(const std::optional<table_info>& destination);
  // mysql_created.cpp
  /// Asks the server which of the source's own types it takes.
  result<relational::created_table> table_to_make(const schema& source_columns);
  /// Puts the statement and what it does not make into `out`, and returns it.
  std::string describe_created(const relational::created_table& table, target_description& out) const;
  /// `bad_option` where the server makes no table without a primary key.
  result<void> check_may_lack_key();
  result<void> plan_created_table(const schema& source_columns, target_description& out);
  result<void> use_columns(const table_info& table, const std::vector<std::size_t>& mapped,
                           const schema& source_columns, target_description& out);
  /// After a crash that left open whether it ran: delivery.md, "What a mark cannot fence".
  static bool may_run_twice(std::string_view sql);
  result<void> check_step(const placed_text& sql, bool& statements_change);
  /// `twice`: it may run again after a crash that left open whether it ran.
  result<void> run_step(const relational::target_steps::step& step, const step_stages& stages, bool twice);
  /// One that runs others (CALL, BEGIN NOT ATOMIC, EXECUTE): it stands in a transaction and may end it.
  result<void> run_calling_step(const relational::target_steps::step& step, const step_stages& stages);
  /// One that commits by itself, all of it or nothing.
  result<void> run_step_alone(const relational::target_steps::step& step, const step_stages& stages,
                              bool twice);
  result<void> run_text(const relational::target_steps::step& step, const step_stages& stages);

  target_options options_;
  option_values values_;
  connection_plan connect_plan_;
  table_name table_;
  std::string quoted_table_;
  relational::target_steps steps_;
  std::shared_ptr<const table_facts> facts_;
  std::string create_sql_;  ///< Set by `open` where createTable is asked for.
  bool table_there_ = false;
  std::optional<table_use> use_;  ///< As the first `open` has found it.
  std::string ran_;               ///< The stage of a step that has committed itself; it may not be recorded.
  std::optional<bool> has_key_;   ///< Nothing where it is not known yet.
  stop_signal stop_;
  std::unique_ptr<connection> connection_;
  std::unique_ptr<mysql_session> session_;
  relational::mark_names names_;  ///< Of the tables of marks, with their database.
  marks_wish wish_;
  relational::progress_dialect marks_;
  std::shared_ptr<relational::claim_state> claim_ = std::make_shared<relational::claim_state>();
  relational::relational_progress progress_;
  std::shared_ptr<const writer_plan> plan_;
  relational::once_warner warn_;

  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.
};

}  // namespace sluice::mysql
