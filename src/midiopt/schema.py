"""Every column once: name, kind, unit and meaning.

Two tables: ``files`` holds one row per path, ``analyses`` one per distinct content. The row layout
(rows.py), the SQL of both databases, ``Analysis`` attributes and the documentation are all made
from the tuples below, so a column is added here, in ``core/facts.pxd`` and where it is computed.
A third, ``runs``, has a row a run; it is written without batches.

How a kind is stored in a row, and what stands for null there:

========  ==================================================================  ==================
kind      in the row                                                          null
========  ==================================================================  ==================
text      uint32 offset and length into the batch's heap, UTF-8               length 2**32 - 1
texts     the same; the items are joined by NUL, no item is empty             never
int16     int16                                                               -2**15
int32     int32                                                               -2**31
int64     int64                                                               -2**63
float32   float32                                                             NaN
float64   float64                                                             NaN
floats    12 float32                                                          never
hash16    16 bytes, the digest as XXH3-128 prints it                          all zero
hash8     8 bytes, high byte first, as XXH3-64 prints them                            all zero
enum      uint8, an index into ``values``                                     255
bool      uint8, 0 or 1                                                       255
set       bit set of ``bits`` bits in bytes, bit 0 first; bit i is first + i  never
time      int64, microseconds since 1970-01-01 UTC                            never
========  ==================================================================  ==================
"""

from __future__ import annotations

from dataclasses import dataclass

ANALYZER_VERSION = 8  # raised whenever any fact may change
SCHEMA_VERSION = 5  # raised whenever a table changes shape
PRODUCT = "midiopt"

STATUSES = ("ok", "repaired", "rejected", "unreadable", "crashed", "opened")
OK, REPAIRED, REJECTED, UNREADABLE, CRASHED, OPENED = range(len(STATUSES))
ANALYSED = (OK, REPAIRED)  # a file with one of these has its row in `analyses`
SETTLED = (OK, REPAIRED, REJECTED, OPENED)  # an unchanged file with one of these is skipped next time

OUTCOMES = ("finished", "interrupted", "failed", "killed")  # of a run

