"""A PostgreSQL or a MariaDB: what the tests share that are the same for both, each with a class of either."""

from servers import mariadb_test, postgresql_test


def jobs_on(tests):
    """The jobs of a server's own tests, and that server, by the same names for both."""
    class JobsOn(tests.Jobs):
        end = staticmethod(tests.end)
        sql = staticmethod(tests.sql)

        @classmethod
        def setUpClass(cls):
            tests.setUpModule()

        @staticmethod
        def server():
            return tests.SERVER

        def port(self):
            return self.server().port

    return JobsOn


class OnPostgreSQL(jobs_on(postgresql_test)):
    def make_source(self, rows):
        self.sql(f"CREATE TABLE src (id int PRIMARY KEY, t varchar(2000)); INSERT INTO src SELECT i, repeat('x', 1000) FROM generate_series(1, {rows}) i; ANALYZE src")


class OnMariaDB(jobs_on(mariadb_test)):
    def make_source(self, rows):
        self.sql(f"CREATE TABLE src (id INT PRIMARY KEY, t VARCHAR(2000)); INSERT INTO src SELECT seq, REPEAT('x', 1000) FROM seq_1_to_{rows}")
