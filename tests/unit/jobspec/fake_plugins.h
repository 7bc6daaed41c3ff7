#pragma once

#include <string>
#include <vector>

#include "jobspec/job.h"

namespace sluice {

/// Three plugins with a few options each, as `parse_job` sees them. Static lifetime.
inline const std::vector<option>& fake_text_reader() {
  static const std::vector<option> options = {
      {.name = "path", .type = option_type::text_list, .meaning = "Files to read.", .required = true},
      {.name = "column",
       .type = option_type::columns,
       .meaning = "Columns in order.",
       .required = true,
       .members =
           {{.name = "index", .type = option_type::integer, .meaning = "Field, from 0.", .number_min = 0},
            {.name = "name", .meaning = "Name."},
            {.name = "value", .meaning = "A constant.", .blank_is_value = true},
            {.name = "format", .meaning = "A date pattern."},
            {.name = "type",
             .meaning = "Type.",
             .required = true,
             .allowed = {"string", "long", "boolean", "double", "date"}}}},
      {.name = "fieldDelimiter",
       .type = option_type::delimiter,
       .meaning = "Between fields.",
       .default_text = ",",
       .aliases = {"delimiter"}},
      {.name = "skipHeader",
       .type = option_type::boolean,
       .meaning = "Skips a header.",
       .default_text = "false"},
      {.name = "fileFormat",
       .meaning = "Format.",
       .default_text = "csv",
       .allowed = {"csv", "text", "json", "jsonl"}},
      {.name = "encoding", .meaning = "Encoding.", .default_text = "UTF-8"},
      {.name = "nullFormat", .meaning = "Text of NULL.", .blank_is_value = true},
      {.name = "csvReaderConfig",
       .type = option_type::object,
       .meaning = "Details of CSV.",
       .members = {{.name = "textQualifier", .type = option_type::character, .meaning = "Quote."},
                   {.name = "trimWhitespace", .type = option_type::boolean, .meaning = "Trims."}}}};
  return options;
}

inline const std::vector<option>& fake_stream_reader() {
  static const std::vector<option> options = {
      {.name = "column", .type = option_type::columns, .meaning = "Columns.", .required = true},
      {.name = "sliceRecordCount",
       .type = option_type::integer,
       .meaning = "Records a slice.",
       .required = true,
       .number_min = 1}};
  return options;
}

inline const std::vector<option>& fake_stream_writer() {
  static const std::vector<option> options = {
      {.name = "print", .type = option_type::boolean, .meaning = "Prints.", .default_text = "true"}};
  return options;
}

inline const std::vector<option>& fake_sqlite_writer() {
  static const std::vector<option> options = {
      {.name = "connection",
       .type = option_type::object_list,
       .meaning = "The database.",
       .members = {{.name = "jdbcUrl", .meaning = "Address.", .required = true},
                   {.name = "table", .type = option_type::text_list, .meaning = "Table."}}},
      {.name = "jdbcUrl", .meaning = "Address."},
      {.name = "username", .meaning = "Account."},
      {.name = "password", .meaning = "Its password.", .secret = true},
      {.name = "key", .meaning = "Key of the file.", .secret = true},
      {.name = "table", .type = option_type::text_list, .meaning = "Table."},
      {.name = "column", .type = option_type::columns, .meaning = "Columns.", .required = true},
      {.name = "preSql", .type = option_type::text_list, .meaning = "Before."},
      {.name = "batchSize",
       .type = option_type::integer,
       .meaning = "Rows.",
       .default_text = "1024",
       .number_min = 1,
       .number_max = 100000},
      {.name = "writeMode",
       .meaning = "How rows are written.",
       .default_text = "insert",
       .allowed = {"insert", "replace", "update", "ignore"}}};
  return options;
}

inline plugin_lookup fake_plugins() {
  struct fake {
    std::string name;
    std::vector<std::string> types;
    bool reader;
    dialect form;
    const std::vector<option>* options;
  };
  static const std::vector<fake> all = {
      {"text", {"text", "csv", "json"}, true, dialect::script2, &fake_text_reader()},
      {"text", {"txtfilereader"}, true, dialect::datax, &fake_text_reader()},
      {"stream", {"stream"}, true, dialect::script2, &fake_stream_reader()},
      {"stream", {"streamreader"}, true, dialect::datax, &fake_stream_reader()},
      {"stream", {"stream"}, false, dialect::script2, &fake_stream_writer()},
      {"stream", {"streamwriter"}, false, dialect::datax, &fake_stream_writer()},
      {"sqlite", {"sqlite"}, false, dialect::script2, &fake_sqlite_writer()},
      {"sqlite", {"sqlitewriter"}, false, dialect::datax, &fake_sqlite_writer()},
  };
  static const std::vector<option_default> means_csv = {{"fileFormat", "csv"}};
  static const std::vector<option_default> means_json = {{"fileFormat", "json", {"jsonl"}}};
  plugin_lookup lookup;
  lookup.find = [](std::string_view type, bool reader, dialect d) -> std::optional<known_side> {
    for (const auto& one : all) {
      for (const auto& name : one.types) {
        if (name == type && one.reader == reader && one.form == d) {
          return known_side{one.name, one.options,
                            name == "csv"    ? &means_csv
                            : name == "json" ? &means_json
                                             : nullptr};
        }
      }
    }
    return std::nullopt;
  };
  lookup.names = [](bool reader, dialect d) {
    std::vector<std::string> names;
    for (const auto& one : all) {
      if (one.reader == reader && one.form == d) {
        names.insert(names.end(), one.types.begin(), one.types.end());
      }
    }
    return names;
  };
  return lookup;
}

}  // namespace sluice
