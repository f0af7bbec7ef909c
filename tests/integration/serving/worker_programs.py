"""Programs that the tests of the workers serve, well-behaved and not."""

from __future__ import annotations

import os
import re
import sys
import time

import numpy as np

import latebind as lb

RAISE, EXIT, DIE, HANG, DEVOUR, WAIT = 1001.0, 1002.0, 1003.0, 1004.0, 1005.0, 1006.0


def double(x):
    return x * 2.0


def affine(x, weights):
    return {"y": x @ weights["w"] + weights["b"], "total": lb.sum(x, axis=1)}


def several(x, n):
    return x + n[:, None], n * 2


def trouble(x):
    """Double the rows; a row that starts with one of the numbers above makes trouble first."""
    asked = set(np.asarray(x)[:, 0].tolist())
    if RAISE in asked:
        raise ValueError("a row of /srv/models/secret.py asks for it")
    if EXIT in asked:
        sys.exit("leaving")
    if DIE in asked:
        os._exit(7)
    if HANG in asked:
        while True:
            pass
    if DEVOUR in asked:
        np.ones(1 << 30)
    if WAIT in asked:
        while not os.path.exists(os.environ["GATE"]):
            time.sleep(0.002)
    return x * 2.0


def backtracks(x):
    """Spend a lifetime in a function in C that keeps the interpreter's lock, if the first number says so."""
    if float(x[0, 0]) == HANG:
        re.match("(a+)+$", "a" * 60 + "b")
    return x


def wrong_dtype(x):
    return lb.astype(x, lb.float64)


def wrong_rows(x):
    return lb.sum(x, axis=0, keepdims=True)


def broken(x):
    raise RuntimeError("never works")


def square_sums(x):
    return lb.sum(x * x, axis=1)


def prints(x):
    print("from the program")
    return x
