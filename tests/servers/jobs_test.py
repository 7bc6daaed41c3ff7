"""The jobs that people run every night, in both directions between PostgreSQL and MariaDB.

What arrived is compared by a sum that each server makes of its own rows; what did not stands in the dirty file, every record."""

import json
import unittest
from pathlib import Path

from e2e.harness import job
from servers.pair import SHARDS, PairTest, in_mariadb, in_postgresql, mariadb_end, mariadb_url, postgresql_end, setUpModule

ROWS = 5000


class Side:
    """One of the servers, and what its SQL says otherwise than the other's."""

    def __init__(self, name, sql, end, stamp, series, after, digest):
        self.name, self.sql, self.end = name, sql, end
        self.stamp, self.series, self.after, self.digest = stamp, series, after, digest

    def make(self, table, key=" PRIMARY KEY", check=""):
        self.sql(f"CREATE TABLE {table} (id BIGINT{key}, t VARCHAR(40), n DECIMAL(12,3){check}, at {self.stamp}(6))")

    def fill(self, table, first=1, last=ROWS, n="i / 8.0", t="'Zoë''s \"x\" 😀 '", database="sluice"):
        """Every seventh text is NULL, and no two rows are alike."""
        self.sql(f"INSERT INTO {table} SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE CONCAT({t}, i) END, {n}, {self.after} "
                 f"FROM {self.series.format(first, last)}", database)

    def sum(self, table, where="TRUE", database="sluice"):
        """How many rows, and the sum of 32 bits of the MD5 of each as text."""
        return self.sql(f"SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM({self.digest}), 0)) FROM {table} WHERE {where}", database).strip()


POSTGRESQL = Side("PostgreSQL", in_postgresql, postgresql_end, "TIMESTAMP", "generate_series({}, {}) i",
                  "timestamp '2025-01-31 10:00:00.5' + i * interval '1.000001 s'",
                  "('x' || substr(md5(concat_ws('|', id, coalesce(t, 'NULL'), n, to_char(at, 'YYYY-MM-DD HH24:MI:SS.US'))), 1, 8))::bit(32)::bigint")
MARIADB = Side("MariaDB", in_mariadb, mariadb_end, "DATETIME", "(SELECT seq AS i FROM seq_{}_to_{}) s",
               "TIMESTAMP '2025-01-31 10:00:00.5' + INTERVAL i * 1.000001 SECOND",
               "CAST(CONV(SUBSTR(MD5(CONCAT_WS('|', id, COALESCE(t, 'NULL'), n, at)), 1, 8), 16, 10) AS DECIMAL(20))")


