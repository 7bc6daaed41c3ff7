#include <bzlib.h>

#include <algorithm>

#include "plugins/text/decompressors.h"

namespace sluice {
namespace {

class bzip2_input final : public input_stream {
 public:
  explicit bzip2_input(const file_handle& file) : input_(file) {}
  ~bzip2_input() override { close(); }

  result<std::size_t> read(char* to, std::size_t size) override {
    const auto wanted = static_cast<unsigned>(std::min<std::size_t>(size, std::size_t{1} << 30));
    bzip_.next_out = to;
    bzip_.avail_out = wanted;
    while (bzip_.avail_out == wanted) {
      if (bzip_.avail_in == 0) {
        SLUICE_TRY(const std::string_view block, input_.next());
        if (block.empty()) {
          if (open_) {
            return cut_short(input_.path(), "bzip2", input_.offset());
          }
          return streams_ != 0 ? result<std::size_t>(0) : not_of_kind(input_.path(), "bzip2");
        }
        bzip_.next_in = const_cast<char*>(block.data());
        bzip_.avail_in = static_cast<unsigned>(block.size());
      }
      if (!open_ && BZ2_bzDecompressInit(&bzip_, 0, 0) != BZ_OK) {
        return fail(error_kind::no_room, "There is no memory to decompress {}.", input_.path());
      }
      open_ = true;
      const int code = BZ2_bzDecompress(&bzip_);
      if (code == BZ_STREAM_END) {
        ++streams_;
        close();
      } else if (code == BZ_DATA_ERROR_MAGIC && streams_ == 0) {
        return not_of_kind(input_.path(), "bzip2");
      } else if (code == BZ_MEM_ERROR) {
        return fail(error_kind::no_room, "There is no memory to decompress {}.", input_.path());
      } else if (code != BZ_OK) {
        return damaged(
            input_.path(), "bzip2", input_.offset() - bzip_.avail_in,
            code == BZ_DATA_ERROR_MAGIC ? "data behind the last stream" : "checksum or structure is wrong");
      }
    }
    return wanted - bzip_.avail_out;
  }
  [[nodiscard]] std::uint64_t source_bytes() const override { return input_.offset(); }

 private:
  /// Ends a stream and keeps the input that the next one begins with.
  void close() {
    if (open_) {
      BZ2_bzDecompressEnd(&bzip_);
      open_ = false;
    }
  }

  compressed_input input_;
  bz_stream bzip_{};
  bool open_ = false;
  std::uint64_t streams_ = 0;
};

}  // namespace

result<std::unique_ptr<input_stream>> bzip2_stream(const file_handle& file) {
  return std::make_unique<bzip2_input>(file);
}

}  // namespace sluice
