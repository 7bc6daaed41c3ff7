#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/sim_world.h"
#include "transport/record/canonical.h"

namespace sluice::sim {
namespace {

tl::unexpected<error> dead() {
  return fail(error_kind::cancelled, "this process is dead");
}

/// The two tables of delivery.md in memory.
class sim_store : public progress_store {
 public:
  sim_store(world& w, std::uint32_t process) : world_(w), process_(process) {}

  [[nodiscard]] std::string tables() const override { return "sluice_run, sluice_progress"; }

  result<std::vector<run_row>> runs_of(const run_query&) override {
    std::vector<run_row> rows;
    for (auto i = world_.runs.rbegin(); i != world_.runs.rend(); ++i) {
      rows.push_back(i->row);
      rows.back().renewed_age_s = 61;  // whoever held it is dead
    }
    return rows;
  }
  result<void> make_tables() override { return alive(); }
  result<void> claim_new(const run_row& run) override {
    if (auto r = alive(); !r) {
      return r;
    }
    for (const auto& other : world_.runs) {
      if (other.row.owner && other.row.stage != "done") {
        return fail(error_kind::conflict, "the job is claimed");
      }
    }
    world_.runs.push_back({run, {}, {}});
    return {};
  }
  result<std::uint16_t> claim_again(const run_row& seen, const claim_owner& me) override {
    if (auto r = alive(); !r) {
      return fail(std::move(r).error());
    }
    auto* s = find_run(seen.run);
    if (s == nullptr || s->row.term != seen.term) {
      return fail(error_kind::conflict, "somebody else was faster");
    }
    s->row.owner = me;
    return ++s->row.term;
  }
  result<void> take(const run_row&) override {
    return fail(error_kind::internal, "nobody takes from the living here");
  }
  result<void> freeze(const run_id& run, const std::vector<progress_row>& splits) override {
    if (auto r = alive(); !r) {
      return r;
    }
    auto* s = find_run(run);
    s->splits = splits;
    s->transactions.assign(splits.size(), 0);
    return {};
  }
  result<std::vector<progress_row>> load(const run_id& run) override { return find_run(run)->splits; }
  result<void> set_stage(const run_id& run, const std::string& stage) override {
    if (auto r = alive(); !r) {
      return r;
    }
    find_run(run)->row.stage = stage;
    return {};
  }
  result<void> renew(const run_id&) override { return alive(); }
  result<std::string> reclaim(const run_id& run) override {
    if (auto r = alive(); !r) {
      return fail(std::move(r).error());
    }
    return find_run(run)->row.stage;
  }
  result<run_totals> finish(const run_id& run, const dirty_totals& dirty) override {
    if (auto r = alive(); !r) {
      return fail(std::move(r).error());
    }
    auto* s = find_run(run);
    run_totals all;
    all.splits = s->splits.size();
    all.dirty_by_code = dirty.by_code;
    for (const auto& p : s->splits) {
      if (!p.at.done || !p.at.counts.closes()) {
        world_.break_promise("finish was called before every split was done");
      }
      all.counts += p.at.counts;
      all.sums += p.at.sums;
    }
    s->row.stage = "done";
    s->splits.clear();
    s->row.totals = all;
    return all;
  }
  result<void> release(const run_id& run) override {
    if (auto r = alive(); !r) {
      return r;
    }
    find_run(run)->row.owner.reset();
    return {};
  }
  result<void> discard(const run_id& run) override {
    if (auto r = alive(); !r) {
      return r;
    }
    std::erase_if(world_.runs, [&](const auto& s) { return s.row.run == run; });
    return {};
  }

 private:
  result<void> alive() {
    if (process_ != world_.process) {
      return dead();
    }
    if (world_.happens(world_.wrong.store_lost)) {
      return fail(error_kind::not_connected, "the destination did not answer");
    }
    return {};
  }
  world::run_state* find_run(const run_id& id) {
    for (auto& s : world_.runs) {
      if (s.row.run == id) {
        return &s;
      }
    }
    return nullptr;
  }

  world& world_;
  std::uint32_t process_;
};

class sim_writer : public writer {
 public:
  sim_writer(world& w, std::uint32_t process, schema_ptr columns)
      : world_(w), process_(process), columns_(std::move(columns)) {}

  result<mark> open(split_index split, epoch_number epoch, const stop_signal&) override {
    if (process_ != world_.process) {
      return dead();
    }
    if (world_.happens(world_.wrong.open_lost)) {
      return fail(error_kind::not_connected, "the destination did not answer");
    }
    if (!buffer_.empty()) {
      world_.break_promise("open without rollback of what was not committed");
    }
    auto& run = world_.runs.back();
    mark& m = run.splits[split.value].at;
    if (m.epoch >= epoch) {
      return fail(error_kind::conflict, "a newer epoch owns the split");
    }
    m.epoch = epoch;
    run.transactions[split.value] = 0;
    split_ = split;
    epoch_ = epoch;
    last_ = 0;
    return m;
  }

