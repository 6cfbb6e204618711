"""SIGINT and SIGTERM: the first one ends a run in order, the second one at once."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOP_MESSAGE = "midiopt: stopping, results so far are written; the same signal again aborts"
ABORT_MESSAGE = "midiopt: aborted; complete batches are kept, run the same command again to resume"
SECOND_SIGNAL_GRACE = 2.0  # seconds that a run has to end by itself after the second signal
SHOW_CURSOR = b"\x1b[?25h"  # the progress line hides it


def install_exit_handlers() -> None:
    """From now on either signal ends the process with exit code 128 + N and without a traceback.

    Call it before slow imports; a run installs its own handlers while it lasts (Stop.on_signals). Python calls a handler
    only between two bytecodes, and a database may take minutes for one of them (building an index, for instance). So a
    thread reads each signal from the wake-up pipe and ends the process when the second one has had no effect. During
    interpreter shutdown both signals are ignored: Python would restore the default action and lose the exit code.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, frame: os._exit(128 + number))
    atexit.register(lambda: [signal.signal(number, signal.SIG_IGN) for number in STOP_SIGNALS])
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    threading.Thread(target=_exit_on_second_signal, args=(read_end,), daemon=True).start()


def _exit_on_second_signal(read_end: int) -> None:
    received = 0
    while received < 2:
        number = os.read(read_end, 1)[0]
        received += number in STOP_SIGNALS
    time.sleep(SECOND_SIGNAL_GRACE)
    os.write(2, (SHOW_CURSOR if os.isatty(2) else b"") + ABORT_MESSAGE.encode() + b"\n")
    os._exit(128 + number)


class Stop:
    """Whether a signal has asked the run to end."""

    def __init__(self) -> None:
        self.signal = 0  # its number
        self.since = 0.0  # time.monotonic() at its arrival

    def is_requested(self) -> bool:
        """Whether the run is to end."""
        return self.signal != 0

    def seconds(self) -> float:
        """Seconds since the request; 0 without one."""
        return time.monotonic() - self.since if self.signal else 0.0

    def request(self, number: int, frame: FrameType | None = None) -> None:
        """Signal handler: ask the run to end, and say so. Raises KeyboardInterrupt with the signal's number at the second call."""
        if self.signal:
            raise KeyboardInterrupt(number)
        self.signal, self.since = number, time.monotonic()
        # Not print(), which the signal may have interrupted. In a terminal the line begins behind the ^C that it echoes.
        os.write(2, (b"\n" if os.isatty(2) else b"") + STOP_MESSAGE.encode() + b"\n")

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """While the with block runs, the first SIGINT or SIGTERM is a request and the second one raises KeyboardInterrupt."""
        before = {}
        with contextlib.suppress(ValueError):  # only the main thread may set handlers; in other threads signals stay as they are
            for number in STOP_SIGNALS:
                before[number] = signal.signal(number, self.request)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
