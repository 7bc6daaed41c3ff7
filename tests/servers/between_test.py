"""Jobs between two servers: shards that are missing or have accounts of their own, data sources with TLS, tables that are made."""

import json
import unittest

from e2e.harness import job
from servers import pair
from servers.pair import SHARDS, PairTest, in_mariadb, in_postgresql, mariadb_end, mariadb_url, postgresql_end, setUpModule


TABLES_EACH = 10
ROWS_EACH = 50


def postgresql_writer(table, column=("*",), **more):
    return postgresql_end("Writer", table, column, **more)


class Between(PairTest):
    def fill_shards(self):
        for s, shard in enumerate(SHARDS):
            in_mariadb("".join(f"CREATE TABLE t_{i:02} (id BIGINT PRIMARY KEY, shard VARCHAR(20), at DATETIME(3));"
                               f"INSERT INTO t_{i:02} SELECT {(s * TABLES_EACH + i) * ROWS_EACH} + seq, '{shard}.t_{i:02} ü', "
                               f"'2025-01-01 00:00:00.125' + INTERVAL seq SECOND FROM seq_1_to_{ROWS_EACH};"
                               for i in range(TABLES_EACH)), shard)

    def sharded(self, connection, **more):
        reader = mariadb_end("Reader", "x", ["id", "shard", "at"], **more)
        del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
        reader["parameter"]["connection"] = connection
        return reader


class Shards(Between):
    def test_all_shards_that_are_missing_are_named_at_once(self):
        self.fill_shards()
        in_mariadb("DROP TABLE t_03", SHARDS[0])
        in_mariadb("DROP TABLE t_07; ALTER TABLE t_09 DROP COLUMN at", SHARDS[2])
        in_postgresql("CREATE TABLE orders (id bigint, shard text, at timestamp)")
        reader = self.sharded([{"jdbcUrl": [mariadb_url(s)], "table": [f"t_[00-{TABLES_EACH - 1:02}]"]} for s in SHARDS])
        self.refused(job(reader, postgresql_writer("orders")), "shard_1", 'table "t_03"', "shard_3", 'table "t_07"',
                     'table "t_09" has no column "at"')
        self.assertEqual(in_postgresql("SELECT count(*) FROM orders"), "0\n")

    def test_all_databases_that_are_missing_are_named_at_once_beside_missing_tables(self):
        in_postgresql("CREATE TABLE dst (id int)")
        there = {mariadb_end: mariadb_url(SHARDS[0]), postgresql_end: f"jdbc:postgresql://127.0.0.1:{pair.POSTGRESQL.port}/sluice"}
        for end, url in there.items():
            with self.subTest(end=end.__name__):
                reader = end("Reader", "x")
                del reader["parameter"]["jdbcUrl"], reader["parameter"]["table"]
                gone = [url.rsplit("/", 1)[0] + f"/gone_{i}" for i in range(2)]
                reader["parameter"]["connection"] = [{"jdbcUrl": [u], "table": ["absent"]} for u in (gone[0], url, gone[1])]
                self.refused(job(reader, postgresql_writer("dst")), "gone_0", '"absent"', "gone_1")

    def test_each_shard_may_have_an_account_of_its_own(self):
        self.fill_shards()
        for shard in SHARDS[:2]:
            in_mariadb(f"DROP USER IF EXISTS {shard}_only@'%'; CREATE USER {shard}_only@'%' IDENTIFIED BY 'pw of {shard}'; GRANT SELECT ON {shard}.* TO {shard}_only@'%'")
        in_postgresql("CREATE TABLE orders (id bigint, shard text, at timestamp)")
        connection = [{"jdbcUrl": [mariadb_url(s)], "table": ["t_00"], "username": f"{s}_only", "password": f"pw of {s}"} for s in SHARDS[:2]]
        reader = self.sharded(connection, useSpecialSecret=True)
        self.succeeds(job(reader, postgresql_writer("orders")))
        self.assertEqual(in_postgresql("SELECT count(*) FROM orders"), f"{2 * ROWS_EACH}\n")
        del connection[1]["username"], connection[1]["password"]
        self.refused(job(reader, postgresql_writer("orders")), "connection[1].username", "useSpecialSecret")


    def test_a_star_is_the_first_tables_columns_by_name_in_every_other(self):
        statements = "CREATE TABLE s_0 (a int, b int); CREATE TABLE s_1 (b int, a int); INSERT INTO s_0 VALUES (1, 10); INSERT INTO s_1 (a, b) VALUES (2, 20)"
        for fill, end in ((in_postgresql, postgresql_end), (in_mariadb, mariadb_end)):
            with self.subTest(end=end.__name__):
                fill(f"{statements}; CREATE TABLE dst (b int, a int)")
                for mapping, columns in (("position", ["a", "b"]), ("name", ["*"])):
                    document = job(end("Reader", "s_[0-1]"), end("Writer", "dst", columns, mapping=mapping))
                    self.succeeds(document)
                    self.assertEqual(fill("SELECT a, b FROM dst ORDER BY a").split(), fill("SELECT 1, 10 UNION ALL SELECT 2, 20").split())
                    fill("DELETE FROM dst")
                fill("ALTER TABLE s_1 RENAME COLUMN b TO c; DELETE FROM dst")
                self.refused(document, "s_1", 'lacks "b"', 'and has "c"')
                planned = self.sluice("plan", self.put_job(document))
                self.assertEqual(planned.returncode, 1, planned)
                self.assertIn('lacks "b"', planned.stdout + planned.stderr)


