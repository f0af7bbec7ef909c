"""Tables: what graphs and lines cost, and which operations, where the engine can tell."""

from __future__ import annotations

import threading

import pytest
from tests.engines import need

import latebind as lb


def test_a_graph_is_one_row_however_it_ran(container):
    x = lb.ones((8,))
    lb.sync(x)
    with lb.profile() as seen:
        for _ in range(10):
            x = x * 2.0
            lb.mark_step()
    (graph,) = seen.graphs
    assert (graph.operations, graph.runs) == (1, 10)
    assert 0 < graph.interpreted < 10
    assert (graph.compilations, graph.reasons) == (1, ("new",))
    assert graph.name.startswith("computation_")
    (line,) = (line.line for line in seen.lines if line.text == "x = x * 2.0")
    assert graph.where == line
    assert 0 < graph.seconds <= seen.seconds


def test_each_reason_to_compile_again_is_listed(container):
    x = lb.ones((8,))
    lb.sync(x)
    with lb.profile() as seen:
        for rate in (1.0,) * 8 + (2.0,):
            lb.sync(x * rate)
    assert seen.graphs[0].reasons == ("new", "scalars")


def test_the_time_of_a_graph_is_shared_out_by_what_its_operations_move(container):
    large, small = lb.ones((1000,)), lb.ones((10,))
    lb.sync(large, small)
    with lb.profile() as seen:
        a = large + 1
        b = small + 1
        lb.mark_step()
    assert (a.size, b.size) == (1000, 10)
    by_text = {line.text: line for line in seen.lines}
    first, second = by_text["a = large + 1"], by_text["b = small + 1"]
    assert first.seconds == pytest.approx(100 * second.seconds, rel=0.1)
    assert (first.operations, second.operations) == (1, 1)


def test_a_product_of_matrices_counts_for_its_arithmetic(container):
    a = lb.ones((400, 400))
    lb.sync(a)
    with lb.profile() as seen:
        b = a @ a
        c = a + a
        lb.mark_step()
    assert b.shape == c.shape
    by_text = {line.text: line for line in seen.lines}
    assert by_text["b = a @ a"].seconds > 3 * by_text["c = a + a"].seconds


def test_views_count_for_nothing_and_functions_for_their_arithmetic(container):
    a = lb.ones((40, 40))
    lb.sync(a)
    with lb.profile() as seen:
        b = lb.permute_dims(a, (1, 0))
        c = lb.negative(a)
        d = lb.exp(a)
        lb.mark_step()
    assert b.shape == c.shape == d.shape
    by_text = {line.text: line.seconds for line in seen.lines}
    assert by_text["b = lb.permute_dims(a, (1, 0))"] == 0
    assert by_text["d = lb.exp(a)"] > 2 * by_text["c = lb.negative(a)"] > 0


def test_waits_are_counted_at_the_line_that_waits(container):
    with lb.profile() as seen:
        x = lb.ones((8,))
        for _ in range(3):
            float(lb.sum(x))
    reads = {line.text: line.waits for line in seen.lines if line.waits}
    assert reads == {"float(lb.sum(x))": 3}


def test_phases_and_counters_are_those_of_the_block(container):
    lb.sync(lb.ones((8,)))
    with lb.profile() as seen:
        lb.sync(lb.ones((8,)) + 1)
    assert seen.counters["Recordings"] == 1
    assert seen.phases["execute"][0] == 1
    assert seen.phases["compile"] == (0, 0.0)


def test_threads_are_added_up(container):
    container.slot().get()

    def work() -> None:
        with container:
            for _ in range(50):
                lb.sync(lb.ones((3,)) * 2)

    with lb.profile() as seen:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (graph,) = seen.graphs
    assert graph.runs == 200


