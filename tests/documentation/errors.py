"""Write docs/errors.md: every exception and warning, with the message that it has today.

`python -m tests.documentation.errors` runs each example in a process of its own and writes the page.
"""

from __future__ import annotations

import importlib
import io
import multiprocessing
import os
import pkgutil
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from textwrap import wrap
from typing import Final

import numpy as np
from tests.documentation.error_examples import BASES, SECTIONS, UNPUBLISHED
from tests.documentation.example import Example

import latebind
from latebind import errors

PAGE: Final = Path(__file__).parents[2] / "docs" / "errors.md"
#: Seconds after which an example counts as hanging.
_PATIENCE: Final = 60.0
_HEAD: Final = """\
# Errors

What latebind raises on purpose is a `latebind.LatebindError`, and also the built-in exception, or NumPy's, that code
written for NumPy catches: `except ValueError` goes on catching two shapes that do not fit. A message says what is
wrong, where, and what to do.

**Where.** Most mistakes are found where they are written: shapes and dtypes are checked when an operation is
recorded. What depends on values (an index out of range, a singular matrix, memory that runs out) is found when the
recording runs, at the first use of a result. The traceback then ends at that use; the message names the line that
recorded the operation, and that line is the one to look at.

**What else is raised.** What NumPy raises for the same mistake, where latebind does as NumPy does: `IndexError` for
too many indices, `TypeError` for an argument that there is not, `KeyError`, `OverflowError`, ... The messages of the
[server](serving.md) to its clients have a table of their own there.

Some messages come from the libraries below latebind. `assignment destination is read-only` is NumPy's: `np.asarray(x)`
is the memory of a lazy array, seen but not to be written; `np.array(x)` is a copy. `'Provide' object has no attribute
...` is what a function with `@inject` meets whose module no container wires: `container.wire(modules=[__name__])`.

Each example below is a file `train.py`, run on the NumPy backend; `lb` is latebind and `np` is NumPy. Its message is
what running it says: the page is written by `python -m tests.documentation.errors`, and a test compares the two.
Times are left out. Unless an entry says otherwise, the class is in `latebind.errors`.
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """What an example ended with: the exception's type by its full name, and its message with its notes."""

    kind: str
    message: str


def page() -> str:
    """Return the page as it is to be now; running every example takes seconds."""
    parts = [_HEAD, _contents()]
    for title, examples in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts.extend(_entry(example) for example in examples)
    return "\n".join(parts)


def published() -> set[type[BaseException]]:
    """Return every exception and warning that latebind defines for its users: no private ones."""
    found = set()
    for module in _modules():
        for name, each in vars(module).items():
            ours = isinstance(each, type) and each.__module__ == module.__name__ and not name.startswith("_")
            if ours and issubclass(each, errors.LatebindError | Warning):
                found.add(each)
    return found


def described() -> set[type[BaseException]]:
    """Return those that the page describes, or that another page does."""
    shown = {example.error for examples in SECTIONS.values() for example in examples}
    return {*shown, *BASES, *UNPUBLISHED}


def run_example(example: Example) -> Raised:
    """Run an example in a process of its own, in an empty folder, and return what it ended with."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        child = context.Process(target=_run, args=(example, folder, sender))
        child.start()
        sender.close()
        try:
            if not receiver.poll(_PATIENCE):
                raise TimeoutError(f"the example of {example.error.__name__} does not end")
            return Raised(*receiver.recv())
        finally:
            child.kill()
            child.join()
            receiver.close()


def _run(example: Example, folder: str, sender: Connection) -> None:
    for name in [name for name in os.environ if name.startswith("LATEBIND_")]:
        del os.environ[name]
    os.environ["LATEBIND_BACKEND"] = "numpy"
    os.chdir(folder)
    Path("train.py").write_text(example.program + "\n", encoding="utf-8")
    names = {"__name__": "__main__", "__file__": "train.py", "lb": latebind, "np": np}
    raised = Raised("nothing", "the example raised nothing")
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        if issubclass(example.error, Warning):
            warnings.simplefilter("error", example.error)
        try:
            exec(compile(example.program, "train.py", "exec"), names)
        except BaseException as error:
            kind = type(error)
            message = "\n".join([str(error), *getattr(error, "__notes__", ())])
            raised = Raised(f"{kind.__module__}.{kind.__qualname__}", _reproducible(message, folder))
    sender.send((raised.kind, raised.message))
    sender.close()
    # What a forked process of NumPy's and of engines' threads would do at its exit is none of the page's business.
    os._exit(0)


def _reproducible(message: str, folder: str) -> str:
    """Return a message without what differs from run to run: the folder and times."""
    for name in (os.path.realpath(folder), folder):
        message = message.replace(name + os.sep, "")
    return re.sub(r"\d[\d.e+-]* (s|ms|us)\b", "... ms", message)


def _modules() -> Iterator[object]:
    """Import every module of latebind that can be imported here: engines that are missing take theirs with them."""
    for found in pkgutil.walk_packages(latebind.__path__, "latebind.", onerror=lambda name: None):
        if found.name.endswith("__main__"):
            continue
        try:
            yield importlib.import_module(found.name)
        except ImportError:
            continue


def _contents() -> str:
    lines = ["| exception | also a | when |", "| --- | --- | --- |"]
    lines.extend(f"| `{_name(error)}` | {_parents(error)} | {when} |" for error, when in BASES.items())
    for examples in SECTIONS.values():
        for example in examples:
            anchor = example.error.__name__.lower()
            first = example.when.split(". ")[0].rstrip(".")
            lines.append(f"| [`{_name(example.error)}`](#{anchor}) | {_parents(example.error)} | {first} |")
    return "\n".join(lines) + "\n"


def _name(error: type[BaseException]) -> str:
    return error.__name__


def _parents(error: type[BaseException]) -> str:
    """Return the exceptions of others that it is as well."""
    own = [each for each in error.__mro__[1:] if not each.__module__.startswith("latebind")]
    nearest = [each for each in own if not any(other is not each and issubclass(other, each) for other in own)]
    names = [each.__name__ if each.__module__ == "builtins" else "numpy.linalg.LinAlgError" for each in nearest]
    return ", ".join(f"`{name}`" for name in names if name not in ("Exception", "BaseException")) or "-"


def _entry(example: Example) -> str:
    raised = run_example(example)
    module, name = example.error.__module__, _name(example.error)
    if raised.kind != f"{module}.{name}" and not example.by_subclass:
        raise AssertionError(f"the example of {module}.{name} ended with {raised.kind}: {raised.message}")
    place = "" if module == errors.__name__ else f" It is in `{module}`."
    parts = [
        f"### {name}",
        fill(example.when + place),
        f"```python\n{example.program}\n```",
        f"```text\n{raised.kind.rpartition('.')[2]}: {raised.message}\n```",
        fill(f"**What to do:** {example.remedy}"),
    ]
    return "\n\n".join(parts) + "\n"


def fill(text: str) -> str:
    """Return a paragraph in lines of the usual length; what is code stays on one line."""
    return "\n".join(wrap(text, 120, break_long_words=False, break_on_hyphens=False))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    main()
