"""The array programs that are measured: lists of binary operators, applied one after the other."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Program = Sequence[Callable[[Any, Any], Any]]

_OPERATORS = (operator.add, operator.sub, operator.mul, operator.truediv)
#: The longest run of operations that `shuffled` keeps from occurring three times in a row; chance sees to longer ones.
_LONGEST_RUN = 8


def adds(length: int) -> Program:
    """Return a loop: the same addition every time."""
    return [operator.add] * length


def shuffled(length: int, seed: int) -> Program:
    """Return operations in random order without a loop, even a short one: nothing occurs three times in a row.

    So the whole is one graph: latebind takes three equal rounds at the end of a recording for a loop.
    """
    choose = random.Random(seed).choice
    program: list[Callable[[Any, Any], Any]] = []
    while len(program) < length:
        program.append(choose(_OPERATORS))
        while _ends_in_a_loop(program):
            program[-1] = choose(_OPERATORS)
    return program


def _ends_in_a_loop(program: Program) -> bool:
    end = len(program)
    return any(
        program[end - run :] == program[end - 2 * run : end - run] == program[end - 3 * run : end - 2 * run]
        for run in range(1, min(_LONGEST_RUN, end // 3) + 1)
    )


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
