#include <fmt/format.h>

#include <algorithm>

#include "plugins/api/step_stage.h"
#include "plugins/common/relational/lone_step.h"
#include "plugins/common/relational/lost_session.h"
#include "plugins/common/relational/progress.h"
#include "tests/sim/sim_world.h"
#include "transport/record/canonical.h"

namespace sluice::sim {

void world::take(const data_change& data) {
  sim_job& mine = job_of(data.process);
  for (const auto& row : data.rows) {
    mine.rows.insert(row);
  }
  if (!keeps_marks) {
    return;  // the process itself knows where it was
  }
  const std::uint32_t split = data.next.split.value;
  if (fenced.contains(data.process)) {
    break_promise(fmt::format("process {} wrote after its claim was ended", data.process));
  }
  sim_job::committed& last = mine.marks[split];
  if (last.at.done) {
    break_promise(fmt::format("split {} was written to after it was done", split));
  }
  if (data.is_first && is_in_parts(last.at)) {
    const bool agreed = mode == delivery_mode::at_least_once ||
                        (processes.at(data.process).agrees && last.process != data.process);
    if (!agreed) {
      break_promise(fmt::format("split {} was begun anew where rows stand that no mark covers", split));
    }
    mine.repeats.emplace_back(split, last.at.position);
    ++met.repeated;
  } else if (data.next.position < last.at.position) {
    break_promise(fmt::format("the mark of split {} went backwards", split));
  }
  last = {data.next, data.process};
}

void world::take(const step_change& step) {
  ++met.steps;
  sim_job& mine = job_of(step.process);
  std::vector<sim_step>& all = step.behind_data ? mine.after : mine.before;
  sim_step& one = all[step.index];
  ++one.ran;
  const auto wrong_if = [&](bool is_so, std::string_view what) {
    if (is_so && keeps_marks) {
      break_promise(fmt::format("step {} ({}) of job {} {}", step.index, one.text,
                                processes.at(step.process).job, what));
    }
  };
  wrong_if(one.ran > 1 && one.as != sim_step::kind::twice, "ran twice");
  wrong_if(std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(step.index),
                       [](const sim_step& s) { return s.ran == 0; }),
           "ran before the one in front of it");
  if (step.behind_data) {
    wrong_if(!mine.is_written(), "ran before all was written");
    wrong_if(!mine.is_out, "ran before the output was complete");
  } else {
    wrong_if(!mine.marks.empty(), "ran behind rows of its run");
  }
  for (sim_job& j : jobs) {
    if (!one.empties || &j == &mine) {
      continue;
    }
    wrong_if(!j.finished_in && !j.rows.empty(), "emptied what another job has half written");
    j.is_gone = j.is_gone || j.finished_in.has_value();
  }
  if (one.empties) {
    for (sim_job& j : jobs) {
      j.rows.clear();
    }
  }
}

void world::complete(std::uint32_t process) {
  sim_job& mine = job_of(process);
  if (keeps_marks && !mine.is_written()) {
    break_promise("the output was completed before all was written");
  }
  mine.is_out = true;
}

namespace {

/// The tables of delivery.md, as plugins of databases keep them, over a connection that fails.
class sim_home : public relational::progress_home {
 public:
  sim_home(world& w, std::uint32_t process) : world_(w), client_(w, process) {}

  result<relational::sql_session*> session(bool) override {
    SLUICE_CHECK(client_.connect());
    return &client_;
  }
  result<std::vector<std::string>> columns_of(const std::string& table) override {
    SLUICE_CHECK(client_.connect());
    return world_.destination.columns_of(table);
  }
  result<std::string> session_name() override {
    SLUICE_CHECK(client_.connect());
    return client_.name();
  }
  result<std::optional<bool>> session_lives(const std::string& name) override {
    return std::optional(world_.destination.lives(name));
  }
  result<bool> session_works(const std::string& name) override { return world_.destination.works(name); }
  result<void> end_session(const std::string& name) override {
    SLUICE_CHECK(client_.connect());
    world_.destination.end(name);
    return {};
  }
  result<client*> connection() {
    SLUICE_CHECK(client_.connect());
    return &client_;
  }

