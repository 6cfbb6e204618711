"""Zips as the field has them: data before and behind, comments with the letters of a record, names in two encodings."""

from __future__ import annotations

import lzma
import struct
import zlib

import pytest
import zstandard

from midiopt.errors import NotAnArchive
from midiopt.sources.archives.archive import Archive, MemoryArchive
from tests.helpers.archive_bytes import raw_zip, zip_end, zip_entry, zip_local
from tests.helpers.archives import zip_of
from tests.helpers.songs import song

SONGS = {"a.mid": song(1), "b.mid": song(2)}
ENCODED = {name.encode(): data for name, data in SONGS.items()}
ZIP = zip_of(SONGS)
PREFIXES = {
    "PK00": b"PK00",  # the mark of a program that may split archives, and did not
    "PK0708": b"PK\7\x08",
    "line feed": b"\n",
    "program": b"MZ" + b"\x90\0PK\5\6" * 5000,
    "as long as no window": bytes(70_000),
}


def contents(data: bytes) -> dict[bytes, bytes]:
    """Names and contents of all members."""
    archive = Archive(MemoryArchive(data))
    found = {member.name: bytes(member.data()) for member in archive.members(0, 1000)}
    assert archive.at_end and not archive.read_error
    return found


def shifted(data: bytes, by: int, members: bool = True, directory: bool = True) -> bytes:
    """A zip whose offsets count what precedes it, those of its members, that of its directory, or both."""
    data = bytearray(data)
    end = data.rindex(b"PK\5\6")
    at, *_ = struct.unpack_from("<L", data, end + 16)
    if directory:
        struct.pack_into("<L", data, end + 16, at + by)
    while members and data.startswith(b"PK\1\2", at):
        name, extra, comment = struct.unpack_from("<3H", data, at + 28)
        struct.pack_into("<L", data, at + 42, struct.unpack_from("<L", data, at + 42)[0] + by)
        at += 46 + name + extra + comment
    return bytes(data)


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
@pytest.mark.parametrize("members", [False, True])
@pytest.mark.parametrize("directory", [False, True])
def test_data_before_the_first_member(prefix, members, directory):
    """Whether the offsets count it or not."""
    if len(prefix) > 1 << 16 and members != directory and not members:
        pytest.skip("nothing tells where the archive begins")
    assert contents(prefix + shifted(ZIP, len(prefix), members, directory)) == ENCODED


def test_data_before_a_zip64_archive():
    """The locator does not count it."""
    body, directory, end = ZIP[: ZIP.index(b"PK\1\2")], ZIP[ZIP.index(b"PK\1\2") : ZIP.rindex(b"PK\5\6")], b""
    end += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 2, 2, len(directory), len(body))
    end += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + len(directory), 1) + zip_end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    for prefix in (b"", *PREFIXES.values()):
        assert contents(prefix + body + directory + end) == ENCODED


@pytest.mark.parametrize("length", [1, 22, 1000, 0xFFFF, 64 << 10])
@pytest.mark.parametrize("byte", [b"\0", b"P", b"\n"])
def test_data_behind_the_archive(length, byte):
    """Up to 64 KB; behind a comment, too."""
    assert contents(ZIP + byte * length) == ENCODED
    assert contents(ZIP[:-2] + b"\5\0hello" + byte * length) == ENCODED


def test_more_data_behind_the_archive_than_that():
    """The members are found by their local headers, but nothing says that they are all."""
    archive = Archive(MemoryArchive(ZIP + bytes(200_000)))
    assert {member.name: bytes(member.data()) for member in archive.members(0, 9)} == ENCODED
    assert archive.read_error == "central directory missing at the end of the file"


