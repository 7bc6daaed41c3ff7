"""One job of known content to which things happen, run by the same command until it has succeeded."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from chaos import content, events
from chaos.proxy import CuttingProxy
from chaos.sides import SIDES
from e2e.harness import PROGRAM, job

START_SECONDS = 0.3  # from the process's begin to its first row, as a rule
MIB = 1 << 20
END_SECONDS = 180  # a lost connection is tried again for about 100 s
NAMES_MAX = 10
SOURCES = ("PostgreSQL", "MariaDB", "SQLite", "CSV")
# Whose promise is exactly once.
TARGETS = ("PostgreSQL", "MariaDB", "SQLite", "CSV")
SHAPES = ("insert, no key", "insert, no key", "insert", "emptied, no key", "emptied, no key", "update", "replace", "ignore")
FILTERED_ABOVE = 900  # of `q`, where the job filters
SMALL_DISK = "32m"  # the content, what rolled back transactions leave of it, and the room that PostgreSQL takes in advance


class Wrong(Exception):
    """What does not hold after a run, or within one."""


class Hit:
    """An event that happened: where, when, and how the run stood right behind it."""

    def __init__(self, event, route, phase):
        self.event, self.route, self.phase = event, route, phase


class Case:
    """Decided by its seed alone but for the moments, which hang on the machine. Owns its folder and processes."""

    def __init__(self, seed, servers, folder, route=None):
        self.seed, self.folder = seed, folder
        self.state = folder / "state"
        self.process = self.sleeper = None
        self.processes = 0
        self.state_lost = self.touched = self.stopped = False
        self.small = None
        self.opened = contextlib.ExitStack()
        self.hits, self.lines, self.resumes = [], [], []
        self.stands = None
        self.ways = {}

        dice = random.Random(seed)
        source, target = route or (dice.choice(SOURCES), dice.choice(TARGETS))
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.source = SIDES[source]("src", folder, servers)
        self.target = SIDES[target]("dst", folder, servers)
        self.route = f"{source} to {target}"
        self.shape = dice.choice(SHAPES)
        if target == "CSV":
            self.target.decide(random.Random(f"{seed} files"))
            self.shape = "truncate" if self.shape.startswith("emptied") else "nonConflict"
        self.rows = content.rows(dice, int(dice.uniform(1000, 9000)), dice.choice((0, 0, 2, 21, 200)))
        self.source_keyed = source == "CSV" or dice.random() < 0.8
        split = dice.choice(("k", "k", "g", None)) if self.source_keyed else None
        self.reading = {"splitPk": split, "splitFactor": dice.choice((1, 3, 10))} if split and source != "CSV" else {}
        if source in ("PostgreSQL", "MariaDB"):
            self.reading["snapshot"] = dice.choice(("none", "shared"))
        self.concurrent = dice.choice((1, 2, 3))
        self.mbps = dice.choice((1, 1, 2))
        self.filters = dice.random() < 0.25
        self.slow_begin, self.slow_end = (dice.random() < 0.4 for _ in "be")
        self.events = []
        for number in range(dice.choice((1, 2, 2, 3, 3, 4))):
            own = events.dice_of(seed, number)
            self.events.append((events.choose(self, own), own.choice(("early", "any", "any", "any", "late")), own.random(), own))

    def __str__(self):
        said = ", ".join(f"{event.name} ({when} {u:.2f})" for event, when, u, _ in self.events)
        return f"{self.route}, {self.shape}, {len(self.rows)} rows, {self.bad()} refused{', filtered' if self.filters else ''}, {self.concurrent} pipelines, {self.reading}: {said}"

    def arriving(self):
        """What passes the filter."""
        return [row for row in self.rows if not self.filters or row.q <= FILTERED_ABOVE]

    def refused(self, row):
        return self.target.refuses and content.refused(row)

    def bad(self):
        return sum(map(self.refused, self.arriving()))

    def note(self, text):
        self.lines.append(f"{time.strftime('%H:%M:%S')} {text}")

    # What there is before the first process, and what must be there behind the last.

    def prepare(self):
        for side in (self.source, self.target):
            side.begin_anew()
        if any(event.needs == "small disk" for event, *_ in self.events):
            self.small = self.opened.enter_context(self.target.small_disk(SMALL_DISK))
        self.source.make(self.source_keyed, refuses=False)
        self.source.fill([row.values() for row in self.rows])
        self.target.make(not self.shape.endswith("no key"), refuses=True)
        if self.target.has_steps:
            self.target.make_steps()
        self.decide_what_stands()
        if self.before:
            self.target.fill(self.before)
        read = self.source.sum()
        if read is not None and read != content.sum_of([row.values() for row in self.rows]):
            raise Wrong(f"the harness: the source holds {read} before the first run, not what it was filled with")
        if any(event.needs == "ways" for event, *_ in self.events):
            for side in (self.source, self.target):
                if side.on_server:
                    self.ways[side.role] = self.opened.enter_context(CuttingProxy(side.server.port))
                    side.port = self.ways[side.role].port

    def decide_what_stands(self):
        """`before`: rows in the destination before the first process. `expected`: all that must be there at the end."""
        dice = random.Random(f"{self.seed} before")
        arriving = self.arriving()
        self.bad_keys = {row.k for row in arriving if self.refused(row)}
        good = {row.k: (*row.values()[:6], int(row.c) if self.target.refuses else row.c) for row in arriving if row.k not in self.bad_keys}
        junk = {content.JUNK_KEY + i: (content.JUNK_KEY + i, None, "was here", None, None, i, i) for i in range(20)}
        old = {row.k: (row.k, None, "old", None, None, 1, 1) for row in self.rows if row.k in self.bad_keys or dice.random() < 0.5}
        self.ignored = 0
        if self.shape in ("update", "replace"):
            stood, stay = {**junk, **old}, {**junk, **old, **good}
        elif self.shape == "ignore":
            # Whether a row that would be refused is left out for its key first is the product's own matter.
            old = {k: row for k, row in old.items() if k not in self.bad_keys}
            stood, stay = {**junk, **old}, {**good, **junk, **old}
            self.ignored = len(old.keys() & good.keys())
        else:
            stood, stay = (junk if self.shape.startswith("emptied") else {}), good  # files that stand are the unit tests'
        self.before, self.expected = list(stood.values()), list(stay.values())

    def job(self):
        steps = {"preSql": [], "postSql": ["INSERT INTO steps VALUES (1)"] if self.target.has_steps else []}
        if not self.target.has_steps:
            self.slow_begin = self.slow_end = False
        if self.slow_begin and self.target.slow:
            steps["preSql"].append(self.target.slow.format(0.3))
        if self.shape.startswith("emptied"):
            steps["preSql"].append(self.target.emptied)
        if self.slow_end and self.target.slow:
            steps["postSql"] += [self.target.slow.format(0.3), "INSERT INTO steps VALUES (2)"]
        self.steps = sum("INSERT" in step for step in steps["postSql"])
        document = job(self.source.end("Reader", **self.reading),
                       self.target.end("Writer", writeMode=self.shape if self.shape in ("update", "replace", "ignore", "truncate", "nonConflict") else "insert", **{k: v for k, v in steps.items() if v}),
                       concurrent=self.concurrent, errors=self.bad())
        document["setting"]["speed"].update(throttle=True, mbps=str(self.mbps))
        if self.filters:
            document["transformer"] = [{"name": "dx_filter", "parameter": {"columnIndex": content.COLUMNS.index("q"), "paras": [">", str(FILTERED_ABOVE)]}}]
        return document

    # Processes.

    def start(self, *more):
        self.processes += 1
        self.touched = self.stopped = False
        log = open(self.folder / f"process-{self.processes}.log", "w", encoding="utf-8")
        with log:
            self.process = subprocess.Popen([PROGRAM, "run", self.folder / "job.json", "--name", "chaos", "--state-dir", self.state,
                                             "--summary", self.summary_path(self.processes), *more],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        self.began = time.monotonic()

    def kill(self):
        if self.process.poll() is not None:
            return False
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return self.process.returncode == -signal.SIGKILL

    def summary_path(self, number):
        return self.folder / f"summary-{number}.json"

    def summary_of(self, number):
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return json.loads(self.summary_path(number).read_text(encoding="utf-8"))
        return None

    def sleep(self, process):
        """Stops it where it has the claim; false where it goes on, or has ended."""
        process.send_signal(signal.SIGSTOP)
        self.sleeper = process
        while process.poll() is None and Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
            time.sleep(0.001)
        # SQLite's file may be locked by it, which then has not given its claim back.
        phase = self.phase_before()
        if process.poll() is None and phase not in ("no claim", "done") and (phase.startswith("not to be seen") or self.stands.runs[-1][2] == process.pid):
            self.note(f"process {self.processes} sleeps: {phase}")
            return True
        process.send_signal(signal.SIGCONT)
        self.sleeper = None
        return False

    def must_be_refused(self, sleeper):
        """The process that was to take over from the one that sleeps, and whose destination has no sessions."""
        self.wait(END_SECONDS)
        summary = self.summary_of(self.processes)
        error = summary and summary["error"] or {}
        # Asleep in the middle of a commit it has the file locked, so that nobody can read whose the claim is.
        locked = error.get("kind") == "busy" and "database is locked" in error.get("message", "")
        claimed = error.get("code") == "claimed" and f"kill -KILL {sleeper.pid}" in error.get("message", "")
        if self.process.poll() != 1 or not (claimed or locked):
            raise Wrong(f"process {self.processes} was to be refused for process {sleeper.pid}, which sleeps: exit code {self.process.poll()}, {error}: {self.tail()}")
        self.note(f"process {self.processes} is refused: {error['message'][:200]}")

    def must_have_given_way(self, sleeper, number, moment):
        """What was taken over, and sleeps no more, ends by itself and says why."""
        slept = self.lines[-1]
        try:
            code = sleeper.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise Wrong(f"process {number} was taken over and did not end within {END_SECONDS} s: {self.tail(number)}") from None
        self.sleeper = None
        error = (self.summary_of(number) or {}).get("error") or {}
        self.note(f"process {number} woke {moment}: exit code {code}: {error.get('message', '')[:300]}")
        # With all its data written it may have come to its end before its claim was taken.
        if code == 0 and any(slept.endswith(phase) for phase in ("all committed", "behind data", "done, claim held")):
            return
        if code != 98 or error.get("code") != "taken_over" or "was taken over by" not in self.tail(number):
            raise Wrong(f"process {number} was taken over and ended with {code}, {error}: {self.tail(number)}")

    def wait(self, seconds, until=lambda: False):
        """Returns at the end of the process, after so many seconds, or where `until`."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end and not until():
            time.sleep(0.005)

    def moment(self, when, u):
        """Seconds from the begin of the process."""
        left = 1.0
        if self.stands is not None and self.stands.marks:
            left = max(0.0, 1 - sum(position for _, position in self.stands.marks) / len(self.rows))
        loading = left * sum(45 + len(row.t or "") for row in self.rows) / (self.mbps * MIB)
        whole = START_SECONDS + 0.3 * self.slow_begin + loading + 0.3 * self.slow_end
        return {"early": u * START_SECONDS, "any": u * whole * 1.05, "late": whole * (0.8 + 0.35 * u)}[when]

    def look(self):
        self.stands = self.target.stands()
        return self.stands.phase()

    def run(self):
        """Ends where the job has succeeded and all holds; else Wrong."""
        try:
            self.prepare()
            (self.folder / "job.json").write_text(json.dumps(self.job(), indent=1, ensure_ascii=False), encoding="utf-8")
            for event, when, u, dice in self.events:
                if self.process is None:
                    self.start()
                self.wait(self.began + self.moment(when, u) - time.monotonic())
                if self.process.poll() is None:
                    # What does not end the process is seen before it happens, since that goes on meanwhile.
                    before = None if event.name.startswith("process ") else self.phase_before()
                    at = time.monotonic() - self.began
                    if event.happens(self, dice):
                        self.touched = self.touched or event.harms
                        phase = self.look() if before is None else before
                        self.hits.append(Hit(event.name, self.route, phase))
                        self.note(f"process {self.processes}: {event.name} after {at:.2f} s: {phase}")
                if self.is_complete():
                    break
            else:
                self.come_to_the_end()
            self.judge()
        finally:
            for process in (self.process, self.sleeper):
                if process is not None and process.poll() is None:
                    process.kill()
                    process.wait()
            self.opened.close()

    def phase_before(self):
        # SQLite is the process's alone while it writes; what is seen there is what it lets be seen.
        try:
            return self.look()
        except Exception as locked:
            return f"not to be seen ({type(locked).__name__})"

    def come_to_the_end(self):
        for _ in range(2):
            if self.process is None:
                self.start()
            self.wait(END_SECONDS)
            if self.process.poll() is None:
                raise Wrong(f"process {self.processes} did not end within {END_SECONDS} s of the last event")
            if self.is_complete():
                return
        raise Wrong(f"the same command did not succeed when nothing happened to it any more: {self.tail()}")

    def is_complete(self):
        """Judges a process that has ended, and forgets it. True where the job is done by it."""
        code = self.process.poll()
        if code is None:
            return False
        number, self.process_ended, self.process = self.processes, self.process, None
        self.summary = self.summary_of(number)
        if code == -signal.SIGKILL:
            # Between the release of the claim and the exit the job is done, and the same command would be another run.
            self.summary = None
            return self.target.stands().phase() == "done"
        self.note(f"process {number}: exit code {code}")
        if code == 0:
            if self.summary is None:
                raise Wrong(f"process {number} succeeded without a summary")
            if number > 1:
                self.resumes.append(sum(phase["seconds"] for phase in self.summary["phases"] if phase["name"] in ("open", "plan", "first_batch", "prepare", "pre_sql")))
            # On a full disk the claim could not be given back, which the log says: the next start does that, and moves nothing.
            return not (self.small and self.touched and self.target.stands().phase() == "done, claim held")
        if self.stopped and code in (143, -signal.SIGTERM):  # the second before the program has begun to listen
            return False
        if code != 1 or self.summary is None:
            raise Wrong(f"process {number} ended with {code}: {self.tail(number)}")
        error = self.summary["error"] or {}
        if not self.touched:
            raise Wrong(f"process {number} failed though nothing happened to it: {error.get('kind')}: {error.get('message')}")
        if error.get("kind") not in ("not_connected", "busy", *(["no_room"] if self.small else [])) or not (self.summary["resumable"] or self.summary["retryable"]):
            raise Wrong(f"process {number} failed otherwise than what happened to it allows: {error.get('kind')}: {error.get('message')}; "
                        f"resumable: {self.summary['resumable']}, retryable: {self.summary['retryable']}")
        self.note(f"process {number}: {error['kind']}: {error['message'][:300]}")
        return False

    def tail(self, number=None):
        return (self.folder / f"process-{number or self.processes}.log").read_text(encoding="utf-8", errors="replace")[-1500:]

    # What must hold.

    def judge(self):
        self.judge_content()
        self.judge_marks()
        self.judge_account()
        self.judge_dirty()

    def judge_content(self):
        wanted, found = content.sum_of(self.expected), self.target.sum()
        if wanted != found:
            there, asked = Counter(self.target.keys()), Counter(values[0] for values in self.expected)
            lost, more = sorted((asked - there).elements()), sorted((there - asked).elements())
            raise Wrong(f"the destination holds {found} (rows, sum), expected {wanted}: {len(lost)} lost, k = {lost[:NAMES_MAX]}; {len(more)} too many, "
                        f"k = {more[:NAMES_MAX]}{'' if lost or more else '; all keys are there once, so that other values differ'}")
        if self.target.has_steps and self.target.steps() != self.steps:
            raise Wrong(f"postSql ran {self.target.steps()} times, expected {self.steps}")

    def judge_marks(self):
        if not self.target.has_steps and self.target.left_over():
            raise Wrong(f"temporary files are left: {self.target.left_over()}")
        stands = self.target.stands()
        if stands.marks:
            raise Wrong(f"{len(stands.marks)} rows are left in sluice_progress")
        if [(stage, held) for _, stage, held in stands.runs] != [("done", 0)]:
            raise Wrong(f"sluice_run holds {stands.runs}, expected one run, done, whose claim is given back")

    def judge_account(self):
        if self.summary is None:
            return
        account = {name: self.summary[name] for name in ("read", "filtered", "ignored", "written", "dirty")}
        filtered = len(self.rows) - len(self.arriving())
        wanted = {"read": len(self.rows), "filtered": filtered, "ignored": self.ignored,
                  "written": len(self.rows) - filtered - self.ignored - self.bad(), "dirty": self.bad()}
        if account != wanted:
            raise Wrong(f"the account is {account}, expected {wanted}")

    def judge_dirty(self):
        files = [path for path in self.state.rglob("dirty.jsonl") if not (path.parent / "taken_over").exists()]
        kept = sorted(int(json.loads(line)["record"][0]["text"]) for path in files for line in path.read_text(encoding="utf-8").splitlines())
        missing = self.summary["dirty_missing"] if self.summary else 0
        twice = [k for k, times in Counter(kept).items() if times > 1]
        strange = sorted(set(kept) - self.bad_keys)
        if twice or strange:
            raise Wrong(f"dirty records stand twice: k = {twice[:NAMES_MAX]}; or are none: {strange[:NAMES_MAX]}")
        if missing and not self.state_lost or self.summary and len(kept) + missing != self.bad():
            raise Wrong(f"{self.bad()} records were refused, {len(kept)} are in the dirty file and {missing} are said to be missing; the state folder was "
                        f"{'lost' if self.state_lost else 'never lost'}")
        if self.summary is None and not self.state_lost and len(kept) != self.bad():
            raise Wrong(f"{self.bad()} records were refused, {len(kept)} are in the dirty file")

    def keep(self, wrong):
        """Writes down what was seen, beside what the processes said."""
        (self.folder / "case.txt").write_text("\n".join([f"seed {self.seed}: {self}", *self.lines, str(wrong)]) + "\n", encoding="utf-8")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
