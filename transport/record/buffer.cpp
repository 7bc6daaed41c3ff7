#include "transport/record/buffer.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t block_bytes_min = 1024;
constexpr std::size_t kept_block_bytes_max = std::size_t{4} << 20;
constexpr std::align_val_t block_alignment{64};

/// The smallest block of a class that holds `bytes`: four classes a doubling, so that a block is at most a
/// quarter larger than what it was asked for.
std::size_t block_for(std::size_t bytes) {
  const std::size_t step = std::bit_floor(std::max(bytes, block_bytes_min)) / 4;
  return (std::max(bytes, block_bytes_min) + step - 1) / step * step;
}

/// The class of a block that `block_for` gave.
std::size_t class_of(std::size_t block_bytes) {
  assert(block_bytes >= block_bytes_min);
  const std::size_t floor = std::bit_floor(block_bytes);
  return 4 * static_cast<std::size_t>(std::bit_width(block_bytes)) + (block_bytes - floor) / (floor / 4);
}

}  // namespace

std::shared_ptr<buffer_pool> buffer_pool::make(std::size_t cached_bytes_max) {
  return std::shared_ptr<buffer_pool>(new buffer_pool(cached_bytes_max));
}

buffer_pool::~buffer_pool() {
  for (auto& list : free_) {
    for (std::byte* block : list) {
      ::operator delete(block, block_alignment);
    }
  }
}

std::byte* buffer_pool::take(std::size_t block_bytes) {
  std::byte* block = nullptr;
  {
    const std::lock_guard lock(mutex_);
    auto& list = free_[class_of(block_bytes)];
    if (!list.empty()) {
      block = list.back();
      list.pop_back();
      cached_ -= block_bytes;
    }
    in_use_ += block_bytes;
    peak_ = std::max(peak_.load(), in_use_ + cached_);
  }
  if (block == nullptr) {
    block = static_cast<std::byte*>(::operator new(block_bytes, block_alignment));
  }
  return block;
}

void buffer_pool::give_back(std::byte* block, std::size_t block_bytes) {
  {
    const std::lock_guard lock(mutex_);
    in_use_ -= block_bytes;
    if (block_bytes <= kept_block_bytes_max && cached_ + block_bytes <= cached_bytes_max_) {
      free_[class_of(block_bytes)].push_back(block);
      cached_ += block_bytes;
      return;
    }
  }
  ::operator delete(block, block_alignment);
}

growing_buffer::growing_buffer(growing_buffer&& other) noexcept
    : pool_(other.pool_),  // NOLINT(performance-move-constructor-init): the other one may grow again
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      first_block_(other.first_block_) {}

growing_buffer& growing_buffer::operator=(growing_buffer&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = other.pool_;
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    first_block_ = other.first_block_;
  }
  return *this;
}

growing_buffer::~growing_buffer() {
  release();
}

void growing_buffer::release() {
  if (data_ != nullptr) {
    pool_->give_back(data_, capacity_ + slack_bytes);
    data_ = nullptr;
  }
  size_ = 0;
  capacity_ = 0;
}

void growing_buffer::grow(std::size_t bytes) {
  // Large values grow to what is needed in steps of 1 MiB: doubling 60 MB would hold 128 MiB for one record.
  std::size_t wanted = bytes + slack_bytes;
  if (wanted <= kept_block_bytes_max) {
    wanted = block_for(std::max({wanted, 2 * capacity_, data_ == nullptr ? first_block_ : 0}));
  } else {
    constexpr std::size_t step = std::size_t{1} << 20;
    wanted = std::max(wanted, capacity_ + capacity_ / 4);
    wanted = (wanted + step - 1) / step * step;
  }
  std::byte* block = pool_->take(wanted);
  if (size_ != 0) {
    std::memcpy(block, data_, size_);
  }
  if (data_ != nullptr) {
    pool_->give_back(data_, capacity_ + slack_bytes);
  }
  data_ = block;
  capacity_ = wanted - slack_bytes;
}

buffer growing_buffer::seal() {
  if (data_ == nullptr) {
    return {};
  }
  const std::byte* data = data_;
  const std::size_t size = size_;
  first_block_ = block_for(size + slack_bytes);
  if (first_block_ > kept_block_bytes_max) {
    first_block_ = 0;  // one large record says nothing about the next
  }
  std::shared_ptr<const void> owner(data, [pool = pool_, block = data_, bytes = capacity_ + slack_bytes](
                                              const void*) { pool->give_back(block, bytes); });
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
  return {data, size, std::move(owner)};
}

}  // namespace sluice
