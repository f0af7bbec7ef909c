"""From any object to an array: what `asarray` and `from_dlpack` do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.array.operands import apply, checked_dtype, host_array, to_ground
from latebind.array.rules.creation import FULL
from latebind.array.rules.elementwise import ASTYPE, COPY
from latebind.array.rules.shapes import STACK
from latebind.backends.interface import BackendDevice
from latebind.errors import DTypeMismatchError, ScalarRangeError, ShapeMismatchError
from latebind.ir.promotion import integer_range
from latebind.ir.types import DType
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import record
from latebind.runtime.signature import OperandKey, Rule
from latebind.runtime.tape import Ground, Scalar
from latebind.runtime.views import as_memory

if TYPE_CHECKING:
    from latebind.array.array import Array

_NO_COPY: Final = "asarray with copy=False: {} cannot be used without a copy; leave copy=False out"


def convert(obj: Any, ground: Ground, dtype: DType | None, copy: bool | None) -> Array:
    """Return any object that is no array of ours yet as an array on a device.

    Parameters
    ----------
    obj
        A number, a NumPy array, anything that exports an array or a buffer, or nested sequences of these and of arrays.
    ground
        Where to put it.
    dtype
        Element type; by default the object's own, and the executor's defaults for Python numbers.
    copy
        `False` shares the object's memory or fails, `True` copies, `None` copies what somebody may still write to.

    Raises
    ------
    DTypeMismatchError
        If the elements are not numbers or booleans.
    ShapeMismatchError
        If nested sequences are ragged, or sharing is asked for and impossible.
    ScalarRangeError
        If a Python integer does not fit the dtype.
    """
    if isinstance(obj, (bool, int, float, complex, ScalarArgument)) and not isinstance(obj, np.generic):
        _refuse_sharing(copy, "a Python number")
        return full((), obj, ground, dtype)
    if isinstance(obj, (list, tuple, range)):
        _refuse_sharing(copy, "a Python sequence")
        return _from_sequence(obj, ground, dtype)
    host = _exported(obj)
    wanted = checked_dtype(host.dtype) if dtype is None else dtype
    if host.dtype != wanted or not host.dtype.isnative:
        _refuse_sharing(copy, f"{host.dtype.name} memory as {wanted.name}")
        if dtype is not None:
            check_conversion("asarray", host.dtype, dtype)
        return as_memory(to_ground(_cast_host(host, wanted), ground, copy=False))  # type: ignore[return-value]
    if copy is None:
        copy = not _is_immutable(host)
    return as_memory(to_ground(host, ground, copy=copy))  # type: ignore[return-value]


def full(shape: tuple[int, ...], value: Any, ground: Ground, dtype: DType | None) -> Array:
    """Return an array of one number everywhere, recorded as a scalar operand."""
    number = value.value if isinstance(value, ScalarArgument) else value
    dtype = default_dtype(number, ground) if dtype is None else dtype
    check_conversion("full", np.asarray(number).dtype, dtype)
    if isinstance(value, ScalarArgument):
        made = create(FULL, ground, (type(value.value), value), shape=shape, dtype=dtype)  # type: ignore[arg-type]
    else:
        made = create(FULL, ground, (dtype, scalar_of(number, dtype)), shape=shape, dtype=dtype)
    return as_memory(made)  # type: ignore[return-value]


def create(rule: Rule, ground: Ground, *scalars: tuple[OperandKey, Scalar], **attributes: Any) -> Array:
    """Record an operation that has scalar operands only."""
    operands = [(position, key, value) for position, (key, value) in enumerate(scalars)]
    return record(rule, [], tuple(attributes.items()), scalars=operands, ground=ground)  # type: ignore[return-value]


def scalar_of(number: Any, dtype: DType) -> Scalar:
    """Return a number as a Python scalar that a dtype can hold, converted as NumPy does.

    Raises
    ------
    ScalarRangeError
        If a Python integer does not fit the dtype.
    """
    if type(number) is int and dtype.kind in "iu":
        low, high = integer_range(dtype)
        if not low <= number <= high:
            raise ScalarRangeError(f"Python integer {number} is out of bounds for {dtype.name}: [{low}, {high}]")
        return number
    try:
        return np.asarray(number).astype(dtype).item()  # type: ignore[no-any-return]
    except OverflowError:
        raise ScalarRangeError(f"Python integer {number} is out of bounds for {dtype.name}") from None


def default_dtype(number: Any, ground: Ground) -> DType:
    """Return the dtype of an array that is made from a number: the executor's default, or a NumPy scalar's own.

    Raises
    ------
    DTypeMismatchError
        If it is not a number.
    """
    if isinstance(number, np.generic):
        return checked_dtype(number.dtype)
    options = ground.executor.options
    if isinstance(number, bool):
        return np.dtype(np.bool_)
    if isinstance(number, int):
        return np.dtype(options.default_integral)
    if isinstance(number, float):
        return np.dtype(options.default_real)
    if isinstance(number, complex):
        return np.dtype(options.default_complex)
    raise DTypeMismatchError(f"a number is needed, got {number!r}")


def check_conversion(name: str, source: DType, target: DType) -> None:
    """Refuse to drop imaginary parts silently (array API standard, `astype`).

    Raises
    ------
    DTypeMismatchError
        If the conversion is from complex to real.
    """
    if source.kind == "c" and target.kind not in "cb":
        raise DTypeMismatchError(
            f"{name}: {source.name} to {target.name} would drop the imaginary parts: take real() first"
        )


def _refuse_sharing(copy: bool | None, what: str) -> None:
    if copy is False:
        raise ShapeMismatchError(_NO_COPY.format(what))


def _exported(obj: Any) -> np.ndarray:
    """Return the memory of an object that exports it; DLPack where there is no older protocol."""
    if isinstance(obj, np.ndarray):
        return obj.view(np.ndarray) if type(obj) is not np.ndarray else obj
    if hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__") and not hasattr(obj, "__array_interface__"):
        return from_exporter(obj)
    try:
        host = np.asarray(obj)
    except (TypeError, ValueError) as error:
        raise DTypeMismatchError(f"asarray: {type(obj).__name__} cannot be converted to an array: {error}") from error
    if host.dtype == object:
        raise DTypeMismatchError(
            f"asarray: {type(obj).__name__} is neither a number, a sequence nor anything that exports an array"
        )
    return host


def from_exporter(obj: Any) -> np.ndarray:
    """Return the memory that an object exports through DLPack.

    Raises
    ------
    DTypeMismatchError
        If it exports none that the host can see.
    """
    try:
        return np.from_dlpack(obj)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
        raise DTypeMismatchError(
            f"{type(obj).__name__} exports no memory that the host can see through DLPack ({error}): "
            "convert it to a NumPy array first"
        ) from error


def _is_immutable(host: np.ndarray) -> bool:
    """Whether nobody can write to an array's memory: neither the array nor anything that it is a view of."""
    owner: Any = host
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        host, owner = owner, owner.base
    if owner is None or isinstance(owner, bytes):
        return True
    return isinstance(owner, memoryview) and owner.readonly


