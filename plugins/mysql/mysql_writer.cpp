#include "plugins/mysql/mysql_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "plugins/api/read_again.h"
#include "plugins/common/relational/written_sum.h"
#include "plugins/mysql/mysql_codes.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "plugins/mysql/mysql_sessions.h"
#include "transport/base/text.h"

namespace sluice::mysql {
namespace {

/// As delivery.md has it of careful batches: ten in a row before the fast way is tried again.
constexpr std::uint32_t inserts_after_failure = 10;
/// More rows in one statement did not measure faster.
constexpr std::size_t rows_each_max = 2000;
/// Statements that are sent together: their answers fit the buffers of a connection.
constexpr std::size_t piped_max = 64;
/// After a look for duplicates that found another row: so many pieces without.
constexpr std::uint32_t pieces_between_looks = 8;
constexpr std::string_view key_words = " for key ";
constexpr std::string_view duplicate_words = "Duplicate entry ";
/// Keys of one SELECT: of a thousand and more MariaDB makes a table of its own first.
constexpr std::size_t keys_asked_max = 500;
/// Where more of a batch's rows are duplicates, they are not sent one by one: a share of 1 in so many.
constexpr std::size_t duplicates_share = 8;
/// After a batch in which finding duplicates was no help: so many without.
constexpr std::uint32_t batches_between_finds = 10;
constexpr const char* too_large_code = "ER_NET_PACKET_TOO_LARGE";
/// While rows are refused: a refused one costs the statement's other rows a second parsing.
constexpr std::size_t rows_each_careful = 128;
/// Of LOAD DATA's rows that are written at a time.
constexpr std::size_t load_piece_bytes = std::size_t{64} << 10;
constexpr std::uint64_t statement_bytes_max = std::uint64_t{1} << 20;
/// Room for what stands around the rows and for the packet itself.
constexpr std::uint64_t packet_rest = 4096;
/// From this version on MariaDB tells the row that failed (GET DIAGNOSTICS … ROW_NUMBER).
constexpr std::uint32_t tells_row_number = 100700;

std::string name_list(const std::vector<target_column>& columns) {
  std::string names;
  for (const target_column& c : columns) {
    names += (names.empty() ? "" : ", ") + quote_name(c.name);
  }
  return names;
}

/// An INSERT that changes nothing where every row is there already.
insert_text look_sql(writer_plan plan) {
  plan.mode = write_mode::ignore;
  return insert_sql(plan);
}

/// 3 of `Data too long for column 'a' at row 3`; 0 where the message does not end so.
std::size_t row_in_message(std::string_view message) {
  constexpr std::string_view before = " at row ";
  const std::size_t at = message.rfind(before);
  std::size_t row = 0;
  if (at == std::string_view::npos) {
    return row;
  }
  const char* end = message.data() + message.size();
  const auto read = std::from_chars(message.data() + at + before.size(), end, row);
  return read.ec == std::errc() && read.ptr == end ? row : 0;
}

/// Of a row counted from 1: its index, where the statement has it.
std::optional<std::size_t> index_of(std::size_t row, std::size_t rows) {
  return row >= 1 && row <= rows ? std::optional(row - 1) : std::nullopt;
}

}  // namespace

insert_text insert_sql(const writer_plan& plan) {
  const bool replaces = plan.mode == write_mode::replace;
  insert_text out;
  out.before = fmt::format("{} INTO {} ({}) VALUES ", replaces ? "REPLACE" : "INSERT", plan.table,
                           name_list(plan.columns));
  if (plan.mode == write_mode::ignore) {
    // INSERT IGNORE would also leave out, or bend, what else is wrong with a row.
    const std::string name = quote_name(plan.columns.front().name);
    out.behind = fmt::format(" ON DUPLICATE KEY UPDATE {0} = {1}.{0}", name, plan.table);
  } else if (plan.mode == write_mode::update) {
    std::string_view begin =
        plan.names_rows ? " AS sluice_row ON DUPLICATE KEY UPDATE " : " ON DUPLICATE KEY UPDATE ";
    for (const std::string& column : plan.update_columns) {
      const std::string name = quote_name(column);
      out.behind += fmt::format("{}{} = {}", begin, name,
                                plan.names_rows ? "sluice_row." + name : fmt::format("VALUES({})", name));
      begin = ", ";
    }
  }
  return out;
}

written_parts parts_of(const statement_answer& done, std::uint64_t rows, write_mode mode, bool one_key) {
  switch (mode) {
    case write_mode::insert:
    case write_mode::copy:
      return {rows};
    case write_mode::ignore:
      return {std::min(done.affected, rows)};
    case write_mode::update: {
      // A new row counts as one affected, an updated one as two, one that has the values already as none.
      const std::uint64_t updated = rows == 1 ? done.affected / 2 : done.duplicates;
      const std::uint64_t inserted = done.affected - std::min(done.affected, 2 * updated);
      const bool adds_up = done.affected == inserted + 2 * updated && inserted + updated <= rows;
      return adds_up ? written_parts{inserted, updated, 0, rows - inserted - updated} : written_parts{};
    }
    case write_mode::replace: {
      const std::uint64_t removed =
          rows == 1 ? done.affected - std::min<std::uint64_t>(done.affected, 1) : done.duplicates;
      return {0, 0, one_key && removed <= rows ? removed : 0, 0};
    }
  }
  return {};
}

std::string load_sql(const writer_plan& plan) {
  // The whole of the text is in one character set, of which bytes and bits are none.
  std::string fields;
  std::string set;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const target_column& c = plan.columns[i];
    const bool bytes = c.kind.holds == held_as::bytes;
    const bool converted = bytes || c.kind.holds == held_as::bits;
    fields +=
        fmt::format("{}{}", i == 0 ? "" : ", ", converted ? fmt::format("@c{}", i) : quote_name(c.name));
    if (converted) {
      set += fmt::format("{}{} = {}", set.empty() ? " SET " : ", ", quote_name(c.name),
                         bytes ? fmt::format("UNHEX(@c{})", i) : fmt::format("CAST(@c{} AS UNSIGNED)", i));
    }
  }
  return fmt::format(
      "LOAD DATA LOCAL INFILE 'sluice' {}INTO TABLE {} CHARACTER SET utf8mb4 FIELDS TERMINATED BY x'09' "
      "ESCAPED BY x'5C' LINES TERMINATED BY x'0A' ({}){}",
      plan.mode == write_mode::replace ? "REPLACE " : "", plan.table, fields, set);
}

