"""Kinds of columns, and what else knows them: the row layout, compiled code and numpy."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest

import midiopt
from midiopt.kinds import ENUM, INT16, INT32, KINDS, NULL_ENUM, NULL_TEXT, SET, Kind
from midiopt.rows.batch import ANALYSES_DTYPE, FILES_DTYPE, TRACKS_DTYPE
from midiopt.rows.layout import ANALYSES_LAYOUT, FILES_LAYOUT, TRACKS_LAYOUT, RowLayout
from midiopt.schema import BPM_SOURCES, DRUM_PATTERNS, KEYS, MAIN_PARTS, ROLES

PACKAGE = Path(midiopt.__file__).parent
LAYOUT_PXD, FACTS_PXD = ((PACKAGE / path).read_text() for path in ("rows/layout.pxd", "core/facts.pxd"))


def enum_names(pxd: str, heading: str) -> list[str]:
    """The names of the C enumeration that follows a line."""
    body = pxd.split(heading, 1)[1]
    return re.findall(r"^    ([A-Z0-9_]+)$", re.split(r"\n(?=\S)", body.removeprefix("\ncdef enum:"), maxsplit=1)[0], re.M)


def constant(pxd: str, name: str) -> int:
    [value] = re.findall(rf"^    {name} = (\S+)", pxd, re.M)
    return int(value, 0)


def test_compiled_code_numbers_the_kinds_alike() -> None:
    assert enum_names(LAYOUT_PXD, "cdef enum Kind:  # in the order of kinds.KINDS") == [kind.name.upper() for kind in KINDS]


def test_compiled_code_knows_the_same_nulls() -> None:
    assert constant(LAYOUT_PXD, "NULL_ENUM") == constant(FACTS_PXD, "NULL_ENUM") == NULL_ENUM
    assert constant(FACTS_PXD, "NULL_INT16") == INT16.null
    assert constant(FACTS_PXD, "NULL_INT32") == INT32.null
    assert constant(FACTS_PXD, "NULL_TEXT") == NULL_TEXT == 2**32 - 1  # UINT32_MAX in layout.pxd


@pytest.mark.parametrize(
    ("heading", "count"),
    [
        ("# schema.BPM_SOURCES", len(BPM_SOURCES)),
        ("# schema.DRUM_PATTERNS", len(DRUM_PATTERNS)),
        ("# schema.ROLES", len(ROLES)),
        ("# schema.MAIN_PARTS", len(MAIN_PARTS)),
    ],
)
def test_compiled_enumerations_have_as_many_values_as_names(heading: str, count: int) -> None:
    assert len(enum_names(FACTS_PXD, heading)) == count


def test_every_enumeration_fits_beside_null() -> None:
    for layout in (FILES_LAYOUT, ANALYSES_LAYOUT, TRACKS_LAYOUT):
        assert all(len(column.values) <= NULL_ENUM for column in layout.table if column.kind is ENUM)
    assert len(KEYS) == 30


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not SET], ids=lambda kind: kind.name)
def test_numpy_and_struct_agree_on_the_size(kind: Kind) -> None:
    assert np.dtype(kind.numpy).itemsize * kind.items == struct.calcsize("<" + kind.struct)
    assert int(kind.numpy[-1]) == np.dtype(kind.numpy).itemsize


@pytest.mark.parametrize(
    ("layout", "dtype"), [(FILES_LAYOUT, FILES_DTYPE), (ANALYSES_LAYOUT, ANALYSES_DTYPE), (TRACKS_LAYOUT, TRACKS_DTYPE)]
)
def test_the_layout_is_that_of_an_aligned_array(layout: RowLayout, dtype: np.dtype[np.void]) -> None:
    """core/analysis.pyx writes the C struct; test_architecture.py compares its layout with the dtype."""
    assert dtype == np.dtype([(name, dtype[name]) for name in dtype.names or ()], align=True)
    assert layout.size == struct.calcsize(layout.struct_format) == dtype.itemsize
