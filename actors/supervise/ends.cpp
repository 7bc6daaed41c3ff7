#include "actors/supervise/ends.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>

#include "actors/supervise/same_table.h"
#include "plugins/api/marks_lost.h"
#include "plugins/api/step_stage.h"
#include "transport/base/process.h"
#include "transport/base/text.h"
#include "transport/base/thrown.h"

namespace sluice {
namespace {

end_answer source_failed(std::string doing, error e) {
  return end_failed{true, std::move(doing), std::move(e)};
}
end_answer target_failed(std::string doing, error e) {
  return end_failed{false, std::move(doing), std::move(e)};
}

/// What `source::bound_by` says of each.
template <class Splits>
std::vector<std::string> bounds_of(const source& from, const Splits& splits) {
  std::vector<std::string> bounds;
  for (const auto& s : splits) {
    bounds.push_back(from.bound_by(s.description));
  }
  return bounds;
}

/// While the session of a killed process is waited for.
constexpr std::chrono::milliseconds between_looks{250};

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

}  // namespace

end_answer source_end::carry_out(const source_command& c, const stop_signal& stop) try {
  return std::visit(overloaded{
                        [&](const source_open&) -> end_answer {
                          auto what = source_->open(stop);
                          return what ? end_answer(source_opened{std::move(*what)})
                                      : source_failed("opening the source", what.error());
                        },
                        [&](const source_plan& p) -> end_answer {
                          auto splits = source_->plan_splits(p.advice, stop);
                          if (!splits) {
                            return source_failed("planning the splits", splits.error());
                          }
                          auto bounds = bounds_of(*source_, *splits);
                          return source_planned{std::move(*splits), std::move(bounds)};
                        },
                        [&](const source_take_up& t) -> end_answer {
                          auto ok = source_->take_up(t.splits, stop);
                          return ok ? end_answer(source_taken_up{bounds_of(*source_, t.splits)})
                                    : source_failed("taking up the splits", ok.error());
                        },
                        [&](const source_make_readers& m) -> end_answer {
                          readers_made made;
                          if (!m.own.empty()) {
                            auto columns = source_->carry_own(m.own);
                            if (!columns) {
                              return source_failed("making the readers", columns.error());
                            }
                            made.own = std::move(*columns);
                          }
                          for (std::uint32_t i = 0; i < m.count; ++i) {
                            auto r = source_->make_reader();
                            if (!r) {
                              return source_failed("making a reader", r.error());
                            }
                            made.readers.push_back(std::move(*r));
                          }
                          return made;
                        },
                        [&](const source_check&) -> end_answer {
                          auto ok = source_->check_unchanged(stop);
                          return ok ? end_answer(source_checked{})
                                    : source_failed("checking that the source is unchanged", ok.error());
                        },
                    },
                    c);
} catch (...) {
  return source_failed("working at the source", thrown(std::current_exception()));
}

end_answer target_end::carry_out(const target_command& c, const stop_signal& stop) try {
  return std::visit(overloaded{
                        [&](const target_open& o) { return open(o, stop); },
                        [&](const target_take& t) { return take(t); },
                        [&](const target_load& l) -> end_answer {
                          auto rows = target_->progress()->load(l.run);
                          return rows ? end_answer(target_loaded{std::move(*rows)})
                                      : target_failed("reading the frozen plan", rows.error());
                        },
                        [&](const target_claim& m) { return claim(m, stop); },
                        [&](const target_before& b) { return before(b, stop); },
                        [&](const target_make_writers& m) -> end_answer {
                          writers_made made;
                          for (std::uint32_t i = 0; i < m.count; ++i) {
                            auto w = target_->make_writer(m.columns);
                            if (!w) {
                              return target_failed("making a writer", w.error());
                            }
                            made.writers.push_back(std::move(*w));
                          }
                          return made;
                        },
                        [&](const target_after& a) { return after(a, stop); },
                        [&](const target_release& r) { return release(r); },
                        [&](const target_renew& r) -> end_answer {
                          auto ok = target_->progress()->renew(r.run);
                          return target_renewed{ok ? std::nullopt : std::optional(ok.error())};
                        },
                    },
                    c);
} catch (...) {
  return target_failed("working at the destination", thrown(std::current_exception()));
}

end_answer target_end::open(const target_open& c, const stop_signal& stop) {
  // One that was lost, or not made, before it was ready is made anew once, by the target's own `open`.
  if (!early_ && early_.error().kind != error_kind::not_connected) {
    return target_failed("opening the destination", early_.error());
  }
  target_->know_source(c.table);
  auto what = target_->open(*c.source_columns, stop);
  if (!what && what.error().kind == error_kind::not_connected && early_) {
    // The source may have taken long, and the server have ended the connection that was made early.
    what = target_->open(*c.source_columns, stop);
  }
  if (!what) {
    return target_failed("opening the destination", what.error());
  }
  if (auto same = same_table_failure(*from_, *target_, 1)) {
    return target_failed("opening the destination", std::move(*same));
  }
  target_opened answer;
  answer.what = std::move(*what);
  appears_whole_ = answer.what.appears_whole;
  if (writes_what_it_reads(*from_, *target_)) {
    answer.what.changes.emplace_back(
        "This job reads the table that it writes: what is read is written into it once more.");
  }
  answer.is_new = answer.what.files_changed.empty() && target_->tables_used().tables.empty();
  answer.before = target_->steps_before();
  answer.after = target_->steps_after();
  if (progress_store* store = target_->progress()) {
    answer.has_store = true;
    answer.tables = store->tables();
    answer.tables_sql = store->tables_sql();
    auto runs = find_runs({c.job_key, c.job_name, answer.what.output}, stop);
    if (!runs) {
      return target_failed("looking for earlier runs of the job", runs.error());
    }
    answer.runs = std::move(*runs);
  }
  return answer;
}

end_answer target_end::take(const target_take& c) {
  progress_store* store = target_->progress();
  if (auto r = store->take(c.from); !r) {
    return target_failed("taking the claim from another process", r.error());
  }
  auto runs = store->runs_of(c.query);
  return runs ? end_answer(target_taken{std::move(*runs)})
              : target_failed("looking for earlier runs of the job", runs.error());
}

result<std::vector<run_row>> target_end::find_runs(const run_query& query, const stop_signal& stop) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + takeover_wait_;
  while (true) {
    auto runs = target_->progress()->runs_of(query);
    const auto may_be_gone = [&](const run_row& row) {
      return row.job_key == query.job_key && row.held && row.owner &&
             look_up({row.owner->host, row.owner->pid, row.owner->process_start}) == process_state::elsewhere;
    };
    const auto now = steady_clock::now();
    if (!runs || now >= deadline || std::none_of(runs->begin(), runs->end(), may_be_gone)) {
      return runs;
    }
    SLUICE_CHECK(wait(-1, wait_for::readable, std::min(deadline, now + between_looks), stop));
  }
}

