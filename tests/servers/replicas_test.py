"""Jobs that read replicas: a standby of PostgreSQL and a replica of MariaDB, each of a primary of its own."""

import subprocess
import threading
import unittest

from e2e.harness import PROGRAM, job
from servers import mariadb_test, postgresql_test
from servers.mysql import Replica
from servers.postgresql import Standby
from servers.running import until


class OfEither:
    """What holds of both products: `replica`, `end`, `sql` of the primary, `fall_behind` and `stop_replicating` of the replica."""

    def reader(self, *servers, **more):
        """Of these servers, the first of which is tried first; `useReadOnly` unless it is said otherwise."""
        made = self.end("Reader", "src", **{"useReadOnly": True, **more})
        del made["parameter"]["jdbcUrl"]
        made["parameter"].update(address=[{"host": "127.0.0.1", "port": s.port} for s in servers], database="sluice")
        return made

    def writer(self):
        return self.end("Writer", "dst")

    def fill(self, rows=3):
        self.sql("CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(50)); INSERT INTO src VALUES "
                 + ", ".join(f"({i}, 'row')" for i in range(1, rows + 1)) + "; CREATE TABLE dst (id INT, t VARCHAR(50))")
        self.replica.catch_up()

    def planned(self, document):
        done = subprocess.run([PROGRAM, "plan", self.arguments(document)[2]], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_the_replica_is_read_though_it_stands_last(self):
        self.fill()
        document = job(self.reader(self.primary, self.replica), self.writer())
        self.assertIn(f"127.0.0.1:{self.replica.port}/sluice", self.planned(document))
        self.assertRegex(self.planned(document), "is a replica, [0-9.]+ s behind its primary")
        self.assertEqual(self.succeeds(document).summary["written"], 3)

    def test_replicas_of_the_data_source_are_read_unless_the_job_says_otherwise(self):
        self.fill()
        replicas = [{"host": "127.0.0.1", "port": self.replica.port}]
        read = self.reader(self.primary, readOnlyDBInstance=replicas)
        del read["parameter"]["useReadOnly"]
        self.assertIn("is a replica", self.planned(job(read, self.writer())))
        self.assertEqual(self.succeeds(job(read, self.writer())).summary["written"], 3)
        self.assertNotIn("is a replica", self.planned(job(self.reader(self.primary, readOnlyDBInstance=replicas, useReadOnly=False), self.writer())))

    def test_where_there_is_no_replica_the_primary_is_read_only_if_it_may(self):
        self.fill()
        self.fails(job(self.reader(self.primary), self.writer()), "a replica is asked for" if self.product == "postgresql" else "no replica", "canReadPrimary")
        allowed = job(self.reader(self.primary, canReadPrimary=True), self.writer())
        self.assertIn("is the primary: no replica could be read", self.planned(allowed))
        self.assertEqual(self.succeeds(allowed).summary["written"], 3)

    def test_a_replica_too_far_behind_is_not_read(self):
        self.fill()
        self.fall_behind()
        late = self.reader(self.replica, slaveDelayLimit=1)
        self.fails(job(late, self.writer()), "behind its primary", "slaveDelayLimit", "allows 1 s", "canReadPrimary", f":{self.replica.port}")
        self.assertEqual(self.sql("SELECT COUNT(*) FROM dst"), "0\n")
        # The primary has the row that the replica has not yet.
        self.assertEqual(self.succeeds(job(self.reader(self.replica, self.primary, slaveDelayLimit=1, canReadPrimary=True), self.writer())).summary["written"], 4)
        # Within the limit, without a look, and by the rule of the day's beginning it is read.
        for more in ({"slaveDelayLimit": 3000}, {"slaveDelayLimit": 1, "checkSlave": False}, {"checkSlave": False}):
            with self.subTest(more):
                self.assertEqual(self.succeeds(job(self.reader(self.replica, **more), self.writer())).summary["written"], 3)

    def test_a_limit_counts_of_an_address_without_use_read_only_too(self):
        self.fill()
        self.fall_behind()
        self.fails(job(self.reader(self.replica, useReadOnly=False, slaveDelayLimit=1), self.writer()), "allows 1 s")

    def test_one_that_does_not_replicate_is_not_read(self):
        self.fill()
        self.stop_replicating()
        self.fails(job(self.reader(self.replica, slaveDelayLimit=1), self.writer()), self.stopped_words, "canReadPrimary")

    def test_use_read_only_of_a_primary_that_is_asked_for_is_refused(self):
        made = self.end("Reader", "src", useReadOnly=True)
        made["parameter"]["jdbcUrl"] += self.primary_asked
        self.fails(job(made, self.writer()), "useReadOnly", "the address asks for the primary")


class PostgreSQL(OfEither, postgresql_test.Jobs):
    product = "postgresql"
    primary_asked = "?targetServerType=primary"
    stopped_words = "behind its primary"

    @classmethod
    def setUpClass(cls):
        postgresql_test.setUpModule()
        cls.primary = postgresql_test.SERVER
        cls.replica = Standby(cls.primary).start()
        cls.addClassCleanup(cls.replica.stop)

    end = staticmethod(postgresql_test.end)
    sql = staticmethod(postgresql_test.sql)

    def fall_behind(self):
        self.replica.sql("SELECT pg_wal_replay_pause()")
        self.addCleanup(self.replica.sql, "SELECT pg_wal_replay_resume()")
        self.sql("INSERT INTO src VALUES (99, 'late')")
        until(lambda: self.replica.sql("SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() AND now() - pg_last_xact_replay_timestamp() > '1.5 s'") == "t\n",
              "the standby was behind")

    def stop_replicating(self):
        self.replica.replicate_from("")
        self.addCleanup(self.replica.replicate_from, self.replica.sender)
        until(lambda: self.replica.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0\n"
              and self.replica.sql("SELECT now() - pg_last_xact_replay_timestamp() > '1.5 s'") == "t\n", "nothing came any more")


    def conflicting(self, snapshot, begun=None, rows=3000):
        """A job that reads the standby slowly, while the primary cleans up rows that the standby's queries could want."""
        self.sql(f"CREATE TABLE src (id int PRIMARY KEY, t text); INSERT INTO src SELECT i, 'row' FROM generate_series(1, {rows}) i; ANALYZE src; "
                 "CREATE TABLE noise AS SELECT FROM generate_series(1, 1000)")
        # Not in the database that is read, where what the run itself does would be in the way of its queries.
        self.sql("DROP TABLE IF EXISTS dst, sluice_run, sluice_progress; CREATE TABLE dst (id int, t text)", "shard_1")
        self.replica.catch_up()
        writer = self.writer()
        writer["parameter"]["jdbcUrl"] = writer["parameter"]["jdbcUrl"].replace("/sluice", "/shard_1")
        self.document = job(self.reader(self.replica, splitPk="id", snapshot=snapshot, where="pg_sleep(0.001)::text = ''"), writer, concurrent=2)
        ended = []
        running = threading.Thread(target=lambda: ended.append(self.run_job(self.document)))
        running.start()
        self.addCleanup(running.join)
        begun = begun or (lambda: self.arrived() != "0|0\n")
        until(lambda: begun() or ended, "it reads")
        self.sql("DELETE FROM noise")
        self.sql("VACUUM noise")
        running.join()
        return ended[0]

    def arrived(self):
        return self.sql("SELECT count(*), count(DISTINCT id) FROM dst", "shard_1")

    def test_a_query_that_the_standby_cancels_is_read_again_as_a_split(self):
        ended = self.conflicting("none")
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("conflict with recovery", ended.text)
        self.assertEqual(self.arrived(), "3000|3000\n")

    def test_a_query_that_the_standby_cancels_in_the_first_batch_is_read_again(self):
        reads = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice %' AND query LIKE 'COPY%' AND wait_event = 'PgSleep'"
        ended = self.conflicting("none", begun=lambda: self.replica.sql(reads) != "0\n", rows=1000)
        self.assertEqual(ended.code, 0, ended)
        self.assertIn("reading the first batch: ", ended.text)
        self.assertIn("conflict with recovery", ended.text)
        self.assertEqual(self.arrived(), "1000|1000\n")

    def test_a_snapshot_that_the_standby_ends_is_named_with_its_cure(self):
        ended = self.conflicting("shared")
        self.assertEqual((ended.code, ended.summary["error"]["kind"], ended.summary["retryable"]), (1, "not_connected", True), ended)
        self.assertIn("hot_standby_feedback = on", ended.text)
        self.succeeds(self.document)
        self.assertEqual(self.arrived(), "3000|3000\n")


class MariaDB(OfEither, mariadb_test.Jobs):
    product = "mariadb"
    primary_asked = "?allowMasterDownConnections=false"
    stopped_words = "does not replicate now"

    @classmethod
    def setUpClass(cls):
        mariadb_test.setUpModule()
        cls.primary = mariadb_test.SERVER
        cls.replica = Replica(cls.primary).start()
        cls.addClassCleanup(cls.replica.stop)

    end = staticmethod(mariadb_test.end)
    sql = staticmethod(mariadb_test.sql)

    def fall_behind(self):
        self.replica.sql("STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=3600; START SLAVE")
        self.addCleanup(self.replica.sql, "STOP SLAVE; CHANGE MASTER TO MASTER_DELAY=0; START SLAVE")
        self.sql("INSERT INTO src VALUES (99, 'late')")
        until(lambda: int(self.delay()) > 1, "the replica was behind")

    def delay(self):
        rows = self.replica.run(self.replica.root_client() + ["-e", "SHOW SLAVE STATUS\\G"])
        found = [line.split(":")[1].strip() for line in rows.splitlines() if "Seconds_Behind_Master" in line]
        return found[0] if found and found[0] != "NULL" else "0"

    def stop_replicating(self):
        self.replica.sql("STOP SLAVE")
        self.addCleanup(self.replica.sql, "START SLAVE")

    def test_an_account_that_may_not_see_the_delay_is_told_so_and_may_do_without(self):
        self.fill()
        self.fails(job(self.reader(self.replica, user="reader"), self.writer()), "GRANT REPLICA MONITOR ON *.*", '"checkSlave": false')
        self.assertEqual(self.succeeds(job(self.reader(self.replica, user="reader", checkSlave=False), self.writer())).summary["written"], 3)


if __name__ == "__main__":
    unittest.main()
