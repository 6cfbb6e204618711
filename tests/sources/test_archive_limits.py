"""Hostile archives: decompression bombs, and demands for memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
import zlib

import pytest

from midiopt.errors import Damaged, TooLarge
from midiopt.limits import MAX_FILE_BYTES
from midiopt.pipeline.archive_scheduler import ArchiveScheduler
from midiopt.pipeline.tasks import MEMBERS_PER_TASK, ArchiveReport, FinishArchive, MemberRange, ReadMembers
from midiopt.schema import REJECTED
from midiopt.sources.archives.archive import Archive, MemoryArchive
from midiopt.sources.archives.budget import Budget
from midiopt.sources.archives.decompress import decompress_file
from midiopt.sources.archives.limits import BOMB_ERROR, OVERLAP_ERROR, ROWS_ERROR, TIME_ERROR, ArchiveLimits
from midiopt.sources.file_state import FileState
from tests.helpers.archive_bytes import raw_zip, zip_end, zip_entry, zip_local
from tests.helpers.archives import MAKERS, process_task, songs, tar_of, zip_of
from tests.helpers.songs import song


def test_the_members_of_a_nested_archive_are_limited(tmp_path):
    limits = ArchiveLimits(max_nested_members=3)
    _report, found = process_task(zip_of({"in.zip": zip_of(songs(5)), "z.mid": song(9)}), tmp_path, limits=limits)
    assert found["in.zip"] == ("rejected", "only the first 3 members of a nested archive are read")
    assert len(found) == 6 and found["z.mid"] == ("ok", None)


ZEROS = bytes(100 << 20)  # they shrink to 100 KB
MEBIBYTE = ArchiveLimits(bomb_min_bytes=1 << 20, nested_bomb_min_bytes=1 << 20)


def test_a_zip_member_over_the_limit_is_not_decompressed(tmp_path):
    """Whether the directory declares its true size or a small one."""
    data = bytearray(zip_of({"big.mid": ZEROS, "a.mid": song(1)}))
    _, found = process_task(data, tmp_path)
    assert found == {
        "": ("opened", None),
        "big.mid": ("rejected", "104,857,600 bytes, over the limit of 67,108,864"),
        "a.mid": ("ok", None),
    }
    struct.pack_into("<L", data, data.rindex(b"big.mid") - 46 + 24, 1000)
    _, found = process_task(data, tmp_path)
    start = data.index(b"big.mid") + len("big.mid")
    assert found["big.mid"] == ("unreadable", f"compressed data damaged (size or checksum differs) at byte {start}")
    assert found["a.mid"] == ("ok", None)


def test_a_file_that_was_compressed_alone_is_not_decompressed_beyond_the_limit():
    with pytest.raises(TooLarge, match="decompresses to more than the limit of 67,108,864 bytes"):
        decompress_file(gzip.compress(ZEROS), MAX_FILE_BYTES)


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar.xz", "x.tar.zst"])
def test_a_compressed_tar_that_is_a_bomb(name, tmp_path):
    """Skipped data counts too; the members before it are analysed."""
    data = MAKERS[name]({"a.mid": song(1), "zeros.bin": bytes(30 << 20), "b.mid": song(2)})
    _report, found = process_task(data, tmp_path, limits=ArchiveLimits(bomb_min_bytes=1 << 20))
    assert found["a.mid"] == ("ok", None) and "b.mid" not in found
    assert found[""][0] == "rejected" and found[""][1].startswith(BOMB_ERROR)


def test_a_nested_bomb(tmp_path):
    """A zip of zips of zeros: all sizes are added, and compared with the compressed size of the outer member."""
    zeros = zip_of({f"{i}.mid": bytes(1 << 20) for i in range(300)})
    report, found = process_task(zip_of({"in.zip": zip_of({f"{i}.zip": zeros for i in range(3)}), "a.mid": song(1)}), tmp_path)
    assert ("rejected", BOMB_ERROR) in found.values()
    assert found["a.mid"] == ("ok", None) and report.has_archive_row


def test_what_is_left_of_a_nested_archive_does_not_depend_on_the_range(tmp_path):
    """After a crash each part of a member is read alone: what was too much for all of it is then, too."""
    data = zip_of({"in.zip": zip_of({f"{i}.zip": zip_of({f"{k}.mid": bytes(100 << 10) for k in range(5)}) for i in range(6)})})
    _, whole = process_task(data, tmp_path, limits=MEBIBYTE)
    alone = [process_task(data, tmp_path, ReadMembers(b"", MemberRange(0, 1, i, i + 1)), limits=MEBIBYTE)[1] for i in range(23)]
    assert [len(found) for found in alone] == [1] * 22 + [0]
    assert {name: row for found in alone for name, row in found.items()} == {name: row for name, row in whole.items() if name}
    assert whole["in.zip!/1.zip!/4.mid"][1].startswith("it looks like zeros") and whole["in.zip!/2.zip!/0.mid"] == ("rejected", BOMB_ERROR)


def test_the_memory_for_xz_is_limited():
    header = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}])
    with pytest.raises(Damaged, match="damaged"):
        decompress_file(header, 1 << 20)


# Members that share their data


SONG = song(1)


def zip_with_directory(body: bytes, entries: list[bytes]) -> bytes:
    directory = b"".join(entries)
    return body + directory + zip_end(len(entries), len(directory), len(body))


@pytest.mark.parametrize("method", [0, 12])
def test_entries_that_lead_to_the_same_data(method, tmp_path):
    """Fifield's bomb of 2019 in its simplest form: one stream of 60 KB in 60 entries of 51 bytes. The first is read."""
    data = gzip.compress(random.Random(1).randbytes(60_000))
    entries = [zip_entry(b"%02d.mid" % i, len(data), len(data), 0, 0, method) for i in range(60)]
    report, found = process_task(zip_with_directory(zip_local(b"00.mid") + data, entries), tmp_path)
    assert found[""] == ("rejected", f"{OVERLAP_ERROR} at byte 0") and len(found) == 2 and report.has_archive_row
    task = ReadMembers(b"", MemberRange(30, 40))  # another worker's part of it
    report, found = process_task(zip_with_directory(zip_local(b"00.mid") + data, entries), tmp_path, task)
    assert report.at_end and report.read_error == f"{OVERLAP_ERROR} at byte 0" and not found