def _cast_host(host: np.ndarray, dtype: DType) -> np.ndarray:
    with np.errstate(all="ignore"):
        return host.astype(dtype)


def _from_sequence(sequence: Sequence[Any], ground: Ground, dtype: DType | None) -> Array:
    if _holds_arrays(sequence):
        stacked = _stacked(sequence, ground)
        return stacked if dtype in (None, stacked.dtype) else apply(ASTYPE, stacked, dtype=dtype)
    host = host_array(sequence)
    wanted = _default_for(host.dtype, sequence, ground) if dtype is None else dtype
    check_conversion("asarray", host.dtype, wanted)
    if dtype is not None or host.dtype != wanted:
        try:
            with np.errstate(all="ignore"):
                host = np.asarray(sequence, wanted)
        except OverflowError as error:
            raise ScalarRangeError(f"asarray: {error}") from None
    return to_ground(host, ground, copy=False)  # type: ignore[return-value]


def _default_for(found: DType, sequence: Sequence[Any], ground: Ground) -> DType:
    """Return the executor's default in the place of NumPy's, unless a NumPy value among the elements has the dtype."""
    options = ground.executor.options
    defaults = {"float64": options.default_real, "int64": options.default_integral}
    wanted = np.dtype(defaults.get(found.name, options.default_complex if found.name == "complex128" else found))
    return found if wanted != found and _holds_numpy(sequence) else wanted


def _holds_numpy(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(map(_holds_numpy, item))
    return isinstance(item, (np.generic, np.ndarray))


def _holds_arrays(item: Any) -> bool:
    if isinstance(item, (list, tuple)):
        return any(map(_holds_arrays, item))
    return isinstance(item, (LazyTensor, ScalarArgument))


def _stacked(item: Any, ground: Ground) -> Array:
    """Return nested sequences that hold arrays of ours, recorded: nothing is read."""
    if isinstance(item, LazyTensor):
        return item  # type: ignore[return-value]
    if isinstance(item, (list, tuple)) and _holds_arrays(item):
        parts = [_stacked(part, ground) for part in item]
        if len({part.shape for part in parts}) > 1:
            shapes = ", ".join(str(part.shape) for part in parts)
            raise ShapeMismatchError(f"asarray: a nested sequence does not form an array: it holds the shapes {shapes}")
        return apply(STACK, *parts, ground=ground, axis=0)
    return convert(item, ground, None, None)


def as_is(array: Array, dtype: DType | None, device: BackendDevice | str | None, copy: bool | None) -> Array:
    """Return an array of ours as `asarray` does: itself unless a dtype, a device or a copy is asked for."""
    if device is not None:
        moved = array.to_device(device)
        if moved is not array:
            _refuse_sharing(copy, "an array of another device")
            array, copy = moved, None
    if dtype is not None and dtype != array.dtype:
        _refuse_sharing(copy, f"a {array.dtype.name} array as {dtype.name}")
        check_conversion("asarray", array.dtype, dtype)
        return apply(ASTYPE, array, dtype=dtype)
    return as_memory(apply(COPY, array)) if copy else array  # type: ignore[return-value]
