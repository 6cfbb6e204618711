mode: str
flags: str
compiler: str