class OtherNames(PairTest):
    def test_names_of_products_with_the_same_protocol_are_read_and_written_as_what_the_server_is(self):
        of_mysql = ("polardb", "polardbx20", "tidb", "apsaradb_for_OceanBase", "analyticdb_for_mysql")
        of_postgresql = ("hybriddb", "adbpg", "kingbasees", "gaussdb")
        for names, fill, end in ((of_mysql, in_mariadb, mariadb_end), (of_postgresql, in_postgresql, postgresql_end)):
            fill("CREATE TABLE src (id INT PRIMARY KEY); INSERT INTO src VALUES (1), (2); CREATE TABLE dst (id INT PRIMARY KEY)")
            for name in names:
                with self.subTest(name):
                    document = job(end("Reader", "src", splitMode="auto"), end("Writer", "dst", preSql=["DELETE FROM @table"]))
                    for step in document["steps"]:
                        step["stepType"] = name
                    self.succeeds(document)
                    self.assertEqual(fill("SELECT count(*) FROM dst"), "2\n")


    def test_names_of_datax_and_oceanbases_own_keys(self):
        in_mariadb("CREATE TABLE src (id INT PRIMARY KEY, t TEXT, n INT); INSERT INTO src VALUES (1, 'new', 9), (2, 'b', 2); CREATE TABLE dst LIKE src")
        in_mariadb("CREATE USER IF NOT EXISTS 'admin@shop#test'@'%' IDENTIFIED BY 'p'; GRANT ALL ON sluice.* TO 'admin@shop#test'@'%'", "mysql")
        self.addCleanup(in_mariadb, "DROP USER 'admin@shop#test'@'%'", "mysql")
        url = f"||_dsc_ob10_dsc_||test:shop||_dsc_ob10_dsc_||jdbc:mysql://127.0.0.1:{pair.MARIADB.port}/sluice"

        def document(product, url, user, password, reads, writes):
            account = {"username": user, "password": password, "column": ["*"]}
            return {"job": {"setting": {"speed": {"channel": 1}}, "content": [{
                "reader": {"name": f"{product}reader", "parameter": {**account, **reads, "connection": [{"table": ["src"], "jdbcUrl": [url]}]}},
                "writer": {"name": f"{product}writer", "parameter": {**account, "preSql": ["DELETE FROM @table WHERE id > 1"], **writes, "connection": [{"table": ["dst"], "jdbcUrl": url}]}}}]}}

        rows = "SELECT id, t, n FROM dst ORDER BY id"
        for product, password in (("polardb", pair.MARIADB.password("admin")), ("tidb", pair.MARIADB.password("admin"))):
            with self.subTest(product):
                in_mariadb("DELETE FROM dst")
                self.succeeds(document(product, mariadb_url(), "admin", password, {}, {}))
                self.assertEqual(in_mariadb(rows), "1\tnew\t9\n2\tb\t2\n")
        for writes, left in (({}, "1\tnew\t9\n2\tb\t2\n"), ({"obWriteMode": "update", "writeMode": "insert", "obUpdateColumns": "t, id"}, "1\tnew\t0\n2\tb\t2\n"),
                             ({"writeMode": "ignore"}, "1\told\t0\n2\tb\t2\n"), ({"obWriteMode": "insert"}, "1\told\t0\n2\tb\t2\n")):
            with self.subTest(writes):
                in_mariadb("REPLACE INTO dst VALUES (1, 'old', 0)")
                ended = self.succeeds(document("oceanbasev10", url, "admin", "p", {"weakRead": True, "readBatchSize": 10000}, {"memstoreThreshold": "0.9", "directPath": False, **writes}))
                self.assertEqual(in_mariadb(rows), left)
                self.assertEqual("ER_DUP_ENTRY" in ended.text, writes.get("obWriteMode") == "insert")
                for key in ("weakRead: has no effect: rows are read as they are", "memstoreThreshold: has no effect"):
                    self.assertIn(key, ended.text)
        for reads, writes, words in (({"partitionName": "p0"}, {}, "PARTITION"), ({}, {"directPath": True}, "directPath"), ({}, {"obCompatibilityMode": "ORACLE"}, "name a tenant in MySQL mode")):
            with self.subTest(words):
                self.refused(document("oceanbasev10", url, "admin", "p", reads, writes), words)
        self.refused(document("oceanbasev10", url.replace("test:shop", "shop"), "admin", "p", {}, {}), "expected ||_dsc_ob10_dsc_||<cluster>:<tenant>||_dsc_ob10_dsc_||jdbc:mysql:")


