"""Every type of PostgreSQL, value by value, through the real program: into the same type, into CSV and back."""

import itertools
import unittest

from e2e.harness import ProgramTest, job
from servers.running import of_module

# Type, its values as literals, and what of these a run must refuse, by code (the others arrive equal).
TYPES = [
    ("boolean", ["true", "false", "NULL"], {}),
    ("smallint", ["-32768", "32767", "0", "NULL"], {}),
    ("integer", ["-2147483648", "2147483647"], {}),
    ("bigint", ["-9223372036854775808", "9223372036854775807"], {}),
    ("oid", ["0", "4294967295"], {}),
    ("real", ["'NaN'", "'Infinity'", "'-Infinity'", "1.17549435e-38", "3.4028235e38", "-0.0", "0.1"], {}),
    ("double precision", ["'NaN'", "'Infinity'", "'-Infinity'", "5e-324", "1.7976931348623157e308", "-0.0", "0.1"], {}),
    ("numeric(10,2)", ["-99999999.99", "0.01", "1.50", "0", "NULL", "'NaN'"], {"'NaN'": "not_finite"}),
    ("numeric(38,0)", ["99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "10000"], {}),
    ("numeric(38,38)", ["0.99999999999999999999999999999999999999", "-0.00000000000000000000000000000000000001"], {}),
    ("numeric(5,5)", ["0.12345", "-0.00001"], {}),
    ("numeric(3,-2)", ["12300", "-99900", "0"], {}),
    ("numeric(2,5)", ["0.00012", "0"], {}),
    ("numeric(50,20)", ["123456789012345678901234567890.12345678901234567890", "'NaN'"], {}),
    ("numeric(1000,500)", ["1e-500", "1e499 + 1e-499", "-1.5"], {}),
    ("numeric", ["1.500", "0.00", "1e1000", "-1e-1000", "'NaN'", "'Infinity'", "'-Infinity'"], {}),
    ("money", ["'-92233720368547758.08'", "'92233720368547758.07'", "'0.01'"], {}),
    ("text", ["''", "'a'", "E'tab\\tnew\\nline\\\\back\\r'", "'\\N'", "'\\.'", "'ä€😀'", "'  blanks  '", "repeat('x', 300000)", "NULL"], {}),
    ("varchar(5)", ["'ab   '", "'ä€😀ab'", "''"], {}),
    ("char(5)", ["'ab'", "''", "'ä€😀ab'"], {}),
    ("\"char\"", ["'a'", "''"], {}),
    ("name", ["'a'", "repeat('n', 63)"], {}),
    ("bytea", ["''", "'\\x00ff0a5c09'", "decode(repeat('ab', 1000), 'hex')"], {}),
    ("date", ["'4713-11-24 BC'", "'5874897-12-31'", "'infinity'", "'-infinity'", "'0001-01-01'", "'2024-02-29'", "'0044-03-15 BC'"], {}),
    ("time", ["'00:00'", "'24:00:00'", "'23:59:59.999999'"], {}),
    ("time(3)", ["'12:00:00.125'"], {}),
    ("timetz", ["'00:00:00+15:59'", "'24:00:00-15:59'", "'12:34:56.123456+05:30'"], {}),
    ("timestamp", ["'4713-11-24 00:00:00 BC'", "'294246-12-31 23:59:59.999999'", "'infinity'", "'-infinity'", "'1969-12-31 23:59:59.999999'",
                   "'294276-12-31 23:59:59'"], {"'294276-12-31 23:59:59'": "out_of_range"}),
    ("timestamp(3)", ["'2024-02-29 12:00:00.125'"], {}),
    ("timestamptz", ["'4713-11-24 12:00:00+00 BC'", "'2024-03-31 02:30:00+01'", "'2024-10-27 02:30:00+02'", "'infinity'", "'-infinity'"], {}),
    ("interval", ["'1 year -2 mons 3 days -04:05:06.789012'", "'-178000000 years'", "'838:59:59'", "'0'"], {}),
    ("interval(2)", ["'00:00:01.25'"], {}),
    ("interval day to second", ["'3 days 04:05:06.789'"], {}),
    ("uuid", ["'00000000-0000-0000-0000-000000000000'", "'FFFFFFFF-ffff-ffff-ffff-0123456789ab'"], {}),
    ("json", ["'{ \"a\" : 1, \"a\":2 }'", "'null'", "'\"\\u0000\"'"], {}),
    ("jsonb", ["'{ \"b\" : 1, \"a\": [1e3, \"x\"] }'", "'null'", "'1234567890123456789012345678901234567890.5'"], {}),
    ("xml", ["'<a b=\"ü\">x &amp; y</a>'", "'text <b/>'"], {}),
    ("inet", ["'10.1.2.3/24'", "'::1'", "'192.168.0.1'"], {}),
    ("cidr", ["'10.0.0.0/8'", "'2001:db8::/32'"], {}),
    ("macaddr", ["'08:00:2b:01:02:03'"], {}),
    ("bit(5)", ["B'10101'"], {}),
    ("bit varying", ["B''", "B'1'", "repeat('10', 40)::varbit"], {}),
    ("point", ["'(1.5,-2e-7)'"], {}),
    ("box", ["'(3,4),(1,2)'"], {}),
    ("int4[]", ["'{}'", "'{1,NULL,3}'", "'[2:3]={7,8}'", "'{{1,2},{3,4}}'"], {}),
    ("text[]", ["'{}'", "E'{\"a,b\",\"c\\\\\"d\",NULL,\"NULL\",\"\"}'", "ARRAY[E'tab\\t', E'back\\\\']"], {}),
    ("numeric(10,2)[]", ["'{1.25,-0.01}'"], {}),
    ("timestamptz[]", ["ARRAY['2024-10-27 02:30:00+02'::timestamptz, 'infinity']"], {}),
    ("float8[]", ["'{0.1,NaN,-Infinity,5e-324}'"], {}),
    ("int4range", ["'[1,10)'", "'empty'", "'(,5]'"], {}),
    ("tstzrange", ["'[2024-01-01 00:00:00+00,infinity)'"], {}),
    ("int4multirange", ["'{[1,3), [5,7)}'"], {}),
    ("tsvector", ["'a:1 fat:2B cat'"], {}),
    ("pg_lsn", ["'16/B374D848'"], {}),
    ("mood", ["'sad'", "'very happy ü'"], {}),
    ("positive", ["1", "2147483647"], {}),
    ("pair", ["ROW(1, 'a,\"b')", "ROW(NULL, '')"], {}),
    ("hstore", ["'a=>1, \"b c\"=>NULL'"], {}),
]
MADE = """CREATE EXTENSION IF NOT EXISTS hstore;
CREATE TYPE mood AS ENUM ('sad', 'very happy ü');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TYPE pair AS (n integer, t text);
"""


def setUpModule():
    global SERVER
    SERVER, = of_module("postgresql")
    SERVER.sql(MADE, "sluice")


def end(category, table, **more):
    return {"stepType": "postgresql", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:postgresql://127.0.0.1:{SERVER.port}/sluice", "username": "admin",
                          "password": SERVER.password("admin"), "table": table, "column": ["*"], **more}}


class Types(ProgramTest):
    def fill(self, kind, values, more=""):
        rows = ", ".join(f"({i}, ({v})::{kind})" for i, v in enumerate(values))
        SERVER.sql(f"DROP TABLE IF EXISTS src, dst; CREATE TABLE src (n int PRIMARY KEY, v {kind}{more}); CREATE TABLE dst (LIKE src INCLUDING ALL);"
                   f"INSERT INTO src VALUES {rows}", "sluice")

    def differing(self):
        return SERVER.sql("SELECT coalesce(s.n, d.n), s.v::text, d.v::text FROM src s FULL JOIN dst d USING (n) "
                          "WHERE d.n IS NULL OR s.n IS NULL OR s.v::text IS DISTINCT FROM d.v::text ORDER BY 1", "sluice")

    def test_each_value_arrives_equal_in_the_same_type(self):
        ways = {"as the server sends it where it can": ("", []), "decoded": ("", ["DO 'BEGIN END'"]),
                "beside one that makes COPY take its text form": (", as_text inet DEFAULT '::1'", [])}
        for (kind, values, refused), (way, (more, steps)) in itertools.product(TYPES, ways.items()):
            with self.subTest(kind, way=way):
                self.fill(kind, values, more)
                ended = self.run_job(job(end("Reader", "src"), end("Writer", "dst", preSql=steps), errors=len(refused)))
                self.assertEqual(ended.code, 0, ended)
                own = ended.summary["sums"]["form"] != "canonical/1"
                self.assertTrue(not own or not (more or steps), ended)
                # What has no equal here passes where it is not looked at.
                left = [] if own else [str(values.index(v)) for v in refused]
                self.assertEqual(ended.summary["dirty"], len(left), ended)
                self.assertEqual([line.split("|")[0] for line in self.differing().splitlines()], left, self.differing())

    def test_a_text_that_the_server_would_change_is_dirty(self):
        # Type of the destination, text, code.
        cases = [("numeric(5,2)", "1.234", "too_precise"), ("numeric(5,2)", "12345", "out_of_range"), ("numeric(3,-2)", "12345", "too_precise"),
                 ("timestamp(0)", "2024-01-01 00:00:00.5", "too_precise"), ("time(1)", "00:00:00.25", "too_precise"),
                 ("timetz(0)", "00:00:00.5+00", "too_precise"), ("interval(0)", "00:00:00.5", "too_precise"),
                 ("varchar(3)", "ab  ", "too_long"), ("char(3)", "abc ", "too_long"), ("smallint", "32768", "out_of_range"),
                 ("real", "0.123456789", "not_exact"), ("uuid", "x", "not_representable"), ("date", "2024-02-30", "not_a_date"),
                 ("boolean", "yes", "not_a_boolean"), ("json", "{", "22P02"), ("inet", "10.0.0.300", "22P02"), ("mood", "angry", "22P02"),
                 ("bit(3)", "10", "22026"), ("positive", "-1", "23514"), ("int4[]", "{1,x}", "22P02")]
        for kind, text, code in cases:
            with self.subTest(kind):
                self.fill("text", [f"'{text}'"])
                SERVER.sql(f"DROP TABLE dst; CREATE TABLE dst (n int PRIMARY KEY, v {kind})", "sluice")
                ended = self.run_job(job(end("Reader", "src"), end("Writer", "dst"), errors=1))
                self.assertEqual(ended.code, 0, ended)
                self.assertEqual(ended.summary["dirty_by_code"], {code: 1}, ended)
                self.assertEqual(SERVER.sql("SELECT count(*) FROM dst", "sluice").strip(), "0")


if __name__ == "__main__":
    unittest.main()
