#include "plugins/stream/stream_target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "plugins/common/output/file_calls.h"
#include "plugins/common/output/output_file.h"
#include "plugins/common/output/output_parts.h"
#include "plugins/common/output/text_encoder.h"
#include "plugins/common/output/value_printer.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice {
namespace {

enum class destination { discard, standard_output, file };

struct stream_options {
  destination to = destination::standard_output;
  std::string delimiter = "\t";
  std::string encoding = "UTF-8";
  std::string folder;
  std::string file_name;
  std::uint64_t records_before_sleep = 0;
  std::chrono::seconds sleep{0};

  [[nodiscard]] std::string path() const { return folder + "/" + file_name; }
};

result<stream_options> parse_options(const option_values& options) {
  stream_options parsed;
  SLUICE_TRY(const auto print, options.boolean("print"));
  SLUICE_TRY(const auto path, options.text("path"));
  SLUICE_TRY(const auto file_name, options.text("fileName"));
  if (path.has_value() != file_name.has_value()) {
    return options.bad(path ? "path" : "fileName",
                       "path and fileName belong together; set both to write a file, or none to print.");
  }
  if (path) {
    parsed.to = destination::file;
    parsed.folder = *path;
    parsed.file_name = *file_name;
    if (parsed.file_name.find('/') != std::string::npos) {
      return options.bad("fileName",
                         fmt::format("fileName is {}; write a name without a slash, and the folder in path.",
                                     in_quotes(parsed.file_name)));
    }
  } else if (!print.value_or(true)) {
    parsed.to = destination::discard;
  }
  SLUICE_TRY(const auto delimiter, options.text("fieldDelimiter"));
  parsed.delimiter = delimiter.value_or(parsed.delimiter);
  SLUICE_TRY(const auto encoding, options.text("encoding"));
  parsed.encoding = encoding.value_or(parsed.encoding);
  if (auto encoder = text_encoder::make(parsed.encoding); !encoder) {
    return options.bad("encoding", encoder.error().message);
  }
  SLUICE_TRY(const auto records, options.integer("recordNumBeforeSleep"));
  SLUICE_TRY(const auto seconds, options.integer("sleepTime"));
  parsed.records_before_sleep = static_cast<std::uint64_t>(records.value_or(0));
  parsed.sleep = std::chrono::seconds(seconds.value_or(0));
  return parsed;
}

/// Joins the fields of rows. Used by one thread.
class row_printer {
 public:
  static result<row_printer> make(const stream_options& options, const schema& columns,
                                  const time_zone_ptr& zone) {
    row_printer made(options.delimiter);
    SLUICE_TRY(made.encoder_, text_encoder::make(options.encoding));
    for (const field& f : columns) {
      if (has_offsets(f.type.id)) {
        made.texts_.emplace_back();
        continue;
      }
      SLUICE_TRY(made.texts_.emplace_back(),
                 value_printer::make(f.type, {.zone = zone, .date_format = std::nullopt}));
    }
    return made;
  }

  /// Appends the rows that have a text, and names the others.
  void append(const batch& b, std::string& to, std::vector<refused_row>& refused) {
    for (std::uint32_t row = 0; row < b.rows; ++row) {
      const std::size_t before = line_.size();
      refused_row bad;
      bad.row = row;
      if (!append_fields(b, row, bad)) {
        refused.push_back(std::move(bad));
        line_.resize(before);
      } else if (line_ += '\n'; encoder_ && !encoder_->append(line_, to)) {
        refused.push_back({row, "", std::string(to_string(dirty_code::not_in_charset)),
                           "The record has a character that the output's encoding lacks."});
      }
      if (encoder_) {
        line_.clear();
      }
    }
    if (!encoder_) {
      to.swap(line_);
      line_.clear();
    }
  }

  void restart() {
    if (encoder_) {
      encoder_->restart();
    }
  }

 private:
  explicit row_printer(std::string delimiter) : delimiter_(std::move(delimiter)) {}

