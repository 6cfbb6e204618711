"""What a file may ask for before it is given up: the defaults, and how far the options may go."""

from __future__ import annotations

FILE_TIMEOUT = 30.0  # seconds; of 16,894 real and malformed files the slowest took 0.005, 8,000,000 events take 0.23
MAX_FILE_BYTES = 64 << 20  # the largest real MIDI files have a few MB
MAX_EVENTS = 8_000_000  # 128 MB of arena

MAX_FILE_BYTES_CAP = 2 << 30  # offsets in a file are 32 bits
MAX_EVENTS_CAP = 100_000_000  # core/smf/midi.pxd, which bounds every buffer by it
