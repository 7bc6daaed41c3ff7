"""Whole jobs from and into a real PostgreSQL, as people write them."""

import json
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job
from servers.running import of_module


def setUpModule():
    global SERVER
    SERVER, = of_module("postgresql")


def sql(text, database="sluice"):
    return SERVER.sql(text, database)


def end(category, table, column=("*",), user="admin", **more):
    return {"stepType": "postgresql", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:postgresql://127.0.0.1:{SERVER.port}/sluice", "username": user,
                          "password": SERVER.password(user), "table": table, "column": list(column), **more}}


class Jobs(ProgramTest):
    def setUp(self):
        super().setUp()
        sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO reader, writer, tls_only")

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def fails(self, document, *parts, code=None):
        ended = self.run_job(document)
        self.assertNotEqual(ended.code, 0, ended)
        for part in parts:
            self.assertIn(part, ended.text)
        self.assertNotIn(SERVER.password("admin"), ended.text)
        if code is not None:
            self.assertEqual(ended.code, code, ended)
        return ended


class Moving(Jobs):
    def test_a_table_is_split_by_ranges_under_one_snapshot_and_arrives_whole(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text, n numeric(10,2)); "
            "INSERT INTO src SELECT i, 'row ' || i, i / 100.0 FROM generate_series(-500, 200000) i; ANALYZE src; "
            "CREATE TABLE dst (LIKE src)")
        ended = self.succeeds(job(end("Reader", "src", splitPk="id"), end("Writer", "dst"), concurrent=4))
        self.assertEqual(ended.summary["written"], 200501)
        self.assertGreater(ended.summary["splits"]["total"], 4)
        self.assertEqual(sql("SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x"), "0\n")
        self.assertEqual(sql("SELECT count(*) FROM dst"), "200501\n")

    def test_rows_with_null_in_the_split_column_are_read(self):
        sql("CREATE TABLE src (k int, t text); INSERT INTO src VALUES (1, 'a'), (9, 'b'), (NULL, 'c'); CREATE TABLE dst (LIKE src)")
        self.succeeds(job(end("Reader", "src", splitPk="k"), end("Writer", "dst"), concurrent=2))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 2"), "1|a\n9|b\n|c\n")

    def test_columns_expressions_constants_where_and_quoted_names(self):
        sql('CREATE TABLE "Odd Table" ("Select" int PRIMARY KEY, "a""b" text); INSERT INTO "Odd Table" VALUES (1, \'x\'), (2, \'y\'), (3, NULL); '
            "CREATE TABLE dst (a int, b text, c text, d numeric)")
        self.succeeds(job(end("Reader", '"Odd Table"', ["select", 'upper("a""b")', "'${bizdate}'", "2.50"], where='"Select" < 3;'),
                          end("Writer", "dst")), "-p", "bizdate=20250101")
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 1"), "1|X|20250101|2.50\n2|Y|20250101|2.50\n")

    def test_the_plan_says_which_entries_are_expressions(self):
        sql("CREATE TABLE src (id int, t text); CREATE TABLE dst (id int, t text, n int)")
        plan = subprocess.run([PROGRAM, "plan", self.arguments(job(end("Reader", "src", ["ID", "upper(t)", "1 + 1"]), end("Writer", "dst")))[2]], capture_output=True, text=True, timeout=60).stdout
        for entry in ('column[1], "upper(t)",', 'column[2], "1 + 1",'):
            self.assertIn(f'{entry} is no column of table "src" and is read as an expression.', plan)
        self.assertNotIn("column[0]", plan)

    def test_entries_of_column_may_name_their_column_as_in_datax(self):
        sql('CREATE TABLE src ("Id" int PRIMARY KEY, amt int, "a as b" text); INSERT INTO src VALUES (1, 2, \'odd\'), (2, 3, \'odd\')')
        columns = ['"Id" a', "amt*2 as x", "'x' AS \"C\"", "a as b", "cast(amt as text) as s", "amt::bigint as limit -- last"]
        writer = end("Writer", "made", createTable=True)
        document = job(end("Reader", "src", columns, splitPk="Id"), writer, concurrent=2)
        plan = subprocess.run([PROGRAM, "plan", self.arguments(document)[2]], capture_output=True, text=True, timeout=60).stdout
        for line in (r'column[0], "\"Id\"" of table "src", is read under the name "a".',
                     'column[1], "amt*2", is no column of table "src" and is read as an expression under the name "x".'):
            self.assertIn(line, plan)
        self.assertGreater(self.succeeds(document).summary["splits"]["total"], 1)
        self.assertEqual(sql('SELECT a, x, "C", "a as b", "limit" FROM made ORDER BY 1'), "1|4|x|odd|2\n2|6|x|odd|3\n")
        self.assertEqual(sql("SELECT count(*) FROM pg_constraint WHERE conrelid = 'made'::regclass AND contype = 'p'"), "1\n")
        sql("CREATE TABLE dst (x int, n int)")
        self.succeeds(job(end("Reader", "src", ["count(*) as N", "sum(amt) as x"]), end("Writer", "dst", mapping="name")))
        self.assertEqual(sql("TABLE dst"), "5|2\n")
        self.fails(job(end("Reader", "src", ["amt", "count(*) n"]), end("Writer", "dst")),
                   'column[1]: ', "if n is to be the column's name, write AS n, or leave it out")

    def test_a_query_and_several_tables_of_several_databases(self):
        for shard in ("shard_1", "shard_2"):
            sql("DROP TABLE IF EXISTS t_0, t_1; CREATE TABLE t_0 (id int PRIMARY KEY, s text); CREATE TABLE t_1 (LIKE t_0 INCLUDING ALL); "
                f"INSERT INTO t_0 VALUES (1, '{shard}'); INSERT INTO t_1 VALUES (2, '{shard}')", shard)
        sql("CREATE TABLE dst (id int, s text)")
        reader = end("Reader", "x")
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = [{"jdbcUrl": f"jdbc:postgresql://127.0.0.1:{SERVER.port}/{s}", "table": ["t_[0-1]"]}
                                             for s in ("shard_1", "shard_2")]
        self.succeeds(job(reader, end("Writer", "dst"), concurrent=3))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 2, 1"), "1|shard_1\n2|shard_1\n1|shard_2\n2|shard_2\n")
        query = end("Reader", "x", querySql="SELECT 7, 'q'")
        del query["parameter"]["table"], query["parameter"]["column"]
        self.succeeds(job(query, end("Writer", "dst", preSql=["TRUNCATE @table"], postSql=["INSERT INTO @table VALUES (8, 'after')"])))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 1"), "7|q\n8|after\n")

    def test_shards_whose_columns_differ_in_length_or_digits_are_read_as_the_wider_type(self):
        sql("CREATE TABLE t_0 (id int PRIMARY KEY, s varchar(3), n numeric(5,1), ts timestamp(3), c char(2), v varchar(2)); INSERT INTO t_0 VALUES (1, 'abc', 1234.5, '2020-01-02 03:04:05.678', 'x', 'a'); "
            "CREATE TABLE t_1 (id int PRIMARY KEY, s varchar(8), n numeric(6,4), ts timestamp(6), c char(4), v varchar); INSERT INTO t_1 VALUES (2, 'abcdefgh', 12.3456, '2020-01-02 03:04:05.678912', 'yz', repeat('b', 99))")
        self.succeeds(job(end("Reader", "t_[0-1]"), end("Writer", "dst", createTable=True)))
        self.assertEqual(sql("SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'dst'::regclass AND attnum > 1"),
                         "character varying(8), numeric(8,4), timestamp(6) without time zone, character(4), character varying\n")
        self.assertEqual(sql("SELECT count(*) FROM ((SELECT id, s, n, ts, c::text, v::text FROM dst) INTERSECT (SELECT id, s, n, ts, c::text, v::text FROM t_0 UNION ALL SELECT id, s, n, ts, c::text, v::text FROM t_1)) x"), "2\n")
        sql("CREATE TABLE t_2 (LIKE t_0); ALTER TABLE t_2 ALTER n TYPE int")
        self.fails(job(end("Reader", "t_[0-2]"), end("Writer", "dst")), 'the columns of "t_2" in', 'have other types than those of "t_0" in', ': column 3 ("n") is integer here and numeric(8,4) there; cast them to the same type in "column"')

    def test_a_table_with_rules_on_what_the_mode_does_is_refused(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE other (id int); CREATE TABLE dst (id int PRIMARY KEY); "
            "CREATE RULE away AS ON INSERT TO dst DO INSTEAD INSERT INTO other VALUES (NEW.id); CREATE TABLE kept (id int PRIMARY KEY); "
            "CREATE RULE \"Keep\" AS ON DELETE TO kept DO INSTEAD NOTHING")
        for mode in ("insert", "copy", "update", "replace", "ignore"):
            self.fails(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode)), 'table "dst" has the rule away on what', "ALTER TABLE", "DISABLE RULE away")
        self.fails(job(end("Reader", "src"), end("Writer", "kept", writeMode="replace")), 'table "kept" has the rule "Keep" on what "replace" does to it')
        self.succeeds(job(end("Reader", "src"), end("Writer", "kept")))
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", preSql=["ALTER TABLE dst DISABLE RULE away"], postSql=["ALTER TABLE dst ENABLE RULE away"])))
        self.fails(job(end("Reader", "src"), end("Writer", "dst", preSql=["ALTER TABLE dst ALTER id SET DEFAULT 1"])), 'table "dst" has the rule away on what')
        self.assertEqual(sql("SELECT (SELECT count(*) FROM dst), (SELECT count(*) FROM other), (SELECT count(*) FROM kept)"), "1|0|1\n")

    def test_a_job_that_writes_a_partition_of_what_it_reads_or_the_other_way_round(self):
        sql("CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (100); CREATE TABLE high PARTITION OF whole FOR VALUES FROM (100) TO (200); "
            "INSERT INTO whole SELECT generate_series(0, 50)")
        for read, written in (("low", "whole"), ("whole", "high")):
            for steps, concurrent, said in ((["DELETE FROM @table WHERE id > 300"], 1, "and preSql runs before all of it is read"), ([], 4, "splits are read one after another")):
                document = job(end("Reader", read, ["id + 100"], splitPk="id", snapshot="none"), end("Writer", written, ["id"], preSql=steps), concurrent=concurrent)
                self.fails(document, "this job reads the table that it writes (or a part of it)", said)
        self.succeeds(job(end("Reader", "low", ["id + 100"], splitPk="id", snapshot="none"), end("Writer", "high", ["id"], preSql=["DELETE FROM @table WHERE id > 300"]), concurrent=4))
        self.assertEqual(sql("SELECT count(*) FROM high"), "51\n")

    def test_a_table_that_is_missing_is_made(self):
        sql("CREATE TABLE src (id bigint PRIMARY KEY, v varchar(7), d numeric(9,3), ts timestamptz(3), b bytea, f real, u uuid); "
            "INSERT INTO src VALUES (1, 'a', 1.125, now(), '\\x01', 0.1, gen_random_uuid())")
        self.succeeds(job(end("Reader", "src"), end("Writer", "made", createTable=True)))
        self.assertEqual(sql("SELECT count(*) FROM src JOIN made USING (id) WHERE src.ts = made.ts AND src.d = made.d AND src.b = made.b AND src.u = made.u AND src.f = made.f AND src.v = made.v"),
                         "1\n")
        self.assertEqual(sql("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'made'::regclass AND attname = 'ts'"),
                         "timestamp(3) with time zone\n")

    def test_a_table_that_pre_sql_drops_is_made_again(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (other text)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", createTable=True, preSql=["DROP TABLE @table"])))
        self.assertEqual(sql("TABLE dst"), "1\n")

    def test_a_statement_that_runs_in_no_transaction_runs_outside_of_one(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (id int)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "DST", preSql=["DELETE FROM @table"], postSql=["VACUUM @table"])))
        self.assertEqual(sql("TABLE dst"), "1\n")

    def test_generated_columns_are_left_out_and_identities_take_values(self):
        sql("CREATE TABLE src (id int, n int); INSERT INTO src VALUES (5, 2); "
            "CREATE TABLE dst (id int GENERATED ALWAYS AS IDENTITY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst")))
        self.assertEqual(sql("TABLE dst"), "5|2|4\n")

    def test_least_rights_are_enough(self):
        sql("CREATE TABLE src (id int PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst (id int); "
            "GRANT SELECT ON src TO reader; GRANT INSERT ON dst TO writer; GRANT CREATE ON SCHEMA public TO writer")
        self.succeeds(job(end("Reader", "src", user="reader", splitPk="id"), end("Writer", "dst", user="writer"), concurrent=2))
        self.assertEqual(sql("TABLE dst"), "1\n")

    def test_names_of_connections_say_whose_they_are(self):
        sql("CREATE TABLE src (n text); INSERT INTO src SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity; CREATE TABLE dst (n text)")
        query = end("Reader", "x", querySql="SELECT string_agg(application_name, ',' ORDER BY 1) FROM pg_stat_activity WHERE application_name LIKE 'sluice %'")
        del query["parameter"]["table"], query["parameter"]["column"]
        self.succeeds(job(query, end("Writer", "dst")), "--name", "nightly")
        names = sql("TABLE dst").strip().split(",")
        self.assertTrue(any(n.startswith("sluice nightly ") and n.endswith(" querySql") for n in names), names)

    def test_a_writers_name_says_its_split(self):
        sql("CREATE TABLE src (n int); INSERT INTO src VALUES (1); CREATE TABLE dst (n int, name text DEFAULT current_setting('application_name'))")
        self.succeeds(job(end("Reader", "src", column=["n"]), end("Writer", "dst", column=["n"])), "--name", "nightly")
        self.assertRegex(sql("SELECT name FROM dst"), "^sluice nightly .* writer split 0\n$")


