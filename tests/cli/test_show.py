"""midiopt show: the facts of files as a table and as JSON, wherever a file is."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console

import midiopt
from midiopt.api.analysis import json_value
from midiopt.cli import facts_table
from midiopt.cli.main import main
from midiopt.display.fact_sections import SECTIONS
from midiopt.display.fact_values import CONFIDENCES, fact
from midiopt.schema import ANALYSES
from midiopt.sources.paths import path_text
from sample.smf import note_off, note_on, program_change, smf, text, track
from tests.helpers.archive_bytes import raw_zip
from tests.helpers.archives import tar_of, zip_of
from tests.helpers.processes import file_rows
from tests.helpers.songs import song

# Two quarters of A and C at once, 120 BPM.
CHORD = smf([track([(0, text(3, "Title")), (0, b"\x90\x45\x40"), (0, b"\x90\x48\x40"), (96, b"\x80\x45\x00"), (96, b"\x80\x48\x00")])])
SAMPLE = Path(__file__).parents[2] / "sample" / "midi"

BESIDE = {"bpm_source", *CONFIDENCES.values()}  # shown in the row of what they belong to


def lines(facts: midiopt.Analysis) -> dict[str, str]:
    """What a pipe gets, by the names of columns."""
    title, *rows = facts_table.plain_text("song.mid", facts).splitlines()
    assert title == "song.mid"
    return dict(row.strip().split(maxsplit=1) for row in rows if row.startswith("  ") and not row.startswith("   "))


def test_every_column_is_shown_or_named_as_without_a_value() -> None:
    for path in (SAMPLE / "band" / "slap happy.mid", SAMPLE / "odd" / "film cue 25 fps.mid"):
        facts = midiopt.analyze(path)
        shown = facts_table.plain_text("song.mid", facts)
        listed = set(re.findall(r"^  (\w+) ", shown, re.M)) | set(shown.rpartition("without a value\n")[2].strip().split(", "))
        assert {column.name for column in ANALYSES} - BESIDE - {"analyzer_version"} <= listed
        for column in ANALYSES:
            assert (fact(facts, column) is None) == (json_value(facts, column.name) in (None, []) and column.name != "issues")


def test_values_have_names_units_and_confidences() -> None:
    facts = midiopt.analyze(CHORD)
    shown = lines(facts)
    assert shown["status"] == "ok"
    assert shown["title"] == "Title"
    assert shown["bar_count"] == "1 bar"
    assert "bpm" not in shown and facts.bpm is None
    assert shown["duration_s"] == "0.1 s  (0:00)"
    assert shown["note_count"] == "2"
    assert shown["pitch_min"] == "69 A4  (60 is C4)" and shown["pitch_max"] == "72 C5  (60 is C4)"
    assert shown["pitch_classes"] == "C 50%  A 50%"
    assert shown["programs"] == "0 Acoustic Grand Piano  (counted from 0)"
    assert shown["channels"] == "1  (counted from 1)"
    assert facts.notes_hash and shown["notes_hash"] == facts.notes_hash.hex()
    assert shown["issues"] == "none"


def test_each_fact_is_in_one_section() -> None:
    names = [name for names in SECTIONS.values() for name in names]
    assert sorted([*names, *BESIDE, "analyzer_version"]) == sorted(column.name for column in ANALYSES)


def test_programs_have_their_general_midi_names() -> None:
    events = [(0, program_change(0, 36)), (0, note_on(0, 40, 90)), (96, note_off(0, 40))]
    shown = lines(midiopt.analyze(smf([track(events)])))
    assert shown["primary_program"] == "36 Slap Bass 1  (counted from 0)"


def test_what_is_weak_is_marked() -> None:
    facts = midiopt.analyze(SAMPLE / "band" / "laundromat shuffle.mid")
    assert facts.key_confidence < 0.5 < facts.meter_confidence
    assert lines(facts)["bpm"] == f"112 beats/min  (declared, confidence {facts.bpm_confidence:.2f})"
    assert lines(facts)["key"] == f"{facts.key}  (confidence {facts.key_confidence:.2f}, weak)"
    assert "weak" not in lines(facts)["meter_estimated"]


def test_repairs_are_shown_with_the_status() -> None:
    facts = midiopt.analyze(CHORD[:-4])
    assert lines(facts)["status"] == f"repaired: {facts.error}"
    assert "no_end_of_track (track without End of Track)" in lines(facts)["issues"]


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_terminal_folds_between_words(width: int) -> None:
    """No line is wider than the terminal, nothing is cut, and wide terminals show two columns."""
    facts = midiopt.analyze(SAMPLE / "band" / "neon avenue.mid")
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(facts_table._layout(facts, width))
    shown = file.getvalue()
    assert max(map(len, shown.splitlines())) <= width and "…" not in shown
    words = {word for _, rows in facts_table.sections(facts) for row in rows for word in row.value.split() if len(word) < 30}
    assert words <= set(shown.split())
    assert (len(shown.splitlines()) < 50) == (width == 200)


def test_the_names_without_a_value_stand_below_each_other() -> None:
    """Folded for the narrower column beside names, their second line began at the margin."""
    facts = midiopt.analyze(CHORD)
    file = io.StringIO()
    Console(file=file, width=60, highlight=False).print(facts_table._layout(facts, 60))
    _, _, names = file.getvalue().partition("without a value")
    first, *more = [line for line in names.splitlines() if line.strip()]
    assert more and all(line.startswith("  ") and line[2] != " " for line in (first, *more))
    assert max(len(line.rstrip()) for line in (first, *more)) > 50


def shown_items(capsys: pytest.CaptureFixture[str], *files: str) -> tuple[int, list[dict], str]:
    """Exit code, the objects of --jsonl, and standard error."""
    code = main(["show", *files, "--jsonl"])
    captured = capsys.readouterr()
    return code, list(map(json.loads, captured.out.splitlines())), captured.err


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The same song in all places, named as a user does and as the database does."""
    monkeypatch.chdir(tmp_path)
    data = song(1)
    (tmp_path / "plain.mid").write_bytes(data)
    (tmp_path / "packed.mid.gz").write_bytes(gzip.compress(data))
    inner = zip_of({"in/x.mid": data, "g.mid.gz": gzip.compress(data), "in\\y.mid": data})
    (tmp_path / "a.zip").write_bytes(zip_of({"x.mid": data, "b\\c.mid": data, "in.zip": inner}))
    (tmp_path / "t.tar.gz").write_bytes(tar_of({"y.mid": data}, "w:gz"))
    (tmp_path / "a.zip!").mkdir()
    (tmp_path / "a.zip!" / "x.mid").write_bytes(song(2))
    odd = b"odd \xe9\\.mid"
    Path(tmp_path, odd.decode(errors="surrogateescape")).write_bytes(data)
    return [
        *("plain.mid", "packed.mid.gz", "t.tar.gz!/y.mid", "a.zip!/in.zip!/in/x.mid", "a.zip!/in.zip!/g.mid.gz", "a.zip!/b\\x5cc.mid"),
        *("a.zip!/b\\c.mid", "a.zip!/in.zip!/in\\y.mid"),  # as a zip has them that was made on Windows
        *(f"{tmp_path}/t.tar.gz!/y.mid", path_text(odd), odd.decode(errors="surrogateescape")),
    ]


