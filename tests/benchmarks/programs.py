"""The array programs that are measured: lists of binary operators, applied one after the other."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Program = Sequence[Callable[[Any, Any], Any]]

_OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv)


def adds(length: int) -> Program:
    """Return a loop: the same addition every time."""
    return [operator.add] * length


def shuffled(length: int, seed: int) -> Program:
    """Return operations chosen at random, so that nothing repeats and the whole is one graph."""
    return random.Random(seed).choices(_OPERATORS, k=length)


def apply(program: Program, x: Any, c: Any) -> Any:
    """Run or record a program: `x = x op c` for each operator."""
    for op in program:
        x = op(x, c)
    return x


def operands() -> tuple[np.ndarray, np.ndarray]:
    """Return `x` and `c`, 4 by 4, float32; `c` is near one, so that long programs stay finite."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, (4, 4)).astype(np.float32)
    return x, (1 + 1e-6 * rng.standard_normal((4, 4))).astype(np.float32)
