"""A program in its worker, without the process: its container, and that nothing is compiled after it is warm."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engines import need

import latebind as lb
from latebind.runtime.current import current_executor
from latebind.services.serving.errors import ProgramLoadError, ResultMismatchError
from latebind.services.serving.program import shapes_are_known
from latebind.services.serving.runner import ProgramRunner, worker_settings
from latebind.services.serving.settings import ProgramSettings

SOURCE = """\
import latebind as lb

def row_sums(x):
    return lb.sum(lb.exp(x), axis=1)

def halve(x):
    steps = 0
    while float(lb.max(x)) > 1:
        x = x / 2
        steps += 1
    return x

def pairs(x):
    return lb.reshape(x, (-1, 2, x.shape[1]))[:, 0, :] if x.shape[1] > 1 else 1 / 0

def wrong(x):
    return lb.astype(x, lb.float64)
"""


@pytest.fixture
def run(tmp_path):
    """Make a runner of a function in `SOURCE`."""
    (tmp_path / "source.py").write_text(SOURCE)
    made = []

    def make(function, x=(-1, 3), y=(-1, 3), backend="numpy", **keys):
        declared = {
            "program": f"source.py:{function}",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": list(x)}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": list(y)}],
            "settings": {"backend": backend},
        }
        made.append(ProgramRunner("test", ProgramSettings.model_validate(declared | keys), tmp_path))
        return made[-1]

    yield make
    for each in reversed(made):
        each.close()


@pytest.mark.parametrize("backend", ["numpy", "xla", "tiered"])
@pytest.mark.parametrize("function", ["row_sums", "halve"])
def test_no_bucket_is_compiled_after_the_warm_up(run, backend, function):
    need("jax") if backend != "numpy" else None
    runner = run(function, y=(-1,) if function == "row_sums" else (-1, 3), backend=backend, batching={"max_size": 4})
    runner.warm_up()
    before = runner.compilations()
    for rows in (1, 2, 4) * 5:
        x = np.full((rows, 3), 0.5, np.float32)
        wanted = np.exp(x).sum(axis=1) if function == "row_sums" else x
        (result,) = runner.run([x.copy()], rows)
        np.testing.assert_allclose(result, wanted, rtol=1e-6)
    assert runner.compilations() == before > 0
    assert len(runner.graphs()) >= 3


def test_a_program_that_reads_values_is_recorded_at_every_request(run, caplog):
    runner = run("halve")
    runner.warm_up()
    (result,) = runner.run([np.full((1, 3), 12, np.float32)])
    np.testing.assert_array_equal(result, np.full((1, 3), 0.75, np.float32))
    assert "cannot be compiled as a whole" in caplog.text


def test_a_program_with_free_extents_that_refuses_one_is_taken_as_it_is(run, caplog):
    runner = run("pairs", x=(-1, -1), y=(-1, -1), batching={"max_size": 1})
    runner.warm_up()
    assert "ZeroDivisionError" in caplog.text
    (result,) = runner.run([np.ones((4, 5), np.float32)])
    assert result.shape == (2, 5)


@pytest.mark.parametrize(
    ("x", "y", "size", "known"),
    [
        ((-1, 3), (-1,), 4, True),
        ((-1, 3), (-1,), 1, False),
        ((-1, -1), (-1,), 4, False),
        ((2, 3), (2,), 1, True),
        ((2, 3), (-1,), 4, True),
    ],
)
def test_shapes_are_known_where_only_the_batch_is_free(x, y, size, known):
    tensor = {"name": "t", "datatype": "FP32"}
    declared = {"program": "m:f", "inputs": [{**tensor, "shape": x}], "outputs": [{**tensor, "shape": y}]}
    declared["batching"] = {"max_size": size}
    assert shapes_are_known(ProgramSettings.model_validate(declared)) is known


def test_a_program_that_returns_something_else_is_refused_also_where_extents_are_free(run):
    with pytest.raises(ProgramLoadError, match="'y' has dtype float64"):
        run("wrong", x=(-1, -1), y=(-1, -1)).warm_up()
    with pytest.raises(ResultMismatchError):
        run("wrong").run([np.ones((1, 3), np.float32)])


def test_two_programs_in_one_process_have_containers_of_their_own(run):
    before = current_executor()
    one, two = run("row_sums", y=(-1,)), run("row_sums", y=(-1,))
    assert one.container is not two.container
    two.close()
    one.close()
    assert current_executor() is before
    assert float(lb.ones(2)[0]) == 1.0


def test_tiers_are_decided_before_the_first_request_unless_the_settings_say_otherwise():
    need("jax")
    backend = worker_settings({"backend": "tiered"}).backend
    assert (backend.compile_after, backend.synchronous) == (0, True)
    backend = worker_settings({"backend": {"name": "tiered", "compile_after": 2, "margin": 0.5}}).backend
    assert (backend.compile_after, backend.synchronous, backend.margin) == (2, True, 0.5)
    backend = worker_settings({"backend": "tiered"}, shapes_are_known=False).backend
    assert (backend.compile_after, backend.synchronous) == (1, False)


def test_computations_run_on_the_workers_only_thread_unless_the_settings_say_otherwise():
    assert worker_settings({"backend": "numpy"}).execution.asynchronous == "never"
    assert worker_settings({"execution": {"asynchronous": "auto"}}).execution.asynchronous == "auto"


def test_workers_write_no_progress_between_the_lines_of_the_log():
    assert not worker_settings({"backend": "numpy"}).tracing.progress
    assert worker_settings({"tracing": {"progress": True}}).tracing.progress


def test_figures_count_what_falls_back(run):
    runner = run("row_sums", y=(-1,))
    runner.container.metrics().count("Fallback::linalg::qr", 3)
    figures = runner.figures()
    assert figures["fallbacks"] == {"linalg::qr": 3}
    assert figures["device_bytes"] is None
