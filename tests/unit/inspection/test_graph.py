"""`latebind.graph`: what is recorded for arrays, after each pass, in each backend's language; nothing is run for it."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest
from tests.engines import need

import latebind as lb
from latebind.errors import ContainerMismatchError, SettingsError


def layer(x: lb.Array, w: lb.Array) -> lb.Array:
    return lb.tanh(x @ w + 1.0)


def small() -> tuple[lb.Array, lb.Array]:
    x, w = lb.asarray(np.ones((4, 8))), lb.asarray(np.ones((8, 3)))
    y = layer(x, w)
    return y, lb.mean(y, axis=0)


def names(text: str) -> list[str]:
    return re.findall(r" = (\w+\.\w+)", text)


def test_looking_at_a_graph_computes_nothing(runs):
    y, mean = small()
    graph = lb.graph(y, mean)
    for text in (graph.text("all"), graph.backend_text(), graph.svg(), graph.dot(), graph.html(), repr(graph)):
        assert text
    assert runs == []
    assert "2 arrays, not computed yet" in graph.about
    assert float(mean[0]) == pytest.approx(np.tanh(9.0))


def test_the_recording_is_shown_as_it_was_called_with_types_and_lines():
    _, mean = small()
    text = lb.graph(mean).text()
    assert names(text) == ["array.matmul", "stablehlo.constant", "array.add", "array.tanh", "array.mean"]
    assert "(tensor<4x8xf64>, tensor<8x3xf64>) -> tensor<4x3xf64>" in text
    line = layer.__code__.co_firstlineno + 1
    assert re.search(rf'array\.tanh .*loc\(".*test_graph\.py":{line}\)', text)


def test_what_no_result_needs_is_left_out():
    x = lb.ones((3,))
    wanted, other = lb.sin(x), lb.cos(x)
    assert "cos" not in lb.graph(wanted).text()
    assert other is not None


def test_passes_expand_merge_and_decompose():
    x = lb.asarray([1.0, 2.0])
    graph = lb.graph((x + 1.0) * (x + 1.0))
    expanded, simplified = names(graph.text("expanded")), names(graph.text("simplified"))
    assert expanded.count("stablehlo.add") == 2
    assert simplified.count("stablehlo.add") == 1
    assert graph.stages == ("recorded", "expanded", "simplified", "decomposed", "final")
    assert all(f"// {stage}: " in graph.text("all") for stage in graph.stages)


@pytest.mark.parametrize("backend", ["numpy", "xla"])
def test_the_final_stage_and_the_backends_text_are_those_of_the_compilation_that_follows(make_container, backend):
    need({"xla": "jax"}.get(backend, backend))
    container = make_container(backend, tracing={"show": ["ir", "text"]}, recording={"direct": False})
    with container:
        y, mean = small()
        graph = lb.graph(y, mean)
        final, text = graph.text("final"), graph.backend_text()
        y._ground.executor.sync([y, mean])
        compiled = {each.form: each.text for each in container.executor().tracer.graphs}

    def bare(text: str) -> list[str]:
        lines = (re.sub(r"@?(computation_\d+|graph)\b", "NAME", line) for line in text.splitlines())
        return [line for line in lines if not line.startswith("// ")]

    assert bare(final) == bare(compiled["ir"])
    # XLA's own text goes on with what its compiler made.
    assert bare(text)[: len(bare(compiled["text"]))] == bare(compiled["text"])


def test_two_backends_side_by_side():
    need("jax")
    y, _ = small()
    compared = lb.graph(y).compare("numpy", "xla", "backend", width=120)
    assert compared.splitlines()[0].split() == ["numpy", "xla"]
    assert re.search(r"matmul\(.*\| .*", compared)
    assert "stablehlo.dot_general" in compared
    assert max(map(len, compared.splitlines())) <= 120
    same = lb.graph(y).compare("numpy", "xla", "recorded")
    operations = [line for line in same.splitlines() if "array." in line]
    assert len(operations) == 3
    assert {line[78:81] for line in operations} == {"   "}


def test_arrays_that_are_computed_are_inputs_and_said_to_be():
    x = lb.asarray([1.0, 2.0])
    done = x * 2.0
    lb.sync(done)
    graph = lb.graph(done, done + 1.0)
    assert "computed already, and an input here: result 0" in graph.text()
    assert "multiply" not in graph.text()
    assert "1 of them not computed yet" in graph.about
    assert "nothing to compile" in lb.graph(done).backend_text()
    assert "computed already" in lb.graph(done).about


def test_a_graph_stays_as_it_was_when_its_arrays_are_computed_or_written_to():
    x = lb.asarray([1.0, 2.0])
    y = x * 2.0
    graph = lb.graph(y)
    before = graph.text("all")
    y[0] = 7.0
    lb.sync(y)
    assert lb.graph(y).text() != graph.text()
    assert graph.text("all") == before


def test_a_view_of_an_array_that_was_written_to_is_taken_again():
    x = lb.asarray([1.0, 2.0, 3.0])
    view = x[1:]
    x[1] = 5.0
    text = lb.graph(view).text()
    assert "__setitem__" in text
    assert text.rindex("return") > text.index("__setitem__")
    assert np.asarray(view).tolist() == [5.0, 3.0]


def test_an_array_that_another_thread_records_can_be_looked_at(runs):
    made: list[lb.Array] = []
    recorded, looked = threading.Event(), threading.Event()

    def record(container: object) -> None:
        with container:  # type: ignore[attr-defined]
            made.append(lb.sin(lb.asarray([1.0, 2.0])))
            recorded.set()
            looked.wait(30)

    thread = threading.Thread(target=record, args=[lb.default_container()], daemon=True)
    thread.start()
    assert recorded.wait(30)
    try:
        assert "array.sin" in lb.graph(made[0]).text()
        assert runs == []
    finally:
        looked.set()
        thread.join(30)


def test_code_without_a_source_file_is_named_as_python_names_it():
    scope: dict[str, object] = {"lb": lb}
    exec(compile("def f(x):\n    return lb.sin(x)\ny = f(lb.ones((2,)))\n", "<console>", "exec"), scope)
    graph = lb.graph(scope["y"])
    assert 'array.sin %1 : tensor<2xf64> loc("<console>":2)' in graph.text()
    box = next(box for box in graph.drawing().boxes if box.label == "sin")
    assert (box.function, box.code) == ("f", "")


def test_without_source_lines_none_are_shown(make_container):
    with make_container(recording={"source_lines": False}):
        graph = lb.graph(lb.sin(lb.ones((2,))))
        assert "loc(" not in graph.text("all")
        assert {box.line for box in graph.drawing().boxes} == {""}


def test_an_array_inside_compile_is_looked_at_as_it_is_recorded():
    seen: list[str] = []

    @lb.compile
    def f(x: lb.Array) -> lb.Array:
        y = lb.sin(x) * 2.0
        seen.append(lb.graph(y).text())
        return y

    assert float(f(lb.asarray(0.0))) == 0.0
    assert names(seen[0]) == ["array.sin", "stablehlo.constant", "array.multiply"]


def test_files_are_written_by_the_end_of_their_names(tmp_path):
    graph = lb.graph(lb.sin(lb.ones((2,))))
    beginnings = {"g.html": "<!doctype html>", "g.svg": "<svg", "g.dot": "digraph", "g.txt": "// recorded"}
    for name, beginning in beginnings.items():
        assert graph.save(tmp_path / name).read_text().startswith(beginning)


def test_what_cannot_be_done_is_said(tmp_path, make_container):
    graph = lb.graph(lb.sin(lb.ones((2,))))
    with pytest.raises(ValueError, match=r"\.html, \.svg, \.dot, \.txt, by the end of the file's name: g\.pdf"):
        graph.save("g.pdf")
    with pytest.raises(OSError, match="missing"):
        graph.save(tmp_path / "missing" / "g.svg")
    with pytest.raises(ValueError, match="no stage 'optimised': known are recorded, expanded"):
        graph.text("optimised")
    with pytest.raises(SettingsError, match="cuda13"):
        graph.backend_text("cuda13")
    with pytest.raises(TypeError, match="got int"):
        lb.graph(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="got nothing"):
        lb.graph()
    with make_container():
        other = lb.ones((2,))
    with pytest.raises(ContainerMismatchError, match="ask for a graph of each"):
        lb.graph(other, lb.ones((2,)))


def test_visualize_outside_a_notebook_writes_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = lb.visualize(lb.sin(lb.ones((2,))))
    assert path.parent == tmp_path
    assert path.read_text().startswith("<!doctype html>")
    assert lb.visualize(lb.ones((2,)), path=tmp_path / "g.svg") == tmp_path / "g.svg"


def test_visualize_in_a_notebook_is_a_frame_that_sees_nothing_of_it(monkeypatch, runs):
    monkeypatch.setattr("latebind.inspection.notebook.in_notebook", lambda: True)
    shown = lb.visualize(lb.sin(lb.ones((2,))))._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts"' in shown
    assert runs == []
