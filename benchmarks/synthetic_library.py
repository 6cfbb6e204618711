"""A library of any size: the rows of the sample, copied with other facts, so that questions have answers as in a real collection.

One file in five is a copy of an earlier one; of the others 96 % are ok, and the rest are repaired, rejected, unreadable or crashed.
Tempo, key, meter, role, programs, lengths and numbers of notes are drawn anew; titles and paths get a number; one piece in twenty
has the notes of another, and a few names have a tempo.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import postgres_server
from midiopt.limits import BATCH_SIZE
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.schema import ANALYSED, ISSUE_BITS, KEYS, NAME_METERS, ROLES, USUAL_KEYS
from midiopt.sinks import open_sink

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "midi"
COPIES = 0.2
STATUSES = (0.965, 0.02, 0.01, 0.004, 0.001)  # shares of ok, repaired, rejected, unreadable, crashed
SAME_NOTES = 0.05
PLACES, VALUE_BITS, COMMON_HASHES = 32, 19, 0.02  # of sketches
NAMED = 0.03  # have a tempo in their names, one in ten a wrong one
ISSUE_SHARES = {"stuck_note": 0.03, "running_status_crossed": 0.05, "trailing_bytes": 0.01, "drums_by_name": 0.01, "no_notes": 0.002}
TITLE_WORDS = ("Blue", "Night", "River", "Slap", "Waltz", "Moon", "Prelude", "Groove", "Love", "Rain", "Fire", "Etude")


def sample_batch() -> Batch:
    """The rows of the sample, files with an analysis only."""
    batch = Batch.from_bytes(Worker().analyze_files(sorted(bytes(path) for path in SAMPLE.rglob("*.*"))))
    first = {digest: i for i, digest in reversed(list(enumerate(map(bytes, batch.analyses["content_hash"]))))}
    files = [i for i, row in enumerate(batch.files) if int(row["status"]) in ANALYSED and bytes(row["content_hash"]) in first]
    analyses = [first[bytes(batch.files["content_hash"][i])] for i in files]
    return Batch(batch.files[files], batch.analyses[analyses], batch.heap)


def music_path(number: int, title: str) -> str:
    """The path of a file."""
    return f"/music/{number // 1000:04}/{title}.mid"


def batches(count: int, seed: int = 1, path_of: Callable[[int, str], str] = music_path) -> Iterator[Batch]:
    """Batches with so many files altogether."""
    chance = np.random.default_rng(seed)
    sample = sample_batch()
    meters = {meter: i for i, meter in enumerate(NAME_METERS)}
    usual_keys = np.array([KEYS.index(key) for key in USUAL_KEYS], "u1")
    for start in range(0, count, BATCH_SIZE):
        n = min(BATCH_SIZE, count - start)
        which = chance.integers(0, len(sample.files), n)
        files, analyses = sample.files[which].copy(), sample.analyses[which].copy()
        heap = bytearray(sample.heap)

        def place(texts: list[str], heap: bytearray = heap) -> list[tuple[int, int]]:
            places = []
            for text in texts:
                data = text.encode()
                places.append((len(heap), len(data)))
                heap += data
            return places

        analyses["content_hash"] = chance.integers(0, 256, (n, 16), "u1")
        analyses["notes_hash"] = chance.integers(0, 256, (n, 8), "u1")
        same = np.flatnonzero(chance.random(n) < SAME_NOTES)
        analyses["notes_hash"][same] = analyses["notes_hash"][chance.integers(0, n, len(same))]
        analyses["bpm"] = np.round(np.clip(chance.normal(118, 28, n), 30, 260), 2)
        analyses["key"] = usual_keys[np.minimum(chance.geometric(0.12, n) - 1, 23)]
        analyses["role"] = chance.choice(len(ROLES), n, p=(0.1, 0.08, 0.12, 0.2, 0.5))
        analyses["note_count"] = np.exp(chance.normal(7, 1.2, n)).astype(int) + 1
        analyses["duration_s"] = np.round(np.exp(chance.normal(5, 0.8, n)), 3)
        analyses["primary_program"] = chance.integers(0, 128, n)
        analyses["programs"] = np.packbits(chance.random((n, 128)) < 0.03, axis=1, bitorder="little")
        analyses["issues"] = sum((chance.random(n) < share) * np.int64(ISSUE_BITS[name]) for name, share in ISSUE_SHARES.items())
        analyses["sketch"] = _sketches(chance, n)
        signatures = place([*meters])
        chosen = chance.choice(len(meters), n, p=(0.01, 0.06, 0.12, 0.66, 0.02, 0.01, 0.01, 0.01, 0.01, 0.06, 0.01, 0.01, 0.01))
        analyses["time_signature"] = np.array(signatures, analyses["time_signature"].dtype)[chosen]
        words = np.array(TITLE_WORDS)[chance.integers(0, len(TITLE_WORDS), (n, 2))]
        titles = [f"{a} {b} {start + i}" for i, (a, b) in enumerate(words)]
        analyses["title"] = np.array(place(titles), analyses["title"].dtype)
        paths = [path_of(start + i, title) for i, title in enumerate(titles)]
        files["path"] = np.array(place(paths), files["path"].dtype)
        files["content_hash"] = analyses["content_hash"]
        files["analyzed_at"] += 1_000_000 * (start + np.arange(n))
        named = np.flatnonzero(chance.random(n) < NAMED)
        files["name_bpm"][named] = np.round(analyses["bpm"][named] * chance.choice((1, 1.11), len(named), p=(0.9, 0.1)))
        files["size_bytes"] = analyses["note_count"] * 9 + 200
        files["analysis_us"] = analyses["note_count"] // 20 + 30
        files["status"] = chance.choice(len(STATUSES), n, p=STATUSES)
        reasons = place(["no usable MIDI file", "Permission denied", "crashed its worker"])
        for status in (2, 3, 4):
            files["error"][files["status"] == status] = np.array(reasons[status - 2], files["error"].dtype)
        files["content_hash"][files["status"] > 2] = 0
        copies = np.flatnonzero((chance.random(n) < COPIES) & (files["status"] < 2))
        originals = chance.choice(np.flatnonzero(files["status"] < 2), len(copies))
        for name in ("content_hash", "size_bytes", "status"):
            files[name][copies] = files[name][originals]
        used = np.isin(analyses["content_hash"].view("V16").ravel(), files["content_hash"][files["status"] < 2].copy().view("V16").ravel())
        yield Batch(files, analyses[used], bytes(heap))


def _sketches(chance: np.random.Generator, count: int) -> NDArray[np.int32]:
    """One sketch in twenty shares two thirds with another one; one hash in fifty is one of the hundred that many songs have."""
    places = np.arange(PLACES, dtype=np.int32) << VALUE_BITS
    hashes: NDArray[np.int32] = places + chance.integers(1, 1 << VALUE_BITS, (count, PLACES), np.int32)
    hashes = np.where(chance.random((count, PLACES)) < COMMON_HASHES, places + chance.integers(1, 101, (count, PLACES), np.int32), hashes)
    near = np.flatnonzero(chance.random(count) < SAME_NOTES)
    others = hashes[chance.integers(0, count, len(near))]
    hashes[near] = np.where(chance.random((len(near), PLACES)) < 2 / 3, others, hashes[near])
    return hashes


@contextlib.contextmanager
def filled(database: str, count: int) -> Iterator[str]:
    """The URL of a new library of so many files, in ``sqlite`` or ``postgres``, whose planner knows what is in its tables."""
    with contextlib.ExitStack() as resources:
        if database == "sqlite":
            url = f"{resources.enter_context(tempfile.TemporaryDirectory())}/library.db"
        else:
            url = resources.enter_context(postgres_server.database(resources.enter_context(postgres_server.server())))
        fill(url, count)
        if database == "postgres":
            postgres_server.execute(url, "VACUUM ANALYZE")
        yield url


def fill(url: str, count: int, path_of: Callable[[int, str], str] = music_path) -> None:
    """Write a library of so many files, and finish it as a run does."""
    with open_sink(url) as sink:
        for batch in batches(count, path_of=path_of):
            sink.write(batch)
        sink.flush()
        sink.finalize()
