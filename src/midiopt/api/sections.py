"""The sections of one file: which of its bars repeat which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from midiopt.api.one_file import parse
from midiopt.api.source import Source
from midiopt.core.structure.section_view import read_sections

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Sections:
    """The sections of a file, as columns of equal length: bars that repeat each other have the same label."""

    tick: npt.NDArray[np.int64]
    """The tick at which each section starts, int64."""
    seconds: npt.NDArray[np.float64]
    """The time at which each section starts, float64, in seconds."""
    bar: npt.NDArray[np.int32]
    """The bar with which each section starts, int32; the first is 0. Bars are those of the declared time signatures, else 4/4."""
    bars: npt.NDArray[np.int32]
    """The length of each section, int32, in bars."""
    label: list[str]
    """A, B, ... in the order of their first sections; after Z come AA, AB, ..."""

    def __len__(self) -> int:
        """Number of sections."""
        return len(self.label)

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
    import numpy as np

    tick, seconds, label, bar, bars = zip(*found, strict=True) if (found := read_sections(parse(source))) else ((),) * 5
    return Sections(np.array(tick, np.int64), np.array(seconds, np.float64), np.array(bar, np.int32), np.array(bars, np.int32), list(label))
