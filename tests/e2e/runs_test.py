"""`sluice runs`: what the run folders tell, and the command of a run given once more."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from e2e.harness import PROGRAM, Ended, ProgramTest, job, sqlite_writer

# Of 107 record bytes each: six seconds at 1 MiB a second.
RECORDS = 60_000
SLOW = ("--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1", "--set", "setting.speed.concurrent=1")
FAST = ("--set", "setting.speed.throttle=false")
TABLE = "CREATE TABLE t (id INTEGER, name TEXT)"
COUNT = "SELECT count(*), count(DISTINCT id) FROM t"


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come to pass")
        time.sleep(0.05)


class Runs(ProgramTest):
    """What all tests here need."""

    def runs(self, *words, cwd=None):
        done = subprocess.run([str(PROGRAM), "runs", *map(str, words), "--state-dir", str(self.state)], capture_output=True, text=True,
                              timeout=120, cwd=cwd or self.folder)
        return Ended(done.returncode, done.stdout, done.stderr, None)

    def listed(self, *words):
        ended = self.runs("list", "--json", *words)
        self.assertEqual(ended.code, 0, str(ended))
        return json.loads(ended.out)["runs"]

    def source(self, records=RECORDS):
        path = self.folder / "in.csv"
        if not path.exists():
            path.write_text("".join(f"{i},{'x' * 99}\n" for i in range(records)))
        return path

    def document(self, database, **more):
        reader = {"stepType": "text", "category": "reader", "name": "Reader",
                  "parameter": {"path": [str(self.source())], "fileFormat": "csv",
                                "column": [{"index": 0, "type": "long"}, {"index": 1, "type": "string"}]}}
        return job(reader, sqlite_writer(database, table="t", columns=["id", "name"], **more))

    def killed_half(self, *more, **parameter):
        """A run that was killed in the middle; gives its job and the database it writes into."""
        database = self.make_table(TABLE)
        document = self.document(database, **parameter)
        self.kill_once(lambda: self.rows_stand(database), document, *SLOW, *more)
        return document, database


class Kept(Runs):
    def test_a_killed_run_is_listed_as_killed_and_resume_goes_on_with_it(self):
        document, database = self.killed_half("--name", "orders", "-p", "unused=1", "--retries", "3")
        [run] = self.listed()
        self.assertEqual((run["state"], run["resumable"], run["job"], run["process"]), ("killed", True, "orders", None), run)
        self.assertEqual(self.listed("--state", "running"), [])
        self.assertEqual(len(self.listed("--state", "resumable", "--job", "ord*", "--since", "1h")), 1)
        self.assertEqual(self.listed("--job", "other"), [])
        shown = self.runs("show", "orders")
        self.assertIn(f"sluice runs resume {run['run']} continues it", shown.out)
        self.assertIn("job.json' --param=unused=1", shown.out)
        # From another folder, with its own summary and without the brake.
        done = self.runs("resume", run["run"][-8:], *FAST, "--retries", "7", "--summary", "s.json", cwd=self.state)
        self.assertEqual(done.code, 0, str(done))
        self.assertIn(f"continuing run {run['run']}", done.err)
        self.assertIn("it goes on with other settings than it had: setting.speed.throttle was true and is false", done.err)
        self.assertIn('--retries was "3" and is "7"', done.err)
        self.assertTrue((self.state / "s.json").exists(), "--summary counts from where resume is given")
        summary = json.loads((self.state / "s.json").read_text())
        self.assertEqual((summary["run"], summary["resumed"], summary["read"]), (run["run"], True, RECORDS))
        self.assertEqual(self.rows(database, COUNT), [(RECORDS, RECORDS)])
        [run] = self.listed("--state", "done")
        self.assertEqual((run["state"], run["resumable"], run["read"]), ("succeeded", False, RECORDS))
        again = self.runs("resume", run["run"])
        self.assert_fails(again, 1, "is done")

    def test_a_job_that_was_changed_is_not_run_by_resume(self):
        document, database = self.killed_half()
        [run] = self.listed()
        before = self.rows(database, "SELECT count(*) FROM t")
        document["steps"][0]["parameter"]["column"][1]["index"] = 0
        (self.folder / "job.json").write_text(json.dumps(document))
        refused = self.runs("resume", run["run"])
        self.assert_fails(refused, 1, run["run"], "index was 1 and is 0")
        self.assertEqual(self.rows(database, "SELECT count(*) FROM t"), before)
        [same] = self.listed("--state", "resumable")
        self.assertEqual(same["run"], run["run"])

    def test_show_of_a_job_is_the_run_that_tells_and_names_the_start_that_was_refused(self):
        document, _ = self.killed_half("--name", "orders", "--bizdate", "20260130")
        refused = self.run_job(document, *FAST, "--name", "orders", "--bizdate", "20260130", "--on-unfinished", "fail")
        self.assertEqual(refused.code, 1, str(refused))
        newest, killed = self.listed()
        self.assertEqual(killed["state"], "killed")
        shown = self.runs("show", "orders")
        self.assertRegex(shown.out, rf"(?m)^Run +{killed['run']}$")
        self.assertIn(f"sluice runs resume {killed['run']} continues it", shown.out)
        self.assertRegex(shown.out, rf"(?m)^Refused since +a start at .*--on-unfinished fail.*\({newest['run']}\)$")
        self.assertRegex(shown.out, r"(?m)^Planned for +2026-01-31 00:00:00 [^ ]+$")
        told = json.loads(self.runs("show", "orders", "--json").out)
        self.assertEqual((told["run"], told["refused_start"]["run"]), (killed["run"], newest["run"]))
        self.assertRegex(self.runs("show", newest["run"]).out, r"(?m)^State +failed$")

    def test_a_run_that_is_forgotten_is_resumable_no_more_as_soon_as_another_has_begun(self):
        document, database = self.killed_half()
        [killed] = self.listed("--state", "resumable")
        self.assertRegex(self.runs("show", killed["run"]).out, r"(?m)^Planned for +2[0-9: -]+ [^ ]+ \(when it began: none was given\)$")
        stood = self.rows(database, "SELECT count(*) FROM t")
        second = subprocess.Popen(self.arguments(document, *SLOW, "--on-unfinished", "fresh"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        try:
            until(lambda: self.rows(database, "SELECT count(*) FROM t") > stood)
            self.assertIsNone(second.poll())
            self.assertEqual(self.listed("--state", "resumable"), [])
        finally:
            second.kill()
            second.wait()
        [resumable] = self.listed("--state", "resumable")
        self.assertNotEqual(resumable["run"], killed["run"])

    def test_a_run_at_work_is_running_and_neither_resumed_nor_removed(self):
        database = self.make_table(TABLE)
        self.source(10 * RECORDS)  # a minute, of which only the beginning is needed
        document = self.document(database)
        process = subprocess.Popen(self.arguments(document, *SLOW), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        try:
            end = time.monotonic() + 60
            while not self.rows_stand(database):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            [run] = self.listed("--state", "running")
            self.assertTrue(run["process"].startswith(f"{process.pid} on "), run)
            self.assert_fails(self.runs("resume", run["run"]), 1, "is at work", str(process.pid))
            kept = self.runs("clean", "--keep", "0", "--unfinished")
            self.assertEqual(kept.code, 0, str(kept))
            self.assertIn("its process is at work", kept.out)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 143)
        finally:
            process.kill()
            process.wait()
        [run] = self.listed()
        self.assertEqual((run["state"], run["resumable"]), ("stopped", True))

    def test_a_folder_of_another_user_is_said_to_be_unreadable(self):
        database = self.make_table(TABLE)
        self.assertEqual(self.run_job(self.document(database), *FAST).code, 0)
        [run] = self.listed()
        if os.getuid() != 0:
            self.skipTest("takes root, who may become somebody else")

        def as_nobody(*words):
            argv = [PROGRAM, "runs", *words, "--state-dir", self.state]
            return subprocess.run(argv, capture_output=True, text=True, timeout=60, user=65534, group=65534, extra_groups=[])

        for path, mode in ((self.state, 0o755), (self.state / "runs", 0o755), (Path(run["folder"]).parent, 0o755), (Path(run["folder"]), 0o700)):
            path.chmod(mode)
        [seen] = json.loads(as_nobody("list", "--json").stdout)["runs"]
        self.assertEqual((seen["run"], seen["state"], seen["resumable"], seen["read"]), (run["run"], "unreadable", False, None))
        self.assertIn("its folder is another user's and cannot be read: ask as that user", as_nobody("show", run["run"]).stdout)
        self.assertIn("continue the run as that user", as_nobody("resume", run["run"]).stderr)
        self.assertEqual(json.loads(as_nobody("list", "--json", "--state", "killed").stdout)["runs"], [])
        Path(run["folder"]).parent.chmod(0o700)
        listed = as_nobody("list")
        self.assertIn("No such runs", listed.stdout)
        self.assertIn("are another user's and cannot be read", listed.stderr)

    def test_clean_says_what_goes_and_keeps_what_can_be_continued(self):
        self.killed_half("--name", "half")
        other = self.document(self.make_table(TABLE, "other.db"), preSql=["DELETE FROM t"])
        for _ in range(3):
            self.run_job(other, "--name", "other")
        newest = self.listed("--job", "other")[0]["run"]
        tried = self.runs("clean", "--keep", "1", "--dry-run")
        self.assertEqual(tried.out.count("would remove other "), 2, str(tried))
        self.assertEqual(len(self.listed()), 4)
        done = self.runs("clean", "--keep", "1")
        self.assertEqual((done.code, done.out.count("removed other ")), (0, 2), str(done))
        self.assertEqual(self.listed("--job", "other")[0]["run"], newest)
        refused = self.runs("clean", "half")
        self.assert_fails(refused, 1, "can be continued; --unfinished")
        self.assertEqual(self.runs("clean", "half", "--unfinished").code, 0)
        self.assertEqual([run["job"] for run in self.listed()], ["other"])

    def test_a_killed_run_into_an_archive_is_not_resumable_and_says_what_its_command_does(self):
        (self.folder / "o").mkdir()
        writer = {"stepType": "text", "category": "writer", "name": "Writer",
                  "parameter": {"path": str(self.folder / "o"), "fileName": "orders", "fileFormat": "csv", "writeMode": "truncate", "compress": "zip"}}
        document = job(self.document("unused.db")["steps"][0], writer)
        self.kill_once(lambda: list((self.folder / "o").glob(".sluice-*")), document, *SLOW)
        [run] = self.listed()
        self.assertEqual((run["state"], run["resumable"]), ("killed", False))
        self.assert_fails(self.runs("resume", run["run"]), 1, "keeps no marks", "begins it from its beginning", "sluice run")

    def test_a_copy_is_continued_with_its_own_command(self):
        argv = [str(PROGRAM), "copy", str(self.source()), "new.db:t", "--no-header", "--state-dir", str(self.state), *SLOW]
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        try:
            end = time.monotonic() + 60
            while not self.rows_stand(self.folder / "new.db"):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
        finally:
            process.kill()
            process.wait()
        done = self.runs("resume", "copy-t", *FAST, cwd="/")
        self.assertEqual(done.code, 0, str(done))
        columns = [row[1] for row in self.rows(self.folder / "new.db", "PRAGMA table_info(t)")]
        self.assertEqual(self.rows(self.folder / "new.db", f"SELECT count(*), count(DISTINCT {columns[0]}) FROM t"), [(RECORDS, RECORDS)])

    def test_a_planned_time_is_that_of_the_run_and_not_of_the_clock(self):
        self.killed_half("-p", "day=$[yyyymmdd]", "--at", "00:00", preSql=["DELETE FROM t WHERE name = '${day}'"])
        [run] = self.listed()
        # What `--at` means to the clock is another moment tomorrow: the folder's is what counts.
        path = next(self.state.rglob("command.json"))
        text = path.read_text()
        self.assertIn("--at=00:00", text)
        path.write_text(text.replace("--at=00:00", "--at=00:01"))
        done = self.runs("resume", run["run"], *FAST)
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("continuing run", done.err)
        self.assertIn("of the unfinished run", done.err)

    def test_wrong_use_is_told(self):
        for words, text in [(["list", "--state", "runing"], "did you mean running?"), (["show"], "the run is missing"),
                            (["list", "--since", "yesterday"], "--since takes"), ([], "what to do is missing"),
                            (["clean", "x", "--keep", "1"], "leave out"), (["clean", "--job", ""], "--job takes the name of a job")]:
            done = subprocess.run([str(PROGRAM), "runs", *words], capture_output=True, text=True, timeout=30,
                                  env={**os.environ, "SLUICE_STATE": str(self.state)})
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(text, done.stderr)
        self.assert_fails(self.runs("show", "nobody"), 1, "there is no run")
        self.assertIn("No such runs", self.runs("list").out)
        self.state.mkdir(exist_ok=True)
        (self.state / "runs").write_text("no folder")
        for command in ("list", "clean"):
            self.assert_fails(self.runs(command), 1, "cannot be read")


class AtWork(Runs):
    """A second command for a job that another process works on."""

    def setUp(self):
        super().setUp()
        self.database = self.make_table(TABLE)
        self.job = self.document(self.database)
        self.first = subprocess.Popen(self.arguments(self.job, *SLOW),
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.addCleanup(self.first.wait)
        self.addCleanup(self.first.kill)
        until(lambda: self.rows_stand(self.database))

    def assert_once(self):
        self.assertEqual(self.rows(self.database, COUNT), [(RECORDS, RECORDS)])

    def test_it_is_refused_or_skipped_with_the_owner_named(self):
        self.assert_fails(self.run_job(self.job, *FAST), 1, "is running already", f"process {self.first.pid} on ")
        self.assert_fails(self.run_job(self.job, *FAST), 1, "begun ", "renewed ", "--if-running wait")
        before = len(self.listed())
        skipped = self.run_job(self.job, *FAST, "--if-running", "skip")
        self.assertEqual(skipped.code, 99, str(skipped))
        self.assertEqual((skipped.summary["state"], skipped.summary["exit_code"]), ("skipped", 99))
        self.assertIn("Skipped (--if-running skip): ", skipped.err.splitlines()[-1])
        self.assertIn(f"process {self.first.pid} on ", skipped.err)
        self.assertEqual(len(self.listed()), before, "what was skipped is no run")

    def test_it_is_waited_for_and_what_it_did_is_then_enough(self):
        ended = self.run_job(self.job, *FAST, "--if-running", "wait", "--once")
        self.assertEqual(ended.code, 0, str(ended))
        self.assertIn("waiting up to 1 h 0 min (--if-running wait): ", ended.err)
        self.assertIn("Done before: ", ended.err.splitlines()[-1])
        self.assertEqual(self.first.wait(10), 0)
        self.assert_once()
        again = self.run_job(self.job, *FAST, "--once")
        self.assertEqual((again.code, again.summary["state"], again.summary["written"]), (0, "succeeded", 0), str(again))
        self.assert_once()

    def test_a_wait_ends_with_its_time_or_with_a_signal(self):
        self.assert_fails(self.run_job(self.job, *FAST, "--if-running", "wait", "--wait-max", "100ms"), 1,
                          f"process {self.first.pid} on ", "it was waited for as long as --wait-max says, 0.1 s")
        waiting = subprocess.Popen(self.arguments(self.job, *FAST, "--if-running", "wait"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True, cwd=self.folder)
        said = []
        while not said or "waiting up to" not in said[-1]:
            said.append(waiting.stderr.readline())
        waiting.send_signal(signal.SIGINT)
        said = waiting.communicate(timeout=10)[1]
        self.assertEqual((waiting.returncode, said.splitlines()[-1]), (143, "Stopped by SIGINT. It waited for another process; nothing was changed."))
        self.assertIsNone(self.first.poll())

    def test_resume_of_a_run_at_work_waits_or_is_skipped_as_asked(self):
        run = self.listed("--state", "running")[0]["run"]
        self.assert_fails(self.runs("resume", run), 1, "is at work", "--if-running wait, skip or takeover")
        self.assertEqual(self.runs("resume", run, "--if-running", "skip").code, 99)
        done = self.runs("resume", run, "--if-running", "wait", "--once")
        self.assertEqual(done.code, 0, str(done))
        self.assertIn("Done before: ", done.err)
        self.assert_once()

    def test_into_sqlite_it_is_taken_over_only_once_its_process_is_killed(self):
        self.first.send_signal(signal.SIGSTOP)
        refused = self.run_job(self.job, *FAST, "--if-running", "takeover")
        self.assert_fails(refused, 1, f"process {self.first.pid} on ", f"kill -KILL {self.first.pid}")
        self.first.kill()
        self.first.wait()
        ended = self.run_job(self.job, *FAST, "--if-running", "takeover")
        self.assertEqual((ended.code, ended.summary["resumed"]), (0, True), str(ended))
        self.assert_once()


class IntoFiles(Runs):
    def test_files_are_taken_over_only_from_a_dead_process_and_once_needs_a_planned_time(self):
        writer = {"stepType": "text", "category": "writer", "name": "Writer",
                  "parameter": {"path": str(self.folder / "out"), "fileName": "orders", "writeMode": "truncate", "fileFormat": "csv"}}
        reader = self.document(self.folder / "unused.db")["steps"][0]
        document = job(reader, writer)
        first = subprocess.Popen(self.arguments(document, *SLOW), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        until(lambda: list((self.folder / "out").glob(".sluice-*.tmp")))
        self.assert_fails(self.run_job(document, *FAST, "--if-running", "takeover"), 1, f"process {first.pid} on ", f"kill -KILL {first.pid}")
        self.assert_fails(self.run_job(document, *FAST, "--once"), 1, "--once needs a planned time here", "--bizdate")
        self.assertEqual(self.run_job(document, *FAST, "--if-running", "skip").code, 99)
        first.kill()
        first.wait()
        ended = self.run_job(document, *FAST, "--if-running", "takeover")
        self.assertEqual((ended.code, ended.summary["resumed"]), (0, True), str(ended))
        self.assertEqual(sum(len(path.read_text().splitlines()) for path in (self.folder / "out").glob("orders*")), RECORDS)
        day = ("--bizdate", "20251231", "--once")
        self.assertEqual([self.run_job(document, *FAST, *day).summary["written"] for _ in "12"], [RECORDS, 0])
        writer["parameter"].update(fileName="kept", writeMode="nonConflict")
        document = job(reader, writer)
        self.assertEqual([self.run_job(document, *FAST, *day).summary["written"] for _ in "12"], [RECORDS, 0])
        self.assert_fails(self.run_job(document, *FAST, "--bizdate", "20260101"), 1, "writeMode is nonConflict and", "is there already")
