#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/mysql/mysql_decode.h"

namespace sluice::mysql {

using relational::placed_text;
using relational::write_mode;

struct source_options : relational::reader_options {
  zero_date zeros = zero_date::dirty;
  bool shares_snapshot = false;                   ///< `snapshot` `shared`
  std::chrono::milliseconds snapshot_age_max{0};  ///< Its; 0 = no limit.
  relational::text_rule invalid_text = relational::text_rule::dirty;
};

struct target_options : relational::writer_options {
  std::vector<placed_text> update_columns;  ///< `updateColumn`; empty: all that are mapped.
  bool skips_nulls = false;                 ///< `nullMode` `skipNull`
  std::vector<placed_text> skip_columns;    ///< `skipNullColumn`; empty: all that are mapped.
};

/// The undo of a larger transaction fills the buffer pool, and replicas stand still while it is replayed.
inline constexpr transaction_bound whole_split_max = {std::uint64_t{64} << 20, 100'000};

/// What jobs of both names may say.
const relational::options_dialect& options_dialect();
/// How MariaDB and MySQL write SQL.
const relational::sql_rules& sql_rules();

std::vector<option> source_option_list();
std::vector<option> target_option_list();

/// From the job's text alone: `bad_option` with its place.
/// `strict` as `relational::read_reader_options`.
result<source_options> read_source_options(const option_values& values, const relational::warning_sink& warn,
                                           bool strict);
result<target_options> read_target_options(const option_values& values, const relational::warning_sink& warn);

}  // namespace sluice::mysql
