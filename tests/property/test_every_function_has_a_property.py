"""No public function of arrays is without a property test."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from tests.unit.numpy_namespace.array_expressions import ARRAYS
from tests.unit.numpy_namespace.value_expressions import VALUES
from tests.unit.numpy_namespace.write_expressions import WRITES

import latebind as lb
import latebind.numpy as lnp
from latebind.array.rules.elementwise import UFUNCS
from latebind.numpy.function_table import FUNCTIONS

#: Not functions of arrays; the runtime's have tests of their own.
OTHERS = {
    "Array", "CompiledFunction", "Container", "LatebindError", "Metrics", "__array_namespace_info__", "build_container",
    "compile", "default_container", "explain", "forbid_sync", "graph", "mark_step", "metrics", "profile", "sync",
    "visualize", "wait_device_ops", "LinAlgError",
}  # fmt: skip
#: Of `latebind.numpy`: what writes files and texts, or asks about memory.
ABOUT = {
    "array2string", "array_repr", "array_str", "may_share_memory", "min_scalar_type", "save", "savetxt", "savez",
    "savez_compressed", "shares_memory",
}  # fmt: skip


def words() -> set[str]:
    """Every word of the property tests but this one."""
    texts = [path.read_text() for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
    return set(re.findall(r"\w+", "\n".join(texts)))


@pytest.mark.parametrize("module", [lb, lb.linalg, lb.fft], ids=["latebind", "linalg", "fft"])
def test_functions_of_the_standard(module: ModuleType) -> None:
    public = {name for name in module.__all__ if callable(getattr(module, name))} - OTHERS
    assert len(public) > 10
    # Elementwise functions are listed by the table that the properties run over.
    assert not public - words() - set(UFUNCS)


def test_functions_of_numpy_s_namespace() -> None:
    """Every function that stays lazy is in an expression, all of which run on special values."""
    expressions = " ".join(one for table in (*ARRAYS.values(), *VALUES.values(), WRITES) for one in table)
    named = set(re.findall(r"\w+", expressions)) | words()
    names = {function.__name__ for function in FUNCTIONS if callable(getattr(lnp, function.__name__, None))}
    assert len(names) > 150
    assert not names - named - ABOUT
