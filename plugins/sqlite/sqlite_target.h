#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/sqlite/sqlite_options.h"
#include "plugins/sqlite/sqlite_session.h"
#include "plugins/sqlite/sqlite_table.h"
#include "plugins/sqlite/sqlite_writer.h"

namespace sluice::sqlite {

/// A table of a SQLite file as a destination. Threads and call order as `target`.
class sqlite_target : public target {
 public:
  sqlite_target(target_options options, option_values values, const plugin_context& context);

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override;
  progress_store* progress() override { return &progress_; }
  result<void> check_steps(const stop_signal& stop) override;
  [[nodiscard]] std::vector<target_step> steps_before() const override;
  [[nodiscard]] std::vector<target_step> steps_after() const override;
  result<void> run_step_before(std::size_t index, const stop_signal& stop) override;
  result<void> run_step_after(std::size_t index, const stop_signal& stop) override;
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override;
  void interrupt() override;

 private:
  /// A statement before the data: of preSql, or the one that makes the table.
  struct step {
    std::string sql;
    std::string place;
    bool is_create = false;
  };
  /// In order, the same for every run of the job: whether a resume comes to a table that is there changes
  /// nothing.
  [[nodiscard]] std::vector<step> all_steps_before() const;
  /// The table is made before preSql runs, which may need it.
  [[nodiscard]] bool creates_first() const;
  /// preSql itself makes the table or takes it away, so that it is made (again) behind it where it is
  /// missing.
  [[nodiscard]] bool creates_last() const;
  /// `statements_change`: an earlier one may make what is missing now.
  result<void> check_step(database& db, const std::string& sql, const std::string& place,
                          bool& statements_change) const;
  /// Whether the file is there; `bad_option` or `denied` where it cannot be made.
  result<bool> find_file() const;
  result<void> describe_table(const schema& source_columns, target_description& out);
  /// The destination's columns in mapping order; `bad_option` where one does not exist or cannot be written.
  result<std::vector<table_column>> mapped_columns(const table_info& table, std::size_t source_count) const;
  result<void> check_unmapped(const table_info& table, const std::vector<table_column>& mapped) const;
  /// `bad_option` where the write mode goes by keys and no key can meet the mapped columns.
  result<void> check_key(const table_info& table, const std::vector<table_column>& mapped) const;
  result<std::vector<std::string>> created_names(const schema& source_columns) const;
  result<void> plan_created_table(const schema& source_columns, target_description& out);
  /// What the same job does to the table when it is run again, as far as `has_key_` tells.
  [[nodiscard]] std::string run_again_text() const;
  void use_columns(const std::string& table, const std::vector<table_column>& mapped,
                   const schema& source_columns, target_description& out);
  /// Whether each record has the values of one of the table's keys.
  [[nodiscard]] bool meets_key(const table_info& table, const std::vector<table_column>& mapped) const;
  /// A statement that makes or changes tables stands in preSql and has not run yet.
  [[nodiscard]] bool table_comes_later() const;
  result<void> run_step(const std::string& sql, const std::string& stage, const std::string& place,
                        const stop_signal& stop);

  target_options options_;
  option_values values_;
  std::uint64_t memory_bytes_;
  std::string table_;       ///< Without quotes.
  std::string create_sql_;  ///< Set by `open` where createTable is asked for.
  bool table_there_ = false;
  /// Whether rows of the table are found by a key that the job maps; nothing where it is not known yet.
  std::optional<bool> has_key_;
  std::size_t pre_sql_run_ = 0;
  file_connection connection_;
  std::shared_ptr<relational::claim_state> claim_ = std::make_shared<relational::claim_state>();
  relational::progress_dialect marks_;
  sqlite_home home_;
  relational::relational_progress progress_;
  std::shared_ptr<const writer_plan> plan_;
};

}  // namespace sluice::sqlite
