#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/relational/text_rule.h"
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
  /// `usual`: the bytes that the first fields have where they are not NULL, 0 where they vary. They are a
  /// guess only: where it is right, the next field is found without waiting for this one's length.
  tuple_reader(std::size_t columns, std::size_t looked_at, std::vector<std::int32_t> usual = {})
      : looked_at_(looked_at), starts_(columns + 1), lengths_(columns), usual_(std::move(usual)) {
    usual_.resize(columns);
  }
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
  /// Goes back to a tuple by all that `raw` gave of it, and takes it apart.
  bool take_up(std::string_view fields) {
    starts_[0] = fields.data();
    starts_.back() = end_ = fields.data() + fields.size();
    return take_apart();
  }
  /// Of a tuple.
  [[nodiscard]] std::size_t fields() const { return starts_.size() - 1; }
  /// One of those looked at.
  [[nodiscard]] field_view field(std::size_t i) const {
    return is_null(i) ? field_view() : field_view(value(i));
  }
  /// The same in two questions, for the loop over every field: a copied optional stalls the processor, which
  /// cannot load in one piece what was just stored in two.
  [[nodiscard]] bool is_null(std::size_t i) const { return lengths_[i] < 0; }
  [[nodiscard]] std::string_view value(std::size_t i) const {
    return {starts_[i] + sizeof(std::int32_t), static_cast<std::size_t>(lengths_[i])};
  }
  /// Fields [first, last) as they came, each behind its length; looked at, or all of them.
  [[nodiscard]] std::string_view raw(std::size_t first, std::size_t last) const {
    return {starts_[first], static_cast<std::size_t>(starts_[last] - starts_[first])};
  }

 private:
  std::size_t looked_at_;
  std::vector<const char*> starts_;    ///< Of each field's length, then the end of the last.
  std::vector<std::int32_t> lengths_;  ///< Of the fields looked at; -1: NULL.
  std::vector<std::int32_t> usual_;
  /// Finds the first fields of the tuple, which must end with the last of all.
  bool walk(std::size_t count);

  std::string_view rest_;
  const char* end_ = nullptr;  ///< Of what may belong to the tuple.
  bool signature_seen_ = false;
  bool ended_ = false;
};

/// Tuples that are taken apart together, field by field: where the next one begins is found for all of them
/// at once, so that none waits for the length before. Used by one thread.
class tuple_block {
 public:
  static constexpr std::size_t tuples_max = 64;
  /// So many bytes behind a field can be read, and are not used.
  static constexpr std::size_t slack = 32;

  void clear() { count_ = 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Of a tuple that `raw` gave whole: its bytes, with `slack` behind them, must live as long as it is asked
  /// for.
  void add(std::string_view fields) {
    next_[count_] = fields.data();
    ends_[count_++] = fields.data() + fields.size();
  }
  /// Goes on to the next field of each; false: one of the tuples is cut short, and none is any good here.
  /// `usual`: the bytes that the field has where it is not NULL, 0 where they vary. A guess only, as in
  /// `tuple_reader`.
  bool next(std::size_t usual = 0);
  /// Whether all have been taken apart to their ends.
  [[nodiscard]] bool ended() const {
    return std::equal(next_.begin(), next_.begin() + count_, ends_.begin());
  }

  // Of the fields at hand.

  [[nodiscard]] bool is_null(std::size_t tuple) const { return lengths_[tuple] < 0; }
  [[nodiscard]] std::string_view value(std::size_t tuple) const {
    const auto length = static_cast<std::size_t>(lengths_[tuple]);
    return {next_[tuple] - length, length};
  }
  /// Of a field of so many bytes.
  template <std::size_t Bytes>
  [[nodiscard]] const char* bytes(std::size_t tuple) const {
    return next_[tuple] - Bytes;
  }
  [[nodiscard]] bool any_is_null() const { return any_is_null_; }
  /// Whether each has so many bytes.
  [[nodiscard]] bool all_have(std::size_t bytes) const {
    return same_length_ && lengths_[0] == static_cast<std::int32_t>(bytes);
  }

 private:
  bool all_go_on(std::size_t bytes);

  std::size_t count_ = 0;
  std::array<const char*, tuples_max> next_;  ///< Of each tuple, the end of its field at hand.
  std::array<const char*, tuples_max> ends_;
  std::array<std::int32_t, tuples_max> lengths_;  ///< -1: NULL.
  bool any_is_null_ = false;
  bool same_length_ = false;
};

/// Puts fields into a batch's columns, straight from the wire. Used by one thread.
class field_decoder {
 public:
  /// `check_utf8`: the server does not vouch for its texts (its encoding is SQL_ASCII).
  field_decoder(std::vector<column_type> columns, bool check_utf8,
                relational::text_rule invalid = relational::text_rule::dirty);

