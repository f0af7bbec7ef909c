"""Source files in what clients see: where a line of a program stands, without the folders of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

#: What stands before a path in the text of a graph: a quote, a space, or the line break of a drawing's label.
_BEFORE: Final = r"""(?:^|(?<=["'\s(=])|(?<=\\n))"""
#: Absolute paths that are below no known folder: in quotes, or as the last line of a drawing's label.
_LEFT: Final = re.compile(
    r"""(?P<before>["']|\\n)(?:[A-Za-z]:[\\/]|~?/)(?:[^"'\n]*[\\/])?(?P<name>[^"'\n\\/]+\.\w+)(?=["':])""", re.MULTILINE
)


class SourceFolders:
    """Shortens paths to what is below the folders that programs are imported from.

    Parameters
    ----------
    folders
        Where the program stands; what Python imports from (`sys.path`) is known beside.

    Examples
    --------
    >>> SourceFolders(["/srv/models"]).shorten('loc("/srv/models/nets/digits.py":7)')
    'loc("nets/digits.py":7)'
    >>> SourceFolders([]).shorten('loc("/somewhere/else/digits.py":7)')
    'loc("digits.py":7)'
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]]) -> None:
        known: set[str] = set()
        for folder in (*folders, *sys.path):
            for form in (os.path.abspath(folder), str(Path(folder).resolve())):
                if Path(form).parent != Path(form):  # not the root of the file system
                    known.add(form.rstrip("/\\"))
        longest_first = sorted(known, key=lambda each: (-len(each), each))
        self._below = re.compile(_BEFORE + f"(?:{'|'.join(map(re.escape, longest_first))})" + r"[/\\]", re.MULTILINE)

    def shorten(self, text: str) -> str:
        """Return a text with paths relative to the folder that they are in; of others, the name of the file."""
        return _LEFT.sub(r"\g<before>\g<name>", self._below.sub("", text))
