#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/supervise/supervisor_actor.h"
#include "transport/record/canonical.h"

namespace sluice::testing {

/// Collects what a run tells.
class collecting_observer : public run_observer {
 public:
  void notice(notice_level, const std::string&, std::int64_t, const std::string& line) override {
    lines.push_back(line);
  }
  void progress(const progress_snapshot& now) override { last = now; }
  void dirty(const dirty_record& record, std::uint32_t) override { first_dirty.push_back(record); }
  void ended(const run_summary& summary) override { at_end(summary); }
  void forgot(const std::vector<run_id>& runs) override { forgotten = runs; }
  void committed(std::uint64_t rows, const repeated_rows& so_far) override {
    rows_committed = rows;
    beside = so_far;
  }
  std::uint64_t rows_committed = 0;
  repeated_rows beside;
  std::optional<std::vector<run_id>> forgotten;
  std::vector<std::string> lines;
  std::vector<dirty_record> first_dirty;
  progress_snapshot last;
  std::function<void(const run_summary&)> at_end = [](const run_summary&) {};
};

/// Keeps dirty records nowhere but counts them.
class counting_store : public dirty_store {
 public:
  result<void> append(split_index, epoch_number, std::span<const dirty_record> records) override {
    appended += records.size();
    return {};
  }
  result<void> sync(split_index) override { return {}; }
  result<void> promote(split_index, std::uint64_t) override { return {}; }
  result<void> drop(split_index, epoch_number, std::uint64_t) override { return {}; }
  result<void> seal() override { return {}; }
  [[nodiscard]] std::uint64_t missing(split_index, std::uint64_t) const override { return 0; }
  std::atomic<std::uint64_t> appended = 0;
};

/// A source of `splits` splits, each of `records` records of one text column of `record_bytes`.
struct made_source : source {
  std::function<void(std::string_view)> at_call = [](std::string_view) {};  ///< Gets the call's name.
  std::uint32_t splits = 1;
  std::uint64_t records = 100;
  std::uint64_t record_bytes = 100;
  bool counts_known = true;         ///< Splits tell how many records they have.
  std::optional<error> first_read;  ///< The first read fails with this.
  std::optional<held_snapshot> snapshot;
  std::atomic<std::uint64_t> records_made = 0;

  struct made_reader : reader {
    explicit made_reader(made_source& s) : from(s) {}
    result<void> open(const scalar_list&, const std::optional<cursor>& after, const stop_signal&) override {
      from.at_call("reader open");
      at = after ? static_cast<std::uint64_t>(std::get<std::int64_t>(find(*after, "at")->value)) : 0;
      return {};
    }
    result<read_answer> read(batch_builder& builder, const stop_signal&) override {
      from.at_call("read");
      if (from.first_read) {
        return fail(*from.first_read);
      }
      for (; at < from.records && !builder.full(); ++at) {
        if (builder.bytes() + from.record_bytes + 64 > builder.limit().bytes_max) {
          if (builder.records() != 0) {
            break;
          }
          return read_answer{read_answer::kind::needs, from.record_bytes + 4096};
        }
        builder.at(0).append_bytes(std::string(from.record_bytes, 'x'));
        builder.commit_row();
        ++from.records_made;
      }
      builder.set_cursor({{"at", {static_cast<std::int64_t>(at)}}});
      return read_answer{at == from.records ? read_answer::kind::end : read_answer::kind::full, 0};
    }
    made_source& from;
    std::uint64_t at = 0;
  };

