#include "plugins/text/text_sketch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <set>

#include "jobspec/words.h"
#include "plugins/common/files/file_handle.h"
#include "plugins/common/files/file_list.h"
#include "plugins/text/packed_mark.h"
#include "plugins/text/text_file_reader.h"
#include "plugins/text/text_place.h"
#include "plugins/text/text_reader.h"
#include "plugins/text/text_sample.h"
#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

using json = nlohmann::ordered_json;

constexpr std::size_t rows_looked_at = 10'000;
/// Enough to tell delimiters apart.
constexpr std::size_t rows_for_delimiter = 500;
constexpr auto delimiters = std::to_array<std::string_view>({",", "\t", ";", "|", "\x01"});

/// The compression that a file's first bytes show; empty where they show none.
result<std::string> compression_of_bytes(const std::string& path) {
  SLUICE_TRY(const file_handle file, file_handle::open(path));
  std::array<char, packed_mark_bytes> bytes{};
  SLUICE_TRY(const std::size_t got, file.read_at(0, bytes.data(), bytes.size()));
  return std::string(packed_by({bytes.data(), got}));
}

/// The layout of a reader with these options; the options are ours, so that a failure is one of ours too.
result<text_layout> layout_of(const nlohmann::json& parameter, dialect d) {
  const option_values values("template", "parameter", parameter, nullptr, text_reader_description().options,
                             d);
  return text_layout_of(values, {});
}

/// The encoding by the first bytes: a mark, or UTF-16 without one.
result<std::string> encoding_of(const std::string& path, const std::string& compress, dialect d) {
  SLUICE_TRY(const text_layout layout, layout_of({{"path", {path}}, {"compress", compress}}, d));
  SLUICE_TRY(const file_handle file, file_handle::open(path));
  SLUICE_TRY(const file_identity identity, file.identity());
  SLUICE_TRY(auto stream, open_stream(layout, file, 0, identity.size));
  std::array<char, 4096> bytes{};
  SLUICE_TRY(const std::size_t size, stream->read(bytes.data(), bytes.size()));
  const std::string_view head(bytes.data(), size);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) {
    return std::string("UTF-16");
  }
  std::size_t zeros[2] = {0, 0};
  for (std::size_t i = 0; i < head.size(); ++i) {
    zeros[i % 2] += head[i] == '\0' ? 1 : 0;
  }
  if (zeros[1] > head.size() / 4 && zeros[0] == 0) {
    return std::string("UTF-16LE");
  }
  if (zeros[0] > head.size() / 4 && zeros[1] == 0) {
    return std::string("UTF-16BE");
  }
  return std::string("UTF-8");
}

/// How well a delimiter cuts the sample: rows that have as many fields as most rows, and that many.
struct cut {
  std::string delimiter;
  std::size_t fields = 1;
  std::size_t agreeing = 0;
  std::size_t rows = 0;
  [[nodiscard]] bool clean() const { return fields > 1 && agreeing == rows; }
  /// A delimiter that never occurs agrees with every row and says nothing.
  [[nodiscard]] std::size_t score() const { return fields > 1 ? agreeing : 0; }
  [[nodiscard]] bool better_than(const cut& other) const {
    if (clean() != other.clean()) {
      return clean();
    }
    return clean() ? fields > other.fields : score() > other.score();
  }
};

cut cut_of(const text_sample& sample, std::string_view delimiter) {
  std::map<std::size_t, std::size_t> counts;
  for (const auto& row : sample.rows) {
    ++counts[row.size()];
  }
  cut c{std::string(delimiter), 1, 0, sample.rows.size() + sample.dirty};
  for (const auto& [fields, rows] : counts) {
    if (rows >= c.agreeing) {
      c.fields = fields;
      c.agreeing = rows;
    }
  }
  return c;
}

/// Everything of one call of `sketch_text_source`.
class source_sketcher {
 public:
  source_sketcher(const end_place& where, dialect d) : where_(where), file_(real_path(where)), dialect_(d) {}

