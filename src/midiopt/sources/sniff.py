"""Content sniffing: the type of data that is not MIDI, from its first bytes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from midiopt.errors import MidiError, NotMidi

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

MIDI, ZIP, ZIP_EMPTY = b"MThd", b"PK\3\4", b"PK\5\6"
GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
PARQUET, ENCRYPTED_PARQUET, ARROW_FILE, ARROW_STREAM = b"PAR1", b"PARE", b"ARROW1\0\0", b"\xff\xff\xff\xff"
SQLITE = b"SQLite format 3\0"
ZSTD_SKIPPABLE = b"\x2a\x4d\x18"  # after a byte from 50 to 5F, of frames that hold no data
MAGIC = (
    (ZIP, "a zip archive"),
    (ZIP_EMPTY, "an empty zip archive"),
    (GZIP, "gzip data"),
    (XZ, "xz data"),
    (ZSTD, "zstd data"),
    (BZIP2, "bzip2 data"),
    (PARQUET, "a Parquet file"),
    (ENCRYPTED_PARQUET, "an encrypted Parquet file"),
    (ARROW_FILE, "an Arrow file"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"ID3", "MP3 audio"),
    (b"fLaC", "FLAC audio"),
    (b"OggS", "Ogg audio"),
    (b"MTrk", "MIDI tracks without their header"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\xd0\xcf\x11\xe0", "a Microsoft Office document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (SQLITE, "an SQLite database"),
    (b"\0\x05\x16\x07", "an AppleDouble file of macOS"),
    (b"\0\x05\x16\0", "an AppleSingle file of macOS"),
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer, whose file was not downloaded"),
    (b"XMF_", "an XMF container"),
    (b"MMMD", "a SMAF ringtone"),
    (b"Extended Module: ", "an XM module"),
    (b"IMPM", "an IT module"),
    (b"MUS\x1a", "a MUS song of Doom"),
    (b"HMIMIDIP", "an HMP song"),
    (b"HMI-MIDISONG", "an HMI song"),
    (b"CTMF", "a CMF song"),
    (b"\x18FICHIER GUITAR PRO", "a Guitar Pro score"),
    (b"BCFZ", "a Guitar Pro score"),
    (b"BCFS", "a Guitar Pro score"),
    (b"CAKEWALK", "a Cakewalk project"),
    (b"\x0fSIBELIUS", "a Sibelius score"),
    (b"ENIGMA BINARY FILE", "a Finale score"),
    (b"MSCF", "a cabinet archive"),
    (b"StuffIt", "a StuffIt archive"),
    (b"SIT!", "a StuffIt archive"),
)
RIFF_FORMS = {
    b"WAVE": "WAV audio",
    b"AVI ": "AVI video",
    b"sfbk": "a SoundFont",
    b"MIDS": "a MIDS song",
    b"RMID": "an RMID container without a song",
}
LHA = re.compile(rb"..-l[hz][0-9ds]-", re.S)
HTML = re.compile(rb"<(!doctype\s+html|html|head|body|script|title)\b", re.I)
BASE64 = re.compile(rb"(?:\A|[\r\n,])TVRoZAAAAAYAA")  # MThd and a length of 6, in a mail or a data: URL
SNIFF_BYTES = 1024


def is_song(head: bytes) -> bool:
    """Whether a MIDI file begins with these bytes, plain or in an RMID container."""
    return head.startswith(MIDI) or (head.startswith(b"RIFF") and head[8:12] == b"RMID")


def has_first_track(data: bytes) -> bool:
    """Whether these first bytes of a file are a song's, with the header of a track among them."""
    return is_song(data) and b"MTrk" in data[:-4]  # its length follows


def with_detected_type(problem: MidiError, data: Buffer) -> MidiError:
    """The parser's error; for data that is not MIDI, with the type that it looks like."""
    noun = detect_type(bytes(memoryview(data)[:SNIFF_BYTES])) if isinstance(problem, NotMidi) else None
    return NotMidi(f"it looks like {noun}: {problem.reason}", problem.offset) if noun else problem


def detect_type(head: bytes) -> str | None:
    """A noun phrase for the type of data that begins with `head`, or None if it is unknown."""
    for magic, noun in MAGIC:
        if head.startswith(magic):
            return noun
    if head.startswith(b"\xf0") and head.find(b"\xf7") > 0 and head[1 : head.index(b"\xf7")].isascii():
        return "a dump of system-exclusive messages"
    if head.startswith(b"FORM") and head[8:12] in (b"XDIR", b"XMID"):
        return "an XMI song"
    if head[:4] in (b"RIFF", b"RIFX"):
        return RIFF_FORMS.get(head[8:12], "a RIFF file")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # MPEG frame sync, layer III
        return "MP3 audio"
    if head and not head.strip(b"\0"):
        return "zeros"
    if len(head) == SNIFF_BYTES and not head.strip(head[:1]):
        return "one byte that repeats"
    if LHA.match(head):
        return "an LHA archive"
    if head[4:8] == b"ftyp":
        return "MP4 audio or video"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return _text(head)


def _text(head: bytes) -> str | None:
    if encoding := {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(head[:2]):
        head = head[2:].decode(encoding, "ignore").encode("latin-1", "replace")
    if HTML.search(head):
        return "HTML"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml"):
        return "XML"
    if BASE64.search(head):
        return "a MIDI file in base64, as in a mail"
    ascii_bytes = sum(32 <= c < 127 or c in b"\t\n\r\f" for c in head)
    high_bytes = sum(c > 127 for c in head)
    if encoding and head.startswith(MIDI):
        return "a MIDI file saved as UTF-16 text"
    return "text" if head.strip() and ascii_bytes + high_bytes == len(head) and ascii_bytes >= high_bytes else None


def is_sqlite_database(path: str | bytes) -> bool:
    """Whether there is an SQLite database of this name: who forgets --db names it as a source, or as a word of a search."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except OSError:
        return False
