"""Servers that speak PostgreSQL's protocol and say that they are something else: a real one, for an account to which version() answers so."""

import json
import re
import subprocess
import unittest

from e2e.harness import PROGRAM, job
from servers import postgresql_test as whole
from servers import postgresql_types_test as types
from servers.fakes import Older
from servers.postgresql_test import end, sql

OTHERS = {
    "greenplum": "PostgreSQL 9.4.26 (Greenplum Database 6.25.3 build commit:367edc6b4dfd909fe38fc288ade9e294d74e3f9a) on x86_64-unknown-linux-gnu",
    "opengauss": "(openGauss 5.0.0 build a07d57c3) compiled at 2023-03-29 03:07:56 commit 0 last mr   on x86_64-unknown-linux-gnu",
    "kingbase": "KingbaseES V008R006C008B0014 on x86_64-pc-linux-gnu",
}
# Whatever of these a statement has, no plain way needs.
NEVER = re.compile(r"\bCOPY\b|pg_export_snapshot|SET TRANSACTION SNAPSHOT|\bctid\b|\bLOCK TABLE\b|TABLESAMPLE|pg_relation_filenode|sluice_rows s\b|\bDO\b '|pg_blocking_pids|"
                   "to_regclass|WITH ORDINALITY|ROWS FROM|LATERAL|SELECT FROM|FILTER \\(|row_security_active|pg_sequence\\b")


# What PostgreSQL has learnt since the catalogue that openGauss has.
SINCE_9_2 = [b"row_security", b"lock_timeout", b"idle_in_transaction_session_timeout", b"idle_session_timeout", b"client_connection_check_interval", b"attidentity",
             b"attgenerated", b"WITH ORDINALITY", b"to_regclass", b"indnkeyatts", b"LATERAL", b"FILTER (", b"pg_sequence", b"scale(", b"SELECT FROM", b"ROWS FROM",
             b"OVERRIDING", b"ON CONFLICT"]


def setUpModule():
    whole.setUpModule()
    for name, text in OTHERS.items():
        sql(f"CREATE SCHEMA {name}; CREATE FUNCTION {name}.version() RETURNS text LANGUAGE sql AS $$SELECT '{text}'$$; "
            f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{whole.SERVER.password(name).replace(chr(39), chr(39) * 2)}'; "
            f"ALTER ROLE {name} SET search_path = {name}, public, pg_catalog; ALTER ROLE {name} SET log_statement = 'all'")


def fill_with_every_type():
    """src has a column of each, dst the same and no rows. What even PostgreSQL itself refuses is left out."""
    columns, values = [], []
    for kind, texts, refused in types.TYPES:
        columns.append(f"v{len(columns)} {kind}")
        values.append([f"({t})::{kind}" for t in texts if t not in refused])
    rows = [", ".join(column[i] if i < len(column) else "NULL" for column in values) for i in range(max(map(len, values)))]
    sql(types.MADE + f"CREATE TABLE src (n int PRIMARY KEY, {', '.join(columns)}); CREATE TABLE dst (LIKE src INCLUDING ALL); "
        f"INSERT INTO src VALUES {', '.join(f'({i}, {row})' for i, row in enumerate(rows))}")


DIFFERING = "SELECT n, s::text, d::text FROM src s FULL JOIN dst d USING (n) WHERE s.*::text IS DISTINCT FROM d.*::text ORDER BY 1"


class Plain(whole.Jobs):
    def setUp(self):
        super().setUp()
        self.logged = len(whole.SERVER.log_text())

    def statements(self):
        """Those that the accounts of other products have sent since the test began."""
        return re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", whole.SERVER.log_text()[self.logged:])

    def older(self):
        version = sql("SHOW server_version").strip().encode()
        return Older(whole.SERVER.port, SINCE_9_2, [(b"server_version\0" + version, b"server_version\0009.2.4"), (b"integer_datetimes\0on", b"integer_datetimes\0no")])

    @staticmethod
    def through(server, category, table, **more):
        made = end(category, table, user="opengauss", **more)
        made["parameter"]["jdbcUrl"] = f"jdbc:opengauss://127.0.0.1:{server.port}/sluice?sslmode=disable"
        return made

    def assert_plain(self):
        sent = self.statements()
        self.assertTrue(sent)
        self.assertEqual([s for s in sent if NEVER.search(s)], [])


