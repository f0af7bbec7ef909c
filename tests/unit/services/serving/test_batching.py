"""Which requests are put together, in which order, and that each gets its own rows back."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebind.services.serving.batching import Batch, BatchLayout, RequestQueue, Waiting
from latebind.services.serving.buckets import bucket_for, buckets_of
from latebind.services.serving.errors import InvalidRequestError, ModelUnavailableError, OverloadedError
from latebind.services.serving.settings import BatchingSettings, ProgramSettings
from latebind.services.serving.types import DATATYPES, InferRequest

FOREVER = 1e6


def waiting(rows=1, key=(), arrived=0.0):
    return Waiting(InferRequest({}), rows, key, arrived, asyncio.get_running_loop().create_future())


def put(queue, *requests):
    for request in requests:
        queue.put(request, lambda: 1.5)


def never():
    return False


def expect(queue, count):
    """Have so many requests come and go, so that the queue expects as many from now on."""
    requests = [waiting() for _ in range(count)]
    put(queue, *requests)
    queue.drain()
    for each in requests:
        queue.end(each)


# Buckets


@pytest.mark.parametrize(
    ("keys", "buckets"),
    [
        ({"max_size": 1}, (1,)),
        ({"max_size": 8}, (1, 2, 4, 8)),
        ({"max_size": 12}, (1, 2, 4, 8, 12)),
        ({"max_size": 12, "buckets": [6]}, (6, 12)),
        ({"max_size": 12, "buckets": [6, 3, 6, 64]}, (3, 6, 12)),
    ],
)
def test_buckets_end_with_the_largest_batch(keys, buckets):
    assert buckets_of(BatchingSettings.model_validate(keys)) == buckets


def test_a_bucket_without_rows_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        buckets_of(BatchingSettings(max_size=4, buckets=(0, 2)))


@given(st.integers(1, 300), st.data())
def test_a_batch_takes_the_smallest_bucket_that_holds_it(largest, data):
    buckets = buckets_of(BatchingSettings(max_size=largest))
    rows = data.draw(st.integers(0, largest))
    assert bucket_for(rows, buckets) == min(bucket for bucket in buckets if bucket >= rows)


# The queue


def test_a_full_batch_is_taken_at_once_and_the_rest_waits():
    async def scenario():
        queue = RequestQueue(10, 4, FOREVER)
        expect(queue, 10)
        requests = [waiting(2, arrived=asyncio.get_running_loop().time()) for _ in range(3)]
        put(queue, *requests)
        batch = await queue.take(never)
        assert batch.requests == requests[:2] and batch.rows == 4
        assert len(queue) == 1
        assert await queue.take(never, timeout=0.0) is None

    asyncio.run(scenario())


def test_a_batch_is_taken_when_its_first_request_has_waited_long_enough():
    async def scenario():
        queue = RequestQueue(10, 4, 0.001)
        expect(queue, 10)
        requests = [waiting(1, arrived=asyncio.get_running_loop().time()) for _ in range(2)]
        put(queue, *requests)
        assert (await queue.take(never)).requests == requests

    asyncio.run(scenario())


def test_a_taker_that_waits_gets_a_batch_that_becomes_full():
    async def scenario():
        queue = RequestQueue(10, 2, FOREVER)
        expect(queue, 10)
        taker = asyncio.create_task(queue.take(never))
        await asyncio.sleep(0)
        requests = [waiting(arrived=asyncio.get_running_loop().time()) for _ in range(2)]
        put(queue, requests[0])
        await asyncio.sleep(0)
        assert not taker.done()
        put(queue, requests[1])
        assert (await taker).requests == requests

    asyncio.run(scenario())


def test_a_single_client_does_not_wait_for_others():
    async def scenario():
        queue = RequestQueue(10, 4, FOREVER)
        for _ in range(3):
            put(queue, request := waiting(arrived=asyncio.get_running_loop().time()))
            assert (await queue.take(never)).requests == [request]
            queue.end(request)

    asyncio.run(scenario())


def test_clients_that_all_wait_do_not_wait_for_others():
    async def scenario():
        queue = RequestQueue(10, 8, FOREVER)
        expect(queue, 3)
        requests = [waiting(arrived=asyncio.get_running_loop().time()) for _ in range(3)]
        put(queue, *requests[:2])
        assert await queue.take(never, timeout=0.0) is None
        put(queue, requests[2])
        assert (await queue.take(never)).requests == requests

    asyncio.run(scenario())


def test_clients_that_are_gone_are_not_waited_for_for_ever():
    async def scenario():
        queue = RequestQueue(10, 8, FOREVER)
        expect(queue, 3)
        taken_at_once = []
        for _ in range(30):
            for rows in (1, 4):  # two requests, too few for a batch and enough for one
                requests = [waiting(rows, arrived=asyncio.get_running_loop().time()) for _ in range(2)]
                put(queue, *requests)
                batch = await queue.take(never, timeout=0.0)
                taken_at_once.append(batch is not None)
                queue.drain()
                for each in requests:
                    queue.end(each)
        assert taken_at_once[:2] == [False, True] and taken_at_once[-2:] == [True, True]

    asyncio.run(scenario())


def test_requests_with_other_extents_are_apart_and_a_full_batch_need_not_wait_for_an_older_one():
    async def scenario():
        queue = RequestQueue(10, 2, FOREVER)
        expect(queue, 10)
        now = asyncio.get_running_loop().time()
        old, *full = (waiting(key=((3,),), arrived=now), *(waiting(key=((5,),), arrived=now + 1) for _ in range(2)))
        put(queue, old, *full)
        assert (await queue.take(never)).requests == full
        assert len(queue) == 1

    asyncio.run(scenario())


def test_the_oldest_request_is_first_among_different_extents():
    async def scenario():
        queue = RequestQueue(10, 8, 0.0)
        requests = [waiting(key=((number % 2,),), arrived=float(number)) for number in range(4)]
        put(queue, *requests)
        assert (await queue.take(never)).requests == requests[0::2]
        assert (await queue.take(never)).requests == requests[1::2]

    asyncio.run(scenario())


def test_without_batching_requests_are_taken_one_by_one():
    async def scenario():
        queue = RequestQueue(10, 0, FOREVER)
        requests = [waiting() for _ in range(3)]
        put(queue, *requests)
        assert [(await queue.take(never)).requests for _ in range(3)] == [[each] for each in requests]

    asyncio.run(scenario())


def test_a_request_that_is_tried_again_is_alone_and_first():
    async def scenario():
        queue = RequestQueue(1, 8, 0.0)
        put(queue, waiting())
        again = [waiting() for _ in range(3)]
        again[1].fail(ModelUnavailableError("over"))
        queue.put_back(again)
        assert (await queue.take(never)).requests == [again[0]]
        assert (await queue.take(never)).requests == [again[2]]
        assert len(await_batch := (await queue.take(never)).requests) == 1 and await_batch[0] not in again
        assert again[0].alone and isinstance(again[1].result.exception(), ModelUnavailableError)

    asyncio.run(scenario())


def test_a_full_queue_says_when_to_come_back():
    async def scenario():
        queue = RequestQueue(2, 8, FOREVER)
        put(queue, waiting(), waiting())
        with pytest.raises(OverloadedError) as refused:
            put(queue, waiting())
        assert refused.value.retry_after == 1.5
        assert len(queue) == 2

    asyncio.run(scenario())


def test_discarded_requests_make_room_wherever_they_are():
    async def scenario():
        queue = RequestQueue(2, 8, 0.0)
        requests = [waiting(), waiting()]
        put(queue, *requests)
        queue.put_back([back := waiting()])
        for each in (requests[0], back, waiting()):
            queue.end(each)
        assert len(queue) == 1
        batch = await queue.take(never)
        assert batch.requests == [requests[1]]
        queue.end(requests[1])
        assert len(queue) == 0 and await queue.take(never, timeout=0.0) is None

    asyncio.run(scenario())


def test_an_interrupted_taker_takes_nothing():
    async def scenario():
        queue = RequestQueue(2, 8, 0.0)
        stop = False
        taker = asyncio.create_task(queue.take(lambda: stop))
        await asyncio.sleep(0)
        stop = True
        put(queue, waiting())
        assert await taker is None
        assert len(queue.drain()) == 1 and len(queue) == 0

    asyncio.run(scenario())


# From requests to a message and back


def layout(max_size=8, **keys):
    declared = {
        "program": "m:f",
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [-1, -1]},
            {"name": "n", "datatype": "INT16", "shape": [-1]},
        ],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, -1]}],
        "batching": {"max_size": max_size},
    }
    return BatchLayout(ProgramSettings.model_validate(declared | keys))


def request(rows=2, width=3, **inputs):
    given = {"x": np.ones((rows, width), np.float32), "n": np.arange(rows, dtype=np.int16)}
    return InferRequest(given | inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"z": np.ones(2)}, "'z' missing or not declared"),
        ({"n": np.ones(3, np.int16)}, "'n' has 3 rows, but 'x' has 2"),
        ({"n": np.ones(2, np.int32)}, "'n' has another datatype or rank"),
        ({"x": np.ones(2, np.float32)}, "'x' has another datatype or rank"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_by_name(inputs, message):
    with pytest.raises(InvalidRequestError, match=message):
        layout().measure(request(**inputs))


def test_more_rows_than_a_batch_may_have_are_refused():
    with pytest.raises(InvalidRequestError, match="9 rows, but a batch has 8 at most"):
        layout().measure(request(9))


def test_batching_needs_a_free_first_extent_everywhere():
    assert layout().largest == 8
    assert layout(max_size=1).largest == 0
    fixed = {"name": "y", "datatype": "FP32", "shape": [4, -1]}
    assert layout(outputs=[fixed]).largest == 0


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(1, 3), st.randoms(use_true_random=False))
def test_every_request_gets_its_own_rows(sizes, width, random):
    plan = layout(max_size=24)
    sent = [
        request(rows, width, x=np.full((width, rows), random.random(), np.float32).T)  # not contiguous
        for rows in sizes
    ]

    async def scenario():
        requests = []
        for each in sent:
            rows, key = plan.measure(each)
            requests.append(Waiting(each, rows, key, 0.0, asyncio.get_running_loop().create_future()))
        batch = Batch(requests)
        header, memories = plan.message(batch)
        assert header["rows"] == sum(sizes) and header["wanted"] is None
        data, arrays = b"".join(memories), []
        for shape, filled, name in zip(header["shapes"], header["filled"], ("x", "n"), strict=True):
            dtype = DATATYPES["FP32" if name == "x" else "INT16"]
            arrays.append(np.frombuffer(data[:filled], dtype).reshape(-1, *shape[1:]))
            data = data[filled:]
            assert shape[0] == bucket_for(sum(sizes), plan.buckets)
        assert not data
        plan.distribute(batch, {"y": arrays[0] + arrays[1][:, None]}, 0.25)
        return [each.result.result() for each in requests]

    for each, result in zip(sent, asyncio.run(scenario()), strict=True):
        np.testing.assert_array_equal(result.outputs["y"], each.inputs["x"] + each.inputs["n"][:, None])
        assert result.batch_rows == sum(sizes) and result.compute_seconds == 0.25


def test_only_wanted_outputs_are_asked_for():
    async def scenario():
        plan = layout()
        requests = []
        for outputs in (["b"], ["a", "b"]):
            each = request()
            each.outputs = outputs
            requests.append(Waiting(each, *plan.measure(each), 0.0, asyncio.get_running_loop().create_future()))
        header, _ = plan.message(Batch(requests))
        assert header["wanted"] == ["a", "b"]

    asyncio.run(scenario())
