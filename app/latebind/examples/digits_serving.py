"""The digits network as a served program: `config/serve.yaml` names `predict`, `run digits -- --save` its weights."""

from __future__ import annotations

from collections.abc import Mapping

import latebind as lb
from latebind import Array


def predict(images: Array, weights: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return what the digits on images are, and how sure that is.

    Parameters
    ----------
    images
        float32, `(n, 64)`: eight rows of eight pixels each, 0 (paper) to 1 (ink).
    weights
        `w1`, `b1`, `w2` and `b2` of the network in `latebind.examples.digits`.

    Returns
    -------
    probabilities
        float32, `(n, 10)`: of each digit; a row's sum is 1.
    digit
        int64, `(n,)`: the most likely one.
    """
    hidden = lb.maximum(images @ weights["w1"] + weights["b1"], 0)
    logits = hidden @ weights["w2"] + weights["b2"]
    exponentials = lb.exp(logits - lb.max(logits, axis=1, keepdims=True))
    probabilities = exponentials / lb.sum(exponentials, axis=1, keepdims=True)
    return probabilities, lb.argmax(logits, axis=1)
