#!/usr/bin/env python3
"""Measures Sluice on this machine and writes docs/benchmarks.md: ratios from one run, each against another program on
the same file where there is one. Needs the release build; fetches DuckDB and xsv into build/tools."""

import argparse
import itertools
import json
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build" / "release" / "bin" / "sluice"
TOOLS = ROOT / "build" / "tools"
sys.path.insert(0, str(ROOT / "tests"))

from bench.databases import Databases  # noqa: E402
from e2e.csv_to_sqlite_test import orders_file  # noqa: E402
from e2e.harness import ORDERS_TABLE, csv_reader, job, sqlite_writer  # noqa: E402

MIB = 1 << 20


class Cost:
    """What a process took."""

    def __init__(self, wall_s, cpu_s, rss_bytes, rss_samples):
        self.wall_s = wall_s
        self.cpu_s = cpu_s
        self.rss_bytes = rss_bytes
        self.rss_samples = rss_samples


def resident_bytes(pid):
    """Resident memory of a process now; nothing where it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    return int(line.split()[1]) * 1024 if line else None


def sample_memory(child, samples):
    """Reads the resident memory of a process ten times a second until it ends; it is not waited for."""
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        resident = resident_bytes(child.pid)
        if resident is not None:
            samples.append(resident)
        time.sleep(0.1)


def measure(argv, cwd, stdin=None, stdout=subprocess.DEVNULL, sampled=False):
    """Runs a program to its successful end."""
    samples = []
    with open(cwd / "err.txt", "w+", encoding="utf-8", errors="replace") as err:
        begin = time.monotonic()
        child = subprocess.Popen([str(a) for a in argv], cwd=cwd, stdin=stdin, stdout=stdout, stderr=err)
        if sampled:
            sample_memory(child, samples)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            err.seek(0)
            raise RuntimeError(f"{argv} ended with {child.returncode}: {err.read()[-1500:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, samples)


class Bench:
    program = PROGRAM

    def __init__(self, folder, scale):
        self.folder = folder
        self.scale = scale  # rows are divided by this, to try the script out
        self.rows = []      # (name, measured, other, ratio or limit, met)

    def run(self, document, *more, sampled=False):
        path = self.folder / "job.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        summary = self.folder / "summary.json"
        cost = measure([PROGRAM, "run", path, "--state-dir", self.folder / "state", "--summary", summary, *more], self.folder,
                       sampled=sampled)
        return cost, json.loads(summary.read_text(encoding="utf-8"))

    def table(self, name="orders.db"):
        path = self.folder / name
        for old in self.folder.glob(name + "*"):
            old.unlink()
        db = sqlite3.connect(path)
        db.execute(ORDERS_TABLE)
        db.commit()
        db.close()
        return path

    def note(self, name, measured, limit, met):
        self.rows.append((name, measured, limit, met))
        print(f"{name}: {measured} ({limit}) {'met' if met else 'MISSED'}", flush=True)

    def streams(self):
        types = ["long", "string", "double", "date", "bool", "long", "string", "double", "bytes", "string"]
        constants = {"long": "12345", "string": "a constant text", "double": "3.25", "date": "2026-01-02 03:04:05",
                     "bool": "true", "bytes": "some bytes"}
        randoms = {"long": "0,1000000", "string": "5,15", "double": "0,1000", "bool": "1,1", "bytes": "5,15",
                   "date": "2020-01-01 00:00:00,2026-01-01 00:00:00"}
        writer = {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}
        for how, values, records, limit_us in (("value", constants, 20_000_000, 0.10), ("random", randoms, 3_000_000, 0.50)):
            records //= self.scale
            reader = {"stepType": "stream", "category": "reader", "name": "Reader", "parameter": {
                "sliceRecordCount": records, "column": [{"type": t, how: values[t]} for t in types]}}
            costs = [self.run(job(reader, writer))[0] for _ in range(3)]
            us = min(c.cpu_s for c in costs) / records * 1e6
            name = "constant" if how == "value" else "random"
            self.note(f"stream to stream, 10 {name} columns, one pipeline", f"{us:.3f} us CPU a record",
                      f"at most {limit_us:.2f}", us <= limit_us)

    def csv_to_sqlite(self):
        source = orders_file(1_000_000 // self.scale, bad=0)
        ours, theirs = [], []
        for _ in range(3):
            database = self.table()
            cost, summary = self.run(job(csv_reader(source), sqlite_writer(database)))
            assert summary["written"] == 1_000_000 // self.scale, summary
            ours.append(cost.wall_s)
            database = self.table("import.db")
            theirs.append(measure(["sqlite3", database, f".import --csv --skip 1 '{source}' orders"], self.folder).wall_s)
        self.ratio("CSV to SQLite, 1 M rows, wall, against `sqlite3 .import`", ours, {"sqlite3 .import": theirs})

    def csv_to_csv(self):
        source = orders_file(1_000_000 // self.scale, bad=0)
        reader = csv_reader(source, column=["*"], skipHeader=False)
        for name in ("nullFormat",):
            reader["parameter"].pop(name)
        writer = {"stepType": "text", "category": "writer", "name": "Writer", "parameter": {
            "path": str(self.folder / "out"), "fileName": "orders", "fileFormat": "csv", "writeMode": "truncate"}}
        duckdb, xsv = fetch_duckdb(), fetch_xsv()
        ours, theirs = [], {"DuckDB": [], "xsv fmt": []}
        for _ in range(3):
            shutil.rmtree(self.folder / "out", ignore_errors=True)
            (self.folder / "out").mkdir()
            ours.append(self.run(job(reader, writer, concurrent=os.cpu_count() or 1))[0].wall_s)
            sql = (f"COPY (SELECT * FROM read_csv('{source}', all_varchar = true, header = true)) "
                   f"TO '{self.folder}/duck.csv' (HEADER)")
            theirs["DuckDB"].append(measure([duckdb, "-c", sql], self.folder).wall_s)
            theirs["xsv fmt"].append(measure([xsv, "fmt", source, "-o", self.folder / "xsv.csv"], self.folder).wall_s)
        self.ratio("CSV to CSV, all columns text, 1 M rows, wall, against the better of DuckDB and `xsv fmt`", ours, theirs)

    def ratio(self, name, ours, theirs):
        best = min(min(times) for times in theirs.values())
        ratio = min(ours) / best
        others = ", ".join(f"{who} {min(times):.2f} s" for who, times in theirs.items())
        self.note(name, f"{ratio:.2f} (Sluice {min(ours):.2f} s, {others}; best of {len(ours)})", "at most 1.00", ratio <= 1)

    def memory(self):
        for rows in (1_000_000, 10_000_000):
            source = orders_file(rows // self.scale, bad=37)
            cost, summary = self.run(job(csv_reader(source), sqlite_writer(self.table())), sampled=True)
            assert summary["dirty"] == 37 and summary["read"] == rows // self.scale, summary
            self.note(f"CSV to SQLite, {rows // 1_000_000} M rows, resident memory at its peak", f"{cost.rss_bytes / MIB:.0f} MiB",
                      "under 256 MB", cost.rss_bytes < 256_000_000)
        # A peak grows with the number of samples, and a short run is mostly start: so early and late of the long one.
        third = len(cost.rss_samples) // 3
        early, late = statistics.median(cost.rss_samples[:third]), statistics.median(cost.rss_samples[-third:])
        self.note("the same, 10 M rows, median of the last third against that of the first", f"{late / early:.2f}",
                  "flat: at most 1.10", late <= 1.1 * early)

    def start(self):
        source = orders_file(10, bad=0)
        times = []
        for _ in range(21):
            database = self.table()
            times.append(self.run(job(csv_reader(source), sqlite_writer(database)))[0].wall_s * 1000)
        ms = statistics.median(times)
        # SQLite makes each of the run's seven transactions durable with four syncs: a slow disk is seen here.
        self.note("a whole process for 10 rows, CSV to SQLite",
                  f"{ms:.0f} ms (median of {len(times)}; one of its 28 syncs takes {self.sync_ms():.1f} ms on this disk)",
                  "at most 50 ms", ms <= 50)

    def sync_ms(self):
        """What it takes to make a small change of a file durable, in the median."""
        times = []
        with open(self.folder / "synced", "wb") as file:
            for _ in range(50):
                file.write(b"x" * 4096)
                file.flush()
                begun = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - begun) * 1000)
        return statistics.median(times)

    def databases(self):
        Databases(self, measure).all()

    def duplicates(self):
        Databases(self, measure).beside_duplicates()

    def database_memory(self):
        Databases(self, measure).memory()

    def marks(self):
        source = orders_file(500_000 // self.scale, bad=0)
        self.cost_of_marks("CSV to SQLite", job(csv_reader(source), None), lambda: sqlite_writer(self.table()))
        Databases(self, measure).beside_marks()

    def cost_of_marks(self, name, document, fresh_writer, rounds=31):
        """The same job with marks and without any, one behind the other, `rounds` times, each first by turns: the time of the data, which is
        committed at the same intervals. Counts the median of the rounds' ratios, as one slow run moves the best and the mean."""
        ratios, seconds = [], {"sluice": [], "none": []}
        for turn in range(rounds):
            for table in sorted(seconds, reverse=turn % 2):
                document["steps"][1] = fresh_writer()
                document["setting"]["progressTable"] = table
                _, summary = self.run(document, "--on-unfinished", "fresh")
                assert summary["written"] == summary["read"] and summary["dirty"] == 0, summary
                seconds[table].append(next(p["seconds"] for p in summary["phases"] if p["name"] == "data"))
            ratios.append(seconds["none"][-1] / seconds["sluice"][-1])
        middle = statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4)
        best = {table: min(times) for table, times in seconds.items()}
        self.note(f"{name}, speed with marks against none kept (`progressTable` `none`)",
                  f"{middle:.3f} ({summary['written']:,} rows, median of {rounds} pairs, half of them within {low:.3f} to {high:.3f}; "
                  f"best {best['sluice']:.2f} s and {best['none']:.2f} s)",
                  "at least 0.98", middle >= 0.98)

    def killed(self):
        Databases(self, measure).killed_late()

    def peers(self):
        Databases(self, measure).beside_peers()

    def throttle(self):
        for mbps, pipelines in itertools.product((1, 10, 50), (1, 4)):
            seconds = 10 / min(self.scale, 5)
            record_bytes = 1000
            records = int(mbps * MIB * seconds / record_bytes / pipelines)
            reader = {"stepType": "stream", "category": "reader", "name": "Reader", "parameter": {
                "sliceRecordCount": records, "column": [{"type": "string", "value": "x" * record_bytes}]}}
            writer = {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}
            document = job(reader, writer, concurrent=pipelines)
            document["setting"]["speed"].update(throttle=True, mbps=str(mbps))
            _, summary = self.run(document)
            data_s = sum(p["seconds"] for p in summary["phases"] if p["name"] == "data")
            off = summary["bytes"] / data_s / (mbps * MIB) - 1
            self.note(f"throttle at {mbps} MB/s, {pipelines} pipeline{'s' * (pipelines > 1)}, {data_s:.1f} s", f"{off:+.1%}",
                      "within 2 %", abs(off) <= 0.02)


