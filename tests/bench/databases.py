"""Routes between databases against the products' own tools, on TPC-H's lineitem: the client's CPU and the wall of each."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

from bench import peers
from e2e.harness import job
from servers.running import Running

COLUMNS = ("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_returnflag",
           "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode", "l_comment")
TYPES = ("bigint", "integer", "integer", "integer", "decimal(15,2)", "decimal(15,2)", "decimal(15,2)", "decimal(15,2)", "char(1)", "char(1)",
         "date", "date", "date", "varchar(25)", "varchar(10)", "varchar(44)")
ROWS = 6_000_000
KILLED_ROWS = 5_000_000
MEMORY_ROWS = (1_000_000, 20_000_000)
# What TPC-H's generator gives in kind: four lines an order, prices with cents, dates of seven years, a few words.
LINES = """INSERT INTO lineitem SELECT g / 4 + 1, g * 7919::bigint % 200000 + 1, g * 104729::bigint % 10000 + 1, g % 4 + 1,
  g * 31::bigint % 50 + 1, (g * 7919::bigint % 10000000 + 90000) / 100.0, g % 11 / 100.0, g % 9 / 100.0, substr('ARN', g % 3 + 1, 1),
  substr('OF', g % 2 + 1, 1), date '1992-01-02' + g % 2526, date '1992-01-31' + g % 2466, date '1992-01-04' + g % 2554,
  (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[g % 4 + 1],
  (ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[g % 7 + 1],
  substr('furiously even requests sleep quickly regular', 1, 10 + g % 34) FROM generate_series(0, {rows} - 1) g"""


def records_read(metrics):
    """What a file of metrics says; 0 where there is none yet."""
    text = metrics.read_text(encoding="utf-8") if metrics.exists() else ""
    found = re.search(r'^sluice_records_total{.*kind="read"} (\d+)$', text, re.MULTILINE)
    return int(found[1]) if found else 0


def table_sql(name, **changed):
    columns = ", ".join(f"{c} {changed.get(c, t)}" for c, t in zip(COLUMNS, TYPES))
    return f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})"


class Databases:
    """Measures on a `Bench`: its `run`, `note` and folder."""

    def __init__(self, bench, measure, repeats=3):
        self.bench = bench
        self.measure = measure
        self.rows = ROWS // bench.scale
        self.repeats = repeats
        self.csv = bench.folder / "lineitem.csv"
        self.out = bench.folder / "out"
        self.out.mkdir(exist_ok=True)

    def all(self):
        with self.servers():
            self.fill()
            self.between_postgresql()
            self.between_products()
            self.files()
            self.ten_rows()

    def beside_duplicates(self):
        with self.servers():
            self.fill()
            self.duplicates()

    def beside_marks(self):
        """Between tables with a key, which are read in its order, so that marks fall inside of the split."""
        self.rows //= 12
        with self.servers():
            self.fill()
            key = "PRIMARY KEY (l_orderkey, l_linenumber)"
            for name, system in (("PostgreSQL", "postgresql"), ("MariaDB", "mariadb")):
                getattr(self, system).sql(f"ALTER TABLE lineitem ADD {key}", "sluice")

                def writer(of=system):
                    self.empty(of)
                    self.settle(of)
                    return self.end(of, "Writer", "loaded")
                self.bench.cost_of_marks(f"{name} to {name}", job(self.end(system, "Reader", "lineitem"), None), writer)

    def killed_late(self):
        """Killed when about 97 % is read: what the same command reads again, by the rows that the destination had then."""
        self.rows = KILLED_ROWS // self.bench.scale
        key = "ADD PRIMARY KEY (l_orderkey, l_linenumber)"
        with self.servers():
            self.fill()
            for name, system, client in (("PostgreSQL", "postgresql", self.psql), ("MariaDB", "mariadb", self.mariadb_sql)):
                self.shell(client(f"ALTER TABLE lineitem {key}"))
                self.empty("postgresql")
                document = job(self.end(system, "Reader", "lineitem"), self.end("postgresql", "Writer", "loaded"))
                read = self.kill_at(0.96, document)
                there = int(self.postgresql.sql("SELECT count(*) FROM loaded", "sluice"))
                cost, summary = self.bench.run(document)
                assert summary["resumed"] and summary["written"] == self.rows, summary
                assert int(self.postgresql.sql("SELECT count(*) FROM loaded", "sluice")) == self.rows
                self.shell(self.psql(f"ALTER TABLE loaded {key}"))  # which fails where a row is there twice
                again = (read - there) / self.rows
                self.bench.note(f"{name} to PostgreSQL, killed when it said that {read / self.rows:.1%} of {self.rows:,} rows were read, read again",
                                f"{again:.2%} ({read - there:,} rows; {cost.wall_s:.1f} s until all was there)", "less than 3 %", 0 <= again < 0.03)

    def kill_at(self, part, document):
        """Runs a job until that part is read, and kills it; gives the number of records read."""
        path, metrics = self.bench.folder / "job.json", self.bench.folder / "metrics.txt"
        path.write_text(json.dumps(document), encoding="utf-8")
        metrics.unlink(missing_ok=True)
        with open(self.bench.folder / "err.txt", "wb") as err:
            child = subprocess.Popen([self.bench.program, "run", path, "--state-dir", self.bench.folder / "state", "--metrics-file", metrics,
                                      "--report-interval", "200ms"], stdout=subprocess.DEVNULL, stderr=err)
            while records_read(metrics) < part * self.rows:
                assert child.poll() is None, f"it ended before: see {err.name}"
                time.sleep(0.005)
            child.kill()
            child.wait()
        return records_read(metrics)

    def beside_peers(self):
        self.rows = max(1, peers.ROWS // self.bench.scale)
        with self.servers():
            self.fill()
            peers.Peers(self).all()

    def memory(self):
        """Each route with few rows and with many: the peak must not grow with them."""
        peaks = {}
        for rows in MEMORY_ROWS:
            self.rows = rows // self.bench.scale
            with self.servers():
                self.fill()
                for name, system, document in self.routes():
                    if system:
                        self.empty(system)
                    cost, summary = self.bench.run(document)
                    assert summary["written"] == self.rows, summary
                    peaks.setdefault(name, []).append(cost.rss_bytes)
            self.empty_out()
        for name, (few, many) in peaks.items():
            millions = " and ".join(str(rows // 1_000_000) for rows in MEMORY_ROWS)
            self.bench.note(f"{name}, {millions} M rows, resident memory at its peak", f"{few / (1 << 20):.0f} and {many / (1 << 20):.0f} MiB",
                            "under 256 MB, flat: at most 1.25", many < 256_000_000 and many <= 1.25 * few)

    @contextlib.contextmanager
    def servers(self):
        with Running(["postgresql", "mariadb"]) as running:
            self.postgresql, self.mariadb = running.servers["postgresql"], running.servers["mariadb"]
            yield

    # The servers.

    def fill(self):
        self.postgresql.sql(table_sql("lineitem"), "sluice")
        self.shell(self.psql(LINES.format(rows=self.rows) + "; ANALYZE lineitem"))  # which may take minutes
        self.mariadb.sql(table_sql("lineitem"), "sluice")
        self.shell(f"{self.psql('COPY lineitem TO STDOUT')} | {self.load('lineitem')}")

    def psql(self, sql):
        p = self.postgresql
        return shlex.join([str(p.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", p.connection("sluice", "admin"), "-c", sql])

    def mariadb_client(self, *more, program="mariadb"):
        m = self.mariadb
        return shlex.join([program, "--no-defaults", "-h", "127.0.0.1", "-P", str(m.port), "-u", "admin", "--default-character-set=utf8mb4",
                           *more])

    def mariadb_sql(self, sql):
        return self.mariadb_client("sluice", "-e", sql)

    def load(self, table):
        return self.mariadb_client("--local-infile=1", "sluice", "-e", f"LOAD DATA LOCAL INFILE '/dev/stdin' INTO TABLE {table}")

    def shell(self, command):
        os.environ["PGPASSWORD"] = self.postgresql.password("admin")
        os.environ["MYSQL_PWD"] = self.mariadb.password("admin")
        return self.measure(["bash", "-c", f"set -o pipefail; {command}"], self.bench.folder)

    def end(self, system, category, table, **more):
        server = getattr(self, system)
        mysql = system == "mariadb"
        return {"stepType": "mysql" if mysql else system, "category": category.lower(), "name": category, "parameter": {
            "jdbcUrl": f"jdbc:{'mariadb' if mysql else 'postgresql'}://127.0.0.1:{server.port}/sluice", "username": "admin",
            "password": server.password("admin"), "table": table, "column": list(COLUMNS), **more}}

    def empty(self, system, **changed):
        getattr(self, system).sql(table_sql("loaded", **changed), "sluice")

    def settle(self, system):
        """Waits until the server has written what earlier turns left in its memory, which this one would pay for."""
        if system == "postgresql":
            self.postgresql.sql("CHECKPOINT", "postgres")
            return
        self.mariadb.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0", "sluice")
        while int(self.mariadb.sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'", "sluice").split()[-1]) > 0:
            time.sleep(0.05)
        self.mariadb.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT", "sluice")

    # The routes.

    def route(self, name, document, native, prepare, cpu_most, wall_most):
        """`native` may name several tools; the first is the one that the goal is against."""
        costs, whole = {"Sluice": []}, {}
        for _ in range(self.repeats):  # by turns, so that a slow minute meets all
            prepare()
            before = self.servers_cpu_s()
            cost, summary = self.bench.run(document)
            whole.setdefault("Sluice", []).append(cost.cpu_s + self.servers_cpu_s() - before)
            assert summary["written"] == self.rows and summary["dirty"] == 0, summary
            costs["Sluice"].append(cost)
            for who, command in native.items():
                prepare()
                before = self.servers_cpu_s()
                costs.setdefault(who, []).append(self.shell(command))
                whole.setdefault(who, []).append(costs[who][-1].cpu_s + self.servers_cpu_s() - before)
        best = {who: (min(c.cpu_s for c in all_), min(c.wall_s for c in all_)) for who, all_ in costs.items()}
        us = {who: cpu / self.rows * 1e6 for who, (cpu, _) in best.items()}
        against = next(iter(native))
        peak = max(c.rss_bytes for c in costs["Sluice"])
        for index, (what, most) in enumerate((("CPU", cpu_most), ("wall", wall_most))):
            ratio = best["Sluice"][index] / best[against][index]
            shown = ", ".join(f"{who} {us[who]:.2f} us a row" if index == 0 else f"{who} {best[who][1]:.2f} s" for who in best)
            limit = most[1] if isinstance(most, tuple) else most
            figure = us["Sluice"] if isinstance(most, tuple) else ratio
            met = limit is None or figure <= limit
            wanted = "said" if limit is None else f"at most {limit:.2f}{' us a row' if isinstance(most, tuple) else ''}"
            self.bench.note(f"{name}, {what}", f"{ratio:.2f} ({shown})", wanted, met)
        in_all = {who: min(all_) / self.rows * 1e6 for who, all_ in whole.items()}
        self.bench.note(f"{name}, CPU with that of the servers", f"{in_all['Sluice'] / in_all[against]:.2f} "
                        f"({', '.join(f'{who} {us:.2f} us a row' for who, us in in_all.items())})", "said", True)
        self.bench.note(f"{name}, resident memory at its peak", f"{peak / (1 << 20):.0f} MiB", "under 256 MB", peak < 256_000_000)

    def servers_cpu_s(self):
        """CPU of both servers so far: of their first processes, and of all that these started and that have ended."""
        time.sleep(0.3)  # a session ends a moment after its connection
        ticks = 0
        for server in (self.postgresql, self.mariadb):
            fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            ticks += sum(int(t) for t in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")

    def between_postgresql(self):
        pipe = {"psql COPY binary": f"{self.psql('COPY lineitem TO STDOUT (FORMAT binary)')} | {self.psql('COPY loaded FROM STDIN (FORMAT binary)')}"}
        document = job(self.end("postgresql", "Reader", "lineitem"), self.end("postgresql", "Writer", "loaded"))
        self.route("PostgreSQL to PostgreSQL", document, pipe, lambda: self.empty("postgresql"), 0.8, 1.0)
        # psql cannot convert: it moves the same rows into the same types as before.
        reader = self.end("postgresql", "Reader", "lineitem")
        writer = self.end("postgresql", "Writer", "converted")

        def prepare():
            self.empty("postgresql")
            self.postgresql.sql(table_sql("converted", l_linenumber="bigint"), "sluice")
        self.route("the same, one column converted", job(reader, writer), pipe, prepare, 1.3, 1.1)
        self.pipelines()

    def pipelines(self):
        self.shell(self.psql("CREATE INDEX ON lineitem (l_orderkey); ANALYZE lineitem"))
        walls, native = {}, {}
        for pipelines in (1, 2, 4):
            reader = self.end("postgresql", "Reader", "lineitem", splitPk="l_orderkey")
            document = job(reader, self.end("postgresql", "Writer", "loaded"), concurrent=pipelines)
            for _ in range(self.repeats):
                self.empty("postgresql")
                cost, _ = self.bench.run(document)
                walls[pipelines] = min(walls.get(pipelines, cost.wall_s), cost.wall_s)
                self.empty("postgresql")
                wall = self.shell(self.pipes(pipelines)).wall_s
                native[pipelines] = min(native.get(pipelines, wall), wall)
        for pipelines in (2, 4):
            speed = walls[1] / walls[pipelines]
            self.bench.note(f"PostgreSQL to PostgreSQL, {pipelines} pipelines, speed against one",
                            f"{speed:.2f} (as many pipes of psql: {native[1] / native[pipelines]:.2f})", "at least 0.95", speed >= 0.95)

    def pipes(self, count):
        """So many pipes of psql at once, each with a range of the key."""
        orders = self.rows // 4 + 1
        of = [f"l_orderkey > {orders * i // count} AND l_orderkey <= {orders * (i + 1) // count}" for i in range(count)]
        each = [f"({self.psql(f'COPY (SELECT * FROM lineitem WHERE {range_}) TO STDOUT (FORMAT binary)')}"
                f" | {self.psql('COPY loaded FROM STDIN (FORMAT binary)')}) & pids+=($!)" for range_ in of]
        return "pids=(); " + "; ".join(each).replace("& pids+=($!);", "& pids+=($!)\n") + "\nfor pid in ${pids[@]}; do wait $pid; done"

    def between_products(self):
        self.route("MariaDB to PostgreSQL", job(self.end("mariadb", "Reader", "lineitem"), self.end("postgresql", "Writer", "loaded")),
                   {"mariadb --quick into COPY": f"{self.mariadb_client('--quick', '-N', '-B', 'sluice', '-e', 'SELECT * FROM lineitem')}"
                                                 f" | {self.psql('COPY loaded FROM STDIN')}"},
                   lambda: self.empty("postgresql"), 0.6, 1.0)
        self.route("PostgreSQL to MariaDB", job(self.end("postgresql", "Reader", "lineitem"), self.end("mariadb", "Writer", "loaded")),
                   {"COPY into LOAD DATA": f"{self.psql('COPY lineitem TO STDOUT')} | {self.load('loaded')}"},
                   lambda: self.empty("mariadb"), None, 1.2)
        dump = self.mariadb_client("--no-create-info", "--quick", "--single-transaction", "--skip-triggers", "sluice", "lineitem",
                                   program="mariadb-dump")
        self.route("MariaDB to MariaDB", job(self.end("mariadb", "Reader", "lineitem"), self.end("mariadb", "Writer", "loaded")),
                   {"mariadb-dump": f"{dump} | sed 's/`lineitem`/`loaded`/' | {self.mariadb_client('sluice')}",
                    "mariadb --quick into LOAD DATA": f"{self.mariadb_client('--quick', '-N', '-B', 'sluice', '-e', 'SELECT * FROM lineitem')}"
                                                      f" | {self.load('loaded')}"},
                   lambda: self.empty("mariadb"), 0.6, 0.7)

    def files(self):
        self.make_csv()
        self.route("CSV to PostgreSQL", job(self.csv_reader(), self.end("postgresql", "Writer", "loaded")),
                   {"\\copy": self.psql(f"\\copy loaded FROM '{self.csv}' (FORMAT csv)")},
                   lambda: self.empty("postgresql"), ("us", 0.6), 1.0)
        # Each makes a new file: over an old one of its own \copy writes into memory that the system has at hand.
        self.route("PostgreSQL to CSV", job(self.end("postgresql", "Reader", "lineitem"), self.csv_writer()),
                   {"\\copy": self.psql(f"\\copy lineitem TO '{self.out / 'native.csv'}' (FORMAT csv)")}, self.empty_out, 1.3, 1.0)
        self.empty_out()

    def empty_out(self):
        for made in self.out.iterdir():
            made.unlink()

    def make_csv(self):
        self.shell(self.psql(f"\\copy lineitem TO '{self.csv}' (FORMAT csv)"))

    def csv_reader(self):
        return {"stepType": "text", "category": "reader", "name": "Reader", "parameter": {
            "path": [str(self.csv)], "fileFormat": "csv", "column": ["*"], "skipHeader": False}}

    def csv_writer(self):
        return {"stepType": "text", "category": "writer", "name": "Writer", "parameter": {
            "path": str(self.out), "fileName": "lineitem", "fileFormat": "csv", "writeMode": "truncate"}}

    def routes(self):
        """Every route as its name, the system whose table is to be empty, and the job; makes the CSV file."""
        self.make_csv()
        pg_reader, my_reader = self.end("postgresql", "Reader", "lineitem"), self.end("mariadb", "Reader", "lineitem")
        pg_writer, my_writer = self.end("postgresql", "Writer", "loaded"), self.end("mariadb", "Writer", "loaded")
        return (("PostgreSQL to PostgreSQL", "postgresql", job(pg_reader, pg_writer)),
                ("MariaDB to PostgreSQL", "postgresql", job(my_reader, pg_writer)),
                ("PostgreSQL to MariaDB", "mariadb", job(pg_reader, my_writer)),
                ("MariaDB to MariaDB", "mariadb", job(my_reader, my_writer)),
                ("CSV to PostgreSQL", "postgresql", job(self.csv_reader(), pg_writer)),
                ("PostgreSQL to CSV", None, job(pg_reader, self.csv_writer())))

    def duplicates(self):
        """A load in which every record is a duplicate against the same one into the empty table, in the time of their data."""
        rows = max(20_000, self.rows // 20)
        for name, system in (("PostgreSQL", "postgresql"), ("MariaDB", "mariadb")):
            server = getattr(self, system)
            key = "PRIMARY KEY (l_orderkey, l_linenumber)"
            server.sql(f"{table_sql('part')}; INSERT INTO part SELECT * FROM lineitem ORDER BY l_orderkey, l_linenumber LIMIT {rows}", "sluice")
            document = job(self.end(system, "Reader", "part"), self.end(system, "Writer", "loaded"), errors=rows)
            seconds = {"written": [], "dirty": []}
            for _ in range(self.repeats):
                self.empty(system)
                server.sql(f"ALTER TABLE loaded ADD {key}", "sluice")
                for outcome in seconds:
                    _, summary = self.bench.run(document, "--on-unfinished", "fresh")
                    assert summary[outcome] == rows, summary
                    seconds[outcome].append(next(p["seconds"] for p in summary["phases"] if p["name"] == "data"))
            good, bad = (min(s) for s in seconds.values())
            self.bench.note(f"{name}, every record a duplicate, speed against the good load",
                            f"{good / bad:.2f} ({rows} rows: {good:.2f} s, {bad:.2f} s)", "at least 0.20", good / bad >= 0.2)

    def ten_rows(self):
        self.postgresql.sql("DROP TABLE IF EXISTS ten; CREATE TABLE ten AS SELECT * FROM lineitem LIMIT 10", "sluice")
        walls = []
        for _ in range(11):
            self.empty("postgresql")
            walls.append(self.bench.run(job(self.end("postgresql", "Reader", "ten"), self.end("postgresql", "Writer", "loaded")))[0].wall_s)
        ms = sorted(walls)[len(walls) // 2] * 1000
        self.bench.note("a whole process for 10 rows, PostgreSQL to PostgreSQL", f"{ms:.0f} ms (median of {len(walls)})", "at most 100 ms",
                        ms <= 100)
