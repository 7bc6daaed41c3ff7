#include "plugins/postgresql/postgresql_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "plugins/api/read_again.h"
#include "plugins/common/relational/written_sum.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

/// A COPY is ended after so much, so that a refusal is known before the rest of a large transaction is sent.
constexpr std::uint64_t copy_bytes_max = std::uint64_t{32} << 20;
constexpr std::size_t send_bytes = std::size_t{128} << 10;
/// So many transactions without a refusal, and the next one is fast again.
constexpr std::uint32_t clean_transactions_wanted = 10;

constexpr const char* deadlock_detected = "40P01";
/// So many transactions the engine keeps short behind a deadlock (writer_core): a batch each, so that an
/// order within the batch is one within the transaction.
constexpr std::uint32_t ordered_transactions = 32;

stage_plan stage_of(const writer_plan& plan) {
  stage_plan stage{plan.table, plan.columns, plan.type_names, plan.mode, plan.key, {}};
  stage.has_children = plan.has_children;
  stage.compared = plan.compared;
  stage.by.columns = plan.key;
  if (const auto by = std::find_if(plan.keys.begin(), plan.keys.end(),
                                   [&](const unique_key& k) { return k.columns == plan.key; });
      by != plan.keys.end()) {
    stage.by = *by;
  }
  if (plan.mode == relational::write_mode::update || plan.mode == relational::write_mode::replace) {
    stage.order = plan.key;
    return stage;
  }
  if (plan.changes_rows_first) {  // the record's own key tells nothing
    return stage;
  }
  std::copy_if(
      plan.keys.begin(), plan.keys.end(), std::back_inserter(stage.unique_keys), [&](const unique_key& k) {
        const bool counts =
            plan.mode != relational::write_mode::ignore || plan.key.empty() || plan.key == k.columns;
        return counts && std::all_of(k.columns.begin(), k.columns.end(), [&](const std::string& name) {
                 return std::find(plan.columns.begin(), plan.columns.end(), name) != plan.columns.end();
               });
      });
  if (stage.unique_keys.size() == 1 && plan.keys.size() == 1 && !plan.has_other_keys) {
    stage.order = plan.keys.front().columns;
  }
  return stage;
}

/// What a table that is not what it was says.
error changed_since(error e) {
  if (e.kind == error_kind::bad_option || e.kind == error_kind::bad_row) {
    e.kind = error_kind::source_changed;
  }
  return e;
}

}  // namespace

insert_plan insert_plan_of(const writer_plan& plan) {
  insert_plan out = {stage_of(plan),          plan.type_oids, {},
                     plan.overrules_identity, plan.rows_max,  plan.bytes_max};
  for (const column_type& kind : plan.kinds) {
    out.as_text.push_back(kind.form == wire_form::as_text);
  }
  return out;
}

std::string copy_sql(const writer_plan& plan, copy_form form) {
  std::string names;
  for (const std::string& c : plan.columns) {
    names += (names.empty() ? "" : ", ") + quote_name(c);
  }
  return fmt::format("COPY {} ({}) FROM STDIN (FORMAT {})", plan.table, names,
                     form == copy_form::binary ? "binary" : "text");
}

std::uint64_t line_in_context(std::string_view context) {
  constexpr std::string_view before = ", line ";
  const std::size_t copy = context.find("COPY ");
  const std::size_t at = copy == std::string_view::npos ? copy : context.find(before, copy);
  std::uint64_t line = 0;
  if (at != std::string_view::npos) {
    const char* first = context.data() + at + before.size();
    std::from_chars(first, context.data() + context.size(), line);
  }
  return line;
}

std::string column_in_context(std::string_view context) {
  constexpr std::string_view before = ", column ";
  const std::size_t copy = context.find("COPY ");
  const std::size_t at = copy == std::string_view::npos ? copy : context.find(before, copy);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = context.substr(at + before.size());
  return std::string(rest.substr(0, rest.find_first_of(":\n")));
}

postgresql_writer::postgresql_writer(std::shared_ptr<const writer_plan> plan, const schema& columns)
    : plan_(std::move(plan)),
      columns_(columns),
      encoder_(columns_, plan_->kinds, plan_->by_statements ? copy_form::binary : form_for(plan_->kinds),
               plan_->nul),
      copy_sql_(copy_sql(*plan_, encoder_.form())),
      stage_(stage_of(*plan_)) {
  if (plan_->by_statements) {
    inserter_.emplace(insert_plan_of(*plan_));
  }
}

postgresql_writer::~postgresql_writer() {
  postgresql_writer::rollback();
}

