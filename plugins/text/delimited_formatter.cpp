#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "plugins/common/output/value_printer.h"
#include "plugins/text/byte_search.h"
#include "plugins/text/column_guess.h"
#include "plugins/text/record_formatter.h"
#include "transport/base/text.h"
#include "transport/record/format.h"
#include "transport/record/utf8.h"

namespace sluice {
namespace {

using byte_search::wanted;

/// What most fields are, and all that is needed to write them, close together.
struct plain_cells {
  enum class kind : std::uint8_t { integer, decimal, date, text, other, end };
  kind what = kind::other;
  std::uint8_t scale = 0;
  const std::byte* values = nullptr;
  const std::int32_t* offsets = nullptr;
  const std::byte* values_end = nullptr;

  template <class T>
  [[nodiscard]] T get(std::size_t row) const {
    T value;
    std::memcpy(&value, values + row * sizeof(T), sizeof value);
    return value;
  }
};

plain_cells::kind kind_of(const data_type& type) {
  switch (type.id) {
    case type_id::int64:
      return plain_cells::kind::integer;
    case type_id::decimal:
      return plain_cells::kind::decimal;
    case type_id::date:
      return plain_cells::kind::date;
    case type_id::utf8:
      return plain_cells::kind::text;
    default:
      return plain_cells::kind::other;
  }
}

/// What is known of one column: of the schema from the start, of the batch at hand after `begin`.
struct column_state {
  std::optional<value_printer> printer;  // Nothing for columns that are text already.
  bool binary = false;
  bool encoded = false;  // Bytes in another form than text.
  const column* values = nullptr;
  bool has_special = false;  // Some value of the batch has a byte that needs a look.
  bool has_nulls = false;
  bool prints_plain = false;  // No printed value has a byte that needs a look, nor is one like nullFormat.
};

class delimited_formatter final : public record_formatter {
  /// What `put_plain` may write over behind a text; the next field lies there.
  static constexpr std::size_t slack = 32;

 public:
  static result<std::unique_ptr<record_formatter>> make(const text_writer_options& options,
                                                        schema_ptr columns, const time_zone_ptr& zone) {
    std::unique_ptr<delimited_formatter> made(new delimited_formatter(options, std::move(columns)));
    for (const field& f : *made->schema_) {
      column_state& state = made->columns_.emplace_back();
      state.binary = f.type.id == type_id::binary;
      state.encoded = state.binary && options.bytes != bytes_form::text;
      if (!has_offsets(f.type.id)) {
        SLUICE_TRY(state.printer,
                   value_printer::make(f.type, {.zone = zone, .date_format = options.date_format}));
        state.prints_plain =
            !options.date_format && !made->is_special_in_values() && is_never_printed(options.null_text);
        made->fixed_room_ += 2 * state.printer->chars_max() + 2;  // A printed date may need quotes, too.
      } else {
        made->texts_.push_back(made->columns_.size() - 1);
      }
      made->fixed_room_ +=
          options.field_delimiter.size() + std::max<std::size_t>(options.null_text.size(), 2);
    }
    made->fixed_room_ += options.line_delimiter.size() + options.field_delimiter.size() + slack;
    made->cells_.resize(made->columns_.size());
    made->cells_.push_back({plain_cells::kind::end});
    return made;
  }

  void begin(const batch& b) override {
    rows_ = b.rows;
    room_known_end_ = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      column_state& state = columns_[i];
      state.values = &b.columns[i];
      state.has_nulls = !state.values->validity.empty();
      if (b.rows == 0) {
        continue;
      }
      if (state.printer) {
        choose(i, state.prints_plain && !state.has_nulls);
        continue;
      }
      const auto* offsets = state.values->offsets.as<std::int32_t>();
      const auto size = static_cast<std::size_t>(offsets[b.rows] - offsets[0]);
      const char* const bytes = state.values->values.as<char>() + offsets[0];
      state.has_special = size != 0 && byte_search::find(bytes, size, special_) != size;
      choose(i, !state.has_special && !state.has_nulls);
    }
  }

  bool append(std::uint32_t row, growing_buffer& to, refused_row& refused) override {
    if (row >= room_known_end_ || to.capacity() - to.size() < room_) {
      make_room(row, to);
    }
    char* const begin = to.as<char>();
    char* at = begin + to.size();
    const std::string_view delimiter = options_.field_delimiter;
    // Columns alike are written in a loop of their own: what comes next is guessed wrong less often.
    const plain_cells* cells = cells_.data();
    using kind = plain_cells::kind;
    while (cells->what != kind::end) {
      switch (cells->what) {
        case kind::integer:
          do {
            at = put(delimiter, write_int64(cells->get<std::int64_t>(row), at));
          } while ((++cells)->what == kind::integer);
          break;
        case kind::decimal:
          do {
            at = put(delimiter, write_decimal(cells->get<int128>(row), cells->scale, at));
          } while ((++cells)->what == kind::decimal);
          break;
        case kind::date:
          do {
            at = put(delimiter, write_iso_date(cells->get<std::int32_t>(row), at));
          } while ((++cells)->what == kind::date);
          break;
        case kind::text:
        case kind::other:
        case kind::end:
          do {
            const std::string_view text = cells->what == kind::text ? text_of(*cells, row) : "";
            at = is_plain(text)
                     ? put_plain(*cells, text, at)
                     : append_other(static_cast<std::size_t>(cells - cells_.data()), row, at, refused);
            if (at == nullptr) {
              return false;
            }
            at = put(delimiter, at);
          } while ((++cells)->what == kind::text);
          break;
      }
    }
    at = put(options_.line_delimiter, at - delimiter.size());
    to.resize(static_cast<std::size_t>(at - begin));
    return true;
  }

