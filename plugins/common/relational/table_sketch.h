#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugins/api/sketch.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/common/relational/target_mapping.h"

/// Tables as ends of `sluice template` and `sluice copy`: the same addresses, steps and words for every
/// database.
namespace sluice::relational {

/// How addresses of a product begin on a command line.
struct address_form {
  std::string_view word;    ///< `postgres`, of `postgres://` and `jdbc:postgres://`; in small letters.
  std::string_view scheme;  ///< `jdbc:postgresql:`, as a job has it.
};

/// `postgresql://USER:PASSWORD@HOST:PORT/DATABASE:TABLE?NAME=VALUE`, also with `jdbc:` before it: `path` is
/// the address whole, with the scheme that a job has. Nothing where the text begins like none of `forms`.
std::optional<end_place> table_at_address(std::string_view text, std::span<const address_form> forms);

/// What stands in such an address, as a job's options have it; empty what is not there.
struct address_parts {
  std::string url;  ///< `jdbcUrl`: without account and table.
  std::string user;
  std::string password;  ///< In clear, or with references.
  std::string table;     ///< Behind the database, else behind the properties.
};
address_parts parts_of_address(std::string_view path);

/// What connects to the end: its data source, else its address.
result<connect_options> connection_to(const end_place& where, const options_dialect& dialect);

/// The end's table as it is named; `end_named_wrong` where none is, or several are.
result<std::string> one_table(const end_place& where, const options_dialect& dialect);

/// A failure to connect, with what to do where a password was needed and none is there.
error with_login_advice(error why, const end_place& where);

/// A source's step: `columns`, all of a table or view, have the server's words for their types. `split_key`:
/// a column by whose ranges several pipelines can read it; empty = none.
end_sketch sketch_of_source(const end_place& where, schema columns, const std::string& split_key,
                            const sketch_context& context);

/// A destination's step. `table`: as the catalogue has it; nothing where it is missing and is to be made.
result<end_sketch> sketch_of_target(const end_place& where, const std::optional<target_table>& table,
                                    const schema& columns, const options_dialect& dialect,
                                    const sketch_context& context);

/// Asks `holds` whether the destination holds records, where that decides what a copy does.
result<void> look_for_records(end_sketch& to, sketch_mode mode, const std::function<result<bool>()>& holds);

/// Doubts of a destination whose rows are deleted first: what that does to the rows of other tables.
void doubt_deleting(const std::vector<referring_key>& keys, end_sketch& to);

/// Puts `column`: the table's columns for the source's, by name; by position, with a remark and a doubt,
/// where no name is the same and there are as many. Where the table computes one of them it is `*`, mapped by
/// name, which leaves that out. `bad_option` where one is missing, or none can be written.
result<void> put_names_for_table(const target_table& table, const schema& columns, const sql_rules& rules,
                                 end_sketch& to);
/// The same of a table to be made: the source's names; `bad_option` where two are the same when case does not
/// count.
result<void> put_names_for_new_table(const schema& columns, end_sketch& to);

/// Behind `put_names_for_table`: puts `columns`, for each of the source's, in order, the table's column that
/// it goes into, with the type by which that is read. `there`: all of the table's.
void put_types_of_table(const schema& there, const schema& columns, const sql_rules& rules, end_sketch& to);

}  // namespace sluice::relational
