#include "plugins/text/text_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>

#include "jobspec/words.h"
#include "plugins/common/files/file_list.h"
#include "plugins/text/field_decoder.h"
#include "plugins/text/json_rows.h"
#include "plugins/text/newline_pass.h"
#include "plugins/text/packed_mark.h"
#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

/// `otherFields` is dirty: a field that no column names would make every record dirty.
result<void> require_all_fields(const bound_columns& bound) {
  std::vector<bool> named(bound.fields_needed);
  for (const auto& column : bound.columns) {
    if (!column.constant) {
      named[column.field] = true;
    }
  }
  const auto gap = std::find(named.begin(), named.end(), false);
  if (gap == named.end()) {
    return {};
  }
  return fail(error_kind::bad_option,
              "otherFields is dirty, and no column names the field with the index {}: every record would be "
              "dirty; name all fields, or leave otherFields out",
              gap - named.begin());
}

/// Smaller parts cost more in opening and marking than they gain.
constexpr std::uint64_t split_bytes_min = std::uint64_t{8} << 20;
/// Larger ones leave the last pipeline working alone for long.
constexpr std::uint64_t split_bytes_max = std::uint64_t{256} << 20;
constexpr std::uint64_t splits_a_pipeline = 4;
constexpr std::uint64_t splits_max = 10'000;
constexpr std::size_t files_shown = 20;
/// In so many records keys are looked for beforehand.
constexpr std::size_t records_looked_at = 1000;
/// How often a file that is waited for is looked for.
constexpr std::chrono::seconds look_interval{1};
constexpr std::uint64_t first_record_bytes_max = std::uint64_t{64} << 20;

/// What a file begins with that is not what the job takes it for.
struct file_mark {
  std::string_view bytes;
  std::string_view kind;
  std::string_view remedy;
};
using namespace std::string_view_literals;
/// The longer ones first: that of UTF-16LE is the beginning of UTF-32LE's.
constexpr std::array encoding_marks = std::to_array<file_mark>({
    {"\xff\xfe\0\0"sv, "UTF-32LE", "set encoding to UTF-32"},
    {"\0\0\xfe\xff"sv, "UTF-32BE", "set encoding to UTF-32"},
    {"\xff\xfe"sv, "UTF-16LE", "set encoding to UTF-16"},
    {"\xfe\xff"sv, "UTF-16BE", "set encoding to UTF-16"},
});

