"""Programs that are loaded, replaced, unloaded and stopped, with requests on their way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from tests.integration.serving.worker_pools import (
    DEADLINE,
    HERE,
    ask,
    is_running,
    pids_of,
    program,
    rows,
    serving,
    until,
)
from tests.integration.serving.worker_programs import DIE, EXIT, RAISE, WAIT

import latebind
from latebind.services.serving.errors import ModelUnavailableError, ProgramFailedError
from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import ModelState

BATCHED = {"max_size": 8, "max_delay_ms": 1}


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """A file for which the program `trouble` waits if a row says so."""
    file = tmp_path / "gate"
    monkeypatch.setenv("GATE", str(file))
    return file


async def failed(**programs):
    """Return the statuses of programs that do not all get ready."""
    pool = ProgramPool(ServeSettings.model_validate({"programs": programs}), HERE)
    await pool.start()
    try:
        assert all(status.state is ModelState.LOADING for status in pool.statuses())
        await asyncio.wait_for(pool.loaded(), DEADLINE)
        with pytest.raises(ModelUnavailableError):
            await ask(pool, next(iter(programs)), 1.0)
        return {status.name: status for status in pool.statuses()}
    finally:
        await pool.close()


def test_what_cannot_be_loaded_says_why_and_does_not_keep_others_from_working():
    missing_weights = program("affine", weights="missing.npz")
    programs = {
        "broken": program("broken"),
        "wrong_dtype": program("wrong_dtype"),
        "wrong_rows": program("wrong_rows", batching=BATCHED),
        "missing": program("nothing"),
        "unweighted": program("affine"),
        "missing_weights": missing_weights,
        "double": program("double"),
    }
    statuses = asyncio.run(failed(**programs))
    assert statuses.pop("double").state is ModelState.READY
    reasons = {name: status.reason for name, status in statuses.items()}
    assert {status.state for status in statuses.values()} == {ModelState.FAILED}
    assert "raised RuntimeError: never works" in reasons["broken"]
    assert "output 'y' has dtype float64, but is declared as FP32" in reasons["wrong_dtype"]
    assert "output 'y' has shape [1, 4], but is declared as [-1, 4], 2 rows" in reasons["wrong_rows"]
    assert "has no function 'nothing'" in reasons["missing"]
    assert "names no file" in reasons["unweighted"]
    assert "no file of weights 'missing.npz'" in reasons["missing_weights"]
    assert not any(str(HERE) in reason for reason in reasons.values())


def test_a_program_that_does_not_get_ready_in_time_fails(monkeypatch):
    statuses = asyncio.run(failed(slow=program("double", startup_timeout=0.01)))
    assert statuses["slow"].reason == "loading and compiling took longer than 0.01 s (startup_timeout)"


def test_programs_without_autoload_wait_for_load():
    async def scenario():
        async with serving(double=program("double", autoload=False)) as pool:
            assert pool.status("double").state is ModelState.UNLOADED
            with pytest.raises(ModelUnavailableError, match="not loaded"):
                await ask(pool, "double", 1.0)
            await pool.load("double")
            np.testing.assert_array_equal((await ask(pool, "double", 3.0)).outputs["y"], rows(6.0))

    asyncio.run(scenario())


def test_loading_again_loses_no_request():
    async def scenario():
        async with serving(double=program("double", batching=BATCHED)) as pool:
            before = pids_of(pool)
            going = True

            async def client(number: int) -> int:
                count = 0
                while going:
                    result = await ask(pool, "double", float(number), float(count))
                    np.testing.assert_array_equal(result.outputs["y"], rows(2.0 * number, 2.0 * count))
                    count += 1
                return count

            clients = [asyncio.create_task(client(number)) for number in range(12)]
            for _ in range(3):
                await pool.load("double")
                count = pool.report()["double"]["requests"]
                await until(lambda before=count: pool.report()["double"]["requests"] > before)
            going = False
            counts = await asyncio.gather(*clients)
            report = pool.report()["double"]
            assert min(counts) > 0 and sum(counts) == report["requests"]
            assert (report["failures"], report["rejected"], report["timeouts"]) == (0, 0, 0)
            assert len(report["workers"]) == 1 and not set(pids_of(pool)) & set(before)
            assert not any(is_running(pid) for pid in before)

    asyncio.run(scenario())


def test_a_program_that_got_broken_keeps_its_old_workers(tmp_path):
    file = tmp_path / "changing.py"
    file.write_text("def run(x):\n    return x * 2.0\n")

    async def scenario():
        declared = program("run") | {"program": "changing.py:run"}
        async with serving(tmp_path, changing=declared) as pool:
            file.write_text("def run(x:\n")
            with pytest.raises(ModelUnavailableError, match="SyntaxError"):
                await pool.load("changing")
            assert pool.status("changing").state is ModelState.READY
            np.testing.assert_array_equal((await ask(pool, "changing", 3.0)).outputs["y"], rows(6.0))
            file.write_text("def run(x):\n    return x * 3.0\n")
            await pool.load("changing")
            np.testing.assert_array_equal((await ask(pool, "changing", 3.0)).outputs["y"], rows(9.0))

    asyncio.run(scenario())


def test_a_worker_that_cannot_be_restarted_makes_the_program_fail_until_it_is_loaded_again(tmp_path):
    file = tmp_path / "changing.py"
    trouble = f"import sys\nsys.path.append({str(HERE)!r})\nfrom worker_programs import trouble as run\n"
    file.write_text(trouble)

    async def scenario():
        declared = program("run") | {"program": "changing.py:run"}
        async with serving(tmp_path, changing=declared) as pool:
            file.write_text("1 / 0\n")
            with pytest.raises(ProgramFailedError):
                await ask(pool, "changing", DIE)
            await until(lambda: pool.status("changing").state is ModelState.FAILED)
            assert "ZeroDivisionError" in pool.status("changing").reason
            with pytest.raises(ModelUnavailableError) as refused:
                await ask(pool, "changing", 1.0)
            assert refused.value.retry_after is not None
            file.write_text(trouble)
            await until(lambda: pool.status("changing").state is ModelState.READY)
            np.testing.assert_array_equal((await ask(pool, "changing", 3.0)).outputs["y"], rows(6.0))

    asyncio.run(scenario())


def test_unload_waits_for_the_requests_that_there_are_and_refuses_new_ones(gate):
    async def scenario():
        async with serving(trouble=program("trouble"), double=program("double")) as pool:
            (pid,) = pids_of(pool, "trouble")
            requests = [asyncio.create_task(ask(pool, "trouble", value)) for value in (WAIT, 1.0)]
            await until(lambda: pool.report()["trouble"]["waiting"] == 1)
            unloading = asyncio.create_task(pool.unload("trouble"))
            await until(lambda: pool.status("trouble").state is ModelState.UNLOADED)
            with pytest.raises(ModelUnavailableError):
                await ask(pool, "trouble", 2.0)
            assert not unloading.done()
            gate.touch()
            results = await asyncio.gather(*requests)
            np.testing.assert_array_equal(results[1].outputs["y"], rows(2.0))
            await unloading
            assert not is_running(pid) and pids_of(pool, "trouble") == []
            assert pool.status("double").state is ModelState.READY
            await pool.load("trouble")
            np.testing.assert_array_equal((await ask(pool, "trouble", 3.0)).outputs["y"], rows(6.0))

    asyncio.run(scenario())


def test_drain_lets_requests_end_and_refuses_new_ones(gate):
    async def scenario():
        async with serving(trouble=program("trouble")) as pool:
            requests = [asyncio.create_task(ask(pool, "trouble", value)) for value in (WAIT, 1.0)]
            await until(lambda: pool.report()["trouble"]["waiting"] == 1)
            draining = asyncio.create_task(pool.drain(DEADLINE))
            await asyncio.sleep(0)
            with pytest.raises(ModelUnavailableError, match="stops"):
                await ask(pool, "trouble", 1.0)
            gate.touch()
            await draining
            assert all(request.done() for request in requests)
            np.testing.assert_array_equal(requests[1].result().outputs["y"], rows(2.0))

    asyncio.run(scenario())


def test_close_ends_requests_that_drain_gave_up_on(gate):
    async def scenario():
        async with serving(trouble=program("trouble")) as pool:
            requests = [asyncio.create_task(ask(pool, "trouble", value)) for value in (WAIT, 1.0)]
            await until(lambda: pool.report()["trouble"]["waiting"] == 1)
            await pool.drain(0.0)
            await pool.close()
            for request in requests:
                with pytest.raises(ModelUnavailableError, match="the server stops"):
                    await request

    asyncio.run(scenario())


def test_close_while_programs_are_loading_leaves_no_process():
    async def scenario():
        pool = ProgramPool(ServeSettings.model_validate({"programs": {"double": program("double", workers=2)}}), HERE)
        await pool.start()
        pids = pids_of(pool)
        await pool.close()
        assert len(pids) == 2 and not any(is_running(pid) for pid in pids)

    asyncio.run(scenario())


SERVER = """
import asyncio, json, os, sys
from pathlib import Path
from random import Random
from latebind.services.serving.pool import ProgramPool
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import InferRequest
import numpy as np

