"""Mixed good and bad traffic for a while: every answer is checked exactly, and the memory is watched."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table
from tests.benchmarks.serving.servers import Running, latebind
from tests.benchmarks.serving.soak_client import Client, LostRequest, WrongAnswer
from tests.benchmarks.serving.soak_memory import Growth, Sampler
from tests.benchmarks.serving.soak_programs import write_soak_configuration
from tests.benchmarks.serving.soak_traffic import KINDS, Kind, Scene

#: Messages of wrong and lost requests that are kept.
_KEPT: Final = 20
#: Seconds that the programs get to answer what they have, once no more is sent.
_SETTLING: Final = 60.0
#: Seconds that `trouble` may hang, and a client may take to send a request: far more than what is not to be refused
#: takes on a busy machine.
_TIMEOUT: Final = 3.0
#: What a server's log has only if the server itself is broken.
_BROKEN: Final = ("was never retrieved", "was never awaited", "Exception in ASGI", "failed after its response began")


@dataclass(slots=True)
class Tally:
    """What became of the requests of one kind."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    lost: int = 0
    slowest: float = 0.0


@dataclass(slots=True)
class Report:
    """What a run showed.

    Attributes
    ----------
    seconds : float
    kinds : dict of str to Tally
    problems : list of str
        Messages of wrong answers and lost requests, the first ones, and what was wrong at the end.
    memory : dict of str to Growth
    kills, deaths : int
    """

    seconds: float
    kinds: dict[str, Tally] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    memory: dict[str, Growth] = field(default_factory=dict)
    kills: int = 0
    deaths: int = 0

    @property
    def wrong(self) -> int:
        """Answers other than they should be."""
        return sum(tally.wrong for tally in self.kinds.values())

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return sum(tally.lost for tally in self.kinds.values())

    @property
    def grown(self) -> list[str]:
        """What did not stay flat."""
        return [name for name, found in self.memory.items() if found.is_flat is False]

    @property
    def is_good(self) -> bool:
        """Whether there is no wrong answer, no lost request, nothing that grows, and nothing else to complain of."""
        idle = [name for name, tally in self.kinds.items() if not tally.answers]
        return not (self.wrong or self.lost or self.grown or self.problems or idle)