class Refused(Jobs):
    def table_with_bad_rows(self, rows, bad):
        sql(f"CREATE TABLE src AS SELECT i AS id, CASE WHEN i % {rows // bad} = 0 THEN -1 ELSE i END AS n, 'row ' || i AS t "
            f"FROM generate_series(1, {rows}) i; CREATE TABLE dst (id int PRIMARY KEY, n int CHECK (n > 0), t text NOT NULL)")

    def test_one_bad_row_in_a_hundred_is_dirty_and_all_others_arrive(self):
        self.table_with_bad_rows(20000, 200)
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=200))
        self.assertEqual(ended.summary["dirty_by_code"], {"23514": 200}, ended)
        self.assertEqual(sql("SELECT count(*), min(n) FROM dst"), "19800|1\n")

    def test_rows_that_a_file_cannot_have_are_dirty_among_many_that_it_can(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, n numeric(8,2), t text, d date); "
            "INSERT INTO src SELECT i, i / 100.0, 'row ' || i, date '2025-01-01' + i FROM generate_series(1, 400) i; "
            "UPDATE src SET n = 'NaN' WHERE id IN (70, 399); UPDATE src SET n = NULL, t = repeat('x', 20000) WHERE id = 150")
        out = self.folder / "out"
        out.mkdir()
        writer = {"stepType": "text", "category": "writer", "name": "Writer", "parameter": {
            "path": str(out), "fileName": "rows", "fileFormat": "csv", "writeMode": "truncate"}}
        ended = self.succeeds(job(end("Reader", "src"), writer, errors=2))
        self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (398, {"not_finite": 2}), ended)
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            self.assertEqual({json.loads(line)["key"] for line in file}, {"id=70", "id=399"})
        lines = "".join(file.read_text(encoding="utf-8") for file in out.iterdir())
        self.assertEqual(sorted(lines.splitlines()), sorted(sql("COPY (SELECT * FROM src WHERE n IS NULL OR n <> 'NaN') TO STDOUT (FORMAT csv)").splitlines()))

    def test_the_dirty_record_has_column_and_the_servers_reason(self):
        sql("CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'a'), (1, 'twice'), (2, NULL), (3, 'c'); "
            "CREATE TABLE dst (id int PRIMARY KEY, t text NOT NULL)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=10))
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        self.assertEqual(sorted((r["code"], r["column"]) for r in records), [("23505", "id"), ("null_not_allowed", "t")])
        self.assertIn("duplicate key value", next(r["message"] for r in records if r["code"] == "23505"))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 1"), "1|a\n3|c\n")

    def test_a_table_in_which_every_record_is_there_already(self):
        sql("CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 5000) i; CREATE TABLE dst (id int PRIMARY KEY); INSERT INTO dst TABLE src")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=5000))
        self.assertEqual(ended.summary["dirty_by_code"], {"23505": 5000})

    def test_rows_that_a_trigger_swallows_are_dirty(self):
        sql("CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 100) i; CREATE TABLE dst (id int); "
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 50 THEN RETURN NULL; END IF; RETURN NEW; END'; "
            "CREATE TRIGGER s BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION swallow()")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"refused_silently": 1})
        self.assertEqual(sql("SELECT count(*) FROM dst"), "99\n")

    def test_rows_that_a_trigger_swallows_are_told_from_those_that_are_there_already(self):
        warns = "IF NEW.id = 7 THEN RAISE WARNING ''seven''; END IF; "  # then the server cannot tell the rows apart by itself
        for more, dirty in (("", {"refused_silently": 20}), (warns, {"refused_silently": 20, "01000": 1})):
            with self.subTest(more):
                self.setUp()
                sql("CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 100) i; CREATE TABLE dst (id int PRIMARY KEY); INSERT INTO dst SELECT generate_series(3, 100, 5); "
                    f"CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {more}IF NEW.id % 5 = 0 THEN RETURN NULL; END IF; RETURN NEW; END'; "
                    "CREATE TRIGGER s BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION swallow()")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode="ignore"), errors=30))
                self.assertEqual((ended.summary["dirty_by_code"], ended.summary["ignored"]), (dirty, 20))
                self.assertEqual(sql("SELECT count(*) FROM dst"), f"{100 - sum(dirty.values())}\n")

    def test_constraints_name_the_columns_that_they_look_at(self):
        columns = {"p_fk": "f", "positive": "c", "ordered": "a, b", "one_each": "e"}
        for kind in ("", " PARTITION BY RANGE (id)"):
            for mode in ("insert", "replace"):
                with self.subTest(mode, kind=kind):
                    self.setUp()
                    other = "CREATE TABLE part PARTITION OF dst DEFAULT; ALTER TABLE part ADD " if kind else "ALTER TABLE dst ADD "
                    sql("CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent VALUES (1); CREATE TABLE src (id int, f int, c int, a int, b int, e int); "
                        "INSERT INTO src VALUES (1, 1, 1, 1, 2, 1), (2, 9, 1, 1, 2, 2), (3, 1, -1, 1, 2, 3), (4, 1, 1, 2, 1, 4), (5, 1, 1, 1, 2, 1); "
                        "CREATE TABLE dst (id int PRIMARY KEY, f int CONSTRAINT p_fk REFERENCES parent, c int CONSTRAINT positive CHECK (c > 0), a int, b int, e int, "
                        f"CONSTRAINT ordered CHECK (a < b)){kind}; {other}CONSTRAINT one_each EXCLUDE USING btree (e WITH =)")
                    ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=4))
                    with open(ended.summary["dirty_file"], encoding="utf-8") as file:
                        self.assertEqual(sorted(json.loads(line)["column"] for line in file), sorted(columns.values()))

    def test_a_foreign_key_that_is_deferred_still_names_its_row(self):
        sql("CREATE TABLE parent (id int PRIMARY KEY); INSERT INTO parent SELECT generate_series(1, 99); CREATE TABLE src AS SELECT i AS p FROM generate_series(1, 100) i; "
            "CREATE TABLE dst (p int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"23503": 1})
        self.assertEqual(sql("SELECT count(*) FROM dst"), "99\n")


class OwnBytes(Jobs):
    """Columns alike at both ends travel as the server sends them."""

    OWN = "canonical/1 with postgresql-copy/1"
    TYPED = ["DO 'BEGIN END'"]  # a preSql that may change tables: every column is decoded

    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (id bigint PRIMARY KEY, n numeric(10,2), t varchar(20), d date, j jsonb, b boolean, u numeric, r real); "
            "INSERT INTO src SELECT i, i / 100.0, 'row ' || i || ' ü', '2025-01-01'::date + i % 9, jsonb_build_object('a', i), i % 2 = 0, "
            "i * 1e30, i / 8.0 FROM generate_series(1, 5000) i; INSERT INTO src (id) VALUES (0); INSERT INTO src VALUES (9999, '-1.25', E'a\\tb', 'infinity', '[]', NULL, 'Infinity', '-0')")

    def dirty_records(self, ended):
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            records = [json.loads(line) for line in file]
        for r in records:
            for name in ("run", "at", "time", "split"):
                r.pop(name, None)
        return sorted(records, key=lambda r: r["position"])

    def both(self, make, mode="insert", column=("*",), errors=0):
        """A run with own bytes and one without: the same rows, bytes and dirty records."""
        ends = []
        for more in ({}, {"preSql": self.TYPED}):
            sql("DROP TABLE IF EXISTS dst; " + make)
            ended = self.succeeds(job(end("Reader", "src", column), end("Writer", "dst", column, writeMode=mode, **more), errors=errors), "--on-unfinished", "fresh")
            ends.append((ended.summary["read"], ended.summary["written"], ended.summary["bytes"], self.dirty_records(ended) if errors else [],
                         sql("SELECT md5(string_agg(d::text, ';' ORDER BY id)) FROM dst d")))
            self.assertEqual(ended.summary["sums"]["form"], self.OWN if not more else "canonical/1")
        self.assertEqual(ends[0], ends[1])
        return ends[0]

    def test_all_columns_alike(self):
        read, written, _, _, content = self.both("CREATE TABLE dst (LIKE src INCLUDING ALL)")
        self.assertEqual((read, written), (5002, 5002))
        self.assertEqual(content, sql("SELECT md5(string_agg(d::text, ';' ORDER BY id)) FROM src d"))

    def test_one_column_is_converted_and_its_neighbours_are_not(self):
        self.both("CREATE TABLE dst (LIKE src INCLUDING ALL); ALTER TABLE dst ALTER t TYPE text, ALTER b TYPE text")

    def test_refused_rows_show_their_columns(self):
        _, written, _, records, _ = self.both("CREATE TABLE dst (LIKE src INCLUDING ALL, CHECK (id % 1000 <> 7))", errors=10)
        self.assertEqual((written, len(records)), (4997, 5))
        self.assertEqual([r["code"] for r in records], ["23514"] * 5)

    def test_what_has_no_equal_outside_of_postgresql_passes_inside(self):
        sql("INSERT INTO src VALUES (-1, 'NaN'); CREATE TABLE dst (LIKE src INCLUDING ALL)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst")))
        self.assertEqual(sql("SELECT n FROM dst WHERE id = -1"), "NaN\n")

    def test_a_record_that_is_too_large_is_dirty(self):
        sql("DROP TABLE src; CREATE TABLE src (id int NOT NULL, t text); INSERT INTO src VALUES (1, 'a'), (2, repeat('x', 68000000)), (3, 'c'); "
            "CREATE TABLE dst (LIKE src)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"record_too_large": 1})
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 1"), "1|a\n3|c\n")

    def test_rows_are_found_by_a_key(self):
        for mode in ("update", "replace", "ignore"):
            self.both("CREATE TABLE dst (LIKE src INCLUDING ALL); INSERT INTO dst SELECT id, 1 FROM src WHERE id % 3 = 0", mode=mode)

    def test_ranges_of_a_key(self):
        sql("CREATE TABLE dst (LIKE src INCLUDING ALL)")
        document = job(end("Reader", "src", splitPk="id"), end("Writer", "dst"), concurrent=3)
        ended = self.succeeds(document)
        self.assertEqual(ended.summary["sums"]["form"], self.OWN)
        self.assertEqual(sql("SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x"), "0\n")

    def test_a_column_that_a_step_changes_all_the_same_stops_the_run_before_data(self):
        sql("CREATE TABLE dst (LIKE src INCLUDING ALL); CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN ALTER TABLE dst ALTER n TYPE numeric(12,2); RETURN NULL; END'; CREATE TABLE other (a int); "
            "CREATE TRIGGER t AFTER INSERT ON other EXECUTE FUNCTION change()")
        document = job(end("Reader", "src"), end("Writer", "dst", preSql=["INSERT INTO other VALUES (1)"]))
        self.fails(document, 'column "n" is of another type than before the steps', "Run it again")
        self.succeeds(document)
        self.assertEqual(sql("SELECT count(*) FROM (TABLE src EXCEPT TABLE dst) x"), "0\n")


class ByKey(Jobs):
    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (id int, v text); INSERT INTO src SELECT i, 'new ' || i FROM generate_series(1, 3000) i; INSERT INTO src VALUES (7, 'last of its key'); "
            "CREATE TABLE dst (id int PRIMARY KEY, v text, own text DEFAULT 'default'); INSERT INTO dst SELECT i, 'old', 'kept' FROM generate_series(1, 4000, 2) i")

    def content(self):
        return sql("SELECT md5(string_agg(d::text, ';' ORDER BY id)) FROM dst d")

    def run_mode(self, mode):
        return self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "v"], writeMode=mode)))

    def test_an_update_repeated_gives_the_same_content_and_keeps_other_columns(self):
        contents = set()
        for _ in range(3):
            ended = self.run_mode("update")
            self.assertEqual((ended.summary["written"], ended.summary["ignored"], ended.summary["dirty"]), (3001, 0, 0), ended)
            contents.add(self.content())
        self.assertEqual(len(contents), 1)
        self.assertEqual(sql("SELECT * FROM dst WHERE id IN (7, 8, 3999) ORDER BY 1"), "7|last of its key|kept\n8|new 8|default\n3999|old|kept\n")

    def test_a_replacement_gives_other_columns_their_defaults(self):
        self.assertEqual(self.run_mode("replace").summary["written"], 3001)
        self.assertEqual(sql("SELECT * FROM dst WHERE id IN (7, 3999) ORDER BY 1"), "7|last of its key|default\n3999|old|kept\n")

    def test_what_is_there_already_is_ignored_and_counted(self):
        ended = self.run_mode("ignore")
        self.assertEqual((ended.summary["written"], ended.summary["ignored"], ended.summary["dirty"]), (1500, 1501, 0), ended)
        self.assertEqual(sql("SELECT * FROM dst WHERE id IN (7, 8) ORDER BY 1"), "7|old|kept\n8|new 8|default\n")

    def test_bad_rows_are_dirty_in_these_modes_too(self):
        sql("ALTER TABLE dst ADD CHECK (id <> 500); UPDATE src SET v = NULL WHERE id = 600; ALTER TABLE dst ALTER v SET NOT NULL")
        for mode in ("update", "replace", "ignore"):
            with self.subTest(mode):
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "v"], writeMode=mode), errors=2))
                self.assertEqual(ended.summary["dirty_by_code"], {"23514": 1, "null_not_allowed": 1}, ended)

    def test_a_table_without_a_key_that_is_mapped_is_refused(self):
        sql("CREATE TABLE keyless (v text)")
        self.fails(job(end("Reader", "src", ["v"]), end("Writer", "keyless", ["v"], writeMode="update")), "writeMode", "update finds rows by a key")


