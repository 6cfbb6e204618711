"""Defaults of limits and timeouts, and the upper bounds of the options."""

from __future__ import annotations

FILE_TIMEOUT = 30.0  # seconds; of 16,894 real and malformed files the slowest took 0.005, 8,000,000 events take 0.23
MAX_FILE_BYTES = 64 << 20  # the largest real MIDI files have a few MB
MAX_EVENTS = 8_000_000  # 128 MB of arena

MAX_FILE_BYTES_CAP = 2 << 30  # offsets in a file are 32 bits
MAX_EVENTS_CAP = 100_000_000  # core/smf/midi.pxd, which bounds every buffer by it

# Batches of 2,048 rows into a server on the same two busy cores, best and median of six alternating rounds, in thousand
# rows/s: 52 and 35 with one writer, 57 and 46 with two, 58 and 40 with three, 66 and 44 with four; with a new connection
# per batch 28 and 21 with one writer, 38 and 28 with two.
WRITERS = 2  # batches that PostgreSQL commits at the same time
SINK_TIMEOUT = 300.0  # seconds: a server that is restarted or upgraded is back before
