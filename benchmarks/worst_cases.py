"""Files made to cost the most: instructions per byte beside those of a song, counted by valgrind, into docs/performance.md.

    python -m benchmarks.worst_cases [NAME ...]        print the cases whose names contain one of these
    python -m benchmarks.worst_cases --store           count all, and write the page

An analysis may cost at most BOUND times the instructions per byte that a song costs, whatever the bytes are, and must be linear:
every case is counted at two sizes, the second four times the first unless 32,767 tracks or 1,000 names end it earlier.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import builds, generate_collection, generated_blocks
from sample import smf

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "worst_cases.json"
PAGE = HERE.parent / "docs" / "performance.md"

BOUND = 5  # times the instructions per byte of a song
GROWTH = 1.5  # most instructions per byte at four times the size: a sort has a logarithm, and beats may be tracked from a size on (1.42)
SIZES = (256 << 10, 1 << 20)  # bytes
SONGS = 60
MAX_TRACKS = 32_767
LATER = smf.varint(2**28 - 1) + b"\xf8"  # the longest delta time, in five bytes
END = b"\0" + smf.END_OF_TRACK


def _track(data: bytes) -> bytes:
    return smf.chunk(b"MTrk", data + END)


def _song(data: bytes, division: int = 480) -> bytes:
    return smf.smf([_track(data)], division, format=0)


def _fill(size: int, *events: bytes) -> bytes:
    """The events over and over."""
    return b"".join(events) * (size // len(b"".join(events)))


def _tracks(size: int, track: bytes, *before: bytes, division: int = 480, form: int = 1) -> bytes:
    """The track over and over, at most MAX_TRACKS in all."""
    count = min(size // len(track), MAX_TRACKS - len(before))
    return smf.smf([*before, *[track] * count], division, form)


def _tempo(i: int) -> bytes:
    return smf.meta(0x51, (300_000 + i * 7919 % 400_000).to_bytes(3, "big"))


def _signature(i: int) -> bytes:
    return smf.meta(0x58, bytes([1 + i % 255, i % 8, 24, 8]))


def _name(text: bytes) -> bytes:
    return _track(b"\0" + smf.meta(smf.TRACK_NAME, text))


def _held_notes(size: int) -> bytes:
    """Notes that each last for half a million bars of 1/128."""
    ons = b"".join(b"\0" + smf.note_on(i % 9, 36 + i // 9 % 48, 64) for i in range(size // 8))
    offs = b"".join(b"\0" + smf.note_off(i % 9, 36 + i // 9 % 48) for i in range(size // 8))
    return _song(b"\0" + smf.meta(0x58, bytes([1, 7, 24, 8])) + ons + smf.varint(500_000 * 15) + b"\xb0\0\0" + offs)


def _interleaved(size: int) -> bytes:
    """Tracks whose notes lie between those of all other tracks."""
    data = [b"".join(smf.varint(1 + i % 100 if not k else 100) + b"\x90\x3c\x40\1\x3c\0" for k in range(2)) for i in range(100)]
    count = min(size // (len(data[0]) + 12), MAX_TRACKS)
    return smf.smf([_track(data[i % 100]) for i in range(count)])


def _pieces_of_two_tracks(size: int) -> bytes:
    """Tempo events of two tracks, which a sort must bring into one order."""
    one = b"".join(b"\2" + _tempo(i) for i in range(size // 14))
    return smf.smf([_track(one), _track(b"\1" + _tempo(3) + one)])


def _backwards(size: int) -> bytes:
    """Tempo events of many tracks, each before those of the track before."""
    count = min(size // 40, MAX_TRACKS)
    return smf.smf([_track(smf.varint(2 * (count - i)) + _tempo(i) + b"\1" + _tempo(i + 1)) for i in range(count)])


def _names(names: Iterator[bytes]) -> Callable[[int], bytes]:
    tracks = [_name(name) for name in names]
    return lambda size: smf.smf(tracks[: min(size // len(tracks[0]), len(tracks))])


def _spans(size: int) -> bytes:
    """Tracks of two notes over 1,024 signatures."""
    first = _track(b"".join(b"\1" + _signature(i) for i in range(1100)))
    return _tracks(size, _track(b"\x88\x50\x90\x3c\x40\1\x3e\x40"), first, division=1)


def _distant_onsets(size: int) -> bytes:
    """Sequences of six onsets and one 10 minutes later, without a pulse."""
    notes = b"\0\x90\x3c\x40" + b"\0\x40\x40" * 6 + smf.varint(480 * 2 * 640) + b"\x3c\x40"
    return _tracks(size, _track(notes), form=2)


def _pulses(size: int) -> bytes:
    return _tracks(size, _track(b"\0\x90\x3c\x40" + b"\x81\x70\x3e\x40" * 6), form=2)


def _performance(size: int) -> bytes:
    """Onsets on no grid, as close as pulses may be, each with an event of one byte: the fewest of which beats are tracked."""
    chance = random.Random(1)
    onsets = (
        bytes([chance.randrange(60, 120), chance.randrange(36, 96), chance.randrange(20, 120)]) for _ in range(min(size // 6, 32_768))
    )
    return _song(b"".join(b"\0\xd0\0" + onset[:1] + b"\x90" + onset[1:] for onset in onsets))


CASES: dict[str, Callable[[int], bytes]] = {
    "a performance": _performance,
    "notes of all keys, running status": lambda size: _song(
        b"\0\x90\x3c\x40" + _fill(size, *(b"\1" + bytes([key, 64]) + b"\1" + bytes([key, 0]) for key in range(128)))
    ),
    "one key struck over and over, then ended": lambda size: _song(
        b"\0\x90\x3c\x40" + _fill(size // 2, b"\0\x3c\x40") + _fill(size // 2, b"\0\x3c\0")
    ),
    "one key struck over and over, never ended": lambda size: _song(b"\0\x90\x3c\x40" + _fill(size, b"\1\x3c\x40")),
    "all keys of all channels struck at once": lambda size: _song(
        _fill(size // 2, *(b"\0" + smf.note_on(c, key, 9) for c in range(16) for key in range(128)))
        + b"\1"
        + _fill(size // 2, *(b"\0" + smf.note_off(c, key) for c in range(16) for key in range(128)))[1:]
    ),
    "notes and tempo events": lambda size: _song(_fill(size, b"\1\x90\x3c\x40\1\x3c\0", *(b"\1" + _tempo(i) for i in range(8)))),
    "tempo events": lambda size: _song(b"".join(b"\1" + _tempo(i) for i in range(size // 7))),
    "tempo events of two tracks": _pieces_of_two_tracks,
    "tempo events of many tracks, backwards": _backwards,
    "a time signature on each tick": lambda size: _song(b"".join(b"\1" + _signature(i) for i in range(size // 8)), 1),
    "a time signature and a note on each tick": lambda size: _song(
        b"".join(b"\0" + _signature(i) + b"\0\x90\x3c\x40\1\x3c\0" for i in range(size // 15)), 1
    ),
    "tracks of two notes over 1,024 time signatures": _spans,
    "key signatures": lambda size: _song(b"".join(b"\1" + smf.meta(0x59, bytes([i % 8, i % 2])) for i in range(size // 6))),
    "a program change before each note": lambda size: _song(
        b"".join(b"\0" + smf.program_change(i % 16, i % 128) + b"\0" + smf.note_on(i % 16, 60, i % 2 * 64) for i in range(size // 7))
    ),
    "program changes of many tracks": lambda size: _tracks(size, _track(_fill(40, b"\1\xc0\1\1\x90\x3c\x40\1\xc0\2\1\x90\x3c\0"))),
    "controllers that end all notes": lambda size: _song(_fill(size, b"\0\x90\x3c\x40\1\xb0\x7b\0")),
    "notes held for half a million bars": _held_notes,
    "ticks to 2^52": lambda size: _song(_fill(size, LATER * 20, b"\0\x90\x3c\x40", LATER, b"\0\x90\x3c\0")),
    "drums": lambda size: _song(
        b"\0\x99\x24\x40" + _fill(size, *(b"\1" + bytes([key, 64]) + b"\0" + bytes([key, 0]) for key in range(35, 82)))
    ),
    "tracks with a stuck note": lambda size: _tracks(size, _track(b"\0\x90\x3c\x40")),
    "tracks with 20 stuck notes": lambda size: _tracks(size, _track(b"\0\x90" + b"\0".join(bytes([60 + i, 64]) for i in range(20)))),
    "32,767 tracks interleaved": _interleaved,
    "tracks of one byte": lambda size: _tracks(size, smf.chunk(b"MTrk", b"\0")),
    "empty tracks": lambda size: _tracks(size, smf.chunk(b"MTrk", b"")),
    "alien chunks": lambda size: smf.smf([]) + smf.chunk(b"XFIH", b"") * (size // 8) + _track(b"\0\x90\x3c\x40"),
    "chunk names that are nearly MTrk": lambda size: smf.smf([_track(b"\0\x90\x3c\x40")] * 2)[:-23] + b"MTrj" * (size // 4),
    "format 2, distant onsets": _distant_onsets,
    "format 2, a pulse each": _pulses,
    "format 2, a note each": lambda size: _tracks(size, _track(b"\0\x90\x3c\x40\1\x3c\0"), form=2),
    "format 2, no note": lambda size: _tracks(size, _track(b""), form=2),
    "1,000 names": _names(b"%08d" % i for i in range(1000)),
    "1,000 names in Shift-JIS": _names(b"\x83h\x83\x89\x83\x80" + b"%04d" % i for i in range(1000)),
    "1,000 names of 64 bytes in Shift-JIS": _names(b"\x83h\x83\x89\x83\x80" * 10 + b"%04d" % i for i in range(1000)),
    "one long name": lambda size: _song(b"\0" + smf.meta(smf.TRACK_NAME, b"a" * size)),
    "one long name in Shift-JIS": lambda size: _song(b"\0" + smf.meta(smf.TRACK_NAME, b"\x83h\x83\x89" * (size // 4))),
    "texts": lambda size: _song(_fill(size, b"\0" + smf.meta(smf.TEXT, b"la"), b"\0" + smf.meta(smf.LYRIC, b"la"))),
    "system-exclusive events": lambda size: _song(_fill(size, b"\0" + smf.sysex(b"\xf7"))),
    "stray data and status bytes": lambda size: _song(_fill(size, b"\0\xf8", b"\0\xf1\1", b"\0\xff\1\0", b"\0\1")),
}  # fmt: skip

COUNT = """
import ctypes, json, sys
from pathlib import Path
from midiopt.core.analyzer import Analyzer
from midiopt.errors import MidiError

