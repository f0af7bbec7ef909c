"""The elementwise workloads as NumExpr strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numexpr
import numpy


def chain(x: Any, c: Any) -> Any:
    for _ in range(5):
        x = numexpr.evaluate("(x + c) * 0.5 - c * x + 0.1")
    return x


def expression(x: Any, y: Any) -> Any:
    f32 = {"x": x, "y": y} | {
        name: numpy.float32(value)
        for name, value in {"c3": 0.3, "c2": 1.2, "c1": 0.7, "c0": 2.0, "one": 1.0}.items()
    }
    a = "(exp(-x * y) + sqrt(x * x + y * y))"
    b = "(((c3 * x - c2) * x + c1) * x + c0)"
    return numexpr.evaluate(f"where({a} > {b}, {a} - {b}, log({b} + one))", local_dict=f32)


def softmax(x: Any) -> Any:
    largest = numpy.max(x, axis=-1, keepdims=True)
    exponentials = numexpr.evaluate("exp(x - largest)")
    total = numpy.sum(exponentials, axis=-1, keepdims=True)
    return numexpr.evaluate("exponentials / total")


def black_scholes(price: Any, strike: Any, time: Any, rate: float, volatility: float) -> Any:
    root = numexpr.evaluate("volatility * sqrt(time)")
    d1 = numexpr.evaluate("(log(price / strike) + (rate + 0.5 * volatility * volatility) * time) / root")
    d2 = numexpr.evaluate("d1 - root")
    terms = "(0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))"

    def normal(z: Any) -> Any:
        k = numexpr.evaluate("1.0 / (1.0 + 0.2316419 * abs(z))")
        tail = numexpr.evaluate(f"0.3989422804014327 * exp(-0.5 * z * z) * k * {terms}", local_dict={"z": z, "k": k})
        return numexpr.evaluate("where(z > 0.0, 1.0 - tail, tail)")

    n1, n2 = normal(d1), normal(d2)
    discounted = numexpr.evaluate("strike * exp(-rate * time)")
    call = numexpr.evaluate("price * n1 - discounted * n2")
    return call, numexpr.evaluate("call - price + discounted")


def mandelbrot_dense(c: Any, rounds: int) -> Any:
    a, b = c
    x, y, count = numpy.zeros_like(a), numpy.zeros_like(b), numpy.zeros_like(a)
    for _ in range(rounds):
        inside = numexpr.evaluate("x * x + y * y < 4.0")
        moved = numexpr.evaluate("where(inside, x * x - y * y + a, x)")
        y = numexpr.evaluate("where(inside, 2.0 * x * y + b, y)")
        x = moved
        count = numexpr.evaluate("count + where(inside, 1.0, 0.0)")
    return count


def jacobi(a: Any, b: Any, steps: int) -> Any:
    a, b = a.copy(), b.copy()
    for _ in range(steps):
        for new, old in ((b, a), (a, b)):
            parts = {
                "m": old[1:-1, 1:-1],
                "w": old[1:-1, :-2],
                "e": old[1:-1, 2:],
                "s": old[2:, 1:-1],
                "n": old[:-2, 1:-1],
            }
            numexpr.evaluate("0.2 * (m + w + e + s + n)", local_dict=parts, out=new[1:-1, 1:-1])
    return a, b


#: By workload; called with the workload's data as keyword arguments.
PORTS: dict[str, Callable[..., Any]] = {
    port.__name__: port for port in (chain, expression, softmax, black_scholes, mandelbrot_dense, jacobi)
}
