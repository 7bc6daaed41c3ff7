#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "transport/base/ids.h"
#include "transport/base/result.h"

namespace sluice {

/// The runs (`run_id::text`) that have unfinished files in the folder and no `.owner` beside them.
std::set<std::string> runs_with_temporary_files(const std::string& folder);
/// Removes the unfinished files of these runs. Never fails.
void remove_temporary_files(const std::string& folder, const std::set<std::string>& runs);

/// The unfinished files of one run in its destination folder: `.sluice-<run>-<split>-<epoch>[.<part>].tmp`,
/// one or more a split and epoch, so that an overtaken writer writes into files that nobody will use. Where
/// nothing else tells whose they are, `.sluice-<run>.owner` stands beside them, locked while the process
/// lives. Shared by the run's target and writers; all calls are thread-safe. Destroying it leaves the files;
/// `remove_all` does not.
class output_parts {
 public:
  /// `owner` tells jobs apart that write into one folder: files left by a dead run of the same owner are
  /// removed. `marked`: the run has a claim, and marks that say which of its files count (output_marks.h).
  output_parts(std::string folder, std::string owner, bool marked)
      : folder_(std::move(folder)), owner_(std::move(owner)), marked_(marked) {}
  ~output_parts();
  output_parts(const output_parts&) = delete;
  output_parts& operator=(const output_parts&) = delete;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Of a file that has not all bytes any more that a mark covers: `conflict` (`begin_anew_code`).
  static error bytes_gone(const std::string& path, std::uint64_t bytes);

  /// Begins the run: removes what dead runs of the same owner left, and marks the folder. `busy` where
  /// another run of the same owner is still alive.
  result<void> prepare(const run_id& run);

  /// Makes `epoch` the owner of the split; what older epochs completed is void, and removed where no mark
  /// covers it. `conflict` where a newer one is.
  result<void> begin(split_index split, epoch_number epoch);
  /// The writer of that epoch has closed its files.
  void leave(split_index split, epoch_number epoch);
  /// Gives what a mark covers of `from`, its first `bytes` bytes, the name `to`, as a file that no writer
  /// holds: the same file where its own has closed it or died with its process, else a copy. `from` stays.
  /// `conflict` (`begin_anew_code`) where it is gone or shorter. Before `begin`.
  result<void> take_over(split_index split, const std::string& from, const std::string& to,
                         std::uint64_t bytes);
  /// Where a part of the split is to be written, parts counting from 0.
  [[nodiscard]] std::string path_of(split_index split, epoch_number epoch, std::uint32_t part) const;
  /// The split is whole in these files. `conflict` where a newer epoch owns it.
  result<void> complete(split_index split, epoch_number epoch, std::vector<std::string> files);

  /// The files of completed splits, in order of split and part.
  struct completed_split {
    split_index split;
    std::vector<std::string> files;
  };
  [[nodiscard]] std::vector<completed_split> completed() const;
  static std::vector<std::string> files_of(const std::vector<completed_split>& splits);

  /// Makes one file of these, in their order, and gives it the name `path`: renamed where there is only one,
  /// else copied together under a temporary name first, while the files stay. Durable when it returns.
  result<void> join(const std::vector<std::string>& files, const std::string& path);

  /// Removes all that is left of the run, the mark included: its end. Never fails.
  void remove_all();

 private:
  struct state {
    epoch_number epoch;
    std::vector<std::string> files;
    bool held = false;  ///< A writer of this process has files of it open.
  };
  result<void> remove_dead_runs();
  result<void> make_owner_file();
  void remove_files_of(const std::string& run_text);

  const std::string folder_;
  const std::string owner_;
  const bool marked_;
  mutable std::mutex mutex_;
  std::string run_text_;
  std::map<split_index, state> splits_;
  int owner_fd_ = -1;
};

}  // namespace sluice
