"""PostgreSQL for the tests."""

import signal
import time
from pathlib import Path

from servers.server import READY_SECONDS, Server, ServerError

SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 60
max_prepared_transactions = 5
wal_level = logical
max_wal_size = 2GB
ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.pem'
log_min_messages = warning
log_line_prefix = '%m [%p] %a '
timezone = 'America/St_Johns'
"""
# `tls_only` and `certified` cannot come in otherwise than they are called.
ACCESS = """
hostssl all certified 127.0.0.1/32 cert
host    all certified 127.0.0.1/32 reject
hostssl all tls_only  127.0.0.1/32 scram-sha-256
host    all tls_only  127.0.0.1/32 reject
host    all all       127.0.0.1/32 scram-sha-256
host    replication admin 127.0.0.1/32 scram-sha-256
"""


class PostgreSQL(Server):
    """Admin `admin`; `reader` and `writer` have least rights on what admin makes in `sluice` and the shards; `tls_only` and
    `certified` are readers that come in by other doors; `nothing` may only log in."""

    system = "postgresql"
    users = ("postgres", "nobody")
    stop_signal = signal.SIGINT  # fast shutdown: clients are not waited for
    databases = ("sluice", "shard_1", "shard_2", "shard_3")
    logins = ("reader", "writer", "nothing", "tls_only", "certified")
    more_settings = ""

    def __init__(self, certificates):
        super().__init__()
        self.certificates = certificates
        self.bin = newest_installation()

    @staticmethod
    def password(user):
        return f"{user}'s pass-wörd"

    def initialize(self):
        password_file = self.write("password", self.password("admin") + "\n")
        self.run([self.bin / "initdb", "-D", self.data, "--no-sync", "-A", "scram-sha-256", "-U", "admin", f"--pwfile={password_file}",
                  "-E", "UTF8", "--locale=C.UTF-8"], as_owner=True)
        for name in ("server.pem", "server.key", "ca.pem"):
            self.certificates.copy(name, self.data / name, 0o600)
            self.own(self.data / name)
        (self.data / "pg_hba.conf").write_text(ACCESS, encoding="utf-8")

    def command(self):
        with open(self.data / "postgresql.auto.conf", "w", encoding="utf-8") as settings:
            settings.write(SETTINGS.format(port=self.port) + self.more_settings)
        return [self.bin / "postgres", "-D", self.data]

    def answers(self):
        return self.tries([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)])

    def populate(self):
        for login in self.logins:
            self.sql(f"CREATE ROLE {login} LOGIN PASSWORD {quoted(self.password(login))}")
        for database in self.databases:
            self.sql(f"CREATE DATABASE {database}")
            self.sql(f"GRANT CONNECT ON DATABASE {database} TO reader, writer; "
                     "GRANT USAGE ON SCHEMA public TO reader, writer, tls_only, certified; "
                     "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader, tls_only, certified; "
                     "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO writer; "
                     "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO writer", database)

    def sql(self, text, database="postgres"):
        """Runs statements as admin; gives unaligned rows."""
        return self.run([self.bin / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", self.connection(database, "admin")], text=text,
                        env={"PGPASSWORD": self.password("admin")})

    def connection(self, database, user, tls="disable", ca="ca.pem"):
        return (f"host=localhost hostaddr=127.0.0.1 port={self.port} dbname={database} user={user} sslmode={tls} "
                f"sslrootcert={self.certificates.path(ca)} connect_timeout=10")

    @property
    def data(self):
        return self.folder / "data"

    def version(self):
        return self.sql("SHOW server_version").split()[0]


class Standby(PostgreSQL):
    """A hot standby of another one, which streams. A query in the way of what it replays is cancelled at once."""

    def __init__(self, primary):
        super().__init__(primary.certificates)
        self.primary = primary

    def initialize(self):
        password_file = self.write("password", f"*:*:*:admin:{self.password('admin')}\n", 0o600)
        self.sender = f"host=127.0.0.1 port={self.primary.port} user=admin passfile={password_file}"
        self.more_settings = f"primary_conninfo = '{self.sender}'\nmax_standby_streaming_delay = 0\n"
        self.run([self.bin / "pg_basebackup", "-D", self.data, "--no-sync", "-c", "fast", "-R", "-d",
                  f"host=127.0.0.1 port={self.primary.port} user=admin"], env={"PGPASSWORD": self.password("admin")}, as_owner=True)

    def populate(self):
        self.catch_up()

    def replicate_from(self, sender):
        """`sender`: as primary_conninfo has it; an empty one stops it."""
        self.sql(f"ALTER SYSTEM SET primary_conninfo = '{sender}'")
        self.sql("SELECT pg_reload_conf()")

    def catch_up(self):
        """Returns when what the primary has written until now can be seen here."""
        place = self.primary.sql("SELECT pg_current_wal_lsn()").strip()
        deadline = time.monotonic() + READY_SECONDS
        while self.sql(f"SELECT coalesce(pg_last_wal_replay_lsn() >= '{place}', false)") != "t\n":
            if time.monotonic() > deadline:
                raise ServerError(f"the standby did not catch up; its log ends:\n{self.log_tail()}")
            time.sleep(0.02)


def newest_installation():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        raise ServerError("PostgreSQL's server is not installed; ./deploy/install-packages.sh deploy/packages-test.txt installs it")
    return found[-1].parent


def quoted(text):
    return "'" + text.replace("'", "''") + "'"
