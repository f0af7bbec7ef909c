"""Errors of array code: one program per exception, when it comes, and what to do about it."""

from __future__ import annotations

from typing import Final

from tests.documentation.example import example

from latebind import errors
from latebind.array.namespace import UnknownApiVersionError
from latebind.array.random.distributions import MissingDistributionError

SHAPES: Final = (
    example(
        errors.ShapeMismatchError,
        "Shapes, or arguments that give one, do not fit the operation. It comes where the operation is written, before "
        "anything runs.",
        """
        x = lb.ones((2, 3))
        y = x + lb.ones((4, 5))
        """,
        "Compare the shapes in the message; `x[:, None]`, `lb.reshape` or `lb.broadcast_to` make them fit.",
    ),
    example(
        errors.AxisError,
        "An axis that the array does not have; like NumPy's, a `ValueError` and an `IndexError`.",
        """
        lb.sum(lb.ones((2, 3)), axis=2)
        """,
        "Axes count from 0, or from -1 at the end.",
    ),
    example(
        errors.DTypeMismatchError,
        "Dtypes, or things that are no arrays, that do not fit the operation.",
        """
        x = lb.asarray([1.5, 2.5])
        x & 1
        """,
        "Convert with `lb.astype`, or with `lb.asarray` what is no array yet.",
    ),
    example(
        errors.MatrixShapeError,
        "An operand of a factorisation that is no matrix, or not square; `numpy.linalg.LinAlgError` as well.",
        """
        lb.linalg.inv(lb.ones((2, 3)))
        """,
        "Use `lb.linalg.pinv` or `svd` for matrices that are not square.",
    ),
    example(
        errors.ScalarRangeError,
        "A Python integer that does not fit the dtype that it would have to take.",
        """
        image = lb.zeros((8, 8), dtype=lb.uint8)
        image + 300
        """,
        "Convert the array to a wider dtype first: `image.astype(lb.int16) + 300`.",
    ),
    example(
        errors.OutOfBoundsError,
        "An index outside the array. Where the index is data of an array, it is known when the values are: at the "
        "first use of a result, with the line of the indexing.",
        """
        x = lb.arange(3)
        rows = lb.asarray([0, 7])
        y = x[rows] * 2
        print(y)
        """,
        "Look at the line that the message names, not at the one that reads the result.",
    ),
    example(
        errors.TypeInferenceError,
        "An operation that a program builds by hand, with the IR builder, lacks an attribute or an operand. The errors "
        "above are of this kind, too.",
        """
        from latebind.ir.builder import IrBuilder

        builder = IrBuilder()
        x = builder.make_scalar(1.0, np.dtype("float64")).value()
        builder.op("stablehlo::transpose", x)
        """,
        "See the operation's declaration in `latebind/ir/ops`.",
    ),
)

VALUES: Final = (
    example(
        errors.FactorisationError,
        "A matrix that is singular, not positive definite, or whose factorisation did not converge; it comes at the "
        "first use of a result, with the line of the factorisation.",
        """
        a = lb.zeros((2, 2))
        b = lb.linalg.inv(a)
        print(b)
        """,
        "Check the matrix (`lb.linalg.matrix_rank`), regularise it, or use `lb.linalg.pinv`.",
    ),
    example(
        errors.LinAlgError,
        "The class to catch for both kinds of errors in linear algebra: operands that are no matrices, and matrices "
        "without the result. `except numpy.linalg.LinAlgError` catches it as well.",
        """
        a = -lb.eye(2)
        try:
            print(lb.linalg.cholesky(a))
        except lb.linalg.LinAlgError as error:
            raise
        """,
        "As above.",
        by_subclass=True,
    ),
    example(
        errors.SyncForbiddenError,
        "A value was read inside `forbid_sync`, which says that none may be.",
        """
        with lb.forbid_sync():
            loss = lb.sum(lb.ones(3))
            print(float(loss))
        """,
        "Read the value after the block, or keep the computation in arrays (`lb.where` instead of `if`).",
    ),
    example(
        errors.CaptureError,
        "A value was needed inside a function that `compile` captures: there is none yet.",
        """
        @lb.compile
        def step(x):
            if lb.sum(x) > 0:
                return x
            return -x


        step(lb.ones(3))
        """,
        "Use `lb.where(condition, x, -x)`, or read the value outside and hand it over as a static argument.",
    ),
    example(
        errors.DonatedDataError,
        "An array whose memory was given away: to a compiled function that may overwrite it, or to a computation that "
        "failed.",
        """
        step = lb.compile(lambda w: w * 2, donate_argnums=0)
        w = lb.ones(3)
        step(w)
        print(w)
        """,
        "Use what the call returned, `w = step(w)`, or leave `donate_argnums` out.",
    ),
    example(
        MissingDistributionError,
        "A distribution, or a function of NumPy's legacy interface, that `latebind.random` does not have.",
        """
        lb.random.rand(3)
        """,
        "Write what the message says; `latebind.random.default_rng(seed)` has the distributions that there are.",
    ),
    example(
        UnknownApiVersionError,
        "A version of the array API standard that latebind does not implement.",
        """
        lb.ones(3).__array_namespace__(api_version="2019.12")
        """,
        "Ask for one that the message lists, or for none.",
    ),
)
