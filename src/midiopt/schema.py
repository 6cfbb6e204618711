"""Every table and column, once: name, kind, unit and meaning.

``files`` has one row per path, ``analyses`` one per distinct content and ``runs`` one per run. Rows of the first two travel
from workers in batches (rows/), rows of ``runs`` do not. The row layout, the SQL of both databases, the attributes of
``Analysis`` and the documentation are made from these tables. CONTRIBUTING.md says how to add a column. Kinds of columns stand in
kinds.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from midiopt.kinds import BOOL, ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, SET, SHARES, SKETCH, TEXT, TEXTS, TIME, Kind

ANALYZER_VERSION = 23  # raised whenever any fact may change
SCHEMA_VERSION = 9  # raised whenever a table changes shape
PRODUCT = "midiopt"

STATUS_MEANINGS = {
    "ok": "analysed; nothing had to be repaired",
    "repaired": "analysed after repairs, which `error` describes",
    "rejected": "read, but no usable MIDI file",
    "unreadable": "could not be read, or is not a regular file",
    "crashed": "crashed its worker process, or exceeded the time limit",
    "opened": "an archive whose members have rows of their own; `error` says what is missing, if anything",
}
STATUSES = tuple(STATUS_MEANINGS)
OK, REPAIRED, REJECTED, UNREADABLE, CRASHED, OPENED = range(len(STATUSES))
ANALYSED = (OK, REPAIRED)  # files with a row in `analyses`
SETTLED = (OK, REPAIRED, REJECTED, OPENED)  # skipped by the next run if unchanged

OUTCOMES = ("finished", "interrupted", "failed", "killed")  # of a run

METERS = ("4/4", "3/4", "6/8", "2/4", "9/8", "12/8", "5/4", "7/8")  # that meter_estimated chooses from
NAME_METERS = ("2/2", "2/4", "3/4", "4/4", "5/4", "6/4", "7/4", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8")
BPM_SOURCES = ("tempo_map", "onsets", "none")

DRUM_PATTERNS = ("four on the floor", "rock backbeat", "half time", "breakbeat", "shuffle", "none")
ROLES = ("drums", "bass", "chords", "melody", "full")
MAIN_PARTS = ("melody", "bass")  # of a file, that a track may have

# Key signatures from seven flats to seven sharps, majors first, then minors. Estimated keys use the same names, so one
# enumeration serves `key`, `key_notes` and `key_declared`.
KEYS = (
    *("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"),
    *("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m"),
)
# The usual spelling of each tonic in major and in minor, and of each key, from C up.
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
USUAL_KEYS = (*MAJOR_TONICS, *(f"{tonic}m" for tonic in MINOR_TONICS))

# Names and meanings of the issue bits, in the order of core/smf/midi.pxd: repairs from bit 0, what is unusual but valid from
# FIRST_UNUSUAL. docs/policy.md describes each. All are below 2^53, so that a program that reads JSON numbers as doubles is exact.
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
    "data_over_127": "data byte above 127, read as 127",
    "bad_status": "system message inside a track, skipped",
    "long_varint": "variable-length number of more than 4 bytes",
    "bad_meta": "meta event with a wrong length or value",
    "zero_tempo": "tempo of 0, ignored",
    "missing_tracks": "fewer tracks than declared",
    "lost_track": "wrong chunk length, next track found by its signature",
    "sysex_length": "system-exclusive event without or with a wrong length, read up to its F7",
    "text_mode": "line ends changed by a transfer in text mode, undone",
    "utf8_text": "saved as UTF-8 or UTF-16 text, undone",
    "track_length": "wrong track length, the track ends where its events do",
    "joined_tracks": "several tracks in one chunk, told apart",
    "early_end": "End of Track before the last events, which are kept",
    "undeclared_tracks": "tracks that the header does not count, read because those it counts hold no note",
    "rmid_size": "wrong size of the RMID data, which is read as far as its tracks lead",
    "frame_rate": "SMPTE division with a frame rate that does not exist, negated back if that gives one",
    "filled_block": "a block that was lost and filled with one byte, left out",
}
UNUSUAL = {
    "rmid": "wrapped in a RIFF RMID container",
    "alien_chunk": "a chunk that is neither MThd nor MTrk",
    "smpte": "SMPTE division: ticks are fractions of a video frame, not of a quarter note",
    "format_2": "format 2: independent sequences",
    "no_notes": "no notes",
    "trailing_bytes": "bytes after the last track",
    "running_status_crossed": "running status continued across a meta or system-exclusive event",
    "stuck_note": "a note that nothing ends; it ends with its track",
    "drums_by_name": "drums on another channel than 10, known by the name of their track and by how they are played",
    "joined_songs": "another song behind the first one, ignored",
}
ISSUES = (*REPAIRS, *UNUSUAL)
FIRST_UNUSUAL = 32
ISSUE_BITS = {**{name: 1 << i for i, name in enumerate(REPAIRS)}, **{name: 1 << i for i, name in enumerate(UNUSUAL, FIRST_UNUSUAL)}}
ALL_REPAIRS = (1 << FIRST_UNUSUAL) - 1  # `issues & ALL_REPAIRS` is 0 exactly for files with status `ok`


def issue_names(bits: int) -> list[str]:
    """Names of the bits set in an `issues` value, lowest bit first."""
    return [name for name, bit in ISSUE_BITS.items() if bits & bit]


def repair_sentence(issues: int, first: int, offset: int) -> str | None:
    """Sentence that lists the repairs, starting with the first one found (bit ``first``) and its byte offset; None if ``first`` is 0."""
    if not first:
        return None
    [name] = issue_names(first)
    others = [REPAIRS[n] for n in issue_names(issues & ALL_REPAIRS) if n != name]
    return f"{REPAIRS[name]} at byte {offset}" + "".join(f"; {text}" for text in others)


class Column(NamedTuple):
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    nullable: bool = False
    values: tuple[str, ...] = ()  # names of an enumeration
    bits: int = 0  # of a set
    first: int = 0  # member of a set that bit 0 stands for
    is_sent_only: bool = False  # travels to the sink, which stores another column instead
    volatile: bool = False  # differs between runs over the same file, so a stored row that differs in nothing else is kept

    @property
    def description(self) -> str:
        """The meaning, with the unit if there is one."""
        return f"{self.meaning} ({self.unit})" if self.unit else self.meaning


class Table:
    """The columns of one table, over which it iterates; ``key`` is the name of the unique one that finds a row again.

    ``added`` are columns that rows get in the database: they do not travel, and Table does not iterate over them. ``stored`` has
    all columns of the database in its order.
    """

    def __init__(self, name: str, key: str, columns: tuple[Column, ...], added: tuple[Column, ...] = ()) -> None:
        self.name = name
        self.key = key
        self.columns = columns
        self.added = added
        keys, others = [c for c in added if c.name in ("id", key)], [c for c in added if c.name not in ("id", key)]
        self.stored = (*keys, *(c for c in columns if not c.is_sent_only), *others)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


MEMBER_SEPARATOR = "!/"  # in a path, between that of an archive and the name of a member
MEMBERS_END = "!0"  # follows every member in byte order: 0 is the character after the slash

FILES = Table(
    "files",
    "path",
    (
        Column(
            "path",
            TEXT,
            "absolute path, symbolic links not resolved; \\xNN for bytes that are not UTF-8, NUL and backslash;"
            " cut at 1,900 bytes if longer than 2,000",
        ),
        Column("size_bytes", INT64, "file size", "bytes"),
        Column("mtime_ns", INT64, "time of last modification", "ns since 1970"),
        Column("content_hash", HASH16, "hash of the content, keyed by content_key in `meta`; null if it could not be read", nullable=True),
        Column("status", ENUM, "outcome; `opened` is an archive", values=STATUSES),
        Column("error", TEXT, "why the status is not ok, with the byte offset", nullable=True),
        Column("analyzer_version", INT16, "version of the analysis, raised whenever a value may change"),
        Column("analyzed_at", TIME, "time of analysis", "UTC", volatile=True),
        Column(
            "analysis_us",
            INT32,
            "time spent reading and analysing the file; null if it crashed its worker",
            "µs",
            nullable=True,
            volatile=True,
        ),
        Column(
            "name_bpm",
            FLOAT32,
            "tempo in the file name, or else in the name of the nearest folder that has one",
            "beats/min",
            nullable=True,
        ),
        Column(
            "name_key", ENUM, "key in the file name, or else in the name of the nearest folder that has one", nullable=True, values=KEYS
        ),
        Column(
            "name_meter",
            ENUM,
            "meter in the file name (written 6-8, for example), or else in the name of the nearest folder that has one",
            nullable=True,
            values=NAME_METERS,
        ),
    ),
    added=(
        Column("analysis_id", INT64, "`id` of the row in `analyses` with the facts; null unless the file was analysed", nullable=True),
        Column("missing_since", TIME, "when a run first missed the file; null while it exists", "UTC", nullable=True),
    ),
)

ANALYSES = Table(
    "analyses",
    "content_hash",
    (
        Column("content_hash", HASH16, "hash of the content: keyed by content_key in `meta`; from analyze() XXH3-128"),
        Column("analyzer_version", INT16, "version of the analysis, raised whenever a value may change"),
        Column("format", INT16, "SMF format: 0, 1 or 2"),
        Column("track_count", INT16, "number of MTrk chunks read"),
        Column("ticks_per_quarter", INT32, "time division of the header; null for SMPTE division", "ticks/quarter", nullable=True),
        Column("event_count", INT32, "number of channel, meta and system-exclusive events, including End of Track"),
        Column("duration_ticks", INT64, "tick of the last event of any track", "ticks"),
        Column("duration_s", FLOAT64, "duration_ticks converted with the tempo map", "s"),
        Column("first_note_s", FLOAT64, "onset of the first note", "s", nullable=True),
        Column("last_note_s", FLOAT64, "end of the last note", "s", nullable=True),
        Column("bpm", FLOAT32, "best tempo estimate; bpm_source says whether it is declared or estimated", "beats/min", nullable=True),
        Column(
            "bpm_source",
            ENUM,
            "source of bpm: tempo_map (declared), onsets (estimated, because no tempo is declared or the notes ignore it) or none",
            values=BPM_SOURCES,
        ),
        Column(
            "bpm_confidence",
            FLOAT32,
            "share of the time with a tempo within 4 % of bpm, or bpm_onsets_confidence if estimated; 0 without bpm",
            "0..1",
        ),
        Column(
            "bpm_mean", FLOAT32, "mean declared tempo: quarters per minute up to the end of the last note", "quarters/min", nullable=True
        ),
        Column(
            "bpm_min",
            FLOAT32,
            "slowest declared tempo in effect for more than 0 s before the end of the last note",
            "quarters/min",
            nullable=True,
        ),
        Column(
            "bpm_max",
            FLOAT32,
            "fastest declared tempo in effect for more than 0 s before the end of the last note",
            "quarters/min",
            nullable=True,
        ),
        Column("tempo_changes", INT32, "number of times the declared tempo takes another value after tick 0"),
        Column(
            "bpm_onsets",
            FLOAT32,
            "tempo estimated from onset times alone; null with fewer than 6 onsets or without a pulse",
            "beats/min",
            nullable=True,
        ),
        Column(
            "bpm_onsets_confidence", FLOAT32, "probability that bpm_onsets is the beat, not another period or none", "0..1", nullable=True
        ),
        Column(
            "grid_deviation",
            FLOAT32,
            "median distance of onsets to the nearest sixteenth or eighth triplet, in steps of 1/192; null for SMPTE division",
            "quarters",
            nullable=True,
        ),
        Column("is_performance", BOOL, "whether it was played freely, rather than notated or quantized", nullable=True),
        Column("swing", FLOAT32, "ratio of the first to the second of two eighth notes; null without swing", nullable=True),
        Column("time_signature", TEXT, "declared time signature in effect longest; null if none is declared", nullable=True),
        Column("time_signature_changes", INT32, "number of times the time signature takes another value after tick 0"),
        Column(
            "meter_estimated",
            ENUM,
            "meter estimated from the notes, whatever is declared; null without bpm_onsets",
            nullable=True,
            values=METERS,
        ),
        Column("meter_confidence", FLOAT32, "probability of meter_estimated among the meters it chooses from; 0 without it", "0..1"),
        Column(
            "key",
            ENUM,
            "best key estimate, taking key_declared into account; null with fewer than 3 pitched notes",
            nullable=True,
            values=KEYS,
        ),
        Column("key_confidence", FLOAT32, "probability that key is right; see docs/accuracy.md", "0..1"),
        Column("key_notes", ENUM, "key estimated from the notes alone", nullable=True, values=KEYS),
        Column("key_declared", ENUM, "first valid key signature", nullable=True, values=KEYS),
        Column("key_changes", INT32, "number of changes of the estimated key over sixteen segments"),
        Column("pitch_classes", SHARES, "share of sounding time per pitch class, starting with C, drums excluded, to 6 decimals", "0..1"),
        Column("note_count", INT32, "number of note-ons with a velocity above 0"),
        Column(
            "drum_note_count",
            INT32,
            "number of notes of drums: on channel 10, or where the file makes another part drums; docs/policy.md says how",
        ),
        Column("pitch_min", INT16, "lowest pitch, drums excluded", "MIDI pitch", nullable=True),
        Column("pitch_max", INT16, "highest pitch, drums excluded", "MIDI pitch", nullable=True),
        Column("unique_pitches", INT16, "number of different pitches, drums excluded", nullable=True),
        Column("velocity_mean", FLOAT32, "mean velocity", "0..127", nullable=True),
        Column("velocity_std", FLOAT32, "population standard deviation of the velocities", nullable=True),
        Column("velocity_min", INT16, "lowest velocity", "1..127", nullable=True),
        Column("velocity_max", INT16, "highest velocity", "1..127", nullable=True),
        Column("unique_velocities", INT16, "number of different velocities", nullable=True),
        Column("note_seconds_mean", FLOAT32, "mean note length, drums excluded", "s", nullable=True),
        Column("notes_per_second", FLOAT32, "notes per second from first_note_s to last_note_s; null if equal", "notes/s", nullable=True),
        Column("polyphony_max", INT32, "greatest number of notes sounding at once, drums excluded"),
        Column("polyphony_mean", FLOAT32, "mean number of notes sounding at once while any sounds, drums excluded"),
        Column("programs", SET, "General MIDI programs that play at least one note, drums excluded", "0..127", bits=128),
        Column(
            "primary_program", INT16, "program with the most notes, drums excluded; the lowest in case of a tie", "0..127", nullable=True
        ),
        Column("channels", SET, "channels with at least one note", "1..16", bits=16, first=1),
        Column(
            "chord_progression",
            TEXT,
            "chords of the most common loop, such as `Am F C G`; null if no two notes sound at once",
            nullable=True,
        ),
        Column("chord_changes_per_bar", FLOAT32, "number of chord changes per bar, from the first chord on", "changes/bar", nullable=True),
        Column("harmonic_rhythm", FLOAT32, "median duration of a chord, weighted by duration", "quarters", nullable=True),
        Column("drum_density", FLOAT32, "drum notes per bar that has any", "notes/bar", nullable=True),
        Column(
            "drum_pattern",
            ENUM,
            "pattern of kick and snare: four on the floor, rock backbeat, half time, breakbeat, shuffle or none; null without drums",
            nullable=True,
            values=DRUM_PATTERNS,
        ),
        Column(
            "role",
            ENUM,
            "role of the whole file in an arrangement: drums, bass, chords, melody or full; null without notes",
            nullable=True,
            values=ROLES,
        ),
        Column(
            "bar_count",
            INT32,
            "number of bars up to the end of the last note, in 4/4 unless declared otherwise, tracked if the notes ignore the tempo map;"
            " null for SMPTE division or above 2^31 - 1",
            "bars",
            nullable=True,
        ),
        Column("is_loop", BOOL, "whether it loops without a gap: 1, 2, 4, 8, 12 or 16 whole bars, or repetitions of them", nullable=True),
        Column("loop_bars", INT16, "length of the repeated loop", "bars", nullable=True),
        Column("control_changes", INT32, "number of control-change events"),
        Column("sustain_pedals", INT32, "number of events of controller 64"),
        Column("pitch_bends", INT32, "number of pitch-bend events"),
        Column("program_changes", INT32, "number of program-change events"),
        Column("sysex_count", INT32, "number of system-exclusive events, including continuation packets"),
        Column("lyric_count", INT32, "number of syllables: lyric events, or text events of a karaoke file if they are more; no tags"),
        Column(
            "title",
            TEXT,
            "name of track 0, else the title in an RMID container, a karaoke line @T, the name of a track without notes; "
            "as Unicode, else in the likeliest code page of all names; at most 1,000 characters",
            nullable=True,
        ),
        Column("track_names", TEXTS, "distinct names of all tracks in order, decoded like the title; at most 1,000"),
        Column(
            "notes_hash",
            HASH8,
            "sum of a hash of every note: equal for the same music saved differently; null without notes",
            nullable=True,
        ),
        Column("issues", INT64, "bit set of repairs and unusual properties; docs/policy.md lists their names"),
        Column(
            "sketch",
            SKETCH,
            "hashes of what is played, of which similar files share some (docs/similar.md); null with too few notes; not in `library`",
            nullable=True,
        ),
        Column(
            "chord_symbols",
            TEXT,
            "the same loop with sevenths and basses, such as `Am7 Fmaj7 C/G G`, as it is first played; null with `chord_progression`",
            nullable=True,
        ),
        Column(
            "sections",
            TEXT,
            "sections with their lengths in bars, such as `A8 A8 B8 A8`: equal letters repeat each other; null where less than half of the"
            " bars are repeated, or below 8 or above 512 bars",
            nullable=True,
        ),
    ),
    added=(Column("id", INT64, "number of the row, in order of arrival; `analysis_id` in `files` refers to it"),),
)

LIBRARY_ONLY = (  # the last columns of the view `library`, which shows those of both tables, hashes in hexadecimal
    Column(
        "name_agrees",
        BOOL,
        "whether the name agrees with the notes: name_bpm is within 4 % of bpm or bpm_onsets (or of half or twice one of them),"
        " name_key equals key or key_notes, and name_meter equals time_signature or meter_estimated; null if the name has none"
        " of the three, or the notes give no value to compare",
        nullable=True,
    ),
    FILES.added[0],
)
_OF_FILE = {column.name for column in FILES}
_SKETCH = ANALYSES.columns.index(ANALYSES["sketch"])  # what was added behind it comes last, so that the columns before keep their places
LIBRARY_COLUMNS = (
    *FILES,
    *(column for column in ANALYSES.columns[:_SKETCH] if column.name not in _OF_FILE),
    *LIBRARY_ONLY,
    *ANALYSES.columns[_SKETCH + 1 :],
)

RUNS = Table(
    "runs",
    "id",
    (
        Column("id", INT64, "number of the run, starting with 1"),
        Column("started", TIME, "start time", "UTC"),
        Column("ended", TIME, "end time; null while running, or if killed", "UTC", nullable=True),
        Column(
            "outcome",
            ENUM,
            "how the run ended; null while running (the next run sets it to `killed` if it was)",
            nullable=True,
            values=OUTCOMES,
        ),
        Column("error", TEXT, "why the run failed", nullable=True),
        Column("version", TEXT, "version of midiopt"),
        Column("build", TEXT, "build mode"),
        Column("sources", TEXTS, "files and folders given to the run"),
        Column("options", TEXT, "options of the run as JSON"),
        Column("files", INT64, "number of files found", nullable=True),
        *(Column(status, INT64, f"number of files of this run with status {status}", nullable=True) for status in STATUSES),
        Column("skipped", INT64, "number of files unchanged since an earlier run", nullable=True),
        Column("gone", INT64, "number of files in the database that no longer exist", nullable=True),
        Column("duplicates", INT64, "number of analysed files in the database whose content an earlier one has", nullable=True),
        Column("bytes", INT64, "total size of the files analysed", "bytes", nullable=True),
        Column("seconds", FLOAT64, "duration of the run", "s", nullable=True),
        Column("moved", INT64, "number of files that the run missed first and whose bytes it found at a new path", nullable=True),
        Column("deleted", INT64, "number of rows of missing files that the run deleted", nullable=True),
    ),
)

TRACKS = Table(
    "tracks",
    "analysis_id",  # and track
    (
        Column("content_hash", HASH16, "hash of the content that the track is in", is_sent_only=True),
        Column("track", INT16, "index of the track in the file, from 0"),
        Column("analyzer_version", INT16, "version of the analysis, raised whenever a value may change"),
        Column("name", TEXT, "first name of the track that is not blank, decoded like the title", nullable=True),
        Column("channels", SET, "channels with notes, 1 to 16", bits=16, first=1),
        Column("program", INT16, "program with the most notes; the lowest if several have as many", nullable=True),
        Column("note_count", INT32, "number of note-ons with a velocity above 0"),
        Column("first_onset_s", FLOAT64, "onset of the first note", "s", nullable=True),
        Column("last_onset_s", FLOAT64, "onset of the last note", "s", nullable=True),
        Column("pitch_min", INT16, "lowest pitch, drums excluded", "MIDI pitch", nullable=True),
        Column("pitch_max", INT16, "highest pitch, drums excluded", "MIDI pitch", nullable=True),
        Column("polyphony_max", INT32, "greatest number of notes sounding at once, drums excluded"),
        Column("polyphony_mean", FLOAT32, "mean number of notes sounding while any sounds, drums excluded; 0 without notes"),
        Column("velocity_mean", FLOAT32, "mean velocity", "0..127", nullable=True),
        Column(
            "role", ENUM, "part that the track plays, by the rules of `role` in `analyses`; null without notes", nullable=True, values=ROLES
        ),
        Column(
            "notes_hash",
            HASH8,
            "equal for the same notes in any track; those of a file's tracks add up to its `notes_hash`, modulo 2^64; null without notes",
            nullable=True,
        ),
        Column(
            "main_part",
            ENUM,
            "melody or bass: what the track has of the whole file, where the notes of all its tracks make that sure",
            nullable=True,
            values=MAIN_PARTS,
        ),
    ),
    added=(Column("analysis_id", INT64, "`id` of the row in `analyses` of the content that the track is in"),),
)

LIBRARY_TRACKS_COLUMNS = (FILES["path"], *TRACKS.stored[1:], *TRACKS.added)