result<void> postgresql_writer::connect_once(split_index split, const stop_signal& stop) {
  const std::string part = fmt::format("writer split {}", split.value);
  if (connection_ != nullptr && !connection_->is_lost()) {
    connection_->use_stop(stop);
    connection_->clear_interrupt();
    auto named =
        connection_->run_script("SET application_name = " +
                                quote_text(connection_name(plan_->session.job, plan_->session.run, part)));
    return connection_->is_plain() && !connection_->is_lost() ? result<void>() : named;
  }
  SLUICE_TRY(auto made, open_session(plan_->session, session_role::writer, part, stop));
  SLUICE_TRY(std::string name, session_name_of(*made));
  if (!owner_.empty()) {
    lost_sessions_.add(std::move(owner_));
  }
  owner_ = std::move(name);
  if (made->is_plain()) {
    checks_at_once_ = made->run_script("BEGIN; SET CONSTRAINTS ALL IMMEDIATE").has_value();
    made->rollback();
  }
  stage_.forget();
  const std::lock_guard lock(interrupting_);
  connection_ = std::move(made);
  return {};
}

result<mark> postgresql_writer::open(split_index split, epoch_number epoch, const stop_signal& stop) {
  rollback();
  SLUICE_CHECK(connect_once(split, stop));
  const relational::session_control control = {
      [&](const std::string& name) { return session_lives(*connection_, name); },
      [&](const std::string& name) { return end_session(*connection_, name); }};
  SLUICE_CHECK(lost_sessions_.end(control, stop));
  statement_session session(*connection_);
  SLUICE_TRY(mark m, lost_sessions_.explained(relational::open_split(session, plan_->dialect, *plan_->claim,
                                                                     split, epoch, owner_)));
  split_ = split;
  epoch_ = epoch;
  transaction_ = 0;
  stays_careful_ = false;
  m.transaction = 0;
  return m;
}

void postgresql_writer::forbid_reading_again() {
  careful_ = true;
  stays_careful_ = true;
}

result<void> postgresql_writer::begin(const stop_signal& stop) {
  if (connection_ == nullptr) {
    return fail(error_kind::internal, "{}: written to before a split was opened", plan_->table);
  }
  connection_->use_stop(stop);
  if (in_transaction_) {
    return {};
  }
  SLUICE_CHECK(connection_->begin(checks_at_once_ ? "BEGIN; SET CONSTRAINTS ALL IMMEDIATE" : "BEGIN"));
  in_transaction_ = true;
  refused_here_ = false;
  statement_session session(*connection_);
  return relational::begin_mark(session, plan_->dialect, *plan_->claim, split_, epoch_, ++transaction_);
}

error postgresql_writer::read_again(const error& why) {
  careful_ = true;
  clean_transactions_ = 0;
  return {
      error_kind::busy,
      fmt::format("{}: a row was refused; what is not committed of the split is read again, row by row where "
                  "rows are refused",
                  why.message),
      read_again_code, false};
}

void postgresql_writer::learn_from(const error& why) {
  if (why.code == deadlock_detected && stages() && stage_.has_order()) {
    ordered_left_ = ordered_transactions;
  }
}

result<void> postgresql_writer::end_fast_copy() {
  if (!copying_) {
    return {};
  }
  encoder_.end(buffer_);
  copying_ = false;
  auto taken = connection_->copy_send(buffer_.view()).and_then([&] { return connection_->copy_end(); });
  buffer_.resize(0);
  return check_taken(taken, rows_sent_);
}

result<void> postgresql_writer::check_taken(const result<std::uint64_t>& taken, std::uint64_t sent) {
  if (const auto warning = connection_->take_warning(); taken && warning) {
    return fail(read_again({error_kind::bad_row,
                            fmt::format("{}: the server warned: {} ({})", connection_->place(),
                                        escaped(warning->message), warning->sqlstate),
                            "", false}));
  }
  if (!taken) {
    const error& why = taken.error();
    return fail(why.kind == error_kind::bad_row ? read_again(why) : changed_since(why));
  }
  if (*taken != sent) {
    return fail(read_again(
        {error_kind::bad_row,
         fmt::format("{}: {} rows were sent and {} taken", connection_->place(), sent, *taken), "", false}));
  }
  return {};
}

