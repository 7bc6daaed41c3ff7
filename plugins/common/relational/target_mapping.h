#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobspec/option_values.h"
#include "plugins/common/relational/relational_options.h"
#include "transport/record/schema.h"

/// Which columns of a destination's table a job writes to: the same questions, and the same words, for every
/// database.
namespace sluice::relational {

/// A column as the catalogue has it.
struct target_column {
  std::string name;
  bool not_null = false;
  bool has_default = false;  ///< The server fills it in where it is left out.
  bool generated = false;    ///< Computed by the server: it cannot be written.
  bool invisible = false;    ///< `*` leaves it out.
};

/// A table as far as the mapping asks.
struct target_table {
  std::string name;
  std::vector<target_column> columns;
  std::vector<std::vector<std::string>> keys;  ///< Columns of each primary key and unique index.
  /// Unique indexes by which no row can be found, each with its reason, for messages.
  std::vector<std::string> unusable_keys = {};
};

/// What comes to a table, without what the table computes itself.
struct incoming_columns {
  schema columns;
  std::vector<std::size_t> left_out;  ///< `target_description::left_out`.
};
/// Where the job writes to all columns (`*`), those are left out that are called as a computed one: by
/// position only if the others are then as many as the table takes.
incoming_columns without_computed(const target_table& table, const end_options& options,
                                  const sql_rules& rules, const schema& source_columns);

/// The indices of the columns in mapping order: of the job's entries, or of all that can be written; by name
/// (`by_name`) in the order of the reader's columns, each of which must be one.
/// `bad_option` at `column` where one does not exist, cannot be written or is there twice, where there are
/// more or fewer than the reader delivers, and where one is left out that every row needs.
result<std::vector<std::size_t>> mapped_columns(const target_table& table, const end_options& options,
                                                const sql_rules& rules, const schema& source_columns,
                                                const option_values& values);

/// The table's keys that each record has the values of, in its order: by these its row is found.
std::vector<std::vector<std::string>> met_keys(const target_table& table,
                                               const std::vector<std::size_t>& mapped);
/// Whether there is one.
bool meets_key(const target_table& table, const std::vector<std::size_t>& mapped);
/// `(id), (shop, email)`
std::string key_list(const std::vector<std::vector<std::string>>& keys);

/// `bad_option` at `writeMode` where no key can be met by a mode that goes by keys, called `mode`.
result<void> check_key(const target_table& table, const std::vector<std::size_t>& mapped,
                       std::string_view mode, const option_values& values);

/// The key over exactly the columns `named` (`uniqueIndexColumns`), in any order; its columns in the table's
/// order. `bad_option` where they are no key or not all mapped, with the keys that there are.
result<std::vector<std::string>> key_named(const target_table& table, const std::vector<std::size_t>& mapped,
                                           const std::vector<placed_text>& named, const sql_rules& rules,
                                           const option_values& values);

/// How a mode finds the rows that are there.
enum class found_by : std::uint8_t {
  one_key,   ///< The first key that all its columns are mapped of.
  each_key,  ///< All of the table's keys: a row may be another's in each of them.
};
/// What to tell who takes `update`, `replace` or `ignore`: rows that are found by no key because of a NULL,
/// rows that are found by a key one did not think of. One sentence each.
std::vector<std::string> key_warnings(const target_table& table, const std::vector<std::size_t>& mapped,
                                      found_by how);
/// Whether each record is found again: a key is mapped that no NULL can be in.
bool meets_key_without_null(const target_table& table, const std::vector<std::size_t>& mapped);

/// A foreign key of another table by which rows there change when one of these is deleted.
struct referring_key {
  std::string table;
  std::string name;
  bool deletes = false;  ///< The rows there; else their columns are set to NULL or their default.
};
/// What `replace`, which deletes rows, does to the rows of other tables. One sentence each.
std::vector<std::string> referring_warnings(const std::vector<referring_key>& keys);

/// The names of the columns of a table to be made: the job's entries, or the reader's where all are wanted.
result<std::vector<std::string>> created_names(const end_options& options, const sql_rules& rules,
                                               const schema& source_columns, const option_values& values);

/// `not_supported` where PostgreSQL's strings of bits, which are read as their digits (`101`), would be taken
/// for decimal numbers by one of `columns`.
result<void> check_bit_strings(const schema& source_columns, const schema& columns, std::string_view place);

}  // namespace sluice::relational
