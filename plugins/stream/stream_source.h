#pragma once

#include <memory>

#include "plugins/api/plugin.h"

namespace sluice {

/// The reader side of `stream`: `sliceRecordCount` made-up records for each of as many slices as there are
/// pipelines. Random values depend on the run, the slice, the column and the record only, so that a slice can
/// be begun at any record and read again with the same values.
const side_description& stream_reader_description();
result<std::unique_ptr<source>> make_stream_source(const option_values& options,
                                                   const plugin_context& context);

}  // namespace sluice
