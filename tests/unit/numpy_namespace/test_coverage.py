"""The page that says what is covered says what is."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import latebind.numpy as lnp
from latebind.numpy import coverage
from latebind.numpy.function_table import FUNCTIONS

PAGE = Path(__file__).parents[3] / "docs" / "numpy-coverage.md"


def test_the_page_is_what_the_table_prints() -> None:
    version = ".".join(np.__version__.split(".")[:2])
    page = PAGE.read_text()
    if f"with NumPy {version};" not in page:
        pytest.skip("the page was generated with another version of NumPy, which has other names")
    assert page == coverage.table(), "run: python -m latebind.numpy.coverage > docs/numpy-coverage.md"


def test_every_name_that_is_missing_has_a_reason() -> None:
    for name in coverage.missing():
        assert coverage.reason(name)


def test_every_function_that_asks_its_arguments_has_a_lazy_form_or_a_reason() -> None:
    asking = {name for name in dir(np) if hasattr(getattr(np, name, None), "_implementation")}
    without = {name for name in asking if getattr(np, name) not in FUNCTIONS}
    assert without == {"broadcast", "busday_count", "busday_offset", "is_busday", "packbits", "unpackbits"} & asking | (
        without & {"asmatrix", "bmat", "datetime_as_string", "fromregex", "i0", "kaiser"}
    )


def test_every_function_is_documented() -> None:
    for name in dir(lnp):
        value = getattr(lnp, name)
        if inspect.isfunction(value) and not name.startswith("_"):
            assert value.__doc__, name


#: Functions with parameters of NumPy's that have no meaning here, or are taken as options.
LESS = {"arange", "clip", "pad", "fromiter", "from_dlpack", "loadtxt", "genfromtxt", "astype", "vectorize", "piecewise"}


def test_parameters_have_numpy_s_names_and_order() -> None:
    for function, ours in FUNCTIONS.items():
        try:
            theirs = inspect.signature(function)
            own = inspect.signature(ours)
        except (TypeError, ValueError):
            continue
        kinds = {parameter.kind for parameter in own.parameters.values()}
        if inspect.Parameter.VAR_POSITIONAL in kinds or function.__name__ in LESS or function.__module__ != "numpy":
            continue
        positional = [name for name, one in theirs.parameters.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
        found = [name for name, one in own.parameters.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
        assert found[: len(positional)] == positional, function.__name__
        assert theirs.parameters.keys() - {"like"} <= own.parameters.keys(), function.__name__
