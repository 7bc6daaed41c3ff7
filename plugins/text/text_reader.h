#pragma once

#include <memory>

#include "plugins/api/plugin.h"

namespace sluice {

/// Options and capabilities of the reader side. Lives as long as the program.
const side_description& text_reader_description();

/// The source of a run. `bad_option` for what the options' text alone shows; does no I/O.
result<std::unique_ptr<source>> make_text_source(const option_values& options, const plugin_context& context);

}  // namespace sluice
