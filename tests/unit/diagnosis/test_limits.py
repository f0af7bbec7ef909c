"""What the process may use is the machine's, narrowed by every control group that it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from latebind.diagnosis.limits import Limits, limit_findings, read_limits


@pytest.fixture
def tree(tmp_path: Path):
    """Write the trees that the kernel would show, and read them."""

    def read(**files: str) -> Limits:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return read_limits({}, groups=tmp_path / "groups", process=tmp_path / "proc")

    return read


def test_version_2(tree):
    limits = tree(
        proc__self__cgroup="0::/pod/box\n",
        groups__pod__cpu_dot_max="150000 100000\n",
        groups__pod__box__cpu_dot_max="max 100000\n",
        groups__pod__box__memory_dot_max="max\n",
        groups__pod__memory_dot_max="536870912\n",
    )
    assert limits.cpu_quota == 1.5
    assert limits.usable_cores == 1
    assert limits.memory_limit_bytes == 512 << 20


def test_version_1(tree):
    limits = tree(
        proc__self__cgroup="4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n",
        groups__cpu__box__cpu_dot_cfs_quota_us="50000",
        groups__cpu__box__cpu_dot_cfs_period_us="100000",
        groups__memory__box__memory_dot_limit_in_bytes="1073741824",
        groups__memory__memory_dot_limit_in_bytes="9223372036854771712",
    )
    assert limits.cpu_quota == 0.5
    assert limits.usable_cores == 1
    assert limits.memory_limit_bytes == 1 << 30


def test_a_group_that_is_not_mounted_here_is_the_root_s(tree):
    limits = tree(proc__self__cgroup="0::/somewhere/else\n", groups__cpu_dot_max="200000 100000\n")
    assert limits.cpu_quota == 2.0


def test_no_limits(tree):
    limits = tree(proc__self__cgroup="0::/\n", groups__cpu_dot_max="max 100000\n", proc__meminfo="MemTotal: 2048 kB\n")
    assert (limits.cpu_quota, limits.memory_limit_bytes, limits.memory_bytes) == (None, None, 2 << 20)
    assert limits.usable_cores == limits.affinity <= limits.cores


def test_no_control_groups_at_all(tmp_path):
    limits = read_limits({}, groups=tmp_path / "none", process=tmp_path / "none")
    assert (limits.cpu_quota, limits.memory_limit_bytes) == (None, None)
    assert limits.memory_bytes is None or limits.memory_bytes > 0


def limits_of(**changes) -> Limits:
    values = {
        "cores": 8,
        "affinity": 8,
        "cpu_quota": None,
        "memory_bytes": 16 << 30,
        "memory_limit_bytes": None,
        "thread_variables": {},
    }
    return Limits(**(values | changes))


def test_a_machine_without_limits_has_no_findings():
    assert limit_findings(limits_of()) == []
    assert limit_findings(limits_of(), threads=8) == []


def test_a_quota_below_the_cores_that_engines_see():
    (found,) = limit_findings(limits_of(cpu_quota=2.0))
    assert "allows 2 processors' worth of time, but engines see 8 cores" in found.problem
    assert found.remedy == "set backend.threads to 2 (LATEBIND_BACKEND__THREADS=2)"
    assert limit_findings(limits_of(cpu_quota=2.0), threads=2) == []
    assert limit_findings(limits_of(cpu_quota=2.0, thread_variables={"OMP_NUM_THREADS": "2"})) == []


def test_more_threads_than_cores():
    (found,) = limit_findings(limits_of(affinity=4), threads=6)
    assert found.problem == "backend.threads is 6, but this process may use 4 of 8 cores"


@pytest.mark.parametrize("value", ["lots", "0", "-2", "2,many"])
def test_a_variable_that_is_no_number_of_threads(value):
    (found,) = limit_findings(limits_of(thread_variables={"OMP_NUM_THREADS": value}))
    assert f"OMP_NUM_THREADS is '{value}', which is no number of threads" in found.problem
    assert found.remedy == "set OMP_NUM_THREADS to 8, or unset it"


@pytest.mark.parametrize("value", ["1", " 8", "4,2"])
def test_a_variable_that_is_a_number_of_threads(value):
    assert limit_findings(limits_of(thread_variables={"OMP_NUM_THREADS": value})) == []


def test_little_memory():
    (found,) = limit_findings(limits_of(memory_limit_bytes=256 << 20))
    assert found.subject == "memory"
    assert "256 MiB" in found.problem


def test_the_variables_that_set_threads_are_listed():
    found = read_limits({"OMP_NUM_THREADS": "3", "NPROC": "", "HOME": "/"})
    assert found.thread_variables == {"OMP_NUM_THREADS": "3"}
