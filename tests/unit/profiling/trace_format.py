"""Chrome's trace event format, as far as latebind writes it: what has to be true of every trace."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

#: Fields that each kind of event must have besides `name`, `ph`, `ts`, `pid` and `tid`.
FIELDS = {"X": {"dur", "cat", "args"}, "M": {"args"}, "C": {"args"}, "s": {"id", "cat"}, "f": {"id", "cat", "bp"}}
METADATA = {"process_name": "name", "thread_name": "name", "process_sort_index": "sort_index"}
METADATA["thread_sort_index"] = "sort_index"


class Trace:
    """A trace that was found to be right."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.events: list[dict[str, Any]] = document["traceEvents"]

    def spans(self, category: str, name: str = "") -> list[dict[str, Any]]:
        return [event for event in self.of("X") if event["cat"] == category and event["name"].startswith(name)]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["ph"] == kind]

    @property
    def threads(self) -> dict[tuple[int, int], str]:
        return {(e["pid"], e["tid"]): e["args"]["name"] for e in self.of("M") if e["name"] == "thread_name"}

    @property
    def processes(self) -> dict[int, str]:
        return {e["pid"]: e["args"]["name"] for e in self.of("M") if e["name"] == "process_name"}


def checked(path: Path) -> Trace:
    """Read a trace and assert that it keeps to the format."""
    document = json.loads(path.read_text(), parse_constant=lambda text: 1 / 0)
    assert set(document) == {"traceEvents", "displayTimeUnit", "otherData"}
    trace = Trace(document)
    for event in trace.events:
        _check_fields(event)
    _check_names(trace)
    _check_nesting(trace)
    _check_flows(trace)
    return trace


def _check_fields(event: dict[str, Any]) -> None:
    kind = event["ph"]
    assert {"name", "ts", "pid", "tid"} | FIELDS[kind] <= set(event), event
    assert isinstance(event["name"], str) and event["name"]
    assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
    assert math.isfinite(event["ts"]) and event["ts"] >= 0
    if kind == "X":
        assert event["dur"] >= 0
    elif kind == "C":
        assert all(isinstance(value, int) and value >= 0 for value in event["args"].values())
    elif kind == "M":
        assert METADATA[event["name"]] in event["args"]
    elif kind == "f":
        assert event["bp"] == "e"


def _check_names(trace: Trace) -> None:
    for event in trace.of("X"):
        assert (event["pid"], event["tid"]) in trace.threads
    assert {event["pid"] for event in trace.events} <= set(trace.processes)
    numbers = [number for _, number in trace.threads]
    assert len(numbers) == len(set(numbers)), "Perfetto takes threads with one number for one thread"


def _nanoseconds(event: dict[str, Any]) -> tuple[int, int]:
    start = round(event["ts"] * 1000)
    return start, start + round(event.get("dur", 0) * 1000)


def _check_nesting(trace: Trace) -> None:
    tracks = defaultdict(list)
    for event in trace.of("X"):
        tracks[event["pid"], event["tid"]].append(_nanoseconds(event))
    for spans in tracks.values():
        around: list[tuple[int, int]] = []
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            while around and around[-1][1] <= start:
                around.pop()
            assert not around or end <= around[-1][1], "two spans of one track overlap in part"
            around.append((start, end))


def _check_flows(trace: Trace) -> None:
    begins, ends = trace.of("s"), trace.of("f")
    assert sorted(event["id"] for event in begins) == sorted({event["id"] for event in ends})
    assert len(ends) == len(begins)
    finish = {event["id"]: event for event in ends}
    for begin in begins:
        end = finish[begin["id"]]
        assert (begin["name"], begin["cat"]) == (end["name"], end["cat"])
        assert begin["ts"] <= end["ts"]
        assert _span_at(trace, begin)["cat"] == "record"
        assert _span_at(trace, end)["cat"] == "execute"


def _span_at(trace: Trace, point: dict[str, Any]) -> dict[str, Any]:
    """Return a span of the point's track that begins there: what the arrow is drawn to."""
    category = "record" if point["ph"] == "s" else "execute"
    at = round(point["ts"] * 1000)
    return next(
        event
        for event in trace.of("X")
        if (event["pid"], event["tid"], event["cat"]) == (point["pid"], point["tid"], category)
        and _nanoseconds(event)[0] == at
    )
