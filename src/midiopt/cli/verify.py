"""midiopt verify: analyses files again and reports rows that differ."""

from __future__ import annotations

import argparse
import json
from collections import Counter

from midiopt.cli.console import plain
from midiopt.library import open_library
from midiopt.library.verify import OTHERS, differences

DESCRIPTION = "Analyse files of a database again and report every row that differs from what this version computes. Nothing is written."


def command(options: argparse.Namespace) -> int:
    """Print every difference, a line each, and then what was looked at; exit code 1 when something differs."""
    seen: Counter[str] = Counter(dict.fromkeys(("checked", "differing", "changed", "gone", "cut", *OTHERS), 0))
    with open_library(options.db) as library:
        seen.update(dict(library.rows(f"SELECT status, count(*) FROM files WHERE status IN {OTHERS} GROUP BY status")))
        for found in differences(library, None if options.all else options.sample, seen):
            seen["differing"] += 1
            if options.json:
                print(json.dumps(found, ensure_ascii=False))
            else:
                print(plain("{table} {key}: {column} is {stored!r}, not {computed!r}".format(**found)).plain)
    if options.json:
        print(json.dumps(seen))
    else:
        print("{checked:,} files checked, {differing:,} values differ; {changed:,} files changed, {gone:,} gone".format(**seen))
        if seen["cut"]:
            print(f"{seen['cut']:,} not checked, whose paths are too long to be kept whole")
        if any(seen[status] for status in OTHERS):
            others = ", ".join(f"{seen[status]:,} {status}" for status in OTHERS)
            print(f"without facts that could be checked, in the whole database: {others}")
    return 1 if seen["differing"] else 0
