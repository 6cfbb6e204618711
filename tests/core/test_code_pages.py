"""The share of right names per encoding (accuracy/names.py) stays at its level, and kernel and reference agree byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accuracy.names import ENCODINGS, NAMES, TOGETHER, names_in, read, share_right
from reference.code_pages import PRIORS, best_code_page
from reference.text import decode_code_page, utf8_state

# Of names that are alone in their file. With Shift-JIS, CP1252 and GBK alone, before: CP1252 0.995, Shift-JIS 0.970, GBK 0.995,
# CP1250 0.195 (names without a letter of its own), all others 0.
LEVELS = {
    "utf-8": 1, "cp1252": 1, "cp932": 0.985, "gbk": 1, "cp1251": 1, "koi8-r": 1, "cp949": 1, "cp950": 0.995,
    "cp1250": 0.94, "cp437": 0.855, "mac-roman": 0.955,
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_level_is_kept(encoding):
    assert len(set(names_in(encoding))) == NAMES
    assert share_right(encoding) >= LEVELS[encoding]
    assert share_right(encoding, TOGETHER) == 1


@pytest.mark.parametrize("encoding", PRIORS)
def test_every_pair_of_bytes_is_decoded_as_python_decodes_it(encoding):
    """After names that settle the code page, of more bytes than are tried."""
    settling = [name.encode(encoding) for name in names_in(encoding)]
    assert len(b"".join(settling)) > 1024
    for first in range(0x80, 0x100):
        pairs = [b"_" + bytes([first, second]) + b"_" for second in range(0x21, 0x100) if second != 0x7B]
        pairs = [pair for pair in pairs if utf8_state(pair) == "no"]
        expected = [decode_code_page(text, encoding) for text in [*settling, *pairs]]
        assert read([*settling, *pairs]) == list(dict.fromkeys(expected))


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4))
def test_kernel_and_reference_choose_alike(texts):
    texts = [b"_" + text.replace(b"\0", b"").replace(b"{", b"") + b"_" for text in texts]
    states = [utf8_state(text) for text in texts]
    if "cut" not in states:
        page = best_code_page([text for text, state in zip(texts, states, strict=True) if state == "no"])
        expected = [text.decode() if state == "utf-8" else decode_code_page(text, page) for text, state in zip(texts, states, strict=True)]
        assert read(texts) == list(dict.fromkeys(expected))
