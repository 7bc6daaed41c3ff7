"""Connections that are lost while a run works with them: made again where nothing is doubled by it, and else said exactly; and
steps behind the data that fail, for whatever reason."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import threading
import time
import unittest

from e2e.harness import PROGRAM, job
from servers.either import OnMariaDB, OnPostgreSQL
from servers.fakes import Unmissed
from servers.running import until
from servers.server import ServerError


class OfEither:
    ROWS = 9000  # of 1 kB

    def fill(self):
        self.make_source(self.ROWS)
        self.sql("CREATE TABLE dst (id INT PRIMARY KEY, t VARCHAR(2000)); CREATE TABLE steps (n INT)")

    def begins(self, mbps=None, reader=None, more=(), setting=None, **writer):
        """Starts the job; `self.ended` has its end, then."""
        self.document = job(self.end("Reader", **{"table": "src", **(reader or {})}), self.end("Writer", "dst", **writer))
        self.document["setting"].update(setting or {})
        if mbps:
            self.document["setting"]["speed"].update(throttle=True, mbps=mbps)
        self.ended = []
        self.running = threading.Thread(target=lambda: self.ended.append(self.run_job(self.document, *more)))
        self.running.start()
        self.addCleanup(self.running.join)

    def until(self, true, what):
        until(lambda: true() or self.ended, what)
        self.assertFalse(self.ended, f"the run ended before {what}: {''.join(map(str, self.ended))}")

    def ends(self):
        self.running.join()
        return self.ended[0]

    def written(self):
        return int(self.sql("SELECT COUNT(*) FROM dst"))

    def is_begun(self):
        return self.sql(self.there) == "1\n" and self.sql("SELECT COUNT(*) FROM sluice_progress WHERE owner <> ''") == "1\n"

    def assert_all_arrived(self, ended):
        self.assertEqual(ended.code, 0, ended)
        summary = ended.summary
        self.assertEqual((summary["read"], summary["written"], summary["dirty"]), (self.ROWS, self.ROWS, 0))
        self.assertEqual(self.written(), self.ROWS)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM sluice_progress"), "0\n")
        self.assertEqual(self.sql("SELECT COUNT(*) FROM sluice_run WHERE run <> 'guard' AND (stage <> 'done' OR owner_host IS NOT NULL)"), "0\n")

    def test_all_of_a_run_that_are_killed_while_data_moves_and_again_before_its_end(self):
        self.fill()
        self.begins(mbps="3", reader={"snapshot": "none"})
        self.until(self.is_begun, "the split is begun")
        self.assertGreaterEqual(self.kill_all(), 3)
        self.until(lambda: self.written() > 0, "rows are committed")
        self.assertGreaterEqual(self.kill_all(), 2)
        ended = self.ends()
        self.assert_all_arrived(ended)
        self.assertGreaterEqual(ended.summary["rewinds"], 2)
        self.assertRegex(ended.text, r"tried again in 0\.[123] s \(try 1 of 15\)")

    def test_a_lost_session_that_the_server_does_not_miss_is_ended(self):
        self.fill()
        with Unmissed(self.port()) as way:
            writer = self.end("Writer", "dst")
            writer["parameter"]["jdbcUrl"] = writer["parameter"]["jdbcUrl"].replace(f":{self.port()}", f":{way.port}")
            self.document = job(self.end("Reader", "src", snapshot="none"), writer)
            self.document["setting"]["speed"].update(throttle=True, mbps="3")
            self.ended = []
            self.running = threading.Thread(target=lambda: self.ended.append(self.run_job(self.document)))
            self.running.start()
            self.addCleanup(self.running.join)
            self.until(lambda: self.written() > 0 and self.sql(self.writing) != "0\n", "rows are committed, and others are not")
            begun = time.monotonic()
            way.cut()
            ended = self.ends()
        self.assert_all_arrived(ended)
        self.assertLess(time.monotonic() - begun, 25, "the lock is not waited for until the lost session's time is over")
        self.assertGreaterEqual(ended.summary["rewinds"], 1)

    def test_the_session_of_a_process_that_was_killed_elsewhere_is_waited_for(self):
        self.ROWS = 10
        self.fill()
        self.sql("CREATE UNIQUE INDEX once ON steps (n); INSERT INTO steps VALUES (1)")
        self.document = job(self.end("Reader", "src"), self.end("Writer", "dst", postSql=["INSERT INTO steps VALUES (1)"]))
        self.assertEqual(self.run_job(self.document).code, 1)
        self.sql("DELETE FROM steps")
        holder = threading.Thread(target=self.sql, args=(self.holding,))
        holder.start()
        self.addCleanup(holder.join)
        until(lambda: self.sql(self.holder) != "", "the session of somebody else is there")
        name = self.sql(self.holder).strip()
        self.sql(f"UPDATE sluice_run SET owner_host = 'elsewhere', owner_pid = 1, owner_start = '', owner_session = '{name}', renewed_at = {self.now} WHERE run <> 'guard'")
        ended = self.run_job(self.document)
        self.assert_all_arrived(ended)

    def test_the_session_of_a_process_that_died_in_a_step_is_ended_before_its_locks_are_waited_for(self):
        self.ROWS = 10
        self.fill()
        self.sql("CREATE UNIQUE INDEX once ON steps (n)")
        same = job(self.end("Reader", "src"), self.end("Writer", "dst", preSql=["DELETE FROM dst", "INSERT INTO steps VALUES (1)"]))
        other = job(self.end("Reader", "src"), self.end("Writer", "dst", preSql=["DELETE FROM dst"]))
        died = (f"UPDATE sluice_run SET owner_host = '{socket.gethostname()}', owner_pid = 999999999, owner_start = 'gone', owner_session = {self.own_name} "
                f"WHERE run <> 'guard'; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN; UPDATE sluice_run SET stage = 'pre:2' WHERE run <> 'guard'; DELETE FROM dst; {self.sleeping.replace('1', '25')}")

        def dies():
            with contextlib.suppress(ServerError):  # it is ended
                self.sql(died)

        for document, more in ((same, []), (other, ["--name", "other"]), (same, ["--on-unfinished", "fresh"])):
            self.sql("DELETE FROM steps; INSERT INTO steps VALUES (1)")
            self.assertEqual(self.run_job(same).code, 1)
            self.sql("DELETE FROM steps")
            held = threading.Thread(target=dies)
            held.start()
            until(lambda: self.sql(self.asleep) != "0\n", "the session holds its locks")
            begun = time.monotonic()
            ended = self.run_job(document, *more)
            self.assertEqual((ended.code, ended.summary["written"]), (0, self.ROWS), ended)
            self.assertLess(time.monotonic() - begun, 10, "the locks of the session are not waited for")
            held.join()

    def test_the_session_of_a_process_that_stands_still_in_a_step_is_ended_before_its_locks_are_waited_for(self):
        self.fill()
        document = job(self.end("Reader", "src"), self.end("Writer", "dst"))
        slow = ["--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2"]
        first = subprocess.Popen(self.arguments(document, *slow), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        until(lambda: self.written() > 0, "rows are committed")
        first.send_signal(signal.SIGSTOP)

        def holds():
            with contextlib.suppress(ServerError):  # it is ended
                self.sql(f"UPDATE sluice_run SET owner_session = {self.own_name} WHERE run <> 'guard'; BEGIN; "
                         f"UPDATE sluice_run SET stage = stage WHERE run <> 'guard'; {self.sleeping.replace('1', '25')}")

        held = threading.Thread(target=holds)
        held.start()
        self.addCleanup(held.join)
        until(lambda: self.sql(self.asleep) != "0\n", "the session holds its locks")
        begun = time.monotonic()
        ended = self.run_job(document, "--if-running", "takeover")
        self.assert_all_arrived(ended)
        self.assertLess(time.monotonic() - begun, 10, "the locks of the session are not waited for")

    def killed_half(self, document, *more):
        slow = ["--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2"]
        process = subprocess.Popen(self.arguments(document, *slow, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until(lambda: self.written() > 0, "rows are committed")
        process.kill()
        process.wait()

    def test_a_run_goes_on_at_another_address_only_with_same_ends(self):
        self.fill()
        document = job(self.end("Reader", "src"), self.end("Writer", "dst"))
        moved = json.loads(json.dumps(document).replace("127.0.0.1", "localhost"))
        self.assertNotEqual(moved, document)
        self.killed_half(document)
        refused = self.run_job(moved)
        self.assertEqual((refused.code, refused.summary["error"]["code"]), (1, "other_ends"), refused)
        self.assertIn("with other addresses of its ends. Where these are the same systems", refused.text)
        ended = self.run_job(moved, "--same-ends")
        self.assert_all_arrived(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertIn("begun with other addresses of its ends, which are those of the same systems (--same-ends)", ended.text)
        self.assertEqual(self.run_job(moved, "--once").summary["read"], 0, "it is the job's at the new addresses from then on")

    def test_a_reader_whose_data_source_has_another_address_goes_on_only_with_same_ends(self):
        self.fill()
        reader = self.end("Reader", "src")
        server, database = re.search(r"//(.*)/(\w+)", reader["parameter"].pop("jdbcUrl")).groups()
        source = {"address": [{"host": "127.0.0.1", "port": int(server.rpartition(":")[2])}], "database": database,
                  **{key: reader["parameter"].pop(key) for key in ("username", "password")}}
        reader["parameter"]["datasource"] = "shop"
        registry = self.folder / "datasources.json"

        def registered(host):
            text = json.dumps({"version": 1, "datasources": [{"name": "shop", "type": reader["stepType"], "connectionProperties": source}]})
            registry.write_text(text.replace("127.0.0.1", host), encoding="utf-8")
            return ["--datasources", str(registry)]
        document = job(reader, self.end("Writer", "dst"))
        self.killed_half(document, *registered("127.0.0.1"))
        refused = self.run_job(document, *registered("localhost"))
        self.assertEqual((refused.code, refused.summary["error"]["code"]), (1, "other_ends"), refused)
        self.assertIn("its reader's data source has another address now", refused.text)
        ended = self.run_job(document, *registered("localhost"), "--same-ends")
        self.assert_all_arrived(ended)
        self.assertTrue(ended.summary["resumed"])

    def test_a_run_that_stands_still_is_taken_over_and_writes_nothing_when_it_goes_on(self):
        self.fill()
        document = job(self.end("Reader", "src"), self.end("Writer", "dst"))
        slow = ["--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2"]
        first = subprocess.Popen(self.arguments(document, *slow), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True, cwd=self.folder)
        self.addCleanup(first.communicate)
        self.addCleanup(first.kill)
        until(lambda: self.written() > 0, "rows are committed")
        first.send_signal(signal.SIGSTOP)
        self.assertIn(f"process {first.pid} on", self.run_job(document).text)
        ended = self.run_job(document, "--if-running", "takeover")
        self.assert_all_arrived(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertIn(f"is taken from process {first.pid} on", ended.text)
        self.assertEqual(self.run_job(document, "--once").code, 0)
        first.send_signal(signal.SIGCONT)
        said = first.communicate(timeout=60)[1]
        self.assertEqual(first.returncode, 98, said)
        self.assertRegex(said, "(?m)^Failed \\(conflict\\): .*was taken over by another process, which has completed the run$")
        self.assertEqual(said.splitlines()[-1], "What this process had not committed by then is not written by it; the run is the other one's.")
        self.assertEqual(self.written(), self.ROWS)
        listed = subprocess.run([PROGRAM, "runs", "list", "--json", "--state-dir", self.state], capture_output=True, text=True, check=True)
        run, = (run for run in json.loads(listed.stdout)["runs"] if run["run"] == ended.summary["run"])
        self.assertEqual((run["state"], run["written"]), ("succeeded", self.ROWS))
        for part in (run["run"], run["run"][:13], run["run"][-12:]):
            shown = subprocess.run([PROGRAM, "runs", "show", part, "--json", "--state-dir", self.state], capture_output=True, text=True, check=True)
            self.assertEqual(json.loads(shown.stdout)["folder"], run["folder"], part)

    def test_the_server_that_is_restarted_while_data_moves(self):
        self.fill()
        self.begins(mbps="3", reader={"snapshot": "none"}, more=["--report-interval", "500ms"])
        self.until(lambda: self.written() > 0, "rows are committed")
        self.server().restart(2)
        ended = self.ends()
        self.assert_all_arrived(ended)
        self.assertGreaterEqual(ended.summary["retries"], 4, "more than were made once")
        self.assertRegex(ended.text, r"tried again in [0-9.]+ s \(try 4 of 15\), from the mark at record [1-9]")
        self.assertRegex(ended.text, r"rows read, .*; the connection to the (source|destination) was lost; try [0-9]+ of 15 in [0-9.]+ s")

    def test_the_claim_that_is_killed_in_a_step_behind_the_data(self):
        self.ROWS = 10
        self.fill()
        self.begins(postSql=["INSERT INTO steps VALUES (1)", f"INSERT INTO steps SELECT 2 FROM ({self.sleeping}) x", "INSERT INTO steps VALUES (3)"])
        self.until(lambda: self.sql(self.sleeps) != "0\n", "the step runs")
        self.kill_all()
        ended = self.ends()
        self.assert_all_arrived(ended)
        self.assertIn("step 2 after the data", ended.text)
        self.assertEqual(self.sql("SELECT n FROM steps ORDER BY n"), "1\n2\n3\n")

    def test_a_step_of_which_nobody_can_know_whether_it_ran_is_not_run_again(self):
        self.ROWS = 10
        self.fill()
        self.prepare_alone()
        self.begins(postSql=["INSERT INTO steps VALUES (1)", self.alone, "INSERT INTO steps VALUES (3)"])
        self.until(lambda: self.sql(self.sleeps) != "0\n", "the step runs")
        self.kill_all()
        ended = self.ends()
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["retryable"]), (1, "not_connected", False), ended)
        self.assertIn("nobody but you can see whether it has run", ended.text)
        self.assertIn("All records are written. See what became of that step, then run the same command with --skip-postsql or --rerun-postsql", ended.text)
        refused = self.run_job(self.document)
        self.assertEqual((refused.code, refused.summary["error"]["code"]), (1, "step_unknown"), refused)
        again = self.run_job(self.document, "--skip-postsql")
        self.assert_all_arrived(again)
        self.assertEqual(self.sql("SELECT n FROM steps ORDER BY n"), "1\n3\n")

    def test_a_step_that_was_cut_short_says_what_to_do_first_where_no_marks_are_kept(self):
        self.ROWS = 10
        self.fill()
        self.prepare_alone()
        self.begins(setting={"progressTable": "none"}, postSql=["INSERT INTO steps VALUES (1)", self.alone])
        self.until(lambda: self.sql(self.sleeps) != "0\n", "the step runs")
        self.kill_all()
        ended = self.ends()
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["retryable"], ended.summary["resumable"]), (1, "not_connected", False, False), ended)
        self.assertIn("nobody but you can see whether it has run: look whether what it creates is there", ended.text)
        self.assertIn("the same command runs all steps again, because no marks are kept: where this one is done, take back what it has done, or take it out of the job, before that", ended.text)
        self.assertIn("See what became of that step, then run it again: it starts over. The 10 rows it has written stay", ended.text)
        self.assertNotIn("--skip-", ended.text)

    def kill_behind(self, stage):
        """Begins the run, and kills its process between a statement that has committed and its stage."""
        self.sql(self.slow_stage.format(stage=stage))
        arguments = self.arguments(self.document)
        run = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: self.sql(self.recording) != "" or run.poll() is not None, "the stage is being recorded")
        self.assertIsNone(run.poll(), "killed there")
        run.kill()
        run.communicate()
        for one in self.sql(self.recording).split():
            with contextlib.suppress(ServerError):  # it has ended itself
                self.sql(self.killing.format(one))
        self.sql(self.fast_stage)

    def test_a_step_that_commits_by_itself_of_a_process_that_was_killed_behind_it_is_asked_about(self):
        self.ROWS = 10
        self.fill()
        self.assertEqual(self.run_job(job(self.end("Reader", "src"), self.end("Writer", "dst"))).code, 0)
        self.sql("DELETE FROM dst")
        self.sql(self.unmade)
        first, last = "INSERT INTO steps VALUES (1)", "INSERT INTO steps VALUES (2)"
        self.document = job(self.end("Reader", "src"), self.end("Writer", "dst", preSql=[first, self.once], postSql=[self.again, self.once, last]))

        def refused(where, *more, text=""):
            ended = self.run_job(self.document, *more)
            self.assertEqual((ended.code, ended.summary["resumable"]), (1, bool(text)), ended)
            self.assertRegex(ended.text, text or fr'has begun step 2 {where} the data \({re.escape(self.once)}\), which commits by itself, .*look whether what it creates is there, '
                             fr"then run the same command with --skip-{'pre' if where == 'before' else 'post'}sql")
            return ended.summary["error"]["code"]

        self.kill_behind("pre:2")
        self.assertEqual(refused("before"), "step_unknown")
        self.assertEqual(refused("before", "--skip-postsql"), "step_unknown")
        refused("before", "--rerun-presql", text="exists")
        self.assertEqual(refused("before"), "step_unknown", "the second try tells nothing of the first")
        self.assertEqual(self.written(), 0)
        failed = self.run_job(self.document, "--skip-presql")
        self.assertEqual((failed.code, failed.summary["written"]), (1, self.ROWS), failed)
        self.assertIn("exists", failed.text)
        self.assertIn("goes on with the step behind the data that failed", failed.text, "the server said that it has not run")
        self.sql(self.unmade)
        self.kill_behind("post:2")
        self.assertEqual(refused("after"), "step_unknown")
        self.sql(self.unmade)
        self.assert_all_arrived(self.run_job(self.document, "--rerun-postsql"))
        self.assertEqual(self.sql("SELECT n FROM steps ORDER BY n"), "1\n2\n")
        self.assertEqual(self.sql(self.is_made), "1\n")
        self.sql(self.unmade)

    def test_a_step_behind_the_data_that_is_wrong_is_edited_and_the_same_command_runs_what_is_left(self):
        self.ROWS = 10
        self.fill()

        def run(*steps):
            return self.run_job(job(self.end("Reader", "src"), self.end("Writer", "dst", postSql=list(steps))))

        first, wrong, mended, third = (f"INSERT INTO {what}" for what in ("steps VALUES (1)", "dst (id) VALUES (7)", "steps VALUES (2)", "steps VALUES (3)"))
        failed = run(first, wrong, third)
        self.assertEqual((failed.code, failed.summary["error"]["kind"], failed.summary["resumable"]), (1, "bad_option", True), failed)
        self.assertIn("all records are written, and it goes on with the step behind the data that failed; postSql may be edited for that", failed.text)
        self.sql("DELETE FROM src")  # nobody reads it any more
        refused = run(mended, third)
        self.assertEqual((refused.code, refused.summary["error"]["kind"]), (1, "conflict"), refused)
        self.assertIn("run the first one of its steps behind the data, which is not the first of the job any more", refused.text)
        self.assertRegex(refused.text, r"changed since: steps\[1\]\.parameter\.postSql was .*INSERT INTO steps VALUES \(1\).* and is ")
        ended = run(first, mended, third)
        self.assert_all_arrived(ended)
        self.assertEqual(ended.summary["run"], failed.summary["run"])
        self.assertIn('postSql[1] was "INSERT INTO dst (id) VALUES (7)" and is "INSERT INTO steps VALUES (2)"', ended.text)
        self.assertIn("1 of the 3 steps behind the data have run", ended.text)
        self.assertEqual(self.sql("SELECT n FROM steps ORDER BY n"), "1\n2\n3\n")

    def test_a_destination_that_has_lost_confirmed_commits_is_said_so_before_the_steps_behind_the_data(self):
        self.ROWS = 10
        self.fill()
        document = job(self.end("Reader", "src"), self.end("Writer", "dst", preSql=["DELETE FROM dst"], postSql=["INSERT INTO steps VALUES (1)"]))
        self.assertEqual(self.run_job(document).code, 0)
        self.sql("DELETE FROM steps;" + self.undone)
        failed = self.run_job(document)
        self.sql(self.done_again)
        self.assertEqual((failed.code, failed.summary["error"]["kind"], failed.summary["error"]["code"], failed.summary["resumable"]), (1, "over_limit", "marks_lost", True), failed)
        self.assertIn("the destination has lost commits that it had confirmed: by its marks 0 of 1 splits are complete, with 10 records written", failed.text)
        self.assertIn("Run the same command again: it goes on from the marks that the destination has kept", failed.text)
        self.assertNotIn("all records are written", failed.text)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM steps"), "0\n")
        ended = self.run_job(document)
        self.assert_all_arrived(ended)
        self.assertIn(self.unsafe, ended.text)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM steps"), "1\n")

    def test_one_that_names_a_table_which_the_run_made_goes_on_with_the_statement_that_failed(self):
        self.ROWS = 10
        self.fill()
        document = job(self.end("Reader", "src"), self.end("Writer", "made", createTable=True, postSql=["UPDATE @table SET id = id", "INSERT INTO absent VALUES (1)"]))
        self.sql("DROP TABLE IF EXISTS made; DROP TABLE IF EXISTS absent")
        self.assertEqual(self.run_job(document).code, 1)
        self.sql("CREATE TABLE absent (n INT)")
        ended = self.run_job(document)
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.sql("SELECT (SELECT COUNT(*) FROM made) - (SELECT COUNT(*) FROM src), (SELECT COUNT(*) FROM absent)").split(), self.sql("SELECT 0, 1").split())

    def test_a_lock_of_somebody_else_is_named_while_it_is_waited_for_at_either_end(self):
        self.ROWS = 10
        self.fill()
        self.sql("CREATE TABLE full_one AS SELECT * FROM src; CREATE TABLE other (id INT PRIMARY KEY, t VARCHAR(2000)); "
                 "CREATE TABLE taken (id INT PRIMARY KEY, t VARCHAR(2000)); INSERT INTO taken VALUES (7, 'x')")
        for statements in (self.locking.format(table="src"), self.locking.format(table="dst"), "BEGIN; UPDATE taken SET t = 'y'; " + self.sleeping.replace("1", "8")):
            holder = threading.Thread(target=self.sql, args=(statements,))
            holder.start()
            self.addCleanup(holder.join)
        self.until_locked()
        runs = {}
        for table, source, target in (("src", "src", "other"), ("dst", "full_one", "dst"), ("taken", "full_one", "taken")):
            path = self.write(f"{table}.json", json.dumps(job(self.end("Reader", source), self.end("Writer", target, writeMode="update"))))
            runs[table] = subprocess.Popen([PROGRAM, "run", path, "--state-dir", self.folder / table], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for table, run in runs.items():
            text = run.communicate(timeout=60)[0]
            self.assertEqual(run.returncode, 0, text)
            self.assertRegex(text, (self.waits_for_rows if table == "taken" else self.waits).format(table=table, port=self.port()))
            self.assertEqual(text.count("waits for a lock on"), 1, text)


class PostgreSQL(OfEither, OnPostgreSQL):
    there = "SELECT count(*) FROM pg_tables WHERE tablename = 'sluice_progress'"
    sleeping = "SELECT pg_sleep(1)"
    sleeps = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice %' AND wait_event = 'PgSleep'"
    alone = "CREATE INDEX CONCURRENTLY slow ON steps (slow(n))"
    writing = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice %writer%' AND xact_start < now() - interval '200 ms'"
    holding, now = "SELECT pg_sleep(2)", "extract(epoch FROM now())::bigint"
    holder = "SELECT pid || '/' || (backend_start AT TIME ZONE 'UTC') FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'"
    own_name = "(SELECT pid || '/' || (backend_start AT TIME ZONE 'UTC') FROM pg_stat_get_activity(pg_backend_pid()))"
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    once, again = "CREATE DATABASE made_once", "VACUUM steps"
    unmade, is_made = "DROP DATABASE IF EXISTS made_once", "SELECT count(*) FROM pg_database WHERE datname = 'made_once'"
    slow_stage = ("CREATE FUNCTION slow_stage() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(60); RETURN NEW; END$$;"
                  "CREATE TRIGGER slow_stage BEFORE UPDATE ON sluice_run FOR EACH ROW WHEN (NEW.stage ~ '^{stage}( [0-9a-f]+)?$') EXECUTE FUNCTION slow_stage()")
    recording, killing = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'sluice %' AND wait_event = 'PgSleep'", "SELECT pg_terminate_backend({})"
    fast_stage = "DROP TRIGGER slow_stage ON sluice_run; DROP FUNCTION slow_stage()"
    undone = ("CREATE FUNCTION undone() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.done := 0; RETURN NEW; END$$;"
              "CREATE TRIGGER undone BEFORE UPDATE ON sluice_progress FOR EACH ROW EXECUTE FUNCTION undone()")
    done_again = "DROP TRIGGER undone ON sluice_progress; DROP FUNCTION undone()"
    unsafe = "exactly once (unless its machine crashes: fsync is off, so that it may lose its last commits)"

    locking = "BEGIN; LOCK TABLE {table}; SELECT pg_sleep(4)"
    waits = (r"warning .*127.0.0.1:{port}/sluice: waits for a lock on table {table}, 3.* s so far; held by process [0-9]+ \(\"psql\", user admin, active, "
             r"in its transaction for [0-9]+ s\); lock_timeout \(30s\) ends the wait")

    waits_for_rows = r"waits for a lock on rows that another transaction has changed, for .*INTO .*taken.*, 3.* s so far; held by process [0-9]+ \(.*lock_timeout \(30s\)"

    def until_locked(self):
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "3\n", "all are locked")

    def prepare_alone(self):
        self.sql("CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN $1; END'")

    def kill_all(self, part="%"):
        return int(self.sql(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'sluice {part}'"))

    def test_the_early_connection_to_the_destination_that_ends_while_the_source_waits_for_a_lock(self):
        self.ROWS = 10
        self.fill()
        holder = threading.Thread(target=self.sql, args=("BEGIN; LOCK TABLE src; SELECT pg_sleep(2)",))
        holder.start()
        self.addCleanup(holder.join)
        until(lambda: self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1\n", "it is locked")
        self.begins()
        self.until(lambda: self.kill_all("% target") == 1, "the early connection is there, and ended")
        self.assertEqual(self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), "1\n", "the source waits still")
        self.assert_all_arrived(self.ends())

    def test_a_claim_that_somebody_else_took_meanwhile_ends_the_run(self):
        self.fill()
        self.begins(mbps="3", reader={"snapshot": "none"})
        self.until(lambda: self.written() > 0, "rows are committed")
        self.sql("UPDATE sluice_run SET term = term + 1 WHERE run <> 'guard'")
        self.kill_all()
        ended = self.ends()
        self.assertEqual((ended.code, ended.summary["error"]["kind"]), (98, "conflict"), ended)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM sluice_run WHERE stage = 'loading'"), "1\n")

    def test_without_retries_a_lost_connection_ends_the_run_and_the_same_command_goes_on(self):
        self.fill()
        self.begins(mbps="3", reader={"snapshot": "none"}, more=["--retries", "0"])
        self.until(lambda: self.written() > 0, "rows are committed")
        self.kill_all()
        ended = self.ends()
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["resumable"], ended.summary["retries"]), (1, "not_connected", True, 0), ended)
        self.assert_all_arrived(self.run_job({**self.document, "setting": {"speed": {"concurrent": 1}}}))

    def test_the_holder_of_the_snapshot_that_is_killed(self):
        self.fill()
        self.sql("ALTER TABLE src RENAME TO first; CREATE TABLE second AS SELECT id + 100000 AS id, t FROM first LIMIT 3; ALTER TABLE second ADD PRIMARY KEY (id)")
        self.begins(mbps="3", reader={"table": ["first", "second"]})
        self.until(lambda: self.written() > 0, "rows are committed")
        self.assertEqual(self.kill_all("% source"), 1)
        ended = self.ends()
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["resumable"]), (1, "not_connected", True), ended)
        self.assertIn("the run's snapshot is gone", ended.text)
        self.succeeds(self.document)
        self.assertEqual(self.written(), self.ROWS + 3)


class MariaDB(OfEither, OnMariaDB):
    there = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sluice' AND table_name = 'sluice_progress'"
    sleeping = "SELECT SLEEP(1)"
    sleeps = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'admin' AND state = 'User sleep'"
    alone = "CREATE TABLE made AS SELECT SLEEP(2)"
    writing = "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 10"
    holding, now = "SELECT GET_LOCK('sluice/x', 1), SLEEP(2)", "UNIX_TIMESTAMP()"
    holder = "SELECT CONCAT(IS_USED_LOCK('sluice/x'), '/x@', CONCAT_WS('/', @@server_id, @@hostname, @@port)) WHERE IS_USED_LOCK('sluice/x') IS NOT NULL"
    own_name = "IF(GET_LOCK('sluice/x', 1), CONCAT(CONNECTION_ID(), '/x@', CONCAT_WS('/', @@server_id, @@hostname, @@port)), '')"
    asleep = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'"
    once, again = "CREATE TABLE made_once (n INT)", "TRUNCATE TABLE emptied"
    unmade = "DROP TABLE IF EXISTS made_once; CREATE TABLE IF NOT EXISTS emptied (n INT)"
    is_made = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'made_once'"
    slow_stage = "CREATE TRIGGER slow_stage BEFORE UPDATE ON sluice_run FOR EACH ROW SET NEW.term = NEW.term + IF(NEW.stage RLIKE '^{stage}( [0-9a-f]+)?$', SLEEP(60), 0)"
    recording, killing = "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'", "KILL {}"
    fast_stage = "DROP TRIGGER slow_stage"
    undone, done_again = "CREATE TRIGGER undone BEFORE UPDATE ON sluice_progress FOR EACH ROW SET NEW.done = 0", "DROP TRIGGER undone"
    unsafe = "exactly once (unless the server crashes: innodb_flush_log_at_trx_commit is 0, so that it may lose the commits of its last second)"

    locking = "LOCK TABLES {table} WRITE; SELECT SLEEP(4)"
    waits = r"warning .*127.0.0.1:{port}/sluice\"?: waits for a lock on the table of .*{table}.*, 3.* s so far.*; lock_wait_timeout \([0-9]+ s\) ends the wait"

    waits_for_rows = r"waits for a lock on rows that another transaction has changed, for .*INTO .*taken.*, 3.* s so far; held by connection [0-9]+ \(.*innodb_lock_wait_timeout"

    def test_a_call_that_fails_is_asked_about_where_it_has_committed_something(self):
        self.ROWS = 10
        self.fill()
        for name, between in (("whole", ""), ("half", "COMMIT;")):
            self.sql(f"DELIMITER //\nCREATE PROCEDURE {name}() BEGIN INSERT INTO steps VALUES (1); {between} INSERT INTO dst (id) VALUES (7); END//\nDELIMITER ;\n")
            with self.subTest(name):
                document = job(self.end("Reader", "src"), self.end("Writer", "dst", writeMode="replace", postSql=[f"CALL {name}()"]))
                codes = [self.run_job(document).summary["error"]["code"] for _ in range(2)]
                self.assertEqual([code == "step_unknown" for code in codes], [name == "half"] * 2, codes)
                self.assertEqual(self.sql("SELECT COUNT(*) FROM steps"), "1\n" if name == "half" else "0\n")
                ended = self.run_job(document, "--skip-postsql", "--on-unfinished", "resume" if name == "half" else "fresh")
                self.assertEqual(ended.code, 0 if name == "half" else 1, ended)

    def test_a_statement_that_runs_others_is_undone_with_them_where_one_fails(self):
        self.ROWS = 10
        self.fill()
        both = "INSERT INTO steps VALUES (1); INSERT INTO dst (id) VALUES (7);"
        for statement in (
            f"FOR i IN 1..2 DO {both} END FOR",
            f"SET STATEMENT lock_wait_timeout = 9 FOR BEGIN NOT ATOMIC {both} END",
            f"EXECUTE IMMEDIATE 'IF 1 THEN {both} END IF'",
        ):
            with self.subTest(statement):
                ended = self.run_job(job(self.end("Reader", "src"), self.end("Writer", "dst", writeMode="replace", postSql=[statement])))
                self.assertEqual((ended.summary["error"]["code"], self.sql("SELECT COUNT(*) FROM steps")), ("ER_DUP_ENTRY", "0\n"), ended)

    def until_locked(self):
        until(lambda: self.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep'") == "3\n", "all are locked")

    def prepare_alone(self):
        pass

    def kill_all(self):
        ids = self.sql("SELECT id FROM information_schema.processlist WHERE user = 'admin'").split()
        for one in ids:
            with contextlib.suppress(ServerError):  # it has ended itself
                self.sql(f"KILL {one}")
        return len(ids)


if __name__ == "__main__":
    unittest.main()
