"""The worker processes: start, deal, listen, replace.

Each worker has a pipe of its own and at most four chunks in hand: one it analyses, the others so that it
need not wait while the parent writes. The parent never blocks sending (what it deals fits a pipe's buffer)
and listens to all pipes at once. There is no queue and no lock that a killed worker could take with it.

When a worker dies, the word it shares with the parent names the file in hand. The rest of its chunks
is dealt again; that file is tried alone, and is `crashed` when two more workers died of it. A worker that
keeps a file for too long is killed, and then has died of it. A crew of one is a process too: that costs
3.5 % more processor time than analysing in the parent (30,000 files on one core), and no file can end the run.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait

from midiopt.errors import MidioptError
from midiopt.limits import FILE_TIMEOUT, MAX_EVENTS, MAX_FILE_BYTES
from midiopt.pipeline.allocator import preload
from midiopt.pipeline.archive_scheduler import Unpacking
from midiopt.pipeline.crashed import crashed_row_message
from midiopt.pipeline.hash_table import Contents
from midiopt.pipeline.heartbeat import HEARTBEAT_BYTES, Heartbeat
from midiopt.pipeline.sampling import EVERYTHING, Lots
from midiopt.pipeline.signals import ENDING
from midiopt.pipeline.tasks import AnalyzeFiles, ArchiveReport, ReadMembers, Task, encode_task
from midiopt.rows.wire import note_of
from midiopt.run_log import event

IN_HAND = 4  # chunks a worker holds: answers of 128 files are small enough for three to wait in a pipe, of 256 for one
DEATHS_ALONE = 2  # after so many a file is given up
MOST_STILLBORN = 20
LOOK_EVERY = 0.25  # seconds between two looks at the clock of every worker


@dataclass(frozen=True)
class Settings:
    """What all workers of a run are told. See orchestrator.run."""

    reader: str = "read"
    allocator: str = "system"
    file_timeout: float = FILE_TIMEOUT
    max_file_bytes: int = MAX_FILE_BYTES
    max_events: int = MAX_EVENTS
    members: Lots = EVERYTHING  # of archives


@dataclass
class Hand:
    """One worker process as the parent sees it."""

    process: subprocess.Popen[bytes]
    pipe: Connection
    heartbeat: Heartbeat
    tasks: deque[Task] = field(default_factory=deque)  # dealt and not yet answered
    answered: int = 0  # files

    def send(self, task: Task) -> None:
        self.tasks.append(task)
        with contextlib.suppress(OSError):  # it died: collect() sees its pipe close and deals the task again
            self.pipe.send_bytes(encode_task(task))

    def suspect(self) -> int:
        """Position of the file in hand in the chunk in hand; -1 when none was begun."""
        return self.heartbeat.items_started - self.answered - 1

    def is_late(self, seconds: float) -> bool:
        """Whether the file in hand began longer ago than that. With an answer to be collected none is in hand."""
        begun, began = self.heartbeat.items_started, self.heartbeat.started_at
        late = begun > self.answered and time.monotonic_ns() - began > seconds * 1e9
        return late and not self.pipe.poll() and self.heartbeat.items_started == begun


class Pool:
    """A crew of worker processes: takes chunks of paths, gives back the messages (wire.py) with their rows."""

    def __init__(self, workers: int, settings: Settings, contents: Contents) -> None:
        self.settings = settings
        self.contents = contents
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **preload(settings.allocator)}
        self.environment = {**os.environ, **environment}
        self.again: deque[Task] = deque()  # tasks of dead workers
        self.given_up: list[bytes] = []  # messages about files that killed their workers
        self.deaths: dict[bytes, int] = {}  # of files tried alone
        self.stillborn = 0  # workers that died before their first file, one after another
        self.workers = workers
        self.hands: list[Hand] = []  # hired when there is work for them
        self.next_look = 0.0
        self.unpacking = Unpacking()

    def _hire(self) -> Hand:
        ours, theirs = Pipe()
        shared = os.memfd_create("midiopt")
        settings = self.settings
        command = [sys.executable, "-P", "-m", "midiopt.pipeline.worker", str(theirs.fileno()), str(shared), str(os.getpid())]
        command += [settings.reader, str(settings.max_file_bytes), str(settings.max_events), str(self.contents.fd)]
        command += map(str, settings.members)
        # A signal to the group reaches a worker before it can ignore it: it starts with them blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            os.truncate(shared, HEARTBEAT_BYTES)
            memory = mmap.mmap(shared, HEARTBEAT_BYTES)
            inherited = theirs.fileno(), shared, self.contents.fd
            process = subprocess.Popen(command, pass_fds=inherited, stdin=subprocess.DEVNULL, env=self.environment)
        except OSError as problem:
            raise MidioptError(f"cannot start a worker process: {problem.strerror}; try fewer --workers") from problem
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
            os.close(shared)
        return Hand(process, ours, Heartbeat(memory))

    def has_room(self) -> bool:
        self._deal_again()
        self._deal_pieces()
        return not self.again and (len(self.hands) < self.workers or any(len(h.tasks) < IN_HAND for h in self.hands))

    def busy(self) -> bool:
        return bool(self.again or self.given_up) or any(h.tasks for h in self.hands)

    def deal(self, task: Task) -> None:
        """Give a task to the worker with the least in hand, or to a new one while all have some."""
        if len(self.hands) < self.workers and all(h.tasks for h in self.hands):
            self.hands.append(self._hire())
        min(self.hands, key=lambda h: len(h.tasks)).send(task)
        if isinstance(task, ReadMembers):
            self.unpacking.begin(task)

    def _deal_pieces(self) -> None:
        """The archives in work come before new chunks."""
        while len(self.hands) < self.workers and self.unpacking.is_shared() and all(h.tasks for h in self.hands):
            self.hands.append(self._hire())
            self._deal_piece(self.hands[-1])
        for hand in self.hands:
            while len(hand.tasks) < IN_HAND and self._deal_piece(hand):
                pass

    def _deal_piece(self, hand: Hand) -> bool:
        task = self.unpacking.take(hand)
        if task:
            hand.send(task)
        return bool(task)

    def collect(self, timeout: float) -> list[bytes]:
        """Messages that have arrived; waits up to `timeout` seconds for the first."""
        messages, self.given_up = self.given_up, []
        by_pipe = {h.pipe: h for h in self.hands}
        for pipe in wait(list(by_pipe), 0 if messages else timeout):
            hand = by_pipe[pipe]  # type: ignore[index]
            try:
                messages.append(hand.pipe.recv_bytes())
                if not hand.answered:
                    self.stillborn = 0
                task = hand.tasks.popleft()
                hand.answered += _items(task)
                if not isinstance(task, AnalyzeFiles):
                    self.unpacking.answered(task, ArchiveReport.decode(note_of(messages[-1])), hand)
            except (EOFError, OSError):
                self._bury(hand)
        self._end_the_late()
        self._deal_again()
        return messages

    def _end_the_late(self) -> None:
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + LOOK_EVERY
        seconds = self.settings.file_timeout
        for hand in list(self.hands):
            if hand.is_late(seconds):
                hand.process.kill()
                self._bury(hand, f"it took more than {seconds:g} seconds")

    def _deal_again(self) -> None:
        """A suspect goes to a worker with empty hands, so that nothing else dies with it."""
        for hand in self.hands:
            if not self.again:
                return
            if not hand.tasks:
                hand.send(self.again.popleft())

    def _bury(self, hand: Hand, late: str = "") -> None:
        """Replace a dead worker and see to the chunks it held."""
        hand.pipe.close()
        code = _reap(hand.process, 1)
        event("retry", reason=late or f"a worker ended: {_cause(code)}", files=sum(map(_items, hand.tasks)))
        if hand.heartbeat.items_started:
            self.stillborn = 0
        else:
            self.stillborn += 1
            if self.stillborn > MOST_STILLBORN:
                raise MidioptError(f"worker processes end before they begin ({_cause(code)}); their reasons stand above")
        self.hands[self.hands.index(hand)] = fresh = self._hire()
        self.unpacking.moved(hand, fresh)
        if not hand.tasks:
            return
        at = hand.suspect()
        first = hand.tasks.popleft()
        self.again.extend(hand.tasks)
        if not 0 <= at < _items(first):
            self.again.append(first)
            return
        task, rest = first, first
        if isinstance(first, AnalyzeFiles):
            task = first._replace(paths=[first.paths[at]])
            rest = first._replace(paths=first.paths[:at] + first.paths[at + 1 :])
        elif isinstance(first, ReadMembers):
            pieces = first.split_around(*hand.heartbeat.member[:2])
            if len(pieces) > 1:
                self.unpacking.split(first, len(pieces))
                self.again.extendleft(reversed(pieces))
                return
        if _items(first) == 1:
            key = encode_task(task)
            self.deaths[key] = self.deaths.get(key, 0) + 1
            # an archive's task was not tried alone before
            if self.deaths[key] == DEATHS_ALONE + (not isinstance(task, AnalyzeFiles)):
                self._give_up(task, late or f"the analysing process died of it: {_cause(code)}", hand)
                return
        elif isinstance(rest, AnalyzeFiles):
            self.again.append(rest)
        self.again.append(task)

    def _give_up(self, task: Task, reason: str, hand: Hand) -> None:
        if isinstance(task, AnalyzeFiles):
            self.given_up.append(crashed_row_message(task.paths[0], reason))
            return
        self.unpacking.answered(task, None)
        report = ArchiveReport(members=int(isinstance(task, ReadMembers) and task.members.is_single_part))
        self.given_up.append(crashed_row_message(hand.heartbeat.member[2], reason, report.encode()))

    def close(self) -> None:
        """Send the workers away, whatever they have in hand: rows that were not collected are not wanted."""
        for hand in self.hands:
            hand.process.kill()
            hand.pipe.close()
        for hand in self.hands:
            _reap(hand.process, 1)


def _items(task: Task) -> int:
    """Entries of the heartbeat's count that a task makes."""
    return len(task.paths) if isinstance(task, AnalyzeFiles) else 1


def _reap(process: subprocess.Popen[bytes], patience: float) -> int:
    """The exit code of a process that is leaving; it is killed after `patience` seconds.

    What even then does not end (it waits for a disk that does not answer) is left behind.
    """
    for _ in range(2):
        try:
            return process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
    return -signal.SIGKILL


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
