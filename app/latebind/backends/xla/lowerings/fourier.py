"""Fourier transforms."""

from __future__ import annotations

from latebind.backends.xla.lowering import Operands
from latebind.backends.xla.lowering import XlaLoweringContext as Context
from latebind.backends.xla.mlir import array_attribute
from latebind.ir.attributes import ints
from latebind.ir.node import Node


@Context.register("stablehlo::fft")
def fft(context: Context, node: Node, operands: Operands) -> Operands:
    """XLA's own."""
    kind, lengths = node.attributes["fft_type"], ints(node.attributes, "fft_length")
    attributes = f"fft_type = #stablehlo<fft_type {kind}>, fft_length = {array_attribute(lengths)}"
    return (context.op("fft", *operands, type=node.types[0], attributes=attributes),)
