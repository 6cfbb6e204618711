"""The table of limits in SECURITY.md, from the constants that are the limits."""

from __future__ import annotations

import re
from pathlib import Path

from accuracy import markdown
from midiopt import limits
from midiopt.sources.archives import limits as archive_limits

CORE = Path(__file__).resolve().parent.parent / "src" / "midiopt" / "core"


def constant(file: str, name: str) -> int:
    """The value of a constant of the compiled code."""
    match = re.search(rf"^ +{name} = ([0-9_]+)(?: << ([0-9]+))?", (CORE / file).read_text(), re.MULTILINE)
    if not match:
        raise ValueError(f"no {name} in {file}")
    return int(match[1]) << int(match[2] or 0)


def mebibytes(size: int) -> str:
    """A size in MiB."""
    return f"{size >> 20:,} MiB"


def limits_table() -> str:
    """A row per limit, with its value and the option that changes it."""
    archives = archive_limits.DEFAULT_LIMITS
    rows = [
        ["bytes of a file or member", mebibytes(limits.MAX_FILE_BYTES), "`--max-file-bytes`"],
        ["events of a file", f"{limits.MAX_EVENTS:,}", "`--max-events`"],
        ["tracks of a file", f"{constant('smf/midi.pxd', 'MAX_TRACKS'):,}", ""],
        ["time per file", f"{limits.FILE_TIMEOUT:g} s", "`--file-timeout`"],
        ["bytes of a name that are read", f"{constant('text/encoding.pxd', 'MAX_TEXT_BYTES'):,}", ""],
        ["characters of a name", f"{constant('text/text.pyx', 'MAX_NAME_CHARACTERS'):,}", ""],
        ["track names of a file", f"{constant('text/names.pxd', 'MAX_TRACK_NAMES'):,}", ""],
        ["archives in archives", f"{archive_limits.MAX_DEPTH}", ""],
        ["expansion of an archive", f"{archive_limits.BOMB_RATIO} times, above {mebibytes(archives.bomb_min_bytes)}", ""],
        ["members of an archive", f"{archives.min_rows:,}, and 1 per {archive_limits.BYTES_PER_ROW} bytes", ""],
        ["memory that compressed data may ask for", mebibytes(archive_limits.MAX_DICTIONARY_BYTES), ""],
        ["processor time per archive", f"{archives.min_cpu_seconds:g} s, and 1 s per {mebibytes(archive_limits.CPU_BYTES_PER_SECOND)}", ""],
        ["wait for a database", f"{limits.SINK_TIMEOUT:g} s", "`--sink-timeout`"],
    ]
    return markdown.table(["limit", "value", "option"], rows)