mysql_writer::mysql_writer(std::shared_ptr<const writer_plan> plan,
                           std::shared_ptr<relational::claim_state> claim, schema_ptr columns)
    : plan_(std::move(plan)),
      claim_(std::move(claim)),
      columns_(std::move(columns)),
      encoder_(columns_, plan_->columns),
      rows_each_(rows_each_max),
      may_look_(plan_->looks_for_duplicates),
      may_find_(may_look_ && plan_->only_key.size() == 1 &&
                plan_->columns[plan_->only_key.front()].kind.holds == held_as::integer),
      look_rows_(piped_max) {}

mysql_writer::~mysql_writer() {
  mysql_writer::rollback();
}

result<void> mysql_writer::connect_once(const stop_signal& stop) {
  if (connection_ == nullptr || !connection_->alive()) {
    SLUICE_TRY(auto made, connection::open(plan_->connect, stop));
    const std::lock_guard lock(interrupting_);
    connection_ = std::move(made);
    session_ = std::make_unique<mysql_session>(*connection_);
  }
  session_->use_stop(stop);
  return {};
}

result<mark> mysql_writer::open(split_index split, epoch_number epoch, const stop_signal& stop) {
  rollback();
  SLUICE_CHECK(connect_once(stop));
  const std::string comment = statement_comment(plan_->connect.name, fmt::format("split {}", split.value));
  session_->use_comment(comment);
  insert_ = insert_sql(*plan_);
  insert_.before = with_comment(std::move(insert_.before), comment);
  look_ = look_sql(*plan_);
  look_.before = with_comment(std::move(look_.before), comment);
  load_ = with_comment(load_sql(*plan_), comment);
  SLUICE_TRY(std::string owner, connection_->session_name(stop));
  if (owner != owner_) {
    if (!owner_.empty()) {
      lost_sessions_.add(std::move(owner_));
    }
    owner_ = std::move(owner);
  }
  const relational::session_control control = {
      [&](const std::string& name) { return session_lives(*connection_, name, stop); },
      [&](const std::string& name) { return end_session(*connection_, name, stop); }};
  SLUICE_CHECK(lost_sessions_.end(control, stop));
  SLUICE_TRY(mark m, lost_sessions_.explained(
                         relational::open_split(*session_, plan_->marks, *claim_, split, epoch, owner_)));
  split_ = split;
  epoch_ = epoch;
  transaction_ = 0;
  stays_careful_ = false;
  m.transaction = 0;
  return m;
}

