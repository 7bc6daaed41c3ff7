"""What a run judges before it changes anything, and what it says about going on where it failed."""

import json
import sqlite3
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, job, sqlite_writer


def numbers_reader(*paths, **more):
    columns = [{"index": 0, "name": "id", "type": "long"}, {"index": 1, "name": "v", "type": "string"}]
    return {"stepType": "text", "category": "reader", "name": "Reader",
            "parameter": {"path": [str(p) for p in paths], "column": columns, **more}}


def table_reader(path, table="s", columns=("id", "v"), **more):
    return {"stepType": "sqlite", "category": "reader", "name": "Reader",
            "parameter": {"jdbcUrl": f"jdbc:sqlite:{path}", "table": table, "column": list(columns), **more}}


class BeforeDataTest(ProgramTest):
    def sluice(self, *arguments, **more):
        return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              cwd=self.folder, **more)

    def look(self, command, document):
        path = self.folder / "look.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return self.sluice(command, path)

    def count(self, path, table="t"):
        return self.rows(path, f"SELECT count(*) FROM {table}")[0][0]


class Expectations(BeforeDataTest):
    def test_an_expectation_that_the_source_fails_leaves_the_destination_as_it_is(self):
        one = self.write("one.csv", "1,a\n")
        source = self.make_table("CREATE TABLE s(id INTEGER PRIMARY KEY, v TEXT)", "source.db")
        db = sqlite3.connect(source)
        db.execute("INSERT INTO s VALUES (1, 'a')")
        db.commit()
        db.close()
        for name, reader in {"one file": numbers_reader(one),
                             "empty files": numbers_reader(self.write("e1.csv", ""), self.write("e2.csv", ""), one),
                             "a table": table_reader(source)}.items():
            with self.subTest(source=name):
                target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
                db = sqlite3.connect(target)
                db.execute("INSERT INTO t VALUES (7, 'kept')")
                db.commit()
                db.close()
                ended = self.run_job(job(reader, sqlite_writer(target, "t", ["id", "v"], preSql=["delete from t"]),
                                         expect={"min_records": 2}))
                self.assert_fails(ended, 1, "at least 2 records are expected, but the source has 1",
                                  "Nothing was changed at the destination.")
                self.assertEqual(self.rows(target, "SELECT * FROM t"), [(7, "kept")])
                target.unlink()


    def test_a_share_of_dirty_records_that_the_first_batch_shows_fails_before_presql(self):
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
        with sqlite3.connect(target) as db:
            db.execute("INSERT INTO t VALUES (7, 'kept')")
        db.close()
        writer = sqlite_writer(target, "t", ["id", "v"], preSql=["delete from t"])
        bad = numbers_reader(self.write("bad.csv", "x,a\n2,b\nz,c\n"))
        ended = self.run_job(job(bad, writer, expect={"max_dirty_ratio": 0.5}))
        self.assert_fails(ended, 1, "setting.expect.max_dirty_ratio", "2 of 3 records", "Nothing was changed at the destination.")
        self.assertEqual(self.rows(target, "SELECT * FROM t"), [(7, "kept")])
        self.assert_succeeds(self.run_job(job(bad, writer, expect={"max_dirty_ratio": 0.7})))
        self.assertEqual(self.rows(target, "SELECT * FROM t"), [(2, "b")])


class TablesToBeMade(BeforeDataTest):
    def test_a_table_that_is_missing_is_made_before_presql_needs_it(self):
        one = self.write("one.csv", "1,a\n2,b\n")
        for pre in (["delete from t"], ["create unique index i on t(id)"], ["drop table if exists t"],
                    ["drop table if exists t", "create table t(id integer primary key, v text)"]):
            with self.subTest(preSql=pre):
                target = self.folder / "made.db"
                target.unlink(missing_ok=True)
                document = job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"], createTable=True, preSql=pre))
                self.assertEqual(self.look("check", document).returncode, 0)
                self.assert_succeeds(self.run_job(document))
                if pre[0] != "create unique index i on t(id)":
                    self.assert_succeeds(self.run_job(document))
                self.assertEqual(self.rows(target, "SELECT * FROM t ORDER BY id"), [(1, "a"), (2, "b")])

    def test_copy_replace_makes_its_table_the_first_time(self):
        self.write("one.csv", "id,v\n1,a\n")
        for _ in range(2):
            ended = self.sluice("copy", "one.csv", "copied.db:t", "--replace", "--state-dir", self.state)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertEqual(self.rows(self.folder / "copied.db", "SELECT * FROM t"), [(1, "a")])