std::string file_label(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return escaped(slash == std::string::npos ? path : path.substr(slash + 1));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

text_source::text_source(option_values options, plugin_context context, text_layout layout)
    : options_(std::move(options)),
      context_(std::move(context)),
      layout_(std::make_shared<const text_layout>(std::move(layout))) {}

result<std::unique_ptr<source>> make_text_source(const option_values& options,
                                                 const plugin_context& context) {
  SLUICE_TRY(text_layout layout, text_layout_of(options, context.formats));
  return std::make_unique<text_source>(options, context, std::move(layout));
}

result<source_description> text_source::open(const stop_signal& stop) {
  SLUICE_TRY(const bool complete, await_marker(stop));
  result<void> found = find_files(stop);
  if (found) {
    found = bind_columns();
  }
  if (!found) {
    error why = std::move(found).error();
    if (!complete) {
      why.message += fmt::format(" The file {}, which says that the files are complete, is not there either.",
                                 in_quotes(*layout_->awaited_file));
    }
    return fail(std::move(why));
  }
  source_description description;
  if (layout_->awaited_file && complete && context_.only_looks) {
    description.notes.push_back(
        fmt::format("The file {} is there, which a run would wait for.", in_quotes(*layout_->awaited_file)));
  }
  description.columns = bound_->columns_schema;
  for (std::size_t i = 0; i < files_.size() && i < files_shown; ++i) {
    description.statements.push_back(
        fmt::format("{} ({})", escaped(files_[i].path), bytes_text(files_[i].identity.size)));
  }
  if (files_.size() > files_shown) {
    description.statements.push_back(fmt::format("and {} files more", files_.size() - files_shown));
  }
  if (files_.empty()) {
    description.statements.push_back(fmt::format("no file matches {}", in_quotes(layout_->paths.front())));
  }
  for (const known_file& file : files_) {
    description.files_read.push_back(file.use);
  }
  for (const std::string& path : layout_->paths) {
    if (auto pattern = pattern_of(path)) {
      description.patterns.push_back(std::move(*pattern));
    }
  }
  description.repeatable = true;
  description.resumable = true;
  return description;
}

/// Waits for `markDoneFileName`, which whoever delivers the files makes when all of them are there. False
/// where it is not there and nothing is waited for.
result<bool> text_source::await_marker(const stop_signal& stop) {
  if (!layout_->awaited_file) {
    return true;
  }
  const std::string& file = *layout_->awaited_file;
  const std::string place = options_.place("markDoneFileName");
  const std::string limit = fmt::format("for up to {} minutes (maxRetryTime)", layout_->awaited_minutes_max);
  const auto began = std::chrono::steady_clock::now();
  const auto deadline = began + std::chrono::minutes(layout_->awaited_minutes_max);
  struct stat status {};
  while (::stat(file.c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {
      return fail(error_kind::denied, "{}: {} cannot be looked for: {}", place, in_quotes(file),
                  std::strerror(errno));
    }
    if (context_.only_looks) {
      context_.warn(fmt::format("{}: the file {} is not there yet; a run waits for it, {}", place,
                                in_quotes(file), limit));
      return false;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      return options_.bad(
          "markDoneFileName",
          fmt::format("the file {} did not appear within {} minutes; see what should have made it, or "
                      "raise maxRetryTime.",
                      in_quotes(file), layout_->awaited_minutes_max));
    }
    context_.waits(fmt::format("{}: waits for the file {}, {}", place, in_quotes(file), limit),
                   std::chrono::duration<double>(now - began).count());
    SLUICE_CHECK(wait(-1, wait_for::readable, std::min(deadline, now + look_interval), stop));
  }
  return true;
}

result<void> text_source::find_files(const stop_signal& stop) {
  files_.clear();
  std::set<std::string> seen;
  for (std::size_t i = 0; i < layout_->paths.size(); ++i) {
    const std::string& path = layout_->paths[i];
    const std::string place =
        options_.place(layout_->paths.size() == 1 ? "path" : fmt::format("path[{}]", i));
    const auto with_place = [&](error e) {
      e.message = fmt::format("{}: {}", place, e.message);
      return fail(std::move(e));
    };
    const auto names = files_matching(path);
    if (!names) {
      return with_place(names.error());
    }
    for (const std::string& name : *names) {
      if (stop.fired()) {
        return fail(error_kind::cancelled, "stopped while looking for files");
      }
      struct stat status {};
      const bool missing = ::stat(name.c_str(), &status) != 0 && errno == ENOENT;
      if (!seen.insert(name).second || (missing && layout_->no_file_is_success)) {
        continue;
      }
      const auto file = file_handle::open(name);
      if (!file) {
        return with_place(file.error());
      }
      SLUICE_TRY(const file_identity identity, file->identity());
      SLUICE_CHECK(check_kind(*file));
      files_.push_back({name, identity, file_use_of(name).value_or(file_use{name})});
    }
    if (names->empty() && !layout_->no_file_is_success) {
      return options_.bad(
          "path", fmt::format("no file matches {}{}; correct the pattern, or set successOnNoFile to true if "
                              "that is no mistake.",
                              in_quotes(path), looked_in(path)));
    }
  }
  return {};
}

/// `bad_option` where the file's first bytes show that it is compressed, or in another encoding, and the job
/// does not say so: as text it would be garbage.
result<void> text_source::check_kind(const file_handle& file) const {
  if (layout_->compressed != compression::none) {
    return {};  // its library tells
  }
  std::array<char, packed_mark_bytes> bytes{};
  SLUICE_TRY(const std::size_t got, file.read_at(0, bytes.data(), bytes.size()));
  const std::string_view head(bytes.data(), got);
  if (const auto packed = packed_by(head); !packed.empty()) {
    return options_.bad("compress",
                        fmt::format("the file {} is {} data and no text: {}.", in_quotes(file.path()), packed,
                                    packed == "xz" ? "it is not supported, unpack it first"
                                                   : fmt::format("set compress to {}", packed)));
  }
  for (const file_mark& mark : encoding_marks) {
    if (layout_->encoding_is_utf8 && !layout_->decode_whole && head.starts_with(mark.bytes)) {
      return options_.bad(
          "encoding", fmt::format("the file {} begins with the byte order mark of {} and would be read as "
                                  "{}: {}.",
                                  in_quotes(file.path()), mark.kind, layout_->encoding, mark.remedy));
    }
  }
  return {};
}

/// The fields (JSON: the keys) of the file's first record; `any` is false where it has none.
result<std::vector<std::string>> text_source::first_record(const known_file& known, bool& any) {
  any = false;
  SLUICE_TRY(const file_handle file, file_handle::open(known.path));
  SLUICE_TRY(auto stream, open_stream(*layout_, file, 0, known.identity.size));
  const csv_scanner scanner(layout_->grammar);
  record_window window(scanner, context_.pool, std::size_t{64} << 10);
  window.open(std::move(stream), 0, 1, layout_->encoding_is_utf8);
  std::optional<charset_decoder> charset;
  if (!layout_->encoding_is_utf8) {
    SLUICE_TRY(charset, charset_decoder::find(layout_->encoding));
  }
  field_decoder decoder(layout_->grammar, std::move(charset), std::nullopt);
  for (;;) {
    SLUICE_TRY(const auto outcome, window.next(first_record_bytes_max));
    if (outcome == record_window::outcome::end) {
      return std::vector<std::string>{};
    }
    if (outcome == record_window::outcome::skip) {
      return fail(error_kind::source_changed,
                  "The first record of {} is larger than 64 MiB; check the quotes and the delimiter.",
                  in_quotes(known.path));
    }
    if (outcome == record_window::outcome::grow) {
      window.grow();
      continue;
    }
    for (std::size_t r = 0; r < window.records(); ++r) {
      const std::string_view raw = window.record(r);
      if ((layout_->skip_empty && raw.empty()) ||
          (layout_->grammar.comment && raw.starts_with(*layout_->grammar.comment))) {
        continue;
      }
      any = true;
      if (layout_->format == file_format::json) {
        dirty_code code = dirty_code::none;
        std::string why;
        std::vector<std::string> keys = json_keys(raw, code, why);
        if (code != dirty_code::none) {
          return fail(
              error_kind::source_changed,
              "The first line of {} is not a JSON object with keys that differ, so that [\"*\"] says no "
              "columns: {}{}. List the columns in the job.",
              in_quotes(known.path), in_quotes(raw), why.empty() ? "" : fmt::format(" ({})", why));
        }
        return keys;
      }
      std::vector<std::string> fields;
      for (std::size_t f = 0; f < window.fields(r); ++f) {
        const auto field = decoder.decode(window.field(r, f));
        fields.emplace_back(field.code == dirty_code::none ? field.text : window.field(r, f));
      }
      return fields;
    }
  }
}

result<std::size_t> text_source::field_of(const column_spec& column,
                                          const std::vector<std::string>& headings) const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < headings.size(); ++i) {
    const bool same =
        layout_->headings_with_case ? headings[i] == column.name : same_word(headings[i], column.name);
    if (same && found) {
      return fail(error_kind::bad_option,
                  "{}: the heading {} stands twice in {}; write \"index\" in place of \"name\".",
                  column.place, in_quotes(column.name), in_quotes(files_.front().path));
    }
    found = same ? i : found;
  }
  if (!found) {
    const auto near = nearest(column.name, headings);
    return fail(error_kind::bad_option, "{}: {} has no heading {}{}", column.place,
                in_quotes(files_.front().path), in_quotes(column.name),
                near.empty() ? "." : fmt::format("; did you mean {}?", in_quotes(near)));
  }
  return *found;
}

