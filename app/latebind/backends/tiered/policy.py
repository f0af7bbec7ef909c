"""When a graph is worth compiling, and which tier it runs on then. Nothing here runs or compiles anything.

Compiling is bought like skis: a graph is compiled once it has spent on the baseline about what compiling it is expected
to cost. So, whatever comes, a program takes at most about twice what it would have taken had it known how often its
graphs run. Both times are measured in this process; so are those of the two tiers, of which the faster one is adopted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import ceil, inf
from sys import maxsize
from typing import Final

#: What a compilation is taken to cost before one was measured: XLA on one core of a desktop machine.
SECONDS_PER_COMPILATION: Final = 0.02
SECONDS_PER_OPERATION: Final = 0.00025
#: What one run on the optimizing backend is taken to cost at least, before one was measured: a dispatch.
LEAST_SECONDS: Final = 10e-6
#: Share of a new measurement in the expected cost of compiling.
SMOOTHING: Final = 0.25
#: Timed runs of a tier in a trial, after one that warms it up.
TRIAL_RUNS: Final = 3
#: A tier that takes this many times as long as the other one is not tried again.
HOPELESS: Final = 4.0
#: Runs until a decision is looked at again; four times as many each time that it is confirmed.
FIRST_TERM: Final = 1000
TERM_GROWTH: Final = 4
#: Trials take at most about this share of the time between them.
TRIAL_SHARE: Final = 0.01


class Phase(Enum):
    """Where a graph stands."""

    WATCHED = "watched"
    WAITING = "being compiled"
    COMPILED = "compiled"
    TRIAL = "on trial"
    DECIDED = "decided"
    FIXED = "fixed"


@dataclass(slots=True, weakref_slot=True, eq=False)
class Account:
    """What is known of one graph.

    Attributes
    ----------
    name : str
    operations : int
    left : int
        Runs until the policy is asked again. Negative: it is asked now.
    adopted : bool
        Whether the graph runs on the optimizing backend; counts while `left` is not negative.
    phase : Phase
    spent : float
        Seconds on the baseline since the graph was first seen, or since it was last refused.
    baseline_seconds, optimizing_seconds : float
        Shortest run measured on each tier; infinite if none was.
    compile_seconds : float or None
        What compiling it took.
    reason : str
        Why it is where it is, for people.
    """

    name: str
    operations: int
    left: int = -1
    adopted: bool = False
    phase: Phase = Phase.WATCHED
    spent: float = 0.0
    baseline_seconds: float = inf
    optimizing_seconds: float = inf
    compile_seconds: float | None = None
    reason: str = "new"
    term: int = 0
    confirmed: int = 0
    counted: int = 0
    watched: int = 0
    steps: list[tuple[bool, bool]] = field(default_factory=list)

    @property
    def runs(self) -> int:
        """How often it ran."""
        return self.counted + (self.term - self.left if self.left >= 0 else 0)

    def seconds(self, optimizing: bool) -> float:
        """Return the shortest run on a tier."""
        return self.optimizing_seconds if optimizing else self.baseline_seconds


class CompileCost:
    """Expected time of a compilation: a first guess, linear in the operations, times a factor that is measured."""

    def __init__(self) -> None:
        self.factor = 1.0
        self.measured = 0

    def expected(self, operations: int) -> float:
        """Return the seconds that compiling so many operations is expected to take."""
        return self.factor * (SECONDS_PER_COMPILATION + SECONDS_PER_OPERATION * operations)

    def observe(self, operations: int, seconds: float) -> None:
        """Learn from a compilation."""
        factor = seconds / (SECONDS_PER_COMPILATION + SECONDS_PER_OPERATION * operations)
        self.factor = factor if not self.measured else self.factor + SMOOTHING * (factor - self.factor)
        self.measured += 1


class Policy:
    """Decides for one backend. Not thread-safe: the caller holds a lock.

    Parameters
    ----------
    compile_after
        Times the expected cost of compiling that a graph runs on the baseline before it is compiled.
    margin
        Share of the present tier's time that the other one may take to be adopted; `None` adopts what compiles.
    """

    def __init__(self, compile_after: float = 1.0, margin: float | None = 0.9) -> None:
        self.compile_after = compile_after
        self.margin = margin
        self.cost = CompileCost()
        #: Shortest run on the optimizing backend so far, at most the first guess: what else ran may have been large.
        self.least_seconds = LEAST_SECONDS

    # Before the decision

    def wants_compiling(self, account: Account) -> bool:
        """Whether a graph is to be compiled now; one that is too small to gain rests for a term instead."""
        if account.phase is Phase.DECIDED and account.left < 0 and account.compile_seconds is None:
            account.counted += account.term
            account.term = 0
            account.phase = Phase.WATCHED
        if account.phase is not Phase.WATCHED:
            return False
        if account.spent < self.compile_after * self.cost.expected(account.operations):
            return False
        if self.compile_after > 0 and self.margin is not None and account.baseline_seconds <= self.least_seconds:
            self._decide(account, False, "too small: a run takes no longer than a call of the optimizing backend")
            account.confirmed += 1
            return False
        account.phase = Phase.WAITING
        account.reason = "being compiled"
        return True

    def refused(self, account: Account) -> None:
        """Note that there is no room in the queue: the graph is asked for again after as much time."""
        account.phase = Phase.WATCHED
        account.spent = 0.0
        account.reason = "the queue was full"

    def compiled(self, account: Account, seconds: float) -> None:
        """Note that a graph was compiled, and in what time."""
        self.cost.observe(account.operations, seconds)
        account.compile_seconds = seconds
        account.phase = Phase.COMPILED
        account.reason = "compiled"

    def fix(self, account: Account, reason: str) -> None:
        """Leave a graph on the baseline for ever."""
        account.phase = Phase.FIXED
        account.reason = reason
        account.steps.clear()
        account.counted += account.term - max(account.left, 0)
        account.adopted = False
        account.term = account.left = maxsize

    # Runs

    def next_tier(self, account: Account) -> tuple[bool, bool]:
        """Return whether the next run is on the optimizing backend, and whether it is measured."""
        if account.phase is Phase.COMPILED or (account.phase is Phase.DECIDED and account.left < 0):
            if self.margin is None:
                self._adopt_for_good(account)
            else:
                self._start_trial(account)
        if account.phase is Phase.TRIAL:
            if account.steps:
                return account.steps.pop()
            # Other threads have the last runs of the trial under way.
            return account.adopted, False
        if account.phase in (Phase.DECIDED, Phase.FIXED):
            # Decided by another thread meanwhile, or the counter lost an update to one.
            account.left = max(account.left, account.term if account.term == maxsize else 0)
            return account.adopted, False
        return False, True

    def ran(self, account: Account, optimizing: bool, measured: bool, seconds: float) -> bool | None:
        """Note a run that took so long, results waited for; return the tier if that decides it."""
        account.counted += 1
        if account.phase is Phase.FIXED:  # it failed just now
            return None
        if optimizing:
            self.least_seconds = min(self.least_seconds, seconds)
        if measured and optimizing:
            account.optimizing_seconds = min(account.optimizing_seconds, seconds)
        elif measured:
            account.spent += seconds
            account.watched += 1
            if account.watched > 1:  # the first run warms caches and pages
                account.baseline_seconds = min(account.baseline_seconds, seconds)
        if account.phase is not Phase.TRIAL or optimizing is account.adopted:
            return None
        return self._judge(account, seconds)

    def abandon(self, account: Account) -> None:
        """End a trial of which a run failed; the present tier stays."""
        if account.phase is Phase.TRIAL:
            self._decide(account, account.adopted, "a run failed on trial")

    def _judge(self, account: Account, seconds: float) -> bool | None:
        """Decide for or against the tier that is not in force, after a run of it."""
        margin = self.margin or 1.0
        present = account.seconds(account.adopted)
        if seconds <= margin * present:
            account.confirmed = 0
            if account.adopted:
                account.baseline_seconds = min(account.baseline_seconds, seconds)
            else:
                account.optimizing_seconds = min(account.optimizing_seconds, seconds)
            return self._decide(account, not account.adopted, "measured to be faster")
        best = account.seconds(not account.adopted)
        if not account.steps or (best > HOPELESS * present and best < inf):
            tier = self._decide(account, account.adopted, "measured: the other tier is not faster")
            account.confirmed += 1
            return tier
        return None

    def _start_trial(self, account: Account) -> None:
        """Plan the runs of a trial, last first: the present tier unless it was watched just now, then the other."""
        present, other = account.adopted, not account.adopted
        account.steps = [(other, True)] * TRIAL_RUNS + [(other, False)]
        if account.phase is Phase.DECIDED or account.watched < 2:
            account.baseline_seconds = account.optimizing_seconds = inf
            account.steps += [(present, True)] * TRIAL_RUNS
        account.counted += account.term
        account.term = 0
        account.phase = Phase.TRIAL
        account.reason = "on trial"

    def _decide(self, account: Account, adopted: bool, reason: str) -> bool:
        account.phase = Phase.DECIDED
        account.adopted = adopted
        account.reason = reason
        account.steps.clear()
        account.term = account.left = self._term(account)
        return adopted

    def _term(self, account: Account) -> int:
        """Return the runs until the decision is looked at again."""
        term: int = FIRST_TERM * TERM_GROWTH ** min(account.confirmed, 10)
        present, other = account.seconds(account.adopted), account.seconds(not account.adopted)
        if 0 < present < inf and other < inf:
            term = max(term, ceil((TRIAL_RUNS + 1) * other / present / TRIAL_SHARE))
        return term

    def _adopt_for_good(self, account: Account) -> None:
        account.counted += account.term
        account.phase = Phase.DECIDED
        account.adopted = True
        account.reason = "adopted without measuring"
        account.term = account.left = maxsize
