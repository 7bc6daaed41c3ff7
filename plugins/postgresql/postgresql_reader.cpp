#include "plugins/postgresql/postgresql_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "plugins/common/relational/record_size.h"
#include "plugins/postgresql/postgresql_bytes.h"
#include "plugins/postgresql/postgresql_catalogue.h"
#include "plugins/postgresql/postgresql_codes.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"
#include "transport/record/dirty_codes.h"

namespace sluice::postgresql {
namespace {

constexpr std::size_t cut_record_bytes = 64 << 10;  // DESIGN section 7
/// Below this a rough bound of a row's bytes does.
constexpr std::uint64_t rough_bytes_max = std::uint64_t{32} << 10;
/// Of the messages whose tuples wait, so that they stay in the cache nearest to the processor.
constexpr std::size_t kept_bytes_max = std::size_t{16} << 10;

/// A field's text is at most three times its bytes, but for a numeric with a large exponent (`rough_`).
std::uint64_t rough_bytes(std::uint64_t bytes, std::uint64_t fields) {
  constexpr std::uint64_t longer = 3;
  constexpr std::uint64_t each = 24;
  return bytes * longer + each * fields;
}

std::int64_t whole_number(std::string_view bytes) {
  switch (bytes.size()) {
    case sizeof(std::int16_t):
      return static_cast<std::int16_t>(read_big<std::uint16_t>(bytes.data()));
    case sizeof(std::int32_t):
      return static_cast<std::int32_t>(read_big<std::uint32_t>(bytes.data()));
    case sizeof(std::int64_t):
      return static_cast<std::int64_t>(read_big<std::uint64_t>(bytes.data()));
    default:
      return 0;
  }
}

/// What is not there any more, or not as it was, once it had been found.
error changed_since(error e, const relation_plan& relation) {
  e = with_place_of_values(std::move(e), relation);
  if (e.kind == error_kind::bad_option && meaning_of(e.code).kind != error_kind::bad_row) {
    e.kind = error_kind::source_changed;
  }
  return e;
}

}  // namespace

postgresql_reader::postgresql_reader(std::shared_ptr<const read_plan> plan) : plan_(std::move(plan)) {}

result<void> postgresql_reader::connect_once(const stop_signal& stop) {
  if (connection_ != nullptr && !connection_->is_lost()) {
    connection_->use_stop(stop);
    connection_->rollback();
  }
  if (connection_ == nullptr || connection_->is_lost() || part_ != relation_->part) {
    SLUICE_TRY(auto made, open_session(part().session, session_role::reader, "reader", stop));
    const std::lock_guard lock(interrupting_);
    connection_ = std::move(made);
    part_ = relation_->part;
    fields_.emplace(plan_->kinds, part().check_utf8, plan_->invalid_text);
  }
  connection_->clear_interrupt();
  return {};
}

result<void> postgresql_reader::begin_snapshot(const scalar_list& split) {
  const bool of_blocks = is_of_blocks(split);
  const std::string range = of_blocks ? block_text(split) : relational::range_text(split);
  const std::string name =
      quote_text(connection_name(part().session.job, part().session.run, relation_->shown + range));
  if (connection_->is_plain()) {
    // One statement has one snapshot; a server that keeps no names goes without.
    if (auto named = connection_->run_script("SET application_name = " + name);
        !named && connection_->is_lost()) {
      return named;
    }
    return connection_->begin("START TRANSACTION READ ONLY");
  }
  SLUICE_CHECK(connection_->begin(
      fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL application_name = {}", name)));
  if (part().snapshot.empty()) {
    return {};
  }
  if (auto set = connection_->run_script("SET TRANSACTION SNAPSHOT " + quote_text(part().snapshot)); !set) {
    error e = std::move(set).error();
    if (e.kind != error_kind::cancelled && e.kind != error_kind::not_connected) {
      // Nothing of the source has changed, and another try in this run would find no snapshot either.
      e.kind = of_blocks ? error_kind::source_changed : error_kind::not_connected;
      e.code = of_blocks ? begin_anew_code : e.code;
      e.final = true;
      e.message +=
          "; the run's snapshot is gone, because the connection that held it was lost (a standby ends it "
          "where it is in the way of what is replayed: hot_standby_feedback = on there, or \"snapshot\": "
          "\"none\", avoids that)";
      e.message += of_blocks ? ", and ranges of blocks (ctid) hold under it only"
                             : ": run the job again, which continues it under a new one";
    }
    return fail(std::move(e));
  }
  return {};
}

result<void> postgresql_reader::open(const scalar_list& split_description, const std::optional<cursor>& after,
                                     const stop_signal& stop) {
  row_at_hand_ = false;
  ended_ = false;
  SLUICE_TRY(relation_, relation_to_read(*plan_, split_description));
  if (after) {
    bool same = after->size() == relation_->key.size() && !relation_->key.empty();
    for (std::size_t i = 0; same && i < after->size(); ++i) {
      same = (*after)[i].name == relation_->key[i].name && can_stand_in_sql((*after)[i].value);
    }
    if (!same) {
      return fail(error_kind::source_changed,
                  "{}: the split was left at {}, but its table has another key now; begin anew with "
                  "--on-unfinished fresh",
                  in_quotes(relation_->shown), escaped(to_json(*after)));
    }
  }
  SLUICE_CHECK(connect_once(stop));
  ordered_ = relation_->ordered || after.has_value();
  rough_ = std::none_of(plan_->kinds.begin(), plan_->kinds.end(), [](const column_type& c) {
    return c.form == wire_form::numeric && c.type.id == type_id::decimal_text;
  });
  const std::size_t fields = fields_of(*plan_, *relation_, ordered_);
  const bool key_known =
      ordered_ || std::all_of(relation_->key.begin(), relation_->key.end(),
                              [&](const key_column& k) { return k.field < plan_->kinds.size(); });
  key_here_.assign(key_known ? relation_->key.size() : 0, {});
  blocks_ = fields_->has_blocks() && rough_ &&
            std::none_of(plan_->carried.begin(), plan_->carried.end(),
                         [](const carried_column& c) { return c.own; });
  kept_.resize(blocks_ ? kept_bytes_max + tuple_block::slack : 0);
  waiting_.clear();
  std::size_t looked_at = blocks_ ? 0 : fields;
  if (fields == plan_->carried[0].count && plan_->carried[0].own) {
    looked_at = 0;
    for (std::size_t i = 0; i < key_here_.size(); ++i) {
      looked_at = std::max(looked_at, relation_->key[i].field + 1);
    }
  }
  std::vector<std::int32_t> usual;
  for (const column_type& kind : plan_->kinds) {
    usual.push_back(static_cast<std::int32_t>(fixed_bytes(kind.form)));
  }
  tuples_ = tuple_reader(fields, looked_at, std::move(usual));
  SLUICE_CHECK(begin_snapshot(split_description));
  SLUICE_CHECK(check_columns());
  const std::string sql = reading_sql(*plan_, *relation_, split_description, after ? &*after : nullptr);
  if (auto begun = connection_->is_plain()
                       ? connection_->rows_out(sql)
                       : connection_->copy_out(fmt::format("COPY ({}) TO STDOUT (FORMAT binary)", sql));
      !begun) {
    return fail(changed_since(std::move(begun).error(), *relation_));
  }
  return {};
}

error postgresql_reader::damaged() const {
  return {error_kind::source_changed,
          fmt::format("{}: {}: the server has sent what are no rows of {} columns", connection_->place(),
                      in_quotes(relation_->shown), tuples_.fields()),
          "", false};
}

result<bool> postgresql_reader::next_tuple() {
  for (;;) {
    switch (tuples_.next()) {
      case tuple_reader::answer::tuple:
        return true;
      case tuple_reader::answer::damaged:
        return fail(damaged());
      case tuple_reader::answer::more:
      case tuple_reader::answer::end: {
        auto message = connection_->copy_message();
        if (!message) {
          return fail(changed_since(std::move(message).error(), *relation_));
        }
        if (!*message) {
          if (tuples_.next() != tuple_reader::answer::end) {
            return fail(error_kind::not_connected, "{}: {}: the rows ended before their end",
                        connection_->place(), in_quotes(relation_->shown));
          }
          return false;
        }
        tuples_.feed(kept(**message));
      }
    }
  }
}

std::string_view postgresql_reader::kept(std::string_view message) {
  if (waiting_.empty()) {
    kept_bytes_ = 0;
  }
  // Only one that `row_bytes` does not look into: it is not taken apart yet.
  message_kept_ = blocks_ && message.size() <= kept_bytes_max - kept_bytes_ &&
                  rough_bytes(message.size(), tuples_.fields()) <= rough_bytes_max;
  if (!message_kept_) {
    return message;
  }
  char* const at = kept_.data() + kept_bytes_;
  std::memcpy(at, message.data(), message.size());
  kept_bytes_ += message.size();
  return {at, message.size()};
}

error postgresql_reader::another_table() const {
  return {error_kind::source_changed,
          fmt::format("{}: another table is called {} now than when the run began; begin anew with "
                      "--on-unfinished fresh",
                      connection_->place(), in_quotes(relation_->shown)),
          {},
          false};
}

result<void> postgresql_reader::check_columns() {
  auto now = connection_->describe(relation_->described_sql);
  if (!now) {
    return fail(changed_since(std::move(now).error(), *relation_));
  }
  if (*now == relation_->described) {
    return {};
  }
  const auto is_elsewhere = [](const described_column& x, const described_column& y) {
    return x.table != y.table && x.table != 0 && y.table != 0;
  };
  const auto& then = relation_->described;
  if (now->size() == then.size() && std::transform_reduce(now->begin(), now->end(), then.begin(), false,
                                                          std::logical_or<>(), is_elsewhere)) {
    return fail(another_table());
  }
  return fail(error_kind::source_changed,
              "{}: {} has other columns than when the run began: of other types, or others of the same "
              "names; begin anew with --on-unfinished fresh",
              connection_->place(), in_quotes(relation_->shown));
}

result<void> postgresql_reader::check_storage() {
  if (relation_->storage.empty()) {
    return {};
  }
  // At the split's end: from its first row on the statement's locks have kept all of it as it is.
  SLUICE_TRY(const std::string now,
             storage_of(*connection_, fmt::to_string(relation_->oid), relation_->from));
  if (now.empty()) {
    return fail(another_table());
  }
  // A split's own snapshot is as blind where the table was written anew while its statement waited.
  if (now != relation_->storage) {
    return fail(error_kind::source_changed,
                "{}: {} was emptied or written anew (TRUNCATE, ALTER TABLE, CLUSTER, VACUUM FULL) since the "
                "run began, and a snapshot taken before does not show all its rows; begin anew with "
                "--on-unfinished fresh",
                connection_->place(), in_quotes(relation_->shown));
  }
  return {};
}

result<void> postgresql_reader::end_split() {
  ended_ = true;
  SLUICE_CHECK(check_storage());
  return connection_->commit();
}

std::uint64_t postgresql_reader::row_bytes() const {
  const std::uint64_t rough = rough_bytes(tuples_.raw(0, tuples_.fields()).size(), tuples_.fields());
  if (rough_ && rough <= rough_bytes_max) {
    return rough;
  }
  std::uint64_t bytes = 0;
  for (const carried_column& c : plan_->carried) {
    const auto f = tuples_.field(c.first);
    bytes += c.own ? tuples_.raw(c.first, c.first + c.count).size() + sizeof(std::int32_t)
             : f   ? fields_->bytes_in_batch(c.first, *f)
                   : sizeof(std::int64_t);
  }
  return bytes;
}

result<read_answer> postgresql_reader::read(batch_builder& builder, const stop_signal& stop) {
  if (connection_ == nullptr || relation_ == nullptr) {
    return fail(error_kind::internal, "{}: read from before a split was opened",
                to_text(plan_->parts[0].session.options));
  }
  connection_->use_stop(stop);
  std::uint64_t bytes = builder.bytes();
  const auto answer = [&](read_answer::kind what, std::uint64_t needed) -> result<read_answer> {
    if (ordered_ && builder.records() != 0) {
      builder.set_cursor(cursor_here());
    }
    return read_answer{what, needed};
  };
  while (!ended_) {
    if (!row_at_hand_) {
      auto there = next_tuple();
      if (!there || !*there) {
        SLUICE_CHECK(take_waiting(builder));
      }
      SLUICE_CHECK(there);
      if (!*there) {
        SLUICE_CHECK(end_split());
        break;
      }
      row_at_hand_ = true;
      if (blocks_ && !message_kept_ && !tuples_.take_apart()) {
        return fail(damaged());
      }
    }
    const std::uint64_t row = row_bytes();
    const bool too_large = row > builder.limit().record_bytes_max;
    if (!too_large && bytes + row > builder.limit().bytes_max) {
      SLUICE_CHECK(take_waiting(builder));
      if (builder.records() != 0) {
        return answer(read_answer::kind::full, 0);
      }
      return read_answer{read_answer::kind::needs, row + 4096};  // and the buffers' own rounding
    }
    if (message_kept_ && !too_large) {
      waiting_.push_back(tuples_.raw(0, tuples_.fields()));
      row_at_hand_ = false;
      if (waiting_.size() == tuple_block::tuples_max) {
        SLUICE_CHECK(take_waiting(builder));
      }
    } else {
      SLUICE_CHECK(take_waiting(builder));
      if (too_large && !tuples_.take_apart()) {
        return fail(damaged());
      }
      take_row(builder, too_large ? row : 0);
      row_at_hand_ = false;
    }
    bytes += row;
    if (bytes >= builder.limit().bytes_target ||
        builder.rows() + waiting_.size() >= builder.limit().rows_max) {
      SLUICE_CHECK(take_waiting(builder));
      bytes = builder.bytes();
      if (builder.full()) {
        return answer(read_answer::kind::full, 0);
      }
    }
  }
  return answer(read_answer::kind::end, 0);
}

void postgresql_reader::begin_keys(batch_builder& builder) const {
  if (!builder.has_places()) {
    builder.begin_keys(relation_->shown, places_key() ? relation_->key[0].name : std::string());
  }
}

void postgresql_reader::keep_key() {
  for (std::size_t i = 0; i < key_here_.size(); ++i) {
    key_here_[i] = tuples_.field(relation_->key[i].field).value_or(std::string_view());
  }
}

cursor postgresql_reader::cursor_here() const {
  cursor here;
  for (std::size_t i = 0; i < key_here_.size(); ++i) {
    const key_column& k = relation_->key[i];
    here.push_back({k.name, k.whole_number ? scalar{whole_number(key_here_[i])} : scalar{key_here_[i]}});
  }
  return here;
}

result<void> postgresql_reader::take_waiting(batch_builder& builder) {
  if (waiting_.empty()) {
    return {};
  }
  const std::string_view at_hand = tuples_.raw(0, tuples_.fields());
  if (!take_block(builder)) {
    builder.discard_row();
    for (const std::string_view row : waiting_) {
      if (!tuples_.take_up(row)) {
        return fail(damaged());
      }
      take_row(builder, 0);
    }
  }
  waiting_.clear();
  if (row_at_hand_) {
    (void)tuples_.take_up(at_hand);  // what is wrong with it is said when it is its turn
  }
  return {};
}

/// False: not all of them are rows, and the builder has parts of them.
bool postgresql_reader::take_block(batch_builder& builder) {
  begin_keys(builder);
  block_.clear();
  for (const std::string_view row : waiting_) {
    block_.add(row);
  }
  for (std::size_t i = 0; i < tuples_.fields(); ++i) {
    if (!block_.next(fields_->usual_bytes(i)) ||
        (i < plan_->carried.size() && !fields_->append_block(i, block_, builder.at(i)))) {
      return false;
    }
    if (places_key() && relation_->key[0].field == i) {
      for (std::size_t row = 0; row < block_.count(); ++row) {
        builder.place_key(whole_number(block_.value(row)));
      }
    }
  }
  // The last one's key is where reading went to.
  if (!block_.ended() || !tuples_.take_up(waiting_.back())) {
    return false;
  }
  keep_key();
  builder.commit_rows(static_cast<std::uint32_t>(block_.count()));
  return true;
}

void postgresql_reader::take_row(batch_builder& builder, std::uint64_t too_large_bytes) {
  begin_keys(builder);
  keep_key();
  if (too_large_bytes != 0) {
    dirty_record why;
    why.code = sluice::to_string(dirty_code::record_too_large);
    why.message = relational::too_large_text(too_large_bytes, builder.limit().record_bytes_max);
    refuse_row(builder, std::move(why));
    return;
  }
  const std::vector<carried_column>& columns = plan_->carried;
  const std::size_t count = columns.size();
  for (std::size_t at = 0; at < count; ++at) {
    column_builder& to = builder.at(at);
    const carried_column& carried = columns[at];
    const std::size_t i = carried.first;
    if (carried.own) {
      to.append_bytes(tuples_.raw(i, i + carried.count));
      continue;
    }
    if (tuples_.is_null(i)) {
      to.append_null();
      continue;
    }
    const std::string_view bytes = tuples_.value(i);
    if (const dirty_code code = fields_->append(i, bytes, to); code != dirty_code::none) {
      const field& f = (*plan_->columns)[i];
      dirty_record why;
      why.column = f.name;
      why.value = fields_->text_of(i, bytes);
      why.target_type = sluice::to_string(f.type);
      why.code = sluice::to_string(code);
      why.message = fmt::format("{} of the column's type {} has no equal as {}", in_quotes(*why.value),
                                escaped(f.source_type_name), why.target_type);
      refuse_row(builder, std::move(why));
      return;
    }
    if (const auto changed = fields_->changed()) {
      builder.note_change({builder.rows(), static_cast<std::uint32_t>(at), *changed});
    }
  }
  if (places_key()) {
    builder.place_key(whole_number(key_here_[0]));
  }
  builder.commit_row();
}

void postgresql_reader::refuse_row(batch_builder& builder, dirty_record record) const {
  record.side = dirty_side::reader;
  record.source = relation_->shown;
  for (std::size_t i = 0; i < key_here_.size(); ++i) {
    const key_column& k = relation_->key[i];
    record.key +=
        fmt::format("{}{}={}", i == 0 ? "" : ", ", k.name,
                    k.whole_number ? fmt::to_string(whole_number(key_here_[i])) : escaped(key_here_[i]));
  }
  record.cut = record.code == sluice::to_string(dirty_code::record_too_large);
  std::size_t room = cut_record_bytes;
  std::string raw;
  for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
    const auto bytes = tuples_.field(i);
    dirty_field f{(*plan_->columns)[i].name, (*plan_->columns)[i].source_type_name, std::nullopt};
    // The length before the bytes, so that no two records have the same raw form.
    raw += bytes ? fmt::format("{} ", bytes->size()) : std::string("NULL");
    if (bytes) {
      std::string_view shown = record.cut ? bytes->substr(0, std::min(room, bytes->size())) : *bytes;
      while (shown.size() < bytes->size() && !shown.empty() &&
             (static_cast<unsigned char>((*bytes)[shown.size()]) & 0xC0) == 0x80) {
        shown.remove_suffix(1);  // not in the middle of a character
      }
      record.record_bytes += bytes->size();
      f.text = record.cut && plan_->kinds[i].form == wire_form::numeric ? std::string("(a number)")
                                                                        : fields_->text_of(i, shown);
      room -= std::min(room, shown.size());
      raw += shown;
    }
    raw += '\n';
    record.record.push_back(std::move(f));
  }
  record.sum = canonical_raw(raw);
  builder.refuse(std::move(record));
}

void postgresql_reader::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::postgresql
