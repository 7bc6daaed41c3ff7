#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "transport/base/ids.h"
#include "transport/record/dirty.h"

namespace sluice {

/// The version of the form of a line; a change that old readers would misread raises it
/// (docs/dirty-records.md).
inline constexpr int dirty_line_version = 1;

/// A record with more text than this, its refused value counted too, is cut to `dirty_text_kept`.
inline constexpr std::size_t dirty_text_max = std::size_t{1} << 20;
inline constexpr std::size_t dirty_text_kept = std::size_t{64} << 10;

/// The members of a line that are the same for all records of a run, put together once for
/// `append_dirty_line`.
std::string dirty_line_run_members(const run_id& run, std::string_view job);

/// Appends `record` to `out` as one line of docs/dirty-records.md, newline included. `run_members` is from
/// `dirty_line_run_members`; `time` is RFC 3339 text. Text that is not well-formed UTF-8 stands there as
/// base64, so nothing is lost.
void append_dirty_line(std::string_view run_members, split_index split, std::string_view time,
                       const dirty_record& record, std::string& out);

/// The first bytes of a line are of this form, and `dirty_line_head_max` of them hold it whole.
struct dirty_line_head {
  int version = 0;
  split_index split;
  std::uint64_t position = 0;
  std::string_view code;  ///< Of the bytes given. Empty in lines of programs that wrote it further behind.
};
inline constexpr std::size_t dirty_line_head_max = 256;

/// Reads version, split, position and code from the first bytes of a line; nothing where it is not such a
/// line.
std::optional<dirty_line_head> parse_dirty_line_head(std::string_view head);

}  // namespace sluice
