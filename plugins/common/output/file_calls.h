#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/base/result.h"

/// Calls of the file system with our errors: a full disk or quota is `no_room`, a missing right or a
/// read-only file system `denied`, a missing or wrong path `bad_option`, anything else (a lost network disk,
/// a failing one) `not_connected`; the code is the name of errno, such as `ENOSPC`.
namespace sluice {

/// The failure `code` (errno) of `doing` ("write", "rename") on `path`, with what to do about it.
error file_error(int code, std::string_view doing, std::string_view path);

/// Renames within a file system, replacing what is there.
result<void> rename_file(const std::string& from, const std::string& to);

/// Removes a file; one that does not exist is a success.
result<void> remove_file(const std::string& path);

/// Makes renames and removals in the folder durable.
result<void> sync_folder(const std::string& folder);

/// The names (not paths) of regular files in `folder` that begin with `prefix`, sorted.
result<std::vector<std::string>> files_with_prefix(const std::string& folder, std::string_view prefix);

/// `denied` or `bad_option` unless `folder` is a folder in which this process may make files.
result<void> check_folder_writable(const std::string& folder);

}  // namespace sluice
