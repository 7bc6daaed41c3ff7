#include "plugins/text/text_reader.h"

namespace sluice {
namespace {

std::vector<option> csv_config_members() {
  return {
      {.name = "caseSensitive",
       .type = option_type::boolean,
       .meaning = "Whether headings are told apart by case where columns are found by name.",
       .default_text = "true"},
      {.name = "textQualifier",
       .type = option_type::character,
       .meaning = "The quote character; a number is its code point.",
       .default_text = "\""},
      {.name = "useTextQualifier",
       .type = option_type::boolean,
       .meaning = "Whether fields may be quoted.",
       .default_text = "true"},
      {.name = "trimWhitespace",
       .type = option_type::boolean,
       .meaning = "Whether spaces and tabs around unquoted text are left out.",
       .default_text = "false"},
      {.name = "delimiter",
       .type = option_type::character,
       .meaning = "The delimiter where fieldDelimiter is not set."},
      {.name = "recordDelimiter",
       .type = option_type::character,
       .meaning = "The only character that ends a record; 0 or unset: CR LF, LF and CR."},
      {.name = "comment",
       .type = option_type::character,
       .meaning = "With useComments: lines that begin with it are left out.",
       .default_text = "#"},
      {.name = "useComments",
       .type = option_type::boolean,
       .meaning = "Whether there are comment lines.",
       .default_text = "false"},
      {.name = "escapeMode",
       .type = option_type::integer,
       .meaning =
           "1: a quote in a quoted field is doubled. 2: a backslash takes the next character's meaning away "
           "(\\n, \\r, \\t, \\b, \\f, \\v, \\a, \\e are control characters).",
       .default_text = "1",
       .number_min = 1,
       .number_max = 2},
      {.name = "safetySwitch",
       .type = option_type::boolean,
       .meaning = "Whether a field of more than 100,000 characters makes its record dirty.",
       .default_text = "false"},
      {.name = "skipEmptyRecords",
       .type = option_type::boolean,
       .meaning = "Whether empty lines are left out.",
       .default_text = "false"},
      {.name = "captureRawRecord",
       .type = option_type::boolean,
       .meaning = "Accepted and without effect: a dirty record always has its raw text."},
  };
}

std::vector<option> column_members() {
  return {
      {.name = "index",
       .type = option_type::integer,
       .meaning = "Number of the field, from 0 (csv and text).",
       .number_min = 0,
       .number_max = 65535},
      {.name = "value",
       .type = option_type::text,
       .meaning = "A constant in place of a field.",
       .blank_is_value = true},
      {.name = "name",
       .type = option_type::text,
       .meaning = "The key of the member (json), or the heading (with skipHeader, where index is not set); "
                  "else only the "
                  "column's name in messages."},
      {.name = "type",
       .type = option_type::text,
       .meaning = "STRING (text), LONG (whole number), DOUBLE (exact number), BOOLEAN (true or false), "
                  "DATE (date with or without time of day) or BYTES (see bytesFormat)."},
      {.name = "format",
       .type = option_type::text,
       .meaning =
           "Java's pattern of a DATE, such as yyyy-MM-dd HH:mm:ss.SSS; unset: the formats of common.column. "
           "Of BYTES: what bytesFormat may be, for this column alone."},
  };
}

std::vector<option> options() {
  return {
      {.name = "datasource",
       .meaning =
           "Name of a data source of the type `localfile` in the registry: relative paths are below its "
           "folder."},
      {.name = "envType",
       .meaning = "Which variant of the data source: 0 production, 1 development. `--env` overrules it.",
       .default_text = "0"},
      {.name = "path",
       .type = option_type::text_list,
       .meaning = "Files, or patterns with *, ? and [a-z]. All of them together are one table.",
       .required = true},
      {.name = "fileFormat",
       .type = option_type::text,
       .meaning =
           "csv (fields may be quoted, RFC 4180), text (no quotes) or json (JSON Lines; jsonl is the same).",
       .default_text = "csv",
       .allowed = {"csv", "text", "json", "jsonl"}},
      {.name = "column",
       .type = option_type::columns,
       .meaning = "[\"*\"] for all fields as text (a record must then have as many as the first one), or a "
                  "list of columns; "
                  "fields that no column names are then left out (see otherFields).",
       .default_text = "[\"*\"]",
       .members = column_members()},
      {.name = "otherFields",
       .type = option_type::text,
       .meaning = "What becomes of a record with fields (json: keys) that no column names: ignore (they are "
                  "left out) or dirty (the record is dirty).",
       .default_text = "ignore",
       .allowed = {"ignore", "dirty"}},
      {.name = "otherSpelling",
       .type = option_type::text,
       .meaning =
           "What becomes of a text that its column's type reads but would write otherwise (007 and +1 "
           "of LONG, 1e3 of DOUBLE, TRUE of BOOLEAN; json: in quotes): read (the value counts) or dirty "
           "(the record is dirty, so that no text is changed).",
       .default_text = "read",
       .allowed = {"read", "dirty"}},
      {.name = "fieldDelimiter",
       .type = option_type::delimiter,
       .meaning = "What stands between fields: one or more characters, at most 16 bytes.",
       .default_text = ","},
      {.name = "lineDelimiter",
       .type = option_type::delimiter,
       .meaning =
           "The only character that ends a record. Unset, or a usual line end: CR LF, LF and CR all do."},
      {.name = "encoding",
       .type = option_type::text,
       .meaning = "Encoding of the files. A record with bytes that are not text in it is dirty.",
       .default_text = "UTF-8"},
      {.name = "nullFormat",
       .type = option_type::text,
       .meaning = "A field with this text is NULL; a quoted field never is. Unset: nothing is NULL. Not for "
                  "json, which "
                  "has null.",
       .blank_is_value = true},
      {.name = "bytesFormat",
       .type = option_type::text,
       .meaning = "How columns of BYTES stand in the files: text (the text's own bytes in UTF-8), hex, pgHex "
                  "(\\x and hex digits, as PostgreSQL writes its bytea) or base64. As the writer's.",
       .default_text = "text",
       .allowed = {"text", "hex", "pgHex", "base64"}},
      {.name = "skipHeader",
       .type = option_type::boolean,
       .meaning = "Whether the first record of each file is a heading: columns get their names from it.",
       .default_text = "false"},
      {.name = "compress",
       .type = option_type::text,
       .meaning = "gzip, zstd, bzip2, or zip with one entry. Unset: the files are not compressed, whatever "
                  "their names.",
       .allowed = {"none", "gzip", "gz", "zstd", "zst", "zip", "bzip2", "bz2", "bzip"}},
      {.name = "csvReaderConfig",
       .type = option_type::object,
       .meaning = "Details of the format.",
       .aliases = {"textReaderConfig"},
       .members = csv_config_members()},
      {.name = "skipEmptyRecords",
       .type = option_type::boolean,
       .meaning = "Whether empty lines are left out; unset, one is a record with one empty field.",
       .default_text = "false"},
      {.name = "successOnNoFile",
       .type = option_type::boolean,
       .meaning = "Whether a run that finds no file succeeds without records.",
       .default_text = "false"},
      {.name = "markDoneFileName",
       .type = option_type::text,
       .meaning = "A file that must be there before the others are read; it is waited for."},
      {.name = "maxRetryTime",
       .type = option_type::integer,
       .meaning = "How many minutes `markDoneFileName` is waited for; it is looked for each second.",
       .default_text = "60",
       .number_min = 0,
       .number_max = 100000},
      {.name = "retryInterval",
       .type = option_type::integer,
       .meaning = "Accepted and without effect: `markDoneFileName` is looked for each second."},
      {.name = "enableInnerSplit",
       .type = option_type::boolean,
       .meaning = "Whether a file may be read in several splits; false: each file is one.",
       .default_text = "true"},
      {.name = "fileAsColumn",
       .type = option_type::boolean,
       .meaning =
           "A file's whole content as one value. Read its records, or load such files with a program of "
           "your own.",
       .default_text = "false",
       .not_supported = true},
      {.name = "tarFileFilterPattern",
       .type = option_type::text,
       .meaning =
           "Which files of a tar archive are read. Unpack the archive first, and name its files in path.",
       .not_supported = true},
      {.name = "bufferSize",
       .type = option_type::integer,
       .meaning = "Accepted and without effect: buffers follow from --memory."},
  };
}

}  // namespace

const side_description& text_reader_description() {
  static const side_description description{
      .options = options(),
      .can = {.splits = "by files, and by byte ranges of files that are not compressed (in UTF-8 or another "
                        "encoding in "
                        "which ASCII is ASCII)",
              .resumes = "inside a split, by byte offset; in compressed files by reading up to it again",
              .incremental = "with ${bizdate} in path",
              .repeatable = true,
              .transactional = false,
              .distributable = false},
      .sample = R"({
  "path": ["/data/orders_*.csv"],
  "fileFormat": "csv",
  "skipHeader": true,
  "nullFormat": "",
  "column": [
    {"index": 0, "type": "LONG"},
    {"index": 1, "type": "STRING"},
    {"index": 2, "type": "DOUBLE"}
  ]
})"};
  return description;
}

}  // namespace sluice
