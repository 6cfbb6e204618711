"""Damaged archives: every member that can be read has its row, and the archive's error says why others cannot."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import Damaged
from midiopt.schema import STATUSES
from midiopt.sources.archives.archive import Archive, MemoryArchive
from tests.helpers.archives import MAKERS, Outcome, analyze_archive, outcomes, process_task, songs, tar_of, zip_of
from tests.helpers.processes import file_rows, finish, with_faults
from tests.helpers.songs import song


def test_files_that_are_not_archives(tmp_path):
    cases = {
        "html.zip": (b"<html>Not found", "it looks like HTML, not a supported archive"),
        "empty.tar": (b"", "the file is empty"),
        "rar.zip": (b"Rar!\x1a\x07\x00" + bytes(600), "it looks like a RAR archive, not a supported archive"),
        "random.tar": (random.Random(1).randbytes(2000), "not a supported archive"),
    }
    for name, (data, reason) in cases.items():
        (tmp_path / name).write_bytes(data)
        _summary, found = analyze_archive(tmp_path / name)
        assert outcomes(found) == {"": ("rejected", reason)}
        assert analyze_archive(tmp_path / name)[0].skipped == 1
    (tmp_path / "gone").write_text(f"{tmp_path}/nowhere.zip\n")
    midiopt.run([f"@{tmp_path}/gone"], tmp_path / "x.db")
    assert file_rows(tmp_path / "x.db")[f"{tmp_path}/nowhere.zip"][:2] == ("unreadable", "No such file or directory")


# Of bzip2 data nothing is kept of a block of 900 KB that is cut.
@pytest.mark.parametrize("name", [n for n in MAKERS if ".zip" not in n and "bz2" not in n])
def test_a_truncated_tar(name, tmp_path):
    """The members before the end are analysed, and the archive's error says where it ends."""
    files = songs(300)
    data = MAKERS[name](files)
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2])
    for workers in (1, 2):
        _, found = analyze_archive(path, workers)
        status, error = found.pop("")[:2]
        assert status == "rejected"
        assert error.startswith(
            "archive truncated inside an entry at byte " if name.lower().endswith(".tar") else "compressed data truncated"
        )
        kept = [n for n, row in found.items() if row[0] == "ok"]
        assert kept == list(files)[: len(kept)] and 50 < len(kept) < 250
        assert len(found) - len(kept) <= 1


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar.bz2", "x.tar.xz"])
def test_members_before_a_damage_of_compressed_data(name, tmp_path):
    """The checksum at the end differs: only the last 32 KB are lost."""
    files = songs(120)
    damaged = bytearray(MAKERS[name](files))
    damaged[-6 if name == "x.tar.gz" else -3] ^= 1
    (tmp_path / name).write_bytes(damaged)
    _, rows = analyze_archive(tmp_path / name)
    assert rows.pop("")[:2][0] == "rejected"
    read = [path for path, row in rows.items() if row[0] == "ok"]
    assert read == list(files)[: len(read)] and len(files) // 2 < len(read)


def test_a_tar_with_a_bad_header(tmp_path):
    data = bytearray(tar_of({f"{i}.mid": song(1) for i in range(5)}))
    at = data.index(b"3.mid")
    data[at + 130] ^= 1
    (tmp_path / "x.tar").write_bytes(data)
    _, found = analyze_archive(tmp_path / "x.tar")
    assert outcomes(found) == {"": ("rejected", f"invalid entry header at byte {at}"), **{f"{i}.mid": ("ok", None) for i in range(3)}}


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
        found = outcomes(analyze_archive(tmp_path / "x.zip", workers)[1])
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


