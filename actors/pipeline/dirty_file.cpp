#include "actors/pipeline/dirty_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <system_error>
#include <utility>
#include <vector>

#include "actors/pipeline/dirty_line.h"
#include "transport/base/text.h"

namespace sluice {
namespace {

// A write of this size costs little beside the disk's own time; `lines_` stays near it.
constexpr std::size_t write_bytes_target = std::size_t{1} << 20;
constexpr std::size_t read_bytes = std::size_t{256} << 10;
constexpr std::size_t open_pending_max = 64;

tl::unexpected<error> system_failure(std::string_view doing, const std::string& path, int number) {
  const std::string reason = std::error_code(number, std::generic_category()).message();
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(error_kind::no_room,
                  "Cannot {} {}: {}. Make room there and run the job again; it continues at its marks.",
                  doing, in_quotes(path), reason);
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(error_kind::denied,
                  "Cannot {} {}: {}. Give this user the right to write in the run folder.", doing,
                  in_quotes(path), reason);
    default:
      return fail(error_kind::internal, "Cannot {} {}: {}.", doing, in_quotes(path), reason);
  }
}

result<void> sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return system_failure("open the folder", path, errno);
  }
  const int failure = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (failure != 0) {
    return system_failure("sync the folder", path, failure);
  }
  return {};
}

result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_failure("remove", path, errno);
  }
  return {};
}

/// Counts a record with its code; one without is not counted.
template <class Counts>
void count_code(Counts& codes, std::string_view code) {
  if (code.empty()) {
    return;
  }
  const auto found = codes.find(code);
  if (found == codes.end()) {
    codes.emplace(code, 1);
  } else {
    ++found->second;
  }
}

std::string time_text(std::chrono::system_clock::time_point at) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms % 1000);
}

}  // namespace

/// One file of lines: grows by whole writes, is read back in chunks. `size` counts only what was written
/// whole.
class dirty_file::line_file {
 public:
  struct line {
    std::uint64_t begin;
    std::uint64_t end;  // behind the newline
    std::optional<dirty_line_head> head;
  };

  static result<std::unique_ptr<line_file>> open(const std::string& path) {
    auto opened = std::unique_ptr<line_file>(new line_file(path));
    opened->fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (opened->fd_ < 0) {
      return system_failure("open", path, errno);
    }
    struct stat known {};
    if (::fstat(opened->fd_, &known) != 0) {
      return system_failure("read the size of", path, errno);
    }
    opened->size_ = static_cast<std::uint64_t>(known.st_size);
    return opened;
  }
  ~line_file() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  line_file(const line_file&) = delete;
  line_file& operator=(const line_file&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Writes all of `bytes` at the end, or leaves the file as it was (at the latest when it is next used).
  result<void> append(std::string_view bytes) {
    if (torn_) {
      SLUICE_CHECK(truncate(size_));
    }
    std::uint64_t at = size_;
    unsynced_ = true;
    while (!bytes.empty()) {
      const ssize_t wrote = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (wrote < 0 && errno == EINTR) {
        continue;
      }
      if (wrote <= 0) {
        const int failure = wrote < 0 ? errno : EIO;
        torn_ = true;
        (void)truncate(size_);  // tried again by the next call; the failure to tell is the write's
        return system_failure("write to", path_, failure);
      }
      at += static_cast<std::uint64_t>(wrote);
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    size_ = at;
    return {};
  }

  result<void> sync() {
    if (!unsynced_) {
      return {};
    }
    if (::fdatasync(fd_) != 0) {
      return system_failure("sync", path_, errno);
    }
    unsynced_ = false;
    return {};
  }

  result<void> truncate(std::uint64_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
      return system_failure("shorten", path_, errno);
    }
    size_ = size;
    torn_ = false;
    unsynced_ = true;
    return {};
  }

  /// Calls `see` for each whole line from `begin` on, until it returns false.
  template <class See>
  result<void> each_line(std::uint64_t begin, See see) const {
    std::vector<char> chunk(read_bytes);
    std::string head;
    bool damaged = false;  // a lost block reads as zeros, which no line has
    std::uint64_t line_begin = begin;
    std::uint64_t at = begin;
    while (at < size_) {
      SLUICE_TRY(std::string_view rest, read_at(at, chunk));
      at += rest.size();
      while (!rest.empty()) {
        const std::size_t newline = rest.find('\n');
        const std::string_view part = rest.substr(0, newline);
        head.append(part.substr(0, dirty_line_head_max - std::min(head.size(), dirty_line_head_max)));
        damaged = damaged || part.find('\0') != std::string_view::npos;
        if (newline == std::string_view::npos) {
          break;
        }
        rest.remove_prefix(newline + 1);
        const line seen{line_begin, at - rest.size(), damaged ? std::nullopt : parse_dirty_line_head(head)};
        if (!see(seen)) {
          return {};
        }
        line_begin = seen.end;
        head.clear();
        damaged = false;
      }
    }
    return {};
  }

  /// Appends the bytes [begin, end) of `from`, all or nothing.
  result<void> append_from(const line_file& from, std::uint64_t begin, std::uint64_t end) {
    const std::uint64_t size_before = size_;
    std::vector<char> chunk(read_bytes);
    while (begin < end) {
      auto got = from.read_at(begin, chunk);
      if (got) {
        *got = got->substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(got->size(), end - begin)));
        begin += got->size();
      }
      const result<void> done = got ? append(*got) : fail(std::move(got).error());
      if (!done) {
        size_ = size_before;
        torn_ = true;
        (void)truncate(size_before);
        return fail(done.error());
      }
    }
    return {};
  }

 private:
  explicit line_file(std::string path) : path_(std::move(path)) {}

  result<std::string_view> read_at(std::uint64_t at, std::vector<char>& into) const {
    while (true) {
      const ssize_t got = ::pread(fd_, into.data(), into.size(), static_cast<off_t>(at));
      if (got > 0) {
        return std::string_view(into.data(), static_cast<std::size_t>(got));
      }
      if (got == 0) {
        return fail(error_kind::internal,
                    "{} became shorter while it was read: another process writes there.", in_quotes(path_));
      }
      if (errno != EINTR) {
        return system_failure("read", path_, errno);
      }
    }
  }

  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool torn_ = false;  // bytes of a failed write may stand behind `size_`
  bool unsynced_ = false;
};

