"""What PostgreSQL does without a word, and what of it a job must not fall into: no row is lost, twice or another one."""

import collections
import json
import os
import shutil
import subprocess
import tempfile
import threading
import unittest
from unittest import mock

from e2e.harness import PROGRAM, job
from servers import postgresql_test as whole
from servers.postgresql_test import end, sql
from servers.running import Running, until


def setUpModule():
    whole.setUpModule()
    sql("CREATE SCHEMA plain; CREATE FUNCTION plain.version() RETURNS text LANGUAGE sql AS $$SELECT '(openGauss 5.0.0 build a07d57c3)'$$; "
        f"CREATE ROLE plain LOGIN SUPERUSER PASSWORD '{whole.SERVER.password('plain').replace(chr(39), chr(39) * 2)}'; ALTER ROLE plain SET search_path = plain, public, pg_catalog")


class Read(whole.Jobs):
    def test_an_expression_that_gives_several_rows_is_no_order_to_go_on_from(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, a int[]); INSERT INTO src SELECT i, (SELECT array_agg(j) FROM generate_series(1, 70000) j) FROM generate_series(1, 4) i; "
            "UPDATE src SET a[60000] = -1 WHERE id = 3; ANALYZE src; CREATE TABLE dst (id int, v int CHECK (v > 0))")
        ended = self.succeeds(job(end("Reader", "src", ["id", "unnest(a)"]), end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"23514": 1})
        self.assertEqual(sql("SELECT count(*), count(DISTINCT (id, v)) FROM dst"), "279999|279999\n")

    def test_the_key_of_a_table_with_children_is_no_key_of_what_is_read(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text); ALTER TABLE src ALTER t SET STORAGE PLAIN; INSERT INTO src SELECT i, repeat(md5(i::text), 220) FROM generate_series(1, 1900) i; "
            + "".join(f"CREATE TABLE c{k} (PRIMARY KEY (id)) INHERITS (src); INSERT INTO c{k} TABLE ONLY src; " for k in range(6))
            + "CREATE TABLE dst (id int CHECK (id <> 1850), t text); ANALYZE")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=7))
        self.assertEqual(ended.summary["dirty"], 7)
        self.assertEqual(sql("SELECT count(*) FROM dst"), "13293\n")

    def test_a_column_of_a_domain_that_is_not_null_can_hold_null_and_is_read(self):
        sql("CREATE DOMAIN dn AS int NOT NULL; CREATE TABLE src (k dn, t text); INSERT INTO src SELECT i, 'x' FROM generate_series(1, 1000) i; "
            "INSERT INTO src SELECT (SELECT k FROM src WHERE false), 'null'; CREATE TABLE dst (k int, t text)")
        self.succeeds(job(end("Reader", "src", splitPk="k"), end("Writer", "dst"), concurrent=3))
        self.assertEqual(sql("SELECT count(*), count(k) FROM dst"), "1001|1000\n")

    def test_numbers_of_a_hundred_thousand_digits_take_no_more_memory_than_others(self):
        sql("CREATE TABLE src AS SELECT i AS id, 1e131071::numeric AS n FROM generate_series(1, 4000) i; CREATE TABLE dst (id int, n numeric)")
        ended, peak = self.run_measured(job(end("Reader", "src"), end("Writer", "dst")))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(sql("SELECT count(*) FROM dst WHERE n = 1e131071"), "4000\n")
        self.assertLess(peak, 256_000_000)

    def test_a_condition_or_a_query_may_end_in_a_comment(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1), (2); CREATE TABLE dst (id int)")
        self.succeeds(job(end("Reader", "src", ["id -- the number"], where="id > 1 -- not all"), end("Writer", "dst")))
        query = end("Reader", "x", querySql="SELECT id FROM src -- all")
        del query["parameter"]["table"], query["parameter"]["column"]
        self.succeeds(job(query, end("Writer", "dst")))
        query["parameter"]["querySql"] = "SELECT id FROM src; -- all ; /* of them"
        self.succeeds(job(query, end("Writer", "dst")))
        self.succeeds(job(end("Reader", "src", where="id > 1 /* not ; all */ ; -- really"), end("Writer", "dst")))
        self.assertEqual(sql("SELECT id, count(*) FROM dst GROUP BY 1 ORDER BY 1"), "1|2\n2|4\n")

    def test_an_entry_of_which_the_server_makes_several_columns_is_refused_and_a_star_of_the_table_itself_is_a_star(self):
        sql("CREATE TYPE pair AS (x int, y text); CREATE FUNCTION f() RETURNS pair LANGUAGE sql AS $$SELECT 1, 'y'$$; CREATE TABLE src (a int PRIMARY KEY, b text, p pair); "
            "INSERT INTO src VALUES (1, 'x', (2, 'y')); CREATE TABLE dst (a int, b text, p pair)")
        for column, made in ((["src.*", "a"], "2 entries make 4"), (["a), (b"], "1 entries make 2"), (["a", "b", "(p).*"], "3 entries make 4"), (["(f()).*"], "1 entries make 2"),
                             (["(src.*)"], "1 entries make 3")):
            for user, more in (("admin", {}), ("admin", {"snapshot": "none"}), ("plain", {})):
                with self.subTest(column, user=user, **more):
                    document = job(end("Reader", "src", column, user=user, **more), end("Writer", "dst"))
                    said = f'column: {made} columns; write one expression an entry'
                    self.fails(document, said, code=1)
                    for command in ("check", "plan") if user == "plain" else ():
                        done = subprocess.run([PROGRAM, command, self.arguments(document)[2]], capture_output=True, text=True, timeout=60)
                        self.assertIn(said, done.stdout + done.stderr)
        self.fails(job(end("Reader", "src", ["b", " a,coalesce(b, 'x')"]), end("Writer", "dst")),
                   """parameter.column[1]: found " a,coalesce(b, 'x')", which is 2 expressions; write each as an entry of its own: "a", "coalesce(b, 'x')\"""", code=1)
        self.succeeds(job(end("Reader", "src", ["(ARRAY[a, 1])[1]", "b", "ROW(a, b)::pair"]), end("Writer", "dst")))
        sql("DELETE FROM dst")
        for user in ("admin", "plain"):
            for star in ("src.*", ' public."src".* ', "SRC.*"):
                self.succeeds(job(end("Reader", "src", [star], user=user), end("Writer", "dst")))
        self.assertEqual(sql("SELECT dst, count(*) FROM dst GROUP BY 1"), '(1,x,"(2,y)")|6\n')

    def test_what_calls_a_volatile_function_is_one_split_where_nobody_names_a_split_pk(self):
        sql("CREATE TABLE src AS SELECT i AS id, repeat('x', 500) AS t FROM generate_series(1, 30000) i; ALTER TABLE src ADD PRIMARY KEY (id); ANALYZE src; "
            "CREATE TABLE dst (id int, n float8); CREATE FUNCTION stays() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'; "
            "CREATE FUNCTION \"Moves\"() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        for text, what, more in (('"Moves"()', "Moves", {}), ('public."Moves"()', "Moves", {}), ("random()", "", {}), ("stays()", "", {}), ("extract(epoch FROM clock_timestamp())", "", {}),
                                 ("random()", "random", {"session": ["SELECT setseed(0.5)"]}), ("1", "Moves", {"where": '"Moves"() > 0'})):
            with self.subTest(text, **more):
                document = job(end("Reader", "src", ["id", text], splitMode="auto", **more), end("Writer", "dst", preSql=["DELETE FROM dst"]))
                document["setting"]["speed"]["concurrent"] = 2
                ended = self.succeeds(document)
                said = f'one split, because the function "{what}" is VOLATILE, and may answer otherwise where each split calls it in a session of its own' if what else "split by ranges of (id)"
                self.assertIn(said, ended.text)
        document["steps"][0]["parameter"].update(splitPk="id")
        self.assertIn('the function "Moves" is VOLATILE, and may answer otherwise where each split calls it in a session of its own; leave splitPk out for one result', self.succeeds(document).text)

    def test_queries_of_different_types_are_told_apart(self):
        sql("CREATE TABLE dst (a text, b text)")
        reader = end("Reader", "x", querySql=["SELECT 1 AS a, 'x' AS b", "SELECT 2, 'y'", "SELECT now(), 3, 4"])
        del reader["parameter"]["table"], reader["parameter"]["column"]
        ended = self.fails(job(reader, end("Writer", "dst")), code=1)
        self.assertRegex(ended.text, r'job.json:[0-9]+:[0-9]+ steps\[0\]\.parameter\.querySql\[2\]: this query returns other types than [^ ]*.*steps\[0\]\.parameter\.querySql\[0\]: '
                         r'column 1 \("a"\) is timestamp with time zone here and integer there, column 2 \("b"\) is integer here and text there, column 3 is integer here and missing there; '
                         'cast them to the same type in one of the two')

    def test_a_table_that_is_named_twice_in_other_words_is_refused(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (id int)")
        twice = end("Reader", "src")
        twice["parameter"]["connection"] = [{"jdbcUrl": twice["parameter"]["jdbcUrl"].replace("127.0.0.1", host), "table": ["src"]} for host in ("127.0.0.1", "localhost")]
        del twice["parameter"]["jdbcUrl"], twice["parameter"]["table"]
        for reader in (end("Reader", ["src", "public.src"]), end("Reader", ["src", '"src"']), twice):
            self.fails(job(reader, end("Writer", "dst")), 'table "public"."src" of', "is named twice; leave one out", code=1)

    def test_a_step_behind_the_data_may_wait_for_snapshots(self):
        sql("CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 100) i; CREATE TABLE dst (id int)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", postSql=["CREATE INDEX CONCURRENTLY dst_id ON dst (id)"])))
        self.assertEqual(sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'dst_id'::regclass"), "t\n")

    def test_a_step_before_the_data_that_would_wait_for_the_runs_own_reader_is_refused(self):
        sql("CREATE TABLE src AS SELECT i AS id, repeat('x', 1000) AS t FROM generate_series(1, 9000) i; CREATE TABLE dst (id int, t text); CREATE INDEX dst_id ON dst (id)")
        for statement in ("CREATE INDEX CONCURRENTLY dst_t ON dst (t)", "REINDEX (CONCURRENTLY) INDEX dst_id"):
            document = job(end("Reader", "src"), end("Writer", "dst", preSql=[statement]))
            said = f'preSql[0]: "{statement}" waits until all that reads this database under an older snapshot is done, and this job\'s reader does so until its end'
            self.assertIn(said, self.fails(document, "write it into", code=1).text)
            for command in ("check", "plan"):
                done = subprocess.run([PROGRAM, command, self.arguments(document)[2]], capture_output=True, text=True, timeout=60)
                self.assertIn(said, done.stdout + done.stderr)
        self.assertEqual(sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid OR indexrelid::regclass::text = 'dst_t'"), "0\n")
        # What is no more than seen to wait: found by whom it waits for.
        self.fails(job(end("Reader", "src", snapshot="none"), end("Writer", "dst", session=["SET lock_timeout = 0"], preSql=["DO 'BEGIN LOCK TABLE src; END'"])),
                   'it waited for process', ' src", user admin', "which reads for this run until its end: run the statement by itself before the job", code=1)
        sql("CREATE DATABASE reads_elsewhere")
        self.addCleanup(sql, "DROP DATABASE reads_elsewhere")
        sql("CREATE TABLE src AS SELECT 1 AS id, 'x' AS t", "reads_elsewhere")
        elsewhere = end("Reader", "src")
        elsewhere["parameter"]["jdbcUrl"] = elsewhere["parameter"]["jdbcUrl"].replace("/sluice", "/reads_elsewhere")
        self.succeeds(job(elsewhere, end("Writer", "dst", preSql=["CREATE INDEX CONCURRENTLY dst_t ON dst (t)"])))

    def test_a_view_that_the_server_inserts_into_is_a_destination(self):
        sql("CREATE TABLE src (id int, t text, up text, extra int); INSERT INTO src SELECT i, 't' || i, 'u', i FROM generate_series(1, 2500) i; "
            "CREATE TABLE under (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text CHECK (t <> 't77'), extra int); "
            "CREATE VIEW v AS SELECT id, t, upper(t) AS up, extra FROM under WHERE id > 5 WITH CHECK OPTION")
        document = job(end("Reader", "src"), end("Writer", "v"), errors=10)
        ended = self.run_job(document)
        self.assertEqual((ended.code, ended.summary["written"], ended.summary["dirty"]), (0, 2494, 6), ended)
        planned = subprocess.run([PROGRAM, "plan", self.arguments(document)[2]], capture_output=True, text=True, timeout=60).stdout
        for said in ('View "v" is written to by INSERT, ', "they go into the table under it.", 'Column "up" is computed by the server and left out'):
            self.assertIn(said, planned)
        self.assertEqual(sql("SELECT count(*), sum(id), sum(extra), min(id) FROM under"), "2494|3126158|3126158|6\n")
        # What lies under it counts: rows that were read there, and a crash that would empty it.
        sql("CREATE TABLE plain (id int PRIMARY KEY, t text); INSERT INTO plain SELECT i, 't' FROM generate_series(1, 1000) i; ANALYZE plain; CREATE VIEW on_plain AS SELECT * FROM plain; "
            "CREATE UNLOGGED TABLE gone (id int, t text); CREATE VIEW on_gone AS SELECT * FROM gone")
        self.fails(job(end("Reader", "plain", ["id + 1000 AS id", "t"], splitPk="id", snapshot="none"), end("Writer", "on_plain"), concurrent=4), "splits", code=1)
        self.assertIn("a crash empties it", self.succeeds(job(end("Reader", "src", ["id", "t"]), end("Writer", "on_gone"))).text)
        for mode in ("update", "replace", "ignore"):
            self.fails(job(end("Reader", "src"), end("Writer", "v", writeMode=mode)), f'"v" is a view, which has no key that "writeMode": "{mode}" could find rows by; name the table under it, or set "insert"', code=1)
        sql("CREATE VIEW joined AS SELECT a.id, b.t FROM under a JOIN under b USING (id)")
        self.fails(job(end("Reader", "src", ["id", "t"]), end("Writer", "joined")), "the server cannot tell where its rows would go; name the table under it, or give it a trigger (INSTEAD OF INSERT)", code=1)
        sql("CREATE TABLE got (id int, t text); CREATE FUNCTION puts() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id = 3 THEN RETURN NULL; END IF; INSERT INTO got VALUES (NEW.id, NEW.t); RETURN NEW; END$$; "
            "CREATE TRIGGER puts INSTEAD OF INSERT ON joined FOR EACH ROW EXECUTE FUNCTION puts()")
        ended = self.run_job(job(end("Reader", "src", ["id", "t"]), end("Writer", "joined"), errors=1))
        self.assertEqual((ended.code, ended.summary["written"], ended.summary["dirty"]), (0, 2499, 1), ended)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT id) FROM got WHERE id <> 3"), "2499|2499\n")
        sql("CREATE MATERIALIZED VIEW kept AS SELECT 1 AS id")
        self.fails(job(end("Reader", "src", ["id"]), end("Writer", "kept")), '"kept" is a materialized view, which holds what its query gives', code=1)

    def test_a_foreign_table_is_a_destination_whose_promise_says_what_two_servers_mean(self):
        sql("CREATE TABLE src (id int, t text); INSERT INTO src SELECT i, 't' || i FROM generate_series(1, 500) i; CREATE TABLE remote (id int PRIMARY KEY, t text CHECK (t <> 't77')); "
            f"CREATE EXTENSION postgres_fdw; CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{whole.SERVER.port}', dbname 'sluice'); "
            f"CREATE USER MAPPING FOR admin SERVER back OPTIONS (user 'admin', password '{whole.SERVER.password('admin').replace(chr(39), chr(39) * 2)}'); "
            "CREATE FOREIGN TABLE away (id int, t text) SERVER back OPTIONS (table_name 'remote'); "
            "CREATE FOREIGN TABLE shut (id int, t text) SERVER back OPTIONS (table_name 'remote', updatable 'false'); CREATE VIEW over AS SELECT * FROM away")
        self.addCleanup(sql, "DROP EXTENSION postgres_fdw CASCADE")
        promise = "exactly once, unless a server fails between two commits: the rows of a foreign table are committed by its own server"
        for table in ("away", "over"):
            ended = self.run_job(job(end("Reader", "src"), end("Writer", table), errors=1))
            self.assertEqual((ended.code, ended.summary["written"], ended.summary["dirty"]), (0, 499, 1), ended)
            self.assertIn(promise, ended.text)
            self.assertEqual(sql("SELECT count(*), sum(id) FROM remote; DELETE FROM remote"), f"499|{125250 - 77}\n")
        self.fails(job(end("Reader", "src"), end("Writer", "shut")), '"shut" is a foreign table, whose wrapper takes no rows, or is told not to ("updatable")', code=1)

    def test_an_index_that_is_refused_behind_the_data_is_said_to_be_left_half_made(self):
        sql("CREATE TABLE src AS SELECT 1 AS id FROM generate_series(1, 2); CREATE TABLE dst (id int)")
        self.fails(job(end("Reader", "src"), end("Writer", "dst", postSql=["CREATE UNIQUE INDEX CONCURRENTLY dst_id ON dst (id)"])),
                   "(23505)", "look whether what it creates is there (an index that it left half made is INVALID: drop that first)")
        self.assertEqual(sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'dst_id'::regclass"), "f\n")

    def test_a_server_that_only_speaks_the_protocol_may_lack_statement_timeout(self):
        sql("CREATE TABLE src AS SELECT 1 AS id; CREATE TABLE dst (id int); ALTER FUNCTION pg_catalog.current_setting(text) RENAME TO hidden_setting")
        self.addCleanup(sql, "ALTER FUNCTION pg_catalog.hidden_setting(text) RENAME TO current_setting")
        self.succeeds(job(end("Reader", "src", user="plain", session=["SET work_mem = '8MB'"]), end("Writer", "dst", user="plain")))

    def test_a_statement_that_takes_too_long_names_the_setting_and_where_it_stands(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (id int)")
        ended = self.run_job(job(end("Reader", "src", where="pg_sleep(9) IS NOT NULL", session=["SET statement_timeout = '200ms'"]), end("Writer", "dst")))
        self.assertEqual(ended.code, 1, ended)
        for part in ("(57014)", "raise statement_timeout", '"session"', '"statementTimeout"', '"jdbcUrl"'):
            self.assertIn(part, ended.text)
        self.assertEqual(ended.summary["error"]["code"], "time_limit")

    def test_a_lock_that_is_waited_for_in_vain_names_the_jobs_own_limit(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (id int)")
        holder = threading.Thread(target=sql, args=("BEGIN; LOCK TABLE dst IN SHARE MODE; SELECT pg_sleep(2); COMMIT",))
        holder.start()
        self.addCleanup(holder.join)
        until(lambda: sql("SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND relation = 'dst'::regclass") == "1\n", "the lock")
        ended = self.run_job(job(end("Reader", "src"), end("Writer", "dst", session=["SET lock_timeout = '200ms'"])), "--retries", "0")
        self.assertEqual(ended.code, 1, ended)
        self.assertIn('(55P03); another session holds a lock on the table; lock_timeout is 200ms, by the job\'s "session" or "options" of its address: raise it there', ended.text)

    def test_a_limit_of_the_job_that_strikes_while_data_moves_is_not_tried_again(self):
        sql("CREATE TABLE src (id int, t text); INSERT INTO src SELECT i, repeat('x', 1000) FROM generate_series(1, 60000) i; CREATE TABLE dst (LIKE src)")
        document = job(end("Reader", "src", session=["SET statement_timeout = '1s'"]), end("Writer", "dst"))
        document["setting"]["speed"].update(throttle=True, mbps="2")
        ended = self.run_job(document)
        self.assertEqual((ended.code, ended.summary["rewinds"], ended.summary["retryable"]), (1, 0, False), ended)
        self.assertIn("raise statement_timeout", ended.text)
        self.assertIn("Raise the limit of time and run it again: the same command goes on from the last mark", ended.text)
        self.assertNotIn(". Run it again", ended.text)
        document["steps"][0]["parameter"]["session"] = []
        del document["setting"]["speed"]["throttle"], document["setting"]["speed"]["mbps"]
        self.succeeds(document)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT id) FROM dst"), "60000|60000\n")

    def test_a_limit_that_stands_in_the_address_is_not_tried_again_either(self):
        sql("CREATE TABLE src (id int); INSERT INTO src VALUES (1); CREATE TABLE dst (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(5); RETURN NEW; END'; "
            "CREATE TRIGGER t BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION f()")
        for user in ("admin", "plain"):
            writer = end("Writer", "dst", user=user)
            writer["parameter"]["jdbcUrl"] += "?statementTimeout=600"
            ended = self.run_job(job(end("Reader", "src"), writer), "--on-unfinished", "fresh")
            self.assertEqual((ended.code, ended.summary["error"]["code"], ended.summary["rewinds"]), (1, "time_limit", 0), ended)


class Texts(whole.Jobs):
    # Type of the source, value, type of the destination: the server would store another value without a word.
    CHANGED = [
        ("interval", "1 year 3 days 04:05:06", "interval year to month"),
        ("interval", "3 days 04:05:06", "interval hour"),
        ("numeric[]", "{1.255,9.999}", "numeric(10,2)[]"),
        ("timestamp[]", '{"2024-01-01 00:00:00.7"}', "timestamp(0) without time zone[]"),
        ("a1", "(1.26)", "a2"),
        ("a1[]", '{"(1.26)"}', "a2[]"),
        ("numeric[]", "{1.26}", "d5[]"),
        ("float8[]", "{0.123456789012}", "real[]"),
        ("text[]", "{" + "n" * 70 + "}", "name[]"),
    ]

    def test_a_type_in_which_the_server_would_change_values_without_a_word_is_refused_before_data_moves(self):
        for source, value, destination in self.CHANGED:
            with self.subTest(destination):
                self.setUp()
                sql("CREATE TYPE a1 AS (n numeric); CREATE TYPE a2 AS (n numeric(5,1)); CREATE DOMAIN d5 AS numeric(5,1); "
                    f"CREATE TABLE src (v {source}); INSERT INTO src VALUES ('{value}'); CREATE TABLE dst (v {destination})")
                self.fails(job(end("Reader", "src"), end("Writer", "dst"), errors=1), '"v"', destination, "without a word")
                self.assertEqual(sql("SELECT count(*) FROM dst"), "0\n")

    def test_such_a_type_takes_what_is_of_the_same_type(self):
        for source, value, destination in self.CHANGED:
            with self.subTest(destination):
                self.setUp()
                sql("CREATE TYPE a1 AS (n numeric); CREATE TYPE a2 AS (n numeric(5,1)); CREATE DOMAIN d5 AS numeric(5,1); "
                    f"CREATE TABLE src (v {destination}); INSERT INTO src VALUES ('{value}'); CREATE TABLE dst (v {destination})")
                self.succeeds(job(end("Reader", "src"), end("Writer", "dst")))
                self.assertEqual(sql("SELECT count(*) FROM src JOIN dst ON src.v::text = dst.v::text"), "1\n")

    def test_seconds_that_the_server_would_round_inside_of_arrays_and_ranges_are_dirty(self):
        for kind, good, bad in (("timestamp[]", '{"2024-01-01 00:00:00.123456",NULL}', '{"2024-01-01 00:00:00.1234567"}'), ("time[]", "{00:00:00.5000000}", "{00:00:00.0000001}"),
                                ("interval[]", '{"1 day 00:00:00.5"}', '{"00:00:00.1234567"}'), ("tstzrange", '["2024-01-01 00:00:00.5+00",)', '["2024-01-01 00:00:00.1234567+00",)'),
                                ("tsrange[]", '{"[2024-01-01,)"}', '{"[2024-01-01 00:00:00.1234567,)"}')):
            with self.subTest(kind):
                self.setUp()
                sql(f"CREATE TABLE src (v text); INSERT INTO src VALUES ('{good}'), ('{bad}'), (NULL); CREATE TABLE dst (v {kind})")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
                self.assertEqual(ended.summary["dirty_by_code"], {"too_precise": 1}, ended)
                self.assertEqual(sql(f"SELECT count(*), count(v), bool_and(v = '{good}'::{kind}) FROM dst"), "2|1|t\n")

    def test_what_the_server_would_guess_inside_of_a_text_is_dirty_and_the_same_type_arrives_equal(self):
        sql("CREATE TABLE src (id int, t text); CREATE TABLE plain (id int, a date[]); CREATE TABLE zoned (id int, r tstzrange); CREATE TABLE numbered (id int, x xid);"
            "INSERT INTO src VALUES (1, '{2025-07-20,infinity}'), (2, '{today}'), (3, '{01/02/2003}'), (4, '[2025-07-20 10:30:00+02,)'), (5, '[2025-07-20 10:30:00,)'),"
            "(6, '4294967295'), (7, '5000000000'), (8, '-1')")
        for table, kept, code, dirty in (("plain", "id < 4", "not_representable", 2), ("zoned", "id IN (4, 5)", "not_representable", 1),
                                         ("numbered", "id > 5", "out_of_range", 2)):
            with self.subTest(table):
                ended = self.succeeds(job(end("Reader", "src", where=kept), end("Writer", table), errors=9))
                self.assertEqual(ended.summary["dirty_by_code"], {code: dirty}, ended)
                same = f"again_{table}"
                sql(f"INSERT INTO {table} SELECT 2, {'r' if table == 'zoned' else 'NULL'} FROM {table}; CREATE TABLE {same} (LIKE {table})")
                self.succeeds(job(end("Reader", table), end("Writer", same)))
                self.assertEqual(sql(f"SELECT count(*) FROM (TABLE {same} EXCEPT TABLE {table}) x"), "0\n")
        self.assertEqual(sql("SELECT a FROM plain WHERE id = 1; SELECT x FROM numbered WHERE id = 6"), "{2025-07-20,infinity}\n4294967295\n")

    def test_a_blank_that_would_be_lost_among_those_of_a_char_is_dirty(self):
        sql("CREATE TABLE src (id int, v text); INSERT INTO src VALUES (1, 'ab'), (2, 'ab '), (3, 'ab   '), (4, ''), (5, 'äöü  '), (6, 'äöü '); "
            "CREATE TABLE dst (id int, v char(5)); CREATE TABLE wider (id int, v char(9))")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=2))
        self.assertEqual(ended.summary["dirty_by_code"], {"not_representable": 2}, ended)
        self.assertEqual(sql("SELECT id, '<' || v || '>', length(v) FROM dst ORDER BY 1"), "1|<ab>|2\n3|<ab>|2\n4|<>|0\n5|<äöü>|3\n")
        self.succeeds(job(end("Reader", "dst"), end("Writer", "wider")))  # whose blanks mean nothing
        self.assertEqual(sql("SELECT count(*) FROM dst JOIN wider USING (id, v)"), "4\n")

    def test_a_text_of_several_characters_for_one_is_dirty(self):
        sql("CREATE TABLE src (v text); INSERT INTO src VALUES ('abc'), ('d'); CREATE TABLE dst (v \"char\")")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"too_long": 1})
        self.assertEqual(sql("TABLE dst"), "d\n")


