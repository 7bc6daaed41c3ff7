#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice {

/// What the one table that a source reads says of itself besides names and types: for a destination that
/// makes its table after it (`createTable`). Indices are those of `source_description::columns`.
struct table_facts {
  std::string comment;
  std::vector<std::string> column_comments;  ///< One a column, empty where it has none.
  /// Of the primary key, in its order; empty where there is none, or not all of it is read.
  std::vector<std::size_t> key;
  std::vector<std::string> others;  ///< What else it has, each as `the index by_name (name)`.
};

}  // namespace sluice
