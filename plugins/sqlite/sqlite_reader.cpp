#include "plugins/sqlite/sqlite_reader.h"

#include <fmt/format.h>

#include "plugins/common/relational/record_size.h"
#include "transport/base/text.h"
#include "transport/record/canonical.h"
#include "transport/record/dirty_codes.h"
#include "transport/record/format.h"
#include "transport/record/parse.h"
#include "transport/record/utf8.h"

namespace sluice::sqlite {
namespace {

constexpr std::size_t cut_record_bytes = 64 << 10;  // DESIGN section 7

bool is_range(const scalar_list& description) {
  return !description.empty() && find(description, "null") == nullptr;
}

void bind_scalar(statement& s, int index, const scalar& v) {
  if (const auto* n = std::get_if<std::int64_t>(&v.value)) {
    s.bind(index, *n);
  } else if (const auto* d = std::get_if<double>(&v.value)) {
    s.bind(index, *d);
  } else if (const auto* t = std::get_if<std::string>(&v.value)) {
    s.bind_text(index, *t);
  } else if (const auto* b = std::get_if<scalar::bytes>(&v.value)) {
    s.bind_blob(index, b->value);
  } else {
    s.bind_null(index);
  }
}

scalar scalar_at(const statement& s, int column) {
  switch (s.storage_at(column)) {
    case storage::integer:
      return {s.int64_at(column)};
    case storage::real:
      return {s.float64_at(column)};
    case storage::text:
      return {s.text_at(column)};
    case storage::blob:
      return {scalar::bytes{s.text_at(column)}};
    case storage::null:
      break;
  }
  return {};
}

bool refuse_as(dirty_record& why, dirty_code code, std::string message) {
  why.code = sluice::to_string(code);
  why.message = std::move(message);
  return false;
}

}  // namespace

std::vector<std::string> reading_key(const read_plan& plan, const scalar_list& split_description) {
  std::vector<std::string> key = plan.key;
  if (plan.order_by_split_key && is_range(split_description)) {
    key.insert(key.begin(), plan.split_key);
  }
  return key;
}

std::string reading_sql(const read_plan& plan, const scalar_list& split_description, bool after) {
  if (plan.table.empty()) {
    return plan.options.query;
  }
  const std::vector<std::string> key = reading_key(plan, split_description);
  std::string sql = fmt::format("SELECT {}{}{} FROM {}", fmt::join(plan.expressions, ", "),
                                key.empty() ? "" : ", ", fmt::join(key, ", "), quote_name(plan.table));
  std::string conditions = plan.options.where.empty() ? "" : plan.condition();
  const auto require = [&](const std::string& condition) {
    conditions += (conditions.empty() ? "" : " AND ") + condition;
  };
  if (find(split_description, "from") != nullptr) {
    require(plan.split_key + " >= ?");
  }
  if (find(split_description, "to") != nullptr) {
    require(plan.split_key + " < ?");
  }
  if (find(split_description, "not_null") != nullptr) {
    require(plan.split_key + " IS NOT NULL");
  }
  if (find(split_description, "null") != nullptr) {
    require(plan.split_key + " IS NULL");
  }
  if (after) {
    std::string parameters = "?";
    for (std::size_t i = 1; i < key.size(); ++i) {
      parameters += ", ?";
    }
    require(fmt::format("({}) > ({})", fmt::join(key, ", "), parameters));
  }
  sql += conditions.empty() ? "" : " WHERE " + conditions;
  return key.empty() ? sql : fmt::format("{} ORDER BY {}", sql, fmt::join(key, ", "));
}

sqlite_reader::sqlite_reader(std::shared_ptr<const read_plan> plan, std::uint64_t memory_bytes)
    : plan_(std::move(plan)) {
  (void)memory_bytes;  // pages pass through SQLite's smallest cache: nothing is read twice
  connection_.file = plan_->options.file;
  connection_.busy_timeout = plan_->options.busy_timeout;
  connection_.session = plan_->options.session;
}

sqlite_reader::~sqlite_reader() {
  select_.reset();
  if (connection_.db) {
    connection_.db->rollback();
  }
}

result<void> sqlite_reader::connect_once(const stop_signal& stop) {
  connection_.stop = stop;
  SLUICE_TRY(database * db, connection_.get(open_mode::read_only));
  db->clear_interrupt();
  if (!db->in_transaction()) {
    SLUICE_CHECK(db->run("BEGIN"));
  }
  return {};
}

result<void> sqlite_reader::open(const scalar_list& split_description, const std::optional<cursor>& after,
                                 const stop_signal& stop) {
  select_ = statement();
  row_at_hand_ = false;
  ended_ = false;
  SLUICE_CHECK(connect_once(stop));
  key_ = reading_key(*plan_, split_description);
  key_is_number_ = plan_->key_is_rowid && !key_.empty();
  if (after) {
    bool same = after->size() == key_.size() && !key_.empty();
    for (std::size_t i = 0; same && i < key_.size(); ++i) {
      same = (*after)[i].name == key_[i];
    }
    if (!same) {
      return fail(error_kind::source_changed,
                  "{}: the split was left at {}, but its rows are in order of ({}) now; begin anew with "
                  "--on-unfinished fresh",
                  in_quotes(plan_->options.file), escaped(to_json(*after)), fmt::join(key_, ", "));
    }
  }
  SLUICE_TRY(select_, connection_.db->prepare(reading_sql(*plan_, split_description, after.has_value())));
  if (select_.columns() != static_cast<int>(plan_->columns->size() + key_.size())) {
    return fail(error_kind::source_changed, "{}: the query has {} columns now and had {} when the run began",
                in_quotes(plan_->options.file), select_.columns(), plan_->columns->size() + key_.size());
  }
  int index = 0;
  for (const std::string_view bound : {"from", "to"}) {
    if (const scalar* v = find(split_description, bound)) {
      bind_scalar(select_, ++index, *v);
    }
  }
  for (std::size_t i = 0; after && i < after->size(); ++i) {
    bind_scalar(select_, ++index, (*after)[i].value);
  }
  return {};
}

std::uint64_t sqlite_reader::row_bytes() const {
  std::uint64_t bytes = key_is_number_ ? sizeof(std::int64_t) : 0;
  for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
    const storage s = select_.storage_at(static_cast<int>(i));
    const bool sized = s == storage::text || s == storage::blob;
    bytes += sized ? select_.bytes_at(static_cast<int>(i)).size() + sizeof(std::int32_t)
                   : 32;  // a number's longest text
  }
  return bytes;
}