end_answer target_end::claim(const target_claim& c, const stop_signal& stop) {
  progress_store* store = target_->progress();
  if (!c.seen) {
    if (auto same = same_table_failure(*from_, *target_, c.splits.size())) {
      return target_failed("taking the claim", std::move(*same));
    }
    if (auto r = target_->check_steps(stop); !r) {
      return target_failed("checking the steps", r.error());
    }
  }
  if (auto r = store->make_tables(); !r) {
    return target_failed("making the progress tables", r.error());
  }
  for (const run_id& old : c.discard) {
    if (auto r = store->discard(old); !r) {
      return target_failed("forgetting an unfinished run", r.error());
    }
  }
  if (c.seen) {
    run_row seen = *c.seen;
    seen.job_key = c.mine.job_key;
    seen.instance = c.mine.instance;
    seen.key_parts = c.mine.key_parts;
    auto term = store->claim_again(seen, *c.mine.owner);
    if (!term) {
      return target_failed("taking over the claim", term.error());
    }
    if (auto r = check_none_is_emptied(c); !r) {
      (void)store->release(c.mine.run);
      return target_failed("taking over the claim", r.error());
    }
    if (c.mine.stage != c.seen->stage) {
      if (auto r = store->set_stage(c.mine.run, c.mine.stage); !r) {
        return target_failed("recording the stage", r.error());
      }
    }
    return target_claimed{*term};
  }
  if (auto r = store->claim_new(c.mine); !r) {
    return target_failed("taking the claim", r.error());
  }
  auto alone = check_none_came(c);
  if (alone) {
    alone = check_none_is_emptied(c);
  }
  if (!alone) {
    (void)store->discard(c.mine.run);
    return target_failed("taking the claim", alone.error());
  }
  if (auto r = store->freeze(c.mine.run, c.splits); !r) {
    return target_failed("freezing the plan", r.error());
  }
  frozen_ = c.splits.size();
  return target_claimed{c.mine.term};
}

/// With the claim in hand: a run of the job that came and went since the start was decided on is not done, or
/// left half done, once more.
result<void> target_end::check_none_came(const target_claim& c) {
  SLUICE_TRY(const auto runs, target_->progress()->runs_of({c.mine.job_key, c.mine.job_name, c.mine.output}));
  for (const run_row& row : runs) {
    const bool known =
        row.run == c.mine.run || std::find(c.known.begin(), c.known.end(), row.run) != c.known.end();
    if (known || row.job_key != c.mine.job_key || row.instance != c.mine.instance) {
      continue;
    }
    return fail(
        error{error_kind::conflict,
              fmt::format("run {} of this job was {} by another process since this start looked; nothing "
                          "was changed, run the same command again",
                          row.run.text(), row.stage == "done" ? "done" : "begun"),
              "came_between", true});
  }
  return {};
}

