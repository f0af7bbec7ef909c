"""A program on the tiered backend: where its graphs run, and that its results are the same whichever tier that is."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind.backends.tiered.policy import FIRST_TERM, TRIAL_RUNS
from latebind.backends.tiered.settings import TieredSettings

#: What compiling a graph of a few operations is taken to cost at first is 20 ms: one run of 100 ms exceeds it.
LONG, SHORT = 0.1, 0.001


def steps(count: int, x: object = None) -> np.ndarray:
    """Run one graph that often, and return the last result."""
    result = None
    for number in range(count):
        result = np.asarray(lb.asarray([1.0, 2.0, float(number)]) * 2.0 + 1.0)
    assert result is not None
    assert np.array_equal(result, [3.0, 5.0, 2.0 * (count - 1) + 1.0])
    return result


def test_a_graph_that_runs_once_stays_on_the_baseline(use, tiered, timed):
    optimizing = timed(SHORT)
    use(tiered(optimizing, timed(LONG)))
    steps(1)
    assert optimizing.compilations == []


def test_a_graph_switches_when_it_was_compiled_and_is_faster(use, tiered, timed):
    baseline, optimizing = timed(LONG), timed(SHORT)
    backend = tiered(optimizing, baseline)
    use(backend)
    steps(100)
    assert len(optimizing.compilations) == 1
    # One run of 100 ms, after which it is compiled, and three more to know what the baseline takes when it is warm.
    assert (len(baseline.runs), len(optimizing.runs)) == (1 + TRIAL_RUNS, 99 - TRIAL_RUNS)
    assert backend.ledger.counters()["TierSwitched"] == 1


def test_a_graph_stays_when_the_optimizing_backend_is_not_faster(use, tiered, timed):
    baseline, optimizing = timed(LONG), timed(0.95 * LONG)
    backend = tiered(optimizing, baseline)
    use(backend)
    steps(100)
    assert (len(optimizing.compilations), len(optimizing.runs)) == (1, 1 + TRIAL_RUNS)
    counters = backend.ledger.counters()
    assert (counters["TierKept"], counters["TierSwitched"]) == (1, 0)


def test_graphs_that_never_repeat_are_not_compiled(use, tiered, timed):
    optimizing = timed(SHORT)
    use(tiered(optimizing, timed(LONG)))
    for size in range(1, 20):
        assert float(lb.sum(lb.ones(size) + 1.0)) == 2.0 * size
    assert optimizing.compilations == []


def test_a_decision_is_looked_at_again(use, tiered, timed):
    optimizing = timed(2 * LONG)
    backend = tiered(optimizing, timed(LONG))
    use(backend)
    steps(20)
    optimizing.run_seconds = SHORT
    steps(FIRST_TERM + 20)
    assert backend.ledger.counters()["TierSwitched"] == 1


def test_kernels_of_interpreted_graphs_stay_on_the_baseline(use, tiered, timed):
    baseline, optimizing = timed(LONG), timed(SHORT)
    baseline.interpretations = 1_000
    use(tiered(optimizing, baseline, compile_after=0.0, margin=None))
    steps(10)
    assert optimizing.compilations == []


def test_with_nothing_to_measure_every_graph_runs_where_it_is_compiled(use, tiered, timed):
    baseline, optimizing = timed(LONG), timed(LONG)
    use(tiered(optimizing, baseline, compile_after=0.0, margin=None))
    steps(10)
    assert (baseline.runs, len(optimizing.runs)) == ([], 10)


def test_meanwhile_the_baseline_goes_on(use, tiered, timed, held):
    baseline = timed(LONG)
    backend = tiered(held, baseline, synchronous=False)
    use(backend)
    steps(2)
    assert held.begun.wait(60)
    steps(10)
    assert (len(baseline.runs), held.runs) == (12, [])
    held.go.set()
    assert backend.wait_for_compilations(60)
    steps(10)
    assert len(held.runs) > 0


def test_a_loop_that_switches_in_the_middle_gives_numpys_result(use, tiered, timed):
    backend = tiered(timed(SHORT), timed(LONG))
    container = use(backend)
    expected = np.linspace(0.0, 1.0, 10_000)
    x = lb.asarray(expected)
    for number in range(60):
        x[1:-1] += 0.25 * (x[:-2] - x[2:])
        x *= 1.0 + number / 1000
        lb.sync(x)
        expected[1:-1] += 0.25 * (expected[:-2] - expected[2:])
        expected *= 1.0 + number / 1000
    assert np.array_equal(np.asarray(x), expected)  # the same engine on both tiers: the same bits
    assert backend.ledger.counters()["TierSwitched"] >= 1
    assert container.metrics().counter("DonatedBuffers") > 0


def test_what_a_loop_carries_stays_on_its_tier(use, tiered, timed):
    backend = tiered(timed(SHORT), timed(LONG))
    use(backend)
    x = lb.zeros(10_000)
    transfers = []
    for _ in range(60):
        x = x * 0.5 + 1.0
        lb.sync(x)
        transfers.append(backend.ledger.counters()["TierTransfers"])
    assert transfers[-1] == transfers[20]
    assert backend.ledger.counters()["TierOptimizingRuns"] > 40


def test_deterministic_settings_leave_everything_on_the_baseline(use, tiered, timed):
    baseline, optimizing = timed(LONG), timed(SHORT)
    backend = tiered(optimizing, baseline)
    backend.be_deterministic()
    use(backend)
    steps(100)
    assert (len(baseline.runs), optimizing.compilations) == (100, [])


def test_reports_show_counters_times_and_why_each_graph_is_where_it_is(use, tiered, timed):
    backend = tiered(timed(SHORT, 0.05), timed(LONG))
    use(backend)
    steps(50)
    report = backend.metric_report()
    assert "Counter: TierSwitched\n  Value: 1" in report
    assert "Metric: TierCompileTime\n  Accumulator: 50.000 ms" in report
    (row,) = [line.split() for line in report.splitlines() if line.startswith("computation_")]
    # operations, runs, baseline us, optimizing us, compile ms, tier
    assert row[2:7] == ["50", "100000.0", "1000.0", "50.0", "optimizing"]
    assert report.count("measured to be faster") == 1


def test_the_printed_program_is_both_tiers(use, tiered, timed):
    backend = tiered(timed(SHORT), timed(LONG))
    container = use(backend)
    steps(50)
    (structure,) = [each for each in container.executor().cache.structures() if each.variants]
    computation = structure.variants[0].executable.computation
    text = backend.computation_backend_text(computation)
    assert text.startswith("# numpy (baseline)\n") and text.count("# numpy (optimizing)\n") == 1
    assert backend.computation_analysis(computation) == {}


@pytest.mark.parametrize("setting", ["compile_after", "max_pending", "workers", "margin", "exit_wait_s"])
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=setting):
        TieredSettings.model_validate({setting: -1})
