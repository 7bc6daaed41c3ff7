#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/source.h"
#include "plugins/mysql/mysql_read_plan.h"

namespace sluice::mysql {

/// Reads splits on a connection of its own, one SELECT each, whose rows are taken as they come. Threads as
/// `reader`.
class mysql_reader : public reader {
 public:
  explicit mysql_reader(std::shared_ptr<const read_plan> plan);

  result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                    const stop_signal& stop) override;
  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override;
  void interrupt() override;

 private:
  result<void> connect_once(std::size_t index, const stop_signal& stop);
  /// The same under a snapshot that all readers share.
  result<void> take_from_snapshot(std::size_t index, const stop_signal& stop);
  void give_back();
  /// `source_changed` where the table's columns are not of the types that the run began with.
  [[nodiscard]] result<void> check_columns(const std::vector<result_column>& now) const;
  result<std::vector<std::string>> literals_of(const cursor& after) const;
  /// `source_changed` where the split's table was altered or emptied since the run began.
  /// What fewer rows come of is looked at when they have been read: it costs a walk over all of a server's
  /// tables on MariaDB.
  result<void> check_unchanged(bool at_end, const stop_signal& stop);
  [[nodiscard]] std::uint64_t row_bytes() const;
  /// The row at hand into the builder, as a row or as a refused record.
  void take_row(batch_builder& builder);
  void refuse_row(batch_builder& builder, dirty_record why);
  void keep_key();
  void set_cursor(batch_builder& builder) const;
  [[nodiscard]] std::optional<std::string> text_of_value(std::size_t column) const;

  std::shared_ptr<const read_plan> plan_;
  std::unique_ptr<connection> connection_;
  std::size_t connected_to_ = 0;
  const read_part* part_ = nullptr;
  std::vector<value_decoder> decoders_;
  std::vector<std::size_t> key_columns_;  ///< Of the result, in the part's order.
  std::vector<std::string> last_key_;     ///< Of the last record taken.
  bool has_last_key_ = false;
  bool key_is_number_ = false;
  row_view row_;
  bool row_at_hand_ = false;  ///< Fetched, not yet taken.
  bool ended_ = false;

  std::mutex interrupting_;  ///< Guards `connection_` against `interrupt` while it is being made.
};

}  // namespace sluice::mysql
