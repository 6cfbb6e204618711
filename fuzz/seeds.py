"""The inputs that fuzzing starts from, all generated: songs, damaged songs, archives, lists and names."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable

from sample.smf import (
    END_OF_TRACK,
    LYRIC,
    Event,
    control_change,
    key_signature,
    meta,
    note_off,
    note_on,
    program_change,
    smf,
    smpte,
    tempo,
    text,
    time_signature,
    track,
)  # fmt: skip

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def melody(channel: int = 0, step: int = 240, length: int = 200) -> list[Event]:
    """A scale of eight notes, up and down."""
    events = []
    for i, pitch in enumerate(SCALE + SCALE[::-1]):
        events += [(i * step, note_on(channel, pitch, 80 + i)), (i * step + length, note_off(channel, pitch))]
    return events


def _with(events: list[Event], *more: Event) -> bytes:
    return track(sorted([*more, *events], key=lambda event: event[0]))


def songs() -> list[bytes]:
    """Well-formed files: each kind of event, each format, both kinds of division."""
    conductor = track([(0, text(3, "Cond")), (0, tempo(96)), (0, time_signature(3, 4)), (0, key_signature("G")), (960, tempo(140.5))])
    drums = _with([(i * 120, note_on(9, (36, 42, 38, 42)[i % 4], 100)) for i in range(32)], (0, text(3, "Drums")))
    sysex = _with(melody(), (0, b"\xf0\x05\x7e\x7f\x09\x01\xf7"), (240, b"\xf7\x03\x90\x3c\x40"), (480, b"\xf0\x02\x41\x10"))
    karaoke = _with(melody(), (0, text(1, "@KMIDI KARAOKE FILE")), (0, text(1, "@TSong")), *((i * 240, text(1, "/la")) for i in range(8)))
    lyrics = _with(melody(), *((i * 240, text(LYRIC, "la")) for i in range(8)))
    ports = [_with(melody(), (0, meta(0x21, bytes([port]))), (0, program_change(0, 40 * port))) for port in (0, 1)]
    controllers = _with(melody(length=2000), *((i * 480, control_change(0, 123, 0)) for i in range(6)), (9, control_change(0, 64, 127)))
    chord = [(16, note_on(0, pitch, 80)) for pitch in (60, 64, 67)] + [(16_384, note_off(0, pitch)) for pitch in (60, 64, 67)]
    stuck = [(i * 160, note_on(0, 30 + i, 80)) for i in range(50)]  # chords change too often to be passed: 1.6 million basic blocks
    names = [_with([], (0, meta(3, name))) for name in (b"\xfe\xff\x00K", "Flöte".encode(), b"Fl\xf6te", "ピアノ".encode("shift_jis"))]
    return [
        smf([track(melody())]),
        smf([conductor, _with(melody(), (0, program_change(0, 1))), drums], division=480),
        smf([track(melody(c)) for c in range(3)], format=2),
        smf([track(melody())], division=smpte(25, 40)),
        smf([track(melody(step=1, length=1))], division=1),
        *(smf([_with(melody(step=1, length=1), *held)], division=1) for held in (chord, [(16_384, note_on(0, 60, 80))], stuck)),
        *(smf([body]) for body in (sysex, karaoke, lyrics, controllers)),
        smf(ports),
        smf([*names, track(melody())]),
        smf([_with([], (i, time_signature(i % 7 + 1, 8)), (i, tempo(60 + i))) for i in range(12)] + [drums]),
    ]


def damaged_songs() -> list[bytes]:
    """One file per kind of damage that a collection holds."""
    good = songs()[1]
    first = good.index(b"MTrk")
    second = good.index(b"MTrk", first + 4)
    return [
        good[: first + 4] + bytes(4) + good[first + 8 :],
        good[: second + 4] + bytes(4) + good[second + 8 :],
        good.replace(b"\n", b"\r\n"),
        good.decode("latin1").encode(),
        good[:10] + b"\0\1" + good[12:],
        good[:10] + b"\0\x09" + good[12:],
        good[:second] + good[second + 8 :],
        good + good,
        good + b"XFIH\0\0\0\4abcd",
        good[:-3],
        b"x" * 128 + good,
        b"RIFF" + struct.pack("<I", len(good) + 12) + b"RMIDdata" + struct.pack("<I", len(good)) + good,
        b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + good,
        good.replace(END_OF_TRACK, b"\xff\x2f\x00\x00\x90\x40\x40"),
        good[:8] + b"\0\5\0\1\xe1\xb0" + good[14:],
    ]


def texts() -> list[bytes]:
    """Names in the charsets that files use."""
    samples = [("Grand Piano", "ascii"), ("Träumerei nº 4", "utf-8"), ("Träumerei", "cp1252"), ("小星星 変奏曲", "shift_jis")]
    samples += [("小星星", "gbk"), ("Вечерний звон", "cp1251"), ("Вечерний звон", "koi8-r"), ("Příliš žluťoučký", "cp1250")]
    samples += [("피아노", "euc-kr"), ("鋼琴", "big5"), ("Für Elise", "cp437"), ("Für Elise", "mac-roman"), ("Träumerei", "utf-16")]
    return [name.encode(charset) for name, charset in samples] + ["Études".encode()[:-1] + b"\xc3", b"{@UTF-8}\xc3\xa9", b"a\0b"]


def _zip(members: list[tuple[str, bytes]], method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
        archive.comment = b"PK\5\6 a comment"
    return out.getvalue()


def _tar(members: list[tuple[str, bytes]], form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link.mid")
        link.type, link.linkname = tarfile.LNKTYPE, "a.mid"
        archive.addfile(link)
    return out.getvalue()


def archives() -> list[bytes]:
    """Each archive format, plain, compressed and nested."""
    song = songs()[0]
    members = [("a.mid", song), ("ü" * 40 + ".mid", song[:50]), ("b.mid.gz", gzip.compress(song)), ("c.txt", b"text")]
    zips = [_zip(members, method) for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]
    tars = [_tar(members, form) for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)]
    packed = [gzip.compress(tars[0]), bz2.compress(tars[1]), lzma.compress(tars[2])]
    return [*zips, *tars, *packed, _zip([("inner.zip", zips[0]), ("inner.tar", tars[0])], zipfile.ZIP_STORED)]


def lists() -> list[bytes]:
    """Lists of paths, ended by line feeds, by NUL, and in UTF-16."""
    return [
        b"/a.mid\n/b/c.mid\r\n\n.\n",
        b"/a.mid\0/b.mid\0",
        "/a.mid\r\n/b.mid\r\n".encode("utf-16"),
        b"\xef\xbb\xbf/a.mid\n",
        b"s3://\xff\xff",
    ]


def names() -> list[bytes]:
    """Paths of files, with facts in them and without."""
    return [b"/Loops/120 BPM/Am_bass_120bpm.mid", b"/x/Song (C# minor) 3-4.MID", b"/a!/b.zip!/c#2.mid", b"/\xff\xfe/\n.mid", b"/"]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "parser": lambda: songs() + damaged_songs(),
    "analysis": lambda: songs() + damaged_songs(),
    "views": lambda: songs() + damaged_songs(),
    "texts": texts,
    "archives": archives,
    "encoders": lambda: [bytes(4096), bytes(range(256)) * 16, b"\xff" * 4096],
    "wire": lambda: [b"/a.mid\0/b.mid", b"-/fifo", b"r" + bytes(60) + b"/a.zip", b"f" + bytes(40) + b"/a.zip", bytes(24), bytes(900)],
    "lists": lists,
    "names": names,
}
