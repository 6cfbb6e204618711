"""Keys of rows: the last row with each, and hashes that are absent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from midiopt.rows.batch import Batch
from midiopt.schema import ANALYSES, FILES
from midiopt.sinks.batch_rows import last_row_per_key
from midiopt.sinks.row_keys import absent
from tests.helpers.batches import analysis_row, file_row, make_batch

HASHES = st.sampled_from([n.to_bytes(16) for n in (1, 2, 1 << 64, 1 << 120)])
PATHS = st.sampled_from(["/", "/a", "/1234567", "/1234567/", "/12345678", "/12345678/12345678", "/é"])


def last(keys: list) -> list[int]:
    """The number of the last item with each key, in order."""
    return sorted({key: i for i, key in enumerate(keys)}.values())


@given(st.lists(PATHS))
def test_of_rows_with_one_path_the_last_is_kept(paths):
    batch = make_batch([file_row(path=path, size_bytes=i) for i, path in enumerate(paths)])
    assert last_row_per_key(FILES, batch)["size_bytes"].tolist() == last(paths)


@given(st.lists(HASHES))
def test_of_rows_with_one_hash_the_last_is_kept(hashes):
    batch = make_batch(analyses=[analysis_row(content_hash=key, bpm=i) for i, key in enumerate(hashes)])
    assert last_row_per_key(ANALYSES, batch)["bpm"].tolist() == last(hashes)


def test_rows_without_equal_keys_are_not_copied():
    batch = make_batch([file_row(path=f"/{i}") for i in range(5000)])
    assert last_row_per_key(FILES, batch) is batch.files
    assert len(last_row_per_key(FILES, Batch(batch.files[:0], batch.analyses, b""))) == 0


@given(st.lists(HASHES), st.lists(HASHES))
def test_absent_hashes_are_found(wanted, known):
    assert absent(b"".join(wanted), b"".join(known)) == set(wanted) - set(known)
