"""What the servers made of the records: new rows, updated ones and others, warnings, texts that were changed on the way."""

import json
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job
from servers.running import of_module
from servers.server import ServerError


def setUpModule():
    global MARIADB, POSTGRESQL
    POSTGRESQL, MARIADB = of_module("postgresql", "mariadb")


def end(system, category, table, column=("*",), user="admin", database="sluice", **more):
    server = POSTGRESQL if system == "postgresql" else MARIADB
    return {"stepType": system, "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:{system}://127.0.0.1:{server.port}/{database}", "username": user,
                          "password": server.password(user), "table": table, "column": list(column), **more}}


def parts(**told):
    return {**dict.fromkeys(("inserted", "updated", "replaced", "unchanged", "not_told"), 0), **told}


class Written(ProgramTest):
    system = None

    def setUp(self):
        super().setUp()
        POSTGRESQL.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE, CREATE ON SCHEMA public TO writer", "sluice")
        MARIADB.sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4", "mysql")

    def sql(self, text):
        return (POSTGRESQL if self.system == "postgresql" else MARIADB).sql(text, "sluice")

    def document(self, mode, columns=("*",), errors=None, concurrent=1, table="dst", user="admin", **more):
        return job(end(self.system, "Reader", "src", columns, **({"splitPk": "id"} if concurrent > 1 else {})),
                   end(self.system, "Writer", table, columns, user=user, writeMode=mode, **more), errors=errors, concurrent=concurrent)

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def dirty(self, ended):
        with open(ended.summary["dirty_file"], encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def rows(self, first, last, v, table="src"):
        """Rows of these ids, whose `v` is as SQL says."""
        series = f"generate_series({first}, {last}) x(seq)" if self.system == "postgresql" else f"seq_{first}_to_{last}"
        self.sql(f"INSERT INTO {table} SELECT seq, {v} FROM {series}")

    def make_tables(self):
        self.sql("CREATE TABLE src (id INT, v VARCHAR(50)); CREATE TABLE dst (id INT PRIMARY KEY, v VARCHAR(50))")
        self.rows(1, 3000, "CONCAT('row ', seq)")

    def test_an_insert_makes_new_rows_and_says_no_more_than_that(self):
        self.make_tables()
        ended = self.succeeds(self.document("insert"))
        self.assertEqual(ended.summary["written_as"], parts(inserted=3000))
        self.assertNotIn("inserted", ended.err)

    def test_of_records_with_the_same_key_in_one_split_the_last_one_wins_whatever_the_batches_and_the_plan_says_it(self):
        self.make_tables()
        for round_ in range(3):
            self.rows(1, 3000, f"CONCAT('round {round_} of ', seq)")
        for mode in ("update", "replace"):
            with self.subTest(mode):
                self.sql("TRUNCATE TABLE dst")
                ended = self.succeeds(self.document(mode), "--on-unfinished", "fresh")
                self.assertEqual(ended.summary["written"], 12000)
                self.assertEqual(self.sql("SELECT COUNT(*) FROM dst WHERE v = CONCAT('round 2 of ', id)"), "3000\n")
                plan = subprocess.run([str(PROGRAM), "plan", str(self.folder / "job.json")], capture_output=True, text=True, timeout=60)
                self.assertIn("in one split the last one wins; across splits the order is not defined", " ".join(plan.stdout.split()), plan.stderr)

    def killed_and_continued(self):
        """An update of 150,000 rows, half of which are there, killed once some of it stands."""
        self.sql("CREATE TABLE src (id INT PRIMARY KEY, v VARCHAR(250)); CREATE TABLE dst (id INT PRIMARY KEY, v VARCHAR(250))")
        self.rows(1, 150000, "CONCAT('new', REPEAT('x', 200))")
        self.rows(75001, 150000, "'old'", "dst")
        document = self.document("update", concurrent=2)

        def stands():
            try:
                return self.sql("SELECT COALESCE(SUM(written), 0) FROM sluice_progress") != "0\n"
            except ServerError:  # the table is not there yet
                return False
        self.kill_once(stands, document)
        return self.succeeds(document)


class PostgreSQLWritten(Written):
    system = "postgresql"

    def test_an_update_tells_new_rows_from_updated_ones(self):
        self.make_tables()
        self.rows(7, 7, "'again'")
        self.rows(2001, 4000, "'old'", "dst")
        ended = self.succeeds(self.document("update"))
        self.assertEqual(ended.summary["written_as"], parts(inserted=2000, updated=1001))
        self.assertIn("= written 3,001 inserted 2,000, updated 1,001", " ".join(ended.err.split()))
        again = self.succeeds(self.document("update"), "--on-unfinished", "fresh")
        self.assertEqual(again.summary["written_as"], parts(updated=3001))

    def test_a_replacement_tells_new_rows_from_replaced_ones(self):
        self.make_tables()
        self.rows(7, 7, "'again'")
        self.rows(2001, 4000, "'old'", "dst")
        self.assertEqual(self.succeeds(self.document("replace")).summary["written_as"], parts(inserted=2000, replaced=1001))

    def test_what_is_ignored_is_no_part_of_what_is_written(self):
        self.make_tables()
        self.rows(2001, 4000, "'old'", "dst")
        ended = self.succeeds(self.document("ignore"))
        self.assertEqual((ended.summary["written_as"], ended.summary["ignored"]), (parts(inserted=2000), 1000))

    def test_refused_rows_are_no_part_either(self):
        self.make_tables()
        self.rows(2001, 4000, "'old'", "dst")
        self.sql("ALTER TABLE dst ADD CHECK (id % 1000 <> 500) NOT VALID")
        for mode, told in (("update", parts(inserted=1998, updated=999)), ("replace", parts(inserted=0, replaced=2997))):
            ended = self.succeeds(self.document(mode, errors=3), "--on-unfinished", "fresh")
            self.assertEqual((ended.summary["written_as"], ended.summary["dirty"]), (told, 3), ended)

    def test_a_table_that_does_not_tell_sums_up(self):
        self.make_tables()
        self.sql("DROP TABLE dst; CREATE TABLE dst (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); "
                 "CREATE TABLE low PARTITION OF dst FOR VALUES FROM (0) TO (1500); CREATE TABLE high PARTITION OF dst FOR VALUES FROM (1500) TO (9999)")
        self.rows(1000, 2000, "'old'", "dst")
        ended = self.succeeds(self.document("update"))
        self.assertEqual(ended.summary["written_as"], parts(not_told=3000))
        self.assertEqual(self.sql("SELECT count(*) FROM dst WHERE v LIKE 'row %'"), "3000\n")

    def test_a_run_that_is_continued_counts_no_row_twice(self):
        ended = self.killed_and_continued()
        self.assertEqual(ended.summary["written_as"], parts(inserted=75000, updated=75000), ended)

    def warn_of(self, condition):
        self.sql("CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF " + condition +
                 " THEN RAISE WARNING 'odd number %', NEW.id USING DETAIL = 'it is odd'; END IF; RETURN NEW; END$$; "
                 "CREATE TRIGGER w BEFORE INSERT OR UPDATE ON dst FOR EACH ROW EXECUTE FUNCTION warn()")

    def test_a_row_of_which_the_server_warns_is_dirty_and_its_neighbours_arrive(self):
        self.make_tables()
        self.warn_of("NEW.id % 1000 = 7")
        for mode in ("insert", "update", "replace", "ignore"):
            with self.subTest(mode):
                self.sql("TRUNCATE dst")
                ended = self.succeeds(self.document(mode, errors=3), "--on-unfinished", "fresh")
                self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (2997, {"01000": 3}), ended)
                self.assertEqual(sorted(r["message"] for r in self.dirty(ended))[0], "the server warned: odd number 1007. it is odd")
                self.assertEqual(self.sql("SELECT count(*) FROM dst WHERE id % 1000 = 7"), "0\n")

    def test_a_row_that_is_swallowed_leaves_the_one_that_it_should_replace(self):
        self.make_tables()
        self.rows(1, 10, "'old'", "dst")
        self.sql("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 5 THEN RETURN NULL; END IF; RETURN NEW; END'; "
                 "CREATE TRIGGER s BEFORE INSERT ON dst FOR EACH ROW EXECUTE FUNCTION swallow()")
        ended = self.succeeds(self.document("replace", errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"refused_silently": 1}, ended)
        self.assertEqual(ended.summary["written_as"], parts(inserted=2990, replaced=9))
        self.assertEqual(self.sql("SELECT v FROM dst WHERE id IN (4, 5, 6) ORDER BY id"), "row 4\nold\nrow 6\n")

    def test_an_account_that_may_not_look_writes_all_the_same(self):
        self.make_tables()
        self.rows(1, 1000, "'old'", "dst")
        self.sql("GRANT INSERT, UPDATE ON dst TO writer; GRANT SELECT (id, v) ON dst TO writer")
        ended = self.succeeds(self.document("update", user="writer"))
        self.assertEqual(ended.summary["written_as"], parts(not_told=3000), ended)

    def test_a_duplicate_of_a_key_of_several_columns_names_them_and_its_values(self):
        self.sql("CREATE TABLE src (id int, v text); INSERT INTO src SELECT i, 'a, b' FROM generate_series(1, 500) i; "
                 "CREATE TABLE dst (id int, v text, UNIQUE (v, id)); INSERT INTO dst SELECT * FROM src WHERE id <> 250")
        ended = self.succeeds(self.document("insert", errors=499))
        self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (1, {"23505": 499}))
        last = self.dirty(ended)[-1]
        self.assertEqual((last["column"], last["value"]), ("v, id", "a, b, 500"))
        self.assertEqual(last["message"], 'duplicate key value violates unique constraint "dst_v_id_key". Key (v, id)=(a, b, 500) already exists.')

    def test_the_index_finds_duplicates_in_a_large_table(self):
        self.make_tables()
        self.rows(1, 200000, "'there'", "dst")
        self.sql("ANALYZE dst")
        self.sql("SELECT pg_stat_reset()")
        self.succeeds(self.document("insert", errors=3000))
        self.assertEqual(self.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'dst'"), "0\n")

    def test_nul_characters_are_dirty_left_out_or_replaced_and_counted(self):
        MARIADB.sql("CREATE TABLE src (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO src VALUES (1, 'a\\0b'), (2, 'good'), (3, '\\0'), (4, 'x\\0')", "sluice")
        for rule, content, changes in (("remove", "1|ab\n2|good\n3|\n", [{"column": "v", "rule": "nul_removed", "count": 2}]),
                                       ("replace", "1|a\ufffdb\n2|good\n3|\ufffd\n", [{"column": "v", "rule": "nul_replaced", "count": 2}]),
                                       ("dirty", "2|good\n", [])):
            for mode in ("insert", "update"):
                with self.subTest(f"{rule} {mode}"):
                    self.sql("DROP TABLE IF EXISTS dst; CREATE TABLE dst (id int PRIMARY KEY CHECK (id < 4), v text)")
                    ended = self.succeeds(job(end("mariadb", "Reader", "src"), end("postgresql", "Writer", "dst", nulCharacter=rule, writeMode=mode), errors=4),
                                          "--on-unfinished", "fresh")
                    self.assertEqual(self.sql("SELECT * FROM dst ORDER BY id"), content)
                    self.assertEqual(ended.summary["changes"], changes, "the row that was refused is not among them")
                    if changes:
                        self.assertIn(f"2 values were changed as the job asks: v {changes[0]['rule']} 2", ended.err)
        self.sql("DROP TABLE dst; CREATE TABLE dst (id int, v text)")
        ended = self.run_job(job(end("mariadb", "Reader", "src"), end("postgresql", "Writer", "dst", nulCharacter="drop")))
        self.assertIn("nulCharacter", ended.text)
        self.assertIn("remove", ended.text)
        self.assertEqual(ended.code, 2)

    def test_bytes_that_are_no_utf8_are_dirty_left_out_or_replaced_and_counted(self):
        POSTGRESQL.sql("DROP DATABASE IF EXISTS bytes", "postgres")
        POSTGRESQL.sql("CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0", "postgres")
        self.addCleanup(POSTGRESQL.sql, "DROP DATABASE bytes", "postgres")
        POSTGRESQL.sql(r"CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src VALUES (1, E'caf\351'), (2, 'good'), (3, E'a\xFFb')", "bytes")
        for rule, content, changes in (("remove", "1|caf\n2|good\n3|ab\n", [{"column": "v", "rule": "invalid_removed", "count": 2}]),
                                       ("replace", "1|caf\ufffd\n2|good\n3|a\ufffdb\n", [{"column": "v", "rule": "invalid_replaced", "count": 2}]),
                                       ("dirty", "2|good\n", [])):
            with self.subTest(rule):
                self.sql("DROP TABLE IF EXISTS dst; CREATE TABLE dst (id int PRIMARY KEY, v text)")
                ended = self.succeeds(job(end("postgresql", "Reader", "src", database="bytes", invalidText=rule), end("postgresql", "Writer", "dst"), errors=2),
                                      "--on-unfinished", "fresh")
                self.assertEqual(self.sql("SELECT * FROM dst ORDER BY id"), content)
                self.assertEqual(ended.summary["changes"], changes)
                self.assertEqual(ended.summary["dirty"], 0 if changes else 2)

    def test_a_run_that_the_limit_ends_shows_the_dirty_records_that_it_took_back(self):
        self.sql("CREATE TABLE src (id int, v text); INSERT INTO src SELECT i, repeat('x', 300) FROM generate_series(1, 60000) i; "
                 "CREATE TABLE dst (id int CHECK (id <> 5 AND id <> 6), v text)")
        ended = self.run_job(self.document("insert", errors=1))
        self.assertEqual(ended.code, 1)
        self.assertEqual((ended.summary["dirty"], ended.summary["dirty_taken_back"]), (0, {"23514": 2}), ended)
        self.assertIn("Dirty records of batches that were taken back: 2 (23514 2), until the run goes on in " + ended.summary["dirty_pending"], ended.err)
        with open(ended.summary["dirty_pending"] + "/0.jsonl", encoding="utf-8") as file:
            self.assertEqual([json.loads(line)["position"] for line in file], [4, 5])
        again = self.succeeds(self.document("insert", errors=2))
        self.assertEqual((again.summary["dirty"], again.summary["dirty_taken_back"], again.summary["dirty_pending"]), (2, {}, None))


class MariaDBWritten(Written):
    system = "mariadb"

    @property
    def primary(self):
        """As the server's words name the table's primary key."""
        return "dst.PRIMARY" if MARIADB.system == "mysql" else "PRIMARY"

    def test_an_update_tells_new_updated_and_unchanged_rows_apart(self):
        self.make_tables()
        self.rows(2001, 2500, "CONCAT('row ', seq)", "dst")
        self.rows(2501, 4000, "'old'", "dst")
        ended = self.succeeds(self.document("update"))
        self.assertEqual(ended.summary["written_as"], parts(inserted=2000, updated=500, unchanged=500))
        self.assertIn("inserted 2,000, updated 500, unchanged 500", ended.err)
        again = self.succeeds(self.document("update"), "--on-unfinished", "fresh")
        self.assertEqual(again.summary["written_as"], parts(unchanged=3000))

    def test_a_replacement_tells_what_it_removed_and_sums_up_the_rest(self):
        self.make_tables()
        self.rows(2001, 2500, "CONCAT('row ', seq)", "dst")
        self.rows(2501, 4000, "'old'", "dst")
        for told in (parts(replaced=500, not_told=2500), parts(not_told=3000)):  # the second time all are there just the same
            self.assertEqual(self.succeeds(self.document("replace"), "--on-unfinished", "fresh").summary["written_as"], told)
        self.sql("CREATE TABLE two (id INT PRIMARY KEY, v VARCHAR(50) UNIQUE)")
        self.rows(1, 3000, "CONCAT('row ', 3001 - seq)", "two")
        ended = self.succeeds(self.document("replace", table="two"), "--on-unfinished", "fresh")
        self.assertEqual(ended.summary["written_as"], parts(not_told=3000))

    def test_what_is_ignored_is_no_part_of_what_is_written(self):
        self.make_tables()
        self.rows(2001, 4000, "'old'", "dst")
        ended = self.succeeds(self.document("ignore"))
        self.assertEqual((ended.summary["written_as"], ended.summary["ignored"]), (parts(inserted=2000), 1000))

    def test_refused_rows_are_no_part_either(self):
        self.make_tables()
        self.rows(2001, 4000, "'old'", "dst")
        self.sql("ALTER TABLE src ADD n INT; UPDATE src SET n = IF(id % 1000 = 500, NULL, 1); ALTER TABLE dst ADD n INT DEFAULT 1 CHECK (n IS NOT NULL)")
        ended = self.succeeds(self.document("update", errors=3))
        self.assertEqual((ended.summary["written_as"], ended.summary["dirty"]), (parts(inserted=1998, updated=999), 3), ended)

    def test_a_run_that_is_continued_counts_no_row_twice(self):
        ended = self.killed_and_continued()
        self.assertEqual(ended.summary["written_as"], parts(inserted=75000, updated=75000), ended)

    def test_duplicates_are_refused_with_the_servers_code_words_and_column_and_what_is_there_stays(self):
        self.make_tables()
        self.rows(1, 2999, "'there'", "dst")
        ended = self.succeeds(self.document("insert", errors=2999))
        self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (1, {"ER_DUP_ENTRY": 2999}))
        records = self.dirty(ended)
        self.assertEqual({(r["column"], r["message"]) for r in records}, {("id", f"Duplicate entry '{i}' for key '{self.primary}'") for i in range(1, 3000)})
        self.assertEqual(self.sql("SELECT COUNT(*), COUNT(DISTINCT v) FROM dst"), "3000\t2\n")

    def test_a_good_row_among_duplicates_arrives_once(self):
        self.sql("CREATE TABLE src (id INT, v VARCHAR(50)); CREATE TABLE dst (id INT, v VARCHAR(50), PRIMARY KEY (v, id))")
        self.rows(1, 3000, "'a-b'")
        self.sql("INSERT INTO dst SELECT * FROM src WHERE id % 700 <> 0")
        ended = self.succeeds(self.document("insert", errors=3000))
        self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (4, {"ER_DUP_ENTRY": 2996}), ended)
        self.assertEqual({(r["column"], r["value"], r["message"]) for r in self.dirty(ended)},
                         {("v, id", f"a-b, {i}", f"Duplicate entry 'a-b-{i}' for key '{self.primary}'") for i in range(1, 3001) if i % 700})
        self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), "3000\n")

    def test_a_table_is_made_without_a_key_where_the_server_takes_one_and_refused_beforehand_where_not(self):
        if MARIADB.system != "mysql":
            self.skipTest("MySQL's sql_require_primary_key")
        MARIADB.sql("CREATE TABLE src (a INT); INSERT INTO src VALUES (1)", "sluice")

        def document(*session, **more):
            return self.document("insert", createTable=True, session=["SET sql_require_primary_key = ON", *session], **more)
        ended = self.run_job(document())
        self.assertNotEqual(ended.code, 0, ended)
        self.assertIn("createTable: the table would have no primary key, as the source has none", ended.text)
        self.assertEqual(MARIADB.sql("SHOW TABLES", "sluice"), "src\n")
        ended = self.run_job(document("SET sql_generate_invisible_primary_key = ON"))
        self.assertEqual(ended.code, 0, ended)
        ended = self.run_job(document(preSql="CREATE TABLE with_key (a INT PRIMARY KEY)", table="with_key"))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(MARIADB.sql("SELECT * FROM dst, with_key", "sluice"), "1\t1\n")

    def test_duplicates_are_found_without_the_right_to_update(self):
        self.make_tables()
        self.rows(1, 3000, "'there'", "dst")
        MARIADB.sql("GRANT CREATE, ALTER ON sluice.* TO writer@'%'", "mysql")
        MARIADB.sql("DROP USER IF EXISTS inserter@'%'; CREATE USER inserter@'%' IDENTIFIED BY 'x'; GRANT CREATE, ALTER, SELECT ON sluice.* TO inserter@'%'", "mysql")
        self.addCleanup(MARIADB.sql, "DROP USER inserter@'%'", "mysql")
        self.succeeds(self.document("ignore"))  # makes the tables of marks
        for table, rights in (("dst", "INSERT"), ("sluice_run", "INSERT, UPDATE, DELETE"), ("sluice_progress", "INSERT, UPDATE, DELETE")):
            MARIADB.sql(f"GRANT {rights} ON sluice.{table} TO inserter@'%'", "mysql")
        document = self.document("insert", errors=3000)
        document["steps"][1]["parameter"].update({"username": "inserter", "password": "x"})
        self.assertEqual(self.succeeds(document, "--on-unfinished", "fresh").summary["dirty_by_code"], {"ER_DUP_ENTRY": 3000})


del Written  # a base has no tests of its own


if __name__ == "__main__":
    unittest.main()
