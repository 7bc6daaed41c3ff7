#pragma once

#include "transport/record/transform.h"

namespace sluice {

/// dx_substr, dx_pad, dx_replace and dx_digest as DataX has them (job-formats 6.11): lengths and starts count
/// UTF-16 units, as in Java. A value whose character would be cut in half makes its record dirty, where Java
/// writes a question mark. Nothing where there is no function of that name; `bad_option` for wrong paras.
result<std::optional<transform_step>> make_text_step(const std::string& name, std::uint32_t column_index,
                                                     const std::vector<std::string>& paras,
                                                     const std::string& place, const field& column_field,
                                                     const conversion_context& context);

}  // namespace sluice
