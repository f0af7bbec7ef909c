"""Families of operations, by which drawings are coloured: elementwise, reduction, data movement, and so on."""

from __future__ import annotations

from typing import Final, Literal

from latebind.ir.builder import CONSTANT, DEVICE_DATA
from latebind.ir.opkind import OpKind
from latebind.runtime.signature import Rule

Family = Literal[
    "input",
    "constant",
    "elementwise",
    "conversion",
    "reduction",
    "movement",
    "indexing",
    "linear algebra",
    "sorting",
    "random numbers",
    "other",
]

#: Colour of each family on a light and on a dark ground.
COLOURS: Final[dict[Family, tuple[str, str]]] = {
    "input": ("#dbe3ee", "#3b4a60"),
    "constant": ("#f1f5f9", "#1f2a3d"),
    "elementwise": ("#bfdbfe", "#1d4ed8"),
    "conversion": ("#c3f0f7", "#0e7490"),
    "reduction": ("#fde68a", "#92580a"),
    "movement": ("#ddd6fe", "#6d28d9"),
    "indexing": ("#fbcfe8", "#a81e63"),
    "linear algebra": ("#fecaca", "#b42020"),
    "sorting": ("#bbf7d0", "#15803d"),
    "random numbers": ("#fed7aa", "#b3470d"),
    "other": ("#e5e7eb", "#4b5563"),
}

#: By the module of a rule.
_OF_MODULES: Final[dict[str, Family]] = {
    "creation": "constant",
    "elementwise": "elementwise",
    "factorisations": "linear algebra",
    "fourier": "linear algebra",
    "indexing": "indexing",
    "linear": "linear algebra",
    "norms": "linear algebra",
    "random_numbers": "random numbers",
    "random_variates": "random numbers",
    "reductions": "reduction",
    "shapes": "movement",
    "sorting": "sorting",
}

#: By the name in the op table; what is not here is elementwise, or goes by its namespace.
_NAMES: Final[tuple[tuple[Family, tuple[str, ...]], ...]] = (
    ("constant", ("constant", "iota", "tensor_data")),
    ("conversion", ("convert", "bitcast_convert", "cast", "astype")),
    ("reduction", ("reduce", "reduce_window", "argmax", "argmin", "cumulative_sum", "cumulative_prod")),
    ("movement", ("broadcast_in_dim", "reshape", "transpose", "reverse", "concatenate", "pad", "tensor_list")),
    ("movement", ("get_dimension_size", "ltc_get_dimensions_size", "replication_pad", "replication_pad_backward")),
    ("indexing", ("slice", "dynamic_slice", "dynamic_update_slice", "gather", "scatter", "__setitem__")),
    ("linear algebra", ("dot_general", "cholesky", "triangular_solve", "fft")),
    ("sorting", ("sort", "nms")),
    ("other", ("optimization_barrier", "all_to_all", "collective_permute", "cross_replica_sum", "moving_average")),
    ("other", ("not_supported",)),
)
_OF_NAMES: Final[dict[str, Family]] = {name: family for family, names in _NAMES for name in names}

_OF_NAMESPACES: Final[dict[str, Family]] = {"linalg": "linear algebra", "random": "random numbers"}

#: Kinds that stand for rules; their names alone do not say what they are.
_recorded: Final[dict[OpKind, Family]] = {}


def recorded_kind(rule: Rule) -> OpKind:
    """Return the kind that stands for an array operation in the drawing of a recording: `array::mean`."""
    kind = OpKind.get(f"array::{rule.name}")
    if kind not in _recorded:
        module = rule.function.__module__.rpartition(".")[2]
        _recorded[kind] = _OF_NAMES.get(rule.name) or _OF_MODULES.get(module, "other")
    return kind


def family_of(kind: OpKind) -> Family:
    """Return the family of an operation."""
    if kind is DEVICE_DATA:
        return "input"
    if kind is CONSTANT:
        return "constant"
    known = _recorded.get(kind)
    if known is not None:
        return known
    return _OF_NAMES.get(kind.name) or _OF_NAMESPACES.get(kind.namespace, "elementwise")
