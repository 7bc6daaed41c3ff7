"""The chaos judges: whatever is done to a destination that is right must be seen."""

import json
import tempfile
import unittest
from pathlib import Path

from chaos.case import Case, Wrong
from e2e.harness import PROGRAM

HARMS = {
    "1 lost": "DELETE FROM dst WHERE k = (SELECT min(k) FROM dst)",
    "0 lost, k = []; 1 too many": "INSERT INTO dst SELECT * FROM dst WHERE k = (SELECT min(k) FROM dst)",
    "other values differ": "UPDATE dst SET t = 'x' WHERE k = (SELECT min(k) FROM dst)",
    "of a NULL and an empty text": "UPDATE dst SET t = '' WHERE t IS NULL",
    "postSql ran": "INSERT INTO steps VALUES (1)",
    "left in sluice_progress": "INSERT INTO sluice_progress (run, split, description, label, epoch, owner, txn, sequence, position, read, written, ignored, dirty, "
                               "filtered, bytes, read_sum, written_sum, dirty_sum, changed, done) VALUES ('x', 0, '', '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', 0, 0)",
    "expected one run, done": "UPDATE sluice_run SET stage = 'post:0'",
}


class Judges(unittest.TestCase):
    def setUp(self):
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built; ./tests/run.sh release builds it")
        folder = tempfile.TemporaryDirectory(prefix="sluice-chaos-")
        self.addCleanup(folder.cleanup)
        self.folders = Path(folder.name)
        self.began = 0

    def ended(self):
        """A case without events that has ended well."""
        self.began += 1
        case = Case(5, None, self.folders / str(self.began), ("SQLite", "SQLite"))
        case.events, case.rows, case.shape = [], case.rows[:300], "insert, no key"
        case.rows[7].q, case.rows[9].c = -1, "12x"
        case.run()
        return case

    def test_what_is_done_to_the_destination_is_seen(self):
        case = self.ended()
        saved = case.target.path.read_bytes()
        for said, harm in HARMS.items():
            with self.subTest(harm):
                case.target.path.write_bytes(saved)
                case.target.sql(harm)
                with self.assertRaises(Wrong) as raised:
                    case.judge()
                if not said.startswith("of "):
                    self.assertIn(said, str(raised.exception))
        case.target.path.write_bytes(saved)
        case.judge()

    def test_a_dirty_record_that_stands_twice_or_is_missing_is_seen(self):
        case = self.ended()
        (path,) = case.state.rglob("dirty.jsonl")
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        self.assertEqual(len(lines), case.bad())
        for harmed in (lines + lines[:1], lines[1:], [*lines, json.dumps({**json.loads(lines[0]), "record": [{"text": "-1"}]})]):
            path.write_text("".join(harmed), encoding="utf-8")
            with self.assertRaises(Wrong):
                case.judge()

    def test_an_account_that_does_not_close_is_seen(self):
        case = self.ended()
        case.summary["written"] -= 1
        with self.assertRaisesRegex(Wrong, "the account is"):
            case.judge()

    def test_a_process_that_fails_though_nothing_happened_to_it_is_seen(self):
        case = self.ended()
        case.target.sql("DROP TABLE dst")
        case.start()
        with self.assertRaisesRegex(Wrong, "failed though nothing happened to it"):
            case.come_to_the_end()
