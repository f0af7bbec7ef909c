"""The soak test of the server, briefly: each kind of good and bad traffic, with nothing wrong and nothing lost."""

from __future__ import annotations

import io
import json
import socket
from collections import Counter
from pathlib import Path
from random import Random

import numpy
import pytest
from rich.console import Console
from tests.benchmarks.serving import soak_memory
from tests.benchmarks.serving.soak import Report, Tally, document_of, run, show
from tests.benchmarks.serving.soak_client import (
    Answer,
    Client,
    LostRequest,
    WrongAnswer,
    check_refused,
    check_right,
    json_body,
)
from tests.benchmarks.serving.soak_memory import growth
from tests.benchmarks.serving.soak_traffic import KINDS

ROOT = Path(__file__).parents[3]
X = numpy.ones((1, 2), numpy.float32)


@pytest.fixture(scope="module")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Report:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{ROOT / 'app'}:{ROOT}")
        return run(1.0, tmp_path_factory.mktemp("soak"), backend="numpy")


def test_a_short_run_has_no_wrong_answer_and_loses_no_request(short_run: Report) -> None:
    assert short_run.problems == []
    assert (short_run.wrong, short_run.lost) == (0, 0)
    assert short_run.kills >= 1


def test_every_kind_of_traffic_is_sent_and_answered(short_run: Report) -> None:
    assert list(short_run.kinds) == [kind.name for kind in KINDS]
    assert [name for name, tally in short_run.kinds.items() if not tally.answers] == []
    found = {answer for tally in short_run.kinds.values() for answer in tally.answers}
    assert {"200", "400", "404", "408", "413", "429", "500", "504"} <= found


def test_the_memory_of_the_server_and_of_each_program_is_sampled(short_run: Report) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("nothing tells the memory of other processes here")
    names = [name for name in short_run.memory if name.endswith("MiB")]
    assert {name.split()[0].rstrip(",") for name in names} == {"server", "dense", "trouble", "killed", "busy", "shapes"}
    assert all(short_run.memory[name].first > 1 for name in names)


def test_the_report_is_a_table_and_json(short_run: Report) -> None:
    printed = io.StringIO()
    show(short_run, Console(width=160, file=printed))
    text = printed.getvalue()
    assert "wrong answers: 0, lost requests: 0" in text and "server, MiB" in text
    document = json.loads(json.dumps(document_of(short_run)))
    assert document["kinds"]["program hangs"]["answers"].keys() == {"504"}


# What makes a run a bad one


def good() -> Report:
    return Report(1.0, {"a": Tally(Counter({"200": 1}))})


def test_a_run_is_bad_with_one_wrong_answer_one_lost_request_or_a_kind_that_was_never_answered() -> None:
    assert good().is_good
    for broken in (Tally(Counter({"200": 1}), wrong=1), Tally(Counter({"200": 1}), lost=1), Tally()):
        report = good()
        report.kinds["b"] = broken
        assert not report.is_good
    report = good()
    report.problems.append("the server ended with code 1")
    assert not report.is_good


def test_memory_that_grows_makes_a_run_a_bad_one() -> None:
    flat = growth([(float(i), 100.0 + i % 3) for i in range(100)])
    grown = growth([(float(i), 100.0 + i) for i in range(100)])
    assert flat.is_flat is True and abs(flat.slope) < 1
    assert grown.is_flat is False and grown.slope == pytest.approx(60)
    assert (grown.first, grown.last, grown.most) == (112.0, 187.0, 199.0)
    assert growth([(0.0, 1.0), (1.0, 100.0)]).is_flat is None
    report = good()
    report.memory["server, MiB"] = grown
    assert report.grown == ["server, MiB"] and not report.is_good


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {}, b'{"error": "no"}'),
        Answer(200, {}, b"no JSON"),
        Answer(200, {}, b'{"outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}'),
        Answer(200, {}, b'{"outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 1], "data": [1, 1]}]}'),
        Answer(200, {}, b'{"outputs": [{"name": "z", "datatype": "FP32", "shape": [1, 2], "data": [1, 1]}]}'),
    ],
)
def test_an_answer_with_one_other_number_is_wrong(answer: Answer) -> None:
    with pytest.raises(WrongAnswer):
        check_right(answer, X)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {}, b'{"error": "a field"}'),
        Answer(400, {}, b"a field"),
        Answer(400, {}, b'{"error": ""}'),
        Answer(400, {}, b'{"error": "something else"}'),
        Answer(400, {}, b'{"error": "a field: Traceback (most recent call last)"}'),
    ],
)
def test_a_refusal_with_another_status_or_text_is_wrong(answer: Answer) -> None:
    with pytest.raises(WrongAnswer):
        check_refused(answer, 400, "a field")
    check_refused(Answer(400, {}, b'{"error": "a field"}'), 400, "a field")


def test_a_server_that_is_not_there_loses_requests() -> None:
    with socket.socket() as bound:  # nobody listens
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(LostRequest):
            Client(bound.getsockname(), Random(0)).infer("dense", json_body(X))


def test_enough_samples_are_needed_to_say_that_memory_grows() -> None:
    few = [(float(i), float(i * i)) for i in range(soak_memory._ENOUGH - 1)]
    assert growth(few).is_flat is None
    assert growth([*few, (1e3, 1e3)]).is_flat is False
