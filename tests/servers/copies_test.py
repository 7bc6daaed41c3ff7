"""`sluice template` and `sluice copy` with tables on servers: in and out of files, between servers, by address and by data source."""

import json
import os
import unittest
from urllib.parse import quote, unquote

from servers import pair
from servers.pair import PairTest, in_mariadb, in_postgresql


def setUpModule():
    pair.setUpModule()
    for name, server in (("PG", pair.POSTGRESQL), ("MY", pair.MARIADB)):
        for user in ("admin", "reader", "writer"):
            os.environ[f"{name}_{user.upper()}"] = server.password(user)
            unittest.addModuleCleanup(os.environ.pop, f"{name}_{user.upper()}", None)


def postgresql(table, user="admin", password=None, scheme="postgresql"):
    return f"{scheme}://{user}:{password or f'${{env:PG_{user.upper()}}}'}@127.0.0.1:{pair.POSTGRESQL.port}/sluice:{table}"


def mariadb(table, user="admin", password=None, scheme="mariadb"):
    return f"{scheme}://{user}:{password or f'${{env:MY_{user.upper()}}}'}@127.0.0.1:{pair.MARIADB.port}/sluice:{table}"


ORDERS = 'id,customer,price,at,note\n' + "".join(
    f'{i},"Müller, {i}",{i}.50,2025-01-31 10:00:{i:02},{"" if i % 3 else "x"}\n' for i in range(1, 51))


class Servers(PairTest):
    def copy(self, *arguments, code=0, command="copy"):
        more = ("--state-dir", self.state) if command == "copy" else ()
        ended = self.sluice(command, *arguments, *more)
        self.assertEqual(ended.returncode, code, ended.stderr)
        self.assert_no_password_in(ended.stderr)
        self.assert_no_password_in(unquote(ended.stderr))
        return ended.stderr if command == "copy" or code else ended.stdout

    def fill_postgresql(self):
        in_postgresql("CREATE TABLE orders (id int PRIMARY KEY, customer text, price numeric(9,2), at timestamp, flag boolean); "
                           "INSERT INTO orders SELECT i, 'Zoë ' || i, i + 0.25, '2025-01-31 10:00:00.125'::timestamp + i * interval '1 s', "
                           "i % 2 = 0 FROM generate_series(1, 2000) i")

    def fill_mariadb(self):
        in_mariadb("CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(40), price DECIMAL(9,2), at DATETIME(3)); "
                        "INSERT INTO orders SELECT seq, CONCAT('Zoë ', seq), seq + 0.25, '2025-01-31 10:00:00.125' + INTERVAL seq SECOND "
                        "FROM seq_1_to_2000")


