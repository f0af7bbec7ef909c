"""Direct execution: operations run one by one on host arrays, as NumPy runs them, and nothing is recorded.

Recording pays where a graph comes back. A factorisation whose slices shrink every round, or a script that runs each
line once, never shows the same graph twice: what recording it costs is lost. Where recordings keep missing, and the
backend's values are host arrays, a thread goes over to direct execution for a while, then records again to see whether
the program repeats itself by now (`direct_phases.py`).

A rule that can run directly has a function over host arrays (`Rule.direct`) that gives the values that its nodes give.
Whatever that cannot do, a user's error included, is left to the recording path, which then runs the one operation at
once.

Views hold no value here: a view keeps its steps, and its host array is made when it is used. So the array that owns the
values is the only one to refer to their memory, and a write goes to that memory in place.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextvars import Context
from sys import getrefcount
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.backends.interface import BackendData, BackendDevice, HostArray
from latebind.ir.types import ELEMENT_NAMES, DType, TensorType
from latebind.runtime.lazy import IndexStep, LazyTensor, NotDirectError, ViewLink, ViewStep
from latebind.runtime.signature import AS_IT_IS
from latebind.runtime.syncs import check_sync

if TYPE_CHECKING:
    from latebind.runtime.lazy import IndexParser
    from latebind.runtime.signature import OperandKey, Rule, RuleAttributes
    from latebind.runtime.tape import Ground, Scalar

_new: Final = object.__new__
_ndarray: Final = np.ndarray
#: Types by shape and dtype, kept alive so that looking one up is one plain dictionary access.
_types: Final[dict[tuple[tuple[int, ...], DType], TensorType]] = {}
_KEPT_TYPES: Final = 8192


#: Dtypes by the class of their scalars.
_SCALARS: Final = {np.dtype(name).type: np.dtype(name) for name in ELEMENT_NAMES}
_number_types: Final = {kind: TensorType.of((), dtype) for kind, dtype in _SCALARS.items()}
#: Numbers for which Python's operators give what the ufuncs give, which take six times as long for a number.
_NUMBERS: Final = frozenset((np.float64, np.float32, np.int64, np.int32, float))
_NUMBER_FUNCTIONS: Final[dict[Any, Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}


def type_of(array: HostArray) -> TensorType:
    """Return the type of a host array."""
    key = (array.shape, array.dtype)
    found = _types.get(key)
    if found is None:
        if len(_types) >= _KEPT_TYPES:
            _types.clear()
        found = _types[key] = TensorType.of(*key)
    return found


def quiet_context() -> Context:
    """Return a context in which floating-point errors go unreported; `run` costs 50 ns, `numpy.errstate` 700."""
    context = Context()
    context.run(np.seterr, all="ignore")
    return context


class Direct:
    """A thread's direct execution on one ground.

    Attributes
    ----------
    left : float
        Operations until the thread should record again, at the next point where a value is read.
    """

    __slots__ = ("_can_write", "_data", "_handle", "_kind", "_run", "array_class", "device", "ground", "left")

    def __init__(self, ground: Ground, operations: float) -> None:
        backend = ground.executor.backend
        self.ground = ground
        self.device: BackendDevice = ground.device
        self.array_class = ground.executor.array_class
        self.left = operations
        self._handle = backend.host_handle
        self._data = backend.data_from_host
        self._kind = backend.direct_data()
        self._can_write = backend.can_donate
        self._run = quiet_context().run

    # Values

    def host(self, array: LazyTensor) -> HostArray:
        """Return an operand's host array.

        Raises
        ------
        NotDirectError
            If it belongs elsewhere, is still on its way, or failed.
        """
        link = array._link
        if link is not None:
            return self._host_of_view(link)
        if array._tape is not self.ground:
            raise NotDirectError
        data = array._data
        if type(data) is self._kind:
            value = data.value  # type: ignore[attr-defined]
            if type(value) is _ndarray:
                return value
        return self._there(data)

    def operand(self, array: LazyTensor) -> Any:
        """Return what `host` does, or the NumPy scalar where the value is one."""
        link = array._link
        if link is not None:
            return self._host_of_view(link)
        if array._tape is not self.ground:
            raise NotDirectError
        data = array._data
        if type(data) is self._kind:
            value = data.value  # type: ignore[attr-defined]
            if value is not None:
                return value
        return self._there(data)

    def _there(self, data: BackendData) -> HostArray:
        found: HostArray | None = self._handle(data)
        if found is None:
            data.wait()
            found = self._handle(data)
            if found is None:
                raise NotDirectError
        return found

    def _host_of_view(self, link: ViewLink) -> HostArray:
        host = self.host(link.base)
        for step in link.steps:
            host = step.host(host)
        return host

    def wrap(self, value: Any) -> LazyTensor:
        """Return an array whose value is this host array, or NumPy scalar."""
        if type(value) is _ndarray:
            key = (value.shape, value.dtype)
            known = _types.get(key) or type_of(value)
        else:
            found = _number_types.get(type(value))
            if found is None:
                value = np.asarray(value)
                found = type_of(value)
            known = found
        out: LazyTensor = _new(self.array_class)
        out._type = known
        out._link = None
        out._tape = self.ground
        kind = self._kind
        if kind is None:
            out._data = self._data(known, self.device, np.asarray(value))
        else:
            data = out._data = _new(kind)
            data.value = value
            data.device = self.device
        return out

    # Operations

    def run(
        self,
        rule: Rule,
        operands: Sequence[LazyTensor],
        attributes: RuleAttributes,
        scalars: Sequence[tuple[int, OperandKey, Scalar]],
    ) -> LazyTensor | None:
        """Run one operation; `None` if the recording path has to."""
        function = rule.direct
        if function is None:
            return None
        self.left -= 1
        try:
            values: list[Any] = [self.host(operand) for operand in operands]
            for place, key, value in scalars:
                kind = rule.host_kind(key)
                values.insert(place, value if kind is AS_IT_IS else kind(value))
            return self.wrap(self._run(function, *values, **dict(attributes)))
        except Exception:
            return None

    def unary(self, rule: Rule, array: LazyTensor) -> LazyTensor | None:
        """Run an operation of one operand; `None` if the recording path has to."""
        function = rule.direct
        if function is None:
            return None
        self.left -= 1
        try:
            return self.wrap(self._run(function, self.host(array)))
        except Exception:
            return None

    def binary(self, rule: Rule, self_: LazyTensor, other: Any) -> LazyTensor | None:
        """Run a binary operator; `None` if the recording path has to."""
        function = rule.direct
        if function is None:
            return None
        self.left -= 1
        kind = type(other)
        try:
            value = self.operand(self_)
            if kind is self.array_class:
                other = self.operand(other)
                kind = type(other)
            elif kind is not float and kind is not int:
                return None
            if kind in _NUMBERS and type(value) in _NUMBERS:
                function = _NUMBER_FUNCTIONS.get(function, function)
            return self.wrap(self._run(function, value, other))
        except Exception:
            return None

    def reflected(self, rule: Rule, array: LazyTensor, number: float) -> LazyTensor | None:
        """Run a binary operator whose first operand is a Python number; `None` if the recording path has to."""
        function = rule.direct
        if function is None:
            return None
        self.left -= 1
        try:
            value = self.operand(array)
            if type(number) is float and type(value) in _NUMBERS:
                function = _NUMBER_FUNCTIONS.get(function, function)
            return self.wrap(self._run(function, number, value))
        except Exception:
            return None

    def view(
        self, rule: Rule, array: LazyTensor, attributes: RuleAttributes, scalars: Sequence[int]
    ) -> LazyTensor | None:
        """Return a view; `None` if the recording path has to make it.

        NumPy's result has to be a view as well: otherwise a write to it would not reach the memory of the base.
        """
        if rule.direct is None:
            return None
        try:
            host = self.host(array)
            seen = rule.direct(host, *scalars, **dict(attributes))
        except Exception:
            return None
        if type(seen) is not _ndarray or not _is_view_of(seen, host):
            return None
        return self._linked(array, ViewStep(rule, attributes, type_of(seen), tuple(scalars)))

    def is_row_major(self, array: LazyTensor) -> bool:
        """Whether the memory behind an array is laid out as latebind takes it to be, so that NumPy agrees on views."""
        base = array if array._link is None else array._link.base
        try:
            return bool(self.host(base).flags.c_contiguous)
        except Exception:
            return False

    def index(self, array: LazyTensor, key: Any, parse: IndexParser) -> LazyTensor | None:
        """Return a basic index: a view, or of integers alone a value; `None` if the recording path has to make it."""
        self.left -= 1
        try:
            host = self.host(array)
            seen = host[key]
            if type(seen) is not _ndarray:
                return self.wrap(seen)
            base = seen.base
            if base is not host and (base is None or base is not host.base):
                return None
        except Exception:
            return None
        step: IndexStep = _new(IndexStep)
        step.key = key
        step.type = _types.get((seen.shape, seen.dtype)) or type_of(seen)
        step._shape = host.shape
        step._parse = parse
        return self._linked(array, step)

    def masked(self, array: LazyTensor, mask: LazyTensor) -> LazyTensor | None:
        """Return the elements where a mask holds; `None` if the recording path has to find them."""
        check_sync()
        self.left -= 1
        try:
            return self.wrap(self.host(array)[self.host(mask)])
        except Exception:
            return None

    def _linked(self, array: LazyTensor, step: ViewStep) -> LazyTensor:
        made: ViewLink = _new(ViewLink)
        link = array._link
        if link is None:
            made.base, made.steps = array, (step,)
            if not hasattr(array, "_version"):
                array._version = 0
        else:
            made.base, made.steps = link.base, (*link.steps, step)
        made.version = STALE
        out: LazyTensor = _new(self.array_class)
        out._type = step.type
        out._data = NO_VALUE
        out._tape = self.ground
        out._link = made
        return out

    # Writes

    def update(self, rule: Rule, array: LazyTensor, operands: Sequence[Any], attributes: RuleAttributes) -> bool:
        """Write to an array's memory; false if the recording path has to.

        Parameters
        ----------
        rule
            A rule of assignment.
        operands
            Arrays, host arrays and scalars, as the rule takes them after the array that is written.
        """
        function = rule.direct_write
        if function is None:
            return False
        self.left -= 1
        try:
            # Asked before the operands refer to the memory: they may be views of it.
            target = self._writable(array)
            if target is None:
                return False
            values = [self.host(one) if isinstance(one, LazyTensor) else one for one in operands]
            self._run(function, target, *values, **dict(attributes))
        except Exception:
            return False
        _written(array)
        return True

    def assign(self, array: LazyTensor, key: Any, value: Any) -> bool:
        """Compute `array[key] = value` for a basic index; false if the recording path has to."""
        self.left -= 1
        try:
            target = self._writable(array)
            if target is None:
                return False
            if isinstance(value, LazyTensor):
                value = self.operand(value)
            if type(value) is not float or target.dtype.kind != "f":
                check_kinds(target, value)
            target[key] = value
        except Exception:
            return False
        _written(array)
        return True

    def assign_masked(self, array: LazyTensor, mask: LazyTensor, value: Any) -> bool:
        """Compute `array[mask] = value`; false if the recording path has to."""
        self.left -= 1
        try:
            target = self._writable(array)
            where = self.host(mask)
            if target is None or np.may_share_memory(target, where):
                return False
            if isinstance(value, LazyTensor):
                value = self.host(value)
            check_kinds(target, value)
            target[where] = value
        except Exception:
            return False
        _written(array)
        return True

    def update_by(self, ufunc: np.ufunc, array: LazyTensor, other: Any) -> bool:
        """Compute `array = ufunc(array, other)` in the array's memory; false if the recording path has to."""
        self.left -= 1
        kind = type(other)
        try:
            if kind is not self.array_class and kind is not float and kind is not int:
                return False
            target = self._writable(array)
            if target is None:
                return False
            if kind is self.array_class:
                other = self.operand(other)
            self._run(ufunc, target, other, out=target, casting="same_kind")
        except Exception:
            return False
        _written(array)
        return True

    def _writable(self, array: LazyTensor) -> HostArray | None:
        """Return the memory of an array, or of the part that a view shows, if nothing else sees it."""
        link = array._link
        base = array if link is None else link.base
        if base._tape is not self.ground:
            return None
        data = base._data
        if getrefcount(data) > _DATA_REFERENCES or data.handle is None or not self._can_write(data):
            return None
        memory = self._handle(data)
        if memory is None:
            return None
        if link is None:
            return memory
        seen = self._host_of_view(link)
        return seen if type(seen) is _ndarray and _is_view_of(seen, memory) else None


