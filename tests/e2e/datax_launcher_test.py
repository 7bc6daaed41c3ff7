"""deploy/bin/datax.py under each Python it promises to run with: what it makes of DataX's command lines, with a program in
place of sluice that tells what it was called with."""

import ast
import glob
import http.server
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from e2e.harness import PROGRAM, ROOT

LAUNCHER = ROOT / "deploy" / "bin" / "datax.py"

# What the launcher adds.
AS_DATAX = ["--report", "datax", "--compat", "datax"]

# Tells its process id, its arguments and its standard input where that is a file.
TELLER = """#!/bin/sh
[ -z "$SLEEP" ] || { echo started; exec sleep 60; }
echo "$$"
for word in "$@"; do printf '%s\\0' "$word"; done
printf '\\0'
[ -f /proc/self/fd/0 ] && cat
exit "${CODE:-0}"
"""


def python2():
    """A Python 2.7, where this machine has one."""
    versions = glob.glob(str(Path.home() / ".pyenv/versions/2.7.*/bin/python2.7"))
    for path in [os.environ.get("SLUICE_PYTHON2"), shutil.which("python2.7"), shutil.which("python2"), *versions]:
        if path and subprocess.run([path, "-c", "import sys; sys.exit(sys.version_info[:2] != (2, 7))"],
                                   capture_output=True).returncode == 0:
            return path
    return None


class Told:
    def __init__(self, done):
        self.code = done.returncode
        self.err = done.stderr.decode()
        head, _, rest = done.stdout.partition(b"\n")
        self.pid = int(head) if head.isdigit() else None
        arguments, _, self.input = rest.partition(b"\0\0")
        self.arguments = arguments.decode().split("\0") if self.pid else None


class JobServer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path.startswith("/jobs/")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(b'{"job": {}}' if found else b"")

    def log_message(self, *_):
        pass


