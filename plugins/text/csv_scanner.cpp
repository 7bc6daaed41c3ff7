#include "plugins/text/csv_scanner.h"

// This file is compiled once for each set of vector instructions; the best one is chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/text/csv_scanner.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "plugins/text/csv_scan_bytes.h"
#include "plugins/text/csv_sinks.h"

HWY_BEFORE_NAMESPACE();
namespace sluice {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// A bit for each of the 64 bytes at `from` that is equal to one of up to four.
struct block_masks {
  std::uint64_t quote;
  std::uint64_t delimiter;
  std::uint64_t lf;
  std::uint64_t cr;
};

template <bool Quoting, bool Delimited, bool AnyLineEnd>
class block_matcher {
 public:
  explicit block_matcher(const csv_grammar& g)
      : quote_(hn::Set(d_, static_cast<std::uint8_t>(g.quote))),
        delimiter_(hn::Set(d_, static_cast<std::uint8_t>(g.delimiter.empty() ? 0 : g.delimiter[0]))),
        lf_(hn::Set(d_, static_cast<std::uint8_t>(g.record_end.value_or('\n')))),
        cr_(hn::Set(d_, static_cast<std::uint8_t>('\r'))) {}

  HWY_INLINE block_masks match(const char* from) const {
    block_masks m{0, 0, 0, 0};
    for (std::size_t i = 0; i < 64; i += hn::Lanes(d_)) {
      const auto bytes = hn::LoadU(d_, reinterpret_cast<const std::uint8_t*>(from) + i);
      if constexpr (Quoting) {
        m.quote |= bits(hn::Eq(bytes, quote_)) << i;
      }
      if constexpr (Delimited) {
        m.delimiter |= bits(hn::Eq(bytes, delimiter_)) << i;
      }
      m.lf |= bits(hn::Eq(bytes, lf_)) << i;
      if constexpr (AnyLineEnd) {
        m.cr |= bits(hn::Eq(bytes, cr_)) << i;
      }
    }
    return m;
  }

 private:
  using tag = hn::CappedTag<std::uint8_t, 64>;
  template <class Mask>
  static HWY_INLINE std::uint64_t bits(Mask mask) {
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(tag(), mask, bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }

  const tag d_{};
  const hn::Vec<tag> quote_;
  const hn::Vec<tag> delimiter_;
  const hn::Vec<tag> lf_;
  const hn::Vec<tag> cr_;
};

/// Bit i of the result is the parity of bits 0 to i.
HWY_INLINE std::uint64_t prefix_xor(std::uint64_t bits) {
  for (unsigned step = 1; step < 64; step *= 2) {
    bits ^= bits << step;
  }
  return bits;
}

/// What one block leaves to the next, each 0 or 1; `inside` 0 or all ones.
struct block_carry {
  std::uint64_t inside;
  std::uint64_t record_start;
  std::uint64_t field_start;
  std::uint64_t quote_seen;
  std::uint64_t cr;

  explicit block_carry(const scan_state& s)
      : inside(s.where == scan_state::at::quoted ? ~std::uint64_t{0} : 0),
        record_start(s.where == scan_state::at::record_start ? 1 : 0),
        field_start(s.where == scan_state::at::field_start ? 1 : 0),
        quote_seen(s.where == scan_state::at::quote_seen ? 1 : 0),
        cr(s.after_cr ? 1 : 0) {}