  [[nodiscard]] std::string header() const override {
    if (options_.header.empty()) {
      return {};
    }
    std::string line;
    for (const std::string& name : options_.header) {
      if (!line.empty()) {
        line += options_.field_delimiter;
      }
      const bool plain = byte_search::find(name.data(), name.size(), special_) == name.size();
      std::string room(2 * name.size() + 2, '\0');
      line += plain || options_.format == file_format::text
                  ? name
                  : room.substr(0, static_cast<std::size_t>(put_quoted(name, room.data()) - room.data()));
    }
    return line + options_.line_delimiter;
  }

 private:
  delimited_formatter(const text_writer_options& options, schema_ptr columns)
      : options_(options),
        schema_(std::move(columns)),
        special_(special_of(options)),
        unlike_marks_(std::max(mark_bytes_max, options.null_text.size())) {}

  /// Bytes that make a CSV field quoted, or a field of joined text suspect.
  static special_bytes special_of(const text_writer_options& options) {
    const char quote = options.format == file_format::csv ? options.quote : '\n';
    const char line = options.line_delimiter.front();
    return {options.field_delimiter.front(), quote, '\n', '\r', line};
  }

  static constexpr std::string_view in_values = "0123456789+-.: abcdefghijklmnopqrstuvwxyzINT";

  /// Whether no number, boolean or ISO date has this text.
  static bool is_never_printed(std::string_view text) {
    return text.empty() || text.find_first_not_of(in_values) != std::string_view::npos;
  }
  /// Whether a special byte may stand in a number, a boolean or an ISO date.
  [[nodiscard]] bool is_special_in_values() const {
    return byte_search::find(in_values.data(), in_values.size(), special_) != in_values.size();
  }

  /// The most that the rows take.
  [[nodiscard]] std::size_t room_of(std::uint32_t first, std::uint32_t last) const {
    std::size_t room = (last - first) * fixed_room_;
    for (const std::size_t i : texts_) {
      const column_state& state = columns_[i];
      const std::int32_t* const offsets = cells_[i].offsets;
      const auto length = static_cast<std::size_t>(offsets[last] - offsets[first]);
      room += state.encoded ? 2 * bytes_chars_max(length) : state.has_special ? 2 * length : length;
    }
    return room;
  }

  /// For the row and some behind it, so long as these are short.
  void make_room(std::uint32_t row, growing_buffer& to) {
    constexpr std::uint32_t rows_together = 16;
    constexpr std::size_t short_bytes = std::size_t{64} << 10;
    room_known_end_ = std::min(row + rows_together, rows_);
    room_ = room_of(row, room_known_end_);
    if (room_ > short_bytes) {
      room_known_end_ = row + 1;
      room_ = room_of(row, row + 1);
      to.reserve(to.size() + room_);
    } else {
      to.reserve(to.size() + 2 * room_);  // so that there is enough for the last of them, too
    }
  }

  static char* put(std::string_view text, char* at) {
    if (text.size() == 1) {
      *at = text.front();
      return at + 1;
    }
    if (!text.empty()) {  // An empty column's bytes may be nowhere, which memcpy must not be given.
      std::memcpy(at, text.data(), text.size());
    }
    return at + text.size();
  }

  char* put_quoted(std::string_view text, char* at) const {
    *at++ = options_.quote;
    for (;;) {
      const std::size_t quote = text.find(options_.quote);
      if (quote == std::string_view::npos) {
        break;
      }
      std::memcpy(at, text.data(), quote + 1);
      at += quote + 1;
      *at++ = options_.quote;
      text.remove_prefix(quote + 1);
    }
    at = put(text, at);
    *at++ = options_.quote;
    return at;
  }

  /// How the column's fields of the batch at hand are written.
  void choose(std::size_t index, bool is_plain) {
    const column& values = *columns_[index].values;
    const data_type& type = (*schema_)[index].type;
    cells_[index] = {is_plain ? kind_of(type) : plain_cells::kind::other, type.scale, values.values.data(),
                     values.offsets.as<std::int32_t>(), values.values.data() + values.values.size()};
  }

  static std::string_view text_of(const plain_cells& cells, std::size_t row) {
    const auto first = static_cast<std::size_t>(cells.offsets[row]);
    return {reinterpret_cast<const char*>(cells.values) + first,
            static_cast<std::size_t>(cells.offsets[row + 1]) - first};
  }
  /// Whether a text without a special byte is neither empty nor like a mark of NULL.
  [[nodiscard]] bool is_plain(std::string_view text) const {
    return text.size() > unlike_marks_ ? text.front() != '\\'
                                       : !text.empty() && !may_be_mark(text) && text != options_.null_text;
  }

