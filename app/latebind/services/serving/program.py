"""A program: its function, its weights, and whether what it returns is what it declares."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias

import numpy as np

from latebind.runtime.lazy import LazyTensor
from latebind.services.serving.errors import ProgramLoadError, ResultMismatchError
from latebind.services.serving.settings import ProgramSettings, TensorSettings
from latebind.services.serving.types import DATATYPES, TensorSpec

Function: TypeAlias = Callable[..., object]

#: Parameter that gets the weights.
WEIGHTS: Final = "weights"


def specs_of(declared: Iterable[TensorSettings]) -> tuple[TensorSpec, ...]:
    """Return declared tensors as what the protocol's side sees."""
    return tuple(TensorSpec(each.name, each.datatype, tuple(each.shape)) for each in declared)


def is_batched(program: ProgramSettings) -> bool:
    """Whether requests may be put together: asked for, and every first extent is free."""
    tensors = (*program.inputs, *program.outputs)
    return program.batching.max_size > 1 and all(each.shape and each.shape[0] == -1 for each in tensors)


def shapes_are_known(program: ProgramSettings) -> bool:
    """Whether requests come in a known number of shapes, once they are padded to a bucket."""
    free = sum(extent == -1 for each in program.inputs for extent in each.shape)
    return free == (len(program.inputs) if is_batched(program) else 0)


# The function


def load_function(program: str, base: Path) -> Function:
    """Import a program's function.

    Parameters
    ----------
    program
        `module:function` or `path/to/file.py:function`.
    base
        Folder that files are relative to; modules are looked for there after everywhere else.

    Raises
    ------
    ProgramLoadError
        If there is no such file, module or function, or importing it raises.
    """
    place, separator, name = program.rpartition(":")
    if not separator or not place or not name:
        raise ProgramLoadError(f"program {program!r} has to be 'module:function' or 'path/to/file.py:function'")
    module = _import_file(base / place) if place.endswith(".py") else _import_module(place, base)
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None:
        raise ProgramLoadError(f"{place} has no function {name!r}")
    if not callable(found):
        raise ProgramLoadError(f"{name} in {place} is no function but {type(found).__name__}")
    return found


def _import_module(name: str, base: Path) -> ModuleType:
    folder = str(base.resolve())
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ProgramLoadError(f"cannot import {name!r}: {type(error).__name__}: {error}") from error


def _import_file(path: Path) -> ModuleType:
    """Import a file under the name of the file, with its folder first on the search path as `python FILE` has it."""
    if not path.is_file():
        raise ProgramLoadError(f"there is no program file {path.name!r} where the configuration says")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"latebind_served_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # the name ends in .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ProgramLoadError(f"importing {path.name} raised {type(error).__name__}: {error}") from error
    return module


