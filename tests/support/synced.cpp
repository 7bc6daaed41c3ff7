#include "tests/support/synced.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <mutex>

namespace sluice::testing {
namespace {

struct noted {
  std::mutex mutex;
  std::vector<std::string> paths;
};
noted& all() {
  static noted& paths = *new noted;  // whatever ends last may still sync
  return paths;
}

void note(int fd) {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  const std::lock_guard lock(all().mutex);
  all().paths.emplace_back(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
}

}  // namespace

std::vector<std::string> synced() {
  const std::lock_guard lock(all().mutex);
  return all().paths;
}

}  // namespace sluice::testing

extern "C" {

int fsync(int fd) {
  sluice::testing::note(fd);
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
  sluice::testing::note(fd);
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
}
