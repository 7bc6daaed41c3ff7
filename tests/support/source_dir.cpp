#include "tests/support/source_dir.h"

namespace sluice::testing {

// The one file that knows the tree's place: all others compile alike in every checkout, so ccache serves
// them.
std::string in_source_tree(const std::string& relative) {
  return std::string(SLUICE_SOURCE_DIR) + "/" + relative;
}

}  // namespace sluice::testing
