#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace sluice {

/// A digest of all bytes read so far that goes on in another process: whole blocks of 1 MiB are chained (each
/// block's XXH3-64 is the seed of the next one's), so that to go on behind N bytes takes the chain and the
/// bytes behind its last whole block, not all N. Not moved while in use; used by one thread.
class running_digest {
 public:
  static constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;

  running_digest();
  ~running_digest();
  running_digest(const running_digest&) = delete;
  running_digest& operator=(const running_digest&) = delete;

  void begin() { restart(0, 0); }
  /// Behind `bytes` bytes, a multiple of `block_bytes`. False where `blocks` is none that `blocks()` gives.
  [[nodiscard]] bool restore(std::string_view blocks, std::uint64_t bytes);
  void add(const char* data, std::size_t size);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  /// 16 hexadecimal digits: of all bytes so far.
  [[nodiscard]] std::string digest() const;
  /// 16 hexadecimal digits: of the whole blocks so far.
  [[nodiscard]] std::string blocks() const;

 private:
  void restart(std::uint64_t chain, std::uint64_t bytes);

  struct free_state {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, free_state> state_;  ///< Of the bytes behind the whole blocks.
  std::uint64_t chain_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice
