#include "tools/cli/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tools/cli/files.h"
#include "tools/cli/stored_command.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr const char* unfinished_name = "unfinished";
constexpr const char* marks_name = "marks";
constexpr std::size_t marks_bytes_max = 4096;
constexpr const char* begun_name = "begun";
constexpr const char* taken_over_name = "taken_over";
constexpr const char* committed_name = "committed";
constexpr std::size_t committed_bytes_max = 4096;

/// A run is taken over by people, who give up sooner.
constexpr int takeovers_followed_max = 1000;

/// Somebody who looks whether the run is alive, or cleans up, has the lock for less.
constexpr std::chrono::milliseconds look_max{1000};
constexpr std::chrono::milliseconds look_again{20};

/// Which process has the lock, for people. A lock without it is as good.
void sign_lock(int fd) {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) {
    host[0] = '\0';
  }
  const std::string text = fmt::format("{} on {}\n", ::getpid(), host[0] == '\0' ? "this host" : host);
  if (::ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const auto written = ::pwrite(fd, text.data(), text.size(), 0);
  }
}

}  // namespace

std::string runs_folder(const std::string& state_directory) {
  std::error_code problem;
  const std::string absolute = std::filesystem::absolute(state_directory, problem).string();
  return (problem ? state_directory : absolute) + "/runs";
}

run_id new_run_id(std::uint64_t unix_ms) {
  std::uint64_t random[2] = {unix_ms, static_cast<std::uint64_t>(::getpid())};
  // Fails only on kernels without the call; then time and pid still tell runs apart.
  [[maybe_unused]] const auto n = ::getrandom(random, sizeof random, 0);
  return run_id::make(unix_ms, random[0], random[1]);
}

std::uint64_t begun_unix_ms(const run_id& run) {
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    ms = ms << 8 | run.bytes[i];
  }
  return ms;
}

std::string job_folder_name(std::string_view job_name) {
  static constexpr std::size_t bytes_max = 100;
  std::string out;
  for (const char c : job_name) {
    const bool odd = static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/';
    out += odd || (out.empty() && c == '.') ? '_' : c;
  }
  if (out.size() > bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) {
      --end;
    }
    out.resize(end);
  }
  return out.empty() ? "_" : out;
}

int lock_run_folder(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return -1;
  }
  struct stat held {};
  struct stat named {};
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    // Retention may have removed the folder between open and flock: then the lock is on a file nobody sees.
    if (::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino) {
      return fd;
    }
    errno = ENOENT;
  }
  const int problem = errno;
  ::close(fd);
  errno = problem;
  return -1;
}

bool run_is_alive(const std::string& folder) {
  const int fd = ::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return false;
  }
  const bool alive = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return alive;
}

result<std::unique_ptr<run_folder>> run_folder::open(const std::string& state_directory,
                                                     std::string_view job_name, const run_id& run) {
  return open_at(
      fmt::format("{}/{}/{}", runs_folder(state_directory), job_folder_name(job_name), run.text()));
}

result<std::unique_ptr<run_folder>> run_folder::open_earlier(const std::string& state_directory,
                                                             std::string_view job_name, const run_id& run) {
  if (const auto found = find(state_directory, run)) {
    return open_at(*found);
  }
  return open(state_directory, job_name, run);
}

std::optional<std::string> run_folder::find(const std::string& state_directory, const run_id& run) {
  std::error_code problem;
  for (std::filesystem::directory_iterator at(runs_folder(state_directory), problem), end;
       !problem && at != end; at.increment(problem)) {
    std::error_code ignored;
    const std::filesystem::path folder = at->path() / run.text();
    if (std::filesystem::is_directory(folder, ignored)) {
      std::string found = folder.string();
      for (int i = 0; i < takeovers_followed_max; ++i) {
        auto next = taken_over_to(found);
        if (!next) {
          break;
        }
        found = std::move(*next);
      }
      return found;
    }
  }
  return std::nullopt;
}

std::optional<std::string> taken_over_to(const std::string& folder) {
  namespace fs = std::filesystem;
  const auto where = read_file(folder + "/" + taken_over_name, 4096);
  if (!where) {
    return std::nullopt;
  }
  const fs::path to = fs::path(folder).parent_path().parent_path() / *where;
  std::error_code ignored;
  return fs::is_directory(to, ignored) ? std::optional(to.string()) : std::nullopt;
}

result<void> run_folder::take_over_from(const std::string& older) const {
  namespace fs = std::filesystem;
  // What that process publishes meanwhile goes from the second to the first: it is then in both, which is
  // seen.
  for (const char* name : {"dirty.pending", "dirty.jsonl"}) {
    std::error_code problem;
    const fs::path from = fs::path(older) / name;
    if (fs::exists(from, problem)) {
      fs::copy(from, file(name), fs::copy_options::recursive | fs::copy_options::overwrite_existing, problem);
    }
    if (problem) {
      return fail(kind_of_errno(problem.value()), "{} cannot be copied to {}: {}", in_quotes(from.string()),
                  in_quotes(path_), problem.message());
    }
  }
  const fs::path mine(path_);
  return write_file_whole(older + "/" + taken_over_name,
                          (mine.parent_path().filename() / mine.filename()).string(), 0600);
}

void run_folder::forget(const std::string& state_directory, const run_id& run) {
  if (const auto found = find(state_directory, run)) {
    ::unlink((*found + "/" + unfinished_name).c_str());
  }
}

