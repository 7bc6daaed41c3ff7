#pragma once

#include <string>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/api/plugin.h"

namespace sluice {

/// One end of a job to be written: a plugin, and what its step says.
struct template_end {
  const plugin* of = nullptr;
  end_sketch sketch;
  std::string file = {};            ///< Of a real end that is one, or in one.
  bool with_other_options = false;  ///< The options that are not set follow as comments.
};

/// A job to be written, and what stands above it.
struct job_draft {
  dialect form = dialect::script2;
  std::vector<std::string> head;  ///< Sentences for the top of the file.
  std::uint64_t error_limit = 0;  ///< Dirty records that the job bears.
  template_end reader;
  template_end writer;
  std::vector<std::string> warnings;  ///< Of the looking, a line each; not part of the text.
};

/// The end made of the plugin's own sample, for a template by names alone. `side` is the reader's or
/// writer's.
template_end end_of_sample(const plugin& p, const side_description& side);

/// The job as a commented JSON file that Sluice reads as it is.
std::string job_text(const job_draft& draft);

}  // namespace sluice
