"""The documentation is complete and current."""

from __future__ import annotations

import argparse
import re
import sys
from functools import reduce
from pathlib import Path
from typing import get_overloads

import pytest

import midiopt
from docs import generate, generate_cli, generate_first_song
from midiopt.cli import quantities
from midiopt.pipeline.options import RunOptions
from midiopt.pipeline.summary import Summary
from midiopt.schema import STATUSES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize(("page", "name", "text"), generate.BLOCKS, ids=[f"{page}:{name}" for page, name, _ in generate.BLOCKS])
def test_generated_blocks_are_current(page, name, text):
    """``python -m docs.generate`` writes them again."""
    assert f"<!-- begin {name} -->\n{text()}\n<!-- end {name} -->" in (ROOT / page).read_text()


@pytest.mark.parametrize("path", generate.FILES, ids=lambda path: path.name)
def test_generated_files_are_current(path):
    assert path.read_text() == generate.FILES[path]()


def test_the_first_commands_print_what_their_page_shows():
    """``python -m docs.generate_first_song`` writes it again. How fast the first one is differs from run to run."""
    page = generate_first_song.PAGE.read_text()
    analysed, *others = generate_first_song.outputs()
    assert analysed[: analysed.index("│ analysed")] in page
    for printed in others:
        assert f"\n{printed}\n```" in page


def test_the_readme_is_a_front_door():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 110


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    """Every relative link and picture; absolute ones are not followed."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_tests_named_by_the_standard_exist():
    """Each row of docs/smf.md names a test."""
    rows = [line for line in (ROOT / "docs" / "smf.md").read_text().splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    rows = [line for line in rows if not line.endswith(" test |")]
    for row in rows:
        named = re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row)
        assert named, row
        assert f"\ndef {named[2]}(" in (ROOT / "tests" / "core" / named[1]).read_text(), row


def test_every_option_has_a_row():
    """The whole option, so that --all is not satisfied by --allocator."""
    text = (ROOT / "docs" / "cli.md").read_text()
    for name, parser in generate_cli.commands().items():
        for action in parser._actions:
            if not isinstance(action, argparse._HelpAction):
                for option in action.option_strings:
                    assert re.search(rf"^\| `(?:-\w, )?{option}[ `,[]", text, re.M), f"midiopt {name} {option}"


def test_the_json_of_every_command_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \| ", (ROOT / "docs" / "json.md").read_text(), re.M)
    print_json = {name for name, parser in generate_cli.commands().items() if "--json" in parser._option_string_actions}
    assert print_json and print_json <= {*rows}
    text = (ROOT / "docs" / "json.md").read_text()
    assert all(f"`{name}`" in text for name in Summary().to_json() if name not in STATUSES)


def test_defaults_are_as_documented():
    text = (ROOT / "docs" / "cli.md").read_text()
    options = RunOptions()
    times = map(quantities.seconds_text, (options.file_timeout, options.sink_timeout))
    numbers = (quantities.bytes_text(options.max_file_bytes), quantities.count_text(options.max_events), str(options.batch_size))
    for default in (*times, *numbers):
        assert re.search(rf"default: {default}\b", text), default


def test_commands_in_the_readme_exist():
    """Each ``midiopt COMMAND`` and ``make TARGET`` of the README."""
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    shell = "".join(re.findall(r"```sh\n(.*?)```", readme, re.DOTALL))
    assert set(re.findall(r"^midiopt (\w+)", shell, re.M)) <= set(generate_cli.commands())
    assert set(re.findall(r"\bmake (\w+)", readme)) <= targets


def test_every_make_target_has_a_line_in_help():
    makefile = (ROOT / "Makefile").read_text()
    [targets] = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    assert set(targets.split()) == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))


def test_classes_in_documented_signatures_are_documented():
    """`make docs` refuses a signature with a name that leads nowhere."""
    names = re.findall(r"auto(?:function|class):: midiopt\.([\w.]+)", (ROOT / "docs" / "python.md").read_text())
    documented = [reduce(getattr, name.split("."), midiopt) for name in names]
    functions = [function for item in documented if callable(item) for function in (item, *get_overloads(item))]
    for function in functions:
        scope = vars(sys.modules[function.__module__])
        for annotation in getattr(function, "__annotations__", {}).values():
            for name in re.findall(r"\w+", str(annotation)):
                if isinstance(scope.get(name), type) and scope[name].__module__.startswith("midiopt."):
                    assert scope[name] in documented, f"{function.__qualname__}: {name}"
