"""Dates, parameters and planned times of real runs."""

import datetime
import json
import os
import subprocess

from e2e.harness import PROGRAM, ProgramTest, job


def reader(*values, count=2, **more):
    return {"stepType": "stream", "category": "reader", "name": "Reader",
            "parameter": {"column": [{"type": "string", "value": v} for v in values], "sliceRecordCount": count, **more}}


def writer(database, **more):
    return {"stepType": "sqlite", "category": "writer", "name": "Writer",
            "parameter": {"jdbcUrl": f"jdbc:sqlite:{database}", "table": "t", "column": ["v"],
                          "preSql": ["CREATE TABLE IF NOT EXISTS t(v TEXT)"], **more}}


class Parameters(ProgramTest):
    def setUp(self):
        super().setUp()
        self.database = self.folder / "out.db"

    def values(self, table="t"):
        return [v for (v,) in self.rows(self.database, f"SELECT DISTINCT v FROM {table} ORDER BY v")]

    def count(self):
        return self.rows(self.database, "SELECT count(*) FROM t")[0][0]

    def test_dates_are_put_in_everywhere_and_in_the_zone_of_the_run(self):
        document = job(reader("${day}/$[hh24]"), writer(self.database, table="t_${yyyymm}", preSql=["CREATE TABLE t_${yyyymm}(v TEXT)"]))
        ended = self.run_job(document, "--cyctime", "2025-01-01 00:30:00", "-p", "day=${yyyy-mm-dd}", "--timezone", "Asia/Tokyo")
        self.assert_succeeds(ended)
        self.assertEqual(self.values("t_202412"), ["2024-12-31/00"])
        self.assertEqual(ended.summary["planned"], {"time": "2025-01-01 00:30:00", "business_date": "2024-12-31",
                                                    "origin": "--cyctime 2025-01-01 00:30:00", "given": True})
        self.assertEqual(ended.summary["parameters"], {"day": "2024-12-31"})
        self.assertIn("planned time 2025-01-01 00:30:00 (--cyctime", ended.text)

    def test_without_a_planned_time_it_is_now_in_the_zone_with_a_note_that_names_the_place(self):
        ended = self.run_job(job(reader("$[yyyymmddhh24]"), writer(self.database)), "--timezone", "+14:00")
        self.assert_succeeds(ended)
        then = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=14)))
        hours = [(then - datetime.timedelta(hours=h)).strftime("%Y%m%d%H") for h in (0, 1)]
        self.assertIn(self.values()[0], hours)
        self.assertIn("steps[0].parameter.column[0].value: dates are counted from the planned time, which is now", ended.text)

    def test_a_planned_time_that_is_done_is_refused_and_fresh_repeats_it(self):
        document = job(reader("$bizdate"), writer(self.database))
        self.assert_succeeds(self.run_job(document, "--bizdate", "20250719"))
        again = self.run_job(document, "--cyctime", "2025-07-20 00:00:00")
        self.assert_fails(again, 1, "2025-07-20 00:00:00", "--on-unfinished fresh")
        self.assertEqual(self.count(), 2)
        self.assert_succeeds(self.run_job(document, "--bizdate", "20250719", "--on-unfinished", "fresh"))
        self.assertEqual(self.count(), 4)
        self.assert_succeeds(self.run_job(document, "--bizdate", "20250720"))
        self.assertEqual(self.values(), ["20250719", "20250720"])

    def test_without_a_planned_time_a_finished_job_runs_again(self):
        document = job(reader("x"), writer(self.database))
        for n in (2, 4):
            self.assert_succeeds(self.run_job(document))
            self.assertEqual(self.count(), n)

    def killed_run(self, document, *arguments):
        """A run that is killed once its first rows are committed."""
        self.kill_once(lambda: self.rows_stand(self.database), document, *arguments)

    def slow_job(self, value):
        document = job(reader(value, count=60_000), writer(self.database))
        document["setting"]["speed"] = {"concurrent": 1, "throttle": True, "mbps": 1}
        return document

    def test_an_unfinished_run_is_continued_with_its_own_planned_time_and_zone(self):
        document = self.slow_job("$[yyyymmddhh24miss] " + "x" * 80)
        self.killed_run(document, "--timezone", "Asia/Tokyo")
        planned = self.rows(self.database, "SELECT planned_time FROM sluice_run")[0][0]
        self.assertRegex(planned, r"^now \d{4}-\d\d-\d\d \d\d:\d\d:\d\d Asia/Tokyo$")
        ended = self.run_job(document, "--timezone", "Europe/Berlin")
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(ended.summary["zone"], {"name": "Asia/Tokyo", "origin": "of the unfinished run"})
        self.assertEqual(ended.summary["planned"]["origin"], "of the unfinished run")
        self.assertEqual(len(self.values()), 1, "the dates changed on the way")
        self.assertEqual(self.count(), 60_000)

    def test_a_given_planned_time_continues_its_own_run_and_names_that_of_another(self):
        document = self.slow_job("$bizdate " + "x" * 80)
        self.killed_run(document, "--bizdate", "20250719")
        other = self.run_job(document, "--bizdate", "20250720", "--max-duration", "1s", "--set", "setting.speed.mbps=1")
        self.assertIn("another planned time (2025-07-20 00:00:00)", other.text)
        ended = self.run_job(document, "--bizdate", "20250719")
        self.assert_succeeds(ended)
        self.assertTrue(ended.summary["resumed"])
        self.assertEqual(self.rows(self.database, "SELECT count(*) FROM t WHERE v LIKE '20250719%'")[0][0], 60_000)

    def test_a_value_with_a_quote_that_becomes_sql_is_warned_of_with_the_statement(self):
        document = job(reader("x"), writer(self.database, preSql=["CREATE TABLE t(v TEXT)", "DELETE FROM t WHERE v = '${city}'"]))
        ended = self.run_job(document, "-p", "city=Rom''; --")
        self.assert_succeeds(ended)
        self.assertIn("the value of ${city} holds a quote and a semicolon and becomes part of SQL: "
                      "\"DELETE FROM t WHERE v = 'Rom''; --'\"", ended.text)
        self.assertIn("steps[1].parameter.preSql[1]", ended.text)
        shown = self.params(document, "-p", "city=Rom''; --")
        self.assertIn("the value of ${city} holds a quote and a semicolon and becomes part of SQL: ", shown.stderr)

    def test_values_come_from_files_and_the_command_line_goes_before_them(self):
        lines = self.write("days.txt", "# a comment\nday=$[yyyymmdd-1]\ncity=Rom = Roma\n\n")
        document = job(reader("${day} ${city} ${n}"), writer(self.database))
        more = self.write("more.json", '{"n": 5, // loose\n "day": "x"}')
        clash = self.run_job(document, "--param-file", lines, "--param-file", more, "--cyctime", "2025-07-20 10:30")
        self.assert_fails(clash, 2, "the parameter \"day\" has another value at", "days.txt:2")
        more.write_text('{"n": 5}', encoding="utf-8")
        self.assert_succeeds(self.run_job(document, "--param-file", lines, "--param-file", more, "-p", "city=Oslo",
                                          "--cyctime", "2025-07-20 10:30"))
        self.assertEqual(self.values(), ["20250719 Oslo 5"])
        for text, message in (("a = 1", "blanks stand around \"a \""), ("1a=2", "is no name"), ("hunter2", "has no ="),
                              ('{"a": [1]}', "expected a text, a number, true or false"), ('{"a": ', "bad.txt:1:7")):
            wrong = self.run_job(document, "--param-file", self.write("bad.txt", text))
            self.assert_fails(wrong, 2, message)
            self.assertNotIn("hunter2", wrong.text)

    def params(self, document, *arguments):
        path = self.folder / "job.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        done = subprocess.run([str(PROGRAM), "params", str(path), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "TZ": "UTC"})
        return done

    def test_params_shows_each_variable_with_its_value_and_where_both_come_from(self):
        document = job(reader("${day}", "$[hh24-1/24]", "${day}"), writer(self.database, password="${pw}", table="t_${tail}"))
        arguments = ["-p", "day=$bizdate", "-p", "pw=hunter22", "-p", "tail=${pw}x", "--cyctime", "2025-07-20 10:30:00"]
        done = self.params(document, *arguments, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        shown = json.loads(done.stdout)
        self.assertEqual(shown["planned"], {"time": "2025-07-20 10:30:00", "business_date": "2025-07-19",
                                            "origin": "--cyctime 2025-07-20 10:30:00", "given": True})
        self.assertEqual(shown["zone"], {"name": "UTC", "origin": "the environment variable TZ"})
        rows = {v["variable"]: (v["value"], v["expression"], v["origin"], len(v["places"])) for v in shown["variables"]}
        self.assertEqual(rows, {"${day}": ("20250719", "$bizdate", "-p", 2), "$[hh24-1/24]": ("09", "$[hh24-1/24]", "the job", 1),
                                "${pw}": ("***", "***", "-p", 1), "${tail}": ("***", "***", "-p", 1)})
        self.assertRegex(shown["variables"][0]["places"][0], r"job\.json:1:\d+ steps\[0\]\.parameter\.column\[0\]\.value$")
        text = self.params(document, *arguments)
        self.assertRegex(text.stdout, r"Business date +2025-07-19\n")
        self.assertRegex(text.stdout, r"\$\{day\} +20250719 +\$bizdate +-p +.*column\[0\]\.value\n")
        self.assertNotIn("hunter22", text.stdout + text.stderr)

    def test_params_names_each_variable_without_a_value_and_ends_with_2(self):
        done = self.params(job(reader("${day}", "${n}"), writer(self.database)), "-p", "n=1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("column[0].value: the parameter ${day} has no value; give it with -p day=VALUE", done.stderr)
        self.assertIn("${n}", done.stdout)
        wrong = self.params(job(reader("x"), writer(self.database)), "--bizdate", "20250230")
        self.assertEqual((wrong.returncode, "20250230" in wrong.stderr), (2, True))

    def test_datax_parameters_are_literal_in_its_own_form_and_expressions_in_ours(self):
        document = {"job": {"setting": {"speed": {"channel": 1}}, "content": [{
            "reader": {"name": "streamreader", "parameter": {"column": [{"type": "string", "value": "$a/${b}/$[yyyymmdd]"}], "sliceRecordCount": 1}},
            "writer": {"name": "sqlitewriter", "parameter": {"connection": [{"jdbcUrl": f"jdbc:sqlite:{self.database}", "table": ["t"]}],
                                                             "column": ["v"], "preSql": ["CREATE TABLE t(v TEXT)"]}}}]}}
        ended = self.run_job(document, "-p", "-Da=$[hh24]", "-p", "b=$[hh24]", "--cyctime", "2025-07-20 10:30:00")
        self.assert_succeeds(ended)
        self.assertEqual(self.values(), ["$[hh24]/10/$[yyyymmdd]"])
        self.assertIn('"$[yyyymmdd]" stays as written, as in DataX', ended.text)
