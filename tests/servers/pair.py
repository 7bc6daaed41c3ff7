"""A PostgreSQL and a MariaDB beside each other: what tests of jobs between them share.

A module of tests takes its `setUpModule` from here; the servers are then `pair.POSTGRESQL` and `pair.MARIADB`."""

from e2e.foretell_test import ForetellTest
from servers.running import of_module

SHARDS = ("shard_1", "shard_2", "shard_3")
POSTGRESQL = MARIADB = None


def setUpModule():
    global POSTGRESQL, MARIADB
    POSTGRESQL, MARIADB = of_module("postgresql", "mariadb")


def in_postgresql(query, database="sluice"):
    return POSTGRESQL.sql(query, database)


def in_mariadb(query, database="sluice"):
    return MARIADB.sql(query, database)


def mariadb_url(database="sluice", host="127.0.0.1"):
    return f"jdbc:mariadb://{host}:{MARIADB.port}/{database}"


def postgresql_end(category, table, column=("*",), user="admin", database="sluice", **more):
    return {"stepType": "postgresql", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:postgresql://127.0.0.1:{POSTGRESQL.port}/{database}", "username": user,
                          "password": POSTGRESQL.password(user), "table": table, "column": list(column), **more}}


def mariadb_end(category, table, column=("*",), user="admin", **more):
    return {"stepType": "mysql", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": mariadb_url(), "username": user, "password": MARIADB.password(user), "table": table,
                          "column": list(column), **more}}


def csv_end(category, folder, **more):
    """Files of a folder, and all that such a writer has left there."""
    written = {"path": str(folder), "fileName": "rows", "writeMode": "truncate"}
    return {"stepType": "csv", "category": category.lower(), "name": category,
            "parameter": {**(written if category == "Writer" else {"path": [f"{folder}/rows__*"], "skipHeader": False}), **more}}


def sqlite_end(category, path, table):
    return {"stepType": "sqlite", "category": category.lower(), "name": category,
            "parameter": {"jdbcUrl": f"jdbc:sqlite:{path}", "table": table, "column": ["*"],
                          **({"createTable": True} if category == "Writer" else {})}}


class PairTest(ForetellTest):
    """Each test begins with empty databases."""

    def setUp(self):
        super().setUp()
        in_postgresql("DROP SCHEMA IF EXISTS shop CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
                      "GRANT USAGE ON SCHEMA public TO reader, writer")
        in_mariadb("".join(f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4;" for name in ("sluice", *SHARDS)),
                   "mysql")

    def succeeds(self, document, *more):
        ended = self.run_job(document, *more)
        self.assertEqual(ended.code, 0, ended)
        return ended

    def refused(self, document, *parts, more=()):
        ended = self.run_job(document, *more)
        self.assertNotEqual(ended.code, 0, ended)
        for part in parts:
            self.assertIn(part, ended.text)
        self.assert_no_password_in(ended.text)
        return ended

    def assert_no_password_in(self, text):
        for server in (POSTGRESQL, MARIADB):
            for user in ("admin", "reader", "writer"):
                self.assertNotIn(server.password(user), text)
