// The steps around the data: preSql, the table that is made, sequences, postSql.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/api/step_stage.h"
#include "plugins/common/relational/lone_step.h"
#include "plugins/postgresql/postgresql_target.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// Behind these other tables and columns may be there than now.
constexpr auto changing_words =
    std::to_array<std::string_view>({"CREATE", "ALTER", "DROP", "DO", "CALL", "SET", "IMPORT", "SELECT"});
/// What cannot run in a transaction and may run twice.
constexpr auto repeatable_words =
    std::to_array<std::string_view>({"VACUUM", "ANALYZE", "REINDEX", "CLUSTER"});

template <class Words>
bool begins_with_any(std::string_view sql, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return relational::begins_with_word(sql, w, sql_rules()); });
}

error placed(error e, const std::string& place) {
  e.message = fmt::format("{}: {}", place, e.message);
  return e;
}

bool has_word(std::string_view sql, std::string_view word) {
  const auto tokens = relational::tokens_of(sql, sql_rules());
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const relational::sql_token& t) { return relational::is_word(t, word); });
}

/// Of a statement of the job's: one that a constraint refuses is no bad record.
error of_statement(error e, const std::string& place) {
  if (e.kind == error_kind::bad_row) {
    e.kind = error_kind::bad_option;
  }
  return placed(std::move(e), place);
}

}  // namespace

bool postgresql_target::may_repeat(std::string_view sql) {
  if (begins_with_any(sql, repeatable_words)) {
    return true;
  }
  // Not CREATE INDEX CONCURRENTLY IF NOT EXISTS: it passes by what a killed one has left half made.
  return begins_with_any(sql, std::to_array<std::string_view>({"DROP"})) && has_word(sql, "IF");
}

result<void> postgresql_target::check_own_snapshot(const std::string& sql, const std::string& place) {
  const bool waits = begins_with_any(sql, std::to_array<std::string_view>({"CREATE", "REINDEX"})) &&
                     has_word(sql, "CONCURRENTLY");
  if (!waits || connection_->is_plain()) {
    return {};
  }
  // Of another account's session nobody is told whether it has one.
  SLUICE_TRY(const auto holding,
             connection_->ask(fmt::format("SELECT 1 FROM pg_catalog.pg_stat_activity WHERE datname = "
                                          "pg_catalog.current_database() AND pid <> "
                                          "pg_catalog.pg_backend_pid() AND {} AND (backend_xmin IS NOT NULL "
                                          "OR state IS NULL) LIMIT 1",
                                          of_run_sql(session_.job, session_.run, "application_name"))));
  return holding.empty()
             ? result<void>()
             : fail(error_kind::bad_option,
                    "{}: {} waits until all that reads this database under an older snapshot is done, and "
                    "this job's reader does so until its end; leave CONCURRENTLY out, write it into "
                    "\"postSql\", or run it by itself before the job",
                    place, in_quotes(sql));
}

std::vector<target_step> postgresql_target::steps_before() const {
  return steps_ ? steps_->shown_before(create_sql_, table_there_) : std::vector<target_step>();
}

std::vector<target_step> postgresql_target::steps_after() const {
  auto steps = steps_ ? steps_->shown_after() : std::vector<target_step>();
  if (steps_ && options_.reset_sequences) {
    steps.insert(steps.begin(), {"move sequences on (resetSequences)", true});
  }
  return steps;
}

result<void> postgresql_target::check_steps(const stop_signal& stop) {
  stop_ = stop;
  SLUICE_CHECK(connect_once());
  for (const relational::placed_text& sql : steps_->pre_sql()) {
    SLUICE_CHECK(check_own_snapshot(sql.text, sql.place));
  }
  bool statements_change = options_.create_table && !table_there_;
  for (const auto* list : {&steps_->pre_sql(), &steps_->post_sql()}) {
    for (const relational::placed_text& sql : *list) {
      SLUICE_CHECK(check_step(sql.text, sql.place, statements_change));
    }
  }
  return {};
}