 private:
  world& world_;
  client client_;
};

relational::progress_dialect dialect_of(const world& w) {
  relational::progress_dialect d;
  d.kept = w.keeps_marks;
  d.tables_name = "sluice_run and sluice_progress";
  d.place = "sim";
  d.now_seconds = "CLOCK()";
  return d;
}

class sim_writer : public writer {
 public:
  sim_writer(world& w, std::uint32_t process, const relational::progress_dialect& marks,
             std::shared_ptr<const relational::claim_state> claim, schema_ptr columns)
      : world_(w),
        process_(process),
        marks_(marks),
        claim_(std::move(claim)),
        columns_(std::move(columns)),
        client_(w, process) {}

  result<mark> open(split_index split, epoch_number epoch, const stop_signal& stop) override {
    if (!world_.is_alive(process_)) {
      return dead();
    }
    if (in_transaction_) {
      world_.break_promise("open without rollback of what was not committed");
    }
    if (!client_.is_connected()) {
      if (!owner_.empty()) {
        lost_.add(std::move(owner_));
        owner_.clear();
      }
      SLUICE_CHECK(client_.connect());
      owner_ = client_.name();
    }
    const relational::session_control control = {
        [&](const std::string& name) { return result<std::optional<bool>>(world_.destination.lives(name)); },
        [&](const std::string& name) {
          world_.destination.end(name);
          return result<void>();
        }};
    SLUICE_CHECK(lost_.end(control, stop, std::chrono::milliseconds(0)));
    SLUICE_TRY(mark m,
               lost_.explained(relational::open_split(client_, marks_, *claim_, split, epoch, owner_)));
    split_ = split;
    epoch_ = epoch;
    transaction_ = 0;
    is_first_ = true;
    m.transaction = 0;
    return m;
  }

  result<write_answer> write(const batch& b, const stop_signal&) override {
    if (!world_.is_alive(process_)) {
      return dead();
    }
    SLUICE_CHECK(begin());
    if (world_.happens(world_.wrong.write_busy)) {
      return fail(error_kind::busy, "deadlock");
    }
    if (b.epoch != epoch_ || b.split != split_) {
      world_.break_promise("a batch of another epoch reached the destination");
    }
    write_answer a;
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < b.rows; ++row) {
      const auto key = static_cast<std::uint64_t>(b.columns[0].get<std::int64_t>(row));
      if ((key & 0xFFFFFFFF) != b.position_of(row)) {
        world_.break_promise(fmt::format("record {} has position {}", key & 0xFFFFFFFF, b.position_of(row)));
      }
      switch (b.columns[2].get_bytes(row)[0]) {
        case 'r':
          a.refused.push_back({row, "m", "refused", "the destination refuses it"});
          break;
        case 'i':
          ++a.ignored;
          break;
        default:
          ++a.written;
          kept.push_back(row);
          rows_.emplace_back(split_.value, b.position_of(row));
      }
    }
    for (const std::uint32_t row : kept) {
      a.written_sum += canonical_sum(b.columns, *b.columns_schema, row, row + 1);
    }
    return a;
  }

  result<void> commit(const mark& m, const stop_signal&) override {
    if (!world_.is_alive(process_)) {
      return dead();
    }
    SLUICE_CHECK(begin());
    if (m.transaction != transaction_ || m.epoch != epoch_ || m.split != split_) {
      world_.break_promise("a transaction number was used twice or left out");
    }
    for (const auto& [place, is_durable] : world_.disks[world_.processes.at(process_).disk].pending) {
      if (place.first == split_.value && place.second < m.position && !is_durable) {
        world_.break_promise("a mark was committed before its dirty records were durable");
      }
    }
    if (world_.happens(world_.wrong.undone_unseen)) {
      client_.undo_unseen();
      world_.undoes_unseen = true;
      rows_.clear();
    }
    SLUICE_CHECK(relational::end_mark(client_, marks_, *claim_, m));
    in_transaction_ = false;
    data_change data{m, is_first_, process_, std::move(rows_)};
    rows_.clear();
    SLUICE_CHECK(client_.commit_with(std::move(data)));
    is_first_ = false;
    return {};
  }

