#include "plugins/common/output/output_parts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "plugins/api/source.h"
#include "plugins/common/output/file_calls.h"
#include "plugins/common/output/output_file.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

constexpr std::string_view prefix = ".sluice-";
constexpr std::string_view owner_suffix = ".owner";
constexpr std::string_view temporary_suffix = ".tmp";
constexpr std::size_t run_text_size = 36;
constexpr std::size_t owner_bytes_max = 16384;

/// Closes a descriptor at the end of the scope.
struct closing {
  int fd;
  ~closing() {
    if (fd >= 0) {
      ::close(fd);
    }
  }
};

std::string read_all(int fd) {
  std::string text(owner_bytes_max, '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

std::set<std::string> runs_with_temporary_files(const std::string& folder) {
  std::set<std::string> runs;
  std::set<std::string> owned;
  if (auto names = files_with_prefix(folder, prefix)) {
    for (const std::string& name : *names) {
      const std::string run = name.substr(prefix.size(), run_text_size);
      if (name.ends_with(owner_suffix)) {
        owned.insert(run);
      } else if (name.ends_with(temporary_suffix)) {
        runs.insert(run);
      }
    }
  }
  std::erase_if(runs, [&](const std::string& run) { return owned.contains(run); });
  return runs;
}

void remove_temporary_files(const std::string& folder, const std::set<std::string>& runs) {
  auto names = files_with_prefix(folder, prefix);
  if (!names || runs.empty()) {
    return;
  }
  for (const std::string& name : *names) {
    if (name.ends_with(temporary_suffix) && runs.contains(name.substr(prefix.size(), run_text_size))) {
      (void)remove_file(folder + "/" + name);
    }
  }
}

error output_parts::bytes_gone(const std::string& path, std::uint64_t bytes) {
  return {
      error_kind::conflict,
      fmt::format("{} has not all of the {} bytes any more that this run has written into it; put the file "
                  "back as it was, or begin anew with --on-unfinished fresh",
                  in_quotes(path), bytes),
      begin_anew_code, true};
}

output_parts::~output_parts() {
  if (owner_fd_ >= 0) {
    ::close(owner_fd_);
  }
}

result<void> output_parts::prepare(const run_id& run) {
  const std::lock_guard lock(mutex_);
  run_text_ = run.text();
  SLUICE_CHECK(remove_dead_runs());
  return marked_ ? result<void>() : make_owner_file();
}

result<void> output_parts::remove_dead_runs() {
  SLUICE_TRY(const auto names, files_with_prefix(folder_, prefix));
  for (const std::string& name : names) {
    if (!name.ends_with(owner_suffix)) {
      continue;
    }
    const closing owner{::open((folder_ + "/" + name).c_str(), O_RDWR | O_CLOEXEC)};
    // Gone meanwhile, or another user's: not ours to remove.
    if (owner.fd < 0 || read_all(owner.fd) != owner_) {
      continue;
    }
    const std::string run_text =
        name.substr(prefix.size(), name.size() - prefix.size() - owner_suffix.size());
    if (::flock(owner.fd, LOCK_EX | LOCK_NB) != 0) {
      if (run_text == run_text_) {
        continue;
      }
      error busy{error_kind::busy,
                 fmt::format("Run {} of this job still writes into {}; wait for its end, or stop it.",
                             escaped(run_text), in_quotes(folder_)),
                 "output_owned", true};
      return fail(std::move(busy));
    }
    remove_files_of(run_text);
  }
  return {};
}

void output_parts::remove_files_of(const std::string& run_text) {
  remove_temporary_files(folder_, {run_text});
  (void)remove_file(fmt::format("{}/{}{}{}", folder_, prefix, run_text, owner_suffix));
}

result<void> output_parts::make_owner_file() {
  const std::string path = fmt::format("{}/{}{}{}", folder_, prefix, run_text_, owner_suffix);
  if (owner_fd_ >= 0) {
    ::close(owner_fd_);
  }
  owner_fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (owner_fd_ < 0) {
    return fail(file_error(errno, "make", path));
  }
  // A file system without locks only loses the removal of dead files, so a failure is none of the run's.
  (void)::flock(owner_fd_, LOCK_EX | LOCK_NB);
  if (::pwrite(owner_fd_, owner_.data(), owner_.size(), 0) != static_cast<ssize_t>(owner_.size())) {
    return fail(file_error(errno == 0 ? ENOSPC : errno, "write", path));
  }
  return {};
}

result<void> output_parts::begin(split_index split, epoch_number epoch) {
  const std::lock_guard lock(mutex_);
  state& s = splits_[split];
  if (epoch < s.epoch) {
    return fail(error_kind::conflict, "Split {} is written by epoch {} now, not by {}.", split.value,
                s.epoch.value, epoch.value);
  }
  s.epoch = epoch;
  s.held = true;
  for (const std::string& file : std::exchange(s.files, {})) {
    if (!marked_) {
      SLUICE_CHECK(remove_file(file));
    }
  }
  return {};
}

void output_parts::leave(split_index split, epoch_number epoch) {
  const std::lock_guard lock(mutex_);
  state& s = splits_[split];
  s.held = s.held && s.epoch != epoch;
}

result<void> output_parts::take_over(split_index split, const std::string& from, const std::string& to,
                                     std::uint64_t bytes) {
  bool held = false;
  {
    const std::lock_guard lock(mutex_);
    held = splits_[split].held;
  }
  std::error_code failed;
  const std::uintmax_t there = std::filesystem::file_size(from, failed);
  if (failed || there < bytes) {
    return fail(bytes_gone(from, bytes));
  }
  if (!held && ::link(from.c_str(), to.c_str()) == 0) {
    return {};
  }
  // Also where the file system has no links.
  SLUICE_TRY(output_file copy, output_file::make(to));
  SLUICE_CHECK(copy.append_file(from));
  return copy.close();
}

std::string output_parts::path_of(split_index split, epoch_number epoch, std::uint32_t part) const {
  const std::lock_guard lock(mutex_);
  const std::string part_text = part == 0 ? std::string() : fmt::format(".{}", part);
  return fmt::format("{}/{}{}-{}-{}{}.tmp", folder_, prefix, run_text_, split.value, epoch.value, part_text);
}

result<void> output_parts::complete(split_index split, epoch_number epoch, std::vector<std::string> files) {
  const std::lock_guard lock(mutex_);
  state& s = splits_[split];
  if (epoch != s.epoch) {
    return fail(error_kind::conflict, "Split {} is written by epoch {} now, not by {}.", split.value,
                s.epoch.value, epoch.value);
  }
  s.files = std::move(files);
  return {};
}

std::vector<output_parts::completed_split> output_parts::completed() const {
  const std::lock_guard lock(mutex_);
  std::vector<completed_split> done;
  for (const auto& [split, s] : splits_) {
    if (!s.files.empty()) {
      done.push_back({split, s.files});
    }
  }
  return done;
}

std::vector<std::string> output_parts::files_of(const std::vector<completed_split>& splits) {
  std::vector<std::string> files;
  for (const completed_split& s : splits) {
    files.insert(files.end(), s.files.begin(), s.files.end());
  }
  return files;
}

result<void> output_parts::join(const std::vector<std::string>& files, const std::string& path) {
  std::string whole =
      files.size() == 1 ? files.front() : fmt::format("{}/{}{}-joined.tmp", folder_, prefix, run_text_);
  if (files.size() != 1) {
    SLUICE_TRY(output_file joined, output_file::make(whole));
    for (const std::string& file : files) {
      SLUICE_CHECK(joined.append_file(file));
    }
    SLUICE_CHECK(joined.close());
  }
  SLUICE_CHECK(rename_file(whole, path));
  return sync_folder(folder_);
}

void output_parts::remove_all() {
  const std::lock_guard lock(mutex_);
  if (!run_text_.empty()) {
    remove_files_of(run_text_);
  }
  if (owner_fd_ >= 0) {
    ::close(std::exchange(owner_fd_, -1));
  }
}

}  // namespace sluice