class Copies(Servers):
    def test_a_csv_file_becomes_a_table_and_a_file_again(self):
        self.write("orders.csv", ORDERS)
        for number, end in enumerate((postgresql("orders"), mariadb("orders"))):
            with self.subTest(end):
                self.copy("orders.csv", end)
                self.copy(end, f"back{number}.csv")
                back = (self.folder / f"back{number}.csv").read_text(encoding="utf-8").splitlines()
                self.assertEqual(back[0], "id,customer,price,at,note")
                self.assertEqual(len(back), 51)
                self.assertTrue([line for line in back if line.startswith('7,"Müller, 7",7.50,2025-01-31 10:00:07')], back)
        count = "SELECT count(*), sum(price) FROM orders"
        self.assertEqual(in_postgresql(count).strip(), "50|1300.00")
        self.assertRegex(in_mariadb(count), r"^50\t1300")

    def test_numbers_whose_digits_nobody_names_stay_exact_and_the_copy_says_so(self):
        self.write("orders.csv", ORDERS)
        self.assertIn("a number type for column price: the source does not say", self.copy("orders.csv", mariadb("orders")))
        self.assertEqual(in_mariadb("SELECT price FROM orders WHERE id = 7").strip(), "7.50")
        self.assertNotIn("a number type", self.copy("orders.csv", postgresql("orders")))

    def test_an_empty_field_is_null_and_is_an_empty_text_where_the_job_says_so(self):
        self.write("notes.csv", "id,note\n1,a\n2,\n3,\"\"\n")
        for in_server, target in ((in_postgresql, postgresql("notes")), (in_mariadb, mariadb("notes"))):
            with self.subTest(target):
                in_server("CREATE TABLE notes (id INT PRIMARY KEY, note VARCHAR(9) NOT NULL)")
                self.assertIn("null_not_allowed", self.copy("notes.csv", target, code=1))
                self.copy("notes.csv", target, "--replace", "--set", "steps[0].parameter.nullFormat=\\N")
                self.assertEqual(in_server("SELECT COUNT(*) FROM notes WHERE note = ''").strip(), "2")

    def test_tables_go_from_server_to_server_and_back(self):
        self.fill_postgresql()
        self.copy(postgresql("orders"), mariadb("from_pg"))
        self.assertEqual(in_mariadb("SELECT COUNT(*), SUM(id), MIN(customer), MAX(at) FROM from_pg").split("\t")[:3], ["2000", "2001000", "Zoë 1"])
        self.copy(mariadb("from_pg"), postgresql("back"))
        self.assertEqual(in_postgresql("SELECT count(*) FROM orders o JOIN back b ON o.id = b.id AND o.customer = b.customer AND "
                                            "o.price = b.price AND o.at = b.at").strip(), "2000")
        self.fill_mariadb()
        in_mariadb("CREATE TABLE twin LIKE orders")
        self.copy(mariadb("orders", scheme="mysql"), mariadb("twin", scheme="jdbc:mariadb"))
        self.assertEqual(in_mariadb("SELECT COUNT(*) FROM orders NATURAL JOIN twin").strip(), "2000")

    def test_a_copy_given_twice_does_not_double(self):
        self.fill_postgresql()
        for count, target in ((in_mariadb, mariadb("copied")), (in_postgresql, postgresql("copied"))):
            with self.subTest(target):
                self.copy(postgresql("orders"), target, "--where", "id <= 10")
                again = self.copy(postgresql("orders"), target, code=1)
                self.assertIn("holds records already: --append adds to them", again)
                self.copy(postgresql("orders"), target, "--append", "--where", "id BETWEEN 11 AND 15")
                self.assertEqual(count("SELECT count(*) FROM copied").strip(), "15")
                self.copy(postgresql("orders"), target, "--replace", "--where", "id <= 3")
                self.assertEqual(count("SELECT count(*), sum(id) FROM copied").split("\t" if count == in_mariadb else "|"), ["3", "6\n"])

    def test_a_stopped_copy_goes_on_by_the_same_command(self):
        self.write("big.csv", "id,name\n" + "".join(f"{i},name {i}\n" for i in range(200_000)))
        for count, target in ((in_mariadb, mariadb("big")), (in_postgresql, postgresql("big"))):
            with self.subTest(target):
                slow = ("--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1", "--stop-timeout", "1s")
                self.assertIn("goes on from the last mark", self.copy("big.csv", target, "--max-duration", "1s", *slow, code=1))
                self.copy("big.csv", target)
                self.assertEqual(count("SELECT count(*) = 200000 AND count(DISTINCT id) = 200000 FROM big").strip(), "1" if count == in_mariadb else "t")

    def test_bytes_go_to_a_file_and_back_by_two_copies(self):
        every = bytes(range(256)).hex()
        in_postgresql(f"CREATE TABLE b (id int, b bytea); INSERT INTO b VALUES (1, '\\x{every}'), (2, ''), (3, NULL)")
        in_mariadb(f"CREATE TABLE b (id INT, b BLOB); INSERT INTO b VALUES (1, x'{every}'), (2, ''), (3, NULL)")
        sums = "SELECT id, md5(b) FROM {} ORDER BY id"
        for end, in_server in ((postgresql, in_postgresql), (mariadb, in_mariadb)):
            for ending in ("csv", "jsonl"):
                with self.subTest(end=end.__name__, ending=ending):
                    self.copy(end("b"), f"{end.__name__}.{ending}")
                    self.copy(f"{end.__name__}.{ending}", end(f"b_{ending}"))
                    self.assertEqual(in_server(sums.format(f"b_{ending}")), in_server(sums.format("b")))

    def test_texts_that_look_like_numbers_bytes_and_null_go_to_a_file_and_back(self):
        values = "(1, '\\x4142', NULL), (2, 'abc', '\\N'), (3, '007', ''), (4, 'NA', '5'), (5, NULL, NULL)"
        for end, in_server in ((postgresql, in_postgresql), (mariadb, in_mariadb)):
            with self.subTest(end.__name__):
                for table in ("src", "dst"):
                    in_server(f"CREATE TABLE {table} (id int, a varchar(9), b text)")
                in_server(f"INSERT INTO src VALUES {values if end is postgresql else values.replace(chr(92), chr(92) * 2)}")
                self.copy(end("src"), f"{end.__name__}.csv")
                self.copy(f"{end.__name__}.csv", end("dst"))
                shown = "SELECT id, a, b, a IS NULL, b IS NULL FROM {} ORDER BY id"
                self.assertEqual(in_server(shown.format("dst")), in_server(shown.format("src")))

    def test_replacing_rows_says_which_other_rows_go_with_them(self):
        self.write("p.csv", "id,n\n1,5\n")
        for end, in_server in ((postgresql, in_postgresql), (mariadb, in_mariadb)):
            with self.subTest(end.__name__):
                in_server("CREATE TABLE p (id int PRIMARY KEY, n int)")
                in_server("CREATE TABLE child (p int, CONSTRAINT to_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)")
                in_server("INSERT INTO p VALUES (1, 4)")
                in_server("INSERT INTO child VALUES (1)")
                self.assertRegex(self.copy("p.csv", end("p"), "--replace"),
                                 r'warning: the rows that are there are deleted first, and the foreign key "to_p" of "(\w+\.)?child" then deletes the rows')

    def test_years_before_1_and_beyond_9999_go_to_a_file_and_back(self):
        columns = "(id int, d date, t timestamp, z timestamptz)"
        in_postgresql(f"CREATE TABLE y {columns}; CREATE TABLE y_back {columns}; INSERT INTO y VALUES "
                      "(1, '0001-06-01 BC', '0001-06-01 12:00:00 BC', '0001-06-01 12:00:00+00 BC'), "
                      "(2, '0044-03-15 BC', '0044-03-15 00:00:00 BC', '0044-03-15 00:00:00.5+00 BC'), "
                      "(3, '10000-01-01', '10000-01-01 00:00:01', '10000-01-01 00:00:00+00')")
        self.copy(postgresql("y"), "y.csv")
        self.copy("y.csv", postgresql("y_back"))
        self.assertEqual(in_postgresql("SELECT * FROM y_back ORDER BY id"), in_postgresql("SELECT * FROM y ORDER BY id"))

    def test_a_time_that_exists_twice_says_so_and_what_to_do(self):
        in_postgresql("CREATE TABLE h (t timestamptz); INSERT INTO h VALUES ('2024-10-27 00:30:00+00')")
        said = self.copy(postgresql("h"), "h.csv", "--timezone", "Europe/Berlin", code=1)
        self.assertIn("exists twice in the run's time zone (clocks were set back)", said)
        self.assertIn('run with --timezone UTC, where none does, or write the offset, with a dateFormat such as "yyyy-MM-dd HH:mm:ssXXX"', said)
        self.copy(postgresql("h"), "h.csv", "--timezone", "UTC")

    def test_a_column_that_the_table_computes_is_left_out(self):
        for end, in_server in ((postgresql, in_postgresql), (mariadb, in_mariadb)):
            with self.subTest(end.__name__):
                for table in ("src", "dst"):
                    in_server(f"CREATE TABLE {table} (id INT PRIMARY KEY, total INT GENERATED ALWAYS AS (id * 2) STORED, note varchar(9))")
                in_server("INSERT INTO src (id, note) VALUES (1, 'a'), (2, 'b')")
                self.assertIn('column 1 "total" of the reader is left out', self.copy(end("src"), end("dst")))
                self.assertEqual(in_server("SELECT count(*), sum(total) FROM dst").split("|" if end is postgresql else "\t"), ["2", "6\n"])

    def test_an_account_that_may_only_insert_is_told_what_it_can_do(self):
        in_postgresql("CREATE TABLE inbox (id int); GRANT INSERT ON inbox TO writer; GRANT CREATE ON SCHEMA public TO writer")
        self.write("in.csv", "id\n1\n2\n")
        self.assertIn("--append adds to them", self.copy("in.csv", postgresql("inbox", "writer"), code=1))
        self.copy("in.csv", postgresql("inbox", "writer"), "--append")
        self.assertEqual(in_postgresql("SELECT count(*) FROM inbox").strip(), "2")


