"""A messy CSV file of a million rows into SQLite, compared by an independent program."""

import os
import subprocess
import sys
import unittest

from e2e.harness import ORDER_KINDS, ROOT, ProgramTest, csv_reader, job, sqlite_writer
from e2e import reference

ROWS = int(os.environ.get("SLUICE_E2E_ROWS", "1000000"))
BAD = 37


def orders_file(rows, bad=BAD, seed=1):
    """The file of these arguments, made once and kept in build/data."""
    path = ROOT / "build" / "data" / f"orders-{rows}-{bad}-{seed}.csv"
    maker = ROOT / "tests" / "data" / "make_orders.py"
    if not path.exists() or path.stat().st_mtime < maker.stat().st_mtime:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        subprocess.run([sys.executable, str(maker), "--rows", str(rows), "--bad", str(bad), "--seed", str(seed), str(part)],
                       check=True, capture_output=True)
        part.rename(path)
    return path


class CsvToSqlite(ProgramTest):
    def test_every_good_row_of_a_million_arrives_exactly_and_every_bad_one_is_told(self):
        source = orders_file(ROWS)
        database = self.make_table()
        ended = self.run_job(job(csv_reader(source), sqlite_writer(database)))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS - BAD, dirty=BAD, ignored=0, filtered=0)
        self.assertEqual(ended.summary["state"], "succeeded_with_dirty")

        wanted, bad = reference.expected(source, ORDER_KINDS)
        self.assertEqual(bad, BAD)
        found = self.rows(database)
        self.assertEqual(len(found), len(wanted))
        for row, other in zip(found, sorted(wanted)):
            self.assertEqual(row, other)

        dirty = self.dirty()
        self.assertEqual(len(dirty), BAD)
        self.assertEqual(len({(d["split"], d["position"]) for d in dirty}), BAD)
        for record in dirty:
            self.assertEqual(record["source"], str(source))
            self.assertEqual(record["side"], "reader")

    def test_splits_of_one_file_give_the_same_as_one_reader(self):
        source = orders_file(50_000)
        one = self.make_table(name="one.db")
        many = self.make_table(name="many.db")
        self.assert_succeeds(self.run_job(job(csv_reader(source), sqlite_writer(one), concurrent=1), "--name", "one"))
        self.assert_succeeds(self.run_job(job(csv_reader(source), sqlite_writer(many), concurrent=8), "--name", "many"))
        self.assertEqual(self.rows(one), self.rows(many))
        places = [(d["job"], d["line"], d["byte_offset"], d["code"], d["column"]) for d in self.dirty()]
        self.assertEqual(sorted(p[1:] for p in places if p[0] == "one"), sorted(p[1:] for p in places if p[0] == "many"))
        self.assertEqual(len(places), 2 * BAD)

    def test_dirty_records_name_the_line_and_byte_of_their_record(self):
        source = orders_file(10_000)
        content = source.read_bytes()
        self.assert_succeeds(self.run_job(job(csv_reader(source), sqlite_writer(self.make_table()), concurrent=4)))
        dirty = self.dirty()
        self.assertEqual(len(dirty), BAD)
        for record in dirty:
            begin = record["byte_offset"]
            self.assertEqual(content[:begin].count(b"\n") + 1, record["line"])
            self.assertEqual(content[begin - 1 : begin], b"\n")

    def test_the_table_is_made_where_the_job_says_so(self):
        source = orders_file(10_000)
        database = self.folder / "made.db"
        ended = self.run_job(job(csv_reader(source), sqlite_writer(database, createTable=True)))
        self.assert_succeeds(ended)
        # Exact numbers with a fraction are made TEXT: SQLite's REAL would round some of them.
        wanted, _ = reference.expected(source, ["decimal" if kind == "double" else kind for kind in ORDER_KINDS])
        self.assertEqual(self.rows(database), sorted(wanted))

    def test_the_reference_reads_as_csv_does(self):
        source = orders_file(10_000)
        with open(source, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
        for ours, theirs in zip(reference.quoted_rows(text), reference.read_by_csv_module(source), strict=True):
            if ours is not None:
                self.assertEqual([field or "" for field in ours], theirs)


if __name__ == "__main__":
    unittest.main()
