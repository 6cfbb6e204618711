"""Hostile archives: decompression bombs, and demands for memory."""

from __future__ import annotations

import gzip
import lzma
import struct

import pytest

from midiopt.errors import Damaged, TooLarge
from midiopt.limits import MAX_FILE_BYTES
from midiopt.pipeline.tasks import MemberRange, ReadMembers
from midiopt.sources.archives.decompress import decompress_file
from midiopt.sources.archives.limits import BOMB_ERROR, ArchiveLimits
from tests.helpers.archives import MAKERS, process_task, songs, zip_of
from tests.helpers.songs import song


def test_the_members_of_a_nested_archive_are_limited(tmp_path):
    limits = ArchiveLimits(max_nested_members=3)
    _report, found = process_task(zip_of({"in.zip": zip_of(songs(5)), "z.mid": song(9)}), tmp_path, limits=limits)
    assert found["in.zip"] == ("rejected", "only the first 3 members of a nested archive are read")
    assert len(found) == 6 and found["z.mid"] == ("ok", None)


ZEROS = bytes(100 << 20)  # they shrink to 100 KB


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


def test_a_zip_whose_members_share_their_data(tmp_path):
    """Fifield's bomb of 2019: many entries of the directory point to the same data."""
    data = zip_of({"0.mid": song(1) + bytes(1 << 20)})
    at = data.rindex(b"PK\1\2")
    entry, end = data[at : data.rindex(b"PK\5\6")], bytearray(data[data.rindex(b"PK\5\6") :])
    entries = b"".join(entry[:-5] + b"%d.mid" % (i % 10) for i in range(1000))
    struct.pack_into("<2H2L", end, 8, 1000, 1000, len(entries), at)
    task, limits = ReadMembers(b"", MemberRange(900, 1000)), ArchiveLimits(bomb_min_bytes=1 << 20)
    report, _ = process_task(data[:at] + entries + bytes(end), tmp_path, task, limits=limits)
    assert report.at_end and report.read_error == BOMB_ERROR


def test_a_nested_bomb(tmp_path):
    """A zip of zips of zeros: all sizes are added, and compared with the compressed size of the outer member."""
    zeros = zip_of({f"{i}.mid": bytes(1 << 20) for i in range(300)})
    report, found = process_task(zip_of({"in.zip": zip_of({f"{i}.zip": zeros for i in range(3)}), "a.mid": song(1)}), tmp_path)
    assert ("rejected", BOMB_ERROR) in found.values()
    assert found["a.mid"] == ("ok", None) and report.has_archive_row


def test_the_memory_for_xz_is_limited():
    header = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}])
    with pytest.raises(Damaged, match="damaged"):
        decompress_file(header, 1 << 20)
