#pragma once

#include <memory>
#include <vector>

#include "plugins/text/input_stream.h"

/// One function for each library that decompresses, each in the one file that wraps it. Results and failures
/// as `decompressing_stream` says.
namespace sluice {

result<std::unique_ptr<input_stream>> gzip_stream(const file_handle& file);
result<std::unique_ptr<input_stream>> zstd_stream(const file_handle& file);
result<std::unique_ptr<input_stream>> bzip2_stream(const file_handle& file);
result<std::unique_ptr<input_stream>> zip_stream(const file_handle& file);

/// The compressed bytes of a file, a block at a time.
class compressed_input {
 public:
  explicit compressed_input(const file_handle& file) : file_(file), block_(std::size_t{128} << 10) {}

  /// The next block; empty at the end of the file.
  result<std::string_view> next() {
    SLUICE_TRY(const std::size_t got, file_.read_at(offset_, block_.data(), block_.size()));
    offset_ += got;
    return std::string_view(block_.data(), got);
  }
  /// Offset behind the last block.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  const file_handle& file_;
  std::vector<char> block_;
  std::uint64_t offset_ = 0;
};

/// The file ends inside the compressed data.
tl::unexpected<error> cut_short(const std::string& path, std::string_view kind, std::uint64_t offset);
/// The compressed data is damaged; `reason` is the library's.
tl::unexpected<error> damaged(const std::string& path, std::string_view kind, std::uint64_t offset,
                              std::string_view reason);
/// The file does not begin as this kind does.
tl::unexpected<error> not_of_kind(const std::string& path, std::string_view kind);

}  // namespace sluice
