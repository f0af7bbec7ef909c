"""Views share a base's values, as NumPy's do, whenever and however the recording is closed in between."""

from __future__ import annotations

import copy
import gc
import weakref

import numpy as np
import pytest

CLOSE = {
    "never": lambda executor: None,
    "mark_step": lambda executor: executor.mark_step(),
    "barrier": lambda executor: (executor.mark_step(), executor.wait_device_ops()),
}


@pytest.fixture(params=sorted(CLOSE))
def close(request, any_executor):
    return lambda: CLOSE[request.param](any_executor)


@pytest.fixture
def pair(array):
    """The same start as our array and NumPy's."""
    return array(np.arange(12.0).reshape(3, 4)), np.arange(12.0).reshape(3, 4)


def same(*pairs):
    for ours, numpys in pairs:
        np.testing.assert_array_equal(np.asarray(ours), numpys)


VIEWS = {
    "row": lambda a: a[1],
    "column": lambda a: a[:, 2],
    "window": lambda a: a[1:3, 1:3],
    "steps": lambda a: a[::2, ::-1],
    "negative": lambda a: a[::-2, 3:0:-2],
    "transpose": lambda a: a.T,
    "new axis": lambda a: a[None, :, None],
    "ellipsis": lambda a: a[..., 1],
    "all": lambda a: a[:],
    "chain": lambda a: a.T[1:, ::-1][2],
    "long chain": lambda a: a[1:][:, 1:].T[::-1][1:][None][0],
    "empty": lambda a: a[3:],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_write_through_a_view_changes_the_base(any_executor, close, pair, view):
    ours, numpys = pair
    v, w = view(ours), view(numpys)
    close()
    v += 100
    w += 100
    close()
    same((ours, numpys), (v, w))


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_write_to_the_base_shows_in_the_view(any_executor, close, pair, view):
    ours, numpys = pair
    v, w = view(ours), view(numpys)
    close()
    ours *= 3
    numpys *= 3
    close()
    ours[1, 2] = -1
    numpys[1, 2] = -1
    same((v, w), (ours, numpys))


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_two_views_see_each_others_writes(any_executor, close, pair, view):
    ours, numpys = pair
    v, w = view(ours), view(numpys)
    other, numpys_other = ours[:, 1:], numpys[:, 1:]
    close()
    other[...] = 7
    numpys_other[...] = 7
    close()
    v -= 1
    w -= 1
    close()
    same((v, w), (other, numpys_other), (ours, numpys))


def test_a_view_of_a_view_writes_through_both(any_executor, close, pair):
    ours, numpys = pair
    v1, w1 = ours[1:], numpys[1:]
    close()
    v2, w2 = v1.T, w1.T
    close()
    v2[2] = 50
    w2[2] = 50
    same((ours, numpys), (v1, w1), (v2, w2))
    v1[0, 0] = -1
    w1[0, 0] = -1
    close()
    same((v2, w2), (ours, numpys))


def test_a_view_of_a_stale_view_is_up_to_date(any_executor, close, pair):
    ours, numpys = pair
    v, w = ours[1], numpys[1]
    close()
    ours += 1
    numpys += 1
    inner, numpys_inner = v[1:3], w[1:3]
    close()
    inner += 10
    numpys_inner += 10
    same((v, w), (ours, numpys), (inner, numpys_inner))


def test_a_view_outlives_its_base(any_executor, close, pair):
    ours, numpys = pair
    v, w = ours[1], numpys[1]
    close()
    v += 1
    w += 1
    del ours, numpys
    gc.collect()
    close()
    v *= 2
    w *= 2
    same((v, w))


def test_two_views_outlive_their_base(any_executor, close, pair):
    ours, numpys = pair
    v, w = ours[1], numpys[1]
    v2, w2 = ours[:, 1], numpys[:, 1]
    del ours, numpys
    gc.collect()
    close()
    v += 100
    w += 100
    close()
    v2 *= 2
    w2 *= 2
    close()
    same((v, w), (v2, w2))


def test_a_dead_base_of_a_single_view_is_neither_kept_nor_computed(executor, double, array):
    base = array(np.arange(1000.0)) + 1
    view = base[3]
    reference = weakref.ref(base)
    del base
    executor.mark_step()
    assert [one.result_types[0].shape for one in double.computations] == [()]
    assert reference() is None
    assert float(view) == 4.0
    view += 1
    assert float(view) == 5.0


def test_an_element_of_a_kernel_in_place_changes_the_matrix(any_executor, array):
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(6, 6)) + 6 * np.eye(6)
    ours, numpys = array(matrix), matrix.copy()
    for a in (ours, numpys):
        for k in range(6):
            for i in range(k + 1, 6):
                r = a[i]
                r -= a[k] * (a[i, k] / a[k, k])
    # one multiplication and one subtraction per element and step, the order of the operations is the same
    np.testing.assert_allclose(np.asarray(ours), numpys, rtol=1e-13, atol=1e-13)