/// With the claim in hand, and before steps that empty the output: another run may have written rows there
/// since the start looked, or one that it found without rows, whose last COMMIT was on its way.
result<void> target_end::check_none_is_emptied(const target_claim& c) {
  const bool empties =
      c.mine.empties && !appears_whole_ && (c.mine.stage == "claimed" || stage_step(c.mine.stage, "pre:"));
  if (!empties) {
    return {};
  }
  SLUICE_TRY(const auto runs, target_->progress()->runs_of({c.mine.job_key, c.mine.job_name, c.mine.output}));
  for (const run_row& row : runs) {
    if (row.run != c.mine.run && row.output == c.mine.output && row.stage != "done" && row.written != 0) {
      return fail(error{
          error_kind::conflict,
          fmt::format("run {} of job {} is unfinished and has written {} rows, since this start looked, into "
                      "the table that this job empties; nothing was changed, run the same command again",
                      row.run.text(), in_quotes(row.job_name), with_thousands(row.written)),
          "came_between", true});
    }
  }
  return {};
}

result<void> target_end::check_rows(const run_id& run, bool at_end, const stop_signal& stop) {
  progress_store* store = target_->progress();
  if (store == nullptr) {
    return {};
  }
  SLUICE_TRY(const auto marks, store->load(run));
  if (at_end) {
    SLUICE_CHECK(check_whole({}, marks, frozen_));
  }
  committed_rows rows;
  for (const progress_row& row : marks) {
    rows.written += row.at.counts.written;
    rows.parts += row.at.parts;
  }
  return target_->check_rows(rows, at_end, stop);
}

end_answer target_end::before(const target_before& c, const stop_signal& stop) {
  progress_store* store = target_->progress();
  if (store == nullptr) {  // else looked at before the claim was taken
    if (auto same = same_table_failure(*from_, *target_, c.splits)) {
      return target_failed("preparing the destination", std::move(*same));
    }
    if (auto r = target_->check_steps(stop); !r) {
      return target_failed("checking the steps", r.error());
    }
  }
  if (auto r = target_->prepare(c.run, stop); !r) {
    return target_failed("preparing the destination", r.error());
  }
  if (!c.loading) {
    const auto steps = target_->steps_before();
    for (std::size_t i = c.first_step; i < steps.size(); ++i) {
      if (stop.fired()) {
        return target_failed("the steps before the data",
                             {error_kind::cancelled, "stopped on request", "", false});
      }
      if (auto r = target_->run_step_before(i, stop); !r) {
        return target_failed(fmt::format("step {} before the data ({})", i + 1, escaped(steps[i].text)),
                             r.error());
      }
    }
  }
  auto what = target_->open(*c.source_columns, stop);
  if (!what) {
    return target_failed("describing the destination after its steps", what.error());
  }
  writes_ = true;
  if (auto r = check_rows(c.run, false, stop); !r) {
    return target_failed("looking for the rows that are written already", r.error());
  }
  if (store != nullptr && !c.loading) {
    if (auto r = store->set_stage(c.run, "loading"); !r) {
      return target_failed("recording the stage", r.error());
    }
  }
  return target_ready{std::move(*what)};
}

end_answer target_end::after(const target_after& c, const stop_signal& stop) {
  progress_store* store = target_->progress();
  std::optional<std::size_t> first_step = c.first_step;
  bool checks = writes_;
  if (c.again && store != nullptr) {
    const auto stage = store->reclaim(c.run);
    if (!stage) {
      return target_failed("taking the claim up again", stage.error());
    }
    if (*stage == "done") {
      return target_finished{};
    }
    first_step = stage_step(*stage, "post:");
    checks = checks && !first_step;  // a step may have put the output elsewhere
  }
  if (checks) {
    if (auto r = check_rows(c.run, true, stop); !r) {
      return target_failed("looking for the rows that are written", r.error());
    }
  }
  if (auto r = target_->finish(stop); !r) {
    return target_failed("completing the output", r.error());
  }
  if (c.verify && !first_step) {
    if (auto r = c.verify(stop); !r) {
      return target_failed("comparing what is written", r.error());
    }
  }
  const auto steps = target_->steps_after();
  if (store != nullptr && !steps.empty() && !first_step) {
    if (auto r = store->set_stage(c.run, stage_behind(steps, 0)); !r) {
      return target_failed("recording the stage", r.error());
    }
  }
  for (std::size_t i = first_step.value_or(0); i < steps.size(); ++i) {
    if (stop.fired()) {
      return target_failed("the steps after the data",
                           {error_kind::cancelled, "stopped on request", "", false});
    }
    if (auto r = target_->run_step_after(i, stop); !r) {
      return target_failed(fmt::format("step {} after the data ({})", i + 1, escaped(steps[i].text)),
                           r.error());
    }
  }
  if (store != nullptr) {
    if (auto r = store->finish(c.run, c.dirty); !r) {
      return target_failed("marking the run done", r.error());
    }
  }
  return target_finished{};
}

end_answer target_end::release(const target_release& c) {
  if (c.abandon) {
    target_->abandon();
  }
  progress_store* store = target_->progress();
  if (store != nullptr && c.claimed) {
    if (auto r = c.forget ? store->discard(c.run) : store->release(c.run); !r) {
      return target_failed("releasing the claim", r.error());
    }
  }
  return target_released{};
}

}  // namespace sluice
