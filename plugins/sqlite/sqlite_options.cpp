#include "plugins/sqlite/sqlite_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "jobspec/option_mistakes.h"
#include "jobspec/secrets.h"
#include "jobspec/words.h"
#include "plugins/sqlite/sqlite_table.h"
#include "plugins/sqlite/sqlite_url.h"
#include "transport/base/text.h"

namespace sluice::sqlite {
namespace {

/// What a job may set on its connections: nothing that changes the file for others.
constexpr auto session_pragmas = std::to_array<std::string_view>({
    "cache_size",
    "cache_spill",
    "case_sensitive_like",
    "foreign_keys",
    "ignore_check_constraints",
    "max_page_count",
    "mmap_size",
    "recursive_triggers",
    "secure_delete",
    "synchronous",
    "temp_store",
    "threads",
});

/// The value of `name` inside `connection` or flat, and where it stands.
struct placed_texts {
  std::vector<std::string> texts;
  std::string place;
};

result<placed_texts> find_texts(const option_values& values, const std::vector<option_values>& connections,
                                const std::string& name) {
  if (!connections.empty() && connections[0].has(name)) {
    SLUICE_TRY(auto texts, connections[0].text_list(name));
    return placed_texts{std::move(texts), connections[0].place(name)};
  }
  SLUICE_TRY(auto texts, values.text_list(name));
  return placed_texts{std::move(texts), values.place(name)};
}

/// The properties beside the address: those of the connection, else the flat ones.
result<relational::placed_properties> find_properties(const option_values& values,
                                                      const std::vector<option_values>& connections) {
  const bool own = !connections.empty() && connections[0].has("properties");
  return relational::read_properties(own ? connections[0] : values);
}

result<void> read_file(const placed_texts& url, const relational::placed_properties& properties,
                       const relational::warning_sink& warn, end_options& out) {
  if (url.texts.empty() || trimmed(url.texts[0]).empty()) {
    return fail(error_kind::bad_option,
                "{}: the SQLite file is not named; set \"jdbcUrl\": \"jdbc:sqlite:<path>\", or "
                "\"datasource\" to a name in the registry",
                url.place);
  }
  if (url.texts.size() > 1) {
    return fail(error_kind::bad_option, "{}: found {} addresses, expected one file; use one job a file",
                url.place, url.texts.size());
  }
  SLUICE_TRY(const auto connect, relational::connect_options_of({{url.texts[0], url.place, {}}}, properties,
                                                                url_dialect(), warn));
  out.file = connect.database;
  out.file_place = url.place;
  out.access = connect.access;
  if (out.file.empty() || out.file.starts_with(":memory:") || out.file.starts_with(":resource:")) {
    return fail(error_kind::bad_option, "{}: found {}, expected the path of a file after \"jdbc:sqlite:\"",
                url.place, shown_text(trimmed(url.texts[0])));
  }
  for (const auto& [name, value] : connect.session_settings) {
    out.session.push_back(fmt::format("PRAGMA {} = {}", name, value));
  }
  // busy_timeout alone: `busyTimeout` of the job, which is read later, overrules it.
  for (const auto& [option, value] : connect.option_defaults) {
    out.busy_timeout = std::chrono::milliseconds(std::strtoll(value.c_str(), nullptr, 10));
  }
  return {};
}

result<void> read_session(const option_values& values, end_options& out) {
  SLUICE_TRY(const auto statements, values.text_list("session"));
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const std::string text(trimmed(statements[i]));
    if (text.empty()) {
      continue;
    }
    std::string name;
    if (relational::begins_with_word(text, "PRAGMA", sql_rules)) {
      for (const char c : trimmed(std::string_view(text).substr(6))) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') {
          break;
        }
        name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    const bool one = text.find(';') >= text.size() - 1;
    if (!one || std::find(session_pragmas.begin(), session_pragmas.end(), name) == session_pragmas.end()) {
      return values.bad(fmt::format("session[{}]", i),
                        fmt::format("found {}, expected one PRAGMA statement of {}", in_quotes(text),
                                    fmt::join(session_pragmas, ", ")));
    }
    out.session.push_back(text);
  }
  return {};
}

result<void> read_table(const placed_texts& table, bool may_query, end_options& out) {
  out.table_place = table.place;
  if (table.texts.size() > 1) {
    return fail(error_kind::bad_option, "{}: found {} tables, expected one; use one job a table", table.place,
                table.texts.size());
  }
  if (!out.query.empty()) {
    return {};
  }
  out.table = table.texts.empty() ? "" : trimmed(table.texts[0]);
  if (out.table.empty()) {
    return fail(error_kind::bad_option, "{}: no table is named; set \"table\"{}", table.place,
                may_query ? " or \"querySql\"" : "");
  }
  if (!table_name_of(out.table)) {
    return fail(error_kind::bad_option,
                "{}: found {}; only tables of the file itself are there, name it without a database or as "
                "main.<table>",
                table.place, in_quotes(out.table));
  }
  return {};
}

result<void> read_query(const placed_texts& query, end_options& out) {
  if (query.texts.size() > 1) {
    return fail(error_kind::bad_option,
                "{}: found {} queries, expected one; join them with UNION ALL or use one job a query",
                query.place, query.texts.size());
  }
  if (!query.texts.empty()) {
    out.query = trimmed(query.texts[0]);
    out.query_place = query.place;
  }
  return {};
}

result<void> read_end(const option_values& values, bool may_query, const relational::warning_sink& warn,
                      end_options& out) {
  option_mistakes wrong;
  std::vector<option_values> connections;
  if (wrong.take(values.object_list("connection"), connections) && connections.size() > 1) {
    wrong.check<void>(values.bad(
        "connection",
        fmt::format("found {} connections, expected one; use one job a file", connections.size())));
  } else if (!wrong.any()) {
    placed_texts found;
    relational::placed_properties properties;
    if (wrong.take(find_properties(values, connections), properties) &&
        wrong.take(find_texts(values, connections, "jdbcUrl"), found)) {
      wrong.check(read_file(found, properties, warn, out));
    }
    if (may_query && wrong.take(find_texts(values, connections, "querySql"), found)) {
      wrong.check(read_query(found, out));
    }
    if (wrong.take(find_texts(values, connections, "table"), found)) {
      wrong.check(read_table(found, may_query, out));
    }
  }
  std::optional<std::int64_t> busy_ms;
  wrong.take(values.integer("busyTimeout"), busy_ms);
  out.busy_timeout = std::chrono::milliseconds(busy_ms.value_or(out.busy_timeout.count()));
  if (wrong.take(values.text_list("column"), out.columns) && out.columns.empty() && out.query.empty()) {
    wrong.check<void>(
        values.bad("column", may_query ? "no column is named; list the columns, or [\"*\"] for all"
                                       : "no column is named; list the table's columns in the reader's "
                                         "order, or [\"*\"] for all"));
  }
  wrong.check(read_session(values, out));
  return wrong.all();
}

/// `["*"]` alone is all columns; beside others it is a mistake.
result<bool> is_all_columns(const option_values& values, const end_options& end) {
  const bool star = std::find(end.columns.begin(), end.columns.end(), "*") != end.columns.end();
  if (star && end.columns.size() > 1) {
    return values.bad("column", "found \"*\" beside other columns, expected \"*\" alone or names");
  }
  return star;
}

/// job-formats 6.6: a text that begins with insert, replace or update, in any case; `insert ignore` as it
/// stands.
result<write_mode> mode_of(const option_values& values) {
  SLUICE_TRY(const auto text, values.text("writeMode"));
  std::string words;
  const std::string mode = text.value_or("insert");
  for (const char c : trimmed(mode)) {
    if (c != ' ' || !words.ends_with(' ')) {
      words += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  struct mode_name {
    std::string_view text;
    write_mode mode;
  };
  constexpr auto names = std::to_array<mode_name>({
      {"insert", write_mode::insert},
      {"insert into", write_mode::insert},
      {"ignore", write_mode::ignore},
      {"insert ignore", write_mode::ignore},
      {"insert or ignore", write_mode::ignore},
      {"replace", write_mode::replace},
      {"replace into", write_mode::replace},
      {"insert or replace", write_mode::replace},
      {"update", write_mode::update},
  });
  for (const mode_name& n : names) {
    if (n.text == words) {
      return n.mode;
    }
  }
  // DataX takes whatever begins so; what follows would have gone into the statement, and is not guessed at
  // here.
  return values.bad("writeMode", fmt::format("found {}, expected insert, replace, update or ignore",
                                             in_quotes(text.value_or(""))));
}

result<std::vector<relational::placed_text>> read_steps(const option_values& values, const std::string& name,
                                                        const std::string& table) {
  SLUICE_TRY(auto steps, relational::read_steps(values, name, sql_rules));
  // A table that is none has been refused.
  const std::string quoted_table = quote_name(table_name_of(table).value_or(table));
  for (relational::placed_text& step : steps) {
    step.text = relational::with_table(step.text, quoted_table);
  }
  return steps;
}

option url_option() {
  return {.name = "jdbcUrl",
          .type = option_type::text_list,
          .meaning =
              "The database file as `jdbc:sqlite:<path>`, or `jdbc:sqlite:file:<path>` with `%` "
              "decoded; behind `?` parameters may follow."};
}

option datasource_option() {
  return {.name = "datasource",
          .meaning = "Name of a data source of the type `sqlite` in the registry, in place of `jdbcUrl`."};
}

option table_option(std::string meaning) {
  return {.name = "table", .type = option_type::text_list, .meaning = std::move(meaning)};
}

std::vector<option> common_options(bool reader) {
  std::vector<option> members = {url_option(), relational::properties_option(), datasource_option(),
                                 table_option("The table.")};
  if (reader) {
    members.push_back(
        {.name = "querySql", .type = option_type::text_list, .meaning = "A query in place of a table."});
  }
  return {
      url_option(),
      relational::properties_option(),
      datasource_option(),
      {.name = "envType",
       .meaning = "Which variant of the data source: 0 production, 1 development. `--env` overrules it.",
       .default_text = "0"},
      {.name = "connection",
       .type = option_type::object_list,
       .meaning = "The form of DataX and Addax: an object, or a list of one, with `jdbcUrl` and `table`.",
       .members = std::move(members)},
      table_option(reader ? "The table or view: `t`, `main.t`, or quoted."
                          : "The table: `t`, `main.t`, or quoted. Not a view."),
      {.name = "busyTimeout",
       .type = option_type::integer,
       .meaning = "How long to wait for a lock of another connection, in milliseconds; then the run fails as "
                  "`busy`.",
       .default_text = "30000",
       .number_min = 0,
       .number_max = 86'400'000},
      {.name = "session",
       .type = option_type::text_list,
       .meaning = fmt::format("PRAGMA statements for each connection, of these: {}.",
                              fmt::join(session_pragmas, ", "))},
      {.name = "username", .meaning = "Accepted and ignored: SQLite has no users."},
      {.name = "password", .meaning = "Accepted and ignored.", .secret = true},
  };
}

}  // namespace

std::vector<option> source_option_list() {
  std::vector<option> list = common_options(true);
  const std::vector<option> own = {
      {.name = "column",
       .type = option_type::text_list,
       .meaning = "Columns and expressions in order, or `*`. An entry that is the name of a column is that "
                  "column; any other is an SQL "
                  "expression. Either may end in `AS name`, which is then the name of the job's column. "
                  "Not used with `querySql`."},
      {.name = "where", .meaning = "A condition without the word WHERE."},
      {.name = "querySql",
       .type = option_type::text_list,
       .meaning = "A query in place of `table`, `column`, `where` and `splitPk`. It is read as one split and "
                  "cannot resume inside it."},
      {.name = "splitPk",
       .meaning = "A column of integers by whose ranges the table is split. Without it the rowid or an "
                  "integer primary key is taken. Other values there: a 2.0 job reads one split, with a "
                  "warning, and a DataX job is refused."},
      {.name = "splitFactor",
       .type = option_type::integer,
       .meaning = "Splits for each pipeline that may run at once, where there are several.",
       .default_text = "5",
       .number_min = 1,
       .number_max = 100},
      {.name = "fetchSize",
       .type = option_type::integer,
       .meaning = "Accepted and ignored: rows are fetched one by one in the process."},
      {.name = "encoding", .meaning = "Accepted and ignored: SQLite delivers UTF-8."},
  };
  list.insert(list.end(), own.begin(), own.end());
  return list;
}

std::vector<option> target_option_list() {
  std::vector<option> list = common_options(false);
  const std::vector<option> own = {
      {.name = "column",
       .type = option_type::text_list,
       .meaning = "Columns in the reader's order, or `*` for all of the table that can be written.",
       .required = true},
      relational::mapping_option(),
      {.name = "preSql",
       .type = option_type::text_list,
       .meaning = "Statements before the data, each in one transaction with the record that it ran. `@table` "
                  "is the table's name."},
      {.name = "postSql",
       .type = option_type::text_list,
       .meaning = "Statements after the data, likewise. Where one fails it may be edited, with those behind "
                  "it: the same command then runs what is left of them, and moves no data."},
      {.name = "writeMode",
       .meaning = "`insert`: a row that a key refuses is dirty. `ignore`: it is left out and counted. "
                  "`replace`: it replaces the row with its "
                  "key. `update`: it updates that row's mapped columns.",
       .default_text = "insert",
       .allowed = {"insert", "replace", "update", "ignore", "insert into", "insert ignore",
                   "insert or ignore", "replace into", "insert or replace"}},
      {.name = "createTable",
       .type = option_type::boolean,
       .meaning =
           "Makes the table (and the file) where it is missing: columns named and typed after the reader's "
           "(decimals become TEXT), and NOT NULL and primary key where the reader is one table that has "
           "them. "
           "The run lists what else that table has; `sluice ddl JOB` prints the statement. The table is made "
           "before preSql runs, or behind it where preSql makes or drops the table.",
       .default_text = "false"},
      {.name = "emptyAsNull",
       .type = option_type::boolean,
       .meaning = "Empty text for a column that holds no text becomes NULL.",
       .default_text = "false",
       .datax_default_text = "true"},
      {.name = "batchSize",
       .type = option_type::integer,
       .meaning = "Accepted and ignored: rows are refused one by one, and the size of a transaction is the "
                  "engine's."},
      {.name = "batchByteSize",
       .type = option_type::integer,
       .meaning = "Accepted and ignored, as `batchSize`."},
      {.name = "encoding", .meaning = "Accepted and ignored: SQLite takes UTF-8."},
  };
  list.insert(list.end(), own.begin(), own.end());
  for (const char* key : {"dbNamePattern", "dbRule", "tableNamePattern", "tableRule"}) {
    list.push_back(
        {.name = key,
         .meaning = "Rows to one of several databases or tables by a rule. Write one job for each.",
         .not_supported = true});
  }
  return list;
}

result<end_options> read_file_options(const option_values& values, const relational::warning_sink& warn) {
  SLUICE_TRY(const auto connections, values.object_list("connection"));
  SLUICE_TRY(const auto properties, find_properties(values, connections));
  SLUICE_TRY(const placed_texts url, find_texts(values, connections, "jdbcUrl"));
  end_options out;
  SLUICE_CHECK(read_file(url, properties, warn, out));
  return out;
}

result<source_options> read_source_options(const option_values& values,
                                           const relational::warning_sink& warn) {
  source_options out;
  option_mistakes wrong;
  wrong.check(read_end(values, true, warn, out));
  if (!out.query.empty()) {
    SLUICE_CHECK(wrong.all());
    return out;
  }
  wrong.take(is_all_columns(values, out), out.all_columns);
  std::optional<std::string> where;
  wrong.take(values.text("where"), where);
  out.where = trimmed(where.value_or(""));
  constexpr std::string_view wide_semicolon = "\xEF\xBC\x9B";  // U+FF1B, which job-formats 6.5 drops too
  while (out.where.ends_with(';') || out.where.ends_with(wide_semicolon)) {
    out.where = trimmed(
        out.where.substr(0, out.where.size() - (out.where.ends_with(';') ? 1 : wide_semicolon.size())));
  }
  std::optional<std::string> split_pk;
  wrong.take(values.text("splitPk"), split_pk);
  out.split_pk = relational::bare_name(split_pk.value_or(""), sql_rules);
  std::optional<std::int64_t> factor;
  wrong.take(values.integer("splitFactor"), factor);
  out.split_factor = static_cast<std::uint32_t>(factor.value_or(5));
  SLUICE_CHECK(wrong.all());
  return out;
}

result<target_options> read_target_options(const option_values& values,
                                           const relational::warning_sink& warn) {
  target_options out;
  option_mistakes wrong;
  wrong.check(read_end(values, false, warn, out));
  if (out.access == relational::file_access::read_only) {
    wrong.check<void>(fail(error_kind::bad_option,
                           "{}: the address opens the file read-only (mode=ro, open_mode=1), and a writer "
                           "writes it; take that out, or name another file",
                           out.file_place));
  }
  wrong.take(is_all_columns(values, out), out.all_columns);
  wrong.take(mode_of(values), out.mode);
  wrong.take(read_steps(values, "preSql", out.table), out.pre_sql);
  wrong.take(read_steps(values, "postSql", out.table), out.post_sql);
  std::optional<bool> create;
  wrong.take(values.boolean("createTable"), create);
  wrong.take(relational::maps_by_name(values), out.by_name);
  out.create_table = create.value_or(false);
  SLUICE_CHECK(wrong.all());
  return out;
}

}  // namespace sluice::sqlite