template <class Appended>
result<void> postgresql_writer::encode_rows(const batch& b, write_answer& answer, const Appended& appended) {
  for (std::uint32_t row = 0; row < b.rows;) {
    const auto block = encoder_.append_block(b, row, buffer_);
    const std::uint32_t end = row + block.rows;
    if (block.appended) {
      SLUICE_CHECK(appended(row, block.rows));
      row = end;
      continue;
    }
    for (; row < end; ++row) {
      if (encoder_.append(b, row, buffer_)) {
        changed_.insert(changed_.end(), encoder_.changes().begin(), encoder_.changes().end());
        SLUICE_CHECK(appended(row, 1));
      } else {
        const auto& p = encoder_.problem();
        answer.refused.push_back({row, columns_[p.column].name, std::string(p.code), p.message});
      }
    }
  }
  return {};
}

result<void> postgresql_writer::write_fast(const batch& b, write_answer& answer) {
  if (copying_ && (bytes_sent_ >= copy_bytes_max || connection_->copy_has_answer())) {
    SLUICE_CHECK(end_fast_copy());
  }
  if (!copying_) {
    (void)connection_->take_warning();
    if (auto begun = connection_->copy_in(copy_sql_); !begun) {
      return fail(changed_since(std::move(begun).error()));
    }
    copying_ = true;
    rows_sent_ = 0;
    bytes_sent_ = 0;
    buffer_.resize(0);
    encoder_.begin(buffer_);
  }
  const auto send = [&]() -> result<void> {
    bytes_sent_ += buffer_.size();
    SLUICE_CHECK(connection_->copy_send(buffer_.view()));
    buffer_.resize(0);
    return {};
  };
  SLUICE_CHECK(encode_rows(b, answer, [&](std::uint32_t /*first*/, std::uint32_t count) -> result<void> {
    rows_sent_ += count;
    answer.written += count;
    return buffer_.size() >= send_bytes ? send() : result<void>();
  }));
  return send();
}

result<void> postgresql_writer::insert_fast(const batch& b, write_answer& answer) {
  (void)connection_->take_warning();
  buffer_.resize(0);
  std::uint64_t sent = 0;
  SLUICE_CHECK(encode_rows(b, answer, [&](std::uint32_t /*first*/, std::uint32_t count) -> result<void> {
    sent += count;
    return {};
  }));
  const auto taken = inserter_->insert(*connection_, buffer_.view());
  buffer_.resize(0);
  answer.written += sent;
  return check_taken(taken, sent);
}

refused_row postgresql_writer::explain(const server_failure& failure) const {
  refused_row refused;
  refused.code = failure.sqlstate;
  refused.message = failure.message;
  refused.column = !failure.column.empty() ? failure.column : column_in_context(failure.context);
  if (refused.column.empty()) {
    refused.column = columns_of(failure.constraint);
  }
  return refused;
}

std::string postgresql_writer::columns_of(const std::string& constraint) const {
  const auto joined = [](const auto& of) { return fmt::format("{}", fmt::join(of.columns, ", ")); };
  const auto is_it = [&](const auto& one) { return one.name == constraint; };
  if (const auto key = std::find_if(plan_->keys.begin(), plan_->keys.end(), is_it);
      key != plan_->keys.end()) {
    return joined(*key);
  }
  const auto other = std::find_if(plan_->constraints.begin(), plan_->constraints.end(), is_it);
  return other == plan_->constraints.end() ? std::string() : joined(*other);
}

result<std::uint64_t> postgresql_writer::copy_rows(const batch& b, const std::vector<std::uint32_t>& rows,
                                                   std::size_t first, std::size_t last) {
  buffer_.resize(0);
  if (!inserter_) {
    if (auto begun = connection_->copy_in(copy_sql_); !begun) {
      return fail(changed_since(std::move(begun).error()));
    }
    encoder_.begin(buffer_);
  }
  for (std::size_t i = first; i < last; ++i) {
    if (!encoder_.append(b, rows[i], buffer_)) {
      return fail(error_kind::internal, "{}: a row that could be sent cannot be any more", plan_->table);
    }
    if (buffer_.size() >= send_bytes && !inserter_) {
      SLUICE_CHECK(connection_->copy_send(buffer_.view()));
      buffer_.resize(0);
    }
  }
  if (inserter_) {
    return inserter_->insert(*connection_, buffer_.view());
  }
  encoder_.end(buffer_);
  return connection_->copy_send(buffer_.view()).and_then([&] { return connection_->copy_end(); });
}

