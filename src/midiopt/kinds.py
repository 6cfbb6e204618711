"""Column kinds: how a value of each is stored in a row, in both databases, in Python and in Arrow.

Whatever depends on the kind of a column reads this table. To add a kind, add a row here and to KINDS. Compiled code
needs its name in ``rows/layout.pxd``, how to decode it in ``rows/row_decoder.pyx``, and how to encode it in
``sinks/sqlite_rows.pyx`` and ``sinks/postgres_copy.pyx``; ``tests/rows/test_kinds.py`` compares the numbers.
"""

from __future__ import annotations

from typing import NamedTuple

NULL_TEXT = 2**32 - 1  # as the length
NULL_ENUM = 255
NULL_INT32 = -(2**31)
NAN = float("nan")


class Kind(NamedTuple):  # a frozen dataclass would cost every worker another millisecond at its start
    """One kind of column."""

    name: str
    numpy: str  # dtype of an item in a row, little-endian
    items: int  # per value; 0 for a set, whose column gives the number of bits
    struct: str  # unpacks a value at once, a text as offset + (length << 32); "" for a set, which is unpacked as bytes
    python: str  # annotation of a value that is not null
    arrow: str
    sqlite: str
    postgres: str
    label: str  # in the documentation
    null: float | None  # in a row (of a text its length); None: the kind has no null
    low: int = 0  # least and greatest valid integer or share; an enumeration ends with its last name
    high: int = 0

    @property
    def is_text(self) -> bool:
        """Whether a row holds the offset and the length of text in the heap."""
        return self.struct == "Q"

    @property
    def is_list(self) -> bool:
        """Whether values are lists: an array in PostgreSQL, JSON text in SQLite."""
        return self.postgres.endswith("[]")

    @property
    def is_single_precision(self) -> bool:
        """Whether a database may return any number that rounds to the stored 32-bit float."""
        return self.numpy == "<f4"


YEAR_1, YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000  # in microseconds since 1970

# UTF-8 in the heap of the batch; the row holds its offset and length.
TEXT = Kind(
    "text", numpy="<u4", items=2, struct="Q", python="str", arrow="string",
    sqlite="TEXT", postgres="text", label="text", null=NULL_TEXT,
)  # fmt: skip
# The same; the items are joined by NUL, and no item is empty.
TEXTS = Kind(
    "texts", numpy="<u4", items=2, struct="Q", python="list[str]", arrow="list<string>",
    sqlite="TEXT", postgres="text[]", label="list of text", null=None,
)  # fmt: skip
INT16 = Kind(
    "int16", numpy="<i2", items=1, struct="h", python="int", arrow="int16",
    sqlite="INTEGER", postgres="smallint", label="int16", null=-(2**15), low=1 - 2**15, high=2**15 - 1,
)  # fmt: skip
INT32 = Kind(
    "int32", numpy="<i4", items=1, struct="i", python="int", arrow="int32",
    sqlite="INTEGER", postgres="integer", label="int32", null=NULL_INT32, low=1 - 2**31, high=2**31 - 1,
)  # fmt: skip
INT64 = Kind(
    "int64", numpy="<i8", items=1, struct="q", python="int", arrow="int64",
    sqlite="INTEGER", postgres="bigint", label="int64", null=-(2**63), low=1 - 2**63, high=2**63 - 1,
)  # fmt: skip
FLOAT32 = Kind(
    "float32", numpy="<f4", items=1, struct="f", python="float", arrow="float",
    sqlite="REAL", postgres="real", label="float32", null=NAN,
)  # fmt: skip
FLOAT64 = Kind(
    "float64", numpy="<f8", items=1, struct="d", python="float", arrow="double",
    sqlite="REAL", postgres="float8", label="float64", null=NAN,
)  # fmt: skip
# Twelve shares of a whole, multiples of 1e-6.
SHARES = Kind(
    "shares", numpy="<f4", items=12, struct="48s", python="list[float]", arrow="fixed_size_list<float>[12]",
    sqlite="TEXT", postgres="real[]", label="12 float32", null=None, low=0, high=1,
)  # fmt: skip
# A digest as its function prints it; all zero is null.
HASH16 = Kind(
    "hash16", numpy="u1", items=16, struct="16s", python="bytes", arrow="fixed_size_binary[16]",
    sqlite="BLOB", postgres="bytea", label="16 bytes", null=0,
)  # fmt: skip
# XXH3-64, high byte first.
HASH8 = Kind(
    "hash8", numpy="u1", items=8, struct="8s", python="bytes", arrow="fixed_size_binary[8]",
    sqlite="BLOB", postgres="bytea", label="8 bytes", null=0,
)  # fmt: skip
# An index into the names of the column.
ENUM = Kind(
    "enum", numpy="u1", items=1, struct="B", python="str", arrow="dictionary<values=string, indices=int8>",
    sqlite="TEXT", postgres="text", label="text", null=NULL_ENUM, low=0, high=254,
)  # fmt: skip
BOOL = Kind(
    "bool", numpy="u1", items=1, struct="B", python="bool", arrow="bool",
    sqlite="BOOLEAN", postgres="boolean", label="bool", null=NULL_ENUM, low=0, high=1,
)  # fmt: skip
# Bit i, counted from the lowest bit of byte 0, stands for the member `first` + i.
SET = Kind(
    "set", numpy="u1", items=0, struct="", python="list[int]", arrow="list<int16>",
    sqlite="TEXT", postgres="smallint[]", label="set of int16", null=None,
)  # fmt: skip
# Microseconds since 1970-01-01 UTC; years 1 to 9999.
TIME = Kind(
    "time", numpy="<i8", items=1, struct="q", python="datetime", arrow="timestamp[us, tz=UTC]",
    sqlite="TEXT", postgres="timestamptz", label="timestamp", null=None, low=YEAR_1, high=YEAR_10000 - 1,
)  # fmt: skip
# Hashes below 2^24, the first five bits of which are their place; 0 is none, and all zero is null. A list has those that are not 0.
SKETCH = Kind(
    "sketch", numpy="<i4", items=32, struct="128s", python="list[int]", arrow="list<int32>",
    sqlite="TEXT", postgres="integer[]", label="up to 32 int32", null=0, low=0, high=2**24 - 1,
)  # fmt: skip

KINDS = (TEXT, TEXTS, INT16, INT32, INT64, FLOAT32, FLOAT64, SHARES, HASH16, HASH8, ENUM, BOOL, SET, TIME, SKETCH)
CODES = {kind: code for code, kind in enumerate(KINDS)}  # as `Kind` in rows/layout.pxd numbers them