void mysql_writer::forbid_reading_again() {
  saves_points_ = true;
  stays_careful_ = true;
}

result<void> mysql_writer::begin(const stop_signal& stop) {
  if (connection_ == nullptr) {
    return fail(error_kind::internal, "{}: written to before a split was opened", plan_->table);
  }
  session_->use_stop(stop);
  if (in_transaction_) {
    return {};
  }
  SLUICE_CHECK(connection_->begin(stop));
  in_transaction_ = true;
  return relational::begin_mark(*session_, plan_->marks, *claim_, split_, epoch_, ++transaction_);
}

result<bool> mysql_writer::load_batch(const batch& b, write_answer& answer, const stop_signal& stop) {
  SLUICE_CHECK(connection_->run("SAVEPOINT sluice_batch", stop));
  rows_.clear();
  std::uint32_t next = 0;
  // The server works on a piece while the next is being written.
  const auto more = [&]() -> std::string_view {
    rows_.bytes.clear();
    next = encoder_.encode_some(b, next, row_encoder::form::lines, load_piece_bytes, rows_);
    return rows_.bytes;
  };
  const auto done = connection_->load(load_, more, stop);
  if (!done && done.error().kind != error_kind::bad_row) {
    return fail(done.error());
  }
  const bool all_sent = next == b.rows;
  if (done && all_sent && done->warnings == 0 && done->skipped == 0 && done->records == rows_.size()) {
    count(*done, rows_.size(), answer);
    return true;
  }
  // A duplicate is a warning to LOCAL.
  if (done && done->warnings != 0 && may_find_ && duplicate_key_text_.empty()) {
    SLUICE_TRY(const auto warnings, connection_->warnings(stop));
    for (const server_warning& w : warnings) {
      note_duplicate(meaning_of(w.code, "", w.message).name, w.message);
    }
  }
  SLUICE_CHECK(connection_->run("ROLLBACK TO SAVEPOINT sluice_batch", stop));
  inserts_left_ = inserts_after_failure;
  rows_each_ = std::min(rows_each_, rows_each_careful);
  return false;
}

std::size_t mysql_writer::rows_that_fit(std::size_t first, std::size_t wanted) const {
  const std::uint64_t bytes_max = std::min(
      {statement_bytes_max, plan_->batch_bytes == 0 ? statement_bytes_max : plan_->batch_bytes,
       connection_->packet_bytes_max() - std::min(connection_->packet_bytes_max() / 2, packet_rest)});
  const std::size_t begin = first == 0 ? 0 : rows_.ends[first - 1];
  std::size_t n = std::min(wanted, rows_.size() - first);
  while (n > 1 && rows_.ends[first + n - 1] - begin > bytes_max) {
    n = (n + 1) / 2;
  }
  return n;
}

