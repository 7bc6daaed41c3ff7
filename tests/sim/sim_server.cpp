#include "tests/sim/sim_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "plugins/api/progress.h"
#include "plugins/common/sqlite/sqlite_session.h"
#include "tests/sim/sim_world.h"

namespace sluice::sim {
namespace {

constexpr std::string_view clock_word = "CLOCK()";
constexpr std::size_t run_id_chars = 36;

sqlite::database memory() {
  auto made = sqlite::database::open(":memory:", sqlite::open_mode::create, std::chrono::milliseconds(0));
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().message.c_str());
    std::exit(2);
  }
  return std::move(*made);
}

}  // namespace

server::server(world& w) : world_(w), db_(memory()) {}

std::uint32_t server::connect(std::uint32_t process) {
  sessions_[++last_].process = process;
  return last_;
}

namespace {

std::uint32_t number_of(const std::string& name) {
  std::uint32_t n = 0;
  std::from_chars(name.data() + std::min<std::size_t>(1, name.size()), name.data() + name.size(), n);
  return n;
}

}  // namespace

bool server::lives(const std::string& name) const {
  return sessions_.contains(number_of(name));
}

bool server::works(const std::string& name) const {
  const auto found = sessions_.find(number_of(name));
  return found != sessions_.end() && found->second.open && found->second.open->is_sent;
}

void server::end(const std::string& name) {
  const std::uint32_t session = number_of(name);
  if (sessions_.contains(session)) {
    settle(session);
    drop(session);
  }
}

std::string server::at_clock(const std::string& sql) const {
  std::string out = sql;
  const std::string now = std::to_string(world_.clock_ms / 1000);
  for (std::size_t at = out.find(clock_word); at != std::string::npos; at = out.find(clock_word, at)) {
    out.replace(at, clock_word.size(), now);
  }
  return out;
}

std::optional<server::lock> server::lock_of(const std::string& sql,
                                            const std::vector<relational::sql_text>& values) {
  if (sql.starts_with("CREATE") || sql.starts_with("ALTER")) {
    return std::nullopt;
  }
  constexpr std::string_view split_is = "\"split\" = ";
  lock l;
  l.of_run = sql.find("sluice_run") < sql.find("sluice_progress");
  const auto run = std::find_if(values.begin(), values.end(), [](const auto& v) {
    return v && v->size() == run_id_chars && run_id::parse(*v);
  });
  l.run = run == values.end() ? "guard" : **run;
  if (const std::size_t at = sql.find(split_is); at != std::string::npos) {
    std::from_chars(sql.data() + at + split_is.size(), sql.data() + sql.size(), l.split);
  }
  return l;
}

result<std::uint64_t> server::execute(const std::string& sql,
                                      const std::vector<relational::sql_text>& values) {
  sqlite::sqlite_session session(db_);
  return session.run(sql, values);
}

void server::put_aside() {
  if (active_) {
    db_.rollback();
    active_.reset();
  }
}

void server::take_up(std::uint32_t session) {
  if (active_ == session) {
    return;
  }
  put_aside();
  (void)db_.run("BEGIN");
  active_ = session;
  for (const change& c : sessions_[session].open->changes) {
    if (auto again = execute(c.sql, c.values); !again) {
      world_.break_promise("the simulated server cannot go on with a transaction: " + again.error().message);
    }
  }
}

void server::begin(std::uint32_t session) {
  sessions_[session].open = transaction{};
}

result<std::vector<relational::sql_row>> server::ask(std::uint32_t session, const std::string& sql,
                                                     const std::vector<relational::sql_text>& values) {
  if (sessions_[session].open) {
    take_up(session);
  } else {
    put_aside();
  }
  sqlite::sqlite_session asked(db_);
  return asked.ask(at_clock(sql), values);
}

result<void> server::wait_for(std::uint32_t session, const lock& wanted) {
  for (auto i = sessions_.begin(); i != sessions_.end();) {
    const auto& [id, other] = *i++;  // it may end here
    if (id == session || !other.open) {
      continue;
    }
    const auto& locks = other.open->locks;
    if (std::none_of(locks.begin(), locks.end(), [&](const lock& l) { return l.meets(wanted); })) {
      continue;
    }
    if (other.open->is_sent) {
      settle(id);
    } else if (other.is_lost && world_.dice() % 2 == 0) {
      drop(id);
    } else {
      return fail(error_kind::busy, "waited in vain for a lock of session {}", name_of(id));
    }
  }
  return {};
}

