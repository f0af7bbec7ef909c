"""Errors of configurations, containers, engines, the command line and the server: one program per exception."""

from __future__ import annotations

from typing import Final

from tests.documentation.example import example

from latebind import errors
from latebind.services.serving import errors as serving

CONTAINERS: Final = (
    example(
        errors.SettingsError,
        "A configuration that cannot be used. The message lists every problem with its key, where it stands, and the "
        "nearest valid name.",
        """
        from pathlib import Path

        from latebind.containers import build_container

        Path("config.yaml").write_text("eager: often\\nrecordng:\\n  limit: 100\\n")
        build_container("config.yaml")
        """,
        "Correct it where the message says; `latebind config schema` prints every key.",
    ),
    example(
        errors.BackendUnavailableError,
        "A backend whose engine is not installed, cannot be loaded, or does not start.",
        """
        from latebind.containers import build_container

        build_container(backend="my_package.backend:MyBackend")
        """,
        "Install what the message names; `latebind doctor` tries every backend and says what to do.",
    ),
    example(
        errors.BackendNotRegisteredError,
        "`get_backend()` was called and no backend is registered in the process-wide cell.",
        """
        from latebind.backends.registrar import get_backend

        get_backend()
        """,
        "Register one with `BackendRegistrar(backend)`, or take the container's: `default_container().backend()`.",
    ),
    example(
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
    example(
        errors.DeviceMismatchError,
        "Operands on two devices, or a device that the backend does not have.",
        """
        lb.zeros(3, device="cuda:0")
        """,
        "Take a device that the message lists, or move the array with `x.to_device`.",
    ),
    example(
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
    example(
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
    example(
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
    example(
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
    example(
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
    example(
        errors.CompilationError,
        "The engine refused a computation, under `fallback: error`; else it runs on NumPy, and that is logged.",
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
    example(
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
    example(
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
    example(
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
    example(
        errors.ProgramNotFoundError,
        "There is no such program.",
        """
        from latebind.cli.main import app

        app(["run", "digit"], standalone_mode=False)
        """,
        "Name one of latebind's programs, or a file by its path.",
    ),
)

SERVING: Final = (
    example(
        serving.ProgramLoadError,
        """
        A program of `latebind serve` cannot be loaded: its module, function, weights or parameters are not what the
        configuration says.
        """,
        """
        from pathlib import Path

        from latebind.services.serving.program import load_function

        load_function("model.py:predict", Path())
        """,
        "Correct the file's or the function's name; paths count from the directory of the configuration file.",
    ),
    example(
        serving.ResultMismatchError,
        "What a served program returned has other names, dtypes or shapes than its declared outputs.",
        """
        from latebind.services.serving.program import host_result
        from latebind.services.serving.settings import TensorSettings

        declared = TensorSettings(name="y", datatype="FP32", shape=(-1, 10))
        host_result(lb.ones((4, 10)), declared, rows=4)
        """,
        "Correct the declaration under `outputs`, or what the function returns.",
    ),
)
