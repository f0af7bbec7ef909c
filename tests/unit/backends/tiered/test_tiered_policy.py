"""The policy by itself: what is compiled when, and which tier a graph runs on afterwards."""

from __future__ import annotations

from math import inf

import pytest

from latebind.backends.tiered.policy import (
    FIRST_TERM,
    LEAST_SECONDS,
    SECONDS_PER_COMPILATION,
    SECONDS_PER_OPERATION,
    TERM_GROWTH,
    TRIAL_COST,
    TRIAL_RUNS,
    Account,
    CompileCost,
    Phase,
    Policy,
)


def run(policy: Policy, account: Account, baseline: float, optimizing: float) -> str:
    """Run once, as the backend does, on tiers that take so long; return which tier it was."""
    account.left -= 1
    if account.left >= 0:
        return "optimizing" if account.adopted else "baseline"
    if policy.wants_compiling(account):
        policy.compiled(account, 0.02)
    tier, measured = policy.next_tier(account)
    policy.ran(account, tier, measured, optimizing if tier else baseline)
    return "optimizing" if tier else "baseline"


def decided(policy: Policy, baseline: float, optimizing: float) -> Account:
    """Return a graph that ran until it was decided."""
    account = Account("computation", 10)
    for _ in range(10_000):
        if account.phase is Phase.DECIDED:
            return account
        run(policy, account, baseline, optimizing)
    raise AssertionError(f"still {account.phase}")


def test_a_graph_is_compiled_once_it_has_taken_as_long_as_compiling_is_expected_to():
    policy, account = Policy(compile_after=1.0), Account("computation", 40)
    expected = SECONDS_PER_COMPILATION + 40 * SECONDS_PER_OPERATION
    for _ in range(2):
        assert not policy.wants_compiling(account)
        policy.ran(account, *policy.next_tier(account), expected * 0.45)
    assert not policy.wants_compiling(account)
    policy.ran(account, *policy.next_tier(account), expected * 0.2)
    assert policy.wants_compiling(account)
    assert account.phase is Phase.WAITING


def test_the_factor_shifts_that_point():
    account = Account("computation", 0)
    account.spent, account.baseline_seconds = 1.5 * SECONDS_PER_COMPILATION, 1.0
    assert not Policy(compile_after=2.0).wants_compiling(account)
    assert Policy(compile_after=1.0).wants_compiling(account)


def test_factor_zero_asks_before_the_first_run():
    assert Policy(compile_after=0.0).wants_compiling(Account("computation", 1000))


def test_a_graph_is_asked_for_once():
    policy, account = Policy(compile_after=0.0), Account("computation", 1)
    assert policy.wants_compiling(account)
    assert not policy.wants_compiling(account)


def test_what_compiling_costs_is_learned():
    cost = CompileCost()
    assert cost.expected(20_000) > 4 * cost.expected(5_000)  # compilers take more than twice as long for twice as much
    guess = cost.expected(100)
    cost.observe(100, 3 * guess)
    assert cost.expected(100) == pytest.approx(3 * guess, rel=1e-12)  # one product and one quotient
    for _ in range(100):
        cost.observe(50, cost.expected(50) / cost.factor)
    assert cost.expected(100) == pytest.approx(guess, rel=1e-9)  # what is left of the first is 2 * 0.75**100


@pytest.mark.parametrize(("optimizing", "adopted"), [(0.0089, True), (0.0095, False), (0.02, False)])
def test_the_other_tier_is_adopted_if_it_is_faster_by_the_margin(optimizing, adopted):
    account = decided(Policy(margin=0.9), 0.01, optimizing)
    assert account.adopted is adopted
    assert (account.baseline_seconds, account.optimizing_seconds) == (0.01, optimizing)


def test_the_first_run_of_a_tier_does_not_count_against_it():
    policy = Policy()
    account = Account("computation", 1)
    taken = {"baseline": iter([0.5, *[0.01] * 100]), "optimizing": iter([0.5, *[0.005] * 100])}
    while account.phase is not Phase.DECIDED:
        if policy.wants_compiling(account):
            policy.compiled(account, 0.02)
        tier, measured = policy.next_tier(account)
        policy.ran(account, tier, measured, next(taken["optimizing" if tier else "baseline"]))
    assert account.adopted
    assert (account.baseline_seconds, account.optimizing_seconds) == (0.01, 0.005)


def test_a_trial_ends_as_soon_as_it_is_won():
    policy = Policy()
    account = decided(policy, 0.01, 0.001)
    assert account.adopted
    assert account.counted == account.watched + 1


def test_a_trial_of_short_runs_takes_a_share_of_what_compiling_took():
    policy = Policy()
    account = decided(policy, 100e-6, 100e-6)
    assert not account.adopted
    assert account.trial.spent == pytest.approx(TRIAL_COST * 0.02, abs=100e-6)  # a run more or less
    assert account.trial.other == pytest.approx(TRIAL_COST * 0.02 / 100e-6, abs=1)