class Reading(Plain):
    def test_a_table_is_read_by_ranges_that_are_statements_of_their_own(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text, at timestamp); INSERT INTO src SELECT i, 'row ' || i, timestamp '2020-01-01' + i * interval '1 min' FROM generate_series(1, 60000) i; "
            "ANALYZE src; CREATE TABLE dst (LIKE src)")
        for more in ({"splitPk": "id"}, {"splitPk": "t"}, {"splitPk": "at"}, {"splitMode": "auto"}):
            with self.subTest(**more):
                sql("TRUNCATE dst")
                ended = self.succeeds(job(end("Reader", "src", user="greenplum", **more), end("Writer", "dst"), concurrent=3))
                self.assertGreater(ended.summary["splits"]["total"], 1)
                self.assertEqual(sql("SELECT (SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x), count(*) FROM dst"), "0|60000\n")
        self.assertIn("Greenplum Database 6.25.3", ended.text)
        self.assertIn("without COPY, a snapshot", ended.text)
        self.assert_plain()

    def test_ranges_leave_out_what_cannot_be_counted_with(self):
        for kind, least, most, step in (("date", "-infinity", "infinity", "date '2020-01-01' + i"), ("timestamp", "-infinity", "infinity", "timestamp '2020-01-01' + i * interval '1 h'"),
                                        ("timestamptz", "-infinity", "2021-01-01", "timestamptz '2020-01-01' + i * interval '1 h'"), ("float8", "-1.7e308", "NaN", "i / 7.0"),
                                        ("numeric", "-1e3000", "NaN", "i / 7.0"), ("date", "0001-01-01", "9999-12-31", "date '2020-01-01' + i"),
                                        ("timestamp", "0001-01-01", "9999-12-31", "timestamp '2020-01-01' + i * interval '1 h'")):
            with self.subTest(kind, least=least):
                sql(f"DROP TABLE IF EXISTS src, dst; CREATE TABLE src (k {kind}, i int); INSERT INTO src SELECT {step}, i FROM generate_series(1, 3000) i; "
                    f"INSERT INTO src VALUES ('{least}', 0), ('{most}', -1), (NULL, -2); CREATE INDEX ON src (k); CREATE TABLE dst (LIKE src)")
                ended = self.succeeds(job(end("Reader", "src", user="greenplum", splitPk="k"), end("Writer", "dst"), concurrent=2))
                self.assertGreater(ended.summary["splits"]["total"], 3)
                self.assertEqual(sql("SELECT (SELECT count(*) FROM (TABLE src EXCEPT ALL TABLE dst) x), count(*) FROM dst"), "0|3003\n")
        sql("TRUNCATE src, dst; INSERT INTO src VALUES ('infinity', 1), ('-infinity', 2)")
        self.succeeds(job(end("Reader", "src", user="greenplum", splitPk="k"), end("Writer", "dst"), concurrent=2))
        self.assertEqual(sql("SELECT count(*) FROM dst"), "2\n")
        self.assert_plain()

    def test_what_only_postgresql_has_is_refused_where_the_job_asks_for_it(self):
        sql("CREATE TABLE src (id int); CREATE TABLE dst (id int)")
        for more in ({"snapshot": "shared"}, {"splitMode": "ctid"}):
            with self.subTest(**more):
                self.fails(job(end("Reader", "src", user="opengauss", **more), end("Writer", "dst")), *more, "openGauss 5.0.0", "leave it out")

    def test_every_type_arrives_equal(self):
        fill_with_every_type()
        self.succeeds(job(end("Reader", "src", user="kingbase"), end("Writer", "dst", preSql=["DO 'BEGIN END'"])))
        self.assertEqual(sql(DIFFERING), "")
        self.assert_plain()

    def test_a_server_with_an_old_catalogue_and_few_settings_is_read_by_what_it_has(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, at timestamptz, t time(3), m money, x text, UNIQUE (x, id)); INSERT INTO src SELECT i, timestamptz '2020-01-01' + i * interval '1.000001 s', "
            "time '00:00' + i * interval '1 ms', i, 'x' FROM generate_series(1, 3000) i; ANALYZE src; CREATE TABLE dst (LIKE src)")
        with self.older() as server:
            ended = self.succeeds(job(self.through(server, "Reader", "src", splitPk="id"), end("Writer", "dst"), concurrent=2))
        self.assertEqual(sql("SELECT (SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x), count(*) FROM dst"), "0|3000\n")
        self.assertRegex(ended.text, r"it takes no lock_timeout, row_security")

    def test_a_test_of_the_data_source_says_what_it_is(self):
        sql("CREATE TABLE src (id int)")
        registry = self.folder / "datasources.json"
        registry.write_text(json.dumps({"version": 1, "datasources": [{"name": "shop", "type": "adbpg", "connectionProperties": {
            "address": [{"host": "127.0.0.1", "port": whole.SERVER.port}], "database": "sluice", "username": "greenplum", "password": whole.SERVER.password("greenplum")}}]}), encoding="utf-8")
        registry.chmod(0o600)
        done = subprocess.run([PROGRAM, "datasource", "test", "shop", "--datasources", str(registry), "--json"], capture_output=True, text=True, timeout=60)
        steps = {step["step"]: json.dumps(step) for step in json.loads(done.stdout)["steps"]}
        self.assertIn("Greenplum Database 6.25.3", steps["database"])
        self.assertIn("of 1 tables 1 can be read and 1 written", steps["rights"])
        self.assertIn("it is not PostgreSQL itself", steps["rights"])
        self.assert_plain()


