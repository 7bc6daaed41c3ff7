#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/cli/datasource_files.h"
#include "tools/cli/job_template.h"
#include "tools/cli/program.h"
#include "tools/cli/secret_filter.h"

namespace sluice {

/// What a draft is made from: two ends as a person names them.
struct draft_request {
  std::string from;  ///< `orders.csv`, `sqlite:shop.db:orders`, `db:orders`, or a plugin's name.
  std::string to;
  dialect form = dialect::script2;
  sketch_mode mode = sketch_mode::as_it_is;
  std::optional<std::string> where;  ///< A condition for a reader that has one.
  std::optional<bool> heading;       ///< Whether the first record is one, for a reader that has headings.
  std::uint64_t error_limit = 0;     ///< Dirty records that the job bears.
  registry_arguments datasources;
};

/// The code of a failure of `draft_job` that shows only by looking at an end: the command line is right.
inline constexpr const char* found_by_looking = "found_by_looking";

/// Looks at both ends and drafts a job; an end that is only a plugin's name gets the plugin's sample.
/// `bad_option` where a text names neither, with what it may be. Changes nothing. `secrets` learns what must
/// not be shown: apply it to the draft's warnings, and to an error. The job itself has none but a password
/// that stands in the request in clear (`job_draft::holds_secret`): else it names data sources and
/// references.
result<job_draft> draft_job(const draft_request& request, const program& parts, secret_filter& secrets,
                            const stop_signal& stop);

/// Whether a secret stands in the job in clear, because the person gave it so.
bool holds_secret(const job_draft& draft);

}  // namespace sluice
