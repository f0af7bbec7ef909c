"""Prometheus's text of a container's metrics, read back by Prometheus's own parser."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

import latebind as lb
from latebind.runtime.exposition import Family, exposition
from latebind.runtime.metrics import DESCRIPTIONS, Metrics

APP = Path(lb.__file__).parent
LINE = re.compile(
    r"# (HELP|TYPE) latebind_[a-z0-9_]+ .+|"
    r"latebind_[a-z0-9_]+(\{[a-z_]+=\"(\\.|[^\"\\])*\"(,[a-z_]+=\"(\\.|[^\"\\])*\")*\})? \S+"
)


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sorted(f"{name}={value}" for name, value in sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_a_program_did_is_in_the_text():
    container = lb.build_container(backend="numpy")
    with container:
        x = lb.ones((3,))
        for _ in range(10):
            x = x * 2
            lb.mark_step()
        found = samples(lb.metrics().to_prometheus(container="train"))
        executed = lb.metrics().timers()["ExecuteTime"]
    container.close()
    label = "container=train"
    assert found["latebind_steps_total", label] == 10
    assert found["latebind_compilations_total", label] == 1
    assert found["latebind_execute_seconds_count", label] == executed[0]
    assert found["latebind_execute_seconds_sum", label] == executed[1]


def test_counters_of_one_family_differ_in_a_label_and_are_announced_once():
    metrics = Metrics()
    metrics.count("Fallback::sort", 2)
    metrics.count("Fallback::linalg::svd")
    metrics.count("NumpyFallback::interp")
    text = metrics.to_prometheus()
    assert samples(text) == {
        ("latebind_fallbacks_total", "operation=sort"): 2,
        ("latebind_fallbacks_total", "operation=linalg::svd"): 1,
        ("latebind_numpy_fallbacks_total", "function=interp"): 1,
    }
    assert text.count("# TYPE latebind_fallbacks_total counter\n") == 1


def test_every_line_keeps_to_the_format_and_every_family_says_what_it_means():
    metrics = Metrics()
    for name in DESCRIPTIONS:
        if name.endswith("Time"):
            metrics.add_time(name, 0.25)
        else:
            metrics.count(f"{name}x" if name.endswith("::") else name)
    text = metrics.to_prometheus(container='a "b" \\ c\nd')
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if LINE.fullmatch(line) is None] == []
    families = list(text_string_to_metric_families(text))
    assert len(families) == len(DESCRIPTIONS)
    assert all(family.documentation.endswith(".") and " " in family.documentation for family in families)
    assert {sample.labels["container"] for family in families for sample in family.samples} == {'a "b" \\ c\nd'}


def test_metrics_of_nothing_are_an_empty_text():
    assert Metrics().to_prometheus() == ""


@pytest.mark.parametrize("name", ["with space", "1st", "__reserved", "é", ""])
def test_a_label_that_prometheus_does_not_take_is_refused(name):
    with pytest.raises(ValueError, match="is no name for a label"):
        Metrics().to_prometheus(**{name: "x"})


@pytest.mark.parametrize(("value", "text"), [(np.inf, "+Inf"), (-np.inf, "-Inf"), (np.nan, "NaN"), (3, "3")])
def test_numbers_are_spelt_as_prometheus_spells_them(value, text):
    family = Family("latebind_figure", "gauge", "A figure.")
    family.add(value)
    assert exposition([family]).splitlines()[-1] == f"latebind_figure {text}"


def test_a_histogram_counts_what_is_below_each_bound():
    family = Family("latebind_wait_seconds", "histogram", "Waits.")
    family.add_histogram((0.5, 1.0), (2, 0, 1), 9.5, model="a")
    assert samples(exposition([family])) == {
        ("latebind_wait_seconds_bucket", "le=0.5", "model=a"): 2,
        ("latebind_wait_seconds_bucket", "le=1.0", "model=a"): 2,
        ("latebind_wait_seconds_bucket", "le=+Inf", "model=a"): 3,
        ("latebind_wait_seconds_sum", "model=a"): 9.5,
        ("latebind_wait_seconds_count", "model=a"): 3,
    }


def test_everything_that_the_runtime_counts_is_described():
    names = set()
    for path in sorted(APP.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="count" | "add_time", value=owner), args=[name, *_]):
                    if "metrics" in ast.unparse(owner):
                        names |= _spelt(name)
    assert names > {"Steps", "Fallback::", "ExecuteTime"}
    assert names <= set(DESCRIPTIONS)


def _spelt(name: ast.expr) -> set[str]:
    match name:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return {text}
        case ast.IfExp(body=body, orelse=other):
            return _spelt(body) | _spelt(other)
    return set()