  /// Short ones all take the same loads and stores, which need no guess of their length.
  static char* put_plain(const plain_cells& cells, std::string_view text, char* at) {
    if (text.size() <= slack &&
        reinterpret_cast<const char*>(cells.values_end) - text.data() >= static_cast<std::ptrdiff_t>(slack)) {
      std::memcpy(at, text.data(), slack);
    } else {
      std::memcpy(at, text.data(), text.size());
    }
    return at + text.size();
  }

  // Each puts a field at `at` and returns its end; nullptr: it is refused.

  char* append_other(std::size_t index, std::uint32_t row, char* at, refused_row& refused) {
    const column_state& state = columns_[index];
    return state.has_nulls && state.values->is_null(row) ? put(options_.null_text, at)
           : state.printer                               ? print(index, row, at, refused)
                                                         : append_text(index, row, at, refused);
  }

  char* append_text(std::size_t index, std::uint32_t row, char* at, refused_row& refused) {
    const column_state& state = columns_[index];
    const std::string_view text = text_of(cells_[index], row);
    if (state.encoded) {
      return append_encoded(index, row, text, at, refused);
    }
    if (state.binary && !is_utf8(text)) {
      return refuse(index, row, dirty_code::invalid_utf8, no_text_in_bytes, refused);
    }
    const bool suspect =
        state.has_special && byte_search::find(text.data(), text.size(), special_) != text.size();
    return suspect || !is_plain(text) ? append_suspect(index, row, text, at, refused)
                                      : put_plain(cells_[index], text, at);
  }

  char* append_encoded(std::size_t index, std::uint32_t row, std::string_view bytes, char* at,
                       refused_row& refused) {
    printed_.clear();
    append_bytes_as(options_.bytes, bytes, printed_);
    return append_suspect(index, row, printed_, at, refused);
  }

  /// A text that is empty, equal to nullFormat, a mark of NULL or bytes, or has a byte that may need quotes.
  char* append_suspect(std::size_t index, std::uint32_t row, std::string_view text, char* at,
                       refused_row& refused) {
    if (options_.format == file_format::text) {
      if (breaks_line(index, text)) {
        return refuse(
            index, row, dirty_code::not_representable,
            "The text has a delimiter or a line break, which fileFormat text cannot hold; write csv.",
            refused);
      }
      return put(text, at);
    }
    const bool must = text == options_.null_text || (!columns_[index].encoded && is_mark_unquoted(text)) ||
                      byte_search::find(text.data(), text.size(), special_) != text.size();
    return must ? put_quoted(text, at) : put(text, at);
  }

  /// Whether the text would not read back as one field. What stands behind it is looked at too, because the
  /// end of the text and the beginning of a delimiter of several bytes may make one before it.
  [[nodiscard]] bool breaks_line(std::size_t index, std::string_view text) const {
    if (text.find_first_of("\r\n") != std::string_view::npos) {
      return true;
    }
    const bool last = index + 1 == columns_.size();
    const std::string with = std::string(text) + (last ? options_.line_delimiter : options_.field_delimiter);
    return with.find(options_.field_delimiter) < text.size() ||
           with.find(options_.line_delimiter) < text.size();
  }

  char* print(std::size_t index, std::uint32_t row, char* at, refused_row& refused) {
    const column_state& state = columns_[index];
    const auto written = state.printer->write(*state.values, row, at);
    if (written.code != dirty_code::none) {
      return refuse(index, row, written.code, without_text(written.code), refused);
    }
    if (state.prints_plain) {
      return written.end;
    }
    const std::string_view text(at, static_cast<std::size_t>(written.end - at));
    if (text != options_.null_text && byte_search::find(at, text.size(), special_) == text.size()) {
      return written.end;
    }
    printed_.assign(text);
    return append_suspect(index, row, printed_, at, refused);
  }

  char* refuse(std::size_t index, std::uint32_t row, dirty_code code, std::string_view message,
               refused_row& refused) {
    refused = {row, (*schema_)[index].name, std::string(to_string(code)), std::string(message)};
    return nullptr;
  }

  const text_writer_options& options_;
  schema_ptr schema_;
  const wanted special_;
  const std::size_t unlike_marks_;  // A longer text without a backslash is none.
  std::vector<column_state> columns_;
  std::vector<plain_cells> cells_;  // One for each column, and an end.
  std::vector<std::size_t> texts_;  // Columns without a printer.
  std::size_t fixed_room_ = 0;
  std::uint32_t rows_ = 0;            // Of the batch at hand.
  std::uint32_t room_known_end_ = 0;  // Before it each row of the batch takes at most `room_`.
  std::size_t room_ = 0;
  std::string printed_;
};

}  // namespace

result<std::unique_ptr<record_formatter>> make_delimited_formatter(const text_writer_options& options,
                                                                   schema_ptr columns,
                                                                   const time_zone_ptr& zone) {
  return delimited_formatter::make(options, std::move(columns), zone);
}

}  // namespace sluice