def test_a_file_is_found_wherever_it_is(places, capsys) -> None:
    code, items, error = shown_items(capsys, *places)
    assert (code, error) == (0, "")
    assert [item["path"] for item in items[:-1]] == places[:-1]
    assert {item["content_hash"] for item in items} == {midiopt.analyze(song(1)).content_hash.hex()}


def test_a_folder_that_looks_like_an_archive_comes_first(places, capsys) -> None:
    _, [item], _ = shown_items(capsys, "a.zip!/x.mid")
    assert item["content_hash"] == midiopt.analyze(song(2)).content_hash.hex()


def test_paths_of_a_database_can_be_shown(tmp_path, capsys) -> None:
    """Every path that a run writes, but for those that are not analysed."""
    (tmp_path / "m").mkdir()
    inner = zip_of({"x.mid": song(2)})
    (tmp_path / "m" / "a.zip").write_bytes(zip_of({"1.mid": song(1), "in.zip": inner, "q!.mid": song(3)}))
    for number, name in enumerate((b"\xff\\x41.mid", b"\\x41\n.mid", "\u202e\\.mid".encode()), 4):
        Path(tmp_path / "m", os.fsdecode(name)).write_bytes(song(number))
    midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1)
    paths = [path for path, (status,) in file_rows(tmp_path / "x.db", "status").items() if status == "ok"]
    assert len(paths) == 6
    code, items, error = shown_items(capsys, *paths)
    assert (code, error, [item["path"] for item in items]) == (0, "", paths)


