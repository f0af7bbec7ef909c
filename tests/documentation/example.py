"""What the page of errors shows of one exception."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True)
class Example:
    """How an exception comes about.

    Attributes
    ----------
    error : type
    when : str
        When it comes, as a sentence.
    program : str
        `train.py`, which raises it. `lb` is latebind and `np` NumPy without being imported.
    remedy : str
        What to do.
    by_subclass : bool
        Whether it is a class to catch: what is raised is one of its subclasses.
    """

    error: type[Exception]
    when: str
    program: str
    remedy: str
    by_subclass: bool = False


def example(error: type[Exception], when: str, program: str, remedy: str, *, by_subclass: bool = False) -> Example:
    """Return an example of texts that are indented with the code around them."""
    return Example(error, " ".join(when.split()), dedent(program).strip(), " ".join(remedy.split()), by_subclass)
