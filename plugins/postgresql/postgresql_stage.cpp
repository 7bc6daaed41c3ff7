#include "plugins/postgresql/postgresql_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "plugins/postgresql/postgresql_codes.h"
#include "plugins/postgresql/postgresql_writer.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

using relational::write_mode;

constexpr std::size_t send_bytes = std::size_t{128} << 10;
/// The code by which the block below reports a row that the write mode leaves out.
constexpr const char* ignored_code = "ignored";
/// `ON CONFLICT DO UPDATE` has met two staged rows of one key.
constexpr const char* same_key_twice = "21000";

/// The braces stand for the statements of the mode and for the code of a row that is left out. A block with
/// EXCEPTION is a subtransaction; sixteen rows share one as long as none is refused. Variables must not meet
/// columns of tables. What is no fault of a row's, such as a lock that was waited for in vain, goes through.
constexpr const char* each_block = R"(
DECLARE
  sluice_n int; sluice_lowest int; sluice_took bigint; sluice_wanted bigint;
  sluice_code text; sluice_words text; sluice_more text; sluice_column text; sluice_constraint text;
BEGIN
  FOR sluice_lowest IN SELECT g.i FROM pg_catalog.generate_series(0, (SELECT coalesce(max(s.sluice_row), -1) FROM pg_temp.sluice_rows s), 16) g(i) LOOP
    BEGIN
      SELECT count(*) INTO sluice_wanted FROM pg_temp.sluice_rows s WHERE {range};
      {delete_range}
      {insert_range};
      GET DIAGNOSTICS sluice_took = ROW_COUNT;
      IF sluice_took <> sluice_wanted THEN RAISE EXCEPTION 'sluice' USING ERRCODE = 'P0001'; END IF;
    EXCEPTION
      WHEN {not_of_a_row} THEN RAISE;
      WHEN OTHERS THEN
      FOR sluice_n IN SELECT s.sluice_row FROM pg_temp.sluice_rows s WHERE {range} ORDER BY 1 LOOP
        BEGIN
          {delete_one}
          {insert_one};
          GET DIAGNOSTICS sluice_took = ROW_COUNT;
          IF sluice_took <> 1 THEN
            INSERT INTO pg_temp.sluice_refused VALUES (sluice_n, '{left_out}', '', '', '');
          END IF;
        EXCEPTION
          WHEN {not_of_a_row} THEN RAISE;
          WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS sluice_code = RETURNED_SQLSTATE, sluice_words = MESSAGE_TEXT,
            sluice_more = PG_EXCEPTION_DETAIL, sluice_column = COLUMN_NAME, sluice_constraint = CONSTRAINT_NAME;
          INSERT INTO pg_temp.sluice_refused VALUES (sluice_n, sluice_code,
            sluice_words || CASE WHEN sluice_more <> '' THEN '. ' || sluice_more ELSE '' END, sluice_column, sluice_constraint);
        END;
      END LOOP;
    END;
  END LOOP;
END)";
constexpr std::string_view range_condition =
    "s.sluice_row >= sluice_lowest AND s.sluice_row < sluice_lowest + 16";
constexpr std::string_view one_condition = "s.sluice_row = sluice_n";
constexpr std::string_view not_of_a_row =
    "transaction_rollback OR insufficient_resources OR object_not_in_prerequisite_state OR "
    "operator_intervention";

/// What stands behind the rows of an INSERT.
std::string on_conflict(const stage_plan& plan) {
  if (plan.mode == write_mode::ignore) {
    return " ON CONFLICT DO NOTHING";
  }
  if (plan.mode != write_mode::update) {
    return {};
  }
  std::string key;
  std::string set;
  for (const std::string& name : plan.key) {
    key += (key.empty() ? "" : ", ") + quote_name(name);
  }
  for (const std::string& name : plan.columns) {
    if (std::find(plan.key.begin(), plan.key.end(), name) == plan.key.end()) {
      set += fmt::format("{0}{1} = excluded.{1}", set.empty() ? "" : ", ", quote_name(name));
    }
  }
  if (set.empty()) {  // there is nothing but the key: the row that is there is the row that comes
    set = fmt::format("{0} = excluded.{0}", quote_name(plan.key.at(0)));
  }
  return fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}", key, set);
}

/// Takes the rows away that staged ones replace; empty in other modes.
std::string delete_sql(const stage_plan& plan, std::string_view condition) {
  if (plan.mode != write_mode::replace) {
    return {};
  }
  std::string same;
  for (const std::string& name : plan.key) {
    const auto at = std::find(plan.columns.begin(), plan.columns.end(), name) - plan.columns.begin();
    same += fmt::format(" AND t.{} = s.c{}", quote_name(name), at + 1);
  }
  return fmt::format("DELETE FROM {} t USING pg_temp.sluice_rows s WHERE {}{};", plan.table, condition, same);
}

