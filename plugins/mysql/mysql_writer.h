#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/lost_session.h"
#include "plugins/common/relational/progress.h"
#include "plugins/mysql/mysql_catalogue.h"
#include "plugins/mysql/mysql_encode.h"
#include "plugins/mysql/mysql_options.h"

namespace sluice::mysql {

/// What a writer needs of its target; lives as long as both.
struct writer_plan {
  connection_plan connect;
  std::string table;  ///< In SQL, with its database.
  std::vector<target_column> columns;
  write_mode mode = write_mode::insert;
  std::vector<std::string> update_columns;    ///< Of `update`: by name.
  std::map<std::string, std::string> keys;    ///< `PRIMARY` to `id, line`: what a duplicate's message names.
  std::map<std::string, std::string> checks;  ///< The same of CHECKs (`check_columns`).
  /// Indexes in `columns` of the table's only unique key; empty where it has several or none, or one that is
  /// not mapped whole.
  std::vector<std::size_t> only_key;
  /// Rows that are there already are looked for by many, once nearly every row is refused.
  bool looks_for_duplicates = false;
  std::uint32_t batch_rows = 0;  ///< Rows of one INSERT at most.
  std::uint64_t batch_bytes = 0;
  bool may_load = false;  ///< The mode is one that LOAD DATA has.
  /// `INSERT … AS row`: the server warns of VALUES(column) otherwise (MySQL from 8.0.20 on).
  bool names_rows = false;
  relational::progress_dialect marks;
};

/// `INSERT INTO … VALUES` of the mode and what stands behind the rows.
struct insert_text {
  std::string before;
  std::string behind;
};
insert_text insert_sql(const writer_plan& plan);

/// What the server's answer says of a statement of so many rows, all of which stand but those that `ignore`
/// leaves out. REPLACE does not tell a row that is new from one that was there just the same, nor, where
/// there are several keys, how many rows each record took the place of.
written_parts parts_of(const statement_answer& done, std::uint64_t rows, write_mode mode, bool one_key);
/// `LOAD DATA LOCAL INFILE …` of the mode.
std::string load_sql(const writer_plan& plan);

/// Writes the rows of one pipeline on a connection of its own. A batch goes as LOAD DATA LOCAL of our own
/// bytes where the server allows it and the mode is `insert` or `replace`; it stands only if the server
/// counts as many rows as were sent and has no warning. Anything else is taken back to a savepoint and sent
/// as INSERTs of several rows: a failed statement undoes only itself. The row that it names decides where it
/// is cut, and no more: only a row that was sent alone is refused. A row that is larger than a packet goes as
/// a LOAD DATA of its own, under the same proof. Threads as `writer`.
class mysql_writer : public writer {
 public:
  mysql_writer(std::shared_ptr<const writer_plan> plan, std::shared_ptr<relational::claim_state> claim,
               schema_ptr columns);
  ~mysql_writer() override;

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override;
  result<write_answer> write(const batch& b, const stop_signal& stop) override;
  result<void> commit(const mark& m, const stop_signal& stop) override;
  void rollback() override;
  void forbid_reading_again() override;
  void interrupt() override;

