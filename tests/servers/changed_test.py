"""Tables that others change, empty, rename or drop while a run reads them: named as such, and never fewer rows or other values."""

import os
import subprocess
import threading
import time
import unittest

from e2e.harness import PROGRAM, job
from servers import mariadb_test
from servers.either import OnMariaDB, OnPostgreSQL
from servers.running import until


class OfEither:
    """A run of two tables, one after the other; the second is changed while the first is read."""

    MANY = 18000

    def begins(self, reader, during):
        document = job(reader, self.end("Writer", "dst", ["id", "t"]))
        document["setting"]["speed"].update(throttle=True, mbps="10")
        ended = []
        running = threading.Thread(target=lambda: ended.append(self.run_job(document)))
        running.start()
        self.addCleanup(running.join)
        until(lambda: self.sql(self.reading) != "0\n" or ended, "the first table is read")
        self.assertEqual(ended, [], "the run ended before anything was changed")
        for statement in during:
            self.sql(statement)
        running.join()
        return ended[0]

    def settle(self):
        """What is made of tables from now on is told from what was made of them before, whatever it is."""

    def fill(self):
        self.make("first", self.MANY)
        self.make("second", 10)
        self.sql("CREATE TABLE dst (id INT, t VARCHAR(2000))")

    def read_both(self, columns=("id", "t"), **more):
        return self.end("Reader", ["first", "second"], columns, **more)

    def changed(self, during, *parts, settles=False, **more):
        self.fill()
        if settles:
            self.settle()
        ended = self.begins(self.read_both(**more), during)
        self.assertEqual((ended.code, (ended.summary["error"] or {}).get("kind")), (1, "source_changed"), ended)
        for part in parts:
            self.assertIn(part, ended.text)
        # All that the second has was not taken as something else.
        self.assertEqual(self.sql(f"SELECT COUNT(*) FROM dst WHERE id > {self.MANY}"), "0\n")

    def test_a_table_that_is_renamed(self):
        for snapshot in ("shared", "none"):
            with self.subTest(snapshot):
                self.setUp()
                self.changed(["ALTER TABLE second RENAME TO other"], "second", snapshot=snapshot)

    def test_a_table_that_is_dropped(self):
        self.changed(["DROP TABLE second"], "second", snapshot="none")

    def test_a_column_that_is_dropped(self):
        self.changed(["ALTER TABLE second DROP COLUMN t"], "second", snapshot="none")

    def test_a_column_of_another_type(self):
        self.changed(self.other_type, "second", "was altered" if self.product == "mysql" else "of other types", snapshot="none")

    def test_columns_that_exchange_their_names(self):
        self.fill()
        self.sql("ALTER TABLE second ADD COLUMN u VARCHAR(2000)")
        ended = self.begins(self.read_both(snapshot="none"), self.exchange)
        self.assertEqual((ended.code, (ended.summary["error"] or {}).get("kind")), (1, "source_changed"), ended)
        self.assertEqual(self.sql(f"SELECT COUNT(*) FROM dst WHERE id > {self.MANY}"), "0\n")

    def test_a_column_that_is_made_anew_under_its_name(self):
        self.changed(["ALTER TABLE second DROP COLUMN t", "ALTER TABLE second ADD COLUMN t VARCHAR(2000)"], "second", settles=True, snapshot="none")

    def test_a_table_that_is_emptied(self):
        for snapshot in ("shared", "none"):
            with self.subTest(snapshot):
                self.setUp()
                self.changed(["TRUNCATE TABLE second"], "second", snapshot=snapshot)

    one_column_more = ["ALTER TABLE second ADD COLUMN more INT"]


