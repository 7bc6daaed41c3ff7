#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <utility>

#include "plugins/common/output/value_printer.h"
#include "plugins/text/byte_search.h"
#include "plugins/text/record_formatter.h"
#include "transport/base/text.h"
#include "transport/record/utf8.h"

namespace sluice {
namespace {

/// How a column's values stand in JSON.
enum class json_form { text, number, plain };

json_form form_of(type_id id) {
  switch (id) {
    case type_id::boolean:
      return json_form::plain;
    case type_id::int64:
    case type_id::uint64:
    case type_id::float32:
    case type_id::float64:
    case type_id::decimal:
    case type_id::decimal_text:
      return json_form::number;
    default:
      return json_form::text;
  }
}

struct json_column {
  std::string key;  // With the brace or comma before and the colon behind.
  json_form form = json_form::text;
  std::optional<value_printer> printer;  // Nothing for columns that are text already.
  bool binary = false;
  const column* values = nullptr;
};

class json_formatter final : public record_formatter {
 public:
  static result<std::unique_ptr<record_formatter>> make(const text_writer_options& options,
                                                        schema_ptr columns, const time_zone_ptr& zone) {
    std::unique_ptr<json_formatter> made(new json_formatter(options, std::move(columns)));
    for (std::size_t i = 0; i < made->schema_->size(); ++i) {
      const field& f = (*made->schema_)[i];
      const std::string& name = i < options.header.size() ? options.header[i] : f.name;
      if (name.empty()) {
        return fail(error_kind::bad_option,
                    "Column {} has no name, which JSON needs; set `header` to the names of the columns.",
                    i + 1);
      }
      json_column& c = made->columns_.emplace_back();
      c.key = i == 0 ? "{" : ",";
      growing_text key(c.key);
      append_quoted(name, key);
      c.key += ':';
      c.form = form_of(f.type.id);
      c.binary = f.type.id == type_id::binary;
      if (!has_offsets(f.type.id)) {
        SLUICE_TRY(c.printer,
                   value_printer::make(f.type, {.zone = zone, .date_format = options.date_format}));
      }
    }
    return made;
  }

  void begin(const batch& b) override {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      columns_[i].values = &b.columns[i];
    }
  }

  bool append(std::uint32_t row, growing_buffer& to, refused_row& refused) override {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      json_column& c = columns_[i];
      to.append(c.key.data(), c.key.size());
      if (c.values->is_null(row)) {
        to.append("null", 4);
      } else if (!append_value(i, row, to, refused)) {
        return false;
      }
    }
    constexpr std::string_view end = "}";
    to.append(end.data(), end.size());
    to.append(options_.line_delimiter.data(), options_.line_delimiter.size());
    return true;
  }

  [[nodiscard]] std::string header() const override { return {}; }

 private:
  /// A std::string with the one call of growing_buffer that is used here.
  struct growing_text {
    explicit growing_text(std::string& t) : text(t) {}
    void append(const char* from, std::size_t size) { text.append(from, size); }
    std::string& text;
  };

  json_formatter(const text_writer_options& options, schema_ptr columns)
      : options_(options), schema_(std::move(columns)) {}

  bool append_value(std::size_t index, std::uint32_t row, growing_buffer& to, refused_row& refused) {
    const json_column& c = columns_[index];
    char room[512];
    std::string_view text;
    if (c.printer) {
      // A pattern of the job may be long; only then is memory taken.
      std::string large(c.printer->chars_max() > sizeof room ? c.printer->chars_max() : 0, '\0');
      char* const begin = large.empty() ? room : large.data();
      const auto written = c.printer->write(*c.values, row, begin);
      if (written.code != dirty_code::none) {
        return refuse(index, row, written.code, without_text(written.code), refused);
      }
      text = {begin, static_cast<std::size_t>(written.end - begin)};
      return append_text(index, row, text, to, refused);
    }
    text = c.values->get_bytes(row);
    if (c.binary && options_.bytes != bytes_form::text) {
      encoded_.clear();
      append_bytes_as(options_.bytes, text, encoded_);
      text = encoded_;
    }
    return append_text(index, row, text, to, refused);
  }

  bool append_text(std::size_t index, std::uint32_t row, std::string_view text, growing_buffer& to,
                   refused_row& refused) {
    const json_column& c = columns_[index];
    if (c.form == json_form::number && (text == "NaN" || text.ends_with("Infinity"))) {
      return refuse(index, row, dirty_code::not_finite, "JSON has no NaN and no infinity.", refused);
    }
    if (c.binary && !is_utf8(text)) {
      return refuse(index, row, dirty_code::invalid_utf8, no_text_in_bytes, refused);
    }
    if (c.form == json_form::text) {
      append_quoted(text, to);
    } else {
      to.append(text.data(), text.size());
    }
    return true;
  }

  template <class Text>
  static void append_quoted(std::string_view text, Text& to) {
    const byte_search::wanted special(special_bytes{'"', '\\', '"', '"', '"', true});
    to.append("\"", 1);
    for (;;) {
      const std::size_t plain = byte_search::find(text.data(), text.size(), special);
      to.append(text.data(), plain);
      if (plain == text.size()) {
        break;
      }
      const std::string escape = escape_of(text[plain]);
      to.append(escape.data(), escape.size());
      text.remove_prefix(plain + 1);
    }
    to.append("\"", 1);
  }

  static std::string escape_of(char c) {
    constexpr std::string_view letters = "\"\\\n\r\t";
    constexpr std::string_view escapes = "\"\\nrt";
    const std::size_t at = letters.find(c);
    return at != std::string_view::npos ? std::string{'\\', escapes[at]}
                                        : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
  }

  bool refuse(std::size_t index, std::uint32_t row, dirty_code code, std::string_view message,
              refused_row& refused) {
    refused = {row, (*schema_)[index].name, std::string(to_string(code)), std::string(message)};
    return false;
  }

  const text_writer_options& options_;
  schema_ptr schema_;
  std::vector<json_column> columns_;
  std::string encoded_;
};

}  // namespace

result<std::unique_ptr<record_formatter>> make_json_formatter(const text_writer_options& options,
                                                              schema_ptr columns, const time_zone_ptr& zone) {
  return json_formatter::make(options, std::move(columns), zone);
}

}  // namespace sluice
