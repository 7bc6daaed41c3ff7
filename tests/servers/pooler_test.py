"""PostgreSQL, MariaDB and MySQL behind a pooler or a proxy."""

import json
import re
import signal
import struct
import subprocess
import unittest

from e2e.harness import PROGRAM, job
from servers import mariadb_test
from servers import postgresql_test as whole
from servers.either import OnMariaDB
from servers.mysql_proxy import ANOTHER_NUMBER, MySqlProxy, packet, with_length
from servers.pgbouncer import PgBouncer
from servers.postgresql_test import end, sql
from servers.running import until


def setUpModule():
    whole.setUpModule()


class Pooler(whole.Jobs):
    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (id int PRIMARY KEY); INSERT INTO src SELECT i FROM generate_series(1, 1000) i; CREATE TABLE dst (id int)")

    def behind(self, which, made):
        made["parameter"]["jdbcUrl"] = f"jdbc:postgresql://127.0.0.1:{which.port}/sluice"
        return made

    def test_one_that_moves_statements_between_processes_is_named_before_anything_happens(self):
        for in_turn in (False, True):
            with self.subTest(in_turn=in_turn), PgBouncer(whole.SERVER, "transaction", in_turn) as pooler:
                # Several processes are there to be given.
                if in_turn:
                    self.assertGreater(pooler.hold(3), 2)
                for reader, writer in ((self.behind(pooler, end("Reader", "src")), end("Writer", "dst")),
                                       (end("Reader", "src"), self.behind(pooler, end("Writer", "dst")))):
                    ended = self.fails(job(reader, writer), "a pooler that moves the statements of a session", "pool_mode = session", f"127.0.0.1:{pooler.port}/sluice")
                    self.assertEqual(ended.summary["error"]["kind"], "not_supported")
        self.assertEqual(sql("SELECT count(*) FROM dst"), "0\n")
        self.assertEqual(sql("SELECT count(*) FROM pg_class WHERE relname ~ '^sluice_'"), "0\n")

    def test_a_pool_of_sessions_is_none(self):
        with PgBouncer(whole.SERVER, "session") as pooler:
            self.succeeds(job(self.behind(pooler, end("Reader", "src", splitPk="id")), self.behind(pooler, end("Writer", "dst")), concurrent=2))
        self.assertEqual(sql("SELECT count(*) FROM dst"), "1000\n")


