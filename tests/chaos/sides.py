"""The ends of the routes: how a table of the content is made, filled, summed and listed in each system's own SQL, and what stands there
of a run. Nothing here goes through Sluice."""

import bz2
import contextlib
import csv
import datetime
import decimal
import gzip
import shutil
import sqlite3
import subprocess

from chaos import content
from chaos.content import COLUMNS, NULL_IN_FILES
from servers.server import ServerError


HOLDER = "CASE WHEN owner_host IS NULL THEN 0 ELSE owner_pid END"


class Stands:
    """What the destination says of the job's runs: (id, stage, the pid of who holds the claim or 0) each, and the marks (done, position) of splits."""

    def __init__(self, runs, marks):
        self.runs, self.marks = runs, marks

    def phase(self):
        """In which phase the newest run is; nothing where there is none."""
        if not self.runs:
            return "no claim"
        _, stage, held = self.runs[-1]
        if stage == "done":
            return "done, claim held" if held else "done"
        if not stage.startswith("loading"):
            return "before data" if stage.startswith(("claimed", "pre")) else "behind data"
        if not any(position for _, position in self.marks):
            return "data, none committed"
        return "data, all committed" if all(done for done, _ in self.marks) else "data, some committed"


class Side:
    """One end. `role` is src or dst, and the table's name."""

    name = step_type = ""
    on_server = False
    refuses = has_steps = True  # records that a column's type or CHECK does not take; statements before and behind the data

    def __init__(self, role, folder, servers):
        self.role, self.folder = role, folder
        self.port = None  # of the way to the server where that is not its own

    def end(self, category, **more):
        return {"stepType": self.step_type, "category": category.lower(), "name": category, "parameter": {"column": list(COLUMNS), **self.place(), **more}}


class Database(Side):
    """What has SQL: subclasses say how theirs differs."""

    types, emptied, slow = {}, "", None
    on_small = ""  # behind CREATE TABLE, where the rows lie on a small disk

    def sql(self, text):
        raise NotImplementedError

    def make(self, keyed, refuses):
        number = f"INTEGER{self.check if refuses else ''}"
        self.sql(f"DROP TABLE IF EXISTS {self.role}; CREATE TABLE {self.role} (k BIGINT{' PRIMARY KEY' if keyed else ''}, g BIGINT, t {self.types['t']}, "
                 f"n {self.types['n']}, at {self.types['at']}, q {number}, c {'INTEGER' if refuses else self.types['t']}){self.on_small if refuses else ''}")

    def begin_anew(self):
        self.sql("DROP TABLE IF EXISTS src; DROP TABLE IF EXISTS dst; DROP TABLE IF EXISTS steps; DROP TABLE IF EXISTS sluice_run; "
                 "DROP TABLE IF EXISTS sluice_progress")

    def make_steps(self):
        self.sql("CREATE TABLE steps (n INTEGER)")

    def steps(self):
        return int(self.sql("SELECT COUNT(*) FROM steps").strip())

    def sum(self):
        return self.sql(f"SELECT CONCAT(COUNT(*), ' ', COALESCE(SUM({self.digest}), 0)) FROM {self.role}").strip()

    def keys(self):
        return [int(k) for k in self.sql(f"SELECT k FROM {self.role}").split()]

    def stands(self):
        if not self.has_marks():
            return Stands([], [])
        runs = [line.split(self.between) for line in self.sql(f"SELECT run, stage, {HOLDER} FROM sluice_run WHERE run <> 'guard' "
                                                              "ORDER BY run").splitlines()]
        marks = [line.split(self.between) for line in self.sql("SELECT done, position FROM sluice_progress").splitlines()]
        return Stands([(run, stage, int(held)) for run, stage, held in runs], [(int(done), int(position)) for done, position in marks])


class OnServer(Database):
    on_server = True

    def __init__(self, role, folder, servers):
        super().__init__(role, folder, servers)
        self.server = servers.of(self.system)
        self.database = "sluice" if role == "dst" else "shard_1"

    def sql(self, text):
        return self.server.sql(text, self.database)

    @contextlib.contextmanager
    def small_disk(self, size):
        """A file system of the destination's rows alone; gives its folder. It stays with the server: one that was killed may need it to start."""
        place = self.server.folder / "small"
        if not place.exists():
            self.server.ends.enter_context(mounted(place, size, self.server.owner))
            self.begin_on(place)
        self.on_small = self.behind_create.format(place)
        try:
            yield place
        finally:
            self.sql("DROP TABLE IF EXISTS dst")

    def place(self):
        return {"jdbcUrl": f"jdbc:{self.step_type}://127.0.0.1:{self.port or self.server.port}/{self.database}?{self.without_tls}", "username": "admin",
                "password": self.server.password("admin"), "table": self.role}


