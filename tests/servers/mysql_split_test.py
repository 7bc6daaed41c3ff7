"""How tables of MariaDB and MySQL are split by themselves (`splitMode`): the content of one split, and few reads for the plan.

MySQL is tried in the suite `full` (SLUICE_TEST_FULL)."""

import json
import os
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job
from servers.running import Running

PAGES_MAX = 1000  # which planning may read of a table, whatever its size
PAGES_OF_LOOKING = 300  # which the server reads for the catalogue, and by itself
SEQUENCE = "(SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n + 1 AS i FROM digits a, digits b, digits c, digits d, digits e, digits f WHERE f.n < %d) s"


def setUpModule():
    global SERVERS
    running = Running(["mariadb"] + (["mysql"] if "SLUICE_TEST_FULL" in os.environ else []))
    running.__enter__()
    unittest.addModuleCleanup(running.__exit__, None, None, None)
    SERVERS = running.servers


class Splits:
    system = None

    def setUp(self):
        super().setUp()
        if self.system not in SERVERS:
            self.skipTest("only in the suite full")
        self.server = SERVERS[self.system]
        self.empty()

    def empty(self):
        self.server.sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4", "mysql")
        self.sql("CREATE TABLE digits (n INT); INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")

    def sql(self, text):
        return self.server.sql(text, "sluice")

    def fill(self, columns, values, rows=100_000, table="src"):
        """`values` of the rows `i` from 1 on; the statistics are the server's own."""
        self.sql(f"CREATE TABLE {table} ({columns}); INSERT INTO {table} SELECT {values} FROM {SEQUENCE % (rows // 100_000 or 1)} WHERE i <= {rows}; ANALYZE TABLE {table}")

    def end(self, category, table, **more):
        return {"stepType": "mysql", "category": category.lower(), "name": category,
                "parameter": {"jdbcUrl": f"jdbc:mysql://127.0.0.1:{self.server.port}/sluice", "username": "admin",
                              "password": self.server.password("admin"), "table": table, "column": ["*"], **more}}

    def copy(self, table="src", concurrent=4, **more):
        more.setdefault("splitMode", "auto")
        return job(self.end("Reader", table, **more), self.end("Writer", "dst", preSql=["TRUNCATE dst"]), concurrent=concurrent)

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def planned(self, document, *more):
        argv = self.arguments(document)
        done = subprocess.run([str(PROGRAM), "plan", argv[2], "--json", *more], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def notes(self, document, table):
        return [n for n in self.planned(document)["reader"]["notes"] if n.startswith(f"sluice.{table}: ")]

    def rows_of_each(self, document, table="src"):
        """What each split of the plan has: the statements count in place of read."""
        statements = []
        for s in self.planned(document)["statements"]:
            self.assertEqual(s["splits"], 1)
            behind = s["statement"].split(f"`sluice`.`{table}`", 1)[1].split(" ORDER BY ")[0]
            statements.append(f"SELECT COUNT(*) FROM `{table}`{behind}")
        return [int(n) for n in self.sql("; ".join(statements)).split()]

    def assert_even(self, document, ranges_min, rows, times=4):
        counts = self.rows_of_each(document)
        self.assertGreaterEqual(len(counts), ranges_min, counts)
        self.assertEqual(sum(counts), rows)
        self.assertLess(max(counts), times * rows / len(counts), counts)

    # Content.

    def test_keys_of_each_type_arrive_as_in_one_split(self):
        # What splits by itself has at least 40,000 rows.
        for name, key, value in (("texts", "k VARCHAR(60) COLLATE utf8mb4_unicode_ci PRIMARY KEY", "CONCAT(CHAR(65 + i % 26), 'ä', MD5(i), '\'\'\\\\')"),
                                 ("several", "a INT, k DATE, c VARCHAR(8), PRIMARY KEY (a, k, c)", "i DIV 55000, '2024-01-01' + INTERVAL i MOD 500 DAY, i"),
                                 ("another unique key", "a INT, k INT NOT NULL, UNIQUE (k)", "NULL, i")):
            with self.subTest(name):
                self.arrives_as_in_one_split(key, value, 60_000, 2)
        for name, key, value in (("negative numbers", "k BIGINT PRIMARY KEY", "(i - 1000) * 1000003"), ("large numbers", "k BIGINT UNSIGNED PRIMARY KEY", "18446744073709551615 - i"),
                                 ("decimals", "k DECIMAL(12,3) PRIMARY KEY", "(i - 100) / 8"), ("dates", "k DATE PRIMARY KEY", "'1200-01-01' + INTERVAL i DAY"),
                                 ("times", "k DATETIME(6) PRIMARY KEY", "'1970-01-01' + INTERVAL i * 17000001 MICROSECOND"), ("bytes", "k BINARY(16) PRIMARY KEY", "UNHEX(MD5(i))"),
                                 ("umlauts", "k VARCHAR(60) COLLATE utf8mb4_bin PRIMARY KEY", "CONCAT(CASE i % 3 WHEN 0 THEN 'ö' WHEN 1 THEN 'z' ELSE '0' END, i)"),
                                 ("one byte each", "k VARCHAR(60) CHARACTER SET latin1 PRIMARY KEY", "CONCAT('äöü', i)"),
                                 ("one byte each, by the byte", "k CHAR(60) CHARACTER SET latin1 COLLATE latin1_bin PRIMARY KEY", "CONCAT(IF(i % 2, 'Ö', 'x'), i)"),
                                 ("Cyrillic", "k VARCHAR(60) CHARACTER SET koi8r PRIMARY KEY", "CONCAT(ELT(1 + i % 4, 'Москва ', 'Ялта ', 'Азов ', 'Тверь '), i)")):
            with self.subTest(name):
                self.arrives_as_in_one_split(key, value, 2_000, 4, splitPk="k")

    def arrives_as_in_one_split(self, key, value, rows, splits_min, **how):
        self.empty()
        self.fill(key + ", t TEXT", value + ", 'x'", rows)
        self.sql("DELETE FROM src WHERE MD5(k) < '2'; CREATE TABLE dst LIKE src")
        one = self.succeeds(self.copy(splitMode="none", concurrent=1)).summary
        many = self.succeeds(self.copy(**how)).summary
        self.assertEqual(one["splits"]["total"], 1)
        self.assertGreaterEqual(many["splits"]["total"], splits_min)
        self.assertEqual((many["read"], many["written"], many["sums"]), (one["read"], one["written"], one["sums"]))
        self.assertEqual(self.sql("CHECKSUM TABLE src").split()[1], self.sql("CHECKSUM TABLE dst").split()[1])

    # Evenness.

    def test_ranges_hold_about_as_many_rows_though_values_are_not_spread_evenly(self):
        for name, value in (("squares", "i * i"), ("one far away", "IF(i = 7, 2000000000000, i)"), ("two clusters", "IF(i % 2 = 0, i, 4000000000000000000 + i)")):
            with self.subTest(name):
                self.empty()
                self.fill("k BIGINT PRIMARY KEY, t TEXT", value + ", 'x'")
                self.sql("CREATE TABLE dst LIKE src")
                self.assert_even(self.copy(), 4, 100_000)

    def test_a_key_of_several_columns_is_cut_inside_of_one_value_of_its_first(self):
        self.fill("a INT, b INT, t TEXT, PRIMARY KEY (a, b)", "i DIV 95000, i, 'x'")
        self.sql("CREATE TABLE dst LIKE src")
        self.assert_even(self.copy(), 4, 100_000)
        self.assertIn("(`a` > 0 OR (`a` = 0 AND `b` >= ", str(self.planned(self.copy())["statements"]))

    def test_ranges_of_several_columns_are_found_by_the_index(self):
        self.fill("a INT, b INT, t TEXT, PRIMARY KEY (a, b)", "i DIV 95000, i, 'x'")
        self.sql("CREATE TABLE dst LIKE src")
        statement = [s["statement"] for s in self.planned(self.copy())["statements"] if "(`a` > 0 OR" in s["statement"]][0]
        explained = self.sql("EXPLAIN " + statement).split("\t")
        self.assertIn("range", explained)
        self.assertIn("8", explained, "both columns count")

    def test_partitions_are_read_whole_and_cost_the_plan_no_more(self):
        self.sql(f"CREATE TABLE src (k INT PRIMARY KEY, t TEXT) PARTITION BY HASH (k) PARTITIONS 12; INSERT INTO src SELECT i, 'x' FROM {SEQUENCE % 1}; ANALYZE TABLE src")
        self.sql("CREATE TABLE dst (k INT, t TEXT)")
        ended = self.succeeds(self.copy())
        self.assertGreater(ended.summary["splits"]["total"], 3)
        self.assertEqual(self.sql("SELECT COUNT(*), COUNT(DISTINCT k) FROM dst"), "100000\t100000\n")
        self.assert_reads_few_pages(self.copy())

    def test_tables_get_splits_by_what_they_have(self):
        self.fill("k INT PRIMARY KEY, t TEXT", "i, 'x'", table="src_1")
        self.sql("CREATE TABLE src_0 LIKE src_1; INSERT INTO src_0 VALUES (0, 'one'); CREATE TABLE dst (k INT, t TEXT)")
        ended = self.succeeds(self.copy("src_[0-1]", splitFactor=1))
        self.assertGreaterEqual(ended.summary["splits"]["total"], 4)
        self.assertEqual(self.sql("SELECT COUNT(*), COUNT(DISTINCT k), MIN(t) FROM dst"), "100001\t100001\tone\n")

    # Choice.

    def test_what_is_not_to_be_split_is_one_split_and_says_why(self):
        self.fill("k INT PRIMARY KEY, n INT, t TEXT", "i, i % 10, 'x'")
        self.sql("CREATE VIEW v AS SELECT * FROM src; CREATE TABLE few LIKE src; INSERT INTO few SELECT * FROM src LIMIT 5000; CREATE TABLE keyless AS SELECT * FROM src; "
                 "CREATE TABLE maybe (k INT UNIQUE, n INT, t TEXT) AS SELECT * FROM src; CREATE TABLE dst LIKE src; ANALYZE TABLE few, keyless, maybe")
        for table, concurrent, said in (("v", 4, "it is a view"), ("few", 4, "it is small"), ("keyless", 4, "no unique key"), ("maybe", 4, "no unique key"), ("src", 1, "split by ranges of (k)")):
            with self.subTest(table):
                document = self.copy(table, concurrent)
                self.assertEqual(len(self.planned(document)["splits"]), 1)
                self.assertIn(said, self.notes(document, table)[0])
        document = job(self.end("Reader", "src", column=["COUNT(*)", "MAX(n)", "MIN(t)"], splitMode="auto"), self.end("Writer", "dst"), concurrent=4)
        self.assertEqual(len(self.planned(document)["splits"]), 1)
        self.assertIn("the aggregate", self.notes(document, "src")[0])
        self.check_aggregates_of_its_own()
        self.sql("CREATE TABLE hours (k TIME PRIMARY KEY, n INT, t TEXT)")
        self.assertIn('column "k" of table "hours" is time, of which no ranges are made; name a column that is', self.run_job(job(self.end("Reader", "hours", splitPk="k"), self.end("Writer", "hours"))).text)

    def check_aggregates_of_its_own(self):
        if self.system != "mariadb":
            return  # MySQL has them as libraries only
        self.server.sql("DELIMITER //\nCREATE AGGREGATE FUNCTION my_count(x INT) RETURNS INT DETERMINISTIC BEGIN DECLARE n INT DEFAULT 0; "
                        "DECLARE CONTINUE HANDLER FOR NOT FOUND RETURN n; LOOP FETCH GROUP NEXT ROW; SET n = n + 1; END LOOP; END//", "sluice")
        for column in ("my_count(k)", "1 + my_count(k)"):
            document = job(self.end("Reader", "src", column=[column, "MD5(1)"], splitMode="auto"), self.end("Writer", "dst", column=["k", "t"]), concurrent=4)
            self.assertEqual(len(self.planned(document)["splits"]), 1)
            self.assertIn(f'an aggregate in "{column}, MD5(1)"', self.notes(document, "src")[0])

    def test_the_plan_says_what_moving_keys_do_and_offers_it_where_it_would_help(self):
        self.fill("k INT PRIMARY KEY, t TEXT", "i, 'x'")
        self.sql("CREATE TABLE few LIKE src; CREATE TABLE dst LIKE src")
        self.assertIn("a row whose key is changed meanwhile", self.notes(self.copy(), "src")[0])
        self.assertNotIn("a row whose key is changed meanwhile", self.notes(self.copy(snapshot="shared"), "src")[0])
        self.assertIn('"splitMode": "auto" would let several pipelines read it, by ranges of (k)', self.notes(self.copy(splitMode="none"), "src")[0])
        self.assertEqual(self.notes(self.copy("few", splitMode="none"), "few"), [])
        self.assertEqual(self.notes(self.copy("src", 1, splitMode="none"), "src"), [])  # one pipeline would read no more than it does

    def test_jobs_of_datax_are_split_unless_they_are_to_be_read_strictly(self):
        self.fill("k INT PRIMARY KEY, t TEXT", "i, 'x'")
        self.sql("CREATE TABLE dst LIKE src")
        url = f"jdbc:mysql://127.0.0.1:{self.server.port}/sluice"
        account = {"username": "admin", "password": self.server.password("admin"), "column": ["*"]}

        def document(channel):
            return {"job": {"setting": {"speed": {"channel": channel}}, "content": [{
                "reader": {"name": "mysqlreader", "parameter": {**account, "connection": [{"table": ["src"], "jdbcUrl": [url]}]}},
                "writer": {"name": "mysqlwriter", "parameter": {**account, "connection": [{"table": ["dst"], "jdbcUrl": url}]}}}]}}
        self.assertGreater(len(self.planned(document(4))["splits"]), 2)
        self.assertEqual(len(self.planned(document(1))["splits"]), 1)
        self.assertEqual(len(self.planned(document(4), "--strict")["splits"]), 1)

    # Words about splitPk.

    def words(self, **more):
        return [w for w in self.succeeds(self.copy(splitPk="n", concurrent=2, **more)).summary["warnings"] if "splitPk" in w]

    def test_a_split_pk_whose_ranges_differ_more_than_tenfold_is_named(self):
        # The last one is a column that cannot be cut.
        for value, said in (("i", 0), ("IF(i % 100 = 0, i, 7)", 1), ("IF(i > 29700, i, NULL)", 1), ("IF(i > 5, i, NULL)", 0), ("7", 1)):
            with self.subTest(value):
                self.empty()
                self.fill("k INT PRIMARY KEY, n INT, KEY (n)", "i, " + value, 30_000)
                self.sql("CREATE TABLE dst LIKE src")
                words = self.words()
                self.assertEqual(len(words), said, words)
                for word in words:
                    self.assertRegex(word, r'no values were found by which column "n" of "sluice.src" could be cut, and one split reads its [0-9]+ rows' if value == "7"
                                     else r'ranges of column "n" of "sluice.src" hold between [0-9]+ and [0-9]+ rows')
                self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), "30000\n")

    def test_zero_dates_do_not_keep_a_split_pk_in_one_piece(self):
        for kind in ("DATE", "TIMESTAMP"):
            with self.subTest(kind):
                self.empty()
                self.fill(f"id INT PRIMARY KEY, k {kind} NOT NULL, KEY (k)", "i, '2020-01-01' + INTERVAL i MOD 3000 DAY", 30_000)
                self.sql("SET sql_mode = ''; UPDATE src SET k = 0 WHERE id % 10 = 0; ANALYZE TABLE src; CREATE TABLE dst (id INT PRIMARY KEY, k DATETIME)")
                if kind == "DATE":
                    self.sql("SET sql_mode = ''; UPDATE src SET k = '2019-00-00' WHERE id % 100 = 1")
                ended = self.succeeds(self.copy(splitPk="k", zeroDate="null"))
                self.assertGreaterEqual(ended.summary["splits"]["total"], 4)
                self.assertNotIn("could be cut", ended.text)
                self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), "30000\n")

    def test_a_split_pk_without_an_index_is_named_and_cut_by_a_sample(self):
        self.fill("k INT PRIMARY KEY, n INT, u TEXT, KEY (u(10)), FULLTEXT (u)", "i, i * 7, i", 20_000)
        self.sql("CREATE TABLE dst LIKE src")
        words = self.words()
        self.assertEqual(len(words), 1, words)
        self.assertIn('no index of table "src" begins with column "n"', words[0])
        self.assert_even(self.copy(splitPk="n"), 5, 20_000, times=6)
        self.assertEqual(self.sql("SELECT COUNT(*), COUNT(DISTINCT k) FROM dst"), "20000\t20000\n")

    # Planning.

    def pages_read(self):
        return int(self.sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_read_requests'").split()[1])

    def assert_reads_few_pages(self, document):
        pages = []
        while not pages or (min(pages) >= PAGES_MAX + PAGES_OF_LOOKING and len(pages) < 3):  # the server's own threads read, too, now and then
            before = self.pages_read()
            self.planned(document)
            pages.append(self.pages_read() - before)
        self.assertLess(min(pages), PAGES_MAX + PAGES_OF_LOOKING)

    def test_it_reads_as_few_pages_of_a_large_table_as_of_a_small_one(self):
        for table, rows in (("small", 20_000), ("large", 100_000)):
            self.fill("k INT PRIMARY KEY, n INT, u INT, t VARCHAR(500), KEY (n)", "i, i % 1000, i, REPEAT('x', 500)", rows, table)
        self.sql("CREATE TABLE dst LIKE small")
        pages_of_a_scan = 100_000 * 520 // 16384
        self.assertGreater(pages_of_a_scan, 2 * (PAGES_MAX + PAGES_OF_LOOKING))
        for way in ({}, {"splitPk": "k"}, {"splitPk": "n"}, {"splitPk": "u"}, {"splitPk": "k", "where": "t = 'none'"}):
            for table in ("small", "large"):
                with self.subTest(table, **way):
                    self.assert_reads_few_pages(self.copy(table, **way))

    # Restart.

    def test_a_killed_run_goes_on_and_ranges_of_a_key_that_is_gone_are_refused(self):
        self.fill("k INT NOT NULL, t VARCHAR(200), n INT NOT NULL, PRIMARY KEY (k)", "i, REPEAT('x', 100), i", 80_000)
        self.sql("CREATE TABLE dst LIKE src")
        document = job(self.end("Reader", "src", splitMode="auto"), self.end("Writer", "dst"), concurrent=2)
        document["setting"]["speed"].update(throttle=True, mbps="4")

        def one_is_done():
            if "sluice_progress" not in self.sql("SHOW TABLES").split():
                return False
            return self.sql("SELECT COUNT(*) FROM sluice_progress WHERE done = 1") != "0\n"
        self.kill_once(one_is_done, document)
        self.sql("ALTER TABLE src DROP PRIMARY KEY, ADD PRIMARY KEY (n)")
        refused = self.run_job(document)
        self.assertEqual(refused.code, 1, refused)
        self.assertIn("a key by which the table is not split any more", refused.text)
        self.sql("ALTER TABLE src DROP PRIMARY KEY, ADD PRIMARY KEY (k)")
        document["setting"]["speed"].update(throttle=False)
        again = self.run_job(document)
        self.assertEqual((again.code, again.summary["resumed"]), (0, True), again)
        self.assertEqual(self.sql("SELECT COUNT(*), COUNT(DISTINCT k) FROM dst"), "80000\t80000\n")


class MariaDB(Splits, ProgramTest):
    system = "mariadb"


class MySQL8(Splits, ProgramTest):
    system = "mysql"


if __name__ == "__main__":
    unittest.main()
