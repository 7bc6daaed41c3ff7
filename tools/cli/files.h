#pragma once

#include <string>
#include <string_view>

#include "transport/base/result.h"

namespace sluice {

/// The whole content, at most `bytes_max` of it; `denied` with the path where it cannot be read.
result<std::string> read_file(const std::string& path, std::size_t bytes_max = std::size_t{1} << 20);

/// Replaces `path` as a whole: a temporary beside it, then rename. Whoever reads it sees the old text or the
/// new one. A symbolic link stays, what it points to is replaced; what is no file (a device, a pipe that
/// is being read) is written into, and so is `/dev/stdout` and its like, whatever it leads to. Not synced:
/// these files describe a run, they do not carry its promise. `no_room` or `denied` with the path; the
/// temporary is removed then.
result<void> write_file_whole(const std::string& path, std::string_view text, unsigned mode);

/// Makes the folder and its parents, new ones with mode 0700. `no_room` or `denied` with the path.
result<void> make_private_folder(const std::string& path);

/// What a failed file call with this `errno` means: `no_room` for a full disk or quota, else `denied`.
error_kind kind_of_errno(int number);

}  // namespace sluice
