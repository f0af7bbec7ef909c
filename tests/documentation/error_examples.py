"""One program per exception: what raises it, when it comes, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Final

from latebind import errors
from latebind.array.namespace import UnknownApiVersionError
from latebind.array.random.distributions import MissingDistributionError


@dataclass(frozen=True, slots=True)
class Example:
    """How an exception comes about.

    Attributes
    ----------
    error : type
    when : str
        When it comes, as a sentence.
    program : str
        `train.py`, which raises it. `lb` is latebind and `np` NumPy without being imported.
    remedy : str
        What to do.
    """

    error: type[Exception]
    when: str
    program: str
    remedy: str


def _example(error: type[Exception], when: str, program: str, remedy: str) -> Example:
    return Example(error, " ".join(when.split()), dedent(program).strip(), " ".join(remedy.split()))


#: Root of everything, and what only its subclasses are raised as.
BASES: Final = {
    errors.LatebindError: "the root of all: catch it to catch whatever latebind raises on purpose",
}

SHAPES: Final = (
    _example(
        errors.ShapeMismatchError,
        "Shapes, or arguments that give one, do not fit the operation. It comes where the operation is written, before "
        "anything runs.",
        """
        x = lb.ones((2, 3))
        y = x + lb.ones((4, 5))
        """,
        "Compare the shapes in the message; `x[:, None]`, `lb.reshape` or `lb.broadcast_to` make them fit.",
    ),
    _example(
        errors.AxisError,
        "An axis that the array does not have; like NumPy's, a `ValueError` and an `IndexError`.",
        """
        lb.sum(lb.ones((2, 3)), axis=2)
        """,
        "Axes count from 0, or from -1 at the end.",
    ),
    _example(
        errors.DTypeMismatchError,
        "Dtypes, or things that are no arrays, that do not fit the operation.",
        """
        x = lb.asarray([1.5, 2.5])
        x & 1
        """,
        "Convert with `lb.astype`, or with `lb.asarray` what is no array yet.",
    ),
    _example(
        errors.MatrixShapeError,
        "An operand of a factorisation that is no matrix, or not square; `numpy.linalg.LinAlgError` as well.",
        """
        lb.linalg.inv(lb.ones((2, 3)))
        """,
        "Use `lb.linalg.pinv` or `svd` for matrices that are not square.",
    ),
    _example(
        errors.ScalarRangeError,
        "A Python integer that does not fit the dtype that it would have to take.",
        """
        image = lb.zeros((8, 8), dtype=lb.uint8)
        image + 300
        """,
        "Convert the array to a wider dtype first: `image.astype(lb.int16) + 300`.",
    ),
    _example(
        errors.OutOfBoundsError,
        "An index outside the array. Where the index is data of an array, it is known when the values are: at the first "
        "use of a result, with the line of the indexing.",
        """
        x = lb.arange(3)
        rows = lb.asarray([0, 7])
        y = x[rows] * 2
        print(y)
        """,
        "Look at the line that the message names, not at the one that reads the result.",
    ),
    _example(
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
    _example(
        errors.FactorisationError,
        "A matrix that is singular, not positive definite, or whose factorisation did not converge; it comes at the first "
        "use of a result, with the line of the factorisation.",
        """
        a = lb.zeros((2, 2))
        b = lb.linalg.inv(a)
        print(b)
        """,
        "Check the matrix (`lb.linalg.matrix_rank`), regularise it, or use `lb.linalg.pinv`.",
    ),
    _example(
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
    ),
    _example(
        errors.SyncForbiddenError,
        "A value was read inside `forbid_sync`, which says that none may be.",
        """
        with lb.forbid_sync():
            loss = lb.sum(lb.ones(3))
            print(float(loss))
        """,
        "Read the value after the block, or keep the computation in arrays (`lb.where` instead of `if`).",
    ),
    _example(
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
    _example(
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
    _example(
        MissingDistributionError,
        "A distribution, or a function of NumPy's legacy interface, that `latebind.random` does not have.",
        """
        lb.random.rand(3)
        """,
        "Write what the message says; `latebind.random.default_rng(seed)` has the distributions that there are.",
    ),
    _example(
        UnknownApiVersionError,
        "A version of the array API standard that latebind does not implement.",
        """
        lb.ones(3).__array_namespace__(api_version="2019.12")
        """,
        "Ask for one that the message lists, or for none.",
    ),
)

CONTAINERS: Final = (
    _example(
        errors.SettingsError,
        "A configuration that cannot be used. The message lists every problem with its key, where it stands, and the "
        "nearest valid name.",
        """
        from pathlib import Path

        from latebind.containers import build_container

        Path("config.yaml").write_text("backend: nunpy\\nrecordng:\\n  limit: 100\\n")
        build_container("config.yaml")
        """,
        "Correct it where the message says; `latebind config schema` prints every key, and `latebind doctor` checks all.",
    ),
    _example(
        errors.BackendUnavailableError,
        "A backend whose engine is not installed, cannot be loaded, or does not start.",
        """
        from latebind.containers import build_container

        build_container(backend="my_package.backend:MyBackend")
        """,
        "Install what the message names; `latebind doctor` tries every backend and says what to do.",
    ),
    _example(
        errors.BackendNotRegisteredError,
        "`get_backend()` was called and no backend is registered in the process-wide cell.",
        """
        from latebind.backends.registrar import get_backend

        get_backend()
        """,
        "Register one with `BackendRegistrar(backend)`, or take the container's: `default_container().backend()`.",
    ),
    _example(
        errors.ContainerMismatchError,
        "Arrays of two containers in one operation, or of one container across an override of its backend.",
        """
        from latebind.containers import build_container

        one, two = build_container(name="one"), build_container(name="two")
        x, y = one.namespace().ones(3), two.namespace().ones(3)
        x + y
        """,
        "Make both in one container, or hand the values over: `lb.asarray(np.asarray(y))`.",
    ),
    _example(
        errors.DeviceMismatchError,
        "Operands on two devices, or a device that the backend does not have.",
        """
        lb.zeros(3, device="cuda:0")
        """,
        "Take a device that the message lists, or move the array with `x.to_device`.",
    ),
    _example(
        errors.ShutdownError,
        "Something was to run after its container was closed.",
        """
        from latebind.containers import build_container

        container = build_container()
        x = container.namespace().ones(3)
        container.close()
        print(x + 1)
        """,
        "Read the values before you close the container, or build another one.",
    ),
    _example(
        errors.ForkedProcessError,
        "A pending array was used in a child made by `fork`, where the engine's threads are not.",
        """
        import multiprocessing

        x = lb.ones(3) + 1

        def work(queue):
            try:
                print(x)
            except lb.LatebindError as error:
                queue.put(error)

        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=work, args=(queue,))
        child.start()
        error = queue.get()
        child.join()
        raise error
        """,
        "`multiprocessing.get_context('spawn')`; or read the values before the fork.",
    ),
    _example(
        errors.WiringError,
        "Two containers would inject their objects into one module.",
        """
        import types

        from latebind.containers import build_container

        module = types.ModuleType("my_module")
        build_container(name="one").wire(modules=[module])
        build_container(name="two").wire(modules=[module])
        """,
        "Unwire or close the first one, or hand the objects over as arguments.",
    ),
)

ENGINES: Final = (
    _example(
        errors.ExecutionError,
        "A computation failed while it ran, out of memory for example; at the first use of a result, with the line.",
        """
        from latebind.backends.numpy.backend import NumpyBackend
        from latebind.containers import build_container
        from latebind.testing import FailingBackend

        broken = FailingBackend(NumpyBackend(), fail_on="execute", operation="exponential")
        container = build_container()
        with container.backend.override(broken), container:
            x = lb.ones(3)
            y = lb.exp(x) + 1
            print(y)
        """,
        "Look at the line and at what the engine says; `LATEBIND_BACKEND=numpy` shows whether it is the engine.",
    ),
    _example(
        errors.UnsupportedOpError,
        "An operation that the backend can neither lower nor decompose, under `fallback: error`.",
        """
        from latebind.backends.numpy.backend import NumpyBackend
        from latebind.containers import build_container

        class Engine(NumpyBackend):
            gaps = {"stablehlo::sort": frozenset({"float64"})}
            direct = False
            interpretations = 0

        container = build_container(fallback="error")
        with container.backend.override(Engine()), container:
            x = lb.asarray([3.0, 1.0, 2.0])
            print(lb.sort(x))
        """,
        "Set `fallback: reference`, which runs it on NumPy and counts it, or rewrite the line that the message names.",
    ),
    _example(
        errors.CompilationError,
        "The engine refused a computation, under `fallback: error`; else it runs on the reference backend and is logged.",
        """
        from latebind.backends.numpy.backend import NumpyBackend
        from latebind.containers import build_container
        from latebind.testing import FailingBackend

        broken = FailingBackend(NumpyBackend(), fail_on="compile")
        container = build_container(fallback="error")
        with container.backend.override(broken), container:
            print(lb.ones(3) + 1)
        """,
        "It is a bug of the backend or of its engine: report it with the graph in the exception's notes.",
    ),
    _example(
        errors.LoweringError,
        "A backend could not turn a graph into a computation, under `fallback: error`.",
        """
        from latebind.backends.numpy.backend import NumpyBackend
        from latebind.containers import build_container
        from latebind.testing import FailingBackend

        broken = FailingBackend(NumpyBackend(), fail_on="lower", operation="add")
        container = build_container(fallback="error")
        with container.backend.override(broken), container:
            print(lb.ones(3) + 1)
        """,
        "As above; docs/backends.md says what a lowering function has to do.",
    ),
    _example(
        errors.VerificationError,
        "A graph breaks an invariant of the IR, found under `verify: true`: a bug in a rule, a decomposition or a "
        "backend.",
        """
        from latebind.ir.builder import IrBuilder
        from latebind.ir.node import Value
        from latebind.ir.verifier import verify

        x = IrBuilder().make_scalar(1.0, np.dtype("float64"))
        verify([Value(x, 3)])
        """,
        "Report it with the message, which names the node and the record.",
    ),
)

PROGRAMS: Final = (
    _example(
        errors.ProgramError,
        "A program of `latebind run` raised, or left with another code than 0. The command prints the program's own "
        "traceback and leaves with 1.",
        """
        from pathlib import Path

        from latebind.cli.main import app

        Path("model.py").write_text("1 / 0")
        app(["run", "model.py"], standalone_mode=False)
        """,
        "The traceback above the message shows your frames.",
    ),
    _example(
        errors.ProgramNotFoundError,
        "There is no such program.",
        """
        from latebind.cli.main import app

        app(["run", "digit"], standalone_mode=False)
        """,
        "Name one of latebind's programs, or a file by its path.",
    ),
)

#: Sections of the page.
SECTIONS: Final = {
    "Shapes, dtypes and indices": SHAPES,
    "Values": VALUES,
    "Configuration and containers": CONTAINERS,
    "Engines": ENGINES,
    "The command line": PROGRAMS,
}
