"""Types between products: each value of each type away and back, and pairs that createTable would not choose.

Each test is one job over a table with a column for each case and a row for each value, so that a value that is refused
takes no other with it."""

import unittest
from collections import Counter

from e2e.harness import job
from servers import pair, postgresql_types_test
from servers.pair import PairTest, csv_end, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule, sqlite_end

MARIADB_TYPES = [
    ("TINYINT", ["-128", "127"]), ("TINYINT(1)", ["0", "1", "2", "-128"]), ("BOOLEAN", ["TRUE", "FALSE"]), ("TINYINT UNSIGNED", ["255"]),
    ("SMALLINT", ["-32768", "32767"]), ("SMALLINT UNSIGNED", ["65535"]), ("MEDIUMINT", ["-8388608"]), ("MEDIUMINT UNSIGNED", ["16777215"]),
    ("INT", ["-2147483648", "2147483647"]), ("INT UNSIGNED", ["4294967295"]), ("INT(8) ZEROFILL", ["42"]),
    ("BIGINT", ["-9223372036854775808", "9223372036854775807"]), ("BIGINT UNSIGNED", ["18446744073709551615", "0"]),
    ("YEAR", ["0", "1901", "2155"]), ("BIT(1)", ["b'1'", "b'0'"]), ("BIT(12)", ["b'101000000000'"]), ("BIT(64)", ["18446744073709551615", "0"]),
    ("FLOAT", ["0.1", "3.4028234663852886e38", "-1.17549435e-38", "16777217", "-0.0"]), ("FLOAT(10,2)", ["123456.79"]),
    ("DOUBLE", ["0.1", "-1.7976931348623157e308", "5e-324", "-0.0e0"]), ("DOUBLE(20,4)", ["123456.7891"]),
    ("DECIMAL(5,2)", ["-999.99", "0.00"]), ("DECIMAL(38,10)", ["'1234567890123456789012345678.0123456789'"]),
    ("DECIMAL(65,30)", ["'-12345678901234567890123456789012345.123456789012345678901234567890'"]), ("DECIMAL(65,0)", ["REPEAT('9', 65)"]),
    ("CHAR(10)", ["' a'", "''"]), ("VARCHAR(10)", ["'a  '", "''", "_utf8mb4 x'F09F90ACC3A4'", "x'41005C27'", "x'090A0D1A08'"]),
    ("LONGTEXT", ["REPEAT('ü', 200000)", "''"]), ("ENUM('a','it''s','B','')", ["'it''s'", "''"]), ("SET('a','b','c')", ["'c,a'", "''"]),
    ("JSON", ["'{\"a\": [1, null]}'", "'null'"]), ("UUID", ["'123e4567-e89b-12d3-a456-426655440000'"]), ("INET6", ["'2001:db8::1'"]),
    ("INET4", ["'192.0.2.1'"]), ("BINARY(3)", ["x'0041FF'"]), ("VARBINARY(10)", ["x'005C270A09'", "''"]), ("BLOB", ["x'FFFE00'"]),
    ("LONGBLOB", ["x'E20927'"]), ("POINT", ["ST_GeomFromText('POINT(1 2)')"]), ("GEOMETRY", ["ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)"]),
    ("DATE", ["'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-00-15'", "'0001-01-01'"]),
    ("DATETIME", ["'2024-02-29 23:59:59'", "'0000-00-00 00:00:00'", "'1000-01-01'"]), ("DATETIME(3)", ["'1969-12-31 23:59:59.999'"]),
    ("DATETIME(6)", ["'9999-12-31 23:59:59.999999'"]), ("TIMESTAMP NULL", ["'2038-01-19 03:14:07'", "'1970-01-01 00:00:01'"]),
    ("TIMESTAMP(6) NULL", ["'1970-01-01 00:00:01.000001'", "'2024-10-27 00:30:00.000001'"]),
    ("TIME", ["'838:59:59'", "'-838:59:59'", "'23:59:59'", "'00:00:00'"]), ("TIME(6)", ["'-00:00:00.000001'", "'12:34:56.123456'"]),
]
# What has no equal: by destination (or the source itself, or the way back), type, the values and the code of their records.
LOST_OF_MARIADB = {
    "source": [("DATE", ["'0000-00-00'", "'2024-00-15'"], "not_a_date"), ("DATETIME", ["'0000-00-00 00:00:00'"], "not_a_date")],
    "postgresql": [("VARCHAR(10)", ["x'41005C27'"], "not_in_charset")],
    "sqlite": [("BIGINT UNSIGNED", ["18446744073709551615"], "out_of_range"), ("BIT(64)", ["18446744073709551615"], "out_of_range")],
    "csv": [("BINARY(3)", ["x'0041FF'"], "invalid_utf8"), ("BLOB", ["x'FFFE00'"], "invalid_utf8"), ("LONGBLOB", ["x'E20927'"], "invalid_utf8"),
            ("POINT", ["ST_GeomFromText('POINT(1 2)')"], "invalid_utf8"),
            ("GEOMETRY", ["ST_GeomFromText('LINESTRING(0 0,1 1)', 4326)"], "invalid_utf8")],
    "back from csv": [("BIT(1)", ["b'1'", "b'0'"], "not_a_number")],
}
NO_FLOAT = ["'NaN'", "'Infinity'", "'-Infinity'"]
LOST_OF_POSTGRESQL = {
    "source": [("numeric(10,2)", ["'NaN'"], "not_finite"), ("timestamp", ["'294276-12-31 23:59:59'"], "out_of_range")],
    "mariadb": [("real", NO_FLOAT, "not_finite"), ("double precision", NO_FLOAT, "not_finite"), ("numeric(50,20)", ["'NaN'"], "not_finite"),
                ("date", ["'4713-11-24 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'", "'0044-03-15 BC'"], "out_of_range"),
                ("timestamp", ["'4713-11-24 00:00:00 BC'", "'294246-12-31 23:59:59.999999'", "'infinity'", "'-infinity'"], "out_of_range"),
                ("timestamptz", ["'4713-11-24 12:00:00+00 BC'", "'infinity'", "'-infinity'"], "out_of_range")],
    "sqlite": [("real", ["'NaN'"], "not_finite"), ("double precision", ["'NaN'"], "not_finite")],
    "csv": [("bytea", ["'\\x00ff0a5c09'", "decode(repeat('ab', 1000), 'hex')"], "invalid_utf8")],
    "back from sqlite": [("numeric(50,20)", ["'NaN'"], "not_finite")],
    "back from csv": [("numeric(50,20)", ["'NaN'"], "not_finite")],
}
# Only what is read as the same type goes into these (docs/plugins/postgresql.md).
NOT_BACK = ("numeric(10,2)[]", "pair")


