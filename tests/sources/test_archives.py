"""Archives: whole, damaged and hostile ones, made here by Python's own modules; every member ends as one row."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import random
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from midiopt.errors import Damaged, NotAnArchive
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.summary import Summary
from midiopt.pipeline.tasks import (
    MEMBERS_PER_TASK,
    AnalyzeFiles,
    ArchiveReport,
    FileState,
    FinishArchive,
    MemberRange,
    ReadMembers,
    decode_task,
    encode_task,
)
from midiopt.schema import ANALYSES, FILES, STATUSES
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.archives.decompress import decompress_file
from midiopt.sources.archives.limits import DEFAULT_LIMITS, ArchiveLimits
from tests.helpers.archives import TIME, Files, tar_of, zip_of
from tests.helpers.batches import stored
from tests.helpers.processes import ask, command, file_rows, finish, written
from tests.helpers.songs import song

zstandard = pytest.importorskip("zstandard")


def songs(count: int, start: int = 0) -> Files:
    return {f"d{i // 50}/{i:04}.mid": song(i) for i in range(start, start + count)}


def zst_of(data: bytes) -> bytes:
    return zstandard.compress(data)


MAKERS = {
    "x.zip": zip_of,
    "stored.zip": lambda files: zip_of(files, zipfile.ZIP_STORED),
    "bz2.zip": lambda files: zip_of(files, zipfile.ZIP_BZIP2),
    "lzma.zip": lambda files: zip_of(files, zipfile.ZIP_LZMA),
    "x.tar": tar_of,
    "gnu.tar": lambda files: tar_of(files, format=tarfile.GNU_FORMAT),
    "ustar.TAR": lambda files: tar_of(files, format=tarfile.USTAR_FORMAT),
    "x.tar.gz": lambda files: tar_of(files, "w:gz"),
    "x.tgz": lambda files: tar_of(files, "w:gz"),
    "x.tar.xz": lambda files: tar_of(files, "w:xz"),
    "x.tar.zst": lambda files: zst_of(tar_of(files)),
}


def analysed(archive: Path, workers: int = 1, **options) -> tuple[Summary, dict[str, tuple]]:
    """The rows of a run over one archive, by what stands after its name ("" for its own)."""
    db = archive.parent / f"{archive.name}-{workers}.db"
    summary = midiopt.run([archive], db, workers=workers, **options)
    found = file_rows(db)
    assert all(path.startswith(str(archive)) for path in found)
    assert summary.skipped or summary.files == len(found)
    return summary, {path.removeprefix(str(archive)).removeprefix("!/"): row for path, row in found.items()}


def told(found: dict[str, tuple]) -> dict[str, tuple[str, str | None]]:
    return {name: row[:2] for name, row in found.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_members_are_analysed_like_files(name, tmp_path):
    files = {
        "a song.mid": song(1),
        "deep/er/b.KAR": song(2),
        "x" * 150 + "/é/" + "y" * 90 + ".mid": song(3),
        "notes.txt": b"no",
        "bad.mid": b"<html>",
    }
    path = tmp_path / name
    path.write_bytes(MAKERS[name](files))
    summary, found = analysed(path)
    assert (summary.ok, summary.rejected, summary.opened) == (3, 1, 1)
    assert found.pop("")[:2] == ("opened", None)
    assert found.pop("bad.mid")[1].startswith("it looks like HTML")
    assert set(found) == {n for n in files if n not in ("notes.txt", "bad.mid")}
    for member, (status, error, size, mtime_ns, digest) in found.items():
        assert (status, error, size, mtime_ns) == ("ok", None, len(files[member]), TIME * 10**9)
        assert digest == midiopt.analyze(files[member]).content_hash


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_large_archives_are_dealt_in_pieces(name, tmp_path):
    """Several workers share a zip and a plain tar; the rows are the same, and those of the files."""
    files = songs(5 * MEMBERS_PER_TASK + 7)
    path = tmp_path / name
    path.write_bytes(MAKERS[name](files))
    (_, one), (summary, three) = analysed(path, 1), analysed(path, 3)
    assert one == three
    assert (summary.ok, summary.opened, summary.files) == (len(files), 1, len(files) + 1)
    assert {n: row[4] for n, row in one.items() if n} == {n: midiopt.analyze(data).content_hash for n, data in files.items()}


def test_an_archive_of_a_whole_number_of_pieces(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(tar_of(songs(2 * MEMBERS_PER_TASK) | {"d9/._last.mid": b""}))
    summary, _ = analysed(path, 2)
    assert (summary.ok, summary.opened, summary.appledouble) == (2 * MEMBERS_PER_TASK, 1, 1)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_an_unchanged_archive_is_not_read_again(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(MAKERS[name](songs(200)))
    _first, before = analysed(path)
    again, after = analysed(path)
    assert (again.files, again.skipped, again.analysed, again.opened) == (1, 1, 0, 0) and before == after
    path.write_bytes(MAKERS[name](songs(201)))
    third, after = analysed(path)
    assert third.ok == 201 and set(before) < set(after)


def test_a_run_that_stops_inside_an_archive_is_completed(tmp_path, url):
    """Until all members are written the archive has no row, so the next run opens it again."""
    path = tmp_path / "x.tar.gz"
    path.write_bytes(tar_of(songs(3000), "w:gz"))
    own = f"SELECT status FROM files WHERE path = '{path}'"
    arguments = (path, "--db", url, "--batch-size", 128, "--quiet")
    for number in (signal.SIGKILL, signal.SIGINT):
        run = subprocess.Popen(command(*arguments))
        while run.poll() is None and written(url) < 300:
            time.sleep(0.005)
        run.send_signal(number)
        run.wait()
        if run.returncode:
            assert ask(url, own) == []
    assert finish(*arguments).returncode == 0
    assert written(url) == 3001 and ask(url, own) == [("opened",)]


def test_archives_give_the_same_rows_in_both_databases(tmp_path, pg_url):
    """Whole and damaged ones, one in another, members that cannot be had."""
    music = tmp_path / "music"
    music.mkdir()
    for i, (name, make) in enumerate(MAKERS.items()):
        inner = zip_of(songs(5, 1000 + i)) if i % 2 else tar_of(songs(5, 1000 + i), "w:gz")[:-40]
        data = make(songs(2 * MEMBERS_PER_TASK, 10 * i) | {"in.zip": inner, "bad.mid": b"<html>", "packed.mid.gz": gzip.compress(song(i))})
        (music / name).write_bytes(data if i % 3 else data[: -len(data) // 10])
    urls = (f"sqlite:///{tmp_path}/x.db", pg_url)
    one, other = (midiopt.run([music], url, batch_size=100) for url in urls)
    for status in ("ok", "rejected", "unreadable", "opened"):
        assert getattr(one, status) == getattr(other, status) > 0
    for table, columns in (("files", FILES), ("analyses", ANALYSES)):
        kept = [c.name for c in columns if not c.volatile]
        one, other = ([{name: row[name] for name in kept} for row in stored(url, table)] for url in urls)
        assert one == other


def test_repeated_names(tmp_path):
    """The second member of a name gets #2, in every piece and from every worker."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for i in range(3 * MEMBERS_PER_TASK):
            info = tarfile.TarInfo(f"{i % MEMBERS_PER_TASK:03}.mid")
            info.size = len(song(i))
            tar.addfile(info, io.BytesIO(song(i)))
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    for workers in (1, 3):
        _, found = analysed(tmp_path / "x.tar", workers)
        assert set(found) == {""} | {f"{i:03}.mid{mark}" for i in range(MEMBERS_PER_TASK) for mark in ("", "#2", "#3")}
        assert found["005.mid#3"][4] == midiopt.analyze(song(5 + 2 * MEMBERS_PER_TASK)).content_hash


