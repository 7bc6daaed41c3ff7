#include "plugins/mysql/mysql_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "plugins/common/relational/record_size.h"
#include "transport/base/text.h"
#include "transport/base/utf8.h"
#include "transport/record/canonical.h"
#include "transport/record/parse.h"

namespace sluice::mysql {
namespace {

constexpr std::size_t cut_record_bytes = 64 << 10;  // DESIGN section 7
/// The longest text of a number or time, and its share of offsets and bitmaps.
constexpr std::uint64_t value_bytes = 24;

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char b : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(b));
  }
  return hex;
}

/// What the server cannot compute of a row is the query's fault: no record is at hand that could be refused.
error of_part(error e, const read_part& part) {
  if (e.kind == error_kind::bad_row) {
    e.kind = error_kind::bad_option;
    e.message = fmt::format("{}: {}; mend what it computes", part.values_place, e.message);
  }
  return e;
}

}  // namespace

mysql_reader::mysql_reader(std::shared_ptr<const read_plan> plan) : plan_(std::move(plan)) {
  for (const column_kind& kind : plan_->kinds) {
    decoders_.emplace_back(kind, plan_->zeros, plan_->invalid_text);
  }
}

result<void> mysql_reader::take_from_snapshot(std::size_t index, const stop_signal& stop) {
  if (connection_ != nullptr && connection_->alive()) {
    SLUICE_CHECK(connection_->cancel_select(stop));
  }
  const bool holds = connection_ != nullptr && connection_->alive() && connection_->in_transaction();
  if (!holds || connected_to_ != index) {
    if (holds) {
      give_back();
    }
    const std::lock_guard lock(interrupting_);
    connection_.reset();
  }
  if (connection_ == nullptr) {
    SLUICE_TRY(auto taken, plan_->snapshot->take(index, stop));
    const std::lock_guard lock(interrupting_);
    connection_ = std::move(taken);
    connected_to_ = index;
  }
  return {};
}

void mysql_reader::give_back() {
  std::unique_ptr<connection> c;
  {
    const std::lock_guard lock(interrupting_);
    c = std::move(connection_);
  }
  plan_->snapshot->give_back(connected_to_, std::move(c));  // may wait while others begin
}

result<void> mysql_reader::connect_once(std::size_t index, const stop_signal& stop) {
  if (plan_->snapshot != nullptr) {
    return take_from_snapshot(index, stop);
  }
  if (connection_ != nullptr) {
    connection_->end_select();
    if (connection_->alive() && connected_to_ == index) {
      return {};
    }
  }
  SLUICE_TRY(auto made, connection::open(plan_->connections[index], stop));
  const std::lock_guard lock(interrupting_);
  connection_ = std::move(made);
  connected_to_ = index;
  return {};
}

result<std::vector<std::string>> mysql_reader::literals_of(const cursor& after) const {
  const std::vector<order_column>& order = part_->order;
  bool same = after.size() == order.size() && !order.empty();
  std::vector<std::string> literals;
  for (std::size_t i = 0; same && i < order.size(); ++i) {
    same = after[i].name == order[i].bare;
    if (const auto* text = std::get_if<std::string>(&after[i].value.value)) {
      const bool bare = order[i].kind.holds == held_as::integer || order[i].kind.holds == held_as::year ||
                        order[i].kind.holds == held_as::decimal;
      same = same && (!bare || parse_decimal(*text, 38, 30).ok() || is_decimal_text(*text));
      literals.push_back(bare ? *text : connection_->literal(*text));
    } else if (const auto* bytes = std::get_if<scalar::bytes>(&after[i].value.value)) {
      literals.push_back(fmt::format("x'{}'", hex_of(bytes->value)));
    } else {
      same = false;
    }
  }
  if (!same) {
    std::string names;
    for (const order_column& c : order) {
      names += (names.empty() ? "" : ", ") + c.bare;
    }
    return fail(error_kind::source_changed,
                "{}: the split was left at {}, but its rows are in order of ({}) now; begin anew with "
                "--on-unfinished fresh",
                part_->name, escaped(to_json(after)), names);
  }
  return literals;
}

