#include "plugins/postgresql/postgresql_stage.h"

#include <fmt/format.h>

#include <cstdlib>

#include "plugins/postgresql/postgresql_codes.h"
#include "transport/base/text.h"

namespace sluice::postgresql {
namespace {

constexpr std::size_t send_bytes = std::size_t{128} << 10;

/// `{0}`: the table, `{1}`: its columns, `{2}`: those of the stage. A block with EXCEPTION is a
/// subtransaction; sixteen rows share one as long as none is refused.
constexpr const char* insert_block = R"(DO $sluice$
DECLARE
  n int; lowest int; took bigint; wanted bigint; code text; words text; more text; column_ text; constraint_ text;
BEGIN
  FOR lowest IN SELECT i FROM pg_catalog.generate_series(0, (SELECT coalesce(max(sluice_row), -1) FROM pg_temp.sluice_rows), 16) i LOOP
    BEGIN
      SELECT count(*) INTO wanted FROM pg_temp.sluice_rows WHERE sluice_row >= lowest AND sluice_row < lowest + 16;
      INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {2} FROM pg_temp.sluice_rows
        WHERE sluice_row >= lowest AND sluice_row < lowest + 16 ORDER BY sluice_row;
      GET DIAGNOSTICS took = ROW_COUNT;
      IF took <> wanted THEN RAISE EXCEPTION 'sluice' USING ERRCODE = 'P0001'; END IF;
    EXCEPTION WHEN OTHERS THEN
      FOR n IN SELECT sluice_row FROM pg_temp.sluice_rows WHERE sluice_row >= lowest AND sluice_row < lowest + 16 ORDER BY 1 LOOP
        BEGIN
          INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {2} FROM pg_temp.sluice_rows WHERE sluice_row = n;
          GET DIAGNOSTICS took = ROW_COUNT;
          IF took <> 1 THEN
            INSERT INTO pg_temp.sluice_refused VALUES (n, 'refused_silently', '', '', '');
          END IF;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, words = MESSAGE_TEXT, more = PG_EXCEPTION_DETAIL,
            column_ = COLUMN_NAME, constraint_ = CONSTRAINT_NAME;
          INSERT INTO pg_temp.sluice_refused
            VALUES (n, code, words || CASE WHEN more <> '' THEN '. ' || more ELSE '' END, column_, constraint_);
        END;
      END LOOP;
    END;
  END LOOP;
END $sluice$)";

}  // namespace

row_stage::row_stage(std::string table, std::vector<std::string> columns,
                     std::vector<std::string> type_names) {
  std::string names;
  std::string staged;
  std::string declared;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string_view comma = i == 0 ? "" : ", ";
    names += fmt::format("{}{}", comma, quote_name(columns[i]));
    staged += fmt::format("{}c{}", comma, i + 1);
    declared += fmt::format(", c{} {}", i + 1, type_names[i]);
  }
  make_sql_ = fmt::format(
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_rows (sluice_row int PRIMARY KEY{}) ON COMMIT DELETE "
      "ROWS; "
      "CREATE TEMPORARY TABLE IF NOT EXISTS sluice_refused (sluice_row int, code text, message text, "
      "column_name text, "
      "constraint_name text) ON COMMIT DELETE ROWS; DO 'BEGIN NULL; END'",
      declared);
  copy_sql_ = fmt::format("COPY pg_temp.sluice_rows (sluice_row, {}) FROM STDIN", staged);
  insert_sql_ = fmt::format(fmt::runtime(insert_block), table, names, staged);
}

const char* const silence =
    "the server took the row without a word and did not store it, as a trigger that returns NULL does";

result<bool> row_stage::make(connection& c) {
  if (made_ || !usable_) {
    return usable_;
  }
  SLUICE_CHECK(c.run_script("SAVEPOINT sluice_stage"));
  auto made = c.run_script(make_sql_);
  if (!made) {
    const error_kind kind = made.error().kind;
    if (kind == error_kind::not_connected || kind == error_kind::cancelled || kind == error_kind::no_room) {
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

result<row_stage::outcome> row_stage::insert(connection& c, row_encoder& encoder, const batch& b,
                                             const std::vector<std::uint32_t>& rows, std::size_t first,
                                             std::size_t last, send_buffer& buffer) {
  outcome answer;
  SLUICE_TRY(const bool there, make(c));
  if (!there) {
    return answer;
  }
  SLUICE_CHECK(c.run_script("TRUNCATE pg_temp.sluice_rows, pg_temp.sluice_refused; SAVEPOINT sluice_rows"));
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
  auto taken = c.copy_send(buffer.view()).and_then([&] { return c.copy_end(); });
  buffer.resize(0);
  if (!taken) {
    if (taken.error().kind != error_kind::bad_row) {
      return fail(std::move(taken).error());
    }
    SLUICE_CHECK(c.run_script("ROLLBACK TO SAVEPOINT sluice_rows; RELEASE SAVEPOINT sluice_rows"));
    return answer;
  }
  SLUICE_CHECK(c.run_script(insert_sql_));
  SLUICE_TRY(const auto refused, c.ask("SELECT sluice_row, code, message, column_name, constraint_name FROM "
                                       "pg_temp.sluice_refused ORDER BY sluice_row"));
  for (const auto& r : refused) {
    const std::string code = r.at(1).value_or("");
    const std::string words = code == refused_silently ? silence : r.at(2).value_or("");
    if (code != refused_silently && meaning_of(code).kind != error_kind::bad_row) {
      // What is no fault of the row's ends the transaction, as it would have outside of the block.
      return fail(error{meaning_of(code).kind,
                        fmt::format("{}: {} ({})", c.place(), escaped(words, 1000), code), code, false});
    }
    const std::size_t at = first + std::strtoul(r.at(0).value_or("0").c_str(), nullptr, 10);
    answer.refused.push_back({rows.at(at), r.at(3).value_or(""), code, words});
    if (answer.refused.back().column.empty()) {
      answer.refused.back().column = r.at(4).value_or("");
    }
  }
  SLUICE_CHECK(c.run_script("RELEASE SAVEPOINT sluice_rows"));
  answer.staged = true;
  return answer;
}

}  // namespace sluice::postgresql
