"""The directories where compiled programs are kept: where, whether they can be used, and what is in them."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from latebind.backends.settings import part_settings
from latebind.diagnosis.finding import Finding, Severity

_LITTLE_SPACE: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class CacheDirectory:
    """One directory of compiled programs.

    Attributes
    ----------
    key : str
        Key of the configuration that sets it: `"backend.cache_directory"`.
    path : str
    exists : bool
        It is made at the first write.
    problem : str or None
        Why nothing can be kept there.
    files, bytes : int
        What is in it.
    free_bytes : int or None
        Space that is left on its disk.
    max_bytes : int
        Size above which the oldest programs are deleted.
    """

    key: str
    path: str
    exists: bool
    problem: str | None
    files: int
    bytes: int
    free_bytes: int | None
    max_bytes: int

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self) | {"writable": self.problem is None}


def cache_directories(backend: object, key: str = "backend") -> list[CacheDirectory]:
    """Return the directory of each backend that keeps programs on disk, parts of a composed one included."""
    found = []
    if getattr(backend, "persistent_cache", False) and hasattr(backend, "cache_directory"):
        found.append(look_at(f"{key}.cache_directory", backend.cache_directory, getattr(backend, "cache_max_bytes", 0)))
    for field, part in part_settings(backend).items():
        found += cache_directories(part, f"{key}.{field}")
    return found


def look_at(key: str, directory: Path | None, max_bytes: int) -> CacheDirectory:
    """Look at a directory, by default the user's; nothing is left there, and one that is not there is not made."""
    try:
        path = directory or _default_directory()
    except ImportError:
        problem = "platformdirs, which knows where it is, is not installed"
        return CacheDirectory(key, "", False, problem, 0, 0, None, max_bytes)
    sizes = list(_sizes(path))
    present = _nearest(path)
    try:
        free: int | None = shutil.disk_usage(present).free
    except OSError:
        free = None
    return CacheDirectory(key, str(path), os.path.isdir(path), _problem(path), len(sizes), sum(sizes), free, max_bytes)


def cache_findings(directories: list[CacheDirectory]) -> list[Finding]:
    """Return what is wrong with the directories. None of it stops a program: it compiles every time it is started."""
    found = []
    for each in directories:
        off = each.key.replace("cache_directory", "persistent_cache")
        if each.problem is not None:
            found.append(
                Finding(
                    Severity.WARNING,
                    "cache",
                    f"compiled programs cannot be kept in {each.path or 'the cache directory'}: {each.problem}",
                    f"set {each.key} to a directory that you alone can write to, or {off} to false",
                )
            )
        elif each.free_bytes is not None and each.free_bytes < min(_LITTLE_SPACE, max(each.max_bytes - each.bytes, 0)):
            found.append(
                Finding(
                    Severity.WARNING,
                    "cache",
                    f"{each.free_bytes / 2**20:,.0f} MiB are free where compiled programs are kept, {each.path}",
                    f"free space there, or set {each.key} to a directory on another disk",
                )
            )
    return found


def _default_directory() -> Path:
    from latebind.backends.xla.store import Store

    return Store().directory


def _sizes(path: Path) -> Iterator[int]:
    """Iterate over the sizes of the programs; files come and go meanwhile."""
    try:
        files = list(path.iterdir())
    except OSError:
        return
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and file.suffix == ".xla":
            yield status.st_size


def _nearest(path: Path) -> Path:
    """Return the directory, or the nearest one above it that is there."""
    path = path.absolute()
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), path)


def _problem(path: Path) -> str | None:
    present = _nearest(path)
    if not os.path.isdir(present):  # `Path.is_dir` raises where it may not look
        return f"{present} is no directory"
    if present == path.absolute() and hasattr(os, "getuid"):
        status = path.stat()
        if status.st_uid != os.getuid():
            return "it belongs to another user"
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return "others can write to it, and loading a program runs machine code"
    try:
        with tempfile.TemporaryFile(dir=present) as stream:
            stream.write(b"latebind")
    except OSError as error:
        return error.strerror or str(error)
    return None
