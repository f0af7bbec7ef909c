"""XLA in a container of its own, without a disk cache unless a test asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.engines import ignored_without

from latebind import build_container
from latebind.injection.container import BoundContainer

collect_ignore_glob = ignored_without("jax")


@pytest.fixture
def container() -> Iterator[BoundContainer]:
    with build_container(backend={"name": "xla", "persistent_cache": False}) as made:
        yield made
    made.close()
