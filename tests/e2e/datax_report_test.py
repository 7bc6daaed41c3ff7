"""`--report datax` and the launcher with the real program: what a scheduler that reads DataX's output finds."""

import os
import re
import signal
import subprocess
import sys

from e2e.datax_launcher_test import LAUNCHER
from e2e.harness import PROGRAM, ProgramTest

PREFIX = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[job-0\] INFO  "
PROGRESS = re.compile(
    PREFIX + r"StandAloneJobContainerCommunicator - Total (\d+) records, (\d+) bytes \| Speed [\d.]+(?:B|KB|MB|GB|TB)/s, (\d+) records/s "
    r"\| Error (\d+) records, \d+ bytes \|  All Task WaitWriterTime [\d,]+\.\d{3}s \|  All Task WaitReaderTime [\d,]+\.\d{3}s "
    r"\| (?:Transfermor Success (\d+) records \| Transformer Error (\d+) records \| Transformer Filter (\d+) records "
    r"\| Transformer usedTime [\d.]+s \| )?Percentage (\d+\.\d\d)%")
SUMMARY = re.compile(
    PREFIX + "JobContainer - \n"
    r"任务启动时刻 {20}: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n"
    r"任务结束时刻 {20}: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n"
    r"任务总计耗时 {20}: (?= *\d+s\n).{19}\n"
    r"任务平均流量 {20}: (?= *[\d.]+[KMGT]?B/s\n).{19}\n"
    r"记录写入速度 {20}: (?= *\d+rec/s\n).{19}\n"
    r"读出记录总数 {20}: (?= *\d+\n)(.{19})\n"
    r"读写失败总数 {20}: (?= *\d+\n)(.{19})\n\n")


def stream_job(records, **speed):
    return {"job": {"setting": {"speed": {"channel": 1, **speed}, "errorLimit": {"record": 0}},
                    "content": [{"reader": {"name": "streamreader",
                                            "parameter": {"sliceRecordCount": records,
                                                          "column": [{"type": "long", "value": 7},
                                                                     {"type": "string", "value": "${word}"}]}},
                                 "writer": {"name": "streamwriter", "parameter": {"print": False}}}]},
            "core": {"transport": {"channel": {"speed": {"record": 100}}}}}


