"""A worker that hangs, beside others of the same program that do not."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from tests.integration.serving.worker_pools import DEADLINE, ask, is_running, pids_of, program, rows, serving, until
from tests.integration.serving.worker_programs import HANG

from latebind.services.serving.errors import ProgramTimeoutError
from latebind.services.serving.types import ModelState

BATCHED = {"max_size": 8, "max_delay_ms": 1}
#: Seconds that a run may take here: none of the other requests could wait for it.
FOR_EVER = 10 * DEADLINE
PATIENT = {"timeout": FOR_EVER, "compute_timeout": FOR_EVER}


@pytest.mark.parametrize("batching", [{}, BATCHED])
def test_the_other_worker_goes_on_while_one_hangs(batching):
    async def scenario():
        async with serving(trouble=program("trouble", workers=2, batching=batching, **PATIENT)) as pool:
            before = pids_of(pool)
            hanging = asyncio.create_task(ask(pool, "trouble", HANG))
            await until(lambda: pool.report()["trouble"]["running"] == 1)
            async with asyncio.timeout(DEADLINE):
                for value in range(5):  # one after the other
                    np.testing.assert_array_equal((await ask(pool, "trouble", value)).outputs["y"], rows(2 * value))
                results = await asyncio.gather(*(ask(pool, "trouble", value) for value in range(20)))
            for value, result in enumerate(results):
                np.testing.assert_array_equal(result.outputs["y"], rows(2 * value))
            assert pool.status("trouble").state is ModelState.READY
            assert not hanging.done() and pool.report()["trouble"]["running"] == 1
            assert pids_of(pool) == before
            hanging.cancel()

    asyncio.run(scenario())


def test_figures_and_graphs_come_from_the_worker_that_does_not_hang():
    async def scenario():
        async with serving(trouble=program("trouble", workers=2, **PATIENT)) as pool:
            hanging = asyncio.create_task(ask(pool, "trouble", HANG))
            await until(lambda: pool.report()["trouble"]["running"] == 1)
            async with asyncio.timeout(DEADLINE):
                await pool.refresh()
                await pool.graphs("trouble")
            assert sorted(worker["state"] for worker in pool.report()["trouble"]["workers"]) == ["busy", "ready"]
            hanging.cancel()

    asyncio.run(scenario())


def test_requests_that_shared_the_batch_of_a_row_that_hangs_are_answered_by_the_other_worker():
    async def scenario():
        keys = {"batching": BATCHED, "workers": 2, "compute_timeout": 1.0}
        async with serving(trouble=program("trouble", **keys)) as pool:
            values = [1.0, HANG, 3.0, 4.0]
            tasks = [asyncio.create_task(ask(pool, "trouble", value)) for value in values]
            async with asyncio.timeout(DEADLINE):
                (*good,) = await asyncio.gather(
                    *(task for task, value in zip(tasks, values, strict=True) if value != HANG)
                )
            for value, result in zip((1.0, 3.0, 4.0), good, strict=True):
                np.testing.assert_array_equal(result.outputs["y"], rows(2 * value))
            with pytest.raises(ProgramTimeoutError):
                await tasks[1]

    asyncio.run(scenario())


def test_two_that_hang_are_both_replaced():
    async def scenario():
        async with serving(trouble=program("trouble", workers=2, compute_timeout=1.0)) as pool:
            before = pids_of(pool)
            hanging = [asyncio.create_task(ask(pool, "trouble", HANG)) for _ in range(2)]
            await until(lambda: pool.report()["trouble"]["running"] == 2)
            waiting = asyncio.create_task(ask(pool, "trouble", 3.0))
            for task in hanging:
                with pytest.raises(ProgramTimeoutError, match="longer than 1 s"):
                    await task
            np.testing.assert_array_equal((await waiting).outputs["y"], rows(6.0))
            await until(lambda: len(pids_of(pool)) == 2 and not set(pids_of(pool)) & set(before))
            assert not any(is_running(pid) for pid in before)

    asyncio.run(scenario())
