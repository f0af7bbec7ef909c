"""Checking one group: evaluate it in one computation, compare with the reference, name the cases that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from latebind.backends.interface import Backend
from latebind.backends.numpy.backend import NumpyBackend
from latebind.ir.attributes import body_kind
from latebind.testing.conformance.comparison import Tolerance, agreement, difference
from latebind.testing.conformance.deviations import matching
from latebind.testing.conformance.evaluation import Evaluator, Reference
from latebind.testing.conformance.groups import Case, Group
from latebind.testing.conformance.sampling.samples import Array
from latebind.testing.conformance.tolerances import tolerance_of


@dataclass(slots=True)
class Outcome:
    """What became of a group.

    Attributes
    ----------
    group : str
    how : str
        `native`, `decomposition`, `fallback` or `unsupported`.
    cases : int
    failures : dict of str to str
        From the names of cases that failed and were not expected to, to what was wrong.
    expected : dict of str to [int, int]
        For each declared deviation that matches: how many of its cases failed, and how many there are.
    """

    group: str
    how: str
    cases: int
    failures: dict[str, str] = field(default_factory=dict)
    expected: dict[str, list[int]] = field(default_factory=dict)


class Checker:
    """Checks groups on one backend."""

    def __init__(self, backend: Backend, deviations: Mapping[str, str] | None = None) -> None:
        self.deviations = backend.deviations if deviations is None else deviations
        self.evaluator = Evaluator(backend, NumpyBackend())
        self.reference = Reference()

    def check(self, group: Group) -> Outcome:
        """Run a group and compare it."""
        cases = group.cases()
        outcome = Outcome(group.name, self.evaluator.how(cases[0]), len(cases))
        for case, (found, message) in zip(cases, self._evaluate(group.name, cases), strict=True):
            patterns = matching(case.name, self.deviations)
            for pattern in patterns:
                counts = outcome.expected.setdefault(pattern, [0, 0])
                counts[0] += bool(message)
                counts[1] += 1
            if message and found is not None and patterns and all(p.endswith("denormals") for p in patterns):
                message = self._beyond_flushing(case, found)
                if message:
                    outcome.failures[case.name] = f"flushing denormals to zero does not explain that it {message}"
            elif message and not patterns:
                outcome.failures[case.name] = message
        return outcome

    def _evaluate(self, name: str, cases: Sequence[Case]) -> list[tuple[Sequence[Array] | None, str]]:
        """Return the results of each case, `None` if it raised, and what is wrong with them."""
        try:
            results = self.evaluator.run_cases(name, cases)
        except Exception as error:
            outcomes = [self._evaluate_alone(case) for case in cases]
            if not any(message for _, message in outcomes):
                together = f"all {len(cases)} cases in one computation fail, each alone is right: {_shown(error)}"
                outcomes[0] = None, together
            return outcomes
        return [(found, self._compare(case, found)) for case, found in zip(cases, results, strict=True)]

    def _evaluate_alone(self, case: Case) -> tuple[Sequence[Array] | None, str]:
        try:
            (found,) = self.evaluator.run_cases(case.name, [case])
        except Exception as error:
            return None, _shown(error)
        return found, self._compare(case, found)

    def _compare(self, case: Case, found: Sequence[Array]) -> str:
        return self._first_difference(case, found, [self.reference.results(case)])

    def _beyond_flushing(self, case: Case, found: Sequence[Array]) -> str:
        """Return what is wrong with a case even if each denormal number, operand or result, may count as zero."""
        accepted = [self.reference.results(case), self.reference.results(case, flushed=True)]
        return self._first_difference(case, found, accepted, denormals=False)

    def _first_difference(
        self, case: Case, found: Sequence[Array], accepted: Sequence[Sequence[Array]], *, denormals: bool | None = None
    ) -> str:
        """Compare results; each element has to agree with one of the accepted ones."""
        tolerance = case_tolerance(case)
        wanted = accepted[0]
        magnitudes: Sequence[Array | None] = [None] * len(wanted)
        if tolerance.magnitude:
            magnitudes = self.reference.results(case, absolute=True)
        if len(found) != len(wanted):
            return f"gives {len(found)} results, expected {len(wanted)}"
        strict = is_about_denormals(case) if denormals is None else denormals
        for index, (result, magnitude) in enumerate(zip(found, magnitudes, strict=True)):
            alternatives = [other[index] for other in accepted]

            def agrees(
                left: Array, right: Array, others: Sequence[Array] = alternatives, size: Array | None = magnitude
            ) -> Array:
                some = [agreement(left, other, tolerance, magnitude=size, denormals=strict) for other in others]
                return np.asarray(np.logical_or.reduce(some))

            message = difference(result, alternatives[0], agrees)
            if message:
                return f"result {index} {message}" if len(wanted) > 1 else message
        return ""


def case_tolerance(case: Case) -> Tolerance:
    """Return the tolerance of a case: its operation's, for as many terms as it combines."""
    attributes = case.sample.attributes
    name = "update_computation" if "update_computation" in attributes else "body"
    body = body_kind(attributes, name)
    tolerance = tolerance_of(case.kind, case.dtype.kind, "" if body is None else body.name)
    return tolerance.scaled(case.sample.terms)


def is_about_denormals(case: Case) -> bool:
    """Whether denormal numbers are what the case is about."""
    return "denormals" in case.sample.label


def _shown(error: Exception) -> str:
    first = str(error).strip().split("\n")[0]
    return f"raises {type(error).__name__}: {first[:300]}"
