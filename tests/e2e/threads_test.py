"""Real runs with threads, for the thread sanitizer: build with SLUICE_BUILD=tsan."""

from e2e.csv_to_sqlite_test import orders_file
from e2e.harness import ProgramTest, csv_reader, job, sqlite_writer


def stream_job(records, pipelines):
    reader = {"stepType": "stream", "category": "reader", "name": "Reader",
              "parameter": {"sliceRecordCount": records, "column": [{"type": "long", "random": "0,100"},
                                                                    {"type": "string", "random": "1,20"}]}}
    writer = {"stepType": "stream", "category": "writer", "name": "Writer", "parameter": {"print": False}}
    return job(reader, writer, concurrent=pipelines)


class Threads(ProgramTest):
    def assert_no_race(self, ended):
        self.assertNotIn("ThreadSanitizer", ended.text)
        self.assert_succeeds(ended)

    def test_eight_pipelines_of_streams_run_without_a_race(self):
        ended = self.run_job(stream_job(20_000, 8))
        self.assert_no_race(ended)
        self.assert_account(ended, read=160_000, written=160_000)

    def test_splits_of_a_file_into_sqlite_run_without_a_race(self):
        source = orders_file(10_000)
        ended = self.run_job(job(csv_reader(source), sqlite_writer(self.make_table()), concurrent=4))
        self.assert_no_race(ended)
        self.assert_account(ended, read=10_000, dirty=37)
