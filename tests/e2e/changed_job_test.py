"""A run that did not come to its end, and what the next start makes of it: the same job, a changed one, another one."""

import os
import re
import shutil
import socket
import sqlite3

from e2e.csv_to_sqlite_test import orders_file
from e2e.harness import ORDERS_TABLE, ProgramTest, csv_reader, job, sqlite_writer

ROWS = 200_000
BAD = 37
LIMIT = 20


class ChangedJob(ProgramTest):
    def setUp(self):
        super().setUp()
        self.database = self.make_table()
        self.source = orders_file(ROWS, BAD)

    def orders(self, errors=None, table="orders", **writer):
        return job(csv_reader(self.source), sqlite_writer(self.database, table, **writer), errors=errors)

    def half(self):
        """A run that failed in the middle: its summary."""
        ended = self.run_job(self.orders(errors=LIMIT))
        self.assert_fails(ended, 1, "job.json:", "setting.errorLimit.record", "crossed it")
        self.assertGreater(ended.summary["written"], 0)
        self.assertLess(ended.summary["written"], ROWS - BAD)
        return ended.summary

    def count(self, table="orders"):
        return self.rows(self.database, f"SELECT count(*) FROM {table}")[0][0]

    def change(self, sql, *values):
        db = sqlite3.connect(self.database)
        with db:
            db.execute(sql, values)
        db.close()

    def hold(self, run, pid, start):
        """The run's claim is that of this process."""
        self.change("UPDATE sluice_run SET owner_host = ?, owner_pid = ?, owner_start = ?, owner_session = '' WHERE run = ?",
                    socket.gethostname(), pid, start, run)

    def test_a_job_changed_after_a_failed_run_is_refused_and_doubles_nothing(self):
        half = self.half()
        ended = self.run_job(self.orders(writeMode="replace"))
        self.assert_fails(ended, 1, half["run"], "job.json:", "steps[1]", f"{half['written']:,} rows", "its writer differs",
                          f"{half['run_folder']}/job.json", 'steps[1].parameter.writeMode was not there and is "replace"',
                          "--on-unfinished fresh", "Put the job back")
        self.assertEqual(ended.summary["error"]["kind"], "conflict")
        self.assertEqual(self.count(), half["written"])

        back = self.run_job(self.orders())
        self.assert_succeeds(back)
        self.assert_account(back, read=ROWS, written=ROWS - BAD, dirty=BAD)
        self.assertEqual(back.summary["run"], half["run"])
        self.assert_succeeds(self.run_job(self.orders(writeMode="replace")))

    def test_post_sql_may_be_edited_after_it_has_failed_also_under_another_name_and_without_the_state_folder(self):
        self.change("CREATE TABLE steps (n INTEGER PRIMARY KEY)")
        self.source = shutil.copy(self.source, self.folder / "copy.csv")
        one, two = "INSERT INTO steps VALUES (1)", "INSERT INTO steps VALUES (2)"
        failed = self.run_job(self.orders(postSql=[one, one]))
        self.assert_fails(failed, 1, "steps[1].parameter.postSql[1]", "postSql may be edited")
        self.assertEqual(self.count(), ROWS - BAD)
        os.truncate(self.source, 1000)  # nobody reads it any more
        shutil.rmtree(self.state)
        self.assert_fails(self.run_job(self.orders(postSql=[two, two])), 1, "steps behind the data, which is not the first of the job any more")
        ended = self.run_job(self.orders(postSql=[one, two]), "--name", "renamed")
        self.assert_succeeds(ended)
        self.assertIn(f'continuing run {failed.summary["run"]}, begun as job "job",', ended.text)
        self.assertEqual((ended.summary["run"], ended.summary["written"]), (failed.summary["run"], ROWS - BAD))
        self.assertEqual(self.rows(self.database, "SELECT n FROM steps"), [(1,), (2,)])
        self.assertEqual(self.count(), ROWS - BAD)

    def test_a_step_that_has_run_does_not_run_again_wherever_the_run_fails(self):
        self.change("CREATE TABLE steps (n INTEGER)")
        self.change("CREATE TABLE stuck (n INTEGER PRIMARY KEY)")
        self.change("INSERT INTO stuck VALUES (1)")
        stuck = "INSERT INTO stuck VALUES (1)"
        more = {"preSql": ["INSERT INTO steps VALUES (1)", stuck], "postSql": ["INSERT INTO steps VALUES (2)", stuck]}
        for errors, place, ran in ((LIMIT, "preSql[1]", [(1,)]), (LIMIT, "setting.errorLimit.record", [(1,)]), (None, "postSql[1]", [(1,), (2,)])):
            with self.subTest(place):
                self.assert_fails(self.run_job(self.orders(errors=errors, **more)), 1, place)
                self.assertEqual(self.rows(self.database, "SELECT n FROM steps"), ran)
                if place != "setting.errorLimit.record":
                    self.change("DELETE FROM stuck")
        ended = self.run_job(self.orders(**more))
        self.assert_succeeds(ended)
        self.assertEqual(self.rows(self.database, "SELECT n FROM steps"), [(1,), (2,)])
        self.assertEqual(self.count(), ROWS - BAD)

    def test_fresh_forgets_the_run_of_the_changed_job(self):
        half = self.half()
        changed = self.run_job(self.orders(writeMode="replace"), "--on-unfinished", "fresh")
        self.assert_succeeds(changed)
        self.assert_account(changed, read=ROWS, written=ROWS - BAD, dirty=BAD)
        self.assertEqual(self.count(), ROWS - BAD)
        self.assertEqual(self.rows(self.database, "SELECT count(*) FROM sluice_run WHERE run = '%s'" % half["run"]), [(0,)])
        self.assertFalse(os.path.exists(half["run_folder"] + "/unfinished"))

    def test_a_changed_job_is_refused_without_the_state_folder_too(self):
        half = self.half()
        shutil.rmtree(self.state)
        ended = self.run_job(self.orders(writeMode="replace"))
        self.assert_fails(ended, 1, half["run"], "its writer differs")

    def test_a_changed_job_into_another_table_is_told_and_runs(self):
        half = self.half()
        self.change(ORDERS_TABLE.replace("orders", "other", 1))
        ended = self.run_job(self.orders(table="other"))
        self.assert_succeeds(ended)
        self.assertIn(half["run"], ended.text)
        self.assertEqual(self.count("other"), ROWS - BAD)
        self.assertEqual(self.count(), half["written"])

    def test_another_job_into_the_table_is_refused_by_the_name_of_the_first(self):
        half = self.half()
        ended = self.run_job(self.orders(writeMode="ignore"), "--name", "another")
        self.assert_fails(ended, 1, half["run"], 'job "job"', "another job's", "Run that job again")
        self.assertEqual(self.count(), half["written"])

    def test_a_job_continued_under_another_name_finds_its_folder_and_its_dirty_records(self):
        half = self.half()
        ended = self.run_job(self.orders(), "--name", "renamed")
        self.assert_succeeds(ended)
        self.assertEqual(ended.summary["run"], half["run"])
        self.assertEqual(ended.summary["run_folder"], half["run_folder"])
        self.assertEqual(ended.summary["dirty_missing"], 0)
        self.assertEqual(len(self.dirty()), BAD)

    def test_a_continued_run_counts_all_its_dirty_records_by_their_codes(self):
        self.half()
        ended = self.run_job(self.orders())
        self.assert_succeeds(ended)
        found = {}
        for record in self.dirty():
            found[record["code"]] = found.get(record["code"], 0) + 1
        self.assertEqual(ended.summary["dirty_by_code"], found)
        for code, records in found.items():
            self.assertIn(f"{code} {records}", ended.text.splitlines()[-1])

    def test_a_run_stopped_again_counts_the_dirty_records_of_both_processes_by_their_codes(self):
        half = self.half()
        ended = self.run_job(self.orders(errors=half["dirty"] + 5))
        self.assert_fails(ended, 1, "crossed it")
        codes = ended.summary["dirty_by_code"]
        self.assertNotIn("counted_before_resume", codes)
        self.assertEqual(sum(codes.values()), ended.summary["dirty"])

    def test_where_the_text_of_dirty_records_is_lost_they_are_counted_as_lost(self):
        half = self.half()
        shutil.rmtree(self.state)
        ended = self.run_job(self.orders())
        self.assert_succeeds(ended)
        self.assertEqual(ended.summary["dirty_missing"], half["dirty"])
        self.assertEqual(ended.summary["dirty_by_code"]["counted_before_resume"], half["dirty"])

    def test_a_source_changed_since_names_the_dirty_file_of_the_run_that_was_to_be_continued(self):
        copy = self.folder / "copy.csv"
        shutil.copy(self.source, copy)
        self.source = copy
        half = self.half()
        with open(copy, "r+b") as file:
            file.seek(file.read(4096).index(b"\n") + 1)  # within what is written already
            file.write(b"9")
        ended = self.run_job(self.orders())
        self.assert_fails(ended, 1, "job.json:", "steps[0]", "copy.csv")
        self.assertEqual(ended.summary["error"]["kind"], "source_changed")
        self.assertEqual(ended.summary["dirty_file"], half["dirty_file"])
        for named in re.findall(r"/\S*dirty\.jsonl", ended.text.replace(str(self.folder), "")):
            self.assertTrue((self.folder / named[1:]).exists(), named)

    def test_a_run_that_was_complete_but_for_its_claim_shows_its_account(self):
        done = self.run_job(self.orders()).summary
        self.hold(done["run"], 2**22 + 1, "1")  # above the largest pid of Linux: a process that is gone
        ended = self.run_job(self.orders())
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS - BAD, dirty=BAD)
        self.assertEqual(ended.summary["state"], "succeeded_with_dirty")
        for member in ("run", "run_folder", "dirty_file", "dirty_by_code", "dirty_missing", "sums", "bytes", "committed"):
            self.assertEqual(ended.summary[member], done[member], member)
        self.assertIn(f"{ROWS - BAD:,}", ended.text)
        self.assertEqual(self.count(), ROWS - BAD)

    def test_of_a_run_that_was_complete_but_for_its_claim_the_text_that_was_lost_is_missing(self):
        done = self.run_job(self.orders()).summary
        self.assertEqual(done["dirty_missing"], 0)
        self.hold(done["run"], 2**22 + 1, "1")
        shutil.rmtree(done["run_folder"])
        ended = self.run_job(self.orders())
        self.assert_succeeds(ended)
        self.assert_account(ended, read=ROWS, written=ROWS - BAD, dirty=BAD)
        self.assertEqual(ended.summary["run"], done["run"])
        self.assertEqual(ended.summary["dirty_missing"], BAD)
        self.assertEqual(ended.summary["dirty_by_code"], done["dirty_by_code"])

    def test_a_table_that_a_living_run_fills_is_not_emptied(self):
        half = self.half()
        with open("/proc/self/stat", encoding="utf-8") as file:
            ticks = file.read().rsplit(")", 1)[1].split()[19]
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            boot = file.read().strip()
        self.hold(half["run"], os.getpid(), f"{boot}/{ticks}")
        ended = self.run_job(self.orders(preSql=["DELETE FROM @table"]), "--name", "emptying", "--on-unfinished", "fresh")
        self.assert_fails(ended, 1, half["run"], f"process {os.getpid()}", "which this job empties first")
        self.assertEqual(self.count(), half["written"])
