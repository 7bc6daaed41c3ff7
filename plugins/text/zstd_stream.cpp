#include <zstd.h>

#include <memory>

#include "plugins/text/decompressors.h"

namespace sluice {
namespace {

struct free_context {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class zstd_input final : public input_stream {
 public:
  zstd_input(const file_handle& file, std::unique_ptr<ZSTD_DCtx, free_context> context)
      : input_(file), context_(std::move(context)) {}

  result<std::size_t> read(char* to, std::size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      // With input used up the library may still hold output: it is asked until it wants more (`hint_`).
      if (in_.pos == in_.size && !flushing_) {
        SLUICE_TRY(const std::string_view block, input_.next());
        if (block.empty()) {
          if (frame_open_) {
            return cut_short(input_.path(), "zstd", input_.offset());
          }
          return any_ ? result<std::size_t>(0) : not_of_kind(input_.path(), "zstd");
        }
        in_ = {block.data(), block.size(), 0};
      }
      const std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(hint) != 0) {
        return failed(hint);
      }
      any_ = true;
      frame_open_ = hint != 0;
      flushing_ = out.pos == out.size && frame_open_;
    }
    return out.pos;
  }
  [[nodiscard]] std::uint64_t source_bytes() const override { return input_.offset(); }

 private:
  tl::unexpected<error> failed(std::size_t code) const {
    if (!any_ && is_unknown_frame(code)) {
      return not_of_kind(input_.path(), "zstd");
    }
    return damaged(input_.path(), "zstd", input_.offset() - (in_.size - in_.pos), ZSTD_getErrorName(code));
  }
  static bool is_unknown_frame(std::size_t code) {
    return std::string_view(ZSTD_getErrorName(code)) == "Unknown frame descriptor";
  }

  compressed_input input_;
  std::unique_ptr<ZSTD_DCtx, free_context> context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool any_ = false;
  bool frame_open_ = false;
  bool flushing_ = false;
};

}  // namespace

result<std::unique_ptr<input_stream>> zstd_stream(const file_handle& file) {
  std::unique_ptr<ZSTD_DCtx, free_context> context(ZSTD_createDCtx());
  if (context == nullptr) {
    return fail(error_kind::no_room, "There is no memory to decompress {}.", file.path());
  }
  return std::make_unique<zstd_input>(file, std::move(context));
}

}  // namespace sluice