def soak(seconds: float, console: Console, json: Path | None = None, backend: str = "xla") -> int:
    """Run, print the report; return 1 if an answer was wrong, a request lost, or memory grew.

    Parameters
    ----------
    seconds
        Of traffic; each kind of it is sent once at least.
    console
    json
        File for the report as JSON.
    backend
        Of the program `dense`.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = run(seconds, Path(folder), backend)
    show(report, console)
    if json is not None:
        json.write_bytes(orjson.dumps(document_of(report), option=orjson.OPT_INDENT_2))
    return 0 if report.is_good else 1


def run(seconds: float, folder: Path, backend: str = "xla") -> Report:
    """Serve, send, and look at what is left at the end."""
    config = write_soak_configuration(folder, backend, _TIMEOUT)
    log = folder / "log"
    scene = Scene(threading.Event())
    report = Report(seconds)
    with latebind(config, log) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        address = host, int(port)
        pid = server.process.pid
        sampler = Sampler(Client(address, Random(0)), pid, min(60.0, seconds / 10), max(0.2, seconds / 300))
        sampler.start()
        began = time.monotonic()
        _send(seconds, address, scene, report)
        report.seconds = time.monotonic() - began
        report.memory = sampler.finish()
        report.problems += _unsettled(Client(address, Random(0)))
        report.problems += _stopped(server, sampler)
    report.kills, report.deaths = scene.kills, scene.deaths
    if scene.deaths > scene.kills:
        report.problems.append(f"{scene.deaths} requests died with {scene.kills} workers that were killed")
    text = log.read_text()
    report.problems += [f"the log says {words!r}" for words in _BROKEN if words in text]
    return report


def _send(seconds: float, address: tuple[str, int], scene: Scene, report: Report) -> None:
    """Have all clients send until the time is over, and each once at least."""
    lock = threading.Lock()
    threads = []
    for kind in KINDS:
        report.kinds[kind.name] = Tally()
        for number in range(kind.clients):
            client = Client(address, Random(f"{kind.name} {number}"))
            arguments = (kind, client, scene, report, lock)
            threads.append(threading.Thread(target=_client, args=arguments, name=f"{kind.name} {number}"))
    for thread in threads:
        thread.start()
    scene.ended.wait(seconds)
    scene.ended.set()
    for thread in threads:
        thread.join()


def _client(kind: Kind, client: Client, scene: Scene, report: Report, lock: threading.Lock) -> None:
    tally = report.kinds[kind.name]
    while True:
        began = time.monotonic()
        found, wrong, lost = "", "", ""
        try:
            found = kind.act(client, scene)
        except WrongAnswer as error:
            wrong = str(error)
        except (LostRequest, OSError) as error:
            lost = f"{type(error).__name__}: {error}"
        except Exception as error:  # a client that gives up would be a test that checks nothing
            wrong = f"the client failed: {type(error).__name__}: {error}"
        with lock:
            tally.slowest = max(tally.slowest, time.monotonic() - began)
            if found:
                tally.answers[found] += 1
            tally.wrong += bool(wrong)
            tally.lost += bool(lost)
            if (wrong or lost) and len(report.problems) < _KEPT:
                at = time.strftime("%H:%M:%S")
                report.problems.append(f"{at} {kind.name}: {'wrong' if wrong else 'lost'}: {wrong or lost}")
        if scene.ended.wait(kind.pause):
            return


# The end


def _unsettled(client: Client) -> list[str]:
    """Return what is not ready and idle again some time after the last request."""
    end = time.monotonic() + _SETTLING
    while True:
        try:
            data = orjson.loads(client.get("/page/data").content)
        except LostRequest as error:
            return [f"the server does not answer at the end: {error}"]
        states = {each["name"]: each["state"] for each in data["programs"]}
        busy = {name: (each["waiting"], each["running"]) for name, each in data["report"].items()}
        left = [
            f"at the end, program {name} is {states[name]} with {waiting} waiting and {running} running"
            for name, (waiting, running) in busy.items()
            if states[name] != "READY" or waiting or running
        ]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.1)


def _stopped(server: Running, sampler: Sampler) -> list[str]:
    """Stop the server; return what is wrong with how it ends."""
    workers = _children(server.process.pid)
    server.process.send_signal(signal.SIGTERM)
    problems = [f"{sampler.misses} samples of the memory were not answered"] if sampler.misses else []
    try:
        code = server.process.wait(_SETTLING)
    except subprocess.TimeoutExpired:
        return [*problems, f"the server did not end {_SETTLING:g} s after SIGTERM"]
    if code:
        problems.append(f"the server ended with code {code}")
    left = [pid for pid in workers if _is_there(pid)]
    return [*problems, f"workers {left} outlived the server"] if left else problems


def _children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(folder.name))
    return found


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# The report


def document_of(report: Report) -> dict[str, Any]:
    """Return a report as JSON has it."""
    return {
        "seconds": report.seconds,
        "good": report.is_good,
        "wrong": report.wrong,
        "lost": report.lost,
        "kinds": {
            name: {"answers": dict(tally.answers), "wrong": tally.wrong, "lost": tally.lost, "slowest": tally.slowest}
            for name, tally in report.kinds.items()
        },
        "memory": {name: {**asdict(found), "flat": found.is_flat} for name, found in report.memory.items()},
        "kills": report.kills,
        "deaths": report.deaths,
        "problems": report.problems,
    }


def show(report: Report, console: Console) -> None:
    """Print tables and what was wrong."""
    title = f"{report.seconds:.0f} s of mixed traffic, {sum(kind.clients for kind in KINDS)} clients"
    table = Table(title=title, title_justify="left")
    table.add_column("traffic")
    for name in ("answers", "wrong", "lost", "slowest, s"):
        table.add_column(name, justify="right")
    for name, tally in report.kinds.items():
        answers = ", ".join(f"{answer}: {count:,}" for answer, count in sorted(tally.answers.items()))
        table.add_row(name, answers, str(tally.wrong), str(tally.lost), f"{tally.slowest:.2f}")
    console.print(table)
    memory = Table(title="memory, files and threads", title_justify="left")
    memory.add_column("of")
    for name in ("first quarter", "last quarter", "most", "per minute", "samples", ""):
        memory.add_column(name, justify="right")
    words = {True: "flat", False: "GROWN", None: "too short to say"}
    for name, found in report.memory.items():
        cells = (f"{found.first:.1f}", f"{found.last:.1f}", f"{found.most:.1f}", f"{found.slope:+.2f}")
        memory.add_row(name, *cells, str(found.samples), words[found.is_flat])
    console.print(memory)
    console.print(f"{report.kills} workers killed from outside, {report.deaths} requests died with them")
    for problem in report.problems:
        console.print(problem, style="red", markup=False, highlight=False)
    verdict = "good" if report.is_good else "NOT GOOD"
    console.print(f"wrong answers: {report.wrong}, lost requests: {report.lost}; {verdict}")
