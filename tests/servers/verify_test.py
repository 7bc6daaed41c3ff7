"""`sluice verify` between servers: rows that somebody changed since, where a run has split, converted and refused."""

import json
import re
import unittest

from e2e.harness import job
from servers import pair
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule

ROWS = 20_000


class Verify(PairTest):
    def fill(self):
        in_mariadb(f"CREATE TABLE src (id BIGINT PRIMARY KEY, v VARCHAR(50), n DECIMAL(12,3), at DATETIME(6), f FLOAT, flag BOOLEAN); "
                   f"INSERT INTO src SELECT seq, CONCAT('Zoë ', seq), seq / 8, '2025-01-31 10:00:00.5' + INTERVAL seq SECOND, seq / 7, seq % 2 FROM seq_1_to_{ROWS}")
        in_postgresql("CREATE TABLE dst (id bigint PRIMARY KEY, v text, n numeric(12,3), at timestamp, f real, flag boolean)")

    def jobs(self, **setting):
        return job(mariadb_end("Reader", "src", splitPk="id"), postgresql_end("Writer", "dst", preSql=["TRUNCATE dst"]), concurrent=2, **setting)

    def test_a_row_that_somebody_changed_is_named_whatever_was_converted(self):
        self.fill()
        document = self.jobs()
        self.succeeds(document)
        code, found = self.verified(document)
        self.assertEqual((code, found["verdict"], found["scope"], found["key"]), (0, "equal", "whole", "id"))
        self.assertEqual((found["form"], found["sums"]), ("canonical/1", 'read back, because column "f" is float at the source and real at the destination'))
        in_postgresql("UPDATE dst SET n = n + 0.001 WHERE id = 777; UPDATE dst SET at = at + interval '1 microsecond', flag = NOT flag WHERE id = 19999; DELETE FROM dst WHERE id = 3")
        code, found = self.verified(document)
        self.assertEqual((code, found["different"], found["missing"], found["extra"]), (1, 2, 1, 0))
        self.assertEqual([d["record"] for d in found["differences"]], ["id=3", "id=777", "id=19999"])
        self.assertEqual(found["differences"][1]["values"], [{"column": "n", "source": "97.125", "destination": "97.126"}])
        self.assertEqual([v["column"] for v in found["differences"][2]["values"]], ["at", "flag"])
        self.succeeds(document)
        in_mariadb("UPDATE src SET v = 'newer' WHERE id = 5")
        self.assertEqual(self.verified(document)[1]["verdict"], "equal_to_run")

    def test_a_run_that_verifies_stops_before_its_swap(self):
        self.fill()
        in_postgresql("CREATE TABLE swapped (n int)")
        document = self.jobs(verify=True)
        document["steps"][1]["parameter"]["postSql"] = ["INSERT INTO swapped VALUES (1)"]
        ended = self.succeeds(document)
        self.assertEqual((ended.summary["verify"]["verdict"], ended.summary["verify"]["records"]), ("equal", ROWS))
        in_postgresql("TRUNCATE swapped; CREATE FUNCTION flip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := 'flipped'; RETURN NEW; END $$; "
                      "CREATE TRIGGER flips BEFORE INSERT ON dst FOR EACH ROW WHEN (NEW.id = 4711) EXECUTE FUNCTION flip()")
        self.refused(document, "setting.verify: not equal: 1 different", "id=4711", "flipped", "the steps behind the data have not run")
        self.assertEqual(in_postgresql("SELECT count(*) FROM swapped"), "0\n")
        in_postgresql("UPDATE dst SET v = 'Zoë 4711' WHERE id = 4711")
        self.assertTrue(self.succeeds(document).summary["resumed"])
        self.assertEqual(in_postgresql("SELECT count(*) FROM swapped"), "1\n")

    def test_between_two_postgresql_columns_leave_their_own_bytes_to_be_compared(self):
        in_postgresql(f"CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src SELECT i, 'row ' || i FROM generate_series(1, {ROWS}) i; CREATE TABLE dst (LIKE src)")
        document = job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst"))
        self.assertIn("postgresql-copy/1", self.succeeds(document).summary["sums"]["form"])
        code, found = self.verified(document)
        self.assertEqual((code, found["verdict"], found["scope"], found["others"]), (0, "equal", "keys", 0))
        in_postgresql("TRUNCATE dst; DROP TABLE sluice_run, sluice_progress")
        document["setting"]["verify"] = True
        summary = self.succeeds(document).summary
        self.assertEqual((summary["sums"]["form"], summary["verify"]["sum"]), ("canonical/1", summary["sums"]["written"]))


