"""Whole jobs from and into a real MariaDB, as people write them."""

import json
import shutil
import subprocess
import threading
import time
import unittest
from pathlib import Path

from e2e.harness import PROGRAM, ProgramTest, job
from servers.mysql_proxy import MySqlProxy
from servers.running import of_module, until


def setUpModule():
    global SERVER
    SERVER, = of_module("mariadb")


def sql(text, database="sluice"):
    return SERVER.sql(text, database)


def end(category, table, column=("*",), user="admin", step="mysql", **more):
    return {"stepType": step, "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:mysql://127.0.0.1:{SERVER.port}/sluice", "username": user,
                          "password": SERVER.password(user), "table": table, "column": list(column), **more}}


def query(text):
    reader = end("Reader", "x", querySql=text)
    del reader["parameter"]["table"], reader["parameter"]["column"]
    return reader


class Jobs(ProgramTest):
    def setUp(self):
        super().setUp()
        for database in ("sluice", "shard_1", "shard_2"):
            sql(f"DROP DATABASE {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4", "mysql")

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def fails(self, document, *parts):
        ended = self.run_job(document)
        self.assertNotEqual(ended.code, 0, ended)
        for part in parts:
            self.assertIn(part, ended.text)
        self.assertNotIn(SERVER.password("admin"), ended.text)
        return ended


