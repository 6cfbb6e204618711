"""The run as a module: python -m midiopt.orchestrator SOURCE [SOURCE ...] [--db URL]. The same as midiopt analyze."""

from midiopt.cli.startup import end_process, prepare_process

if __name__ == "__main__":
    prepare_process()  # before numpy and the rest are imported

from midiopt.cli.analyze import main

__all__ = ["main"]

if __name__ == "__main__":
    end_process(main())
