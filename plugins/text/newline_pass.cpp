#include "plugins/text/newline_pass.h"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t block_bytes = std::size_t{256} << 10;
constexpr std::size_t search_bytes = 4096;

/// Reads a file block by block for a scan that goes on from block to block.
class block_scan {
 public:
  block_scan(const csv_scanner& scanner, const file_handle& file, std::uint64_t from, std::uint64_t end,
             running_digest* digest = nullptr)
      : scanner_(scanner),
        file_(file),
        digest_(digest),
        offset_(from),
        end_(end),
        block_(block_bytes + 64),
        index_(2 * search_bytes) {}

  /// Scans up to the file's byte `target` and a little less at the end of a block.
  result<void> advance_to(std::uint64_t target, const stop_signal& stop) {
    while (place() < target) {
      if (stop.fired()) {
        return fail(error_kind::cancelled, "stopped while looking for places to split {}", file_.path());
      }
      SLUICE_CHECK(refill());
      const std::size_t to = static_cast<std::size_t>(std::min<std::uint64_t>(size_, target - offset_));
      at_ = scanner_.advance(block_.data(), at_, to, last() && to == size_, state_, lines_);
      if (at_ < to && to < size_) {
        return {};  // a character lies across the target: the search goes on from before it
      }
    }
    return {};
  }

  /// Goes on to the end of the record at hand; nothing where the file ends before another begins.
  result<std::optional<record_place>> next_record() {
    for (;;) {
      SLUICE_CHECK(refill());
      if (at_ == size_) {
        return std::nullopt;
      }
      index_.clear();
      const std::size_t from = at_;
      const std::size_t to = std::min(size_, at_ + search_bytes);
      scan_state state = state_;
      const std::size_t stopped =
          scanner_.index(block_.data(), at_, to, last() && to == size_, state, index_);
      if (index_.records() != 0) {
        return begin_of_next(from);
      }
      at_ = stopped;
      state_ = state;
      lines_ += index_.inner_line_count();
    }
  }

  /// Reads on to the end without looking.
  result<void> read_rest(const stop_signal& stop) {
    while (!last()) {
      if (stop.fired()) {
        return fail(error_kind::cancelled, "stopped while reading {}", file_.path());
      }
      at_ = size_;
      SLUICE_CHECK(refill());
    }
    return {};
  }

 private:
  [[nodiscard]] std::uint64_t place() const { return offset_ + at_; }
  [[nodiscard]] bool last() const { return offset_ + size_ == end_; }

  /// Keeps what is not scanned yet and reads on once that is less than a search may need.
  result<void> refill() {
    if (size_ - at_ > search_bytes || last()) {
      return {};
    }
    std::memmove(block_.data(), block_.data() + at_, size_ - at_);
    offset_ += at_;
    size_ -= at_;
    at_ = 0;
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes - size_, end_ - offset_ - size_));
    SLUICE_TRY(const std::size_t got, file_.read_at(offset_ + size_, block_.data() + size_, wanted));
    if (digest_ != nullptr) {
      digest_->add(block_.data() + size_, got);
    }
    size_ += got;
    if (got < wanted) {
      return fail(error_kind::source_changed,
                  "The file {} became shorter while it was read: it ended at byte {}.", file_.path(),
                  offset_ + size_);
    }
    return {};
  }

  /// The record that ends first in the index ends here.
  std::optional<record_place> begin_of_next(std::size_t from) {
    const std::uint32_t end = index_.field_ends()[index_.record_fields()[0] - 1];
    for (std::size_t i = 0; i < index_.inner_line_count() && index_.inner_lines()[i] < end; ++i) {
      ++lines_;
    }
    ++lines_;
    at_ = std::max<std::size_t>(from, end + 1);
    state_ = {};
    if (!scanner_.grammar().record_end && block_[end] == '\r' && at_ < size_ && block_[at_] == '\n') {
      ++at_;
    }
    return place() < end_ ? std::optional(record_place{place(), lines_ + 1}) : std::nullopt;
  }

  const csv_scanner& scanner_;
  const file_handle& file_;
  running_digest* digest_;  // Gets what is read; may be null.
  std::uint64_t offset_;    // of block_[0]
  std::uint64_t end_;
  std::vector<char> block_;
  std::size_t size_ = 0;
  std::size_t at_ = 0;
  scan_state state_;
  std::uint64_t lines_ = 0;
  csv_index index_;
};

}  // namespace

result<std::vector<record_place>> find_record_places(const csv_scanner& scanner, const file_handle& file,
                                                     std::uint64_t size, std::uint64_t split_bytes,
                                                     const stop_signal& stop, running_digest* whole) {
  std::vector<record_place> places;
  block_scan scan(scanner, file, 0, size, whole);
  std::uint64_t target = split_bytes;
  while (target < size) {
    SLUICE_CHECK(scan.advance_to(target, stop));
    SLUICE_TRY(const auto place, scan.next_record());
    if (!place) {
      break;
    }
    places.push_back(*place);
    target = (place->offset / split_bytes + 1) * split_bytes;
  }
  if (whole != nullptr) {
    SLUICE_CHECK(scan.read_rest(stop));
  }
  return places;
}

result<std::vector<record_place>> guess_record_places(const csv_scanner& scanner, const file_handle& file,
                                                      std::uint64_t size, std::uint64_t split_bytes) {
  std::vector<record_place> places;
  std::uint64_t target = split_bytes;
  while (target < size) {
    // From the byte before: a CR there may be half of a CR LF.
    block_scan scan(scanner, file, target - 1, size);
    SLUICE_TRY(auto place, scan.next_record());
    if (!place) {
      break;
    }
    place->line = 0;
    places.push_back(*place);
    target = (place->offset / split_bytes + 1) * split_bytes;
  }
  return places;
}

result<std::uint64_t> count_lines(const csv_grammar& grammar, const file_handle& file, std::uint64_t from,
                                  std::uint64_t to, const stop_signal& stop) {
  csv_grammar lines_only;
  lines_only.quoting = false;
  lines_only.delimiter.clear();
  lines_only.record_end = grammar.record_end;
  const csv_scanner scanner(lines_only);
  std::vector<char> block(block_bytes + 64);
  scan_state state;
  std::uint64_t lines = 0;
  std::uint64_t at = from;
  while (at < to) {
    if (stop.fired()) {
      return fail(error_kind::cancelled, "stopped while counting the lines of {}", file.path());
    }
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block_bytes, to - at));
    SLUICE_TRY(const std::size_t got, file.read_at(at, block.data(), wanted));
    if (got == 0) {
      break;
    }
    scanner.advance(block.data(), 0, got, false, state, lines);
    at += got;
  }
  return lines;
}

}  // namespace sluice