class PostgreSQL(OnServer):
    name, system, step_type, between, without_tls = "PostgreSQL", "postgresql", "postgresql", "|", "sslmode=disable"
    types = {"t": "text", "n": "numeric(20,6)", "at": "timestamp"}
    check = " CHECK (q >= 0)"
    emptied, slow, behind_create = "TRUNCATE dst", "SELECT pg_sleep({})", " TABLESPACE small"
    digest = ("('x' || substr(md5(concat_ws('|', k, coalesce(g::text, 'NULL'), coalesce(encode(convert_to(t, 'UTF8'), 'hex'), 'NULL'), "
              "coalesce(n::text, 'NULL'), coalesce(to_char(at, 'YYYY-MM-DD HH24:MI:SS.US'), 'NULL'), q, c)), 1, 8))::bit(32)::bigint")

    def fill(self, rows):
        lines = ("\t".join("\\N" if v is None else copied(v) for v in values) for values in rows)
        self.sql(f"COPY {self.role} FROM STDIN;\n" + "\n".join(lines) + "\n\\.\nANALYZE " + self.role)

    def begin_on(self, place):
        self.sql(f"CREATE TABLESPACE small LOCATION '{place}'")

    def has_marks(self):
        return self.sql("SELECT to_regclass('sluice_run') IS NOT NULL AND to_regclass('sluice_progress') IS NOT NULL").strip() == "t"

    def connections(self):
        return [int(pid) for pid in self.sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'sluice%' AND datname = current_database()").split()]

    def end_connection(self, pid):
        return self.sql(f"SELECT pg_terminate_backend({pid})").strip() == "t"


class MariaDB(OnServer):
    name, system, step_type, between, without_tls = "MariaDB", "mariadb", "mysql", "\t", "sslMode=DISABLED"
    types = {"t": "VARCHAR(1000) CHARACTER SET utf8mb4", "n": "DECIMAL(20,6)", "at": "DATETIME(6)"}
    check = " CHECK (q >= 0)"
    emptied, slow, behind_create = "TRUNCATE dst", "DO SLEEP({})", " DATA DIRECTORY = '{}'"
    digest = ("CAST(CONV(SUBSTR(MD5(CONCAT_WS('|', k, COALESCE(g, 'NULL'), COALESCE(LOWER(HEX(t)), 'NULL'), COALESCE(n, 'NULL'), COALESCE(at, 'NULL'), "
              "q, c)), 1, 8), 16, 10) AS DECIMAL(20))")

    def fill(self, rows):
        for first in range(0, len(rows), 1000):
            values = ",".join("(" + ",".join("NULL" if v is None else quoted(v) for v in one) + ")" for one in rows[first:first + 1000])
            self.sql(f"INSERT INTO {self.role} VALUES {values}")

    def begin_on(self, place):
        pass

    def has_marks(self):
        return self.sql(f"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{self.database}' AND table_name LIKE 'sluice!_%' ESCAPE '!'").strip() == "2"

    def connections(self):
        return [int(pid) for pid in self.sql(f"SELECT id FROM information_schema.processlist WHERE user = 'admin' AND db = '{self.database}'").split()]

    def end_connection(self, pid):
        try:
            self.sql(f"KILL {pid}")
        except ServerError as gone:
            if "ERROR 1094" not in str(gone):
                raise
            return False
        return True


class SQLite(Database):
    name, step_type, between = "SQLite", "sqlite", "|"
    types = {"t": "TEXT", "n": "TEXT", "at": "TEXT"}
    check = " CHECK (q >= 0)"
    emptied = "DELETE FROM dst"
    digest = "digest(k, g, t, n, at, q, c)"

    def __init__(self, role, folder, servers):
        super().__init__(role, folder, servers)
        self.path = folder / f"{role}.db"

    @contextlib.contextmanager
    def small_disk(self, size):
        place = self.folder / "small"
        with mounted(place, size):
            self.path = place / f"{self.role}.db"
            self.begin_anew()
            try:
                yield place
            finally:
                for left in place.glob(f"{self.role}.db*"):
                    shutil.copy(left, self.folder)

    def open(self):
        db = sqlite3.connect(self.path, timeout=30)
        db.create_function("digest", 7, lambda *values: content.digest("|".join(
            "NULL" if v is None else v.encode().hex() if i == 2 else str(v) for i, v in enumerate(values))))
        db.create_function("concat", -1, lambda *parts: "".join(map(str, parts)))
        return db

    def sql(self, text):
        db = self.open()
        try:
            if not text.lstrip().startswith("SELECT"):
                db.executescript(text)
                return ""
            return "\n".join("|".join("" if v is None else str(v) for v in row) for row in db.execute(text))
        finally:
            db.close()

    def fill(self, rows):
        db = self.open()
        with db:
            db.executemany(f"INSERT INTO {self.role} VALUES (?, ?, ?, ?, ?, ?, ?)",
                           [(k, g, t, None if n is None else f"{n:.6f}", content.stamp(at), q, c) for k, g, t, n, at, q, c in rows])
        db.close()

    def has_marks(self):
        return self.sql("SELECT count(*) FROM sqlite_master WHERE name IN ('sluice_run', 'sluice_progress')") == "2"

    def place(self):
        return {"jdbcUrl": f"jdbc:sqlite:{self.path}", "table": self.role}


@contextlib.contextmanager
def mounted(place, size, owner=None):
    """A small file system in memory, which takes root."""
    place.mkdir(exist_ok=True)
    of = f",uid={owner.pw_uid},gid={owner.pw_gid}" if owner else ""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}{of},mode=700", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