def test_an_augmented_item_assignment_is_a_write(any_executor, pair):
    ours, numpys = pair
    ours[1] += 5
    numpys[1] += 5
    ours[1][2] *= 2
    numpys[1][2] *= 2
    ours[:, ::2][...] -= 1
    numpys[:, ::2][...] -= 1
    same((ours, numpys))


def test_an_assignment_from_an_overlapping_view_reads_before_it_writes(any_executor, close, pair):
    ours, numpys = pair
    ours[:, 1:] = ours[:, :-1]
    numpys[:, 1:] = numpys[:, :-1].copy()
    close()
    ours[...] = ours[::-1]
    numpys[...] = numpys[::-1].copy()
    v, w = ours[0], numpys[0]
    close()
    v += ours[0]
    w += numpys[0].copy()
    same((ours, numpys))


def test_a_result_computed_from_a_view_is_not_a_view(any_executor, close, pair):
    ours, numpys = pair
    value, expected = ours[1] + 0, numpys[1] + 0
    close()
    ours += 1
    numpys += 1
    value -= 5
    expected -= 5
    same((ours, numpys), (value, expected))


def test_advanced_indexing_copies(any_executor, pair, array):
    ours, numpys = pair
    v, w = ours[[0, 2]], numpys[[0, 2]]
    v += 1
    w += 1
    m, n = ours[ours > 5], numpys[numpys > 5]
    m += 1
    n += 1
    same((ours, numpys), (v, w), (m, n))


def test_an_assignment_through_a_view_by_index_arrays_and_masks(any_executor, close, pair):
    ours, numpys = pair
    v, w = ours[1:, 1:], numpys[1:, 1:]
    close()
    v[[0, 1], [2, 0]] = -1
    w[[0, 1], [2, 0]] = -1
    v[v > 8] = 0
    w[w > 8] = 0
    same((ours, numpys), (v, w))


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda a: a.copy()])
def test_copies_of_views_and_bases_are_independent(any_executor, close, pair, copier):
    ours, numpys = pair
    v = ours[1]
    close()
    base_copy, view_copy = copier(ours), copier(v)
    close()
    ours += 1
    v += 1
    same((base_copy, numpys), (view_copy, numpys[1]))
    view_copy -= 1
    same((ours, numpys + 1 + np.array([[0], [1], [0]])))


def test_an_unpacked_matrix_is_views(any_executor, pair):
    ours, numpys = pair
    for i, (row, expected) in enumerate(zip(ours, numpys, strict=True)):
        row *= i
        expected *= i
    same((ours, numpys))


def test_a_self_assignment_changes_nothing(any_executor, pair):
    ours, numpys = pair
    ours[1:] = ours[1:]
    v = ours.T
    v[...] = v
    same((ours, numpys))


def test_a_view_whose_base_failed_fails_and_others_do_not(executor, double, array):
    double.fails_on = "stablehlo::divide"
    x = array(np.arange(4.0))
    view = x[1:]
    other = array(np.arange(4.0))
    x /= 2
    executor.mark_step()
    with pytest.raises(RuntimeError, match="fire"):
        np.asarray(x)
    with pytest.raises(RuntimeError, match="fire"):
        np.asarray(view)
    assert np.asarray(other + 1).tolist() == [1.0, 2.0, 3.0, 4.0]
