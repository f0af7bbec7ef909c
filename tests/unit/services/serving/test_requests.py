"""Inference requests: what fits becomes arrays, what does not is named, whatever the bytes."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.unit.services.serving.fake_service import echo_status

from latebind.services.serving.errors import InvalidRequestError
from latebind.services.serving.requests import WantedOutput, parse_request
from latebind.services.serving.responses import encode_result
from latebind.services.serving.types import DATATYPES, InferResult, ModelStatus, TensorSpec

ECHO = echo_status(max_batch_size=8)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


def of_any_shape(datatype: str, rank: int) -> ModelStatus:
    return echo_status(datatype, (-1,) * rank)


def binary_body(name: str, datatype: str, x: np.ndarray, **keys: Any) -> tuple[bytes, str]:
    entry = {"name": name, "datatype": datatype, "shape": list(x.shape), "parameters": {"binary_data_size": x.nbytes}}
    head = json.dumps({"inputs": [entry], **keys}).encode()
    return head + x.tobytes(), str(len(head))


def json_body(x: Any, shape: list[int], datatype: str = "FP32", **keys: Any) -> bytes:
    return json.dumps({"inputs": [{"name": "x", "datatype": datatype, "shape": shape, "data": x}], **keys}).encode()


@st.composite
def tensors(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    datatype = draw(st.sampled_from(sorted(DATATYPES)))
    return datatype, draw(hnp.arrays(DATATYPES[datatype], draw(SHAPES)))


@given(tensors())
def test_binary_tensors_arrive_bit_by_bit(tensor: tuple[str, np.ndarray]) -> None:
    datatype, x = tensor
    body, length = binary_body("x", datatype, x)
    found = parse_request(body, length, of_any_shape(datatype, x.ndim)).request.inputs["x"]
    assert found.dtype == x.dtype and found.shape == x.shape
    assert found.tobytes() == x.tobytes()


@given(tensors(), st.booleans())
def test_json_tensors_arrive_flat_or_nested(tensor: tuple[str, np.ndarray], nested: bool) -> None:
    datatype, x = tensor
    x = np.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0)
    data = x.tolist() if nested and x.ndim else x.ravel().tolist()
    found = parse_request(json_body(data, list(x.shape), datatype), None, of_any_shape(datatype, x.ndim))
    np.testing.assert_array_equal(found.request.inputs["x"], x)
    assert found.request.inputs["x"].dtype == x.dtype


@given(tensors(), st.booleans())
def test_results_come_back_as_they_were(tensor: tuple[str, np.ndarray], binary: bool) -> None:
    datatype, x = tensor
    status = of_any_shape(datatype, x.ndim)
    body, headers = encode_result(InferResult({"y": x}), [WantedOutput("y", binary)], status, "a")
    length = int(headers.get("inference-header-content-length", len(body)))
    (entry,) = orjson.loads(body[:length])["outputs"]
    assert (entry["name"], entry["datatype"], entry["shape"]) == ("y", datatype, list(x.shape))
    if binary:
        assert body[length:] == x.tobytes() and entry["parameters"]["binary_data_size"] == x.nbytes
    else:
        found = np.array([np.nan if one is None else one for one in entry["data"]]).astype(x.dtype).reshape(x.shape)
        finite = np.isfinite(x) if x.dtype.kind == "f" else np.ones(x.shape, bool)
        np.testing.assert_array_equal(found[finite], x[finite])


@given(st.binary(max_size=64), st.none() | st.text(max_size=5) | st.integers(-2, 70).map(str))
def test_any_bytes_are_a_request_or_refused(body: bytes, length: str | None) -> None:
    with pytest.raises(InvalidRequestError):
        parse_request(body, length, ECHO)


@given(st.data())
def test_a_changed_request_is_refused_or_gives_arrays_that_fit(data: st.DataObject) -> None:
    body, length = binary_body("x", "FP32", np.ones((3, 2), np.float32), id="a", outputs=[{"name": "y"}])
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        if data.draw(st.booleans()):
            changed[place] = data.draw(st.integers(0, 255))
        else:
            del changed[place]
    try:
        found = parse_request(bytes(changed), length, ECHO)
    except InvalidRequestError:
        return
    x = found.request.inputs["x"]
    assert x.dtype == np.float32 and x.ndim == 2 and x.shape[1] == 2 and len(x) <= 8


REFUSED: dict[str, tuple[bytes, str | None, str]] = {
    "not JSON": (b"{", None, "not JSON"),
    "no object": (b"[1]", None, "JSON object"),
    "unknown field": (json_body([1, 2], [1, 2], nonsense=1), None, "nonsense"),
    "no inputs": (b"{}", None, "inputs"),
    "no list of inputs": (b'{"inputs": {}}', None, "inputs"),
    "input is no object": (b'{"inputs": [1]}', None, r"inputs\[0\]"),
    "unknown input": (json_body([1], [1]).replace(b'"x"', b'"z"'), None, "'z' is no input"),
    "wrong datatype": (json_body([1, 2], [1, 2], "INT64"), None, r"inputs\[0\].datatype"),
    "datatype that is not served": (json_body(["a"], [1, 1], "BYTES"), None, "not served"),
    "shape is text": (json_body([1], ["1"]), None, r"inputs\[0\].shape"),
    "negative shape": (json_body([1], [-1, 2]), None, r"inputs\[0\].shape"),
    "fractional shape": (json_body([1, 2], [1.0, 2]), None, r"inputs\[0\].shape"),
    "shape is a truth value": (json_body([1, 2], [True, 2]), None, r"inputs\[0\].shape"),
    "other rank": (json_body([1, 2], [2]), None, "2 dimensions"),
    "other extent": (json_body([1, 2, 3], [1, 3]), None, r"inputs\[0\].shape\[1\]"),
    "too many rows": (json_body([0] * 18, [9, 2]), None, "at most 8 rows"),
    "absurd shape": (json_body([1], [10**15, 2]), None, "at most 8 rows"),
    "too few numbers": (json_body([1], [1, 2]), None, "has 1 numbers"),
    "ragged": (json_body([[1, 2], [3]], [2, 2]), None, r"depth 1"),
    "too deep": (json_body([[[1], [2]]], [1, 2]), None, "other depths"),
    "not deep enough": (json_body([[1, 2], 3], [2, 2]), None, "less deep"),
    "data is text": (json_body("ab", [1, 2]), None, r"inputs\[0\].data"),
    "text among numbers": (json_body([1, "a"], [1, 2]), None, "text"),
    "truth values among numbers": (json_body([1, True], [1, 2]), None, "truth values"),
    "null among numbers": (json_body([1, None], [1, 2]), None, "null"),
    "too large a number": (json_body([1, 1e300], [1, 2]), None, "does not fit into FP32"),
    "no data": (b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2]}]}', None, "data is missing"),
    "twice": (
        b'{"inputs": [' + b",".join([json_body([1, 2], [1, 2])[12:-2]] * 2) + b"]}",
        None,
        "2 entries",
    ),
    "unknown output": (json_body([1, 2], [1, 2], outputs=[{"name": "q"}]), None, r"outputs\[0\].name"),
    "output twice": (json_body([1, 2], [1, 2], outputs=[{"name": "y"}] * 2), None, "twice"),
    "outputs is no list": (json_body([1, 2], [1, 2], outputs={"name": "y"}), None, "outputs"),
    "classification": (
        json_body([1, 2], [1, 2], outputs=[{"name": "y", "parameters": {"classification": 2}}]),
        None,
        "classification",
    ),
    "binary_data is a number": (
        json_body([1, 2], [1, 2], outputs=[{"name": "y", "parameters": {"binary_data": 1}}]),
        None,
        "true or false",
    ),
    "id is a number": (json_body([1, 2], [1, 2], id=3), None, "id"),
    "id with a line break": (json_body([1, 2], [1, 2], id="a\r\nSet-Cookie: b"), None, "id"),
    "long id": (json_body([1, 2], [1, 2], id="a" * 300), None, "id"),
    "parameters is a list": (json_body([1, 2], [1, 2], parameters=[]), None, "parameters"),
    "parameter is an object": (json_body([1, 2], [1, 2], parameters={"a": {}}), None, "parameters"),
    "header length is text": (b"{}", "abc", "Inference-Header-Content-Length"),
    "header length is negative": (b"{}", "-1", "Inference-Header-Content-Length"),
    "header length is beyond the body": (b"{}", "3", "2 bytes"),
    "header length is 0": (b"{}", "0", "Inference-Header-Content-Length"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_does_not_fit_is_refused_by_name(name: str) -> None:
    body, length, message = REFUSED[name]
    with pytest.raises(InvalidRequestError, match=message):
        parse_request(body, length, ECHO)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("shape", [(10**9, 10**9), (2**62, 4), (2**40, 1), (1, 2**63 - 1)])
def test_absurd_shapes_are_refused_before_anything_is_allocated(shape: tuple[int, int], binary: bool) -> None:
    free = of_any_shape("FP32", 2)
    entry: dict[str, object] = {"name": "x", "datatype": "FP32", "shape": shape}
    entry |= {"parameters": {"binary_data_size": 4}} if binary else {"data": [1]}
    header = orjson.dumps({"inputs": [entry]})
    body, length = (header + b"abcd", str(len(header))) if binary else (header, None)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidRequestError):
            parse_request(body, length, free)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_binary_bytes_have_to_be_exactly_those_of_the_tensors() -> None:
    body, length = binary_body("x", "FP32", np.ones((2, 2), np.float32))
    with pytest.raises(InvalidRequestError, match="has 15 of its 16 bytes"):
        parse_request(body[:-1], length, ECHO)
    with pytest.raises(InvalidRequestError, match="1 bytes follow"):
        parse_request(body + b"a", length, ECHO)
    with pytest.raises(InvalidRequestError, match="binary_data_size"):
        parse_request(body.replace(b": 16", b": 15"), length, ECHO)


def test_a_byte_of_a_truth_value_is_0_or_1() -> None:
    body, length = binary_body("x", "BOOL", np.array([0, 1, 2], np.uint8))
    with pytest.raises(InvalidRequestError, match="0 or 1"):
        parse_request(body, length, of_any_shape("BOOL", 1))


@pytest.mark.parametrize(("datatype", "number"), [("INT8", 128), ("UINT8", -1), ("UINT64", 2**64), ("INT64", 2**63)])
def test_numbers_beyond_their_datatype_are_refused(datatype: str, number: int) -> None:
    with pytest.raises(InvalidRequestError):
        parse_request(json_body([number], [1], datatype), None, of_any_shape(datatype, 1))


def test_outputs_are_chosen_and_binary_as_asked() -> None:
    status = ModelStatus(
        "two", "1", ECHO.state, "numpy", ECHO.inputs, (TensorSpec("a", "FP32", (1,)), TensorSpec("b", "FP32", (1,)))
    )
    x = json_body([1, 2], [1, 2])
    assert parse_request(x, None, status).outputs == (WantedOutput("a", False), WantedOutput("b", False))
    asked = json_body([1, 2], [1, 2], parameters={"binary_data_output": True})
    assert parse_request(asked, None, status).outputs == (WantedOutput("a", True), WantedOutput("b", True))
    chosen = json_body([1, 2], [1, 2], outputs=[{"name": "b", "parameters": {"binary_data": True}}])
    assert parse_request(chosen, None, status).outputs == (WantedOutput("b", True),)