result<postgresql_writer::piece_answer> postgresql_writer::send_piece(const batch& b,
                                                                      const std::vector<std::uint32_t>& rows,
                                                                      std::size_t first, std::size_t last) {
  SLUICE_CHECK(connection_->run_script("SAVEPOINT sluice_rows"));
  (void)connection_->take_warning();
  auto taken = copy_rows(b, rows, first, last);
  buffer_.resize(0);
  piece_answer answer;
  const auto warning = connection_->take_warning();
  answer.ignored = plan_->mode == relational::write_mode::ignore && taken && *taken == 0;
  if (taken && (*taken == last - first || answer.ignored) && !warning) {
    answer.stands = true;
    SLUICE_CHECK(connection_->run_script("RELEASE SAVEPOINT sluice_rows"));
    return answer;
  }
  if (!taken) {
    if (taken.error().kind != error_kind::bad_row) {
      return fail(changed_since(std::move(taken).error()));
    }
    answer.refused = explain(connection_->last_failure());
    answer.line = line_in_context(connection_->last_failure().context);
  } else if (warning) {
    answer.refused = explain(*warning);
    answer.refused.message = "the server warned: " + answer.refused.message;
    answer.line = line_in_context(warning->context);
  } else {
    answer.refused.code = refused_silently;
    answer.refused.message = silence;
  }
  SLUICE_CHECK(connection_->run_script("ROLLBACK TO SAVEPOINT sluice_rows; RELEASE SAVEPOINT sluice_rows"));
  return answer;
}

result<void> postgresql_writer::write_carefully(const batch& b, const std::vector<std::uint32_t>& rows,
                                                write_answer& answer) {
  std::size_t at = 0;
  std::size_t piece = rows.size();
  bool copies_next = false;  // what could not be staged goes the other way
  while (at < rows.size()) {
    const std::size_t last = std::min(rows.size(), at + piece);
    piece_answer done;
    // Where the last rows were mostly refused, the next ones are staged at once.
    const bool tries_copy = (!mostly_refused_ && ordered_left_ == 0) || copies_next || !stages();
    if (tries_copy) {
      SLUICE_TRY(done, send_piece(b, rows, at, last));
    }
    if (done.stands) {
      if (done.ignored) {
        answer.ignored += last - at;
        ignored_.insert(ignored_.end(), rows.begin() + static_cast<std::ptrdiff_t>(at),
                        rows.begin() + static_cast<std::ptrdiff_t>(last));
      } else {
        answer.written += last - at;
      }
      at = last;
      piece *= 2;
      copies_next = false;
      continue;
    }
    refused_here_ = refused_here_ || tries_copy;
    if (last - at == 1 && tries_copy) {
      done.refused.row = rows[at];
      answer.refused.push_back(std::move(done.refused));
      ++at;
      copies_next = false;
      continue;
    }
    if (stages()) {
      SLUICE_TRY(row_stage::outcome staged, stage_.insert(*connection_, encoder_, b, rows, at, last,
                                                          !tries_copy && !mostly_refused_, buffer_));
      if (staged.staged) {
        refused_here_ = refused_here_ || !staged.refused.empty();
        mostly_refused_ = staged.refused.size() * 2 > last - at;
        count(staged, last - at, answer);
        at = last;
        copies_next = false;
        continue;
      }
    }
    if (!tries_copy) {
      mostly_refused_ = false;
      copies_next = true;
      continue;
    }
    // Up to the row that was named the rows are good, as far as the server has looked.
    piece =
        done.line > 1 && done.line <= last - at ? done.line - 1 : std::max<std::size_t>(1, (last - at) / 2);
    if (done.line == 1) {
      piece = 1;
    }
  }
  return {};
}

void postgresql_writer::count(row_stage::outcome& staged, std::size_t rows, write_answer& answer) {
  answer.written += rows - staged.refused.size() - staged.ignored.size();
  answer.parts += staged.parts;
  answer.ignored += staged.ignored.size();
  ignored_.insert(ignored_.end(), staged.ignored.begin(), staged.ignored.end());
  for (refused_row& r : staged.refused) {
    if (std::find(plan_->columns.begin(), plan_->columns.end(), r.column) == plan_->columns.end()) {
      r.column = columns_of(r.column);
    }
    answer.refused.push_back(std::move(r));
  }
}

