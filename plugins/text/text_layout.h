#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/text/csv_grammar.h"
#include "plugins/text/keys_seen.h"
#include "plugins/text/text_options.h"
#include "plugins/text/value_parser.h"
#include "transport/record/schema.h"

namespace sluice {

/// A record with more fields than this is dirty: a limit on what one record's index may take.
inline constexpr std::size_t fields_max = 65536;

/// One column as the job writes it.
struct column_spec {
  std::optional<std::size_t> index;     ///< Of the field, from 0; CSV and text only.
  std::optional<std::string> constant;  ///< `value`.
  std::string name;                     ///< The key (JSON), a heading (CSV without index), else only a name.
  declared_type type = declared_type::string_text;
  std::optional<std::string> format;
  std::string place;  ///< For messages.
};

/// What the job's text says of how files are read; immutable, shared by source and readers.
struct text_layout {
  std::vector<std::string> paths;
  file_format format = file_format::csv;
  compression compressed = compression::none;
  std::string encoding = "UTF-8";
  bool encoding_is_utf8 =
      true;  ///< Or ASCII: bytes are taken as they are (behind a whole decoding, if there is one).
  bool decode_whole = false;
  csv_grammar grammar;
  bool skip_header = false;
  bool skip_empty = false;
  bool headings_with_case = true;
  std::optional<std::string> null_text;          ///< An unquoted field equal to it is NULL.
  std::optional<std::uint64_t> field_chars_max;  ///< `safetySwitch`.
  bool all_columns = false;                      ///< `["*"]`.
  bool other_fields_dirty = false;               ///< `otherFields`.
  bool other_spelling_dirty = false;             ///< `otherSpelling`.
  bytes_form bytes = bytes_form::text;           ///< Of columns without a `format`.
  std::vector<column_spec> columns;
  bool no_file_is_success = false;
  bool file_is_one_split = false;           ///< `enableInnerSplit` is false.
  std::optional<std::string> awaited_file;  ///< `markDoneFileName`.
  std::int64_t awaited_minutes_max = 60;
};

/// The layout, checked as far as the text alone shows; every `bad_option` names the place in the job file.
result<text_layout> text_layout_of(const option_values& options, const conversion_context& formats);

/// The columns once the files' first record is known where that is needed; immutable.
struct bound_columns {
  struct column {
    std::size_t field = 0;  ///< Index in the record (CSV, text).
    std::optional<std::string> constant;
    std::string key;  ///< JSON.
  };
  schema_ptr columns_schema;
  std::vector<column> columns;
  std::vector<value_parser> parsers;        ///< One a column; each reader has copies of its own.
  std::size_t fields_needed = 0;            ///< Fields a record must have at least.
  std::optional<std::size_t> fields_exact;  ///< With `["*"]` or `otherFields`: fields a record must have.
  std::vector<std::string> headings;        ///< The header's texts; empty without one.
  std::shared_ptr<keys_seen> keys;          ///< JSON: what the readers find; the one thing that changes.
};

}  // namespace sluice
