"""`snapshot: shared` of MariaDB and MySQL: all connections see the same, and the server's other users hardly notice.

MySQL is tried in the suite `full` (SLUICE_TEST_FULL)."""

import contextlib
import json
import os
import subprocess
import threading
import unittest

from e2e.harness import PROGRAM, ProgramTest, job
from servers.running import Running

ACCOUNTS = 200_000
SUM = ACCOUNTS * 100

# Moves money until somebody fills `stop`, and keeps how many transfers there were and how long the slowest took.
TRANSFERS = """
CREATE TABLE stop (n INT);
CREATE TABLE told (transfers INT, slowest_ms INT);
DELIMITER //
CREATE PROCEDURE transfers()
BEGIN
  DECLARE done, slowest, a, b INT DEFAULT 0;
  DECLARE begun DATETIME(6);
  WHILE NOT EXISTS (SELECT 1 FROM stop) DO
    SET a = 1 + FLOOR(RAND() * %(accounts)d), b = 1 + FLOOR(RAND() * %(accounts)d), begun = SYSDATE(6);
    START TRANSACTION;
    UPDATE accounts SET balance = balance - 1 WHERE id = LEAST(a, b);
    UPDATE accounts SET balance = balance + 1 WHERE id = GREATEST(a, b);
    COMMIT;
    SET slowest = GREATEST(slowest, TIMESTAMPDIFF(MICROSECOND, begun, SYSDATE(6)) DIV 1000), done = done + 1;
  END WHILE;
  INSERT INTO told VALUES (done, slowest);
END//
DELIMITER ;
""" % {"accounts": ACCOUNTS}

FILL = f"""
CREATE TABLE accounts (id INT PRIMARY KEY, balance INT);
INSERT INTO accounts SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n + 1, 100
FROM digits a, digits b, digits c, digits d, digits e, digits f WHERE f.n < {ACCOUNTS // 100_000};
CREATE TABLE copy (id INT PRIMARY KEY, balance INT);
"""


def setUpModule():
    global SERVERS
    running = Running(["mariadb"] + (["mysql"] if "SLUICE_TEST_FULL" in os.environ else []))
    running.__enter__()
    unittest.addModuleCleanup(running.__exit__, None, None, None)
    SERVERS = running.servers


