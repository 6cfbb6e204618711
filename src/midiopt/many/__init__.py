"""Many files at a time, from Python, without a database: their facts by worker processes, their notes by threads."""