class Moving(Jobs):
    def test_a_star_of_the_table_itself_is_a_star_and_any_other_entry_of_several_columns_is_refused(self):
        sql("CREATE TABLE src (id INT, t TEXT); INSERT INTO src VALUES (1, 'x'); CREATE TABLE dst LIKE src")
        for star in ("src.*", " `sluice`.src.*"):
            self.succeeds(job(end("Reader", "src", [star]), end("Writer", "dst")))
        self.succeeds(job(query("SELECT * FROM src; # all\n -- ;"), end("Writer", "dst")))
        self.assertEqual(sql("SELECT id, t, COUNT(*) FROM dst GROUP BY 1, 2"), "1\tx\t3\n")
        self.fails(job(end("Reader", "src", ["id), (t"]), end("Writer", "dst")), "1 entries make 2 columns; write one expression an entry")

    def test_a_table_is_split_by_ranges_and_arrives_whole(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT, n DECIMAL(10,2), f FLOAT, d DATETIME(6)); "
            "INSERT INTO src SELECT seq, CONCAT('row ', seq, '\\n\\'\\\\'), seq / 100, seq / 7, '2024-02-29' + INTERVAL seq * 7 MICROSECOND "
            "FROM seq_1_to_200000; CREATE TABLE dst LIKE src")
        ended = self.succeeds(job(end("Reader", "src", splitPk="id"), end("Writer", "dst", step="mariadb"), concurrent=4))
        self.assertEqual(ended.summary["written"], 200000)
        self.assertGreater(ended.summary["splits"]["total"], 4)
        self.assertEqual(sql("SELECT COUNT(*) FROM (SELECT * FROM src EXCEPT SELECT * FROM dst) x"), "0\n")
        self.assertEqual(sql("SELECT COUNT(*) FROM dst"), "200000\n")

    def test_rows_with_null_in_the_split_column_are_read(self):
        sql("CREATE TABLE src (k INT, t TEXT, KEY(k)); INSERT INTO src VALUES (1, 'a'), (9, 'b'), (NULL, 'c'); CREATE TABLE dst LIKE src")
        self.succeeds(job(end("Reader", "src", splitPk="k"), end("Writer", "dst"), concurrent=2))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 2"), "1\ta\n9\tb\nNULL\tc\n")

    def test_shards_of_several_databases_become_one_table(self):
        for shard in ("shard_1", "shard_2"):
            sql("CREATE TABLE t_0 (id INT PRIMARY KEY, s TEXT); CREATE TABLE t_1 LIKE t_0; "
                f"INSERT INTO t_0 VALUES (1, '{shard}'); INSERT INTO t_1 VALUES (2, '{shard}')", shard)
        sql("CREATE TABLE dst (id INT, s TEXT)")
        reader = end("Reader", "x")
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = [{"jdbcUrl": f"jdbc:mysql://127.0.0.1:{SERVER.port}/{s}", "table": ["t_[0-1]"]}
                                             for s in ("shard_1", "shard_2")]
        self.succeeds(job(reader, end("Writer", "dst"), concurrent=3))
        self.assertEqual(sql("SELECT * FROM dst ORDER BY 2, 1"), "1\tshard_1\n2\tshard_1\n1\tshard_2\n2\tshard_2\n")

    def test_an_incremental_load_and_statements_around_it(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, day DATE); INSERT INTO src VALUES (1, '2025-01-01'), (2, '2025-01-02'); "
            "CREATE TABLE dst (id INT, day DATE)")
        reader = end("Reader", "src", where="day = '${bizdate}'")
        writer = end("Writer", "dst", preSql=["DELETE FROM @table WHERE day = '${bizdate}'"], postSql="INSERT INTO @table VALUES (99, NULL)")
        self.succeeds(job(reader, writer), "-p", "bizdate=20250102")
        self.assertEqual(sql("SELECT * FROM dst ORDER BY id"), "2\t2025-01-02\n99\tNULL\n")

    def test_an_upsert_three_times_gives_the_same_content(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, v INT); INSERT INTO src SELECT seq, seq FROM seq_1_to_1000; "
            "CREATE TABLE dst LIKE src; INSERT INTO dst VALUES (5, 0), (2000, 7)")
        for mode in ("update", "replace", "update"):
            self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode=mode)), "--on-unfinished", "fresh")
            self.assertEqual(sql("SELECT COUNT(*), SUM(v) FROM dst"), f"1001\t{500500 + 7}\n")

    def test_the_everyday_forms_of_datax_run(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src VALUES (1, 'a'), (2, 'b'); CREATE TABLE dst LIKE src")
        url = f"jdbc:mysql://127.0.0.1:{SERVER.port}/sluice?useUnicode=true&characterEncoding=utf8"
        account = {"username": "admin", "password": SERVER.password("admin"), "column": ["id", "t"]}
        document = {"job": {"setting": {"speed": {"channel": 2}}, "content": [{
            "reader": {"name": "mysqlreader", "parameter": {**account, "splitPk": "id", "connection": [{"table": ["src"], "jdbcUrl": [url]}]}},
            "writer": {"name": "mysqlwriter", "parameter": {**account, "writeMode": "insert", "connection": [{"table": ["dst"], "jdbcUrl": url}]}}}]}}
        self.succeeds(document)
        self.assertEqual(sql("SELECT * FROM dst ORDER BY id"), "1\ta\n2\tb\n")

    def test_entries_of_column_may_name_their_column_as_in_datax(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, amt INT); INSERT INTO src VALUES (1, 2), (2, 3)")
        columns = ["`id` as `a`", "amt*2 as x", "'x' c", "cast(amt as char) AS 'd e'"]
        reader = end("Reader", "src", columns, splitPk="id")
        self.fails(job(reader, end("Writer", "made", createTable=True)), "column[2]: ", "if c is to be the column's name, write AS c, or leave it out")
        columns[2] = "'x' as c"
        self.succeeds(job(end("Reader", "src", columns, splitPk="id"), end("Writer", "made", createTable=True), concurrent=2))
        self.assertEqual(sql("SELECT a, x, c, `d e` FROM made ORDER BY 1"), "1\t4\tx\t2\n2\t6\tx\t3\n")
        self.succeeds(job(end("Reader", "src", ["amt a", "id as b"]), end("Writer", "made2", createTable=True)))
        self.assertEqual(sql("SELECT a, b FROM made2 ORDER BY 1"), "2\t1\n3\t2\n")

    def test_a_table_that_is_missing_is_made(self):
        sql("CREATE TABLE src (id BIGINT PRIMARY KEY, v VARCHAR(7), d DECIMAL(9,3), ts TIMESTAMP(3) NULL, b VARBINARY(5), f FLOAT); "
            "INSERT INTO src VALUES (1, 'a', 1.125, '2024-01-01 00:00:00.125', x'01', 0.1)")
        self.succeeds(job(end("Reader", "src"), end("Writer", "made", createTable=True)))
        self.assertEqual(sql("SELECT COUNT(*) FROM src NATURAL JOIN made"), "1\n")
        self.assertIn("timestamp(3)", sql("SHOW CREATE TABLE made"))

    def test_least_rights_are_enough(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst (id INT); "
            "GRANT CREATE, ALTER ON sluice.* TO writer@'%'")
        self.succeeds(job(end("Reader", "src", user="reader", splitPk="id"), end("Writer", "dst", user="writer"), concurrent=2))
        self.assertEqual(sql("SELECT * FROM dst"), "1\n")

    def test_connections_name_the_run_in_their_statements(self):
        sql("CREATE TABLE dst (n TEXT)")
        self.succeeds(job(query("SELECT info FROM information_schema.processlist WHERE id = CONNECTION_ID()"), end("Writer", "dst")),
                      "--name", "nightly")
        self.assertIn("sluice nightly ", sql("SELECT * FROM dst"))

    def test_connections_name_run_and_role_and_what_they_write_names_the_split(self):
        shown = "SET NEW.t = (SELECT info FROM information_schema.processlist WHERE id = CONNECTION_ID())"
        sql(f"CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src SELECT seq, 'a' FROM seq_1_to_9; CREATE TABLE dst LIKE src; CREATE TRIGGER b BEFORE INSERT ON dst FOR EACH ROW {shown}")
        name = "n*/ä'?" + "y" * 80
        for mode, statement in (("insert", "LOAD"), ("update", "INSERT")):
            with self.subTest(mode), MySqlProxy(SERVER, numbers=False) as proxy:
                reader, writer = end("Reader", "src", splitPk="id", snapshot="shared"), end("Writer", "dst", preSql="DELETE FROM @table", writeMode=mode)
                for one in (reader, writer):
                    one["parameter"]["jdbcUrl"] = f"jdbc:mysql://127.0.0.1:{proxy.port}/sluice?sslMode=disable"
                ended = self.succeeds(job(reader, writer, concurrent=2), "--name", name)
                title = f"sluice n*/ä'?{'y' * 57} {ended.summary['run']} "
                self.assertEqual({one.removeprefix(title) for one in proxy.names}, {"look", "snapshot", "claim", "writer"})
                comment = f"/* sluice n__ä'?{'y' * 57} {ended.summary['run']} "
                self.assertEqual({text.split("*/")[0] for text in sql("SELECT t FROM dst").splitlines()},
                                 {f"{statement} {comment}split {n} " for n in range(ended.summary["splits"]["total"])})
                for begins in (f"SELECT {comment}sluice.src from ", f"UPDATE {comment}split 0 */ `sluice`.`sluice_progress`", f"INSERT {comment}claim */ INTO `sluice`.`sluice_run`"):
                    self.assertTrue(any(text.startswith(begins) for text in proxy.statements), begins)
                self.assertIn("DELETE FROM `sluice`.`dst`", proxy.statements)


    def test_a_table_that_is_named_twice_in_other_words_is_refused(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst (id INT); CREATE TABLE shard_1.src LIKE src")
        url = f"jdbc:mysql://127.0.0.1:{SERVER.port}/"
        for parameter in ({"table": ["src", "sluice.src"]}, {"table": ["src", "`src`"]},
                          {"connection": [{"jdbcUrl": url + "sluice", "table": ["src"]}, {"jdbcUrl": url + "shard_1", "table": ["src", "sluice.src"]}]}):
            with self.subTest(parameter):
                reader = end("Reader", "x")
                for name in ("jdbcUrl", "table") if "connection" in parameter else ("table",):
                    del reader["parameter"][name]
                reader["parameter"] |= parameter
                self.fails(job(reader, end("Writer", "dst")), 'table "sluice.src" of', "is named twice; leave one out")

    def test_what_counts_rows_is_not_split_and_a_condition_stands_alone(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src SELECT seq FROM seq_1_to_60000; ANALYZE TABLE src; CREATE TABLE dst (id INT, n INT)")
        sql("CREATE FUNCTION counted() RETURNS INT NOT DETERMINISTIC READS SQL DATA RETURN (@c := IFNULL(@c, 0) + 1)")
        for column, why in (("rownum()", "ROWNUM"), ("@x := @x + 1", "a variable that is set (:=)"), ("counted()", "the stored function counted"), ("ABS(-id)", "")):
            with self.subTest(column):
                sql("TRUNCATE dst")
                ended = self.succeeds(job(end("Reader", "src", ["id", column], splitMode="auto", session=["SET @x = 0"]), end("Writer", "dst"), concurrent=2), "--on-unfinished", "fresh")
                self.assertEqual(sql("SELECT COUNT(*), COUNT(DISTINCT n) FROM dst"), "60000\t60000\n")
                self.assertEqual(ended.summary["splits"]["total"] == 1, why != "", ended)
                self.assertIn(f"one split, because what is read has {why}" if why else "split by ranges", ended.text)
        sql("TRUNCATE dst; ALTER TABLE src ADD COLUMN rownum INT DEFAULT 7")
        # A column, but the row's number in this mode.
        for mode, why in (("", ""), ("ORACLE", "ROWNUM")):
            reader = end("Reader", "src", ["id", "id"], where="rownum = 7", splitMode="auto", session=[f"SET sql_mode = '{mode}'"])
            ended = self.succeeds(job(reader, end("Writer", "dst"), concurrent=2), "--on-unfinished", "fresh")
            self.assertIn(f"one split, because what is read has {why}" if why else "split by ranges", ended.text)
        self.fails(job(end("Reader", "src", ["id", "id"], where="id > 9) OR (id < 3"), end("Writer", "dst")), "where: found", "closes nothing")

    def test_a_star_is_without_invisible_columns_at_both_ends(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, a INT INVISIBLE, b INT); INSERT INTO src (id, a, b) VALUES (1, 2, 3); "
            "CREATE TABLE dst (id INT PRIMARY KEY, b INT, p INT INVISIBLE DEFAULT 7)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst")))
        self.assertEqual(sql("SELECT id, b, p FROM dst"), "1\t3\t7\n")
        self.assertIn('Of table "src" the INVISIBLE "a" is not read', ended.text)
        self.succeeds(job(end("Reader", "src", ["id", "b", "a"]), end("Writer", "dst", ["id", "b", "p"], writeMode="update")))
        self.assertEqual(sql("SELECT id, b, p FROM dst"), "1\t3\t2\n")
        sql("CREATE TABLE named (id INT PRIMARY KEY, P INT, b INT); INSERT INTO named VALUES (1, 5, 6)")
        for reader in (end("Reader", "named"), query("SELECT b, p, id FROM named")):
            ended = self.succeeds(job(reader, end("Writer", "dst", writeMode="update", mapping="name")))
            self.assertEqual(sql("SELECT id, b, p FROM dst"), "1\t6\t5\n")
            self.assertNotIn("is not written", ended.text)
            sql("UPDATE dst SET b = 0, p = 0")

    def test_a_step_may_alter_the_source_behind_the_data_and_is_refused_before_it(self):
        # More rows than are read ahead: the first batch's SELECT is open when preSql runs.
        sql("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(200)); INSERT INTO src SELECT seq, REPEAT('x', 200) FROM seq_1_to_60000; ANALYZE TABLE src; "
            "CREATE TABLE dst LIKE src; CREATE PROCEDURE alters() ALTER TABLE src COMMENT 'read'")
        waits = {"session": ["SET lock_wait_timeout = 1"]}
        for concurrent, snapshot in ((1, "shared"), (2, "shared"), (2, "none")):
            with self.subTest(f"{concurrent} {snapshot}"):
                sql("TRUNCATE dst")
                reader = end("Reader", "src", splitPk="id", snapshot=snapshot)
                self.succeeds(job(reader, end("Writer", "dst", postSql="ALTER TABLE src COMMENT 'read'", **waits), concurrent=concurrent), "--on-unfinished", "fresh")
                self.assertEqual(sql("SELECT COUNT(*) FROM dst"), "60000\n")
        for step in ("ALTER TABLE src COMMENT 'read'", "CREATE INDEX i ON `sluice`.src (t)"):
            self.fails(job(reader, end("Writer", "dst", preSql=step, **waits)), "or one that preSql alters, and preSql runs before all of it is read", "Nothing was changed")
        reader = end("Reader", "src", splitPk="id", snapshot="shared")
        self.fails(job(reader, end("Writer", "dst", preSql="CALL alters()", **waits), concurrent=2), "ER_LOCK_WAIT_TIMEOUT", "that is the run itself")
        self.succeeds(job(reader, end("Writer", "dst", preSql=["TRUNCATE dst", "ALTER TABLE dst COMMENT 'src'"], **waits), concurrent=2), "--on-unfinished", "fresh")

    def test_shards_that_differ_in_digits_bits_or_length_are_read_as_the_wider_type(self):
        sql("CREATE TABLE t (id INT, n DECIMAL(10,2), at DATETIME, d TIME(1), s VARCHAR(10), b VARBINARY(2), f FLOAT); "
            "INSERT INTO t VALUES (1, 12345678.25, '2025-01-31 10:00:00', '-01:02:03.5', 'short', x'00ff', 1.5)", "shard_1")
        sql("CREATE TABLE t (id BIGINT, n DECIMAL(12,4), at DATETIME(6), d TIME(6), s TEXT, b BLOB, f DOUBLE); "
            "INSERT INTO t VALUES (9000000000, 0.1234, '2025-01-31 10:00:00.000001', '838:59:58.999999', REPEAT('é', 300), REPEAT('b', 300), 0.1)", "shard_2")
        for shards in (("shard_1", "shard_2"), ("shard_2", "shard_1")):
            reader = end("Reader", "x")
            del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
            reader["parameter"]["connection"] = [{"jdbcUrl": f"jdbc:mysql://127.0.0.1:{SERVER.port}/{s}", "table": ["t"]} for s in shards]
            sql("DROP TABLE IF EXISTS dst")
            self.succeeds(job(reader, end("Writer", "dst", createTable=True), concurrent=2), "--on-unfinished", "fresh")
            self.assertEqual(sql("SELECT id, n, at, d, s, HEX(b), f FROM dst ORDER BY id"),
                             f"1\t12345678.2500\t2025-01-31 10:00:00.000000\t-01:02:03.500000\tshort\t00FF\t1.5\n"
                             f"9000000000\t0.1234\t2025-01-31 10:00:00.000001\t838:59:58.999999\t{'é' * 300}\t{'62' * 300}\t0.1\n")
        sql("ALTER TABLE t MODIFY id BIGINT UNSIGNED", "shard_1")
        self.fails(job(reader, end("Writer", "dst")), 'column "id" is bigint', "read it with one expression of the same type")


