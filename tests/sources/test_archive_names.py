"""Names of any bytes, in archives and lists: none ends a run, a later run, a search for missing files or a verification."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import midiopt
from midiopt.cli.main import main
from midiopt.library.snapshot import open_snapshot
from midiopt.library.verify import Verification
from midiopt.pipeline.crashed import crashed_row_message
from midiopt.pipeline.missing import Existence
from midiopt.rows.batch import Batch
from midiopt.sources.content import read_content
from midiopt.sources.file_state import FileState
from midiopt.sources.paths import archive_in, is_truncated, member_path, path_bytes, path_text
from midiopt.sources.reader import Reader
from midiopt.sources.stat_many import StatMany
from tests.helpers.archive_bytes import raw_tar, raw_zip, zip_end, zip_entry, zip_local
from tests.helpers.archives import process_task, tar_of
from tests.helpers.processes import file_rows, tables
from tests.helpers.songs import song

LZMA = 14
SUFFIXES = [b".mid", b".KAR", b".mid.gz", b".zip", b".tar.gz", b"\0.mid", b"!/x.mid", b"#2.mid"]
LONGEST = b"z" * 65_531 + b".mid"
LONG = [b"x" * 300, b"y" * 2000]  # for a file system, and for a column
fragments = st.sampled_from([b"\0", b"!/", b"/", b"..", b"\\x00", b"\\", b"\n", b"\xff", b"#2", "é".encode(), b"a.zip", *LONG])
parts = st.lists(fragments | st.binary(max_size=6), max_size=5)
names = st.builds(lambda parts, suffix: b"".join(parts) + suffix, parts, st.sampled_from(SUFFIXES))


def test_a_name_with_nul_whose_member_is_damaged(tmp_path):
    """A zip of one member: LZMA data of 3 bytes, where its header alone has 9."""
    name, data = b"a\0b.mid", b"\x09\x04\x05"
    body = zip_local(name) + data
    directory = zip_entry(name, len(data), 10, 0, 0, method=LZMA)
    (tmp_path / "m").mkdir()
    (tmp_path / "m/x.zip").write_bytes(body + directory + zip_end(1, len(directory), len(body)))
    (tmp_path / "m/good.mid").write_bytes(song(1))
    for _ in range(2):
        summary = midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1)
        assert (summary.crashed, summary.interrupted) == (0, 0)
    statuses = {path.removeprefix(f"{tmp_path}/m/"): row[0] for path, row in file_rows(tmp_path / "x.db").items()}
    assert statuses == {"good.mid": "ok", "x.zip": "opened", "x.zip!/a\\x00b.mid": "unreadable"}


def test_a_pax_path_with_nul_in_later_runs(tmp_path):
    archive = tmp_path / "m/x.tar"
    archive.parent.mkdir()
    archive.write_bytes(raw_tar([(b"a\0b.mid", song(1))]))
    for expected in (0, 0):
        summary = midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1, prune="all")
        assert summary.gone == expected
    archive.unlink()
    assert midiopt.run([tmp_path / "m"], tmp_path / "x.db", workers=1, prune="all").gone == 2
    assert file_rows(tmp_path / "x.db") == {}


def test_verify_of_a_name_with_nul_in_an_archive_that_is_gone(tmp_path):
    """No file can have the name, so it is no task; joined with others it would become two paths."""
    archive = tmp_path / "x.zip"
    archive.write_bytes(raw_zip([(b"a\0b.mid", song(1)), (b"c.mid", song(2))]))
    midiopt.run([archive], tmp_path / "x.db", workers=1)
    archive.unlink()
    with open_snapshot(tmp_path / "x.db") as library:
        verification = Verification(library)
        assert list(verification.differences()) == []
        assert verification.counts.gone == 2


def test_paths_with_nul_are_not_on_disk(tmp_path):
    """The system's calls end a path at NUL: "x" exists, "x NUL y" does not."""
    path = os.fsencode(tmp_path / "x")
    Path(tmp_path / "x").write_bytes(b"1")
    assert FileState.of(path) and FileState.of(path + b"\0y") is None
    assert memoryview(StatMany()([path, path + b"\0y"])).cast("q").tolist()[::3] == [1, -1]
    (tmp_path / "x.zip").write_bytes(b"1")
    names = path, path + b"\0y", member_path(path + b".zip", b"\0y"), member_path(path + b"y.zip", b"z" * 300)
    assert Existence()(list(map(path_text, names))) == [True, False, True, False], "long or strange names say nothing about their archive"
    with pytest.raises(OSError, match="NUL"):
        Reader().read(path + b"\0y")
    assert len(Batch.from_bytes(crashed_row_message(path + b"\0y", "test"))) == 1


