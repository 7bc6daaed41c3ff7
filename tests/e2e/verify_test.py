"""`sluice verify` and `setting.verify`: what is compared, what is named, and what only looks different."""

import json
import os
import signal
import sqlite3
import subprocess
import time
import unittest
from pathlib import Path

from e2e.harness import PROGRAM, ProgramTest, job

ROWS = 1_000_000


class Verify(ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.folder / "source.db"
        self.target = self.folder / "target.db"

    def end(self, category, file, table, **more):
        return {"stepType": "sqlite", "category": category, "name": category.title(),
                "parameter": {"jdbcUrl": f"jdbc:sqlite:{file}", "table": table, "column": ["*"], **more}}

    def make(self, sql, target=None):
        for file, script in ((self.source, sql), (self.target, target or sql.split(";")[0])):
            with sqlite3.connect(file) as db:
                db.executescript(script)
            db.close()

    def change(self, sql, file=None):
        with sqlite3.connect(file or self.target) as db:
            db.executescript(sql)
        db.close()

    def copy(self, reader=None, **more):
        return job(self.end("reader", self.source, "t", **(reader or {})), self.end("writer", self.target, "t", **more))

    def verify(self, document, *flags):
        path = self.write("verify.json", json.dumps(document))
        return subprocess.run([str(PROGRAM), "verify", str(path), "--state-dir", str(self.state), *flags], capture_output=True, text=True,
                              timeout=120, cwd=self.folder)

    def compared(self, document, *flags, code):
        ended, found = self.verified(document, *flags)
        self.assertEqual(ended, code, found)
        return found

    SMALL = ("CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT);"
             "INSERT INTO t WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 5000) SELECT n, 'd' || (n % 3), 'value ' || n FROM i")

    def test_the_row_in_which_one_byte_was_flipped_is_named_among_a_million(self):
        self.make(self.SMALL.replace("5000", str(ROWS)))
        document = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(document))
        self.assertEqual(self.compared(document, code=0)["verdict"], "equal")
        self.change("UPDATE t SET v = 'valu' || char(101 + 1) || ' 654321' WHERE id = 654321")
        found = self.compared(document, code=1)
        self.assertEqual(found["verdict"], "different")
        self.assertEqual([found[n] for n in ("different", "missing", "extra")], [1, 0, 0])
        self.assertEqual(found["differences"], [
            {"what": "different", "record": "id=654321", "source_times": 1, "destination_times": 1, "refused_as": None,
             "values": [{"column": "v", "source": "value 654321", "destination": "valuf 654321"}]}])
        self.assertEqual(found["source"]["records"], ROWS)
        self.assertNotEqual(found["source"]["sum"], found["destination"]["sum"])

    def test_what_is_missing_extra_or_different_is_named_by_its_key_up_to_a_number(self):
        self.make(self.SMALL)
        document = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(document))
        self.change("DELETE FROM t WHERE id = 7; INSERT INTO t VALUES (9999, NULL, NULL); UPDATE t SET v = NULL, day = '' WHERE id = 3000")
        done = self.verify(document)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("scope whole", done.stdout)
        self.assertIn("Records are known by: id\n", done.stdout)
        self.assertEqual(done.stdout.split("(canonical/1)\n")[-1],
                         "missing    id=7\ndifferent  id=3000\n"
                         "           day: \"d0\" at the source, \"\" at the destination\n"
                         "           v: \"value 3000\" at the source, NULL at the destination\n"
                         "extra      id=9999\n"
                         "Not equal: 1 different, 1 missing, 1 extra. The source is as the run has read it.\n")
        self.change("UPDATE t SET v = 'x'")
        found = self.compared(document, "--max-differences", "5", code=1)
        self.assertEqual(len(found["differences"]), 5)
        self.assertGreaterEqual(found["different"], 5)
        self.assertEqual(self.compared(document, "--memory", "32M", "--max-differences", "100000", code=1)["different"], 4999)

    def test_without_a_key_records_are_known_by_all_their_values_and_how_often_they_are_there(self):
        self.make("CREATE TABLE t(v TEXT, n INTEGER); INSERT INTO t VALUES ('a', 1), ('a', 1), ('a', 1), (NULL, 2), ('', 2)")
        document = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(document))
        self.assertEqual(self.compared(document, code=0)["key"], "")
        self.change("DELETE FROM t WHERE rowid IN (SELECT rowid FROM t WHERE v = 'a' LIMIT 2); UPDATE t SET v = '' WHERE v IS NULL")
        found = self.compared(document, code=1)
        self.assertEqual({(d["what"], d["record"], d["source_times"], d["destination_times"]) for d in found["differences"]},
                         {("missing", "v=a, n=1", 2, 0), ("missing", "v=NULL, n=2", 1, 0), ("extra", "v=, n=2", 0, 1)})

    def test_the_scope_is_what_the_job_does_to_its_destination(self):
        self.make(self.SMALL)
        whole = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(whole))
        of_day = self.copy({"where": "day = 'd1'"}, writeMode="replace")
        self.assert_succeeds(self.run_job(of_day))
        self.assertEqual(self.compared(of_day, code=0)["scope"], "where")
        self.change("INSERT INTO t VALUES (9001, 'd1', 'old'), (9002, 'd2', 'other')")
        found = self.compared(of_day, code=1)
        self.assertEqual([d["record"] for d in found["differences"]], ["id=9001"])
        found = self.compared(of_day, "--scope", "keys", code=0)
        self.assertEqual((found["others"], found["scope"]), (5002 - 1667, "keys"))
        self.assertEqual(self.compared(whole, "--scope", "counts", code=1)["extra"], 2)
        planned = self.compared(of_day, "--plan", code=0)
        self.assertEqual((planned["verdict"], planned["source"]["records"]), ("planned", 0))
        self.assertIn("where chooses at both ends", planned["proves"])
        # A column that the job does not write cannot be asked for there.
        self.change("ALTER TABLE t ADD COLUMN changed INTEGER DEFAULT 1", self.source)
        there = self.copy({"where": "changed = 1", "column": ["id", "day", "v"]}, writeMode="replace")
        found = self.compared(there, code=0)
        self.assertEqual(found["scope"], "keys")
        self.assertIn('The job\'s "where" cannot be asked of the destination', found["notes"][0])

    def test_of_records_that_share_a_key_the_mode_says_what_must_stand(self):
        self.make("CREATE TABLE t(id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'a'), (1, 'b'), (2, 'c')",
                  "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (2, 'old')")
        ignoring = self.copy(writeMode="ignore")
        self.assert_succeeds(self.run_job(ignoring))
        self.assertIn("not its values", self.compared(ignoring, code=0)["proves"])
        replacing = self.copy(writeMode="replace")
        self.assert_succeeds(self.run_job(replacing))
        self.assertEqual(self.compared(replacing, code=0)["verdict"], "equal")
        self.change("UPDATE t SET v = 'z' WHERE id = 1")
        self.assertEqual([d["record"] for d in self.compared(replacing, code=1)["differences"]], ["id=1"])

    def test_what_the_run_has_refused_is_told_apart_from_what_is_lost(self):
        self.make(self.SMALL, "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT CHECK(id <> 17)); INSERT INTO t VALUES (99999, '', '')")
        document = self.copy()
        document["setting"]["errorLimit"] = {"record": 5}
        self.assertEqual(self.run_job(document).summary["dirty"], 1)
        found = self.compared(document, code=0)
        self.assertEqual(found["verdict"], "equal_to_run", "the destination is as the run has written it")
        self.change("UPDATE t SET v = 'x' WHERE id = 99999")
        found = self.compared(document, code=0)
        self.assertEqual(found["differences"][0]["refused_as"], "SQLITE_CONSTRAINT_CHECK")
        self.change("DELETE FROM t WHERE id = 18")
        found = self.compared(document, code=1)
        self.assertEqual([(d["record"], d["refused_as"]) for d in found["differences"]],
                         [("id=17", "SQLITE_CONSTRAINT_CHECK"), ("id=18", None)])

    def test_however_many_records_were_refused_none_is_held_and_the_last_is_told(self):
        self.make(self.SMALL, "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT CHECK(id <> 17)); INSERT INTO t VALUES (99999, '', '')")
        document = self.copy()
        document["setting"]["errorLimit"] = {"record": 5}
        ended = self.run_job(document)
        self.assertEqual(ended.summary["dirty"], 1)
        self.change("UPDATE t SET v = 'x' WHERE id = 99999; DELETE FROM t WHERE id = 18; INSERT INTO t VALUES (18, 'd0', 'value 18')")
        file = Path(ended.summary["dirty_file"])
        mine = file.read_text()
        other = json.dumps({"side": "writer", "code": "X", "record": [{"name": "id", "text": "0"}, {"name": "day", "text": "d"}, {"name": "v", "text": "v" * 1500}]}) + "\n"
        with open(file, "w", encoding="utf-8") as out:
            for _ in range(120):
                out.write(other * 1000)
            out.write(mine)
        path = self.write("verify.json", json.dumps(document))
        child = ("import resource, subprocess, sys\nsubprocess.run(sys.argv[1:])\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)")
        done = subprocess.run(["python3", "-B", "-c", child, str(PROGRAM), "verify", str(path), "--json", "--no-progress", "--memory", "32M", "--state-dir", str(self.state)],
                              capture_output=True, text=True, timeout=300, cwd=self.folder)
        found = json.loads(done.stdout)
        self.assertEqual([(d["record"], d["refused_as"]) for d in found["differences"]], [("id=17", "SQLITE_CONSTRAINT_CHECK")])
        self.assertLess(int(done.stderr.split()[-1]), 120 * 1024)

    def test_a_row_that_is_gone_is_never_taken_for_one_that_was_refused(self):
        self.make("CREATE TABLE t(id INTEGER, v TEXT); INSERT INTO t VALUES (1, 'stands'), (1, 'refused'), (2, 'c')",
                  "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (7, 'other')")
        document = self.copy()
        document["setting"]["errorLimit"] = {"record": 5}
        self.assertEqual(self.run_job(document).summary["dirty"], 1)
        found = self.compared(document, code=0)
        self.assertEqual((found["verdict"], found["differences"][0]["refused_as"]), ("equal_to_run", "SQLITE_CONSTRAINT_PRIMARYKEY"))
        self.change("DELETE FROM t WHERE id = 1")
        found = self.compared(document, code=1)
        self.assertEqual((found["verdict"], found["missing"]), ("different", 2))
        # What a text cannot be made of is not in what is called equal.
        self.change("DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER)")
        self.change("DROP TABLE t; CREATE TABLE t(id INTEGER, v INTEGER); INSERT INTO t VALUES (1, 5), (2, 'no number')", self.source)
        self.assertEqual(self.run_job(document).summary["dirty"], 1)
        found = self.compared(document, code=0)
        self.assertEqual((found["verdict"], found["source"]["not_compared"]), ("equal_to_run", 1))
        self.assertEqual(self.compared(document, "--against", "source", code=1)["verdict"], "different")

    def test_a_run_tells_of_its_own_parameters_alone_and_only_where_it_was_the_last(self):
        self.make(self.SMALL)
        document = self.copy({"where": "day = '${day}'"}, preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(document, "-p", "day=d1"))
        self.assertEqual(self.compared(document, "-p", "day=d1", code=0)["verdict"], "equal")
        found = self.compared(document, "-p", "day=d2", code=1)
        self.assertEqual((found["verdict"], found["run"]), ("different", None))
        whole = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(whole))
        self.change("INSERT INTO t VALUES (6000, 'd1', 'new')", self.source)
        self.assertEqual(self.compared(whole, code=0)["verdict"], "equal_to_run")
        self.change("CREATE TRIGGER refuses BEFORE INSERT ON t WHEN new.id = 6000 BEGIN SELECT RAISE(ABORT, 'no'); END")
        whole["steps"][1]["parameter"]["preSql"] = []
        whole["steps"][1]["parameter"]["writeMode"] = "replace"
        whole["setting"]["errorLimit"] = {"record": 0}
        self.assertNotEqual(self.run_job(whole).code, 0)
        self.assertEqual(self.compared(whole, code=1)["verdict"], "different")

    def test_a_key_that_several_rows_share_is_refused_where_one_row_stands_for_a_key(self):
        self.make(self.SMALL)
        document = self.copy(writeMode="replace")
        self.assert_succeeds(self.run_job(document))
        done = self.verify(document, "--key", "day")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("several rows of the destination may share it", done.stderr)

    def test_fields_beyond_the_last_column_of_a_file_are_a_difference(self):
        self.make(self.SMALL.replace("5000", "3"))
        document = job(self.end("reader", self.source, "t"), {"stepType": "text", "category": "writer", "name": "Writer", "parameter": {
            "path": str(self.folder / "out"), "fileName": "rows", "singleFileOutput": True}})
        self.assert_succeeds(self.run_job(document))
        self.assertEqual(self.compared(document, code=0)["verdict"], "equal")
        file = self.folder / "out" / "rows"
        file.write_text(file.read_text().replace("value 2", "value 2,more"))
        found = self.compared(document, code=1)
        self.assertEqual((found["verdict"], found["destination"]["not_compared"]), ("different", 1))

    def test_a_source_that_lives_on_is_compared_with_what_was_read_of_it(self):
        self.make(self.SMALL)
        document = self.copy(preSql=["DELETE FROM t"])
        self.assert_succeeds(self.run_job(document))
        self.change("UPDATE t SET v = 'newer' WHERE id = 5", self.source)
        found = self.compared(document, code=0)
        self.assertEqual(found["verdict"], "equal_to_run")
        self.assertEqual(found["run"], self.summary()["run"])
        self.assertEqual([d["record"] for d in found["differences"]], ["id=5"])
        self.assertEqual(self.compared(document, "--against", "source", code=1)["verdict"], "different")

    def test_where_a_run_has_kept_its_rows_what_only_the_source_has_changed_is_told_apart(self):
        others = "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT); INSERT INTO t VALUES (7001, 'd0', 'other'), (7002, 'd0', 'other')"
        empty = "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT)"
        changes = "UPDATE t SET v = 'newer' WHERE id = 5; DELETE FROM t WHERE id = 6; INSERT INTO t VALUES (6000, 'd0', 'came')"
        for target, options in ((others, {}), (empty, {}), (empty, {"preSql": ["DELETE FROM t"]}), (others, {"writeMode": "replace"}), (others, {"writeMode": "ignore"})):
            with self.subTest(target=target[-20:], options=options):
                for file in (self.source, self.target):
                    file.unlink(missing_ok=True)
                self.make(self.SMALL, target)
                document = self.copy(**options)
                document["setting"]["verify"] = True
                self.assertEqual(self.run_job(document).summary["verify"]["verdict"], "equal")
                self.change(changes, self.source)
                found = self.compared(document, code=0)
                ignores = options.get("writeMode") == "ignore"  # of these no values are compared
                whole = "preSql" in options
                self.assertEqual((found["verdict"], found["changed_since"], found["source_as_read"], found["differences"]),
                                 ("equal_to_run", 1 if ignores else 3 if whole else 2, False, []))
                self.assertEqual(self.compared(document, "--against", "source", code=1)["changed_since"], 0)
                if ignores:
                    self.change("DELETE FROM t WHERE id = 7")
                    found = self.compared(document, code=1)
                    self.assertEqual(([d["record"] for d in found["differences"]], found["changed_since"]), (["id=7"], 1))
                    continue
                self.change("UPDATE t SET v = 'x' WHERE id = 7; UPDATE t SET v = 'y' WHERE id = 5")
                found = self.compared(document, code=1)
                self.assertEqual(([d["record"] for d in found["differences"]], found["gone"]), (["id=5", "id=7"], None if whole else 2))
                self.assertEqual("2 records stand there no more" in self.verify(document).stdout, not whole)
                self.change("UPDATE t SET v = 'value ' || id WHERE id IN (5, 7)")
                self.assertEqual(self.compared(document, code=0)["verdict"], "equal_to_run")
                # Gone at both ends.
                self.change("DELETE FROM t WHERE id = 6")
                if options.get("writeMode") != "replace":
                    found = self.compared(document, code=1)
                    self.assertEqual((found["gone"], found["differences"]), (1, []))
                    self.assertIn("1 record stands there no more", self.verify(document).stdout)

    def test_a_run_that_goes_on_keeps_the_rows_of_both_its_processes(self):
        self.make(self.SMALL.replace("5000", "300000"), "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT); INSERT INTO t VALUES (999999, '', 'other')")
        document = self.copy()
        document["setting"] |= {"verify": True, "speed": {"concurrent": 1, "throttle": True, "mbps": 1}}
        self.kill_once(lambda: self.rows_stand(self.target), document)
        document["setting"]["speed"] = {"concurrent": 1}
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(ended.summary["verify"]["verdict"], "equal")
        self.change("UPDATE t SET v = 'newer' WHERE id IN (5, 299999); DELETE FROM t WHERE id = 6", self.source)
        found = self.compared(document, code=0)
        self.assertEqual((found["verdict"], found["changed_since"], found["gone"]), ("equal_to_run", 2, 0))

    def test_a_run_that_verifies_fails_before_postsql_where_the_destination_is_not_what_it_wrote(self):
        self.make(self.SMALL, "CREATE TABLE t(id INTEGER PRIMARY KEY, day TEXT, v TEXT); CREATE TABLE done(n)")
        document = self.copy(preSql=["DELETE FROM t"], postSql=["INSERT INTO done VALUES (1)"])
        document["setting"] |= {"verify": True, "delivery": "exactly_once", "progressTable": "marks"}
        path = self.write("plan.json", json.dumps(document))
        plan = subprocess.run([str(PROGRAM), "plan", str(path)], capture_output=True, text=True, timeout=60, cwd=self.folder)
        self.assertIn("a difference fails the run", plan.stdout)
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertEqual(ended.summary["verify"]["verdict"], "equal")
        self.assertEqual(ended.summary["verify"]["sum"], ended.summary["sums"]["written"])
        self.change("DELETE FROM done; CREATE TRIGGER flips AFTER INSERT ON t WHEN new.id = 4711 BEGIN UPDATE t SET v = 'flipped' WHERE id = 4711; END")
        ended = self.run_job(document)
        self.assert_fails(ended, 1, "setting.verify: not equal: 1 different", "id=4711", "flipped", "the steps behind the data have not run")
        self.assertEqual(ended.summary["error"]["code"], "not_equal")
        self.assertEqual(self.rows(self.target, "SELECT * FROM done"), [])
        # Mended, the same command compares again and goes on with the steps.
        self.change("UPDATE t SET v = 'value 4711' WHERE id = 4711")
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(self.rows(self.target, "SELECT * FROM done"), [(1,)])

    def test_files_are_compared_as_the_texts_that_stand_in_them(self):
        out = self.folder / "out"
        rows = "(1, 'a;\"b\"', 1.5, x'00ff'), (2, NULL, NULL, NULL), (3, '', -0.25, x'')"
        self.make(f"CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, n NUMERIC, b BLOB); INSERT INTO t VALUES {rows}")
        forms = [{"fileFormat": "csv", "fieldDelimiter": ";"}, {"fileFormat": "csv", "header": ["id", "v", "n", "b"], "nullFormat": "\\N", "compress": "gzip"},
                 {"fileFormat": "json"}, {"fileFormat": "csv", "singleFileOutput": True, "suffix": ".csv"}, {"fileFormat": "text", "nullFormat": "NULL", "fieldDelimiter": "|"}]
        for form in forms:
            with self.subTest(form=form):
                writer = {"stepType": "text", "category": "writer", "name": "Writer",
                          "parameter": {"path": str(out), "fileName": "rows", "writeMode": "truncate", "bytesFormat": "hex", **form}}
                document = job(self.end("reader", self.source, "t"), writer)
                document["setting"]["verify"] = True
                ended = self.run_job(document)
                self.assert_succeeds(ended)
                self.assertEqual(ended.summary["verify"]["verdict"], "equal")
                self.change("UPDATE t SET v = 'changed' WHERE id = 2", self.source)
                found = self.compared(document, "--against", "source", code=1)
                self.assertEqual([(d["what"], d["record"]) for d in found["differences"]], [("different", "id=2")])
                self.assertIn("a heading line is not compared", " ".join(found["notes"]))
                found = self.compared(document, code=0)
                self.assertEqual((found["verdict"], found["changed_since"], found["gone"]), ("equal_to_run", 1, 0))
                self.change("UPDATE t SET v = NULL WHERE id = 2", self.source)

    def test_a_plan_alone_has_no_results(self):
        self.make(self.SMALL)
        done = self.verify(self.copy(preSql=["DELETE FROM t"]), "--plan")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Records are known by: id\n", done.stdout)
        self.assertNotIn("records, sum", done.stdout)
        self.assertNotIn("0 different", done.stdout)

    def test_what_the_ends_show_is_1_as_of_a_run_and_what_is_missing_is_called_so(self):
        self.make(self.SMALL)
        document = self.copy()
        document["steps"][0]["parameter"]["table"] = "nowhere"
        ended = self.run_job(document)
        done = self.verify(document)
        self.assertEqual((ended.code, done.returncode), (1, 1), done.stderr)
        self.assertIn("nowhere", done.stderr)
        writer = {"stepType": "text", "category": "writer", "name": "Writer",
                  "parameter": {"path": str(self.folder / "out"), "fileName": "rows", "writeMode": "truncate"}}
        files = job(self.end("reader", self.source, "t"), writer)
        for prepare in (lambda: None, lambda: (self.folder / "out").mkdir()):
            prepare()
            code, found = self.verified(files)
            self.assertEqual((code, found["error"]["kind"]), (1, "bad_option"), found["error"])
            self.assertIn("no file", found["error"]["message"])
        no_folder = self.copy()
        no_folder["steps"][1]["parameter"]["jdbcUrl"] = f"jdbc:sqlite:{self.folder}/none/t.db"
        code, found = self.verified(no_folder)
        self.assertEqual((code, found["error"]["kind"]), (1, "bad_option"), found["error"])

    def test_wrong_use_is_told(self):
        self.make(self.SMALL)
        document = self.copy()
        for flags, code, text in ((["--scope", "hole"], 2, 'did you mean whole'), (["--key", "idd"], 1, '--key: the job writes no column "idd"'),
                                  (["--max-differences", "0"], 2, "at least 1"), (["--scope", "where"], 2, "the job has none")):
            done = self.verify(document, *flags)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)
            self.assertIn(text, done.stderr)
        # Whoever reads JSON is told in JSON, also of a job that is none.
        broken = {**document, "steps": document["steps"][:1]}
        done = self.verify(broken, "--json")
        found = json.loads(done.stdout)
        self.assertEqual((done.returncode, found["verdict"], found["error"]["kind"]), (2, "failed", "bad_option"), done.stderr)
        self.assertIn(found["error"]["message"].splitlines()[0], done.stderr)
        printing = job(self.end("reader", self.source, "t"),
                       {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}})
        done = self.verify(printing)
        self.assertEqual(done.returncode, 2, done.stderr)  # as of a run with setting.verify
        self.assertIn("cannot be read again", done.stderr)
        printing["setting"]["verify"] = True
        self.assert_fails(self.run_job(printing), 2, "setting.verify", "cannot be read again")

    def test_a_stop_ends_it_and_leaves_nothing_behind(self):
        self.make(self.SMALL.replace("5000", str(ROWS)))
        document = self.copy(preSql=["DELETE FROM t"])
        path = self.write("verify.json", json.dumps(document))
        temporary = self.folder / "tmp"
        temporary.mkdir()
        process = subprocess.Popen([str(PROGRAM), "verify", str(path), "--state-dir", str(self.state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, cwd=self.folder, env={**os.environ, "TMPDIR": str(temporary)})
        while not list(temporary.glob("*/*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143, err)
        self.assertIn("nothing is known of what was compared", err)
        self.assertEqual(list(temporary.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