async def main():
    pool = ProgramPool(ServeSettings.model_validate(json.loads(sys.argv[1])), Path(sys.argv[2]))
    await pool.start()
    await pool.loaded()
    x = np.full((1, 4), 1004, np.float32)
    hanging = [name for name in pool.report() if name != "idle"]
    requests = [asyncio.create_task(pool.infer(name, None, InferRequest({"x": x}))) for name in hanging]
    while not all(pool.report()[name]["running"] for name in hanging):
        await asyncio.sleep(0.01)
    print(json.dumps([worker["pid"] for each in pool.report().values() for worker in each["workers"]]), flush=True)
    await asyncio.wait(requests)

asyncio.run(main())
"""


def test_workers_leave_when_the_server_is_killed_even_those_that_hang():
    programs = {"hangs": program("trouble"), "idle": program("double")}
    if sys.platform.startswith("linux"):
        programs["backtracks"] = program("backtracks")
    settings = json.dumps({"programs": programs})
    environ = {**os.environ, "PYTHONPATH": str(Path(latebind.__file__).parents[1])}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, settings, str(HERE)], stdout=subprocess.PIPE, text=True, env=environ
    )
    pids = []
    try:
        assert server.stdout is not None
        pids = json.loads(server.stdout.readline())
        assert len(pids) == len(programs) and all(map(is_running, pids))
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
    try:
        asyncio.run(until(lambda: not any(map(is_running, pids))))
    finally:
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGKILL)


def test_ctrl_c_does_not_reach_workers():
    async def scenario():
        async with serving(double=program("double")) as pool:
            (pid,) = pids_of(pool)
            os.kill(pid, signal.SIGINT)
            np.testing.assert_array_equal((await ask(pool, "double", 3.0)).outputs["y"], rows(6.0))
            assert pids_of(pool) == [pid]

    asyncio.run(scenario())


def test_what_a_program_prints_goes_to_standard_error(capfd):
    async def scenario():
        async with serving(prints=program("prints")) as pool:
            await ask(pool, "prints", 3.0)

    asyncio.run(scenario())
    out, err = capfd.readouterr()
    assert "from the program" in err and out == ""


def test_the_servers_own_variables_do_not_reach_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("LATEBIND_SERVE__TOKEN", "secret")
    (tmp_path / "looks.py").write_text(
        "import os\nassert not [name for name in os.environ if name.startswith('LATEBIND_SERVE__')]\n"
        "def run(x):\n    return x\n"
    )

    async def scenario():
        async with serving(tmp_path, looks=program("run") | {"program": "looks.py:run"}) as pool:
            np.testing.assert_array_equal((await ask(pool, "looks", 3.0)).outputs["y"], rows(3.0))

    asyncio.run(scenario())


def test_mixed_traffic_gets_no_wrong_answer_and_loses_no_request():
    trouble = program("trouble", batching=BATCHED, workers=2)
    double = program("double", batching=BATCHED)

    async def scenario():
        async with serving(trouble=trouble, double=double) as pool:
            outcomes: Counter[tuple[str, str]] = Counter()

            async def client(number: int) -> None:
                random = Random(number)
                for _ in range(40):
                    name = random.choice(["trouble", "double"])
                    x = rows(*(float(random.randrange(900)) for _ in range(random.randrange(1, 5))))
                    bad = name == "trouble" and random.random() < 0.05
                    if bad:
                        x[random.randrange(len(x)), 0] = random.choice([RAISE, EXIT, DIE])
                    request = asyncio.create_task(ask(pool, name, x=x))
                    if random.random() < 0.1:
                        await asyncio.sleep(0)
                        request.cancel()
                    await asyncio.wait([request])
                    if request.cancelled():
                        outcomes[name, "cancelled"] += 1
                    elif bad:
                        assert isinstance(request.exception(), ProgramFailedError)
                        outcomes[name, "failed"] += 1
                    else:
                        np.testing.assert_array_equal(request.result().outputs["y"], 2 * x)
                        outcomes[name, "right"] += 1

            async def reload() -> None:
                for name in ("double", "trouble"):
                    await pool.load(name)

            await asyncio.gather(reload(), *(client(number) for number in range(16)))
            assert sum(outcomes.values()) == 16 * 40
            report = pool.report()
            assert report["trouble"]["failures"] == outcomes["trouble", "failed"] > 0
            assert report["double"]["failures"] == 0
            assert all((each["waiting"], each["timeouts"], each["rejected"]) == (0, 0, 0) for each in report.values())

    asyncio.run(scenario())
