"""Compiled programs on disk: found by a second process, and never loaded unless this user's cache wrote them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from latebind.backends.xla.client import thread_count
from latebind.backends.xla.store import MAGIC, Store, host_features

PROGRAM = """
import numpy as np, latebind as lb
with lb.build_container(backend={"name": "xla", "cache_directory": CACHE}) as container:
    x = lb.asarray(np.arange(6.0).reshape(2, 3))
    print(np.asarray(lb.sum(x * 2 + 1, axis=0)).tolist())
    print(container.backend().metric_report())
"""


def run(cache: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.replace("CACHE", repr(str(cache)))
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    return subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, timeout=100)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.mark.slow
def test_a_second_process_compiles_nothing(tmp_path):
    first, second = run(tmp_path), run(tmp_path)
    assert first.stdout.startswith("[8.0, 12.0, 16.0]") and second.stdout.startswith("[8.0, 12.0, 16.0]"), first.stderr
    assert "programs compiled: 1, loaded from disk: 0" in first.stdout
    assert "programs compiled: 0, loaded from disk: 1" in second.stdout


@pytest.mark.slow
def test_other_flags_of_xla_are_another_program(tmp_path):
    run(tmp_path)
    other = run(tmp_path, XLA_FLAGS="--xla_cpu_enable_fast_math=false")
    assert "programs compiled: 1, loaded from disk: 0" in other.stdout


@pytest.mark.slow
def test_a_damaged_file_is_reported_and_compiled_again(tmp_path):
    run(tmp_path)
    (path,) = tmp_path.glob("*.xla")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    second = run(tmp_path)
    assert second.stdout.startswith("[8.0, 12.0, 16.0]")
    assert "programs compiled: 1, loaded from disk: 0" in second.stdout
    assert "checksum is wrong" in second.stderr
    assert "loaded from disk: 1" in run(tmp_path).stdout


def test_what_was_written_is_read(store):
    key = store.key("module", "options")
    assert store.read(key) is None
    store.write(key, b"machine code")
    assert store.read(key) == b"machine code"
    assert Store(store.directory).read(key) == b"machine code"


def test_keys_tell_parts_apart():
    keys = {Store.key("ab", "c"), Store.key("a", "bc"), Store.key("abc"), Store.key("ab", "c", "")}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda content: content[:10], "not written by this version"),
        (lambda content: b"", "not written by this version"),
        (lambda content: b"latebind-xla-0\n" + content[len(MAGIC) :], "not written by this version"),
        (lambda content: content[:-1], "checksum is wrong"),
        (lambda content: content + b"more", "checksum is wrong"),
    ],
    ids=["truncated header", "empty", "other version", "truncated", "longer"],
)
def test_a_file_that_is_not_authentic_is_deleted_and_reported(store, caplog, damage, why):
    key = store.key("module")
    store.write(key, b"machine code")
    path = store.directory / f"{key}.xla"
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING, "latebind.xla"):
        assert store.read(key) is None
    assert why in caplog.text and not path.exists()


def test_a_file_of_another_users_cache_is_not_loaded(store, tmp_path, caplog):
    key = store.key("module")
    other = Store(tmp_path / "other")
    other.write(key, b"somebody's code")
    store.write(store.key("mine"), b"mine")
    (store.directory / f"{key}.xla").write_bytes((other.directory / f"{key}.xla").read_bytes())
    assert store.read(key) is None
    assert "somebody else wrote it" in caplog.text


def test_a_file_under_another_name_is_not_loaded(store):
    store.write(store.key("one"), b"one")
    os.rename(store.directory / f"{store.key('one')}.xla", store.directory / f"{store.key('two')}.xla")
    assert store.read(store.key("two")) is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_directory_and_key_are_private_and_a_public_key_is_not_trusted(store):
    key = store.key("module")
    store.write(key, b"machine code")
    assert store.directory.stat().st_mode & 0o077 == 0
    secret = store.directory / "key"
    assert secret.stat().st_mode & 0o077 == 0
    secret.chmod(0o644)
    assert Store(store.directory).read(key) is None


def test_the_oldest_programs_go_when_there_are_too_many_bytes(tmp_path):
    store = Store(tmp_path, max_bytes=1000)
    keys = [store.key(str(number)) for number in range(6)]
    for age, key in enumerate(keys):
        store.write(key, bytes(200))
        os.utime(tmp_path / f"{key}.xla", (age, age))
    left = [key for key in keys if store.read(key) is not None]
    assert left and left == keys[-len(left) :]
    assert sum(path.stat().st_size for path in tmp_path.glob("*.xla")) <= 1000


def test_a_directory_that_cannot_be_written_is_reported_once(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    store = Store(blocked / "cache")
    with caplog.at_level(logging.WARNING, "latebind.xla"):
        store.write(store.key("one"), b"one")
        store.write(store.key("two"), b"two")
    assert len(caplog.records) == 1 and "backend.cache_directory" in caplog.text
    assert store.read(store.key("one")) is None


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    stores = [Store(tmp_path / "cache") for _ in range(8)]
    barrier = threading.Barrier(len(stores))

    def write(number: int) -> None:
        barrier.wait(30)
        stores[number].write(Store.key(str(number)), b"machine code")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    reader = Store(tmp_path / "cache")
    assert all(reader.read(Store.key(str(number))) == b"machine code" for number in range(len(stores)))


def test_a_key_that_another_process_makes_meanwhile_is_taken(tmp_path, monkeypatch):
    first, second = Store(tmp_path / "cache"), Store(tmp_path / "cache")
    one, two = Store.key("one"), Store.key("two")
    read = Store._read_key

    def none_yet_and_then_another_process_writes(store):
        if store is second and not list(tmp_path.glob("cache/*.xla")):
            first.write(one, b"machine code")
            return None
        return read(store)

    monkeypatch.setattr(Store, "_read_key", none_yet_and_then_another_process_writes)
    second.write(two, b"other machine code")
    reader = Store(tmp_path / "cache")
    assert [reader.read(one), reader.read(two)] == [b"machine code", b"other machine code"]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_a_directory_that_others_can_write_is_not_used(tmp_path, caplog):
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o777)
    store = Store(directory)
    store.write(store.key("module"), b"machine code")
    assert "others can write" in caplog.text and not list(directory.glob("*.xla"))


def test_the_number_of_threads_is_part_of_the_key(monkeypatch):
    assert thread_count(3) == 3
    monkeypatch.setenv("NPROC", "5")
    assert thread_count(None) == 5
    monkeypatch.delenv("NPROC")
    assert thread_count(None) >= 1


def test_the_processor_is_part_of_the_key():
    assert host_features() == host_features() != ""
