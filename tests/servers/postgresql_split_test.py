"""How tables of PostgreSQL are split by themselves (`splitMode`): the content of one split, and few pages read for the plan."""

import json
import subprocess
import unittest

from e2e.harness import PROGRAM, job
from servers import postgresql_test as whole
from servers.postgresql_test import end, sql

PAGES_MAX = 1000  # which planning may read of a table, whatever its size
SPARSE = "WITH (fillfactor = 10, autovacuum_enabled = off)"  # six rows of 100 bytes a page: worth some splits


def setUpModule():
    whole.setUpModule()


def pages_read(table):
    """Pages and index entries that the server has read of a table since it was asked the last time."""
    told = sql("SELECT pg_stat_clear_snapshot(); SELECT heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0) "
               f"FROM pg_statio_user_tables WHERE relid = '{table}'::regclass; SELECT pg_stat_reset_single_table_counters('{table}'::regclass); "
               "SELECT pg_stat_reset_single_table_counters(indexrelid) FROM pg_index "
               f"WHERE indrelid = '{table}'::regclass")
    return int(told.split()[0])


class Splits(whole.Jobs):
    def planned(self, document, *more):
        argv = self.arguments(document)
        done = subprocess.run([str(PROGRAM), "plan", argv[2], "--json", *more], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def notes(self, document, table):
        return [n for n in self.planned(document)["reader"]["notes"] if n.startswith(f"{table}: ")]

    def copy(self, table="src", concurrent=4, **more):
        more.setdefault("splitMode", "auto")
        return job(end("Reader", table, **more), end("Writer", "dst", preSql=["TRUNCATE dst"]), concurrent=concurrent)

    def assert_copies_alike(self, table="src", ways=({},), splits_min=4):
        """Split in each of these ways the table arrives as in one split: rows, account and sums."""
        sql(f"DROP TABLE IF EXISTS dst; CREATE TABLE dst (LIKE {table})")
        one = self.succeeds(self.copy(table, splitMode="none")).summary
        self.assertEqual(one["splits"]["total"], 1)
        for way in ways:
            with self.subTest(table, **way):
                many = self.succeeds(self.copy(table, **way)).summary
                self.assertGreaterEqual(many["splits"]["total"], splits_min)
                self.assertEqual((many["read"], many["written"], many["sums"]), (one["read"], one["written"], one["sums"]))
                self.assertEqual(sql(f"SELECT count(*) FROM ((TABLE {table} EXCEPT ALL TABLE dst) UNION ALL (TABLE dst EXCEPT ALL TABLE {table})) x"), "0\n")


class Content(Splits):
    def test_keys_of_each_type_with_dead_rows_between(self):
        for name, kind, key in (("negative", "bigint", "(i - 4500) * 1000003::bigint"), ("odd", 'text COLLATE "en-x-icu"', "chr(65 + i % 60) || 'ä' || md5(i::text)"),
                                ("binary", 'text COLLATE "C"', "CASE WHEN i % 2 = 0 THEN 'Z' ELSE 'a' END || i || chr(39) || chr(92) || 'x'"),
                                ("ids", "uuid", "md5(i::text)::uuid"), ("days", "date", "'2000-01-01'::date + i * 3 - 100000"),
                                ("instants", "timestamptz", "'-infinity'::timestamptz"), ("exact", "numeric", "(i - 100) / 7.0"), ("bytes", "bytea", "decode(md5(i::text), 'hex')")):
            with self.subTest(name):
                self.setUp()
                if name == "instants":
                    key = "CASE i WHEN 1 THEN '-infinity'::timestamptz WHEN 2 THEN 'infinity' ELSE '0044-03-15 12:00+00 BC'::timestamptz + i * interval '17 hours 1 microsecond' END"
                sql(f"CREATE TABLE src (k {kind} PRIMARY KEY, n int, t text) {SPARSE}; "
                    f"INSERT INTO src SELECT {key}, i, repeat('x', 100) FROM generate_series(1, 9000) i; "
                    "DELETE FROM src WHERE n % 3 = 0; UPDATE src SET t = 'new' WHERE n % 7 = 0; ANALYZE src")
                self.assert_copies_alike(ways=({}, {"splitMode": "ctid"}) if name == "negative" else ({},), splits_min=3)

    def test_a_key_of_several_columns_is_cut_inside_of_its_first_one(self):
        sql("CREATE TABLE src (shop int, day date, line bigint, t text, PRIMARY KEY (shop, day, line)); "
            "INSERT INTO src SELECT i / 90000, '2024-01-01'::date + i / 3000, i, repeat('x', 80) FROM generate_series(1, 100000) i; ANALYZE src")
        self.assert_copies_alike()
        statements = [s["statement"] for s in self.planned(self.copy())["statements"]]
        self.assertTrue(any('("shop", "day", "line") >= (\'0\'::bigint, ' in s for s in statements), statements)
        # For people what differs in its bounds alone is shown once.
        argv = self.arguments(self.copy())
        told = subprocess.run([str(PROGRAM), "plan", argv[2]], capture_output=True, text=True, cwd=self.folder).stdout
        self.assertLess(told.count("Statement "), min(4, len(statements)), told)
        self.assertRegex(told, r"Statement +of \d+ splits, each with its bounds, such as ")

    def test_a_table_without_a_key_and_one_with_a_key_that_may_be_null(self):
        sql(f"CREATE TABLE src {SPARSE} AS SELECT CASE WHEN i % 4 > 0 THEN i END AS k, repeat('x', 100) AS t FROM generate_series(1, 20000) i; "
            "CREATE UNIQUE INDEX ON src (k); ANALYZE src")
        self.assert_copies_alike()
        self.assertIn("split by its blocks (ctid)", self.notes(self.copy(), "src")[0])
        self.assertIn("where \"ctid\" < '", "".join(s["statement"] for s in self.planned(self.copy())["statements"]).replace("WHERE ctid", 'where "ctid"'))

    def test_partitions_of_different_sizes_by_blocks_of_all_and_by_their_common_key(self):
        for key in ("", ", PRIMARY KEY (k, day)"):
            with self.subTest(key):
                self.setUp()
                sql(f"CREATE TABLE src (k int, day date, t text{key}) PARTITION BY RANGE (day); "
                    f"CREATE TABLE p1 PARTITION OF src FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') {SPARSE}; CREATE TABLE p2 PARTITION OF src FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') PARTITION BY LIST (k); "
                    f"CREATE TABLE p2_0 PARTITION OF p2 FOR VALUES IN (0); CREATE TABLE p2_1 PARTITION OF p2 DEFAULT {SPARSE}; "
                    "INSERT INTO src SELECT i, CASE WHEN i % 9 = 0 THEN '2024-01-05' ELSE '2024-02-05' END::date, repeat('x', 100) FROM generate_series(1, 20000) i; ANALYZE src")
                self.assert_copies_alike()

    def test_children_by_inheritance_are_read_with_their_parent(self):
        sql(f"CREATE TABLE src (k int PRIMARY KEY, t text) {SPARSE}; CREATE TABLE child (t2 int) INHERITS (src) {SPARSE}; INSERT INTO src SELECT i, repeat('x', 100) FROM generate_series(1, 9000) i; "
            "INSERT INTO child SELECT i, repeat('y', 100) FROM generate_series(1, 9000) i; ANALYZE src; ANALYZE child")
        self.assert_copies_alike()

    def test_several_tables_get_splits_by_what_they_have(self):
        sql(f"CREATE TABLE src_0 (k int PRIMARY KEY, t text); CREATE TABLE src_1 (k int, t text) {SPARSE}; CREATE TABLE src_2 (k int PRIMARY KEY, t text) {SPARSE}; INSERT INTO src_0 VALUES (1, 'one'); "
            "INSERT INTO src_1 SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i; INSERT INTO src_2 SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i; "
            "ANALYZE; CREATE TABLE dst (LIKE src_0)")
        ended = self.succeeds(self.copy("src_[0-2]", splitFactor=1))
        self.assertEqual(ended.summary["splits"]["total"], 5)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT k), min(t) FROM dst"), "40001|20000|one\n")

    def test_a_condition_decides_where_the_bounds_are(self):
        sql(f"CREATE TABLE src (k int PRIMARY KEY, t text) {SPARSE}; INSERT INTO src SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i; ANALYZE src; CREATE TABLE dst (LIKE src)")
        document = self.copy(where="k > 14000 OR k = 3 -- the rest is known", splitFactor=2)
        ended = self.succeeds(document)
        self.assertEqual(sql("SELECT count(*), min(k) FROM dst"), "6001|3\n")
        firsts = [int(s["label"].split(" from ")[1].split()[0]) for s in self.planned(document)["splits"] if " from " in s["label"]]
        self.assertGreater(min(firsts), 14000)
        self.assertGreater(ended.summary["splits"]["total"], 2)


