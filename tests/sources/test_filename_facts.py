"""name_bpm, name_key and name_agrees: the rules of docs/accuracy-methods.md, against examples, the reference and both databases."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import midiopt
from midiopt.kinds import NULL_ENUM
from midiopt.schema import KEYS, NAME_METERS
from midiopt.sinks import open_sink
from midiopt.sources.filename.facts import name_facts
from reference import filenames
from tests.helpers.archives import zip_of
from tests.helpers.batches import analysis_row, file_row, make_batch, query, write
from tests.helpers.songs import song


def said(path: str) -> tuple[float | None, str | None, str | None]:
    bpm, key, meter = name_facts(path.encode())
    return (
        None if math.isnan(bpm) else bpm,
        None if key == NULL_ENUM else KEYS[key],
        None if meter == NULL_ENUM else NAME_METERS[meter],
    )


TEMPOS = {
    "120bpm.mid": 120, "x BPM 128.mid": 128, "90_bpm.mid": 90, "bpm=92.5.mid": 92.5, "92,5 Bpm.mid": 92.5, "Loop120bpm.mid": 120,
    "01-120bpm.mid": 120, "01.120bpm.mid": 120, "01.95bpm.mid": 95, "take 30 bpm128.mid": 128, "90bpm 32 bars.mid": 90,
    "230_bpm_multitrack.mid": 230, "BPM 140/x.mid": 140, "BPM 140/100bpm.mid": 100, "110 bpm.zip!/a/x.mid": 110,
    "Am 95.mid": 95, "95 - F#min.mid": 95, "Bbmaj_100.mid": 100, "Am 95 (120 bpm).mid": 120, "100bpm/Dm 95.mid": 95,
    "track 120.mid": None, "120.mid": None, "12 bpm.mid": None, "1200bpm.mid": None, "500bpm.mid": None, "120bpms.mid": None,
    "90-100 BPM.mid": None, "BPM 90-100.mid": None, "100bpm 120bpm.mid": None, "Dm 95 F#m 100.mid": None, "100bpm/90bpm 95bpm.mid": None,
    "Dm 30.mid": None, "Dm 250.mid": None, "Symphony 94 G major.mid": None, "120/Dm.mid": None, "bpm.mid": None,
}  # fmt: skip
SPELLED = {
    "Am 95.mid": "Am", "F#min.mid": "F#m", "C major.mid": "C", "Bb-maj.mid": "Bb", "Dbm.mid": "C#m", "A#m.mid": "Bbm", "Gb major.mid": "F#",
    "x_G#_minor.mid": "G#m", "E Flat Major.mid": "Eb", "F-sharp_minor.mid": "F#m", "f#m.mid": "F#m", "ab minor.mid": "G#m",
    "E♭ major.mid": "Eb", "C♯m.mid": "C#m", "Cb major.mid": "B", "E# minor.mid": "Fm", "cmaj.mid": "C", "Eminor.mid": "Em",
    "in a minor.mid": "Am", "A Minor.mid": "Am", "a-minor.mid": "Am", "key of G.mid": "G", "Key=F#.mid": "F#", "key Am loop.mid": "Am",
    "Loop - Am.mid": "Am", "Am.mid": "Am", "(Em) loop.mid": "Em", "Em 120bpm.mid": "Em", "Em - bpm 90.mid": "Em", "Amin 100.mid": "Am",
    "Bach/G minor/x.mid": "Gm", "G minor/D minor/x.mid": "Dm", "G minor/F.mid": "Gm",
    "Dm.mid.gz": "Dm", "Am.mid.gz": "Am", "Em.mid.bz2": "Em", "Bm.KAR.XZ": "Bm", "Gm.rmi.zst": "Gm", "Fm.zip!/x.mid": "Fm",
    "Db Major - Bb minor/Minor/Bb - i iv.mid": "Bbm", "Db Major - Bb minor/Db - I V.mid": "Db",
    "A song.mid": None, "Am I Blue.mid": None, "Be my baby.mid": None, "C.mid": None, "Bb.mid": None, "Who I Am.mid": None, "am.mid": None,
    "Here-I-Am.mid": None, "Here.I.Am.mid": None, "I Am 95.mid": None, "Nho Em.mid": None, "Em oi.mid": None, "Idi Amin.mid": None,
    "EBM.mid": None, "ebm.mid": None, "FM 100.mid": None, "9am.mid": None, "Cm7.mid": None, "Bbm7+5.mid": None, "Cmaj7.mid": None,
    "a minor thing.mid": None, "Ursa Major.mid": None, "D'm.mid": None, "Door Key.mid": None, "key a.mid": None, "Donkey C.mid": None,
    "C major and C minor.mid": None, "C major/A minor, F major/x.mid": None, "Db Major - Bb minor/F - V.mid": None,
    "C major - C minor/C - I.mid": None, "Trumpet in Bb.mid": None, "Rock-Em-Sock-Em.mid": None,
}  # fmt: skip


METERS = {
    "44_rock_63_fill_4-4.mid": "4/4", "Groove 6-8.mid": "6/8", "12-8 blues/x.mid": "12/8", "(7-8) x.mid": "7/8",
    "waltz 3-4/2-4 x.mid": "2/4",
    "3-4.mid": None, "Sonatas/3-4/x.mid": None, "x 4-4 3-4.mid": None, "x 4-4 3-4/y.mid": None, "x 2-3-4.mid": None, "x 3-4-2001.mid": None,
    "x 13-8.mid": None, "x 112-8.mid": None, "x 4-16.mid": None, "x 1-4.mid": None, "x 03-4.mid": None, "x 1.3-4.mid": None,
    "x3-4.mid": None, "x 3-4th.mid": None, "x 3_4.mid": None, "x 9-4.mid": None,
}  # fmt: skip


@pytest.mark.parametrize("path", METERS)
def test_meters(path):
    assert said("/1/" + path)[2] == METERS[path]


@pytest.mark.parametrize("path", TEMPOS)
def test_tempos(path):
    assert said(path)[0] == TEMPOS[path]


@pytest.mark.parametrize("path", SPELLED)
def test_keys(path):
    assert said("/music/" + path)[1] == SPELLED[path]


PIECES = (
    *("Am", "am", "Em", "Bbm", "f#m", "C", "A", "a", "F#", "b", "min", "maj", "minor", "Major", "m", "sharp", "Flat", "♯", "♭"),
    *("'", "I", "in", "bpm", "BPM", "90", "120", "95.5", "12", "1", "2000", "key", "Key", "of", " ", " ", "_", "-", "-", " - "),
    *(".", ",", "(", "=", "/", "!/", ".mid", ".gz", ".bz2", ".Xz", ".zst", ".bz", "é", "#", "x", "song", "4-4", "12-8", "3-4", "1-4"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("x" * 5000 + "/Am 120bpm.mid")
@example("")
@example("bpm")
@example("/")
def test_the_reference_agrees(path):
    assert said(path) == filenames.filename_facts(path.encode())


@pytest.mark.parametrize("path", [*TEMPOS, *SPELLED, *METERS])
def test_the_reference_agrees_on_the_examples(path):
    assert said(path) == filenames.filename_facts(path.encode())


def test_every_row_has_them(url, tmp_path):
    """A file, its copy, a member of an archive and one that is no MIDI."""
    folder = tmp_path / "100 bpm"
    folder.mkdir()
    (folder / "Am 90.mid").write_bytes(song(1))
    (folder / "copy in D minor.mid").write_bytes(song(1))
    (folder / "6-8 x.mid").write_bytes(song(1))
    (folder / "F#m.mid").write_bytes(b"nothing")
    (folder / "Ebm 80.zip").write_bytes(zip_of({"in/x.mid": song(2), "in/140bpm C major.mid": song(1)}))
    midiopt.run([folder], url)
    rows = query(url, "SELECT path, name_bpm, name_key, name_meter FROM files ORDER BY path")
    assert [(path.removeprefix(f"{folder}/"), *said) for path, *said in rows] == [
        ("6-8 x.mid", 100, None, "6/8"),
        ("Am 90.mid", 90, "Am", None),
        ("Ebm 80.zip", 80, "Ebm", None),
        ("Ebm 80.zip!/in/140bpm C major.mid", 140, "C", None),
        ("Ebm 80.zip!/in/x.mid", 80, "Ebm", None),
        ("F#m.mid", 100, "F#m", None),
        ("copy in D minor.mid", 100, "Dm", None),
    ]


AGREES = [  # name_bpm, name_key, bpm, bpm_onsets, key, key_notes, name_agrees
    (None, None, 120, 120, "C", "C", None),
    (120, None, 120, None, None, None, True),
    (120, None, 124, 90, "C", "C", True),
    (120, None, 126, 90, "C", "C", False),
    (120, None, 126, None, "C", "C", False),
    (120, None, 90, 118, "C", "C", True),
    (120, None, 60, 90, "C", "C", True),
    (120, None, 240, 90, "C", "C", True),
    (120, None, 40, 360, "C", "C", False),
    (120, None, None, None, "C", "C", None),
    (None, "F#", 120, 120, "F#", "B", True),
    (None, "F#", 120, 120, "B", "F#", True),
    (None, "F#", 120, 120, "B", "B", False),
    (None, "F#", 120, 120, None, None, None),
    (120, "F#", 120, 120, "F#", "F#", True),
    (120, "F#", 120, 120, "C", "C", False),
    (120, "F#", 90, 90, "F#", "F#", False),
    (120, "F#", 90, 90, None, None, False),
    (120, "F#", 120, 120, None, None, None),
]


def test_whether_the_notes_agree(url):
    files = [
        file_row(path=f"/{i:02}", content_hash=i.to_bytes(16), name_bpm=bpm, name_key=key, name_meter=None)
        for i, (bpm, key, *_) in enumerate(AGREES, 1)
    ]
    analyses = [
        analysis_row(content_hash=i.to_bytes(16), bpm=bpm, bpm_onsets=onsets, key=key, key_notes=notes)
        for i, (_, _, bpm, onsets, key, notes, _) in enumerate(AGREES, 1)
    ]
    rejected = file_row(path="/99", status="rejected", content_hash=None, name_bpm=120, name_key="C")
    meters = [
        ("3/4", "3/4", None),
        ("3/4", None, "3/4"),
        ("3/4", "4/4", "3/4"),
        ("3/4", "4/4", None),
        ("3/4", None, "4/4"),
        ("3/4", None, None),
    ]
    for i, (meter, declared, estimated) in enumerate(meters, 50):
        files.append(file_row(path=f"/{i}", content_hash=i.to_bytes(16), name_bpm=None, name_key=None, name_meter=meter))
        analyses.append(analysis_row(content_hash=i.to_bytes(16), time_signature=declared, meter_estimated=estimated))
    with open_sink(url) as sink:
        write(sink, make_batch([*files, rejected], analyses))
    found = [None if value is None else bool(value) for (value,) in query(url, "SELECT name_agrees FROM library ORDER BY path")]
    assert found == [*(row[-1] for row in AGREES), True, True, True, False, False, None, None]