class Continued(Jobs):
    def test_a_killed_run_is_continued_and_no_row_is_there_twice(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text); INSERT INTO src SELECT i, repeat('x', 200) FROM generate_series(1, 300000) i; ANALYZE src; "
            "CREATE TABLE dst (id int, t text)")
        document = job(end("Reader", "src", splitPk="id"), end("Writer", "dst"), concurrent=2)
        self.kill_once(lambda: sql("SELECT to_regclass('sluice_progress') IS NOT NULL AND EXISTS (SELECT FROM dst)") == "t\n", document)
        ended = self.succeeds(document)
        self.assertEqual(ended.summary["written"], 300000, ended)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT id) FROM dst"), "300000|300000\n")


class Messages(Jobs):
    def test_each_mistake_is_named_with_its_cure(self):
        sql('CREATE TABLE src (id int, amount int); CREATE TABLE dst (id int, amount int); CREATE TABLE "a.b" (id int)')
        port = SERVER.port
        wrong_password = end("Reader", "src")
        wrong_password["parameter"]["password"] = "wrong"
        unknown_database = end("Reader", "src")
        unknown_database["parameter"]["jdbcUrl"] = f"jdbc:postgresql://127.0.0.1:{port}/shop"
        nobody_there = end("Reader", "src")
        nobody_there["parameter"]["jdbcUrl"] = "jdbc:postgresql://127.0.0.1:1/sluice"
        no_host = end("Reader", "src")
        no_host["parameter"]["jdbcUrl"] = "jdbc:postgresql://no.such.host.invalid/sluice"
        cases = [
            (wrong_password, ["steps[0]", "password authentication failed", "correct user name or password"]),
            (unknown_database, ['database "shop" does not exist', "correct the database's name"]),
            (nobody_there, ["Connection refused", "see that the server runs"]),
            (no_host, ["no.such.host.invalid", "is not known here"]),
            (end("Reader", "scr"), ['there is no table "scr"', 'did you mean "src"?']),
            (end("Reader", "a.b"), ['there is no table "b" in the schema "a"', 'is written "a.b", with the quotes']),
            (end("Reader", "src", ["id", "amonut"]), ["column[1]", 'column "amonut" does not exist']),
            (end("Reader", "src", where="id >"), ["where", "syntax error"]),
            (end("Reader", "src", splitPk="idd"), ["splitPk", 'did you mean "id"?']),
            (end("Reader", "src", user="nothing"), ['permission denied for schema "public"', 'GRANT USAGE ON SCHEMA "public" TO "nothing"']),
            (end("Reader", "src", user="writer"), ['has not the right SELECT on "public"."src"', 'GRANT SELECT ON "public"."src" TO "writer"']),
        ]
        for reader, parts in cases:
            with self.subTest(parts[-1]):
                self.fails(job(reader, end("Writer", "dst")), *parts)
        writers = [
            (end("Writer", "dts"), ['there is no table "dts"', "createTable"]),
            (end("Writer", "dst", ["id", "amonut"]), ["column[1]", "amonut"]),
            (end("Writer", "dst", user="reader"), ["this user may not make the tables of marks", "GRANT CREATE ON SCHEMA"]),
            (end("Writer", "dst", preSql=["DELETE FORM dst"]), ["preSql", "syntax error", "mend the statement"]),
        ]
        for writer, parts in writers:
            with self.subTest(parts[0]):
                self.fails(job(end("Reader", "src"), writer), *parts)

    def test_what_cannot_be_computed_of_a_row_is_a_mistake_of_the_job_and_no_change_of_the_source(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text); INSERT INTO src SELECT i, 'x' FROM generate_series(1, 5000) i; CREATE VIEW inverse AS SELECT 1 / (id - 4000) AS v FROM src")
        query = end("Reader", "", querySql=["SELECT id FROM src", "SELECT 1 / (id - 4000) FROM src"])
        del query["parameter"]["table"], query["parameter"]["column"]
        cases = [
            (end("Reader", "src", ["1 / (id - 4000)"]), "parameter.column: ", "22012"),
            (end("Reader", "src", ["id"], where="1 / (id - 4000) > -1"), "parameter.where: ", "22012"),
            (end("Reader", "src", ["id"], where="1 / (id - 4000) > -1", splitPk="id"), "parameter.where: ", "22012"),
            (end("Reader", "src", ["id", "t::int"], where="id > 7"), "parameter.column or ", "22P02"),
            (end("Reader", "src", ["id", "(SELECT id FROM src)"]), "parameter.column: ", "21000"),
            (query, "parameter.querySql[1]: ", "22012"),
            (end("Reader", "inverse"), "parameter.table: ", "22012"),
        ]
        for reader, place, code in cases:
            with self.subTest(place, code=code):
                ended = self.fails(job(reader, {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {}}, concurrent=2), place, code, "mend what it computes")
                self.assertEqual(ended.summary["error"]["kind"], "bad_option")

    def test_tls_is_verified_where_it_is_asked_for(self):
        sql("CREATE TABLE src (id int); CREATE TABLE dst (id int)")
        url = f"jdbc:postgresql://localhost:{SERVER.port}/sluice?sslmode=verify-full&sslrootcert="
        good = end("Reader", "src")
        good["parameter"]["jdbcUrl"] = url + str(SERVER.certificates.path("ca.pem"))
        self.succeeds(job(good, end("Writer", "dst")))
        bad = end("Reader", "src")
        bad["parameter"]["jdbcUrl"] = url + str(SERVER.certificates.path("other_ca.pem"))
        self.fails(job(bad, end("Writer", "dst")), "certificate verify failed", 'authority\'s PEM file with "truststoreFile", or with sslrootcert in the address')


if __name__ == "__main__":
    unittest.main()
