"""What goes wrong at a server, and the words for it: a full disk, another product, too old a version, too old a TLS."""

import os
import subprocess
import unittest

from e2e.harness import job
from servers import fakes, pair
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule  # noqa: F401


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


if __name__ == "__main__":
    unittest.main()