def test_an_entry_that_takes_in_the_next_one(tmp_path):
    """The later form, where the data of each member includes the headers of all that follow."""
    first, second = zip_local(b"a.mid") + SONG, zip_local(b"b.mid") + SONG
    entries = [
        zip_entry(b"a.mid", len(SONG) + 1, len(SONG) + 1, 0, 0),
        zip_entry(b"b.mid", len(SONG), len(SONG), zlib.crc32(SONG), len(first)),
    ]
    _, found = process_task(zip_with_directory(first + second, entries), tmp_path)
    assert found[""] == ("rejected", f"{OVERLAP_ERROR} at byte {len(first)}")


def test_a_directory_in_another_order_than_the_data(tmp_path):
    """It is read, but not when two of its entries overlap; what stands before the first one out of order has been read."""
    body, entries = b"", []
    for i in range(20):
        entries.append(zip_entry(b"%02d.mid" % i, len(SONG), len(SONG), zlib.crc32(SONG), len(body)))
        body += zip_local(b"%02d.mid" % i) + SONG
    _, found = process_task(zip_with_directory(body, [*entries[10:], *entries[:10]]), tmp_path)
    assert found == {f"{i:02}.mid": ("ok", None) for i in range(20)} | {"": ("opened", None)}
    _, found = process_task(zip_with_directory(body, [*entries[10:], *entries[:10], entries[10]]), tmp_path)
    assert found[""][0] == "rejected" and str(found[""][1]).startswith(OVERLAP_ERROR) and len(found) == 11


def test_entries_that_point_outside_the_archive_overlap_nothing(tmp_path):
    """They are unreadable by themselves."""
    body = zip_local(b"a.mid") + SONG
    entries = [zip_entry(b"x.mid", 9, 9, 0, 0xFFFFFF) for _ in range(2)] + [zip_entry(b"a.mid", len(SONG), len(SONG), zlib.crc32(SONG), 0)]
    _, found = process_task(zip_with_directory(body, entries), tmp_path)
    assert {name: outcome[0] for name, outcome in found.items()} == {
        "x.mid": "unreadable",
        "x.mid#2": "unreadable",
        "a.mid": "ok",
        "": "opened",
    }


# Numbers of rows


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_the_members_of_an_archive_are_limited_by_its_size(name, tmp_path):
    """One row per 16 bytes, beyond a minimum. A song takes more, so that this is only seen with empty members."""
    limits = ArchiveLimits(min_rows=3)
    _, found = process_task(MAKERS[name](songs(100)), tmp_path, limits=limits)
    assert len(found) == 101 and found[""] == ("opened", None)
    data = tar_of({f"{i}.mid": b"" for i in range(100)}, "w:xz")
    _, found = process_task(data, tmp_path, limits=limits)
    assert found[""] == ("rejected", ROWS_ERROR) and len(found) == 3 + len(data) // 16 + 1


