"""The mode `datax`: what the reader of text files changes, where it is told, and what a continued run counts."""

import json
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job, sqlite_writer

COLUMNS = [("id", "LONG", None), ("n", "LONG", None), ("day", "DATE", "yyyy-MM-dd"), ("at", "DATE", None)]


def text_reader(path, **more):
    return {"stepType": "text", "category": "reader", "name": "Reader",
            "parameter": {"path": [str(path)], "nullFormat": "",
                          "column": [{"index": i, "name": name, "type": kind, **({"format": form} if form else {})}
                                     for i, (name, kind, form) in enumerate(COLUMNS)], **more}}


class Compat(ProgramTest):
    def table(self, name="t.db"):
        return self.make_table("CREATE TABLE t(id INTEGER, n INTEGER, day TEXT, at TEXT)", name)

    def into(self, database):
        return sqlite_writer(database, "t", [name for name, _, _ in COLUMNS])

    def changes(self, ended):
        return {(c["column"], c["rule"]): c["count"] for c in ended.summary["changes"]}

    def test_the_reader_changes_what_datax_s_reader_changes_and_counts_it(self):
        source = self.write("in.csv", "1,12.5,2025-01-02,2025-01-02 10:11:12\n"
                                      "2,-0.9,2025-02-30,2025-01-02 10:11:12.987\n"
                                      "3,3,2025-01-02 10:11:12,20250102\n"
                                      "4,4.0,2025-1-2,2025-01-02 10:11:12+02:00\n"
                                      "5,,,\n"
                                      "x,6.5,2025-01-02,20250102\n"
                                      "7,seven,2025-01-02,20250102\n"
                                      "8,8,0000-00-00,20250102\n")
        changed = [(1, 12, "2025-01-02 00:00:00", "2025-01-02 10:11:12"),
                   (2, 0, "2025-03-02 00:00:00", "2025-01-02 10:11:12"),
                   (3, 3, "2025-01-02 00:00:00", "2025-01-02 00:00:00"),
                   (4, 4, "2025-01-02 00:00:00", "2025-01-02 10:11:12"),
                   (5, None, None, None)]
        counts = {("n", "fraction_cut"): 2, ("day", "carried_over"): 1, ("day", "time_cut"): 1,
                  ("day", "other_digits"): 1, ("at", "second_fraction_cut"): 1, ("at", "text_cut"): 1}
        for mode, rows, dirty, wanted in (("datax", changed, 3, counts), ("exact", changed[4:], 7, {})):
            database = self.table(f"{mode}.db")
            document = job(text_reader(source), self.into(database))
            planned = subprocess.run([PROGRAM, "plan", self.arguments(document)[2], "--compat", mode],
                                     capture_output=True, text=True, cwd=self.folder, timeout=60)
            self.assertEqual(planned.returncode, 0, planned.stderr)
            checked = subprocess.run([PROGRAM, "check", self.arguments(document)[2], "--compat", mode],
                                     capture_output=True, text=True, cwd=self.folder, timeout=60)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            ended = self.run_job(document, "--name", mode, "--compat", mode)
            self.assert_succeeds(ended)
            self.assert_account(ended, read=8, written=len(rows), dirty=dirty)
            self.assertEqual(self.rows(database, "SELECT * FROM t ORDER BY id"), rows)
            self.assertEqual(self.changes(ended), wanted)
            for text in (planned.stdout, checked.stdout, ended.text):
                self.assertEqual("fraction_cut" in text, mode == "datax", text)
                self.assertEqual("carried_over" in text, mode == "datax", text)
            if mode == "datax":
                self.assertIn("runs with differences", checked.stdout)
                self.assertIn("7 values were changed as DataX changes them", ended.err.splitlines()[-1])
                self.assertIn("n fraction_cut 2", ended.err.splitlines()[-1])

    def test_json_lines_and_a_destination_that_takes_what_comes_are_told_of_too(self):
        source = self.write("in.jsonl", '{"n": 1.5}\n{"n": "2.5"}\n{"n": 3}\n')
        out = self.folder / "out"
        document = job({"stepType": "json", "category": "reader", "name": "Reader",
                        "parameter": {"path": [str(source)], "column": [{"name": "n", "type": "LONG"}]}},
                       {"stepType": "csv", "category": "writer", "name": "Writer",
                        "parameter": {"path": str(out), "fileName": "x"}}, compat="datax")
        path = self.arguments(document)[2]
        for command in ("plan", "check"):
            told = subprocess.run([PROGRAM, command, path], capture_output=True, text=True, cwd=self.folder, timeout=60)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn("fraction_cut", told.stdout, command)
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertEqual("".join(p.read_text() for p in out.iterdir()), "1\n2\n3\n")
        self.assertEqual([(c["column"], c["rule"], c["count"]) for c in ended.summary["changes"]],
                         [("n", "fraction_cut", 2)])

    def test_a_killed_run_that_is_continued_counts_what_all_its_processes_changed(self):
        lines = 210_000  # of 32 record bytes: several seconds at 1 MiB a second
        source = self.write("in.csv", "".join(f"{i},{'1.5' if i % 2 else '2'},2025-{'1' if i % 3 else '01'}-02,20250230\n"
                                              for i in range(lines)))
        counts = {("n", "fraction_cut"): lines // 2, ("day", "other_digits"): lines - lines // 3,
                  ("at", "carried_over"): lines}
        whole = self.run_job(job(text_reader(source), self.into(self.table("whole.db")), compat="datax"), "--name", "whole")
        self.assert_succeeds(whole)
        self.assertEqual(self.changes(whole), counts)

        database = self.table("killed.db")
        document = job(text_reader(source), self.into(database), compat="datax")
        slow = json.loads(json.dumps(document))
        slow["setting"]["speed"] = {"concurrent": 1, "throttle": True, "mbps": 1}
        self.kill_once(lambda: self.rows_stand(database), slow)
        before = self.rows(database, "SELECT changes FROM sluice_progress")[0][0]
        self.assertIn("1:fraction_cut=", before)
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assert_account(ended, read=lines, written=lines)
        self.assertEqual(self.changes(ended), counts)
        self.assertIn(f"{sum(counts.values()):,} values were changed", ended.err.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
