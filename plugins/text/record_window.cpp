#include "plugins/text/record_window.h"

#include <algorithm>
#include <cstring>

#include "plugins/text/text_layout.h"

namespace sluice {
namespace {

constexpr std::size_t skip_step = 4096;
/// Room in the index for the fields of one window, and at any rate for a record with all the fields it may
/// have.
std::size_t index_capacity(std::size_t window_bytes) {
  return std::max(window_bytes / 2, 2 * fields_max);
}

}  // namespace

std::string_view head_of(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && bytes_max - end < 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

record_window::record_window(const csv_scanner& scanner, std::shared_ptr<buffer_pool> pool, std::size_t bytes)
    : scanner_(scanner),
      delimiter_bytes_(std::max<std::size_t>(scanner.grammar().delimiter.size(), 1)),
      pool_(std::move(pool)),
      bytes_normal_(bytes),
      capacity_(bytes),
      buffer_(pool_),
      index_(index_capacity(bytes)),
      starts_(1) {}

void record_window::open(std::unique_ptr<input_stream> stream, std::uint64_t offset, std::uint64_t line,
                         bool drop_bom) {
  stream_ = std::move(stream);
  ended_ = false;
  drop_bom_ = drop_bom;
  offset_ = offset;
  digested_ = offset;
  line_ = line;
  size_ = 0;
  records_ = 0;
  starts_[0] = 0;
  lines_.clear();
  shrink(0);
}

/// Bytes of the buffer up to `end` are done with.
void record_window::digest_bytes(std::size_t end) {
  if (offset_ + end > digested_) {
    const auto from = static_cast<std::size_t>(digested_ - offset_);
    digest_.add(data() + from, end - from);
    digested_ = offset_ + end;
  }
}

void record_window::move_to_front(std::size_t from) {
  digest_bytes(from);
  if (from != 0 && size_ > from) {
    std::memmove(buffer_.data(), buffer_.data() + from, size_ - from);
  }
  size_ -= from;
  offset_ += from;
}

result<void> record_window::fill(std::size_t bytes) {
  buffer_.reserve(capacity_);
  char* to = buffer_.as<char>();
  while (size_ < bytes && !ended_) {
    SLUICE_TRY(const std::size_t got, stream_->read(to + size_, bytes - size_));
    ended_ = got == 0;
    size_ += got;
  }
  if (drop_bom_) {
    drop_bom_ = false;
    if (size_ >= 3 && std::memcmp(to, "\xEF\xBB\xBF", 3) == 0) {
      move_to_front(3);
    }
  }
  return {};
}

/// Where each record begins. A record that a CR at the window's end closes is left for the next window, which
/// will show whether an LF belongs to it.
void record_window::find_starts() {
  const bool any_line_end = !scanner_.grammar().record_end.has_value();
  const std::uint32_t* ends = index_.field_ends();
  const std::uint32_t* fields = index_.record_fields();
  records_ = index_.records();
  if (starts_.size() < records_ + 1) {
    starts_.resize(std::max(records_ + 1, 2 * starts_.size()));
  }
  starts_[0] = 0;
  const char* bytes = data();
  for (std::size_t r = 0; r < records_; ++r) {
    std::uint32_t end = ends[fields[r] - 1];
    if (any_line_end && end < size_ && bytes[end] == '\r') {
      if (end + 1 == size_ && !ended_) {
        records_ = r;
        return;
      }
      end += end + 1 < size_ && bytes[end + 1] == '\n' ? 1 : 0;
    }
    starts_[r + 1] = std::min(end + 1, static_cast<std::uint32_t>(size_));
  }
}

void record_window::count_lines() {
  const std::uint32_t* inner = index_.inner_lines();
  const std::size_t count = index_.inner_line_count();
  lines_.clear();
  if (count == 0 || inner[0] >= starts_[records_]) {
    return;
  }
  lines_.resize(records_ + 1);
  std::size_t passed = 0;
  for (std::size_t r = 0; r <= records_; ++r) {
    while (passed < count && inner[passed] < starts_[r]) {
      ++passed;
    }
    lines_[r] = static_cast<std::uint32_t>(r + passed);
  }
}

result<record_window::outcome> record_window::next(std::uint64_t record_bytes_max) {
  record_bytes_max_ = record_bytes_max;
  line_ = line(records_);
  move_to_front(starts_[records_]);
  records_ = 0;
  starts_[0] = 0;
  lines_.clear();
  index_.clear();
  state_ = {};
  scanned_ = 0;
  // A window that grew is filled in steps: when its record ends, little of what follows is in hand, and the
  // room can be given back at once.
  for (std::size_t upto = std::max(size_, bytes_normal_);; upto += bytes_normal_) {
    SLUICE_CHECK(fill(std::min(upto, capacity_)));
    if (size_ == 0) {
      return outcome::end;
    }
    scanned_ = scanner_.index(data(), scanned_, size_, ended_, state_, index_);
    if (ended_ && scanned_ == size_) {
      scanner_.finish(size_, state_, index_);
    }
    find_starts();
    count_lines();
    if (records_ != 0) {
      return outcome::records;
    }
    if (ended_ || size_ >= capacity_ || index_.nearly_full()) {
      break;
    }
  }
  return size_ > record_bytes_max_ || index_.nearly_full() ? outcome::skip : outcome::grow;
}

std::size_t record_window::bytes_wanted() const {
  // Enough to see that a record is over the limit, and no more.
  const std::uint64_t most = record_bytes_max_ + bytes_normal_;
  return static_cast<std::size_t>(
      std::max<std::uint64_t>(std::min<std::uint64_t>(2 * capacity_, most), capacity_ + 1));
}

void record_window::grow() {
  capacity_ = bytes_wanted();
  buffer_.resize(size_);
  buffer_.reserve(capacity_);
}

void record_window::shrink(std::size_t record) {
  const std::size_t from = starts_[record];
  if (capacity_ == bytes_normal_ || size_ - from > bytes_normal_) {
    return;
  }
  digest_bytes(from);
  growing_buffer small(pool_);
  small.reserve(bytes_normal_);
  if (size_ != from) {
    std::memcpy(small.data(), buffer_.data() + from, size_ - from);
  }
  const std::uint64_t line_behind = line(record);
  buffer_ = std::move(small);
  size_ -= from;
  offset_ += from;
  line_ = line_behind;
  records_ = 0;
  starts_[0] = 0;
  lines_.clear();
  capacity_ = bytes_normal_;
}

result<record_window::skipped> record_window::skip_record() {
  skipped s;
  s.offset = offset_;
  s.line = line_;
  s.head = head_of({data(), size_}, kept_head_bytes);
  s.code = size_ > record_bytes_max_ ? dirty_code::record_too_large : dirty_code::too_many_fields;
  std::uint64_t inner = index_.inner_line_count();
  std::size_t at = scanned_;
  for (;;) {
    const std::size_t stop = std::min(size_, at + skip_step);
    index_.clear();
    at = scanner_.index(data(), at, stop, ended_ && stop == size_, state_, index_);
    if (ended_ && at == size_) {
      scanner_.finish(size_, state_, index_);
    }
    if (index_.records() != 0) {
      break;
    }
    inner += index_.inner_line_count();
    if (stop == size_) {
      // Only the bytes that the scan could not decide on are kept.
      starts_[0] = static_cast<std::uint32_t>(at);
      shrink(0);
      move_to_front(starts_[0]);
      starts_[0] = 0;
      at = 0;
      SLUICE_CHECK(fill(capacity_));
    }
  }
  std::size_t end = index_.field_ends()[index_.record_fields()[0] - 1];
  for (std::size_t i = 0; i < index_.inner_line_count() && index_.inner_lines()[i] < end; ++i) {
    ++inner;
  }
  s.bytes = offset_ + end - s.offset;
  if (s.bytes > record_bytes_max_) {
    s.code = dirty_code::record_too_large;
  }
  const bool cr = !scanner_.grammar().record_end && end < size_ && data()[end] == '\r';
  std::size_t behind = std::min(end + 1, size_);
  move_to_front(behind);
  SLUICE_CHECK(fill(std::min(capacity_, std::max(size_, bytes_normal_))));
  if (cr && size_ != 0 && data()[0] == '\n') {
    move_to_front(1);
  }
  line_ = s.line + inner + 1;
  records_ = 0;
  starts_[0] = 0;
  lines_.clear();
  index_.clear();
  return s;
}

}  // namespace sluice
