"""midiopt analyze --dry-run: what a run would do."""

from __future__ import annotations

from argparse import Namespace

from midiopt.cli.console import NOTHING_FOUND, passed, print_error
from midiopt.cli.json_output import described, print_json
from midiopt.wording import printable_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from midiopt.library.dry_run import DryRun, Found
    from midiopt.pipeline.options import RunOptions

COUNTS = 42  # columns of the names and numbers, before examples


def show_dry_run(arguments: Namespace, options: RunOptions) -> int:
    """Print what the run would do; returns the exit code that the run would have, as far as that is known."""
    import sys
    from dataclasses import asdict
    from shutil import get_terminal_size

    from midiopt.cli.fit import fit_path
    from midiopt.library.dry_run import dry_run
    from midiopt.sinks.urls import without_password

    result, database = dry_run(arguments.sources, arguments.db, options), without_password(arguments.db)
    if arguments.json or arguments.jsonl:
        print_json(described("analyze", database) | {"dry_run": True, "files": result.files} | asdict(result))
    else:
        print(printable_text(f"dry run: nothing is written to {database}"))
        room = get_terminal_size().columns - COUNTS if sys.stdout.isatty() else None
        for line in map(printable_text, _lines(result)):
            print(line if room is None else line[:COUNTS] + fit_path(line[COUNTS:], room))
    for problem in result.problems:
        print_error(f"not read: {problem}")
    for refusal in result.refusals:
        print_error(refusal)
    if not result.files:
        print_error(NOTHING_FOUND)
    for sentence in passed(result):
        print_error(sentence)
    if result.refusals:
        return 1
    return 3 if result.problems or not result.files else 0


def _lines(result: DryRun) -> list[str]:
    lines = [
        *_found("new", result.new, always=True),
        *_found("to be analysed again", result.changed),
        _line("unchanged", result.unchanged),
        *_found("missing", result.missing),
        *_found("moved (same size and time)", result.moved),
        *_found("back unchanged", result.returned),
    ]
    if result.missing_before:
        lines.append(_line("missing since an earlier run", result.missing_before))
    if result.archives:
        lines.append(_line("archives to be opened", result.archives))
    return [*lines, _line("rows to be deleted", result.to_prune)]


def _found(name: str, found: Found, always: bool = False) -> list[str]:
    if not found.files:
        return [_line(name, 0)] if always else []
    first, *others = found.examples
    more = [f"{'':{COUNTS}}..."] if found.files > len(found.examples) else []
    return [f"{_line(name, found.files)}  {first}", *(f"{'':{COUNTS}}{path}" for path in others), *more]


def _line(name: str, count: int) -> str:
    return f"  {name:<28}{count:>10,}"
