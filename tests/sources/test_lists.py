"""Lists of paths: their encodings and separators, and what is no list."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from midiopt.errors import SourceError
from midiopt.sources import lists
from midiopt.sources.lists import check_list, listed_paths
from midiopt.sources.roots import find_roots
from tests.helpers.archives import zip_of
from tests.helpers.processes import command, file_rows, finish
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


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_playlists(end, tmp_path):
    """One that `midiopt export -o x.m3u8` writes had a row that is `unreadable` for each comment, that is for each song."""
    lines = ["#EXTM3U", "#EXTINF:66,A song", "/music/a.mid", "#EXTINF:3,Another", "more/b.mid", ""]
    paths = ["/music/a.mid", f"{tmp_path}/more/b.mid"]
    for start in ("", "\ufeff"):
        assert listed(tmp_path, (start + end.join(lines)).encode()) == (list(map(os.fsencode, paths)), [])
    assert listed(tmp_path, end.join(lines[1:3]).encode()) == ([b"#EXTINF:66,A song", b"/music/a.mid"], []), "a name may begin with #"


def test_lines_in_quotes(tmp_path, monkeypatch):
    """A file whose name has the quotes keeps them; one quote is part of a name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / '"odd".mid"').touch()
    lines = [b'"a b.mid"', b"'c.mid'", b'"odd".mid"', b'"', b'""', b"it's.mid", b"\"d.mid'"]
    assert listed(tmp_path, b"\n".join(lines)) == ([b"a b.mid", b"c.mid", *lines[2:]], [])
    assert listed(tmp_path, b'"a.mid"\0') == ([b'"a.mid"'], []), "find -print0 writes no quotes"


