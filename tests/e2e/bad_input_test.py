"""Bad input, each with its message: no crash, no half truth, the place and what to do. SLUICE_SHOW=FILE collects the
messages as seen."""

import contextlib
import gzip
import json
import os
import re
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

from e2e.csv_to_sqlite_test import orders_file
from e2e.harness import PROGRAM, ProgramTest, csv_reader, job, sqlite_writer

HEADER = "id,customer,city,quantity,price,ordered_at,active,note\n"
GOOD = "1,Ann,Bonn,3,1.50,2026-01-02 03:04:05,true,hello\n"
NOBODY = 65534


@contextlib.contextmanager
def small_disk(mebibytes):
    """A mounted file system of that size. Needs root."""
    folder = tempfile.mkdtemp(prefix="sluice disk ")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], check=True)
    try:
        yield Path(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        os.rmdir(folder)


def can_mount():
    if os.geteuid() != 0:
        return False
    try:
        with small_disk(1):
            return True
    except (subprocess.CalledProcessError, FileNotFoundError):
        return False


class BadInput(ProgramTest):
    def assert_fails(self, ended, code, *texts, placed=True):
        """`placed`: the last line names a place in the job file, which all but failures beside the job's ends do."""
        show = os.environ.get("SLUICE_SHOW")
        if show:
            with open(show, "a", encoding="utf-8") as out:
                name = self.id().rsplit(".", 1)[1].removeprefix("test_").replace("_", " ")
                shown = "\n".join(ended.text.strip().splitlines()[-4:]).replace(str(self.folder), "DIR")
                out.write(f"## {name}\nexit code {ended.code}\n{shown}\n\n")
        super().assert_fails(ended, code, *texts)
        if placed:
            self.assertEqual(len(re.findall(r"job\.json:\d+", ended.summary["error"]["message"])), 1, str(ended))

    def good_job(self, content=HEADER + GOOD, expect=None, **more):
        setting = {} if expect is None else {"expect": expect}
        return job(csv_reader(self.write("orders.csv", content), **more), sqlite_writer(self.make_table()), **setting)

    # ---- the job file ------------------------------------------------------------------------------------

    def test_json_cut_short_is_told_with_line_and_column(self):
        whole = json.dumps(self.good_job(), indent=2)
        cut = whole[: len(whole) // 2]
        ended = self.run_job(cut)
        self.assert_fails(ended, 2, f"job.json:{cut.count(chr(10)) + 1}:")

    def test_an_unknown_plugin_is_told_with_the_nearest_name(self):
        document = self.good_job()
        document["steps"][1]["stepType"] = "sqlte"
        ended = self.run_job(document)
        self.assert_fails(ended, 2, "job.json:", "steps[1]", '"sqlte"', "sqlite")

    def test_a_missing_job_file_is_told_with_its_path(self):
        path = self.folder / "nowhere.json"
        argv = self.arguments(None)
        argv[2] = str(path)
        done = subprocess.run(argv, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("nowhere.json", done.stderr + done.stdout)

    def test_different_numbers_of_columns_are_told_with_both_numbers(self):
        document = self.good_job()
        document["steps"][1]["parameter"]["column"] = ["id", "customer"]
        ended = self.run_job(document)
        self.assertIn(ended.code, (1, 2), ended)
        self.assert_fails(ended, ended.code, "8", "2", "column")
        self.assertEqual(self.rows(self.folder / "orders.db"), [])

    def test_an_option_of_the_wrong_type_is_told_with_place_and_value(self):
        document = self.good_job()
        document["setting"]["speed"]["concurrent"] = "many"
        self.assert_fails(self.run_job(document), 2, "job.json:", "setting.speed.concurrent", '"many"')

    # ---- the source --------------------------------------------------------------------------------------

    def test_a_missing_file_is_told_with_its_path(self):
        document = self.good_job()
        (self.folder / "orders.csv").unlink()
        self.assert_fails(self.run_job(document), 1, "orders.csv")

    @unittest.skipUnless(os.geteuid() == 0, "needs root, to become another user")
    def test_an_unreadable_file_is_told_with_its_path(self):
        document = self.good_job()
        (self.folder / "orders.csv").chmod(0o600)
        for path in (self.folder, self.folder / "orders.db"):
            os.chown(path, NOBODY, NOBODY)
        self.write("job.json", "")
        os.chown(self.folder / "job.json", NOBODY, NOBODY)
        ended = self.run_job(document, user=NOBODY)
        self.assert_fails(ended, 1, "orders.csv", "ermission")

    def test_records_of_too_few_fields_are_dirty_with_line_and_count(self):
        ended = self.run_job(self.good_job(HEADER + GOOD + "2,Bob\n" + GOOD.replace("1,", "3,", 1)))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=3, written=2, dirty=1)
        record = self.dirty()[0]
        self.assertEqual((record["line"], record["code"], record["side"]), (3, "too_few_fields", "reader"))
        self.assertIn("2", record["message"])

    def test_a_file_of_other_columns_is_said_to_be_dirty_throughout(self):
        ended = self.run_job(self.good_job("a,b\n" + "1,2\n" * 50))
        self.assert_account(ended, read=50, written=0, dirty=50)
        self.assertIn("too_few_fields", ended.text.splitlines()[-1])

    def test_invalid_utf_8_is_dirty_and_kept_byte_by_byte(self):
        ended = self.run_job(self.good_job(HEADER.encode() + GOOD.encode() + b"2,caf\xe9,Bonn,3,1.50,2026-01-02 03:04:05,true,x\n"))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=2, written=1, dirty=1)
        record = self.dirty()[0]
        self.assertEqual((record["line"], record["code"]), (3, "invalid_utf8"))
        self.assertIn({"base64": "Y2Fm6Q=="}, [f["text"] for f in record["record"]])

    def test_a_record_beyond_64_MB_is_dirty_and_the_next_ones_arrive(self):
        long_line = b"2,Bob,Bonn,3,1.50,2026-01-02 03:04:05,true," + b"x" * 100_000_000 + b"\n"
        ended = self.run_job(self.good_job(HEADER.encode() + GOOD.encode() + long_line + GOOD.replace("1,", "3,", 1).encode()))
        self.assert_succeeds(ended)
        self.assert_account(ended, read=3, written=2, dirty=1)
        record = self.dirty()[0]
        self.assertEqual((record["line"], record["code"], record["cut"]), (3, "record_too_large", True))
        self.assertEqual([r[0] for r in self.rows(self.folder / "orders.db")], [1, 3])

    def test_a_gzip_file_cut_short_fails_the_run_as_damaged(self):
        whole = gzip.compress(orders_file(10_000).read_bytes())
        document = job(csv_reader(self.write("orders.csv.gz", whole[: len(whole) // 2]), compress="gzip"),
                       sqlite_writer(self.make_table()))
        ended = self.run_job(document)
        self.assert_fails(ended, 1, "orders.csv.gz")
        self.assertEqual(ended.summary["error"]["kind"], "source_changed", ended.summary)

    def test_text_that_is_no_gzip_is_told(self):
        ended = self.run_job(self.good_job(compress="gzip"))
        self.assert_fails(ended, 1, "orders.csv", "gzip")

    # ---- the destination ---------------------------------------------------------------------------------

    def test_a_missing_table_is_told_with_its_name(self):
        document = self.good_job()
        document["steps"][1]["parameter"]["table"] = "order"
        self.assert_fails(self.run_job(document), 1, '"order"')

    def test_a_missing_column_is_told_before_data_moves(self):
        document = self.good_job()
        document["steps"][1]["parameter"]["column"][1] = "custmer"
        self.assert_fails(self.run_job(document), 1, "custmer")
        self.assertEqual(self.rows(self.folder / "orders.db"), [])

    def test_a_locked_file_is_waited_for_and_then_told_as_busy(self):
        document = self.good_job(HEADER + GOOD)
        document["steps"][1]["parameter"]["busyTimeout"] = 1000
        db = sqlite3.connect(self.folder / "orders.db", isolation_level=None)
        self.addCleanup(db.close)
        db.execute("BEGIN EXCLUSIVE")
        ended = self.run_job(document)
        self.assert_fails(ended, 1, "orders.db")
        self.assertEqual(ended.summary["error"]["kind"], "busy", ended.summary)
        self.assertEqual(ended.summary["dirty"], 0)
        db.execute("ROLLBACK")
        again = self.run_job(document)
        self.assert_succeeds(again)
        self.assertEqual([r[0] for r in self.rows(self.folder / "orders.db")], [1])

    @unittest.skipUnless(can_mount(), "needs root, to mount a small file system")
    def test_a_full_disk_under_the_destination_fails_the_run_as_no_room_and_the_same_command_goes_on(self):
        source = orders_file(50_000)
        with small_disk(2) as disk:
            database = disk / "orders.db"
            with sqlite3.connect(database) as db:
                db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, city TEXT, quantity INTEGER, "
                           "price REAL, ordered_at TEXT, active INTEGER, note TEXT)")
            db.close()
            document = job(csv_reader(source), sqlite_writer(database))
            ended = self.run_job(document)
            self.assert_fails(ended, 1, "orders.db")
            self.assertEqual(ended.summary["error"]["kind"], "no_room", ended.summary)
            subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
            again = self.run_job(document)
            self.assert_succeeds(again)
            self.assert_account(again, read=50_000, written=50_000 - 37, dirty=37)
            self.assertEqual(self.rows(database, "SELECT count(*) FROM orders"), [(50_000 - 37,)])
            self.assertEqual(len(self.dirty()), 37)

    @unittest.skipUnless(can_mount(), "needs root, to mount a small file system")
    def test_a_full_disk_under_the_run_folder_fails_the_run_as_no_room(self):
        rows = "".join(f"{n},Ann,Bonn,none,1.50,2026-01-02 03:04:05,true,{'x' * 200}\n" for n in range(20_000))
        document = self.good_job(HEADER + rows)
        with small_disk(1) as disk:
            self.state = disk / "state"
            ended = self.run_job(document)
            self.assert_fails(ended, 1, "dirty", placed=False)
            self.assertEqual(ended.summary["error"]["kind"], "no_room", ended.summary)

    @unittest.skipUnless(can_mount(), "needs root, to mount a small file system")
    def test_a_disk_that_is_full_under_the_run_folder_in_the_middle_loses_and_doubles_nothing(self):
        rows, bad = 150_000, 30_000
        lines = [f"{n},Ann,Bonn,{'none' if n % 5 == 3 else n},1.50,2026-01-02 03:04:05,true,{'x' * 100}\n" for n in range(rows)]
        document = self.good_job(HEADER + "".join(lines))
        database = self.folder / "orders.db"
        with small_disk(12) as disk:
            self.state = disk / "state"
            # A mark each 0.2 s or so: some stand when the disk is full.
            ended = self.run_job(document, "--set", "setting.speed.throttle=true", "--set", "setting.speed.mbps=2")
            self.assert_fails(ended, 1, "dirty", placed=False)
            self.assertEqual(ended.summary["error"]["kind"], "no_room", ended.summary)
            self.assertTrue(ended.summary["resumable"], ended.summary)
            self.assertGreater(ended.summary["written"], 0, "a mark stands")
            self.assertLess(ended.summary["read"], rows)
            self.assertEqual(self.rows(database, "SELECT count(*) FROM orders"), [(ended.summary["written"],)])
            # Nothing has become free: the same command fails again, and moves nothing that its dirty file could not tell of.
            still = self.run_job(document)
            self.assert_fails(still, 1, placed=False)
            subprocess.run(["mount", "-o", "remount,size=128m", str(disk)], check=True)
            again = self.run_job(document)
            self.assert_succeeds(again)
            self.assertTrue(again.summary["resumed"], again.summary)
            self.assertEqual(again.summary["run"], ended.summary["run"])
            self.assert_account(again, read=rows, written=rows - bad, dirty=bad)
            self.assertEqual(self.rows(database, "SELECT count(*), count(DISTINCT id) FROM orders"), [(rows - bad, rows - bad)])
            self.assertEqual(sorted(d["line"] for d in self.dirty()), [n + 2 for n in range(rows) if n % 5 == 3])

    def test_a_file_size_limit_under_the_run_folder_fails_the_run_as_no_room(self):
        rows = "".join(f"{n},Ann,Bonn,none,1.50,2026-01-02 03:04:05,true,{'x' * 200}\n" for n in range(20_000))
        ended = self.run_job(self.good_job(HEADER + rows), file_bytes_max=1 << 20)
        self.assert_fails(ended, 1, "dirty", placed=False)
        self.assertEqual(ended.summary["error"]["kind"], "no_room", ended.summary)

    # ---- limits ------------------------------------------------------------------------------------------

    def test_the_record_over_the_limit_fails_the_run_and_is_named(self):
        rows = "".join(f"{n},Ann,Bonn,{'none' if n % 10 == 5 else n},1.50,2026-01-02 03:04:05,true,x\n" for n in range(100))
        document = job(csv_reader(self.write("orders.csv", HEADER + rows)), sqlite_writer(self.make_table()), errors=3)
        ended = self.run_job(document)
        self.assert_fails(ended, 1, "setting.errorLimit.record", "3", "37")  # the 4th bad record stands in line 37
        self.assertEqual(ended.summary["error"]["kind"], "over_limit", ended.summary)
        # A scheduler that tries again moves nothing more, until the limit is raised.
        database = document["steps"][1]["parameter"]["jdbcUrl"].removeprefix("jdbc:sqlite:")
        before = self.rows(database)
        again = self.run_job(document)
        self.assert_fails(again, 1, "setting.errorLimit.record", "the limit is 3 dirty records, but the run that is to be continued has 10 already, of ")
        self.assertEqual(self.rows(database), before)
        document["setting"]["errorLimit"]["record"] = "10"
        self.assert_succeeds(self.run_job(document))
        self.assertEqual(len(self.rows(database)), 90)

    def test_a_run_that_fails_counts_the_codes_of_the_records_it_moved(self):
        rows = "".join(f"{n},Ann,Bonn,{'none' if n % 500 == 5 else n},1.50,2026-01-02 03:04:05,true,x\n" for n in range(250_000))
        source = self.write("orders.csv", HEADER + rows)
        # Room for a transaction of 100,000 records, and not for three.
        ended = self.run_job(job(csv_reader(source), sqlite_writer(self.make_table())), file_bytes_max=12 << 20)
        self.assert_fails(ended, 1, "orders.db")
        self.assertGreater(ended.summary["written"], 0)
        self.assertGreater(ended.summary["dirty"], 0)
        self.assertEqual(sum(ended.summary["dirty_by_code"].values()), ended.summary["dirty"], ended.summary)

    def test_a_time_zone_that_does_not_exist_is_told_with_its_place(self):
        document = self.good_job()
        document["setting"]["common"] = {"column": {"timeZone": "Europe/Bonn"}}
        self.assert_fails(self.run_job(document), 2, "setting.common.column.timeZone", "Europe/Bonn")

    def test_what_is_expected_and_does_not_come_is_told_with_the_place_of_the_expectation(self):
        for name, value in (("min_records", 2), ("max_records", 0), ("max_dirty_ratio", 0.4)):
            with self.subTest(name):
                rows = GOOD.replace("1,", "x,", 1) if name == "max_dirty_ratio" else GOOD
                ended = self.run_job(self.good_job(HEADER + rows, expect={name: value}), "--name", name)
                self.assert_fails(ended, 1, f"setting.expect.{name}")
                (self.folder / "orders.db").unlink()

    def test_fail_on_dirty_makes_exit_code_1(self):
        document = self.good_job(HEADER + GOOD + GOOD.replace("1,", "x,", 1))
        self.assertEqual(self.run_job(document, "--fail-on-dirty").code, 1)

    # ---- what is printed ----------------------------------------------------------------------------------

    def test_output_that_cannot_be_written_is_told(self):
        path = self.write("job.json", json.dumps(self.good_job()))
        for arguments in (["plan", path], ["check", path], ["params", path], ["template", "csv", "sqlite"], ["plugins"], ["schema"], ["--help"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                ended = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                       env={**os.environ, "SLUICE_STATE": str(self.state)})
            self.assertIn("standard output cannot be written: No space left on device", ended.stderr, arguments)
            self.assertEqual(ended.returncode, 1, arguments)

    def test_a_run_keeps_its_exit_code_where_its_summary_cannot_be_printed(self):
        path = self.write("job.json", json.dumps(self.good_job()))
        with open("/dev/full", "w", encoding="utf-8") as full:
            ended = subprocess.run([PROGRAM, "run", path, "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                   env={**os.environ, "SLUICE_STATE": str(self.state)})
        self.assertIn("standard output cannot be written", ended.stderr)
        self.assertEqual(ended.returncode, 0, ended.stderr)
