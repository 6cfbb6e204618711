"""The sections of one file: which of its bars repeat which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from midiopt.api.one_file import parse
from midiopt.api.source import Source
from midiopt.api.time_line import TimeLine, arrays
from midiopt.core.structure.section_view import read_sections


@dataclass(frozen=True, slots=True, eq=False)
class Sections(TimeLine):
    """The sections of a file, from where each begins, as columns of equal length: bars that repeat each other have the same label."""

    bar: npt.NDArray[np.int32]
    """The bar with which each section starts, int32; the first is 0. Bars are those of the declared time signatures, else 4/4."""
    bars: npt.NDArray[np.int32]
    """The length of each section, int32, in bars."""
    label: list[str]
    """A, B, ... in the order of their first sections; after Z come AA, AB, ..."""

    def __repr__(self) -> str:
        return f"<Sections: {self.form}>"

    @property
    def form(self) -> str:
        """The labels with their lengths, such as ``A8 A8 B8 A8``."""
        return " ".join(f"{label}{bars}" for label, bars in zip(self.label, self.bars.tolist(), strict=True))


def sections(source: Source) -> Sections:
    """The sections of one MIDI file, given like that of analyze(): which of its bars repeat which.

    ``Analysis.sections`` is the form as text where half of the bars or more are repeated; here are the sections of every file of 8 to
    512 bars. In a file of format 2 they are those of the first track that has notes. Raises the same errors as notes().
    """
    found = [(tick, seconds, bar, bars, label) for tick, seconds, label, bar, bars in read_sections(parse(source))]
    tick, seconds, bar, bars = arrays(found, "int64", "float64", "int32", "int32")
    return Sections(tick, seconds, bar, bars, [row[-1] for row in found])
