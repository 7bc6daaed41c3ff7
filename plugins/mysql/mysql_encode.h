#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/api/target.h"
#include "plugins/mysql/mysql_types.h"
#include "transport/record/batch.h"
#include "transport/record/dirty_codes.h"

namespace sluice::mysql {

/// A column that is written to.
struct target_column {
  std::string name;
  column_kind kind;
  /// NULL is refused before it is sent: the server would put something else in its place, or refuse it.
  bool refuses_null = false;
  /// NULL is left out, so that the column takes its default (`nullMode` `skipNull`).
  bool skips_null = false;
  /// It comes from PostgreSQL's character(n), whose blanks at the end are no part of the value.
  bool blanks_pad = false;
};

/// Rows of one batch as text for the server, each where it can be found again.
struct encoded_rows {
  std::string bytes;
  std::vector<std::uint32_t> rows;   ///< In the batch.
  std::vector<std::size_t> ends;     ///< Of each of them in `bytes`.
  std::vector<refused_row> refused;  ///< What is not sent, in order.

  [[nodiscard]] std::size_t size() const { return rows.size(); }
  void clear() {
    bytes.clear();
    rows.clear();
    ends.clear();
    refused.clear();
  }
  /// The bytes of the rows [first, last) of `rows`.
  [[nodiscard]] std::string_view range(std::size_t first, std::size_t last) const {
    const std::size_t from = first == 0 ? 0 : ends[first - 1];
    return std::string_view(bytes).substr(from, last == first ? 0 : ends[last - 1] - from);
  }
};

/// Writes the rows of batches as text that the server reads back as the same values, straight from the
/// batch's buffers. A value that the server would round, cut, pad, complete or convert without an error is
/// refused here. Used by a writer's thread.
class row_encoder {
 public:
  enum class form : std::uint8_t {
    values,  ///< `(1,'a'),` for INSERT, with NO_BACKSLASH_ESCAPES.
    lines,   ///< `1\ta\n` for LOAD DATA, escaped by a backslash; bytes in hexadecimal.
  };

  row_encoder(schema_ptr columns, std::vector<target_column> targets);

  /// All rows of `b`; `out` is emptied first and keeps its room.
  void encode(const batch& b, form f, encoded_rows& out) const;
  /// Appends the rows of `b` from `first` on, until there are `bytes_wanted`. Returns the next one.
  std::uint32_t encode_some(const batch& b, std::uint32_t first, form f, std::size_t bytes_wanted,
                            encoded_rows& out) const;

 private:
  struct problem {
    dirty_code code = dirty_code::none;
    std::string_view server_code = {};  ///< In place of `code`: what the server would have said.
    std::string message = {};
  };

  problem append(const column& from, std::size_t at, std::uint32_t row, form f, std::string& out) const;
  problem append_integer(std::int64_t v, bool is_unsigned, const column_kind& kind, form f,
                         std::string& out) const;
  static problem append_bits(std::uint64_t v, const column_kind& kind, std::string& out);
  static problem append_real(double v, const column_kind& kind, std::string& out);
  static problem append_text(std::string_view text, const target_column& target, form f, std::string& out);
  static problem append_bytes(std::string_view bytes, const column_kind& kind, form f, std::string& out);
  static problem append_time(std::int64_t v, const data_type& type, form f, std::string& out);

  schema_ptr columns_;
  std::vector<target_column> targets_;
};

/// Whether the server stores `text` in an ENUM or SET column as it is spelled.
bool is_member_text(std::string_view text, const column_kind& kind);

}  // namespace sluice::mysql
