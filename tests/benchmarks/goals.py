"""The project's goals for its speed, as ratios measured in one run, and whether they are met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.case import growth_exponent
from tests.benchmarks.cases.operation_cases import SIZES, UNSEEN
from tests.benchmarks.cases.stencil_cases import SIDES
from tests.benchmarks.cases.step_cases import WIDTHS
from tests.benchmarks.contenders import LATEBIND
from tests.benchmarks.imports import REQUIRED
from tests.benchmarks.results import Results
from tests.benchmarks.tables import number
from tests.benchmarks.workloads import WORKLOADS

_NUMPY, _XLA, _TIERED = f"{LATEBIND}numpy", f"{LATEBIND}xla", f"{LATEBIND}tiered"
#: An operation that takes NumPy this long has something to gain, in us.
LARGE_OPERATION = 20.0
_LINEAR = 1.1


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and whether it is met; None if it was not measured."""

    what: str
    goal: str
    measured: str
    met: bool | None


def goals(results: Results) -> list[Goal]:
    """Return every goal."""
    return [
        *_per_operation(results),
        *_steps(results),
        *_unseen(results),
        *_imports(results),
        *_steady(results),
        _first_calls(results),
        *_stencils(results),
        *_linear(results),
    ]


def _ratio(results: Results, what: str, case: str, ours: str, other: str, most: float, goal: str) -> Goal:
    """Return a goal for our time divided by another's."""
    spread = results.micro_ratio(case, ours, other)
    if spread is None:
        return Goal(what, goal, "-", None)
    measured = f"{number(spread.median)} ({number(spread.lower)} to {number(spread.upper)})"
    return Goal(what, goal, measured, spread.median <= most)


def _per_operation(results: Results) -> Iterator[Goal]:
    chain = "chain of 1,000 small adds, record + run on a hit, `numpy`"
    yield _ratio(results, chain, "chain_of_adds", _NUMPY, "torch-lazy", 1 / 8, "at most 1/8 of PyTorch's lazy core")
    yield _ratio(results, chain, "chain_of_adds", _NUMPY, "torch", 1.0, "below PyTorch eager")
    for ours, most in ((_XLA, 5), (_NUMPY, 8)):
        what = f"MLP step, `{ours.removeprefix(LATEBIND)}`"
        yield _ratio(results, what, "mlp_step", ours, "torch-lazy", 1 / most, f"at most 1/{most} of the lazy core")


def _steps(results: Results) -> Iterator[Goal]:
    """A warm step of one operation and compiled calls: `numpy` below jax.jit, `xla` at most 3 us above."""
    rows = [("one_operation", "warm step of 1 operation")]
    rows += [(f"compiled_call_{width}", f"`compile`d call, {width} arrays") for width in WIDTHS]
    for case, what in rows:
        for ours, more in ((_NUMPY, 0.0), (_XLA, 3.0)):
            name = f"{what}, `{ours.removeprefix(LATEBIND)}`"
            goal = "at most a `jax.jit` call plus 3 us" if more else "below a `jax.jit` call"
            found = results.micro.get(case)
            mine, jit = (found.median(ours), found.median("jax-jit")) if found else (None, None)
            if mine is None or jit is None:
                yield Goal(name, goal, "-", None)
            else:
                yield Goal(name, goal, f"{number(mine)} us; `jax.jit` {number(jit)}", mine <= jit + more)


def _unseen(results: Results) -> Iterator[Goal]:
    for size in UNSEEN:
        what = f"first result of an unseen program of {size:,} operations, `tiered`"
        yield _ratio(results, what, f"unseen_{size}", _TIERED, "numpy", 1.5, "at most 1.5 times NumPy's")


def _imports(results: Results) -> Iterator[Goal]:
    yield _ratio(
        results, "`import latebind`", "imports", "latebind", REQUIRED, 1.2, "at most 1.2 times its dependencies'"
    )


