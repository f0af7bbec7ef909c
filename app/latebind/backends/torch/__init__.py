"""The torch backend: graphs become `torch.fx` graphs, for PyTorch's eager mode, TorchScript or Inductor."""

from typing import Final

#: How often a new graph runs operation by operation before it is compiled, per compiler. Measured with a chain of 200
#: small additions and products: an operation takes 7.4 us interpreted, 1.7 compiled for eager mode (110 us to compile)
#: and 1.3 compiled for TorchScript (72 us), so compiling pays after 19 and 12 runs; half of that loses little if a
#: graph comes back for long. Inductor takes seconds; who chooses it has graphs that run often.
COMPILED_AFTER: Final = {"eager": 9, "torchscript": 6, "inductor": 10}