def test_names_of_any_bytes_and_any_place(tmp_path):
    """Nothing is unpacked to disk, so a name can be what it likes; it is kept as it is."""
    names = ["/etc/passwd.mid", "../../up.mid", "C:\\evil.mid", "new\nline.mid", "a//b/./c.mid"]
    raw = "Gr\udcfc\udcdfe.mid"  # Latin-1 bytes that are no UTF-8
    (tmp_path / "x.tar").write_bytes(tar_of({name: song(i) for i, name in enumerate([*names, raw])}, format=tarfile.GNU_FORMAT))
    (tmp_path / "x.zip").write_bytes(zip_of({name: song(i) for i, name in enumerate(names)}).replace(b"a//b/./c", b"a//b/\xff/c"))
    shown = {name.replace("\\", "\\x5c") for name in names}
    assert set(told(analysed(tmp_path / "x.tar")[1])) == {"", "Gr\\xfc\\xdfe.mid"} | shown
    assert set(told(analysed(tmp_path / "x.zip")[1])) == {"", "a//b/\\xff/c.mid"} | shown - {"a//b/./c.mid"}
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("x.")) == []


def test_appledouble_members_are_counted(tmp_path):
    files = {"a.mid": song(1), "__MACOSX/._a.mid": b"\0\5\x16\7", "deep/._b.mid": b"", "._c.txt": b""}
    for name in ("x.zip", "x.tar.gz"):
        (tmp_path / name).write_bytes(MAKERS[name](files))
        summary, found = analysed(tmp_path / name)
        assert set(found) == {"", "a.mid"} and summary.appledouble == 2


