#include "plugins/text/text_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "jobspec/option_mistakes.h"
#include "jobspec/words.h"
#include "plugins/text/charset_decoder.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// `safetySwitch` of DataX's CSV reader: its limit of a field.
constexpr std::uint64_t safe_field_chars = 100'000;
constexpr std::size_t delimiter_bytes_max = 16;

/// One byte for what must be one in the file: a quote, an escape, a comment, a record's end.
result<char> single_byte(const option_values& options, std::string_view name, const std::string& text) {
  if (text.size() != 1 || static_cast<unsigned char>(text[0]) >= 0x80) {
    return options.bad(name, fmt::format("{} is {}; write one ASCII character.", name, in_quotes(text)));
  }
  return text[0];
}

result<void> read_csv_config(const option_values& config, text_layout& layout, bool& delimiter_in_config) {
  csv_grammar& g = layout.grammar;
  SLUICE_TRY(const auto quoting, config.boolean("useTextQualifier"));
  SLUICE_TRY(const auto quote, config.text("textQualifier"));
  SLUICE_TRY(const auto trim, config.boolean("trimWhitespace"));
  SLUICE_TRY(const auto delimiter, config.text("delimiter"));
  SLUICE_TRY(const auto record_end, config.text("recordDelimiter"));
  SLUICE_TRY(const auto comments, config.boolean("useComments"));
  SLUICE_TRY(const auto comment, config.text("comment"));
  SLUICE_TRY(const auto escape_mode, config.integer("escapeMode"));
  SLUICE_TRY(const auto safety, config.boolean("safetySwitch"));
  SLUICE_TRY(const auto skip_empty, config.boolean("skipEmptyRecords"));
  SLUICE_TRY(const auto with_case, config.boolean("caseSensitive"));
  g.quoting = quoting.value_or(true);
  if (quote) {
    SLUICE_TRY(g.quote, single_byte(config, "textQualifier", *quote));
  }
  g.trim = trim.value_or(false);
  if (config.has("delimiter") && delimiter) {
    g.delimiter = *delimiter;
    delimiter_in_config = true;
  }
  // 0 is DataX's word for "CR LF, LF or CR".
  if (record_end && *record_end != std::string_view("\0", 1)) {
    SLUICE_TRY(const char byte, single_byte(config, "recordDelimiter", *record_end));
    g.record_end = byte;
  }
  if (comments.value_or(false)) {
    SLUICE_TRY(const char byte, single_byte(config, "comment", comment.value_or("#")));
    g.comment = byte;
  }
  g.backslash = escape_mode.value_or(1) == 2;
  if (safety.value_or(false)) {
    layout.field_chars_max = safe_field_chars;
  }
  layout.skip_empty = skip_empty.value_or(false);
  layout.headings_with_case = with_case.value_or(true);
  return {};
}

result<void> read_line_delimiter(const option_values& options, text_layout& layout) {
  if (!options.has("lineDelimiter")) {
    return {};
  }
  SLUICE_TRY(const std::string end, delimiter_of(options, "lineDelimiter", delimiter_bytes_max));
  // The usual ones mean the usual thing: files of other systems are read as well.
  if (end.find_first_not_of("\r\n") == std::string::npos) {
    return {};
  }
  SLUICE_TRY(const char byte, single_byte(options, "lineDelimiter", end));
  layout.grammar.record_end = byte;
  return {};
}

bool has_high_byte(const csv_grammar& g) {
  return g.backslash || (g.record_end && *g.record_end >= 0x30) || (g.comment && *g.comment >= 0x30) ||
         std::any_of(g.delimiter.begin(), g.delimiter.end(), [](char c) { return c >= 0x30; });
}

result<void> read_encoding(const option_values& options, text_layout& layout) {
  SLUICE_TRY(const auto encoding, options.text("encoding"));
  layout.encoding = encoding.value_or("UTF-8");
  const auto decoder = charset_decoder::find(layout.encoding);
  if (!decoder) {
    return options.bad("encoding", decoder.error().message);
  }
  // What is decoded whole is UTF-8 by the time it is looked at.
  const bool by_field =
      decoder->handling() == charset_handling::by_field && layout.format != file_format::json;
  layout.encoding_is_utf8 = !by_field;
  layout.decode_whole = !by_field && decoder->handling() != charset_handling::as_it_is;
  csv_grammar& g = layout.grammar;
  if (layout.encoding_is_utf8) {
    return {};
  }
  const auto not_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::any_of(g.delimiter.begin(), g.delimiter.end(), not_ascii)) {
    return options.bad(
        "fieldDelimiter",
        fmt::format("The delimiter {} is not ASCII; in encoding {} only ASCII delimiters can be read. "
                    "Convert the file to UTF-8.",
                    in_quotes(g.delimiter), in_quotes(layout.encoding)));
  }
  if (const auto& leads = decoder->lead_bytes(); std::find(leads.begin(), leads.end(), true) != leads.end()) {
    if (g.quoting && g.quote >= 0x30) {
      return options.bad("csvReaderConfig.textQualifier",
                         fmt::format("The quote {} may be half of a character in encoding {}; use \" or '.",
                                     in_quotes(std::string(1, g.quote)), in_quotes(layout.encoding)));
    }
    g.wide_characters = has_high_byte(g);
    g.lead_bytes = leads;
  }
  return {};
}

