"""The servers that are measured, as processes of their own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def latebind(config: Path, log: Path) -> Iterator[Running]:
    """Run `latebind serve`; gives it when all programs are ready."""
    command = [sys.executable, "-m", "latebind", "serve", "--config", str(config)]
    with (
        log.open("w") as stream,
        _process(command, stdout=subprocess.PIPE, stderr=stream, text=True) as process,
    ):
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, f"latebind serve did not start:\n{log.read_text()}"
        wait_until_it_answers(process, address.group() + "/v2/health/ready")
        yield Running(address.group(), process)


@contextmanager
def bare(engine: str) -> Iterator[str]:
    """Run the bare handlers on an engine; gives their address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _process([sys.executable, "-m", "tests.benchmarks.serving.bare", engine, str(port)]) as process:
        wait_until_it_answers(process, f"http://127.0.0.1:{port}/openapi.json")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process: subprocess.Popen[str] = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def wait_until_it_answers(process: subprocess.Popen[str], url: str) -> None:
    """Wait for a 200, or raise after two minutes, or when the process ends."""
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")