  void rollback() override {
    client_.rollback();
    in_transaction_ = false;
    rows_.clear();
  }

 private:
  result<void> begin() {
    if (in_transaction_) {
      return {};
    }
    SLUICE_CHECK(client_.begin());
    in_transaction_ = true;
    return relational::begin_mark(client_, marks_, *claim_, split_, epoch_, ++transaction_);
  }

  world& world_;
  std::uint32_t process_;
  const relational::progress_dialect& marks_;
  std::shared_ptr<const relational::claim_state> claim_;
  schema_ptr columns_;
  client client_;
  relational::lost_sessions lost_;
  std::string owner_;  ///< The session as the server knows it.
  split_index split_;
  epoch_number epoch_;
  std::uint64_t transaction_ = 0;
  bool in_transaction_ = false;
  bool is_first_ = false;  ///< Nothing was committed since the split was opened.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows_;
};

class sim_target : public target {
 public:
  sim_target(world& w, std::uint32_t process)
      : world_(w),
        process_(process),
        dialect_(std::make_shared<const relational::progress_dialect>(dialect_of(w))),
        claim_(std::make_shared<relational::claim_state>()),
        home_(w, process),
        store_(home_, *dialect_, *claim_) {}

  result<target_description> open(const schema& source_columns, const stop_signal&) override {
    schema columns = source_columns;
    if (world_.converts) {
      columns[1].type = type_of(type_id::int64);
    }
    target_description d;
    d.columns = std::make_shared<const schema>(std::move(columns));
    d.name = "sim";
    d.output = "rows";
    d.empties = world_.job_of(process_).empties();
    d.exactly_once = world_.keeps_marks;
    d.rows_stand = !world_.keeps_marks;
    d.promise = world_.keeps_marks ? "exactly once" : "at least once, because no marks are kept";
    d.whole_split_max.rows = world_.whole_rows_max;
    return d;
  }
  progress_store* progress() override { return world_.keeps_marks ? &store_ : nullptr; }
  [[nodiscard]] std::vector<target_step> steps_before() const override {
    return shown(world_.job_of(process_).before);
  }
  [[nodiscard]] std::vector<target_step> steps_after() const override {
    return shown(world_.job_of(process_).after);
  }
  result<void> run_step_before(std::size_t index, const stop_signal&) override {
    const sim_step& step = world_.job_of(process_).before[index];
    return run_step(step, stages_before_data(index, step.text), {process_, false, index});
  }
  result<void> run_step_after(std::size_t index, const stop_signal&) override {
    return run_step(world_.job_of(process_).after[index], stages_behind_data(steps_after(), index),
                    {process_, true, index});
  }
  result<void> finish(const stop_signal&) override {
    if (!world_.is_alive(process_)) {
      return dead();
    }
    const bool is_lost = world_.happens(world_.wrong.finish_lost);
    if (!is_lost || world_.dice() % 2 == 0) {
      world_.complete(process_);
    }
    return is_lost ? fail(error_kind::not_connected, "the output may be complete or not") : result<void>();
  }
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    return std::make_unique<sim_writer>(world_, process_, *dialect_, claim_, std::move(columns));
  }

 private:
  static std::vector<target_step> shown(const std::vector<sim_step>& steps) {
    std::vector<target_step> out;
    for (const sim_step& s : steps) {
      out.push_back({s.text, s.as == sim_step::kind::twice});
    }
    return out;
  }
  /// As the plugins of databases do.
  result<void> run_step(const sim_step& step, const step_stages& stages, const step_change& does) {
    SLUICE_TRY(client * c, home_.connection());
    if (step.as == sim_step::kind::inside) {
      return relational::in_transaction(*c, [&]() -> result<void> {
        SLUICE_CHECK(c->act(does));
        return relational::set_stage_of(*c, *dialect_, *claim_, stages.behind);
      });
    }
    return relational::run_lone_step(
        *c, *dialect_, *claim_, {step.text, "sim", step.as == sim_step::kind::twice}, stages, ran_,
        [&]() -> std::optional<relational::step_failure> {
          auto done = c->act(does);
          if (done) {
            return std::nullopt;
          }
          return relational::step_failure{
              std::move(done).error(),
              c->is_connected() ? std::nullopt : std::optional(relational::step_outcome::lost)};
        });
  }

  world& world_;
  std::uint32_t process_;
  std::shared_ptr<const relational::progress_dialect> dialect_;
  std::shared_ptr<relational::claim_state> claim_;
  sim_home home_;
  relational::relational_progress store_;
  std::string ran_;
};

