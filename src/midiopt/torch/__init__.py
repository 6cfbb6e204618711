"""The notes of a library for PyTorch: a data set that is shuffled, and divided among workers and ranks.

It needs an extra: ``pip install 'midiopt[torch]'``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from midiopt.core.notes.note_batch import TYPES, NoteBatch
from midiopt.errors import MissingExtra
from midiopt.library.library import Library
from midiopt.many.failure import Failure
from midiopt.many.notes import notes_many
from midiopt.wording import counted

try:
    import pyarrow
    import torch
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError as error:
    raise MissingExtra("midiopt.torch", "torch") from error

__all__ = ["NotesDataset"]

_log = logging.getLogger("midiopt")

# Of tensors: batches of 16 songs come 2.3 times as fast as by file descriptors, of 128 songs, 20 MB or more, 0.83 times.
MAX_SENT_BYTES = 4 << 20
PATHS_PER_PART = 1000  # as Python objects


class _Columns(dict[str, Any]):
    """A dictionary that a worker of a DataLoader sends to its process as bytes, unless it is large: PyTorch sends a file descriptor for
    each tensor, which takes 3 ms for four."""

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], dict[str, Any]], tuple[dict[str, Any]]]:
        tensors = {name: value for name, value in self.items() if isinstance(value, torch.Tensor)}
        if sum(tensor.nbytes for tensor in tensors.values()) > MAX_SENT_BYTES:
            return dict, (dict(self),)
        return _with_tensors, (self | {name: tensor.numpy() for name, tensor in tensors.items()},)

    def __copy__(self) -> _Columns:  # of which DataLoader makes one
        return _Columns(self)


def _with_tensors(arrays: dict[str, Any]) -> _Columns:
    """The dictionary whose tensors are given as arrays."""
    return _Columns({name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in arrays.items()})


class NotesDataset(IterableDataset):  # type: ignore[misc]  # torch is not installed where types are checked
    """The notes of the files of a library that meet a search, one dictionary for each file: its path, ticks_per_quarter and columns.

    ``columns`` are those of midiopt.Notes, as tensors of one length. ``seed`` shuffles the files, in another order in each epoch
    (``set_epoch``); without, they come in the order of their paths. The workers of a DataLoader and the ranks of torch.distributed share
    the files: each file is read by one of them, once an epoch. A file that cannot be read any more, or lasts for weeks, so that its ticks
    need 64 bits, is logged (logger ``midiopt``) and left out.

    With a ``batch_size`` there is a dictionary for each batch of so many files: the list of their paths, ticks_per_quarter and notes (their
    number) as tensors with an item for each file, and columns with a row for each file, as long as the longest, padded with zeros. Give
    DataLoader ``batch_size=None`` then; the last batch of each worker has what is left.

    The library is searched once, here, and not opened by workers. Raises QueryError for a search that cannot be read, and ValueError for
    an unknown column or an invalid batch size.
    """

    def __init__(
        self,
        db: str | os.PathLike[str],
        query: str = "",
        *,
        columns: Sequence[str] = ("onset", "length", "pitch", "velocity"),
        seed: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
            raise ValueError(f"batch_size is a number of files from 1 on, not {batch_size!r}")
        columns = [columns] if isinstance(columns, str) else columns
        if unknown := [name for name in columns if name not in TYPES]:
            raise ValueError(f"there is no column {unknown[0]!r} of notes; there are {', '.join(TYPES)}")
        with Library(db) as library:
            found = library.table(f"({query}) notes:1.." if query.strip() else "notes:1..", columns=["path"])
        # As Arrow: 10 million paths as Python objects would take 1 GB, and each worker would get a copy of its own.
        self._paths: Any = found.sort_by("path").column("path")
        del found
        pyarrow.default_memory_pool().release_unused()  # 196 of 317 MB for a million files
        self._columns = tuple(dict.fromkeys(columns))
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # workers that live on see it change

    def __repr__(self) -> str:
        return f"<NotesDataset: {counted(self.files, 'file')}>"

    @property
    def files(self) -> int:
        """The number of files, of all workers and ranks together."""
        return len(self._paths)

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next iteration; the same on every rank."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._one_by_one() if self._batch_size is None else self._batches(self._batch_size)

    def _one_by_one(self) -> Iterator[dict[str, Any]]:
        batch = NoteBatch(self._columns)
        for path, ticks_per_quarter in self._read(batch):
            _, arrays = batch.take()
            columns = {name: torch.from_numpy(array[0]) for name, array in zip(self._columns, arrays, strict=True)}
            yield _Columns(path=path, ticks_per_quarter=ticks_per_quarter, **columns)

    def _batches(self, size: int) -> Iterator[dict[str, Any]]:
        batch = NoteBatch(self._columns)
        files = self._read(batch)
        while part := list(islice(files, size)):
            notes, arrays = batch.take()
            paths, ticks_per_quarter = zip(*part, strict=True)
            columns = {name: torch.from_numpy(array) for name, array in zip(self._columns, arrays, strict=True)}
            about = {
                "path": list(paths),
                "ticks_per_quarter": torch.tensor(ticks_per_quarter, dtype=torch.float64),
                "notes": torch.tensor(notes),
            }
            yield _Columns(about | columns)

    def _read(self, batch: NoteBatch) -> Iterator[tuple[str, float]]:
        """The path and the ticks per quarter of each file of this worker's part, whose notes are added to a batch.

        The part is every so-many-th file of the order.
        """
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
            for notes, path in zip(notes_many(paths, workers=1), paths, strict=True):
                try:
                    if isinstance(notes, Failure):
                        raise OverflowError(notes.error)
                    batch.add(notes)
                except OverflowError as problem:
                    _log.warning("%s is left out: %s", path, problem)
                else:
                    yield path, notes.ticks_per_quarter
