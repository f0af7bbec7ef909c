"""Programs in real worker processes: right results, batches, and no effect of one request on another."""

from __future__ import annotations

import asyncio
import os
import signal

import numpy as np
import pytest
from tests.engines import need
from tests.integration.serving.worker_pools import HERE, ask, is_running, pids_of, program, rows, serving, until
from tests.integration.serving.worker_programs import DEVOUR, DIE, EXIT, HANG, RAISE, WAIT

from latebind.services.serving.errors import (
    InvalidRequestError,
    OverloadedError,
    ProgramFailedError,
    ProgramTimeoutError,
    UnknownModelError,
)
from latebind.services.serving.types import InferRequest, ModelState

BATCHED = {"max_size": 8, "max_delay_ms": 5}


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """A file for which the program `trouble` waits if a row says so."""
    file = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(file))
    return file


# Results


def test_each_client_gets_its_own_rows_of_a_batch():
    async def scenario():
        async with serving(double=program("double", batching=BATCHED, workers=2)) as pool:
            wanted = [[float(number + 100 * row) for row in range(number % 4)] for number in range(60)]
            results = await asyncio.gather(*(ask(pool, "double", *values) for values in wanted))
            for values, result in zip(wanted, results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], 2 * rows(*values))
            report = pool.report()["double"]
            assert report["requests"] == 60 and report["batches"] < 60
            assert sum(int(size) * count for size, count in report["batch_rows"].items()) == sum(map(len, wanted))
            assert report["latency"]["count"] == report["queue_seconds"]["count"] == 60
            assert report["compute_seconds"]["count"] == report["batches"]

    asyncio.run(scenario())


def test_requests_go_one_by_one_without_batching():
    async def scenario():
        async with serving(double=program("double", workers=2)) as pool:
            results = await asyncio.gather(*(ask(pool, "double", float(number)) for number in range(20)))
            for number, result in enumerate(results):
                np.testing.assert_array_equal(result.outputs["y"], rows(2.0 * number))
            assert pool.report()["double"]["batches"] == 20
            assert pool.status("double").max_batch_size == 0

    asyncio.run(scenario())


def test_weights_several_outputs_and_the_choice_among_them(tmp_path):
    weights = {"w": np.arange(12, dtype=np.float32).reshape(4, 3), "b": np.float32([1, 2, 3])}
    outputs = [
        {"name": "y", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "total", "datatype": "FP32", "shape": [-1]},
    ]
    (tmp_path / "weights").mkdir()
    np.savez(tmp_path / "weights" / "affine.npz", **weights)
    declared = program("affine", weights="weights/affine.npz", batching=BATCHED)
    declared |= {"program": f"{HERE}/worker_programs.py:affine", "outputs": outputs}

    async def scenario():
        async with serving(tmp_path, affine=declared) as pool:
            x = np.random.default_rng(0).random((3, 4), dtype=np.float32)
            both, one = await asyncio.gather(
                pool.infer("affine", "1", InferRequest({"x": x})),
                pool.infer("affine", None, InferRequest({"x": x[:1]}, outputs=["total"])),
            )
            np.testing.assert_allclose(both.outputs["y"], x @ weights["w"] + weights["b"], rtol=1e-6)
            np.testing.assert_allclose(both.outputs["total"], x.sum(axis=1), rtol=1e-6)
            assert list(one.outputs) == ["total"]
            np.testing.assert_allclose(one.outputs["total"], x[:1].sum(axis=1), rtol=1e-6)

    asyncio.run(scenario())


def test_requests_of_different_shapes_are_not_put_together():
    tensor = {"datatype": "FP32", "shape": [-1, -1]}
    declared = program("square_sums", batching=BATCHED)
    declared |= {
        "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1]}],
    }

    async def scenario():
        async with serving(sums=declared) as pool:
            arrays = [np.full((1 + number % 3, 1 + number % 5), number, np.float32) for number in range(40)]
            results = await asyncio.gather(*(ask(pool, "sums", x=array) for array in arrays))
            for array, result in zip(arrays, results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], (array * array).sum(axis=1))

    asyncio.run(scenario())


def test_several_inputs_keep_their_rows_together():
    declared = program("several", batching=BATCHED)
    declared["inputs"].append({"name": "n", "datatype": "FP32", "shape": [-1]})
    declared["outputs"].append({"name": "m", "datatype": "FP32", "shape": [-1]})

    async def scenario():
        async with serving(several=declared) as pool:
            sent = [(rows(*range(1 + k % 3)), np.full(1 + k % 3, k, np.float32)) for k in range(20)]
            results = await asyncio.gather(*(ask(pool, "several", x=x, n=n) for x, n in sent))
            for (x, n), result in zip(sent, results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], x + n[:, None])
                np.testing.assert_array_equal(result.outputs["m"], n * 2)
            with pytest.raises(InvalidRequestError, match="'n' has 1 rows, but 'x' has 2"):
                await ask(pool, "several", x=rows(1, 2), n=np.ones(1, np.float32))

    asyncio.run(scenario())


