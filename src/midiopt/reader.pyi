from typing_extensions import Buffer

class Reader(Buffer):
    size_bytes: int
    mtime_ns: int
    def __init__(self, max_bytes: int = ...) -> None: ...
    def read(self, path: bytes) -> None: ...

class MappedReader(Reader): ...

READERS: dict[str, type[Reader]]
