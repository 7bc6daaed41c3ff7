#include "plugins/common/files/file_list.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "transport/base/text.h"
#include "transport/base/utf8_names.h"

namespace sluice {

bool is_pattern(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

result<std::vector<std::string>> files_matching(const std::string& path) {
  struct stat status {};
  // A file whose own name has such characters is meant as it is written.
  if (!is_pattern(path) || ::stat(path.c_str(), &status) == 0) {
    return std::vector<std::string>{path};
  }
  const std::size_t slash = path.rfind('/', path.find_first_of("*?["));
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::stat(folder.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return fail(error_kind::bad_option,
                "there is no folder {}, so that no file matches {}; correct the path.", in_quotes(folder),
                in_quotes(path));
  }
  const utf8_names names;
  glob_t found{};
  const int code = ::glob(path.c_str(), GLOB_ERR | GLOB_NOSORT | GLOB_MARK, nullptr, &found);
  const int cause = errno;
  std::vector<std::string> files;
  if (code == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      if (std::string name = found.gl_pathv[i]; !name.ends_with('/')) {
        files.push_back(std::move(name));
      }
    }
  }
  ::globfree(&found);
  if (code == GLOB_NOSPACE) {
    return fail(error_kind::no_room, "There is no memory to list {}.", in_quotes(path));
  }
  if (code == GLOB_ABORTED) {
    return fail(error_kind::denied, "A folder of {} cannot be listed ({}); grant read permission.",
                in_quotes(path), std::generic_category().message(cause));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<file_pattern> pattern_of(const std::string& path) {
  if (!is_pattern(path)) {
    return std::nullopt;
  }
  const std::size_t slash = path.rfind('/');
  const bool has_folder = slash != std::string::npos;
  file_pattern pattern{path, has_folder ? path.substr(slash + 1) : path, {}};
  const std::string folder = !has_folder ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const utf8_names names;
  glob_t found{};
  // A folder's name without such characters is found as itself.
  if (::glob(folder.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      if (auto use = file_use_of(found.gl_pathv[i])) {
        pattern.folders.push_back(std::move(*use));
      }
    }
  }
  ::globfree(&found);
  return pattern;
}

}  // namespace sluice