def fetch_duckdb():
    program = TOOLS / "venv" / "bin" / "duckdb"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS / "venv"], check=True)
        subprocess.run([TOOLS / "venv" / "bin" / "pip", "-q", "install", "duckdb-cli"], check=True)
    return program


def fetch_xsv():
    program = TOOLS / "xsv" / "bin" / "xsv"
    if not program.exists():
        subprocess.run(["cargo", "install", "-q", "xsv", "--root", TOOLS / "xsv"], check=True)
    return program


def version_of(argv):
    return subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=True).stdout.split("\n")[0].strip()


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")),
               platform.processor())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    system = next((line.split("=")[1].strip().strip('"') for line in open("/etc/os-release", encoding="utf-8")
                   if line.startswith("PRETTY_NAME")), platform.system())
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB of memory, {system}, Linux {platform.release()}"


def page(bench, date):
    lines = [
        "# Benchmarks",
        "",
        "Written by `./tests/run.sh bench`; every figure is from one run of it. Absolute values are this machine's; compare ratios.",
        "",
        f"- Date: {date}",
        f"- Machine: {machine()}",
        f"- Sluice: {version_of([PROGRAM, 'version'])}; sqlite3 {version_of(['sqlite3', '--version']).split()[0]}; "
        f"DuckDB {version_of([fetch_duckdb(), '--version'])}; xsv {version_of([fetch_xsv(), '--version'])}",
        "- Data: `tests/data/make_orders.py` (8 columns, quoted newlines, Unicode, about 80 bytes a row)",
        "",
        "| What | Measured | Wanted | Met |",
        "|---|---|---|---|",
    ]
    lines += [f"| {name} | {measured} | {limit} | {'yes' if met else '**no**'} |" for name, measured, limit, met in bench.rows]
    remarks = ROOT / "tests" / "bench" / "remarks.md"
    if remarks.exists():
        lines += ["", remarks.read_text(encoding="utf-8").strip()]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    everything = ["start", "streams", "csv_to_sqlite", "csv_to_csv", "memory", "throttle", "databases", "duplicates", "marks", "killed", "database_memory", "peers"]
    parser.add_argument("--only", choices=everything, action="append",
                        help="measure only this, and leave docs/benchmarks.md alone")
    parser.add_argument("--scale", type=int, default=1, help="divide the numbers of rows by this, to try the script out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        bench = Bench(Path(folder), options.scale)
        for name in options.only or everything:
            getattr(bench, name)()
    if not options.only and options.scale == 1:
        (ROOT / "docs" / "benchmarks.md").write_text(page(bench, time.strftime("%Y-%m-%d")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
