"""Tables that `createTable` makes: the same types where both ends are of one product, else the best there is, and a list of what is lost."""

import hashlib
import json
import os
import random
import unittest

from e2e.harness import job
from servers import pair
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule
from servers.running import Running

POSTGRESQL_TYPES = """CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (a integer, b text); CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public"""

POSTGRESQL_TABLE = """CREATE TABLE src (id integer PRIMARY KEY, u uuid, j json, jb jsonb, tags text[], grid numeric(9,2)[], i interval, ids interval day to second(3),
ip inet, net cidr, mac macaddr, r int4range, mr tstzmultirange, m mood, moods mood[], n posint, p pair, h hstore, money money, x xml, c char(5), b bit(4),
vb bit varying(9), tz timetz(3), v varchar(7), num numeric(12,3), ts timestamp(2), raw bytea, q "char");
INSERT INTO src VALUES (1, '9f3c1e6a-0000-4000-8000-0123456789ab', '{"b": 1,  "a": [1]}', '{"b": 1, "a": "ü"}', '{a,NULL,"b,c"}', '{{1.25,2},{3,4}}', '1 mon -2 days 03:00:00.5',
'4 days 01:02:03.125', '10.1.2.3/8', '10.0.0.0/8', '08:00:2b:01:02:03', '[3,9)', '{[2025-01-01 00:00+00,2025-02-01 00:00+00)}', 'it''s ok', '{sad,"it''s ok"}', 7, '(5,"x, y")',
'a=>1, b=>NULL', '12.34', '<a>ü</a>', 'ab', '1010', '10101', '12:34:56.789+02', 'abcdefg', 123456789.125, '2025-01-31 10:00:00.25', '\\x00ff', 'z'),
(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""

MARIADB_TABLE = """CREATE TABLE src (id BIGINT UNSIGNED PRIMARY KEY, j JSON, e ENUM('a','it''s','Ü') , s SET('x','y','z'), b BIT(5), b1 BIT(1), y YEAR, u UUID, ip4 INET4, ip6 INET6,
c CHAR(4), t1 TINYINT(1), ti TINYINT UNSIGNED, mi MEDIUMINT UNSIGNED, z INT(6) UNSIGNED ZEROFILL, g POINT, pol POLYGON, t TEXT, mt MEDIUMTEXT, bl BLOB, bin BINARY(3),
l VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_general_cs, f FLOAT, d DECIMAL(30,10), dt DATETIME(3), ts TIMESTAMP(6) NULL, tm TIME(2));
INSERT INTO src VALUES (18446744073709551615, '{"a": [1,  2]}', 'it''s', 'x,z', b'10110', b'1', 2025, '9f3c1e6a-0000-4000-8000-0123456789ab', '10.1.2.3', '2001:db8::1', 'ab', 1, 255, 16777215,
42, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), 'text ü', 'more', x'00ff', x'010203', 'Müller', 1.5, 12345678901234567890.0123456789, '2025-01-31 10:00:00.125',
'2025-01-31 10:00:00.123456', '-838:00:00.25'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""

# Of PostgreSQL: each column with its type.
PG_TYPES_OF = "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{}'::regclass AND attnum > 0 ORDER BY attnum"
MY_TYPES_OF = ("SELECT CONCAT_WS(' ', column_name, column_type, character_set_name, collation_name, is_nullable) FROM information_schema.columns "
               "WHERE table_schema = 'sluice' AND table_name = '{}' ORDER BY ordinal_position")
PG_SUM = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY id)) FROM {} t"


def made_in_postgresql(table="made", database="sluice", **more):
    return postgresql_end("Writer", table, createTable=True, database=database, **more)


def made_in_mariadb(table="made", **more):
    return mariadb_end("Writer", table, createTable=True, **more)


