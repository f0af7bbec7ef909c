"""The README's first program runs as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_first_program_runs_as_it_stands(tmp_path: Path) -> None:
    program = re.search(r"```python\n(import latebind as lb\n.*?)```", README.read_text(), re.DOTALL)
    assert program is not None
    path = tmp_path / "program.py"
    path.write_text(program[1])
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "5.0 cpu:0\n"


def test_every_page_that_the_readme_links_to_is_there() -> None:
    pages = re.findall(r"\]\((docs/[\w-]+\.md)\)", README.read_text())
    assert pages
    for page in pages:
        assert (README.parent / page).is_file(), page


@pytest.mark.parametrize("page", ["from-jax"])
def test_the_blocks_of_a_page_are_one_program_that_runs(tmp_path: Path, page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (README.parent / "docs" / f"{page}.md").read_text(), re.DOTALL)
    assert len(blocks) > 3
    path = tmp_path / "program.py"
    path.write_text("\n".join(blocks))
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
