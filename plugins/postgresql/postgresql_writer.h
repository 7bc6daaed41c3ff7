#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/common/relational/lost_session.h"
#include "plugins/common/relational/progress.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_encode.h"
#include "plugins/postgresql/postgresql_insert.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_session.h"
#include "plugins/postgresql/postgresql_stage.h"

namespace sluice::postgresql {

/// What writers need of their target; lives as long as all of them.
struct writer_plan {
  session_plan session;
  std::string table;                 ///< `"shop"."orders"`
  std::vector<std::string> columns;  ///< In mapping order.
  std::vector<column_type> kinds;
  std::vector<std::string> type_names;             ///< Of their types, a domain's base type.
  std::vector<unique_key> keys;                    ///< To name the columns of a constraint, and
  std::vector<table_constraint> constraints = {};  ///< likewise.
  bool changes_rows_first = false;                 ///< As `table_info` has it.
  bool has_other_keys = false;                     ///< Of `unusable_keys`, likewise.
  relational::write_mode mode = relational::write_mode::insert;
  relational::text_rule nul = relational::text_rule::dirty;
  std::vector<std::string> key;  ///< By which rows are found; empty: by any (`ignore`).
  relational::progress_dialect dialect;
  std::shared_ptr<relational::claim_state> claim;
  /// Rows go by INSERT in the place of COPY: the server is not PostgreSQL itself, or what is written to is a
  /// view or a foreign table. What follows is for that.
  bool by_statements = false;
  std::vector<std::uint32_t> type_oids = {};
  bool overrules_identity = false;  ///< A column is GENERATED ALWAYS AS IDENTITY.
  bool has_children = false;        ///< As `table_info` has it.
  key_comparisons compared = {};
  std::uint32_t rows_max = 1;   ///< Of one statement, and
  std::uint64_t bytes_max = 0;  ///< likewise.
};

/// How its rows go by statements.
insert_plan insert_plan_of(const writer_plan& plan);

/// `COPY "shop"."orders" ("a", "b") FROM STDIN (FORMAT binary)`
std::string copy_sql(const writer_plan& plan, copy_form form);

/// The line that COPY names in a failure's context, from 1; 0 where it names none.
std::uint64_t line_in_context(std::string_view context);
/// The column that it names; empty where it names none.
std::string column_in_context(std::string_view context);

/// Writes the rows of one pipeline on a connection of its own. A transaction runs fast, as one COPY for many
/// batches, or carefully, with a savepoint for each batch, so that a refused row costs its batch only
/// (delivery.md). Where rows go by statements (`writer_plan::by_statements`), modes that find rows by a key
/// run carefully. Threads as `writer`.
class postgresql_writer : public writer {
 public:
  postgresql_writer(std::shared_ptr<const writer_plan> plan, const schema& columns);
  ~postgresql_writer() override;

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override;
  result<write_answer> write(const batch& b, const stop_signal& stop) override;
  result<void> commit(const mark& m, const stop_signal& stop) override;
  void rollback() override;
  void forbid_reading_again() override;
  void interrupt() override;

 private:
  result<void> connect_once(split_index split, const stop_signal& stop);
  result<void> begin(const stop_signal& stop);

  result<void> write_fast(const batch& b, write_answer& answer);
  /// The same by statements.
  result<void> insert_fast(const batch& b, write_answer& answer);
  /// What the server answered to rows of a fast transaction, of which it should have taken `sent`.
  result<void> check_taken(const result<std::uint64_t>& taken, std::uint64_t sent);
  /// Ends the COPY of a fast transaction; a refusal asks for the split to be read again, carefully.
  result<void> end_fast_copy();
  error read_again(const error& why);
  /// What the next transactions are to do about a failure.
  void learn_from(const error& why);
  result<write_answer> write_batch(const batch& b, const stop_signal& stop);

  /// Appends to `buffer_` the rows that can be sent, calling `appended(first, count)` behind some of them;
  /// the others are refused.
  template <class Appended>
  result<void> encode_rows(const batch& b, write_answer& answer, const Appended& appended);
  /// The rows that can be sent.
  result<std::vector<std::uint32_t>> rows_to_send(const batch& b, write_answer& answer);
  /// In the modes that find rows by a key: through the stage.
  result<void> write_staged(const batch& b, const std::vector<std::uint32_t>& rows, write_answer& answer);
  /// What became of `count` staged rows.
  void count(row_stage::outcome& staged, std::size_t count, write_answer& answer);
  /// In pieces that shrink where rows are refused.
  result<void> write_carefully(const batch& b, const std::vector<std::uint32_t>& rows, write_answer& answer);
  /// One piece in a savepoint: how many of its rows stand (all or none), and what the server said.
  struct piece_answer {
    bool stands = false;
    bool ignored = false;    ///< All of them, by the mode.
    std::uint64_t line = 0;  ///< Of the row refused, from 1; 0: not told.
    refused_row refused;
  };
  result<piece_answer> send_piece(const batch& b, const std::vector<std::uint32_t>& rows, std::size_t first,
                                  std::size_t last);
  /// Sends it; how many rows the server took.
  result<std::uint64_t> copy_rows(const batch& b, const std::vector<std::uint32_t>& rows, std::size_t first,
                                  std::size_t last);
  [[nodiscard]] bool stages() const { return !inserter_ && stage_.usable(); }
  /// Of the rows that stand.
  void count_changes(write_answer& answer);
  [[nodiscard]] refused_row explain(const server_failure& failure) const;
  /// The columns of a constraint, as far as it is a key; else empty.
  [[nodiscard]] std::string columns_of(const std::string& constraint) const;

  std::shared_ptr<const writer_plan> plan_;
  schema columns_;
  row_encoder encoder_;
  std::string copy_sql_;
  std::unique_ptr<connection> connection_;
  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.

  send_buffer buffer_;
  row_stage stage_;
  std::optional<row_inserter> inserter_;  ///< Where rows go by statements.
  bool checks_at_once_ = true;            ///< The server knows SET CONSTRAINTS.
  bool copying_ = false;
  std::uint64_t rows_sent_ = 0;  ///< In the COPY that is open.
  std::uint64_t bytes_sent_ = 0;
  std::vector<std::uint32_t> ignored_;  ///< Of the batch at hand.
  std::vector<changed_value> changed_;  ///< Likewise.
  bool careful_ = false;
  bool stays_careful_ = false;   ///< Until the split is opened again.
  bool mostly_refused_ = false;  ///< More than half of the rows staged last.
  /// Transactions behind a deadlock, in which rows go through the stage, in the order of their key.
  std::uint32_t ordered_left_ = 0;
  std::uint32_t clean_transactions_ = 0;  ///< In a row, while careful.
  bool refused_here_ = false;             ///< In the transaction that is open.

  bool in_transaction_ = false;
  split_index split_;
  epoch_number epoch_;
  std::uint64_t transaction_ = 0;
  std::string owner_;                        ///< This session, as marks name it.
  relational::lost_sessions lost_sessions_;  ///< Such as were before it.
};

}  // namespace sluice::postgresql
