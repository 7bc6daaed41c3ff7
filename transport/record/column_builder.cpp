#include <algorithm>
#include <array>
#include <cassert>

#include "transport/record/batch_builder.h"
#include "transport/record/bits.h"

namespace sluice {

column_builder::column_builder(data_type type, const std::shared_ptr<buffer_pool>& pool)
    : type_(type), values_(pool), offsets_(pool), validity_(pool) {
  start();
}

void column_builder::start() {
  has_validity_ = false;
  size_ = 0;
  null_count_ = 0;
  if (has_offsets(type_.id)) {
    offsets_.push(std::int32_t{0});
  }
}

growing_buffer& column_builder::validity() {
  if (!has_validity_) {
    has_validity_ = true;
    validity_.resize(bitmap_bytes(size_));
    set_bits(validity_.as<std::uint8_t>(), 0, size_);
  }
  return validity_;
}

void column_builder::set_validity(bool valid) {
  if (size_ % 8 == 0) {
    validity_.push(std::uint8_t{0});
  }
  validity_.as<std::uint8_t>()[size_ / 8] |= static_cast<std::uint8_t>((valid ? 1U : 0U) << (size_ % 8));
}

void column_builder::append_null() {
  validity();
  set_validity(false);
  ++null_count_;
  if (has_offsets(type_.id)) {
    offsets_.push(static_cast<std::int32_t>(values_.size()));
  } else if (type_.id == type_id::boolean) {
    if (size_ % 8 == 0) {
      values_.push(std::uint8_t{0});
    }
  } else {
    constexpr std::array<std::byte, 16> zeros{};
    values_.append(zeros.data(), fixed_width(type_.id));
  }
  ++size_;
}

void column_builder::append_bool(bool value) {
  mark_valid();
  if (size_ % 8 == 0) {
    values_.push(std::uint8_t{0});
  }
  values_.as<std::uint8_t>()[size_ / 8] |= static_cast<std::uint8_t>((value ? 1U : 0U) << (size_ % 8));
  ++size_;
}

void column_builder::append_range(const column& from, std::uint32_t first, std::uint32_t count) {
  if (count == 0) {
    return;
  }
  std::uint32_t nulls = 0;
  if (!from.validity.empty()) {
    const auto* bits = from.validity.as<std::uint8_t>();
    nulls = count - static_cast<std::uint32_t>(count_set(bits, first, first + count));
  }
  if (nulls != 0 || has_validity_) {
    validity();
    validity_.resize(bitmap_bytes(size_ + std::size_t{count}));
    if (nulls == 0) {
      set_bits(validity_.as<std::uint8_t>(), size_, count);
    } else {
      copy_bits(validity_.as<std::uint8_t>(), size_, from.validity.as<std::uint8_t>(), first, count);
    }
  }
  if (has_offsets(type_.id)) {
    const auto* offsets = from.offsets.as<std::int32_t>();
    const std::int32_t begin = offsets[first];
    const auto shift = static_cast<std::int32_t>(values_.size()) - begin;
    values_.append(from.values.data() + begin, static_cast<std::size_t>(offsets[first + count] - begin));
    const std::size_t at = offsets_.size();
    offsets_.resize(at + count * sizeof(std::int32_t));
    auto* out = reinterpret_cast<std::int32_t*>(offsets_.data() + at);
    for (std::uint32_t i = 0; i < count; ++i) {
      out[i] = offsets[first + i + 1] + shift;
    }
  } else if (type_.id == type_id::boolean) {
    values_.resize(bitmap_bytes(size_ + std::size_t{count}));
    copy_bits(values_.as<std::uint8_t>(), size_, from.values.as<std::uint8_t>(), first, count);
  } else {
    const std::size_t width = fixed_width(type_.id);
    values_.append(from.values.data() + first * width, count * width);
  }
  size_ += count;
  null_count_ += nulls;
}

void column_builder::truncate(std::uint32_t size) {
  assert(size <= size_);
  if (has_validity_) {
    const std::size_t removed = size_ - size;
    null_count_ -= static_cast<std::uint32_t>(removed - count_set(validity_.as<std::uint8_t>(), size, size_));
    validity_.resize(bitmap_bytes(size));
    clear_tail(validity_, size);
  }
  if (has_offsets(type_.id)) {
    offsets_.resize((size + std::size_t{1}) * sizeof(std::int32_t));
    values_.resize(static_cast<std::size_t>(offsets_.as<std::int32_t>()[size]));
  } else if (type_.id == type_id::boolean) {
    values_.resize(bitmap_bytes(size));
    clear_tail(values_, size);
  } else {
    values_.resize(size * fixed_width(type_.id));
  }
  size_ = size;
}

/// Appends set bits only, so the last byte must hold zeros behind the end.
void column_builder::clear_tail(growing_buffer& bitmap, std::uint32_t size) {
  if (size % 8 != 0) {
    bitmap.as<std::uint8_t>()[size / 8] &= static_cast<std::uint8_t>((1U << (size % 8)) - 1U);
  }
}

void column_builder::set_filled(std::uint32_t size, std::uint32_t null_count) {
  size_ = size;
  null_count_ = null_count;
  assert(null_count == 0 || has_validity_);
  assert(!has_validity_ || validity_.size() == bitmap_bytes(size));
  assert(!has_offsets(type_.id) || offsets_.size() == (size + std::size_t{1}) * sizeof(std::int32_t));
  if (type_.id == type_id::boolean) {
    clear_tail(values_, size);
  }
  if (has_validity_) {
    clear_tail(validity_, size);
  }
}

column column_builder::seal() {
  column c;
  c.null_count = null_count_;
  c.values = values_.seal();
  c.offsets = offsets_.seal();
  if (null_count_ != 0) {
    c.validity = validity_.seal();
  } else {
    validity_.clear();
  }
  start();
  return c;
}

}  // namespace sluice