result<std::optional<mysql_writer::refusal>> mysql_writer::judge_answer(const statement_answer& done,
                                                                        std::size_t rows,
                                                                        const stop_signal& stop) {
  if (done.warnings != 0) {
    SLUICE_TRY(const auto warnings, connection_->warnings(stop));
    const auto harmful = std::find_if(warnings.begin(), warnings.end(),
                                      [](const server_warning& w) { return !is_harmless_warning(w.code); });
    if (harmful != warnings.end()) {
      return std::optional(refusal{meaning_of(harmful->code, "", "").name, blamed_column(harmful->message),
                                   harmful->message, index_of(row_in_message(harmful->message), rows)});
    }
    if (warnings.size() < done.warnings) {
      return std::optional(
          refusal{"warning", "",
                  fmt::format("the server has {} warnings of the statement and tells {} of them",
                              done.warnings, warnings.size())});
    }
  }
  const bool counts = plan_->mode == write_mode::insert;
  // Of one row the server says no number.
  const bool all = done.records == rows || (done.records == 0 && (counts || rows == 1));
  if ((counts && done.affected != rows) || !all) {
    return std::optional(refusal{"refused_silently", "", "the server took the statement and not the row"});
  }
  return std::optional<refusal>();
}

std::string mysql_writer::blamed_column(const std::string& message) const {
  std::string column = column_in_message(message);
  if (column.empty()) {
    const auto key = plan_->keys.find(key_in_message(message));
    column = key == plan_->keys.end() ? "" : key->second;
  }
  if (column.empty()) {
    const auto check = plan_->checks.find(check_in_message(message));
    column = check == plan_->checks.end() ? "" : check->second;
  }
  // With triggers it may be another table's.
  if (column.empty() && !plan_->keys.empty()) {
    column = foreign_key_in_message(message);
  }
  return column;
}

result<mysql_writer::refusal> mysql_writer::explain_failure(const batch& b, const error& failed,
                                                            std::size_t first, std::size_t rows,
                                                            const stop_signal& stop) {
  const server_failure why = connection_->last_failure();
  refusal out{failed.code, blamed_column(why.message), why.message};
  std::size_t row = rows == 1 ? 1 : row_in_message(why.message);
  if (row == 0) {
    row = row_of_duplicate(b, first, rows, why.message);
  }
  const server_info& server = connection_->server();
  if (row == 0 && server.product == server_product::mariadb && server.version >= tells_row_number) {
    SLUICE_CHECK(connection_->run("GET DIAGNOSTICS CONDITION 1 @sluice_row = ROW_NUMBER", stop));
    SLUICE_TRY(const auto number, connection_->ask("SELECT @sluice_row", stop));
    row = number.empty() || !number[0][0] ? 0 : std::strtoull(number[0][0]->c_str(), nullptr, 10);
  }
  out.row = index_of(row, rows);
  return out;
}

result<std::optional<mysql_writer::refusal>> mysql_writer::insert_range(const batch& b, std::size_t first,
                                                                        std::size_t last,
                                                                        write_answer& answer,
                                                                        const stop_signal& stop) {
  const std::size_t rows = last - first;
  std::string_view text = rows_.range(first, last);
  text.remove_suffix(1);  // the comma behind the last row
  statement_.assign(insert_.before).append(text).append(insert_.behind);
  if (is_too_large()) {
    return std::optional(
        refusal{too_large_code, "",
                fmt::format("the row has {} and the server takes statements of {}; raise its "
                            "max_allowed_packet",
                            bytes_text(statement_.size()), bytes_text(connection_->packet_bytes_max()))});
  }
  if (saves_points_) {
    SLUICE_CHECK(connection_->run("SAVEPOINT sluice_rows", stop));
  }
  const auto done = connection_->run(statement_, stop);
  if (!done) {
    if (done.error().kind != error_kind::bad_row || !connection_->in_transaction()) {
      return fail(done.error());
    }
    SLUICE_TRY(refusal why, explain_failure(b, done.error(), first, rows, stop));
    return std::optional(std::move(why));
  }
  SLUICE_TRY(auto why, judge_answer(*done, rows, stop));
  if (why) {
    if (!saves_points_) {
      return fail(read_again(*why));
    }
    SLUICE_CHECK(connection_->run("ROLLBACK TO SAVEPOINT sluice_rows", stop));
    return why;
  }
  count(*done, rows, answer);
  return std::optional<refusal>();
}

bool mysql_writer::is_too_large() const {
  return statement_.size() + packet_rest / 2 > connection_->packet_bytes_max();
}

