"""The same job as a 2.0 file and as a DataX file."""

import sqlite3

from e2e.csv_to_sqlite_test import orders_file
from e2e.harness import ORDER_COLUMNS, ORDERS_TABLE, ProgramTest, csv_reader, job, order_columns, sqlite_writer

ZONE = "Europe/Berlin"


def datax_job(source, database):
    return {"job": {
        "setting": {"speed": {"channel": 1}, "errorLimit": {"record": 1000}},
        "content": [{
            "reader": {"name": "txtfilereader", "parameter": {
                "path": [str(source)], "fileFormat": "csv", "encoding": "UTF-8", "skipHeader": True, "nullFormat": "",
                "fieldDelimiter": ",", "column": order_columns(),
                "csvReaderConfig": {"trimWhitespace": False, "skipEmptyRecords": False, "safetySwitch": False}}},
            "writer": {"name": "sqlitewriter", "parameter": {
                "connection": [{"jdbcUrl": f"jdbc:sqlite:{database}", "table": ["orders"]}], "column": ORDER_COLUMNS,
                "writeMode": "insert", "emptyAsNull": False}},
        }]},
        "common": {"column": {"timeZone": ZONE}}}


def script_job(source, database):
    document = job(csv_reader(source, fieldDelimiter=",",
                              csvReaderConfig={"trimWhitespace": False, "skipEmptyRecords": False, "safetySwitch": False}),
                   sqlite_writer(database, writeMode="insert", emptyAsNull=False), errors=1000,
                   common={"column": {"timeZone": ZONE}})
    return document


def dump(path):
    """`.dump` without the tables of progress."""
    db = sqlite3.connect(path)
    try:
        return [line for line in db.iterdump() if "sluice_" not in line]
    finally:
        db.close()


class Dialects(ProgramTest):
    def test_a_2_0_file_and_a_datax_file_give_equal_dumps(self):
        source = orders_file(50_000)
        dumps = []
        accounts = []
        for name, make in (("script", script_job), ("datax", datax_job)):
            database = self.make_table(ORDERS_TABLE, f"{name}.db")
            ended = self.run_job(make(source, database), "--name", name)
            self.assert_succeeds(ended)
            self.assert_account(ended, read=50_000, dirty=37)
            dumps.append(dump(database))
            accounts.append({k: ended.summary[k] for k in ("read", "written", "dirty", "ignored", "filtered", "bytes")})
        self.assertGreater(len(dumps[0]), 49_000)
        self.assertEqual(dumps[0], dumps[1])
        self.assertEqual(accounts[0], accounts[1])
        self.assertEqual(*[[(d["position"], d["code"]) for d in self.dirty() if d["job"] == name] for name in ("script", "datax")])
