#include "plugins/mysql/mysql_plugin.h"

#include <fmt/format.h>

#include "plugins/common/relational/reading_back.h"
#include "plugins/mysql/mysql_connection.h"
#include "plugins/mysql/mysql_connection_test.h"
#include "plugins/mysql/mysql_options.h"
#include "plugins/mysql/mysql_session_sql.h"
#include "plugins/mysql/mysql_sketch.h"
#include "plugins/mysql/mysql_source.h"
#include "plugins/mysql/mysql_target.h"
#include "plugins/mysql/mysql_url.h"

namespace sluice {
namespace {

const side_description& reads() {
  static const side_description side = {
      mysql::source_option_list(),
      {.splits =
           "where several pipelines run, by ranges of `splitPk` or, with `splitMode` `auto`, of a unique "
           "key (integers, decimals, dates, times, texts, bytes); each table of several is a split at least",
       .resumes =
           "inside a split, by a unique NOT NULL key in whose order the server reads for nothing; views, "
           "aggregates and `querySql` are read again whole",
       .incremental = "with `${bizdate}` in `where` or `querySql`",
       .repeatable = true,
       .transactional = false,
       .distributable = false,
       .writers_max = 0},
      R"({"jdbcUrl": "jdbc:mysql://db.example:3306/shop", "username": "reader", "password": "${env:SHOP_PASSWORD}", "table": "orders", "column": ["id", "customer", "price * quantity"], "where": "id > 0", "splitPk": "id"})"};
  return side;
}

const side_description& writes() {
  static const side_description side = {
      mysql::target_option_list(),
      {.splits = "",
       .resumes = "at the mark that is committed with the rows",
       .incremental = "with `writeMode` `replace`, `update` or `ignore`, or a DELETE in `preSql`",
       .repeatable = false,
       .transactional = true,
       .distributable = false,
       .writers_max = 0,
       .marks = "two tables in the database",
       .marks_named = true,
       .no_marks = "where `progressTable` is `none`",
       .whole_split_max = mysql::whole_split_max},
      R"({"jdbcUrl": "jdbc:mysql://db.example:3306/shop", "username": "writer", "password": "${env:SHOP_PASSWORD}", "table": "orders", "column": ["id", "customer", "price"], "writeMode": "update"})"};
  return side;
}

/// What the page says of connections and of reading.
std::vector<std::string> remarks_of_reading() {
  return {
      "Servers from 5.5 on: MariaDB and MySQL, and such that speak their protocol. Connections are TCP, to "
      "`localhost` too; nothing in `my.cnf` and in the environment changes them. They name themselves "
      "`sluice <job> <run> <role>` in the "
      "attribute `program_name` (the roles stand below, with their settings), and what reads, writes rows "
      "or keeps marks says in a comment behind its first word, as SHOW PROCESSLIST shows it, `sluice <job> "
      "<run>` with the table and range that are read, or with `split N`, or with `claim`; the job's own SQL "
      "is left as it is. With TLS "
      "(`sslMode` of the address) it is 1.2 or later. A statement that is stopped is ended on the server by "
      "KILL QUERY over a second connection; not where that came to another server of the same name, or where "
      "the session has let go of the lock it is known by (below).",
      "These servers do not notice that the client of a statement that computes is gone. A run, `check` and "
      "`plan` therefore have a second process, `job-guard N` in `ps`, that knows which "
      "connections "
      "are open. Where the process is gone without having closed them (SIGKILL, of its process group too; no "
      "memory left; an end by a second signal), it connects once more to each server, by the same TLS, "
      "account and password as the connection had, ends them by KILL and ends itself, after 15 s at the "
      "latest. What a statement has written the server takes back first, which takes its time. Each "
      "connection is known by a lock that it holds, `GET_LOCK('sluice/…')`: a session without it is left "
      "alone. That is so where the server was started again and its number is another's, where the server "
      "has no GET_LOCK (some clusters and compatible products), and "
      "where the job itself lets go of it (RELEASE_ALL_LOCKS; a GET_LOCK of its own before MySQL 5.7.5 and "
      "MariaDB 10.0.2). What ends a whole container or control group, or the machine, ends the guard too: "
      "there a statement runs on until the server next sends.",
      "A proxy before the server shows by the number that it gives a connection (CONNECTION_ID() is "
      "another). "
      "One that moves a session's statements between connections to the server, or gives one of these to "
      "several sessions, is refused before anything happens: settings, locks and transactions would be "
      "lost. What keeps a connection for each client is ProxySQL with mysql-multiplexing false (or as it is: "
      "GET_LOCK, which is asked for before the settings, makes it keep it), MaxScale's readconnroute, MySQL "
      "Router without connection_sharing; plan and run say that it is there, and KILL is not sent over it, "
      "neither for a statement that is stopped nor by the second process, because the number may be another "
      "session's: such a statement runs until the proxy closes its connection to the server, or the server "
      "next sends. "
      "Of products that only speak the protocol (TiDB, OceanBase, …) statements that move are not looked "
      "for. None of these proxies has been tried.",
      "A server is what its version and `@@version_comment` say, whatever the job calls it. TiDB, OceanBase "
      "and PolarDB-X (DRDS) are written exactly once as far as their transactions and savepoints are as "
      "InnoDB's; LOAD DATA, shared snapshots, statements that are sent together and settings that they lack "
      "are not used. Apache Doris (SelectDB), StarRocks and AnalyticDB for MySQL are read; as destinations "
      "they are refused by plan and run, because their transactions do not take rows and marks back "
      "together: write files, and load these by their Stream Load. None of these products has been tried.",
      "Bounds of ranges come of the server's estimates (EXPLAIN, at most 36 pieces of a key), of a `splitPk` "
      "that no index begins with of some 500 rows. A `splitPk` without an index is warned of, and so are "
      "ranges that differ more than tenfold. Several ranges are read at the same moment with `snapshot` "
      "`shared` only: without it a row whose key changes meanwhile may be met twice or not at all.",
      "All sessions are in UTC: what `where`, `querySql` and expressions make of a TIMESTAMP is in UTC, not "
      "in "
      "the server's zone, and a time that it is compared with is taken for one of UTC. Where the server's "
      "zone "
      "is another, `check`, `plan` and the run warn of each such text, unless it calls CONVERT_TZ, "
      "UNIX_TIMESTAMP, FROM_UNIXTIME or UTC_TIMESTAMP. A day of Shanghai is `ts >= CONVERT_TZ('2024-07-01 "
      "00:00:00', '+08:00', '+00:00')` and the same for its end, which an index on `ts` serves; `'2024-07-01 "
      "00:00:00+08:00'` is understood by MySQL from 8.0.19 on only. DATETIME has no zone and is not "
      "concerned.",
      "Rows are read by the text protocol as they come, each split in one SELECT. FLOAT columns are read as "
      "`column * 1e0`, because the server's text of a FLOAT has six digits only.",
      "Tables and queries that are read as one (shards) may have columns that differ in length, digits, bits "
      "or character set: DECIMAL(12,2) and DECIMAL(10,4) are read as DECIMAL(14,4), INT and BIGINT as "
      "BIGINT, DATETIME and DATETIME(6) as the latter, VARCHAR and TEXT as text of any length. Others, such "
      "as INT and INT UNSIGNED, or DATETIME and TIMESTAMP, are refused.",
      "With `snapshot` `shared` the readers' connections begin START TRANSACTION WITH CONSISTENT SNAPSHOT "
      "together, "
      "before the first of them reads. At first without any lock: it is right where all have begun at one "
      "place in "
      "the binary log (MariaDB, `binlog_snapshot_position`; not on a replica or node that does not log what "
      "it "
      "replays, nor where the log leaves databases out, which takes the right BINLOG MONITOR to see; a "
      "session "
      "that turns its log off is not seen), or where the server has the same executed GTIDs "
      "before "
      "and after (MySQL with `gtid_mode` ON). After three such tries, or at once where another try would "
      "find the same, LOCK TABLES … READ of the job's tables "
      "is "
      "waited for 2 s at most, and let go of as soon as all have begun; the log says which it was. All "
      "tables of a "
      "server are never locked (FLUSH TABLES WITH READ LOCK). Where neither goes the job is refused before "
      "data "
      "moves: without the right LOCK TABLES, behind a transaction that writes for longer, and of a querySql "
      "or "
      "subquery, whose tables are not known. Until the last split is read the server keeps the old rows; an "
      "ALTER TABLE of what is read waits for the split on MySQL, for the last one on MariaDB: one in postSql "
      "is behind both, one in preSql (and TRUNCATE, OPTIMIZE, CREATE INDEX and the like) is refused, because "
      "it would wait for the run's own first batch, and where a procedure hides it ends with "
      "`lock_wait_timeout`. A connection "
      "that is lost takes the snapshot with it: the run fails, and "
      "run again "
      "it continues under a new one.",
      "With `useReadOnly` a server is read that is read-only or replays from another one. How far it is "
      "behind "
      "is what it says itself (Seconds_Behind_Master, the longest of several sources), which takes the right "
      "REPLICA MONITOR (MariaDB) or REPLICATION CLIENT (MySQL); one that does not replicate now cannot tell. "
      "A "
      "read-only server that replays from none, as Aurora's readers, counts as behind by nothing.",
      "A table that was renamed, dropped, altered in any way or emptied (TRUNCATE) after the run began stops "
      "the run (`source_changed`), as far as the server tells it: by `CREATE_TIME` of "
      "`information_schema.TABLES` (whole seconds), the columns, and the files that the rows are in. MySQL 8 "
      "tells of these to all; MariaDB, and MySQL before 8.0, takes the right PROCESS (`GRANT PROCESS ON "
      "*.*`). "
      "Without it an emptied table is noticed by its AUTO_INCREMENT, or under the shared snapshot, and the "
      "plan says so. Of views and queries the types of the columns are compared. Where what is read is as it "
      "was, the same command goes on.",
  };
}

/// Of writing and of rights.
std::vector<std::string> remarks_of_writing() {
  return {
      "A batch is written as LOAD DATA LOCAL of Sluice's own bytes where the server allows it "
      "(`local_infile`) and "
      "the mode is `insert` or `replace`; no file is ever read for it, whatever a server asks for. It stands "
      "only "
      "if the server counts as many rows as were sent and has no warning; else it is taken back to a "
      "savepoint "
      "and sent as INSERTs of several rows. There a refused row undoes only its own statement, which is cut "
      "where the server says that the row is, or where the key is that it names; only a row that was sent "
      "alone is refused. "
      "After a first duplicate, in a table whose one unique key is one whole number, a batch's keys are "
      "looked "
      "for by SELECTs of 500 at a time, and the rows that are there already go alone, in one piece with the "
      "others (not without the right SELECT on the table, nor where more than an eighth of the rows are "
      "there). A row larger than "
      "`max_allowed_packet`, which no INSERT carries, goes as a LOAD DATA of its own, under the same proof; "
      "where that may not be it is dirty. A warning is an "
      "error; INSERT IGNORE is never used. Where nearly every row is refused, and the table has one unique "
      "key "
      "and no trigger, many rows at a time are tried with an ON DUPLICATE KEY UPDATE that changes nothing "
      "and "
      "is taken back to a savepoint: if the server met a row for each, all are duplicates. Without the right "
      "UPDATE they are sent one by one, which takes longer.",
      "A key's text is compared by its column's collation, the server's default one without case and "
      "accents. "
      "With `update`, `replace` and `ignore` texts that the source tells apart are then one row; a collation "
      "of the key that does so and that the source's column does not have is warned of, and one that leaves "
      "out blanks at the end (`utf8mb4_bin`) is a note of the plan. With `insert` such a record is dirty.",
      "What is written is told apart as the server tells it: `insert` and `ignore` make new rows; of "
      "`update` "
      "new, updated and unchanged rows are known from the rows affected and the `Duplicates` of each "
      "statement; of `replace` the rows removed, where the table has exactly one unique key. A replaced row "
      "that was there just the same counts like a new one, and the two are summed up, as is all of `replace` "
      "into a table with several keys. The number of `Records` must be the number sent.",
      "A value is stored so that it reads back equal, or its record is dirty. Beyond what the server refuses "
      "these "
      "are refused before they are sent: more digits than DECIMAL, FLOAT(M,D), TIME, DATETIME and TIMESTAMP "
      "keep; "
      "NaN and infinities; a blank at the end of a CHAR; a BINARY of another length; texts that are no "
      "member of an "
      "ENUM or SET as it is spelled; two-digit years; NULL where the server would make up a number or a "
      "time.",
      "Marks and claims stand in the tables sluice_run and sluice_progress of the table's database. A "
      "claim's "
      "session is held by GET_LOCK, so that one that is gone is known at once. Tables of other engines than "
      "InnoDB "
      "are refused: they take nothing back. A connection that is lost behind the data is made again, the "
      "claim is checked there and renewed, and what it did not commit is done again: INSERT, UPDATE, DELETE "
      "and REPLACE of postSql too, which stand in one transaction with the record that they ran, so that "
      "they must write tables of InnoDB. A statement that commits by itself (ALTER, CREATE without IF NOT "
      "EXISTS, CALL) is not: the run stops and says how to go on.",
      "A statement that has stood still for 3 s is looked into over one more connection, which lasts for a "
      "moment, and again once it stands four times as long: where it waits for a lock, a line says so with "
      "what ends the wait, and who holds it as far as the server tells this account: by "
      "`METADATA_LOCK_INFO` of MariaDB where that plugin is there, by `performance_schema` of MySQL, and "
      "for rows by InnoDB's tables with the right PROCESS.",
      "A record has at most 64 MiB, all its fields together: a blob of exactly 64 MiB is dirty "
      "(`record_too_large`).",
      "A table that `createTable` makes after one of MariaDB or MySQL has its very types, with their "
      "character "
      "sets and collations where the server knows them: it is asked by preparing the statement. JSON becomes "
      "LONGTEXT between the two products, UUID CHAR(36) where there is no such type. From PostgreSQL: uuid "
      "as "
      "UUID (MariaDB from 10.7) or CHAR(36), character(n) as CHAR(n), inet, cidr and macaddr as VARCHAR; "
      "what "
      "travels as text, json too, as LONGTEXT, because MySQL writes JSON anew and MariaDB bounds its depth. "
      "Each type whose meaning is lost is listed with what is no longer checked. Columns that the source "
      "computes become ordinary ones with the source's values, and are listed.",
      "A column that the table computes itself (GENERATED ALWAYS AS) is left out of `*`: from a reader's "
      "column of the same name nothing is taken, which plan and run say, so that `*` at both ends copies "
      "between two such tables. INVISIBLE columns, a primary key that MySQL made by itself too, are left out "
      "of `*` at both ends, as SELECT * leaves them out; what is named in `column`, or found by `mapping` "
      "`name` in the destination, is read and written. Where MySQL's `sql_require_primary_key` is ON a table "
      "without a primary key is not made by `createTable`: the job is refused before data moves.",
      "Least rights. Reader: `GRANT SELECT ON shop.* TO reader@'%'`; PROCESS on *.* (MariaDB) to notice "
      "tables "
      "that are emptied meanwhile, of the writer too; for `snapshot` `shared` BINLOG MONITOR "
      "on *.* (MariaDB) and `GRANT LOCK TABLES ON shop.*` besides, the latter where others write meanwhile; "
      "for "
      "`useReadOnly` REPLICA MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) on *.*, or `\"checkSlave\": "
      "false`. Writer: `GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO writer@'%'`, which the tables of "
      "marks need in any mode, and CREATE for the first run, which makes these two, or for `createTable`; "
      "ALTER where they were made by an older version. `check`, `plan` and a run say before data moves which "
      "of "
      "these is missing, with the statement that grants it; `sluice datasource test` says what is lost "
      "without "
      "it. `ignore` is refused where the table has an UPDATE trigger, which would act on rows that are "
      "there; "
      "an account without the right TRIGGER is not told of any, which the plan says.",
  };
}

std::vector<std::string> remarks() {
  std::vector<std::string> out = remarks_of_reading();
  for (std::string& paragraph : remarks_of_writing()) {
    out.push_back(std::move(paragraph));
  }
  out.emplace_back(
      "The names of products that speak MySQL's protocol (`polardb`, `polardbx20`, `tidb`, "
      "`apsaradb_for_oceanbase`, `analyticdb_for_mysql`, and those of DataX's plugins for them) are this "
      "plugin. An address of OceanBase may have its cluster and tenant before it, as in DataX: "
      "`||_dsc_ob10_dsc_||cluster:tenant||_dsc_ob10_dsc_||jdbc:mysql://…`; the account is then "
      "`user@tenant#cluster`, unless it has an `@` itself. What is done is decided by what "
      "the "
      "server says that it is, in its version and `@@version_comment`, not by the name: MariaDB and MySQL "
      "themselves, and PolarDB for MySQL, get everything. Of one that says TiDB, OceanBase, AnalyticDB, "
      "PolarDB-X, DRDS, StarRocks or Doris there are no shared snapshots, no statements ended after a kill "
      "and no check of rights beforehand; none of these has been tried with this version. PolarDB for "
      "PostgreSQL is the stepType `postgresql`.");
  for (std::string& line : mysql::session_page_lines()) {
    out.push_back(std::move(line));
  }
  std::string types = "Types:";
  for (const mysql::type_page_row& row : mysql::type_page()) {
    types += fmt::format(" {}: {}.{}{}", row.name, row.read_as, row.remark.empty() ? "" : " ", row.remark);
  }
  out.push_back(std::move(types));
  for (std::string& paragraph : relational::property_paragraphs(mysql::url_dialect())) {
    out.push_back(std::move(paragraph));
  }
  return out;
}

/// What a job may say in place of the mode that the plugin's name stands for.
std::vector<std::string> any_mode() {
  std::vector<std::string> words;
  for (const relational::write_word& word : mysql::options_dialect().write_words) {
    words.emplace_back(word.word);
  }
  return words;
}

result<std::unique_ptr<source>> make_source(const option_values& options, const plugin_context& context) {
  SLUICE_TRY(auto read, mysql::read_source_options(options, context.warn, context.strict));
  return std::make_unique<mysql::mysql_source>(std::move(read), options, context);
}

result<std::unique_ptr<target>> make_target(const option_values& options, const plugin_context& context) {
  constexpr std::size_t name_bytes_max = 64;  // characters, to the server
  SLUICE_TRY(auto read,
             relational::with_mark_names(mysql::read_target_options(options, context.warn), context.marks,
                                         {mysql::sql_rules(), "database", name_bytes_max, false}));
  return std::make_unique<mysql::mysql_target>(std::move(read.first), options, std::move(read.second),
                                               context);
}

result<read_back> read_back_of(const option_values& writer, const std::vector<std::string>& columns) {
  SLUICE_TRY(const auto read, mysql::read_target_options(writer, [](const std::string&) {}));
  return relational::reading_back(columns, read.mode);
}

}  // namespace

plugin mysql_plugin() {
  mysql::forget_environment();
  return {
      .name = "mysql",
      .aliases = {"mariadb", "polardb", "polardbx20", "tidb", "apsaradb_for_oceanbase",
                  "analyticdb_for_mysql"},
      .named_defaults = {{"oceanbasev10writer", {{"writeMode", "update", any_mode()}}},
                         {"adbmysqlwriter", {{"writeMode", "replace", any_mode()}}}},
      .datax_readers = {"mysqlreader", "polardbreader", "tidbreader", "oceanbasev10reader"},
      .datax_writers = {"mysqlwriter", "polardbwriter", "tidbwriter", "oceanbasev10writer", "adbmysqlwriter"},
      .summary = "Tables of MariaDB and MySQL databases: exactly once as a destination.",
      .remarks = remarks(),
      .reads = &reads(),
      .writes = &writes(),
      .make_source = make_source,
      .make_target = make_target,
      .read_back_of = read_back_of,
      .test_connection = mysql::try_connection,
      .end_left = mysql::connection::end_left,
      .recognise = mysql::recognise,
      .sketch_source = mysql::sketch_source,
      .sketch_target = mysql::sketch_target};
}

}  // namespace sluice
