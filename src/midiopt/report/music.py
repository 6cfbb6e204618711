"""The sections of the page about the music: tempo, lengths, keys, meters, instruments, drums and chords."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from midiopt.display import svg
from midiopt.display.svg import Bar, Sector
from midiopt.general_midi import FAMILIES, PROGRAMS
from midiopt.library.chord_loops import loop_text
from midiopt.library.report import LibraryReport
from midiopt.report.distributions import (
    BPM_EDGES,
    NOTE_EDGES,
    POLYPHONY_EDGES,
    SECOND_EDGES,
    histogram,
    most_frequent,
    percent,
    quartiles,
    spoken,
)
from midiopt.report.html import bar_figure, column_figure, figure, grid, section, shares
from midiopt.schema import KEYS
from midiopt.wording import clock, counted

FIFTHS = ("C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F")  # the circle, clockwise from the top
RELATIVES = ("Am", "Em", "Bm", "F#m", "C#m", "G#m", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm")  # minor keys with the same signatures
MAX_BARS, MAX_LOOPS, MAX_PROGRAMS = 12, 14, 16
SOURCES = {"tempo_map": "declared by the file", "onsets": "estimated from the onsets", "none": "without a tempo"}


def tempo(report: LibraryReport) -> str:
    """A histogram of the tempo, and where it comes from."""
    counts, sources, played = (report.counts[name] for name in ("bpm", "bpm_source", "is_performance"))
    first, median, third = quartiles(counts)
    about = f"Half of the files are between {first} and {third} BPM; the middle is {median}." if counts else ""
    marks = _marks(BPM_EDGES, range(40, 201, 20), str)
    bars = [Bar(text, sources[name], _files(sources[name], report.analysed)) for name, text in SOURCES.items()]
    bars.append(Bar("played freely", played[1], _files(played[1], report.analysed)))
    return section(
        "tempo",
        "Tempo",
        grid(
            column_figure("tempo-chart", "Beats per minute", histogram(counts, BPM_EDGES, str), marks, "BPM", about),
            bar_figure("tempo-source-chart", "Where it comes from", bars, 176, "tempo", whole=report.analysed),
        ),
    )


def lengths(report: LibraryReport) -> str:
    """Histograms of duration, notes and polyphony."""
    seconds, notes, voices = (report.counts[name] for name in ("seconds", "notes", "polyphony"))
    low, middle, high = map(clock, quartiles(seconds))
    few, median, many = quartiles(notes)
    seconds_about = f"Half of the files last from {low} to {high}; the middle is {middle}." if seconds else ""
    notes_about = f"Half of the files have from {few:,} to {many:,} notes; the middle is {median:,}." if notes else ""
    voices_about = f"Notes that sound at once at most, drums excluded; the middle is {quartiles(voices)[1]}." if voices else ""
    seconds_marks = _marks(SECOND_EDGES, (0, 10, 60, 120, 180, 240, 360, 1200), clock)
    notes_marks = _marks(NOTE_EDGES, (0, 10, 100, 1000, 10_000, 100_000), svg.short_number)
    voices_marks = {place + 0.5: text for place, text in _marks(POLYPHONY_EDGES, (1, 4, 8, 12, 16, 24), str).items()}
    return section(
        "lengths",
        "Duration, notes and polyphony",
        grid(
            column_figure("duration-chart", "Duration", histogram(seconds, SECOND_EDGES, clock), seconds_marks, "duration", seconds_about),
            column_figure("notes-chart", "Notes", histogram(notes, NOTE_EDGES, "{:,}".format), notes_marks, "notes", notes_about),
            column_figure("polyphony-chart", "Polyphony", histogram(voices, POLYPHONY_EDGES, str), voices_marks, "voices", voices_about),
        ),
    )


def keys(report: LibraryReport) -> str:
    """The circle of fifths, and meters."""
    declared = most_frequent(report.counts["time_signature"], str, MAX_BARS)
    estimated = most_frequent(report.counts["meter_estimated"], str, MAX_BARS)
    return section(
        "keys",
        "Keys and meters",
        grid(
            _key_wheel(report),
            bar_figure("meter-chart", "Time signatures", declared, 80, "time signature", "Declared, and in effect longest."),
            bar_figure("estimated-meter-chart", "Estimated meters", estimated, 80, "meter", "From the notes, whatever is declared."),
        ),
    )


def _key_wheel(report: LibraryReport) -> str:
    counts = merged_keys(report.counts["key"])
    total = sum(counts.values())
    outer, inner = ([Sector(key, counts[key], f"{key}: {_files(counts[key], total)}") for key in ring] for ring in (FIFTHS, RELATIVES))
    bars = sorted((Bar(*sector) for sector in (*outer, *inner)), key=lambda bar: -bar.value)
    minor = sum(counts[key] for key in RELATIVES)
    about = f"Major outside, minor inside. {percent(minor, total)} of {counted(total, 'file')} are in a minor key."
    title = "Keys on the circle of fifths"
    return figure(
        title, svg.wheel("key-chart", title, f"{about} {spoken(bars)}", outer, inner), ("key", "files", "share"), shares(bars), about
    )


def merged_keys(counts: Counter[str]) -> Counter[str]:
    """Keys of the same sound under one name, that of the circle: C flat counts as B."""
    merged: Counter[str] = Counter()
    majors = KEYS.index("A#m") // 2 + 1  # come first, both from seven flats to seven sharps
    for name, files in counts.items():
        place = KEYS.index(name)
        ring = FIFTHS if place < majors else RELATIVES
        merged[ring[(place % majors - 7) % 12]] += files
    return merged


def instruments(report: LibraryReport) -> str:
    """Families and programs of General MIDI, and roles."""
    whole = report.analysed
    counted = report.counts["family"]
    families = [Bar(name, counted[i], _files(counted[i], whole)) for i, name in enumerate(FAMILIES) if counted[i]]
    programs = most_frequent(report.counts["program"], lambda number: f"{number} {PROGRAMS[number]}", MAX_PROGRAMS, whole)
    roles = most_frequent(report.counts["role"], str, MAX_BARS)
    most = "Files in which it plays, of the most frequent ones; numbers count from 0."
    return section(
        "instruments",
        "Instruments",
        grid(
            bar_figure("family-chart", "Families", families, 142, "family", "Files in which one of its programs plays.", whole),
            bar_figure("program-chart", "Programs", programs, 186, "program", most, whole),
            bar_figure("role-chart", "Roles", roles, 100, "role", "What the whole file would be in an arrangement."),
        ),
    )


def patterns(report: LibraryReport) -> str:
    """Drum patterns, chord loops and files that loop."""
    drums = most_frequent(report.counts["drum_pattern"], lambda name: "no known pattern" if name == "none" else str(name), MAX_BARS)
    of_loops = sum(report.counts["loop"].values())
    loops = most_frequent(report.counts["loop"], loop_text, MAX_LOOPS, of_loops)
    repeats = most_frequent(report.counts["loop_bars"], lambda bars: counted(bars, "bar"), MAX_BARS)
    any_key = "In any key and from any chord on, written in C major or A minor. Files whose most common loop has two to about eight chords."
    return section(
        "patterns",
        "Drum patterns and chord loops",
        grid(
            bar_figure("drum-chart", "Drum patterns", drums, 140, "pattern", "Of the files with drums."),
            bar_figure("loop-chart", "Chord loops", loops, 190, "loop", any_key, of_loops),
            bar_figure("repeat-chart", "Files that loop", repeats, 80, "length", "Without a gap, by the length of what repeats."),
        ),
    )


def _marks(edges: Sequence[int], marked: Sequence[int], text: Callable[[int], str]) -> dict[float, str]:
    return {edges.index(edge): text(edge) for edge in marked}


def _files(files: Any, whole: int) -> str:
    return f"{counted(files, 'file')}, {percent(files, whole)}"
