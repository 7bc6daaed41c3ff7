"""What docs/scheduling.md shows is what works: every command line in it is run, in the forms in which its scheduler would run it."""

import ast
import datetime
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

from checks.sources import ROOT, read

try:
    import yaml
except ImportError:  # python3-yaml
    yaml = None

PROGRAM = ROOT / "build" / "release" / "bin" / "sluice"
PAGE = read("docs/scheduling.md")
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALERT = "daily failed: "


def fenced(language):
    return [text for name, text in FENCED.findall(PAGE) if name == language]


class Scheduling(unittest.TestCase):
    def setUp(self):
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built; ./tests/run.sh release builds it")
        folder = tempfile.TemporaryDirectory(prefix="sluice-scheduling-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for below in ("bin", "jobs", "log"):
            (self.folder / below).mkdir()
        (self.folder / "bin" / "sluice").symlink_to(PROGRAM)
        job = (ROOT / "deploy" / "jobs" / "daily.json").read_text(encoding="utf-8")
        (self.folder / "jobs" / "daily.json").write_text(job.replace("build/quickstart/daily.db", str(self.folder / "daily.db")), encoding="utf-8")

    def here(self, text):
        """What stands in /srv, /usr/bin and /var, in this test's folder."""
        for place, own in (("/srv/jobs", "jobs"), ("/var/lib/sluice", "state"), ("/var/log/sluice", "log"), ("/usr/bin/sluice", "bin/sluice")):
            text = text.replace(place, str(self.folder / own))
        return text

    def shell(self, command, shell="sh", env=None):
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return subprocess.run([shell, "-c", command], env={**os.environ, "PATH": path, "SLUICE_STATE": str(self.folder / "state"), **(env or {})},
                              capture_output=True, text=True, timeout=120, cwd=self.folder)

    def sql(self, text):
        db = sqlite3.connect(self.folder / "daily.db", isolation_level=None)
        try:
            return db.execute(text).fetchall()
        finally:
            db.close()

    def table(self):
        ((name,),) = self.sql("SELECT name FROM sqlite_schema WHERE name LIKE 'visits%'")
        return name

    def days(self):
        return self.sql(f"SELECT day, count(*) FROM {self.table()} GROUP BY day")

    def run_twice(self, run):
        """`run()` does the work of one day, and given again nothing."""
        first = run()
        self.assertEqual(first.returncode, 0, first)
        days = self.days()
        self.assertEqual([count for _, count in days], [3])
        self.sql(f"DELETE FROM {self.table()}")
        again = run()
        self.assertEqual(again.returncode, 0, again)
        self.assertEqual(self.days(), [], "what is done is passed by")
        return days[0][0], first, again

    def break_job(self):
        path = self.folder / "jobs" / "daily.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"sqlite"', '"sqlit"'), encoding="utf-8")

    def test_cron(self):
        (table,) = fenced("cron")
        lines = [line for line in table.splitlines() if line]
        variables = dict(line.split("=", 1) for line in lines if re.match(r"^\w+=", line))
        (entry,) = (line for line in lines if not re.match(r"^\w+=", line))
        *when, command = entry.split(None, 5)
        self.assertEqual(len(when), 5)
        for field in when:
            self.assertRegex(field, r"^[\d*,/-]+$")
        self.assertNotIn("%", command, "which means a line's end to cron")
        command = self.here(command)

        def run():
            return self.shell(command, env={name: self.here(value) for name, value in variables.items()})
        _, first, again = self.run_twice(run)
        self.assertEqual((first.stdout, first.stderr, again.stdout, again.stderr), ("", "", "", ""), "nothing that cron would mail")
        self.assertIn("Done before: ", (self.folder / "log" / "daily.log").read_text(encoding="utf-8"))
        program = self.folder / "bin" / "sluice"
        program.unlink()
        for code, mailed in ((99, ""), (1, ALERT), (2, ALERT)):
            program.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
            program.chmod(0o755)
            self.assertEqual(run().stdout[:len(ALERT)], mailed, code)

    def test_systemd(self):
        service, timer, alert = fenced("ini")
        units = self.folder / "units"
        units.mkdir()
        for name, text in (("sluice-daily.service", service), ("sluice-daily.timer", timer), ("sluice-alert@.service", alert)):
            (units / name).write_text(self.here(text), encoding="utf-8")
        if shutil.which("systemd-analyze") and Path("/usr/bin/logger").exists():
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(units / "sluice-daily.service"), str(units / "sluice-daily.timer")],
                                  capture_output=True, text=True, timeout=60, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"})
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            own = [line for line in done.stderr.splitlines() if "sluice-" in line]
            self.assertEqual(own, [])
            calendar = re.search(r"OnCalendar=(.*)", timer).group(1)
            self.assertEqual(subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, timeout=60).returncode, 0)
        settings = dict(re.findall(r"^(\w+)=(.*)$", service, re.MULTILINE))
        self.assertEqual(settings["SuccessExitStatus"].split(), ["98", "99"])
        name, value = settings["Environment"].split("=", 1)
        command = self.here(settings["ExecStart"])
        self.run_twice(lambda: self.shell(command, env={name: self.here(value)}))
        self.break_job()
        self.assertEqual(self.shell(command).returncode, int(settings["RestartPreventExitStatus"]))

    def test_airflow(self):
        (text,) = fenced("python")
        made = []

        class Dag:
            def __init__(self, name, **more):
                self.name, self.more = name, more

            def __enter__(self):
                return self

            def __exit__(self, *_):
                return False

        modules = {name: types.ModuleType(name) for name in ("airflow", "airflow.operators", "airflow.operators.bash")}
        modules["airflow"].DAG = Dag
        modules["airflow.operators.bash"].BashOperator = lambda **given: made.append(given)
        kept = {name: sys.modules.get(name) for name in modules}
        sys.modules.update(modules)
        try:
            exec(compile(ast.parse(text), "docs/scheduling.md", "exec"), {})
        finally:
            for name, module in kept.items():
                sys.modules.pop(name)
                if module is not None:
                    sys.modules[name] = module
        (task,) = made
        # Jinja's own work: data_interval_end is a pendulum time.
        template = re.compile(r"\{\{ data_interval_end\.in_timezone\('([\w/]+)'\)\.strftime\('([^']+)'\) \}\}")
        ((zone, form),) = template.findall(task["bash_command"])
        self.assertIn(f"--timezone {zone}", task["bash_command"])
        command = self.here(template.sub(datetime.datetime(2025, 7, 20, 2, 15).strftime(form), task["bash_command"]))
        self.assertNotIn("{{", command)
        day, *_ = self.run_twice(lambda: self.shell(command, "bash", {name: self.here(value) for name, value in task["env"].items()}))
        self.assertEqual(day, "2025-07-19", "the business date is the day before")

    def test_dolphinscheduler(self):
        (script,) = fenced("sh")
        self.assertIn("${system.biz.date}", script)
        script = self.here(script.replace("${system.biz.date}", "20250719"))
        day, *_ = self.run_twice(lambda: self.shell(script, "bash"))
        self.assertEqual(day, "2025-07-19")

    def test_kubernetes(self):
        (text,) = fenced("yaml")
        command = json.loads(re.search(r"^ *command: (\[.*\])$", text, re.MULTILINE).group(1))
        words = [*command, *json.loads(re.search(r"^ *args: (\[.*\])$", text, re.MULTILINE).group(1))]
        if yaml is not None:
            spec = yaml.safe_load(text)["spec"]
            job = spec["jobTemplate"]["spec"]
            pod = job["template"]["spec"]
            (container,) = pod["containers"]
            self.assertEqual(container["command"] + container["args"], words)
            self.assertEqual(words[words.index("--timezone") + 1], spec["timeZone"])
            self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, {volume["name"] for volume in pod["volumes"]})
            (rule,) = job["podFailurePolicy"]["rules"]
            self.assertEqual((rule["onExitCodes"]["containerName"], pod["restartPolicy"]), (container["name"], "Never"))
            self.assertLess(spec["startingDeadlineSeconds"] + job["activeDeadlineSeconds"], 24 * 3600)
        quoted = " ".join("'" + self.here(word) + "'" for word in words)
        self.run_twice(lambda: self.shell(quoted))
