"""What goes wrong at a server, and the words for it: a full disk, another product, too old a version, too old a TLS. And what goes wrong
with our process there."""

import contextlib
import json
import os
import signal
import subprocess
import unittest
from pathlib import Path

from e2e.harness import PROGRAM, job
from servers import fakes, pair
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule  # noqa: F401
from servers.running import until


class Faults(PairTest):
    def said(self, reader, *parts, kind):
        ended = self.run_job(job(reader, {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}))
        self.assertEqual((ended.code, ended.summary["error"]["kind"]), (1, kind), ended)
        for part in parts:
            self.assertIn(part, ended.text)
        self.assert_no_password_in(ended.text)

    def at(self, reader, port, more=""):
        """The reader, at another port."""
        product = "postgresql" if reader["stepType"] == "postgresql" else "mysql"
        second = "1" if product == "postgresql" else "1000"
        reader["parameter"]["jdbcUrl"] = f"jdbc:{product}://127.0.0.1:{port}/sluice?connectTimeout={second}{more}"
        return reader


class OtherProducts(Faults):
    def test_an_address_of_the_other_product_is_told_in_our_words(self):
        self.said(self.at(postgresql_end("Reader", "src"), pair.MARIADB.port), "what answers there is no PostgreSQL", 'the stepType "mysql"', kind="not_connected")
        self.said(self.at(postgresql_end("Reader", "src"), pair.MARIADB.port, "&sslmode=require"), "what answers there is no PostgreSQL", kind="not_connected")
        self.said(self.at(mariadb_end("Reader", "src"), pair.POSTGRESQL.port), "no answer within 1", "PostgreSQL, at 5432 as a rule, waits for its client", kind="not_connected")


class Old(Faults):
    def test_a_server_older_than_supported_is_named_with_its_version(self):
        with fakes.Fake(fakes.old_postgresql) as fake:
            self.said(self.at(postgresql_end("Reader", "src"), fake.port), "the server is PostgreSQL 9.6; version 10 or later is needed", kind="not_supported")
        with fakes.Fake(fakes.old_mysql) as fake:
            self.said(self.at(mariadb_end("Reader", "src"), fake.port), "the server is of version 5.1.73, expected 5.5 or later", kind="not_supported")

    def test_a_server_that_speaks_tls_1_0_alone_is_refused(self):
        certificates = pair.POSTGRESQL.certificates
        with fakes.Fake(fakes.postgresql_of_old_tls(certificates)) as fake:
            self.said(self.at(postgresql_end("Reader", "src"), fake.port, "&sslmode=require"), "versions of TLS that are too old", kind="denied")
        with fakes.Fake(fakes.mysql_of_old_tls(certificates)) as fake:
            self.said(self.at(mariadb_end("Reader", "src"), fake.port, "&sslMode=REQUIRED"), "TLS 1.2 or later", kind="denied")


@unittest.skipUnless(os.geteuid() == 0, "a small file system takes root")
class FullDisk(Faults):
    """The destination's table lies on a file system of 8 MB."""

    def small(self, server):
        place = server.folder / "small"
        place.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=8m,uid={server.owner.pw_uid},gid={server.owner.pw_gid},mode=700", "none", place], capture_output=True, text=True)
        if done.returncode != 0:
            place.rmdir()
            self.skipTest(f"no file system can be mounted here: {done.stderr}")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=True)
        return place

    def fails_for_want_of_room(self, writer, *parts):
        ended = self.run_job(job(self.source, writer, errors=10))
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["dirty"]), (1, "no_room", 0), ended)
        for part in parts:
            self.assertIn(part, ended.text)

    def setUp(self):
        super().setUp()
        in_mariadb("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(2000)); INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000")
        self.source = mariadb_end("Reader", "src")

    def test_of_postgresql(self):
        place = self.small(pair.POSTGRESQL)
        in_postgresql(f"CREATE TABLESPACE small LOCATION '{place}'")
        self.addCleanup(in_postgresql, "DROP TABLE dst; CHECKPOINT; DROP TABLESPACE small")
        in_postgresql("CREATE TABLE dst (id int, t text) TABLESPACE small; ALTER TABLE dst ALTER t SET STORAGE PLAIN")
        self.fails_for_want_of_room(postgresql_end("Writer", "dst"), "No space left on device", "53100", "make room on the server's disk, then run the job again")

    def test_of_mariadb(self):
        place = self.small(pair.MARIADB)
        in_mariadb(f"CREATE TABLE dst (id INT, t VARCHAR(2000)) DATA DIRECTORY = '{place}'")
        self.addCleanup(in_mariadb, "DROP TABLE dst")
        self.fails_for_want_of_room(mariadb_end("Writer", "dst"), "free room on the server's disk")


