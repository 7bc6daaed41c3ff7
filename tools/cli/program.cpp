#include "tools/cli/program.h"

#include <unistd.h>

#include <cerrno>

namespace sluice {

void write_out(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0 && errno != EINTR) {
      return;
    }
    text.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

}  // namespace sluice
