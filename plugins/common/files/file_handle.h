#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "transport/base/result.h"
#include "transport/record/scalar.h"

namespace sluice {

/// What tells a file from a changed one without reading it.
struct file_identity {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  ///< Since 1970 UTC.
  friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// A regular file open for reading, closed with this. Reads at offsets, so any number of threads may share
/// it.
class file_handle {
 public:
  file_handle() = default;
  file_handle(file_handle&& other) noexcept;
  file_handle& operator=(file_handle&& other) noexcept;
  file_handle(const file_handle&) = delete;
  file_handle& operator=(const file_handle&) = delete;
  ~file_handle();

  /// `bad_option` where there is no file, or it is a directory or another thing that is no regular file;
  /// `denied` where it may not be read; `no_room` without descriptors; else `source_changed` with the
  /// system's reason. The message names the path.
  static result<file_handle> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  void close();

  /// Size and time as they are now.
  [[nodiscard]] result<file_identity> identity() const;

  /// Reads up to `size` bytes at `offset`; fewer only at the end of the file. `source_changed` with the
  /// system's reason where the file cannot be read.
  result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size) const;

 private:
  int fd_ = -1;
  std::string path_;
};

}  // namespace sluice
