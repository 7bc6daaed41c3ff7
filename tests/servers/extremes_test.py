"""Tables at the limits of the servers: as many columns as they have, the oddest names, values of 64 MB."""

import unittest

from e2e.harness import job, sqlite_writer
from servers.pair import PairTest, csv_end, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule

ROWS = 20


class Wide(PairTest):
    def fill(self, columns, in_server, series, table="src"):
        in_server(f"CREATE TABLE {table} ({', '.join(f'c{i} INT' for i in range(columns))}); "
                  f"INSERT INTO {table} SELECT {', '.join(f'n * {i + 1}' for i in range(columns))} FROM {series} s")

    def assert_arrived(self, columns, in_server, table="dst"):
        """By a sum that weighs columns by their places, so that columns which change theirs are seen."""
        pieces = [range(begin, min(begin + 200, columns)) for begin in range(0, columns, 200)]
        totals = [int(in_server(f"SELECT {' + '.join(f'SUM({i % 97 + 1} * c{i})' for i in piece)} FROM {table}")) for piece in pieces]
        self.assertEqual(sum(totals), ROWS * (ROWS + 1) // 2 * sum((i % 97 + 1) * (i + 1) for i in range(columns)))

    def test_1600_columns_of_postgresql(self):
        self.fill(1600, in_postgresql, f"(SELECT generate_series(1, {ROWS}) n)")
        in_postgresql("CREATE TABLE dst (LIKE src)")
        reader = postgresql_end("Reader", "src")
        self.succeeds(job(reader, postgresql_end("Writer", "dst")))
        self.assert_arrived(1600, in_postgresql)
        in_postgresql("TRUNCATE dst")
        in_postgresql("ALTER TABLE dst ADD PRIMARY KEY (c0)")
        for mode in ("update", "replace", "ignore"):  # a staging table has one column more
            self.refused(job(reader, postgresql_end("Writer", "dst", writeMode=mode)), "steps[1].parameter.writeMode", f"found {mode} for 1600 columns", "write at most 1599 of the columns")
        some = [f"c{i}" for i in range(1599)]
        self.succeeds(job(postgresql_end("Reader", "src", some), postgresql_end("Writer", "dst", some, writeMode="update")))
        in_postgresql("UPDATE dst SET c1599 = 0 WHERE c0 > 10; DELETE FROM dst WHERE c0 <= 10")
        ended = self.succeeds(job(reader, postgresql_end("Writer", "dst"), errors=10))
        self.assertEqual((ended.summary["written"], ended.summary["dirty"]), (10, 10), ended)
        in_postgresql("TRUNCATE dst")
        self.succeeds(job(reader, csv_end("Writer", self.folder)))
        self.succeeds(job(csv_end("Reader", self.folder, column=["*"]), postgresql_end("Writer", "dst")))
        self.assert_arrived(1600, in_postgresql)
        self.succeeds(job(reader, sqlite_writer(self.folder / "wide.db", "wide", ["*"], createTable=True)))
        self.assertEqual(self.rows(self.folder / "wide.db", "SELECT count(*), sum(c0), sum(c1599) FROM wide"), [(ROWS, 210, 210 * 1600)])

    def test_1017_columns_of_mariadb(self):
        self.fill(1017, in_mariadb, f"(SELECT seq n FROM seq_1_to_{ROWS})")
        in_mariadb("CREATE TABLE dst LIKE src; ALTER TABLE dst ADD PRIMARY KEY (c0)")
        for mode in ("insert", "update", "replace"):
            self.succeeds(job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst", writeMode=mode)))
            self.assert_arrived(1017, in_mariadb)
        self.succeeds(job(mariadb_end("Reader", "src"), postgresql_end("Writer", "made", createTable=True)))
        in_postgresql("ALTER TABLE made ADD PRIMARY KEY (c0)")
        self.succeeds(job(mariadb_end("Reader", "src"), postgresql_end("Writer", "made", writeMode="update")))
        self.assert_arrived(1017, in_postgresql, "made")
        self.succeeds(job(postgresql_end("Reader", "made"), mariadb_end("Writer", "made", createTable=True)))
        self.assert_arrived(1017, in_mariadb, "made")

    def test_more_columns_than_the_destination_can_have_are_refused_in_its_words(self):
        self.fill(1018, in_postgresql, f"(SELECT generate_series(1, {ROWS}) n)")
        self.refused(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "made", createTable=True)), "createTable", "Too many columns")