class LauncherCases:
    """The cases; `python` is set by the classes below."""

    python = None

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="sluice datax ü "))
        self.addCleanup(shutil.rmtree, self.folder)
        program = self.folder / "bin" / "sluice"
        program.parent.mkdir()
        program.write_text(TELLER)
        program.chmod(0o755)
        self.env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
        self.env.pop("SLUICE_PROGRAM", None)

    def launch(self, *arguments, **env):
        return Told(subprocess.run([self.python, str(LAUNCHER), *arguments], env={**self.env, **env}, capture_output=True,
                                   stdin=subprocess.DEVNULL, timeout=60))

    def shell(self, line, **env):
        """As a scheduler's shell script has it."""
        return Told(subprocess.run(["bash", "-c", line], env={**self.env, "PYTHON_LAUNCHER": self.python,
                                                              "DATAX_LAUNCHER": str(LAUNCHER), **env},
                                   capture_output=True, stdin=subprocess.DEVNULL, timeout=60))

    def parameters(self, told):
        self.assertEqual(told.code, 0, told.err)
        words = told.arguments
        return [words[i + 1] for i, word in enumerate(words) if word == "-p"]

    def test_a_job_is_run_with_datax_s_report_and_values(self):
        told = self.launch("orders.json")
        self.assertEqual(told.arguments, ["run", "orders.json", *AS_DATAX])

    def test_the_program_takes_the_launcher_s_process(self):
        child = subprocess.Popen([self.python, str(LAUNCHER), "a.json"], env=self.env, stdout=subprocess.PIPE)
        out, _ = child.communicate(timeout=60)
        self.assertEqual(int(out.split(b"\n")[0]), child.pid)

    def test_a_signal_to_the_launcher_s_process_reaches_the_program(self):
        child = subprocess.Popen([self.python, str(LAUNCHER), "a.json"], env={**self.env, "SLEEP": "1"},
                                 stdout=subprocess.PIPE)
        self.assertEqual(child.stdout.readline(), b"started\n")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=60), -signal.SIGTERM)
        child.stdout.close()

    def test_the_program_s_exit_code_is_the_launcher_s(self):
        for code in (0, 1, 143):
            self.assertEqual(self.launch("a.json", CODE=str(code)).code, code)

    def test_values_are_split_as_a_shell_does(self):
        cases = [
            ("-Da=1", ["a=1"]),
            ("-Da=1 -Db=2", ["a=1", "b=2"]),
            ("-Da='x y' -Db=\"z\"", ["a=x y", "b=z"]),
            ("-Dwhere=\"dt >= '2026-01-01' and k = 'a=b'\"", ["where=dt >= '2026-01-01' and k = 'a=b'"]),
            ("-Dpath=/a\\ b", ["path=/a b"]),
            ("-Da=1 -Da=2", ["a=2"]),
            ("-Da= -Db", []),
            ("  -Da=ü ", ["a=ü"]),
            ("-Da=it's", ["a=it's"]),
            ("-Da='$1 and ${b}'", ["-Da='$1 and ${b}'"]),
            ("", []),
        ]
        for given, wanted in cases:
            with self.subTest(given):
                self.assertEqual(self.parameters(self.launch("-p", given, "job.json")), wanted)

    def test_jvm_options_give_variables_and_nothing_else(self):
        told = self.launch("--jvm=-Xms1G -Xmx4G -Dday=20260130 -Dfile.encoding=UTF-8", "-p", "-Dcity=Bonn", "job.json")
        self.assertEqual(self.parameters(told), ["day=20260130", "city=Bonn"])
        told = self.launch("-j", "-Dday=1", "-p", "-Dday=2", "job.json")
        self.assertEqual(self.parameters(told), ["day=2"])

    def test_options_without_a_meaning_here_are_taken(self):
        for more in (["-m", "standalone"], ["--mode", "local"], ["--jobid", "-1"], ["--jobid=17"], ["-d"],
                     ["-j", "-Xmx2G"], ["--loglevel", "info"]):
            with self.subTest(more):
                self.assertEqual(self.launch(*more, "a.json").arguments, ["run", "a.json", *AS_DATAX])

    def test_levels_of_the_log(self):
        for given, wanted in (("debug", "debug"), ("DEBUG", "debug"), ("warn", "warning"), ("error", "error"),
                              ("trace", "debug")):
            with self.subTest(given):
                self.assertEqual(self.launch("--loglevel", given, "a.json").arguments[-2:], ["--log-level", wanted])

    def test_dolphinscheduler_s_lines(self):
        # DataxTask: the launcher, --jvm with quotes, -p with each value in single quotes, the job's path.
        head = "${PYTHON_LAUNCHER} ${DATAX_LAUNCHER} --jvm=\"-Xms1G -Xmx1G\" "
        cases = [
            (head + " /tmp/1_2_job.json", [], "/tmp/1_2_job.json"),
            (head + "-p \"-Dbizdate='20260130'\" /tmp/1_2_job.json", ["bizdate=20260130"], "/tmp/1_2_job.json"),
            (head + "-p \"-Da='1' -Db='two words' -Dsystem.biz.date='20260130'\" /tmp/1_2_job.json",
             ["a=1", "b=two words", "system.biz.date=20260130"], "/tmp/1_2_job.json"),
            # Before 3.2: DATAX_HOME/bin/datax.py.
            ("python() { \"$PYTHON_LAUNCHER\" \"$@\"; }; python \"$DATAX_LAUNCHER\" --jvm=\"-Xms1G -Xmx1G\" -p \"-Da='1'\" x.json",
             ["a=1"], "x.json"),
        ]
        for line, wanted, job in cases:
            with self.subTest(line):
                told = self.shell(line.replace("${DATAX_LAUNCHER}", "\"${DATAX_LAUNCHER}\""))
                self.assertEqual(self.parameters(told), wanted)
                self.assertEqual(told.arguments[1], job)

    def test_datax_web_s_lines(self):
        # The executor joins -j"…" and -p"…" with blanks, writes `" "` for each blank, and hands the whole over as one
        # argument behind datax.py, with its quotes.
        def line(doc):
            return doc.replace(" ", "\" \"")

        cases = [
            ("-p\"-DstartId=1 -DendId=900\"", ["startId=1", "endId=900"]),
            ("-p\"-DlastTime='1580000000' -DcurrentTime='1580003600'\"", ["lastTime=1580000000", "currentTime=1580003600"]),
            ("-p\"-DlastTime='2026-01-30 00:00:00' -DcurrentTime='2026-01-31 00:00:00'\"",
             ["lastTime=2026-01-30 00:00:00", "currentTime=2026-01-31 00:00:00"]),
            ("-p\"-Dpartition=dt=20260130\"", ["partition=dt=20260130"]),
            ("-j\"-Xms1G -Xmx1G\"", []),
            ("-j\"-Xms1G -Xmx1G\" -p\"-DstartId=1 -DendId=900\"", ["startId=1", "endId=900"]),
        ]
        for doc, wanted in cases:
            with self.subTest(doc):
                self.assertEqual(self.parameters(self.launch(line(doc), "/data/json/jobTmp-1.conf")), wanted)

    def test_a_cron_line(self):
        told = self.shell("\"$PYTHON_LAUNCHER\" \"$DATAX_LAUNCHER\" -p \"-Dday=`date -d 2026-01-31 +%Y%m%d`\" ./job/a.json")
        self.assertEqual(self.parameters(told), ["day=20260131"])

    def test_a_job_behind_an_address_comes_over_standard_input(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), JobServer)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        base = f"http://127.0.0.1:{server.server_port}"
        told = self.launch(f"{base}/jobs/orders.json?version=3", no_proxy="*")
        self.assertEqual(told.arguments, ["run", "-", *AS_DATAX, "--name", "orders"], told.err)
        self.assertEqual(told.input, b'{"job": {}}')
        missing = self.launch(f"{base}/none.json", no_proxy="*")
        self.assertEqual(missing.code, 1)
        self.assertIn("none.json cannot be read", missing.err)
        self.assertIn("404", missing.err)

    def test_a_template_comes_from_the_program_with_datax_s_exit_codes(self):
        for arguments in (["-r", "txtfilereader", "-w", "streamwriter"], ["--writer=streamwriter", "--reader", "txtfilereader"],
                          ["-r", "txtfilereader", "-w", "streamwriter", "-m", "local", "ignored.json"]):
            with self.subTest(arguments):
                told = self.launch(*arguments)
                self.assertEqual(told.arguments, ["template", "txtfilereader", "streamwriter", "--dialect", "datax"], told.err)
                self.assertEqual(told.code, 0)
        for code, wanted in ((1, 1), (2, 255)):
            self.assertEqual(self.launch("-r", "a", "-w", "b", CODE=str(code)).code, wanted)

    def test_half_a_template_is_refused(self):
        for arguments, message in ((["-r", "mysqlreader"], "the writer (-w) is missing: datax.py -r mysqlreader -w NAME"),
                                   (["-w", "mysqlwriter", "a.json"], "the reader (-r) is missing: datax.py -r NAME -w mysqlwriter"),
                                   (["-r", "a", "-w", ""], "the writer (-w) is missing")):
            with self.subTest(arguments):
                told = self.launch(*arguments)
                self.assertEqual(told.code, 255)
                self.assertIn(message, told.err)
                self.assertIsNone(told.pid)

    def test_a_template_of_the_real_program_is_a_job_on_standard_output_and_runs(self):
        env = {**self.env, "SLUICE_PROGRAM": str(PROGRAM)}

        def template(reader, writer):
            return subprocess.run([self.python, str(LAUNCHER), "-r", reader, "-w", writer], env=env, capture_output=True,
                                  text=True, timeout=60, cwd=self.folder)
        made = template("streamreader", "streamwriter")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        self.assertIn('"name": "streamreader"', made.stdout)
        (self.folder / "job.json").write_text(made.stdout)
        ran = subprocess.run([self.python, str(LAUNCHER), "job.json"], env={**env, "SLUICE_STATE": str(self.folder / "state")},
                             capture_output=True, text=True, timeout=60, cwd=self.folder)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        for reader, message in (("mongodbreader", "MongoDB) is not supported yet"), ("txtfilereadr", "did you mean txtfilereader?"),
                                ("txtfilewriter", "did you mean txtfilereader?")):
            with self.subTest(reader):
                wrong = template(reader, "streamwriter")
                self.assertEqual((wrong.returncode, wrong.stdout), (255, ""))
                self.assertIn(message, wrong.stderr)

    def test_wrong_arguments_end_with_255(self):
        for arguments, message in (([], "the job is missing"), (["a.json", "b.json"], "one job at a time: b.json"),
                                   (["--colour", "a.json"], "no such option: --colour"), (["-p"], "-p")):
            with self.subTest(arguments):
                told = self.launch(*arguments)
                self.assertEqual(told.code, 255)
                self.assertIn(message, told.err)
                self.assertNotIn("Traceback", told.err)

    def test_a_folder_is_no_job(self):
        told = self.launch(str(self.folder))
        self.assertEqual(told.code, 1, "as a job that cannot be read")
        self.assertIn("is a folder, and a job is one file", told.err)
        self.assertIn("sluice run", told.err)
        self.assertIsNone(told.pid)

    def test_help_is_no_failure(self):
        self.assertEqual(self.launch("--help").code, 0)

    def test_a_program_that_is_not_there_ends_with_1(self):
        told = self.launch("a.json", SLUICE_PROGRAM=str(self.folder / "none"))
        self.assertEqual(told.code, 1)
        self.assertIn("none cannot be run", told.err)
        told = self.launch("a.json", PATH="/nowhere")
        self.assertEqual(told.code, 1)
        self.assertIn("not on the PATH", told.err)


