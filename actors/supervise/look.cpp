#include "actors/supervise/look.h"

#include <algorithm>

#include "actors/supervise/ends.h"
#include "actors/supervise/make_ends.h"
#include "actors/supervise/same_table.h"

namespace sluice {
namespace {

/// Everything of one call of `look_at`.
class looker {
 public:
  looker(const job& what, const look_settings& settings, const stop_signal& stop)
      : what_(what), settings_(settings), stop_(stop) {}

  job_look look(const plugin& reader_plugin, const plugin& writer_plugin);

 private:
  result<void> open_ends();
  result<void> compare();
  result<void> find_continuation();
  result<void> find_splits();
  void group_splits();

  /// The answer of that kind, or the end's failure, named as a run names it.
  template <class Answer>
  result<Answer> expect(end_answer answer) {
    if (auto* failed = std::get_if<end_failed>(&answer)) {
      return fail(
          placed(std::move(failed->why), what_, failed->source ? what_.reader.place : what_.writer.place));
    }
    return std::get<Answer>(std::move(answer));
  }

  const job& what_;
  const look_settings& settings_;
  const stop_signal& stop_;
  job_ends ends_;
  schema_ptr between_;  ///< The columns behind the transformers.
  std::optional<source_end> source_;
  std::optional<target_end> target_;
  job_look look_;
};

result<void> looker::open_ends() {
  SLUICE_TRY(auto from, expect<source_opened>(source_->carry_out(source_open{}, stop_)));
  look_.source = std::move(from.what);
  SLUICE_TRY(between_, columns_behind_transformers(what_, look_.source.columns, ends_.conversion));
  SLUICE_TRY(look_.target, expect<target_opened>(target_->carry_out(
                               target_open{between_, what_.key, what_.name, look_.source.table}, stop_)));
  if (auto same = same_file_failure(what_, look_.source, look_.target.what)) {
    return fail(std::move(*same));
  }
  if (auto less = delivery_failure(what_, look_.source, look_.target.what)) {
    return fail(std::move(*less));
  }
  if (auto own = own_output_warning(what_, look_.source, look_.target.what); !own.empty()) {
    look_.warnings.push_back(std::move(own));
  }
  return {};
}

result<void> looker::compare() {
  const target_description& target = look_.target.what;
  look_.pairs = target.columns == nullptr
                    ? describe_reader_changes(*between_)
                    : describe_column_pairs(*columns_without(between_, target.left_out), *target.columns,
                                            ends_.conversion, what_.compat);
  if (target.columns == nullptr && target.names.empty()) {
    return {};
  }
  SLUICE_TRY(look_.map, make_mapping(what_, look_.source.columns, target.columns, ends_.conversion,
                                     target.names, target.left_out));
  look_.warnings.insert(look_.warnings.end(), look_.map->warnings.begin(), look_.map->warnings.end());
  return {};
}

result<void> looker::find_continuation() {
  start_facts mine = start_facts_of(what_, look_.target, settings_.on_unfinished, settings_.resume_window);
  mine.same_ends = settings_.same_ends;
  look_.next = decide_continuation(look_.target.runs, mine);
  if (const auto* refused = std::get_if<refuse_start>(&look_.next)) {
    return fail(placed(refused->why, what_, what_.writer.place));
  }
  if (std::holds_alternative<begin_fresh>(look_.next)) {
    if (auto sound = ends_.to->check_steps(stop_); !sound) {
      return fail(placed(std::move(sound).error(), what_, what_.writer.place));
    }
  }
  return {};
}

result<void> looker::find_splits() {
  if (const auto* unfinished = std::get_if<go_on_with>(&look_.next)) {
    SLUICE_TRY(auto frozen,
               expect<target_loaded>(target_->carry_out(target_load{unfinished->run.run}, stop_)));
    source_take_up all;
    for (progress_row& row : frozen.rows) {
      all.splits.push_back({row.description, row.at.after, row.at.done});
      look_.splits_done += row.at.done ? 1 : 0;
      look_.splits.push_back({std::move(row.description), std::move(row.label)});
    }
    if (unfinished->run.stage.rfind("post:", 0) != 0) {
      SLUICE_CHECK(expect<source_taken_up>(source_->carry_out(all, stop_)));
    }
  }
  if (look_.splits.empty()) {
    SLUICE_TRY(auto planned,
               expect<source_planned>(source_->carry_out(source_plan{what_.speed.concurrent}, stop_)));
    look_.splits = std::move(planned.splits);
    if (auto same = same_table_failure(*ends_.from, *ends_.to, look_.splits.size())) {
      return fail(placed(std::move(*same), what_, what_.writer.place));
    }
  }
  return {};
}

void looker::group_splits() {
  for (const split& s : look_.splits) {
    std::string statement = ends_.from->statement_of(s.description, false);
    const auto same = std::find_if(look_.kinds.begin(), look_.kinds.end(),
                                   [&](const split_kind& k) { return k.statement == statement; });
    if (same != look_.kinds.end()) {
      ++same->splits;
      continue;
    }
    std::string resumed =
        look_.source.resumable ? ends_.from->statement_of(s.description, true) : std::string();
    look_.kinds.push_back({std::move(statement), std::move(resumed), 1, s.label});
  }
}

job_look looker::look(const plugin& reader_plugin, const plugin& writer_plugin) {
  end_settings given;
  given.time_zone = settings_.time_zone;
  given.memory_bytes = settings_.memory_bytes;
  given.resolve_secret = settings_.resolve_secret;
  given.guard = settings_.guard;
  given.only_looks = true;
  given.makes_table = settings_.makes_table;
  given.warn = [this](std::string line) { look_.warnings.push_back(std::move(line)); };
  auto made = make_ends(what_, reader_plugin, writer_plugin, given);
  if (!made) {
    look_.failure = made.error();
    look_.wrong_job = true;
    return std::move(look_);
  }
  ends_ = std::move(*made);
  if (!settings_.open_ends) {
    return std::move(look_);
  }
  source_.emplace(ends_.from);
  target_.emplace(ends_.to, ends_.from);
  result<void> done = open_ends();
  if (done) {
    done = compare();
  }
  if (done) {
    done = find_continuation();
  }
  const bool plans = settings_.plan_splits || look_.source.plans_at_once;
  if (done && plans) {
    done = find_splits();
  }
  if (settings_.plan_splits) {
    group_splits();
  }
  if (!done) {
    look_.failure = done.error();
  }
  std::vector<split_size> sizes;
  for (const split& s : look_.splits) {
    sizes.push_back({s.label, s.records_exact, s.bytes_estimate});
  }
  look_.delivery =
      choose_delivery(what_.delivery, look_.source, look_.target.what, sizes, limits_of(run_settings()));
  look_.concurrency =
      choose_concurrency(what_.speed, look_.target.what.writers_max,
                         plans && done ? look_.splits.size() - look_.splits_done : what_.speed.concurrent);
  look_.memory = divide_memory(settings_.memory_bytes, look_.concurrency.pipelines, throttle_of(what_.speed));
  return std::move(look_);
}

}  // namespace

job_look look_at(const job& what, const plugin& reader_plugin, const plugin& writer_plugin,
                 const look_settings& settings, const stop_signal& stop) {
  return looker(what, settings, stop).look(reader_plugin, writer_plugin);
}

}  // namespace sluice
