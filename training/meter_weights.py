"""Write the weights of the meter as a module: core/rhythm/meter_quantized_weights.py and meter_accents_weights.py."""

from __future__ import annotations

from collections.abc import Sequence

from accuracy.corpus import PROJECT
from training.logit import Floats

PER_LINE = 12
RHYTHM = PROJECT / "src" / "midiopt" / "core" / "rhythm"


def write_weights(module: str, program: str, meters: Sequence[str], groups: Sequence[tuple[int, str]], weights: Floats) -> None:
    """Write the weights, meters x features. `groups` are the features in order: how many belong together, and what they are."""
    assert weights.shape == (len(meters), sum(count for count, _ in groups))
    text = (
        f'"""The weights of {module}.pyx, written by {program}: a tuple per meter, in the order of schema.METERS and of the features in\n'
    )
    text += 'reference/meter.py."""\n\n# fmt: off\nWEIGHTS = (\n'
    for i, (meter, line) in enumerate(zip(meters, weights.tolist(), strict=True)):
        text += f"    (  # {meter}\n"
        at = 0
        for count, meaning in groups:
            for start in range(at, at + count, PER_LINE):
                numbers = ", ".join(f"{weight:.2f}" for weight in line[start : min(start + PER_LINE, at + count)])
                text += f"        {numbers},{f'  # {meaning}' if i == 0 and start == at else ''}\n"
            at += count
        text += "    ),\n"
    (RHYTHM / f"{module}_weights.py").write_text(text + ")\n")