result<read_answer> sqlite_reader::read(batch_builder& builder, const stop_signal& stop) {
  connection_.stop = stop;
  connection_.db->use_stop(stop);
  std::size_t bytes = builder.bytes();
  while (!ended_) {
    if (stop.fired() || connection_.db->interrupted()) {
      return fail(error_kind::cancelled, "{}: reading was stopped on request",
                  in_quotes(plan_->options.file));
    }
    if (!row_at_hand_) {
      switch (select_.step()) {
        case step_answer::failed:
          return fail(connection_.db->failure("read"));
        case step_answer::done:
          ended_ = true;
          continue;
        case step_answer::row:
          row_at_hand_ = true;
      }
    }
    const std::uint64_t row = row_bytes();
    const bool too_large = row > builder.limit().record_bytes_max;
    if (!too_large && bytes + row > builder.limit().bytes_max) {
      if (builder.records() != 0) {
        return read_answer{read_answer::kind::full, 0};
      }
      return read_answer{read_answer::kind::needs, row + 4096};  // and the buffers' own rounding
    }
    take_row(builder);
    row_at_hand_ = false;
    if (!key_.empty()) {
      builder.set_cursor(cursor_here());
    }
    bytes += row;
    if (bytes >= builder.limit().bytes_target || builder.rows() >= builder.limit().rows_max) {
      bytes = builder.bytes();
      if (builder.full()) {
        return read_answer{read_answer::kind::full, 0};
      }
    }
  }
  return read_answer{read_answer::kind::end, 0};
}