class Writing(Plain):
    def test_every_type_arrives_equal_from_such_a_server_into_such_a_server(self):
        for steps in ([], ["DELETE FROM @table", "ALTER TABLE dst SET (fillfactor = 90)"]):  # as the server sends it where it can, and decoded
            with self.subTest(steps=steps):
                sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                fill_with_every_type()
                document = job(end("Reader", "src", user="kingbase"), end("Writer", "dst", user="greenplum", preSql=steps))
                plan = subprocess.run([PROGRAM, "plan", self.arguments(document)[2]], capture_output=True, text=True, timeout=60).stdout
                for words in ("KingbaseES V008R006C008B0014", "it is read by SELECT", "Greenplum Database 6.25.3", "it is written by INSERT"):
                    self.assertIn(words, plan)
                ended = self.succeeds(document)
                self.assertEqual(sql(DIFFERING), "")
                self.assertEqual(ended.summary["written"], ended.summary["read"])
        self.assert_plain()

    def test_many_rows_a_statement_and_identities_with_their_values(self):
        sql("CREATE TABLE src (id int, t text); INSERT INTO src SELECT i, 'row ' || i FROM generate_series(1, 20000) i; CREATE TABLE dst (id int GENERATED ALWAYS AS IDENTITY, t text)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", user="opengauss", batchSize=700)))
        self.assertEqual(sql("SELECT (SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x), count(*) FROM dst"), "0|20000\n")
        inserts = [s for s in self.statements() if s.startswith('INSERT INTO "public"."dst"')]
        self.assertLess(len(inserts), 20000 / 700 + 20)
        self.assertIn("$1400)", max(inserts, key=len))
        self.assertNotIn("$1401", max(inserts, key=len))
        self.assert_plain()

    def test_refused_rows_are_found_and_the_others_arrive(self):
        sql("CREATE TABLE src (id int, n int); INSERT INTO src SELECT i, CASE WHEN i % 1000 = 7 THEN -i ELSE i END FROM generate_series(1, 5000) i; INSERT INTO src VALUES (77, 1); "
            "CREATE TABLE dst (id int PRIMARY KEY, n int CONSTRAINT above CHECK (n > 0))")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", user="kingbase"), errors=10))
        self.assertEqual(ended.summary["dirty_by_code"], {"23514": 5, "23505": 1})
        self.assertEqual(sql("SELECT count(*), sum(n) FROM dst"), sql("SELECT count(*), sum(n) FROM src WHERE n > 1 OR id = 1"))
        self.assertEqual({record["column"] for record in self.dirty()}, {"n", "id"})
        self.assert_plain()

    def test_rows_are_found_by_a_key_where_on_conflict_is_known(self):
        for mode, left, ignored in (("update", "1|new|old\n2|twice|old\n3|new|\n", 0), ("ignore", "1|old|old\n2|old|old\n3|new|\n", 3), ("replace", "1|new|\n2|twice|\n3|new|\n", 0)):
            with self.subTest(mode):
                sql("DROP TABLE IF EXISTS src, dst; CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'new'), (2, 'once'), (3, 'new'), (2, 'twice'); "
                    "CREATE TABLE dst (id int PRIMARY KEY, t text, other text); INSERT INTO dst VALUES (1, 'old', 'old'), (2, 'old', 'old')")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "t"], user="greenplum", writeMode=mode)))
                self.assertEqual(sql("SELECT * FROM dst ORDER BY 1"), left)
                self.assertEqual((ended.summary["written"], ended.summary["ignored"]), (4 - ignored, ignored))
        self.assert_plain()

    def test_a_server_with_an_old_catalogue_is_written_by_what_it_has(self):
        sql("CREATE TABLE src (id int, at timestamptz, t time(3), x inet); INSERT INTO src SELECT i, timestamptz '2020-01-01' + i * interval '1.000001 s', time '00:00' + i * interval '1 ms', '10.0.0.1' "
            "FROM generate_series(1, 3000) i")
        with self.older() as server:
            self.succeeds(job(end("Reader", "src"), self.through(server, "Writer", "public.dst", createTable=True)))
            self.assertEqual(sql("SELECT (SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x), count(*) FROM dst"), "0|3000\n")
            sql("ALTER TABLE dst ADD PRIMARY KEY (id)")
            self.fails(job(end("Reader", "src"), self.through(server, "Writer", "dst", writeMode="update")), 'found "update", which takes ON CONFLICT, and the server does not')
            self.fails(job(end("Reader", "src"), self.through(server, "Writer", "dst", resetSequences=True)), "resetSequences", "openGauss 5.0.0", "setval")
            self.succeeds(job(end("Reader", "src", where="id <= 10"), self.through(server, "Writer", "dst", writeMode="replace")))
            self.assertEqual(sql("SELECT count(*) FROM dst"), "3000\n")

    def test_a_killed_run_goes_on_at_its_mark(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text); INSERT INTO src SELECT i, repeat('x', 500) FROM generate_series(1, 30000) i; ANALYZE src; CREATE TABLE dst (id int, t text)")
        document = job(end("Reader", "src", user="opengauss"), end("Writer", "dst", user="greenplum"))
        document["setting"]["speed"].update(throttle=True, mbps="4")
        self.kill_once(lambda: int(sql("SELECT count(*) FROM dst")) > 0, document)
        document["setting"]["speed"].update(throttle=False)
        ended = self.succeeds(document)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT id) FROM dst"), "30000|30000\n")
        self.assertEqual(ended.summary["written"], 30000)
        self.assert_plain()


