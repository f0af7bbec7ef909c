"""Compiled programs on disk: a directory of files that only this user writes, each with a checksum under a secret key.

A serialised executable is machine code, and loading one runs it. So a file is used only if it is authentic: its header
has an HMAC under a key that was made with the directory and that only the user can read. A file that is truncated,
changed, from another version, or put there by somebody else fails that test, is deleted and reported, and the program
is compiled.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import logging
import os
import platform
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

logger = logging.getLogger("latebind.xla")

#: First bytes of a file; a new layout gets a new number.
MAGIC: Final = b"latebind-xla-1\n"
_DIGEST: Final = hashlib.sha256
_DIGEST_BYTES: Final = 32
_SUFFIX: Final = ".xla"
#: How often an unusable key is replaced before the directory is left alone.
_KEY_ATTEMPTS: Final = 3
#: Temporary files older than this, in seconds, are left over from processes that died.
_STALE_SECONDS: Final = 3600


class Store:
    """A bounded directory of byte strings.

    Parameters
    ----------
    directory
        Where; `None` takes the user's cache directory. It is made at the first write, for the user alone.
    max_bytes
        Above this size, the files that were not used for longest are deleted.
    """

    def __init__(self, directory: Path | None = None, max_bytes: int = 1 << 30) -> None:
        self.directory = directory or user_cache_path("latebind") / "xla"
        self.max_bytes = max_bytes
        self._secret: bytes | None = None
        self._size: int | None = None
        self._usable = True

    @staticmethod
    def key(*parts: str) -> str:
        """Return the name of what these parts determine."""
        digest = _DIGEST(MAGIC)
        for part in parts:
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "little") + encoded)
        return digest.hexdigest()

    def read(self, key: str) -> bytes | None:
        """Return what is stored, or `None`; a file that is not authentic is reported, deleted, and counts as absent."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        secret = self._key_of_directory(create=False)
        start = len(MAGIC) + _DIGEST_BYTES
        if not content.startswith(MAGIC) or len(content) < start:
            self.reject(key, "it was not written by this version of latebind")
            return None
        given, payload = content[len(MAGIC) : start], content[start:]
        if secret is None or not hmac.compare_digest(given, self._sign(secret, key, payload)):
            self.reject(key, "its checksum is wrong: it is damaged, or somebody else wrote it")
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return payload

    def reject(self, key: str, why: str) -> None:
        """Delete a file and say why."""
        path = self._path(key)
        logger.warning("ignoring and deleting %s in the cache of compiled programs: %s", path, why)
        with contextlib.suppress(OSError):
            path.unlink()

    def write(self, key: str, payload: bytes) -> None:
        """Store bytes. A directory that cannot be written is reported once, and then left alone."""
        if not self._usable or len(payload) > self.max_bytes:
            return
        try:
            secret = self._key_of_directory(create=True)
            if secret is None:
                raise PermissionError(f"the key in {self.directory} cannot be read")
            self._replace(self._path(key), MAGIC + self._sign(secret, key, payload) + payload)
        except OSError as error:
            self._usable = False
            logger.warning(
                "compiled programs are not kept on disk: %s (set backend.cache_directory, or backend.persistent_cache "
                "to false)",
                error,
            )
            return
        self._size = (self._measure() if self._size is None else self._size) + len(payload)
        if self._size > self.max_bytes:
            self._evict()

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}{_SUFFIX}"

    @staticmethod
    def _sign(secret: bytes, key: str, payload: bytes) -> bytes:
        return hmac.digest(secret, key.encode() + payload, _DIGEST)

    def _key_of_directory(self, *, create: bool) -> bytes | None:
        """Return the secret key; one that others could have written or read is replaced, and all files with it.

        Raises
        ------
        OSError
            If the directory is not the user's alone, or cannot be written.
        """
        if self._secret is None:
            if create:
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not _is_private(self.directory.stat(), 0o022):
                    raise PermissionError(f"others can write to {self.directory}")
            self._secret = self._read_key()
            if self._secret is None and create:
                self._secret = self._create_key()
        return self._secret

    def _read_key(self) -> bytes | None:
        try:
            descriptor = os.open(self.directory / "key", os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            content = stream.read(_DIGEST_BYTES + 1) if _is_private(os.fstat(descriptor), 0o077) else b""
        return content if len(content) == _DIGEST_BYTES else None

    def _create_key(self) -> bytes | None:
        """Make a key; where others make one at the same time, all take the one that was there first.

        A key that is there is removed only after it was read and found unusable, never unseen: another process may
        have signed its programs with it a moment ago.
        """
        descriptor, temporary = tempfile.mkstemp(dir=self.directory, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(secrets.token_bytes(_DIGEST_BYTES))
            for _ in range(_KEY_ATTEMPTS):
                with contextlib.suppress(FileExistsError):
                    os.link(temporary, self.directory / "key")
                if (secret := self._read_key()) is not None:
                    return secret
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.directory / "key")
        finally:
            os.unlink(temporary)
        return None

    def _replace(self, path: Path, content: bytes) -> None:
        """Write a file in one step, readable by its owner only."""
        descriptor, temporary = tempfile.mkstemp(dir=self.directory, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Iterate over the time of last use, the size and the path of each stored file; drop stale temporary ones."""
        for path in self.directory.iterdir():
            with contextlib.suppress(OSError):
                status = path.stat()
                if path.suffix == _SUFFIX:
                    yield status.st_mtime, status.st_size, path
                elif path.suffix == ".tmp" and time.time() - status.st_mtime > _STALE_SECONDS:
                    path.unlink()

    def _measure(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _evict(self) -> None:
        """Delete the files that were not used for longest, down to three quarters of the bound."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self.max_bytes * 3 // 4:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size
        self._size = total


def _is_private(status: os.stat_result, others: int) -> bool:
    """Whether a file is the user's and others lack these permissions; always true where files have no owners."""
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & others)


@functools.cache
def host_features() -> str:
    """Return what machine code depends on: architecture, and the processor's model and instruction sets."""
    features = [platform.machine(), platform.system(), platform.processor()]
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features", "model name", "CPU part"):
                features.append(" ".join(sorted(value.split())))
            if not line.strip() and len(features) > 3:
                break
    return "|".join([*features, os.environ.get("XLA_FLAGS", "")])
