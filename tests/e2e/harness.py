"""Drives the real program: jobs, runs, destinations, folders that vanish with their test."""

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build" / os.environ.get("SLUICE_BUILD", "release") / "bin" / "sluice"

ORDER_KINDS = ["long", "string", "string", "long", "double", "date", "boolean", "string"]
ORDER_COLUMNS = ["id", "customer", "city", "quantity", "price", "ordered_at", "active", "note"]
ORDERS_TABLE = ("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, city TEXT, quantity INTEGER, price REAL, "
                "ordered_at TEXT, active INTEGER, note TEXT)")


class Ended:
    """A run that has ended."""

    def __init__(self, code, out, err, summary):
        self.code = code
        self.out = out
        self.err = err
        self.text = out + err
        self.summary = summary

    def __str__(self):
        return f"exit code {self.code}\n{self.text}"


def order_columns():
    formats = {"date": {"format": "yyyy-MM-dd HH:mm:ss"}}
    return [{"index": i, "name": name, "type": kind, **formats.get(kind, {})}
            for i, (name, kind) in enumerate(zip(ORDER_COLUMNS, ORDER_KINDS))]


def csv_reader(path, **more):
    return {"stepType": "text", "category": "reader", "name": "Reader",
            "parameter": {"path": [str(path)], "fileFormat": "csv", "encoding": "UTF-8", "skipHeader": True,
                          "nullFormat": "", "column": order_columns(), **more}}


def sqlite_writer(path, table="orders", columns=None, **more):
    return {"stepType": "sqlite", "category": "writer", "name": "Writer",
            "parameter": {"jdbcUrl": f"jdbc:sqlite:{path}", "table": table, "column": list(columns or ORDER_COLUMNS), **more}}


def job(reader, writer, concurrent=1, errors=None, **setting):
    limit = {} if errors is None else {"errorLimit": {"record": errors}}
    return {"type": "job", "version": "2.0", "steps": [reader, writer],
            "setting": {**limit, "speed": {"concurrent": concurrent, "throttle": False}, **setting},
            "order": {"hops": [{"from": "Reader", "to": "Writer"}]}}


class ProgramTest(unittest.TestCase):
    """Each test has a folder of its own whose name has spaces and umlauts."""

    maxDiff = 4000

    def setUp(self):
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built; ./tests/run.sh release builds it")
        self.folder = Path(tempfile.mkdtemp(prefix="sluice e2e ü "))
        self.folder.chmod(0o755)  # another user reads files in some tests
        self.state = self.folder / "state"
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def make_table(self, sql=ORDERS_TABLE, name="orders.db"):
        path = self.folder / name
        with sqlite3.connect(path) as db:
            db.execute(sql)
        db.close()
        return path

    def arguments(self, document, *more):
        path = self.folder / "job.json"
        if isinstance(document, (dict, list)):
            document = json.dumps(document, ensure_ascii=False, indent=2)
        if document is not None:
            path.write_text(document, encoding="utf-8")
        summary = self.folder / "summary.json"
        summary.unlink(missing_ok=True)
        return [str(PROGRAM), "run", str(path), "--state-dir", str(self.state), "--summary", str(summary), *map(str, more)]

    def run_job(self, document, *more, user=None, timeout=120, file_bytes_max=None, env=None):
        """Runs a job to its end. `user`: as which user id. `file_bytes_max`: no file may grow beyond. `env`: variables besides."""
        argv = self.arguments(document, *more)

        def prepare():
            if file_bytes_max is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=timeout, cwd=self.folder,
                              preexec_fn=prepare, env={**os.environ, **(env or {})}, **({"user": user, "group": user, "extra_groups": []} if user else {}))
        return Ended(done.returncode, done.stdout, done.stderr, self.summary())

    def verified(self, document, *flags):
        """What `sluice verify` says of the job: its exit code and its JSON."""
        path = self.write("verify.json", json.dumps(document, ensure_ascii=False))
        done = subprocess.run([str(PROGRAM), "verify", str(path), "--json", "--no-progress", "--state-dir", str(self.state), *flags],
                              capture_output=True, text=True, timeout=120, cwd=self.folder)
        self.assertTrue(done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)

    def run_measured(self, document, *more, timeout=300):
        """Runs a job to its end; gives that and the most memory that the program held, in bytes."""
        # The child tells its own peak: that of this process counts nothing it has forked before.
        child = ("import resource, subprocess, sys\n"
                 "done = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors='replace')\n"
                 "sys.stderr.write(done.stdout + done.stderr)\n"
                 "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
                 "sys.exit(done.returncode)")
        done = subprocess.run(["python3", "-B", "-c", child, *self.arguments(document, *more)], capture_output=True, text=True,
                              errors="replace", timeout=timeout, cwd=self.folder)
        return Ended(done.returncode, "", done.stderr, self.summary()), int(done.stdout) * 1024

    def kill_once(self, ready, document, *more):
        """Begins a run and kills it once `ready()`; it must not have ended by then."""
        process = subprocess.Popen(self.arguments(document, *more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        try:
            end = time.monotonic() + 120
            while not ready():
                self.assertLess(time.monotonic(), end, "nothing was written that a kill could leave")
                try:
                    process.wait(0.02)
                    self.fail("the run ended before it was killed")
                except subprocess.TimeoutExpired:
                    pass
        finally:
            process.kill()
            process.wait()

    @staticmethod
    def rows_stand(database):
        """Whether a run has committed rows with its mark."""
        if not database.exists():
            return False
        db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
        try:
            return bool(db.execute("SELECT sum(position) FROM sluice_progress").fetchone()[0])
        except sqlite3.OperationalError:
            return False
        finally:
            db.close()

    def summary(self):
        path = self.folder / "summary.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None

    def rows(self, path, sql="SELECT * FROM orders ORDER BY id"):
        db = sqlite3.connect(path)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def dirty(self):
        """The dirty records of all runs in the state folder."""
        found = []
        for path in sorted(self.state.rglob("dirty.jsonl")):
            found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return found

    def assert_succeeds(self, ended):
        self.assertEqual(ended.code, 0, str(ended))

    def assert_account(self, ended, **counts):
        """The account closes, and has these counts."""
        self.assertIsNotNone(ended.summary, str(ended))
        account = {k: ended.summary[k] for k in ("read", "written", "ignored", "dirty", "filtered")}
        self.assertEqual(account["read"], sum(v for k, v in account.items() if k != "read"), account)
        for name, count in counts.items():
            self.assertEqual(account[name], count, account)

    def assert_fails(self, ended, code, *texts):
        """Fails with this exit code; its messages hold all texts, and no crash or secret of ours."""
        self.assertEqual(ended.code, code, str(ended))
        for text in texts:
            self.assertIn(text, ended.text)
        for text in ("terminate called", "Traceback", "internal"):
            self.assertNotIn(text, ended.text)
