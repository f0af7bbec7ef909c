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

#: What a compilation is taken to cost before one was measured: XLA on one core of a desktop machine. Beyond some
#: thousand kernels of their own (products, slices, updates) the time grows with the square of their number.
SECONDS_PER_COMPILATION: Final = 0.02
SECONDS_PER_OPERATION: Final = 0.00025
SECONDS_PER_SQUARED_OPERATION: Final = 1.6e-8
#: What one run on the optimizing backend is taken to cost at least, before one was measured: a dispatch.
LEAST_SECONDS: Final = 10e-6
#: Share of a new measurement in the expected cost of compiling.
SMOOTHING: Final = 0.25
#: Timed runs of a tier in a trial, at least; the tier that is not in force has one before that warms it up.
TRIAL_RUNS: Final = 3
#: Share of what compiling took that a trial may take on the new tier: short runs are timed more often, for the machine
#: may be busy with something else for a while.
TRIAL_COST: Final = 0.25
#: After a trial's time, a tier that takes so many times as long as the other one is not run a third time.
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


@dataclass(slots=True)
class Trial:
    """Some runs of the tier in force, then some of the other one: what a loop carries stays on a tier meanwhile.

    Attributes
    ----------
    budget : float
        Seconds that the tier not in force may take.
    present, other : int
        Runs begun on the tier in force, and on the other one.
    measured : int
        Timed runs on the other one that have ended.
    spent : float
        Seconds of the runs on the other one.
    """

    budget: float = 0.0
    present: int = 0
    other: int = 0
    measured: int = 0
    spent: float = 0.0

    def next_is_other(self) -> bool:
        """Say whose turn it is, and count the run."""
        other = self.present >= TRIAL_RUNS
        if other:
            self.other += 1
        else:
            self.present += 1
        return other


@dataclass(slots=True, weakref_slot=True, eq=False)
class Account:
    """What is known of one graph.

    Attributes
    ----------
    name : str
    operations : int
    weight : int
        What compiling it costs, in elementwise operations; by default the number of operations.
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
    spent_before : float
        What it had spent when it was queued to be compiled.
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
    weight: int = 0
    spent_before: float = 0.0
    term: int = 0
    confirmed: int = 0
    counted: int = 0
    watched: int = 0
    trial: Trial = field(default_factory=lambda: Trial())

    def __post_init__(self) -> None:
        self.weight = self.weight or self.operations

    @property
    def need(self) -> float:
        """Seconds that it ran on the baseline since it was queued: how much it is waited for."""
        return self.spent - self.spent_before

    @property
    def runs(self) -> int:
        """How often it ran."""
        return self.counted + (self.term - self.left if self.left >= 0 else 0)

    def note(self, optimizing: bool, seconds: float) -> None:
        """Note a run on a tier."""
        if optimizing:
            self.optimizing_seconds = min(self.optimizing_seconds, seconds)
        else:
            self.baseline_seconds = min(self.baseline_seconds, seconds)

    def seconds(self, optimizing: bool) -> float:
        """Return the shortest run on a tier."""
        return self.optimizing_seconds if optimizing else self.baseline_seconds


class CompileCost:
    """Expected time of a compilation: a first guess, of the graph's weight, times a factor that is measured."""

    def __init__(self) -> None:
        self.factor = 1.0
        self.measured = 0

    def expected(self, weight: int) -> float:
        """Return the seconds that compiling a graph of this weight is expected to take."""
        return self.factor * _first_guess(weight)

    def observe(self, weight: int, seconds: float) -> None:
        """Learn from a compilation."""
        factor = seconds / _first_guess(weight)
        self.factor = factor if not self.measured else self.factor + SMOOTHING * (factor - self.factor)
        self.measured += 1


def _first_guess(weight: int) -> float:
    return SECONDS_PER_COMPILATION + weight * (SECONDS_PER_OPERATION + weight * SECONDS_PER_SQUARED_OPERATION)


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
        if account.spent < self.compile_after * self.cost.expected(account.weight):
            return False
        if self.compile_after > 0 and self.margin is not None and account.baseline_seconds <= self.least_seconds:
            self._decide(account, False, "too small: a run takes no longer than a call of the optimizing backend")
            account.confirmed += 1
            return False
        account.phase = Phase.WAITING
        account.spent_before = account.spent
        account.reason = "being compiled"
        return True

    def refused(self, account: Account) -> None:
        """Note that there is no room in the queue: the graph is asked for again after as much time."""
        account.phase = Phase.WATCHED
        account.spent = 0.0
        account.reason = "the queue was full"

    def compiled(self, account: Account, seconds: float) -> None:
        """Note that a graph was compiled, and in what time."""
        self.cost.observe(account.weight, seconds)
        account.compile_seconds = seconds
        account.phase = Phase.COMPILED
        account.reason = "compiled"

    def fix(self, account: Account, reason: str) -> None:
        """Leave a graph on the baseline for ever."""
        account.phase = Phase.FIXED
        account.reason = reason
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
            other = account.trial.next_is_other()
            return account.adopted is not other, not other or account.trial.other > 1
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
        else:
            account.spent += seconds
            account.watched += 1
        if measured and (optimizing or account.watched > 1):  # the first run warms caches and pages
            account.note(optimizing, seconds)
        if account.phase is not Phase.TRIAL or optimizing is account.adopted:
            return None
        return self._judge(account, measured, seconds)

    def abandon(self, account: Account) -> None:
        """End a trial of which a run failed; the present tier stays."""
        if account.phase is Phase.TRIAL:
            self._decide(account, account.adopted, "a run failed on trial")

    def _judge(self, account: Account, measured: bool, seconds: float) -> bool | None:
        """Decide for or against the tier that is not in force, after a run of it."""
        trial = account.trial
        trial.measured += measured
        trial.spent += seconds
        present = account.seconds(account.adopted)
        if present == inf:  # other threads have its runs under way
            return None
        if seconds <= (self.margin or 1.0) * present:
            account.confirmed = 0
            account.note(not account.adopted, seconds)
            return self._decide(account, not account.adopted, "measured to be faster")
        hopeless = trial.measured > 0 and account.seconds(not account.adopted) > HOPELESS * present
        if trial.spent >= trial.budget and (trial.measured >= TRIAL_RUNS or hopeless):
            tier = self._decide(account, account.adopted, "measured: the other tier is not faster")
            account.confirmed += 1
            return tier
        return None

    def _start_trial(self, account: Account) -> None:
        first = account.phase is Phase.COMPILED
        account.trial = Trial(TRIAL_COST * (account.compile_seconds or 0.0) if first else 0.0)
        account.baseline_seconds = account.optimizing_seconds = inf
        account.counted += account.term
        account.term = 0
        account.phase = Phase.TRIAL
        account.reason = "on trial"

    def _decide(self, account: Account, adopted: bool, reason: str) -> bool:
        account.phase = Phase.DECIDED
        account.adopted = adopted
        account.reason = reason
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
