"""What a worker process may take: a limit on its address space, what it takes now, and that it ends with the server.

The limit is `RLIMIT_AS`, set after the program is loaded and compiled to what the process has then plus the configured
amount. It counts address space, not pages in use: memory that an engine reserves without touching counts, what it
reserved before does not, and memory of an accelerator does not either. An allocation beyond it fails, which Python code
sees as `MemoryError`; an engine in C++ may end the process instead. macOS accepts the limit and does not enforce it, so
it is not set there.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

_MIB: Final = 1 << 20
_PR_SET_PDEATHSIG: Final = 1


def memory_is_limitable() -> bool:
    """Whether this system enforces a limit on address space."""
    return sys.platform.startswith("linux")


def limit_memory(megabytes: int) -> None:
    """Let the process take so many MiB of address space more than it has now.

    Raises
    ------
    OSError
        If the system does not say how much the process has.
    ValueError
        If the hard limit that the process was started with is lower.
    """
    import resource

    present = _statm("self", 0)
    if present is None:
        raise OSError("this system does not say how much address space a process has")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = present + megabytes * _MIB
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def end_with_parent() -> None:
    """Have Linux kill this process when the thread that started it is gone; elsewhere, do nothing.

    The lifeline does the same, but not while a function in C keeps the interpreter's lock.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def resident_bytes(pid: int | None = None) -> int:
    """Return the memory that a process has in use; 0 where the system does not tell, or the process is gone.

    Without `/proc` only the own process can be asked, and the answer is the largest value so far.
    """
    found = _statm("self" if pid is None else str(pid), 1)
    if found is not None:
        return found
    if pid is not None and pid != os.getpid():
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _statm(process: str, field: int) -> int | None:
    try:
        fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        return int(fields[field]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return None
