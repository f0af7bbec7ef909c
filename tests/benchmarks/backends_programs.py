"""Array programs for comparing engines, each written once for all libraries, with NumPy's results to check them by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from tests.benchmarks.programs import apply, operands, shuffled

#: Largest difference from NumPy's results, relative to their largest magnitude: a few roundings in a row, and sums of
#: up to a thousand products in another order.
ELEMENTWISE = {"float32": 1e-5, "float64": 1e-13}
PRODUCTS = {"float32": 1e-4, "float64": 1e-12}
_BATCH, _INPUTS, _HIDDEN, _CLASSES = 64, 64, 256, 10
_RATE, _MOMENTUM, _DECAY = 0.3, 0.9, 1e-4
_SEED = 0


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions that the programs need, of one library; reductions take `axis` and `keepdims`."""

    exp: Callable[..., Any]
    log: Callable[..., Any]
    sqrt: Callable[..., Any]
    relu: Callable[..., Any]
    max: Callable[..., Any]
    sum: Callable[..., Any]
    mean: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Program:
    """A function of arrays.

    Attributes
    ----------
    body : callable
        From a library's functions and the arguments to a tuple of arrays.
    arguments : tuple of ndarray
    tolerance : float
        Largest difference from NumPy's results, relative to the largest magnitude of each.
    numexpr : callable or None
        The same on NumExpr (the module is passed first), if it has the operations.
    numba : callable or None
        From Numba to the same as a compiled function, if loops are worth writing out.
    """

    name: str
    body: Callable[..., tuple[Any, ...]]
    arguments: tuple[np.ndarray, ...]
    tolerance: float
    numexpr: Callable[..., tuple[Any, ...]] | None = None
    numba: Callable[[ModuleType], Callable[..., Any]] | None = None

    def expected(self) -> list[np.ndarray]:
        """Return NumPy's results."""
        return list(map(np.asarray, self.body(array_functions(np), *self.arguments)))

    def check(self, name: str, results: Sequence[np.ndarray]) -> None:
        """Compare the results of a contender with NumPy's.

        Raises
        ------
        AssertionError
            If shape, dtype or a value differs.
        """
        for number, (result, expected) in enumerate(zip(results, self.expected(), strict=True)):
            where = f"{name}, {self.name}, result {number}"
            if (result.shape, result.dtype) != (expected.shape, expected.dtype):
                raise AssertionError(
                    f"{where}: {result.dtype}{result.shape}, not NumPy's {expected.dtype}{expected.shape}"
                )
            off = float(np.max(np.abs(result - expected)) / max(np.max(np.abs(expected)), np.finfo(result.dtype).tiny))
            if not off <= self.tolerance:
                raise AssertionError(f"{where} is off NumPy's by {off:.1e}, more than {self.tolerance:.0e}")


def array_functions(library: Any) -> Functions:
    """Return the functions of NumPy, `jax.numpy` or latebind."""
    return Functions(
        exp=library.exp,
        log=library.log,
        sqrt=library.sqrt,
        relu=lambda x: library.maximum(x, 0),
        max=library.max,
        sum=library.sum,
        mean=library.mean,
    )


def torch_functions(torch: ModuleType) -> Functions:
    """Return the functions of PyTorch."""
    return Functions(torch.exp, torch.log, torch.sqrt, torch.relu, torch.amax, torch.sum, torch.mean)


def chain(size: int, dtype: str = "float32") -> Program:
    """Return four exponentials of linear functions in a row, on a vector."""

    def body(f: Functions, x: Any) -> tuple[Any, ...]:
        for _ in range(4):
            x = f.exp(x * 0.5 - 1.0)
        return (x,)

    return Program(f"chain of {size:,} {dtype}", body, (np.linspace(0, 1, size, dtype=dtype),), ELEMENTWISE[dtype])


def operations(count: int) -> Program:
    """Return additions, subtractions, multiplications and divisions in random order on 4 by 4 float32."""
    program = shuffled(count, _SEED)
    # Each operation rounds once, to half an epsilon of float32.
    tolerance = count * 6e-8
    return Program(f"{count} elementwise operations", lambda f, x, c: (apply(program, x, c),), operands(), tolerance)


