#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "actors/pipeline/dirty_store.h"
#include "jobspec/job.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"
#include "tests/sim/sim_server.h"

namespace sluice::sim {

/// What becomes of a record, decided when the world is made.
enum class fate : std::uint8_t { written, reader_dirty, channel_dirty, writer_dirty, ignored, filtered };

/// How often something goes wrong, as one in `n`; 0 = never.
struct faults {
  std::uint32_t read_lost = 0;
  std::uint32_t write_busy = 0;
  std::uint32_t commit_refused = 0;      ///< Not applied, connection lost.
  std::uint32_t commit_answer_lost = 0;  ///< Applied, connection lost.
  std::uint32_t commit_late = 0;         ///< Connection lost; applied later or not at all.
  std::uint32_t undone_unseen = 0;       ///< The server rolls a transaction back and does not say so.
  std::uint32_t connect_lost = 0;
  std::uint32_t statement_lost = 0;    ///< Connection lost, its transaction may stand open for a while.
  std::uint32_t statement_killed = 0;  ///< The process is killed before a statement, or before its answer.
  std::uint32_t finish_lost = 0;       ///< Completing the output.
  std::uint32_t dirty_lost = 0;        ///< A call of the dirty store: no room.
  std::uint32_t message_lost = 0;      ///< Between neighbours of a pipeline.
};

/// A run folder.
struct disk {
  std::uint32_t owner = 0;                                           ///< The process that has it locked.
  std::map<std::pair<std::uint32_t, std::uint64_t>, int> published;  ///< Times published.
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> pending;   ///< Durable or not.
};

/// A process as the world knows it.
struct process_facts {
  std::size_t job = 0;  ///< Which it works on.
  bool alive = true;    ///< What a killed one does has no effect.
  bool agrees = false;  ///< `--on-unfinished resume`: rows committed in parts may be written once more.
  std::size_t disk = 0;
};

/// What a world has met, to see that its dice do what they are for.
struct encounters {
  std::uint64_t processes = 0;
  std::uint64_t killed = 0;
  std::uint64_t paused = 0;
  std::uint64_t taken_over = 0;  ///< Processes that found their run or split taken.
  std::uint64_t late = 0;        ///< Commits that came after their process had lost the connection.
  std::uint64_t in_vain = 0;     ///< And such as never came.
  std::uint64_t repeated = 0;    ///< Splits written once more, as was agreed.
  std::uint64_t steps = 0;       ///< Steps around the data that took effect.
  std::uint64_t asked = 0;       ///< Starts that asked whether a step had run.
  std::uint64_t in_the_way = 0;  ///< Starts that another job kept from the same output.
  encounters& operator+=(const encounters& o) {
    processes += o.processes, killed += o.killed, paused += o.paused, taken_over += o.taken_over;
    late += o.late, in_vain += o.in_vain, repeated += o.repeated;
    steps += o.steps, asked += o.asked, in_the_way += o.in_the_way;
    return *this;
  }
};

std::string to_text(const encounters& met);

/// A statement of preSql or postSql.
struct sim_step {
  enum class kind : std::uint8_t {
    inside,  ///< Stands in one transaction with its stage.
    alone,   ///< Commits by itself.
    twice,   ///< Likewise, and may run twice.
  };
  kind as = kind::inside;
  bool empties = false;  ///< It removes what stands in the output.
  std::string text;
  int ran = 0;  ///< How often it has taken effect.
};

/// A job, and what of it stands at the destination. All jobs of a world write into the same output.
struct sim_job {
  std::vector<std::vector<fate>> source;  ///< By split, by position.
  std::vector<std::uint64_t> oversize;    ///< For each split one position whose record is large; ~0 = none.
  std::vector<sim_step> before;
  std::vector<sim_step> after;

  std::multiset<std::pair<std::uint32_t, std::uint64_t>> rows;
  /// Of each split: the mark that was committed last, and by whom.
  struct committed {
    mark at;
    std::uint32_t process = 0;
  };
  std::map<std::uint32_t, committed> marks;
  /// Splits that were begun anew behind this position, up to which rows stood that no mark covers.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> repeats;
  bool is_out = false;                     ///< Its output was completed (`target::finish`).
  std::optional<std::size_t> finished_in;  ///< The disk of the process that has marked the run done.
  bool is_gone = false;                    ///< It was done, and another job has emptied the output since.

  [[nodiscard]] bool empties() const;
  [[nodiscard]] record_counts expected() const;
  [[nodiscard]] bool is_written() const;  ///< Its marks say that all splits are done.
};

/// Source, destination and disks as they outlive processes, and the dice. One thread.
struct world {
  explicit world(std::uint64_t seed);
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  std::mt19937_64 dice;
  std::vector<sim_job> jobs;  ///< Two where one of them empties what both write to.
  std::uint64_t oversize_bytes = 0;
  bool resumable = true;
  /// Of a source that is not resumable: the records of a split that the destination bears in one transaction;
  /// 0 = any.
  std::uint64_t whole_rows_max = 0;
  bool converts = true;
  bool filters = false;  ///< Some records are filtered out on the way.
  /// False: the destination holds no marks and no claims, and what is committed stands
  /// (`delivery_choice::remembers`); each process begins anew in an emptied table.
  bool keeps_marks = true;
  delivery_mode mode = delivery_mode::automatic;

  server destination;
  std::uint32_t claimed_last = 0;  ///< The process that has taken, or ended, a claim last.
  std::set<std::uint32_t> fenced;  ///< Processes whose claim was ended by another one.
  bool undoes_unseen = false;      ///< That has happened: a process takes it for a takeover.

  // The state folder.
  std::vector<disk> disks;
  std::map<std::string, std::size_t> folder_of;  ///< By run.

  faults wrong;
  std::map<std::uint32_t, process_facts> processes;
  std::optional<std::uint32_t> dies;  ///< A process that is to be killed once its call has returned.
  std::function<void(std::uint32_t)>
      aside;                              ///< Lets others than this process work in the middle of its call.
  std::int64_t clock_ms = 1'000'000'000;  ///< The destination's.
  encounters met;
  std::string broken;  ///< The first broken promise, in words.

  bool happens(std::uint32_t one_in) { return one_in != 0 && dice() % one_in == 0; }
  void break_promise(std::string what) {
    if (broken.empty()) {
      broken = std::move(what);
    }
  }
  [[nodiscard]] bool is_alive(std::uint32_t process) const { return processes.at(process).alive; }
  /// Its connections break at once, and nothing it does from here on has an effect.
  void kill(std::uint32_t process);
  [[nodiscard]] sim_job& job_of(std::uint32_t process) { return jobs[processes.at(process).job]; }
  /// A data transaction stands.
  void take(const data_change& data);
  /// A step stands.
  void take(const step_change& step);
  /// The output of a process's job is completed.
  void complete(std::uint32_t process);
};

inline tl::unexpected<error> dead() {
  return fail(error_kind::cancelled, "this process is dead");
}

std::unique_ptr<source> make_source(world& w, std::uint32_t process);
std::unique_ptr<target> make_target(world& w, std::uint32_t process);
/// The folder of the run, or where a living process has that, a copy of it.
result<std::unique_ptr<dirty_store>> open_dirty_store(world& w, std::uint32_t process, const run_id& run,
                                                      bool continued, bool takes_over);

}  // namespace sluice::sim
