"""check, plan, template and copy: what they say beforehand, what they make, and that looking changes nothing."""

import gzip
import hashlib
import json
import lzma
import re
import sqlite3
import subprocess
import unittest

from e2e.harness import ORDER_COLUMNS, PROGRAM, ProgramTest, csv_reader, job, sqlite_writer

ORDERS = ("id,customer,city,quantity,price,ordered_at,active,note\n"
          "1,Ann,Köln,3,1.50,2024-02-29 23:59:59,true,hello\n"
          "2,Bob,,4,2.25,2024-03-01 00:00:00,false,\"a, b\"\n")


class ForetellTest(ProgramTest):
    def sluice(self, *arguments, stdin=None):
        return subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              cwd=self.folder, input=stdin)

    def put_job(self, document, name="job.json"):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    def digest(self, path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def orders_job(self, db, **more):
        return job(csv_reader(self.write("orders.csv", ORDERS)), sqlite_writer(db, **more))


class Check(ForetellTest):
    def test_a_good_job_runs_and_its_columns_are_shown(self):
        ended = self.sluice("check", self.put_job(self.orders_job(self.make_table())))
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertRegex(ended.stdout, r"(?m)^runs +.*job\.json$")
        self.assertRegex(ended.stdout, r"(?m)^ +0  id int64 .* checked .*NULL")

    def test_a_slip_is_hinted_at_beside_the_mistake_that_it_makes(self):
        db = self.make_table()
        for key, slip in (("table", "tabel"), ("column", "colum")):
            document = self.orders_job(db)
            parameter = document["steps"][1]["parameter"]
            parameter[slip] = parameter.pop(key)
            path = self.put_job(document)
            for command in ("check", "plan", "run"):
                with self.subTest(command=command, slip=slip):
                    ended = self.sluice(command, path)
                    self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
                    self.assertIn(f'did you mean "{key}"?', ended.stdout + ended.stderr)
            self.assertEqual(len(json.loads(self.sluice("check", "--json", path).stdout)["jobs"][0]["warnings"]), 1)

    def test_a_zone_that_does_not_exist_is_told_with_the_other_mistakes(self):
        document = self.orders_job(self.make_table(), batchSize="x")
        document["setting"]["common"] = {"column": {"timeZone": "Mars", "dateFormat": "q"}}
        ended = self.sluice("check", self.put_job(document))
        for place in ("batchSize", "common.column.timeZone", "common.column.dateFormat"):
            self.assertEqual(ended.stdout.count(place), 1, ended.stdout)

    def test_a_mistake_of_progress_table_is_told_with_the_other_mistakes(self):
        document = self.orders_job(self.make_table(), writeMode="insrt")
        document["setting"] |= {"progressTable": "a.b", "common": {"column": {"timeZone": "Mars"}}}
        for command in ("check", "plan", "run", "verify"):
            with self.subTest(command=command):
                ended = self.sluice(command, self.put_job(document))
                self.assertEqual(ended.returncode, 2, ended.stdout + ended.stderr)
                for place in ("setting.progressTable", "common.column.timeZone", "writeMode"):
                    self.assertIn(place, ended.stdout + ended.stderr)

    def test_a_mistake_of_a_transformer_is_told_once(self):
        document = self.orders_job(self.make_table())
        document["transformer"] = [{"name": "dx_substr", "parameter": {"columnIndex": 1, "paras": ["0"]}}]
        ended = self.sluice("check", self.put_job(document))
        self.assertEqual(ended.stdout.count("dx_substr"), 1, ended.stdout)

    def test_a_heading_in_another_order_than_the_columns_is_warned_of_and_strict_refuses_it(self):
        source = self.write("named.csv", "id,name\n1,a\n")
        listed = [{"name": "id", "type": "STRING"}, {"name": "name", "type": "STRING"}]
        for columns in (["*"], listed):
            reader = {"stepType": "csv", "category": "reader", "name": "Reader",
                      "parameter": {"path": [str(source)], "skipHeader": True, "column": columns}}
            writer = {"stepType": "csv", "category": "writer", "name": "Writer",
                      "parameter": {"path": str(self.folder / "out"), "fileName": "o", "header": ["name", "id"]}}
            path = self.put_job(job(reader, writer))
            for command in ("check", "plan", "run"):
                with self.subTest(command=command, columns=columns):
                    told = self.sluice(command, path)
                    self.assertEqual(told.returncode, 0, told.stderr)
                    self.assertRegex(told.stdout + told.stderr, r'parameter\.header: .*"id" is column 0 of the reader and column 1 of the writer')
                    # What only the file's heading shows is no mistake of the text.
                    strict = self.sluice(command, "--strict", path)
                    self.assertEqual(strict.returncode, 2 if columns is listed else 1, strict.stdout + strict.stderr)
        offline = self.sluice("check", "--offline", path)
        self.assertIn('"id" is column 0 of the reader and column 1 of the writer', offline.stdout)

    def test_what_asks_for_more_than_there_is_is_not_supported_and_not_left_out(self):
        db = self.make_table()
        for end, key, value in ((0, "fileAsColumn", True), (0, "tarFileFilterPattern", "*.csv"), (1, "tableRule", "t_{id}"),
                                (1, "dbNamePattern", "d")):
            document = self.orders_job(db)
            document["steps"][end]["parameter"][key] = value
            with self.subTest(key):
                ended = self.sluice("check", self.put_job(document))
                self.assertEqual(ended.returncode, 1, ended.stdout)
                self.assertRegex(ended.stdout, rf"(?m)^not supported +.*job\.json$")
                self.assertIn(f"parameter.{key}: is not supported: ", ended.stdout)
        document = self.orders_job(db, tableRule="", dbRule=None)
        document["steps"][0]["parameter"].update(fileAsColumn=False, retryInterval=5, enableInnerSplit="false")
        self.assertEqual(self.sluice("check", "--strict", self.put_job(document)).returncode, 0)

    def test_nothing_is_changed_at_the_destination(self):
        for mode in ("delete", "wal"):
            with self.subTest(journal_mode=mode):
                db = self.make_table(name=f"{mode}.db")
                with sqlite3.connect(db) as connection:
                    connection.execute(f"PRAGMA journal_mode={mode}")
                connection.close()
                before = self.digest(db)
                document = self.put_job(self.orders_job(db, preSql=["DELETE FROM orders"], postSql=["DELETE FROM orders"]))
                self.assertEqual(self.sluice("check", document).returncode, 0)
                self.assertEqual(self.sluice("plan", document).returncode, 0)
                self.assertEqual(self.digest(db), before)
                self.assertEqual(self.rows(db, "SELECT name FROM sqlite_master WHERE type = 'table'"), [("orders",)])

    def test_a_file_that_a_run_would_make_is_not_made(self):
        document = self.put_job(self.orders_job(self.folder / "new.db", createTable=True))
        self.assertEqual(self.sluice("check", document).returncode, 0)
        self.assertEqual(self.sluice("plan", document).returncode, 0)
        self.assertFalse((self.folder / "new.db").exists())

    def test_a_missing_table_does_not_fit(self):
        ended = self.sluice("check", self.put_job(self.orders_job(self.make_table(), table="ordres")))
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn("does not fit", ended.stdout)
        self.assertIn('did you mean "orders"?', ended.stdout)

    def test_offline_opens_nothing(self):
        ended = self.sluice("check", "--offline",
                            self.put_job(job(csv_reader("/nowhere/at/all.csv"), sqlite_writer("/nowhere/shop.db"))))
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertIn("--offline", ended.stdout)

    def test_a_folder_is_one_table_with_counts(self):
        db = self.make_table()
        good = self.orders_job(db)
        missing = {"type": "job", "version": "2.0",
                   "steps": [{"stepType": "mongodb", "category": "reader", "parameter": {}}, sqlite_writer(db)]}
        broken = self.orders_job(db)
        broken["steps"][0]["parameter"]["skipHeader"] = "perhaps"
        for name, document in {"a/good.json": good, "b/missing.json": missing, "b/again.json": missing,
                               "c/broken.json": broken, "c/torn.json": "{\"type\": ", ".hidden/x.json": "{"}.items():
            (self.folder / "jobs" / name).parent.mkdir(parents=True, exist_ok=True)
            self.put_job(document, f"jobs/{name}")
        ended = self.sluice("check", "jobs")
        self.assertEqual(ended.returncode, 2, ended.stdout)
        table = ended.stdout[ended.stdout.index("job  "):].splitlines()
        self.assertEqual([re.split("  +", line) for line in table],
                         [["job", "state", "problems", "warnings"],
                          ["jobs/a/good.json", "runs"],
                          ["jobs/b/again.json", "not supported (reader mongodb)", "1"],
                          ["jobs/b/missing.json", "not supported (reader mongodb)", "1"],
                          ["jobs/c/broken.json", "broken", "1"],
                          ["jobs/c/torn.json", "broken", "1"],
                          [""],
                          ["not supported", "jobs"],
                          ["reader mongodb", "2"],
                          [""],
                          ["5 jobs: 1 runs, 2 not supported, 2 broken"]])
        self.assertRegex(ended.stdout, r"c/torn\.json:1:\d+")
        found = json.loads(self.sluice("check", "--json", "jobs").stdout)
        self.assertEqual([j["verdict"] for j in found["jobs"]],
                         ["runs", "not supported", "not supported", "broken", "broken"])
        self.assertEqual(found["not_supported"], {"reader mongodb": 2})
        self.assertEqual(self.sluice("check", "jobs/a").returncode, 0)
        self.assertEqual(self.sluice("check", "jobs/a", "jobs/b").returncode, 1)

    def test_a_folder_without_jobs_is_bad_usage(self):
        (self.folder / "empty").mkdir()
        ended = self.sluice("check", "empty")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("no file in this folder ends in .json", ended.stderr)

    def test_every_refused_pair_is_named(self):
        db = self.make_table("CREATE TABLE t (a BLOB, b BOOLEAN)")
        reader = csv_reader(self.write("t.csv", "1,2024-01-01\n"), skipHeader=False,
                            column=[{"index": 0, "type": "long"}, {"index": 1, "type": "date", "format": "yyyy-MM-dd"}])
        ended = self.sluice("check", self.put_job(job(reader, sqlite_writer(db, "t", ["a", "b"]))))
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn("refused", ended.stdout)

    def test_differences_under_compat_are_listed(self):
        db = self.make_table("CREATE TABLE t (n INTEGER)")
        reader = csv_reader(self.write("t.csv", "1.5\n"), skipHeader=False, column=[{"index": 0, "type": "double"}])
        document = self.put_job(job(reader, sqlite_writer(db, "t", ["n"])))
        self.assertRegex(self.sluice("check", document).stdout, r"(?m)^runs  ")
        ended = self.sluice("check", "--compat", "datax", document)
        self.assertEqual(ended.returncode, 0)
        self.assertIn("runs with differences", ended.stdout)
        self.assertIn("fraction_cut", ended.stdout)

    def test_secrets_are_not_shown(self):
        document = self.orders_job(self.make_table())
        document["steps"][1]["parameter"]["password"] = "planted-secret"
        document["steps"][1]["parameter"]["planted-secret"] = 1
        path = self.put_job(document)
        for command in ("check", "plan"):
            ended = self.sluice(command, path)
            self.assertNotIn("planted-secret", ended.stdout + ended.stderr)


class Plan(ForetellTest):
    def test_the_plan_says_what_will_happen(self):
        db = self.make_table()
        source = self.make_table("CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT)", "source.db")
        with sqlite3.connect(source) as connection:
            connection.executemany("INSERT INTO source VALUES (?, ?)", [(i, "n") for i in range(100)])
        connection.close()
        reader = {"stepType": "sqlite", "category": "reader", "name": "Reader",
                  "parameter": {"jdbcUrl": f"jdbc:sqlite:{source}", "table": "source", "column": ["id", "name"],
                                "where": "id > 5"}}
        document = self.put_job(job(reader, sqlite_writer(db, "orders", ["id", "customer"], preSql=["DELETE FROM orders"],
                                                          postSql=["UPDATE orders SET city = 'x'"]), concurrent=2))
        ended = self.sluice("plan", document)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        for text in ("exactly once", "sluice_progress", "1. DELETE FROM orders", "1. UPDATE orders SET city = 'x'",
                     'FROM "source" WHERE (id > 5) AND "id" >= ? AND "id" < ? ORDER BY "id"',
                     "behind a cursor:", "1 of 2 asked for: the destination takes 1 writer", "preSql runs again first",
                     "at most 2 (1 of its own, 1 for each of 1 pipeline)", "64 MiB or 100,000 records", "begins anew"):
            self.assertIn(text, ended.stdout)
        plan = json.loads(self.sluice("plan", "--json", document).stdout)
        self.assertTrue(plan["exactly_once"])
        self.assertEqual(plan["pipelines"], 1)
        self.assertEqual(sum(kind["splits"] for kind in plan["statements"]), len(plan["splits"]))
        self.assertEqual([c["word"] for c in plan["columns"]], ["exact", "exact"])

    def test_the_plan_says_what_the_run_then_does(self):
        document = self.put_job(self.orders_job(self.make_table()))
        plan = json.loads(self.sluice("plan", "--json", document).stdout)
        ended = self.run_job(document.read_text())
        self.assert_succeeds(ended)
        self.assertEqual(plan["job_key"], ended.summary["job_key"])
        self.assertEqual(len(plan["splits"]), ended.summary["splits"]["total"])

    def test_a_job_that_cannot_run_shows_the_plan_and_fails(self):
        ended = self.sluice("plan", self.put_job(self.orders_job(self.make_table(), table="ordres")))
        self.assertEqual(ended.returncode, 1, ended.stdout)
        self.assertIn("orders.csv", ended.stdout)
        self.assertIn('no table "ordres"', ended.stderr)


class Template(ForetellTest):
    def test_every_pair_of_plugins_gives_a_job_that_passes_offline(self):
        listed = json.loads(self.sluice("plugins", "--json").stdout)
        plugins = [p["name"] for p in (listed["plugins"] if isinstance(listed, dict) else listed)]
        made = 0
        for reader in plugins:
            for writer in plugins:
                for dialect in ("di", "datax"):
                    with self.subTest(reader=reader, writer=writer, dialect=dialect):
                        ended = self.sluice("template", reader, writer, "--dialect", dialect)
                        if ended.returncode == 2 and "has no" in ended.stderr:
                            continue
                        self.assertEqual(ended.returncode, 0, ended.stderr)
                        path = self.put_job(ended.stdout, "made.json")
                        checked = self.sluice("check", "--offline", "--strict", path)
                        self.assertEqual(checked.returncode, 0, ended.stdout + checked.stdout + checked.stderr)
                        self.assertIn("// More options", ended.stdout)
                        # Each of the options can be taken in by removing the slashes.
                        taken = re.sub(r'(?m)^( *)// ("[A-Za-z]+": [^,\n]*,)$', r"\1\2", ended.stdout)
                        self.assertNotEqual(taken, ended.stdout)
                        checked = self.sluice("check", "--offline", self.put_job(taken, "taken.json"))
                        self.assertNotIn("JSON", checked.stdout + checked.stderr)
                        made += 1
        self.assertGreaterEqual(made, 2 * 9)

    def test_a_messy_csv_file_is_described_as_it_is(self):
        self.write("odd.csv", "code;amount;day;when;flag;n;word\n"
                              "007;1.50;2024-01-31;2024-01-31 10:00:00;true;1;a\n"
                              "010;-2.25;2024-02-01;2024-02-01 11:30:00;false;;\"b;\nc\"\n")
        made = self.sluice("template", "odd.csv", "shop.db:odd")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn('"fieldDelimiter": ";"', made.stdout)
        self.assertIn('"skipHeader": true', made.stdout)
        self.assertIn('"nullFormat": ""', made.stdout)
        self.assertIn("All 2 records were looked at.", made.stdout)
        for line in ('{"name": "code", "type": "STRING"},  // text, because as numbers',
                     '{"name": "amount", "type": "DOUBLE"}',
                     '{"name": "day", "type": "STRING"},  // text, because a date without a time',
                     '{"name": "when", "type": "DATE", "format": "yyyy-MM-dd HH:mm:ss"}',
                     '{"name": "flag", "type": "BOOLEAN"}', '{"name": "n", "type": "LONG"}'):
            self.assertIn(line, made.stdout)
        path = self.put_job(made.stdout, "odd.json")
        self.assertEqual(self.sluice("check", path).returncode, 0)
        ended = self.run_job(made.stdout)
        self.assert_succeeds(ended)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT * FROM odd"),
                         [("007", "1.50", "2024-01-31", "2024-01-31 10:00:00", 1, 1, "a"),
                          ("010", "-2.25", "2024-02-01", "2024-02-01 11:30:00", 0, None, "b;\nc")])

    def test_a_datax_template_of_real_ends_runs(self):
        self.write("orders.csv", ORDERS)
        made = self.sluice("template", "orders.csv", "sqlite:shop.db:orders", "--dialect", "datax")
        self.assertEqual(made.returncode, 0, made.stderr)
        ended = self.run_job(made.stdout)
        self.assert_succeeds(ended)
        self.assert_account(ended, written=2)

    def test_a_file_in_an_unknown_encoding_is_refused(self):
        self.write("latin.csv", "name\nM\xfcller\n".encode("latin-1"))
        made = self.sluice("template", "latin.csv", "shop.db:t")
        self.assertEqual(made.returncode, 1)
        self.assertIn("encoding", made.stderr)

    def test_what_is_no_end_is_named(self):
        made = self.sluice("template", "nothing", "sqlit")
        self.assertEqual(made.returncode, 2)
        self.assertIn("names no reader", made.stderr)
        self.assertIn("did you mean sqlite?", self.sluice("template", "text", "sqlit").stderr)


