"""The test suites of Sluice: see ./tests/run.sh --help. Each suite is a function here; its first line is its help."""

import argparse
import concurrent.futures
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from servers import running as servers

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOGS = BUILD / "test-logs"
JOBS = str(min(os.cpu_count() or 2, int(os.environ.get("SLUICE_TEST_JOBS", "2"))))

# What the simulation promises (issue 3): this many seeds under each build.
SIMULATION_SEEDS = {"release": 10_000, "debug": 500}
FUZZ_SECONDS_QUICK = 10
FUZZ_SECONDS_FULL = 300
FAILURES_SHOWN_MAX = 20


class Result:
    """Tests counted in one suite; `failures` has a line for each that failed."""

    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed, failures):
        self.passed += passed
        self.failures += failures


class Run:
    """What a suite may use: commands with their output in the suite's log, and the count."""

    def __init__(self, suite, verbose, full):
        self.result = Result()
        self.full = full
        self.verbose = verbose
        self.lock = threading.Lock()  # of the result and the log, where tests run beside each other
        self.log_path = LOGS / f"{suite}.log"
        self.log = open(self.log_path, "w", encoding="utf-8", errors="replace")

    def command(self, argv, env=None, cwd=ROOT, timeout=3600, beside=False):
        """Runs a command; gives its exit code and output. The output goes to the log: as it comes, or in one piece
        at the end of a command that has others beside it."""
        log = io.StringIO() if beside else self.log
        log.write(f"$ {' '.join(map(str, argv))}\n")
        log.flush()
        child = subprocess.Popen([str(a) for a in argv], cwd=cwd, env={**os.environ, **(env or {})}, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        output = []
        limit = threading.Timer(timeout, child.kill)
        limit.start()
        for line in child.stdout:
            output.append(line)
            log.write(line)
            if self.verbose:
                sys.stdout.write(line)
        code = child.wait()
        limit.cancel()
        with self.lock:
            if beside:
                self.log.write(log.getvalue())
            self.log.flush()
        return code, "".join(output)

    def step(self, name, argv, **how):
        """A command that is a test by itself: passes with exit code 0."""
        code, output = self.command(argv, **how)
        tail = "\n    ".join(output.splitlines()[-25:])
        with self.lock:
            self.result.add(1 if code == 0 else 0, [] if code == 0 else [f"{name} (exit code {code})\n    {tail}"])
        return code == 0

    def build(self, preset, targets=("all",), tests=True, folder=None, options=()):
        folder = BUILD / (folder or preset)
        configured = self.step(f"configure {preset}", ["cmake", "--preset", preset, "-B", folder,
                                                       f"-DSLUICE_TESTS={'ON' if tests else 'OFF'}", *options])
        return configured and self.step(f"build {preset}", ["ninja", "-C", folder, "-j", JOBS, *targets])

    def ctest(self, preset, label, env=None, exclude=None, name=None):
        """Runs the GoogleTest programs of a label and counts their cases."""
        results = BUILD / "test-results" / (name or f"{label}-{preset}")
        shutil.rmtree(results, ignore_errors=True)
        results.mkdir(parents=True)
        argv = ["ctest", "--test-dir", BUILD / preset, "-L", label, "-j", JOBS, "--output-on-failure", "--no-tests=error"]
        if exclude:
            argv += ["-LE", exclude]
        code, output = self.command(argv, env={**(env or {}), "GTEST_OUTPUT": f"xml:{results}/"})
        failures = []
        passed = 0
        for file in sorted(results.glob("*.xml")):
            for case in ElementTree.parse(file).getroot().iter("testcase"):
                failed = case.find("failure")
                if failed is not None:
                    failures.append(f"{case.get('classname')}.{case.get('name')}: {failed.get('message', '')[:600]}")
                elif case.get("result") != "skipped" and case.get("status") != "notrun":
                    passed += 1
        # A program that crashed or ran out of time has written no result.
        broken = re.findall(r"^\s*\d+ - (\S+) \((?!Failed)(.*)\)", output, re.MULTILINE)
        failures += [f"{program}: {why}" for program, why in broken]
        if code != 0 and not failures:
            failures.append(f"ctest -L {label} in build/{preset}: exit code {code}; see {self.log_path}")
        self.result.add(passed, failures)

    def unittest_modules(self, folder, at_a_time, env=None):
        """Runs the modules of a folder, several at a time: their tests wait more than they compute."""
        modules = sorted(path.name for path in (ROOT / folder).glob("*_test.py"))
        with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
            for done in [pool.submit(self.unittest, folder, env=env, pattern=module, beside=True) for module in modules]:
                done.result()

    def unittest(self, folder, env=None, pattern="*_test.py", names=(), beside=False):
        """Runs Python tests of a folder and counts them."""
        select = [arg for name in names for arg in ("-k", name)]
        code, output = self.command([sys.executable, "-B", "-m", "unittest", "discover", "-v", "-s", folder, "-p", pattern,
                                     "-t", ROOT / "tests", *select], env=env, beside=beside)
        ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
        failures = [line.strip() for line in re.findall(r"^(?:FAIL|ERROR): .*", output, re.MULTILINE)]
        skipped = re.search(r"skipped=(\d+)", output)
        passed = (int(ran.group(1)) if ran else 0) - len(failures) - (int(skipped.group(1)) if skipped else 0)
        if code != 0 and not failures:
            failures.append(f"{folder}: exit code {code}; see {self.log_path}")
        if code == 0 and passed <= 0 and not skipped:
            failures.append(f"{folder}/{pattern}: no test ran; see {self.log_path}")
        for line in re.findall(r"^.*\.\.\. skipped .*$", output, re.MULTILINE):
            print(f"    skipped: {line}")
        with self.lock:
            self.result.add(max(passed, 0), failures)


def suite_release(run):
    """build of the release preset, all targets"""
    run.build("release")


def suite_sanitizers(run):
    """address and undefined-behaviour sanitizers: build, unit tests, 500 worlds of the simulation"""
    if run.build("debug", targets=("unit_tests", "sluice_sim", "fuzzers", "sluice")):
        run.ctest("debug", "^unit$")
        simulate(run, "debug")


def suite_unit(run):
    """unit tests"""
    run.ctest("release", "^unit$")


def suite_tsan(run):
    """thread sanitizer: unit tests of transport and actors, and real runs of the program"""
    if not run.step("CAF under the thread sanitizer", ["tests/tsan/build-caf.sh", JOBS]):
        return
    if run.build("tsan", targets=("tests_base", "tests_record", "tests_flow", "tests_wire", "tests_actors", "sluice")):
        env = {"TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan/suppressions.txt history_size=4 second_deadlock_stack=1"}
        run.ctest("tsan", "^(base|record|flow|wire|actors)$", env=env, name="tsan")
        run.unittest("tests/e2e", env={**env, "SLUICE_BUILD": "tsan"}, pattern="threads_test.py")


def suite_checks(run):
    """include directions, headers alone, lengths, format, paths, docs, schemas"""
    run.unittest("tests/checks")


def suite_conformance(run):
    """each plugin against the shared conformance suite"""
    run.ctest("release", "^conformance$")


def simulate(run, preset):
    seeds = SIMULATION_SEEDS[preset]
    code, output = run.command([BUILD / preset / "bin" / "sluice_sim", "--seeds", seeds])
    counted = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    failures = re.findall(r"^seed \d+: .*\n.*replay: .*$", output, re.MULTILINE)
    if code != 0 and not failures:
        failures = [f"sluice_sim in build/{preset}: exit code {code}; see {run.log_path}"]
    run.result.add(int(counted.group(1)) if counted else 0, failures)


def suite_simulation(run):
    """10,000 worlds: actors under a seeded scheduler with injected faults"""
    simulate(run, "release")


def suite_e2e(run):
    """the program itself: files, bad input, dialects, full disks"""
    run.unittest_modules("tests/e2e", 2)


def suite_servers(run):
    """real PostgreSQL and MariaDB (full: MySQL 8 too), started here; at most 10 min"""
    run.unittest_modules("tests/servers", 3, env={"SLUICE_TEST_FULL": "1"} if run.full else None)
    if run.full:
        for module in ("between", "changed", "faults", "jobs", "pairs", "rights", "verify", "written"):
            run.unittest("tests/servers", env={"SLUICE_TEST_MYSQL_FOR_MARIADB": "1"}, pattern=f"{module}_test.py")
    with servers.Running(["postgresql", "mariadb"] + (["mysql"] if run.full else [])) as running:
        run.ctest("release", "^servers$", env=running.environment)


def chaos(run, kills, seconds, sqlite_kills):
    """Things that happen to jobs between real servers (tests/chaos/README.md), and kills of a larger one into SQLite."""
    run.unittest("tests/chaos", env={"SLUICE_KILLS": str(sqlite_kills)})
    code, output = run.command([sys.executable, "-B", "tests/chaos/chaos.py", "--kills", kills, "--seconds", seconds, "--workers", JOBS],
                               timeout=seconds + 600)
    counted = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
    failures = re.findall(r"^FAILED (.*\n(?:  .*\n)*)", output, re.MULTILINE)
    if code != 0 and not failures:
        failures = [f"chaos.py: exit code {code}; see {run.log_path}"]
    for line in re.findall(r"^\d+ hits in .*$", output, re.MULTILINE):
        print(f"  {line}")
    run.result.add(int(counted.group(1)) if counted else 0, failures)


def suite_kills(run):
    """60 kills of processes, servers and connections of jobs between real servers, each continued by the same command"""
    chaos(run, kills=60, seconds=400, sqlite_kills=6)


def suite_fuzz(run):
    """a bounded share of fuzzing: each target for some seconds"""
    # The preset fuzz has the same flags and no tests; here debug is built already.
    if not run.build("debug", targets=("fuzzers",)):
        return
    programs = sorted((BUILD / "debug" / "bin").glob("*_fuzz"))
    if not programs:
        run.result.add(0, ["no fuzz target was built"])
    seconds = FUZZ_SECONDS_FULL if run.full else FUZZ_SECONDS_QUICK

    def fuzz(program):
        corpus = BUILD / "fuzz-corpus" / program.name
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests" / "fuzz" / "corpus" / program.name.removesuffix("_fuzz")
        run.step(program.name, [program, f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10",
                                f"-artifact_prefix={BUILD}/debug/", corpus, *([seeds] if seeds.is_dir() else [])], beside=True)

    with concurrent.futures.ThreadPoolExecutor(int(JOBS)) as pool:
        for done in [pool.submit(fuzz, program) for program in programs]:
            done.result()


def suite_locale(run):
    """unit tests under the locales de_DE and tr_TR, in other zones, with a path of spaces and umlauts"""
    locales = BUILD / "locales"
    locales.mkdir(parents=True, exist_ok=True)
    places = BUILD / "test with späces"
    places.mkdir(exist_ok=True)
    for locale, zone in (("de_DE", "Asia/Kolkata"), ("tr_TR", "America/St_Johns")):
        if not (locales / f"{locale}.UTF-8").is_dir():
            run.command(["localedef", "-i", locale, "-f", "UTF-8", locales / f"{locale}.UTF-8"])
        env = {"LOCPATH": str(locales), "LC_ALL": f"{locale}.UTF-8", "LANG": f"{locale}.UTF-8", "TZ": zone,
               "TMPDIR": str(places)}
        # Without the locale the runs below would only look as if they tested it.
        if run.step(f"locale {locale}", ["sh", "-c", f"test \"$(locale decimal_point)\" = ,"], env=env):
            run.ctest("release", "^unit$", env=env, name=f"unit-{locale}")
            run.unittest("tests/e2e", env=env, pattern="small_test.py")
    shutil.rmtree(places, ignore_errors=True)


def suite_quickstart(run):
    """the README's first command"""
    run.step("quickstart", ["./deploy/quickstart.sh"])


def suite_tidy(run):
    """clang-tidy over all sources"""
    # The debug preset's compiler is clang, whose command lines and precompiled headers clang-tidy takes as they are; here
    # each source has one of its own.
    if run.build("debug", targets=("sluice",), folder="tidy", options=("-DSLUICE_UNITY=OFF",)):
        sources = subprocess.run(["git", "ls-files", "*.cpp"], cwd=ROOT, text=True, capture_output=True, check=True)
        files = [f"^{ROOT}/{re.escape(f)}$" for f in sources.stdout.split() if not f.startswith("tests/")]
        run.step("clang-tidy", ["run-clang-tidy-14", "-quiet", "-j", JOBS, "-p", BUILD / "tidy", *files], timeout=7200)


def suite_kills1000(run):
    """1,000 kills of processes, servers and connections, each continued by the same command"""
    chaos(run, kills=1000, seconds=7200, sqlite_kills=40)


def suite_benchmarks(run):
    """figures of this machine into docs/benchmarks.md"""
    if run.build("release", targets=("sluice",)):
        run.step("benchmarks", [sys.executable, "-B", "tests/bench/bench.py"], timeout=7200)


SUITES = {name.removeprefix("suite_"): function for name, function in globals().items() if name.startswith("suite_")}
GROUPS = {
    "quick": ["release", "unit", "conformance", "checks", "quickstart", "e2e", "servers", "kills", "locale", "simulation", "sanitizers", "fuzz",
              "tsan"],
    "chaos": ["release", "kills1000"],
    "bench": ["benchmarks"],
}
GROUPS["full"] = [s for s in GROUPS["quick"] if s != "kills"] + ["kills1000", "tidy"]
GROUP_HELP = {
    "quick": "the default, and what continuous integration runs",
    "full": "quick with longer fuzzing, all kills and clang-tidy",
    "chaos": "processes, servers and connections killed at random",
    "bench": "figures into docs/benchmarks.md",
}


def help_text():
    lines = ["Suites:"]
    for name, suites in GROUPS.items():
        lines.append(f"  {name:<12} {GROUP_HELP[name]}: {', '.join(suites)}")
    lines.append("or one by name (a suite by name expects that what it needs is built: release, debug):")
    lines += [f"  {name:<12} {function.__doc__.splitlines()[0]}" for name, function in SUITES.items()]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="./tests/run.sh", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Runs the tests of Sluice. The last line counts them: N passed, N failed.",
                                     epilog=help_text())
    parser.add_argument("suites", nargs="*", default=["quick"], metavar="SUITE", help="quick where none is given")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the output of all commands, not only of failures")
    options = parser.parse_args()
    unknown = [s for s in options.suites if s not in SUITES and s not in GROUPS]
    if unknown:
        parser.error(f"unknown suite: {', '.join(unknown)}; --help lists them")

    # A shell starts what it runs in the background with SIGINT ignored, and all its children inherit that: no test could
    # interrupt the program.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = dict.fromkeys(s for given in options.suites for s in GROUPS.get(given, [given]))
    passed = 0
    failures = []
    for name in wanted:
        print(f"{name}: {SUITES[name].__doc__.splitlines()[0]}", flush=True)
        begin = time.monotonic()
        run = Run(name, options.verbose, "full" in options.suites)
        try:
            SUITES[name](run)
        except Exception as broken:  # a suite that breaks is a failed test, the others still count
            run.result.add(0, [f"{name}: {type(broken).__name__}: {broken}"])
        run.log.close()
        for failure in run.result.failures[:FAILURES_SHOWN_MAX]:
            print(f"  FAILED {failure}")
        if len(run.result.failures) > FAILURES_SHOWN_MAX:
            print(f"  and {len(run.result.failures) - FAILURES_SHOWN_MAX} more")
        minutes = (time.monotonic() - begin) / 60
        print(f"  {run.result.passed} passed, {len(run.result.failures)} failed, {minutes:.1f} min"
              f"  ({run.log_path.relative_to(ROOT)})", flush=True)
        passed += run.result.passed
        failures += run.result.failures
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