result<void> text_source::bind_columns() {
  auto bound = std::make_shared<bound_columns>();
  auto columns = std::make_shared<schema>();
  const bool json = layout_->format == file_format::json;
  const bool by_heading = !json && std::any_of(layout_->columns.begin(), layout_->columns.end(),
                                               [](const auto& c) { return !c.index && !c.constant; });
  std::vector<std::string> first;
  for (std::size_t i = 0; i < files_.size() && (layout_->all_columns || layout_->skip_header); ++i) {
    bool any = false;
    SLUICE_TRY(first, first_record(files_[i], any));
    if (any) {
      break;
    }
  }
  if (layout_->skip_header) {
    bound->headings = first;
  }
  std::vector<column_spec> specs = layout_->columns;
  for (std::size_t i = 0; layout_->all_columns && i < first.size(); ++i) {
    column_spec column;
    column.index = json ? std::nullopt : std::optional(i);
    column.name = json || layout_->skip_header ? first[i] : "";
    specs.push_back(std::move(column));
  }
  for (const column_spec& spec : specs) {
    bound_columns::column column;
    column.constant = spec.constant;
    column.key = spec.name;
    field f;
    f.name = spec.name;
    f.source_type_name = to_string(spec.type);
    if (!json && !spec.constant) {
      // Without any record there is nothing to look the heading up in, and nothing to read.
      const bool looked_up = !spec.index && !first.empty();
      SLUICE_TRY(column.field,
                 looked_up ? field_of(spec, first) : result<std::size_t>(spec.index.value_or(0)));
      bound->fields_needed = std::max(bound->fields_needed, column.field + 1);
      f.name =
          f.name.empty() && column.field < bound->headings.size() ? bound->headings[column.field] : f.name;
    }
    auto parser = value_parser::make(spec.type, spec.format, context_.formats);
    if (!parser) {
      return fail(error_kind::bad_option, "{}: {}", spec.place, parser.error().message);
    }
    if (layout_->other_spelling_dirty && !spec.constant) {
      parser->require_own_spelling();
    }
    f.type = parser->type();
    f.changed_as_read = spec.constant ? std::vector<change_rule>() : parser->changes();
    f.nullable = json || layout_->null_text.has_value();
    bound->parsers.push_back(std::move(*parser));
    bound->columns.push_back(std::move(column));
    columns->push_back(std::move(f));
  }
  if (layout_->all_columns && !json) {
    bound->fields_exact = first.size();
  } else if (layout_->other_fields_dirty && !json && bound->fields_needed != 0) {
    SLUICE_CHECK(require_all_fields(*bound));
    bound->fields_exact = bound->fields_needed;
  }
  bound->columns_schema = std::move(columns);
  bound->keys = std::make_shared<keys_seen>(bound->columns.size());
  bound_ = std::move(bound);
  if (json && !layout_->all_columns && !files_.empty()) {
    SLUICE_CHECK(look_for_keys(files_.front()));
  }
  const bool names_from_first = !json && layout_->all_columns && layout_->skip_header;
  return by_heading || names_from_first ? compare_headings() : result<void>();
}

