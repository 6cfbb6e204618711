"""Write a collection of N distinct, valid MIDI files of realistic size, for whole runs.

    python -m benchmarks.generate_collection OUT_DIR N [--seed S] [--workers W]

The files are variations of the bundled sample: each piece is composed several times with different seeds,
unchanged, orchestrated, or reduced to one player; then transposed, played faster or slower, louder or softer,
repeated up to the wanted size, and given its own title. File number i depends on the seed and on i only: a
larger collection begins with the files of a smaller one.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from itertools import accumulate
from multiprocessing import Pool
from pathlib import Path
from random import Random
from typing import NamedTuple

from sample import smf
from sample.compose import PIECES
from sample.notation import humanise, pitch, ramp, shift
from sample.score import DRUMS, GM, Changes, Note, Part, Piece, T, at_start, changes, merge

FOLDER_FILES = 1000
BATCH_FILES = 250  # written between two reports of the progress

# Of 7,006 real songs: mean 13,465 bytes, quartiles 1,275, 5,485 and 15,186, 95th percentile 52 KB, 99th percentile
# 143 KB; a mean of 3,615 events of 3.7 bytes each, 1,415 of them notes. Generated sizes are log-normal with a higher
# median, a lower maximum and the same mean.
MEDIAN, SIGMA = 8000, 1.02  # bytes, standard deviation of the logarithm
MIN_BYTES, MAX_BYTES = 200, 110_000
MAX_PASSES = 8  # repetitions of a piece

VERSIONS = 3  # compositions per piece
DIVISIONS = 96, 120, 192, 220, 240, 384, 480, 480, 480, 960, 1024  # ticks per quarter, as frequent as in real files
MAX_SEMITONES, MAX_STEPS = 6, 9  # by which pitches and velocities are shifted, in both directions
SECTIONS = GM.STRINGS, GM.BRASS, GM.CHOIR, GM.ORGAN, GM.WARM_PAD  # what doubles the parts of an orchestrated piece


class Layer(NamedTuple):
    """Encoded events as one large integer, and the integers that transpose them or change their velocities when added.

    A semitone changes some bytes by one and no length, so it is an addition; adding it several times transposes
    further. A new file takes microseconds.
    """

    size: int  # bytes
    events: int
    semitone: int  # increments the pitch of every note except drums
    step: int  # increments the velocity of every note

    def shifted(self, semitones: int, steps: int) -> bytes:
        """The bytes of the events after both changes."""
        return (self.events + semitones * self.semitone + steps * self.step).to_bytes(self.size, "big")


def raise_pitch(event: bytes) -> bytes:
    """The event one semitone higher."""
    note = event[0] >> 4 in (8, 9) and event[0] & 15 != DRUMS
    return bytes([event[0], event[1] + 1, event[2]]) if note else event


def raise_velocity(event: bytes) -> bytes:
    """The event one velocity step louder."""
    return bytes([event[0], event[1], event[2] + 1]) if event[0] >> 4 == 9 and event[2] else event


class Template:
    """A piece that can be written in many variations."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        events = sum(2 * len(part.notes) + len(part.events) for part in piece.parts)
        self.size = round(events * (3.4 if piece.running_status else 4.2))  # of one pass, an estimate: it is encoded when first used

    @cached_property
    def tracks(self) -> list[tuple[Layer, Layer, bytes]]:
        """Per track: its first pass, every further pass, and its end."""
        piece = self.piece
        music = [part.music(piece.division, piece.end, piece.running_status) for part in piece.parts]
        if piece.format == 0:
            return [self._layers([event for part in piece.parts for event in part.setup()], merge(*music))]
        names = [smf.text(smf.TRACK_NAME, part.name) for part in piece.parts]
        return [self._layers([name, *part.setup()], m) for name, part, m in zip(names, piece.parts, music, strict=True)]

    def _layers(self, setup: list[bytes], music: list[smf.Event]) -> tuple[Layer, Layer, bytes]:
        once = at_start(setup) + music
        twice = once + [(self.piece.end + tick, event) for tick, event in music]
        split = len(smf.encode(once, self.piece.running_status))
        plain, up, loud = (
            smf.encode([(tick, change(event)) for tick, event in twice], self.piece.running_status)
            for change in (bytes, raise_pitch, raise_velocity)
        )

        def layer(part: slice) -> Layer:
            events, semitone, step = (int.from_bytes(data[part], "big") for data in (plain, up, loud))
            return Layer(len(plain[part]), events, semitone - events, step - events)

        rest = self.piece.end - once[-1][0]
        return layer(slice(split)), layer(slice(split, None)), smf.varint(rest) + smf.END_OF_TRACK

    def file(self, title: str, passes: int, pace: float, semitones: int, steps: int) -> bytes:
        """The piece repeated ``passes`` times, with its tempo times ``pace`` and its pitches and velocities shifted."""
        piece = self.piece

        def each_pass(value: Changes[T] | None, change: Callable[[T], T] = lambda x: x) -> list[tuple[float, T]]:
            """Changes within the piece are repeated in every pass; a constant is written once."""
            once = changes(value)
            starts = [i * piece.beats for i in range(passes if len(once) > 1 else 1)]
            return [(start + beat, change(x)) for start in starts for beat, x in once]

        conductor = replace(
            piece,
            title=title,
            parts=[],
            format=1,
            tempo=each_pass(piece.tempo, lambda bpm: bpm * pace),
            meter=each_pass(piece.meter),
            key=each_pass(piece.key, lambda key: transposed(key, semitones)),
        ).tracks()[0]
        bodies = [
            first.shifted(semitones, steps) + further.shifted(semitones, steps) * (passes - 1) + end for first, further, end in self.tracks
        ]
        if piece.format == 0:
            chunks = [smf.chunk(b"MTrk", smf.encode(conductor) + bodies[0])]
        else:
            chunks = [smf.track(conductor), *(smf.chunk(b"MTrk", body) for body in bodies)]
        return smf.smf(chunks, piece.division, piece.format)