class Registry(Between):
    def registry(self, name, **properties):
        path = self.folder / "datasources.json"
        path.write_text(json.dumps({"version": 1, "datasources": [{"name": name, "type": "mariadb", "connectionProperties": {
            "address": [{"host": "localhost", "port": pair.MARIADB.port}], "database": "sluice", "username": "admin",
            "password": "${file:password}", **properties}}]}), encoding="utf-8")
        (self.folder / "password").write_text(pair.MARIADB.password("admin"), encoding="utf-8")
        (self.folder / "password").chmod(0o600)
        return "--datasources", path

    def setUp(self):
        super().setUp()
        in_mariadb("CREATE TABLE src (id INT PRIMARY KEY, t TEXT); INSERT INTO src VALUES (1, 'a')")
        in_postgresql("CREATE TABLE dst (id int, t text)")
        self.reader = {"stepType": "mysql", "category": "reader", "name": "Reader",
                       "parameter": {"datasource": "shop", "table": "src", "column": ["*"]}}

    def test_a_data_source_with_tls_is_verified_to_the_end(self):
        path = pair.MARIADB.certificates.path
        self.succeeds(job(self.reader, postgresql_writer("dst")),
                      *self.registry("shop", securityProtocol="authTypeSsl", truststoreFile=str(path("ca.pem"))))
        self.refused(job(self.reader, postgresql_writer("dst")), "certificate",
                     more=self.registry("shop", securityProtocol="authTypeSsl", truststoreFile=str(path("other_ca.pem"))))

    def test_a_store_of_java_is_refused_with_the_command_that_converts_it(self):
        self.refused(job(self.reader, postgresql_writer("dst")), "trust.jks", "keytool -list -rfc -keystore",
                     more=self.registry("shop", securityProtocol="authTypeSsl", truststoreFile="trust.jks"))

    def test_an_address_in_the_job_does_not_get_the_data_sources_password(self):
        self.reader["parameter"].update(jdbcUrl="jdbc:mysql://127.0.0.1:1/sluice", host="127.0.0.1", port=1)
        ended = self.succeeds(job(self.reader, postgresql_writer("dst")), *self.registry("shop"))
        for key in ("jdbcUrl", "host", "port"):
            self.assertIn(f"{key}: has no effect", ended.text)

    def test_of_several_servers_the_one_of_the_role_that_is_asked_for_is_taken(self):
        reader = mariadb_end("Reader", "src")
        reader["parameter"]["jdbcUrl"] = f"jdbc:mariadb:replication://127.0.0.1:1,127.0.0.1:{pair.MARIADB.port}/sluice"
        self.succeeds(job(reader, postgresql_writer("dst")))
        self.addCleanup(pair.MARIADB.sql, "SET GLOBAL read_only = 0")
        pair.MARIADB.sql("SET GLOBAL read_only = 1")
        self.refused(job(reader, postgresql_writer("dst")), "the server is read-only, and the primary is asked for")
        reader["parameter"]["jdbcUrl"] += "?allowSourceDownConnections=true"
        self.succeeds(job(reader, postgresql_writer("dst")))

    def test_unknown_properties_are_told_with_their_place(self):
        ended = self.succeeds(job(self.reader, postgresql_writer("dst")), *self.registry("shop", properties={"useSLL": "false", "useUnicode": "true"}))
        self.assertIn('the property "useSLL"', ended.text)
        self.assertIn("did you mean useSSL?", ended.text)
        self.assertNotIn("useUnicode", ended.text)