#: Kind of each Python number, and of NumPy's.
_KINDS: Final = {bool: "b", int: "i", float: "f", complex: "c"} | {kind: dtype.kind for kind, dtype in _SCALARS.items()}


def check_kinds(target: HostArray, value: Any) -> None:
    """Leave values of a higher kind to the nodes: complex ones are refused, and NaN has a result there.

    Raises
    ------
    NotDirectError
        Also for what is no number: text, objects, nested sequences.
    """
    kind = value.dtype.kind if type(value) is np.ndarray else _KINDS.get(type(value), "O")
    own = target.dtype.kind
    if kind == "f" and own not in "iu":
        return
    if kind not in "biu" and (kind != "c" or own != "c"):
        raise NotDirectError


def _is_view_of(seen: HostArray, host: HostArray) -> bool:
    """Whether one array shows memory of the other; NumPy shortens chains of bases."""
    base = seen.base
    return base is not None and (base is host or base is host.base)


def _written(array: LazyTensor) -> None:
    """Make views that hold a value stale."""
    base = array if array._link is None else array._link.base
    if hasattr(base, "_version"):
        base._version += 1


#: Version of a view that holds no value.
STALE: Final = -1
#: Data of a view that holds no value.
NO_VALUE: Final = BackendData(TensorType.of((), np.dtype(np.bool_)), BackendDevice("cpu"))


def _count_references(array: LazyTensor) -> int:
    """Count the references to an array's data exactly as `Direct._writable` does."""
    data = array._data
    return getrefcount(data)


def _probe() -> int:
    array = LazyTensor()
    array._data = BackendData(NO_VALUE.type, NO_VALUE.device)
    return _count_references(array)


_DATA_REFERENCES: Final = _probe()