result<std::uint64_t> server::run(std::uint32_t session, const std::string& sql,
                                  const std::vector<relational::sql_text>& values) {
  const auto wanted = lock_of(sql, values);
  if (wanted) {
    SLUICE_CHECK(wait_for(session, *wanted));
  }
  const bool by_itself = !sessions_[session].open;
  if (by_itself) {
    begin(session);
  }
  take_up(session);
  const std::string now = at_clock(sql);
  auto met = execute(now, values);
  if (met) {
    transaction& mine = *sessions_[session].open;
    mine.changes.push_back({now, values});
    if (wanted) {
      mine.locks.push_back(*wanted);
    }
  }
  if (by_itself) {
    met ? commit(session, std::nullopt) : rollback(session);
  }
  return met;
}

void server::apply(std::uint32_t session) {
  take_up(session);
  if (auto done = db_.run("COMMIT"); !done) {
    world_.break_promise("the simulated server cannot commit: " + done.error().message);
  }
  active_.reset();
  const transaction done = std::move(*sessions_[session].open);
  sessions_[session].open.reset();
  const std::uint32_t process = sessions_[session].process;
  if (std::any_of(done.changes.begin(), done.changes.end(),
                  [](const change& c) { return c.sql.find("SET \"finished_at\"") != std::string::npos; })) {
    world_.job_of(process).finished_in = world_.processes.at(process).disk;
  }
  if (std::any_of(done.changes.begin(), done.changes.end(), [](const change& c) {
        return c.sql.find("SET \"term\"") != std::string::npos ||
               c.sql.starts_with("INSERT INTO sluice_run") || c.sql.starts_with("DELETE FROM sluice_run");
      })) {
    const bool is_fence = std::any_of(done.changes.begin(), done.changes.end(), [](const change& c) {
      return c.sql.find("SET \"term\"") != std::string::npos &&
             c.sql.find("\"owner_host\" = NULL") != std::string::npos;
    });
    if (is_fence && world_.claimed_last != process) {
      world_.fenced.insert(world_.claimed_last);
    }
    world_.claimed_last = process;
  }
  for (const step_change& step : done.steps) {
    world_.take(step);
  }
  if (done.data) {
    world_.take(*done.data);
  }
}

void server::commit(std::uint32_t session, std::optional<data_change> data) {
  if (sessions_[session].open) {
    sessions_[session].open->data = std::move(data);
    apply(session);
  }
}

void server::commit_later(std::uint32_t id, std::optional<data_change> data) {
  session_state& mine = sessions_[id];
  if (mine.open) {
    if (active_ == id) {
      put_aside();
    }
    mine.open->data = std::move(data);
    mine.open->is_sent = true;
  }
  lose(id);
}

void server::rollback(std::uint32_t session) {
  if (active_ == session) {
    put_aside();
  }
  sessions_[session].open.reset();
}

void server::undo_unseen(std::uint32_t session) {
  rollback(session);
  begin(session);
}

void server::drop(std::uint32_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) {
    return;
  }
  if (active_ == session) {
    put_aside();
  }
  lost_ -= found->second.is_lost ? 1 : 0;
  sessions_.erase(found);
}

/// Where a commit is on its way, it has come or is lost; the session of whoever sent it is then gone.
void server::settle(std::uint32_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || !found->second.open || !found->second.open->is_sent) {
    return;
  }
  const bool comes = world_.dice() % 2 == 0;
  if (comes) {
    apply(session);
  }
  ++(comes ? world_.met.late : world_.met.in_vain);
  drop(session);
}

void server::lose(std::uint32_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end() || found->second.is_lost) {
    return;
  }
  found->second.is_lost = true;
  ++lost_;
  const bool is_sent = found->second.open && found->second.open->is_sent;
  if (!is_sent && world_.dice() % 2 == 0) {
    drop(session);
  }
}

void server::lose_all_of(std::uint32_t process) {
  for (auto i = sessions_.begin(); i != sessions_.end();) {
    const auto& [id, one] = *i++;
    if (one.process == process) {
      lose(id);
    }
  }
}

void server::pass_time() {
  if (lost_ == 0 || world_.dice() % 100 != 0) {
    return;
  }
  auto skip = world_.dice() % lost_;
  for (const auto& [id, one] : sessions_) {
    if (one.is_lost && skip-- == 0) {
      const std::uint32_t session = id;
      settle(session);
      drop(session);
      return;
    }
  }
}

