"""The row of a file from its bytes, and the comparison with another row.

analyze(data) -> {column: value}
differing_columns(row, reference) -> [column]
"""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np

from midiopt.core.text.lyrics_words import WORDS as LYRICS_WORDS
from midiopt.kinds import FLOAT32, FLOAT64, SHARES
from midiopt.schema import ANALYSES, Column
from reference.beat import FRAME_RATE, MAX_FIRST_FRAME, MAX_SEQUENCES, MIN_ONSETS, choose_beat, find_evidence, lower_median, onsets_of
from reference.beat_tracker import PlayedNote, group, tracked_beats
from reference.declarations import declared_key, tempo_facts, time_signature_facts
from reference.form import form_facts, role
from reference.key import key_facts
from reference.lyrics import xf_lyrics
from reference.meter import accent_meter, quantized_meter, tracked_meter
from reference.names import name_facts
from reference.notes import note_facts, notes_hash, pitch_facts
from reference.performance import is_tracked, median_distance, performance_facts
from reference.phase import quarter_phase
from reference.quantization import quantization_facts
from reference.sequence import Facts, Sequence
from reference.sketch import sketch
from reference.text import name_bytes, words_in
from reference.tracks import Division, Track, Unreadable, read_tracks

__all__ = ["COLUMNS", "Unreadable", "analyze", "differing_columns"]

NOT_MUSIC = ("content_hash", "analyzer_version", "issues")  # columns about the bytes, which mido does not show
COLUMNS = tuple(c for c in ANALYSES if c.name not in NOT_MUSIC)
SUSTAIN_PEDAL = 64  # controller
MIN_SYLLABLE_TICKS = 4  # of a track of lyrics
LYRICS_NAME = re.compile(
    rb"lyric|letra|karaoke|paroles|testo|liedtext|songtext|liedtekst|songtekst|sangtekst|dalszoveg|^(words|tekst|parole|slowa|slova|sanat|versuri)$",
    re.IGNORECASE,
)
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-4, 1e-6  # of floating-point columns


def rhythm_facts(sequences: list[Sequence], division: Division) -> Facts:
    """Beat, quantization and estimated meter, from each sequence up to the first that has a beat; a later one overrides."""
    columns = ("bpm_onsets", "bpm_onsets_confidence", "grid_deviation", "is_performance", "swing", "meter_estimated")
    facts: Facts = {**dict.fromkeys(columns), "meter_confidence": 0.0, "tempo_map_ignored": False, "phase": 0, "tracked_bars": None}
    with_form = next((s for s in sequences if s.notes), None)
    pitches: list[int] = []
    drums = searched = 0
    for s in sequences:
        pitches += [n.pitch for n in s.pitched]
        drums += len(s.notes) - len(s.pitched)
        searched += len(s.notes) >= MIN_ONSETS
        if searched > MAX_SEQUENCES:
            break
        onsets = onsets_of(s)
        if min((o.seconds for o in onsets), default=0) * FRAME_RATE >= MAX_FIRST_FRAME:
            continue
        median_pitch, drum_share = lower_median(pitches), drums / max(len(pitches) + drums, 1)
        if division.ticks_per_quarter:
            facts |= quantization_facts(onsets)
            if s is with_form and facts["is_performance"] is False:
                facts["phase"] = quarter_phase(onsets, drum_share)
        evidence = find_evidence(onsets, median_pitch, drum_share)
        if evidence is None:
            continue
        period, confidence = choose_beat(evidence)
        facts |= {"bpm_onsets": 60 * FRAME_RATE / period, "bpm_onsets_confidence": confidence}
        facts |= accent_meter(evidence, period)
        if division.ticks_per_quarter and not facts["tempo_map_ignored"]:
            facts |= quantized_meter(s.notes, median_pitch, drum_share, division.quarter)
        if facts["tempo_map_ignored"] and is_tracked(len(s.notes), sum(len(other.events) for other in sequences)):
            bpm, played = single(facts["bpm_onsets"]), played_notes(s)
            beats = tracked_beats(played, 60 / bpm)
            facts |= performance_facts(beats, bpm, single(confidence))
            facts["tracked_bars"] = facts["tracked_bars"] if s is with_form else None
            if len(beats) > 1:
                facts |= tracked_meter(group(played), beats, median_distance(beats), median_pitch, drum_share)
        break
    return facts


def played_notes(sequence: Sequence) -> list[PlayedNote]:
    """The notes of a sequence in seconds."""
    seconds = sequence.tempo_map.seconds
    return [PlayedNote(seconds(note.onset), seconds(note.end), note.pitch, note.velocity, note.pitched) for note in sequence.notes]


def single(x: float) -> float:
    """A number as a row holds it, in single precision."""
    return float(np.float32(x))


def notes_per_second(facts: Facts) -> float | None:
    """Notes per second from the first onset to the end of the last note; None if no time passes between them."""
    seconds = facts["last_note_s"] - facts["first_note_s"] if facts["note_count"] else 0
    return facts["note_count"] / seconds if seconds else None


