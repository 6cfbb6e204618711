"""What a worker process needs to start, as the one argument of its command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.sampling import PathSample


@dataclass(frozen=True)
class WorkerArguments:
    """The parent's process ID, three inherited file descriptors, and how the worker is to work."""

    parent: int
    pipe: int
    heartbeat: int
    hash_table: int
    options: RunOptions
    reader: str  # a key of sources.readers.READERS
    members: PathSample  # which members of archives to analyse
    shares_analyses: bool  # whether a file may refer to an analysis in another message

    def to_json(self) -> str:
        """The argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> WorkerArguments:
        """The inverse of :meth:`to_json`."""
        fields = json.loads(text)
        options, members = RunOptions(**fields.pop("options")), PathSample(*fields.pop("members"))
        return cls(options=options, members=members, **fields)
