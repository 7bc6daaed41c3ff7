#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/common/relational/text_rule.h"

namespace sluice::postgresql {

/// How PostgreSQL writes names, texts and comments.
const relational::sql_rules& sql_rules();
/// What jobs of PostgreSQL may say.
const relational::options_dialect& options_dialect();

/// Whether all connections of a database read under one snapshot.
enum class snapshot_mode : std::uint8_t { shared, none };

struct source_options : relational::reader_options {
  snapshot_mode snapshot = snapshot_mode::shared;
  std::chrono::milliseconds snapshot_age_max{0};  ///< 0 = no limit.
  relational::text_rule invalid_text = relational::text_rule::dirty;
};

struct target_options : relational::writer_options {
  bool reset_sequences = false;
  /// `uniqueIndexColumns`: of the key by which `update`, `replace` and `ignore` find rows; empty: unsaid.
  std::vector<relational::placed_text> key_columns = {};
  relational::text_rule nul_character = relational::text_rule::dirty;
};

/// `update`, `replace` and `ignore`.
bool finds_by_key(relational::write_mode mode);

std::vector<option> source_option_list();
std::vector<option> target_option_list();

/// From the job's text alone: `bad_option` with its place.
/// `strict` as `relational::read_reader_options`.
result<source_options> read_source_options(const option_values& values, const relational::warning_sink& warn,
                                           bool strict);
result<target_options> read_target_options(const option_values& values, const relational::warning_sink& warn);

}  // namespace sluice::postgresql