class Places(Between):
    def test_what_stands_outside_of_connection_counts_for_the_address_in_it(self):
        in_postgresql("CREATE TABLE t (id int)")
        in_mariadb("CREATE TABLE t (id INT)")

        def inside(end):
            parameter = dict(end["parameter"])
            return {**end, "parameter": {**parameter, "connection": [{"jdbcUrl": [parameter.pop("jdbcUrl")], "table": [parameter.pop("table")]}]}}

        def datax(reader, writer):
            return {"job": {"setting": {"speed": {"channel": 1}}, "content": [{side: {"name": end["stepType"] + side, "parameter": end["parameter"]} for side, end in (("reader", reader), ("writer", writer))}]}}

        other = {"securityProtocol": "authTypeSsl", "truststoreFile": str(pair.MARIADB.certificates.path("other_ca.pem"))}
        for more, words in (({"properties": {"sessionVariables": "nonsense=5"}}, "nonsense"), (other, "certificate")):
            reader, writer = inside(mariadb_end("Reader", "t", **more)), inside(postgresql_end("Writer", "t"))
            self.refused(job(reader, writer), words)
            self.refused(datax(reader, writer), words)
        for more, words in (({"properties": {"options": "-c nonsense=5"}}, "nonsense"), (other, "certificate")):
            self.refused(job(inside(mariadb_end("Reader", "t")), inside(postgresql_end("Writer", "t", **more))), words)

    def test_a_statement_of_the_session_that_fails_is_named_with_its_own_place_only(self):
        in_postgresql("CREATE TABLE t (id int)")
        in_mariadb("CREATE TABLE t (id INT)")
        wrong = {"session": ["SET nonsense = 5"]}
        for reader, writer in ((postgresql_end("Reader", "t", **wrong), mariadb_end("Writer", "t")), (mariadb_end("Reader", "t", **wrong), postgresql_writer("t")),
                               (postgresql_end("Reader", "t"), mariadb_end("Writer", "t", **wrong)), (mariadb_end("Reader", "t"), postgresql_writer("t", **wrong))):
            ended = self.refused(job(reader, writer), "session[0]: ")
            self.assertNotIn("jdbcUrl", ended.text)