# A column of MariaDB, what it is in PostgreSQL, and values of it as both write them.
SUMMED = (
    ("BIGINT UNSIGNED", "numeric(20)", ("0", "18446744073709551615", "12", "1")),
    ("INT", "bigint", ("-2147483648", "2147483647", "3", "23")),
    ("BOOLEAN", "boolean", ("FALSE", "TRUE", "FALSE", "TRUE")),
    ("DECIMAL(20,5)", "numeric", ("-0.0", "-123456789012345.67891", "100", "0.5")),
    ("VARCHAR(40)", "varchar(40)", ("''", "'a|b'", "'1,2:3,'", "'~'")),
    ("TEXT", "text", ("'trails  '", "''", "'😀 Zoë 日'", "'1:x,'")),
    ("CHAR(10)", "char(10)", ("'a'", "'NULL'", "''", "'  b'")),
    ("VARCHAR(20) CHARACTER SET latin1", "text", ("'Zoë €'", "''", "'x'", "'ÿ'")),
    ("DATE", "date", ("'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0001-01-01'")),
    ("DATETIME(6)", "timestamp", ("'9999-12-31 23:59:59.999999'", "'2025-01-31 10:00:00.5'", "'1969-12-31 23:59:59'", "'2025-07-20 02:30:00.000001'")),
    ("TIMESTAMP(3) NULL", "timestamptz", ("'1970-01-01 00:00:01+00:00'", "'2025-03-30 01:30:00.125+00:00'", "'2038-01-19 03:14:07+00:00'", "'2025-10-26 00:30:00+00:00'")),
    ("YEAR", "smallint", ("1901", "2155", "2025", "0")),
    ("ENUM('one', 'zwei €')", "text", ("'one'", "'zwei €'", "'one'", "'one'")),
    ("UUID", "uuid", ("'00112233-4455-6677-8899-aabbccddeeff'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'",) * 2),
    ("BLOB", "bytea", ("''", "'00ff00'", "'0a'", "'7e'")),
)


