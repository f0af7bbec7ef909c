"""The programs of docs/explain.md print what the page says, but for the times."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines import need
from tests.integration.test_cli import latebind

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
BLOCKS = re.findall(r"```(python|text)\n(.*?)```", PAGE.read_text(), re.S)


def timeless(text: str) -> str:
    """A text without times, in words."""
    return " ".join(re.sub(r"[\d.]+ (s|ms|us)\b", "TIME", text).split())


@pytest.mark.slow
def test_the_report_of_the_page_is_what_the_command_prints(tmp_path):
    need("jax")
    (_, program), (_, report) = BLOCKS[:2]
    (tmp_path / "train.py").write_text(program)
    done = latebind("explain", "--backend", "xla", "train.py", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    printed = done.stdout[done.stdout.index("train.py on backend") :]
    compilations, waits = printed.split("Synchronisations: ")
    compilations_shown, waits_shown = report.split("Synchronisations: ")
    assert timeless(compilations) == timeless(compilations_shown)
    # Those that take as long as each other have no order.
    assert sorted(map(timeless, waits.splitlines())) == sorted(map(timeless, waits_shown.splitlines()))


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 4], ids=["a block", "a log"])
def test_a_program_prints_what_stands_below_it(tmp_path, number):
    need("jax")
    (kind, program), (below, expected) = BLOCKS[number : number + 2]
    assert (kind, below) == ("python", "text")
    (tmp_path / "log.py").write_text(program)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    done = subprocess.run(
        [sys.executable, "log.py"],
        cwd=tmp_path,
        env=clean | {"LATEBIND_BACKEND": "xla", "XDG_CACHE_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    assert done.stdout == expected