class Money(whole.Jobs):
    """On a server with a locale whose decimal point is a comma: 1.25 is there 125."""

    @unittest.skipUnless(shutil.which("localedef"), "localedef is not installed, which makes the locale")
    def test_money_beside_a_column_that_travels_as_text_is_refused_where_the_server_reads_its_point_otherwise(self):
        with tempfile.TemporaryDirectory() as locales:
            os.chmod(locales, 0o755)
            subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", f"{locales}/de_DE.utf8"], check=True, capture_output=True)
            with mock.patch.dict(os.environ, LOCPATH=locales):
                running = Running(["postgresql"]).__enter__()
            self.addCleanup(running.__exit__, None, None, None)
            usual, whole.SERVER = whole.SERVER, running.servers["postgresql"]
            self.addCleanup(setattr, whole, "SERVER", usual)
            sql("CREATE TABLE src (m money, i inet); INSERT INTO src VALUES ('1.25', '::1'); CREATE TABLE dst (LIKE src); ALTER DATABASE sluice SET lc_monetary = 'de_DE.UTF-8'")
            self.fails(job(end("Reader", "src"), end("Writer", "dst")), "lc_monetary", code=1)
            self.succeeds(job(end("Reader", "src", ["m"]), end("Writer", "dst", ["m"])))
            self.assertEqual(sql("SELECT m::numeric FROM dst"), "1.25\n")


