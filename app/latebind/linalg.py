"""The `linalg` extension of the array API standard (linear algebra)."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from latebind.array.decomposition_functions import (
    cholesky,
    det,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    inv,
    matrix_power,
    matrix_rank,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
)
from latebind.array.linear_algebra_functions import matmul, matrix_transpose, tensordot, vecdot
from latebind.array.matrix_functions import cross, diagonal, matrix_norm, outer, trace, vector_norm
from latebind.errors import LinAlgError

if not _TYPE_CHECKING:  # type checkers know which names there are

    def __getattr__(name: str) -> None:
        from latebind.missing_names import missing_name

        raise missing_name("latebind.linalg", name)


__all__ = [
    "LinAlgError",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
