"""Messages between the server and a worker arrive as they were sent, or the connection is given up."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

import numpy as np
import pytest

from latebind.services.serving.framing import AsyncChannel, BlockingChannel, ConnectionLost, bytes_of, encode

ARRAYS = [
    np.arange(6, dtype=np.float64).reshape(2, 3),
    np.zeros((0, 4), np.float32),
    np.array(True),
    np.arange(1 << 18, dtype=np.int32),
    np.array([1.5, -2], np.float16),
]


@pytest.fixture
def pair():
    one, other = socket.socketpair()
    yield one, other
    one.close()
    other.close()


def test_a_message_goes_there_and_back(pair):
    def echo():
        channel = BlockingChannel(pair[1])
        header = channel.receive()
        received = [np.empty(shape, dtype) for shape, dtype in header["arrays"]]
        for array in received:
            channel.receive_into(bytes_of(array))
        channel.send({"said": header["said"]}, [bytes_of(array) for array in received])

    async def scenario():
        channel = AsyncChannel(pair[0])
        described = [(array.shape, str(array.dtype)) for array in ARRAYS]
        await channel.send({"said": "größer", "arrays": described}, [bytes_of(array) for array in ARRAYS])
        header = await channel.receive()
        assert header == {"said": "größer", "bytes": sum(array.nbytes for array in ARRAYS)}
        for array in ARRAYS:
            received = np.empty(array.shape, array.dtype)
            await channel.receive_into(bytes_of(received))
            np.testing.assert_array_equal(received, array)

    thread = threading.Thread(target=echo)
    thread.start()
    asyncio.run(scenario())
    thread.join()


def test_skipped_bytes_leave_the_next_message_readable(pair):
    sender, receiver = BlockingChannel(pair[0]), BlockingChannel(pair[1])
    sent = threading.Thread(
        target=lambda: (sender.send({"number": 1}, [bytes_of(ARRAYS[3])]), sender.send({"number": 2}))
    )
    sent.start()
    header = receiver.receive()
    receiver.skip(header["bytes"])
    assert receiver.receive() == {"number": 2, "bytes": 0}
    sent.join()


def test_small_messages_are_one_piece():
    assert len(encode({}, [bytes_of(ARRAYS[0]), bytes_of(ARRAYS[1])])) == 1
    assert len(encode({}, [bytes_of(ARRAYS[3])])) == 2


def test_the_end_of_the_connection_is_no_message(pair):
    pair[0].close()
    assert BlockingChannel(pair[1]).receive() is None


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\0",
        struct.pack("!I", 10) + b"{}",
        struct.pack("!I", 2) + b"{]",
        struct.pack("!I", 2) + b"[]",
        b"\xff\xff\xff\xff",
    ],
    ids=["no length", "truncated", "malformed", "no mapping", "absurd length"],
)
def test_what_is_no_message_is_refused_by_both_sides(sent):
    for receive in (_receive_blocking, _receive_asynchronously):
        one, other = socket.socketpair()
        with one, other:
            one.sendall(sent)
            one.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionLost):
                receive(other)


def _receive_blocking(connection):
    return BlockingChannel(connection).receive()


def _receive_asynchronously(connection):
    async def receive():
        return await AsyncChannel(connection).receive()

    return asyncio.run(receive())
