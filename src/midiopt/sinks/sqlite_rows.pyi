from collections.abc import Iterator

import numpy as np

class RowEncoder:
    def __init__(self, plan: list[tuple]) -> None: ...
    def tuples(self, rows: np.ndarray, heap: bytes) -> Iterator[tuple]: ...
