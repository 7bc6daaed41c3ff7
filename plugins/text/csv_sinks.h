#pragma once

#include <bit>
#include <cstdint>

#include "plugins/text/csv_scanner.h"

namespace sluice {

/// Takes what a scan finds into an index.
struct csv_index_sink {
  csv_index& to;

  [[nodiscard]] bool full() const { return to.nearly_full(); }
  void field_end(std::size_t at) { to.field_ends_[to.fields_++] = static_cast<std::uint32_t>(at); }
  void record_end(std::size_t at) {
    field_end(at);
    to.record_fields_[to.records_++] = static_cast<std::uint32_t>(to.fields_);
  }
  void inner_line(std::size_t at) {
    if (to.inner_lines_ == to.inner_line_ends_.size()) {
      to.inner_line_ends_.resize(2 * to.inner_lines_ + 64);
    }
    to.inner_line_ends_[to.inner_lines_++] = static_cast<std::uint32_t>(at);
  }
  /// A block of 64 bytes at `base`: bits of field ends (records' included), record ends and inner line ends.
  /// Inlined into the vector code, so that it is compiled for the same machine.
  [[gnu::always_inline]] void block(std::size_t base, std::uint64_t fields, std::uint64_t records,
                                    std::uint64_t inner) {
    std::uint32_t* end = to.field_ends_.data() + to.fields_;
    // Twelve at once, then four at a time, mostly without a question: a mispredicted branch costs more than
    // stores that nobody reads.
    const auto count = static_cast<unsigned>(std::popcount(fields));
    std::uint64_t rest = fields;
    const auto four = [&](unsigned from) __attribute__((always_inline)) {
      for (unsigned i = 0; i < 4; ++i) {
        end[from + i] = static_cast<std::uint32_t>(base + static_cast<unsigned>(std::countr_zero(rest)));
        rest &= rest - 1;
      }
    };
    four(0), four(4), four(8);
    for (unsigned done = 12; done < count; done += 4) {
      four(done);
    }
    for (; records != 0; records &= records - 1) {
      const std::uint64_t up_to = records ^ (records - 1);
      to.record_fields_[to.records_++] =
          static_cast<std::uint32_t>(to.fields_ + static_cast<unsigned>(std::popcount(fields & up_to)));
    }
    to.fields_ += count;
    for (; inner != 0; inner &= inner - 1) {
      inner_line(base + static_cast<unsigned>(std::countr_zero(inner)));
    }
  }
};

/// Takes the number of lines only.
struct csv_line_sink {
  std::uint64_t& lines;

  [[nodiscard]] static bool full() { return false; }
  void field_end(std::size_t) {}
  void record_end(std::size_t) { ++lines; }
  void inner_line(std::size_t) { ++lines; }
  [[gnu::always_inline]] void block(std::size_t, std::uint64_t, std::uint64_t records, std::uint64_t inner) {
    lines += static_cast<unsigned>(std::popcount(records | inner));
  }
};

}  // namespace sluice