class DataSources(Servers):
    def setUp(self):
        super().setUp()
        registry = self.folder / "datasources.json"
        ends = (("pg_prod", "postgresql", pair.POSTGRESQL, "PG"), ("shop", "mysql", pair.MARIADB, "MY"))
        registry.write_text(json.dumps({"version": 1, "datasources": [
            {"name": name, "type": kind, "connectionProperties": {
                "address": [{"host": "127.0.0.1", "port": server.port}], "database": "sluice", "username": "admin",
                "password": f"${{env:{variable}_ADMIN}}"}} for name, kind, server, variable in ends]}), encoding="utf-8")
        self.flags = ("--datasources", registry)

    def test_ends_of_data_sources_are_named_by_them_in_the_job(self):
        in_postgresql("CREATE SCHEMA shop")
        self.write("orders.csv", ORDERS)
        self.copy("orders.csv", "pg_prod:shop.orders", *self.flags, "--save", "in.json")
        self.assertEqual(in_postgresql("SELECT count(*) FROM shop.orders").strip(), "50")
        saved = (self.folder / "in.json").read_text(encoding="utf-8")
        self.assertIn('"datasource": "pg_prod"', saved)
        for absent in ("127.0.0.1", "admin", "password"):
            self.assertNotIn(absent, saved)
        for dialect in ("di", "datax"):
            with self.subTest(dialect):
                made = self.copy("pg_prod:shop.orders", "shop:orders", "--dialect", dialect, *self.flags, command="template")
                path = self.put_job(made)
                for command in ("check", "run"):
                    ended = self.sluice(command, path, *self.flags, *(("--state-dir", self.state) if command == "run" else ("--strict",)))
                    self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
                self.assertEqual(in_mariadb("SELECT COUNT(*) FROM orders").strip(), "50")
                in_mariadb("DROP TABLE orders")

    def test_what_is_not_there_is_named_with_the_data_source(self):
        self.fill_mariadb()
        err = self.copy("shop:ordres", "out.csv", *self.flags, code=1)
        for text in ('data source "shop" (production)', 'no table "ordres"', 'did you mean "orders"?'):
            self.assertIn(text, err)
        self.assertIn("the table is missing; write shop:TABLE", self.copy("shop:", "out.csv", *self.flags, code=2))