std::string insert_sql(const stage_plan& plan, std::string_view condition) {
  std::string names;
  std::string staged;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const std::string_view comma = i == 0 ? "" : ", ";
    names += fmt::format("{}{}", comma, quote_name(plan.columns[i]));
    staged += fmt::format("{}s.c{}", comma, i + 1);
  }
  return fmt::format(
      "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM pg_temp.sluice_rows s WHERE {} ORDER BY "
      "s.sluice_row{}",
      plan.table, names, staged, condition, on_conflict(plan));
}

/// Notes the staged rows whose key is in the table and takes them out, in the words that the server has for
/// them.
std::string take_out_sql(const stage_plan& plan, const unique_key& key) {
  std::string same;
  std::string names;
  std::string values;
  for (const std::string& name : key.columns) {
    const auto at = std::find(plan.columns.begin(), plan.columns.end(), name) - plan.columns.begin();
    same += fmt::format("{}t.{} = s.c{}", same.empty() ? "" : " AND ", quote_name(name), at + 1);
    names += (names.empty() ? "" : ", ") + name;
    values += fmt::format("{}s.c{}::text", values.empty() ? "" : " || ', ' || ", at + 1);
  }
  const bool ignores = plan.mode == write_mode::ignore;
  return fmt::format(
      "WITH found AS (DELETE FROM pg_temp.sluice_rows s USING {} t WHERE {} RETURNING s.sluice_row, {} AS "
      "value) "
      "INSERT INTO pg_temp.sluice_refused SELECT sluice_row, '{}', {} || value || "
      "') already "
      "exists.', '', {} FROM found",
      plan.table, same, values, ignores ? ignored_code : "23505",
      quote_text(
          fmt::format("duplicate key value violates unique constraint \"{}\". Key ({})=(", key.name, names)),
      quote_text(key.name));
}

}  // namespace

const char* const silence =
    "the server took the row without a word and did not store it, as a trigger that returns NULL does";

row_stage::row_stage(const stage_plan& plan) {
  std::string names;
  std::string declared;
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    names += fmt::format(", c{}", i + 1);
    declared += fmt::format(", c{} {}", i + 1, plan.type_names[i]);
  }
  make_sql_ = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_rows (sluice_row int PRIMARY KEY{}) ON COMMIT DELETE "
      "ROWS; "
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_refused (sluice_row int, code text, message text, "
      "column_name text, constraint_name text) ON COMMIT DELETE ROWS; DO 'BEGIN NULL; END'",
      declared);
  copy_sql_ = fmt::format("COPY pg_temp.sluice_rows (sluice_row{}) FROM STDIN", names);
  delete_all_sql_ = delete_sql(plan, "true");
  insert_all_sql_ = insert_sql(plan, "true");
  for (const unique_key& key : plan.unique_keys) {
    take_out_sql_.push_back(take_out_sql(plan, key));
  }
  const std::string block = fmt::format(
      fmt::runtime(each_block), fmt::arg("range", range_condition), fmt::arg("not_of_a_row", not_of_a_row),
      fmt::arg("delete_range", delete_sql(plan, range_condition)),
      fmt::arg("insert_range", insert_sql(plan, range_condition)),
      fmt::arg("delete_one", delete_sql(plan, one_condition)),
      fmt::arg("insert_one", insert_sql(plan, one_condition)),
      fmt::arg("left_out", plan.mode == write_mode::ignore ? ignored_code : refused_silently));
  insert_each_sql_ = "DO " + quote_text(block);  // a name may hold whatever ends another quote
}

result<bool> row_stage::make(connection& c) {
  if (made_ || !usable_) {
    return usable_;
  }
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_stage"));
  auto made = c.run_script(make_sql_);
  if (!made) {
    const error_kind kind = made.error().kind;
    if (kind != error_kind::denied && kind != error_kind::not_supported && kind != error_kind::bad_option) {
      return fail(std::move(made).error());
    }
    usable_ = false;
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_stage; RELEASE SAVEPOINT sluice_stage"));
    return false;
  }
  SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_stage"));
  made_ = true;
  return true;
}