def best_bpm(facts: Facts) -> Facts:
    """Override the declared tempo with the estimate if there is none or the notes ignore it."""
    if facts["bpm_onsets"] and (facts["tempo_map_ignored"] or facts["bpm_source"] == "none"):
        return {"bpm": facts["bpm_onsets"], "bpm_confidence": facts["bpm_onsets_confidence"], "bpm_source": "onsets"}
    return {}


def lyric_count(tracks: list[Track], in_chunks: int) -> int:
    """The number of lyric events, those `in_chunks` of their own too, or of the texts that are syllables of karaoke, whichever are more."""
    lyrics = [m.text for track in tracks for _, m in track if m.type == "lyrics"]
    karaoke = any(m.type == "text" and m.text.startswith("@K") for track in tracks for _, m in track)
    longest = in_lyrics_tracks = 0
    for track in tracks:
        syllables = [tick for tick, m in track if m.type == "text" and m.text and not m.text.startswith("@")]
        names = [m.name for _, m in track if m.type == "track_name"]
        if len(set(syllables)) >= MIN_SYLLABLE_TICKS and 2 * len(set(syllables)) >= len(syllables):
            longest = max(longest, len(syllables))
            in_lyrics_tracks += len(syllables) if any(map(says_lyrics, names)) else 0
    return max(in_chunks + sum(not t.startswith("@") for t in lyrics), in_lyrics_tracks, longest if karaoke else 0)


def says_lyrics(name: str) -> bool:
    """Whether the name of a track says that it has the lyrics."""
    text = name_bytes(name.encode("latin-1")).strip(b" \0")
    return bool(LYRICS_NAME.search(text)) or bool(words_in(text, LYRICS_WORDS))


def event_facts(tracks: list[Track], lyrics_in_chunks: int) -> Facts:
    """Counts of tracks and events."""
    messages = [m for track in tracks for _, m in track]
    count = Counter(m.type for m in messages)
    return {
        "track_count": len(tracks),
        "event_count": len(messages),
        "control_changes": count["control_change"],
        "sustain_pedals": sum(m.type == "control_change" and m.control == SUSTAIN_PEDAL for m in messages),
        "pitch_bends": count["pitchwheel"],
        "program_changes": count["program_change"],
        "sysex_count": count["sysex"],
        "lyric_count": lyric_count(tracks, lyrics_in_chunks),
    }


def sequences_of(tracks: list[Track], format_: int, division: Division) -> list[Sequence]:
    """The tracks that play together: all of a file, or in format 2 each on its own."""
    return [Sequence([t], division) for t in tracks] if format_ == 2 else [Sequence(tracks, division)]


def analyze(data: bytes) -> Facts:
    """Every fact of a file from its bytes, as Python values by column name; raises Unreadable if mido cannot read it."""
    format_, division, tracks = read_tracks(data)
    sequences = sequences_of(tracks, format_, division)
    facts: Facts = {
        "format": format_,
        "ticks_per_quarter": division.ticks_per_quarter,
        "duration_ticks": max(s.duration for s in sequences),
        "duration_s": max(s.tempo_map.seconds(s.duration) for s in sequences),
        "key_declared": declared_key(sequences),
        "notes_hash": notes_hash(sequences, division.quarter),
        "sketch": sketch(sequences, division.quarter),
        **tempo_facts(sequences),
        **rhythm_facts(sequences, division),
        **time_signature_facts(sequences),
        **pitch_facts(sequences),
        **note_facts(sequences),
        **event_facts(tracks, xf_lyrics(data)),
        **name_facts(tracks),
    }
    facts |= form_facts(sequences, division.ticks_per_quarter, facts["phase"])
    if facts["tracked_bars"]:
        facts["bar_count"] = facts["tracked_bars"]
    facts |= key_facts(sequences, declared_key(sequences), facts.get("chord_loop"))
    facts["role"] = role(sequences, division.quarter, facts["polyphony_mean"])
    facts |= best_bpm(facts)
    facts["notes_per_second"] = notes_per_second(facts)
    return {c.name: facts[c.name] for c in COLUMNS}


def differing_columns(row: Facts, reference: Facts, columns: tuple[Column, ...] = COLUMNS) -> list[str]:
    """The columns in which a row differs from the reference: floats beyond the tolerances, everything else at all."""

    def close(a: float | None, b: float | None) -> bool:
        if a is None or b is None:
            return a is b
        return math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)

    differing = []
    for column in columns:
        ours, theirs = row[column.name], reference[column.name]
        if column.kind is SHARES:
            equal = all(close(a, b) for a, b in zip(ours, theirs, strict=True))
        elif column.kind in (FLOAT32, FLOAT64):
            equal = close(ours, theirs)
        else:
            equal = ours == theirs
        if not equal:
            differing.append(column.name)
    return differing
