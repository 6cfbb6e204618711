"""The chunks of a file, and whether their lengths fit."""

from __future__ import annotations

import re

END = b"\xff\x2f\0"


def length_at(data: bytes, chunk: int) -> int:
    """The length that a chunk header states."""
    return int.from_bytes(data[chunk + 4 : chunk + 8], "big")


def is_chunk(data: bytes, at: int) -> bool:
    """Whether a track begins here, or a chunk of another kind that fits into the file."""
    if len(data) - at < 8:
        return False
    fits = length_at(data, at) <= len(data) - at - 8
    return data[at : at + 4] == b"MTrk" or bool(fits and re.fullmatch(rb"[A-Za-z0-9 ]{4}", data[at : at + 4]))


def chunks(data: bytes, at: int) -> list[int]:
    """Where the chunks of a song begin that the lengths lead to; the last item is what is behind them."""
    found = [at]
    while is_chunk(data, found[-1]) and data[found[-1] : found[-1] + 4] != b"MThd":
        found.append(found[-1] + 8 + length_at(data, found[-1]))
    return found


def is_whole(data: bytes, at: int) -> bool:
    """Whether a track begins here, and its length leads to End of Track."""
    fits_in = len(data) - at - 8 >= length_at(data, at)
    return fits_in and data[at : at + 4] == b"MTrk" and data[at + 8 : at + 8 + length_at(data, at)].endswith(END)


def fits(data: bytes) -> bool:
    """Whether all lengths lead from chunk to chunk, and every track ends with End of Track."""
    count, found = int.from_bytes(data[10:12], "big"), chunks(data, 14)
    tracks = [at for at in found[:-1] if data[at : at + 4] == b"MTrk"]
    if len(data) < 14 or length_at(data, 0) != 6 or data[:4] != b"MThd" or not tracks or data[12:14] == b"\0\0":
        return False
    if (count == 0 or len(tracks) < count) and found[-1] != len(data):
        return False
    return all(data[at + 8 : at + 8 + length_at(data, at)].endswith(END) for at in tracks[: count or None])