void server::settle_all() {
  for (auto i = sessions_.begin(); i != sessions_.end();) {
    const auto& [id, one] = *i++;
    if (one.is_lost) {
      const std::uint32_t session = id;
      settle(session);
      drop(session);
    }
  }
}

std::string server::look(const std::string& sql) {
  put_aside();
  const auto found = db_.ask(sql);
  return found && *found ? **found : std::string();
}

std::vector<std::string> server::columns_of(const std::string& table) {
  std::vector<std::string> names;
  sqlite::sqlite_session asked(db_);
  const auto rows = asked.ask("SELECT lower(name) FROM pragma_table_info(?)", {table});
  if (rows) {
    std::transform(rows->begin(), rows->end(), std::back_inserter(names),
                   [](const auto& row) { return row[0].value_or(""); });
  }
  return names;
}

// ---- client
// ------------------------------------------------------------------------------------------------------

client::~client() {
  if (world_.is_alive(process_)) {
    world_.destination.close(session_);
  }
}

tl::unexpected<error> client::lost(std::string_view what) {
  session_ = 0;
  return fail(error_kind::not_connected, "the connection was lost {}", what);
}

result<void> client::connect() {
  if (!world_.is_alive(process_)) {
    return dead();
  }
  if (session_ == 0) {
    if (world_.happens(world_.wrong.connect_lost)) {
      return fail(error_kind::not_connected, "the destination did not answer");
    }
    session_ = world_.destination.connect(process_);
  }
  return {};
}

/// Before a statement.
result<void> client::check() {
  if (world_.aside) {
    world_.aside(process_);
  }
  if (!world_.is_alive(process_)) {
    return dead();
  }
  if (session_ == 0 || !world_.destination.is_there(session_)) {
    return lost("before");
  }
  if (world_.happens(world_.wrong.statement_killed)) {
    world_.kill(process_);
    return dead();
  }
  if (world_.happens(world_.wrong.statement_lost)) {
    world_.destination.lose(session_);
    return lost("in a statement");
  }
  return {};
}

result<std::vector<relational::sql_row>> client::ask(const std::string& sql,
                                                     const std::vector<relational::sql_text>& values) {
  SLUICE_CHECK(check());
  return world_.destination.ask(session_, sql, values);
}

result<std::uint64_t> client::run(const std::string& sql, const std::vector<relational::sql_text>& values) {
  SLUICE_CHECK(check());
  return world_.destination.run(session_, sql, values);
}

result<void> client::begin() {
  SLUICE_CHECK(check());
  world_.destination.begin(session_);
  return {};
}

result<void> client::commit_with(std::optional<data_change> data) {
  SLUICE_CHECK(check());
  return commit_now(std::move(data));
}

result<void> client::act(const step_change& step) {
  SLUICE_CHECK(check());
  if (world_.happens(world_.wrong.write_busy)) {
    return fail(error_kind::busy, "the statement has waited in vain for a lock");
  }
  server& to = world_.destination;
  const bool by_itself = !to.in_transaction(session_);
  if (by_itself) {
    to.begin(session_);
  }
  to.add(session_, step);
  return by_itself ? commit_now(std::nullopt) : result<void>();
}

result<void> client::commit_now(std::optional<data_change> data) {
  server& to = world_.destination;
  if (world_.happens(world_.wrong.commit_refused)) {
    to.close(session_);
    return lost("before the commit");
  }
  if (world_.happens(world_.wrong.commit_late)) {
    to.commit_later(session_, std::move(data));
    if (world_.dice() % 2 == 0) {
      world_.dies = process_;
    }
    return lost("in the commit");
  }
  to.commit(session_, std::move(data));
  if (world_.happens(world_.wrong.commit_answer_lost)) {
    to.lose(session_);
    return lost("after the commit");
  }
  if (world_.happens(world_.wrong.statement_killed)) {
    world_.kill(process_);
    return dead();
  }
  return {};
}

void client::rollback() {
  if (world_.is_alive(process_) && session_ != 0 && world_.destination.is_there(session_)) {
    world_.destination.rollback(session_);
  }
}

void client::undo_unseen() {
  if (world_.is_alive(process_) && world_.destination.is_there(session_)) {
    world_.destination.undo_unseen(session_);
  }
}

}  // namespace sluice::sim
