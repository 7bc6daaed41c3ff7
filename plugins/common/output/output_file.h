#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// A file being written, usually under a temporary name. Owned and used by one thread. An object that is
/// destroyed before `close` removes its file, unless `keep` was called: half a file never stays that nobody
/// knows of. Failures as file_calls.h.
class output_file {
 public:
  /// Makes the file; one that is there is replaced.
  static result<output_file> make(std::string path);
  /// Goes on with a file that is there behind its first `bytes` bytes; what stands behind them is cut off.
  static result<output_file> go_on(std::string path, std::uint64_t bytes);
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&& other) noexcept;
  ~output_file();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// Writes all of `bytes` at once, unbuffered: hand over large pieces.
  result<void> write(std::string_view bytes);
  /// Appends the whole of another file, in the kernel.
  result<void> append_file(const std::string& from);
  /// Makes what was written durable.
  result<void> sync();
  /// The file stays, whatever becomes of this.
  void keep() { kept_ = true; }
  /// Makes the content durable and closes; the file stays.
  result<void> close();

 private:
  output_file(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void start_writeback();
  void discard();

  std::string path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  std::uint64_t written_back_ = 0;
  bool kept_ = false;
};

}  // namespace sluice
