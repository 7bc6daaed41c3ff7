"""Every character set of the servers: texts keep their characters in all directions, and one that a set lacks is dirty.

MySQL is tried in the suite `full` (SLUICE_TEST_FULL)."""

import os
import unittest

from e2e.harness import ProgramTest, job
from servers.running import of_module

FAMILY = ("mariadb", "mysql") if "SLUICE_TEST_FULL" in os.environ else ("mariadb",)
# All of the alphabets, a part of the ideographs and syllables, and some beyond the basic plane.
CHARACTERS = [*range(0x01, 0x0800), *range(0x0E00, 0x0E80), *range(0x2000, 0x2700), *range(0x3000, 0xD7FF, 17), *range(0xE000, 0xFFFD, 13),
              *range(0x1F600, 0x1F640), 0x20000, 0x10FFFF]
NOWHERE_BUT_UNICODE = "\U0001D11E"
UNICODE = ("utf8mb4", "utf16", "utf16le", "utf32", "gb18030")  # these have all characters


def setUpModule():
    global SERVERS
    SERVERS = dict(zip(("postgresql", *FAMILY), of_module("postgresql", *FAMILY)))


def end(category, system, table, column=("*",), database="sluice", **more):
    server = SERVERS[system]
    return {"stepType": "postgresql" if system == "postgresql" else "mysql", "category": category.lower(), "name": category, "parameter": {
        "jdbcUrl": f"jdbc:{system}://127.0.0.1:{server.port}/{database}", "username": "admin", "password": server.password("admin"),
        "table": table, "column": list(column), **more}}


class CharsetsTest(ProgramTest):
    def moves(self, reader, writer, rows, dirty=0):
        ended = self.run_job(job(reader, writer, errors=dirty))
        self.assertEqual((ended.code, ended.summary and ended.summary["written"], ended.summary and ended.summary["dirty"]),
                         (0, rows, dirty), ended)
        return ended