def test_what_is_in_a_tar_beside_files(tmp_path):
    """Folders, links, devices and FIFOs are passed over, as in a folder; a hard link is a name whose bytes stand elsewhere."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, kind in (
            ("folder.mid", b"5"),
            ("link.mid", b"2"),
            ("fifo.mid", b"6"),
            ("device.mid", b"3"),
            ("hard.mid", b"1"),
            ("sparse.mid", b"S"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "a.mid"
            tar.addfile(info)
        info = tarfile.TarInfo("a.mid")
        info.size = len(song(1))
        tar.addfile(info, io.BytesIO(song(1)))
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    assert told(analysed(tmp_path / "x.tar")[1]) == {
        "": ("opened", None),
        "hard.mid": ("unreadable", "hard link to another member"),
        "sparse.mid": ("unreadable", "sparse files are not supported"),
        "a.mid": ("ok", None),
    }


def test_a_lone_compressed_file(tmp_path):
    """A path like any other; the hash is of what it unpacks to."""
    music = tmp_path / "music"
    music.mkdir()
    whole = gzip.compress(song(1))
    cases = {
        "a.mid.gz": whole,
        "B.MID.GZ": whole,
        "cut.mid.gz": whole[:-20],
        "no.mid.gz": song(2),
        "bad.mid.gz": whole[:30] + b"x" + whole[31:],
    }
    for name, data in cases.items():
        (music / name).write_bytes(data)
    db = tmp_path / "x.db"
    summary = midiopt.run([music], db, workers=1)
    assert (summary.files, summary.ok, summary.unreadable, summary.opened) == (5, 2, 3, 0)
    found = {path.removeprefix(f"{music}/"): row for path, row in file_rows(db).items()}
    assert found["a.mid.gz"][2] == len(whole) and found["a.mid.gz"][4] == midiopt.analyze(song(1)).content_hash
    assert found["cut.mid.gz"][1].startswith("compressed data truncated")
    assert found["no.mid.gz"][1] == "not compressed, although its name says so"
    assert found["bad.mid.gz"][1].startswith("compressed data damaged")
    again = midiopt.run([music], db, workers=1)
    assert (again.skipped, again.unreadable) == (2, 3)


# Nested archives


def test_archives_inside_archives(tmp_path):
    """To a depth of two; each is a path of its own, and its members follow it."""
    third = zip_of({"e.mid": song(5)})
    second = zip_of({"c.mid": song(3), "third.zip": third, "d.mid": song(4)})
    first = tar_of({"b.mid": song(2), "second.zip": second, "packed.mid.gz": gzip.compress(song(7)), "text.zip": b"Hello there\n"}, "w:gz")
    for outer in ("x.zip", "x.tar", "x.tar.xz"):
        path = tmp_path / outer
        path.write_bytes(MAKERS[outer]({"a.mid": song(1), "first.tgz": first, "z.mid": song(6)}))
        _, found = analysed(path)
        inner = "first.tgz!/second.zip"
        assert told(found) == {
            **dict.fromkeys(["", "first.tgz", inner], ("opened", None)),
            **dict.fromkeys(
                ["a.mid", "first.tgz!/b.mid", "first.tgz!/packed.mid.gz", f"{inner}!/c.mid", f"{inner}!/d.mid", "z.mid"], ("ok", None)
            ),
            "first.tgz!/text.zip": ("rejected", "it looks like text, not a supported archive"),
            f"{inner}!/third.zip": ("rejected", "archives are nested more than 2 deep"),
        }


def test_a_nested_archive_has_only_so_many_members(tmp_path):
    limits = ArchiveLimits(max_nested_members=3)
    _report, found = in_process(zip_of({"in.zip": zip_of(songs(5)), "z.mid": song(9)}), tmp_path, limits=limits)
    assert found["in.zip"] == ("rejected", "only the first 3 members of a nested archive are read")
    assert len(found) == 6 and found["z.mid"] == ("ok", None)


def in_process(
    data: bytes,
    tmp_path: Path,
    task: ReadMembers | FinishArchive | None = None,
    sample: PathSample = ALL_PATHS,
    limits: ArchiveLimits = DEFAULT_LIMITS,
):
    """The report and the rows of one task, by a worker in this process."""
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.decode import row_to_dict
    from midiopt.rows.wire import report_in

    path = tmp_path / "x"
    path.write_bytes(data)
    task = (task or ReadMembers(b""))._replace(path=os.fsencode(path))
    worker = Worker(sample=sample, archive_limits=limits)
    message = worker.process(task)
    worker.close()
    batch = Batch.from_bytes(message)
    found = [row_to_dict(FILES, row, batch.heap) for row in batch.files]
    rows = {r["path"].removeprefix(f"{path}").removeprefix("!/"): (r["status"], r["error"]) for r in found}
    return ArchiveReport.decode(report_in(message)), rows


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_members_that_are_not_wanted_are_passed_over(name, tmp_path):
    """A sample of members, in archives inside too, without a list of them: `midiopt verify` asks so."""
    files = songs(100) | {"in.zip": zip_of(songs(100, 100))}
    texts = [f"{tmp_path}/x!/{name}" for name in songs(100)] + [f"{tmp_path}/x!/in.zip!/{name}" for name in songs(100, 100)]
    sample, drawn = PathSample.draw(texts, 20)
    assert len(drawn) == 20 and drawn == sorted(filter(sample.contains, texts))
    _report, found = in_process(MAKERS[name](files), tmp_path, sample=sample)
    assert set(found) == {path.removeprefix(f"{tmp_path}/x!/") for path in drawn} | {"", "in.zip"}


# Damage


def test_what_is_no_archive(tmp_path):
    cases = {
        "html.zip": (b"<html>Not found", "it looks like HTML, not a supported archive"),
        "empty.tar": (b"", "the file is empty"),
        "midi.tgz": (song(1), "it looks like a MIDI file, not a supported archive"),
        "rar.zip": (b"Rar!\x1a\x07\x00" + bytes(600), "it looks like a RAR archive, not a supported archive"),
        "random.tar": (random.Random(1).randbytes(2000), "not a supported archive"),
    }
    for name, (data, reason) in cases.items():
        (tmp_path / name).write_bytes(data)
        _summary, found = analysed(tmp_path / name)
        assert told(found) == {"": ("rejected", reason)}
        assert analysed(tmp_path / name)[0].skipped == 1
    (tmp_path / "gone").write_text(f"{tmp_path}/nowhere.zip\n")
    midiopt.run([f"@{tmp_path}/gone"], tmp_path / "x.db")
    assert file_rows(tmp_path / "x.db")[f"{tmp_path}/nowhere.zip"][:2] == ("unreadable", "No such file or directory")


def test_the_name_does_not_say_the_format(tmp_path):
    (tmp_path / "x.zip").write_bytes(tar_of({"a.mid": song(1)}, "w:gz"))
    assert told(analysed(tmp_path / "x.zip")[1]) == {"": ("opened", None), "a.mid": ("ok", None)}


@pytest.mark.parametrize("name", [n for n in MAKERS if ".zip" not in n])
def test_a_tar_that_is_cut_short(name, tmp_path):
    """What stands before the cut is analysed; the archive says where it ends."""
    files = songs(300)
    data = MAKERS[name](files)
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    for workers in (1, 2):
        _, found = analysed(path, workers)
        status, error = found.pop("")[:2]
        assert status == "rejected" and ("truncated" in error or "missing" in error)
        kept = [n for n, row in found.items() if row[0] == "ok"]
        assert kept == list(files)[: len(kept)] and 50 < len(kept) < 250
        assert len(found) - len(kept) <= 1


def test_a_tar_with_a_bad_header(tmp_path):
    data = bytearray(tar_of({f"{i}.mid": song(1) for i in range(5)}))
    at = data.index(b"3.mid")
    data[at + 130] ^= 1
    (tmp_path / "x.tar").write_bytes(data)
    _, found = analysed(tmp_path / "x.tar")
    assert told(found) == {"": ("rejected", f"invalid entry header at byte {at}"), **{f"{i}.mid": ("ok", None) for i in range(3)}}


def test_damaged_and_encrypted_members_of_a_zip(tmp_path):
    files = {f"{c}.mid": song(i) for i, c in enumerate("abcdefgh")}
    data = bytearray(zip_of(files))
    local = {name: data.index(b"PK\3\4" + data[4:8]) for name in files}  # replaced below by the true places
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        local = {i.filename: i.header_offset for i in archive.infolist()}
    entry = {name: data.rindex(name.encode()) - 46 for name in files}
    data[local["b.mid"] + 60] ^= 255  # its data
    data[entry["c.mid"] + 8] |= 1  # encrypted
    data[local["d.mid"]] = 0  # its local header
    struct.pack_into("<H", data, entry["e.mid"] + 10, 9)  # Deflate64
    struct.pack_into("<L", data, entry["f.mid"] + 24, 100 << 20)  # more than a file may have
    struct.pack_into("<L", data, entry["g.mid"] + 20, 0x7FFFFFFF)
    (tmp_path / "x.zip").write_bytes(data)
    for workers in (1, 2):
        found = told(analysed(tmp_path / "x.zip", workers)[1])
        implausible = f"implausible compressed size: 2,147,483,647 for {len(files['g.mid'])} bytes (entry at byte {local['g.mid']})"
        assert found.pop("b.mid")[0] == "unreadable"
        assert found == {
            "": ("opened", None),
            "a.mid": ("ok", None),
            "c.mid": ("unreadable", "encrypted members are not supported"),
            "d.mid": ("unreadable", f"no local header where the central directory points at byte {local['d.mid']}"),
            "e.mid": ("unreadable", f"unsupported compression method 9 (entry at byte {local['e.mid']})"),
            "f.mid": ("rejected", "104,857,600 bytes, over the limit of 67,108,864"),
            "g.mid": ("unreadable", implausible),
            "h.mid": ("ok", None),
        }


def test_a_zip_without_its_end(tmp_path):
    data = zip_of(songs(10))
    (tmp_path / "x.zip").write_bytes(data[:-200])
    assert told(analysed(tmp_path / "x.zip")[1]) == {"": ("rejected", "central directory missing at the end of the file")}


def test_a_zip_with_something_before_it_and_a_comment_after(tmp_path):
    """Offsets count from where the archive begins, or from where the file does."""
    junk = b"PK\3\4" + bytes(100)
    out = io.BytesIO(junk)
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("a.mid", song(1))
        archive.comment = b"made by hand" * 100
    for data in (out.getvalue(), junk + zip_of({"a.mid": song(1)})):
        (member,) = Archive(MemoryArchive(data)).members(0, 9)
        assert (member.name, member.data()) == (b"a.mid", song(1))
    with pytest.raises(NotAnArchive, match="it looks like text"):
        Archive(MemoryArchive(b"#!/bin/sh\n" * 200))


def test_zip64(tmp_path):
    """As written for a member whose size is not known before: sizes and offset in the extra field."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("a.mid", "w", force_zip64=True) as member:
        member.write(song(1))
    data = bytearray(out.getvalue())
    at = data.rindex(b"a.mid") - 46
    extra = struct.pack("<2H3Q", 1, 24, len(song(1)), len(song(1)), 0)
    entry = data[at : at + 46] + b"a.mid" + extra
    struct.pack_into("<2L", entry, 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", entry, 30, len(extra))
    struct.pack_into("<L", entry, 42, 0xFFFFFFFF)
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(entry), at)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at + len(entry), 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    (tmp_path / "x.zip").write_bytes(bytes(data[:at]) + entry + end64 + locator + end)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read("a.mid") == song(1)
    assert told(analysed(tmp_path / "x.zip")[1]) == {"": ("opened", None), "a.mid": ("ok", None)}