class CSV(Side):
    """Two files as a source, and those of a run as a destination, which are read here without Sluice."""

    name, step_type = "CSV", "text"
    refuses = has_steps = False
    unpackers = {"": lambda packed: packed, "gzip": gzip.decompress, "bzip2": bz2.decompress}

    def decide(self, dice):
        """As a destination."""
        self.packing = dice.choice(tuple(self.unpackers))
        self.in_one = dice.random() < 0.5

    def begin_anew(self):
        place = self.folder / self.role
        place.mkdir(exist_ok=True)
        for left in place.iterdir():
            left.unlink()

    @contextlib.contextmanager
    def small_disk(self, size):
        place = self.folder / self.role
        with mounted(place, size):
            try:
                yield place
            finally:
                shutil.copytree(place, self.folder / "left", dirs_exist_ok=True)

    def records(self):
        """As the generator makes them."""
        for path in sorted((self.folder / self.role).glob("out*")):
            text = self.unpackers[self.packing](path.read_bytes()).decode()
            for fields in csv.reader(text.splitlines(keepends=True), strict=True):
                k, g, t, n, at, q, c = (None if field == NULL_IN_FILES else field for field in fields)
                yield (int(k), None if g is None else int(g), t, None if n is None else decimal.Decimal(n),
                       None if at is None else datetime.datetime.fromisoformat(at.ljust(26, "0") if "." in at else at), int(q), c)

    def keys(self):
        return [values[0] for values in self.records()]

    def stands(self):
        marks = self.folder / self.role / ".sluice-progress.db"
        if not marks.exists():
            # Removed by the run that ended, whose output has its name then.
            return Stands([("gone", "done", 0)] if list((self.folder / self.role).glob("out*")) else [], [])
        db = sqlite3.connect(marks, timeout=30)
        try:
            tables = {name for name, in db.execute("SELECT name FROM sqlite_master")}
            if not {"sluice_run", "sluice_progress"} <= tables:
                return Stands([], [])
            return Stands(list(db.execute(f"SELECT run, stage, {HOLDER} FROM sluice_run ORDER BY run")),
                          list(db.execute("SELECT done, position FROM sluice_progress")))
        finally:
            db.close()

    def left_over(self):
        return [path.name for path in (self.folder / self.role).iterdir() if not path.name.startswith(("out", ".sluice-progress"))]

    def make(self, keyed, refuses):
        pass

    def fill(self, rows):
        half = len(rows) // 3
        for name, part in (("a.csv", rows[:half]), ("b.csv", rows[half:])):
            with open(self.folder / self.role / name, "w", encoding="utf-8", newline="") as file:
                # Without quotes a text is NULL, and an empty line is no record: every text has quotes.
                writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
                for k, g, t, n, at, q, c in part:
                    writer.writerow([k, Bare(g), Bare(None) if t is None else t, Bare(None if n is None else f"{n:.6f}"), Bare(content.stamp(at)), q, c])

    def sum(self):
        return None if self.role == "src" else content.sum_of(list(self.records()))

    def end(self, category, **more):
        if category == "Writer":
            packing = {"compress": self.packing} if self.packing else {}
            return {"stepType": "text", "category": "writer", "name": category,
                    "parameter": {"path": f"{self.folder}/{self.role}", "fileName": "out", "fileFormat": "csv", "nullFormat": NULL_IN_FILES,
                                  "singleFileOutput": self.in_one, **packing, **more}}
        kinds = {"k": "LONG", "g": "LONG", "n": "DOUBLE", "at": "DATE", "q": "LONG"}
        columns = [{"index": i, "name": name, "type": kinds.get(name, "STRING"), **({"format": "yyyy-MM-dd HH:mm:ss.SSSSSS"} if name == "at" else {})}
                   for i, name in enumerate(COLUMNS)]
        more.pop("splitPk", None)
        more.pop("splitFactor", None)
        return {"stepType": "text", "category": "reader", "name": category,
                "parameter": {"path": [f"{self.folder}/{self.role}/*.csv"], "fileFormat": "csv", "encoding": "UTF-8", "nullFormat": NULL_IN_FILES, "column": columns, **more}}


class Bare(float):
    """A field without quotes: the writer of csv leaves them out at numbers alone."""

    def __new__(cls, text):
        made = super().__new__(cls, 0)
        made.text = NULL_IN_FILES if text is None else str(text)
        return made

    def __str__(self):
        return self.text

    __repr__ = __str__


def copied(value):
    """In the text form of COPY."""
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def quoted(value):
    if isinstance(value, int):
        return str(value)
    # The client takes a \r\n for a line's end.
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''").replace("\r", "\\r").replace("\n", "\\n") + "'"


SIDES = {side.name: side for side in (PostgreSQL, MariaDB, SQLite, CSV)}