class OfMySQL(CharsetsTest):
    def emptied(self, system):
        """SQL in an empty database, and the character sets."""
        sql = SERVERS[system].sql
        sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4")
        SERVERS["postgresql"].sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "sluice")
        sets = sql("SELECT character_set_name FROM information_schema.character_sets WHERE character_set_name <> 'binary' ORDER BY 1").split()
        self.assertGreater(len(sets), 35)
        return lambda text: sql("SET sql_mode = '';" + text, "sluice"), sets

    def test_each_character_of_each_set_arrives_equal_at_home_and_abroad(self):
        for system in FAMILY:
            with self.subTest(system):
                self.characters_arrive_equal(system)

    def characters_arrive_equal(self, system):
        sql, sets = self.emptied(system)
        columns = ", ".join(f"{name}_ VARCHAR(4) CHARACTER SET {name}" for name in sets)
        sql(f"CREATE TABLE characters (n INT PRIMARY KEY, c VARCHAR(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin);"
            f"CREATE TABLE src (n INT PRIMARY KEY, {columns}); CREATE TABLE dst LIKE src; CREATE TABLE back LIKE src;"
            "INSERT INTO characters VALUES " + ",".join(f"({c}, CONVERT(_utf32 x'{c:08X}' USING utf8mb4))" for c in CHARACTERS))
        # Of a set are the characters that it gives back; swe7 lacks some of ASCII's, and no mode makes MariaDB's CONVERT give `?`.
        kept = ", ".join(f"IF(HEX(CONVERT(CONVERT(c USING {name}) USING utf8mb4)) = HEX(c), CONVERT(c USING {name}), NULL)" for name in sets)
        sql(f"INSERT INTO src SELECT n, {kept} FROM characters")
        counts = sql("SELECT " + ", ".join(f"COUNT({name}_)" for name in sets) + " FROM src").split()
        for name, count in zip(sets, map(int, counts)):
            self.assertGreaterEqual(count, 118, f"{name}: the test fills too few")  # swe7 has the fewest
        rows = len(CHARACTERS)
        self.moves(end("Reader", system, "src"), end("Writer", system, "dst"), rows)
        SERVERS["postgresql"].sql("CREATE TABLE abroad (n int PRIMARY KEY, " + ", ".join(f"{name}_ text" for name in sets) + ")", "sluice")
        self.moves(end("Reader", system, "src"), end("Writer", "postgresql", "abroad"), rows)
        self.moves(end("Reader", "postgresql", "abroad"), end("Writer", system, "back"), rows)
        for table in ("dst", "back"):
            differ = sql("SELECT " + ", ".join(f"SUM(NOT HEX(s.{name}_) <=> HEX(d.{name}_))" for name in sets) +
                         f" FROM src s JOIN {table} d USING (n)").split()
            self.assertEqual([f"{name}: {count}" for name, count in zip(sets, differ) if count != "0"], [], table)
        # Abroad by an independent view: the code point that PostgreSQL sees.
        wrong = SERVERS["postgresql"].sql("SELECT " + ", ".join(f"count(*) FILTER (WHERE ascii({name}_) <> n OR length({name}_) <> 1), count({name}_)"
                                                                for name in sets) + " FROM abroad", "sluice").strip().split("|")
        self.assertEqual(wrong[0::2], ["0"] * len(sets))
        self.assertEqual(wrong[1::2], counts)

    def test_a_character_that_a_set_lacks_is_dirty_and_no_question_mark(self):
        for system in FAMILY:
            with self.subTest(system):
                self.lacking_is_dirty(system)

    def lacking_is_dirty(self, system):
        sql, sets = self.emptied(system)
        sets = [name for name in sets if name not in UNICODE]
        columns = ", ".join(f"{name}_ VARCHAR(4) CHARACTER SET {name}" for name in sets)
        sql(f"CREATE TABLE dst (n INT PRIMARY KEY, {columns})")
        SERVERS["postgresql"].sql("CREATE TABLE src (n int PRIMARY KEY, " + ", ".join(f"{name}_ text" for name in sets) + ");" +
                                  "".join(f"INSERT INTO src (n, {name}_) VALUES ({i}, 'a{NOWHERE_BUT_UNICODE}');"
                                          for i, name in enumerate(sets)) + "INSERT INTO src VALUES (-1)", "sluice")
        for mode in ("insert", "update"):
            ended = self.moves(end("Reader", "postgresql", "src"), end("Writer", system, "dst", writeMode=mode), 1, dirty=len(sets))
            self.assertEqual(list(ended.summary["dirty_by_code"]), ["ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", "not_in_charset"], ended)
            self.assertEqual(sql("SELECT n FROM dst; DELETE FROM dst"), "-1\n")
        self.assertEqual(sorted({record["column"] for record in self.dirty()}), sorted(f"{name}_" for name in sets))

    def test_bytes_that_a_set_leaves_undefined_are_dirty_and_no_question_mark(self):
        for system in FAMILY:
            with self.subTest(system):
                self.undefined_is_dirty(system)

    def undefined_is_dirty(self, system):
        sql, sets = self.emptied(system)
        sets = [name for name in sets if not name.startswith(("u", "gb18030")) or name == "ujis"]
        texts = [bytes([b]) for b in range(1, 256)] + [bytes([a, b, 0x3F]) for a in range(0x81, 0xFF, 8) for b in range(0x40, 0xFF, 5)]
        columns = ", ".join(f"{name}_ VARCHAR(4) CHARACTER SET {name}" for name in sets)
        sql(f"CREATE TABLE src (id INT PRIMARY KEY, {columns}); "
            f"CREATE TABLE dst (id INT PRIMARY KEY, {', '.join(f'{name}_ VARCHAR(4) CHARACTER SET utf8mb4' for name in sets)}); SET NAMES binary;" +
            "".join(f"INSERT IGNORE INTO src (id, {name}_) VALUES " + ",".join(f"({i * len(texts) + n}, x'{text.hex()}')" for n, text in enumerate(texts)) + ";"
                    for i, name in enumerate(sets)))
        # Lost is what does not come back; a few bytes share a character with another, and come back as that one.
        question_marks = "CHAR_LENGTH({0}) - CHAR_LENGTH(REPLACE({0}, '?', ''))"
        lost = " OR ".join(f"{question_marks.format(f'{name}_')} <> {question_marks.format(f'CONVERT({name}_ USING utf8mb4)')} "
                           f"OR HEX(CONVERT({name}_ USING utf8mb4)) LIKE '%EFBFBD%'" for name in sets)
        expected, rows = int(sql(f"SELECT COUNT(*) FROM src WHERE {lost}")), int(sql("SELECT COUNT(*) FROM src"))
        self.assertGreater(expected, 1000)
        ended = self.moves(end("Reader", system, "src"), end("Writer", system, "dst"), rows - expected, dirty=expected)
        self.assertEqual(ended.summary["dirty_by_code"], {"invalid_utf8": expected})
        same = " AND ".join(f"HEX(CONVERT(src.{name}_ USING utf8mb4)) <=> HEX(dst.{name}_)" for name in sets)
        self.assertEqual(sql(f"SELECT COUNT(*) FROM src JOIN dst USING (id) WHERE {same}"), f"{rows - expected}\n")



