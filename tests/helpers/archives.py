"""Archives made of files in memory by Python's own modules."""

from __future__ import annotations

import io
import tarfile
import time
import zipfile

TIME = 1_234_567_890  # a whole even number of seconds, as zip holds
Files = dict[str, bytes]


def tar_of(files: Files, mode: str = "w", format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), TIME
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, time.gmtime(TIME)[:6]), data, method)
    return out.getvalue()