result<void> postgresql_target::check_step(const std::string& sql, const std::string& place,
                                           bool& statements_change) {
  auto compiled = connection_->describe(sql);
  if (compiled) {
    statements_change = statements_change || begins_with_any(sql, changing_words);
    return {};
  }
  error why = std::move(compiled).error();
  if (why.kind == error_kind::not_connected || why.kind == error_kind::cancelled) {
    return fail(std::move(why));
  }
  const std::string& code = connection_->last_failure().sqlstate;
  // Several statements in one text are not compiled together; what stands behind cannot be told either.
  const bool several = code == "42601" && connection_->last_failure().position.empty();
  if (several || (code != "42601" && statements_change)) {
    statements_change = true;
    return {};
  }
  why.message = fmt::format("{}: {}; mend the statement", place, why.message);
  why.kind = why.kind == error_kind::denied ? error_kind::denied : error_kind::bad_option;
  return fail(std::move(why));
}

result<void> postgresql_target::run_step(const relational::target_steps::step& step,
                                         const step_stages& stages) {
  if (ran_ == stages.behind) {
    return run_step_alone(step, stages);
  }
  SLUICE_TRY(connection * c, connect_once());
  const auto with_place = [&](error e) { return fail(of_statement(std::move(e), step.place)); };
  bool outside = false;
  auto inside = relational::in_transaction(*statements_, [&]() -> result<void> {
    if (auto done = c->run_script(step.sql); !done) {
      outside = c->last_failure().sqlstate == "25001";  // it cannot run in a transaction
      return with_place(std::move(done).error());
    }
    if (!c->in_transaction()) {
      return with_place({error_kind::bad_option,
                         fmt::format("{} ended the transaction it ran in; leave COMMIT and ROLLBACK out",
                                     in_quotes(step.sql)),
                         "", false});
    }
    return relational::set_stage_of(*statements_, dialect_, *claim_, stages.behind);
  });
  return outside ? run_step_alone(step, stages) : inside;
}

result<void> postgresql_target::run_step_alone(const relational::target_steps::step& step,
                                               const step_stages& stages) {
  SLUICE_TRY(connection * c, connect_once());
  const bool twice = may_repeat(step.sql);
  return relational::run_lone_step(
      *statements_, dialect_, *claim_, {step.sql, step.place, twice}, stages, ran_,
      [&]() -> std::optional<relational::step_failure> {
        auto done = c->run_script(step.sql);
        if (done) {
          return std::nullopt;
        }
        // Else the server's answer says that it has not run to its end.
        const bool is_lost = done.error().kind == error_kind::not_connected || c->is_lost();
        error why = of_statement(std::move(done).error(), step.place);
        if (has_word(step.sql, "CONCURRENTLY") && (twice || !is_lost)) {
          why.message += "; " + what_to_look_at(step.sql);
        }
        why.final = why.final || !twice;  // what it has left half made would refuse it again
        return relational::step_failure{
            std::move(why), is_lost ? std::optional(relational::step_outcome::lost) : std::nullopt};
      });
}

result<void> postgresql_target::run_step_before(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  relational::target_steps::step step = steps_->before(create_sql_)[index];
  // Where the table is there, making it is no more than a step that has been taken.
  bool there = step.sql.empty();
  if (step.is_create && !there) {
    SLUICE_TRY(connection * c, connect_once());
    SLUICE_TRY(const auto found, c->ask(fmt::format("SELECT {} IS NOT NULL", oid_sql(*c, quoted_table_))));
    there = found.at(0).at(0) == "t";
  }
  if (there) {
    step.sql = "SELECT 1";
  }
  SLUICE_CHECK(connect_once());
  SLUICE_CHECK(check_own_snapshot(step.sql, step.place));
  SLUICE_CHECK(run_step(step, stages_before_data(index, step.sql)));
  steps_->done_before(index);
  return {};
}

result<void> postgresql_target::run_step_after(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  const step_stages stages = stages_behind_data(steps_after(), index);
  const std::size_t resets = options_.reset_sequences ? 1 : 0;
  if (index < resets) {
    const std::string sql = move_sequences_sql(quoted_table_, sequences_);
    return run_step({sql.empty() ? "SELECT 1" : sql, values_.place("resetSequences"), false}, stages);
  }
  const relational::placed_text& sql = steps_->post_sql()[index - resets];
  return run_step({sql.text, sql.place, false}, stages);
}

}  // namespace sluice::postgresql
