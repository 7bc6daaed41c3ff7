#include "plugins/api/file_use.h"

#include <sys/stat.h>

#include <utility>

namespace sluice {

std::optional<file_use> file_use_of(const std::string& path, file_use::kind as, std::string change) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return std::nullopt;
  }
  return file_use{path, static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino),
                  as, std::move(change)};
}

}  // namespace sluice