def test_a_trial_is_won_late_if_it_is_won():
    policy = Policy()
    account = Account("computation", 1)
    busy = iter([0.003, 0.002, 0.002, 0.002, 0.0005])
    while account.phase is not Phase.DECIDED:
        if policy.wants_compiling(account):
            policy.compiled(account, 0.1)
        tier, measured = policy.next_tier(account)
        policy.ran(account, tier, measured, next(busy) if tier else 0.001)
    assert account.adopted


def test_a_hopeless_tier_is_run_twice():
    account = decided(Policy(), 0.01, 1.0)
    assert not account.adopted
    assert account.counted == account.watched + 2  # one run to warm up, and one that is measured


def test_a_graph_that_takes_no_longer_than_a_call_is_not_compiled():
    policy = Policy()
    account = decided(policy, 0.9 * LEAST_SECONDS, inf)
    assert (account.adopted, account.compile_seconds) == (False, None)
    assert "too small" in account.reason


def test_what_a_call_takes_is_learned():
    policy = Policy()
    assert decided(policy, 0.9 * LEAST_SECONDS, inf).compile_seconds is None
    assert decided(policy, 2 * LEAST_SECONDS, LEAST_SECONDS / 2).adopted
    assert policy.least_seconds == LEAST_SECONDS / 2
    assert decided(policy, 0.9 * LEAST_SECONDS, LEAST_SECONDS / 2).adopted


def test_a_large_graph_does_not_tell_what_a_call_takes():
    policy = Policy()
    decided(policy, 0.01, 0.0095)
    assert decided(policy, 0.001, 0.0001).adopted


def test_without_a_margin_what_is_compiled_is_adopted_for_good():
    policy, account = Policy(compile_after=0.0, margin=None), Account("computation", 1)
    assert [run(policy, account, 0.001, 1.0) for _ in range(5000)] == ["optimizing"] * 5000


def test_a_decision_is_looked_at_again_and_kept_longer_when_it_is_confirmed():
    policy = Policy()
    account = decided(policy, 0.01, 0.02)
    first = account.left
    assert first >= FIRST_TERM
    tiers = [run(policy, account, 0.01, 0.02) for _ in range(first + 2 * TRIAL_RUNS + 1)]
    assert tiers[-TRIAL_RUNS - 1 :] == ["optimizing"] * (TRIAL_RUNS + 1)
    assert tiers.count("optimizing") == TRIAL_RUNS + 1
    assert account.phase is Phase.DECIDED
    assert account.left == TERM_GROWTH * first


def test_a_decision_changes_when_the_other_tier_has_become_faster():
    policy = Policy()
    account = decided(policy, 0.01, 0.001)
    assert account.adopted
    while account.adopted:
        run(policy, account, 0.01, 0.1)
    assert account.reason == "measured to be faster"
    assert (account.baseline_seconds, account.optimizing_seconds) == (0.01, 0.1)


def test_trials_of_a_slow_tier_take_a_hundredth_of_the_time():
    account = decided(Policy(), 1e-3, 1.0)
    assert account.left * 1e-3 >= 100 * TRIAL_RUNS * 1.0


def test_a_graph_that_was_refused_earns_its_place_again():
    policy, account = Policy(), Account("computation", 1)
    account.spent, account.baseline_seconds = 1.0, 0.01
    assert policy.wants_compiling(account)
    policy.refused(account)
    assert not policy.wants_compiling(account)
    policy.ran(account, False, True, 1.0)
    assert policy.wants_compiling(account)


def test_a_trial_of_which_a_run_failed_leaves_the_graph_where_it_is():
    policy = Policy()
    account = Account("computation", 1, spent=1.0, baseline_seconds=0.01, watched=5)
    assert policy.wants_compiling(account)
    policy.compiled(account, 0.02)
    assert policy.next_tier(account) == (False, True)
    assert account.phase is Phase.TRIAL
    policy.abandon(account)
    assert (account.phase, account.adopted) == (Phase.DECIDED, False)


def test_runs_are_counted_in_every_phase():
    policy, account = Policy(), Account("computation", 1)
    for number in range(1, 3000):
        run(policy, account, 0.01, 0.001)
        if account.phase is Phase.DECIDED and account.left >= 0:
            assert account.runs == number


def test_what_is_fixed_never_moves():
    policy, account = Policy(), Account("computation", 1)
    run(policy, account, 0.01, 0.001)
    policy.fix(account, "it failed")
    assert {run(policy, account, 1.0, 0.001) for _ in range(5000)} == {"baseline"}
    assert account.runs == 5001
