#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/common/relational/key_ranges.h"
#include "plugins/common/relational/text_rule.h"
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

/// A column of the key by whose ranges a table is split.
struct split_column {
  std::string name;
  std::string sql;                ///< Quoted.
  std::string type_name;          ///< Of its bounds as SQL; `bigint`: they are numbers.
  std::string_view between = {};  ///< A value between two of it, as SQL (`split_type`); empty: there is none.
  std::string_view countable = {};  ///< Whether `{}` is one that it takes; empty: each is.
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
  std::uint32_t oid = 0;                 ///< Of a table or view.
  std::string name;                      ///< In split descriptions: `"shop"."orders"`.
  std::string shown;                     ///< For labels and dirty records: `orders`.
  std::string from;                      ///< Behind FROM.
  std::string values_place;              ///< Where what is computed of its rows stands in the job.
  std::vector<std::string> expressions;  ///< Of the job's columns, with casts to text where they need one.
  std::vector<std::string> own_columns;  ///< Of each the table's column that it is, quoted; empty: none.
  std::vector<key_column> key;           ///< Unique and never NULL; empty: there is none.
  bool ordered = false;                  ///< Read in the order of the key: nothing is lost by it.
  std::vector<split_column> split_key;   ///< By whose ranges it is split; empty: by none.
  /// What `by` of a split's description must be, where the key was not named by the job: another one since
  /// would be other ranges.
  std::string split_by;
  bool split_nullable = false;
  bool split_has_statistics = false;
  bool split_scans = false;   ///< No index finds a range: each split reads the whole table.
  bool split_evenly = false;  ///< Between the least and the greatest value, and not by a sample of the rows.
  /// A key's ranges cost the server much more than one reading of all, because rows lie in another order.
  bool split_dear = false;
  std::vector<relational::key_bound> sample;  ///< Keys of some rows, rising.
  std::vector<std::uint64_t> pages;           ///< Where it is split by blocks: of each table that holds rows.
  std::string one_split_because;  ///< Why it is not split; with `splitMode` `none` by what it could be.
  double cost = 0;                ///< Of reading it, by the server's estimate; 0: not asked for.
  std::string described_sql;      ///< A SELECT of the job's columns, and
  std::vector<described_column> described;  ///< what the server said of them when the run began.
  std::string storage;  ///< Of a table or view: what held its rows then, as `storage_of` says.
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
  relational::text_rule invalid_text = relational::text_rule::dirty;
  std::vector<carried_column> carried;  ///< All of them, in order.

  /// The relation that a split describes; nullptr where it is none of these.
  [[nodiscard]] const relation_plan* relation_of(const scalar_list& split_description) const;
};

/// Members of a description: the first block of a split, and that behind its last one.
inline constexpr const char* from_block = "from_block";
inline constexpr const char* to_block = "to_block";
bool is_of_blocks(const scalar_list& split_description);
/// ` from block 8 below block 16`; empty where the description is of none.
std::string block_text(const scalar_list& split_description);

/// The relation that is read by such a split; `source_changed` where the job does not read it, or not by such
/// ranges.
result<const relation_plan*> relation_to_read(const read_plan& plan, const scalar_list& split_description);

/// What the server cannot compute of a row is the job's fault, as no record is at hand that could be refused:
/// `bad_option` with the place of what it computes. Any other error as it is.
error with_place_of_values(error e, const relation_plan& relation);

/// Whether SQL is made of a bound or of a cursor's value: a whole number or a text.
bool can_stand_in_sql(const scalar& v);

/// The fields of a tuple: the job's columns, then those of the key that are not among them.
std::size_t fields_of(const read_plan& plan, const relation_plan& relation, bool ordered);

/// The SELECT that reads a split, in order of the key where that is cheap or a cursor asks for it; behind the
/// cursor.
std::string reading_sql(const read_plan& plan, const relation_plan& relation,
                        const scalar_list& split_description, const cursor* after);

}  // namespace sluice::postgresql