@pytest.mark.parametrize("year", [-9_000_000_000, 9_000_000_000, 10_413_792_000, -11_676_096_000])
def test_times_that_no_column_holds(year, tmp_path):
    """Seconds since 1970 that are years before 1677 or after 2262: stored as the nearest that fits, by every reader."""
    for name, data in (("a.mid", song(1)), ("x.zip", raw_zip([(b"b.mid", song(2))]))):
        (tmp_path / name).write_bytes(data)
        os.utime(tmp_path / name, (year, year))
    expected = max(1 - 2**63, min(os.stat(tmp_path / "a.mid").st_mtime_ns, 2**63 - 1))
    for skipped in (0, 2):
        summary = midiopt.run([tmp_path / "a.mid", tmp_path / "x.zip"], tmp_path / "x.db", workers=1)
        assert (summary.crashed, summary.skipped) == (0, skipped)
    found = file_rows(tmp_path / "x.db", "mtime_ns")
    assert found[f"{tmp_path}/a.mid"] == found[f"{tmp_path}/x.zip"] == (expected,)


@given(st.lists(names, min_size=1, max_size=30), st.lists(st.binary(max_size=40), max_size=5), st.sampled_from([raw_zip, raw_tar]))
@settings(max_examples=12)
def test_no_name_ends_a_run(members, lines, make):
    """First run, second run, verification, and a run with prune when the archive is gone."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "m").mkdir()
        archive = root / "m/x.zip"
        archive.write_bytes(make([(name, song(i % 3)) for i, name in enumerate(members)]))
        prefix = os.fsencode(f"{root}/m/")
        (root / "list").write_bytes(b"\n".join([prefix + line.replace(b"/", b"_") for line in lines] + [os.fsencode(archive)]))
        sources, db = [root / "m", f"@{root}/list"], str(root / "x.db")
        first = midiopt.run(sources, db, workers=1)
        assert first.crashed == 0 and first.opened >= 1
        before = tables(db)
        assert {path for path, *_ in before[0] if "!/" in path} >= {path_text(member_path(prefix + b"x.zip", name)) for name in members}
        second = midiopt.run(sources, db, workers=1)
        assert (second.gone, second.ok) == (0, 0) and tables(db) == before
        with open_snapshot(db) as library:
            verification = Verification(library, None)
            assert list(verification.differences()) == []
            assert verification.counts.checked >= first.ok
        archive.unlink()
        last = midiopt.run([root / "m"], db, workers=1, prune="all")
        assert last.crashed == 0
        assert [path for path, *_ in tables(db)[0] if path.startswith(path_text(prefix + b"x.zip") + "!/")] == []


# One text, one file


def test_a_folder_called_like_an_archive(tmp_path):
    """A file in it and a member have rows of their own, in the first run and later; so have members in the same case."""
    inner = raw_zip([(b"y.mid", song(1))])
    archive = raw_zip(
        [(b"b.mid", song(2)), (b"in.zip", inner), (b"in.zip!/y.mid", song(3)), (b"in.zip", inner), (b"in.zip#2!/y.mid", song(4))]
    )
    root, db = tmp_path / "m", tmp_path / "x.db"
    for folder in ("a.zip!", "A.TGZ!", "Wham!"):
        (root / folder).mkdir(parents=True)
        (root / folder / "b.mid").write_bytes(song(5))
    (root / "a.zip").write_bytes(archive)
    expected = {
        *("Wham!/b.mid", "a.zip\\x21/b.mid", "A.TGZ\\x21/b.mid", "a.zip", "a.zip!/b.mid"),
        *("a.zip!/in.zip", "a.zip!/in.zip!/y.mid", "a.zip!/in.zip\\x21/y.mid"),
        *("a.zip!/in.zip#2", "a.zip!/in.zip#2!/y.mid", "a.zip!/in.zip#2\\x21/y.mid"),
    }
    for analysed in (11, 0):
        summary = midiopt.run([root], db, workers=1, prune="all")
        assert (summary.analysed + summary.opened >= 11) == bool(analysed) and summary.gone == 0
        assert {path.removeprefix(f"{root}/") for path in file_rows(db)} == expected
    with open_snapshot(db) as library:
        verification = Verification(library, None)
        assert not list(verification.differences())
    assert (verification.counts.gone, verification.counts.changed) == (0, 0)
    (root / "a.zip").unlink()
    assert midiopt.run([root], db, workers=1, prune="all").gone == 8
    assert {path.removeprefix(f"{root}/") for path in file_rows(db)} == {"Wham!/b.mid", "a.zip\\x21/b.mid", "A.TGZ\\x21/b.mid"}
    midiopt.run([root / "a.zip!"], tmp_path / "y.db", workers=1)
    (root / "a.zip!" / "b.mid").unlink()
    assert midiopt.run([root / "a.zip!"], tmp_path / "y.db", workers=1).gone == 1, "as a source, too"


separators = st.sampled_from(
    [b"!/", b"\0!/", b"\0\0!/", b".zip!/", b".ZIP\0!/", b"x.tar.gz#2!/", b"\\x21/", b"!", b"/", b"\0", b"a", b"\xff"]
)
components = st.lists(separators, max_size=4).map(b"".join)
archives = components.map(lambda name: name + b".zip")
files_or_members = st.tuples(st.lists(archives, max_size=2), components.map(lambda name: name + b".mid"))


def stored(inside: tuple[list[bytes], bytes]) -> str:
    """The text of a file, or of a member of the archives from outside to inside. Only members have names with NUL."""
    outer, name = inside
    first, *rest = [*outer, name]
    path = b"/" + first.replace(b"\0", b"_")
    for part in rest:
        path = member_path(path, part)
    return path_text(path)


@given(files_or_members, files_or_members)
def test_no_two_files_or_members_share_a_text(one, other):
    first = [[*inside[0], inside[1]][0].replace(b"\0", b"_") for inside in (one, other)]
    same = first[0] == first[1] and [*one[0], one[1]][1:] == [*other[0], other[1]][1:]
    assert (stored(one) == stored(other)) == same


@given(files_or_members)
def test_the_text_says_which_archive_a_member_is_in(inside):
    archive = archive_in(stored(inside))
    assert (archive is not None) == bool(inside[0])
    if archive is not None:
        assert path_bytes(archive) == b"/" + inside[0][0].replace(b"\0", b"_")
    elif not is_truncated(stored(inside)):
        assert path_bytes(stored(inside)) == b"/" + inside[1].replace(b"\0", b"_")


def test_no_name_ends_a_run_or_a_command_of_either_database(tmp_path, url):
    """Files and members: line feeds, escapes, bytes that are no UTF-8, surrogates, separators, long names, NUL where it can be."""
    hostile = [
        b"a\nb",
        b"\x1b[31mred",
        b"\xff\xfe",
        "\ud800".encode(errors="surrogatepass"),
        "\u202egnp".encode(),
        b"a.zip!",
        b"\\x00",
        b" ",
        b"#2",
    ]
    hostile += [b"x" * 200, b"'; DROP TABLE files --", "é\u0301".encode(), b"%s%n{}", b"\xf4\x90\x80\x80"]
    root = os.fsencode(tmp_path / "m")
    deep = root + (b"/" + b"d" * 200) * 12  # a text of 2,400 bytes, which is truncated
    os.makedirs(deep)
    for folder in (root, deep):
        for i, name in enumerate(hostile):
            os.makedirs(folder + b"/" + name, exist_ok=True)
            Path(os.fsdecode(folder + b"/" + name + b"/" + name + b".mid")).write_bytes(song(i % 5))
    members = [*(name + b".mid" for name in hostile), b"/../etc.mid", b"n\0ul.mid", b"\0.mid", b"!/x.mid", b"y" * 60_000 + b".mid", b".mid"]
    inner = raw_zip([(name, song(i % 5)) for i, name in enumerate(members)])
    archive = tmp_path / "m/out\n.zip"
    archive.write_bytes(raw_tar([(b"in\0.zip", inner), (b"in.zip", inner), *((name, song(1)) for name in members)]))
    (tmp_path / "list").write_bytes(b"\n".join([b"/gone\xff.mid", b"/" + b"z" * 5000, b"", b"/" + b"s" * 300 + b"/x.mid"]))
    sources = [tmp_path / "m", f"@{tmp_path}/list"]
    first = midiopt.run(sources, url, workers=1)
    assert (first.crashed, first.unreadable, first.opened) == (0, 3, 3)
    assert first.ok == 2 * len(hostile) + 3 * len(members)
    assert first.problems == ["/gone\udcff.mid and 2 more files that are named: their rows say why"]
    second = midiopt.run(sources, url, workers=1)
    assert (second.crashed, second.gone, second.ok, second.opened) == (0, 0, 0, 0)
    for command in (
        ["status"],
        ["duplicates"],
        ["verify", "--all"],
        ["status", "--json"],
        ["duplicates", "--json"],
        ["verify", "--all", "--json"],
    ):
        assert main([*command, "--db", url]) == 0, command
    archive.unlink()
    assert midiopt.run(sources, url, workers=1, prune="all").gone == 3 * len(members) + 3


def test_a_name_longer_than_a_zip_can_have(tmp_path):
    """In a tar, whose member before it has a row."""
    members = [(LONGEST, song(1)), (b"z" + LONGEST, song(2))]
    _, found = process_task(tar_of({os.fsdecode(name): data for name, data in members}), tmp_path)
    assert found.pop("") == ("rejected", "member name of 65,536 bytes, over the limit of 65,535")
    assert list(found.values()) == [("ok", None)]


def test_a_name_as_the_database_writes_it_comes_before_one_that_is_spelled_so(tmp_path):
    (tmp_path / "a.tar").write_bytes(tar_of({"\\x5c.mid": b"spelled so", "\\.mid": b"backslash"}))
    for name, content in (("\\x5c.mid", b"backslash"), ("\\x5cx5c.mid", b"spelled so"), ("\\.mid", b"backslash")):
        assert bytes(read_content(f"{tmp_path}/a.tar!/{name}")) == content
