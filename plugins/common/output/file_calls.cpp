#include "plugins/common/output/file_calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "transport/base/text.h"

// <filesystem> brings std::quoted, so ours is called with its namespace.
namespace sluice {
namespace {

struct reaction {
  error_kind kind;
  std::string_view advice;
};

reaction reaction_to(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {error_kind::no_room, "Make room there and run the job again."};
    case EACCES:
    case EPERM:
    case EROFS:
      return {error_kind::denied, "Give this user the right to write there, or choose another path."};
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return {error_kind::bad_option, "Mend the path in the job."};
    default:
      return {error_kind::not_connected, "Check the disk or the network file system behind it."};
  }
}

}  // namespace

error file_error(int code, std::string_view doing, std::string_view path) {
  const reaction r = reaction_to(code);
  // strerrorname_np is glibc's; its names are the same in every locale, unlike strerror's texts.
  const char* name = strerrorname_np(code);
  return {r.kind,
          fmt::format("Cannot {} {}: {}. {}", doing, in_quotes(path), std::generic_category().message(code),
                      r.advice),
          name == nullptr ? std::to_string(code) : name, false};
}

result<void> rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return fail(file_error(errno, fmt::format("rename {} to", in_quotes(from)), to));
  }
  return {};
}

result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(file_error(errno, "remove", path));
  }
  return {};
}

result<void> sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return fail(file_error(errno, "open the folder", folder));
  }
  const int failed = ::fsync(fd) != 0 ? errno : 0;
  ::close(fd);
  // Some file systems cannot sync a folder (EINVAL): there is nothing more to do then.
  return failed == 0 || failed == EINVAL ? result<void>()
                                         : fail(file_error(failed, "sync the folder", folder));
}

result<std::vector<std::string>> files_with_prefix(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  for (const std::filesystem::directory_iterator end; !failed && at != end; at.increment(failed)) {
    const std::string name = at->path().filename().string();
    std::error_code unknown;
    if (name.starts_with(prefix) && at->is_regular_file(unknown)) {
      names.push_back(name);
    }
  }
  if (failed) {
    return fail(file_error(failed.value(), "list the folder", folder));
  }
  std::sort(names.begin(), names.end());
  return names;
}

result<void> check_folder_writable(const std::string& folder) {
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0) {
    return fail(file_error(errno, "find the folder", folder));
  }
  if (!S_ISDIR(found.st_mode)) {
    return fail(file_error(ENOTDIR, "write into", folder));
  }
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return fail(file_error(errno, "write into the folder", folder));
  }
  return {};
}

}  // namespace sluice
