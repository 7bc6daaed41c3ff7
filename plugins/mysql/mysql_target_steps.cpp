// The steps around the data: preSql, the table that is made, postSql.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "plugins/api/step_stage.h"
#include "plugins/mysql/mysql_target.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// Statements that stand in a transaction with the record that they ran; all others commit by themselves.
constexpr auto transaction_words =
    std::to_array<std::string_view>({"INSERT", "UPDATE", "DELETE", "REPLACE", "CALL", "DO", "WITH"});
/// Of those, what may commit by itself in what it calls.
constexpr auto hiding_words = std::to_array<std::string_view>({"CALL", "DO"});
constexpr auto changing_words = std::to_array<std::string_view>({"CREATE", "ALTER", "DROP", "RENAME"});

template <class Words>
bool begins_with_any(std::string_view sql, const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return relational::begins_with_word(sql, w, sql_rules()); });
}

error as_final(error e) {
  e.final = true;
  return e;
}

}  // namespace

bool mysql_target::may_run_twice(std::string_view sql) {
  const auto has = [&](std::string_view word) {
    const auto tokens = relational::tokens_of(sql, sql_rules());
    return std::any_of(tokens.begin(), tokens.end(),
                       [&](const relational::sql_token& t) { return relational::is_word(t, word); });
  };
  constexpr auto always = std::to_array<std::string_view>({"TRUNCATE", "SET", "ANALYZE", "OPTIMIZE"});
  constexpr auto conditional = std::to_array<std::string_view>({"CREATE", "DROP"});
  return begins_with_any(sql, always) || (begins_with_any(sql, conditional) && has("EXISTS"));
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

result<void> mysql_target::run_step(const std::string& sql, const std::string& stage,
                                    const std::string& place) {
  SLUICE_TRY(connection * c, connect());
  const auto run = [&]() -> result<void> {
    auto done = c->run(sql, stop_);
    if (!done) {
      error e = std::move(done).error();
      // A statement of the job's that a constraint refuses is no bad record.
      e.kind = e.kind == error_kind::bad_row ? error_kind::bad_option : e.kind;
      e.message = fmt::format("{}: {}: {}", place, statement_text(sql), e.message);
      return fail(std::move(e));
    }
    return {};
  };
  const auto record = [&] { return relational::set_stage_of(*session_, marks_, *claim_, stage); };
  const auto unknown = [&](bool has_run, error why) {
    return fail(relational::step_unknown(marks_, *claim_, stage, has_run, std::move(why)));
  };
  if (begins_with_any(sql, transaction_words)) {
    auto done = relational::in_transaction(*session_, [&]() -> result<void> {
      SLUICE_CHECK(run());
      return record();
    });
    if (!done && begins_with_any(sql, hiding_words)) {
      return done.error().kind == error_kind::not_connected ? unknown(false, std::move(done).error())
                                                            : fail(as_final(std::move(done).error()));
    }
    return done;
  }
  const bool twice = may_run_twice(sql);
  if (ran_ != stage) {
    if (auto done = run(); !done) {
      return twice || done.error().kind != error_kind::not_connected
                 ? done
                 : unknown(false, std::move(done).error());
    }
    ran_ = stage;
  }
  auto recorded = relational::in_transaction(*session_, record);
  return recorded || twice || recorded.error().kind == error_kind::conflict
             ? recorded
             : unknown(true, std::move(recorded).error());
}

result<void> mysql_target::run_step_before(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  const relational::target_steps::step s = steps_.before(create_sql_)[index];
  SLUICE_CHECK(run_step(s.sql, fmt::format("pre:{}", index + 1), s.place));
  steps_.done_before(index);
  return {};
}

result<void> mysql_target::run_step_after(std::size_t index, const stop_signal& stop) {
  stop_ = stop;
  const placed_text& sql = steps_.post_sql()[index];
  return run_step(sql.text, stage_behind(steps_after(), index + 1), sql.place);
}

}  // namespace sluice::mysql
