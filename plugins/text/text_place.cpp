#include "plugins/text/text_place.h"

#include <filesystem>

#include "transport/base/text.h"

namespace sluice {

std::string compression_of_name(std::string_view path) {
  return has_ending(path, {".gz"})    ? "gzip"
         : has_ending(path, {".zst"}) ? "zstd"
         : has_ending(path, {".bz2"}) ? "bzip2"
         : has_ending(path, {".zip"}) ? "zip"
         : has_ending(path, {".xz"})  ? "xz"
                                      : "";
}

std::string_view plain_name(std::string_view path) {
  const std::string how = compression_of_name(path);
  return how.empty() ? path : path.substr(0, path.rfind('.'));
}

bool is_json(const end_place& where) {
  return where.form == "json" || where.form == "jsonl" ||
         (where.form.empty() && has_ending(plain_name(where.path), {".json", ".jsonl", ".ndjson"}));
}

std::string real_path(const end_place& where) {
  return where.datasource ? (std::filesystem::path(where.datasource->base_folder) / where.path).string()
                          : where.path;
}

std::optional<end_place> recognise_text(std::string_view text) {
  const auto [form, rest] = split_form(text);
  for (const std::string_view known : {"csv", "tsv", "text", "json", "jsonl"}) {
    if (form == known) {
      return end_place{std::string(rest), "", form};
    }
  }
  if (form.empty() && has_ending(plain_name(text), {".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"})) {
    return end_place{std::string(text), "", ""};
  }
  return std::nullopt;
}

result<end_place> text_place_in(end_datasource source, std::string_view rest) {
  // A name of any ending is a file here: what else would be in a folder?
  end_place where = recognise_text(rest).value_or(end_place{std::string(rest), "", ""});
  if (where.path.empty()) {
    return fail(error_kind::bad_option, "the file is missing; write {0}:FILE, such as {0}:orders.csv",
                source.name);
  }
  const std::filesystem::path plain = std::filesystem::path(where.path).lexically_normal();
  if (plain.is_absolute() || *plain.begin() == "..") {
    return fail(
        error_kind::bad_option,
        "{} is not below the folder {}; name a file below it, such as {}:orders.csv, or leave the data "
        "source's name out",
        in_quotes(where.path), in_quotes(source.base_folder), source.name);
  }
  where.datasource = std::move(source);
  return where;
}

}  // namespace sluice
