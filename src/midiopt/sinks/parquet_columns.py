"""Questions about the rows of a part, and changes of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from midiopt.schema import ANALYSED, STATUSES
from midiopt.sinks.parquet_parts import SCHEMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = SCHEMA.get_field_index("missing_since")
TIME = SCHEMA.field(MISSING).type


def between(table: pa.Table, after: str, before: str) -> Any:
    """Which rows have a path between two, in the order of bytes."""
    return pc.and_(pc.greater(table["path"], after), pc.less(table["path"], before))


def analysed(table: pa.Table) -> Any:
    """Which rows have facts."""
    return pc.is_in(table["status"].cast(pa.string()), pa.array([STATUSES[i] for i in ANALYSED]))


def marked(table: pa.Table, paths: list[str], since: Any) -> pa.Table | None:
    """The table with these paths missing since a time, but those that are so already; with None, no longer missing."""
    is_due = pc.is_valid(table["missing_since"]) if since is None else pc.is_null(table["missing_since"])
    return with_missing(table, pc.and_(is_due, _are_named(table, paths)), pa.scalar(None, TIME) if since is None else since)


def without(table: pa.Table, paths: list[str]) -> pa.Table:
    """The table without these paths."""
    return table.filter(pc.invert(_are_named(table, paths)))


def _are_named(table: pa.Table, paths: list[str]) -> Any:
    return pc.is_in(table["path"], pa.array(paths))


def with_missing(table: pa.Table, is_changed: Any, value: Any) -> pa.Table | None:
    """The table with another ``missing_since`` in some rows; None if there are none."""
    if not pc.any(is_changed).as_py():
        return None
    return table.set_column(MISSING, SCHEMA.field(MISSING), pc.if_else(is_changed, value, table["missing_since"]))


def short_hashes(table: pa.Table) -> NDArray[np.uint64]:
    """The second half of each content hash: 8 bytes a file."""
    text = "".join(value[16:] for value in table["content_hash"].to_pylist())
    return np.frombuffer(bytes.fromhex(text), ">u8").astype(np.uint64)
