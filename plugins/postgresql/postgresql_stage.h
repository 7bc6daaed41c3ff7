#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/relational_options.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_connection.h"
#include "plugins/postgresql/postgresql_encode.h"

namespace sluice::postgresql {

/// The code of a row that the server took without a word and did not store.
inline constexpr const char* refused_silently = "refused_silently";
extern const char* const silence;  ///< Its message.

/// By what an index takes two values of a column for equal, whatever the column or the session says.
struct key_equality {
  std::string sign;          ///< `OPERATOR(pg_catalog.=)`, of its operator class.
  std::string collation;     ///< ` COLLATE "public"."ci"`; empty where the type has none.
  bool may_be_null = false;  ///< The column.
};
/// How a unique index compares rows.
struct key_comparison {
  std::vector<key_equality> columns;
  bool nulls_equal = false;  ///< NULLS NOT DISTINCT.
};
using key_comparisons = std::map<std::string, key_comparison, std::less<>>;  ///< By the index's name.
/// Of a table's unique indexes, as the server's catalogue has it.
result<key_comparisons> comparisons_of(connection& c, std::uint32_t table_oid);

/// What the server is to do with staged rows.
struct stage_plan {
  std::string table;                 ///< Quoted.
  std::vector<std::string> columns;  ///< In mapping order.
  std::vector<std::string> type_names;
  relational::write_mode mode = relational::write_mode::insert;
  std::vector<std::string> key;  ///< By which rows are found, among `columns`; empty: by any (`ignore`).
  /// Of the modes that leave alone what is there: keys by which it is, with all columns among `columns`.
  std::vector<unique_key> unique_keys;
  /// Columns by which the rows of a batch are ordered before the server takes them: sessions that lock the
  /// same rows and keys in one order do not wait for each other in a circle. Empty: the source's order, where
  /// another key may decide which of two rows stays. Rows with one key are in the source's order in any case.
  std::vector<std::string> order = {};
  unique_key by = {};             ///< The one over `key`.
  key_comparisons compared = {};  ///< Of the table's keys; of one that is not in it `=` does.
  bool has_children = false;      ///< Tables inherit from it; their rows are none of its own.

  /// In a statement that reads or deletes its rows.
  [[nodiscard]] std::string own_rows() const { return has_children ? "ONLY " + table : table; }
};

/// What stands behind the rows of an INSERT: ` ON CONFLICT …`, or nothing.
std::string on_conflict(const stage_plan& plan);

/// The staging table has one more, and a table of PostgreSQL at most 1,600 (MaxHeapAttributeNumber).
constexpr std::size_t staged_columns_max = 1599;

/// Rows in a temporary table of the session, from which the server itself inserts them: all at once where it
/// takes all, else (`update`, `replace`) those of one key one behind the other, else without those whose key
/// is there already, else sixteen at a time, and one by one, in order, where one of these is refused. So a
/// table full of duplicates costs a few statements a batch, not a few a row, and no more than its keys are
/// sent where a batch with bad rows is expected; and of records with the same key the last one wins. A row of
/// which the server warns is refused. Used by a writer's thread, inside its transaction.
class row_stage {
 public:
  explicit row_stage(stage_plan plan);

  /// False where there are too many columns, and once it has turned out that this session has none: no right
  /// to make temporary tables, or no PL/pgSQL. Then the caller sends rows in ever smaller pieces.
  [[nodiscard]] bool usable() const { return usable_; }
  /// Rows are taken in the order of a key.
  [[nodiscard]] bool has_order() const { return !plan_.order.empty(); }
  /// The table's column behind one of the temporary table (`c2`); else the name itself.
  [[nodiscard]] std::string column_of(const std::string& staged) const;
  /// The connection is another one, or a transaction was rolled back: its temporary tables may be gone.
  void forget() { made_ = false; }

