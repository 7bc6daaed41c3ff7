#include <fmt/format.h>

#include "plugins/api/target.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/relational/progress_sql.h"

namespace sluice::relational {
namespace {

std::string split_text(split_index split, const claim_state& claim) {
  return fmt::format("split {} of run {}", split.value, claim.run.text());
}

}  // namespace

result<void> renew_claim(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                         const std::string& session_name) {
  if (claim.term == 0) {
    return {};
  }
  std::vector<sql_text> values;
  std::string set = "[renewed_at] = @now";
  if (!session_name.empty()) {
    set += ", [owner_session] = ?";
    values.emplace_back(session_name);
  }
  values.emplace_back(claim.run.text());
  SLUICE_TRY(const auto renewed,
             session.run(written(dialect, fmt::format("UPDATE @run SET {} WHERE [run] = ? AND [term] = {}",
                                                      set, claim.term)),
                         values));
  return renewed == 1 ? result<void>()
                      : fail(taken_over(session, dialect, claim.run, "run " + claim.run.text()));
}

result<void> set_stage_of(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& stage) {
  if (!dialect.kept) {
    return {};
  }
  SLUICE_TRY(
      const auto set,
      session.run(
          written(dialect, fmt::format("UPDATE @run SET [stage] = ?, [renewed_at] = @now WHERE [run] = ? AND "
                                       "[term] = {}",
                                       claim.term)),
          {stage, claim.run.text()}));
  return set == 1 ? result<void>() : fail(taken_over(session, dialect, claim.run, "run " + claim.run.text()));
}

result<std::string> stage_of(sql_session& session, const progress_dialect& dialect,
                             const claim_state& claim) {
  if (!dialect.kept) {
    return std::string();
  }
  SLUICE_TRY(
      const auto rows,
      session.ask(written(dialect, fmt::format("SELECT [stage] FROM @run WHERE [run] = ? AND [term] = {}",
                                               claim.term)),
                  {claim.run.text()}));
  return rows.empty() ? fail(taken_over(session, dialect, claim.run, "run " + claim.run.text()))
                      : result<std::string>(rows[0].at(0).value_or(""));
}

result<mark> open_split(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, const std::string& owner) {
  if (!dialect.kept) {
    return mark_at_start(split, epoch);
  }
  result<mark> found = mark{};
  auto done = in_transaction(session, [&]() -> result<void> {
    SLUICE_TRY(
        const auto owned,
        session.run(written(dialect, fmt::format("UPDATE @progress SET [epoch] = {0}, [owner] = ?, [txn] = "
                                                 "0 WHERE [run] = ? AND [split] = {1} AND [epoch] < {0}",
                                                 stored(epoch.value), split.value)),
                    {owner, claim.run.text()}));
    if (owned != 1) {
      return fail(taken_over(session, dialect, claim.run, split_text(split, claim)));
    }
    // All columns are there: `make_tables` has run.
    SLUICE_TRY(
        const auto rows,
        session.ask(written(dialect, fmt::format("SELECT {} FROM @progress WHERE [run] = ? AND [split] = {}",
                                                 mark_columns(true), split.value)),
                    {claim.run.text()}));
    if (rows.size() != 1) {
      return fail(error_kind::internal, "{}: {} has no mark", dialect.place, split_text(split, claim));
    }
    found = mark_in(rows[0], 0, split);
    return found ? result<void>() : fail(found.error());
  });
  SLUICE_CHECK(std::move(done));
  return found;
}

result<void> begin_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, std::uint64_t transaction) {
  if (!dialect.kept) {
    return {};
  }
  SLUICE_TRY(
      const auto owned,
      session.run(written(dialect, fmt::format("UPDATE @progress SET [txn] = {} WHERE [run] = ? AND [split] "
                                               "= {} AND [epoch] = {}",
                                               stored(transaction), split.value, stored(epoch.value))),
                  {claim.run.text()}));
  return owned == 1 ? result<void>()
                    : fail(taken_over(session, dialect, claim.run, split_text(split, claim)));
}

result<void> end_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                      const mark& m) {
  if (!dialect.kept) {
    return {};
  }
  std::vector<sql_text> values;
  const std::string set = assignments(mark_fields(m), values);
  values.emplace_back(claim.run.text());
  SLUICE_TRY(
      const auto owned,
      session.run(
          written(dialect, fmt::format("UPDATE @progress SET {} WHERE [run] = ? AND [split] = {} "
                                       "AND [epoch] = {} AND [txn] = {}",
                                       set, m.split.value, stored(m.epoch.value), stored(m.transaction))),
          values));
  if (owned != 1) {
    return fail(taken_over(session, dialect, claim.run, split_text(m.split, claim)));
  }
  return dialect.renews_in_data ? renew_claim(session, dialect, claim, "") : result<void>();
}

}  // namespace sluice::relational
