"""What is run, and in which processes: micro-benchmarks, first calls and steady state of the workloads, cold starts."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks.case import Case
from tests.benchmarks.comparison import Comparison, compare
from tests.benchmarks.contenders import LATEBIND
from tests.benchmarks.results import Cold, Results
from tests.benchmarks.workers import ContenderError, Process, Team

#: Modules of the micro-benchmarks, by the name of their group.
MICRO = {
    "steps": "cases.step_cases",
    "operations": "cases.operation_cases",
    "stencils": "cases.stencil_cases",
    "memory": "cases.memory_cases",
    "random": "cases.random_cases",
}
WORKLOAD_CASES = "cases.workload_cases"
#: Workloads and contenders of the cold starts, each of which is a process.
COLD_WORKLOADS = ("black_scholes", "jacobi", "kmeans", "mlp")
_COLD_CONTENDERS = ("numpy", "numba", "jax-jit", "torch", "torch-inductor")
#: Sets of fresh processes for the first calls; the last one goes on to the steady state.
GENERATIONS = 3
_COLD_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes
    ----------
    contenders : sequence of str
        Who is wanted.
    micro : dict
        Micro-benchmarks, `module:name`, by name.
    workloads, cold : sequence of str
        Workloads.
    threads : int
        How many threads, and processors, each contender gets.
    tell : callable
        Takes a line about the progress.
    """

    contenders: Sequence[str]
    micro: dict[str, str]
    workloads: Sequence[str]
    cold: Sequence[str]
    imports: bool
    quick: bool
    threads: int
    tell: Callable[[str], None]


def all_micro() -> dict[str, str]:
    """Return the micro-benchmarks, `module:name`, by name."""
    return {
        name: f"{module}:{name}"
        for module in MICRO.values()
        for name in importlib.import_module(f"tests.benchmarks.{module}").CASES
    }


def case_named(path: str) -> Case:
    """Return a case by `module:name`."""
    module, _, name = path.partition(":")
    case: Case = importlib.import_module(f"tests.benchmarks.{module}").CASES[name]
    return case


def run(plan: Plan, results: Results) -> None:
    """Run a plan; what is measured goes into `results` as it comes."""
    if plan.imports:
        from tests.benchmarks.imports import measure_imports

        plan.tell("imports")
        results.micro["imports"] = measure_imports(plan.quick)
    if plan.micro:
        _run_micro(plan, results)
    if plan.workloads:
        _run_workloads(plan, results)
    for name in plan.cold:
        plan.tell(f"cold start: {name}")
        results.cold.append(_run_cold(plan, name))


def _run_micro(plan: Plan, results: Results) -> None:
    team = Team(plan.threads)
    try:
        for name, path in plan.micro.items():
            plan.tell(name)
            results.micro[name] = compare(team, path, case_named(path), plan.contenders, quick=plan.quick)
    finally:
        team.stop()


def _run_workloads(plan: Plan, results: Results) -> None:
    hanging: dict[tuple[str, str], tuple[str, str]] = {}
    generations = 1 if plan.quick else GENERATIONS
    for generation in range(generations):
        last = generation == generations - 1
        team = Team(plan.threads)
        firsts: dict[str, dict[str, float]] = {}
        try:
            for name in plan.workloads:
                plan.tell(f"{name}, processes {generation + 1} of {generations}")
                comparison = _run_workload(plan, team, name, hanging, last)
                firsts[name] = comparison.first
                if last:
                    results.workloads[name] = comparison
            if last:
                _time_operations(plan, team, results)
        finally:
            team.stop()
        results.first_calls.append(firsts)


def _run_workload(
    plan: Plan, team: Team, name: str, hanging: dict[tuple[str, str], tuple[str, str]], warm: bool
) -> Comparison:
    """Run one workload; who hung at it before is not asked again."""
    wanted = [contender for contender in plan.contenders if (contender, name) not in hanging]
    path = f"{WORKLOAD_CASES}:{name}"
    comparison = compare(team, path, case_named(path), wanted, quick=plan.quick, warm=warm)
    for contender, problem in comparison.problems.items():
        if problem[0] in ("hangs", "died"):
            hanging[contender, name] = problem
        comparison.first.pop(contender, None)
    comparison.problems.update(
        {contender: problem for (contender, workload), problem in hanging.items() if workload == name}
    )
    return comparison


def _time_operations(plan: Plan, team: Team, results: Results) -> None:
    if "numpy" not in plan.contenders:
        return
    process = team.get("numpy")
    for name in plan.workloads:
        median, count = process.ask("operation_time", workload=name, quick=plan.quick)
        results.operations[name] = (median, int(count))


def _run_cold(plan: Plan, workload: str) -> Cold:
    """Start every contender in processes of its own, in turns; each round has its own empty folder of caches."""
    cold = Cold(workload)
    wanted = [name for name in plan.contenders if name in _COLD_CONTENDERS or name.startswith(LATEBIND)]
    for turn in range(1 if plan.quick else _COLD_ROUNDS):
        for contender in wanted:
            # Inductor starts a C++ compiler for each of its first calls: once is enough.
            if contender in cold.problems or (turn and contender == "torch-inductor"):
                continue
            with tempfile.TemporaryDirectory() as folder:
                try:
                    taken = [_start(plan, contender, workload, folder) for _ in ("empty caches", "filled caches")]
                except ContenderError as error:
                    cold.problems[contender] = (error.kind, str(error))
                    continue
            cold.imports.setdefault(contender, []).append(taken[0][0])
            cold.cold.setdefault(contender, []).append(taken[0][1])
            cold.second.setdefault(contender, []).append(taken[1][1])
    return cold


def _start(plan: Plan, contender: str, workload: str, folder: str) -> tuple[float, float]:
    """Return the import and the first call of one process, in ms."""
    caches = {"BENCHMARK_CACHE": folder, "NUMBA_CACHE_DIR": folder, "TORCHINDUCTOR_CACHE_DIR": folder}
    process = Process(contender, plan.threads, caches)
    try:
        imported = process.ask("begin") * 1e3
        process.ask("open", case=f"{WORKLOAD_CASES}:{workload}", quick=plan.quick)
        first = process.ask("measure", repeat=1, settle=False)[0]
        process.ask("check")
    except ContenderError as error:
        if not error.fatal:
            process.stop()
        raise
    process.stop()
    return imported, first
