#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/sim_world.h"

namespace sluice::sim {
namespace {

fate roll_fate(world& w, bool flood) {
  const auto roll = w.dice() % 100;
  if (roll < 5) {
    return fate::reader_dirty;
  }
  if (roll < 10) {
    return w.converts ? fate::channel_dirty : fate::reader_dirty;
  }
  if (roll < 15) {
    return fate::writer_dirty;
  }
  if (roll < 20) {
    return fate::ignored;
  }
  if (roll < 25) {
    return w.converts && w.filters ? fate::filtered : fate::written;
  }
  return flood ? fate::writer_dirty : fate::written;
}

/// Few jobs have steps, and of those few have many.
std::vector<sim_step> roll_steps(world& w, std::string_view where, bool empties) {
  std::vector<sim_step> steps(w.dice() % 2 == 0 ? w.dice() % 4 : 0);
  if (empties) {
    steps.resize(std::max<std::size_t>(1, steps.size()));
    sim_step& one = steps[w.dice() % steps.size()];
    one.empties = true;
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    sim_step& s = steps[i];
    const auto roll = w.dice() % 3;
    s.as = roll == 0                ? sim_step::kind::inside
           : s.empties || roll == 1 ? sim_step::kind::twice
                                    : sim_step::kind::alone;
    s.text = fmt::format("{} {} the data", s.empties ? "TRUNCATE" : fmt::format("statement {}", i), where);
  }
  return steps;
}

}  // namespace

world::world(std::uint64_t seed) : dice(seed), destination(*this) {
  const std::size_t splits = 1 + dice() % 5;
  resumable = dice() % 4 != 0;
  whole_rows_max = !resumable && dice() % 2 == 0 ? 1 + dice() % 300 : 0;
  keeps_marks = dice() % 8 != 0;
  mode = keeps_marks && dice() % 4 == 0 ? delivery_mode::exactly_once
         : dice() % 4 == 0              ? delivery_mode::at_least_once
                                        : delivery_mode::automatic;
  filters = dice() % 2 == 0;
  converts = dice() % 2 == 0;
  oversize_bytes = (dice() % 3 == 0) ? 20'000 + dice() % 200'000 : 0;
  const bool two = keeps_marks && dice() % 3 == 0;
  jobs.resize(two ? 2 : 1);
  for (sim_job& j : jobs) {
    const bool flood = dice() % 10 == 0;  // nearly everything is dirty
    for (std::size_t s = 0; s < splits; ++s) {
      std::vector<fate> records(dice() % 8 == 0 ? 0 : dice() % (two ? 200 : 400));
      for (fate& f : records) {
        f = roll_fate(*this, flood);
      }
      j.oversize.push_back(oversize_bytes != 0 && !records.empty() && dice() % 2 == 0
                               ? dice() % records.size()
                               : ~std::uint64_t{0});
      j.source.push_back(std::move(records));
    }
    // With two jobs the last one empties, else one of both would not.
    const bool empties = two ? &j == &jobs.back() : dice() % 4 == 0;
    j.before = roll_steps(*this, "before", empties);
    j.after = roll_steps(*this, "after", false);
  }
}

void world::kill(std::uint32_t process) {
  processes.at(process).alive = false;
  destination.lose_all_of(process);
}

bool sim_job::empties() const {
  return std::any_of(before.begin(), before.end(), [](const sim_step& s) { return s.empties; });
}

bool sim_job::is_written() const {
  return marks.size() == source.size() &&
         std::all_of(marks.begin(), marks.end(), [](const auto& m) { return m.second.at.done; });
}

record_counts sim_job::expected() const {
  record_counts all;
  for (const auto& split : source) {
    for (const fate f : split) {
      ++all.read;
      all.written += f == fate::written ? 1 : 0;
      all.ignored += f == fate::ignored ? 1 : 0;
      all.filtered += f == fate::filtered ? 1 : 0;
      all.dirty += f == fate::reader_dirty || f == fate::channel_dirty || f == fate::writer_dirty ? 1 : 0;
    }
  }
  return all;
}

namespace {

/// Columns: k (split and position), v (a number as text), m (one letter that says the fate, then filling).
class sim_reader : public reader {
 public:
  sim_reader(world& w, std::uint32_t process) : world_(w), process_(process) {}

