"""midiopt repair and midiopt split: valid files in another folder, never over a file that is read, and what is said of them."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import midiopt
from midiopt.cli.main import main
from midiopt.library.repair import repair
from midiopt.library.split_song import split_song
from sample import compose, smf
from tests.cli.test_export import contents
from tests.helpers.archives import zip_of

GOOD = smf.smf([smf.track([(0, smf.note_on(0, 60, 64)), (96, smf.note_off(0, 60))])], 96, 0)
CUT = GOOD[:-4]  # without End of Track
CUT_SENTENCE = "chunk length past the end of the file at byte 18; track without End of Track"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("cut.mid").write_bytes(CUT)
    Path("good.mid").write_bytes(GOOD)
    return tmp_path


# --- repair ---------------------------------------------------------------------------------------


def test_a_repaired_file_is_valid_and_the_damaged_one_stays(folder, capsys):
    assert main(["repair", "cut.mid", "good.mid", "-o", "out"]) == 0
    assert capsys.readouterr().out == f"cut.mid\n  out/cut.mid: {CUT_SENTENCE}\n1 file repaired, 1 without a fault\n"
    assert contents(folder / "out") == {"cut.mid": GOOD}
    assert Path("cut.mid").read_bytes() == CUT


def test_a_second_run_writes_nothing_twice(folder, capsys):
    main(["repair", "cut.mid", "-o", "out"])
    assert main(["repair", "cut.mid", "-o", "out"]) == 0
    assert "0 files repaired, 1 there already" in capsys.readouterr().out and {*contents(folder / "out")} == {"cut.mid"}


def test_another_file_of_that_name_stays_without_force(folder):
    Path("out").mkdir()
    Path("out/cut.mid").write_bytes(b"mine")
    assert main(["repair", "cut.mid", "-o", "out", "-q"]) == 0
    assert contents(folder / "out") == {"cut.mid": b"mine", "cut (2).mid": GOOD}
    Path("out/cut (2).mid").unlink()
    assert main(["repair", "cut.mid", "-o", "out", "-q", "--force"]) == 0
    assert contents(folder / "out") == {"cut.mid": GOOD}


def test_no_file_that_is_read_is_replaced(folder):
    """Neither the file itself, nor another one of the same command, nor what the command has written."""
    Path("sub").mkdir()
    Path("sub/cut.mid").write_bytes(CUT[:-4])
    assert main(["repair", "sub/cut.mid", "cut.mid", "-o", ".", "-q", "--force"]) == 0
    assert Path("cut.mid").read_bytes() == CUT and Path("sub/cut.mid").read_bytes() == CUT[:-4]
    assert Path("cut (2).mid").read_bytes() == repair(CUT[:-4]).data and Path("cut (3).mid").read_bytes() == GOOD


def test_files_in_archives_and_compressed_ones(folder):
    Path("pack.zip").write_bytes(zip_of({"in/a.kar": CUT}))
    Path("b.MID.gz").write_bytes(gzip.compress(CUT))
    assert main(["repair", "pack.zip!/in/a.kar", "b.MID.gz", "-o", "out", "-q"]) == 0
    assert contents(folder / "out") == {"a.kar": GOOD, "b.MID": GOOD}


def test_a_damaged_container_becomes_a_plain_file(folder, capsys):
    Path("c.rmi").write_bytes(smf.rmid(CUT))
    assert main(["repair", "c.rmi", "-o", "out"]) == 0
    assert "left out: wrapped in a RIFF RMID container" in capsys.readouterr().out and {*contents(folder / "out")} == {"c.mid"}


def test_what_cannot_be_repaired(folder, capsys):
    Path("text.mid").write_bytes(b"hello")
    Path("rate.mid").write_bytes(GOOD[:12] + b"\xec\x28" + GOOD[14:])
    assert main(["repair", "text.mid", "rate.mid", "none.mid", "cut.mid", ".", "-o", "out", "-q"]) == 3
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in errors] == ["text.mid", "rate.mid", "none.mid", "."]
    assert "it is a folder; midiopt analyze reads it, then name a search" in errors[3]
    assert "it cannot be mended: SMPTE division with a frame rate" in errors[1] and "No such file" in errors[2]
    assert {*contents(folder / "out")} == {"cut.mid"}


def test_what_a_search_finds(folder, capsys):
    for name in ("a/x.mid", "b/x.mid"):
        Path("all/music", name).parent.mkdir(parents=True)
        Path("all/music", name).write_bytes(CUT)
    Path("all/music/good.mid").write_bytes(GOOD)
    Path("all/music/pack.zip").write_bytes(zip_of({"y.mid": CUT[:-4]}))
    midiopt.run(["all"], "all.db")
    Path("all/music/b/x.mid").write_bytes(GOOD)  # changed since
    assert main(["repair", "music", "-o", "out", "--db", "all.db"]) == 3
    out, errors = capsys.readouterr()
    assert out.splitlines()[-1] == "2 files repaired, 1 without a fault, 1 could not be" and "it has changed" in errors
    assert {*contents(folder / "out")} == {"x.mid", "y.mid"}
    assert main(["repair", "nosuchterm:1", "-o", "none", "--db", "all.db"]) == 1
    assert not Path("none").exists()


def test_repairs_for_programs(folder, capsys):
    assert main(["repair", "cut.mid", "none.mid", "-o", "out", "--jsonl"]) == 3
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "path": "cut.mid",
        "output": "out/cut.mid",
        "mended": ["chunk_overrun", "no_end_of_track"],
        "left": [],
        "description": CUT_SENTENCE,
    }
    assert second == {"path": "none.mid", "error": "No such file or directory"}


# --- split ----------------------------------------------------------------------------------------

SONG = smf.smf(
    [
        smf.track([(0, smf.tempo(100)), (0, smf.sysex(b"\x7e\x7f\x09\x01\xf7")), (0, smf.program_change(1, 33)), (96, smf.tempo(90))]),
        smf.track([(0, smf.text(smf.TRACK_NAME, "Bass/1")), (0, smf.note_on(1, 40, 64)), (96, smf.note_off(1, 40)), (200, b"\xff\x01\1x")]),
        smf.track([(0, smf.note_on(2, 60, 64)), (48, smf.note_on(3, 62, 64)), (96, smf.note_off(2, 60)), (96, smf.note_off(3, 62))]),
    ],
    96,
    1,
)


def notes_of(data: bytes) -> Counter:
    notes = midiopt.notes(data)
    return Counter(
        zip(*(getattr(notes, name).tolist() for name in ("onset", "length", "channel", "pitch", "velocity", "program")), strict=True)
    )


def test_a_file_per_track(folder, capsys):
    Path("song.mid").write_bytes(SONG)
    assert main(["split", "song.mid", "-o", "out"]) == 0
    assert capsys.readouterr().out == "out/song - 02 Bass_1.mid\nout/song - 03.mid\n2 files written\n"
    bass = (folder / "out/song - 02 Bass_1.mid").read_bytes()
    assert bass == smf.smf(
        [
            smf.track([(0, smf.tempo(100)), (0, smf.sysex(b"\x7e\x7f\x09\x01\xf7")), (96, smf.tempo(90))]),
            smf.track(
                [
                    *((0, smf.program_change(1, 33)), (0, smf.text(smf.TRACK_NAME, "Bass/1")), (0, smf.note_on(1, 40, 64))),
                    *((96, smf.note_off(1, 40)), (200, b"\xff\x01\1x")),
                ]
            ),
        ],
        96,
        1,
    )


def test_a_file_per_channel():
    parts = split_song(SONG, "channel")
    assert [part.name for part in parts] == ["channel 02", "channel 03", "channel 04"]
    assert [notes_of(part.data) for part in parts] == [
        {(0, 96, 1, 40, 64, 33): 1},
        {(0, 96, 2, 60, 64, 0): 1},
        {(48, 48, 3, 62, 64, 0): 1},
    ]


def test_channels_of_two_ports():
    port = [smf.meta(0x21, b"\0"), smf.meta(0x21, b"\1")]
    song = smf.smf([smf.track([(0, p), (0, smf.note_on(4, 60, 64)), (9, smf.note_off(4, 60))]) for p in port], 96, 1)
    assert [part.name for part in split_song(song, "channel")] == ["port 1 channel 05", "port 2 channel 05"]


@pytest.mark.parametrize("by", ["track", "channel"])
def test_all_parts_together_are_the_song(by):
    """Over the sample: each note is in one part, with its program, and each part has the tempo map and the meter."""
    for name, data in compose.sample().items():
        try:
            arena = midiopt.parse(data)
        except midiopt.MidiError:
            continue
        parts = split_song(data, by)
        assert sum((notes_of(part.data) for part in parts), Counter()) == notes_of(data), name
        if arena.format == 2:
            continue
        whole = midiopt.tempo_map(data)
        for part in parts:
            time = midiopt.tempo_map(part.data)
            assert np.array_equal(time.tick, whole.tick) and np.array_equal(time.tempo, whole.tempo), name
            assert time.time_signatures == whole.time_signatures
            assert midiopt.analyze(part.data).status == "ok"


def test_sequences_are_split_on_their_own():
    song = smf.smf([smf.track([(0, smf.tempo(60 + i)), (0, smf.note_on(i, 60, 64)), (9, smf.note_off(i, 60))]) for i in range(2)], 96, 2)
    for by, names in (("track", ["01", "02"]), ("channel", ["01 channel 01", "02 channel 02"])):
        parts = split_song(song, by)
        assert [part.name for part in parts] == names
        assert [round(midiopt.analyze(part.data).bpm) for part in parts] == [60, 61]


def test_what_cannot_be_split(folder, capsys):
    Path("empty.mid").write_bytes(smf.smf([smf.track([])], 96, 0))
    assert main(["split", "empty.mid", "none.mid", "good.mid", "-o", "out", "--json"]) == 3
    out, errors = capsys.readouterr()
    assert "empty.mid: it has no notes" in errors and "none.mid: No such file" in errors
    answer = json.loads(out)
    assert [item["path"] for item in answer["items"]] == ["empty.mid", "none.mid", "good.mid"]
    assert (answer["written"], answer["failed"]) == (1, 2) and {*contents(folder / "out")} == {"good - 01.mid"}
    assert main(["split", "empty.mid", "none.mid", "-o", "out"]) == 3
    assert capsys.readouterr().out == "0 files written, 2 songs could not be split\n"


def test_no_song_is_replaced_by_its_part(folder):
    Path("x.mid").write_bytes(SONG)
    Path("x - 03.mid").write_bytes(SONG)
    assert main(["split", "x.mid", "x - 03.mid", "-o", ".", "--force", "-q"]) == 0
    assert Path("x - 03.mid").read_bytes() == SONG and Path("x - 03 (2).mid").exists()