KEYS = {(pitch(key.rstrip("m") + "0") % 12, key.endswith("m")): key for key in sorted(smf.SHARPS, key=lambda k: -abs(smf.SHARPS[k]))}


def transposed(key: str, semitones: int) -> str:
    """The transposed key, spelled with the fewest accidentals."""
    return KEYS[(pitch(key.rstrip("m") + "0") + semitones) % 12, key.endswith("m")]


# Variations of the pieces of the sample


def pieces(seed: int) -> Iterator[Piece]:
    """Every variation of every piece."""
    for path, compose in PIECES.items():
        for version in range(VERSIONS):
            rng = Random(f"{seed} {version} {path}")
            piece = compose(rng)
            if piece.format == 2:  # its tracks are independent
                continue
            piece = replace(piece, division=rng.choice(DIVISIONS), encoding="utf-8", parts=[limited(part) for part in piece.parts])
            yield piece
            if players := [part for part in piece.parts if part.notes and part.channel != DRUMS]:
                yield orchestrated(piece, players, rng)
                for part in rng.sample(players, min(2, len(players))):
                    yield solo(piece, part, rng)


def limited(part: Part) -> Part:
    """The part with its notes limited so that shifting keeps them within 0 to 127 (velocities: 1 to 127)."""

    def clamp(low: int, value: int, high: int) -> int:
        return max(low, min(high, value))

    def clamp_note(n: Note) -> Note:
        return n._replace(
            pitch=clamp(MAX_SEMITONES, n.pitch, 127 - MAX_SEMITONES), velocity=clamp(1 + MAX_STEPS, n.velocity, 127 - MAX_STEPS)
        )

    return replace(part, notes=[clamp_note(n) for n in part.notes])


def orchestrated(piece: Piece, players: list[Part], rng: Random) -> Piece:
    """Every part doubled an octave away by a section with swells, as far as channels are free."""
    free = [channel for channel in range(16) if channel not in {DRUMS, *(part.channel for part in piece.parts)}]
    doubles = []
    for part, channel in zip(players, free, strict=False):
        octave = 12 if max(n.pitch for n in part.notes) < 96 else -12
        swell = [event for beat in range(0, int(piece.beats) - 3, 4) for event in ramp(channel, 11, beat, 4, 70, 110, 8)]
        notes = humanise(shift(part.notes, semitones=octave), rng, 0.02, 0)
        doubles.append(Part(f"{part.name} (section)", channel, notes, rng.choice(SECTIONS), swell, volume=76))
    return replace(piece, parts=piece.parts + doubles)


def solo(piece: Piece, part: Part, rng: Random) -> Piece:
    """A few bars of one part from its beginning, in one track, as in loop libraries."""
    (_, tempo), *_ = changes(piece.tempo)
    (_, meter), *_ = changes(piece.meter or "4/4")
    numerator, denominator = map(int, meter.split("/"))
    bar = 4 * numerator / denominator
    start = min(n.start for n in part.notes) // bar * bar
    beats = min(rng.choice((2, 4, 4, 8, 8, 16)) * bar, piece.beats - start)
    notes = [n._replace(start=n.start - start) for n in part.notes if start <= n.start < start + beats]
    key = changes(piece.key)[0][1] if piece.key else None
    part = replace(part, notes=notes, events=[])
    return replace(piece, title=f"{piece.title} ({part.name})", beats=beats, parts=[part], tempo=tempo, meter=meter, key=key, format=0)