result<std::unique_ptr<run_folder>> run_folder::open_at(const std::string& path) {
  SLUICE_CHECK(make_private_folder(path));
  const auto end = std::chrono::steady_clock::now() + look_max;
  int fd = lock_run_folder(path);
  while (fd < 0 && errno == EWOULDBLOCK && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(look_again);
    fd = lock_run_folder(path);
  }
  if (fd >= 0) {
    sign_lock(fd);
    std::unique_ptr<run_folder> opened(new run_folder(path, fd));
    ::rename(opened->file("summary.json").c_str(), opened->file("summary.before.json").c_str());
    return opened;
  }
  if (errno == EWOULDBLOCK) {
    return fail(error_kind::busy,
                "the run folder {} is in use: another process runs this run; wait for it or stop it",
                in_quotes(path));
  }
  return fail(kind_of_errno(errno), "the run folder {} cannot be written: {}", in_quotes(path),
              std::strerror(errno));
}

run_folder::~run_folder() {
  ::close(lock_fd_);
}

result<void> run_folder::write(std::string_view name, std::string_view text) const {
  return write_file_whole(file(name), text, 0600);
}

result<void> run_folder::mark_unfinished(std::string_view instance, std::string_view marks) const {
  SLUICE_CHECK(write(marks_name, marks));
  return write(unfinished_name, instance);
}

std::optional<run_folder::unfinished_run> run_folder::last_unfinished_of_others(
    std::string_view instance) const {
  const std::vector<std::string> all = others_with(unfinished_name, instance);
  const auto last = std::max_element(all.begin(), all.end());  // a run's id begins with its time
  if (last == all.end()) {
    return std::nullopt;
  }
  return unfinished_run{*last, read_file(*last + "/" + marks_name, marks_bytes_max).value_or("")};
}

result<void> run_folder::keep_committed(const committed_record& what) const {
  const nlohmann::ordered_json text = {
      {"rows", what.rows}, {"repeated", what.repeated}, {"repeated_at_most", what.repeated_at_most}};
  return write(committed_name, text.dump() + "\n");
}

committed_record committed_in(const std::string& folder) {
  const auto text = read_file(folder + "/" + committed_name, committed_bytes_max);
  const auto kept = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
  committed_record found;
  if (kept.is_object()) {
    for (const auto& [name, to] : {std::pair{"rows", &found.rows}, {"repeated", &found.repeated}}) {
      const auto at = kept.find(name);
      *to = at != kept.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
    }
    found.repeated_at_most = kept.value("repeated_at_most", nlohmann::json()) == nlohmann::json(true);
  }
  return found;
}

std::optional<run_folder::left_run> run_folder::left_by_others(std::string_view instance) const {
  std::vector<std::string> all = others_with(unfinished_name, instance);
  for (std::string& begun : others_with(begun_name, instance)) {
    all.push_back(std::move(begun));
  }
  std::sort(all.begin(), all.end(), std::greater<>());  // a run's id begins with its time
  for (const std::string& folder : all) {
    const committed_record has = committed_in(folder);
    if (has.rows + has.repeated == 0 || taken_over_to(folder) || run_is_alive(folder)) {
      continue;
    }
    // One that was taken over goes on in a folder of another id.
    const auto kept = read_stored_command(folder);
    auto run = run_id::parse(kept ? kept->run : "");
    run = run ? run : run_id::parse(std::filesystem::path(folder).filename().string());
    if (run) {
      struct stat seen {};
      const bool dated = ::stat((folder + "/" + committed_name).c_str(), &seen) == 0;
      return left_run{*run, has.rows + has.repeated,
                      dated ? static_cast<std::uint64_t>(seen.st_mtim.tv_sec) * 1000 : 0};
    }
  }
  return std::nullopt;
}

void run_folder::clear_unfinished() const {
  ::unlink(file(unfinished_name).c_str());
}

std::vector<std::string> run_folder::others_with(const char* name, std::string_view text) const {
  std::vector<std::string> found;
  std::error_code problem;
  const std::filesystem::path mine(path_);
  for (std::filesystem::directory_iterator at(mine.parent_path(), problem), end; !problem && at != end;
       at.increment(problem)) {
    if (at->path() == mine) {
      continue;
    }
    if (const auto held = read_file((at->path() / name).string(), 256); held && *held == text) {
      found.push_back(at->path().string());
    }
  }
  return found;
}

void run_folder::clear_unfinished_of_others(std::string_view instance) const {
  for (const std::string& folder : others_with(unfinished_name, instance)) {
    ::unlink((folder + "/" + unfinished_name).c_str());
  }
}

result<void> run_folder::mark_begun(std::string_view instance) const {
  return write(begun_name, instance);
}

void run_folder::clear_begun() const {
  ::unlink(file(begun_name).c_str());
}

std::optional<std::string> run_folder::begun_by_others(std::string_view instance) const {
  for (const std::string& folder : others_with(begun_name, instance)) {
    if (const int fd = lock_run_folder(folder); fd >= 0) {
      ::close(fd);
      return folder;
    }
  }
  return std::nullopt;
}

void run_folder::clear_begun_of_others(std::string_view instance) const {
  for (const std::string& folder : others_with(begun_name, instance)) {
    if (const int fd = lock_run_folder(folder); fd >= 0) {
      ::unlink((folder + "/" + begun_name).c_str());
      ::close(fd);
    }
  }
}

void run_folder::remove() const {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sluice
