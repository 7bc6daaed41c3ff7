"""Accounts with the least rights that the plugins' pages name: jobs run under exactly these, and what is missing is said before data moves."""

import json
import subprocess
import unittest

from e2e.harness import PROGRAM, job
from servers import mariadb_test, postgresql_test


class OfEither:
    def say(self, command, document, *parts, code=1):
        """`check` or `plan`, which change nothing."""
        done = subprocess.run([PROGRAM, command, self.arguments(document)[2]], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stdout + done.stderr)
        return done.stdout

    def refused_before(self, document, *parts):
        """By `check` as by a run, and nothing was changed."""
        before = self.tables()
        self.say("check", document, *parts)
        self.fails(document, *parts)
        self.assertEqual(self.tables(), before)

    def says_of(self, user):
        """What `datasource test` says of the account's rights."""
        registry = self.folder / "datasources.json"
        registry.write_text(json.dumps({"version": 1, "datasources": [{"name": "shop", "type": self.step, "envType": "Prod", "connectionProperties": {
            "address": [{"host": "127.0.0.1", "port": self.server().port}], "database": "sluice", "username": user, "password": self.server().password(user)}}]}), encoding="utf-8")
        registry.chmod(0o600)
        done = subprocess.run([PROGRAM, "datasource", "test", "shop", "--datasources", str(registry), "--json"], capture_output=True, text=True, timeout=60)
        self.assertNotIn(self.server().password(user), done.stdout + done.stderr)
        return [step for step in json.loads(done.stdout)["steps"] if step["step"] == "rights"][0], done

    def copy(self, user="writer", reader="reader", **more):
        return job(self.end("Reader", "src", user=reader), self.end("Writer", "dst", user=user, **more))


