#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/pipeline/channel_core.h"
#include "actors/pipeline/writer_core.h"
#include "transport/record/canonical.h"

namespace sluice::testing {

inline schema_ptr one_number() {
  return std::make_shared<const schema>(schema{{"n", type_of(type_id::int64), true, "bigint"}});
}

/// A batch of consecutive numbers from `first`, as a reader would send it.
inline std::shared_ptr<batch> numbers(std::int64_t first, std::uint32_t count, std::uint64_t sequence,
                                      epoch_number epoch, bool end = false) {
  static const auto pool = buffer_pool::make(1 << 20);
  batch_builder builder(one_number(), pool, {});
  for (std::uint32_t i = 0; i < count; ++i) {
    builder.at(0).append<std::int64_t>(first + i);
    builder.commit_row();
  }
  builder.set_cursor({{"next", {first + static_cast<std::int64_t>(count)}}});
  auto b = builder.seal(static_cast<std::uint64_t>(first));
  b->sequence = sequence;
  b->epoch = epoch;
  b->split = {7};
  b->split_end = end;
  return b;
}

/// A destination in memory that does what a test tells it to.
class scripted_writer : public writer {
 public:
  mark durable;
  std::vector<std::int64_t> rows;    ///< Committed.
  std::vector<std::int64_t> buffer;  ///< Written since.
  std::vector<error> next_write;     ///< Failures to come, last first.
  std::vector<error> next_commit;
  bool commit_is_applied = false;   ///< Although its answer is a failure.
  std::vector<refused_row> refuse;  ///< In the next write.
  written_parts parts;              ///< Of each write.
  change_counts changes;            ///< Likewise.
  std::vector<mark> commits;
  int rollbacks = 0;
  int forbidden = 0;  ///< How often reading again was.

  result<mark> open(split_index split, epoch_number epoch, const stop_signal&) override {
    if (durable.epoch >= epoch) {
      return fail(error_kind::conflict, "a newer epoch");
    }
    durable.split = split;
    durable.epoch = epoch;
    return durable;
  }
  result<write_answer> write(const batch& b, const stop_signal&) override {
    if (!next_write.empty()) {
      const error e = next_write.back();
      next_write.pop_back();
      return fail(e);
    }
    write_answer a;
    a.refused = std::exchange(refuse, {});
    a.parts = parts;
    a.changes = changes;
    for (std::uint32_t row = 0; row < b.rows; ++row) {
      bool refused = false;
      for (const auto& r : a.refused) {
        refused = refused || r.row == row;
      }
      if (!refused) {
        buffer.push_back(b.columns[0].get<std::int64_t>(row));
        a.written_sum += canonical_sum(b.columns, *b.columns_schema, row, row + 1);
        ++a.written;
      }
    }
    return a;
  }
  result<void> commit(const mark& m, const stop_signal&) override {
    const bool fails = !next_commit.empty();
    if (!fails || commit_is_applied) {
      durable = m;
      rows.insert(rows.end(), buffer.begin(), buffer.end());
      buffer.clear();
    }
    if (fails) {
      const error e = next_commit.back();
      next_commit.pop_back();
      return fail(e);
    }
    commits.push_back(m);
    return {};
  }
  void forbid_reading_again() override { ++forbidden; }
  void rollback() override {
    ++rollbacks;
    buffer.clear();
  }
};

/// Keeps what a writer says.
class writer_log : public writer_out {
 public:
  std::vector<rewind_msg> rewinds;
  std::vector<credit_msg> credits;
  std::vector<dirty_report> reports;
  std::vector<dirty_sync> syncs;
  std::vector<dirty_commit> dirty_commits;
  std::vector<dirty_drop> drops;
  rows_beside beside;
  std::vector<mark> opens;
  std::vector<mark> commits;
  std::vector<error> losses;
  std::vector<std::optional<dirty_side>> lost_ends;
  std::vector<retry_try> tries;
  std::vector<error> failures;
  std::vector<std::optional<dirty_side>> failed_ends;
  int stops = 0;
  int commit_timers = 0;
  int retry_timers = 0;
  std::vector<std::chrono::milliseconds> retry_waits;

  void to_channel(const rewind_msg& m) override { rewinds.push_back(m); }
  void to_channel(const credit_msg& m) override { credits.push_back(m); }
  void to_error(dirty_report m) override { reports.push_back(std::move(m)); }
  void to_error(const dirty_sync& m) override { syncs.push_back(m); }
  void to_error(const dirty_commit& m) override { dirty_commits.push_back(m); }
  void to_error(const dirty_drop& m) override { drops.push_back(m); }
  void opened(const mark& m, const rows_beside& more) override {
    opens.push_back(m);
    beside += more;
  }
  void wrote(split_index, const record_counts&) override {}
  void committed(const mark& m, const rows_beside& more) override {
    commits.push_back(m);
    beside += more;
  }
  void rewound(split_index, const error& why, std::optional<dirty_side> end, const retry_try& next) override {
    losses.push_back(why);
    lost_ends.push_back(end);
    tries.push_back(next);
  }
  void failed(split_index, const error& why, std::optional<dirty_side> end) override {
    failures.push_back(why);
    failed_ends.push_back(end);
  }
  void stopped() override { ++stops; }
  void start_commit_timer(std::chrono::milliseconds) override { ++commit_timers; }
  void start_retry_timer(std::chrono::milliseconds wait) override {
    ++retry_timers;
    retry_waits.push_back(wait);
  }
};

}  // namespace sluice::testing
