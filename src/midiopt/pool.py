"""The worker processes: start, deal, listen, replace.

Each worker has a pipe of its own and at most four chunks in hand: one it analyses, the others so that it
need not wait while the parent writes. The parent never blocks sending (what it deals fits a pipe's buffer)
and listens to all pipes at once. There is no queue and no lock that a killed worker could take with it.

When a worker dies, the word it shares with the parent names the file in hand. The rest of its chunks
is dealt again; that file is tried alone, and is `crashed` when two more workers died of it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Protocol

from .allocator import preload
from .errors import MidioptError
from .worker import WORD, Worker, crashed

IN_HAND = 4  # chunks a worker holds: answers of 128 files are small enough for three to wait in a pipe, of 256 for one
DEATHS_ALONE = 2  # after so many a file is given up
MOST_STILLBORN = 20


class Crew(Protocol):
    """Takes chunks of paths, gives back the messages (wire.py) with their rows."""

    def has_room(self) -> bool: ...
    def deal(self, chunk: list[bytes]) -> None: ...
    def busy(self) -> bool: ...
    def collect(self, timeout: float) -> list[bytes]: ...
    def close(self) -> None: ...


class Alone:
    """The same work in this process: one chunk at a time, no overlap and no protection from crashes."""

    def __init__(self, reader: str) -> None:
        self.worker = Worker(reader)
        self.chunks: deque[list[bytes]] = deque()

    def has_room(self) -> bool:
        return not self.chunks

    def deal(self, chunk: list[bytes]) -> None:
        self.chunks.append(chunk)

    def busy(self) -> bool:
        return bool(self.chunks)

    def collect(self, timeout: float) -> list[bytes]:
        return [self.worker.analyse(self.chunks.popleft())] if self.chunks else []

    def close(self) -> None:
        self.chunks.clear()


@dataclass
class Hand:
    """One worker process as the parent sees it."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    word: mmap.mmap
    chunks: deque[list[bytes]] = field(default_factory=deque)  # dealt and not yet answered
    answered: int = 0  # files

    def send(self, chunk: list[bytes]) -> None:
        self.chunks.append(chunk)
        with contextlib.suppress(OSError):  # it died: collect() sees its pipe close and deals the chunk again
            self.pipe.send_bytes(b"\0".join(chunk))

    def suspect(self) -> int:
        """Position of the file in hand in the chunk in hand; -1 when none was begun."""
        return WORD.unpack_from(self.word)[0] - self.answered - 1


class Pool:
    """A crew of worker processes."""

    def __init__(self, workers: int, reader: str, allocator: str) -> None:
        self.reader = reader
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **preload(allocator)}
        self.again: deque[list[bytes]] = deque()  # chunks of dead workers
        self.given_up: list[bytes] = []  # messages about files that killed their workers
        self.deaths: dict[bytes, int] = {}  # of files tried alone
        self.stillborn = 0  # workers that died before their first file, one after another
        self.workers = workers
        self.hands: list[Hand] = []  # hired when there is work for them

    def _hire(self) -> Hand:
        ours, theirs = Pipe()
        with tempfile.TemporaryFile() as shared:
            shared.truncate(WORD.size)
            word = mmap.mmap(shared.fileno(), WORD.size)
            fds = (theirs.fileno(), shared.fileno())
            command = [sys.executable, "-P", "-m", "midiopt.worker", *map(str, fds), self.reader]
            # Ctrl-C reaches a worker before it can ignore it, and would print a traceback: it starts with it blocked.
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process = subprocess.Popen(command, pass_fds=fds, stdin=subprocess.DEVNULL, env=self.environment)
            except OSError as problem:
                raise MidioptError(f"cannot start a worker process: {problem.strerror}; try fewer --workers") from problem
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        theirs.close()
        return Hand(process, ours, word)

    def has_room(self) -> bool:
        self._deal_again()
        return not self.again and (len(self.hands) < self.workers or any(len(h.chunks) < IN_HAND for h in self.hands))

    def busy(self) -> bool:
        return bool(self.again or self.given_up) or any(h.chunks for h in self.hands)

    def deal(self, chunk: list[bytes]) -> None:
        """Give a chunk to the worker with the least in hand, or to a new one while all have some."""
        if len(self.hands) < self.workers and all(h.chunks for h in self.hands):
            self.hands.append(self._hire())
        min(self.hands, key=lambda h: len(h.chunks)).send(chunk)

    def collect(self, timeout: float) -> list[bytes]:
        """Messages that have arrived; waits up to `timeout` seconds for the first."""
        messages, self.given_up = self.given_up, []
        by_pipe = {h.pipe: h for h in self.hands}
        for pipe in wait(list(by_pipe), 0 if messages else timeout):
            hand = by_pipe[pipe]  # type: ignore[index]
            try:
                messages.append(hand.pipe.recv_bytes())
                hand.answered += len(hand.chunks.popleft())
            except (EOFError, OSError):
                self._bury(hand)
        self._deal_again()
        return messages

    def _deal_again(self) -> None:
        """A suspect goes to a worker with empty hands, so that nothing else dies with it."""
        for hand in self.hands:
            if not self.again:
                return
            if not hand.chunks:
                hand.send(self.again.popleft())

    def _bury(self, hand: Hand) -> None:
        """Replace a dead worker and see to the chunks it held."""
        hand.pipe.close()
        code = _reap(hand.process, 1)
        if WORD.unpack_from(hand.word)[0]:
            self.stillborn = 0
        else:
            self.stillborn += 1
            if self.stillborn > MOST_STILLBORN:
                raise MidioptError(f"worker processes end before they begin ({_cause(code)}); their reasons stand above")
        self.hands[self.hands.index(hand)] = self._hire()
        at = hand.suspect()
        hand.word.close()
        if not hand.chunks:
            return
        first = hand.chunks.popleft()
        self.again.extend(hand.chunks)
        if not 0 <= at < len(first):
            self.again.append(first)
            return
        path = first[at]
        if len(first) == 1:
            self.deaths[path] = self.deaths.get(path, 0) + 1
            if self.deaths[path] == DEATHS_ALONE:
                self.given_up.append(crashed(path, f"the analysing process died of it: {_cause(code)}"))
                return
        rest = first[:at] + first[at + 1 :]
        if rest:
            self.again.append(rest)
        self.again.append([path])

    def close(self) -> None:
        """Send the workers home; they leave when their pipe closes."""
        for hand in self.hands:
            hand.pipe.close()
        for hand in self.hands:
            _reap(hand.process, 2)


def _reap(process: subprocess.Popen[bytes], patience: float) -> int:
    """The exit code of a process that is leaving; it is killed after `patience` seconds."""
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def crew(workers: int, reader: str = "read", allocator: str = "system") -> Crew:
    """Processes, or with one worker none at all; another allocator needs a process even then."""
    return Alone(reader) if workers == 1 and allocator == "system" else Pool(workers, reader, allocator)
