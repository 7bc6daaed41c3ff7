#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/text/text_options.h"

namespace sluice {

enum class file_write_mode {
  truncate,      ///< Files that begin with fileName are replaced.
  append,        ///< They stay; new ones get names of their own.
  non_conflict,  ///< There must be none.
};

/// The options of the text writer, checked.
struct text_writer_options {
  std::string folder;
  std::string file_name;
  std::string suffix;
  file_write_mode mode = file_write_mode::truncate;
  file_format format = file_format::csv;
  compression compress = compression::none;
  std::string field_delimiter = ",";
  std::string line_delimiter = "\n";
  char quote = '"';
  std::string null_text;  ///< How NULL is written; not in JSON.
  bytes_form bytes = bytes_form::text;
  std::string encoding = "UTF-8";
  std::optional<std::string> date_format;
  std::string date_format_place;  ///< For messages.
  std::vector<std::string> header;
  std::uint64_t file_bytes_max = 0;  ///< Before compression; 0 = no limit.
  bool single_file = false;
  std::string done_file;
};

result<text_writer_options> parse_text_writer_options(const option_values& options);

/// Options, capabilities and sample of the writer side.
const side_description& text_writer_description();

}  // namespace sluice
