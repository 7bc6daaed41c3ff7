#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/supervise/run.h"
#include "transport/record/sum.h"

namespace sluice {

/// Which rows of the destination a comparison is about.
enum class verify_scope {
  automatic,
  whole,   ///< All of them: none may be there that the source does not have.
  where,   ///< Those that the job's `where` chooses, asked of the destination too.
  keys,    ///< Those with a key that the source has; what else is there is counted and no difference.
  counts,  ///< Their number alone.
};
std::string_view to_string(verify_scope scope);

/// What a run has written: so that a source that lives on is compared with what was read of it.
struct written_by_run {
  run_id run;
  std::uint64_t records = 0;
  row_sum sum;
  std::string form;  ///< Of the sums: `canonical/1`, or with the bytes of a product (`sums_form_of`).
  std::uint64_t dirty = 0;
  std::uint64_t ignored = 0;
  std::uint64_t read = 0;
  row_sum read_sum;  ///< Over the records as they were read.
};

/// A record that the destination has refused in that run, by the values that it was to have there.
struct refused_record {
  std::vector<std::pair<std::string, std::optional<std::string>>>
      fields;  ///< Column and text; nothing: NULL.
  std::string code;
};

struct verify_settings {
  std::string time_zone;  ///< Resolved name.
  std::uint64_t memory_bytes = std::uint64_t{160} << 20;
  std::string folder;  ///< Exists; for files that are needed meanwhile.
  run_id run;          ///< By which its connections call themselves.
  verify_scope scope = verify_scope::automatic;
  std::vector<std::string>
      key;  ///< Columns of the destination by which a record is known; empty: its own key.
  std::uint64_t differences_max = 100;  ///< So many are named.
  std::optional<written_by_run> before;
  /// The run's own comparison: where the destination is as it has written it, the source is not read again.
  bool trusts_run = false;
  /// The run folder in which that run has kept the rows that it wrote (written_rows.h); empty: none.
  std::string written_in;
  /// Tells the records that run has refused, one by one: however many they are, none is held.
  std::function<void(const std::function<void(const refused_record&)>& each)> refused;
  bool plan_only = false;   ///< No record is read.
  bool reads_back = false;  ///< Both ends are read, also where the databases can compute the sums.
  std::uint32_t retries_max = retries_max_default;
  decltype(run_settings::resolve_secret) resolve_secret = plain_secret;
  decltype(run_settings::guard) guard = nullptr;
  stop_signal stop_now;
};

/// A record that is not the same at both ends.
struct verify_difference {
  enum class kind { missing, extra, different };
  struct value {
    std::string column;
    std::optional<std::string> source, destination;  ///< Nothing: NULL. Of long ones a part.
  };
  kind what = kind::missing;
  std::string record;                                     ///< `id=5`, or all its values where it has no key.
  std::vector<value> values;                              ///< Of `different`: those that differ.
  std::uint64_t source_times = 1, destination_times = 1;  ///< How often it is there.
  std::string refused_as = {};  ///< The code with which the run before has refused it; empty: it has not.
};

/// What is known of one side.
struct verified_side {
  std::string name;
  std::uint64_t records = 0;
  row_sum sum;
  std::uint64_t refused = 0;  ///< That do not fit the destination's columns, and are not compared.
  /// That were read, where all or some were; what differs is then read twice more.
  std::uint64_t read = 0;
};

/// Ranges of the key whose sums the databases have computed.
struct verified_ranges {
  std::string by;               ///< The column; empty: none are asked for.
  std::string why_none;         ///< Then, where sums are computed.
  std::uint64_t compared = 0;   ///< Of all questions, and
  std::uint64_t different = 0;  ///< of these, so many whose records were read; 0: all records were, or none.
};

struct verify_report {
  enum class verdict {
    equal,
    /// The destination is as the run before has written it: what differs that run has refused, or the source
    /// has changed since.
    equal_to_run,
    /// All that differs was refused by the run before, or does not fit the destination's columns.
    equal_but_refused,
    different,
    planned,  ///< `plan_only`.
    failed,
  };
  verdict what = verdict::failed;
  std::optional<error> failure;
  bool wrong_job = false;  ///< The job's text alone shows the failure.
  verify_scope scope = verify_scope::whole;
  std::string proves;              ///< What an equality would prove, in a sentence.
  std::vector<std::string> notes;  ///< What it does not, and why.
  std::string key;                 ///< `id, day`; empty: the records have none.
  std::string form;                ///< Of the sums.
  std::string sums_by;             ///< Where they are computed, and why there: `read back, because …`.
  verified_ranges ranges;
  verified_side source, destination;
  std::optional<std::uint64_t> others;  ///< Rows at the destination that are none of the source's.
  std::uint64_t missing = 0, extra = 0, different = 0;
  /// Differ because the source was changed since the run, by what that has written; in none of the three.
  std::uint64_t changed_since = 0;
  /// So many records that the run has written do not stand at the destination any more; nothing: not known.
  std::optional<std::uint64_t> gone;
  /// Whether the source has just the records that the run has read; nothing: not known.
  std::optional<bool> source_as_read;
  bool counted_all = true;  ///< False: it stopped at `differences_max`, and there are at least so many.
  std::vector<verify_difference> differences;
  std::optional<written_by_run> before;
};

/// Told what happens; never throws. Calls come from several threads, one at a time.
class verify_observer {
 public:
  virtual ~verify_observer() = default;
  /// Before any record is read: scope, what it proves, notes.
  virtual void planned(const verify_report& so_far) = 0;
  virtual void notice(notice_level level, const std::string& line) = 0;
  /// `doing`: `reading the source`.
  virtual void progress(const std::string& doing, const progress_snapshot& now) = 0;
};

/// Compares what the job reads with what stands where it writes; changes nothing at either. Blocks; never
/// throws.
verify_report verify_job(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                         const verify_settings& settings, verify_observer& observer, const stop_signal& stop);

}  // namespace sluice
