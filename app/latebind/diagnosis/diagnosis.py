"""The whole examination: every check, in order, and what it adds up to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from latebind.backends.registry import BackendCatalogue, default_catalogue
from latebind.diagnosis.blas import blas
from latebind.diagnosis.cache import CacheDirectory, cache_directories, cache_findings
from latebind.diagnosis.engines import BackendReport, Prober, backend_findings, look_at_backends
from latebind.diagnosis.finding import Finding, Severity
from latebind.diagnosis.limits import Limits, limit_findings, read_limits
from latebind.diagnosis.probe import State, probe
from latebind.diagnosis.versions import version_findings, versions
from latebind.errors import LatebindError, SettingsError
from latebind.settings import Settings, SettingValue, load_settings, settings_with_provenance


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found.

    Attributes
    ----------
    versions : dict
    limits : Limits
    blas : dict
    caches : sequence of CacheDirectory
    configuration : sequence of SettingValue
        Every value in force; empty if the configuration cannot be used.
    configuration_error : LatebindError or None
        Why it cannot.
    backends : sequence of BackendReport
    findings : sequence of Finding
        What is wrong, the worst first.
    """

    versions: dict[str, str | None]
    limits: Limits
    blas: dict[str, Any]
    caches: Sequence[CacheDirectory]
    configuration: Sequence[SettingValue]
    configuration_error: LatebindError | None
    backends: Sequence[BackendReport]
    findings: Sequence[Finding]

    @property
    def ok(self) -> bool:
        """Whether everything that the configuration asks for works."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    @property
    def configured(self) -> BackendReport | None:
        """The backend that the configuration names, or `None` where it cannot be used."""
        return next((report for report in self.backends if report.configured), None)

    def to_json(self) -> dict[str, object]:
        """Return the diagnosis as JSON values; docs/configuration.md describes them."""
        error = self.configuration_error
        return {
            "ok": self.ok,
            "problems": [asdict(finding) for finding in self.findings],
            "versions": self.versions,
            "machine": self.limits.to_json(),
            "blas": self.blas,
            "caches": [each.to_json() for each in self.caches],
            "configuration": {
                "error": None if error is None else str(error),
                "values": {each.key: {"value": each.value, "source": each.source} for each in self.configuration},
            },
            "backends": [report.to_json() for report in self.backends],
        }


def examine(
    config: str | os.PathLike[str] | None = None,
    *,
    config_from: str = "config=",
    self_test: bool = True,
    announce: Callable[[str], None] = lambda name: None,
    catalogue: BackendCatalogue | None = None,
    prober: Prober = probe,
) -> Diagnosis:
    """Examine this machine and the configuration that is in force.

    Parameters
    ----------
    config
        YAML file of settings; by default the one that `LATEBIND_CONFIG` names, if any.
    config_from
        What the file's name comes from, for messages.
    self_test
        Whether each backend runs its self-test; its engine is loaded in any case.
    announce
        Called with the name of each backend before it is tried.
    catalogue
        Known backends; by default latebind's and those of installed packages.
    prober
        What tries a backend.
    """
    catalogue = catalogue or default_catalogue()
    settings, error = _read(config, config_from)
    limits = read_limits()
    name = None if settings is None else settings.backend.name
    reports = look_at_backends(catalogue, name, config, self_test=self_test, announce=announce, prober=prober)
    caches = [] if settings is None else cache_directories(settings.backend)
    installed = {report.extra for report in reports if report.probe.state is not State.NOT_INSTALLED}
    findings = [
        *(() if error is None else [_configuration_finding(error)]),
        *backend_findings(reports, catalogue),
        *version_findings(frozenset(extra for extra in installed if extra)),
        *limit_findings(limits, None if settings is None else settings.backend.threads),
        *cache_findings(caches),
    ]
    order = list(Severity)
    return Diagnosis(
        versions=versions(),
        limits=limits,
        blas=blas(),
        caches=caches,
        configuration=() if settings is None else tuple(settings_with_provenance(settings)),
        configuration_error=error,
        backends=reports,
        findings=sorted(findings, key=lambda finding: order.index(finding.severity)),
    )


def _read(
    config: str | os.PathLike[str] | None, config_from: str
) -> tuple[Settings, None] | tuple[None, LatebindError]:
    try:
        return load_settings(config, config_from=config_from), None
    except LatebindError as error:
        return None, error


def _configuration_finding(error: LatebindError) -> Finding:
    wrong = isinstance(error, SettingsError)
    remedy = (
        "correct it where the message says; `latebind config schema` prints every key, `latebind config check FILE` "
        "tries a file by itself"
        if wrong
        else "install what the message names, or name another backend: LATEBIND_BACKEND=numpy is always there"
    )
    return Finding(Severity.ERROR, "configuration", str(error), remedy)
