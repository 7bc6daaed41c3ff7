#include "actors/supervise/fraction_done.h"

#include <algorithm>

namespace sluice {

std::optional<double> fraction_done(const std::vector<split_share>& splits) {
  double all = 0;
  double done = 0;
  double done_record_bytes = 0;
  for (const split_share& s : splits) {
    if (!s.bytes_estimate) {
      return std::nullopt;
    }
    const auto bytes = static_cast<double>(*s.bytes_estimate);
    all += bytes;
    done += s.done ? bytes : 0;
    done_record_bytes += s.done ? static_cast<double>(s.record_bytes) : 0;
  }
  if (all == 0) {
    return std::nullopt;
  }
  const bool done_ones_tell = done > 0 && done_record_bytes > 0;
  double begun = 0;
  for (const split_share& s : splits) {
    if (s.done || s.record_bytes == 0) {
      continue;
    }
    const bool reader_tells = s.source_bytes_read != 0 && s.record_bytes_read != 0;
    if (!reader_tells && !done_ones_tell) {
      return std::nullopt;
    }
    const double per_record_byte =
        reader_tells ? static_cast<double>(s.source_bytes_read) / static_cast<double>(s.record_bytes_read)
                     : done / done_record_bytes;
    begun += std::min(static_cast<double>(*s.bytes_estimate),
                      static_cast<double>(s.record_bytes) * per_record_byte);
  }
  return std::min(1.0, (done + begun) / all);
}

}  // namespace sluice
