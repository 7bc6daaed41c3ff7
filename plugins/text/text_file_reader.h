#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "plugins/api/plugin.h"
#include "plugins/common/files/file_handle.h"
#include "plugins/text/record_window.h"
#include "plugins/text/row_appender.h"
#include "plugins/text/text_layout.h"

namespace sluice {

/// A part of a file as its split describes it.
struct file_part {
  std::string path;        ///< Empty: nothing to read.
  std::uint64_t from = 0;  ///< A record begins here.
  std::uint64_t to = 0;    ///< And here, or the file ends.
  std::uint64_t line = 0;  ///< Of `from`; 0: not known.
  file_identity identity;  ///< Of the file when the run was planned.
  std::string sum = {};    ///< `running_digest` of the whole file where it has several parts; may be empty.

  [[nodiscard]] bool is_whole_file() const { return from == 0 && to == identity.size; }
  [[nodiscard]] scalar_list description() const;
  /// `internal` where it is not a description of ours.
  static result<file_part> from_description(const scalar_list& description);
};

/// What a cursor says of how far a part is read.
struct file_place {
  std::uint64_t byte = 0;
  std::uint64_t line = 0;
  std::string sum;
  std::string blocks;

  [[nodiscard]] cursor to_cursor() const;
  /// `source_changed` where an older program made it, which kept less; `internal` where it is none of ours.
  static result<file_place> from_cursor(const cursor& after);
};

/// Takes the next bytes of `stream` into `digest` until it has `bytes` in all. False where the stream ends
/// before. `name` is the file's, for messages.
result<bool> digest_up_to(input_stream& stream, std::uint64_t bytes, running_digest& digest,
                          const std::string& name, const stop_signal& stop);

/// What the file holds as UTF-8 or in its own encoding, decompressed, from its start; only plain files have
/// other parts.
result<std::unique_ptr<input_stream>> open_stream(const text_layout& layout, const file_handle& file,
                                                  std::uint64_t from, std::uint64_t to);

/// Files that are not as they were when the run was planned and that a continued run may read all the same,
/// as they were when it began.
using changed_files = std::map<std::string, file_identity>;

/// Reads parts of text files. Its cursor is {byte, line, sum, blocks}: the byte where the next record begins,
/// its line (0 where lines are not known), and the `running_digest` of everything in the part before it; in a
/// compressed or wholly decoded file bytes are counted and digested behind decompression and decoding.
class text_file_reader final : public reader {
 public:
  text_file_reader(std::shared_ptr<const text_layout> layout, std::shared_ptr<const bound_columns> bound,
                   const plugin_context& context);

  /// Memory for the layouts the readers share is the callers'. `bad_option` where the encoding is none.
  static result<std::unique_ptr<reader>> make(std::shared_ptr<const text_layout> layout,
                                              std::shared_ptr<const bound_columns> bound,
                                              const plugin_context& context,
                                              std::shared_ptr<const changed_files> changed = nullptr);

  result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                    const stop_signal& stop) override;
  result<read_answer> read(batch_builder& builder, const stop_signal& stop) override;
  /// What a continued run reads only to find its place does not count.
  [[nodiscard]] std::uint64_t source_bytes() const override {
    return window_.source_bytes() - source_bytes_before_;
  }

 private:
  result<void> accept(const file_identity& now);
  result<void> open_after(const cursor& after, bool as_planned, const stop_signal& stop);
  result<std::optional<read_answer>> next_window(batch_builder& builder, const stop_signal& stop);
  result<void> refuse_skipped(batch_builder& builder, const stop_signal& stop);
  [[nodiscard]] std::uint64_t bytes_for_next() const;
  [[nodiscard]] std::size_t records_that_fit(const batch_builder& builder) const;
  result<void> take(std::size_t last, batch_builder& builder, const stop_signal& stop);
  /// What is wrong with a record before its values are looked at; nothing where it is to be left out.
  enum class standing { row, left_out, refused };
  standing examine(std::size_t record, row_refusal& refusal);
  void commit(std::size_t first, std::size_t last, batch_builder& builder);
  result<void> refuse(std::size_t record, const row_refusal& refusal, batch_builder& builder,
                      const stop_signal& stop);
  result<std::uint64_t> absolute_line(std::uint64_t line, const stop_signal& stop);
  result<read_answer> finish(read_answer::kind what, batch_builder& builder);

  std::shared_ptr<const text_layout> layout_;
  std::shared_ptr<const bound_columns> bound_;
  std::shared_ptr<const changed_files> changed_;
  csv_scanner scanner_;
  record_window window_;
  std::unique_ptr<row_appender> rows_;
  std::size_t row_cost_ = 0;  ///< Bytes a row takes besides its text.

  file_handle file_;
  file_part part_;
  std::uint64_t source_bytes_before_ = 0;
  bool lines_known_ = true;
  std::uint64_t lines_from_ = 0;               ///< Where counting began, if lines are not known.
  std::optional<std::uint64_t> lines_before_;  ///< Lines before that, once counted.
  bool skip_next_record_ = false;              ///< The header.
  std::size_t next_ = 0;                       ///< Record of the window.
  std::size_t run_max_ = 0;                    ///< Records tried at once: small behind a refusal.
  bool window_is_text_ = true;                 ///< All of the window's records are well-formed UTF-8.
  std::uint64_t batch_offset_ = 0;             ///< Of the batch's first record.
  std::uint64_t batch_line_ = 0;
};

}  // namespace sluice
