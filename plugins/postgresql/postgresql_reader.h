#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/postgresql/postgresql_decode.h"
#include "plugins/postgresql/postgresql_read_plan.h"

namespace sluice::postgresql {

/// Reads splits on a connection of its own with COPY in its binary form, of other products with SELECT, each
/// in a transaction of its own under the run's snapshot: a table's lock is let go with the split. Threads as
/// `reader`.
class postgresql_reader : public reader {
 public:
  explicit postgresql_reader(std::shared_ptr<const read_plan> plan);

  result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                    const stop_signal& stop) override;
  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override;
  void interrupt() override;

 private:
  result<void> connect_once(const stop_signal& stop);
  /// Begins the split's transaction, which it names, under the run's snapshot.
  result<void> begin_snapshot(const scalar_list& split);
  [[nodiscard]] const part_plan& part() const { return plan_->parts[relation_->part]; }
  /// The next tuple stands in `tuples_`; false at the end.
  result<bool> next_tuple();
  /// The message where it lives on while its tuple waits, if there is room for it.
  std::string_view kept(std::string_view message);
  [[nodiscard]] error damaged() const;
  [[nodiscard]] error another_table() const;
  /// `source_changed` where the columns are no longer of the types that the run began with: its tuples would
  /// be read wrongly. From here on the server keeps them as they are.
  result<void> check_columns();
  /// `source_changed` where rows of the snapshot may be gone without a word.
  result<void> check_storage();
  result<void> end_split();
  /// What the tuple at hand takes in a batch: at most, and where that is much, exactly.
  [[nodiscard]] std::uint64_t row_bytes() const;
  /// The rows that wait into the builder, column by column, or row by row where one of them is refused.
  result<void> take_waiting(batch_builder& builder);
  bool take_block(batch_builder& builder);
  /// The row at hand into the builder, as a row or as a refused record; `too_large_bytes`: what it has where
  /// that is more than is moved, else 0.
  void take_row(batch_builder& builder, std::uint64_t too_large_bytes);
  void refuse_row(batch_builder& builder, dirty_record why) const;
  [[nodiscard]] cursor cursor_here() const;
  void keep_key();
  /// Whether rows' places are said by a key that is one whole number.
  [[nodiscard]] bool places_key() const { return key_here_.size() == 1 && relation_->key[0].whole_number; }
  void begin_keys(batch_builder& builder) const;

  std::shared_ptr<const read_plan> plan_;
  std::unique_ptr<connection> connection_;
  std::size_t part_ = 0;     ///< To which it is.
  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.
  const relation_plan* relation_ = nullptr;
  bool ordered_ = false;
  bool rough_ = true;  ///< A field's bytes bound its text.
  tuple_reader tuples_{0};
  std::optional<field_decoder> fields_;
  std::vector<std::string> key_here_;  ///< Of the last row taken; as on the wire.
  bool row_at_hand_ = false;

  // Rows that are decoded together wait, at most `tuple_block::tuples_max`, with copies of their messages, at
  // most `kept_bytes_max`. Between two calls of `read` none waits.
  bool blocks_ = false;
  std::vector<char> kept_;  ///< The messages one behind the other, and `tuple_block::slack`.
  std::size_t kept_bytes_ = 0;
  bool message_kept_ = false;              ///< The one read last.
  std::vector<std::string_view> waiting_;  ///< `raw` of each.
  tuple_block block_;
  bool ended_ = false;
};

}  // namespace sluice::postgresql