def those_there(cases):
    """Of cases those whose types the server has: MySQL 8 has none of these."""
    return [case for case in cases if pair.MARIADB.system != "mysql" or not {"UUID", "INET4", "INET6"} & {part for part in case if isinstance(part, str)}]


# MySQL 8 writes JSON anew, and refuses by another code what is none.
OF_MYSQL = {"! ER_CONSTRAINT_FAILED": "! ER_INVALID_JSON_TEXT", '{"a":1}': '{"a": 1}', '{"b":1, "a" : 2}': '{"a": 2, "b": 1}'}


def as_there(cases):
    of_json = [case for case in cases if case[2] == "JSON" and pair.MARIADB.system == "mysql"]
    return [(*case[:3], OF_MYSQL.get(case[3], case[3])) if case in of_json else case for case in cases]


class TypesTest(PairTest):
    def compare(self, document):
        """`sluice verify` finds all that was not refused equal, whatever becomes of a type on its way."""
        code, found = self.verified(document)
        self.assertEqual(code, 0, found)
        self.assertEqual(found["different"], 0, found)


class AwayAndBack(TypesTest):
    def fill(self, in_server, types, prepared=""):
        """A column for each type, a row for each value and one of NULL; gives the number of each row by type and value."""
        types = those_there(types)
        columns = ", ".join(f"c{i} {kind}" for i, (kind, _) in enumerate(types))
        rows = {}
        inserts = "INSERT INTO src (n) VALUES (0);"
        for i, (kind, values) in enumerate(types):
            for value in values:
                rows[kind, value] = len(rows) + 1
                inserts += f"INSERT INTO src (n, c{i}) VALUES ({len(rows)}, {value});"
        in_server(f"{prepared} CREATE TABLE src (n INT PRIMARY KEY, {columns}); CREATE TABLE back (LIKE src); {inserts}")
        return rows

    def go(self, reader, writer, present, lost):
        """`lost`: the code of each row that must be dirty; gives the rows that are left."""
        document = job(reader, writer, errors=len(lost), common={"column": {"timeZone": "UTC"}})
        ended = self.run_job(document)
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.summary["dirty_by_code"], Counter(lost.values()), ended)
        self.compare(document)
        return present - lost.keys()

    def there_and_back(self, types, rows, lost, away, home, home_dialect, differing):
        def codes(stage):
            return {rows[kind, value]: code for kind, values, code in lost.get(stage, []) for value in values}
        for name, (there, back) in away.items():
            with self.subTest(name):
                home("DROP TABLE IF EXISTS sluice_run, sluice_progress; DELETE FROM back")
                left = self.go(home_dialect("Reader", "src"), there, {0, *rows.values()}, {**codes("source"), **codes(name)})
                left = self.go(back, home_dialect("Writer", "back"), left, {k: v for k, v in codes(f"back from {name}").items() if k in left})
                self.assertEqual(differing(len(types)), "")
                self.assertEqual({int(n) for n in home("SELECT n FROM back").split()}, left)

    def test_each_value_of_mariadb_comes_back_equal_from_postgresql_sqlite_and_csv(self):
        rows = self.fill(in_mariadb, those_there(MARIADB_TYPES), "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; SET time_zone = '+00:00';")
        away = {"postgresql": (postgresql_end("Writer", "away", createTable=True), postgresql_end("Reader", "away")),
                "sqlite": (sqlite_end("Writer", self.folder / "away.db", "away"), sqlite_end("Reader", self.folder / "away.db", "away")),
                "csv": (csv_end("Writer", self.folder, nullFormat="\\N"), csv_end("Reader", self.folder, nullFormat="\\N", column=["*"]))}
        # As numbers and by their bytes: the text of a FLOAT has six digits, and a collation takes texts for equal.
        # MySQL 8 reads -0 as 0, which is equal to it.
        zero = " OR BINARY s.c{i} = '-0'" if pair.MARIADB.system == "mysql" else ""
        self.there_and_back(those_there(MARIADB_TYPES), rows, LOST_OF_MARIADB, away, in_mariadb, mariadb_end, lambda count: in_mariadb("".join(
            f"SELECT s.n, {i} FROM src s JOIN back b USING (n) WHERE NOT (s.c{i} <=> b.c{i} AND (BINARY s.c{i} <=> BINARY b.c{i}{zero.format(i=i)}));" for i in range(count))))

    def test_each_value_of_postgresql_comes_back_equal_from_mariadb_sqlite_and_csv(self):
        types = [(kind, [v for v in values if v != "NULL"]) for kind, values, _ in postgresql_types_test.TYPES if kind not in NOT_BACK]
        in_postgresql("DROP EXTENSION IF EXISTS hstore CASCADE")
        rows = self.fill(in_postgresql, types, postgresql_types_test.MADE)
        away = {"mariadb": (mariadb_end("Writer", "away", createTable=True), mariadb_end("Reader", "away")),
                "sqlite": (sqlite_end("Writer", self.folder / "away.db", "away"), sqlite_end("Reader", self.folder / "away.db", "away")),
                "csv": (csv_end("Writer", self.folder, nullFormat="\\N"), csv_end("Reader", self.folder, nullFormat="\\N", column=["*"]))}
        self.there_and_back(types, rows, LOST_OF_POSTGRESQL, away, in_postgresql, postgresql_end, lambda count: in_postgresql("".join(
            f"SELECT s.n, s.c{i}::text, b.c{i}::text FROM src s JOIN back b USING (n) WHERE s.c{i}::text IS DISTINCT FROM b.c{i}::text;" for i in range(count))))