def test_a_named_pipe(capsys, tmp_path) -> None:
    """As a shell makes it of <(zcat song.mid.gz)."""
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[song(1)], daemon=True)
    writer.start()
    code, items, _ = shown_items(capsys, str(tmp_path / "pipe"))
    assert (code, items[0]["content_hash"]) == (0, midiopt.analyze(song(1)).content_hash.hex())


def test_an_archive_inside_another_is_no_song(capsys, tmp_path) -> None:
    """A song that is stored in it begins in its first 1,024 bytes, where one behind other bytes may begin."""
    (tmp_path / "a.zip").write_bytes(raw_zip([(b"b.zip", raw_zip([(b"c.mid", song(1))]))]))
    code, items, error = shown_items(capsys, f"{tmp_path}/a.zip!/b.zip", f"{tmp_path}/a.zip!/b.zip!/c.mid")
    assert (code, [item["status"] for item in items]) == (1, ["unreadable", "ok"])
    assert "it is an archive; add the name of a member, such as !/x.mid" in error


@pytest.mark.parametrize("data", [song(1), gzip.compress(song(1)), lzma.compress(song(1))])
def test_a_file_from_a_pipe(data) -> None:
    command = [sys.executable, "-m", "midiopt", "show", "-", "--jsonl"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60)
    assert json.loads(done.stdout)["content_hash"] == midiopt.analyze(song(1)).content_hash.hex()


def test_what_cannot_be_shown_does_not_stop_the_others(places, capsys, tmp_path) -> None:
    (tmp_path / "page.mid").write_bytes(b"<html>")
    files = ["missing.mid", "a.zip!/missing.mid", "a.zip", ".", "page.mid", "plain.mid"]
    code, items, error = shown_items(capsys, *files)
    assert code == 1
    assert [item["status"] for item in items] == [*["unreadable"] * 4, "rejected", "ok"]
    assert error.splitlines() == [
        "midiopt: missing.mid: No such file or directory",
        "midiopt: a.zip!/missing.mid: there is no member missing.mid in a.zip",
        "midiopt: a.zip: it is an archive; name a member of it, such as a.zip!/x.mid",
        "midiopt: .: it is a folder; midiopt analyze reads folders",
        "midiopt: page.mid: it looks like HTML: no MThd header in the first 1024 bytes at byte 0",
    ]
    assert main(["show", *files, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["command"], found["files"], found["failed"], len(found["items"])) == ("show", 6, 5, 6)


def test_a_pipe_gets_long_lines_without_folds(capsys, tmp_path) -> None:
    names = [f"a long name of track {i}" for i in range(40)]
    (tmp_path / "x.mid").write_bytes(smf([track([(0, text(3, name)), (0, note_on(0, 60, 64)), (9, note_off(0, 60))]) for name in names]))
    assert main(["show", str(tmp_path / "x.mid")]) == 0
    assert ", ".join(names) in capsys.readouterr().out
