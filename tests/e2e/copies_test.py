"""Copies begun twice, copies of several files, ends that are none, and runs into files that were killed."""

import contextlib
import gzip
import json
import lzma
import os
import sqlite3
import time
import unittest

from e2e.foretell_test import ForetellTest
from e2e.harness import job


def text_writer(folder, name="out", **more):
    return {"stepType": "text", "category": "writer", "name": "Writer",
            "parameter": {"path": str(folder), "fileName": name, "suffix": ".csv", "singleFileOutput": True, **more}}


class Copies(ForetellTest):
    def copy(self, *arguments):
        return self.sluice("copy", *arguments, "--state-dir", self.state)

    def make_table(self, name, create, insert="", rows=()):
        with contextlib.closing(sqlite3.connect(self.folder / name)) as database:
            database.execute(create)
            if insert:
                database.executemany(insert, rows)
            database.commit()

    def test_columns_of_files_with_headings_are_found_by_them(self):
        self.write("p1.csv", "first,last,n\nAnn,Lee,1\n")
        self.write("p2.csv", "first,last,n\nKim,Bob,2\n")
        made = self.sluice("template", "p?.csv", "p.db:t")
        self.assertIn('{"name": "first", "type": "STRING"}', made.stdout)
        self.assertNotIn('"index"', made.stdout)
        path = self.put_job(made.stdout, "p.json")
        self.assertEqual(self.copy("p?.csv", "p.db:t").returncode, 0)
        self.assertEqual(self.rows(self.folder / "p.db", "SELECT first, last, n FROM t ORDER BY n"),
                         [("Ann", "Lee", 1), ("Kim", "Bob", 2)])
        # A file that comes later is not read by the places of another one.
        self.write("p3.csv", "last,first,n\nDay,Zoe,3\n")
        ended = self.sluice("run", path, "--state-dir", self.state)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn('"p1.csv" and "p3.csv" have different headings', ended.stderr)

    def test_files_whose_headings_differ_are_no_one_copy(self):
        self.write("h1.csv", "first,last\nAnn,Lee\n")
        self.write("h2.csv", "last,first\nKim,Bob\n")
        for ended in (self.copy("h?.csv", "h.db:t", "--header"), self.sluice("template", "h?.csv", "h.db:t", "--header"),
                      self.sluice("template", "h?.csv", "h.db:t", "--header", "--dialect", "datax")):
            self.assertEqual(ended.returncode, 1, ended.stderr)
            self.assertIn('"h1.csv" and "h2.csv" have different headings ("first, last" and "last, first")', ended.stderr)
        self.assertFalse((self.folder / "h.db").exists())
        self.assertEqual(self.copy("h?.csv", "h.db:t", "--no-header").returncode, 0)
        self.assertEqual(self.rows(self.folder / "h.db", "SELECT count(*) FROM t"), [(4,)])

    def test_headings_that_find_no_column_keep_their_places(self):
        self.write("gaps.csv", "id,n,n, x\n1,a,b,c\n")
        made = self.sluice("template", "gaps.csv", "g.db:t")
        self.assertIn('{"index": 2, "name": "n_2", "type": "STRING"}', made.stdout)
        self.assertEqual(self.copy("gaps.csv", "g.db:t").returncode, 0)
        self.write("plain.csv", "id,n\n1,a\n")
        datax = self.sluice("template", "plain.csv", "g.db:t2", "--dialect", "datax")
        self.assertIn('{"index": 1, "name": "n", "type": "STRING"}', datax.stdout)

    def test_no_text_is_changed_by_a_type_guessed_from_the_first_records(self):
        numbers = "".join(f"{i},{10_000 + i}\n" for i in range(10_000))
        others = ("02001", "+5", "1e3", "TRUE", "abc")
        self.write("zip.csv", "id,zip\n" + numbers + "".join(f"1,{text}\n" for text in others))
        self.make_table("z.db", "CREATE TABLE t (id INTEGER, zip TEXT)")
        self.assertEqual(self.copy("zip.csv", "z.db:t").returncode, 0)
        self.assertEqual(self.rows(self.folder / "z.db", "SELECT zip FROM t WHERE rowid > 10000 ORDER BY rowid"), [(text,) for text in others])
        self.assertEqual(self.copy("zip.csv", "again.csv").returncode, 0)
        self.assertEqual((self.folder / "again.csv").read_text(), (self.folder / "zip.csv").read_text())
        # A table that is made gets the type guessed: what does not fit it exactly is dirty.
        made = self.copy("zip.csv", "z.db:made", "--error-limit", "5")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertEqual(self.rows(self.folder / "z.db", "SELECT count(*) FROM made"), [(10_000,)])
        self.assertIn('"02001" in column "zip" would be written otherwise as LONG. Declare the column STRING', made.stderr)

    def test_words_that_may_be_null_or_bytes_come_back_as_the_texts_they_were(self):
        rows = [("a", None), ("\\N", "1"), ("NULL", "NA"), ("\\x4142", None), ("", "3")]
        self.make_table("w.db", "CREATE TABLE t (a TEXT, b TEXT)", "INSERT INTO t VALUES (?, ?)", rows)
        self.assertEqual(self.copy("w.db:t", "w.csv").returncode, 0)
        ended = self.copy("w.csv", "w.db:back", "--header")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertNotIn("is NULL is unsure", ended.stderr)
        self.assertEqual(self.rows(self.folder / "w.db", "SELECT a, b FROM back ORDER BY rowid"), rows)
        self.write("foreign.csv", "a,b\nx,\\N\ny,\nz,\n")
        ended = self.copy("foreign.csv", "w.db:foreign", "--header")
        self.assertIn("which text is NULL is unsure; taken as NULL are the 2 unquoted fields looked at that are empty", ended.stderr)

    def test_a_stopped_copy_with_save_is_given_again_as_it_was(self):
        self.write("big.csv", "id,name\n" + "".join(f"{i},name {i}\n" for i in range(300_000)))
        slow = ("--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1", "--stop-timeout", "1s")
        stopped = self.copy("big.csv", "shop.db:big", "--save", "big.json", "--max-duration", "1s", *slow)
        self.assertEqual(stopped.returncode, 1, stopped.stderr)
        self.assertRegex(stopped.stderr, "Run the same command again: it goes on from the last mark. Or give a longer --max-duration")
        saved = (self.folder / "big.json").read_text()
        again = self.copy("big.csv", "shop.db:big", "--save", "big.json")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn('--save: "big.json" holds this very job already', again.stderr)
        self.assertEqual((self.folder / "big.json").read_text(), saved)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT count(*), count(DISTINCT id) FROM big"), [(300_000, 300_000)])
        other = self.copy("big.csv", "shop.db:other", "--save", "big.json")
        self.assertEqual(other.returncode, 1)
        self.assertIn("is there already, with something else", other.stderr)

    def test_what_a_file_that_is_there_allows_is_what_is_advised(self):
        self.write("a.csv", "id,n\n1,a\n")
        self.assertEqual(self.copy("a.csv", "a.db:t").returncode, 0)
        self.assertEqual(self.copy("a.db:t", "out.csv").returncode, 0)
        again = self.copy("a.db:t", "out.csv")
        self.assertEqual(again.returncode, 1)
        self.assertIn('"out.csv" is there already: --replace', again.stderr)
        self.assertNotIn("--append", again.stderr)
        self.assertEqual(self.copy("a.db:t", "out.csv", "--replace").returncode, 0)

    def test_a_file_that_is_no_end_is_told_so_in_a_sentence(self):
        self.write("a.csv", "id,n\n1,a\n")
        self.write("a.csv.xz", lzma.compress(b"id,n\n1,a\n"))
        for code, source, target, text in (
                (2, "a.csv", "o.parquet", "files that end in .parquet are not supported"),
                (2, "a.csv", "o.csv.xz", "xz is not supported; give a name that ends in .gz"),
                (1, "a.csv", self.folder, "is a folder; name a file in it"),
                (2, "a.csv", "-", "standard output cannot be an end here"),
                (1, "a.csv.xz", "a.db:t", "xz is not supported; unpack the file first"),
                (1, "none.csv.xz", "a.db:t", "does not exist"),
                (1, self.folder, "a.db:t", "is a folder; name its files"),
                (2, "-", "a.db:t", "standard input cannot be an end here"),
                (2, "a.orc", "a.db:t", "files that end in .orc are not supported")):
            with self.subTest(source=source, target=target):
                ended = self.copy(source, target)
                self.assertEqual(ended.returncode, code, ended.stderr)
                self.assertIn(text, ended.stderr)
                self.assertNotIn("registry", ended.stderr)

    def test_a_missing_file_is_told_with_the_folder_it_was_looked_for_in(self):
        here = os.path.realpath(self.folder)
        for source, text in (("small.csv", f'The file "small.csv" does not exist in "{here}"'),
                             ("small.db:t", f'"small.db": there is no such file in "{here}"'),
                             ("small_*.csv", f'no file matches "small_*.csv" in "{here}"'),
                             (f"{here}/small.csv", "does not exist; check the path")):
            with self.subTest(source):
                self.assertIn(text, self.copy(source, "x.db:t").stderr)
        document = {"type": "job", "version": "2.0", "order": {"hops": [{"from": "Reader", "to": "Writer"}]},
                    "setting": {"speed": {"concurrent": 1, "throttle": False}},
                    "steps": [{"stepType": "text", "category": "reader", "name": "Reader", "parameter": {"path": ["small.csv"]}},
                              text_writer("o")]}
        self.assertIn(f'does not exist in "{here}"', self.sluice("check", self.put_job(document)).stdout)

    def test_a_date_format_without_dates_is_warned_of(self):
        self.write("a.csv", "id,day\n1,2024-01-31\n")
        self.assertEqual(self.copy("a.csv", "a.db:t").returncode, 0)
        reader = {"stepType": "sqlite", "category": "reader", "name": "Reader",
                  "parameter": {"jdbcUrl": "jdbc:sqlite:a.db", "table": "t", "column": ["id", "day"]}}
        path = self.put_job(job(reader, text_writer("o", dateFormat="dd.MM.yyyy")))
        warning = "dateFormat: has no effect, because none of the columns is a date, a timestamp or an instant (id int64, day utf8)"
        for command in ("check", "plan", "run"):
            more = ("--state-dir", self.state) if command == "run" else ()
            ended = self.sluice(command, path, *more)
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
            self.assertIn(warning, ended.stdout + ended.stderr)
            ended = self.sluice(command, path, "--strict", *more)
            self.assertNotEqual(ended.returncode, 0)
            self.assertRegex(ended.stdout + ended.stderr, r"dateFormat: has no effect.*\(--strict\)")


