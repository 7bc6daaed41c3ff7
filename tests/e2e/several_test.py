"""Several jobs in one command: real runs, real processes, real signals."""

import json
import os
import signal
import subprocess
import time

from e2e.harness import PROGRAM, ProgramTest, csv_reader, job, sqlite_writer

HEADER = "id,customer,city,quantity,price,ordered_at,active,note\n"
ROWS = "".join(f"{i},Ann,Bonn,3,1.5,2026-01-02 03:04:05,true,hello\n" for i in range(100))


def endless(records=1_000_000_000):
    """Runs until it is stopped: the throttle lets a few records through."""
    return {"job": {"setting": {"speed": {"channel": 1, "record": 50}, "errorLimit": {"record": 0}},
                    "content": [{"reader": {"name": "streamreader",
                                            "parameter": {"sliceRecordCount": records,
                                                          "column": [{"type": "string", "value": "x"}]}},
                                 "writer": {"name": "streamwriter", "parameter": {"print": False}}}]},
            "core": {"transport": {"channel": {"speed": {"record": 50}}}}}


class Several(ProgramTest):
    def setUp(self):
        super().setUp()
        self.jobs = self.folder / "jobs"
        self.jobs.mkdir()

    def put(self, name, document):
        path = self.jobs / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def csv_to_sqlite(self, name, rows=ROWS, **more):
        source = self.write(f"{name.replace('/', '_')}.csv", HEADER + rows)
        return job(csv_reader(source), sqlite_writer(self.make_table(name=f"{name.replace('/', '_')}.db")), **more)

    def command(self, *arguments):
        return [str(PROGRAM), "run", *map(str, arguments), "--state-dir", str(self.state), "--summary",
                str(self.folder / "summary.json")]

    def run_several(self, *arguments, **how):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=120, cwd=self.folder, **how)
        return done, self.summary()

    def test_a_folder_is_run_two_jobs_at_a_time(self):
        for name in ("a", "b", "sub/c"):
            self.put(name, self.csv_to_sqlite(name))
        done, summary = self.run_several(self.jobs, "--jobs", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r["label"], r["end"], r["summary"]["written"]) for r in summary["runs"]],
                         [("a", "succeeded", 100), ("b", "succeeded", 100), ("c", "succeeded", 100)])
        self.assertEqual(len(self.rows(self.folder / "sub_c.db")), 100)
        self.assertEqual(done.stderr.splitlines()[-1].split(" after ")[0], "All 3 runs succeeded")
        self.assertEqual(done.stdout, "")
        for line in done.stderr.splitlines()[:-5]:
            self.assertRegex(line, r"^\[[abc]\] ")

    def test_bad_ones_do_not_keep_the_others_from_running(self):
        self.put("bad", self.csv_to_sqlite("bad", rows="x\n", errors=0))
        self.put("good", self.csv_to_sqlite("good"))
        self.put("wrong", {"type": "job", "version": "2.0", "steps": 5})
        done, summary = self.run_several(self.jobs)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual([r["end"] for r in summary["runs"]], ["failed", "succeeded", "wrong"])
        self.assertIn("Failed: 2 of 3 runs", done.stderr.splitlines()[-1])
        self.assertIn("wrong.json:1:", done.stderr)
        (self.jobs / "bad.json").unlink()
        done, _ = self.run_several(self.jobs)
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_two_files_of_one_job_wait_for_each_other(self):
        document = self.csv_to_sqlite("one", rows=ROWS)
        document["steps"][1]["parameter"]["preSql"] = ["DELETE FROM orders"]
        self.put("first", document)
        self.put("second", document)
        done, summary = self.run_several(self.jobs, "--jobs", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([r["summary"]["written"] for r in summary["runs"]], [100, 100])
        self.assertEqual(summary["at_once"], 1)

    def test_the_same_file_twice_is_run_once(self):
        path = self.put("a", self.csv_to_sqlite("a"))
        done, summary = self.run_several(path, self.jobs)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(summary["runs"]), 1)
        self.assertIn("is named twice; it counts once", done.stderr)

    def test_a_job_comes_from_standard_input(self):
        document = json.dumps(self.csv_to_sqlite("a"))
        done, summary = self.run_several("-", input=document)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((summary["job"], summary["written"]), ("stdin", 100))
        other = self.put("b", self.csv_to_sqlite("b"))
        document = json.dumps(self.csv_to_sqlite("c"))
        done, summary = self.run_several(other, "-", input=document)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([r["label"] for r in summary["runs"]], ["b", "stdin"])
        done, _ = self.run_several("-", input="{\n\"type\": 5")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("standard input:2:", done.stderr)

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments, "--report-interval", "200ms"), stderr=subprocess.PIPE, text=True,
                                cwd=self.folder)

    def wait_until_at_work(self, child, labels):
        """Until each has told of its progress."""
        seen = set()
        for line in child.stderr:
            label = line.split("]")[0].lstrip("[")
            if " rows read, " in line:
                seen.add(label)
            if seen >= set(labels):
                return
        self.fail("ended before all were at work")

    def children(self, pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            return [int(p) for p in file.read().split()]

    def wait_until_gone(self, pids):
        deadline = time.monotonic() + 60
        while any(os.path.exists(f"/proc/{pid}") for pid in pids):
            self.assertLess(time.monotonic(), deadline, "runs outlived their parent")
            time.sleep(0.05)

    def test_a_signal_stops_all_that_are_at_work_and_begins_no_more(self):
        for name in ("a", "b", "c"):
            self.put(name, endless(1_000_000_000 + ord(name)))
        for number, name in ((signal.SIGINT, "SIGINT"), (signal.SIGTERM, "SIGTERM")):
            with self.subTest(name):
                child = self.start(self.jobs, "--jobs", "2")
                self.wait_until_at_work(child, ["a", "b"])
                runs = self.children(child.pid)
                self.assertEqual(len(runs), 2)
                child.send_signal(number)
                err = child.stderr.read()
                self.assertEqual(child.wait(timeout=60), 143, err)
                child.stderr.close()
                self.wait_until_gone(runs)
                summary = self.summary()
                self.assertEqual(summary["stopped_by"], name)
                self.assertEqual([r["end"] for r in summary["runs"]], ["stopped", "stopped", "not_begun"])
                self.assertEqual(summary["runs"][0]["summary"]["stopped_by"], name)

    def test_a_run_that_is_killed_costs_no_other(self):
        self.put("a", endless())
        self.put("b", self.csv_to_sqlite("b"))
        child = self.start(self.jobs)
        self.wait_until_at_work(child, ["a"])
        os.kill(self.children(child.pid)[0], signal.SIGKILL)
        err = child.stderr.read()
        child.stderr.close()
        self.assertEqual(child.wait(timeout=60), 1, err)
        self.assertEqual([r["end"] for r in self.summary()["runs"]], ["failed", "succeeded"])
        self.assertIn("ended by signal 9", err)

    def test_runs_stop_when_their_parent_is_killed(self):
        self.put("a", endless())
        self.put("b", self.csv_to_sqlite("b"))
        child = self.start(self.jobs)
        self.wait_until_at_work(child, ["a"])
        runs = self.children(child.pid)
        child.kill()
        child.wait(timeout=60)
        child.stderr.close()
        self.wait_until_gone(runs)
        summaries = [json.loads(path.read_text()) for path in self.state.rglob("summary.json")]
        self.assertEqual([(s["job"], s["state"], s["stopped_by"]) for s in summaries], [("a", "stopped", "SIGTERM")])

    def test_each_end_is_told_to_its_hook(self):
        self.put("a", self.csv_to_sqlite("a"))
        self.put("bad", self.csv_to_sqlite("bad", rows="x\n", errors=0))
        done, _ = self.run_several(self.jobs, "--on-end", f"cat > '{self.folder}'/hook.$$")
        self.assertEqual(done.returncode, 1, done.stderr)
        told = [json.loads(path.read_text()) for path in self.folder.glob("hook.*")]
        self.assertEqual(sorted((t["job"], t["exit_code"]) for t in told), [("a", 0), ("bad", 1)])

    def test_a_range_of_days_run_again_does_what_is_left(self):
        database = self.make_table("CREATE TABLE visits (day TEXT)", "visits.db")
        reader = {"stepType": "stream", "category": "reader", "name": "Reader",
                  "parameter": {"sliceRecordCount": 2, "column": [{"type": "string", "value": "${bizdate}"}]}}
        path = self.put("daily", job(reader, sqlite_writer(database, "visits", ["day"])))
        done, summary = self.run_several(path, "--bizdate", "20260227..20260301", "--parallel", "2", "--memory", "8M")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([(r["label"], r["end"]) for r in summary["runs"]],
                         [(f"daily {day}", "succeeded") for day in ("2026-02-27", "2026-02-28", "2026-03-01")])
        self.assertIn("admits one run of a job at a time", done.stderr)
        done, summary = self.run_several(path, "--bizdate", "20260228..20260302")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([r["end"] for r in summary["runs"]], ["done_before", "done_before", "succeeded"])
        self.assertIn("2 of them were done before", done.stderr.splitlines()[-1])
        self.assertRegex(done.stderr, r"(?m)^\[daily 2026-02-28\] Done before: .*run [0-9a-f-]+ has done this job for")
        self.assertNotIn("Failed", done.stderr)
        self.assertEqual(self.rows(database, "SELECT day, count(*) FROM visits GROUP BY day ORDER BY day"),
                         [(day, 2) for day in ("20260227", "20260228", "20260301", "20260302")])

    def test_a_job_without_a_date_is_refused_in_a_range(self):
        path = self.put("same", self.csv_to_sqlite("same"))
        done = subprocess.run(self.command(path, "--bizdate", "20260227..20260301"), capture_output=True, text=True,
                              timeout=120, cwd=self.folder)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("nothing in same depends on the date, so that each of the 3 days would do the same", done.stderr)
        self.assertEqual(self.rows(self.folder / "same.db"), [])

    def test_days_into_files_go_at_once(self):
        reader = {"stepType": "stream", "category": "reader", "name": "Reader",
                  "parameter": {"sliceRecordCount": 3, "column": [{"type": "string", "value": "${bizdate}"}]}}
        out = self.folder / "out"
        out.mkdir()
        writer = {"stepType": "text", "category": "writer", "name": "Writer",
                  "parameter": {"path": str(out), "fileName": "day-${bizdate}", "fileFormat": "csv", "writeMode": "truncate"}}
        self.put("daily", job(reader, writer))
        metrics = self.folder / "m.prom"
        done, summary = self.run_several(self.jobs, "--bizdate", "20260227..20260302", "--parallel", "4", "--metrics-file", str(metrics))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((summary["at_once"], len(summary["runs"])), (4, 4))
        self.assertEqual(sorted(p.name[:12] for p in out.glob("[!.]*")),
                         ["day-20260227", "day-20260228", "day-20260301", "day-20260302"])
        self.assertEqual(sorted(p.name for p in self.folder.glob("m*.prom")),
                         [f"m.daily.2026-{day}.prom" for day in ("02-27", "02-28", "03-01", "03-02")])

    def test_an_empty_folder_is_a_wrong_command_line(self):
        done, _ = self.run_several(self.jobs)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no file in this folder ends in .json", done.stderr)
