#pragma once

#include "plugins/api/sketch.h"

/// How a file of text is named as an end, and what its name says.
namespace sluice {

/// `csv:PATH`, `tsv:`, `text:`, `json:`, `jsonl:`, or a path that ends like such a file, compressed or not.
std::optional<end_place> recognise_text(std::string_view text);

/// The file `rest` below the data source's folder, `csv:PATH` and its like included; `bad_option` where it is
/// not below it.
result<end_place> text_place_in(end_datasource source, std::string_view rest);

/// `gzip` of `a.csv.gz`; `xz`, which is not supported, too; empty where the ending is none of a compression.
std::string compression_of_name(std::string_view path);

/// The name without the ending of a compression.
std::string_view plain_name(std::string_view path);

/// Whether the end is JSON Lines, by its form or else its name.
bool is_json(const end_place& where);

/// The file itself; the step has its path below the data source's folder.
std::string real_path(const end_place& where);

}  // namespace sluice
