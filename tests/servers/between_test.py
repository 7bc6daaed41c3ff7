"""Jobs between two servers, as people write them: shards into one table, an increment a day, data sources with TLS."""

import json
import unittest

from e2e.harness import ProgramTest, job
from servers.running import Running


def setUpModule():
    global MARIADB, POSTGRESQL
    running = Running(["postgresql", "mariadb"])
    running.__enter__()
    unittest.addModuleCleanup(running.__exit__, None, None, None)
    MARIADB = running.servers["mariadb"]
    POSTGRESQL = running.servers["postgresql"]


SHARDS = ("shard_1", "shard_2", "shard_3")
TABLES_EACH = 10
ROWS_EACH = 50


def mariadb_url(database="sluice", host="127.0.0.1"):
    return f"jdbc:mariadb://{host}:{MARIADB.port}/{database}"


def postgresql_writer(table, column=("*",), **more):
    return {"stepType": "postgresql", "category": "writer", "name": "Writer",
            "parameter": {"jdbcUrl": f"jdbc:postgresql://127.0.0.1:{POSTGRESQL.port}/sluice", "username": "admin",
                          "password": POSTGRESQL.password("admin"), "table": table, "column": list(column), **more}}


def mariadb_end(category, table, column=("*",), user="admin", **more):
    return {"stepType": "mysql", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": mariadb_url(), "username": user, "password": MARIADB.password(user), "table": table,
                          "column": list(column), **more}}


class Between(ProgramTest):
    def setUp(self):
        super().setUp()
        POSTGRESQL.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO reader, writer", "sluice")
        for database in ("sluice", *SHARDS):
            MARIADB.sql(f"DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4")

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def refused(self, document, *parts, more=()):
        ended = self.run_job(document, *more)
        self.assertNotEqual(ended.code, 0, ended)
        for part in parts:
            self.assertIn(part, ended.text)
        for server in (MARIADB, POSTGRESQL):
            self.assertNotIn(server.password("admin"), ended.text)

    def in_postgresql(self, query):
        return POSTGRESQL.sql(query, "sluice")

    def fill_shards(self):
        for s, shard in enumerate(SHARDS):
            MARIADB.sql("".join(f"CREATE TABLE t_{i:02} (id BIGINT PRIMARY KEY, shard VARCHAR(20), at DATETIME(3));"
                                f"INSERT INTO t_{i:02} SELECT {(s * TABLES_EACH + i) * ROWS_EACH} + seq, '{shard}.t_{i:02} ü', "
                                f"'2025-01-01 00:00:00.125' + INTERVAL seq SECOND FROM seq_1_to_{ROWS_EACH};"
                                for i in range(TABLES_EACH)), shard)

    def sharded(self, connection, **more):
        reader = mariadb_end("Reader", "x", ["id", "shard", "at"], **more)
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = connection
        return reader


class Shards(Between):
    def test_thirty_tables_of_three_databases_arrive_in_one_table(self):
        self.fill_shards()
        self.in_postgresql("CREATE TABLE orders (id bigint PRIMARY KEY, shard text, at timestamp(3))")
        reader = self.sharded([{"jdbcUrl": [mariadb_url(s)], "table": [f"t_[00-{TABLES_EACH - 1:02}]"]} for s in SHARDS])
        ended = self.succeeds(job(reader, postgresql_writer("orders"), concurrent=4))
        rows = len(SHARDS) * TABLES_EACH * ROWS_EACH
        self.assertEqual(ended.summary["written"], rows)
        self.assertEqual(ended.summary["splits"]["total"], len(SHARDS) * TABLES_EACH)
        self.assertEqual(self.in_postgresql("SELECT count(*), count(DISTINCT shard), min(id), max(id), min(at) FROM orders"),
                         f"{rows}|30|1|{rows}|2025-01-01 00:00:01.125\n")

    def test_all_shards_that_are_missing_are_named_at_once(self):
        self.fill_shards()
        MARIADB.sql("DROP TABLE t_03", SHARDS[0])
        MARIADB.sql("DROP TABLE t_07; ALTER TABLE t_09 DROP COLUMN at", SHARDS[2])
        self.in_postgresql("CREATE TABLE orders (id bigint, shard text, at timestamp)")
        reader = self.sharded([{"jdbcUrl": [mariadb_url(s)], "table": [f"t_[00-{TABLES_EACH - 1:02}]"]} for s in SHARDS])
        self.refused(job(reader, postgresql_writer("orders")), "shard_1", 'table "t_03"', "shard_3", 'table "t_07"',
                     'table "t_09" has no column "at"')
        self.assertEqual(self.in_postgresql("SELECT count(*) FROM orders"), "0\n")

    def test_each_shard_may_have_an_account_of_its_own(self):
        self.fill_shards()
        for shard in SHARDS[:2]:
            MARIADB.sql(f"CREATE OR REPLACE USER {shard}_only@'%' IDENTIFIED BY 'pw of {shard}'; GRANT SELECT ON {shard}.* TO {shard}_only@'%'")
        self.in_postgresql("CREATE TABLE orders (id bigint, shard text, at timestamp)")
        connection = [{"jdbcUrl": [mariadb_url(s)], "table": ["t_00"], "username": f"{s}_only", "password": f"pw of {s}"} for s in SHARDS[:2]]
        reader = self.sharded(connection, useSpecialSecret=True)
        self.succeeds(job(reader, postgresql_writer("orders")))
        self.assertEqual(self.in_postgresql("SELECT count(*) FROM orders"), f"{2 * ROWS_EACH}\n")
        del connection[1]["username"], connection[1]["password"]
        self.refused(job(reader, postgresql_writer("orders")), "connection[1].username", "useSpecialSecret")


