"""The test servers themselves: what other tests rely on."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from servers.certificates import Certificates
from servers.mysql import MariaDB
from servers.postgresql import PostgreSQL
from servers.running import Running
from servers.server import READY_SECONDS, STOP_SECONDS, ServerError

START = Path(__file__).with_name("start.py")


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def started(test, system):
    """One server for all tests of a class."""
    running = Running([system])
    running.__enter__()
    test.addClassCleanup(running.__exit__, None, None, None)
    return running.servers[system]


class PostgreSQLServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.postgresql = started(cls, "postgresql")

    def psql(self, user, sql, tls="verify-full", ca="ca.pem", **more):
        connection = self.postgresql.connection("sluice", user, tls, ca) + "".join(f" {k}={v}" for k, v in more.items())
        return subprocess.run(["psql", "-X", "-At", connection, "-c", sql], text=True, capture_output=True, timeout=20,
                              env={**os.environ, "PGPASSWORD": self.postgresql.password(user)})

    def test_speaks_tls_with_a_certificate_of_the_tests_authority_only(self):
        self.assertEqual(self.psql("admin", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").stdout, "t\n")
        self.assertIn("certificate verify failed", self.psql("admin", "SELECT 1", ca="other_ca.pem").stderr)
        self.assertEqual(self.psql("admin", "SELECT 1", tls="disable").stdout, "1\n")
        self.assertIn("pg_hba.conf rejects", self.psql("tls_only", "SELECT 1", tls="disable").stderr)
        self.assertEqual(self.psql("tls_only", "SELECT 1").stdout, "1\n")

    def test_lets_a_user_in_by_certificate(self):
        path = self.postgresql.certificates.path
        self.assertEqual(self.psql("certified", "SELECT 1", sslcert=path("client.pem"), sslkey=path("client.key")).stdout, "1\n")
        self.assertIn("certificate", self.psql("certified", "SELECT 1", sslcert="none").stderr)

    def test_keeps_passwords_as_scram_and_refuses_wrong_ones(self):
        self.assertEqual(self.postgresql.sql("SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolpassword NOT LIKE 'SCRAM-SHA-256$%'"),
                         "0\n")
        refused = subprocess.run(["psql", "-X", self.postgresql.connection("sluice", "reader"), "-c", "SELECT 1"], text=True,
                                 capture_output=True, timeout=20, env={**os.environ, "PGPASSWORD": "wrong"})
        self.assertIn("password authentication failed", refused.stderr)

    def test_users_may_do_what_their_names_say_and_no_more(self):
        self.assertEqual(self.psql("admin", "CREATE TABLE rights(a int)").returncode, 0)
        self.assertEqual(self.psql("reader", "SELECT count(*) FROM rights").stdout, "0\n")
        self.assertIn("permission denied", self.psql("reader", "INSERT INTO rights VALUES(1)").stderr)
        self.assertEqual(self.psql("writer", "INSERT INTO rights VALUES(1)").returncode, 0)
        self.assertIn("permission denied", self.psql("writer", "CREATE TABLE more(a int)").stderr)
        self.assertIn("permission denied", self.psql("nothing", "SELECT * FROM rights").stderr)


class MariaDBServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mariadb = started(cls, "mariadb")

    def mysql(self, user, sql, *options):
        options = options or (f"--ssl-ca={self.mariadb.certificates.path('ca.pem')}", "--ssl-verify-server-cert")
        return subprocess.run(["mariadb", "--no-defaults", "-N", "-B", "--protocol=tcp", "-h127.0.0.1", f"-P{self.mariadb.port}", f"-u{user}",
                               f"-p{self.mariadb.password(user)}", *options, "-e", sql, "sluice"], text=True, capture_output=True, timeout=20)

    def test_speaks_tls_with_a_certificate_of_the_tests_authority_only(self):
        self.assertIn("TLS", self.mysql("admin", "SHOW STATUS LIKE 'Ssl_cipher'").stdout)
        other = f"--ssl-ca={self.mariadb.certificates.path('other_ca.pem')}"
        self.assertIn("self-signed certificate", self.mysql("admin", "SELECT 1", other, "--ssl-verify-server-cert").stderr)
        self.assertIn("Access denied", self.mysql("tls_only", "SELECT 1", "--skip-ssl").stderr)
        self.assertEqual(self.mysql("tls_only", "SELECT 1").stdout, "1\n")

    def test_lets_a_user_in_by_certificate(self):
        path = self.mariadb.certificates.path
        self.assertIn("Access denied", self.mysql("certified", "SELECT 1").stderr)
        self.assertEqual(self.mysql("certified", "SELECT 1", f"--ssl-ca={path('ca.pem')}", f"--ssl-cert={path('client.pem')}",
                                    f"--ssl-key={path('client.key')}").stdout, "1\n")

    def test_users_may_do_what_their_names_say_and_no_more(self):
        self.assertEqual(self.mysql("admin", "CREATE TABLE rights(a int)").returncode, 0)
        self.assertEqual(self.mysql("reader", "SELECT count(*) FROM rights").stdout, "0\n")
        self.assertIn("denied", self.mysql("reader", "INSERT INTO rights VALUES(1)").stderr)
        self.assertEqual(self.mysql("writer", "INSERT INTO rights VALUES(1)").returncode, 0)
        self.assertIn("denied", self.mysql("writer", "CREATE TABLE more(a int)").stderr)
        self.assertIn("denied", self.mysql("nothing", "SELECT * FROM rights").stderr)

    def test_logs_rows_and_keeps_a_zone_that_is_nobodys_guess(self):
        self.assertEqual(self.mariadb.sql("SELECT @@binlog_format, @@time_zone").split(), ["ROW", "-03:30"])


class Lives(unittest.TestCase):
    def test_a_server_that_is_stopped_leaves_nothing(self):
        with Running(["mariadb"]) as running:
            server = running.servers["mariadb"]
            pid, folder, described = server.process.pid, server.folder, running.environment["SLUICE_TEST_MARIADB"]
            self.assertTrue(alive(pid))
            self.assertTrue(Path(described).exists())
        self.assertFalse(alive(pid))
        self.assertFalse(folder.exists())
        self.assertFalse(Path(described).exists())

    def test_a_server_that_cannot_start_is_not_waited_for(self):
        for system in (PostgreSQL, MariaDB):
            class Broken(system):
                def command(self):
                    return [*super().command(), "--no-such-setting=1"]

            with self.subTest(system.system), tempfile.TemporaryDirectory() as folder:
                begin = time.monotonic()
                with self.assertRaisesRegex(ServerError, "(?s)ended with code .*no.such.setting"):
                    Broken(Certificates(folder)).start()
                self.assertLess(time.monotonic() - begin, READY_SECONDS / 2)

    def test_servers_end_with_the_program_that_started_them_however_it_ends(self):
        print_pid = ("import json, os, time; print(json.load(open(os.environ['SLUICE_TEST_POSTGRESQL']))['pid'], flush=True); "
                     "time.sleep(60)")
        # What is killed can remove nothing.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            child = subprocess.Popen([sys.executable, str(START), "postgresql", "--", sys.executable, "-c", print_pid],
                                     stdout=subprocess.PIPE, text=True, start_new_session=True, env={**os.environ, "TMPDIR": folder})
            with child.stdout:
                pid = int(child.stdout.readline())
            self.assertTrue(alive(pid))
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            deadline = time.monotonic() + STOP_SECONDS
            while alive(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertFalse(alive(pid))


if __name__ == "__main__":
    unittest.main()