class Nightly(PairTest):
    def both_ways(self, test):
        for source, target in ((MARIADB, POSTGRESQL), (POSTGRESQL, MARIADB)):
            with self.subTest(f"{source.name} to {target.name}"):
                for side in (source, target):
                    side.sql("".join(f"DROP TABLE IF EXISTS {t};" for t in ("src", "dst", "sluice_run", "sluice_progress")))
                source.make("src", key="")
                test(source, target)

    def kept(self, ended):
        """The ids of the records in the dirty file, which has them whole."""
        lines = Path(ended.summary["dirty_file"]).read_text(encoding="utf-8").splitlines()
        return sorted(int(record["record"][0]["text"]) for record in map(json.loads, lines))

    def test_an_increment_by_the_day_replaces_what_was_loaded_of_it(self):
        def test(source, target):
            source.fill("src", n="20250100 + i % 5")
            target.make("dst")
            document = job(source.end("Reader", "src", where="n = ${bizdate}"),
                           target.end("Writer", "dst", preSql=["DELETE FROM @table WHERE n = ${bizdate}"]))
            for day in ("20250101", "20250102", "20250101"):
                self.assertEqual(self.succeeds(document, "-p", f"bizdate={day}").summary["written"], ROWS // 5)
            self.assertEqual(target.sum("dst"), source.sum("src", "n IN (20250101, 20250102)"))
        self.both_ways(test)

    def test_an_upsert_three_times_gives_the_same_content_and_leaves_other_rows(self):
        def test(source, target):
            for mode in ("update", "replace"):
                source.sql("DELETE FROM src")
                source.fill("src")
                target.sql("DROP TABLE IF EXISTS dst")
                target.make("dst")
                target.fill("dst", ROWS - 99, ROWS + 100, n="-1")
                others = target.sum("dst", f"id > {ROWS}")
                for _ in range(3):
                    self.succeeds(job(source.end("Reader", "src", splitPk="id"), target.end("Writer", "dst", writeMode=mode), concurrent=2),
                                  "--on-unfinished", "fresh")
                    self.assertEqual(target.sum("dst", f"id <= {ROWS}"), source.sum("src"))
                    self.assertEqual(target.sum("dst", f"id > {ROWS}"), others)
        self.both_ways(test)

    def test_of_one_bad_row_in_a_hundred_each_is_kept_and_all_others_arrive(self):
        def test(source, target):
            source.fill("src", n="CASE WHEN i % 100 = 0 THEN -1 ELSE i END")
            target.make("dst", check=" CHECK (n > 0)")
            ended = self.succeeds(job(source.end("Reader", "src"), target.end("Writer", "dst"), errors=ROWS // 100))
            self.assertEqual(target.sum("dst"), source.sum("src", "n > 0"))
            self.assertEqual(self.kept(ended), list(range(100, ROWS + 1, 100)))
            self.refused(job(source.end("Reader", "src"), target.end("Writer", "dst", preSql=["DELETE FROM @table"]), errors=ROWS // 100 - 1),
                         "the limit is 49 dirty records")
        self.both_ways(test)

    def test_duplicates_among_good_rows_cost_mariadb_and_mysql_few_statements(self):
        def inserts():
            return int(in_mariadb("SHOW GLOBAL STATUS LIKE 'Com_insert'").split()[1])

        # Of records with one key in the source the first is written; the plain number has its duplicates looked for, the text is named by the server.
        for key, each in (("INT", 3), ("VARCHAR(20)", 5)):
            with self.subTest(key):
                in_mariadb(f"DROP TABLE IF EXISTS src, dst; CREATE TABLE src (id {key}, v INT); INSERT INTO src SELECT CAST(seq AS SIGNED) - 9000, seq FROM seq_1_to_20000; "
                           "INSERT INTO src SELECT CAST(seq AS SIGNED) * 500 - 9000, -1 FROM seq_1_to_40; "
                           f"CREATE TABLE dst (id {key} PRIMARY KEY, v INT); INSERT INTO dst SELECT CAST(seq AS SIGNED) * 100 - 8950, -7 FROM seq_1_to_199")
                before = inserts()
                ended = self.succeeds(job(mariadb_end("Reader", "src"), mariadb_end("Writer", "dst"), errors=239), "--on-unfinished", "fresh")
                self.assertEqual(ended.summary["dirty_by_code"], {"ER_DUP_ENTRY": 239}, ended)
                self.assertEqual(in_mariadb("SELECT COUNT(*), SUM(v = -1), SUM(v = -7), SUM(v) FROM dst"),
                                 in_mariadb("SELECT 20000, 0, 199, SUM(IF((id + 8950) % 100 = 0 AND id > -8950, -7, v)) FROM src WHERE v > 0"))
                self.assertLess(inserts() - before, each * 239 + 60)

    def test_where_every_record_is_there_already_each_is_kept_and_nothing_changes(self):
        def test(source, target):
            source.fill("src")
            target.make("dst")
            target.fill("dst", n="-1")
            before = target.sum("dst")
            ended = self.succeeds(job(source.end("Reader", "src"), target.end("Writer", "dst"), errors=ROWS))
            self.assertEqual((ended.summary["written"], target.sum("dst")), (0, before))
            self.assertEqual(self.kept(ended), list(range(1, ROWS + 1)))
        self.both_ways(test)

    def test_thirty_tables_of_three_databases_are_one_table_with_the_same_content(self):
        POSTGRESQL.make("orders")
        counts, total = 0, 0
        for s, shard in enumerate(SHARDS):
            for i in range(10):
                first = (s * 10 + i) * 50 + 1
                in_mariadb(f"CREATE TABLE t_{i:02} (id BIGINT PRIMARY KEY, t VARCHAR(40), n DECIMAL(12,3), at DATETIME(6))", shard)
                MARIADB.fill(f"t_{i:02}", first, first + 49, t=f"'{shard}.t_{i:02} ü '", database=shard)
                count, part = map(int, MARIADB.sum(f"t_{i:02}", database=shard).split())
                counts, total = counts + count, total + part
        reader = mariadb_end("Reader", "x")
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = [{"jdbcUrl": [mariadb_url(shard)], "table": ["t_[00-09]"]} for shard in SHARDS]
        ended = self.succeeds(job(reader, postgresql_end("Writer", "orders"), concurrent=4))
        self.assertEqual(ended.summary["splits"]["total"], 30)
        self.assertEqual((POSTGRESQL.sum("orders"), counts), (f"{counts} {total}", 1500))


if __name__ == "__main__":
    unittest.main()
