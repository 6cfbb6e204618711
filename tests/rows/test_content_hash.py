"""The keyed hash of contents, against its definition in Python's integers, and what depends on its key."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from accuracy.corpus import FILES
from midiopt.errors import SinkError
from midiopt.rows.content_hash import ContentHash
from midiopt.sinks import open_sink
from tests.helpers.batches import query, sqlite_path
from tests.helpers.processes import ask, finish, stored_hash, tables
from tests.helpers.songs import song

PRIME = 2**61 - 1
KEY = bytes(range(32))


def defined_hash(key: bytes, data: bytes) -> bytes:
    """As the module describes it, block by block."""
    material = hashlib.shake_256(b"midiopt content hash" + key).digest(8 * 130)
    words = [int.from_bytes(material[i : i + 8], "little") for i in range(0, len(material), 8)]
    keys, points = words[:128], [word % PRIME for word in words[128:]]
    coefficients = [1]
    for start in range(0, max(len(data), 1), 1024):
        block = data[start : start + 1024]
        block += bytes(-len(block) % 16)
        m = [int.from_bytes(block[i : i + 8], "little") for i in range(0, len(block), 8)]
        total = sum((m[i] + keys[i]) % 2**64 * ((m[i + 1] + keys[i + 1]) % 2**64) for i in range(0, len(m), 2)) % 2**128
        coefficients += [total % 2**61 & PRIME, total >> 61 & PRIME, total >> 122]
    coefficients.append(len(data))
    values = []
    for point in points:
        value = 0
        for coefficient in coefficients:
            value = (value * point + coefficient) % PRIME
        values.append(value.to_bytes(8, "little"))
    return b"".join(values)


SIZES = st.sampled_from([0, 1, 15, 16, 17, 1008, 1023, 1024, 1025, 1040, 2047, 2048, 2049, 5000])
CONTENTS = st.builds(lambda size, seed: hashlib.shake_128(bytes([seed])).digest(size), SIZES, st.integers(0, 255)) | st.binary()
EXTREMES = st.builds(lambda size, byte: bytes([byte]) * size, SIZES, st.sampled_from([0, 255]))


@given(st.binary(max_size=40), CONTENTS | EXTREMES)
def test_it_is_what_it_is_defined_to_be(key, data):
    assert ContentHash(key).digest(data) == defined_hash(key, data)
    assert ContentHash(key).digest(memoryview(bytearray(data))) == defined_hash(key, data)


def test_it_stays_what_it_was():
    """A database keeps the hashes of earlier versions."""
    assert ContentHash(KEY).digest(b"MThd" + bytes(2000)).hex() == "c7e0205d9da78c0c8f0974c370a7eb06"


def test_contents_that_differ_in_little():
    """In a bit, a trailing zero, the order of blocks or words, or in nothing but where a block ends."""
    data = hashlib.shake_128(b"1").digest(3000)
    contents = {bytes(data[:i]) + bytes([data[i] ^ 1 << bit]) + bytes(data[i + 1 :]) for i in range(0, 3000, 7) for bit in range(8)}
    contents |= {data[:size] for size in range(3000)} | {data[:900] + bytes(size) for size in range(300)}
    contents |= {data[1024:2048] + data[:1024] + data[2048:], data[8:16] + data[:8] + data[16:], data[16:32] + data[:16] + data[32:]}
    digest = ContentHash(KEY).digest
    assert len({digest(content) for content in contents}) == len(contents)
    assert ContentHash(b"other").digest(data) != digest(data)


def test_each_database_has_a_key_of_its_own(tmp_path, pg_url):
    for url in (f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db", pg_url):
        keys = []
        for _ in range(2):
            with open_sink(url) as sink:
                keys.append(sink.content_key)
        assert keys[0] == keys[1] and len(keys[0]) == 32
        assert query(url, "SELECT value FROM meta WHERE key = 'content_key'") == [(keys[0].hex(),)]
    one, other = (ask(tmp_path / name, "SELECT value FROM meta WHERE key = 'content_key'") for name in ("a.db", "b.db"))
    assert one != other


def test_a_database_without_a_key_gets_one(url, tmp_path):
    """One of an earlier version: it stays readable, and equal bytes are equal again once they are analysed again."""
    for name in ("1.mid", "2.mid"):
        (tmp_path / name).write_bytes(song(1))
    midiopt.run([tmp_path / "1.mid"], url)
    query(url, "DELETE FROM meta WHERE key = 'content_key'")
    old = midiopt.analyze(tmp_path / "1.mid").content_hash
    quoted = f"X'{old.hex()}'" if url.startswith("sqlite") else f"'\\x{old.hex()}'"
    query(url, f"UPDATE files SET content_hash = {quoted}, analyzer_version = 1")
    query(url, f"UPDATE analyses SET content_hash = {quoted}, analyzer_version = 1")
    assert finish("verify", "--db", url, module="midiopt").returncode == 0
    assert midiopt.run([tmp_path / "1.mid", tmp_path / "2.mid"], url).duplicates == 1
    assert query(url, "SELECT count(*) FROM analyses") == [(1,)]
    assert [row[0] for row in query(url, "SELECT DISTINCT content_hash FROM files")] == [stored_hash(path_of(url), song(1))]


def path_of(url: str) -> Path | str:
    return sqlite_path(url) if url.startswith("sqlite") else url


def test_a_damaged_key_is_refused(url):
    """Contents would be taken for new ones, and verify would report every row."""
    open_sink(url).close()
    query(url, "UPDATE meta SET value = 'x' WHERE key = 'content_key'")
    with pytest.raises(SinkError, match="the content_key in the table meta is not one that midiopt has made"):
        open_sink(url)
    assert "content_key" in finish("verify", "--db", url, module="midiopt").stderr


FIELD = FILES.parent.parent / "field" / "reliability"


@pytest.mark.skipif(not (FIELD / "same_hash_1.mid").exists(), reason="no field files")
def test_files_that_were_made_to_have_one_hash(tmp_path):
    """One XXH3-128, different music: two rows, no duplicates, and each verifies."""
    files = [FIELD / "same_hash_1.mid", FIELD / "same_hash_2.mid"]
    assert len({midiopt.analyze(path).content_hash for path in files}) == 1
    db = tmp_path / "x.db"
    summary = midiopt.run(files, db)
    assert (summary.ok + summary.repaired, summary.duplicates) == (2, 0)
    assert len(tables(db)[1]) == 2
    assert finish("verify", "--db", db, module="midiopt").returncode == 0
