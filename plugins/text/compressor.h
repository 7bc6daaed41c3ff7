#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "plugins/common/output/output_file.h"
#include "plugins/text/text_options.h"

struct archive;

namespace sluice {

/// Compresses what is written to it into a file. Used by one thread. Wraps libarchive, which has all four
/// formats behind one interface. Failures are those of the file; `internal` where the library itself fails.
class compressor {
 public:
  /// `to` outlives this and is not written to by others meanwhile. `entry_name` is the file's name inside a
  /// zip.
  static result<std::unique_ptr<compressor>> make(compression how, const std::string& entry_name,
                                                  output_file& to);
  ~compressor();
  compressor(const compressor&) = delete;
  compressor& operator=(const compressor&) = delete;

  result<void> write(std::string_view bytes);
  /// Writes what is still held back and the end of the format.
  result<void> finish();

 private:
  explicit compressor(output_file& to) : to_(to) {}
  result<void> check(long long returned);

  output_file& to_;
  archive* archive_ = nullptr;
  error failed_;  // Of the file, kept while the library unwinds.
  bool has_failed_ = false;
  bool discarding_ = false;
};

}  // namespace sluice
