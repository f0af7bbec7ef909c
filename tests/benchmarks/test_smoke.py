"""Every workload gives NumPy's result on every backend, and the benchmark runs. No wall time is asserted."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from latebind.backends.registry import catalogue
from tests.benchmarks.case import Spread, geometric_mean, growth_exponent
from tests.benchmarks.comparison import Comparison
from tests.benchmarks.contenders import BACKENDS, CONTENDERS, LATEBIND
from tests.benchmarks.goals import goals
from tests.benchmarks.libraries.library import Library, load
from tests.benchmarks.operation_times import operation_times
from tests.benchmarks.results import Results
from tests.benchmarks.workers import ContenderError, Process
from tests.benchmarks.workloads import WORKLOADS, flat
from tests.engines import need