class Made(Between):
    """Tables that are made after the source's, and columns mapped by name."""

    def test_a_table_of_postgresql_is_made_in_mariadb_with_key_not_null_and_comments(self):
        in_postgresql("CREATE TABLE src (shop varchar(20) NOT NULL, id int, note text DEFAULT 'x', n int UNIQUE CHECK (n > 0), PRIMARY KEY (id, shop)); "
                      "COMMENT ON TABLE src IS 'it''s all'; COMMENT ON COLUMN src.note IS 'a \\ ü ''note'''; CREATE INDEX by_note ON src (lower(note)); "
                      "INSERT INTO src VALUES ('a', 1, NULL, 1), ('A', 1, 'y', NULL)")
        document = job(postgresql_end("Reader", "src"), mariadb_end("Writer", "made", createTable=True, writeMode="replace"))
        first = self.succeeds(document)
        self.succeeds(document)
        for part in ("Not made of the source's table: ", "the default of column note", "the index by_note (lower(note))",
                     "the unique index src_n_key (n)", "the check src_n_check"):
            self.assertIn(part, first.text)
        made = in_mariadb("SHOW CREATE TABLE made")
        for part in ("COLLATE utf8mb4_bin NOT NULL", "`id` int NOT NULL" if pair.MARIADB.system == "mysql" else "`id` int(11) NOT NULL", "PRIMARY KEY (`id`,`shop`)", "COMMENT='it''s all'"):
            self.assertIn(part, made)
        self.assertEqual(in_mariadb("SELECT column_comment = 'a \\\\ ü ''note''', is_nullable FROM information_schema.columns "
                                     "WHERE table_name = 'made' AND column_name = 'note'"), "1\tYES\n")
        self.assertEqual(in_mariadb("SELECT COUNT(*) FROM made"), "2\n")

    def test_a_table_of_mariadb_is_made_in_postgresql_as_the_printed_statements_make_it(self):
        in_mariadb("CREATE TABLE src (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY COMMENT 'the \"number\"', v VARCHAR(9) NOT NULL, d DATE, "
                    "KEY by_d (d)) COMMENT='it''s all'; INSERT INTO src (v, d) VALUES ('a', NULL), ('b', '2024-02-29')")
        document = job(mariadb_end("Reader", "src"), postgresql_writer("made", createTable=True, writeMode="update"))
        printed = self.sluice("ddl", self.put_job(document, "printed.json"))
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertEqual(in_postgresql("SELECT count(*) FROM pg_class WHERE relname = 'made'").strip(), "0")
        self.assertIn("-- Not made: the index by_d (d)", printed.stdout)
        described = ("SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || "
                     "coalesce(col_description(attrelid, attnum), '-'), ', ' ORDER BY attnum) || ' ' || obj_description(attrelid) || ' ' || "
                     "(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = attrelid AND contype = 'p') "
                     "FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 GROUP BY attrelid")
        expected = "id numeric(20,0) true the \"number\", v character varying(9) true -, d date false - it's all PRIMARY KEY (id)"
        self.succeeds(document)
        self.succeeds(document)
        self.assertEqual(in_postgresql(described).strip(), expected)
        self.assertEqual(in_postgresql("SELECT count(*) FROM made").strip(), "2")
        in_postgresql("DROP TABLE made; " + printed.stdout)
        self.assertEqual(in_postgresql(described).strip(), expected)

    def test_a_key_that_mysql_cannot_have_is_left_out_and_said(self):
        in_postgresql("CREATE TABLE src (v text PRIMARY KEY); INSERT INTO src VALUES ('a')")
        ended = self.succeeds(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "made", createTable=True)))
        self.assertIn("the primary key (v): LONGTEXT cannot stand in a key", ended.text)
        self.refused(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "other", createTable=True, writeMode="update")),
                     "writeMode", "createTable makes has none")

    def test_several_tables_make_one_without_a_key(self):
        in_postgresql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)",
                      "sluice")
        self.succeeds(job(postgresql_end("Reader", ["a", "b"]), mariadb_end("Writer", "made", createTable=True)))
        self.assertEqual(in_mariadb("SELECT COUNT(*) FROM made"), "2\n")

    def test_an_empty_text_becomes_null_where_a_column_has_no_such_value(self):
        in_postgresql("CREATE TABLE src (id int, v text); INSERT INTO src VALUES (1, ''), (2, NULL)")

        def moved(writer, sql, types, more, errors):
            columns = ["id", *(f"c{i}" for i in range(len(types)))]
            sql("DROP TABLE IF EXISTS dst; CREATE TABLE dst (id INT, " + ", ".join(f"c{i} {t}" for i, t in enumerate(types)) + ")")
            self.succeeds(job(postgresql_end("Reader", "src", ["id", *["v"] * len(types)]), writer("dst", column=columns, emptyAsNull=more), errors=errors), "--on-unfinished", "fresh")
            return "".join(f", c{i} IS NULL" for i in range(len(types)))[2:]
        none = ("json", "jsonb", "uuid", "inet", "macaddr", "interval", "int[]", "int4range", "point", "bit(3)", "timetz", "int", "date", "boolean", "bytea[]")
        nulls = moved(postgresql_writer, in_postgresql, none, True, 0)
        self.assertEqual(in_postgresql(f"SELECT {nulls} FROM dst"), ("t|" * len(none))[:-1] + "\n" + ("t|" * len(none))[:-1] + "\n")
        some = ("text", "varchar(5)", "bit varying(3)", "xml", "tsvector")
        nulls = moved(postgresql_writer, in_postgresql, some, True, 0)
        self.assertEqual(in_postgresql(f"SELECT {nulls} FROM dst ORDER BY id"), "f|f|f|f|f\nt|t|t|t|t\n")
        moved(postgresql_writer, in_postgresql, ("json",), False, 1)
        none = ("INT", "DATE", "TIME", "DECIMAL(5,2)", *(("JSON",) if pair.MARIADB.system == "mysql" else ("UUID", "INET4", "INET6")))
        nulls = moved(lambda *args, **more: mariadb_end("Writer", *args, **more), in_mariadb, none, True, 0)
        self.assertEqual(in_mariadb(f"SELECT COUNT(*) FROM dst WHERE {nulls.replace(',', ' AND')}"), "2\n")

    def test_columns_go_to_those_of_their_names(self):
        in_postgresql("CREATE TABLE src (a int, b int); INSERT INTO src VALUES (1, 2); CREATE TABLE dst (\"B\" int, more int, a int)")
        in_mariadb("CREATE TABLE dst (b INT, more INT, A INT)")
        self.succeeds(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "dst", mapping="name")))
        self.succeeds(job(postgresql_end("Reader", "src"), postgresql_writer("dst", mapping="name")))
        self.assertEqual(in_mariadb("SELECT * FROM dst"), "2\tNULL\t1\n")
        self.assertEqual(in_postgresql("SELECT concat_ws('|', \"B\", more, a) FROM dst").strip(), "2|1")
        self.refused(job(postgresql_end("Reader", "src"), mariadb_end("Writer", "dst", ["a", "more"], mapping="name")), "mapping", "\"b\"")


if __name__ == "__main__":
    unittest.main()