COMMENTS = {
    "letters": b"see PK\5\6 for more",
    "letters at the end": b"PK\5\6",
    "letters in front": b"PK\5\6" + bytes(40),
    "empty archive": zip_end(0, 0, 0),
    "empty archive, then text": zip_end(0, 0, 0) + b" is an end record",
    "record of this archive": ZIP[-22:],
    "many": b"PK\5\6" * 200,
    "another archive": raw_zip([(b"x.mid", song(3))]),
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
@pytest.mark.parametrize("behind", [b"", b"\r\n"])
def test_a_comment_with_the_letters_of_the_end_record(comment, behind):
    if comment == COMMENTS["another archive"] and not behind:
        pytest.skip("the archive in the comment is as good: it ends where the file ends")
    data = ZIP[:-2] + struct.pack("<H", len(comment)) + comment + behind
    assert contents(data) == ENCODED


def test_no_archive_at_all():
    for data in (b"", b"\n", b"PK00", b"MZ" + bytes(2000), b"PK\5\6", bytes(100) + b"PK\5\6" + bytes(30), b"x" + zip_end(0, 0, 0)):
        if data.startswith(b"PK\5\6"):
            assert not list(Archive(MemoryArchive(data)).members(0, 1))
        else:
            with pytest.raises(NotAnArchive):
                Archive(MemoryArchive(data))


def two_songs(method: int = 0, pack=bytes, system: int = 0, attributes: int = 0) -> tuple[bytes, bytes]:
    """The members and the directory of a zip."""
    body, directory = b"", b""
    for name, data in ENCODED.items():
        packed = pack(data)
        entry = bytearray(zip_entry(name, len(packed), len(data), zlib.crc32(data), len(body), method))
        entry[5] = system
        entry[38:42] = attributes.to_bytes(4, "little")
        body += zip_local(name) + packed
        directory += entry
    return body, directory


@pytest.mark.parametrize("size", [0, 10, 5000])
def test_a_directory_of_a_wrong_size(size):
    """Its offset says where it is."""
    body, directory = two_songs()
    assert contents(body + directory + zip_end(2, size, len(body))) == ENCODED


def test_a_digital_signature_behind_the_entries():
    """Counted in the size of the directory or not (APPNOTE 4.3.13)."""
    body, directory = two_songs()
    signature = b"PK\5\5" + struct.pack("<H", 3) + b"abc"
    for size in (len(directory), len(directory) + len(signature)):
        assert contents(body + directory + signature + zip_end(2, size, len(body))) == ENCODED


@pytest.mark.parametrize(("method", "pack"), [(20, lambda data: zstandard.ZstdCompressor().compress(data)), (95, lzma.compress)])
def test_methods_that_few_programs_write(method, pack):
    """zstd under its first number, and xz."""
    body, directory = two_songs(method, pack)
    assert contents(body + directory + zip_end(2, len(directory), len(body))) == ENCODED


@pytest.mark.parametrize("system", [3, 19])
def test_links_of_unix_and_macos(system):
    body, directory = two_songs(system=system, attributes=0o120777 << 16)
    assert contents(body + directory + zip_end(2, len(directory), len(body))) == {}


# Names


def with_unicode_path(old: bytes, new: bytes, crc: int, version: int = 1) -> bytes:
    """A zip of one member with a field 0x7075: version, checksum of the old name, and the new one."""
    field = struct.pack("<2HBL", 0x7075, 5 + len(new), version, crc) + new
    data = SONGS["a.mid"]
    body = zip_local(old) + data
    directory = zip_entry(old, len(data), len(data), zlib.crc32(data), 0, extra=b"\xfe\xca\1\0x" + field)
    return body + directory + zip_end(1, len(directory), len(body))


def test_the_name_in_utf8_that_replaces_another():
    """CP437 in the header, UTF-8 in the field; only while the checksum of the old name fits."""
    old, new = "Für Elise.mid".encode("cp437"), "Für Elise.mid".encode()
    assert list(contents(with_unicode_path(old, new, zlib.crc32(old)))) == [new]
    assert list(contents(with_unicode_path(b"x", new, zlib.crc32(b"x")))) == [new], "the name says the type"
    for broken in (
        with_unicode_path(old, new, 1),
        with_unicode_path(old, new, zlib.crc32(old), 2),
        with_unicode_path(old, b"", zlib.crc32(old)),
    ):
        assert list(contents(broken)) == [old]
