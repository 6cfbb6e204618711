version: str
mode: str
flags: str
compiler: str