cursor sqlite_reader::cursor_here() const {
  cursor here;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    here.push_back({key_[i], scalar_at(select_, static_cast<int>(plan_->kinds.size() + i))});
  }
  return here;
}

void sqlite_reader::take_row(batch_builder& builder) {
  if (!builder.has_places()) {
    const std::string table = plan_->table.empty() ? "querySql" : plan_->table;
    builder.begin_keys(table, key_is_number_ ? relational::bare_name(key_.back(), sql_rules) : std::string());
  }
  dirty_record why;
  if (row_bytes() > builder.limit().record_bytes_max) {
    refuse_as(why, dirty_code::record_too_large,
              relational::too_large_text(row_bytes(), builder.limit().record_bytes_max));
  } else {
    for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
      if (!append(builder.at(i), i, why)) {
        const field& f = (*plan_->columns)[i];
        why.column = f.name;
        why.value = text_of_value(i);
        why.target_type = sluice::to_string(f.type);
        break;
      }
    }
    if (why.code.empty()) {
      if (key_is_number_) {
        builder.place_key(select_.int64_at(static_cast<int>(plan_->kinds.size() + key_.size() - 1)));
      }
      builder.commit_row();
      return;
    }
  }
  describe_row(why);
  builder.refuse(std::move(why));
}

void sqlite_reader::describe_row(dirty_record& record) const {
  record.side = dirty_side::reader;
  record.source = plan_->table.empty() ? "querySql" : plan_->table;
  for (std::size_t i = 0; i < key_.size(); ++i) {
    const std::string_view text = select_.bytes_at(static_cast<int>(plan_->kinds.size() + i));
    record.key +=
        fmt::format("{}{}={}", i == 0 ? "" : ", ", relational::bare_name(key_[i], sql_rules), escaped(text));
  }
  std::size_t room = cut_record_bytes;
  const bool cut = record.code == sluice::to_string(dirty_code::record_too_large);
  std::string raw;
  for (std::size_t i = 0; i < plan_->kinds.size(); ++i) {
    const storage s = select_.storage_at(static_cast<int>(i));
    const std::string_view bytes =
        s == storage::null ? std::string_view() : select_.bytes_at(static_cast<int>(i));
    record.record_bytes += bytes.size();
    dirty_field f{(*plan_->columns)[i].name, std::string(to_string(s)), std::nullopt};
    if (s != storage::null) {
      f.text = cut ? std::string(bytes.substr(0, std::min(room, bytes.size()))) : text_of_value(i);
      room -= std::min(room, bytes.size());
      // Length and storage class before the bytes, so that no two records have the same raw form.
      raw += fmt::format("{} {} ", to_string(s), bytes.size());
      raw += cut ? *f.text : std::string(bytes);
    }
    raw += '\n';
    record.record.push_back(std::move(f));
  }
  record.cut = cut;
  if (cut) {
    record.value.reset();
  }
  record.sum = canonical_raw(raw);
}

std::optional<std::string> sqlite_reader::text_of_value(std::size_t column) const {
  const int c = static_cast<int>(column);
  switch (select_.storage_at(c)) {
    case storage::null:
      return std::nullopt;
    case storage::integer:
      return text_of(write_int64, select_.int64_at(c));
    case storage::real:
      return text_of(write_float64, select_.float64_at(c));
    case storage::text:
    case storage::blob:
      break;
  }
  const std::string_view bytes = select_.bytes_at(c);
  if (select_.storage_at(c) == storage::text && is_utf8(bytes)) {
    return std::string(bytes);
  }
  std::string hex;  // as SQL writes a blob
  for (const char b : bytes) {
    hex += fmt::format("{:02x}", static_cast<unsigned char>(b));
  }
  return fmt::format("x'{}'", hex);
}