def rows_of_mariadb(table):
    columns = in_mariadb(f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'sluice' AND table_name = '{table}' ORDER BY ordinal_position").split()
    return in_mariadb(f"SELECT {', '.join(f'HEX({c})' for c in columns)} FROM {table} ORDER BY id")


class MadeTypes(PairTest):
    def ddl_of(self, document):
        ended = self.sluice("ddl", self.put_job(document, "printed.json"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def assert_lost(self, text, *columns):
        for said in columns:
            self.assertIn(f"the type {said}", text)

    def test_postgresql_to_postgresql_has_the_sources_types_and_says_which_it_lacks(self):
        in_postgresql(POSTGRESQL_TYPES)
        in_postgresql(POSTGRESQL_TABLE)
        document = job(postgresql_end("Reader", "src"), made_in_postgresql())
        printed = self.ddl_of(document)
        ended = self.succeeds(document)
        for text in (printed, ended.text):
            self.assertNotIn("the type ", text)
        types = in_postgresql(PG_TYPES_OF.format("src"))
        self.assertEqual(in_postgresql(PG_TYPES_OF.format("made")), types)
        self.assertEqual(in_postgresql(PG_SUM.format("made")), in_postgresql(PG_SUM.format("src")))
        in_postgresql("DROP TABLE made; " + printed)
        self.assertEqual(in_postgresql(PG_TYPES_OF.format("made")), types)

        in_postgresql("DROP DATABASE IF EXISTS bare", "postgres")
        in_postgresql("CREATE DATABASE bare", "postgres")
        self.addCleanup(in_postgresql, "DROP DATABASE bare WITH (FORCE)", "postgres")
        elsewhere = job(postgresql_end("Reader", "src"), made_in_postgresql(database="bare"))
        ended = self.succeeds(elsewhere)
        self.assert_lost(ended.text, "mood of column m, made text: there is no such type here", "mood[] of column moods, made text",
                         "posint of column n, made integer: there is no such type here", "pair of column p, made text", "hstore of column h, made text")
        self.assertEqual(ended.text.count("the type "), 5 * ended.text.count("the type mood of column m"))
        self.assertIn("jb jsonb\ntags text[]", in_postgresql(PG_TYPES_OF.format("made"), "bare"))
        as_text = "SELECT md5(concat_ws('|', u, j, jb, tags, i, ip, r, m::text, moods::text, n, p::text, h::text, money, c, b, tz)) FROM {} WHERE id = 1"
        self.assertEqual(in_postgresql(as_text.format("made"), "bare"), in_postgresql(as_text.format("src")))

    def test_a_query_and_several_tables_of_postgresql_keep_their_types(self):
        in_postgresql("CREATE TABLE a (id int, u uuid, j jsonb); CREATE TABLE b (LIKE a); INSERT INTO a SELECT 1, gen_random_uuid(), '[1]'; "
                      "INSERT INTO b SELECT 2, gen_random_uuid(), '[2]'")
        query = postgresql_end("Reader", "x", querySql=["SELECT id, u, ARRAY[id] AS ids FROM a"])
        del query["parameter"]["table"], query["parameter"]["column"]
        self.succeeds(job(query, made_in_postgresql("by_query")))
        self.assertEqual(in_postgresql(PG_TYPES_OF.format("by_query")), "id integer\nu uuid\nids integer[]\n")
        self.succeeds(job(postgresql_end("Reader", ["a", "b"]), made_in_postgresql("both")))
        self.assertEqual(in_postgresql(PG_TYPES_OF.format("both")), in_postgresql(PG_TYPES_OF.format("a")))

    def test_mariadb_to_mariadb_has_the_sources_types(self):
        in_mariadb(MARIADB_TABLE)
        document = job(mariadb_end("Reader", "src"), made_in_mariadb())
        printed = self.ddl_of(document)
        self.assertNotIn("Not made", printed)
        self.succeeds(document)
        types = in_mariadb(MY_TYPES_OF.format("src"))
        self.assertEqual(in_mariadb(MY_TYPES_OF.format("made")), types)
        self.assertEqual(rows_of_mariadb("made"), rows_of_mariadb("src"))
        self.assertIn("CHECK (json_valid(`j`))", in_mariadb("SHOW CREATE TABLE made"))
        in_mariadb("DROP TABLE made; " + printed)
        self.assertEqual(in_mariadb(MY_TYPES_OF.format("made")), types)

    def test_members_that_mariadb_does_not_tell_are_texts_in_the_table_that_is_made_and_refused_in_one_that_is_there(self):
        in_mariadb("SET NAMES utf8mb4; CREATE TABLE src (id INT PRIMARY KEY, e ENUM('é😀','b') CHARACTER SET utf8mb4, n ENUM('?','b') CHARACTER SET latin1);"
                   "INSERT INTO src VALUES (1, 1, '?'), (2, 'b', 'b'); CREATE TABLE there LIKE src")
        document = job(mariadb_end("Reader", "src"), made_in_mariadb())
        self.assertIn("that it is one of the members", self.ddl_of(document))
        self.succeeds(document)
        self.assertEqual(in_mariadb("SELECT HEX(e), n FROM made ORDER BY id"), "C3A9F09F9880\t?\n62\tb\n")
        self.assertEqual(in_mariadb("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_NAME = 'made' ORDER BY ORDINAL_POSITION"), "int\nlongtext\nenum\n")
        ended = self.run_job(job(mariadb_end("Reader", "src"), mariadb_end("Writer", "there"), errors=1))
        self.assertEqual((ended.summary["written"], ended.summary["dirty"]), (1, 1), ended)
        self.assertIn("a character beyond U+FFFF, and the server shows those of the column's members as question marks", ended.text)

    def test_a_table_that_the_server_would_refuse_is_refused_before_anything_is_made(self):
        for columns, words in ((", ".join(f"c{i} varchar(1000)" for i in range(17)), "its columns take up to 68,000 bytes in a row, and the server has at most 65,535"),
                               ("id int, \"a😀\" int", "names have no characters beyond U+FFFF there")):
            in_postgresql(f"DROP TABLE IF EXISTS src; CREATE TABLE src ({columns})")
            self.refused(job(postgresql_end("Reader", "src"), made_in_mariadb()), "createTable", "the table cannot be made", words)
            self.assertEqual(in_mariadb("SHOW TABLES"), "")
        in_mariadb("CREATE TABLE src (id INT, xmin INT)")
        self.refused(job(mariadb_end("Reader", "src"), made_in_postgresql()), "createTable", '"xmin" is the name of a column that every table')
        self.succeeds(job(mariadb_end("Reader", "src"), made_in_postgresql(column=["id", "x"])))
        in_mariadb("DROP TABLE src")
        in_postgresql(f"DROP TABLE src; CREATE TABLE src ({', '.join(f'c{i} varchar(1000)' for i in range(16))})")
        self.succeeds(job(postgresql_end("Reader", "src"), made_in_mariadb()))

    def test_postgresql_to_mariadb_has_the_best_types_and_says_what_is_lost(self):
        in_postgresql(POSTGRESQL_TYPES)
        in_postgresql(POSTGRESQL_TABLE)
        ended = self.succeeds(job(postgresql_end("Reader", "src"), made_in_mariadb()))
        self.assert_lost(ended.text, "jsonb of column jb, made LONGTEXT: that it is JSON is not checked any more",
                         "text[] of column tags, made LONGTEXT: that it is an array of text is", "inet of column ip, made VARCHAR(49): that it is a network address",
                         "mood of column m, made LONGTEXT: what it allows", "money of column money, made DECIMAL(19,2): that it is an amount of money",
                         "bit(4) of column b, made", "interval of column i, made")
        for column in ("u", "c", "v", "num", "ts", "raw", "id"):
            self.assertNotIn(f"of column {column}, made", ended.text)
        made = in_mariadb(MY_TYPES_OF.format("made"))
        for line in ("u uuid YES", "c char(5) utf8mb4", "mac varchar(17) utf8mb4"):
            self.assertIn("\n" + line, made)
        self.assertEqual(in_mariadb("SELECT MD5(CONCAT_WS('|', u, j, tags, i, ip, net, mac, r, m, n, p, money, x, c, b, vb, tz, v, num)) FROM made WHERE id = 1"),
                         in_postgresql("SELECT md5(concat_ws('|', u, j, tags, i, ip::inet, net, mac, r, m, n, p, money::numeric(19,2), x, c::text, b, vb, tz, v, num)) FROM src WHERE id = 1"))

    def test_mariadb_to_postgresql_has_the_best_types_and_says_what_is_lost(self):
        in_mariadb(MARIADB_TABLE + "; ALTER TABLE src MODIFY g POINT REF_SYSTEM_ID=4326")
        ended = self.succeeds(job(mariadb_end("Reader", "src"), made_in_postgresql()))
        self.assertIn("the SRID 4326 of column g", ended.text)
        self.assertRegex(ended.text, "the collation utf8mb4_general_ci of [a-z0-9, ]+: texts are compared as the database does")
        self.assert_lost(ended.text, "bigint(20) unsigned of column id, made numeric(20): that it is not negative is not checked any more",
                         "json of column j, made text: that it is JSON", "enum('a','it''s','Ü')", "year(4) of column y, made smallint: that it is a year",
                         "bit(5) of column b, made integer: how many bits it has", "point of column g, made bytea: that it is a point")
        for column in ("u", "ip4", "ip6", "c", "t1", "d", "b1", "l"):
            self.assertNotIn(f"of column {column}, made", ended.text)
        made = in_postgresql(PG_TYPES_OF.format("made"))
        for line in ("u uuid", "ip4 inet", "ip6 inet", "c character(4)", "t1 smallint", "b1 boolean"):
            self.assertIn(f"\n{line}\n", made)
        self.assertEqual(in_postgresql("SELECT md5(concat_ws('|', id, j, e, s, b, y, u, host(ip4), host(ip6), c::text, t1, ti, mi, z, t, l, d)) FROM made WHERE id > 2"),
                         in_mariadb("SELECT MD5(CONCAT_WS('|', id, j, e, s, b + 0, y, u, ip4, ip6, c, t1, ti, mi, z + 0, t, l, d)) FROM src WHERE id > 2"))


MYSQL_TABLE = """CREATE TABLE src (id INT PRIMARY KEY, j JSON, e ENUM('a\\\\b','it''s','Ü'), s SET('x','y'), b BIT(40), y YEAR, c CHAR(4), g POINT SRID 0, h POINT SRID 4326, u BIGINT UNSIGNED,
v VARCHAR(9) COLLATE utf8mb4_0900_as_cs, l VARCHAR(9) CHARACTER SET latin1, total INT AS (id * 2) STORED);
INSERT INTO src (id, j, e, s, b, y, c, g, u, v, l) VALUES (1, '{"b": [1, 2.50], "a": "ü"}', 'a\\\\b', 'x,y', 5, 1999, 'ab', ST_GeomFromText('POINT(1 2)'), 18446744073709551615, 'Ab', 'Müller')"""


@unittest.skipUnless("SLUICE_TEST_FULL" in os.environ, "only in the suite full")
class RealMySQL(PairTest):
    @classmethod
    def setUpClass(cls):
        running = Running(["mysql"])
        running.__enter__()
        cls.addClassCleanup(running.__exit__, None, None, None)
        cls.server = running.servers["mysql"]

    def setUp(self):
        super().setUp()
        self.server.sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4", "mysql")

    def end(self, category, table, **more):
        end = mariadb_end(category, table, **more)
        end["parameter"] |= {"jdbcUrl": f"jdbc:mysql://127.0.0.1:{self.server.port}/sluice", "password": self.server.password("admin")}
        return end

    def test_mysql_to_mysql_has_the_sources_types_and_others_the_best(self):
        self.server.sql(MYSQL_TABLE, "sluice")
        ended = self.succeeds(job(self.end("Reader", "src"), self.end("Writer", "made", createTable=True)))
        self.assertIn("the SRID 4326 of column h", ended.text)
        self.assertNotIn("of column g", ended.text)
        self.assertNotIn("the type ", ended.text)
        self.assertEqual(self.server.sql(MY_TYPES_OF.format("made"), "sluice"), self.server.sql(MY_TYPES_OF.format("src"), "sluice"))
        everything = "SELECT MD5(CONCAT_WS('|', id, j, e, s, b + 0, y, c, ST_AsText(g), u, v, l, total)) FROM {}"
        self.assertEqual(self.server.sql(everything.format("made"), "sluice"), self.server.sql(everything.format("src"), "sluice"))

        ended = self.succeeds(job(self.end("Reader", "src"), made_in_mariadb()))
        for said in ("json of column j, made LONGTEXT: that it is JSON", "column v, made varchar(9): the server does not know its character set or collation"):
            self.assertIn(said, ended.text)
        self.assertIn("b','it''s','Ü') utf8mb4", in_mariadb(MY_TYPES_OF.format("made")))
        texts = "SELECT MD5(CONCAT_WS('|', id, j, e, s, b + 0, y, c, ST_AsText(g), u, v, l, total)) FROM {}"
        self.assertEqual(in_mariadb(texts.format("made")), self.server.sql(texts.format("src"), "sluice"))

        ended = self.succeeds(job(self.end("Reader", "src"), made_in_postgresql()))
        self.assertNotIn("of column j, made", ended.text)
        for line in ("j json", "b bigint", "u numeric(20,0)", "c character(4)"):
            self.assertIn(f"\n{line}\n", in_postgresql(PG_TYPES_OF.format("made")))

        in_mariadb("CREATE TABLE src (id UUID PRIMARY KEY, ip INET6, j JSON); INSERT INTO src VALUES ('9f3c1e6a-0000-4000-8000-0123456789ab', '::1', '[1,  2]')")
        ended = self.succeeds(job(mariadb_end("Reader", "src"), self.end("Writer", "back", createTable=True)))
        self.assertIn("the type uuid of column id, made CHAR(36) CHARACTER SET ascii COLLATE ascii_bin: that it is a UUID", ended.text)
        self.assertEqual(self.server.sql("SELECT * FROM back", "sluice"), in_mariadb("SELECT * FROM src"))

    def test_json_that_mysql_would_change_is_dirty_and_the_plan_says_checked(self):
        random_doubles = random.Random(7)
        doubles = [repr(random_doubles.uniform(-1, 1) * 10 ** random_doubles.randint(-30, 30)) for _ in range(3000)]
        changed = ['{"n": 12345678901234567890.12}', '{"n": 12345678901234567890123}', '{"a": 1, "a": 2}']
        documents = ['{"n": 1.10, "m": 18446744073709551615}', *changed, *(f"[{d}]" for d in doubles)]
        in_postgresql("CREATE TABLE src (id integer, j json); " + "".join(f"INSERT INTO src VALUES ({i}, '{d}');" for i, d in enumerate(documents)))
        self.server.sql("CREATE TABLE dst (id INT PRIMARY KEY, j JSON)", "sluice")
        document = job(postgresql_end("Reader", "src"), self.end("Writer", "dst"), errors=5000)
        self.assertIn("checked  dirty: a text that is no JSON the column keeps", self.sluice("plan", self.put_job(document, "plan.json")).stdout)
        ended = self.succeeds(document)
        rows = dict(line.split("\t") for line in self.server.sql("SELECT id, j FROM dst", "sluice").splitlines())
        self.assertFalse({"1", "2", "3"} & set(rows))
        self.assertEqual({i: json.loads(d) for i, d in rows.items()}, {i: json.loads(documents[int(i)]) for i in rows})
        self.assertEqual(set(ended.summary["dirty_by_code"]), {"not_exact", "duplicate_key"})
        # No more is refused than what the server itself would have changed.
        refused = [d for i, d in enumerate(documents) if str(i) not in rows and i > 3]
        seen = json.loads(self.server.sql(f"SELECT CAST('[{','.join(refused)}]' AS JSON)", "sluice"))
        self.assertFalse([d for d, s in zip(refused, seen) if json.loads(d) == s])


class Computed(PairTest):
    """Columns that a table computes itself."""

    def fill(self, ends=(in_postgresql, in_mariadb)):
        for run, number in ((in_postgresql, "integer"), (in_mariadb, "INT")):
            for table in ("src", "dst"):
                run(f"CREATE TABLE {table} (id {number} PRIMARY KEY, total {number} GENERATED ALWAYS AS (id * 2) STORED, note varchar(9))")
            run("INSERT INTO src (id, note) VALUES (1, 'a'), (2, 'b')")

    def test_they_are_left_out_where_the_destination_computes_them_too(self):
        self.fill()
        rows = "SELECT sum(id), sum(total), min(note), count(*) FROM dst"
        for reader, writer, run in ((postgresql_end, postgresql_end, in_postgresql), (mariadb_end, mariadb_end, in_mariadb),
                                    (postgresql_end, mariadb_end, in_mariadb), (mariadb_end, postgresql_end, in_postgresql)):
            for more in ({}, {"mapping": "name"}):
                with self.subTest(reader=reader.__name__, writer=writer.__name__, more=more):
                    document = job(reader("Reader", "src"), writer("Writer", "dst", preSql=["DELETE FROM @table"], **more))
                    self.assertIn('"total"', self.succeeds(document).text)
                    self.assertEqual(run(rows).replace("|", "\t").strip(), "3\t6\ta\t2")
        refused = job(postgresql_end("Reader", "src", ["id", "total", "note"]), mariadb_end("Writer", "dst", ["id", "total", "note"]))
        self.refused(refused, "is computed and cannot be written")

    def test_of_a_table_that_is_made_they_are_ordinary_columns_with_the_sources_values(self):
        self.fill()
        for reader, writer, run in ((postgresql_end, made_in_postgresql, in_postgresql), (mariadb_end, made_in_mariadb, in_mariadb)):
            with self.subTest(writer.__name__):
                self.assertIn("the computation of column total", self.succeeds(job(reader("Reader", "src"), writer())).text)
                run("INSERT INTO made (id, total, note) VALUES (3, 5, 'c')")
                self.assertEqual(run("SELECT sum(total) FROM made").strip(), "11")


def file_end(category, folder, file_format, **more):
    end = pair.csv_end(category, folder, **more)
    end["stepType"] = "text"
    end["parameter"]["fileFormat"] = file_format
    return end


class Bytes(PairTest):
    def test_all_256_bytes_go_out_to_files_and_come_back_equal(self):
        every = bytes(range(256)).hex()
        in_postgresql(f"CREATE TABLE src (id integer, b bytea); INSERT INTO src VALUES (1, '\\x{every}'), (2, ''), (3, NULL), (4, '\\xff')")
        in_mariadb(f"CREATE TABLE src (id INT, b BLOB); INSERT INTO src VALUES (1, x'{every}'), (2, ''), (3, NULL), (4, x'ff')")
        sums = "SELECT id, md5(b) FROM {} ORDER BY id"
        expected = hashlib.md5(bytes(range(256))).hexdigest()
        for end, made, run in ((postgresql_end, made_in_postgresql, in_postgresql), (mariadb_end, made_in_mariadb, in_mariadb)):
            for form in ("hex", "pgHex", "base64"):
                for file_format in ("csv", "text", "json"):
                    with self.subTest(end=end.__name__, form=form, file=file_format):
                        folder = self.folder / f"{end.__name__}-{form}-{file_format}"
                        folder.mkdir()
                        options = {"bytesFormat": form, **({"nullFormat": "\\N"} if file_format != "json" else {})}
                        self.succeeds(job(end("Reader", "src"), file_end("Writer", folder, file_format, **options)))
                        columns = [{"name": "id", "type": "LONG"}, {"name": "b", "type": "BYTES"}]
                        if file_format != "json":
                            columns = [{**c, "index": i} for i, c in enumerate(columns)]
                        self.succeeds(job(file_end("Reader", folder, file_format, column=columns, **options), made(preSql=["DELETE FROM @table"], column=["id", "b"])))
                        self.assertEqual(run(sums.format("made")), run(sums.format("src")))
                        self.assertIn(expected, run(sums.format("made")))
        ended = self.run_job(job(postgresql_end("Reader", "src"), pair.csv_end("Writer", self.folder / "default")))
        self.assertIn("The bytes are not text in UTF-8; set bytesFormat to hex, pgHex or base64.", ended.text)
        self.assertIn("2 of 4 records are dirty", ended.text)


if __name__ == "__main__":
    unittest.main()
