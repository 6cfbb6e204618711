"""Sizes, times and counts with a suffix: 64M, 30s, 8M."""

from __future__ import annotations

import re

BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}  # also KB, KiB
SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
COUNTS = {"": 1, "k": 1000, "m": 1_000_000}


def parse_bytes(text: str) -> int:
    """A size in bytes. Raises ValueError."""
    number, unit = _parts(text)
    return _whole(number, BYTES[re.sub(r"(?<=[kmgt])i?b\Z|\Ab\Z", "", unit)])


def parse_count(text: str) -> int:
    """A number of things. Raises ValueError."""
    number, unit = _parts(text)
    return _whole(number, COUNTS[unit])


def parse_seconds(text: str) -> float:
    """A time in seconds. Raises ValueError."""
    try:
        return float(text)  # infinity and NaN, too, which are out of range
    except ValueError:
        number, unit = _parts(text)
        return float(number) * SECONDS[unit]


def bytes_text(size: int) -> str:
    """A size in the largest unit that gives a whole number."""
    return _text(size, BYTES).upper()


def seconds_text(seconds: float) -> str:
    """A time in the largest unit that gives a whole number."""
    return _text(int(seconds), {"s": 1, "m": 60, "h": 3600})


def count_text(count: int) -> str:
    """A count in the largest unit that gives a whole number."""
    return _text(count, COUNTS).upper()


def _parts(text: str) -> tuple[str, str]:
    found = re.fullmatch(r"([+-]?[0-9][0-9_]*(?:\.[0-9]*)?)\s*([A-Za-z]*)", text.strip())  # compiled where it is needed only
    if not found:
        raise ValueError(text)
    return found[1], found[2].lower()


def _whole(number: str, unit: int) -> int:
    value = float(number) * unit if "." in number else int(number) * unit
    if value != int(value):
        raise ValueError(number)
    return int(value)


def _text(value: int, units: dict[str, int]) -> str:
    name, unit = max((item for item in units.items() if value % item[1] == 0), key=lambda item: item[1])
    return f"{value // unit}{name}"
