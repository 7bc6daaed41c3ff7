#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "tools/cli/job_template.h"

namespace sluice {

/// What a draft is made from: two ends as a person names them.
struct draft_request {
  std::string from;  ///< `orders.csv`, `sqlite:shop.db:orders`, or a plugin's name.
  std::string to;
  dialect form = dialect::script2;
  sketch_mode mode = sketch_mode::as_it_is;
  std::optional<std::string> where;  ///< A condition for a reader that has one.
};

/// Looks at both ends and drafts a job; an end that is only a plugin's name gets the plugin's sample.
/// `bad_option` where a text names neither, with what it may be. Changes nothing.
result<job_draft> draft_job(const draft_request& request, const std::vector<plugin>& plugins,
                            const stop_signal& stop);

}  // namespace sluice
