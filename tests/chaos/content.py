"""What the chaos moves: rows that a seed decides, and what must have become of each."""

import datetime
import decimal
import hashlib

# Texts on which escaping, quoting and charsets of four systems have failed before. None is the word for NULL in files.
AWKWARD = ("", " ", "NULL", "\\N", "\\", "'", '"', '""', "a,b", "line\nbreak", "cr\r\nlf", "tab\there", "Zoë 😀 „x“", "ß" * 40, "trailing ", "%_;--", "\u200b", "x" * 300)
NULL_IN_FILES = "~null~"
BEGINNING = datetime.datetime(1999, 12, 31, 23, 59, 58)
JUNK_KEY = 1_000_000_000  # of rows that stand in a destination before the job


class Row:
    """`k` is unique, `g` may be NULL and repeats; `q` is refused by the destination below 0; `c` is a number as text, or no number."""

    __slots__ = ("k", "g", "t", "n", "at", "q", "c")

    def __init__(self, k, g, t, n, at, q, c):
        self.k, self.g, self.t, self.n, self.at, self.q, self.c = k, g, t, n, at, q, c

    def values(self):
        return (self.k, self.g, self.t, self.n, self.at, self.q, self.c)


COLUMNS = Row.__slots__


def rows(dice, count, bad):
    """`count` rows, of which `bad` are refused: half by the destination (`q`), half on the way (`c`)."""
    made = []
    k = dice.randrange(1000)
    for _ in range(count):
        k += 1 if dice.random() < 0.9 else dice.randrange(1, 500)
        text = None if dice.random() < 0.1 else dice.choice(AWKWARD) if dice.random() < 0.2 else f"{dice.getrandbits(1200):x}"
        number = None if dice.random() < 0.1 else decimal.Decimal(dice.randrange(-10**12, 10**12)).scaleb(-6)
        # A time of whole seconds is another text in a column of texts, once in a million rows.
        at = None if dice.random() < 0.1 else BEGINNING + datetime.timedelta(microseconds=dice.randrange(10**15) | 1)
        made.append(Row(k, None if dice.random() < 0.05 else dice.randrange(50), text, number, at, dice.randrange(1000), str(dice.randrange(-999, 999))))
    for i, row in enumerate(dice.sample(made, bad)):
        if i % 2:
            row.q = -1
        else:
            row.c = "12x"
    return made


def refused(row):
    return row.q < 0 or row.c == "12x"


def stamp(at):
    return None if at is None else at.strftime("%Y-%m-%d %H:%M:%S.%f")


def text_of(values):
    """The form of a row that each system makes in its own SQL, and of which the sums are."""
    k, g, t, n, at, q, c = values
    parts = (k, g, None if t is None else t.encode().hex(), None if n is None else f"{n:.6f}", stamp(at), q, c)
    return "|".join("NULL" if part is None else str(part) for part in parts)


def digest(text):
    """32 bits of the MD5."""
    return int(hashlib.md5(text.encode()).hexdigest()[:8], 16)


def sum_of(all_values):
    """How many rows, and the sum of their digests."""
    return f"{len(all_values)} {sum(digest(text_of(values)) for values in all_values)}"
