#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/created_table.h"
#include "plugins/common/relational/target_mapping.h"
#include "plugins/common/relational/target_steps.h"
#include "plugins/common/sqlite/sqlite_session.h"
#include "plugins/sqlite/sqlite_options.h"
#include "plugins/sqlite/sqlite_table.h"
#include "plugins/sqlite/sqlite_writer.h"

namespace sluice::sqlite {

/// A table of a SQLite file as a destination. Threads and call order as `target`.
class sqlite_target : public target {
 public:
  sqlite_target(target_options options, option_values values, relational::mark_names names,
                const plugin_context& context);

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override;
  void know_source(std::shared_ptr<const table_facts> table) override { facts_ = std::move(table); }
  progress_store* progress() override { return marks_.kept ? &progress_ : nullptr; }
  result<void> check_steps(const stop_signal& stop) override;
  [[nodiscard]] std::vector<target_step> steps_before() const override;
  [[nodiscard]] std::vector<target_step> steps_after() const override;
  result<void> run_step_before(std::size_t index, const stop_signal& stop) override;
  result<void> run_step_after(std::size_t index, const stop_signal& stop) override;
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override;
  void interrupt() override;

 private:
  /// `statements_change`: an earlier one may make what is missing now.
  result<void> check_step(database& db, const relational::placed_text& step, bool makes_table,
                          const std::string& table, bool& statements_change) const;
  /// Whether the file is there; `bad_option` or `denied` where it cannot be made.
  result<bool> find_file() const;
  result<void> describe_table(const schema& source_columns, target_description& out);
  /// The destination's columns in mapping order; `bad_option` where one does not exist or cannot be written,
  /// or where the write mode goes by keys and no key can meet them.
  static relational::target_table mapping_of(const table_info& table);
  result<std::vector<table_column>> mapped_columns(const table_info& table,
                                                   const relational::target_table& asked,
                                                   const schema& source_columns);
  /// `column` as the job has it.
  [[nodiscard]] relational::end_options job_columns() const;
  [[nodiscard]] result<relational::created_table> table_to_make(const schema& source_columns) const;
  void describe_created(const relational::created_table& table, target_description& out);
  result<void> plan_created_table(const schema& source_columns, target_description& out);
  result<void> use_columns(const std::string& table, const std::vector<table_column>& mapped,
                           const schema& source_columns, target_description& out);
  result<void> run_step(const relational::target_steps::step& step, const step_stages& stages,
                        const stop_signal& stop);

  target_options options_;
  option_values values_;
  std::uint64_t memory_bytes_;
  std::string table_;  ///< Without quotes.
  std::shared_ptr<const table_facts> facts_;
  std::string create_sql_;  ///< Set by `open` where createTable is asked for.
  bool table_there_ = false;
  /// Whether rows of the table are found by a key that the job maps; nothing where it is not known yet.
  std::optional<bool> has_key_;
  relational::target_steps steps_;
  std::string ran_;  ///< The stage of a step that has committed itself; it may not be recorded.
  file_connection connection_;
  std::shared_ptr<relational::claim_state> claim_ = std::make_shared<relational::claim_state>();
  marks_wish wish_;
  relational::progress_dialect marks_;
  sqlite_home home_;
  relational::relational_progress progress_;
  relational::once_warner warn_;
  std::shared_ptr<const writer_plan> plan_;
};

}  // namespace sluice::sqlite