class Increments(Between):
    def test_a_days_rows_replace_those_of_an_earlier_load_of_that_day(self):
        MARIADB.sql("CREATE TABLE visits (id INT PRIMARY KEY, day DATE, n INT); INSERT INTO visits SELECT seq, '2025-01-01' + INTERVAL (seq % 3) DAY, seq "
                    "FROM seq_1_to_90", "sluice")
        self.in_postgresql("CREATE TABLE visits (id int PRIMARY KEY, day date, n int)")
        document = job(mariadb_end("Reader", "visits", where="day = '${bizdate}'"),
                       postgresql_writer("visits", preSql=["DELETE FROM @table WHERE day = '${bizdate}'"]))
        for day in ("2025-01-01", "2025-01-02", "2025-01-01"):
            self.assertEqual(self.succeeds(document, "-p", f"bizdate={day}").summary["written"], 30)
        self.assertEqual(self.in_postgresql("SELECT count(*), count(DISTINCT day), sum(n) FROM visits"), "60|2|2730\n")


class Registry(Between):
    def registry(self, name, **properties):
        path = self.folder / "datasources.json"
        path.write_text(json.dumps({"version": 1, "datasources": [{"name": name, "type": "mariadb", "connectionProperties": {
            "address": [{"host": "localhost", "port": MARIADB.port}], "database": "sluice", "username": "admin",
            "password": "${file:password}", **properties}}]}), encoding="utf-8")
        (self.folder / "password").write_text(MARIADB.password("admin"), encoding="utf-8")
        (self.folder / "password").chmod(0o600)
        return "--datasources", path

    def setUp(self):
        super().setUp()
        MARIADB.sql("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src VALUES (1, 'a')", "sluice")
        self.in_postgresql("CREATE TABLE dst (id int, t text)")
        self.reader = {"stepType": "mysql", "category": "reader", "name": "Reader",
                       "parameter": {"datasource": "shop", "table": "src", "column": ["*"]}}

    def test_a_data_source_with_tls_is_verified_to_the_end(self):
        path = MARIADB.certificates.path
        self.succeeds(job(self.reader, postgresql_writer("dst")),
                      *self.registry("shop", securityProtocol="authTypeSsl", truststoreFile=str(path("ca.pem"))))
        self.refused(job(self.reader, postgresql_writer("dst")), "certificate",
                     more=self.registry("shop", securityProtocol="authTypeSsl", truststoreFile=str(path("other_ca.pem"))))

    def test_a_store_of_java_is_refused_with_the_command_that_converts_it(self):
        self.refused(job(self.reader, postgresql_writer("dst")), "trust.jks", "keytool -list -rfc -keystore",
                     more=self.registry("shop", securityProtocol="authTypeSsl", truststoreFile="trust.jks"))

    def test_an_address_in_the_job_does_not_get_the_data_sources_password(self):
        self.reader["parameter"]["jdbcUrl"] = "jdbc:mysql://127.0.0.1:1/sluice"
        ended = self.succeeds(job(self.reader, postgresql_writer("dst")), *self.registry("shop"))
        self.assertIn("jdbcUrl: has no effect", ended.text)

    def test_of_several_servers_the_one_of_the_role_that_is_asked_for_is_taken(self):
        reader = mariadb_end("Reader", "src")
        reader["parameter"]["jdbcUrl"] = f"jdbc:mariadb:replication://127.0.0.1:1,127.0.0.1:{MARIADB.port}/sluice"
        self.succeeds(job(reader, postgresql_writer("dst")))
        self.addCleanup(MARIADB.sql, "SET GLOBAL read_only = 0")
        MARIADB.sql("SET GLOBAL read_only = 1")
        self.refused(job(reader, postgresql_writer("dst")), "the server is read-only, which is not asked for")
        reader["parameter"]["jdbcUrl"] += "?allowSourceDownConnections=true"
        self.succeeds(job(reader, postgresql_writer("dst")))

    def test_unknown_properties_are_told_with_their_place(self):
        ended = self.succeeds(job(self.reader, postgresql_writer("dst")), *self.registry("shop", properties={"useSLL": "false", "useUnicode": "true"}))
        self.assertIn('the property "useSLL"', ended.text)
        self.assertIn("did you mean useSSL?", ended.text)
        self.assertNotIn("useUnicode", ended.text)


if __name__ == "__main__":
    unittest.main()
