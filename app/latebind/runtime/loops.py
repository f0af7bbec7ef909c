"""Finding a loop in a recording.

Operands are written relative to their record, so a Python loop that records the same operations every round shows as a
repeating run of equal records. A recording that gets long is searched for the shortest period of its end; cut there,
every later round has the same records and is a cache hit that runs while Python records the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from latebind.runtime.tape import Record

#: Length at which a recording is searched for the first time; then at every doubling.
FIRST_SEARCH: Final = 512
#: Rounds that have to be equal before a run counts as a loop.
ROUNDS: Final = 3
#: Records that have to repeat, however short the period: three equal operations in a row are no loop.
REPEATED: Final = 64
#: Records at the end of a recording that are searched.
WINDOW: Final = 8192
#: Records that are compared before a whole period is.
PROBE: Final = 16
#: Records that a cut recording should have at least, so that finding and starting its computation costs little.
WORTH_A_CUT: Final = 256
#: Rounds with records never seen before after which a loop is given up.
MISSES_OF_A_LOOP: Final = 3


def find_period(records: Sequence[Record]) -> int | None:
    """Return the shortest period of the end of a recording, in records; `None` if it does not repeat.

    The last `ROUNDS` periods, and at least `REPEATED` records, have to repeat. Costs one comparison per record of the
    last `WINDOW` in the common case: only places where the last few records occur again are tried.
    """
    count = len(records)
    last, probe = records[-1], records[-PROBE:]
    for period in range(1, min(count, WINDOW) // ROUNDS + 1):
        if records[count - 1 - period] != last or records[count - PROBE - period : count - period] != probe:
            continue
        length = max(ROUNDS * period, REPEATED)
        if length <= count and records[count - length : count - period] == records[count - length + period :]:
            return period
    return None


def cut_length(period: int) -> int:
    """Return how many records to run at a time: whole rounds, enough to be worth a cut."""
    return period * max(1, -(-WORTH_A_CUT // period))
