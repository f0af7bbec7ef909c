"""Keeping the text of the graphs that were compiled, for people who ask."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Form = Literal["ir", "dot", "text"]
FORMS: Final[tuple[Form, ...]] = ("ir", "dot", "text")

#: Graphs kept; older ones are dropped.
KEPT_GRAPHS: Final = 1000


@dataclass(frozen=True, slots=True)
class GraphText:
    """One compiled graph in one form."""

    name: str
    form: Form
    text: str


class Tracer:
    """Keeps the text of each compiled graph in the forms asked for.

    Parameters
    ----------
    show
        Any of `"ir"` (StableHLO-like text with the user's lines), `"dot"` (Graphviz) and `"text"` (the backend's own
        program).
    """

    __slots__ = ("graphs", "show")

    def __init__(self, show: Sequence[Form] = ()) -> None:
        self.show: tuple[Form, ...] = tuple(show)
        self.graphs: deque[GraphText] = deque(maxlen=KEPT_GRAPHS)

    def add(self, name: str, form: Form, render: Callable[[], str]) -> None:
        """Keep a graph in this form, if it was asked for; rendering costs nothing otherwise."""
        if form in self.show:
            self.graphs.append(GraphText(name, form, render()))