  result<write_answer> write(const batch& b, const stop_signal&) override {
    if (process_ != world_.process) {
      return dead();
    }
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
          buffer_.emplace_back(split_.value, b.position_of(row));
      }
    }
    for (const std::uint32_t row : kept) {
      a.written_sum += canonical_sum(b.columns, *b.columns_schema, row, row + 1);
    }
    return a;
  }

  result<void> commit(const mark& m, const stop_signal&) override {
    if (process_ != world_.process) {
      return dead();
    }
    if (world_.happens(world_.wrong.commit_refused)) {
      return fail(error_kind::not_connected, "connection lost before the commit");
    }
    auto& run = world_.runs.back();
    mark& durable = run.splits[split_.value].at;
    if (durable.epoch != epoch_) {
      return fail(error_kind::conflict, "a newer epoch owns the split");
    }
    if (m.transaction != last_ + 1) {
      world_.break_promise("a transaction number was used twice or left out");
    }
    if (m.position < durable.position && !is_in_parts(durable)) {
      world_.break_promise("a mark went backwards");
    }
    last_ = m.transaction;
    durable = m;
    for (const auto& row : buffer_) {
      world_.rows.insert(row);
    }
    buffer_.clear();
    for (const auto& [place, is_durable] : world_.pending) {
      if (place.first == split_.value && place.second < m.position && !is_durable) {
        world_.break_promise("a mark was committed before its dirty records were durable");
      }
    }
    if (world_.happens(world_.wrong.commit_answer_lost)) {
      return fail(error_kind::not_connected, "connection lost after the commit");
    }
    return {};
  }

  void rollback() override { buffer_.clear(); }

 private:
  world& world_;
  std::uint32_t process_;
  schema_ptr columns_;
  split_index split_;
  epoch_number epoch_;
  std::uint64_t last_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> buffer_;
};

class sim_target : public target {
 public:
  sim_target(world& w, std::uint32_t process) : world_(w), process_(process), store_(w, process) {}

  result<target_description> open(const schema& source_columns, const stop_signal&) override {
    schema columns = source_columns;
    if (world_.converts) {
      columns[1].type = type_of(type_id::int64);
    }
    target_description d;
    d.columns = std::make_shared<const schema>(std::move(columns));
    d.name = "sim";
    d.promise = "exactly once";
    d.exactly_once = true;
    d.whole_split_max.rows = world_.whole_rows_max;
    return d;
  }
  progress_store* progress() override { return &store_; }
  result<std::unique_ptr<writer>> make_writer(schema_ptr columns) override {
    return std::make_unique<sim_writer>(world_, process_, std::move(columns));
  }

 private:
  world& world_;
  std::uint32_t process_;
  sim_store store_;
};

/// The dirty file in memory: what was not synced is lost with the process.
class sim_dirty : public dirty_store {
 public:
  sim_dirty(world& w, std::uint32_t process) : world_(w), process_(process) {
    std::erase_if(world_.pending, [](const auto& p) { return !p.second; });
  }
  result<void> append(split_index split, epoch_number epoch, std::span<const dirty_record> records) override {
    if (auto r = alive(); !r || epoch < epochs_[split.value]) {
      return r;
    }
    for (const dirty_record& d : records) {
      const auto place = std::pair(split.value, d.position);
      if (!world_.published.contains(place)) {
        world_.pending[place] = false;
      }
    }
    return {};
  }
  result<void> sync(split_index split) override {
    if (auto r = alive(); !r) {
      return r;
    }
    for (auto& [place, durable] : world_.pending) {
      durable = durable || place.first == split.value;
    }
    return {};
  }
  result<void> promote(split_index split, std::uint64_t position) override {
    if (auto r = alive(); !r) {
      return r;
    }
    std::erase_if(world_.pending, [&](const auto& p) {
      if (p.first.first == split.value && p.first.second < position) {
        ++world_.published[p.first];
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
    std::erase_if(world_.pending, [&](const auto& p) { return p.first.first == split.value; });
    return {};
  }
  result<void> seal() override {
    if (!world_.pending.empty()) {
      world_.break_promise("dirty records above a mark were left at the end");
    }
    return alive();
  }
  [[nodiscard]] std::uint64_t missing(split_index, std::uint64_t) const override { return 0; }

 private:
  result<void> alive() {
    if (process_ != world_.process) {
      return dead();
    }
    if (world_.happens(world_.wrong.dirty_lost)) {
      return fail(error_kind::no_room, "the disk is full");
    }
    return {};
  }
  world& world_;
  std::uint32_t process_;
  std::map<std::uint32_t, epoch_number> epochs_;
};

}  // namespace

std::unique_ptr<target> make_target(world& w, std::uint32_t process) {
  return std::make_unique<sim_target>(w, process);
}
std::unique_ptr<dirty_store> make_dirty_store(world& w, std::uint32_t process) {
  return std::make_unique<sim_dirty>(w, process);
}

}  // namespace sluice::sim
