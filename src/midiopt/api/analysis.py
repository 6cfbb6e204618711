"""The facts of one file as a Python object. ``python -m docs.generate_analysis`` writes the fields of the columns from schema.py."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from midiopt.rows.encoded_facts import EncodedFacts
from midiopt.rows.row_decoder import set_fields
from midiopt.schema import ANALYSES, issue_names
from midiopt.wording import clock, counted


@dataclass(frozen=True, slots=True, repr=False)
class Analysis(EncodedFacts):
    """The facts of one file: the columns of the table ``analyses``, and how its analysis ended.

    docs/columns.md has the meaning and unit of each.
    """

    # begin columns
    content_hash: bytes
    """Hash of the content: keyed by content_key in `meta`; from analyze() XXH3-128."""
    analyzer_version: int
    """Version of the analysis, raised whenever a value may change."""
    format: int
    """SMF format: 0, 1 or 2."""
    track_count: int
    """Number of MTrk chunks read."""
    ticks_per_quarter: int | None
    """Time division of the header; None for SMPTE division (ticks/quarter)."""
    event_count: int
    """Number of channel, meta and system-exclusive events, including End of Track."""
    duration_ticks: int
    """Tick of the last event of any track (ticks)."""
    duration_s: float
    """duration_ticks converted with the tempo map (s)."""
    first_note_s: float | None
    """Onset of the first note (s)."""
    last_note_s: float | None
    """End of the last note (s)."""
    bpm: float | None
    """Best tempo estimate; bpm_source says whether it is declared or estimated (beats/min)."""
    bpm_source: str
    """Source of bpm: tempo_map (declared), onsets (estimated, because no tempo is declared or the notes ignore it) or none."""
    bpm_confidence: float
    """Share of the time with a tempo within 4 % of bpm, or bpm_onsets_confidence if estimated; 0 without bpm (0..1)."""
    bpm_mean: float | None
    """Mean declared tempo: quarters per minute up to the end of the last note (quarters/min)."""
    bpm_min: float | None
    """Slowest declared tempo in effect for more than 0 s before the end of the last note (quarters/min)."""
    bpm_max: float | None
    """Fastest declared tempo in effect for more than 0 s before the end of the last note (quarters/min)."""
    tempo_changes: int
    """Number of times the declared tempo takes another value after tick 0."""
    bpm_onsets: float | None
    """Tempo estimated from onset times alone; None with fewer than 6 onsets or without a pulse (beats/min)."""
    bpm_onsets_confidence: float | None
    """Probability that bpm_onsets is the beat, not another period or none (0..1)."""
    grid_deviation: float | None
    """Median distance of onsets to the nearest sixteenth or eighth triplet, in steps of 1/192; None for SMPTE division (quarters)."""
    is_performance: bool | None
    """Whether it was played freely, rather than notated or quantized."""
    swing: float | None
    """Ratio of the first to the second of two eighth notes; None without swing."""
    time_signature: str | None
    """Declared time signature in effect longest; None if none is declared."""
    time_signature_changes: int
    """Number of times the time signature takes another value after tick 0."""
    meter_estimated: str | None
    """Meter estimated from the notes, whatever is declared; None without bpm_onsets."""
    meter_confidence: float
    """Probability of meter_estimated among the meters it chooses from; 0 without it (0..1)."""
    key: str | None
    """Best key estimate, taking key_declared into account; None with fewer than 3 pitched notes."""
    key_confidence: float
    """Probability that key is right; see docs/accuracy.md (0..1)."""
    key_notes: str | None
    """Key estimated from the notes alone."""
    key_declared: str | None
    """First valid key signature."""
    key_changes: int
    """Number of changes of the estimated key over sixteen segments."""
    pitch_classes: list[float]
    """Share of sounding time per pitch class, starting with C, drums excluded, to 6 decimals (0..1)."""
    note_count: int
    """Number of note-ons with a velocity above 0."""
    drum_note_count: int
    """Number of notes of drums: on channel 10, or where the file makes another part drums; docs/policy.md says how."""
    pitch_min: int | None
    """Lowest pitch, drums excluded (MIDI pitch)."""
    pitch_max: int | None
    """Highest pitch, drums excluded (MIDI pitch)."""
    unique_pitches: int | None
    """Number of different pitches, drums excluded."""
    velocity_mean: float | None
    """Mean velocity (0..127)."""
    velocity_std: float | None
    """Population standard deviation of the velocities."""
    velocity_min: int | None
    """Lowest velocity (1..127)."""
    velocity_max: int | None
    """Highest velocity (1..127)."""
    unique_velocities: int | None
    """Number of different velocities."""
    note_seconds_mean: float | None
    """Mean note length, drums excluded (s)."""
    notes_per_second: float | None
    """Notes per second from first_note_s to last_note_s; None if equal (notes/s)."""
    polyphony_max: int
    """Greatest number of notes sounding at once, drums excluded."""
    polyphony_mean: float
    """Mean number of notes sounding at once while any sounds, drums excluded."""
    programs: list[int]
    """General MIDI programs that play at least one note, drums excluded (0..127)."""
    primary_program: int | None
    """Program with the most notes, drums excluded; the lowest in case of a tie (0..127)."""
    channels: list[int]
    """Channels with at least one note (1..16)."""
    chord_progression: str | None
    """Chords of the most common loop, such as `Am F C G`; None if no two notes sound at once."""
    chord_changes_per_bar: float | None
    """Number of chord changes per bar, from the first chord on (changes/bar)."""
    harmonic_rhythm: float | None
    """Median duration of a chord, weighted by duration (quarters)."""
    drum_density: float | None
    """Drum notes per bar that has any (notes/bar)."""
    drum_pattern: str | None
    """Pattern of kick and snare: four on the floor, rock backbeat, half time, breakbeat, shuffle or none; None without drums."""
    role: str | None
    """Role of the whole file in an arrangement: drums, bass, chords, melody or full; None without notes."""
    bar_count: int | None
    """Number of bars up to the end of the last note, in 4/4 unless declared otherwise, tracked if the notes ignore the tempo map; None
    for SMPTE division or above 2^31 - 1 (bars)."""
    is_loop: bool | None
    """Whether it loops without a gap: 1, 2, 4, 8, 12 or 16 whole bars, or repetitions of them."""
    loop_bars: int | None
    """Length of the repeated loop (bars)."""
    control_changes: int
    """Number of control-change events."""
    sustain_pedals: int
    """Number of events of controller 64."""
    pitch_bends: int
    """Number of pitch-bend events."""
    program_changes: int
    """Number of program-change events."""
    sysex_count: int
    """Number of system-exclusive events, including continuation packets."""
    lyric_count: int
    """Number of syllables: lyric events, or text events of a karaoke file if they are more; no tags."""
    title: str | None
    """Name of track 0, else the title in an RMID container, a karaoke line @T, the name of a track without notes; as Unicode, else in
    the likeliest code page of all names; at most 1,000 characters."""
    track_names: list[str]
    """Distinct names of all tracks in order, decoded like the title; at most 1,000."""
    notes_hash: bytes | None
    """Sum of a hash of every note: equal for the same music saved differently; None without notes."""
    issues: int
    """Bit set of repairs and unusual properties; docs/policy.md lists their names."""
    sketch: list[int] | None
    """Hashes of what is played, of which similar files share some (docs/similar.md); None with too few notes; not in `library`."""
    chord_symbols: str | None
    """The same loop with sevenths and basses, such as `Am7 Fmaj7 C/G G`, as it is first played; None with `chord_progression`."""
    sections: str | None
    """Sections with their lengths in bars, such as `A8 A8 B8 A8`: equal letters repeat each other; None where less than half of the bars
    are repeated, or below 8 or above 512 bars."""
    # end columns
    status: str
    """``ok`` or ``repaired``."""
    error: str | None
    """The repairs, with the byte offset of the first one; None if there were none."""
    source: str | int | None = field(compare=False)
    """The path that was given; of content, its place in what analyze_many() was given, from 0, and None from analyze()."""

    @property
    def issue_names(self) -> list[str]:
        """Names of the bits that are set in ``issues``."""
        return issue_names(self.issues)

    def to_dict(self) -> dict[str, Any]:
        """Status, error and facts by name, as ``midiopt show --json`` has them: hashes in hexadecimal, and the names of issues."""
        return {"status": self.status, "error": self.error, **{column.name: json_value(self, column.name) for column in ANALYSES}}

    def to_json(self) -> str:
        """``to_dict()`` as a line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def __repr__(self) -> str:
        facts = [clock(self.duration_s), counted(self.note_count, "note"), "" if self.bpm is None else f"{self.bpm:.0f} BPM"]
        facts += [self.key or "", self.time_signature or self.meter_estimated or "", self.chord_progression or ""]
        return f"<Analysis: {', '.join(filter(None, facts))}>"

    def _repr_html_(self) -> str:
        html: str = import_module("midiopt.display.notebook").analysis_html(self)  # of a layer above this one
        return html


Analysis._fields = tuple(Analysis.__slots__)
# help() and inspect.getdoc() find the meaning of a field here; the texts below the fields are for editors and the documentation.
Analysis.__slots__ = {name: "" for name in Analysis._fields} | {
    column.name: column.description.replace("null", "None") for column in ANALYSES
}  # type: ignore[assignment]


def json_value(facts: Analysis, name: str) -> Any:
    """A fact as JSON holds it: a hash in hexadecimal, issues by name."""
    value = facts.issue_names if name == "issues" else getattr(facts, name)
    return value.hex() if isinstance(value, bytes) else value


def build_analysis(values: list[Any]) -> Analysis:
    """An Analysis with the values of its fields in order."""
    analysis = object.__new__(Analysis)
    set_fields(analysis, Analysis._fields, values)
    return analysis


def undecoded_analysis(row: bytearray, heap: bytearray, status: str, error: str | None, source: str | None) -> Analysis:
    """An Analysis that decodes its row when a fact is asked for. Nothing may change ``row`` and ``heap`` any more."""
    analysis = object.__new__(Analysis)
    set_fields(analysis, EncodedFacts.__slots__, [(row, heap, status, error, source)])
    return analysis