class Statements(BeforeDataTest):
    def test_a_statement_that_cannot_be_compiled_is_told_by_check_plan_and_run_alike(self):
        one = self.write("one.csv", "1,a\n")
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
        for steps, place in (({"preSql": ["delet from t"]}, "preSql[0]"), ({"postSql": ["anlyze x"]}, "postSql[0]"),
                             ({"preSql": ["insert into nowhere values(1)"]}, "preSql[0]")):
            document = job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"], **steps))
            for command in ("check", "plan"):
                ended = self.look(command, document)
                self.assertEqual(ended.returncode, 1, ended.stdout + ended.stderr)
                self.assertRegex(ended.stdout + ended.stderr, rf"look\.json:\d+:\d+ .*{place[:-3]}\[0\]: ")
                if command == "plan":
                    self.assertRegex(ended.stdout, r"(?m)^A run now +is refused: .*look\.json:\d+:")
            self.assert_fails(self.run_job(document), 1, place, "Nothing")
        self.assertEqual(self.rows(target, "SELECT name FROM sqlite_master"), [("t",)])

    def test_a_statement_that_fails_when_it_runs_says_what_to_do(self):
        one = self.write("one.csv", "1,a\n")
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT); ", "target.db")
        db = sqlite3.connect(target)
        db.execute("CREATE TABLE guard(x CHECK (x > 0))")
        db.commit()
        db.close()
        before = self.run_job(job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"],
                                                                     preSql=["insert into guard values(0)"])))
        self.assert_fails(before, 1, "Mend the cause and run it again: it goes on with the step before the data that failed; "
                                     "nothing is written yet.")
        behind = job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"], postSql=["insert into guard values(0)"]))
        self.assert_fails(self.run_job(behind), 1, "Mend the cause and run it again: all records are written, and it goes on "
                                                   "with the step behind the data that failed; postSql may be edited for that, "
                                                   "from that step on.")
        db = sqlite3.connect(target)
        db.execute("DROP TABLE guard")
        db.execute("CREATE TABLE guard(x)")
        db.commit()
        db.close()
        self.assert_succeeds(self.run_job(behind))
        self.assertEqual(self.count(target), 1)


class Marks(BeforeDataTest):
    def test_a_run_whose_marks_are_gone_is_not_begun_anew_unasked(self):
        bad = self.write("bad.csv", "".join(f"{i},a\n" for i in range(1000)) + "x,b\n")
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
        document = job(numbers_reader(bad), sqlite_writer(target, "t", ["id", "v"], postSql=["insert into g values(0)"],
                                                          preSql=["create table if not exists g(x check (x > 0))"]),
                       errors=5)
        self.assertEqual(self.run_job(document).code, 1)
        self.assertEqual(self.count(target), 1000)
        for command in ("DROP TABLE sluice_progress", "CREATE TABLE sluice_other(a)"):
            db = sqlite3.connect(target)
            db.execute(command)
            db.commit()
            db.close()
            self.assert_fails(self.run_job(document), 1, "its marks are gone from the destination", "--on-unfinished fresh")
            self.assertEqual(self.look("check", document).returncode, 1)
            self.assertEqual(self.count(target), 1000)


