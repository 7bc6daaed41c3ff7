#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "jobspec/job.h"
#include "plugins/api/plugin.h"

namespace sluice {

/// The two ends of a job, not opened yet, and what they were made with: the same for a run and for a look.
struct job_ends {
  conversion_context conversion;
  std::shared_ptr<buffer_pool> pool;
  std::shared_ptr<source> from;
  std::shared_ptr<target> to;
};

/// What the ends are told beside the job.
struct end_settings {
  std::string time_zone;  ///< Resolved name.
  std::uint64_t memory_bytes = 0;
  run_id run;
  decltype(plugin_context::resolve_secret) resolve_secret;
  decltype(plugin_context::guard) guard = nullptr;
  std::function<void(std::string)> warn;
  decltype(plugin_context::note) note = [](const std::string&) {};
  decltype(plugin_context::waits) waits = [](const std::string&, double) {};
  bool only_looks = false;
  bool makes_table = false;
};

/// How the job converts values: its formats, its mode (`setting.compat`) and its writer's `emptyAsNull`.
conversion_context conversion_of(const job& what, std::shared_ptr<const time_zone> zone);

/// Makes both ends; no I/O. `bad_option` where the job's text or the zone is wrong.
result<job_ends> make_ends(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                           const end_settings& settings);

/// The source alone, for whoever brings the destination: `to` is nullptr.
result<job_ends> make_source_end(const job& what, const plugin& reader_plugin, const end_settings& settings);

}  // namespace sluice