class Refused(Jobs):
    def test_a_foreign_key_that_refuses_a_record_names_its_columns_and_a_key_that_the_server_fills_is_no_key(self):
        sql("CREATE TABLE parent (id INT PRIMARY KEY); INSERT INTO parent VALUES (1); CREATE TABLE dst (id INT PRIMARY KEY, pid INT, FOREIGN KEY (pid) REFERENCES parent (id))")
        ended = self.succeeds(job(query("SELECT 1, 1 UNION ALL SELECT 2, 9"), end("Writer", "dst"), errors=9))
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["column"] for line in file], ["pid"])
        sql("CREATE TABLE odd (id INT PRIMARY KEY, `a``b's` INT, CONSTRAINT `x`` FOREIGN KEY (``y``` FOREIGN KEY (`a``b's`) REFERENCES parent (id))")
        ended = self.succeeds(job(query("SELECT 1, 1 UNION ALL SELECT 2, 9 UNION ALL SELECT 3, 'x'"), end("Writer", "odd"), errors=9))
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["column"] for line in file], ["a`b's"] * 2)
        sql("DROP TABLE dst; CREATE TABLE dst (id INT, g INT AS (id % 5) STORED, UNIQUE (g))")
        self.fails(job(query("SELECT 1"), end("Writer", "dst", ["id"], writeMode="update")), "whose keys are (g): no record would say which row it is")

    def test_one_bad_row_in_a_hundred_is_dirty_and_all_others_arrive(self):
        sql("CREATE TABLE src AS SELECT seq AS id, IF(seq % 100 = 0, -1, seq) AS n FROM seq_1_to_20000; "
            "CREATE TABLE dst (id INT PRIMARY KEY, n INT CHECK (n > 0))")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=200))
        self.assertEqual(ended.summary["dirty_by_code"], {"ER_CONSTRAINT_FAILED": 200}, ended)
        self.assertEqual(sql("SELECT COUNT(*), MIN(n) FROM dst"), "19800\t1\n")

    def test_the_dirty_record_has_column_and_the_servers_reason(self):
        sql("CREATE TABLE src (id INT, t TEXT); INSERT INTO src VALUES (1, 'a'), (1, 'twice'), (3, 'c'); "
            "CREATE TABLE dst (id INT PRIMARY KEY, t TEXT)")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=10))
        records = [json.loads(line) for line in Path(ended.summary["dirty_file"]).read_text(encoding="utf-8").splitlines()]
        self.assertEqual([(r["code"], r["column"]) for r in records], [("ER_DUP_ENTRY", "id")])
        self.assertIn("Duplicate entry", records[0]["message"])

    def test_a_table_in_which_every_record_is_there_already(self):
        sql("CREATE TABLE src AS SELECT seq AS id FROM seq_1_to_5000; CREATE TABLE dst (id INT PRIMARY KEY); INSERT INTO dst SELECT * FROM src")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst"), errors=5000))
        self.assertEqual(ended.summary["dirty_by_code"], {"ER_DUP_ENTRY": 5000})

    def test_keys_that_are_there_are_counted_as_ignored(self):
        sql("CREATE TABLE src AS SELECT seq AS id, seq AS v FROM seq_1_to_100; CREATE TABLE dst (id INT PRIMARY KEY, v INT); "
            "INSERT INTO dst SELECT seq, -1 FROM seq_1_to_30")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", writeMode="ignore")))
        self.assertEqual((ended.summary["written"], ended.summary["ignored"]), (70, 30))
        self.assertEqual(sql("SELECT COUNT(*) FROM dst WHERE v = -1"), "30\n")

    def test_a_refused_row_takes_no_other_with_it_whatever_checks_the_job_or_the_server_has_off(self):
        # With both off MariaDB inserts into an empty table in bulk: a refused statement undoes what its transaction wrote before.
        sql("CREATE TABLE src AS SELECT seq AS id, IF(seq % 97 = 3, -1, seq) AS n FROM seq_1_to_1000")
        unchecked = "SET unique_checks = 0, foreign_key_checks = 0"
        by_url = end("Writer", "dst")
        by_url["parameter"]["jdbcUrl"] += "?sessionVariables=unique_checks=0,foreign_key_checks=0"
        self.addCleanup(sql, "SET GLOBAL unique_checks = 1, GLOBAL foreign_key_checks = 1", "mysql")
        for writer, told in ((end("Writer", "dst", session=[unchecked]), True), (by_url, True), (end("Writer", "dst"), False)):
            with self.subTest(told=told):
                sql("CREATE OR REPLACE TABLE dst (id INT PRIMARY KEY, n INT CHECK (n > 0))" + ("" if told else "; SET GLOBAL unique_checks = 0, GLOBAL foreign_key_checks = 0"))
                ended = self.run_job(job(end("Reader", "src"), writer, errors=20), "--on-unfinished", "fresh")
                self.assertEqual((ended.code, sql("SELECT COUNT(*) FROM dst")), (0, "989\n"), ended)
                self.assertEqual("unique_checks is set to \"OFF\" and does not hold" in ended.text, told, ended)


