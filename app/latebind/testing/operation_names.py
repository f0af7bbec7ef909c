"""Names of operations in assertions: a misspelt one must not make `assert_not_lowered` pass."""

from __future__ import annotations

from difflib import get_close_matches

from latebind.ir.optable import all_operations


def known_operation(name: str) -> str:
    """Return a qualified name of the op table.

    Parameters
    ----------
    name
        `"stablehlo::add"`, or `"add"` where only one namespace has it.

    Raises
    ------
    ValueError
        If there is no such operation; the message gives the nearest names.
    """
    names = [definition.kind.qualified for definition in all_operations()]
    if name in names:
        return name
    bare = name.rpartition("::")[2]
    meant = [each for each in names if each.partition("::")[2] == bare]
    if len(meant) == 1 and bare == name:
        return meant[0]
    tails = get_close_matches(bare, {each.partition("::")[2] for each in names}, n=3)
    near = meant or [each for tail in tails for each in names if each.partition("::")[2] == tail]
    raise ValueError(f"there is no operation {name!r}{'; did you mean ' + ' or '.join(near) + '?' if near else ''}")