class Environment(whole.Jobs):
    def test_nothing_in_the_environment_has_a_say(self):
        sql("CREATE TABLE src AS SELECT timestamptz '2024-01-01 00:00:00+00' AS t, interval '1 day' AS i; CREATE TABLE dst (LIKE src)")
        reader = end("Reader", "src")
        reader["parameter"]["jdbcUrl"] = f"jdbc:postgresql://localhost:{whole.SERVER.port}/sluice?sslmode=verify-full&sslrootcert={whole.SERVER.certificates.path('ca.pem')}"
        for name, value in {"PGHOST": "127.0.0.2", "PGPORT": "1", "PGUSER": "nobody", "PGPASSWORD": "x", "PGDATABASE": "x", "PGSERVICE": "x", "PGTZ": "no zone",
                            "PGDATESTYLE": "no style", "PGGEQO": "x", "PGOPTIONS": "-c search_path=x", "PGSSLMODE": "x", "PGSSLROOTCERT": "/x", "PGSSLCRL": "/x",
                            "PGSSLCRLDIR": str(whole.SERVER.certificates.path("ca.pem").parent), "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
                            "PGSSLMAXPROTOCOLVERSION": "TLSv1.1", "PGREQUIREAUTH": "none", "PGTARGETSESSIONATTRS": "standby", "PGCLIENTENCODING": "LATIN1"}.items():
            with self.subTest(name), mock.patch.dict(os.environ, {name: value}):
                self.succeeds(job(reader, end("Writer", "dst", preSql=["DELETE FROM @table"])))
        self.assertEqual(sql("SELECT count(*) FROM src JOIN dst USING (t, i)"), "1\n")