  result<end_sketch> sketch() {
    SLUICE_TRY(path_, first_file());
    parameter_["path"] = {where_.path};
    json_ = is_json(where_);
    parameter_["fileFormat"] = json_ ? "json" : "csv";
    parameter_["skipEmptyRecords"] = true;
    const std::string by_name = compression_of_name(path_);
    SLUICE_TRY(const std::string compress, compression_of_bytes(path_));
    if (compress == "xz") {
      return fail(error_kind::bad_option, "{}: xz is not supported; unpack the file first", in_quotes(path_));
    }
    if (!compress.empty()) {
      parameter_["compress"] = compress;
    }
    SLUICE_TRY(encoding_, encoding_of(path_, compress, dialect_));
    parameter_["encoding"] = encoding_;
    if (!json_) {
      SLUICE_CHECK(find_delimiter());
      // Of a single field an empty line may be the value.
      parameter_["skipEmptyRecords"] = cut_.fields > 1;
    }
    SLUICE_TRY(const text_layout layout, layout_of(parameter_, dialect_));
    SLUICE_TRY(sample_, read_sample(layout, path_, rows_looked_at));
    if (!sample_.is_text) {
      return fail(
          error_kind::bad_option,
          "{}: the file is not text in {}, and which encoding it has cannot be told from its bytes; write a "
          "template by hand (sluice template text …) and set \"encoding\"",
          in_quotes(path_), encoding_);
    }
    put("path", {where_.path}, "");
    put("fileFormat", parameter_["fileFormat"], "");
    if (!compress.empty()) {
      put("compress", compress, compress == by_name ? "By the file's name." : "By the file's first bytes.");
    }
    put("encoding", encoding_,
        encoding_ == "UTF-8" ? "All bytes looked at are UTF-8." : "By the file's first bytes.");
    return json_ ? from_lines() : from_fields(layout);
  }

 private:
  void put(std::string name, json value, std::string comment) {
    sketch_.options.push_back({std::move(name), std::move(value), std::move(comment)});
  }

  result<void> find_delimiter() {
    std::optional<cut> best;
    for (const std::string_view delimiter : delimiters) {
      parameter_["fieldDelimiter"] = delimiter;
      SLUICE_TRY(const text_layout layout, layout_of(parameter_, dialect_));
      SLUICE_TRY(const text_sample sample, read_sample(layout, path_, rows_for_delimiter));
      const cut c = cut_of(sample, delimiter);
      if (!best || c.better_than(*best)) {
        best = c;
      }
    }
    cut_ = *best;
    parameter_["fieldDelimiter"] = cut_.delimiter;
    return {};
  }

  /// The file that is looked at: of a pattern the first one, which stands for all.
  result<std::string> first_file() {
    SLUICE_TRY(const auto found, files_matching(file_));
    if (found.empty()) {
      return fail(error_kind::bad_option, "no file matches {}{}; correct the pattern", in_quotes(where_.path),
                  looked_in(file_));
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(found.front(), ignored)) {
      return fail(error_kind::bad_option, "{}: this is a folder; name its files, such as {}",
                  in_quotes(where_.path), in_quotes((std::filesystem::path(where_.path) / "*.csv").string()));
    }
    if (found.size() > 1) {
      sketch_.remarks.push_back(fmt::format("{} files match; looked at was {}.", with_thousands(found.size()),
                                            in_quotes(found.front())));
    }
    return found.front();
  }

  [[nodiscard]] std::string looked_at(std::size_t records) const {
    return fmt::format("{} {} record{} {} looked at{}", sample_.whole_file ? "All" : "The first",
                       with_thousands(records), records == 1 ? "" : "s", records == 1 ? "was" : "were",
                       sample_.whole_file ? "." : ": what comes behind them and does not fit will be dirty.");
  }

