// The steps around the data: preSql, the table that is made, postSql.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/api/step_stage.h"
#include "plugins/common/relational/lone_step.h"
#include "plugins/mysql/mysql_target.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// Statements that stand in a transaction with the record that they ran; all others commit by themselves.
constexpr auto transaction_words =
    std::to_array<std::string_view>({"INSERT", "UPDATE", "DELETE", "REPLACE", "DO", "WITH", "SELECT"});
/// Statements that run others, each of which commits by itself or may commit; MariaDB runs those of
/// procedures outside of them too, with sql_mode ORACLE behind DECLARE.
constexpr auto calling_words = std::to_array<std::string_view>(
    {"CALL", "EXECUTE", "BEGIN", "DECLARE", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"});
constexpr auto changing_words = std::to_array<std::string_view>({"CREATE", "ALTER", "DROP", "RENAME"});

template <class Words>
bool begins_with_any(std::string_view sql, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return relational::begins_with_word(sql, w, sql_rules()); });
}

/// Whether it runs others, behind MariaDB's SET STATEMENT … FOR too.
bool calls_others(std::string_view sql) {
  const auto tokens = relational::tokens_of(sql, sql_rules());
  const auto is = [&](std::size_t at, std::string_view word) {
    return at < tokens.size() && relational::is_word(tokens[at], word);
  };
  std::size_t at = 0;
  while (at < tokens.size() && tokens[at].text == ";") {
    ++at;
  }
  if (is(at, "SET") && is(at + 1, "STATEMENT")) {
    while (at < tokens.size() && !(tokens[at].depth == 0 && is(at, "FOR"))) {
      ++at;
    }
    ++at;
  }
  return std::any_of(calling_words.begin(), calling_words.end(),
                     [&](std::string_view word) { return is(at, word); });
}

}  // namespace

bool mysql_target::may_run_twice(std::string_view sql) {
  const auto tokens = relational::tokens_of(sql, sql_rules());
  const auto is = [&](std::size_t at, std::string_view word) {
    return at < tokens.size() && relational::is_word(tokens[at], word);
  };
  // MariaDB's SET STATEMENT … FOR and ANALYZE of a statement run another one.
  if (is(0, "SET") || is(0, "ANALYZE")) {
    constexpr auto maintenance = std::to_array<std::string_view>({"TABLE", "LOCAL", "NO_WRITE_TO_BINLOG"});
    return is(0, "SET") ? !is(1, "STATEMENT")
                        : std::any_of(maintenance.begin(), maintenance.end(),
                                      [&](std::string_view word) { return is(1, word); });
  }
  if (is(0, "TRUNCATE") || is(0, "OPTIMIZE")) {
    return true;
  }
  if (!is(0, "CREATE") && !is(0, "DROP")) {
    return false;
  }
  for (std::size_t i = 1; i < tokens.size() && tokens[i].text != "("; ++i) {
    if (is(i, "IF") && is(i + (is(i + 1, "NOT") ? 2 : 1), "EXISTS")) {
      return true;
    }
  }
  return false;
}

result<void> mysql_target::check_steps(const stop_signal& stop) {
  stop_ = stop;
  bool statements_change = options_.create_table;
  for (const auto* steps : {&steps_.pre_sql(), &steps_.post_sql()}) {
    for (const placed_text& sql : *steps) {
      SLUICE_CHECK(check_step(sql, statements_change));
    }
  }
  return {};
}

result<void> mysql_target::check_step(const placed_text& sql, bool& statements_change) {
  SLUICE_TRY(connection * c, connect());
  if (auto compiled = c->describe(sql.text, stop_); !compiled) {
    error e = std::move(compiled).error();
    const bool missing = e.code == "ER_NO_SUCH_TABLE" || e.code == "ER_BAD_FIELD_ERROR";
    if (is_lost(e)) {
      return fail(std::move(e));
    }
    if (e.code == "ER_PARSE_ERROR" || (missing && !statements_change)) {
      e.kind = error_kind::bad_option;
      e.message = fmt::format("{}: {}: {}; mend the statement", sql.place, in_quotes(sql.text), e.message);
      return fail(std::move(e));
    }
  }
  statements_change = statements_change || begins_with_any(sql.text, changing_words);
  return {};
}

