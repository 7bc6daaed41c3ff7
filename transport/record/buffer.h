#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

namespace sluice {

/// Bytes that never change, shared by reference: a sealed block of a pool, or a view into a received frame
/// that `owner` keeps alive. Copies are cheap and thread-safe. Aligned to 64 bytes from a pool, to 8 from a
/// frame: code assumes 8 and no more. An empty buffer has size 0 and no owner.
class buffer {
 public:
  buffer() = default;
  buffer(const std::byte* data, std::size_t size, std::shared_ptr<const void> owner)
      : data_(data), size_(size), owner_(std::move(owner)) {}

  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// A part that keeps the whole alive; must lie inside.
  [[nodiscard]] buffer slice(std::size_t offset, std::size_t size) const {
    return size == 0 ? buffer() : buffer(data_ + offset, size, owner_);
  }
  /// The bytes as an array of T. T must not need more than 8 bytes of alignment.
  template <class T>
  [[nodiscard]] const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<const void> owner_;
};

class buffer_pool;

/// A block being filled: grows by doubling through its pool, then becomes a `buffer`; the next one begins
/// with the room that this one needed. Used by one thread at a time. New bytes are not zeroed. Destroying an
/// unsealed one gives the block back. Always has at least `slack_bytes` of readable and writable room behind
/// `size()`, so that wide stores need no tail case.
class growing_buffer {
 public:
  static constexpr std::size_t slack_bytes = 64;

  explicit growing_buffer(std::shared_ptr<buffer_pool> pool) : pool_(std::move(pool)) {}
  growing_buffer(growing_buffer&& other) noexcept;
  growing_buffer& operator=(growing_buffer&& other) noexcept;
  growing_buffer(const growing_buffer&) = delete;
  growing_buffer& operator=(const growing_buffer&) = delete;
  ~growing_buffer();

  [[nodiscard]] std::byte* data() { return data_; }
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  template <class T>
  [[nodiscard]] T* as() {
    return reinterpret_cast<T*>(data_);
  }
  /// Makes room for `bytes` in all; afterwards writes below that are allowed.
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) {
      grow(bytes);
    }
  }
  /// Sets the size; what was not written before is undefined.
  void resize(std::size_t bytes) {
    reserve(bytes);
    size_ = bytes;
  }
  void append(const void* from, std::size_t bytes) {
    reserve(size_ + bytes);
    if (bytes != 0) {
      std::memcpy(data_ + size_, from, bytes);
    }
    size_ += bytes;
  }
  template <class T>
  void push(T value) {
    reserve(size_ + sizeof value);
    std::memcpy(data_ + size_, &value, sizeof value);
    size_ += sizeof value;
  }
  void clear() { size_ = 0; }
  /// Hands the bytes over; this is empty afterwards.
  buffer seal();

 private:
  void grow(std::size_t bytes);
  void release();

  std::shared_ptr<buffer_pool> pool_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;     // without the slack
  std::size_t first_block_ = 0;  // what the last sealed block needed: the next begins with as much, uncopied
};

/// Recycles blocks in four classes a doubling, so that a steady flow of batches touches the same pages
/// (`substrate.md`: fresh large buffers cost up to ten times more). Keeps at most `cached_bytes_max` unused;
/// blocks over 4 MiB are not kept. Thread-safe; lives as long as the last buffer made from it. It is also the
/// gauge of bytes held by data: `bytes_in_use` counts blocks out, `bytes_held` those and the cached ones.
class buffer_pool : public std::enable_shared_from_this<buffer_pool> {
 public:
  static std::shared_ptr<buffer_pool> make(std::size_t cached_bytes_max);
  ~buffer_pool();
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  [[nodiscard]] std::size_t bytes_in_use() const { return in_use_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t bytes_held() const { return in_use_.load() + cached_.load(); }
  /// The highest `bytes_held` so far.
  [[nodiscard]] std::size_t bytes_held_peak() const { return peak_.load(std::memory_order_relaxed); }

 private:
  friend class growing_buffer;
  explicit buffer_pool(std::size_t cached_bytes_max) : cached_bytes_max_(cached_bytes_max) {}
  std::byte* take(std::size_t block_bytes);
  void give_back(std::byte* block, std::size_t block_bytes);

  static constexpr std::size_t classes = 4 * 48;  // four a doubling, up to blocks of 2^47 bytes
  const std::size_t cached_bytes_max_;
  std::mutex mutex_;
  std::vector<std::byte*> free_[classes];
  std::atomic<std::size_t> in_use_ = 0;
  std::atomic<std::size_t> cached_ = 0;
  std::atomic<std::size_t> peak_ = 0;
};

}  // namespace sluice
