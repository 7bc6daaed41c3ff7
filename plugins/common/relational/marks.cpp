#include <fmt/format.h>

#include "plugins/api/target.h"
#include "plugins/common/relational/progress.h"
#include "plugins/common/relational/progress_sql.h"

namespace sluice::relational {
namespace {

std::string split_text(split_index split) {
  return fmt::format("split {}", split.value);
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
  return renewed == 1 ? result<void>() : fail(taken_over(dialect, "run " + claim.run.text()));
}

error step_unknown(const progress_dialect& dialect, const claim_state& claim, const std::string& stage,
                   bool has_run, error why) {
  why.code = step_unknown_code;
  why.final = !has_run;  // that it has run can still be recorded
  why.message += fmt::format(
      "; {}: {} `{}` before the same command is run again, which else runs it once more",
      has_run ? "the statement has run, which could not be recorded"
              : "the statement commits by itself, so that nobody but you can see whether it has run",
      has_run ? "say so with" : "where it has, say so with",
      written(dialect,
              fmt::format("UPDATE @run SET [stage] = '{}' WHERE [run] = '{}'", stage, claim.run.text())));
  return why;
}

result<void> set_stage_of(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                          const std::string& stage) {
  SLUICE_TRY(
      const auto set,
      session.run(
          written(dialect, fmt::format("UPDATE @run SET [stage] = ?, [renewed_at] = @now WHERE [run] = ? AND "
                                       "[term] = {}",
                                       claim.term)),
          {stage, claim.run.text()}));
  return set == 1 ? result<void>() : fail(taken_over(dialect, "run " + claim.run.text()));
}

result<mark> open_split(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, const std::string& owner) {
  result<mark> found = mark{};
  auto done = in_transaction(session, [&]() -> result<void> {
    SLUICE_TRY(
        const auto owned,
        session.run(written(dialect, fmt::format("UPDATE @progress SET [epoch] = {0}, [owner] = ?, [txn] = "
                                                 "0 WHERE [run] = ? AND [split] = {1} AND [epoch] < {0}",
                                                 stored(epoch.value), split.value)),
                    {owner, claim.run.text()}));
    if (owned != 1) {
      return fail(taken_over(dialect, split_text(split)));
    }
    // All columns are there: `make_tables` has run.
    SLUICE_TRY(
        const auto rows,
        session.ask(written(dialect, fmt::format("SELECT {} FROM @progress WHERE [run] = ? AND [split] = {}",
                                                 mark_columns(true), split.value)),
                    {claim.run.text()}));
    if (rows.size() != 1) {
      return fail(error_kind::internal, "{}: {} has no mark", dialect.place, split_text(split));
    }
    found = mark_in(rows[0], 0, split);
    return found ? result<void>() : fail(found.error());
  });
  SLUICE_CHECK(std::move(done));
  return found;
}

result<void> begin_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                        split_index split, epoch_number epoch, std::uint64_t transaction) {
  SLUICE_TRY(
      const auto owned,
      session.run(written(dialect, fmt::format("UPDATE @progress SET [txn] = {} WHERE [run] = ? AND [split] "
                                               "= {} AND [epoch] = {}",
                                               stored(transaction), split.value, stored(epoch.value))),
                  {claim.run.text()}));
  return owned == 1 ? result<void>() : fail(taken_over(dialect, split_text(split)));
}

result<void> end_mark(sql_session& session, const progress_dialect& dialect, const claim_state& claim,
                      const mark& m) {
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
    return fail(taken_over(dialect, split_text(m.split)));
  }
  return dialect.renews_in_data ? renew_claim(session, dialect, claim, "") : result<void>();
}

}  // namespace sluice::relational