class Continued(Jobs):
    def test_a_killed_run_is_continued_and_no_row_is_there_twice(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src SELECT seq, REPEAT('x', 200) FROM seq_1_to_300000; "
            "CREATE TABLE dst (id INT, t TEXT)")
        document = job(end("Reader", "src", splitPk="id"), end("Writer", "dst"), concurrent=2)
        self.kill_once(lambda: sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'sluice_progress'") == "1\n"
                       and sql("SELECT EXISTS (SELECT 1 FROM dst)") == "1\n", document)
        ended = self.succeeds(document)
        self.assertEqual(ended.summary["written"], 300000, ended)
        self.assertEqual(sql("SELECT COUNT(*), COUNT(DISTINCT id) FROM dst"), "300000\t300000\n")


class Guest(Jobs):
    def test_a_throttled_read_outlasts_the_servers_patience_and_a_killed_one_leaves_nothing_running(self):
        sql("SET GLOBAL net_write_timeout = 1", "mysql")
        self.addCleanup(sql, "SET GLOBAL net_write_timeout = 60", "mysql")
        sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_1_to_4000")
        document = job(end("Reader", "src"), {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}})
        document["setting"]["speed"].update({"throttle": True, "mbps": 1})
        ended = self.succeeds(document)
        self.assertEqual(ended.summary["read"], 4000)
        # More than fits the buffers between server and program, so that the statement is seen.
        sql("INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_4001_to_30000")
        running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT /* sluice %' AND id <> CONNECTION_ID()"
        self.kill_once(lambda: sql(running) == "1\n", document)
        for _ in range(150):
            if sql(running) == "0\n":
                break
            time.sleep(0.1)
        self.assertEqual(sql(running), "0\n")

    def test_a_run_that_fails_leaves_no_statement_running(self):
        # Its socket may be closed just when all of it was read and its window is shut, which the server does not notice by itself.
        sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000; CREATE TABLE dst (id INT CHECK (id <> 9000), t TEXT)")
        for _ in range(5):
            self.fails(job(end("Reader", "src"), end("Writer", "dst"), errors=0), "CONSTRAINT")
            sql("TRUNCATE dst; DROP TABLE sluice_run, sluice_progress")
            shutil.rmtree(self.state)  # which knows of its rows
        until(lambda: sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT /* sluice %'") == "0\n", "its statements had ended", 5)

    def test_a_lock_of_somebody_else_is_waited_for_and_tried_again(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst LIKE src")
        holder = threading.Thread(target=sql, args=("BEGIN; INSERT INTO dst VALUES (1); SELECT SLEEP(3); ROLLBACK",))
        holder.start()
        self.addCleanup(holder.join)
        while sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(3)'") != "1\n":
            time.sleep(0.01)
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "dst", session=["SET innodb_lock_wait_timeout = 1"])))
        self.assertEqual(ended.summary["written"], 1)
        self.assertEqual(sql("SELECT * FROM dst"), "1\n")

    def test_limits_of_time_of_the_job_hold_and_what_does_not_is_told(self):
        reader = query("SELECT @@max_statement_time, @@net_write_timeout, @@collation_connection, @@sql_mode, @@time_zone")
        reader["parameter"]["jdbcUrl"] += "?sessionVariables=net_write_timeout=77&statementTimeout=9500&connectionCollation=utf8mb4_bin"
        reader["parameter"]["session"] = ["SET time_zone = '+05:00', sql_mode = 'ANSI_QUOTES'"]
        sql("CREATE TABLE dst (m DOUBLE, n INT, c TEXT, s TEXT, z TEXT)")
        ended = self.succeeds(job(reader, end("Writer", "dst", session=["SET SESSION wait_timeout = 28800", "SET sql_mode = ''"])))
        self.assertEqual(sql("SELECT * FROM dst"), "9.5\t77\tutf8mb4_bin\tANSI_QUOTES\t+00:00\n")
        self.assertIn('session[0]: time_zone is set to "+05:00" and does not hold: the sessions that read have "+00:00"', ended.text)
        self.assertIn('session[0]: sql_mode is set to "" and does not hold: the sessions that write rows have', ended.text)
        self.assertEqual(ended.text.count("does not hold"), 2)

    def test_null_that_is_skipped_takes_the_default_of_a_column_that_takes_none(self):
        for mode, more in (("insert", {}), ("insert", {"skipNullColumn": ["b"]}), ("replace", {}), ("ignore", {})):
            with self.subTest(mode, **more):
                sql("CREATE OR REPLACE TABLE dst (id INT PRIMARY KEY, b INT NOT NULL DEFAULT 42, n INT DEFAULT 7)")
                reader = query("SELECT 1 AS id, CAST(NULL AS INT) AS b, 3 AS n UNION ALL SELECT 2, 5, NULL")
                document = job(reader, end("Writer", "dst", writeMode=mode, nullMode="skipNull", **more), errors=0)
                self.succeeds(document, "--on-unfinished", "fresh")
                checked = subprocess.run([PROGRAM, "check", self.folder / "job.json"], capture_output=True, text=True, check=True)
                self.assertRegex(checked.stdout, r"\n  1  b .* exact\n")
                self.assertEqual(sql("SELECT * FROM dst ORDER BY id"), f"1\t42\t3\n2\t5\t{'NULL' if more else 7}\n")
        sql("CREATE OR REPLACE TABLE dst (id INT PRIMARY KEY, b INT NOT NULL)")
        ended = self.run_job(job(query("SELECT 1 AS id, CAST(NULL AS INT) AS b"), end("Writer", "dst", nullMode="skipNull"), errors=9), "--on-unfinished", "fresh")
        self.assertEqual(ended.summary["dirty"], 1, ended)  # no default to take

    def test_a_limit_of_time_that_the_job_set_is_named_and_not_tried_again(self):
        sql("CREATE TABLE dst (a INT)")
        slow = "SELECT seq FROM seq_1_to_9 WHERE SLEEP(1) = 0"
        for more, named in (({"session": ["SET max_statement_time = 0.2"]}, 'max_statement_time is 0.200000, by the job\'s "session"'),
                            ({"jdbcUrl": f"jdbc:mysql://127.0.0.1:{SERVER.port}/sluice?statementTimeout=200"}, "statementTimeout is 200 ms")):
            reader = query(slow)
            reader["parameter"] |= more
            self.fails(job(reader, end("Writer", "dst")), named, "raise it there")
        sql("CREATE TRIGGER slow BEFORE INSERT ON dst FOR EACH ROW SET NEW.a = SLEEP(1)")
        ended = self.fails(job(query("SELECT 1"), end("Writer", "dst", session=["SET max_statement_time = 0.2"])), "max_statement_time is 0.200000")
        self.assertEqual((ended.summary["error"]["kind"], ended.summary["error"]["code"], ended.summary["rewinds"], ended.summary["retryable"]), ("busy", "time_limit", 0, False), ended)
        self.assertIn("Raise the limit of time and run it again", ended.text)

    def test_a_check_that_refuses_a_record_names_its_columns(self):
        sql("CREATE TABLE dst (id INT PRIMARY KEY, a INT CHECK (a < 10), b INT, `c``d` INT, CONSTRAINT both_of CHECK (b < `c``d`))")
        ended = self.run_job(job(query("SELECT 1 AS id, 99 AS a, 1 AS b, 2 AS c UNION ALL SELECT 2, 1, 9, 2"), end("Writer", "dst"), errors=9))
        self.assertEqual(ended.code, 0, ended)
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["column"] for line in file], ["a", "b, c`d"])

    def test_the_environment_names_no_authority_and_no_folder_of_plugins(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst LIKE src")
        document = job(end("Reader", "src", properties={"sslMode": "VERIFY_CA"}), end("Writer", "dst"))
        ended = self.run_job(document, env={"SSL_CERT_FILE": f"{SERVER.folder}/ca.pem"})
        self.assertEqual(ended.code, 1, ended)
        self.assertIn("certificate", ended.text)
        self.addCleanup(sql, "DROP USER IF EXISTS signs@'%'; UNINSTALL SONAME 'auth_ed25519'", "mysql")
        sql("INSTALL SONAME 'auth_ed25519'; CREATE USER signs@'%' IDENTIFIED VIA ed25519 USING PASSWORD('a'); GRANT SELECT ON sluice.* TO signs@'%'", "mysql")
        document = job(end("Reader", "src"), end("Writer", "dst"))
        document["steps"][0]["parameter"] |= {"username": "signs", "password": "a"}
        ended = self.run_job(document, env={"MARIADB_PLUGIN_DIR": "/nonexistent", "LIBMYSQL_PLUGINS": "nonsense"})
        self.assertEqual(ended.code, 0, ended)

    def test_sql_of_the_job_may_end_in_a_comment(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1), (2); CREATE TABLE dst LIKE src")
        self.succeeds(job(end("Reader", "src", ["id + 0 # a number"], where="id > 1 -- not the first"), end("Writer", "dst", ["id"])))
        self.assertEqual(sql("SELECT * FROM dst"), "2\n")

    def test_a_read_only_server_is_named_and_fails_the_run(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1); CREATE TABLE dst LIKE src; "
            "GRANT CREATE, ALTER ON sluice.* TO writer@'%'")
        sql("SET GLOBAL read_only = 1", "mysql")
        self.addCleanup(sql, "SET GLOBAL read_only = 0", "mysql")
        self.fails(job(end("Reader", "src"), end("Writer", "dst", user="writer"), errors=100), "read-only", "name its primary")


    def test_a_server_that_speaks_another_language_is_understood(self):
        sql("SET GLOBAL lc_messages = 'de_DE'", "mysql")
        self.addCleanup(sql, "SET GLOBAL lc_messages = 'en_US'", "mysql")
        sql("CREATE TABLE src AS SELECT seq DIV 2 AS id FROM seq_1_to_40; CREATE TABLE dst (id INT PRIMARY KEY)")
        for session in ([], ["SET lc_messages = 'ja_JP'"]):
            ended = self.run_job(job(end("Reader", "src", session=session), end("Writer", "dst", session=session), errors=40), "--on-unfinished", "fresh")
            self.assertEqual((ended.code, ended.summary["dirty"]), (0, 40 if session else 19), ended)
            with open(ended.summary["dirty_file"], encoding="utf-8") as file:
                self.assertEqual({json.loads(line)["column"] for line in file}, {"id"})

    def test_settings_that_end_sessions_refuse_writing_or_change_values_do_not_hold(self):
        sql("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(9)); INSERT INTO src SELECT seq, IF(seq % 2, '', 'x') FROM seq_1_to_50; CREATE TABLE dst LIKE src")
        self.addCleanup(sql, "SET GLOBAL completion_type = 0, GLOBAL tx_read_only = 0, GLOBAL sql_mode = DEFAULT", "mysql")
        settings = ("completion_type = 'RELEASE'", "tx_read_only = 1", "sql_mode = 'EMPTY_STRING_IS_NULL'")
        session = ["SET " + ", ".join(settings), "SET binlog_format = 'STATEMENT'", "SET TRANSACTION READ ONLY"]
        for more in ({"session": session}, {}):
            with self.subTest(**more):
                sql("TRUNCATE dst" + ("" if more else "; SET " + ", ".join(f"GLOBAL {s}" for s in settings)))
                ended = self.succeeds(job(end("Reader", "src", splitPk="id", **more), end("Writer", "dst", **more)), "--on-unfinished", "fresh")
                self.assertEqual(sql("SELECT COUNT(*), SUM(LENGTH(t) = 0) FROM dst"), "50\t25\n")
                self.assertEqual("completion_type is set to \"RELEASE\" and does not hold" in ended.text, bool(more), ended)


class Messages(Jobs):
    def test_each_mistake_is_named_with_its_cure(self):
        sql("CREATE TABLE src (id INT, amount INT); CREATE TABLE dst (id INT, amount INT); CREATE PROCEDURE p1() SELECT 1")
        wrong_password = end("Reader", "src")
        wrong_password["parameter"]["password"] = "wrong"
        unknown_database = end("Reader", "src")
        unknown_database["parameter"]["jdbcUrl"] = f"jdbc:mysql://127.0.0.1:{SERVER.port}/shop"
        nobody_there = end("Reader", "src")
        nobody_there["parameter"]["jdbcUrl"] = "jdbc:mysql://127.0.0.1:1/sluice"
        no_host = end("Reader", "src")
        no_host["parameter"]["jdbcUrl"] = "jdbc:mysql://no.such.host.invalid/sluice"
        cases = [
            (wrong_password, ["steps[0]", "Access denied", "check \"username\" and \"password\""]),
            (unknown_database, ["Unknown database 'shop'", "check the name"]),
            (nobody_there, ["127.0.0.1", "check that the server runs"]),
            (no_host, ["no.such.host.invalid", "check"]),
            (end("Reader", "scr"), ['no table "scr"', 'did you mean "src"?']),
            (end("Reader", "src", ["id", "amonut"]), ["column[1]", 'did you mean "amount"?']),
            (end("Reader", "src", where="id >"), ["where", "syntax"]),
            (end("Reader", "src", splitPk="idd"), ["splitPk", 'did you mean "id"?']),
            (end("Reader", "src", user="nothing"), ["Access denied", "GRANT"]),
            (query("call p1()"), ["querySql", "CALL is not supported", "fill a table before the run"]),
            (end("Reader", "src", session=["use shard_1"]), ["session[0]", "use shard_1", 'name the database in "jdbcUrl"']),
        ]
        for reader, parts in cases:
            with self.subTest(parts[-1]):
                self.fails(job(reader, end("Writer", "dst")), *parts)
        writers = [
            (end("Writer", "dts"), ['no table "dts"', 'did you mean "dst"?']),
            (end("Writer", "dst", ["id", "amonut"]), ["column[1]", "amonut"]),
            (end("Writer", "dst", user="reader"), ["denied"]),
            (end("Writer", "dst", session=["/* here */ USE shard_1"]), ["session[0]", "take it out"]),
            (end("Writer", "dst", preSql=["DELETE FORM dst"]), ["preSql", "syntax", "mend the statement"]),
            (end("Writer", "dst", preSql=["INSERT INTO dst VALUES (1, 'x')"]), ["preSql[0]: INSERT INTO dst VALUES (1, 'x'): ", "Incorrect integer value"]),
        ]
        for writer, parts in writers:
            with self.subTest(parts[0]):
                self.fails(job(end("Reader", "src"), writer), *parts)

    def test_tls_is_verified_where_it_is_asked_for(self):
        sql("CREATE TABLE src (id INT); CREATE TABLE dst (id INT)")
        url = f"jdbc:mysql://localhost:{SERVER.port}/sluice?sslMode=VERIFY_IDENTITY&serverSslCert="
        good = end("Reader", "src")
        good["parameter"]["jdbcUrl"] = url + str(SERVER.certificates.path("ca.pem"))
        self.succeeds(job(good, end("Writer", "dst")))
        bad = end("Reader", "src")
        bad["parameter"]["jdbcUrl"] = url + str(SERVER.certificates.path("other_ca.pem"))
        self.fails(job(bad, end("Writer", "dst")), "certificate", '"truststoreFile", or serverSslCert in the address, names the authority')


if __name__ == "__main__":
    unittest.main()
