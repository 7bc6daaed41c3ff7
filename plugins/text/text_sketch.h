#pragma once

#include "plugins/api/plugin.h"

/// What `sluice template` and `sluice copy` ask of the text plugin.
namespace sluice {

/// Looks at the first 10,000 records: delimiter, heading, types, NULL, encoding. `bad_option` where the file
/// is not text in UTF-8 or UTF-16, because which other encoding it has cannot be told from its bytes.
result<end_sketch> sketch_text_source(const end_place& where, const sketch_context& context,
                                      const stop_signal& stop);

/// One file of this name.
result<end_sketch> sketch_text_target(const end_place& where, const schema& columns,
                                      const sketch_context& context, const stop_signal& stop);

}  // namespace sluice