result<std::optional<mysql_writer::refusal>> mysql_writer::load_alone(const batch& b, std::size_t at,
                                                                      refusal too_large, write_answer& answer,
                                                                      const stop_signal& stop) {
  if (!plan_->may_load || !connection_->can_load()) {
    return std::optional(std::move(too_large));
  }
  encoded_rows row;
  encoder_.encode_some(b, rows_.rows[at], row_encoder::form::lines, 1, row);
  if (row.rows != std::vector<std::uint32_t>{rows_.rows[at]}) {
    return std::optional(std::move(too_large));  // one of the two forms cannot say it
  }
  std::string_view left = row.bytes;
  const auto more = [&]() -> std::string_view {
    const std::string_view piece = left.substr(0, load_piece_bytes);
    left.remove_prefix(piece.size());
    return piece;
  };
  SLUICE_CHECK(connection_->run("SAVEPOINT sluice_alone", stop));
  const auto done = connection_->load(load_, more, stop);
  if (!done && (done.error().kind != error_kind::bad_row || !connection_->in_transaction())) {
    return fail(done.error());
  }
  if (done && left.empty() && done->warnings == 0 && done->skipped == 0 && done->records == 1) {
    count(*done, 1, answer);
    return std::optional<refusal>();
  }
  refusal why = std::move(too_large);
  if (!done) {
    SLUICE_TRY(why, explain_failure(b, done.error(), at, 1, stop));
  } else if (done->warnings != 0) {
    SLUICE_TRY(auto warned, judge_answer(*done, 1, stop));
    if (warned) {
      why = std::move(*warned);
    }
  }
  SLUICE_CHECK(connection_->run("ROLLBACK TO SAVEPOINT sluice_alone", stop));
  return std::optional(std::move(why));
}

void mysql_writer::count(const statement_answer& done, std::uint64_t rows, write_answer& answer) const {
  const std::uint64_t ignored =
      plan_->mode == write_mode::ignore && done.affected < rows ? rows - done.affected : 0;
  answer.ignored += ignored;
  answer.written += rows - ignored;
  answer.parts += parts_of(done, rows, plan_->mode, !plan_->only_key.empty());
}

error mysql_writer::read_again(const refusal& why) {
  saves_points_ = true;
  clean_batches_ = 0;
  return {error_kind::busy,
          fmt::format("{}: {}: {} ({}); the rows are written again with savepoints", connection_->place(),
                      plan_->table, escaped(why.message), why.code),
          read_again_code, false};
}

void mysql_writer::note_duplicate(const std::string& code, const std::string& message) {
  if (const std::size_t key = message.rfind(key_words);
      may_look_ && key != std::string::npos && message.starts_with(duplicate_words)) {
    duplicate_code_ = code;
    duplicate_key_text_ = message.substr(key);
  }
}

void mysql_writer::refuse(std::size_t at, const refusal& why, write_answer& answer) {
  note_duplicate(why.code, why.message);
  answer.refused.push_back({rows_.rows[at], why.column, why.code, why.message});
}

std::string mysql_writer::key_text(const batch& b, std::size_t at) const {
  std::string text;
  for (const std::size_t column : plan_->only_key) {
    text += (column == plan_->only_key.front() ? "" : "-") +
            value_text(b.columns[column], (*columns_)[column].type, rows_.rows[at]).value_or("NULL");
  }
  return text;
}

std::size_t mysql_writer::row_of_duplicate(const batch& b, std::size_t first, std::size_t rows,
                                           std::string_view message) const {
  const std::size_t end = message.rfind(key_words);
  if (!may_look_ || !message.starts_with(duplicate_words) || end == std::string_view::npos ||
      end < duplicate_words.size() + 2) {
    return 0;
  }
  // Without the quotes around it.
  const std::string_view key = message.substr(0, end - 1).substr(duplicate_words.size() + 1);
  for (std::size_t i = 0; i < rows; ++i) {
    if (key_text(b, first + i) == key) {
      return i + 1;
    }
  }
  return 0;
}

