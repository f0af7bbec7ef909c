"""`latebind serve` as somebody starts it: without its extra, by the environment alone, and with what is not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.serving.http_servers import DEADLINE, ROOT, running

from latebind.cli.serve import serve
from latebind.errors import BackendUnavailableError
from latebind.services.serving.errors import ProgramLoadError
from latebind.services.serving.program import load_weights

TENSOR = "{datatype: FP32, shape: [-1, 4], name: %s}"
PROGRAM = (
    f"program: double.py:double, inputs: [{TENSOR % 'x'}], outputs: [{TENSOR % 'y'}], settings: {{backend: numpy}}"
)
BODY = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}).encode()
#: What `latebind serve` needs beside the library itself.
PACKAGES = ("fastapi", "uvicorn", "httptools", "orjson")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a program and nothing else."""
    (tmp_path / "double.py").write_text("def double(x):\n    return x * 2.0\n")
    return tmp_path


def command(folder: Path, *arguments: str, before: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `latebind serve` in a folder until it leaves by itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    main = f"{before}\nimport sys\nfrom latebind.cli.main import main\nmain(['serve', *sys.argv[1:]])"
    return subprocess.run(
        [sys.executable, "-c", main, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT / "app"), **environ},
    )


def said(found: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the error of a command that ended with a code; it is one line."""
    assert found.returncode == code, found.stderr
    assert found.stdout == "" and "Traceback" not in found.stderr
    (line,) = found.stderr.splitlines()
    return line


# Without the extra


def test_without_its_extra_the_command_says_what_to_install(folder: Path) -> None:
    blocked = f"import sys\nfor name in {PACKAGES}: sys.modules[name] = None"
    found = command(folder, before=blocked, LATEBIND_SERVE__PROGRAMS=f"{{one: {{{PROGRAM}}}}}")
    assert said(found, 4) == "latebind: latebind serve needs fastapi: install it with pip install 'latebind[serve]'"
    shown = command(folder, "--help", before=blocked)
    assert shown.returncode == 0 and "--config" in shown.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_each_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackendUnavailableError, match=rf"needs {package}: .*pip install 'latebind\[serve\]'"):
        serve()


def test_weights_that_need_a_missing_package_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").touch()
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ProgramLoadError, match=r"'w.safetensors' need .* pip install 'latebind\[serve\]'"):
        load_weights(tmp_path / "w.safetensors")


# The environment alone


def test_the_environment_alone_serves_a_program(folder: Path) -> None:
    environ = {
        "LATEBIND_SERVE__PORT": "0",
        "LATEBIND_SERVE__TOKEN": "s3cret",
        "LATEBIND_SERVE__PROGRAMS": f"{{one: {{{PROGRAM}}}}}",
        "LATEBIND_SERVE__PROGRAMS__ONE__BATCHING__MAX_SIZE": "4",
    }
    with running(None, folder=folder, **environ) as server:
        assert server.get("/v2/models/one/infer", BODY)[0] == 401
        status, content = server.get("/v2/models/one/infer", BODY, Authorization="Bearer s3cret")
        assert status == 200 and json.loads(content)["outputs"][0]["data"] == [2, 4, 6, 8]
        rows = BODY.replace(b"[1, 4]", b"[5, 4]").replace(b"[1, 2, 3, 4]", json.dumps([1] * 20).encode())
        status, content = server.get("/v2/models/one/infer", rows, Authorization="Bearer s3cret")
        assert status == 400 and "at most 4 rows" in json.loads(content)["error"]


def test_a_dotenv_file_in_the_working_folder_serves_a_program(folder: Path) -> None:
    (folder / ".env").write_text(f"LATEBIND_SERVE__PORT=0\nLATEBIND_SERVE__PROGRAMS={{one: {{{PROGRAM}}}}}\n")
    with running(None, folder=folder) as server:
        assert server.get("/v2/models/one/infer", BODY)[0] == 200


def test_no_configuration_at_all_says_how_to_give_one(folder: Path) -> None:
    line = said(command(folder), 3)
    assert "--config" in line and "LATEBIND_SERVE__PROGRAMS" in line


def test_a_wrong_variable_is_named(folder: Path) -> None:
    environ = {"LATEBIND_SERVE__PROGRAMS": f"{{one: {{{PROGRAM}}}}}", "LATEBIND_SERVE__POTR": "1"}
    line = said(command(folder, **environ), 3)
    assert "LATEBIND_SERVE__POTR" in line and "did you mean 'port'?" in line


# What is not there


def test_a_missing_program_folder_is_named_with_its_key(folder: Path) -> None:
    for arguments in ((), ("--check",)):
        programs = f"{{one: {{{PROGRAM.replace('double.py', 'models/double.py')}}}}}"
        line = said(command(folder, *arguments, LATEBIND_SERVE__PROGRAMS=programs), 3)
        assert "'programs.one.program' is 'models/double.py'" in line
        assert line.endswith(f"there is no folder {folder / 'models'}")


@pytest.mark.parametrize("content", [None, "folder", "secret"])
def test_weights_that_cannot_be_read_are_named_with_their_key(folder: Path, content: str | None) -> None:
    weights = folder / "w.npz"
    if content == "folder":
        weights.mkdir()
    elif content == "secret":
        weights.touch()
        weights.chmod(0)
        if os.access(weights, os.R_OK):
            pytest.skip("this user may read everything")
    programs = f"{{one: {{{PROGRAM}, weights: w.npz}}}}"
    line = said(command(folder, "--check", LATEBIND_SERVE__PROGRAMS=programs), 3)
    reason = {None: "there is no file", "folder": "is no file", "secret": "cannot be read"}[content]
    assert "'programs.one.weights' is 'w.npz'" in line and reason in line and str(weights) in line


def test_one_program_that_is_not_there_does_not_keep_the_others_from_being_served(folder: Path) -> None:
    gone = f"{PROGRAM.replace('double.py', 'gone.py')}, autoload: true"
    config = folder / "serve.yaml"
    config.write_text(f"port: 0\nprograms:\n  one: {{{PROGRAM}}}\n  gone: {{{gone}}}\n")
    checked = command(folder, "--config", "serve.yaml", "--check")
    assert "'programs.gone.program'" in said(checked, 3)
    with running(config, LATEBIND_SERVE__PROGRAMS__GONE__AUTOLOAD="false") as server:
        assert server.get("/v2/models/one/infer", BODY)[0] == 200
        status, content = server.get("/v2/models/gone/infer", BODY)
        assert status == 503 and str(folder) not in content.decode()
        code, log = server.stop()
    assert code == 0 and f"there is no file {folder / 'gone.py'}" in log
