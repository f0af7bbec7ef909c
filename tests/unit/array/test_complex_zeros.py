"""Signs of complex zeros where the standard has others than C99 and NumPy, or an engine has others than both."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from tests.engines import need

import latebind as lb
from latebind import build_container

DTYPES = ["complex64", "complex128"]


@pytest.fixture(params=["numpy", "torch", "xla"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    settings: dict[str, object] = {"name": request.param}
    if request.param == "torch":
        need("torch")
    elif request.param == "xla":
        need("jax")
        settings["persistent_cache"] = False
    with build_container(backend=settings):
        yield request.param


def signs(x: object) -> tuple[list[bool], list[bool]]:
    host = np.asarray(x)
    return np.signbit(host.real).tolist(), np.signbit(host.imag).tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_at_infinity_has_a_zero_with_the_sign_of_the_imaginary_part(dtype: str) -> None:
    z = np.array([complex(x, y) for x in (math.inf, -math.inf) for y in (1, 2, -1, -2)], dtype)
    found = lb.tanh(lb.asarray(z))
    np.testing.assert_array_equal(found, np.sign(z.real))
    assert signs(found) == signs(z)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_elsewhere_is_numpy_s(dtype: str) -> None:
    z = np.array([0.5 + 1j, -2 + 3j, 30 - 2j], dtype)
    # Two libraries, each good to some ulp of the modulus.
    np.testing.assert_allclose(lb.tanh(lb.asarray(z)), np.tanh(z), rtol=32 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("dtype", DTYPES)
def test_expm1_of_zero_has_a_positive_real_zero(dtype: str) -> None:
    z = np.array([complex(-0.0, 0.0), 0j], dtype)
    found = lb.expm1(lb.asarray(z))
    np.testing.assert_array_equal(found, np.zeros(2))
    assert signs(found) == ([False, False], [False, False])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_inverse_cosine_has_the_other_sign_than_its_operand_on_the_cut(dtype: str) -> None:
    z = np.array([complex(x, y) for x in (-2, -0.5, -0.0, 0.0, 1, 2) for y in (0.0, -0.0)], dtype)
    found = lb.acos(lb.asarray(z))
    assert signs(found)[1] == np.logical_not(np.signbit(z.imag)).tolist()
    np.testing.assert_allclose(found, np.arccos(z), rtol=32 * float(np.finfo(dtype).eps))
