"""PyTorch's functions under NumPy's names and conventions, as far as the workloads need them.

A few lines per function, so that PyTorch runs the kernels as they are; each adds less than a microsecond to a call.
"""

from __future__ import annotations

from typing import Any

import torch

exp, log, sqrt, abs, reshape, tril, outer = (
    torch.exp,
    torch.log,
    torch.sqrt,
    torch.abs,
    torch.reshape,
    torch.tril,
    torch.outer,
)
zeros_like = torch.zeros_like
arange = torch.arange
newaxis = None
float32, float64, int64 = torch.float32, torch.float64, torch.int64


def maximum(x: Any, y: Any) -> Any:
    return torch.maximum(x, y) if isinstance(y, torch.Tensor) else torch.clamp_min(x, y)


def minimum(x: Any, y: Any) -> Any:
    return torch.minimum(x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    return torch.where(condition, x, y)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.sum(x) if axis is None else torch.sum(x, dim=axis, keepdim=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.mean(x) if axis is None else torch.mean(x, dim=axis, keepdim=keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return torch.amax(x) if axis is None else torch.amax(x, dim=axis, keepdim=keepdims)


def argmin(x: Any, axis: Any = None) -> Any:
    return torch.argmin(x, dim=axis)


def zeros(shape: Any, dtype: Any = torch.float64) -> Any:
    return torch.zeros(shape, dtype=dtype)


def empty(shape: Any, dtype: Any = torch.float64) -> Any:
    return torch.empty(shape, dtype=dtype)


def prepare() -> None:
    """Give tensors the methods of NumPy's arrays that the kernels call."""
    for name, method in {"copy": torch.Tensor.clone, "astype": torch.Tensor.to}.items():
        if not hasattr(torch.Tensor, name):
            setattr(torch.Tensor, name, method)