def test_operations_are_timed_one_by_one_on_numpy(container):
    x = lb.ones((50, 50))
    lb.sync(x)
    with lb.profile(operations=True) as seen:
        for _ in range(20):
            y = lb.sin(x @ x) + 1
            lb.mark_step()
    assert y.shape == (50, 50)
    rows = {operation.name: operation for operation in seen.operations}
    assert set(rows) == {"matmul", "sin", "add"}
    assert all(operation.runs == 20 for operation in seen.operations)
    assert len({operation.line for operation in seen.operations}) == 1
    assert 0 < sum(operation.seconds for operation in seen.operations) <= seen.phases["execute"][1]
    assert seen.graphs[0].interpreted == 20
    measured = {line.text: line.seconds for line in seen.lines}
    assert measured["y = lb.sin(x @ x) + 1"] == pytest.approx(sum(each.seconds for each in seen.operations))


def test_timing_operations_changes_no_value_and_leaves_the_executor_as_it_was(container):
    executor = container.executor()
    runner = executor.runner

    def run() -> list[float]:
        x = lb.linspace(0, 1, 3000)
        for _ in range(12):
            x += lb.sin(x) * 0.5
            x[3] = 7
            lb.mark_step()
        return x.tolist()

    plain = run()
    with lb.profile(operations=True), lb.profile(operations=True):
        assert run() == plain
        assert executor.runner is not runner
    assert executor.runner is runner
    assert executor.phases.possible
    assert run() == plain


def test_a_program_that_runs_directly_is_timed_too(container):
    with lb.profile(operations=True) as seen:
        for size in range(1, 300):
            float(lb.sum(lb.ones((size,)) * size))
    assert sum(operation.runs for operation in seen.operations if operation.name == "multiply") == 299
    assert "ran directly" not in seen.report()


def test_an_error_of_a_timed_operation_is_the_programs_own(container):
    with lb.profile(operations=True), pytest.raises(Exception, match=r"test_costs\.py:\d+: inv"):
        float(lb.sum(lb.linalg.inv(lb.zeros((2, 2)))))


def test_calls_of_compiled_functions_are_timed_by_operation(container):
    double = lb.compile(lambda x: lb.exp(x) * 2)
    x = lb.ones((8,))
    for _ in range(10):
        double(x)
    with lb.profile(operations=True) as seen:
        for _ in range(5):
            double(x)
    assert {operation.name: operation.runs for operation in seen.operations} == {"exp": 5, "multiply": 5}


def test_xla_gives_figures_per_graph_and_says_that_it_cannot_tell_operations_apart(make_container):
    need("jax")
    with make_container("xla"):
        x = lb.ones((16, 16))
        lb.sync(x)
        with lb.profile(operations=True) as seen:
            y = x @ x
            lb.sync(y)
    (graph,) = seen.graphs
    assert graph.figures["flops"] >= 2 * 16**3
    assert "cannot tell what an operation costs" in seen.report()
    assert "flops" in seen.report()
    assert seen.operations == []


def test_runs_of_an_asynchronous_engine_are_waited_for_unless_told_otherwise(make_container):
    need("jax")
    with make_container("xla"):
        x = lb.ones((16, 16))
        with lb.profile() as waited:
            lb.sync(x @ x)
        with lb.profile(wait=False) as started:
            lb.sync(x @ x)
    assert "wait for the engine" in waited.phases and "wait for the engine" not in started.phases
    assert "each run was waited for" in waited.report()
    assert "times are those of starting a run" in started.report()


def test_the_report_names_what_it_leaves_out(make_container):
    with make_container(recording={"direct": False}), lb.profile() as seen:
        for size in range(1, 21):
            lb.sync(lb.ones((size,)) + 1)
    assert "... and 8 more" in seen.report()
    assert len(seen.graphs) == 20
    assert len(seen.to_json()["graphs"]) == 20


def test_lines_can_be_switched_off(make_container):
    with make_container(recording={"source_lines": False}), lb.profile() as seen:
        lb.sync(lb.ones((3,)) + 1)
    assert {line.line for line in seen.lines} == {""}
    assert seen.graphs[0].where == ""
