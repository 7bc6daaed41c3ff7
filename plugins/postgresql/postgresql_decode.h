#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/postgresql/postgresql_types.h"
#include "transport/record/batch_builder.h"

namespace sluice::postgresql {

/// Takes the binary form of COPY apart (sql-copy.html, "Binary Format"): a signature, tuples, an end. The
/// server sends each tuple in a message of its own, the signature in front of the first one; bytes that are
/// cut short anywhere are told, never read past. Used by one thread.
class tuple_reader {
 public:
  /// A field is nothing where it is NULL.
  using field_view = std::optional<std::string_view>;

  explicit tuple_reader(std::size_t columns) : fields_(columns) {}
  /// The bytes of a message, which must live until it is taken apart: until `next` answers `more`.
  void feed(std::string_view message) { rest_ = message; }

  enum class answer : std::uint8_t {
    tuple,    ///< `fields` has it.
    more,     ///< The message is taken: feed another.
    end,      ///< The end has been seen.
    damaged,  ///< Not what COPY sends.
  };
  answer next();
  [[nodiscard]] const std::vector<field_view>& fields() const { return fields_; }

 private:
  std::vector<field_view> fields_;
  std::string_view rest_;
  bool signature_seen_ = false;
  bool ended_ = false;
};

/// Puts fields into a batch's columns, straight from the wire. Used by one thread.
class field_decoder {
 public:
  /// `check_utf8`: the server does not vouch for its texts (its encoding is SQL_ASCII).
  field_decoder(std::vector<column_type> columns, bool check_utf8)
      : columns_(std::move(columns)), check_utf8_(check_utf8) {}

  /// Appends the field to its column; `none`, or why it cannot be there (`wrong_type`: the bytes are not of
  /// the column's type, and the table is not what it was). Nothing is appended then.
  dirty_code append(std::size_t column, std::string_view bytes, column_builder& to);
  /// What the column's value takes in a batch, at most.
  [[nodiscard]] std::size_t bytes_in_batch(std::size_t column, std::string_view bytes) const;
  /// The server's text of the field, for a dirty record.
  [[nodiscard]] std::string text_of(std::size_t column, std::string_view bytes) const;

 private:
  dirty_code append_text(std::string_view bytes, column_builder& to) const;
  dirty_code append_number(const column_type& column, std::string_view bytes, column_builder& to);

  std::vector<column_type> columns_;
  bool check_utf8_;
  std::string scratch_;
};

/// Microseconds or days since 2000 as the server writes them with DateStyle ISO: `0044-03-15 BC`, `infinity`.
std::string date_text(std::int32_t days);
std::string timestamp_text(std::int64_t micros, bool is_instant);

}  // namespace sluice::postgresql
