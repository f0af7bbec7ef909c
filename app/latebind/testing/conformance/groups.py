"""Groups of cases: the samples of one operation for one dtype, which are compiled together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

from latebind.errors import LatebindError
from latebind.ir.builder import IrBuilder
from latebind.ir.ltc_ops import REFUSED
from latebind.ir.opkind import OpKind
from latebind.ir.optable import all_operations, lookup
from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import DTYPES, Sample, generators, type_of

DEVICE_DATA = OpKind.get("lazy_tensors::device_data")


@dataclass(frozen=True, slots=True)
class Case:
    """One application of an operation, with its name: `stablehlo::add[float32]-special`."""

    kind: str
    dtype: DType
    sample: Sample

    @property
    def name(self) -> str:
        """Name that deviations match."""
        return f"{self.kind}[{self.dtype.name}]-{self.sample.label}"


@dataclass(frozen=True, slots=True)
class Group:
    """The cases of one operation for one dtype."""

    kind: str
    dtype: DType

    @property
    def name(self) -> str:
        """Name of the test."""
        return f"{self.kind}[{self.dtype.name}]"

    def cases(self) -> list[Case]:
        """Make the cases."""
        return [Case(self.kind, self.dtype, each) for each in generators()[self.kind](self.kind, self.dtype)]


def operations() -> list[OpKind]:
    """Return every operation that the kit checks: the op table without the kinds that are known by name only."""
    refused = {OpKind.get(f"lazy_tensors::{name}") for name in REFUSED}
    return [definition.kind for definition in all_operations() if definition.kind not in refused]


def takes(kind: str, dtype: DType) -> bool:
    """Whether the operation's type rule accepts operands (or, without operands, results) of a dtype."""
    generator = generators()[kind](kind, dtype)
    definition = lookup(OpKind.get(kind))
    assert definition is not None
    if definition.leaf:
        return True
    try:
        for first in islice(generator, 1):
            types = [type_of(operand.value) for operand in first.operands]
            definition.infer(types, first.attributes)
    except LatebindError:
        return False
    return True


@cache
def all_groups() -> tuple[Group, ...]:
    """Return every group that there is, in the order of the op table."""
    IrBuilder()  # importing it has filled the op table

    def found() -> Iterator[Group]:
        for kind in operations():
            for dtype in DTYPES:
                if takes(kind.qualified, dtype):
                    yield Group(kind.qualified, dtype)

    return tuple(found())
