"""Members of archives: which count, their names and their rows. docs/archives.md describes the behaviour."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile

import pytest
import zstandard

import midiopt
from midiopt.cli.main import main
from midiopt.errors import Damaged, NotAnArchive
from midiopt.library.snapshot import open_snapshot
from midiopt.library.verify import Verification
from midiopt.pipeline.sampling import PathSample
from midiopt.pipeline.tasks import (
    MEMBERS_PER_TASK,
)
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.archives.decompress import decompress_file
from tests.helpers.archives import MAKERS, TIME, analyze_archive, outcomes, process_task, songs, tar_of, zip_of, zst_of
from tests.helpers.batches import known_hash
from tests.helpers.processes import file_rows, stored_hash
from tests.helpers.songs import song


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
    summary, found = analyze_archive(path)
    assert (summary.ok, summary.rejected, summary.opened) == (3, 1, 1)
    assert found.pop("")[:2] == ("opened", None)
    assert found.pop("bad.mid")[1].startswith("it looks like HTML")
    assert set(found) == {n for n in files if n not in ("notes.txt", "bad.mid")}
    for member, (status, error, size, mtime_ns, digest) in found.items():
        assert (status, error, size, mtime_ns) == ("ok", None, len(files[member]), TIME * 10**9)
        assert digest == known_hash(files[member])


def test_repeated_names_are_numbered(tmp_path):
    """The second member of a name gets #2, in every range and from every worker."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for i in range(3 * MEMBERS_PER_TASK):
            info = tarfile.TarInfo(f"{i % MEMBERS_PER_TASK:03}.mid")
            info.size = len(song(i))
            tar.addfile(info, io.BytesIO(song(i)))
    (tmp_path / "x.tar").write_bytes(out.getvalue())
    for workers in (1, 3):
        _, found = analyze_archive(tmp_path / "x.tar", workers)
        assert set(found) == {""} | {f"{i:03}.mid{mark}" for i in range(MEMBERS_PER_TASK) for mark in ("", "#2", "#3")}
        assert found["005.mid#3"][4] == known_hash(song(5 + 2 * MEMBERS_PER_TASK))


def test_names_are_kept_whatever_they_are(tmp_path):
    """Nothing is extracted to disk, so no name is dangerous."""
    names = ["/etc/passwd.mid", "../../up.mid", "C:\\evil.mid", "new\nline.mid", "a//b/./c.mid"]
    raw = "Gr\udcfc\udcdfe.mid"  # Latin-1 bytes that are no UTF-8
    (tmp_path / "x.tar").write_bytes(tar_of({name: song(i) for i, name in enumerate([*names, raw])}, format=tarfile.GNU_FORMAT))
    (tmp_path / "x.zip").write_bytes(zip_of({name: song(i) for i, name in enumerate(names)}).replace(b"a//b/./c", b"a//b/\xff/c"))
    shown = {name.replace("\\", "\\x5c") for name in names}
    assert set(outcomes(analyze_archive(tmp_path / "x.tar")[1])) == {"", "Gr\\xfc\\xdfe.mid"} | shown
    assert set(outcomes(analyze_archive(tmp_path / "x.zip")[1])) == {"", "a//b/\\xff/c.mid"} | shown - {"a//b/./c.mid"}
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("x.")) == []


def test_appledouble_members_are_counted(tmp_path):
    files = {"a.mid": song(1), "__MACOSX/._a.mid": b"\0\5\x16\7", "deep/._b.mid": b"", "._c.txt": b""}
    for name in ("x.zip", "x.tar.gz"):
        (tmp_path / name).write_bytes(MAKERS[name](files))
        summary, found = analyze_archive(tmp_path / name)
        assert set(found) == {"", "a.mid"} and summary.appledouble == 2


def test_entries_of_a_tar_that_are_not_files(tmp_path):
    """Folders, symbolic links, devices and FIFOs are skipped, as in a folder."""
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
    assert outcomes(analyze_archive(tmp_path / "x.tar")[1]) == {
        "": ("opened", None),
        "hard.mid": ("unreadable", "hard link to a file that the archive does not have before it"),
        "sparse.mid": ("rejected", "the file is empty at byte 0"),
        "a.mid": ("ok", None),
    }


