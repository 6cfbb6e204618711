"""SIGINT and SIGTERM: the first ends a run in order, the second at once."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)
AT_ONCE = "midiopt: stopped at once; whole batches are kept, run the same command again to go on"
PATIENCE = 2.0  # seconds that a run has to end by itself after the second signal
SHOW_CURSOR = b"\x1b[?25h"  # the progress line hides it


def leave_quietly() -> None:
    """From here on either signal ends the process, with its exit code and without a traceback.

    Called before the imports that take time; a run takes the signals over while it lasts. Python gets to know
    of a signal between two of its own steps, and a database may take minutes for one (an index, for instance):
    a thread hears of it at once, and ends the process when a second one has been of no avail.
    While Python itself ends they change nothing: it would let the process die of them, without the exit code.
    """
    for number in ENDING:
        signal.signal(number, lambda number, frame: os._exit(128 + number))
    atexit.register(lambda: [signal.signal(number, signal.SIG_IGN) for number in ENDING])
    listening, calling = os.pipe()
    os.set_blocking(calling, False)
    signal.set_wakeup_fd(calling)
    threading.Thread(target=_leave_at_the_second, args=(listening,), daemon=True).start()


def _leave_at_the_second(listening: int) -> None:
    heard = 0
    while heard < 2:
        number = os.read(listening, 1)[0]
        heard += number in ENDING
    time.sleep(PATIENCE)
    os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + AT_ONCE.encode() + b"\n")
    os._exit(128 + number)


class Stop:
    """False until a signal asks the run to end; then ``signal`` is its number and ``since`` when it came."""

    def __init__(self) -> None:
        self.signal = 0
        self.since = 0.0  # time.monotonic()

    def __bool__(self) -> bool:
        return self.signal != 0

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        if self:
            raise KeyboardInterrupt(number)
        self.signal, self.since = number, time.monotonic()


@contextlib.contextmanager
def stop_on_signals(stop: Stop) -> Iterator[None]:
    """The first SIGINT or SIGTERM sets `stop`; a second one raises KeyboardInterrupt with its number."""
    before = {}
    with contextlib.suppress(ValueError):  # only the main thread may; elsewhere signals stay as they are
        for number in ENDING:
            before[number] = signal.signal(number, stop.on_signal)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
