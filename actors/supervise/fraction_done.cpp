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
  const double per_record_byte = done > 0 && done_record_bytes > 0 ? done / done_record_bytes : 1;
  double begun = 0;
  for (const split_share& s : splits) {
    if (!s.done) {
      begun += std::min(static_cast<double>(*s.bytes_estimate),
                        static_cast<double>(s.record_bytes) * per_record_byte);
    }
  }
  return std::min(1.0, (done + begun) / all);
}

}  // namespace sluice
