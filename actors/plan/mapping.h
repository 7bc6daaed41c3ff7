#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jobspec/job.h"
#include "transport/record/convert.h"
#include "transport/record/schema.h"
#include "transport/record/transform.h"

namespace sluice {

/// What happens to a record between source and destination: transformers, then one converter a column. Made
/// once a run, immutable, shared by all channels.
struct mapping {
  schema_ptr source;  ///< As read.
  schema_ptr target;  ///< As written.
  std::vector<std::unique_ptr<const transformer>> transformers;
  std::vector<std::unique_ptr<const column_converter>> converters;  ///< nullptr: the column passes as it is.
  std::vector<std::string>
      lines;  ///< A sentence for each column pair that is not passed as it is, for the plan.
  std::vector<std::string> warnings;  ///< Of names that stand at other positions; with their place.

  /// True when batches pass untouched.
  [[nodiscard]] bool passes() const;
};

/// Pairs the columns by position (job-formats 1.10). `target` nullptr: the destination takes what comes.
/// `bad_option` with both counts and the columns, with the pair that the conversion table refuses, or, where
/// the job is strict, with what `other_order` finds.
result<std::shared_ptr<const mapping>> make_mapping(const job& what, schema_ptr source, schema_ptr target,
                                                    const conversion_context& context);

/// `id int64, name utf8`: for messages, at most ten columns.
std::string columns_text(const schema& s);

}  // namespace sluice
