#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobspec/job.h"
#include "transport/record/compat.h"
#include "transport/record/convert.h"
#include "transport/record/schema.h"
#include "transport/record/transform.h"

namespace sluice {

/// What happens to a record between source and destination: transformers, then one converter a column. Made
/// once a run, immutable, shared by all channels.
struct mapping {
  schema_ptr source;   ///< As read.
  schema_ptr between;  ///< Behind the steps, without what is left out.
  schema_ptr target;   ///< As written.
  std::vector<transform_step> steps;
  /// Which of the columns behind the steps go on; empty: all.
  std::vector<std::uint32_t> taken;
  std::vector<std::shared_ptr<const column_converter>> converters;  ///< nullptr: the column passes as it is.
  /// Only in the mode `datax`: goes before the converter of its column; nullptr where DataX changes nothing.
  std::vector<std::unique_ptr<const changing_converter>> changers;
  std::vector<std::string>
      lines;  ///< A sentence for each column pair that is not passed as it is, for the plan.
  std::vector<std::string> warnings;  ///< Of names that stand at other positions; with their place.

  /// True when batches pass untouched but for their counts of changed values.
  [[nodiscard]] bool passes() const;
  [[nodiscard]] const changing_converter* changer(std::size_t column) const {
    return column < changers.size() ? changers[column].get() : nullptr;
  }
};

/// The columns that the job's transformers make of the reader's: what a destination is to take. `bad_option`
/// where a transformer does not fit them.
result<schema_ptr> columns_behind_transformers(const job& what, const schema_ptr& source,
                                               const conversion_context& context);

/// The columns but for those of these indices.
schema_ptr columns_without(const schema_ptr& columns, const std::vector<std::size_t>& left_out);

/// What the mode `datax` may change between a column as read and the same behind the transformers and at the
/// destination: in the reader, then in the channel.
std::vector<change_rule> datax_changes(const field& from, const field& to);

/// `empty_is_null, fraction_cut`.
std::string rules_text(const std::vector<change_rule>& rules);

/// Pairs the columns by position (job-formats 1.10). `target` nullptr: the destination takes what comes, and
/// gives it the names of `heading` where there are any. `left_out`: indices behind the transformers of what
/// the destination does not take.
/// `bad_option` with both counts and the columns, with the pair that the conversion table refuses, or, where
/// the job is strict, with what `other_order` finds.
result<std::shared_ptr<const mapping>> make_mapping(const job& what, schema_ptr source, schema_ptr target,
                                                    const conversion_context& context,
                                                    const std::vector<std::string>& heading = {},
                                                    const std::vector<std::size_t>& left_out = {});

/// `id int64, name utf8`: for messages, at most ten columns.
std::string columns_text(const schema& s);

}  // namespace sluice
