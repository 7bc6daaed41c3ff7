"""The common movers beside Sluice on the same tables, in one run: what each takes for a record, start included. Each is installed by
tests/run.sh bench (pgloader) or fetched (Sling); one that is not there is left out, and the line says so."""

import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent.parent / "build" / "tools"
ROWS = 500_000


def fetch_sling():
    """Sling's program, from the package that carries it; nothing where it cannot be had."""
    found = list(TOOLS.glob("peers/lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    if not found:
        made = subprocess.run([sys.executable, "-m", "venv", TOOLS / "peers"], check=False)
        if made.returncode == 0:
            subprocess.run([TOOLS / "peers" / "bin" / "pip", "-q", "install", "sling-linux-amd64"], check=False)
        found = list(TOOLS.glob("peers/lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    if found:
        found[0].chmod(0o755)
    return found[0] if found else None


class Peers:
    """Measures on the servers and tables of `Databases`, which has filled `lineitem` with `rows`."""

    def __init__(self, databases):
        self.databases = databases
        self.rows = databases.rows
        self.folder = databases.bench.folder
        self.sling = fetch_sling()
        self.pgloader = shutil.which("pgloader")
        # Addresses with a password that every tool takes.
        databases.postgresql.sql("CREATE ROLE peer SUPERUSER LOGIN PASSWORD 'peer'", "sluice")
        for host in ("%", "localhost"):
            databases.mariadb.sql(f"CREATE USER peer@'{host}' IDENTIFIED BY 'peer'; GRANT ALL ON *.* TO peer@'{host}'", "sluice")
        self.postgresql = f"//peer:peer@127.0.0.1:{databases.postgresql.port}/sluice"
        self.mariadb = f"//peer:peer@127.0.0.1:{databases.mariadb.port}/sluice"

    def all(self):
        d = self.databases
        from_pg, from_my, from_file = ("PG", "public.lineitem"), ("MY", "sluice.lineitem"), (None, f"file://{d.csv}")
        to_pg, to_my, to_file = ("PG", "public.loaded"), ("MY", "sluice.loaded"), (None, f"file://{d.out}/sling.csv")
        peers = {
            "PostgreSQL to PostgreSQL": {"Sling": self.sling_run(from_pg, to_pg)},
            "MariaDB to PostgreSQL": {"Sling": self.sling_run(from_my, to_pg), "pgloader": self.pgloader_run("tables", self.pgloader_tables())},
            "PostgreSQL to MariaDB": {"Sling": self.sling_run(from_pg, to_my)},
            "MariaDB to MariaDB": {"Sling": self.sling_run(from_my, to_my)},
            "CSV to PostgreSQL": {"Sling": self.sling_run(from_file, to_pg), "pgloader": self.pgloader_run("file", self.pgloader_file())},
            "PostgreSQL to CSV": {"Sling": self.sling_run(from_pg, to_file)},
        }
        for name, system, document in d.routes():
            self.route(name, system, document, peers[name])

    def route(self, name, system, document, peers):
        def prepare():
            if system:
                self.databases.empty(system)
        prepare()
        ours, summary = self.databases.bench.run(document)
        assert summary["written"] == self.rows, summary
        shown, least = [f"Sluice {self.figures(ours)}"], []
        for who, command in peers.items():
            if command is None:
                shown.append(f"{who} is not installed")
                continue
            prepare()
            theirs = self.databases.measure(command, self.folder)
            if system:
                loaded = int(getattr(self.databases, system).sql("SELECT count(*) FROM loaded", "sluice").strip().split("\n")[-1])
                if loaded != self.rows:
                    shown.append(f"{who} moved {loaded} of {self.rows} records")
                    continue
            shown.append(f"{who} {self.figures(theirs)}")
            least.append(theirs.cpu_s / ours.cpu_s)
        if least:
            self.databases.bench.note(f"peers, {name}, {self.rows} rows, CPU of the best of them against ours",
                                      f"{min(least):.1f} ({', '.join(shown)})", "at least 6", min(least) >= 6)

    def figures(self, cost):
        return f"{cost.cpu_s / self.rows * 1e6:.2f} us a row, {cost.wall_s:.1f} s, {cost.rss_bytes / (1 << 20):.0f} MiB"

    def sling_run(self, source, destination):
        """As its manual has it: TRUNCATE, then the rows. A side without a connection is a file."""
        if self.sling is None:
            return None
        argv = ["env", f"PG=postgres:{self.postgresql}?sslmode=disable", f"MY=mysql:{self.mariadb}", f"HOME={self.folder}", str(self.sling), "run",
                "--src-stream", source[1], "--tgt-object", destination[1]]
        argv += ["--src-conn", source[0]] if source[0] else ["--src-options", "header: false"]
        return argv + (["--tgt-conn", destination[0], "--mode", "truncate"] if destination[0] else [])

    def pgloader_run(self, name, load):
        if self.pgloader is None:
            return None
        path = self.folder / f"{name}.load"
        path.write_text(load, encoding="utf-8")
        return [self.pgloader, str(path)]

    def pgloader_tables(self):
        return (f"LOAD DATABASE FROM mysql:{self.mariadb} INTO pgsql:{self.postgresql}?sslmode=disable\n"
                " WITH data only, truncate, workers = 2, concurrency = 1 INCLUDING ONLY TABLE NAMES MATCHING 'lineitem'\n"
                " ALTER SCHEMA 'sluice' RENAME TO 'public' ALTER TABLE NAMES MATCHING 'lineitem' RENAME TO 'loaded';\n")

    def pgloader_file(self):
        return (f"LOAD CSV FROM '{self.databases.csv}' INTO pgsql:{self.postgresql}?sslmode=disable TARGET TABLE public.loaded\n"
                " WITH truncate, fields terminated by ',', fields optionally enclosed by '\"';\n")