result<bool> mysql_writer::are_there(std::size_t first, std::size_t last, const stop_signal& stop) {
  std::string_view text = rows_.range(first, last);
  text.remove_suffix(1);
  statement_.assign(look_.before).append(text).append(look_.behind);
  if (is_too_large()) {
    return false;
  }
  SLUICE_CHECK(connection_->run("SAVEPOINT sluice_look", stop));
  const auto done = connection_->run(statement_, stop);
  if (!done) {
    may_look_ = done.error().kind == error_kind::bad_row;
    if ((!may_look_ && done.error().kind != error_kind::denied) || !connection_->in_transaction()) {
      return fail(done.error());
    }
  }
  SLUICE_CHECK(connection_->run("ROLLBACK TO SAVEPOINT sluice_look", stop));
  const std::size_t rows = last - first;
  return done && done->affected == 0 && done->warnings == 0 && (rows == 1 || done->records == rows);
}

void mysql_writer::refuse_duplicates(const batch& b, std::size_t first, std::size_t last,
                                     write_answer& answer) const {
  std::string column;
  for (const std::size_t at : plan_->only_key) {
    column += (column.empty() ? "" : ", ") + plan_->columns[at].name;
  }
  for (std::size_t i = first; i < last; ++i) {
    answer.refused.push_back({rows_.rows[i], column, duplicate_code_,
                              fmt::format("Duplicate entry '{}'{}", key_text(b, i), duplicate_key_text_)});
  }
}

result<std::size_t> mysql_writer::insert_piped(std::size_t first, std::size_t last, write_answer& answer,
                                               const stop_signal& stop) {
  std::vector<std::string> statements;
  for (std::size_t at = first; at < last; ++at) {
    std::string_view text = rows_.range(at, at + 1);
    text.remove_suffix(1);
    statements.push_back(fmt::format("{}{}{}", insert_.before, text, insert_.behind));
  }
  SLUICE_TRY(const auto answers, connection_->run_piped(statements, stop));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const piped_answer& a = answers[i];
    if (a.failed) {
      if (a.failed->kind != error_kind::bad_row || !connection_->in_transaction()) {
        return fail(*a.failed);
      }
      refuse(first + i, {a.failed->code, blamed_column(a.message), a.message}, answer);
      ++refused;
      continue;
    }
    if (a.done.warnings != 0 || (plan_->mode == write_mode::insert && a.done.affected != 1)) {
      return fail(read_again({"warning", "", "the server took a row with a warning"}));
    }
    count(a.done, 1, answer);
  }
  return refused;
}

