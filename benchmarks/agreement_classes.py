"""Why a library reads something else than midiopt, each class with its evidence: see agreement.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from benchmarks.agreement_readings import (
    File,
    Notes,
    Reading,
    counted,
    drums_only,
    last_end,
    of_midiopt,
    of_mido,
    of_pretty_midi,
    of_symusic,
    paired_by_pretty_midi,
    paired_by_symusic,
    seconds_at,
    tempo_map,
    without_dropped_times,
)
from reference.pairing import Kind, Rule

LIBRARIES = ("mido", "symusic", "pretty_midi")
ASPECTS = ("refused", "note count", "notes", "tempo map", "duration", "track names")
DROPPED = "the delta time of a meta event of unknown type is dropped"
SEPARATOR = " + "  # of the reasons in the name of a class
TOLERANCE = 1e-4  # of seconds, relative and absolute: pretty_midi adds them up from floating-point numbers

Class = tuple[str, str, str | None]  # library, aspect, name of the class or None if nothing explains it


def classes_of(file: File, libraries: tuple[str, ...] = LIBRARIES) -> Iterator[Class]:
    """The disagreements of libraries with midiopt about a file."""
    ours = of_midiopt(file)
    if "symusic" in libraries:
        try:
            theirs = of_symusic(file.data)
        except Exception as error:
            yield "symusic", "refused", why_refused(file, error)
        else:
            yield from differing(file, "symusic", ours, theirs, paired_by_symusic)
    if "mido" not in libraries:  # pretty_midi reads with mido
        return
    try:
        theirs, song = of_mido(file.data)
    except Exception as error:
        yield "mido", "refused", why_refused(file, error)
        yield "pretty_midi", "refused", why_refused(file, error)
        return
    yield from differing(file, "mido", ours, theirs, lambda shifted: counted(shifted.notes))
    try:
        theirs = of_pretty_midi(song)
    except Exception as error:
        yield "pretty_midi", "refused", why_refused(file, error)
    else:
        yield from differing(file, "pretty_midi", ours, theirs, paired_by_pretty_midi)


# What a library says when it refuses a file (a pattern), the issues of docs/policy.md that show the cause, and the name of the class.
REFUSALS = (
    ("Division type is not ticks per quarter", {"smpte"}, "an SMPTE division"),
    ("impossible to compute length for type 2", {"format_2"}, "format 2"),
    ("data byte must be in range", {"data_over_127"}, "a data byte above 127"),
    ("Could not decode key", {"bad_meta"}, "a key signature out of range"),
    ("no MTrk header at start of track", {"alien_chunk", "lost_track"}, "a chunk that is not MTrk"),
    ("running status without last_status", {"stray_data", "running_status_crossed"}, "running status after a meta event"),
    (r"Get \w+=\d", {"data_over_127"}, "a data byte above 127"),
    (r"Get \w+=\d", {"running_status_crossed"}, "running status after a meta event"),
    ("Unexpected running status", {"running_status_crossed", "stray_data"}, "running status after a meta event"),
    ("Unexpected running status", {"long_varint"}, "a variable-length number of more than four bytes"),
    ("EOFError", {"missing_tracks", "chunk_overrun", "event_cut"}, "a file that is cut"),
    ("MThd not found", {"rmid", "leading_junk"}, "bytes or a container before MThd"),
    ("largest tick of", {"late"}, "more than 10,000,000 ticks"),
)


def why_refused(file: File, error: Exception) -> str | None:
    """The class of a refusal; None if nothing in the file shows its cause."""
    shown = {*file.facts.issue_names, *(["late"] if file.facts.duration_ticks > 10_000_000 else [])}
    return next((name for words, issues, name in REFUSALS if re.search(words, repr(error)) and issues & shown), None)


def differing(file: File, library: str, ours: Reading, theirs: Reading, pairing: Callable[[File], Notes]) -> Iterator[Class]:
    """The disagreements of a library that reads the file, and pairs notes like `pairing`."""
    dropped = library != "symusic" and any(delta for track in file.unknown for _, delta in track)
    notes = ours.notes if library == "mido" else drums_only(ours.notes)
    if theirs.notes != notes:
        why = why_other_notes(file, notes, theirs.notes, pairing, dropped)
        if theirs.notes.total() != notes.total():
            yield library, "note count", why
        yield library, "notes", why
    if theirs.tempos != ours.tempos:
        yield library, "tempo map", why_other_tempos(file, theirs, dropped)
    seconds = ours.seconds if library == "mido" else file.facts.last_note_s or 0.0
    if abs(seconds - theirs.seconds) > TOLERANCE * max(1, seconds):
        yield library, "duration", why_another_duration(file, library, notes, ours, theirs, dropped)
    if theirs.names != ours.names:
        yield library, "track names", why_other_names(file, library, ours.names, theirs.names)


def why_other_notes(file: File, ours: Notes, theirs: Notes, pairing: Callable[[File], Notes], dropped: bool) -> str | None:
    """By the rules of pairing that differ, if the library's rules (and `dropped` delta times) give exactly its notes."""
    reasons = set()
    if theirs != pairing(file):
        if not dropped or theirs != pairing(without_dropped_times(file)):
            return None
        reasons = {DROPPED}
        theirs = pairing(file)
    lost = ours - theirs
    for note in file.notes:
        if lost[note.on.tick, note.on.channel == 9, note.on.pitch, note.on.velocity, note.end - note.on.tick]:
            by_note_off = "notes without length" if note.end == note.on.tick else "several notes of a pitch"
            reasons.add(by_note_off if note.rule is Rule.NOTE_OFF else note.rule.value)
    return SEPARATOR.join(sorted(reasons)) or None


