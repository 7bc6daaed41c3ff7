#pragma once

#include <memory>
#include <optional>
#include <string>

#include "plugins/api/source.h"
#include "plugins/sqlite/sqlite_source.h"

namespace sluice::sqlite {

/// The statement that reads a split: `SELECT columns, key FROM table WHERE … ORDER BY key`. `after`: only
/// rows behind a cursor, whose values are parameters, behind those of the range.
std::string reading_sql(const read_plan& plan, const scalar_list& split_description, bool after);
/// The key by which that split is in order; empty where it has none.
std::vector<std::string> reading_key(const read_plan& plan, const scalar_list& split_description);

/// Reads splits on a connection of its own, in one read transaction for as long as it lives. Threads as
/// `reader`.
class sqlite_reader : public reader {
 public:
  sqlite_reader(std::shared_ptr<const read_plan> plan, std::uint64_t memory_bytes);
  ~sqlite_reader() override;

  result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                    const stop_signal& stop) override;
  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override;
  void interrupt() override;

 private:
  result<void> connect_once(const stop_signal& stop);
  [[nodiscard]] std::uint64_t row_bytes() const;
  /// The row at hand into the builder, as a row or as a refused record.
  void take_row(batch_builder& builder);
  bool append(column_builder& to, std::size_t column, dirty_record& why);
  bool append_text(column_builder& to, std::size_t column, dirty_record& why);
  bool append_number(column_builder& to, std::size_t column, dirty_record& why);
  bool wrong_type(std::size_t column, dirty_record& why) const;
  void describe_row(dirty_record& record) const;
  [[nodiscard]] std::optional<std::string> text_of_value(std::size_t column) const;
  [[nodiscard]] cursor cursor_here() const;

  std::shared_ptr<const read_plan> plan_;
  file_connection connection_;
  statement select_;
  std::vector<std::string> key_;  ///< Of the open split.
  bool key_is_number_ = false;    ///< The rowid: each row's stands in the batch, for its dirty record.
  bool row_at_hand_ = false;      ///< Stepped to, not yet taken.
  bool ended_ = false;
  std::string scratch_;
};

}  // namespace sluice::sqlite
