"""`sluice verify` between servers: rows that somebody changed since, where a run has split, converted and refused."""

import json
import unittest

from e2e.harness import job
from servers.pair import PairTest, in_mariadb, in_postgresql, mariadb_end, postgresql_end, setUpModule

ROWS = 20_000


class Verify(PairTest):
    def fill(self):
        in_mariadb(f"CREATE TABLE src (id BIGINT PRIMARY KEY, v VARCHAR(50), n DECIMAL(12,3), at DATETIME(6), f FLOAT, flag BOOLEAN); "
                   f"INSERT INTO src SELECT seq, CONCAT('Zoë ', seq), seq / 8, '2025-01-31 10:00:00.5' + INTERVAL seq SECOND, seq / 7, seq % 2 FROM seq_1_to_{ROWS}")
        in_postgresql("CREATE TABLE dst (id bigint PRIMARY KEY, v text, n numeric(12,3), at timestamp, f real, flag boolean)")

    def jobs(self, **setting):
        return job(mariadb_end("Reader", "src", splitPk="id"), postgresql_end("Writer", "dst", preSql=["TRUNCATE dst"]), concurrent=2, **setting)

    def test_a_row_that_somebody_changed_is_named_whatever_was_converted(self):
        self.fill()
        document = self.jobs()
        self.succeeds(document)
        code, found = self.verified(document)
        self.assertEqual((code, found["verdict"], found["scope"], found["key"]), (0, "equal", "whole", "id"))
        in_postgresql("UPDATE dst SET n = n + 0.001 WHERE id = 777; UPDATE dst SET at = at + interval '1 microsecond', flag = NOT flag WHERE id = 19999; DELETE FROM dst WHERE id = 3")
        code, found = self.verified(document)
        self.assertEqual((code, found["different"], found["missing"], found["extra"]), (1, 2, 1, 0))
        self.assertEqual([d["record"] for d in found["differences"]], ["id=3", "id=777", "id=19999"])
        self.assertEqual(found["differences"][1]["values"], [{"column": "n", "source": "97.125", "destination": "97.126"}])
        self.assertEqual([v["column"] for v in found["differences"][2]["values"]], ["at", "flag"])
        self.succeeds(document)
        in_mariadb("UPDATE src SET v = 'newer' WHERE id = 5")
        self.assertEqual(self.verified(document)[1]["verdict"], "equal_to_run")

    def test_a_run_that_verifies_stops_before_its_swap(self):
        self.fill()
        in_postgresql("CREATE TABLE swapped (n int)")
        document = self.jobs(verify=True)
        document["steps"][1]["parameter"]["postSql"] = ["INSERT INTO swapped VALUES (1)"]
        ended = self.succeeds(document)
        self.assertEqual((ended.summary["verify"]["verdict"], ended.summary["verify"]["records"]), ("equal", ROWS))
        in_postgresql("TRUNCATE swapped; CREATE FUNCTION flip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := 'flipped'; RETURN NEW; END $$; "
                      "CREATE TRIGGER flips BEFORE INSERT ON dst FOR EACH ROW WHEN (NEW.id = 4711) EXECUTE FUNCTION flip()")
        self.refused(document, "setting.verify: not equal: 1 different", "id=4711", "flipped", "the steps behind the data have not run")
        self.assertEqual(in_postgresql("SELECT count(*) FROM swapped"), "0\n")
        in_postgresql("UPDATE dst SET v = 'Zoë 4711' WHERE id = 4711")
        self.assertTrue(self.succeeds(document).summary["resumed"])
        self.assertEqual(in_postgresql("SELECT count(*) FROM swapped"), "1\n")

    def test_between_two_postgresql_columns_leave_their_own_bytes_to_be_compared(self):
        in_postgresql(f"CREATE TABLE src (id int PRIMARY KEY, v text); INSERT INTO src SELECT i, 'row ' || i FROM generate_series(1, {ROWS}) i; CREATE TABLE dst (LIKE src)")
        document = job(postgresql_end("Reader", "src"), postgresql_end("Writer", "dst"))
        self.assertIn("postgresql-copy/1", self.succeeds(document).summary["sums"]["form"])
        code, found = self.verified(document)
        self.assertEqual((code, found["verdict"], found["scope"], found["others"]), (0, "equal", "keys", 0))
        in_postgresql("TRUNCATE dst; DROP TABLE sluice_run, sluice_progress")
        document["setting"]["verify"] = True
        summary = self.succeeds(document).summary
        self.assertEqual((summary["sums"]["form"], summary["verify"]["sum"]), ("canonical/1", summary["sums"]["written"]))


if __name__ == "__main__":
    unittest.main()
