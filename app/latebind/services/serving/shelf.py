"""The compiled graphs of a worker, kept for the page that shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from latebind.runtime.tracing import FORMS, Form, Tracer

#: Graphs kept; the oldest are dropped. A program has one per bucket, and more where its shapes are free.
_KEPT: Final = 128


class GraphShelf(Tracer):
    """Keeps each compiled graph's IR and drawing, and asks for the backend's text when somebody wants to read it.

    By then the engine has compiled it, so that the text of an engine with an optimiser shows what became of the graph.

    Attributes
    ----------
    label : str
        What the graphs that are compiled now are for: `"8 rows"`.
    """

    __slots__ = ("_graphs", "label")

    def __init__(self) -> None:
        super().__init__(FORMS)
        self.label = ""
        self._graphs: OrderedDict[str, tuple[str, dict[Form, list[Callable[[], str]]]]] = OrderedDict()

    def add(self, name: str, form: Form, render: Callable[[], str]) -> None:
        """Keep a graph in this form; a part of one that was split (`computation_3_1`) goes to the whole."""
        whole = name if name in self._graphs or form != "text" else name.rpartition("_")[0]
        if whole not in self._graphs:
            whole = name
        _, forms = self._graphs.setdefault(whole, (self.label, {}))
        if form != "text":
            text = render()  # the graph is not kept for it
            forms[form] = [lambda: text]
        else:
            forms.setdefault(form, []).append(render)
        while len(self._graphs) > _KEPT:
            self._graphs.popitem(last=False)

    def texts(self) -> list[dict[str, str]]:
        """Return all graphs: `name`, `ir`, `dot`, `backend_text`."""
        return [
            {
                "name": f"{name} ({label})" if label else name,
                "ir": _text(forms.get("ir", ())),
                "dot": _text(forms.get("dot", ())),
                "backend_text": _text(forms.get("text", ())),
            }
            for name, (label, forms) in self._graphs.items()
        ]


def _text(parts: Iterable[Callable[[], str]]) -> str:
    return "\n".join(map(_rendered, parts))


def _rendered(part: Callable[[], str]) -> str:
    try:
        return part()
    except Exception as error:  # an engine's printer is no reason to lose a worker
        return f"cannot be shown: {type(error).__name__}: {error}"
