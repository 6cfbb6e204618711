"""Counting the missing files of the sources, and deleting their rows where that is safe.

A disk that is not mounted looks like a folder whose files are all gone. So the rows of a source stay, with a sentence that says why, where
it is empty or unreadable, lies on another device than when its files were last all there, or lacks more than MAX_MISSING_SHARE of its
files and more than MIN_SUSPICIOUS; unless everything is to be deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from midiopt.pipeline.missing import PathRange, pages
from midiopt.pipeline.options import Prune
from midiopt.run_log import event
from midiopt.sinks.base import Catalog
from midiopt.sources import devices
from midiopt.sources.paths import path_bytes
from midiopt.sources.urls import is_url

MIN_SUSPICIOUS = 100  # missing files of a source from which a share is looked at
MAX_MISSING_SHARE = 0.1  # of the files of a source that the database knows


@dataclass
class Pruned:
    """What is missing from the sources, and what became of its rows."""

    missing: int = 0  # files, those included whose rows were deleted
    deleted: int = 0
    refusals: list[str] = field(default_factory=list)  # why the rows of a source are kept


def prune_sources(catalog: Catalog, sources: Iterable[PathRange], prune: Prune, any_missing: bool) -> Pruned:
    """Count the missing files of each source, and delete their rows if that is asked for and safe.

    Where nothing is missing from a folder, its device is stored. Where ``any_missing`` is false, no file in the database is missing.
    """
    result, known_devices = Pruned(), catalog.devices()
    for source in sources:
        missing = sum(map(len, pages(catalog, source, missing=True))) if any_missing else 0
        result.missing += missing
        kept = missing
        if missing and prune:
            refusal = None if prune == "all" else _refusal(catalog, source, missing, known_devices.get(source.after))
            if refusal:
                rows = "the row of a missing file is" if missing == 1 else f"the rows of {missing:,} missing files are"
                result.refusals.append(f"{refusal}; {rows} kept; --prune=all deletes {'it' if missing == 1 else 'them'}")
            else:
                result.deleted += _delete(catalog, source)
                kept = 0
        device = device_of(source) if source.is_folder and not kept else None
        if device and device != known_devices.get(source.after):
            catalog.store_device(source.after, device)
    return result


def device_of(folder: PathRange) -> str | None:
    """The device that the folder of a source lies on."""
    return devices.device_of(path_bytes(folder.after))


def _refusal(catalog: Catalog, source: PathRange, missing: int, known_device: str | None) -> str | None:
    """Why the rows of the missing files of a source, at least one, are kept; None if they may be deleted."""
    name = source.after if source.is_folder else source.after[:-2]
    if source.is_folder and not is_url(path_bytes(source.after)):
        try:
            with os.scandir(path_bytes(source.after)) as entries:
                is_empty = next(entries, None) is None
        except OSError as problem:
            return f"{name}: {problem.strerror}"
        if is_empty:
            return f"{name} is empty, as if its disk were not mounted"
        device = device_of(source)
        if known_device and device and devices.is_other_device(known_device, device):
            return f"{name} lies on another device than when its files were last all there, as if its disk were not mounted"
    if missing > MIN_SUSPICIOUS and missing > MAX_MISSING_SHARE * (known := catalog.count_between(source.after, source.before)):
        return f"{name}: {missing:,} of {known:,} files are missing, more than a tenth"
    return None


def _delete(catalog: Catalog, source: PathRange) -> int:
    deleted = 0
    for page in pages(catalog, source, missing=True):
        catalog.delete_files(page)
        deleted += len(page)
        for path in page:
            event("deleted", path=path)
    return deleted