class Proxy(OnMariaDB):
    def setUp(self):
        super().setUp()
        self.make_source(100)
        self.sql("CREATE TABLE dst LIKE src")

    @staticmethod
    def behind(proxy, made):
        made["parameter"]["jdbcUrl"] = f"jdbc:mysql://127.0.0.1:{proxy.port}/sluice?sslMode=disable"
        return made

    def test_one_that_moves_statements_between_connections_is_named_before_anything_happens(self):
        for numbers, version, name in ((True, "-proxysql", "ProxySQL"), (False, "", "a proxy")):
            with self.subTest(name), MySqlProxy(self.server(), moves=True, numbers=numbers, version=version) as proxy:
                for reader, writer in ((self.behind(proxy, self.end("Reader", "src")), self.end("Writer", "dst")),
                                       (self.end("Reader", "src"), self.behind(proxy, self.end("Writer", "dst")))):
                    ended = self.fails(job(reader, writer), f"127.0.0.1:{proxy.port}/sluice", f"what answers there is {name} that moves the statements of a session", "MaxScale: readconnroute")
                    self.assertEqual(ended.summary["error"]["kind"], "not_supported")
        self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), "0\n")
        self.assertEqual(self.sql("SHOW TABLES LIKE 'sluice_%'"), "")

    def test_one_that_gives_a_connection_to_several_clients_is_one_that_moves(self):
        with MySqlProxy(self.server(), shares=True) as proxy:
            self.fails(job(self.behind(proxy, self.end("Reader", "src")), self.end("Writer", "dst")), "moves the statements of a session")

    def test_one_of_other_numbers_is_a_note_and_its_claims_are_seen(self):
        with MySqlProxy(self.server(), version="-maxscale") as proxy:
            document = job(self.behind(proxy, self.end("Reader", "src", splitPk="id")), self.behind(proxy, self.end("Writer", "dst")), concurrent=2)
            note = f'"127.0.0.1:{proxy.port}/sluice": MaxScale stands before the server and gives connections numbers of its own'
            planned = subprocess.run([PROGRAM, "plan", self.write("job.json", json.dumps(document))], capture_output=True, text=True, check=True)
            self.assertIn(note, planned.stdout)
            # The name of a claim's session has the server's number, not the proxy's, and so holds.
            self.sql("CREATE TRIGGER late BEFORE INSERT ON dst FOR EACH ROW SET NEW.t = CONCAT(SLEEP(0.02), NEW.t)")
            run = subprocess.Popen([PROGRAM, "run", self.folder / "job.json", "--state-dir", self.folder / "one"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(run.wait)
            self.addCleanup(run.kill)
            until(lambda: self.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD /* sluice %'") == "2\n", "it writes")
            other = subprocess.run([PROGRAM, "run", self.folder / "job.json", "--state-dir", self.folder / "two"], capture_output=True, text=True, check=False)
            self.assertNotEqual(other.returncode, 0, other.stdout)
            self.assertIn("the job is running already", other.stdout + other.stderr)
            run.send_signal(signal.SIGTERM)
            self.assertEqual(run.wait(30), 143)
        self.assertFalse([text for text in proxy.statements if "KILL" in text])
        self.assertTrue(all(int(number) < ANOTHER_NUMBER for number in self.sql("SELECT SUBSTRING_INDEX(owner, '/', 1) FROM sluice_progress").split()))


def without_comments(statement):
    """Of a statement of Sluice's, which has one behind its first word that says what it is for."""
    return re.sub(r"\s*/\* sluice.*?\*/", "", statement)


class Speaker(MySqlProxy):
    """A server that says it is another product, and has neither what `lacks` names nor, where it says so, prepared statements."""

    def __init__(self, server, says, lacks, prepares=True):
        super().__init__(server, numbers=False)
        self.says, self.lacks, self.prepares = says, lacks, prepares

    def pass_on(self, client, backends):
        prepare = 0x16
        while True:
            header, said = packet(client)
            if header[3] == 0:
                self.statements.append(said[1:].decode(errors="replace"))
            if said[:1] == bytes([prepare]) and not self.prepares:
                client.sendall(with_length(b"\xff" + struct.pack("<H", 1295) + b"#HY000not in the prepared statement protocol", 1))
            elif any(name in said for name in self.lacks):
                client.sendall(with_length(b"\xff" + struct.pack("<H", 1193) + b"#HY000Unknown system variable", 1))
            else:
                backends[0].sendall(with_length(self.passed(said), header[3]))

    def passed(self, said):
        return said.replace(b"@@version_comment", f"'{self.says}'".encode())


class Swallower(Speaker):
    """One that takes the row with the number 7 without a word and does not keep it."""

    def passed(self, said):
        said = re.sub(rb"VALUES \(7,[^)]*\),", b"VALUES ", super().passed(said))
        return re.sub(rb"VALUES \(7,[^)]*\)$", b"SELECT 7, '' FROM DUAL WHERE 1 = 0", re.sub(rb",\(7,[^)]*\)", b"", said))


class Loser(MySqlProxy):
    """One that loses, on the way to the server, the row with the number 7 of what LOAD DATA sends: the server takes the others, has no warning of it, and counts them."""

    def pass_on(self, client, backends):
        while True:
            header, said = packet(client)
            if header[3] == 0:
                self.statements.append(said[1:].decode(errors="replace"))
            else:
                said = re.sub(rb"(?m)^7\t.*\n", b"", said)
            backends[0].sendall(with_length(said, header[3]))


class Loads(OnMariaDB):
    def test_a_row_of_load_data_that_the_server_did_not_get_is_missed_by_the_count(self):
        self.sql("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE dst LIKE src; INSERT INTO src SELECT seq, 'x' FROM seq_1_to_20")
        with Loser(self.server()) as proxy:
            ended = self.succeeds(job(self.end("Reader", "src"), Proxy.behind(proxy, self.end("Writer", "dst"))))
        self.assertTrue([s for s in proxy.statements if without_comments(s).startswith("LOAD DATA")], "else nothing was lost")
        self.assertEqual((ended.summary["written"], self.sql("SELECT COUNT(*), SUM(id) FROM dst")), (20, "20\t210\n"))


class OtherProducts(OnMariaDB):
    LACKS = [b"GET_LOCK", b"@@log_bin", b"@@local_infile", b"lc_messages", b"completion_type", b"net_write_timeout", b"sql_safe_updates", b"unique_checks", b"GLOBAL_STATUS"]
    # What is MySQL's or MariaDB's own, as the program sends it; a MariaDB gets some of it in the same job.
    NEVER = re.compile(r"(?i)^(LOAD DATA|LOCK TABLES|FLUSH|KILL|GET DIAGNOSTICS|SHOW (MASTER|BINARY LOG|BINLOG) STATUS)|WITH CONSISTENT SNAPSHOT|INNODB_(SYS_)?TABLES")

    def setUp(self):
        super().setUp()
        self.make_source(500)
        self.sql("ALTER TABLE src ADD COLUMN n DECIMAL(10,2) DEFAULT 1.5; CREATE TABLE dst LIKE src")

    def test_one_whose_transactions_hold_marks_is_written_by_what_it_has(self):
        with Speaker(self.server(), "TiDB Server (Apache License 2.0)", self.LACKS) as other:
            reader, writer = Proxy.behind(other, self.end("Reader", "src", splitPk="id")), Proxy.behind(other, self.end("Writer", "dst"))
            self.sql("INSERT INTO dst (id) VALUES (7)")
            ended = self.succeeds(job(reader, writer, concurrent=2, errors=1))
            self.assertEqual(self.sql("SELECT COUNT(*), SUM(id), SUM(n) FROM dst"), "500\t125250\t750.00\n")
            self.assertEqual(ended.summary["dirty_by_code"], {"ER_DUP_ENTRY": 1})
            planned = subprocess.run([PROGRAM, "plan", self.write("job.json", json.dumps(job(reader, writer)))], capture_output=True, text=True, check=True)
            self.assertIn("The server says that it is TiDB, which speaks MySQL's protocol: the promise holds as far as its transactions", planned.stdout)
            reader["parameter"]["snapshot"] = "shared"
            self.fails(job(reader, writer, concurrent=2), "snapshot: found \"shared\"", "is TiDB, whose snapshots are not shared")
        self.assertEqual(self.own_words(other), [])
        with MySqlProxy(self.server()) as same:
            self.sql("TRUNCATE dst")
            self.succeeds(job(Proxy.behind(same, self.end("Reader", "src", splitPk="id", snapshot="shared")), Proxy.behind(same, self.end("Writer", "dst")), concurrent=2))
        self.assertLessEqual({"LOAD DATA", "WITH CONSISTENT SNAPSHOT", "INNODB_SYS_TABLES", "SHOW MASTER STATUS"}, set(self.own_words(same)))

    def own_words(self, proxy):
        return [found[0] for found in map(self.NEVER.search, map(without_comments, proxy.statements)) if found]

    def test_a_row_that_is_taken_and_not_kept_is_found_by_the_count_and_dirty(self):
        self.sql("DROP TABLE src, dst; CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE dst LIKE src; INSERT INTO src SELECT seq, 'x' FROM seq_1_to_20")
        with Swallower(self.server(), "TiDB Server (Apache License 2.0)", self.LACKS) as other:
            ended = self.succeeds(job(self.end("Reader", "src"), Proxy.behind(other, self.end("Writer", "dst")), errors=1))
        self.assertEqual((ended.summary["written"], ended.summary["dirty_by_code"]), (19, {"refused_silently": 1}))
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(id) FROM dst"), "19\t203\n")

    def test_one_without_such_transactions_is_read_and_not_written(self):
        for says, name in (("Doris version doris-2.1.2", "Apache Doris"), ("StarRocks version 3.1.2", "StarRocks")):
            with self.subTest(name), Speaker(self.server(), says, self.LACKS, prepares=False) as other:
                self.sql("TRUNCATE dst; DROP TABLE IF EXISTS sluice_run, sluice_progress")
                ended = self.succeeds(job(Proxy.behind(other, self.end("Reader", "src", ["id", "t", "n + 0"])), self.end("Writer", "dst", ["id", "t", "n"])))
                self.assertEqual(self.sql("SELECT COUNT(*), SUM(n), MIN(LENGTH(t)) FROM dst"), "500\t750.00\t1000\n")
                self.assertIn(f"says that it is {name}, which speaks MySQL's protocol", ended.text)
                self.sql("DROP TABLE sluice_run, sluice_progress")
                document = job(self.end("Reader", "src"), Proxy.behind(other, self.end("Writer", "dst")))
                for command in ("plan", "run"):
                    done = subprocess.run([PROGRAM, command, self.write("job.json", json.dumps(document))], capture_output=True, text=True, timeout=60)
                    self.assertNotEqual(done.returncode, 0, done)
                    self.assertIn(f"the server is {name}, whose transactions do not take rows and marks back together", done.stdout + done.stderr)
                    self.assertIn("Stream Load", done.stdout + done.stderr)
                self.assertNotIn("sluice_run", self.sql("SHOW TABLES"))


if __name__ == "__main__":
    unittest.main()