class Names(PairTest):
    ODD = ("select", "Group By", 'a"b', "a`b", "it's", "sp ace", "tab\tx", "ünï", "日本", "%s", "{}", "a.b", "[x]", "a\\b", "--", "/*", "$1", "?",
           "@x", "x;y", "0", "#", "NULL", "a,b", "*x", "t[0-9]")
    POSTGRESQL = '"Odd.s""ch"."t\'`""b"'
    MARIADB = "`t'``\"b`"

    def test_tables_and_columns_may_be_called_anything(self):
        columns = ("order", *self.ODD)
        quoted = {in_postgresql: ['"' + c.replace('"', '""') + '"' for c in columns], in_mariadb: ["`" + c.replace("`", "``") + "`" for c in columns]}
        in_postgresql('DROP SCHEMA IF EXISTS "Odd.s""ch" CASCADE; CREATE SCHEMA "Odd.s""ch"')
        self.addCleanup(in_postgresql, 'DROP SCHEMA "Odd.s""ch" CASCADE')
        for in_server, table in ((in_postgresql, self.POSTGRESQL), (in_mariadb, self.MARIADB)):
            in_server(f"CREATE TABLE {table} ({quoted[in_server][0]} INT PRIMARY KEY, {', '.join(f'{c} TEXT' for c in quoted[in_server][1:])})")
        in_postgresql(f"INSERT INTO {self.POSTGRESQL} SELECT n, {', '.join(f'{i} || chr(64 + n)' for i in range(len(self.ODD)))} FROM generate_series(1, 9) n")
        first = postgresql_end("Reader", self.POSTGRESQL, splitPk="order")
        made = '"Odd.s""ch"."made ""x"'
        self.succeeds(job(first, mariadb_end("Writer", self.MARIADB), concurrent=2))
        self.succeeds(job(first, mariadb_end("Writer", self.MARIADB, columns, writeMode="update")))
        self.succeeds(job(first, mariadb_end("Writer", "`made ``x`", createTable=True)))
        self.succeeds(job(mariadb_end("Reader", "`made ``x`", quoted[in_mariadb], splitPk="order"),
                          postgresql_end("Writer", made, createTable=True), concurrent=2))
        self.succeeds(job(mariadb_end("Reader", self.MARIADB, columns), postgresql_end("Writer", made, quoted[in_postgresql], writeMode="replace")))
        self.succeeds(job(mariadb_end("Reader", self.MARIADB), postgresql_end("Writer", made, mapping="name", writeMode="update")))
        self.assertEqual(in_postgresql(f"SELECT count(*), count(DISTINCT m) FROM {self.POSTGRESQL} s JOIN {made} m ON s::text = m::text"), "9|9\n")
        self.assertEqual(in_mariadb(f"SELECT COUNT(*) FROM {self.MARIADB} NATURAL JOIN `made ``x`"), "9\n")


