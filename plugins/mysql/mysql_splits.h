#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_options.h"
#include "plugins/mysql/mysql_read_plan.h"

namespace sluice::mysql {

/// Decides by what each table of a job is split. Owned by the source, whose options outlive it; used by its
/// thread. Looks at a bounded number of a table's pages, whatever its size. docs/decisions/092-splits.md
class split_planner {
 public:
  split_planner(const source_options& options, const option_values& values, const plugin_context& context)
      : options_(options), values_(values), context_(context) {}

  /// By what it is split, from the catalogue. `joins`: what of the job makes reading by parts change the
  /// result. `bad_option` for a `splitPk` that is none.
  result<void> choose_key(connection& c, const table_info& table, const std::optional<std::string>& joins,
                          read_part& part, const stop_signal& stop) const;
  /// For the plan: how each table is split and why, or by what it could be.
  [[nodiscard]] std::vector<std::string> notes(const read_plan& plan) const;
  /// Into how many splits each part goes where so many pipelines work.
  [[nodiscard]] std::vector<std::uint32_t> ranges_of_each(const read_plan& plan,
                                                          std::uint32_t pipelines) const;
  /// The splits of one that has a key, into more than one range; warns of a `splitPk` by whose ranges one
  /// split outlasts the others.
  result<std::vector<split>> splits_of(connection& c, const read_part& part, scalar_list about,
                                       std::uint32_t ranges, const stop_signal& stop) const;

 private:
  result<void> choose_split_pk(const table_info& table, const std::optional<std::string>& joins,
                               read_part& part) const;
  /// A `splitPk` by which no ranges can be made: refused, or warned of and read as one split.
  result<void> refuse_split_pk(std::string_view what) const;
  result<void> choose_automatic(connection& c, const table_info& table,
                                const std::optional<std::string>& joins, read_part& part,
                                const stop_signal& stop) const;
  [[nodiscard]] std::string how_split(const read_part& part) const;
  result<void> check_ranges(connection& c, const read_part& part, const std::vector<double>& rows,
                            const stop_signal& stop) const;

  const source_options& options_;
  const option_values& values_;
  const plugin_context& context_;
};

}  // namespace sluice::mysql
