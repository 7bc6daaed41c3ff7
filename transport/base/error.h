#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// The closed list of what can go wrong; each kind has one reaction of the engine (DESIGN section 8).
/// The numbers are written to the wire and to state files and are never reused.
enum class error_kind : std::uint8_t {
  bad_option = 1,      ///< The job is wrong; fails before data moves.
  denied = 2,          ///< Credentials or rights; fails, no retry.
  not_supported = 3,   ///< Asked beyond declared capabilities; fails with the plan.
  not_connected = 4,   ///< Link or server lost; reconnect and open the split again at its mark.
  busy = 5,            ///< The system asks for less or rolled us back; wait, rewind to the mark.
  bad_row = 6,         ///< One record refused; goes to the error actor, the run goes on.
  source_changed = 7,  ///< Table, file or plan is not what it was, or data is damaged; fails, resumable.
  no_room = 8,         ///< Disk, quota or memory used up; fails, resumable.
  over_limit = 9,      ///< errorLimit, an expectation, the account or verify; fails the run.
  conflict = 10,       ///< A newer epoch owns this split; stops this pipeline quietly.
  cancelled = 11,      ///< Stop requested; unwinds quietly.
  internal = 12,       ///< An invariant broke: our mistake, reported as such.
};

/// The kind's name as it appears in summaries and logs, such as `bad_option`.
std::string_view to_string(error_kind kind);

/// A failure. `message` is one or two sentences that name the place (job path, split, file and row), the
/// value found, what was expected and what to do; it holds no secret and no unescaped value (see `quoted`).
struct error {
  error_kind kind = error_kind::internal;
  std::string message;
  /// Stable short name of the cause for programs and grouping, such as `SQLITE_FULL`; may be empty.
  std::string code;
  /// The plugin has already waited or tried as long as its options allow: the engine does not try again.
  bool final = false;
};

}  // namespace sluice
