"""What a job may ask of delivery: how much is promised, where the marks stand, and a run without any."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import time
import unittest

from e2e.foretell_test import ForetellTest
from e2e.harness import PROGRAM, ROOT, job, sqlite_writer

ROWS = 200_000
THROTTLED = ("--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2")


class Delivery(ForetellTest):
    def setUp(self):
        super().setUp()
        self.source = self.make_table("CREATE TABLE src (id INTEGER PRIMARY KEY, t TEXT)", "source.db")
        self.target = self.make_table("CREATE TABLE dst (id INTEGER, t TEXT)", "target.db")

    def fill(self, rows=ROWS):
        db = sqlite3.connect(self.source)
        db.executemany("INSERT INTO src VALUES (?, ?)", ((i, f"text of {i}, with some more") for i in range(rows)))
        db.commit()
        db.close()

    def reader(self, query=False):
        what = {"querySql": "SELECT id, t FROM src"} if query else {"table": "src", "column": ["id", "t"]}
        return {"stepType": "sqlite", "category": "reader", "name": "Reader", "parameter": {"jdbcUrl": f"jdbc:sqlite:{self.source}", **what}}

    def copy(self, query=False, writer=None, **setting):
        return job(self.reader(query), writer or sqlite_writer(self.target, "dst", ["id", "t"]), **setting)

    def tables(self, path=None):
        return [name for name, in self.rows(path or self.target, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]

    def stands(self):
        """How many rows others see."""
        return self.rows(self.target, "SELECT count(*), count(DISTINCT id) FROM dst")[0]

    def kill(self, document, *flags):
        """Once rows stand and the run's folder knows of it, a moment later."""
        before = self.stands()[0]
        kept = set(self.state.rglob("committed"))
        self.kill_once(lambda: self.stands()[0] > before and set(self.state.rglob("committed")) > kept, document, *THROTTLED, *flags)

    def plan(self, document):
        done = self.sluice("plan", self.put_job(document))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    # ---- setting.delivery

    def test_exactly_once_is_refused_before_data_moves_with_the_end_and_the_reason(self):
        self.fill(10)
        out = self.folder / "out"
        for writer, why in (({"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": True}}, "what is printed cannot be taken back"),
                            ({"stepType": "csv", "category": "writer", "name": "Writer", "parameter": {"path": str(out), "fileName": "o", "compress": "zip"}},
                             "a zip archive cannot be gone on with")):
            document = self.copy(writer=writer, delivery="exactly_once")
            for command in ("check", "plan"):
                done = self.sluice(command, self.put_job(document))
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertIn(why, done.stdout + done.stderr)
            ended = self.run_job(document)
            self.assert_fails(ended, 1, "setting.delivery", '"exactly_once" cannot be kept', "the destination (", "steps[1]", why, 'set "delivery" to "auto"')
            self.assertEqual((ended.out.count("text of"), out.exists()), (0, False))
        self.assert_succeeds(self.run_job(self.copy(delivery="exactly_once")))
        ended = self.run_job(self.copy(delivery="twice"))
        self.assert_fails(ended, 2, "setting.delivery", "exactly_once")

    def test_both_dialects_say_it(self):
        self.fill(10)
        step = {"connection": [{"jdbcUrl": [f"jdbc:sqlite:{self.source}"], "table": ["src"]}], "column": ["id", "t"]}
        to = {"connection": [{"jdbcUrl": f"jdbc:sqlite:{self.target}", "table": ["dst"]}], "column": ["id", "t"]}
        document = {"job": {"content": [{"reader": {"name": "sqlitereader", "parameter": step}, "writer": {"name": "sqlitewriter", "parameter": to}}],
                            "setting": {"speed": {"channel": 1}, "delivery": "exactly_once", "progressTable": "ops"}}}
        ended = self.run_job(document, "--strict")
        self.assert_succeeds(ended)
        self.assertEqual(self.tables(), ["dst", "ops_progress", "ops_run"])
        document["job"]["setting"]["progressTable"] = "none"
        self.assert_fails(self.run_job(document), 2, "job.setting.delivery", '"exactly_once" needs the marks that "progressTable" "none" takes away')

    def test_a_split_that_cannot_be_begun_inside_is_said_with_the_bound_of_a_transaction(self):
        self.fill(10)
        by_query = self.plan(self.copy(query=True))
        self.assertRegex(by_query, r"(?m)^Delivery +exactly once, as long as no split has more than 16 GiB: each is one transaction, because the reader cannot begin inside it\. One that has more, which is not known, is committed in parts")
        self.assertRegex(by_query, r"(?m)^Transaction +a whole split of at most 16 GiB")
        asked = self.plan(self.copy(query=True, delivery="exactly_once"))
        self.assertRegex(asked, r"(?m)^Delivery +exactly once: the mark of each split is committed with its rows")
        self.assertRegex(asked, r"(?m)^Transaction +a whole split, however large, because the reader cannot begin inside one \(the job asks for exactly_once; else at most 16 GiB\)")
        least = self.plan(self.copy(query=True, delivery="at_least_once"))
        self.assertRegex(least, r"(?m)^Delivery +at least once, because the job asks for no more and the reader cannot begin inside a split")
        self.assertRegex(self.plan(self.copy(delivery="at_least_once")), r"(?m)^Delivery +exactly once: ")
        ended = self.run_job(self.copy(query=True))
        self.assert_succeeds(ended)
        first = next(line for line in ended.err.splitlines() if " of job: " in line)
        self.assertIn("exactly once, as long as no split has more than 16 GiB", first)
        self.assertTrue(ended.summary["promise"].startswith("exactly once, as long as no split has more than 16 GiB: "))

    def test_a_split_that_is_committed_in_parts_is_written_once_more_where_the_job_agrees(self):
        self.fill()
        document = self.copy(query=True, delivery="at_least_once")
        self.kill(document)
        stood, distinct = self.stands()
        self.assertEqual(stood, distinct)
        refused = self.run_job(self.copy(query=True))
        self.assert_fails(refused, 1, "rows stand of splits that were committed in parts", "--on-unfinished resume continues it")
        self.assertEqual(self.stands(), (stood, distinct))
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS)
        self.assertTrue(ended.summary["resumed"])
        self.assertIn("has committed splits in parts", ended.text)
        self.assertEqual(self.stands(), (ROWS + stood, ROWS))
        self.assertEqual((ended.summary["written_again"], ended.summary["written_again_at_most"]), (stood, False))
        self.assertIn(f"Beside this account, written once more: {stood:,} rows", ended.err)
        self.assertIn(f"Warning: {stood:,} rows that stood already were written once more", ended.err.splitlines()[-1])
        shown = self.sluice("runs", "show", ended.summary["run"], "--state-dir", self.state)
        self.assertIn(f"beside them, written once more: {stood:,} rows", shown.stdout)

    def test_rows_written_once_more_are_counted_over_all_processes_of_a_run(self):
        self.fill()
        document = self.copy(query=True, delivery="at_least_once")
        self.kill(document)
        committed, = self.state.rglob("committed")
        self.kill_once(lambda: json.loads(committed.read_text())["repeated"] > 0, document, *THROTTLED)
        stood, _ = self.stands()
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertEqual((ended.summary["written_again"], ended.summary["written_again_at_most"]), (stood, False))
        self.assertEqual(self.stands(), (ROWS + stood, ROWS))

    def test_what_writes_the_same_rows_again_goes_on_unasked(self):
        self.fill()
        self.rows(self.target, "CREATE UNIQUE INDEX one ON dst (id)")
        db = sqlite3.connect(self.target)
        db.executescript("DROP TABLE dst; CREATE TABLE dst (id INTEGER PRIMARY KEY, t TEXT)")
        db.close()
        writer = sqlite_writer(self.target, "dst", ["id", "t"], writeMode="replace")
        self.kill(self.copy(query=True, writer=writer, delivery="at_least_once"))
        ended = self.run_job(self.copy(query=True, writer=writer))
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(self.stands(), (ROWS, ROWS))

    def test_the_plan_names_an_unfinished_run_of_another_planned_time(self):
        self.fill()
        document = self.copy()
        self.kill(document, "--bizdate", "20260130")
        planned = self.sluice("plan", self.put_job(document), "--bizdate", "20260131")
        self.assertRegex(planned.stdout, r"(?m)^A run now +begins anew\n +run [0-9a-f-]{36} of the same job, with other parameters or for another planned time \(2026-01-31 00:00:00\), is unfinished \(loading\); it is left as it is")
        told = json.loads(self.sluice("plan", self.put_job(document), "--bizdate", "20260131", "--json").stdout)
        self.assertEqual(len(told["run_now_notes"]), 1)
        same = self.sluice("plan", self.put_job(document), "--bizdate", "20260130")
        self.assertRegex(same.stdout, r"(?m)^A run now +continues run")

    # ---- setting.progressTable

    def test_the_tables_of_marks_may_have_other_names_which_plan_and_first_lines_say(self):
        self.fill()
        document = self.copy(progressTable="Ops x")
        self.assertIn('Ops x_run and Ops x_progress in "', self.plan(document))
        self.kill(document)
        self.assertEqual(self.tables(), ["Ops x_progress", "Ops x_run", "dst"])
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertIn("progress and claim stand in Ops x_run and Ops x_progress", ended.text)
        self.assertEqual(self.stands(), (ROWS, ROWS))

    def test_other_tables_of_marks_behind_a_killed_run_are_refused_and_double_nothing(self):
        self.fill()
        self.kill(self.copy(progressTable="one"))
        stood, _ = self.stands()
        for other in ({"progressTable": "two"}, {}, {"progressTable": "none"}):
            refused = self.run_job(self.copy(**other))
            self.assert_fails(refused, 1, "its marks stand elsewhere", 'it named "one"', f'names "{other.get("progressTable", "sluice")}" now',
                              "job.json:", "--on-unfinished fresh", str(self.state))
            self.assertEqual(refused.summary["error"]["code"], "marks_elsewhere")
        self.assertEqual(self.stands(), (stood, stood))
        self.assertEqual(self.tables(), ["dst", "one_progress", "one_run"])
        ended = self.run_job(self.copy(progressTable="one"))
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(self.stands(), (ROWS, ROWS))
        # Behind a run that is done the name is free, and a start that forgets its run takes any.
        self.kill_once(lambda: self.stands()[0] > ROWS, self.copy(progressTable="two"), *THROTTLED)
        stood, _ = self.stands()
        self.assert_succeeds(self.run_job(self.copy(progressTable="one"), "--on-unfinished", "fresh"))
        self.assertEqual(self.stands(), (stood + ROWS, ROWS))

    def drop_marks(self):
        db = sqlite3.connect(self.target)
        db.executescript("DROP TABLE sluice_run; DROP TABLE sluice_progress")
        db.close()

    def delete_runs(self):
        db = sqlite3.connect(self.target)
        db.executescript("DELETE FROM sluice_run; DELETE FROM sluice_progress")
        db.close()

    def test_a_killed_run_whose_tables_of_marks_are_gone_is_not_begun_anew_unasked(self):
        self.fill()
        document = self.copy()
        self.kill(document)
        stood, _ = self.stands()
        run, = (path.parent.name for path in self.state.rglob("unfinished"))
        self.drop_marks()
        for flags in ((), ("--on-unfinished", "resume"), ("--on-unfinished", "fail"), ("--once",)):
            refused = self.run_job(document, *flags)
            self.assert_fails(refused, 1, f"run {run} of this job was not seen to end", "its marks, which stood in sluice_run and sluice_progress in ",
                              "take out what it has written", "--on-unfinished fresh", "job.json:", "Nothing was changed")
            self.assertEqual(refused.summary["error"]["code"], "marks_gone")
            known = int(re.search(r"has committed at least ([0-9,]+) rows", refused.text).group(1).replace(",", ""))
            self.assertTrue(0 < known <= stood, (known, stood))
        self.assertEqual((self.stands(), self.tables()), ((stood, stood), ["dst"]))
        resumed = self.sluice("runs", "resume", run, "--state-dir", self.state)
        self.assertEqual(resumed.returncode, 1, resumed.stderr)
        self.assertIn("its marks, which stood in", resumed.stderr)
        ended = self.run_job(document, "--on-unfinished", "fresh")
        self.assert_succeeds(ended)
        self.assertIn(f"run {run} of this job was not seen to end", ended.text)
        self.assertIn("are there twice", ended.text)
        self.assertEqual(self.stands(), (stood + ROWS, ROWS))
        self.drop_marks()
        self.assertNotIn("not seen to end", self.run_job(document).text)

    def test_where_nothing_is_doubled_lost_tables_of_marks_are_no_reason_to_refuse(self):
        self.fill()
        # The job empties its table first.
        emptying = self.copy(writer=sqlite_writer(self.target, "dst", ["id", "t"], preSql=["DELETE FROM dst"]))
        self.kill(emptying)
        self.drop_marks()
        self.assert_succeeds(self.run_job(emptying))
        self.assertEqual(self.stands(), (ROWS, ROWS))
        # The whole file went.
        made = self.copy(writer=sqlite_writer(self.folder / "made.db", "dst", ["id", "t"], createTable=True))
        before = set(self.state.rglob("committed"))
        self.kill_once(lambda: set(self.state.rglob("committed")) > before, made, *THROTTLED)
        for path in self.folder.glob("made.db*"):
            path.unlink()
        ended = self.run_job(made)
        self.assert_succeeds(ended)
        self.assertIn("Neither its table nor anything else of it is found", ended.text)
        self.assertEqual(self.rows(self.folder / "made.db", "SELECT count(*), count(DISTINCT id) FROM dst"), [(ROWS, ROWS)])
        # It has committed nothing.
        self.rows(self.target, "CREATE TABLE gate (n INTEGER CHECK (n <> 1))")
        gated = self.copy(writer=sqlite_writer(self.target, "dst", ["id", "t"], preSql=["INSERT INTO gate VALUES (1)"]))
        failed = self.run_job(gated)
        self.assert_fails(failed, 1, "CHECK constraint failed")
        self.assertTrue(failed.summary["resumable"])
        db = sqlite3.connect(self.target)
        db.executescript("DROP TABLE gate; CREATE TABLE gate (n INTEGER); DELETE FROM dst")
        db.close()
        self.drop_marks()
        ended = self.run_job(gated)
        self.assert_succeeds(ended)
        self.assertEqual(self.stands(), (ROWS, ROWS))

    def test_a_run_that_was_ended_from_another_state_folder_is_not_missed(self):
        self.fill()
        document = self.copy()
        here, there = self.state, self.folder / "there"
        self.kill(document)
        self.state = there
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.state = here
        again = self.run_job(document)
        self.assert_succeeds(again)
        self.assertNotIn("not seen to end", again.text)
        # Done so long ago that its row is gone.
        self.kill(document)
        self.state = there
        self.assert_succeeds(self.run_job(document))
        self.delete_runs()
        self.state = here
        self.assert_fails(self.run_job(document), 1, "its marks, which stood in")
        for path in here.rglob("committed"):
            os.utime(path, (time.time() - 7 * 86400 - 1,) * 2)
        again = self.run_job(document)
        self.assert_succeeds(again)
        self.assertIn("it was done elsewhere more than 7 days ago, or its marks are gone", again.text)

    def test_a_killed_run_into_files_whose_marks_are_gone_is_begun_anew(self):
        self.fill()
        out = self.folder / "out"
        writer = {"stepType": "csv", "category": "writer", "name": "Writer", "parameter": {"path": str(out), "fileName": "o", "writeMode": "truncate"}}
        document = self.copy(writer=writer)
        self.kill_once(lambda: any(path.stat().st_size for path in out.glob(".sluice-*.tmp")) and self.rows_stand(out / ".sluice-progress.db"), document, *THROTTLED)
        for path in out.glob(".sluice-progress.db*"):
            path.unlink()
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assertNotIn("not seen to end", ended.text)
        self.assert_account(ended, written=ROWS)

    def test_names_that_cannot_be_are_refused(self):
        for name, why in (("ops.sluice", "the tables of marks stand in the file of the destination"), ("a.b.c", "expected the name that both tables begin with")):
            ended = self.run_job(self.copy(progressTable=name))
            self.assert_fails(ended, 2, "setting.progressTable", why)
        for step in ("stream", "csv"):
            writer = {"stepType": step, "category": "writer", "name": "Writer", "parameter": {"path": str(self.folder), "fileName": "o"}}
            ended = self.run_job(self.copy(writer=writer, progressTable="ops"))
            self.assert_fails(ended, 2, "setting.progressTable", 'found "ops"', "no marks" if step == "stream" else ".sluice-progress.db")
        self.assertEqual(self.tables(), ["dst"])

    def test_a_table_of_another_form_is_refused_with_what_it_lacks(self):
        self.fill(10)
        db = sqlite3.connect(self.target)
        db.executescript("CREATE TABLE sluice_run (run TEXT PRIMARY KEY, stage TEXT); CREATE TABLE my_run (x); CREATE TABLE my_progress (y)")
        db.close()
        self.assert_fails(self.run_job(self.copy()), 1, "the table sluice_run has not the form of a table of marks: it lacks the columns version, job_key,", '"progressTable"', "sluice ddl JOB --progress")
        self.assert_fails(self.run_job(self.copy(progressTable="my")), 1, "the table my_run has not the form")
        self.assert_succeeds(self.run_job(self.copy(progressTable="good")))

    def test_without_marks_nothing_is_made_and_a_run_that_is_begun_again_starts_over(self):
        self.fill()
        document = self.copy(progressTable="none")
        planned = self.plan(document)
        self.assertRegex(planned, r"(?m)^Delivery +at least once, because no marks are kept \(.*setting\.progressTable is \"none\"\): a run begun again starts over, and what was written stays")
        self.assertNotIn("sluice_run", planned)
        self.kill(document)
        self.assertEqual(self.tables(), ["dst"])
        stood, _ = self.stands()
        refused = self.run_job(document, "--on-unfinished", "fail")
        self.assert_fails(refused, 1, "a run of this job is unfinished", "keeps no marks")
        ended = self.run_job(document)
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS)
        self.assertEqual(self.stands(), (ROWS + stood, ROWS))
        self.assertEqual(self.tables(), ["dst"])
        known = int(re.search(r"was not seen to end and has committed at least ([0-9,]+) rows\. No marks are kept, so that the job begins anew; the same rows inserted again are there twice", ended.text).group(1).replace(",", ""))
        self.assertTrue(0 < known <= stood, (known, stood))
        self.assertNotIn("not seen to end", self.run_job(document).text)

    def test_without_marks_steps_run_and_a_failure_says_what_stays(self):
        self.fill()
        db = sqlite3.connect(self.target)
        db.executescript("CREATE TABLE log (t TEXT); DROP TABLE dst; CREATE TABLE dst (id INTEGER CHECK (id <> 190000), t TEXT)")
        db.close()
        writer = sqlite_writer(self.target, "dst", ["id", "t"], preSql=["DELETE FROM dst"], postSql=["INSERT INTO log VALUES ('done')"])
        ended = self.run_job(self.copy(writer=writer, progressTable="none", errors=0))
        self.assert_fails(ended, 1)
        stood = self.stands()[0]
        self.assertIn(f"The {stood:,} rows it has written stay, and no marks tell of them", ended.text)
        self.assertEqual(self.rows(self.target, "SELECT * FROM log"), [])
        ended = self.run_job(self.copy(writer=writer, progressTable="none", errors=1))
        self.assert_succeeds(ended)
        self.assert_account(ended, written=ROWS - 1, dirty=1)
        self.assertEqual((self.stands()[0], self.rows(self.target, "SELECT * FROM log")), (ROWS - 1, [("done",)]))
        wrong = sqlite_writer(self.target, "dst", ["id", "t"], preSql=["DELET FROM dst"])
        self.assert_fails(self.run_job(self.copy(writer=wrong, progressTable="none")), 1, "syntax error")
        self.assertEqual(self.stands()[0], ROWS - 1)

    def test_without_marks_files_are_begun_again(self):
        self.fill(1000)
        out = self.folder / "out"
        writer = {"stepType": "csv", "category": "writer", "name": "Writer", "parameter": {"path": str(out), "fileName": "o", "writeMode": "truncate"}}
        document = self.copy(writer=writer, progressTable="none")
        self.assertIn("at least once, because no marks are kept", self.plan(document))
        self.assert_succeeds(self.run_job(document))
        self.assertFalse((out / ".sluice-progress.db").exists())
        self.assert_fails(self.run_job(self.copy(writer=writer, progressTable="none", delivery="exactly_once")), 2, "takes away")

    # ---- sluice ddl --progress NAME

    def test_the_tables_of_marks_of_a_data_source_are_printed_without_a_job(self):
        self.fill(10)
        registry = self.write("datasources.json", json.dumps({"version": 1, "datasources": [
            {"name": "shop", "type": "sqlite", "connectionProperties": {"path": str(self.target)}},
            {"name": "files", "type": "localfile", "connectionProperties": {"baseDir": str(self.folder)}}]}))
        registry.chmod(0o600)

        def ddl(*arguments):
            return self.sluice("ddl", "--datasources", registry, *arguments)

        for flags, setting, names in ((("--progress", "shop"), {}, ["sluice_progress", "sluice_run"]),
                                      (("shop", "--progress", "--progress-table", "ops"), {"progressTable": "ops"}, ["ops_progress", "ops_run"])):
            printed = ddl(*flags)
            self.assertEqual(printed.returncode, 0, printed.stderr)
            db = sqlite3.connect(self.target)
            db.executescript(printed.stdout)
            db.close()
            self.assertLessEqual(set(names), set(self.tables()))
            ended = self.run_job(self.copy(**setting))
            self.assert_succeeds(ended)
            self.assertNotIn("will be made for claims", ended.text)
        for flags, text in ((("--progress", "shopp"), 'did you mean'), (("--progress", "files"), ".sluice-progress.db"), (("shop",), "shop"),
                            (("--progress", "shop", "--progress-table", "a.b"), "without a dot"), (("--progress", "shop", "--progress-table", "none"), "no tables of marks at all"), (("job.json", "--progress-table", "a"), "--progress")):
            refused = ddl(*flags)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""), refused.stderr)
            self.assertIn(text, refused.stderr)


