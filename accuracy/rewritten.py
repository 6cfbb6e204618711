"""Read every file of a corpus, write it, and read that: what differs?

    python -m accuracy.rewritten [CORPUS]

Prints the files whose events do not survive EventArena.to_bytes(), and how many there are. docs/policy.md says what is left out or
completed. Exit code 1 if a file differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

import midiopt
from accuracy.corpus import FILES
from midiopt.schema import ALL_REPAIRS, ISSUE_BITS, issue_names

META, END_OF_TRACK, TIME_SIGNATURE, MARKER, SYSEX, ESCAPE = 0xFF, 0x2F, 0x58, 0x06, 0xF0, 0xF7
BAD_FRAME_RATE = ISSUE_BITS["frame_rate"]  # no other rate has the same times, so it stays

Kept = tuple[int, int, list[tuple[int, list[tuple[int, int, int, bytes]]]]]


def kept(arena: midiopt.EventArena) -> Kept:
    """What is to be kept: format, division, and of each track the tick of its end and its events, as the bytes that go over a cable."""
    events, marks, tracks = arena.events().tolist(), arena.marks(), []
    for first, count, end in arena.tracks():
        track = []
        for tick, mark, status, data1, data2 in events[first : first + count]:
            _, _, kind, data, valid = marks[mark] if status >= SYSEX else (0, 0, 0, bytes([data1, data2]), True)
            if status == META and (not valid or kind == END_OF_TRACK or (kind, data) == (MARKER, b"")):  # which fills long gaps
                continue
            if status == META and kind == TIME_SIGNATURE:
                data = data[:4] + bytes([24, 8])[len(data) - 2 :]
            if status == SYSEX:
                status, data = ESCAPE, bytes([SYSEX]) + data
            track.append((tick, status, kind, data))
        tracks.append((end, track))
    return (1 if arena.format == 0 and len(tracks) > 1 else arena.format), arena.division, tracks


def difference(arena: midiopt.EventArena) -> str | None:
    """How the file that is written of an arena differs: it has no fault, and reads as it was; written again, it is the same bytes."""
    data = arena.to_bytes()
    again = midiopt.parse(data)
    if faults := again.issues & ALL_REPAIRS & ~BAD_FRAME_RATE:
        return f"what is written has {', '.join(issue_names(faults))}"
    if again.to_bytes() != data:
        return "written again, it differs"
    if kept(again) != kept(arena):
        return "an event differs"
    return None


def is_equal(one: midiopt.EventArena, other: midiopt.EventArena) -> bool:
    """Whether both have the same header, events, data and tracks, in the same order."""
    same = (one.format, one.division, one.tracks(), one.marks()) == (other.format, other.division, other.tracks(), other.marks())
    return same and np.array_equal(one.events(), other.events())


def differences(paths: Iterable[Path]) -> Iterator[str]:
    """The paths of the files that differ, with a reason; files without a fault are to be equal in all."""
    for path in paths:
        try:
            arena = midiopt.parse(path)
        except (OSError, midiopt.MidiError):
            continue
        reason = difference(arena)
        if reason is None and arena.issues & ALL_REPAIRS == 0 and not is_equal(arena, midiopt.parse(arena.to_bytes())):
            reason = "it has no fault, but differs"
        if reason:
            yield f"{path}: {reason}"


def main() -> int:
    """Compare all files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", nargs="?", type=Path, default=FILES)
    corpus = parser.parse_args().corpus
    different = list(differences(path for path in sorted(corpus.rglob("*")) if path.is_file()))
    print(*different, f"{len(different):,} files differ", sep="\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