def test_two_programs_run_on_different_backends_and_nothing_is_compiled_after_they_are_ready():
    need("jax")
    programs = {
        name: program("double", batching=BATCHED, settings={"backend": name}) for name in ("numpy", "xla", "tiered")
    }

    async def scenario():
        async with serving(**programs) as pool:
            assert {status.name: status.backend for status in pool.statuses()} == {name: name for name in programs}
            await pool.refresh()
            before = {name: pool.report()[name]["compilations"] for name in programs}
            assert all(count >= 4 for count in before.values())
            for size in range(9):
                values = [float(value) for value in range(size)]
                results = await asyncio.gather(*(ask(pool, name, *values) for name in programs))
                for result in results:
                    np.testing.assert_array_equal(result.outputs["y"], 2 * rows(*values))
            await pool.refresh()
            after = {name: pool.report()[name]["compilations"] for name in programs}
            assert after == before
            graphs = await pool.graphs("xla")
            assert [graph["name"].partition(" ")[2] for graph in graphs] == [f"({k} rows)" for k in (1, 2, 4, 8)]
            for graph in graphs:
                assert "stablehlo.multiply" in graph["ir"]
                assert graph["dot"].startswith("digraph")
                assert "XLA's optimised HLO" in graph["backend_text"]

    asyncio.run(scenario())


# Requests that make trouble


def test_a_row_that_raises_fails_its_own_request_only(caplog):
    async def scenario():
        async with serving(trouble=program("trouble", batching=BATCHED)) as pool:
            values = [1.0, 2.0, RAISE, 4.0, 5.0]
            results = await asyncio.gather(*(ask(pool, "trouble", v) for v in values), return_exceptions=True)
            error = results.pop(2)
            assert isinstance(error, ProgramFailedError)
            assert str(error) == "the program raised ValueError: a row of secret.py asks for it"
            for value, result in zip((1.0, 2.0, 4.0, 5.0), results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], rows(2 * value))
            report = pool.report()["trouble"]
            assert report["failures"] == 1 and report["workers"][0]["restarts"] == 0

    asyncio.run(scenario())
    assert "Traceback" in caplog.text and "/srv/models/secret.py" in caplog.text


def test_sys_exit_in_a_program_fails_the_request_and_not_the_worker():
    async def scenario():
        async with serving(trouble=program("trouble")) as pool:
            pids = pids_of(pool)
            with pytest.raises(ProgramFailedError, match="SystemExit: leaving"):
                await ask(pool, "trouble", EXIT)
            np.testing.assert_array_equal((await ask(pool, "trouble", 3.0)).outputs["y"], rows(6.0))
            assert pids_of(pool) == pids

    asyncio.run(scenario())


def test_a_row_that_ends_the_process_fails_its_own_request_only():
    async def scenario():
        async with serving(trouble=program("trouble", batching=BATCHED), double=program("double")) as pool:
            others = pids_of(pool, "double")
            values = [1.0, DIE, 3.0, 4.0]
            results = await asyncio.gather(*(ask(pool, "trouble", v) for v in values), return_exceptions=True)
            error = results.pop(1)
            assert isinstance(error, ProgramFailedError) and "process died" in str(error)
            for value, result in zip((1.0, 3.0, 4.0), results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], rows(2 * value))
            await until(lambda: pool.status("trouble").state is ModelState.READY)
            assert pool.report()["trouble"]["workers"][0]["restarts"] >= 1
            assert pids_of(pool, "double") == others

    asyncio.run(scenario())


def test_a_program_that_hangs_is_ended_and_replaced():
    async def scenario():
        programs = {"trouble": program("trouble", timeout=1.0), "double": program("double")}
        async with serving(**programs) as pool:
            (before,) = pids_of(pool, "trouble")
            with pytest.raises(ProgramTimeoutError, match="longer than 1 s"):
                await ask(pool, "trouble", HANG)
            np.testing.assert_array_equal((await ask(pool, "double", 3.0)).outputs["y"], rows(6.0))
            await until(lambda: not is_running(before))
            await until(lambda: pool.status("trouble").state is ModelState.READY)
            assert pids_of(pool, "trouble") != [before]
            assert pool.report()["trouble"]["timeouts"] == 1

    asyncio.run(scenario())


