#include "plugins/text/text_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include "plugins/common/output/file_calls.h"
#include "plugins/text/text_writer.h"
#include "transport/base/text.h"
#include "transport/record/date_pattern.h"

namespace sluice {
namespace {

constexpr std::size_t columns_shown = 10;

class text_target final : public target {
 public:
  text_target(text_writer_options options, const plugin_context& context)
      : context_(context), run_(std::make_shared<text_run>(std::move(options), context)) {}

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override {
    const text_writer_options& o = run_->options;
    target_description description;
    description.name = fmt::format("files {}/{}*", o.folder, o.file_name);
    description.run_again = run_again_text();
    SLUICE_CHECK(look_at_marks(description, stop));
    if (!o.header.empty() && o.header.size() != source_columns.size()) {
      return fail(error_kind::bad_option,
                  "header has {} names and the source {} columns; write one name a column.", o.header.size(),
                  source_columns.size());
    }
    description.names = o.header;
    SLUICE_CHECK(look_at_date_format(source_columns));
    note_clock(source_columns, description);
    if (o.format == file_format::json) {
      // Made and dropped again: it says which column has no name before anything is written.
      SLUICE_CHECK(make_json_formatter(o, std::make_shared<const schema>(source_columns), context_.zone));
    }
    if (!std::filesystem::exists(o.folder)) {
      description.changes.push_back(fmt::format("The folder {} is made.", in_quotes(o.folder)));
      return description;
    }
    SLUICE_CHECK(check_folder_writable(o.folder));
    SLUICE_CHECK(look_at_old_files());
    if (!standing_.empty()) {
      description.notes.push_back(
          fmt::format("A run that is done has left {} ({} files in all); writeMode is nonConflict, so that "
                      "another run is refused.",
                      in_quotes(o.folder + "/" + standing_.front()), standing_.size()));
    }
    const auto changes = [&](const std::string& path, const std::string& change) {
      if (auto file = file_use_of(path, file_use::kind::plain, change)) {
        description.files_changed.push_back(std::move(*file));
      }
    };
    for (const std::string& name : replaced_) {
      const std::string path = o.folder + "/" + name;
      const std::string change = o.single_file ? "replaced" : "removed";
      description.changes.push_back(
          fmt::format("The file {} is {} once the new ones are complete.", in_quotes(path), change));
      changes(path, change);
    }
    if (!o.done_file.empty()) {
      changes(o.done_file, "replaced");
    }
    if (auto folder = file_use_of(o.folder)) {
      const std::string name = o.single_file ? single_name() : run_->name_of({0}, 0);
      description.files_made.push_back({o.folder + "/" + name, name, std::move(*folder)});
    }
    return description;
  }

  result<void> prepare(const run_id& run, const stop_signal& stop) override {
    (void)stop;
    std::error_code failed;
    std::filesystem::create_directories(run_->options.folder, failed);
    if (failed) {
      return fail(file_error(failed.value(), "make the folder", run_->options.folder));
    }
    run_id_ = run;
    run_->use_run(run);
    // Where an unfinished run was there, `open` could not tell whose the file is.
    const bool goes_on = std::find(unfinished_.begin(), unfinished_.end(), run) != unfinished_.end();
    const text_writer_options& o = run_->options;
    if (!standing_.empty()) {
      return fail(in_the_way(standing_.front(), standing_.size()));
    }
    if (o.mode == file_write_mode::non_conflict && o.single_file && !goes_on &&
        std::filesystem::exists(single_path(), failed)) {
      return fail(in_the_way(single_name(), 1));
    }
    return run_->parts.prepare(run);
  }

  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    return text_writer::make(run_, std::move(columns), context_);
  }

