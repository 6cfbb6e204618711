from typing import final

from midiopt.sources.reader import Reader

@final
class ReadAhead(Reader):
    def __init__(self, max_bytes: int = ..., always: bool = ...) -> None: ...
    @property
    def files_ahead(self) -> int: ...
    @property
    def bytes_ahead(self) -> int: ...
