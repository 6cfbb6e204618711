"""Tars as the field has them: sizes where there is no data, links, sparse files, several archives in one file."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile

import pytest

from midiopt.errors import Damaged, TooLarge
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.archives.limits import ArchiveLimits
from midiopt.sources.archives.tar_header import is_header
from midiopt.sources.archives.tar_types import Sparse
from tests.helpers.archive_bytes import padded, pax_header, pax_record, tar_file, tar_header, with_checksum
from tests.helpers.archives import analyze_archive, outcomes, zip_of, zst_of
from tests.helpers.batches import known_hash
from tests.helpers.songs import song

SONG, OTHER = song(1), song(2)
END = bytes(1024)
OK = ("ok", None)
WRAPPERS = {
    "x.tar": lambda data: data,
    "x.tar.gz": gzip.compress,
    "x.tar.xz": lzma.compress,
    "x.tar.zst": zst_of,
    "nested.zip": lambda data: zip_of({"in.tar": data}),
    "packed.zip": lambda data: zip_of({"in.tgz": gzip.compress(data)}),
}


def contents(data: bytes) -> dict[bytes, bytes]:
    """Names and contents of all members."""
    archive = Archive(MemoryArchive(data))
    found = {member.name: bytes(member.data()) for member in archive.members(0, 1000)}
    assert archive.at_end and not archive.read_error
    return found


# Sizes without data


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6"])
@pytest.mark.parametrize("size", [1, 4096, len(SONG), 100_000])
def test_an_entry_that_has_a_size_and_no_data(kind, size):
    """What a link leads to has that size elsewhere, and old programs wrote 4096 for a folder: the next header follows."""
    name = b"songs/" if kind == b"5" else b"songs/x"
    data = tar_file(b"a.mid", SONG) + tar_header(name, size, kind, b"a.mid") + tar_file(b"b.mid", OTHER)
    assert contents(data + END) == {b"a.mid": SONG, b"b.mid": OTHER}
    assert contents(tar_header(name, size, kind, b"a.mid") + tar_file(b"b.mid", OTHER) + END) == {b"b.mid": OTHER}
    assert contents(data + tar_header(name, size, kind, b"a.mid") + END) == {b"a.mid": SONG, b"b.mid": OTHER}


def test_a_folder_of_v7_that_has_a_size():
    """Only the slash at the end of its name tells that it is one."""
    assert contents(tar_header(b"songs/", 512, b"\0") + tar_file(b"songs/b.mid", OTHER) + END) == {b"songs/b.mid": OTHER}


def test_a_hard_link_with_data_of_its_own():
    """pax allows it: what follows is no header."""
    data = tar_file(b"a.mid", SONG) + tar_header(b"b.mid", len(OTHER), b"1", b"a.mid") + padded(OTHER) + tar_file(b"c.mid", SONG)
    assert contents(data + END) == {b"a.mid": SONG, b"b.mid": OTHER, b"c.mid": SONG}


@pytest.mark.parametrize("kind", [b"\0", b"7", b"9", b"a", b"Z"])
def test_entries_of_an_unknown_type_are_files(kind):
    """As POSIX wants it; those of known types that hold other things are none."""
    data = tar_header(b"a.mid", len(SONG), kind) + padded(SONG)
    others = b"".join(tar_header(b"x.mid", 5, kind.encode()) + padded(b"other") for kind in "ADEIMNV")
    assert contents(data + others + END) == {b"a.mid": SONG}


def test_an_extended_header_of_solaris():
    """Of type X, with the records of pax."""
    records = pax_record(b"path", b"long/name.mid")
    data = tar_header(b"X", len(records), b"X") + padded(records) + tar_file(b"short", SONG)
    assert contents(data + END) == {b"long/name.mid": SONG}


# Hard links


@pytest.mark.parametrize("name", WRAPPERS)
def test_hard_links_have_the_content_of_what_they_link_to(name, tmp_path):
    """In the order of the targets and against it, to a file that is not read itself, to a link, to itself, and to nothing."""
    names = {"b.mid": "a.mid", "c.mid": "data/blob", "d.mid": "b.mid", "e.mid": "a.mid", "f.mid": "f.mid", "g.mid": "gone.mid"}
    data = tar_file(b"a.mid", SONG) + tar_file(b"data/blob", OTHER)
    data += b"".join(tar_header(link.encode(), 0, b"1", target.encode()) for link, target in names.items())
    (tmp_path / name).write_bytes(WRAPPERS[name](data + tar_file(b"z.mid", song(3)) + END))
    _, rows = analyze_archive(tmp_path / name)
    found = {path.rpartition("!/")[2]: row for path, row in rows.items()}
    first, second = (known_hash(data) for data in (SONG, OTHER))
    expected = {"a.mid": first, "b.mid": first, "c.mid": second, "d.mid": first, "e.mid": first}
    assert {name: found[name][4] for name in expected} == expected
    assert {found[name][2] for name in expected} == {len(SONG), len(OTHER)}, "the size is that of the content"
    assert found["z.mid"][0] == "ok"
    for missing in ("f.mid", "g.mid"):
        assert found[missing][:2] == ("unreadable", "hard link to a file that the archive does not have before it")


def test_a_hard_link_to_a_name_that_an_archive_contains_twice():
    """`tar -r` appends a newer file: a link means the last one before it."""
    link = tar_header(b"x.mid", 0, b"1", b"./a.mid")
    data = tar_file(b"a.mid", SONG) + link + tar_file(b"a.mid", OTHER) + tar_header(b"y.mid", 0, b"1", b"a.mid")
    found = contents(data + END)
    assert (found[b"x.mid"], found[b"y.mid"]) == (SONG, OTHER)


def test_a_hard_link_to_a_long_name(tmp_path):
    """GNU keeps it in an entry of type K, pax in `linkpath`."""
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=format) as tar:
            info = tarfile.TarInfo("n" * 150 + ".mid")
            info.size = len(SONG)
            tar.addfile(info, io.BytesIO(SONG))
            link = tarfile.TarInfo("b.mid")
            link.type, link.linkname = tarfile.LNKTYPE, info.name
            tar.addfile(link)
        assert contents(out.getvalue())[b"b.mid"] == SONG


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_hard_links_to_a_large_file_are_a_bomb(wrap):
    """Each takes 512 bytes, and 1 MB to read."""
    data = tar_file(b"a.mid", bytes(1 << 20)) + b"".join(tar_header(b"%d.mid" % i, 0, b"1", b"a.mid") for i in range(1000)) + END
    archive = Archive(MemoryArchive(wrap(data)), ArchiveLimits(bomb_min_bytes=4 << 20))
    with pytest.raises(Damaged, match="decompression bomb"):
        for member in archive.members(0, 1001):
            member.data()
        raise Damaged(archive.read_error)


# Sparse files


def pieces_of(data: bytes, size: int) -> tuple[list[tuple[int, int]], bytes]:
    """The data in pieces of 16 bytes with holes between them, and the whole content: a song whose end is spread."""
    pieces, whole, at = [], bytearray(size), 0
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        pieces.append((at, len(piece)))
        whole[at : at + len(piece)] = piece
        at += len(piece) + 16
    return pieces, bytes(whole)


STORED = SONG[:100]
PIECES, WHOLE = pieces_of(STORED, 300)


def old_gnu(pieces: list[tuple[int, int]], stored: bytes, size: int) -> bytes:
    """Four pieces at byte 386 of the header, 21 in each block that follows; byte 482, or 504 there, says that one does."""
    texts = [b"%011o\0%011o\0" % piece for piece in pieces]
    head = bytearray(tar_header(b"holes.mid", len(stored), b"S"))
    head[257:265] = b"ustar  \0"
    head[386 : 386 + 24 * min(4, len(texts))] = b"".join(texts[:4])
    head[482] = len(texts) > 4
    head[483:495] = b"%011o\0" % size
    blocks = [texts[at : at + 21] for at in range(4, len(texts), 21)]
    extension = b"".join(b"".join(block).ljust(504, b"\0") + bytes([i + 1 < len(blocks)]) + bytes(7) for i, block in enumerate(blocks))
    return with_checksum(bytes(head)) + extension + padded(stored)


def pax_00(pieces: list[tuple[int, int]], stored: bytes, size: int) -> bytes:
    """A line for each number."""
    records = pax_record(b"GNU.sparse.size", b"%d" % size) + pax_record(b"GNU.sparse.numblocks", b"%d" % len(pieces))
    for offset, length in pieces:
        records += pax_record(b"GNU.sparse.offset", b"%d" % offset) + pax_record(b"GNU.sparse.numbytes", b"%d" % length)
    return pax_header(records) + tar_file(b"holes.mid", stored)


def pax_01(pieces: list[tuple[int, int]], stored: bytes, size: int) -> bytes:
    """All numbers in one line, and the name in a record."""
    numbers = b",".join(b"%d,%d" % piece for piece in pieces)
    records = pax_record(b"GNU.sparse.size", b"%d" % size) + pax_record(b"GNU.sparse.map", numbers)
    return pax_header(records + pax_record(b"GNU.sparse.name", b"holes.mid")) + tar_file(b"GNUSparseFile.7/holes.mid", stored)


def pax_10(pieces: list[tuple[int, int]], stored: bytes, size: int) -> bytes:
    """The numbers in lines at the beginning of the content, up to a whole block."""
    records = pax_record(b"GNU.sparse.major", b"1") + pax_record(b"GNU.sparse.minor", b"0")
    records += pax_record(b"GNU.sparse.name", b"holes.mid") + pax_record(b"GNU.sparse.realsize", b"%d" % size)
    numbers = b"%d\n" % len(pieces) + b"".join(b"%d\n%d\n" % piece for piece in pieces)
    return pax_header(records) + tar_file(b"GNUSparseFile.7/holes.mid", padded(numbers) + stored)


FORMATS = [old_gnu, pax_00, pax_01, pax_10]


@pytest.mark.parametrize("sparse", FORMATS)
@pytest.mark.parametrize("count", [0, 1, 4, 5, 25, 26, 100])
def test_the_holes_of_a_sparse_file_are_filled(sparse, count):
    """And the songs beside it are read, however many blocks its map takes."""
    pieces, whole = pieces_of(bytes(range(1, 17)) * count, 32 * count + 9)
    stored = bytes(range(1, 17)) * count
    data = tar_file(b"a.mid", SONG) + sparse(pieces, stored, len(whole)) + tar_file(b"b.mid", OTHER) + END
    assert contents(data) == {b"a.mid": SONG, b"holes.mid": whole, b"b.mid": OTHER}
    assert contents(gzip.compress(data))[b"holes.mid"] == whole


@pytest.mark.parametrize("sparse", FORMATS)
@pytest.mark.parametrize("pieces", [[(290, 16)], [(0, 200)], [(2**32, 1)]])
def test_a_map_that_leaves_the_file(sparse, pieces):
    archive = Archive(MemoryArchive(sparse(pieces, STORED, 300) + tar_file(b"b.mid", OTHER) + END))
    first, second = archive.members(0, 1), archive.members(1, 2)
    for member in first:
        with pytest.raises(Damaged, match="invalid map of a sparse file"):
            member.data()
    assert [bytes(member.data()) for member in second] == [OTHER]


def test_a_sparse_file_of_any_size():
    """It is not made in memory: one over the limit is rejected, and the sum is bounded."""
    archive = Archive(MemoryArchive(old_gnu([], b"", 8 << 30) + END))
    for member in archive.members(0, 1):
        with pytest.raises(TooLarge):
            member.data()
    archive = Archive(MemoryArchive(old_gnu([], b"", 60 << 20) * 3 + END))
    with pytest.raises(Damaged, match="decompression bomb"):
        for member in archive.members(0, 3):
            member.data()


@pytest.mark.parametrize("content", [b"", b"\n", b"x\n", b"1\n2\n", b"-1\n", b"99999999\n1\n2\n", b"1\n0\nx\n"])
def test_a_map_in_the_content_that_cannot_be_read(content):
    with pytest.raises(Damaged, match="invalid map of a sparse file"):
        Sparse(None, len(content)).restore(content, 10)


# Several archives in one file


@pytest.mark.parametrize("name", WRAPPERS)
def test_archives_one_after_another(name, tmp_path):
    """`cat a.tar b.tar`: tar fills each up to 10 KB with zeros. What is no header behind the zeros is ignored."""
    first = tar_file(b"a.mid", SONG) + bytes(10240)
    data = first + tar_file(b"b.mid", OTHER) + END + tar_file(b"c.mid", song(3)) + END
    for rest in (b"", b"\r\n", b"x" * 600, bytes(2 << 20) + b"x"):
        (tmp_path / name).write_bytes(WRAPPERS[name](data + rest))
        found = outcomes(analyze_archive(tmp_path / name, keep_old=False)[1])
        assert {path.rpartition("!/")[2] for path, outcome in found.items() if outcome == OK} == {"a.mid", "b.mid", "c.mid"}
        assert found[""] == ("opened", None)


@pytest.mark.parametrize("field", [b"no digit", b"\xff" * 8, b" " * 8, bytes(8)])
def test_a_header_without_a_checksum(field):
    """Signed, the bytes of both blocks add up to what stands for no digits: -1, or 0 for an empty field. One random file in 4,000 does."""
    for last in (0xFF, 0x00):
        head = bytearray(b"x" + bytes(147) + field + bytes(356))
        # 0x78 and eight blanks are 376: two bytes of -128 and one of -120 make 0, and 0xFF one less.
        head[200:204] = bytes((0x80, 0x80, 0x88, last))
        assert not is_header(bytes(head))