class PostgreSQL(OfEither, postgresql_test.Jobs):
    step = "postgresql"
    end = staticmethod(postgresql_test.end)
    sql = staticmethod(postgresql_test.sql)

    @classmethod
    def setUpClass(cls):
        postgresql_test.setUpModule()

    def server(self):
        return postgresql_test.SERVER

    def tables(self):
        return self.sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")

    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE src (id int PRIMARY KEY, v int); INSERT INTO src VALUES (1, 1), (2, 2); CREATE TABLE dst (id int PRIMARY KEY, v int); INSERT INTO dst VALUES (2, 0); "
                 "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM reader, writer; GRANT SELECT ON src TO reader")

    def test_each_mode_runs_under_its_rights_and_names_the_one_that_is_missing(self):
        self.sql("GRANT CREATE ON SCHEMA public TO writer")
        self.refused_before(self.copy(), "steps[1].parameter.table", 'has not the right INSERT on "public"."dst"', 'GRANT INSERT ON "public"."dst" TO "writer"')
        self.sql("GRANT INSERT ON dst TO writer")
        self.assertEqual(self.succeeds(job(self.end("Reader", "src", user="reader"), self.end("Writer", "dst", user="writer"), errors=1)).summary["dirty"], 1)
        for mode, rights in (("ignore", []), ("update", ["SELECT", "UPDATE"]), ("replace", ["DELETE"])):
            with self.subTest(mode):
                for missing in range(len(rights)):
                    some = ", ".join(rights[missing:])
                    self.refused_before(self.copy(writeMode=mode), f'has not the right {some} on "public"."dst"; GRANT {some} ON "public"."dst" TO "writer"')
                    self.sql(f"GRANT {rights[missing]} ON dst TO writer")
                self.succeeds(self.copy(writeMode=mode), "--on-unfinished", "fresh")
        self.assertEqual(self.sql("SELECT * FROM dst ORDER BY 1"), "1|1\n2|2\n")

    def test_all_rights_that_a_writer_misses_are_in_one_message(self):
        self.refused_before(self.copy(writeMode="replace"), 'may not make the tables of marks in schema "public", and this user has not the right INSERT, SELECT, DELETE on "public"."dst"; GRANT CREATE',
                            'GRANT INSERT, SELECT, DELETE ON "public"."dst" TO "writer"')

    def test_the_right_that_a_reader_misses_is_named_with_its_statement(self):
        self.sql("GRANT CREATE ON SCHEMA public TO writer; GRANT INSERT ON dst TO writer; GRANT SELECT (id) ON dst TO writer")
        for reader, right in ((self.end("Reader", "src", user="writer"), 'SELECT ON "public"."src"'), (self.end("Reader", "src", ["1"], user="writer"), 'SELECT ON "public"."src"'),
                              (self.end("Reader", "dst", user="writer"), 'SELECT ("v") ON "public"."dst"')):
            self.refused_before(job(reader, self.end("Writer", "dst", user="writer")), "steps[0].parameter.table", f"has not the right {right.replace('ON', 'on')}", f'GRANT {right} TO "writer"')
        self.succeeds(job(self.end("Reader", "dst", ["id"], user="writer", where="id = 7"), self.end("Writer", "dst", ["id"], user="writer"), concurrent=1), "--on-unfinished", "fresh")

    def test_all_tables_that_shards_and_queries_may_not_read_are_in_one_message(self):
        self.sql('CREATE TABLE "T 2" (LIKE src); CREATE TABLE t3 (LIKE src); GRANT SELECT ON src TO writer; GRANT SELECT (id) ON dst TO writer; GRANT INSERT ON dst TO writer')
        grants = ['GRANT SELECT ON "public"."T 2" TO "writer"', 'GRANT SELECT ON "public"."t3" TO "writer"']
        shards = job(self.end("Reader", ["src", '"T 2"', "t3"], user="writer"), self.end("Writer", "src"))
        self.refused_before(shards, *grants)
        self.say("plan", shards, *grants)
        queries = {"WITH own AS (SELECT * FROM t3) SELECT a.id, b.v FROM src a JOIN \"T 2\" b ON a.id = b.id JOIN own c ON c.id = a.id": ('ON public."T 2" TO writer', "ON public.t3 TO writer"),
                   "SELECT id, v FROM Dst WHERE id IN (SELECT id FROM src)": ("ON public.dst TO writer",), "SELECT * FROM src, LATERAL (SELECT v FROM ONLY t3 LIMIT 1) x": ("ON public.t3 TO writer",)}
        for query, tables in queries.items():
            reader = self.end("Reader", "", user="writer", querySql=[query])
            del reader["parameter"]["table"], reader["parameter"]["column"]
            self.refused_before(job(reader, self.end("Writer", "src")), "querySql", *(f"GRANT SELECT {table}" for table in tables))
        both = self.end("Reader", "", user="writer", querySql=["SELECT v FROM t3", 'SELECT v FROM "T 2"'])
        del both["parameter"]["table"], both["parameter"]["column"]
        self.refused_before(job(both, self.end("Writer", "src", ["v"])), 'ON public."T 2" TO writer', "ON public.t3 TO writer")
        self.assertIn('to read the other 3, too: GRANT SELECT ON public."T 2", public.dst, public.t3 TO writer', self.says_of("writer")[0]["advice"])

    def test_rights_on_the_columns_that_are_written_are_enough(self):
        self.sql("GRANT CREATE ON SCHEMA public TO writer; GRANT INSERT (id) ON dst TO writer")
        columns = job(self.end("Reader", "src", ["id"], user="reader", where="id = 1"), self.end("Writer", "dst", ["id"], user="writer"))
        self.succeeds(columns)
        self.refused_before(self.copy(), "has not the right INSERT")

    def test_tables_of_marks_are_made_by_it_or_beforehand(self):
        self.sql("GRANT INSERT ON dst TO writer")
        self.refused_before(self.copy(), "may not make the tables of marks", 'GRANT CREATE ON SCHEMA "public" TO "writer"', "sluice ddl JOB --progress")
        ddl = subprocess.run([PROGRAM, "ddl", self.arguments(job(self.end("Reader", "src"), self.end("Writer", "dst")))[2], "--progress"], capture_output=True, text=True, timeout=60)
        self.assertEqual(ddl.returncode, 0, ddl.stderr)
        self.sql("SET search_path = public; " + "".join(line for line in ddl.stdout.splitlines(True) if not line.startswith("--")))
        self.refused_before(self.copy(), "has not the right SELECT, INSERT, UPDATE, DELETE on", "sluice_run", "sluice_progress")
        self.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON sluice_run, sluice_progress TO writer; DELETE FROM dst")
        self.assertEqual(self.succeeds(self.copy()).summary["written"], 2)

    def test_row_security_is_told_before_rows_meet_it(self):
        self.sql("GRANT CREATE ON SCHEMA public TO writer; GRANT SELECT, INSERT, UPDATE ON dst TO writer; ALTER TABLE dst ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON dst USING (v >= 0)")
        for mode in ("insert", "copy"):
            self.refused_before(self.copy(writeMode=mode), 'row security applies to this user on "public"."dst"', 'ALTER ROLE "writer" BYPASSRLS', '"writeMode"')
        self.succeeds(self.copy(writeMode="update"))
        self.assertEqual(self.sql("SELECT * FROM dst ORDER BY 1"), "1|1\n2|2\n")
        reads = job(self.end("Reader", "dst", user="writer"), self.end("Writer", "src"))
        self.refused_before(reads, "row-level security policy")
        self.assertIn("row security applies to this account (1 of them)", self.says_of("writer")[0]["advice"])
        self.succeeds(self.copy(user="admin", preSql=["DELETE FROM @table"]), "--on-unfinished", "fresh")

    def test_a_schema_that_is_not_there_is_told_by_check(self):
        for writer in (self.end("Writer", "nosuch.dst", createTable=True), self.end("Writer", "nosuch.dst", createTable=True, preSql=["CREATE SCHEMA nosuch"])):
            self.refused_before(job(self.end("Reader", "src"), writer), 'there is no schema "nosuch"', "CREATE SCHEMA")

    def test_a_table_to_be_made_needs_the_right_to(self):
        self.refused_before(job(self.end("Reader", "src", user="reader"), self.end("Writer", "made", user="writer", createTable=True)), 'GRANT CREATE ON SCHEMA "public" TO "writer"')

    def test_datasource_test_says_what_is_lost(self):
        self.sql("REVOKE TEMPORARY ON DATABASE sluice FROM PUBLIC")
        self.addCleanup(self.sql, "GRANT TEMPORARY ON DATABASE sluice TO PUBLIC")
        rights, done = self.says_of("reader")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("of 2 tables 1 can be read and 0 written", rights["found"])
        for part in ("as a destination: GRANT INSERT ON <table> TO reader", "for createTable: GRANT CREATE ON SCHEMA public TO reader",
                     "for writeMode update, replace and ignore: GRANT TEMPORARY ON DATABASE sluice TO reader"):
            self.assertIn(part, rights["advice"])
        self.assertNotIn("as a source", rights["advice"])
        self.assertEqual(self.says_of("admin")[0]["outcome"], "ok", self.says_of("admin")[0])


