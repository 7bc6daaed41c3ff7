#include "plugins/text/line_places.h"

#include <iterator>

#include "plugins/text/newline_pass.h"

namespace sluice {
namespace {

/// Places nearer than this to the one before replace it: counting so little again costs nothing.
constexpr std::uint64_t kept_apart_bytes = std::uint64_t{1} << 20;

}  // namespace

std::optional<std::uint64_t> line_places::line_at(std::uint64_t offset, const stop_signal& stop) {
  const auto nearest = std::prev(lines_before_.upper_bound(offset));
  const auto [from, before] = *nearest;
  const auto more = count_lines(grammar_, file_, from, offset, stop);
  if (!more) {
    return std::nullopt;
  }
  lines_before_[offset] = before + *more;
  if (from != 0 && offset != from && offset - from < kept_apart_bytes) {
    lines_before_.erase(nearest);
  }
  return before + *more + 1;
}

}  // namespace sluice
