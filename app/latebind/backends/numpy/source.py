"""The text of a generated function: signature, header, body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from latebind.backends.numpy.allocation import Allocator, Part
from latebind.backends.numpy.program import Source, SourcePart
from latebind.backends.numpy.statements import Variable

if TYPE_CHECKING:
    from latebind.backends.numpy.lowering import NumpyLoweringContext

_INDENT = "    "
_type_text = lru_cache(maxsize=4096)(repr)


def write_source(context: NumpyLoweringContext, allocator: Allocator, returned: Sequence[Variable]) -> Source:
    """Write the text of a computation whose statements are allocated."""
    name = context.name if context.name.isidentifier() else "_" + re.sub(r"\W", "_", context.name)
    written: list[SourcePart] = []
    line = 1
    ends = [part.takes for part in allocator.parts[1:]]
    for number, part in enumerate(allocator.parts, 1):
        if number == 1:
            own_name, head = name, _first_head(context, name)
        else:
            own_name = f"{name}_part_{number}"
            head = [f"def {own_name}(state):", f"[{', '.join(part.takes)}] = state", "state.clear()"]
        last = ends[number - 1] if number <= len(ends) else [variable.name for variable in returned]
        written.append(_write_part(own_name, head, part, last, line))
        line += written[-1].text.count("\n") + 2
    return Source(f"<latebind {context.name}>", written)


def _write_part(name: str, head: list[str], part: Part, last: list[str], line: int) -> SourcePart:
    lines = [*head, *part.lines, f"return [{', '.join(last)}]"]
    return SourcePart(name, f"\n{_INDENT}".join(lines) + "\n", line, line + len(head), part.origins)


def _first_head(context: NumpyLoweringContext, name: str) -> list[str]:
    """Return the signature and the header that explains parameters and constants."""
    head = [f"def {name}({', '.join(variable.name for variable in context.inputs)}):"]
    head.append(f"# {context.name} on {context.device}")
    for position, (given, type) in enumerate(context.parameters):
        donated = ", donated" if position in context.donated else ""
        head.append(f"# p{position} ({given}): {_type_text(type)}{donated}")
    for constant in context.constants:
        shown = f" = {constant.constant}" if not constant.type.shape else ""
        head.append(f"# {constant.name}{shown}: {_type_text(constant.type)}")
    head.extend(f"# {name}: {plan!r}" for name, plan in context.plans.items())
    return head
