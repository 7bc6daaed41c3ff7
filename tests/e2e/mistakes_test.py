"""What a job's text alone shows to be wrong: `check --offline` tells all of it in one go, and shows no secret."""

import json
import subprocess

from e2e.harness import PROGRAM, ProgramTest, csv_reader, job, sqlite_writer

SECRET = "SEKRETxq9"


def end(kind, side, **parameter):
    return {"stepType": kind, "category": side, "name": side.capitalize(), "parameter": parameter}


def sqlite_pair(reader=None, writer=None, **setting):
    both = {"jdbcUrl": "jdbc:sqlite:/nope.db", "table": "t", "column": ["id", "name"]}
    return job(end("sqlite", "reader", **{**both, **(reader or {})}), end("sqlite", "writer", **{**both, **(writer or {})}), **setting)


def text_pair(reader=None, writer=None, **setting):
    return job(end("text", "reader", **{"path": ["in.csv"], "column": ["*"], **(reader or {})}),
               end("text", "writer", **{"path": "out", "fileName": "o", **(writer or {})}), **setting)


def datax(reader, writer=None, **content):
    return {"job": {"setting": {"speed": {"channel": 1}}, "content": [{
        "reader": reader, "writer": writer or {"name": "streamwriter", "parameter": {"print": True}}, **content}]}}


def stream(**more):
    return {"name": "streamreader", "parameter": {"column": [{"value": "x"}], "sliceRecordCount": 3, **more}}


