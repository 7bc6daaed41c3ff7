"""Jobs that name data sources, with the real program; secrets planted in every place are seen nowhere."""

import json
import os
import sqlite3
import stat
import subprocess
import unittest

from e2e.harness import PROGRAM, ProgramTest, csv_reader, job

PLANTED = ["pl4nted-one", "pl4nted-two", "pl4nted-three"]


def registry(*entries):
    return {"version": 1, "datasources": [
        {"name": name, "type": kind, **({"envType": env} if env else {}), "connectionProperties": properties}
        for name, kind, env, properties in entries]}


def reader(**parameter):
    return {"stepType": "sqlite", "category": "reader", "name": "Reader", "parameter": {"column": ["*"], **parameter}}


def writer(**parameter):
    return {"stepType": "sqlite", "category": "writer", "name": "Writer", "parameter": {"column": ["*"], **parameter}}


class DataSources(ProgramTest):
    def setUp(self):
        super().setUp()
        for name, rows in (("shop.db", 3), ("dev.db", 1)):
            self.make_rows(name, rows)
        for name in ("dw.db", "dw-dev.db"):
            self.make_rows(name, 0)
        self.registry = self.folder / "datasources.json"
        self.write_registry(registry(("shop", "sqlite", "Prod", {"path": "shop.db"}), ("shop", "sqlite", "Dev", {"path": "dev.db"}),
                                     ("dw", "sqlite", "Prod", {"jdbcUrl": "jdbc:sqlite:dw.db"}),
                                     ("dw", "sqlite", "Dev", {"path": "dw-dev.db"}),
                                     ("in", "localfile", None, {"baseDir": "."})))

    def make_rows(self, name, rows):
        with sqlite3.connect(self.folder / name) as db:
            db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, note TEXT)")
            db.executemany("INSERT INTO t VALUES(?, ?)", [(i, name) for i in range(rows)])
        db.close()

    def write_registry(self, document, mode=0o600):
        self.registry.write_text(json.dumps(document, indent=2), encoding="utf-8")
        self.registry.chmod(mode)

    def run_named(self, document, *more):
        return self.run_job(document, "--datasources", self.registry, *more)

    def sluice(self, *arguments, stdin="", **environment):
        env = {**os.environ, **environment}
        done = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, input=stdin, env=env,
                              cwd=self.folder, timeout=120)
        return done

    def notes(self, name):
        return [note for _, note in self.rows(self.folder / name, "SELECT * FROM t ORDER BY id")]

    def test_the_folder_of_files_is_tested(self):
        good = self.sluice("datasource", "test", "in", "--datasources", self.registry)
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertIn("it can be read and written", good.stdout)
        self.write_registry(registry(("in", "localfile", None, {"baseDir": "missing"})))
        bad = self.sluice("datasource", "test", "in", "--datasources", self.registry)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("there is no folder", bad.stderr)
        added = self.sluice("datasource", "add", "in2", "--type", "localfile", "--set", "baseDir=gone", "--datasources", self.registry)
        self.assertEqual(added.returncode, 0, added.stderr)
        self.assertIn("warning: there is no folder", added.stderr)

    def test_a_job_reads_and_writes_through_the_registry_flat_and_in_connection(self):
        for parameter in ({"datasource": "%s", "table": "t"}, {"connection": [{"datasource": "%s", "table": ["t"]}]},
                          {"connection": {"datasource": "%s", "table": "t"}}, {"datasource": "%s", "connection": [{"table": ["t"]}]}):
            with self.subTest(parameter=parameter):
                (self.folder / "dw.db").unlink()
                self.make_rows("dw.db", 0)
                named = [json.loads(json.dumps(parameter).replace("%s", name)) for name in ("shop", "dw")]
                ended = self.run_named(job(reader(**named[0]), writer(**named[1])))
                self.assert_succeeds(ended)
                self.assert_account(ended, read=3, written=3)
                self.assertEqual(self.notes("dw.db"), ["shop.db"] * 3)
                self.assertIn('from data source "shop" (production, default), to data source "dw" (production, default)',
                              ended.err.splitlines()[0])
                self.assertNotIn("warning", ended.err)

    def test_properties_of_a_file_count_are_refused_or_warned_of_with_their_place(self):
        with sqlite3.connect(self.folder / "dw.db") as db:
            db.execute("CREATE TABLE child(of_id INTEGER REFERENCES t(id))")
        db.close()
        source = reader(jdbcUrl=f"jdbc:sqlite:file:{self.folder}/sh%6fp.db?mode=ro&busy_timeout=100&journal_mode=WAL", column=["id"], table="t")
        child = writer(datasource="dw", column=["of_id"], table="child")
        self.assertEqual(self.run_named(job(source, child)).summary["dirty"], 0)
        self.write_registry(registry(("dw", "sqlite", None, {"path": "dw.db", "properties": {"foreign_keys": True, "busy_timout": 5}})))
        ended = self.run_named(job(source, child, errors=9), "--on-unfinished", "fresh")
        self.assertEqual(ended.summary["dirty_by_code"], {"SQLITE_CONSTRAINT_FOREIGNKEY": 3}, ended)
        self.assertIn("busy_timout", ended.text)
        self.assertIn("did you mean busy_timeout?", ended.text)
        self.assertEqual(self.rows(self.folder / "shop.db", "PRAGMA journal_mode"), [("delete",)])
        for properties, part in (({"immutable": 1}, "nor see that it changes"), ({"mode": "ro"}, "opens the file read-only"), ({"busy_timeout": "5s"}, "milliseconds"),
                                 ({"password": "hunter2"}, "encrypted files")):
            self.write_registry(registry(("dw", "sqlite", None, {"path": "dw.db", "properties": properties})))
            refused = self.run_named(job(source, child), "--on-unfinished", "fresh")
            self.assertEqual(refused.code, 2, refused)
            self.assertIn(part, refused.text)
            self.assertNotIn("hunter2", refused.text)
            tested = self.sluice("datasource", "test", "dw", "--datasources", self.registry)
            self.assertEqual(tested.returncode, int("mode" not in properties), tested.stderr)

    def test_replace_names_the_foreign_keys_that_act_where_they_are_enforced(self):
        with sqlite3.connect(self.folder / "dw.db") as db:
            db.executescript("INSERT INTO t VALUES (1, 'old'); CREATE TABLE child(of_id REFERENCES t ON DELETE CASCADE); INSERT INTO child VALUES (1); "
                             "CREATE TABLE note(a REFERENCES T ON DELETE SET NULL, b REFERENCES t)")
        db.close()
        for enforced in (False, True):
            self.write_registry(registry(("shop", "sqlite", None, {"path": "shop.db"}), ("dw", "sqlite", None, {"path": "dw.db", "properties": {"foreign_keys": enforced}})))
            document = self.folder / "replace.json"
            document.write_text(json.dumps(job(reader(datasource="shop", table="t"), writer(datasource="dw", table="t", writeMode="replace"))), encoding="utf-8")
            planned = self.sluice("plan", document, "--datasources", self.registry)
            copied = self.sluice("copy", "shop:t", "dw:t", "--replace", "--datasources", self.registry)
            self.assertEqual(copied.returncode, 0, copied)
            for part in ('foreign key "of_id" of "child" then deletes the rows', 'foreign key "a" of "note" then takes the reference'):
                self.assertEqual(part in planned.stdout + planned.stderr, enforced, planned)
                self.assertEqual(part in copied.stdout + copied.stderr, enforced, copied)
            self.assertEqual(self.rows(self.folder / "dw.db", "SELECT count(*) FROM child"), [(int(not enforced),)])

    def test_a_file_may_have_a_question_mark_in_its_name(self):
        self.make_rows("what? 100%#.db", 2)
        self.write_registry(registry(("dw", "sqlite", None, {"path": "what? 100%#.db"})))
        self.run_named(job(reader(datasource="dw", table="t"), writer(jdbcUrl=f"jdbc:sqlite:{self.folder}/copy.db", table="t", createTable=True)))
        self.assertEqual(self.notes("copy.db"), ["what? 100%#.db"] * 2)
        copied = self.sluice("copy", "sqlite:what? 100%#.db:t", "sqlite:other? 7.db:t")
        self.assertEqual(copied.returncode, 0, copied.stderr)
        self.assertEqual(self.notes("other? 7.db"), ["what? 100%#.db"] * 2)

    def test_the_environment_is_chosen_by_the_flag_then_by_the_step(self):
        document = job(reader(datasource="shop", table="t", envType=1), writer(datasource="dw", table="t", envType="0"))
        ended = self.run_named(document)
        self.assert_succeeds(ended)
        self.assertEqual(self.notes("dw.db"), ["dev.db"])
        ended = self.run_named(document, "--env", "dev")
        self.assert_succeeds(ended)
        self.assertEqual(self.notes("dw-dev.db"), ["dev.db"])
        self.assertIn("(development, --env)", ended.err.splitlines()[0])

    def test_the_registry_is_found_by_variable_and_in_the_users_configuration(self):
        document = job(reader(datasource="shop", table="t"), {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}})
        argv = self.arguments(document)[1:]
        home = self.folder / "home"
        done = self.sluice(*argv, HOME=str(home), SLUICE_DATASOURCES="", XDG_CONFIG_HOME="")
        self.assertEqual(done.returncode, 2, done)
        for text in ("job.json:", "steps[0].parameter.datasource", "looked at: --datasources (not given), SLUICE_DATASOURCES (not set)",
                     "home/.config/sluice/datasources.json", "no such file"):
            self.assertIn(text, done.stderr)
        self.assertEqual(self.sluice(*argv, SLUICE_DATASOURCES=str(self.registry)).returncode, 0)
        place = home / ".config/sluice"
        place.mkdir(parents=True)
        text = self.registry.read_text().replace('"shop.db"', json.dumps(str(self.folder / "shop.db")))
        (place / "datasources.json").write_text(text)
        done = self.sluice(*argv, HOME=str(home), SLUICE_DATASOURCES="", XDG_CONFIG_HOME="")
        self.assertEqual(done.returncode, 0, done)

    def test_files_are_below_the_folder_of_their_data_source(self):
        self.write("orders.csv", "id,customer,city,quantity,price,ordered_at,active,note\n1,a,b,1,1.5,2026-01-02 03:04:05,true,x\n")
        self.make_table()
        document = job(csv_reader("orders.csv", datasource="in"),
                       writer(jdbcUrl=f"jdbc:sqlite:{self.folder}/orders.db", table="orders"))
        argv = self.arguments(document, "--datasources", self.registry)
        done = subprocess.run(argv, capture_output=True, text=True, cwd="/")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(len(self.rows(self.folder / "orders.db")), 1)

    def test_what_is_wrong_is_told_with_its_place(self):
        def message(**parameter):
            ended = self.run_named(job(reader(table="t", **parameter), writer(datasource="dw", table="t")))
            self.assert_fails(ended, 2, "job.json:", "steps[0].parameter")
            return ended.text
        self.assertIn('did you mean "shop"?', message(datasource="shpo"))
        self.assertIn("is of the type localfile", message(datasource="in"))
        self.assertIn("expected 0 (production) or 1 (development)", message(datasource="shop", envType="test"))
        self.write_registry(registry(("shop", "sqlite", "Dev", {"path": "dev.db"}), ("dw", "sqlite", None, {"path": "dw.db"})))
        self.assertIn("has no variant for production; it has development", message(datasource="shop"))
        self.write_registry(registry(("shop", "sqlite", None, {"pth": "dev.db"}), ("dw", "sqlite", None, {"path": "dw.db"})))
        self.assertIn("datasources.json:7:", message(datasource="shop"))
        self.write_registry(registry(("shop", "sqlite", None, {"path": "none.db"}), ("dw", "sqlite", None, {"path": "dw.db"})))
        ended = self.run_named(job(reader(table="t", datasource="shop"), writer(datasource="dw", table="t")))
        self.assert_fails(ended, 1, "steps[0].parameter.datasource", 'data source "shop" (production)', "none.db", "no such file")

    def test_an_inline_address_has_no_effect_beside_a_data_source(self):
        document = job(reader(datasource="shop", jdbcUrl="jdbc:sqlite:elsewhere.db", table="t"), writer(datasource="dw", table="t"))
        ended = self.run_named(document)
        self.assert_succeeds(ended)
        self.assertIn("steps[0].parameter.jdbcUrl: has no effect", ended.err)
        self.assertEqual(self.notes("dw.db"), ["shop.db"] * 3)
        self.assert_fails(self.run_named(document, "--strict"), 2, "has no effect")

    def test_planted_secrets_are_in_nothing_that_is_written(self):
        """Every way a secret comes in, for runs that succeed and runs that fail."""
        (self.folder / "pw").write_text(PLANTED[1])
        sources = registry(("shop", "sqlite", None, {"path": "shop.db"}), ("dw", "sqlite", None, {"path": "dw.db"}),
                           ("other", "mysql", None, {"address": [{"host": "h", "port": 1}], "database": "d", "username": "u",
                                                     "password": PLANTED[2]}))
        good_reader = reader(datasource="shop", table="t", password=PLANTED[0])
        good_writer = writer(datasource="dw", table="t", writeMode="replace", password="${file:pw}",
                             username="x", preSql=["SELECT 'jdbc:mysql://h/d?user=u&password=pl4nted-one'"])
        bad = [("sqlite", {"table": "none"}), ("sqlite", {"password": ["pl4nted-two"]}), ("sqlite", {"password": "${cmd:pl4nted-two"}),
               ("sqlite", {"datasource": "other"}), ("sqlite", {"fetchSize": "pl4nted"}), ("mysql", {}), ("sqlite", {"where": "pasword('"}),
               ("sqlite", {"querySql": "nonsense"})]
        jobs = [job(good_reader, good_writer)]
        for kind, change in bad:
            changed = json.loads(json.dumps(good_reader))
            changed["stepType"] = kind
            changed["parameter"].update(change)
            jobs.append(job(changed, good_writer))
        jobs.append(json.dumps(jobs[0])[:-40])
        jobs.append(json.dumps(jobs[0]).replace('"pl4nted-one"', "pl4nted-one"))
        for number, document in enumerate(jobs):
            for more in (["--log-level", "debug"], ["--log-format", "json", "--json"], ["--on-end", "cat"]):
                with self.subTest(job=number, flags=more):
                    self.write_registry(sources, 0o644)
                    ended = self.run_named(document, "-p", "token=pl4nted-two", "--metrics-file", self.folder / "metrics", *more)
                    self.assertEqual(ended.code == 0, number == 0, str(ended))
                    written = ended.text + json.dumps(ended.summary, ensure_ascii=False)
                    for path in [*self.state.rglob("*"), self.folder / "metrics"]:
                        if path.is_file():
                            written += path.read_text(encoding="utf-8", errors="replace")
                    for secret in PLANTED:
                        at = written.find(secret)
                        self.assertEqual(at, -1, written[max(0, at - 300):at + 300])
                    if number == 0:
                        self.assertIn("${file:pw}", written)
                        self.assertIn("passwords in clear (of other)", ended.text)

    def test_add_list_and_test(self):
        place = self.folder / "new/datasources.json"
        flags = ["--datasources", place]
        done = self.sluice("datasource", "add", "shop", *flags, "--type", "sqlite", "--set", "path=shop.db")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o600)
        done = self.sluice("datasource", "test", "shop", *flags)
        self.assertEqual(done.returncode, 0, done)
        for text in ("name resolution  ok", "connect          ok", "TLS              none", "login            none",
                     "database         ok: SQLite database with 1 table or view", "rights           ok: may be read and written"):
            self.assertIn(text, done.stdout)
        secret = json.dumps({"address": [{"host": "127.0.0.1", "port": 1}], "database": "d", "username": "u", "password": PLANTED[0]})
        done = self.sluice("datasource", "add", "dw", *flags, "--type", "sqlserver", "--properties", "-", stdin=secret)
        self.assertEqual(done.returncode, 0, done)
        done = self.sluice("datasource", "list", *flags)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"(?m)^shop +sqlite +both +ready +.*/shop\.db$")
        self.assertRegex(done.stdout, r"(?m)^dw +sqlserver +both +not supported yet +127\.0\.0\.1:1/d +password in clear$")
        self.assertNotIn(PLANTED[0], done.stdout + done.stderr)
        done = self.sluice("datasource", "test", "dw", *flags)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn('the data source "dw": connect fails', done.stderr)
        self.assertNotIn(PLANTED[0], done.stdout + done.stderr)

    def test_remove_leaves_the_rest_of_the_file_as_it_is(self):
        self.registry.write_text('// mine\n{"datasources": [\n  // two\n  {"name": "a", "type": "sqlite", "connectionProperties": {"path": "a"}},\n'
                                 '  {"name": "b", "type": "sqlite", "connectionProperties": {"path": "b"}}\n]}\n')
        flags = ["--datasources", self.registry]
        done = self.sluice("datasource", "remove", "b", *flags)
        self.assertEqual((done.returncode, "--yes" in done.stderr), (2, True), done)
        done = self.sluice("datasource", "remove", "b", *flags, "--yes")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.registry.read_text(), '// mine\n{"datasources": [\n  // two\n  {"name": "a", "type": "sqlite", '
                                                    '"connectionProperties": {"path": "a"}}\n]}\n')
        self.assertEqual(stat.S_IMODE(self.registry.stat().st_mode), 0o600)
        self.assertEqual(self.sluice("datasource", "list", *flags).returncode, 0)
        self.assertIn("prod, dev, both", self.sluice("datasource", "remove", "a", "--env", "test", *flags).stderr)

    def test_the_summary_names_the_data_sources_and_nothing_of_what_they_say(self):
        ended = self.run_named(job(reader(datasource="shop", table="t", envType=1), writer(datasource="dw", table="t")))
        self.assert_succeeds(ended)
        common = {"type": "sqlite", "registry": str(self.registry)}
        self.assertEqual(ended.summary["datasources"],
                         [{"side": "reader", "name": "shop", "environment": "development", "environment_origin": "envType", **common},
                          {"side": "writer", "name": "dw", "environment": "production", "environment_origin": "default", **common}])
        ended = self.run_named(job(reader(datasource="shop", table="t"), writer(jdbcUrl=f"jdbc:sqlite:{self.folder}/dw-dev.db", table="t")),
                               "--env", "prod")
        self.assert_succeeds(ended)
        self.assertEqual([(one["side"], one["environment_origin"]) for one in ended.summary["datasources"]], [("reader", "--env")])

    def test_test_names_the_step_that_fails(self):
        (self.folder / "text.db").write_text("this is no database, but long enough to have a header " * 3)
        (self.folder / "folder.db").mkdir()
        self.write_registry(registry(*((name, "sqlite", None, {"path": path}) for name, path in
                                       (("none", "none.db"), ("nowhere", "x/y.db"), ("folder", "folder.db"), ("text", "text.db"),
                                        ("locked", "shop.db")))))

        def outcome(name, code):
            done = self.sluice("datasource", "test", name, "--datasources", self.registry)
            self.assertEqual(done.returncode, code, done)
            return done.stdout + done.stderr
        self.assertIn('"none": name resolution fails: there is no file', outcome("none", 1))
        self.assertIn("nor its folder", outcome("nowhere", 1))
        self.assertIn("is a folder", outcome("folder", 1))
        self.assertIn('"text": database fails: the file is no SQLite database', outcome("text", 1))
        db = sqlite3.connect(self.folder / "shop.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        self.assertIn("another connection holds the write lock now", outcome("locked", 0))
        db.execute("ROLLBACK")
        db.close()
        self.assertIn("no other connection writes", outcome("locked", 0))

    @unittest.skipUnless(os.geteuid() == 0, "needs another user")
    def test_test_tells_rights_of_the_process(self):
        (self.folder / "shop.db").chmod(0o644)
        self.registry.chmod(0o644)
        argv = [str(PROGRAM), "datasource", "test", "shop", "--datasources", str(self.registry)]

        def as_nobody():
            return subprocess.run(argv, capture_output=True, text=True, user=65534, group=65534, extra_groups=[])
        done = as_nobody()
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("rights           limited: may be read, not written", done.stdout)
        (self.folder / "shop.db").chmod(0o600)
        done = as_nobody()
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("connect fails: this process may not read the file", done.stderr)

    def template(self, *arguments, code=0, registry=None, **environment):
        done = self.sluice("template", *arguments, "--datasources", registry or self.registry, **environment)
        self.assertEqual(done.returncode, code, done)
        return done.stderr if code else done.stdout

    def test_a_template_names_data_sources_and_passes_check_in_both_dialects(self):
        self.write("orders.csv", "id,note\n7,x\n")
        for number, dialect in enumerate(("di", "datax")):
            for source, target, table in (("shop:t", "dw:t", "t"), ("in:orders.csv", "dw:made", "made"), ("in:tsv:orders.csv", "in:a/x.csv", None),
                                          ("shop:t", f"in:out/{dialect}.csv.gz", None)):
                with self.subTest(dialect=dialect, source=source, target=target):
                    made = self.template(source, target, "--dialect", dialect)
                    for end in (source, target):
                        self.assertIn(f'"datasource": "{end.split(":")[0]}"', made)
                    for absent in ("jdbcUrl", "envType", str(self.folder)):
                        self.assertNotIn(absent, made)
                    path = self.write("made.json", made)
                    checked = self.sluice("check", "--strict", path, "--datasources", self.registry)
                    self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                    ended = self.run_named(made)
                    self.assert_succeeds(ended)
                    if table:
                        self.assertTrue(self.rows(self.folder / "dw.db", f"SELECT * FROM {table}"))
            self.assertTrue((self.folder / f"out/{dialect}.csv.gz").exists())
            (self.folder / "a/x.csv").unlink()
            (self.folder / "dw.db").unlink()
            self.make_rows("dw.db", 0)

    def test_a_template_of_the_development_variant_says_so_in_the_job(self):
        for dialect in ("di", "datax"):
            with self.subTest(dialect):
                (self.folder / "dw-dev.db").unlink()
                self.make_rows("dw-dev.db", 0)
                made = self.template("shop:t", "dw:t", "--env", "dev", "--dialect", dialect)
                self.assertEqual(made.count('"envType": 1'), 2)
                self.assert_succeeds(self.run_named(made))
                self.assertEqual(self.notes("dw-dev.db"), ["dev.db"])

    def test_a_plugin_s_word_goes_before_a_data_source_and_that_before_a_path(self):
        self.write("plain.csv", "id,note\n7,x\n")
        self.write_registry(registry(*((name, "sqlite", None, {"path": "dev.db"}) for name in ("sqlite", "csv", "shop.db", "a", "a:b"))))
        self.assertIn('"jdbcUrl": "jdbc:sqlite:shop.db"', self.template("sqlite:shop.db:t", "stream"))
        self.assertIn('"path": ["plain.csv"]', self.template("csv:plain.csv", "stream"))
        self.assertIn('"datasource": "shop.db"', self.template("shop.db:t", "stream"))
        self.assertIn('"datasource": "a:b"', self.template("a:b:t", "stream"))
        self.assertIn('"jdbcUrl": "jdbc:sqlite:dw.db"', self.template("dw.db:t", "stream"))
        self.assertIn("names no", self.template("sqlite", "in", code=2))

    def test_a_registry_is_not_needed_for_paths(self):
        broken = self.write("broken.json", "{")
        for place, warned in ((self.folder / "none.json", False), (broken, True)):
            with self.subTest(place):
                done = self.sluice("template", "shop.db:t", "stream", "--datasources", place)
                self.assertEqual(done.returncode, 0, done)
                self.assertIn('"jdbcUrl": "jdbc:sqlite:shop.db"', done.stdout)
                self.assertEqual("is taken as a path" in done.stderr, warned, done.stderr)
                self.assertEqual(self.sluice("template", "sqlite:shop.db:t", "stream", "--datasources", place).stderr, "")

    def test_what_names_no_end_in_a_data_source_is_told(self):
        self.write_registry(registry(("shop", "sqlite", "Prod", {"path": "shop.db"}), ("old", "sqlite", "Dev", {"path": "shop.db"}),
                                     ("in", "localfile", None, {"baseDir": "."}), ("bad", "sqlite", None, {"pth": "x"}),
                                     ("wh", "sqlserver", None, {"address": [{"host": "h", "port": 1}], "database": "d",
                                                                "username": "u", "password": PLANTED[0]})))
        for end, texts in (("shpo:t", ['no data source "shpo"', "datasources.json", "(--datasources)", "did you mean shop:t?"]),
                           ("other:t", ["which has bad, in, old, shop, wh", "sluice datasource add other"]),
                           ("shop", ['"shop" is a data source', "shop:TABLE"]), ("shop:", ["the table is missing", "write shop:TABLE"]),
                           ("shop:x", ['data source "shop" (production)', 'no table "x"', "write shop:TABLE"]),
                           ("old:t", ["no variant for production", "--env"]), ("bad:t", ["is wrong", "datasources.json:", 'has none of "path"']),
                           ("wh:t", ["of the type sqlserver, which is not supported yet", "localfile, mysql, postgresql, sqlite"]),
                           ("mongodb:t", ["(MongoDB) is not supported yet"]),
                           ("in:", ["in:FILE"]), ("in:/etc/hosts", ["not below the folder"]), ("in:a/../../x", ["not below the folder"]),
                           ("in:none.csv", ['data source "in" (production)', "none.csv"])):
            with self.subTest(end):
                # Only what the command line alone shows is 2.
                err = self.template(end, "stream", code=1 if end in ("shop:x", "in:none.csv") else 2)
                for text in texts:
                    self.assertIn(text, err)
                self.assertNotIn(PLANTED[0], err)
        err = self.template("shop:t", "stream", code=2, registry=self.folder / "none.json")
        for text in ("no registry of data sources", "none.json", "--datasources: no such file", "SLUICE_DATASOURCES", "sluice datasource add"):
            self.assertIn(text, err)

    def test_copy_goes_from_data_source_to_data_source(self):
        flags = ["--datasources", self.registry, "--state-dir", self.state]
        done = self.sluice("copy", "shop:t", "dw:copied", *flags, "--save", "saved.json")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn('from data source "shop" (production, default), to data source "dw"', done.stderr)
        self.assertEqual(self.rows(self.folder / "dw.db", "SELECT count(*) FROM copied"), [(3,)])
        self.assertNotIn("jdbcUrl", (self.folder / "saved.json").read_text())
        again = self.sluice("copy", "shop:t", "dw:copied", *flags)
        self.assertEqual((again.returncode, "--append adds to them" in again.stderr), (1, True), again)
        done = self.sluice("copy", "shop:t", "in:dev.csv", *flags, "--env", "dev", "--where", "id = 0")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual((self.folder / "dev.csv").read_text().splitlines(), ["id,note", "0,dev.db"])


if __name__ == "__main__":
    unittest.main()
