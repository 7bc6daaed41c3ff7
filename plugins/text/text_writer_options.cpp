#include "plugins/text/text_writer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobspec/option_mistakes.h"
#include "plugins/common/output/text_encoder.h"
#include "plugins/common/output/value_printer.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::size_t delimiter_bytes_max = 16;

result<void> take_places(const option_values& options, text_writer_options& to) {
  option_mistakes wrong;
  const auto refuse = [&](std::string_view name, const std::string& why) {
    wrong.check<void>(options.bad(name, why));
  };
  std::optional<std::string> path;
  std::optional<std::string> file_name;
  std::optional<std::string> suffix;
  std::optional<std::string> done_file;
  if (wrong.take(options.text("path"), path) && !path) {
    refuse("path", "path is not set; write the folder for the files.");
  }
  if (wrong.take(options.text("fileName"), file_name) && !file_name) {
    refuse("fileName", "fileName is not set; write what the names of the files begin with.");
  }
  to.folder = path.value_or("");
  to.file_name = file_name.value_or("");
  if (to.file_name.find('/') != std::string::npos || to.file_name.starts_with(".sluice-")) {
    refuse("fileName", fmt::format("fileName is {}; write a name without a slash that does not begin with "
                                   "\".sluice-\", and the folder in path.",
                                   in_quotes(to.file_name)));
  }
  wrong.take(options.text("suffix"), suffix);
  to.suffix = suffix.value_or("");
  if (to.suffix.find('/') != std::string::npos) {
    refuse("suffix", fmt::format("suffix is {}; write it without a slash.", in_quotes(to.suffix)));
  }
  wrong.take(options.text("markDoneFileName"), done_file);
  to.done_file = done_file.value_or("");
  if (!to.done_file.empty() && to.done_file.front() != '/') {
    refuse("markDoneFileName",
           fmt::format("markDoneFileName is {}; write an absolute path.", in_quotes(to.done_file)));
  }
  return wrong.all();
}

result<void> take_mode(const option_values& options, text_writer_options& to) {
  option_mistakes wrong;
  std::optional<std::string> mode;
  wrong.take(options.text("writeMode"), mode);
  std::string lower = mode.value_or("truncate");
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  to.mode = lower == "append"        ? file_write_mode::append
            : lower == "nonconflict" ? file_write_mode::non_conflict
                                     : file_write_mode::truncate;
  if (to.mode == file_write_mode::truncate && lower != "truncate") {
    wrong.check<void>(options.bad(
        "writeMode",
        fmt::format("writeMode is {}; write truncate, append or nonConflict.", in_quotes(*mode))));
  }
  std::optional<bool> single;
  wrong.take(options.boolean("singleFileOutput"), single);
  to.single_file = single.value_or(false);
  if (to.single_file && to.mode == file_write_mode::append) {
    wrong.check<void>(
        options.bad("singleFileOutput",
                    "singleFileOutput writes one file with exactly the given name, so writeMode "
                    "append has nothing to append to; write truncate or nonConflict."));
  }
  if (wrong.take(compression_of(options), to.compress) && to.single_file && to.compress == compression::zip) {
    wrong.check<void>(options.bad("compress",
                                  "A zip archive cannot be joined from the parts of several splits; write "
                                  "gzip or zstd, or leave singleFileOutput out."));
  }
  std::optional<std::int64_t> megabytes;
  wrong.take(options.integer("maxFileSize"), megabytes);
  to.file_bytes_max = to.single_file ? 0 : static_cast<std::uint64_t>(megabytes.value_or(0)) << 20;
  return wrong.all();
}

