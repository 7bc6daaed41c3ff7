#include "plugins/sqlite/sqlite_claim.h"

#include <fmt/format.h>

#include "plugins/sqlite/sqlite_connection.h"
#include "plugins/sqlite/sqlite_progress_tables.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

std::string split_text(split_index split) {
  return fmt::format("split {}", split.value);
}

}  // namespace

result<void> renew_claim(database& db, const claim_state& claim) {
  if (claim.term == 0) {
    return {};
  }
  SLUICE_TRY(const auto renewed,
             db.run(fmt::format("UPDATE sluice_run SET renewed_at = {} WHERE run = ? AND term = ?", now_sql),
                    {std::string_view(claim.run.text()), std::int64_t{claim.term}}));
  return renewed == 1 ? result<void>() : fail(taken_over(db.path(), "run " + claim.run.text()));
}

result<void> set_stage_of(database& db, const claim_state& claim, const std::string& stage) {
  SLUICE_TRY(const auto set,
             db.run(fmt::format("UPDATE sluice_run SET stage = ?, renewed_at = {} WHERE run = ? AND term = ?",
                                now_sql),
                    {std::string_view(stage), std::string_view(claim.run.text()), std::int64_t{claim.term}}));
  return set == 1 ? result<void>() : fail(taken_over(db.path(), "run " + claim.run.text()));
}

result<mark> open_split(database& db, const claim_state& claim, split_index split, epoch_number epoch) {
  const std::string run = claim.run.text();
  const std::string owner = claim.owner ? fmt::format("{}:{}", claim.owner->host, claim.owner->pid) : "";
  result<mark> found = mark{};
  auto done = in_transaction(db, [&]() -> result<void> {
    SLUICE_TRY(const auto owned, db.run("UPDATE sluice_progress SET epoch = ?1, owner = ?2, txn = 0 WHERE "
                                        "run = ?3 AND split = ?4 AND epoch < ?1",
                                        {stored(epoch.value), std::string_view(owner), std::string_view(run),
                                         std::int64_t{split.value}}));
    if (owned != 1) {
      return fail(taken_over(db.path(), split_text(split)));
    }
    SLUICE_TRY(const std::string_view columns, mark_columns(db));
    SLUICE_TRY(statement read, db.prepare(fmt::format(
                                   "SELECT {} FROM sluice_progress WHERE run = ? AND split = ?", columns)));
    read.bind_text(1, run);
    read.bind(2, std::int64_t{split.value});
    if (read.step() != step_answer::row) {
      return fail(db.failure("read the mark"));
    }
    found = read_mark(read, 0, split);
    return found ? result<void>() : fail(found.error());
  });
  SLUICE_CHECK(std::move(done));
  return found;
}

result<void> begin_mark(database& db, const claim_state& claim, split_index split, epoch_number epoch,
                        std::uint64_t transaction) {
  SLUICE_TRY(const auto owned,
             db.run("UPDATE sluice_progress SET txn = ? WHERE run = ? AND split = ? AND epoch = ?",
                    {stored(transaction), std::string_view(claim.run.text()), std::int64_t{split.value},
                     stored(epoch.value)}));
  return owned == 1 ? result<void>() : fail(taken_over(db.path(), split_text(split)));
}

result<void> end_mark(database& db, const claim_state& claim, const mark& m) {
  SLUICE_TRY(statement update, db.prepare("UPDATE sluice_progress SET sequence = ?5, position = ?6, cursor = "
                                          "?7, read = ?8, written = ?9, ignored = ?10, dirty = "
                                          "?11, filtered = ?12, bytes = ?13, read_sum = ?14, written_sum = "
                                          "?15, dirty_sum = ?16, changed = ?17, done = ?18, dirty_bytes = "
                                          "?19, filtered_bytes = ?20, changes = ?21 "
                                          "WHERE run = ?1 AND split = ?2 AND epoch = ?3 AND txn = ?4"));
  const std::string run = claim.run.text();
  const mark_values values(m);
  update.bind_text(1, run);
  update.bind(2, std::int64_t{m.split.value});
  update.bind(3, stored(m.epoch.value));
  update.bind(4, stored(m.transaction));
  values.bind(update, 5, m);
  if (update.step() != step_answer::done) {
    return fail(db.failure("write the mark"));
  }
  if (db.changes() != 1) {
    return fail(taken_over(db.path(), split_text(m.split)));
  }
  return renew_claim(db, claim);
}

}  // namespace sluice::sqlite