result<std::vector<std::size_t>> mysql_writer::find_duplicates(const batch& b, const stop_signal& stop) {
  std::vector<std::size_t> found;
  std::unordered_map<std::string, std::size_t> first_of;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::string key = key_text(b, i);
    if (key.empty() || key.find_first_not_of("-0123456789") != std::string::npos) {
      continue;
    }
    if (first_of.try_emplace(key, i).second) {
      keys.push_back(std::move(key));
    } else {
      found.push_back(i);
    }
  }
  const std::string name = quote_name(plan_->columns[plan_->only_key.front()].name);
  const std::string comment = statement_comment(plan_->connect.name, fmt::format("split {}", split_.value));
  for (std::size_t from = 0; from < keys.size(); from += keys_asked_max) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(keys_asked_max, keys.size() - from));
    const auto there =
        connection_->ask(with_comment(fmt::format("SELECT {0} FROM {1} WHERE {0} IN ({2})", name,
                                                  plan_->table, fmt::join(begin, end, ", ")),
                                      comment),
                         stop);
    if (!there && there.error().kind == error_kind::denied && connection_->in_transaction()) {
      may_find_ = false;
      return std::vector<std::size_t>();
    }
    if (!there) {
      return fail(there.error());
    }
    for (const relational::sql_row& row : *there) {
      if (const auto it = first_of.find(row[0].value_or("")); it != first_of.end()) {
        found.push_back(it->second);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

result<bool> mysql_writer::insert_together(std::size_t first, const std::vector<std::size_t>& ends,
                                           write_answer& answer, const stop_signal& stop) {
  std::vector<std::string> statements = {"SAVEPOINT sluice_together"};
  std::size_t at = first;
  for (const std::size_t end : ends) {
    std::string_view text = rows_.range(at, end);
    text.remove_suffix(1);
    statements.push_back(fmt::format("{}{}{}", insert_.before, text, insert_.behind));
    at = end;
  }
  SLUICE_TRY(const auto answers, connection_->run_piped(statements, stop));
  write_answer together;
  bool stands = true;
  at = first;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const piped_answer& a = answers[i];
    if (a.failed && (a.failed->kind != error_kind::bad_row || !connection_->in_transaction())) {
      return fail(*a.failed);
    }
    if (i == 0) {
      continue;
    }
    const std::size_t rows = ends[i - 1] - at;
    if (a.failed && rows == 1) {
      refuse(at, {a.failed->code, blamed_column(a.message), a.message}, together);
    } else if (a.failed || a.done.warnings != 0 || a.done.affected != rows) {
      stands = false;
    } else {
      count(a.done, rows, together);
    }
    at = ends[i - 1];
  }
  if (!stands) {
    SLUICE_CHECK(connection_->run("ROLLBACK TO SAVEPOINT sluice_together", stop));
    return false;
  }
  answer.written += together.written;
  answer.parts += together.parts;
  answer.refused.insert(answer.refused.end(), together.refused.begin(), together.refused.end());
  return true;
}

result<void> mysql_writer::insert_around(const batch& b, const std::vector<std::size_t>& alone,
                                         write_answer& answer, const stop_signal& stop) {
  std::size_t at = 0;
  auto next = alone.begin();
  while (at < rows_.size()) {
    const std::size_t first = at;
    std::vector<std::size_t> ends;
    const std::size_t bytes_before = first == 0 ? 0 : rows_.ends[first - 1];
    while (at < rows_.size() && ends.size() < piped_max &&
           (ends.empty() || rows_.ends[at] - bytes_before <= statement_bytes_max)) {
      const bool is_alone = next != alone.end() && *next == at;
      const std::size_t border = next == alone.end() ? rows_.size() : *next;
      at += rows_that_fit(at, is_alone ? 1 : std::min(rows_max(), border - at));
      next += is_alone ? 1 : 0;
      ends.push_back(at);
    }
    const bool fits =
        rows_.ends[ends.front() - 1] - bytes_before + packet_rest < connection_->packet_bytes_max();
    SLUICE_TRY(const bool stands, fits ? insert_together(first, ends, answer, stop) : result<bool>(false));
    if (!stands) {
      finds_after_ = batches_between_finds;
      SLUICE_CHECK(insert_span(b, first, at, answer, stop));
    }
  }
  return {};
}

std::size_t mysql_writer::rows_max() const {
  return plan_->batch_rows == 0 ? rows_each_max : std::min<std::size_t>(rows_each_max, plan_->batch_rows);
}

result<void> mysql_writer::insert_all(const batch& b, write_answer& answer, const stop_signal& stop) {
  if (may_find_ && !saves_points_ && !duplicate_key_text_.empty() && finds_after_ == 0 && rows_.size() > 1) {
    SLUICE_TRY(const auto alone, find_duplicates(b, stop));
    if (alone.size() <= rows_.size() / duplicates_share) {
      return insert_around(b, alone, answer, stop);
    }
    finds_after_ = batches_between_finds;
  } else {
    finds_after_ -= std::min<std::uint32_t>(finds_after_, 1);
  }
  return insert_span(b, 0, rows_.size(), answer, stop);
}

result<void> mysql_writer::insert_span(const batch& b, std::size_t first, std::size_t last,
                                       write_answer& answer, const stop_signal& stop) {
  std::size_t at = first;
  // The row that a failed statement named: those before it go first, then it goes alone.
  std::optional<std::size_t> alone;
  while (at < last) {
    rows_each_ = std::clamp<std::size_t>(rows_each_, 1, rows_max());
    const bool mostly_refused = !alone && !saves_points_ && rows_each_ == 1;
    if (mostly_refused && may_look_ && !duplicate_key_text_.empty() && looks_after_ == 0) {
      const std::size_t n = rows_that_fit(at, std::min({look_rows_, rows_max(), last - at}));
      SLUICE_TRY(const bool all, are_there(at, at + n, stop));
      if (all) {
        refuse_duplicates(b, at, at + n, answer);
        at += n;
        look_rows_ = std::min(rows_each_max, look_rows_ * 2);
        continue;
      }
      look_rows_ = piped_max;
      looks_after_ = pieces_between_looks;
    }
    looks_after_ -= std::min<std::uint32_t>(looks_after_, 1);
    const bool pipes = mostly_refused && rows_that_fit(at, std::min(piped_max, last - at)) == piped_max;
    if (pipes) {
      SLUICE_TRY(const std::size_t refused, insert_piped(at, at + piped_max, answer, stop));
      at += piped_max;
      rows_each_ = refused < piped_max / 8 ? 8 : 1;
      continue;
    }
    const bool is_alone = alone == at;
    const std::size_t n =
        rows_that_fit(at, is_alone ? 1 : std::min(last - at, alone ? *alone - at : rows_each_));
    SLUICE_TRY(auto why, insert_range(b, at, at + n, answer, stop));
    if (why && n == 1 && why->code == too_large_code) {
      SLUICE_TRY(why, load_alone(b, at, std::move(*why), answer, stop));
    }
    if (why && n > 1) {
      // Fewer rows each time: at last the row is alone.
      alone = why->row ? std::optional(at + *why->row) : std::nullopt;
      rows_each_ = !why->row ? n / 2 : *why->row == 0 ? n / 4 : std::min(n, 2 * *why->row + 1);
      continue;
    }
    if (why) {
      refuse(at, *why, answer);
    }
    if (!alone) {
      rows_each_ = why ? 1 : rows_each_ * 2;
    }
    at += n;
    alone = is_alone ? std::nullopt : alone;
  }
  return {};
}

result<write_answer> mysql_writer::write(const batch& b, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  write_answer answer;
  bool stands = false;
  const bool loads = plan_->may_load && connection_->can_load() && inserts_left_ == 0;
  if (loads) {
    SLUICE_TRY(stands, load_batch(b, answer, stop));
  } else {
    inserts_left_ -= std::min<std::uint32_t>(inserts_left_, 1);
  }
  if (!stands) {
    encoder_.encode(b, row_encoder::form::values, rows_);
    SLUICE_CHECK(insert_all(b, answer, stop));
    inserts_left_ = answer.refused.empty() ? inserts_left_ : inserts_after_failure;
  }
  clean_batches_ = answer.refused.empty() ? clean_batches_ + 1 : 0;
  answer.refused.insert(answer.refused.end(), rows_.refused.begin(), rows_.refused.end());
  std::sort(answer.refused.begin(), answer.refused.end(),
            [](const refused_row& x, const refused_row& y) { return x.row < y.row; });
  if (answer.ignored != 0 || !answer.refused.empty()) {
    // Which rows were ignored the server does not say: then sums are not compared.
    answer.written_sum = relational::sum_without(b, answer.refused);
  }
  return answer;
}

result<void> mysql_writer::commit(const mark& m, const stop_signal& stop) {
  SLUICE_CHECK(begin(stop));
  if (m.transaction != transaction_ || m.epoch != epoch_ || m.split != split_) {
    return fail(error_kind::internal,
                "{}: a mark of transaction {} of epoch {} was handed to transaction {} of epoch {}",
                plan_->table, m.transaction, m.epoch.value, transaction_, epoch_.value);
  }
  SLUICE_CHECK(relational::end_mark(*session_, plan_->marks, *claim_, m));
  SLUICE_CHECK(connection_->commit(stop));
  in_transaction_ = false;
  // Not before a commit: the rows that were taken back come again whole, the bad one among them.
  saves_points_ = stays_careful_ || (saves_points_ && clean_batches_ < inserts_after_failure);
  return {};
}

void mysql_writer::rollback() {
  if (connection_ != nullptr && in_transaction_) {
    connection_->rollback();
  }
  in_transaction_ = false;
}

void mysql_writer::interrupt() {
  const std::lock_guard lock(interrupting_);
  if (connection_ != nullptr) {
    connection_->interrupt();
  }
}

}  // namespace sluice::mysql