def test_what_a_web_client_has_left_compressed(tmp_path):
    """Under the name of a MIDI file, in a folder and in an archive; once more below .gz; and what is no song."""
    music = tmp_path / "music"
    music.mkdir()
    packed = gzip.compress(song(1))
    files = {"a.mid": packed, "b.mid.gz": gzip.compress(packed), "html.mid": gzip.compress(b"<html>"), "cut.mid": packed[:60]}
    for name, data in files.items():
        (music / name).write_bytes(data)
    (music / "x.zip").write_bytes(zip_of({"c.mid": packed}))
    db = tmp_path / "x.db"
    midiopt.run([music], db)
    found = {path.removeprefix(f"{music}/"): row for path, row in file_rows(db).items()}
    assert {found[name][4] for name in ("a.mid", "b.mid.gz", "x.zip!/c.mid")} == {stored_hash(db, song(1))}
    assert found["html.mid"][1].startswith("it looks like HTML") and found["cut.mid"][1].startswith("it looks like gzip data")
    assert main(["export", "status:ok", "--copy", str(tmp_path / "out"), "--db", str(db)]) == 0
    assert {path.read_bytes() for path in (tmp_path / "out").iterdir()} == {song(1)}
    assert main(["verify", "--db", str(db)]) == 0


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_a_file_that_was_compressed_alone(tmp_path, suffix, compress):
    """Its hash is that of the decompressed data."""
    music = tmp_path / "music"
    music.mkdir()
    whole = compress(song(1))
    cases = {
        "a.mid.gz": whole,
        "B.MID.GZ": whole,
        "cut.mid.gz": whole[: len(whole) // 2],
        "plain.mid.gz": song(2),
        "html.mid.gz": b"<html>Not found</html>",
        "tail.mid.gz": compress(song(3)) + b"\n<footer>",
        "bad.mid.gz": whole[:90] + bytes([whole[90] ^ 1]) + whole[91:],
    }
    cases = {name.replace("gz", suffix).replace("GZ", suffix.upper()): data for name, data in cases.items()}
    for name, data in cases.items():
        (music / name).write_bytes(data)
    db = tmp_path / "x.db"
    summary = midiopt.run([music], db, workers=1)
    is_read = suffix != "bz2"  # of which nothing is kept of a block of 900 KB that is cut
    assert (summary.files, summary.ok, summary.repaired, summary.unreadable, summary.opened) == (7, 4, is_read, 2 - is_read, 0)
    found = {path.removeprefix(f"{music}/").replace(suffix, "gz"): row for path, row in file_rows(db).items()}
    assert found["a.mid.gz"][2] == len(whole) and found["a.mid.gz"][4] == stored_hash(db, song(1))
    assert found["cut.mid.gz"][1].startswith("chunk length past the end" if is_read else "compressed data truncated")
    assert found["plain.mid.gz"][4] == stored_hash(db, song(2))
    assert found["tail.mid.gz"][4] == stored_hash(db, song(3))
    assert found["html.mid.gz"][1].startswith("it looks like HTML")
    assert found["bad.mid.gz"][1].startswith("compressed data damaged")
    again = midiopt.run([music], db, workers=1)
    assert (again.skipped, again.unreadable) == (5 + is_read, 2 - is_read)


def test_zstd_data_alone_and_in_an_archive(tmp_path):
    data = zst_of(song(1))
    (tmp_path / "A.MID.ZST").write_bytes(data)
    (tmp_path / "x.zip").write_bytes(zip_of({"b.kar.zst": data, "c.mid.bz2": bz2.compress(song(2)), "d.mid.xz": lzma.compress(song(3))}))
    assert (summary := midiopt.run([tmp_path], tmp_path / "x.db", workers=1)).ok == summary.files - summary.opened == 4


def test_a_dataset_for_webdataset_is_a_tar(tmp_path):
    """A sample is what members with one name but for the suffix hold: the songs are read, whatever is beside them."""
    members = {f"{i:06}.{suffix}": data for i in range(3) for suffix, data in (("json", b"{}"), ("mid", song(i)), ("txt", b"a song"))}
    (tmp_path / "train-000000.tar").write_bytes(tar_of(members))
    _, rows = analyze_archive(tmp_path / "train-000000.tar")
    assert outcomes(rows) == {"": ("opened", None)} | {f"{i:06}.mid": ("ok", None) for i in range(3)}


def test_archives_inside_archives(tmp_path):
    """To a depth of two; each has a row of its own."""
    third = zip_of({"e.mid": song(5)})
    second = zip_of({"c.mid": song(3), "third.zip": third, "d.mid": song(4)})
    first = tar_of({"b.mid": song(2), "second.zip": second, "packed.mid.gz": gzip.compress(song(7)), "text.zip": b"Hello there\n"}, "w:gz")
    for outer in ("x.zip", "x.tar", "x.tar.xz"):
        path = tmp_path / outer
        path.write_bytes(MAKERS[outer]({"a.mid": song(1), "first.tgz": first, "z.mid": song(6)}))
        _, found = analyze_archive(path)
        inner = "first.tgz!/second.zip"
        assert outcomes(found) == {
            **dict.fromkeys(["", "first.tgz", inner], ("opened", None)),
            **dict.fromkeys(
                ["a.mid", "first.tgz!/b.mid", "first.tgz!/packed.mid.gz", f"{inner}!/c.mid", f"{inner}!/d.mid", "z.mid"], ("ok", None)
            ),
            "first.tgz!/text.zip": ("rejected", "it looks like text, not a supported archive"),
            f"{inner}!/third.zip": ("rejected", "archives are nested more than 2 deep"),
        }


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_only_members_in_the_sample_are_analysed(name, tmp_path):
    """In nested archives too; `midiopt verify` samples members without a list of them."""
    files = songs(100) | {"in.zip": zip_of(songs(100, 100))}
    texts = [f"{tmp_path}/x!/{name}" for name in songs(100)] + [f"{tmp_path}/x!/in.zip!/{name}" for name in songs(100, 100)]
    sample, drawn = PathSample.draw(texts, 20)
    assert len(drawn) == 20 and drawn == sorted(filter(sample.contains, texts))
    _report, found = process_task(MAKERS[name](files), tmp_path, sample=sample)
    assert set(found) == {path.removeprefix(f"{tmp_path}/x!/") for path in drawn} | {"", "in.zip"}


def test_the_format_is_detected_from_the_content(tmp_path):
    (tmp_path / "x.zip").write_bytes(tar_of({"a.mid": song(1)}, "w:gz"))
    assert outcomes(analyze_archive(tmp_path / "x.zip")[1]) == {"": ("opened", None), "a.mid": ("ok", None)}


def test_a_zip_between_other_data_and_a_comment(tmp_path):
    """Offsets count from the start of the archive, or of the file."""
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
    """As written for a member of unknown size: sizes and offset are in the extra field."""
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
    assert outcomes(analyze_archive(tmp_path / "x.zip")[1]) == {"": ("opened", None), "a.mid": ("ok", None)}


def test_a_song_under_the_name_of_an_archive(tmp_path):
    """A web client undid the compression and kept the name. It is a file like any other, also for verify and the next run."""
    music, db = tmp_path / "music", tmp_path / "x.db"
    music.mkdir()
    riff = b"RIFF" + struct.pack("<L", len(song(3)) + 12) + b"RMIDdata" + struct.pack("<L", len(song(3))) + song(3)
    contents = {"a.zip": song(1), "b.tar.gz": song(2), "c.tar": riff, "d.tgz": bytes(70 << 20)}
    contents["d.tgz"] = song(4) + contents["d.tgz"]
    for name, data in contents.items():
        (music / name).write_bytes(data)
    (music / "e.zip").write_bytes(zip_of({"in.tar.gz": song(5)}))
    (music / "f.tar").write_bytes(tar_of({"in.zip": song(6)}))
    midiopt.run([music], db, workers=1)
    found = {path.removeprefix(f"{music}/"): row for path, row in file_rows(db).items()}
    names = ("a.zip", "b.tar.gz", "c.tar", "e.zip!/in.tar.gz", "f.tar!/in.zip")
    assert {name: found[name][0] for name in names} == dict.fromkeys(names, "ok")
    assert found["a.zip"][4] == stored_hash(db, song(1))
    assert found["d.tgz"][:2] == ("rejected", f"{len(contents['d.tgz']):,} bytes, over the limit of 67,108,864")
    assert midiopt.run([music], db, workers=1).analysed == 0
    with open_snapshot(db) as library:
        verification = Verification(library, None)
        assert not list(verification.differences())
    assert (verification.counts.checked, verification.counts.gone) == (6, 0)


SKIPPABLE = b"\x53\x2a\x4d\x18\x05\0\0\0hello"  # a magic number from 50 to 5F, the length, and the data


def test_zstd_frames_to_be_skipped():
    """Parallel compressors put one before each block, and several frames are one stream."""
    data = tar_of({"a.mid": song(1), "b.mid": song(2)})
    first, second = zstandard.compress(data[:700]), zstandard.compress(data[700:])
    for packed in (SKIPPABLE + first + second, SKIPPABLE * 2 + first + SKIPPABLE + second + SKIPPABLE, first + second):
        assert [bytes(member.data()) for member in Archive(MemoryArchive(packed)).members(0, 9)] == [song(1), song(2)]
    assert decompress_file(SKIPPABLE + zstandard.compress(song(1)) + SKIPPABLE, 1 << 20) == song(1)


def test_every_cut_of_zstd_data_is_found():
    """With and without checksum and size, with several blocks and frames, at every byte: zstandard takes it for the end."""
    data = bytes(300_000) + random.Random(1).randbytes(40)
    made = [zstandard.ZstdCompressor(write_checksum=more, write_content_size=more).compress(data) for more in (False, True)]
    for packed in (*made, zstandard.compress(data[:100])):
        for frames in (packed, SKIPPABLE + packed, packed + SKIPPABLE):
            ends = {len(SKIPPABLE), len(packed), len(frames)}
            for length in range(4, len(frames)):
                if not any(0 <= length - end < 4 for end in ends):  # up to three bytes are not the beginning of a frame
                    with pytest.raises(Damaged, match="truncated"):
                        decompress_file(frames[:length], 1 << 20)
            assert decompress_file(frames, 1 << 20) in (data, data[:100])
    long = song(1, 90_000)  # of several blocks: those before the cut are read
    assert long.startswith(part := decompress_file(zstandard.compress(long)[:-99], 1 << 24)) and len(part) > len(long) // 2


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_the_beginning_of_another_stream(compress):
    """Fewer bytes than a stream without data has lose nothing; more may, but of a song, which says itself whether it is whole."""
    data, empty = song(1), compress(b"")
    for length in range(len(empty)):
        assert decompress_file(compress(data) + empty[:length], 1 << 20) == data
    assert decompress_file(compress(data) + empty, 1 << 20) == data
    for first in (b"no song", data):
        with contextlib.nullcontext() if first == data else pytest.raises(Damaged, match="truncated"):
            assert bytes(decompress_file(compress(first) + compress(data)[: len(empty) + 8], 1 << 20)).startswith(data)


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, zstandard.compress])
@pytest.mark.parametrize("rest", [b"\n", b"\0", b"\0\0\n", b"<html>", b"\x1f", b"x" * 200_000, bytes(200_000) + b"x"])
def test_bytes_behind_compressed_data(compress, rest):
    """After one stream, after several, and at every place where a read may end."""
    data = song(1)
    padding = b"" if compress is zstandard.compress else bytes(8)
    for packed in (compress(data), compress(data[:50]) + compress(data[50:]), compress(data[:50]) + padding + compress(data[50:])):
        assert decompress_file(packed + rest, 1 << 20) == data
    tar = tar_of({"a.mid": data})
    assert [bytes(member.data()) for member in Archive(MemoryArchive(compress(tar) + rest)).members(0, 9)] == [data]
