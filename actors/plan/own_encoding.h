#pragma once

#include <memory>
#include <vector>

#include "actors/plan/mapping.h"

namespace sluice {

/// Which columns travel in the bytes of the product that both ends are of (DESIGN section 4): the source can
/// hand them over so, the destination takes them so (`target_description::takes_own`), and nothing looks at a
/// record in between. Empty: none.
std::vector<bool> columns_in_own_bytes(const mapping& map, const std::vector<bool>& takes_own);

/// The same mapping for batches of `as_read`: what the source made of its columns with `carry_own`.
std::shared_ptr<const mapping> with_own_columns(const mapping& map, const schema_ptr& as_read);

/// `canonical/1`, and with it the names of the forms in which columns travel: that of the mapping's sums.
std::string sums_form_of(const mapping& map);

}  // namespace sluice
