"""Servers for tests: `latebind serve` as a process, and the application of a fake service on a thread."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from tests.unit.services.serving.fake_service import FakeService, serve_settings

from latebind.services.serving.app import create_app
from latebind.services.serving.container import serving_container
from latebind.services.serving.server import listen, protocol_class

ROOT = Path(__file__).parents[3]
#: Seconds that a condition may take on a busy machine.
DEADLINE = 60.0


class Process:
    """`latebind serve`, running; what it logs goes to a file, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log
        self.address = url.removeprefix("http://")

    def get(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Return status and body of a GET, or of a POST if there is a body."""
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def stop(self) -> tuple[int, str]:
        """Send SIGTERM; return the exit code and what it logged."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, self.log.read_text()


@contextmanager
def running(config: Path | None, *options: str, folder: Path = ROOT, **environ: str) -> Iterator[Process]:
    """Run `latebind serve` in a folder until all its programs are ready; it is stopped whatever happens.

    Without a file, the environment alone is its configuration.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LATEBIND_")}
    named = [] if config is None else ["--config", str(config)]
    with tempfile.TemporaryDirectory() as scratch, Path(scratch, "log").open("w") as stream:
        log = Path(stream.name)
        process = subprocess.Popen(
            [sys.executable, "-m", "latebind", "serve", *named, *options],
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(ROOT / "app"), "PYTHONUNBUFFERED": "1", **environ},
        )
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, log.read_text()
            server = Process(process, found.group(), log)
            end = time.monotonic() + DEADLINE
            while not _is_ready(server):
                assert process.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.02)
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.communicate(timeout=DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _is_ready(server: Process) -> bool:
    try:
        return server.get("/v2/health/ready")[0] == 200
    except OSError:  # it has ended
        return False


@contextmanager
def serving_fake(service: FakeService, **settings: Any) -> Iterator[tuple[str, int]]:
    """Serve a fake service over a real socket, on a thread; gives the address."""
    chosen = serve_settings(**settings)
    container = serving_container(chosen, Path())
    listening = listen("127.0.0.1", 0)
    with container.service.override(service):
        app = create_app(container)
        config = uvicorn.Config(
            app, http=protocol_class(chosen.body_timeout), lifespan="on", log_config=None, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            end = time.monotonic() + DEADLINE
            while not server.started:
                assert thread.is_alive() and time.monotonic() < end
                time.sleep(0.005)
            yield listening.getsockname()
        finally:
            server.should_exit = True
            thread.join(DEADLINE)
            listening.close()
            container.unwire()


def exchange(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send parts over a socket and return everything that comes back until the server closes."""
    with socket.create_connection(address, DEADLINE) as connection:
        try:
            for part in parts:
                connection.sendall(part)
            found = b""
            while part := connection.recv(65536):
                found += part
        except ConnectionError:
            pass
        return found
