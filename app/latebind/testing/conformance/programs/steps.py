"""The steps of random programs: expressions, views, writes. Each draws what it needs, or does nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from hypothesis import strategies as st

from latebind.ir.types import DType
from latebind.testing.conformance.programs.drawing import DTYPES, Drawing, Variable
from latebind.testing.conformance.programs.worth import Worth, largest_exact, stored

Step = Callable[[Drawing], object]


def _is_exact(variable: Variable) -> bool:
    return variable.worth.exact


def _is_number(variable: Variable) -> bool:
    return variable.dtype.kind != "b"


def _has_axes(variable: Variable) -> bool:
    return bool(variable.shape)


def _converted(worth: Worth, dtype: DType) -> Worth:
    """Return what is known of an operand after promotion."""
    if dtype.kind == "f" and worth.bound > largest_exact(dtype):
        return Worth(worth.bound, worth.error + float(np.finfo(dtype.name).eps) * worth.bound)
    return worth


def _partner(d: Drawing, x: Variable) -> Variable | None:
    """Draw an array that broadcasts with `x`."""

    def fits(y: Variable) -> bool:
        pairs = zip(reversed(x.shape), reversed(y.shape), strict=False)
        return all(a == b or a == 1 or b == 1 for a, b in pairs)

    return d.variable(fits)


# Elementwise


def _sum_worth(a: Worth, b: Worth) -> Worth:
    return Worth(a.bound + b.bound, a.error + b.error)


def _product_worth(a: Worth, b: Worth) -> Worth:
    return Worth(a.bound * b.bound, a.error * b.bound + b.error * a.bound + a.error * b.error)


def _larger(a: Worth, b: Worth) -> Worth:
    return Worth(max(a.bound, b.bound), max(a.error, b.error))


_BINARY: Final[dict[str, Callable[[Worth, Worth], Worth]]] = {
    "{} + {}": _sum_worth,
    "{} - {}": _sum_worth,
    "{} * {}": _product_worth,
    "lb.maximum({}, {})": _larger,
    "lb.minimum({}, {})": _larger,
}


def binary(d: Drawing) -> object:
    """Arithmetic of two arrays, promoted and broadcast."""
    x = d.variable()
    y = None if x is None else _partner(d, x)
    if x is None or y is None:
        return None
    form = d.pick(sorted(_BINARY))
    left, right = x.worth, y.worth
    return d.assign(
        form.format(x.name, y.name),
        lambda dtype: stored(_BINARY[form](_converted(left, dtype), _converted(right, dtype)), dtype),
    )


def with_scalar(d: Drawing) -> object:
    """Arithmetic with a Python scalar, on either side."""
    x = d.variable(_is_number)
    if x is None:
        return None
    form = d.pick(sorted(_BINARY))
    scalar = d.draw(st.integers(0 if x.dtype.kind == "u" else -3, 3))
    worth = _BINARY[form](x.worth, Worth(abs(scalar)))
    operands = (x.name, scalar) if d.draw(st.booleans()) else (scalar, x.name)
    text = form.format(*(f"({o})" if isinstance(o, int) and o < 0 else o for o in operands))
    return d.assign(text, lambda dtype: stored(worth, dtype))


def integer_binary(d: Drawing) -> object:
    """Operations of integers and booleans, division by zero included."""
    x = d.variable(lambda v: v.dtype.kind != "f")
    y = None if x is None else _partner(d, x)
    if x is None or y is None or y.dtype.kind == "f":
        return None
    if "u" in x.dtype.kind + y.dtype.kind and x.dtype != y.dtype:  # which may promote to float64
        return None
    operator = d.pick(["&", "|", "^", "//", "%"])
    return d.assign(f"{x.name} {operator} {y.name}", lambda dtype: stored(Worth(2.0**64), dtype))


#: Functions that do not amplify differences: name to bound of the result, given the operand's.
_SMOOTH: Final[dict[str, Callable[[float], float]]] = {
    "lb.sin({})": lambda bound: 1,
    "lb.cos({})": lambda bound: 1,
    "lb.tanh({})": lambda bound: 1,
    "lb.atan({})": lambda bound: 2,
    "lb.sqrt(lb.abs({}) + 1)": lambda bound: bound + 1,
    "lb.exp(-lb.abs({}))": lambda bound: 1,
    "{} / 3": lambda bound: bound,
    "1 / ({} * {} + 1)": lambda bound: 1,
}


def smooth(d: Drawing) -> object:
    """A function whose results are inexact, of arguments that are not large."""
    x = d.variable(lambda v: v.dtype.kind != "b" and v.worth.bound < 1e3)
    if x is None or (x.dtype.kind == "i" and x.dtype.itemsize == 1 and x.worth.bound > 10):
        return None
    form = d.pick(sorted(_SMOOTH))
    grown = 2 * x.worth.bound + 1 if "* {}" in form else 1
    worth = x.worth
    known = Worth(_SMOOTH[form](worth.bound), worth.error * grown)
    return d.assign(form.format(x.name, x.name), lambda dtype: _smooth_worth(known, worth, dtype, grown))


def _smooth_worth(known: Worth, operand: Worth, dtype: DType, grown: float) -> Worth | None:
    if dtype.kind != "f":
        return stored(known, dtype)
    if operand.bound**2 > 2.0**15 and dtype == np.float16:
        return None
    # The argument itself is rounded to the dtype of the result.
    rounded = float(np.finfo(dtype.name).eps) * operand.bound * grown
    return stored(Worth(known.bound, known.error + rounded), dtype, rounds=True)


def unary(d: Drawing) -> object:
    """Functions that keep exact values exact."""
    x = d.variable(_is_number)
    if x is None:
        return None
    forms = ["-{}", "lb.abs({})", "lb.positive({})"] + (["lb.sign({})", "lb.floor({})", "~{}"] if x.worth.exact else [])
    return d.assign(d.pick(forms).format(x.name), Worth(x.worth.bound + 1, x.worth.error))


def compare(d: Drawing) -> object:
    """A comparison of exact values."""
    x = d.variable(_is_exact)
    y = None if x is None else _partner(d, x)
    if x is None or y is None or not y.worth.exact:
        return None
    if any(v.worth.bound > 2.0**10 for v in (x, y)) and "f" in x.dtype.kind + y.dtype.kind:
        return None
    operator = d.pick(["<", "<=", "==", "!=", ">", ">="])
    return d.assign(f"{x.name} {operator} {y.name}", Worth(1))


def where(d: Drawing) -> object:
    """A choice by a mask."""
    mask = d.variable(lambda v: v.dtype.kind == "b")
    x = None if mask is None else _partner(d, mask)
    y = None if x is None else _partner(d, x)
    if mask is None or x is None or y is None:
        return None
    left, right = x.worth, y.worth
    return d.assign(
        f"lb.where({mask.name}, {x.name}, {y.name})",
        lambda dtype: stored(_larger(_converted(left, dtype), _converted(right, dtype)), dtype),
    )


def cast(d: Drawing) -> object:
    """A conversion: exact values to anything that has them, others to another floating-point dtype."""
    x = d.variable()
    if x is None:
        return None
    dtype = np.dtype(d.pick(DTYPES))
    if dtype.kind != "f" and not x.worth.exact:
        return None
    if x.dtype.kind == "f" and dtype.kind in "iu" and (dtype.kind == "u" or x.worth.bound > np.iinfo(dtype.name).max):
        return None
    worth = _converted(x.worth, dtype)
    return d.assign(f"{x.name}.astype({dtype.name!r})", lambda dtype: stored(worth, dtype))


# Along dimensions


def reduction(d: Drawing) -> object:
    """A reduction along one dimension or all of them."""
    x = d.variable()
    if x is None:
        return None
    axis = d.pick([None, *range(len(x.shape))])
    count = max(1, int(np.prod(x.shape)) if axis is None else x.shape[axis])
    name = d.pick(["sum", "max", "min", "mean", "any", "count_nonzero"] + (["argmax"] if x.worth.exact else []))
    if name in ("any", "count_nonzero") and not x.worth.exact:
        return None
    total = Worth(count * x.worth.bound, count * (x.worth.error))
    keep = d.draw(st.booleans())
    text = f"lb.{name}({x.name}, axis={axis}, keepdims={keep})"
    if name == "sum":
        return d.assign(text, lambda dtype: _accumulated(total, count, dtype))
    if name == "mean":
        if x.worth.bound * count > 2.0**10 and x.dtype == np.float16:
            return None
        mean = Worth(x.worth.bound, x.worth.error)
        return d.assign(text, lambda dtype: _rounded(mean, count, dtype))
    return d.assign(text, Worth(max(count, 1)) if name in ("argmax", "count_nonzero") else x.worth)


def _accumulated(total: Worth, count: int, dtype: DType) -> Worth | None:
    """Return what is known of a sum: each partial sum rounds unless all are exact."""
    known = stored(total, dtype)
    return known if known is None or known.exact else _rounded(total, count, dtype)


def _rounded(worth: Worth, count: int, dtype: DType) -> Worth | None:
    """Return what is known of values that were rounded this many times."""
    known = stored(worth, dtype, rounds=True)
    if known is None or dtype.kind != "f":
        return known
    return Worth(known.bound, known.error + count * float(np.finfo(dtype.name).eps) * known.bound)


def running(d: Drawing) -> object:
    """A cumulative sum."""
    x = d.variable(lambda v: _has_axes(v) and _is_number(v))
    if x is None:
        return None
    axis = d.draw(st.integers(0, len(x.shape) - 1))
    count = max(1, x.shape[axis])
    total = Worth(count * x.worth.bound, count * x.worth.error)
    return d.assign(f"lb.cumulative_sum({x.name}, axis={axis})", lambda dtype: _accumulated(total, count, dtype))


def sort(d: Drawing) -> object:
    """Sorted values, or the positions that sort exact ones."""
    x = d.variable(_has_axes)
    if x is None:
        return None
    axis, descending = d.draw(st.integers(0, len(x.shape) - 1)), d.draw(st.booleans())
    options = f"axis={axis}, descending={descending}"
    if x.worth.exact and d.draw(st.booleans()):
        return d.assign(f"lb.argsort({x.name}, {options})", Worth(x.shape[axis]))
    return d.assign(f"lb.sort({x.name}, {options})", x.worth)


def matmul(d: Drawing) -> object:
    """A product of matrices."""
    x = d.variable(lambda v: len(v.shape) == 2 and _is_number(v))
    if x is None:
        return None
    y = d.variable(lambda v: len(v.shape) == 2 and v.shape[1] == x.shape[1] and _is_number(v))
    if y is None:
        return None
    count = max(1, x.shape[1])
    left, right = x.worth, y.worth

    def worth(dtype: DType) -> Worth | None:
        one = _product_worth(_converted(left, dtype), _converted(right, dtype))
        return _accumulated(Worth(count * one.bound, count * one.error), count, dtype)

    return d.assign(f"{x.name} @ {y.name}.T", worth)


def join(d: Drawing) -> object:
    """Arrays one after the other, or stacked."""
    x = d.variable(_has_axes)
    y = None if x is None else d.variable(lambda v: v.shape == x.shape)
    if x is None or y is None:
        return None
    form = d.pick(["lb.concat([{}, {}], axis=0)", "lb.stack([{}, {}], axis=-1)"])
    left, right = x.worth, y.worth
    return d.assign(
        form.format(x.name, y.name),
        lambda dtype: stored(_larger(_converted(left, dtype), _converted(right, dtype)), dtype),
    )


def rearranged(d: Drawing) -> object:
    """A copy with elements moved or repeated."""
    x = d.variable(_has_axes)
    if x is None:
        return None
    forms = ["lb.roll({}, 1, axis=0)", "lb.repeat({}, 2, axis=-1)", "lb.tile({}, 2)", "{}.copy()"]
    forms.append(f"lb.broadcast_to({{}}, {(2, *x.shape)})")
    if x.shape[0]:
        indices = d.draw(st.lists(st.integers(-x.shape[0], x.shape[0] - 1), min_size=1, max_size=3))
        forms += [f"{{}}[lb.asarray(np.array({indices}))]", f"lb.take({{}}, lb.asarray(np.array({indices})), axis=0)"]
    return d.assign(d.pick(forms).format(x.name), x.worth) if int(np.prod(x.shape)) < 200 else None


#: Everything that makes an array without being a view.
EXPRESSIONS: Final[tuple[Step, ...]] = (
    binary,
    binary,
    with_scalar,
    integer_binary,
    smooth,
    unary,
    compare,
    where,
    cast,
    reduction,
    running,
    sort,
    matmul,
    join,
    rearranged,
)
