#include "plugins/common/files/file_handle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "transport/base/process.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

std::string reason(int code) {
  return std::generic_category().message(code);
}

tl::unexpected<error> cannot_open(const std::string& path, int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
      return fail(error_kind::bad_option, "The file {} does not exist{}; check the path.", in_quotes(path),
                  looked_in(path));
    case EACCES:
    case EPERM:
      return fail(error_kind::denied, "The file {} may not be read by this user ({}); grant read permission.",
                  in_quotes(path), reason(code));
    case EMFILE:
    case ENFILE:
      return fail(error_kind::no_room,
                  "The file {} cannot be opened: {}; raise the limit of open files (ulimit -n).",
                  in_quotes(path), reason(code));
    default:
      return fail(error_kind::source_changed, "The file {} cannot be opened: {}.", in_quotes(path),
                  reason(code));
  }
}

}  // namespace

file_handle::file_handle(file_handle&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

file_handle& file_handle::operator=(file_handle&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

file_handle::~file_handle() {
  close();
}

void file_handle::close() {
  if (fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

result<file_handle> file_handle::open(const std::string& path) {
  file_handle file;
  file.path_ = path;
  // O_NONBLOCK: a named pipe must be refused below, not waited for.
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd_ < 0) {
    return cannot_open(path, errno);
  }
  struct stat status {};
  if (::fstat(file.fd_, &status) != 0) {
    return cannot_open(path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    return fail(error_kind::bad_option, "{} is a directory; name its files, such as {}.", in_quotes(path),
                in_quotes(path + "/*.csv"));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(
        error_kind::bad_option,
        "{} is not a regular file (a pipe or a device); copy its content into a file first, because a run "
        "must be able to read it again.",
        in_quotes(path));
  }
  return file;
}

result<file_identity> file_handle::identity() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) {
    return fail(error_kind::source_changed, "The file {} cannot be examined: {}.", in_quotes(path_),
                reason(errno));
  }
  return file_identity{static_cast<std::uint64_t>(status.st_size),
                       std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

result<std::size_t> file_handle::read_at(std::uint64_t offset, char* to, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd_, to + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return fail(error_kind::source_changed,
                  "Reading {} at byte {} failed: {}. Mend the file system and run again.", in_quotes(path_),
                  offset + done, reason(errno));
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace sluice
