#pragma once

#include <memory>

#include "plugins/api/plugin.h"

namespace sluice {

/// The writer side of `stream`: prints records to the standard output, writes them to a file, or discards
/// them.
const side_description& stream_writer_description();
result<std::unique_ptr<target>> make_stream_target(const option_values& options,
                                                   const plugin_context& context);

}  // namespace sluice