 private:
  result<void> connect_once(const stop_signal& stop);
  result<void> begin(const stop_signal& stop);
  /// True: all rows of the batch stand; false: none do, send them as INSERTs.
  result<bool> load_batch(const batch& b, write_answer& answer, const stop_signal& stop);
  result<void> insert_all(const batch& b, write_answer& answer, const stop_signal& stop);
  /// The rows [first, last), in order, in statements as large as what was refused before lets them be.
  result<void> insert_span(const batch& b, std::size_t first, std::size_t last, write_answer& answer,
                           const stop_signal& stop);
  /// In order, the rows whose key is in the table or stands in a row before: one SELECT for many of them.
  /// What it misses is refused like any other row; what it finds is sent alone, for the server to refuse.
  result<std::vector<std::size_t>> find_duplicates(const batch& b, const stop_signal& stop);
  /// All rows, those of `alone` in statements of their own, sent together as far as they fit. Where a
  /// statement of several rows is refused, what was sent with it is taken back and sent by `insert_span`.
  result<void> insert_around(const batch& b, const std::vector<std::size_t>& alone, write_answer& answer,
                             const stop_signal& stop);
  /// The same of the rows [first, last) in statements that end at `ends`; false: they are taken back.
  result<bool> insert_together(std::size_t first, const std::vector<std::size_t>& ends, write_answer& answer,
                               const stop_signal& stop);
  /// One statement; nothing where the rows [first, last) are in, else what refused one of them.
  struct refusal {
    std::string code;
    std::string column;
    std::string message;
    std::optional<std::size_t> row = {};  ///< Of the statement, as the server says: it may be another's.
  };
  result<std::optional<refusal>> insert_range(const batch& b, std::size_t first, std::size_t last,
                                              write_answer& answer, const stop_signal& stop);
  /// A row that no INSERT can carry, being larger than a packet, by a LOAD DATA of its own; else what refuses
  /// it. So whether it is written does not depend on the rows beside it.
  result<std::optional<refusal>> load_alone(const batch& b, std::size_t at, refusal too_large,
                                            write_answer& answer, const stop_signal& stop);
  /// Whether the statement at hand is larger than the server takes.
  [[nodiscard]] bool is_too_large() const;
  /// One statement a row, sent together: where nearly every row is refused. Returns how many were.
  result<std::size_t> insert_piped(std::size_t first, std::size_t last, write_answer& answer,
                                   const stop_signal& stop);
  /// Whether the key of each of these rows is there already, by the server's own judgement of an INSERT that
  /// would leave them as they are, which is taken back in any case. It costs a fraction of one INSERT a row.
  result<bool> are_there(std::size_t first, std::size_t last, const stop_signal& stop);
  /// In the words that the server has had for such a row before.
  void refuse_duplicates(const batch& b, std::size_t first, std::size_t last, write_answer& answer) const;
  /// What the statement did stands and should not: all is taken back, and comes again with savepoints.
  error read_again(const refusal& why);
  void refuse(std::size_t at, const refusal& why, write_answer& answer);
  /// Keeps how the server words duplicates.
  void note_duplicate(const std::string& code, const std::string& message);
  /// The key of a row as a duplicate's message has it: `7-DE`.
  [[nodiscard]] std::string key_text(const batch& b, std::size_t at) const;
  /// The first of the rows whose key a duplicate's message has, counted from 1; 0 where none has.
  [[nodiscard]] std::size_t row_of_duplicate(const batch& b, std::size_t first, std::size_t rows,
                                             std::string_view message) const;
  result<std::optional<refusal>> judge_answer(const statement_answer& done, std::size_t rows,
                                              const stop_signal& stop);
  /// Counts `rows` that stand.
  void count(const statement_answer& done, std::uint64_t rows, write_answer& answer) const;
  result<refusal> explain_failure(const batch& b, const error& failed, std::size_t first, std::size_t rows,
                                  const stop_signal& stop);
  [[nodiscard]] std::string blamed_column(const std::string& message) const;
  /// Rows of one statement at most, as the job and measurement say.
  [[nodiscard]] std::size_t rows_max() const;
  [[nodiscard]] std::size_t rows_that_fit(std::size_t first, std::size_t wanted) const;

  std::shared_ptr<const writer_plan> plan_;
  std::shared_ptr<relational::claim_state> claim_;
  schema_ptr columns_;
  row_encoder encoder_;
  encoded_rows rows_;
  insert_text insert_;
  insert_text look_;  ///< Of `are_there`.
  std::string load_;
  std::string statement_;  ///< Room that is kept.
  std::unique_ptr<connection> connection_;
  std::unique_ptr<mysql_session> session_;
  std::string owner_;                        ///< This session, as marks name it.
  relational::lost_sessions lost_sessions_;  ///< Such as were before it.
  bool in_transaction_ = false;
  bool saves_points_ = false;        ///< A warning came: statements begin with a savepoint.
  bool stays_careful_ = false;       ///< Savepoints until the split is opened again.
  std::uint32_t clean_batches_ = 0;  ///< In a row, while `saves_points_`.
  std::uint32_t inserts_left_ = 0;   ///< Batches that go as INSERTs, after a LOAD DATA that did not stand.
  std::size_t rows_each_ = 0;        ///< Of the next INSERT: fewer where rows are refused.
  bool may_look_ = false;
  bool may_find_ = false;           ///< The only key is one whole number, and its table may be read.
  std::uint32_t finds_after_ = 0;   ///< Batches without `find_duplicates`, after one that it was no help to.
  std::size_t look_rows_ = 0;       ///< Of the next `are_there`: more as long as they all are.
  std::uint32_t looks_after_ = 0;   ///< Pieces until the next, after one that found others.
  std::string duplicate_code_;      ///< Of the last duplicate that the server named,
  std::string duplicate_key_text_;  ///< and the key in its words: ` for key 'PRIMARY'`.
  split_index split_;
  epoch_number epoch_;
  std::uint64_t transaction_ = 0;

  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.
};

}  // namespace sluice::mysql
