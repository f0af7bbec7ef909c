"""Measuring one case on all its contenders, in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter

from tests.benchmarks.case import Case, Spread
from tests.benchmarks.workers import ContenderError, Process, Team

#: Each contender is warmed for as long, so that what compiles in the background is ready; a slow one for no longer.
_WARM_SECONDS = 1.0
_MOST_SECONDS = 20.0
#: A contender that has been measured for so many seconds needs no more than these rounds.
_LONG_SECONDS, _FEW_ROUNDS = 40.0, 3


@dataclass(slots=True)
class Comparison:
    """What was measured.

    Attributes
    ----------
    first : dict
        Seconds, or the case's unit, of the first run, by contender.
    taken : dict
        Measurements, round by round, by contender.
    problems : dict
        Kind and message, by contender: not installed, wrong, failed, killed.
    """

    name: str
    title: str
    unit: str
    notes: list[str] = field(default_factory=list)
    first: dict[str, float] = field(default_factory=dict)
    taken: dict[str, list[float]] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)

    def median(self, contender: str) -> float | None:
        """Return a contender's median; None if there is none."""
        values = self.taken.get(contender)
        return Spread.of(values).median if values else None

    def ratio(self, above: str, below: str) -> Spread | None:
        """Return the ratio of two contenders, round by round; None if one was not measured."""
        if not self.taken.get(above) or not self.taken.get(below):
            return None
        pairs = zip(self.taken[above], self.taken[below], strict=False)
        return Spread.of([one / other for one, other in pairs])


def compare(
    team: Team, case_name: str, case: Case, contenders: Iterable[str], *, quick: bool, warm: bool = True
) -> Comparison:
    """Measure a case.

    Parameters
    ----------
    team
        The processes.
    case_name
        Where the worker finds the case, `module:name`.
    contenders
        Who is wanted; the case says who can.
    quick
        One round after one warm-up: whether it runs.
    warm
        Whether the first run is followed by others.
    """
    result = Comparison(case_name.partition(":")[2], case.title, case.unit, list(case.notes))
    running: dict[str, Process] = {}

    def each(do: Callable[[str, Process], object]) -> None:
        for name in list(running):
            _guarded(result, team, running, name, do)

    for name in contenders:
        if name in case.contenders:
            try:
                running[name] = team.get(name)
            except ContenderError as error:
                result.problems[name] = (error.kind, str(error))
    each(lambda name, process: process.ask("open", case=case_name, quick=quick))
    each(lambda name, process: result.first.update({name: process.ask("measure", repeat=1, settle=False)[0]}))
    each(lambda name, process: process.ask("check"))
    if warm:
        calls, seconds = (1, 0.0) if quick else (case.warmup, _WARM_SECONDS)
        each(lambda name, process: process.ask("warm", calls=calls, seconds=seconds, most=_MOST_SECONDS))
        spent: dict[str, float] = {}
        for turn in range(2 if quick else case.rounds):
            _round(result, running, turn, each, spent=spent, settle=case.settle and not quick)
        each(lambda name, process: process.ask("check"))
    each(lambda name, process: process.ask("close"))
    return result


def _round(
    result: Comparison,
    running: dict[str, Process],
    turn: int,
    each: Callable[[Callable[[str, Process], object]], None],
    *,
    spent: dict[str, float],
    settle: bool,
) -> None:
    """Measure everybody once; who goes first rotates. `spent` is the seconds that each has been measured for."""
    names = list(running)
    if names:
        rotated = names[turn % len(names) :] + names[: turn % len(names)]
        running_rotated = {name: running[name] for name in rotated}
        running.clear()
        running.update(running_rotated)

    def measure(name: str, process: Process) -> None:
        taken = result.taken.setdefault(name, [])
        if len(taken) >= _FEW_ROUNDS and spent[name] > _LONG_SECONDS:
            return
        start = perf_counter()
        taken.extend(process.ask("measure", repeat=1, settle=settle))
        spent[name] = spent.get(name, 0.0) + perf_counter() - start

    each(measure)


def _guarded(
    result: Comparison,
    team: Team,
    running: dict[str, Process],
    name: str,
    do: Callable[[str, Process], object],
) -> None:
    """Do something with a contender; one that fails leaves the comparison, with the reason."""
    try:
        do(name, running[name])
    except ContenderError as error:
        result.problems[name] = (error.kind, str(error))
        result.taken.pop(name, None)
        del running[name]
        if error.fatal:
            team.drop(name)
