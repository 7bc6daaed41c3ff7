#!/usr/bin/env python3
"""Makes a CSV file of orders as real exports look: quoted newlines, Unicode, empty against NULL, numbers, dates, and an
exact number of bad rows. The same arguments give the same bytes."""

import argparse
import random
import sys

COLUMNS = ["id", "customer", "city", "quantity", "price", "ordered_at", "active", "note"]

NAMES = ["Müller, Jürgen", "O'Brien", 'Anna "Ann" Lee', "王小明", "Łukasz Żak", "Иван Петров", "José Núñez", "Zoë", "محمد علي",
         "Smith\nand Sons", "😀 Emoji GmbH", "  spaced  ", "plain", "Ünal\r\nOğuz", "a,b;c\td", "NULL", "\\N", "None"]
CITIES = ["Köln", "São Paulo", "東京", "New York", "Zürich", "", None, "İstanbul", "Åbo", "Washington, D.C."]
NOTES = [None, None, "", "", "first line\nsecond line", 'he said ""yes""', "ends with quote\"", "0", " ", "tab\there",
         "ßẞ", "e\u0301 against é", "\u200bzero width", "a much longer note that fills the row a little: " + "x" * 60]

BAD = {
    "quantity is no number": lambda row, r: row.__setitem__(3, f"{r.randrange(100)}a"),
    "price is no number": lambda row, r: row.__setitem__(4, "1.2.3"),
    "day does not exist": lambda row, r: row.__setitem__(5, f"2026-02-30 {r.randrange(10, 24)}:00:00"),
    "id is beyond int64": lambda row, r: row.__setitem__(0, "9223372036854775808"),
    "active is no boolean": lambda row, r: row.__setitem__(6, "maybe"),
    "too few fields": lambda row, r: row.__delitem__(slice(4, None)),
    "invalid UTF-8": lambda row, r: row.__setitem__(1, b"caf\xe9".decode("utf-8", "surrogateescape")),
    # The end of such a record is a matter of taste; without quoted newlines behind it all agree.
    "text behind a quote": lambda row, r: row.__setitem__(slice(2, None), [RawField('"Bonn"x'), *row[3:7], None]),
}


class RawField(str):
    """A field that stands in the file as it is."""


def field(value):
    """A field as the file has it: NULL unquoted and empty, an empty text quoted."""
    if value is None:
        return ""
    if isinstance(value, RawField):
        return value
    if value == "" or any(c in value for c in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def good_row(number, r):
    day = r.randrange(20 * 365)
    return [
        str(number),
        NAMES[number * 7 % len(NAMES)] if number % 3 else f"Customer {number}",
        CITIES[r.randrange(len(CITIES))],
        None if number % 11 == 0 else str(r.randrange(-5, 1000)),
        f"{r.randrange(1_000_000) / 100:.2f}" if number % 13 else None,
        f"{2006 + day // 365:04}-{1 + day % 12:02}-{1 + day % 28:02} {number % 24:02}:{number % 60:02}:{day % 60:02}",
        "true" if number % 2 else "false",
        NOTES[r.randrange(len(NOTES))],
    ]


def write(out, rows, bad, seed):
    """Writes header and rows; gives the (row number from 1, kind) of the bad ones."""
    r = random.Random(seed)
    kinds = list(BAD)
    chosen = sorted(r.sample(range(1, rows + 1), bad))
    bad_rows = {number: kinds[i % len(kinds)] for i, number in enumerate(chosen)}
    lines = [",".join(COLUMNS)]
    for number in range(1, rows + 1):
        row = good_row(number, r)
        if number in bad_rows:
            BAD[bad_rows[number]](row, r)
        lines.append(",".join(map(field, row)))
        if len(lines) >= 20_000:
            out.write("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")
            lines = []
    if lines:
        out.write("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")
    return bad_rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bad", type=int, default=37, help="how many of the rows are bad")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("out")
    options = parser.parse_args()
    if options.bad > options.rows:
        parser.error("--bad is more than --rows")
    with open(options.out, "wb") as out:
        bad_rows = write(out, options.rows, options.bad, options.seed)
    print(f"{options.rows} rows, {len(bad_rows)} of them bad", file=sys.stderr)


if __name__ == "__main__":
    main()
