"""Traces: what is in them, that they keep to the format, and what becomes of files that cannot be written."""

from __future__ import annotations

import json
import os
import signal
import threading

import pytest

import latebind as lb
from latebind.backends.compilations import compiling
from latebind.errors import LatebindError, ProfileError, ProfileFileError


def steps(count: int, x: lb.Array) -> lb.Array:
    for _ in range(count):
        x = x * 2.0 + 1.0
        lb.mark_step()
    return x


def test_a_trace_has_a_span_of_each_phase_with_the_users_lines(container, trace):
    path, read = trace
    with lb.profile(path):
        x = lb.asarray([1.0, 2.0])
        float(lb.sum(steps(12, x)))
    seen = read()
    for category in ("record", "lower", "compile", "execute", "transfer", "wait"):
        assert seen.spans(category), category
    assert all("test_trace.py:" in span["args"]["lines"] for span in seen.spans("execute"))
    (loading,) = seen.spans("transfer", "to device")
    assert loading["args"]["bytes"] == 16 and "test_trace.py:" in loading["args"]["line"]
    (read_back,) = seen.spans("wait", "value")
    assert "test_trace.py:" in read_back["args"]["line"]
    (compiled,) = seen.spans("compile", "compile computation_")
    assert compiled["args"]["reason"] == "new" and "test_trace.py:" in compiled["args"]["lines"]


def test_each_recording_has_an_arrow_to_its_execution_on_the_device(container, trace):
    path, read = trace
    x = lb.ones((4,))
    lb.sync(x)
    with lb.profile(path):
        steps(10, x)
    seen = read()
    assert len(seen.of("s")) == len(seen.of("f")) == 10
    assert {seen.processes[event["pid"]] for event in seen.of("f")} == {"device cpu:0"}
    assert {seen.threads[event["pid"], event["tid"]] for event in seen.of("s")} == {"MainThread"}


def test_calls_of_compiled_functions_are_in_the_trace(container, trace):
    path, read = trace
    double = lb.compile(lambda x: x * 2)
    x = lb.ones((4,))
    for _ in range(10):
        double(x)
    with lb.profile(path):
        for _ in range(5):
            double(x)
    seen = read()
    assert len(seen.spans("record", "call ")) == len(seen.of("f")) == 5


def test_computations_on_the_worker_are_on_its_thread(make_container, trace):
    path, read = trace
    with make_container({"name": "numpy", "interpretations": 0}, execution={"asynchronous": "always"}):
        x = lb.ones((4,))
        with lb.profile(path):
            steps(3, x)
    seen = read()
    names = {seen.threads[span["pid"], span["tid"]] for span in seen.spans("execute") if span["pid"] == 1}
    assert names and all(name.startswith("latebind ") for name in names)
    assert len(seen.of("s")) == 3


def test_a_compilation_in_the_background_is_a_span_of_its_thread_and_a_phase(container, trace):
    path, read = trace

    def compile() -> None:
        with compiling("computation_7", background=True):
            pass

    with lb.profile(path) as seen:
        thread = threading.Thread(target=compile, name="compiler")
        thread.start()
        thread.join()
    (span,) = (written := read()).spans("compile", "compile computation_7")
    assert span["args"] == {"background": True}
    assert written.threads[span["pid"], span["tid"]] == "compiler"
    assert seen.phases["compile in the background"][0] == 1