  bool append_fields(const batch& b, std::uint32_t row, refused_row& bad) {
    for (std::size_t i = 0; i < b.columns.size(); ++i) {
      if (i != 0) {
        line_ += delimiter_;
      }
      const column& c = b.columns[i];
      if (c.is_null(row)) {
        line_ += "null";
      } else if (!texts_[i]) {
        line_ += c.get_bytes(row);
      } else {
        const std::size_t before = line_.size();
        line_.resize(before + texts_[i]->chars_max());
        const auto written = texts_[i]->write(c, row, line_.data() + before);
        line_.resize(static_cast<std::size_t>(written.end - line_.data()));
        if (written.code != dirty_code::none) {
          bad.column = (*b.columns_schema)[i].name;
          bad.code = to_string(written.code);
          bad.message = fmt::format("{}.", value_printer::reason(written.code));
          return false;
        }
      }
    }
    return true;
  }

  std::string delimiter_;
  std::unique_ptr<text_encoder> encoder_;
  std::vector<std::optional<value_printer>> texts_;  // Nothing for columns that are text already.
  std::string line_;
};

/// What the writers of a run share.
struct stream_run {
  stream_options options;
  output_parts parts;
  std::mutex standard_output;  // One batch at a time, so that lines of two writers do not mix.

  explicit stream_run(stream_options o, std::string job)
      : options(std::move(o)),
        parts(options.folder, fmt::format("stream {} {}", job, options.path()), false) {}
};

result<void> write_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EPIPE) {
      return fail(
          {error_kind::denied,
           "Whoever read the standard output went away before the end. Let it read all of it, or write "
           "to a file with \"path\" and \"fileName\".",
           "EPIPE", true});
    }
    if (written < 0 && errno != EINTR) {
      return fail(file_error(errno, "write to", "the standard output"));
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return {};
}

class stream_writer final : public writer {
 public:
  stream_writer(std::shared_ptr<stream_run> run, std::optional<row_printer> printer)
      : run_(std::move(run)), printer_(std::move(printer)) {}

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override {
    (void)stop;
    rollback();
    SLUICE_CHECK(run_->parts.begin(split, epoch));
    split_ = split;
    epoch_ = epoch;
    records_ = 0;
    if (run_->options.to == destination::file) {
      SLUICE_TRY(file_, output_file::make(run_->parts.path_of(split, epoch, 0)));
      printer_->restart();
    }
    mark start;
    start.split = split;
    start.epoch = epoch;
    return start;
  }

  result<write_answer> write(const batch& b, const stop_signal& stop) override {
    write_answer answer;
    if (printer_) {
      text_.clear();
      printer_->append(b, text_, answer.refused);
      SLUICE_CHECK(put());
    }
    answer.written = b.rows - answer.refused.size();
    if (!answer.refused.empty()) {
      answer.written_sum = b.rows_sum;
      for (const refused_row& r : answer.refused) {
        answer.written_sum -= canonical_sum(b.columns, *b.columns_schema, r.row, r.row + 1);
      }
    }
    SLUICE_CHECK(sleep_if_due(b.rows, stop));
    return answer;
  }

  result<void> commit(const mark& m, const stop_signal& stop) override {
    (void)stop;
    if (m.done && file_) {
      std::string path = file_->path();
      SLUICE_CHECK(file_->close());
      file_.reset();
      SLUICE_CHECK(run_->parts.complete(split_, epoch_, {std::move(path)}));
    }
    return {};
  }

  void rollback() override { file_.reset(); }

 private:
  result<void> put() {
    if (file_) {
      return file_->write(text_);
    }
    const std::lock_guard lock(run_->standard_output);
    return write_standard_output(text_);
  }

  /// As DataX: once a slice, behind the first `recordNumBeforeSleep` records.
  result<void> sleep_if_due(std::uint64_t records, const stop_signal& stop) {
    const stream_options& o = run_->options;
    const std::uint64_t before = std::exchange(records_, records_ + records);
    if (o.records_before_sleep == 0 || before >= o.records_before_sleep ||
        records_ < o.records_before_sleep) {
      return {};
    }
    return wait(-1, wait_for::readable, std::chrono::steady_clock::now() + o.sleep, stop);
  }

  std::shared_ptr<stream_run> run_;
  std::optional<row_printer> printer_;  // Nothing where records are discarded.
  std::optional<output_file> file_;
  split_index split_;
  epoch_number epoch_;
  std::uint64_t records_ = 0;
  std::string text_;
};