/// Warns, before anything is read, of keys that the first records of JSON Lines lack: of those that look like
/// another one that is there, and of all where these are all the records.
result<void> text_source::look_for_keys(const known_file& known) {
  SLUICE_TRY(const file_handle file, file_handle::open(known.path));
  SLUICE_TRY(auto stream, open_stream(*layout_, file, 0, known.identity.size));
  const csv_scanner scanner(layout_->grammar);
  record_window window(scanner, context_.pool, std::size_t{64} << 10);
  window.open(std::move(stream), 0, 1, layout_->encoding_is_utf8);
  const auto outcome = window.next(first_record_bytes_max);
  if (!outcome || *outcome != record_window::outcome::records) {
    return {};  // reading it will say what is wrong
  }
  const std::size_t looked_at = std::min(window.records(), records_looked_at);
  std::set<std::string> keys;
  for (std::size_t r = 0; r < looked_at; ++r) {
    dirty_code code = dirty_code::none;
    std::string why;
    for (std::string& key : json_keys(window.record(r), code, why)) {
      keys.insert(std::move(key));
    }
  }
  bool all = files_.size() == 1 && looked_at == window.records();
  if (all) {
    const auto next = window.next(first_record_bytes_max);
    all = next && *next == record_window::outcome::end;
  }
  const std::vector<std::string> there(keys.begin(), keys.end());
  for (std::size_t c = 0; c < bound_->columns.size() && !there.empty(); ++c) {
    const std::string& key = bound_->columns[c].key;
    if (!bound_->columns[c].constant && !keys.contains(key) && (all || !near_key(key, there).empty())) {
      warn_of_key(c,
                  fmt::format("{} {} of {}", all ? "the" : "the first",
                              looked_at == 1 ? "record" : fmt::format("{} records", looked_at),
                              in_quotes(known.path)),
                  there);
      if (all) {
        told_of_.insert(c);
      }
    }
  }
  return {};
}

