"""What a job does to rows that its author may not have thought of, said by `check`, `plan` and the run before it happens."""

import re
import unittest

from e2e.harness import job
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule

SIDES = (("PostgreSQL", in_postgresql, postgresql_end), ("MariaDB", in_mariadb, mariadb_end))


class Warned(PairTest):
    def says(self, command, document, *more):
        """Its code and all that it prints."""
        ended = self.sluice(command, self.put_job(document), *more)
        return ended.returncode, ended.stdout + ended.stderr

    def on_both(self, make, test):
        for name, sql, end in SIDES:
            with self.subTest(name):
                sql("".join(f"DROP TABLE IF EXISTS {t};" for t in ("child", "notes", "src", "dst", "sluice_run", "sluice_progress")))
                sql(make)
                test(name, sql, end)

    def document(self, end, mode):
        return job(end("Reader", "src"), end("Writer", "dst", writeMode=mode))

    def test_replace_names_the_foreign_keys_that_delete_rows_of_other_tables(self):
        def test(_, sql, end):
            for mode, warns in (("replace", True), ("update", False)):
                for command in ("check", "plan"):
                    code, text = self.says(command, self.document(end, mode))
                    self.assertEqual(code, 0, text)
                    self.assertEqual('the foreign key "child_of" of' in text and "then deletes the rows" in text, warns, text)
                    self.assertEqual('the foreign key "note_of" of' in text and "then takes the reference" in text, warns, text)
                    self.assertNotIn("restricted_of", text)
        self.on_both("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE dst (id INT PRIMARY KEY, t VARCHAR(9));"
                     "INSERT INTO src VALUES (1, 'new'); INSERT INTO dst VALUES (1, 'old');"
                     "CREATE TABLE child (of_id INT, CONSTRAINT child_of FOREIGN KEY (of_id) REFERENCES dst (id) ON DELETE CASCADE);"
                     "CREATE TABLE notes (of_id INT, other INT, CONSTRAINT note_of FOREIGN KEY (of_id) REFERENCES dst (id) ON DELETE SET NULL,"
                     "CONSTRAINT restricted_of FOREIGN KEY (other) REFERENCES dst (id))", test)

    def test_a_second_run_is_not_said_to_change_nothing_where_splits_may_share_keys(self):
        def test(_, sql, end):
            for mode in ("update", "replace"):
                text = " ".join(self.says("plan", self.document(end, mode))[1].split())
                self.assertIn("across splits the order is not defined", text)
                self.assertIn("the table is the same afterwards, unless several splits have records of the same key", text)
        self.on_both("CREATE TABLE src (id INT PRIMARY KEY); CREATE TABLE dst (id INT PRIMARY KEY)", test)

    def test_a_key_that_takes_null_finds_no_row_with_one(self):
        def test(_, sql, end):
            for mode in ("update", "replace", "ignore"):
                text = self.says("plan", self.document(end, mode))[1]
                self.assertIn("rows with NULL in b are found by no key: each run inserts them once more", text)
                self.assertNotRegex(text, "the table is the same afterwards[.,]? ?(unless|\n)")
            for times in (1, 2):
                self.succeeds(self.document(end, "update"), "--on-unfinished", "fresh")
                self.assertEqual(sql("SELECT count(*) FROM dst").strip(), str(1 + times))
        self.on_both("CREATE TABLE src (a INT, b INT, t VARCHAR(9)); CREATE TABLE dst (a INT NOT NULL, b INT, t VARCHAR(9), UNIQUE (a, b));"
                     "INSERT INTO src VALUES (1, 1, 'x'), (1, NULL, 'y')", test)

    def test_mariadb_names_all_keys_by_which_it_finds_rows(self):
        def test(name, _, end):
            for mode in ("update", "replace", "ignore"):
                text = self.says("plan", self.document(end, mode))[1]
                self.assertEqual("rows are found by each of the keys (id), (email)" in text, name == "MariaDB" and mode != "ignore", text)
        self.on_both("CREATE TABLE src (id INT PRIMARY KEY, email VARCHAR(9) NOT NULL); CREATE TABLE dst (id INT PRIMARY KEY, email VARCHAR(9) NOT NULL UNIQUE)", test)

    def test_conditions_queries_and_expressions_on_a_timestamp_of_mariadb_say_that_they_are_of_utc(self):
        in_mariadb("SET time_zone = '+00:00'; CREATE TABLE src (id INT PRIMARY KEY, ts TIMESTAMP NULL, d DATETIME); CREATE TABLE dst (id INT);"
                   "INSERT INTO src VALUES (1, '2024-06-30 22:00:00', NULL), (2, '2024-07-01 01:00:00', NULL), (3, '2024-07-02 01:00:00', NULL)")
        query = {"table": None, "querySql": "SELECT id FROM src WHERE ts >= '2024-07-01'"}
        zone = ("'2024-07-01 00:00:00', '-03:30', '+00:00'", "2024-07-02 00:00:00")
        for how, place in (({"where": "ts >= '2024-07-01'"}, "where"), ({"column": ["DATE(ts)"]}, "column[0]"), (query, "querySql"),
                           ({"where": "d >= '2024-07-01'", "column": ["id"]}, None), ({"where": f"ts >= CONVERT_TZ({zone[0]})"}, None),
                           ({"table": None, "querySql": "SELECT id, ts FROM src ORDER BY ts"}, None)):
            reader = mariadb_end("Reader", "src", ["id"])
            reader["parameter"] = {k: v for k, v in {**reader["parameter"], **how}.items() if v is not None}
            if "querySql" in how:
                del reader["parameter"]["column"]
            for command in ("check", "plan"):
                code, text = self.says(command, job(reader, mariadb_end("Writer", "dst", ["id"] if "ts FROM" not in str(how) else ["id", "id"])))
                told = f'{place}' in text and 'it computes with "ts", TIMESTAMP, whose times and days are those of UTC here, and of the server\'s own zone (-03:30)' in text
                self.assertEqual(told, place is not None, text)
                self.assertEqual(text.count("TIMESTAMP, whose times"), int(place is not None), text)
        ended = self.succeeds(job(mariadb_end("Reader", "src", ["id"], where=f"ts >= CONVERT_TZ({zone[0]})"), mariadb_end("Writer", "dst", ["id"])))
        self.assertEqual(ended.summary["written"], 1)

    def test_conditions_queries_and_expressions_on_a_timestamptz_of_postgresql_say_in_which_zone_they_are(self):
        in_postgresql("CREATE TABLE src (id INT PRIMARY KEY, ts timestamptz, d timestamp); CREATE TABLE dst (id INT);"
                      "INSERT INTO src VALUES (1, '2024-07-01 00:00:00+00'), (2, '2024-07-01 02:30:00+00')")
        here, set_by_job = "America/St_Johns, the server's own, and not of the run's, UTC", "Asia/Tokyo, as the job sets it"
        query = {"querySql": "SELECT id FROM src WHERE ts >= '2024-07-01'"}
        tokyo = {"session": ["SET TIME ZONE 'Asia/Tokyo'"]}
        for how, place, zone in (({"where": "ts >= '2024-07-01'"}, "where", here), ({"column": ["extract(day from ts)::int"]}, "column[0]", here), (query, "querySql", here),
                                 ({"where": "ts >= '2024-07-01'", **tokyo}, "where", set_by_job), ({"where": "ts >= '2024-07-01 00:00:00+08'"}, None, None),
                                 ({"where": "ts AT TIME ZONE 'UTC' >= '2024-07-01'"}, None, None), ({"where": "d >= '2024-07-01'"}, None, None),
                                 ({"where": "ts > now() - interval '1 day'"}, None, None)):
            reader = postgresql_end("Reader", "src", ["id"])
            reader["parameter"].update(how)
            if "querySql" in how:
                del reader["parameter"]["column"], reader["parameter"]["table"]
            code, text = self.says("plan", job(reader, postgresql_end("Writer", "dst", ["id"])), "--timezone", "UTC")
            self.assertEqual(code, 0, text)
            self.assertEqual(text.count("timestamptz: times without an offset"), int(place is not None), text)
            if place is not None:
                self.assertRegex(text, f"{re.escape(place)}: it compares or computes with \"ts\", timestamptz: times without an offset, and days, are those of the session's zone {zone}")
            self.assertEqual("not of the run's" in text, zone == here, text)
        same = job(postgresql_end("Reader", "src", ["id"], where="ts >= '2024-07-01'"), postgresql_end("Writer", "dst", ["id"]))
        self.assertNotIn("not of the run's", self.says("plan", same, "--timezone", "America/St_Johns")[1])
        self.assertEqual(self.succeeds(same).summary["written"], 1)

    def test_a_key_of_mariadb_that_takes_different_texts_for_equal_is_told_of(self):
        in_postgresql("CREATE TABLE src (k varchar(20) PRIMARY KEY, v INT)")
        in_mariadb("CREATE TABLE ci (k VARCHAR(20) PRIMARY KEY, v INT) COLLATE utf8mb4_general_ci; CREATE TABLE same LIKE ci;"
                   "CREATE TABLE bin (k VARCHAR(20) COLLATE utf8mb4_bin PRIMARY KEY, v INT); CREATE TABLE nopad (k VARCHAR(20) COLLATE utf8mb4_nopad_bin PRIMARY KEY, v INT);"
                   "CREATE TABLE latin (k CHAR(20) CHARACTER SET latin1 COLLATE latin1_general_cs PRIMARY KEY, v INT)")
        told = 'Rows whose texts in the key\'s column "k" differ {} only are one row there, by its collation {}: the {} one written stays'
        every = "in case or in accents or in blanks at the end"
        for source, table, mode, expected in ((postgresql_end, "ci", "update", told.format(every, "utf8mb4_general_ci", "last")),
                                              (postgresql_end, "ci", "replace", told.format(every, "utf8mb4_general_ci", "last")),
                                              (postgresql_end, "ci", "ignore", told.format(every, "utf8mb4_general_ci", "first")),
                                              (postgresql_end, "ci", "insert", None), (postgresql_end, "latin", "update", None), (postgresql_end, "nopad", "update", None),
                                              (postgresql_end, "bin", "update", told.format("in blanks at the end", "utf8mb4_bin", "last")),
                                              (mariadb_end, "ci", "update", None), (mariadb_end, "nopad", "replace", None)):
            with self.subTest(f"{source.__name__} {table} {mode}"):
                reader = source("Reader", "src" if source is postgresql_end else "same")
                code, text = self.says("plan", job(reader, mariadb_end("Writer", table, writeMode=mode)))
                self.assertEqual(code, 0, text)
                self.assertEqual(text.count("are one row there"), int(expected is not None), text)
                self.assertIn(expected or "", text)
                self.assertEqual("warning" in text, bool(expected) and table == "ci", text)
        in_postgresql("INSERT INTO src VALUES ('a', 1), ('A', 2), ('b', 3)")
        self.assertIn("are one row there", self.succeeds(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "ci", writeMode="update"))).text)

    def test_postgresql_takes_the_key_that_uniqueindexcolumns_names(self):
        in_postgresql("CREATE TABLE src (email TEXT, shop INT, phone INT, t TEXT); INSERT INTO src VALUES ('new@x', 1, 2, 'new');"
                      "CREATE TABLE dst (email TEXT NOT NULL UNIQUE, shop INT NOT NULL, phone INT NOT NULL, t TEXT, UNIQUE (shop, phone), CONSTRAINT later UNIQUE (t) DEFERRABLE);"
                      "CREATE UNIQUE INDEX partly ON dst (t) WHERE shop > 1; CREATE UNIQUE INDEX lowered ON dst (lower(t))")

        def document(mode="update", columns=("email", "shop", "phone", "t"), **more):
            return job(postgresql_end("Reader", "src", columns), postgresql_end("Writer", "dst", columns, writeMode=mode, **more), errors=9)

        def ends_as(expected, dirty, **how):
            in_postgresql("DELETE FROM dst; INSERT INTO dst VALUES ('old@x', 1, 2, 'old')")
            self.assertEqual(self.succeeds(document(**how), "--on-unfinished", "fresh").summary["dirty"], dirty)
            self.assertEqual(in_postgresql("SELECT * FROM dst").strip(), expected)
        self.assertIn('Rows are found by (email), the first of the keys (email), (shop, phone); "uniqueIndexColumns" names another.', self.says("plan", document())[1])
        self.assertIn("in any of the keys (email), (shop, phone) is left out", self.says("plan", document("ignore"))[1])
        ends_as("old@x|1|2|old", 1)
        ends_as("old@x|1|2|old", 0, mode="ignore")
        ends_as("old@x|1|2|old", 1, mode="ignore", uniqueIndexColumns="email")
        for mode, expected in (("update", "new"), ("replace", "new"), ("ignore", "old")):
            ends_as(f"{expected}@x|1|2|{expected}", 0, mode=mode, uniqueIndexColumns=["PHONE", "shop"])
        self.assertIn("Rows are found by (shop, phone). ", self.says("plan", document(uniqueIndexColumns=["shop", "phone"]))[1])
        for wrong, parts in (({"uniqueIndexColumns": ["t"]}, ("found (t), which is no key of table", "its keys are (email), (shop, phone)", '"partly" (t) WHERE (shop > 1), which is partial',
                                                              '"lowered" (lower(t)), which is over an expression', '"later" (t), which is deferrable')),
                             ({"uniqueIndexColumns": ["shop"]}, ("found (shop), which is no key",)),
                             ({"uniqueIndexColumns": ["fax"]}, ('has no column "fax"',)),
                             ({"uniqueIndexColumns": ["email"], "mode": "insert"}, ('found with "writeMode" "insert"',))):
            code, text = self.says("check", document(**wrong))
            self.assertNotEqual(code, 0, text)
            for part in ("uniqueIndexColumns", *parts):
                self.assertIn(part, text)

    def test_a_name_that_postgresql_would_cut_off_is_refused_and_another_table_left_alone(self):
        cut = "t" * 63
        in_postgresql(f"DROP TABLE IF EXISTS src, {cut}; CREATE TABLE src (a INT); INSERT INTO src VALUES (7);"
                      f"CREATE TABLE {cut} (a INT); INSERT INTO {cut} VALUES (1)")
        reader = postgresql_end("Reader", "src")
        for document in (job(reader, postgresql_end("Writer", cut + "999", preSql=["DELETE FROM @table"])),
                         job(reader, postgresql_end("Writer", cut + "999", createTable=True)),
                         job(postgresql_end("Reader", cut + "999"), postgresql_end("Writer", "src"))):
            for command in ("check", "run"):
                code, text = self.says(command, document)
                self.assertNotEqual(code, 0, text)
                self.assertIn("has 66 bytes, and PostgreSQL cuts off what is behind the 63rd", text)
        self.assertEqual(in_postgresql(f"SELECT a FROM {cut}").strip(), "1")
        in_postgresql(f"DROP TABLE {cut}")

    def test_a_session_does_not_change_the_encoding_of_texts(self):
        in_postgresql("DROP TABLE IF EXISTS src, dst; CREATE TABLE src (t TEXT); INSERT INTO src VALUES ('é汉字'); CREATE TABLE dst (t TEXT)")
        for encoding in ("LATIN1", "GBK"):
            session = [f"SET client_encoding = '{encoding}'"]
            self.succeeds(job(postgresql_end("Reader", "src", session=session), postgresql_end("Writer", "dst", session=session, preSql=["DELETE FROM @table"])),
                          "--on-unfinished", "fresh")
            self.assertEqual(in_postgresql("SELECT t FROM dst").strip(), "é汉字")


if __name__ == "__main__":
    unittest.main()
