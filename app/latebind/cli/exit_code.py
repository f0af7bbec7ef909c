"""What the command's exit codes say."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command's exit code says."""

    OK = 0
    PROGRAM_FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    BACKEND_UNAVAILABLE = 4
    INTERRUPTED = 130
