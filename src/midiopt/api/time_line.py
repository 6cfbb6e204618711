"""What beats, segments and sections of a file have in common: each lies at a place of its time line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class TimeLine:
    """Places of a file in the order of time, as arrays of equal length."""

    tick: npt.NDArray[np.int64]
    """The tick of each, int64, rounded where it lies between two."""
    seconds: npt.NDArray[np.float64]
    """The time of each, float64, in seconds."""

    def __len__(self) -> int:
        """Their number."""
        return len(self.tick)


def arrays(rows: list[tuple[Any, ...]], *types: str) -> list[npt.NDArray[Any]]:
    """The first columns of the rows, one for each type."""
    return [np.array([row[i] for row in rows], type_) for i, type_ in enumerate(types)]
