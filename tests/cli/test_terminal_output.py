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
from midiopt.display.text import printable_text
from sample.smf import TRACK_NAME, note_off, note_on, smf, text, track

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


def test_a_terminal_gets_no_controls_of_names(folder):
    """On a real terminal, with the live line, colours and a list that names what is not there."""
    (folder / "list").write_text(f"folder/{NAME}\nfolder/missing{NAME}\n")
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "midiopt", "analyze", "@list", f"{folder}/nothing{EVIL}", "folder", "--db", "b.db"]
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
    assert "song" in output.decode() or "nothing" in output.decode()
    own = {"\x1b", "\r"}  # of rich, and of the terminal's line ends
    assert not (FORBIDDEN - own).intersection(output.decode())
    assert b"\x1b[31m\xc2\x9b" not in output


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