dirty_file::dirty_file(settings how)
    : how_(std::move(how)),
      run_members_(dirty_line_run_members(how_.run, how_.job)),
      path_(how_.folder + "/dirty.jsonl") {}

dirty_file::~dirty_file() = default;

result<std::unique_ptr<dirty_file>> dirty_file::make(settings how) {
  auto made = std::unique_ptr<dirty_file>(new dirty_file(std::move(how)));
  SLUICE_TRY(made->published_file_, line_file::open(made->path_));
  const std::string folder = made->pending_folder();
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure("make the folder", folder, errno);
  }
  SLUICE_CHECK(made->read_published());
  SLUICE_CHECK(made->read_pending());
  SLUICE_CHECK(sync_folder(made->how_.folder));
  return made;
}

result<void> dirty_file::read_published() {
  std::uint64_t good_end = 0;
  std::uint64_t line_number = 0;
  std::uint64_t bad_line = 0;
  int newer_version = 0;
  SLUICE_CHECK(published_file_->each_line(0, [&](const line_file::line& seen) {
    ++line_number;
    if (!seen.head || seen.head->version > dirty_line_version) {
      bad_line = bad_line == 0 ? line_number : bad_line;
      newer_version = seen.head ? seen.head->version : 0;
      return newer_version == 0;
    }
    if (bad_line != 0) {
      return false;
    }
    split_state& state = splits_[seen.head->split];
    ++state.published;
    state.position_published = std::max(state.position_published, seen.head->position);
    ++published_total_;
    count_code(codes_, seen.head->code);
    good_end = seen.end;
    return true;
  }));
  if (newer_version != 0) {
    return fail(
        error_kind::source_changed,
        "Line {} of {} is of version {}, this program writes version {}. Continue the run with the program "
        "that began it.",
        bad_line, in_quotes(path_), newer_version, dirty_line_version);
  }
  // A death leaves damage only at the end: what came after the last sync is still pending. Damage before good
  // lines was made by somebody else.
  if (bad_line != 0 && line_number > bad_line) {
    return fail(error_kind::source_changed,
                "Line {} of {} is not a dirty record. Move that file away and run the job again; its records "
                "are then "
                "counted as missing.",
                bad_line, in_quotes(path_));
  }
  return good_end < published_file_->size() ? published_file_->truncate(good_end) : result<void>{};
}