class Checks(BeforeDataTest):
    def test_check_refuses_what_a_run_would_refuse(self):
        one = self.write("one.csv", "1,a\n")
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
        db = sqlite3.connect(target)
        db.execute("CREATE TABLE g(x CHECK (x > 0))")
        db.commit()
        db.close()
        half = job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"], postSql=["insert into g values(0)"]))
        self.assertEqual(self.run_job(half, "--name", "half").code, 1)
        other = job(numbers_reader(one), sqlite_writer(target, "t", ["id", "v"], preSql=["SELECT 1"]))
        for command in ("check", "plan"):
            ended = self.look(command, other)
            self.assertEqual(ended.returncode, 1, ended.stdout)
            self.assertRegex(ended.stdout + ended.stderr, r"look\.json:\d+:\d+ .*is unfinished")
        self.assert_fails(self.run_job(other), 1, "is unfinished")

    def test_check_finds_a_split_key_that_the_dialect_refuses(self):
        source = self.make_table("CREATE TABLE s(id TEXT, v TEXT)", "source.db")
        db = sqlite3.connect(source)
        db.execute("INSERT INTO s VALUES ('a', 'b')")
        db.commit()
        db.close()
        target = self.make_table("CREATE TABLE t(id TEXT, v TEXT)", "target.db")
        content = [{"reader": {"name": "sqlitereader",
                               "parameter": {"connection": [{"jdbcUrl": [f"jdbc:sqlite:{source}"], "table": ["s"]}],
                                             "column": ["id", "v"], "splitPk": "id"}},
                    "writer": {"name": "sqlitewriter",
                               "parameter": {"connection": [{"jdbcUrl": f"jdbc:sqlite:{target}", "table": ["t"]}],
                                             "column": ["id", "v"]}}}]
        for channel, code in ((4, 1), (1, 0)):
            document = {"job": {"setting": {"speed": {"channel": channel}}, "content": content}}
            ended = self.look("check", document)
            self.assertEqual(ended.returncode, code, ended.stdout)
            self.assertEqual("expected integers only" in ended.stdout, code == 1, ended.stdout)
            self.assertEqual(self.run_job(document).code, code)


class AwaitedFiles(BeforeDataTest):
    def test_a_run_says_what_it_waits_for_and_check_and_plan_do_not_wait(self):
        mark = self.folder / "day.done"
        document = job(numbers_reader(self.write("n.csv", "1,a\n2,b\n"), markDoneFileName=str(mark)),
                       sqlite_writer(self.make_table("CREATE TABLE t (id INTEGER, v TEXT)"), "t", ["id", "v"]))
        for command in ("check", "plan"):
            looked = self.look(command, document)
            self.assertEqual(looked.returncode, 0, looked.stdout + looked.stderr)
            self.assertRegex(looked.stdout + looked.stderr,
                             r'markDoneFileName: the file ".*day\.done" is not there yet; a run waits for it, '
                             r"for up to 60 minutes \(maxRetryTime\)")
        child = subprocess.Popen(self.arguments(document, "--report-interval", "1s"), stderr=subprocess.PIPE, text=True,
                                 cwd=self.folder)
        self.addCleanup(child.kill)
        self.assertRegex(child.stderr.readline(), r'markDoneFileName: waits for the file ".*day\.done", for up to 60')
        # Lines of progress come between, where the machine is slow.
        told = next(line for line in child.stderr if "rows/s" not in line)
        self.assertRegex(told, r"waits for the file .*; \d+\.\d s so far")
        mark.touch()
        rest = child.communicate(timeout=60)[1]
        self.assertEqual(child.returncode, 0, rest)
        self.assertEqual(self.count(self.folder / "orders.db"), 2)
        self.assertIn("is there, which a run would wait for", self.look("plan", document).stdout)