result<void> postgresql_writer::write_staged(const batch& b, const std::vector<std::uint32_t>& rows,
                                             write_answer& answer) {
  std::size_t at = 0;
  std::size_t last = rows.size();
  while (at < rows.size()) {
    SLUICE_TRY(row_stage::outcome staged,
               stage_.insert(*connection_, encoder_, b, rows, at, last, true, buffer_));
    if (!stage_.usable()) {
      return fail(
          error_kind::not_supported,
          "{}: writeMode {} needs temporary tables and PL/pgSQL, which this account or this server does not "
          "have ({}); GRANT TEMPORARY ON DATABASE, or set \"writeMode\" to \"insert\"",
          connection_->place(), relational::to_string(plan_->mode),
          escaped(connection_->last_failure().message));
    }
    if (staged.staged) {
      count(staged, last - at, answer);
      at = last;
      last = rows.size();
      continue;
    }
    // A row that is no row of these types at all: those before it are good, as far as types go.
    const std::size_t good = staged.line != 0 && staged.line <= last - at ? staged.line - 1 : (last - at) / 2;
    if (good != 0) {
      last = at + good;
      continue;
    }
    refused_row refused = explain(connection_->last_failure());
    refused.row = rows[at];
    refused.column = stage_.column_of(refused.column);
    answer.refused.push_back(std::move(refused));
    ++at;
    last = rows.size();
  }
  return {};
}

result<std::vector<std::uint32_t>> postgresql_writer::rows_to_send(const batch& b, write_answer& answer) {
  std::vector<std::uint32_t> rows;
  rows.reserve(b.rows);
  buffer_.resize(0);
  SLUICE_CHECK(encode_rows(b, answer, [&](std::uint32_t first, std::uint32_t count) -> result<void> {
    for (std::uint32_t row = first; row < first + count; ++row) {
      rows.push_back(row);
    }
    buffer_.resize(0);
    return {};
  }));
  return rows;
}

result<write_answer> postgresql_writer::write(const batch& b, const stop_signal& stop) {
  auto answer = write_batch(b, stop);
  if (!answer) {
    learn_from(answer.error());
  }
  return answer;
}

result<write_answer> postgresql_writer::write_batch(const batch& b, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  write_answer answer;
  ignored_.clear();
  changed_.clear();
  const bool by_key = finds_by_key(plan_->mode);
  if (!by_key && !careful_ && ordered_left_ == 0) {
    SLUICE_CHECK(inserter_ ? insert_fast(b, answer) : write_fast(b, answer));
  } else {
    SLUICE_TRY(const std::vector<std::uint32_t> rows, rows_to_send(b, answer));
    SLUICE_CHECK(by_key && !inserter_ ? write_staged(b, rows, answer) : write_carefully(b, rows, answer));
    std::sort(answer.refused.begin(), answer.refused.end(),
              [](const refused_row& x, const refused_row& y) { return x.row < y.row; });
  }
  if (!by_key || plan_->mode == relational::write_mode::ignore) {
    answer.parts = {answer.written};
  }
  if (!answer.refused.empty() || answer.ignored != 0) {
    answer.written_sum = relational::sum_without(b, answer.refused, ignored_);
  }
  if (!changed_.empty()) {
    count_changes(answer);
  }
  return answer;
}

void postgresql_writer::count_changes(write_answer& answer) {
  std::vector<std::uint32_t> left_out = std::move(ignored_);
  std::transform(answer.refused.begin(), answer.refused.end(), std::back_inserter(left_out),
                 [](const refused_row& r) { return r.row; });
  std::sort(left_out.begin(), left_out.end());
  for (const changed_value& c : changed_) {
    if (!std::binary_search(left_out.begin(), left_out.end(), c.row)) {
      ++answer.changes[{c.column, c.rule}];
    }
  }
}

result<void> postgresql_writer::commit(const mark& m, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  if (m.transaction != transaction_ || m.epoch != epoch_ || m.split != split_) {
    return fail(error_kind::internal,
                "{}: a mark of transaction {} of epoch {} was handed to transaction {} of epoch {}",
                plan_->table, m.transaction, m.epoch.value, transaction_, epoch_.value);
  }
  if (auto ended = end_fast_copy(); !ended) {
    learn_from(ended.error());
    return ended;
  }
  statement_session session(*connection_);
  SLUICE_CHECK(relational::end_mark(session, plan_->dialect, *plan_->claim, m));
  SLUICE_CHECK(connection_->commit());
  in_transaction_ = false;
  ordered_left_ -= std::min<std::uint32_t>(ordered_left_, 1);
  if (careful_) {
    clean_transactions_ = refused_here_ ? 0 : clean_transactions_ + 1;
    careful_ = stays_careful_ || clean_transactions_ < clean_transactions_wanted;
  }
  return {};
}

void postgresql_writer::rollback() {
  copying_ = false;
  buffer_.resize(0);
  stage_.forget();  // what a transaction made goes with it
  if (connection_ != nullptr) {
    connection_->rollback();
  }
  in_transaction_ = false;
}

void postgresql_writer::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::postgresql
