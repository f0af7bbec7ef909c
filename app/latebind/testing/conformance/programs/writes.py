"""Steps that make views, write through them, and close recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hypothesis import strategies as st

from latebind.testing.conformance.programs.drawing import Drawing, Variable
from latebind.testing.conformance.programs.worth import Worth

Step = Callable[[Drawing], object]


def basic_index(d: Drawing, x: Variable) -> str:
    """Draw the text of a basic index."""
    items = []
    for extent in x.shape:
        kinds = ["whole", "window", "step", "stop"] + (["integer"] if extent else [])
        kind = d.pick(kinds)
        if kind == "integer":
            items.append(str(d.draw(st.integers(-extent, extent - 1))))
        elif kind == "window":
            items.append(f"{d.draw(st.integers(0, 2))}:{d.draw(st.integers(0, 4))}")
        elif kind == "step":
            items.append(f"::{d.pick([-1, 2, -2])}")
        else:
            items.append(":" if kind == "whole" else "...")
    if items.count("...") > 1 or "..." in items:
        items = items[: items.index("...") + 1]
    if d.draw(st.integers(0, 5)) == 5:
        items.insert(0, "None")
    return ", ".join(items) or "..."


def view(d: Drawing) -> object:
    """A view by a basic index, or with dimensions in another order or number."""
    x = d.variable()
    if x is None:
        return None
    forms = [f"{{}}[{basic_index(d, x)}]", "{}.T", "lb.reshape({}, (-1,))", "lb.flip({})", "lb.expand_dims({}, axis=0)"]
    if 1 in x.shape:
        forms.append(f"lb.squeeze({{}}, axis={x.shape.index(1)})")
    # What NumPy may have to copy counts as sharing memory here: that only loosens what is known.
    return d.assign(d.pick(forms).format(x.name), lambda dtype: x.worth, storage=x.storage)


def assign_items(d: Drawing) -> object:
    """A scalar, or another array, assigned to a part."""
    x = d.variable()
    if x is None:
        return None
    index = basic_index(d, x)
    y = d.variable(lambda v: v.dtype == x.dtype and len(v.shape) <= len(x.shape))
    if y is not None and d.draw(st.booleans()):
        return d.write(f"{x.name}[{index}] = {y.name}", x, y.worth)
    value = d.draw(st.integers(0, 4 if x.dtype.kind != "b" else 1))
    return d.write(f"{x.name}[{index}] = {value}", x, Worth(value))


def change_items(d: Drawing) -> object:
    """An in-place operation on a part."""
    x = d.variable(lambda v: v.dtype.kind != "b")
    if x is None:
        return None
    index, value = basic_index(d, x), d.draw(st.integers(0, 3))
    if d.draw(st.booleans()):
        return d.write(f"{x.name}[{index}] += {value}", x, Worth(x.worth.bound + value, x.worth.error))
    factor = max(1, value)
    return d.write(f"{x.name}[{index}] *= {value}", x, Worth(x.worth.bound * factor, x.worth.error * factor))


def change_whole(d: Drawing) -> object:
    """An in-place operation with another array, with itself among them."""
    x = d.variable(lambda v: v.dtype.kind != "b")
    y = None if x is None else d.variable(lambda v: v.shape == x.shape and v.dtype == x.dtype)
    if x is None or y is None:
        return None
    total = Worth(x.worth.bound + y.worth.bound, x.worth.error + y.worth.error)
    return d.write(f"{x.name} {d.pick(['+=', '-='])} {y.name}", x, total)


def assign_by_mask(d: Drawing) -> object:
    """A scalar where exact values fulfil a condition."""
    x = d.variable(lambda v: v.worth.exact and v.dtype.kind != "b" and v.worth.bound < 2.0**10)
    if x is None:
        return None
    return d.write(f"{x.name}[{x.name} > {d.draw(st.integers(0, 2))}] = 1", x, Worth(1))


def assign_by_indices(d: Drawing) -> object:
    """A scalar at positions that are data; some come twice."""
    x = d.variable(lambda v: bool(v.shape) and v.shape[0] > 0)
    if x is None:
        return None
    indices = d.draw(st.lists(st.integers(0, x.shape[0] - 1), min_size=1, max_size=3))
    return d.write(f"{x.name}[lb.asarray(np.array({indices}))] = 1", x, Worth(1))


def assign_overlapping(d: Drawing) -> object:
    """A part assigned to an overlapping one."""
    x = d.variable(lambda v: bool(v.shape))
    return None if x is None else d.write(f"{x.name}[...] = {x.name}[::-1]", x, x.worth)


def close(d: Drawing) -> object:
    """The recording is closed, by request or because a value is read."""
    x = d.variable()
    assert x is not None
    return d.run(d.pick(["lb.mark_step()", f"lb.sync({x.name})", f"np.asarray({x.name})"]))


def forget(d: Drawing) -> object:
    """A variable goes out of scope, so that its memory may be reused."""
    x = d.variable()
    assert x is not None
    return d.forget(x)


#: Views, writes, and what changes liveness.
EFFECTS: Final[tuple[Step, ...]] = (
    view,
    view,
    assign_items,
    assign_items,
    change_items,
    change_whole,
    assign_by_mask,
    assign_by_indices,
    assign_overlapping,
    close,
    forget,
)
