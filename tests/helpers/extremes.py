"""The least and greatest value of every kind of column, and null."""

from __future__ import annotations

import datetime as dt

from midiopt.kinds import BOOL, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, SET, SHARES, SKETCH, TEXT, TEXTS, TIME
from midiopt.schema import Column

INTEGERS = (INT16, INT32, INT64)
LOWEST = {
    TEXT: "",
    TEXTS: [],
    SET: [],
    SHARES: [0.0] * 12,
    BOOL: False,
    HASH16: bytes(15) + b"\1",
    HASH8: bytes(7) + b"\1",
    SKETCH: [1],
    FLOAT32: -3.4028234663852886e38,
    FLOAT64: -1.7976931348623157e308,
    TIME: dt.datetime(1, 1, 1, tzinfo=dt.UTC),
} | {kind: kind.low for kind in INTEGERS}
HIGHEST = {
    BOOL: True,
    TEXT: "\U0010ffff" * 600,
    TEXTS: ['"', "\\", "\x01\x1f\x7f", "é\U0001f3b9", "x" * 1000, "NULL", "{}", ","],
    SHARES: [1.0, *[0.0] * 10, 1e-6],
    HASH16: b"\xff" * 16,
    HASH8: b"\xff" * 8,
    SKETCH: [(place << 19) + 2**19 - 1 for place in range(32)],
    FLOAT32: 1e-45,
    FLOAT64: 5e-324,
    TIME: dt.datetime(9999, 12, 31, 23, 59, 59, 999999, dt.UTC),
} | {kind: kind.high for kind in INTEGERS}


def lowest(c: Column):
    return c.values[0] if c.values else LOWEST[c.kind]


def highest(c: Column):
    return c.values[-1] if c.values else list(range(c.first, c.first + c.bits)) if c.bits else HIGHEST[c.kind]


def null(c: Column):
    return None if c.nullable else lowest(c)