result<void> mysql_reader::open(const scalar_list& split_description, const std::optional<cursor>& after,
                                const stop_signal& stop) {
  row_at_hand_ = false;
  ended_ = false;
  has_last_key_ = false;
  SLUICE_TRY(part_, part_of(*plan_, split_description));
  SLUICE_CHECK(connect_once(part_->connection, stop));
  std::optional<std::vector<std::string>> literals;
  if (after) {
    SLUICE_TRY(literals, literals_of(*after));
  }
  SLUICE_CHECK(check_unchanged(false, stop));
  auto columns = connection_->select(reading_sql(*plan_, *part_, split_description, literals), stop);
  if (!columns) {
    error e = std::move(columns).error();
    if (e.code == "ER_NO_SUCH_TABLE" || e.code == "ER_BAD_FIELD_ERROR" || e.code == "ER_BAD_DB_ERROR") {
      e.kind = error_kind::source_changed;  // `open` of the source has seen them
      e.message += ", which was there when the run began";
    }
    return fail(of_part(std::move(e), *part_));
  }
  key_columns_.clear();
  std::size_t more = plan_->kinds.size();
  for (const order_column& c : part_->order) {
    key_columns_.push_back(c.selected ? *c.selected : more++);
  }
  last_key_.resize(key_columns_.size());
  key_is_number_ = part_->order.size() == 1 && part_->order[0].kind.holds == held_as::integer &&
                   !(part_->order[0].kind.is_unsigned && part_->order[0].kind.bits == 64);
  if (columns->size() != more) {
    return fail(error_kind::source_changed, "{}: {} has {} columns now and had {} when the run began",
                connection_->place(), part_->name, columns->size(), more);
  }
  return check_columns(*columns);
}

result<void> mysql_reader::check_unchanged(bool at_end, const stop_signal& stop) {
  if (part_->state.altered.empty()) {
    return {};
  }
  SLUICE_TRY(const table_state now, state_of(*connection_, part_->database, part_->table_bare,
                                             at_end && !part_->state.storage.empty(), stop));
  const std::string_view what = what_changed(part_->state, now);
  if (what.empty()) {
    return {};  // one that is gone the SELECT tells better
  }
  return fail(
      error_kind::source_changed,
      "{}: the table {} {} after the run began ({}), and its rows may be fewer, or its columns others of the "
      "same names; begin anew with --on-unfinished fresh, or, where what is read is as it was, run the "
      "job again, which goes on",
      connection_->place(), part_->name, what, now.altered);
}

result<void> mysql_reader::check_columns(const std::vector<result_column>& now) const {
  for (std::size_t i = 0; i < part_->described.size(); ++i) {
    if (part_->described[i] && !same_type(*part_->described[i], now[i])) {
      return fail(error_kind::source_changed,
                  "{}: column {} of {} is of another type than when the run began; begin anew with "
                  "--on-unfinished fresh",
                  connection_->place(), in_quotes(now[i].name), part_->name);
    }
  }
  return {};
}

std::uint64_t mysql_reader::row_bytes() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    bytes += row_.is_null(i) ? 0 : decoders_[i].bytes_in_batch(row_.at(i));
  }
  return bytes + value_bytes * (decoders_.size() + 1);
}

result<read_answer> mysql_reader::read(batch_builder& builder, const stop_signal& stop) {
  if (part_ == nullptr || (connection_ == nullptr && !ended_)) {
    return fail(error_kind::internal, "mysql: read before a split was opened");
  }
  std::uint64_t bytes = builder.bytes();
  while (!ended_) {
    if (!row_at_hand_) {
      const auto more = connection_->fetch(row_, stop);
      if (!more) {
        return fail(of_part(more.error(), *part_));
      }
      if (!*more) {
        ended_ = true;
        SLUICE_CHECK(check_unchanged(true, stop));  // while the SELECT waited to begin
        if (plan_->snapshot != nullptr) {
          SLUICE_CHECK(connection_->run(
              fmt::format("ROLLBACK TO SAVEPOINT {}", shared_snapshot::between_splits), stop));
          give_back();
        }
        break;
      }
      row_at_hand_ = true;
    }
    const std::uint64_t row = row_bytes();
    const bool too_large = row > builder.limit().record_bytes_max;
    if (!too_large && bytes + row > builder.limit().bytes_max) {
      if (builder.records() != 0) {
        set_cursor(builder);
        return read_answer{read_answer::kind::full, 0};
      }
      return read_answer{read_answer::kind::needs, row + 4096};  // and the buffers' own rounding
    }
    take_row(builder);
    keep_key();
    row_at_hand_ = false;
    bytes += row;
    if (bytes >= builder.limit().bytes_target || builder.rows() >= builder.limit().rows_max) {
      bytes = builder.bytes();
      if (builder.full()) {
        set_cursor(builder);
        return read_answer{read_answer::kind::full, 0};
      }
    }
  }
  set_cursor(builder);
  return read_answer{read_answer::kind::end, 0};
}