result<void> take_grammar(const option_values& options, text_writer_options& to) {
  SLUICE_TRY(to.format, file_format_of(options));
  if (options.has("fieldDelimiter")) {
    SLUICE_TRY(to.field_delimiter, delimiter_of(options, "fieldDelimiter", delimiter_bytes_max));
  }
  if (options.has("lineDelimiter")) {
    SLUICE_TRY(to.line_delimiter, delimiter_of(options, "lineDelimiter", delimiter_bytes_max));
  }
  if (options.has("quoteChar")) {
    SLUICE_TRY(const auto given, options.text("quoteChar"));
    if (given && given->empty()) {
      // No quote character: fields are only joined, and one that would need quotes is dirty.
      to.format = to.format == file_format::csv ? file_format::text : to.format;
    } else {
      SLUICE_TRY(const std::string quote, delimiter_of(options, "quoteChar", 1));
      to.quote = quote.front();
    }
  }
  const std::string quote(1, to.quote);
  const bool same = to.field_delimiter.find(to.line_delimiter) != std::string::npos ||
                    to.line_delimiter.find(to.field_delimiter) != std::string::npos;
  if (same || (to.format == file_format::csv && (to.field_delimiter.find(quote) != std::string::npos ||
                                                 to.line_delimiter.find(quote) != std::string::npos))) {
    return options.bad(
        "fieldDelimiter",
        fmt::format("fieldDelimiter {}, lineDelimiter {} and quoteChar {} must not "
                    "contain each other.",
                    in_quotes(to.field_delimiter), in_quotes(to.line_delimiter), in_quotes(quote)));
  }
  return {};
}

result<void> take_texts(const option_values& options, const std::optional<std::string>& null_format,
                        text_writer_options& to) {
  if (null_format) {
    to.null_text = unescaped_characters(*null_format);
  } else if (options.job_dialect() == dialect::datax) {
    to.null_text = "null";
  }
  option_mistakes wrong;
  std::optional<std::string> encoding;
  wrong.take(options.text("encoding"), encoding);
  to.encoding = encoding.value_or("UTF-8");
  if (auto encoder = text_encoder::make(to.encoding); !encoder) {
    wrong.check<void>(options.bad("encoding", encoder.error().message));
  }
  wrong.take(options.text("dateFormat"), to.date_format);
  to.date_format_place = options.place("dateFormat");
  if (auto pattern =
          value_printer::make(type_of(type_id::date), {.zone = nullptr, .date_format = to.date_format});
      !pattern) {
    wrong.check<void>(options.bad("dateFormat", pattern.error().message));
  }
  wrong.take(options.text_list("header"), to.header);
  return wrong.all();
}

