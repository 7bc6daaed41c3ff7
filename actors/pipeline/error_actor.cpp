#include "actors/pipeline/error_actor.h"

#include <algorithm>

namespace sluice {

error_actor::error_actor(caf::actor_config& cfg, error_core core, std::uint32_t told_max, actor_ref file,
                         actor_ref supervisor)
    : actor_base(cfg),
      core_(std::move(core)),
      told_left_(told_max),
      file_(std::move(file)),
      supervisor_(std::move(supervisor)) {
  on_exception(this, [this](error why) { send(supervisor_, run_must_fail{std::move(why)}); });
}

void error_actor::tell_sealed(dirty_sealed m) {
  error_sealed answer;
  answer.failure = std::move(m.failure);
  answer.limit = core_.judge_at_end(records_read_);
  answer.dirty = core_.total();
  answer.missing = m.missing;
  answer.by_code = core_.by_code(m.by_code);
  answer.above_marks = core_.above_marks();
  answer.only_reason = core_.only_reason();
  send(supervisor_, std::move(answer));
}

void error_actor::seal_when_published() {
  // A writer's last commit may still be on its way here when the supervisor knows of it already.
  if (dirty_complete_ && core_.covered() == *dirty_complete_) {
    dirty_complete_.reset();
    send(file_, dirty_seal{});
  }
}

caf::behavior error_actor::make_behavior() {
  return {
      [this](dirty_report& m) {
        std::uint64_t& below = told_below_[m.split.value];
        for (const dirty_record& d : m.records) {
          if (told_left_ == 0) {
            break;
          }
          if (d.position >= below) {
            --told_left_;
            below = d.position + 1;
            send(supervisor_, dirty_seen{d, m.split});
          }
        }
        if (auto failure = core_.report(m)) {
          send(supervisor_, run_must_fail{std::move(*failure)});
        }
        send(file_, std::move(m));
      },
      [this](const dirty_sync& m) {
        send(file_, for_writer<dirty_sync>{m, caf::actor_cast<actor_ref>(current_sender())});
      },
      [this](const dirty_drop& m) {
        core_.drop(m);
        send(file_, for_writer<dirty_drop>{m, caf::actor_cast<actor_ref>(current_sender())});
      },
      [this](const dirty_commit& m) {
        core_.commit(m);
        send(file_, m);
        seal_when_published();
      },
      [this](const dirty_file_failed& m) { send(supervisor_, run_must_fail{m.why}); },
      [this](const error_seal& m) {
        records_read_ = m.records_read;
        dirty_complete_ = m.dirty_complete;
        if (dirty_complete_) {
          seal_when_published();
        } else if (core_.knows_all_codes()) {
          tell_sealed({});
        } else {
          send(file_, dirty_tell{});
        }
      },
      [this](const dirty_sealed& m) { tell_sealed(m); },
      [this](const bye_msg& m) {
        send(file_, m);
        quit();
      },
  };
}

void error_actor::on_exit() {
  file_ = nullptr;
  supervisor_ = nullptr;
}

dirty_file_actor::dirty_file_actor(caf::actor_config& cfg, open_store open)
    : actor_base(cfg), open_(std::move(open)) {
  on_exception(this, [this](error why) { check(fail(std::move(why))); });
}

dirty_store* dirty_file_actor::store() {
  if (store_ == nullptr && !failed_) {
    auto made = open_();
    if (made) {
      store_ = std::move(*made);
    } else {
      failed_ = std::move(made).error();
    }
  }
  return failed_ ? nullptr : store_.get();
}

bool dirty_file_actor::check(result<void> r) {
  if (!r && !failed_) {
    failed_ = std::move(r).error();
  }
  if (failed_ && !told_) {
    told_ = true;
    send(error_actor_, dirty_file_failed{*failed_});
  }
  return !failed_;
}

dirty_sealed dirty_file_actor::known() {
  dirty_sealed answer;
  if (dirty_store* s = store(); s != nullptr) {
    for (const auto& [split, total] : dirty_totals_) {
      answer.missing += s->missing({split}, total);
    }
    answer.by_code = s->published_by_code();
  }
  answer.failure = failed_;
  return answer;
}

caf::behavior dirty_file_actor::make_behavior() {
  // Who sends first is the error actor: failures that nobody waits for go there.
  const auto from = [this] {
    if (!error_actor_) {
      error_actor_ = caf::actor_cast<actor_ref>(current_sender());
    }
  };
  return {
      [this, from](const dirty_report& m) {
        from();
        dirty_store* s = store();
        check(s == nullptr ? result<void>() : s->append(m.split, m.epoch, m.records));
      },
      [this, from](const for_writer<dirty_sync>& m) {
        from();
        dirty_store* s = store();
        if (check(s == nullptr ? result<void>() : s->sync(m.m.split))) {
          send(m.writer, dirty_synced{m.m.split, m.m.epoch, m.m.sequence});
        } else {
          send(m.writer, dirty_failed{m.m.epoch, *failed_});
        }
      },
      [this, from](const for_writer<dirty_drop>& m) {
        from();
        dirty_totals_[m.m.split.value] = m.m.counts.dirty;
        dirty_store* s = store();
        if (check(s == nullptr ? result<void>() : s->drop(m.m.split, m.m.epoch, m.m.position))) {
          send(m.writer, dirty_dropped{m.m.split, m.m.epoch});
        } else {
          send(m.writer, dirty_failed{m.m.epoch, *failed_});
        }
      },
      [this, from](const dirty_commit& m) {
        from();
        dirty_totals_[m.split.value] = m.dirty_total;
        dirty_store* s = store();
        check(s == nullptr ? result<void>() : s->promote(m.split, m.position));
      },
      [this, from](const dirty_seal&) {
        from();
        if (dirty_store* s = store(); s != nullptr) {
          check(s->seal());
        }
        send(error_actor_, known());
      },
      [this, from](const dirty_tell&) {
        from();
        send(error_actor_, known());
      },
      [this](const bye_msg&) {
        error_actor_ = nullptr;
        quit();
      },
  };
}

}  // namespace sluice