def test_a_row_that_hangs_fails_its_own_request_only():
    async def scenario():
        async with serving(trouble=program("trouble", batching=BATCHED, compute_timeout=2.0)) as pool:
            values = [1.0, HANG, 3.0, 4.0]
            results = await asyncio.gather(*(ask(pool, "trouble", v) for v in values), return_exceptions=True)
            error = results.pop(1)
            assert isinstance(error, ProgramTimeoutError) and str(error) == "the program ran for longer than 2 s"
            for value, result in zip((1.0, 3.0, 4.0), results, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], rows(2 * value))
            assert pool.report()["trouble"]["timeouts"] == 1

    asyncio.run(scenario())


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux enforces the limit")
def test_a_program_that_takes_too_much_memory_gets_an_error_and_goes_on():
    async def scenario():
        async with serving(trouble=program("trouble", memory_limit_mb=256)) as pool:
            with pytest.raises(ProgramFailedError, match="MemoryError"):
                await ask(pool, "trouble", DEVOUR)
            np.testing.assert_array_equal((await ask(pool, "trouble", 3.0)).outputs["y"], rows(6.0))

    asyncio.run(scenario())


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="only Linux enforces the limit")
def test_inputs_beyond_the_memory_limit_get_an_error_and_leave_the_connection_in_order():
    declared = program("double", memory_limit_mb=64)

    async def scenario():
        async with serving(double=declared) as pool:
            with pytest.raises(ProgramFailedError, match="MemoryError"):
                await ask(pool, "double", x=np.ones((1 << 23, 4), np.float32))
            np.testing.assert_array_equal((await ask(pool, "double", 3.0)).outputs["y"], rows(6.0))
            assert pool.report()["double"]["workers"][0]["restarts"] == 0

    asyncio.run(scenario())


def test_a_worker_that_is_killed_fails_its_request_and_is_replaced(gate):
    async def scenario():
        async with serving(trouble=program("trouble")) as pool:
            (before,) = pids_of(pool)
            request = asyncio.create_task(ask(pool, "trouble", WAIT))
            await until(lambda: pool.report()["trouble"]["running"] == 1)
            waiting = asyncio.create_task(ask(pool, "trouble", 3.0))
            os.kill(before, signal.SIGKILL)
            with pytest.raises(ProgramFailedError, match="process died"):
                await request
            np.testing.assert_array_equal((await waiting).outputs["y"], rows(6.0))
            assert pids_of(pool) != [before]

    asyncio.run(scenario())


def test_an_idle_worker_that_is_killed_is_replaced_and_counters_do_not_fall():
    async def scenario():
        async with serving(double=program("double")) as pool:
            await ask(pool, "double", 1.0)
            await pool.refresh()
            before = pool.report()["double"]
            os.kill(before["workers"][0]["pid"], signal.SIGKILL)
            await until(lambda: pool.report()["double"]["workers"][0]["restarts"] == 1)
            np.testing.assert_array_equal((await ask(pool, "double", 3.0)).outputs["y"], rows(6.0))
            after = pool.report()["double"]
            assert after["compilations"] > before["compilations"]
            assert all(after["counters"][name] >= value for name, value in before["counters"].items())

    asyncio.run(scenario())


# Queues


def test_a_cancelled_request_leaves_the_queue(gate):
    async def scenario():
        async with serving(trouble=program("trouble")) as pool:
            running = asyncio.create_task(ask(pool, "trouble", WAIT))
            await until(lambda: pool.report()["trouble"]["running"] == 1)
            waiting = [asyncio.create_task(ask(pool, "trouble", 1.0)) for _ in range(3)]
            await until(lambda: pool.report()["trouble"]["waiting"] == 3)
            waiting[1].cancel()
            await until(lambda: pool.report()["trouble"]["waiting"] == 2)
            gate.touch()
            await asyncio.gather(running, waiting[0], waiting[2])
            assert waiting[1].cancelled()
            assert pool.report()["trouble"]["batches"] == 3

    asyncio.run(scenario())


def test_a_full_queue_refuses_and_says_when_to_come_back(gate):
    async def scenario():
        async with serving(trouble=program("trouble", queue=2)) as pool:
            running = asyncio.create_task(ask(pool, "trouble", WAIT))
            await until(lambda: pool.report()["trouble"]["running"] == 1)
            waiting = [asyncio.create_task(ask(pool, "trouble", 1.0)) for _ in range(2)]
            await until(lambda: pool.report()["trouble"]["waiting"] == 2)
            with pytest.raises(OverloadedError) as refused:
                await ask(pool, "trouble", 1.0)
            assert refused.value.retry_after is not None and refused.value.retry_after > 0
            gate.touch()
            await asyncio.gather(running, *waiting)
            assert pool.report()["trouble"]["rejected"] == 1

    asyncio.run(scenario())


def test_requests_that_no_program_takes_are_refused():
    async def scenario():
        async with serving(double=program("double", batching=BATCHED, version="3")) as pool:
            with pytest.raises(InvalidRequestError, match="9 rows, but a batch has 8 at most"):
                await ask(pool, "double", *range(9))
            with pytest.raises(InvalidRequestError, match="'z' missing or not declared"):
                await ask(pool, "double", x=rows(1.0), z=rows(1.0))
            with pytest.raises(UnknownModelError):
                await ask(pool, "triple", 1.0)
            with pytest.raises(UnknownModelError):
                await pool.infer("double", "2", InferRequest({"x": rows(1.0)}))
            assert (await pool.infer("double", "3", InferRequest({"x": rows(1.0)}))).batch_rows == 1

    asyncio.run(scenario())
