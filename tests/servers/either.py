"""A PostgreSQL or a MariaDB: what the tests share that are the same for both, each with a class of either."""

from servers import mariadb_test, postgresql_test


class OnPostgreSQL(postgresql_test.Jobs):
    @classmethod
    def setUpClass(cls):
        postgresql_test.setUpModule()

    end = staticmethod(postgresql_test.end)
    sql = staticmethod(postgresql_test.sql)

    @staticmethod
    def server():
        return postgresql_test.SERVER

    def port(self):
        return postgresql_test.SERVER.port

    def make_source(self, rows):
        self.sql(f"CREATE TABLE src (id int PRIMARY KEY, t varchar(2000)); INSERT INTO src SELECT i, repeat('x', 1000) FROM generate_series(1, {rows}) i; ANALYZE src")


class OnMariaDB(mariadb_test.Jobs):
    @classmethod
    def setUpClass(cls):
        mariadb_test.setUpModule()

    end = staticmethod(mariadb_test.end)
    sql = staticmethod(mariadb_test.sql)

    @staticmethod
    def server():
        return mariadb_test.SERVER

    def port(self):
        return mariadb_test.SERVER.port

    def make_source(self, rows):
        self.sql(f"CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(2000)); INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_1_to_{rows}")
