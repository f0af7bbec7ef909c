"""The exception tree.

Every exception derives from `LatebindError` and also from the built-in exception that a NumPy user would catch. A
message says what was wrong, where (the user's line, or the key's path), and what to do.
"""

from __future__ import annotations

from numpy.linalg import LinAlgError as _NumpyLinAlgError


class LatebindError(Exception):
    """Root of all errors that latebind raises on purpose."""


class SettingsError(LatebindError, ValueError):
    """A configuration that cannot be used: the message gives the key's path, its source and the remedy."""


class BackendNotRegisteredError(LatebindError, RuntimeError):
    """No backend is registered in the process-wide cell. Register one with `BackendRegistrar(backend)`, or take the
    container's: `default_container().backend()`.
    """

    def __init__(self, message: str = "Lazy tensor backend not registered.") -> None:
        super().__init__(message)


class BackendUnavailableError(LatebindError, RuntimeError):
    """A known backend whose engine cannot be imported; the message names the extra to install."""


class TypeInferenceError(LatebindError):
    """Operands or attributes that break a constraint of an operation."""


class ShapeMismatchError(TypeInferenceError, ValueError):
    """Operand shapes (or axis arguments) that do not fit the operation."""


class LinAlgError(LatebindError, _NumpyLinAlgError):
    """What `except numpy.linalg.LinAlgError` catches: operands that are no matrices, or a matrix without the result."""


class MatrixShapeError(ShapeMismatchError, LinAlgError):
    """An operand of a factorisation that is no matrix, or not a square one where it has to be."""


class AxisError(ShapeMismatchError, IndexError):
    """An axis that the array does not have; like NumPy's, both a `ValueError` and an `IndexError`."""


class DTypeMismatchError(TypeInferenceError, TypeError):
    """Operand dtypes that do not fit the operation."""


class SyncForbiddenError(LatebindError, RuntimeError):
    """A value was read inside `forbid_sync`."""


class OutOfBoundsError(LatebindError, IndexError):
    """An index outside the array, found when recorded or, for indices that are data, at the first use of a result."""


class ScalarRangeError(LatebindError, OverflowError):
    """A Python integer that does not fit the dtype it would have to take."""


class UnsupportedOpError(LatebindError, NotImplementedError):
    """An operation that the backend can neither lower nor decompose, with no fallback allowed."""


class LoweringError(LatebindError, RuntimeError):
    """A graph that could not be turned into a computation."""


class VerificationError(LoweringError):
    """A graph that breaks an invariant of the IR: a bug in a builder, a decomposition or a backend."""


class CompilationError(LatebindError, RuntimeError):
    """The engine refused a computation."""


class ExecutionError(LatebindError, RuntimeError):
    """A computation failed while it ran; the message names the operation and the user's line.

    Parameters
    ----------
    message
        What failed.
    origin
        Position in the recording of the operation that failed (`Node.origin`), or -1 if the engine cannot tell.
    """

    def __init__(self, message: str, *, origin: int = -1) -> None:
        super().__init__(message)
        self.origin = origin


class FactorisationError(ExecutionError, LinAlgError):
    """A matrix that is singular, not positive definite, or whose factorisation did not converge."""


def failure_of(message: str, cause: BaseException, *, origin: int = -1) -> ExecutionError:
    """Return the error of a computation that failed with this cause: of the kind that the cause is.

    PyTorch's error, which has the name of NumPy's, counts as well.
    """
    of_matrix = isinstance(cause, _NumpyLinAlgError) or type(cause).__name__.endswith("LinAlgError")
    return (FactorisationError if of_matrix else ExecutionError)(message, origin=origin)


class DonatedDataError(ExecutionError):
    """The array's old value was donated to a computation that failed, so it is gone."""


class DeviceMismatchError(LatebindError, ValueError):
    """Operands that live on different devices."""


class ContainerMismatchError(LatebindError, ValueError):
    """Arrays of two containers (or of one container across an override of its backend) in one operation."""


class CaptureError(LatebindError, RuntimeError):
    """A value was needed inside a function that is being captured by `compile`."""


class ForkedProcessError(LatebindError, RuntimeError):
    """A pending array or an engine was used in a child made by `fork`; use the `spawn` start method."""


class ShutdownError(LatebindError, RuntimeError):
    """The container was closed and its executor cannot run anything more."""


class ProgramError(LatebindError, RuntimeError):
    """A program given to `latebind run` that cannot be loaded or that raised."""


class ProgramNotFoundError(ProgramError):
    """A program given to `latebind run` that does not exist."""


class ExplanationError(LatebindError, RuntimeError):
    """An explanation that is begun twice."""


class RecompilationWarning(UserWarning):
    """One line has caused more compilations than `tracing.warn_after_compilations` allows without a word."""


class ProfileError(LatebindError, RuntimeError):
    """A profile that is begun while it is on."""


class ProfileFileError(ProfileError, OSError):
    """A file to which a profile cannot be written."""


class WiringError(LatebindError, RuntimeError):
    """Two containers that would inject their objects into one module."""
