"""CSV to SQLite killed at random and continued by the same command: SLUICE_KILLS of them (6 in the suite kills, 40 in chaos)."""

import os
import random
import signal
import sqlite3
import subprocess
import time

from e2e import reference
from e2e.csv_to_sqlite_test import orders_file
from e2e.harness import ORDER_KINDS, ProgramTest, csv_reader, job, sqlite_writer

KILLS = int(os.environ.get("SLUICE_KILLS", "6"))
SEED = int(os.environ.get("SLUICE_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
ROWS = 500_000
BAD = 400


class Kills(ProgramTest):
    def committed(self, database):
        """Rows committed so far."""
        try:
            db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
            try:
                return db.execute("SELECT count(*) FROM orders").fetchone()[0]
            finally:
                db.close()
        except sqlite3.OperationalError:
            return 0

    def test_content_account_and_dirty_file_are_as_if_nobody_had_killed_it(self):
        source = orders_file(ROWS, BAD, seed=7)
        database = self.make_table()
        document = job(csv_reader(source), sqlite_writer(database), concurrent=3)
        dice = random.Random(SEED)
        began = time.monotonic()
        self.assert_succeeds(self.run_job(document, "--name", "measure"))
        whole_s = time.monotonic() - began
        self.begin_anew(database)

        kills = 0
        finished = 0
        covered = []
        wanted, bad = reference.expected(source, ORDER_KINDS)
        wanted.sort()
        argv = self.arguments(document, "--name", "killed")
        claimed_done = 0
        while True:
            self.summary_path().unlink(missing_ok=True)
            before = self.newest_run(database)
            was_done = before is not None and before[1:] == ("done", True)
            process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                       cwd=self.folder)
            try:
                process.wait(timeout=dice.uniform(0.05, 1) * whole_s if kills < KILLS else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            err = process.communicate()[1]
            if process.returncode == -signal.SIGKILL:
                kills += 1
                covered.append(self.committed(database))
                # Between the release of the claim and the exit a run is complete, and the next is another one.
                now = self.newest_run(database)
                if now == before or now[1:] != ("done", False):
                    continue
                self.judge(database, wanted, bad, err, summary=None)
            elif was_done:
                # The killed process had done all but release its claim: that is all this one had to do.
                claimed_done += 1
                self.assertEqual(process.returncode, 0, f"seed {SEED}\n{err}")
                self.judge(database, wanted, bad, err, summary=self.summary())
            else:
                self.assertEqual(process.returncode, 0, f"seed {SEED}\n{err}")
                self.judge(database, wanted, bad, err, summary=self.summary())
                finished += 1
                if kills >= KILLS:
                    break
            self.begin_anew(database)
        inside = sum(1 for n in covered if 0 < n < len(wanted))
        print(f"\n  seed {SEED}: {kills} kills, {inside} of them between the first and the last commit, {claimed_done} between the "
              f"end and the release of the claim; {finished} runs came to their end; rows committed at each kill: {covered}; "
              f"{whole_s:.1f} s unkilled")

    def newest_run(self, database):
        """(id, stage, whether its claim is held) of the newest run the destination knows; nothing where it knows none."""
        db = sqlite3.connect(database, timeout=5)
        try:
            row = db.execute("SELECT run, stage, owner_pid FROM sluice_run WHERE job_name = 'killed' ORDER BY run DESC LIMIT 1").fetchone()
            return row and (row[0], row[1], row[2] is not None)
        except sqlite3.OperationalError:
            return None
        finally:
            db.close()

    def begin_anew(self, database):
        db = sqlite3.connect(database)
        with db:
            db.execute("DELETE FROM orders")
        db.close()
        for path in self.state.rglob("dirty.jsonl"):
            path.write_bytes(b"")

    def summary_path(self):
        return self.folder / "summary.json"

    def judge(self, database, wanted, bad, err, summary):
        why = f"seed {SEED}\n{err}\n{summary}"
        if summary is not None:
            self.assertEqual(summary["read"], ROWS, why)
            self.assertEqual(summary["dirty"], bad, why)
            self.assertEqual(summary["written"], ROWS - bad, why)
            self.assertEqual(summary["read"], sum(summary[k] for k in ("written", "ignored", "dirty", "filtered")), why)
            self.assertEqual(summary["dirty_missing"], 0, why)
        found = self.rows(database)
        self.assertEqual(len(found), len(wanted), why)
        for row, other in zip(found, wanted):
            self.assertEqual(row, other, why)
        killed = [d for d in self.dirty() if d["job"] == "killed"]
        self.assertEqual(len(killed), bad, why)
        self.assertEqual(len({(d["split"], d["position"]) for d in killed}), bad, f"{why}: a dirty record stands twice")
        self.assertEqual(len({d["run"] for d in killed}), 1, f"{why}: continued runs keep their id")
