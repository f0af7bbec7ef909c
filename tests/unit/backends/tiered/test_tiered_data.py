"""One value on two tiers: what is shared, what is copied, and that nothing shared is overwritten."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engines import need

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.tiered.backend import TieredBackend
from latebind.backends.tiered.data import TieredData
from latebind.backends.tiered.settings import TieredSettings
from latebind.errors import DeviceMismatchError
from latebind.ir.types import TensorType

FLOATS = TensorType.of((1024,), np.dtype(np.float64))


def xla() -> TieredBackend:
    """Return NumPy and XLA as tiers; every graph is compiled, and goes to XLA once a test says so."""
    need("jax")
    from latebind.backends.xla.backend import XlaBackend
    from latebind.backends.xla.settings import XlaSettings

    return TieredBackend(
        TieredSettings(synchronous=True, compile_after=0.0, margin=None),
        baseline=NumpyBackend(),
        optimizing=XlaBackend(XlaSettings(persistent_cache=False)),
    )


@pytest.fixture(params=["numpy", "xla"])
def backend(request, tiered, timed):
    made = tiered() if request.param == "numpy" else xla()
    yield made
    made.prepare_to_exit()


@pytest.fixture
def device(backend):
    return backend.backend_device()


def put(backend: TieredBackend, array: np.ndarray, *, copy: bool = True) -> TieredData:
    data = backend.make_computation_data_from_tensor(
        array, TensorType.of(array.shape, array.dtype), backend.backend_device(), copy=copy
    )
    assert isinstance(data, TieredData)
    return data


def optimizing_only(backend: TieredBackend, array: np.ndarray) -> TieredData:
    type = TensorType.of(array.shape, array.dtype)
    device = backend.backend_device()
    side = backend.optimizing.make_computation_data_from_tensor(array, type, device, copy=True)
    return TieredData(type, device, None, side, side)


def test_a_value_changes_tiers_on_the_host_without_a_copy(backend):
    data = put(backend, np.arange(1024.0))
    host = backend.baseline.make_tensor_from_computation_data(data.baseline)
    other = backend.optimizing.make_tensor_from_computation_data(backend._sides.on_optimizing(data))
    assert np.shares_memory(host, other)


def test_and_back(backend):
    data = optimizing_only(backend, np.arange(1024.0))
    host = backend.optimizing.make_tensor_from_computation_data(data.optimizing)
    other = backend.baseline.make_tensor_from_computation_data(backend._sides.on_baseline(data))
    assert np.shares_memory(host, other)


def test_a_side_is_made_once(backend):
    data = put(backend, np.arange(1024.0))
    assert backend._sides.on_optimizing(data) is backend._sides.on_optimizing(data)
    assert backend.ledger.counters()["TierTransfers"] == 1


def test_what_one_tier_alone_has_may_be_overwritten(backend):
    assert backend.can_donate(put(backend, np.arange(1024.0)))
    assert backend.can_donate(optimizing_only(backend, np.arange(1024.0)))


@pytest.mark.parametrize("make", [put, optimizing_only])
def test_what_both_tiers_have_is_not_overwritten(backend, make):
    data = make(backend, np.arange(1024.0))
    backend._sides.on_baseline(data)
    backend._sides.on_optimizing(data)
    assert not backend.can_donate(data)


@pytest.mark.parametrize("make", [put, optimizing_only])
def test_what_somebody_reads_is_not_overwritten(backend, make):
    data = make(backend, np.arange(1024.0))
    view = backend.make_tensor_from_computation_data(data)
    assert not backend.can_donate(data)
    assert np.array_equal(view, np.arange(1024.0))
    del view
    assert backend.can_donate(data)


def test_what_is_to_be_overwritten_is_copied_to_the_other_tier(backend):
    data = put(backend, np.arange(1024.0))
    copied = backend._sides.on_optimizing(data, copy=True)
    assert data.optimizing is None
    host = backend.baseline.make_tensor_from_computation_data(data.baseline)
    assert not np.shares_memory(host, backend.optimizing.make_tensor_from_computation_data(copied))


def test_memory_that_outlives_its_value_is_not_given_away(backend):
    # The value is dropped while the other tier's side of it lives on: its memory is still in use there.
    data = put(backend, np.arange(1024.0))
    side, baseline = backend._sides.on_optimizing(data), data.baseline
    del data
    assert not backend.baseline.can_donate(baseline) or not np.shares_memory(
        baseline.handle, backend.optimizing.make_tensor_from_computation_data(side)
    )


def test_what_the_other_tier_copied_of_lent_memory_is_not_kept(backend):
    lent = np.arange(1024.0)
    data = put(backend, lent, copy=False)
    assert not data.owned and not backend.can_donate(data)
    backend._sides.on_optimizing(data)
    lent[0] = 7.0
    side = backend._sides.on_optimizing(data)
    assert backend.optimizing.make_tensor_from_computation_data(side)[0] == 7.0


def test_a_scalar_goes_to_the_optimizing_backend_when_that_needs_it(backend, device):
    type = TensorType.of((), np.dtype(np.float32))
    data = backend.make_computation_data_from_scalar(0.5, type, device)
    assert data.has_value and data.optimizing is None
    side = backend._sides.on_optimizing(data)
    assert backend.optimizing.make_tensor_from_computation_data(side) == np.float32(0.5)
    assert backend.make_tensor_from_computation_data(data) == np.float32(0.5)
    assert backend.ledger.counters()["TierTransfers"] == 0


def test_a_placeholder_takes_both_sides(backend, device):
    placeholder = backend.create_data_placeholder(device, FLOATS)
    assert not placeholder.has_value and backend.is_ready(placeholder)
    value = optimizing_only(backend, np.ones(1024))
    placeholder.assign(value)
    assert placeholder.optimizing is value.optimizing
    assert np.array_equal(backend.make_tensor_from_computation_data(placeholder), np.ones(1024))


def test_a_device_that_there_is_not_is_refused(backend):
    other = type(backend.backend_device())("cpu", 63)
    with pytest.raises(DeviceMismatchError, match="cpu:63"):
        backend.make_computation_data_from_tensor(np.ones(1024), FLOATS, other)
    with pytest.raises(DeviceMismatchError, match="cpu:63"):
        backend.create_lowering_context("computation", other)


class TestWithXla:
    """NumPy and XLA together."""

    @pytest.fixture
    def backend(self):
        made = xla()
        yield made
        made.prepare_to_exit()

    def test_dispatch_is_asynchronous(self, backend):
        assert not backend.blocking

    def test_updates_in_place_go_on_from_one_engine_to_the_other(self, backend, use):
        backend.interpretations = 3
        container = use(backend)
        x, expected = lb.zeros(50_000), np.zeros(50_000)
        first = None
        for number in range(20):
            x[1:-1] += 0.5 * x[:-2] + number
            expected[1:-1] += 0.5 * expected[:-2] + number
            lb.sync(x)
            if number == 10:
                first = np.asarray(x), expected.copy()
        # XLA may contract a product and a sum: one rounding less in each of 20 steps.
        assert np.allclose(np.asarray(x), expected, rtol=20 * 2**-52, atol=0)
        assert first is not None and np.allclose(first[0], first[1], rtol=20 * 2**-52, atol=0)
        counters = backend.ledger.counters()
        assert counters["TierOptimizingRuns"] > 10 and container.metrics().counter("Interpreted") > 0
        assert container.metrics().counter("DonatedBuffers") > 0

    @pytest.mark.parametrize("on_xla", [False, True])
    def test_an_index_out_of_bounds_is_an_error_on_either(self, backend, use, on_xla):
        if not on_xla:
            backend.be_deterministic()
        backend.interpretations = 0
        use(backend)
        result = lb.asarray([1.0, 2.0])[lb.asarray([0, 2])] * 2.0
        with pytest.raises(IndexError, match="index 2"):
            np.asarray(result)
        assert backend.ledger.counters()["TierOptimizingRuns"] == on_xla

    def test_values_may_be_read_while_both_engines_use_them(self, backend, use):
        backend.interpretations = 0
        use(backend)
        x = lb.asarray(np.arange(10_000.0))
        doubled = x * 2.0
        views = [np.asarray(x), np.asarray(doubled)]
        x += 1.0
        lb.sync(x)
        assert np.array_equal(views[0], np.arange(10_000.0)) and np.array_equal(views[1], 2 * views[0])
        assert np.array_equal(np.asarray(x), views[0] + 1)