  result<end_sketch> from_fields(const text_layout& layout) {
    std::size_t other = 0;
    std::vector<std::vector<sampled_field>> columns(sample_.rows.empty() ? 0 : most_fields());
    // DataX knows no columns by heading.
    by_heading_ =
        dialect_ == dialect::script2 && !columns.empty() && sample_.rows.front().size() == columns.size();
    for (auto& row : sample_.rows) {
      if (row.size() != columns.size()) {
        ++other;
        continue;
      }
      for (std::size_t i = 0; i < row.size(); ++i) {
        columns[i].push_back(std::move(row[i]));
      }
    }
    if (columns.empty()) {
      return fail(error_kind::bad_option,
                  "{}: the file has no record to look at; write a template by hand (sluice "
                  "template text …)",
                  in_quotes(file_));
    }
    put("fieldDelimiter", cut_.delimiter, fmt::format("{} fields a record.", columns.size()));
    put_heading(columns);
    SLUICE_CHECK(compare_headings(layout));
    sketch_.remarks.push_back(looked_at(columns[0].size() + other + sample_.dirty));
    if (other + sample_.dirty != 0) {
      const std::string line = fmt::format(
          "{} of them will be dirty: {} with another number of fields than {}, {} with quotes "
          "that do not match.",
          with_thousands(other + sample_.dirty), with_thousands(other), columns.size(),
          with_thousands(sample_.dirty));
      sketch_.remarks.push_back(line);
      sketch_.doubts.push_back(
          fmt::format("{}: {} Bear them with a higher errorLimit, or mend the file.", path_, line));
    }
    put_empty_records();
    put_null(columns);
    put_columns(columns);
    put("otherFields", "dirty", "A record with more fields than these is dirty; ignore leaves them out.");
    put_other_spelling();
    return std::move(sketch_);
  }