def why_other_tempos(file: File, theirs: Reading, dropped: bool) -> str | None:
    """By the tempo events that a library counts."""
    if theirs.tempos == tempo_map([(tick, tempo) for tick, track, tempo in file.tempos if track == 0]):
        return "tempo events outside the first track are ignored"
    at: dict[int, set[int]] = {}
    for tick, _, tempo in file.tempos:
        at.setdefault(tick, set()).add(tempo)
    contested = {tick for tick, tempos in at.items() if len(tempos) > 1}
    if contested and all(tempo in at.get(tick, {500_000}) for tick, tempo in theirs.tempos):
        return "of several tempos at a tick, another is taken"
    if dropped and theirs.tempos == of_midiopt(without_dropped_times(file)).tempos:
        return DROPPED
    return None


def why_another_duration(file: File, library: str, notes: Notes, ours: Reading, theirs: Reading, dropped: bool) -> str | None:
    """By the notes or the tempo map, if these differ."""
    quarter = file.facts.ticks_per_quarter
    if quarter is None:
        return "an SMPTE division is read as ticks per quarter"
    if library == "mido":
        return DROPPED if dropped else None
    if abs(seconds_at(theirs.tempos, last_end(theirs.notes), quarter) - theirs.seconds) > TOLERANCE * max(1, theirs.seconds):
        return None
    reasons = ["other notes"] if last_end(theirs.notes) != last_end(notes) else []
    reasons += ["another tempo map"] if theirs.tempos != ours.tempos else []
    return SEPARATOR.join(reasons) or None


def why_other_names(file: File, library: str, ours: set[str], theirs: set[str]) -> str | None:
    """By the tracks and names that a library counts, and how it decodes them; every name that differs must have a reason."""
    reasons = {reason_of_extra(file, name) for name in theirs - ours} | {reason_of_missing(file, library, name) for name in ours - theirs}
    return None if None in reasons else SEPARATOR.join(sorted(filter(None, reasons)))


def letters(text: str) -> str:
    """A text without blanks, control characters and marks of undecodable bytes (symusic has one for several bytes)."""
    return re.sub(r"[\x00-\x20\x7f\xa0\ufffd]+", "", text)


def spellings(raw: bytes) -> set[str]:
    """The texts that a library may show for a name, without blanks."""
    return {letters(raw.decode("latin1")), letters(raw.decode("utf-8", "ignore"))}


def reason_of_extra(file: File, name: str) -> str | None:
    """Why only the library shows a name."""
    if not letters(name):
        return "blank names count"
    for raws in file.names:
        for raw in raws:
            if letters(name) in spellings(raw):
                if not raw.isascii():
                    return "names beyond ASCII are decoded otherwise"
                if b"{@" in raw or b"{#" in raw:
                    return "language tags are kept"
                if raw != raw.strip() or any(byte < 0x20 for byte in raw) or b"  " in raw:
                    return "blanks and control characters are kept"
                if len(raws) > 1:
                    return "another name of a track with several counts"
    return None


def reason_of_missing(file: File, library: str, name: str) -> str | None:
    """Why only midiopt shows a name."""
    reason = None
    for track, raws in enumerate(file.names):
        for raw in raws:
            if not raw.isascii():
                reason = "names beyond ASCII are decoded otherwise" if not name.isascii() else reason
            elif letters(raw.decode()) == letters(name):
                if raw != raw.strip() or any(byte < 0x20 for byte in raw):
                    return "blanks and control characters are kept"
                if len(raws) > 1:
                    return "another name of a track with several counts"
                if library != "mido" and not any(event.kind is Kind.OFF for event in file.events[track]):
                    return "tracks without notes have no name"
    return reason
