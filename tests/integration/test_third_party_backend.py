"""A backend of somebody else: the example package as its users install it, and the page that leads to one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance.runs import kit, run_kit
from tests.engines import STRICT, is_installed

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "packages" / "latebind-numexpr"
MODULE = PACKAGE / "src" / "latebind_numexpr" / "__init__.py"
PAGE = ROOT / "docs" / "backends.md"
#: Seconds that the conformance kit may take on a busy machine; alone it takes half a minute.
PATIENCE = 600

#: Language and text of each fenced block of the page.
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def python_blocks(title: str) -> list[str]:
    """Return the blocks whose first line is a comment that begins with this title."""
    return [text for language, text in BLOCKS if language == "python" and text.lstrip().startswith(f"# {title}")]


def without_title(block: str) -> str:
    """Return a block without its first line."""
    return block.partition("\n")[2]


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python as a user would, with no settings but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**clean, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


# The example package


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, by pip and without a network."""
    if not is_installed("numexpr"):
        if STRICT:
            pytest.fail("numexpr is not installed, but every backend has to be tested here")
        pytest.skip("the example backend needs numexpr")
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index")
    done = run("-m", "pip", "install", *options, "--target", str(folder / "site"), str(source), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture
def environment(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, on the path of processes that the test starts."""
    monkeypatch.setenv("PYTHONPATH", str(installed), prepend=os.pathsep)
    return installed


def latebind(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return run("-m", "latebind", *arguments, cwd=cwd, **environment)


def expressions(program: str, folder: Path, **environment: str) -> list[str]:
    """Run a program of `x` on the example; return the printed statements that are numexpr expressions."""
    (folder / "program.py").write_text(f"import latebind as lb\nx = lb.asarray([0.0, 0.5, 1.0])\n{program}\n")
    variables = {"LATEBIND_BACKEND__NAME": "numexpr", **environment}
    done = latebind("run", "program.py", "--show", "text", cwd=folder, **variables)
    assert done.returncode == 0, done.stderr
    arrays = re.findall(r"^    v\d+ = .*  # (.*): tensor", done.stdout, re.MULTILINE)
    return [each for each in arrays if not each.startswith(("constant", "broadcast_in_dim"))]


def test_the_example_is_one_module_of_at_most_200_lines() -> None:
    assert list((PACKAGE / "src").rglob("*.py")) == [MODULE]
    lines = MODULE.read_text().splitlines()
    assert len(lines) <= 200
    assert max(map(len, lines)) <= 120


def test_it_is_listed_with_the_package_that_brings_it(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(latebind("backends", "--json", cwd=tmp_path).stdout)
    (found,) = [each for each in listed if each["name"] == "numexpr"]
    assert found["installed"] and found["devices"] == ["cpu:0"] and not found["auto"]
    assert found["source"] == "entry point of latebind-numexpr"


def test_its_settings_are_shown_with_their_sources(environment: Path, tmp_path: Path) -> None:
    variables = {"LATEBIND_BACKEND__NAME": "numexpr", "LATEBIND_BACKEND__OPERATIONS": "7"}
    done = latebind("config", "show", cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    rows = {words[1]: line for line in done.stdout.splitlines() if len(words := line.split()) > 1}
    assert "7" in rows["backend.operations"] and "LATEBIND_BACKEND__OPERATIONS" in rows["backend.operations"]
    assert "null" in rows["backend.threads"] and "default" in rows["backend.threads"]


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("OPERATIONS", "0", "'backend.operations' is '0'"),
        ("OPERATIONS", "many", "'backend.operations' is 'many'"),
        ("OPERATION", "3", "unknown key 'backend.operation'"),
        ("THREADS", "-1", "'backend.threads' is '-1'"),
    ],
)
def test_misuse_of_its_settings_is_refused_with_the_path_of_the_key(
    environment: Path, tmp_path: Path, key: str, value: str, complaint: str
) -> None:
    variables = {"LATEBIND_BACKEND__NAME": "numexpr", f"LATEBIND_BACKEND__{key}": value}
    done = latebind("run", "digits", cwd=tmp_path, **variables)
    assert done.returncode == 3
    assert complaint in done.stderr and f"LATEBIND_BACKEND__{key}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_chain_of_operations_is_one_expression(environment: Path, tmp_path: Path) -> None:
    (expression,) = expressions("print(lb.exp(-x * x) * 2 + 1)", tmp_path)
    assert re.sub(r"v\d+", "c", expression) == "add(mul(exp(mul(neg(p0), p0)), c), c)"


def test_what_two_expressions_use_is_computed_once(environment: Path, tmp_path: Path) -> None:
    found = expressions("e = lb.exp(x)\ny, z = e + 1, e * 2\ndel e\nlb.sync(y, z)", tmp_path)
    assert [expression.partition("(")[0] for expression in found] == ["exp", "add", "mul"]


@pytest.mark.parametrize(("operations", "count"), [("1", 8), ("4", 2), ("30", 1)])
def test_long_expressions_are_cut_where_the_setting_says(
    environment: Path, tmp_path: Path, operations: str, count: int
) -> None:
    program = f"print(x {'+ x' * 8})"
    assert len(expressions(program, tmp_path, LATEBIND_BACKEND__OPERATIONS=operations)) == count


def test_its_threads_are_those_of_the_settings_until_it_is_closed(environment: Path, tmp_path: Path) -> None:
    program = (
        "import numexpr\nfrom latebind.containers import build_container\n"
        "numexpr.set_num_threads(2)\ncontainer = build_container(backend={'name': 'numexpr', 'threads': 1})\n"
        "container.backend()\nprint(numexpr.get_num_threads())\ncontainer.close()\nprint(numexpr.get_num_threads())\n"
    )
    done = run("-c", program, cwd=tmp_path)
    assert done.stdout.split() == ["1", "2"], done.stderr


@pytest.mark.slow
def test_the_main_job_reaches_the_accuracy_that_it_has_on_the_reference(environment: Path, tmp_path: Path) -> None:
    def accuracy(name: str) -> float:
        done = latebind("run", "digits", "--json", cwd=tmp_path, LATEBIND_BACKEND__NAME=name)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["backend"] == name
        return float(report["results"]["accuracy"])

    found = accuracy("numexpr")
    assert found >= 0.97
    # Roundings differ in the last place; over 690 steps that may tip a few of the 359 test images, not more.
    assert found == pytest.approx(accuracy("numpy"), abs=3 / 359)


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
def test_it_passes_the_conformance_kit_without_deviations(environment: Path) -> None:
    done = run_kit(kit(), backend="numexpr", timeout=PATIENCE)
    tail = "\n".join(done.stdout.splitlines()[-60:])
    assert done.returncode == 0, f"{tail}\n{done.stderr[-2000:]}"
    assert re.search(r"cases: \d+ right, 0 deviate as declared, 0 failed", tail)


# The page


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with the files of the page, as they are at its end."""
    (tmp_path / "tiny.py").write_text("\n".join(python_blocks("tiny.py")))
    for name in ("program.py", "in_a_container.py", "blame.py"):
        (block,) = python_blocks(name)
        (tmp_path / name).write_text(block)
    return tmp_path


def shown(beginning: str) -> str:
    """Return the block of output that begins so."""
    (block,) = [text for language, text in BLOCKS if language == "text" and text.startswith(beginning)]
    return block


def test_every_block_of_python_is_run_or_quoted_or_a_single_line() -> None:
    titles = ("# tiny.py", "# program.py", "# in_a_container.py", "# blame.py", "# latebind_numexpr")
    others = [text for language, text in BLOCKS if language == "python" and not text.lstrip().startswith(titles)]
    assert len(BLOCKS) > 20
    assert all(len(text.splitlines()) == 1 for text in others)


def test_quotations_are_in_the_example() -> None:
    quotations = [without_title(block) for block in python_blocks("latebind_numexpr")]
    assert len(quotations) > 5
    source = MODULE.read_text()
    assert [text for text in quotations if text not in source] == []
    (packaging,) = [text for language, text in BLOCKS if language == "toml"]
    assert without_title(packaging) in (PACKAGE / "pyproject.toml").read_text()


def test_the_smallest_backend_prints_what_falls_back(written: Path) -> None:
    page = PAGE.read_text()
    end = page.index("## What to write next")
    early = [block for block in python_blocks("tiny.py") if page.index(block) < end]
    (written / "tiny.py").write_text("\n".join(early))
    done = run("program.py", cwd=written, LATEBIND_BACKEND="tiny:TinyBackend")
    assert done.stdout == shown("[0.         0.7448"), done.stderr


def test_the_complete_one_runs_it_without_falling_back(written: Path) -> None:
    arguments = ("run", "program.py", "--backend", "tiny:TinyBackend", "--show", "text")
    done = latebind(*arguments, cwd=written, LATEBIND_FALLBACK="error")
    assert done.returncode == 0, done.stderr
    assert shown("def computation(p0):") in done.stdout
    assert "Fallback" not in done.stdout


def test_it_runs_in_a_container(written: Path) -> None:
    done = run("in_a_container.py", cwd=written)
    assert done.stdout == "[2. 3.]\n", done.stderr


def test_its_figures_are_among_the_metrics(written: Path) -> None:
    done = latebind("run", "program.py", "--backend", "tiny:TinyBackend", "--json", cwd=written)
    report = done.stdout[done.stdout.index("{") :]
    statements = shown("def computation(p0):").count(" = ")
    assert json.loads(report)["counters"]["Compiled::statements"] == statements


def test_a_failure_blames_the_line_and_spares_the_rest(written: Path) -> None:
    done = run("blame.py", cwd=written)
    last = done.stderr.splitlines()[-1].replace(f"{written}{os.sep}", "")
    assert f"{done.stdout}{last}\n" == shown("[1. 2.]")


def test_the_refused_setting_is_reported_as_shown(environment: Path, tmp_path: Path) -> None:
    (command,) = [text for language, text in BLOCKS if language == "console" and "OPERATIONS=0" in text]
    variables = dict(word.split("=") for word in command.split() if "=" in word)
    done = latebind("config", "show", cwd=tmp_path, **variables)
    assert done.stderr == shown("latebind: wrong configuration")


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
def test_the_backend_of_the_page_passes_the_conformance_kit(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(written), prepend=os.pathsep)
    done = run_kit(kit(), backend="tiny:TinyBackend", timeout=PATIENCE)
    table = " ".join(done.stdout.split())
    assert done.returncode == 0, f"{table[-3000:]}\n{done.stderr[-2000:]}"
    for row in re.findall(r"^stablehlo.*(?:\n .*)*", shown("operation "), re.MULTILINE):
        operation, _, *rest = row.split()
        assert re.search(rf"{operation} \d+ {re.escape(' '.join(rest))}", table), row
