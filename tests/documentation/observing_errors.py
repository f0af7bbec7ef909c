"""Errors and warnings of what watches a program: one program per exception, when it comes, and what to do about it."""

from __future__ import annotations

from typing import Final

from tests.documentation.example import example

from latebind import errors

OBSERVING: Final = (
    example(
        errors.RecompilationWarning,
        "A warning: one line of a program causes compilation after compilation of graphs that differ a little.",
        """
        from latebind.containers import build_container

        backend = {"name": "numpy", "interpretations": 0}
        container = build_container(backend=backend, tracing={"warn_after_compilations": 2})
        with container:
            for size in range(3, 9):
                x = lb.ones(size)
                print(x * 2)
        """,
        "Keep what the message names the same from step to step, or set `tracing.warn_after_compilations`; "
        "`latebind.explain()` lists every compilation with its reason.",
    ),
    example(
        errors.ExplanationError,
        "An explanation was begun twice.",
        """
        why = lb.explain()
        with why, why:
            lb.ones(3)
        """,
        "Make one explanation for each block; they may be nested.",
    ),
    example(
        errors.ProfileError,
        "A profile was begun that is on already.",
        """
        measured = lb.profile()
        with measured, measured:
            lb.ones(3)
        """,
        "Make one profile for each block; they may be nested.",
    ),
    example(
        errors.ProfileFileError,
        "The file of a profile cannot be written.",
        """
        with lb.profile("no_such_folder/out.json"):
            print(lb.ones(3) + 1)
        """,
        "Name a file in a folder that is there and can be written to.",
    ),
)
