"""CSV to SQLite killed at random and continued by the same command: SLUICE_KILLS of them (40 in the chaos suite)."""

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
        db = sqlite3.connect(database)
        with db:
            db.execute("DELETE FROM orders")
        db.close()

        kills = 0
        finished = 0
        covered = []
        wanted, bad = reference.expected(source, ORDER_KINDS)
        wanted.sort()
        argv = self.arguments(document, "--name", "killed")
        while kills < KILLS:
            self.summary_path().unlink(missing_ok=True)
            process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                                       cwd=self.folder)
            try:
                process.wait(timeout=dice.uniform(0, whole_s * 0.6))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            err = process.communicate()[1]
            if process.returncode == -signal.SIGKILL:
                kills += 1
                covered.append(self.committed(database))
                continue
            # It came to its end before the next kill: judged, then all begins again.
            self.assertEqual(process.returncode, 0, f"seed {SEED}\n{err}")
            self.judge(source, database, wanted, bad)
            finished += 1
            db = sqlite3.connect(database)
            with db:
                db.execute("DELETE FROM orders")
            db.close()
            self.forget_dirty()
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", cwd=self.folder)
        self.assertEqual(done.returncode, 0, f"seed {SEED}\n{done.stderr}")
        self.judge(source, database, wanted, bad)
        inside = sum(1 for n in covered if 0 < n < len(wanted))
        print(f"\n  seed {SEED}: {kills} kills, {finished + 1} runs came to their end, {inside} kills fell between first and last "
              f"commit, rows then: {covered}; {whole_s:.1f} s unkilled")

    def summary_path(self):
        return self.folder / "summary.json"

    def forget_dirty(self):
        for path in self.state.rglob("dirty.jsonl"):
            path.write_bytes(b"")

    def judge(self, source, database, wanted, bad):
        why = f"seed {SEED}"
        summary = self.summary()
        self.assertIsNotNone(summary, why)
        self.assertEqual(summary["read"], ROWS, why)
        self.assertEqual(summary["dirty"], bad, why)
        self.assertEqual(summary["written"], ROWS - bad, why)
        self.assertEqual(summary["read"], summary["written"] + summary["ignored"] + summary["dirty"] + summary["filtered"], why)
        self.assertEqual(summary.get("dirty_missing", 0), 0, why)
        found = self.rows(database)
        self.assertEqual(len(found), len(wanted), why)
        for row, other in zip(found, wanted):
            self.assertEqual(row, other, why)
        killed = [d for d in self.dirty() if d["job"] == "killed"]
        self.assertEqual(len(killed), bad, why)
        self.assertEqual(len({(d["split"], d["position"]) for d in killed}), bad, f"{why}: a dirty record stands twice")
        self.assertEqual(len({d["run"] for d in killed}), 1, f"{why}: continued runs keep their id")