class UnderPython3(LauncherCases, unittest.TestCase):
    python = sys.executable


@unittest.skipUnless(python2(), "no Python 2.7 on this machine; SLUICE_PYTHON2 may name one")
class UnderPython2(LauncherCases, unittest.TestCase):
    python = python2()


class Syntax(unittest.TestCase):
    """What keeps a machine without Python 2.7 from letting in what that one cannot read."""

    NEWER = (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.YieldFrom, ast.AsyncFunctionDef, ast.Await, ast.NamedExpr,
             ast.Starred, ast.MatMult)

    def newer(self, text):
        found = [type(node).__name__ for node in ast.walk(ast.parse(text)) if isinstance(node, self.NEWER)]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (node.args.kwonlyargs or node.returns or
                                                      any(a.annotation for a in node.args.args)):
                found.append(f"arguments of {node.name}")
            if isinstance(node, ast.Raise) and node.cause:
                found.append("raise from")
            if isinstance(node, ast.ClassDef) and node.keywords:
                found.append(f"keywords of class {node.name}")
        return found

    def test_the_launcher_uses_nothing_newer_than_python_2_7(self):
        self.assertEqual(self.newer(LAUNCHER.read_text(encoding="utf-8")), [])

    def test_the_check_finds_what_is_newer(self):
        for text in ("f'{a}'", "a: int = 1", "def f(*, a): pass", "def f(a: int): pass", "raise A from b", "f(*a, *b)",
                     "class A(metaclass=B): pass"):
            with self.subTest(text):
                self.assertNotEqual(self.newer(text), [])
