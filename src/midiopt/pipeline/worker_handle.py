"""One worker process as the parent sees it: its pipe, its heartbeat and the tasks that it has not answered yet."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import subprocess
import sys
import time
from collections import deque

from midiopt.errors import MidioptError
from midiopt.pipeline.allocator import preload
from midiopt.pipeline.experiments import Experiments
from midiopt.pipeline.hash_table import SharedHashTable
from midiopt.pipeline.heartbeat import HEARTBEAT_BYTES, Heartbeat
from midiopt.pipeline.message_pipe import MessagePipe
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.sampling import PathSample
from midiopt.pipeline.signals import STOP_SIGNALS
from midiopt.pipeline.tasks import Task, encode_task, item_count
from midiopt.pipeline.worker_arguments import WorkerArguments
from midiopt.sources.system import shared_memory

EXIT_TIMEOUT = 1.0  # seconds that a process has to end after its pipe was closed, and again after it was killed


class WorkerHandle:
    """Starts a worker process. Raises MidioptError when the system starts no more of them."""

    program = "midiopt.pipeline.worker"  # the module that the process runs; benchmarks run another one

    def __init__(
        self, options: RunOptions, experiments: Experiments, table: SharedHashTable, members: PathSample, shares_analyses: bool
    ) -> None:
        self.pipe = MessagePipe()
        theirs = self.pipe.theirs
        self.queue: deque[Task] = deque()  # sent and not answered, in order
        self.answered_items = 0  # files and archive tasks
        self.progress_at = 0  # when it got work or sent something, in ns of the monotonic clock
        fd = shared_memory("midiopt-heartbeat")
        files = theirs.fileno(), fd, table.fd
        arguments = WorkerArguments(os.getpid(), *files, options, experiments.reader, members, shares_analyses)
        command = [sys.executable, "-P", "-m", self.program, arguments.to_json()]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)} | preload(experiments.allocator)
        # A signal to the process group could arrive before the worker ignores it, so it starts with both signals blocked.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            os.truncate(fd, HEARTBEAT_BYTES)
            self.heartbeat = Heartbeat(mmap.mmap(fd, HEARTBEAT_BYTES))
            inherited = theirs.fileno(), fd, table.fd
            self.process = subprocess.Popen(command, pass_fds=inherited, stdin=subprocess.DEVNULL, env=environment)
        except OSError as problem:
            self.pipe.close()
            raise MidioptError(f"cannot start a worker process: {problem.strerror}; try fewer --workers") from problem
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()
            os.close(fd)

    def send(self, task: Task) -> None:
        """Append a task to the worker's queue."""
        if not self.queue:
            self.progress_at = time.monotonic_ns()
        self.queue.append(task)
        with contextlib.suppress(OSError):  # the worker has died: receive() fails, and the task is sent again to another one
            self.pipe.send(encode_task(task))

    def send_rest(self) -> None:
        """Send what the pipe had no room for."""
        with contextlib.suppress(OSError):  # as above
            self.pipe.send_rest()

    def receive(self) -> tuple[Task, bytes] | None:
        """The oldest task in the queue and the message that answers it; None while the message is incomplete.

        Raises EOFError or OSError when the worker has died.
        """
        message = self.pipe.receive()
        self.progress_at = time.monotonic_ns()
        if message is None:
            return None
        task = self.queue.popleft()
        self.answered_items += item_count(task)
        return task, message

    def current_index(self) -> int:
        """Index of the current item within the first task of the queue; -1 when the worker has not started it."""
        return self.heartbeat.items_started - self.answered_items - 1

    def is_late(self, seconds: float) -> bool:
        """Whether the worker has work, and has for this long neither begun the next item nor sent a part of an answer.

        What it has sent and the parent has not read yet counts as progress: the parent may have waited for the database.
        """
        started = self.heartbeat.items_started
        progress_at = max(self.heartbeat.started_at, self.progress_at)
        late = bool(self.queue) and time.monotonic_ns() - progress_at > seconds * 1e9
        return late and not self.pipe.has_data() and self.heartbeat.items_started == started

    def kill(self) -> None:
        """End the process at once; what it has not answered is lost."""
        self.process.kill()
        self.pipe.close()

    def wait(self) -> str:
        """Wait until the process has ended, and say how: the name of a signal, or the exit code.

        A process that does not end is killed after EXIT_TIMEOUT seconds, and after as many more left behind: it waits for
        a disk that does not answer.
        """
        self.pipe.close()
        code = -signal.SIGKILL
        for _ in range(2):
            try:
                code = self.process.wait(EXIT_TIMEOUT)
                break
            except subprocess.TimeoutExpired:
                self.process.kill()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