result<void> row_stage::send(connection& c, row_encoder& encoder, const batch& b,
                             const std::vector<std::uint32_t>& rows, std::size_t first, std::size_t last,
                             send_buffer& buffer) {
  SLUICE_CHECK(c.copy_in(
      fmt::format("{} (FORMAT {})", copy_sql_, encoder.form() == copy_form::binary ? "binary" : "text")));
  buffer.resize(0);
  encoder.begin(buffer);
  for (std::size_t i = first; i < last; ++i) {
    if (!encoder.append(b, rows[i], buffer, static_cast<std::int32_t>(i - first))) {
      return fail(error_kind::internal, "{}: a row that could be sent cannot be any more", c.place());
    }
    if (buffer.size() >= send_bytes) {
      SLUICE_CHECK(c.copy_send(buffer.view()));
      buffer.resize(0);
    }
  }
  encoder.end(buffer);
  SLUICE_CHECK(c.copy_send(buffer.view()));
  buffer.resize(0);
  SLUICE_CHECK(c.copy_end());
  return {};
}

result<bool> row_stage::insert_all(connection& c, std::size_t count) {
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_all"));
  result<std::uint64_t> taken = 0;
  if (!delete_all_sql_.empty()) {
    taken = c.run(delete_all_sql_);
  }
  if (taken) {
    taken = c.run(insert_all_sql_);
  }
  if (taken && *taken == count) {
    SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_all"));
    return true;
  }
  if (!taken && taken.error().kind != error_kind::bad_row && taken.error().code != same_key_twice) {
    return fail(taken.error());
  }
  SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_all; RELEASE SAVEPOINT sluice_all"));
  return false;
}

result<std::size_t> row_stage::take_out_duplicates(connection& c) {
  std::size_t taken_out = 0;
  for (const std::string& statement : take_out_sql_) {
    SLUICE_CHECK(c.run_script("SAVEPOINT sluice_look"));
    const auto done = c.run(statement);
    if (done) {
      taken_out += *done;
      SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_look"));
      continue;
    }
    if (done.error().kind == error_kind::cancelled || c.is_lost()) {
      return fail(done.error());
    }
    // It only spares work: without the right to look (SELECT), or without an order of its own, rows are
    // tried.
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_look; RELEASE SAVEPOINT sluice_look"));
  }
  return taken_out;
}

result<void> row_stage::read_left_out(connection& c, const std::vector<std::uint32_t>& rows,
                                      std::size_t first, outcome& answer) {
  SLUICE_TRY(const auto left_out, c.ask("SELECT sluice_row, code, message, column_name, constraint_name FROM "
                                        "pg_temp.sluice_refused ORDER BY sluice_row"));
  for (const auto& r : left_out) {
    const std::string code = r.at(1).value_or("");
    const std::uint32_t row = rows.at(first + std::strtoul(r.at(0).value_or("0").c_str(), nullptr, 10));
    if (code == ignored_code) {
      answer.ignored.push_back(row);
      continue;
    }
    const std::string words = code == refused_silently ? silence : r.at(2).value_or("");
    const code_meaning meaning = meaning_of(code);
    if (code != refused_silently && meaning.kind != error_kind::bad_row) {
      // What is no fault of the row's ends the transaction, as it would have outside of the block.
      return fail(error{meaning.kind, fmt::format("{}: {} ({})", c.place(), statement_text(words), code),
                        code, false});
    }
    refused_row refused{row, r.at(3).value_or(""), code, words};
    if (refused.column.empty()) {
      refused.column = r.at(4).value_or("");
    }
    answer.refused.push_back(std::move(refused));
  }
  return {};
}

result<row_stage::outcome> row_stage::insert(connection& c, row_encoder& encoder, const batch& b,
                                             const std::vector<std::uint32_t>& rows, std::size_t first,
                                             std::size_t last, bool all_at_once, send_buffer& buffer) {
  outcome answer;
  SLUICE_TRY(const bool there, make(c));
  if (!there) {
    return answer;
  }
  SLUICE_CHECK(c.run_script("TRUNCATE pg_temp.sluice_rows, pg_temp.sluice_refused; SAVEPOINT sluice_rows"));
  if (auto sent = send(c, encoder, b, rows, first, last, buffer); !sent) {
    if (sent.error().kind != error_kind::bad_row) {
      return fail(std::move(sent).error());
    }
    answer.line = line_in_context(c.last_failure().context);
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_rows; RELEASE SAVEPOINT sluice_rows"));
    return answer;
  }
  bool all = false;
  if (all_at_once) {
    SLUICE_TRY(all, insert_all(c, last - first));
  }
  if (!all) {
    SLUICE_TRY(const std::size_t taken_out, take_out_duplicates(c));
    if (taken_out != 0) {
      SLUICE_TRY(all, insert_all(c, last - first - taken_out));
    }
    if (!all) {
      SLUICE_CHECK(c.run_script(insert_each_sql_));
    }
    SLUICE_CHECK(read_left_out(c, rows, first, answer));
  }
  SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_rows"));
  answer.staged = true;
  return answer;
}

}  // namespace sluice::postgresql
