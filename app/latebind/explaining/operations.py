"""Recorded operations in the user's words: names, operands, attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.ir.types import TensorType

if TYPE_CHECKING:
    from latebind.runtime.signature import Rule, Signature

#: Operations whose names are Python's.
_NAMES: Final = {"__getitem__": "[...]", "__setitem__": "[...] ="}
#: The attribute that says what an index is made of.
_INDEX: Final = "structure"
#: A value is shown up to so many characters.
_SHOWN: Final = 60


def rule_name(rule: Rule) -> str:
    """Return the name of an operation."""
    return _NAMES.get(rule.name, rule.name)


def operand_kinds(signature: Signature) -> list[str]:
    """Return what each operand of an operation is: an array's type, or what kind of number."""
    keys = next((key for key, each in list(signature.rule.signatures.items()) if each is signature), None)
    # With attributes, a key is the operands' keys and those.
    if isinstance(keys, tuple) and signature.attributes:
        keys = keys[0]
    if not isinstance(keys, tuple) or len(keys) != len(signature.operand_types):
        keys = signature.operand_types
    return [
        _kind(key, type, is_scalar=scalar)
        for key, type, scalar in zip(keys, signature.operand_types, signature.is_scalar, strict=True)
    ]


def array_kind(signature: Signature, number: int) -> str:
    """Return the type of an array operand, counted without the numbers."""
    arrays = [type for type, scalar in zip(signature.operand_types, signature.is_scalar, strict=True) if not scalar]
    return _kind(None, arrays[number], is_scalar=False)


def attribute_that_differs(signature: Signature, before: Signature) -> str:
    """Return the name of the first attribute that differs."""
    name = _attribute(signature, before)
    return "index" if name == _INDEX else name


def attribute_values(signature: Signature, before: Signature) -> tuple[str, str]:
    """Return the values of the first attribute that differs, now and before."""
    name = _attribute(signature, before)
    now, then = signature.keywords, before.keywords
    return (
        _shown(name, now[name]) if name in now else "absent",
        _shown(name, then[name]) if name in then else "absent",
    )


def _attribute(signature: Signature, before: Signature) -> str:
    now, then = signature.keywords, before.keywords
    return next(name for name in {**now, **then} if name not in now or name not in then or now[name] != then[name])


def _kind(key: object, of: TensorType, *, is_scalar: bool) -> str:
    if not is_scalar:
        return f"{of.dtype.name}[{', '.join(map(str, of.shape))}]"
    if isinstance(key, type):
        return f"a Python {key.__name__}"
    return f"a number of dtype {of.dtype.name}"


def _shown(name: str, value: Any) -> str:
    if name == _INDEX and isinstance(value, tuple):
        text = f"[{', '.join(map(_index_part, value))}]"
    else:
        text = value.name if isinstance(value, np.dtype) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _index_part(part: Sequence[Any]) -> str:
    match part:
        case ("all",):
            return ":"
        case ("new",):
            return "None"
        case ("window", length, 1):
            return f"slice of {length}"
        case ("window", length, step):
            return f"slice of {length} in steps of {step}"
        case _:
            return str(part[0])