def polynomial(size: int) -> Program:
    """Return a polynomial and exponentials of it, 17 operations, on a float32 vector."""
    x = np.random.default_rng(_SEED).uniform(-1, 1, size).astype(np.float32)
    return Program(
        f"polynomial and exponentials, {size:,} float32",
        _polynomial,
        (x,),
        ELEMENTWISE["float32"],
        _numexpr_polynomial,
        _numba_polynomial,
    )


def _polynomial(f: Functions, x: Any) -> tuple[Any, ...]:
    y = ((0.5 * x + 1.0) * x - 0.25) * x + 0.75
    return (f.exp(-y * y) * x + f.exp(0.125 * y) - y / (1.0 + x * x),)


def _numexpr_polynomial(numexpr: Any, x: np.ndarray) -> tuple[Any, ...]:
    y = "(((half*x + one)*x - quarter)*x + three_quarters)"
    # A literal would make the result float64.
    constants = {"half": 0.5, "one": 1.0, "quarter": 0.25, "three_quarters": 0.75, "eighth": 0.125}
    names: dict[str, Any] = {name: np.float32(value) for name, value in constants.items()} | {"x": x}
    return (numexpr.evaluate(f"exp(-{y}*{y})*x + exp(eighth*{y}) - {y}/(one + x*x)", local_dict=names, global_dict={}),)


def _numba_polynomial(numba: Any) -> Callable[..., Any]:
    from math import exp

    half, one, quarter, three_quarters, eighth = map(np.float32, (0.5, 1.0, 0.25, 0.75, 0.125))

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(x: Any) -> Any:
        result = np.empty_like(x)
        for i in numba.prange(x.size):
            v = x[i]
            y = ((half * v + one) * v - quarter) * v + three_quarters
            result[i] = exp(-y * y) * v + exp(eighth * y) - y / (one + v * v)
        return (result,)

    return loop  # type: ignore[no-any-return]


def softmax(rows: int, columns: int) -> Program:
    """Return softmax over the rows of a float32 matrix."""
    x = np.random.default_rng(_SEED).normal(0, 1, (rows, columns)).astype(np.float32)
    name = f"softmax, {rows}x{columns} float32"
    return Program(name, _softmax, (x,), ELEMENTWISE["float32"], _numexpr_softmax, _numba_softmax)


def _softmax(f: Functions, x: Any) -> tuple[Any, ...]:
    exponentials = f.exp(x - f.max(x, axis=1, keepdims=True))
    return (exponentials / f.sum(exponentials, axis=1, keepdims=True),)


def _numexpr_softmax(numexpr: Any, x: np.ndarray) -> tuple[Any, ...]:
    # NumExpr's sum of float32 is a float64, and its reductions use one thread: NumPy's is faster.
    largest = x.max(axis=1, keepdims=True)
    e = numexpr.evaluate("exp(x - largest)", local_dict={"x": x, "largest": largest}, global_dict={})
    total = e.sum(axis=1, keepdims=True)
    return (numexpr.evaluate("e / total", local_dict={"e": e, "total": total}, global_dict={}),)


def _numba_softmax(numba: Any) -> Callable[..., Any]:
    from math import exp

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(x: Any) -> Any:
        result = np.empty_like(x)
        for i in numba.prange(x.shape[0]):
            largest = x[i, 0]
            for j in range(x.shape[1]):
                largest = max(largest, x[i, j])
            total = np.float32(0)
            for j in range(x.shape[1]):
                result[i, j] = exp(x[i, j] - largest)
                total += result[i, j]
            for j in range(x.shape[1]):
                result[i, j] /= total
        return (result,)

    return loop  # type: ignore[no-any-return]


def layer_norm(rows: int, columns: int) -> Program:
    """Return layer normalisation of the rows of a float32 matrix, with a scale and a shift per column."""
    rng = np.random.default_rng(_SEED)
    shapes = (rows, columns), (columns,), (columns,)
    arguments = tuple(rng.normal(0.5, 1, shape).astype(np.float32) for shape in shapes)
    name = f"layer norm, {rows}x{columns} float32"
    return Program(name, _layer_norm, arguments, ELEMENTWISE["float32"], _numexpr_layer_norm, _numba_layer_norm)


