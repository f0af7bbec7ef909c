"""Drawings: boxes and edges, folded by the user's code, laid out without overlaps, as SVG and DOT."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines import need

import latebind as lb
from latebind.inspection.layout import lay_out
from latebind.inspection.svg import widths
from latebind.ir.node import post_order
from latebind.testing.delegating import DelegatingBackend

SVG = "{http://www.w3.org/2000/svg}"


def scaled(x: lb.Array) -> lb.Array:
    return lb.sin(x) * 0.5


def steps(count: int) -> lb.Array:
    x = lb.asarray([1.0, 2.0])
    for _ in range(count):
        x = scaled(x)
        x = x + 1.0
    return x


def test_boxes_are_the_nodes_of_the_text():
    graph = lb.graph(steps(2))
    text, drawing = graph.text(), graph.drawing()
    for box in drawing.boxes:
        assert f"{box.name} = " in text or f"{box.name}: " in text
    assert sum(bool(box.results) for box in drawing.boxes) == 1
    assert all(source < target for source, target in drawing.edges)


@pytest.mark.parametrize("fold", ["line", "function"])
def test_operations_of_a_line_or_a_function_are_one_box(fold):
    drawing = lb.graph(steps(5)).drawing(fold=fold)
    lines = [f"test_drawing.py:{code.co_firstlineno + at}" for code, at in ((scaled.__code__, 1), (steps.__code__, 4))]
    labels = lines if fold == "line" else ["scaled (test_drawing.py)", "steps (test_drawing.py)"]
    assert [box.label for box in drawing.boxes] == ["%arg0", *labels]
    folded = drawing.boxes[1]
    assert folded.types == "10 operations"
    assert folded.attributes == ("5 x sin", "5 x multiply")
    assert set(drawing.edges) == {(0, 1), (1, 2), (2, 1)}


def test_many_inputs_are_one_box_when_folded():
    arrays = [lb.asarray([float(number)]) for number in range(30)]
    drawing = lb.graph(lb.concat(arrays)).drawing(fold="line")
    assert [box.label for box in drawing.boxes] == ["30 inputs", drawing.boxes[1].label]


@given(st.data())
def test_boxes_of_a_layer_do_not_overlap_and_edges_lead_down(data):
    count = data.draw(st.integers(1, 40))
    sizes = data.draw(st.lists(st.floats(20, 200), min_size=count, max_size=count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    edges = data.draw(st.lists(pairs, unique=True, max_size=80)) if count > 1 else []
    layout = lay_out(sizes, edges)
    rows = defaultdict(list)
    for node, layer in enumerate(layout.layer):
        rows[layer].append((layout.x[node] - sizes[node] / 2, layout.x[node] + sizes[node] / 2))
    for row in rows.values():
        row.sort()
        assert all(right <= left + 1e-6 for (_, right), (left, _) in pairwise(row))
        assert row[0][0] >= 0
        assert row[-1][1] <= layout.width
    assert all(layout.layer[source] < layout.layer[target] for source, target in edges)
    for edge, bends in layout.bends.items():
        source, target = edges[edge]
        assert len(bends) == layout.layer[target] - layout.layer[source] - 1


def test_an_svg_has_every_box_and_is_well_formed_whatever_the_source_says():
    scope: dict[str, object] = {"lb": lb}
    exec(compile("y = lb.sin(lb.ones((2,)))", '<a & "b">.py', "exec"), scope)
    graph = lb.graph(scope["y"])
    root = ET.fromstring(graph.svg())
    groups = root.findall(f"{SVG}g")
    assert len(groups) == len(graph.drawing().boxes)
    assert any('<a & "b">.py:1' in (group.findtext(f"{SVG}title") or "") for group in groups)
    # Nothing is loaded.
    assert "href" not in graph.svg()


def test_dot_has_the_types_and_the_lines():
    dot = lb.graph(steps(1)).dot()
    assert dot.startswith("digraph")
    assert "tensor<2xf64>" in dot
    assert "test_drawing.py" in dot


def test_a_graph_of_ten_thousand_boxes_is_laid_out_and_drawn(make_container):
    with make_container(recording={"limit": 20_000, "direct": False}):
        rng = np.random.default_rng(0)
        arrays = [lb.asarray([float(number)]) for number in range(8)]
        for one, other, add in rng.integers(0, [8, 8, 2], (15_000, 3)):
            arrays[one] = arrays[one] + arrays[other] if add else lb.sin(arrays[other])
        graph = lb.graph(*arrays)
        drawing = graph.drawing()
        assert graph.operations > 5_000
        assert len(drawing.boxes) >= graph.operations
        layout = lay_out(widths(drawing), drawing.edges)
        assert max(layout.layer) < len(drawing.boxes)
        # Bends are bounded, however many layers edges pass.
        assert sum(map(len, layout.bends.values())) <= len(drawing.boxes) + 2000


@pytest.mark.parametrize("backend", ["xla", "tiered", "shadow"])
def test_what_xla_fuses_is_known_of_each_node_also_through_backends_that_hold_others(make_container, backend):
    need("jax")
    with make_container(backend):
        x, y = lb.asarray(np.ones((64, 64))), lb.asarray(np.ones((64, 64)))
        boxes = lb.graph((x * y - x) @ y).drawing("final", fused=True).boxes
        fusion = {box.label: box.fusion for box in boxes}
        assert fusion["multiply"] == fusion["subtract"] != ""
        assert fusion["dot_general"] != fusion["multiply"]


def test_an_engine_that_does_not_tell_has_no_fusions():
    boxes = lb.graph(steps(2)).drawing("final", fused=True).boxes
    assert {box.fusion for box in boxes} == {""}


def test_fusions_are_asked_through_backends_that_wrap_another(make_container):
    need("jax")
    with make_container("xla") as container:
        graph = lb.graph(lb.sin(lb.ones((8, 8))) * 2.0)
        nodes = graph.graph_after("final")
        backend = container.executor().backend
        wrapped = DelegatingBackend(backend)
        inputs = [node.value() for node in nodes.parameters]
        order = post_order(nodes.results)
        device = backend.backend_device()
        asked = wrapped.fusions(device, inputs, order, nodes.results)
        assert asked == backend.fusions(device, inputs, order, nodes.results)
        assert asked
