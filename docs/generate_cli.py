"""The options of every command as Markdown, made from the argument parser: part of docs/cli.md."""

from __future__ import annotations

import argparse
import os

from midiopt.cli.main import make_parser
from midiopt.cli.parser import Parser

WIDTH = "100"  # columns of the usage lines


def commands() -> dict[str, Parser]:
    """The parser of each command by its name, in the order of ``midiopt --help``."""
    [subparsers] = (action for action in make_parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(subparsers.choices)


def page() -> str:
    """A section for each command: usage, description, examples, and a table for each group of its arguments."""
    os.environ["COLUMNS"] = WIDTH
    return "\n\n".join(_section(name, parser) for name, parser in commands().items())


def _section(name: str, parser: Parser) -> str:
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    width = max(len(example) for example, _ in parser.examples)
    examples = "\n".join(f"{example:{width}}  # {meaning}" for example, meaning in parser.examples)
    parts = [f"### midiopt {name}", parser.description or "", f"```text\n{usage}\n```", f"```sh\n{examples}\n```"]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if not isinstance(action, argparse._HelpAction)]
        if not actions:
            continue
        parts.append("\n".join([f"| {group.title} | meaning |", "| --- | --- |", *(_row(parser, action) for action in actions)]))
    return "\n\n".join(parts)


def _row(parser: Parser, action: argparse.Action) -> str:
    formatter = parser._get_formatter()
    name = formatter._format_action_invocation(action)
    meaning = formatter._expand_help(action) if action.help else ""
    return f"| `{name}` | {meaning} |".replace("\\", "\\\\")
