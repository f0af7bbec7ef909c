"""Each backend of the catalogue: whether its engine is installed, which version, and whether it works."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from latebind.backends.registry import BackendCatalogue
from latebind.diagnosis.finding import Finding, Severity
from latebind.diagnosis.probe import Probe, State, probe
from latebind.diagnosis.versions import installed_version
from latebind.errors import LatebindError

Prober: TypeAlias = Callable[..., Probe]

#: Files that are there where the driver of an NVIDIA GPU is.
_NVIDIA = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"))


@dataclass(frozen=True, slots=True)
class BackendReport:
    """One backend.

    Attributes
    ----------
    name, summary, source : str
        Those of its entry in the catalogue.
    configured : bool
        Whether it is the one that the configuration names; it is then made with the configuration's options.
    auto : bool
        Whether `auto` stands for it here.
    engine : mapping of str to str or None
        Modules of its engine, and the versions that are installed.
    extra : str or None
        latebind's extra that installs them.
    probe : Probe
        What became of it.
    """

    name: str
    summary: str
    source: str
    configured: bool
    auto: bool
    engine: Mapping[str, str | None]
    extra: str | None
    probe: Probe

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values, those of the probe included."""
        own = {
            "name": self.name,
            "summary": self.summary,
            "source": self.source,
            "configured": self.configured,
            "auto": self.auto,
            "installed": self.probe.state is not State.NOT_INSTALLED,
            "engine": dict(self.engine),
            "extra": self.extra,
        }
        return own | self.probe.to_json()


def look_at_backends(
    catalogue: BackendCatalogue,
    configured: str | None,
    config: str | os.PathLike[str] | None,
    *,
    self_test: bool = True,
    announce: Callable[[str], None] = lambda name: None,
    prober: Prober = probe,
) -> list[BackendReport]:
    """Try every backend of the catalogue, one after the other, and the configured one by its dotted path.

    Parameters
    ----------
    catalogue
    configured
        Name of the backend that the configuration names; `None` where it cannot be read.
    config
        File of the configuration, if one was given.
    self_test
    announce
        Called with the name of each backend before it is tried.
    prober
        What tries one.
    """
    specs = dict(catalogue.specs)
    if configured is not None and configured not in specs:
        specs[configured] = catalogue.find(configured)
    auto = _taken_by_auto(catalogue)
    found = []
    for spec in specs.values():
        announce(spec.name)
        own = spec.name == configured
        if spec.missing:
            tried = Probe(State.NOT_INSTALLED, problem=f"{', '.join(spec.missing)} not installed", doing="")
        else:
            tried = prober(spec.name, configured=own, config=config if own else None, self_test=self_test)
        engine = {module: installed_version(module) for module in spec.requires}
        found.append(
            BackendReport(spec.name, spec.summary, spec.source, own, spec.name == auto, engine, spec.extra, tried)
        )
    return found


def backend_findings(reports: list[BackendReport], catalogue: BackendCatalogue) -> list[Finding]:
    """Return what is wrong with the backends; with the configured one it is an error."""
    found = []
    for report in reports:
        state = report.probe.state
        if state is State.WORKS:
            continue
        if report.configured:
            severity = Severity.ERROR
        else:
            severity = Severity.NOTE if state is State.NOT_INSTALLED else Severity.WARNING
        subject = f"backend {report.name}"
        found.append(Finding(severity, subject, f"{state}: {report.probe.problem}", _remedy(report, catalogue)))
    return [*found, *_gpu_findings(reports)]


def _remedy(report: BackendReport, catalogue: BackendCatalogue) -> str:
    spec = catalogue.find(report.name)
    package = f"'latebind[{spec.extra}]'" if spec.extra else " ".join(spec.requires)
    match report.probe.state:
        case State.NOT_INSTALLED:
            return f"pip install {package}"
        case State.UNAVAILABLE if spec.extra:
            return f"follow the message; or reinstall the engine: pip install --force-reinstall {package}"
        case State.UNAVAILABLE if report.source != "built in":
            return f"repair {report.source}, or correct the backend's name in the configuration"
        case State.UNAVAILABLE | State.FAILED:
            return "follow the message, or name another backend: LATEBIND_BACKEND=numpy is always there"
        case State.TIMED_OUT:
            return "if this machine is busy, try again; otherwise do not use the backend here: name another one"
    again = f"pip install --force-reinstall {package}" if spec.requires else "run it on its parts, each by its name"
    if report.name == "numpy":
        return f"NumPy or its BLAS does not work on this machine: {again}"
    return f"do not use it on this machine as it is: {again}, or name another backend (LATEBIND_BACKEND=numpy)"


def _gpu_findings(reports: list[BackendReport]) -> list[Finding]:
    usable = [report for report in reports if report.probe.devices]
    devices = [device for report in usable for device in report.probe.devices]
    if not any(path.exists() for path in _NVIDIA) or any(not device.startswith("cpu") for device in devices):
        return []
    return [
        Finding(
            Severity.NOTE,
            "gpu",
            "this machine has the driver of an NVIDIA GPU, but no backend finds the GPU",
            "pip install 'jax[cuda12]' for xla, or a CUDA build of PyTorch for torch",
        )
    ]


def _taken_by_auto(catalogue: BackendCatalogue) -> str | None:
    try:
        return catalogue.choose().name
    except LatebindError:
        return None