# Type and value, type of the destination, and what stands there then: its text, or `! code` where the record is dirty.
TO_MARIADB = [
    ("boolean", "true", "TINYINT(1)", "1"), ("boolean", "true", "BIT(1)", "1"), ("boolean", "true", "VARCHAR(5)", "true"),
    ("smallint", "-1", "INT UNSIGNED", "! out_of_range"), ("bigint", "9223372036854775807", "INT", "! out_of_range"),
    ("bigint", "300", "TINYINT", "! out_of_range"), ("bigint", "2", "TINYINT(1)", "2"), ("integer", "2155", "YEAR", "2155"),
    ("integer", "99", "YEAR", "! out_of_range"), ("bigint", "9223372036854775807", "DECIMAL(19,0)", "9223372036854775807"),
    ("bigint", "9007199254740993", "DOUBLE", "! not_exact"), ("integer", "16777217", "FLOAT", "! not_exact"), ("integer", "5", "CHAR(3)", "5"),
    ("integer", "5", "BIT(3)", "5"), ("integer", "8", "BIT(3)", "! out_of_range"), ("real", "0.1", "DOUBLE", "0.10000000149011612"),
    ("double precision", "0.1", "FLOAT", "! not_exact"), ("double precision", "0.5", "FLOAT", "0.5"),
    ("double precision", "0.1", "DECIMAL(10,2)", "0.10"), ("double precision", "0.125", "DECIMAL(10,2)", "! too_precise"),
    ("double precision", "1e300", "DECIMAL(65,0)", "! out_of_range"), ("numeric(10,2)", "1.50", "DECIMAL(10,1)", "1.5"),
    ("numeric(10,2)", "1.55", "DECIMAL(10,1)", "! too_precise"), ("numeric", "1e100", "DOUBLE", "1e100"),
    ("numeric(38,10)", "1234567890123456789012345678.0123456789", "DOUBLE", "! not_exact"),
    ("numeric(1000,500)", "1e-30", "DECIMAL(65,30)", "0." + "0" * 29 + "1"), ("numeric(1000,500)", "1e-31", "DECIMAL(65,30)", "! too_precise"),
    ("numeric(1000,500)", "100", "DECIMAL(10,0)", "100"), ("numeric(1000,500)", "-1.5", "DECIMAL(10,1)", "-1.5"),
    ("numeric", "'NaN'", "VARCHAR(10)", "NaN"), ("numeric", "1.0", "BIGINT", "1"), ("numeric", "1.5", "BIGINT", "! has_fraction"),
    ("money", "'1.25'", "DECIMAL(19,2)", "1.25"), ("text", "'abc'", "VARCHAR(2)", "! too_long"), ("text", "'ab '", "CHAR(5)", "! not_representable"),
    ("text", "'ab '", "VARCHAR(3)", "ab "), ("text", "'😀'", "VARCHAR(1)", "😀"), ("text", "'😀'", "VARCHAR(1) CHARACTER SET utf8mb3", "! not_in_charset"),
    ("text", "'12'", "INT", "12"), ("text", "'x'", "INT", "! not_a_number"), ("text", "'2024-02-29'", "DATE", "2024-02-29"),
    ("text", "'2024-02-30'", "DATE", "! not_a_date"), ("text", "'838:59:59'", "TIME", "838:59:59"),
    ("text", "'839:00:00'", "TIME", "! ER_TRUNCATED_WRONG_VALUE"), ("text", "'a'", "ENUM('a','b')", "a"), ("text", "'A'", "ENUM('a','b')", "! not_representable"),
    ("text", "'1'", "ENUM('a','b')", "! not_representable"), ("text", "'b,a'", "SET('a','b')", "! not_representable"), ("text", "'a,b'", "SET('a','b')", "a,b"),
    ("text", "'{\"a\":1}'", "JSON", '{"a":1}'), ("text", "'{'", "JSON", "! ER_CONSTRAINT_FAILED"), ("text", "'x'", "BINARY(3)", "! not_representable"),
    ("text", "repeat('x', 256)", "TINYTEXT", "! too_long"), ("text", "repeat('ü', 40000)", "TEXT", "! too_long"),
    ("text", "'2001:db8::1'", "INET6", "2001:db8::1"), ("text", "'x'", "UUID", "! ER_TRUNCATED_WRONG_VALUE"), ("char(5)", "'ab'", "CHAR(5)", "ab"),
    ("char(5)", "'ab'", "VARCHAR(5)", "ab   "), ("char(5)", "'ab'", "VARCHAR(2)", "! too_long"), ("char(5)", "''", "CHAR(5)", ""),
    ("bytea", "'\\xff00'", "BINARY(3)", "! not_representable"), ("bytea", "'\\xff00'", "VARBINARY(1)", "! too_long"),
    ("bytea", "'\\xff00'", "TEXT", "! invalid_utf8"), ("bytea", "'abc'", "TEXT", "abc"), ("bytea", "decode(repeat('00', 256), 'hex')", "TINYBLOB", "! too_long"),
    ("date", "'2024-02-29'", "DATETIME", "2024-02-29 00:00:00"), ("date", "'infinity'", "VARCHAR(10)", "infinity"), ("date", "'0999-01-01'", "DATE", "0999-01-01"),
    ("time", "'24:00:00'", "TIME", "24:00:00"), ("time", "'12:34:56.789'", "TIME", "! too_precise"), ("timetz", "'12:34:56+02'", "TIME", "! not_a_duration"),
    ("timestamp", "'2024-02-29 10:00:00.123456'", "DATETIME(3)", "! too_precise"), ("timestamp", "'2024-02-29 10:00:00.5'", "DATETIME", "! too_precise"),
    ("timestamp", "'2024-02-29 10:00:00'", "TIMESTAMP NULL", "2024-02-29 01:00:00"), ("timestamp", "'2040-01-01'", "TIMESTAMP NULL", "! ER_TRUNCATED_WRONG_VALUE"),
    ("timestamp", "'2024-02-29 00:00'", "DATE", "2024-02-29"), ("timestamp", "'2024-02-29 10:00'", "DATE", "! has_time"),
    ("timestamptz", "'2024-06-01 10:00:00+02'", "DATETIME", "2024-06-01 17:00:00"), ("timestamptz", "'2024-06-01 10:00:00+02'", "TIMESTAMP NULL", "2024-06-01 08:00:00"),
    ("timestamptz", "'2024-06-01 10:00:00+02'", "VARCHAR(40)", "2024-06-01 17:00:00"), ("timestamptz", "'1969-01-01 00:00:00+00'", "TIMESTAMP NULL", "! ER_TRUNCATED_WRONG_VALUE"),
    ("interval", "'838:59:59'", "TIME", "838:59:59"), ("interval", "'1 day'", "TIME", "! not_a_duration"), ("interval", "'1 day'", "VARCHAR(40)", "1 day"),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "UUID", "123e4567-e89b-12d3-a456-426655440000"),
    ("uuid", "'123e4567-e89b-12d3-a456-426655440000'", "BINARY(16)", "! too_long"), ("json", "'{\"b\":1, \"a\" : 2}'", "JSON", '{"b":1, "a" : 2}'),
    ("inet", "'10.0.0.1'", "INET4", "10.0.0.1"), ("inet", "'10.0.0.1/24'", "INET4", "! ER_TRUNCATED_WRONG_VALUE"), ("inet", "'::1'", "INET6", "::1"),
    ("inet", "'10.0.0.1'", "VARCHAR(40)", "10.0.0.1"), ("inet", "'10.0.0.1/24'", "VARCHAR(40)", "10.0.0.1/24"), ("bit(5)", "B'10101'", "VARCHAR(5)", "10101"),
    ("int4[]", "'{1,2}'", "JSON", "! ER_CONSTRAINT_FAILED"), ("int4[]", "'{1,2}'", "TEXT", "{1,2}"), ("oid", "4294967295", "INT UNSIGNED", "4294967295"),
    ("point", "'(1,2)'", "POINT", "! ER_CANT_CREATE_GEOMETRY_OBJECT"),
]
TO_POSTGRESQL = [
    ("TINYINT(1)", "1", "boolean", "true"), ("TINYINT(1)", "2", "boolean", "! not_a_boolean"), ("INT UNSIGNED", "4294967295", "integer", "! out_of_range"),
    ("INT UNSIGNED", "4294967295", "oid", "4294967295"), ("BIGINT UNSIGNED", "18446744073709551615", "bigint", "! out_of_range"),
    ("BIGINT UNSIGNED", "18446744073709551615", "numeric", "18446744073709551615"), ("BIGINT UNSIGNED", "18446744073709551615", "text", "18446744073709551615"),
    ("BIGINT UNSIGNED", "18446744073709551615", "double precision", "! not_exact"), ("BIGINT UNSIGNED", "5", "money", "$5.00"), ("YEAR", "2024", "integer", "2024"),
    ("YEAR", "2024", "char(4)", "2024"), ("BIT(1)", "b'1'", "boolean", "true"), ("BIT(1)", "b'1'", "integer", "1"), ("BIT(8)", "255", "bigint", "255"),
    ("BIT(64)", "18446744073709551615", "numeric", "18446744073709551615"), ("FLOAT", "0.1", "real", "0.1"), ("FLOAT", "0.1", "double precision", "0.10000000149011612"),
    ("FLOAT", "0.125", "numeric(10,2)", "! too_precise"), ("DOUBLE", "0.1", "real", "! not_exact"), ("DOUBLE", "0.5", "real", "0.5"), ("DOUBLE", "0.1", "text", "0.1"),
    ("DOUBLE", "0.1", "money", "$0.10"), ("DECIMAL(10,2)", "1.55", "numeric(10,1)", "! too_precise"), ("DECIMAL(10,2)", "1.50", "integer", "! has_fraction"),
    ("DECIMAL(10,2)", "1.00", "integer", "1"), ("DECIMAL(10,3)", "1.505", "money", "! too_precise"),
    ("DECIMAL(65,30)", "'0.000000000000000000000000000001'", "double precision", "1e-30"), ("VARCHAR(10)", "'a  '", "varchar(2)", "! too_long"),
    ("VARCHAR(10)", "x'4100'", "text", "! not_in_charset"), ("VARCHAR(10)", "''", "text", ""), ("VARCHAR(10)", "''", "integer", "! empty"),
    ("VARCHAR(40)", "'123e4567-e89b-12d3-a456-426655440000'", "uuid", "123e4567-e89b-12d3-a456-426655440000"), ("VARCHAR(40)", "'{1,2}'", "int4[]", "{1,2}"),
    ("VARCHAR(40)", "'12:00'", "time", "! not_a_date"), ("VARCHAR(40)", "'12:00:00'", "time", "12:00:00"), ("VARCHAR(40)", "'12:00:00'", "timetz", "! not_representable"),
    ("VARCHAR(40)", "'12:00:00+01'", "timetz", "12:00:00+01"), ("VARCHAR(40)", "'12:00:00Z'", "timetz", "12:00:00+00"), ("VARCHAR(40)", "'1 day'", "interval", "1 day"),
    ("VARCHAR(40)", "'10.0.0.1'", "inet", "10.0.0.1/32"), ("VARCHAR(40)", "'true'", "boolean", "true"), ("VARCHAR(40)", "'1'", "boolean", "! not_a_boolean"),
    ("VARCHAR(40)", "'NaN'", "double precision", "NaN"), ("VARCHAR(40)", "'NaN'", "numeric", "NaN"), ("VARCHAR(40)", "'Infinity'", "numeric(5,2)", "! not_finite"),
    ("VARCHAR(40)", "'101'", "bit(3)", "101"), ("VARCHAR(40)", "'2024-02-29 10:00:00+02:00'", "timestamptz", "2024-02-29 08:00:00+00"),
    ("VARCHAR(40)", "'2024-02-29 10:00:00'", "timestamptz", "2024-02-29 01:00:00+00"), ("ENUM('a','b')", "'b'", "mood", "b"), ("ENUM('a','c')", "'c'", "mood", "! 22P02"),
    ("JSON", "'{\"a\":1}'", "jsonb", '{"a": 1}'), ("UUID", "'123e4567-e89b-12d3-a456-426655440000'", "uuid", "123e4567-e89b-12d3-a456-426655440000"),
    ("INET6", "'2001:db8::1'", "inet", "2001:db8::1/128"), ("INET4", "'10.0.0.1'", "cidr", "10.0.0.1/32"),
    ("BINARY(16)", "x'123e4567e89b12d3a456426655440000'", "uuid", "! invalid_utf8"), ("BLOB", "x'ff00'", "text", "! invalid_utf8"), ("BLOB", "'abc'", "text", "abc"),
    ("DATE", "'2024-02-29'", "timestamp", "2024-02-29 00:00:00"), ("DATE", "'2024-02-29'", "timestamptz", "2024-02-28 15:00:00+00"),
    ("DATETIME(6)", "'2024-02-29 10:00:00.123456'", "timestamp(3)", "! too_precise"), ("DATETIME", "'2024-02-29 10:00:00'", "date", "! has_time"),
    ("DATETIME", "'2024-06-01 10:00:00'", "timestamptz", "2024-06-01 01:00:00+00"), ("TIMESTAMP NULL", "'2024-06-01 10:00:00'", "timestamp", "2024-06-01 19:00:00"),
    ("TIMESTAMP NULL", "'2024-06-01 10:00:00'", "text", "2024-06-01 19:00:00"), ("TIME", "'12:00:00'", "time", "12:00:00"), ("TIME", "'838:59:59'", "time", "! out_of_range"),
    ("TIME", "'-01:00:00'", "time", "! out_of_range"), ("TIME(6)", "'-838:59:58.999999'", "interval", "-838:59:58.999999"),
    ("TIME(6)", "'00:00:00.000001'", "interval(3)", "! too_precise"), ("TIME", "'24:00:00'", "time", "24:00:00"), ("TIME", "'01:00:00'", "text", "01:00:00"),
]
# Refused before data moves, with these words.
REFUSED_BY_MARIADB = [("integer", "DATE", "a number has no unit of time"), ("timestamp", "TIME", "a point in time is no duration"),
                      ("bit(5)", "BIT(5)", "taken for a decimal number"), ("bit varying", "INT", "taken for a decimal number")]