METERS = ("4/4", "3/4", "6/8", "2/4", "9/8")  # that meter_estimated knows
NAME_METERS = ("2/2", "2/4", "3/4", "4/4", "5/4", "6/4", "7/4", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8")
BPM_SOURCES = ("tempo_map", "onsets", "none")

DRUM_PATTERNS = ("four on the floor", "rock backbeat", "half time", "breakbeat", "shuffle", "none")
ROLES = ("drums", "bass", "chords", "melody", "full")

# Key signatures as written, from seven flats to seven sharps: majors first, then minors. Estimated
# keys use the same names, so one enumeration serves `key`, `key_notes` and `key_declared`.
KEYS = (
    *("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"),
    *("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m"),
)

# What was repaired or is unusual, in the order of the bits in core/smf/midi.pxd; docs/policy.md has more.
REPAIRS = {
    "leading_junk": "bytes before MThd",
    "header_length": "header length other than 6",
    "unknown_format": "format above 2, read as 1",
    "format_0_tracks": "format 0 with several tracks",
    "chunk_overrun": "chunk length past the end of the file",
    "event_cut": "event cut by the end of its chunk",
    "no_end_of_track": "track without End of Track",
    "bytes_after_end": "bytes after End of Track, ignored",
    "stray_data": "data bytes without a status, skipped",
    "data_over_127": "data byte above 127, taken as 127",
    "bad_status": "system message inside a track, skipped",
    "long_varint": "number longer than 4 bytes",
    "bad_meta": "meta event with a wrong length or value, ignored",
    "zero_tempo": "tempo of 0, ignored",
    "missing_tracks": "fewer tracks than declared",
    "lost_track": "chunk length that leads to no chunk, next track searched for",
}
UNUSUAL = {
    "rmid": "wrapped in a RIFF RMID container",
    "alien_chunk": "a chunk that is neither MThd nor MTrk",
    "smpte": "ticks are fractions of a video frame, not of a quarter",
    "format_2": "independent sequences",
    "no_notes": "not one note",
    "trailing_bytes": "bytes after the last track",
    "running_status_crossed": "running status continued across a meta or system-exclusive event",
    "stuck_note": "a note never ended; it ends with its track",
}
ISSUES = (*REPAIRS, *UNUSUAL)


def issue_names(bits: int) -> list[str]:
    """The names of the bits set in an `issues` value, lowest bit first."""
    return [name for i, name in enumerate(ISSUES) if bits >> i & 1]


def repair_sentence(issues: int, first: int, offset: int) -> str | None:
    """What was repaired, the fault found first (bit ``first``) with its byte offset; None for nothing."""
    if not first:
        return None
    name = ISSUES[first.bit_length() - 1]
    others = [REPAIRS[n] for n in issue_names(issues & (1 << len(REPAIRS)) - 1) if n != name]
    return f"{REPAIRS[name]} at byte {offset}" + "".join(f"; {text}" for text in others)


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    meaning: str
    unit: str = ""
    null: bool = False
    values: tuple[str, ...] = ()  # of an enum
    bits: int = 0  # of a set
    first: int = 0  # the member that bit 0 of a set stands for
    varies: bool = False  # from run to run over the same file: no reason to write a row again


FILES = (
    Column("path", "text", "absolute, links not resolved; bytes not UTF-8, NUL and backslash as \\xNN; cut at 1,900 bytes when over 2,000"),
    Column("size_bytes", "int64", "of the file", "bytes"),
    Column("mtime_ns", "int64", "last modification", "ns since 1970"),
    Column("content_hash", "hash16", "XXH3-128 of the bytes; null when they could not be read", null=True),
    Column("status", "enum", "what became of the file; `opened` is an archive", values=STATUSES),
    Column("error", "text", "why the status is not ok, with the byte offset", null=True),
    Column("analyzer_version", "int16", "raised whenever any fact may change"),
    Column("analyzed_at", "time", "when this row was made", "UTC", varies=True),
    Column("analysis_us", "int32", "time taken to read and analyse it; null when its process died of it", "µs", null=True, varies=True),
    Column("name_bpm", "float32", "tempo in the file's name, else in that of the nearest folder that says one", "beats/min", null=True),
    Column("name_key", "enum", "key in the file's name, else in that of the nearest folder that says one", null=True, values=KEYS),
    Column(
        "name_meter",
        "enum",
        "meter in the file's name, as 6-8, else in that of the nearest folder that says one",
        null=True,
        values=NAME_METERS,
    ),
)

ANALYSES = (
    Column("content_hash", "hash16", "XXH3-128 of the bytes analysed"),
    Column("analyzer_version", "int16", "raised whenever any fact may change"),
    Column("format", "int16", "SMF format: 0, 1 or 2"),
    Column("track_count", "int16", "MTrk chunks read"),
    Column("ticks_per_quarter", "int32", "null with an SMPTE division", "ticks", null=True),
    Column("event_count", "int32", "channel, meta and system-exclusive events, End of Track included"),
    Column("duration_ticks", "int64", "tick of the last event of any track", "ticks"),
    Column("duration_s", "float64", "the same through the tempo map", "s"),
    Column("first_note_s", "float64", "first onset", "s", null=True),
    Column("last_note_s", "float64", "last note end", "s", null=True),
    Column("bpm", "float32", "the one answer; see bpm_source", "beats/min", null=True),
    Column(
        "bpm_source", "enum", "where bpm comes from: the onsets when nothing is declared, or the notes ignore what is", values=BPM_SOURCES
    ),
    Column("bpm_confidence", "float32", "share of the time spent within 4 % of bpm, or bpm_onsets_confidence; 0 without bpm", "0..1"),
    Column("bpm_mean", "float32", "quarters over minutes, up to the last note end", "quarters/min", null=True),
    Column("bpm_min", "float32", "slowest tempo in force for more than 0 s before the last note end", "quarters/min", null=True),
    Column("bpm_max", "float32", "fastest tempo in force for more than 0 s before the last note end", "quarters/min", null=True),
    Column("tempo_changes", "int32", "times the tempo in force really changes after tick 0"),
    Column(
        "bpm_onsets",
        "float32",
        "beat rate from the times of onsets alone; null with fewer than 6 or without a pulse",
        "beats/min",
        null=True,
    ),
    Column("bpm_onsets_confidence", "float32", "how likely bpm_onsets is the beat, rather than another period or none", "0..1", null=True),
    Column(
        "grid_deviation",
        "float32",
        "median distance of onsets from the nearest sixteenth or eighth triplet, to 1/192; null with an SMPTE division",
        "quarters",
        null=True,
    ),
    Column("is_performance", "bool", "whether it was played freely, not written or quantised", null=True),
    Column("swing", "float32", "length of the first of two eighths over the second; null when there is none", null=True),
    Column("time_signature", "text", "longest in force; null when none is declared", null=True),
    Column("time_signature_changes", "int32", "real changes after tick 0"),
    Column("meter_estimated", "enum", "as heard in the notes, whatever is declared; null without bpm_onsets", null=True, values=METERS),
    Column("meter_confidence", "float32", "how likely meter_estimated is, of those it knows; 0 without", "0..1"),
    Column("key", "enum", "the one answer, key_declared weighed in; null with fewer than 3 pitched notes", null=True, values=KEYS),
    Column("key_confidence", "float32", "the probability that key is right; see docs/accuracy.md", "0..1"),
    Column("key_notes", "enum", "estimated from the notes alone", null=True, values=KEYS),
    Column("key_declared", "enum", "first valid key signature", null=True, values=KEYS),
    Column("key_changes", "int32", "times the key that holds changes, heard in sixteen stretches"),
    Column("pitch_classes", "floats", "share of sounding time per pitch class, C first, drums excluded, to 6 decimals", "0..1"),
    Column("note_count", "int32", "note-ons with a velocity above 0"),
    Column("drum_note_count", "int32", "those on channel 10"),
    Column("pitch_min", "int16", "lowest pitch, drums excluded", "MIDI pitch", null=True),
    Column("pitch_max", "int16", "highest pitch, drums excluded", "MIDI pitch", null=True),
    Column("unique_pitches", "int16", "different pitches, drums excluded", null=True),
    Column("velocity_mean", "float32", "mean velocity", null=True),
    Column("velocity_std", "float32", "standard deviation of the velocities (population)", null=True),
    Column("velocity_min", "int16", "lowest velocity", null=True),
    Column("velocity_max", "int16", "highest velocity", null=True),
    Column("unique_velocities", "int16", "different velocities", null=True),
    Column("note_seconds_mean", "float32", "mean sounding length, drums excluded", "s", null=True),
    Column("notes_per_second", "float32", "note_count / duration_s; null at duration 0", "1/s", null=True),
    Column("polyphony_max", "int16", "most notes sounding at once, drums excluded"),
    Column("polyphony_mean", "float32", "sounding time of all notes / time in which any sounds, drums excluded"),
    Column("programs", "set", "General MIDI programs that sound at least one note, drums excluded", "0..127", bits=128),
    Column("primary_program", "int16", "program with the most notes, drums excluded; the lowest on a tie", "0..127", null=True),
    Column("channels", "set", "channels that sound at least one note", "1..16", bits=16, first=1),
    Column("chord_progression", "text", "chords of the most common loop, as `Am F C G`; null where no two notes sound at once", null=True),
    Column("chord_changes_per_bar", "float32", "changes of chord over bars, from the first chord on", "1/bar", null=True),
    Column("harmonic_rhythm", "float32", "median time that a chord holds, weighted by that time", "quarters", null=True),
    Column("drum_density", "float32", "drum notes over bars in which any plays", "1/bar", null=True),
    Column(
        "drum_pattern",
        "enum",
        "what kick and snare play: four on the floor, rock backbeat, half time, breakbeat, shuffle or none; null without drums",
        null=True,
        values=DRUM_PATTERNS,
    ),
    Column(
        "role",
        "enum",
        "the part that the whole file plays: drums, bass, chords, melody or full; null without notes",
        null=True,
        values=ROLES,
    ),
    Column("bar_count", "int32", "bars up to the last note end, 4/4 unless declared; null with an SMPTE division", null=True),
    Column("is_loop", "bool", "whether it loops cleanly: 1, 2, 4, 8, 12 or 16 whole bars, or repeats of them", null=True),
    Column("loop_bars", "int16", "bars after which a loop repeats", null=True),
    Column("control_changes", "int32", "control-change events"),
    Column("sustain_pedals", "int32", "those of controller 64"),
    Column("pitch_bends", "int32", "pitch-bend events"),
    Column("program_changes", "int32", "program-change events"),
    Column("sysex_count", "int32", "system-exclusive events, continuation packets included"),
    Column("lyric_count", "int32", "lyric events, else the text events of a karaoke file"),
    Column(
        "title",
        "text",
        "first track-name event of track 0; UTF-8, else the likeliest of Shift-JIS, CP1252 and GBK; at most 1,000 characters",
        null=True,
    ),
    Column("track_names", "texts", "the distinct names of all tracks, in order and decoded like the title; at most 1,000"),
    Column("notes_hash", "hash8", "sum of the XXH3-64 of each note: equal for the same music saved again", null=True),
    Column("issues", "int32", "bit set of what was repaired or is unusual; names in ISSUES"),
)

LIBRARY_ONLY = (  # what takes both tables to tell
    Column(
        "name_agrees",
        "bool",
        "whether name_bpm is within 4 % of bpm or bpm_onsets, or of twice or half of one, name_key is key or key_notes, and"
        " name_meter time_signature or meter_estimated; null when the name says none of them, or the notes do not answer",
        null=True,
    ),
)

RUNS = (
    Column("id", "int64", "counts from 1"),
    Column("started", "time", "when it began", "UTC"),
    Column("ended", "time", "when it ended; null while it goes on, and when it was killed", "UTC", null=True),
    Column("outcome", "enum", "how it ended; null while it goes on; `killed` is written by the next run", null=True, values=OUTCOMES),
    Column("error", "text", "why it failed", null=True),
    Column("version", "text", "of midiopt"),
    Column("build", "text", "build mode"),
    Column("sources", "texts", "what it was asked to analyse"),
    Column("options", "text", "its options as JSON"),
    Column("files", "int64", "files found", null=True),
    *(Column(status, "int64", f"files of this run that are {status}", null=True) for status in STATUSES),
    Column("skipped", "int64", "files unchanged since an earlier run", null=True),
    Column("gone", "int64", "files in the database that do not exist any more", null=True),
    Column("duplicates", "int64", "analysed files in the database whose content another one has too, beyond the first", null=True),
    Column("bytes", "int64", "of the files analysed", null=True),
    Column("seconds", "float64", "from start to end", "s", null=True),
)

NULL_TEXT = 2**32 - 1  # in `length`
NULL_ENUM = 255  # of a bool too
NULL_INT = {"int16": -(2**15), "int32": -(2**31), "int64": -(2**63)}
