"""A chunk of paths to a batch of rows: what a worker process runs.

A worker is started as ``python -m midiopt.pipeline.worker PIPE WORD PARENT READER MAX_FILE_BYTES MAX_EVENTS CONTENTS SEED BELOW``.
PIPE, WORD and CONTENTS (hash_table.py) are inherited file descriptors, PARENT is the process to die with, READER is a key of
reader.READERS, and SEED and BELOW are the Lots (sampling.py) of the members of archives that are wanted. On the pipe come chunks
(paths joined by NUL) and go batches (rows.py); the word in shared memory names the file in hand, so that a death or a hang
can be laid at its door. It leaves when the pipe closes, and is killed when the parent dies. It loads neither numpy nor a
database driver: it starts in a tenth of a second.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import xxhash

from midiopt.core.analysis import Analyzer
from midiopt.errors import Damaged, MidiError, MissingExtra, TooLarge
from midiopt.kinds import NULL_INT32, NULL_TEXT
from midiopt.limits import MAX_EVENTS, MAX_FILE_BYTES
from midiopt.pipeline.hash_table import Contents
from midiopt.pipeline.heartbeat import BEGAN, BEGUN, WORD_BYTES, name_area, put_member, word
from midiopt.pipeline.sampling import EVERYTHING, Lots
from midiopt.pipeline.signals import ENDING
from midiopt.pipeline.tasks import AnalyzeFiles, FinishArchive, ReadMembers, Task, decode_task
from midiopt.rows.wire import file_row, message
from midiopt.schema import ANALYZER_VERSION, CRASHED, OK, REJECTED, REPAIRED, UNREADABLE, repair_sentence
from midiopt.sources.filename.facts import name_facts
from midiopt.sources.filetypes import is_compressed
from midiopt.sources.paths import path_text
from midiopt.sources.reader import READERS
from midiopt.sources.sniff import with_detected_type

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.pipeline.archive_worker import Unpacker

PR_SET_PDEATHSIG = 1  # Linux, sys/prctl.h
NO_HASH = bytes(16)
LONGEST = 2**31 - 1  # microseconds a column holds
MOST_SEEN = 20_000  # hashes remembered, about 2 MB: ten batches of the usual size


class Worker:
    """Owns one reader and one analyser, and with them all the memory that files need. Its word is `shared`, if given."""

    def __init__(
        self,
        reader: str = "read",
        max_file_bytes: int = MAX_FILE_BYTES,
        max_events: int = MAX_EVENTS,
        shared: mmap.mmap | bytearray | None = None,
        contents: Contents | tuple[()] = (),
        members: Lots = EVERYTHING,
    ) -> None:
        self.reader = READERS[reader](max_file_bytes)
        self.analyzer = Analyzer(max_events)
        self.word = word(bytearray(WORD_BYTES) if shared is None else shared)
        self.contents = contents
        self.members = members
        self.seen: set[bytes] = set()  # contents that were ok here, and may not be among those yet
        self.max_file_bytes = max_file_bytes
        self.name = name_area(self.word)
        self.unpacker: Unpacker | None = None

    def process(self, task: Task) -> bytes:
        """The message that answers a task."""
        if isinstance(task, AnalyzeFiles):
            return self.analyze_files(task.paths, task.are_regular)
        return self._unpack(task)

    def analyze_files(self, chunk: list[bytes], are_regular: bool = True) -> bytes:
        """The message that holds a ``files`` row for each path, and ``analyses`` rows for their contents."""
        files, analyses, heap = bytearray(), bytearray(), bytearray()
        now = time.time_ns() // 1000
        began = time.monotonic_ns()
        for path in chunk:
            self.word[BEGAN] = began
            self.word[BEGUN] += 1
            if not are_regular:
                put_file(files, heap, path, 0, 0, NO_HASH, UNREADABLE, "not a regular file", now, 0)
                continue
            status, digest, error = self._analyse_file(path, analyses, heap)
            ended = time.monotonic_ns()
            took = min((ended - began) // 1000, LONGEST)
            put_file(files, heap, path, self.reader.size_bytes, self.reader.mtime_ns, digest, status, error, now, took)
            began = ended
        return message(files, analyses, heap)

    def _analyse_file(self, path: bytes, analyses: bytearray, heap: bytearray) -> tuple[int, bytes, str | None]:
        """(status, content hash, error) of one file; its facts are appended."""
        try:
            self.reader.read(path)
            if path[-1] in b"zZ" and is_compressed(path):
                from midiopt.sources.archives.decompress import gunzipped

                return self._analyse_bytes(gunzipped(self.reader, self.max_file_bytes), analyses, heap)
        except OSError as problem:
            return UNREADABLE, NO_HASH, problem.strerror
        except (Damaged, MissingExtra) as problem:
            return UNREADABLE, NO_HASH, str(problem)
        except TooLarge as problem:
            return REJECTED, NO_HASH, str(problem)
        except MemoryError:
            return UNREADABLE, NO_HASH, "not enough memory to read it"
        return self._analyse_bytes(self.reader, analyses, heap)

    def _analyse_bytes(self, data: Buffer, analyses: bytearray, heap: bytearray) -> tuple[int, bytes, str | None]:
        """(status, content hash, error) of some content; its facts are appended.

        A copy of content that was `ok` before is not analysed again. If it was here, its row left in this
        or an earlier message, and messages of one worker are written in their order.
        """
        digest = xxhash.xxh3_128_digest(data)
        if digest in self.seen or digest in self.contents:
            return OK, digest, None
        try:
            issues, first, at = self.analyzer.analyze(data, digest, ANALYZER_VERSION, analyses, heap)
        except MidiError as problem:
            return REJECTED, digest, str(with_detected_type(problem, data))
        except MemoryError:
            return UNREADABLE, digest, "not enough memory for its events"
        if first:
            return REPAIRED, digest, repair_sentence(issues, first, at)
        if len(self.seen) == MOST_SEEN:
            self.seen.clear()
        self.seen.add(digest)
        return OK, digest, None

    def _unpack(self, task: ReadMembers | FinishArchive) -> bytes:
        """The message about members of an archive, or the archive itself."""
        if self.unpacker is None:
            from midiopt.pipeline.archive_worker import Unpacker  # 10 ms and 1.3 MB that most workers never need

            self.unpacker = Unpacker(self)
        self.rows, self.analyses, self.heap = bytearray(), bytearray(), bytearray()
        self.word[BEGAN] = time.monotonic_ns()
        self.word[BEGUN] += 1
        report = self.unpacker.answer(task)
        return message(self.rows, self.analyses, self.heap, report.encode())

    # What follows is asked for by unpack.Rows.

    def begin(self, number: int, part: int, path: bytes) -> None:
        put_member(self.word, self.name, number, part, path)
        self.alive()

    def alive(self) -> None:
        self.word[BEGAN] = time.monotonic_ns()

    def wants(self, path: bytes) -> bool:
        return self.members == EVERYTHING or self.members.take(path_text(path))

    def put(self, path: bytes, size: int, mtime_ns: int, status: int, error: str | None, digest: bytes = NO_HASH) -> None:
        took = min((time.monotonic_ns() - self.word[BEGAN]) // 1000, LONGEST)
        put_file(self.rows, self.heap, path, size, mtime_ns, digest, status, error, time.time_ns() // 1000, took)

    def content(self, path: bytes, size: int, mtime_ns: int, data: bytes | memoryview) -> None:
        status, digest, error = self._analyse_bytes(data, self.analyses, self.heap)
        self.put(path, size, mtime_ns, status, error, digest)


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
        *(path_at, error_at - path_at, size, mtime_ns, digest, status, error_at, error_length, ANALYZER_VERSION, now, took),
        *name_facts(path),
    )  # the order of schema.FILES


def crashed(path: bytes, reason: str, note: bytes = b"") -> bytes:
    """The message for a file or member that killed every worker that tried it, or kept them too long."""
    files, heap = bytearray(), bytearray()
    try:
        info = os.stat(path)
        size, mtime_ns = info.st_size, min(info.st_mtime_ns, 2**63 - 1)  # a file system may know later years
    except OSError:
        size = mtime_ns = 0
    put_file(files, heap, path, size, mtime_ns, NO_HASH, CRASHED, reason, time.time_ns() // 1000, NULL_INT32)
    return message(files, bytearray(), heap, note)


def serve(pipe: Connection, worker: Worker) -> None:
    """Answer chunks until the pipe closes."""
    while True:
        try:
            pipe.send_bytes(worker.process(decode_task(pipe.recv_bytes())))
        except (EOFError, ConnectionError):
            return


def die_with(parent: int) -> None:
    """Be killed when the parent dies, in the middle of a file too: the pipe is only looked at between chunks."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before
        sys.exit()


def main() -> None:
    pipe, shared, parent, reader, max_file_bytes, max_events, contents, seed, below = sys.argv[1:]
    die_with(int(parent))
    for number in ENDING:  # they may reach the whole group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)  # blocked by the parent until here
    memory = mmap.mmap(int(shared), WORD_BYTES)
    members = Lots(int(seed), int(below))
    serve(Connection(int(pipe)), Worker(reader, int(max_file_bytes), int(max_events), memory, Contents(int(contents)), members))


if __name__ == "__main__":
    main()