class Mistakes(ProgramTest):
    def check(self, document, *more):
        path = self.folder / "job.json"
        text = document if isinstance(document, str) else json.dumps(document, indent=1)
        path.write_text(text, encoding="utf-8")
        done = subprocess.run([str(PROGRAM), "check", "--offline", "--json", str(path), *more], capture_output=True, text=True,
                              cwd=self.folder, timeout=60)
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)["jobs"][0]

    def assert_told(self, found, *texts):
        for text in texts:
            self.assertTrue(any(text in line for line in found), f"{text} is not in {found}")

    def test_a_plugins_own_checks_run_beside_wrong_types_and_tell_all_of_both_ends(self):
        found = self.check(sqlite_pair({"jdbcUrl": None, "table": None, "fetchSize": "x", "column": [{"a": 1}]},
                                       {"jdbcUrl": None, "column": "", "writeMode": "upsert", "batchSize": "a"}))["problems"]
        self.assert_told(found, "steps[0].parameter.jdbcUrl: the SQLite file is not named", "steps[0].parameter.table: no table",
                         "fetchSize: found", "column[0]: found an object", "steps[1].parameter.jdbcUrl: the SQLite file",
                         '"column" is missing', 'writeMode: found "upsert"', "batchSize: found")
        self.assertEqual(len(found), len(set(found)))
        self.assertFalse([line for line in found if "no column is named" in line], "said once, by its description")

    def test_every_wrong_column_and_encoding_of_files_is_told(self):
        columns = [{"index": 0, "type": "strng"}, {"type": "string"}, {"index": 0, "type": "date", "format": "YYYY-QQ"},
                   {"index": 0, "value": "x", "type": "string"}]
        found = self.check(text_pair({"column": columns, "encoding": "latin99", "compress": "rar"},
                                     {"writeMode": "replace", "encoding": "latin98"}))["problems"]
        self.assert_told(found, "column[0].type", "column[1]:", "column[2].format", "column[3]:", "latin99", "latin98",
                         'found "rar"', 'writeMode: found "replace"')

    def test_wrong_speeds_are_told_together(self):
        found = self.check(job(end("text", "reader", path=["a"], column=["*"]), end("text", "writer", path="o", fileName="o"),
                               speed={"throttle": "maybe", "mbps": "x", "concurrent": 0}))["problems"]
        self.assert_told(found, "throttle: found", "mbps: found", "concurrent: found")

    def test_what_the_lists_of_both_ends_show_together(self):
        self.assert_told(self.check(sqlite_pair({"column": ["id"]}))["problems"], "the reader lists 1 columns, the writer 2")
        swapped = sqlite_pair({"column": ["name", "id"]})
        self.assert_told(self.check(swapped)["warnings"], "order")
        self.assert_told(self.check(swapped, "--strict")["problems"], "order")
        named = job(csv_reader("in.csv", column=[{"index": 0, "name": "name", "type": "string"}, {"index": 1, "name": "id", "type": "long"}]),
                    sqlite_writer("d.db", columns=["id", "name"]))
        self.assert_told(self.check(named, "--strict")["problems"], "order")
        self.assertEqual(self.check(sqlite_pair({"column": ["id, name"]}))["problems"], [], "one text may be two expressions")
        self.assert_told(self.check(sqlite_pair({"column": "id,name"}))["problems"], "write a list")

    def test_transformers_are_judged_by_the_text(self):
        substr = [{"name": "dx_substr", "parameter": {"columnIndex": 9, "paras": ["0", "1"]}}]
        self.assert_told(self.check(datax(stream(), transformer=substr))["problems"], "transformer[0]")
        like = [{"name": "dx_filter", "parameter": {"columnIndex": 0, "paras": ["like", "(("]}}]
        self.assert_told(self.check(datax(stream(), transformer=like))["problems"], "transformer[0]")

    def test_formats_and_encoding_of_the_job_are_judged_where_they_stand(self):
        found = self.check(text_pair(common={"column": {"datetimeFormat": "yyyy-QQ", "extraFormats": ["yyyy-bb"], "encoding": "foo"}}))
        self.assert_told(found["problems"], "setting.common.column.datetimeFormat", "setting.common.column.extraFormats",
                         "setting.common.column.encoding")
        self.assert_told(self.check(text_pair(common={"column": {"encoding": "gbk"}}))["warnings"],
                         'with "gbk" a job in which one becomes the other is refused')

    def test_binary_values_and_text_in_another_encoding_are_refused(self):
        source = self.make_table("CREATE TABLE s (n TEXT, b BLOB)", "source.db")
        target = self.make_table("CREATE TABLE t (n TEXT, b TEXT)", "target.db")
        reader = {"stepType": "sqlite", "category": "reader", "name": "Reader",
                  "parameter": {"jdbcUrl": f"jdbc:sqlite:{source}", "table": "s", "column": ["n", "b"]}}
        document = job(reader, sqlite_writer(target, "t", ["n", "b"]), common={"column": {"encoding": "GBK"}})
        ended = self.run_job(document)
        self.assertEqual(ended.code, 1, ended)
        self.assertRegex(ended.text, r'column 1 .*binary.* cannot become utf8.* in "GBK" \(common\.column\.encoding\)')
        for name, columns, encoding in (("text alone", ["n"], "GBK"), ("UTF-8 by name", ["n", "b"], " UTF8 ")):
            with self.subTest(name):
                reader["parameter"]["column"] = columns
                fine = job(reader, sqlite_writer(target, "t", columns), common={"column": {"encoding": encoding}})
                self.assertEqual(self.run_job(fine).code, 0)

    def test_two_jobs_in_one_file_and_two_answers_to_one_question(self):
        self.assert_told(self.check({**sqlite_pair(), **datax(stream())})["problems"], "which are two jobs")
        twice = [{"jdbcUrl": "jdbc:sqlite:/other.db", "table": ["u"]}]
        self.assert_told(self.check(sqlite_pair({"connection": twice}))["warnings"], "jdbcUrl: has no effect", "table: has no effect")
        both = {"jdbcUrl": ["jdbc:sqlite:/a.db"], "table": ["t"], "querySql": ["select 1"]}
        self.assert_told(self.check(datax({"name": "sqlitereader", "parameter": {"connection": [both], "column": ["id"]}}))["problems"],
                         "takes one of them")
        self.assert_told(self.check(datax({"name": "sqlitereader", "parameter": {"*password": "x", "jdbcUrl": "jdbc:sqlite:a", "table": "t", "column": ["*"]}}))["problems"],
                         "encrypted by DataX")

    def test_a_boolean_is_no_secret(self):
        (self.folder / "job.json").touch(0o644)
        self.assertEqual(self.check(sqlite_pair({"useSpecialSecret": False}))["warnings"], [])

    def test_datax_variables_outside_of_texts(self):
        text = json.dumps(datax(stream())).replace('"sliceRecordCount": 3', '"sliceRecordCount": $n').replace('"channel": 1', '"channel": ${channel}')
        self.assertEqual(self.check(text, "-p", "-Dn=5 -Dchannel=2")["verdict"], "runs")
        self.assert_told(self.check(text, "-p", "-Dn=5")["problems"], "the parameter ${channel} has no value")
        ended = self.run_job(text, "-p", "-Dn=5 -Dchannel=2")
        self.assert_succeeds(ended)
        self.assert_account(ended, read=10)

    def test_no_message_shows_a_secret(self):
        for reader in ({"jdbcUrl": f"jdbc:mysql://u:{SECRET}@h/db?password={SECRET}"}, {"jdbcUrl": f"jdbc:sqlite:/f?password={SECRET}&key={SECRET}"},
                       {"connection": json.dumps({"password": SECRET})}, {"session": [f"PRAGMA key=password={SECRET}"]}):
            found = self.check(sqlite_pair(reader))
            self.assertTrue(found["problems"], reader)
            self.assertNotIn(SECRET, json.dumps(found))
        source = self.make_table("CREATE TABLE t(id, name)")
        ended = self.run_job(sqlite_pair({"jdbcUrl": f"jdbc:sqlite:{source}", "where": "name='${db_password}'"}),
                             "-p", f"db_password=O'{SECRET}")
        self.assertEqual(ended.code, 1, str(ended))
        self.assertNotIn(SECRET, ended.text + json.dumps(ended.summary))
