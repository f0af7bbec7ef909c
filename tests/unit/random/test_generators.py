"""Generators as state: what is recorded, captured, saved, split, shared between threads and seeded by the settings."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.errors import CaptureError, DeviceMismatchError, DTypeMismatchError
from latebind.injection.container import BoundContainer
from latebind.random import Generator, Philox, default_rng

BACKENDS = ("container", "xla")


def _state(rng: Generator) -> tuple[list[int], list[int]]:
    parts = rng.bit_generator.state["state"]
    return parts["counter"].tolist(), parts["key"].tolist()


# Recording


def test_drawing_runs_nothing() -> None:
    rng = default_rng(1)
    before = lb.metrics().counter("Recordings")
    rng.normal(size=100)
    rng.shuffle(lb.arange(10))
    assert lb.metrics().counter("Recordings") == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_that_draws_is_compiled_once(request: pytest.FixtureRequest, backend: str) -> None:
    with request.getfixturevalue(backend):
        rng = default_rng(1)

        def step(number: int) -> np.ndarray[Any, Any]:
            drawn = rng.normal(number, 1.0, 50) + rng.integers(0, 10 + number, 50) + rng.random(50)
            return np.asarray(drawn)

        seen = [step(number) for number in range(12)]
        compiled = lb.metrics().counter("UncachedCompile"), lb.metrics().counter("VariantCompile")
        seen += [step(number) for number in range(12, 40)]
        assert (lb.metrics().counter("UncachedCompile"), lb.metrics().counter("VariantCompile")) == compiled
        assert len({one.tobytes() for one in seen}) == len(seen)


def test_a_generator_in_a_recorded_loop_goes_on_where_the_last_draw_ended() -> None:
    rng, total = default_rng(1), lb.zeros(4)
    for _ in range(700):  # long enough to be cut into rounds
        total += rng.random(4)
    words = np.random.Generator(np.random.Philox(1)).random((700, 4))
    np.testing.assert_allclose(np.asarray(total), words.sum(axis=0), rtol=1e-12)  # 700 additions of rounding 2**-53


def test_a_refused_draw_leaves_the_generator_as_it_was() -> None:
    rng = default_rng(1)
    with pytest.raises(ValueError):
        rng.normal(lb.zeros(2), size=3)
    np.testing.assert_array_equal(rng.random(4), default_rng(1).random(4))


# Capture


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_compiled_function_draws_new_numbers_at_every_call(request: pytest.FixtureRequest, backend: str) -> None:
    with request.getfixturevalue(backend):
        rng = default_rng(1)
        noisy = lb.compile(lambda x: x + rng.random(8))
        calls = [np.asarray(noisy(lb.zeros(8))) for _ in range(4)]
        assert noisy.captures == 1
        np.testing.assert_array_equal(np.concatenate(calls), default_rng(1).random(32))
        compiled = lb.metrics().counter("UncachedCompile")
        noisy(lb.zeros(8))
        assert lb.metrics().counter("UncachedCompile") == compiled
        rest = Generator(default_rng(1).bit_generator.advance(10))
        np.testing.assert_array_equal(rng.random(4), rest.random(4))


def test_the_default_generator_may_be_first_used_inside_a_compiled_function() -> None:
    noisy = lb.compile(lambda x: x + lb.random.random(4))
    calls = [np.asarray(noisy(lb.zeros(4))) for _ in range(3)]
    np.testing.assert_array_equal(np.concatenate(calls), default_rng(11).random(12))


def test_a_generator_that_a_compiled_function_makes_starts_anew_at_every_call() -> None:
    def seeded(x: lb.Array) -> lb.Array:
        rng = default_rng(5)
        return x + rng.random(4) + rng.random(4)

    captured = lb.compile(seeded)
    for _ in range(3):
        np.testing.assert_array_equal(captured(lb.zeros(4)), seeded(lb.zeros(4)))


def test_parameters_of_a_draw_are_parameters_of_the_captured_function() -> None:
    rng = default_rng(1)
    noisy = lb.compile(lambda x, scale: x + rng.normal(0.0, scale, 4))
    drawn = [np.asarray(noisy(lb.zeros(4), scale)) / scale for scale in (1.0, 2.0, 4.0)]
    assert noisy.captures == 1
    np.testing.assert_array_equal(np.concatenate(drawn), default_rng(1).standard_normal(12))


def test_seeds_that_a_captured_function_would_repeat_are_refused() -> None:
    rng = default_rng(1)
    with pytest.raises(CaptureError, match="without a seed"):
        lb.compile(lambda x: x + default_rng().random())(lb.zeros(1))
    with pytest.raises(CaptureError, match="spawn"):
        lb.compile(lambda x: x + rng.spawn(1)[0].random())(lb.zeros(1))


# Saving, splitting


def test_a_generator_pickles_with_its_place_in_the_stream() -> None:
    rng = default_rng(1)
    rng.random(10)
    for other in (pickle.loads(pickle.dumps(rng)), copy.deepcopy(rng)):
        assert _state(other) == _state(rng)
    restored = pickle.loads(pickle.dumps(rng))
    np.testing.assert_array_equal(restored.random(5), rng.random(5))
    np.testing.assert_array_equal(restored.spawn(1)[0].random(5), rng.spawn(1)[0].random(5))


def test_states_are_numpys() -> None:
    ours, theirs = default_rng(1), np.random.Philox(7)
    theirs.random_raw(8)
    ours.bit_generator.state = theirs.state
    np.testing.assert_array_equal(ours.bit_generator.random_raw(4), theirs.random_raw(4))
    theirs.state = ours.bit_generator.state
    np.testing.assert_array_equal(ours.bit_generator.random_raw(4), theirs.random_raw(4))


def test_a_state_that_is_set_reaches_functions_that_were_captured() -> None:
    rng = default_rng(1)
    noisy = lb.compile(lambda x: x + rng.random(4))
    start = rng.bit_generator.state
    first = np.asarray(noisy(lb.zeros(4)))
    rng.bit_generator.state = start
    np.testing.assert_array_equal(noisy(lb.zeros(4)), first)


def test_states_that_do_not_fit_are_refused() -> None:
    bits = Philox(1)
    begun = np.random.Philox(1)
    begun.random_raw(1)
    for state, message in ((np.random.PCG64(1).state, "PCG64"), (begun.state, "begun")):
        with pytest.raises(ValueError, match=message):
            bits.state = state
    with pytest.raises(TypeError, match="dictionary"):
        bits.state = 5  # type: ignore[assignment]


def test_children_are_those_of_the_seed_sequence_and_draw_apart() -> None:
    rng = default_rng(1)
    children = [*rng.spawn(2), *rng.spawn(1)]
    expected = np.random.SeedSequence(1).spawn(3)
    drawn = [np.asarray(rng.random(1000)), *(np.asarray(child.random(1000)) for child in children)]
    for one, sequence in zip(drawn[1:], expected, strict=True):
        np.testing.assert_array_equal(one, np.random.Generator(np.random.Philox(sequence)).random(1000))
    # The correlation of independent samples is within 5 / sqrt(n), but for a probability of 6e-7.
    assert np.abs(np.corrcoef(drawn) - np.eye(4)).max() < 5 / np.sqrt(1000)
    with pytest.raises(TypeError, match="made from a key"):
        Generator(Philox(key=1)).spawn(1)
    with pytest.raises(ValueError, match="cannot spawn"):
        rng.spawn(-1)


def test_advancing_and_jumping_are_numpys() -> None:
    ours, theirs = Philox(1), np.random.Philox(1)
    for delta in (5, 2**70, -3):
        ours.advance(delta)
        theirs.advance(delta % 2**256)
        np.testing.assert_array_equal(ours.random_raw(4), theirs.random_raw(4))
    np.testing.assert_array_equal(ours.jumped(2).random_raw(4), theirs.jumped(2).random_raw(4))
    np.testing.assert_array_equal(ours.random_raw(4), theirs.random_raw(4))


# Where generators come from


def test_default_rng_passes_generators_through() -> None:
    rng, bits = default_rng(1), Philox(2)
    assert default_rng(rng) is rng
    assert default_rng(bits).bit_generator is bits
    with pytest.raises(DTypeMismatchError, match="default_rng"):
        Generator(np.random.Philox(1))  # type: ignore[arg-type]


def test_without_a_seed_generators_differ() -> None:
    assert _state(default_rng()) != _state(default_rng())


def test_generators_draw_on_their_device() -> None:
    with lb.build_container(backend={"name": "numpy", "devices": 2}):
        rng = default_rng(1, device="cpu:1")
        assert str(rng.random(3).device) == "cpu:1"
        assert str(rng.spawn(1)[0].permutation(3).device) == "cpu:1"
        with pytest.raises(DeviceMismatchError):
            default_rng(1, device="cpu:7")


def test_the_functions_draw_from_the_settings_seed() -> None:
    np.testing.assert_array_equal(lb.random.random(4), default_rng(11).random(4))
    assert lb.random.default_generator() is lb.random.default_generator()
    with lb.build_container(backend="numpy", seed=12):
        np.testing.assert_array_equal(lb.random.normal(size=4), default_rng(12).normal(size=4))


def test_without_a_seed_in_the_settings_containers_differ() -> None:
    found = []
    for _ in range(2):
        with lb.build_container(backend="numpy"):
            found.append(_state(lb.random.default_generator()))
    assert found[0] != found[1]


def test_seeding_the_executor_restarts_the_default_generator(container: BoundContainer) -> None:
    lb.random.random(4)
    container.executor().set_rng_seed(99)
    np.testing.assert_array_equal(lb.random.random(4), default_rng(99).random(4))


def test_a_containers_namespace_draws_in_its_container(container: BoundContainer) -> None:
    with lb.build_container(backend="numpy", seed=12) as other:
        random = container.namespace().random
        drawn = random.random(4)
        assert drawn.__array_namespace__() == container.namespace()
        np.testing.assert_array_equal(drawn, default_rng(11).random(4))
        assert random.default_rng(1).random().__array_namespace__() == container.namespace()
        assert lb.random.random().__array_namespace__() is lb
    other.close()


def test_threads_have_default_generators_of_their_own(container: BoundContainer) -> None:
    drawn: list[np.ndarray[Any, Any]] = [np.asarray(lb.random.default_generator().bit_generator.random_raw(400))]

    def draw() -> None:
        with container:
            for _ in range(10):
                drawn.append(np.asarray(lb.random.default_generator().bit_generator.random_raw(40)))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words = np.concatenate(drawn)
    assert len(words) == 2000 == len(set(words.tolist()))


def test_threads_that_share_a_generator_never_draw_the_same(container: BoundContainer) -> None:
    rng = default_rng(1)
    drawn: list[np.ndarray[Any, Any]] = []

    def draw() -> None:
        with container:
            for _ in range(20):
                drawn.append(np.asarray(rng.bit_generator.random_raw(4)))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = np.random.Philox(1).random_raw(320)
    assert set(np.concatenate(drawn).tolist()) == set(expected.tolist())
