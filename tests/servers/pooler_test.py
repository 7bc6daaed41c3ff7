"""PostgreSQL behind a pooler."""

import unittest

from e2e.harness import job
from servers import postgresql_test as whole
from servers.pgbouncer import PgBouncer
from servers.postgresql_test import end, sql


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


if __name__ == "__main__":
    unittest.main()
