"""What one PyTorch call does not do: ordinary functions over tensors, which lowering expands into FX nodes.

Kernels have static control flow, call PyTorch's functions only, and take no type from their operands: where they need a
dtype it is an argument.
"""