class Choice(Splits):
    def fill(self, rows=20000, key="PRIMARY KEY"):
        sql(f"CREATE TABLE src (k int {key}, n int, t text) {SPARSE}; INSERT INTO src SELECT i, i % 10, repeat('x', 100) FROM generate_series(1, {rows}) i; ANALYZE src; CREATE TABLE dst (LIKE src)")

    def test_what_joins_rows_is_one_split(self):
        self.fill()
        sql("DROP TABLE dst; CREATE TABLE dst (n bigint)")
        sql("CREATE AGGREGATE my_agg(int) (sfunc = int4pl, stype = int, initcond = '0')")
        for column in ("count(*)", "sum(n) OVER ()", "count(DISTINCT n)", "max(n) FILTER (WHERE n < 5)", "my_agg(n)", "1 + my_agg(n)", "(SELECT max(src.n))"):
            with self.subTest(column):
                document = job(end("Reader", "src", [column], splitMode="auto"), end("Writer", "dst"), concurrent=4)
                self.assertEqual(len(self.planned(document)["splits"]), 1)
                self.assertIn("joins rows", self.notes(document, "src")[0])
        self.assertIn("each split gives rows of its own", self.run_job(job(end("Reader", "src", ["my_agg(n)"], splitPk="k"), end("Writer", "dst"), concurrent=4)).text)
        split = job(end("Reader", "src", ["abs(n)"], splitMode="auto"), end("Writer", "dst"), concurrent=4)
        self.assertGreater(len(self.planned(split)["splits"]), 1)

    def test_views_small_tables_and_one_pipeline_are_one_split(self):
        self.fill()
        sql("CREATE VIEW v AS TABLE src; CREATE TABLE few (LIKE src INCLUDING ALL); INSERT INTO few SELECT * FROM src LIMIT 5000; ANALYZE few")
        for table, concurrent, said in (("v", 4, "it is a view"), ("few", 4, "it is small"), ("src", 1, "split by ranges of (k)")):
            with self.subTest(table):
                document = self.copy(table, concurrent)
                self.assertEqual(len(self.planned(document)["splits"]), 1)
                self.assertIn(said, self.notes(document, table)[0])

    def test_the_best_key_is_taken_and_one_that_does_not_hold_for_all_rows_is_not(self):
        for index, said in (("ALTER TABLE src ADD PRIMARY KEY (k)", "ranges of (k)"), ("CREATE UNIQUE INDEX ON src (k)", "ranges of (k)"), ("CREATE UNIQUE INDEX ON src (k) WHERE k < 10", "ctid"),
                            ("CREATE UNIQUE INDEX ON src (abs(k))", "ctid"), ("CREATE INDEX ON src (k)", "ctid"), ("ALTER TABLE src ADD UNIQUE (k) DEFERRABLE", "ctid"),
                            ("ALTER TABLE src ALTER t SET NOT NULL; CREATE UNIQUE INDEX ON src (n, t, k); ALTER TABLE src ALTER k DROP NOT NULL", "ctid")):
            with self.subTest(index):
                self.setUp()
                self.fill(key="NOT NULL")
                sql(index)
                self.assertIn(said, self.notes(self.copy(), "src")[0])

    def test_blocks_need_the_shared_snapshot_and_ordinary_tables(self):
        self.fill(key="")
        self.assertEqual(len(self.planned(self.copy(snapshot="none"))["splits"]), 1)
        self.assertIn('blocks (ctid) need "snapshot": "shared"', self.notes(self.copy(snapshot="none"), "src")[0])
        self.fails(self.copy(snapshot="none", splitMode="ctid"), "splitMode", "one snapshot only", code=2)

    def test_rows_in_another_order_than_the_keys_get_a_range_for_each_pipeline_and_a_word(self):
        sql("CREATE TABLE src (k uuid PRIMARY KEY, t text); INSERT INTO src SELECT md5(i::text)::uuid, repeat('x', 100) FROM generate_series(1, 200000) i; ANALYZE src; CREATE TABLE dst (LIKE src)")
        self.assertEqual(len(self.planned(self.copy())["splits"]), 4)
        self.assertIn("another order", self.notes(self.copy(), "src")[0])
        self.assertGreater(len(self.planned(self.copy(splitMode="ctid"))["splits"]), 4)

    def test_small_rows_in_the_order_of_their_key_get_all_ranges(self):
        sql("CREATE TABLE src (k int PRIMARY KEY, t text); INSERT INTO src SELECT i, 'x' FROM generate_series(1, 500000) i; ANALYZE src; CREATE TABLE dst (LIKE src)")
        self.assertGreater(len(self.planned(self.copy())["splits"]), 8)
        self.assertNotIn("another order", self.notes(self.copy(), "src")[0])

    def test_a_table_whose_rows_lie_in_the_order_of_its_key_is_read_in_it_and_another_by_its_scan(self):
        rows = "SELECT i / 4 AS a, i % 4 AS b, repeat('x', 60) AS t FROM generate_series(1, 200000) i"
        sql(f"CREATE TABLE src AS {rows}; CREATE TABLE shuffled AS {rows} ORDER BY md5(i::text); CREATE TABLE dst (LIKE src)")
        for table in ("src", "shuffled"):
            sql(f"ALTER TABLE {table} ADD PRIMARY KEY (a, b); ANALYZE {table}")
        whole_again = "a split is committed whole and cannot resume inside."

        def read(table, **more):
            planned = self.planned(self.copy(table, **more))
            return "ORDER BY" in json.dumps(planned), whole_again in json.dumps(planned)
        self.assertEqual(read("src", concurrent=1), (True, False))
        self.assertGreater(len(self.planned(self.copy())["splits"]), 8, "ranges of such a key are not dear")
        self.assertEqual(read("shuffled", concurrent=1), (False, True))

    def test_a_table_with_foreign_parts_is_one_split(self):
        empty = self.write("empty.csv", "")
        sql("CREATE EXTENSION IF NOT EXISTS file_fdw; DROP SERVER IF EXISTS files CASCADE; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE TABLE src (k int, t text) PARTITION BY RANGE (k); "
            f"CREATE TABLE p1 PARTITION OF src FOR VALUES FROM (0) TO (30000) {SPARSE}; INSERT INTO src SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i; CREATE TABLE dst (LIKE src); "
            f"CREATE FOREIGN TABLE p2 PARTITION OF src FOR VALUES FROM (30000) TO (40000) SERVER files OPTIONS (filename '{empty}', format 'csv'); ANALYZE p1")
        self.assertIn("need PostgreSQL 14 and ordinary tables", self.notes(self.copy(), "src")[0])
        ended = self.succeeds(self.copy(splitPk="k"))
        self.assertEqual(ended.summary["splits"]["total"], 2)  # the other has the rows without a key
        self.assertIn("foreign tables, of which no sample is taken", ended.text)
        self.assertEqual(sql("SELECT count(*) FROM dst"), "20000\n")

    def test_the_plan_offers_it_where_it_would_help_only(self):
        self.fill()
        sql(f"CREATE TABLE few (LIKE src INCLUDING ALL); CREATE TABLE keyless {SPARSE} AS TABLE src; ANALYZE few, keyless; CREATE VIEW v AS TABLE src")
        offers = {t: self.notes(self.copy(t, splitMode="none"), t) for t in ("src", "few", "keyless", "v")}
        self.assertIn('"splitMode": "auto" would let several pipelines read it, by ranges of (k)', offers["src"][0])
        self.assertIn("by its blocks (ctid)", offers["keyless"][0])
        self.assertEqual((offers["few"], offers["v"]), ([], []))
        self.assertEqual(self.notes(self.copy("src", 1, splitMode="none"), "src"), [])  # one pipeline would read no more than it does
        self.assertEqual(self.notes(self.copy(splitPk="k", splitMode="none"), "src"), [])

    def test_jobs_of_datax_are_split_unless_they_are_to_be_read_strictly(self):
        self.fill()
        url = f"jdbc:postgresql://127.0.0.1:{whole.SERVER.port}/sluice"
        account = {"username": "admin", "password": whole.SERVER.password("admin"), "column": ["*"]}

        def document(channel, **more):
            return {"job": {"setting": {"speed": {"channel": channel}}, "content": [{
                "reader": {"name": "postgresqlreader", "parameter": {**account, "connection": [{"table": ["src"], "jdbcUrl": [url]}], **more}},
                "writer": {"name": "postgresqlwriter", "parameter": {**account, "connection": [{"table": ["dst"], "jdbcUrl": url}]}}}]}}
        self.assertGreater(len(self.planned(document(4))["splits"]), 3)
        for other in (document(1), document(4, splitMode="none")):
            self.assertEqual(len(self.planned(other)["splits"]), 1)
        self.assertEqual(len(self.planned(document(4), "--strict")["splits"]), 1)
        self.assertGreater(len(self.planned(document(4, splitMode="auto"), "--strict")["splits"]), 3)
        # What a killed run cannot go on with is for the job to ask for.
        sql("ALTER TABLE src DROP CONSTRAINT src_pkey")
        self.assertEqual(len(self.planned(document(4))["splits"]), 1)
        self.assertGreater(len(self.planned(document(4, splitMode="auto"))["splits"]), 3)

    def test_strictly_only_whole_numbers_are_a_split_pk(self):
        self.fill()
        sql("ALTER TABLE src ADD u uuid DEFAULT gen_random_uuid(); DROP TABLE dst; CREATE TABLE dst (LIKE src); ANALYZE src")
        self.assertGreater(len(self.planned(self.copy(splitPk="u"))["splits"]), 4)
        self.assertEqual(len(self.planned(self.copy(splitPk="u"), "--strict")["splits"]), 1)
        self.assertGreater(len(self.planned(self.copy(splitPk="k"), "--strict")["splits"]), 4)