class Templates(Servers):
    def test_a_template_of_every_pair_passes_check_in_both_dialects_and_is_a_job_of_datax(self):
        self.fill_mariadb()
        self.fill_postgresql()
        for source, target, has_mode in ((postgresql("orders"), mariadb("made"), "di datax"), (mariadb("orders"), postgresql("made"), "di"),
                                         (mariadb("orders"), "o.db:made", "di datax"), (mariadb("orders"), "o.csv", "")):
            for dialect in ("di", "datax"):
                with self.subTest(source=source, target=target, dialect=dialect):
                    made = self.copy(source, target, "--dialect", dialect, command="template")
                    self.assertEqual('"writeMode": "insert"' in made, dialect in has_mode.split(), made)
                    checked = self.sluice("check", "--strict", self.put_job(made))
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_a_template_by_address_runs_in_both_dialects_and_holds_the_reference_only(self):
        self.fill_postgresql()
        for dialect in ("di", "datax"):
            with self.subTest(dialect):
                made = self.copy(postgresql("orders", scheme="postgres"), mariadb("orders"), "--dialect", dialect, command="template")
                for text in ("${env:PG_ADMIN}", '"id",  // integer', '"splitPk": "id"', '"createTable": true'):
                    self.assertIn(text, made)
                for server in (pair.MARIADB, pair.POSTGRESQL):
                    self.assertNotIn(server.password("admin"), made)
                ended = self.sluice("run", self.put_job(made), "--state-dir", self.state)
                self.assertEqual(ended.returncode, 0, ended.stderr)
                self.assertEqual(in_mariadb("SELECT COUNT(*) FROM orders").strip(), "2000")
                in_mariadb("DROP TABLE orders; DROP TABLE sluice_run; DROP TABLE sluice_progress")

    def test_a_copy_of_a_table_is_of_one_moment(self):
        self.fill_mariadb()
        self.fill_postgresql()
        self.assertNotIn("splitPk", self.copy(mariadb("orders"), "o.csv", command="template"))
        self.assertIn("splitPk", self.copy(postgresql("orders"), "o.csv", command="template"))  # under one snapshot

    def test_views_are_read_and_those_of_mariadb_not_written(self):
        self.fill_mariadb()
        in_mariadb("CREATE VIEW cheap AS SELECT id, customer FROM orders WHERE price < 10")
        self.fill_postgresql()
        in_postgresql("CREATE VIEW cheap AS SELECT id, customer FROM orders WHERE price < 10")
        for end in (mariadb("cheap"), postgresql("cheap")):
            with self.subTest(end):
                self.copy(end, "cheap.csv", "--replace")
                self.assertEqual(len((self.folder / "cheap.csv").read_text(encoding="utf-8").splitlines()), 10)
        self.assertIn('"cheap" is a view', self.copy("cheap.csv", mariadb("cheap"), "--append", code=1))


