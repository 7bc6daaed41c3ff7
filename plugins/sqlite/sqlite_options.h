#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/plugin.h"
#include "plugins/common/relational/relational_options.h"

namespace sluice::sqlite {

/// What both sides ask of their options.
struct end_options {
  std::string file;        ///< Of `jdbc:sqlite:<file>`.
  std::string file_place;  ///< Where it stands in the job file, for messages.
  relational::file_access access = relational::file_access::any;
  std::string table;  ///< As in the job; empty with `querySql`.
  std::string table_place;
  std::string query;  ///< `querySql`; empty with a table.
  std::string query_place;
  std::chrono::milliseconds busy_timeout{30'000};
  std::vector<std::string>
      session;  ///< Statements of the form `PRAGMA name = value`: of the address, then of `session`.
  std::vector<std::string> columns;
};

using relational::write_mode;  // but `copy`

/// How SQLite writes SQL.
inline constexpr relational::sql_rules sql_rules = {.backtick_names = true, .bracket_names = true};

struct source_options : end_options {
  std::string where;     ///< Without its closing semicolons; empty = all rows.
  std::string split_pk;  ///< Empty = the table's own key.
  std::uint32_t split_factor = 5;
  bool all_columns = false;  ///< `["*"]`
};

struct target_options : end_options {
  write_mode mode = write_mode::insert;
  std::vector<relational::placed_text> pre_sql;  ///< `@table` replaced, blank ones left out.
  std::vector<relational::placed_text> post_sql;
  bool create_table = false;
  bool all_columns = false;
  bool by_name = false;  ///< `mapping` is `name`.
};

std::vector<option> source_option_list();
std::vector<option> target_option_list();

/// From the job's text alone: `bad_option` with its place. Parameters of the address without effect are
/// warned of.
result<source_options> read_source_options(const option_values& values, const relational::warning_sink& warn);
result<target_options> read_target_options(const option_values& values, const relational::warning_sink& warn);

/// What the address and its properties say alone, in `connection` or flat.
result<end_options> read_file_options(const option_values& values, const relational::warning_sink& warn);

}  // namespace sluice::sqlite