class PostgreSQL(OfEither, OnPostgreSQL):
    product = "postgresql"
    # By the name that the connection gives itself for the split.
    reading = "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^sluice .* first$' AND query ~ '^COPY'"
    other_type = ["ALTER TABLE second ALTER id TYPE bigint"]
    exchange = ["ALTER TABLE second RENAME COLUMN t TO z; ALTER TABLE second RENAME COLUMN u TO t; ALTER TABLE second RENAME COLUMN z TO u"]

    def test_a_column_more_changes_nothing_of_what_is_read(self):
        self.fill()
        ended = self.begins(self.read_both(["*"], snapshot="none"), self.one_column_more)
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), f"{self.MANY + 10}\n")

    def test_a_table_that_is_written_anew_while_a_split_waits_for_it(self):
        self.changed(["ALTER TABLE second ADD COLUMN u uuid DEFAULT gen_random_uuid()"], "written anew", snapshot="none")

    def make(self, name, rows):
        first = 0 if name == "first" else self.MANY
        self.sql(f"CREATE TABLE {name} (id int PRIMARY KEY, t varchar(2000)); ALTER TABLE {name} ALTER t SET STORAGE PLAIN; "
                 f"INSERT INTO {name} SELECT {first} + i, repeat('x', 1000) FROM generate_series(1, {rows}) i; ANALYZE {name}")

    def test_a_table_that_is_written_anew_or_is_another_one_of_the_same_name(self):
        for during, words in ((["ALTER TABLE second ALTER id TYPE bigint", "ALTER TABLE second ALTER id TYPE int"], "written anew"),
                              (["ALTER TABLE second RENAME TO old; CREATE TABLE second AS TABLE old LIMIT 3"], "another table is called"),
                              (["CREATE TABLE part (CHECK (id > 0)) INHERITS (second); INSERT INTO part VALUES (9999999, 'x')", "TRUNCATE ONLY second"], "emptied")):
            with self.subTest(words):
                self.setUp()
                self.changed(during, "second", words)

    def test_a_table_under_a_view_that_is_emptied(self):
        self.fill()
        self.sql("ALTER TABLE second RENAME TO base; CREATE VIEW inner_view AS SELECT * FROM base; CREATE VIEW second AS SELECT id, t FROM inner_view")
        ended = self.begins(self.read_both(), ["TRUNCATE base"])
        self.assertEqual((ended.code, ended.summary["error"]["kind"]), (1, "source_changed"), ended)

    def test_rows_that_others_write_and_clean_up_are_no_change(self):
        self.fill()
        self.sql("CREATE TABLE part (PRIMARY KEY (id)) INHERITS (second); INSERT INTO part SELECT id + 100, t FROM ONLY second")
        ended = self.begins(self.read_both(), ["DELETE FROM second WHERE id % 2 = 0", "VACUUM second", "ANALYZE second", "CREATE INDEX ON second (t)"])
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), f"{self.MANY + 20}\n")


class MariaDB(OfEither, OnMariaDB):
    product = "mysql"
    reading = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT /* sluice % sluice.first */%'"
    other_type = ["ALTER TABLE second MODIFY id BIGINT"]
    exchange = ["ALTER TABLE second CHANGE t u VARCHAR(2000), CHANGE u t VARCHAR(2000)"]
    @property
    def tells_all(self):
        return mariadb_test.SERVER.system == "mysql"  # MySQL 8 tells each account of a table's files

    def settle(self):
        time.sleep(1.1)  # the server says in whole seconds when a table was altered

    def test_a_table_that_is_altered_in_any_way(self):
        # The server does not say which of its columns a column is.
        self.changed(self.one_column_more, "was altered", "goes on", snapshot="none")

    def test_emptied_tables_of_any_name_are_told_by_their_files(self):
        for name, more in (("a-b$ ä日.", ""), ("Zwei", " PARTITION BY HASH (id) PARTITIONS 3")):
            with self.subTest(name):
                self.setUp()
                self.make("first", self.MANY)
                self.make("second", 10)
                self.sql(f"CREATE TABLE `{name}` (id INT PRIMARY KEY, t VARCHAR(2000)){more}; INSERT INTO `{name}` SELECT * FROM second; CREATE TABLE dst (id INT, t VARCHAR(2000))")
                ended = self.begins(self.end("Reader", ["first", f"`{name}`"], ["id", "t"]), [f"TRUNCATE TABLE `{name}`"])
                self.assertEqual((ended.code, ended.summary["error"]["kind"]), (1, "source_changed"), ended)
                self.assertIn(f"the table sluice.{name} was emptied or written anew", ended.text)

    def test_what_an_account_is_told_of_an_emptied_table(self):
        self.sql("GRANT SELECT ON sluice.* TO reader@'%'", "mysql")
        self.fill()
        self.assertEqual(self.tells_all, "without the right PROCESS (GRANT PROCESS ON *.* TO 'reader'@'%')" not in self.plan(self.read_both(user="reader")))
        for number in (False, True):
            with self.subTest(number):
                self.setUp()
                self.fill()
                if number:
                    self.sql("ALTER TABLE second MODIFY id INT AUTO_INCREMENT")
                ended = self.begins(self.read_both(user="reader"), ["TRUNCATE TABLE second"])
                noticed = number or self.tells_all
                self.assertEqual((ended.code, (ended.summary["error"] or {}).get("kind")), (1, "source_changed") if noticed else (0, None), ended)
        self.assertNotIn("TRUNCATE", self.plan(self.read_both(user="admin")))

    def plan(self, reader):
        path = self.arguments(job(reader, self.end("Writer", "dst", ["id", "t"])))[2]
        return subprocess.run([PROGRAM, "plan", path], capture_output=True, text=True, timeout=60, check=True).stdout

    def make(self, name, rows):
        first = 0 if name == "first" else self.MANY
        self.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, t VARCHAR(2000)); INSERT INTO {name} SELECT {first} + seq, REPEAT('x', 1000) FROM seq_1_to_{rows}")


if __name__ == "__main__":
    unittest.main()
