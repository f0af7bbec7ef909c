"""Deliberately wrong backends: the kit names the operation, the dtype and the case."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.testing.conformance import wrong_backends as wrong

from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import UnsupportedOpError
from latebind.testing.conformance.checking import Checker
from latebind.testing.conformance.groups import Group


def check(backend, kind, dtype):
    return Checker(backend).check(Group(kind, np.dtype(dtype)))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("stablehlo::tan", "float32"), ("stablehlo::sort", "complex64"), ("chlo::lgamma", "float64")],
)
def test_right_backend_passes(kind, dtype):
    outcome = check(NumpyBackend(), kind, dtype)
    assert not outcome.failures and outcome.cases > 5


def test_wrong_function_is_named_with_its_cases():
    outcome = check(wrong.WrongTangent(), "stablehlo::tan", "float32")
    assert "stablehlo::tan[float32]-values" in outcome.failures
    assert "elements differ" in outcome.failures["stablehlo::tan[float32]-values"]
    assert "stablehlo::tan[float32]-empty" not in outcome.failures


def test_wrong_function_is_not_blamed_on_another():
    assert not check(wrong.WrongTangent(), "stablehlo::sine", "float32").failures


def test_lost_sign_of_zero_is_named():
    outcome = check(wrong.FlushesNegativeZero(), "stablehlo::negate", "float64")
    assert list(outcome.failures) == ["stablehlo::negate[float64]-special"]
    assert "np.float64(0.0), expected np.float64(-0.0)" in outcome.failures["stablehlo::negate[float64]-special"]


def test_lost_sign_of_zero_does_not_matter_to_integers():
    assert not check(wrong.FlushesNegativeZero(), "stablehlo::negate", "int32").failures


def test_unstable_sort_is_named():
    outcome = check(wrong.UnstableSort(), "stablehlo::sort", "int32")
    assert {"stablehlo::sort[int32]-LT-stable", "stablehlo::sort[int32]-GT-stable"} <= set(outcome.failures)
    assert "stablehlo::sort[int32]-LT-unit" not in outcome.failures


def test_wrong_shape_is_named():
    outcome = check(wrong.WrongShapes(), "stablehlo::add", "int8")
    assert "is int8[1, 300], expected int8[300]" in outcome.failures["stablehlo::add[int8]-values"]


class Refuses(NumpyBackend):
    """Fails to compile whatever has an empty operand, with all the rest of its graph."""

    def compile(self, computations):
        if any(0 in type.shape for computation in computations for type in computation.parameter_types):
            raise UnsupportedOpError("no empty arrays")
        return super().compile(computations)


def test_failure_of_a_batch_is_pinned_to_its_case():
    outcome = check(Refuses(), "stablehlo::sine", "float32")
    assert outcome.failures == {"stablehlo::sine[float32]-empty": "raises UnsupportedOpError: no empty arrays"}


class RefusesMany(NumpyBackend):
    """Fails to compile computations with many parameters."""

    def compile(self, computations):
        if any(len(computation.parameter_types) > 5 for computation in computations):
            raise RuntimeError("too many parameters")
        return super().compile(computations)


def test_failure_of_the_batch_alone_is_said_to_be_one():
    (message,) = check(RefusesMany(), "stablehlo::sine", "float32").failures.values()
    assert "each alone is right" in message and "too many parameters" in message


def test_ways_to_run_are_told_apart():
    backend = wrong.LacksOperations()
    assert check(backend, "stablehlo::sine", "float32").how == "native"
    assert check(backend, "chlo::asin", "float32").how == "decomposition"
    assert check(backend, "stablehlo::tan", "float32").how == "fallback"
    assert check(backend, "stablehlo::add", "float16").how == "fallback"
    assert check(backend, "stablehlo::add", "float32").how == "native"


def test_what_falls_back_is_right_as_well():
    for kind, dtype in (("stablehlo::tan", "float32"), ("stablehlo::add", "float16"), ("chlo::asin", "complex64")):
        assert not check(wrong.LacksOperations(), kind, dtype).failures


def test_declared_deviation_is_no_failure():
    outcome = check(wrong.DeclaresWrongTangent(), "stablehlo::tan", "float32")
    ((failed, total),) = outcome.expected.values()
    assert not outcome.failures and 0 < failed < total == outcome.cases


def test_declaration_for_one_dtype_does_not_cover_another():
    outcome = Checker(wrong.WrongTangent(), {"stablehlo::tan[float64]*": "wrong"}).check(
        Group("stablehlo::tan", np.dtype(np.float32))
    )
    assert outcome.failures and not outcome.expected


@pytest.mark.parametrize("kind", ["stablehlo::sqrt", "stablehlo::divide", "stablehlo::compare", "stablehlo::log"])
def test_flushing_of_denormals_may_be_declared(kind):
    outcome = check(wrong.FlushesDenormals(), kind, "float32")
    assert not outcome.failures and outcome.expected


def test_flushing_of_denormals_that_is_not_declared_is_found():
    outcome = Checker(wrong.FlushesDenormals(), {}).check(Group("stablehlo::sqrt", np.dtype(np.float32)))
    assert list(outcome.failures) == ["stablehlo::sqrt[float32]-denormals"]


class NegatesDenormals(wrong.FlushesDenormals):
    """Declares that it flushes denormals, but negates everything."""

    def execute_computation(self, computation, arguments, device):
        outputs = super().execute_computation(computation, arguments, device)
        for output in outputs:
            output.handle = np.array(-output.handle)
        return outputs


def test_declared_flushing_does_not_excuse_wrong_results():
    outcome = check(NegatesDenormals(), "stablehlo::sqrt", "float32")
    assert "does not explain" in outcome.failures["stablehlo::sqrt[float32]-denormals"]
