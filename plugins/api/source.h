#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/connections.h"
#include "plugins/api/file_use.h"
#include "plugins/api/table_facts.h"
#include "plugins/api/table_use.h"
#include "transport/base/stop.h"
#include "transport/record/batch_builder.h"

namespace sluice {

/// A part of the source, small enough to retry. Its description is all that `reader::open` gets: it is frozen
/// in the destination and may come back in another process.
struct split {
  scalar_list description;
  std::string label;                                 ///< For people: `orders.csv bytes 0 to 67108864`.
  std::optional<std::uint64_t> records_exact = {};   ///< Only where known without reading.
  std::optional<std::uint64_t> bytes_estimate = {};  ///< For progress and time left.
};

/// A split of a run that is continued, as it stands in the destination.
struct frozen_split {
  scalar_list description;
  std::optional<cursor> after;  ///< Nothing: nothing of it was delivered, or its reader makes no cursors.
  bool done = false;
};

/// A snapshot that is held at the source until the run's end; the server keeps for it what it would clean up.
struct held_snapshot {
  std::chrono::steady_clock::time_point since;
  std::chrono::milliseconds age_max{0};  ///< Then the run stops; 0 = no limit.
  std::string place;                     ///< Of the option that says so, for the message.
};

/// What a source says of itself once it is open.
struct source_description {
  schema_ptr columns;                   ///< In the order of the job's `column`.
  std::vector<std::string> statements;  ///< What is read, as shown in plan and summary: SQL, or files.
  bool repeatable = false;              ///< Reading a split again gives the same records in the same order.
  bool resumable = false;               ///< Its readers make cursors and `open` after one.
  /// `plan_splits` takes no pass over the data: `check` asks for it, too.
  bool plans_at_once = false;
  std::vector<std::string> notes =
      {};  ///< For the plan, one sentence each: time of a newline pass, a choice made.
  std::vector<file_use> files_read = {};  ///< Files of this machine.
  /// Patterns by which files are found: what the destination makes may fall under them the next time.
  std::vector<file_pattern> patterns = {};
  connection_count connections = {};
  /// Of the one table that is read by its columns; of anything else no more than whose words its types are.
  std::shared_ptr<const table_facts> table = nullptr;
  std::optional<held_snapshot> snapshot = {};
};

/// What a `reader::read` call came to.
struct read_answer {
  enum class kind {
    full,   ///< The builder has reached its target, or holds what there is for now: seal it and call again.
    end,    ///< The split has no more records (the builder may hold some).
    needs,  ///< The record at hand needs more than `bytes_max`: call again with room, same record. The
            ///< builder holds whole records only; what of the record is already read stays in the reader.
  };
  kind what = kind::full;
  std::uint64_t bytes = 0;  ///< Only with `needs`: how much `bytes_max` must be in all.
};

/// Reads splits, one at a time, for one pipeline. Owned and called by one thread, which may block here; waits
/// end when the stop given fires (`wait` in stop.h). Only `interrupt` is called from another thread.
class reader {
 public:
  virtual ~reader() = default;

  /// Goes to the start of the split, or behind `after` (a cursor this plugin made for this split). May be
  /// called at any time for any split; what was open before is closed. `source_changed` where the source is
  /// not what the split describes.
  virtual result<void> open(const scalar_list& split_description, const std::optional<cursor>& after,
                            const stop_signal& stop) = 0;

  /// Appends records to the builder until it is full. A record that can itself be blamed goes to
  /// `builder.refuse`; an error ends the split's epoch. After `needs` the next call continues inside the
  /// record. A reader that resumes sets `builder.set_cursor` to where a restart after this batch begins.
  virtual result<read_answer> read(batch_builder& builder, const stop_signal& stop) = 0;

  /// How much of the source `read` has taken since `open`, in the measure of `split::bytes_estimate` (of a
  /// packed file the packed bytes). For progress only; 0 where it is not told. Called between reads.
  [[nodiscard]] virtual std::uint64_t source_bytes() const { return 0; }

  /// Ends a statement on the server. Thread-safe, returns at once. For readers that wait only through the
  /// stop signal there is nothing to do.
  virtual void interrupt() {}
};

/// `error::code` of `source_changed` where nothing can be put back: what was delivered cannot be gone on
/// with.
inline constexpr const char* begin_anew_code = "begin_anew";

/// The source of one run. Owned by one thread, which may block here. Makes readers; they may outlive calls
/// but not the source.
class source {
 public:
  virtual ~source() = default;

  /// Connects or opens, and describes. Changes nothing. `bad_option` where the job does not fit the source.
  virtual result<source_description> open(const stop_signal& stop) = 0;

  /// The splits, at least one, in a stable order; `advice` pipelines will work on them. Called once, after
  /// `open`, and not at all by a resumed run, whose splits are frozen.
  virtual result<std::vector<split>> plan_splits(std::uint32_t advice, const stop_signal& stop) = 0;

  /// Called in place of `plan_splits`, before the first reader is made, where a run is continued:
  /// `source_changed` where what was delivered is known to be no longer what the source holds, or the splits
  /// no longer describe it. What is left to `reader::open` is the part before a split's cursor.
  virtual result<void> take_up(const std::vector<frozen_split>& splits, const stop_signal& stop) {
    (void)splits, (void)stop;
    return {};
  }

  /// The statement that reads a split, as it is sent and with `?` for what is bound; `resumed`: behind a
  /// cursor. Empty where none is sent (files). For the plan; after `open`.
  [[nodiscard]] virtual std::string statement_of(const scalar_list& split_description, bool resumed) const {
    (void)split_description, (void)resumed;
    return {};
  }

  /// Splits with one name here hold under what this run holds at the source: once any of them was delivered,
  /// a later process can read none of the others (`take_up` refuses it). Empty: any process can read it.
  [[nodiscard]] virtual std::string bound_by(const scalar_list& split_description) const {
    (void)split_description;
    return {};
  }

  /// What it reads of a server's tables, as the first `open` found them. Thread-safe after it.
  [[nodiscard]] virtual table_use tables_used() const { return {}; }

  /// The columns marked, all of which have an `own_form`, travel in the product's own bytes: neighbours as
  /// one field with `own`. What batches of the readers made from here on have. Called at most once, before
  /// the first reader is made, and only where the source gave own forms.
  virtual result<schema_ptr> carry_own(const std::vector<bool>& marked) {
    (void)marked;
    return fail(error_kind::internal, "the source has no own bytes of its columns");
  }

  /// A reader for one pipeline. Cheap; connects in its `open`.
  virtual result<std::unique_ptr<reader>> make_reader() = 0;

  /// Called when all splits are done and before the run is: `source_changed` where something read is not what
  /// it was when planned.
  virtual result<void> check_unchanged(const stop_signal& stop) {
    (void)stop;
    return {};
  }

  /// The line, from 1, of the record at `byte_offset` of a file that the reader gave as a place without its
  /// line: where counting every line beforehand was not worth a pass, a dirty record has it counted. Nothing
  /// where it cannot be told. Thread-safe; may block.
  virtual std::optional<std::uint64_t> line_at(const std::string& file, std::uint64_t byte_offset,
                                               const stop_signal& stop) {
    (void)file, (void)byte_offset, (void)stop;
    return std::nullopt;
  }

  /// Thread-safe, as `reader::interrupt`.
  virtual void interrupt() {}
};

}  // namespace sluice
