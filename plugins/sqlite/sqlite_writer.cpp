#include "plugins/sqlite/sqlite_writer.h"

#include <fmt/format.h>

#include "plugins/common/sqlite/sqlite_connection.h"
#include "plugins/common/sqlite/sqlite_session.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"

namespace sluice::sqlite {
namespace {

/// Sums the rows written of a batch of which some are not: ranges between those left out.
class written_rows {
 public:
  explicit written_rows(const batch& b) : batch_(b) {}
  void leave_out(std::uint32_t row) {
    add(row);
    from_ = row + 1;
  }
  row_sum finish() {
    add(batch_.rows);
    return sum_;
  }

 private:
  void add(std::uint32_t end) {
    if (end > from_) {
      sum_ += canonical_sum(batch_.columns, *batch_.columns_schema, from_, end);
    }
  }
  const batch& batch_;
  std::uint32_t from_ = 0;
  row_sum sum_;
};

}  // namespace

std::string insert_sql(const writer_plan& plan) {
  std::string names;
  std::string parameters;
  std::string updates;
  for (const std::string& c : plan.columns) {
    const std::string name = quote_name(c);
    const std::string_view comma = names.empty() ? "" : ", ";
    names += fmt::format("{}{}", comma, name);
    parameters += fmt::format("{}?", comma);
    updates += fmt::format("{}{} = excluded.{}", comma, name, name);
  }
  // OR ABORT overrules an ON CONFLICT clause of the table itself, which may drop other rows or the
  // transaction. ON CONFLICT (upsert) acts on keys only: OR IGNORE would leave out rows that CHECK or NOT
  // NULL refuse.
  const std::string_view verb = plan.options.mode == write_mode::replace ? "REPLACE" : "ABORT";
  std::string sql =
      fmt::format("INSERT OR {} INTO {}({}) VALUES({})", verb, quote_name(plan.table), names, parameters);
  if (plan.options.mode == write_mode::ignore) {
    sql += " ON CONFLICT DO NOTHING";
  } else if (plan.options.mode == write_mode::update) {
    sql += " ON CONFLICT DO UPDATE SET " + updates;
  }
  return sql;
}

std::string column_in_message(std::string_view message, const std::string& table) {
  constexpr std::string_view failed = " constraint failed: ";
  constexpr std::string_view strict = " column ";
  const bool names_columns = message.starts_with("UNIQUE") || message.starts_with("NOT NULL");
  std::size_t at = message.find(failed);
  if (names_columns && at != std::string_view::npos) {
    at += failed.size();
  } else if (message.starts_with("cannot store ") && message.find(strict) != std::string_view::npos) {
    at = message.find(strict) + strict.size();
  } else {
    return "";
  }
  const std::string prefix = table + ".";
  std::string out(message.substr(at));
  if (!out.starts_with(prefix)) {
    return "";  // an index over expressions
  }
  for (std::size_t i = out.find(prefix); i != std::string::npos; i = out.find(prefix, i)) {
    if (i != 0 && !std::string_view(out).substr(0, i).ends_with(", ")) {
      i += prefix.size();
      continue;
    }
    out.erase(i, prefix.size());
  }
  return out;
}

sqlite_writer::sqlite_writer(std::shared_ptr<const writer_plan> plan,
                             std::shared_ptr<relational::claim_state> claim, schema_ptr columns)
    : plan_(std::move(plan)),
      claim_(std::move(claim)),
      columns_(std::move(columns)),
      binder_(*columns_, plan_->kinds),
      sql_(insert_sql(*plan_)),
      doing_(fmt::format("insert into {}", quote_name(plan_->table))) {}

sqlite_writer::~sqlite_writer() {
  sqlite_writer::rollback();
}

result<void> sqlite_writer::connect_once(const stop_signal& stop) {
  if (!db_) {
    SLUICE_TRY(database made, connect(plan_->options.file, open_mode::read_write, plan_->options.busy_timeout,
                                      plan_->options.session, plan_->memory_bytes, stop));
    const std::lock_guard lock(interrupting_);
    db_.emplace(std::move(made));
  }
  db_->use_stop(stop);
  db_->clear_interrupt();
  return {};
}

result<mark> sqlite_writer::open(split_index split, epoch_number epoch, const stop_signal& stop) {
  rollback();
  SLUICE_CHECK(connect_once(stop));
  if (!insert_) {
    SLUICE_TRY(insert_, db_->prepare(sql_));
  }
  sqlite_session session(*db_);
  const std::string owner =
      claim_->owner ? fmt::format("{}:{}", claim_->owner->host, claim_->owner->pid) : "";
  SLUICE_TRY(mark m, relational::open_split(session, plan_->marks, *claim_, split, epoch, owner));
  split_ = split;
  epoch_ = epoch;
  transaction_ = 0;
  m.transaction = 0;
  return m;
}

result<void> sqlite_writer::begin(const stop_signal& stop) {
  if (!db_) {
    return fail(error_kind::internal, "{}: written to before a split was opened",
                in_quotes(plan_->options.file));
  }
  db_->use_stop(stop);
  if (in_transaction_) {
    return {};
  }
  SLUICE_CHECK(db_->run("BEGIN IMMEDIATE"));
  in_transaction_ = true;
  claim_->transactions.fetch_add(1);
  sqlite_session session(*db_);
  return relational::begin_mark(session, plan_->marks, *claim_, split_, epoch_, ++transaction_);
}

result<void> sqlite_writer::explain_refusal(std::uint32_t row, refused_row& refused) {
  const code_meaning meaning = db_->failure_meaning();
  const error failed = db_->failure(doing_);
  std::string message = db_->failure_text();
  const bool in_row = meaning.kind == error_kind::bad_row;
  if (!db_->in_transaction()) {
    if (in_row) {
      return fail(error_kind::not_supported,
                  "{}: a refused row undid the whole transaction, as a trigger with RAISE(ROLLBACK) does; "
                  "let it RAISE(ABORT) instead",
                  failed.message);
    }
    return fail(failed);
  }
  insert_.reset();
  if (!in_row) {
    // SQLITE_ERROR while a statement runs comes from its values (an expression of a CHECK, a trigger, an
    // index), as long as the statement itself can still be prepared.
    if (meaning.name != "SQLITE_ERROR") {
      return fail(failed);
    }
    if (!db_->prepare(sql_)) {
      return fail(error_kind::source_changed, "{}; the table is not what it was when the run began",
                  failed.message);
    }
  }
  refused = {row, column_in_message(message, plan_->table), std::string(meaning.name), std::move(message)};
  return {};
}

result<std::optional<std::int64_t>> sqlite_writer::insert_row(std::uint32_t row, refused_row& refused) {
  if (!binder_.bind(insert_, row)) {
    const unbindable& p = binder_.problem();
    refused = {row, (*columns_)[p.column].name, std::string(p.code), p.message};
    return std::optional<std::int64_t>();
  }
  step_answer answer = insert_.step();
  while (answer == step_answer::row) {
    answer = insert_.step();
  }
  if (answer == step_answer::failed) {
    SLUICE_CHECK(explain_refusal(row, refused));
    return std::optional<std::int64_t>();
  }
  insert_.reset();
  return std::optional<std::int64_t>(db_->changes());
}

result<write_answer> sqlite_writer::write(const batch& b, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  binder_.use(b);
  write_answer answer;
  written_rows written(b);
  for (std::uint32_t row = 0; row < b.rows; ++row) {
    if (db_->interrupted()) {
      insert_.reset();
      return fail(error_kind::cancelled, "{}: {}: stopped on request", in_quotes(db_->path()), doing_);
    }
    refused_row refused;
    auto changed = insert_row(row, refused);
    if (!changed) {
      insert_.reset();
      return fail(std::move(changed).error());
    }
    if (*changed && **changed > 0) {
      ++answer.written;
      continue;
    }
    written.leave_out(row);
    if (*changed) {
      ++answer.ignored;  // the write mode, or a trigger's RAISE(IGNORE)
    } else {
      answer.refused.push_back(std::move(refused));
    }
  }
  insert_.reset();
  // `update` and `replace` do as they will with a row that is there, and do not say.
  const write_mode mode = plan_->options.mode;
  answer.parts.inserted = mode == write_mode::update || mode == write_mode::replace ? 0 : answer.written;
  if (answer.ignored != 0 || !answer.refused.empty()) {
    answer.written_sum = written.finish();
  }
  return answer;
}

result<void> sqlite_writer::commit(const mark& m, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  if (m.transaction != transaction_ || m.epoch != epoch_ || m.split != split_) {
    return fail(error_kind::internal,
                "{}: a mark of transaction {} of epoch {} was handed to transaction {} of epoch {}",
                in_quotes(db_->path()), m.transaction, m.epoch.value, transaction_, epoch_.value);
  }
  sqlite_session session(*db_);
  SLUICE_CHECK(relational::end_mark(session, plan_->marks, *claim_, m));
  if (auto done = db_->run("COMMIT"); !done) {
    error e = std::move(done).error();
    if (e.kind == error_kind::bad_row) {
      e.kind = error_kind::not_supported;
      e.message +=
          "; a deferred foreign key is broken by a row of this transaction, which cannot be told any more: "
          "declare it not deferred";
    }
    return fail(std::move(e));
  }
  end_transaction();
  return {};
}

void sqlite_writer::end_transaction() {
  if (in_transaction_) {
    in_transaction_ = false;
    claim_->transactions.fetch_sub(1);
  }
}

void sqlite_writer::rollback() {
  if (db_) {
    insert_.reset();
    db_->rollback();
  }
  end_transaction();
}

void sqlite_writer::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (db_) {
    db_->interrupt();
  }
}

}  // namespace sluice::sqlite