std::string text_source::near_key(const std::string& key, const std::vector<std::string>& there) {
  const auto same =
      std::find_if(there.begin(), there.end(), [&](const auto& k) { return same_word(k, key); });
  return same != there.end() ? *same : std::string(nearest(key, there));
}

void text_source::warn_of_key(std::size_t column, const std::string& where,
                              const std::vector<std::string>& there) const {
  if (!context_.warn) {
    return;
  }
  const std::string& key = bound_->columns[column].key;
  const std::string near = near_key(key, there);
  context_.warn(fmt::format("{}: none of {} has the key {}, and a missing key is NULL{}",
                            layout_->columns[column].place, where, in_quotes(key),
                            near.empty() ? "" : fmt::format("; did you mean {}?", in_quotes(near))));
}

/// Columns found or named by heading are right in every file only where all have the same headings.
result<void> text_source::compare_headings() {
  for (std::size_t i = 1; i < files_.size(); ++i) {
    bool any = false;
    SLUICE_TRY(const auto headings, first_record(files_[i], any));
    if (any && headings != bound_->headings) {
      return options_.bad(
          "column",
          fmt::format("{} and {} have different headings; {}, or read them in two jobs.",
                      in_quotes(files_.front().path), in_quotes(files_[i].path),
                      layout_->all_columns
                          ? "list the columns by \"index\" where their places are the same all the same"
                          : "write \"index\" in place of \"name\""));
    }
  }
  return {};
}

bool text_source::splittable() const {
  return layout_->compressed == compression::none && !layout_->decode_whole;
}

result<std::vector<split>> text_source::plan_splits(std::uint32_t advice, const stop_signal& stop) {
  std::uint64_t total = 0;
  for (const known_file& file : files_) {
    total += file.identity.size;
  }
  const std::uint64_t wanted = total / (std::uint64_t{std::max(advice, 1U)} * splits_a_pipeline);
  const std::uint64_t split_bytes =
      std::max(std::clamp(wanted, split_bytes_min, split_bytes_max), total / splits_max + 1);
  std::vector<split> splits;
  for (const known_file& file : files_) {
    // One pipeline reads a file fastest from its beginning to its end: there is nothing to gain from parts.
    const bool in_parts =
        advice > 1 && splittable() && !layout_->file_is_one_split && file.identity.size >= 2 * split_bytes;
    SLUICE_CHECK(split_file(file, in_parts ? split_bytes : file.identity.size + 1, stop, splits));
  }
  if (splits.empty()) {
    splits.push_back({file_part{}.description(), "no file", 0, 0});
  }
  return splits;
}

