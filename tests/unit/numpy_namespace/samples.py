"""Sample arrays that expressions name, and a way to write many expressions at once."""

from __future__ import annotations

import numpy


def samples() -> dict[str, numpy.ndarray]:
    """The arrays that the expressions name; made anew for each, because some write."""
    random = numpy.random.default_rng(7)
    return {
        "x": random.normal(size=(3, 4)),
        "y": random.normal(size=(3, 4)),
        "t": random.normal(size=(2, 3, 4)),
        "m": random.normal(size=(4, 4)) + 4 * numpy.eye(4),
        "f": random.normal(size=(3, 4)).astype(numpy.float32),
        "h": random.normal(size=(3, 4)).astype(numpy.float16),
        "i": random.integers(-9, 9, size=(3, 4)),
        "j": random.integers(1, 6, size=(3, 4)).astype(numpy.int8),
        "b": random.integers(0, 2, size=(3, 4)).astype(bool),
        "c": random.normal(size=(3, 4)) + 1j * random.normal(size=(3, 4)),
        "v": random.normal(size=6),
        "w": random.uniform(0.1, 1.0, size=6),
        "s": numpy.sort(random.normal(size=6)),
        "k": numpy.array([3, 1, 4, 1, 5, 0]),
        "n": numpy.array([[1.0, numpy.nan, 3.0, -2.0], [numpy.nan, 5.0, 0.5, 4.0], [2.0, 7.0, 1.5, numpy.nan]]),
        "z": numpy.array([0.0, 0.0, 1.0, 2.0, 0.0]),
        "e": numpy.zeros((0, 4)),
    }


def each(*templates: str, **choices: str) -> list[str]:
    """Every template with every choice in the place of the braces."""
    found = [*templates]
    for name, values in choices.items():
        found = [one.replace("{" + name + "}", value) for one in found for value in values.split()]
    return found