class stream_target final : public target {
 public:
  stream_target(stream_options options, const plugin_context& context)
      : zone_(context.zone), run_(std::make_shared<stream_run>(std::move(options), context.job_name)) {}

  result<target_description> open(const schema& source_columns, const stop_signal& stop) override {
    (void)source_columns, (void)stop;
    const stream_options& o = run_->options;
    target_description description;
    switch (o.to) {
      case destination::discard:
        description.name = "nowhere (stream with print false)";
        description.promise = "at least once, because nothing is kept";
        description.run_again = "everything is discarded again";
        break;
      case destination::standard_output:
        description.name = "the standard output";
        description.promise = "at least once, because what is printed cannot be taken back";
        description.run_again = "everything is printed again";
        break;
      case destination::file:
        SLUICE_CHECK(check_folder_writable(o.folder));
        description.name = o.path();
        description.changes = {fmt::format("The file {} is replaced.", in_quotes(o.path()))};
        description.promise = "at least once, because files hold no mark: a run begun again starts over";
        description.run_again = "the file is replaced by a new one with all records";
        break;
    }
    return description;
  }

  result<void> prepare(const run_id& run, const stop_signal& stop) override {
    (void)stop;
    return run_->options.to == destination::file ? run_->parts.prepare(run) : result<void>();
  }

  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    std::optional<row_printer> printer;
    if (run_->options.to != destination::discard) {
      SLUICE_TRY(printer, row_printer::make(run_->options, *columns, zone_));
    }
    return std::make_unique<stream_writer>(run_, std::move(printer));
  }

  result<void> finish(const stop_signal& stop) override {
    (void)stop;
    if (run_->options.to != destination::file) {
      return {};
    }
    SLUICE_CHECK(run_->parts.join(output_parts::files_of(run_->parts.completed()), run_->options.path()));
    run_->parts.remove_all();
    return {};
  }

  void abandon() override {
    if (run_->options.to == destination::file) {
      run_->parts.remove_all();
    }
  }

 private:
  time_zone_ptr zone_;
  std::shared_ptr<stream_run> run_;
};

}  // namespace

const side_description& stream_writer_description() {
  static const side_description description{
      .options = {{.name = "print",
                   .type = option_type::boolean,
                   .meaning = "Whether records are printed to the standard output; false discards them.",
                   .default_text = "true"},
                  {.name = "fieldDelimiter",
                   .type = option_type::delimiter,
                   .meaning = "Text between two fields; `\\t` and `\\u0001` are understood.",
                   .default_text = "\\t"},
                  {.name = "encoding", .meaning = "Encoding of the output.", .default_text = "UTF-8"},
                  {.name = "path",
                   .meaning = "Folder of a file to write in place of printing; it must exist."},
                  {.name = "fileName",
                   .meaning = "Name of that file; it is replaced when the run has succeeded."},
                  {.name = "recordNumBeforeSleep",
                   .type = option_type::integer,
                   .meaning = "Each slice pauses once, behind this many records; 0 for never.",
                   .default_text = "0",
                   .number_min = 0},
                  {.name = "sleepTime",
                   .type = option_type::integer,
                   .meaning = "How long that pause is, in seconds.",
                   .default_text = "0",
                   .number_min = 0,
                   .number_max = 86400}},
      .can = {.splits = {}, .resumes = {}, .incremental = "not applicable", .distributable = true},
      .sample = R"({"print": true, "fieldDelimiter": ","})"};
  return description;
}

result<std::unique_ptr<target>> make_stream_target(const option_values& options,
                                                   const plugin_context& context) {
  auto parsed = parse_options(options);
  if (!context.marks.name.empty()) {
    return fail(error_kind::bad_option, "{}{}{}: found {}, but this writer keeps no marks; leave it out",
                parsed ? "" : parsed.error().message, parsed ? "" : "\n", context.marks.place,
                in_quotes(context.marks.name));
  }
  SLUICE_CHECK(parsed);
  return std::make_unique<stream_target>(std::move(*parsed), context);
}

}  // namespace sluice
