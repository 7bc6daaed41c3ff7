"""What becomes of values on their way: formats by the step's name, numbers in text, transformers, compat, lines."""

import json
import sqlite3
import unittest

from e2e.harness import ProgramTest, job, sqlite_writer

# A text into a column declared as a number: the number it stands for, or None where the record is dirty. One rule
# (docs/conversions.md), whatever the declared type is; where a type cannot hold the number the record is dirty too.
NUMBERS_IN_TEXT = {
    "7": 7, "007": 7, "+7": 7, "7.0": 7, "7.": 7, "0.7e1": 7, "-0": 0, "1e3": 1000, "1E3": 1000,
    " 7": None, "7 ": None, "0x10": None, "1_000": None, "1,000": None, "９": None, "seven": None, "": None,
    "--7": None, "1e": None, "7a": None, "\t7": None, "0b1": None, "1e999": None,
}


def text_reader(path, names, **more):
    return {"stepType": "text", "category": "reader", "name": "Reader",
            "parameter": {"path": [str(path)],
                          "column": [{"index": i, "name": n, "type": "STRING"} for i, n in enumerate(names)], **more}}


class Values(ProgramTest):
    def test_the_step_type_says_the_format_on_both_sides(self):
        source = self.write("in.jsonl", '{"id": 1, "name": "a,b"}\n{"id": 2, "name": null}\n')
        columns = [{"name": "id", "type": "LONG"}, {"name": "name", "type": "STRING"}]
        reader = {"stepType": "json", "category": "reader", "name": "Reader",
                  "parameter": {"path": [str(source)], "column": columns}}
        for name, wanted in (("jsonl", '{"id":1,"name":"a,b"}\n{"id":2,"name":null}\n'), ("csv", '1,"a,b"\n2,\n')):
            out = self.folder / name
            writer = {"stepType": name, "category": "writer", "name": "Writer",
                      "parameter": {"path": str(out), "fileName": "x", "header": ["id", "name"] if name == "jsonl" else []}}
            self.assert_succeeds(self.run_job(job(reader, writer), "--name", name))
            self.assertEqual("".join(p.read_text() for p in out.iterdir()).replace(" ", ""), wanted)
        reader["parameter"]["fileFormat"] = "csv"
        ended = self.run_job(job(reader, writer))
        self.assert_fails(ended, 2, "steps[0].parameter.fileFormat", 'found "csv", but stepType "json" means "json"')

    def test_a_number_in_text_is_its_number_or_dirty_whatever_kind_of_number_the_column_declares(self):
        texts = list(NUMBERS_IN_TEXT)
        source = self.folder / "in.jsonl"
        source.write_text("".join(json.dumps({"at": i, "v": t}) + "\n" for i, t in enumerate(texts)))
        reader = {"stepType": "json", "category": "reader", "name": "Reader",
                  "parameter": {"path": [str(source)],
                                "column": [{"name": "at", "type": "LONG"}, {"name": "v", "type": "STRING"}]}}
        for declared in ("INTEGER", "BIGINT", "REAL", "DOUBLE", "NUMERIC", "DECIMAL(10, 2)", "NUMBER"):
            name = declared.split("(")[0]
            database = self.make_table(f"CREATE TABLE t(at INTEGER, v {declared})", f"{name}.db")
            ended = self.run_job(job(reader, sqlite_writer(database, "t", ["at", "v"])), "--name", name)
            self.assert_succeeds(ended)
            stored = dict(self.rows(database, "SELECT at, v FROM t"))
            dirty = {d["position"] for d in self.dirty() if d["job"] == name}
            for at, text in enumerate(texts):
                wanted = NUMBERS_IN_TEXT[text]
                self.assertEqual(stored.get(at), wanted, f"{text!r} into {declared}")
                self.assertEqual(at in dirty, wanted is None, f"{text!r} into {declared}")
            self.assertIn("007 is 7", ended.text, "the plan says it")

    def test_dirty_records_of_all_three_sides_name_their_line_where_a_file_was_split_without_a_pass(self):
        # Long enough for several splits; without quotes nobody counts lines beforehand.
        pad = "x" * 200
        count = 120_000
        bad = {30_001: "reader", 60_002: "channel", 90_003: "writer", 119_999: "channel", 2: "channel", 30_002: "writer"}
        lines = []
        for i in range(1, count + 1):
            side = bad.get(i)
            lines.append({None: f"{i}|{pad}", "reader": f"{i}", "channel": f"no{i}|{pad}", "writer": f"-{i}|{pad}"}[side])
        source = self.write("big.txt", "\n".join(lines) + "\n")
        database = self.make_table("CREATE TABLE t(id INTEGER CHECK (id > 0), pad TEXT)")
        reader = text_reader(source, ["id", "pad"], fileFormat="text", fieldDelimiter="|")
        ended = self.run_job(job(reader, sqlite_writer(database, "t", ["id", "pad"]), concurrent=2))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=count, dirty=len(bad))
        self.assertGreater(ended.summary["splits"]["total"], 1)
        found = {d["line"]: d["side"] for d in self.dirty()}
        self.assertEqual(found, bad)
        self.assertTrue(any(f"line {line}" in ended.err for line, side in bad.items() if side != "reader"),
                        "the log names lines too:\n" + ended.err)

    def test_transformers_do_the_same_in_both_dialects(self):
        source = self.write("in.csv", "13800001111,42,abc\n12,7,out\n13911112222,,x\n")
        transformers = [{"name": "dx_filter", "parameter": {"columnIndex": 2, "paras": ["=", "out"]}},
                        {"name": "dx_replace", "parameter": {"columnIndex": 0, "paras": ["3", "4", "****"]}},
                        {"name": "dx_pad", "parameter": {"columnIndex": 1, "paras": ["l", "5", "0"]}},
                        {"name": "dx_substr", "parameter": {"columnIndex": 2, "paras": ["2", "5"]}},
                        {"name": "dx_digest", "parameter": {"columnIndex": 2, "paras": ["md5", "toUpperCase"]}}]
        script = job(text_reader(source, ["phone", "n", "w"], fileFormat="csv", nullFormat=""),
                     sqlite_writer(self.folder / "script.db", "t", ["phone", "n", "w"], createTable=True))
        script["transformer"] = transformers
        datax = {"job": {"setting": {"speed": {"channel": 1}}, "content": [{
            "reader": {"name": "txtfilereader", "parameter": script["steps"][0]["parameter"]},
            "writer": {"name": "sqlitewriter", "parameter": {
                "connection": {"jdbcUrl": f"jdbc:sqlite:{self.folder / 'datax.db'}", "table": ["t"]},
                "column": ["phone", "n", "w"], "createTable": True}},
            "transformer": transformers}]}}
        for name, document in (("script", script), ("datax", datax)):
            ended = self.run_job(document, "--name", name)
            self.assert_succeeds(ended)
            self.assert_account(ended, read=3, written=1, filtered=1, dirty=1)
            self.assertEqual(self.rows(self.folder / f"{name}.db", "SELECT phone, n, w FROM t"),
                             [("138****1111", "00042", "4A8A08F09D37B73795649038408B5F33")])
            dirty = [d for d in self.dirty() if d["job"] == name]
            self.assertEqual([(d["code"], d["column"], d["line"]) for d in dirty], [("bad_parameter", "w", 3)])

    def test_compat_datax_changes_what_datax_changes_and_counts_it(self):
        source = self.write("in.csv", "1,12.7,0.1\n2,,0.2\n3,30,0.12345678901234567890\nx,1,1\n5.5,2,2\n")
        table = "CREATE TABLE t(id INTEGER, amount INTEGER, rate REAL)"
        columns = ["id", "amount", "rate"]
        changed = [(1, 12, 0.1), (2, None, 0.2), (3, 30, 0.12345678901234568), (5, 2, 2.0)]
        for name, setting, flags, rows, dirty in (
                ("default", {}, [], [], 5), ("flag", {}, ["--compat", "datax"], changed, 1),
                ("setting", {"compat": "datax"}, [], changed, 1),
                ("overruled", {"compat": "datax"}, ["--compat", "exact"], [], 5)):
            database = self.make_table(table, f"{name}.db")
            ended = self.run_job(job(text_reader(source, columns, fileFormat="csv"), sqlite_writer(database, "t", columns),
                                     **setting), "--name", name, *flags)
            self.assert_succeeds(ended)
            self.assert_account(ended, read=5, dirty=dirty)
            self.assertEqual(self.rows(database, "SELECT * FROM t"), rows)
            changes = [(c["column"], c["rule"], c["count"]) for c in ended.summary["changes"]]
            if rows:
                self.assertEqual(changes, [("id", "fraction_cut", 1), ("amount", "fraction_cut", 1),
                                           ("amount", "empty_is_null", 1), ("rate", "rounded", 1)])
                self.assertIn("as DataX does it, counted", ended.text)
                self.assertIn("4 values were changed as DataX changes them: id fraction_cut 1", ended.err.splitlines()[-1])
            else:
                self.assertEqual(changes, [])
                self.assertNotIn("DataX", ended.text)

    def test_write_modes_that_go_by_keys_are_refused_without_one(self):
        source = self.write("in.csv", "1,a\n")
        for mode in ("update", "replace", "ignore"):
            database = self.make_table("CREATE TABLE t(id INTEGER, name TEXT)", f"{mode}.db")
            ended = self.run_job(job(text_reader(source, ["id", "name"], fileFormat="csv"),
                                     sqlite_writer(database, "t", ["id", "name"], writeMode=mode)), "--name", mode)
            self.assert_fails(ended, 1, "steps[1].parameter.writeMode", "no primary key and no unique index")
            self.assertEqual(self.rows(database, "SELECT * FROM t"), [])
            with sqlite3.connect(database) as db:
                self.assertEqual(db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0], 1, "nothing was changed")
            db.close()


if __name__ == "__main__":
    unittest.main()
