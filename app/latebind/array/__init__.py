"""The lazy array and the array API namespace, a module per section of the standard."""

import sys
from types import ModuleType
from typing import NoReturn


class _Package(ModuleType):
    """Says what `latebind.array(...)` would be, which who comes from NumPy writes."""

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        raise TypeError("latebind.array is a package: latebind.asarray makes arrays, or latebind.numpy.array")


sys.modules[__name__].__class__ = _Package
