"""Chrome's trace event format: what Perfetto and chrome://tracing open.

The format is described in "Trace Event Format", to which Perfetto's page on external formats links.
Times are microseconds. A process is drawn as a group of tracks: one for the program, whose tracks are its threads, and
one for each device, whose tracks are the threads that started the work. A track's number is its own in the whole trace:
Perfetto finds threads by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from latebind.profiling.memory import Memory
from latebind.profiling.timeline import Timeline, TimeSpan, Track, nested

TraceEvent = dict[str, Any]
#: Process and number of each track.
_Places = Mapping[Track, tuple[int, int]]

#: Number of the program's process; the devices' follow.
PROGRAM: Final = 1
#: Arrows from a recording to its execution.
_FLOW: Final = {"name": "recorded", "cat": "flow"}


def trace_document(
    timeline: Timeline, memory: Memory, start: float, title: str, notes: Mapping[str, object]
) -> dict[str, Any]:
    """Return the trace as JSON values.

    Parameters
    ----------
    timeline, memory
    start
        `perf_counter()` that becomes 0.
    title
        Name of the program's process.
    notes
        Shown as the trace's metadata.
    """
    devices = {span.track.device for span in timeline.spans} | {device for _, device, _ in memory.timeline}
    processes = {"": PROGRAM} | {name: PROGRAM + 1 + index for index, name in enumerate(sorted(devices - {""}))}
    tracks = sorted({span.track for span in timeline.spans}, key=lambda track: (processes[track.device], track.thread))
    places = {track: (processes[track.device], number) for number, track in enumerate(tracks, 1)}
    events = [
        *_names(timeline, processes, places, title),
        *_spans(timeline, places, start),
        *_counters(memory, processes),
    ]
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {key: str(value) for key, value in notes.items()},
    }


def _names(timeline: Timeline, processes: Mapping[str, int], places: _Places, title: str) -> Iterator[TraceEvent]:
    for device, number in processes.items():
        name = f"device {device}" if device else title
        yield _metadata("process_name", number, 0, name=name)
        yield _metadata("process_sort_index", number, 0, sort_index=number)
    for track, (process, number) in places.items():
        name = timeline.names[track.thread]
        yield _metadata("thread_name", process, number, name=f"from {name}" if track.device else name)
        yield _metadata("thread_sort_index", process, number, sort_index=number)


def _metadata(kind: str, process: int, thread: int, **arguments: object) -> TraceEvent:
    return {"name": kind, "ph": "M", "ts": 0, "pid": process, "tid": thread, "args": arguments}


def _spans(timeline: Timeline, places: _Places, start: float) -> Iterator[TraceEvent]:
    tracks: dict[Track, list[TimeSpan]] = {}
    for span in timeline.spans:
        tracks.setdefault(span.track, []).append(span)
    whole = _whole_flows(timeline.spans)
    for track, spans in tracks.items():
        process, number = places[track]
        for span in nested(spans):
            # Whole nanoseconds: rounded one by one, two ends that are the same would not stay so.
            at, until = round((span.start - start) * 1e9), round((span.end - start) * 1e9)
            place = {"ts": at / 1e3, "pid": process, "tid": number}
            kind = {"name": span.name, "cat": span.category, "ph": "X"}
            yield {**kind, **place, "dur": (until - at) / 1e3, "args": dict(span.details)}
            if span.flow is not None and span.flow in whole:
                end = {"ph": "s"} if span.category == "record" else {"ph": "f", "bp": "e"}
                yield {**_FLOW, **end, **place, "id": span.flow + 1}


def _whole_flows(spans: Iterable[TimeSpan]) -> set[int]:
    """Return the arrows of which both ends were kept."""
    ends: dict[bool, set[int]] = {True: set(), False: set()}
    for span in spans:
        if span.flow is not None:
            ends[span.category == "record"].add(span.flow)
    return ends[True] & ends[False]


def _counters(memory: Memory, processes: Mapping[str, int]) -> Iterator[TraceEvent]:
    for seconds, device, held in memory.timeline:
        place = {"ts": round(seconds * 1e9) / 1e3, "pid": processes[device], "tid": 0}
        yield {"name": "memory", "ph": "C", **place, "args": {"bytes": held}}
