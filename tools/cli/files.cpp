#include "tools/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "transport/base/text.h"

namespace sluice {
namespace {

/// Closes a descriptor at the end of its scope.
struct open_file {
  int fd = -1;
  explicit open_file(int f) : fd(f) {}
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  ~open_file() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail(kind_of_errno(errno), "{} cannot be written: {}", in_quotes(path), std::strerror(errno));
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// The open descriptor that a name such as `/dev/stdout` or `/dev/fd/3` stands for. Opened anew it would
/// begin at the start of a file that others write to as well, and a rename would take that file away under
/// them.
std::optional<int> descriptor_of(std::string_view path) {
  if (path == "/dev/stdout") {
    return STDOUT_FILENO;
  }
  if (path == "/dev/stderr") {
    return STDERR_FILENO;
  }
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    int fd = 0;
    const std::string_view number = path.substr(std::min(folder.size(), path.size()));
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), fd);
    if (path.starts_with(folder) && failed == std::errc() && end == number.data() + number.size()) {
      return fd;
    }
  }
  return std::nullopt;
}

/// Into a device or a pipe, as it is. A pipe nobody reads is refused: the end of a run waits for no reader.
result<void> write_into(const std::string& path, std::string_view text) {
  const open_file file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.fd < 0) {
    return fail(kind_of_errno(errno), "{} cannot be written: {}", in_quotes(path), std::strerror(errno));
  }
  ::fcntl(file.fd, F_SETFL, ::fcntl(file.fd, F_GETFL) & ~O_NONBLOCK);
  return write_all(file.fd, text, path);
}

}  // namespace

error_kind kind_of_errno(int number) {
  return number == ENOSPC || number == EDQUOT || number == EFBIG ? error_kind::no_room : error_kind::denied;
}

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const open_file file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) {
    return fail(error_kind::denied, "{} cannot be read: {}", in_quotes(path), std::strerror(errno));
  }
  std::string text;
  char block[4096];
  while (text.size() < bytes_max) {
    const ssize_t n = ::read(file.fd, block, std::min(sizeof block, bytes_max - text.size()));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail(error_kind::denied, "{} cannot be read: {}", in_quotes(path), std::strerror(errno));
    }
    if (n == 0) {
      break;
    }
    text.append(block, static_cast<std::size_t>(n));
  }
  return text;
}

result<void> write_file_whole(const std::string& path, std::string_view text, unsigned mode) {
  if (const auto fd = descriptor_of(path)) {
    return write_all(*fd, text, path);
  }
  struct stat seen {};
  if (::stat(path.c_str(), &seen) == 0 && !S_ISREG(seen.st_mode)) {
    return write_into(path, text);
  }
  std::filesystem::path whole = path;
  std::error_code unreadable;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(whole, unreadable); ++links) {
    whole = whole.parent_path() / std::filesystem::read_symlink(whole, unreadable);
  }
  // A leading dot keeps half a file out of globs; the pid keeps two processes apart.
  const std::string temporary =
      (whole.parent_path() / fmt::format(".{}.{}.tmp", whole.filename().string(), ::getpid())).string();
  const open_file file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.fd < 0) {
    return fail(kind_of_errno(errno), "{} cannot be written: {}", in_quotes(path), std::strerror(errno));
  }
  auto written = write_all(file.fd, text, path);
  if (written && ::rename(temporary.c_str(), whole.c_str()) != 0) {
    written = fail(kind_of_errno(errno), "{} cannot be written: {}", in_quotes(path), std::strerror(errno));
  }
  if (!written) {
    ::unlink(temporary.c_str());
  }
  return written;
}

result<void> make_private_folder(const std::string& path) {
  // A run beside this one that cleans up removes empty folders: from the beginning then.
  constexpr int tries_max = 100;
  int tries = 1;
  const std::filesystem::path whole(path);
  std::filesystem::path so_far;
  for (auto part = whole.begin(); part != whole.end(); ++part) {
    so_far /= *part;
    if (so_far.empty() || ::mkdir(so_far.c_str(), 0700) == 0 || errno == EEXIST) {
      continue;
    }
    const int problem = errno;
    if (problem == ENOENT && tries++ < tries_max) {
      part = whole.begin();
      so_far = *part;
      continue;
    }
    struct stat seen {};
    // A parent in a file system that is read-only or not ours still serves, as long as it exists.
    if (::stat(so_far.c_str(), &seen) != 0 || !S_ISDIR(seen.st_mode)) {
      return fail(kind_of_errno(problem), "the folder {} cannot be made: {}", in_quotes(so_far.string()),
                  std::strerror(problem));
    }
  }
  struct stat seen {};
  if (::stat(path.c_str(), &seen) != 0 || !S_ISDIR(seen.st_mode)) {
    return fail(error_kind::denied, "{} is not a folder", in_quotes(path));
  }
  return {};
}

}  // namespace sluice
