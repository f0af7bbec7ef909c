"""When a thread runs operations directly, and when it records again.

It stops recording after some recordings in a row that nobody had seen before, or in the middle of one that gets long
without a loop or consists of operations of new shapes; and where what it records is mostly too new to be compiled, and
takes longer for an operation than direct execution did. After a number of operations, twice as many as the last time,
or after a fraction of a second, it records again, at the next point where the program reads a value or ends a step:
there a program that has become repetitive begins its round. A program that repeats itself all the time is tried
directly as well, once: with small arrays, running an operation can cost less than recording it. What is faster stays.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import TYPE_CHECKING, Final

from latebind.runtime.direct import Direct
from latebind.runtime.events import DirectRun
from latebind.runtime.signature import made_signatures

if TYPE_CHECKING:
    from latebind.runtime.cache import Structure
    from latebind.runtime.metrics import Metrics
    from latebind.runtime.tape import Ground, Tape

#: Operations of the first phase of direct execution; each further one in a row is twice as long, up to the most.
OPERATIONS: Final = 512
MOST_OPERATIONS: Final = 131_072
#: A phase of that many seconds is over, however few operations it had: where each one takes long, recording a few to
#: see whether the program repeats itself costs next to nothing, and what was given up may be worth much.
LONGEST_SECONDS: Final = 0.2
#: Length at which a recording is first looked at for whether its operations are new.
FIRST_LOOK: Final = 128
#: Length at which a recording without a loop is run, and the thread goes over to direct execution.
LONGEST_WITHOUT_LOOP: Final = 4096
#: Share of the records of a recording, one in so many, that have to have new shapes for it to be given up.
NEW_ONE_IN: Final = 4
#: Recordings never seen before, one after the other, after which recording is not worth it; and the hits in a row that
#: make up for it.
IN_A_ROW: Final = 8
#: A recording that is made to see whether the program repeats itself by now gets one operation for so many direct ones.
TRIAL_ONE_IN: Final = 64
#: Records after which recording is weighed for the first time, before direct execution was ever tried; afterwards;
#: where most of them were interpreted; and where that is so though a loop was found.
FIRST_SPAN: Final = 4096
SPAN: Final = 256
NEW_SPAN: Final = 1024
LOOP_SPAN: Final = 16_384
#: Share of a span's records, one in so many, that have to be interpreted for the program to count as new.
INTERPRETED_ONE_IN: Final = 2
#: How many times as long as direct execution what comes from the cache may take before it is given up.
HYSTERESIS: Final = 1.1
#: Seconds that an operation of it takes at most, all in all, for that to be considered: where operations are longer, a
#: compiled graph gains more than recording costs, or an optimizing tier will make it gain.
SHORT_OPERATION: Final = 1e-5


class Span:
    """What a thread recorded since it was last weighed: records, how many of them were interpreted, and since when."""

    __slots__ = ("interpreted", "records", "started")

    def __init__(self, started: float) -> None:
        self.records = self.interpreted = 0
        self.started = started


class DirectPhases:
    """Decides, for each thread and ground, whether operations are recorded or run directly.

    Attributes
    ----------
    possible : bool
        Whether the backend and the settings allow it.
    always : bool
        Whether nothing is ever recorded: eager execution.
    """

    __slots__ = ("_interpretations", "_metrics", "always", "possible")

    def __init__(self, metrics: Metrics, *, possible: bool, always: bool, interpretations: int) -> None:
        self._metrics = metrics
        self._interpretations = interpretations
        self.possible = possible
        self.always = always

    def current(self, ground: Ground) -> Direct | None:
        """Return how the calling thread runs operations directly on a ground; `None` if it records."""
        local = ground.local
        found: Direct | None = getattr(local, "direct", None)
        if found is None and self.always and self.possible and not ground.executor.closed:
            found = local.direct = Direct(ground, math.inf)
        return found

    def aside(self, ground: Ground) -> Direct | None:
        """Return what runs single operations directly while the thread records; `None` if that cannot be."""
        if not self.possible or ground.executor.closed:
            return None
        local = ground.local
        found: Direct | None = getattr(local, "aside", None)
        if found is None:
            found = local.aside = Direct(ground, 0.0)
        return found

    def begin(self, ground: Ground) -> None:
        """Have the thread run operations directly for a while."""
        local = ground.local
        if not self.possible or self.always or local.tape.capturing or local.tape.records:
            return
        local.patience = min(2 * getattr(local, "patience", OPERATIONS // 2), MOST_OPERATIONS)
        local.misses = local.hits = 0
        local.direct = Direct(ground, local.patience)
        local.direct_since = perf_counter()
        self._metrics.count("DirectPhases")
        ground.open()

    def end(self, tape: Tape) -> None:
        """Go back to recording if the phase is over; called where the program reads a value or ends a step."""
        direct, local = tape.direct, tape.ground.local
        if direct is None or self.always or local.tape is not tape:
            return
        now, operations = perf_counter(), local.patience - direct.left
        if direct.left <= 0 or (operations >= OPERATIONS and now - local.direct_since >= LONGEST_SECONDS):
            self._metrics.count("DirectOps", int(operations))
            # The next phase is twice as long as this one was.
            local.patience = min(local.patience, operations)
            #: Of the latest phase: what the program does changes.
            local.direct_seconds = (now - local.direct_since) / operations
            local.span = Span(now)
            local.direct = None
            tape.ground.open()
            events = tape.ground.executor.events
            if events.observers:
                events.tell(DirectRun(operations, local.direct_since, now))

    def gives_up(self, tape: Tape) -> bool:
        """Whether a recording without a loop is long enough, or new enough, to be run directly from here on."""
        if not self.possible:
            return False
        count = len(tape.records)
        patience = getattr(tape.ground.local, "patience", 0)
        if patience >= OPERATIONS:
            return bool(count >= patience // TRIAL_ONE_IN)
        if count >= LONGEST_WITHOUT_LOOP:
            return True
        if NEW_ONE_IN * (made_signatures() - tape.signatures) < count:
            return False
        # The first round of a loop is new as well: what counts is whether its second half goes on like the first.
        half = count // 2
        known = {record[0] for record in tape.records[:half]}
        return NEW_ONE_IN * len({record[0] for record in tape.records[half:]} - known) >= count - half

    def note(self, tape: Tape, structure: Structure) -> None:
        """Count recordings that were never seen before, and those that were."""
        if not self.possible:
            return
        local = tape.ground.local
        if self._weighs_too_much(tape, structure):
            local.is_slower = True
            self.begin(tape.ground)
            return
        if structure.sightings > 1:
            local.misses, local.hits = 0, getattr(local, "hits", 0) + 1
            if local.hits >= IN_A_ROW and not getattr(local, "is_slower", False):
                local.patience = OPERATIONS // 2
            return
        local.hits = 0
        local.misses = getattr(local, "misses", 0) + 1
        if local.misses >= IN_A_ROW and not tape.round:
            self.begin(tape.ground)

    def _weighs_too_much(self, tape: Tape, structure: Structure) -> bool:
        """Whether what the thread records takes longer than direct execution, or that should be tried."""
        local = tape.ground.local
        span: Span | None = getattr(local, "span", None)
        if span is None:
            span = local.span = Span(tape.started)
        count = len(tape.records)
        span.records += count
        if structure.sightings <= self._interpretations:
            span.interpreted += count
        direct: float = getattr(local, "direct_seconds", 0.0)
        if span.records < (max(SPAN, local.patience // TRIAL_ONE_IN) if direct else FIRST_SPAN):
            return False
        is_new = INTERPRETED_ONE_IN * span.interpreted >= span.records
        # A loop that was just found is new for some rounds.
        if is_new and span.records < (LOOP_SPAN if tape.round else NEW_SPAN):
            return False
        now = perf_counter()
        local.span = Span(now)
        aside: Direct | None = getattr(local, "aside", None)
        if aside is not None:
            span.records -= int(aside.left)
            aside.left = 0.0
        seconds = (now - span.started) / span.records
        # A loop may go on for hours without a read, which a phase of direct execution needs to end.
        short = not tape.round and seconds <= SHORT_OPERATION
        weighs = seconds > direct if is_new else short and seconds > HYSTERESIS * direct
        if not weighs:
            local.is_slower = False
        return weighs
