#include "tools/cli/progress_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr double mb = 1048576;

std::string splits_text(const progress_snapshot& now) {
  return fmt::format("{} of {} {}", with_thousands(now.splits_done), with_thousands(now.splits_total),
                     now.splits_total == 1 ? "split" : "splits");
}

std::string counts_text(const progress_snapshot& now) {
  std::string text = fmt::format("{} rows read, {} written", with_thousands(now.counts.read),
                                 with_thousands(now.counts.written));
  if (now.counts.ignored > 0) {
    text += fmt::format(", {} ignored", with_thousands(now.counts.ignored));
  }
  if (now.counts.filtered > 0) {
    text += fmt::format(", {} filtered", with_thousands(now.counts.filtered));
  }
  return text + fmt::format(", {} dirty", with_thousands(now.counts.dirty));
}

std::string left_text(const progress_snapshot& now) {
  std::string text;
  if (now.fraction) {
    text = fmt::format("{:.0f} %", std::floor(std::clamp(*now.fraction, 0.0, 1.0) * 100));
  }
  if (now.seconds_left) {
    text += fmt::format("{}{} left", text.empty() ? "" : ", ", time_left_text(*now.seconds_left));
  }
  return text;
}

}  // namespace

std::string bytes_rate_text(double bytes_per_second) {
  const double rate = bytes_per_second / mb;
  return fmt::format("{:.{}f} MB/s", rate, rate < 100 ? 1 : 0);
}

std::string rate_text(double per_second) {
  const double rate = std::max(per_second, 0.0);
  return rate > 0 && rate < 100 ? fmt::format("{:.1f}", rate)
                                : with_thousands(static_cast<std::uint64_t>(rate + 0.5));
}

std::string time_left_text(double seconds) {
  if (seconds < 10) {
    return "a few seconds";
  }
  if (seconds < 90) {
    return fmt::format("about {:.0f} s", std::ceil(seconds / 10) * 10);
  }
  if (seconds < 5400) {
    return fmt::format("about {:.0f} min", std::ceil(seconds / 60));
  }
  return fmt::format("about {:.1f} h", seconds / 3600);
}

std::string progress_line(const progress_snapshot& now) {
  std::string line = fmt::format("{}; {} rows/s, {}; {}", counts_text(now), rate_text(now.records_per_second),
                                 bytes_rate_text(now.bytes_per_second), splits_text(now));
  if (const std::string left = left_text(now); !left.empty()) {
    line += "; " + left;
  }
  if (now.snapshot_seconds) {
    line += fmt::format("; snapshot {} old", duration_text(*now.snapshot_seconds));
  }
  if (!now.waiting.empty()) {
    line += "; " + now.waiting;
  }
  return line;
}

std::vector<std::string> live_lines(const std::string& job_name, const progress_snapshot& now,
                                    unsigned columns) {
  std::vector<std::string> lines;
  std::string head = fmt::format("{}  {}", escaped(job_name), duration_text(now.seconds));
  const std::string left = left_text(now);
  if (now.fraction) {
    // The rest of an 80-column line belongs to name, time and what is left.
    const unsigned width = std::clamp(columns / 4, 8U, 30U);
    const auto full = static_cast<unsigned>(std::clamp(*now.fraction, 0.0, 1.0) * width);
    head += fmt::format("  [{}{}]", std::string(full, '#'), std::string(width - full, '.'));
  }
  lines.push_back(left.empty() ? head : head + "  " + left);
  lines.push_back("  " + counts_text(now));
  lines.push_back(fmt::format("  {} rows/s, {}; {}, {} {} at work", rate_text(now.records_per_second),
                              bytes_rate_text(now.bytes_per_second), splits_text(now), now.pipelines_active,
                              now.pipelines_active == 1 ? "pipeline" : "pipelines"));
  if (now.snapshot_seconds) {
    lines.back() += fmt::format("; snapshot {} old", duration_text(*now.snapshot_seconds));
  }
  if (!now.waiting.empty()) {
    lines.push_back("  " + now.waiting);
  }
  return lines;
}

}  // namespace sluice
