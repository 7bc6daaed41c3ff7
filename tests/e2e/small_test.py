"""Small runs that take a second: they are repeated under other locales, zones and folders."""

import sqlite3

from e2e.csv_to_sqlite_test import orders_file
from e2e import reference
from e2e.harness import ORDER_KINDS, ProgramTest, csv_reader, job, sqlite_writer


class Small(ProgramTest):
    def test_orders_arrive_exactly(self):
        source = orders_file(10_000)
        database = self.make_table()
        ended = self.run_job(job(csv_reader(source), sqlite_writer(database), concurrent=2))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=10_000, written=10_000 - 37, dirty=37)
        wanted, _ = reference.expected(source, ORDER_KINDS)
        self.assertEqual(self.rows(database), sorted(wanted))

    def test_sqlite_to_csv_and_back_changes_nothing(self):
        source = orders_file(10_000)
        first, second = self.make_table(name="first.db"), self.make_table(name="second.db")
        self.assert_succeeds(self.run_job(job(csv_reader(source), sqlite_writer(first)), "--name", "in"))
        reader = sqlite_writer(first)
        reader.update(category="reader", name="Reader")
        writer = {"stepType": "text", "category": "writer", "name": "Writer",
                  "parameter": {"path": str(self.folder / "out"), "fileName": "orders", "fileFormat": "csv",
                                "writeMode": "truncate", "nullFormat": "", "header": ["id", "customer", "city", "quantity",
                                                                                    "price", "ordered_at", "active", "note"]}}
        (self.folder / "out").mkdir()
        self.assert_succeeds(self.run_job(job(reader, writer), "--name", "out"))
        files = [p for p in (self.folder / "out").iterdir()]
        self.assertEqual(len(files), 1, files)
        # SQLite has no boolean: what came out is a number.
        columns = [dict(c, type="long") if c["type"] == "boolean" else c for c in csv_reader(source)["parameter"]["column"]]
        self.assert_succeeds(self.run_job(job(csv_reader(files[0], column=columns), sqlite_writer(second)), "--name", "back"))
        self.assertEqual(self.rows(first), self.rows(second))

    def test_zero_records_are_a_success_with_a_line_that_names_the_file(self):
        source = self.write("empty.csv", "id,customer,city,quantity,price,ordered_at,active,note\n")
        ended = self.run_job(job(csv_reader(source), sqlite_writer(self.make_table())))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=0, written=0)
        self.assertIn("empty.csv", ended.text)

    def test_nothing_is_written_beside_the_destination_and_the_state_folder(self):
        source = orders_file(10_000)
        self.make_table()
        self.assert_succeeds(self.run_job(job(csv_reader(source), sqlite_writer(self.folder / "orders.db"))))
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["job.json", "orders.db", "state", "summary.json"])
        for path in self.state.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, f"{path} can be read by others")

    def test_a_second_run_of_a_finished_job_is_a_run_of_its_own(self):
        source = orders_file(10_000)
        database = self.make_table()
        document = job(csv_reader(source), sqlite_writer(database, preSql=["DELETE FROM orders"]))
        for _ in range(2):
            ended = self.run_job(document)
            self.assert_succeeds(ended)
            self.assert_account(ended, read=10_000, written=10_000 - 37)
        with sqlite3.connect(database) as db:
            self.assertEqual(db.execute("SELECT count(*) FROM orders").fetchone()[0], 10_000 - 37)
        db.close()
