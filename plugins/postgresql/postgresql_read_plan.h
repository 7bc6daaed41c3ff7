#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/common/relational/key_ranges.h"
#include "plugins/postgresql/postgresql_session.h"
#include "plugins/postgresql/postgresql_types.h"

namespace sluice::postgresql {

/// A column by which rows are in order.
struct key_column {
  std::string name;       ///< As the catalogue spells it.
  std::string sql;        ///< Quoted.
  std::string type_name;  ///< `bigint`, for the values behind which reading goes on.
  bool whole_number = false;
  /// The field of a tuple that holds it: one of the job's columns where it is among them, else one behind.
  std::size_t field = 0;
};

/// A database that is read.
struct part_plan {
  session_plan session;
  bool check_utf8 = false;
  std::string snapshot;  ///< The one exported; empty: each transaction has its own.
};

/// One table, view or query as it is read.
struct relation_plan {
  std::size_t part = 0;                  ///< Of `read_plan::parts`.
  std::string name;                      ///< In split descriptions: `"shop"."orders"`.
  std::string shown;                     ///< For labels and dirty records: `orders`.
  std::string from;                      ///< Behind FROM.
  std::vector<std::string> expressions;  ///< Of the job's columns, with casts to text where they need one.
  std::vector<key_column> key;           ///< Unique and never NULL; empty: there is none.
  bool ordered = false;                  ///< Read in the order of the key: nothing is lost by it.
  std::string split_sql;                 ///< Of the column by whose ranges it is split; empty: one split.
  std::string split_name;
  std::string split_type;  ///< Of its bounds as SQL.
  relational::key_kind split_kind = relational::key_kind::whole_number;
  bool split_nullable = false;
  bool split_has_statistics = false;
  bool split_scans = false;  ///< No index finds a range: each split reads the whole table.
};

/// What a column of a batch has: one of the job's columns, decoded, or several of them as they came.
struct carried_column {
  std::size_t first = 0;
  std::size_t count = 1;
  bool own = false;
};

/// What readers need of their source; made by its `open`, never changed.
struct read_plan {
  std::vector<part_plan> parts;
  std::vector<relation_plan> relations;
  std::string where;  ///< Empty: all rows.
  std::vector<column_type> kinds;
  schema_ptr columns;
  std::vector<carried_column> carried;  ///< All of them, in order.

  /// The relation that a split describes; nullptr where it is none of these.
  [[nodiscard]] const relation_plan* relation_of(const scalar_list& split_description) const;
};

/// Whether SQL is made of a bound or of a cursor's value: a whole number or a text.
bool can_stand_in_sql(const scalar& v);

/// The fields of a tuple: the job's columns, then those of the key that are not among them.
std::size_t fields_of(const read_plan& plan, const relation_plan& relation, bool ordered);

/// The SELECT that reads a split, in order of the key where that is cheap or a cursor asks for it; behind the
/// cursor.
std::string reading_sql(const read_plan& plan, const relation_plan& relation,
                        const scalar_list& split_description, const cursor* after);

}  // namespace sluice::postgresql
