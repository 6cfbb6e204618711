"""What files are called and contain cannot control a terminal, whichever command prints it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midiopt.cli.json_output import print_json
from midiopt.cli.main import main
from midiopt.library.target_names import component
from midiopt.wording import clock, counted, printable_text, size_text
from sample.smf import TRACK_NAME, meta, note_off, note_on, smf, text, track

# Escape sequences (7 and 8 bits), bell, overrides and isolates of direction, marks of direction, line and paragraph separators.
EVIL = "\x1b[31m\x9b31m\x07\r\x7f\x85\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029\ufeff"
FORBIDDEN = set(EVIL) - set("[31m")
NAME = f"song{EVIL}　\xa0ピアノ.mid"  # spaces that are no controls
SONG = smf([track([(0, text(TRACK_NAME, f"title{EVIL}")), (0, note_on(0, 60, 64)), (9, note_off(0, 60))])])


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints on both streams."""
    with contextlib.suppress(SystemExit):
        main(arguments)
    captured = capsys.readouterr()
    return captured.out + captured.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files of equal bytes with such a name, a damaged and an unusable one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "folder").mkdir()
    for name, data in ((NAME, SONG), (f"2{NAME}", SONG), (f"damaged{NAME}", SONG[:-3]), (f"empty{NAME}", b"")):
        (tmp_path / "folder" / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_command_prints_controls(folder, capsys, options):
    database = f"a{EVIL}.db"
    missing = f"missing{EVIL}"
    printed = {
        "analyze": shown(capsys, "analyze", "folder", "--db", database, *options),
        "analyze nothing": shown(capsys, "analyze", missing, "--db", database, *options),
        "show": shown(capsys, "show", f"folder/{NAME}", *options),
        "show damaged": shown(capsys, "show", f"folder/damaged{NAME}", *options),
        "show empty": shown(capsys, "show", f"folder/empty{NAME}", *options),
        "show missing": shown(capsys, "show", missing, *options),
        "status": shown(capsys, "status", "--db", database, *options),
        "status of nothing": shown(capsys, "status", "--db", missing, *options),
        "duplicates": shown(capsys, "duplicates", "--db", database, *options),
        "search": shown(capsys, "search", "--db", database, *options),
        "search of nothing": shown(capsys, "search", "--db", database, f"{EVIL}:{EVIL}", *options),
        "export": shown(capsys, "export", "--db", database, "--copy", f"copies{EVIL}"),
        "export of nothing": shown(capsys, "export", "--db", database, "--copy", "copies", "--name", f"{{{EVIL}}}"),
        "similar": shown(capsys, "similar", f"folder/{NAME}", "--db", database, *options),
        "repair": shown(capsys, "repair", f"folder/damaged{NAME}", "-o", f"repaired{EVIL}", *options),
        "split": shown(capsys, "split", f"folder/{NAME}", "-o", "split"),
        "report": shown(capsys, "report", "--db", database, "-o", f"report{EVIL}.html"),
        "dry run": shown(capsys, "analyze", "folder", "--dry-run", "--db", database, *options),
        "verify": shown(capsys, "verify", "--db", database, "--all", *options),
        "usage": shown(capsys, "verify", "--sample", EVIL) + shown(capsys, EVIL),
    }
    assert all(printed.values())
    assert {command: FORBIDDEN.intersection(output) for command, output in printed.items()} == {key: set() for key in printed}
    if options:
        assert json.loads(printed["show"])["items"][0]["title"] == f"title{EVIL}"
        assert json.loads(printed["duplicates"])["items"][0]["paths"][0].endswith(NAME)
    else:
        assert "ピアノ" in printed["show"] and "ピアノ" in printed["duplicates"]


def on_terminal(folder: Path, *arguments: str) -> str:
    """What a command prints on a terminal."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "midiopt", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=child, stderr=child, stdin=subprocess.DEVNULL)
    os.close(child)
    output = b""
    while True:
        try:
            received = os.read(parent, 65536)
        except OSError:  # the terminal has no other end any more
            break
        if not received:
            break
        output += received
    process.wait()
    os.close(parent)
    return output.decode()


def test_a_terminal_gets_no_controls_of_names(folder):
    """On a real terminal: with the live line, colours, a list that names what is not there, and pictures of the notes."""
    (folder / "list").write_text(f"folder/{NAME}\nfolder/missing{NAME}\n")
    printed = {
        "analyze": on_terminal(folder, "analyze", "@list", f"{folder}/nothing{EVIL}", "folder", "--db", "b.db"),
        "show": on_terminal(folder, "show", f"folder/{NAME}"),
        "status": on_terminal(folder, "status", "--db", "b.db"),
        "search": on_terminal(folder, "search", "--db", "b.db"),
        "paths": on_terminal(folder, "search", "--db", "b.db", "--paths"),
        "csv": on_terminal(folder, "search", "--db", "b.db", "--csv"),
        "duplicates": on_terminal(folder, "duplicates", "--db", "b.db"),
    }
    own = {"\x1b", "\r"}  # of rich, and of the terminal's line ends
    for command, output in printed.items():
        assert "song" in output or "nothing" in output, command
        assert not (FORBIDDEN - own).intersection(output), command
        assert "\x1b[31m\N{REPLACEMENT CHARACTER}31m" not in output, command


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"\xfe\xff\xd8\x00\x00A\xdc\x00\x00\x1b\x20\x2e", "\N{REPLACEMENT CHARACTER}A" + 3 * "\N{REPLACEMENT CHARACTER}"),
        (b"a\0\0b\x1b[2J", "ab\N{REPLACEMENT CHARACTER}[2J"),
        (b"{@LATIN}\x9b31m", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}31m"),
        ("x\U000e0041\ufff9\U000f0000".encode(), "x" + 3 * "\N{REPLACEMENT CHARACTER}"),  # a tag, an annotation, private use
    ],
    ids=["surrogates", "NUL", "CP1252", "invisible"],
)
def test_titles_are_shown_in_printable_characters(tmp_path, capsys, name, title):
    (tmp_path / "a.mid").write_bytes(smf([track([(0, meta(TRACK_NAME, name)), (0, note_on(0, 60, 64)), (9, note_off(0, 60))])]))
    table = shown(capsys, "show", str(tmp_path / "a.mid"))
    assert next(line for line in table.splitlines() if line.startswith("  title")).split(maxsplit=1)[1] == title
    assert table.replace("\n", "").isprintable()
    for option in ("--json", "--jsonl"):
        line = shown(capsys, "show", str(tmp_path / "a.mid"), option)
        assert line.replace("\n", "").isprintable()
        item = json.loads(line)
        assert printable_text((item["items"][0] if option == "--json" else item)["title"]) == title


@given(st.text(), st.sampled_from(["", "/x", " - "]))
def test_names_of_written_files_are_printable(text, more):
    assert printable_text(name := component(text + more)) == name


@given(st.text())
def test_printable_text(text):
    shown = printable_text(text)
    assert len(shown) == len(text)
    assert all(a == b or b == "\N{REPLACEMENT CHARACTER}" for a, b in zip(text, shown, strict=True))
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"}.intersection(map(unicodedata.category, shown))


@pytest.mark.parametrize("value", [EVIL, ["\U000e0001", "\udc80", "é", "\u3000"], {"a\x9b": None}])
def test_json_is_escaped_and_equal(capsys, value):
    print_json(value)
    line = capsys.readouterr().out
    assert json.loads(line) == value
    assert not FORBIDDEN.intersection(line) and "\udc80" not in line


def test_numbers_have_units_and_plurals() -> None:
    assert [size_text(n) for n in (0, 999, 1000, 999_949, 999_950, 5_800_000_000)] == [
        "0 B",
        "999 B",
        "1.0 KB",
        "999.9 KB",
        "1.0 MB",
        "5.8 GB",
    ]
    assert [counted(n, "file") for n in (0, 1, 2000)] == ["0 files", "1 file", "2,000 files"]
    assert [clock(s) for s in (0, 59.4, 59.5, 3599.5)] == ["0:00", "0:59", "1:00", "1:00:00"]
