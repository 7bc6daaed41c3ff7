#include "plugins/postgresql/postgresql_plugin.h"

#include <fmt/format.h>

#include "plugins/common/relational/reading_back.h"
#include "plugins/postgresql/postgresql_connection_test.h"
#include "plugins/postgresql/postgresql_options.h"
#include "plugins/postgresql/postgresql_sketch.h"
#include "plugins/postgresql/postgresql_source.h"
#include "plugins/postgresql/postgresql_target.h"
#include "plugins/postgresql/postgresql_url.h"

namespace sluice {
namespace {

const side_description& reads() {
  static const side_description side = {
      postgresql::source_option_list(),
      {.splits =
           "where several pipelines run, by ranges of `splitPk`, or with `splitMode` `auto` by ranges of "
           "a unique key or of blocks (ctid); each table of several is a split at least",
       .resumes =
           "inside a split by its primary key or a unique NOT NULL one, where the server reads in that order "
           "as cheaply as without; else it is read again whole",
       .incremental = "with `${bizdate}` in `where` or `querySql`",
       .repeatable = true,
       .transactional = false,
       .distributable = false,
       .writers_max = 0},
      R"({"jdbcUrl": "jdbc:postgresql://db1:5432/shop", "username": "reader", "password": "${env:SHOP_PASSWORD}", "table": "orders", "column": ["id", "customer", "price * quantity"], "where": "id > 0", "splitPk": "id"})"};
  return side;
}

const side_description& writes() {
  static const side_description side = {
      postgresql::target_option_list(),
      {.splits = "",
       .resumes = "at the mark that is committed with the rows",
       .incremental = "with `writeMode` `update`, `replace` or `ignore`, or a DELETE in `preSql`",
       .repeatable = false,
       .transactional = true,
       .distributable = false,
       .writers_max = 0,
       .marks = "two tables in the database",
       .marks_named = true,
       .no_marks = "where `progressTable` is `none`",
       .whole_split_max = {.bytes = relational::whole_split_bytes_max}},
      R"({"jdbcUrl": "jdbc:postgresql://db1:5432/shop", "username": "writer", "password": "${env:SHOP_PASSWORD}", "table": "orders", "column": ["id", "customer", "price"]})"};
  return side;
}

std::string settings_text(bool reads_side) {
  std::string text;
  for (const postgresql::session_setting& s : postgresql::session_settings()) {
    if (reads_side ? s.reads : s.writes) {
      text += fmt::format("{}`{} = {}` ({}{})", text.empty() ? "" : ", ", s.name, s.value, s.why,
                          s.yields ? "; what the job says in `session` or the address counts" : "");
    }
  }
  return text;
}

std::vector<std::string> remarks_of_values_and_rights() {
  return {
      "boolean, smallint, integer, bigint, oid, real, double precision, numeric, money, text, varchar, "
      "char, name, bytea, date, time, timestamp, timestamptz, uuid, json, jsonb and enums have a form of "
      "their own. A numeric beyond 38 digits or without a precision is exact text, money a decimal. All "
      "other types (interval, timetz, arrays, ranges, inet, bit, xml, hstore, composites) travel as the "
      "server's own exact text, and into the same type arrive equal. A timetz takes no text without an "
      "offset, and strings of bits are never taken for numbers, nor numbers for them. Dates and times in "
      "arrays "
      "and ranges are taken as 2025-07-20 10:30:00, with an offset where the type has a zone; what the "
      "server "
      "would make something of (today, 01/02/2003, the session's zone) is dirty, and so is a number beyond "
      "xid.",
      "What the server would round, cut or change without a word is a dirty record: too many digits for a "
      "numeric's "
      "scale or for a timestamp's, time's or interval's precision (in arrays and ranges too), texts longer "
      "than the column though their "
      "rest is "
      "blanks, a NUL character (or `nulCharacter`). What it would change inside of a value is refused before "
      "the run: into "
      "composites, intervals without seconds, and arrays of a precision, a length, real, name, composites or "
      "domains goes only what is read as the same type; money beside a column that travels as text needs an "
      "lc_monetary with a point. A text shorter than a char(n) is filled up with blanks, which is what the "
      "type is; one that ends with a blank itself would lose it in those, and is dirty unless it has n "
      "characters or is read from a char. "
      "jsonb keeps of a key that is there twice the last one, hstore one of them, as the types do.",
      "Of a database in SQL_ASCII, which keeps any bytes, texts that are no UTF-8 are dirty, or as "
      "`invalidText` says.",
      "A timestamp beyond the year 294246 has no equal in microseconds since 1970 and is dirty, and so is "
      "NaN in a "
      "numeric of up to 38 digits.",
      "Marks and claims stand in the tables sluice_run and sluice_progress in the schema of the "
      "destination's table. "
      "Each preSql and postSql statement runs in one transaction with the record that it ran; VACUUM and the "
      "like, "
      "which cannot, run outside of it and may run twice after a crash. A connection that is lost behind the "
      "data is made again, the claim is checked there and renewed, and what it did not commit is done again; "
      "where a statement that runs outside of a transaction, as CREATE INDEX CONCURRENTLY, was cut short, "
      "the "
      "run stops and says how to go on.",
      "A statement that has stood still for 3 s is looked into over one more connection, which lasts for a "
      "moment, and again once it stands four times as long: where it waits for a lock, a line says on which "
      "table, who holds it (process, name, user) and what ends the wait. A statement of preSql that waits "
      "for "
      "what the job's own reader holds until its end (its snapshot, a lock on a table that is read) would "
      "wait "
      "for ever: CREATE INDEX CONCURRENTLY and REINDEX CONCURRENTLY in the database that is read are refused "
      "by "
      "`check`, `plan` and a run, others once they have waited for 3 s. In postSql they wait for nothing of "
      "the "
      "run's.",
      "A view that the server itself inserts into (a simple one, or with a trigger INSTEAD OF INSERT) and a "
      "foreign table whose wrapper takes rows are destinations of `insert` and `copy`, by INSERT with "
      "`batchSize` rows a statement. Columns that a view computes are left out of `*`. The rows of a foreign "
      "table, which a partition or what is under a view may be too, are committed by its own server just "
      "before "
      "the mark: a server that fails between the two leaves a transaction's rows there, which are written "
      "once "
      "more; the promise says so.",
      "A table that `createTable` makes after one of PostgreSQL has its very types (`format_type`). An enum, "
      "a domain, a composite or a type of an extension is taken where this database has one of that name, "
      "else the domain's base type or text. From MySQL and MariaDB: UUID, INET4 and INET6 as uuid and inet, "
      "CHAR(n) as character(n), MySQL's JSON as json, BIT(n) and YEAR as integers. Each type whose meaning "
      "is "
      "lost is listed with what is no longer checked. Columns that the source computes become ordinary ones "
      "with the source's values, and are listed. Collations are listed, not made.",
      "A column that the table computes itself (GENERATED ALWAYS AS … STORED) is left out of `*`: from a "
      "reader's column of the same name nothing is taken, which plan and run say, so that `*` at both ends "
      "copies between two such tables.",
      "Least rights. Reader: `GRANT CONNECT ON DATABASE shop`, `GRANT USAGE ON SCHEMA public`, `GRANT SELECT "
      "ON orders`; a snapshot and `useReadOnly` need no more. Writer: the same with `GRANT INSERT ON "
      "orders`, or "
      "on the columns that are written, in place of SELECT; for `update` also SELECT and UPDATE, for "
      "`replace` "
      "SELECT and DELETE, for `ignore` nothing more, or SELECT on the columns of `uniqueIndexColumns`. For "
      "the tables of marks `GRANT CREATE ON SCHEMA "
      "public`, or "
      "these made beforehand (`sluice ddl JOB --progress`) with `GRANT SELECT, INSERT, UPDATE, DELETE`. For "
      "`resetSequences` SELECT and UPDATE on the sequences and SELECT on their columns. `check`, `plan` and "
      "a "
      "run say before data moves which of these is missing, with the statement that grants it.",
      "A table whose row security applies to the account (it is neither the owner nor has BYPASSRLS) is not "
      "read, because a policy would give fewer rows without a word, and not written by `insert` and `copy`, "
      "because COPY does not write under policies: `check`, `plan` and a run say so before data moves. "
      "`update`, `replace` and `ignore` write under the policies; a row that one refuses ends the run.",
  };
}

std::vector<std::string> remarks() {
  std::vector<std::string> out = {
      "PostgreSQL 10 and later, through libpq. A host is TCP, `localhost` too; nothing in the environment "
      "(`PG*`, "
      "`~/.pgpass`, service files, `~/.postgresql`) has a say. Each connection calls itself `sluice JOB RUN "
      "PART` in "
      "pg_stat_activity; PART is `source`, which holds the snapshot, of a reader the table and range that it "
      "reads, `target`, which holds the claim, `writer split 3`, or `look`, which lasts for a moment. A stop "
      "or a failure cancels the statement "
      "on the server; libpq 15 sends that "
      "request without "
      "TLS.",
      fmt::format("Sessions that read, and the one that holds the snapshot: {}.", settings_text(true)),
      fmt::format(
          "Sessions that write, and the one that holds the claim and runs preSql and postSql: {}. "
          "The claim and each pipeline have a connection of their own. What a job's `session` says of "
          "these settings is overruled, with a warning, but for those that are marked.",
          settings_text(false)),
      "Rows are read by COPY in its binary form, all connections of a database under one exported snapshot; "
      "the "
      "lock on a table is let go after each split. The run holds the snapshot until its end, and the server "
      "keeps "
      "old rows for it; `\"snapshot\": \"none\"` avoids that, and "
      "`snapshotMax` limits it: its age stands in the progress line.",
      "With `useReadOnly` a hot standby is read. How far it is behind is the age of what it replayed last, "
      "and "
      "nothing where all that came is replayed and somebody sends. A query that it cancels, being in the way "
      "of "
      "what is replayed, is read again as a split; a snapshot for all connections it ends for good, so that "
      "the run stops: `hot_standby_feedback = on` there, or `\"snapshot\": \"none\"`, avoids that.",
      "`where`, `querySql` and expressions are the job's own SQL: a time without an offset that is compared "
      "with a timestamptz, and a day that is made of one, are those of the session's zone, which is the "
      "account's, the database's or the server's TimeZone, as in psql, unless `session` sets it. The plan "
      "says "
      "which one it is, and warns where it is not the run's. What is read and written does not depend on it.",
      "A table that was renamed, dropped, made anew under its name, or whose columns are of other types or "
      "others of the same names than when the run began stops the run (`source_changed`), and so does one "
      "that was emptied or written anew since (TRUNCATE, ALTER TABLE, CLUSTER, VACUUM FULL), itself, a child "
      "of it or under a view: the server would give fewer rows without a word. Of a querySql the columns "
      "alone are compared.",
      "A pooler that moves the statements of a session between the server's processes (PgBouncer with "
      "`pool_mode = transaction`) is found out before anything else is sent to it, and refused; pools of "
      "sessions are fine.",
      "Bounds of ranges, of `splitPk` too, come of a sample of about 400 of the table's pages (TABLESAMPLE "
      "SYSTEM), as far as they meet `where`, whatever the table's size; a bound compared by the database is "
      "right whatever the sample was. A splitPk that no index begins with is warned of, and so are ranges "
      "that differ more than tenfold by the server's own statistics. Ranges of a key whose order is not that "
      "of the rows cost the server more than one reading; the plan says so.",
      "Several tables or queries are read as one whose columns have room for all: of varchar, char(n), "
      "varbit, "
      "numeric, times and timestamps that differ in length or digits alone the greater counts. Other "
      "differences of types are refused; a cast in `column` settles them.",
      "A table with rules (CREATE RULE) on what the write mode does to it is refused: COPY passes rules by, "
      "and an INSERT, by which rows go where one of them was refused, obeys them. Triggers fire either way.",
      "Rows are written by COPY in its binary form, and in its text form where a column's type has no binary "
      "form "
      "here. A transaction is fast, with one COPY for many batches, until a row is refused: then what is not "
      "committed "
      "is read again and written with a savepoint for each batch, so that the refused rows alone are dirty, "
      "with "
      "PostgreSQL's SQLSTATE, words and column. After ten transactions without a refusal it is fast again.",
      "`update`, `replace` and `ignore` stage each batch in a temporary table of the session (sluice_rows), "
      "from which "
      "the server inserts it in one statement; rows that it refuses are told apart by the server itself, so "
      "that a "
      "batch full of duplicates costs a few statements. The same happens to a batch of `insert` in which a "
      "row was "
      "refused. A row of which the server warns, because a trigger or a function says RAISE WARNING, is "
      "refused "
      "like one that fails. It needs the right TEMPORARY on the database and PL/pgSQL, which are there by "
      "default; "
      "`insert` does "
      "without them, more slowly. Of a table of 1,600 columns, the most that PostgreSQL has, they write at "
      "most "
      "1,599. A record has at most 64 MiB, all its fields together: beside a value of 64 MiB there is no "
      "room for another field (`record_too_large`).",
      "Pipelines that bring the same keys lock them in the order of the key, by which rows are found, or for "
      "`insert` and `ignore` the only one that the table has (no other unique index or exclusion constraint, "
      "no trigger that sees rows first): so they do not wait for each other in a circle, which the server "
      "would end after deadlock_timeout. `insert` begins by COPY, in the source's order, and goes by the "
      "key's "
      "behind a deadlock, for 32 transactions. With several keys rows stay in the source's order, which may "
      "decide which one is written; then deadlocks are tried again, and fewer pipelines avoid them.",
      "What is written is told apart as the server tells it: `insert`, `copy` and `ignore` make new rows; of "
      "`update` a new row is one whose xmax is 0 (which takes the right SELECT on the whole table, and is "
      "not "
      "known of views and of tables in partitions: there new and updated rows are summed up); of `replace` "
      "the "
      "deleted rows are counted. PostgreSQL updates a row also where nothing changes.",
  };
  for (std::string& paragraph : remarks_of_values_and_rights()) {
    out.push_back(std::move(paragraph));
  }
  out.emplace_back(
      "The names of products that speak PostgreSQL's protocol (`hybriddb`, `adbpg`, `kingbasees`, `gaussdb`) "
      "are "
      "this plugin. What is done is decided by what the server says that it is (`version()`), not by the "
      "name: "
      "one that says PostgreSQL 10 or later, PolarDB for PostgreSQL too, gets everything. One that says "
      "Greenplum, AnalyticDB, openGauss, GaussDB, KingbaseES or anything else is read and written plainly; "
      "the "
      "plan has a line for each end with what it said and what that costs. None of this was tried on such a "
      "product itself.");
  out.emplace_back(
      "Plainly read means: by SELECT with binary results in place of COPY, each split in a transaction and a "
      "snapshot of its own, with no ranges of blocks (ctid), so that splits show the table at different "
      "moments; ranges of `splitPk` or of a unique key's first column, whose bounds lie evenly between its "
      "least and its greatest value (numbers, dates and times) or come of the first 10,000 rows (other "
      "types). A table that is emptied or written anew meanwhile is not noticed, and what locks a statement "
      "waits for is not told. The catalogue is asked in the words of PostgreSQL 9.1, settings that such a "
      "server does not take are left out and named, and dates and times of a server that does not say "
      "`integer_datetimes = on` go as text. `snapshot` `shared` and `splitMode` `ctid`, where the job "
      "itself says so, are refused.");
  out.emplace_back(
      "Plainly written means: by INSERT with `batchSize` rows a statement (and at most 65,535 values), in "
      "the "
      "transaction with the mark, as ever. Where a row is refused, the batch is sent in halves until it "
      "stands "
      "alone. `update` and `ignore` take ON CONFLICT, which is tried before anything moves; `replace` "
      "deletes "
      "the keys of a statement before it. Of `update` new and updated rows are not told apart, and a record "
      "that `ignore` leaves out counts as ignored whatever the reason. Sequences are not looked at "
      "(`resetSequences` is refused). The tables of marks and the claim are plain SQL: exactly once holds as "
      "far as the server's transactions do. Where it does not say who is connected, a claim is taken over "
      "after 60 s, and a former owner's sessions are not ended. Greenplum lets one UPDATE at a time into a "
      "table unless its global deadlock detector is on, so that several pipelines wait for each other's "
      "marks.");
  for (std::string& paragraph : relational::property_paragraphs(postgresql::url_dialect())) {
    out.push_back(std::move(paragraph));
  }
  return out;
}

result<std::unique_ptr<source>> make_source(const option_values& options, const plugin_context& context) {
  SLUICE_TRY(auto read, postgresql::read_source_options(options, context.warn, context.strict));
  return std::make_unique<postgresql::postgresql_source>(std::move(read), options, context);
}

result<std::unique_ptr<target>> make_target(const option_values& options, const plugin_context& context) {
  constexpr std::size_t name_bytes_max = 63;  // NAMEDATALEN
  SLUICE_TRY(auto read, relational::with_mark_names(
                            postgresql::read_target_options(options, context.warn), context.marks,
                            {postgresql::sql_rules(), "schema", name_bytes_max, true}));
  return std::make_unique<postgresql::postgresql_target>(std::move(read.first), options,
                                                         std::move(read.second), context);
}

result<read_back> read_back_of(const option_values& writer, const std::vector<std::string>& columns) {
  SLUICE_TRY(const auto read, postgresql::read_target_options(writer, [](const std::string&) {}));
  return relational::reading_back(columns, read.mode);
}

}  // namespace

plugin postgresql_plugin() {
  postgresql::forget_environment();
  return {.name = "postgresql",
          .aliases = {"hybriddb", "adbpg", "kingbasees", "gaussdb"},
          .datax_readers = {"postgresqlreader", "kingbaseesreader", "gaussdbreader"},
          .datax_writers = {"postgresqlwriter", "kingbaseeswriter", "gaussdbwriter", "adbpgwriter"},
          .summary = "Tables of PostgreSQL databases: exactly once as a destination.",
          .remarks = remarks(),
          .reads = &reads(),
          .writes = &writes(),
          .make_source = make_source,
          .make_target = make_target,
          .read_back_of = read_back_of,
          .test_connection = postgresql::try_connection,
          .recognise = postgresql::recognise,
          .sketch_source = postgresql::sketch_source,
          .sketch_target = postgresql::sketch_target};
}

}  // namespace sluice
