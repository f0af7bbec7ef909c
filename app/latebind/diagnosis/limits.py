"""Processors and memory that this process may use: the machine's, narrowed by affinity and by the container's limits.

A container limits a process through control groups. Version 2 has one tree (`cpu.max`, `memory.max`), version 1 one
per controller (`cpu.cfs_quota_us`, `memory.limit_in_bytes`); every group on the way up to the root limits as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from latebind.diagnosis.finding import Finding, Severity

#: Variables that set the number of threads of BLAS, OpenMP and XLA's host devices.
THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "PJRT_NPROC",
    "NPROC",
)
#: An engine that compiles (XLA, Inductor) needs about this much beside the program's own arrays.
_LITTLE_MEMORY: Final = 1 << 30
#: Version 1 writes "no limit" as the largest multiple of a page in 63 bits.
_UNLIMITED: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use.

    Attributes
    ----------
    cores : int
        Logical processors of the machine.
    affinity : int
        Those that the process may run on.
    cpu_quota : float or None
        Processors' worth of time that its control groups allow; `None` without a limit.
    memory_bytes : int or None
        The machine's memory; `None` where it cannot be told.
    memory_limit_bytes : int or None
        What its control groups allow.
    thread_variables : mapping of str to str
        Environment variables that set numbers of threads.
    """

    cores: int
    affinity: int
    cpu_quota: float | None
    memory_bytes: int | None
    memory_limit_bytes: int | None
    thread_variables: Mapping[str, str]

    @property
    def usable_cores(self) -> int:
        """How many threads can run at a time: at least 1."""
        quota = self.affinity if self.cpu_quota is None else int(self.cpu_quota)
        return max(1, min(self.affinity, quota))

    @property
    def usable_memory(self) -> int | None:
        """Bytes of memory that the process may take, or `None` where it cannot be told."""
        known = [size for size in (self.memory_bytes, self.memory_limit_bytes) if size is not None]
        return min(known, default=None)

    def to_json(self) -> dict[str, object]:
        """Return the limits as JSON values."""
        return asdict(self) | {"usable_cores": self.usable_cores, "usable_memory_bytes": self.usable_memory}


def read_limits(
    environ: Mapping[str, str] | None = None,
    *,
    groups: Path = Path("/sys/fs/cgroup"),
    process: Path = Path("/proc"),
) -> Limits:
    """Read what the process may use.

    Parameters
    ----------
    environ
        Environment; by default the process's.
    groups, process
        Where the trees of control groups and the process file system are mounted.
    """
    environ = os.environ if environ is None else environ
    cores = os.cpu_count() or 1
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    paths = _group_paths(process / "self" / "cgroup")
    return Limits(
        cores=cores,
        affinity=affinity,
        cpu_quota=min(_quotas(groups, paths), default=None),
        memory_bytes=_machine_memory(process / "meminfo"),
        memory_limit_bytes=min(_memory_limits(groups, paths), default=None),
        thread_variables={name: environ[name] for name in THREAD_VARIABLES if environ.get(name)},
    )


def limit_findings(limits: Limits, threads: int | None = None) -> list[Finding]:
    """Return what is wrong with the limits, for a backend configured to use this many threads."""
    found = []
    usable = limits.usable_cores
    named = limits.thread_variables.get("OMP_NUM_THREADS")
    if threads is not None and threads > usable:
        found.append(
            Finding(
                Severity.WARNING,
                "cpu",
                f"backend.threads is {threads}, but this process may use {usable} of {limits.cores} cores",
                f"set backend.threads to {usable}, or leave it out",
            )
        )
    elif threads is None and named is None and limits.cpu_quota is not None and usable < limits.affinity:
        found.append(
            Finding(
                Severity.WARNING,
                "cpu",
                f"the container allows {limits.cpu_quota:g} processors' worth of time, but engines see "
                f"{limits.affinity} cores and start as many threads, which then wait for each other",
                f"set backend.threads to {usable} (LATEBIND_BACKEND__THREADS={usable})",
            )
        )
    for name, value in limits.thread_variables.items():
        # OMP_NUM_THREADS may hold a number for each level of nesting.
        if not all(part.strip().isdecimal() and int(part) for part in value.split(",")):
            found.append(
                Finding(
                    Severity.WARNING,
                    "cpu",
                    f"the environment variable {name} is {value!r}, which is no number of threads: libraries ignore it",
                    f"set {name} to {usable}, or unset it",
                )
            )
    memory = limits.usable_memory
    if memory is not None and memory < _LITTLE_MEMORY:
        found.append(
            Finding(
                Severity.WARNING,
                "memory",
                f"this process may take {memory / 2**20:,.0f} MiB of memory; a compiling engine needs about "
                f"{_LITTLE_MEMORY >> 20:,} MiB beside the program's arrays",
                "raise the container's memory limit, or set backend to numpy, which needs least",
            )
        )
    return found


def _group_paths(file: Path) -> dict[str, str]:
    """Return the group of each controller, by the controller's name; `""` is version 2's tree."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {"": "/", "cpu": "/", "memory": "/"}
    paths: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        paths |= dict.fromkeys(controllers.split(","), path)
    return paths


def _chain(root: Path, path: str | None) -> Iterator[Path]:
    """Iterate over a group and those that it is in. A path that is not mounted here is the root's: a namespace."""
    if path is None or not root.is_dir():
        return
    group = root / path.lstrip("/")
    if not group.is_dir():
        group = root
    while group != root:
        yield group
        group = group.parent
    yield root


def _quotas(groups: Path, paths: Mapping[str, str]) -> Iterator[float]:
    for group in _chain(groups, paths.get("")):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)
    for group in _chain(groups / "cpu", paths.get("cpu")):
        quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _memory_limits(groups: Path, paths: Mapping[str, str]) -> Iterator[int]:
    files = [group / "memory.max" for group in _chain(groups, paths.get(""))]
    files += [group / "memory.limit_in_bytes" for group in _chain(groups / "memory", paths.get("memory"))]
    for file in files:
        text = _read(file)
        if text.isdecimal() and int(text) < _UNLIMITED:
            yield int(text)


def _machine_memory(file: Path) -> int | None:
    for line in _read(file).splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            return int(value.split()[0]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