void mysql_reader::keep_key() {
  for (std::size_t i = 0; i < key_columns_.size(); ++i) {
    if (row_.is_null(key_columns_[i])) {
      has_last_key_ = false;
      return;
    }
    last_key_[i] = row_.at(key_columns_[i]);
  }
  has_last_key_ = !key_columns_.empty();
}

void mysql_reader::set_cursor(batch_builder& builder) const {
  if (!has_last_key_) {
    return;
  }
  cursor here;
  for (std::size_t i = 0; i < last_key_.size(); ++i) {
    const order_column& c = part_->order[i];
    if (c.kind.holds == held_as::bytes) {
      here.push_back({c.bare, {scalar::bytes{last_key_[i]}}});
    } else if (is_utf8(last_key_[i])) {
      here.push_back({c.bare, {last_key_[i]}});
    } else {
      return;  // the record is dirty, and a restart begins before it
    }
  }
  builder.set_cursor(std::move(here));
}

void mysql_reader::take_row(batch_builder& builder) {
  if (!builder.has_places()) {
    builder.begin_keys(part_->name, key_is_number_ ? part_->order[0].bare : std::string());
  }
  if (row_bytes() > builder.limit().record_bytes_max) {
    dirty_record why;
    why.code = to_string(dirty_code::record_too_large);
    why.message = relational::too_large_text(row_bytes(), builder.limit().record_bytes_max);
    why.cut = true;
    refuse_row(builder, std::move(why));
    return;
  }
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    if (row_.is_null(i)) {
      builder.at(i).append_null();
      continue;
    }
    const decoded done = decoders_[i].append(row_.at(i), builder.at(i));
    if (done.changed) {
      builder.note_change({builder.rows(), static_cast<std::uint32_t>(i), *done.changed});
    }
    if (!done.ok()) {
      const field& f = (*plan_->columns)[i];
      dirty_record why;
      why.code = to_string(done.code);
      why.message = done.why;
      why.column = f.name;
      why.value = text_of_value(i);
      why.target_type = sluice::to_string(f.type);
      refuse_row(builder, std::move(why));
      return;
    }
  }
  if (key_is_number_) {
    const auto key = parse_int64(row_.at(key_columns_[0]));
    builder.place_key(key.value);
  }
  builder.commit_row();
}

void mysql_reader::refuse_row(batch_builder& builder, dirty_record why) {
  why.side = dirty_side::reader;
  why.source = part_->name;
  for (std::size_t i = 0; i < key_columns_.size(); ++i) {
    const std::size_t at = key_columns_[i];
    why.key += fmt::format("{}{}={}", i == 0 ? "" : ", ", part_->order[i].bare,
                           row_.is_null(at) ? "NULL" : escaped(row_.at(at)));
  }
  std::size_t room = cut_record_bytes;
  std::string raw;
  for (std::size_t i = 0; i < decoders_.size(); ++i) {
    const field& f = (*plan_->columns)[i];
    dirty_field shown{f.name, f.source_type_name, std::nullopt};
    if (row_.is_null(i)) {
      raw += "N\n";
    } else {
      const std::string_view bytes = row_.at(i);
      why.record_bytes += bytes.size();
      shown.text = why.cut ? std::string(bytes.substr(0, std::min(room, bytes.size()))) : text_of_value(i);
      if (why.cut && !is_utf8(*shown.text)) {
        shown.text = "x'" + hex_of(*shown.text) + "'";
      }
      room -= std::min(room, bytes.size());
      // The length before the bytes, so that no two records have the same raw form.
      raw += fmt::format("{} ", bytes.size());
      raw += why.cut ? *shown.text : std::string(bytes);
    }
    why.record.push_back(std::move(shown));
  }
  if (why.cut) {
    why.value.reset();
  }
  why.sum = canonical_raw(raw);
  builder.refuse(std::move(why));
}

std::optional<std::string> mysql_reader::text_of_value(std::size_t column) const {
  if (row_.is_null(column)) {
    return std::nullopt;
  }
  const std::string_view bytes = row_.at(column);
  const held_as holds = plan_->kinds[column].holds;
  if (holds != held_as::bytes && holds != held_as::bits && is_utf8(bytes)) {
    return std::string(bytes);
  }
  return "x'" + hex_of(bytes) + "'";  // as SQL writes bytes
}

void mysql_reader::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::mysql
