#include "plugins/common/files/running_digest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>

namespace sluice {

void running_digest::free_state::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

running_digest::running_digest() : state_(XXH3_createState()) {
  begin();
}

running_digest::~running_digest() = default;

void running_digest::restart(std::uint64_t chain, std::uint64_t bytes) {
  chain_ = chain;
  bytes_ = bytes;
  XXH3_64bits_reset_withSeed(state_.get(), chain_);
}

bool running_digest::restore(std::string_view blocks, std::uint64_t bytes) {
  std::uint64_t chain = 0;
  const auto [end, failed] = std::from_chars(blocks.data(), blocks.data() + blocks.size(), chain, 16);
  if (failed != std::errc() || end != blocks.data() + blocks.size() || bytes % block_bytes != 0) {
    return false;
  }
  restart(chain, bytes);
  return true;
}

void running_digest::add(const char* data, std::size_t size) {
  while (size != 0) {
    const std::uint64_t room = block_bytes - bytes_ % block_bytes;
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, room));
    XXH3_64bits_update(state_.get(), data, taken);
    if (taken == room) {
      restart(XXH3_64bits_digest(state_.get()), bytes_ + taken);
    } else {
      bytes_ += taken;
    }
    data += taken;
    size -= taken;
  }
}

std::string running_digest::digest() const {
  return fmt::format("{:016x}", XXH3_64bits_digest(state_.get()));
}

std::string running_digest::blocks() const {
  return fmt::format("{:016x}", chain_);
}

}  // namespace sluice