  result<void> finish(const stop_signal& stop) override {
    (void)stop;
    const text_writer_options& o = run_->options;
    if (run_->marks) {
      SLUICE_CHECK(run_->marks->begin_naming(run_id_));
    }
    if (o.single_file) {
      SLUICE_CHECK(join_parts());
    } else {
      SLUICE_CHECK(name_parts());
      SLUICE_CHECK(remove_replaced());
    }
    if (!o.done_file.empty()) {
      SLUICE_TRY(output_file done, output_file::make(o.done_file));
      SLUICE_CHECK(done.close());
    }
    if (!run_->marks) {
      run_->parts.remove_all();  // with marks, once the run is recorded as done
    }
    return {};
  }

  void abandon() override {
    if (!run_->marks) {
      run_->parts.remove_all();
    }
  }

  progress_store* progress() override { return run_->marks ? &run_->marks->progress() : nullptr; }

  /// Whether the bytes are there that the marks cover.
  result<void> check_rows(const committed_rows& rows, bool at_end, const stop_signal& stop) override {
    (void)rows, (void)at_end, (void)stop;
    if (!run_->marks) {
      return {};
    }
    SLUICE_TRY(const auto marked, run_->marks->files_of(run_id_));
    SLUICE_TRY(const bool named, run_->marks->naming_begun(run_id_));
    std::uint64_t all = 0;
    std::optional<error> gone;
    for (const auto& [split, files] : marked) {
      for (const marked_file& f : files) {
        all += f.bytes;
        const bool there = has_bytes(temporary(f), f.bytes, f.whole) ||
                           (named && has_bytes(final_path(split, f.part), f.bytes, true));
        if (!there && !gone) {
          gone = output_parts::bytes_gone(temporary(f), f.bytes);
        }
      }
    }
    // In one file they are joined, and it has its name before they go.
    const bool joined = named && run_->options.single_file && has_bytes(single_path(), all, true);
    return !gone || joined ? result<void>() : fail(std::move(*gone));
  }

  void interrupt() override {
    if (run_->marks) {
      run_->marks->interrupt();
    }
  }

 private:
  [[nodiscard]] std::string single_name() const { return run_->options.file_name + run_->options.suffix; }
  [[nodiscard]] std::string single_path() const { return run_->options.folder + "/" + single_name(); }
  [[nodiscard]] std::string temporary(const marked_file& f) const {
    return run_->parts.folder() + "/" + f.name;
  }
  [[nodiscard]] std::string final_path(split_index split, std::size_t part) const {
    return run_->options.folder + "/" + run_->name_of(split, part);
  }

  /// Whether the file is there and has so many bytes, or more where it need not be `whole`.
  static bool has_bytes(const std::string& path, std::uint64_t bytes, bool whole) {
    std::error_code failed;
    const std::uintmax_t there = std::filesystem::file_size(path, failed);
    return !failed && (whole ? there == bytes : there >= bytes);
  }

  result<void> look_at_marks(target_description& description, const stop_signal& stop) {
    if (!run_->marks) {
      description.promise =
          fmt::format("at least once, because {}: a run begun again starts over", run_->unmarkable);
      return {};
    }
    SLUICE_CHECK(run_->marks->look(stop));
    SLUICE_TRY(const auto runs, run_->marks->runs_into(run_->options.file_name));
    unfinished_.clear();
    done_.clear();
    for (const output_marks::output_run& r : runs) {
      (r.done ? done_ : unfinished_).push_back(r.run);
    }
    description.promise = "exactly once";
    description.exactly_once = true;
    description.output = run_->options.file_name;
    description.empties = run_->options.mode == file_write_mode::truncate;
    description.appears_whole = true;
    if (!run_->marks->exists()) {
      description.changes.push_back(
          fmt::format("The file {} is made, for claims and marks.", in_quotes(run_->marks->file())));
    }
    return {};
  }

  [[nodiscard]] std::string run_again_text() const {
    switch (run_->options.mode) {
      case file_write_mode::truncate:
        return "the files are replaced by new ones with all records";
      case file_write_mode::append:
        return "files with all records are added to those that are there";
      case file_write_mode::non_conflict:
        return "it is refused as long as the files are there";
    }
    return {};
  }

  /// Whether `dateFormat` writes the offset from UTC.
  [[nodiscard]] bool writes_offset() const {
    const auto& format = run_->options.date_format;
    const auto pattern = date_pattern::make(format.value_or(""), date_pattern::use::display);
    return format && pattern && pattern->has_offset();
  }

  /// A format with an offset would claim one for what has none.
  [[nodiscard]] result<void> look_at_offset(const schema& columns) const {
    const text_writer_options& o = run_->options;
    schema without;
    std::copy_if(columns.begin(), columns.end(), std::back_inserter(without), [](const field& f) {
      return f.type.id == type_id::date || f.type.id == type_id::timestamp;
    });
    if (without.empty() || !writes_offset()) {
      return {};
    }
    return fail(
        error_kind::bad_option,
        "{}: found {}, which writes the offset from UTC, and these columns have no time zone: {}; leave "
        "the offset out, or have the reader deliver points in time",
        o.date_format_place, in_quotes(*o.date_format), types_text(without));
  }

  /// A format that formats nothing: the dates are text, maybe, and are written as they stand.
  result<void> look_at_date_format(const schema& columns) {
    const text_writer_options& o = run_->options;
    SLUICE_CHECK(look_at_offset(columns));
    const bool any = std::any_of(columns.begin(), columns.end(), [](const field& f) {
      return f.type.id == type_id::date || f.type.id == type_id::timestamp || f.type.id == type_id::instant;
    });
    if (!o.date_format || any || std::exchange(told_of_date_format_, true)) {
      return {};
    }
    const std::string line = fmt::format(
        "{}: has no effect, because none of the columns is a date, a timestamp or an instant ({}); "
        "leave it out, or have the reader deliver dates",
        o.date_format_place, types_text(columns));
    if (context_.strict) {
      return fail(error_kind::bad_option, "{} (--strict)", line);
    }
    if (context_.warn) {
      context_.warn(line);
    }
    return {};
  }

  /// Points in time are written as a clock shows them: nobody sees in the file which one it was.
  void note_clock(const schema& columns, target_description& description) const {
    if (writes_offset()) {
      return;
    }
    schema instants;
    std::copy_if(columns.begin(), columns.end(), std::back_inserter(instants),
                 [](const field& f) { return f.type.id == type_id::instant; });
    if (!instants.empty() && context_.zone != nullptr) {
      description.notes.push_back(fmt::format(
          "Points in time are written as the clock of {} shows them, without their offset ({}); a "
          "dateFormat with XXX writes it.",
          context_.zone->name(), types_text(instants)));
    }
  }

