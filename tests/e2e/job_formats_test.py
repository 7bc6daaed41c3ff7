"""Job files as people have them, through the real program."""

import sqlite3

from e2e.harness import ROOT, ProgramTest, csv_reader, job, sqlite_writer

TABLE = "CREATE TABLE people (name TEXT, city TEXT)"
COLUMNS = [{"index": 0, "name": "city", "type": "string"}, {"index": 1, "name": "name", "type": "string"}]


class JobFormats(ProgramTest):
    def people(self, columns):
        source = self.write("people.csv", "city,name\nBonn,Ann\n")
        self.database = self.make_table(TABLE, "people.db")
        return job(csv_reader(source, column=COLUMNS), sqlite_writer(self.database, "people", columns))

    def test_columns_in_another_order_are_warned_of_with_both_positions(self):
        ended = self.run_job(self.people(["name", "city"]))
        self.assert_succeeds(ended)
        for text in ("columns are mapped by position", "\"city\" is column 0 of the reader and column 1 of the writer",
                     "\"name\" is column 1 of the reader and column 0 of the writer", "steps[1].parameter.column"):
            self.assertEqual(ended.text.count(text), 1, str(ended))
        self.assertEqual(self.rows(self.database, "SELECT name, city FROM people"), [("Bonn", "Ann")])

    def test_strict_refuses_columns_in_another_order_before_anything_is_changed(self):
        document = self.people(["name", "city"])
        document["steps"][1]["parameter"]["preSql"] = ["DELETE FROM people"]
        with sqlite3.connect(self.database) as db:
            db.execute("INSERT INTO people VALUES('kept', 'kept')")
        db.close()
        before = self.database.read_bytes()
        self.assert_fails(self.run_job(document, "--strict"), 2, "mapped by position", "--strict")
        self.assertEqual(self.database.read_bytes(), before)

    def test_the_same_order_is_not_warned_of(self):
        ended = self.run_job(self.people(["city", "name"]), "--strict")
        self.assert_succeeds(ended)
        self.assertNotIn("by position", ended.text)

    def test_a_system_that_is_not_there_yet_is_named_and_nothing_moves(self):
        document = (ROOT / "tests/data/jobs/corpus/script/manual.json").read_text(encoding="utf-8")
        ended = self.run_job(document, "-p", "bizdate=20250719")
        self.assert_fails(ended, 2, "steps[0].parameter.datasource: the data source \"shop\" is not known",
                          "steps[1]: writer \"odps\" is not supported yet")

    def test_the_manuals_script_runs_with_plugins_that_are_there(self):
        database = self.make_table("CREATE TABLE orders (id INTEGER, customer TEXT, amount REAL)", "dw.db")
        self.write("orders_20250719.csv", "id,customer,amount\n1,Ann,2.5\n")
        document = (ROOT / "tests/data/jobs/corpus/script/manual_with_files.json").read_text(encoding="utf-8")
        ended = self.run_job(document, "-p", "bizdate=20250719")
        self.assert_succeeds(ended)
        self.assert_account(ended, read=1, written=1)
        self.assertEqual(self.rows(database), [(1, "Ann", 2.5)])
