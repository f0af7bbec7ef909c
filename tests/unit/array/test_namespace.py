"""The module is an array API namespace, and so is each container's own."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.array.namespace import Namespace
from latebind.runtime import current

#: Sections of the standard that come later.
LATER = {
    "fft",
    "isin",
    "linalg",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
}


def standard_functions() -> dict[str, Any]:
    strict = pytest.importorskip("array_api_strict")
    names = set(strict.__all__) - LATER
    return {name: getattr(strict, name) for name in names if inspect.isfunction(getattr(strict, name))}


def test_every_name_of_the_standard_is_there() -> None:
    strict = pytest.importorskip("array_api_strict")
    own = {"Device", "ArrayAPIStrictFlags", "__version__"}
    names = {name for name in strict.__all__ if "flags" not in name} - LATER - own
    assert not {name for name in names if not hasattr(lb, name)}
    assert names - {"__array_api_version__"} <= {*lb.__all__, "__array_namespace_info__"}


def test_arguments_have_the_names_and_kinds_of_the_standard() -> None:
    for name, function in standard_functions().items():
        if "flags" in name or name.startswith("__"):
            continue
        ours = inspect.signature(getattr(lb, name)).parameters
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                assert any(one.kind is parameter.kind for one in ours.values()), name
                continue
            assert parameter.name in ours, (name, parameter.name)
            # expand_dims and squeeze take their axis by position too; nothing that the standard allows is refused.
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                assert ours[parameter.name].kind is not inspect.Parameter.POSITIONAL_ONLY, (name, parameter.name)
            else:
                assert ours[parameter.name].kind is parameter.kind, (name, parameter.name)


def test_every_function_is_documented() -> None:
    for name in lb.__all__:
        value = getattr(lb, name)
        if inspect.isroutine(value) or inspect.isclass(value):
            assert inspect.getdoc(value), name


def test_constants() -> None:
    assert (lb.e, lb.pi, lb.inf) == (np.e, np.pi, float("inf"))
    assert lb.nan != lb.nan
    assert lb.newaxis is None
    assert lb.float32 == np.float32
    assert lb.bool == np.bool_


def test_the_namespace_of_an_array_of_the_current_container_is_the_module() -> None:
    lazy = lb.ones(3)
    assert lazy.__array_namespace__() is lb
    for version in ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        assert lazy.__array_namespace__(api_version=version) is lb
    with pytest.raises(ValueError, match=r"array API version '2019.01' is not known: latebind has 2021.12"):
        lazy.__array_namespace__(api_version="2019.01")
    assert lb.__array_api_version__ == "2025.12"


def test_the_namespace_of_another_container_s_array_makes_arrays_there(make_executor: Any) -> None:
    first = make_executor("first", default_real="float32")
    mine = lb.ones(3)
    make_executor("second")
    xp = mine.__array_namespace__()
    assert isinstance(xp, Namespace)
    assert {xp, (mine + 1).__array_namespace__()} == {xp}
    assert xp.zeros(2).dtype == xp.asarray(0.5).dtype == lb.float32
    for other in (xp.arange(3), xp.asarray([1, 2, 3]), xp.sin(np.ones(3)), xp.full(3, 2), xp.eye(3)[0]):
        assert (mine + other)._ground.executor is first
    assert xp.sum(mine) + 1 == 4
    assert xp.float32 is lb.float32
    assert xp.pi == lb.pi
    assert lb.zeros(2).dtype == lb.float64  # the current container is as before
    assert "first" in repr(xp)
    assert set(lb.__all__) <= set(dir(xp))
    with pytest.raises(AttributeError):
        xp.no_such_function  # noqa: B018


def test_asking_for_the_namespace_does_not_build_the_process_default(make_executor: Any) -> None:
    lazy = lb.ones(3)

    def refuse() -> Any:
        raise AssertionError("the process default was built")

    previous = current._default_factory
    token = current.set_current(None)  # type: ignore[arg-type]
    current.set_default_factory(refuse)
    try:
        assert isinstance(lazy.__array_namespace__(), Namespace)
    finally:
        current.set_default_factory(previous)
        current.reset_current(token)


def test_inspection(make_executor: Any) -> None:
    make_executor(devices=2, default_real="float32")
    info = lb.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert str(info.default_device()) == "cpu:0"
    assert [str(device) for device in info.devices()] == ["cpu:0", "cpu:1"]
    assert info.default_dtypes()["real floating"] == lb.float32
    assert info.default_dtypes(device="cpu:1")["indexing"] == lb.int64
    assert info.dtypes(kind="complex floating") == {"complex64": lb.complex64, "complex128": lb.complex128}
    assert set(info.dtypes(kind=("bool", "signed integer"))) == {"bool", "int8", "int16", "int32", "int64"}


def test_limits_of_dtypes() -> None:
    for dtype in (lb.float16, lb.float32, lb.float64, lb.complex64, lb.complex128):
        ours, theirs = lb.finfo(dtype), np.finfo(dtype)
        assert (ours.bits, ours.eps, ours.max, ours.min) == (theirs.bits, theirs.eps, theirs.max, theirs.min)
        assert ours.smallest_normal == theirs.smallest_normal
        assert type(ours.eps) is float
        assert lb.finfo(lb.zeros(1, dtype=dtype)) == ours
    for dtype in (lb.int8, lb.uint64):
        assert (lb.iinfo(dtype).max, lb.iinfo(dtype).min) == (np.iinfo(dtype).max, np.iinfo(dtype).min)
    assert lb.can_cast(lb.int8, lb.int16)
    assert not lb.can_cast(lb.zeros(1), lb.float32)
    assert lb.isdtype(lb.float16, "real floating")
    assert lb.isdtype(lb.int8, ("bool", lb.int8))


def test_importing_latebind_loads_neither_an_engine_nor_the_settings() -> None:
    heavy = ["jax", "torch", "mlx", "pydantic", "yaml", "dependency_injector", "optree", "typer", "rich", "sklearn"]
    code = f"import sys, latebind; print([name for name in {heavy!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert out.stdout.strip() == "[]"


def test_the_first_use_builds_the_process_default() -> None:
    code = "import latebind as lb; x = lb.ones(3); print(x.sum(), lb.default_container().name(), lb.Container.__name__)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert out.stdout.split()[:2] == ["3.0", "default"]


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