class Copy(ForetellTest):
    def copy(self, *arguments):
        return self.sluice("copy", *arguments, "--state-dir", self.state)

    def test_a_csv_file_becomes_a_table_and_a_file_again(self):
        self.write("orders.csv", ORDERS)
        ended = self.copy("orders.csv", "shop.db:orders", "--save", "orders.json")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT id, customer, price, active, note FROM orders"),
                         [(1, "Ann", "1.50", 1, "hello"), (2, "Bob", "2.25", 0, "a, b")])
        self.assertEqual(self.sluice("check", "orders.json").returncode, 0)
        back = self.copy("shop.db:orders", "out/back.csv", "--where", "id = 2")
        self.assertEqual(back.returncode, 0, back.stderr)
        lines = (self.folder / "out" / "back.csv").read_text().splitlines()
        self.assertEqual(lines[0].split(","), ORDER_COLUMNS)
        self.assertEqual(len(lines), 2)

    def test_a_second_copy_does_not_double(self):
        self.write("orders.csv", ORDERS)
        self.assertEqual(self.copy("orders.csv", "shop.db:orders").returncode, 0)
        again = self.copy("orders.csv", "shop.db:orders")
        self.assertEqual(again.returncode, 1)
        self.assertIn("--append adds to them", again.stderr)
        count = lambda: self.rows(self.folder / "shop.db", "SELECT count(*) FROM orders")[0][0]
        self.assertEqual(count(), 2)
        self.assertEqual(self.copy("orders.csv", "shop.db:orders", "--replace").returncode, 0)
        self.assertEqual(count(), 2)
        self.assertEqual(self.copy("orders.csv", "shop.db:orders", "--append").returncode, 0)
        self.assertEqual(count(), 4)

    def test_a_copy_that_was_stopped_is_continued(self):
        rows = "".join(f"{i},name {i}\n" for i in range(300_000))
        self.write("big.csv", "id,name\n" + rows)
        stopped = self.copy("big.csv", "shop.db:big", "--max-duration", "1s", "--stop-timeout", "1s",
                            "--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=1")
        self.assertEqual(stopped.returncode, 1, stopped.stderr)
        again = self.copy("big.csv", "shop.db:big")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT count(*), count(DISTINCT id) FROM big"),
                         [(300_000, 300_000)])

    def test_json_lines_are_copied(self):
        self.write("events.jsonl", '{"id": 1, "name": "a", "tags": ["x"]}\n{"id": 2, "name": "007", "extra": null}\n')
        self.assertEqual(self.copy("events.jsonl", "shop.db:events").returncode, 0)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT id, name, tags FROM events"),
                         [(1, "a", '["x"]'), (2, "007", None)])

    def test_nothing_that_is_there_is_overwritten_by_save(self):
        csv = self.write("orders.csv", ORDERS)
        other = self.write("other.json", "mine")
        db = self.make_table(name="shop.db")
        before = self.digest(db)
        for save, message, code in (("orders.csv", "is an end of the copy", 2), ("new.db", "is an end of the copy", 2),
                                    ("shop.db", "is there already", 1), ("other.json", "is there already", 1)):
            with self.subTest(save):
                ended = self.copy("orders.csv", "new.db:orders", "--save", save)
                self.assertEqual(ended.returncode, code, ended.stderr)
                self.assertIn(message, ended.stderr)
        self.assertEqual((csv.read_text(), other.read_text(), self.digest(db)), (ORDERS, "mine", before))
        self.assertFalse((self.folder / "new.db").exists())
        # The very same job is no loss.
        for _ in range(2):
            ended = self.copy("orders.csv", "twice.csv", "--save", "made.json", "--replace")
            self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_fields_and_keys_that_no_column_has_are_dirty(self):
        self.write("long.csv", "id,name\n1,Ann\n2,Smith, John\n3,Bob\n")
        ended = self.copy("long.csv", "shop.db:long")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("1 of them will be dirty", ended.stderr)
        self.assertIn("too_many_fields", ended.stderr)
        ended = self.copy("long.csv", "shop.db:long", "--error-limit", "1")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT id, name FROM long"), [(1, "Ann"), (3, "Bob")])
        late = "".join(f'{{"id": {i}}}\n' for i in range(10_100)) + '{"id": 1, "late": 2}\n'
        self.write("late.jsonl", late)
        ended = self.copy("late.jsonl", "shop.db:late")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertRegex(ended.stderr, r'late\.jsonl line 10,?101: .*"late"')

    def test_a_heading_that_cannot_be_told_is_asked_for(self):
        self.write("people.csv", "Ann,Berlin\nBob,Paris\nCid,Rome\n")
        asked = self.copy("people.csv", "shop.db:people")
        self.assertEqual(asked.returncode, 1)
        self.assertIn('the first record ("Ann, Berlin") is a heading cannot be told', asked.stderr)
        self.assertIn("say --header or --no-header", asked.stderr)
        for flag, count in (("--no-header", 3), ("--header", 2)):
            self.assertEqual(self.copy("people.csv", f"{flag[2:]}.db:people", flag).returncode, 0)
            self.assertEqual(self.rows(self.folder / f"{flag[2:]}.db", "SELECT count(*) FROM people"), [(count,)])
        self.assertIn('"skipHeader": false', self.sluice("template", "people.csv", "a.db:t", "--no-header").stdout)
        wrong = self.sluice("template", "shop.db:people", "out.csv", "--header")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("are for files of text", wrong.stderr)
        self.assertIn("exclude each other", self.copy("people.csv", "a.db:t", "--header", "--no-header").stderr)

    def test_a_heading_with_gaps_and_doubles_stays_one(self):
        self.write("gaps.csv", "id,n,n,\n1,a,b,\n2,c,d,\n")
        ended = self.copy("gaps.csv", "shop.db:gaps")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT id, n, n_2, column_4 FROM gaps"),
                         [(1, "a", "b", None), (2, "c", "d", None)])

    def test_null_and_empty_text_come_back_from_a_csv_file_as_they_were(self):
        self.write("texts.csv", 'id,name\n1,\n2,""\n3,x\n')
        told = [(1, None), (2, ""), (3, "x")]
        for number, (source, destination) in enumerate((("texts.csv", "a.db:t"), ("a.db:t", "back.csv"), ("back.csv", "b.db:t"))):
            self.assertEqual(self.copy(source, destination).returncode, 0, number)
        for name in ("a.db", "b.db"):
            self.assertEqual(self.rows(self.folder / name, "SELECT id, name FROM t ORDER BY id"), told)

    def test_empty_lines_are_no_records_and_a_pattern_is_its_files(self):
        self.write("part_1.csv", "id,n\n1,a\n\n2,b\n\n")
        self.write("part_2.csv", "id,n\n3,c\n")
        ended = self.copy("part_*.csv", "shop.db:parts")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT count(*) FROM parts"), [(3,)])
        self.write("lines.jsonl", '{"id": 1}\n\n{"id": 2}\n')
        self.assertEqual(self.copy("lines.jsonl", "shop.db:lines").returncode, 0)
        nothing = self.copy("none_*.csv", "shop.db:t")
        self.assertNotEqual(nothing.returncode, 0)
        self.assertIn("no file matches", nothing.stderr)

    def test_a_compression_is_known_by_its_bytes(self):
        self.write("plain.csv", gzip.compress(ORDERS.encode()))
        ended = self.copy("plain.csv", "shop.db:orders")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", "SELECT count(*) FROM orders"), [(2,)])
        self.write("plain.csv", lzma.compress(ORDERS.encode()))
        ended = self.copy("plain.csv", "shop.db:xz")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("xz is not supported; unpack the file first", ended.stderr)

    def test_what_a_destination_cannot_take_is_said_at_once(self):
        db = self.make_table("CREATE TABLE t (id INTEGER, x AS (id + 1))", "gen.db")
        with sqlite3.connect(db) as connection:
            connection.execute("CREATE VIEW v AS SELECT id FROM t")
            connection.execute("CREATE TABLE blobs (id INTEGER PRIMARY KEY, b BLOB)")
        connection.close()
        self.write("two.csv", "id,x\n1,2\n")
        ended = self.copy("two.csv", "gen.db:v", "--append")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("is a view", ended.stderr)
        self.write("x.csv", "x\n2\n")
        ended = self.copy("x.csv", "gen.db:t", "--append")
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn('table "t" computes "x" itself: there is nothing to write to it', ended.stderr)
        ended = self.copy("two.csv", "gen.db:t", "--append")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn('column 1 "x" of the reader is left out', ended.stderr)
        self.assertEqual(self.rows(db, "SELECT id, x FROM t"), [(1, 2)])
        self.assertEqual(self.copy("gen.db:blobs", "out.csv").returncode, 0)
        ended = self.copy("gen.db:blobs", "out.csv", "--append")
        self.assertIn("is never added to", ended.stderr)

    def test_only_what_the_command_line_alone_shows_is_exit_code_2(self):
        self.write("orders.csv", ORDERS)
        self.make_table("CREATE TABLE orders (id INTEGER)", "shop.db")
        (self.folder / "in").mkdir()
        for code, source, target, message in (
                (1, "none.csv", "shop.db:t", "does not exist"), (1, "none_*.csv", "shop.db:t", "no file matches"),
                (1, "none.db:t", "out.csv", "there is no such file"), (1, "shop.db:ordres", "out.csv", 'did you mean "orders"?'),
                (1, "csv:in", "shop.db:t", "this is a folder"),
                (2, "orders", "shop.db:t", "names no reader"), (2, "orders.csv", "shop.db", "the table is missing"),
                (2, "shop.db", "out.csv", 'the table is missing; it has "orders"'),
                (2, "orders.csv", "csv:out/", "this is a folder"), (2, "orders.csv", "shop.db:temp.t", "without one or as main.TABLE")):
            with self.subTest(source=source, target=target):
                for command in ("copy", "template"):
                    ended = self.sluice(command, source, target, *(["--state-dir", self.state] if command == "copy" else []))
                    self.assertEqual(ended.returncode, code, ended.stderr)
                    self.assertIn(message, ended.stderr)

    def test_a_table_has_one_name_however_it_is_written(self):
        self.write("orders.csv", ORDERS)
        self.assertEqual(self.copy("orders.csv", "shop.db:orders").returncode, 0)
        for at, name in enumerate(("main.orders", '"orders"', "ORDERS", '"main"."orders"', "[orders]")):
            with self.subTest(name):
                again = self.copy("orders.csv", f"shop.db:{name}")
                self.assertEqual(again.returncode, 1, "a copy given twice does not double")
                self.assertIn("holds records already", again.stderr)
                out = f"out {at}.csv"
                self.assertEqual(self.copy(f"shop.db:{name}", out).returncode, 0)
                self.assertEqual(len((self.folder / out).read_text().splitlines()), 3)
        ended = self.copy("orders.csv", 'shop.db:"my.orders"')
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(self.rows(self.folder / "shop.db", 'SELECT count(*) FROM "my.orders"'), [(2,)])

    def test_tables_that_only_sqlite_itself_uses_are_not_offered(self):
        self.make_table("CREATE VIRTUAL TABLE notes USING fts5(body)", "notes.db")
        self.make_table("CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)", "notes.db")
        ended = self.copy("notes.db:nothing_near", "out.csv")
        self.assertIn('it has "counted", "notes"; write', ended.stderr)
        for hidden in ("notes_data", "sqlite_sequence"):
            self.assertNotIn(hidden, ended.stderr)

    def test_a_copy_whose_source_was_mended_names_a_way_out_that_works(self):
        rows = [f"{i},name {i}\n" for i in range(20_000)]
        count = lambda: self.rows(self.folder / "shop.db", "SELECT count(*), count(DISTINCT id) FROM big")
        self.write("big.csv", "id,name\n" + "".join(rows) + "x,bad\n")
        failed = self.copy("big.csv", "shop.db:big")
        self.assertEqual(failed.returncode, 1, failed.stderr)
        self.assertIn("give the same command with --replace, which takes out what is written", failed.stderr)
        self.write("big.csv", "id,name\n" + "".join(rows[1:]) + "0,mended\n")
        again = self.copy("big.csv", "shop.db:big")
        self.assertEqual(again.returncode, 1, again.stderr)
        self.assertIn("give the same command with --replace, which takes out what is written", again.stderr)
        self.assertNotIn("not written: .", again.stderr)
        bearing = self.copy("big.csv", "shop.db:big", "--error-limit", "1")
        self.assertEqual(bearing.returncode, 1, bearing.stderr)
        self.assertIn("or begin anew: give the same command with --replace, which takes out what is written", bearing.stderr)
        replaced = self.copy("big.csv", "shop.db:big", "--replace")
        self.assertEqual(replaced.returncode, 0, replaced.stderr)
        self.assertIn("has rows of an unfinished run, which is forgotten: --replace takes them out", replaced.stderr)
        self.assertEqual(count(), [(20_000, 20_000)])

    def test_a_plugin_name_is_no_place(self):
        ended = self.copy("stream", "shop.db:t")
        self.assertEqual(ended.returncode, 2)


if __name__ == "__main__":
    unittest.main()
