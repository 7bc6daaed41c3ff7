#include "plugins/text/input_stream.h"

#include <algorithm>
#include <cstdint>

#include "plugins/text/decompressors.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

class plain_input final : public input_stream {
 public:
  plain_input(const file_handle& file, std::uint64_t from, std::uint64_t to)
      : file_(file), from_(from), at_(from), to_(to) {}

  result<std::size_t> read(char* to, std::size_t size) override {
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, to_ - at_));
    SLUICE_TRY(const std::size_t got, file_.read_at(at_, to, wanted));
    at_ += got;
    return got;
  }
  [[nodiscard]] std::uint64_t source_bytes() const override { return at_ - from_; }

 private:
  const file_handle& file_;
  std::uint64_t from_;
  std::uint64_t at_;
  std::uint64_t to_;
};

}  // namespace

std::unique_ptr<input_stream> plain_stream(const file_handle& file, std::uint64_t from, std::uint64_t to) {
  return std::make_unique<plain_input>(file, from, std::max(from, to));
}

result<std::unique_ptr<input_stream>> decompressing_stream(compression how, const file_handle& file) {
  switch (how) {
    case compression::gzip:
      return gzip_stream(file);
    case compression::zstd:
      return zstd_stream(file);
    case compression::bzip2:
      return bzip2_stream(file);
    case compression::zip:
      return zip_stream(file);
    case compression::none:
      break;
  }
  SLUICE_TRY(const file_identity identity, file.identity());
  return plain_stream(file, 0, identity.size);
}

}  // namespace sluice
