"""`sluice verify` between servers: rows that somebody changed since, where a run has split, converted and refused."""

import json
import re
import subprocess
import unittest

from e2e.harness import PROGRAM, job
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


class LiveSource(PairTest):
    """A source that is changed while a run is at work, and before it compares: a trigger of the destination does it."""

    MOVES = f"UPDATE src SET v = 'newer' WHERE id = 5; DELETE FROM src WHERE id = 6; INSERT INTO src VALUES ({ROWS} + 1, 'came')"

    def of_postgresql(self):
        in_postgresql(f"CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src SELECT i, 'row ' || i FROM generate_series(1, {ROWS}) i; CREATE TABLE dst (id int PRIMARY KEY, v text); "
                      f"CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {self.MOVES}; RETURN NULL; END $$; "
                      f"CREATE TRIGGER moves AFTER INSERT ON dst FOR EACH ROW WHEN (NEW.id = {ROWS}) EXECUTE FUNCTION moves()")
        return in_postgresql, postgresql_end, "CREATE TRIGGER flips BEFORE INSERT ON dst FOR EACH ROW WHEN (NEW.id = 7) EXECUTE FUNCTION flip()"

    def of_mariadb(self):
        in_mariadb(f"CREATE TABLE src (id INT PRIMARY KEY, v VARCHAR(50)); INSERT INTO src SELECT seq, CONCAT('row ', seq) FROM seq_1_to_{ROWS}; CREATE TABLE dst LIKE src; "
                   f"\nDELIMITER //\nCREATE TRIGGER moves AFTER INSERT ON dst FOR EACH ROW BEGIN IF NEW.id = {ROWS} THEN {self.MOVES}; END IF; END //\nDELIMITER ;\n")
        return in_mariadb, mariadb_end, "CREATE TRIGGER flips BEFORE INSERT ON dst FOR EACH ROW SET NEW.v = IF(NEW.id = 7, 'flipped', NEW.v)"

    def restore(self, ask, others):
        ask("DELETE FROM dst; " + (f"INSERT INTO dst VALUES ({ROWS} + 7, 'other'), ({ROWS} + 8, 'other'); " if others else "") +
            f"UPDATE src SET v = 'row 5' WHERE id = 5; DELETE FROM src WHERE id > {ROWS} OR id = 6; INSERT INTO src VALUES (6, 'row 6')")

    def test_a_run_compares_with_what_it_has_read_whatever_the_source_is_by_then(self):
        for make in (self.of_postgresql, self.of_mariadb):
            ask, end, flips = make()
            for others in (False, True):
                with self.subTest(make.__name__, others=others):
                    self.restore(ask, others)
                    # Of a whole table the databases' sums differ at first.
                    writer = end("Writer", "dst", **({} if others else {"preSql": ["DELETE FROM dst"]}))
                    document = job(end("Reader", "src"), writer, verify=True)
                    summary = self.succeeds(document).summary
                    self.assertEqual((summary["verify"]["verdict"], summary["verify"]["records"]), ("equal", ROWS))
                    self.assertEqual(summary["verify"]["sum"], summary["sums"]["written"])
                    code, found = self.verified(document)
                    self.assertEqual((code, found["verdict"], found["changed_since"], found["gone"]), (0, "equal_to_run", 2 if others else 3, 0), found)
                    ask(f"UPDATE dst SET v = 'x' WHERE id = {ROWS}")
                    code, found = self.verified(document)
                    self.assertEqual((code, [d["record"] for d in found["differences"]], found["gone"]), (1, [f"id={ROWS}"], 1 if others else None), found)
            # What the destination has made of a row fails the run, and of all that differs only that is named.
            self.restore(ask, True)
            if ask is in_postgresql:
                ask("CREATE FUNCTION flip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := 'flipped'; RETURN NEW; END $$")
            ask(flips)
            self.refused(document, "setting.verify: not equal: 1 different, 0 missing, 0 extra; different id=7", "flipped",
                         "1 record stands there no more", "2 records differ only because the source was changed since")

    def test_between_two_postgresql_the_destination_is_read_in_the_form_of_the_run(self):
        ask, end, _ = self.of_postgresql()
        document = job(end("Reader", "src"), end("Writer", "dst"))
        summary = self.succeeds(document).summary
        self.assertEqual(summary["sums"]["form"], "canonical/1 with postgresql-copy/1")
        code, found = self.verified(document)
        self.assertEqual((code, found["verdict"], found["run"]), (0, "equal_to_run", summary["run"]), found)
        whole = job(end("Reader", "src"), end("Writer", "dst", preSql=["TRUNCATE dst"]))
        self.succeeds(whole)
        ask("UPDATE src SET v = 'newest' WHERE id = 7")
        code, found = self.verified(whole)
        self.assertEqual((code, found["verdict"]), (0, "equal_to_run"), found)
        self.assertEqual(self.verified(whole, "--against", "source")[0], 1)
        ask("UPDATE dst SET v = 'x' WHERE id = 8")
        code, found = self.verified(whole)
        self.assertEqual((code, found["verdict"]), (1, "different"), found)
        # Columns that are converted beside such that are not, and others that nobody compares.
        ask("DROP TABLE src, dst; CREATE TABLE src (id int PRIMARY KEY, t text, n int, m numeric(8,2), i interval); INSERT INTO src SELECT g, 'row ' || g, g, g / 4.0, '1 day' FROM generate_series(1, 5000) g; "
            "CREATE TABLE dst (id int PRIMARY KEY, t varchar(30), n bigint, m numeric(8,2), i interval)")
        self.succeeds(whole)
        ask("UPDATE src SET n = 0 WHERE id = 9")
        code, found = self.verified(whole)
        self.assertEqual((code, found["verdict"]), (0, "equal_to_run"), found)


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