class Planning(Splits):
    def test_it_reads_as_few_pages_of_a_large_table_as_of_a_small_one(self):
        sql("CREATE TABLE small (k int PRIMARY KEY, n int, t text); INSERT INTO small SELECT i, i % 10, repeat('x', 100) FROM generate_series(1, 20000) i; "
            "CREATE TABLE large (LIKE small INCLUDING ALL); INSERT INTO large SELECT i, i % 10, repeat('x', 500) FROM generate_series(1, 100000) i; "
            "CREATE TABLE dst (LIKE small); VACUUM ANALYZE small, large")
        self.assertGreater(int(sql("SELECT relpages FROM pg_class WHERE relname = 'large'")), 6000)
        for way in ({}, {"splitMode": "ctid"}, {"where": "n = 3"}, {"splitPk": "k"}, {"splitPk": "n"}, {"splitPk": "t"}, {"splitPk": "k", "where": "n = 11"}):
            for table in ("small", "large"):
                with self.subTest(table, **way):
                    pages_read(table)
                    self.planned(self.copy(table, **way))
                    pages = pages_read(table)
                    self.assertLessEqual(pages, PAGES_MAX)
                    if table == "large" and "splitMode" not in way:
                        self.assertGreater(pages, 200)


class Restart(Splits):
    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (n int, t text); INSERT INTO src SELECT i, repeat('x', 1000) FROM generate_series(1, 12000) i; ANALYZE src; CREATE TABLE dst (LIKE src)")

    def slow(self, **more):
        made = job(end("Reader", "src", splitMode="auto", **more), end("Writer", "dst"), concurrent=2)
        made["setting"]["speed"].update(throttle=True, mbps="4")
        return made

    def quick(self):
        """The same run, for what is to be seen of it at its end."""
        made = self.slow()
        made["setting"]["speed"].update(throttle=False)
        return made

    def splits_that(self, condition):
        if sql("SELECT to_regclass('sluice_progress') IS NULL") == "t\n":
            return 0
        return int(sql(f"SELECT count(*) FROM sluice_progress WHERE {condition}"))

    def one_is_done(self):
        return self.splits_that("done = 1") > 0

    def test_a_killed_run_is_begun_anew_once_a_split_by_blocks_is_done(self):
        self.kill_once(self.one_is_done, self.slow())
        kept = int(sql("SELECT count(*) FROM dst"))
        self.assertGreater(kept, 0)
        ended = self.run_job(self.quick())
        self.assertEqual((ended.code, ended.summary["error"]["kind"]), (1, "source_changed"), ended)
        self.assertIn("splits by blocks (ctid) were delivered under a snapshot that is gone", ended.text)
        self.assertIn("It cannot be gone on with: begin anew", ended.text)
        self.assertFalse(ended.summary["resumable"])
        self.assertNotIn("Put what has changed back", ended.text)
        self.assertEqual(int(sql("SELECT count(*) FROM dst")), kept)
        sql("TRUNCATE dst")
        again = self.run_job(self.quick(), "--on-unfinished", "fresh")
        self.assertEqual(again.code, 0, again)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT n) FROM dst"), "12000|12000\n")

    def test_a_run_killed_before_its_first_split_was_done_goes_on_though_rows_have_moved(self):
        self.kill_once(lambda: self.splits_that("true") > 0, self.slow())
        self.assertFalse(self.one_is_done())
        sql("UPDATE src SET t = t || 'y' WHERE n % 2 = 0; VACUUM FULL src")
        ended = self.run_job(self.quick())
        self.assertEqual((ended.code, ended.summary["resumed"]), (0, True), ended)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT n), count(*) FILTER (WHERE t LIKE '%y') FROM dst"), "12000|12000|6000\n")

    def test_a_table_that_is_written_anew_during_the_run_is_told(self):
        sql("DELETE FROM src WHERE n % 2 = 0")
        document = self.slow()
        document["setting"]["speed"]["mbps"] = "1"
        process = subprocess.Popen(self.arguments(document), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self.folder)
        while not self.one_is_done():
            self.assertIsNone(process.poll())
        sql("VACUUM FULL src")  # which the next split waits behind, from the moment on that it waits itself
        text = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 1, text)
        self.assertIn("was emptied or written anew (TRUNCATE, ALTER TABLE, CLUSTER, VACUUM FULL)", text)
        self.assertIn("Its splits are of this run only, so that it cannot be gone on with: begin anew", text)

    def test_a_killed_run_by_ranges_of_a_key_goes_on(self):
        sql("ALTER TABLE src ADD PRIMARY KEY (n)")
        self.kill_once(self.one_is_done, self.slow())
        sql("DELETE FROM src WHERE n > 11990; UPDATE src SET t = 'new' WHERE n <= 10")
        ended = self.run_job(self.quick())
        self.assertEqual((ended.code, ended.summary["resumed"]), (0, True), ended)
        self.assertGreaterEqual(int(sql("SELECT count(*) FROM dst")), 11990)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT n) FROM dst WHERE n <= 11990"), "11990|11990\n")

    def test_ranges_of_a_key_that_the_table_has_no_more_are_refused(self):
        sql("ALTER TABLE src ADD PRIMARY KEY (n)")
        self.kill_once(self.one_is_done, self.slow())
        sql("ALTER TABLE src DROP CONSTRAINT src_pkey, ADD COLUMN id serial PRIMARY KEY")
        ended = self.run_job(job(end("Reader", "src", ["n", "t"], splitMode="auto"), end("Writer", "dst", ["n", "t"]), concurrent=2))
        self.assertNotEqual(ended.code, 0, ended)


if __name__ == "__main__":
    unittest.main()