  /// Takes the heading off the columns, where the first record is one.
  void put_heading(std::vector<std::vector<sampled_field>>& columns) {
    const heading_guess guess = guess_heading(columns);
    const bool is_heading = where_.heading.value_or(guess.is_heading);
    put("skipHeader", is_heading,
        where_.heading      ? "As was said."
        : !guess.is_heading ? "The first record looks like the others, not like a heading."
        : guess.unsure
            ? "The first record looks like a heading, but all columns are text: see whether it is one."
            : "The first record is a heading: below it are values of other types.");
    if (guess.unsure && !where_.heading) {
      sketch_.heading_unsure = fmt::format(
          "{}: whether the first record ({}) is a heading cannot be told, because all columns are text",
          in_quotes(path_), in_quotes(first_fields(columns)));
    }
    if (!is_heading) {
      return;
    }
    std::set<std::string> taken;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string said = columns[i].front().text;
      std::string name = said.empty() ? fmt::format("column_{}", i + 1) : said;
      for (int n = 2; !taken.insert(name).second; ++n) {
        name = fmt::format("{}_{}", said.empty() ? "column" : said, n);
      }
      if (name != said) {
        sketch_.remarks.push_back(fmt::format("Column {} is called {} here: its heading is {}.", i + 1,
                                              in_quotes(name),
                                              said.empty() ? "empty" : "that of another column, too"));
      }
      // Only a heading that stands once, and that a job can write as it stands, finds its column.
      by_heading_ = by_heading_ && name == said && trimmed(said) == said;
      headings_.push_back(said);
      names_.push_back(std::move(name));
      columns[i].erase(columns[i].begin());
    }
  }

  /// One list of columns is right for all files only where their headings are the same. A file without a
  /// record says nothing of it.
  result<void> compare_headings(const text_layout& layout) {
    SLUICE_TRY(const auto files, files_matching(file_));
    for (const std::string& other : files) {
      if (headings_.empty() || other == path_) {
        continue;
      }
      SLUICE_TRY(const text_sample sample, read_sample(layout, other, 1));
      if (sample.rows.empty()) {
        continue;
      }
      std::vector<std::string> there;
      for (const sampled_field& field : sample.rows.front()) {
        there.push_back(field.text);
      }
      if (there != headings_) {
        return fail(error_kind::bad_option,
                    "{} and {} have different headings ({} and {}), and one list of columns would mix them "
                    "up: read them in two jobs{}",
                    in_quotes(path_), in_quotes(other),
                    in_quotes(fmt::format("{}", fmt::join(headings_, ", "))),
                    in_quotes(fmt::format("{}", fmt::join(there, ", "))),
                    where_.heading ? "" : ", or say --no-header if the first record is no heading");
      }
    }
    return {};
  }

  static std::string first_fields(const std::vector<std::vector<sampled_field>>& columns) {
    std::string out;
    for (const auto& column : columns) {
      out += (out.empty() ? "" : ", ") + column.front().text;
    }
    return out;
  }

  void put_empty_records() {
    const bool empty_fields =
        std::any_of(sample_.rows.begin(), sample_.rows.end(), [](const std::vector<sampled_field>& row) {
          return row.size() == 1 && row[0].text.empty() && !row[0].quoted;
        });
    if (!json_ && cut_.fields == 1 && empty_fields) {
      put("skipEmptyRecords", false,
          "An empty line is a record whose only field is empty; true leaves it out.");
    }
    if (sample_.empty_records != 0) {
      put("skipEmptyRecords", true,
          fmt::format("{} empty line{} seen; each would be a record of its own.",
                      with_thousands(sample_.empty_records), sample_.empty_records == 1 ? " was" : "s were"));
    }
  }

  [[nodiscard]] std::size_t most_fields() const { return cut_of(sample_, "").fields; }

  void put_null(const std::vector<std::vector<sampled_field>>& columns) {
    const null_guess guess = guess_null_text(columns);
    const bool guessed = guess.text.has_value();
    null_text_ = guess.text.value_or("");
    std::size_t seen = 0;
    for (const auto& column : columns) {
      seen +=
          static_cast<std::size_t>(std::count_if(column.begin(), column.end(), [&](const sampled_field& f) {
            return !f.quoted && f.text == *null_text_;
          }));
    }
    if (guess.unsure) {
      sketch_.doubts.push_back(
          fmt::format("{}: which text is NULL is unsure; taken as NULL {} the {} unquoted fields looked at "
                      "that are {}, in "
                      "columns of text too. If that is wrong, set nullFormat in the job",
                      in_quotes(path_), seen == 1 ? "is" : "are", with_thousands(seen),
                      null_text_->empty() ? "empty" : in_quotes(*null_text_)));
    }
    if (!guessed) {
      // What Sluice and databases write as CSV is read back as it was.
      put("nullFormat", "",
          seen == 0
              ? "An unquoted field that is empty is NULL, a quoted one an empty text; no NULL was seen."
              : fmt::format("An unquoted field that is empty is NULL, a quoted one an empty text; {} were "
                            "seen, in columns of text only. Take this out where they are empty texts.",
                            with_thousands(seen)));
      return;
    }
    put("nullFormat", *null_text_,
        fmt::format("An unquoted field {} is NULL, in columns of text too: {} of them were seen.",
                    null_text_->empty() ? "that is empty" : in_quotes(*null_text_), with_thousands(seen)));
  }

  void put_columns(const std::vector<std::vector<sampled_field>>& columns) {
    const bool by_heading = by_heading_ && !names_.empty();
    json list = json::array();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string name = names_.empty() ? fmt::format("column_{}", i + 1) : names_[i];
      const column_guess guess = guess_column(columns[i], null_text_);
      json one = json::object();
      if (!by_heading) {
        one["index"] = i;
      }
      one["name"] = name;
      one["type"] = to_string(guess.type);
      if (guess.format) {
        one["format"] = *guess.format;
      }
      list.push_back(std::move(one));
      sketch_.columns.push_back(
          {name, guess.value_type, null_text_.has_value(), std::string(to_string(guess.type))});
      sketch_.column_comments.push_back(guess.reason);
    }
    put("column", std::move(list), by_heading ? "Each is found by its heading." : "");
  }

  /// Types are guessed from the records looked at: no text behind them may be changed by a wrong guess.
  void put_other_spelling() {
    put("otherSpelling", "dirty",
        "A text that its type would write otherwise (007, +1, TRUE) is dirty; read takes its value.");
  }

  /// What the values of one member are.
  struct member {
    std::vector<sampled_field> texts;
    bool all_long = true, all_numbers = true, all_booleans = true, all_texts = true;
    std::size_t seen = 0;
  };

  static void note(member& m, const json& value) {
    if (value.is_null()) {
      return;
    }
    ++m.seen;
    const bool is_long =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    m.all_long = m.all_long && is_long;
    m.all_numbers = m.all_numbers && value.is_number();
    m.all_booleans = m.all_booleans && value.is_boolean();
    m.all_texts = m.all_texts && value.is_string();
    if (m.all_texts) {
      m.texts.push_back({value.get<std::string>(), false});
    }
  }

  static column_guess guess_of(const member& m) {
    column_guess guess;
    if (m.seen == 0) {
      guess.reason = "text, because no value was seen";
    } else if (m.all_long) {
      guess.type = declared_type::long_number;
    } else if (m.all_numbers) {
      guess.type = declared_type::double_number;
      guess.reason = "exact number, not a floating-point one";
    } else if (m.all_booleans) {
      guess.type = declared_type::boolean;
    } else if (m.all_texts) {
      // A text in JSON was meant as one, unless it is a date, which JSON cannot say.
      column_guess by_text = guess_column(m.texts, std::nullopt);
      if (by_text.type == declared_type::date || by_text.type == declared_type::bytes) {
        return by_text;
      }
    } else {
      guess.reason = "the exact text in the file: its values are of several kinds, or objects and lists";
    }
    const auto parser = value_parser::make(guess.type, guess.format, {});
    guess.value_type = parser ? parser->type() : type_of(type_id::utf8);
    return guess;
  }

  result<end_sketch> from_lines() {
    std::vector<std::string> order;
    std::map<std::string, member> members;
    std::size_t broken = 0;
    for (const std::string& line : sample_.lines) {
      const json object = json::parse(line, nullptr, false);
      if (!object.is_object()) {
        ++broken;
        continue;
      }
      for (const auto& [key, value] : object.items()) {
        if (members.find(key) == members.end()) {
          order.push_back(key);
        }
        note(members[key], value);
      }
    }
    if (order.empty()) {
      return fail(error_kind::bad_option,
                  "{}: no line looked at is a JSON object; expected JSON Lines, one object a line",
                  in_quotes(file_));
    }
    sketch_.remarks.push_back(looked_at(sample_.lines.size()));
    if (broken != 0) {
      const std::string line = fmt::format("{} of them {} and will be dirty.", with_thousands(broken),
                                           broken == 1 ? "is no JSON object" : "are no JSON objects");
      sketch_.remarks.push_back(line);
      sketch_.doubts.push_back(
          fmt::format("{}: {} Bear them with a higher errorLimit, or mend the file.", path_, line));
    }
    put_empty_records();
    json list = json::array();
    for (const std::string& key : order) {
      const column_guess guess = guess_of(members[key]);
      json one = {{"name", key}, {"type", to_string(guess.type)}};
      if (guess.format) {
        one["format"] = *guess.format;
      }
      list.push_back(std::move(one));
      sketch_.columns.push_back({key, guess.value_type, true, std::string(to_string(guess.type))});
      sketch_.column_comments.push_back(guess.reason);
    }
    put("column", std::move(list), "");
    put("otherFields", "dirty",
        "A record with a key that is not among these is dirty; ignore leaves it out.");
    put_other_spelling();
    return std::move(sketch_);
  }

  const end_place& where_;
  const std::string file_;
  dialect dialect_;
  std::string path_;  ///< The file that is looked at.
  bool json_ = false;
  nlohmann::json parameter_;
  std::string encoding_;
  cut cut_;
  text_sample sample_;
  std::vector<std::string> names_;
  std::vector<std::string> headings_;  ///< As the file has them.
  bool by_heading_ = false;            ///< A column's heading says which it is, no index.
  std::optional<std::string> null_text_;
  end_sketch sketch_;
};

}  // namespace

