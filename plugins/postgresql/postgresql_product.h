#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::postgresql {

/// What a server that speaks PostgreSQL's protocol says that it is. Of PostgreSQL itself, 10 and later, all
/// is used. Of any other product only what plain SQL has: SELECT and INSERT in place of COPY; no snapshot
/// that connections share, no ranges of blocks (ctid), no staging table, no functions of the server's own
/// storage, sequences and locks. docs/decisions/094-other-products.md
struct server_product {
  std::string says;    ///< What `version()` answers.
  bool plain = false;  ///< Another product.
  /// Settings of sessions (`session_settings`) that it did not take.
  std::vector<std::string> settings_missing = {};
};

/// Whether what `version()` answers is PostgreSQL itself, whatever name the job calls the server by.
bool is_postgresql(std::string_view version);

/// What is not used of another product, and what that costs: one sentence for the plan of either side.
std::string reading_plainly(const server_product& product);
std::string writing_plainly(const server_product& product);

}  // namespace sluice::postgresql