class Pipe(io.BytesIO):
    """Cannot seek, so that zipfile writes checksum and sizes behind the data."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError


def streamed_zip(files: dict[str, bytes], method: int, zip64: bool) -> bytes:
    """A zip that was written without seeking."""
    out = Pipe()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
    return out.getvalue()


ZIPS = {
    "deflated": lambda files: zip_of(files),
    "stored": lambda files: zip_of(files, zipfile.ZIP_STORED),
    "streamed": lambda files: streamed_zip(files, zipfile.ZIP_DEFLATED, False),
    "stored and streamed": lambda files: streamed_zip(files, zipfile.ZIP_STORED, False),
    "zip64": lambda files: streamed_zip(files, zipfile.ZIP_DEFLATED, True),
}


def read(archive: Archive) -> dict[str, str]:
    """What is wrong with each member; nothing, if its content is right."""
    found = {}
    for member in archive.members(0, 99):
        try:
            found[member.name.decode()] = "" if bytes(member.data()) == song(int(member.name[-8:-4])) else "other content"
        except Damaged as problem:
            found[member.name.decode()] = str(problem)
    return found


@pytest.mark.parametrize("make", ZIPS.values(), ids=ZIPS)
def test_a_zip_that_is_cut(make):
    """As by a download that broke off: without its directory, members are found by their local headers."""
    files = {
        **songs(4),
        "stored.bin": b"is PK\7\x08" + bytes(12),
        **songs(4, start=4),
    }  # the letters of a descriptor in the data of a member
    data = make(files)
    names = [name for name in files if name.endswith(".mid")]
    starts = [data.index(name.encode()) for name in names]
    cuts = ((data.rindex(b"PK\1\2"), 8), (starts[-1] + 60, 7), (starts[-1] - 5, 7), (starts[2] + 60, 2), (starts[0] + 60, 0))
    for cut, whole in cuts:
        archive = Archive(MemoryArchive(data[:cut]))
        found = read(archive)
        assert archive.read_error == "central directory missing at the end of the file" and archive.is_stream
        assert [name for name, problem in found.items() if not problem] == names[:whole]
        assert all(problem.startswith(("", "compressed data truncated at byte ")) for problem in found.values())


def test_a_run_over_a_zip_that_is_cut(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_of(songs(10))[:-200])
    statuses = {name: row[0] for name, row in analyze_archive(tmp_path / "x.zip")[1].items()}
    assert statuses == {"": "rejected", **dict.fromkeys(songs(10), "ok")}


def found_in(db: Path, archive: Path) -> dict[str, Outcome]:
    """Status and error of each member, and of the archive itself."""
    return {path.removeprefix(str(archive)).removeprefix("!/"): row[:2] for path, row in file_rows(db).items()}


def test_a_disk_that_gives_less_than_it_should(tmp_path):
    """Of one member nothing: the others have their rows, and the next run reads the archive again."""
    path = tmp_path / "x.zip"
    path.write_bytes(zip_of(songs(300), zipfile.ZIP_STORED))
    place = path.read_bytes().index(b"0250.mid") + len(b"0250.mid")
    finish(path, "--db", tmp_path / "x.db", "--workers", 1, env=with_faults(MIDIOPT_FAULT_READS=str(place)))
    found = found_in(tmp_path / "x.db", path)
    assert found.pop("") == ("unreadable", "1 of its members could not be read from the disk or network")
    assert found.pop("d5/0250.mid") == ("unreadable", "Input/output error")
    assert found == dict.fromkeys(found, ("ok", None)) and len(found) == 299
    midiopt.run([path], tmp_path / "x.db", workers=1)
    assert found_in(tmp_path / "x.db", path) == {**found, "d5/0250.mid": ("ok", None), "": ("opened", None)}


def test_lzma_data_shorter_than_its_header(tmp_path):
    data = bytearray(zip_of({"a.mid": song(1)}, zipfile.ZIP_STORED))
    at = data.rindex(b"PK\1\2")
    struct.pack_into("<H", data, at + 10, zipfile.ZIP_LZMA)
    struct.pack_into("<L", data, at + 20, 5)  # the compressed size
    start = data.index(b"a.mid") + len("a.mid")
    _, found = process_task(data, tmp_path)
    assert found["a.mid"][0] == "unreadable" and found["a.mid"][1].startswith("compressed data damaged (unpack requires")
    assert found["a.mid"][1].endswith(f"at byte {start}")


@pytest.mark.parametrize("seed", range(40))
def test_random_damage(seed, tmp_path):
    """No exception leaves the worker, and the archive gets its row."""
    rng = random.Random(seed)
    maker = rng.choice(list(MAKERS.values()))
    inner = rng.choice(list(MAKERS.values()))(songs(5))
    data = bytearray(maker(songs(20) | {"in.zip": inner}))
    for _ in range(rng.choice((1, 3, 30))):
        data[rng.randrange(len(data))] = rng.randrange(256)
    report, found = process_task(bytes(data), tmp_path)
    assert report.has_archive_row and found[""][0] in ("opened", "rejected")
    assert {status for status, _ in found.values()} <= set(STATUSES)
