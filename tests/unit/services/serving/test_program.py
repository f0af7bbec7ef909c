"""What a program has to be: its function, weights and results, each with an error that says what is wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from latebind.services.serving.errors import ProgramLoadError, ResultMismatchError
from latebind.services.serving.program import (
    check_parameters,
    host_result,
    load_function,
    load_weights,
    named_results,
)
from latebind.services.serving.settings import ProgramSettings
from latebind.services.serving.types import TensorSpec


@pytest.fixture(autouse=True)
def own_modules(monkeypatch):
    """Undo what loading programs does to the search path and the modules."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def settings(inputs=("x",), **keys):
    tensor = {"datatype": "FP32", "shape": [-1]}
    declared = {
        "program": "file.py:run",
        "inputs": [{"name": name, **tensor} for name in inputs],
        "outputs": [{"name": "y", **tensor}],
    }
    return ProgramSettings.model_validate(declared | keys)


# Functions


def test_a_function_comes_from_a_file_beside_the_configuration_with_what_stands_beside_the_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "model_part_of_test.py").write_text("FACTOR = 3\n")
    (tmp_path / "sub" / "file.py").write_text(
        "from model_part_of_test import FACTOR\nclass Model:\n    @staticmethod\n    def run(x): return FACTOR * x\n"
    )
    assert load_function("sub/file.py:Model.run", tmp_path)(2) == 6
    assert load_function(f"{tmp_path}/sub/file.py:Model.run", tmp_path / "elsewhere")(2) == 6


def test_a_function_comes_from_a_module_also_beside_the_configuration(tmp_path):
    (tmp_path / "module_of_test.py").write_text("def run(x): return x + 1\n")
    assert load_function("module_of_test:run", tmp_path)(2) == 3
    assert load_function("operator:add", tmp_path)(2, 3) == 5


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("run", "has to be 'module:function'"),
        ("file.py:", "has to be 'module:function'"),
        ("missing.py:run", "no program file 'missing.py'"),
        ("file.py:missing", "has no function 'missing'"),
        ("file.py:NUMBER", "is no function but int"),
        ("wrong.py:run", "importing wrong.py raised ZeroDivisionError"),
        ("no_such_module_anywhere:run", "cannot import 'no_such_module_anywhere'"),
    ],
)
def test_what_is_no_function_is_refused(tmp_path, program, message):
    (tmp_path / "file.py").write_text("NUMBER = 3\n")
    (tmp_path / "wrong.py").write_text("1 / 0\n")
    with pytest.raises(ProgramLoadError, match=message):
        load_function(program, tmp_path)


def test_parameters_are_the_declared_inputs_and_weights():
    weighted = settings(weights="w.npz")
    assert not check_parameters(lambda x: x, settings())
    assert not check_parameters(lambda x, n=3, weights=None: x, settings())
    assert check_parameters(lambda x, weights: x, weighted)
    assert check_parameters(lambda **all: 0, weighted)


@pytest.mark.parametrize(
    ("function", "declared", "message"),
    [
        (lambda y=0: y, settings(), "no parameter 'x', which is declared as an input; it takes y"),
        (lambda x, n: x, settings(), "needs 'n', not declared"),
        (lambda x, weights: x, settings(), "takes weights, but the key 'weights' names no file"),
        (lambda x: x, settings(weights="w.npz"), "has no parameter 'weights', but the key 'weights' names a file"),
    ],
)
def test_parameters_that_do_not_fit_are_named(function, declared, message):
    with pytest.raises(ProgramLoadError, match=message):
        check_parameters(function, declared)


# Weights


def test_weights_come_from_both_kinds_of_files(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    weights = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([True, False])}
    np.savez(tmp_path / "w.npz", **weights)
    safetensors.save_file(weights, tmp_path / "w.safetensors")
    for name in ("w.npz", "w.safetensors"):
        loaded = load_weights(tmp_path / name)
        assert set(loaded) == set(weights)
        for key, array in weights.items():
            np.testing.assert_array_equal(loaded[key], array)
            assert loaded[key].dtype == array.dtype


def test_weights_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([{"code": "runs"}], dtype=object))
    with pytest.raises(ProgramLoadError, match="allow_pickle=False"):
        load_weights(tmp_path / "w.npz")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.npz", None, "no file of weights 'w.npz'"),
        ("w.pkl", b"", "a .npz or .safetensors file, not 'w.pkl'"),
        ("w.npz", b"PK\x03\x04 broken", "cannot read the weights 'w.npz'"),
        ("w.safetensors", b"\xff" * 20, "cannot read the weights 'w.safetensors'"),
    ],
)
def test_files_that_hold_no_weights_are_refused(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ProgramLoadError, match=message):
        load_weights(tmp_path / name)


def test_weights_of_text_are_refused(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array(["text"]))
    with pytest.raises(ProgramLoadError, match=r"weight 'a' in 'w.npz' has dtype <U4"):
        load_weights(tmp_path / "w.npz")


# Results

TWO = (TensorSpec("y", "FP32", (-1, 2)), TensorSpec("n", "INT64", ()))


@pytest.mark.parametrize("result", [(1, 2), [1, 2], {"n": 2, "y": 1}], ids=["tuple", "list", "dict"])
def test_results_come_in_any_of_three_forms(result):
    assert named_results(result, TWO) == [1, 2]
    assert named_results(5, TWO[:1]) == [5]


@pytest.mark.parametrize("result", [(1,), (1, 2, 3), {"y": 1}, {"y": 1, "n": 2, "more": 3}, 1, None])
def test_too_few_too_many_or_other_results_are_refused(result):
    with pytest.raises(ResultMismatchError, match="declares y, n"):
        named_results(result, TWO)


@pytest.mark.parametrize(
    ("value", "rows", "message"),
    [
        (np.zeros((3, 2)), None, r"'y' has dtype float64, but is declared as FP32 \(float32\)"),
        (np.zeros(2, np.float32), None, r"has shape \[2\], but is declared as \[-1, 2\]"),
        (np.zeros((3, 4), np.float32), None, r"has shape \[3, 4\]"),
        (np.zeros((3, 2), np.float32), 4, r"has shape \[3, 2\], but is declared as \[-1, 2\], 4 rows"),
        ("text", None, "'y' is no array but str"),
    ],
)
def test_results_of_another_dtype_or_shape_are_refused(value, rows, message):
    with pytest.raises(ResultMismatchError, match=message):
        host_result(value, TWO[0], rows)


def test_results_as_declared_are_contiguous_arrays():
    array = host_result(np.zeros((2, 3), np.float32).T, TWO[0], 3)
    assert array.shape == (3, 2) and array.flags.c_contiguous
    assert host_result(np.int64(3), TWO[1], None).shape == ()
