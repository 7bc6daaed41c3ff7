"""PgBouncer in front of a PostgreSQL of the tests."""

import shutil
import subprocess

from servers.server import Server, ServerError, clean_environment

SETTINGS = """[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
server_round_robin = {in_turn}
"""


class PgBouncer(Server):
    """`mode`: session or transaction; `in_turn`: it gives its processes in turn, and not the last one first."""

    system = "pgbouncer"
    users = ("postgres", "nobody")

    def __init__(self, server, mode, in_turn=False):
        super().__init__()
        self.server = server
        self.mode = mode
        self.in_turn = in_turn

    def initialize(self):
        if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") is None:
            raise ServerError("pgbouncer is not installed; ./deploy/install-packages.sh deploy/packages-test.txt installs it")
        self.users_file = self.write("users", f'"admin" "{self.server.password("admin")}"\n', 0o600)

    def command(self):
        return [shutil.which("pgbouncer", path="/usr/sbin:/usr/bin"),
                self.write("settings", SETTINGS.format(server_port=self.server.port, port=self.port, users=self.users_file, mode=self.mode, in_turn=int(self.in_turn)))]

    def answers(self):
        return self.tries([self.server.bin / "psql", "-X", "-Atc", "SELECT 1", f"host=127.0.0.1 port={self.port} user=admin dbname=postgres connect_timeout=5"],
                          {"PGPASSWORD": self.server.password("admin")})

    def populate(self):
        pass

    def hold(self, processes):
        """Has it take so many processes of the server, which it keeps; gives how many it has."""
        asking = [subprocess.Popen(self.asks(f"SELECT pg_sleep({0.5})"), env={**clean_environment(), "PGPASSWORD": self.server.password("admin")}, stdout=subprocess.DEVNULL)
                  for _ in range(processes)]
        self.server.run(self.asks("SELECT 1"), env={"PGPASSWORD": self.server.password("admin")})
        for one in asking:
            one.wait()
        return int(self.server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE datname = 'sluice' AND backend_type = 'client backend'"))

    def asks(self, statement):
        return [str(self.server.bin / "psql"), "-X", "-Atc", statement, f"host=127.0.0.1 port={self.port} user=admin dbname=sluice connect_timeout=5"]
