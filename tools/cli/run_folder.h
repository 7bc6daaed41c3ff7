#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/base/ids.h"
#include "transport/base/result.h"

namespace sluice {

/// What a run's folder tells of rows that stand at the destination, a moment behind it: killed there, the run
/// has committed more.
struct committed_record {
  std::uint64_t rows = 0;  ///< That the run's account has; without marks those of killed ones before it, too.
  std::uint64_t repeated = 0;  ///< Beside it: `repeated_rows`, of all processes that worked on the run.
  bool repeated_at_most = false;
};

/// The folder of one run, `<state>/runs/<job>/<run id>`, mode 0700, its files 0600:
///
///     lock          locked (flock) as long as the run's process lives; says which it is: `4711 on host`
///     unfinished    there while the run may be continued; holds its instance
///     taken_over    says in which other folder the run goes on, `job/run id`: a process had this one when
///                   the run was taken from it, and may still write here
///     begun         there while a run works that nothing can continue; holds its instance
///     committed     how many rows the run has committed (`committed_record`)
///     command.json  the command line, secrets masked, and the folder it was given in
///     job.json      the job as run, secrets masked
///     run.log       every log line
///     dirty.jsonl   dirty records, written by the engine, with its pending files
///     summary.json  at the end; that of an earlier process that worked on the run is summary.before.json
///
/// Owns the lock; used by one thread at a time.
class run_folder {
 public:
  /// Makes the folder, or opens it where it is there, and locks it; a summary in it is then the earlier one.
  /// `busy` where a living process has it, for longer than it takes to look whether one has; `denied` or
  /// `no_room` with the path.
  static result<std::unique_ptr<run_folder>> open(const std::string& state_directory,
                                                  std::string_view job_name, const run_id& run);
  /// The same for a run that an earlier process began, maybe under another name of the job: where a folder of
  /// that run is there it is opened, else one is made under this name.
  static result<std::unique_ptr<run_folder>> open_earlier(const std::string& state_directory,
                                                          std::string_view job_name, const run_id& run);
  /// The folder of the run under whatever name of a job, or the one in which it goes on since it was taken
  /// over; nothing where there is none.
  static std::optional<std::string> find(const std::string& state_directory, const run_id& run);
  /// Takes the mark of `mark_unfinished` away from the run's folder, where it is there: nothing continues it.
  static void forget(const std::string& state_directory, const run_id& run);
  /// Gives the lock back; the folder stays.
  ~run_folder();
  run_folder(const run_folder&) = delete;
  run_folder& operator=(const run_folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

  /// Replaces one of its files, mode 0600.
  result<void> write(std::string_view name, std::string_view text) const;
  /// The run in `older`, the folder of a process that lives and may still write there, goes on in this one:
  /// what that has of dirty records is copied, and `find` leads here. To be called once that process can
  /// commit nothing more.
  result<void> take_over_from(const std::string& older) const;
  /// From now on retention keeps this folder until `clear_unfinished`. `marks` names the tables that the
  /// run's marks stand in, as the job does (`setting.progressTable`).
  result<void> mark_unfinished(std::string_view instance, std::string_view marks) const;
  /// Another run of this job's name and of this instance that was not seen to end.
  struct unfinished_run {
    std::string folder;
    std::string marks;  ///< As given to `mark_unfinished`; empty where an older program began it.
  };
  /// The one of them that began last.
  [[nodiscard]] std::optional<unfinished_run> last_unfinished_of_others(std::string_view instance) const;
  result<void> keep_committed(const committed_record& what) const;
  struct left_run {
    run_id run;
    std::uint64_t rows = 0;
    std::uint64_t unix_ms = 0;  ///< When its folder was told of them.
  };
  /// The last of the other runs of this job's name and of this instance that were not seen to end, dead and
  /// with rows that it has committed (`committed_record`).
  [[nodiscard]] std::optional<left_run> left_by_others(std::string_view instance) const;
  void clear_unfinished() const;
  /// The instance is done or begun anew: nothing continues its earlier runs, so their marks are taken away.
  void clear_unfinished_of_others(std::string_view instance) const;
  /// Until `clear_begun` this run is one that was begun and whose destination keeps no marks. Of a process
  /// that is killed it stays.
  result<void> mark_begun(std::string_view instance) const;
  void clear_begun() const;
  /// The folder of another run of this job's name that has the mark for this instance, and whose process does
  /// not live.
  [[nodiscard]] std::optional<std::string> begun_by_others(std::string_view instance) const;
  /// This run begins them anew.
  void clear_begun_of_others(std::string_view instance) const;
  /// Removes the folder with all in it: for one that turned out not to be needed.
  void remove() const;

 private:
  static result<std::unique_ptr<run_folder>> open_at(const std::string& path);
  /// The other folders of this job's name whose file `name` holds this text.
  [[nodiscard]] std::vector<std::string> others_with(const char* name, std::string_view text) const;
  run_folder(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
};

/// The job's folder name: control characters and slashes become `_`, as does a dot at the beginning; cut at
/// 100 bytes.
std::string job_folder_name(std::string_view job_name);

/// Locks `<folder>/lock`, made where it is not there; -1 where somebody else has it (`EWOULDBLOCK`) or it
/// cannot be opened (`errno`). Closing the descriptor gives the lock back.
int lock_run_folder(const std::string& folder);

/// What its file says; zeros where there is none.
committed_record committed_in(const std::string& folder);

/// Where the run of this folder goes on (`taken_over`), a path; nothing where it was not taken over.
std::optional<std::string> taken_over_to(const std::string& folder);

/// Whether a living process has the folder's lock. Makes nothing, and holds nobody up for more than a moment.
bool run_is_alive(const std::string& folder);

/// `<state>/runs`, absolute: the process may change its folder.
std::string runs_folder(const std::string& state_directory);

/// The id of a run that begins now.
run_id new_run_id(std::uint64_t unix_ms);

/// When the run began, as its id has it (RFC 9562 section 5.7).
std::uint64_t begun_unix_ms(const run_id& run);

}  // namespace sluice