REFUSED_BY_POSTGRESQL = [("YEAR", "date", "a number has no unit of time"), ("BIT(8)", "bit(8)", "taken for bits"), ("INT", "bit varying", "taken for bits"),
                         ("BIT(8)", "bytea", "a value has no bytes of its own"), ("BLOB", "integer", "bytes are no value"), ("TIME", "timetz", "offset of its session"),
                         ("TIME", "integer", "a time has no unit as a number")]


class Pairs(TypesTest):
    def moves(self, cases, in_source, source_end, in_target, target_end, seen):
        cases = as_there(those_there(cases))
        in_source("CREATE TABLE src (n INT PRIMARY KEY, " + ", ".join(f"c{i} {case[0]}" for i, case in enumerate(cases)) + ");" +
                  "".join(f"INSERT INTO src (n, c{i}) VALUES ({i}, {case[1]});" for i, case in enumerate(cases)))
        in_target("CREATE TABLE dst (n INT PRIMARY KEY, " + ", ".join(f"c{i} {case[2]}" for i, case in enumerate(cases)) + ")")
        dirty = {i: case[3][2:] for i, case in enumerate(cases) if case[3].startswith("! ")}
        document = job(source_end("Reader", "src"), target_end("Writer", "dst"), errors=len(cases), common={"column": {"timeZone": "Asia/Tokyo"}})
        ended = self.run_job(document)
        self.assertEqual(ended.code, 0, ended)
        self.compare(document)
        found = {int(record["key"].removeprefix("n=")): record["code"] for record in self.dirty()}
        for i, (kind, value, to, expected) in enumerate(cases):
            with self.subTest(f"{kind} {value} into {to}"):
                self.assertEqual(found.get(i), dirty.get(i))
                if i not in dirty:
                    self.assertEqual(in_target(seen(i)).removesuffix("\n"), expected)

    def refuses(self, cases, in_source, source_end, in_target, target_end):
        for kind, to, words in cases:
            with self.subTest(f"{kind} into {to}"):
                in_source(f"DROP TABLE IF EXISTS src; CREATE TABLE src (v {kind})")
                in_target(f"DROP TABLE IF EXISTS dst; CREATE TABLE dst (v {to})")
                self.refused(job(source_end("Reader", "src"), target_end("Writer", "dst")), words)

    def test_values_of_postgresql_in_types_of_mariadb(self):
        self.moves(TO_MARIADB, in_postgresql, postgresql_end, in_mariadb, mariadb_end,
                   lambda i: f"SET time_zone = '+00:00'; SELECT c{i} {'+ 0' if those_there(TO_MARIADB)[i][2].startswith('BIT') else ''} FROM dst WHERE n = {i}")

    def test_values_of_mariadb_in_types_of_postgresql(self):
        in_postgresql("CREATE TYPE mood AS ENUM ('a', 'b')")
        self.moves(TO_POSTGRESQL, lambda text: in_mariadb("SET time_zone = '+00:00';" + text), mariadb_end, in_postgresql, postgresql_end,
                   lambda i: f"SET timezone = 'UTC'; SELECT c{i}::text FROM dst WHERE n = {i}")

    def test_pairs_that_say_nothing_are_refused_before_data_moves(self):
        self.refuses(REFUSED_BY_MARIADB, in_postgresql, postgresql_end, in_mariadb, mariadb_end)
        self.refuses(REFUSED_BY_POSTGRESQL, in_mariadb, mariadb_end, in_postgresql, postgresql_end)
        self.refuses([("numeric[]", "float8[]", "would round its numbers")], in_postgresql, postgresql_end, in_postgresql, postgresql_end)

    def test_a_timestamp_of_mariadb_that_goes_as_text_stays_the_same_moment_in_every_zone(self):
        in_mariadb("SET sql_mode = '', time_zone = '+00:00'; CREATE TABLE src (id INT PRIMARY KEY, t TIMESTAMP(3) NULL, w DATETIME NULL);"
                   "INSERT INTO src VALUES (1, '2024-07-01 12:00:00.5', '2024-07-01 12:00:00'), (2, '2024-03-10 02:30:00', NULL); CREATE TABLE dst LIKE src;"
                   "CREATE TABLE texts (id INT PRIMARY KEY, t TEXT, w TEXT); INSERT INTO src VALUES (3, 0, 0)")
        in_postgresql("CREATE TABLE dst (id INT PRIMARY KEY, t TIMESTAMPTZ, w TIMESTAMP)")
        moments = {1: "1719835200.500", 2: "1710037800.000"}
        for end, sql, seconds in ((mariadb_end, in_mariadb, "UNIX_TIMESTAMP(t)"), (postgresql_end, in_postgresql, "round(extract(epoch FROM t), 3)")):
            ended = self.run_job(job(mariadb_end("Reader", "src", zeroDate="text"), end("Writer", "dst"), errors=1), "--timezone", "Asia/Shanghai")
            self.assertEqual((ended.code, ended.summary["dirty"]), (0, 1), ended)
            self.assertEqual(sql(f"SELECT concat(id, ' ', {seconds}) FROM dst ORDER BY id").split("\n")[:2], [f"{i} {s}" for i, s in moments.items()])
        self.succeeds(job(mariadb_end("Reader", "src", zeroDate="text"), mariadb_end("Writer", "texts")))
        self.assertEqual(in_mariadb("SELECT * FROM texts ORDER BY id"),
                         "1\t2024-07-01 12:00:00.500+00:00\t2024-07-01 12:00:00\n2\t2024-03-10 02:30:00.000+00:00\tNULL\n3\t0000-00-00 00:00:00.000\t0000-00-00 00:00:00\n")



if __name__ == "__main__":
    unittest.main()