  result<void> open(const scalar_list& description, const std::optional<cursor>& after,
                    const stop_signal&) override {
    if (world_.happens(world_.wrong.read_lost)) {
      return fail(error_kind::not_connected, "the source did not answer");
    }
    split_ = static_cast<std::size_t>(std::get<std::int64_t>(find(description, "split")->value));
    position_ =
        after ? static_cast<std::uint64_t>(std::get<std::int64_t>(find(*after, "position")->value)) : 0;
    return {};
  }

  result<read_answer> read(batch_builder& builder, const stop_signal&) override {
    const sim_job& mine = world_.job_of(process_);
    const auto& records = mine.source[split_];
    while (position_ < records.size() && !builder.full()) {
      if (world_.happens(world_.wrong.read_lost)) {
        return fail(error_kind::not_connected, "the source went away");
      }
      if (world_.dice() % 64 == 0 && builder.records() != 0) {
        break;  // a slow source hands over what it has
      }
      const bool large = mine.oversize[split_] == position_;
      if (large && builder.limit().bytes_max < world_.oversize_bytes + builder.bytes()) {
        return read_answer{read_answer::kind::needs, world_.oversize_bytes + builder.bytes() + 4096};
      }
      append(builder, records[position_], large);
      ++position_;
    }
    if (world_.resumable) {
      builder.set_cursor({{"position", {static_cast<std::int64_t>(position_)}}});
    }
    return read_answer{position_ == records.size() ? read_answer::kind::end : read_answer::kind::full, 0};
  }

 private:
  void append(batch_builder& builder, fate f, bool large) {
    const auto key = static_cast<std::int64_t>(split_ << 32 | position_);
    if (f == fate::reader_dirty) {
      dirty_record d;
      d.side = dirty_side::reader;
      d.code = "sim";
      d.message = "the reader refuses it";
      d.record.push_back({"k", "int64", std::to_string(key)});
      builder.refuse(std::move(d));
      return;
    }
    static constexpr char letters[] = {'w', 'x', 'c', 'r', 'i', 'f'};
    builder.at(0).append<std::int64_t>(key);
    builder.at(1).append_bytes(f == fate::channel_dirty ? "no number" : std::to_string(key));
    std::string filling(1, letters[static_cast<int>(f)]);
    if (large) {
      filling.resize(world_.oversize_bytes, '.');
    }
    builder.at(2).append_bytes(filling);
    builder.at(3).append_bytes(f == fate::filtered ? "out" : "in");
    builder.commit_row();
  }

  world& world_;
  std::uint32_t process_;
  std::size_t split_ = 0;
  std::uint64_t position_ = 0;
};

class sim_source : public source {
 public:
  sim_source(world& w, std::uint32_t process) : world_(w), process_(process) {}

  result<source_description> open(const stop_signal&) override {
    source_description d;
    schema columns = {{"k", type_of(type_id::int64), false, "bigint"},
                      {"v", type_of(type_id::utf8), false, "text"},
                      {"m", type_of(type_id::utf8), false, "text"},
                      {"f", type_of(type_id::utf8), false, "text"}};
    d.columns = std::make_shared<const schema>(std::move(columns));
    d.repeatable = true;
    d.resumable = world_.resumable;
    return d;
  }
  result<std::vector<split>> plan_splits(std::uint32_t, const stop_signal&) override {
    std::vector<split> splits;
    for (std::size_t i = 0; i < world_.job_of(process_).source.size(); ++i) {
      split s;
      s.description = {{"split", {static_cast<std::int64_t>(i)}}};
      s.label = fmt::format("sim split {}", i);
      splits.push_back(std::move(s));
    }
    return splits;
  }
  result<std::unique_ptr<reader>> make_reader() override {
    return std::make_unique<sim_reader>(world_, process_);
  }

 private:
  world& world_;
  std::uint32_t process_;
};

}  // namespace

std::unique_ptr<source> make_source(world& w, std::uint32_t process) {
  return std::make_unique<sim_source>(w, process);
}

}  // namespace sluice::sim