class Collection:
    """The templates of one seed, from which file number i is written; ``median`` scales all sizes."""

    def __init__(self, seed: int, median: int = MEDIAN) -> None:
        self.seed = seed
        self.median = median
        self.templates = sorted(map(Template, pieces(seed)), key=lambda template: template.size)
        self.sizes = [template.size for template in self.templates]

    def file(self, i: int) -> tuple[str, bytes]:
        """Path and content of file number i."""
        rng = Random(f"{self.seed} {i}")
        size = max(MIN_BYTES, min(MAX_BYTES * self.median / MEDIAN, rng.lognormvariate(0, SIGMA) * self.median))
        fitting = bisect_left(self.sizes, size / MAX_PASSES), max(1, bisect_right(self.sizes, size))
        template = self.templates[rng.randrange(*fitting)]
        title = f"{template.piece.title}, take {i + 1}"
        bpm = changes(template.piece.tempo)[0][1]
        pace = round(bpm * rng.uniform(0.82, 1.2)) / bpm  # a whole number of beats per minute
        passes = max(1, round(size / template.size))
        content = template.file(title, passes, pace, rng.randint(-MAX_SEMITONES, MAX_SEMITONES), rng.randint(-MAX_STEPS, MAX_STEPS))
        return f"{i // FOLDER_FILES:04d}/{i:07d} {template.piece.title}.mid", content


# Writing


collection = cache(Collection)  # once per process


def write_batch(batch: tuple[Path, int, int, range]) -> tuple[int, int]:
    """Write files of one folder; their number and their bytes."""
    folder, seed, median, numbers = batch
    (folder / f"{numbers[0] // FOLDER_FILES:04d}").mkdir(exist_ok=True)
    size = 0
    for i in numbers:
        path, content = collection(seed, median).file(i)
        with open(folder / path, "xb", buffering=0) as file:
            size += file.write(content)
    return len(numbers), size


def write(folder: Path, count: int, seed: int = 0, workers: int = 1, median: int = MEDIAN, first: int = 0) -> Iterator[tuple[int, int]]:
    """Write the collection from file number ``first`` on; after every batch, the number of files and bytes so far."""
    folder.mkdir(parents=True, exist_ok=True)
    batches = ((folder, seed, median, range(start, min(start + BATCH_FILES, count))) for start in range(first, count, BATCH_FILES))
    if workers == 1:
        yield from accumulate(map(write_batch, batches), _sum)
    else:
        with Pool(workers, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:  # the parent handles Ctrl-C
            yield from accumulate(pool.imap_unordered(write_batch, batches), _sum)


def _sum(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    return a[0] + b[0], a[1] + b[1]


def main(argv: list[str] | None = None) -> int:
    """Write the collection that the command line describes."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="A file has about 13 KB and 3,600 events: 50,000 files take 700 MB.",
    )
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("folder", metavar="OUT_DIR", type=Path, help=f"a new or empty folder; {FOLDER_FILES:,} files per subfolder")
    parser.add_argument("count", metavar="N", type=int, help="number of files")
    parser.add_argument("--seed", metavar="S", type=int, default=0, help="another seed gives another collection (default: %(default)s)")
    parser.add_argument("--workers", metavar="W", type=int, default=cores, help="writing processes (default: one per core, %(default)s)")
    args = parser.parse_args(argv)
    if args.count < 1 or args.workers < 1:
        parser.error("N and W must be at least 1")
    start = time.monotonic()
    try:
        if args.folder.exists() and any(args.folder.iterdir()):
            parser.error(f"{args.folder} is not empty: choose another folder, or delete it first")
        for files, size in write(args.folder, args.count, args.seed, min(args.workers, -(-args.count // BATCH_FILES))):
            rate = files / (time.monotonic() - start)
            left = f"{(args.count - files) / rate:,.0f} s left" if files < args.count else f"{time.monotonic() - start:,.1f} s"
            line = f"{files:,} of {args.count:,} files, {size / 1e6:,.0f} MB, {rate:,.0f} files/s, {left}"
            if sys.stderr.isatty():
                print(f"\r{line:<70}", end="", file=sys.stderr, flush=True)
            elif files == args.count:
                print(line, file=sys.stderr)
    except KeyboardInterrupt:
        print(f"\nstopped; {args.folder} holds a part of the collection", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"\ncannot write the collection: {error}", file=sys.stderr)
        return 1
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
