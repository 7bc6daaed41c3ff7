#include "plugins/common/sqlite/sqlite_session.h"

#include <fmt/format.h>

#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

/// As SQL writes it: in quotes where it is not of small letters and `_` alone.
std::string sql_name(const std::string& name) {
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos) {
    return name;
  }
  std::string out = "\"";
  for (const char c : name) {
    out.append(c == '"' ? 2 : 1, c);
  }
  return out + "\"";
}

/// The name that `sql_name` has written.
std::string plain_name(const std::string& sql) {
  if (!sql.starts_with('"')) {
    return sql;
  }
  std::string out;
  for (std::size_t i = 1; i + 1 < sql.size(); ++i) {
    out += sql[i];
    i += sql[i] == '"' ? 1 : 0;
  }
  return out;
}

}  // namespace

result<statement> sqlite_session::prepared(const std::string& sql,
                                           const std::vector<relational::sql_text>& values) {
  SLUICE_TRY(statement made, db_->prepare(sql));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    if (values[i]) {
      made.bind_text(index, *values[i]);
    } else {
      made.bind_null(index);
    }
  }
  return made;
}

result<std::vector<relational::sql_row>> sqlite_session::ask(
    const std::string& sql, const std::vector<relational::sql_text>& values) {
  SLUICE_TRY(statement select, prepared(sql, values));
  std::vector<relational::sql_row> rows;
  step_answer answer = select.step();
  for (; answer == step_answer::row; answer = select.step()) {
    relational::sql_row row;
    for (int column = 0; column < select.columns(); ++column) {
      row.push_back(select.storage_at(column) == storage::null ? relational::sql_text()
                                                               : select.text_at(column));
    }
    rows.push_back(std::move(row));
  }
  if (answer == step_answer::failed) {
    return fail(db_->failure(in_quotes(sql)));
  }
  return rows;
}

result<std::uint64_t> sqlite_session::run(const std::string& sql,
                                          const std::vector<relational::sql_text>& values) {
  SLUICE_TRY(statement one, prepared(sql, values));
  step_answer answer = one.step();
  while (answer == step_answer::row) {
    answer = one.step();
  }
  if (answer == step_answer::failed) {
    return fail(db_->failure(in_quotes(sql)));
  }
  return static_cast<std::uint64_t>(db_->changes());
}

result<relational::sql_session*> sqlite_home::session(bool makes) {
  SLUICE_TRY(database * db, connection_.get(makes ? open_mode::create : open_mode::read_write));
  session_.emplace(*db);
  return &*session_;
}

result<std::vector<std::string>> sqlite_home::columns_of(const std::string& table) {
  SLUICE_TRY(relational::sql_session * asked, session(false));
  SLUICE_TRY(const auto rows,
             asked->ask("SELECT lower(name) FROM pragma_table_info(?)", {plain_name(table)}));
  std::vector<std::string> names;
  for (const relational::sql_row& row : rows) {
    names.push_back(row[0].value_or(""));
  }
  return names;
}

relational::progress_dialect progress_dialect_of(const std::string& file,
                                                 const relational::mark_names& names) {
  relational::progress_dialect dialect;
  dialect.kept = names.kept;
  dialect.run_table = sql_name(names.run);
  dialect.progress_table = sql_name(names.progress);
  dialect.tables_name = fmt::format("{} and {} in {}", names.run, names.progress, in_quotes(file));
  dialect.place = in_quotes(file);
  dialect.now_seconds = "CAST(strftime('%s', 'now') AS INTEGER)";
  dialect.integer_type = "INTEGER";
  // BEGIN IMMEDIATE takes the file's only write lock, and whoever holds it for data renews the claim.
  dialect.guard_row = false;
  dialect.renews_in_data = true;
  return dialect;
}

}  // namespace sluice::sqlite
