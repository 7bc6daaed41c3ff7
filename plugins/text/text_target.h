#pragma once

#include <memory>

#include "plugins/api/plugin.h"
#include "plugins/text/text_writer_options.h"

namespace sluice {

/// The writer side of `text`: files that appear whole under their names when the run has succeeded. At least
/// once: a run that is begun again removes its dead temporaries and starts over.
result<std::unique_ptr<target>> make_text_target(const option_values& options, const plugin_context& context);

}  // namespace sluice
