"""Every operation, for every dtype that it takes, gives the reference's results."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from latebind.testing.conformance.checking import Checker
from latebind.testing.conformance.groups import Group, all_groups
from latebind.testing.plugin import PROPERTY


@pytest.mark.parametrize("group", all_groups(), ids=lambda group: group.name)
def test_operation(group: Group, checker: Checker, request: pytest.FixtureRequest) -> None:
    """One computation has all cases of the group; what differs is named case by case."""
    outcome = checker.check(group)
    request.node.user_properties.append((PROPERTY, asdict(outcome)))
    if outcome.failures:
        lines = [f"{name} {message}" for name, message in outcome.failures.items()]
        pytest.fail(
            f"{len(lines)} of {outcome.cases} cases of {group.name} failed:\n" + "\n".join(lines), pytrace=False
        )