def test_an_archive_that_changes_while_it_is_read(tmp_path):
    """Pieces tell what the archive was when it was opened; a changed one is read again next time."""
    data = tar_of(songs(300))
    first, _ = in_process(data, tmp_path)
    task = ReadMembers(b"", MemberRange(MEMBERS_PER_TASK, 2 * MEMBERS_PER_TASK), first.state)
    report, found = in_process(data + bytes(512), tmp_path, task)
    assert report.has_archive_row and found == {"": ("unreadable", "the archive changed while it was being read")}
    report, found = in_process(data, tmp_path, FinishArchive(b"", first.state))
    assert report.has_archive_row and report.is_finish and found == {"": ("unreadable", "the archive changed while it was being read")}


@pytest.mark.parametrize("seed", range(40))
def test_damaged_anywhere(seed, tmp_path):
    """Bytes changed at random: no exception leaves the worker, and the archive has its row in the end."""
    rng = random.Random(seed)
    maker = rng.choice(list(MAKERS.values()))
    inner = rng.choice(list(MAKERS.values()))(songs(5))
    data = bytearray(maker(songs(20) | {"in.zip": inner}))
    for _ in range(rng.choice((1, 3, 30))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    report, found = in_process(bytes(data), tmp_path)
    assert report.has_archive_row and found[""][0] in ("opened", "rejected")
    assert {status for status, _ in found.values()} <= set(STATUSES)


# Bombs


def test_a_member_of_zeros_is_not_unpacked_beyond_the_limit(tmp_path):
    """100 MB of zeros shrink to 100 KB; the size stands in the directory, or is found out."""
    zeros = bytes(100 << 20)
    data = bytearray(zip_of({"big.mid": zeros, "a.mid": song(1)}))
    assert told(analysed_bytes(tmp_path, "honest.zip", data)) == {
        "": ("opened", None),
        "big.mid": ("rejected", "104,857,600 bytes, over the limit of 67,108,864"),
        "a.mid": ("ok", None),
    }
    struct.pack_into("<L", data, data.rindex(b"big.mid") - 46 + 24, 1000)
    lying = told(analysed_bytes(tmp_path, "lying.zip", data))
    assert lying["big.mid"][1].startswith("compressed data damaged") and lying["a.mid"] == ("ok", None)
    (tmp_path / "alone.mid.gz").write_bytes(gzip.compress(zeros))
    midiopt.run([tmp_path / "alone.mid.gz"], tmp_path / "alone.db")
    assert file_rows(tmp_path / "alone.db")[f"{tmp_path}/alone.mid.gz"][0] in ("rejected", "unreadable")


def analysed_bytes(tmp_path: Path, name: str, data: bytes) -> dict[str, tuple]:
    (tmp_path / name).write_bytes(data)
    return analysed(tmp_path / name)[1]


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar.xz", "x.tar.zst"])
def test_a_stream_that_unpacks_to_too_much(name, tmp_path):
    """The ratio counts for what is passed over too; what stands before is analysed."""
    data = MAKERS[name]({"a.mid": song(1), "zeros.bin": bytes(30 << 20), "b.mid": song(2)})
    _report, found = in_process(data, tmp_path, limits=ArchiveLimits(bomb_min_bytes=1 << 20))
    assert found["a.mid"] == ("ok", None) and "b.mid" not in found
    assert found[""][0] == "rejected" and "decompression bomb: expands to more than 200 times its compressed size" in found[""][1]


def test_a_zip_whose_members_share_their_bytes(tmp_path):
    """Fifield's bomb of 2019: many entries of the directory lead to the same data."""
    data = zip_of({"0.mid": song(1) + bytes(1 << 20)})
    at = data.rindex(b"PK\1\2")
    entry, end = data[at : data.rindex(b"PK\5\6")], bytearray(data[data.rindex(b"PK\5\6") :])
    entries = b"".join(entry[:-5] + b"%d.mid" % (i % 10) for i in range(1000))
    struct.pack_into("<2H2L", end, 8, 1000, 1000, len(entries), at)
    task, limits = ReadMembers(b"", MemberRange(900, 1000)), ArchiveLimits(bomb_min_bytes=1 << 20)
    report, _ = in_process(data[:at] + entries + bytes(end), tmp_path, task, limits=limits)
    assert report.at_end and report.read_error == "decompression bomb: expands to more than 200 times its compressed size"


def test_a_bomb_inside_an_archive(tmp_path):
    """A zip of zips whose members are zeros: the sum counts against the outer member's packed size."""
    zeros = zip_of({f"{i}.mid": bytes(1 << 20) for i in range(300)})
    report, found = in_process(zip_of({"in.zip": zip_of({f"{i}.zip": zeros for i in range(3)}), "a.mid": song(1)}), tmp_path)
    bombs = [error for _, error in found.values() if error and "bomb" in error]
    assert bombs and found["a.mid"] == ("ok", None) and report.has_archive_row


def test_xz_may_not_ask_for_any_memory():
    header = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}])
    with pytest.raises(Damaged, match="damaged"):
        decompress_file(header, 1 << 20)


