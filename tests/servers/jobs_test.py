"""The jobs that people run every night, in both directions between PostgreSQL and MariaDB.

What arrived is compared by a sum that each server makes of its own rows; what did not stands in the dirty file, every record."""

import json
import subprocess
import time
import unittest
from pathlib import Path

from e2e.harness import job
from servers.pair import SHARDS, PairTest, in_mariadb, in_postgresql, mariadb_end, mariadb_url, postgresql_end, setUpModule
from servers.running import until

ROWS = 5000


class Side:
    """One of the servers, and what its SQL says otherwise than the other's."""

    def __init__(self, name, sql, end, stamp, series, after, digest):
        self.name, self.sql, self.end = name, sql, end
        self.stamp, self.series, self.after, self.digest = stamp, series, after, digest

    def make(self, table, key=" PRIMARY KEY", check=""):
        self.sql(f"CREATE TABLE {table} (id BIGINT{key}, t VARCHAR(40), n DECIMAL(12,3){check}, at {self.stamp}(6))")

    def fill(self, table, first=1, last=ROWS, n="i / 8.0", t="'Zoë''s \"x\" 😀 '", database="sluice"):
        """Every seventh text is NULL, and no two rows are alike."""
        self.sql(f"INSERT INTO {table} SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE CONCAT({t}, i) END, {n}, {self.after} "
                 f"FROM {self.series.format(first, last)}", database)

    def sum(self, table, where="TRUE", database="sluice"):
        """How many rows, and the sum of 32 bits of the MD5 of each as text."""
        return self.sql(f"SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM({self.digest}), 0)) FROM {table} WHERE {where}", database).strip()


POSTGRESQL = Side("PostgreSQL", in_postgresql, postgresql_end, "TIMESTAMP", "generate_series({}, {}) i",
                  "timestamp '2025-01-31 10:00:00.5' + i * interval '1.000001 s'",
                  "('x' || substr(md5(concat_ws('|', id, coalesce(t, 'NULL'), n, to_char(at, 'YYYY-MM-DD HH24:MI:SS.US'))), 1, 8))::bit(32)::bigint")
MARIADB = Side("MariaDB", in_mariadb, mariadb_end, "DATETIME", "(SELECT seq AS i FROM seq_{}_to_{}) s",
               "TIMESTAMP '2025-01-31 10:00:00.5' + INTERVAL i * 1.000001 SECOND",
               "CAST(CONV(SUBSTR(MD5(CONCAT_WS('|', id, COALESCE(t, 'NULL'), n, at)), 1, 8), 16, 10) AS DECIMAL(20))")


