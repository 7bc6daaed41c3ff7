#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "actors/pipeline/dirty_store.h"
#include "plugins/api/source.h"
#include "plugins/api/target.h"

namespace sluice::sim {

/// What becomes of a record, decided when the world is made.
enum class fate : std::uint8_t { written, reader_dirty, channel_dirty, writer_dirty, ignored, filtered };

/// How often something goes wrong, as one in `n`; 0 = never.
struct faults {
  std::uint32_t read_lost = 0;
  std::uint32_t write_busy = 0;
  std::uint32_t commit_refused = 0;      ///< Not applied, connection lost.
  std::uint32_t commit_answer_lost = 0;  ///< Applied, connection lost.
  std::uint32_t open_lost = 0;
  std::uint32_t store_lost = 0;    ///< A call of the progress store.
  std::uint32_t dirty_lost = 0;    ///< A call of the dirty store: no room.
  std::uint32_t message_lost = 0;  ///< Between neighbours of a pipeline.
};

/// Source, destination and disk as they outlive processes, and the dice. One thread.
struct world {
  explicit world(std::uint64_t seed);

  std::mt19937_64 dice;
  std::vector<std::vector<fate>> source;  ///< By split, by position.
  std::vector<std::uint64_t> oversize;    ///< For each split one position whose record is large; ~0 = none.
  std::uint64_t oversize_bytes = 0;
  bool resumable = true;
  /// Of a source that is not resumable: the records of a split that the destination bears in one transaction;
  /// 0 = any. Rows of a split that is committed in parts may stand more than once.
  std::uint64_t whole_rows_max = 0;
  bool converts = true;
  bool filters = false;  ///< Some records are filtered out on the way.

  // The destination.
  struct run_state {
    run_row row;
    std::vector<progress_row> splits;
    std::vector<std::uint64_t> transactions;  ///< By split: the last number begun in its epoch.
  };
  std::vector<run_state> runs;
  std::multiset<std::pair<std::uint32_t, std::uint64_t>> rows;

  // The run folder.
  std::map<std::pair<std::uint32_t, std::uint64_t>, int> published;  ///< Times published.
  std::map<std::pair<std::uint32_t, std::uint64_t>, bool> pending;   ///< Durable or not.

  faults wrong;
  /// Counts up with each process; what an older one does has no effect any more.
  std::uint32_t process = 0;
  std::string broken;  ///< The first broken promise, in words.

  bool happens(std::uint32_t one_in) { return one_in != 0 && dice() % one_in == 0; }
  void break_promise(std::string what) {
    if (broken.empty()) {
      broken = std::move(what);
    }
  }
  [[nodiscard]] record_counts expected() const;
};

std::unique_ptr<source> make_source(world& w, std::uint32_t process);
std::unique_ptr<target> make_target(world& w, std::uint32_t process);
std::unique_ptr<dirty_store> make_dirty_store(world& w, std::uint32_t process);

}  // namespace sluice::sim