result<void> text_source::split_file(const known_file& known, std::uint64_t split_bytes,
                                     const stop_signal& stop, std::vector<split>& splits) {
  std::vector<record_place> places{{0, 1}};
  std::string sum;
  if (split_bytes < known.identity.size) {
    SLUICE_TRY(const file_handle file, file_handle::open(known.path));
    const csv_scanner scanner(layout_->grammar);
    const csv_grammar& g = layout_->grammar;
    const bool plain_ends = !g.quoting && !g.backslash && !(g.wide_characters && g.record_end);
    const auto start = std::chrono::steady_clock::now();
    running_digest digest;
    SLUICE_TRY(const auto found,
               plain_ends
                   ? guess_record_places(scanner, file, known.identity.size, split_bytes)
                   : find_record_places(scanner, file, known.identity.size, split_bytes, stop, &digest));
    places.insert(places.end(), found.begin(), found.end());
    sum = plain_ends || found.empty() ? "" : digest.digest();
    if (!plain_ends) {
      const double seconds = seconds_since(start);
      context_.note(fmt::format("{}: one pass over quotes and line ends found {} splits in {:.3f} s.",
                                file_label(known.path), places.size(), seconds));
    }
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    file_part part;
    part.path = known.path;
    part.from = places[i].offset;
    part.to = i + 1 < places.size() ? places[i + 1].offset : known.identity.size;
    part.line = places[i].line;
    part.identity = known.identity;
    part.sum = sum;
    std::string label = file_label(known.path);
    if (places.size() > 1) {
      label += fmt::format(" bytes {} to {}", part.from, part.to);
    }
    splits.push_back({part.description(), std::move(label), std::nullopt, part.to - part.from});
  }
  return {};
}

result<std::unique_ptr<reader>> text_source::make_reader() {
  if (bound_ == nullptr) {
    return fail(error_kind::internal, "A reader of text files was made before its source was open.");
  }
  return text_file_reader::make(layout_, bound_, context_, changed_);
}

std::optional<std::uint64_t> text_source::line_at(const std::string& file, std::uint64_t byte_offset,
                                                  const stop_signal& stop) {
  if (!splittable()) {
    return std::nullopt;  // read in one go: the reader knows the lines
  }
  const std::lock_guard lock(counting_);
  auto at = counted_.find(file);
  if (at == counted_.end()) {
    auto opened = file_handle::open(file);
    if (!opened) {
      return std::nullopt;
    }
    at = counted_.try_emplace(file, layout_->grammar, std::move(*opened)).first;
  }
  return at->second.line_at(byte_offset, stop);
}

result<void> text_source::check_unchanged(const stop_signal& stop) {
  for (const known_file& known : files_) {
    if (stop.fired()) {
      return fail(error_kind::cancelled, "stopped while looking for changed files");
    }
    const auto file = file_handle::open(known.path);
    const auto now = file ? file->identity() : result<file_identity>(fail(file.error()));
    if (!now || *now != known.identity) {
      return fail(
          error_kind::source_changed,
          "The file {} changed while it was read{}; what was read may be of two versions. Run again once "
          "nobody writes to it.",
          in_quotes(known.path),
          now && now->size != known.identity.size
              ? fmt::format(" (from {} to {} bytes)", known.identity.size, now->size)
              : "");
    }
  }
  const keys_seen& keys = *bound_->keys;
  if (layout_->format == file_format::json && !layout_->all_columns && keys.records() != 0) {
    for (std::size_t c = 0; c < keys.columns(); ++c) {
      if (!keys.has(c) && !bound_->columns[c].constant && !told_of_.contains(c)) {
        warn_of_key(c, fmt::format("the {} records read", with_thousands(keys.records())), keys.others());
      }
    }
  }
  return {};
}

}  // namespace sluice