def summed():
    """Of the types those that the server has."""
    return [one for one in SUMMED if one[0] != "UUID" or pair.MARIADB.system != "mysql"]


class SumsInDatabases(PairTest):
    """`sql/1`: the sums are computed where the rows are."""

    def fill(self):
        names = [f"c{i}" for i in range(len(summed()))]
        def values(i, write):
            return ", ".join(write(kind, vs[i]) for kind, _, vs in summed())
        def of_mariadb(kind, v):
            return f"x{v}" if kind == "BLOB" else v.replace("+00:00", "") if kind.startswith("TIMESTAMP") else v
        rows = ", ".join(f"({i}, {values(i, of_mariadb)})" for i in range(4)) + f", (9{', NULL' * len(summed())})"
        columns = ", ".join(f"{n} {mine}" for n, (mine, _, _) in zip(names, summed()))
        in_mariadb(f"SET time_zone = '+00:00', sql_mode = ''; CREATE TABLE src (id INT PRIMARY KEY, {columns}); CREATE TABLE back (LIKE src); CREATE TABLE twin (LIKE src); "
                   f"INSERT INTO src VALUES {rows}")
        columns = ", ".join(f"{n} {theirs}" for n, (_, theirs, _) in zip(names, summed()))
        in_postgresql(f"CREATE TABLE away (id int PRIMARY KEY, {columns}); CREATE TABLE twin (LIKE away INCLUDING ALL)")

    def computed(self, document, *flags):
        """What verify finds without reading."""
        code, found = self.verified(document, *flags)
        self.assertEqual((code, found["verdict"], found["sums"], found["form"]), (0, "equal", "computed in the databases (sql/1)", "sql/1"), found)
        return found

    def apart(self, document, *flags):
        """What it finds by reading the ranges whose sums differ, some of what is there."""
        code, found = self.verified(document, *flags)
        self.assertEqual((code, found["sums"], found["form"]), (1, "computed in the databases (sql/1), and read back where they differ", "sql/1"), found)
        for end in ("source", "destination"):
            self.assertLess(found[end]["read"], found[end]["records"])
        return found

    def read(self, document, *flags):
        """What it finds by reading all."""
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
                sent = in_mariadb("SELECT argument FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND CONVERT(argument USING utf8mb4) REGEXP '^SELECT.*FROM `sluice`.`(src|back|twin)`'").splitlines()
                sent += re.findall(r'(?:statement|execute [^:]*): ((?:COPY|SELECT).*FROM "?public"?\."?(?:away|twin).*)', pair.POSTGRESQL.log_text()[logged:])
                self.assertEqual(len([s for s in sent if "md5(" in s.lower()]), 2, sent)
                self.assertEqual([s for s in sent if "md5(" not in s.lower() and "min(" not in s.lower()], [])
                self.assertEqual((found["source"]["read"], found["destination"]["read"], found["ranges"]["different"]), (0, 0, 0))
                self.assertEqual((read["verdict"], read["source"]["records"]), ("equal", found["source"]["records"]), read)
                sums.add(found["source"]["sum"])
        self.assertEqual(len(sums), 1)  # of the same records, whoever has computed it
        for i in (0, 3, 6, 10, len(summed()) - 1):
            with self.subTest(f"c{i}"):
                in_postgresql(f"BEGIN; UPDATE twin t SET c{i} = a.c{i} FROM away a WHERE t.id = 0 AND a.id = 1; COMMIT")
                found = self.apart(job(mariadb_end("Reader", "src"), postgresql_end("Writer", "twin", preSql=["TRUNCATE twin"])))
                self.assertEqual((found["different"], [d["record"] for d in found["differences"]], [v["column"] for v in found["differences"][0]["values"]]),
                                 (1, ["id=0"], [f"c{i}"]))
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
            self.assertEqual([d["record"] for d in self.apart(document)["differences"]], [record], change)
            in_postgresql("TRUNCATE dst; INSERT INTO dst SELECT * FROM src")
        # Of these the sums differ, or there are none, and reading finds them equal, or what a run refuses.
        in_postgresql("UPDATE dst SET f = 0 WHERE id = 3")
        code, found = self.read(document)
        self.assertEqual((code, found["verdict"], found["sums"]), (0, "equal", "read back, because the ranges whose sums differed were equal when they were read"))
        self.assertEqual((found["source"]["read"], found["ranges"]["different"]), (4, 0))  # one record of the range, then all
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


