"""A Parquet directory: the lock of a run on it, and what a run keeps in it besides rows."""

from __future__ import annotations

import contextlib
import glob
import json
import os
from typing import Any

from midiopt.errors import SinkError
from midiopt.schema import PRODUCT, SCHEMA_VERSION
from midiopt.sinks.parquet_parts import TEMPORARY, errors_of, sync_folder
from midiopt.sinks.run_lock import fate, is_in_place, lock

RECORDS = f"_{PRODUCT}.json"  # readers of directories of Parquet pass over names that begin with _


class ParquetFolder:
    """Holds the lock of a run on the directory, which is created if absent. Raises DatabaseBusy while another run holds it.

    ``records`` are the runs, the last one at the end, and the device of each folder that was searched.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            os.makedirs(path, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise SinkError(f"cannot open the directory {path}: {error.strerror}") from error
        lock(self._descriptor, path)
        for left in glob.glob(os.path.join(glob.escape(path), TEMPORARY)):  # by a run that was killed
            with contextlib.suppress(OSError):
                os.unlink(left)
        try:
            self.records = self._read()
        except BaseException:
            self.close()
            raise

    def _read(self) -> dict[str, Any]:
        path = os.path.join(self.path, RECORDS)
        with errors_of(path):
            try:
                with open(path, "rb") as file:
                    records = json.load(file)
            except FileNotFoundError:
                return {"product": PRODUCT, "schema_version": SCHEMA_VERSION, "runs": [], "devices": {}}
            except ValueError:
                records = None
        if not isinstance(records, dict) or records.get("product") != PRODUCT:
            raise SinkError(f"{self.path} already has {RECORDS}, not made by {PRODUCT}; choose another directory")
        if (version := records["schema_version"]) > SCHEMA_VERSION:
            raise SinkError(f"{self.path} was made by a newer {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); upgrade {PRODUCT}")
        return records | {"schema_version": SCHEMA_VERSION}

    def has_records(self) -> bool:
        """Whether a run has written into the directory."""
        return os.path.exists(os.path.join(self.path, RECORDS))

    def write_records(self) -> None:
        """Replace the file with the records."""
        self.check()
        path = os.path.join(self.path, RECORDS)
        with errors_of(path):
            with open(f"{path}.tmp", "w") as file:
                json.dump(self.records, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.rename(f"{path}.tmp", path)
            sync_folder(self.path)

    def check(self) -> None:
        """Raise SinkError if the directory is no longer where it was: what is written now would come into that of another run."""
        if not is_in_place(self._descriptor, self.path):
            raise SinkError(f"{self.path} {fate(self._descriptor, 'directory')}; run the same command again")

    def close(self) -> None:
        """Release the lock. Closing twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
