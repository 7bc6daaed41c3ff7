"""Things happen to jobs between real servers, and the same command is run again: is each row there once? See README.md.

    python3 -B tests/chaos/chaos.py --kills 60      until 60 things have happened
    python3 -B tests/chaos/chaos.py --seed 4711     one case again
"""

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chaos.case import SOURCES, TARGETS, Case, Wrong  # noqa: E402
from servers.certificates import Certificates  # noqa: E402
from servers.mysql import MariaDB  # noqa: E402
from servers.postgresql import PostgreSQL  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "build" / "test-logs" / "chaos"
ROUTES = [(source, target) for source in SOURCES for target in TARGETS]


class DurableMariaDB(MariaDB):
    """A commit that it has confirmed outlives its process, as on any server whose owner wants to keep rows."""

    def command(self):
        return [*super().command(), "--innodb-flush-log-at-trx-commit=2"]


class Servers:
    """Of one worker, each started when a case first asks for it."""

    kinds = {"postgresql": PostgreSQL, "mariadb": DurableMariaDB}

    def __init__(self, ends, certificates):
        self.ends, self.certificates = ends, certificates
        self.running = {}

    def of(self, system):
        """A running one: where a case has left a server that does not start, the next has a new one."""
        if system not in self.running or self.running[system].process.poll() is not None:
            server = self.ends.enter_context(self.kinds[system](self.certificates))
            server.ends = self.ends  # of what must live as long
            self.running[system] = server
        return self.running[system]


class Chaos:
    """Runs cases on workers until there are enough hits. Threads: each worker takes the next seed under `turn`."""

    def __init__(self, first, kills, seed, routes, seconds):
        self.first, self.kills, self.seed, self.routes = first, kills, seed, routes
        self.turn = threading.Lock()
        self.taken = 0
        self.hits, self.resumes, self.failures = [], [], []
        self.passed = 0
        self.stopped = False
        self.end = time.monotonic() + seconds if seconds else None

    def next(self):
        """A seed and its route, or nothing."""
        with self.turn:
            enough = len(self.hits) >= self.kills or (self.end is not None and time.monotonic() > self.end)
            if self.stopped or self.taken and (self.seed is not None or enough):
                return None
            self.taken += 1
            number = self.seed if self.seed is not None else self.first + self.taken - 1
            return number, self.routes[number % len(self.routes)]

    def work(self):
        with contextlib.ExitStack() as ends:
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="sluice-chaos-", ignore_cleanup_errors=True)))
            folder.chmod(0o755)
            servers = Servers(ends, Certificates(folder))
            while (taken := self.next()) is not None:
                try:
                    self.one(*taken, servers)
                except Exception:
                    with self.turn:
                        self.fails(f"seed {taken[0]}: the harness broke", traceback.format_exc())
                    return

    def one(self, seed, route, servers):
        folder = KEPT / f"seed-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        case = Case(seed, servers, folder, route)
        began = time.monotonic()
        wrong = None
        try:
            case.run()
            case.remove()
        except Wrong as what:
            wrong = what
        except Exception:
            wrong = traceback.format_exc()
        with self.turn:
            self.hits += case.hits
            self.resumes += case.resumes
            if wrong is None:
                self.passed += 1
                print(f"seed {seed}: {time.monotonic() - began:.1f} s, {len(case.hits)} of {len(case.events)}: {case}", flush=True)
                return
            case.keep(wrong)
            self.fails(f"seed {seed}: {case}", f"{wrong}\nleft in {folder}\nreplay: python3 -B tests/chaos/chaos.py --seed {seed} --route '{case.route}'")

    def fails(self, title, text):
        self.failures.append(title)
        print(f"FAILED {title}\n  " + text.strip().replace("\n", "\n  "), flush=True)

    def run(self, workers):
        threads = [threading.Thread(target=self.work) for _ in range(workers if self.seed is None else 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.seed is None and len(self.hits) < self.kills:
            self.fails(f"{len(self.hits)} hits", f"expected {self.kills}: the machine is too slow for them, or cases end before anything happens to them")
        self.report()

    def report(self):
        routes = sorted({hit.route for hit in self.hits})
        events = sorted({hit.event for hit in self.hits})
        print(f"\n{len(self.hits)} hits in {self.passed + len(self.failures)} cases, first seed {self.seed or self.first}")
        for title, rows, key in (("by route", routes, lambda hit: hit.route), ("by phase", sorted({hit.phase for hit in self.hits}), lambda hit: hit.phase)):
            print(f"\n{title:<32}" + "".join(f"{event:>{len(event) + 2}}" for event in events))
            for row in rows:
                counted = Counter(hit.event for hit in self.hits if key(hit) == row)
                print(f"{row:<32}" + "".join(f"{counted[event] or '':>{len(event) + 2}}" for event in events))
        if self.resumes:
            print(f"\nlongest time from the same command's begin to its data: {max(self.resumes):.2f} s, of {len(self.resumes)}")
        print(f"{self.passed} passed, {len(self.failures)} failed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60, help="things that must have happened; default: 60")
    parser.add_argument("--seed", type=int, help="run this case alone")
    parser.add_argument("--first", type=int, default=random.SystemRandom().randrange(1, 2**31), help="the first seed; default: a random one")
    parser.add_argument("--workers", type=int, default=2, help="cases at once, each with servers of its own; default: 2")
    parser.add_argument("--route", help='such as "PostgreSQL to SQLite"; default: all in turn')
    parser.add_argument("--seconds", type=int, help="begin no case after so many, with fewer kills then")
    options = parser.parse_args()
    routes = [route for route in ROUTES if options.route in (None, " to ".join(route))]
    if not routes:
        parser.error(f"no such route: {options.route}; one of {', '.join(map(' to '.join, ROUTES))}")
    chaos = Chaos(options.first, options.kills, options.seed, routes, options.seconds)

    def stop(*_):
        chaos.stopped = True  # the cases of today come to their end, and servers and file systems go

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    chaos.run(options.workers)
    return 1 if chaos.failures else 0


if __name__ == "__main__":
    sys.exit(main())