library, names = ctypes.CDLL(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
analyzer = Analyzer()
library.start()  # once: each start translates all code again, 0.3 s per file
for name in names:
    data = Path(name).read_bytes()
    library.begin()
    try:
        analyzer.analyze(data, bytes(16), 1, bytearray(), bytearray())
    except MidiError as error:
        print(error, file=sys.stderr)
    library.end(name.encode())
"""
CLIENT = """
#include <valgrind/callgrind.h>
void start(void) { CALLGRIND_START_INSTRUMENTATION; }
void begin(void) { CALLGRIND_ZERO_STATS; }
void end(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }
"""


class Cost(NamedTuple):
    """Of one file."""

    bytes: int
    instructions: int

    @property
    def per_byte(self) -> float:
        """Instructions per byte."""
        return self.instructions / self.bytes


class Counts(NamedTuple):
    """Of all songs together, and of each case at two sizes."""

    song: Cost
    cases: dict[str, tuple[Cost, Cost]]

    def ratio(self, name: str) -> float:
        """Instructions per byte of a case at the larger size, of those of a song."""
        return self.cases[name][1].per_byte / self.song.per_byte

    def growth(self, name: str) -> float:
        """Instructions per byte at the larger size, of those at the smaller one."""
        small, large = self.cases[name]
        return large.per_byte / small.per_byte


def count(build: Path, names: list[str], sizes: tuple[int, int] = SIZES) -> Counts:
    """Count the instructions of the named cases in one process under valgrind."""
    with tempfile.TemporaryDirectory(prefix="midiopt-worst-") as temporary:
        folder = Path(temporary)
        for _ in generate_collection.write(folder / "songs", SONGS):
            pass
        songs = sorted((folder / "songs").glob("*/*.mid"))
        files = []
        for i, name in enumerate(names):
            for size in sizes:
                files.append(folder / f"{i}-{size}.mid")
                files[-1].write_bytes(CASES[name](size))
        costs = [
            Cost(file.stat().st_size, n) for file, n in zip([*songs, *files], _instructions(build, [*songs, *files], folder), strict=True)
        ]
    song, cases = costs[: len(songs)], costs[len(songs) :]
    return Counts(
        Cost(sum(c.bytes for c in song), sum(c.instructions for c in song)),
        {name: (cases[2 * i], cases[2 * i + 1]) for i, name in enumerate(names)},
    )


def _instructions(build: Path, files: list[Path], folder: Path) -> list[int]:
    """The instructions of the analysis of each file."""
    source, library, out, listed = folder / "client.c", folder / "client.so", folder / "callgrind.out", folder / "files.json"
    source.write_text(CLIENT)
    listed.write_text(json.dumps([str(file) for file in files]))
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", sys.executable, "-c", COUNT]
    environment = builds.environment(build) | {"PYTHONHASHSEED": "0"}
    done = subprocess.run([*command, str(library), str(listed)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"valgrind failed:\n{done.stderr[-2000:]}")
    found = {}
    for dump in folder.glob("callgrind.out.*"):
        text = dump.read_text()
        if (name := re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)) and (
            total := re.search(r"^summary: (\d+)", text, re.M)
        ):
            found[name[1]] = int(total[1])
    return [found[str(file)] for file in files]


def table(counts: Counts) -> str:
    """The block of the page."""
    lines = [
        f"Instructions per byte of an analysis, x86-64-v3, beside {counts.song.per_byte:.1f} of generated songs "
        f"({counts.song.bytes // SONGS:,} bytes on average):",
        "",
        "| file | bytes | instructions per byte | of a song's | of those at a quarter of the size |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name in sorted(counts.cases, key=counts.ratio, reverse=True):
        large = counts.cases[name][1]
        lines.append(f"| {name} | {large.bytes:,} | {large.per_byte:.1f} | {counts.ratio(name):.1f} | {counts.growth(name):.2f} |")
    return "\n".join(lines)


def stored() -> Counts:
    """The last stored results."""
    data = json.loads(RESULTS.read_text())
    return Counts(Cost(*data["song"]), {name: (Cost(*small), Cost(*large)) for name, (small, large) in data["cases"].items()})


def main() -> int:
    """Count, and print or store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--store", action="store_true", help="count all cases and write docs/performance.md")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed; on Debian: apt install valgrind")
    names = [name for name in CASES if options.store or not options.names or any(part in name for part in options.names)]
    counts = count(builds.build("valgrind", lambda step: print(step, file=sys.stderr)), names)
    print(table(counts))
    if options.store:
        generated_blocks.store(RESULTS, counts._asdict())
        generated_blocks.fill(PAGE, "worst-cases", table(counts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
