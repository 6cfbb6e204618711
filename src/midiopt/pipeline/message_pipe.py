"""The parent's end of a worker's pipe, which never blocks: a worker that is frozen while it answers cannot hold the parent.

The worker's end is a multiprocessing.connection.Connection, whose format this is: a message follows its length, 4 bytes with
the high one first. Bytes that the pipe has no room for are kept until the next call; a message is returned when it is complete.
"""

from __future__ import annotations

import os
import struct
from multiprocessing import Pipe

_LENGTH = struct.Struct("!i")  # Connection writes a longer header for 2 GiB and more, which no message has
REST_TIMEOUT = 0.005  # seconds in which the rest of a message follows: a wake-up of the event loop for each part costs more


class MessagePipe:
    """Sends and receives messages. ``theirs`` is the end that the worker inherits, and the parent closes."""

    def __init__(self) -> None:
        self._pipe, self.theirs = Pipe()
        os.set_blocking(self._pipe.fileno(), False)
        self._unsent = bytearray()
        self._header = bytearray(_LENGTH.size)
        self._message: bytearray | None = None  # None while the length is incomplete
        self._missing = memoryview(self._header)  # what has not arrived of the length, then of the message
        self.received_bytes = 0  # in all: whether the worker makes progress

    def fileno(self) -> int:
        """For multiprocessing.connection.wait()."""
        return self._pipe.fileno()

    def send(self, message: bytes) -> None:
        """Send a message, as much of it as there is room for. Raises OSError when the worker has died."""
        self._unsent += _LENGTH.pack(len(message)) + message
        self.send_rest()

    def send_rest(self) -> None:
        """Send what there was no room for."""
        while self._unsent:
            try:
                del self._unsent[: os.write(self.fileno(), self._unsent)]
            except BlockingIOError:
                return

    def receive(self) -> bytes | None:
        """The next message; None while it is incomplete. Raises EOFError or OSError when the worker has died."""
        while True:
            try:
                count = os.readv(self.fileno(), [self._missing])
            except BlockingIOError:
                if self._message is None or not self._pipe.poll(REST_TIMEOUT):
                    return None
                continue
            if not count:
                raise EOFError
            self.received_bytes += count
            self._missing = self._missing[count:]
            if self._missing:
                continue
            if self._message is None:
                [length] = _LENGTH.unpack(self._header)
                if length <= 0:
                    raise EOFError  # not from a sane worker
                self._message = bytearray(length)
                self._missing = memoryview(self._message)
                continue
            message, self._message, self._missing = bytes(self._message), None, memoryview(self._header)
            return message

    def has_data(self) -> bool:
        """Whether there is something to read, if only the end."""
        return self._pipe.poll()

    def close(self) -> None:
        """Close the parent's end."""
        self._pipe.close()
