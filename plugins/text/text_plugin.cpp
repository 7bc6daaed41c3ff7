#include "plugins/text/text_plugin.h"

#include "plugins/text/text_place.h"
#include "plugins/text/text_read_back.h"
#include "plugins/text/text_reader.h"
#include "plugins/text/text_sketch.h"
#include "plugins/text/text_target.h"

namespace sluice {

plugin text_plugin() {
  plugin p;
  p.name = "text";
  p.aliases = {"csv", "json", "jsonl", "txtfile"};
  p.named_defaults = {{"csv", {{"fileFormat", "csv"}}},
                      {"json", {{"fileFormat", "json", {"jsonl"}}}},
                      {"jsonl", {{"fileFormat", "json", {"jsonl"}}}}};
  p.datax_readers = {"txtfilereader"};
  p.datax_writers = {"txtfilewriter"};
  p.summary = "Local files: CSV, delimited text and JSON Lines, compressed or not.";
  p.remarks = {
      "CSV is RFC 4180. CR LF, LF and a lone CR end a record; the last one needs none. A quote has a meaning "
      "only as a "
      "field's first character. Text behind a closing quote, a quote that is never closed, too few fields "
      "and bytes "
      "that are not text in the encoding make a record dirty. An empty line is a record with one empty "
      "field.",
      "A quoted field is never NULL, whatever nullFormat says; an unquoted field equal to nullFormat is, "
      "whatever the "
      "column's type.",
      "A record with fewer fields than the columns need is dirty. With a list of columns further fields are "
      "left out; with "
      "[\"*\"] a record must have as many fields as the first record of the first file.",
      "DATE is a timestamp (an instant where the pattern has an offset) with as many digits of a fraction as "
      "the pattern "
      "has S; a pattern without time of day gives midnight. DOUBLE keeps the number's exact text. LONG takes "
      "1.0 and "
      "1e3, and refuses 1.5.",
      "JSON Lines: a text is its text, a number its exact digits, an object or an array the exact text in "
      "the file; null "
      "and a missing member are NULL. A key that stands twice makes the record dirty.",
      "The CSV writer quotes a field that has a delimiter, a quote or a line break, or equals what NULL is "
      "written as "
      "(nullFormat; without one nothing, so that an empty text is quoted). With fileFormat text "
      "nothing is quoted: a record whose value has a delimiter or a line break is dirty, and a value equal "
      "to "
      "nullFormat is written as it is. JSON writes times and binary as text; NaN and infinities are dirty.",
      "Bytes have four forms in files of every format (bytesFormat): text, hex, pgHex and base64. With the "
      "writer's form set at the reader, columns of BYTES have the same bytes again; NULL and no bytes at all "
      "stay two things in CSV and JSON. sluice copy writes pgHex, and takes a column whose values all are of "
      "that form for bytes.",
      "Written files appear whole: until the run has succeeded they are named "
      "`.sluice-<run>-<split>-<epoch>.tmp` in "
      "the destination's folder, beside a file that tells whose they are. The same job run again removes "
      "what a dead "
      "run left and starts over.",
      "A record over 64 MiB, or with more than 65,536 fields, is dirty and passed over without being held in "
      "memory.",
      "A file is read as it was when the run was planned: another size or time is an error, and so is other "
      "content "
      "before the place where a run is continued. Line and byte offset of compressed files count behind "
      "decompression, "
      "those of UTF-16 and UTF-32 in UTF-8.",
  };
  p.reads = &text_reader_description();
  p.writes = &text_writer_description();
  p.make_source = &make_text_source;
  p.make_target = &make_text_target;
  p.read_back_of = &text_read_back;
  p.recognise = &recognise_text;
  p.place_in = &text_place_in;
  p.sketch_source = &sketch_text_source;
  p.sketch_target = &sketch_text_target;
  return p;
}

}  // namespace sluice
