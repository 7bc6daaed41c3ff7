"""What goes on around the rows in PostgreSQL: sequences behind the data, the age of the snapshot, words about splits."""

import unittest

from e2e.harness import job
from servers import postgresql_test as whole
from servers.postgresql_test import end, sql


def setUpModule():
    whole.setUpModule()


class Sequences(whole.Jobs):
    def setUp(self):
        super().setUp()
        sql("CREATE TABLE src (id int, n bigint, t text); INSERT INTO src SELECT i, i * 10, 't' FROM generate_series(1, 500) i; "
            'CREATE TABLE dst ("Id" int GENERATED ALWAYS AS IDENTITY, n bigserial, t text); CREATE TABLE other (id serial)')

    def run_job_into(self, **more):
        return self.succeeds(job(end("Reader", "src"), end("Writer", "dst", **more)))

    def next_of(self, column, table='"dst"'):
        return int(sql(f"SELECT nextval(pg_get_serial_sequence('{table}', '{column}'))"))

    def test_they_move_on_to_the_greatest_value_before_post_sql_takes_one(self):
        ended = self.run_job_into(resetSequences=True, postSql=["INSERT INTO dst (t) VALUES ('after')"])
        self.assertEqual(ended.summary["warnings"], [w for w in ended.summary["warnings"] if "sequence" not in w])
        self.assertEqual(sql("SELECT \"Id\", n FROM dst WHERE t = 'after'"), "501|5001\n")
        self.assertIn('After the data the sequence public."dst_Id_seq" of column "Id", public.dst_n_seq of column "n" moves on', ended.text)

    def test_without_it_they_stay_and_the_summary_warns(self):
        warnings = self.run_job_into().summary["warnings"]
        self.assertEqual([w for w in warnings if "dst_Id_seq" in w and "dst_n_seq" in w and "resetSequences" in w and "other" not in w], warnings[-1:], warnings)
        self.assertEqual((self.next_of("Id"), self.next_of("n")), (1, 1))

    def test_a_column_that_is_not_written_is_left_alone(self):
        self.succeeds(job(end("Reader", "src", ["t"]), end("Writer", "dst", ["t"], resetSequences=True)))
        self.assertEqual(sql('SELECT max("Id"), max(n) FROM dst'), "500|500\n")
        self.assertEqual(self.next_of("Id"), 501)
        self.assertNotIn("dst_Id_seq", str(self.succeeds(job(end("Reader", "src", ["t"]), end("Writer", "dst", ["t"]))).summary["warnings"]))

    def test_none_moves_back_and_one_at_its_first_value_does_not_give_it_again(self):
        sql("SELECT setval('dst_n_seq', 7000); DELETE FROM src WHERE id > 1")
        self.run_job_into(resetSequences=True)
        self.assertEqual((self.next_of("Id"), self.next_of("n")), (2, 7001))

    def test_without_rows_none_moves(self):
        sql("DELETE FROM src")
        self.run_job_into(resetSequences=True)
        self.assertEqual((self.next_of("Id"), self.next_of("n")), (1, 1))

    def test_one_that_falls_moves_down_and_one_that_ends_moves_to_its_end(self):
        sql("CREATE TABLE down (id int, n bigint, t text); CREATE SEQUENCE falling INCREMENT -1 MINVALUE -100000 OWNED BY down.id; CREATE SEQUENCE short MAXVALUE 300 OWNED BY down.n; "
            "UPDATE src SET id = -id")
        self.succeeds(job(end("Reader", "src"), end("Writer", "down", resetSequences=True)))
        self.assertEqual(sql("SELECT nextval('falling'), (SELECT last_value FROM short)"), "-501|300\n")

    def test_one_that_only_a_default_calls_moves_and_of_what_cannot_be_told_is_warned(self):
        sql("CREATE SCHEMA seqs; CREATE SEQUENCE seqs.\"it's\"; CREATE SEQUENCE odd; "
            "CREATE TABLE called (id int DEFAULT nextval('seqs.\"it''s\"'), n bigint DEFAULT nextval('odd') * 10, t text DEFAULT 'n' || nextval('odd'))")
        self.addCleanup(sql, "DROP SCHEMA seqs CASCADE")
        ended = self.succeeds(job(end("Reader", "src"), end("Writer", "called", resetSequences=True, postSql=["INSERT INTO called (t) VALUES ('after')"])))
        self.assertEqual(sql("SELECT id, n FROM called WHERE t = 'after'"), "501|10\n")
        self.assertIn('After the data the sequence seqs."it\'s" of column "id" moves on', ended.text)
        untold = [w for w in ended.summary["warnings"] if "of whose default it cannot be told to what its sequence would have to move" in w]
        self.assertEqual(len(untold), 1, ended.summary["warnings"])
        self.assertIn("\"n\" ((nextval('odd'::regclass) * 10))", untold[0])
        warnings = self.succeeds(job(end("Reader", "src"), end("Writer", "called"))).summary["warnings"]
        self.assertTrue(any("beside the sequence seqs.\"it's\" of column \"id\"" in w for w in warnings), warnings)

    def test_a_right_that_is_missing_is_named_before_data_moves(self):
        sql("GRANT SELECT ON src TO writer; GRANT INSERT ON dst TO writer; GRANT CREATE ON SCHEMA public TO writer")
        self.fails(job(end("Reader", "src"), end("Writer", "dst", user="writer", resetSequences=True)), "resetSequences", "GRANT SELECT, UPDATE ON SEQUENCE")
        self.assertEqual(sql("SELECT count(*) FROM dst"), "0\n")
        sql('GRANT SELECT, UPDATE ON SEQUENCE "dst_Id_seq", dst_n_seq TO writer; GRANT SELECT ("Id", n) ON dst TO writer')
        self.succeeds(job(end("Reader", "src"), end("Writer", "dst", user="writer", resetSequences=True)))
        self.assertEqual((self.next_of("Id"), self.next_of("n")), (501, 5001))


