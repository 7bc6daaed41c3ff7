#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "transport/base/result.h"
#include "transport/record/buffer.h"

/// The only home of msgpack: frames are written and read through the two classes here. codec.h has the
/// grammar.
namespace sluice {

/// Limits on what a frame may hold; `finish` keeps the first two, so that what is sent can be received.
inline constexpr std::size_t frame_bytes_max = std::size_t{512}
                                               << 20;  ///< A 64 MB record in every form it takes.
inline constexpr std::size_t frame_items_max = std::size_t{1}
                                               << 21;  ///< msgpack items; 24 bytes each while read.
inline constexpr unsigned frame_depth_max = 6;         ///< Arrays within arrays.

/// Buffers of a body lie at multiples of this, counted from the start of the frame.
inline constexpr std::size_t frame_alignment = 64;

/// Appends msgpack items to a block of a pool. Used by one thread.
class frame_writer {
 public:
  explicit frame_writer(std::shared_ptr<buffer_pool> pool) : out_(std::move(pool)) {}

  void array(std::size_t size);
  void nil();
  void boolean(bool value);
  void number(std::uint64_t value);
  void signed_number(std::int64_t value);
  void bytes(std::string_view value);
  /// A number below 64 that is given later: its place, for `fill_small`.
  std::size_t small_number();
  void fill_small(std::size_t place, std::uint8_t value);
  /// Begins a bin of `size` bytes with a header of fixed length, which `bytes` would choose by the size.
  void begin_body(std::size_t size);
  static constexpr std::size_t body_header_bytes = 5;
  void raw(const void* data, std::size_t size) { out_.append(data, size); }
  void zeros(std::size_t size);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  /// The frame; `internal` where it is beyond the limits.
  result<buffer> finish();

 private:
  growing_buffer out_;
  std::size_t items_ = 0;
};

/// The items of a frame one after the other. A call that meets something else than it asks for returns a 0 or
/// an empty value, and so does every later one; `done` then says what was wrong first. So code that reads a
/// frame needs no check behind each item, only bounds on what it loops over, and these are the calls'
/// arguments.
class frame_reader {
 public:
  /// Splits the frame into items. Fails on what is no msgpack, on maps, floats and extensions, beyond the
  /// limits, and where the frame's first item is not an array of 4 that begins with `version`.
  static result<frame_reader> make(std::string_view frame, std::uint64_t version);

  /// The number of items in the array that begins here.
  std::size_t array(std::string_view what, std::size_t size_max);
  /// An array of just this size.
  void array_of(std::string_view what, std::size_t size);
  /// True, and past it, where the next item is nil.
  bool nil();
  bool boolean(std::string_view what);
  std::uint64_t number(std::string_view what, std::uint64_t max = ~std::uint64_t{0});
  std::int64_t signed_number(std::string_view what);
  /// A view into the frame.
  std::string_view bytes(std::string_view what, std::size_t size_max);

  /// Notes a failure found by the caller.
  void refuse(std::string_view what, std::string_view why);
  [[nodiscard]] bool good() const { return failure_.empty(); }
  /// After the last item: `not_connected` (the link is closed) with the first failure, or where items are
  /// left.
  [[nodiscard]] result<void> done();

 private:
  friend class item_collector;
  enum class kind : std::uint8_t { nil, boolean, positive, negative, bytes, array };
  struct item {
    kind what;
    std::uint32_t size;  ///< Of bytes and arrays.
    union {
      std::uint64_t number;
      const char* data;
    };
  };

  const item* take(std::string_view what, kind wanted);

  std::vector<item> items_;
  std::size_t next_ = 0;
  std::string failure_;
};

/// `not_connected`: what a peer sent cannot be understood, so its link is closed for the reason given.
tl::unexpected<error> bad_frame(std::string_view why);

}  // namespace sluice
