"""The user's own PyTorch modes, which must not reach our computations.

The default dtype, the default device and grad mode need nothing: every factory call gives dtype and device, and our
tensors require no gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

_is_inference = torch.is_inference_mode_enabled
_is_autocast = torch._C._is_any_autocast_enabled


def is_disturbed() -> bool:
    """Whether a mode is on that would change results or what may be done with them later; takes 0.1 us.

    Tensors made in inference mode cannot be updated outside of it; autocast multiplies matrices in bfloat16.
    """
    return _is_inference() or _is_autocast()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Switch these modes off for this thread, and put them back after."""
    with ExitStack() as stack:
        if _is_inference():
            stack.enter_context(torch.inference_mode(False))
        if _is_autocast():
            for device in ("cpu", "cuda"):
                if torch.is_autocast_enabled(device):
                    stack.enter_context(torch.autocast(device, enabled=False))
        yield