class SumsInDatabases(PairTest):
    """`sql/1`: the sums are computed where the rows are."""

    def fill(self):
        names = [f"c{i}" for i in range(len(SUMMED))]
        def values(i, write):
            return ", ".join(write(kind, vs[i]) for kind, _, vs in SUMMED)
        def of_mariadb(kind, v):
            return f"x{v}" if kind == "BLOB" else v.replace("+00:00", "") if kind.startswith("TIMESTAMP") else v
        rows = ", ".join(f"({i}, {values(i, of_mariadb)})" for i in range(4)) + f", (9{', NULL' * len(SUMMED)})"
        columns = ", ".join(f"{n} {mine}" for n, (mine, _, _) in zip(names, SUMMED))
        in_mariadb(f"SET time_zone = '+00:00', sql_mode = ''; CREATE TABLE src (id INT PRIMARY KEY, {columns}); CREATE TABLE back (LIKE src); CREATE TABLE twin (LIKE src); "
                   f"INSERT INTO src VALUES {rows}")
        columns = ", ".join(f"{n} {theirs}" for n, (_, theirs, _) in zip(names, SUMMED))
        in_postgresql(f"CREATE TABLE away (id int PRIMARY KEY, {columns}); CREATE TABLE twin (LIKE away INCLUDING ALL)")

    def computed(self, document, *flags):
        """What verify finds without reading."""
        code, found = self.verified(document, *flags)
        self.assertEqual((code, found["verdict"], found["sums"], found["form"]), (0, "equal", "computed in the databases (sql/1)", "sql/1"), found)
        return found

    def read(self, document, *flags):
        """What it finds by reading."""
        code, found = self.verified(document, *flags)
        self.assertIn("read back, because ", found["sums"])
        self.assertIn("canonical/1", found["form"])
        return code, found

    ROUTES = (("mariadb to postgresql", mariadb_end, "src", postgresql_end, "away", ["TRUNCATE away"]),
              ("postgresql to postgresql", postgresql_end, "away", postgresql_end, "twin", ["TRUNCATE twin"]),
              ("postgresql to mariadb", postgresql_end, "away", mariadb_end, "back", ["DELETE FROM back"]),
              ("mariadb to mariadb", mariadb_end, "src", mariadb_end, "twin", ["DELETE FROM twin"]))

    def test_each_type_has_one_text_in_both_products_and_nothing_is_read_where_all_are_equal(self):
        self.fill()
        sums = set()
        for name, reader, source, writer, destination, steps in self.ROUTES:
            with self.subTest(name):
                document = job(reader("Reader", source), writer("Writer", destination, preSql=steps))
                self.succeeds(document)
                read = self.read(document, "--read-back")[1]
                in_mariadb("SET GLOBAL log_output = 'TABLE', general_log = 1; TRUNCATE mysql.general_log")
                in_postgresql("ALTER ROLE admin SET log_statement = 'all'")
                logged = len(pair.POSTGRESQL.log_text())
                try:
                    found = self.computed(document)
                finally:
                    in_mariadb("SET GLOBAL general_log = 0")
                    in_postgresql("ALTER ROLE admin RESET log_statement")
                sent = in_mariadb("SELECT argument FROM mysql.general_log WHERE command_type = 'Query' AND argument REGEXP '^SELECT.*FROM `sluice`.`(src|back|twin)`'").splitlines()
                sent += re.findall(r'(?:statement|execute [^:]*): ((?:COPY|SELECT).*FROM "?public"?\."?(?:away|twin).*)', pair.POSTGRESQL.log_text()[logged:])
                self.assertEqual(len([s for s in sent if "md5(" in s.lower()]), 2, sent)
                self.assertEqual([s for s in sent if "md5(" not in s.lower()], [])
                self.assertEqual((read["verdict"], read["source"]["records"]), ("equal", found["source"]["records"]), read)
                sums.add(found["source"]["sum"])
        self.assertEqual(len(sums), 1)  # of the same records, whoever has computed it
        for i in (0, 3, 6, 10, 14):
            with self.subTest(f"c{i}"):
                in_postgresql(f"BEGIN; UPDATE twin t SET c{i} = a.c{i} FROM away a WHERE t.id = 0 AND a.id = 1; COMMIT")
                code, found = self.read(job(mariadb_end("Reader", "src"), postgresql_end("Writer", "twin", preSql=["TRUNCATE twin"])))
                self.assertEqual((code, found["different"], [d["record"] for d in found["differences"]], [v["column"] for v in found["differences"][0]["values"]]),
                                 (1, 1, ["id=0"], [f"c{i}"]))
                in_postgresql(f"UPDATE twin t SET c{i} = a.c{i} FROM away a WHERE t.id = 0 AND a.id = 0")

    def test_values_in_another_column_or_another_number_of_times_are_noticed(self):
        in_postgresql("CREATE TABLE src (a text, b text, n int); INSERT INTO src VALUES ('1', '23', 4), ('x', '', 5), ('', NULL, 6), ('~', 'd', 7), ('d', 'e', 8); "
                      "CREATE TABLE dst (LIKE src); INSERT INTO dst SELECT * FROM src")
        document = job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst", preSql=["TRUNCATE dst"]))
        self.computed(document)
        for change, different in (("UPDATE dst SET a = '12', b = '3' WHERE n = 4", 2), ("UPDATE dst SET a = b, b = a WHERE n > 4", 8), ("UPDATE dst SET a = NULL WHERE n = 7", 2), ("UPDATE dst SET a = '1', b = '23', n = 4 WHERE n = 8", 2),
                                  ("DELETE FROM dst WHERE n = 4", 1)):
            with self.subTest(change):
                in_postgresql(change)
                code, found = self.read(document)
                self.assertEqual((code, found["different"] + found["missing"] + found["extra"]), (1, different), found)
                in_postgresql("TRUNCATE dst; INSERT INTO dst SELECT * FROM src")
        self.computed(document)

    def test_what_has_no_text_in_both_is_read_and_the_plan_says_so(self):
        in_postgresql("CREATE TABLE src (id int PRIMARY KEY, f double precision, d date, at timestamp, n numeric(6,2), u numeric); CREATE TABLE dst (LIKE src INCLUDING ALL); "
                      "INSERT INTO src VALUES (1, 0.1, '0044-03-15 BC', 'infinity', 1, 'NaN'), (2, 'NaN', 'infinity', '-infinity', 2, 1.50), (3, '-0', '20000-01-01', '0044-03-15 BC', 3, 0); "
                      "INSERT INTO dst SELECT * FROM src")
        document = job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst", preSql=["TRUNCATE dst"]))
        self.computed(document)
        for change, record in (("d = '0044-03-15' WHERE id = 1", "id=1"), ("at = '-infinity' WHERE id = 1", "id=1"), ("f = 0.1::float8 + 1e-17::float8 * 2 WHERE id = 1", "id=1")):
            in_postgresql(f"UPDATE dst SET {change}")
            code, found = self.read(document)
            self.assertEqual((code, [d["record"] for d in found["differences"]]), (1, [record]), change)
            in_postgresql("TRUNCATE dst; INSERT INTO dst SELECT * FROM src")
        # Of these the sums differ, or there are none, and reading finds them equal, or what a run refuses.
        in_postgresql("UPDATE dst SET f = 0 WHERE id = 3")
        self.assertEqual(self.read(document)[0], 0)
        in_postgresql("UPDATE src SET n = 'NaN' WHERE id = 3; UPDATE dst SET n = 'NaN', f = '-0' WHERE id = 3")
        code, found = self.read(document)
        self.assertIn("1 of 3 records have a value without a text in sql/1", found["sums"])
        self.assertNotEqual(code, 0)
        changed = job(postgresql_end("Reader", "src", column=["id", "f * 2 AS f"]), postgresql_end("Writer", "dst", column=["id", "f"], preSql=["TRUNCATE dst"]))
        self.assertEqual(self.verified(changed, "--plan")[1]["sums"], 'read back, because column "f" is an expression at the source and double precision at the destination')
        self.assertEqual(self.verified(job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst")), "--plan")[1]["sums"], "read back, because rows beside those of the source may stand at the destination")
        self.assertEqual(self.verified(document, "--read-back", "--plan")[1]["sums"], "read back, because it was asked for")
        # The rows that the job's where chooses.
        some = job(postgresql_end("Reader", "src", where="id < 3 -- not all"), postgresql_end("Writer", "dst"))
        in_postgresql("UPDATE src SET n = 3 WHERE id = 3")
        self.assertEqual((self.computed(some)["scope"], self.computed(some)["destination"]["records"]), ("where", 2))
        in_mariadb("SET sql_mode = ''; CREATE TABLE src (id INT PRIMARY KEY, d DATE); INSERT INTO src VALUES (1, '0000-00-00'), (2, NULL); CREATE TABLE dst AS SELECT * FROM src")
        zeros = job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst", preSql=["DELETE FROM dst"]))
        self.assertIn("1 of 2 records have a value without", self.read(zeros)[1]["sums"])

    def test_a_run_that_verifies_by_sums_of_the_databases_says_so(self):
        in_postgresql("CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src SELECT i, 'row ' || i FROM generate_series(1, 100) i; CREATE TABLE dst (LIKE src)")
        document = job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst", preSql=["TRUNCATE dst"]), verify=True)
        found = self.succeeds(document).summary["verify"]
        self.assertEqual((found["verdict"], found["form"], found["records"]), ("equal", "sql/1", 100))
        # A row that is gone from both ends since it was written is lost, though they are equal.
        in_postgresql("CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM src WHERE id = 7; RETURN NULL; END $$; "
                      "CREATE TRIGGER loses AFTER INSERT ON dst FOR EACH STATEMENT EXECUTE FUNCTION gone(); "
                      "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM dst WHERE id = 7; RETURN NULL; END $$; "
                      "CREATE TRIGGER skips AFTER INSERT ON dst FOR EACH STATEMENT EXECUTE FUNCTION skip()")
        self.refused(document, "setting.verify: not equal")


if __name__ == "__main__":
    unittest.main()
