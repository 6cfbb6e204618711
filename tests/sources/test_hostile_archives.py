"""Damaged and hostile archives, byte by byte: numbers beyond every file, entries that share their bytes, bombs."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from midiopt.errors import Damaged, TooLarge
from midiopt.pipeline.tasks import ArchiveReport, ReadMembers
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.rows.validate import validate
from midiopt.rows.wire import report_in
from midiopt.schema import FILES
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.archives.integers import MAX_INTEGER, from_decimal, from_little_endian
from tests.helpers.archive_bytes import padded, pax_header, pax_record, raw_tar, raw_zip, tar_header, zip_end, zip_entry, zip_local
from tests.helpers.processes import file_rows, stored_hash
from tests.helpers.songs import song

SONG = song(1)
IN_ZIP64 = 2**32 - 1
Rows = dict[str, tuple[str, str | None, int, int]]  # status, error, size and mtime by name; "" for the archive


def process(data: bytes, tmp_path: Path, name: str = "x.zip") -> tuple[ArchiveReport, Rows]:
    """The report and the valid rows of the first members, by a worker in this process."""
    path = tmp_path / name
    path.write_bytes(data)
    worker = Worker()
    message = worker.process(ReadMembers(os.fsencode(path)))
    worker.close()
    batch = Batch.from_bytes(message)
    assert validate(batch) is batch, "every value fits its column"
    found = [row_to_dict(FILES, row, batch.heap) for row in batch.files]
    rows = {r["path"].removeprefix(f"{path}").removeprefix("!/"): (r["status"], r["error"], r["size_bytes"], r["mtime_ns"]) for r in found}
    report = ArchiveReport.decode(report_in(message))
    assert report is not None
    return report, rows


# Integers


@pytest.mark.parametrize("digits", [b"", b"-", b"--5", b"5-", b"+5", b" 5", b"1_0", b"0x1", b"9" * 19, b"-" + b"9" * 19, "٣".encode()])
def test_what_is_no_decimal_integer(digits):
    with pytest.raises(ValueError, match="not a number"):
        from_decimal(digits)


@given(st.binary(max_size=16))
def test_integers_have_the_right_value_or_the_greatest(field):
    assert from_little_endian(field) == min(int.from_bytes(field, "little"), MAX_INTEGER)


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_decimal_integers(number):
    assert from_decimal(b"%d" % number) == number


def two_members(size: int, offset: int) -> bytes:
    """A zip whose first member has a zip64 size and offset, and a sound second one."""
    zip64 = struct.pack("<2H2Q", 1, 16, size, offset)
    first = zip_local(b"a.mid") + SONG
    directory = zip_entry(b"a.mid", len(SONG), IN_ZIP64, zlib.crc32(SONG), IN_ZIP64, extra=zip64)
    directory += zip_entry(b"b.mid", len(SONG), len(SONG), zlib.crc32(SONG), len(first))
    body = first + zip_local(b"b.mid") + SONG
    return body + directory + zip_end(2, len(directory), len(body))


@pytest.mark.parametrize("offset", [2**60, 2**63 - 1, 2**63 + 5, 2**64 - 1])
def test_a_zip64_offset_beyond_every_file(offset, tmp_path):
    report, rows = process(two_members(len(SONG), offset), tmp_path)
    assert rows["a.mid"][0] == "unreadable" and "no local header" in str(rows["a.mid"][1])
    assert rows["b.mid"][:2] == ("ok", None) and rows[""][:2] == ("opened", None) and report.has_archive_row


@pytest.mark.parametrize("size", [2**60, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_zip64_size_beyond_every_file(size, tmp_path):
    _, rows = process(two_members(size, 0), tmp_path)
    assert rows["a.mid"][0] == "rejected" and "over the limit of 67,108,864" in str(rows["a.mid"][1]) and rows["a.mid"][2] == 2**60
    assert rows["b.mid"][:2] == ("ok", None) and rows[""][:2] == ("opened", None)


@pytest.mark.parametrize("place", [51, 2**31, 2**63, 2**64 - 1])
def test_a_zip64_locator_that_points_nowhere(place, tmp_path):
    """30 bytes of a local header, 20 of the locator and 22 of the end."""
    data = b"PK\3\4" + bytes(26) + struct.pack("<4sLQL", b"PK\6\7", 0, place, 1) + zip_end(1, IN_ZIP64, IN_ZIP64)
    _, rows = process(data, tmp_path)
    assert rows[""][0] == "rejected" and str(rows[""][1]).startswith("zip64 record missing at byte ")


@pytest.mark.parametrize("length", range(4, 22))
def test_an_end_record_that_is_cut(length, tmp_path):
    """Alone, and behind the 30 bytes of a local header: 22 bytes are whole."""
    for before in (b"", b"PK\3\4" + bytes(26)):
        _, rows = process(before + zip_end(0, 0, 0)[:length], tmp_path)
        assert rows[""][:2] == ("rejected", "central directory missing at the end of the file")


@pytest.mark.parametrize(("size", "offset"), [(2**64 - 1, 0), (0, 2**64 - 1), (2**63, 2**63), (46, 2**63)])
def test_a_zip64_directory_of_any_size(size, offset, tmp_path):
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 30, 1)
    _, rows = process(b"PK\3\4" + bytes(26) + record + locator + zip_end(1, IN_ZIP64, IN_ZIP64), tmp_path)
    assert set(rows) == {""}


@pytest.mark.parametrize("length", range(12))
def test_lzma_data_shorter_than_its_header(length, tmp_path):
    data = b"\x09\x04\x05\x00\x5d\x00\x00\x10\x00\xff\xff\xff"[:length]
    directory = zip_entry(b"a.mid", length, 26, 0, 0, method=14)
    body = zip_local(b"a.mid") + data
    _, rows = process(body + directory + zip_end(1, len(directory), len(body)), tmp_path)
    assert rows["a.mid"][0] == "unreadable" and rows[""][0] == "opened"


@pytest.mark.parametrize(
    "records",
    [
        b"12 size=--5\n",
        b"13 mtime=--5\n",
        b"9999999999999999999 path=x.mid\n",
        b"99999999999999999999999 path=x.mid\n",
        b"-5 path=x.mid\n",
        b"path=x.mid\n",
        pax_record(b"size", b"9" * 19),
        pax_record(b"size", b"-1"),
        pax_record(b"mtime", b"9" * 30),
        pax_record(b"mtime", b"x"),
        pax_record(b"mtime", b""),
    ],
)
def test_pax_records_that_cannot_be_read(records, tmp_path):
    """A sound member before it, which is kept."""
    data = tar_header(b"a.mid", len(SONG)) + padded(SONG) + pax_header(records) + tar_header(b"b.mid", len(SONG)) + padded(SONG)
    _, rows = process(data + bytes(1024), tmp_path, "x.tar")
    assert {name: row[0] for name, row in rows.items()} == {"a.mid": "ok", "": "rejected"}
    assert str(rows[""][1]).startswith(("invalid pax header at byte", "entry without a valid size at byte"))


@pytest.mark.parametrize("field", [b"\x80" + b"\xff" * 11, b"\x80\0\0\0\x10" + bytes(7), b"\xff" * 12, b"-1".ljust(12, b"\0")])
def test_tar_fields_beyond_every_file(field, tmp_path):
    """In the size the archive ends there; a time is replaced."""
    for start in (124, 136):
        head = bytearray(tar_header(b"a.mid", len(SONG)))
        head[start : start + 12] = field
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        _, rows = process(bytes(head) + padded(SONG) + bytes(1024), tmp_path, "x.tar")
        assert {name: row[0] for name, row in rows.items()} == ({"": "rejected"} if start == 124 else {"a.mid": "ok", "": "opened"})


numbers = st.sampled_from([0, 1, 30, 2**31, IN_ZIP64, 2**60, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(numbers, numbers, numbers, st.integers(0, 100)), min_size=1, max_size=5), numbers, numbers)
def test_no_number_raises_or_leaves_the_file(entries, directory_size, directory_offset):
    """Zip64 sizes and offsets of any value, for members and for the directory."""
    body, directory = zip_local(b"a.mid") + SONG, b""
    for size, compressed_size, offset, method in entries:
        zip64 = struct.pack("<2H3Q", 1, 24, size, compressed_size, offset)
        directory += zip_entry(b"a.mid", IN_ZIP64, IN_ZIP64, 1, IN_ZIP64, method, zip64)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, directory_size, directory_offset)
    for end64 in (b"", record + struct.pack("<4sLQL", b"PK\6\7", 0, len(body + directory), 1)):
        archive = Archive(MemoryArchive(body + directory + end64 + zip_end(1, len(directory), len(body))))
        for member in archive.members(0, 10):
            assert 0 <= member.size <= MAX_INTEGER and 0 <= member.compressed_size <= MAX_INTEGER
            with pytest.raises((Damaged, TooLarge)):
                member.data()


# Names that an archive contains several times


@pytest.mark.parametrize("make", [raw_zip, raw_tar])
def test_the_second_member_of_a_name_keeps_its_type(make, tmp_path):
    """A compressed song, an archive and a song, each twice with other content."""
    songs = [song(i) for i in range(6)]
    inner = [raw_zip([(b"inner.mid", data)]) for data in songs[2:4]]
    members = [*((b"x.mid.gz", gzip.compress(data)) for data in songs[:2]), *((b"in.zip", data) for data in inner)]
    members += [(b"p.mid", data) for data in songs[4:]]
    path = tmp_path / "x.zip"
    path.write_bytes(make(members))
    for skipped in (0, 1):
        assert midiopt.run([path], tmp_path / "x.db", workers=1).skipped == skipped
    found = {name.removeprefix(f"{path}").removeprefix("!/"): row for name, row in file_rows(tmp_path / "x.db").items()}
    names = ["x.mid.gz", "x.mid.gz#2", "in.zip!/inner.mid", "in.zip#2!/inner.mid", "p.mid", "p.mid#2"]
    assert {name: row[0] for name, row in found.items()} == dict.fromkeys(names, "ok") | dict.fromkeys(["", "in.zip", "in.zip#2"], "opened")
    assert [found[name][4] for name in names] == [stored_hash(tmp_path / "x.db", data) for data in songs]


def test_members_of_a_second_archive_of_a_name_stay_while_it_cannot_be_read(tmp_path):
    """`in.zip#2` is an archive too: damaged, it says nothing about its members."""
    path, inner = tmp_path / "x.zip", raw_zip([(b"a.mid", SONG)])
    for second in (inner, inner[:-5]):
        path.write_bytes(raw_zip([(b"in.zip", inner), (b"in.zip", second)]))
        os.utime(path, (len(second), len(second)))
        summary = midiopt.run([path], tmp_path / "x.db", workers=1, prune=True)
    assert (summary.gone, summary.rejected) == (0, 1)
    assert f"{path}!/in.zip#2!/a.mid" in file_rows(tmp_path / "x.db")