class Adbpg(Plain):
    def test_the_keys_of_dataxs_own_writer(self):
        sql("CREATE SCHEMA IF NOT EXISTS shop; CREATE TABLE shop.dst (id int PRIMARY KEY, t text); INSERT INTO shop.dst VALUES (9, 'old'); CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'a')")
        self.addCleanup(sql, "DROP SCHEMA shop CASCADE")
        address = end("Reader", "src")["parameter"]
        reader = {"username": "admin", "password": address["password"], "column": ["id", "t"], "connection": [{"jdbcUrl": [address["jdbcUrl"]], "table": ["src"]}]}
        writer = {"username": "greenplum", "password": whole.SERVER.password("greenplum"), "host": "127.0.0.1", "port": str(whole.SERVER.port), "database": "sluice", "schema": "shop",
                  "table": "dst", "column": ["*"], "preSql": ["delete from @table"], "commitSize": 10, "writeMode": "insert"}
        document = {"job": {"setting": {"speed": {"channel": 1}}, "content": [{"reader": {"name": "postgresqlreader", "parameter": reader}, "writer": {"name": "adbpgwriter", "parameter": writer}}]}}
        self.succeeds(document)
        self.assertEqual(sql("SELECT * FROM shop.dst"), "1|a\n")
        writer["table"] = "shop.dst"
        self.fails(document, "schema", "leave one of them out")

    def test_what_dataworks_says_of_conflicts(self):
        sql("CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'new'); CREATE TABLE dst (id int PRIMARY KEY, t text); INSERT INTO dst VALUES (1, 'old')")
        for mode, dirty, left in (("report", 1, "old"), ("upsert", 0, "new")):
            with self.subTest(mode):
                document = job(end("Reader", "src"), end("Writer", "dst", user="greenplum", conflictMode=mode), errors=1)
                document["steps"][1]["stepType"] = "adbpg"
                self.assertEqual(self.succeeds(document).summary["dirty"], dirty)
                self.assertEqual(sql("SELECT t FROM dst"), left + "\n")
        self.fails(job(end("Reader", "src"), end("Writer", "dst", writeMode="ignore", conflictMode="report")), "conflictMode", "leave one of them out")


if __name__ == "__main__":
    unittest.main()
