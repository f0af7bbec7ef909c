"""The README's commands in a row: train and save the digits, serve them, send the held-out images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.serving.http_servers import DEADLINE, ROOT, running

#: Keys of the shipped configuration that the test changes: a backend that starts at once, and fewer batch sizes.
CHANGED = {
    "LATEBIND_SERVE__PROGRAMS__DIGITS__SETTINGS__BACKEND": "numpy",
    "LATEBIND_SERVE__PROGRAMS__DIGITS__BATCHING__BUCKETS": "[1, 8]",
}


def run(*arguments: str, folder: Path, **environ: str) -> str:
    """Run a module of latebind as a user does; return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    found = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT / "app"), **environ},
    )
    assert found.returncode == 0, found.stderr
    return found.stdout + found.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the shipped configuration and weights of a short training, and what the training printed."""
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("digits")
    (folder / "config").mkdir()
    shutil.copy(ROOT / "config" / "serve.yaml", folder / "config")
    training = ("run", "digits", "--", "--epochs", "2", "--hidden", "32", "--save", "models/digits.npz")
    return folder, run("latebind", *training, folder=folder, LATEBIND_BACKEND="numpy")


def test_the_client_finds_the_accuracy_of_the_training_and_prints_its_latencies(trained: tuple[Path, str]) -> None:
    folder, printed = trained
    (said,) = re.findall(r"held-out accuracy ([\d.]+%) on (\d+) images", printed)
    with running(folder / "config" / "serve.yaml", "--port", "0", folder=folder, **CHANGED) as server:
        client = ("latebind.examples.digits_client", "--url", server.url, "--clients", "4")
        output = run(*client, folder=folder)
        metrics = server.get("/metrics")[1].decode()
        code, log = server.stop()
    assert re.findall(r"accuracy  ([\d.]+%) of (\d+) requests", output) == [said]
    times = [float(value) for value in re.findall(r"(?:p50|p90|p99|max) ([\d.]+) ms", output)]
    assert len(times) == 4 and times[0] > 0 and times == sorted(times)
    assert re.search(r"rate      \d+ requests/s, 4 clients", output)
    assert f'latebind_requests_total{{model="digits"}} {said[1]}\n' in metrics
    assert code == 0 and "Traceback" not in log


def test_the_client_sends_the_server_s_token(trained: tuple[Path, str]) -> None:
    folder, _ = trained
    token = {"LATEBIND_SERVE__TOKEN": "s3cret"}
    with running(folder / "config" / "serve.yaml", "--port", "0", folder=folder, **CHANGED, **token) as server:
        client = ("latebind.examples.digits_client", "--url", server.url, "--requests", "3")
        assert "of 3 requests" in run(*client, folder=folder, **token)
        with pytest.raises(AssertionError, match="401"):
            run(*client, folder=folder)
