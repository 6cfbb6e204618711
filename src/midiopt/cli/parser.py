"""The parser of a command: help by what people need, errors of one line, and close spellings."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import MappingProxyType

from midiopt.wording import printable_text

TYPE_CHECKING = False  # see midiopt/__init__.py
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from _typeshed import SupportsWrite


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` with the known word that is spelled most like this one, or nothing."""
    from difflib import get_close_matches  # which only errors need

    words = list(known)
    begun = [other for other in words if word.strip("-") and other.startswith(word)]
    close = begun[:1] or get_close_matches(word, words, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _indented(text: str, width: int) -> str:
    import textwrap  # which only help needs

    return textwrap.fill(text, max(width - 4, 20), initial_indent="    ", subsequent_indent="    ")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with the commands in a table of their own, and room for the longest options before what they mean."""

    def __init__(self, prog: str, **settings: Any) -> None:
        super().__init__(prog, max_help_position=26, **settings)

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        """Without the indent, which the base class forgets when it computes the width of the column."""
        yield from action._get_subactions() if isinstance(action, argparse._SubParsersAction) else ()

    def _format_action(self, action: argparse.Action) -> str:
        if isinstance(action, argparse._SubParsersAction):
            return "".join(map(super()._format_action, action._get_subactions()))
        return super()._format_action(action)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        """`-o, --output FILE`, as from Python 3.13 on, and `--prune[=all]`."""
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        if action.nargs == "?":  # an option of Parser.values
            return f"{', '.join(action.option_strings)}[={action.metavar}]"
        return f"{', '.join(action.option_strings)} {self._format_args(action, self._get_default_metavar_for_optional(action))}"


class Parser(argparse.ArgumentParser):
    """A parser of command lines whose errors quote arguments in printable characters only.

    Options stand in titled groups, the help shows them in the order of the groups, and ``-h`` with the last. An option of ``values``
    takes one after an equals sign only, so that it never takes the source that follows it.
    """

    values: Mapping[str, str] = MappingProxyType({})  # by option, the value that it has without one
    has_query: bool = False  # whether its arguments are words of a search, which may begin with a minus sign, as may the values of options
    examples: Sequence[tuple[str, str]] = ()  # command lines, each with what it does
    list_terms: Callable[[], Sequence[tuple[str, str]]] | None = None  # of a search, each with what it means; only help imports them

    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Formatter, **settings)

    def group(self, title: str) -> argparse._ArgumentGroup:
        """The group of options with this title."""
        return next((group for group in self._action_groups if group.title == title), None) or self.add_argument_group(title)

    def complete(self) -> None:
        """Add ``-h`` to the last group that has options, and write a usage line that names the positional arguments only."""
        group = next((group for group in reversed(self._action_groups) if group._group_actions), self._optionals)
        group.add_argument("-h", "--help", action="help", help="show this help")
        words = [_usage_of(action) for action in self._get_positional_actions()]
        self.usage = " ".join([self.prog.replace("%", "%%"), *words, "[OPTION ...]"])

    def format_help(self) -> str:
        """Usage, description, examples, then the groups of options."""
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(argparse.HelpFormatter._fill_text(formatter, self.description or "", formatter._width, ""))
        if self.examples:
            formatter.start_section("examples")
            formatter.add_text(self._examples(formatter._width))
            formatter.end_section()
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        if self.list_terms:
            formatter.start_section("terms of a search")
            formatter.add_text("\n".join(f"{examples}\n{_indented(meaning, formatter._width)}" for examples, meaning in self.list_terms()))
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def _examples(self, room: int) -> str:
        """Command lines with what each does beside it, or on a narrow terminal below it."""
        width = max(len(example) for example, _ in self.examples)
        lines = [f"{example:{width}}  {meaning}" for example, meaning in self.examples]
        if max(map(len, lines)) > room:  # argparse leaves two columns free, which the indent takes
            lines = [f"{example}\n    {meaning}" for example, meaning in self.examples]
        return "\n".join(lines)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """Complete the options that stand without a value, and refuse options that there are not."""
        words = list(sys.argv[1:] if args is None else args)
        end = words.index("--") if "--" in words else len(words)
        words[:end] = [self._with_value(word) for word in words[:end]]
        if self.has_query:
            words, end = self._query_last(words, end)
        for word in words[:end]:
            if self._subparsers and not word.startswith("-"):
                break  # the command: what follows is its own
            if _is_option(word):
                self._check_option(word.partition("=")[0])
        found, more = super().parse_known_args(words, namespace)
        if more:
            meant = [f"{action.option_strings[-1]}={action.metavar}" for action in self._optional_values() if action.metavar in more]
            self.error(f"too many arguments: {' '.join(more)}{suggestion(meant[0], meant) if meant else ''}")
        return found, more

    def _optional_values(self) -> list[argparse.Action]:
        """The options that may stand without a value."""
        return [self._option_string_actions[option] for option in self.values]

    def _with_value(self, word: str) -> str:
        """The word, with a value if it is an option of ``values`` without one, or the only one that begins so."""
        begun = [option for option in self._option_string_actions if _is_option(word) and option.startswith(word)]
        return f"{begun[0]}={self.values[begun[0]]}" if len(begun) == 1 and begun[0] in self.values else word

    def _query_last(self, words: list[str], end: int) -> tuple[list[str], int]:
        """The options, then `--` and the words of the search; where the words begin."""
        options, query, at = [], words[end + 1 :], 0
        searched = []
        while at < end:
            word = words[at]
            at += 1
            if not _is_option(word) or (not word.startswith("--") and len(word) > 2):
                searched.append(word)
                continue
            name, equals, _ = word.partition("=")
            found = [action for option, action in self._option_string_actions.items() if option == name or name in _beginnings(option)]
            if found and found[0].nargs is None and not isinstance(found[0], argparse._HelpAction) and not equals and at < end:
                options.append(f"{word}={words[at]}" if word.startswith("--") else word + words[at])
                at += 1
            else:
                options.append(word)
        return [*options, "--", *searched, *query], len(options)

    def _check_option(self, name: str) -> None:
        """Before argparse says that an argument is missing, which may be there under a misspelled name."""
        options = list(self._option_string_actions)
        is_known = any(option.startswith(name) for option in options) if name.startswith("--") else name[:2] in options
        if not is_known:
            place = " before the command" if self._subparsers else ""
            self.error(f"there is no option {name}{place}{suggestion(name, options)}")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Say what there is instead, the closest spelling first."""
        choices = list(action.choices or ())
        if choices and value not in choices:
            what = "command" if action.metavar == "COMMAND" else "value"
            there_are = suggestion(str(value), choices) or f"; there are {', '.join(map(str, choices))}"
            if what == "command" and self._subparsers and os.path.lexists(str(value)):
                there_are = f"; did you mean {self.prog} analyze {value}?"
            raise argparse.ArgumentError(None if what == "command" else action, f"there is no {what} {value!r}{there_are}")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """argparse passes over a write that fails, as the first one does where PYTHONUNBUFFERED is set, in containers."""
        if file is not None and file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        """Print the message and how to get help on one line, and exit with code 2."""
        message = re.sub(r"the following arguments are required: ([^,]*)\Z", r"\1 is missing", message)
        message = re.sub(r"the following arguments are required: (.*)", r"\1 are missing", message, flags=re.DOTALL)
        message = re.sub(
            r"one of the arguments (.*) is required", lambda found: f"one of {found[1].replace(' ', ', ')} is missing", message
        )
        end = " " if message.endswith("?") else "; "
        self.exit(2, f"{self.prog}: {printable_text(message)}{end}{self.prog} --help explains the arguments\n")


def _beginnings(option: str) -> list[str]:
    """How a long option may be cut."""
    return [option[:end] for end in range(3, len(option))] if option.startswith("--") else []


def _is_option(word: str) -> bool:
    """As argparse sees it: "-", numbers and what has a space are arguments."""
    return word.startswith("-") and " " not in word and word[1:2] not in ".0123456789"


def _usage_of(action: argparse.Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    return {"+": f"{name} ...", "*": f"[{name} ...]", "?": f"[{name}]"}.get(str(action.nargs), name)
