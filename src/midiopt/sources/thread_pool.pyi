from typing import Self

class ThreadPool:
    def __new__(cls, max_threads: int) -> Self: ...
