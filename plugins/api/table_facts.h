#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice {

/// What a source's columns and the one table that it reads say of themselves besides names and types: for a
/// destination that makes its table after it (`createTable`). Indices are those of
/// `source_description::columns`.
struct table_facts {
  struct column {
    std::string comment = {};
    /// The type as CREATE TABLE of its product has it, with what `field::source_type_name` does not say (a
    /// domain's name, a character set, a collation). Empty where it is no column of one table.
    std::string own_type = {};
  };
  std::string product = {};  ///< Whose words the types are: `postgresql`, `mariadb`, `mysql`, `sqlite`.
  std::string comment = {};
  std::vector<column> columns = {};  ///< One a column, or none.
  /// Of the primary key, in its order; empty where there is none, or not all of it is read.
  std::vector<std::size_t> key = {};
  std::vector<std::string> others = {};  ///< What else it has, each as `the index by_name (name)`.
};

}  // namespace sluice