class Sessions(whole.Jobs):
    SHOWN = "current_setting('statement_timeout') || ' ' || current_setting('idle_session_timeout') || ' ' || current_setting('lock_timeout')"

    def settings(self, url="", **session):
        """Of sessions that read, write and hold the claim; a run fails where a statement is ended by a time."""
        sql(f"DROP TABLE IF EXISTS dst, claim; CREATE TABLE dst (reads text, writes text DEFAULT {self.SHOWN}); CREATE TABLE claim (shown text)")
        reader = end("Reader", "", querySql=f"SELECT {self.SHOWN} FROM pg_sleep(1.2)", **session)
        del reader["parameter"]["table"], reader["parameter"]["column"]
        writer = end("Writer", "dst", ["reads"], preSql=[f"INSERT INTO claim SELECT {self.SHOWN}"], **session)
        for one in (reader, writer):
            one["parameter"]["jdbcUrl"] += url
        ended = self.succeeds(job(reader, writer))
        return sql("SELECT reads, writes, shown FROM dst, claim").rstrip("\n").split("|"), ended

    def test_settings_of_the_account_change_no_value_that_travels_as_text(self):
        sql("ALTER ROLE admin SET array_nulls = off; ALTER ROLE admin SET xmloption = document")
        self.addCleanup(sql, "ALTER ROLE admin RESET ALL")
        sql("CREATE TABLE src (id int, a text[], x xml); SET array_nulls = on; SET xmloption = content; INSERT INTO src VALUES (1, '{NULL,a}', 'text <b>x</b>'); CREATE TABLE dst (LIKE src, iv interval(0))")
        self.succeeds(job(end("Reader", "src", ["id", "a::text", "x::text"]), end("Writer", "dst", ["id", "a", "x"])))
        self.assertEqual(sql("SELECT a[1] IS NULL, x FROM dst"), "t|text <b>x</b>\n")

    def test_times_that_server_or_account_set_end_nothing_and_the_jobs_own_count(self):
        sql("ALTER ROLE admin SET statement_timeout = '1s'; ALTER ROLE admin SET idle_session_timeout = '1s'; ALTER ROLE admin SET lock_timeout = '1s'")
        self.addCleanup(sql, "ALTER ROLE admin RESET ALL")
        shown, _ = self.settings()
        self.assertEqual(shown, ["0 0 30s"] * 3)
        shown, ended = self.settings(session=["SET statement_timeout = '77s'", "SET lock_timeout = '5min'; SET DateStyle = 'German'; SET bytea_output = 'hex'"])
        self.assertEqual(shown, ["77s 0 5min"] * 3)
        for step in (0, 1):
            self.assertIn(f"steps[{step}].parameter.session[0]: DateStyle = German, DMY has no effect: it is ISO, MDY", ended.text)
        for setting in ("timeout =", "bytea_output ="):
            self.assertNotIn(setting, ended.text)
        shown, ended = self.settings("?options=-c%20statement_timeout=66000%20-c%20idle_session_timeout=5000")
        self.assertEqual(shown, ["66s 0 30s"] * 3)
        self.assertIn("idle_session_timeout = 5s has no effect: it is 0", ended.text)


