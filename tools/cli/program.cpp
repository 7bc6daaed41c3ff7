#include "tools/cli/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice {

int write_out(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0 && errno != EINTR) {
      return n < 0 ? errno : EIO;
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  return 0;
}

void print_out(const program& parts, std::string_view text) {
  const int problem = write_out(parts.out_fd, text);
  if (problem != 0 && !parts.out_failed->exchange(true) && problem != EPIPE) {
    write_out(parts.err_fd,
              fmt::format("sluice: standard output cannot be written: {}\n", std::strerror(problem)));
  }
}

}  // namespace sluice
