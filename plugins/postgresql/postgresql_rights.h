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
  std::vector<std::string> marks = {};  ///< The tables of marks, in SQL; empty where none are kept.
  std::string marks_schema = {};        ///< Where they stand; empty: in `schema`.
  std::string marks_place = {};         ///< Of the setting that says so.
};

/// Whether the schema is there and the account may do all that the job will; `bad_option` or `denied`, with
/// all that is missing and the statements that grant it. Row security that COPY would meet is `denied`, too.
result<void> check_rights(connection& c, const written_objects& what);

/// Whether the account may read these columns of a table or view; `denied` likewise. What is
/// computed besides needs columns that only the server knows, but one at least.
result<void> check_reading_rights(connection& c, std::uint32_t oid, const std::string& table,
                                  const std::vector<std::string>& columns);

/// Whether the account may read all that a query reads, by the server's own word; `denied` with all tables
/// that the query names and the account may not read, and the statements that grant it. `from`: the query as
/// FROM takes it.
result<void> check_query_rights(connection& c, const std::string& from, std::string_view query);

}  // namespace sluice::postgresql
