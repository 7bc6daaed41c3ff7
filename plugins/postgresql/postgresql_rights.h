#pragma once

#include <string>
#include <vector>

#include "plugins/common/relational/relational_options.h"
#include "plugins/postgresql/postgresql_connection.h"

namespace sluice::postgresql {

/// What a job writes, as far as rights go.
struct written_objects {
  std::string schema = {};  ///< Empty: the first of search_path.
  std::string table = {};   ///< In SQL; empty: it is not there yet.
  bool makes = false;       ///< `createTable` makes it.
  std::vector<std::string> columns = {};
  std::vector<std::string> key = {};  ///< By which rows are found; empty where by none, or any.
  relational::write_mode mode = relational::write_mode::insert;
  std::vector<std::string> marks = {};  ///< The tables of marks, in SQL.
};

/// Whether the schema is there and the account may do all that the job will; `bad_option` or `denied`, with
/// the statement that grants what is missing. Row security that COPY would meet is `denied`, too.
result<void> check_rights(connection& c, const written_objects& what);

}  // namespace sluice::postgresql
