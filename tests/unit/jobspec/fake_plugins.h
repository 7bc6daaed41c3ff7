#pragma once

#include <string>
#include <vector>

#include "jobspec/job.h"

namespace sluice {

/// Plugins with a few options each, as `parse_job` sees them: the three there are, and `fakedb` and
/// `fakefile` with the keys and the defaults of relational and file plugins (job-formats 2.0, 2.7, 8.3).
/// Static lifetime.
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

inline std::vector<option> fake_database_ends() {
  return {{.name = "datasource", .meaning = "Name in the registry."},
          {.name = "connection",
           .type = option_type::object_list,
           .meaning = "Databases.",
           .members = {{.name = "datasource", .meaning = "Name in the registry."},
                       {.name = "jdbcUrl", .type = option_type::text_list, .meaning = "Addresses."},
                       {.name = "table", .type = option_type::text_list, .meaning = "Tables."},
                       {.name = "querySql", .type = option_type::text_list, .meaning = "Queries."}}},
          {.name = "username", .meaning = "Account."},
          {.name = "password", .meaning = "Its password.", .secret = true},
          {.name = "table", .type = option_type::text_list, .meaning = "Tables."},
          {.name = "column", .type = option_type::columns, .meaning = "Columns.", .required = true}};
}

inline const std::vector<option>& fake_database_reader() {
  static const std::vector<option> options = [] {
    auto all = fake_database_ends();
    const std::vector<option> own = {
        {.name = "where", .meaning = "Condition."},
        {.name = "querySql", .type = option_type::text_list, .meaning = "Queries."},
        {.name = "splitPk", .meaning = "Key."},
        {.name = "partition", .type = option_type::text_list, .meaning = "Partitions."},
        {.name = "fetchSize",
         .type = option_type::integer,
         .meaning = "Rows.",
         .default_text = "512",
         .datax_default_text = "1000",
         .number_min = 1}};
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }();
  return options;
}

inline const std::vector<option>& fake_database_writer() {
  static const std::vector<option> options = [] {
    auto all = fake_database_ends();
    const std::vector<option> own = {
        {.name = "preSql", .type = option_type::text_list, .meaning = "Before."},
        {.name = "postSql", .type = option_type::text_list, .meaning = "After."},
        {.name = "truncate", .type = option_type::boolean, .meaning = "Empties.", .default_text = "false"},
        {.name = "batchSize",
         .type = option_type::integer,
         .meaning = "Rows.",
         .default_text = "256",
         .datax_default_text = "2048",
         .number_min = 1},
        {.name = "emptyAsNull",
         .type = option_type::boolean,
         .meaning = "Empty text is NULL.",
         .default_text = "false",
         .datax_default_text = "true"}};
    all.insert(all.end(), own.begin(), own.end());
    return all;
  }();
  return options;
}

inline const std::vector<option>& fake_file_writer() {
  static const std::vector<option> options = {
      {.name = "path", .meaning = "Folder."},
      {.name = "fileFormat",
       .meaning = "Format.",
       .default_text = "csv",
       .datax_default_text = "text",
       .allowed = {"csv", "text"}},
      {.name = "nullFormat", .meaning = "Text of NULL.", .datax_default_text = "null"},
      {.name = "quoteChar", .type = option_type::character, .meaning = "Quote.", .default_text = "\""},
      {.name = "suffix", .meaning = "Ending of names.", .default_text = ".csv"},
      {.name = "dateFormat", .meaning = "A date pattern.", .default_text = "yyyy-MM-dd"}};
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
      {"fakedb", {"fakedb"}, true, dialect::script2, &fake_database_reader()},
      {"fakedb", {"fakedbreader"}, true, dialect::datax, &fake_database_reader()},
      {"fakedb", {"fakedb"}, false, dialect::script2, &fake_database_writer()},
      {"fakedb", {"fakedbwriter"}, false, dialect::datax, &fake_database_writer()},
      {"fakefile", {"fakefile"}, false, dialect::script2, &fake_file_writer()},
      {"fakefile", {"fakefilewriter"}, false, dialect::datax, &fake_file_writer()},
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