class Nightly(PairTest):
    def both_ways(self, test):
        for source, target in ((MARIADB, POSTGRESQL), (POSTGRESQL, MARIADB)):
            with self.subTest(f"{source.name} to {target.name}"):
                for side in (source, target):
                    side.sql("".join(f"DROP TABLE IF EXISTS {t};" for t in ("src", "dst", "sluice_run", "sluice_progress")))
                source.make("src", key="")
                test(source, target)

    def kept(self, ended):
        """The ids of the records in the dirty file, which has them whole."""
        lines = Path(ended.summary["dirty_file"]).read_text(encoding="utf-8").splitlines()
        return sorted(int(record["record"][0]["text"]) for record in map(json.loads, lines))

    def test_an_increment_by_the_day_replaces_what_was_loaded_of_it(self):
        def test(source, target):
            source.fill("src", n="20250100 + i % 5")
            target.make("dst")
            document = job(source.end("Reader", "src", where="n = ${bizdate}"),
                           target.end("Writer", "dst", preSql=["DELETE FROM @table WHERE n = ${bizdate}"]))
            for day in ("20250101", "20250102", "20250101"):
                self.assertEqual(self.succeeds(document, "-p", f"bizdate={day}").summary["written"], ROWS // 5)
            self.assertEqual(target.sum("dst"), source.sum("src", "n IN (20250101, 20250102)"))
        self.both_ways(test)

    def test_an_upsert_three_times_gives_the_same_content_and_leaves_other_rows(self):
        def test(source, target):
            for mode in ("update", "replace"):
                source.sql("DELETE FROM src")
                source.fill("src")
                target.sql("DROP TABLE IF EXISTS dst")
                target.make("dst")
                target.fill("dst", ROWS - 99, ROWS + 100, n="-1")
                others = target.sum("dst", f"id > {ROWS}")
                for _ in range(3):
                    self.succeeds(job(source.end("Reader", "src", splitPk="id"), target.end("Writer", "dst", writeMode=mode), concurrent=2),
                                  "--on-unfinished", "fresh")
                    self.assertEqual(target.sum("dst", f"id <= {ROWS}"), source.sum("src"))
                    self.assertEqual(target.sum("dst", f"id > {ROWS}"), others)
        self.both_ways(test)

    def test_of_one_bad_row_in_a_hundred_each_is_kept_and_all_others_arrive(self):
        def test(source, target):
            source.fill("src", n="CASE WHEN i % 100 = 0 THEN -1 ELSE i END")
            target.make("dst", check=" CHECK (n > 0)")
            ended = self.succeeds(job(source.end("Reader", "src"), target.end("Writer", "dst"), errors=ROWS // 100))
            self.assertEqual(target.sum("dst"), source.sum("src", "n > 0"))
            self.assertEqual(self.kept(ended), list(range(100, ROWS + 1, 100)))
            self.refused(job(source.end("Reader", "src"), target.end("Writer", "dst", preSql=["DELETE FROM @table"]), errors=ROWS // 100 - 1),
                         "the limit is 49 dirty records")
        self.both_ways(test)

    def test_duplicates_among_good_rows_cost_mariadb_and_mysql_few_statements(self):
        def inserts():
            return int(in_mariadb("SHOW GLOBAL STATUS LIKE 'Com_insert'").split()[1])

        # Of records with one key in the source the first is written; the plain number has its duplicates looked for, the text is named by the server.
        for key, each in (("INT", 3), ("VARCHAR(20)", 5)):
            with self.subTest(key):
                in_mariadb(f"DROP TABLE IF EXISTS src, dst; CREATE TABLE src (id {key}, v INT); INSERT INTO src SELECT CAST(seq AS SIGNED) - 9000, seq FROM seq_1_to_20000; "
                           "INSERT INTO src SELECT CAST(seq AS SIGNED) * 500 - 9000, -1 FROM seq_1_to_40; "
                           f"CREATE TABLE dst (id {key} PRIMARY KEY, v INT); INSERT INTO dst SELECT CAST(seq AS SIGNED) * 100 - 8950, -7 FROM seq_1_to_199")
                before = inserts()
                ended = self.succeeds(job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst"), errors=239), "--on-unfinished", "fresh")
                self.assertEqual(ended.summary["dirty_by_code"], {"ER_DUP_ENTRY": 239}, ended)
                self.assertEqual(in_mariadb("SELECT COUNT(*), SUM(v = -1), SUM(v = -7), SUM(v) FROM dst"),
                                 in_mariadb("SELECT 20000, 0, 199, SUM(IF((id + 8950) % 100 = 0 AND id > -8950, -7, v)) FROM src WHERE v > 0"))
                self.assertLess(inserts() - before, each * 239 + 60)

    def test_where_every_record_is_there_already_each_is_kept_and_nothing_changes(self):
        def test(source, target):
            source.fill("src")
            target.make("dst")
            target.fill("dst", n="-1")
            before = target.sum("dst")
            ended = self.succeeds(job(source.end("Reader", "src"), target.end("Writer", "dst"), errors=ROWS))
            self.assertEqual((ended.summary["written"], target.sum("dst")), (0, before))
            self.assertEqual(self.kept(ended), list(range(1, ROWS + 1)))
        self.both_ways(test)

    def test_thirty_tables_of_three_databases_are_one_table_with_the_same_content(self):
        POSTGRESQL.make("orders")
        counts, total = 0, 0
        for s, shard in enumerate(SHARDS):
            for i in range(10):
                first = (s * 10 + i) * 50 + 1
                in_mariadb(f"CREATE TABLE t_{i:02} (id BIGINT PRIMARY KEY, t VARCHAR(40), n DECIMAL(12,3), at DATETIME(6))", shard)
                MARIADB.fill(f"t_{i:02}", first, first + 49, t=f"'{shard}.t_{i:02} ü '", database=shard)
                count, part = map(int, MARIADB.sum(f"t_{i:02}", database=shard).split())
                counts, total = counts + count, total + part
        reader = mariadb_end("Reader", "x")
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = [{"jdbcUrl": [mariadb_url(shard)], "table": ["t_[00-09]"]} for shard in SHARDS]
        ended = self.succeeds(job(reader, postgresql_end("Writer", "orders"), concurrent=4))
        self.assertEqual(ended.summary["splits"]["total"], 30)
        self.assertEqual((POSTGRESQL.sum("orders"), counts), (f"{counts} {total}", 1500))


class Delivery(PairTest):
    """A query that no reader can begin inside of: how much of it is one transaction, and what a run promises."""

    WHOLE = 150_000

    def setUp(self):
        super().setUp()
        in_mariadb(f"CREATE TABLE src (id INT, t VARCHAR(40)); INSERT INTO src SELECT seq, CONCAT('row ', seq) FROM seq_1_to_{self.WHOLE}")

    def copy(self, writer, **setting):
        reader = mariadb_end("Reader", "src")
        reader["parameter"]["querySql"] = "SELECT id, t FROM src"
        for key in ("table", "column"):
            del reader["parameter"][key]
        return job(reader, writer, errors=1, **setting)

    def kill(self, document, ready):
        self.kill_once(ready, document, "--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1")

    def until_gone(self, state):
        until(lambda: in_mariadb(f"SELECT COUNT(*) FROM information_schema.processlist WHERE state = '{state}'") == "0\n", "the killed process's statement has ended")

    def stands(self, sql):
        return tuple(map(int, sql("SELECT CONCAT(COUNT(*), ' ', COUNT(DISTINCT id)) FROM dst").split()))

    def plan(self, document):
        done = self.sluice("plan", self.put_job(document))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_mariadb_takes_a_query_in_one_transaction_up_to_its_bound_and_in_parts_beyond(self):
        in_mariadb("CREATE TABLE dst (id INT CHECK (id <> 149000), t VARCHAR(40))")
        document = self.copy(mariadb_end("Writer", "dst"))
        planned = self.plan(document)
        self.assertRegex(planned, r"(?m)^Delivery +exactly once[^\n]*, as long as no split has more than 64 MiB or 100,000 records: each is one transaction, because the reader cannot begin inside it\. "
                                  r"One that has more, which is not known, is committed in parts beyond that and at least once: ")
        self.assertRegex(planned, r"(?m)^Transaction +a whole split of at most 64 MiB or 100,000 records")
        self.kill(document, lambda: self.stands(in_mariadb)[0] > 0)
        stood, distinct = self.stands(in_mariadb)
        self.assertEqual(stood, distinct)
        self.assertGreater(stood, 100_000, "within the bound it was one transaction")
        [run] = self.listed()
        self.assertEqual((run["state"], run["resumable"]), ("killed", True), run)
        self.assertLess(stood, self.WHOLE)
        self.refused(document, "rows stand of splits that were committed in parts", "--on-unfinished resume continues it", "--on-unfinished fresh")
        self.assertEqual(self.stands(in_mariadb), (stood, distinct))
        ended = self.succeeds(document, "--on-unfinished", "resume")
        self.assertEqual((ended.summary["written"], ended.summary["dirty"]), (self.WHOLE - 1, 1), ended)
        self.assertIn("is committed in parts from here on", ended.text)
        log = Path(ended.summary["run_folder"], "run.log").read_text()
        self.assertIn(f"{stood:,} rows of them stand and are written once more", log)
        self.assertEqual((ended.summary["written_again"], ended.summary["written_again_at_most"]), (stood, True), "a row is dirty, maybe one of these")
        self.assertEqual(self.stands(in_mariadb), (self.WHOLE - 1 + stood, self.WHOLE - 1))

    def test_exactly_once_makes_it_one_transaction_also_into_mariadb(self):
        in_mariadb("CREATE TABLE dst (id INT, t VARCHAR(40)); INSERT INTO dst VALUES (0, '')")
        document = self.copy(mariadb_end("Writer", "dst"), delivery="exactly_once")
        self.assertRegex(self.plan(document), r"(?m)^Transaction +a whole split, however large, because the reader cannot begin inside one \(the job asks for exactly_once; else at most 64 MiB or 100,000 records\)")
        # More than the bound has gone into the transaction by then, and nothing of it stands.
        in_mariadb("CREATE TRIGGER slow BEFORE INSERT ON dst FOR EACH ROW SET NEW.t = IF(NEW.id = 140000, CONCAT(NEW.t, LEFT(SLEEP(10), 0)), NEW.t)")
        self.kill_once(lambda: in_mariadb("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'") == "1\n", document)
        self.until_gone("User sleep")
        in_mariadb("DROP TRIGGER slow")
        self.assertEqual(self.stands(in_mariadb), (1, 1))
        ended = self.succeeds(document)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(self.stands(in_mariadb), (self.WHOLE + 1, self.WHOLE + 1))

    def test_into_a_key_it_is_written_once_more_unasked_and_no_row_is_there_twice(self):
        in_mariadb("CREATE TABLE dst (id INT PRIMARY KEY, t VARCHAR(40))")
        document = self.copy(mariadb_end("Writer", "dst", writeMode="update"))
        self.kill(document, lambda: self.stands(in_mariadb)[0] > 0)
        ended = self.succeeds(document)
        self.assertTrue(ended.summary["resumed"])
        self.assertIn("written once more", ended.text)
        self.assertEqual(self.stands(in_mariadb), (self.WHOLE, self.WHOLE))

    def test_postgresql_bears_it_in_one_transaction_and_in_parts_where_the_job_asks_for_less(self):
        in_postgresql("CREATE TABLE dst (id INT CHECK (id <> 149000), t VARCHAR(40))")
        document = self.copy(postgresql_end("Writer", "dst"))
        planned = self.plan(document)
        self.assertIn("as long as no split has more than 16 GiB: each is one transaction", planned)
        document["setting"]["delivery"] = "at_least_once"
        self.kill(document, lambda: self.stands(in_postgresql)[0] > 0)
        stood, distinct = self.stands(in_postgresql)
        self.assertEqual(stood, distinct)
        ended = self.succeeds(document)
        self.assertEqual((ended.summary["written"], ended.summary["dirty"], ended.summary["written_again"]), (self.WHOLE - 1, 1, stood), ended)
        self.assertEqual(self.stands(in_postgresql), (self.WHOLE - 1 + stood, self.WHOLE - 1))

    def test_a_connection_lost_behind_rows_that_stand_ends_the_run_unless_it_may_repeat(self):
        in_mariadb("CREATE TABLE dst (id INT, t VARCHAR(40))")
        document = self.copy(mariadb_end("Writer", "dst"))
        document["setting"]["speed"].update({"throttle": True, "mbps": 1})
        self.lose_once(document)
        stood, distinct = self.stands(in_mariadb)
        self.assertEqual(stood, distinct)
        self.assertGreater(stood, 100_000)

    def lose_once(self, document):
        """Ends the writer's connection once rows stand; the run fails and says so. On a busy machine one may end before."""
        for _ in range(5):
            text = self.lose(document)
            if text is not None:
                break
            in_mariadb("TRUNCATE dst")
        self.assertIsNotNone(text, "all ended before their connection was lost")
        self.assertRegex(text, r"[0-9,]+ rows of the split stand that no mark covers, so that reading it again would write them once more")
        self.assertIn("--on-unfinished resume", text)
        run = self.listed()[0]
        self.assertEqual((run["state"], run["resumable"], run["asks"]), ("failed", False, True), run)
        self.assertIn("its command asks how to go on", self.sluice("runs", "show", run["run"], "--state-dir", self.state).stdout)

    def lose(self, document):
        """What the run said whose connection was ended; nothing where it was done before."""
        running = subprocess.Popen(self.arguments(document), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=self.folder)
        try:
            until(lambda: self.stands(in_mariadb)[0] > 0 or running.poll() is not None, "rows stand")
            # Between two statements of its transaction: the reader's is one SELECT from beginning to end.
            idle = "SELECT id FROM information_schema.processlist WHERE info IS NULL AND id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx)"
            while not (found := in_mariadb(idle).split()) and running.poll() is None:
                pass
            if found:
                in_mariadb(f"KILL {found[0]}")
            text = running.communicate(timeout=60)[1]
        finally:
            running.kill()
            running.wait()
        return None if running.returncode == 0 else text

    def listed(self):
        return json.loads(self.sluice("runs", "list", "--json", "--state-dir", self.state).stdout)["runs"]


class MarksElsewhere(PairTest):
    """`setting.progressTable`, with accounts that may not make the tables."""

    def prepared(self, kind, name, port, *more):
        registry = self.write("datasources.json", json.dumps({"version": 1, "datasources": [
            {"name": name, "type": kind, "connectionProperties": {"address": [{"host": "127.0.0.1", "port": port}], "database": "sluice",
                                                                  "username": "nobody", "password": "x"}}]}))
        registry.chmod(0o600)
        printed = self.sluice("ddl", "--progress", name, "--datasources", registry, *more)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        return printed.stdout

    def test_postgresql_uses_prepared_tables_in_another_schema(self):
        in_postgresql("DROP SCHEMA IF EXISTS ops CASCADE; CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src SELECT generate_series(1, 100); CREATE TABLE dst (id INT); "
                      "GRANT SELECT ON src TO writer; GRANT INSERT ON dst TO writer")
        document = job(postgresql_end("Reader", "src", user="writer"), postgresql_end("Writer", "dst", user="writer"), progressTable="ops.Marks")
        refused = self.refused(document, 'there is no schema "ops" for the tables of marks', "CREATE SCHEMA")
        self.assertRegex(refused.text, r"job\.json:\d+:\d+ setting\.progressTable: .*there is no schema")
        # What is asked for is what is to be made there.
        path = self.write("job.json", json.dumps(document))
        printed = self.sluice("ddl", "--progress", path)
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertIn('CREATE TABLE IF NOT EXISTS "ops".marks_run', printed.stdout)
        self.assertIn('warning: ', printed.stderr)
        self.assertIn('there is no schema "ops"', printed.stderr)
        in_postgresql("CREATE SCHEMA ops; GRANT USAGE ON SCHEMA ops TO writer")
        self.refused(document, 'may not make the tables of marks in schema "ops"', '"ops".marks_run and "ops".marks_progress made beforehand', "sluice ddl JOB --progress")
        in_postgresql(self.prepared("postgresql", "shop", 1, "--progress-table", "ops.Marks"))
        self.refused(document, 'has not the right SELECT, INSERT, UPDATE, DELETE on "ops".marks_run', 'GRANT SELECT, INSERT, UPDATE, DELETE ON "ops".marks_progress TO "writer"')
        in_postgresql('GRANT SELECT, INSERT, UPDATE, DELETE ON ops.marks_run, ops.marks_progress TO writer')
        ended = self.succeeds(document)
        self.assertIn("progress and claim stand in marks_run and marks_progress in ", ended.text)
        self.assertEqual(in_postgresql("SELECT count(*) FROM dst; SELECT stage FROM ops.marks_run WHERE run <> 'guard'; "
                                       "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'sluice%'"), "100\ndone\n0\n")
        in_postgresql("ALTER TABLE ops.marks_progress DROP COLUMN cursor")
        self.refused(document, 'the table "ops".marks_progress has not the form of a table of marks: it lacks the column cursor')
        in_postgresql("DROP SCHEMA ops CASCADE")
        ended = self.succeeds(job(postgresql_end("Reader", "src", user="writer"), postgresql_end("Writer", "dst", user="writer"), progressTable="none"))
        self.assertEqual(in_postgresql("SELECT count(*) FROM dst; SELECT count(*) FROM pg_tables WHERE tablename LIKE 'sluice%'"), "200\n0\n")

    def test_mariadb_uses_prepared_tables_in_another_database(self):
        in_mariadb("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src SELECT seq FROM seq_1_to_100; CREATE TABLE dst (id INT)")
        document = job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst"), progressTable="shard_1.marks")
        in_mariadb(self.prepared("mysql", "shop", 1, "--progress-table", "shard_1.marks"))
        ended = self.succeeds(document)
        self.assertNotIn("will be made for claims", ended.text)
        self.assertIn('progress and claim stand in marks_run and marks_progress in database "shard_1"', ended.text)
        self.assertEqual(in_mariadb("SELECT count(*) FROM dst; SELECT stage FROM shard_1.marks_run WHERE run <> 'guard'; SHOW TABLES LIKE 'sluice%'"), "100\ndone\n")
        missing = job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst"), progressTable="nowhere.marks")
        self.refused(missing, "setting.progressTable", 'no database "nowhere"')
        self.succeeds(job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst"), progressTable="none"))
        self.assertEqual(in_mariadb("SELECT count(*) FROM dst; SHOW TABLES LIKE 'sluice%'"), "200\n")


if __name__ == "__main__":
    unittest.main()
