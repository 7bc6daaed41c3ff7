"""Destinations that somebody empties or makes anew while a run writes them, or before it is continued; a job that writes the table it reads."""

import json
import os
import signal
import subprocess
import threading
import unittest

from e2e.harness import PROGRAM, job
from servers.either import OnMariaDB, OnPostgreSQL
from servers.running import until


class OfEither:
    ROWS = 9000  # of 1 kB
    make_dst = "CREATE TABLE dst (id INT PRIMARY KEY, t VARCHAR(2000))"

    def setUp(self):
        super().setUp()
        self.make_source(self.ROWS)
        self.sql(self.make_dst)
        self.document = job(self.end("Reader", "src"), self.end("Writer", "dst"))
        # Commits after 2 s and 4 s and at the end: a statement that waits for the second transaction runs before the third.
        self.document["setting"]["speed"].update(throttle=True, mbps="2")

    def rows(self):
        return int(self.sql("SELECT COUNT(*) FROM dst"))

    def until_written(self, ended):
        until(lambda: self.rows() > 0 or ended(), "rows are committed")
        self.assertFalse(ended(), "the run ended before anything was changed")

    def is_killed(self):
        """The same command again continues a run with committed rows, then, and faster."""
        path = self.write("job.json", json.dumps(self.document))
        run = subprocess.Popen([PROGRAM, "run", path, "--state-dir", self.folder / "state"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.until_written(lambda: run.poll() is not None)
        run.kill()
        run.wait()
        until(lambda: self.sql(self.sessions) == "0\n", "the server has noticed")
        self.document["setting"]["speed"] = {"concurrent": 1}

    def changed_meanwhile(self, *statements):
        ended = []
        running = threading.Thread(target=lambda: ended.append(self.run_job(self.document)))
        running.start()
        self.addCleanup(running.join)
        self.until_written(lambda: ended)
        for statement in statements:
            self.sql(statement)
        running.join()
        self.document["setting"]["speed"] = {"concurrent": 1}
        return ended[0]

    def refuses(self, ended, *parts):
        self.assertEqual((ended.code, (ended.summary["error"] or {}).get("kind")), (1, "conflict"), ended)
        for part in (*parts, "emptied or made anew", "--on-unfinished fresh"):
            self.assertIn(part, ended.text)
        self.assertFalse(ended.summary["resumable"])

    def test_emptied_or_made_anew_between_a_kill_and_the_same_command_and_put_back(self):
        self.is_killed()
        self.sql("CREATE TABLE saved AS SELECT * FROM dst")
        for emptied in ("TRUNCATE TABLE dst", "DELETE FROM dst"):
            self.sql(emptied)
            self.refuses(self.run_job(self.document), "the table is empty")
            self.refuses(self.run_job(self.document), "the table is empty")
            self.sql("INSERT INTO dst SELECT * FROM saved")
        self.wait_a_second()
        self.sql(f"DROP TABLE dst; {self.make_dst}; INSERT INTO dst VALUES (1000000, 'x')")
        self.refuses(self.run_job(self.document), "the table holds 1 rows")
        self.sql("DELETE FROM dst; INSERT INTO dst SELECT * FROM saved")
        self.succeeds(self.document)
        self.assertEqual(self.rows(), self.ROWS)

    def test_emptied_while_the_run_writes(self):
        ended = self.changed_meanwhile("TRUNCATE TABLE dst")
        self.refuses(ended, "this run has committed 9,000 into it")
        self.assertEqual(self.sql("SELECT stage FROM sluice_run WHERE run <> 'guard'"), "loading\n")
        self.refuses(self.run_job(self.document), "this run has committed 9,000 into it")  # what became of it is not forgotten
        self.sql("DELETE FROM dst")
        self.succeeds(self.document, "--on-unfinished", "fresh")
        self.assertEqual(self.rows(), self.ROWS)

    def test_written_anew_with_all_its_rows_while_the_run_writes(self):
        ended = self.changed_meanwhile(*self.rewrites)
        self.assertEqual((ended.code, self.rows()), (0, self.ROWS), ended)

    def test_a_step_behind_the_data_that_puts_the_table_elsewhere(self):
        del self.document["setting"]["speed"]["mbps"], self.document["setting"]["speed"]["throttle"]
        self.sql("INSERT INTO dst VALUES (1000000, 'x')")
        self.document["steps"][1]["parameter"].update(preSql=["TRUNCATE TABLE dst"], postSql=["ALTER TABLE dst RENAME TO elsewhere"])
        self.succeeds(self.document)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM elsewhere"), f"{self.ROWS}\n")

    def test_a_job_that_writes_the_table_it_reads(self):
        for more, refused in (({"preSql": ["DELETE FROM src WHERE id > 10"]}, "preSql runs before all of it is read"), ({}, "splits are read one after another")):
            document = job(self.end("Reader", "src", ["id", "t"], splitPk="id", snapshot="none"), self.end("Writer", "src", ["id", "t"], **more))
            document["setting"]["speed"] = {"concurrent": 4}
            for command in ("run", "check", "plan"):
                path = self.write("job.json", json.dumps(document))
                done = subprocess.run([PROGRAM, command, path, *(["--state-dir", self.folder / "state"] if command == "run" else [])], capture_output=True, text=True, timeout=60)
                self.assertNotEqual(done.returncode, 0, done.stdout)
                self.assertIn("this job reads the table that it writes", done.stdout + done.stderr)
                self.assertIn(refused, done.stdout + done.stderr)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM src"), f"{self.ROWS}\n")
        ended = self.run_job(job(self.end("Reader", "src", ["id + 100000", "t"], snapshot="shared"), self.end("Writer", "src", ["id", "t"], preSql=[self.harmless, "SELECT 1"])))
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("what is read is written into it once more", ended.text)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM src"), f"{2 * self.ROWS}\n")


class PostgreSQL(OfEither, OnPostgreSQL):
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice %'"
    rewrites = ("VACUUM FULL dst",)
    harmless = "SET lock_timeout = '9s'"

    def wait_a_second(self):
        pass

    def test_a_partition_that_is_emptied_while_the_run_writes(self):
        self.sql("DROP TABLE dst; CREATE TABLE dst (id int, t varchar(2000)) PARTITION BY RANGE (id); "
                 "CREATE TABLE low PARTITION OF dst FOR VALUES FROM (0) TO (100); CREATE TABLE high PARTITION OF dst DEFAULT")
        self.refuses(self.changed_meanwhile("TRUNCATE TABLE low"), "the table holds 8,901 rows")

    def test_a_crash_of_the_server_while_the_run_writes_an_unlogged_table(self):
        self.sql("ALTER TABLE dst SET UNLOGGED")
        plan = subprocess.run([PROGRAM, "plan", self.write("job.json", json.dumps(self.document))], capture_output=True, text=True, timeout=60)
        self.assertIn("exactly once, unless the server crashes", plan.stdout)
        ended = []
        self.document["steps"][0]["parameter"]["snapshot"] = "none"
        running = threading.Thread(target=lambda: ended.append(self.run_job(self.document)))
        running.start()
        self.addCleanup(running.join)
        self.until_written(lambda: ended)
        os.kill(int(self.sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'sluice %' LIMIT 1")), signal.SIGKILL)
        running.join()
        self.refuses(ended[0], "it is unlogged: a crash of the server empties it")


class MariaDB(OfEither, OnMariaDB):
    sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'admin' AND id <> CONNECTION_ID()"
    rewrites = ("OPTIMIZE TABLE dst",)
    harmless = "SET @nothing = 1"

    def wait_a_second(self):
        """Times of tables are in whole seconds, where their files are not told."""
        self.sql("SELECT SLEEP(1.1)")

    def test_the_plan_says_what_goes_unnoticed_without_the_right_to_see_files(self):
        self.sql("GRANT CREATE ON sluice.* TO writer@'%'")
        self.addCleanup(self.sql, "REVOKE CREATE ON sluice.* FROM writer@'%'")
        for user, unnoticed in (("writer", True), ("admin", False)):
            self.document["steps"][1] = self.end("Writer", "dst", user=user)
            plan = subprocess.run([PROGRAM, "plan", self.write("job.json", json.dumps(self.document))], capture_output=True, text=True, timeout=60)
            self.assertEqual("goes unnoticed" in plan.stdout, unnoticed, plan.stdout + plan.stderr)

    def test_put_aside_while_the_run_writes(self):
        self.refuses(self.changed_meanwhile("CREATE TABLE next_one (id INT PRIMARY KEY, t VARCHAR(2000)); RENAME TABLE dst TO before_it, next_one TO dst"))


if __name__ == "__main__":
    unittest.main()
