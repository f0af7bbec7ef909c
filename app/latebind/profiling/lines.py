"""The user's lines of recordings, as short text that is worked out once per instruction."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterable
from types import CodeType
from typing import TYPE_CHECKING, Final

from latebind.ir.source import SourceLine, locate
from latebind.runtime.user_frames import user_frame

if TYPE_CHECKING:
    from latebind.runtime.tape import Tape

#: What stands for a line where the settings switch lines off, or nobody knows it.
UNKNOWN: Final = ""
#: What stands for the lines of the command that runs a program: it reads the results, and waits for the end.
COMMAND: Final = "latebind run"
_PACKAGE: Final = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_COMMAND: Final = os.path.join(_PACKAGE, "cli") + os.sep
#: latebind's own programs have names that begin with the package.
_BESIDE: Final = os.path.join(os.path.dirname(_PACKAGE), "")
#: Files that the place of a graph names.
_MOST_FILES: Final = 3


class Lines:
    """Lines as `file:number`, relative to the working directory at the start where that is shorter.

    Parameters
    ----------
    wanted
        Whether there are any: `recording.source_lines` of the settings.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self.wanted = wanted
        self._folder = working_folder()
        #: By the file too: code that is the same in two files is equal.
        self._known: dict[tuple[str, CodeType, int], str] = {}
        self._files: dict[str, str] = {}

    def at(self, code: CodeType, lasti: int) -> str:
        """Return the line of an instruction."""
        key = code.co_filename, code, lasti
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._short(locate(code, lasti)) if self.wanted else UNKNOWN
        return found

    def of(self, tape: Tape) -> list[str]:
        """Return the line of each record."""
        if not self.wanted:
            return [UNKNOWN] * len(tape.records)
        return [self.at(code, lasti) for code, lasti in zip(tape.codes, tape.lastis, strict=False)]

    def here(self) -> str:
        """Return the user's line that the innermost call comes from."""
        frame = user_frame(2)
        return self.at(frame.f_code, frame.f_lasti)

    def short(self, text: str) -> str:
        """Return a text in which files are named in full with the shorter names."""
        for folder in (self._folder, _BESIDE):
            if len(folder) > 1:
                text = text.replace(folder, "")
        return text

    def text(self, line: str) -> str:
        """Return the source of a line; empty if it cannot be read."""
        name, _, number = line.rpartition(":")
        return linecache.getline(self._files.get(name, name), int(number)).strip() if number.isdecimal() else ""

    def _short(self, line: SourceLine) -> str:
        if line.filename.startswith(_COMMAND):
            return COMMAND
        name = line.filename.removeprefix(self._folder).removeprefix(_BESIDE)
        self._files[name] = line.filename
        return f"{name}:{line.line}"


def working_folder() -> str:
    """Return what names of files in the working directory begin with; nothing if that is gone."""
    try:
        return os.path.join(os.getcwd(), "")
    except OSError:
        return "\0"


def where(lines: Iterable[str]) -> str:
    """Return many lines as one place: `train.py:12-20, model.py:3`."""
    files: dict[str, list[int]] = {}
    for line in dict.fromkeys(lines):
        name, _, number = line.rpartition(":")
        if number.isdecimal():
            files.setdefault(name, []).append(int(number))
    parts = []
    for name, numbers in list(files.items())[:_MOST_FILES]:
        first, last = min(numbers), max(numbers)
        parts.append(f"{name}:{first}" if first == last else f"{name}:{first}-{last}")
    if len(files) > _MOST_FILES:
        parts.append(f"{len(files) - _MOST_FILES} more files")
    return ", ".join(parts)