  /// Appends the field to its column; `none`, or why it cannot be there (`wrong_type`: the bytes are not of
  /// the column's type, and the table is not what it was). Nothing is appended then.
  dirty_code append(std::size_t column, std::string_view bytes, column_builder& to) {
    changed_.reset();
    const form& f = forms_[column];
    if (f.bytes != 0 && f.bytes != bytes.size()) {
      return dirty_code::wrong_type;
    }
    // What most fields are, here; the others behind a call.
    switch (f.wire) {
      case wire_form::int4:
        to.append(std::int64_t{static_cast<std::int32_t>(read_big<std::uint32_t>(bytes.data()))});
        return dirty_code::none;
      case wire_form::int8:
        to.append(static_cast<std::int64_t>(read_big<std::uint64_t>(bytes.data())));
        return dirty_code::none;
      case wire_form::numeric:
        if (std::int64_t unscaled = 0; f.is_decimal && read_small_numeric(bytes, f.scale, unscaled)) {
          to.append(int128{unscaled});
          return dirty_code::none;
        }
        break;
      case wire_form::text:
        if (!check_utf8_) {
          to.append_bytes(bytes);
          return dirty_code::none;
        }
        break;
      default:
        break;
    }
    return append_other(columns_[column], bytes, to);
  }
  /// Of the column's fields where they are not NULL; 0 where they vary, or there is no such column.
  [[nodiscard]] std::size_t usual_bytes(std::size_t column) const {
    return column < forms_.size() ? forms_[column].bytes : 0;
  }
  /// Whether `append_block` may be called: not where `changed` might have something to say.
  [[nodiscard]] bool has_blocks() const { return !check_utf8_; }
  /// Appends the fields at hand of all tuples to their column; false: one of them cannot be there, `append`
  /// says why, and the column has any number of them.
  bool append_block(std::size_t column, const tuple_block& tuples, column_builder& to);
  /// What `invalidText` made of the field appended last.
  [[nodiscard]] std::optional<change_rule> changed() const { return changed_; }
  /// What the column's value takes in a batch, at most.
  [[nodiscard]] std::size_t bytes_in_batch(std::size_t column, std::string_view bytes) const;
  /// The server's text of the field, for a dirty record.
  [[nodiscard]] std::string text_of(std::size_t column, std::string_view bytes) const;

 private:
  /// What `append` decides by, close together.
  struct form {
    wire_form wire = wire_form::as_text;
    bool is_decimal = false;
    std::uint8_t scale = 0;
    std::uint8_t bytes = 0;  ///< 0 where they vary.
  };
  dirty_code append_other(const column_type& column, std::string_view bytes, column_builder& to);
  dirty_code append_text(std::string_view bytes, column_builder& to);
  dirty_code append_number(const column_type& column, std::string_view bytes, column_builder& to);

  std::vector<column_type> columns_;
  std::vector<form> forms_;
  bool check_utf8_;
  relational::text_rule invalid_;
  std::optional<change_rule> changed_;
  std::string scratch_;
};

/// Microseconds or days since 2000 as the server writes them with DateStyle ISO: `0044-03-15 BC`, `infinity`.
std::string date_text(std::int32_t days);
std::string timestamp_text(std::int64_t micros, bool is_instant);

}  // namespace sluice::postgresql
