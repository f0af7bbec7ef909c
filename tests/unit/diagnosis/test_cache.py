"""Where compiled programs are kept is looked at without leaving anything there."""

from __future__ import annotations

import contextlib
import os
from collections import namedtuple

import pytest

from latebind.backends.tiered.settings import TieredSettings
from latebind.backends.xla.settings import XlaSettings
from latebind.diagnosis import cache
from latebind.diagnosis.cache import cache_directories, cache_findings, look_at
from latebind.settings import load_settings


def test_a_directory_that_is_there(tmp_path):
    (tmp_path / "one.xla").write_bytes(b"x" * 100)
    (tmp_path / "key").write_bytes(b"x" * 32)
    found = look_at("backend.cache_directory", tmp_path, 1 << 20)
    assert (found.exists, found.problem, found.files, found.bytes) == (True, None, 1, 100)
    assert found.free_bytes is not None and found.free_bytes > 0
    assert sorted(os.listdir(tmp_path)) == ["key", "one.xla"]
    assert cache_findings([found]) == []


def test_a_directory_that_is_made_at_the_first_write(tmp_path):
    found = look_at("backend.cache_directory", tmp_path / "a" / "b", 1 << 20)
    assert (found.exists, found.problem) == (False, None)
    assert os.listdir(tmp_path) == []


@contextlib.contextmanager
def an_ordinary_user():
    """Root may enter every folder."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="there are no users here")
def test_a_folder_that_may_not_be_entered(tmp_path):
    closed = tmp_path / "closed"
    (closed / "xla").mkdir(parents=True)
    closed.chmod(0)
    try:
        with an_ordinary_user():
            found = look_at("backend.cache_directory", closed / "xla", 1 << 20)
    finally:
        closed.chmod(0o700)
    assert not found.exists and found.problem is not None
    assert cache_findings([found])


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    found = look_at("backend.optimizing.cache_directory", tmp_path / "file" / "xla", 1 << 20)
    assert found.problem == f"{tmp_path / 'file'} is no directory"
    (finding,) = cache_findings([found])
    assert "backend.optimizing.cache_directory" in finding.remedy
    assert "backend.optimizing.persistent_cache to false" in finding.remedy


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_a_directory_that_others_can_write_to(tmp_path):
    tmp_path.chmod(0o777)
    assert "others can write to it" in (look_at("key", tmp_path, 1 << 20).problem or "")


def test_a_disk_that_refuses(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(cache.tempfile, "TemporaryFile", refuse)
    assert look_at("key", tmp_path, 1 << 20).problem == "Read-only file system"


def test_little_space(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda path: usage(1 << 30, (1 << 30) - 4096, 4096))
    (finding,) = cache_findings([look_at("backend.cache_directory", tmp_path, 1 << 30)])
    assert "0 MiB are free" in finding.problem


def test_every_backend_that_keeps_programs_is_asked(tmp_path):
    settings = TieredSettings(optimizing=xla_settings(tmp_path))
    assert [each.key for each in cache_directories(settings)] == ["backend.optimizing.cache_directory"]
    assert cache_directories(XlaSettings(persistent_cache=False)) == []
    assert cache_directories(load_settings(None, {"backend": "numpy"}).backend) == []


def xla_settings(directory):
    overrides = {"backend": {"name": "xla", "cache_directory": str(directory)}}
    return load_settings(None, overrides, environ={}, dotenv=None).backend
