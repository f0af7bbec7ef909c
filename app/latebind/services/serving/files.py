"""Whether the files that a configuration names are there, before anything is started."""

from __future__ import annotations

import os
from pathlib import Path

from latebind.services.serving.settings import ServeSettings
from latebind.settings.yaml_file import join_path


def file_problems(settings: ServeSettings, base: Path) -> dict[str, list[str]]:
    """Return what is wrong with the files of each program; programs whose files are there are left out.

    Modules are not looked for: that would run code of theirs.

    Parameters
    ----------
    settings
    base
        Folder that paths of the settings are relative to.
    """
    found: dict[str, list[str]] = {}
    for name, program in settings.programs.items():
        place, _, _ = program.program.rpartition(":")
        named = {"program": Path(place)} if place.endswith(".py") else {}
        if program.weights is not None:
            named["weights"] = program.weights
        problems = [
            f"{join_path(('programs', name, key))} is {str(path)!r}, but {trouble}"
            for key, path in named.items()
            if (trouble := _trouble(base / path))
        ]
        if problems:
            found[name] = problems
    return found


def _trouble(path: Path) -> str:
    """Return why a file cannot be read; nothing if it can."""
    full = path.absolute()
    if not full.exists():
        folder = next((each for each in reversed(full.parents) if not each.exists()), None)
        return f"there is no folder {folder}" if folder is not None else f"there is no file {full}"
    if not full.is_file():
        return f"{full} is no file"
    return "" if os.access(full, os.R_OK) else f"{full} cannot be read: this user has no right to"
