"""Why a function was captured again: what each capture was for, and the first difference to the most similar one."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from latebind.array.call_options import CallOptions, Static
from latebind.array.captured import Capture, is_traced_number
from latebind.ir.types import TensorType
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.tape import Ground
from latebind.runtime.user_frames import user_line

#: A value is shown up to so many characters.
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class CaptureNote:
    """What one capture was for.

    Attributes
    ----------
    line : str
        The user's line of the call.
    ground : str
        Device and container.
    structure
        Structure of the arguments.
    leaves : tuple of str
        Each argument's type, or value.
    seen : dict
        For each number whose value the function looked at, its value and the line that did.
    roles : hashable
        Which arrays share memory, and which are views.
    outside : tuple of str
        Types of the arrays from outside.
    """

    line: str
    ground: str
    structure: Any
    leaves: tuple[str, ...]
    seen: dict[int, tuple[str, str]]
    roles: Hashable
    outside: tuple[str, ...]


def note_of(ground: Ground, capture: Capture, leaves: Sequence[Any], structure: Any, roles: Hashable) -> CaptureNote:
    """Return the note of a capture that was made just now."""
    return CaptureNote(
        user_line(),
        repr(ground),
        structure,
        tuple(map(_shown, leaves)),
        {number: (repr(leaves[number]), line) for number, line in capture.read_at.items()},
        roles,
        tuple(_shown_type(type) for _, type in capture.types),
    )


def _shown_type(type: TensorType) -> str:
    return f"{type.dtype.name}[{', '.join(map(str, type.shape))}]"


def _shown(leaf: Any) -> str:
    if isinstance(leaf, LazyTensor):
        return _shown_type(leaf._type)
    value = leaf.value if isinstance(leaf, Static) else leaf
    if is_traced_number(type(value)) and not isinstance(leaf, Static):
        return type(value).__name__
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def differences(notes: Sequence[CaptureNote], options: CallOptions) -> list[str]:
    """Return a line per capture after the first: where, and the first difference to the most similar earlier one."""
    return [
        f"{note.line}: {_first_difference(notes[:number], note, options)[1]}"
        for number, note in enumerate(notes[1:], start=1)
    ]


def difference(notes: Sequence[CaptureNote], note: CaptureNote, options: CallOptions) -> tuple[str, str] | None:
    """Return where the capture was made that is most like this one, of those before it, and the first difference."""
    number = next((number for number, one in enumerate(notes) if one is note), 0)
    return _first_difference(notes[:number], note, options) if number else None


def _first_difference(earlier: Sequence[CaptureNote], note: CaptureNote, options: CallOptions) -> tuple[str, str]:
    found = [(list(_differences(before, note, options)), before.line) for before in reversed(earlier)]
    nearest, line = min(found, key=lambda one: len(one[0]))
    return line, nearest[0] if nearest else "captured before, and dropped since"


def _differences(before: CaptureNote, now: CaptureNote, options: CallOptions) -> Iterator[str]:
    """Yield what differs, the arguments first."""
    if before.structure != now.structure:
        yield from _structural(before, now, options)
    else:
        for number, path in enumerate(now.structure.paths()):
            name = options.show(path)
            if before.leaves[number] != now.leaves[number]:
                yield f"{name}: {before.leaves[number]} -> {now.leaves[number]}"
            elif number in before.seen and before.seen[number][0] != _value(now, number):
                value, line = before.seen[number]
                yield f"{name}: {value} -> {_value(now, number)}, whose value is looked at in {line}"
    if before.ground != now.ground:
        yield f"on {before.ground} -> on {now.ground}"
    if before.roles != now.roles:
        yield "other arguments share memory, or are views, than before"
    if before.outside != now.outside:
        yield f"arrays from outside: {', '.join(before.outside)} -> {', '.join(now.outside)}"


def _value(note: CaptureNote, number: int) -> str:
    return note.seen[number][0] if number in note.seen else "another value"


def _structural(before: CaptureNote, now: CaptureNote, options: CallOptions) -> Iterator[str]:
    old = {options.show(path): shown for path, shown in zip(before.structure.paths(), before.leaves, strict=True)}
    new = {options.show(path): shown for path, shown in zip(now.structure.paths(), now.leaves, strict=True)}
    yield from (f"{name}: {old.get(name, 'absent')} -> {shown}" for name, shown in new.items() if name not in old)
    yield from (f"{name}: {shown} -> absent" for name, shown in old.items() if name not in new)
    yield from (f"{name}: {old[name]} -> {shown}" for name, shown in new.items() if old.get(name, shown) != shown)
    yield f"structure of the arguments: {_short_text(before.structure)} -> {_short_text(now.structure)}"


def _short_text(structure: Any) -> str:
    text = str(structure)
    return text if len(text) <= 2 * _SHOWN else text[: 2 * _SHOWN - 3] + "..."
