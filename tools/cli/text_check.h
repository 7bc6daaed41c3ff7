#pragma once

#include <vector>

#include "jobspec/job.h"
#include "plugins/api/plugin.h"

namespace sluice {

/// What the text of a job shows beside what the parser knows: all that the plugins refuse of their options,
/// formats and encodings that do not exist, and, where both ends list their columns, another number or order
/// of them, or a transformer for a column that is not there. Opens nothing. An end without a `plugin` is left
/// out.
text_verdict check_text(const job& what, const std::vector<plugin>& plugins);

}  // namespace sluice