class OfPostgreSQL(CharsetsTest):
    def database(self, encoding):
        name = f"in_{encoding.lower()}"
        sql = SERVERS["postgresql"].sql
        sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
        self.addCleanup(sql, f"DROP DATABASE {name}")
        return name

    def setUp(self):
        super().setUp()
        self.sql = SERVERS["postgresql"].sql
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "sluice")

    def test_texts_of_databases_in_other_encodings_arrive_equal_there_and_back(self):
        for encoding, text in (("LATIN1", "Zoë ñ ÿ £"), ("WIN1251", "Съешь же ещё №5"), ("EUC_JP", "日本語ｶﾅ①"), ("EUC_KR", "한국어")):
            with self.subTest(encoding):
                name = self.database(encoding)
                self.sql(f"SET client_encoding = 'UTF8'; CREATE TABLE src (n int, t text, v varchar({len(text)}), c char(20)); "
                         f"INSERT INTO src VALUES (1, '{text}', '{text}', '{text}'), (2, '', NULL, ''); CREATE TABLE dst (LIKE src); CREATE TABLE back (LIKE src)", name)
                self.sql("DROP TABLE IF EXISTS abroad; CREATE TABLE abroad (n int, t text, v text, c char(20))", "sluice")
                self.moves(end("Reader", "postgresql", "src", database=name), end("Writer", "postgresql", "dst", database=name), 2)
                self.moves(end("Reader", "postgresql", "src", database=name), end("Writer", "postgresql", "abroad"), 2)
                self.moves(end("Reader", "postgresql", "abroad"), end("Writer", "postgresql", "back", database=name), 2)
                self.assertEqual(self.sql("SELECT count(*) FROM abroad WHERE t = v AND t = trim(c)" f" AND t = '{text}'", "sluice").strip(), "1")
                for table in ("dst", "back"):
                    self.assertEqual(self.sql(f"SELECT count(*) FROM (SELECT src::text::bytea FROM src EXCEPT ALL SELECT {table}::text::bytea FROM {table}) x", name).strip(), "0")

    def test_a_character_that_the_encoding_lacks_is_dirty(self):
        name = self.database("LATIN2")
        self.sql("CREATE TABLE src (n int, t text); INSERT INTO src VALUES (1, 'Łódź'), (2, '日本'), (3, 'x')", "sluice")
        self.sql("CREATE TABLE dst (n int, t text)", name)
        ended = self.moves(end("Reader", "postgresql", "src"), end("Writer", "postgresql", "dst", database=name), 2, dirty=1)
        self.assertEqual(ended.summary["dirty_by_code"], {"22P05": 1}, ended)

    def test_bytes_of_a_database_without_an_encoding_are_texts_where_they_are_utf_8(self):
        name = self.database("SQL_ASCII")
        self.sql("CREATE TABLE src (n int, t text, v varchar(9)); INSERT INTO src VALUES (1, 'Zoë 日本', 'ü'), (2, E'Zo\\xEB', 'x'), (3, 'x', E'\\xFC')", name)
        self.sql("CREATE TABLE abroad (n int, t text, v text)", "sluice")
        SERVERS["mariadb"].sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4; CREATE TABLE sluice.abroad (n INT, t TEXT, v TEXT)")
        for writer in (end("Writer", "postgresql", "abroad"), end("Writer", "mariadb", "abroad")):
            ended = self.moves(end("Reader", "postgresql", "src", database=name), writer, 1, dirty=2)
            self.assertEqual(ended.summary["dirty_by_code"], {"invalid_utf8": 2}, ended)
        self.assertEqual(self.sql("SELECT * FROM abroad", "sluice"), "1|Zoë 日本|ü\n")


if __name__ == "__main__":
    unittest.main()