result<void> dirty_file::read_pending() {
  const std::string folder = pending_folder();
  DIR* listing = ::opendir(folder.c_str());
  if (listing == nullptr) {
    return system_failure("list", folder, errno);
  }
  std::vector<split_index> found;
  while (const dirent* entry = ::readdir(listing)) {
    const std::string_view name = entry->d_name;
    split_index split;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), split.value);
    if (failure == std::errc{} && std::string_view(end) == ".jsonl") {
      found.push_back(split);
    }
  }
  ::closedir(listing);
  for (const split_index split : found) {
    SLUICE_CHECK(read_pending_of(split, fmt::format("{}/{}.jsonl", folder, split.value)));
  }
  return {};
}

result<void> dirty_file::read_pending_of(split_index split, const std::string& path) {
  split_state& state = splits_[split];
  pending held;
  SLUICE_TRY(held.file, line_file::open(path));
  std::uint64_t good_end = 0;
  SLUICE_CHECK(held.file->each_line(0, [&](const line_file::line& seen) {
    if (!seen.head || seen.head->version != dirty_line_version || seen.head->split != split) {
      return false;  // torn: no mark covers it, or it had been synced
    }
    good_end = seen.end;
    if (state.published > 0 && seen.head->position <= state.position_published) {
      held.begin = seen.end;  // the process died between publishing and shortening
    } else {
      ++held.records;
      held.position_last = seen.head->position;
      count_code(held.codes, seen.head->code);
    }
    return true;
  }));
  if (held.records == 0) {
    held.file.reset();
    return remove_file(path);
  }
  if (good_end < held.file->size()) {
    SLUICE_CHECK(held.file->truncate(good_end));
  }
  held.durable_name = true;
  state.held = std::move(held);
  ++open_pending_;
  return {};
}

/// Closes and removes pending files that hold nothing.
result<void> dirty_file::close_empty() {
  for (auto& [split, state] : splits_) {
    if (state.held && state.held->records == 0) {
      const std::string path = state.held->file->path();
      state.held.reset();
      --open_pending_;
      SLUICE_CHECK(remove_file(path));
    }
  }
  return {};
}

result<dirty_file::pending*> dirty_file::pending_of(split_index split, split_state& state) {
  if (!state.held) {
    if (open_pending_ >= open_pending_max) {
      SLUICE_CHECK(close_empty());
    }
    pending held;
    SLUICE_TRY(held.file, line_file::open(fmt::format("{}/{}.jsonl", pending_folder(), split.value)));
    state.held = std::move(held);
    ++open_pending_;
  }
  return &*state.held;
}

result<void> dirty_file::append(split_index split, epoch_number epoch,
                                std::span<const dirty_record> records) {
  split_state& state = splits_[split];
  if (epoch < state.epoch || records.empty()) {
    return {};
  }
  state.epoch = epoch;
  pending* held = nullptr;
  if (!how_.publish_at_once) {
    SLUICE_TRY(held, pending_of(split, state));
  }
  const std::string time = time_text(how_.now ? how_.now() : std::chrono::system_clock::now());
  lines_.clear();
  code_counts codes;
  std::uint64_t lines = 0;
  std::uint64_t position_last = 0;
  const auto flush = [&]() -> result<void> {
    if (lines == 0) {
      return {};
    }
    SLUICE_CHECK((held != nullptr ? *held->file : *published_file_).append(lines_));
    code_counts& counted = held != nullptr ? held->codes : codes_;
    for (const auto& [code, records_of_code] : codes) {
      counted[code] += records_of_code;
    }
    codes.clear();
    if (held != nullptr) {
      held->records += lines;
      held->position_last = position_last;
    } else {
      state.published += lines;
      published_total_ += lines;
      state.position_published = position_last;
    }
    lines = 0;
    lines_.clear();
    return {};
  };
  for (const dirty_record& record : records) {
    if (state.published > 0 && record.position <= state.position_published) {
      continue;
    }
    const bool any_before = lines > 0 || (held != nullptr && held->records > 0);
    const std::uint64_t before = lines > 0 ? position_last : held != nullptr ? held->position_last : 0;
    if (any_before && record.position <= before) {
      return fail(error_kind::internal,
                  "Dirty record {} of split {} came after record {}: positions must rise.", record.position,
                  split.value, before);
    }
    append_dirty_line(run_members_, split, time, record, lines_);
    position_last = record.position;
    count_code(codes, record.code);
    ++lines;
    if (lines_.size() >= write_bytes_target) {
      SLUICE_CHECK(flush());
    }
  }
  SLUICE_CHECK(flush());
  if (lines_.capacity() > 4 * write_bytes_target) {
    lines_ = {};
  }
  return {};
}