/// Characters that mean two things at once make a file unreadable.
result<void> check_grammar(const option_values& options, const csv_grammar& g, bool delimiter_in_config) {
  const std::string_view option = delimiter_in_config ? "csvReaderConfig.delimiter" : "fieldDelimiter";
  const auto contains = [&](char c) { return g.delimiter.find(c) != std::string::npos; };
  if (g.quoting && contains(g.quote)) {
    return options.bad(option,
                       fmt::format("The delimiter {} contains the quote character {}; choose another one, or "
                                   "set csvReaderConfig.useTextQualifier to false.",
                                   in_quotes(g.delimiter), in_quotes(std::string(1, g.quote))));
  }
  if (g.record_end ? contains(*g.record_end) : contains('\n') || contains('\r')) {
    return options.bad(option,
                       fmt::format("The delimiter {} contains the end of a record; choose another one.",
                                   in_quotes(g.delimiter)));
  }
  const bool quote_ends = g.record_end ? g.quote == *g.record_end : g.quote == '\n' || g.quote == '\r';
  if (g.quoting && (quote_ends || (g.backslash && g.quote == '\\'))) {
    return options.bad("csvReaderConfig.textQualifier", "The quote character has another meaning already.");
  }
  if (g.backslash && contains('\\')) {
    return options.bad(option,
                       "The delimiter contains the backslash, which escapeMode 2 gives another meaning.");
  }
  return {};
}

result<void> read_grammar(const option_values& options, text_layout& layout) {
  csv_grammar& g = layout.grammar;
  if (layout.format == file_format::json) {
    g.delimiter.clear();
    g.quoting = false;
    SLUICE_TRY(const auto skip_empty, options.boolean("skipEmptyRecords"));
    layout.skip_empty = skip_empty.value_or(false);
    return read_encoding(options, layout);
  }
  bool delimiter_in_config = false;
  option_mistakes wrong;
  option_values config;
  if (wrong.take(options.object("csvReaderConfig"), config)) {
    wrong.check(read_csv_config(config, layout, delimiter_in_config));
  }
  if (options.has("fieldDelimiter") || !delimiter_in_config) {
    wrong.take(delimiter_of(options, "fieldDelimiter", delimiter_bytes_max), g.delimiter);
    delimiter_in_config = false;
  }
  if (options.has("skipEmptyRecords")) {
    std::optional<bool> skip_empty;
    wrong.take(options.boolean("skipEmptyRecords"), skip_empty);
    layout.skip_empty = skip_empty.value_or(false);
  }
  wrong.check(read_line_delimiter(options, layout));
  g.quoting = g.quoting && layout.format == file_format::csv;
  if (!wrong.any()) {
    wrong.check(check_grammar(options, g, delimiter_in_config));
  }
  wrong.check(read_encoding(options, layout));
  return wrong.all();
}

result<column_spec> column_of(const option_values& item, const text_layout& layout,
                              const conversion_context& formats) {
  column_spec column;
  column.place = item.place("");
  SLUICE_TRY(const auto index, item.integer("index"));
  SLUICE_TRY(const auto value, item.text("value"));
  SLUICE_TRY(const auto name, item.text("name"));
  SLUICE_TRY(const auto type, item.text("type"));
  SLUICE_TRY(column.format, item.text("format"));
  if (index) {
    column.index = static_cast<std::size_t>(*index);
  }
  column.constant = value;
  column.name = name.value_or("");
  const bool json = layout.format == file_format::json;
  if (json && index) {
    return item.bad("index",
                    "columns of JSON Lines are named, not numbered; write \"name\" in place of \"index\".");
  }
  if (index && value) {
    return item.bad("", "the column has both \"index\" and \"value\"; keep one of them.");
  }
  if (!index && !value && !name) {
    return item.bad("", json ? "the column has neither \"name\" nor \"value\"; write one of them."
                             : "the column has neither \"index\" nor \"value\"; write one of them.");
  }
  if (!index && !value && !json && !layout.skip_header) {
    return item.bad("name",
                    "a column by its heading needs \"skipHeader\": true; write \"index\" for a file without "
                    "headings.");
  }
  if (!type) {
    return item.bad("type",
                    "the column has no \"type\"; write STRING, LONG, DOUBLE, BOOLEAN, DATE or BYTES.");
  }
  const auto declared = declared_type_of(trimmed(*type));
  if (!declared) {
    return item.bad("type", fmt::format("the type is {}; write STRING, LONG, DOUBLE, BOOLEAN, DATE or BYTES.",
                                        in_quotes(*type)));
  }
  column.type = *declared;
  if (column.type == declared_type::bytes && !column.format) {
    column.format = std::string(to_string(layout.bytes));
  }
  const auto parser = value_parser::make(column.type, column.format, formats);
  if (!parser) {
    return item.bad("format", parser.error().message);
  }
  return column;
}