REFUSED = {
    "a NUL in a line": (b"a.mid\nb\0c.mid\nd.mid\n", "has a NUL byte in its line 2, and does not end with one"),
    "a NUL before the last piece": (b"a.mid\0b", "has a NUL byte in its line 1, and does not end with one"),
    "UTF-16 after a line": (b"a.mid\n" + "b.mid\n".encode("utf-16-be"), "looks like UTF-16 without"),
    "half a character": (codecs.BOM_UTF16_LE + "a.mid\n".encode("utf-16-le")[:-1], "is not what its byte-order mark says"),
    "Latin-1 with the mark of UTF-8": (codecs.BOM_UTF8 + b"a.mid\nb\xe9.mid\n", "is not what its byte-order mark says"),
    "half a pair": (codecs.BOM_UTF16_LE + b"a\0\n\0\x00\xd8\n\0", "is not what its byte-order mark says"),
    "a song": (song(1), "looks like a MIDI file: name it without the @"),
    "a web page": (b"<!DOCTYPE html>\n<html>a.mid</html>\n", "looks like HTML"),
    "a compressed list": (gzip.compress(b"a.mid\n"), "looks like gzip data"),
    "a path without end": (b"a.mid\n" + b"x" * (lists.MAX_PATH_BYTES + 1), "has a path of more than 1,048,576 bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_is_refused_as_a_whole(name, tmp_path, monkeypatch):
    """Never half read, wherever the fault is, and although the first line names a song."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mid").write_bytes(song(1))
    data, reason = REFUSED[name]
    (tmp_path / "list").write_bytes(data)
    with pytest.raises(SourceError, match=f"^the list 'list' {re.escape(reason)}.*; nothing of it is read$"):
        midiopt.run(["@list"], "x.db", workers=1)
    summary = midiopt.run(["@list", "a.mid"], "x.db", workers=1)
    assert (summary.files, len(summary.problems)) == (1, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"SQLite format 3\0" + bytes(84) + b"/tmp\0..\0",  # as a list, its last paths are "/tmp" and ".."
        b"a.mid\0\0b.mid\0",
        b"/a\1\2\3" * 10 + b"\n",
        b"/a\1\2\3" * 10 + b"\0",
    ],
)
def test_binary_data_is_no_list(data, tmp_path):
    """Of which pieces between NULs may be paths: folders, with all that is in them."""
    with pytest.raises(SourceError, match=r"looks like (binary data|an SQLite database)"):
        listed(tmp_path, data)


def test_lists_with_few_control_characters(tmp_path):
    names = [b"a\1.mid", b"\x1b[31m.mid", b"song.mid" * 20]
    assert listed(tmp_path, b"\0".join(names) + b"\0") == (names, [])
    assert listed(tmp_path, b"\0".join(names) + b"\0\0") == (names, []), "as Windows ends a list"


def test_names_that_begin_like_other_files(tmp_path):
    names = [b"MZ/a.mid", b"ID3 songs/b.mid", b"<unknown>/c.mid", b"BZh.mid"]
    for name in names:
        assert listed(tmp_path, name + b"\n") == ([name], [])


def test_lines_that_name_no_file(tmp_path):
    """Each has its row, and the run says so once, as it does of a source: exit code 3."""
    (tmp_path / "a.mid").write_bytes(song(1))
    (tmp_path / "list").write_text(f"{tmp_path}/gone.mid\n{tmp_path}/a.mid\n{tmp_path}/gone/b.mid\n")
    done = finish(f"@{tmp_path}/list", "--db", tmp_path / "x.db", "--quiet")
    assert done.returncode == 3
    assert done.stderr == f"midiopt: not read: {tmp_path}/gone.mid and 1 more file that is named: their rows say why\n"
    statuses = {path: status for path, (status,) in file_rows(tmp_path / "x.db", "status").items()}
    unreadable = dict.fromkeys([f"{tmp_path}/gone.mid", f"{tmp_path}/gone/b.mid"], "unreadable")
    assert statuses == {f"{tmp_path}/a.mid": "ok", **unreadable}
    (tmp_path / "list").write_text(f"{tmp_path}/gone.mid\n")
    assert midiopt.run([f"@{tmp_path}/list"], tmp_path / "x.db").problems == [f"{tmp_path}/gone.mid: its row says why"]


def test_a_list_that_changed_after_its_check(tmp_path, monkeypatch):
    """A NUL never cuts a path: the piece before it could name another file or folder. Lines without end are bounded in memory."""
    monkeypatch.setattr(lists, "check_list", lambda path: None)
    monkeypatch.setattr(lists, "MAX_PATH_BYTES", 1000)
    monkeypatch.setattr(lists, "CHUNK_BYTES", 300)
    long = b"/" + b"x" * 5000
    (tmp_path / "list").write_bytes(b"/a.mid\n/b\0c.mid\n.\0/\0x\n" + long + b"\n/d.mid\n" + long)
    problems: list[str] = []
    assert list(listed_paths(os.fsencode(tmp_path / "list"), problems.append)) == [b"/a.mid", b"/d.mid"]
    too_long = "a path of more than 1,000 bytes"
    assert problems == ["not a path: '/b\\x00c.mid'", "not a path: '.\\x00/\\x00x'", too_long, too_long]


@pytest.mark.parametrize("source", ["-", "@-"])
@pytest.mark.parametrize("separator", [b"\n", b"\0"])
def test_a_list_from_standard_input(source, separator, tmp_path):
    """A pipe, which can be read only once; beside it another source."""
    for i in range(3):
        (tmp_path / f"{i}.mid").write_bytes(song(i))
    (tmp_path / "-").write_bytes(song(3))
    given = separator.join([b"0.mid", b"1.mid", b""])
    arguments = command("analyze", source, "./-", "--db", "x.db", "--quiet", module="midiopt")
    done = subprocess.run(arguments, cwd=tmp_path, input=given, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert set(file_rows(tmp_path / "x.db")) == {f"{tmp_path}/{name}" for name in ("0.mid", "1.mid", "-")}


def test_members_of_archives_are_analysed_with_their_archives(tmp_path):
    """`midiopt search --paths` lists them; a source, or a line of a list, is a file."""
    (tmp_path / "a.zip").write_bytes(zip_of({"x.mid": song(1)}))
    (tmp_path / "list").write_bytes(f"{tmp_path}/a.zip!/x.mid\n{tmp_path}/Hits!/x.mid\n".encode())
    midiopt.run([f"@{tmp_path}/list"], tmp_path / "x.db", workers=1)
    assert sorted(file_rows(tmp_path / "x.db", "status, error").values()) == [
        ("unreadable", "No such file or directory"),
        ("unreadable", "there is no such file; a member of an archive is analysed with its archive"),
    ]
    with pytest.raises(SourceError, match=r"a member is analysed with its archive: name '.*/a\.zip'"):
        find_roots([f"{tmp_path}/a.zip!/x.mid"])


@pytest.mark.parametrize("data", [b"a.mid\nb\0c.mid\n", song(1)])
def test_standard_input_that_is_no_list(data, tmp_path):
    done = subprocess.run(command("-", "--db", "x.db"), cwd=tmp_path, input=data, capture_output=True)
    assert done.returncode == 2 and done.stderr.startswith(b"midiopt: the list from standard input ")
    assert not list(tmp_path.iterdir())


def test_a_closed_standard_input(tmp_path):
    done = subprocess.run(["bash", "-c", f"{sys.executable} -m midiopt analyze - --db {tmp_path}/x.db <&-"], capture_output=True, text=True)
    assert done.returncode == 2 and "standard input cannot be read" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["song1.mid\r\nsong2.mid\r\n", "./a.mid", "/\n"])
def test_utf16_without_its_mark_is_refused(encoding, text, tmp_path):
    """Its bytes read as paths of one letter, among them "." and "/"."""
    (tmp_path / "list").write_bytes(text.encode(encoding))
    with pytest.raises(SourceError, match="looks like UTF-16 without a byte-order mark: save it as UTF-8"):
        find_roots([f"@{tmp_path}/list"])


def test_what_is_no_list(tmp_path):
    """A device without end, a FIFO that nobody writes into, a folder: a sentence, and no attempt to read them."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in ("/dev/zero", "/dev/null", tmp_path / "fifo", tmp_path / "link"):
        with pytest.raises(SourceError, match="is not a regular file: write the paths into one"):
            midiopt.run([f"@{path}"], tmp_path / "x.db")
    for path in (tmp_path, tmp_path / "gone", "x" * 300):
        with pytest.raises(SourceError, match="list"):
            midiopt.run([f"@{path}"], tmp_path / "x.db")


def test_a_list_that_became_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "list")
    problems: list[str] = []
    assert list(listed_paths(os.fsencode(tmp_path / "list"), problems.append)) == [] and problems == ["not a regular file"]


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