def _steady(results: Results) -> Iterator[Goal]:
    subject = results.subject()
    on = f"`{subject.removeprefix(LATEBIND)}`"
    absent = results.absent(subject)
    but = f"; no figure for {', '.join(absent)}" if absent else ""
    against_jit = results.speedups(subject, "jax-jit")
    mean = results.mean_speedup(subject, "jax-jit")
    yield Goal(
        f"steady state, {on}, geometric mean over {len(against_jit)} workloads",
        "at least the hand-written `jax.jit` version's speed",
        f"{number(mean)} times{but}" if against_jit else "-",
        mean >= 1 and not absent if against_jit else None,
    )
    speedups = results.speedups(subject, "numpy")
    fused = {name: value for name, value in speedups.items() if WORKLOADS[name].fused}
    large = {name: value for name, value in speedups.items() if _is_large(results, name)}
    for what, found, least, goal in (
        ("each fused workload", fused, 5.0, "at least 5 times NumPy"),
        (f"operations of {LARGE_OPERATION:g} us and more", large, 0.9, "none below 0.9 of NumPy"),
        ("all workloads", speedups, 0.5, "none below 0.5 of NumPy"),
    ):
        below = [f"{name} {number(value)}" for name, value in sorted(found.items()) if value < least]
        measured = f"{len(found) - len(below)} of {len(found)}" + (f"; below: {', '.join(below)}" if below else "")
        met = None if not found else not below and (what != "all workloads" or not absent)
        yield Goal(f"steady state, {on}, {what}", goal, (measured + but) if found else "-", met)


def _is_large(results: Results, workload: str) -> bool:
    return results.operations.get(workload, (0.0, 0))[0] >= LARGE_OPERATION


def _first_calls(results: Results) -> Goal:
    subject = results.subject()
    what = f"sum of the first calls of all workloads in one process, `{subject.removeprefix(LATEBIND)}`"
    sums = sorted(ours / numpys for ours, numpys in results.first_call_sums(subject))
    if not sums:
        return Goal(what, "at most 1.5 times NumPy's", "-", None)
    jit = sorted(ours / numpys for ours, numpys in results.first_call_sums("jax-jit"))
    middle = sums[len(sums) // 2]
    measured = f"{number(middle)} times" + (f"; `jax.jit` {number(jit[len(jit) // 2])}" if jit else "")
    absent = results.absent(subject)
    return Goal(
        what,
        "at most 1.5 times NumPy's",
        measured + (f"; without {', '.join(absent)}" if absent else ""),
        middle <= 1.5 and not absent,
    )


def _stencils(results: Results) -> Iterator[Goal]:
    subject = next((name for name in (_TIERED, _XLA) if any(name in one.taken for one in results.micro.values())), _XLA)
    on = f"`{subject.removeprefix(LATEBIND)}`"
    for side in SIDES:
        found = results.micro.get(f"jacobi_{side}")
        first = found.first.get(subject) if found else None
        numpys = found.first.get("numpy") if found else None
        measured = "-" if first is None or numpys is None else f"{number(first / numpys)} of NumPy's first run"
        met = None if first is None or numpys is None else first < numpys
        yield Goal(f"Jacobi, 1,000 steps, N={side}, {on}, cold", "faster than NumPy", measured, met)
    for side, most in ((350, 1.5), (1_000, 1.2)):
        what = f"Jacobi, 1,000 steps, N={side}, {on}, warm"
        yield _ratio(results, what, f"jacobi_{side}", subject, "jax-jit", most, f"within {most} times `fori_loop`")
    spread = results.micro_ratio("jacobi_150", subject, "jax-jit")
    near = "-" if spread is None else f"{number(spread.median)} times `fori_loop`"
    yield Goal(f"Jacobi, 1,000 steps, N=150, {on}, warm", "as near as the profile allows", near, None)


def _linear(results: Results) -> Iterator[Goal]:
    """Growth from 100 operations on, and 100,000 operations against NumPy's own time for them."""
    for kind in ("loop", "mixed"):
        what = f"100,000 operations ({kind}), `numpy`"
        found = {size: results.micro.get(f"{kind}_{size}") for size in SIZES if size >= 100}
        costs = {size: one.median(_NUMPY) for size, one in found.items() if one is not None}
        sizes = [size for size, cost in costs.items() if cost is not None]
        if len(sizes) < 2:
            yield Goal(what, "linear", "-", None)
            continue
        exponent = growth_exponent(sizes, [size * (costs[size] or 0.0) for size in sizes])
        yield Goal(what, f"linear: exponent below {_LINEAR:g}", number(exponent), exponent < _LINEAR)
        largest = results.micro[f"{kind}_{sizes[-1]}"]
        own, numpys = largest.first.get(_NUMPY), largest.median("numpy")
        if own is not None and numpys is not None:
            beyond = (own - numpys) * sizes[-1] / 1e6
            yield Goal(f"{what}, first run", "at most 1 s beyond NumPy's", f"{number(beyond)} s beyond", beyond <= 1)
