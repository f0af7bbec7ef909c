"""Spans of one track: each lies inside another or beside it, whatever two reads of the clock lie apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latebind.profiling.timeline import Category, TimeSpan, Track, nested


def span(category: Category, start: float, end: float) -> TimeSpan:
    return TimeSpan(Track(1), category, category, start, end)


@pytest.mark.parametrize(
    ("spans", "wanted"),
    [
        ([("wait", 0, 9), ("execute", 2, 5)], [("wait", 0, 9), ("execute", 2, 5)]),
        ([("wait", 0, 5), ("execute", 2, 6)], [("wait", 0, 5), ("execute", 2, 5)]),
        # A recording lasts until the wait that closes it begins.
        ([("record", 0, 5), ("wait", 4, 9)], [("record", 0, 4), ("wait", 4, 9)]),
        ([("direct", 0, 5), ("record", 1, 3), ("wait", 4, 9)], [("direct", 0, 4), ("record", 1, 3), ("wait", 4, 9)]),
        # The recording after a step begins when the step is over.
        ([("wait", 0, 4), ("record", 3, 8), ("wait", 7, 9)], [("wait", 0, 4), ("record", 4, 7), ("wait", 7, 9)]),
        ([("wait", 0, 4), ("execute", 1, 3), ("record", 2, 8)], [("wait", 0, 4), ("execute", 1, 3), ("record", 4, 8)]),
    ],
)
def test_spans_that_overlap(spans, wanted):
    assert [(each.category, each.start, each.end) for each in nested([span(*each) for each in spans])] == wanted


times = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted)


@given(st.lists(st.tuples(st.sampled_from(["record", "direct", "wait", "execute", "lower"]), times), max_size=12))
def test_any_spans_lie_inside_each_other_or_beside_each_other_and_none_is_lost(drawn):
    spans = [span(category, start, end) for category, (start, end) in drawn]
    found = nested(spans)
    assert sorted(map(id, found)) == sorted(map(id, spans))
    assert [each.start for each in found] == sorted(each.start for each in found)
    around: list[TimeSpan] = []
    for each in found:
        assert each.start <= each.end
        while around and around[-1].end <= each.start:
            around.pop()
        assert not around or each.end <= around[-1].end
        around.append(each)