result<void> mysql_target::run_text(const relational::target_steps::step& step, const step_stages& stages) {
  auto done = connection_->run(step.sql, stop_);
  if (done) {
    return {};
  }
  error e = std::move(done).error();
  // A statement of the job's that a constraint refuses is no bad record.
  e.kind = e.kind == error_kind::bad_row ? error_kind::bad_option : e.kind;
  e.message = fmt::format("{}: {}: {}", step.place, statement_text(step.sql), e.message);
  if (e.code == "ER_LOCK_WAIT_TIMEOUT" && !stages.behind_data) {
    e.message +=
        "; another session holds the table; where the job reads it, that is the run itself, whose first "
        "batch "
        "is read before preSql runs: alter such a table before the job is started, or in \"postSql\"";
  }
  return fail(std::move(e));
}

result<void> mysql_target::run_step(const relational::target_steps::step& step, const step_stages& stages,
                                    bool twice) {
  SLUICE_CHECK(connect());
  if (calls_others(step.sql)) {
    return run_calling_step(step, stages);
  }
  if (!begins_with_any(step.sql, transaction_words)) {
    return run_step_alone(step, stages, twice);
  }
  return relational::in_transaction(*session_, [&]() -> result<void> {
    SLUICE_CHECK(run_text(step, stages));
    return relational::set_stage_of(*session_, marks_, *claim_, stages.behind);
  });
}

result<void> mysql_target::run_calling_step(const relational::target_steps::step& step,
                                            const step_stages& stages) {
  // Not in the transaction of the step: whoever prunes done runs would wait for the row as long as it takes.
  SLUICE_TRY(const bool again, relational::record_begun(*session_, marks_, *claim_, stages));
  bool undone = false;
  auto done = relational::in_transaction(*session_, [&]() -> result<void> {
    SLUICE_CHECK(connection_->run("SAVEPOINT sluice_step", stop_));
    auto ran = run_text(step, stages);
    if (!ran) {
      // There no more where the transaction that it stood in has ended.
      undone = connection_->alive() && connection_->run("ROLLBACK TO SAVEPOINT sluice_step", stop_);
      return ran;
    }
    return relational::set_stage_of(*session_, marks_, *claim_, stages.behind);
  });
  if (done || done.error().kind == error_kind::conflict) {
    return done;
  }
  if (undone && !again) {
    // Where this fails the next start asks in vain.
    (void)relational::record_stage(*session_, marks_, *claim_, stages.before);
    return done;
  }
  const auto outcome = done.error().kind == error_kind::not_connected ? relational::step_outcome::lost
                                                                      : relational::step_outcome::committed;
  return fail(relational::step_unknown(marks_, stages, step.sql, outcome, std::move(done).error()));
}

result<void> mysql_target::run_step_alone(const relational::target_steps::step& step,
                                          const step_stages& stages, bool twice) {
  return relational::run_lone_step(
      *session_, marks_, *claim_, {step.sql, step.place, twice}, stages, ran_,
      [&]() -> std::optional<relational::step_failure> {
        auto done = run_text(step, stages);
        if (done) {
          return std::nullopt;
        }
        // One statement: what the server answers says that it has not run.
        const bool is_lost = done.error().kind == error_kind::not_connected || !connection_->alive();
        return relational::step_failure{
            std::move(done).error(), is_lost ? std::optional(relational::step_outcome::lost) : std::nullopt};
      });
}

result<void> mysql_target::run_step_before(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  const relational::target_steps::step s = steps_.before(create_sql_)[index];
  // A table that was made meanwhile is found there by the next start.
  SLUICE_CHECK(run_step(s, stages_before_data(index, s.sql), s.is_create || may_run_twice(s.sql)));
  steps_.done_before(index);
  return {};
}

result<void> mysql_target::run_step_after(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  const placed_text& sql = steps_.post_sql()[index];
  return run_step({sql.text, sql.place, false}, stages_behind_data(steps_after(), index),
                  may_run_twice(sql.text));
}

}  // namespace sluice::mysql