def check_parameters(function: Function, program: ProgramSettings) -> bool:
    """Return whether the function takes weights; check that its parameters are the declared inputs.

    Raises
    ------
    ProgramLoadError
        If an input is no parameter, a parameter without default is no input, or weights are given and not taken.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError) as error:
        raise ProgramLoadError(f"the parameters of {program.program} cannot be found out: {error}") from error
    named = {
        name: each
        for name, each in parameters.items()
        if each.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    }
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    takes_weights = WEIGHTS in named or (takes_any and program.weights is not None)
    inputs = [each.name for each in program.inputs]
    given = {*inputs, WEIGHTS} if takes_weights and program.weights is not None else set(inputs)
    unknown = [name for name in inputs if name not in named and not takes_any]
    if unknown:
        raise ProgramLoadError(
            f"{program.program} has no parameter {', '.join(map(repr, unknown))}, which is declared as an input; "
            f"it takes {', '.join(named) or 'nothing'}"
        )
    missing = [name for name, each in named.items() if each.default is inspect.Parameter.empty and name not in given]
    if missing == [WEIGHTS]:
        raise ProgramLoadError(f"{program.program} takes weights, but the key 'weights' names no file")
    if missing:
        raise ProgramLoadError(f"{program.program} needs {', '.join(map(repr, missing))}, not declared as inputs")
    if program.weights is not None and not takes_weights:
        raise ProgramLoadError(f"{program.program} has no parameter 'weights', but the key 'weights' names a file")
    return takes_weights and program.weights is not None


# Weights


def load_weights(path: Path) -> dict[str, np.ndarray]:
    """Read a `.npz` (without pickle) or `.safetensors` file.

    Raises
    ------
    ProgramLoadError
        If it is neither, cannot be read, or holds something else than arrays of numbers.
    """
    if path.suffix not in (".npz", ".safetensors"):
        raise ProgramLoadError(f"weights are a .npz or .safetensors file, not {path.name!r}")
    try:
        weights = _read_npz(path) if path.suffix == ".npz" else _read_safetensors(path)
    except ProgramLoadError:
        raise
    except FileNotFoundError:
        raise ProgramLoadError(f"there is no file of weights {path.name!r} where the configuration says") from None
    except Exception as error:  # three libraries with errors of their own
        raise ProgramLoadError(f"cannot read the weights {path.name!r}: {type(error).__name__}: {error}") from error
    for name, array in weights.items():
        if array.dtype.kind not in "biufc":
            raise ProgramLoadError(f"weight {name!r} in {path.name!r} has dtype {array.dtype}, which is no number")
    return weights


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    try:
        from safetensors.numpy import load_file
    except ImportError:
        raise ProgramLoadError(
            f"the weights {path.name!r} need the package safetensors: pip install 'latebind[serve]'"
        ) from None
    return dict(load_file(path))


# Results


def named_results(result: object, outputs: Sequence[TensorSpec]) -> list[object]:
    """Return what a program returned in the order of the declared outputs.

    Raises
    ------
    ResultMismatchError
        If there are too many, too few, or others.
    """
    names = [each.name for each in outputs]
    if isinstance(result, Mapping):
        if set(result) != set(names):
            raise ResultMismatchError(
                f"the program returned {', '.join(map(repr, result)) or 'nothing'}, but declares {', '.join(names)}"
            )
        return [result[name] for name in names]
    if isinstance(result, (tuple, list)):
        if len(result) != len(names):
            raise ResultMismatchError(f"the program returned {len(result)} arrays, but declares {', '.join(names)}")
        return list(result)
    if len(names) != 1:
        raise ResultMismatchError(f"the program returned one object, but declares {', '.join(names)}")
    return [result]


def host_result(value: object, spec: TensorSpec, rows: int | None) -> np.ndarray:
    """Return one result in host memory, checked against its declaration.

    Parameters
    ----------
    value
        An array, lazy or not, or a number.
    spec
        What it has to be.
    rows
        First extent that it has to have; `None` where requests are not put together.

    Raises
    ------
    ResultMismatchError
        If it has another dtype or shape.
    """
    if not isinstance(value, (LazyTensor, np.ndarray, np.generic, int, float)):
        raise ResultMismatchError(f"output {spec.name!r} is no array but {type(value).__name__}")
    array = np.asarray(value)
    if array.dtype != DATATYPES[spec.datatype]:
        raise ResultMismatchError(
            f"output {spec.name!r} has dtype {array.dtype}, but is declared as {spec.datatype} "
            f"({DATATYPES[spec.datatype]}): convert it in the program or declare the other one"
        )
    wanted = list(spec.shape)
    if rows is not None:
        wanted[0] = rows
    fits = len(wanted) == array.ndim and all(
        extent in (-1, found) for extent, found in zip(wanted, array.shape, strict=True)
    )
    if not fits:
        asked = f", {rows} rows of them asked for" if rows is not None else ""
        raise ResultMismatchError(
            f"output {spec.name!r} has shape {list(array.shape)}, but is declared as {list(spec.shape)}{asked}"
        )
    return np.ascontiguousarray(array) if array.ndim else array


def inputs_for(specs: Sequence[TensorSpec], rows: int | None) -> list[np.ndarray]:
    """Return zeros that fit declared inputs; free extents are 1, the first one is the number of rows if given."""
    arrays: list[np.ndarray[Any, Any]] = []
    for spec in specs:
        shape = [1 if extent == -1 else extent for extent in spec.shape]
        if rows is not None:
            shape[0] = rows
        arrays.append(np.zeros(shape, DATATYPES[spec.datatype]))
    return arrays
