#include "tools/cli/job_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "jobspec/loose_json.h"

namespace sluice {
namespace {

/// All of the descriptor; one piece too many is enough to see a job too large.
result<std::string> read_all(int fd) {
  std::string text;
  std::vector<char> piece(std::size_t{64} << 10);
  while (text.size() <= job_bytes_max) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return fail(error_kind::bad_option, "standard input: reading failed: {}", std::strerror(errno));
    }
    if (n == 0) {
      break;
    }
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

std::string job_name_of_file(const std::string& file) {
  return file == standard_input ? "stdin" : std::filesystem::path(file).stem().string();
}

tl::expected<job, job_errors> job_source::load(const std::string& file, const load_options& options,
                                               const plugin_lookup& plugins) {
  if (file != standard_input) {
    return load_job(file, options, plugins);
  }
  if (!input_) {
    auto text = read_all(input_fd_);
    if (!text) {
      return tl::unexpected(job_errors{{text.error().message}});
    }
    input_ = std::move(*text);
  }
  load_options named = options;
  named.name = options.name.value_or(job_name_of_file(file));
  return parse_job("standard input", *input_, named, plugins);
}

}  // namespace sluice