result<end_sketch> sketch_text_source(const end_place& where, const sketch_context& context,
                                      const stop_signal& stop) {
  (void)stop;
  return source_sketcher(where, context.form).sketch();
}

result<end_sketch> sketch_text_target(const end_place& where, const schema& columns,
                                      const sketch_context& context, const stop_signal& stop) {
  (void)stop;
  const sketch_mode mode = context.mode;
  end_sketch sketch;
  const std::filesystem::path path(where.path);
  if (path.filename().empty() || path.filename() == "." || path.filename() == "..") {
    return fail(error{
        error_kind::bad_option,
        fmt::format("{}: this is a folder; name the file to write, such as out.csv", in_quotes(where.path)),
        end_named_wrong, false});
  }
  const std::string compress = compression_of_name(where.path);
  if (compress == "xz") {
    return fail(error{error_kind::bad_option,
                      fmt::format("{}: xz is not supported; give a name that ends in .gz, .zst or .bz2, or "
                                  "leave .xz out",
                                  in_quotes(where.path)),
                      end_named_wrong, false});
  }
  sketch.appends = false;
  const std::string name = path.filename().string();
  const std::size_t dot = std::min(name.find('.', 1), name.size());
  const bool json_lines = is_json(where);
  const bool tabs = where.form == "tsv" || has_ending(plain_name(where.path), {".tsv"});
  const bool one_file = compress != "zip";
  const auto put = [&](std::string option, json value, std::string comment) {
    sketch.options.push_back({std::move(option), std::move(value), std::move(comment)});
  };
  put("path", path.has_parent_path() ? path.parent_path().string() : ".",
      where.datasource ? "The folder, below the data source's." : "The folder.");
  put("fileName", name.substr(0, dot), "");
  if (dot < name.size()) {
    put("suffix", name.substr(dot), "");
  }
  put("singleFileOutput", one_file,
      one_file ? "One file with exactly this name." : "Each split writes a file with a name of its own.");
  put("writeMode", mode == sketch_mode::replace ? "truncate" : "nonConflict",
      mode == sketch_mode::replace ? "A file that is there is replaced once the new one is complete."
                                   : "Refuses to run while the file is there; truncate replaces it.");
  put("fileFormat", json_lines ? "json" : "csv", "");
  if (!json_lines) {
    put("fieldDelimiter", tabs ? "\t" : ",", "");
  }
  if (!compress.empty()) {
    put("compress", compress, "By the file's name.");
  }
  json names = json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.push_back(columns[i].name.empty() ? fmt::format("column_{}", i + 1) : columns[i].name);
  }
  for (std::size_t i = 0; i < columns.size() && !json_lines; ++i) {
    sketch.columns.push_back({names[i].get<std::string>(), type_of(type_id::utf8), true, ""});
  }
  put("header", names, json_lines ? "The members' names." : "The first line.");
  if (!json_lines) {
    put("nullFormat", "", "NULL is written as nothing, an empty text in quotes.");
  }
  std::error_code ignored;
  sketch.holds_records = std::filesystem::exists(real_path(where), ignored);
  if (sketch.holds_records && mode == sketch_mode::append) {
    return fail(
        error_kind::bad_option,
        "{}: a file appears whole and is never added to; give another name, or replace it (--replace)",
        in_quotes(where.path));
  }
  if (std::any_of(columns.begin(), columns.end(),
                  [](const field& f) { return f.type.id == type_id::binary; })) {
    put("bytesFormat", to_string(bytes_form::pg_hex),
        "Bytes are written as \\x and hex digits, by which a copy of the file knows them; text writes them "
        "as "
        "they are, where they are UTF-8.");
  }
  return sketch;
}

}  // namespace sluice