DELIVERY_PAGE = ROOT / "docs" / "delivery.md"


def alike(text, folder):
    """Lines as they look whatever machine, moment and speed: ids, numbers, sizes, durations and folders are alike."""
    text = text.replace(str(folder), "/data").replace(socket.gethostname(), "HOST")
    text = re.sub(r"\b(memory +[0-9]+ MiB) \([^)]*\)", r"\1", text)
    text = re.sub(r"\brun [0-9a-f]{12}\b", "run RUN", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "RUN", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "DIGEST", text)
    text = re.sub(r"[0-9][0-9.,:]*( ?(B|KiB|MiB|GiB|ms|s|min|us))?\b", "N", text)
    return [re.sub(r" +", " ", line).strip() for line in text.splitlines() if line.strip()]


class AsItLooks(ForetellTest):
    """What docs/delivery.md shows of a run that was killed and continued is what the program says."""

    ROWS = 400_000

    def block(self, mark):
        page = DELIVERY_PAGE.read_text(encoding="utf-8")
        found = re.search(rf"<!-- {mark} -->\n```(?:text|json)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        self.assertIsNotNone(found, mark)
        return found.group(1)

    def example(self):
        """The runs of the page: the plan, the text of the killed run and of the same command again, and the latter's summary."""
        db = sqlite3.connect(self.folder / "shop.db")
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, price REAL)")
        db.executemany("INSERT INTO orders VALUES (?, ?, ?)", ((i, f"customer {i}", i / 8) for i in range(self.ROWS)))
        db.commit()
        db.close()
        end = lambda side, file, **more: {"stepType": "sqlite", "category": side.lower(), "name": side, "parameter": {  # noqa: E731
            "jdbcUrl": f"jdbc:sqlite:{self.folder / file}", "table": "orders", "column": ["*"], **more}}
        path = self.put_job(job(end("Reader", "shop.db"), end("Writer", "copy.db", createTable=True), delivery="exactly_once"), "orders.json")
        planned = self.sluice("plan", path, "--timezone", "UTC").stdout
        arguments = [str(PROGRAM), "run", str(path), "--state-dir", str(self.state), "--timezone", "UTC"]
        killed = self.folder / "killed.txt"
        with open(killed, "wb") as text:
            running = subprocess.Popen([*arguments, "--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2"], stderr=text, cwd=self.folder)
            while not self.rows_stand(self.folder / "copy.db"):
                self.assertIsNone(running.poll())
                time.sleep(0.02)
            running.kill()
            running.wait()
        summary = self.folder / "summary.json"
        again = subprocess.run([*arguments, "--summary", str(summary)], capture_output=True, text=True, cwd=self.folder, timeout=60)
        self.assertEqual(again.returncode, 0, again.stderr)
        return planned, killed.read_text(encoding="utf-8"), again.stderr, json.loads(summary.read_text(encoding="utf-8"))

    def test_the_page_shows_what_the_program_says(self):
        planned, killed, again, summary = self.example()
        for mark, text in (("plan", planned), ("killed", killed), ("continued", again)):
            with self.subTest(mark):
                there = alike(text, self.folder)
                shown = alike(self.block(mark), "/data")
                self.assertEqual([line for line in shown if line not in there], [], "\n".join(there))
                self.assertGreater(len(shown), 3)
        shown = json.loads(self.block("summary"))
        for key, value in shown.items():
            if isinstance(value, (bool, str)):
                self.assertEqual(summary[key], value, key)
            else:
                self.assertIn(key, summary)
        self.assertEqual(summary["written"], self.ROWS)


if __name__ == "__main__":
    unittest.main()
