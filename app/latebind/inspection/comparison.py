"""Two texts beside each other, equal lines level with each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final

#: Names of values are counted, so they differ after the first line that only one side has.
_NAME: Final = re.compile(r"%\d+|\bv\d+\b")

Row = tuple[str, str, str]


def aligned(left: Sequence[str], right: Sequence[str]) -> Iterator[Row]:
    """Yield rows of a left line, a mark and a right line; the mark is ` ` where both say the same.

    The other marks are `|` (they differ), `<` (the left alone has the line) and `>` (the right alone). Names of values
    do not count.
    """
    matcher = SequenceMatcher(None, [_bare(line) for line in left], [_bare(line) for line in right], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        for one, other in zip_longest(left[a:b], right[c:d]):
            mark = " " if tag == "equal" else ">" if one is None else "<" if other is None else "|"
            yield one or "", mark, other or ""


def _bare(line: str) -> str:
    return _NAME.sub("%", line).strip()


def side_by_side(headings: tuple[str, str], left: str, right: str, width: int = 160) -> str:
    """Return two texts in two columns of together `width` characters; longer lines are cut."""
    column = max(20, (width - 3) // 2)

    def cut(line: str) -> str:
        return line if len(line) <= column else line[: column - 1] + "…"

    rows: list[Row] = [(headings[0], " ", headings[1]), ("-" * column, " ", "-" * column)]
    rows += aligned(left.splitlines(), right.splitlines())
    return "\n".join(f"{cut(one):<{column}} {mark} {cut(other)}".rstrip() for one, mark, other in rows) + "\n"
