#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "actors/pipeline/dirty_store.h"
#include "transport/base/ids.h"
#include "transport/base/result.h"
#include "transport/record/dirty.h"

namespace sluice {

/// A run's dirty records on disk (DESIGN section 7): `<folder>/dirty.jsonl` with what is published, one
/// record a line as docs/dirty-records.md says, and `<folder>/dirty.pending/<split>.jsonl` with what no mark
/// covers yet.
///
/// For a destination with marks a batch's records go `append`, `sync`, [commit of the mark], `promote`; so
/// they are durable before the mark and published after it, and a run that is continued stores none twice.
/// For other destinations (`publish_at_once`) `append` publishes, and `promote` has nothing to do.
///
/// Memory: a few numbers for each split that had dirty records, whatever their count. Files: at most 64
/// pending files stay open beside those that hold something. Owned by the one actor that may block on it; not
/// thread-safe. Every call may block on the disk. Where a call fails, nothing is lost that was durable
/// before, and what was half written is cut off by the next call or the next `make`.
///
/// Failures of all calls: `no_room` (disk, quota or file size used up), `denied` (rights), `internal` (the
/// disk failed, or a promise of the caller is broken), each naming the path.
class dirty_file : public dirty_store {
 public:
  struct settings {
    std::string folder;  ///< The run folder; exists, and no other process writes there.
    run_id run;          ///< Stands in every line, like `job`.
    std::string job;
    bool publish_at_once = false;                                ///< The destination has no marks.
    std::function<std::chrono::system_clock::time_point()> now;  ///< Only shown; empty = the system's clock.
  };

  /// Opens or makes the files and reads back what an earlier process left: a line torn by its death is cut
  /// off. `source_changed` where a file there is not of this form or of a newer version.
  static result<std::unique_ptr<dirty_file>> make(settings how);
  ~dirty_file() override;
  dirty_file(const dirty_file&) = delete;
  dirty_file& operator=(const dirty_file&) = delete;

  /// Stores records of one split, in rising order of position. Those of an epoch that was overtaken, and
  /// those published already (read again after a rewind), are left out. `internal` where a position does not
  /// rise.
  result<void> append(split_index split, epoch_number epoch, std::span<const dirty_record> records) override;

  /// Makes what was appended of the split durable: to be called before the commit of the mark that covers it.
  result<void> sync(split_index split) override;

  /// The mark at `position` (of the next record to read) is durable: publishes the split's records below it.
  result<void> promote(split_index split, std::uint64_t position) override;

  /// Part of `open` under `epoch`: publishes what is below the mark's `position` and not published yet, drops
  /// what is at or above it, and from now on leaves out what older epochs append.
  result<void> drop(split_index split, epoch_number epoch, std::uint64_t position) override;

  /// The run's data is complete: everything published is durable, and the pending folder is gone. `internal`
  /// where a record above a mark is left.
  result<void> seal() override;

  /// How many of a split's `dirty_total` (of its mark) are not in this folder's file: the text of those was
  /// lost with another folder. Exact after `drop` or `promote` of that mark.
  [[nodiscard]] std::uint64_t missing(split_index split, std::uint64_t dirty_total) const override;

  /// Records in `dirty.jsonl` by their code, those of earlier processes included. Left out are lines of
  /// programs that did not write the code in front, and codes of which the lines' heads do not hold all.
  [[nodiscard]] std::map<std::string, std::uint64_t> published_by_code() const override {
    return {codes_.begin(), codes_.end()};
  }

  /// Records in `dirty.jsonl`, those of earlier processes included.
  [[nodiscard]] std::uint64_t published() const { return published_total_; }

  /// `<folder>/dirty.jsonl`.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  class line_file;

  /// Records by code.
  using code_counts = std::map<std::string, std::uint64_t, std::less<>>;

  /// What is held of a split above its last mark. Lines before `begin` are published already.
  struct pending {
    std::unique_ptr<line_file> file;
    std::uint64_t begin = 0;
    std::uint64_t records = 0;        // from `begin` on
    std::uint64_t position_last = 0;  // where records > 0
    code_counts codes;                // of these records, where known
    bool durable_name = false;        // the folder's entry was synced
  };
  struct split_state {
    epoch_number epoch;
    std::uint64_t published = 0;
    std::uint64_t position_published = 0;  // highest; where published > 0
    std::optional<pending> held;
  };

  explicit dirty_file(settings how);
  result<void> read_published();
  result<void> read_pending();
  result<void> read_pending_of(split_index split, const std::string& path);
  result<pending*> pending_of(split_index split, split_state& state);
  result<void> close_empty();
  result<void> publish_until(split_state& state, std::uint64_t position);
  [[nodiscard]] std::string pending_folder() const { return how_.folder + "/dirty.pending"; }

  settings how_;
  std::string run_members_;
  std::string path_;
  std::unique_ptr<line_file> published_file_;
  std::map<split_index, split_state> splits_;
  std::uint64_t published_total_ = 0;
  code_counts codes_;  // of what is published
  std::size_t open_pending_ = 0;
  std::string lines_;  // being put together; kept for its memory
};

}  // namespace sluice
