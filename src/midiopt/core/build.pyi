version: str
mode: str
level: str
flags: str
compiler: str