class MariaDB(OfEither, mariadb_test.Jobs):
    step = "mysql"
    end = staticmethod(mariadb_test.end)
    sql = staticmethod(mariadb_test.sql)

    @classmethod
    def setUpClass(cls):
        mariadb_test.setUpModule()

    def server(self):
        return mariadb_test.SERVER

    def tables(self):
        return self.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'sluice' ORDER BY 1")

    @property
    def is_mysql(self):
        return self.server().system == "mysql"

    def account(self, rights, database="sluice"):
        self.sql(f"DROP USER IF EXISTS least@'%'; CREATE USER least@'%' IDENTIFIED BY 'least''s pass-wörd'; GRANT {rights} ON {database}.* TO least@'%'", "mysql")
        self.addCleanup(self.sql, "DROP USER IF EXISTS least@'%'", "mysql")

    def setUp(self):
        super().setUp()
        self.sql("CREATE TABLE src (id INT PRIMARY KEY, v INT); INSERT INTO src VALUES (1, 1), (2, 2); CREATE TABLE dst LIKE src")

    def test_the_writers_rights_are_enough_and_each_is_needed(self):
        rights = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"]
        for missing in rights:
            with self.subTest(missing):
                self.account(", ".join(r for r in rights if r != missing))
                self.refused_before(self.copy("least"), f'has not the right {missing} on database "sluice"', f"GRANT {missing} ON `sluice`.* TO 'least'@'%'")
        for mode in ("insert", "update", "replace", "ignore"):
            with self.subTest(mode):
                self.account(", ".join(rights))
                self.succeeds(self.copy("least", writeMode=mode, preSql=["DELETE FROM @table"]), "--on-unfinished", "fresh")
        self.account("SELECT, INSERT, UPDATE, DELETE")  # the tables of marks are there now
        self.succeeds(self.copy("least", preSql=["DELETE FROM @table"]))

    def test_a_reader_is_told_of_the_select_that_it_misses(self):
        self.sql("DROP USER IF EXISTS least@'%'; CREATE USER least@'%' IDENTIFIED BY 'least''s pass-wörd'; GRANT SELECT (id) ON sluice.src TO least@'%'", "mysql")
        self.addCleanup(self.sql, "DROP USER IF EXISTS least@'%'", "mysql")
        self.refused_before(job(self.end("Reader", "dst", user="least"), self.end("Writer", "dst")), 'has not the right SELECT on all columns of table "sluice.dst"', "GRANT SELECT ON `sluice`.`dst` TO 'least'@'%'")
        self.refused_before(job(self.end("Reader", "src", user="least"), self.end("Writer", "dst")), 'has not the right SELECT on all columns of table "sluice.src"', "GRANT SELECT ON `sluice`.`src` TO 'least'@'%'")
        self.refused_before(job(self.end("Reader", "src", ["id", "v"], user="least"), self.end("Writer", "dst")), 'has not the right SELECT on the column "v" of table "sluice.src"')
        self.succeeds(job(self.end("Reader", "src", ["id"], user="least"), self.end("Writer", "dst", ["id"])))
        self.refused_before(job(self.end("Reader", "scr"), self.end("Writer", "dst")), 'did you mean "src"?')

    def test_all_tables_that_shards_and_queries_may_not_read_are_in_one_message(self):
        self.sql("DROP USER IF EXISTS least@'%'; CREATE USER least@'%' IDENTIFIED BY 'least''s pass-wörd'; GRANT SELECT ON sluice.src TO least@'%'; GRANT SELECT (id) ON sluice.dst TO least@'%'", "mysql")
        self.addCleanup(self.sql, "DROP USER IF EXISTS least@'%'", "mysql")
        self.sql("CREATE TABLE t2 LIKE src; CREATE TABLE t3 LIKE src")
        grants = ["GRANT SELECT ON `sluice`.`t2` TO 'least'@'%'", "GRANT SELECT ON `sluice`.`t3` TO 'least'@'%'"]
        shards = job(self.end("Reader", ["t2", "src", "t3"], user="least"), self.end("Writer", "dst"))
        self.refused_before(shards, *grants)
        self.say("plan", shards, *grants)
        queries = {"WITH own AS (SELECT * FROM t3) SELECT a.id, b.v FROM src a JOIN t2 b ON a.id = b.id JOIN own c ON c.id = a.id JOIN dst d ON d.id = a.id": grants,
                   "SELECT id, v FROM dst": ["GRANT SELECT ON `sluice`.`dst` TO 'least'@'%'"]}
        for query, missing in queries.items():
            reader = self.end("Reader", "", user="least", querySql=[query])
            del reader["parameter"]["table"], reader["parameter"]["column"]
            self.refused_before(job(reader, self.end("Writer", "src")), "querySql", *missing)

    def test_a_database_that_is_not_there_is_told_by_check(self):
        self.refused_before(job(self.end("Reader", "src"), self.end("Writer", "nosuch.dst", createTable=True)), 'there is no database "nosuch"', "CREATE DATABASE")

    def test_a_snapshot_that_will_be_refused_is_told_beforehand(self):
        shared = {"snapshot": "shared", "splitPk": "id"}

        def document(concurrent):
            return job(self.end("Reader", "src", user="least", **shared), self.end("Writer", "dst"), concurrent=concurrent)
        self.account("SELECT")
        for command in () if self.is_mysql else ("check", "plan"):  # MySQL shows its GTIDs to all
            self.say(command, document(2), "snapshot", "without the right BINLOG MONITOR", "GRANT LOCK TABLES ON `sluice`.* TO 'least'@'%'")
            self.say(command, document(1), code=0)  # one connection has a snapshot of its own
        if not self.is_mysql:
            self.sql("GRANT BINLOG MONITOR ON *.* TO least@'%'", "mysql")
        self.assertIn("where others commit while it begins it is refused: this account has not the right LOCK TABLES", self.say("plan", document(2), code=0))
        self.account("SELECT, LOCK TABLES")
        self.assertNotIn("refused", self.say("plan", document(2), code=0).replace("else the job is refused", ""))
        self.succeeds(document(2))

    def test_datasource_test_says_what_is_lost(self):
        rights, done = self.says_of("reader")
        self.assertEqual(done.returncode, 0, done)
        of_server = ["GRANT REPLICATION CLIENT ON *.*"] if self.is_mysql else ["without a lock: GRANT BINLOG MONITOR ON *.*", "(\"useReadOnly\"): GRANT REPLICA MONITOR ON *.*",
                                                                               "emptied (TRUNCATE) while it is read without a shared snapshot: GRANT PROCESS ON *.* TO 'reader'@'%'"]
        for part in ["as a destination, whose tables of marks need all four in any mode: GRANT INSERT, UPDATE, DELETE ON `sluice`.* TO 'reader'@'%'", "and for createTable: GRANT CREATE ON `sluice`.*",
                     "for tables of marks that an older version has made: GRANT ALTER ON `sluice`.*", 'for writeMode ignore, to see triggers that would act on rows that are there: GRANT TRIGGER ON',
                     'for "snapshot": "shared" while others write: GRANT LOCK TABLES ON', *of_server]:
            self.assertIn(part, rights["advice"])
        self.assertEqual(rights["outcome"], "limited")
        self.assertNotIn("as a source", rights["advice"])
        self.assertEqual(self.says_of("admin")[0]["outcome"], "ok", self.says_of("admin")[0])


if __name__ == "__main__":
    unittest.main()
