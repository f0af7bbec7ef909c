"""Messages between the server and a worker: a JSON header, then the bytes of arrays. Nothing is ever unpickled.

A message is `length of the header (4 bytes, big-endian) | header | bytes`. The header's `"bytes"` says how many follow.
"""

from __future__ import annotations

import asyncio
import io
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import orjson

Header: TypeAlias = dict[str, Any]

_LENGTH: Final = struct.Struct("!I")
#: A header holds shapes and counters, at most the text of graphs; anything longer is no header.
_LONGEST_HEADER: Final = 1 << 30
#: Messages up to this size are sent with one call of the operating system.
_JOINED: Final = 1 << 16


class ConnectionLost(ConnectionError):
    """The other side is gone, or says something that is no message."""


def bytes_of(array: np.ndarray) -> memoryview:
    """Return the memory of a C-contiguous array as bytes; also of one without elements."""
    return array.reshape(-1).view(np.uint8).data


def encode(header: Mapping[str, Any], arrays: Sequence[memoryview] = ()) -> list[bytes | memoryview]:
    """Return what has to be sent, in as few pieces as pays."""
    size = sum(map(len, arrays))
    text = orjson.dumps({**header, "bytes": size})
    head = _LENGTH.pack(len(text)) + text
    if size + len(head) <= _JOINED:
        return [b"".join((head, *arrays))]
    return [head, *arrays]


def decode(text: bytes | bytearray) -> Header:
    """Return a header.

    Raises
    ------
    ConnectionLost
        If it is none.
    """
    try:
        header = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ConnectionLost(f"the header of a message is malformed: {error}") from error
    if not isinstance(header, dict):
        raise ConnectionLost("the header of a message is no mapping")
    return header


def _length(prefix: bytes | bytearray) -> int:
    (length,) = _LENGTH.unpack(prefix)
    if length > _LONGEST_HEADER:
        raise ConnectionLost(f"the header of a message has {length} bytes")
    return int(length)


class BlockingChannel:
    """The worker's end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = io.BufferedReader(socket.SocketIO(connection, "r"), 1 << 16)

    def receive(self) -> Header | None:
        """Wait for a header; `None` when the server has closed the connection."""
        prefix = self._reader.read(_LENGTH.size)
        if not prefix:
            return None
        if len(prefix) < _LENGTH.size:
            raise ConnectionLost("the connection ended inside a message")
        return decode(self._read(_length(prefix)))

    def receive_into(self, memory: memoryview) -> None:
        """Fill the memory with the next bytes."""
        done = 0
        while done < len(memory):
            count = self._reader.readinto(memory[done:])
            if not count:
                raise ConnectionLost("the connection ended inside an array")
            done += count

    def skip(self, size: int) -> None:
        """Throw away the next bytes."""
        scratch = memoryview(bytearray(min(size, _JOINED)))
        while size > 0:
            part = scratch[: min(size, len(scratch))]
            self.receive_into(part)
            size -= len(part)

    def send(self, header: Mapping[str, Any], arrays: Sequence[memoryview] = ()) -> None:
        """Send a message."""
        for piece in encode(header, arrays):
            self._connection.sendall(piece)

    def _read(self, size: int) -> bytearray:
        memory = bytearray(size)
        self.receive_into(memoryview(memory))
        return memory


class AsyncChannel:
    """The server's end. One exchange at a time; one that is interrupted leaves the channel of no use."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    async def send(self, header: Mapping[str, Any], arrays: Sequence[memoryview] = ()) -> None:
        """Send a message."""
        for piece in encode(header, arrays):
            await self._loop.sock_sendall(self._connection, piece)

    async def receive(self) -> Header:
        """Wait for a header.

        Raises
        ------
        ConnectionLost
            If the worker is gone.
        """
        prefix = bytearray(_LENGTH.size)
        await self.receive_into(memoryview(prefix))
        text = bytearray(_length(prefix))
        await self.receive_into(memoryview(text))
        return decode(text)

    async def receive_into(self, memory: memoryview) -> None:
        """Fill the memory with the next bytes."""
        done = 0
        while done < len(memory):
            count = await self._loop.sock_recv_into(self._connection, memory[done:])
            if not count:
                raise ConnectionLost("the worker has closed the connection")
            done += count

    def close(self) -> None:
        """Close the connection: the worker leaves."""
        self._connection.close()