  [[nodiscard]] scan_state state() const {
    using at = scan_state::at;
    return {inside != 0         ? at::quoted
            : record_start != 0 ? at::record_start
            : field_start != 0  ? at::field_start
            : quote_seen != 0   ? at::quote_seen
                                : at::unquoted,
            cr != 0};
  }
};

template <bool Quoting, bool Delimited, bool AnyLineEnd, class Sink>
std::size_t scan_blocks(const csv_grammar& g, const char* data, std::size_t pos, std::size_t size, bool last,
                        scan_state& state, Sink& sink) {
  const block_matcher<Quoting, Delimited, AnyLineEnd> matcher(g);
  block_carry carry(state);
  while (pos < size && !sink.full()) {
    const std::size_t length = size - pos < 64 ? size - pos : 64;
    const std::uint64_t valid = ~std::uint64_t{0} >> (64 - length);
    const block_masks m = matcher.match(data + pos);
    const std::uint64_t line_ends = m.lf | m.cr;
    // The quotes as a toggle, and whether each stands where it may: an opening one at a field's start or
    // behind the first of a doubled pair, a closing one before a delimiter, a line end or its pair's second.
    std::uint64_t inside = 0;
    std::uint64_t closing = 0;
    if constexpr (Quoting) {
      inside = prefix_xor(m.quote) ^ carry.inside;
      closing = m.quote & ~inside;
      const std::uint64_t before = (m.delimiter | line_ends | m.quote) << 1 | carry.record_start |
                                   carry.field_start | carry.quote_seen;
      const std::uint64_t misplaced =
          ((m.quote & inside & ~before) |
           ((closing << 1 | carry.quote_seen) & ~(m.quote | m.delimiter | line_ends))) &
          valid;
      if (HWY_UNLIKELY(misplaced != 0)) {
        state = carry.state();
        const std::size_t stop = pos + length;
        pos = csv_byte_scan<Sink>(g, data, stop, last && stop == size, state, sink).run(pos);
        carry = block_carry(state);
        continue;
      }
    }
    // Of a CR LF the CR ends the record and the LF is passed over.
    const std::uint64_t first_of_line_end = line_ends & ~(m.lf & (m.cr << 1 | carry.cr));
    const std::uint64_t records = first_of_line_end & ~inside & valid;
    sink.block(pos, (m.delimiter & ~inside & valid) | records, records, first_of_line_end & inside & valid);

    const std::size_t at = length - 1;
    if constexpr (Quoting) {
      carry.inside = 0 - (inside >> at & 1);
      carry.quote_seen = closing >> at & 1;
    } else {
      carry.quote_seen = 0;
    }
    carry.record_start = (line_ends & ~inside) >> at & 1;
    carry.field_start = (m.delimiter & ~inside) >> at & 1;
    carry.cr = m.cr >> at & 1;
    pos += length;
  }
  state = carry.state();
  return pos;
}

template <class Sink>
std::size_t scan_plain(const csv_grammar& g, const char* data, std::size_t pos, std::size_t size, bool last,
                       scan_state& state, Sink& sink) {
  if (g.record_end) {
    return g.quoting             ? scan_blocks<true, true, false>(g, data, pos, size, last, state, sink)
           : g.delimiter.empty() ? scan_blocks<false, false, false>(g, data, pos, size, last, state, sink)
                                 : scan_blocks<false, true, false>(g, data, pos, size, last, state, sink);
  }
  return g.quoting             ? scan_blocks<true, true, true>(g, data, pos, size, last, state, sink)
         : g.delimiter.empty() ? scan_blocks<false, false, true>(g, data, pos, size, last, state, sink)
                               : scan_blocks<false, true, true>(g, data, pos, size, last, state, sink);
}

std::size_t index_plain(const csv_grammar& g, const char* data, std::size_t pos, std::size_t size, bool last,
                        scan_state& state, csv_index_sink& sink) {
  return scan_plain(g, data, pos, size, last, state, sink);
}

std::size_t advance_plain(const csv_grammar& g, const char* data, std::size_t pos, std::size_t size,
                          bool last, scan_state& state, csv_line_sink& sink) {
  return scan_plain(g, data, pos, size, last, state, sink);
}

}  // namespace HWY_NAMESPACE
}  // namespace sluice
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sluice {

HWY_EXPORT(index_plain);
HWY_EXPORT(advance_plain);

csv_index::csv_index(std::size_t capacity)
    : capacity_(capacity),
      field_ends_(capacity + 128),
      record_fields_(capacity + 128),
      inner_line_ends_(64) {}

std::size_t csv_scanner::index(const char* data, std::size_t from, std::size_t size, bool last,
                               scan_state& state, csv_index& to) const {
  csv_index_sink sink{to};
  if (grammar_.plain() && !(grammar_.quoting && grammar_.delimiter.empty())) {
    return HWY_DYNAMIC_DISPATCH(index_plain)(grammar_, data, from, size, last, state, sink);
  }
  return csv_byte_scan<csv_index_sink>(grammar_, data, size, last, state, sink).run(from);
}

std::size_t csv_scanner::advance(const char* data, std::size_t from, std::size_t size, bool last,
                                 scan_state& state, std::uint64_t& lines) const {
  csv_line_sink sink{lines};
  if (grammar_.plain() && !(grammar_.quoting && grammar_.delimiter.empty())) {
    return HWY_DYNAMIC_DISPATCH(advance_plain)(grammar_, data, from, size, last, state, sink);
  }
  return csv_byte_scan<csv_line_sink>(grammar_, data, size, last, state, sink).run(from);
}

void csv_scanner::finish(std::size_t size, scan_state& state, csv_index& to) const {
  if (state.where != scan_state::at::record_start) {
    csv_index_sink{to}.record_end(size);
    state = {};
  }
}

}  // namespace sluice
#endif  // HWY_ONCE
