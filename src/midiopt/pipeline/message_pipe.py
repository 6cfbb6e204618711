"""The pipe between the parent and a worker: messages of any size, each after its length, 4 bytes with the high one first.

The parent's end never blocks: a worker that is frozen while it answers cannot hold the parent. Bytes that the pipe has no room for
are kept until the next call; a message is returned when it is complete. The worker's end blocks. Neither uses
multiprocessing.connection, whose import takes 26 ms of processor time more than what this imports.
"""

from __future__ import annotations

import os
import select
import socket
import struct

_LENGTH = struct.Struct("!i")
REST_TIMEOUT = 5  # milliseconds in which the rest of a message follows: a wake-up of the event loop for each part costs more


class WorkerPipe:
    """The worker's end, made of the descriptor that it inherits. Raises EOFError or ConnectionError when the parent has gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def poll(self) -> bool:
        """Whether there is something to read, if only the end."""
        return _has_data(self._descriptor, 0)

    def recv_bytes(self) -> bytes:
        """The next message."""
        [length] = _LENGTH.unpack(self._read(_LENGTH.size))
        return self._read(length)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:  # nearly always once
            part = os.read(self._descriptor, size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def send_bytes(self, message: bytes) -> None:
        """Send a message."""
        sent = os.writev(self._descriptor, (_LENGTH.pack(len(message)), message)) - _LENGTH.size
        while sent < len(message):
            sent += os.write(self._descriptor, memoryview(message)[sent:])

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class MessagePipe:
    """Sends and receives messages. ``theirs`` is the end that the worker inherits, and the parent closes."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._descriptor, self.theirs = ours.detach(), WorkerPipe(theirs.detach())
        os.set_blocking(self._descriptor, False)
        self._unsent = bytearray()
        self._header = bytearray(_LENGTH.size)
        self._message: bytearray | None = None  # None while the length is incomplete
        self._missing = memoryview(self._header)  # what has not arrived of the length, then of the message

    def fileno(self) -> int:
        """The descriptor, -1 when closed."""
        return self._descriptor

    def send(self, message: bytes) -> None:
        """Send a message, as much of it as there is room for. Raises OSError when the worker has died."""
        self._unsent += _LENGTH.pack(len(message)) + message
        self.send_rest()

    def send_rest(self) -> None:
        """Send what there was no room for."""
        while self._unsent:
            try:
                del self._unsent[: os.write(self._descriptor, self._unsent)]
            except BlockingIOError:
                return

    def receive(self) -> bytes | None:
        """The next message; None while it is incomplete. Raises EOFError or OSError when the worker has died."""
        while True:
            try:
                count = os.readv(self._descriptor, [self._missing])
            except BlockingIOError:
                if self._message is None or not _has_data(self._descriptor, REST_TIMEOUT):
                    return None
                continue
            if not count:
                raise EOFError
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
        return _has_data(self._descriptor, 0)

    def close(self) -> None:
        """Close the parent's end; closing it twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def wait(pipes: list[MessagePipe], seconds: float) -> list[int]:
    """Descriptors of the pipes with something to read; waits at most so long for the first one."""
    poll = select.poll()
    for pipe in pipes:
        poll.register(pipe.fileno(), select.POLLIN)
    return [descriptor for descriptor, _ in poll.poll(seconds * 1000)]


def _has_data(descriptor: int, milliseconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(milliseconds))