result<void> dirty_file::sync(split_index split) {
  if (how_.publish_at_once) {
    return published_file_->sync();
  }
  const auto found = splits_.find(split);
  if (found == splits_.end() || !found->second.held || found->second.held->records == 0) {
    return {};
  }
  pending& held = *found->second.held;
  SLUICE_CHECK(held.file->sync());
  if (!held.durable_name) {
    SLUICE_CHECK(sync_folder(pending_folder()));
    held.durable_name = true;
  }
  return {};
}

/// Copies the held lines below `position` to dirty.jsonl, durably, and forgets them here.
result<void> dirty_file::publish_until(split_state& state, std::uint64_t position) {
  pending& held = *state.held;
  std::uint64_t end = held.begin;
  std::uint64_t records = 0;
  std::uint64_t position_last = 0;
  code_counts codes;
  if (held.position_last < position) {
    end = held.file->size();
    records = held.records;
    position_last = held.position_last;
    codes = held.codes;
  } else {
    SLUICE_CHECK(held.file->each_line(held.begin, [&](const line_file::line& seen) {
      if (!seen.head || seen.head->position >= position) {
        return false;
      }
      end = seen.end;
      ++records;
      position_last = seen.head->position;
      count_code(codes, seen.head->code);
      return true;
    }));
  }
  if (records == 0) {
    return {};
  }
  SLUICE_CHECK(published_file_->append_from(*held.file, held.begin, end));
  // Counted from here on: these lines stand in dirty.jsonl, and once more would be twice.
  state.published += records;
  state.position_published = position_last;
  published_total_ += records;
  held.begin = end;
  held.records -= records;
  for (const auto& [code, records_of_code] : codes) {
    codes_[code] += records_of_code;
    std::uint64_t& left = held.codes[code];
    left -= std::min(left, records_of_code);
  }
  SLUICE_CHECK(published_file_->sync());
  if (held.records == 0) {
    SLUICE_CHECK(held.file->truncate(0));
    held.begin = 0;
    held.codes.clear();
  }
  return {};
}

result<void> dirty_file::promote(split_index split, std::uint64_t position) {
  const auto found = splits_.find(split);
  if (found == splits_.end() || !found->second.held || found->second.held->records == 0) {
    return {};
  }
  return publish_until(found->second, position);
}

result<void> dirty_file::drop(split_index split, epoch_number epoch, std::uint64_t position) {
  split_state& state = splits_[split];
  state.epoch = std::max(state.epoch, epoch);
  if (!state.held || state.held->records == 0) {
    return {};
  }
  SLUICE_CHECK(publish_until(state, position));
  pending& held = *state.held;
  if (held.records > 0) {
    SLUICE_CHECK(held.file->truncate(0));
    held.begin = 0;
    held.records = 0;
    held.codes.clear();
  }
  return {};
}

result<void> dirty_file::seal() {
  for (const auto& [split, state] : splits_) {
    if (state.held && state.held->records > 0) {
      return fail(error_kind::internal, "Split {} ends with {} dirty records above its mark, first in {}.",
                  split.value, state.held->records, in_quotes(state.held->file->path()));
    }
  }
  SLUICE_CHECK(published_file_->sync());
  SLUICE_CHECK(close_empty());
  const std::string folder = pending_folder();
  if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) {
    return system_failure("remove the folder", folder, errno);
  }
  return sync_folder(how_.folder);
}

std::uint64_t dirty_file::missing(split_index split, std::uint64_t dirty_total) const {
  const auto found = splits_.find(split);
  const std::uint64_t have = found == splits_.end() ? 0 : found->second.published;
  return dirty_total > have ? dirty_total - have : 0;
}

}  // namespace sluice
