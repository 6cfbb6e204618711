"""Column kinds: how a value of each is stored in a row, in both databases, in Python and in Arrow.

Whatever depends on the kind of a column reads this table. To add a kind, add a row here and to KINDS. Compiled code
needs its name in ``rows/layout.pxd`` and how to encode it in ``sinks/sqlite_rows.pyx`` and ``sinks/postgres_copy.pyx``;
``tests/rows/test_kinds.py`` compares the three. Workers import this module, so it imports neither numpy nor datetime.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

NULL_TEXT = 2**32 - 1  # as the length
NULL_ENUM = 255
NULL_INT32 = -(2**31)
NAN = float("nan")

Decode = Callable[[Any, bytes | bytearray], object]  # the unpacked value and the heap -> the Python value


def _text(value: int, heap: bytes | bytearray) -> str | None:
    offset, length = value & 0xFFFFFFFF, value >> 32
    return None if length == NULL_TEXT else heap[offset : offset + length].decode()


def _texts(value: int, heap: bytes | bytearray) -> list[str]:
    joined = _text(value, heap)
    return joined.split("\0") if joined else []


def _shares(value: bytes, heap: bytes | bytearray) -> list[float]:
    return list(struct.unpack("<12f", value))


def _hash(value: bytes, heap: bytes | bytearray) -> bytes | None:
    return value if any(value) else None


def _sketch(value: bytes, heap: bytes | bytearray) -> list[int] | None:
    return [hash_ for hash_ in struct.unpack("<32i", value) if hash_] or None


def _bool(value: int, heap: bytes | bytearray) -> bool | None:
    return None if value == NULL_ENUM else bool(value)


def _time(value: int, heap: bytes | bytearray) -> datetime:
    from datetime import UTC, datetime, timedelta  # 2 ms that workers do not need

    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)


def _members(value: bytes, first: int) -> list[int]:
    bits, members = int.from_bytes(value, "little"), []
    while bits:
        members.append(first + (bits & -bits).bit_length() - 1)
        bits &= bits - 1
    return members


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
    # From the names of an enumeration and the first member of a set; None: the unpacked value is the Python value, or null.
    decoder: Callable[[tuple[str, ...], int], Decode] | None = None

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


def _always(decode: Decode) -> Callable[[tuple[str, ...], int], Decode]:
    return lambda names, first: decode


def _enum(names: tuple[str, ...], first: int) -> Decode:
    return lambda value, heap: None if value == NULL_ENUM else names[value]


def _set(names: tuple[str, ...], first: int) -> Decode:
    return lambda value, heap: _members(value, first)


YEAR_1, YEAR_10000 = -62_135_596_800_000_000, 253_402_300_800_000_000  # in microseconds since 1970

# UTF-8 in the heap of the batch; the row holds its offset and length.
TEXT = Kind(
    "text", numpy="<u4", items=2, struct="Q", python="str", arrow="string",
    sqlite="TEXT", postgres="text", label="text", null=NULL_TEXT, decoder=_always(_text),
)  # fmt: skip
# The same; the items are joined by NUL, and no item is empty.
TEXTS = Kind(
    "texts", numpy="<u4", items=2, struct="Q", python="list[str]", arrow="list<string>",
    sqlite="TEXT", postgres="text[]", label="list of text", null=None, decoder=_always(_texts),
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
    sqlite="TEXT", postgres="real[]", label="12 float32", null=None, low=0, high=1, decoder=_always(_shares),
)  # fmt: skip
# A digest as its function prints it; all zero is null.
HASH16 = Kind(
    "hash16", numpy="u1", items=16, struct="16s", python="bytes", arrow="fixed_size_binary[16]",
    sqlite="BLOB", postgres="bytea", label="16 bytes", null=0, decoder=_always(_hash),
)  # fmt: skip
# XXH3-64, high byte first.
HASH8 = Kind(
    "hash8", numpy="u1", items=8, struct="8s", python="bytes", arrow="fixed_size_binary[8]",
    sqlite="BLOB", postgres="bytea", label="8 bytes", null=0, decoder=_always(_hash),
)  # fmt: skip
# An index into the names of the column.
ENUM = Kind(
    "enum", numpy="u1", items=1, struct="B", python="str", arrow="dictionary<values=string, indices=int8>",
    sqlite="TEXT", postgres="text", label="text", null=NULL_ENUM, low=0, high=254, decoder=_enum,
)  # fmt: skip
BOOL = Kind(
    "bool", numpy="u1", items=1, struct="B", python="bool", arrow="bool",
    sqlite="BOOLEAN", postgres="boolean", label="bool", null=NULL_ENUM, low=0, high=1, decoder=_always(_bool),
)  # fmt: skip
# Bit i, counted from the lowest bit of byte 0, stands for the member `first` + i.
SET = Kind(
    "set", numpy="u1", items=0, struct="", python="list[int]", arrow="list<int16>",
    sqlite="TEXT", postgres="smallint[]", label="set of int16", null=None, decoder=_set,
)  # fmt: skip
# Microseconds since 1970-01-01 UTC; years 1 to 9999.
TIME = Kind(
    "time", numpy="<i8", items=1, struct="q", python="datetime", arrow="timestamp[us, tz=UTC]",
    sqlite="TEXT", postgres="timestamptz", label="timestamp", null=None, low=YEAR_1, high=YEAR_10000 - 1, decoder=_always(_time),
)  # fmt: skip
# Hashes below 2^24, the first five bits of which are their place; 0 is none, and all zero is null. A list has those that are not 0.
SKETCH = Kind(
    "sketch", numpy="<i4", items=32, struct="128s", python="list[int]", arrow="list<int32>",
    sqlite="TEXT", postgres="integer[]", label="up to 32 int32", null=0, low=0, high=2**24 - 1, decoder=_always(_sketch),
)  # fmt: skip

KINDS = (TEXT, TEXTS, INT16, INT32, INT64, FLOAT32, FLOAT64, SHARES, HASH16, HASH8, ENUM, BOOL, SET, TIME, SKETCH)
CODES = {kind: code for code, kind in enumerate(KINDS)}  # as `Kind` in rows/layout.pxd numbers them