std::vector<option> writer_options() {
  return {
      {.name = "datasource",
       .meaning =
           "Name of a data source of the type `localfile` in the registry: relative paths are below its "
           "folder."},
      {.name = "envType",
       .meaning = "Which variant of the data source: 0 production, 1 development. `--env` overrules it.",
       .default_text = "0"},
      {.name = "path", .meaning = "Folder of the files; made where it does not exist.", .required = true},
      {.name = "fileName",
       .meaning = "What the names of the files begin with; behind it come `__`, twelve characters of the "
                  "run's id and "
                  "the split's number.",
       .required = true},
      {.name = "writeMode",
       .meaning =
           "`truncate` replaces the files whose names begin with fileName once the new ones are complete, "
           "`append` leaves them, `nonConflict` refuses to run while there are any.",
       .default_text = "truncate",
       .allowed = {"truncate", "append", "nonConflict"}},
      {.name = "fileFormat",
       .meaning =
           "`csv` quotes fields where it must (RFC 4180), `text` only joins them, `json` writes one object a "
           "line.",
       .default_text = "csv",
       .datax_default_text = "text",
       .allowed = {"csv", "text", "json", "jsonl"}},
      {.name = "fieldDelimiter",
       .type = option_type::delimiter,
       .meaning = "Text between two fields, at most 16 bytes; `\\t` and `\\u0001` are understood.",
       .default_text = ","},
      {.name = "lineDelimiter",
       .type = option_type::delimiter,
       .meaning = "Text behind each record, at most 16 bytes; `\\r\\n` is understood.",
       .default_text = "\\n"},
      {.name = "quoteChar",
       .type = option_type::character,
       .meaning = "What stands around a CSV field that has a delimiter, a quote or a line break; doubled "
                  "inside. Empty: fields are only joined, as `text` does.",
       .default_text = "\"",
       .aliases = {"escapeChar"}},
      {.name = "nullFormat",
       .meaning = "How NULL is written, unquoted. In CSV a text equal to it is quoted. JSON writes null.",
       .datax_default_text = "null",
       .blank_is_value = true},
      {.name = "dateFormat",
       .meaning =
           "Java pattern for dates, timestamps and instants; what it leaves out is not written. Without it "
           "`yyyy-MM-dd` and `yyyy-MM-dd HH:mm:ss` with the fraction where it is not zero. Columns of text "
           "are written as they are, also where they hold dates: where none of the columns is one of these, "
           "a warning says so (`--strict`: the job is refused). An offset (`XXX`) is for instants: with a "
           "date or "
           "a timestamp, which have no time zone, it is refused."},
      {.name = "bytesFormat",
       .meaning =
           "How bytes are written: `text` (as they are; a record with bytes that are not UTF-8 is dirty), "
           "`hex`, `pgHex` (`\\x` and hex digits, as PostgreSQL writes its bytea and reads it) or "
           "`base64`. The reader's option of this name reads them back, in columns of BYTES.",
       .default_text = "text",
       .allowed = {"text", "hex", "pgHex", "base64"}},
      {.name = "encoding",
       .meaning = "Encoding of the files. A record with a character that it lacks is dirty.",
       .default_text = "UTF-8"},
      {.name = "header",
       .type = option_type::text_list,
       .meaning = "Names of the columns, written as the first line of each file, also of one without "
                  "records; in JSON "
                  "the names of the members."},
      {.name = "compress",
       .meaning = "`gzip`, `zstd`, `bzip2` or `zip`. The name's ending is not changed; see suffix.",
       .allowed = {"gzip", "gz", "zstd", "zst", "bzip2", "bz2", "bzip", "zip", "none"}},
      {.name = "suffix", .meaning = "What the names of the files end with, such as `.csv`."},
      {.name = "maxFileSize",
       .type = option_type::integer,
       .meaning =
           "A file that would grow beyond this many MiB before compression is followed by another whose name "
           "ends with `_1`, `_2` and so on. Has no effect with singleFileOutput.",
       .default_text = "100000",
       .number_min = 1,
       .number_max = 1e9},
      {.name = "singleFileOutput",
       .type = option_type::boolean,
       .meaning =
           "One file named exactly fileName and suffix, joined from all splits in their order at the end.",
       .default_text = "false",
       .aliases = {"writeSingleObject"}},
      {.name = "markDoneFileName",
       .meaning = "Absolute path of an empty file that is made when all files are complete."},
      {.name = "syncMode",
       .meaning = "`copy` would copy whole files as bytes. Copy them with rsync or the like.",
       .not_supported = true},
      {.name = "commitSize",
       .type = option_type::integer,
       .meaning = "Accepted and without effect: files are written by batches."},
      {.name = "csvWriterConfig",
       .type = option_type::object,
       .meaning = "Accepted and without effect: quoteChar, fieldDelimiter and lineDelimiter say all."},
  };
}

}  // namespace

result<text_writer_options> parse_text_writer_options(const option_values& options) {
  text_writer_options parsed;
  option_mistakes wrong;
  wrong.check(take_places(options, parsed));
  wrong.check(take_mode(options, parsed));
  wrong.check(take_grammar(options, parsed));
  std::optional<std::string> null_format;
  wrong.take(options.text("nullFormat"), null_format);
  wrong.check(take_texts(options, null_format, parsed));
  wrong.take(bytes_format_of(options), parsed.bytes);
  SLUICE_CHECK(wrong.all());
  return parsed;
}

const side_description& text_writer_description() {
  static const side_description description{
      .options = writer_options(),
      .can = {.splits = "one file or more for each split of the source",
              .resumes = "",
              .incremental = "with a parameter in fileName or path, such as `orders_${bizdate}`",
              .marks = "`.sluice-progress.db` in the folder of the output",
              .no_marks =
                  "of a zip archive, of text in an encoding with shift states, on a file system of several "
                  "machines, and where `progressTable` is `none`"},
      .sample = R"({
  "path": "/data/out",
  "fileName": "orders",
  "writeMode": "truncate",
  "fileFormat": "csv",
  "header": ["id", "name"],
  "suffix": ".csv"
})"};
  return description;
}

}  // namespace sluice
