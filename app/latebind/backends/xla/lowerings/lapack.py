"""Calls of LAPACK on the host, through the targets that jaxlib registers; how XLA's own CPU programs factorise.

LAPACK wants matrices column by column. The layouts of the call say so, and XLA rearranges where it has to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from latebind.backends.xla.client import lapack_target
from latebind.backends.xla.lowering import Emitted, Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.ir.types import TensorType

INT32: Final = np.dtype(np.int32)


def call(
    context: Context,
    routine: str,
    operands: Operands,
    types: Sequence[TensorType],
    batch: int,
    *,
    overwrites: int = 0,
    **options: str,
) -> tuple[Emitted, ...]:
    """Call a routine for each matrix of a batch; the first result takes the memory of operand `overwrites`.

    Parameters
    ----------
    routine
        LAPACK's name without the letter of the precision: `"getrf"`.
    types
        Types of the results.
    batch
        Number of leading dimensions that are no matrix.
    options
        LAPACK's one-letter arguments.
    """
    target = lapack_target(routine, operands[0].type.dtype)
    alias = (
        f"#stablehlo.output_operand_alias<output_tuple_indices = [{'0' if len(types) > 1 else ''}], "
        f"operand_index = {overwrites}, operand_tuple_indices = []>"
    )
    attributes = (
        f'call_target_name = "{target}", api_version = 4 : i32, backend_config = {_config(options)}, '
        f"operand_layouts = {_layouts([operand.type for operand in operands], batch)}, "
        f"result_layouts = {_layouts(types, batch)}, output_operand_aliases = [{alias if overwrites >= 0 else ''}]"
    )
    return context.ops("custom_call", operands, types, attributes)


def _config(options: Mapping[str, str]) -> str:
    return f"{{{', '.join(f'{name} = {ord(letter)} : ui8' for name, letter in sorted(options.items()))}}}"


def _layouts(types: Sequence[TensorType], batch: int) -> str:
    return f"[{', '.join(_layout(type.rank, batch) for type in types)}]"


def _layout(rank: int, batch: int) -> str:
    """Dimensions from the one that changes fastest: columns are contiguous, the batch is outermost."""
    order = [*range(batch, rank), *reversed(range(batch))]
    return f"dense<{order if rank != 1 else order[0]}> : tensor<{rank}xindex>" if rank else "dense<> : tensor<0xindex>"


def info_type(type: TensorType, batch: int) -> TensorType:
    """Return the type of LAPACK's `info`: one number per matrix."""
    return TensorType.of(type.shape[:batch], INT32)


def or_nan(context: Context, value: Emitted, info: Emitted) -> Emitted:
    """Return NaN for the matrices for which LAPACK reports that there is no result."""
    done = context.compare("EQ", info, context.splat(0, info.type))
    done = spread(context, done, value.type.shape, range(info.type.rank))
    nan = complex(math.nan, math.nan) if value.type.dtype.kind == "c" else math.nan
    return context.select(done, value, context.splat(nan, value.type))


def spread(context: Context, value: Emitted, shape: tuple[int, ...], dimensions: Sequence[int]) -> Emitted:
    """Return a value repeated to a shape, its dimensions becoming these."""
    listed = ", ".join(map(str, dimensions))
    attributes = f"broadcast_dimensions = array<i64{': ' if listed else ''}{listed}>"
    return context.op("broadcast_in_dim", value, type=value.type.with_shape(shape), attributes=attributes)