class Snapshots:
    system = None

    def setUp(self):
        super().setUp()
        if self.system not in SERVERS:
            self.skipTest("only in the suite full")
        self.server = SERVERS[self.system]
        self.server.sql("DROP DATABASE sluice; CREATE DATABASE sluice CHARACTER SET utf8mb4", "mysql")
        self.sql("CREATE TABLE digits (n INT); INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
        self.sql(FILL)
        self.sql(TRANSFERS)

    def sql(self, text):
        return self.server.sql(text, "sluice")

    def document(self, user, concurrent=16, **more):
        # Sixteen connections hardly ever begin between two commits of others.
        def end(category, **parameter):
            return {"stepType": "mysql", "category": category.lower(), "name": category,
                    "parameter": {"jdbcUrl": f"jdbc:mysql://127.0.0.1:{self.server.port}/sluice", **parameter}}
        return job(end("Reader", username=user, password=self.server.password(user),
                       **{"snapshot": "shared", "table": "accounts", "column": ["*"], "splitPk": "id", **more}),
                   end("Writer", username="admin", password=self.server.password("admin"), table="copy", column=["*"]), concurrent=concurrent)

    def in_background(self, text):
        thread = threading.Thread(target=self.sql, args=(text,))
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def wait_until(self, condition):
        while self.sql(f"SELECT EXISTS ({condition})") != "1\n":
            pass

    @contextlib.contextmanager
    def transferring(self):
        """Several clients move money; gives a list that ends as [transfers, milliseconds of the slowest]."""
        told = []
        threads = [self.in_background("CALL transfers()") for _ in range(2)]
        self.wait_until("SELECT 1 FROM accounts WHERE balance <> 100")
        try:
            yield told
        finally:
            self.sql("INSERT INTO stop VALUES (1)")
            for thread in threads:
                thread.join()
            told += [int(n) for n in self.sql("SELECT SUM(transfers), MAX(slowest_ms) FROM told").split()]

    def grant_locks(self):
        self.server.sql("GRANT LOCK TABLES ON sluice.* TO reader@'%'", "mysql")
        self.addCleanup(self.server.sql, "REVOKE LOCK TABLES ON sluice.* FROM reader@'%'", "mysql")

    def test_a_banks_sum_is_the_same_in_the_copy_while_money_moves(self):
        self.grant_locks()
        with self.transferring() as told:
            ended = self.run_job(self.document("reader"))
        self.assertEqual(ended.code, 0, ended)
        self.assertGreater(ended.summary["splits"]["total"], 16)
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(balance) FROM copy"), f"{ACCOUNTS}\t{SUM}\n", ended)
        self.assertGreater(told[0], 100)
        self.assertLess(told[1], 3000, ended)
        self.assertIn("began one snapshot under LOCK TABLES of 1 table", ended.text)

    def grant_log(self):
        if self.system == "mariadb":
            self.server.sql("GRANT BINLOG MONITOR ON *.* TO reader@'%'", "mysql")
            self.addCleanup(self.server.sql, "REVOKE BINLOG MONITOR ON *.* FROM reader@'%'", "mysql")

    def test_no_lock_is_needed_while_nobody_writes(self):
        self.grant_log()
        ended = self.run_job(self.document("reader"))
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("16 connections began one snapshot without a lock", ended.text)
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(balance) FROM copy"), f"{ACCOUNTS}\t{SUM}\n")

    def test_a_single_connection_needs_no_lock_while_money_moves(self):
        with self.transferring():
            ended = self.run_job(self.document("reader", concurrent=1))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.sql("SELECT SUM(balance) FROM copy"), f"{SUM}\n")

    def test_a_long_select_and_a_writer_make_it_refused_and_nobody_waits_longer_than_3_s(self):
        self.grant_locks()
        self.sql("INSERT INTO accounts VALUES (0, 0)")
        self.in_background("SELECT COUNT(*) FROM accounts WHERE id BETWEEN 100 AND 106 AND SLEEP(1) = 0")
        self.in_background("START TRANSACTION; UPDATE accounts SET balance = 0 WHERE id = 0; SELECT 'holds', SLEEP(7); COMMIT")
        self.wait_until("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT ''holds''%'")
        with self.transferring() as told:
            ended = self.run_job(self.document("reader"))
        self.assertNotEqual(ended.code, 0, ended)
        self.assertIn("LOCK TABLES … READ had to wait longer than 2 s", ended.text)
        self.assertIn('"snapshot": "none"', ended.text)
        self.assertLess(told[1], 3000, ended)
        self.assertEqual(self.sql("SELECT COUNT(*) FROM copy"), "0\n")

    def test_without_the_right_it_is_refused_while_money_moves(self):
        self.grant_log()
        with self.transferring() as told:
            for _ in range(5):  # on a busy machine all connections may begin between two commits after all
                ended = self.run_job(self.document("reader"))
                if ended.code != 0:
                    break
                self.sql("TRUNCATE TABLE copy")
        self.assertNotEqual(ended.code, 0, ended)
        self.assertIn("LOCK TABLES … READ is refused", ended.text)
        self.assertLess(told[1], 1000, ended)

    def test_a_log_that_may_not_have_everything_is_not_trusted(self):
        if self.system != "mariadb":
            self.skipTest("MySQL's GTIDs count every commit")
        looks = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Com_show_binlog_status'"
        before = int(self.sql(looks))
        ended = self.run_job(self.document("reader"))
        self.assertNotEqual(ended.code, 0, ended)
        self.assertIn("without the right BINLOG MONITOR it is not known", ended.text)
        self.assertEqual(int(self.sql(looks)), before + 1, "another look would find the same")
        self.grant_locks()
        ended = self.run_job(self.document("reader"))
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("began one snapshot under LOCK TABLES of 1 table", ended.text)

    def test_each_of_several_addresses_has_a_snapshot_for_all_readers(self):
        self.grant_log()
        self.sql("CREATE TABLE few AS SELECT n AS id, n AS balance FROM digits; CREATE TABLE more AS SELECT * FROM few; CREATE TABLE other AS SELECT * FROM few")
        document = self.document("reader", concurrent=2)
        parameter = document["steps"][0]["parameter"]
        url = parameter.pop("jdbcUrl")
        del parameter["table"], parameter["splitPk"]
        parameter["connection"] = [{"jdbcUrl": url, "table": ["few"]}, {"jdbcUrl": url, "table": ["other", "more"]}]
        self.sql("ALTER TABLE copy DROP PRIMARY KEY")
        ended = self.run_job(document)
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(ended.text.count("2 connections began one snapshot"), 2, ended)
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(balance) FROM copy"), "30\t135\n")


    def test_a_run_whose_snapshot_is_too_old_stops_by_name_and_goes_on_under_a_new_one(self):
        def document(age):
            made = self.document("admin", concurrent=2, snapshotMax=age)
            made["setting"]["speed"].update(throttle=True, mbps="1")
            return made
        ended = self.run_job(document("1s"), "--report-interval", "500ms")
        self.assertEqual((ended.code, (ended.summary["error"] or {}).get("code")), (1, "snapshot_max"), ended)
        self.assertIn("snapshotMax: the snapshot under which the source is read is 1.", ended.text)
        ended = self.run_job(self.document("admin", concurrent=2, snapshotMax="0"))
        self.assertEqual(ended.code, 0, ended)
        self.assertEqual(self.sql("SELECT COUNT(*), SUM(balance) FROM copy"), f"{ACCOUNTS}\t{SUM}\n")

    def test_the_plan_says_which_it_is_and_takes_no_snapshot(self):
        self.grant_log()
        self.in_background("START TRANSACTION; UPDATE accounts SET balance = 0 WHERE id = 1; SELECT 'holds', SLEEP(3); ROLLBACK")
        self.wait_until("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT ''holds''%'")
        for mode, said in (("none", '("snapshot": "none")'), ("shared", "LOCK TABLES … READ of the tables that are read, waited for 2 s at most")):
            path = self.write("plan.json", json.dumps(self.document("reader", snapshot=mode)))
            done = subprocess.run([PROGRAM, "plan", path], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done)
            self.assertIn(said, done.stdout)
            self.assertNotIn("began one snapshot", done.stdout + done.stderr)


class OnMariaDB(Snapshots, ProgramTest):
    system = "mariadb"


class OnMySQL(Snapshots, ProgramTest):
    system = "mysql"