  struct outcome {
    bool staged = false;  ///< False: a row is refused on its way into the temporary table, or there is none.
    std::uint64_t line = 0;  ///< Of that row, from 1; 0: not told.
    /// With the rows' places in the batch, in any order; `column` names the constraint where the server names
    /// no column.
    std::vector<refused_row> refused;
    std::vector<std::uint32_t> ignored;
    written_parts parts;  ///< Of the others.
  };
  /// Inserts rows [first, last) of `rows`, which are rows of `b`, in a savepoint. `all_at_once`: they may all
  /// be good; else some are known not to be.
  result<outcome> insert(connection& c, row_encoder& encoder, const batch& b,
                         const std::vector<std::uint32_t>& rows, std::size_t first, std::size_t last,
                         bool all_at_once, send_buffer& buffer);

 private:
  result<bool> make(connection& c);
  result<void> send(connection& c, row_encoder& encoder, const batch& b,
                    const std::vector<std::uint32_t>& rows, const std::vector<bool>* wanted,
                    send_buffer& buffer);
  /// What a statement took, and how many of these were new rows where the server tells.
  struct taken {
    std::uint64_t rows = 0;
    std::uint64_t fresh = 0;
  };
  /// Inserts the staged rows of a condition as the mode says.
  result<taken> take(connection& c, std::string_view condition) const;
  /// Where the server took all without a warning: how many are new rows. Else nothing was done.
  result<std::optional<std::uint64_t>> insert_all(connection& c, std::size_t count);
  /// As `insert_all`, where some have the same key: the first row of each key, then the second, and so on, so
  /// that the last wins. Of `replace` also where another session has put in one of the keys meanwhile.
  result<std::optional<std::uint64_t>> insert_rounds(connection& c, std::size_t count);
  /// Of which some are refused. `looked`: none of them has a key that is there already.
  result<void> insert_some(connection& c, const std::vector<std::uint32_t>& rows, bool looked,
                           std::uint64_t& fresh, outcome& answer);
  enum class plain_end : std::uint8_t {
    meets_key,  ///< It is left out because of a key.
    swallowed,  ///< Somebody took it without a word.
    stored,     ///< The key that it met is gone.
  };
  /// Why `ignore` left a row out, by inserting it once more as if it did not; it stays where that stores it.
  /// What others commit between the two: a new row with the key changes nothing, for the row met one before
  /// or is swallowed before keys are looked at; where the row that was met is deleted, this one is written,
  /// as it would have been a moment later.
  result<plain_end> insert_plain(connection& c, std::size_t staged_row) const;
  /// Staged rows [from, to), which are `rows` of the batch, in ever smaller pieces down to the row that is
  /// refused or warned of.
  result<void> insert_halves(connection& c, std::size_t from, std::size_t to,
                             const std::vector<std::uint32_t>& rows, std::uint64_t& fresh, outcome& answer);
  void tell(std::uint64_t written, std::uint64_t fresh, outcome& answer) const;
  /// Which of the staged rows, whole ones or their keys, have a key that is there already.
  result<std::vector<bool>> find_duplicates(connection& c, const std::vector<std::uint32_t>& rows,
                                            outcome& answer);
  /// Takes the staged rows out whose key is there already; how many these were. Where these are all, they are
  /// left to the next batch to throw away.
  result<std::size_t> take_out_duplicates(connection& c, const std::vector<std::uint32_t>& rows,
                                          outcome& answer);
  /// What the server has noted of the rows that it left out.
  result<void> read_left_out(connection& c, const std::vector<std::uint32_t>& rows, std::uint64_t& fresh,
                             outcome& answer);
  [[nodiscard]] std::string each_sql() const;

  stage_plan plan_;
  std::string make_sql_;
  std::vector<bool> key_columns_;            ///< Of the plan's `unique_keys`, by the place of the column.
  std::vector<std::string> duplicates_sql_;  ///< One for each of the plan's `unique_keys`.
  bool counts_;                              ///< An INSERT of `update` tells new rows from updated ones.
  bool usable_ = true;
  bool made_ = false;
};

}  // namespace sluice::postgresql
