"""The files of a job's two ends: a job that would change its own source, and a source that is mended between two runs."""

import gzip
import os
import shutil
import subprocess

from e2e.harness import PROGRAM, ProgramTest, job, sqlite_writer

ROWS = 400_000


def text_reader(*paths, **more):
    return {"stepType": "text", "category": "reader", "name": "Reader", "parameter": {"path": [str(p) for p in paths], **more}}


def text_writer(folder, name, **more):
    return {"stepType": "text", "category": "writer", "name": "Writer",
            "parameter": {"path": str(folder), "fileName": name, **more}}


class OwnSource(ProgramTest):
    def assert_refused(self, document, *texts):
        path = self.folder / "job.json"
        ended = self.run_job(document)
        self.assert_fails(ended, 1, "job.json:", "steps[1]", *texts)
        self.assertEqual(ended.summary["error"]["kind"], "bad_option")
        for command in ("check", "plan"):
            done = subprocess.run([PROGRAM, command, path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn(texts[0], done.stdout + done.stderr)

    def test_a_writer_that_would_remove_its_source_is_refused(self):
        (self.folder / "src").mkdir()
        source = self.write("src/n.csv", "1\n2\n")
        self.assert_refused(job(text_reader(source), text_writer(self.folder / "src", "n")), "would be removed")
        self.assertEqual(source.read_text(), "1\n2\n")

    def test_a_writer_that_would_replace_its_source_is_refused_by_whatever_name(self):
        source = self.write("n.csv", "1\n2\n")
        link = self.folder / "link.csv"
        link.symlink_to(source)
        self.assert_refused(job(text_reader(link), text_writer(self.folder, "n.csv", singleFileOutput=True)), "would be replaced")
        os.link(source, self.folder / "hard.csv")
        self.assert_refused(job(text_reader(source), text_writer(self.folder, "hard.csv", singleFileOutput=True)), "would be replaced")
        self.assertEqual(source.read_text(), "1\n2\n")

    def test_a_database_read_as_text_is_refused(self):
        database = self.make_table("CREATE TABLE t (a)")
        self.assert_refused(job(text_reader(database), sqlite_writer(database, "t", ["a"])), "would be written to")

    def test_a_pattern_that_meets_the_jobs_output_is_warned_of(self):
        (self.folder / "src").mkdir()
        self.write("src/a.csv", "1\n")
        ended = self.run_job(job(text_reader(self.folder / "src" / "*"), text_writer(self.folder / "src", "n", writeMode="append")))
        self.assert_succeeds(ended)
        self.assertIn("would read its own output", ended.text)
        elsewhere = self.run_job(job(text_reader(self.folder / "src" / "a*"), text_writer(self.folder / "src", "n")))
        self.assertNotIn("its own output", elsewhere.text)


class MendedSource(ProgramTest):
    def setUp(self):
        super().setUp()
        self.database = self.make_table("CREATE TABLE t (id INTEGER)")
        self.source = self.folder / "ids.gz"
        self.whole = gzip.compress("".join(f"{i}\n" for i in range(ROWS)).encode(), 1)

    def ids(self):
        return job(text_reader(self.source, compress="gzip", column=[{"index": 0, "type": "long", "name": "id"}]),
                   sqlite_writer(self.database, "t", ["id"]))

    def half(self):
        self.source.write_bytes(self.whole[: len(self.whole) // 2])
        ended = self.run_job(self.ids())
        self.assert_fails(ended, 1, "is cut short", "Get the whole file and run again")
        self.assertGreater(ended.summary["written"], 0)
        return ended.summary["written"]

    def count(self):
        return self.rows(self.database, "SELECT count(*), count(DISTINCT id) FROM t")[0]

    def test_a_file_that_was_cut_short_goes_on_once_it_is_whole(self):
        self.half()
        self.source.write_bytes(self.whole)
        ended = self.run_job(self.ids())
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS)
        self.assertEqual(self.count(), (ROWS, ROWS))

    def test_another_file_is_refused_with_what_a_fresh_start_would_do(self):
        written = self.half()
        self.source.write_bytes(gzip.compress("".join(f"{i}\n" for i in range(1, ROWS)).encode(), 1))
        ended = self.run_job(self.ids())
        self.assert_fails(ended, 1, "job.json:", "content before that differs", f"{written:,} rows are written already",
                          "inserting them again doubles them")
        self.assertNotIn("Nothing was changed", ended.text)
        self.assertEqual(self.count(), (written, written))
        fresh = self.run_job(self.ids(), "--on-unfinished", "fresh")
        self.assert_succeeds(fresh)
        self.assertIn(f"the {written:,} rows it has written stay", fresh.text)

    def test_a_copy_of_a_plain_file_goes_on(self):
        plain = self.write("ids.csv", "".join(f"{i}\n" for i in range(ROWS)) + "bad\n" + "".join(f"{i}\n" for i in range(ROWS, 2 * ROWS)))
        document = job(text_reader(plain, column=[{"index": 0, "type": "long", "name": "id"}]),
                       sqlite_writer(self.database, "t", ["id"]), errors=0)
        self.assert_fails(self.run_job(document), 1, "errorLimit")
        copy = self.folder / "copy.csv"
        shutil.copy(plain, copy)
        os.replace(copy, plain)
        document["setting"]["errorLimit"]["record"] = 1
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertEqual(self.count(), (2 * ROWS, 2 * ROWS))