class RangesInDatabases(PairTest):
    """Where sums differ, the databases tell in which ranges of the key, and only these are read."""

    MANY = 200_000
    ROUTES = (("postgresql to postgresql", in_postgresql, postgresql_end, "src", in_postgresql, postgresql_end, "dst"),
              ("mariadb to postgresql", in_mariadb, mariadb_end, "src", in_postgresql, postgresql_end, "dst"),
              ("postgresql to mariadb", in_postgresql, postgresql_end, "src", in_mariadb, mariadb_end, "dst"))

    def both(self, route, **more):
        name, _, reader, source, _, writer, destination = route
        return job(reader("Reader", source), writer("Writer", destination, preSql=[f"DELETE FROM {destination}"]), **more)

    def fill(self, first=1):
        """As many rows in each table, with keys from `first` on."""
        in_postgresql(f"CREATE TABLE src (id bigint PRIMARY KEY, v text); INSERT INTO src SELECT i + {first} - 1, 'row ' || i FROM generate_series(1, {self.MANY}) i; "
                      "CREATE TABLE dst (LIKE src INCLUDING ALL); INSERT INTO dst SELECT * FROM src; ANALYZE src; ANALYZE dst")
        in_mariadb(f"CREATE TABLE src (id BIGINT PRIMARY KEY, v VARCHAR(50)); INSERT INTO src SELECT CAST(seq AS SIGNED) + ({first}) - 1, CONCAT('row ', seq) FROM seq_1_to_{self.MANY}; "
                   "CREATE TABLE dst LIKE src; INSERT INTO dst SELECT * FROM src")

    def found_apart(self, document, *flags, few=0.02):
        """What a comparison says that has read few of the records at each end."""
        code, found = self.verified(document, *flags)
        self.assertEqual((code, found["verdict"], found["form"]), (1, "different", "sql/1"), found)
        self.assertGreater(found["ranges"]["different"], 0)
        for end in ("source", "destination"):
            self.assertLess(found[end]["read"], found[end]["records"] * few, found)
        return found

    def named(self, found):
        return sorted((d["what"], d["record"]) for d in found["differences"])

    def test_a_byte_in_one_row_of_many_is_found_by_reading_a_hundredth(self):
        self.fill(first=-100_000)
        for route in self.ROUTES:
            _, _, _, _, there, _, destination = route
            with self.subTest(route[0]):
                document = self.both(route)
                code, found = self.verified(document)
                self.assertEqual((code, found["verdict"], found["ranges"], found["source"]["read"], found["destination"]["read"]),
                                 (0, "equal", {"by": "id", "compared": 128, "different": 0}, 0, 0))
                there(f"UPDATE {destination} SET v = 'rov 95000' WHERE id = -5001")
                found = self.found_apart(document)
                self.assertEqual((self.named(found), found["ranges"]["different"], found["source"]["records"]), ([("different", "id=-5001")], 1, self.MANY))
                self.assertEqual(found["differences"][0]["values"], [{"column": "v", "source": "row 95000", "destination": "rov 95000"}])
                self.assertGreater(found["source"]["read"], 1000)  # a range of the first question, and no more
                # A row that is gone, one more in a gap below all keys and one above.
                there(f"DELETE FROM {destination} WHERE id = 77777; INSERT INTO {destination} VALUES (-100001, 'below'), (100000, 'above')")
                found = self.found_apart(document, few=0.05)
                self.assertEqual(self.named(found), [("different", "id=-5001"), ("extra", "id=-100001"), ("extra", "id=100000"), ("missing", "id=77777")])
                self.assertEqual((found["different"], found["missing"], found["extra"], found["destination"]["records"]), (1, 1, 2, self.MANY + 1))
                shown = self.verified(document, "--max-differences", "1")[1]
                self.assertEqual((len(shown["differences"]), shown["counted_all"], shown["different"] + shown["missing"] + shown["extra"] >= 1), (1, True, True))
                there(f"DELETE FROM {destination} WHERE v IN ('below', 'above'); UPDATE {destination} SET v = 'row 95000' WHERE id = -5001; INSERT INTO {destination} VALUES (77777, 'row 177778')")
                self.assertEqual(self.verified(document)[1]["verdict"], "equal")

    def test_keys_at_both_ends_of_64_bits_leave_all_others_in_one_range_which_is_divided(self):
        self.fill()
        least, greatest = -2**63, 2**63 - 1
        for route in self.ROUTES:
            _, here, _, source, there, _, destination = route
            with self.subTest(route[0]):
                both = ((here, source), (there, destination))
                for ask, table in both:
                    ask(f"INSERT INTO {table} VALUES ({least}, 'least'), ({greatest}, 'greatest'), ({least + 1}, 'l'), ({greatest - 1}, 'g')")
                document = self.both(route)
                self.assertEqual(self.verified(document)[1]["verdict"], "equal")
                there(f"UPDATE {destination} SET v = 'x' WHERE id IN ({least}, {greatest - 1}, 1234)")
                found = self.found_apart(document)
                self.assertEqual(self.named(found), [("different", f"id={least}"), ("different", "id=1234"), ("different", f"id={greatest - 1}")])
                self.assertGreater(found["ranges"]["compared"], 128)  # those of a second question
                here(f"DELETE FROM {source} WHERE id IN ({least}, {greatest})")
                self.assertEqual([name for name in self.named(self.found_apart(document)) if name[0] == "extra"], [("extra", f"id={least}"), ("extra", f"id={greatest}")])
                there(f"UPDATE {destination} SET v = 'row 1234' WHERE id = 1234")
                for ask, table in both:
                    ask(f"DELETE FROM {table} WHERE id < 0 OR id > {self.MANY}")

    def test_unsigned_keys_beyond_those_that_have_a_sign_are_in_the_same_ranges(self):
        keys = [0, 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]
        rows = ", ".join(f"({key}, 'a')" for key in keys)
        in_mariadb(f"CREATE TABLE src (id BIGINT UNSIGNED PRIMARY KEY, v VARCHAR(9)); INSERT INTO src VALUES {rows}; CREATE TABLE back LIKE src; INSERT INTO back SELECT * FROM src")
        in_postgresql(f"CREATE TABLE dst (id numeric(20) PRIMARY KEY, v text); INSERT INTO dst VALUES {rows}; CREATE TABLE small (id bigint PRIMARY KEY, v text)")
        for there, writer, destination in ((in_postgresql, postgresql_end, "dst"), (in_mariadb, mariadb_end, "back")):
            document = job(mariadb_end("Reader", "src"), writer("Writer", destination, preSql=[f"DELETE FROM {destination}"]))
            self.assertEqual(self.verified(document)[1]["ranges"], {"by": "id", "compared": 128, "different": 0})
            for key in keys:
                with self.subTest(destination, key=key):
                    there(f"UPDATE {destination} SET v = 'b' WHERE id = {key}")
                    code, found = self.verified(document)
                    self.assertEqual((code, self.named(found), found["form"]), (1, [("different", f"id={key}")], "sql/1"))
                    self.assertLessEqual(found["source"]["read"], 3)
                    there(f"UPDATE {destination} SET v = 'a' WHERE id = {key}")
        # A bigint is compared with bounds that it cannot have.
        in_postgresql("INSERT INTO small SELECT id, v FROM dst WHERE id < 9223372036854775808")
        code, found = self.verified(job(mariadb_end("Reader", "src"), postgresql_end("Writer", "small", preSql=["DELETE FROM small"])))
        self.assertEqual((code, found["ranges"]["compared"], found["missing"], found["source"]["not_compared"]), (1, 128, 0, 4), found)  # they are no bigint

    def test_decimal_keys_are_in_the_same_ranges_whatever_stands_behind_the_point(self):
        keys = ["-99999.999", "-3.001", "-3", "-2.999", "-0.001", "0", "0.001", "2.999", "3", "77777.5", "99999.999"]
        rows = ", ".join([f"({key}, 'a')" for key in keys] + [f"({i * 600} + 0.125, 'a')" for i in range(-150, 150)])
        in_mariadb(f"CREATE TABLE src (id DECIMAL(8,3) PRIMARY KEY, v VARCHAR(9)); INSERT INTO src VALUES {rows}; CREATE TABLE dst LIKE src; INSERT INTO dst SELECT * FROM src")
        in_postgresql(f"CREATE TABLE dst (id numeric(8,3) PRIMARY KEY, v text); INSERT INTO dst VALUES {rows}; CREATE TABLE src (LIKE dst INCLUDING ALL); INSERT INTO src SELECT * FROM dst")
        for route in self.ROUTES:
            _, _, _, _, there, _, destination = route
            document = self.both(route)
            self.assertEqual(self.verified(document)[1]["ranges"], {"by": "id", "compared": 128, "different": 0})
            for key in keys:
                with self.subTest(route[0], key=key):
                    there(f"UPDATE {destination} SET v = 'b' WHERE id = {key}")
                    code, found = self.verified(document)
                    self.assertEqual((code, found["different"], found["differences"][0]["values"][0]["destination"], found["form"]), (1, 1, "b", "sql/1"), found)
                    self.assertLess(found["source"]["read"], 310)
                    there(f"UPDATE {destination} SET v = 'a' WHERE id = {key}")

    def test_rows_without_a_key_are_a_range_of_their_own(self):
        rows = ", ".join([f"({i}, 'row {i}')" for i in range(1, 300)] + ["(NULL, 'none')"])
        in_postgresql(f"CREATE TABLE src (k int, v text); INSERT INTO src VALUES {rows}; CREATE TABLE dst AS SELECT * FROM src")
        in_mariadb(f"CREATE TABLE dst (k INT, v VARCHAR(50)); INSERT INTO dst VALUES {rows}; CREATE TABLE src AS SELECT * FROM dst")
        for route in self.ROUTES:
            _, _, _, _, there, _, destination = route
            with self.subTest(route[0]):
                document = self.both(route)
                self.assertIsNone(self.verified(document)[1]["ranges"])  # without a key
                there(f"UPDATE {destination} SET v = 'another' WHERE k IS NULL")
                found = self.found_apart(document, "--key", "k")
                self.assertEqual((self.named(found), found["source"]["read"], found["destination"]["read"]), ([("different", "k=NULL")], 1, 1))
                there(f"DELETE FROM {destination} WHERE k IS NULL")
                self.assertEqual(self.named(self.found_apart(document, "--key", "k")), [("missing", "k=NULL")])
                there(f"INSERT INTO {destination} VALUES (NULL, 'none')")
        self.assertEqual(self.verified(document, "--key", "q")[0], 1)

    def test_what_a_where_chooses_is_asked_and_read_by_ranges_too(self):
        self.fill()
        for route in self.ROUTES:
            _, _, reader, source, there, writer, destination = route
            with self.subTest(route[0]):
                document = job(reader("Reader", source, where="id > 1000 OR id = 5 -- some"), writer("Writer", destination))
                there(f"UPDATE {destination} SET v = 'x' WHERE id IN (7, 5000)")
                found = self.found_apart(document)
                self.assertEqual((self.named(found), found["scope"], found["source"]["records"]), ([("different", "id=5000")], "where", self.MANY - 999))
                there(f"UPDATE {destination} SET v = CONCAT('row ', id) WHERE id IN (7, 5000)")

    def test_a_destination_as_the_last_run_has_written_it_is_read_whole_to_be_known(self):
        self.fill()
        for route in self.ROUTES:
            _, here, _, source, there, _, destination = route
            with self.subTest(route[0]):
                # Records travel in a form that has a sum of the run.
                document = self.both(route, verify=True)
                self.succeeds(document)
                here(f"UPDATE {source} SET v = 'newer' WHERE id = 5")
                code, found = self.verified(document)
                self.assertEqual((code, found["verdict"], found["different"], found["changed_since"]), (0, "equal_to_run", 0, 1))
                self.assertLess(found["source"]["read"], self.MANY / 50)
                self.assertGreater(found["destination"]["read"], self.MANY)
                self.found_apart(document, "--against", "source")
                there(f"UPDATE {destination} SET v = 'changed' WHERE id = 6")
                code, found = self.verified(document)
                self.assertEqual((code, found["verdict"], self.named(found)), (1, "different", [("different", "id=6")]))
                # With another number of rows it cannot be what the run has written.
                there(f"DELETE FROM {destination} WHERE id = 6")
                self.assertEqual(self.named(self.found_apart(document)), [("missing", "id=6")])
                here(f"UPDATE {source} SET v = 'row 5' WHERE id = 5")

    def test_all_is_read_where_most_differs_or_the_key_is_no_number_and_the_plan_says_so(self):
        self.fill()
        document = self.both(self.ROUTES[1])
        in_postgresql("UPDATE dst SET v = v || '.' WHERE id % 100 <> 0")
        code, found = self.verified(document)
        self.assertEqual((code, found["form"], found["source"]["read"], found["different"] >= 100), (1, "canonical/1", self.MANY, True))
        self.assertIn("in more ranges than are worth telling apart", found["sums"])
        in_postgresql("DROP TABLE src, dst; CREATE TABLE src (k text PRIMARY KEY, v text); INSERT INTO src VALUES ('a', '1'), ('b', '2'); CREATE TABLE dst (LIKE src INCLUDING ALL); INSERT INTO dst SELECT * FROM src; "
                      "CREATE TABLE two (n int, k text, v text, PRIMARY KEY (n, k)); INSERT INTO two SELECT i, chr(97 + j), 'v' FROM generate_series(1, 100) i, generate_series(1, 9) j; CREATE TABLE copy (LIKE two INCLUDING ALL); INSERT INTO copy SELECT * FROM two")
        document = self.both(self.ROUTES[0])
        planned = self.run_text("verify", document, "--plan")
        self.assertIn('Where they differ: all is read, because column "k" of the key is not a number at both ends', planned)
        self.assertIsNone(self.verified(document)[1]["ranges"])
        in_postgresql("UPDATE dst SET v = '3' WHERE k = 'b'; UPDATE copy SET v = 'w' WHERE n = 50 AND k = 'c'")
        code, found = self.verified(document)
        self.assertEqual((code, self.named(found), found["source"]["read"], found["form"]), (1, [("different", "k=b")], 2, "canonical/1"))
        # The first of two columns of a key is enough.
        document = job(postgresql_end("Reader", "two"), postgresql_end("Writer", "copy", preSql=["TRUNCATE copy"]))
        self.assertIn("Where they differ: the ranges of n that do are read", self.run_text("verify", document, "--plan"))
        found = self.found_apart(document)
        self.assertEqual((self.named(found), found["source"]["read"]), ([("different", "n=50, k=c")], 9))
        self.assertIn("1 of 101 ranges of n differs; 9 of 900 records are read, and 9 of 900 at the destination", self.run_text("verify", document))

    def run_text(self, command, document, *flags):
        path = self.write("told.json", json.dumps(document))
        done = subprocess.run([str(PROGRAM), command, str(path), "--no-progress", "--state-dir", str(self.state), *flags], capture_output=True, text=True, timeout=120, cwd=self.folder)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
