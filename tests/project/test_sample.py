"""The sample's writer against the specification, and that generated files are reproducible."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import mido
import pytest

import midiopt
from benchmarks import generate_collection
from sample import compose, example_queries, smf

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "sample" / "README.md"


@pytest.mark.parametrize(
    ("number", "encoded"),
    [  # the table of the specification, "Variable-Length Quantity"
        (0x00000000, "00"),
        (0x00000040, "40"),
        (0x0000007F, "7F"),
        (0x00000080, "81 00"),
        (0x00002000, "C0 00"),
        (0x00003FFF, "FF 7F"),
        (0x00004000, "81 80 00"),
        (0x00100000, "C0 80 00"),
        (0x001FFFFF, "FF FF 7F"),
        (0x00200000, "81 80 80 00"),
        (0x08000000, "C0 80 80 00"),
        (0x0FFFFFFF, "FF FF FF 7F"),
    ],
)
def test_varint(number, encoded):
    assert smf.varint(number) == bytes.fromhex(encoded)


@pytest.mark.parametrize("number", [-1, 1 << 28])
def test_varint_out_of_range(number):
    with pytest.raises(ValueError):
        smf.varint(number)


def test_a_minimal_file():
    melody = smf.track(
        [
            (0, smf.text(smf.TRACK_NAME, "One")),
            (0, smf.tempo(120)),
            (0, smf.time_signature(6, 8)),
            (0, smf.key_signature("Ebm")),
            (0, smf.program_change(2, 36)),
            (0, smf.note_on(2, 60, 100)),
            (96, smf.note_on(2, 60, 0)),
            (96, smf.pitch_bend(2, 0)),
            (96, smf.sysex(b"\x7e\x7f\x09\x01")),
            (224, smf.sysex_packet(b"\xf7")),
            (224, smf.control_change(2, 64, 127)),
        ]
    )
    assert smf.smf([melody], division=96, format=0) == bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 00  00 01  00 60"  # format 0, 1 track, 96 ticks per quarter
        "4D 54 72 6B  00 00 00 3E"  # MTrk, 62 bytes
        "00 FF 03 03 4F 6E 65"  # track name
        "00 FF 51 03 07 A1 20"  # tempo: 500,000 microseconds per quarter
        "00 FF 58 04 06 03 24 08"  # 6/8, a metronome click every 36 MIDI clocks
        "00 FF 59 02 FA 01"  # six flats, minor
        "00 C2 24"  # program 36 on the third channel
        "00 92 3C 64"  # note on
        "60 3C 00"  # running status: note on with velocity 0, a quarter later
        "00 E2 00 40"  # pitch bend, center
        "00 F0 04 7E 7F 09 01"  # system exclusive, first packet
        "81 00 F7 01 F7"  # its last packet, 128 ticks later
        "00 B2 40 7F"  # sustain pedal down; system exclusive has cancelled running status
        "00 FF 2F 00"  # End of Track
    )


def test_without_running_status():
    events = [(0, smf.note_on(0, 60, 64)), (10, smf.note_on(0, 60, 0))]
    assert smf.encode(events, running_status=False) == bytes.fromhex("00 90 3C 40  0A 90 3C 00")


def test_without_end_of_track():
    assert smf.track([], end_of_track=False) == b"MTrk" + bytes(4)


def test_smpte_division():
    assert smf.smpte(25, 40) == 0xE728  # the example of the specification: ticks of a millisecond


def test_rmid_pads_to_even_length():
    assert smf.rmid(b"odd") == b"RIFF\x10\0\0\0RMIDdata\x03\0\0\0odd\0"


@pytest.mark.parametrize(
    "event",
    [
        (smf.note_on, 16, 60, 64),
        (smf.note_on, 0, 128, 64),
        (smf.control_change, 0, 7, -1),
        (smf.pitch_bend, 0, 8192),
    ],
)
def test_out_of_range_is_not_written(event):
    make, *values = event
    with pytest.raises(ValueError):
        make(*values)


def same_files(a: Path, b: Path) -> bool:
    names = sorted(path.relative_to(a) for path in a.rglob("*.*"))
    assert names == sorted(path.relative_to(b) for path in b.rglob("*.*"))
    return filecmp.cmpfiles(a, b, names, shallow=False)[1:] == ([], [])


def test_the_sample_is_written_again_byte_for_byte(tmp_path):
    subprocess.run([sys.executable, "-m", "sample.compose", tmp_path], cwd=ROOT, check=True)
    assert same_files(tmp_path, compose.FOLDER)


def readme_row(content: bytes) -> list[str]:
    """What sample/README.md says of a file: bpm, meter, key, seconds."""
    try:
        facts = midiopt.analyze(content)
    except midiopt.MidiError:
        return ["", "", "", ""]
    bpm = "–" if facts.bpm is None else f"{facts.bpm:.0f}"
    key = f"*{facts.key}*" if facts.key_declared else facts.key or "–"
    return [bpm, facts.time_signature or "–", key, f"{facts.duration_s:.0f}"]


def test_the_readme_states_what_midiopt_finds():
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in README.read_text().splitlines() if line.startswith("| `")]
    stated = {name.strip("`"): cells for name, *cells in rows if len(cells) == 5}
    assert {path: cells[:4] for path, cells in stated.items()} == {path: readme_row(content) for path, content in compose.sample().items()}


def test_example_queries_answer_three_questions(tmp_path):
    midiopt.run([compose.FOLDER], tmp_path / "sample.db")
    command = [sys.executable, "-m", "sample.example_queries", tmp_path / "sample.db"]
    environment = {**os.environ, "COLUMNS": "200"}
    printed = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    for question in example_queries.QUESTIONS:
        assert question in printed
    for answer in ("Quartet for a Rainy Sunday", "four on the floor", "same bytes as sample/midi/band/slap happy.mid"):
        assert answer in printed


def test_a_collection_is_distinct_and_readable(tmp_path):
    assert generate_collection.main([str(tmp_path), "60", "--workers", "1"]) == 0
    files = sorted(tmp_path.rglob("*.mid"))
    assert len({path.read_bytes() for path in files}) == len(files) == 60
    for path in files[::10]:
        assert mido.MidiFile(path).length > 1


def test_a_collection_is_the_same_for_a_seed(tmp_path):
    seed_1, again, seed_2 = (tmp_path / name for name in "abc")
    list(generate_collection.write(seed_1, 10, seed=1))
    subprocess.run([sys.executable, "-m", "benchmarks.generate_collection", again, "10", "--seed", "1"], cwd=ROOT, check=True)
    list(generate_collection.write(seed_2, 10, seed=2))
    assert same_files(seed_1, again)
    assert not {path.read_bytes() for path in seed_1.rglob("*.mid")} & {path.read_bytes() for path in seed_2.rglob("*.mid")}


def test_a_collection_does_not_mix_with_other_files(tmp_path, capsys):
    (tmp_path / "here.txt").touch()
    with pytest.raises(SystemExit):
        generate_collection.main([str(tmp_path), "1"])
    assert "not empty" in capsys.readouterr().err
