"""NumPy's namespace on lazy arrays: `import latebind.numpy as np` in front of code that says `np.`.

Names, signatures, defaults and results are NumPy's; `docs/from-numpy.md` says what differs, and
`docs/numpy-coverage.md` what is there. Functions that need values say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from latebind.numpy import fft as fft
from latebind.numpy import linalg as linalg
from latebind.numpy import random as random
from latebind.numpy.calculus import *  # noqa: F403
from latebind.numpy.creation import *  # noqa: F403
from latebind.numpy.grids import *  # noqa: F403
from latebind.numpy.histograms import *  # noqa: F403
from latebind.numpy.joining import *  # noqa: F403
from latebind.numpy.logic import *  # noqa: F403
from latebind.numpy.logic import astype_function
from latebind.numpy.matrices import *  # noqa: F403
from latebind.numpy.padding import *  # noqa: F403
from latebind.numpy.polynomials import *  # noqa: F403
from latebind.numpy.products import *  # noqa: F403
from latebind.numpy.quantiles import *  # noqa: F403
from latebind.numpy.reductions import *  # noqa: F403
from latebind.numpy.scalar_functions import *  # noqa: F403
from latebind.numpy.scalar_types import *  # noqa: F403
from latebind.numpy.selection import *  # noqa: F403
from latebind.numpy.shaping import *  # noqa: F403
from latebind.numpy.sorting import *  # noqa: F403
from latebind.numpy.storage import *  # noqa: F403
from latebind.numpy.ufuncs import *  # noqa: F403

astype = astype_function

if not TYPE_CHECKING:  # type checkers know which names there are

    def __getattr__(name: str) -> None:
        from latebind.missing_names import missing_name as error

        raise error("latebind.numpy", name)