@pytest.mark.parametrize("outer", [zip_of, tar_of, lambda files: tar_of(files, "w:gz")])
def test_the_rows_of_a_nested_archive_are_limited_by_its_compressed_size(outer, tmp_path):
    """10,000 empty members shrink to some KB; the archives beside them are read."""
    bomb = tar_of({f"{i:04}.mid": b"" for i in range(10_000)}, "w:xz")
    good = zip_of({f"{i}.mid": song(i) for i in range(50)})
    data = outer({"a.mid": SONG, "in.tar.xz": bomb, "good.zip": good, "z.mid": SONG})
    _, found = process_task(data, tmp_path)
    assert found["in.tar.xz"] == ("rejected", ROWS_ERROR)
    assert found["good.zip"] == ("opened", None) and found["z.mid"] == ("ok", None) and len(found) < len(data) // 16 + 100


def test_a_nested_directory_that_a_stream_packs_well(tmp_path):
    """In a compressed tar the size of a member does not tell what it takes there; the ratio of the stream does."""
    bomb = raw_zip([(b"%05d.mid" % i, b"") for i in range(20_000)])
    data = tar_of({"in.zip": bomb}, "w:xz")
    _, found = process_task(data, tmp_path)
    assert found["in.zip"] == ("rejected", ROWS_ERROR) and len(found) < len(data) // 16 + 100


# Decompressed bytes, whatever the directory says


@pytest.mark.parametrize("name", [b"%d.mid.gz", b"%d.mid"])
def test_compressed_songs_that_expand_to_too_much_together(tmp_path, name):
    """Each is within the limit of a file; none of their sizes is in the directory."""
    zeros = gzip.compress(bytes(1 << 20))
    data = raw_zip([(name % i, zeros) for i in range(30)])
    _, found = process_task(data, tmp_path, limits=MEBIBYTE)
    assert found[""] == ("rejected", BOMB_ERROR)
    assert ("unreadable", BOMB_ERROR) in found.values()
    assert 200 * len(data) >> 20 <= len(found) - 3 <= (200 * len(data) >> 20) + 1 < 20


def test_bzip2_data_that_says_it_is_small(tmp_path):
    """A block of 900 KB is decompressed to give one byte of it."""
    zeros = bz2.compress(bytes(900_000))
    body, entries = b"", []
    for i in range(100):
        entries.append(zip_entry(b"%d.mid" % i, len(zeros), 1, 0, len(body), method=12))
        body += zip_local(b"%d.mid" % i) + zeros
    data = zip_with_directory(body, entries)
    _, found = process_task(data, tmp_path, limits=MEBIBYTE)
    assert found[""] == ("rejected", BOMB_ERROR) and len(found) - 1 <= 2 + 200 * len(data) // 900_000 + 1


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tar.xz", "x.tar.zst"])
def test_what_a_nested_archive_skips_counts_too(name, tmp_path):
    """Archives in a zip, each with 5 MB of zeros under a name that is not wanted."""
    inner = MAKERS[name]({"zeros.bin": bytes(5 << 20), "a.mid": SONG})
    _, found = process_task(zip_of({f"{i}{name}": inner for i in range(3)} | {"b.mid": song(2)}), tmp_path)
    assert all(BOMB_ERROR in str(found[f"{i}{name}"][1]) for i in range(3)) and found["b.mid"] == ("ok", None)


# Time


def test_an_archive_that_takes_too_long(tmp_path):
    """Its worker stops in the middle of the task."""
    _, found = process_task(zip_of(songs(20)), tmp_path, limits=ArchiveLimits(min_cpu_seconds=-1.0))
    assert found[""] == ("rejected", TIME_ERROR) and len(found) == 8 + 1


def test_the_time_of_all_workers_is_added():
    scheduler: ArchiveScheduler[str] = ArchiveScheduler()
    first = ReadMembers(b"/x.zip")
    scheduler.add(first)
    scheduler.answered(first, ArchiveReport(cpu_ms=30_000, state=FileState(1 << 20, 0)), "a")
    second, third = scheduler.next_task("a"), scheduler.next_task("b")
    assert isinstance(second, ReadMembers) and isinstance(third, ReadMembers) and third.members.first == 2 * MEMBERS_PER_TASK
    scheduler.answered(second, ArchiveReport(cpu_ms=30_000), "a")
    scheduler.answered(third, ArchiveReport(cpu_ms=30_000), "b")
    assert scheduler.next_task("a") == FinishArchive(b"/x.zip", FileState(1 << 20, 0), REJECTED, TIME_ERROR)


@pytest.mark.parametrize("make", [raw_zip, lambda members: tar_of({name.decode(): data for name, data in members})])
def test_skipping_shows_life(make):
    """A worker that looks through a large archive for songs is not late for one of them."""
    signs = []
    file = MemoryArchive(make([(b"%d.txt" % i, b"") for i in range(1000)]))
    assert not list(Archive(file, budget=Budget(file.size, on_read=lambda: signs.append(1))).members(0, 9))
    assert len(signs) == 1000 // 64
