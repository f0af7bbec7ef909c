"""The file of a trace: known to be writable before the program runs, and whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from latebind.errors import ProfileFileError

#: Events that are spelt at once: all of them would need as much memory again, one by one would take four times as long.
_AT_ONCE: Final = 1000
_spelt: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def _json(document: Mapping[str, object]) -> Iterator[str]:
    """Return the document's JSON in pieces; it has at least one entry."""
    start = "{"
    for key, value in document.items():
        yield f"{start}{_spelt(key)}:"
        start = ","
        if not isinstance(value, list):
            yield _spelt(value)
            continue
        yield "["
        for index in range(0, len(value), _AT_ONCE):
            yield f"{',' if index else ''}{_spelt(value[index : index + _AT_ONCE])[1:-1]}"
        yield "]"
    yield "}"


class TraceFile:
    """A JSON file that is written in one go. What stood under its name stays until then.

    Parameters
    ----------
    path
        A device, such as `/dev/stdout`, is written to as it is.

    Raises
    ------
    ProfileFileError
        If it cannot be written; nothing is left behind.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._file: TextIO | None = None
        self._replaces = False
        try:
            if self.path.is_dir():
                raise IsADirectoryError("it is a folder")
            self._replaces = not self.path.exists() or stat.S_ISREG(self.path.stat().st_mode)
            if self._replaces and self.path.exists() and not os.access(self.path, os.W_OK):
                raise PermissionError("it is write-protected")
            self._file = self._open()
        except OSError as error:
            raise self._refusal(error) from error

    def _open(self) -> TextIO:
        if not self._replaces:
            return self.path.open("w", encoding="utf-8")
        folder = self.path.resolve().parent
        number, name = tempfile.mkstemp(prefix=f".{self.path.name}.", suffix=".part", dir=folder)
        self._part = Path(name)
        return os.fdopen(number, "w", encoding="utf-8")

    def write(self, document: Mapping[str, object]) -> None:
        """Write the document and close the file.

        Raises
        ------
        ProfileFileError
            If that fails: the disk is full, the folder is gone.
        """
        file = self._file
        assert file is not None
        try:
            with file:
                file.writelines(_json(document))
            if self._replaces:
                mask = os.umask(0)
                os.umask(mask)
                self._part.chmod(0o666 & ~mask)  # as `open` would have made it
                self._part.replace(self.path.resolve())
        except OSError as error:
            self.discard()
            raise self._refusal(error) from error

    def discard(self) -> None:
        """Close the file without writing to it."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.close()
            if self._replaces:
                self._part.unlink(missing_ok=True)

    def _refusal(self, error: OSError) -> ProfileFileError:
        return ProfileFileError(f"the profile cannot be written to {str(self.path)!r}: {error.strerror or error}")