result<void> check_constant(const option_values& item, const column_spec& column,
                            const conversion_context& formats) {
  SLUICE_TRY(auto parser, value_parser::make(column.type, column.format, formats));
  column_builder scratch(parser.type(), buffer_pool::make(0));
  if (const dirty_code code = parser.append(*column.constant, scratch); code != dirty_code::none) {
    return item.bad(
        "value", fmt::format("the constant {} is not {}.", in_quotes(*column.constant), parser.expected()));
  }
  return {};
}

result<void> read_columns(const option_values& options, const conversion_context& formats,
                          text_layout& layout) {
  const auto& json = options.json();
  const auto at = json.is_object() ? json.find("column") : json.end();
  const bool given = at != json.end() && options.has("column");
  if (!given || (at->is_string() && at->get<std::string>() == "*") ||
      (at->is_array() && at->size() == 1 && at->front() == "*")) {
    layout.all_columns = true;
    return {};
  }
  if (at->is_array() && at->empty()) {
    return options.bad(
        "column", "the list is empty; write [\"*\"] for all fields, or objects with \"index\" and \"type\".");
  }
  SLUICE_TRY(const auto items, options.object_list("column"));
  option_mistakes wrong;
  for (const option_values& item : items) {
    column_spec column;
    if (wrong.take(column_of(item, layout, formats), column)) {
      if (column.constant) {
        wrong.check(check_constant(item, column, formats));
      }
      layout.columns.push_back(std::move(column));
    }
  }
  return wrong.all();
}

}  // namespace

result<text_layout> text_layout_of(const option_values& options, const conversion_context& formats) {
  text_layout layout;
  option_mistakes wrong;
  if (wrong.take(options.text_list("path"), layout.paths) && layout.paths.empty()) {
    wrong.check<void>(options.bad(
        "path", "no path is given; write the name of a file or a pattern such as \"/data/*.csv\"."));
  }
  // What a file's format means for its grammar and columns is not known without it.
  const bool format_known = wrong.take(file_format_of(options), layout.format);
  wrong.take(compression_of(options), layout.compressed);
  std::optional<bool> skip_header;
  wrong.take(options.boolean("skipHeader"), skip_header);
  layout.skip_header = skip_header.value_or(false) && layout.format != file_format::json;
  std::optional<std::string> other_fields;
  wrong.take(options.text("otherFields"), other_fields);
  layout.other_fields_dirty = other_fields == "dirty";
  std::optional<std::string> other_spelling;
  wrong.take(options.text("otherSpelling"), other_spelling);
  layout.other_spelling_dirty = other_spelling == "dirty";
  wrong.check(format_known ? read_grammar(options, layout) : read_encoding(options, layout));
  if (layout.format != file_format::json) {
    wrong.take(options.text("nullFormat"), layout.null_text);
    if (layout.null_text) {
      layout.null_text = unescaped_characters(*layout.null_text);
    }
    if (layout.null_text && layout.grammar.trim) {
      layout.null_text = std::string(trimmed(*layout.null_text));
    }
  }
  wrong.take(bytes_format_of(options), layout.bytes);
  if (format_known) {
    wrong.check(read_columns(options, formats, layout));
  }
  std::optional<bool> no_file;
  wrong.take(options.boolean("successOnNoFile"), no_file);
  layout.no_file_is_success = no_file.value_or(false);
  std::optional<bool> inner_splits;
  wrong.take(options.boolean("enableInnerSplit"), inner_splits);
  layout.file_is_one_split = !inner_splits.value_or(true);
  wrong.take(options.text("markDoneFileName"), layout.awaited_file);
  std::optional<std::int64_t> minutes;
  wrong.take(options.integer("maxRetryTime"), minutes);
  layout.awaited_minutes_max = minutes.value_or(60);
  SLUICE_CHECK(wrong.all());
  return layout;
}

}  // namespace sluice