class KilledIntoFiles(ForetellTest):
    ROWS = 300_000

    def reader(self, rows=ROWS):
        source = self.write("in.csv", "".join(f"{i},name {i}\n" for i in range(rows)))
        return {"stepType": "text", "category": "reader", "name": "Reader", "parameter": {"path": [str(source)]}}

    def kill(self, document, ready):
        self.kill_once(ready, document, "--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1")

    def marks_stand(self):
        return self.rows_stand(self.folder / "o" / ".sluice-progress.db")

    def test_on_unfinished_fail_refuses_what_a_killed_run_has_left(self):
        document = json.dumps(job(self.reader(), text_writer(self.folder / "o", compress="zip", singleFileOutput=False)))
        self.kill(document, lambda: list((self.folder / "o").glob(".sluice-*")))
        refused = self.run_job(document, "--on-unfinished", "fail")
        self.assert_fails(refused, 1, "a run of this job is unfinished", "keeps no marks", "--on-unfinished fresh")
        self.assertEqual(list((self.folder / "o").glob("out*")), [])
        self.assert_succeeds(self.run_job(document))
        self.assertEqual(len(list((self.folder / "o").glob("out*"))), 1)
        self.assert_succeeds(self.run_job(document, "--on-unfinished", "fail"))

    def test_the_same_command_goes_on_behind_the_mark(self):
        for compress, unpack in (("", lambda path: path.read_text()), ("gzip", lambda path: gzip.decompress(path.read_bytes()).decode())):
            with self.subTest(compress=compress):
                out = self.folder / "o"
                document = json.dumps(job(self.reader(), text_writer(out, **({"compress": compress} if compress else {})), concurrent=2))
                self.kill(document, self.marks_stand)
                self.assertFalse((out / "out.csv").exists())
                refused = self.run_job(document, "--on-unfinished", "fail")
                self.assert_fails(refused, 1, "of this job is unfinished", "--on-unfinished resume continues it")
                ended = self.run_job(document)
                self.assert_succeeds(ended)
                self.assertTrue(ended.summary["resumed"])
                self.assert_account(ended, read=self.ROWS, written=self.ROWS)
                made = [p for p in out.iterdir() if not p.name.startswith(".sluice-progress")]
                self.assertEqual(len(made), 1, made)
                self.assertEqual(unpack(made[0]), (self.folder / "in.csv").read_text())
                for path in out.iterdir():
                    path.unlink()

    def test_what_nobody_has_seen_is_forgotten_unasked(self):
        out = self.folder / "o"
        document = json.dumps(job(self.reader(), text_writer(out)))
        self.kill(document, self.marks_stand)
        time.sleep(2.5)
        ended = self.run_job(document, "--resume-window", "1s")
        self.assert_succeeds(ended)
        self.assertRegex(ended.text, r"is forgotten, and the [0-9,]+ rows it has written, which nobody has seen, are removed")
        self.assertEqual((out / "out.csv").read_text(), (self.folder / "in.csv").read_text())
        (out / "out.csv").unlink()
        self.kill(document, lambda: any(".tmp" in p.name for p in out.iterdir()))
        changed = json.dumps(job(self.reader(), text_writer(out, fieldDelimiter="|")))
        ended = self.run_job(changed)
        self.assert_succeeds(ended)
        self.assertIn("before it was changed, had written nothing that anybody has seen and is forgotten", ended.text)
        self.assertTrue((out / "out.csv").read_text().startswith("0|name 0\n"))
        self.assertEqual([p.name for p in out.iterdir() if ".tmp" in p.name], [])


if __name__ == "__main__":
    unittest.main()