class Staged(whole.Jobs):
    def test_columns_may_have_any_name_that_is_used_inside(self):
        names = ["n", "lowest", "took", "wanted", "code", "words", "more", "column_", "constraint_", "s", "t", "i", "sluice_row",
                 'x""$sluice$; DROP TABLE victim; --', "c1", "back\\''slash"]
        columns = ", ".join(f'"{name}" text' for name in names)
        sql(f"CREATE TABLE victim (i int); CREATE TABLE src (code_key text, {columns}); "
            f"INSERT INTO src SELECT 'k' || (i % 50), {', '.join(['i::text'] * len(names))} FROM generate_series(1, 100) i")
        for mode in ("insert", "update", "replace", "ignore"):
            for key in ("code", "n"):
                with self.subTest(mode, key=key):
                    sql(f"DROP TABLE IF EXISTS dst; CREATE TABLE dst (LIKE src, CHECK (words <> '99'), UNIQUE ({key}))" if mode == "insert" else
                        f"DROP TABLE IF EXISTS dst; CREATE TABLE dst (LIKE src, CHECK (words <> '99'), PRIMARY KEY ({key}))")
                    ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=1))
                    self.assertEqual(ended.summary["dirty_by_code"], {"23514": 1})
                    self.assertEqual(sql("SELECT count(*), to_regclass('victim') FROM dst"), "99|victim\n")

    def test_duplicates_of_several_keys_are_told_from_other_bad_rows_beside_good_ones(self):
        own = "CREATE DOMAIN filled AS text NOT NULL; "
        for kind in ("text", "filled"):  # whole rows in their own bytes, and one by one
            with self.subTest(kind):
                self.setUp()
                sql(own + f"CREATE TABLE src (pad {kind}, id int, n int, code text, more text); "
                    "INSERT INTO src SELECT 'pad', i, i, 'c' || i, 'more ' || i FROM generate_series(1, 3000) i; "
                    "UPDATE src SET n = -1 WHERE id % 10 = 5; INSERT INTO src SELECT 'pad', 3000, 1, 'last', 'the same key twice'; "
                    f"CREATE TABLE dst (pad {kind}, id int PRIMARY KEY, n int CHECK (n > 0), code text, more text, UNIQUE (code, n)); "
                    "INSERT INTO dst SELECT 'old', i, i, 'old', 'old' FROM generate_series(1, 3000) i WHERE i % 10 IN (1, 2, 3, 4); "
                    "INSERT INTO dst SELECT 'old', 9000 + i, i, 'c' || i, 'old' FROM generate_series(1, 3000) i WHERE i % 10 IN (6, 7, 8)")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=5000))
                self.assertEqual(ended.summary["dirty_by_code"], {"23505": 7 * 300 + 1, "23514": 300})
                with open(ended.summary["dirty_file"], encoding="utf-8") as file:
                    records = [json.loads(line) for line in file]
                named = collections.Counter(r["column"] for r in records if r["code"] == "23505")
                self.assertEqual(named, {"id": 4 * 300 + 1, "code, n": 3 * 300})
                self.assertTrue(all("already exists" in r["message"] for r in records if r["code"] == "23505"))
                self.assertEqual(sql("SELECT count(*), count(*) FILTER (WHERE more LIKE 'more %'), min(n) FROM dst"), "2700|600|1\n")

    def test_pipelines_that_meet_the_same_keys_again_and_again_do_not_wait_in_a_circle_and_the_last_of_a_split_wins(self):
        sql("CREATE TABLE src AS SELECT i AS id, (i * 7919) % 500 AS k, i AS v FROM generate_series(1, 10000) i; ALTER TABLE src ADD PRIMARY KEY (id); ANALYZE src; "
            "CREATE TABLE dst (k int PRIMARY KEY, v int)")
        for mode in ("update", "replace"):
            sql("TRUNCATE dst")
            deadlocks = sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'sluice'")
            ended = self.succeeds(job(end("Reader", "src", ["k", "v"], splitPk="id"), end("Writer", "dst", ["k", "v"], writeMode=mode), concurrent=4), "--on-unfinished", "fresh")
            self.assertEqual((ended.summary["written"], ended.summary.get("retries", 0)), (10000, 0), ended)
            self.assertEqual(sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'sluice'"), deadlocks)
            sql("TRUNCATE dst")
            self.succeeds(job(end("Reader", "src", ["k", "v"]), end("Writer", "dst", ["k", "v"], writeMode=mode)))
            self.assertEqual(sql("SELECT count(*) FROM (SELECT k, max(v) AS v FROM src GROUP BY k EXCEPT TABLE dst) x; SELECT count(*) FROM dst"), "0\n500\n")

    def test_pipelines_that_bring_the_same_new_keys_in_no_order_hardly_wait_in_a_circle(self):
        # In the source's order both take 12 deadlocks and more, of which each costs a second (deadlock_timeout).
        sql("CREATE TABLE src AS SELECT i AS id, hashint4(i) & 2047 AS k, i AS v FROM generate_series(1, 20000) i; ALTER TABLE src ADD PRIMARY KEY (id); ANALYZE src; "
            "CREATE TABLE dst (k int PRIMARY KEY, v int)")
        for mode, deadlocks_max in (("ignore", 1), ("insert", 7)):  # each of four COPYs may meet another one's key before it goes by the key's order
            sql("TRUNCATE dst")
            before = int(sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'sluice'"))
            ended = self.succeeds(job(end("Reader", "src", ["k", "v"], splitPk="id"), end("Writer", "dst", ["k", "v"], writeMode=mode), concurrent=4, errors=20000), "--on-unfinished", "fresh")
            self.assertEqual((ended.summary["written"], ended.summary["ignored"] + ended.summary["dirty"]), (2048, 17952), ended)
            self.assertLessEqual(int(sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'sluice'")) - before, deadlocks_max, mode)

    def test_rows_that_cannot_be_staged_are_refused_behind_a_deadlock_too(self):
        # Behind the deadlock the next transactions are staged without a COPY before.
        sql("CREATE TABLE src AS SELECT i AS id, CASE WHEN i IN (1, 700, 701) THEN 'none' ELSE 'one' END AS v FROM generate_series(1, 1000) i; CREATE TYPE kind AS ENUM ('one'); "
            "CREATE TABLE dst (id int PRIMARY KEY, v kind); CREATE SEQUENCE tries; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN IF nextval(''tries'') = 1 THEN RAISE EXCEPTION ''in a circle'' USING ERRCODE = ''40P01''; END IF; RETURN NULL; END'; "
            "CREATE TRIGGER t BEFORE INSERT ON dst FOR EACH STATEMENT EXECUTE FUNCTION f()")
        ended = self.run_job(job(end("Reader", "src"), end("Writer", "dst"), errors=3), timeout=30)
        self.assertEqual((ended.code, ended.summary["retries"], ended.summary["dirty_by_code"]), (0, 1, {"22P02": 3}), ended)
        self.assertEqual(sql("SELECT count(*) FROM dst"), "997\n")

    def test_of_records_with_one_key_the_first_is_written_where_rows_go_in_the_order_of_another_key_too(self):
        sql("CREATE TABLE src AS SELECT i AS id, 5000 - i AS k, i % 100 AS u FROM generate_series(1, 1000) i; ALTER TABLE src ADD PRIMARY KEY (id); CREATE TABLE dst (id int, k int PRIMARY KEY, u int UNIQUE)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode="ignore")))
        self.assertEqual(sql("SELECT count(*), max(id) FROM dst"), "100|100\n")

    def test_a_row_that_others_replace_too_is_replaced_once_it_can_be(self):
        # Deleting finds nothing for a while, as where another session has just put in its own row.
        sql("CREATE TABLE src AS SELECT i AS id, 'new ' || i AS v FROM generate_series(1, 20) i; CREATE TABLE dst (id int PRIMARY KEY, v text, w text UNIQUE); INSERT INTO dst VALUES (5, 'old', 'w'), (6, 'old', NULL); "
            "CREATE SEQUENCE tries; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.id = 5 AND nextval(''tries'') < 6 THEN RETURN NULL; END IF; RETURN OLD; END'; "
            "CREATE TRIGGER t BEFORE DELETE ON dst FOR EACH ROW EXECUTE FUNCTION f()")
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "v"], writeMode="replace")))
        self.assertEqual(sql("SELECT count(*), count(*) FILTER (WHERE v LIKE 'new %'), nextval('tries') > 6 FROM dst"), "20|20|t\n")
        sql("ALTER SEQUENCE tries RESTART; CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.id = 5 THEN RETURN NULL; END IF; RETURN OLD; END'")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "v"], writeMode="replace"), errors=1), "--on-unfinished", "fresh")
        self.assertEqual(ended.summary["dirty_by_code"], {"23505": 1})

    def test_ignore_writes_a_row_whose_key_is_gone_by_the_time_it_is_looked_for(self):
        # Row 7 is left out by ON CONFLICT alone, as where another session deletes the row that it met; row 8 is warned of.
        sql("CREATE TABLE src AS SELECT i AS id FROM generate_series(1, 20) i; CREATE TABLE dst (id int PRIMARY KEY); INSERT INTO dst VALUES (3); "
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 7 AND current_query() LIKE ''%DO NOTHING%'' OR NEW.id = 9 THEN RETURN NULL; END IF; "
            "IF NEW.id = 8 THEN RAISE WARNING ''odd''; END IF; RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION f()")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode="ignore"), errors=2))
        self.assertEqual((ended.summary["written"], ended.summary["ignored"], sorted(ended.summary["dirty_by_code"])), (17, 1, ["01000", "refused_silently"]))
        self.assertEqual(sql("SELECT count(*), bool_or(id = 7) FROM dst"), "18|t\n")

    def test_a_row_that_cannot_be_replaced_is_dirty_and_all_others_are_replaced(self):
        sql("CREATE TABLE src AS SELECT i AS id, 'new ' || i AS v FROM generate_series(1, 100) i; CREATE TABLE dst (id int PRIMARY KEY, v text); INSERT INTO dst VALUES (5, 'old'), (6, 'old'); "
            "CREATE TABLE child (p int REFERENCES dst); INSERT INTO child VALUES (5)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", ["id", "v"], writeMode="replace"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"23503": 1})
        self.assertEqual(sql("SELECT count(*), max(v) FILTER (WHERE id = 5), max(v) FILTER (WHERE id = 6) FROM dst"), "100|old|new 6\n")

    def test_a_trigger_that_gives_rows_their_key_refuses_none_of_them(self):
        for made in ("CREATE TABLE dst (id int PRIMARY KEY, v int CHECK (v > 0))",
                     "CREATE TABLE dst (id int PRIMARY KEY, v int CHECK (v > 0)) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF dst DEFAULT"):
            with self.subTest(made):
                self.setUp()
                on = "part" if "PARTITION" in made else "dst"
                sql(f"CREATE TABLE src (id int, v int); INSERT INTO src SELECT 1, i FROM generate_series(1, 100) i; UPDATE src SET v = -1 WHERE v = 50; {made}; INSERT INTO dst VALUES (1, 1); "
                    "CREATE SEQUENCE q START 100; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id = nextval(''q''); RETURN NEW; END'; "
                    f"CREATE TRIGGER t BEFORE INSERT ON {on} FOR EACH ROW EXECUTE FUNCTION f()")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
                self.assertEqual(ended.summary["dirty_by_code"], {"23514": 1})
                self.assertEqual(sql("SELECT count(*) FROM dst"), "100\n")

    def test_a_table_that_the_server_believes_to_be_empty_is_not_read_whole_for_each_batch(self):
        """As a VACUUM (an autovacuum too) leaves it which looks during the first transaction."""
        for mode in ("replace", "update", "ignore", "insert"):
            with self.subTest(mode):
                self.setUp()
                sql("CREATE TABLE src AS SELECT i AS id, CASE WHEN i % 100 = 0 THEN -1 ELSE i END AS v FROM generate_series(1, 10000) i; "
                    "CREATE TABLE dst (id int PRIMARY KEY, v int CHECK (v > 0)) WITH (autovacuum_enabled = off); INSERT INTO dst SELECT i, i FROM generate_series(9000, 40000) i; "
                    "UPDATE pg_class SET relpages = 200, reltuples = 0 WHERE oid = 'dst'::regclass")
                self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=10000))
                self.assertEqual(sql("SELECT count(*) FROM dst WHERE v = id"), f"{31001 + 8999 - 89}\n")
                while sql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice %'") != "0\n":
                    pass  # a session counts what it read when it ends
                read = sql("SELECT t.seq_tup_read + sum(i.idx_tup_read) FROM pg_stat_user_tables t JOIN pg_stat_user_indexes i USING (relid) WHERE t.relname = 'dst' GROUP BY t.seq_tup_read")
                self.assertLess(int(read), 31001 + 31001 + 10 * 10000)

    def test_rows_of_tables_that_inherit_are_none_of_the_tables_own(self):
        for mode, dirty, told in (("insert", {"23505": 1}, "1|parent\n2|new\n3|new\n"), ("ignore", {}, "1|parent\n2|new\n3|new\n"), ("replace", {}, "1|new\n2|new\n3|new\n"),
                                  ("update", {}, "1|new\n2|new\n3|new\n")):
            with self.subTest(mode):
                self.setUp()
                sql("CREATE TABLE src AS SELECT i AS id, 'new' AS v FROM generate_series(1, 3) i; CREATE TABLE dst (id int PRIMARY KEY, v text); CREATE TABLE child () INHERITS (dst); "
                    "INSERT INTO dst VALUES (1, 'parent'); INSERT INTO child VALUES (1, 'child'), (2, 'child')")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=3))
                self.assertEqual(ended.summary.get("dirty_by_code", {}), dirty)
                self.assertEqual(sql("SELECT * FROM ONLY dst ORDER BY 1; SELECT count(*) FROM child WHERE v = 'child'"), told + "2\n")

    def test_a_key_is_compared_as_its_index_does_it(self):
        sql("CREATE TABLE src (code text, v text); INSERT INTO src VALUES ('b', 'new'), ('B', 'new'), ('c', 'new')")
        ci = "CREATE COLLATION IF NOT EXISTS ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
        for made, written in (("CREATE TABLE dst (code text COLLATE ci, v text); CREATE UNIQUE INDEX ON dst (code COLLATE \"C\")",
                               {"insert": "B|old b|new c|new", "ignore": "B|old b|new c|new", "replace": "B|new b|new c|new", "update": "B|new b|new c|new"}),
                              ("CREATE TABLE dst (code text, v text); CREATE UNIQUE INDEX ON dst (code COLLATE ci)",
                               {"insert": "B|old c|new", "ignore": "B|old c|new", "replace": "B|new c|new", "update": "B|new c|new"})):
            for mode, rows in written.items():
                with self.subTest(made, mode=mode):
                    sql(f"DROP TABLE IF EXISTS dst; {ci}{made}; INSERT INTO dst VALUES ('B', 'old')")
                    ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=2), "--on-unfinished", "fresh")
                    self.assertEqual(ended.summary.get("dirty_by_code", {}), {"23505": 3 - rows.count("new")} if mode == "insert" else {})
                    self.assertEqual(sql("SELECT string_agg(code || '|' || v, ' ' ORDER BY code COLLATE \"C\") FROM dst"), rows + "\n")

    def test_null_is_a_key_like_others_to_an_index_that_says_so(self):
        sql("CREATE TABLE src (id int, v text); INSERT INTO src VALUES (NULL, 'new'), (1, 'new'), (NULL, 'newer')")
        for mode, rows in (("replace", "1|new\n|newer\n"), ("update", "1|new\n|newer\n"), ("ignore", "1|old\n|old\n"), ("insert", "1|old\n|old\n")):
            with self.subTest(mode):
                sql("DROP TABLE IF EXISTS dst; CREATE TABLE dst (id int, v text, UNIQUE NULLS NOT DISTINCT (id)); INSERT INTO dst VALUES (NULL, 'old'), (1, 'old')")
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=3), "--on-unfinished", "fresh")
                self.assertEqual(ended.summary.get("dirty_by_code", {}), {"23505": 3} if mode == "insert" else {})
                self.assertNotIn("found by no key", ended.text)
                self.assertEqual(sql("TABLE dst ORDER BY 1"), rows)

    def test_a_text_that_is_no_value_names_the_tables_column(self):
        sql("CREATE TABLE src (id int, a text); INSERT INTO src VALUES (1, '10.0.0.1'), (2, 'nope'); CREATE TABLE dst (id int PRIMARY KEY, addr inet)")
        for mode in ("update", "replace", "ignore"):
            with self.subTest(mode):
                ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=1), "--on-unfinished", "fresh")
                with open(ended.summary["dirty_file"], encoding="utf-8") as file:
                    record, = [json.loads(line) for line in file]
                self.assertEqual((record["column"], record["value"]), ("addr", "nope"))

    def test_update_of_an_identity_that_is_always_generated_is_refused_before_data_moves(self):
        sql("CREATE TABLE src AS SELECT 1 AS k, 2 AS id; CREATE TABLE dst (k int PRIMARY KEY, id int GENERATED ALWAYS AS IDENTITY)")
        self.fails(job(end("Reader", "src"), end("Writer", "dst", writeMode="update")), 'column "id" is GENERATED ALWAYS AS IDENTITY', 'ALTER "id" SET GENERATED BY DEFAULT')
        self.succeeds(job(end("Reader", "src", ["k"]), end("Writer", "dst", ["k"], writeMode="update")), "--on-unfinished", "fresh")

    def test_what_is_no_fault_of_a_row_ends_the_run(self):
        sql("CREATE TABLE src AS SELECT i AS id, i AS v FROM generate_series(1, 20) i; CREATE TABLE dst (id int PRIMARY KEY, v int CHECK (v <> 3)); "
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 5 THEN RAISE EXCEPTION ''the disk is full'' USING ERRCODE = ''53100''; END IF; RETURN NEW; END'; "
            "CREATE TRIGGER t BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION f()")
        for mode in ("insert", "ignore"):
            with self.subTest(mode):
                self.fails(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode), errors=20), "the disk is full", "53100")
                self.assertEqual(sql("SELECT count(*) FROM dst"), "0\n")