bool sqlite_reader::wrong_type(std::size_t column, dirty_record& why) const {
  const field& f = (*plan_->columns)[column];
  const storage s = select_.storage_at(static_cast<int>(column));
  const std::string declared =
      f.source_type_name.empty() ? "of no declared type" : "declared " + escaped(f.source_type_name);
  return refuse_as(
      why, dirty_code::wrong_type,
      fmt::format("the column is {} and holds a {} here; read it with an expression such as {}", declared,
                  to_string(s), s == storage::blob ? "hex(column)" : "CAST(column AS TEXT)"));
}

bool sqlite_reader::append(column_builder& to, std::size_t column, dirty_record& why) {
  const int c = static_cast<int>(column);
  const storage s = select_.storage_at(c);
  if (s == storage::null) {
    to.append_null();
    return true;
  }
  switch (to.type().id) {
    case type_id::int64:
      if (s != storage::integer) {
        return wrong_type(column, why);
      }
      to.append(select_.int64_at(c));
      return true;
    case type_id::float64: {
      if (s != storage::real && s != storage::integer) {
        return wrong_type(column, why);
      }
      const double v = select_.float64_at(c);
      // 2^53: whole numbers up to it are doubles, beyond it not all are.
      constexpr std::int64_t exact_max = std::int64_t{1} << 53;
      if (s == storage::integer && (select_.int64_at(c) > exact_max || select_.int64_at(c) < -exact_max)) {
        return refuse_as(why, dirty_code::not_exact,
                         "the integer may have no equal among floating-point numbers");
      }
      to.append(v);
      return true;
    }
    case type_id::boolean:
      if (s != storage::integer) {
        return wrong_type(column, why);
      }
      if (select_.int64_at(c) != 0 && select_.int64_at(c) != 1) {
        return refuse_as(why, dirty_code::not_a_boolean, "a boolean is 0 or 1 in SQLite");
      }
      to.append_bool(select_.int64_at(c) == 1);
      return true;
    case type_id::binary:
      if (s != storage::blob) {
        return wrong_type(column, why);
      }
      to.append_bytes(select_.bytes_at(c));
      return true;
    case type_id::decimal_text:
      return append_number(to, column, why);
    default:
      return append_text(to, column, why);
  }
}

bool sqlite_reader::append_text(column_builder& to, std::size_t column, dirty_record& why) {
  const int c = static_cast<int>(column);
  char number[value_chars_max];
  switch (select_.storage_at(c)) {
    case storage::integer:
      to.append_bytes({number, static_cast<std::size_t>(write_int64(select_.int64_at(c), number) - number)});
      return true;
    case storage::real:
      to.append_bytes(
          {number, static_cast<std::size_t>(write_float64(select_.float64_at(c), number) - number)});
      return true;
    case storage::text: {
      const std::string_view text = select_.bytes_at(c);
      if (!is_utf8(text)) {
        return refuse_as(why, dirty_code::invalid_utf8, "the text is not well-formed UTF-8");
      }
      to.append_bytes(text);
      return true;
    }
    default:
      return wrong_type(column, why);
  }
}

bool sqlite_reader::append_number(column_builder& to, std::size_t column, dirty_record& why) {
  const int c = static_cast<int>(column);
  if (select_.storage_at(c) != storage::text) {
    return append_text(to, column, why);
  }
  const auto number = parse_decimal_text(select_.bytes_at(c), scratch_);
  if (!number.ok()) {
    return refuse_as(why, number.code, "the column is declared a number and holds another text here");
  }
  to.append_bytes(number.value);
  return true;
}

void sqlite_reader::interrupt() {
  connection_.interrupt();
}

}  // namespace sluice::sqlite
