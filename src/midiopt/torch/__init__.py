"""The notes of a library for PyTorch: a data set that is shuffled, and divided among workers and ranks.

It needs an extra: ``pip install 'midiopt[torch]'``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from midiopt.errors import MissingExtra
from midiopt.library import Library
from midiopt.many.failure import Failure
from midiopt.many.notes import notes_many

try:
    import pyarrow
    import torch
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError as error:
    raise MissingExtra("midiopt.torch", "torch") from error

__all__ = ["NotesDataset"]

TYPES = {  # one type for each column, whatever the file: batches are of one type
    "onset": np.int64,
    "length": np.int64,
    "onset_s": np.float64,
    "end_s": np.float64,
    "pitch": np.uint8,
    "velocity": np.uint8,
    "channel": np.uint8,
    "program": np.uint8,
    "is_drum": np.bool_,
    "track": np.int32,
}
_log = logging.getLogger("midiopt")


class NotesDataset(IterableDataset):  # type: ignore[misc]  # torch is not installed where types are checked
    """The notes of the files of a library that meet a search, one dictionary for each file: its path, ticks_per_quarter and columns.

    ``columns`` are those of midiopt.Notes, as tensors of one length. ``seed`` shuffles the files, in another order in each epoch
    (``set_epoch``); without, they come in the order of their paths. The workers of a DataLoader and the ranks of torch.distributed share
    the files: each file is read by one of them, once an epoch. A file that cannot be read any more is logged (logger ``midiopt``) and
    left out.

    The library is searched once, here, and not opened by workers. Raises QueryError for a search that cannot be read, and ValueError for
    an unknown column.
    """

    def __init__(
        self,
        db: str | os.PathLike[str],
        query: str = "",
        *,
        columns: Sequence[str] = ("onset", "length", "pitch", "velocity"),
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if unknown := [name for name in columns if name not in TYPES]:
            raise ValueError(f"there is no column {unknown[0]!r} of notes; there are {', '.join(TYPES)}")
        with Library(db) as library:
            found = library.table(f"({query}) notes:1.." if query.strip() else "notes:1..", columns=["path"])
        # As Arrow: 10 million paths as Python objects would take 1 GB, and each worker would get a copy of its own.
        self._paths: Any = found.sort_by("path").column("path")
        del found
        pyarrow.default_memory_pool().release_unused()  # 196 of 317 MB for a million files
        self._columns = tuple(columns)
        self._seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # workers that live on see it change

    @property
    def files(self) -> int:
        """The number of files, of all workers and ranks together."""
        return len(self._paths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration; the same on every rank."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for notes, path in self._read():
            if isinstance(notes, Failure):
                _log.warning("%s is left out: %s", path, notes.error)
                continue
            columns = {name: torch.from_numpy(np.array(getattr(notes, name), TYPES[name])) for name in self._columns}
            yield {"path": path, "ticks_per_quarter": notes.ticks_per_quarter, **columns}

    def _read(self) -> Iterator[tuple[Any, str]]:
        """The notes of this worker's part, which is every so-many-th file of the order."""
        worker = get_worker_info()
        workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        is_distributed = torch.distributed.is_available() and torch.distributed.is_initialized()
        ranks, rank = (torch.distributed.get_world_size(), torch.distributed.get_rank()) if is_distributed else (1, 0)
        order = np.arange(len(self._paths))
        if self._seed is not None:
            order = np.random.default_rng((self._seed, int(self._epoch))).permutation(order)
        mine = order[rank * workers + number :: ranks * workers]
        for at in range(0, len(mine), PATHS_PER_PART):
            paths = self._paths.take(mine[at : at + PATHS_PER_PART]).to_pylist()
            yield from zip(notes_many(paths, workers=1), paths, strict=True)


PATHS_PER_PART = 1000  # as Python objects