class Secrets(Servers):
    def test_a_password_in_clear_is_warned_of_and_shown_nowhere_but_in_the_job(self):
        self.fill_postgresql()
        clear = postgresql("orders", password=quote(pair.POSTGRESQL.password("admin")))
        err = self.copy(clear, "out.csv", "--save", "out.json")
        self.assertIn("has a password in clear", err)
        self.assertIn('"postgresql://admin:***@127.0.0.1', err)
        saved = self.folder / "out.json"
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)
        self.assertIn(json.dumps(pair.POSTGRESQL.password("admin"), ensure_ascii=False), saved.read_text(encoding="utf-8"))
        self.assertNotIn(quote(pair.POSTGRESQL.password("admin")), saved.read_text(encoding="utf-8"))
        self.assertIn("Reads postgresql://admin:***@127.0.0.1", saved.read_text(encoding="utf-8"))
        for path in self.state.rglob("*"):
            if path.is_file():
                self.assertNotIn(pair.POSTGRESQL.password("admin"), path.read_text(encoding="utf-8", errors="replace"), path)
        self.assertEqual(self.sluice("run", saved, "--state-dir", self.state, "--set", "steps[1].parameter.fileName=again").returncode, 0)

    def test_the_properties_of_an_address_may_hold_the_account(self):
        self.fill_mariadb()
        end = f"jdbc:mariadb://127.0.0.1:{pair.MARIADB.port}/sluice?user=admin&password=${{env:MY_ADMIN}}&sslMode=disable:orders"
        self.copy(end, "out.csv", "--where", "id < 5", "--save", "out.json")
        self.assertEqual(len((self.folder / "out.csv").read_text(encoding="utf-8").splitlines()), 5)
        saved = (self.folder / "out.json").read_text(encoding="utf-8")
        self.assertIn(f'"jdbcUrl": "jdbc:mariadb://127.0.0.1:{pair.MARIADB.port}/sluice?sslMode=disable"', saved)
        self.assertIn('"password": "${env:MY_ADMIN}"', saved)

    def test_a_wrong_password_a_missing_one_and_a_missing_variable_are_told_apart(self):
        for server, end in ((pair.POSTGRESQL, postgresql), (pair.MARIADB, mariadb)):
            with self.subTest(server.system):
                wrong = self.copy(end("orders", password="not-it-7411"), "out.csv", code=1)
                self.assertRegex(wrong, "password authentication failed|Access denied")
                self.assertNotIn("not-it-7411", wrong)
                self.assertNotIn("has no password", wrong)
                none = end("orders").replace(f":${{env:{'PG' if server is pair.POSTGRESQL else 'MY'}_ADMIN}}", "")
                self.assertIn("the address has no password: put a reference to it there", self.copy(none, "out.csv", code=1))
                unset = self.copy(end("orders", password="${env:NOT_SET_HERE}"), "out.csv", code=1)
                self.assertIn("NOT_SET_HERE", unset)


class Mistakes(Servers):
    def test_a_wrong_table_is_told_with_the_one_that_was_meant(self):
        self.fill_postgresql()
        self.fill_mariadb()
        for end in (postgresql, mariadb):
            with self.subTest(end("ordres")):
                self.assertIn('did you mean "orders"?', self.copy(end("ordres"), "out.csv", code=1))
        self.assertFalse((self.folder / "out.csv").exists())

    def test_only_what_the_command_line_alone_shows_is_exit_code_2(self):
        self.fill_postgresql()
        self.write("in.csv", "id,other\n1,2\n")
        here = f"127.0.0.1:{pair.POSTGRESQL.port}"
        for code, source, target, message in (
                (2, f"postgresql://{here}/sluice:orders", "o.csv", "no user is named; write postgresql://USER@HOST"),
                (2, f"postgresql://admin@{here}/sluice", "o.csv", "the table is missing"),
                (2, postgresql("orders_[0-9]"), "o.csv", "expected one table"),
                (2, postgresql("a.b.c"), "o.csv", "expected `t`, `schema.t`"),
                (2, f"postgresql://admin@h:port/sluice:orders", "o.csv", "expected a number from 1 to 65535"),
                (2, "postgresql:orders", "o.csv", "is named by its address, postgresql://USER@HOST"),
                (2, "oracle://scott:tiger1@h/x:t", "o.csv", "is not supported yet"),
                (2, "frobnicate://scott:tiger1@h/x:t", "o.csv", "names no reader"),
                (1, "postgresql://admin:x@127.0.0.1:1/sluice:orders", "o.csv", "127.0.0.1:1"),
                (1, "in.csv", postgresql("orders"), 'has no column for "other"'),
                (1, "in.csv", postgresql("no.orders"), "no")):
            with self.subTest(source=source, target=target):
                for command in ("copy", "template"):
                    if command == "template" and target == postgresql("no.orders"):
                        continue  # the schema may be made before the job runs
                    err = self.copy(source, target, code=code, command=command)
                    self.assertIn(message, err)
                    self.assertNotIn("tiger1", err)


if __name__ == "__main__":
    unittest.main()
