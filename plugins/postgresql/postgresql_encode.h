#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/text_rule.h"
#include "plugins/postgresql/postgresql_types.h"
#include "transport/record/batch.h"
#include "transport/record/dirty_codes.h"

namespace sluice::postgresql {

/// Which form of COPY carries the rows. Where they go as values of a statement they have its binary form, in
/// which what has none here stands as its text.
enum class copy_form : std::uint8_t {
  binary,
  text,  ///< Where a column has no binary form here: the server reads it by its type's input function.
};

/// Binary where every column has such a form.
copy_form form_for(const std::vector<column_type>& columns);

/// Bytes to be sent. Grows, never zeroes; cleared, it keeps its room. Used by one thread.
class send_buffer {
 public:
  /// Room for `bytes` more: where they begin.
  std::byte* room(std::size_t bytes) {
    if (bytes > capacity_ - size_) {
      grow(bytes);
    }
    return data_.get() + size_;
  }
  /// Everything before `end`, which lies in the room given, is content.
  void end_at(const std::byte* end) { size_ = static_cast<std::size_t>(end - data_.get()); }
  void append(std::string_view bytes);
  void resize(std::size_t smaller) { size_ = smaller; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(data_.get()), size_}; }

 private:
  void grow(std::size_t bytes);
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Writes rows of batches in a form of COPY, straight from the batch's buffers, so that the server stores
/// each value as it is, or says which value it would change. Used by the writer's thread.
class row_encoder {
 public:
  /// `columns`: as its batches have them; `kinds`: of the table's columns. What comes in PostgreSQL's own
  /// bytes goes out as it is, and only in the binary form.
  row_encoder(const schema& columns, std::vector<column_type> kinds, copy_form form,
              relational::text_rule nul = relational::text_rule::dirty);

  [[nodiscard]] copy_form form() const { return form_; }
  /// What COPY begins and ends with.
  void begin(send_buffer& to) const;
  void end(send_buffer& to) const;

  /// Why a row cannot be sent.
  struct problem_at {
    std::size_t column = 0;
    std::string_view code;
    std::string message;
  };
  /// Appends the row; false: it cannot be stored as it is, `problem` says why, `to` is as it was. With
  /// `number`, an integer stands in front of its columns; `wanted`: only of those of the table's columns that
  /// it marks.
  bool append(const batch& b, std::uint32_t row, send_buffer& to,
              const std::optional<std::int32_t>& number = {}, const std::vector<bool>* wanted = nullptr);
  [[nodiscard]] const problem_at& problem() const { return problem_; }
  /// The rows from `first` on, and how many, that `append_block` has looked at, and whether it appended them:
  /// all of them or none.
  struct block {
    std::uint32_t rows = 0;
    bool appended = false;
  };
  /// Appends rows column by column, which is several times as fast. Where one of them cannot be stored as it
  /// is, or has no fast way, it appends none, and it is for `append` to look at each.
  block append_block(const batch& b, std::uint32_t first, send_buffer& to) const;
  /// What `nulCharacter` made of values of the row appended last, with columns as the table has them.
  [[nodiscard]] const std::vector<changed_value>& changes() const { return changes_; }

 private:
  struct column_plan {
    column_type kind;
    data_type type;
    bool own = false;
    std::uint32_t table_column = 0;   ///< The first that it stands for.
    std::uint32_t table_columns = 1;  ///< As many.
  };
  /// Of fields that came in PostgreSQL's own bytes, those that `wanted` marks.
  bool append_own(const column_plan& plan, std::string_view fields, const std::vector<bool>& wanted,
                  std::size_t at, send_buffer& to);
  /// The most bytes of a field, its length among them, beside those of its text.
  static std::size_t field_bytes_max(wire_form form);
  /// Rows that came in PostgreSQL's own bytes altogether.
  block append_own_rows(const column& from, std::uint32_t first, std::uint32_t last, send_buffer& to) const;
  /// Puts one column's values, in the binary form, at the places of a block's rows, which it moves; false:
  /// one of them cannot be sent as it is.
  bool put_column(const column_plan& plan, const column& from, std::uint32_t first, std::uint32_t count,
                  std::byte** at) const;
  /// Blanks at the end of a text that is shorter than its character(n) are not told from those filled up.
  static bool loses_blanks(const column_type& kind, std::string_view text);
  static bool put_texts(const column_plan& plan, const column& from, std::uint32_t first, std::uint32_t count,
                        std::byte** at);
  bool append_binary(const column_plan& plan, const column& from, std::uint32_t row, std::size_t at,
                     send_buffer& to);
  bool append_text(const column_plan& plan, const column& from, std::uint32_t row, std::size_t at,
                   send_buffer& to);
  /// A text that the server would change or that it cannot hold is refused, or changed in `scratch_`.
  std::optional<std::string_view> text_to_send(const column_plan& plan, std::string_view text,
                                               std::uint32_t row, std::size_t at);
  bool refuse(std::size_t at, dirty_code code, std::string message);

  std::vector<column_plan> plans_;
  std::size_t fields_ = 0;            ///< Of a tuple.
  std::size_t fields_bytes_max_ = 0;  ///< Of a tuple, beside its texts.
  copy_form form_;
  relational::text_rule nul_;
  std::vector<changed_value> changes_;
  problem_at problem_;
  std::string scratch_;
  send_buffer text_;  ///< Of one value.
};

}  // namespace sluice::postgresql