class Snapshot(whole.Jobs):
    def test_a_run_whose_snapshot_is_too_old_stops_by_name_and_goes_on_under_a_new_one(self):
        sql("CREATE TABLE src (id int PRIMARY KEY, t text); INSERT INTO src SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i; ANALYZE src; CREATE TABLE dst (id int, t text)")

        def document(age):
            made = job(end("Reader", "src", splitPk="id", snapshotMax=age), end("Writer", "dst"), concurrent=2)
            made["setting"]["speed"].update(throttle=True, mbps="4")
            return made
        ended = self.run_job(document("1500ms"), "--report-interval", "500ms")
        self.assertEqual((ended.code, ended.summary["error"]["code"], ended.summary["error"]["kind"]), (1, "snapshot_max", "over_limit"), ended)
        self.assertIn("snapshotMax: the snapshot under which the source is read is 1.", ended.text)
        self.assertRegex(ended.text, r"; snapshot [0-9.]+ s old")
        self.assertIn("under a new snapshot", ended.text)
        self.assertGreater(int(sql("SELECT count(*) FROM dst")), 0)
        again = document("2h")
        self.succeeds(again)
        self.assertEqual(sql("SELECT count(*), count(DISTINCT id) FROM dst"), "20000|20000\n")

    def test_an_age_that_is_no_time_is_named(self):
        sql("CREATE TABLE src (id int); CREATE TABLE dst (id int)")
        self.fails(job(end("Reader", "src", snapshotMax="2 weeks"), end("Writer", "dst")), "snapshotMax", '"2 weeks" is not a time', code=2)


class Splits(whole.Jobs):
    def words(self, **more):
        return [w for w in self.succeeds(job(end("Reader", "src", splitPk="k", **more), end("Writer", "dst", preSql=["TRUNCATE dst"]), concurrent=2)).summary["warnings"] if "splitPk" in w]

    def fill(self, key, rows=100000, index="CREATE INDEX ON src (k)"):
        sql(f"CREATE TABLE src AS SELECT ({key})::int AS k, 't' AS t FROM generate_series(1, {rows}) i; {index}; ANALYZE src; CREATE TABLE dst (k int, t text)")

    def test_an_even_column_with_an_index_is_worth_no_word(self):
        for index in ("CREATE INDEX ON src (k)", "CREATE INDEX ON src (k, t)", "CREATE INDEX ON src USING brin (k)"):
            with self.subTest(index):
                self.setUp()
                self.fill("i", index=index)
                self.assertEqual(self.words(), [])

    def test_a_column_without_an_index_is_named(self):
        for index in ("SELECT 1", "CREATE INDEX ON src (t, k)", "CREATE INDEX ON src (k) WHERE k < 10", "CREATE INDEX ON src USING hash (k)"):
            with self.subTest(index):
                self.setUp()
                self.fill("i", index=index)
                words = self.words()
                self.assertEqual(len(words), 1, words)
                self.assertIn('no index of "src" begins with column "k"', words[0])

    def test_ranges_that_differ_more_than_tenfold_are_named(self):
        self.fill("CASE WHEN i % 100 = 0 THEN i ELSE 7 END")
        words = self.words()
        self.assertEqual(len(words), 1, words)
        self.assertRegex(words[0], r'ranges of column "k" of "src" hold between [0-9]+ and [0-9]+ rows')

    def test_ranges_come_of_the_rows_that_are_there(self):
        for key in ("CASE WHEN i % 100 = 0 THEN i * 100 ELSE i % 50 END", "CASE WHEN i = 5 THEN 2000000000 ELSE i END", "(sqrt(i) * 1000)"):
            with self.subTest(key):
                self.setUp()
                self.fill(key)
                self.assertEqual(self.words(), [])

    def test_few_nulls_and_few_rows_are_worth_no_word_and_many_nulls_are(self):
        for key, rows, said in (("CASE WHEN i > 5 THEN i END", 100000, 0), ("CASE WHEN i % 100 = 0 THEN i ELSE 7 END", 5000, 0),
                                ("CASE WHEN i > 99000 THEN i END", 100000, 1)):
            with self.subTest(key, rows=rows):
                self.setUp()
                self.fill(key, rows)
                self.assertEqual(len(self.words()), said)

    def test_without_statistics_nothing_is_said_of_ranges(self):
        self.fill("CASE WHEN i % 100 = 0 THEN i ELSE 7 END")
        sql("DELETE FROM pg_statistic WHERE starelid = 'src'::regclass")
        self.assertEqual(self.words(), [])

    def test_one_pipeline_makes_no_ranges_and_no_words(self):
        self.fill("i", index="SELECT 1")
        ended = self.succeeds(job(end("Reader", "src", splitPk="k"), end("Writer", "dst"), concurrent=1))
        self.assertNotIn("no index", str(ended.summary["warnings"]))


if __name__ == "__main__":
    unittest.main()