  /// `id int64, day utf8`.
  static std::string types_text(const schema& columns) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i == columns_shown) {
        return text + fmt::format(", … ({} columns)", columns.size());
      }
      text += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                          columns[i].name.empty() ? fmt::format("#{}", i) : escaped(columns[i].name),
                          to_string(columns[i].type));
    }
    return text;
  }

  [[nodiscard]] error in_the_way(const std::string& name, std::size_t files) const {
    return {error_kind::bad_option,
            fmt::format("writeMode is nonConflict and {} is there already ({} files in all); remove them, "
                        "choose another fileName or write truncate or append.",
                        in_quotes(run_->options.folder + "/" + name), files),
            "", false};
  }

  /// Which files are there already, and whether the write mode allows them.
  result<void> look_at_old_files() {
    const text_writer_options& o = run_->options;
    SLUICE_TRY(auto names, files_with_prefix(o.folder, o.file_name));
    if (o.single_file) {
      std::erase_if(names, [this](const std::string& name) { return name != single_name(); });
    }
    const auto is_of = [&o](const std::vector<run_id>& runs, const std::string& name) {
      return std::any_of(runs.begin(), runs.end(), [&](const run_id& run) {
        return o.single_file || name.starts_with(o.file_name + "__" + text_run::part_of(run) + "_");
      });
    };
    // A run that died while it gave its files their names goes on with that.
    std::erase_if(names, [&](const std::string& name) { return is_of(unfinished_, name); });
    standing_.clear();
    if (o.mode == file_write_mode::non_conflict && !names.empty()) {
      // The start may find that the job is done by that run, and move nothing.
      if (!std::all_of(names.begin(), names.end(),
                       [&](const std::string& name) { return is_of(done_, name); })) {
        return fail(in_the_way(names.front(), names.size()));
      }
      standing_ = names;
    }
    replaced_ = o.mode == file_write_mode::truncate ? std::move(names) : std::vector<std::string>();
    return {};
  }

  /// The parts of all splits, by split and part, with whatever an earlier process has written.
  result<std::vector<output_parts::completed_split>> completed() {
    if (!run_->marks) {
      return run_->parts.completed();
    }
    SLUICE_TRY(const auto marked, run_->marks->files_of(run_id_));
    std::vector<output_parts::completed_split> done;
    for (const auto& [split, files] : marked) {
      done.push_back({split, {}});
      for (const marked_file& f : files) {
        done.back().files.push_back(temporary(f));
      }
    }
    return done;
  }

  /// Of a finish that failed half-way, or whose process died: `check_rows` has seen that it has its name.
  [[nodiscard]] bool is_named(const std::string& temporary, const std::string& path) const {
    std::error_code ignored;
    return run_->marks && !std::filesystem::exists(temporary, ignored) &&
           std::filesystem::exists(path, ignored);
  }

  result<void> join_parts() {
    SLUICE_TRY(const auto splits, completed());
    const std::vector<std::string> files = output_parts::files_of(splits);
    const bool joined = std::any_of(files.begin(), files.end(),
                                    [this](const std::string& f) { return is_named(f, single_path()); });
    return joined ? sync_folder(run_->options.folder) : run_->parts.join(files, single_path());
  }

  /// Gives the temporaries their names. What is renamed already (a finish that failed half-way) is passed
  /// over.
  result<void> name_parts() {
    SLUICE_TRY(const auto splits, completed());
    for (const output_parts::completed_split& s : splits) {
      for (std::size_t i = 0; i < s.files.size(); ++i) {
        const std::string path = final_path(s.split, i);
        if (!named_.insert(run_->name_of(s.split, i)).second || is_named(s.files[i], path)) {
          continue;
        }
        if (auto renamed = rename_file(s.files[i], path); !renamed) {
          named_.erase(run_->name_of(s.split, i));
          return renamed;
        }
      }
    }
    return sync_folder(run_->options.folder);
  }

  result<void> remove_replaced() {
    for (const std::string& name : replaced_) {
      if (!named_.contains(name)) {
        SLUICE_CHECK(remove_file(run_->options.folder + "/" + name));
      }
    }
    return replaced_.empty() ? result<void>() : sync_folder(run_->options.folder);
  }

  plugin_context context_;
  std::shared_ptr<text_run> run_;
  std::vector<std::string> replaced_;  // As listed before anything changed.
  std::set<std::string> named_;
  std::vector<run_id> unfinished_;  // That the marks tell of, as `open` found them; so the next.
  std::vector<run_id> done_;
  std::vector<std::string> standing_;  // Files of those that writeMode forbids a run to write beside.
  run_id run_id_;
  bool told_of_date_format_ = false;
};

}  // namespace

result<std::unique_ptr<target>> make_text_target(const option_values& options,
                                                 const plugin_context& context) {
  auto parsed = parse_text_writer_options(options);
  if (!context.marks.name.empty()) {
    return fail(
        error_kind::bad_option,
        "{}{}{}: found {}, but the marks of files stand in .sluice-progress.db in the folder of the output; "
        "leave it out, or give \"none\" for a run without marks",
        parsed ? "" : parsed.error().message, parsed ? "" : "\n", context.marks.place,
        in_quotes(context.marks.name));
  }
  SLUICE_CHECK(parsed);
  return std::make_unique<text_target>(std::move(*parsed), context);
}

}  // namespace sluice
