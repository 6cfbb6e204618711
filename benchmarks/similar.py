"""How well similar files are found: recall and false pairs over real songs, and the speed of an answer in a large library.

    python -m benchmarks.similar [--corpus FOLDER] [--songs 1000] [--speed 1000000] [--sqlite PATH] [--postgres URL] [--page]

Each song is changed in every way of CHANGES, saved, and analyzed; it is found if its score against the song reaches the threshold: the
lowest score that at most 1 of 1,000 pairs of different songs reaches. The index finds all contents that share two hashes, so the scores
are those of `midiopt similar` (tests/library/test_similar.py). Drum files are counted apart, with their own fills. Without a corpus the
songs are those of sample/. With --speed a synthetic library of so many files is made in each database, and asked; --sqlite and
--postgres name libraries that are filled already. With --page the results are written into docs/similar.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import midiopt
from accuracy.corpus import CORPUS
from benchmarks import generated_blocks
from benchmarks.command_line import run_program
from benchmarks.song_bytes import Song, read_song, song_bytes
from benchmarks.synthetic_library import SAMPLE, filled
from midiopt.library.similar import MIN_SCORE, decoded, score_of, similar_contents
from midiopt.library.snapshot import open_snapshot

ROOT = Path(__file__).resolve().parent.parent
PAGE, RESULTS = ROOT / "docs" / "similar.md", ROOT / "benchmarks" / "results" / "similar.json"
FALSE_PAIRS = 0.001
MIN_SONG, MIN_GROOVE = 64, 32  # notes
VERSIONS = ("POP909", "asap")  # in the path of a corpus whose folders have several versions of one song

Chance = np.random.Generator
Change = Callable[[Song, Chance], Song | None]


def _transposed(song: Song, chance: Chance) -> Song:
    steps = int(chance.choice([-5, -3, -2, -1, 1, 2, 4, 6]))
    pitches = song.pitch[~song.is_drum]
    if len(pitches) and not 0 <= pitches.min() + steps <= pitches.max() + steps <= 127:
        steps = -steps
    return replace(song, pitch=np.where(song.is_drum, song.pitch, np.clip(song.pitch + steps, 0, 127)))


def _stretched(song: Song, chance: Chance) -> Song:
    factor = chance.uniform(0.9, 1.1)
    return replace(song, onset=song.onset * factor, length=song.length * factor)


def _delayed(song: Song, chance: Chance) -> Song:
    return replace(song, onset=song.onset + int(chance.integers(1, 5000)) / 480)


def _without_track(song: Song, chance: Chance) -> Song | None:
    tracks = np.unique(song.track)
    return song.kept(song.track != chance.choice(tracks)) if len(tracks) > 1 else None


def _changed_notes(song: Song, chance: Chance) -> Song:
    steps = np.where(chance.random(len(song.pitch)) < 0.05, chance.integers(1, 8, len(song.pitch)) * chance.choice([-1, 1]), 0)
    return replace(song, pitch=np.clip(song.pitch + steps, 0, 127))


def _jittered(song: Song, chance: Chance) -> Song:
    return replace(song, onset=np.maximum(song.onset + chance.uniform(-1 / 16, 1 / 16, len(song.onset)), 0))


CHANGES: dict[str, tuple[str, float, Change]] = {  # name, recall to reach, and what is done
    "transposed": ("transposed by up to 6 half tones", 1.0, _transposed),
    "retimed": ("another tempo", 1.0, lambda song, chance: replace(song, microseconds=int(chance.integers(300_000, 900_000)))),
    "stretched": ("faster or slower by up to 10 % in ticks", 1.0, _stretched),
    "delayed": ("delayed", 1.0, _delayed),
    "ticks": (
        "other ticks per quarter (96 to 960)",
        1.0,
        lambda song, chance: replace(song, ticks=int(chance.choice([96, 120, 192, 960]))),
    ),
    "dropped": ("a track dropped", 0.97, _without_track),
    "changed": ("5 % of the notes changed", 0.97, _changed_notes),
    "half": ("first half only", 0.92, lambda song, chance: song.kept(song.onset < song.onset.max() / 2)),
    "jitter": ("onsets moved by up to a sixteenth of a quarter", 0.95, _jittered),
    "merged": ("all tracks merged into one", 0.95, lambda song, chance: replace(song, track=np.zeros_like(song.track))),
    "requantized": (
        "re-encoded, quantized to sixteenth notes",
        0.95,
        lambda song, chance: replace(song, onset=np.round(song.onset * 4) / 4),
    ),
}


def fill_changed(song: Song, chance: Chance) -> Song:
    """A groove whose last bar is another fill."""
    end = song.onset.max()
    kept = song.kept(song.onset < end - min(4, end / 4))
    number = max(len(song.onset) - len(kept.onset), 6)
    onset = np.sort(np.round((end - 4 * chance.random(number)) * 4) / 4)
    drums = chance.choice([38, 41, 43, 45, 47, 48, 50, 36, 49], number)
    return replace(
        kept,
        onset=np.concatenate([kept.onset, onset]),
        length=np.concatenate([kept.length, np.full(number, 0.25)]),
        pitch=np.concatenate([kept.pitch, drums]),
        velocity=np.concatenate([kept.velocity, np.full(number, 90)]),
        is_drum=np.concatenate([kept.is_drum, np.ones(number, bool)]),
        track=np.concatenate([kept.track, np.zeros(number, np.int64)]),
    )


@dataclass
class Original:
    """A song as it is, and its sketch."""

    path: str
    song: Song
    sketch: list[int]


def originals(folder: Path, wanted: int, drums: bool) -> list[Original]:
    """Songs of the folder with a sketch, drawn at random; of several versions of a song one."""
    paths = sorted(path for path in folder.rglob("*.mid") if "edge" not in path.parts)
    random.Random(5).shuffle(paths)
    found: list[Original] = []
    seen = set()
    for path in paths:
        name = str(path.relative_to(folder))
        versions = next((path.parts[i + 1 : i + 3] for i, part in enumerate(path.parts) if part in VERSIONS), None)
        if drums != ("drum" in name.lower() or "groove" in name.lower()) or (versions in seen and versions):
            continue
        try:
            content = path.read_bytes()
            facts, song = midiopt.analyze(content), read_song(content)
        except midiopt.MidiError:
            continue
        notes = int(song.is_drum.sum() if drums else (~song.is_drum).sum())
        if notes < (MIN_GROOVE if drums else MIN_SONG) or (drums and "fill" in name):
            continue
        seen.add(versions)
        found.append(Original(name, song, facts.sketch or []))
        if len(found) == wanted:
            break
    return found


def score(one: list[int], other: list[int]) -> float:
    """The score of two sketches; 0 where `midiopt similar` would not compare them."""
    shared = len({*one} & {*other})
    return score_of(shared, len(one), len(other)) if shared > 1 else 0.0


def scores_of_pairs(sketches: list[list[int]]) -> npt.NDArray[np.float64]:
    """The scores of all pairs of different songs."""
    sets = [frozenset(sketch) for sketch in sketches]
    sizes = [len(sketch) for sketch in sketches]
    found = (len(a & b) / max(m, n, 1) if len(a & b) > 1 else 0.0 for (a, m), (b, n) in combinations(zip(sets, sizes, strict=True), 2))
    return np.fromiter(found, float)


def threshold_of(scores: npt.NDArray[np.float64]) -> float:
    """The lowest score that at most FALSE_PAIRS of the pairs reach."""
    allowed = int(len(scores) * FALSE_PAIRS)
    limit = float(np.sort(scores)[-allowed - 1]) if len(scores) else 0.0
    return next((value for value in (n / 100 for n in range(1, 101)) if value > limit), 1.0)


def recall(songs: list[Original], change: Change, threshold: float, seed: int = 1) -> tuple[int, float, float]:
    """The number of songs that can be changed so, the share that is found, and the mean score."""
    chance = np.random.default_rng(seed)
    scores = []
    for song in songs:
        changed = change(song.song, chance)
        if changed is not None and len(changed.onset) > 7:
            scores.append(score(song.sketch, midiopt.analyze(song_bytes(changed)).sketch or []))
    return len(scores), float(np.mean([value >= threshold for value in scores])), float(np.mean(scores))


def versions(folder: Path, threshold: float) -> dict[str, Any]:
    """How often versions of one song of POP909 find each other."""
    songs: dict[str, list[list[int]]] = {}
    for path in sorted(folder.rglob("POP909/*/**/*.mid")):
        number = path.parts[path.parts.index("POP909") + 1]
        songs.setdefault(number, []).append(midiopt.analyze(path).sketch or [])
    scores = [score(a, b) for sketches in songs.values() for a, b in combinations(sketches, 2)]
    best = [
        max(score(sketches[i], other) for j, other in enumerate(sketches) if j != i)
        for sketches in songs.values()
        if len(sketches) > 1
        for i in range(len(sketches))
    ]
    return {
        "songs": len(songs), "pairs": len(scores), "found": float(np.mean([value >= threshold for value in scores])),
        "files": len(best), "files_found": float(np.mean([value >= threshold for value in best])),
    }  # fmt: skip


def quality(folder: Path, wanted: int) -> dict[str, Any]:
    """The table of recall, the threshold and the pairs."""
    songs, grooves = originals(folder, wanted, drums=False), originals(folder, 300, drums=True)
    everything = [song.sketch for song in songs]
    scores = scores_of_pairs(everything)
    threshold = threshold_of(scores)
    print(f"{len(songs):,} songs, {len(grooves)} grooves; threshold {threshold:.2f}", flush=True)
    rows = []
    for text, target, change in CHANGES.values():
        number, found, mean = recall(songs, change, threshold)
        rows.append({"change": text, "songs": number, "target": target, "recall": found, "score": mean})
        print(f"{text:48} {number:5} {found:.3f} (to reach {target:.2f}), mean score {mean:.2f}", flush=True)
    results = {
        "songs": len(songs), "without_sketch": sum(not sketch for sketch in everything), "threshold": threshold, "rows": rows,
        "false_pairs": {f"{limit:.2f}": float(np.mean(scores >= limit)) for limit in (0.05, 0.1, 0.2, 0.3, 0.5)},
    }  # fmt: skip
    if grooves:
        of_grooves = scores_of_pairs([groove.sketch for groove in grooves])
        limit = threshold_of(of_grooves)
        number, found, mean = recall(grooves, fill_changed, limit)
        results["grooves"] = {"songs": number, "threshold": limit, "recall": found, "score": mean, "target": 0.9}
        print(f"a drum groove with a fill changed: {number} {found:.3f} at {limit:.2f}, mean score {mean:.2f}")
    if any(folder.rglob("POP909")):
        results["versions"] = versions(folder, threshold)
        print(results["versions"])
    return results


def speed(url: str, questions: int = 200) -> dict[str, float]:
    """Ask a library for contents similar to those of its own: the median and the 99th percentile in milliseconds, of the second round."""
    with open_snapshot(url) as library:
        [(files,)] = library.rows("SELECT count(*) FROM files")
        rows = library.rows("SELECT sketch FROM analyses WHERE sketch IS NOT NULL AND id - id / 997 * 997 = 1 ORDER BY id")
        sketches = [decoded(sketch) for (sketch,) in rows][:questions]
        times: list[float] = []
        for _ in range(2):
            times = []
            for sketch in sketches:
                began = time.perf_counter()
                similar_contents(library, sketch, MIN_SCORE)
                times.append(1000 * (time.perf_counter() - began))
    return {"files": files, "median": float(np.median(times)), "p99": float(np.quantile(times, 0.99))}


def page(results: dict[str, Any]) -> str:
    """The tables in Markdown."""
    lines = ["| change | songs | recall | to reach | mean score |", "| --- | ---: | ---: | ---: | ---: |"]
    rows = [*results["rows"], *([{"change": "a drum groove with a fill changed", **results["grooves"]}] if "grooves" in results else [])]
    lines += [f"| {r['change']} | {r['songs']:,} | {r['recall']:.3f} | {r['target']:.2f} | {r['score']:.2f} |" for r in rows]
    if "speed" in results:
        lines += ["", "| database | files | median | 99th percentile |", "| --- | ---: | ---: | ---: |"]
        lines += [f"| {name} | {r['files']:,} | {r['median']:.1f} ms | {r['p99']:.1f} ms |" for name, r in results["speed"].items()]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS / "dev" if (CORPUS / "dev").is_dir() else SAMPLE)
    parser.add_argument("--songs", type=int, default=1000)
    parser.add_argument("--speed", type=int, default=0, metavar="FILES")
    parser.add_argument("--sqlite", metavar="PATH", help="a filled library")
    parser.add_argument("--postgres", metavar="URL", help="a filled library")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if options.songs:
        results |= quality(options.corpus, options.songs)
    for database, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL")):
        given = getattr(options, database)
        if given or options.speed:
            with contextlib.nullcontext(given) if given else filled(database, options.speed) as url:
                results.setdefault("speed", {})[name] = speed(url)
                print(name, results["speed"][name], flush=True)
    if options.page:
        generated_blocks.store(RESULTS, results)
        generated_blocks.fill(PAGE, "similar", page(results))
    return 0


if __name__ == "__main__":
    run_program(main)
