#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_types.h"
#include "transport/record/batch_builder.h"

namespace sluice::postgresql {

/// The bytes that a form takes; 0 where it varies.
std::size_t fixed_bytes(wire_form form);

/// Takes the binary form of COPY apart (sql-copy.html, "Binary Format"): a signature, tuples, an end. The
/// server sends each tuple in a message of its own, the signature in front of the first one; bytes that are
/// cut short anywhere are told, never read past. Used by one thread.
class tuple_reader {
 public:
  /// A field is nothing where it is NULL.
  using field_view = std::optional<std::string_view>;

  explicit tuple_reader(std::size_t columns) : tuple_reader(columns, columns) {}
  /// Takes only the first fields apart, so many as are `looked_at`, until `take_apart`; what is behind them
  /// in the message is the rest of the tuple, whatever it is.
  tuple_reader(std::size_t columns, std::size_t looked_at) : looked_at_(looked_at), starts_(columns + 1) {}
  /// The bytes of a message, which must live until it is taken apart: until `next` answers `more`.
  void feed(std::string_view message) { rest_ = message; }

  enum class answer : std::uint8_t {
    tuple,    ///< `field` and `raw` have it.
    more,     ///< The message is taken: feed another.
    end,      ///< The end has been seen.
    damaged,  ///< Not what COPY sends.
  };
  answer next();
  /// All fields of the tuple at hand; false: it is not one of so many fields.
  bool take_apart() {
    const char* const end = starts_.back();
    return walk(fields()) && starts_.back() == end;
  }
  /// Of a tuple.
  [[nodiscard]] std::size_t fields() const { return starts_.size() - 1; }
  /// One of those looked at.
  [[nodiscard]] field_view field(std::size_t i) const {
    const char* const value = starts_[i] + sizeof(std::int32_t);
    const auto bytes = static_cast<std::int32_t>(read_big<std::uint32_t>(starts_[i]));
    return bytes < 0 ? field_view() : field_view({value, static_cast<std::size_t>(bytes)});
  }
  /// Fields [first, last) as they came, each behind its length; looked at, or all of them.
  [[nodiscard]] std::string_view raw(std::size_t first, std::size_t last) const {
    return {starts_[first], static_cast<std::size_t>(starts_[last] - starts_[first])};
  }

 private:
  std::size_t looked_at_;
  std::vector<const char*> starts_;  ///< Of each field's length, then the end of the last.
  /// Finds the first fields of the tuple, which must end with the last of all.
  bool walk(std::size_t count);

  std::string_view rest_;
  const char* end_ = nullptr;  ///< Of what may belong to the tuple.
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
