"""docs/errors.md says what latebind raises today, and leaves nothing out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.documentation.errors import described, published

from latebind import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


@pytest.mark.slow  # runs every example
def test_the_page_is_what_its_examples_say_now():
    program = "import sys\nfrom tests.documentation.errors import page\nsys.stdout.write(page())\n"
    paths = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == PAGE.splitlines(), "write it again: python -m tests.documentation.errors"


def test_every_exception_and_warning_is_on_the_page_or_said_to_be_on_another():
    missing = {f"{each.__module__}.{each.__name__}" for each in published() - described()}
    assert not missing, f"add examples of {sorted(missing)} to tests/documentation/error_examples.py"


@pytest.mark.parametrize(
    "name", [name for name, each in vars(errors).items() if isinstance(each, type) and not name.startswith("_")]
)
def test_each_exception_of_the_module_has_a_row_and_all_but_the_root_an_entry(name):
    assert re.search(rf"^\| (`{name}`|\[`{name}`\]\(#{name.lower()}\)) \|", PAGE, re.MULTILINE)
    assert name == "LatebindError" or f"### {name}\n" in PAGE


def test_the_page_names_no_place_of_the_machine_that_wrote_it():
    assert not re.search(r"/(home|root|tmp|usr|work|Users|opt|var)/|\d+\.\d+\.\d+\.\d+", PAGE)
