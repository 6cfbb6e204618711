"""What a web client has left compressed (Content-Encoding: gzip) under the name of a MIDI file: every way in takes it for the song."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

import midiopt
from midiopt.sources.content import read_content
from tests.helpers.archives import zip_of
from tests.helpers.songs import song


def facts(result: midiopt.Analysis | midiopt.Failure) -> object:
    assert isinstance(result, midiopt.Analysis), result
    return {name: value for name, value in result.to_dict().items() if name not in ("source", "analyzed_at")}


def pitches(result: midiopt.Notes | midiopt.Failure) -> object:
    assert isinstance(result, midiopt.Notes), result
    return result.pitch.tolist()


def rows(path: Path, tmp_path: Path) -> object:
    midiopt.run([path], tmp_path / "x.db", workers=1)
    with midiopt.Library(tmp_path / "x.db") as library:
        [found] = library.rows("SELECT f.status, a.notes_hash, a.event_count FROM files f JOIN analyses a ON a.id = f.analysis_id")
    return found


def member(path: Path, tmp_path: Path) -> Path:
    archive = tmp_path / "x.zip"
    archive.write_bytes(zip_of({"a.mid": path.read_bytes()}))
    return archive


def batch(column: str, value: object) -> object:
    pa = pytest.importorskip("pyarrow")
    result = midiopt.analyze_batch(pa.RecordBatch.from_pydict({column: [value]}))
    return [result.column(name).to_pylist() for name in ("status", "content_hash", "event_count")]


WAYS: dict[str, Callable[[Path, Path], object]] = {
    "analyze, a path": lambda path, _: facts(midiopt.analyze(path)),
    "analyze, a buffer": lambda path, _: facts(midiopt.analyze(memoryview(path.read_bytes()))),
    "analyze, a file": lambda path, _: facts(midiopt.analyze(io.BytesIO(path.read_bytes()))),
    "notes": lambda path, _: pitches(midiopt.notes(path)),
    "parse": lambda path, _: midiopt.parse(path).to_bytes(),
    "tempo_map": lambda path, _: midiopt.tempo_map(path).seconds.tolist(),
    "analyze_many, a path": lambda path, _: list(map(facts, midiopt.analyze_many([path], workers=1))),
    "analyze_many, content": lambda path, _: list(map(facts, midiopt.analyze_many([path.read_bytes()], workers=1))),
    "notes_many, a path": lambda path, _: list(map(pitches, midiopt.notes_many([path], workers=1))),
    "notes_many, content": lambda path, _: list(map(pitches, midiopt.notes_many([path.read_bytes()], workers=1))),
    "notes_many, a member": lambda path, tmp: list(map(pitches, midiopt.notes_many([f"{member(path, tmp)}!/a.mid"], workers=1))),
    "analyze_batch, paths": lambda path, _: batch("path", str(path)),
    "analyze_batch, contents": lambda path, _: batch("bytes", path.read_bytes()),
    "run": rows,
    "run, a member": lambda path, tmp_path: rows(member(path, tmp_path), tmp_path),
    "commands": lambda path, _: bytes(read_content(str(path))),
    "commands, a member": lambda path, tmp_path: bytes(read_content(f"{member(path, tmp_path)}!/a.mid")),
}


CUT = gzip.compress(song(3))[:-200]
PLAIN_AND_PACKED = {
    "compressed": (song(3), gzip.compress(song(3))),
    "stored": (song(3), gzip.compress(song(3), 0)),  # the parser finds the song
    "cut": (zlib.decompressobj(wbits=31).decompress(CUT), CUT),
}


@pytest.mark.parametrize("case", PLAIN_AND_PACKED)
@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_song(tmp_path: Path, way: str, case: str) -> None:
    found = []
    for name, data in zip(("plain", "packed"), PLAIN_AND_PACKED[case], strict=True):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.mid").write_bytes(data)
        found.append(WAYS[way](folder / "a.mid", folder))
    assert found[0] == found[1]


def test_contents_of_a_batch_are_decompressed_by_their_names() -> None:
    pa = pytest.importorskip("pyarrow")
    packed = bz2.compress(song(3))
    columns = {"bytes": [song(3), packed, packed[:-30]], "path": ["a.mid", "b.mid.bz2", "c.mid.bz2"]}
    found = midiopt.analyze_batch(pa.RecordBatch.from_pydict(columns))
    assert found["status"].to_pylist() == ["ok", "ok", "unreadable"] and "truncated" in found["error"][2].as_py()
    assert found["content_hash"][0] == found["content_hash"][1] and found["content_hash"][2].as_py() is None
