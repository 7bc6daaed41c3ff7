"""The independent program: reads the orders with Python's csv and judges each row by itself."""

import csv
import datetime
import re

# What csv does not tell: whether an empty field was quoted (an empty text) or not (NULL).
FIELD = re.compile(r'("(?:[^"]|"")*"|[^",\n][^,\n]*|)(,|\n|$)')


def quoted_rows(text):
    """Rows of fields, None for an unquoted empty one; nothing in place of a row that is no CSV."""
    row = []
    at = 0
    while at < len(text):
        match = FIELD.match(text, at)
        if match is None:  # text behind a closing quote
            at = text.index("\n", at) + 1
            yield None
            row = []
            continue
        raw, end = match.groups()
        row.append(raw[1:-1].replace('""', '"') if raw.startswith('"') else raw or None)
        at = match.end()
        if end != ",":
            yield row
            row = []


def value(kind, text):
    """The value as SQLite shall hold it; ValueError where the row is dirty."""
    if text is None:
        return None
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("not UTF-8")
    if kind == "long":
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise ValueError(text)
        number = int(text)
        if not -(2**63) <= number < 2**63:
            raise ValueError(text)
        return number
    if kind == "double":
        return float(text)
    if kind == "decimal":
        float(text)
        return text
    if kind == "date":
        datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
        return text
    if kind == "boolean":
        return {"true": 1, "false": 0}[text] if text in ("true", "false") else _refuse(text)
    return text


def _refuse(text):
    raise ValueError(text)


def expected(path, kinds):
    """(rows as SQLite shall hold them, number of dirty rows) of a file with a header."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        text = file.read()
    rows = []
    dirty = 0
    records = quoted_rows(text)
    next(records)
    for record in records:
        try:
            if record is None or len(record) < len(kinds):
                raise ValueError("fields")
            rows.append(tuple(value(kind, field) for kind, field in zip(kinds, record)))
        except ValueError:
            dirty += 1
    return rows, dirty


def read_by_csv_module(path):
    """Rows by Python's csv module, header included: NULL and empty text look the same here."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        yield from csv.reader(file)
