"""The elementwise workloads as NumExpr strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numexpr
import numpy


def _evaluate(text: str, out: Any = None, **values: Any) -> Any:
    """Evaluate a string whose names are the keyword arguments."""
    return numexpr.evaluate(text, local_dict=values, global_dict={}, out=out)


def chain(x: Any, c: Any) -> Any:
    for _ in range(5):
        x = _evaluate("(x + c) * 0.5 - c * x + 0.1", x=x, c=c)
    return x


def expression(x: Any, y: Any) -> Any:
    constants = {"c3": 0.3, "c2": 1.2, "c1": 0.7, "c0": 2.0, "one": 1.0}
    single = {name: numpy.float32(value) for name, value in constants.items()}
    a = "(exp(-x * y) + sqrt(x * x + y * y))"
    b = "(((c3 * x - c2) * x + c1) * x + c0)"
    return _evaluate(f"where({a} > {b}, {a} - {b}, log({b} + one))", x=x, y=y, **single)


def softmax(x: Any) -> Any:
    exponentials = _evaluate("exp(x - largest)", x=x, largest=numpy.max(x, axis=-1, keepdims=True))
    return _evaluate("e / total", e=exponentials, total=numpy.sum(exponentials, axis=-1, keepdims=True))


def black_scholes(price: Any, strike: Any, time: Any, rate: float, volatility: float) -> Any:
    root = _evaluate("v * sqrt(t)", v=volatility, t=time)
    given = {"p": price, "s": strike, "t": time, "r": rate, "v": volatility}
    d1 = _evaluate("(log(p / s) + (r + 0.5 * v * v) * t) / root", root=root, **given)
    d2 = _evaluate("d1 - root", d1=d1, root=root)
    terms = "(0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))"

    def normal(z: Any) -> Any:
        k = _evaluate("1.0 / (1.0 + 0.2316419 * abs(z))", z=z)
        tail = _evaluate(f"0.3989422804014327 * exp(-0.5 * z * z) * k * {terms}", z=z, k=k)
        return _evaluate("where(z > 0.0, 1.0 - tail, tail)", z=z, tail=tail)

    discounted = _evaluate("s * exp(-r * t)", s=strike, r=rate, t=time)
    call = _evaluate("p * n1 - d * n2", p=price, n1=normal(d1), d=discounted, n2=normal(d2))
    return call, _evaluate("c - p + d", c=call, p=price, d=discounted)


def mandelbrot_dense(c: Any, rounds: int) -> Any:
    a, b = c
    x, y, count = numpy.zeros_like(a), numpy.zeros_like(b), numpy.zeros_like(a)
    for _ in range(rounds):
        inside = _evaluate("x * x + y * y < 4.0", x=x, y=y)
        moved = _evaluate("where(inside, x * x - y * y + a, x)", inside=inside, x=x, y=y, a=a)
        y = _evaluate("where(inside, 2.0 * x * y + b, y)", inside=inside, x=x, y=y, b=b)
        x = moved
        count = _evaluate("count + where(inside, 1.0, 0.0)", count=count, inside=inside)
    return count


def jacobi(a: Any, b: Any, steps: int) -> Any:
    a, b = a.copy(), b.copy()
    for _ in range(steps):
        for new, old in ((b, a), (a, b)):
            sides = {"w": old[1:-1, :-2], "e": old[1:-1, 2:], "s": old[2:, 1:-1], "n": old[:-2, 1:-1]}
            _evaluate("0.2 * (m + w + e + s + n)", out=new[1:-1, 1:-1], m=old[1:-1, 1:-1], **sides)
    return a, b


#: By workload; called with the workload's data as keyword arguments.
PORTS: dict[str, Callable[..., Any]] = {
    port.__name__: port for port in (chain, expression, softmax, black_scholes, mandelbrot_dense, jacobi)
}
