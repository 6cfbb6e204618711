"""What ``import midiopt`` gives, and what type checkers know about it."""

from __future__ import annotations

import ast
import bz2
import copy
import dataclasses
import gzip
import inspect
import io
import json
import lzma
import mmap
import os
import pickle
import re
import subprocess
import sys
import threading
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import midiopt
from docs import generate_analysis
from midiopt.errors import Damaged, MidiError, MissingExtra, SinkError, TooLarge
from midiopt.schema import ANALYSES
from tests.helpers.archives import zst_of
from tests.helpers.songs import song

PACKAGE = Path(midiopt.__file__).parent


@pytest.mark.parametrize("name", midiopt.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(midiopt, name).__doc__


@pytest.mark.parametrize(
    ("name", "compress"), [("a.mid.gz", gzip.compress), ("a.KAR.BZ2", bz2.compress), ("a.midi.xz", lzma.compress), ("a.mid.zst", zst_of)]
)
def test_a_compressed_file_is_given_by_its_path(tmp_path: Path, name: str, compress: Callable[[bytes], bytes]) -> None:
    data = song(3)
    path = tmp_path / name
    path.write_bytes(compress(data))
    assert midiopt.analyze(path).content_hash == midiopt.analyze(data).content_hash
    assert midiopt.notes(path).pitch.tolist() == midiopt.notes(data).pitch.tolist()
    assert midiopt.parse(str(path)).to_bytes() == midiopt.parse(data).to_bytes()
    path.write_bytes(data)  # a web client may undo the compression and keep the name
    assert midiopt.analyze(path).content_hash == midiopt.analyze(data).content_hash


def test_compressed_data_that_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.mid.gz"
    path.write_bytes(gzip.compress(song(3))[:12] + b"\xff" * 40)
    with pytest.raises(midiopt.Damaged):
        midiopt.analyze(path)


FIELDS = [
    name
    for name in midiopt.__all__
    if name != "Found" and ("__dataclass_fields__" in vars(cls := getattr(midiopt, name)) or hasattr(cls, "_fields"))
]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_described(name: str) -> None:
    """By a text below it, which the documentation and editors show. Found says where its columns are described."""
    [declared] = ast.parse(inspect.getsource(getattr(midiopt, name))).body
    assert isinstance(declared, ast.ClassDef)
    follow = zip(declared.body, [*declared.body[1:], None], strict=True)
    bare = [ast.unparse(field) for field, text in follow if isinstance(field, ast.AnnAssign) and not isinstance(text, ast.Expr)]
    assert bare == []


def test_editors_and_help_find_the_names_that_are_imported_on_first_use() -> None:
    code = "import midiopt; print(sorted(set(midiopt.__all__) - set(dir(midiopt))))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_misspelt_name_has_the_nearest_one_beside_it() -> None:
    done = subprocess.run([sys.executable, "-c", "import midiopt; midiopt.anlyze"], capture_output=True, text=True)
    assert done.stderr.endswith("has no attribute 'anlyze'. Did you mean: 'analyze'?\n")
    assert not {"TYPE_CHECKING", "import_module"} & set(dir(midiopt)), "editors complete no name that is of no use"


def test_help_has_the_meaning_of_each_fact() -> None:
    assert inspect.getdoc(midiopt.Analysis.swing) == "ratio of the first to the second of two eighth notes; None without swing"


def test_the_type_of_the_facts_is_current() -> None:
    """``python -m docs.generate_analysis`` writes it again."""
    module = (PACKAGE / "api" / "analysis.py").read_text()
    assert generate_analysis.with_columns(module) == module


def test_facts_cannot_be_changed() -> None:
    facts = midiopt.analyze(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0")
    assert [name for name in facts.__slots__ if name not in ("status", "error", "source")] == [column.name for column in ANALYSES]
    with pytest.raises(AttributeError, match="cannot assign to field 'bpm'"):
        facts.bpm = 120.0  # type: ignore[misc]


def test_facts_are_decoded_when_they_are_asked_for() -> None:
    """A copy, a pickle and a comparison ask for all of them; so does each of eight threads that read one analysis at the same time."""
    first = midiopt.analyze(SONG)
    assert first.note_count == 60
    assert midiopt.analyze(SONG) == first
    assert copy.copy(midiopt.analyze(SONG)) == pickle.loads(pickle.dumps(midiopt.analyze(SONG))) == first
    assert dataclasses.replace(midiopt.analyze(SONG), bpm=90.0).to_dict() == {**first.to_dict(), "bpm": 90.0}
    with ThreadPoolExecutor(8) as threads:
        for _ in range(200):
            facts, all_there = midiopt.analyze(SONG), threading.Barrier(8)

            def read(name: str, facts: midiopt.Analysis = facts, all_there: threading.Barrier = all_there) -> object:
                all_there.wait()
                return getattr(facts, name)

            names = ["sections", "note_count", "content_hash", "bpm", "source", "title", "key", "status"]
            assert list(threads.map(read, names)) == [getattr(first, name) for name in names]
    with pytest.raises(AttributeError, match="'Analysis' object has no attribute 'tempo'"):
        assert first.tempo  # type: ignore[attr-defined]


SONG = song(1)


@pytest.mark.parametrize("name", ["analyze", "notes", "parse", "tempo_map", "beats", "harmony"])
def test_a_file_is_given_in_any_form(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(SONG)
    every_second = memoryview(bytes(byte for pair in zip(SONG, SONG, strict=True) for byte in pair))[::2]
    with open(path, "rb") as file, open(path, "rb") as mapped:
        forms = [str(path), path, SONG, bytearray(SONG), memoryview(SONG), array("B", SONG), file, io.BytesIO(SONG)]
        forms += [mmap.mmap(mapped.fileno(), 0, access=mmap.ACCESS_READ), every_second]
        found = [comparable(getattr(midiopt, name)(form)) for form in forms]
        assert found == [found[0]] * len(forms)
        assert file.read() == b""
    for errors in ("replace", "strict"):  # with the latter, reading fails by itself
        with open(path, encoding="utf-8", errors=errors) as text, pytest.raises(TypeError, match='open it with mode "rb"'):
            getattr(midiopt, name)(text)
    for none in (None, ["a.mid"], 1.5, np.array(["a.mid"]), np.array(["a.mid"], object)):
        with pytest.raises(TypeError, match=f"a file is given as its path, .*, not as {type(none).__name__}"):
            getattr(midiopt, name)(none)
    with pytest.raises(FileNotFoundError):
        getattr(midiopt, name)(tmp_path / "b.mid")
    with pytest.raises(midiopt.NotMidi, match="it looks like HTML: "):
        getattr(midiopt, name)(b"<!DOCTYPE html>")
    out, into = os.pipe()
    os.set_blocking(out, False)
    with open(out, "rb", buffering=0) as pipe, open(into, "wb"), pytest.raises(BlockingIOError, match="has no data yet"):
        getattr(midiopt, name)(pipe)


def comparable(found: Any) -> object:
    """What a function has found, as something that can be compared."""
    match found:
        case midiopt.Analysis():
            return found
        case midiopt.Notes():
            return found.onset.tolist(), found.pitch.tolist()
        case midiopt.EventArena():
            return found.events().tolist()
        case midiopt.TempoMap():
            return found.seconds.tolist(), found.time_signatures
        case midiopt.Beats():
            return found.tick.tolist(), found.seconds.tolist(), found.position.tolist()
    return found.chords.name, found.keys.seconds.tolist()


def test_facts_become_json() -> None:
    facts = midiopt.analyze(SONG)
    values = json.loads(facts.to_json())
    assert values == facts.to_dict()
    assert list(values) == ["status", "error", *(column.name for column in ANALYSES)]
    assert values["content_hash"] == facts.content_hash.hex() and values["issues"] == facts.issue_names == []
    assert values["bpm"] == facts.bpm and values["programs"] == facts.programs and values["status"] == "ok"


def test_facts_have_a_short_text() -> None:
    assert repr(midiopt.analyze(SONG)) == "<Analysis: 0:23, 60 notes, 77 BPM, Fm, 4/4>"
    empty = b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0"
    assert repr(midiopt.analyze(empty)) == "<Analysis: 0:00, 0 notes>"


def test_other_objects_have_a_short_text(tmp_path) -> None:
    """They were whole arrays, two screens of them for a song of a minute."""
    assert repr(midiopt.tempo_map(SONG)) == "<TempoMap: 480 ticks per quarter, 1 tempo, 0 time signatures>"
    assert re.fullmatch(r"<Beats: \d+ beats, \d+ downbeats>", repr(midiopt.beats(SONG)))
    assert re.fullmatch(r"<Sections: [A-Z0-9 ]*>", repr(midiopt.sections(SONG)))
    chords = midiopt.harmony(SONG).chords
    assert repr(chords) == f"<Segments: {' '.join(chords.name[:12])}{' ...' if len(chords) > 12 else ''}>"
    (tmp_path / "x.mid").write_bytes(SONG)
    midiopt.run([tmp_path / "x.mid"], tmp_path / "x.db")
    with midiopt.Library(tmp_path / "x.db") as library:
        assert repr(library) == f"<Library: {tmp_path / 'x.db'}>"


def test_importing_the_package_and_analyzing_need_no_numpy() -> None:
    code = "import sys, midiopt; midiopt.analyze; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_type_checkers_know_the_facts(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import array, pathlib, midiopt\n"
        "facts = midiopt.analyze('a.mid')\n"
        "reveal_type(facts.bpm)\n"
        "reveal_type(facts.track_names)\n"
        "facts.bpm = 120.0\n"
        "facts.nonsense\n"
        "midiopt.analyze(memoryview(b'')[::2])\n"
        "midiopt.analyze(array.array('B'))\n"
        "midiopt.analyze(3)\n"
        "midiopt.run('music')\n"
        "midiopt.run(pathlib.Path('music').glob('*.zip'))\n"
        "midiopt.run(3)\n"
    )
    config = tmp_path / "mypy.ini"  # what midiopt hands over to is not looked into: it takes four times as long
    others = "IPython.*,dask.*,distributed.*,pandas.*,polars.*,pyarrow.*,rich.*"
    config.write_text(f"[mypy]\nstrict = True\n[mypy-{others}]\nfollow_imports = skip\n")
    command = [sys.executable, "-m", "mypy", f"--config-file={config}", "--cache-dir", str(tmp_path), str(program)]
    found = subprocess.run(command, cwd=tmp_path, env={"MYPYPATH": str(PACKAGE.parent)}, capture_output=True, text=True).stdout
    assert [line.partition("program.py:")[2] for line in found.splitlines()[:-1]] == [
        '3: note: Revealed type is "float | None"',
        '4: note: Revealed type is "list[str]"',
        '5: error: Property "bpm" defined in "Analysis" is read-only  [misc]',
        '6: error: "Analysis" has no attribute "nonsense"  [attr-defined]',
        '9: error: Argument 1 to "analyze" has incompatible type "int"; expected "str | PathLike[str] | Buffer | BinaryIO"  [arg-type]',
        '12: error: Argument 1 to "run" has incompatible type "int"; '
        'expected "str | PathLike[str] | Iterable[str | PathLike[str]]"  [arg-type]',
    ]


def test_programs_can_read_the_types() -> None:
    """Of every public function, class and method; without the libraries that only an extra installs."""
    code = "import sys; from tests.helpers.annotations import unreadable; print(unreadable(), 'pyarrow' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True).stdout == "[] False\n"
    )


@pytest.mark.parametrize("read", [midiopt.notes, midiopt.parse])
def test_what_owns_memory_says_that_it_stays_here(read: Any) -> None:
    for pass_on in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="neither copied nor sent to another process: pass on the file"):
            pass_on(read(SONG))
    columns = {name: getattr(midiopt.notes(SONG), name) for name in ("pitch", "onset_s", "is_drum")}
    assert {name: column.tolist() for name, column in pickle.loads(pickle.dumps(columns)).items()} == {
        n: c.tolist() for n, c in columns.items()
    }


def test_errors_pass_through_a_process_pool() -> None:
    """Which pickles them: one that it cannot read again breaks the pool."""
    errors: list[Exception] = [MissingExtra("Arrow", "arrow"), Damaged("no end", 7), SinkError("full"), TooLarge("too many events", 5)]
    for content in (b"", b"MThd\0\0\0\2"):
        with pytest.raises(MidiError) as raised:
            midiopt.analyze(content)
        errors.append(raised.value)
    for error in errors:
        same = pickle.loads(pickle.dumps(error))
        assert (type(same), str(same), same.args, vars(same)) == (type(error), str(error), error.args, vars(error))
