#include "plugins/common/output/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "plugins/common/output/file_calls.h"

namespace sluice {
namespace {

// The kernel is told to begin writing this much behind us, so that the sync at the end has little left to
// wait for.
constexpr std::uint64_t writeback_bytes = std::uint64_t{8} << 20;

}  // namespace

result<output_file> output_file::make(std::string path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) {
    return fail(file_error(errno, "make", path));
  }
  return output_file(std::move(path), fd);
}

result<output_file> output_file::go_on(std::string path, std::uint64_t bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(file_error(errno, "open", path));
  }
  output_file file(std::move(path), fd);
  file.kept_ = true;
  const auto at = static_cast<off64_t>(bytes);
  if (::ftruncate64(fd, at) != 0 || ::lseek64(fd, at, SEEK_SET) != at) {
    return fail(file_error(errno, "cut off", file.path_));
  }
  file.bytes_ = file.written_back_ = bytes;
  return file;
}

output_file::output_file(output_file&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      bytes_(other.bytes_),
      written_back_(other.written_back_),
      kept_(other.kept_) {}

output_file& output_file::operator=(output_file&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    fd_ = std::exchange(other.fd_, -1);
    bytes_ = other.bytes_;
    written_back_ = other.written_back_;
    kept_ = other.kept_;
  }
  return *this;
}

output_file::~output_file() {
  discard();
}

void output_file::discard() {
  if (fd_ >= 0) {
    // Only what was made here goes: the path may as well name a device or a pipe.
    struct stat found {};
    const bool is_file = ::fstat(fd_, &found) == 0 && S_ISREG(found.st_mode);
    ::close(std::exchange(fd_, -1));
    if (is_file && !kept_) {
      ::unlink(path_.c_str());
    }
  }
}

result<void> output_file::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail(file_error(errno, "write", path_));
    }
    bytes_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  start_writeback();
  return {};
}

void output_file::start_writeback() {
  if (bytes_ - written_back_ >= writeback_bytes) {
    // Only a hint: a file system without it loses nothing.
    (void)::sync_file_range(fd_, static_cast<off64_t>(written_back_),
                            static_cast<off64_t>(bytes_ - written_back_), SYNC_FILE_RANGE_WRITE);
    written_back_ = bytes_;
  }
}

result<void> output_file::append_file(const std::string& from) {
  const int in = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) {
    return fail(file_error(errno, "open", from));
  }
  int failed = 0;
  std::string piece;
  for (bool in_kernel = true; failed == 0;) {
    ssize_t copied = 0;
    if (in_kernel) {
      copied = ::copy_file_range(in, nullptr, fd_, nullptr, std::size_t{1} << 30, 0);
      if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
        in_kernel = false;  // Not between these file systems: by hand then.
        continue;
      }
    } else {
      piece.resize(std::size_t{1} << 20);
      copied = ::read(in, piece.data(), piece.size());
    }
    if (copied < 0 && errno != EINTR) {
      failed = errno;
    }
    if (copied == 0) {
      break;
    }
    if (copied > 0 && in_kernel) {
      bytes_ += static_cast<std::uint64_t>(copied);
    } else if (copied > 0) {
      if (auto done = write(std::string_view(piece).substr(0, static_cast<std::size_t>(copied))); !done) {
        ::close(in);
        return done;
      }
    }
  }
  ::close(in);
  return failed == 0 ? result<void>() : fail(file_error(failed, "append to", path_));
}

result<void> output_file::sync() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) {  // A pipe or a device has nothing to sync.
    return fail(file_error(errno, "sync", path_));
  }
  return {};
}

result<void> output_file::close() {
  SLUICE_CHECK(sync());
  if (::close(std::exchange(fd_, -1)) != 0) {
    return fail(file_error(errno, "close", path_));
  }
  return {};
}

}  // namespace sluice
