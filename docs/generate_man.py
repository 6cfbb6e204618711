"""The man page midiopt(1), made from the argument parser: src/midiopt/cli/shell/midiopt.1."""

from __future__ import annotations

import re

from docs.generate_cli import commands
from midiopt.cli.arguments import DATABASE_VARIABLE
from midiopt.cli.main import COMMANDS, make_parser
from midiopt.core import build

START = """.\\" Written by python -m docs.generate.
.TH MIDIOPT 1 "" "midiopt {version}" "User Commands"
.SH NAME
midiopt \\- turn a collection of MIDI files into a database of musical facts
.SH SYNOPSIS
.B midiopt
.I COMMAND
.RI [ OPTION
.RI ...]
.SH DESCRIPTION
midiopt reads MIDI files, also in archives, and writes one row per file with its tempo, meter, key, chords, instruments and what is
wrong with it into SQLite or PostgreSQL. A second run analyses only new and changed files.
.SH COMMANDS
"""
END = """.SH ENVIRONMENT
.TP
.B {variable}
the database of a command that names none; without it, midiopt.db in the current folder
.SH EXIT STATUS
.TP
.B 0
the run finished; verify: no value differs
.TP
.B 1
it could not finish, or \\-\\-prune was refused; show: a file could not be shown; verify: a value differs
.TP
.B 2
wrong usage, or none of the sources can be read
.TP
.B 3
the run finished, but something named could not be read, or no MIDI file was found
.TP
.B 130, 143
stopped by Ctrl-C or SIGTERM; everything done so far is written
"""


def page() -> str:
    """The page in roff."""
    parts = [START.format(version=build.version)]
    parts += [f".TP\n.BR midiopt\\ {_escaped(name)}\n{_escaped(summary)}\n" for name, summary in COMMANDS.items()]
    parts.append(".PP\nSizes may have a suffix (64M is 64 MiB), times ms, s, m or h (30s), other numbers k or M (8M is 8,000,000).\n")
    for name, parser in commands().items():
        formatter = parser._get_formatter()
        usage = parser.format_usage().removeprefix("usage: ").strip()
        parts.append(f".SH MIDIOPT {name.upper()}\n.B {_escaped(usage)}\n.PP\n{_escaped(parser.description or '')}\n")
        for group in parser._action_groups:
            if group._group_actions:
                parts.append(f".SS {_escaped((group.title or '').capitalize())}\n")
            for action in group._group_actions:
                name_and_value = formatter._format_action_invocation(action)
                meaning = formatter._expand_help(action) if action.help else ""
                parts.append(f".TP\n.B {_escaped(name_and_value)}\n{_escaped(meaning)}\n")
        parts.append(".SS Examples\n")
        parts += [f".TP\n.B {_escaped(example)}\n{_escaped(meaning)}\n" for example, meaning in parser.examples]
    examples = [f".TP\n.B {_escaped(example)}\n{_escaped(meaning)}\n" for example, meaning in make_parser(()).examples]
    return "".join([*parts, END.format(variable=DATABASE_VARIABLE), ".SH EXAMPLES\n", *examples])


def _escaped(text: str) -> str:
    """As roff takes it: no hyphen is broken or becomes a dash, and no line is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace('"', "\\(dq").replace("~", "\\(ti")
    return re.sub(r"^\.", r"\\&.", text, flags=re.MULTILINE)