/// The dirty file in memory.
class sim_dirty : public dirty_store {
 public:
  sim_dirty(world& w, std::uint32_t process, std::size_t at) : world_(w), process_(process), at_(at) {}
  result<void> append(split_index split, epoch_number epoch, std::span<const dirty_record> records) override {
    if (auto r = alive(); !r || epoch < epochs_[split.value]) {
      return r;
    }
    for (const dirty_record& d : records) {
      const auto place = std::pair(split.value, d.position);
      if (!files().published.contains(place)) {
        files().pending[place] = false;
      }
    }
    return {};
  }
  result<void> sync(split_index split) override {
    if (auto r = alive(); !r) {
      return r;
    }
    for (auto& [place, durable] : files().pending) {
      durable = durable || place.first == split.value;
    }
    return {};
  }
  result<void> promote(split_index split, std::uint64_t position) override {
    if (auto r = alive(); !r) {
      return r;
    }
    std::erase_if(files().pending, [&](const auto& p) {
      if (p.first.first == split.value && p.first.second < position) {
        ++files().published[p.first];
        return true;
      }
      return false;
    });
    return {};
  }
  result<void> drop(split_index split, epoch_number epoch, std::uint64_t position) override {
    if (auto r = promote(split, position); !r) {
      return r;
    }
    epochs_[split.value] = epoch;
    std::erase_if(files().pending, [&](const auto& p) { return p.first.first == split.value; });
    return {};
  }
  result<void> seal() override {
    SLUICE_CHECK(alive());
    if (!files().pending.empty()) {
      world_.break_promise("dirty records above a mark were left at the end");
    }
    return {};
  }
  [[nodiscard]] std::uint64_t missing(split_index split, std::uint64_t dirty_total) const override {
    const auto& published = world_.disks[at_].published;
    const auto have = static_cast<std::uint64_t>(std::count_if(
        published.begin(), published.end(), [&](const auto& p) { return p.first.first == split.value; }));
    return dirty_total > have ? dirty_total - have : 0;
  }

 private:
  disk& files() { return world_.disks[at_]; }
  result<void> alive() {
    if (!world_.is_alive(process_)) {
      return dead();
    }
    if (world_.happens(world_.wrong.dirty_lost)) {
      return fail(error_kind::no_room, "the disk is full");
    }
    return {};
  }
  world& world_;
  std::uint32_t process_;
  std::size_t at_;
  std::map<std::uint32_t, epoch_number> epochs_;
};

}  // namespace

std::unique_ptr<target> make_target(world& w, std::uint32_t process) {
  return std::make_unique<sim_target>(w, process);
}

result<std::unique_ptr<dirty_store>> open_dirty_store(world& w, std::uint32_t process, const run_id& run,
                                                      bool continued, bool takes_over) {
  if (!w.is_alive(process)) {
    return dead();
  }
  const auto earlier = w.folder_of.find(run.text());
  std::size_t at = w.disks.size();
  if (!continued || earlier == w.folder_of.end()) {
    w.disks.emplace_back();
  } else if (const disk theirs = w.disks[earlier->second];
             theirs.owner != process && w.processes.at(theirs.owner).alive) {
    if (!takes_over) {
      return fail(error_kind::busy, "another process has the folder of the run");
    }
    w.disks.push_back(theirs);
  } else {
    at = earlier->second;
    // What was not synced is lost with the machine.
    std::erase_if(w.disks[at].pending, [](const auto& p) { return !p.second; });
  }
  w.disks[at].owner = process;
  w.folder_of[run.text()] = at;
  w.processes.at(process).disk = at;
  return std::unique_ptr<dirty_store>(std::make_unique<sim_dirty>(w, process, at));
}

}  // namespace sluice::sim