class Large(PairTest):
    """Within 256 MB and four times the record, on each route."""

    BYTES = 64_000_000

    def setUp(self):
        super().setUp()
        most = in_mariadb("SELECT @@global.max_allowed_packet").strip()
        in_mariadb(f"SET GLOBAL max_allowed_packet = {256 << 20}")
        self.addCleanup(in_mariadb, f"SET GLOBAL max_allowed_packet = {most}")

    def moves(self, *routes):
        for reader, writer in routes:
            with self.subTest(f"{reader['stepType']} to {writer['stepType']}"):
                ended, peak = self.run_measured(job(reader, writer))
                self.assertEqual(ended.code, 0, ended)
                self.assertEqual(ended.summary["written"], 3, ended)
                self.assertLess(peak, 256_000_000 + 4 * self.BYTES)

    def test_bytes_of_64_mb(self):
        in_postgresql(f"CREATE TABLE src (id int PRIMARY KEY, v bytea); CREATE TABLE dst (LIKE src); INSERT INTO src VALUES (1, '\\x00'), "
                      f"(2, decode(repeat('00ff275c0a09e4b1', {self.BYTES // 8}), 'hex')), (3, '')")
        in_mariadb("CREATE TABLE src (id INT PRIMARY KEY, v LONGBLOB); CREATE TABLE dst LIKE src")
        in_postgresql("CREATE TABLE twin (id int PRIMARY KEY, v bytea)")
        self.moves((postgresql_end("Reader", "src"), postgresql_end("Writer", "twin", writeMode="replace")),
                   (postgresql_end("Reader", "src"), mariadb_end("Writer", "src")),
                   (mariadb_end("Reader", "src"), mariadb_end("Writer", "dst")),
                   (mariadb_end("Reader", "dst"), postgresql_end("Writer", "dst")))
        self.assertEqual(in_postgresql("SELECT count(*) FROM src JOIN dst USING (id, v) JOIN twin USING (id, v)"), "3\n")

    def test_texts_of_64_mb_through_files(self):
        in_postgresql("CREATE TABLE src (id int PRIMARY KEY, v text); CREATE TABLE dst (LIKE src); INSERT INTO src VALUES (1, 'x'), "
                      f"(2, repeat(E'aü\\\\\\n,', {self.BYTES // 6})), (3, 'y')")
        in_mariadb("CREATE TABLE dst (id INT PRIMARY KEY, v LONGTEXT)")
        columns = [{"index": 0, "type": "long"}, {"index": 1, "type": "string"}]
        self.moves((postgresql_end("Reader", "src"), csv_end("Writer", self.folder)),
                   (csv_end("Reader", self.folder, column=columns), mariadb_end("Writer", "dst", writeMode="update")),
                   (mariadb_end("Reader", "dst"), sqlite_writer(self.folder / "large.db", "large", ["*"], createTable=True)),
                   (csv_end("Reader", self.folder, column=columns), postgresql_end("Writer", "dst")))
        self.assertEqual(in_postgresql("SELECT count(*) FROM src JOIN dst USING (id, v)"), "3\n")
        self.assertEqual(in_mariadb("SELECT MD5(v) FROM dst WHERE id = 2"), in_postgresql("SELECT md5(v) FROM src WHERE id = 2"))
        self.assertEqual(self.rows(self.folder / "large.db", "SELECT length(CAST(v AS BLOB)) FROM large ORDER BY id"), [(1,), (self.BYTES // 6 * 6,), (1,)])

    def test_a_record_beyond_the_largest_is_dirty_and_named_by_its_key(self):
        in_postgresql(f"CREATE TABLE src (id int PRIMARY KEY, v bytea); INSERT INTO src SELECT i, decode(repeat('00', i * {33 << 20}), 'hex') "
                      "FROM generate_series(1, 2) i; CREATE TABLE dst (LIKE src)")
        ended = self.succeeds(job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"record_too_large": 1})
        self.assertIn("src id=2: the record has 69,20", ended.text)

    def test_a_server_that_takes_no_such_packet_is_named_and_the_others_arrive(self):
        in_mariadb("SET GLOBAL max_allowed_packet = 1048576")
        in_postgresql("CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src VALUES (1, 'x'), (2, repeat('x', 2000000)), (3, 'y')")
        in_mariadb("CREATE TABLE dst (id INT PRIMARY KEY, v LONGTEXT)")
        # LOAD DATA comes in packets of any size; a statement is one.
        ended = self.succeeds(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "dst", writeMode="update"), errors=1))
        self.assertEqual(ended.summary["dirty_by_code"], {"ER_NET_PACKET_TOO_LARGE": 1})
        self.assertIn("the server takes statements of 1 MiB; raise its max_allowed_packet", ended.text)
        self.assertEqual(in_mariadb("SELECT id FROM dst"), "1\n3\n")

    def test_whether_a_row_is_larger_than_a_packet_counts_alike_beside_good_and_beside_bad_rows(self):
        in_mariadb("SET GLOBAL max_allowed_packet = 1048576")
        in_postgresql("CREATE TABLE src (id int PRIMARY KEY, v text, b bytea); INSERT INTO src (id, v) VALUES (1, 'x'), (2, repeat(E'\\\\ü\\t', 500000)), (3, 'y'), "
                      "(6, repeat('z', 2000000)), (7, repeat('z', 2000000)); INSERT INTO src (id, b) SELECT i, decode(repeat('ff', 700000 * (i - 3)), 'hex') FROM generate_series(4, 5) i")
        for mode in ("insert", "replace"):
            for there in ("", "INSERT INTO dst (id, v) VALUES (3, 'old'), (6, 'old')" if mode == "insert" else "ALTER TABLE dst ADD CHECK (id <> 3), ADD CHECK (id <> 7)"):
                with self.subTest(mode=mode, there=there):
                    in_mariadb(f"DROP TABLE IF EXISTS dst; CREATE TABLE dst (id INT PRIMARY KEY, v LONGTEXT, b LONGBLOB); {there}")
                    ended = self.succeeds(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "dst", writeMode=mode), errors=9), "--on-unfinished", "fresh")
                    self.assertEqual(ended.summary["dirty_by_code"], {} if not there else {"ER_DUP_ENTRY" if mode == "insert" else "ER_CONSTRAINT_FAILED": 2}, ended)
                    self.assertEqual(in_mariadb("SELECT id, MD5(v), MD5(b) FROM dst WHERE id IN (1, 2, 4, 5)"),
                                     in_postgresql("SELECT id, coalesce(md5(v), 'NULL'), coalesce(md5(b), 'NULL') FROM src WHERE id IN (1, 2, 4, 5)").replace("|", "\t"))


if __name__ == "__main__":
    unittest.main()
