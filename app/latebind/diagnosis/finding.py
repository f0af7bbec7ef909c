"""What a check finds wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    #: What the configuration asks for does not work.
    ERROR = "error"
    #: It works, but slower, or with less memory, or not with every backend.
    WARNING = "warning"
    #: Nothing is wrong; something could be better.
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    severity : Severity
    subject : str
        What it is about: `"backend xla"`, `"cache"`, `"configuration"`, `"cpu"`, ...
    problem : str
        What is wrong.
    remedy : str
        What to do.
    """

    severity: Severity
    subject: str
    problem: str
    remedy: str
