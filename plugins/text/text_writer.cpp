#include "plugins/text/text_writer.h"

#include <fmt/format.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "plugins/common/output/file_calls.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"
#include "transport/record/dirty_codes.h"

namespace sluice {
namespace {

// Large enough that a system call costs nothing beside it, small enough to stay in the second cache.
constexpr std::size_t flush_bytes = std::size_t{1} << 20;
// A buffer that grew for one large record is given back.
constexpr std::size_t kept_bytes_most = std::size_t{4} << 20;
constexpr std::size_t kept_bytes_least = std::size_t{64} << 10;

std::size_t kept_bytes_of(const plugin_context& context) {
  return context.memory_bytes == 0
             ? kept_bytes_most
             : std::clamp<std::size_t>(2 * context.memory_bytes, kept_bytes_least, kept_bytes_most);
}

/// Of network and user space file systems, whose locks cannot be relied on (https://sqlite.org/faq.html#q5).
/// A folder that is not there has that of the first one above it that is.
bool has_unsure_locks(const std::string& folder) {
  constexpr auto types = std::to_array<std::uint32_t>({0x6969,        // nfs, as are the others of statfs(2)
                                                       0xFF534D42,    // cifs
                                                       0xFE534D42,    // smb2
                                                       0x517B,        // smb
                                                       0x65735546,    // fuse
                                                       0x01021997,    // 9p
                                                       0x5346414F,    // afs
                                                       0x00C36400,    // ceph
                                                       0x0BD00BD0,    // lustre
                                                       0x47504653});  // gpfs
  struct statfs found {};
  std::filesystem::path at = std::filesystem::absolute(folder);
  while (::statfs(at.c_str(), &found) != 0) {
    if (errno != ENOENT || at == at.parent_path()) {
      return false;  // what is wrong with it is told when it is opened
    }
    at = at.parent_path();
  }
  return std::find(types.begin(), types.end(), static_cast<std::uint32_t>(found.f_type)) != types.end();
}

std::string why_unmarkable(const text_writer_options& options, const marks_wish& wish) {
  if (wish.none) {
    return fmt::format("no marks are kept ({} is \"none\")", wish.place);
  }
  if (options.compress == compression::zip) {
    return "a zip archive cannot be gone on with";
  }
  if (!text_encoder::is_stateless(options.encoding)) {
    return fmt::format("text in {} cannot be gone on with", options.encoding);
  }
  if (has_unsure_locks(options.folder)) {
    return fmt::format(
        "{} is on a file system that more than one machine may use, whose locks marks cannot rely on",
        in_quotes(options.folder));
  }
  return {};
}

std::string name_in_folder(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

text_run::text_run(text_writer_options o, const plugin_context& context)
    : options(std::move(o)),
      unmarkable(why_unmarkable(options, context.marks)),
      parts(options.folder, fmt::format("text {} {}/{}", context.job_name, options.folder, options.file_name),
            unmarkable.empty()),
      run_part(part_of(context.run)) {
  if (unmarkable.empty()) {
    marks.emplace(options.folder);
  }
}

std::string text_run::name_of(split_index split, std::size_t part) const {
  return fmt::format("{}__{}_{}{}{}", options.file_name, run_part, split.value,
                     part == 0 ? std::string() : fmt::format("_{}", part), options.suffix);
}

result<std::unique_ptr<writer>> text_writer::make(std::shared_ptr<text_run> run, schema_ptr columns,
                                                  const plugin_context& context) {
  std::unique_ptr<text_writer> made(new text_writer(std::move(run), context.pool, kept_bytes_of(context)));
  const text_writer_options& options = made->run_->options;
  SLUICE_TRY(made->encoder_, text_encoder::make(options.encoding));
  SLUICE_TRY(made->formatter_, options.format == file_format::json
                                   ? make_json_formatter(options, std::move(columns), context.zone)
                                   : make_delimited_formatter(options, std::move(columns), context.zone));
  return made;
}

text_writer::~text_writer() {
  text_writer::rollback();
}

void text_writer::interrupt() {
  if (marks_) {
    marks_->interrupt();
  }
}

result<mark> text_writer::open(split_index split, epoch_number epoch, const stop_signal& stop) {
  rollback();
  if (marks_) {
    return open_marked(split, epoch, stop);
  }
  SLUICE_CHECK(run_->parts.begin(split, epoch));
  split_ = split;
  epoch_ = epoch;
  SLUICE_CHECK(begin_part());
  is_open_ = true;
  mark start;
  start.split = split;
  start.epoch = epoch;
  return start;
}

result<mark> text_writer::open_marked(split_index split, epoch_number epoch, const stop_signal& stop) {
  SLUICE_TRY(auto found, marks_->open(split, epoch, stop));
  split_ = split;
  epoch_ = epoch;
  std::vector<marked_file>& files = found.files;
  const auto path = [&](const marked_file& f) { return run_->parts.folder() + "/" + f.name; };
  std::optional<marked_file> last;
  if (!files.empty() && !files.back().whole) {
    last = std::move(files.back());
    files.pop_back();
    SLUICE_CHECK(run_->parts.take_over(split, path(*last), run_->parts.path_of(split, epoch, last->part),
                                       last->bytes));
  }
  SLUICE_CHECK(run_->parts.begin(split, epoch));
  is_open_ = true;  // from here on a rollback lets go of the split
  for (const marked_file& f : files) {
    files_.push_back(path(f));
  }
  if (found.at.done) {
    SLUICE_CHECK(run_->parts.complete(split_, epoch_, std::exchange(files_, {})));
    rollback();
    return found.at;
  }
  SLUICE_CHECK(last ? go_on_with(std::move(*last), stop) : begin_part());
  return found.at;
}

result<void> text_writer::go_on_with(marked_file last, const stop_signal& stop) {
  const std::string before = run_->parts.folder() + "/" + last.name;
  const std::string path = run_->parts.path_of(split_, epoch_, last.part);
  SLUICE_TRY(output_file file, output_file::go_on(path, last.bytes));
  last.name = name_in_folder(path);
  SLUICE_CHECK(sync_folder(run_->parts.folder()));
  SLUICE_CHECK(marks_->move(last, stop));
  SLUICE_CHECK(remove_file(before));
  part_ = {};
  part_.file = std::make_unique<output_file>(std::move(file));
  part_.bytes = last.text_bytes;
  part_.records = last.records;
  part_.marked = true;
  if (encoder_) {
    encoder_->begin_behind_start();
  }
  return {};
}

result<void> text_writer::begin_packing() {
  const text_writer_options& options = run_->options;
  std::string entry = run_->name_of(split_, part_number());
  if (entry.ends_with(".zip")) {
    entry.resize(entry.size() - 4);
  }
  SLUICE_TRY(part_.packed, compressor::make(options.compress, entry, *part_.file));
  return {};
}

result<void> text_writer::begin_part() {
  const text_writer_options& options = run_->options;
  SLUICE_TRY(output_file file, output_file::make(run_->parts.path_of(split_, epoch_, part_number())));
  part_ = {};
  part_.file = std::make_unique<output_file>(std::move(file));
  if (options.compress != compression::none) {
    SLUICE_CHECK(begin_packing());
  }
  if (encoder_ && options.single_file && split_.value != 0) {
    encoder_->begin_behind_start();
  } else if (encoder_) {
    encoder_->restart();
  }
  // In one file of all splits only the first has the header.
  if (!options.single_file || split_.value == 0) {
    const std::string header = formatter_->header();
    encoded_.clear();
    if (encoder_ && !encoder_->append(header, encoded_)) {
      return fail(error_kind::bad_option,
                  "The header has a character that the encoding {} lacks; mend one of them.",
                  options.encoding);
    }
    const std::string_view text = encoder_ ? std::string_view(encoded_) : std::string_view(header);
    part_.bytes = text.size();
    SLUICE_CHECK(put(text));
  }
  return {};
}

result<void> text_writer::put(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  if (run_->options.compress != compression::none && !part_.packed) {
    SLUICE_CHECK(begin_packing());  // the first behind a mark
  }
  return part_.packed ? part_.packed->write(text) : part_.file->write(text);
}

result<void> text_writer::flush() {
  SLUICE_CHECK(put({text_.as<char>(), text_.size()}));
  text_.clear();
  if (text_.capacity() > kept_bytes_max_) {
    text_ = growing_buffer(pool_);
  }
  if (encoded_.capacity() > kept_bytes_max_) {
    encoded_ = {};
  }
  return {};
}

result<void> text_writer::end_part() {
  SLUICE_CHECK(flush());
  if (part_.packed) {
    SLUICE_CHECK(part_.packed->finish());
    part_.packed.reset();
  }
  if (marks_) {
    unmarked_.push_back(part_at_hand());
    unmarked_.back().whole = true;
  }
  std::string path = part_.file->path();
  SLUICE_CHECK(part_.file->close());
  if (!part_.marked) {
    unknown_.push_back(path);
  }
  part_ = {};
  files_.push_back(std::move(path));
  return {};
}

marked_file text_writer::part_at_hand() const {
  return {part_number(), name_in_folder(part_.file->path()), part_.file->bytes(), part_.bytes, part_.records,
          false};
}

result<void> text_writer::begin_next_part(std::size_t row_begin) {
  const std::string row(text_.as<char>() + row_begin, text_.size() - row_begin);
  text_.resize(row_begin);
  SLUICE_CHECK(end_part());
  SLUICE_CHECK(begin_part());
  text_.append(row.data(), row.size());
  return {};
}

bool text_writer::append_encoded(std::uint32_t row, refused_row& refused) {
  const std::size_t before = text_.size();
  if (!formatter_->append(row, text_, refused)) {
    return false;
  }
  encoded_.clear();
  if (!encoder_->append({text_.as<char>() + before, text_.size() - before}, encoded_)) {
    refused = {row, "", std::string(to_string(dirty_code::not_in_charset)),
               "The record has a character that the file's encoding lacks."};
    return false;
  }
  text_.resize(before);
  text_.append(encoded_.data(), encoded_.size());
  return true;
}

/// Whether the row was taken.
result<bool> text_writer::append_row(std::uint32_t row, refused_row& refused) {
  const std::size_t before = text_.size();
  if (!(encoder_ ? append_encoded(row, refused) : formatter_->append(row, text_, refused))) {
    text_.resize(before);
    return false;
  }
  const std::uint64_t bytes_max = run_->options.file_bytes_max;
  const std::size_t bytes = text_.size() - before;
  if (bytes_max != 0 && part_.bytes + bytes > bytes_max && part_.records != 0) {
    SLUICE_CHECK(begin_next_part(before));
  }
  part_.bytes += bytes;
  ++part_.records;
  if (text_.size() >= flush_bytes) {
    SLUICE_CHECK(flush());
  }
  return true;
}

result<write_answer> text_writer::write(const batch& b, const stop_signal& stop) {
  (void)stop;
  if (!is_open_) {
    return fail(error_kind::internal, "A batch of split {} came to a writer that is not open; report this.",
                b.split.value);
  }
  write_answer answer;
  formatter_->begin(b);
  const bool as_formatted = !encoder_ && run_->options.file_bytes_max == 0;
  refused_row refused;
  for (std::uint32_t row = 0; row < b.rows; ++row) {
    bool taken = false;
    if (as_formatted) {
      const std::size_t before = text_.size();
      taken = formatter_->append(row, text_, refused);
      if (!taken) {
        text_.resize(before);
      } else if (text_.size() >= flush_bytes) {
        SLUICE_CHECK(flush());
      }
    } else {
      SLUICE_TRY(taken, append_row(row, refused));
    }
    if (!taken) {
      answer.refused.push_back(std::exchange(refused, {}));
    }
  }
  SLUICE_CHECK(flush());
  answer.written = b.rows - answer.refused.size();
  if (!answer.refused.empty()) {
    answer.written_sum = b.rows_sum;
    for (const refused_row& r : answer.refused) {
      answer.written_sum -= canonical_sum(b.columns, *b.columns_schema, r.row, r.row + 1);
    }
  }
  return answer;
}

result<void> text_writer::commit(const mark& m, const stop_signal& stop) {
  if (!marks_ && !m.done) {
    return {};  // Nothing before the whole split is ever used, so nothing before it is made durable.
  }
  if (!is_open_) {
    return fail(error_kind::internal, "A writer that is not open was asked to commit split {}; report this.",
                m.split.value);
  }
  if (m.done) {
    SLUICE_CHECK(end_part());
  }
  if (marks_) {
    SLUICE_CHECK(commit_marked(m, stop));
  }
  if (m.done) {
    SLUICE_CHECK(run_->parts.complete(split_, epoch_, std::exchange(files_, {})));
    unknown_.clear();
    run_->parts.leave(split_, epoch_);
    is_open_ = false;
  }
  return {};
}

result<void> text_writer::commit_marked(const mark& m, const stop_signal& stop) {
  std::vector<marked_file> changed = unmarked_;
  if (!m.done) {
    SLUICE_CHECK(flush());
    if (part_.packed) {
      SLUICE_CHECK(part_.packed->finish());
      part_.packed.reset();
    }
    SLUICE_CHECK(part_.file->sync());
    changed.push_back(part_at_hand());
  }
  if (!unmarked_.empty() || !part_.marked) {
    SLUICE_CHECK(sync_folder(run_->parts.folder()));  // a name that is new
  }
  // Of a commit that fails nobody knows whether the mark stands: what it would cover must.
  unknown_.clear();
  if (!m.done) {
    part_.file->keep();
  }
  SLUICE_CHECK(marks_->commit(m, changed, stop));
  unmarked_.clear();
  part_.marked = !m.done;
  return {};
}

void text_writer::rollback() {
  if (std::exchange(is_open_, false)) {
    run_->parts.leave(split_, epoch_);
  }
  part_.packed.reset();
  part_ = {};
  text_.clear();
  unmarked_.clear();
  for (const std::string& file : std::exchange(unknown_, {})) {
    (void)remove_file(file);
  }
  files_.clear();
}

}  // namespace sluice
