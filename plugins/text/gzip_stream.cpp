#include <zlib.h>

#include <algorithm>

#include "plugins/text/decompressors.h"

namespace sluice {
namespace {

class gzip_input final : public input_stream {
 public:
  explicit gzip_input(const file_handle& file) : input_(file) {}
  ~gzip_input() override {
    if (open_) {
      inflateEnd(&zlib_);
    }
  }

  result<std::size_t> read(char* to, std::size_t size) override {
    const std::size_t wanted = std::min<std::size_t>(size, std::size_t{1} << 30);
    zlib_.next_out = reinterpret_cast<Bytef*>(to);
    zlib_.avail_out = static_cast<uInt>(wanted);
    while (zlib_.avail_out == wanted && !done_) {
      if (zlib_.avail_in == 0) {
        SLUICE_CHECK(refill());
        if (done_) {
          break;
        }
      }
      if (!open_) {
        // 16: gzip framing only, whose CRC and length zlib verifies.
        if (inflateInit2(&zlib_, 15 + 16) != Z_OK) {
          return fail(error_kind::no_room, "There is no memory to decompress {}.", input_.path());
        }
        open_ = true;
      }
      SLUICE_CHECK(inflate_some());
    }
    return wanted - zlib_.avail_out;
  }
  [[nodiscard]] std::uint64_t source_bytes() const override { return input_.offset(); }

 private:
  result<void> refill() {
    SLUICE_TRY(const std::string_view block, input_.next());
    if (block.empty()) {
      if (!member_ended_) {
        return any_ ? cut_short(input_.path(), "gzip", input_.offset()) : not_of_kind(input_.path(), "gzip");
      }
      done_ = true;
      return {};
    }
    // Zeros behind the last member are padding of tapes and blocks (gzip manual, "Advanced usage").
    if (member_ended_ && block.find_first_not_of('\0') == std::string_view::npos) {
      return refill();
    }
    any_ = true;
    member_ended_ = false;
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
    zlib_.avail_in = static_cast<uInt>(block.size());
    return {};
  }

  result<void> inflate_some() {
    const int code = inflate(&zlib_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      ++members_;
      return next_member();
    }
    if (code == Z_OK || code == Z_BUF_ERROR) {
      return {};
    }
    if (code == Z_MEM_ERROR) {
      return fail(error_kind::no_room, "There is no memory to decompress {}.", input_.path());
    }
    if (members_ == 0 && zlib_.total_out == 0 && zlib_.total_in < 10) {
      return not_of_kind(input_.path(), "gzip");
    }
    return damaged(input_.path(), "gzip", input_.offset() - zlib_.avail_in,
                   zlib_.msg != nullptr ? zlib_.msg : "bad data");
  }

  result<void> next_member() {
    Bytef* in = zlib_.next_in;
    uInt left = zlib_.avail_in;
    while (left != 0 && *in == 0) {
      ++in, --left;
    }
    inflateReset(&zlib_);
    zlib_.next_in = in;
    zlib_.avail_in = left;
    member_ended_ = left == 0;
    return {};
  }

  compressed_input input_;
  z_stream zlib_{};
  bool open_ = false;
  bool any_ = false;
  bool done_ = false;
  bool member_ended_ = false;
  std::uint64_t members_ = 0;
};

}  // namespace

result<std::unique_ptr<input_stream>> gzip_stream(const file_handle& file) {
  return std::make_unique<gzip_input>(file);
}

}  // namespace sluice
