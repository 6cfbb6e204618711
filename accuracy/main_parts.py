"""How often the tracks that are named melody and bass are those, where the truth is known without listening.

    POP909       the track MELODY; none of its tracks is a bass
    tunes        Nottingham's: the first track is the melody, the second the chords; and the melodies and the chords alone
    karaoke      the tracks whose onsets are where syllables are sung
    named        songs with a track that is named after a voice or a melody, or after a bass

Loops of chords and single tracks of piano music have neither. Names are the truth here; the kernel does not read them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import midiopt
from accuracy import markdown
from accuracy.corpus import beside, midi_files
from midiopt.core.analyzer import Analyzer
from midiopt.rows.decode import row_to_dict
from midiopt.rows.layout import TRACKS_LAYOUT
from midiopt.schema import MAIN_PARTS, TRACKS

MELODY = re.compile(r"melod|vocal|\b(voices?|voz|canto|vox)\b|lead(ing)? vo|\bsing", re.IGNORECASE)
NO_MELODY = re.compile(r"back|chor|harm|echo|2nd|second|\b[2-9]\b|help|oohs|left|right", re.IGNORECASE)
BASS = re.compile(r"\bbass|bass\b|bass ?g[ut]|\b(bajo|baixo|basse|basu|bs)\b", re.IGNORECASE)
NO_BASS = re.compile(r"drum|clar|trom|oon|kick|treble|melod|sax|bassett|flute|brass", re.IGNORECASE)
TEXT, LYRIC = 1, 5  # types of meta events
MIN_NOTES = 20
MIN_SYLLABLES = 20
MIN_SUNG = 0.8  # F measure of syllables and onsets
LOOPS_PER_FILE = 25  # of the chord loops, of which there are thousands
Row = dict[str, Any]


@dataclass
class Song:
    """A file with known parts; the tracks that have each main part, None if that is not known."""

    source: str
    path: Path
    collection: str
    group: str  # of versions of one piece
    rows: list[Row]  # of tracks with pitched notes
    melody: list[int] | None
    bass: list[int] | None

    def right(self, part: str) -> list[int] | None:
        """The tracks that have a main part."""
        return self.melody if part == "melody" else self.bass


def track_rows(analyzer: Analyzer, data: bytes) -> list[Row]:
    """The rows of the tracks of a file that have pitched notes."""
    tracks, heap = bytearray(), bytearray()
    analyzer.analyze(data, bytes(16), 0, bytearray(), heap, tracks)
    size = TRACKS_LAYOUT.size
    rows = [row_to_dict(TRACKS, bytes(tracks[at : at + size]), heap) for at in range(0, len(tracks), size)]
    return [row for row in rows if row["pitch_min"] is not None]


def sung_tracks(path: Path, rows: list[Row]) -> list[int] | None:
    """The tracks with an onset for each syllable; None if no track is sung."""
    arena, ticks = midiopt.parse(path), defaultdict[tuple[int, int], set[int]](set)
    events, tracks = arena.events(), arena.tracks()
    for event, _, kind, text, _ in arena.marks():
        if kind in (LYRIC, TEXT) and text.strip() and text[:1] != b"@":
            ticks[bisect_right(tracks, (event, len(events), 0)), kind].add(int(events["tick"][event]))
    syllables = max(ticks.values(), key=len, default=set())
    notes = midiopt.notes(path)
    found = []
    for row in rows:
        onsets = set(notes.onset[(notes.track == row["track"]) & ~notes.is_drum].tolist())
        if row["polyphony_mean"] < 2 and 2 * len(onsets & syllables) >= MIN_SUNG * (len(onsets) + len(syllables)):
            found.append(row["track"])
    return found if len(syllables) >= MIN_SYLLABLES else None


def named_tracks(rows: list[Row], pattern: re.Pattern[str], but: re.Pattern[str]) -> list[int] | None:
    """The one or two tracks that are named like a part; None without any."""
    found = [
        r["track"] for r in rows if r["name"] and pattern.search(r["name"]) and not but.search(r["name"]) and r["note_count"] >= MIN_NOTES
    ]
    return found if 1 <= len(found) <= 2 else None


def song_of(path: Path, folder: Path, analyzer: Analyzer) -> Song | None:
    """The truth of a file; None if it has none."""
    try:
        rows, facts = track_rows(analyzer, path.read_bytes()), midiopt.analyze(path)
    except midiopt.MidiError:
        return None
    relative = path.relative_to(folder)
    collection = next(part for part in relative.parts if part != "edge").split("+")[-1]
    song = Song("", path, collection, relative.stem, rows, [], [])
    if not rows or facts.format == 2:
        return None
    if collection == "POP909-Dataset":
        song.source, song.group = "POP909", next((p for p in relative.parts if re.fullmatch(r"\d{3}", p)), relative.stem)
        song.melody = [r["track"] for r in rows if (r["name"] or "").strip().upper() == "MELODY"]
        return song if song.melody and len(rows) > 1 else None
    if collection == "nottingham-dataset":
        if relative.parent.name != "chords":
            song.melody = [rows[0]["track"]]
        song.source = "tunes" if len(rows) > 1 else "melodies alone" if song.melody else "chords alone"
        return song
    if collection == "free-midi-chords" or (len(rows) == 1 and collection in ("asap-dataset", "GiantMIDI-Piano")):
        song.source = "loops of chords" if collection == "free-midi-chords" else "piano music, one track"
        return song
    if len(rows) < 3:
        return None
    sung = sung_tracks(path, rows) if facts.lyric_count >= MIN_SYLLABLES else None
    song.melody = sung or named_tracks(rows, MELODY, NO_MELODY)
    song.bass = named_tracks(rows, BASS, NO_BASS)
    song.source = "karaoke" if sung else "named"
    return song if song.melody or song.bass else None


def songs(corpus: Path) -> Iterator[Song]:
    """All files whose parts are known, of the corpus and beside it."""
    analyzer, loops = Analyzer(), 0
    for folder in (corpus, *beside(corpus)):
        for path in midi_files(folder):
            loops += (is_loop := "free-midi-chords" in str(path))
            if is_loop and loops % LOOPS_PER_FILE:
                continue
            if song := song_of(path, folder, analyzer):
                yield song


def line(source: str, part: str, mine: list[Song]) -> list[object]:
    """How often a part is named in the songs of a source, and is right."""
    has = [song for song in mine if song.right(part)]
    named = [(song, row["track"]) for song in mine for row in song.rows if row["main_part"] == part]
    right = [track in (song.right(part) or []) for song, track in named]
    return [source, part, len(mine), len(has), len(named), sum(right) / len(right) if right else "", sum(right) / len(has) if has else ""]


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The table; the truth is in the files."""
    del truth, sample
    found = list(songs(corpus))
    lines = [
        line(source, part, mine)
        for source in Counter(song.source for song in found)
        for part in MAIN_PARTS
        if (mine := [song for song in found if song.source == source and song.right(part) is not None])
    ]
    head = ["source", "part", "files", "of them have it", "named", "of them right", "of those that have it"]
    return "### Melody and bass of a file\n\n" + markdown.table(head, lines)
