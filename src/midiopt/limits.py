"""Defaults of the options and their valid range, in one place for the command line, run() and the workers.

The command line imports this to parse its arguments, so it imports next to nothing.
"""

from __future__ import annotations

import math

DATABASE = "midiopt.db"
PROCESSES, DASK_LOCAL, DASK = "processes", "dask:local", "dask://"  # where files are analysed
BATCH_SIZE = 2048  # files per transaction: written in the time that the workers need for their queued tasks

FILE_TIMEOUT = 30.0  # seconds; of 16,894 real and malformed files the slowest took 0.005, 8,000,000 events take 0.23
MAX_FILE_BYTES = 64 << 20  # the largest real MIDI files have a few MB
MAX_EVENTS = 8_000_000  # 128 MB of arena

MAX_FILE_BYTES_CAP = 2 << 30  # offsets in a file are 32 bits
MAX_EVENTS_CAP = 100_000_000  # core/smf/midi.pxd, which bounds every buffer by it

# Batches of 2,048 rows into a server on the same two busy cores, best and median of six alternating rounds, in thousand
# rows/s: 52 and 35 with one writer, 57 and 46 with two, 58 and 40 with three, 66 and 44 with four; with a new connection
# per batch 28 and 21 with one writer, 38 and 28 with two.
WRITERS = 2  # batches that PostgreSQL commits at the same time
VERIFIED_FILES = 1000  # in the sample of `verify`
SINK_TIMEOUT = 300.0  # seconds: a server that is restarted or upgraded is back before

_SECONDS = ("sink_timeout", "file_timeout")  # above 0 and finite
_COUNTS = ("workers", "batch_size", "writers", "max_file_bytes", "max_events")  # integers from 1
_MAX = {"max_file_bytes": MAX_FILE_BYTES_CAP, "max_events": MAX_EVENTS_CAP}


def check_option(name: str, value: object) -> None:
    """Raise ValueError when an option of RunOptions cannot have this value."""
    if name in _SECONDS and not (isinstance(value, (int, float)) and 0 < value < math.inf):
        raise ValueError(f"must be a positive number of seconds, not {value!r}")
    if name == "prune" and value not in (False, True, "all"):
        raise ValueError(f"must be False, True or 'all', not {value!r}")
    if name in _COUNTS and not (name == "workers" and value is None):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"must be a positive integer, not {value!r}")
        if value > _MAX.get(name, value):
            raise ValueError(f"must be at most {_MAX[name]}, not {value}")


def check_executor(name: str) -> str:
    """The name. Raises ValueError if there is no such executor."""
    host, colon, port = name.removeprefix(DASK).rstrip("/").rpartition(":")
    if name not in (PROCESSES, DASK_LOCAL) and not (name.startswith(DASK) and host and colon and port.isdecimal()):
        raise ValueError(f"there is no executor {name!r}; use {PROCESSES}, {DASK_LOCAL} or {DASK}HOST:PORT")
    return name