  result<source_description> open(const stop_signal&) override {
    at_call("source open");
    source_description d;
    d.columns = std::make_shared<const schema>(schema{{"t", type_of(type_id::utf8), true, "text"}});
    d.repeatable = true;
    d.resumable = true;
    d.snapshot = snapshot;
    return d;
  }
  result<std::vector<split>> plan_splits(std::uint32_t, const stop_signal&) override {
    std::vector<split> all(splits);
    for (std::uint32_t i = 0; i < splits; ++i) {
      all[i].label = "split " + std::to_string(i);
      if (counts_known) {
        all[i].records_exact = records;
      }
    }
    return all;
  }
  result<std::unique_ptr<reader>> make_reader() override { return std::make_unique<made_reader>(*this); }
};

/// A destination without marks whose writers do what the test says.
struct made_target : target {
  std::function<void(std::string_view)> at_call = [](std::string_view) {};  ///< Gets the call's name.
  std::function<result<write_answer>(const batch&)> on_write = [](const batch& b) -> result<write_answer> {
    write_answer a;
    a.written = b.rows;
    return a;
  };
  std::atomic<int> changes = 0;  ///< Calls that change something.
  std::vector<target_step> before;
  bool abandoned = false;
  bool finished = false;

  struct made_writer : writer {
    explicit made_writer(made_target& t) : to(t) {}
    result<mark> open(split_index s, epoch_number e, const stop_signal&) override {
      to.at_call("writer open");
      ++to.changes;
      mark m;
      m.split = s;
      m.epoch = e;
      return m;
    }
    result<write_answer> write(const batch& b, const stop_signal&) override { return to.on_write(b); }
    result<void> commit(const mark&, const stop_signal&) override {
      to.at_call("commit");
      return {};
    }
    void rollback() override {}
    made_target& to;
  };

  result<void> connect_early(const stop_signal&) override {
    at_call("connect");
    return {};
  }
  result<target_description> open(const schema& columns, const stop_signal&) override {
    at_call("target open");
    target_description d;
    d.columns = std::make_shared<const schema>(columns);
    d.name = "made";
    d.promise = "at least once, because it is a test";
    return d;
  }
  result<void> prepare(const run_id&, const stop_signal&) override {
    ++changes;
    return {};
  }
  [[nodiscard]] std::vector<target_step> steps_before() const override { return before; }
  result<void> run_step_before(std::size_t, const stop_signal&) override {
    ++changes;
    return {};
  }
  result<std::unique_ptr<writer>> make_writer(schema_ptr) override {
    return std::make_unique<made_writer>(*this);
  }
  result<void> finish(const stop_signal&) override {
    at_call("finish");
    finished = true;
    return {};
  }
  void abandon() override { abandoned = true; }
};

/// One run on real threads.
class threaded_run {
 public:
  threaded_run() {
    env->settings.run = run_id::make(1, 2, 3);
    env->conversion.zone = *time_zone::find("UTC");
    env->me = {"host", 1, "start", ""};
    env->observer = &observer;
    what.name = "test";
    what.speed.concurrent = 1;
    env->from = from;
    env->to = to;
    env->open_dirty = [this](const run_id&, bool,
                             std::optional<run_id>) -> result<std::unique_ptr<dirty_store>> {
      auto s = std::make_unique<counting_store>();
      store = s.get();
      return s;
    };
  }

  void start() {
    env->what = &what;
    env->pool = buffer_pool::make(
        divide_memory(env->settings.memory_bytes, what.speed.concurrent, {}).cache_bytes_max);
    env->over = [this](run_summary s, bool) { end.set_value(std::move(s)); };
    config.set("scheduler.policy", caf::atom("sharing"));
    system = std::make_unique<caf::actor_system>(config);
    supervisor = spawn_actor<supervisor_actor>(*system, placement::cooperative, env);
    tell(supervisor, start_run{});
  }
  run_summary wait() {
    run_summary s = end.get_future().get();
    supervisor = nullptr;
    system.reset();
    return s;
  }
  run_summary run() {
    start();
    return wait();
  }

  job what;
  std::shared_ptr<made_source> from = std::make_shared<made_source>();
  std::shared_ptr<made_target> to = std::make_shared<made_target>();
  collecting_observer observer;
  counting_store* store = nullptr;
  std::shared_ptr<run_environment> env = std::make_shared<run_environment>();
  actor_ref supervisor;

 private:
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::promise<run_summary> end;
};

}  // namespace sluice::testing
