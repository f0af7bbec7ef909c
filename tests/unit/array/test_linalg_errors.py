"""`except np.linalg.LinAlgError` catches what it would with NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
import latebind.numpy
from latebind import linalg
from latebind.errors import ExecutionError, FactorisationError, LatebindError, MatrixShapeError, failure_of

#: Calls that NumPy answers with LinAlgError, and what is wrong.
WITHOUT_RESULT: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "inv of a singular matrix": (lambda xp, x: xp.linalg.inv(x), [[1.0, 2.0], [2.0, 4.0]]),
    "solve with a singular matrix": (lambda xp, x: xp.linalg.solve(x, x), [[0.0, 0.0], [0.0, 0.0]]),
    "cholesky of an indefinite matrix": (lambda xp, x: xp.linalg.cholesky(x), [[1.0, 2.0], [2.0, 1.0]]),
    "a negative power of a singular matrix": (lambda xp, x: xp.linalg.matrix_power(x, -1), [[0.0]]),
    "eigenvalues of a matrix with NaN": (lambda xp, x: xp.linalg.eig(x)[0], [[np.nan, 1.0], [0.0, 1.0]]),
    "singular values of a matrix with NaN": (lambda xp, x: xp.linalg.svd(x)[1], [[np.nan, 1.0], [0.0, 1.0]]),
}
NO_MATRIX: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "inv of a rectangle": (lambda xp, x: xp.linalg.inv(x), np.ones((2, 3))),
    "det of a vector": (lambda xp, x: xp.linalg.det(x), np.ones(3)),
    "cholesky of a rectangle": (lambda xp, x: xp.linalg.cholesky(x), np.ones((2, 3))),
    "eigh of a rectangle": (lambda xp, x: xp.linalg.eigh(x), np.ones((4, 2, 3))),
    "slogdet of a rectangle": (lambda xp, x: xp.linalg.slogdet(x), np.ones((2, 3))),
    "solve with a rectangle": (lambda xp, x: xp.linalg.solve(x, np.ones(2)), np.ones((2, 3))),
    "a power of a rectangle": (lambda xp, x: xp.linalg.matrix_power(x, 2), np.ones((2, 3))),
    "singular values of a vector": (lambda xp, x: xp.linalg.svd(x), np.ones(3)),
}
MODULES = {"latebind": lb, "latebind.numpy": latebind.numpy}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("case", WITHOUT_RESULT)
@pytest.mark.parametrize("times", [1, 8], ids=["interpreted", "compiled"])
def test_a_matrix_without_the_result_raises_at_the_first_use(case: str, module: str, times: int) -> None:
    """Also when the graph has been seen often enough to be compiled."""
    call, matrix = WITHOUT_RESULT[case]
    with pytest.raises(np.linalg.LinAlgError):
        call(np, np.array(matrix))
    for _ in range(times):
        result = call(MODULES[module], lb.asarray(matrix)) + 1
        with pytest.raises(np.linalg.LinAlgError) as caught:
            np.asarray(result)
        assert isinstance(caught.value, FactorisationError) and isinstance(caught.value, linalg.LinAlgError)
        assert module != "latebind" or "test_linalg_errors.py" in str(caught.value)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("case", NO_MATRIX)
def test_an_operand_that_is_no_matrix_raises_when_it_is_recorded(case: str, module: str) -> None:
    call, matrix = NO_MATRIX[case]
    with pytest.raises(np.linalg.LinAlgError):
        call(np, matrix)
    with pytest.raises(np.linalg.LinAlgError) as caught:
        call(MODULES[module], lb.asarray(matrix))
    assert isinstance(caught.value, MatrixShapeError) and isinstance(caught.value, linalg.LinAlgError)


def test_numpys_functions_on_lazy_arrays_raise_it_too() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        np.asarray(np.linalg.inv(lb.zeros((2, 2))))
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.inv(lb.zeros((2, 3)))


def test_a_computation_that_runs_on_another_thread_raises_it_to_the_reader() -> None:
    with lb.build_container(backend="numpy", execution={"asynchronous": "always"}):
        matrices = lb.zeros((40, 60, 60))
        result = linalg.inv(matrices)
        lb.mark_step()
        for _ in range(2):
            with pytest.raises(linalg.LinAlgError, match="Singular"):
                np.asarray(result)


def test_the_class_is_exposed_where_numpy_has_it() -> None:
    assert issubclass(linalg.LinAlgError, latebind.numpy.linalg.LinAlgError)
    assert lb.build_container(backend="numpy").namespace().linalg.LinAlgError is linalg.LinAlgError
    assert issubclass(linalg.LinAlgError, (LatebindError, ValueError))
    assert issubclass(FactorisationError, ExecutionError)


def test_other_failures_are_not_of_matrices() -> None:
    class _LinAlgError(RuntimeError):
        """Named as PyTorch's, which derives from RuntimeError alone."""

    assert not isinstance(failure_of("it failed", ZeroDivisionError()), linalg.LinAlgError)
    assert isinstance(failure_of("it failed", _LinAlgError(), origin=3), FactorisationError)
    assert failure_of("it failed", _LinAlgError(), origin=3).origin == 3
