#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"
#include "plugins/common/output/output_file.h"
#include "plugins/common/output/output_parts.h"
#include "plugins/common/output/text_encoder.h"
#include "plugins/text/compressor.h"
#include "plugins/text/record_formatter.h"

namespace sluice {

/// What the writers of a run share with its target.
struct text_run {
  text_writer_options options;
  output_parts parts;
  std::string run_part;  ///< Twelve characters of the run's id, for names.

  text_run(text_writer_options o, const plugin_context& context);
  /// The final name of a part of a split: `orders__2c3d4e5f6071_0.csv`, the second part `…_0_1.csv`.
  [[nodiscard]] std::string name_of(split_index split, std::size_t part) const;
};

/// Writes the records of one split at a time into files under temporary names, in pieces of about a megabyte.
/// Owned and used by one thread.
class text_writer final : public writer {
 public:
  static result<std::unique_ptr<writer>> make(std::shared_ptr<text_run> run, schema_ptr columns,
                                              const plugin_context& context);

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override;
  result<write_answer> write(const batch& b, const stop_signal& stop) override;
  result<void> commit(const mark& m, const stop_signal& stop) override;
  void rollback() override;

 private:
  /// A file being written, with its compression. The compressor goes before the file it writes to.
  struct part {
    std::unique_ptr<output_file> file;
    std::unique_ptr<compressor> packed;
    std::uint64_t bytes = 0;  // Before compression, the header included.
    std::uint64_t records = 0;
  };

  text_writer(std::shared_ptr<text_run> run, std::shared_ptr<buffer_pool> pool, std::size_t kept_bytes_max)
      : run_(std::move(run)), pool_(std::move(pool)), kept_bytes_max_(kept_bytes_max), text_(pool_) {}
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
  std::vector<std::string> files_;  // Finished parts of the split; removed on rollback.
  growing_buffer text_;             // Written, not yet handed to the file.
  std::string encoded_;
};

}  // namespace sluice
