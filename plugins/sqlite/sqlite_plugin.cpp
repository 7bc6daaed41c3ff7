#include "plugins/sqlite/sqlite_plugin.h"

#include "plugins/common/relational/reading_back.h"
#include "plugins/sqlite/sqlite_connection_test.h"
#include "plugins/sqlite/sqlite_options.h"
#include "plugins/sqlite/sqlite_sketch.h"
#include "plugins/sqlite/sqlite_source.h"
#include "plugins/sqlite/sqlite_target.h"
#include "plugins/sqlite/sqlite_url.h"

namespace sluice {
namespace {

const side_description& reads() {
  static const side_description side = {
      sqlite::source_option_list(),
      {.splits =
           "by ranges of the rowid, of an integer primary key or of `splitPk`, where several pipelines run",
       .resumes = "inside a split, by the rowid or the primary key; views, aggregates and `querySql` are "
                  "read again whole",
       .incremental = "with `${bizdate}` in `where` or `querySql`",
       .repeatable = true,
       .transactional = false,
       .distributable = false,
       .writers_max = 0},
      R"({"jdbcUrl": "jdbc:sqlite:shop.db", "table": "orders", "column": ["id", "customer", "price * quantity"], "where": "id > 0"})"};
  return side;
}

const side_description& writes() {
  static const side_description side = {
      sqlite::target_option_list(),
      {.splits = "",
       .resumes = "at the mark that is committed with the rows",
       .incremental = "with `writeMode` `replace`, `update` or `ignore`, or a DELETE in `preSql`",
       .repeatable = false,
       .transactional = true,
       .distributable = false,
       .writers_max = 1,
       .marks = "two tables in the file",
       .marks_named = true,
       .no_marks = "where `progressTable` is `none`",
       .whole_split_max = {.bytes = relational::whole_split_bytes_max}},
      R"({"jdbcUrl": "jdbc:sqlite:shop.db", "table": "orders", "column": ["id", "customer", "price"], "createTable": true})"};
  return side;
}

std::vector<std::string> remarks() {
  std::vector<std::string> out = {
      "SQLite has affinities, not types. By its declared type a column is written and read as: names with "
      "INT: integers; CHAR, CLOB, TEXT: "
      "text; REAL, FLOA, DOUB: floating point; DECIMAL, NUMERIC, NUMBER, MONEY and the like: exact numbers; "
      "BOOLEAN, BOOL, BIT: 0 and 1; BLOB: "
      "bytes on reading, whatever comes on writing; all others: whatever comes. STRICT tables have the six "
      "types of SQLite.",
      "A value is stored so that it reads back equal, or its record is dirty: NaN (SQLite makes it NULL), "
      "integers above 9223372036854775807, "
      "decimals that have no equal double, NULL in an INTEGER PRIMARY KEY (SQLite makes up a number), and a "
      "text "
      "such as `007` in a column that is not declared as a number but has NUMERIC affinity (STRING, UUID, "
      "DATE: "
      "SQLite makes it the number 7). A column that is declared as a number takes texts as numbers: there "
      "`007`, "
      "`+7` and `7.0` arrive as 7, and what is no number is dirty. Decimals are exact in TEXT columns only, "
      "so that "
      "`createTable` makes decimals TEXT. "
      "-0.0 is stored as 0.0, which is equal to it.",
      "Dates and times are written as ISO 8601 text: `2024-02-29`, `23:59:59`, `2024-02-29 23:59:59.250` "
      "with as many digits as the value needs, "
      "instants (`TIMESTAMPTZ`) in UTC with `+00:00`. DATE, TIME and DATETIME columns take any text as it "
      "comes, because SQLite does (with `emptyAsNull` the empty one as NULL), and are "
      "read as the exact text of whatever they hold; so are expressions and columns without a declared type. "
      "Numbers and booleans have no unit of time: into such a column they are refused before data moves.",
      "On reading, a value of another storage class than its column declares is dirty with code "
      "`wrong_type`; `CAST(column AS TEXT)` or "
      "`hex(column)` as the column entry reads it all the same.",
      "Each row is a statement of its own: a refused row undoes only itself, with SQLite's extended code in "
      "the dirty record. `replace`, `update` and `ignore` find rows by a primary key or unique index over "
      "mapped "
      "columns; a job whose table has none is refused. `ignore` leaves out "
      "only rows whose key is there already; CHECK and NOT NULL still make rows dirty. An ON CONFLICT clause "
      "of the table itself does not count.",
      "Foreign keys are not enforced unless `session` or the address says `foreign_keys = ON`, which is "
      "SQLite's default: rows may come in any order, and `replace` and a DELETE leave the rows of other "
      "tables as they are. With it a row without its parent is dirty, and ON DELETE CASCADE and SET NULL act "
      "on the rows that `replace` deletes, of which `check`, `plan` and `sluice copy --replace` warn.",
      "Marks and claims stand in the tables sluice_run and sluice_progress of the destination file. "
      "journal_mode is never changed, and synchronous "
      "is SQLite's FULL unless `session` says otherwise; with less, a power failure may take back what was "
      "reported as written.",
      "A claim of a process on the same host is taken over only when that process is dead. Each preSql and "
      "postSql statement runs in one "
      "transaction with the record that it ran; VACUUM, PRAGMA, ATTACH and DETACH cannot, and may run twice "
      "after a crash. All but PRAGMA are compiled before the first one runs, by `check` and `plan` too, so "
      "that a slip of the pen or a missing table is told before anything changes; tables that an earlier "
      "statement may make count as there.",
      "Views and virtual tables are no destinations. Reader and writer may share one file only in WAL mode. "
      "Who only reads a file in WAL mode (a source, `check`, `plan`, `template`) leaves its -wal and -shm "
      "files behind where no other program has it open: SQLite lets only a connection that may write remove "
      "them, and Sluice never writes to a source.",
      "Parameters stand behind `?` in the address, `name=value` with `&` between them, or in `properties`: "
      "those of the "
      "JDBC driver of Xerial and those of SQLite's `file:` addresses. They count before the statements of "
      "`session`. A source is always opened read-only; `mode=ro` at a destination is refused, and with "
      "`mode=rw` the file is not made.",
  };
  for (std::string& paragraph : relational::property_paragraphs(sqlite::url_dialect())) {
    out.push_back(std::move(paragraph));
  }
  return out;
}

result<std::unique_ptr<source>> make_source(const option_values& options, const plugin_context& context) {
  SLUICE_TRY(auto read, sqlite::read_source_options(options, context.warn));
  return std::make_unique<sqlite::sqlite_source>(std::move(read), options, context);
}

result<std::unique_ptr<target>> make_target(const option_values& options, const plugin_context& context) {
  SLUICE_TRY(auto read, relational::with_mark_names(sqlite::read_target_options(options, context.warn),
                                                    context.marks, {sqlite::sql_rules, "", 0, false}));
  return std::make_unique<sqlite::sqlite_target>(std::move(read.first), options, std::move(read.second),
                                                 context);
}

result<read_back> read_back_of(const option_values& writer, const std::vector<std::string>& columns) {
  SLUICE_TRY(const auto read, sqlite::read_target_options(writer, [](const std::string&) {}));
  return relational::reading_back(columns, read.mode);
}

}  // namespace

plugin sqlite_plugin() {
  return {.name = "sqlite",
          .aliases = {},
          .datax_readers = {"sqlitereader"},
          .datax_writers = {"sqlitewriter"},
          .summary = "Tables of a SQLite 3 file: exactly once as a destination.",
          .remarks = remarks(),
          .reads = &reads(),
          .writes = &writes(),
          .make_source = make_source,
          .make_target = make_target,
          .read_back_of = read_back_of,
          .test_connection = sqlite::try_connection,
          .recognise = sqlite::recognise,
          .place_in = sqlite::place_in,
          .sketch_source = sqlite::sketch_source,
          .sketch_target = sqlite::sketch_target};
}

}  // namespace sluice