class Values(BeforeDataTest):
    def test_what_has_no_unit_of_time_is_refused_and_empty_texts_become_null_in_columns_of_times(self):
        target = self.make_table("CREATE TABLE t(id INTEGER, v DATETIME)", "target.db")
        reader = numbers_reader(self.write("one.csv", "1,1\n"))
        for kind in ("long", "double", "boolean"):
            reader["parameter"]["column"][1]["type"] = kind
            document = job(reader, sqlite_writer(target, "t", ["id", "v"]))
            self.assert_fails(self.run_job(document), 1, "column[1]", "no")
            self.assertEqual(self.look("check", document).returncode, 1)
        texts = numbers_reader(self.write("texts.csv", "1,\n2,2024-02-29 00:00:00\n"))
        self.assert_succeeds(self.run_job(job(texts, sqlite_writer(target, "t", ["id", "v"], emptyAsNull=True))))
        self.assertEqual(self.rows(target, "SELECT * FROM t ORDER BY id"), [(1, None), (2, "2024-02-29 00:00:00")])

    def test_a_refused_row_of_a_table_is_found_by_its_key(self):
        source = self.make_table("CREATE TABLE s(id INTEGER PRIMARY KEY, v TEXT)", "source.db")
        db = sqlite3.connect(source)
        db.executemany("INSERT INTO s VALUES (?, ?)", [(5, "1"), (9, "x"), (12, "2"), (14, "1")])
        db.commit()
        db.close()
        target = self.make_table("CREATE TABLE t(v INTEGER UNIQUE)", "target.db")
        ended = self.run_job(job(table_reader(source, columns=["v"]), sqlite_writer(target, "t", ["v"]), errors=5))
        self.assert_succeeds(ended)
        found = sorted((d["side"], d["source"], d["key"]) for d in self.dirty())
        self.assertEqual(found, [("channel", "s", "id=9"), ("writer", "s", "id=14")])
        self.assertIn("s id=9", ended.err)
        self.assertIn("column v", ended.err)

    def test_a_path_cannot_write_to_the_terminal(self):
        path = self.write("e\n\x1b[31m.csv", "x,1\n")
        target = self.make_table("CREATE TABLE t(id INTEGER, v TEXT)", "target.db")
        ended = self.run_job(job(numbers_reader(path), sqlite_writer(target, "t", ["id", "v"]), errors=0))
        self.assert_fails(ended, 1, "\\x1b[31m.csv line 1")
        self.assertNotIn("\x1b[31m.csv", ended.text)
        for log in self.state.rglob("run.log"):
            self.assertNotIn("\x1b", log.read_text(encoding="utf-8"))


class Memory(BeforeDataTest):
    RECORD = 60_000_000
    PIPELINES = 16

    def large_files(self):
        """As many files as pipelines, which are one on the disk."""
        first = self.folder / "large0.csv"
        with first.open("w") as file:
            file.write("1," + "x" * self.RECORD + "\n")
        paths = [first, *(self.folder / f"large{i}.csv" for i in range(1, self.PIPELINES))]
        for path in paths[1:]:
            path.hardlink_to(first)
        return numbers_reader(*paths)

    def large_random(self):
        return {"stepType": "stream", "category": "reader", "name": "Reader",
                "parameter": {"column": [{"type": "string", "random": f"{self.RECORD},{self.RECORD}"}], "sliceRecordCount": 1}}

    def test_sixteen_pipelines_of_large_records_stay_within_the_budget_plus_four_of_them(self):
        for reader in (self.large_files(), self.large_random()):
            with self.subTest(reader["stepType"]):
                writer = {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}
                ended, peak = self.run_measured(job(reader, writer, concurrent=self.PIPELINES), "--memory", "160M")
                self.assert_succeeds(ended)
                bound = (160 << 20) + 4 * self.RECORD
                summary = ended.summary
                self.assertEqual(summary["written"], self.PIPELINES)
                self.assertEqual(summary["concurrency"]["peak"], self.PIPELINES)
                self.assertLessEqual(summary["memory"]["held_bytes_peak"], bound)
                self.assertLess(peak, bound + 40 * 1024 * 1024)


class Json(BeforeDataTest):
    def test_a_reader_of_the_output_that_goes_away_is_named_and_not_waited_for(self):
        printing = job({"stepType": "stream", "category": "reader", "name": "Reader",
                        "parameter": {"column": [{"value": "x"}], "sliceRecordCount": 1_000_000}},
                       {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {}})
        with subprocess.Popen(self.arguments(printing), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=self.folder) as run:
            run.stdout.readline()
            run.stdout.close()
            told = run.stderr.read()
        self.assertEqual(run.returncode, 1)
        self.assertIn("Whoever read the standard output went away before the end.", told)

    def test_records_and_summary_never_share_standard_output(self):
        printing = {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {}}
        ended = self.run_job(job(numbers_reader(self.write("one.csv", "1,a\n")), printing), "--json")
        self.assert_fails(ended, 2, "--json prints nothing but the summary", "--summary FILE")
        json.loads(ended.out)
        printing["parameter"]["print"] = False
        self.assert_succeeds(self.run_job(job(numbers_reader(self.folder / "one.csv"), printing), "--json"))


if __name__ == "__main__":
    unittest.main()