def test_each_thread_has_a_track_with_its_name(container, trace):
    path, read = trace
    executor = container.slot().get

    def work() -> None:
        with container:
            steps(8, lb.ones((3,)))

    executor()
    with lb.profile(path):
        threads = [threading.Thread(target=work, name=f"trainer {index}") for index in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    seen = read()
    named = {name for (process, _), name in seen.threads.items() if process == 1}
    assert {"trainer 0", "trainer 1"} <= named
    assert len(seen.spans("record")) >= 16


def test_memory_is_a_counter_of_the_device(container, trace):
    path, read = trace
    with lb.profile(path) as seen:
        x = lb.ones((1000,))
        lb.sync(x)
    counters = read().of("C")
    assert max(event["args"]["bytes"] for event in counters) == seen.memory.peak_bytes == 8000
    assert {event["name"] for event in counters} == {"memory"}


def test_direct_execution_is_a_span_with_its_operations(container, trace):
    path, read = trace
    with lb.profile(path) as seen:
        for size in range(1, 400):
            float(lb.sum(lb.ones((size,)) * size))
    ran = sum(span["args"]["operations"] for span in read().spans("direct"))
    assert ran > 0
    assert f"{ran:,} operations ran directly" in seen.report()


def test_eager_execution_is_said_and_its_operations_can_be_timed(make_container):
    with make_container(eager=True):
        for wanted in (False, True):
            with lb.profile(operations=wanted) as seen:
                float(lb.sum(lb.ones((3,)) * 2))
            assert ("eager: operations ran at once" in seen.report()) == (not wanted)
            assert {each.name for each in seen.operations} == ({"full", "multiply", "sum"} if wanted else set())


def test_a_phase_of_direct_execution_that_is_not_over_counts_up_to_the_end_of_the_block(container):
    with lb.profile() as seen:
        for size in range(1, 60):
            float(lb.sum(lb.ones((size,)) * size))
    assert "DirectOps" not in seen.counters
    assert "ran directly, without a graph" in seen.report()


def test_a_block_that_raises_leaves_a_trace(container, trace):
    path, read = trace
    with pytest.raises(ZeroDivisionError), lb.profile(path):
        steps(3, lb.ones((3,)))
        1 / 0  # noqa: B018
    assert len(read().spans("record")) == 3


def test_a_block_that_fails_on_the_device_leaves_a_trace(container, trace):
    path, read = trace
    with pytest.raises(LatebindError), lb.profile(path):
        x = lb.asarray([[1.0, 0.0], [0.0, 0.0]])
        float(lb.sum(lb.linalg.inv(x)))
    assert read().spans("execute")


def test_an_empty_block_leaves_a_trace(container, trace):
    path, read = trace
    with lb.profile(path):
        pass
    assert read().of("X") == []


def test_nested_profiles_each_see_what_happens_inside_them(container, tmp_path, trace):
    path, read = trace
    with lb.profile(path) as outer:
        steps(3, lb.ones((3,)))
        with lb.profile(tmp_path / "inner.json") as inner:
            steps(4, lb.ones((3,)))
        steps(3, lb.ones((3,)))
    assert sum(graph.runs for graph in inner.graphs) == 4
    assert sum(graph.runs for graph in outer.graphs) == 10
    assert len(read().of("s")) == 10
    assert len(json.loads((tmp_path / "inner.json").read_text())["traceEvents"]) > 4


def test_parallel_profiles_end_in_any_order_and_leave_nothing_behind(container):
    first, second = lb.profile(), lb.profile()
    first.__enter__()
    second.__enter__()
    steps(2, lb.ones((3,)))
    first.__exit__(None, None, None)
    steps(2, lb.ones((3,)))
    second.__exit__(None, None, None)
    assert sum(graph.runs for graph in first.graphs) == 2
    assert sum(graph.runs for graph in second.graphs) == 4
    assert container.executor().events.observers == ()


def test_one_profile_may_be_used_again_but_not_inside_itself(container):
    seen = lb.profile()
    for _ in range(2):
        with seen:
            steps(2, lb.ones((3,)))
            with pytest.raises(ProfileError, match="on already"):
                seen.__enter__()
        assert sum(graph.runs for graph in seen.graphs) == 2


def test_beyond_the_limit_spans_are_counted_and_the_rest_is_right(container, trace):
    path, read = trace
    with lb.profile(path, limit=20) as seen:
        steps(30, lb.ones((3,)))
    written = read()
    assert len(written.of("X")) == 20
    assert written.document["otherData"]["dropped_spans"] == str(seen.dropped) != "0"
    assert sum(graph.runs for graph in seen.graphs) == 30


def test_code_without_source_has_its_line_numbers(container, trace):
    path, read = trace
    with lb.profile(path) as seen:
        exec(compile("y = lb.ones((3,)) + 1\nlb.sync(y)\n", "<console>", "exec"), {"lb": lb})
    assert read().spans("execute")[0]["args"]["lines"] == "<console>:1"
    assert {line.line for line in seen.lines} == {"<console>:1", "<console>:2"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning", "ignore:os.fork:RuntimeWarning")
def test_a_child_that_leaves_the_block_leaves_the_trace_to_its_parent(container, trace):
    path, read = trace
    child = 0
    try:
        with lb.profile(path) as seen:
            steps(3, lb.ones((3,)))
            child = os.fork()
            if not child:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(10)  # whatever hangs must not outlive the test
        if not child:
            os._exit(int(seen.written))
    finally:
        if not child:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(read().of("s")) == 3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder, "it is a folder"),
        (lambda folder: folder / "missing" / "out.json", "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_program_runs(container, tmp_path, make, message):
    path = make(tmp_path)
    with pytest.raises(ProfileFileError, match=message) as raised, lb.profile(path):
        pytest.fail("the block ran")
    assert str(path) in str(raised.value)
    assert isinstance(raised.value, OSError)
    assert container.executor().events.observers == ()
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_until_the_trace_is_whole(container, trace):
    path, read = trace
    path.write_text("old")
    with lb.profile(path):
        assert path.read_text() == "old"
        lb.sync(lb.ones((2,)))
    assert read().spans("execute")
    assert [each.name for each in path.parent.iterdir()] == ["out.json"]


def test_a_folder_that_goes_away_is_an_error_that_does_not_hide_the_programs(container, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    with pytest.raises(ProfileFileError, match="cannot be written"), lb.profile(folder / "out.json"):
        _remove(folder)
    folder.mkdir()
    with pytest.raises(ZeroDivisionError) as raised, lb.profile(folder / "out.json"):
        _remove(folder)
        1 / 0  # noqa: B018
    assert "cannot be written" in "".join(raised.value.__notes__)


def _remove(folder) -> None:
    for part in folder.iterdir():
        part.unlink()
    folder.rmdir()