# Crashes


def test_ranges_split_around_a_part():
    task = ReadMembers(b"/x.zip", MemberRange(10, 20), FileState(5, 6))
    whole = {(n, p) for n in range(10, 20) for p in range(5)}

    def parts(tasks):
        found = [(n, p) for t in tasks for n in range(t.members.first, t.members.end) for p in range(5) if t.members.has_part(p)]
        assert len(found) == len(set(found))
        return set(found)

    for number, part in ((10, 0), (13, 0), (13, 3), (19, 4)):
        one, *rest = task.split_around(number, part)
        assert one.members.is_single_part and parts([one]) == {(number, part)}
        assert parts([one, *rest]) == whole
        assert one.split_around(number, part) == [one]
        assert one.split_around(number, part + 1) == one.split_around(-1, 0) == []
        for other in rest:
            assert other.split_around(number, part) == []


PATHS = st.binary(min_size=1, max_size=40).map(lambda tail: b"/" + tail.replace(b"\0", b"."))
NUMBERS = st.integers(-(2**63), 2**63 - 1)
STATES = st.builds(FileState, NUMBERS, NUMBERS)
RANGES = st.builds(MemberRange, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
TASKS = (
    st.builds(AnalyzeFiles, st.lists(PATHS, min_size=1), st.booleans())
    | st.builds(ReadMembers, PATHS, RANGES, STATES)
    | st.builds(FinishArchive, PATHS, STATES, st.integers(0, len(STATUSES) - 1), st.text())
)


@given(TASKS)
def test_tasks_survive_encoding(task):
    assert decode_task(encode_task(task)) == task
    assert type(decode_task(encode_task(task))) is type(task)


@given(st.builds(ArchiveReport, *[st.booleans()] * 4, NUMBERS, NUMBERS, STATES, st.text()))
def test_reports_survive_encoding(report):
    assert ArchiveReport.decode(report.encode()) == report


KILLER = """
import os, signal, sys
from midiopt.pipeline import worker
analyze = worker.Worker._analyze
def fatal(self, data, *rest):
    if b"Song 77" in bytes(memoryview(data)[:200]):
        os.kill(os.getpid(), signal.SIGSEGV)
    return analyze(self, data, *rest)
worker.Worker._analyze = fatal
sys.argv = sys.argv[1:]
worker.main()
"""


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "nested"])
def test_a_member_that_kills_its_worker(name, tmp_path, monkeypatch):
    """It alone is `crashed`, by name; so is its archive, which is then opened again next time."""
    from midiopt.pipeline import pool

    hire = pool.subprocess.Popen

    def start(command, **options):
        return hire([sys.executable, "-c", KILLER, *command[command.index("midiopt.pipeline.worker") :]], **options)

    monkeypatch.setattr(pool.subprocess, "Popen", start)
    files = songs(3 * MEMBERS_PER_TASK)
    data = zip_of({"in.zip": zip_of(files), "z.mid": song(9999)}) if name == "nested" else MAKERS[name](files)
    path = tmp_path / f"{name}.zip"
    path.write_bytes(data)
    for workers in (1, 2):
        summary, found = analysed(path, workers)
        status, error = told(found)["in.zip!/d1/0077.mid" if name == "nested" else "d1/0077.mid"]
        assert (status, error) == ("crashed", "the worker process crashed: SIGSEGV")
        assert summary.ok == len(files) - 1 + (name == "nested")
        assert found[""][:2] == ("crashed", "1 of its members ended as crashed")
    monkeypatch.undo()
    summary, found = analysed(path, 1)
    assert summary.ok == len(files) + (name == "nested") and found[""][:2] == ("opened", None)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_killed_workers_cost_no_member_its_row(name, tmp_path):
    files = songs(2000)
    path, db = tmp_path / name, tmp_path / "x.db"
    path.write_bytes(MAKERS[name](files))
    command = [sys.executable, "-m", "midiopt.orchestrator", str(path), "--db", str(db), "--workers", "2", "--json", "--quiet"]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    rng, killed = random.Random(1), 0
    while run.poll() is None:
        try:
            workers = [int(p) for p in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
            if workers and killed < 6:
                os.kill(rng.choice(workers), signal.SIGKILL)
                killed += 1
        except (OSError, ProcessLookupError):
            pass
        time.sleep(0.1)
    summary = json.loads(run.communicate()[0])
    assert run.returncode == 0 and killed
    assert (summary["ok"], summary["crashed"], summary["opened"]) == (2000, 0, 1)
    assert {p: row[4] for p, row in file_rows(db).items() if p != str(path)} == {
        f"{path}!/{n}": midiopt.analyze(data).content_hash for n, data in files.items()
    }