class Statements(whole.Jobs):
    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (id int, t text); INSERT INTO src VALUES (1, 'a'); CREATE TABLE dst (id int, t text)")

    def test_a_copy_from_or_to_the_program_is_refused(self):
        for reader, writer in ((end("Reader", "src"), end("Writer", "dst", preSql=["COPY dst FROM STDIN"])),
                               (end("Reader", "src"), end("Writer", "dst", postSql=["COPY dst TO STDOUT"])),
                               (end("Reader", "src", session=["COPY src TO STDOUT"]), end("Writer", "dst"))):
            with self.subTest(writer["parameter"]):
                ended = self.run_job(job(reader, writer), timeout=30)
                self.assertNotEqual(ended.code, 0, ended)
                self.assertIn("cannot stand here", ended.text)

    def test_a_statement_that_fails_is_no_bad_row(self):
        url = end("Reader", "src")["parameter"]["jdbcUrl"] + "?options=-c%20work_mem=abc"
        setting = end("Reader", "src")
        setting["parameter"]["jdbcUrl"] = url
        for reader, where in ((end("Reader", "src", where="id = 'abc'"), "where"), (end("Reader", "src", ["id", "(1/0)::text"]), "division by zero"),
                              (end("Reader", "src", session=["SELECT 1/0"]), "session[0]"), (end("Reader", "src", session=["SET work_mem = 'x'"]), "session[0]"),
                              (setting, "work_mem")):
            with self.subTest(where):
                ended = self.fails(job(reader, end("Writer", "dst"), errors=5), where)
                self.assertNotIn("bad_row", ended.text + json.dumps(ended.summary))

    def test_what_a_constraint_says_at_the_commit_is_no_bad_row(self):
        sql("""CREATE TABLE par (id int PRIMARY KEY); CREATE TABLE d2 (id int, k text, p int DEFAULT 9 REFERENCES par DEFERRABLE);
CREATE FUNCTION dd() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NULL; END';
CREATE TRIGGER a BEFORE INSERT ON d2 FOR EACH STATEMENT EXECUTE FUNCTION dd(); CREATE TRIGGER b AFTER INSERT ON d2 FOR EACH STATEMENT EXECUTE FUNCTION dd()""")
        ended = self.fails(job(end("Reader", "src"), end("Writer", "d2", ["id", "k"]), errors=5), "23503", "COMMIT")
        self.assertNotIn("bad_row", ended.text + json.dumps(ended.summary))

    def test_a_file_that_the_server_does_not_have_is_a_mistake_of_the_job(self):
        ended = self.run_job(job(end("Reader", "src"), end("Writer", "dst", preSql=["COPY dst FROM '/no/such/file'"])), timeout=20)
        self.assertNotEqual(ended.code, 0)
        self.assertIn("58P01", ended.text)
        self.assertIn("bad_option", ended.text + json.dumps(ended.summary))

    def test_a_view_that_is_not_filled_yet_is_named_at_once(self):
        sql("CREATE MATERIALIZED VIEW mv AS TABLE src WITH NO DATA")
        ended = self.run_job(job(end("Reader", "mv"), end("Writer", "dst")), timeout=20)
        self.assertNotEqual(ended.code, 0)
        self.assertIn("has not been populated", ended.text)

    def test_a_step_that_ends_the_transaction_it_runs_in_is_refused_and_not_taken_for_done(self):
        document = job(end("Reader", "src"), end("Writer", "dst", preSql=["DELETE FROM dst; COMMIT"]))
        self.fails(document, "preSql", "ended the transaction it ran in; leave COMMIT and ROLLBACK out")
        self.assertEqual(sql("SELECT stage FROM sluice_run WHERE stage <> 'done'"), "claimed\n")

    def test_several_statements_in_one_text_run_whatever_the_language_of_messages(self):
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", preSql=["DELETE FROM dst; DELETE FROM dst"])))
        self.fails(job(end("Reader", "src"), end("Writer", "dst", preSql=["SELECT 'multiple commands' FORM x y z"])), "preSql", "syntax error")


if __name__ == "__main__":
    unittest.main()
