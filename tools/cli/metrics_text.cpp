#include "tools/cli/metrics_text.h"

#include <fmt/format.h>

namespace sluice {
namespace {

/// A label's value: backslash, quote and line end are escaped, as the format has it.
std::string label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

struct text_builder {
  std::string job;
  std::string out;

  void head(std::string_view name, std::string_view type, std::string_view help) {
    out += fmt::format("# HELP sluice_{} {}\n# TYPE sluice_{} {}\n", name, help, name, type);
  }
  template <class T>
  void one(std::string_view name, std::string_view type, std::string_view help, T value) {
    head(name, type, help);
    out += fmt::format("sluice_{}{{job=\"{}\"}} {}\n", name, job, value);
  }
};

void put_records(text_builder& b, const record_counts& counts) {
  b.head("records_total", "counter", "Records of the run by what became of them.");
  const std::pair<const char*, std::uint64_t> kinds[] = {{"read", counts.read},
                                                         {"written", counts.written},
                                                         {"ignored", counts.ignored},
                                                         {"dirty", counts.dirty},
                                                         {"filtered", counts.filtered}};
  for (const auto& [kind, number] : kinds) {
    b.out += fmt::format("sluice_records_total{{job=\"{}\",kind=\"{}\"}} {}\n", b.job, kind, number);
  }
}

void put_states(text_builder& b, const run_metrics& m) {
  b.head("run_state", "gauge", "1 for the state the run is in.");
  for (const char* state : {"running", "succeeded", "succeeded_with_dirty", "failed", "stopped"}) {
    b.out += fmt::format("sluice_run_state{{job=\"{}\",state=\"{}\"}} {}\n", b.job, state,
                         m.state == state ? 1 : 0);
  }
}

double seconds_of(std::uint64_t unix_ms) {
  return static_cast<double>(unix_ms) / 1000;
}

}  // namespace

std::string metrics_text(const run_metrics& m) {
  text_builder b{label(m.job_name), {}};
  b.head("run_info", "gauge", "The run these metrics are of.");
  b.out += fmt::format("sluice_run_info{{job=\"{}\",run=\"{}\"}} 1\n", b.job, m.run.text());
  put_states(b, m);
  put_records(b, m.counts);
  b.one("record_bytes_total", "counter", "Record bytes read.", m.counts.bytes);
  b.one("splits", "gauge", "Splits of the run.", m.splits_total);
  b.one("splits_done", "gauge", "Splits that are done.", m.splits_done);
  b.one("run_duration_seconds", "gauge", "How long the run has taken so far.", m.seconds);
  b.one("records_per_second", "gauge",
        "Records read a second over the last interval; at the end over the run.", m.records_per_second);
  b.one("record_bytes_per_second", "gauge", "Record bytes read a second, as above.", m.bytes_per_second);
  b.one("run_start_timestamp_seconds", "gauge", "When the run began, in seconds since 1970 UTC.",
        seconds_of(m.started_unix_ms));
  b.one("written_timestamp_seconds", "gauge", "When these metrics were written, in seconds since 1970 UTC.",
        seconds_of(m.written_unix_ms));
  return b.out;
}

}  // namespace sluice
