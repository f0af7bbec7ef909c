"""User source lines: from a code object and an instruction offset to file, line and function.

A recording keeps code and `f_lasti` only: cheap, and no frame stays alive. The line is worked out when asked for.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from itertools import islice
from types import CodeType


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of user code.

    Attributes
    ----------
    filename : str
    line : int
        Counted from 1.
    function : str
        Qualified name of the function.
    """

    filename: str
    line: int
    function: str

    @property
    def text(self) -> str:
        """The line's text without indentation; empty if the file cannot be read."""
        return linecache.getline(self.filename, self.line).strip()

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}"


def locate(code: CodeType, lasti: int) -> SourceLine:
    """Return the line of an instruction.

    Parameters
    ----------
    code
        Code object of the frame that recorded.
    lasti
        The frame's `f_lasti`: a byte offset, two bytes to an instruction. Negative for a frame that has not started.
    """
    position = next(islice(code.co_positions(), max(lasti, 0) // 2, None), None)
    line = position[0] if position is not None else None
    return SourceLine(code.co_filename, code.co_firstlineno if line is None else line, code.co_qualname)
