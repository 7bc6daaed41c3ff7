#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "actors/protocol/control.h"
#include "actors/protocol/rows_beside.h"
#include "transport/flow/backoff.h"
#include "transport/record/dirty.h"
#include "transport/record/mark.h"

namespace sluice {

// ---- the ends to the supervisor: answers to its commands --------------------------------------------------

struct source_opened {
  source_description what;
};
struct source_taken_up {
  std::vector<std::string> bound_by;  ///< Of each split, as the source says.
};
struct source_planned {
  std::vector<split> splits;
  std::vector<std::string> bound_by;
};
struct readers_made {
  std::vector<std::shared_ptr<reader>> readers;
  schema_ptr own = {};  ///< What their batches have where columns travel in their product's own bytes.
};
struct source_checked {};

struct target_opened {
  target_description what;
  bool has_store = false;
  /// Neither a table nor a file to write to was found: no row of an earlier run stands. True as well where a
  /// server cannot tell its tables apart (`target::tables_used`).
  bool is_new = false;
  std::string tables;
  std::vector<std::string> tables_sql;  ///< What makes those.
  std::vector<run_row> runs;            ///< Newest first.
  std::vector<target_step> before;
  std::vector<target_step> after;
};
struct target_taken {
  std::vector<run_row> runs;  ///< As in `target_opened`.
};
struct target_loaded {
  std::vector<progress_row> rows;
};
struct target_claimed {
  std::uint16_t term = 1;
};
struct target_ready {
  target_description what;
};
struct writers_made {
  std::vector<std::shared_ptr<writer>> writers;
};
struct target_finished {};
struct target_released {};
struct target_renewed {
  std::optional<error> failure;  ///< `conflict`: somebody else has the claim.
};
/// A command failed. `doing` says what in words: `preSql[1]`.
struct end_failed {
  bool source = false;
  std::string doing;
  error why;
};
using end_answer = std::variant<source_opened, source_planned, source_taken_up, readers_made, source_checked,
                                target_opened, target_taken, target_loaded, target_claimed, target_ready,
                                writers_made, target_finished, target_released, target_renewed, end_failed>;

// ---- a pipeline's actors to the supervisor ----------------------------------------------------------------

/// The first batch of a split is in hand.
struct reader_primed {
  std::uint64_t records = 0;
  std::uint64_t dirty = 0;  ///< Of those, refused by the reader.
  bool complete = false;    ///< It is the last one, too.
};
struct reader_failed {
  std::uint32_t pipeline = 0;
  split_index split;
  epoch_number epoch;
  error why;
};
struct split_opened {
  std::uint32_t pipeline = 0;
  mark at;
  rows_beside more;  ///< As `writer_out` tells.
};
struct split_wrote {
  std::uint32_t pipeline = 0;
  split_index split;
  record_counts delta;
};
struct split_committed {
  std::uint32_t pipeline = 0;
  mark at;
  rows_beside more;  ///< As `writer_out` tells.
};
struct split_rewound {
  std::uint32_t pipeline = 0;
  split_index split;
  error why;
  std::optional<dirty_side> end;  ///< As in `split_failed`.
  retry_try next;
};
struct split_failed {
  std::uint32_t pipeline = 0;
  split_index split;
  error why;
  std::optional<dirty_side> end;  ///< Whose failure it is; nothing: neither end's (the dirty file, the link).
};
struct writer_stopped {
  std::uint32_t pipeline = 0;
};

// ---- the error actor to the supervisor
// ---------------------------------------------------------------------

/// One of the first dirty records, for the log.
struct dirty_seen {
  dirty_record record;
  split_index split;
};
/// errorLimit is crossed, or dirty records cannot be kept: the run fails.
struct run_must_fail {
  error why;
};
/// All is durable or failed; what was counted.
struct error_sealed {
  std::optional<error> failure;  ///< Of the dirty file.
  std::optional<error> limit;    ///< errorLimit as only the end can judge it.
  std::uint64_t dirty = 0;
  std::uint64_t missing = 0;
  std::map<std::string, std::uint64_t> by_code;
  std::map<std::string, std::uint64_t> above_marks;  ///< By code.
  std::string only_reason;
};
/// Supervisor to error actor: the end; `records_read` is what percentage is judged by.
struct error_seal {
  std::uint64_t records_read = 0;
  /// The data is complete, and marks cover this many dirty records: once all of them are published the file
  /// is sealed. Nothing: only the counts are asked for.
  std::optional<std::uint64_t> dirty_complete;
};

// ---- the program to the supervisor
// ----------------------------------------------------------------------------

struct start_run {};
/// An orderly stop: `why` says what asked for it (a signal, --max-duration).
struct stop_request {
  error why;
};

}  // namespace sluice

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::end_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::reader_primed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::reader_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::split_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::split_wrote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::split_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::split_rewound)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::split_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::writer_stopped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::dirty_seen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::run_must_fail)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::error_sealed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::error_seal)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::start_run)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::stop_request)
