"""Tables that are made after the source's: what is made, what is printed, and columns that are mapped by name."""

import json
import sqlite3
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job

SOURCE = """
CREATE TABLE orders(shop TEXT NOT NULL, id INTEGER NOT NULL, note TEXT DEFAULT 'none', PRIMARY KEY(id, shop));
CREATE INDEX by_note ON orders(note);
CREATE TRIGGER t AFTER INSERT ON orders BEGIN SELECT 1; END;
INSERT INTO orders VALUES ('a', 1, 'x'), ('b', 1, NULL);
"""


class Ddl(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "source.db"
        self.target = self.folder / "target.db"
        sqlite3.connect(self.source).executescript(SOURCE)

    def end(self, category, file, table, **more):
        return {"stepType": "sqlite", "category": category, "name": category.title(),
                "parameter": {"jdbcUrl": f"jdbc:sqlite:{file}", "table": table, "column": ["*"], **more}}

    def copy(self, **more):
        return job(self.end("reader", self.source, "orders"), self.end("writer", self.target, "copy", **more))

    def ddl(self, document, *flags):
        path = self.write("ddl.json", json.dumps(document))
        return subprocess.run([str(PROGRAM), "ddl", str(path), *flags], capture_output=True, text=True, timeout=60, cwd=self.folder)

    def test_a_table_is_made_with_key_and_not_null_so_that_a_second_run_updates_it(self):
        document = self.copy(createTable=True, writeMode="update")
        first = self.run_job(document)
        self.assertEqual(first.code, 0, first)
        self.assertIn("Not made of the source's table: the default of column note; the index by_note (note); the trigger t.", first.text)
        ended = self.run_job(document)
        self.assertEqual(ended.code, 0, ended)
        there = sqlite3.connect(self.target)
        self.assertEqual(there.execute("SELECT name, \"notnull\", pk FROM pragma_table_info('copy')").fetchall(),
                         [("shop", 1, 2), ("id", 1, 1), ("note", 0, 0)])
        self.assertEqual(there.execute("SELECT * FROM copy ORDER BY shop").fetchall(), [("a", 1, "x"), ("b", 1, None)])

    def test_what_is_printed_makes_the_table_and_nothing_is_changed(self):
        printed = self.ddl(self.copy())
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertFalse(self.target.exists())
        self.assertEqual([line for line in printed.stdout.splitlines() if line.startswith("--")],
                         ["-- Not made: the default of column note", "-- Not made: the index by_note (note)",
                          "-- Not made: the trigger t"])
        sqlite3.connect(self.target).executescript(printed.stdout)
        self.assertEqual(self.run_job(self.copy(writeMode="update")).code, 0)
        again = self.ddl(self.copy())
        self.assertEqual(again.stdout, printed.stdout, "also where it is there")

    def test_the_tables_of_marks_that_are_printed_are_those_that_a_run_uses(self):
        printed = self.ddl(self.copy(), "--progress")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        sqlite3.connect(self.target).executescript(printed.stdout)
        ended = self.run_job(self.copy(createTable=True))
        self.assertEqual(ended.code, 0, ended)
        self.assertNotIn("more column", ended.text)
        self.assertNotIn("will be made for claims", ended.text)

    def test_a_writer_that_makes_no_table_says_so(self):
        document = job(self.end("reader", self.source, "orders"),
                       {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}})
        printed = self.ddl(document)
        self.assertEqual((printed.returncode, printed.stdout), (1, ""))
        self.assertIn("makes no table", printed.stderr)

    def test_entries_of_column_may_name_their_column(self):
        sqlite3.connect(self.source).executescript("CREATE TABLE src (id INTEGER PRIMARY KEY, amt INTEGER); INSERT INTO src VALUES (1, 2);")

        def document(*columns):
            return job(self.end("reader", self.source, "src", column=list(columns)), self.end("writer", self.target, "made", createTable=True))
        ended = self.run_job(document("id AS [a]", "amt*2 as x", "count(*) n"))
        self.assertIn("column[2]: ", ended.text)
        self.assertIn("if n is to be the column's name, write AS n, or leave it out", ended.text)
        self.assert_succeeds(self.run_job(document("id AS [a]", "amt*2 as x", "amt b", "cast(amt as text) as 'c' -- last")))
        rows = sqlite3.connect(self.target).execute("SELECT a, x, b, c FROM made").fetchall()
        self.assertEqual([list(map(str, row)) for row in rows], [["1", "4", "2", "2"]])

    def test_columns_go_to_those_of_their_names(self):
        sqlite3.connect(self.target).executescript("CREATE TABLE copy(NOTE TEXT, more TEXT, id INTEGER, shop TEXT)")
        ended = self.run_job(self.copy(mapping="name"))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(sqlite3.connect(self.target).execute("SELECT * FROM copy ORDER BY shop").fetchall(),
                         [("x", None, 1, "a"), (None, None, 1, "b")])

    def test_listed_columns_in_another_order_are_no_slip_where_they_are_mapped_by_name(self):
        document = self.copy(mapping="name", createTable=True)
        document["steps"][0]["parameter"]["column"] = ["id", "shop"]
        document["steps"][1]["parameter"]["column"] = ["shop", "id"]
        ended = self.run_job(document, "--strict")
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(sqlite3.connect(self.target).execute("SELECT shop, id FROM copy ORDER BY shop").fetchall(), [("a", 1), ("b", 1)])


if __name__ == "__main__":
    unittest.main()
