#pragma once

#include <cstring>

#include "plugins/text/csv_scanner.h"

namespace sluice {

/// The whole grammar byte by byte: what the vector code falls back on, and what it is tested against. Scans
/// data[pos, stop) and returns where it stopped (see `csv_scanner::index`).
template <class Sink>
class csv_byte_scan {
 public:
  csv_byte_scan(const csv_grammar& grammar, const char* data, std::size_t stop, bool last, scan_state& state,
                Sink& sink)
      : g_(grammar), data_(data), stop_(stop), last_(last), state_(state), sink_(sink) {}

  std::size_t run(std::size_t pos) {
    while (pos < stop_ && !sink_.full()) {
      const std::size_t next = ends_line(data_[pos]) ? line_end(pos) : character(pos);
      if (next == pos) {
        break;
      }
      pos = next;
    }
    return pos;
  }

 private:
  using at = scan_state::at;

  [[nodiscard]] bool ends_line(char c) const {
    return g_.record_end ? c == *g_.record_end : c == '\n' || c == '\r';
  }

  std::size_t line_end(std::size_t pos) {
    const char c = data_[pos];
    if (!g_.record_end && c == '\n' && state_.after_cr) {
      state_.after_cr = false;
      return pos + 1;
    }
    state_.after_cr = !g_.record_end && c == '\r';
    if (state_.where == at::quoted) {
      sink_.inner_line(pos);
    } else {
      sink_.record_end(pos);
      state_.where = at::record_start;
    }
    return pos + 1;
  }

  /// Returns `pos` where the character reaches beyond the buffer.
  std::size_t character(std::size_t pos) {
    const char c = data_[pos];
    if (state_.where == at::comment) {
      state_.after_cr = false;
      return pos + 1;
    }
    if (g_.backslash && c == '\\') {
      return escape(pos);
    }
    if (g_.wide_characters && g_.lead_bytes[static_cast<unsigned char>(c)]) {
      return wide_character(pos);
    }
    if (g_.comment && state_.where == at::record_start && c == *g_.comment) {
      return step(at::comment, pos);
    }
    if (state_.where == at::quoted) {
      return step(g_.quoting && c == g_.quote ? at::quote_seen : at::quoted, pos);
    }
    if (state_.where == at::quote_seen && c == g_.quote) {
      return step(at::quoted, pos);
    }
    if (const std::size_t delimiter = delimiter_at(pos); delimiter != 0) {
      if (delimiter > stop_ - pos) {
        return pos;
      }
      sink_.field_end(pos);
      return step(at::field_start, pos + delimiter - 1);
    }
    return step(behind(c), pos);
  }

  std::size_t step(at where, std::size_t pos) {
    state_.where = where;
    state_.after_cr = false;
    return pos + 1;
  }

  /// The state behind an ordinary character or an opening quote.
  [[nodiscard]] at behind(char c) const {
    const bool blank = g_.trim && (c == ' ' || c == '\t');
    switch (state_.where) {
      case at::record_start:
      case at::field_start:
        return g_.quoting && c == g_.quote ? at::quoted : blank ? at::field_start : at::unquoted;
      case at::quote_seen:
      case at::closed:
        return blank ? at::closed : at::unquoted;
      default:
        return at::unquoted;
    }
  }

  /// Length of the delimiter that stands at `pos`, beyond `stop_` where it may go on in the next buffer; 0:
  /// none.
  [[nodiscard]] std::size_t delimiter_at(std::size_t pos) const {
    const std::size_t size = g_.delimiter.size();
    if (size == 0 || data_[pos] != g_.delimiter[0]) {
      return 0;
    }
    const std::size_t there = stop_ - pos;
    if (there < size) {
      return !last_ && std::memcmp(data_ + pos, g_.delimiter.data(), there) == 0 ? size : 0;
    }
    return std::memcmp(data_ + pos, g_.delimiter.data(), size) == 0 ? size : 0;
  }

  [[nodiscard]] at inside() const { return state_.where == at::quoted ? at::quoted : at::unquoted; }

  std::size_t escape(std::size_t pos) {
    if (pos + 1 == stop_) {
      return last_ ? step(inside(), pos) : pos;
    }
    const char escaped = data_[pos + 1];
    std::size_t last_byte = pos + 1;
    if (!g_.record_end && escaped == '\r') {
      // CR LF is one line end, also an escaped one.
      if (pos + 2 == stop_ && !last_) {
        return pos;
      }
      last_byte += pos + 2 < stop_ && data_[pos + 2] == '\n' ? 1 : 0;
    }
    if (ends_line(escaped)) {
      sink_.inner_line(pos + 1);
    }
    return step(inside(), last_byte);
  }

  std::size_t wide_character(std::size_t pos) {
    if (pos + 1 == stop_) {
      return last_ ? step(inside(), pos) : pos;
    }
    const bool pair = static_cast<unsigned char>(data_[pos + 1]) >= 0x30;
    return step(inside(), pair ? pos + 1 : pos);
  }

  const csv_grammar& g_;
  const char* data_;
  std::size_t stop_;
  bool last_;
  scan_state& state_;
  Sink& sink_;
};

}  // namespace sluice
