"""Lists of paths: their encodings and separators, and what is no list."""

from __future__ import annotations

import codecs
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from midiopt.errors import SourceError
from midiopt.sources import lists
from midiopt.sources.lists import check_list, listed_paths
from midiopt.sources.roots import find_roots
from tests.helpers.processes import file_rows
from tests.helpers.songs import song


def listed(folder: Path, data: bytes) -> tuple[list[bytes], list[str]]:
    """The paths in a list, relative to the current folder, and the problems."""
    (folder / "list").write_bytes(data)
    problems: list[str] = []
    check_list(os.fsencode(folder / "list"))
    here = os.fsencode(os.getcwd()) + b"/"
    return [path.removeprefix(here) for path in listed_paths(os.fsencode(folder / "list"), problems.append)], problems


ENCODINGS = {
    "utf-8-sig": b"",  # the encoder writes the mark itself
    "utf-16-le": codecs.BOM_UTF16_LE,  # PowerShell's >
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
    "utf-8": b"",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\0"])
@pytest.mark.parametrize("is_ended", [False, True])
def test_encodings(encoding, separator, is_ended, tmp_path, monkeypatch):
    """With a mark, the text is decoded; chunks may end inside a character."""
    names = ["song1.mid", "Für Elise.mid", "小星星.mid", "𝄞.mid", "a b.mid"]
    text = separator.join(names) + separator * (is_ended or separator == "\0")
    for chunk in (lists.CHUNK_BYTES, 1, 7):
        monkeypatch.setattr(lists, "CHUNK_BYTES", chunk)
        assert listed(tmp_path, ENCODINGS[encoding] + text.encode(encoding)) == ([name.encode() for name in names], [])


def test_paths_of_any_bytes_without_a_mark(tmp_path):
    assert listed(tmp_path, b"\xff.mid\nb\xe9.mid\n\n") == ([b"\xff.mid", b"b\xe9.mid"], [])
    assert listed(tmp_path, b"a\nb.mid\0\xfe.mid\0\0") == ([b"a\nb.mid", b"\xfe.mid"], []), (
        "after find -print0, a name may hold a line feed"
    )
    assert listed(tmp_path, b"") == ([], [])


def test_lines_in_quotes(tmp_path, monkeypatch):
    """A file whose name has the quotes keeps them; one quote is part of a name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / '"odd".mid"').touch()
    lines = [b'"a b.mid"', b"'c.mid'", b'"odd".mid"', b'"', b'""', b"it's.mid", b"\"d.mid'"]
    assert listed(tmp_path, b"\n".join(lines)) == ([b"a b.mid", b"c.mid", *lines[2:]], [])
    assert listed(tmp_path, b'"a.mid"\0') == ([b'"a.mid"'], []), "find -print0 writes no quotes"


def test_nul_never_cuts_a_path(tmp_path):
    """In a list of lines: a piece before it could name another file or folder."""
    paths, problems = listed(tmp_path, b"a.mid\nb\0c.mid\n.\0/\0x\nd.mid\n")
    assert paths == [b"a.mid", b"d.mid"] and problems == ["not a path: 'b\\x00c.mid'", "not a path: '.\\x00/\\x00x'"]
    (tmp_path / "a.mid").write_bytes(song(1))
    (tmp_path / "list").write_bytes(b"%b/a.mid\n%b\0.mid\n" % ((os.fsencode(tmp_path),) * 2))
    summary = midiopt.run([f"@{tmp_path}/list"], tmp_path / "x.db", workers=1)
    assert (summary.files, summary.ok) == (1, 1) and len(summary.problems) == 1 and "not a path" in summary.problems[0]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["song1.mid\r\nsong2.mid\r\n", "./a.mid", "/\n"])
def test_utf16_without_its_mark_is_refused(encoding, text, tmp_path):
    """Its bytes read as paths of one letter, among them "." and "/"."""
    (tmp_path / "list").write_bytes(text.encode(encoding))
    with pytest.raises(SourceError, match="looks like UTF-16 without a byte-order mark: save it as UTF-8"):
        find_roots([f"@{tmp_path}/list"])


def test_what_is_no_list(tmp_path):
    """A device without end, a FIFO that nobody writes into, a folder: a sentence, at once."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    start = time.monotonic()
    for path in ("/dev/zero", "/dev/null", tmp_path / "fifo", tmp_path / "link"):
        with pytest.raises(SourceError, match="is not a regular file: write the paths into one"):
            midiopt.run([f"@{path}"], tmp_path / "x.db")
    for path in (tmp_path, tmp_path / "gone", "x" * 300):
        with pytest.raises(SourceError, match="list"):
            midiopt.run([f"@{path}"], tmp_path / "x.db")
    assert time.monotonic() - start < 5


def test_a_list_that_became_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "list")
    problems: list[str] = []
    assert list(listed_paths(os.fsencode(tmp_path / "list"), problems.append)) == [] and problems == ["not a regular file"]


def test_lines_without_end_are_bounded(tmp_path, monkeypatch):
    """In memory, too: each is dropped while it is read. The lines around them are read."""
    monkeypatch.setattr(lists, "MAX_PATH_BYTES", 1000)
    monkeypatch.setattr(lists, "CHUNK_BYTES", 300)
    long = b"/" + b"x" * 5000
    paths, problems = listed(tmp_path, b"a.mid\n" + long + b"\nb.mid\n" + long)
    assert paths == [b"a.mid", b"b.mid"] and problems == ["a path of more than 1,000 bytes"] * 2


@given(st.binary(max_size=200))
def test_no_list_raises(data):
    """Every path is without NUL, whatever the bytes."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            paths, _ = listed(Path(folder), data)
        except SourceError:
            return
        assert not any(b"\0" in path for path in paths)


def test_the_list_of_the_field(tmp_path, monkeypatch):
    """As PowerShell writes it, beside a song that it does not name."""
    for name in ("song1.mid", "song2.mid", "elsewhere/song3.mid"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(song(len(name)))
    (tmp_path / "list").write_bytes(codecs.BOM_UTF16_LE + "song1.mid\r\nsong2.mid\r\n".encode("utf-16-le"))
    monkeypatch.chdir(tmp_path)
    midiopt.run(["@list"], "x.db", workers=1)
    assert set(file_rows(tmp_path / "x.db")) == {f"{tmp_path}/song1.mid", f"{tmp_path}/song2.mid"}