def _layer_norm(f: Functions, x: Any, scale: Any, shift: Any) -> tuple[Any, ...]:
    centred = x - f.mean(x, axis=1, keepdims=True)
    variance = f.mean(centred * centred, axis=1, keepdims=True)
    return (centred / f.sqrt(variance + 1e-5) * scale + shift,)


def _numexpr_layer_norm(numexpr: Any, x: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> tuple[Any, ...]:
    mean = x.mean(axis=1, keepdims=True)
    squares = numexpr.evaluate("(x - mean)*(x - mean)", local_dict={"x": x, "mean": mean}, global_dict={})
    deviation = np.sqrt(squares.mean(axis=1, keepdims=True) + np.float32(1e-5))
    names = {"x": x, "mean": mean, "deviation": deviation, "scale": scale, "shift": shift}
    return (numexpr.evaluate("(x - mean)/deviation*scale + shift", local_dict=names, global_dict={}),)


def _numba_layer_norm(numba: Any) -> Callable[..., Any]:
    from math import sqrt

    epsilon = np.float32(1e-5)

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def loop(x: Any, scale: Any, shift: Any) -> Any:
        result = np.empty_like(x)
        count = np.float32(x.shape[1])
        for i in numba.prange(x.shape[0]):
            mean = np.float32(0)
            for j in range(x.shape[1]):
                mean += x[i, j]
            mean /= count
            variance = np.float32(0)
            for j in range(x.shape[1]):
                variance += (x[i, j] - mean) * (x[i, j] - mean)
            deviation = sqrt(variance / count + epsilon)
            for j in range(x.shape[1]):
                result[i, j] = (x[i, j] - mean) / deviation * scale[j] + shift[j]
        return (result,)

    return loop  # type: ignore[no-any-return]


def product(size: int) -> Program:
    """Return the product of two square float32 matrices."""
    rng = np.random.default_rng(_SEED)
    arguments = tuple(rng.normal(0, 1, (size, size)).astype(np.float32) for _ in range(2))
    return Program(f"matrix product, {size}x{size} float32", lambda f, a, b: (a @ b,), arguments, PRODUCTS["float32"])


def digits_step() -> Program:
    """Return the training step of `latebind run digits`: a perceptron 64-256-10, a batch of 64, momentum."""
    rng = np.random.default_rng(_SEED)
    shapes = (_INPUTS, _HIDDEN), (_HIDDEN,), (_HIDDEN, _CLASSES), (_CLASSES,)
    parameters = [rng.normal(0, 0.1, shape).astype(np.float32) for shape in shapes]
    velocities = [rng.normal(0, 0.01, shape).astype(np.float32) for shape in shapes]
    images = rng.uniform(0, 1, (_BATCH, _INPUTS)).astype(np.float32)
    labels = np.eye(_CLASSES, dtype=np.float32)[rng.integers(0, _CLASSES, _BATCH)]
    name = f"training step {_INPUTS}-{_HIDDEN}-{_CLASSES}, batch {_BATCH}, momentum"
    return Program(name, _digits_step, (*parameters, *velocities, images, labels), PRODUCTS["float32"])


def _digits_step(f: Functions, *arguments: Any) -> tuple[Any, ...]:
    parameters, velocities, (images, labels) = arguments[:4], arguments[4:8], arguments[8:]
    w1, b1, w2, b2 = parameters
    hidden = f.relu(images @ w1 + b1)
    logits = hidden @ w2 + b2
    shifted = logits - f.max(logits, axis=1, keepdims=True)
    exponentials = f.exp(shifted)
    total = f.sum(exponentials, axis=1, keepdims=True)
    loss = f.mean(f.log(total[:, 0]) - f.sum(shifted * labels, axis=1))
    error = (exponentials / total - labels) / _BATCH
    hidden_error = (error @ w2.T) * (hidden > 0)
    slopes = (
        images.T @ hidden_error + _DECAY * w1,
        f.sum(hidden_error, axis=0),
        hidden.T @ error + _DECAY * w2,
        f.sum(error, axis=0),
    )
    moved = [velocity * _MOMENTUM - slope * _RATE for velocity, slope in zip(velocities, slopes, strict=True)]
    return (*(value + velocity for value, velocity in zip(parameters, moved, strict=True)), *moved, loss)
