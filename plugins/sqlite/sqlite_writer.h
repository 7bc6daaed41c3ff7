#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/progress.h"
#include "plugins/sqlite/sqlite_bind.h"
#include "plugins/sqlite/sqlite_options.h"

namespace sluice::sqlite {

/// What a writer needs of its target; lives as long as both.
struct writer_plan {
  target_options options;
  std::string table;  ///< As the file spells it.
  std::vector<std::string> columns;
  std::vector<row_binder::target_column> kinds;
  std::uint64_t memory_bytes = 0;
  relational::progress_dialect marks;
};

/// `INSERT …` of the mode with one parameter a column.
std::string insert_sql(const writer_plan& plan);

/// The column that SQLite's message of a refused row names, `a, b` where there are several, else empty.
std::string column_in_message(std::string_view message, const std::string& table);

/// Writes the rows of one pipeline on a connection of its own, each row a statement: a refused one undoes
/// only itself. Threads as `writer`.
class sqlite_writer : public writer {
 public:
  sqlite_writer(std::shared_ptr<const writer_plan> plan, std::shared_ptr<relational::claim_state> claim,
                schema_ptr columns);
  ~sqlite_writer() override;

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override;
  result<write_answer> write(const batch& b, const stop_signal& stop) override;
  result<void> commit(const mark& m, const stop_signal& stop) override;
  void rollback() override;
  void interrupt() override;

 private:
  result<void> connect_once(const stop_signal& stop);
  result<void> begin(const stop_signal& stop);
  /// Runs the bound INSERT: rows changed, or nothing where the row is refused (`refused` says why).
  result<std::optional<std::int64_t>> insert_row(std::uint32_t row, refused_row& refused);
  result<void> explain_refusal(std::uint32_t row, refused_row& refused);
  void end_transaction();

  std::shared_ptr<const writer_plan> plan_;
  std::shared_ptr<relational::claim_state> claim_;
  schema_ptr columns_;
  row_binder binder_;
  std::string sql_;
  std::string doing_;  ///< For messages: `insert into "orders"`.
  std::optional<database> db_;
  statement insert_;  ///< After db_: finalised before it is closed.
  bool in_transaction_ = false;
  split_index split_;
  epoch_number epoch_;
  std::uint64_t transaction_ = 0;

  std::mutex interrupting_;  ///< Guards `db_` against `interrupt` while it is being made.
};

}  // namespace sluice::sqlite
