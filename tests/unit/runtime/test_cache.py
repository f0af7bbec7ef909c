"""Keys are exact, whatever the hashes; the least recently used structure leaves first."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from latebind.runtime.cache import ComputationCache, Structure, Variant, scalar_bits
from latebind.runtime.signature import Signature


def variant(scalars, outputs=(0,), donated=(), promoted=()):
    return Variant(outputs, donated, promoted, scalars, executable=None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (0.0, -0.0),
        (1.0, math.nan),
        (0j, -0j),
        (complex(0, -0.0), complex(0, 0.0)),
        (complex(math.nan, 1), complex(math.nan, 2)),
        (2**53, 2**53 + 1),
    ],
)
def test_constants_that_differ_in_bits_are_different(one, other):
    assert not variant([one]).accepts([other])
    assert not variant([other]).accepts([one])
    assert variant([one]).differing([other]) == {0}


@pytest.mark.parametrize("value", [0.0, -0.0, math.nan, math.inf, 1, True, 1e300, 1j, complex(math.nan, math.nan)])
def test_a_constant_accepts_its_own_bits(value):
    copy = struct.unpack("d", struct.pack("d", value))[0] if type(value) is float else value
    assert variant([value]).accepts([copy])
    assert not variant([value]).differing([copy])


def test_scalar_types_are_not_confused():
    assert len({scalar_bits(value) for value in (1, True, 1.0, 1 + 0j)}) == 4


def test_promoted_scalars_are_not_compared():
    assert variant([1.0, 2.0], promoted=[0]).accepts([5.0, 2.0])
    assert not variant([1.0, 2.0], promoted=[0]).accepts([1.0, 3.0])


def test_the_values_of_special_constants_are_right_on_a_hit(executor, array):
    x = array([1.0])
    for _ in range(2):
        for value in (0.0, -0.0, math.nan, math.inf, -math.inf, 1.0):
            assert struct.pack("d", float((x * value)[0])) == struct.pack("d", 1.0 * value) or math.isnan(value)
    for _ in range(2):
        assert (x + True).dtype == (x + 1).dtype == np.float64
        b = array([True, False])
        assert ((b + True).dtype, (b + 1).dtype, (b + 1.0).dtype) == (np.bool_, np.int64, np.float64)
        assert (np.asarray(b + True).tolist(), np.asarray(b + 1).tolist()) == ([True, True], [2, 1])


def test_structures_with_equal_hashes_are_different(monkeypatch, make_executor, array):
    monkeypatch.setattr(Signature, "__hash__", lambda self: 1, raising=False)
    make_executor()
    a, b = array([6.0]), array([3.0])
    for _ in range(3):
        for function, value in [(a.__add__, 9.0), (a.__sub__, 3.0), (a.__mul__, 18.0), (a.__truediv__, 2.0)]:
            assert float(function(b)[0]) == value


def test_the_least_recently_used_structure_leaves_first():
    cache = ComputationCache(2)
    first, second = cache.find([("a",)], None), cache.find([("b",)], None)
    assert cache.find([("a",)], None) is first
    third = cache.find([("c",)], None)
    assert cache.evicted == 1 and len(cache) == 2
    assert second.evicted and not first.evicted
    assert set(cache.structures()) == {first, third}


def test_a_predicted_structure_counts_as_used():
    cache = ComputationCache(2)
    first = cache.find([("a",)], None)
    cache.find([("b",)], None)
    assert cache.find([("a",)], first) is first
    cache.find([("c",)], None)
    assert not first.evicted


def test_an_evicted_structure_is_not_predicted():
    cache = ComputationCache(1)
    first = cache.find([("a",)], None)
    cache.find([("b",)], None)
    assert cache.find([("a",)], first) is not first


def test_a_wrong_prediction_is_harmless():
    cache = ComputationCache(2)
    first, second = cache.find([("a",)], None), cache.find([("b",)], None)
    assert cache.find([("b",)], first) is second


def test_what_is_kept_is_bounded_in_bytes(make_executor, double, array):
    executor = make_executor(double)
    for extent in range(1, 12):
        np.asarray(array(np.ones(extent)) + np.arange(float(extent)))
    executor.cache.max_bytes = taken = executor.cache.bytes
    assert 0 < taken == sum(structure.measured_bytes() for structure in executor.cache.structures())
    for extent in range(12, 40):
        assert float((array(np.ones(extent)) + np.arange(float(extent)))[-1]) == extent
        assert executor.cache.bytes <= taken
    assert len(executor.cache) <= 40 and executor.cache.evicted > 0


def test_a_structure_that_is_larger_than_the_bound_is_kept_while_it_is_used():
    cache = ComputationCache(8, max_bytes=1)
    first = cache.find([("a",)], None)
    assert not first.evicted and len(cache) == 1
    second = cache.find([("b",)], None)
    assert first.evicted and not second.evicted


def test_the_cache_is_bounded_and_results_stay_right(make_executor, double, array):
    executor = make_executor(double)
    executor.cache.max_entries = 4
    for _ in range(3):
        for extent in range(1, 12):
            assert np.asarray(array(np.ones(extent)) + 1).tolist() == [2.0] * extent
    assert len(executor.cache) <= 4
    assert executor.cache.evicted > 0
    assert executor.metrics.counter("Evicted") == executor.cache.evicted


def test_computations_of_one_structure_are_bounded_too(make_executor, array):
    executor = make_executor(deterministic=True)
    x = array([1.0])
    for step in range(200):
        assert float((x * (step + 0.5))[0]) == step + 0.5
    assert max(len(structure.variants) for structure in executor.cache.structures()) <= 64


def test_computing_more_outputs_than_live_is_a_hit(executor, array):
    x = array([1.0, 2.0])

    def both(keep):
        y = x + 1
        z = y * 2
        if not keep:
            del y
        return np.asarray(z).tolist()

    assert both(True) == both(False) == [4.0, 6.0]
    assert executor.metrics.counter("UncachedCompile") == 1
    assert executor.metrics.counter("VariantCompile") == 0
    assert executor.metrics.counter("CachedCompile") == 1


def test_more_live_outputs_than_computed_is_a_miss(executor, array):
    x = array([1.0, 2.0])
    z = (x + 1) * 2
    assert np.asarray(z).tolist() == [4.0, 6.0]
    y = x + 1
    z = y * 2
    assert np.asarray(z).tolist() == [4.0, 6.0]
    assert np.asarray(y).tolist() == [2.0, 3.0]
    assert executor.metrics.counter("VariantCompile") == 1


def test_a_repeating_sequence_of_recordings_is_predicted(executor, array, monkeypatch):
    x = array([1.0])

    def step():
        return float((x + 1)[0]), float((x * 2)[0]), float((x - 3)[0])

    for _ in range(3):
        step()
    monkeypatch.setattr(executor.cache, "_entries", None)  # a look-up by key would fail
    assert step() == (2.0, 2.0, -2.0)


def test_a_structure_is_compiled_for_its_scalars_three_times_at_most():
    structure = Structure([])
    structure.variants.append(variant([1.0, 2.0, 3.0]))
    assert structure.promote([1.0, 5.0, 3.0]) and structure.promoted == {1}
    structure.variants.append(variant([1.0, 5.0, 3.0], promoted=structure.promoted))
    assert structure.promote([7.0, 5.0, 3.0]) and structure.promoted == {0, 1, 2}
    structure.variants.append(variant([7.0, 5.0, 3.0], promoted=structure.promoted))
    assert not structure.promote([8.0, 8.0, 8.0])
