"""A chunk of paths to a batch of rows: what a worker process runs, and the parent itself with one worker.

A worker is started as ``python -m midiopt.worker PIPE WORD READER``, where PIPE and WORD are inherited
file descriptors and READER is a key of reader.READERS. On the pipe come chunks (paths joined by NUL) and
go batches (rows.py); the word in shared memory names the file in hand, so that a death can be laid at its
door. It leaves when the pipe closes, as it does when the parent dies. It loads neither numpy nor a
database driver: it starts in a tenth of a second.
"""

from __future__ import annotations

import mmap
import signal
import struct
import sys
import time
from multiprocessing.connection import Connection

import xxhash

from .core.analysis import Analyzer
from .errors import MidiError
from .looks import explained
from .paths import path_text
from .reader import READERS
from .schema import ANALYZER_VERSION, CRASHED, NULL_INT, NULL_TEXT, OK, REJECTED, REPAIRED, UNREADABLE, repair_sentence
from .wire import file_row, message
from .work import UNOPENED

WORD = struct.Struct("<q")  # files begun since the worker started
NO_HASH = bytes(16)
LONGEST = 2**31 - 1  # microseconds a column holds
MOST_SEEN = 100_000  # hashes remembered, about 10 MB


class Worker:
    """Owns one reader and one analyser, and with them all the memory that files need."""

    def __init__(self, reader: str = "read") -> None:
        self.reader = READERS[reader]()
        self.analyzer = Analyzer()
        self.begun = 0
        self.seen: set[bytes] = set()  # contents that were ok

    def analyse(self, paths: list[bytes], word: mmap.mmap | None = None) -> bytes:
        """The message that holds a ``files`` row for each path, and ``analyses`` rows for their contents."""
        files, analyses, heap = bytearray(), bytearray(), bytearray()
        now = time.time_ns() // 1000
        began = time.monotonic_ns()
        for path in paths:
            self.begun += 1
            if word is not None:
                WORD.pack_into(word, 0, self.begun)
            if path.startswith(UNOPENED):
                put_file(files, heap, path[1:], 0, 0, NO_HASH, UNREADABLE, "not a regular file", now, 0)
                continue
            status, digest, error = self._analyse_file(path, analyses, heap)
            ended = time.monotonic_ns()
            took = min((ended - began) // 1000, LONGEST)
            put_file(files, heap, path, self.reader.size_bytes, self.reader.mtime_ns, digest, status, error, now, took)
            began = ended
        return message(files, analyses, heap)

    def _analyse_file(self, path: bytes, analyses: bytearray, heap: bytearray) -> tuple[int, bytes, str | None]:
        """(status, content hash, error) of one file; its facts are appended.

        A copy of content that was `ok` here before is not analysed again: its row left in this or an
        earlier message, and messages of one worker are written in their order.
        """
        digest = NO_HASH
        try:
            self.reader.read(path)
            digest = xxhash.xxh3_128_digest(self.reader)
            if digest in self.seen:
                return OK, digest, None
            issues, first, at = self.analyzer.analyze(self.reader, digest, ANALYZER_VERSION, analyses, heap)
        except OSError as problem:
            return UNREADABLE, NO_HASH, problem.strerror
        except MidiError as problem:
            return REJECTED, digest, str(explained(problem, self.reader))
        except MemoryError:
            return UNREADABLE, digest, "not enough memory for its events"
        if first:
            return REPAIRED, digest, repair_sentence(issues, first, at)
        if len(self.seen) == MOST_SEEN:
            self.seen.clear()
        self.seen.add(digest)
        return OK, digest, None


def put_file(
    files: bytearray,
    heap: bytearray,
    path: bytes,
    size: int,
    mtime_ns: int,
    digest: bytes,
    status: int,
    error: str | None,
    now: int,
    took: int,
) -> None:
    """Append a ``files`` row; ``now`` in microseconds since 1970, ``took`` in microseconds."""
    path_at = len(heap)
    heap += path_text(path).encode()
    error_at = len(heap)
    error_length = NULL_TEXT
    if error is not None:
        heap += error.encode()
        error_length = len(heap) - error_at
    files += file_row(
        path_at, error_at - path_at, size, mtime_ns, digest, status, error_at, error_length, ANALYZER_VERSION, now, took
    )  # the order of schema.FILES


def crashed(path: bytes, reason: str) -> bytes:
    """The message for a file that killed every worker that tried it."""
    files, heap = bytearray(), bytearray()
    put_file(files, heap, path, 0, 0, NO_HASH, CRASHED, reason, time.time_ns() // 1000, NULL_INT["int32"])
    return message(files, bytearray(), heap)


def serve(pipe: Connection, word: mmap.mmap, reader: str) -> None:
    """Answer chunks until the pipe closes."""
    worker = Worker(reader)
    while True:
        try:
            chunk = pipe.recv_bytes()
            pipe.send_bytes(worker.analyse(chunk.split(b"\0"), word))
        except (EOFError, ConnectionError):
            return


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked by the parent until here
    serve(Connection(int(sys.argv[1])), mmap.mmap(int(sys.argv[2]), WORD.size), sys.argv[3])