class Killed(PairTest):
    """MariaDB and MySQL do not notice that the client of a statement that computes is gone: our guard process ends it."""

    FOR_LONG = "SELECT COUNT(*) AS n FROM many a, many b, many c WHERE a.id + b.id + c.id < 0"

    def setUp(self):
        super().setUp()
        in_mariadb("CREATE TABLE many (id INT PRIMARY KEY); INSERT INTO many SELECT seq FROM seq_1_to_5000; CREATE TABLE src AS SELECT 1 AS n; CREATE TABLE dst (n BIGINT); CREATE TABLE steps (n BIGINT)")

    def begin(self, name, reader, writer=None, **more):
        path = self.write(f"{name}.json", json.dumps(job(reader, writer or {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}, **more)))
        run = subprocess.Popen([PROGRAM, "run", path, "--name", name, "--state-dir", self.folder / name], start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        return run

    def guard_of(self, run):
        """The ids of the guard processes of a run."""
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if path.read_bytes().rstrip(b"\0").decode() == f"job-guard {run.pid}":
                    found.append(int(path.parent.name))
            except OSError:
                pass
        return found

    @staticmethod
    def let_go_on(pid):
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.kill(pid, signal.SIGCONT)

    @staticmethod
    def computing(text):
        return int(in_mariadb(f"SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '{text}' AND id <> CONNECTION_ID()", "mysql"))

    def reading(self, text=FOR_LONG):
        reader = mariadb_end("Reader", "x", querySql=text)
        del reader["parameter"]["table"], reader["parameter"]["column"]
        return reader

    def until_none(self, text):
        until(lambda: self.computing(text) == 0, f"nothing like {text} runs", 15)

    def test_leaves_no_statement_running_alone_or_with_its_group_and_meets_no_neighbour(self):
        neighbour = self.begin("neighbour", self.reading())
        until(lambda: self.computing("%sluice neighbour %") == 1, "the neighbour computes")
        for name, end in (("one", lambda run: run.kill()), ("two", lambda run: os.killpg(run.pid, signal.SIGKILL))):
            with self.subTest(name):
                run = self.begin(name, self.reading())
                until(lambda: self.computing(f"%sluice {name} %") == 1, "it computes")
                self.assertEqual(len(self.guard_of(run)), 1)
                end(run)
                self.until_none(f"%sluice {name} %")
                until(lambda: not self.guard_of(run), "the guard has ended", 15)
        self.assertEqual(self.computing("%sluice neighbour %"), 1)
        self.assertIsNone(neighbour.poll())

    def test_has_a_step_before_the_data_ended_and_goes_on_at_once(self):
        step = f"INSERT INTO steps {self.FOR_LONG}"
        arguments = (mariadb_end("Reader", "src"), mariadb_end("Writer", "dst", preSql=[step]))
        run = self.begin("step", *arguments)
        until(lambda: self.computing("INSERT INTO steps%") == 1, "it computes")
        run.kill()
        run.wait()
        in_mariadb("DELETE FROM many")
        again = self.begin("step", *arguments)
        self.assertEqual(again.wait(30), 0, again.stdout.read())
        self.assertEqual(in_mariadb("SELECT * FROM steps"), "0\n")
        self.assertEqual(self.computing("INSERT INTO steps%"), 0)
        self.assertEqual(self.guard_of(again), [])

    def test_is_not_waited_for_and_its_guard_holds_nothing_of_it(self):
        run = self.begin("held", self.reading())
        until(lambda: self.computing("%sluice held %") == 1, "it computes")
        guard, = self.guard_of(run)
        os.kill(guard, signal.SIGSTOP)
        self.addCleanup(self.let_go_on, guard)
        self.assertEqual({fd.name: os.readlink(fd).split(":")[0] for fd in Path(f"/proc/{guard}/fd").iterdir()},
                         {"0": "/dev/null", "1": "/dev/null", "2": "/dev/null", "3": "socket"})
        shown = Path(f"/proc/{guard}/cmdline").read_bytes() + Path(f"/proc/{guard}/environ").read_bytes()
        self.assertNotIn(pair.MARIADB.password("admin").encode(), shown)
        run.kill()
        run.communicate(timeout=30)  # to the end of what it printed, which the stopped guard would never let come
        self.assertEqual(self.computing("%sluice held %"), 1)
        os.kill(guard, signal.SIGCONT)
        self.until_none("%sluice held %")

    def test_has_no_session_ended_that_is_not_known_for_its_own(self):
        # What a session is known by is its lock; without it the number may be anybody's.
        reader = self.reading()
        reader["parameter"]["session"] = ["DO RELEASE_ALL_LOCKS()"]
        for name, end in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM)):
            with self.subTest(name):
                run = self.begin(name, reader)
                until(lambda: self.computing(f"%sluice {name} %") == 1, "it computes")
                run.send_signal(end)
                run.communicate(timeout=30)
                until(lambda: not self.guard_of(run), "the guard has ended", 15)
                session = in_mariadb(f"SELECT id FROM information_schema.processlist WHERE info LIKE '%sluice {name} %' AND id <> CONNECTION_ID()", "mysql")
                self.assertRegex(session, "^[0-9]+\n$")
                in_mariadb(f"KILL {session}", "mysql")


if __name__ == "__main__":
    unittest.main()