class DataxReport(ProgramTest):
    def launch(self, document, *more, launcher=True, **env):
        argv = self.arguments(document)
        start = [sys.executable, str(LAUNCHER), *more, argv[2]] if launcher else [*argv, "--report", "datax", *more]
        return subprocess.run(start, capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env={**os.environ, "SLUICE_PROGRAM": str(PROGRAM), "SLUICE_STATE": str(self.state), **env})

    def test_standard_output_is_datax_s_to_the_byte_and_nothing_else(self):
        done = self.launch(stream_job(50), "-p", "-Dword=hello")
        self.assertEqual(done.returncode, 0, done.stderr)
        first, _, rest = done.stdout.partition("\n")
        line = PROGRESS.fullmatch(first)
        self.assertTrue(line, done.stdout)
        self.assertEqual((line[1], line[4], line[8]), ("50", "0", "100.00"))
        summary = SUMMARY.fullmatch(rest)
        self.assertTrue(summary, done.stdout)
        self.assertEqual((summary[1].strip(), summary[2].strip()), ("50", "0"))
        self.assertIn("= written", done.stderr)

    def test_progress_lines_come_while_it_runs(self):
        done = self.launch(stream_job(300, record=300), "-p", "word=x", "--report-interval", "400ms", launcher=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [PROGRESS.fullmatch(line) for line in done.stdout.splitlines() if "Total" in line]
        self.assertGreater(len(lines), 2, done.stdout)
        self.assertTrue(all(lines), done.stdout)
        totals = [int(line[1]) for line in lines]
        self.assertEqual(totals, sorted(totals))

    def test_a_transformer_has_its_part_and_its_block(self):
        document = stream_job(50)
        document["job"]["content"][0]["transformer"] = [
            {"name": "dx_filter", "parameter": {"columnIndex": 0, "paras": ["=", "7"]}}]
        done = self.launch(document, "-p", "-Dword=x")
        self.assertEqual(done.returncode, 0, done.stderr)
        line = PROGRESS.fullmatch(done.stdout.splitlines()[0])
        self.assertTrue(line, done.stdout)
        self.assertEqual(line.group(1, 5, 6, 7), ("0", "50", "0", "50"))
        self.assertIn("Transformer过滤记录总数         :                  50\n", done.stdout)

    def test_bytes_of_dirty_and_filtered_records_and_the_time_of_transformers_are_as_they_are(self):
        source = self.write("in.txt", "1,one\nno number at all,two\n3,drop this\n" + "4,four\n" * 100_000)
        document = stream_job(1)
        del document["core"]
        document["job"]["setting"]["errorLimit"]["record"] = 1
        content = document["job"]["content"][0]
        content["reader"] = {"name": "txtfilereader",
                             "parameter": {"path": [str(source)], "fieldDelimiter": ",",
                                           "column": [{"index": 0, "type": "long"}, {"index": 1, "type": "string"}]}}
        content["transformer"] = [{"name": "dx_filter", "parameter": {"columnIndex": 1, "paras": ["=", "drop this"]}},
                                  {"name": "dx_pad", "parameter": {"columnIndex": 1, "paras": ["l", "20", "x"]}}]
        done = self.launch(document)
        self.assertEqual(done.returncode, 0, done.stderr)
        dirty = len("no number at all,two")
        last = next(x for x in reversed(done.stdout.splitlines()) if "Total" in x)
        self.assertTrue(PROGRESS.fullmatch(last), last)
        self.assertIn(f"Total 100002 records, {8 + 3 + dirty + 100_000 * (8 + 4)} bytes |", last)
        self.assertIn(f"| Error 1 records, {dirty} bytes |", last)
        # The record that the reader refuses never comes to a transformer.
        self.assertIn("| Transfermor Success 100002 records | Transformer Error 0 records | Transformer Filter 1 records |", last)
        self.assertGreater(float(re.search(r"usedTime ([\d.]+)s", last)[1]), 0, last)

    def test_each_failure_is_exit_code_1_with_datax_s_block(self):
        broken = self.launch("{\"job\": ")
        self.assertEqual(broken.returncode, 1, broken.stderr)
        self.assertIn("经DataX智能分析,该任务最可能的错误原因是:\nCode:[Framework-03], Description:[", broken.stdout)
        missing = self.launch(None)
        self.assertEqual(missing.returncode, 1, missing.stderr)
        for wrong in (broken, missing):
            self.assertRegex(wrong.stdout.splitlines()[0], r"ERROR Engine - $", "no count of records stands before it")
        document = stream_job(5)
        document["job"]["content"][0]["reader"] = {"name": "txtfilereader", "parameter": {
            "path": [str(self.folder / "none.csv")], "column": [{"index": 0, "type": "string"}]}}
        failed = self.launch(document)
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.assertIn("Code:[Framework-", failed.stdout)
        self.assertNotIn("任务启动时刻", failed.stdout)

    def test_a_scheduler_s_kill_reaches_the_run(self):
        argv = self.arguments(stream_job(10_000_000, record=100))
        child = subprocess.Popen([sys.executable, str(LAUNCHER), "-p", "-Dword=x", argv[2]], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, cwd=self.folder,
                                 env={**os.environ, "SLUICE_PROGRAM": str(PROGRAM), "SLUICE_STATE": str(self.state)})
        for line in child.stderr:
            if "Run " in line:
                break
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 143, err)
        self.assertIn("Code:[Framework-143]", out)
        self.assertIn("Stopped by SIGTERM", err)

    def test_it_does_not_go_with_json(self):
        done = self.launch(stream_job(5), "--json", launcher=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("both write to standard output", done.stderr)
