#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "plugins/common/files/file_handle.h"
#include "plugins/text/text_options.h"
#include "transport/base/result.h"

namespace sluice {

/// Bytes in order: a file's own, or what it decompresses to. Used by one thread.
class input_stream {
 public:
  virtual ~input_stream() = default;

  /// Reads up to `size` bytes, at least one; 0 only at the end. `source_changed` where the data is damaged or
  /// cut short, with the file and the byte (of the compressed file) where that was seen.
  virtual result<std::size_t> read(char* to, std::size_t size) = 0;

  /// Bytes of the file that were taken so far for what `read` has given: of a packed file the packed ones.
  /// For progress; runs ahead of `read` by a block.
  [[nodiscard]] virtual std::uint64_t source_bytes() const = 0;
};

/// The bytes [from, to) of the file as they are; ends early where the file does. `file` must outlive the
/// stream.
std::unique_ptr<input_stream> plain_stream(const file_handle& file, std::uint64_t from, std::uint64_t to);

/// What the file decompresses to: gzip of one or more members, zstd of one or more frames, bzip2 of one or
/// more streams, zip with exactly one entry that is not encrypted; checksums are verified. `bad_option` where
/// the file is not of that kind at all. `file` must outlive the stream.
result<std::unique_ptr<input_stream>> decompressing_stream(compression how, const file_handle& file);

}  // namespace sluice
