#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/output/output_file.h"
#include "plugins/common/output/output_marks.h"
#include "plugins/common/output/output_parts.h"
#include "plugins/common/output/text_encoder.h"
#include "plugins/text/compressor.h"
#include "plugins/text/record_formatter.h"

namespace sluice {

/// What the writers of a run share with its target.
struct text_run {
  text_writer_options options;
  /// Why a file of this kind cannot be gone on with behind a mark; empty where it can.
  std::string unmarkable;
  output_parts parts;
  std::optional<output_marks> marks;  ///< Where it can. The target's thread's.
  std::string run_part;  ///< Twelve characters of the run's id, for names. Set before writers are made.

  text_run(text_writer_options o, const plugin_context& context);
  void use_run(const run_id& run) { run_part = part_of(run); }
  static std::string part_of(const run_id& run) { return run.text().substr(24); }
  /// The final name of a part of a split: `orders__2c3d4e5f6071_0.csv`, the second part `…_0_1.csv`.
  [[nodiscard]] std::string name_of(split_index split, std::size_t part) const;
};

/// Writes the records of one split at a time into files under temporary names, in pieces of about a megabyte.
/// With marks, a file that a mark covers stays when the writer goes, and `open` goes on in it behind the
/// mark; a compressed one has a member or frame a mark. Owned and used by one thread.
class text_writer final : public writer {
 public:
  static result<std::unique_ptr<writer>> make(std::shared_ptr<text_run> run, schema_ptr columns,
                                              const plugin_context& context);

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override;
  result<write_answer> write(const batch& b, const stop_signal& stop) override;
  result<void> commit(const mark& m, const stop_signal& stop) override;
  void rollback() override;
  [[nodiscard]] bool commits_by_bytes() const override { return true; }
  void interrupt() override;
  ~text_writer() override;

 private:
  /// A file being written, with its compression. The compressor goes before the file it writes to.
  struct part {
    std::unique_ptr<output_file> file;
    std::unique_ptr<compressor> packed;
    std::uint64_t bytes = 0;  // Before compression, the header included.
    std::uint64_t records = 0;
    bool marked = false;  ///< A mark covers some of it.
  };

  text_writer(std::shared_ptr<text_run> run, std::shared_ptr<buffer_pool> pool, std::size_t kept_bytes_max)
      : run_(std::move(run)),
        pool_(std::move(pool)),
        kept_bytes_max_(kept_bytes_max),
        marks_(run_->marks ? run_->marks->make_writer_marks() : nullptr),
        text_(pool_) {}
  /// Where the split is as its mark says.
  result<mark> open_marked(split_index split, epoch_number epoch, const stop_signal& stop);
  result<void> go_on_with(marked_file last, const stop_signal& stop);
  result<void> commit_marked(const mark& m, const stop_signal& stop);
  [[nodiscard]] marked_file part_at_hand() const;
  [[nodiscard]] std::uint32_t part_number() const { return static_cast<std::uint32_t>(files_.size()); }
  result<void> begin_packing();
  result<void> begin_part();
  result<void> end_part();
  result<void> begin_next_part(std::size_t row_begin);
  result<bool> append_row(std::uint32_t row, refused_row& refused);
  bool append_encoded(std::uint32_t row, refused_row& refused);
  result<void> put(std::string_view text);
  result<void> flush();

  std::shared_ptr<text_run> run_;
  std::shared_ptr<buffer_pool> pool_;
  std::size_t kept_bytes_max_;  // of a buffer between two batches
  std::unique_ptr<record_formatter> formatter_;
  std::unique_ptr<text_encoder> encoder_;
  split_index split_;
  epoch_number epoch_;
  bool is_open_ = false;
  part part_;
  std::vector<std::string> files_;    // Finished parts of the split.
  std::vector<std::string> unknown_;  // Of those, the ones that no mark covers yet: removed on rollback.
  std::unique_ptr<split_marks> marks_;
  std::vector<marked_file> unmarked_;  // Of `files_`, the last ones: finished since the last mark.
  growing_buffer text_;                // Written, not yet handed to the file.
  std::string encoded_;
};

}  // namespace sluice
