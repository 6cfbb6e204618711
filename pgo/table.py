"""The table of what a profile makes of each module's speed, pgo/modules.tsv: choose_modules.py writes it, setup.py reads it.

What is won by a profile depends on the processor: the parser's loop is 1.09 times as fast with it on a Zen 4, 0.98 on Cascade Lake.
"""

import csv
import re
from pathlib import Path

TABLE = Path(__file__).with_name("modules.tsv")
# The processor's maker, microseconds per file, and quartiles of the ratios.
COLUMNS = ("processor", "module", "workload", "release_us", "profile_us", "ratio", "low", "high")

Row = dict[str, str]


def processor() -> str:
    """The maker of this machine's processor, as it names itself: GenuineIntel, AuthenticAMD; empty where the kernel does not tell."""
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^vendor_id\s*: (\w+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else ""


def read() -> dict[tuple[str, str], Row]:
    """The rows by processor and module."""
    with TABLE.open(newline="") as table:
        return {(row["processor"], row["module"]): row for row in csv.DictReader(table, delimiter="\t")}


def store(rows: dict[tuple[str, str], Row]) -> None:
    """Write the table."""
    with TABLE.open("w", newline="") as table:
        writer = csv.DictWriter(table, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))


def profiled_modules(maker: str) -> list[str]:
    """The modules that win on the processors of a maker: the middle half of their ratios is above 1. None where nothing was measured."""
    return sorted(module for (processor, module), row in read().items() if processor == maker and float(row["low"]) > 1)
